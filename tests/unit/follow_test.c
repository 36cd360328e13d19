/* Sequences of statements, and what each table was behind every one of them; read again from any point, with other
 * tables wanted, and with a person's word in between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "schema/create_table.h"
#include "schema/definition.h"
#include "schema/follow.h"

#define STATEMENTS_MAX 12
#define STEP           100 /* bytes of one statement's event */

enum { MY = 1, MA = 2, BOTH = MY | MA };

struct world {
    struct history *history;
    struct schema *schema;
    struct interest interest;
    struct arena arena;
    struct ddl_mode mode;
    uint16_t server_collation;
    bool ddl_xid, failed;
    struct gtid_set *gtids; /* places have GTIDs; NULL: they have not */
    bool other_server;
    struct schema_followed followed;
    struct err e;
};

/* Wanted: db shop, but for names that begin with an underscore; a table of `side` may be wanted, but none is. */
static bool wants(void *ctx, const char *db, const char *table)
{
    (void)ctx;
    return strcmp(db, "shop") == 0 && table[0] != '_';
}

static bool wants_database(void *ctx, const char *db)
{
    (void)ctx;
    return strcmp(db, "shop") == 0 || strcmp(db, "side") == 0;
}

static void set_up(struct world *w, enum flavor flavor)
{
    *w = (struct world){.interest = {.wants = wants, .wants_database = wants_database},
                        .mode = {.flavor = flavor, .server_version = flavor == FLAVOR_MYSQL ? 90704 : 101119},
                        .server_collation = 8};
    err_clear(&w->e);
    arena_init(&w->arena, 65536, 0, 0);
    assert_int_equal(history_open(&w->history, NULL, NULL, &w->e), 0);
    assert_int_equal(schema_new_upon(&w->schema, w->history, NULL, &w->e), 0);
}

static void tear_down(struct world *w)
{
    schema_free(w->schema);
    history_free(w->history);
    arena_release(&w->arena);
}

/* The place of a statement: of one server, or with GTIDs where another server has it, too. */
static struct history_where place(const struct world *w, unsigned step)
{
    struct history_where where = {.server_uuid = "s", .at = {.file = "bin.000001", .pos = (step + 1) * STEP}};
    if (!w->gtids)
        return where;
    struct gtid before = {.flavor = FLAVOR_MARIADB, .domain = 0, .server = 1, .number = step + 1};
    if (w->other_server)
        where = (struct history_where){.server_uuid = "t", .at = {.file = "other.000077", .pos = 90000 - step * STEP}};
    assert_int_equal(gtid_set_add(w->gtids, &before, NULL), 0);
    where.gtids = w->gtids;
    where.gtid = before;
    where.gtid.number++;
    return where;
}

static int run(struct world *w, unsigned step, const char *sql)
{
    const struct ddl_statement stmt = {.sql = sql, .len = strlen(sql), .db = "shop", .db_len = 4, .mode = w->mode};
    struct ddl ddl;
    assert_int_equal(ddl_classify(&ddl, &stmt, &w->arena, &w->e), 0);
    const struct schema_statement st = {.stmt = &stmt,
                                        .ddl = &ddl,
                                        .where = place(w, step),
                                        .server_collation = w->server_collation,
                                        .ddl_xid = w->ddl_xid,
                                        .failed = w->failed};
    return schema_follow(w->schema, &st, &w->interest, &w->arena, &w->followed, &w->e);
}

/* A text of the history, or what a person writes in a database whose default is latin1. */
static struct create_table parse(struct world *w, const char *sql, bool written)
{
    static const struct create_context latin1 = {.charset = {"latin1", 6}};
    struct ddl_statement stmt;
    struct create_table def;
    definition_statement(&stmt, "shop", sql, strlen(sql));
    if (written)
        stmt.mode = w->mode;
    if (create_table_parse(&def, &stmt, written ? &latin1 : NULL, &w->arena, &w->e) != 0)
        fail_msg("%s: %s", sql, w->e.text);
    return def;
}

