/* Relay logs through the log reader: events of two servers in one file. Real ones: tests/golden/binlog (relay*). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tools/log_reading.h"

/* A relay log: FORMAT of the replica, then ROTATE and FORMAT of its source, and again where it connected anew. */
static void build_relay(struct log_reading *f, uint16_t flags)
{
    f->b.flags = flags;
    build_rotate(&f->b, "source.000007", 4);
    f->b.flags = EVENT_FLAG_ARTIFICIAL;
    build_format(&f->b);
}

static void relay_set_up(struct log_reading *f)
{
    log_reading_init(f, false, true, ON_STATEMENT_STOP);
    log_reading_options(f, (struct log_reader_options){.whole_files = true});
    f->b.log.len = 4;
    f->b.flags = EVENT_FLAG_RELAY;
    build_format(&f->b);
    build_relay(f, EVENT_FLAG_ARTIFICIAL);
}

static void relay_log__positions_are_its_own(void **state)
{
    (void)state;
    struct log_reading f;
    relay_set_up(&f);
    uint64_t begin = f.b.log.len;
    log_reading_begin(&f, 1);
    build_table_map(&f.b, 1, "shop", "t");
    build_relay(&f, EVENT_FLAG_ARTIFICIAL); /* the replica goes on where it was */
    uint64_t rows = f.b.log.len;
    build_rows(&f.b, EVENT_WRITE_ROWS, 1, true, 1, "x");
    build_xid(&f.b);
    uint64_t end = f.b.log.len;
    build_relay(&f, 0);
    assert_int_equal(log_reading_feed(&f), LOG_READER_NONE);
    char want[400];
    snprintf(want, sizeof want,
             "BEGIN gtid=11111111-1111-1111-1111-111111111111:1 at=bin.000001:%llu us=1000\n"
             "ROWS shop.t insert event=0 pos=%llu\n  0 {a:1,b:\"x\"}\nEND end=bin.000001:%llu\n",
             (unsigned long long)begin, (unsigned long long)rows, (unsigned long long)end);
    buf_byte(&f.text, 0);
    assert_string_equal((const char *)f.text.p, want);
    log_reading_release(&f);
}

static void relay_log__transaction_begun_again__the_first_is_void(void **state)
{
    (void)state;
    struct log_reading f;
    relay_set_up(&f);
    log_reading_begin(&f, 1);
    build_table_map(&f.b, 1, "shop", "t");
    build_rows(&f.b, EVENT_WRITE_ROWS, 1, false, 1, "x");
    build_relay(&f, EVENT_FLAG_ARTIFICIAL);
    log_reading_begin(&f, 1);
    build_table_map(&f.b, 1, "shop", "t");
    build_rows(&f.b, EVENT_WRITE_ROWS, 1, true, 1, "x");
    build_xid(&f.b);
    assert_int_equal(log_reading_feed(&f), LOG_READER_ROWSET);
    buf_byte(&f.text, 0);
    const char *rollback = strstr((char *)f.text.p, "ROLLBACK gtid=-");
    assert_non_null(rollback);
    assert_non_null(strstr(rollback, "BEGIN"));
    assert_non_null(strstr(rollback, "END"));
    log_reading_release(&f);
}

static void relay_log__goes_on_elsewhere_in_a_transaction__stops(void **state)
{
    (void)state;
    struct log_reading f;
    relay_set_up(&f);
    log_reading_begin(&f, 1);
    build_table_map(&f.b, 1, "shop", "t");
    f.b.flags = EVENT_FLAG_RELAY;
    build_rotate(&f.b, "bin.000002", 4);
    assert_int_equal(log_reading_feed(&f), -(int)ERR_CORRUPT);
    assert_non_null(strstr(f.e.text, "the relay log goes on in another file inside a transaction"));
    log_reading_release(&f);
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
