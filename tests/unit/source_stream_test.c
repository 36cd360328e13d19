/* The stream source against a private MariaDB server: starts, resumes, losses, refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "binlog/source_stream.h"
#include "tools/event_builder.h"
#include "tools/private_mariadb.h"
#include "tools/rowset_text.h"
#include "tools/scripted_mysql.h"

#define SERVER_ID    4242
#define TURNS_MAX    10000
#define HEARTBEAT_MS 200

static struct private_mariadb server;
static struct client *admin;
static struct env env;
static struct client_options host;

static void sql(const char *statement)
{
    struct err e = ERR_INIT;
    if (client_execute(admin, statement, &e) != 0)
        fail_msg("%s: %s", statement, e.text);
}

static void connect_admin(void)
{
    struct err e = ERR_INIT;
    client_close(admin);
    admin = NULL;
    if (client_connect(&admin, &host, &e) != 0)
        fail_msg("%s", e.text);
}

static bool wants_shop(void *ctx, const char *db, const char *table)
{
    (void)ctx;
    (void)table;
    return strcmp(db, "shop") == 0;
}

static const struct interest interest = {.wants = wants_shop};

static struct stream_options options(void)
{
    return (struct stream_options){.env = &env,
                                   .hosts = &host,
                                   .host_count = 1,
                                   .replica_uuid = "5f0c3a52-0001-4000-8000-000000000001",
                                   .heartbeat_ms = HEARTBEAT_MS,
                                   .backoff_ms = 20,
                                   .backoff_max_ms = 100,
                                   .interest = &interest};
}

/* A source that is read as text. */
struct reading {
    struct source *src;
    struct position from;
    struct buf text; /* of the transactions, without MARK and NOTE */
    unsigned lost, noted;
    struct err last_note;
    struct filepos end;
};

static int open_at(struct reading *rd, const struct stream_options *opt, const char *start, struct err *e)
{
    struct start at;
    memset(rd, 0, sizeof *rd);
    position_init(&rd->from);
    buf_init(&rd->text, 0);
    assert_int_equal(start_parse(&at, start, e), 0);
    assert_int_equal(source_stream_new(&rd->src, opt, e), 0);
    int rc = rd->src->ops->open(rd->src, &at, &rd->from, e);
    position_release(&at.pos);
    return rc;
}

static void open_or_fail(struct reading *rd, const struct stream_options *opt, const char *start)
{
    struct err e = ERR_INIT;
    if (open_at(rd, opt, start, &e) != 0)
        fail_msg("open at %s: %s", start, e.text);
}

static void close_reading(struct reading *rd)
{
    if (rd->src)
        rd->src->ops->close(rd->src);
    position_release(&rd->from);
    buf_release(&rd->text);
}

/* Only what does not differ from run to run. */
static void add_text(struct reading *rd, const struct rowset *rs)
{
    struct buf line;
    buf_init(&line, 0);
    rowset_text(rs, &line);
    if (rs->kind == ROWSET_ROWS) {
        const uint8_t *rows = memchr(line.p, '\n', line.len);
        buf_printf(&rd->text, "%s %s", rs->shape->tbl->name, change_op_name(rs->op));
        buf_add(&rd->text, rows + 1, line.len - (size_t)(rows + 1 - line.p) - 1);
        buf_text(&rd->text, ";");
    } else if (rs->kind == ROWSET_END)
        buf_text(&rd->text, "END;");
    else if (rs->kind == ROWSET_LOST)
        buf_text(&rd->text, "LOST;");
    buf_release(&line);
}

/* One rowset; its kind. */
static enum rowset_kind turn(struct reading *rd)
{
    struct rowset rs;
    struct err e = ERR_INIT;
    if (rd->src->ops->next(rd->src, &rs, &e) != 0)
        fail_msg("next: %s: %s", err_code_name(e.code), e.text);
    add_text(rd, &rs);
    rd->lost += rs.kind == ROWSET_LOST;
    if (rs.kind == ROWSET_NOTE || rs.kind == ROWSET_LOST) {
        rd->noted++;
        rd->last_note = rs.note;
    }
    if (rs.end.file[0])
        rd->end = rs.end;
    return rs.kind;
}

/* Reads until `count` transactions with rows have ended. */
static void read_transactions(struct reading *rd, unsigned count)
{
    for (unsigned turns = 0; count > 0; turns++) {
        assert_true(turns < TURNS_MAX);
        if (turn(rd) == ROWSET_END)
            count--;
    }
}

