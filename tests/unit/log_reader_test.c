/* The log reader on built logs: what comes out of which order of events, and what stops. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
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
    return strcmp(db, "shop") == 0 && (table[0] == 't' || table[0] == 'u' || table[0] == 'T') && table[1] == '\0';
}

static void set_up(struct fixture *f, bool mariadb, bool crc, enum on_statement on_statement)
{
    memset(f, 0, sizeof *f);
    event_builder_init(&f->b, mariadb, crc);
    f->interest.wants = wants;
    assert_int_equal(schema_new(&f->schema, NULL, &f->e), 0);
    struct log_reader_options opt = {.interest = &f->interest, .schema = f->schema, .on_statement = on_statement};
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
    buf_release(&f->text);
}

/* Feeds what was built since the last call; the result of the last feed. */
static int feed(struct fixture *f)
{
    const uint8_t *event;
    size_t len;
    int rc = 0;
    while (rc >= 0 && built_event(&f->b, f->fed, &event, &len)) {
        struct rowset rs;
        uint8_t *exact = malloc(len); /* so that a read beyond the event is seen */
        assert_non_null(exact);
        memcpy(exact, event, len);
        rc = log_reader_feed(f->reader, exact, len, &rs, &f->e);
        if (rc > 0 && rc != LOG_READER_MORE)
            rowset_text(&rs, &f->text);
        if (rc != LOG_READER_AGAIN && rc != LOG_READER_MORE)
            f->fed++;
        free(exact);
    }
    return rc;
}

static void expect_text(struct fixture *f, const char *want)
{
    buf_byte(&f->text, 0);
    assert_string_equal((const char *)f->text.p, want);
    f->text.len = 0;
}

static void expect_stop(struct fixture *f, enum err_code code, const char *text)
{
    assert_int_equal(feed(f), -(int)code);
    assert_int_equal(f->e.code, code);
    if (!strstr(f->e.text, text))
        fail_msg("'%s' is not in '%s'", text, f->e.text);
}

static void build_begin(struct fixture *f, uint64_t number)
{
    build_gtid(&f->b, number);
    if (!f->b.mariadb)
        build_query(&f->b, "shop", "BEGIN");
}

static void log_reader__transaction_of_mysql__begin_rows_end(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, false, true, ON_STATEMENT_STOP);
    build_begin(&f, 5);
    build_table_map(&f.b, 1, "shop", "t");
    build_rows(&f.b, EVENT_WRITE_ROWS, 1, true, 1, "x");
    build_table_map(&f.b, 1, "shop", "t");
    build_rows(&f.b, EVENT_UPDATE_ROWS, 1, false, 1, "x");
    build_rows(&f.b, EVENT_DELETE_ROWS, 1, true, 1, NULL);
    build_xid(&f.b);
    assert_int_equal(feed(&f), LOG_READER_ROWSET);
    expect_text(&f, "BEGIN gtid=11111111-1111-1111-1111-111111111111:5 at=bin.000001:127 us=1000\n"
                    "ROWS shop.t insert event=0 pos=316\n"
                    "  0 {a:1,b:\"x\"}\n"
                    "ROWS shop.t update event=1 pos=420\n"
                    "  0 {a:1,b:\"x\"} -> {a:1,b:\"new\"}\n"
                    "ROWS shop.t delete event=2 pos=472\n"
                    "  0 {a:1,b:null}\n"
                    "END end=bin.000001:543\n");
    tear_down(&f);
}

static void log_reader__transaction_of_mariadb__gtid_begins(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, true, false, ON_STATEMENT_STOP);
    build_begin(&f, 9);
    build_table_map(&f.b, 1, "shop", "t");
    build_rows(&f.b, EVENT_WRITE_ROWS_V1, 1, true, 1, "x");
    build_query(&f.b, "shop", "COMMIT");
    assert_int_equal(feed(&f), LOG_READER_ROWSET);
    expect_text(&f, "BEGIN gtid=0-7-9 at=bin.000001:127 us=100000000~\n"
                    "ROWS shop.t insert event=0 pos=223\n"
                    "  0 {a:1,b:\"x\"}\n"
                    "END end=bin.000001:311\n");
    tear_down(&f);
}

static void log_reader__rows_of_other_tables__counted_not_handed_out(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, false, false, ON_STATEMENT_STOP);
    build_begin(&f, 1);
    build_table_map(&f.b, 1, "other", "t");
    build_table_map(&f.b, 2, "shop", "t");
    build_rows(&f.b, EVENT_WRITE_ROWS, 1, false, 1, "x");
    build_rows(&f.b, EVENT_WRITE_ROWS, 1, false, 2, "x");
    build_rows(&f.b, EVENT_WRITE_ROWS, 2, true, 3, "x");
    assert_int_equal(feed(&f), LOG_READER_ROWSET);
    buf_byte(&f.text, 0);
    assert_non_null(strstr((char *)f.text.p, "ROWS shop.t insert event=2"));
    assert_null(strstr((char *)f.text.p, "other"));
    tear_down(&f);
}

