/* TABLE_MAP (19): which table a number means in the ROWS events that follow, and how its rows are laid out.
 *
 *   bytes  field
 *       6  table id (4 when the post-header has 6 bytes)
 *       2  flags
 *       1  length of the database's name, name, NUL
 *       1  length of the table's name, name, NUL
 *     1-9  column count c
 *       c  type of each column
 *     1-9  length of the metadata, metadata: 0 to 2 bytes per column by type (value/types.c)
 * (c+7)/8  bitmap of nullable columns, lowest bit first
 *    rest  optional metadata (schema/metadata.h) */
#include "binlog/event.h"

static const char *read_name(struct cursor *body, size_t *len)
{
    uint64_t bytes = cursor_lenenc(body);
    if (bytes > TABLE_NAME_BYTES_MAX) {
        body->bad = true;
        return NULL;
    }
    const char *name = (const char *)cursor_take(body, (size_t)bytes + 1);
    if (name && memchr(name, 0, (size_t)bytes + 1) != name + bytes)
        body->bad = true;
    *len = (size_t)bytes;
    return name;
}

int event_table_map_read(struct wire_table *out, struct cursor body, const struct event_format *format, struct err *e)
{
    struct wire_table wire = {.mariadb = format->mariadb};
    bool small = format->post_header_count >= EVENT_TABLE_MAP && format->post_header_len[EVENT_TABLE_MAP] == 6;
    wire.table_id = cursor_le(&body, small ? 4 : 6);
    cursor_skip(&body, 2);
    wire.db = read_name(&body, &wire.db_len);
    wire.name = read_name(&body, &wire.name_len);
    uint64_t columns = cursor_lenenc(&body);
    if (columns == 0 || columns > TABLE_COLUMNS_MAX)
        return err_set(e, CORRUPT, "TABLE_MAP event: no valid number of columns");
    wire.column_count = (unsigned)columns;
    wire.types = cursor_take(&body, (size_t)columns);
    uint64_t metadata_len = cursor_lenenc(&body);
    if (metadata_len > 4 * columns)
        return err_set(e, CORRUPT, "TABLE_MAP event: more metadata than columns can have");
    wire.metadata_len = (size_t)metadata_len;
    wire.metadata = cursor_take(&body, wire.metadata_len);
    wire.nullable = cursor_take(&body, ((size_t)columns + 7) / 8);
    if (cursor_left(&body)) {
        wire.optional_len = cursor_left(&body);
        wire.optional = cursor_take(&body, wire.optional_len);
    }
    int rc = event_finish(&body, "TABLE_MAP", e);
    if (rc != 0)
        return rc;
    *out = wire;
    return 0;
}
