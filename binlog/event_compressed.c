/* Compressed events of MariaDB (log_bin_compress): QUERY_COMPRESSED (165), WRITE, UPDATE and DELETE_ROWS_COMPRESSED of
 * version 1 (166 167 168) and 2 (169 170 171). Each is the plain event with its last part compressed.
 *
 *   bytes  field
 *     …    as in the plain event, up to the statement, or up to the rows
 *       1  128 + 16 · algorithm (0: zlib) + number of bytes of the next field (1-4)
 *     1-4  length of that part when decompressed, big-endian
 *    rest  a zlib stream
 *
 * Source: MariaDB's sql/log_event.cc, "Compressed Record". */
#include "binlog/event.h"

#define COMPRESSED        0x80
#define ALGORITHM_MASK    0x70
#define LEN_BYTES_MASK    0x07
#define LEN_BYTES_MAX     4
#define DEFLATE_RATIO_MAX 1032 /* what deflate can reach; RFC 1951 */

static uint8_t plain_type(uint8_t type)
{
    if (type == EVENT_QUERY_COMPRESSED)
        return EVENT_QUERY;
    if (type <= EVENT_DELETE_ROWS_COMPRESSED_V1)
        return (uint8_t)(type - EVENT_WRITE_ROWS_COMPRESSED_V1 + EVENT_WRITE_ROWS_V1);
    return (uint8_t)(type - EVENT_WRITE_ROWS_COMPRESSED + EVENT_WRITE_ROWS);
}

/* Where the compressed part begins: the reader of the plain event takes it for its last field. */
static int find_tail(const uint8_t **tail, struct cursor body, uint8_t type, const struct event_format *format,
                     struct err *e)
{
    struct event_query query;
    struct event_rows rows;
    bool is_query = type == EVENT_QUERY;
    int rc = is_query ? event_query_read(&query, body, e) : event_rows_read(&rows, body, type, format, e);
    if (rc == 0)
        *tail = is_query ? (const uint8_t *)query.statement : rows.rows;
    return rc;
}

int event_compressed_read(struct event_compressed *out, struct cursor body, uint8_t type,
                          const struct event_format *format, struct err *e)
{
    struct event_compressed found = {.type = plain_type(type), .head = body.p};
    const uint8_t *tail = NULL;
    int rc = find_tail(&tail, body, found.type, format, e);
    if (rc != 0)
        return rc;
    found.head_len = (size_t)(tail - body.p);
    cursor_skip(&body, found.head_len);
    uint8_t how = cursor_u8(&body);
    unsigned len_bytes = how & LEN_BYTES_MASK;
    if (!(how & COMPRESSED) || len_bytes == 0 || len_bytes > LEN_BYTES_MAX)
        return err_set(e, CORRUPT, "compressed event: no valid length");
    if (how & ALGORITHM_MASK)
        return err_set(e, EVENT_UNKNOWN, (unsigned)type, "compressed by an unknown algorithm");
    found.plain_len = (size_t)cursor_be(&body, len_bytes);
    found.len = cursor_left(&body);
    found.bytes = cursor_take(&body, found.len);
    rc = event_finish(&body, event_row(type)->name, e);
    if (rc != 0)
        return rc;
    if (found.plain_len / DEFLATE_RATIO_MAX > found.len)
        return err_set(e, CORRUPT, "compressed event: it cannot hold the bytes that it claims");
    *out = found;
    return 0;
}
