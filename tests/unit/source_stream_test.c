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
#include "tools/private_mariadb.h"
#include "tools/stream_reading.h"

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

static const struct interest interest = {.wants = stream_reading_wants_shop};

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

static void print_start(const struct stream_reading *rd, char out[FILEPOS_TEXT_MAX])
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
    struct stream_reading rd;
    sql("INSERT INTO shop.t VALUES (1, 'before')");
    stream_reading_open(&rd, &opt, "current");
    sql("INSERT INTO shop.t VALUES (2, 'b'), (3, NULL)");
    sql("UPDATE shop.t SET v = 'c' WHERE id = 2");
    sql("DELETE FROM shop.t WHERE id = 3");
    stream_reading_transactions(&rd, 3);
    stream_reading_expect(&rd, "t insert  0 {id:2,v:\"b\"}\n  1 {id:3,v:null};END;"
                               "t update  0 {id:2,v:\"b\"} -> {id:2,v:\"c\"};END;"
                               "t delete  0 {id:3,v:null};END;");
    assert_non_null(rd.from.gtids);
    assert_string_equal(rd.from.server_uuid, "server_id-4242");
    stream_reading_close(&rd);
}

static void stream__flush_logs__goes_on_in_the_next_file(void **state)
{
    (void)state;
    struct stream_options opt = options();
    struct stream_reading rd;
    stream_reading_open(&rd, &opt, "current");
    uint64_t file = filepos_file_number(rd.from.at.file);
    sql("INSERT INTO shop.t VALUES (1, 'a')");
    sql("FLUSH BINARY LOGS");
    sql("INSERT INTO shop.t VALUES (2, 'b')");
    stream_reading_transactions(&rd, 2);
    stream_reading_expect(&rd, "t insert  0 {id:1,v:\"a\"};END;t insert  0 {id:2,v:\"b\"};END;");
    assert_int_equal(filepos_file_number(rd.end.file), file + 1);
    assert_int_equal(rd.lost, 0);
    stream_reading_close(&rd);
}

static void stream__resumed_by_file_or_gtid__begins_with_the_next_transaction(void **state)
{
    (void)state;
    struct stream_options opt = options();
    struct stream_reading rd;
    char file[FILEPOS_TEXT_MAX];
    struct client_result result = {0};
    struct err e = ERR_INIT;
    stream_reading_open(&rd, &opt, "current");
    sql("INSERT INTO shop.t VALUES (1, 'a')");
    stream_reading_transactions(&rd, 1);
    print_start(&rd, file);
    stream_reading_close(&rd);
    assert_int_equal(client_query(admin, "SELECT @@gtid_binlog_pos", &result, &e), 0);
    sql("INSERT INTO shop.t VALUES (2, 'b')");

    const char *const starts[] = {file, result.cells[0].p};
    for (size_t i = 0; i < 2; i++) {
        stream_reading_open(&rd, &opt, starts[i]);
        stream_reading_transactions(&rd, 1);
        stream_reading_expect(&rd, "t insert  0 {id:2,v:\"b\"};END;");
        stream_reading_close(&rd);
    }
    client_result_free(&result);
}

