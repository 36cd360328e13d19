/* Compressed transactions of MySQL and compressed events of MariaDB: the same rowsets as of plain ones, and what stops.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <stdio.h>

#include "binlog/log_reader.h"
#include "binlog/payload.h"
#include "binlog/source_file.h"
#include "tools/alloc_fault.h"
#include "tools/bytes_env.h"
#include "tools/payload_builder.h"
#include "tools/rowset_text.h"

#define GTID_AT "111111111111:5 at=bin.000001:127 us=1000\n"

struct fixture {
    struct event_builder b;     /* the log */
    struct event_builder inner; /* what is inside */
    struct schema *schema;
    struct log_reader *reader;
    struct interest interest;
    struct buf text;
    struct err e;
    struct position at;
    unsigned fed;
    unsigned calls;
};

static bool wants(void *ctx, const char *db, const char *table)
{
    (void)ctx;
    (void)table;
    return strcmp(db, "shop") == 0;
}

static void set_up(struct fixture *f, bool mariadb, uint64_t max_event_bytes)
{
    memset(f, 0, sizeof *f);
    event_builder_init(&f->b, mariadb, true);
    event_builder_init(&f->inner, mariadb, false);
    f->interest.wants = wants;
    assert_int_equal(schema_new(&f->schema, NULL, &f->e), 0);
    struct log_reader_options opt = {.interest = &f->interest, .schema = f->schema, .max_event_bytes = max_event_bytes};
    assert_int_equal(log_reader_new(&f->reader, &opt, &f->e), 0);
    position_init(&f->at);
    memcpy(f->at.at.file, "bin.000001", 11);
    f->at.at.pos = 4;
    assert_int_equal(log_reader_start(f->reader, &f->at, &f->e), 0);
    buf_init(&f->text, 0);
}

static void tear_down(struct fixture *f)
{
    log_reader_free(f->reader);
    schema_free(f->schema);
    position_release(&f->at);
    event_builder_release(&f->b);
    event_builder_release(&f->inner);
    buf_release(&f->text);
}

/* Feeds one event until it is used up, or `calls_max` times; each time from another address. */
static int feed_one(struct fixture *f, const uint8_t *event, size_t len, unsigned calls_max)
{
    int rc = LOG_READER_MORE;
    for (unsigned i = 0; (rc == LOG_READER_MORE || rc == LOG_READER_AGAIN) && i < calls_max; i++) {
        struct rowset rs;
        uint8_t *exact = malloc(len); /* so that a read beyond the event is seen */
        assert_non_null(exact);
        memcpy(exact, event, len);
        rc = log_reader_feed(f->reader, exact, len, &rs, &f->e);
        if (rc == LOG_READER_ROWSET || rc == LOG_READER_AGAIN)
            rowset_text(&rs, &f->text);
        free(exact);
        f->calls++;
    }
    return rc;
}

/* Feeds what was built since the last call; the result of the last feed. */
static int feed(struct fixture *f)
{
    const uint8_t *event;
    size_t len;
    int rc = 0;
    while (rc >= 0 && built_event(&f->b, f->fed, &event, &len)) {
        rc = feed_one(f, event, len, UINT32_MAX);
        f->fed++;
    }
    return rc;
}

static void expect_text(struct fixture *f, const char *want)
{
    buf_byte(&f->text, 0);
    const char *got = (const char *)f->text.p, *uuid = strstr(got, "11111111-1111");
    if (uuid)
        memmove((char *)(uintptr_t)uuid, uuid + 24, strlen(uuid + 24) + 1);
    assert_string_equal(got, want);
    f->text.len = 0;
}

static void expect_stop(struct fixture *f, const char *what, const char *text)
{
    int rc = feed(f);
    if (rc >= 0)
        fail_msg("%s: goes through", what);
    if (!strstr(f->e.text, text))
        fail_msg("%s: '%s' is not in '%s'", what, text, f->e.text);
    assert_int_equal(rc, -(int)f->e.code);
}

