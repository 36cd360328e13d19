/* A shape: an immutable table version with the plan that decodes its rows. The only object that lanes, workers and the
 * source share; built by the source thread, published with the first item that names it, freed when the pipeline
 * closes. Core. */
#ifndef SLUICE_CHANGE_SHAPE_H
#define SLUICE_CHANGE_SHAPE_H

#include "change/table.h"
#include "value/value.h"

/* A sorted list of column indexes. */
struct colset {
    const uint16_t *index;
    unsigned count;
};

/* One image of a row, as the log holds it: which columns are present (bitmap by column, bit 1 = present; NULL = all),
 * then the bytes: null bitmap over the present columns, values one after the other. bytes NULL: there is no such image.
 * For the JSON codec `bytes` is the text of the "before" or "after" object.
 *
 * partial NULL: no column of it is a partial update. Else, of an after image, a bitmap by column of type JSON (their
 * order in the table, all of them, bit 1 = the value's bytes are diffs: value/json_diff.h); for the JSON codec a bitmap
 * by column and behind it the text of "diff_after". */
struct image {
    const uint8_t *present;
    const uint8_t *bytes;
    size_t len;
    const uint8_t *partial;
    size_t partial_len;
};

struct shape;

/* How values come out of an image: row images of the log, or our own JSON (change/json_in.h). `before`: for an after
 * image with partial columns, where their documents are (NULL, or without bytes: nowhere); what is found gives the
 * whole document, the others VALUE_JSON_DIFF. */
struct row_codec {
    const char *name; /* "binlog", "json" */
    int (*values)(const struct shape *shape, const struct image *image, const struct image *before,
                  const struct colset *wanted, struct value *out, struct arena *arena, struct err *e);
};

struct shape_plan; /* change/plan.h */

struct shape {
    uint32_t id; /* dense, from 0, in this process: index of caches */
    const struct table *tbl;
    const struct row_codec *codec;
    const struct shape_plan *plan;
    unsigned json_count; /* columns of type JSON */
    bool all_fixed;      /* every column is WALK_FIXED and no image can be shorter but by NULLs */
    struct arena *arena; /* owns tbl, names, labels, this */
};

/* Builds a shape of the binlog codec around a finished table in the same arena, which the shape then owns: the struct
 * arena itself is from malloc and is freed with the shape. Errors: NO_MEMORY; the arena stays the caller's then. */
int shape_new(struct shape **out, struct arena *arena, const struct table *tbl, uint32_t id, struct err *e);
void shape_free(struct shape *shape);

/* Length of the row image at `bytes` (null bitmap and values), and with `wanted` the bytes of each wanted column:
 * found[i].bytes NULL and len 0 = SQL NULL, len SIZE_MAX = absent from the image (`partial` is never set here). Returns
 * SIZE_MAX when the image does not end before `end`. This is what the source thread runs per row; it decodes nothing.
 */
struct found {
    const uint8_t *bytes;
    size_t len;
    bool partial; /* diffs of a document */
};
size_t shape_walk(const struct shape *shape, const uint8_t *present, const uint8_t *bytes, const uint8_t *end,
                  const struct colset *wanted, struct found *found);

/* Bytes of a bitmap with a bit for each column of type JSON. */
static inline size_t shape_json_bitmap(const struct shape *shape)
{
    return (shape->json_count + 7u) / 8;
}

/* True when the column's value in the image is a partial update. */
bool shape_is_partial(const struct shape *shape, const struct image *image, unsigned column);

/* Cache of shapes by content: the same names, types, keys and definitions give the same shape, whatever the table id.
 * Source thread. */
struct shape_cache;
struct shape_cache *shape_cache_new(void);
void shape_cache_free(struct shape_cache *cache); /* frees all shapes */

/* Takes ownership of the arena (from malloc) that holds `tbl`: returns the equal shape that is already there (and frees
 * the arena), or a new one. Errors: NO_MEMORY (the arena stays the caller's), LIMIT (SHAPES_MAX). */
#define SHAPES_MAX 1000000
int shape_cache_take(struct shape_cache *cache, struct arena *arena, const struct table *tbl, const struct shape **out,
                     struct err *e);

#endif
