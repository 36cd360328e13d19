/* Statements in a log: what they do to the tables that are wanted, and to the names of the rows behind them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tools/log_reading.h"

static void log_reader__ddl_of_a_wanted_table__one_rowset_with_its_effect(void **state)
{
    (void)state;
    static const struct {
        const char *sql;
        const char *line;
    } cases[] = {
        {"ALTER TABLE t ADD c INT", "effect=schema shop.t"},
        {"TRUNCATE other.x", "effect=nothing"},
        {"TRUNCATE shop.T", "effect=truncate shop.T"},
        {"DROP TABLE `t`, other.t", "effect=truncate shop.t"},
        {"ALTER TABLE t TRUNCATE PARTITION p0", "effect=truncate shop.t"},
        {"RENAME TABLE t TO _t_del, _t_gho TO t", "effect=schema shop.t"},
        {"RENAME TABLE t TO _t_old, _other TO t", "effect=truncate shop.t"},
        {"CREATE USER x", "effect=nothing"},
        {"# Dum", "effect=nothing"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct log_reading f;
        log_reading_init(&f, false, false, ON_STATEMENT_STOP);
        build_gtid(&f.b, 3);
        build_query(&f.b, "shop", cases[i].sql);
        assert_int_equal(log_reading_feed(&f), LOG_READER_ROWSET);
        char want[256];
        snprintf(want, sizeof want,
                 "DDL gtid=11111111-1111-1111-1111-111111111111:3 at=bin.000001:127 us=1000 %s end=bin.000001:%zu\n",
                 cases[i].line, f.b.log.len);
        log_reading_expect(&f, want);
        log_reading_release(&f);
    }
}

static void log_reader__database_dropped__the_tables_met_in_it(void **state)
{
    (void)state;
    struct log_reading f;
    log_reading_init(&f, false, false, ON_STATEMENT_STOP);
    log_reading_begin(&f, 1);
    build_table_map(&f.b, 1, "shop", "t");
    build_rows(&f.b, EVENT_WRITE_ROWS, 1, true, 1, "x");
    build_xid(&f.b);
    build_gtid(&f.b, 2);
    build_query(&f.b, "", "DROP DATABASE Shop");
    log_reading_feed(&f);
    buf_byte(&f.text, 0);
    assert_non_null(strstr((char *)f.text.p, "effect=truncate shop.t end="));
    log_reading_release(&f);
}

static void log_reader__statement_not_understood__stops_when_it_names_a_wanted_table(void **state)
{
    (void)state;
    static const struct {
        const char *sql;
        bool stops;
    } cases[] = {{"FROB TABLE t", true}, {"FROB other.t", false}, {"FROB shop.t", true},     {"FROB `T`", true},
                 {"FROB x", false},      {"FROB x 'open", true},  {"FROB other.t, t", true}, {"FROB /* t */ x", false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct log_reading f;
        log_reading_init(&f, false, false, ON_STATEMENT_STOP);
        build_gtid(&f.b, 3);
        build_query(&f.b, strstr(cases[i].sql, "other.t") && !cases[i].stops ? "none" : "shop", cases[i].sql);
        int rc = log_reading_feed(&f);
        if (rc != (cases[i].stops ? -ERR_DDL_UNKNOWN : LOG_READER_ROWSET))
            fail_msg("%s: %d %s", cases[i].sql, rc, f.e.text);
        log_reading_release(&f);
    }
}

static void log_reader__change_by_statement__stops_or_is_noted(void **state)
{
    (void)state;
    struct log_reading f;
    log_reading_init(&f, false, false, ON_STATEMENT_STOP);
    log_reading_begin(&f, 1);
    build_event(&f.b, EVENT_INTVAR, "\2\1\0\0\0\0\0\0\0", 9);
    build_query(&f.b, "elsewhere", "INSERT INTO t VALUES ('secret')");
    log_reading_expect_stop(&f, ERR_STATEMENT_DML, "INSERT INTO t VALUES ...");
    assert_null(strstr(f.e.text, "secret"));
    log_reading_release(&f);
    log_reading_init(&f, false, false, ON_STATEMENT_WARN);
    log_reading_begin(&f, 1);
    build_query(&f.b, "elsewhere", "UPDATE t SET a=1");
    build_xid(&f.b);
    log_reading_feed(&f);
    buf_byte(&f.text, 0);
    assert_non_null(strstr((char *)f.text.p, "\nNOTE statement_dml: "));
    assert_non_null(strstr((char *)f.text.p, "\nEND "));
    log_reading_release(&f);
}