static void log_reader__savepoints__told_with_plain_names(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, true, false, ON_STATEMENT_STOP);
    build_begin(&f, 1);
    build_query(&f.b, "shop", "SAVEPOINT `S``1`");
    build_query(&f.b, "shop", "ROLLBACK TO `s``1`");
    build_query(&f.b, "shop", "ROLLBACK");
    assert_int_equal(feed(&f), LOG_READER_ROWSET);
    expect_text(&f, "BEGIN gtid=0-7-1 at=bin.000001:127 us=100000000~\n"
                    "SAVEPOINT s`1\n"
                    "ROLLBACK_TO s`1\n"
                    "ROLLBACK gtid=0-7-1 end=bin.000001:345\n");
    tear_down(&f);
}

static void log_reader__statement_ended__id_must_be_mapped_again(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, false, true, ON_STATEMENT_STOP);
    build_begin(&f, 1);
    build_table_map(&f.b, 1, "shop", "t");
    build_rows(&f.b, EVENT_WRITE_ROWS, 1, true, 1, "x");
    build_rows(&f.b, EVENT_WRITE_ROWS, 1, true, 1, "x");
    expect_stop(&f, ERR_CORRUPT, "bin.000001:358: rows of a table id that no TABLE_MAP");
    tear_down(&f);
}

static void log_reader__same_id_other_table__the_new_one(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, false, false, ON_STATEMENT_STOP);
    build_begin(&f, 1);
    build_table_map(&f.b, 1, "shop", "t");
    build_rows(&f.b, EVENT_WRITE_ROWS, 1, true, 1, "x");
    build_table_map(&f.b, 1, "shop", "u");
    build_rows(&f.b, EVENT_WRITE_ROWS, 1, true, 1, "x");
    build_table_map(&f.b, 1, "other", "u");
    build_rows(&f.b, EVENT_WRITE_ROWS, 1, true, 1, "x");
    assert_int_equal(feed(&f), LOG_READER_NONE);
    buf_byte(&f.text, 0);
    assert_non_null(strstr((char *)f.text.p, "ROWS shop.u insert event=1"));
    assert_null(strstr((char *)f.text.p, "event=2"));
    tear_down(&f);
}

static void log_reader__dummy_rows__end_the_statement(void **state)
{
    (void)state;
    static const uint8_t dummy[] = {0xff, 0xff, 0xff, 0, 0, 0, 1, 0, 2, 0, 1, 0xff};
    struct fixture f;
    set_up(&f, false, false, ON_STATEMENT_STOP);
    build_begin(&f, 1);
    build_table_map(&f.b, 1, "shop", "t");
    build_event(&f.b, EVENT_WRITE_ROWS, dummy, sizeof dummy);
    assert_int_equal(feed(&f), LOG_READER_NONE);
    build_rows(&f.b, EVENT_WRITE_ROWS, 1, true, 1, "x");
    expect_stop(&f, ERR_CORRUPT, "no TABLE_MAP");
    tear_down(&f);
}

static void log_reader__gtid__counts_at_commit_only(void **state)
{
    (void)state;
    struct fixture f;
    struct gtid_set *set = gtid_set_new(FLAVOR_MYSQL);
    set_up(&f, false, false, ON_STATEMENT_STOP);
    f.at.gtids = set;
    assert_int_equal(log_reader_start(f.reader, &f.at, &f.e), 0);
    build_begin(&f, 1);
    build_table_map(&f.b, 1, "shop", "t");
    build_rows(&f.b, EVENT_WRITE_ROWS, 1, true, 1, "x");
    feed(&f);
    assert_true(log_reader_in_transaction(f.reader));
    assert_true(gtid_set_is_empty(log_reader_boundary(f.reader)->gtids));
    assert_int_equal(log_reader_boundary(f.reader)->at.pos, 127);
    build_xid(&f.b);
    feed(&f);
    assert_false(gtid_set_is_empty(log_reader_boundary(f.reader)->gtids));
    assert_int_equal(log_reader_boundary(f.reader)->at.pos, f.b.log.len);
    assert_int_equal(log_reader_boundary(f.reader)->commit_us, 1000);
    tear_down(&f);
}