/* What shop.NAME (or db.NAME) is behind the statement. */
static const char *known(struct world *w, const char *name, unsigned step)
{
    char db[64] = "shop";
    const char *dot = strchr(name, '.');
    if (dot)
        snprintf(db, sizeof db, "%.*s", (int)(dot - name), name);
    struct history_where where = place(w, step);
    where.at.pos += STEP / 2;
    const struct history_version *version = history_find(w->history, db, dot ? dot + 1 : name, &where);
    if (!version)
        return "nothing";
    return version->kind == HISTORY_GONE ? "gone" : version->kind == HISTORY_UNKNOWN ? "unknown" : version->text;
}

static void expect(struct world *w, const char *what, const char *name, unsigned step, const char *want)
{
    const char *is = known(w, name, step);
    bool same = strcmp(is, want) == 0;
    if (strncmp(is, "CREATE", 6) == 0 && strncmp(want, "CREATE", 6) == 0) {
        struct create_table a = parse(w, is, false),
                            b = parse(w, want, !strstr(want, "unknown") && !strstr(want, "sequence"));
        same = create_table_equal(&a, &b);
    }
    if (!same)
        fail_msg("%s: %s behind statement %u is\n%s\nand should be\n%s", what, name, step, is, want);
}

struct script {
    const char *what;
    int flavors;
    const char *statements[STATEMENTS_MAX];
    struct {
        const char *table;
        unsigned step;
        const char *is;
    } expected[STATEMENTS_MAX];
};

#define A_INT "CREATE TABLE `a` (`id` int DEFAULT NULL) DEFAULT CHARSET=latin1"

