/* What statements do, in both dialects: a table of statements with their actions, every truncation of each, and the
 * bytes that tempt a tokenizer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "schema/ddl/ddl.h"

enum { MY = 1, MA = 2, BOTH = MY | MA };

static struct ddl_statement statement(enum flavor flavor, uint64_t sql_mode, const char *sql, size_t len)
{
    return (struct ddl_statement){
        .sql = sql,
        .len = len,
        .db = "shop",
        .db_len = 4,
        .mode = {.flavor = flavor, .server_version = flavor == FLAVOR_MYSQL ? 90704 : 101119, .sql_mode = sql_mode}};
}

/* The actions as text: "drop shop.a, create shop.a like shop.b". */
static const char *describe(const struct ddl *ddl, struct buf *b)
{
    buf_clear(b);
    for (size_t i = 0; i < ddl->count; i++) {
        const struct ddl_action *a = &ddl->actions[i];
        buf_printf(b, "%s%s", i ? ", " : "", ddl_kind_name(a->kind));
        if (a->kind == DDL_DATABASE_DROP || a->kind == DDL_DATABASE_CREATE || a->kind == DDL_DATABASE_ALTER)
            buf_printf(b, " %s", a->table.db);
        if (a->charset)
            buf_printf(b, " charset %s", a->charset);
        if (a->collation)
            buf_printf(b, " collate %s", a->collation);
        if (a->sequence)
            buf_text(b, " sequence");
        if (a->table.table_len)
            buf_printf(b, " %s.%s", a->table.db, a->table.table);
        if (a->to.table_len)
            buf_printf(b, " %s %s.%s", a->kind == DDL_RENAME ? "to" : "like", a->to.db, a->to.table);
        if (a->selects)
            buf_text(b, " select");
        if (a->if_exists)
            buf_text(b, " if");
        if (a->name)
            buf_printf(b, " %s", a->name);
    }
    buf_byte(b, 0);
    return (const char *)b->p;
}

struct row {
    int flavors;
    const char *sql, *expected;
};

