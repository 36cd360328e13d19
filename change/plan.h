/* What a shape knows of its columns beyond the table: the steps by which its row images are walked and written. Built
 * once with the shape, immutable. Internal to change/. */
#ifndef SLUICE_CHANGE_PLAN_H
#define SLUICE_CHANGE_PLAN_H

#include "change/shape.h"

struct plan_column {
    uint16_t fixed; /* WALK_FIXED: bytes */
    uint8_t walk;   /* enum walk */
};

struct shape_plan {
    const struct plan_column *columns;
    unsigned column_count;
    size_t bitmap_bytes; /* of all columns */
    size_t fixed_bytes;  /* sum of the fixed columns */
};

/* Errors: NO_MEMORY. */
int plan_build(const struct shape_plan **out, struct arena *arena, const struct table *tbl, struct err *e);

static inline bool plan_bit(const uint8_t *bitmap, unsigned i)
{
    return bitmap[i >> 3] >> (i & 7) & 1;
}

/* Columns that the image holds. */
static inline unsigned plan_present(const struct shape_plan *plan, const uint8_t *present)
{
    if (!present)
        return plan->column_count;
    unsigned n = 0;
    for (unsigned i = 0; i < plan->column_count; i++)
        n += plan_bit(present, i);
    return n;
}

/* Bytes of the value at p; SIZE_MAX when it does not end before `end`. As value_size, on four bytes of plan. */
static inline size_t plan_size(const struct plan_column *column, const uint8_t *p, const uint8_t *end)
{
    size_t left = (size_t)(end - p), prefix = column->walk, len;
    if (prefix == WALK_FIXED)
        return column->fixed <= left ? column->fixed : SIZE_MAX;
    if (prefix > left)
        return SIZE_MAX;
    len = p[0];
    if (prefix > 1)
        len |= (size_t)p[1] << 8;
    if (prefix > 2)
        len |= (size_t)p[2] << 16;
    if (prefix > 3)
        len |= (size_t)p[3] << 24;
    return len <= left - prefix ? prefix + len : SIZE_MAX;
}

#endif
