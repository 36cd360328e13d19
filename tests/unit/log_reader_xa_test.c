/* XA transactions through the log reader, whose rows come with their commit; and looking a log through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tools/log_reading.h"

/* X'31',X'',1 */
static void build_xa_prepare(struct log_reading *f, bool one_phase)
{
    const uint8_t body[] = {one_phase, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, '1'};
    build_event(&f->b, EVENT_XA_PREPARE, body, sizeof body);
}

static void build_xa_begin(struct log_reading *f, uint64_t number)
{
    if (f->b.mariadb) {
        build_mariadb_gtid(&f->b, number, MARIADB_GTID_PREPARED_XA | MARIADB_GTID_TRANSACTIONAL);
        return;
    }
    build_gtid(&f->b, number);
    build_query(&f->b, "shop", "XA START X'31',X'',1");
}

/* A row of a table that is wanted between rows of one that is not. */
static void build_xa_rows(struct log_reading *f)
{
    build_table_map(&f->b, 2, "shop", "other");
    build_rows(&f->b, EVENT_WRITE_ROWS, 2, true, 1, "x");
    build_table_map(&f->b, 1, "shop", "t");
    build_rows(&f->b, EVENT_WRITE_ROWS, 1, true, 1, "x");
    build_query(&f->b, "shop", "SAVEPOINT `a`");
    build_table_map(&f->b, 2, "shop", "other");
    build_rows(&f->b, EVENT_DELETE_ROWS, 2, true, 1, "x");
    build_table_map(&f->b, 1, "shop", "t");
    build_rows(&f->b, EVENT_DELETE_ROWS, 1, true, 1, "x");
    build_query(&f->b, "shop", "XA END X'31',X'',1");
}

static void build_xa_end(struct log_reading *f, uint64_t number, const char *sql)
{
    if (f->b.mariadb)
        build_mariadb_gtid(&f->b, number, MARIADB_GTID_COMPLETED_XA | MARIADB_GTID_STANDALONE);
    else
        build_gtid(&f->b, number);
    build_query(&f->b, "shop", sql);
}

static void xa_committed(bool mariadb)
{
    struct log_reading f;
    log_reading_init(&f, mariadb, true, ON_STATEMENT_STOP);
    build_xa_begin(&f, 1);
    build_xa_rows(&f);
    assert_int_equal(log_reading_feed(&f), LOG_READER_NONE);
    assert_true(log_reader_in_transaction(f.reader));
    assert_int_equal(f.text.len, 0);
    build_xa_prepare(&f, false);
    assert_int_equal(log_reading_feed(&f), LOG_READER_ROWSET);
    assert_false(log_reader_in_transaction(f.reader));
    log_reading_begin(&f, 2);
    build_table_map(&f.b, 1, "shop", "u");
    build_rows(&f.b, EVENT_WRITE_ROWS, 1, true, 7, "y");
    build_xid(&f.b);
    log_reading_feed(&f);
    f.text.len = 0;
    build_xa_end(&f, 3, "XA COMMIT X'31',X'',1");
    assert_int_equal(log_reading_feed(&f), LOG_READER_ROWSET);
    buf_byte(&f.text, 0);
    const char *text = (const char *)f.text.p;
    assert_ptr_equal(strstr(text, "BEGIN gtid="), text);
    assert_non_null(strstr(text, mariadb ? "-3 " : ":3 "));
    assert_non_null(strstr(text, "ROWS shop.t insert event=1 "));
    assert_non_null(strstr(text, "SAVEPOINT a"));
    assert_non_null(strstr(text, "ROWS shop.t delete event=3 "));
    assert_non_null(strstr(text, "END end="));
    assert_null(strstr(text, "shop.u"));
    f.text.len = 0;
    /* Once. */
    build_xa_end(&f, 4, "XA COMMIT X'31',X'',1");
    log_reading_expect_stop(&f, ERR_XA_UNKNOWN, "X'31',X'',1");
    log_reading_release(&f);
}

/* Everything is passed over but what begins and ends a transaction, and DDL; nothing is kept of what is prepared. */
static void log_reader__scan__statements_only(void **state)
{
    (void)state;
    struct log_reading f;
    for (int mariadb = 0; mariadb < 2; mariadb++) {
        log_reading_init(&f, mariadb != 0, true, ON_STATEMENT_STOP);
        log_reader_scan(f.reader, true);
        log_reading_begin(&f, 1);
        build_table_map(&f.b, 1, "shop", "t");
        build_rows(&f.b, EVENT_WRITE_ROWS, 1, true, 1, "x");
        build_query(&f.b, "shop", "INSERT INTO t VALUES (1)");
        build_event(&f.b, EVENT_INCIDENT, "\1\0\4lost", 7);
        build_xid(&f.b);
        build_xa_begin(&f, 2);
        build_xa_rows(&f);
        assert_int_equal(log_reading_feed(&f), LOG_READER_NONE);
        assert_true(log_reader_in_transaction(f.reader));
        build_xa_prepare(&f, false);
        build_xa_end(&f, 3, "XA COMMIT X'31',X'',1");
        build_xa_end(&f, 4, "XA COMMIT X'32',X'',1");
        build_xa_end(&f, 5, "XA ROLLBACK X'33',X'',1");
        if (mariadb)
            build_mariadb_gtid(&f.b, 6, MARIADB_GTID_STANDALONE);
        else
            build_gtid(&f.b, 6);
        build_query(&f.b, "shop", "ALTER TABLE t ADD c INT");
        assert_int_equal(log_reading_feed(&f), LOG_READER_ROWSET);
        assert_false(log_reader_in_transaction(f.reader));
        buf_byte(&f.text, 0);
        const char *text = (const char *)f.text.p;
        assert_null(strstr(text, "ROWS"));
        assert_null(strstr(text, "NOTE"));
        assert_non_null(strstr(text, "shop.t"));
        f.text.len = 0;
        log_reading_release(&f);
    }
}

