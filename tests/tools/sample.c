/* Changes made by hand. */
#include "tools/sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct sample {
    struct shape *shape;
};

static void int_column(struct column *column, const char *name, uint32_t len)
{
    struct cursor none = cursor_over(NULL, 0);
    *column = (struct column){.name = name, .name_len = len, .nullable = true};
    assert_int_equal(coltype_init(&column->type, WIRE_LONG, &none, NULL), 0);
    column->type.sign_known = true;
}

struct sample *sample_new(const char *db, const char *table, uint32_t id)
{
    static const uint16_t pk[] = {0};
    struct sample *sample = malloc(sizeof *sample);
    struct arena *arena = malloc(sizeof *arena);
    assert_non_null(sample);
    assert_non_null(arena);
    arena_init(arena, 4096, 0, 0);
    struct column *columns = arena_alloc(arena, 2 * sizeof *columns);
    struct table *tbl = arena_alloc(arena, sizeof *tbl);
    assert_non_null(columns);
    assert_non_null(tbl);
    int_column(&columns[0], "order_id", 8);
    int_column(&columns[1], "user_id", 7);
    *tbl = (struct table){.db = arena_copy(arena, db, strlen(db)),
                          .name = arena_copy(arena, table, strlen(table)),
                          .columns = columns,
                          .column_count = 2,
                          .pk = pk,
                          .pk_count = 1,
                          .pk_known = true};
    assert_int_equal(shape_new(&sample->shape, arena, tbl, id, NULL), 0);
    return sample;
}

void sample_free(struct sample *sample)
{
    if (!sample)
        return;
    shape_free(sample->shape);
    free(sample);
}

const struct shape *sample_shape(const struct sample *sample)
{
    return sample->shape;
}

static void put_le32(uint8_t *p, int32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        p[i] = (uint8_t)((uint32_t)value >> (8 * i));
}

void sample_image(struct sample_image *out, int32_t order_id, int32_t user_id)
{
    bool is_absent = user_id == SAMPLE_ABSENT, is_null = user_id == SAMPLE_NULL;
    *out = (struct sample_image){.present = {1}};
    out->bytes[0] = is_null ? 2 : 0;
    put_le32(out->bytes + 1, order_id);
    if (!is_absent && !is_null)
        put_le32(out->bytes + 5, user_id);
    out->image = (struct image){
        .present = is_absent ? out->present : NULL, .bytes = out->bytes, .len = is_absent || is_null ? 5 : 9};
}

void sample_change(struct sample_change *out, const struct sample *sample, enum change_op op,
                   const struct sample_row *before, const struct sample_row *after)
{
    *out = (struct sample_change){.tx = {.file = "bin.000001", .commit_us = 1000000, .epoch = 1, .sequence = 7}};
    const struct sample_row *keyed = after ? after : before;
    int n = snprintf(out->key, sizeof out->key, "%d", keyed ? keyed->order_id : 0);
    out->chg = (struct change){.op = op,
                               .shape = sample->shape,
                               .tx = &out->tx,
                               .version = {1, 7, 0},
                               .pos = 4711,
                               .key = out->key,
                               .key_len = (size_t)n,
                               .db = sample->shape->tbl->db,
                               .table = sample->shape->tbl->name};
    if (before) {
        sample_image(&out->before, before->order_id, before->user_id);
        out->chg.before = out->before.image;
    }
    if (after) {
        sample_image(&out->after, after->order_id, after->user_id);
        out->chg.after = out->after.image;
    }
}