static void log_reader__set_at_the_head__learnt_only_when_unknown(void **state)
{
    (void)state;
    static const uint8_t list[] = {1, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0};
    struct fixture f;
    struct buf text;
    buf_init(&text, 0);
    set_up(&f, true, false, ON_STATEMENT_STOP);
    build_event(&f.b, EVENT_GTID_LIST, list, sizeof list);
    assert_int_equal(feed(&f), LOG_READER_NONE);
    gtid_set_print(log_reader_boundary(f.reader)->gtids, &text);
    build_begin(&f, 6);
    build_xid(&f.b);
    build_event(&f.b, EVENT_GTID_LIST, list, sizeof list);
    feed(&f);
    gtid_set_print(log_reader_boundary(f.reader)->gtids, &text);
    buf_byte(&text, 0);
    assert_string_equal((char *)text.p, "0-7-50-7-6");
    buf_release(&text);
    tear_down(&f);
}

static void log_reader__anonymous_transaction__empty_set_is_not_known(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, false, false, ON_STATEMENT_STOP);
    build_event(&f.b, EVENT_PREVIOUS_GTIDS, "\0\0\0\0\0\0\0\0", 8);
    feed(&f);
    assert_non_null(log_reader_boundary(f.reader)->gtids);
    build_begin(&f, 0);
    build_xid(&f.b);
    feed(&f);
    assert_null(log_reader_boundary(f.reader)->gtids);
    tear_down(&f);
}

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
        struct fixture f;
        set_up(&f, false, false, ON_STATEMENT_STOP);
        build_gtid(&f.b, 3);
        build_query(&f.b, "shop", cases[i].sql);
        assert_int_equal(feed(&f), LOG_READER_ROWSET);
        char want[256];
        snprintf(want, sizeof want,
                 "DDL gtid=11111111-1111-1111-1111-111111111111:3 at=bin.000001:127 us=1000 %s end=bin.000001:%zu\n",
                 cases[i].line, f.b.log.len);
        expect_text(&f, want);
        tear_down(&f);
    }
}

static void log_reader__database_dropped__the_tables_met_in_it(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, false, false, ON_STATEMENT_STOP);
    build_begin(&f, 1);
    build_table_map(&f.b, 1, "shop", "t");
    build_rows(&f.b, EVENT_WRITE_ROWS, 1, true, 1, "x");
    build_xid(&f.b);
    build_gtid(&f.b, 2);
    build_query(&f.b, "", "DROP DATABASE Shop");
    feed(&f);
    buf_byte(&f.text, 0);
    assert_non_null(strstr((char *)f.text.p, "effect=truncate shop.t end="));
    tear_down(&f);
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
        struct fixture f;
        set_up(&f, false, false, ON_STATEMENT_STOP);
        build_gtid(&f.b, 3);
        build_query(&f.b, strstr(cases[i].sql, "other.t") && !cases[i].stops ? "none" : "shop", cases[i].sql);
        int rc = feed(&f);
        if (rc != (cases[i].stops ? -ERR_DDL_UNKNOWN : LOG_READER_ROWSET))
            fail_msg("%s: %d %s", cases[i].sql, rc, f.e.text);
        tear_down(&f);
    }
}

static void log_reader__change_by_statement__stops_or_is_noted(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, false, false, ON_STATEMENT_STOP);
    build_begin(&f, 1);
    build_event(&f.b, EVENT_INTVAR, "\2\1\0\0\0\0\0\0\0", 9);
    build_query(&f.b, "elsewhere", "INSERT INTO t VALUES ('secret')");
    expect_stop(&f, ERR_STATEMENT_DML, "INSERT INTO t VALUES ...");
    assert_null(strstr(f.e.text, "secret"));
    tear_down(&f);
    set_up(&f, false, false, ON_STATEMENT_WARN);
    build_begin(&f, 1);
    build_query(&f.b, "elsewhere", "UPDATE t SET a=1");
    build_xid(&f.b);
    feed(&f);
    buf_byte(&f.text, 0);
    assert_non_null(strstr((char *)f.text.p, "\nNOTE statement_dml: "));
    assert_non_null(strstr((char *)f.text.p, "\nEND "));
    tear_down(&f);
}

static void log_reader__types_that_are_not_supported__named(void **state)
{
    (void)state;
    static const struct {
        uint8_t type;
        const char *name;
    } cases[] = {{99, "unknown"}, {20, "PRE_GA"}, {255, "unknown"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f;
        set_up(&f, false, true, ON_STATEMENT_STOP);
        build_event(&f.b, cases[i].type, "abc", 3);
        expect_stop(&f, ERR_EVENT_UNKNOWN, cases[i].name);
        tear_down(&f);
    }
}

static void log_reader__unknown_but_ignorable__passed(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, false, true, ON_STATEMENT_STOP);
    f.b.flags = EVENT_FLAG_IGNORABLE;
    build_event(&f.b, 99, "abc", 3);
    assert_int_equal(feed(&f), LOG_READER_NONE);
    assert_int_equal(log_reader_at(f.reader)->pos, f.b.log.len);
    tear_down(&f);
}