/* A transaction with one row, whose event has no names. */
static void build_bare_row(struct log_reading *f, uint64_t number, uint64_t id, const char *table)
{
    log_reading_begin(f, number);
    build_bare_table_map(&f->b, id, "shop", table);
    build_rows(&f->b, EVENT_WRITE_ROWS_V1, id, true, 1, "x");
    build_xid(&f->b);
}

static void build_ddl(struct log_reading *f, uint64_t number, const char *sql)
{
    if (f->b.mariadb)
        build_mariadb_gtid(&f->b, number, MARIADB_GTID_STANDALONE);
    else
        build_gtid(&f->b, number);
    build_query(&f->b, "shop", sql);
}

static void expect_names(struct log_reading *f, const char *names)
{
    int rc = log_reading_feed(f);
    if (rc < 0)
        fail_msg("%s: %s", names, f->e.text);
    buf_byte(&f->text, 0);
    if (!strstr((const char *)f->text.p, names))
        fail_msg("'%s' is not in %s", names, (const char *)f->text.p);
    f->text.len = 0;
}

#define TABLE_T "CREATE TABLE t (id int NOT NULL, name varchar(20) CHARACTER SET latin1)"

static void log_reader__no_names_in_the_log__those_of_the_statements_before(void **state)
{
    (void)state;
    struct log_reading f;
    for (int mariadb = 0; mariadb < 2; mariadb++) {
        log_reading_init(&f, mariadb != 0, true, ON_STATEMENT_STOP);
        build_ddl(&f, 1, TABLE_T);
        build_bare_row(&f, 2, 1, "t");
        expect_names(&f, "{id:1,name:\"x\"}");
        build_ddl(&f, 3, "ALTER TABLE t CHANGE name label varchar(20) CHARACTER SET latin1");
        build_bare_row(&f, 4, 1, "t");
        expect_names(&f, "{id:1,label:\"x\"}");
        build_ddl(&f, 5, "RENAME TABLE t TO u");
        build_bare_row(&f, 6, 2, "u");
        expect_names(&f, "shop.u insert");
        build_bare_row(&f, 7, 3, "t");
        log_reading_expect_stop(&f, ERR_SCHEMA_UNKNOWN, "shop.t");
        log_reading_release(&f);
    }
}

static void log_reader__create_with_rows_of_a_query__known_in_its_transaction(void **state)
{
    (void)state;
    struct log_reading f;
    for (int mariadb = 0; mariadb < 2; mariadb++) {
        log_reading_init(&f, mariadb != 0, true, ON_STATEMENT_STOP);
        log_reading_begin(&f, 1);
        build_query(&f.b, "shop", mariadb ? TABLE_T : TABLE_T " START TRANSACTION");
        build_bare_table_map(&f.b, 1, "shop", "t");
        build_rows(&f.b, EVENT_WRITE_ROWS_V1, 1, true, 1, "x");
        build_xid(&f.b);
        expect_names(&f, "{id:1,name:\"x\"}");
        log_reading_release(&f);
    }
}