static const struct script scripts[] = {
    {"a table of its own",
     BOTH,
     {"CREATE DATABASE shop CHARACTER SET latin1", "CREATE TABLE a (id INT)", "TRUNCATE a", "DROP TABLE a"},
     {{"a", 0, "nothing"}, {"a", 1, A_INT}, {"a", 2, A_INT}, {"a", 3, "gone"}}},
    {"the default of the database as the server had it",
     BOTH,
     {"CREATE DATABASE shop", "CREATE TABLE a (c CHAR(3))", "ALTER DATABASE shop CHARACTER SET utf8mb4",
      "CREATE TABLE b (c CHAR(3))"},
     {{"a", 1,
       "CREATE TABLE a (c char(3) CHARACTER SET latin1 COLLATE latin1_swedish_ci DEFAULT NULL) DEFAULT CHARSET=latin1 "
       "COLLATE=latin1_swedish_ci"},
      {"b", 3, "CREATE TABLE b (c char(3) CHARACTER SET utf8mb4 DEFAULT NULL) DEFAULT CHARSET=utf8mb4"}}},
    {"temporary tables",
     BOTH,
     {"CREATE DATABASE shop CHARACTER SET latin1", "CREATE TABLE a (id INT)", "CREATE TEMPORARY TABLE a (x INT)",
      "DROP /*!40005 TEMPORARY */ TABLE a", "DROP TEMPORARY TABLE IF EXISTS a"},
     {{"a", 2, A_INT}, {"a", 3, A_INT}, {"a", 4, A_INT}}},
    {"a copy",
     BOTH,
     {"CREATE DATABASE shop CHARACTER SET latin1", "CREATE TABLE a (id INT)", "CREATE TABLE b LIKE a", "DROP TABLE a",
      "CREATE TABLE c LIKE a", "CREATE TABLE d (LIKE b)"},
     {{"b", 2, "CREATE TABLE b (id int DEFAULT NULL) DEFAULT CHARSET=latin1"},
      {"b", 3, "CREATE TABLE b (id int DEFAULT NULL) DEFAULT CHARSET=latin1"},
      {"c", 4, "unknown"},
      {"d", 5, "CREATE TABLE d (id int DEFAULT NULL) DEFAULT CHARSET=latin1"}}},
    {"a swap",
     BOTH,
     {"CREATE DATABASE shop CHARACTER SET latin1", "CREATE TABLE a (id INT)", "CREATE TABLE b (x INT)",
      "RENAME TABLE a TO tmp, b TO a, tmp TO b"},
     {{"a", 2, A_INT},
      {"a", 3, "CREATE TABLE a (x int DEFAULT NULL) DEFAULT CHARSET=latin1"},
      {"b", 3, "CREATE TABLE b (id int DEFAULT NULL) DEFAULT CHARSET=latin1"},
      {"tmp", 3, "gone"}}},
    {"the cut-over of a tool, whose ghost nobody wants",
     BOTH,
     {"CREATE DATABASE shop CHARACTER SET latin1", "CREATE TABLE a (id INT)", "CREATE TABLE _a_gho (g INT)",
      "RENAME TABLE shop.a TO shop._a_del, shop._a_gho TO shop.a", "DROP TABLE _a_del"},
     {{"a", 2, A_INT}, {"a", 3, "CREATE TABLE a (g int DEFAULT NULL) DEFAULT CHARSET=latin1"}}},
    {"out of another database and back",
     BOTH,
     {"CREATE DATABASE shop CHARACTER SET latin1", "CREATE DATABASE side CHARACTER SET latin1",
      "CREATE TABLE side.n (id INT)", "RENAME TABLE side.n TO a", "RENAME TABLE a TO elsewhere.a",
      "ALTER TABLE elsewhere.a ADD x int", "RENAME TABLE elsewhere.a TO shop.a"},
     {{"a", 3, A_INT}, {"a", 4, "gone"}, {"a", 6, "CREATE TABLE `a` (`id` int,`x` int) DEFAULT CHARSET=latin1"}}},
    {"renamed from what is not known", BOTH, {"RENAME TABLE x TO a"}, {{"a", 0, "unknown"}, {"x", 0, "gone"}}},
    {"IF EXISTS and IF NOT EXISTS",
     MA,
     {"CREATE DATABASE shop CHARACTER SET latin1", "CREATE TABLE IF NOT EXISTS a (id INT)",
      "CREATE TABLE IF NOT EXISTS a (other INT)", "DROP TABLE IF EXISTS a, b", "CREATE TABLE IF NOT EXISTS b (id INT)",
      "RENAME TABLE IF EXISTS a TO c"},
     {{"a", 2, A_INT},
      {"a", 3, "gone"},
      {"b", 4, "CREATE TABLE b (id int DEFAULT NULL) DEFAULT CHARSET=latin1"},
      {"c", 5, "nothing"}}},
    {"IF NOT EXISTS where nothing says whether it did something",
     MY,
     {"CREATE TABLE IF NOT EXISTS a (id INT)", "DROP TABLE a", "CREATE DATABASE IF NOT EXISTS shop CHARSET latin1",
      "CREATE TABLE IF NOT EXISTS a (c CHAR(1))"},
     {{"a", 0, "unknown"}, {"a", 3, "CREATE TABLE a (c char(1) CHARACTER SET unknown DEFAULT NULL)"}}},
    {"IF NOT EXISTS in a database that the log made",
     BOTH,
     {"CREATE DATABASE shop CHARACTER SET latin1", "CREATE TABLE IF NOT EXISTS a (id INT)",
      "CREATE TABLE IF NOT EXISTS a (x INT)"},
     {{"a", 1, A_INT}, {"a", 2, A_INT}}},
    {"IF NOT EXISTS in a database that the log dropped, made and altered",
     BOTH,
     {"DROP DATABASE IF EXISTS shop", "CREATE DATABASE IF NOT EXISTS shop CHARACTER SET utf8mb4",
      "ALTER DATABASE shop CHARACTER SET latin1", "CREATE TABLE IF NOT EXISTS a (id INT)"},
     {{"a", 3, A_INT}}},
    {"IF NOT EXISTS in a database that was there before the log",
     MY,
     {"ALTER DATABASE shop CHARACTER SET utf8mb4", "ALTER DATABASE shop CHARACTER SET latin1",
      "CREATE TABLE IF NOT EXISTS a (id INT)", "CREATE TABLE b (id INT)"},
     {{"a", 2, "unknown"}, {"b", 3, "CREATE TABLE b (id int DEFAULT NULL) DEFAULT CHARSET=latin1"}}},
    {"OR REPLACE",
     MA,
     {"CREATE OR REPLACE DATABASE shop CHARACTER SET latin1", "CREATE TABLE a (x INT)",
      "CREATE OR REPLACE TABLE a (id INT)", "CREATE OR REPLACE DATABASE shop CHARACTER SET utf8mb4",
      "CREATE TABLE b (c CHAR(1))"},
     {{"a", 2, A_INT},
      {"a", 3, "gone"},
      {"b", 4, "CREATE TABLE b (c char(1) CHARACTER SET utf8mb4 DEFAULT NULL) DEFAULT CHARSET=utf8mb4"}}},
    {"a database goes",
     BOTH,
     {"CREATE DATABASE shop CHARACTER SET latin1", "CREATE TABLE a (id INT)", "CREATE TABLE other.o (id INT)",
      "DROP DATABASE shop", "CREATE TABLE b (c CHAR(1))"},
     {{"a", 2, A_INT},
      {"a", 3, "gone"},
      {"other.o", 3, "nothing"},
      {"b", 4, "CREATE TABLE b (c char(1) CHARACTER SET unknown DEFAULT NULL)"}}},
    {"a sequence",
     MA,
     {"CREATE SEQUENCE s START WITH 5", "ALTER SEQUENCE s RESTART 7", "DROP SEQUENCE s", "CREATE SEQUENCE s AS INT"},
     {{"s", 1,
       "CREATE TABLE s (next_not_cached_value bigint(21) NOT NULL,minimum_value bigint(21) NOT NULL,maximum_value "
       "bigint(21) NOT NULL,start_value bigint(21) NOT NULL,increment bigint(21) NOT NULL,cache_size bigint(21) "
       "unsigned NOT NULL,cycle_option tinyint(1) unsigned NOT NULL,cycle_count bigint(21) NOT NULL) /* sequence */"},
      {"s", 2, "gone"},
      {"s", 3, "unknown"}}},
    {"what changes no table",
     BOTH,
     {"CREATE DATABASE shop CHARACTER SET latin1", "CREATE TABLE a (id INT)",
      "CREATE PROCEDURE p() BEGIN DROP TABLE a; CREATE TABLE a (x INT); END",
      "ALTER USER a IDENTIFIED BY 'DROP TABLE a'", "CREATE TRIGGER tr AFTER INSERT ON a FOR EACH ROW DROP TABLE a",
      "FLUSH TABLES a", "ANALYZE TABLE a"},
     {{"a", 6, A_INT}}},
    {"a statement inside another",
     MA,
     {"CREATE DATABASE shop CHARACTER SET latin1",
      "SET STATEMENT lock_wait_timeout=5, max_statement_time=1 FOR CREATE TABLE a (id int) DEFAULT CHARSET=latin1",
      "SET STATEMENT lock_wait_timeout=5 FOR ALTER TABLE a ADD x int"},
     {{"a", 1, A_INT}, {"a", 2, "CREATE TABLE `a` (`id` int, `x` int) DEFAULT CHARSET=latin1"}}},
    {"changes of every kind",
     BOTH,
     {"CREATE TABLE a (id int, n varchar(5) CHARACTER SET latin1) DEFAULT CHARSET=latin1",
      "ALTER TABLE a ADD y int FIRST, DROP n, RENAME TO b", "CREATE UNIQUE INDEX u ON b (y)",
      "ALTER TABLE b RENAME COLUMN y TO z, ENGINE=InnoDB", "DROP INDEX u ON b",
      "ALTER TABLE b MODIFY z bigint NOT NULL"},
     {{"a", 1, "gone"},
      {"b", 1, "CREATE TABLE b (y int, id int) DEFAULT CHARSET=latin1"},
      {"b", 2, "CREATE TABLE b (y int, id int, UNIQUE KEY u (y)) DEFAULT CHARSET=latin1"},
      {"b", 3, "CREATE TABLE b (z int, id int, UNIQUE KEY u (z)) DEFAULT CHARSET=latin1"},
      {"b", 4, "CREATE TABLE b (z int, id int) DEFAULT CHARSET=latin1"},
      {"b", 5, "CREATE TABLE b (z bigint NOT NULL, id int) DEFAULT CHARSET=latin1"}}},
    {"an index that stood for a foreign key goes when another one serves",
     BOTH,
     {"CREATE TABLE p (id int primary key) DEFAULT CHARSET=latin1",
      "CREATE TABLE a (id int, CONSTRAINT f FOREIGN KEY (id) REFERENCES p (id)) DEFAULT CHARSET=latin1",
      "ALTER TABLE a ADD x int", "CREATE INDEX k ON a (id)"},
     {{"a", 2,
       "CREATE TABLE a (id int, x int, KEY f (id), CONSTRAINT f FOREIGN KEY (id) REFERENCES shop.p (id)) DEFAULT "
       "CHARSET=latin1"},
      {"a", 3,
       "CREATE TABLE a (id int, x int, KEY k (id), CONSTRAINT f FOREIGN KEY (id) REFERENCES shop.p (id)) DEFAULT "
       "CHARSET=latin1"}}},
    {"a name of several bytes, and quotes in it",
     BOTH,
     {"CREATE DATABASE shop CHARACTER SET latin1", "CREATE TABLE `\xc3\xb6``x` (`\xe2\x82\xac` INT)"},
     {{"\xc3\xb6`x", 1, "CREATE TABLE `\xc3\xb6``x` (`\xe2\x82\xac` int DEFAULT NULL) DEFAULT CHARSET=latin1"}}},
};

