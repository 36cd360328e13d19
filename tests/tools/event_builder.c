/* Events by hand; buffers never fail in tests. */
#include "tools/event_builder.h"

#include <stdio.h>

#include "base/hash.h"

static void put(struct buf *out, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        buf_byte(out, (uint8_t)(v >> (8 * i)));
}

static void put_crc(struct buf *log, size_t begin)
{
    put(log, hash_crc32(0, log->p + begin, log->len - begin), 4);
}

void build_event(struct event_builder *b, uint8_t type, const void *body, size_t len)
{
    size_t begin = b->log.len;
    bool crc = b->crc || type == EVENT_FORMAT;
    uint64_t whole = EVENT_HEADER_LEN + len + (crc ? EVENT_CHECKSUM_LEN : 0);
    bool none = b->zero_pos || b->flags & EVENT_FLAG_ARTIFICIAL;
    put(&b->log, b->second, 4);
    put(&b->log, type, 1);
    put(&b->log, 7, 4);
    put(&b->log, whole, 4);
    put(&b->log, none ? 0 : begin + whole + b->skip, 4);
    put(&b->log, b->flags, 2);
    buf_add(&b->log, body, len);
    if (crc)
        put_crc(&b->log, begin);
    b->last = begin;
    b->flags = 0;
}

void build_format(struct event_builder *b)
{
    static const uint8_t lengths[] = {56, 13, 0, 8, 0, 0, 0, 0, 4,  0,  4,  0,  0,  0, 98, 0,  4, 26, 8,  0, 0,
                                      0,  8,  8, 8, 2, 0, 0, 0, 10, 10, 10, 42, 42, 0, 18, 52, 0, 10, 40, 0, 0};
    char server[EVENT_SERVER_TEXT_MAX] = {0};
    struct buf body;
    buf_init(&body, 0);
    snprintf(server, sizeof server, "%s", b->mariadb ? "10.11.9-MariaDB" : "8.4.6");
    put(&body, 4, 2);
    buf_add(&body, server, sizeof server);
    put(&body, b->second, 4);
    put(&body, EVENT_HEADER_LEN, 1);
    buf_add(&body, lengths, sizeof lengths);
    put(&body, b->crc, 1);
    build_event(b, EVENT_FORMAT, body.p, body.len);
    buf_release(&body);
}

void event_builder_init(struct event_builder *b, bool mariadb, bool crc)
{
    static const uint8_t magic[] = {0xfe, 'b', 'i', 'n'};
    *b = (struct event_builder){.mariadb = mariadb, .crc = crc, .second = 100};
    buf_init(&b->log, 0);
    buf_add(&b->log, magic, sizeof magic);
    build_format(b);
}

void event_builder_release(struct event_builder *b)
{
    buf_release(&b->log);
}

void build_mariadb_gtid(struct event_builder *b, uint64_t number, uint8_t flags)
{
    struct buf body;
    buf_init(&body, 0);
    put(&body, number, 8);
    put(&body, 0, 4);
    put(&body, flags, 1);
    put(&body, 0, 6);
    build_event(b, EVENT_MARIADB_GTID, body.p, body.len);
    buf_release(&body);
}

void build_gtid(struct event_builder *b, uint64_t number)
{
    struct buf body;
    if (b->mariadb) {
        build_mariadb_gtid(b, number, MARIADB_GTID_TRANSACTIONAL);
        return;
    }
    buf_init(&body, 0);
    put(&body, 0, 1);
    for (unsigned i = 0; i < 16; i++)
        put(&body, 0x11, 1);
    put(&body, number, 8);
    put(&body, 2, 1);
    put(&body, 0, 8);
    put(&body, 1, 8);
    put(&body, 1000, 7);
    build_event(b, number ? EVENT_GTID : EVENT_ANONYMOUS_GTID, body.p, body.len);
    buf_release(&body);
}

