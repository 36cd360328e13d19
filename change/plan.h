/* What a shape knows of its columns beyond the table: the steps by which its row images are walked and written. Built
 * once with the shape, immutable. Internal to change/. */
#ifndef SLUICE_CHANGE_PLAN_H
#define SLUICE_CHANGE_PLAN_H

#include <string.h>

#include "change/shape.h"

struct plan_column {
    uint16_t fixed; /* WALK_FIXED: bytes */
    uint8_t walk;   /* enum walk */
};

/* How the prepared writer turns the bytes of a value into JSON. */
enum plan_op {
    PLAN_BY_VALUE, /* not prepared: the row is written from values */
    PLAN_UNSIGNED,
    PLAN_SIGNED,
    PLAN_DECIMAL,
    PLAN_FLOAT,
    PLAN_DOUBLE,
    PLAN_BIT,
    PLAN_YEAR,
    PLAN_DATE,
    PLAN_TIME,
    PLAN_DATETIME,
    PLAN_TIMESTAMP,
    PLAN_TEXT,
    PLAN_CHAR,
    PLAN_CONVERTED, /* text that is not UTF-8 yet */
    PLAN_CONVERTED_CHAR,
    PLAN_BYTES,
    PLAN_BINARY, /* padded to max_bytes */
    PLAN_TIME_OLD,
    PLAN_DATETIME_OLD,
    PLAN_TIMESTAMP_OLD,
    PLAN_UUID,
    PLAN_INET,
    PLAN_GEOMETRY,
    PLAN_VECTOR,
    PLAN_ENUM,
    PLAN_SET,
    PLAN_JSON
};

/* Rendered bytes. Some 32 readable bytes stand at p whatever len is, so that short ones are copied without a loop. */
struct piece {
    const uint8_t *p;
    size_t len;
};
#define PIECE_SLACK 32

struct plan_writer {
    uint8_t op;                 /* enum plan_op */
    uint8_t precision;          /* DECIMAL; bits of BIT */
    uint8_t scale;              /* DECIMAL; fraction digits */
    uint8_t charset;            /* text */
    uint32_t max_bytes;         /* of UUID and INET: of the whole value */
    struct piece name;          /* "name": */
    const struct piece *labels; /* ENUM: of index 0 … label_count, with quotes; SET: of each bit, without */
    uint32_t label_count;
};

struct shape_plan {
    const struct plan_column *columns;
    const struct plan_writer *writers;
    unsigned column_count;
    bool has_geometry;
    size_t bitmap_bytes; /* of all columns */
    size_t fixed_bytes;  /* sum of the fixed columns */
    size_t rendered_max; /* of an image of n bytes: rendered_max + rendered_each * n */
    size_t rendered_each;
    size_t names_max;     /* of all names as a JSON list */
    struct piece head;    /* ,"db":"…","table":"…","key": */
    struct colset pk;     /* sorted; count 0: none */
    const uint16_t *slot; /* for each primary key column in key order: its place in pk */
};

/* Errors: NO_MEMORY. */
int plan_build(const struct shape_plan **out, struct arena *arena, const struct table *tbl, struct err *e);

static inline bool plan_bit(const uint8_t *bitmap, unsigned i)
{
    return bitmap[i >> 3] >> (i & 7) & 1;
}

static inline uint8_t *piece_copy(uint8_t *o, const struct piece *piece)
{
    memcpy(o, piece->p, PIECE_SLACK);
    if (piece->len > PIECE_SLACK)
        memcpy(o + PIECE_SLACK, piece->p + PIECE_SLACK, piece->len - PIECE_SLACK);
    return o + piece->len;
}

static inline uint8_t *plan_literal(uint8_t *o, const char *text, size_t len)
{
    memcpy(o, text, len);
    return o + len;
}

/* Quotes around a text that was written behind `o`; the end of it. */
static inline uint8_t *plan_quoted(uint8_t *o, uint8_t *end)
{
    *o = '"';
    *end = '"';
    return end + 1;
}

/* Copies a string literal to where `o` points; the end of it. */
#define LITERAL(o, text) plan_literal((o), (text), sizeof(text) - 1)

/* A number, the lowest byte first. */
static inline uint64_t plan_le(const uint8_t *p, size_t len)
{
    uint32_t four;
    uint16_t two;
    uint64_t eight;
    switch (len) {
    case 1:
        return p[0];
    case 2:
        memcpy(&two, p, 2);
        return two;
    case 4:
        memcpy(&four, p, 4);
        return four;
    case 8:
        memcpy(&eight, p, 8);
        return eight;
    default:
        eight = 0;
        for (size_t i = 0; i < len; i++)
            eight |= (uint64_t)p[i] << (8 * i);
        return eight;
    }
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