/* A transaction of all kinds of events that may be inside. */
static void build_inside(struct event_builder *b)
{
    build_query(b, "shop", "BEGIN");
    build_event(b, EVENT_ROWS_QUERY, "\x3sql", 4);
    build_table_map(b, 1, "shop", "t");
    build_table_map(b, 2, "other", "t");
    build_rows(b, EVENT_WRITE_ROWS, 1, false, 1, "x");
    build_rows(b, EVENT_WRITE_ROWS, 2, true, 1, "x");
    build_query(b, "shop", "SAVEPOINT `s`");
    build_table_map(b, 1, "shop", "t");
    build_rows(b, EVENT_UPDATE_ROWS, 1, true, 1, "x");
    build_query(b, "shop", "ROLLBACK TO `s`");
    build_xid(b);
}

static const char inside_text[] =
    "BEGIN gtid=" GTID_AT "ROWS shop.t insert event=0 pos=127\n  0 {a:1,b:\"x\"}\n"
    "SAVEPOINT s\nROWS shop.t update event=2 pos=127\n  0 {a:1,b:\"x\"} -> {a:1,b:\"new\"}\n"
    "ROLLBACK_TO s\n";

static void payload__in_all_its_forms__gives_the_events_at_the_begin_of_the_transaction(void **state)
{
    (void)state;
    static const struct payload_build forms[] = {
        {.level = 0},
        {.plain = true},
        {.level = 1},
        {.level = 12},
        {.frames = 2},
        {.frames = 7},
        {.window_log = 27},
        {.unknown_field = true},
        {.level = -5},
        {.window_log = 11},
        {.plain = true, .unknown_field = true},
    };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        struct fixture f;
        char want[1024];
        set_up(&f, false, 0);
        build_inside(&f.inner);
        for (unsigned twice = 0; twice < 2; twice++) { /* the reader is used again */
            build_gtid(&f.b, 5);
            build_payload(&f.b, &f.inner, &forms[i]);
            if (feed(&f) < 0)
                fail_msg("form %zu: %s", i, f.e.text);
            if (twice)
                continue;
            snprintf(want, sizeof want, "%sEND end=bin.000001:%zu\n", inside_text, f.b.log.len);
            expect_text(&f, want);
            assert_int_equal(log_reader_boundary(f.reader)->at.pos, f.b.log.len);
            assert_false(log_reader_in_transaction(f.reader));
        }
        assert_int_equal(log_reader_boundary(f.reader)->at.pos, f.b.log.len);
        tear_down(&f);
    }
}

static void inside_begun(struct event_builder *b)
{
    build_query(b, "shop", "BEGIN");
    build_table_map(b, 1, "shop", "t");
    build_rows(b, EVENT_WRITE_ROWS, 1, true, 1, "x");
}

static void inside_without_end(struct event_builder *b)
{
    inside_begun(b);
}

static void inside_behind_its_end(struct event_builder *b)
{
    build_inside(b);
    build_table_map(b, 1, "shop", "t");
}

static void inside_two(struct event_builder *b)
{
    build_inside(b);
    build_inside(b);
}

static void inside_without_begin(struct event_builder *b)
{
    build_table_map(b, 1, "shop", "t");
    build_rows(b, EVENT_WRITE_ROWS, 1, true, 1, "x");
    build_xid(b);
}

static void inside_nothing(struct event_builder *b)
{
    (void)b;
}

static void inside_a_header_cut(struct event_builder *b)
{
    inside_begun(b);
    buf_add(&b->log, "\0\0\0\0\2\0\0\0\0\x20\0\0\0", 13);
}

static void inside_an_event_cut(struct event_builder *b)
{
    inside_begun(b);
    build_query(b, "shop", "COMMIT");
    b->log.len -= 3;
}

static void inside_a_length_below_a_header(struct event_builder *b)
{
    inside_begun(b);
    build_xid(b);
    b->log.p[b->last + 9] = 18;
}

static void inside_a_large_event(struct event_builder *b)
{
    inside_begun(b);
    char *text = calloc(1, 70001);
    memset(text, '-', 70000);
    build_query(b, "shop", text);
    free(text);
    build_xid(b);
}