static void run_all(struct world *w, const struct script *script, unsigned from)
{
    for (unsigned i = from; i < STATEMENTS_MAX && script->statements[i]; i++)
        if (run(w, i, script->statements[i]) != 0)
            fail_msg("%s: %s: %s", script->what, script->statements[i], w->e.text);
}

static void check_all(struct world *w, const struct script *script)
{
    for (unsigned i = 0; i < STATEMENTS_MAX && script->expected[i].table; i++)
        expect(w, script->what, script->expected[i].table, script->expected[i].step, script->expected[i].is);
}

static void follow__statements__versions_at_their_places(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++)
        for (int flavor = 0; flavor < 2; flavor++) {
            struct world w;
            if (!(scripts[i].flavors & (flavor ? MA : MY)))
                continue;
            set_up(&w, flavor ? FLAVOR_MARIADB : FLAVOR_MYSQL);
            run_all(&w, &scripts[i], 0);
            check_all(&w, &scripts[i]);
            tear_down(&w);
        }
}

/* After a restart, in a replay, after a failover: from any statement on, more than once. */
static void follow__statements_read_again__nothing_changes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
        struct world w;
        set_up(&w, scripts[i].flavors & MA ? FLAVOR_MARIADB : FLAVOR_MYSQL);
        run_all(&w, &scripts[i], 0);
        size_t bytes = history_bytes(w.history);
        for (unsigned from = 0; from < STATEMENTS_MAX && scripts[i].statements[from]; from++) {
            run_all(&w, &scripts[i], from);
            check_all(&w, &scripts[i]);
        }
        if (history_bytes(w.history) != bytes)
            fail_msg("%s: %zu bytes, then %zu", scripts[i].what, bytes, history_bytes(w.history));
        tear_down(&w);
    }
}