static void assert_text(struct reading *rd, const char *wanted)
{
    buf_byte(&rd->text, 0);
    assert_string_equal((const char *)rd->text.p, wanted);
    buf_clear(&rd->text);
}

static void print_start(const struct reading *rd, char out[FILEPOS_TEXT_MAX])
{
    filepos_print(&rd->end, out);
}

static int empty_table(void **state)
{
    (void)state;
    sql("CREATE DATABASE IF NOT EXISTS shop");
    sql("CREATE OR REPLACE TABLE shop.t (id INT PRIMARY KEY, v VARCHAR(20)) ENGINE=InnoDB");
    return 0;
}

static void stream__current__rows_from_now_on(void **state)
{
    (void)state;
    struct stream_options opt = options();
    struct reading rd;
    sql("INSERT INTO shop.t VALUES (1, 'before')");
    open_or_fail(&rd, &opt, "current");
    sql("INSERT INTO shop.t VALUES (2, 'b'), (3, NULL)");
    sql("UPDATE shop.t SET v = 'c' WHERE id = 2");
    sql("DELETE FROM shop.t WHERE id = 3");
    read_transactions(&rd, 3);
    assert_text(&rd, "t insert  0 {id:2,v:\"b\"}\n  1 {id:3,v:null};END;"
                     "t update  0 {id:2,v:\"b\"} -> {id:2,v:\"c\"};END;"
                     "t delete  0 {id:3,v:null};END;");
    assert_non_null(rd.from.gtids);
    assert_string_equal(rd.from.server_uuid, "server_id-4242");
    close_reading(&rd);
}

static void stream__flush_logs__goes_on_in_the_next_file(void **state)
{
    (void)state;
    struct stream_options opt = options();
    struct reading rd;
    open_or_fail(&rd, &opt, "current");
    uint64_t file = filepos_file_number(rd.from.at.file);
    sql("INSERT INTO shop.t VALUES (1, 'a')");
    sql("FLUSH BINARY LOGS");
    sql("INSERT INTO shop.t VALUES (2, 'b')");
    read_transactions(&rd, 2);
    assert_text(&rd, "t insert  0 {id:1,v:\"a\"};END;t insert  0 {id:2,v:\"b\"};END;");
    assert_int_equal(filepos_file_number(rd.end.file), file + 1);
    assert_int_equal(rd.lost, 0);
    close_reading(&rd);
}

static void stream__resumed_by_file_or_gtid__begins_with_the_next_transaction(void **state)
{
    (void)state;
    struct stream_options opt = options();
    struct reading rd;
    char file[FILEPOS_TEXT_MAX];
    struct client_result result = {0};
    struct err e = ERR_INIT;
    open_or_fail(&rd, &opt, "current");
    sql("INSERT INTO shop.t VALUES (1, 'a')");
    read_transactions(&rd, 1);
    print_start(&rd, file);
    close_reading(&rd);
    assert_int_equal(client_query(admin, "SELECT @@gtid_binlog_pos", &result, &e), 0);
    sql("INSERT INTO shop.t VALUES (2, 'b')");

    const char *const starts[] = {file, result.cells[0].p};
    for (size_t i = 0; i < 2; i++) {
        open_or_fail(&rd, &opt, starts[i]);
        read_transactions(&rd, 1);
        assert_text(&rd, "t insert  0 {id:2,v:\"b\"};END;");
        close_reading(&rd);
    }
    client_result_free(&result);
}

static void stream__server_killed__resumes_without_gap_or_repeat(void **state)
{
    (void)state;
    struct stream_options opt = options();
    struct reading rd;
    open_or_fail(&rd, &opt, "current");
    sql("SET GLOBAL sync_binlog = 1");
    sql("INSERT INTO shop.t VALUES (1, 'a')");
    read_transactions(&rd, 1);
    private_mariadb_kill(&server);
    while (turn(&rd) != ROWSET_LOST)
        ;
    while (turn(&rd) != ROWSET_NOTE) /* a try that failed is told */
        ;
    assert_int_equal(rd.last_note.code, ERR_CONNECT);
    assert_true(private_mariadb_restart(&server));
    connect_admin();
    sql("INSERT INTO shop.t VALUES (2, 'b')");
    read_transactions(&rd, 1);
    assert_text(&rd, "t insert  0 {id:1,v:\"a\"};END;LOST;t insert  0 {id:2,v:\"b\"};END;");
    assert_int_equal(rd.lost, 1);
    close_reading(&rd);
}