static void inside_behind_one_phase(struct event_builder *b)
{
    static const uint8_t prepare[] = {1, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, '1'};
    build_query(b, "shop", "XA START X'31',X'',1");
    build_table_map(b, 1, "shop", "t");
    build_rows(b, EVENT_WRITE_ROWS, 1, true, 1, "x");
    build_query(b, "shop", "XA END X'31',X'',1");
    build_event(b, EVENT_XA_PREPARE, prepare, sizeof prepare);
    build_query(b, "shop", "BEGIN");
}

static void payload__that_lies_or_does_not_end__stops_with_its_reason(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        void (*inside)(struct event_builder *b);
        struct payload_build how;
        const char *text;
    } cases[] = {
        {"claims 10 GB", build_inside, {.claim = 10000000000}, "cannot hold the 10000000000 that they claim"},
        {"claims all there is", build_inside, {.claim = UINT64_MAX}, "cannot hold"},
        {"claims 40,001 to 1", build_inside, {.claim = 40001 * 1000}, "cannot hold"},
        {"claims 4 MB", build_inside, {.claim = 4000000}, "goes on behind its end"},
        {"claims 4 MB without an end", inside_without_end, {.claim = 4000000}, "end too early"},
        {"claims a byte more", build_inside, {.claim_more = 1}, "goes on behind its end"},
        {"claims a byte less", build_inside, {.claim_more = -1}, "it ends inside an event"},
        {"claims 27 bytes less", build_inside, {.claim_more = -27}, "holds more than it claims"},
        {"claims no event", build_inside, {.claim = 18}, "no event is in it"},
        {"window of 256 MiB", build_inside, {.window_log = 28}, "too much memory"},
        {"says more bytes", build_inside, {.say_more = 1}, "do not say how long"},
        {"says fewer bytes", build_inside, {.say_more = -1}, "do not say how long"},
        {"text behind it", build_inside, {.behind = "more"}, "not what zstd writes"},
        {"a byte behind it", build_inside, {.behind = "x"}, "not what zstd writes"},
        {"a skippable frame", build_inside, {.behind = "\x50\x2a\x4d\x18\1\0\0\0x"}, "not what zstd writes"},
        {"a frame of version 0.7", build_inside, {.behind = "\x27\xb5\x2f\xfd"}, "not what zstd writes"},
        {"its end is cut", build_inside, {.cut = 1}, "too early"},
        {"no end", inside_without_end, {.level = 3}, "it has no end"},
        {"behind its end", inside_behind_its_end, {.level = 3}, "goes on behind its end"},
        {"behind XA in one phase", inside_behind_one_phase, {.level = 3}, "goes on behind its end"},
        {"two transactions", inside_two, {.level = 3}, "goes on behind its end"},
        {"no begin", inside_without_begin, {.level = 3}, "rows outside a transaction"},
        {"nothing", inside_nothing, {.level = 3}, "no event is in it"},
        {"nothing, plain", inside_nothing, {.plain = true}, "no event is in it"},
        {"header cut", inside_a_header_cut, {.level = 3}, "it ends inside an event"},
        {"header cut, plain", inside_a_header_cut, {.plain = true}, "it ends inside an event"},
        {"event cut", inside_an_event_cut, {.level = 3}, "it ends inside an event"},
        {"event cut, plain", inside_an_event_cut, {.plain = true}, "it ends inside an event"},
        {"length of 18", inside_a_length_below_a_header, {.level = 3}, "a length of 18 bytes"},
        {"larger than allowed", inside_a_large_event, {.level = 3}, "65536 are possible"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f;
        set_up(&f, false, 65536);
        cases[i].inside(&f.inner);
        build_gtid(&f.b, 5);
        build_payload(&f.b, &f.inner, &cases[i].how);
        expect_stop(&f, cases[i].what, cases[i].text);
        tear_down(&f);
    }
}

