/* Rows of Canal's messages: the bytes of their columns as text, and what an update changed. */
#include "change/canal/row.h"

/* One image: the bytes of all columns, or their values where it has none (another codec). */
struct canal_image {
    struct found *found;
    const struct value *values;
};

static int find_values(struct canal_rows *rows, const struct change *chg, enum side side, struct canal_image *image,
                       struct err *e)
{
    unsigned count = chg->shape->tbl->column_count;
    struct value *values = arena_alloc(&rows->arena, (count + 1) * sizeof *values);
    if (!values)
        return err_set(e, NO_MEMORY, count * sizeof *values);
    int rc = change_image_values(chg, side, NULL, values, &rows->arena, e);
    for (unsigned i = 0; rc == 0 && i < count; i++) {
        image->found[i] = (struct found){.bytes = NULL, .len = values[i].kind == VALUE_ABSENT ? SIZE_MAX : 0};
        if (values[i].kind != VALUE_ABSENT && values[i].kind != VALUE_NULL)
            image->found[i].bytes = (const uint8_t *)&values[i];
    }
    image->values = values;
    return rc;
}

static int find_image(struct canal_rows *rows, const struct change *chg, const struct canal_bind *bind, enum side side,
                      struct canal_image *image, struct err *e)
{
    const struct image *bytes = side == SIDE_BEFORE ? &chg->before : &chg->after;
    *image = (struct canal_image){.found = side == SIDE_BEFORE ? bind->before : bind->after};
    if (!bytes->bytes || !chg->shape->plan ||
        shape_walk(chg->shape, bytes->present, bytes->bytes, bytes->bytes + bytes->len, &bind->all, image->found) ==
            SIZE_MAX)
        return find_values(rows, chg, side, image, e);
    for (unsigned i = 0; side == SIDE_AFTER && chg->after.partial && i < bind->tbl->column_count; i++)
        image->found[i].partial = shape_is_partial(chg->shape, &chg->after, i);
    return 0;
}

static int write_partial(struct canal_rows *rows, const struct change *chg, unsigned i, struct buf *out, struct err *e)
{
    uint16_t index = (uint16_t)i;
    struct colset one = {&index, 1};
    struct value v;
    int rc = change_image_values(chg, SIDE_AFTER, &one, &v, &rows->arena, e);
    if (rc == 0)
        canal_value(&v, out);
    return rc;
}

/* The row that is written: its two images and the table. */
struct canal_row {
    const struct change *chg;
    const struct canal_bind *bind;
    struct canal_image before, after;
};

/* "name":value of a column that the image holds, with a comma behind it. */
static inline int write_member(struct canal_rows *rows, const struct canal_row *row, const struct canal_image *image,
                               unsigned i, struct buf *out, struct err *e)
{
    const struct canal_bind *bind = row->bind;
    const struct canal_cell *cell = &bind->cells[i];
    const struct found *found = &image->found[i];
    uint8_t *o = buf_room(out, cell->name.len + PIECE_SLACK + sizeof "null,");
    int rc = 0;
    if (!o)
        return err_set(e, NO_MEMORY, out->size);
    o = piece_copy(o, &cell->name);
    out->len = (size_t)(o - out->p);
    bind->texts[i].at = out->len;
    if (!found->bytes) {
        buf_add(out, "null", 4);
    } else if (image->values) {
        canal_value(&image->values[i], out);
    } else if (found->partial) {
        rc = write_partial(rows, row->chg, i, out, e);
    } else {
        rc = canal_cell_write(cell, &bind->tbl->columns[i].type, (struct bytes){found->bytes, found->len}, out,
                              &rows->arena, e);
        if (rc != 0)
            err_wrap(e, "column %u (%s)", i + 1, bind->tbl->columns[i].name);
    }
    bind->texts[i].len = out->len - bind->texts[i].at;
    buf_byte(out, ',');
    return rc;
}

static void end_object(struct buf *out, size_t start)
{
    if (out->len == start + 1)
        buf_byte(out, ',');
    if (!out->failed)
        out->p[out->len - 1] = '}';
    buf_byte(out, ',');
}

static int write_data(struct canal_rows *rows, const struct canal_row *row, const struct canal_image *image,
                      struct err *e)
{
    struct buf *out = &rows->data;
    size_t start = out->len;
    int rc = 0;
    buf_byte(out, '{');
    for (unsigned i = 0; i < row->bind->tbl->column_count && rc == 0; i++)
        if (image->found[i].len != SIZE_MAX)
            rc = write_member(rows, row, image, i, out, e);
    end_object(out, start);
    return rc;
}

