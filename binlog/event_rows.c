/* WRITE_ROWS, UPDATE_ROWS, DELETE_ROWS, version 1 (23 24 25) and 2 (30 31 32), and PARTIAL_UPDATE_ROWS (39).
 *
 *   bytes  field
 *       6  table id (4 when the post-header has 6 bytes)
 *       2  flags: 1 ends the statement
 *       2  version 2: length of extra data, these two bytes included; then the extra data
 *     1-9  column count c
 * (c+7)/8  bitmap of the columns that are present: before image (write: after image), lowest bit first
 * (c+7)/8  update: the same of the after image
 *    rest  rows: null bitmap over the present columns, values; update: before and after image one after the other
 *
 * A partial update has in front of each after image:
 *
 *     1-9  value options: 0, or 1 = PARTIAL_JSON
 * (j+7)/8  with PARTIAL_JSON: bitmap of the table's j JSON columns, lowest bit first: the value is diffs
 *          (value/json_diff.c) in place of a document */
#include "binlog/event.h"

/* A bitmap whose first `count` bits are all set is told as NULL: nothing is absent. */
static const uint8_t *partial(const uint8_t *bitmap, unsigned count)
{
    unsigned whole = count / 8, rest = count % 8;
    for (unsigned i = 0; i < whole; i++)
        if (bitmap[i] != 0xff)
            return bitmap;
    uint8_t mask = (uint8_t)((1u << rest) - 1);
    return rest && (bitmap[whole] & mask) != mask ? bitmap : NULL;
}

static enum change_op op_of(uint8_t type)
{
    if (type == EVENT_WRITE_ROWS || type == EVENT_WRITE_ROWS_V1)
        return CHANGE_INSERT;
    return type == EVENT_DELETE_ROWS || type == EVENT_DELETE_ROWS_V1 ? CHANGE_DELETE : CHANGE_UPDATE;
}

static void skip_extra(struct cursor *body)
{
    uint16_t len = cursor_u16(body);
    if (len < 2)
        body->bad = true;
    else
        cursor_skip(body, len - 2u);
}

int event_rows_read(struct event_rows *out, struct cursor body, uint8_t type, const struct event_format *format,
                    struct err *e)
{
    struct event_rows rows = {.op = op_of(type), .partial = type == EVENT_PARTIAL_UPDATE_ROWS};
    bool small = format->post_header_count >= type && format->post_header_len[type] == 6;
    rows.table_id = cursor_le(&body, small ? 4 : 6);
    rows.flags = cursor_u16(&body);
    if (type >= EVENT_WRITE_ROWS)
        skip_extra(&body);
    uint64_t columns = cursor_lenenc(&body);
    if (columns > TABLE_COLUMNS_MAX)
        return err_set(e, CORRUPT, "ROWS event: no valid number of columns");
    rows.column_count = (unsigned)columns;
    const uint8_t *first = cursor_take(&body, (rows.column_count + 7) / 8);
    const uint8_t *second = rows.op == CHANGE_UPDATE ? cursor_take(&body, (rows.column_count + 7) / 8) : NULL;
    size_t left = cursor_left(&body);
    rows.rows = cursor_take(&body, left);
    int rc = event_finish(&body, event_row(type)->name, e);
    if (rc != 0)
        return rc;
    rows.rows_end = rows.rows + left;
    if (rows.op == CHANGE_INSERT)
        rows.after_present = partial(first, rows.column_count);
    else
        rows.before_present = partial(first, rows.column_count);
    if (second)
        rows.after_present = partial(second, rows.column_count);
    *out = rows;
    return 0;
}