static void payload__with_an_event_that_is_never_in_one__corrupt(void **state)
{
    (void)state;
    static const uint8_t types[] = {
        EVENT_TRANSACTION_PAYLOAD, EVENT_GTID,      EVENT_ANONYMOUS_GTID, EVENT_GTID_TAGGED,
        EVENT_MARIADB_GTID,        EVENT_FORMAT,    EVENT_ROTATE,         EVENT_PREVIOUS_GTIDS,
        EVENT_GTID_LIST,           EVENT_HEARTBEAT, EVENT_HEARTBEAT_V2,   EVENT_STOP,
        EVENT_START_ENCRYPTION};
    for (size_t i = 0; i < sizeof types; i++) {
        struct fixture f;
        set_up(&f, false, 0);
        inside_begun(&f.inner);
        build_event(&f.inner, types[i], "\4\0\0\0\0\0\0\0bin.000009", 18);
        build_xid(&f.inner);
        build_gtid(&f.b, 5);
        build_payload(&f.b, &f.inner, &(struct payload_build){.level = 3});
        expect_stop(&f, event_row(types[i])->name, "never in one");
        tear_down(&f);
    }
}

#define EIGHT_FIELDS "\7\0\7\0\7\0\7\0\7\0\7\0\7\0\7\0"

/* A payload event by its bytes. */
static void payload__fields_that_cannot_be__stop(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        const char *bytes;
        size_t len;
        const char *text;
    } cases[] = {
        {"empty", "", 0, "TRANSACTION_PAYLOAD event is cut"},
        {"no fields", "\0", 1, "how long the payload is"},
        {"no length", "\2\1\0\3\1\30\0", 7, "how long the payload is"},
        {"no compression", "\1\1\2\3\1\30\0ab", 9, "how long the payload is"},
        {"no plain length", "\1\1\2\2\1\0\0ab", 9, "how long its events are"},
        {"another compression", "\1\1\2\2\1\1\3\1\30\0ab", 12, "of an unknown compression"},
        {"a number of two bytes", "\1\2\2\2\2\1\0\0ab", 10, "not the number"},
        {"a number cut", "\1\1\xfc\2\1\0\0ab", 9, "not the number"},
        {"33 fields", EIGHT_FIELDS EIGHT_FIELDS EIGHT_FIELDS EIGHT_FIELDS "\7\0\0", 67, "more fields than any server"},
        {"field without an end", "\1\1\2\2\1\0\7\x7f", 8, "is cut"},
        {"field of 2^63 bytes", "\1\1\2\2\1\0\7\xfe\0\0\0\0\0\0\0\x80", 16, "is cut"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f;
        set_up(&f, false, 0);
        build_event(&f.b, EVENT_TRANSACTION_PAYLOAD, cases[i].bytes, cases[i].len);
        expect_stop(&f, cases[i].what, cases[i].text);
        tear_down(&f);
    }
}

static void payload__every_truncation__is_an_error(void **state)
{
    (void)state;
    const struct payload_build forms[] = {{.level = 3}, {.frames = 3}, {.plain = true}};
    for (size_t form = 0; form < sizeof forms / sizeof forms[0]; form++) {
        for (size_t cut = 1;; cut++) {
            struct fixture f;
            struct payload_build how = forms[form];
            set_up(&f, false, 0);
            build_inside(&f.inner);
            build_gtid(&f.b, 5);
            size_t begin = f.b.log.len;
            build_payload(&f.b, &f.inner, &how);
            size_t len = f.b.log.len - begin - EVENT_HEADER_LEN - EVENT_CHECKSUM_LEN - 16;
            f.b.log.len = begin;
            how.cut = cut;
            if (cut < len) {
                build_payload(&f.b, &f.inner, &how);
                expect_stop(&f, "cut", "compressed transaction");
            }
            tear_down(&f);
            if (cut >= len)
                break;
        }
    }
}