static void log_reader__xa_of_mysql__rows_come_with_the_commit(void **state)
{
    (void)state;
    xa_committed(false);
}

static void log_reader__xa_of_mariadb__rows_come_with_the_commit(void **state)
{
    (void)state;
    xa_committed(true);
}

static void log_reader__xa_rolled_back__no_rows(void **state)
{
    (void)state;
    struct log_reading f;
    for (int mariadb = 0; mariadb < 2; mariadb++) {
        log_reading_init(&f, mariadb != 0, true, ON_STATEMENT_STOP);
        build_xa_begin(&f, 1);
        build_xa_rows(&f);
        build_xa_prepare(&f, false);
        build_xa_end(&f, 2, "XA ROLLBACK X'31',X'',1");
        build_xa_end(&f, 3, "XA ROLLBACK X'32',X'',1"); /* not known: fine */
        assert_int_equal(log_reading_feed(&f), LOG_READER_ROWSET);
        buf_byte(&f.text, 0);
        assert_null(strstr((const char *)f.text.p, "ROWS"));
        assert_null(strstr((const char *)f.text.p, "BEGIN"));
        f.text.len = 0;
        build_xa_end(&f, 4, "XA COMMIT X'31',X'',1");
        log_reading_expect_stop(&f, ERR_XA_UNKNOWN, "X'31',X'',1");
        log_reading_release(&f);
    }
}

static void log_reader__xa_one_phase__rows_come_at_once(void **state)
{
    (void)state;
    struct log_reading f;
    log_reading_init(&f, false, true, ON_STATEMENT_STOP);
    build_xa_begin(&f, 5);
    build_xa_rows(&f);
    build_xa_prepare(&f, true);
    assert_int_equal(log_reading_feed(&f), LOG_READER_ROWSET);
    buf_byte(&f.text, 0);
    assert_non_null(strstr((const char *)f.text.p, "ROWS shop.t delete event=3 "));
    assert_non_null(strstr((const char *)f.text.p, "END end="));
    log_reading_release(&f);
}

static void log_reader__xa_empty__its_commit_is_a_transaction_without_rows(void **state)
{
    (void)state;
    struct log_reading f;
    log_reading_init(&f, false, true, ON_STATEMENT_STOP);
    build_xa_begin(&f, 1);
    build_query(&f.b, "shop", "XA END X'31',X'',1");
    build_xa_prepare(&f, false);
    build_xa_end(&f, 2, "XA COMMIT X'31',X'',1");
    assert_int_equal(log_reading_feed(&f), LOG_READER_ROWSET);
    buf_byte(&f.text, 0);
    assert_non_null(strstr((const char *)f.text.p, "BEGIN gtid=11111111-1111-1111-1111-111111111111:2"));
    assert_null(strstr((const char *)f.text.p, "ROWS"));
    log_reading_release(&f);
}

static void log_reader__server_died_in_an_xa_transaction__nothing_is_told_of_it(void **state)
{
    (void)state;
    struct log_reading f;
    log_reading_init(&f, false, true, ON_STATEMENT_STOP);
    build_xa_begin(&f, 1);
    build_xa_rows(&f);
    f.b.flags = EVENT_FLAG_ARTIFICIAL;
    build_rotate(&f.b, "bin.000002", 4);
    assert_int_equal(log_reading_feed(&f), LOG_READER_NONE);
    assert_int_equal(f.text.len, 0);
    assert_false(log_reader_in_transaction(f.reader));
    assert_string_equal(log_reader_at(f.reader)->file, "bin.000002");
    log_reading_release(&f);
}

static void log_reader__xa_unknown__noted_when_told_to(void **state)
{
    (void)state;
    struct log_reading f;
    log_reading_init(&f, false, true, ON_STATEMENT_STOP);
    log_reading_options(&f, (struct log_reader_options){.on_unknown_xa = ON_UNKNOWN_XA_WARN});
    build_xa_end(&f, 2, "XA COMMIT X'31',X'',1");
    assert_int_equal(log_reading_feed(&f), LOG_READER_ROWSET);
    buf_byte(&f.text, 0);
    assert_non_null(strstr((const char *)f.text.p, "NOTE"));
    assert_non_null(strstr((const char *)f.text.p, "DDL"));
    assert_false(log_reader_in_transaction(f.reader));
    log_reading_release(&f);
}

static void log_reader__xa_prepare_outside__stops(void **state)
{
    (void)state;
    struct log_reading f;
    log_reading_init(&f, false, true, ON_STATEMENT_STOP);
    build_xa_prepare(&f, false);
    log_reading_expect_stop(&f, ERR_CORRUPT, "not a boundary");
    log_reading_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(log_reader__scan__statements_only),
        cmocka_unit_test(log_reader__xa_of_mysql__rows_come_with_the_commit),
        cmocka_unit_test(log_reader__xa_of_mariadb__rows_come_with_the_commit),
        cmocka_unit_test(log_reader__xa_rolled_back__no_rows),
        cmocka_unit_test(log_reader__xa_one_phase__rows_come_at_once),
        cmocka_unit_test(log_reader__xa_empty__its_commit_is_a_transaction_without_rows),
        cmocka_unit_test(log_reader__server_died_in_an_xa_transaction__nothing_is_told_of_it),
        cmocka_unit_test(log_reader__xa_unknown__noted_when_told_to),
        cmocka_unit_test(log_reader__xa_prepare_outside__stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
