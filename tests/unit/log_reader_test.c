/* The log reader on built logs: what comes out of which order of events, and what stops. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tools/log_reading.h"

static void log_reader__transaction_of_mysql__begin_rows_end(void **state)
{
    (void)state;
    struct log_reading f;
    log_reading_init(&f, false, true, ON_STATEMENT_STOP);
    log_reading_begin(&f, 5);
    build_table_map(&f.b, 1, "shop", "t");
    build_rows(&f.b, EVENT_WRITE_ROWS, 1, true, 1, "x");
    build_table_map(&f.b, 1, "shop", "t");
    build_rows(&f.b, EVENT_UPDATE_ROWS, 1, false, 1, "x");
    build_rows(&f.b, EVENT_DELETE_ROWS, 1, true, 1, NULL);
    build_xid(&f.b);
    assert_int_equal(log_reading_feed(&f), LOG_READER_ROWSET);
    log_reading_expect(&f, "BEGIN gtid=11111111-1111-1111-1111-111111111111:5 at=bin.000001:127 us=1000\n"
                           "ROWS shop.t insert event=0 pos=316\n"
                           "  0 {a:1,b:\"x\"}\n"
                           "ROWS shop.t update event=1 pos=420\n"
                           "  0 {a:1,b:\"x\"} -> {a:1,b:\"new\"}\n"
                           "ROWS shop.t delete event=2 pos=472\n"
                           "  0 {a:1,b:null}\n"
                           "END end=bin.000001:543\n");
    log_reading_release(&f);
}

static void log_reader__transaction_of_mariadb__gtid_begins(void **state)
{
    (void)state;
    struct log_reading f;
    log_reading_init(&f, true, false, ON_STATEMENT_STOP);
    log_reading_begin(&f, 9);
    build_table_map(&f.b, 1, "shop", "t");
    build_rows(&f.b, EVENT_WRITE_ROWS_V1, 1, true, 1, "x");
    build_query(&f.b, "shop", "COMMIT");
    assert_int_equal(log_reading_feed(&f), LOG_READER_ROWSET);
    log_reading_expect(&f, "BEGIN gtid=0-7-9 at=bin.000001:127 us=100000000~\n"
                           "ROWS shop.t insert event=0 pos=223\n"
                           "  0 {a:1,b:\"x\"}\n"
                           "END end=bin.000001:311\n");
    log_reading_release(&f);
}

static void log_reader__rows_of_other_tables__counted_not_handed_out(void **state)
{
    (void)state;
    struct log_reading f;
    log_reading_init(&f, false, false, ON_STATEMENT_STOP);
    log_reading_begin(&f, 1);
    build_table_map(&f.b, 1, "other", "t");
    build_table_map(&f.b, 2, "shop", "t");
    build_rows(&f.b, EVENT_WRITE_ROWS, 1, false, 1, "x");
    build_rows(&f.b, EVENT_WRITE_ROWS, 1, false, 2, "x");
    build_rows(&f.b, EVENT_WRITE_ROWS, 2, true, 3, "x");
    assert_int_equal(log_reading_feed(&f), LOG_READER_ROWSET);
    buf_byte(&f.text, 0);
    assert_non_null(strstr((char *)f.text.p, "ROWS shop.t insert event=2"));
    assert_null(strstr((char *)f.text.p, "other"));
    log_reading_release(&f);
}

static void log_reader__savepoints__told_with_plain_names(void **state)
{
    (void)state;
    struct log_reading f;
    log_reading_init(&f, true, false, ON_STATEMENT_STOP);
    log_reading_begin(&f, 1);
    build_query(&f.b, "shop", "SAVEPOINT `S``1`");
    build_query(&f.b, "shop", "ROLLBACK TO `s``1`");
    build_query(&f.b, "shop", "ROLLBACK");
    assert_int_equal(log_reading_feed(&f), LOG_READER_ROWSET);
    log_reading_expect(&f, "BEGIN gtid=0-7-1 at=bin.000001:127 us=100000000~\n"
                           "SAVEPOINT s`1\n"
                           "ROLLBACK_TO s`1\n"
                           "ROLLBACK gtid=0-7-1 end=bin.000001:345\n");
    log_reading_release(&f);
}

static void log_reader__statement_ended__id_must_be_mapped_again(void **state)
{
    (void)state;
    struct log_reading f;
    log_reading_init(&f, false, true, ON_STATEMENT_STOP);
    log_reading_begin(&f, 1);
    build_table_map(&f.b, 1, "shop", "t");
    build_rows(&f.b, EVENT_WRITE_ROWS, 1, true, 1, "x");
    build_rows(&f.b, EVENT_WRITE_ROWS, 1, true, 1, "x");
    log_reading_expect_stop(&f, ERR_CORRUPT, "bin.000001:358: rows of a table id that no TABLE_MAP");
    log_reading_release(&f);
}

static void log_reader__same_id_other_table__the_new_one(void **state)
{
    (void)state;
    struct log_reading f;
    log_reading_init(&f, false, false, ON_STATEMENT_STOP);
    log_reading_begin(&f, 1);
    build_table_map(&f.b, 1, "shop", "t");
    build_rows(&f.b, EVENT_WRITE_ROWS, 1, true, 1, "x");
    build_table_map(&f.b, 1, "shop", "u");
    build_rows(&f.b, EVENT_WRITE_ROWS, 1, true, 1, "x");
    build_table_map(&f.b, 1, "other", "u");
    build_rows(&f.b, EVENT_WRITE_ROWS, 1, true, 1, "x");
    assert_int_equal(log_reading_feed(&f), LOG_READER_NONE);
    buf_byte(&f.text, 0);
    assert_non_null(strstr((char *)f.text.p, "ROWS shop.u insert event=1"));
    assert_null(strstr((char *)f.text.p, "event=2"));
    log_reading_release(&f);
}

static void log_reader__dummy_rows__end_the_statement(void **state)
{
    (void)state;
    static const uint8_t dummy[] = {0xff, 0xff, 0xff, 0, 0, 0, 1, 0, 2, 0, 1, 0xff};
    struct log_reading f;
    log_reading_init(&f, false, false, ON_STATEMENT_STOP);
    log_reading_begin(&f, 1);
    build_table_map(&f.b, 1, "shop", "t");
    build_event(&f.b, EVENT_WRITE_ROWS, dummy, sizeof dummy);
    assert_int_equal(log_reading_feed(&f), LOG_READER_NONE);
    build_rows(&f.b, EVENT_WRITE_ROWS, 1, true, 1, "x");
    log_reading_expect_stop(&f, ERR_CORRUPT, "no TABLE_MAP");
    log_reading_release(&f);
}

static void log_reader__types_that_are_not_supported__named(void **state)
{
    (void)state;
    static const struct {
        uint8_t type;
        const char *name;
    } cases[] = {{99, "unknown"}, {20, "PRE_GA"}, {255, "unknown"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct log_reading f;
        log_reading_init(&f, false, true, ON_STATEMENT_STOP);
        build_event(&f.b, cases[i].type, "abc", 3);
        log_reading_expect_stop(&f, ERR_EVENT_UNKNOWN, cases[i].name);
        log_reading_release(&f);
    }
}

static void log_reader__unknown_but_ignorable__passed(void **state)
{
    (void)state;
    struct log_reading f;
    log_reading_init(&f, false, true, ON_STATEMENT_STOP);
    f.b.flags = EVENT_FLAG_IGNORABLE;
    build_event(&f.b, 99, "abc", 3);
    assert_int_equal(log_reading_feed(&f), LOG_READER_NONE);
    assert_int_equal(log_reader_at(f.reader)->pos, f.b.log.len);
    log_reading_release(&f);
}

static void log_reader__incident__stops_with_its_message(void **state)
{
    (void)state;
    struct log_reading f;
    log_reading_init(&f, false, true, ON_STATEMENT_STOP);
    build_event(&f.b, EVENT_INCIDENT, "\1\0\4lost", 7);
    log_reading_expect_stop(&f, ERR_INCIDENT, "lost");
    log_reading_release(&f);
}

static void log_reader__checksum_wrong__corrupt_with_its_place(void **state)
{
    (void)state;
    struct log_reading f;
    log_reading_init(&f, false, true, ON_STATEMENT_STOP);
    log_reading_begin(&f, 1);
    f.b.log.p[f.b.last + 30] ^= 1;
    log_reading_expect_stop(&f, ERR_CORRUPT, "bin.000001:199: checksum of the event is");
    log_reading_release(&f);
}

static void log_reader__log_of_binlog_version_3__stops_by_name(void **state)
{
    (void)state;
    struct log_reading f;
    log_reading_init(&f, false, false, ON_STATEMENT_STOP);
    f.b.log.len = 4;
    static const uint8_t start[56] = {3, 0, '4', '.', '1', '.', '2', '2'};
    build_event(&f.b, EVENT_START_V3, start, sizeof start);
    log_reading_expect_stop(&f, ERR_EVENT_UNKNOWN, "START_V3, of a server before MySQL 5.0");
    log_reading_release(&f);
}

static void log_reader__incident__stops_or_is_told(void **state)
{
    (void)state;
    static const uint8_t lost[] = {1, 0, 4, 'd', 'i', 's', 'k'}, none[] = {0, 0, 0};
    struct log_reading f;
    log_reading_init(&f, false, true, ON_STATEMENT_STOP);
    build_event(&f.b, EVENT_INCIDENT, none, sizeof none);
    build_event(&f.b, EVENT_INCIDENT, lost, sizeof lost);
    log_reading_expect_stop(&f, ERR_INCIDENT, "lost events: disk");
    log_reading_release(&f);
    log_reading_init(&f, false, true, ON_STATEMENT_WARN);
    build_event(&f.b, EVENT_INCIDENT, lost, sizeof lost);
    assert_int_equal(log_reading_feed(&f), LOG_READER_ROWSET);
    buf_byte(&f.text, 0);
    assert_non_null(strstr((char *)f.text.p, "lost events: disk"));
    log_reading_release(&f);
}

static void log_reader__types_that_are_not_known__ignored_only_with_the_flag(void **state)
{
    (void)state;
    for (unsigned type = 43; type < 256; type++) {
        if (event_row((uint8_t)type))
            continue;
        struct log_reading f;
        log_reading_init(&f, false, true, ON_STATEMENT_WARN);
        f.b.flags = EVENT_FLAG_IGNORABLE;
        build_event(&f.b, (uint8_t)type, "any bytes", 9);
        assert_int_equal(log_reading_feed(&f), LOG_READER_NONE);
        build_event(&f.b, (uint8_t)type, "any bytes", 9);
        log_reading_expect_stop(&f, ERR_EVENT_UNKNOWN, "(unknown) is not supported");
        log_reading_release(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(log_reader__transaction_of_mysql__begin_rows_end),
        cmocka_unit_test(log_reader__transaction_of_mariadb__gtid_begins),
        cmocka_unit_test(log_reader__log_of_binlog_version_3__stops_by_name),
        cmocka_unit_test(log_reader__incident__stops_or_is_told),
        cmocka_unit_test(log_reader__types_that_are_not_known__ignored_only_with_the_flag),
        cmocka_unit_test(log_reader__rows_of_other_tables__counted_not_handed_out),
        cmocka_unit_test(log_reader__savepoints__told_with_plain_names),
        cmocka_unit_test(log_reader__statement_ended__id_must_be_mapped_again),
        cmocka_unit_test(log_reader__same_id_other_table__the_new_one),
        cmocka_unit_test(log_reader__dummy_rows__end_the_statement),
        cmocka_unit_test(log_reader__types_that_are_not_supported__named),
        cmocka_unit_test(log_reader__unknown_but_ignorable__passed),
        cmocka_unit_test(log_reader__incident__stops_with_its_message),
        cmocka_unit_test(log_reader__checksum_wrong__corrupt_with_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
