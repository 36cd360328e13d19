/* What a route says of its keys in Redis, and what is bound of it to one table version: templates and conditions. A
 * bound route belongs to the worker that bound it. */
#ifndef SLUICE_SINK_REDIS_ROUTE_H
#define SLUICE_SINK_REDIS_ROUTE_H

#include "partition/route.h"
#include "sink/redis/condition.h"
#include "sink/redis/redis.h"

#define REDIS_TEMPLATES_MAX 256 /* of one route */
#define REDIS_TAG_LEN       8

enum redis_mode { REDIS_INVALIDATE, REDIS_SECOND_DELETE, REDIS_FENCE, REDIS_WRITE, REDIS_PUBLISH, REDIS_STREAM };
enum redis_as { REDIS_JSON, REDIS_HASH, REDIS_TEXT };
enum redis_on_delete { REDIS_DELETE, REDIS_EXPIRE, REDIS_KEEP };

struct redis_write_options {
    const char *key; /* template; NULL: nothing is written */
    int as;          /* enum redis_as */
    const char *text;
    struct option_list columns;
    uint64_t ttl_ms, ttl_jitter_ms;
    int on_delete; /* enum redis_on_delete */
    uint64_t expire_ms;
    uint64_t maxlen; /* of a stream; 0: no end */
};

struct redis_route_options {
    struct option_list invalidate;
    struct option_list when;
    int mode;            /* enum redis_mode */
    const char *publish; /* channel for the names of the keys; NULL: none */
    struct redis_write_options write;
};

/* One route bound to one table version. */
struct redis_route {
    enum redis_mode mode;
    struct redis_condition *when;
    unsigned when_count;
    const char *publish; /* as of the options */
    struct redis_written {
        const struct redis_write_options *opt;
        struct template *key; /* NULL: nothing is written */
        struct bound_template *bound;
        struct redis_form *form;
        char tag[REDIS_TAG_LEN]; /* of all keys that the template can render, in hex */
    } write;
    unsigned count;
    struct redis_template {
        struct template *tpl;
        struct bound_template *bound; /* NULL: bound to no table, for sweeps only */
    } list[];
};

extern const struct option redis_route_options[];

/* As struct sink_ops says of the members with these names. */
int redis_ready_route(void *route_opt, struct config *cfg, struct err *e);
int redis_check_routes(void *options, const struct route *routes, unsigned count, unsigned sink, struct err *e);
int redis_bind(void **out, const void *opt, const void *route_opt, const struct table *tbl, struct err *e);
void redis_unbind(void *bind);
const char *redis_reads(const void *bind, unsigned n);
int redis_can_sweep(const void *bind, struct err *e);

#endif