/* Versions of tables that are wanted. */
static size_t count_versions(struct world *w)
{
    struct history_table tbl;
    size_t count = 0;
    for (size_t i = 0; history_table(w->history, i, &tbl); i++)
        count += tbl.candidate ? 0 : tbl.versions;
    return count;
}

/* After a failover the same statements come from other files. */
static void follow__statements_of_another_server__known_by_their_gtids(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
        struct world w;
        if (!(scripts[i].flavors & MA))
            continue;
        set_up(&w, FLAVOR_MARIADB);
        w.gtids = gtid_set_new(FLAVOR_MARIADB);
        assert_non_null(w.gtids);
        run_all(&w, &scripts[i], 0);
        check_all(&w, &scripts[i]);
        w.other_server = true;
        check_all(&w, &scripts[i]);
        size_t count = count_versions(&w);
        run_all(&w, &scripts[i], 0);
        check_all(&w, &scripts[i]);
        if (count_versions(&w) != count)
            fail_msg("%s: %zu versions, then %zu", scripts[i].what, count, count_versions(&w));
        gtid_set_free(w.gtids);
        tear_down(&w);
    }
}

static void follow__cannot_be_read__stops_or_is_told(void **state)
{
    (void)state;
    struct world w;
    set_up(&w, FLAVOR_MYSQL);
    assert_int_equal(run(&w, 0, "CREATE TABLE a (id FROBNICATED(7) WITH CHEESE)"), -ERR_DDL_UNKNOWN);
    assert_non_null(strstr(w.e.text, "shop.a"));
    err_clear(&w.e);
    assert_int_equal(run(&w, 1, "CREATE TABLE side.a (id FROBNICATED(7) WITH CHEESE)"), 0);
    assert_non_null(w.followed.note);
    assert_non_null(strstr(w.followed.note, "side.a"));
    assert_int_equal(run(&w, 2, "CREATE TABLE elsewhere.a (id FROBNICATED(7) WITH CHEESE)"), 0);
    assert_null(w.followed.note);
    tear_down(&w);
}