static void log_reader__incident__stops_with_its_message(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, false, true, ON_STATEMENT_STOP);
    build_event(&f.b, EVENT_INCIDENT, "\1\0\4lost", 7);
    expect_stop(&f, ERR_INCIDENT, "lost");
    tear_down(&f);
}

static void log_reader__checksum_wrong__corrupt_with_its_place(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, false, true, ON_STATEMENT_STOP);
    build_begin(&f, 1);
    f.b.log.p[f.b.last + 30] ^= 1;
    expect_stop(&f, ERR_CORRUPT, "bin.000001:199: checksum of the event is");
    tear_down(&f);
}

static void log_reader__rotate_of_a_stream__found_with_and_without_checksum(void **state)
{
    (void)state;
    for (unsigned crc = 0; crc < 2; crc++) {
        struct event_builder stream;
        struct fixture f;
        struct rowset rs;
        const uint8_t *event;
        size_t len;
        set_up(&f, false, true, ON_STATEMENT_STOP);
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
        tear_down(&f);
    }
}

static void log_reader__format_inside_the_file__position_stays(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, false, true, ON_STATEMENT_STOP);
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
    build_begin(&f, 1);
    feed(&f);
    buf_byte(&f.text, 0);
    assert_non_null(strstr((char *)f.text.p, "at=bin.000001:5000"));
    tear_down(&f);
}

static void log_reader__beyond_4_gib__position_goes_on(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, false, true, ON_STATEMENT_STOP);
    uint64_t far = ((uint64_t)1 << 32) - 50;
    f.b.skip = far - f.b.log.len;
    feed(&f);
    f.at.at.pos = far;
    log_reader_seek(f.reader, far);
    build_begin(&f, 1);
    build_xid(&f.b);
    feed(&f);
    assert_int_equal(log_reader_boundary(f.reader)->at.pos, f.b.log.len + f.b.skip);
    assert_true(log_reader_boundary(f.reader)->at.pos > (uint64_t)1 << 32);
    tear_down(&f);
}

static void log_reader__log_pos_0_inside_a_transaction__counted(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, true, true, ON_STATEMENT_STOP);
    build_begin(&f, 1);
    f.b.zero_pos = true;
    build_table_map(&f.b, 1, "shop", "t");
    build_rows(&f.b, EVENT_WRITE_ROWS_V1, 1, true, 1, "x");
    f.b.zero_pos = false;
    build_xid(&f.b);
    feed(&f);
    assert_int_equal(log_reader_boundary(f.reader)->at.pos, f.b.log.len);
    buf_byte(&f.text, 0);
    assert_non_null(strstr((char *)f.text.p, "pos=231"));
    tear_down(&f);
}

static void log_reader__server_skips_events__position_follows(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, false, true, ON_STATEMENT_STOP);
    feed(&f);
    f.b.skip = 100000;
    build_begin(&f, 1);
    feed(&f);
    buf_byte(&f.text, 0);
    assert_non_null(strstr((char *)f.text.p, "at=bin.000001:100127 "));
    tear_down(&f);
}

static void log_reader__heartbeat__marks_between_transactions_only(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, false, true, ON_STATEMENT_STOP);
    build_heartbeat(&f.b, "bin.000001", 5000);
    assert_int_equal(feed(&f), LOG_READER_ROWSET);
    expect_text(&f, "MARK end=bin.000001:5000\n");
    build_heartbeat(&f.b, "bin.000009", 5000);
    assert_int_equal(feed(&f), LOG_READER_ROWSET);
    expect_text(&f, "MARK\n");
    f.b.skip = 5000 - f.b.log.len;
    build_begin(&f, 1);
    build_heartbeat(&f.b, "bin.000001", 6000);
    assert_int_equal(feed(&f), LOG_READER_NONE);
    tear_down(&f);
}

static void log_reader__rotate__next_file_and_its_head(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, false, true, ON_STATEMENT_STOP);
    build_rotate(&f.b, "bin.1000000", 4);
    feed(&f);
    assert_true(log_reader_file_ended(f.reader));
    assert_string_equal(log_reader_boundary(f.reader)->at.file, "bin.1000000");
    assert_int_equal(log_reader_boundary(f.reader)->at.pos, 4);
    f.b.flags = EVENT_FLAG_ARTIFICIAL;
    build_rotate(&f.b, "bin.1000000", 4);
    f.b.skip = 4 - f.b.log.len;
    build_format(&f.b);
    build_begin(&f, 1);
    feed(&f);
    buf_byte(&f.text, 0);
    assert_non_null(strstr((char *)f.text.p, "at=bin.1000000:127 "));
    tear_down(&f);
}

