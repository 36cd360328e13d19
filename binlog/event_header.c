/* The header that every event begins with, the table of types, and the checksum at the end.
 *
 *   offset  bytes  field
 *        0      4  timestamp, Unix seconds
 *        4      1  type
 *        5      4  server_id
 *        9      4  length of the whole event, checksum included
 *       13      4  log_pos: end of the event in its file, low 32 bits; 0 in artificial events
 *       17      2  flags
 *   …
 *   len-4       4  CRC-32 of all before it, when the file's FORMAT event says so */
#include "binlog/event.h"

#include "base/hash.h"

#define OFFSET_FLAGS 17

static const struct event_row rows[] = {
    {EVENT_START_V3, EVENT_STOPS, "START_V3, of a server before MySQL 5.0"},
    {EVENT_QUERY, EVENT_READ, "QUERY"},
    {EVENT_STOP, EVENT_READ, "STOP"},
    {EVENT_ROTATE, EVENT_READ, "ROTATE"},
    {EVENT_INTVAR, EVENT_READ, "INTVAR"},
    {6, EVENT_STOPS, "LOAD"},
    {7, EVENT_STOPS, "SLAVE"},
    {8, EVENT_STOPS, "CREATE_FILE"},
    {EVENT_APPEND_BLOCK, EVENT_SKIPPED, "APPEND_BLOCK"},
    {10, EVENT_STOPS, "EXEC_LOAD"},
    {EVENT_DELETE_FILE, EVENT_SKIPPED, "DELETE_FILE"},
    {12, EVENT_STOPS, "NEW_LOAD"},
    {EVENT_RAND, EVENT_READ, "RAND"},
    {EVENT_USER_VAR, EVENT_READ, "USER_VAR"},
    {EVENT_FORMAT, EVENT_READ, "FORMAT_DESCRIPTION"},
    {EVENT_XID, EVENT_READ, "XID"},
    {EVENT_BEGIN_LOAD_QUERY, EVENT_SKIPPED, "BEGIN_LOAD_QUERY"},
    {EVENT_EXECUTE_LOAD_QUERY, EVENT_READ, "EXECUTE_LOAD_QUERY"},
    {EVENT_TABLE_MAP, EVENT_READ, "TABLE_MAP"},
    {20, EVENT_STOPS, "PRE_GA_WRITE_ROWS, of MySQL before 5.1.16"},
    {21, EVENT_STOPS, "PRE_GA_UPDATE_ROWS, of MySQL before 5.1.16"},
    {22, EVENT_STOPS, "PRE_GA_DELETE_ROWS, of MySQL before 5.1.16"},
    {EVENT_WRITE_ROWS_V1, EVENT_READ, "WRITE_ROWS_V1"},
    {EVENT_UPDATE_ROWS_V1, EVENT_READ, "UPDATE_ROWS_V1"},
    {EVENT_DELETE_ROWS_V1, EVENT_READ, "DELETE_ROWS_V1"},
    {EVENT_INCIDENT, EVENT_READ, "INCIDENT"},
    {EVENT_HEARTBEAT, EVENT_READ, "HEARTBEAT"},
    {EVENT_IGNORABLE, EVENT_SKIPPED, "IGNORABLE"},
    {EVENT_ROWS_QUERY, EVENT_READ, "ROWS_QUERY"},
    {EVENT_WRITE_ROWS, EVENT_READ, "WRITE_ROWS"},
    {EVENT_UPDATE_ROWS, EVENT_READ, "UPDATE_ROWS"},
    {EVENT_DELETE_ROWS, EVENT_READ, "DELETE_ROWS"},
    {EVENT_GTID, EVENT_READ, "GTID"},
    {EVENT_ANONYMOUS_GTID, EVENT_READ, "ANONYMOUS_GTID"},
    {EVENT_PREVIOUS_GTIDS, EVENT_READ, "PREVIOUS_GTIDS"},
    {EVENT_TRANSACTION_CONTEXT, EVENT_SKIPPED, "TRANSACTION_CONTEXT"},
    {EVENT_VIEW_CHANGE, EVENT_SKIPPED, "VIEW_CHANGE"},
    {EVENT_XA_PREPARE, EVENT_READ, "XA_PREPARE"},
    {EVENT_PARTIAL_UPDATE_ROWS, EVENT_READ, "PARTIAL_UPDATE_ROWS"},
    {EVENT_TRANSACTION_PAYLOAD, EVENT_READ, "TRANSACTION_PAYLOAD"},
    {EVENT_HEARTBEAT_V2, EVENT_READ, "HEARTBEAT_V2"},
    {EVENT_GTID_TAGGED, EVENT_READ, "GTID_TAGGED"},
    {EVENT_ANNOTATE, EVENT_READ, "ANNOTATE_ROWS"},
    {EVENT_BINLOG_CHECKPOINT, EVENT_SKIPPED, "BINLOG_CHECKPOINT"},
    {EVENT_MARIADB_GTID, EVENT_READ, "MARIADB_GTID"},
    {EVENT_GTID_LIST, EVENT_READ, "GTID_LIST"},
    {EVENT_START_ENCRYPTION, EVENT_READ, "START_ENCRYPTION"},
    {EVENT_QUERY_COMPRESSED, EVENT_READ, "QUERY_COMPRESSED"},
    {EVENT_WRITE_ROWS_COMPRESSED_V1, EVENT_READ, "WRITE_ROWS_COMPRESSED_V1"},
    {EVENT_UPDATE_ROWS_COMPRESSED_V1, EVENT_READ, "UPDATE_ROWS_COMPRESSED_V1"},
    {EVENT_DELETE_ROWS_COMPRESSED_V1, EVENT_READ, "DELETE_ROWS_COMPRESSED_V1"},
    {EVENT_WRITE_ROWS_COMPRESSED, EVENT_READ, "WRITE_ROWS_COMPRESSED"},
    {EVENT_UPDATE_ROWS_COMPRESSED, EVENT_READ, "UPDATE_ROWS_COMPRESSED"},
    {EVENT_DELETE_ROWS_COMPRESSED, EVENT_READ, "DELETE_ROWS_COMPRESSED"},
};