static void kill_dumps(void)
{
    struct err e = ERR_INIT;
    struct client_result result = {0};
    assert_int_equal(
        client_query(admin, "SELECT id FROM information_schema.processlist WHERE command = 'Binlog Dump'", &result, &e),
        0);
    for (size_t i = 0; i < result.rows; i++) {
        char statement[64];
        snprintf(statement, sizeof statement, "KILL %s", result.cells[i].p);
        client_execute(admin, statement, &e); /* it may have ended by itself */
    }
    client_result_free(&result);
}

/* Rows of the rowsets until `last` comes. */
static unsigned count_rows(struct reading *rd, enum rowset_kind last)
{
    unsigned rows = 0;
    for (unsigned turns = 0; turns < TURNS_MAX; turns++) {
        struct rowset rs;
        struct row_view row;
        struct row_iter it = {0};
        struct err e = ERR_INIT;
        if (rd->src->ops->next(rd->src, &rs, &e) != 0)
            fail_msg("next: %s", e.text);
        if (rs.kind == last)
            return rows;
        while (rs.kind == ROWSET_ROWS && rowset_next_row(&rs, &it, &row, NULL, NULL, NULL, &e) == 1)
            rows++;
    }
    fail_msg("no rowset of kind %d", (int)last);
    return 0;
}

/* 20 MB, more than fits the buffers between the server and here. */
static void stream__connection_killed_inside_a_transaction__it_is_read_again_whole(void **state)
{
    (void)state;
    struct stream_options opt = options();
    struct reading rd;
    sql("CREATE OR REPLACE TABLE shop.big (id INT PRIMARY KEY, v VARCHAR(1000)) ENGINE=InnoDB");
    open_or_fail(&rd, &opt, "current");
    sql("INSERT INTO shop.big SELECT seq, REPEAT('x', 1000) FROM shop.seq_1_to_20000");
    while (turn(&rd) != ROWSET_ROWS)
        ;
    kill_dumps();
    unsigned before = count_rows(&rd, ROWSET_LOST);
    assert_true(before < 20000);
    assert_int_equal(count_rows(&rd, ROWSET_BEGIN), 0);
    assert_int_equal(count_rows(&rd, ROWSET_END), 20000);
    sql("DROP TABLE shop.big");
    close_reading(&rd);
}

static void stream__silent_server__lost_after_three_heartbeats(void **state)
{
    (void)state;
    struct stream_options opt = options();
    struct reading rd;
    open_or_fail(&rd, &opt, "current");
    while (turn(&rd) != ROWSET_MARK)
        ;
    kill(server.pid, SIGSTOP);
    while (turn(&rd) != ROWSET_LOST)
        ;
    kill(server.pid, SIGCONT);
    assert_int_equal(rd.last_note.code, ERR_CONNECT);
    assert_non_null(strstr(rd.last_note.text, "silent"));
    sql("INSERT INTO shop.t VALUES (1, 'a')");
    read_transactions(&rd, 1);
    assert_text(&rd, "LOST;t insert  0 {id:1,v:\"a\"};END;");
    close_reading(&rd);
}

static void stream__earliest_and_time__from_the_first_file_and_from_then_on(void **state)
{
    (void)state;
    struct stream_options opt = options();
    struct reading rd;
    struct err e = ERR_INIT;
    struct client_result result = {0};
    sql("RESET MASTER");
    sql("SET timestamp = 1600000000"); /* 2020-09-13T12:26:40Z */
    sql("INSERT INTO shop.t VALUES (1, 'old')");
    sql("SET timestamp = DEFAULT");
    sql("FLUSH BINARY LOGS");
    sql("FLUSH BINARY LOGS");
    sql("INSERT INTO shop.t VALUES (2, 'new')");
    open_or_fail(&rd, &opt, "earliest");
    read_transactions(&rd, 2);
    assert_text(&rd, "t insert  0 {id:1,v:\"old\"};END;t insert  0 {id:2,v:\"new\"};END;");
    close_reading(&rd);

    open_or_fail(&rd, &opt, "2020-09-13T12:26:41Z");
    read_transactions(&rd, 1);
    assert_text(&rd, "t insert  0 {id:2,v:\"new\"};END;");
    close_reading(&rd);
    assert_int_equal(client_query(admin, "SHOW BINARY LOGS", &result, &e), 0);
    assert_int_equal(result.rows, 3);
    client_result_free(&result);
}