static void log_reader__server_died_in_a_transaction__rolled_back_at_the_next_file(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, false, true, ON_STATEMENT_STOP);
    build_begin(&f, 1);
    f.b.flags = EVENT_FLAG_ARTIFICIAL;
    build_rotate(&f.b, "bin.000002", 4);
    feed(&f);
    expect_text(&f, "BEGIN gtid=11111111-1111-1111-1111-111111111111:1 at=bin.000001:127 us=1000\n"
                    "ROLLBACK gtid=- end=bin.000001:127\n");
    assert_string_equal(log_reader_at(f.reader)->file, "bin.000002");
    assert_int_equal(log_reader_boundary(f.reader)->at.pos, 4);
    tear_down(&f);
}

static void log_reader__started_inside_a_transaction__stops(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, false, true, ON_STATEMENT_STOP);
    build_table_map(&f.b, 1, "shop", "t");
    build_rows(&f.b, EVENT_WRITE_ROWS, 1, true, 1, "x");
    expect_stop(&f, ERR_CORRUPT, "not a boundary");
    tear_down(&f);
    set_up(&f, false, true, ON_STATEMENT_STOP);
    build_xid(&f.b);
    expect_stop(&f, ERR_CORRUPT, "not a boundary");
    tear_down(&f);
}

static void log_reader__started_again__open_transaction_forgotten(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, false, true, ON_STATEMENT_STOP);
    build_begin(&f, 1);
    feed(&f);
    f.text.len = 0;
    assert_int_equal(log_reader_start(f.reader, &f.at, &f.e), 0);
    assert_false(log_reader_in_transaction(f.reader));
    f.fed = 0;
    feed(&f);
    expect_text(&f, "BEGIN gtid=11111111-1111-1111-1111-111111111111:1 at=bin.000001:127 us=1000\n");
    tear_down(&f);
}

/* A transaction with one row, whose event has no names. */
static void build_bare_row(struct fixture *f, uint64_t number, uint64_t id, const char *table)
{
    build_begin(f, number);
    build_bare_table_map(&f->b, id, "shop", table);
    build_rows(&f->b, EVENT_WRITE_ROWS_V1, id, true, 1, "x");
    build_xid(&f->b);
}

static void build_ddl(struct fixture *f, uint64_t number, const char *sql)
{
    if (f->b.mariadb)
        build_mariadb_gtid(&f->b, number, MARIADB_GTID_STANDALONE);
    else
        build_gtid(&f->b, number);
    build_query(&f->b, "shop", sql);
}

static void expect_names(struct fixture *f, const char *names)
{
    int rc = feed(f);
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
    struct fixture f;
    for (int mariadb = 0; mariadb < 2; mariadb++) {
        set_up(&f, mariadb != 0, true, ON_STATEMENT_STOP);
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
        expect_stop(&f, ERR_SCHEMA_UNKNOWN, "shop.t");
        tear_down(&f);
    }
}

static void log_reader__create_with_rows_of_a_query__known_in_its_transaction(void **state)
{
    (void)state;
    struct fixture f;
    for (int mariadb = 0; mariadb < 2; mariadb++) {
        set_up(&f, mariadb != 0, true, ON_STATEMENT_STOP);
        build_begin(&f, 1);
        build_query(&f.b, "shop", mariadb ? TABLE_T : TABLE_T " START TRANSACTION");
        build_bare_table_map(&f.b, 1, "shop", "t");
        build_rows(&f.b, EVENT_WRITE_ROWS_V1, 1, true, 1, "x");
        build_xid(&f.b);
        expect_names(&f, "{id:1,name:\"x\"}");
        tear_down(&f);
    }
}

/* A statement of a client whose character set is gbk. */
static void build_gbk_query(struct fixture *f, const char *sql)
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
        struct fixture f;
        set_up(&f, false, true, ON_STATEMENT_STOP);
        if (cases[i].inside)
            build_begin(&f, 1);
        else
            build_gtid(&f.b, 1);
        build_gbk_query(&f, cases[i].sql);
        if (!cases[i].inside)
            build_begin(&f, 2);
        build_bare_table_map(&f.b, 1, "shop", "t");
        build_rows(&f.b, EVENT_WRITE_ROWS_V1, 1, true, 1, "x");
        build_xid(&f.b);
        expect_names(&f, cases[i].name);
        tear_down(&f);
    }
}

