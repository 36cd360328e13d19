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

static int json_values(const struct shape *shape, const struct image *image, const struct colset *wanted,
                       struct value *out, struct arena *arena, struct err *e)
{
    const struct table *tbl = shape->tbl;
    struct json_scan scan;
    struct json_span name, text;
    unsigned next = 0, wanted_count = wanted ? wanted->count : tbl->column_count;
    if (!json_scan_open(&scan, (const char *)image->bytes, image->len))
        return err_set(e, CORRUPT, "an image that is not an object");
    for (unsigned i = 0; i < tbl->column_count && next < wanted_count; i++) {
        bool is_wanted = !wanted || wanted->index[next] == i;
        struct value v = {.kind = VALUE_ABSENT};
        if (!image->present || plan_bit(image->present, i)) {
            if (!json_scan_next(&scan, &name, &text))
                return err_set(e, CORRUPT, "an image with too few members");
            int rc = is_wanted ? read_member(tbl, i, &text, &v, arena, e) : 0;
            if (rc != 0)
                return rc;
        }
        if (is_wanted)
            out[next++] = v;
    }
    return 0;
}

const struct row_codec json_codec = {"json", json_values};