static void stream__end_by_position__eof_behind_it(void **state)
{
    (void)state;
    struct stream_options opt = options();
    struct reading rd;
    struct err e = ERR_INIT;
    struct position end;
    struct start to = {.kind = START_FILEPOS};
    sql("RESET MASTER");
    sql("INSERT INTO shop.t VALUES (1, 'a')");
    position_init(&end);
    assert_int_equal(source_stream_end(admin, &end, &e), 0);
    to.pos.at = end.at;
    opt.to = &to;
    sql("INSERT INTO shop.t VALUES (2, 'b')");
    open_or_fail(&rd, &opt, "earliest");
    while (turn(&rd) != ROWSET_EOF)
        ;
    assert_text(&rd, "t insert  0 {id:1,v:\"a\"};END;");
    position_release(&end);
    close_reading(&rd);
}

struct refusal {
    const char *start;
    enum err_code code;
};

static void stream__starts_that_the_server_cannot_serve__named(void **state)
{
    (void)state;
    static const struct refusal refusals[] = {
        {"bin.000099:4", ERR_BINLOG_PURGED},
        {"bin.000001:1073741824", ERR_BINLOG_PURGED},
        {"0-4242-99999999", ERR_GTID_SURPLUS},
        {"3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5", ERR_GTID_UNKNOWN},
    };
    struct stream_options opt = options();
    struct reading rd;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        struct err e = ERR_INIT;
        assert_true(open_at(&rd, &opt, refusals[i].start, &e) != 0);
        if (e.code != refusals[i].code)
            fail_msg("%s: %s: %s", refusals[i].start, err_code_name(e.code), e.text);
        close_reading(&rd);
    }
}

/* The server keeps a file until its engines need it no more for recovery: asks until it is gone. */
static void purge_to(const char *file)
{
    char statement[64];
    snprintf(statement, sizeof statement, "PURGE BINARY LOGS TO '%s'", file);
    for (unsigned tries = 0; tries < TURNS_MAX; tries++) {
        struct client_result result = {0};
        struct err e = ERR_INIT;
        sql(statement);
        assert_int_equal(client_query(admin, "SHOW BINARY LOGS", &result, &e), 0);
        bool gone = strcmp(result.cells[0].p, file) == 0;
        client_result_free(&result);
        if (gone)
            return;
    }
    fail_msg("%s", statement);
}

static void stream__purged_gtid__binlog_purged(void **state)
{
    (void)state;
    struct stream_options opt = options();
    struct reading rd;
    struct err e = ERR_INIT;
    sql("RESET MASTER");
    sql("INSERT INTO shop.t VALUES (1, 'a')");
    sql("INSERT INTO shop.t VALUES (2, 'b')");
    sql("FLUSH BINARY LOGS");
    purge_to("bin.000002");
    int rc = open_at(&rd, &opt, "0-4242-1", &e);
    assert_true(rc != 0);
    assert_int_equal(e.code, ERR_BINLOG_PURGED);
    close_reading(&rd);
}

static void assert_set(const struct gtid_set *set, const char *wanted)
{
    struct buf text;
    buf_init(&text, 0);
    assert_non_null(set);
    gtid_set_print(set, &text);
    buf_byte(&text, 0);
    assert_string_equal((const char *)text.p, wanted);
    buf_release(&text);
}

static void stream__lost_transactions_continue__told_and_read_from_the_end(void **state)
{
    (void)state;
    struct stream_options opt = options();
    struct reading rd;
    opt.on_lost_continue = true;
    open_or_fail(&rd, &opt, "0-4242-99999999");
    sql("INSERT INTO shop.t VALUES (1, 'a')");
    struct rowset rs = {.kind = ROWSET_NOTE};
    struct err e = ERR_INIT;
    while (rs.kind == ROWSET_NOTE && rs.note.code != ERR_GTID_SURPLUS)
        assert_int_equal(rd.src->ops->next(rd.src, &rs, &e), 0);
    assert_int_equal(rs.note.code, ERR_GTID_SURPLUS);
    assert_set(rs.lost, "0-4242-99999999");
    assert_true(gtid_set_equal(rs.kept, rd.from.gtids));
    read_transactions(&rd, 1);
    assert_text(&rd, "t insert  0 {id:1,v:\"a\"};END;");
    close_reading(&rd);
}

/* Reads until an error; notes go by. */
static enum err_code read_to_error(struct reading *rd, struct err *e)
{
    struct rowset rs;
    unsigned turns = 0;
    while (rd->src->ops->next(rd->src, &rs, e) == 0) {
        assert_true(turns++ < TURNS_MAX);
        add_text(rd, &rs);
    }
    return e->code;
}

