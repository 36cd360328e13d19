/* The stream source against a server that follows a script: places that a real one does not come to in a test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "tools/event_builder.h"
#include "tools/scripted_mysql.h"
#include "tools/stream_reading.h"

static struct env env;
static const struct interest interest = {.wants = stream_reading_wants_shop};

static struct stream_options options(const struct client_options *host)
{
    return (struct stream_options){.env = &env,
                                   .hosts = host,
                                   .host_count = 1,
                                   .replica_uuid = "5f0c3a52-0001-4000-8000-000000000001",
                                   .heartbeat_ms = 200,
                                   .backoff_ms = 20,
                                   .backoff_max_ms = 100,
                                   .interest = &interest};
}

/* The events as packets of a dump: each behind an OK byte. */
#define PACKETS_MAX 32
struct packets {
    struct buf bytes[PACKETS_MAX];
    struct scripted_packet list[PACKETS_MAX + 1];
    unsigned count;
};

static void add_packet(struct packets *packets, const struct event_builder *b, unsigned n)
{
    const uint8_t *event;
    size_t len;
    assert_true(built_event(b, n, &event, &len) && packets->count < PACKETS_MAX);
    struct buf *bytes = &packets->bytes[packets->count];
    buf_init(bytes, 0);
    buf_byte(bytes, 0);
    buf_add(bytes, event, len);
    packets->list[packets->count++] = (struct scripted_packet){(const char *)bytes->p, bytes->len};
}

static void build_insert(struct event_builder *b, int32_t a)
{
    build_query(b, "shop", "BEGIN");
    build_table_map(b, 5, "shop", "t");
    build_rows(b, EVENT_WRITE_ROWS, 5, true, a, "x");
    build_xid(b);
}

static uint64_t end_of(const struct event_builder *b)
{
    return b->log.len + b->skip;
}

/* COM_BINLOG_DUMP has four bytes for the position: the stream asks for the file's head and passes over what it has. */
static void stream__place_beyond_4_gib__passed_over_from_the_head(void **state)
{
    (void)state;
    struct event_builder b;
    struct packets packets = {.count = 0};
    event_builder_init(&b, false, false);
    build_insert(&b, 1);
    b.skip = UINT32_MAX - 100 - b.log.len;
    build_insert(&b, 2); /* ends behind 4 GiB */
    uint64_t place = end_of(&b);
    build_insert(&b, 3);
    uint64_t end = end_of(&b);
    unsigned events = 1 + 3 * 4;
    b.flags = EVENT_FLAG_ARTIFICIAL;
    build_rotate(&b, "bin.000001", 4);
    assert_true(place > UINT32_MAX);
    add_packet(&packets, &b, events);
    for (unsigned i = 0; i < events; i++)
        add_packet(&packets, &b, i);
    const struct mysql_script script = {.dump = packets.list};
    struct scripted_mysql *srv = scripted_mysql_start(&script);
    const struct client_options there = {
        .host = "127.0.0.1", .port = scripted_mysql_port(srv), .user = "sluice", .connect_timeout_ms = 5000};
    const struct stream_options opt = options(&there);
    struct stream_reading rd;
    char start[FILEPOS_TEXT_MAX];
    snprintf(start, sizeof start, "bin.000001:%llu", (unsigned long long)place);
    stream_reading_open(&rd, &opt, start);
    stream_reading_transactions(&rd, 1);
    stream_reading_expect(&rd, "t insert  0 {a:3,b:\"x\"};END;");
    assert_int_equal(rd.end.pos, end);
    stream_reading_close(&rd);
    scripted_mysql_stop(srv);
    assert_true(scripted_mysql_received(srv, "\x12\x04\0\0\0", 5));
    scripted_mysql_free(srv);
    for (unsigned i = 0; i < packets.count; i++)
        buf_release(&packets.bytes[i]);
    event_builder_release(&b);
}

/* Serves the builder's first `events` events as a dump of bin.000001, and opens a stream at `start`. */
struct scripted_log {
    struct packets packets;
    struct mysql_script script;
    struct scripted_mysql *srv;
    struct client_options there;
    struct stream_options opt;
};

static void serve_log(struct scripted_log *log, struct event_builder *b, unsigned events)
{
    *log = (struct scripted_log){.script = {.gtid_on = true}};
    b->flags = EVENT_FLAG_ARTIFICIAL;
    build_rotate(b, "bin.000001", 4);
    add_packet(&log->packets, b, events);
    for (unsigned i = 0; i < events; i++)
        add_packet(&log->packets, b, i);
    log->script.dump = log->packets.list;
    log->srv = scripted_mysql_start(&log->script);
    log->there = (struct client_options){
        .host = "127.0.0.1", .port = scripted_mysql_port(log->srv), .user = "sluice", .connect_timeout_ms = 5000};
    log->opt = options(&log->there);
}

static void end_log(struct scripted_log *log)
{
    scripted_mysql_stop(log->srv);
    scripted_mysql_free(log->srv);
    for (unsigned i = 0; i < log->packets.count; i++)
        buf_release(&log->packets.bytes[i]);
}