static const struct row rows[] = {
    /* create */
    {BOTH, "CREATE TABLE a (id INT)", "create shop.a"},
    {BOTH, "create table `a` (id int) ENGINE=InnoDB", "create shop.a"},
    {BOTH, "CREATE TABLE IF NOT EXISTS other.a (id INT)", "create other.a if"},
    {BOTH, "CREATE TABLE `my``db`.`we.ird` (id INT)", "create my`db.we.ird"},
    {BOTH, "CREATE TABLE other . a (id INT)", "create other.a"},
    {BOTH, "CREATE TABLE db.select (id INT)", "create db.select"},
    {BOTH, "CREATE TABLE 1st (id INT)", "create shop.1st"},
    {BOTH, "CREATE TABLE t€st (id INT)", "create shop.t€st"},
    {BOTH, "CREATE TABLE a LIKE b", "create shop.a like shop.b"},
    {BOTH, "CREATE TABLE a (LIKE other.b)", "create shop.a like other.b"},
    {BOTH, "CREATE TABLE a SELECT 1 AS x", "create shop.a select"},
    {BOTH, "CREATE TABLE a AS SELECT * FROM b", "create shop.a select"},
    {BOTH, "CREATE TABLE a (id INT) IGNORE (SELECT * FROM b)", "create shop.a select"},
    {BOTH, "CREATE TABLE a (id INT) WITH x AS (SELECT 1) SELECT * FROM x", "create shop.a select"},
    {MY, "CREATE TABLE a AS TABLE b", "create shop.a select"},
    {MY, "CREATE TABLE a VALUES ROW(1)", "create shop.a select"},
    {MY, "CREATE TABLE `a` (\n  `id` int NOT NULL\n) START TRANSACTION", "create shop.a"},
    {MA, "CREATE TABLE a (id INT) WITH SYSTEM VERSIONING", "create shop.a"},
    {BOTH, "CREATE TABLE a (x INT GENERATED ALWAYS AS (1), y INT DEFAULT 2 COMMENT 'as select')", "create shop.a"},
    {BOTH, "CREATE TABLE a (x INT) PARTITION BY LIST (x) (PARTITION p VALUES IN (1))", "create shop.a"},
    {MA, "CREATE OR REPLACE TABLE a (id INT)", "drop shop.a if, create shop.a"},
    {MA, "CREATE OR REPLACE TABLE a LIKE b", "drop shop.a if, create shop.a like shop.b"},
    {MA, "CREATE OR REPLACE TABLE a SELECT 1", "drop shop.a if, create shop.a select"},
    {BOTH, "CREATE TEMPORARY TABLE a (id INT)", "none"},
    {MA, "CREATE OR REPLACE TEMPORARY TABLE a (id INT)", "none"},
    {BOTH, "CREATE /*!40005 TEMPORARY */ TABLE a (id INT)", "none"},
    {BOTH, "CREATE INDEX i ON a (x)", "alter shop.a"},
    {BOTH, "CREATE UNIQUE INDEX i USING BTREE ON other.a (x)", "alter other.a"},
    {BOTH, "CREATE FULLTEXT INDEX i ON a (x)", "alter shop.a"},
    {BOTH, "CREATE SPATIAL INDEX i ON a (x)", "alter shop.a"},
    {MA, "CREATE OR REPLACE INDEX IF NOT EXISTS i ON a (x)", "alter shop.a"},
    {MA, "CREATE SEQUENCE s START WITH 1", "create sequence shop.s"},
    {MA, "CREATE OR REPLACE SEQUENCE s AS INT", "drop shop.s if, create sequence shop.s"},
    {BOTH, "CREATE DATABASE shop", "create database shop"},
    {BOTH, "CREATE SCHEMA IF NOT EXISTS shop", "create database shop if"},
    {MA, "CREATE OR REPLACE DATABASE shop", "drop database shop if, create database shop"},
    {BOTH, "CREATE DATABASE d DEFAULT CHARACTER SET = latin1", "create database d charset latin1"},
    {BOTH, "CREATE DATABASE d CHARSET 'utf8mb4' COLLATE utf8mb4_bin;",
     "create database d charset utf8mb4 collate utf8mb4_bin"},
    {BOTH, "CREATE DATABASE d CHARACTER SET DEFAULT", "create database d charset DEFAULT"},
    {MA, "CREATE DATABASE d COMMENT 'CHARSET latin1' COLLATE `latin1_bin`", "create database d collate latin1_bin"},
    {MY, "CREATE DATABASE d /*!40100 DEFAULT CHARACTER SET utf8mb3 */ /*!80016 DEFAULT ENCRYPTION='N' */",
     "create database d charset utf8mb3"},
    {BOTH, "CREATE VIEW v AS SELECT * FROM a", "none"},
    {BOTH, "CREATE OR REPLACE ALGORITHM=UNDEFINED DEFINER=`root`@`localhost` SQL SECURITY DEFINER VIEW `v` AS SELECT 1",
     "none"},
    {BOTH, "CREATE DEFINER=`root`@`localhost` TRIGGER t BEFORE INSERT ON a FOR EACH ROW BEGIN DELETE FROM b; END",
     "none"},
    {BOTH, "CREATE DEFINER=CURRENT_USER() PROCEDURE p() BEGIN DROP TABLE a; TRUNCATE b; END", "none"},
    {BOTH, "CREATE DEFINER=root@db.example.com FUNCTION f() RETURNS INT RETURN 1", "none"},
    {BOTH, "CREATE AGGREGATE FUNCTION f RETURNS INT SONAME 'f.so'", "none"},
    {BOTH, "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DELETE FROM a", "none"},
    {BOTH, "CREATE USER 'u'@'%' IDENTIFIED BY 'TABLE a'", "none"},
    {BOTH, "CREATE ROLE r", "none"},
    {BOTH, "CREATE SERVER s FOREIGN DATA WRAPPER mysql OPTIONS (HOST 'x')", "none"},
    {MY, "CREATE SPATIAL REFERENCE SYSTEM 4120 NAME 'x' DEFINITION 'y'", "none"},
    {MY, "CREATE UNDO TABLESPACE u ADD DATAFILE 'u.ibu'", "none"},
    /* alter */
    {BOTH, "ALTER TABLE a ADD COLUMN b INT", "alter shop.a"},
    {BOTH, "ALTER TABLE other.a DROP COLUMN b, DROP INDEX i", "alter other.a"},
    {BOTH, "ALTER TABLE a ENGINE=InnoDB", "alter shop.a"},
    {BOTH, "ALTER TABLE a ENGINE = BLACKHOLE", "alter shop.a, discard shop.a"},
    {BOTH, "ALTER TABLE a RENAME b", "rename shop.a to shop.b"},
    {BOTH, "ALTER TABLE a RENAME TO other.b", "rename shop.a to other.b"},
    {BOTH, "ALTER TABLE a RENAME AS b", "rename shop.a to shop.b"},
    {BOTH, "ALTER TABLE a ADD c INT, RENAME TO b, DROP d", "alter shop.a, rename shop.a to shop.b"},
    {BOTH, "ALTER TABLE a RENAME COLUMN x TO y", "alter shop.a"},
    {BOTH, "ALTER TABLE a RENAME INDEX x TO y, RENAME KEY p TO q", "alter shop.a"},
    {BOTH, "ALTER TABLE a DROP PARTITION p0, p1", "discard shop.a"},
    {BOTH, "ALTER TABLE a TRUNCATE PARTITION ALL", "discard shop.a"},
    {BOTH, "ALTER TABLE a DISCARD TABLESPACE", "discard shop.a"},
    {BOTH, "ALTER TABLE a IMPORT TABLESPACE", "discard shop.a"},
    {MY, "ALTER TABLE a DISCARD PARTITION p0 TABLESPACE", "discard shop.a"},
    {BOTH, "ALTER TABLE a EXCHANGE PARTITION p0 WITH TABLE other.b WITHOUT VALIDATION",
     "discard shop.a, discard other.b"},
    {MA, "ALTER TABLE a CONVERT PARTITION p0 TO TABLE b", "discard shop.a, discard shop.b, create shop.b like shop.a"},
    {MA, "ALTER TABLE a CONVERT TABLE b TO PARTITION p0 VALUES LESS THAN (5)", "discard shop.a, drop shop.b"},
    {BOTH, "ALTER TABLE a CONVERT TO CHARACTER SET utf8mb4", "alter shop.a"},
    {BOTH, "ALTER TABLE a REORGANIZE PARTITION p0 INTO (PARTITION p1 VALUES LESS THAN (1))", "alter shop.a"},
    {BOTH, "ALTER TABLE a ADD COLUMN `DROP PARTITION` INT", "alter shop.a"},
    {BOTH, "ALTER TABLE a DROP COLUMN `partition`", "alter shop.a"},
    {BOTH, "ALTER TABLE a COMMENT ', RENAME TO b'", "alter shop.a"},
    {BOTH, "ALTER TABLE a ADD COLUMN e ENUM('x', 'RENAME'), ADD d DECIMAL(1,0)", "alter shop.a"},
    {BOTH, "ALTER TABLE a", "alter shop.a"},
    {MA, "ALTER IGNORE TABLE a ADD UNIQUE (x)", "alter shop.a, discard shop.a"},
    {MA, "ALTER ONLINE TABLE IF EXISTS a WAIT 5 ADD x INT", "alter shop.a if"},
    {MA, "ALTER SEQUENCE s RESTART 5", "alter sequence shop.s"},
    {BOTH, "ALTER DATABASE shop CHARACTER SET utf8mb4", "alter database shop charset utf8mb4"},
    {BOTH, "ALTER SCHEMA DEFAULT COLLATE = latin1_bin", "alter database shop collate latin1_bin"},
    {BOTH, "ALTER DATABASE COLLATE latin1_bin", "alter database shop collate latin1_bin"},
    {BOTH, "ALTER DATABASE `collate` COLLATE latin1_bin", "alter database collate collate latin1_bin"},
    {MY, "ALTER DATABASE d READ ONLY = 1", "alter database d"},
    {BOTH, "ALTER DATABASE 'x' COLLATE latin1_bin", "unknown"},
    {BOTH, "ALTER DEFINER=`r`@`%` VIEW v AS SELECT 1", "none"},
    {BOTH, "ALTER USER u IDENTIFIED BY 'x'", "none"},
    {BOTH, "ALTER EVENT e DISABLE", "none"},
    {BOTH, "ALTER PROCEDURE p COMMENT 'x'", "none"},
    {MY, "ALTER INSTANCE ROTATE INNODB MASTER KEY", "none"},
    {MY, "ALTER TABLESPACE t RENAME TO u", "none"},
    /* drop, truncate, rename */
    {BOTH, "DROP TABLE a", "drop shop.a"},
    {BOTH, "DROP TABLE IF EXISTS `a`,`other`.`b` /* generated by server */", "drop shop.a if, drop other.b if"},
    {BOTH, "DROP TABLES a, b RESTRICT", "drop shop.a, drop shop.b"},
    {BOTH, "DROP TABLE a CASCADE;", "drop shop.a"},
    {BOTH, "DROP /*!50503 TABLE */ a", "drop shop.a"},
    {BOTH, "/*!50001 DROP TABLE a */", "drop shop.a"},
    {BOTH, "/*!50001 DROP TABLE*/ a", "drop shop.a"},
    {BOTH, "-- DROP TABLE b\nDROP # TABLE c\nTABLE/* d */a", "drop shop.a"},
    {BOTH, "DROP TEMPORARY TABLE IF EXISTS a", "none"},
    {BOTH, "DROP /*!40005 TEMPORARY */ TABLE IF EXISTS `a`", "none"},
    {BOTH, "DROP TEMPORARY TABLE IF EXISTS `a` /* generated by server */", "none"},
    {MA, "DROP TABLE a WAIT 5", "drop shop.a"},
    {MA, "DROP SEQUENCE s", "drop shop.s"},
    {BOTH, "DROP DATABASE shop", "drop database shop"},
    {BOTH, "DROP SCHEMA IF EXISTS `my-db`", "drop database my-db if"},
    {BOTH, "DROP INDEX i ON a", "alter shop.a"},
    {BOTH, "DROP INDEX `on` ON other.a LOCK=NONE", "alter other.a"},
    {BOTH, "DROP VIEW IF EXISTS v", "none"},
    {BOTH, "DROP TRIGGER t", "none"},
    {BOTH, "DROP PROCEDURE p", "none"},
    {BOTH, "DROP FUNCTION f", "none"},
    {BOTH, "DROP EVENT e", "none"},
    {BOTH, "DROP USER u", "none"},
    {BOTH, "DROP ROLE r", "none"},
    {BOTH, "TRUNCATE a", "truncate shop.a"},
    {BOTH, "TRUNCATE TABLE other.a", "truncate other.a"},
    {MA, "TRUNCATE TABLE a NOWAIT", "truncate shop.a"},
    {BOTH, "RENAME TABLE a TO b", "rename shop.a to shop.b"},
    {BOTH, "rename /* gh-ost */ table `shop`.`a` to `shop`.`_a_del`, `shop`.`_a_gho` to `shop`.`a`",
     "rename shop.a to shop._a_del, rename shop._a_gho to shop.a"},
    {MA, "RENAME TABLE IF EXISTS a WAIT 1 TO b, c NOWAIT TO d",
     "rename shop.a to shop.b if, rename shop.c to shop.d if"},
    {BOTH, "RENAME USER a TO b", "none"},
    /* rows in statement format */
    {BOTH, "INSERT INTO a VALUES (1)", "statement"},
    {BOTH, "UPDATE a SET x = 'unfinished", "statement"},
    {BOTH, "DELETE FROM a", "statement"},
    {BOTH, "REPLACE INTO a VALUES (1)", "statement"},
    {BOTH, "LOAD DATA INFILE 'x' INTO TABLE a", "statement"},
    {BOTH, "CALL p(1)", "statement"},
    {BOTH, "WITH x AS (SELECT 1) DELETE FROM a", "statement"},
    {BOTH, "SELECT `shop`.`f`(1)", "statement"},
    {BOTH, "(SELECT 1) UNION (SELECT f())", "statement"},
    {BOTH, "DO f()", "statement"},
    {BOTH, "/*!50003 INSERT */ INTO a VALUES (1)", "statement"},
    {MA, "ANALYZE FORMAT=JSON UPDATE a SET x = 1", "statement"},
    {MA, "SET STATEMENT max_statement_time=1 FOR DELETE FROM a", "statement"},
    {MA, "SET STATEMENT max_statement_time=1, sort_buffer_size=(2) FOR ALTER TABLE a ADD x INT", "alter shop.a"},
    /* harmless */
    {BOTH, "GRANT ALL ON a.* TO u", "none"},
    {BOTH, "REVOKE ALL ON shop.a FROM u", "none"},
    {BOTH, "ANALYZE TABLE a", "none"},
    {BOTH, "ANALYZE NO_WRITE_TO_BINLOG TABLE a", "none"},
    {BOTH, "OPTIMIZE TABLE a", "none"},
    {BOTH, "FLUSH TABLES", "none"},
    {BOTH, "SET PASSWORD FOR u = 'x'", "none"},
    {BOTH, "START REPLICA", "none"},
    {BOTH, "# Dummy event replacing event type 160 that slave cannot handle.", "none"},
    {BOTH, "", "none"},
    /* transactions */
    {BOTH, "BEGIN", "begin"},
    {BOTH, "BEGIN WORK", "begin"},
    {BOTH, "START TRANSACTION READ WRITE", "begin"},
    {BOTH, "COMMIT", "commit"},
    {BOTH, "COMMIT AND NO CHAIN RELEASE", "commit"},
    {BOTH, "ROLLBACK", "rollback"},
    {BOTH, "ROLLBACK WORK", "rollback"},
    {BOTH, "ROLLBACK TO `s``p`", "rollback to s`p"},
    {BOTH, "ROLLBACK WORK TO SAVEPOINT sp", "rollback to sp"},
    {BOTH, "SAVEPOINT sp", "savepoint sp"},
    {BOTH, "SAVEPOINT `TO`", "savepoint TO"},
    {BOTH, "RELEASE SAVEPOINT sp", "release sp"},
    {BOTH, "XA START X'0102',X'',1", "xa start X'0102',X'',1"},
    {BOTH, "XA BEGIN 'a'", "xa start 'a'"},
    {BOTH, "XA END X'0102',X'',1 SUSPEND", "xa end X'0102',X'',1"},
    {BOTH, "XA PREPARE X'0102',X'',1", "xa prepare X'0102',X'',1"},
    {BOTH, "XA COMMIT X'0102',X'',1 ONE PHASE", "xa commit X'0102',X'',1"},
    {BOTH, "XA ROLLBACK X'0102',X'',1", "xa rollback X'0102',X'',1"},
    /* versions */
    {MY, "/*!80000 DROP TABLE a */", "drop shop.a"},
    {MY, "/*!100000 DROP TABLE a */ TRUNCATE b", "truncate shop.b"},
    {MA, "/*!80000 DROP TABLE a */ TRUNCATE b", "truncate shop.b"},
    {MA, "/*!100100 DROP TABLE a */", "drop shop.a"},
    {MA, "/*M!100100 DROP TABLE a */", "drop shop.a"},
    {MA, "/*M!110400 DROP TABLE a */ TRUNCATE b", "truncate shop.b"},
    {MA, "/*M! DROP TABLE a */", "drop shop.a"},
    {MY, "/*M!100100 DROP TABLE a */ TRUNCATE b", "truncate shop.b"},
    {BOTH, "/*! DROP TABLE a */", "drop shop.a"},
    {BOTH, "/*!999999 x /* y */ DROP TABLE a */ TRUNCATE b", "truncate shop.b"},
    {BOTH, "/*+ hint */ TRUNCATE b", "truncate shop.b"},
    {BOTH, "DROP TABLE a--b", "drop shop.a, unknown"},
    /* what nobody knows */
    {BOTH, "FROBNICATE a", "unknown"},
    {BOTH, "DROP", "unknown"},
    {BOTH, "DROP TABLE", "unknown"},
    {BOTH, "DROP TABLE a,", "drop shop.a, unknown"},
    {BOTH, "DROP TABLE a b", "drop shop.a, unknown"},
    {BOTH, "DROP TABLE a; DROP TABLE b", "drop shop.a, unknown"},
    {BOTH, "DROP TABLE `a", "unknown"},
    {BOTH, "TRUNCATE 'a'", "unknown"},
    {BOTH, "/* DROP TABLE a", "unknown"},
    {BOTH, "/*!50000 DROP TABLE a", "drop shop.a, unknown"},
    {BOTH, "CREATE WONDER a", "unknown"},
    {BOTH, "BEGIN NOT ATOMIC DROP TABLE a; END", "unknown"},
    {BOTH, "EXECUTE IMMEDIATE 'DROP TABLE a'", "unknown"},
    {MY, "SET STATEMENT x=1 FOR DROP TABLE a", "unknown"},
    {BOTH, "SET GLOBAL x = 1", "none"},
    {BOTH, "SET @x := 1", "none"},
    {BOTH, "SET sql_mode = ''", "none"},
    {MA, "SET STATEMENT x=1 FOR SET STATEMENT y=1 FOR DROP TABLE a", "unknown"},
};

