/* Relay logs through the log reader: events of two servers in one file. Real ones: tests/golden/binlog (relay*). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "binlog/log_reader.h"
#include "tools/event_builder.h"
#include "tools/rowset_text.h"

struct fixture {
    struct event_builder b;
    struct schema *schema;
    struct log_reader *reader;
    struct interest interest;
    struct buf text;
    struct err e;
    struct position at;
    unsigned fed;
};

static bool wants(void *ctx, const char *db, const char *table)
{
    (void)ctx;
    (void)table;
    return strcmp(db, "shop") == 0;
}

static void tear_down(struct fixture *f)
{
    log_reader_free(f->reader);
    schema_free(f->schema);
    position_release(&f->at);
    event_builder_release(&f->b);
    buf_release(&f->text);
}

/* Feeds what was built; the result of the last feed. */
static int feed(struct fixture *f)
{
    const uint8_t *event;
    size_t len;
    int rc = 0;
    while (rc >= 0 && built_event(&f->b, f->fed, &event, &len)) {
        struct rowset rs;
        rc = log_reader_feed(f->reader, event, len, &rs, &f->e);
        if (rc > 0)
            rowset_text(&rs, &f->text);
        if (rc != LOG_READER_AGAIN)
            f->fed++;
    }
    return rc;
}

static void build_begin(struct fixture *f)
{
    build_gtid(&f->b, 1);
    build_query(&f->b, "shop", "BEGIN");
}

/* A relay log: FORMAT of the replica, then ROTATE and FORMAT of its source, and again where it connected anew. */
static void build_relay(struct fixture *f, uint16_t flags)
{
    f->b.flags = flags;
    build_rotate(&f->b, "source.000007", 4);
    f->b.flags = EVENT_FLAG_ARTIFICIAL;
    build_format(&f->b);
}

static void relay_set_up(struct fixture *f)
{
    memset(f, 0, sizeof *f);
    event_builder_init(&f->b, false, true);
    f->interest.wants = wants;
    assert_int_equal(schema_new(&f->schema, NULL, &f->e), 0);
    struct log_reader_options opt = {.interest = &f->interest, .schema = f->schema, .whole_files = true};
    assert_int_equal(log_reader_new(&f->reader, &opt, &f->e), 0);
    position_init(&f->at);
    f->at.at = (struct filepos){.file = "bin.000001", .pos = EVENT_FILE_MAGIC_LEN};
    assert_int_equal(log_reader_start(f->reader, &f->at, &f->e), 0);
    buf_init(&f->text, 0);
    f->b.log.len = 4;
    f->b.flags = EVENT_FLAG_RELAY;
    build_format(&f->b);
    build_relay(f, EVENT_FLAG_ARTIFICIAL);
}

static void relay_log__positions_are_its_own(void **state)
{
    (void)state;
    struct fixture f;
    relay_set_up(&f);
    uint64_t begin = f.b.log.len;
    build_begin(&f);
    build_table_map(&f.b, 1, "shop", "t");
    build_relay(&f, EVENT_FLAG_ARTIFICIAL); /* the replica goes on where it was */
    uint64_t rows = f.b.log.len;
    build_rows(&f.b, EVENT_WRITE_ROWS, 1, true, 1, "x");
    build_xid(&f.b);
    uint64_t end = f.b.log.len;
    build_relay(&f, 0);
    assert_int_equal(feed(&f), LOG_READER_NONE);
    char want[400];
    snprintf(want, sizeof want,
             "BEGIN gtid=11111111-1111-1111-1111-111111111111:1 at=bin.000001:%llu us=1000\n"
             "ROWS shop.t insert event=0 pos=%llu\n  0 {a:1,b:\"x\"}\nEND end=bin.000001:%llu\n",
             (unsigned long long)begin, (unsigned long long)rows, (unsigned long long)end);
    buf_byte(&f.text, 0);
    assert_string_equal((const char *)f.text.p, want);
    tear_down(&f);
}

static void relay_log__transaction_begun_again__the_first_is_void(void **state)
{
    (void)state;
    struct fixture f;
    relay_set_up(&f);
    build_begin(&f);
    build_table_map(&f.b, 1, "shop", "t");
    build_rows(&f.b, EVENT_WRITE_ROWS, 1, false, 1, "x");
    build_relay(&f, EVENT_FLAG_ARTIFICIAL);
    build_begin(&f);
    build_table_map(&f.b, 1, "shop", "t");
    build_rows(&f.b, EVENT_WRITE_ROWS, 1, true, 1, "x");
    build_xid(&f.b);
    assert_int_equal(feed(&f), LOG_READER_ROWSET);
    buf_byte(&f.text, 0);
    const char *rollback = strstr((char *)f.text.p, "ROLLBACK gtid=-");
    assert_non_null(rollback);
    assert_non_null(strstr(rollback, "BEGIN"));
    assert_non_null(strstr(rollback, "END"));
    tear_down(&f);
}

static void relay_log__goes_on_elsewhere_in_a_transaction__stops(void **state)
{
    (void)state;
    struct fixture f;
    relay_set_up(&f);
    build_begin(&f);
    build_table_map(&f.b, 1, "shop", "t");
    f.b.flags = EVENT_FLAG_RELAY;
    build_rotate(&f.b, "bin.000002", 4);
    assert_int_equal(feed(&f), -(int)ERR_CORRUPT);
    assert_non_null(strstr(f.e.text, "the relay log goes on in another file inside a transaction"));
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(relay_log__positions_are_its_own),
        cmocka_unit_test(relay_log__transaction_begun_again__the_first_is_void),
        cmocka_unit_test(relay_log__goes_on_elsewhere_in_a_transaction__stops),
    };
    return cmocka_run_group_tests_name("relay_log", tests, NULL, NULL);
}