#define BUILT_UUID "11111111-1111-1111-1111-111111111111"

static void build_previous_gtids(struct event_builder *b, const char *text)
{
    struct gtid_set *set = NULL;
    struct err e = ERR_INIT;
    struct buf body;
    buf_init(&body, 0);
    assert_int_equal(gtid_set_parse(&set, FLAVOR_MYSQL, text, strlen(text), &e), 0);
    assert_int_equal(gtid_set_encode(set, false, &body, &e), 0);
    build_event(b, EVENT_PREVIOUS_GTIDS, body.p, body.len);
    gtid_set_free(set);
    buf_release(&body);
}

struct place_row {
    const char *what;
    uint64_t pos;
    const char *gtids; /* at the place that open() tells; NULL: open fails with `code` */
    uint64_t told;
    const char *rows; /* read next */
    enum err_code code;
};

static void check_place(const struct place_row *row, struct scripted_log *log)
{
    struct stream_reading rd;
    struct err e = ERR_INIT;
    char start[FILEPOS_TEXT_MAX];
    snprintf(start, sizeof start, "bin.000001:%llu", (unsigned long long)row->pos);
    int rc = stream_reading_try(&rd, &log->opt, start, &e);
    if (e.code != row->code || (rc == 0) != (row->gtids != NULL))
        fail_msg("%s: %s: %s", row->what, err_code_name(e.code), e.text);
    if (rc == 0) {
        struct buf text;
        buf_init(&text, 0);
        assert_non_null(rd.from.gtids);
        gtid_set_print(rd.from.gtids, &text);
        buf_byte(&text, 0);
        if (strcmp((const char *)text.p, row->gtids) != 0 || rd.from.at.pos != row->told)
            fail_msg("%s: %s at %llu", row->what, (const char *)text.p, (unsigned long long)rd.from.at.pos);
        buf_release(&text);
        if (row->rows) {
            stream_reading_transactions(&rd, 1);
            stream_reading_expect(&rd, row->rows);
        }
    }
    stream_reading_close(&rd);
}

/* Positions that are stored later need the GTIDs, too: the way from the file's head tells them. */
static void stream__mysql_file_and_offset__gtid_set_at_the_place(void **state)
{
    (void)state;
    for (int crc = 0; crc < 2; crc++) {
        struct event_builder b;
        struct scripted_log log;
        event_builder_init(&b, false, crc);
        uint64_t format_end = end_of(&b);
        build_previous_gtids(&b, BUILT_UUID ":1-5");
        uint64_t head = end_of(&b);
        build_gtid(&b, 7);
        uint64_t named = end_of(&b);
        build_insert(&b, 1);
        uint64_t first = end_of(&b);
        build_gtid(&b, 6);
        build_query(&b, "shop", "CREATE TABLE other.o (a INT)");
        uint64_t second = end_of(&b);
        build_gtid(&b, 8);
        build_query(&b, "shop", "BEGIN");
        uint64_t inside = end_of(&b);
        build_query(&b, "shop", "SAVEPOINT a");
        build_query(&b, "shop", "ROLLBACK TO a");
        uint64_t back = end_of(&b);
        build_table_map(&b, 5, "shop", "t");
        build_rows(&b, EVENT_WRITE_ROWS, 5, true, 2, "x");
        build_xid(&b);
        uint64_t third = end_of(&b);
        build_heartbeat(&b, "bin.000001", (uint32_t)third);
        const char one[] = "t insert  0 {a:1,b:\"x\"};END;", two[] = "t insert  0 {a:2,b:\"x\"};END;";
        const struct place_row rows[] = {
            {"head of the file", 4, BUILT_UUID ":1-5", head, one, ERR_NONE},
            {"behind FORMAT", format_end, BUILT_UUID ":1-5", head, one, ERR_NONE},
            {"before the first", head, BUILT_UUID ":1-5", head, one, ERR_NONE},
            {"behind the first", first, BUILT_UUID ":1-5:7", first, two, ERR_NONE},
            {"behind a DDL", second, BUILT_UUID ":1-7", second, two, ERR_NONE},
            {"at the end", third, BUILT_UUID ":1-8", third, NULL, ERR_NONE},
            {"between GTID and BEGIN", named, NULL, 0, NULL, ERR_CORRUPT},
            {"behind BEGIN", inside, NULL, 0, NULL, ERR_CORRUPT},
            {"behind ROLLBACK TO", back, NULL, 0, NULL, ERR_CORRUPT},
            {"inside an event", first + 1, NULL, 0, NULL, ERR_CORRUPT},
            {"beyond the end", third + 1000, NULL, 0, NULL, ERR_BINLOG_PURGED},
        };
        serve_log(&log, &b, 17);
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
            check_place(&rows[i], &log);
        end_log(&log);
        event_builder_release(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stream__place_beyond_4_gib__passed_over_from_the_head),
        cmocka_unit_test(stream__mysql_file_and_offset__gtid_set_at_the_place),
    };
    env = env_system();
    return cmocka_run_group_tests_name("stream_scripted", tests, NULL, NULL);
}