static void follow__covered__not_parsed(void **state)
{
    (void)state;
    struct world w;
    static const char text[] = "CREATE TABLE `a` (`told` int)";
    const struct history_change told = {
        .db = "shop", .table = "a", .kind = HISTORY_DEFINED, .text = text, .len = sizeof text - 1};
    set_up(&w, FLAVOR_MYSQL);
    const struct history_where where = place(&w, 0);
    assert_int_equal(history_put(w.history, &where, HISTORY_IMPORT, NULL, &told, 1, &w.e), 0);
    assert_int_equal(run(&w, 0, "CREATE TABLE a (id FROBNICATED(7) WITH CHEESE)"), 0);
    assert_string_equal(known(&w, "a", 0), text);
    tear_down(&w);
}

#define MY_KEY "  `my_row_id` bigint unsigned NOT NULL AUTO_INCREMENT /*!80023 INVISIBLE */,\n"

/* Who wrote such a text is known of some; of others, whether that matters is. */
static void follow__printed_text_without_escapes__lost_where_its_backslashes_count(void **state)
{
    (void)state;
    static const struct {
        const char *sql, *is;
    } cases[] = {
        {"CREATE TABLE `a` (\n  `back\\s` int DEFAULT NULL\n) DEFAULT CHARSET=latin1",
         "CREATE TABLE `a` (`back\\s` int) DEFAULT CHARSET=latin1"},
        {"CREATE TABLE `a` (\n  `id` int DEFAULT NULL COMMENT 'x\\\\y'\n) DEFAULT CHARSET=latin1", A_INT},
        {"CREATE TABLE `a` (\n  `id` enum('b\\\\c','d')\n) DEFAULT CHARSET=latin1", "unknown"},
        {"CREATE TABLE `a` (\n  `id` int COMMENT 'it\\'s'\n) DEFAULT CHARSET=latin1", "unknown"},
        {"CREATE TABLE a (id enum('b\\\\c','d')) DEFAULT CHARSET=latin1",
         "CREATE TABLE a (id enum('b\\\\\\\\c','d')) DEFAULT CHARSET=latin1"},
        {"CREATE TABLE `a` (\n  `id` enum('b\\\\c','d')\n) START TRANSACTION DEFAULT CHARSET=latin1",
         "CREATE TABLE a (id enum('b\\\\c','d')) DEFAULT CHARSET=latin1"},
        {"CREATE TABLE `a` (\n" MY_KEY "  `id` enum('b\\\\c','d'),\n  PRIMARY KEY (`my_row_id`)\n) COLLATE latin1_bin",
         "CREATE TABLE a (" MY_KEY " id enum('b\\\\c','d'), PRIMARY KEY (my_row_id)) COLLATE latin1_bin"},
        {"CREATE TABLE `a` (\n" MY_KEY
         "  `id` enum('b\\\\c','d'),\n  PRIMARY KEY (`my_row_id`)\n) ENGINE=InnoDB DEFAULT CHARSET=latin1",
         "unknown"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world w;
        set_up(&w, FLAVOR_MYSQL);
        w.mode.sql_mode = DDL_NO_BACKSLASH_ESCAPES;
        assert_int_equal(run(&w, 0, cases[i].sql), 0);
        w.mode.sql_mode = 0;
        expect(&w, cases[i].sql, "a", 0, cases[i].is);
        tear_down(&w);
    }
}

static void follow__failed__only_drop_has_an_effect(void **state)
{
    (void)state;
    struct world w;
    set_up(&w, FLAVOR_MARIADB);
    assert_int_equal(run(&w, 0, "CREATE DATABASE shop CHARACTER SET latin1"), 0);
    assert_int_equal(run(&w, 1, "CREATE TABLE a (id INT)"), 0);
    w.failed = true;
    assert_int_equal(run(&w, 2, "RENAME TABLE a TO b"), 0);
    expect(&w, "failed rename", "a", 2, A_INT);
    assert_int_equal(run(&w, 3, "DROP TABLE a, missing"), 0);
    expect(&w, "drop that found one of two", "a", 3, "gone");
    tear_down(&w);
}

static void follow__tables__told_when_they_change_or_are_lost(void **state)
{
    (void)state;
    struct world w;
    set_up(&w, FLAVOR_MYSQL);
    assert_int_equal(run(&w, 0, "CREATE TABLE a (id INT)"), 0);
    assert_int_equal(w.followed.changed_count, 1);
    assert_string_equal(w.followed.changed[0].name, "a");
    assert_int_equal(w.followed.unknown_count, 0);
    assert_int_equal(run(&w, 1, "RENAME TABLE a TO _a, elsewhere.x TO a"), 0);
    assert_int_equal(w.followed.changed_count, 1);
    assert_int_equal(w.followed.unknown_count, 1);
    assert_string_equal(w.followed.unknown[0].name, "a");
    w.ddl_xid = true;
    assert_int_equal(run(&w, 2, "CREATE TABLE IF NOT EXISTS b (id INT)"), 0);
    assert_int_equal(w.followed.unknown_count, 0);
    expect(&w, "the server said that it was made", "b", 2, "CREATE TABLE b (id int) /* charset unknown */");
    tear_down(&w);
}

/* With lower_case_table_names 1 row events have small letters, whatever the statement has. */
static void follow__names_in_another_case__by_the_rule_of_the_server(void **state)
{
    (void)state;
    struct world w;
    set_up(&w, FLAVOR_MYSQL);
    assert_int_equal(history_set_case(w.history, 1, &w.e), 0);
    assert_int_equal(run(&w, 0, "CREATE TABLE Shop.Orders (id INT)"), 0);
    expect(&w, "folded", "orders", 0, "CREATE TABLE orders (id int) /* charset unknown */");
    assert_int_equal(run(&w, 1, "ALTER TABLE shop.orders RENAME TO SHOP.Orders"), 0);
    expect(&w, "a new name that is the old one", "orders", 1, "CREATE TABLE orders (id int) /* charset unknown */");
    assert_int_equal(run(&w, 2, "RENAME TABLE SHOP.Orders TO shop.ORDERS2, Shop.Orders2 TO SHOP.T3"), 0);
    expect(&w, "renamed", "t3", 2, "CREATE TABLE t3 (id int) /* charset unknown */");
    expect(&w, "renamed", "orders", 2, "gone");
    tear_down(&w);
    set_up(&w, FLAVOR_MYSQL);
    assert_int_equal(history_set_case(w.history, 0, &w.e), 0);
    assert_int_equal(run(&w, 0, "CREATE TABLE Shop.a (id INT)"), 0);
    expect(&w, "another database", "a", 0, "nothing");
    tear_down(&w);
    set_up(&w, FLAVOR_MYSQL);
    assert_int_equal(run(&w, 0, "CREATE TABLE Shop.a (id INT)"), 0);
    expect(&w, "the rule is not known, and only small letters are wanted", "a", 0,
           "CREATE TABLE a (id int) /* charset unknown */");
    tear_down(&w);
}

static bool wants_any(void *ctx, const char *db, const char *table)
{
    (void)ctx;
    return db[0] && table[0];
}

static bool wants_any_database(void *ctx, const char *db)
{
    (void)ctx;
    return db[0];
}

static void set_up_for_all(struct world *w, int rule)
{
    set_up(w, FLAVOR_MYSQL);
    w->interest = (struct interest){.wants = wants_any, .wants_database = wants_any_database};
    assert_int_equal(history_set_case(w->history, rule, &w->e), 0);
    w->ddl_xid = true;
    assert_int_equal(run(w, 0, "CREATE DATABASE Shop CHARACTER SET latin1"), 0);
    assert_int_equal(run(w, 1, "CREATE TABLE Shop.a (c CHAR(1))"), 0);
    w->ddl_xid = false;
}

static void expect_word(struct world *w, const char *what, const char *name, unsigned step, const char *word)
{
    const char *is = known(w, name, step);
    if (!strstr(is, word))
        fail_msg("%s: %s behind statement %u is\n%s\nand should have %s", what, name, step, is, word);
}

/* A replay from before what was forgotten: the table was there, and the statement did nothing. */
static void follow__table_that_was_forgotten__not_taken_for_new(void **state)
{
    (void)state;
    struct world w;
    size_t forgotten = 0;
    set_up(&w, FLAVOR_MYSQL);
    assert_int_equal(run(&w, 0, "CREATE DATABASE shop CHARACTER SET latin1"), 0);
    assert_int_equal(run(&w, 1, "CREATE TABLE a (id INT)"), 0);
    assert_int_equal(run(&w, 3, "DROP TABLE a"), 0);
    const struct history_where end = place(&w, 4);
    assert_int_equal(history_trim(w.history, &end, &(struct history_limits){0, 10}, &forgotten, &w.e), 0);
    assert_int_equal(forgotten, 1);
    assert_int_equal(run(&w, 2, "CREATE TABLE IF NOT EXISTS a (x INT)"), 0);
    expect(&w, "it may have met an older table", "a", 2, "unknown");
    assert_int_equal(run(&w, 5, "CREATE TABLE IF NOT EXISTS b (id INT)"), 0);
    expect_word(&w, "behind what was forgotten", "b", 5, "`id` int");
    tear_down(&w);
}

/* shop may be Shop, or a database that is not known. */
static void follow__database_dropped_in_another_case__by_the_rule_of_the_server(void **state)
{
    (void)state;
    static const struct {
        int rule;
        const char *table, *dropped;
    } cases[] = {{HISTORY_CASE_UNKNOWN, "Shop.a", "unknown"}, {0, "Shop.a", "latin1"}, {1, "shop.a", "gone"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct world w;
        set_up_for_all(&w, cases[i].rule);
        expect_word(&w, "made", cases[i].table, 1, "latin1");
        assert_int_equal(run(&w, 2, "DROP DATABASE shop"), 0);
        expect_word(&w, "dropped", cases[i].table, 2, cases[i].dropped);
        tear_down(&w);
    }
}

/* What a table gets from a database that has its name in another case is not certain. */
static void follow__defaults_in_another_case__not_guessed(void **state)
{
    (void)state;
    static const struct {
        const char *sql, *table, *charset;
    } cases[] = {
        {"DROP DATABASE shop", "Shop.b", "unknown"},
        {"DROP DATABASE shop", "shop.b", "unknown"},
        {"DROP DATABASE Shop", "shop.b", "unknown"},
        {"ALTER DATABASE shop CHARACTER SET utf8mb4", "Shop.b", "unknown"},
        {"CREATE DATABASE IF NOT EXISTS shop CHARACTER SET utf8mb4", "shop.b", "unknown"},
        {"CREATE DATABASE IF NOT EXISTS shop CHARACTER SET utf8mb4", "Shop.b", "latin1"},
        {"CREATE DATABASE shop CHARACTER SET utf8mb4", "Shop.b", "latin1"},
        {"CREATE DATABASE shop CHARACTER SET utf8mb4", "shop.b", "utf8mb4"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct world w;
        char sql[80];
        set_up_for_all(&w, HISTORY_CASE_UNKNOWN);
        assert_int_equal(run(&w, 2, cases[i].sql), 0);
        snprintf(sql, sizeof sql, "CREATE TABLE %s (c CHAR(1))", cases[i].table);
        assert_int_equal(run(&w, 3, sql), 0);
        expect_word(&w, cases[i].sql, cases[i].table, 3, cases[i].charset);
        tear_down(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follow__statements__versions_at_their_places),
        cmocka_unit_test(follow__statements_read_again__nothing_changes),
        cmocka_unit_test(follow__statements_of_another_server__known_by_their_gtids),
        cmocka_unit_test(follow__cannot_be_read__stops_or_is_told),
        cmocka_unit_test(follow__covered__not_parsed),
        cmocka_unit_test(follow__printed_text_without_escapes__lost_where_its_backslashes_count),
        cmocka_unit_test(follow__failed__only_drop_has_an_effect),
        cmocka_unit_test(follow__tables__told_when_they_change_or_are_lost),
        cmocka_unit_test(follow__names_in_another_case__by_the_rule_of_the_server),
        cmocka_unit_test(follow__database_dropped_in_another_case__by_the_rule_of_the_server),
        cmocka_unit_test(follow__defaults_in_another_case__not_guessed),
        cmocka_unit_test(follow__table_that_was_forgotten__not_taken_for_new),
    };
    return cmocka_run_group_tests_name("follow", tests, NULL, NULL);
}
