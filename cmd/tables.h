/* The tables that --table names: patterns database.table with * and ?. */
#ifndef SLUICE_CMD_TABLES_H
#define SLUICE_CMD_TABLES_H

#include "config/option.h"
#include "partition/route.h"

#define TABLES_MAX 256

struct tables {
    struct route list[TABLES_MAX]; /* without a key, to the only sink */
    unsigned count;
    struct arena names;
    struct routes *routes;
};

/* Before anything else. */
void tables_init(struct tables *tables);
void tables_release(struct tables *tables);

/* Adds one pattern. Errors: USAGE, LIMIT, NO_MEMORY. */
int tables_add(struct tables *tables, const char *pattern, struct err *e);

/* Adds the tables of routes, with their keys. Errors: LIMIT. */
int tables_add_routes(struct tables *tables, const struct route *routes, unsigned count, struct err *e);

/* Adds the patterns of the flag, and *.* when nothing was added at all; then makes `routes`, which share `options` of
 * the sink. */
int tables_make(struct tables *tables, const struct option_list *patterns, const void *options, struct err *e);

#endif
