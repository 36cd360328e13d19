/* Rows of a foreign message: keys, halves, versions. */
#include "pipeline/applier_input.h"

#include <stdlib.h>
#include <string.h>

#define ROUTES_FIRST 64

struct applier_input {
    const struct input_ops *ops;
    const struct routes *routes;
    uint32_t epoch;
    struct shape_cache *shapes;
    struct arena arena;
    struct table_route **bound; /* by shape id */
    size_t bound_size;
};

int applier_input_new(struct applier_input **out, const struct input_ops *ops, const struct routes *routes,
                      uint32_t epoch, struct err *e)
{
    struct applier_input *in = calloc(1, sizeof *in);
    if (!in)
        return err_set(e, NO_MEMORY, sizeof *in);
    *in = (struct applier_input){.ops = ops, .routes = routes, .epoch = epoch, .shapes = shape_cache_new()};
    arena_init(&in->arena, 65536, 0, 0);
    if (!in->shapes) {
        applier_input_free(in);
        return err_set(e, NO_MEMORY, sizeof *in);
    }
    *out = in;
    return 0;
}

void applier_input_free(struct applier_input *in)
{
    if (!in)
        return;
    for (size_t i = 0; i < in->bound_size; i++)
        free(in->bound[i]);
    free(in->bound);
    shape_cache_free(in->shapes);
    arena_release(&in->arena);
    free(in);
}

static int grow_bound(struct applier_input *in, uint32_t id, struct err *e)
{
    size_t size = in->bound_size ? in->bound_size : ROUTES_FIRST;
    while (size <= id)
        size *= 2;
    struct table_route **grown = realloc(in->bound, size * sizeof *grown);
    if (!grown)
        return err_set(e, NO_MEMORY, size * sizeof *grown);
    memset(grown + in->bound_size, 0, (size - in->bound_size) * sizeof *grown);
    in->bound = grown;
    in->bound_size = size;
    return 0;
}

static int find_route(struct applier_input *in, const struct shape *shape, const struct table_route **out,
                      struct err *e)
{
    if (shape->id >= in->bound_size && grow_bound(in, shape->id, e) != 0)
        return err_result(e);
    if (!in->bound[shape->id]) {
        struct table_route *route = calloc(1, sizeof *route);
        if (!route)
            return err_set(e, NO_MEMORY, sizeof *route);
        if (routes_bind(in->routes, shape->tbl, route, e) != 0) {
            free(route);
            return err_result(e);
        }
        in->bound[shape->id] = route;
    }
    *out = in->bound[shape->id];
    return 0;
}

/* ---------------------------------------------------------------- keys */

struct key {
    const char *p;
    size_t len;
};

static int make_key(struct applier_input *in, const struct input_row *row, const struct table_route *route,
                    enum side side, struct key *out, struct err *e)
{
    struct value values[KEY_COLUMNS_MAX];
    struct change chg = {.op = row->op, .shape = row->shape, .before = row->before, .after = row->after};
    struct buf text;
    int rc = change_values(&chg, side, &route->key.wanted, values, &in->arena, e);
    if (rc != 0)
        return rc;
    buf_init(&text, 0);
    rc = key_text_values(&route->key, row->shape->tbl, values, row->decimals, side == SIDE_BEFORE ? "before" : "after",
                         &text, e);
    if (rc == 0) {
        out->p = arena_copy(&in->arena, text.p, text.len);
        out->len = text.len;
        rc = out->p ? 0 : err_set(e, NO_MEMORY, text.len);
    }
    buf_release(&text);
    return rc;
}

static bool same_key(const struct key *a, const struct key *b)
{
    return a->len == b->len && memcmp(a->p, b->p, a->len) == 0;
}

/* One row, or two halves; how many in *count. */
static int make_rows(struct applier_input *in, const struct input *msg, uint32_t number, struct lane_row *to,
                     unsigned *count, struct err *e)
{
    const struct input_row *row = &msg->rows[number];
    const struct table_route *route = NULL;
    struct key before = {.p = NULL}, after = {.p = NULL};
    bool has_before = row->op == CHANGE_UPDATE || row->op == CHANGE_DELETE, has_after = row->op != CHANGE_DELETE;
    int rc = find_route(in, row->shape, &route, e);
    if (rc == 0 && has_before)
        rc = make_key(in, row, route, SIDE_BEFORE, &before, e);
    if (rc == 0 && has_after)
        rc = make_key(in, row, route, SIDE_AFTER, &after, e);
    if (rc != 0)
        return rc;
    bool moved = has_before && has_after && !same_key(&before, &after);
    struct key key = has_after ? after : before;
    *to = (struct lane_row){.op = row->op,
                            .sink_mask = route->sink_mask,
                            .version_row = version_row(0, number, 0),
                            .event_pos = msg->pos,
                            .event_time = (uint32_t)(msg->tx.commit_us / 1000000),
                            .row_of_tx = number,
                            .shape = row->shape,
                            .key = moved ? before.p : key.p,
                            .key_len = moved ? before.len : key.len,
                            .flags = moved ? CHANGE_FROM : 0,
                            .before = row->before,
                            .after = row->after};
    *count = 1;
    if (moved) {
        to[1] = to[0];
        to[1].flags = CHANGE_TO;
        to[1].version_row = version_row(0, number, 1);
        to[1].key = after.p;
        to[1].key_len = after.len;
        *count = 2;
    }
    return 0;
}

static int take_rows(struct applier_input *in, const struct input *msg, struct applier_rows *out, struct err *e)
{
    size_t bytes = 2 * msg->count * sizeof(struct lane_row);
    struct lane_row *rows = arena_alloc(&in->arena, bytes);
    unsigned count = 0, added = 0;
    if (!rows)
        return err_set(e, NO_MEMORY, bytes);
    for (uint32_t i = 0; i < msg->count; i++, count += added) {
        int rc = make_rows(in, msg, i, &rows[count], &added, e);
        if (rc != 0)
            return err_wrap(e, "%s.%s", msg->db, msg->table);
    }
    out->list = rows;
    out->count = count;
    return 0;
}

int applier_input_take(struct applier_input *in, const struct input_record *record, int64_t offset,
                       struct applier_rows *out, struct err *e)
{
    struct input msg;
    struct input_context context = {.shapes = in->shapes, .interest = routes_interest(in->routes), .arena = &in->arena};
    arena_reset(&in->arena);
    *out = (struct applier_rows){.count = 0};
    int rc = in->ops->parse(record, &context, &msg, e);
    if (rc != 0)
        return rc;
    out->tx = msg.tx;
    out->tx.epoch = in->epoch;
    out->tx.sequence = (uint64_t)offset;
    switch (msg.kind) {
    case INPUT_NOTHING:
        return 0;
    case INPUT_ROWS:
        return take_rows(in, &msg, out, e);
    case INPUT_TRUNCATE:
        return applier_truncated(in->routes, msg.db, msg.table, "TRUNCATE", e);
    case INPUT_STATEMENT:
    case INPUT_UNLOGGED:
        return applier_statement(in->routes, &msg, &in->arena, e);
    }
    return 0;
}