static void log_reader__statement_about_a_wanted_table_that_cannot_be_read__stops(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, false, true, ON_STATEMENT_STOP);
    build_ddl(&f, 1, "CREATE TABLE t (id FROBNICATED WITH CHEESE)");
    expect_stop(&f, ERR_DDL_UNKNOWN, "shop.t");
    tear_down(&f);
}

/* What nobody wants is told once, and the transaction's boundary comes all the same. */
static void log_reader__statement_not_understood__noted(void **state)
{
    (void)state;
    static const char *const statements[] = {"FROB TABLE x", "CREATE TABLE x (id FROBNICATED WITH CHEESE)"};
    for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++) {
        struct fixture f;
        set_up(&f, false, true, ON_STATEMENT_STOP);
        build_ddl(&f, 1, statements[i]);
        assert_int_equal(feed(&f), LOG_READER_ROWSET);
        buf_byte(&f.text, 0);
        const char *note = strstr((const char *)f.text.p, "NOTE"), *ddl = strstr((const char *)f.text.p, "DDL");
        assert_true(note && ddl && note < ddl && !strstr(note + 1, "NOTE"));
        tear_down(&f);
    }
}

/* MariaDB with binlog_alter_two_phase: GTID with further flags, then the whole statement. */
static void build_alter(struct fixture *f, uint64_t number, uint8_t extra, const char *table)
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
    struct fixture f;
    set_up(&f, true, false, ON_STATEMENT_STOP);
    build_alter(&f, 1, MARIADB_GTID_START_ALTER, "t");
    build_alter(&f, 2, MARIADB_GTID_START_ALTER, "u");
    build_alter(&f, 3, MARIADB_GTID_ROLLBACK_ALTER, "t");
    build_alter(&f, 4, MARIADB_GTID_COMMIT_ALTER, "u");
    build_alter(&f, 5, 0, "t");
    assert_int_equal(feed(&f), LOG_READER_ROWSET);
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
    tear_down(&f);
}

static void log_reader__log_of_binlog_version_3__stops_by_name(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, false, false, ON_STATEMENT_STOP);
    f.b.log.len = 4;
    static const uint8_t start[56] = {3, 0, '4', '.', '1', '.', '2', '2'};
    build_event(&f.b, EVENT_START_V3, start, sizeof start);
    expect_stop(&f, ERR_EVENT_UNKNOWN, "START_V3, of a server before MySQL 5.0");
    tear_down(&f);
}

static void log_reader__incident__stops_or_is_told(void **state)
{
    (void)state;
    static const uint8_t lost[] = {1, 0, 4, 'd', 'i', 's', 'k'}, none[] = {0, 0, 0};
    struct fixture f;
    set_up(&f, false, true, ON_STATEMENT_STOP);
    build_event(&f.b, EVENT_INCIDENT, none, sizeof none);
    build_event(&f.b, EVENT_INCIDENT, lost, sizeof lost);
    expect_stop(&f, ERR_INCIDENT, "lost events: disk");
    tear_down(&f);
    set_up(&f, false, true, ON_STATEMENT_WARN);
    build_event(&f.b, EVENT_INCIDENT, lost, sizeof lost);
    assert_int_equal(feed(&f), LOG_READER_ROWSET);
    buf_byte(&f.text, 0);
    assert_non_null(strstr((char *)f.text.p, "lost events: disk"));
    tear_down(&f);
}

static void log_reader__types_that_are_not_known__ignored_only_with_the_flag(void **state)
{
    (void)state;
    for (unsigned type = 43; type < 256; type++) {
        if (event_row((uint8_t)type))
            continue;
        struct fixture f;
        set_up(&f, false, true, ON_STATEMENT_WARN);
        f.b.flags = EVENT_FLAG_IGNORABLE;
        build_event(&f.b, (uint8_t)type, "any bytes", 9);
        assert_int_equal(feed(&f), LOG_READER_NONE);
        build_event(&f.b, (uint8_t)type, "any bytes", 9);
        expect_stop(&f, ERR_EVENT_UNKNOWN, "(unknown) is not supported");
        tear_down(&f);
    }
}

/* X'31',X'',1 */
static void build_xa_prepare(struct fixture *f, bool one_phase)
{
    const uint8_t body[] = {one_phase, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, '1'};
    build_event(&f->b, EVENT_XA_PREPARE, body, sizeof body);
}

static void build_xa_begin(struct fixture *f, uint64_t number)
{
    if (f->b.mariadb) {
        build_mariadb_gtid(&f->b, number, MARIADB_GTID_PREPARED_XA | MARIADB_GTID_TRANSACTIONAL);
        return;
    }
    build_gtid(&f->b, number);
    build_query(&f->b, "shop", "XA START X'31',X'',1");
}