#define ROWS (sizeof rows / sizeof *rows)

static void each_flavor(const struct row *row, void (*check)(const struct row *row, enum flavor flavor))
{
    if (row->flavors & MY)
        check(row, FLAVOR_MYSQL);
    if (row->flavors & MA)
        check(row, FLAVOR_MARIADB);
}

static void check_actions(const struct row *row, enum flavor flavor)
{
    struct ddl_statement stmt = statement(flavor, 0, row->sql, strlen(row->sql));
    struct arena arena;
    struct buf b;
    struct ddl ddl;
    arena_init(&arena, 4096, 0, 0);
    buf_init(&b, 0);
    assert_int_equal(ddl_classify(&ddl, &stmt, &arena, NULL), 0);
    if (strcmp(describe(&ddl, &b), row->expected) != 0)
        fail_msg("%s (%s): %s", row->sql, flavor == FLAVOR_MYSQL ? "MySQL" : "MariaDB", (char *)b.p);
    buf_release(&b);
    arena_release(&arena);
}

static void ddl__statements_of_both_dialects__their_actions(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++)
        each_flavor(&rows[i], check_actions);
}

static bool is_harmless(const struct ddl *ddl)
{
    for (size_t i = 0; i < ddl->count; i++)
        if (ddl->actions[i].kind != DDL_NONE)
            return false;
    return true;
}

