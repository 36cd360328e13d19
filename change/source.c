/* The rows of one event, one after the other. */
#include "change/source.h"

#include "change/plan.h"

static int corrupt(const struct rowset *rs, const char *what, struct err *e)
{
    err_set(e, CORRUPT, what);
    err_wrap(e, "%s.%s", rs->shape->tbl->db, rs->shape->tbl->name);
    return -(int)ERR_CORRUPT;
}

static int next_image(const struct rowset *rs, const uint8_t **p, const uint8_t *present, struct image *image,
                      const struct colset *wanted, struct found *found, const char *what, struct err *e)
{
    size_t size = shape_walk(rs->shape, present, *p, rs->rows_end, wanted, found);
    if (size == SIZE_MAX)
        return corrupt(rs, what, e);
    *image = (struct image){.present = present, .bytes = *p, .len = size};
    *p += size;
    return 0;
}

#define PARTIAL_JSON 1 /* the only value option */

/* In front of an after image of PARTIAL_UPDATE_ROWS: value options (length-encoded), and with PARTIAL_JSON a bitmap of
 * the table's JSON columns, lowest bit first, whether or not the image holds them. */
static int read_options(const struct rowset *rs, const uint8_t **p, struct image *image, struct err *e)
{
    struct cursor cur = cursor_over(*p, (size_t)(rs->rows_end - *p));
    uint64_t options = cursor_lenenc(&cur);
    size_t len = options == PARTIAL_JSON ? shape_json_bitmap(rs->shape) : 0;
    const uint8_t *bitmap = cursor_take(&cur, len);
    if (cur.bad || options > PARTIAL_JSON)
        return corrupt(rs, "value options of an after image are malformed", e);
    image->partial = len ? bitmap : NULL;
    image->partial_len = len;
    *p = cur.p;
    return 0;
}

static void mark_partial(const struct rowset *rs, const struct image *image, const struct colset *wanted,
                         struct found *found)
{
    for (unsigned i = 0; wanted && i < wanted->count; i++)
        found[i].partial = found[i].bytes && shape_is_partial(rs->shape, image, wanted->index[i]);
}

/* An after image and what stands in front of it. */
static int next_after(const struct rowset *rs, const uint8_t **p, struct image *image, const struct colset *wanted,
                      struct found *found, struct err *e)
{
    struct image options = {.len = 0};
    int rc = rs->partial ? read_options(rs, p, &options, e) : 0;
    if (rc == 0)
        rc = next_image(rs, p, rs->after_present, image, wanted, found, "an after image does not end inside its event",
                        e);
    if (rc != 0 || !options.partial)
        return rc;
    image->partial = options.partial;
    image->partial_len = options.partial_len;
    mark_partial(rs, image, wanted, found);
    return 0;
}

/* A minimal image may hold no column: such a row has no bytes, and an event holds exactly one of it. */
static bool is_empty_row(const struct rowset *rs, bool has_before, bool has_after)
{
    return (!has_before || plan_present(rs->shape->plan, rs->before_present) == 0) &&
           (!has_after || plan_present(rs->shape->plan, rs->after_present) == 0);
}

int rowset_next_row(const struct rowset *rs, struct row_iter *it, struct row_view *out, const struct colset *wanted,
                    struct found *before_found, struct found *after_found, struct err *e)
{
    bool has_before = rs->op == CHANGE_UPDATE || rs->op == CHANGE_DELETE, has_after = rs->op != CHANGE_DELETE;
    const uint8_t *p = it->p ? it->p : rs->rows;
    if (p == rs->rows_end && !(it->row == 0 && is_empty_row(rs, has_before, has_after)))
        return 0;
    struct row_view view = {.row_in_event = it->row};
    const uint8_t *start = p;
    int rc = 0;
    if (has_before)
        rc = next_image(rs, &p, rs->before_present, &view.before, wanted, before_found,
                        "a before image does not end inside its event", e);
    if (rc == 0 && has_after)
        rc = next_after(rs, &p, &view.after, wanted, after_found, e);
    if (rc != 0)
        return rc;
    if (p == start && p != rs->rows_end)
        return corrupt(rs, "bytes behind a row that holds no column", e);
    if (it->row > VERSION_ROWS_IN_EVENT_MAX)
        return err_set(e, LIMIT, "rows of one event", (size_t)it->row + 1, (size_t)VERSION_ROWS_IN_EVENT_MAX + 1);
    it->p = p;
    it->row++;
    *out = view;
    return 1;
}
