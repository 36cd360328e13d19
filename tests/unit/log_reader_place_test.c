/* The place that the log reader has come to: files and offsets, sets of GTIDs, and where a transaction is cut off. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tools/log_reading.h"

static void log_reader__gtid__counts_at_commit_only(void **state)
{
    (void)state;
    struct log_reading f;
    struct gtid_set *set = gtid_set_new(FLAVOR_MYSQL);
    log_reading_init(&f, false, false, ON_STATEMENT_STOP);
    f.at.gtids = set;
    assert_int_equal(log_reader_start(f.reader, &f.at, &f.e), 0);
    log_reading_begin(&f, 1);
    build_table_map(&f.b, 1, "shop", "t");
    build_rows(&f.b, EVENT_WRITE_ROWS, 1, true, 1, "x");
    log_reading_feed(&f);
    assert_true(log_reader_in_transaction(f.reader));
    assert_true(gtid_set_is_empty(log_reader_boundary(f.reader)->gtids));
    assert_int_equal(log_reader_boundary(f.reader)->at.pos, 127);
    build_xid(&f.b);
    log_reading_feed(&f);
    assert_false(gtid_set_is_empty(log_reader_boundary(f.reader)->gtids));
    assert_int_equal(log_reader_boundary(f.reader)->at.pos, f.b.log.len);
    assert_int_equal(log_reader_boundary(f.reader)->commit_us, 1000);
    log_reading_release(&f);
}

static void log_reader__set_at_the_head__learnt_only_when_unknown(void **state)
{
    (void)state;
    static const uint8_t list[] = {1, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0};
    struct log_reading f;
    struct buf text;
    buf_init(&text, 0);
    log_reading_init(&f, true, false, ON_STATEMENT_STOP);
    build_event(&f.b, EVENT_GTID_LIST, list, sizeof list);
    assert_int_equal(log_reading_feed(&f), LOG_READER_NONE);
    gtid_set_print(log_reader_boundary(f.reader)->gtids, &text);
    log_reading_begin(&f, 6);
    build_xid(&f.b);
    build_event(&f.b, EVENT_GTID_LIST, list, sizeof list);
    log_reading_feed(&f);
    gtid_set_print(log_reader_boundary(f.reader)->gtids, &text);
    buf_byte(&text, 0);
    assert_string_equal((char *)text.p, "0-7-50-7-6");
    buf_release(&text);
    log_reading_release(&f);
}

static void log_reader__anonymous_transaction__empty_set_is_not_known(void **state)
{
    (void)state;
    struct log_reading f;
    log_reading_init(&f, false, false, ON_STATEMENT_STOP);
    build_event(&f.b, EVENT_PREVIOUS_GTIDS, "\0\0\0\0\0\0\0\0", 8);
    log_reading_feed(&f);
    assert_non_null(log_reader_boundary(f.reader)->gtids);
    log_reading_begin(&f, 0);
    build_xid(&f.b);
    log_reading_feed(&f);
    assert_null(log_reader_boundary(f.reader)->gtids);
    log_reading_release(&f);
}

static void log_reader__rotate_of_a_stream__found_with_and_without_checksum(void **state)
{
    (void)state;
    for (unsigned crc = 0; crc < 2; crc++) {
        struct event_builder stream;
        struct log_reading f;
        struct rowset rs;
        const uint8_t *event;
        size_t len;
        log_reading_init(&f, false, true, ON_STATEMENT_STOP);
        position_release(&f.at);
        position_init(&f.at);
        assert_int_equal(log_reader_start(f.reader, &f.at, &f.e), 0);
        event_builder_init(&stream, false, crc);
        stream.flags = EVENT_FLAG_ARTIFICIAL;
        build_rotate(&stream, "bin.000042", 777);
        assert_true(built_event(&stream, 1, &event, &len));
        assert_int_equal(log_reader_feed(f.reader, event, len, &rs, &f.e), LOG_READER_NONE);
        assert_string_equal(log_reader_at(f.reader)->file, "bin.000042");
        assert_int_equal(log_reader_at(f.reader)->pos, 777);
        event_builder_release(&stream);
        log_reading_release(&f);
    }
}

static void log_reader__format_inside_the_file__position_stays(void **state)
{
    (void)state;
    struct log_reading f;
    log_reading_init(&f, false, true, ON_STATEMENT_STOP);
    f.at.at.pos = 5000;
    assert_int_equal(log_reader_start(f.reader, &f.at, &f.e), 0);
    event_builder_release(&f.b);
    f.b.zero_pos = true;
    buf_init(&f.b.log, 0);
    buf_add(&f.b.log,
            "\xfe"
            "bin",
            4);
    build_format(&f.b);
    f.b.zero_pos = false;
    f.b.skip = 5000 - f.b.log.len;
    log_reading_begin(&f, 1);
    log_reading_feed(&f);
    buf_byte(&f.text, 0);
    assert_non_null(strstr((char *)f.text.p, "at=bin.000001:5000"));
    log_reading_release(&f);
}

static void log_reader__beyond_4_gib__position_goes_on(void **state)
{
    (void)state;
    struct log_reading f;
    log_reading_init(&f, false, true, ON_STATEMENT_STOP);
    uint64_t far = ((uint64_t)1 << 32) - 50;
    f.b.skip = far - f.b.log.len;
    log_reading_feed(&f);
    f.at.at.pos = far;
    log_reader_seek(f.reader, far);
    log_reading_begin(&f, 1);
    build_xid(&f.b);
    log_reading_feed(&f);
    assert_int_equal(log_reader_boundary(f.reader)->at.pos, f.b.log.len + f.b.skip);
    assert_true(log_reader_boundary(f.reader)->at.pos > (uint64_t)1 << 32);
    log_reading_release(&f);
}

static void log_reader__log_pos_0_inside_a_transaction__counted(void **state)
{
    (void)state;
    struct log_reading f;
    log_reading_init(&f, true, true, ON_STATEMENT_STOP);
    log_reading_begin(&f, 1);
    f.b.zero_pos = true;
    build_table_map(&f.b, 1, "shop", "t");
    build_rows(&f.b, EVENT_WRITE_ROWS_V1, 1, true, 1, "x");
    f.b.zero_pos = false;
    build_xid(&f.b);
    log_reading_feed(&f);
    assert_int_equal(log_reader_boundary(f.reader)->at.pos, f.b.log.len);
    buf_byte(&f.text, 0);
    assert_non_null(strstr((char *)f.text.p, "pos=231"));
    log_reading_release(&f);
}

static void log_reader__server_skips_events__position_follows(void **state)
{
    (void)state;
    struct log_reading f;
    log_reading_init(&f, false, true, ON_STATEMENT_STOP);
    log_reading_feed(&f);
    f.b.skip = 100000;
    log_reading_begin(&f, 1);
    log_reading_feed(&f);
    buf_byte(&f.text, 0);
    assert_non_null(strstr((char *)f.text.p, "at=bin.000001:100127 "));
    log_reading_release(&f);
}

static void log_reader__heartbeat__marks_between_transactions_only(void **state)
{
    (void)state;
    struct log_reading f;
    log_reading_init(&f, false, true, ON_STATEMENT_STOP);
    build_heartbeat(&f.b, "bin.000001", 5000);
    assert_int_equal(log_reading_feed(&f), LOG_READER_ROWSET);
    log_reading_expect(&f, "MARK end=bin.000001:5000\n");
    build_heartbeat(&f.b, "bin.000009", 5000);
    assert_int_equal(log_reading_feed(&f), LOG_READER_ROWSET);
    log_reading_expect(&f, "MARK\n");
    f.b.skip = 5000 - f.b.log.len;
    log_reading_begin(&f, 1);
    build_heartbeat(&f.b, "bin.000001", 6000);
    assert_int_equal(log_reading_feed(&f), LOG_READER_NONE);
    log_reading_release(&f);
}

static void log_reader__rotate__next_file_and_its_head(void **state)
{
    (void)state;
    struct log_reading f;
    log_reading_init(&f, false, true, ON_STATEMENT_STOP);
    build_rotate(&f.b, "bin.1000000", 4);
    log_reading_feed(&f);
    assert_true(log_reader_file_ended(f.reader));
    assert_string_equal(log_reader_boundary(f.reader)->at.file, "bin.1000000");
    assert_int_equal(log_reader_boundary(f.reader)->at.pos, 4);
    f.b.flags = EVENT_FLAG_ARTIFICIAL;
    build_rotate(&f.b, "bin.1000000", 4);
    f.b.skip = 4 - f.b.log.len;
    build_format(&f.b);
    log_reading_begin(&f, 1);
    log_reading_feed(&f);
    buf_byte(&f.text, 0);
    assert_non_null(strstr((char *)f.text.p, "at=bin.1000000:127 "));
    log_reading_release(&f);
}

static void log_reader__server_died_in_a_transaction__rolled_back_at_the_next_file(void **state)
{
    (void)state;
    struct log_reading f;
    log_reading_init(&f, false, true, ON_STATEMENT_STOP);
    log_reading_begin(&f, 1);
    f.b.flags = EVENT_FLAG_ARTIFICIAL;
    build_rotate(&f.b, "bin.000002", 4);
    log_reading_feed(&f);
    log_reading_expect(&f, "BEGIN gtid=11111111-1111-1111-1111-111111111111:1 at=bin.000001:127 us=1000\n"
                           "ROLLBACK gtid=- end=bin.000001:127\n");
    assert_string_equal(log_reader_at(f.reader)->file, "bin.000002");
    assert_int_equal(log_reader_boundary(f.reader)->at.pos, 4);
    log_reading_release(&f);
}

static void log_reader__started_inside_a_transaction__stops(void **state)
{
    (void)state;
    struct log_reading f;
    log_reading_init(&f, false, true, ON_STATEMENT_STOP);
    build_table_map(&f.b, 1, "shop", "t");
    build_rows(&f.b, EVENT_WRITE_ROWS, 1, true, 1, "x");
    log_reading_expect_stop(&f, ERR_CORRUPT, "not a boundary");
    log_reading_release(&f);
    log_reading_init(&f, false, true, ON_STATEMENT_STOP);
    build_xid(&f.b);
    log_reading_expect_stop(&f, ERR_CORRUPT, "not a boundary");
    log_reading_release(&f);
}

static void log_reader__started_again__open_transaction_forgotten(void **state)
{
    (void)state;
    struct log_reading f;
    log_reading_init(&f, false, true, ON_STATEMENT_STOP);
    log_reading_begin(&f, 1);
    log_reading_feed(&f);
    f.text.len = 0;
    assert_int_equal(log_reader_start(f.reader, &f.at, &f.e), 0);
    assert_false(log_reader_in_transaction(f.reader));
    f.fed = 0;
    log_reading_feed(&f);
    log_reading_expect(&f, "BEGIN gtid=11111111-1111-1111-1111-111111111111:1 at=bin.000001:127 us=1000\n");
    log_reading_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(log_reader__gtid__counts_at_commit_only),
        cmocka_unit_test(log_reader__set_at_the_head__learnt_only_when_unknown),
        cmocka_unit_test(log_reader__anonymous_transaction__empty_set_is_not_known),
        cmocka_unit_test(log_reader__rotate_of_a_stream__found_with_and_without_checksum),
        cmocka_unit_test(log_reader__format_inside_the_file__position_stays),
        cmocka_unit_test(log_reader__beyond_4_gib__position_goes_on),
        cmocka_unit_test(log_reader__log_pos_0_inside_a_transaction__counted),
        cmocka_unit_test(log_reader__server_skips_events__position_follows),
        cmocka_unit_test(log_reader__heartbeat__marks_between_transactions_only),
        cmocka_unit_test(log_reader__rotate__next_file_and_its_head),
        cmocka_unit_test(log_reader__server_died_in_a_transaction__rolled_back_at_the_next_file),
        cmocka_unit_test(log_reader__started_inside_a_transaction__stops),
        cmocka_unit_test(log_reader__started_again__open_transaction_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