static void payload__every_bit_flipped__gives_an_error_or_rows_but_ends(void **state)
{
    (void)state;
    unsigned stopped = 0, bits = 0;
    struct event_builder inner;
    event_builder_init(&inner, false, false);
    build_inside(&inner);
    for (size_t at = EVENT_HEADER_LEN;; at++) {
        struct fixture f;
        set_up(&f, false, 1 << 20);
        f.b.crc = false;
        buf_clear(&f.b.log);
        buf_add(&f.b.log, "\xfe\x62\x69\x6e", 4);
        build_format(&f.b);
        build_gtid(&f.b, 5);
        build_payload(&f.b, &inner, &(struct payload_build){.level = 3});
        size_t len = f.b.log.len - f.b.last;
        if (at < len)
            for (unsigned bit = 0; bit < 8; bit++) {
                assert_int_equal(log_reader_start(f.reader, &f.at, &f.e), 0);
                err_clear(&f.e);
                f.fed = 0;
                f.b.log.p[f.b.last + at] ^= (uint8_t)(1u << bit);
                stopped += feed(&f) < 0;
                bits++;
                f.b.log.p[f.b.last + at] ^= (uint8_t)(1u << bit);
            }
        tear_down(&f);
        if (at >= len)
            break;
    }
    event_builder_release(&inner);
    assert_true(bits > 1000 && stopped > bits / 4);
}

static void inside_of_many_bytes(struct event_builder *b, size_t event_bytes, unsigned events)
{
    char *text = calloc(1, event_bytes + 1);
    assert_non_null(text);
    memset(text, 'x', event_bytes);
    memcpy(text, "-- ", 3);
    build_query(b, "shop", "BEGIN");
    for (unsigned i = 0; i < events; i++)
        build_event(b, EVENT_IGNORABLE, text, event_bytes);
    free(text);
    build_xid(b);
}

/* An interrupt is looked for between two calls. */
static void payload__large_event__comes_in_steps(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, false, 0);
    inside_of_many_bytes(&f.inner, 20 * PAYLOAD_STEP_BYTES, 1);
    build_gtid(&f.b, 5);
    build_payload(&f.b, &f.inner, &(struct payload_build){.level = 1});
    assert_int_equal(feed(&f), LOG_READER_ROWSET);
    assert_true(f.calls > 20);
    tear_down(&f);
}

static bool wants_no_more(void *ctx, const char *db, const char *table)
{
    struct source *src = *(struct source **)ctx;
    (void)db;
    (void)table;
    src->ops->interrupt(src);
    return false;
}

/* The interrupt comes while next() is inside the payload. */
static void payload__interrupted_inside__next_returns_before_the_end(void **state)
{
    (void)state;
    struct source *src = NULL;
    const struct interest interest = {.wants = wants_no_more, .ctx = &src};
    const char *path = "/x/bin.000001";
    struct event_builder b, inner;
    struct schema *schema;
    struct rowset rs;
    struct position started;
    struct err e = ERR_INIT;
    const struct start from = {.kind = START_EARLIEST};
    event_builder_init(&b, false, true);
    event_builder_init(&inner, false, false);
    build_inside(&inner);
    build_gtid(&b, 5);
    build_payload(&b, &inner, &(struct payload_build){.level = 3});
    struct bytes_env files = {.files = {{path, b.log.p, b.log.len}}};
    struct env env = bytes_env(&files);
    position_init(&started);
    assert_int_equal(schema_new(&schema, NULL, &e), 0);
    const struct source_file_options opt = {
        .env = &env, .paths = &path, .path_count = 1, .reader = {.interest = &interest, .schema = schema}};
    assert_int_equal(source_file_new(&src, &opt, &e), 0);
    assert_int_equal(src->ops->open(src, &from, &started, &e), 0);
    assert_int_equal(src->ops->next(src, &rs, &e), 0);
    assert_int_equal(rs.kind, ROWSET_BEGIN);
    assert_int_equal(src->ops->next(src, &rs, &e), -ERR_INTERRUPTED);
    src->ops->close(src);
    schema_free(schema);
    position_release(&started);
    event_builder_release(&b);
    event_builder_release(&inner);
}

