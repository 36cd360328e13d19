/* Rendering and collecting keys. */
#include "sink/redis/keys.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

int redis_keys_init(struct redis_keys *keys, struct err *e)
{
    *keys = (struct redis_keys){.size = REDIS_LIST_MAX, .slot_mask = REDIS_SLOTS - 1};
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
    if (keys->after)
        redis_keys_release(keys->after);
    free(keys->after);
    buf_release(&keys->bytes);
    buf_release(&keys->other);
    arena_release(&keys->arena);
    free(keys->list);
    free(keys->slots);
    keys->after = NULL;
    keys->list = NULL;
    keys->slots = NULL;
}

void redis_keys_clear(struct redis_keys *keys)
{
    for (size_t i = 0; i < keys->count; i++)
        keys->slots[keys->list[i].slot] = 0;
    keys->count = 0;
    if (keys->after && keys->after->count)
        redis_keys_clear(keys->after);
    if (keys->bytes.size > 4 * REDIS_KEYS_BYTES)
        buf_release(&keys->bytes);
    buf_clear(&keys->bytes);
}

static bool same_bytes(const void *a, const void *b, size_t len)
{
    return len == 0 || memcmp(a, b, len) == 0;
}

/* The slot where a key is, or would be. */
static uint32_t find_slot(const struct redis_keys *keys, const uint8_t *p, size_t len, uint64_t hash)
{
    uint32_t slot = (uint32_t)hash & keys->slot_mask;
    for (; keys->slots[slot]; slot = (slot + 1) & keys->slot_mask) {
        const struct redis_key *there = &keys->list[keys->slots[slot] - 1];
        if (there->hash == hash && there->len == len && same_bytes(keys->bytes.p + there->at, p, len))
            break;
    }
    return slot;
}

size_t redis_keys_take(struct redis_keys *keys, size_t at)
{
    const uint8_t *p = keys->bytes.p + at;
    size_t len = keys->bytes.len - at;
    uint64_t hash = hash_bytes(p, len);
    uint32_t slot = find_slot(keys, p, len, hash);
    if (keys->slots[slot]) {
        keys->bytes.len = at;
        keys->coalesced++;
        return keys->slots[slot] - 1;
    }
    keys->list[keys->count++] = (struct redis_key){.at = at, .len = len, .hash = hash, .slot = slot};
    keys->slots[slot] = (uint32_t)keys->count;
    return keys->count - 1;
}

static bool has_key(const struct redis_keys *keys, const uint8_t *p, size_t len)
{
    return keys->slots[find_slot(keys, p, len, hash_bytes(p, len))] != 0;
}

/* Twice the room. The keys are all different, so that each takes the first free slot. */
static int grow(struct redis_keys *keys, struct err *e)
{
    size_t slots = 2 * ((size_t)keys->slot_mask + 1);
    struct redis_key *list = realloc(keys->list, 2 * keys->size * sizeof *list);
    if (!list)
        return err_set(e, NO_MEMORY, 2 * keys->size * sizeof *list);
    keys->list = list;
    uint32_t *made = calloc(slots, sizeof *made);
    if (!made)
        return err_set(e, NO_MEMORY, slots * sizeof *made);
    free(keys->slots);
    keys->slots = made;
    keys->slot_mask = (uint32_t)slots - 1;
    keys->size *= 2;
    for (size_t i = 0; i < keys->count; i++) {
        uint32_t slot = (uint32_t)list[i].hash & keys->slot_mask;
        while (made[slot])
            slot = (slot + 1) & keys->slot_mask;
        made[slot] = (uint32_t)i + 1;
        list[i].slot = slot;
    }
    return 0;
}

int redis_keys_room(struct redis_keys *keys, struct err *e)
{
    return keys->count < keys->size ? 0 : grow(keys, e);
}

/* The columns that a template reads of one image; memory of the arena. */
static int read_values(struct redis_keys *keys, const struct bound_template *bound, const struct change *chg,
                       enum side side, struct value *values, struct err *e)
{
    const struct colset *wanted = bound_template_columns(bound);
    int rc = change_values(chg, side, wanted, values, &keys->arena, e);
    for (unsigned i = 0; i < wanted->count && rc == 0; i++)
        if (values[i].kind == VALUE_ABSENT)
            rc = err_set(e, ROW_IMAGE, chg->shape->tbl->columns[wanted->index[i]].name,
                         side == SIDE_BEFORE ? "before" : "after");
    return rc;
}

int redis_key_render(struct redis_keys *keys, const struct bound_template *bound, const struct change *chg,
                     enum side side, struct buf *out, struct err *e)
{
    struct value values[TEMPLATE_COLUMNS_MAX];
    int rc = read_values(keys, bound, chg, side, values, e);
    if (rc == 0)
        rc = template_render(bound, values, out, e);
    arena_reset(&keys->arena);
    return rc;
}

/* Takes all that one template renders of one image, but for what `but` has (NULL: nothing). */
static int add_rendered(struct redis_keys *keys, const struct bound_template *bound, const struct change *chg,
                        enum side side, const struct redis_keys *but, struct err *e)
{
    struct value values[TEMPLATE_COLUMNS_MAX];
    struct template_each each;
    size_t at = keys->bytes.len;
    int rc = read_values(keys, bound, chg, side, values, e);
    template_each_begin(&each, bound, values, &keys->other);
    for (int got = 1; rc == 0 && got; at = keys->bytes.len) {
        got = template_each_next(&each, &keys->bytes, e);
        if (got <= 0)
            rc = got;
        else if (but && has_key(but, keys->bytes.p + at, keys->bytes.len - at))
            keys->bytes.len = at;
        else if ((rc = redis_keys_room(keys, e)) == 0)
            (void)redis_keys_take(keys, at);
    }
    arena_reset(&keys->arena);
    return rc;
}

static int add_side(struct redis_keys *keys, const struct redis_route *route, const struct change *chg, enum side side,
                    const struct redis_keys *but, struct err *e)
{
    int rc = 0;
    for (unsigned i = 0; i < route->count && rc == 0; i++)
        rc = add_rendered(keys, route->list[i].bound, chg, side, but, e);
    return rc;
}

/* FROM half: the before image's keys that the after image does not render; those are the TO half's. */
static int add_from(struct redis_keys *keys, const struct redis_route *route, const struct change *chg, struct err *e)
{
    if (!keys->after) {
        keys->after = calloc(1, sizeof *keys->after);
        if (!keys->after)
            return err_set(e, NO_MEMORY, sizeof *keys->after);
    }
    if (!keys->after->list && redis_keys_init(keys->after, e) != 0)
        return err_result(e);
    redis_keys_clear(keys->after);
    int rc = add_side(keys->after, route, chg, SIDE_AFTER, NULL, e);
    return rc == 0 ? add_side(keys, route, chg, SIDE_BEFORE, keys->after, e) : rc;
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
        rc = add_side(keys, route, chg, SIDE_BEFORE, NULL, e);
    if (rc == 0 && chg->op != CHANGE_DELETE)
        rc = add_side(keys, route, chg, SIDE_AFTER, NULL, e);
    return rc;
}
