/* Rendering and collecting keys. */
#include "sink/redis/keys.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

int redis_keys_init(struct redis_keys *keys, struct err *e)
{
    *keys = (struct redis_keys){.count = 0};
    buf_init(&keys->bytes, REDIS_RENDERED_MAX);
    buf_init(&keys->other, REDIS_RENDERED_MAX);
    arena_init(&keys->arena, 0, 1024 * 1024, 0);
    keys->list = calloc(REDIS_LIST_MAX, sizeof *keys->list);
    keys->slots = calloc(REDIS_SLOTS, sizeof *keys->slots);
    if (keys->list && keys->slots)
        return 0;
    redis_keys_release(keys);
    return err_set(e, NO_MEMORY, REDIS_LIST_MAX * sizeof *keys->list);
}

void redis_keys_release(struct redis_keys *keys)
{
    buf_release(&keys->bytes);
    buf_release(&keys->other);
    arena_release(&keys->arena);
    free(keys->list);
    free(keys->slots);
    keys->list = NULL;
    keys->slots = NULL;
}

void redis_keys_clear(struct redis_keys *keys)
{
    for (size_t i = 0; i < keys->count; i++)
        keys->slots[keys->list[i].slot] = 0;
    keys->count = 0;
    if (keys->bytes.size > 4 * REDIS_KEYS_BYTES)
        buf_release(&keys->bytes);
    buf_clear(&keys->bytes);
}

static bool same_bytes(const void *a, const void *b, size_t len)
{
    return len == 0 || memcmp(a, b, len) == 0;
}

size_t redis_keys_take(struct redis_keys *keys, size_t at)
{
    const uint8_t *p = keys->bytes.p + at;
    size_t len = keys->bytes.len - at;
    uint64_t hash = hash_bytes(p, len);
    uint32_t slot = (uint32_t)hash & (REDIS_SLOTS - 1);
    for (; keys->slots[slot]; slot = (slot + 1) & (REDIS_SLOTS - 1)) {
        const struct redis_key *there = &keys->list[keys->slots[slot] - 1];
        if (there->hash == hash && there->len == len && same_bytes(keys->bytes.p + there->at, p, len)) {
            keys->bytes.len = at;
            keys->coalesced++;
            return keys->slots[slot] - 1;
        }
    }
    keys->list[keys->count++] = (struct redis_key){.at = at, .len = len, .hash = hash, .slot = slot};
    keys->slots[slot] = (uint32_t)keys->count;
    return keys->count - 1;
}

int redis_key_render(struct redis_keys *keys, const struct bound_template *bound, const struct change *chg,
                     enum side side, struct buf *out, struct err *e)
{
    struct value values[TEMPLATE_COLUMNS_MAX];
    const struct colset *wanted = bound_template_columns(bound);
    int rc = change_values(chg, side, wanted, values, &keys->arena, e);
    for (unsigned i = 0; i < wanted->count && rc == 0; i++)
        if (values[i].kind == VALUE_ABSENT)
            rc = err_set(e, ROW_IMAGE, chg->shape->tbl->columns[wanted->index[i]].name,
                         side == SIDE_BEFORE ? "before" : "after");
    if (rc == 0)
        rc = template_render(bound, values, out, e);
    arena_reset(&keys->arena);
    return rc;
}

static int add_side(struct redis_keys *keys, const struct redis_route *route, const struct change *chg, enum side side,
                    struct err *e)
{
    for (unsigned i = 0; i < route->count; i++) {
        size_t at = keys->bytes.len;
        int rc = redis_key_render(keys, route->list[i].bound, chg, side, &keys->bytes, e);
        if (rc < 0)
            return rc;
        if (rc > 0)
            (void)redis_keys_take(keys, at);
    }
    return 0;
}

/* The keys of the after image, one behind the other in keys->other; ends[i] = where template i's ends. */
static int render_after(struct redis_keys *keys, const struct redis_route *route, const struct change *chg,
                        size_t *ends, bool *rendered, struct err *e)
{
    buf_clear(&keys->other);
    for (unsigned i = 0; i < route->count; i++) {
        int rc = redis_key_render(keys, route->list[i].bound, chg, SIDE_AFTER, &keys->other, e);
        if (rc < 0)
            return rc;
        rendered[i] = rc > 0;
        ends[i] = keys->other.len;
    }
    return 0;
}

/* FROM half: the before image's keys that the after image does not render; those are the TO half's. */
static int add_from(struct redis_keys *keys, const struct redis_route *route, const struct change *chg, struct err *e)
{
    size_t ends[REDIS_TEMPLATES_MAX];
    bool rendered[REDIS_TEMPLATES_MAX];
    int rc = render_after(keys, route, chg, ends, rendered, e);
    for (unsigned i = 0; i < route->count && rc == 0; i++) {
        size_t at = keys->bytes.len;
        int got = redis_key_render(keys, route->list[i].bound, chg, SIDE_BEFORE, &keys->bytes, e);
        if (got <= 0) {
            rc = got;
            continue;
        }
        size_t len = keys->bytes.len - at, begin = 0;
        bool in_after = false;
        for (unsigned k = 0; k < route->count && !in_after; begin = ends[k++])
            in_after =
                rendered[k] && ends[k] - begin == len && same_bytes(keys->other.p + begin, keys->bytes.p + at, len);
        if (in_after)
            keys->bytes.len = at;
        else
            (void)redis_keys_take(keys, at);
    }
    return rc;
}

int redis_keys_add(struct redis_keys *keys, const struct redis_route *route, const struct change *chg, struct err *e)
{
    int rc = route->when_count
                 ? redis_conditions_hold(route->when, route->when_count, chg, &keys->arena, &keys->other, e)
                 : 1;
    if (rc <= 0)
        return rc;
    if (chg->flags & CHANGE_FROM)
        return add_from(keys, route, chg, e);
    rc = 0;
    if (chg->op == CHANGE_DELETE || (chg->op == CHANGE_UPDATE && !(chg->flags & CHANGE_TO)))
        rc = add_side(keys, route, chg, SIDE_BEFORE, e);
    if (rc == 0 && chg->op != CHANGE_DELETE)
        rc = add_side(keys, route, chg, SIDE_AFTER, e);
    return rc;
}