static void insert_rows(int from, int to)
{
    char statement[64];
    for (int id = from; id <= to; id++) {
        snprintf(statement, sizeof statement, "INSERT INTO shop.t VALUES (%d, 'a')", id);
        sql(statement);
    }
}

/* RESET while the stream reads, and then more of the same numbers than before: never taken for the log that was read.
 */
static void reset_while_reading(struct stream_options *opt, struct reading *rd)
{
    sql("TRUNCATE TABLE shop.t");
    sql("SET TIMESTAMP = 1700000000"); /* when the first file was begun, which tells them apart */
    sql("RESET MASTER");
    sql("SET TIMESTAMP = DEFAULT");
    insert_rows(100, 100);
    open_or_fail(rd, opt, "current");
    insert_rows(1, 3);
    read_transactions(rd, 3);
    buf_clear(&rd->text);
    sql("RESET MASTER");
    insert_rows(4, 20);
}

static void stream__log_reset_while_reading__stops(void **state)
{
    (void)state;
    struct stream_options opt = options();
    struct reading rd;
    struct err e = ERR_INIT;
    reset_while_reading(&opt, &rd);
    assert_int_equal(read_to_error(&rd, &e), ERR_GTID_SURPLUS);
    assert_text(&rd, "LOST;");
    close_reading(&rd);
}

static void stream__log_reset_while_reading_continue__the_new_log_is_read_whole(void **state)
{
    (void)state;
    struct stream_options opt = options();
    struct reading rd;
    struct rowset rs = {.kind = ROWSET_NOTE};
    struct err e = ERR_INIT;
    opt.on_lost_continue = true;
    reset_while_reading(&opt, &rd);
    while (rs.kind != ROWSET_NOTE || rs.note.code != ERR_GTID_SURPLUS)
        assert_int_equal(rd.src->ops->next(rd.src, &rs, &e), 0);
    assert_set(rs.lost, "0-4242-4");
    assert_set(rs.kept, "");
    read_transactions(&rd, 17);
    const char first[] = "t insert  0 {id:4,v:\"a\"};END;t insert  0 {id:5,";
    assert_int_equal(strncmp((const char *)rd.text.p, first, sizeof first - 1), 0);
    close_reading(&rd);
}

struct reset_row {
    const char *what;
    const char *file;
    uint64_t pos;
    enum err_code code;
};

/* RESET while nothing was connected: the place that was stored has GTIDs that exist again. */
static void stream__log_reset_meanwhile__the_place_tells(void **state)
{
    (void)state;
    static const struct reset_row rows[] = {
        {"a file that is still to come", "bin.000003", 400, ERR_GTID_SURPLUS},
        {"a place behind the end of its file", "bin.000001", 1000000000, ERR_GTID_SURPLUS},
        {"another log", "other.000003", 400, ERR_NONE},
        {"only the GTIDs are known", "", 0, ERR_NONE},
    };
    sql("RESET MASTER");
    insert_rows(1, 5);
    for (size_t i = 0; i < 2 * sizeof rows / sizeof *rows; i++) {
        const struct reset_row *row = &rows[i / 2];
        struct stream_options opt = options();
        struct reading rd;
        struct err e = ERR_INIT;
        struct start at;
        opt.on_lost_continue = i % 2;
        memset(&rd, 0, sizeof rd);
        buf_init(&rd.text, 0);
        position_init(&rd.from);
        assert_int_equal(start_parse(&at, "0-4242-3", &e), 0);
        snprintf(at.pos.at.file, sizeof at.pos.at.file, "%s", row->file);
        at.pos.at.pos = row->pos;
        snprintf(at.pos.server_uuid, sizeof at.pos.server_uuid, "server_id-%d", SERVER_ID);
        assert_int_equal(source_stream_new(&rd.src, &opt, &e), 0);
        int rc = rd.src->ops->open(rd.src, &at, &rd.from, &e);
        enum err_code wanted = opt.on_lost_continue ? ERR_NONE : row->code;
        if (e.code != wanted || (rc == 0) != (wanted == ERR_NONE))
            fail_msg("%s: %s: %s", row->what, err_code_name(e.code), e.text);
        if (rc == 0) {
            bool anew = row->code != ERR_NONE; /* then all that is in the log is read */
            read_transactions(&rd, anew ? 5 : 2);
            buf_byte(&rd.text, 0);
            const char *first = anew ? "t insert  0 {id:1," : "t insert  0 {id:4,";
            assert_int_equal(strncmp((const char *)rd.text.p, first, strlen(first)), 0);
        }
        position_release(&at.pos);
        close_reading(&rd);
    }
}