/* Cut at every byte behind its first token, a harmful statement is never harmless; and nothing reads past the cut. */
static void check_truncations(const struct row *row, enum flavor flavor)
{
    size_t len = strlen(row->sql);
    bool harmless = strcmp(row->expected, "none") == 0;
    struct arena arena;
    arena_init(&arena, 4096, 1 << 20, 0);
    for (size_t cut = 0; cut <= len; cut++) {
        char *copy = malloc(cut + 1);
        memcpy(copy, row->sql, cut);
        struct ddl_statement stmt = statement(flavor, 0, copy, cut);
        struct ddl_lexer lx;
        struct ddl ddl;
        ddl_lexer_init(&lx, &stmt.mode, copy, cut);
        bool has_word = ddl_lexer_next(&lx).kind != DDL_END;
        assert_int_equal(ddl_classify(&ddl, &stmt, &arena, NULL), 0);
        assert_true(ddl.count > 0);
        if (!harmless && has_word && is_harmless(&ddl))
            fail_msg("harmless: %.*s", (int)cut, row->sql);
        ddl_mentions(&stmt, "a", 1);
        free(copy);
        arena_reset(&arena);
    }
    arena_release(&arena);
}

static void ddl__every_truncation_of_a_harmful_statement__not_harmless(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++)
        each_flavor(&rows[i], check_truncations);
}

