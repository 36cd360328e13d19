/* Routes: patterns, and what all routes of one table agree on. */
#include "partition/route.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct routes {
    unsigned count;
    struct route list[];
};

int routes_new(struct routes **out, const struct route *list, unsigned count, struct err *e)
{
    size_t bytes = sizeof **out + count * sizeof *list;
    struct routes *routes = malloc(bytes);
    if (!routes)
        return err_set(e, NO_MEMORY, bytes);
    routes->count = count;
    if (count)
        memcpy(routes->list, list, count * sizeof *list);
    *out = routes;
    return 0;
}

void routes_free(struct routes *routes)
{
    free(routes);
}

unsigned routes_list(const struct routes *routes, const struct route **out)
{
    *out = routes->list;
    return routes->count;
}

static const char *next_character(const char *p)
{
    p++;
    while (((unsigned char)*p & 0xc0) == 0x80)
        p++;
    return p;
}

/* '*' = any run of characters, '?' = one character of UTF-8. Goes back to the last '*' only: linear in practice. */
static bool glob(const char *pattern, const char *text)
{
    const char *star = NULL, *resume = NULL;
    while (*text) {
        if (*pattern == '*') {
            star = ++pattern;
            resume = text;
        } else if (*pattern == '?') {
            pattern++;
            text = next_character(text);
        } else if (*pattern == *text) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star;
            text = resume = next_character(resume);
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

bool route_matches(const struct route *route, const char *db, const char *table)
{
    return glob(route->db, db) && glob(route->table, table);
}

static bool takes_table(const struct route *route, const char *db, const char *table)
{
    return db && table && route_matches(route, db, table);
}

bool route_takes_statement(const struct route *route, const struct statement *statement)
{
    for (unsigned i = 0; i < statement->table_count; i++) {
        const struct statement_table *tbl = &statement->tables[i];
        if (takes_table(route, tbl->db, tbl->name) || takes_table(route, tbl->new_db, tbl->new_name))
            return true;
    }
    return statement->table_count == 0 && glob(route->db, statement->db);
}

bool route_is_exact(const struct route *route)
{
    return !strpbrk(route->db, "*?") && !strpbrk(route->table, "*?");
}

bool routes_wants(const struct routes *routes, const char *db, const char *table)
{
    for (unsigned i = 0; i < routes->count; i++)
        if (route_matches(&routes->list[i], db, table))
            return true;
    return false;
}

static bool interest_wants_database(void *ctx, const char *db)
{
    const struct routes *routes = ctx;
    for (unsigned i = 0; i < routes->count; i++)
        if (glob(routes->list[i].db, db))
            return true;
    return false;
}

static bool interest_wants(void *ctx, const char *db, const char *table)
{
    return routes_wants(ctx, db, table);
}

struct interest routes_interest(const struct routes *routes)
{
    return (struct interest){.wants = interest_wants,
                             .wants_database = interest_wants_database,
                             .ctx = (void *)routes}; /* given back as const above */
}

static bool same_key(const struct key_plan *a, const struct key_plan *b)
{
    unsigned count = a->wanted.count;
    return count == b->wanted.count && memcmp(a->columns, b->columns, count * sizeof a->columns[0]) == 0 &&
           memcmp(a->order, b->order, count * sizeof a->order[0]) == 0;
}

static int conflict(const struct table *tbl, unsigned line, unsigned other, struct err *e)
{
    char text[2 * TABLE_NAME_BYTES_MAX + 80];
    snprintf(text, sizeof text, "table %s.%s: the routes at lines %u and %u name different keys", tbl->db, tbl->name,
             line, other);
    return err_set(e, ROUTE_CONFLICT, text);
}

int routes_bind(const struct routes *routes, const struct table *tbl, struct table_route *out, struct err *e)
{
    struct table_route bound = {.on_truncate = ON_TRUNCATE_IGNORE};
    const struct route *first = NULL;
    for (unsigned i = 0; i < routes->count; i++) {
        const struct route *route = &routes->list[i];
        struct key_plan key = {0};
        if (!route_matches(route, tbl->db, tbl->name))
            continue;
        bool none = route->keyless && !route->key && tbl->pk_count == 0;
        int rc = none ? 0 : key_plan_init(&key, tbl, route->key, route->key_count, route->line, e);
        if (rc != 0)
            return rc;
        if (first && !same_key(&bound.key, &key))
            return conflict(tbl, first->line, route->line, e);
        if (!first) {
            first = route;
            bound.key = key;
        }
        bound.sink_mask |= route->sink_mask;
        if (route->on_truncate < bound.on_truncate)
            bound.on_truncate = route->on_truncate;
    }
    *out = bound;
    out->key.wanted.index = out->key.columns;
    return 0;
}