static void stream__second_host_serves__when_the_first_does_not(void **state)
{
    (void)state;
    struct stream_options opt = options();
    const struct client_options hosts[] = {{.socket = "/nowhere/s", .user = "root", .connect_timeout_ms = 1000}, host};
    struct reading rd;
    opt.hosts = hosts;
    opt.host_count = 2;
    open_or_fail(&rd, &opt, "current");
    sql("INSERT INTO shop.t VALUES (1, 'a')");
    read_transactions(&rd, 1);
    close_reading(&rd);
}

static void stream__no_host_answers__connect_error_of_class_retry(void **state)
{
    (void)state;
    struct stream_options opt = options();
    const struct client_options nowhere = {.socket = "/nowhere/s", .user = "root", .connect_timeout_ms = 1000};
    struct reading rd;
    struct err e = ERR_INIT;
    opt.hosts = &nowhere;
    assert_true(open_at(&rd, &opt, "current", &e) != 0);
    assert_int_equal(err_class(&e), ERR_CLASS_RETRY);
    close_reading(&rd);
}

static void stream__server_id_of_the_server__duplicate(void **state)
{
    (void)state;
    struct stream_options opt = options();
    struct reading rd;
    struct err e = ERR_INIT;
    opt.server_id = SERVER_ID;
    assert_true(open_at(&rd, &opt, "current", &e) != 0);
    assert_int_equal(e.code, ERR_SERVER_ID_DUPLICATE);
    close_reading(&rd);
}

static void stream__two_with_one_server_id__the_older_one_stops(void **state)
{
    (void)state;
    struct stream_options opt = options();
    struct reading older, newer;
    struct rowset rs;
    struct err e = ERR_INIT;
    opt.server_id = 77;
    open_or_fail(&older, &opt, "current");
    open_or_fail(&newer, &opt, "current");
    for (unsigned turns = 0; turns < TURNS_MAX && older.src->ops->next(older.src, &rs, &e) == 0; turns++)
        ;
    assert_int_equal(e.code, ERR_SERVER_ID_DUPLICATE);
    close_reading(&older);
    close_reading(&newer);
}

static void stream__binlog_format_not_row__refused(void **state)
{
    (void)state;
    struct stream_options opt = options();
    struct reading rd;
    struct err e = ERR_INIT;
    sql("SET GLOBAL binlog_format = MIXED");
    int rc = open_at(&rd, &opt, "current", &e);
    sql("SET GLOBAL binlog_format = ROW");
    assert_true(rc != 0);
    assert_int_equal(e.code, ERR_BINLOG_FORMAT);
    close_reading(&rd);
}

static void stream__cascade_of_a_wanted_child__refused_unless_accepted(void **state)
{
    (void)state;
    static const char *const by_name[] = {"c_fk", NULL}, *const in_full[] = {"shop.c.c_fk", NULL},
                             *const other[] = {"shop.d.c_fk", "c", NULL};
    struct stream_options opt = options();
    struct reading rd;
    struct err e = ERR_INIT;
    sql("CREATE TABLE shop.c (id INT PRIMARY KEY, pid INT, CONSTRAINT c_fk FOREIGN KEY (pid) REFERENCES shop.t (id) "
        "ON DELETE CASCADE) ENGINE=InnoDB");
    opt.check_cascades = true;
    opt.accept_unlogged = other;
    int refused = open_at(&rd, &opt, "current", &e);
    close_reading(&rd);
    opt.accept_unlogged = by_name;
    open_or_fail(&rd, &opt, "current");
    close_reading(&rd);
    opt.accept_unlogged = in_full;
    open_or_fail(&rd, &opt, "current");

    /* one that appears later stops as well */
    sql("CREATE TABLE shop.d (id INT PRIMARY KEY, pid INT, CONSTRAINT d_fk FOREIGN KEY (pid) REFERENCES shop.t (id) "
        "ON UPDATE SET NULL) ENGINE=InnoDB");
    struct rowset rs;
    struct err later = ERR_INIT;
    for (unsigned turns = 0; turns < TURNS_MAX && rd.src->ops->next(rd.src, &rs, &later) == 0; turns++)
        ;
    close_reading(&rd);
    sql("DROP TABLE shop.c, shop.d");
    assert_true(refused != 0);
    assert_int_equal(e.code, ERR_CASCADE_UNLOGGED);
    assert_int_equal(later.code, ERR_CASCADE_UNLOGGED);
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
    struct stream_options opt = options();
    struct reading rd;
    char start[FILEPOS_TEXT_MAX];
    snprintf(start, sizeof start, "bin.000001:%llu", (unsigned long long)place);
    opt.hosts = &there;
    open_or_fail(&rd, &opt, start);
    read_transactions(&rd, 1);
    assert_text(&rd, "t insert  0 {a:3,b:\"x\"};END;");
    assert_int_equal(rd.end.pos, end);
    close_reading(&rd);
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
    log->opt = options();
    log->opt.hosts = &log->there;
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
    struct reading rd;
    struct err e = ERR_INIT;
    char start[FILEPOS_TEXT_MAX];
    snprintf(start, sizeof start, "bin.000001:%llu", (unsigned long long)row->pos);
    int rc = open_at(&rd, &log->opt, start, &e);
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
            read_transactions(&rd, 1);
            assert_text(&rd, row->rows);
        }
    }
    close_reading(&rd);
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

