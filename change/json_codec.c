/* Values out of our own JSON: an image is the text of the object "before" or "after", whose members stand in the order
 * of the table's columns. */
#include "change/json_scan.h"
#include "change/plan.h"
#include "change/shape_parts.h"

static int read_member(const struct table *tbl, unsigned i, const struct json_span *text, struct value *out,
                       struct arena *arena, struct err *e)
{
    int rc = json_scan_value(text, out, arena, e);
    if (rc != 0)
        err_wrap(e, "column %u (%s)", i + 1, tbl->columns[i].name);
    return rc;
}

/* The diffs of the columns that have some, in table order: a bitmap by column and the text of an object. */
struct diffs {
    const uint8_t *columns; /* NULL: none */
    struct json_scan scan;
};

static bool open_diffs(const struct table *tbl, const struct image *image, struct diffs *out)
{
    size_t bitmap = (tbl->column_count + 7u) / 8;
    *out = (struct diffs){.columns = image->partial};
    return !image->partial ||
           json_scan_open(&out->scan, (const char *)image->partial + bitmap, image->partial_len - bitmap);
}

/* Of a column that the image does not hold. */
static int read_diff(struct diffs *diffs, unsigned i, struct value *out, struct err *e)
{
    struct json_span name, text;
    if (!diffs->columns || !plan_bit(diffs->columns, i))
        return 0;
    if (!json_scan_next(&diffs->scan, &name, &text))
        return err_set(e, CORRUPT, "diff_after with too few members");
    out->kind = VALUE_JSON_DIFF;
    out->s.p = text.p;
    out->s.len = text.len;
    return 0;
}

static int json_values(const struct shape *shape, const struct image *image, const struct image *before,
                       const struct colset *wanted, struct value *out, struct arena *arena, struct err *e)
{
    (void)before;
    struct diffs diffs;
    const struct table *tbl = shape->tbl;
    struct json_scan scan;
    struct json_span name, text;
    unsigned next = 0, wanted_count = wanted ? wanted->count : tbl->column_count;
    if (!json_scan_open(&scan, (const char *)image->bytes, image->len) || !open_diffs(tbl, image, &diffs))
        return err_set(e, CORRUPT, "an image that is not an object");
    for (unsigned i = 0; i < tbl->column_count && next < wanted_count; i++) {
        bool is_wanted = !wanted || wanted->index[next] == i;
        struct value v = {.kind = VALUE_ABSENT};
        int rc;
        if (!image->present || plan_bit(image->present, i)) {
            if (!json_scan_next(&scan, &name, &text))
                return err_set(e, CORRUPT, "an image with too few members");
            rc = is_wanted ? read_member(tbl, i, &text, &v, arena, e) : 0;
        } else {
            rc = read_diff(&diffs, i, &v, e);
        }
        if (rc != 0)
            return rc;
        if (is_wanted)
            out[next++] = v;
    }
    return 0;
}

const struct row_codec json_codec = {"json", json_values};
