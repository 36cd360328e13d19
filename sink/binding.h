/* What a worker's sink made of each route and table version: sink_ops.bind at the first row of a shape, then by the
 * shape's id. One thread (the worker); runner_check uses binding_make alone. */
#ifndef SLUICE_SINK_BINDING_H
#define SLUICE_SINK_BINDING_H

#include "sink/runner.h"

struct bound {
    const struct route *route;
    void *bind;
};

/* The routes of one table that lead to this sink. */
struct binding {
    struct bound *list; /* NULL when nothing was made yet */
    unsigned count;
};

struct bindings {
    const struct runner_options *opt;
    struct binding *by_shape;
    uint32_t size;
    struct binding every; /* of every route: for statements, and the begin and end of transactions */
    struct binding loose; /* of a table that is known by name only; until the next one */
};

/* Binds every route of opt->sink that matches the name (db, table; NULL: every route), against `tbl` (NULL: no version
 * known). Errors: bind's,
 * wrapped with the route's line. */
int binding_make(const struct runner_options *opt, const char *const *name, const struct table *tbl,
                 struct binding *out, struct err *e);
void binding_release(const struct runner_options *opt, struct binding *binding);

/* For a change; made when it is the first of its shape. Valid until bindings_release (without a shape: until the next
 * call). */
int bindings_of(struct bindings *bindings, const struct change *chg, const struct binding **out, struct err *e);
void bindings_release(struct bindings *bindings);

#endif