static void payload__left_in_the_middle__begins_anew(void **state)
{
    (void)state;
    for (unsigned calls = 1; calls < 12; calls++) {
        struct fixture f;
        const uint8_t *event;
        size_t len;
        char want[1024];
        set_up(&f, false, 0);
        build_inside(&f.inner);
        build_gtid(&f.b, 5);
        feed(&f);
        build_payload(&f.b, &f.inner, &(struct payload_build){.level = 3});
        assert_true(built_event(&f.b, 2, &event, &len));
        int rc = feed_one(&f, event, len, calls);
        assert_int_equal(rc == LOG_READER_ROWSET, calls == 11);
        assert_int_equal(log_reader_boundary(f.reader)->at.pos, calls < 11 ? 127 : f.b.log.len);
        assert_int_equal(log_reader_start(f.reader, &f.at, &f.e), 0);
        f.fed = 0;
        f.text.len = 0;
        assert_int_equal(feed(&f), LOG_READER_ROWSET);
        snprintf(want, sizeof want, "%sEND end=bin.000001:%zu\n", inside_text, f.b.log.len);
        expect_text(&f, want);
        tear_down(&f);
    }
}

static int run_payload(struct payload *payload, const struct event_payload *said, size_t *most, struct err *e)
{
    struct cursor event;
    bool last = false;
    int rc = payload_open(payload, said, e);
    while (rc >= 0 && !last) {
        rc = payload_next(payload, said, EVENT_BYTES_MAX, &event, &last, e);
        if (payload->size > *most)
            *most = payload->size;
    }
    payload_close(payload);
    payload_trim(payload);
    return rc;
}

/* A 64 MiB transaction is held compressed, and one event of it plain. */
static void payload__large_transaction__takes_the_memory_of_one_event(void **state)
{
    (void)state;
    struct event_builder inner, b;
    struct event_payload said;
    struct payload payload;
    struct err e = ERR_INIT;
    size_t most = 0;
    event_builder_init(&inner, false, false);
    event_builder_init(&b, false, false);
    inside_of_many_bytes(&inner, (size_t)2 << 20, 32);
    build_payload(&b, &inner, &(struct payload_build){.level = 1});
    const struct cursor body = cursor_over(b.log.p + b.last + EVENT_HEADER_LEN, b.log.len - b.last - EVENT_HEADER_LEN);
    assert_int_equal(event_payload_read(&said, body, &e), 0);
    payload_init(&payload);
    assert_int_equal(run_payload(&payload, &said, &most, &e), 1);
    assert_in_range(most, (size_t)2 << 20, ((size_t)2 << 20) + EVENT_HEADER_LEN);
    assert_int_equal(payload.size, 0);
    payload_release(&payload);
    event_builder_release(&inner);
    event_builder_release(&b);
}

/* What is claimed about one event is not allocated before the bytes come. */
static void payload__event_that_claims_a_gigabyte__takes_no_memory_for_it(void **state)
{
    (void)state;
    struct event_builder inner, b;
    struct event_payload said;
    struct payload payload;
    struct err e = ERR_INIT;
    size_t most = 0;
    event_builder_init(&inner, false, false);
    event_builder_init(&b, false, false);
    inside_of_many_bytes(&inner, 100000, 1);
    inner.log.p[inner.log.len - 27 - 100000 - EVENT_HEADER_LEN + 12] = 0x3f;
    char *noise = malloc(60001);
    assert_non_null(noise);
    memset(noise, 'n', 60000);
    noise[60000] = '\0';
    build_payload(&b, &inner, &(struct payload_build){.claim = (uint64_t)2 << 30, .behind = noise});
    const struct cursor body = cursor_over(b.log.p + b.last + EVENT_HEADER_LEN, b.log.len - b.last - EVENT_HEADER_LEN);
    assert_int_equal(event_payload_read(&said, body, &e), 0);
    payload_init(&payload);
    assert_int_equal(run_payload(&payload, &said, &most, &e), -ERR_CORRUPT);
    assert_in_range(most, 1, (size_t)4 << 20);
    payload_release(&payload);
    free(noise);
    event_builder_release(&inner);
    event_builder_release(&b);
}