/* A second server that took part in the replication: it writes the same GTIDs. */
static void as_replica(struct client *cli, const char *statement, unsigned seq_no)
{
    struct err e = ERR_INIT;
    char set[96];
    snprintf(set, sizeof set, "SET SESSION server_id = %d, gtid_seq_no = %u", SERVER_ID, seq_no);
    assert_int_equal(client_execute(cli, set, &e), 0);
    if (client_execute(cli, statement, &e) != 0)
        fail_msg("%s: %s", statement, e.text);
}

/* Fails over from the first server to a second that has `copied` of its three transactions; what is read then. */
static void fail_over(unsigned copied, struct stream_options *opt, struct reading *rd, struct private_mariadb *other)
{
    static const char *const statements[] = {"CREATE DATABASE shop",
                                             "CREATE TABLE shop.t (id INT PRIMARY KEY, v VARCHAR(20)) ENGINE=InnoDB",
                                             "INSERT INTO shop.t VALUES (1, 'a')"};
    struct client *cli = NULL;
    struct err e = ERR_INIT;
    sql("DROP DATABASE shop");
    sql("RESET MASTER");
    assert_true(private_mariadb_start(other, SERVER_ID + 1));
    const struct client_options second = private_mariadb_options(other);
    assert_int_equal(client_connect(&cli, &second, &e), 0);
    for (unsigned i = 0; i < 3; i++) {
        sql(statements[i]);
        if (i < copied)
            as_replica(cli, statements[i], i + 1);
    }
    const struct client_options hosts[] = {host, second};
    opt->hosts = hosts;
    opt->host_count = 2;
    open_or_fail(rd, opt, "earliest");
    read_transactions(rd, 1);
    private_mariadb_kill(&server);
    if (copied == 3) {
        assert_int_equal(client_execute(cli, "SET SESSION server_id = DEFAULT", &e), 0);
        assert_int_equal(client_execute(cli, "INSERT INTO shop.t VALUES (2, 'b')", &e), 0);
        read_transactions(rd, 1);
    } else {
        struct rowset rs;
        for (unsigned turns = 0; turns < TURNS_MAX && rd->src->ops->next(rd->src, &rs, &rd->last_note) == 0; turns++)
            if (rs.kind == ROWSET_NOTE)
                rd->noted += strstr(rs.note.text, "catch up") != NULL;
    }
    rd->src->ops->close(rd->src); /* before `hosts` goes */
    rd->src = NULL;
    client_close(cli);
    private_mariadb_remove(other);
    assert_true(private_mariadb_restart(&server));
    connect_admin();
}

static void stream__failover__goes_on_by_gtid(void **state)
{
    (void)state;
    struct stream_options opt = options();
    struct private_mariadb other;
    struct reading rd;
    fail_over(3, &opt, &rd, &other);
    assert_text(&rd, "t insert  0 {id:1,v:\"a\"};END;LOST;t insert  0 {id:2,v:\"b\"};END;");
    close_reading(&rd);
}

static void stream__failover_to_a_server_that_lacks_something__waits_then_stops(void **state)
{
    (void)state;
    struct stream_options opt = options();
    struct private_mariadb other;
    struct reading rd;
    opt.lost_grace_ms = 500;
    fail_over(2, &opt, &rd, &other);
    assert_int_equal(rd.last_note.code, ERR_GTID_SURPLUS);
    assert_non_null(strstr(rd.last_note.text, "0-4242-3"));
    assert_true(rd.noted > 0);
    close_reading(&rd);
}