static void classify_text(struct arena *arena, enum flavor flavor, uint64_t sql_mode, const char *sql,
                          const char *expected)
{
    struct ddl_statement stmt = statement(flavor, sql_mode, sql, strlen(sql));
    struct ddl ddl;
    struct buf b;
    buf_init(&b, 0);
    assert_int_equal(ddl_classify(&ddl, &stmt, arena, NULL), 0);
    if (strcmp(describe(&ddl, &b), expected) != 0)
        fail_msg("%s: %s", sql, (char *)b.p);
    buf_release(&b);
}

static void ddl__sql_mode__quotes_and_backslashes(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 4096, 0, 0);
    classify_text(&arena, FLAVOR_MYSQL, 0, "DROP TABLE \"a\"", "unknown");
    classify_text(&arena, FLAVOR_MYSQL, DDL_ANSI_QUOTES, "DROP TABLE \"a\"\"b\"", "drop shop.a\"b");
    classify_text(&arena, FLAVOR_MYSQL, 0, "ALTER TABLE a COMMENT 'x\\', RENAME TO b, COMMENT '", "alter shop.a");
    classify_text(&arena, FLAVOR_MYSQL, DDL_NO_BACKSLASH_ESCAPES, "ALTER TABLE a COMMENT 'x\\', RENAME TO b",
                  "alter shop.a, rename shop.a to shop.b");
    classify_text(&arena, FLAVOR_MYSQL, DDL_ANSI_QUOTES, "ALTER TABLE a ADD \"x\\\" INT, RENAME TO b",
                  "alter shop.a, rename shop.a to shop.b");
    arena_release(&arena);
}

