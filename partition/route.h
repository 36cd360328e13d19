/* Routes: which tables go where, by which key. Built from the configuration before anything runs, read-only afterwards.
 * Core. */
#ifndef SLUICE_PARTITION_ROUTE_H
#define SLUICE_PARTITION_ROUTE_H

#include "change/source.h"
#include "change/statement.h"
#include "partition/key.h"
#include "partition/ledger.h"

enum on_truncate { ON_TRUNCATE_STOP, ON_TRUNCATE_SWEEP, ON_TRUNCATE_IGNORE };

/* One route of the configuration. Everything borrowed from the configuration, which outlives the routes. */
struct route {
    unsigned line;  /* in the configuration file */
    const char *db; /* patterns: * and ? */
    const char *table;
    const char *const *key; /* column names in key order; NULL = primary key */
    unsigned key_count;
    bool keyless; /* a table without a primary key is fine: its rows have an empty key and go to lane 0 (dump) */
    uint32_t sink_mask;
    enum on_truncate on_truncate;
    const char *const *accept_unlogged;         /* names of foreign keys, NULL-terminated; may be NULL */
    const void *sink_options[LEDGER_SINKS_MAX]; /* by sink: the route options of its kind, for sink_ops.bind; NULL where
                                                   not routed */
};

struct routes;

/* `routes` is copied (not what it points to). Errors: NO_MEMORY. */
int routes_new(struct routes **out, const struct route *list, unsigned count, struct err *e);
void routes_free(struct routes *routes);
unsigned routes_list(const struct routes *routes, const struct route **out);

/* True when a route names the table. Also as a struct interest. */
bool routes_wants(const struct routes *routes, const char *db, const char *table);
struct interest routes_interest(const struct routes *routes);

/* True for a pattern without * and ?. */
bool route_is_exact(const struct route *route);
bool route_matches(const struct route *route, const char *db, const char *table);

/* True when a statement concerns a table of the route: one that it names, or any of its database. */
bool route_takes_statement(const struct route *route, const struct statement *statement);

/* What the source thread needs per shape. Made once per shape, kept by its caller by shape id. */
struct table_route {
    uint32_t sink_mask;
    struct key_plan key;
    enum on_truncate on_truncate; /* the strictest of its routes: stop, then sweep */
};

/* A table without a route gets sink_mask 0 and a key of no columns. Do not copy *out: its key points into it.
 * Errors: ROUTE_CONFLICT (two routes of one table with different keys: both lines), ROUTE_COLUMN, ROUTE_NO_KEY. */
int routes_bind(const struct routes *routes, const struct table *tbl, struct table_route *out, struct err *e);

#endif