/* MariaDB's CREATE OR REPLACE TABLE ... SELECT. */
static void log_reader__replaced_with_rows_of_a_query__discarded_in_its_transaction(void **state)
{
    (void)state;
    struct log_reading f;
    log_reading_init(&f, true, true, ON_STATEMENT_STOP);
    build_ddl(&f, 1, TABLE_T);
    log_reading_feed(&f);
    f.text.len = 0;
    log_reading_begin(&f, 2);
    build_query(&f.b, "shop", "CREATE OR REPLACE TABLE t (id int NOT NULL, label varchar(20) CHARACTER SET latin1)");
    build_bare_table_map(&f.b, 1, "shop", "t");
    build_rows(&f.b, EVENT_WRITE_ROWS_V1, 1, true, 1, "x");
    build_xid(&f.b);
    assert_true(log_reading_feed(&f) >= 0);
    buf_byte(&f.text, 0);
    const char *begin = strstr((const char *)f.text.p, "BEGIN"),
               *discard = begin ? strstr(begin, "DISCARD shop.t\n") : NULL,
               *rows = discard ? strstr(discard, "ROWS shop.t insert event=1 ") : NULL;
    if (!rows || !strstr(rows, "{id:1,label:\"x\"}"))
        fail_msg("%s", (const char *)f.text.p);
    log_reading_release(&f);
}

/* The create of a query's table has a rowset of its own then, which its number among the rows does not count. */
static void log_reader__statements_asked_for__shown_before_the_rows_of_their_query(void **state)
{
    (void)state;
    struct log_reading f;
    for (int mariadb = 0; mariadb < 2; mariadb++) {
        log_reading_init(&f, mariadb != 0, true, ON_STATEMENT_STOP);
        log_reading_options(&f, (struct log_reader_options){.statements = true});
        log_reading_begin(&f, 1);
        build_query(&f.b, "shop", mariadb ? TABLE_T : TABLE_T " START TRANSACTION");
        build_bare_table_map(&f.b, 1, "shop", "t");
        build_rows(&f.b, EVENT_WRITE_ROWS_V1, 1, true, 1, "x");
        build_xid(&f.b);
        assert_true(log_reading_feed(&f) >= 0);
        buf_byte(&f.text, 0);
        const char *begin = strstr((const char *)f.text.p, "BEGIN"),
                   *shown = begin ? strstr(begin, "STATEMENT shop.t shown=0,t:0>2\n") : NULL,
                   *rows = shown ? strstr(shown, "ROWS shop.t insert event=0 ") : NULL;
        if (!rows)
            fail_msg("%s", (const char *)f.text.p);
        log_reading_release(&f);
    }
    log_reading_init(&f, true, true, ON_STATEMENT_STOP);
    log_reading_options(&f, (struct log_reader_options){.statements = true});
    build_ddl(&f, 1, TABLE_T);
    log_reading_feed(&f);
    f.text.len = 0;
    log_reading_begin(&f, 2);
    build_query(&f.b, "shop", "CREATE OR REPLACE TABLE t (id int NOT NULL)");
    expect_names(&f, "DISCARD shop.t shown=0,t:2>1\n");
    log_reading_release(&f);
}

static void log_reader__statements_asked_for__those_of_wanted_tables_and_databases(void **state)
{
    (void)state;
    static const struct {
        const char *sql, *want; /* NULL: not shown */
    } rows[] = {
        {TABLE_T, "effect=schema shop.t shown=0,t:0>2 "},
        {"ALTER TABLE t ADD a int", "effect=schema shop.t shown=1,t:2>3 "},
        {"CREATE INDEX i ON t (a)", "effect=schema shop.t shown=5,t:3>3 "},
        {"RENAME TABLE t TO other", "effect=truncate shop.t shown=3,t:3>3 "},
        {"RENAME TABLE other TO u", "effect=truncate shop.u shown=3,other:3>3 "},
        {"TRUNCATE u", "effect=truncate shop.u shown=4,u:3>3 "},
        {"DROP TABLE u", "effect=truncate shop.u shown=2,u:3>0 "},
        {"ALTER DATABASE shop CHARSET latin1", "effect=nothing shown=8 "},
        {"CREATE TABLE other (id int)", NULL},
        {"CREATE VIEW v AS SELECT 1", NULL},
    };
    struct log_reading f;
    log_reading_init(&f, true, true, ON_STATEMENT_STOP);
    log_reading_options(&f, (struct log_reader_options){.statements = true});
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        build_ddl(&f, i + 1, rows[i].sql);
        assert_true(log_reading_feed(&f) >= 0);
        buf_byte(&f.text, 0);
        const char *text = (const char *)f.text.p;
        if (rows[i].want ? !strstr(text, rows[i].want) : strstr(text, "shown") != NULL)
            fail_msg("%s: %s", rows[i].sql, text);
        f.text.len = 0;
    }
    log_reading_release(&f);
}

