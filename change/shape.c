/* Shapes: the walk over a row image, and the values of the binlog codec.
 *
 * A row image: null bitmap with one bit per PRESENT column, in column order (1 = NULL), then the values of the present
 * columns that are not NULL, one after the other. */
#include "change/shape.h"

#include <stdlib.h>

#include "change/plan.h"
#include "change/shape_parts.h"
#include "value/json_diff.h"

/* Skips all columns; nobody wants their bytes. */
static const uint8_t *walk_all(const struct shape_plan *plan, const uint8_t *nulls, const uint8_t *p,
                               const uint8_t *end)
{
    const struct plan_column *column = plan->columns;
    for (unsigned i = 0; i < plan->column_count; i++) {
        if (plan_bit(nulls, i))
            continue;
        size_t size = plan_size(&column[i], p, end);
        if (size == SIZE_MAX)
            return NULL;
        p += size;
    }
    return p;
}

static bool no_bit(const uint8_t *bitmap, size_t bytes)
{
    uint8_t any = 0;
    for (size_t i = 0; i < bytes; i++)
        any |= bitmap[i];
    return any == 0;
}

size_t shape_walk(const struct shape *shape, const uint8_t *present, const uint8_t *bytes, const uint8_t *end,
                  const struct colset *wanted, struct found *found)
{
    const struct shape_plan *plan = shape->plan;
    size_t bitmap = present ? (plan_present(plan, present) + 7u) / 8 : plan->bitmap_bytes;
    size_t left = (size_t)(end - bytes);
    if (bitmap > left)
        return SIZE_MAX;
    const uint8_t *p = bytes + bitmap;
    unsigned next = 0, wanted_count = wanted ? wanted->count : 0;
    if (!present && wanted_count == 0) {
        if (shape->all_fixed && no_bit(bytes, bitmap))
            return plan->fixed_bytes <= left - bitmap ? bitmap + plan->fixed_bytes : SIZE_MAX;
        p = walk_all(plan, bytes, p, end);
        return p ? (size_t)(p - bytes) : SIZE_MAX;
    }
    for (unsigned i = 0, bit = 0; i < plan->column_count; i++) {
        bool is_wanted = next < wanted_count && wanted->index[next] == i;
        struct found f = {.len = SIZE_MAX};
        if (!present || plan_bit(present, i)) {
            f.len = 0;
            if (!plan_bit(bytes, bit)) {
                f = (struct found){.bytes = p, .len = plan_size(&plan->columns[i], p, end)};
                if (f.len == SIZE_MAX)
                    return SIZE_MAX;
                p += f.len;
            }
            bit++;
        }
        if (is_wanted)
            found[next++] = f;
    }
    return (size_t)(p - bytes);
}

static int read_one(const struct table *tbl, unsigned i, const uint8_t *p, size_t len, struct value *out,
                    struct arena *arena, struct err *e)
{
    int rc = value_read(&tbl->columns[i].type, p, len, out, arena, e);
    if (rc != 0)
        err_wrap(e, "column %u (%s)", i + 1, tbl->columns[i].name);
    return rc;
}

bool shape_is_partial(const struct shape *shape, const struct image *image, unsigned column)
{
    const struct column *columns = shape->tbl->columns;
    unsigned bit = 0;
    if (!image->partial || columns[column].type.family != FAMILY_JSON)
        return false;
    for (unsigned i = 0; i < column; i++)
        bit += columns[i].type.family == FAMILY_JSON;
    return plan_bit(image->partial, bit);
}