/* Whether a column of the after image is another than in the before image: by its text, where the bytes do not tell. */
static inline bool may_differ(const struct canal_row *row, unsigned i)
{
    const struct found *before = &row->before.found[i], *after = &row->after.found[i];
    if (after->partial)
        return after->len > row->bind->cells[i].walk;
    if (!before->bytes || !after->bytes)
        return before->bytes != after->bytes;
    return row->after.values || before->len != after->len || memcmp(before->bytes, after->bytes, before->len) != 0;
}

/* The columns that any row of the message has changed. `texts` are those of the after image. */
static int write_old(struct canal_rows *rows, const struct canal_row *row, struct err *e)
{
    const struct canal_bind *bind = row->bind;
    struct buf *out = &rows->old;
    size_t start = out->len;
    int rc = 0;
    buf_byte(out, '{');
    for (unsigned i = 0; i < bind->tbl->column_count && rc == 0; i++) {
        const struct found *before = &row->before.found[i], *after = &row->after.found[i];
        bool absent = before->len == SIZE_MAX;
        if (after->len != SIZE_MAX && absent)
            bind->changed[i] = true;
        if (absent || (!bind->changed[i] && (after->len == SIZE_MAX || !may_differ(row, i))))
            continue;
        struct canal_place new = bind->texts[i];
        size_t member = out->len;
        rc = write_member(rows, row, &row->before, i, out, e);
        const struct canal_place *old = &bind->texts[i];
        if (!bind->changed[i] && !after->partial && rc == 0 && !out->failed &&
            old->len == new.len &&memcmp(out->p + old->at, rows->data.p + new.at, new.len) == 0)
            out->len = member;
        else
            bind->changed[i] = true;
    }
    end_object(out, start);
    return rc;
}

static inline int16_t sql_code(const struct canal_cell *cell, const struct canal_image *image, unsigned i)
{
    const struct found *found = &image->found[i];
    if (found->len == SIZE_MAX)
        return CANAL_ABSENT;
    if (!found->bytes)
        return cell->null;
    return cell->sign != CANAL_NO_SIGN && !image->values && found->bytes[cell->sign] & 0x80 ? cell->larger : cell->sql;
}

static int add_row(struct canal_rows *rows, const struct change *chg, const struct canal_bind *bind, struct err *e)
{
    struct canal_row row = {.chg = chg, .bind = bind};
    bool before = chg->op == CHANGE_DELETE || chg->op == CHANGE_UPDATE, after = chg->op != CHANGE_DELETE;
    int rc = before ? find_image(rows, chg, bind, SIDE_BEFORE, &row.before, e) : 0;
    if (rc == 0 && after)
        rc = find_image(rows, chg, bind, SIDE_AFTER, &row.after, e);
    const struct canal_image *image = after ? &row.after : &row.before;
    if (rc == 0)
        rc = write_data(rows, &row, image, e);
    if (rc == 0 && chg->op == CHANGE_UPDATE)
        rc = write_old(rows, &row, e);
    if (rc == 0 && (rows->data.failed || rows->old.failed))
        rc = err_set(e, NO_MEMORY, rows->data.size + rows->old.size);
    for (unsigned i = 0; rc == 0 && i < bind->tbl->column_count; i++)
        bind->codes[i] = sql_code(&bind->cells[i], image, i);
    return rc;
}

int canal_rows_add(struct canal_rows *rows, const struct change *chg, const struct canal_bind *bind, struct err *e)
{
    size_t data = rows->data.len, old = rows->old.len;
    int rc = add_row(rows, chg, bind, e);
    arena_reset(&rows->arena);
    if (rc == 0) {
        rows->count++;
        return 0;
    }
    rows->data.len = data;
    rows->old.len = old;
    rows->data.failed = rows->old.failed = false;
    return rc;
}

#define ARENA_KEPT ((size_t)256 * 1024)
#define BYTES_KEPT ((size_t)4 << 20)

void canal_rows_init(struct canal_rows *rows)
{
    *rows = (struct canal_rows){.count = 0};
    arena_init(&rows->arena, 0, ARENA_KEPT, 0);
    buf_init(&rows->data, 0);
    buf_init(&rows->old, 0);
}

void canal_rows_release(struct canal_rows *rows)
{
    arena_release(&rows->arena);
    buf_release(&rows->data);
    buf_release(&rows->old);
}

void canal_rows_clear(struct canal_rows *rows, const struct canal_bind *bind)
{
    if (rows->data.size + rows->old.size > BYTES_KEPT) {
        buf_release(&rows->data);
        buf_release(&rows->old);
    }
    buf_clear(&rows->data);
    buf_clear(&rows->old);
    rows->count = 0;
    memset(bind->changed, 0, bind->tbl->column_count * sizeof *bind->changed);
}
