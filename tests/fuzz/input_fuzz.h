/* Any bytes as a peer's message: the first byte parts them into a record key and a value. An error, or rows whose
 * values can all be read. */
#ifndef SLUICE_TESTS_INPUT_FUZZ_H
#define SLUICE_TESTS_INPUT_FUZZ_H

#include <stdlib.h>
#include <string.h>

#include "change/input.h"

static inline bool input_fuzz_wants(void *ctx, const char *db, const char *table)
{
    (void)ctx;
    return strlen(db) + strlen(table) < SIZE_MAX;
}

static inline void input_fuzz_read(const struct input_row *row, enum side side, struct arena *arena)
{
    struct change chg = {.op = row->op, .shape = row->shape, .before = row->before, .after = row->after};
    size_t bytes = sizeof(struct value) * (row->shape->tbl->column_count + 1);
    struct value *values = arena_alloc(arena, bytes);
    if (values && change_values(&chg, side, NULL, values, arena, NULL) == -(int)ERR_CORRUPT)
        abort();
}

static inline void input_fuzz(const struct input_ops *ops, const uint8_t *bytes, size_t len)
{
    struct arena arena;
    struct input found;
    struct shape_cache *cache = shape_cache_new();
    if (!cache)
        abort();
    arena_init(&arena, 4096, 0, 1 << 26);
    struct input_context context = {.shapes = cache, .interest = {.wants = input_fuzz_wants}, .arena = &arena};
    size_t key = len ? bytes[0] : 0;
    key = key < len ? key : len ? len - 1 : 0;
    const char *text = (const char *)bytes + (len > 0);
    struct input_record record = {.key = key ? text : NULL, .key_len = key};
    if (len)
        record.value = text + key;
    record.value_len = len ? len - 1 - key : 0;
    if (ops->parse(&record, &context, &found, NULL) == 0 && found.kind == INPUT_ROWS)
        for (unsigned i = 0; i < found.count; i++) {
            const struct input_row *row = &found.rows[i];
            if (row->before.bytes)
                input_fuzz_read(row, SIDE_BEFORE, &arena);
            if (row->after.bytes)
                input_fuzz_read(row, SIDE_AFTER, &arena);
        }
    shape_cache_free(cache);
    arena_release(&arena);
}

#endif