/* Diffs: with the document of the before image the whole one, else as they are. */
static int read_partial(const struct shape *shape, const struct image *before, unsigned i, struct bytes diffs,
                        struct value *out, struct arena *arena, struct err *e)
{
    const struct column *column = &shape->tbl->columns[i];
    struct found doc = {.len = SIZE_MAX};
    uint16_t index = (uint16_t)i;
    struct colset one = {&index, 1};
    int rc = 0;
    if (before && before->bytes &&
        shape_walk(shape, before->present, before->bytes, before->bytes + before->len, &one, &doc) == SIZE_MAX)
        rc = err_set(e, CORRUPT, "row image ends inside a value");
    else if (doc.len == SIZE_MAX)
        rc = jsonb_diff_text(&column->type, diffs, out, arena, e);
    else if (!doc.bytes)
        rc = err_set(e, CORRUPT, "partial update of a document that was NULL");
    else
        rc = jsonb_diff_apply(&column->type, (struct bytes){doc.bytes, doc.len}, diffs, out, arena, e);
    if (rc != 0)
        err_wrap(e, "column %u (%s)", i + 1, column->name);
    return rc;
}

static int too_short(const struct table *tbl, unsigned i, size_t left, struct err *e)
{
    err_set(e, CORRUPT, "row image ends inside the value");
    err_wrap(e, "column %u (%s), %zu bytes left", i + 1, tbl->columns[i].name, left);
    return -(int)ERR_CORRUPT;
}

static int binlog_values(const struct shape *shape, const struct image *image, const struct image *before,
                         const struct colset *wanted, struct value *out, struct arena *arena, struct err *e)
{
    const struct shape_plan *plan = shape->plan;
    const uint8_t *end = image->bytes + image->len;
    size_t bitmap = image->present ? (plan_present(plan, image->present) + 7u) / 8 : plan->bitmap_bytes;
    if (bitmap > image->len)
        return err_set(e, CORRUPT, "row image ends in its null bitmap");
    const uint8_t *p = image->bytes + bitmap;
    unsigned next = 0, wanted_count = wanted ? wanted->count : plan->column_count;
    for (unsigned i = 0, bit = 0; i < plan->column_count && next < wanted_count; i++) {
        bool is_wanted = !wanted || wanted->index[next] == i;
        struct value v = {.kind = VALUE_ABSENT};
        if (!image->present || plan_bit(image->present, i)) {
            v.kind = VALUE_NULL;
            if (!plan_bit(image->bytes, bit++)) {
                size_t size = plan_size(&plan->columns[i], p, end);
                if (size == SIZE_MAX)
                    return too_short(shape->tbl, i, (size_t)(end - p), e);
                int rc = 0;
                if (is_wanted && shape_is_partial(shape, image, i))
                    rc = read_partial(shape, before, i, (struct bytes){p, size}, &v, arena, e);
                else if (is_wanted)
                    rc = read_one(shape->tbl, i, p, size, &v, arena, e);
                if (rc != 0)
                    return rc;
                p += size;
            }
        }
        if (is_wanted)
            out[next++] = v;
    }
    return 0;
}

const struct row_codec binlog_codec = {"binlog", binlog_values};

int shape_new_codec(struct shape **out, struct arena *arena, const struct table *tbl, uint32_t id,
                    const struct row_codec *codec, struct err *e)
{
    const struct shape_plan *plan = NULL;
    int rc = codec == &binlog_codec ? plan_build(&plan, arena, tbl, e) : 0;
    if (rc != 0)
        return rc;
    struct shape *shape = arena_alloc(arena, sizeof *shape);
    if (!shape)
        return err_set(e, NO_MEMORY, sizeof *shape);
    *shape = (struct shape){.id = id, .tbl = tbl, .codec = codec, .plan = plan, .all_fixed = true};
    for (unsigned i = 0; i < tbl->column_count; i++) {
        shape->all_fixed &= tbl->columns[i].type.walk == WALK_FIXED;
        shape->json_count += tbl->columns[i].type.family == FAMILY_JSON;
    }
    shape->arena = arena;
    *out = shape;
    return 0;
}

int shape_new(struct shape **out, struct arena *arena, const struct table *tbl, uint32_t id, struct err *e)
{
    return shape_new_codec(out, arena, tbl, id, &binlog_codec, e);
}

void shape_free(struct shape *shape)
{
    if (!shape)
        return;
    struct arena *arena = shape->arena;
    arena_release(arena);
    free(arena);
}