/* What was read of the table's server afterwards must not be taken for older than the statement. */
static void log_reader__replaced_with_rows_of_a_query__told_by_a_scan(void **state)
{
    (void)state;
    struct log_reading f;
    log_reading_init(&f, true, true, ON_STATEMENT_STOP);
    log_reader_scan(f.reader, true);
    log_reading_begin(&f, 1);
    build_query(&f.b, "shop", "CREATE OR REPLACE TABLE t (id int NOT NULL, label varchar(20) CHARACTER SET latin1)");
    build_bare_table_map(&f.b, 1, "shop", "t");
    build_rows(&f.b, EVENT_WRITE_ROWS_V1, 1, true, 1, "x");
    build_xid(&f.b);
    assert_true(log_reading_feed(&f) >= 0);
    buf_byte(&f.text, 0);
    const char *begin = strstr((const char *)f.text.p, "BEGIN");
    if (!begin || !strstr(begin, "DISCARD shop.t\n") || strstr(begin, "ROWS"))
        fail_msg("%s", (const char *)f.text.p);
    log_reading_release(&f);
}

/* A statement of a client whose character set is gbk. */
static void build_gbk_query(struct log_reading *f, const char *sql)
{
    static const uint8_t head[] = {0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 7, 0, 4, 28, 0, 28, 0, 8, 0, 's', 'h', 'o', 'p', 0};
    struct buf body;
    buf_init(&body, 0);
    buf_add(&body, head, sizeof head);
    buf_text(&body, sql);
    build_event(&f->b, EVENT_QUERY, body.p, body.len);
    buf_release(&body);
}

/* The bytes c3 a9 are a letter of UTF-8, and another one of gbk. */
static void log_reader__statement_that_the_server_wrote__names_are_utf8(void **state)
{
    (void)state;
    static const struct {
        const char *sql;
        bool inside;
        const char *name;
    } cases[] = {
        {"CREATE TABLE `t` (`\xc3\xa9` int NOT NULL, name varchar(20) CHARACTER SET latin1)", true, "{\xc3\xa9:1"},
        {"CREATE TABLE `t` (\n  `\xc3\xa9` int NOT NULL,\n  name varchar(20) CHARACTER SET latin1\n)", false,
         "{\xc3\xa9:1"},
        {"CREATE TABLE t (`\xc3\xa9` int NOT NULL, name varchar(20) CHARACTER SET latin1)", false, "{\xe8\x8c\x85:1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct log_reading f;
        log_reading_init(&f, false, true, ON_STATEMENT_STOP);
        if (cases[i].inside)
            log_reading_begin(&f, 1);
        else
            build_gtid(&f.b, 1);
        build_gbk_query(&f, cases[i].sql);
        if (!cases[i].inside)
            log_reading_begin(&f, 2);
        build_bare_table_map(&f.b, 1, "shop", "t");
        build_rows(&f.b, EVENT_WRITE_ROWS_V1, 1, true, 1, "x");
        build_xid(&f.b);
        expect_names(&f, cases[i].name);
        log_reading_release(&f);
    }
}

static void log_reader__statement_about_a_wanted_table_that_cannot_be_read__stops(void **state)
{
    (void)state;
    struct log_reading f;
    log_reading_init(&f, false, true, ON_STATEMENT_STOP);
    build_ddl(&f, 1, "CREATE TABLE t (id FROBNICATED WITH CHEESE)");
    log_reading_expect_stop(&f, ERR_DDL_UNKNOWN, "shop.t");
    log_reading_release(&f);
}

/* What nobody wants is told once, and the transaction's boundary comes all the same. */
static void log_reader__statement_not_understood__noted(void **state)
{
    (void)state;
    static const char *const statements[] = {"FROB TABLE x", "CREATE TABLE x (id FROBNICATED WITH CHEESE)"};
    for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++) {
        struct log_reading f;
        log_reading_init(&f, false, true, ON_STATEMENT_STOP);
        build_ddl(&f, 1, statements[i]);
        assert_int_equal(log_reading_feed(&f), LOG_READER_ROWSET);
        buf_byte(&f.text, 0);
        const char *note = strstr((const char *)f.text.p, "NOTE"), *ddl = strstr((const char *)f.text.p, "DDL");
        assert_true(note && ddl && note < ddl && !strstr(note + 1, "NOTE"));
        log_reading_release(&f);
    }
}