static void *interrupt_soon(void *arg)
{
    struct source *src = arg;
    const struct timespec pause = {.tv_nsec = 50000000};
    nanosleep(&pause, NULL);
    src->ops->interrupt(src);
    return NULL;
}

static void stream__interrupt__ends_a_blocked_read_and_a_wait(void **state)
{
    (void)state;
    struct stream_options opt = options();
    struct reading rd;
    opt.heartbeat_ms = 60000;
    for (int lost = 0; lost < 2; lost++) {
        struct rowset rs;
        struct err e = ERR_INIT;
        pthread_t thread;
        opt.backoff_ms = opt.backoff_max_ms = 60000;
        open_or_fail(&rd, &opt, "current");
        if (lost) {
            private_mariadb_kill(&server);
            while (turn(&rd) != ROWSET_LOST)
                ;
        }
        assert_int_equal(pthread_create(&thread, NULL, interrupt_soon, rd.src), 0);
        while (rd.src->ops->next(rd.src, &rs, &e) == 0)
            ;
        pthread_join(thread, NULL);
        assert_int_equal(e.code, ERR_INTERRUPTED);
        close_reading(&rd);
    }
    assert_true(private_mariadb_restart(&server));
    connect_admin();
}

static int start_server(void **state)
{
    (void)state;
    env = env_system();
    if (!private_mariadb_start(&server, SERVER_ID))
        return -1;
    host = private_mariadb_options(&server);
    connect_admin();
    return 0;
}

static int stop_server(void **state)
{
    (void)state;
    client_close(admin);
    private_mariadb_remove(&server);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(stream__current__rows_from_now_on, empty_table),
        cmocka_unit_test_setup(stream__flush_logs__goes_on_in_the_next_file, empty_table),
        cmocka_unit_test_setup(stream__resumed_by_file_or_gtid__begins_with_the_next_transaction, empty_table),
        cmocka_unit_test_setup(stream__server_killed__resumes_without_gap_or_repeat, empty_table),
        cmocka_unit_test_setup(stream__connection_killed_inside_a_transaction__it_is_read_again_whole, empty_table),
        cmocka_unit_test_setup(stream__silent_server__lost_after_three_heartbeats, empty_table),
        cmocka_unit_test_setup(stream__earliest_and_time__from_the_first_file_and_from_then_on, empty_table),
        cmocka_unit_test_setup(stream__end_by_position__eof_behind_it, empty_table),
        cmocka_unit_test_setup(stream__starts_that_the_server_cannot_serve__named, empty_table),
        cmocka_unit_test_setup(stream__purged_gtid__binlog_purged, empty_table),
        cmocka_unit_test_setup(stream__lost_transactions_continue__told_and_read_from_the_end, empty_table),
        cmocka_unit_test_setup(stream__log_reset_while_reading__stops, empty_table),
        cmocka_unit_test_setup(stream__log_reset_while_reading_continue__the_new_log_is_read_whole, empty_table),
        cmocka_unit_test_setup(stream__log_reset_meanwhile__the_place_tells, empty_table),
        cmocka_unit_test_setup(stream__second_host_serves__when_the_first_does_not, empty_table),
        cmocka_unit_test_setup(stream__no_host_answers__connect_error_of_class_retry, empty_table),
        cmocka_unit_test_setup(stream__server_id_of_the_server__duplicate, empty_table),
        cmocka_unit_test_setup(stream__two_with_one_server_id__the_older_one_stops, empty_table),
        cmocka_unit_test_setup(stream__binlog_format_not_row__refused, empty_table),
        cmocka_unit_test_setup(stream__cascade_of_a_wanted_child__refused_unless_accepted, empty_table),
        cmocka_unit_test(stream__place_beyond_4_gib__passed_over_from_the_head),
        cmocka_unit_test(stream__mysql_file_and_offset__gtid_set_at_the_place),
        cmocka_unit_test_setup(stream__failover__goes_on_by_gtid, empty_table),
        cmocka_unit_test_setup(stream__failover_to_a_server_that_lacks_something__waits_then_stops, empty_table),
        cmocka_unit_test_setup(stream__interrupt__ends_a_blocked_read_and_a_wait, empty_table),
    };
    if (!private_mariadb_possible())
        return 0;
    return cmocka_run_group_tests_name("source_stream", tests, start_server, stop_server);
}