/* A row of a table that is wanted between rows of one that is not. */
static void build_xa_rows(struct fixture *f)
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

static void build_xa_end(struct fixture *f, uint64_t number, const char *sql)
{
    if (f->b.mariadb)
        build_mariadb_gtid(&f->b, number, MARIADB_GTID_COMPLETED_XA | MARIADB_GTID_STANDALONE);
    else
        build_gtid(&f->b, number);
    build_query(&f->b, "shop", sql);
}

static void xa_committed(bool mariadb)
{
    struct fixture f;
    set_up(&f, mariadb, true, ON_STATEMENT_STOP);
    build_xa_begin(&f, 1);
    build_xa_rows(&f);
    assert_int_equal(feed(&f), LOG_READER_NONE);
    assert_true(log_reader_in_transaction(f.reader));
    assert_int_equal(f.text.len, 0);
    build_xa_prepare(&f, false);
    assert_int_equal(feed(&f), LOG_READER_ROWSET);
    assert_false(log_reader_in_transaction(f.reader));
    build_begin(&f, 2);
    build_table_map(&f.b, 1, "shop", "u");
    build_rows(&f.b, EVENT_WRITE_ROWS, 1, true, 7, "y");
    build_xid(&f.b);
    feed(&f);
    f.text.len = 0;
    build_xa_end(&f, 3, "XA COMMIT X'31',X'',1");
    assert_int_equal(feed(&f), LOG_READER_ROWSET);
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
    expect_stop(&f, ERR_XA_UNKNOWN, "X'31',X'',1");
    tear_down(&f);
}

/* Everything is passed over but what begins and ends a transaction, and DDL; nothing is kept of what is prepared. */
static void log_reader__scan__statements_only(void **state)
{
    (void)state;
    struct fixture f;
    for (int mariadb = 0; mariadb < 2; mariadb++) {
        set_up(&f, mariadb != 0, true, ON_STATEMENT_STOP);
        log_reader_scan(f.reader, true);
        build_begin(&f, 1);
        build_table_map(&f.b, 1, "shop", "t");
        build_rows(&f.b, EVENT_WRITE_ROWS, 1, true, 1, "x");
        build_query(&f.b, "shop", "INSERT INTO t VALUES (1)");
        build_event(&f.b, EVENT_INCIDENT, "\1\0\4lost", 7);
        build_xid(&f.b);
        build_xa_begin(&f, 2);
        build_xa_rows(&f);
        assert_int_equal(feed(&f), LOG_READER_NONE);
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
        assert_int_equal(feed(&f), LOG_READER_ROWSET);
        assert_false(log_reader_in_transaction(f.reader));
        buf_byte(&f.text, 0);
        const char *text = (const char *)f.text.p;
        assert_null(strstr(text, "ROWS"));
        assert_null(strstr(text, "NOTE"));
        assert_non_null(strstr(text, "shop.t"));
        f.text.len = 0;
        tear_down(&f);
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
    struct fixture f;
    for (int mariadb = 0; mariadb < 2; mariadb++) {
        set_up(&f, mariadb != 0, true, ON_STATEMENT_STOP);
        build_xa_begin(&f, 1);
        build_xa_rows(&f);
        build_xa_prepare(&f, false);
        build_xa_end(&f, 2, "XA ROLLBACK X'31',X'',1");
        build_xa_end(&f, 3, "XA ROLLBACK X'32',X'',1"); /* not known: fine */
        assert_int_equal(feed(&f), LOG_READER_ROWSET);
        buf_byte(&f.text, 0);
        assert_null(strstr((const char *)f.text.p, "ROWS"));
        assert_null(strstr((const char *)f.text.p, "BEGIN"));
        f.text.len = 0;
        build_xa_end(&f, 4, "XA COMMIT X'31',X'',1");
        expect_stop(&f, ERR_XA_UNKNOWN, "X'31',X'',1");
        tear_down(&f);
    }
}

static void log_reader__xa_one_phase__rows_come_at_once(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, false, true, ON_STATEMENT_STOP);
    build_xa_begin(&f, 5);
    build_xa_rows(&f);
    build_xa_prepare(&f, true);
    assert_int_equal(feed(&f), LOG_READER_ROWSET);
    buf_byte(&f.text, 0);
    assert_non_null(strstr((const char *)f.text.p, "ROWS shop.t delete event=3 "));
    assert_non_null(strstr((const char *)f.text.p, "END end="));
    tear_down(&f);
}