static void stream__server_killed__resumes_without_gap_or_repeat(void **state)
{
    (void)state;
    struct stream_options opt = options();
    struct stream_reading rd;
    stream_reading_open(&rd, &opt, "current");
    sql("SET GLOBAL sync_binlog = 1");
    sql("INSERT INTO shop.t VALUES (1, 'a')");
    stream_reading_transactions(&rd, 1);
    private_mariadb_kill(&server);
    while (stream_reading_turn(&rd) != ROWSET_LOST)
        ;
    while (stream_reading_turn(&rd) != ROWSET_NOTE) /* a try that failed is told */
        ;
    assert_int_equal(rd.last_note.code, ERR_CONNECT);
    assert_true(private_mariadb_restart(&server));
    connect_admin();
    sql("INSERT INTO shop.t VALUES (2, 'b')");
    stream_reading_transactions(&rd, 1);
    stream_reading_expect(&rd, "t insert  0 {id:1,v:\"a\"};END;LOST;t insert  0 {id:2,v:\"b\"};END;");
    assert_int_equal(rd.lost, 1);
    stream_reading_close(&rd);
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
static unsigned count_rows(struct stream_reading *rd, enum rowset_kind last)
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
    struct stream_reading rd;
    sql("CREATE OR REPLACE TABLE shop.big (id INT PRIMARY KEY, v VARCHAR(1000)) ENGINE=InnoDB");
    stream_reading_open(&rd, &opt, "current");
    sql("INSERT INTO shop.big SELECT seq, REPEAT('x', 1000) FROM shop.seq_1_to_20000");
    while (stream_reading_turn(&rd) != ROWSET_ROWS)
        ;
    kill_dumps();
    unsigned before = count_rows(&rd, ROWSET_LOST);
    assert_true(before < 20000);
    assert_int_equal(count_rows(&rd, ROWSET_BEGIN), 0);
    assert_int_equal(count_rows(&rd, ROWSET_END), 20000);
    sql("DROP TABLE shop.big");
    stream_reading_close(&rd);
}

static void stream__silent_server__lost_after_three_heartbeats(void **state)
{
    (void)state;
    struct stream_options opt = options();
    struct stream_reading rd;
    stream_reading_open(&rd, &opt, "current");
    while (stream_reading_turn(&rd) != ROWSET_MARK)
        ;
    kill(server.pid, SIGSTOP);
    while (stream_reading_turn(&rd) != ROWSET_LOST)
        ;
    kill(server.pid, SIGCONT);
    assert_int_equal(rd.last_note.code, ERR_CONNECT);
    assert_non_null(strstr(rd.last_note.text, "silent"));
    sql("INSERT INTO shop.t VALUES (1, 'a')");
    stream_reading_transactions(&rd, 1);
    stream_reading_expect(&rd, "LOST;t insert  0 {id:1,v:\"a\"};END;");
    stream_reading_close(&rd);
}

static void stream__earliest_and_time__from_the_first_file_and_from_then_on(void **state)
{
    (void)state;
    struct stream_options opt = options();
    struct stream_reading rd;
    struct err e = ERR_INIT;
    struct client_result result = {0};
    sql("RESET MASTER");
    sql("SET timestamp = 1600000000"); /* 2020-09-13T12:26:40Z */
    sql("INSERT INTO shop.t VALUES (1, 'old')");
    sql("SET timestamp = DEFAULT");
    sql("FLUSH BINARY LOGS");
    sql("FLUSH BINARY LOGS");
    sql("INSERT INTO shop.t VALUES (2, 'new')");
    stream_reading_open(&rd, &opt, "earliest");
    stream_reading_transactions(&rd, 2);
    stream_reading_expect(&rd, "t insert  0 {id:1,v:\"old\"};END;t insert  0 {id:2,v:\"new\"};END;");
    stream_reading_close(&rd);

    stream_reading_open(&rd, &opt, "2020-09-13T12:26:41Z");
    stream_reading_transactions(&rd, 1);
    stream_reading_expect(&rd, "t insert  0 {id:2,v:\"new\"};END;");
    stream_reading_close(&rd);
    assert_int_equal(client_query(admin, "SHOW BINARY LOGS", &result, &e), 0);
    assert_int_equal(result.rows, 3);
    client_result_free(&result);
}