static void payload__each_allocation_fails_once__no_memory_and_usable_again(void **state)
{
    (void)state;
    unsigned failures = 0;
    for (unsigned nth = 1;; nth++) {
        struct fixture f;
        struct rowset rs;
        const uint8_t *event;
        size_t len;
        set_up(&f, false, 0);
        build_query(&f.inner, "shop", "BEGIN");
        inside_of_many_bytes(&f.inner, 3 << 20, 1);
        build_gtid(&f.b, 5);
        feed(&f);
        build_payload(&f.b, &f.inner, &(struct payload_build){.level = 1});
        assert_true(built_event(&f.b, 2, &event, &len));
        alloc_fault_arm(nth);
        int rc = LOG_READER_MORE;
        for (unsigned calls = 0; rc >= 0 && calls < 4; calls++)
            rc = log_reader_feed(f.reader, event, len, &rs, &f.e);
        bool met = alloc_fault_met();
        alloc_fault_arm(0);
        if (met) {
            assert_int_equal(rc, -ERR_NO_MEMORY);
            failures++;
        }
        tear_down(&f);
        if (!met)
            break;
    }
    assert_true(failures > 0);
}

static void compressed__events_of_mariadb__same_as_plain(void **state)
{
    (void)state;
    static const uint8_t types[] = {EVENT_WRITE_ROWS_V1, EVENT_UPDATE_ROWS_V1, EVENT_DELETE_ROWS_V1,
                                    EVENT_WRITE_ROWS,    EVENT_UPDATE_ROWS,    EVENT_DELETE_ROWS};
    for (size_t i = 0; i < sizeof types; i++) {
        struct buf texts[2];
        for (unsigned compressed = 0; compressed < 2; compressed++) {
            struct fixture f;
            set_up(&f, true, 0);
            build_mariadb_gtid(&f.b, 5, MARIADB_GTID_TRANSACTIONAL);
            build_table_map(&f.b, 1, "shop", "t");
            if (compressed) {
                build_rows(&f.inner, types[i], 1, true, 1, "xxxxxxxxxxxxxxxxxxx");
                build_compressed(&f.b, &f.inner, &(struct payload_build){.level = 6});
                assert_int_equal(f.b.log.p[f.b.last + 4], EVENT_WRITE_ROWS_COMPRESSED_V1 + i);
                build_query(&f.inner, "shop", "COMMIT");
                build_compressed(&f.b, &f.inner, &(struct payload_build){.level = 6});
                assert_int_equal(f.b.log.p[f.b.last + 4], EVENT_QUERY_COMPRESSED);
            } else {
                build_rows(&f.b, types[i], 1, true, 1, "xxxxxxxxxxxxxxxxxxx");
                build_query(&f.b, "shop", "COMMIT");
            }
            assert_int_equal(feed(&f), LOG_READER_ROWSET);
            buf_byte(&f.text, 0);
            char *end = strstr((char *)f.text.p, "END end=bin.000001:");
            assert_non_null(end);
            assert_int_equal(strtoull(end + 19, NULL, 10), f.b.log.len);
            *end = '\0';
            texts[compressed] = f.text;
            buf_init(&f.text, 0);
            tear_down(&f);
        }
        assert_string_equal((char *)texts[0].p, (char *)texts[1].p);
        assert_non_null(strstr((char *)texts[0].p, "ROWS shop.t"));
        buf_release(&texts[0]);
        buf_release(&texts[1]);
    }
}