static void log_reader__xa_empty__its_commit_is_a_transaction_without_rows(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, false, true, ON_STATEMENT_STOP);
    build_xa_begin(&f, 1);
    build_query(&f.b, "shop", "XA END X'31',X'',1");
    build_xa_prepare(&f, false);
    build_xa_end(&f, 2, "XA COMMIT X'31',X'',1");
    assert_int_equal(feed(&f), LOG_READER_ROWSET);
    buf_byte(&f.text, 0);
    assert_non_null(strstr((const char *)f.text.p, "BEGIN gtid=11111111-1111-1111-1111-111111111111:2"));
    assert_null(strstr((const char *)f.text.p, "ROWS"));
    tear_down(&f);
}

static void log_reader__server_died_in_an_xa_transaction__nothing_is_told_of_it(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, false, true, ON_STATEMENT_STOP);
    build_xa_begin(&f, 1);
    build_xa_rows(&f);
    f.b.flags = EVENT_FLAG_ARTIFICIAL;
    build_rotate(&f.b, "bin.000002", 4);
    assert_int_equal(feed(&f), LOG_READER_NONE);
    assert_int_equal(f.text.len, 0);
    assert_false(log_reader_in_transaction(f.reader));
    assert_string_equal(log_reader_at(f.reader)->file, "bin.000002");
    tear_down(&f);
}

static void log_reader__xa_unknown__noted_when_told_to(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, false, true, ON_STATEMENT_STOP);
    log_reader_free(f.reader);
    struct log_reader_options opt = {.interest = &f.interest, .schema = f.schema, .on_unknown_xa = ON_UNKNOWN_XA_WARN};
    assert_int_equal(log_reader_new(&f.reader, &opt, &f.e), 0);
    assert_int_equal(log_reader_start(f.reader, &f.at, &f.e), 0);
    build_xa_end(&f, 2, "XA COMMIT X'31',X'',1");
    assert_int_equal(feed(&f), LOG_READER_ROWSET);
    buf_byte(&f.text, 0);
    assert_non_null(strstr((const char *)f.text.p, "NOTE"));
    assert_non_null(strstr((const char *)f.text.p, "DDL"));
    assert_false(log_reader_in_transaction(f.reader));
    tear_down(&f);
}

static void log_reader__xa_prepare_outside__stops(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, false, true, ON_STATEMENT_STOP);
    build_xa_prepare(&f, false);
    expect_stop(&f, ERR_CORRUPT, "not a boundary");
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(log_reader__transaction_of_mysql__begin_rows_end),
        cmocka_unit_test(log_reader__transaction_of_mariadb__gtid_begins),
        cmocka_unit_test(log_reader__alter_in_two_phases__has_effect_at_its_commit_only),
        cmocka_unit_test(log_reader__no_names_in_the_log__those_of_the_statements_before),
        cmocka_unit_test(log_reader__create_with_rows_of_a_query__known_in_its_transaction),
        cmocka_unit_test(log_reader__statement_that_the_server_wrote__names_are_utf8),
        cmocka_unit_test(log_reader__statement_about_a_wanted_table_that_cannot_be_read__stops),
        cmocka_unit_test(log_reader__statement_not_understood__noted),
        cmocka_unit_test(log_reader__log_of_binlog_version_3__stops_by_name),
        cmocka_unit_test(log_reader__incident__stops_or_is_told),
        cmocka_unit_test(log_reader__types_that_are_not_known__ignored_only_with_the_flag),
        cmocka_unit_test(log_reader__rows_of_other_tables__counted_not_handed_out),
        cmocka_unit_test(log_reader__savepoints__told_with_plain_names),
        cmocka_unit_test(log_reader__statement_ended__id_must_be_mapped_again),
        cmocka_unit_test(log_reader__same_id_other_table__the_new_one),
        cmocka_unit_test(log_reader__dummy_rows__end_the_statement),
        cmocka_unit_test(log_reader__gtid__counts_at_commit_only),
        cmocka_unit_test(log_reader__set_at_the_head__learnt_only_when_unknown),
        cmocka_unit_test(log_reader__anonymous_transaction__empty_set_is_not_known),
        cmocka_unit_test(log_reader__ddl_of_a_wanted_table__one_rowset_with_its_effect),
        cmocka_unit_test(log_reader__database_dropped__the_tables_met_in_it),
        cmocka_unit_test(log_reader__statement_not_understood__stops_when_it_names_a_wanted_table),
        cmocka_unit_test(log_reader__change_by_statement__stops_or_is_noted),
        cmocka_unit_test(log_reader__types_that_are_not_supported__named),
        cmocka_unit_test(log_reader__unknown_but_ignorable__passed),
        cmocka_unit_test(log_reader__incident__stops_with_its_message),
        cmocka_unit_test(log_reader__checksum_wrong__corrupt_with_its_place),
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