static void stream__end_by_position__eof_behind_it(void **state)
{
    (void)state;
    struct stream_options opt = options();
    struct stream_reading rd;
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
    stream_reading_open(&rd, &opt, "earliest");
    while (stream_reading_turn(&rd) != ROWSET_EOF)
        ;
    stream_reading_expect(&rd, "t insert  0 {id:1,v:\"a\"};END;");
    position_release(&end);
    stream_reading_close(&rd);
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
    struct stream_reading rd;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        struct err e = ERR_INIT;
        assert_true(stream_reading_try(&rd, &opt, refusals[i].start, &e) != 0);
        if (e.code != refusals[i].code)
            fail_msg("%s: %s: %s", refusals[i].start, err_code_name(e.code), e.text);
        stream_reading_close(&rd);
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
    struct stream_reading rd;
    struct err e = ERR_INIT;
    sql("RESET MASTER");
    sql("INSERT INTO shop.t VALUES (1, 'a')");
    sql("INSERT INTO shop.t VALUES (2, 'b')");
    sql("FLUSH BINARY LOGS");
    purge_to("bin.000002");
    int rc = stream_reading_try(&rd, &opt, "0-4242-1", &e);
    assert_true(rc != 0);
    assert_int_equal(e.code, ERR_BINLOG_PURGED);
    stream_reading_close(&rd);
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
    struct stream_reading rd;
    opt.on_lost_continue = true;
    stream_reading_open(&rd, &opt, "0-4242-99999999");
    sql("INSERT INTO shop.t VALUES (1, 'a')");
    struct rowset rs = {.kind = ROWSET_NOTE};
    struct err e = ERR_INIT;
    while (rs.kind == ROWSET_NOTE && rs.note.code != ERR_GTID_SURPLUS)
        assert_int_equal(rd.src->ops->next(rd.src, &rs, &e), 0);
    assert_int_equal(rs.note.code, ERR_GTID_SURPLUS);
    assert_set(rs.lost, "0-4242-99999999");
    assert_true(gtid_set_equal(rs.kept, rd.from.gtids));
    stream_reading_transactions(&rd, 1);
    stream_reading_expect(&rd, "t insert  0 {id:1,v:\"a\"};END;");
    stream_reading_close(&rd);
}

/* Reads until an error; notes go by. */
static enum err_code read_to_error(struct stream_reading *rd, struct err *e)
{
    struct rowset rs;
    unsigned turns = 0;
    while (rd->src->ops->next(rd->src, &rs, e) == 0) {
        assert_true(turns++ < TURNS_MAX);
        stream_reading_add(rd, &rs);
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
static void reset_while_reading(struct stream_options *opt, struct stream_reading *rd)
{
    sql("TRUNCATE TABLE shop.t");
    sql("SET TIMESTAMP = 1700000000"); /* when the first file was begun, which tells them apart */
    sql("RESET MASTER");
    sql("SET TIMESTAMP = DEFAULT");
    insert_rows(100, 100);
    stream_reading_open(rd, opt, "current");
    insert_rows(1, 3);
    stream_reading_transactions(rd, 3);
    buf_clear(&rd->text);
    sql("RESET MASTER");
    insert_rows(4, 20);
}

static void stream__log_reset_while_reading__stops(void **state)
{
    (void)state;
    struct stream_options opt = options();
    struct stream_reading rd;
    struct err e = ERR_INIT;
    reset_while_reading(&opt, &rd);
    assert_int_equal(read_to_error(&rd, &e), ERR_GTID_SURPLUS);
    stream_reading_expect(&rd, "LOST;");
    stream_reading_close(&rd);
}

static void stream__log_reset_while_reading_continue__the_new_log_is_read_whole(void **state)
{
    (void)state;
    struct stream_options opt = options();
    struct stream_reading rd;
    struct rowset rs = {.kind = ROWSET_NOTE};
    struct err e = ERR_INIT;
    opt.on_lost_continue = true;
    reset_while_reading(&opt, &rd);
    while (rs.kind != ROWSET_NOTE || rs.note.code != ERR_GTID_SURPLUS)
        assert_int_equal(rd.src->ops->next(rd.src, &rs, &e), 0);
    assert_set(rs.lost, "0-4242-4");
    assert_set(rs.kept, "");
    stream_reading_transactions(&rd, 17);
    const char first[] = "t insert  0 {id:4,v:\"a\"};END;t insert  0 {id:5,";
    assert_int_equal(strncmp((const char *)rd.text.p, first, sizeof first - 1), 0);
    stream_reading_close(&rd);
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
        struct stream_reading rd;
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
            stream_reading_transactions(&rd, anew ? 5 : 2);
            buf_byte(&rd.text, 0);
            const char *first = anew ? "t insert  0 {id:1," : "t insert  0 {id:4,";
            assert_int_equal(strncmp((const char *)rd.text.p, first, strlen(first)), 0);
        }
        position_release(&at.pos);
        stream_reading_close(&rd);
    }
}

