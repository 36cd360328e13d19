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
    *image = (struct image){present, *p, size};
    *p += size;
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
        rc = next_image(rs, &p, rs->after_present, &view.after, wanted, after_found,
                        "an after image does not end inside its event", e);
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