static void compressed__that_lies__stops_with_its_reason(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        struct payload_build how;
        uint8_t first; /* in place of the byte that says how, unless 0 */
        const char *text;
    } cases[] = {
        {"claims a byte more", {.claim_more = 1}, 0, "does not hold the bytes that it claims"},
        {"claims a byte less", {.claim_more = -1}, 0, "does not hold the bytes that it claims"},
        {"claims a gigabyte", {.claim = 1u << 30}, 0, "cannot hold the bytes that it claims"},
        {"claims more than is allowed", {.claim = 31000}, 0, "max_event_bytes"},
        {"text behind it", {.behind = "more"}, 0, "does not hold"},
        {"its end is cut", {.cut = 1}, 0, "compressed event"},
        {"not marked", {.level = 6}, 0x01, "no valid length"},
        {"length of no byte", {.level = 6}, 0x80, "no valid length"},
        {"length of five bytes", {.level = 6}, 0x85, "no valid length"},
        {"another algorithm", {.level = 6}, 0x91, "unknown algorithm"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f;
        set_up(&f, true, 30000);
        build_mariadb_gtid(&f.b, 5, MARIADB_GTID_TRANSACTIONAL);
        build_table_map(&f.b, 1, "shop", "t");
        build_rows(&f.inner, EVENT_WRITE_ROWS_V1, 1, true, 1, "some text, not short");
        f.b.crc = false;
        build_compressed(&f.b, &f.inner, &cases[i].how);
        if (cases[i].first)
            f.b.log.p[f.b.last + EVENT_HEADER_LEN + 6 + 2 + 1 + 1] = cases[i].first;
        f.b.crc = true;
        struct buf last;
        buf_init(&last, 0);
        buf_add(&last, f.b.log.p + f.b.last + EVENT_HEADER_LEN, f.b.log.len - f.b.last - EVENT_HEADER_LEN);
        f.b.log.len = f.b.last;
        build_event(&f.b, EVENT_WRITE_ROWS_COMPRESSED_V1, last.p, last.len);
        buf_release(&last);
        expect_stop(&f, cases[i].what, cases[i].text);
        tear_down(&f);
    }
}

static void compressed__every_truncation__is_an_error(void **state)
{
    (void)state;
    for (unsigned is_query = 0; is_query < 2; is_query++) {
        struct event_builder inner, b;
        struct event_compressed said;
        struct event_format format;
        struct err e = ERR_INIT;
        event_builder_init(&inner, true, false);
        event_builder_init(&b, true, false);
        assert_int_equal(event_format_read(&format, b.log.p + 4, b.log.len - 4, &e), 0);
        if (is_query)
            build_query(&inner, "shop", "CREATE TABLE t (id INT PRIMARY KEY)");
        else
            build_rows(&inner, EVENT_UPDATE_ROWS_V1, 1, true, 1, "some text, not short");
        build_compressed(&b, &inner, &(struct payload_build){.level = 6});
        const uint8_t *body = b.log.p + b.last + EVENT_HEADER_LEN;
        size_t len = b.log.len - b.last - EVENT_HEADER_LEN, whole = 0;
        assert_int_equal(event_compressed_read(&said, cursor_over(body, len), body[4 - EVENT_HEADER_LEN], &format, &e),
                         0);
        whole = said.len;
        for (size_t cut = len - whole; cut > 0; cut--) {
            struct err failed = ERR_INIT;
            assert_int_equal(
                event_compressed_read(&said, cursor_over(body, cut - 1), body[4 - EVENT_HEADER_LEN], &format, &failed),
                -ERR_CORRUPT);
        }
        event_builder_release(&inner);
        event_builder_release(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(payload__in_all_its_forms__gives_the_events_at_the_begin_of_the_transaction),
        cmocka_unit_test(payload__that_lies_or_does_not_end__stops_with_its_reason),
        cmocka_unit_test(payload__with_an_event_that_is_never_in_one__corrupt),
        cmocka_unit_test(payload__fields_that_cannot_be__stop),
        cmocka_unit_test(payload__every_truncation__is_an_error),
        cmocka_unit_test(payload__every_bit_flipped__gives_an_error_or_rows_but_ends),
        cmocka_unit_test(payload__large_event__comes_in_steps),
        cmocka_unit_test(payload__interrupted_inside__next_returns_before_the_end),
        cmocka_unit_test(payload__left_in_the_middle__begins_anew),
        cmocka_unit_test(payload__large_transaction__takes_the_memory_of_one_event),
        cmocka_unit_test(payload__event_that_claims_a_gigabyte__takes_no_memory_for_it),
        cmocka_unit_test(payload__each_allocation_fails_once__no_memory_and_usable_again),
        cmocka_unit_test(compressed__events_of_mariadb__same_as_plain),
        cmocka_unit_test(compressed__that_lies__stops_with_its_reason),
        cmocka_unit_test(compressed__every_truncation__is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