#define ROW_COUNT (sizeof rows / sizeof rows[0])

const struct event_row *event_row(uint8_t type)
{
    size_t low = 0, high = ROW_COUNT;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (rows[mid].type < type)
            low = mid + 1;
        else
            high = mid;
    }
    return low < ROW_COUNT && rows[low].type == type ? &rows[low] : NULL;
}

size_t event_rows(const struct event_row **out)
{
    *out = rows;
    return ROW_COUNT;
}

int event_header_read(struct event_header *out, const uint8_t *bytes, size_t len, uint64_t max_event_bytes,
                      struct err *e)
{
    if (len < EVENT_HEADER_LEN)
        return err_set(e, CORRUPT, "event header cut");
    struct cursor cur = cursor_over(bytes, EVENT_HEADER_LEN);
    struct event_header header;
    header.timestamp = cursor_u32(&cur);
    header.type = cursor_u8(&cur);
    header.server_id = cursor_u32(&cur);
    header.len = cursor_u32(&cur);
    header.log_pos = cursor_u32(&cur);
    header.flags = cursor_u16(&cur);
    char text[96];
    if (max_event_bytes == 0)
        max_event_bytes = EVENT_BYTES_MAX;
    if (header.len < EVENT_HEADER_LEN || header.len > max_event_bytes) {
        snprintf(text, sizeof text, "event of type %u says a length of %u bytes; %u to %llu are possible", header.type,
                 header.len, EVENT_HEADER_LEN, (unsigned long long)max_event_bytes);
        return err_set(e, CORRUPT, text);
    }
    *out = header;
    return 0;
}

int event_checksum_verify(const uint8_t *event, size_t len, struct err *e)
{
    if (len < EVENT_HEADER_LEN + EVENT_CHECKSUM_LEN)
        return err_set(e, CORRUPT, "event too short for its checksum");
    struct cursor cur = cursor_over(event + len - EVENT_CHECKSUM_LEN, EVENT_CHECKSUM_LEN);
    uint32_t said = cursor_u32(&cur), found;
    size_t covered = len - EVENT_CHECKSUM_LEN;
    if (event[4] == EVENT_FORMAT) {
        uint8_t header[EVENT_HEADER_LEN];
        memcpy(header, event, sizeof header);
        header[OFFSET_FLAGS] &= (uint8_t)~EVENT_FLAG_IN_USE;
        found = hash_crc32(0, header, sizeof header);
        found = hash_crc32(found, event + EVENT_HEADER_LEN, covered - EVENT_HEADER_LEN);
    } else {
        found = hash_crc32(0, event, covered);
    }
    if (found == said)
        return 0;
    char text[80];
    snprintf(text, sizeof text, "checksum of the event is %08x, its bytes give %08x", said, found);
    return err_set(e, CORRUPT, text);
}

int event_finish(const struct cursor *cur, const char *name, struct err *e)
{
    if (cursor_finish(cur) == 0)
        return 0;
    char text[96];
    snprintf(text, sizeof text, "%s event is %s", name, cur->bad ? "cut" : "longer than its content");
    return err_set(e, CORRUPT, text);
}
