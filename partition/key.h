/* Key text and the lane of a key. Core.
 *
 * Key text: integers in plain decimal, DECIMAL without trailing zeros after the point (and without the point then),
 * text as its stored bytes converted to UTF-8, bytes as lower-case hex, temporal values and labels as value_text;
 * columns joined by ':', with ':' and '\' escaped by '\', NULL = \N; never empty (an empty string column alone gives
 * "\E"). Compared as bytes. Lane = (murmur2(key) & 0x7fffffff) mod lanes, as Kafka's Java producer; the
 * empty key of a table without one goes to lane 0. */
#ifndef SLUICE_PARTITION_KEY_H
#define SLUICE_PARTITION_KEY_H

#include "change/change.h"

uint32_t murmur2(const void *bytes, size_t len);
unsigned key_lane(const char *key, size_t len, unsigned lanes);

/* How to make the key of one shape: wanted columns sorted (for shape_walk) and their order in the key. Plain data;
 * owned by whoever made it; `wanted.index` is borrowed from `columns`. */
#define KEY_COLUMNS_MAX 16
struct key_plan {
    struct colset wanted;
    uint16_t columns[KEY_COLUMNS_MAX]; /* sorted */
    uint8_t order[KEY_COLUMNS_MAX];    /* order[i]: which of `columns` is the key's i-th */
    bool case_insensitive;             /* a text column with a case-insensitive collation: worth a warning */
};

/* names NULL: the primary key. A column named twice counts once. `out` must not be copied (wanted points into it).
 * Errors: ROUTE_COLUMN, ROUTE_NO_KEY (with `line`), LIMIT. */
int key_plan_init(struct key_plan *out, const struct table *tbl, const char *const *names, unsigned count,
                  unsigned line, struct err *e);

/* Appends the key text of one row from the bytes that shape_walk found (in the order of plan->wanted). For the after
 * side of an update pass the before side as `fallback` (absent columns are unchanged); else NULL. Errors: ROW_IMAGE
 * naming column and `image_name` ("before", "after"), value_read's. Fast for integer keys. */
int key_text(const struct key_plan *plan, const struct shape *shape, const struct found *found,
             const struct found *fallback, const char *image_name, struct buf *out, struct arena *arena, struct err *e);

/* The same from values, in the order of plan->wanted, of a table whose columns have no types: `decimals`, a bitmap by
 * column, names those that are DECIMAL. Errors: ROW_IMAGE, NO_MEMORY. */
int key_text_values(const struct key_plan *plan, const struct table *tbl, const struct value *values,
                    const uint8_t *decimals, const char *image_name, struct buf *out, struct err *e);

#endif