/* MariaDB with binlog_alter_two_phase: GTID with further flags, then the whole statement. */
static void build_alter(struct log_reading *f, uint64_t number, uint8_t extra, const char *table)
{
    char sql[64];
    uint8_t body[22] = {(uint8_t)number, [12] = MARIADB_GTID_STANDALONE | MARIADB_GTID_DDL, [13] = extra};
    build_event(&f->b, EVENT_MARIADB_GTID, body, sizeof body);
    snprintf(sql, sizeof sql, "ALTER TABLE %s ADD COLUMN c INT", table);
    build_query(&f->b, "shop", sql);
}

static void log_reader__alter_in_two_phases__has_effect_at_its_commit_only(void **state)
{
    (void)state;
    struct log_reading f;
    log_reading_init(&f, true, false, ON_STATEMENT_STOP);
    build_alter(&f, 1, MARIADB_GTID_START_ALTER, "t");
    build_alter(&f, 2, MARIADB_GTID_START_ALTER, "u");
    build_alter(&f, 3, MARIADB_GTID_ROLLBACK_ALTER, "t");
    build_alter(&f, 4, MARIADB_GTID_COMMIT_ALTER, "u");
    build_alter(&f, 5, 0, "t");
    assert_int_equal(log_reading_feed(&f), LOG_READER_ROWSET);
    buf_byte(&f.text, 0);
    char *at = (char *)f.text.p;
    static const char *const effects[] = {"effect=nothing end", "effect=nothing end", "effect=nothing end",
                                          "effect=schema shop.u", "effect=schema shop.t"};
    for (size_t i = 0; i < sizeof effects / sizeof effects[0]; i++) {
        char *end = strchr(at, '\n');
        assert_non_null(end);
        *end = '\0';
        if (!strstr(at, effects[i]))
            fail_msg("%zu: %s", i, at);
        at = end + 1;
    }
    log_reading_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(log_reader__alter_in_two_phases__has_effect_at_its_commit_only),
        cmocka_unit_test(log_reader__no_names_in_the_log__those_of_the_statements_before),
        cmocka_unit_test(log_reader__create_with_rows_of_a_query__known_in_its_transaction),
        cmocka_unit_test(log_reader__replaced_with_rows_of_a_query__discarded_in_its_transaction),
        cmocka_unit_test(log_reader__replaced_with_rows_of_a_query__told_by_a_scan),
        cmocka_unit_test(log_reader__statement_that_the_server_wrote__names_are_utf8),
        cmocka_unit_test(log_reader__statement_about_a_wanted_table_that_cannot_be_read__stops),
        cmocka_unit_test(log_reader__statement_not_understood__noted),
        cmocka_unit_test(log_reader__ddl_of_a_wanted_table__one_rowset_with_its_effect),
        cmocka_unit_test(log_reader__statements_asked_for__shown_before_the_rows_of_their_query),
        cmocka_unit_test(log_reader__statements_asked_for__those_of_wanted_tables_and_databases),
        cmocka_unit_test(log_reader__database_dropped__the_tables_met_in_it),
        cmocka_unit_test(log_reader__statement_not_understood__stops_when_it_names_a_wanted_table),
        cmocka_unit_test(log_reader__change_by_statement__stops_or_is_noted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