void build_query(struct event_builder *b, const char *db, const char *sql)
{
    struct buf body;
    buf_init(&body, 0);
    put(&body, 1, 4);
    put(&body, 0, 4);
    put(&body, strlen(db), 1);
    put(&body, 0, 2);
    put(&body, 9, 2);
    put(&body, 1, 1); /* sql_mode */
    put(&body, 0, 8);
    buf_add(&body, db, strlen(db) + 1);
    buf_text(&body, sql);
    build_event(b, EVENT_QUERY, body.p, body.len);
    buf_release(&body);
}

void build_xid(struct event_builder *b)
{
    build_event(b, EVENT_XID, "\1\0\0\0\0\0\0\0", 8);
}

void build_rotate(struct event_builder *b, const char *file, uint64_t pos)
{
    struct buf body;
    buf_init(&body, 0);
    put(&body, pos, 8);
    buf_text(&body, file);
    build_event(b, EVENT_ROTATE, body.p, body.len);
    buf_release(&body);
}

void build_heartbeat(struct event_builder *b, const char *file, uint32_t log_pos)
{
    build_event(b, EVENT_HEARTBEAT, file, strlen(file));
    size_t begin = b->last;
    b->log.len -= b->crc ? EVENT_CHECKSUM_LEN : 0;
    for (unsigned i = 0; i < 4; i++)
        b->log.p[begin + 13 + i] = (uint8_t)(log_pos >> (8 * i));
    if (b->crc)
        put_crc(&b->log, begin);
}

static void put_text(struct buf *out, const char *text)
{
    put(out, strlen(text), 1);
    buf_text(out, text);
}

static void build_map(struct event_builder *b, uint64_t id, const char *db, const char *table, bool bare)
{
    struct buf body;
    buf_init(&body, 0);
    put(&body, id, 6);
    put(&body, 1, 2);
    put_text(&body, db);
    put(&body, 0, 1);
    put_text(&body, table);
    put(&body, 0, 1);
    put(&body, 2, 1);
    put(&body, 3, 1);  /* INT */
    put(&body, 15, 1); /* VARCHAR */
    put(&body, 2, 1);
    put(&body, 80, 2);
    put(&body, 2, 1); /* b may be NULL */
    static const uint8_t optional[] = {1, 1, 0x00, 2, 1, 45, 4, 4, 1, 'a', 1, 'b', 8, 1, 0};
    buf_add(&body, optional, bare ? 0 : sizeof optional);
    build_event(b, EVENT_TABLE_MAP, body.p, body.len);
    buf_release(&body);
}

void build_table_map(struct event_builder *b, uint64_t id, const char *db, const char *table)
{
    build_map(b, id, db, table, false);
}

void build_bare_table_map(struct event_builder *b, uint64_t id, const char *db, const char *table)
{
    build_map(b, id, db, table, true);
}

static void put_row(struct buf *body, int32_t a, const char *text)
{
    put(body, text ? 0xfc : 0xfe, 1);
    put(body, (uint32_t)a, 4);
    if (text)
        put_text(body, text);
}

void build_rows(struct event_builder *b, uint8_t type, uint64_t id, bool last, int32_t a, const char *text)
{
    bool update = type == EVENT_UPDATE_ROWS || type == EVENT_UPDATE_ROWS_V1;
    struct buf body;
    buf_init(&body, 0);
    put(&body, id, 6);
    put(&body, last, 2);
    if (type >= EVENT_WRITE_ROWS)
        put(&body, 2, 2);
    put(&body, 2, 1);
    put(&body, 0xff, 1);
    if (update)
        put(&body, 0xff, 1);
    put_row(&body, a, text);
    if (update)
        put_row(&body, a, "new");
    build_event(b, type, body.p, body.len);
    buf_release(&body);
}

bool built_event(const struct event_builder *b, unsigned n, const uint8_t **event, size_t *len)
{
    size_t at = EVENT_FILE_MAGIC_LEN;
    while (at + EVENT_HEADER_LEN <= b->log.len) {
        struct cursor cur = cursor_over(b->log.p + at + 9, 4);
        size_t whole = cursor_u32(&cur);
        if (n-- == 0) {
            *event = b->log.p + at;
            *len = whole;
            return true;
        }
        at += whole;
    }
    return false;
}