static void stream__second_host_serves__when_the_first_does_not(void **state)
{
    (void)state;
    struct stream_options opt = options();
    const struct client_options hosts[] = {{.socket = "/nowhere/s", .user = "root", .connect_timeout_ms = 1000}, host};
    struct stream_reading rd;
    opt.hosts = hosts;
    opt.host_count = 2;
    stream_reading_open(&rd, &opt, "current");
    sql("INSERT INTO shop.t VALUES (1, 'a')");
    stream_reading_transactions(&rd, 1);
    stream_reading_close(&rd);
}

static void stream__no_host_answers__connect_error_of_class_retry(void **state)
{
    (void)state;
    struct stream_options opt = options();
    const struct client_options nowhere = {.socket = "/nowhere/s", .user = "root", .connect_timeout_ms = 1000};
    struct stream_reading rd;
    struct err e = ERR_INIT;
    opt.hosts = &nowhere;
    assert_true(stream_reading_try(&rd, &opt, "current", &e) != 0);
    assert_int_equal(err_class(&e), ERR_CLASS_RETRY);
    stream_reading_close(&rd);
}

static void stream__server_id_of_the_server__duplicate(void **state)
{
    (void)state;
    struct stream_options opt = options();
    struct stream_reading rd;
    struct err e = ERR_INIT;
    opt.server_id = SERVER_ID;
    assert_true(stream_reading_try(&rd, &opt, "current", &e) != 0);
    assert_int_equal(e.code, ERR_SERVER_ID_DUPLICATE);
    stream_reading_close(&rd);
}

static void stream__two_with_one_server_id__the_older_one_stops(void **state)
{
    (void)state;
    struct stream_options opt = options();
    struct stream_reading older, newer;
    struct rowset rs;
    struct err e = ERR_INIT;
    opt.server_id = 77;
    stream_reading_open(&older, &opt, "current");
    stream_reading_open(&newer, &opt, "current");
    for (unsigned turns = 0; turns < TURNS_MAX && older.src->ops->next(older.src, &rs, &e) == 0; turns++)
        ;
    assert_int_equal(e.code, ERR_SERVER_ID_DUPLICATE);
    stream_reading_close(&older);
    stream_reading_close(&newer);
}

static void stream__binlog_format_not_row__refused(void **state)
{
    (void)state;
    struct stream_options opt = options();
    struct stream_reading rd;
    struct err e = ERR_INIT;
    sql("SET GLOBAL binlog_format = MIXED");
    int rc = stream_reading_try(&rd, &opt, "current", &e);
    sql("SET GLOBAL binlog_format = ROW");
    assert_true(rc != 0);
    assert_int_equal(e.code, ERR_BINLOG_FORMAT);
    stream_reading_close(&rd);
}

