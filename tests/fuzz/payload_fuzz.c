/* Compressed transactions of MySQL and compressed events of MariaDB. The first byte chooses what the rest is:
 *
 *   0  4 bytes of a claimed length, then a payload: the steps keep within what is claimed
 *   1  the body of a TRANSACTION_PAYLOAD event, fed to a log reader
 *   2  events, compressed here: what is inside a payload
 *   3  type (1 byte) and body of a compressed event of MariaDB
 *   4  type, length of the head (1 byte), head, and the tail, compressed here */
#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "binlog/log_reader.h"
#include "binlog/payload.h"
#include "tools/event_builder.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#define EVENT_MAX 65536
#define CALLS_MAX 100000

#define MUST(condition)                                                                                                \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            abort();                                                                                                   \
    } while (0)

static void check_steps(struct cursor in)
{
    struct event_payload said = {.compression = PAYLOAD_ZSTD, .plain_len = cursor_u32(&in)};
    struct payload payload;
    struct cursor event;
    struct err e = ERR_INIT;
    bool last = false;
    uint64_t came = 0;
    said.len = cursor_left(&in);
    said.bytes = in.p;
    payload_init(&payload);
    int rc = payload_open(&payload, &said, &e);
    while (rc >= 0 && !last) {
        rc = payload_next(&payload, &said, EVENT_MAX, &event, &last, &e);
        MUST(payload.used <= said.len && payload.size <= EVENT_MAX);
        if (rc == 1)
            came += cursor_left(&event);
        MUST(came <= said.plain_len);
    }
    MUST(rc == 1 ? came == said.plain_len && payload.used == said.len : e.code != ERR_NONE);
    payload_close(&payload);
    payload_trim(&payload);
    payload_release(&payload);
}

static bool wants(void *ctx, const char *db, const char *table)
{
    (void)ctx;
    (void)table;
    return strcmp(db, "other") != 0;
}

static void walk(const struct rowset *rs)
{
    struct row_iter it = {0};
    struct row_view row;
    while (rowset_next_row(rs, &it, &row, NULL, NULL, NULL, NULL) == 1)
        MUST(it.p <= rs->rows_end);
}

/* FORMAT, GTID and the event. */
static void play(struct log_reader *reader, const struct event_builder *b)
{
    struct rowset rs;
    struct err e = ERR_INIT;
    const uint8_t *event;
    size_t len;
    unsigned calls = 0;
    for (unsigned n = 0; built_event(b, n, &event, &len); n++) {
        int rc = LOG_READER_MORE;
        while (rc == LOG_READER_MORE || rc == LOG_READER_AGAIN) {
            rc = log_reader_feed(reader, event, len, &rs, &e);
            if ((rc == LOG_READER_ROWSET || rc == LOG_READER_AGAIN) && rs.kind == ROWSET_ROWS)
                walk(&rs);
            MUST(++calls < CALLS_MAX);
        }
        if (rc < 0)
            return;
    }
}

static void feed(bool mariadb, uint8_t type, const struct buf *body)
{
    const struct interest interest = {.wants = wants};
    struct schema *schema;
    struct log_reader *reader;
    struct position start;
    struct event_builder b;
    event_builder_init(&b, mariadb, false);
    build_gtid(&b, 5);
    if (mariadb)
        build_table_map(&b, 1, "shop", "t");
    build_event(&b, type, body->p, body->len);
    struct log_reader_options opt = {.interest = &interest, .max_event_bytes = EVENT_MAX, .whole_files = true};
    position_init(&start);
    start.at.pos = EVENT_FILE_MAGIC_LEN;
    MUST(schema_new(&schema, NULL, NULL) == 0);
    opt.schema = schema;
    MUST(log_reader_new(&reader, &opt, NULL) == 0 && log_reader_start(reader, &start, NULL) == 0);
    play(reader, &b);
    log_reader_free(reader);
    schema_free(schema);
    event_builder_release(&b);
}

static void put_le(struct buf *out, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        buf_byte(out, (uint8_t)(v >> (8 * i)));
}

static void compress_events(struct buf *body, struct cursor in)
{
    size_t len = cursor_left(&in), bound = ZSTD_compressBound(len);
    uint8_t *packed = malloc(bound);
    MUST(packed);
    size_t packed_len = ZSTD_compress(packed, bound, in.p, len, 1);
    buf_add(body, "\1\4\xfd", 3);
    put_le(body, packed_len, 3);
    buf_add(body, "\2\1\0\3\4\xfd", 6);
    put_le(body, len, 3);
    buf_byte(body, 0);
    buf_add(body, packed, packed_len);
    free(packed);
}

static void compress_tail(struct buf *body, struct cursor in)
{
    struct libdeflate_compressor *zlib = libdeflate_alloc_compressor(1);
    size_t head_len = cursor_u8(&in);
    struct cursor head = cursor_sub(&in, head_len < cursor_left(&in) ? head_len : cursor_left(&in));
    size_t len = cursor_left(&in), bound = libdeflate_zlib_compress_bound(zlib, len);
    buf_add(body, head.p, cursor_left(&head));
    buf_byte(body, 0x83);
    for (unsigned shift = 24; shift > 0; shift -= 8)
        buf_byte(body, (uint8_t)(len >> (shift - 8)));
    uint8_t *room = buf_room(body, bound);
    MUST(room);
    body->len += libdeflate_zlib_compress(zlib, in.p, len, room, bound);
    libdeflate_free_compressor(zlib);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct cursor in = cursor_over(bytes, len);
    struct buf body;
    uint8_t what = cursor_u8(&in) % 5;
    if (len < 6)
        return 0;
    if (what == 0) {
        check_steps(in);
        return 0;
    }
    buf_init(&body, 0);
    uint8_t type = EVENT_TRANSACTION_PAYLOAD;
    if (what > 2)
        type = (uint8_t)(EVENT_QUERY_COMPRESSED + cursor_u8(&in) % 7);
    if (what == 2)
        compress_events(&body, in);
    else if (what == 4)
        compress_tail(&body, in);
    else
        buf_add(&body, in.p, cursor_left(&in));
    feed(what > 2, type, &body);
    buf_release(&body);
    return 0;
}
