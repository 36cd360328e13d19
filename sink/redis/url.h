/* The address of a Redis server: redis://[user[:password]@]host[:port][/db] or unix:///path?db=N, as redis-cli and the
 * usual clients write it. User and password may be percent-encoded; a host may be an IPv6 address in brackets. */
#ifndef SLUICE_SINK_REDIS_URL_H
#define SLUICE_SINK_REDIS_URL_H

#include "sink/redis/redis.h"

#define REDIS_HOST_MAX   255
#define REDIS_SECRET_MAX 1023

/* Where to and as whom; plain data. What the URL does not say comes from the options, what both say from the URL. */
struct redis_address {
    char host[REDIS_HOST_MAX + 1]; /* or the socket's path */
    bool is_unix;
    uint16_t port;
    unsigned db;
    char username[REDIS_SECRET_MAX + 1];
    char password[REDIS_SECRET_MAX + 1];
    bool has_username, has_password;
    char name[REDIS_HOST_MAX + 16]; /* for messages: "redis host:port", "redis /path" */
};

/* Of `url`. Errors: SINK_URL (never with the password in it). */
int redis_address_init(struct redis_address *out, const struct redis_options *opt, struct err *e);

/* Of a primary that Sentinels name: user, password and database are those of the options. Errors: SINK_URL. */
int redis_address_at(struct redis_address *out, const struct redis_options *opt, const char *host, uint16_t port,
                     struct err *e);

/* Of a Sentinel: `text` is host[:port]. Errors: SINK_URL. */
int redis_address_of_sentinel(struct redis_address *out, const struct redis_options *opt, const char *text,
                              struct err *e);

#endif