static void stream__cascade_of_a_wanted_child__refused_unless_accepted(void **state)
{
    (void)state;
    static const char *const by_name[] = {"c_fk", NULL}, *const in_full[] = {"shop.c.c_fk", NULL},
                             *const other[] = {"shop.d.c_fk", "c", NULL};
    struct stream_options opt = options();
    struct stream_reading rd;
    struct err e = ERR_INIT;
    sql("CREATE TABLE shop.c (id INT PRIMARY KEY, pid INT, CONSTRAINT c_fk FOREIGN KEY (pid) REFERENCES shop.t (id) "
        "ON DELETE CASCADE) ENGINE=InnoDB");
    opt.check_cascades = true;
    opt.accept_unlogged = other;
    int refused = stream_reading_try(&rd, &opt, "current", &e);
    stream_reading_close(&rd);
    opt.accept_unlogged = by_name;
    stream_reading_open(&rd, &opt, "current");
    stream_reading_close(&rd);
    opt.accept_unlogged = in_full;
    stream_reading_open(&rd, &opt, "current");

    /* one that appears later stops as well */
    sql("CREATE TABLE shop.d (id INT PRIMARY KEY, pid INT, CONSTRAINT d_fk FOREIGN KEY (pid) REFERENCES shop.t (id) "
        "ON UPDATE SET NULL) ENGINE=InnoDB");
    struct rowset rs;
    struct err later = ERR_INIT;
    for (unsigned turns = 0; turns < TURNS_MAX && rd.src->ops->next(rd.src, &rs, &later) == 0; turns++)
        ;
    stream_reading_close(&rd);
    sql("DROP TABLE shop.c, shop.d");
    assert_true(refused != 0);
    assert_int_equal(e.code, ERR_CASCADE_UNLOGGED);
    assert_int_equal(later.code, ERR_CASCADE_UNLOGGED);
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
static void fail_over(unsigned copied, struct stream_options *opt, struct stream_reading *rd,
                      struct private_mariadb *other)
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
    stream_reading_open(rd, opt, "earliest");
    stream_reading_transactions(rd, 1);
    private_mariadb_kill(&server);
    if (copied == 3) {
        assert_int_equal(client_execute(cli, "SET SESSION server_id = DEFAULT", &e), 0);
        assert_int_equal(client_execute(cli, "INSERT INTO shop.t VALUES (2, 'b')", &e), 0);
        stream_reading_transactions(rd, 1);
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
    struct stream_reading rd;
    fail_over(3, &opt, &rd, &other);
    stream_reading_expect(&rd, "t insert  0 {id:1,v:\"a\"};END;LOST;t insert  0 {id:2,v:\"b\"};END;");
    stream_reading_close(&rd);
}

static void stream__failover_to_a_server_that_lacks_something__waits_then_stops(void **state)
{
    (void)state;
    struct stream_options opt = options();
    struct private_mariadb other;
    struct stream_reading rd;
    opt.lost_grace_ms = 500;
    fail_over(2, &opt, &rd, &other);
    assert_int_equal(rd.last_note.code, ERR_GTID_SURPLUS);
    assert_non_null(strstr(rd.last_note.text, "0-4242-3"));
    assert_true(rd.noted > 0);
    stream_reading_close(&rd);
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
    struct stream_reading rd;
    opt.heartbeat_ms = 60000;
    for (int lost = 0; lost < 2; lost++) {
        struct rowset rs;
        struct err e = ERR_INIT;
        pthread_t thread;
        opt.backoff_ms = opt.backoff_max_ms = 60000;
        stream_reading_open(&rd, &opt, "current");
        if (lost) {
            private_mariadb_kill(&server);
            while (stream_reading_turn(&rd) != ROWSET_LOST)
                ;
        }
        assert_int_equal(pthread_create(&thread, NULL, interrupt_soon, rd.src), 0);
        while (rd.src->ops->next(rd.src, &rs, &e) == 0)
            ;
        pthread_join(thread, NULL);
        assert_int_equal(e.code, ERR_INTERRUPTED);
        stream_reading_close(&rd);
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
        cmocka_unit_test_setup(stream__failover__goes_on_by_gtid, empty_table),
        cmocka_unit_test_setup(stream__failover_to_a_server_that_lacks_something__waits_then_stops, empty_table),
        cmocka_unit_test_setup(stream__interrupt__ends_a_blocked_read_and_a_wait, empty_table),
    };
    if (!private_mariadb_possible())
        return 0;
    return cmocka_run_group_tests_name("source_stream", tests, start_server, stop_server);
}