static void ddl__second_byte_is_a_quote__character_stays_whole(void **state)
{
    (void)state;
    static const char gbk[] = "ALTER TABLE a COMMENT '\x95\x5c', RENAME TO `\x81\x60`";
    static const char cut[] = "ALTER TABLE a COMMENT '\x81', RENAME TO b";
    static const char swe7[] = "ALTER TABLE a COMMENT 'x', RENAME TO `[\\]`";
    static const char armscii8[] = "ALTER TABLE a COMMENT '\xff', RENAME TO `\xb2`";
    static const char sjis[] = "ALTER TABLE a COMMENT '\xb1', RENAME TO `\x83\x5c`";
    static const struct {
        enum charset charset;
        const char *sql, *to;
    } cases[] = {{CHARSET_GBK, gbk, "\u4e63"},
                 {CHARSET_SJIS, sjis, "\u30bd"},
                 {CHARSET_GBK, cut, "b"},
                 {CHARSET_SWE7, swe7, "\u00c4\u00d6\u00c5"},
                 {CHARSET_ARMSCII8, armscii8, "\u0531"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ddl_statement stmt = statement(FLAVOR_MYSQL, 0, cases[i].sql, strlen(cases[i].sql));
        struct arena arena;
        struct ddl ddl;
        stmt.mode.charset = cases[i].charset;
        arena_init(&arena, 4096, 0, 0);
        assert_int_equal(ddl_classify(&ddl, &stmt, &arena, NULL), 0);
        assert_int_equal(ddl.count, 2);
        assert_int_equal(ddl.actions[1].kind, DDL_RENAME);
        assert_string_equal(ddl.actions[1].to.table, cases[i].to);
        arena_release(&arena);
    }
}

static void ddl__no_default_database__empty(void **state)
{
    (void)state;
    struct ddl_statement stmt = statement(FLAVOR_MYSQL, 0, "DROP TABLE a", 12);
    struct arena arena;
    struct ddl ddl;
    stmt.db = NULL;
    stmt.db_len = 0;
    arena_init(&arena, 4096, 0, 0);
    assert_int_equal(ddl_classify(&ddl, &stmt, &arena, NULL), 0);
    assert_string_equal(ddl.actions[0].table.db, "");
    assert_string_equal(ddl.actions[0].table.table, "a");
    arena_release(&arena);
}

static void ddl__10000_tables__one_action_each_and_caps_hold(void **state)
{
    (void)state;
    struct buf b;
    struct arena arena;
    struct ddl ddl;
    struct err e = ERR_INIT;
    buf_init(&b, 0);
    buf_text(&b, "DROP TABLE t0");
    for (unsigned i = 1; i < 10000; i++)
        buf_printf(&b, ",t%u", i);
    struct ddl_statement stmt = statement(FLAVOR_MYSQL, 0, (char *)b.p, b.len);
    arena_init(&arena, 65536, 0, 0);
    assert_int_equal(ddl_classify(&ddl, &stmt, &arena, NULL), 0);
    assert_int_equal(ddl.count, 10000);
    assert_string_equal(ddl.actions[9999].table.table, "t9999");
    arena_release(&arena);
    arena_init(&arena, 4096, 0, 65536);
    assert_int_equal(ddl_classify(&ddl, &stmt, &arena, &e), -(int)ERR_NO_MEMORY);
    arena_release(&arena);
    for (unsigned i = 10000; i <= DDL_ACTIONS_MAX; i++)
        buf_printf(&b, ",t%u", i);
    stmt = statement(FLAVOR_MYSQL, 0, (char *)b.p, b.len);
    arena_init(&arena, 65536, 0, 0);
    assert_int_equal(ddl_classify(&ddl, &stmt, &arena, NULL), -(int)ERR_LIMIT);
    arena_release(&arena);
    buf_release(&b);
}

static void ddl__mentions__identifiers_only(void **state)
{
    (void)state;
    static const struct {
        const char *sql, *name;
        bool expected;
    } cases[] = {
        {"FROBNICATE orders", "orders", true},          {"FROBNICATE Orders", "oRDERS", true},
        {"FROBNICATE `orders`", "orders", true},        {"FROBNICATE shop.orders", "orders", true},
        {"FROBNICATE `or``ders`", "or`ders", true},     {"FROBNICATE 'orders'", "orders", false},
        {"FROBNICATE orders2", "orders", false},        {"FROBNICATE _orders", "orders", false},
        {"FROBNICATE /* orders */ x", "orders", false}, {"FROBNICATE /*!50000 orders */ x", "orders", true},
        {"FROBNICATE -- orders\n x", "orders", false},  {"FROBNICATE 'x orders", "orders", true},
        {"FROBNICATE /* my orders", "orders", true},    {"", "orders", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ddl_statement stmt = statement(FLAVOR_MYSQL, 0, cases[i].sql, strlen(cases[i].sql));
        if (ddl_mentions(&stmt, cases[i].name, strlen(cases[i].name)) != cases[i].expected)
            fail_msg("%s", cases[i].sql);
    }
}

#define LONG_NAME "a2345678901234567890123456789012345678901234567890123456789012"

static void ddl__cut_over_renames__swap_of_table_and_ghost(void **state)
{
    (void)state;
    static const struct {
        const char *sql;
        const char *table, *ghost;
    } cases[] = {
        {"RENAME TABLE a TO _a_del, _a_gho TO a", "a", "_a_gho"},
        {"RENAME TABLE `shop`.`a` TO `shop`.`_a_old`, `shop`.`_a_new` TO `shop`.`a`", "a", "_a_new"},
        {"RENAME TABLE a TO __a_old, _a_new TO a", "a", "_a_new"},
        {"RENAME TABLE _a TO __a_del, __a_gho TO _a", "_a", "__a_gho"},
        {"RENAME TABLE a TO _a_20260101123456_del, _a_gho TO a", "a", "_a_gho"},
        {"RENAME TABLE " LONG_NAME " TO _a23456789012345678901234567890123456789012345678901234567890_del, "
         "_a23456789012345678901234567890123456789012345678901234567890_gho TO " LONG_NAME,
         LONG_NAME, "_a23456789012345678901234567890123456789012345678901234567890_gho"},
        {"RENAME TABLE a TO b, b2 TO a", NULL, NULL},
        {"RENAME TABLE a TO _a_del, _b_gho TO a", NULL, NULL},
        {"RENAME TABLE a TO _a_del, _a_gho TO c", NULL, NULL},
        {"RENAME TABLE a TO _a_del, _a_new TO a", NULL, NULL},
        {"RENAME TABLE a TO x._a_del, _a_gho TO a", NULL, NULL},
        {"RENAME TABLE a TO _a_del, x._a_gho TO a", NULL, NULL},
        {"RENAME TABLE a TO a_del, a_gho TO a", NULL, NULL},
        {"RENAME TABLE a TO _a_del", NULL, NULL},
        {"RENAME TABLE a TO _a_del, _a_gho TO a, c TO d", NULL, NULL},
        {"RENAME TABLE abc TO _a_del, _a_gho TO abc", NULL, NULL},
        {"DROP TABLE a, b", NULL, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ddl_statement stmt = statement(FLAVOR_MYSQL, 0, cases[i].sql, strlen(cases[i].sql));
        struct arena arena;
        struct ddl ddl;
        struct ddl_name table, ghost;
        arena_init(&arena, 4096, 0, 0);
        assert_int_equal(ddl_classify(&ddl, &stmt, &arena, NULL), 0);
        bool swap = ddl_is_swap(&ddl, &table, &ghost);
        if (swap != (cases[i].table != NULL))
            fail_msg("%s", cases[i].sql);
        if (swap) {
            assert_string_equal(table.table, cases[i].table);
            assert_string_equal(ghost.table, cases[i].ghost);
        }
        arena_release(&arena);
    }
}

static void ddl__random_bytes__an_answer(void **state)
{
    (void)state;
    static const char alphabet[] = " \n;,.()'\"`\\/*!-#=@_09aDROPTABLEx\x81\xe2";
    uint64_t seed = 42;
    struct arena arena;
    arena_init(&arena, 4096, 1 << 20, 0);
    for (int round = 0; round < 20000; round++) {
        char sql[64];
        size_t len = 0;
        while (len < sizeof sql) {
            seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
            sql[len++] = alphabet[(seed >> 33) % (sizeof alphabet - 1)];
            if (seed >> 60 == 0)
                break;
        }
        char *copy = malloc(len);
        memcpy(copy, sql, len);
        struct ddl_statement stmt = statement((enum flavor)(round & 1), round & 2 ? DDL_ANSI_QUOTES : 0, copy, len);
        struct ddl ddl;
        stmt.mode.charset = (enum charset)(round % CHARSET_COUNT);
        assert_int_equal(ddl_classify(&ddl, &stmt, &arena, NULL), 0);
        assert_true(ddl.count > 0);
        ddl_mentions(&stmt, "x", 1);
        free(copy);
        arena_reset(&arena);
    }
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ddl__statements_of_both_dialects__their_actions),
        cmocka_unit_test(ddl__every_truncation_of_a_harmful_statement__not_harmless),
        cmocka_unit_test(ddl__sql_mode__quotes_and_backslashes),
        cmocka_unit_test(ddl__second_byte_is_a_quote__character_stays_whole),
        cmocka_unit_test(ddl__no_default_database__empty),
        cmocka_unit_test(ddl__10000_tables__one_action_each_and_caps_hold),
        cmocka_unit_test(ddl__mentions__identifiers_only),
        cmocka_unit_test(ddl__cut_over_renames__swap_of_table_and_ghost),
        cmocka_unit_test(ddl__random_bytes__an_answer),
    };
    return cmocka_run_group_tests_name("ddl", tests, NULL, NULL);
}
