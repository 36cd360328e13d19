/* Patterns of tables as routes without a key. */
#include "cmd/tables.h"

#include <string.h>

void tables_init(struct tables *tables)
{
    tables->count = 0;
    tables->routes = NULL;
    arena_init(&tables->names, 4096, 0, 0);
}

void tables_release(struct tables *tables)
{
    routes_free(tables->routes);
    arena_release(&tables->names);
}

int tables_add(struct tables *tables, const char *pattern, struct err *e)
{
    const char *dot = strchr(pattern, '.');
    if (!dot || dot == pattern || !dot[1])
        return err_set(e, USAGE, "--table: write database.table");
    if (tables->count == TABLES_MAX)
        return err_set(e, LIMIT, "--table", (size_t)tables->count + 1, (size_t)TABLES_MAX);
    struct route *route = &tables->list[tables->count++];
    *route = (struct route){.db = arena_copy(&tables->names, pattern, (size_t)(dot - pattern)),
                            .table = arena_copy(&tables->names, dot + 1, strlen(dot + 1)),
                            .keyless = true,
                            .sink_mask = 1,
                            .on_truncate = ON_TRUNCATE_SWEEP};
    return route->db && route->table ? 0 : err_set(e, NO_MEMORY, strlen(pattern));
}

int tables_add_routes(struct tables *tables, const struct route *routes, unsigned count, struct err *e)
{
    for (unsigned i = 0; i < count; i++) {
        if (tables->count == TABLES_MAX)
            return err_set(e, LIMIT, "routes", (size_t)tables->count + 1, (size_t)TABLES_MAX);
        struct route *route = &tables->list[tables->count++];
        *route = routes[i];
        route->keyless = true;
        route->sink_mask = 1;
        route->on_truncate = ON_TRUNCATE_SWEEP;
        memset(route->sink_options, 0, sizeof route->sink_options);
    }
    return 0;
}

int tables_make(struct tables *tables, const struct option_list *patterns, const void *options, struct err *e)
{
    for (size_t i = 0; i < patterns->count; i++)
        if (tables_add(tables, patterns->items[i], e) != 0)
            return err_result(e);
    if (tables->count == 0 && tables_add(tables, "*.*", e) != 0)
        return err_result(e);
    for (unsigned i = 0; i < tables->count; i++)
        tables->list[i].sink_options[0] = options;
    return routes_new(&tables->routes, tables->list, tables->count, e);
}
