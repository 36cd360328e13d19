/* ALTER TABLE applied to definitions: cases by hand, and statements that are refused. What real servers make of random
 * statements: alter_golden_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "schema/alter_table.h"

static struct ddl_statement statement(enum flavor flavor, const char *sql, size_t len, uint64_t sql_mode)
{
    return (struct ddl_statement){
        .sql = sql,
        .len = len,
        .db = "alter_db",
        .db_len = 8,
        .mode = {.flavor = flavor, .server_version = flavor == FLAVOR_MYSQL ? 90704 : 101119, .sql_mode = sql_mode}};
}

static void print(struct buf *b, const struct create_table *def)
{
    buf_init(b, 0);
    assert_int_equal(create_table_print(def, b, NULL), 0);
}

static const struct create_context database = {{"latin1", 6}, {NULL, 0}, true, {NULL, 0}};

struct alter_case {
    const char *before, *sql, *after; /* elements of CREATE TABLE; options may stand behind them */
};

static void parse(struct create_table *out, enum flavor flavor, const char *elements, struct arena *arena)
{
    char sql[2048];
    struct err e = ERR_INIT;
    bool whole = elements[strlen(elements) - 1] != ')' && strstr(elements, ") ");
    int len = snprintf(sql, sizeof sql, whole ? "CREATE TABLE t (%s" : "CREATE TABLE t (%s)", elements);
    struct ddl_statement stmt = statement(flavor, sql, (size_t)len, 0);
    if (create_table_parse(out, &stmt, &database, arena, &e) != 0)
        fail_msg("%s: %s", e.text, sql);
}

static void check_cases(enum flavor flavor, const struct alter_case *rows, size_t count)
{
    unsigned failures = 0;
    for (size_t i = 0; i < count; i++) {
        struct arena arena;
        struct create_table before, expected, after;
        struct err e = ERR_INIT;
        struct ddl_statement stmt = statement(flavor, rows[i].sql, strlen(rows[i].sql), 0);
        arena_init(&arena, 1 << 16, 0, 0);
        parse(&before, flavor, rows[i].before, &arena);
        parse(&expected, flavor, rows[i].after, &arena);
        if (alter_table_apply(&after, &before, &stmt, &database, &arena, &e) != 0) {
            print_error("%s: %s\n", e.text, rows[i].sql);
            failures++;
        } else if (!create_table_equal(&after, &expected)) {
            struct buf ours;
            print(&ours, &after);
            print_error("%s\nfound: %.*s\nexpected: %s\n", rows[i].sql, (int)ours.len, (char *)ours.p, rows[i].after);
            buf_release(&ours);
            failures++;
        }
        arena_release(&arena);
    }
    assert_int_equal(failures, 0);
}

/* Both servers give the same. */
static void alter_table__clauses__the_table_that_the_manual_says(void **state)
{
    (void)state;
    static const struct alter_case rows[] = {
        /* Columns are placed by the new names, in the order of the statement. */
        {"a int, b int", "ALTER TABLE t ADD c int", "a int, b int, c int"},
        {"a int, b int", "ALTER TABLE t ADD COLUMN c int FIRST", "c int, a int, b int"},
        {"a int, b int", "ALTER TABLE t ADD c int AFTER a, ADD d int AFTER c", "a int, c int, d int, b int"},
        {"a int, b int", "ALTER TABLE t ADD (c int, d int not null)", "a int, b int, c int, d int not null"},
        {"a int, b int", "ALTER TABLE t ADD x int AFTER z, RENAME COLUMN a TO z", "z int, x int, b int"},
        {"a int, b int, c int", "ALTER TABLE t CHANGE a z bigint AFTER c, ADD y int AFTER z",
         "b int, c int, z bigint, y int"},
        {"a int, b int, c int", "ALTER TABLE t MODIFY c int FIRST, MODIFY b int FIRST", "b int, c int, a int"},
        {"a int, b int", "ALTER TABLE t RENAME COLUMN a TO b, RENAME COLUMN b TO a", "b int, a int"},
        {"a int, b bigint", "ALTER TABLE t CHANGE a b int, CHANGE b a bigint", "b int, a bigint"},
        {"a int, b int", "ALTER TABLE t DROP a, ADD a bigint", "b int, a bigint"},
        {"a int, b int", "ALTER TABLE t DROP COLUMN a, RENAME COLUMN b TO a", "a int"},
        {"A int, b int", "alter table `t` modify a bigint not null", "a bigint not null, b int"},
        {"a int, b int", "ALTER TABLE t ALTER a SET DEFAULT 5, ALTER COLUMN b DROP DEFAULT", "a int, b int"},
        {"a int, b int", "ALTER TABLE t ALTER a SET DEFAULT (f(1, 2)), ADD c int", "a int, b int, c int"},
        {"first int, after int", "ALTER TABLE t ADD x int AFTER `first`, DROP `after`", "first int, x int"},
        /* Keys follow their columns. */
        {"a int, b int, key k (a, b)", "ALTER TABLE t DROP a", "b int, key k (b)"},
        {"a int, b int, key k (a)", "ALTER TABLE t DROP a", "b int"},
        {"a int, b int, unique k (a, b)", "ALTER TABLE t CHANGE a z int", "z int, b int, unique k (z, b)"},
        {"a int not null, b int, primary key (a)", "ALTER TABLE t DROP PRIMARY KEY", "a int not null, b int"},
        {"a int not null, b int, primary key (a)", "ALTER TABLE t DROP PRIMARY KEY, ADD PRIMARY KEY (b)",
         "a int not null, b int not null, primary key (b)"},
        {"a int not null, b int, primary key (a)", "ALTER TABLE t MODIFY a bigint",
         "a bigint not null, b int, primary key (a)"},
        {"a int, b int", "ALTER TABLE t ADD UNIQUE (a), ADD UNIQUE (a, b), ADD KEY (a)",
         "a int, b int, unique a (a), unique a_2 (a, b), key a_3 (a)"},
        {"a int, b int", "ALTER TABLE t ADD INDEX i (c), ADD c int", "a int, b int, c int, key i (c)"},
        {"a int, unique i (a)", "ALTER TABLE t DROP INDEX i, ADD INDEX i (a)", "a int, key i (a)"},
        {"a int, unique i (a), key k (a)", "ALTER TABLE t RENAME INDEX i TO k, RENAME KEY k TO i",
         "a int, unique k (a), key i (a)"},
        {"a int, b int", "ALTER TABLE t ADD CONSTRAINT c UNIQUE KEY (b), ADD CONSTRAINT CHECK (a > 0)",
         "a int, b int, unique c (b)"},
        {"a int, b int", "CREATE UNIQUE INDEX i ON t (b, a)", "a int, b int, unique i (b, a)"},
        {"a int, b int", "CREATE INDEX i USING BTREE ON t (b DESC) COMMENT 'x' ALGORITHM=INPLACE LOCK=NONE",
         "a int, b int, key i (b)"},
        {"a int, unique i (a)", "DROP INDEX i ON t ALGORITHM=COPY", "a int"},
        {"a int not null, primary key (a)", "DROP INDEX `PRIMARY` ON t", "a int not null"},
        {"a varchar(20), key k (a(10))", "ALTER TABLE t MODIFY a varchar(5)", "a varchar(5), key k (a)"},
        {"a int, b int, constraint f foreign key (a) references p (x)", "ALTER TABLE t DROP FOREIGN KEY f",
         "a int, b int, key f (a)"},
        {"a int, b int, unique k (a)", "ALTER TABLE t DROP a, ADD a bigint", "b int, a bigint, unique k (a)"},
        {"a int, b int, key f (a), constraint f foreign key (a) references p (x)", "ALTER TABLE t DROP CONSTRAINT f",
         "a int, b int, key f (a)"},
        {"a int", "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES p (x), ADD b int",
         "a int, b int, key a (a), constraint t_ibfk_1 foreign key (a) references p (x)"},
        {"a int, b int, key b (b), constraint t_ibfk_3 foreign key (b) references p (x)",
         "ALTER TABLE t DROP FOREIGN KEY t_ibfk_3, ADD FOREIGN KEY (b) REFERENCES q (y)",
         "a int, b int, key b (b), constraint t_ibfk_4 foreign key (b) references q (y)"},
        {"a varchar(9), unique k (a)", "ALTER TABLE t DROP a, ADD a varchar(20)", "a varchar(20), unique k (a(9))"},
        /* Character sets, behind other options too. */
        {"a varchar(9)) auto_increment=50 charset=utf8mb4", "ALTER TABLE t ADD b int",
         "a varchar(9) charset utf8mb4, b int) default charset=utf8mb4"},
        {"a varchar(9)) comment 'x' charset = utf8mb4 row_format=default", "ALTER TABLE t ADD b int",
         "a varchar(9) charset utf8mb4, b int) default charset=utf8mb4"},
        {"a varchar(9)) data directory='/x' charset=utf8mb4 avg_row_length 9", "ALTER TABLE t ADD b int",
         "a varchar(9) charset utf8mb4, b int) default charset=utf8mb4"},
        {"a varchar(9)) default charset=utf8mb4", "ALTER TABLE t CHARSET latin1",
         "a varchar(9) charset utf8mb4) default charset=latin1"},
        {"a varchar(9)) default charset=utf8mb4", "ALTER TABLE t CHARSET latin1, ADD b char(3)",
         "a varchar(9) charset utf8mb4, b char(3)) default charset=latin1"},
        {"a varchar(9)) collate=utf8mb4_bin", "ALTER TABLE t COLLATE=latin1_bin CHARACTER SET = latin1",
         "a varchar(9) collate utf8mb4_bin) default charset=latin1 collate=latin1_bin"},
        {"a text, b tinytext, c mediumtext, d longtext, e blob) default charset=latin1",
         "ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4",
         "a mediumtext, b text, c longtext, d longtext, e blob) default charset=utf8mb4"},
        {"a text, b varchar(7), c enum('x')) default charset=utf8mb4", "ALTER TABLE t CONVERT TO CHARSET binary",
         "a blob, b varbinary(7), c enum('x')) default charset=binary"},
        {"a text) default charset=utf8mb3", "ALTER TABLE t CONVERT TO CHARACTER SET DEFAULT",
         "a text) default charset=latin1"},
        /* What changes nothing here. */
        {"a int, b int", "ALTER TABLE t ENGINE = InnoDB, COMMENT 'a, b' ROW_FORMAT=DYNAMIC AUTO_INCREMENT 7, FORCE",
         "a int, b int"},
        {"a int, b int", "ALTER TABLE t ORDER BY a, b DESC", "a int, b int"},
        {"a int, b int", "ALTER TABLE t DISABLE KEYS, ALGORITHM=INPLACE, LOCK=NONE, UNION=(x, y), DATA DIRECTORY='/x'",
         "a int, b int"},
        {"a int, key k (a)", "ALTER TABLE t ALTER INDEX k INVISIBLE", "a int, key k (a)"},
        {"a int) partition by hash (a) partitions 4", "ALTER TABLE t COALESCE PARTITION 2",
         "a int) partition by hash (a) partitions 2"},
        {"a int) partition by hash (a) partitions 4", "ALTER TABLE t REMOVE PARTITIONING", "a int"},
        {"a int", "ALTER TABLE t ADD b int PARTITION BY HASH (a) PARTITIONS 2", "a int, b int) partition by hash (a)"},
        {"a int", "ALTER TABLE t EXCHANGE PARTITION p WITH TABLE x WITHOUT VALIDATION", "a int"},
        {"a int", "ALTER TABLE t ADD PARTITION (PARTITION p1 VALUES LESS THAN (5), PARTITION p2 VALUES LESS THAN (9))",
         "a int"},
        {"a int", "/* c */ ALTER /*!50000 TABLE */ t /*!40000 ADD b int, ADD c int */;", "a int, b int, c int"},
        {"a int", "ALTER TABLE t", "a int"},
    };
    check_cases(FLAVOR_MYSQL, rows, sizeof rows / sizeof *rows);
    check_cases(FLAVOR_MARIADB, rows, sizeof rows / sizeof *rows);
}

static void alter_table__clauses_of_mysql__the_table_that_the_manual_says(void **state)
{
    (void)state;
    static const struct alter_case rows[] = {
        {"a int, b int", "ALTER TABLE t ALTER a SET INVISIBLE", "a int invisible, b int"},
        {"a int invisible, b int", "ALTER TABLE t ALTER COLUMN a SET VISIBLE", "a int, b int"},
        {"a int, unique ((a + 1)), unique u (a)", "ALTER TABLE t DROP CHECK c, DROP CONSTRAINT u",
         "a int, unique functional_index ((a + 1))"},
        {"a varchar(9)", "ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4, COLLATE utf8mb4_bin",
         "a varchar(9) charset utf8mb4) collate=utf8mb4_bin"},
        {"a int", "ALTER TABLE t SECONDARY_ENGINE=rapid, SECONDARY_LOAD", "a int"},
        /* The bytes of labels stay. */
        {"a enum('é','x')) charset=utf8mb4", "ALTER TABLE t CONVERT TO CHARSET latin1",
         "a enum('Ã©','x')) charset=latin1"},
        {"a set('Ã©','x')) charset=latin1", "ALTER TABLE t CONVERT TO CHARSET latin2",
         "a set('ĂŠ','x')) charset=latin2"},
        {"a enum('ĂŠ','x')) charset=latin2", "ALTER TABLE t CONVERT TO CHARSET utf8mb3, ADD b int",
         "a enum('é','x'), b int) charset=utf8mb3"},
        {"a enum('é','x')) charset=latin1", "ALTER TABLE t CONVERT TO CHARSET latin2",
         "a enum('é','x')) charset=latin2"},
        {"a enum('é','x')) charset=latin1", "ALTER TABLE t MODIFY a enum('é'), CONVERT TO CHARSET utf8mb4",
         "a enum('é')) charset=utf8mb4"},
        {"a int", "ALTER TABLE t ADD vector vector(3), ADD period int, ADD system int",
         "a int, vector vector(3), period int, system int"},
        {"my_row_id bigint unsigned not null auto_increment invisible, a int, b int, primary key (my_row_id)",
         "ALTER TABLE t ADD c int FIRST, MODIFY b int FIRST",
         "my_row_id bigint unsigned not null auto_increment invisible, b int, c int, a int, primary key (my_row_id)"},
        /* It is put first when all is placed; not on another engine, nor when a statement moves it. */
        {"my_row_id bigint unsigned not null auto_increment invisible, a int, primary key (my_row_id)",
         "ALTER TABLE t CHANGE a a bigint FIRST, ADD c int AFTER MY_ROW_ID",
         "my_row_id bigint unsigned not null auto_increment invisible, a bigint, c int, primary key (my_row_id)"},
        {"my_row_id bigint unsigned not null auto_increment invisible, a int, primary key (my_row_id)",
         "ALTER TABLE t ADD c int FIRST, MODIFY my_row_id bigint unsigned not null auto_increment",
         "my_row_id bigint unsigned not null auto_increment, c int, a int, primary key (my_row_id)"},
        {"my_row_id bigint unsigned not null auto_increment invisible, a int, primary key (my_row_id)",
         "ALTER TABLE t ADD c int FIRST, ENGINE = MyISAM",
         "c int, my_row_id bigint unsigned not null auto_increment invisible, a int, primary key (my_row_id)"},
        {"my_row_id bigint unsigned not null auto_increment invisible, a int, primary key (my_row_id)) engine=MyISAM",
         "ALTER TABLE t ADD c int FIRST, ENGINE InnoDB",
         "c int, my_row_id bigint unsigned not null auto_increment invisible, a int, primary key (my_row_id)"},
        {"my_row_id bigint unsigned not null auto_increment, a int, primary key (my_row_id)",
         "ALTER TABLE t ADD c int FIRST",
         "c int, my_row_id bigint unsigned not null auto_increment, a int, primary key (my_row_id)"},
        {"my_row_id bigint unsigned not null auto_increment invisible, a int, primary key (my_row_id)",
         "ALTER TABLE t DROP my_row_id, ADD my_row_id int FIRST, ADD c int FIRST",
         "c int, my_row_id int not null, a int, primary key (my_row_id)"},
    };
    check_cases(FLAVOR_MYSQL, rows, sizeof rows / sizeof *rows);
}

static void alter_table__engine_of_an_earlier_statement__kept_in_print(void **state)
{
    (void)state;
    static const char engine[] = "ALTER TABLE t ENGINE=MyISAM", add[] = "ALTER TABLE t ADD c int FIRST";
    struct arena arena;
    struct create_table before, plain, again, after;
    struct ddl_statement stmt = statement(FLAVOR_MYSQL, engine, sizeof engine - 1, 0);
    struct buf text;
    arena_init(&arena, 4096, 0, 0);
    parse(&before, FLAVOR_MYSQL, "my_row_id bigint unsigned not null auto_increment primary key invisible", &arena);
    assert_int_equal(alter_table_apply(&plain, &before, &stmt, &database, &arena, NULL), 0);
    print(&text, &plain);
    stmt = statement(FLAVOR_MYSQL, (const char *)text.p, text.len, 0);
    assert_int_equal(create_table_parse(&again, &stmt, NULL, &arena, NULL), 0);
    stmt = statement(FLAVOR_MYSQL, add, sizeof add - 1, 0);
    assert_int_equal(alter_table_apply(&after, &again, &stmt, &database, &arena, NULL), 0);
    assert_string_equal(after.columns[0].name.p, "c");
    buf_release(&text);
    arena_release(&arena);
}

static void alter_table__convert_beside_a_collation__not_the_session_s(void **state)
{
    (void)state;
    static const struct create_context session = {{"latin1", 6}, {NULL, 0}, true, {"utf8mb4_general_ci", 18}};
    static const struct {
        const char *sql, *column, *table;
    } rows[] = {
        {"CONVERT TO CHARSET utf8mb4", "general_ci", "general_ci"},
        {"CONVERT TO CHARSET utf8mb4 COLLATE utf8mb4_bin, CONVERT TO CHARSET utf8mb4", "0900_ai_ci", "0900_ai_ci"},
        {"COLLATE utf8mb4_bin, CONVERT TO CHARSET utf8mb4", "0900_ai_ci", "0900_ai_ci"},
        {"CONVERT TO CHARSET utf8mb4, COLLATE utf8mb4_bin", "0900_ai_ci", "bin"},
        {"CONVERT TO CHARSET utf8mb4 COLLATE utf8mb4_bin, CHARSET utf8mb4", "bin", "bin"},
        {"CONVERT TO CHARSET utf8mb4, CHARSET utf8mb4", "general_ci", "general_ci"},
        {"CHARSET utf8mb4, MODIFY a text", "0900_ai_ci", "general_ci"},
        {"CHANGE a b varchar(4), CHARSET utf8mb4", "0900_ai_ci", "general_ci"},
        {"DROP a, ADD a text, CHARSET utf8mb4", "general_ci", "general_ci"},
        {"MODIFY a text CHARACTER SET utf8mb4, CHARSET utf8mb4", "general_ci", "general_ci"},
        {"MODIFY a text, CHARSET utf8mb4 COLLATE utf8mb4_bin", "bin", "bin"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char sql[200];
        struct arena arena;
        struct create_table before, after;
        int len = snprintf(sql, sizeof sql, "ALTER TABLE t %s", rows[i].sql);
        struct ddl_statement stmt = statement(FLAVOR_MYSQL, sql, (size_t)len, 0);
        arena_init(&arena, 4096, 0, 0);
        parse(&before, FLAVOR_MYSQL, "a text", &arena);
        assert_int_equal(alter_table_apply(&after, &before, &stmt, &session, &arena, NULL), 0);
        assert_string_equal(after.columns[0].collation.p + strlen("utf8mb4_"), rows[i].column);
        assert_string_equal(after.collation.p + strlen("utf8mb4_"), rows[i].table);
        arena_release(&arena);
    }
}

static void alter_table__labels_that_convert_makes_no_text__table_definition(void **state)
{
    (void)state;
    static const char sql[] = "ALTER TABLE t CONVERT TO CHARSET utf8mb4";
    struct arena arena;
    struct create_table before, after;
    struct ddl_statement stmt = statement(FLAVOR_MYSQL, sql, sizeof sql - 1, 0);
    arena_init(&arena, 4096, 0, 0);
    parse(&before, FLAVOR_MYSQL, "a enum('é','x')) charset=latin1", &arena);
    assert_int_equal(alter_table_apply(&after, &before, &stmt, &database, &arena, NULL), -(int)ERR_TABLE_DEFINITION);
    arena_release(&arena);
}

static void alter_table__text_written_beside_convert__size_of_what_mysql_had(void **state)
{
    (void)state;
    static const struct {
        const char *was, *written, *charset, *is;
    } rows[] = {
        {"text", "tinytext", "latin1", "text"},
        {"text", "mediumtext", "latin1", "text"},
        {"text", "tinytext", "utf8mb4", "mediumtext"},
        {"text charset utf8mb4", "text", "utf8mb3", "text"},
        {"text charset ucs2", "text", "utf8mb4", "mediumtext"},
        {"mediumtext", "text charset ucs2", "utf8mb4", "longtext"},
        {"longtext", "text", "latin1", "longtext"},
        {"text", "longtext", "latin1", "longtext"},
        {"text", "text(10)", "utf8mb4", "tinytext"},
        {"text", "text(70000)", "latin1", "mediumtext"},
        {"int", "text", "utf8mb4", "tinytext"},
        {"int(64) zerofill", "text", "utf8mb4", "text"},
        {"int", "long varchar", "latin1", "tinytext"},
        {"varchar(64)", "text", "latin1", "tinytext"},
        {"varchar(64)", "text", "utf8mb4", "text"},
        {"varchar(20000)", "text", "utf8mb4", "mediumtext"},
        {"varchar(1020) charset utf8mb4", "text", "latin1", "tinytext"},
        {"varchar(300) charset utf8mb4", "mediumtext", "utf8mb3", "tinytext"},
        {"varchar(256) charset utf8mb4", "mediumtext", "utf8mb4", "text"},
        {"varchar(300) charset utf8mb3", "mediumtext", "utf8mb3", "text"},
        {"varchar(1020) charset utf8mb4", "mediumblob", "utf8mb3", "tinyblob"},
        {"varchar(300)", "mediumblob", "utf8mb4", "blob"},
        {"int", "mediumblob", "utf8mb3", "tinyblob"},
        {"int", "longblob", "utf8mb3", "longblob"},
        {"int", "blob(70000)", "utf8mb3", "mediumblob"},
        {"varbinary(256)", "tinyblob", "utf8mb3", "blob"},
        {"mediumtext charset utf8mb4", "tinyblob", "latin1", "mediumblob"},
        {"blob", "mediumtext charset binary", "latin1", "blob"},
        {"point", "tinyblob", "latin1", "longblob"},
        {"varbinary(100)", "text", "utf8mb4", "text"},
        {"tinyblob", "mediumtext", "latin1", "tinytext"},
        {"blob", "text", "utf8mb4", "mediumtext"},
        {"longblob", "text", "latin1", "longtext"},
        {"json", "text", "latin1", "longtext"},
        {"point", "text", "latin1", "longtext"},
        {"vector(3)", "text", "utf8mb4", "tinytext"},
        {"vector(300)", "text", "latin1", "text"},
        {"decimal(62,2)", "text", "utf8mb4", "text"},
        {"decimal(62,2) unsigned", "text", "utf8mb4", "tinytext"},
        {"bit(64)", "text", "utf8mb4", "text"},
        {"datetime(6)", "text", "utf8mb4", "tinytext"},
        {"enum('1234567890123456789012345678901','12')", "text", "utf8mb4", "tinytext"},
        {"set('1234567890123456789012345678901','12345678901234567890123456789012')", "text", "utf8mb4", "text"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char before[300], sql[300], after[300];
        snprintf(before, sizeof before, "a %s, b int) charset=latin1", rows[i].was);
        snprintf(sql, sizeof sql, "ALTER TABLE t CHANGE a z %s, CONVERT TO CHARSET %s", rows[i].written,
                 rows[i].charset);
        snprintf(after, sizeof after, "z %s, b int) charset=%s", rows[i].is, rows[i].charset);
        const struct alter_case row = {before, sql, after};
        check_cases(FLAVOR_MYSQL, &row, 1);
    }
}

static void alter_table__clauses_of_mariadb__the_table_that_the_manual_says(void **state)
{
    (void)state;
    static const struct alter_case rows[] = {
        {"a int", "ALTER TABLE IF EXISTS t WAIT 5 ADD COLUMN IF NOT EXISTS a bigint, ADD COLUMN IF NOT EXISTS b int",
         "a int, b int"},
        {"a int", "ALTER ONLINE TABLE t NOWAIT ADD IF NOT EXISTS (b int, b bigint, a bigint)", "a int, b int"},
        {"a int", "ALTER TABLE t ADD COLUMN IF NOT EXISTS a int UNIQUE", "a int, unique a (a)"},
        {"a int, b int", "ALTER TABLE t CHANGE COLUMN IF EXISTS x z int FIRST, MODIFY IF EXISTS y int AFTER a",
         "a int, b int"},
        {"a int, b int", "ALTER TABLE t DROP COLUMN IF EXISTS x, DROP IF EXISTS b, MODIFY IF EXISTS y int", "a int"},
        {"a int, b int", "ALTER TABLE t DROP a, ADD COLUMN IF NOT EXISTS a bigint", "b int"},
        {"a int, b int", "ALTER TABLE t RENAME COLUMN IF EXISTS x TO y, RENAME COLUMN IF EXISTS b TO c",
         "a int, c int"},
        {"a int, unique i (a)",
         "ALTER TABLE t DROP INDEX IF EXISTS x, DROP KEY IF EXISTS i, ADD KEY IF NOT EXISTS i (a)", "a int"},
        {"a int, key i (a)", "CREATE OR REPLACE UNIQUE INDEX i ON t (a)", "a int, unique i (a)"},
        {"a int, key i (a)", "CREATE UNIQUE INDEX IF NOT EXISTS i ON t (a)", "a int, key i (a)"},
        {"a int", "DROP INDEX IF EXISTS i ON t WAIT 1", "a int"},
        {"a int", "ALTER TABLE t ADD SYSTEM VERSIONING", "a int) with system versioning"},
        {"a int) with system versioning", "ALTER TABLE t DROP SYSTEM VERSIONING, ADD b int", "a int, b int"},
        {"a varchar(9)) charset=utf8mb4", "ALTER TABLE t CONVERT TO CHARACTER SET utf8mb3, DEFAULT CHARSET latin1",
         "a varchar(9) charset utf8mb3) charset=latin1"},
        {"a int", "ALTER TABLE t ADD period int, ADD system int, ADD b int ENGINE_OPTION='x', PAGE_COMPRESSED=1",
         "a int, period int, system int, b int"},
        {"a int", "ALTER TABLE t CONVERT PARTITION p TO TABLE x", "a int"},
        {"a int, b int, primary key (a)", "ALTER TABLE t ADD PRIMARY KEY IF NOT EXISTS (b)",
         "a int, b int, primary key (a)"},
        {"a int, b int, primary key (a)", "ALTER TABLE t ADD CONSTRAINT x PRIMARY KEY IF NOT EXISTS k (b), ADD c int",
         "a int, b int, c int, primary key (a)"},
        {"a int, b int", "ALTER TABLE t ADD PRIMARY KEY IF NOT EXISTS (b)", "a int, b int, primary key (b)"},
        {"a date, b date", "ALTER TABLE t ADD PERIOD FOR p (a, b)", "a date not null, b date not null"},
        {"a date not null, b date not null", "ALTER TABLE t ADD PERIOD IF NOT EXISTS FOR p (a, b), ADD c int",
         "a date not null, b date not null, c int"},
        {"a date not null, b date not null", "ALTER TABLE t DROP PERIOD IF EXISTS FOR p, ADD c int",
         "a date not null, b date not null, c int"},
        {"a int, period int", "ALTER TABLE t DROP period", "a int"},
    };
    check_cases(FLAVOR_MARIADB, rows, sizeof rows / sizeof *rows);
}

static void alter_table__renamed__its_name_and_those_of_its_constraints(void **state)
{
    (void)state;
    static const char sql[] = "ALTER TABLE t RENAME TO other.u, ADD b int";
    struct arena arena;
    struct create_table before, after;
    struct ddl_statement stmt = statement(FLAVOR_MYSQL, sql, sizeof sql - 1, 0);
    arena_init(&arena, 4096, 0, 0);
    parse(&before, FLAVOR_MYSQL,
          "a int, key a (a), constraint t_ibfk_2 foreign key (a) references t (a), constraint f foreign key (a) "
          "references p (a)",
          &arena);
    assert_int_equal(alter_table_apply(&after, &before, &stmt, NULL, &arena, NULL), 0);
    assert_string_equal(after.name.db, "other");
    assert_string_equal(after.name.table, "u");
    assert_int_equal(after.column_count, 2);
    assert_string_equal(after.foreign[0].name.p, "u_ibfk_2");
    assert_string_equal(after.foreign[0].parent.table, "u");
    assert_string_equal(after.foreign[1].name.p, "f");
    assert_string_equal(before.foreign[0].name.p, "t_ibfk_2");
    arena_release(&arena);
}

static void alter_table__default_charset_in_a_session_of_another_database__not_guessed(void **state)
{
    (void)state;
    static const char sql[] = "ALTER TABLE t CONVERT TO CHARACTER SET DEFAULT";
    struct arena arena;
    struct create_table before, after;
    struct err e = ERR_INIT;
    struct ddl_statement stmt = statement(FLAVOR_MYSQL, sql, sizeof sql - 1, 0);
    arena_init(&arena, 4096, 0, 0);
    parse(&before, FLAVOR_MYSQL, "a text", &arena);
    assert_int_equal(alter_table_apply(&after, &before, &stmt, &database, &arena, &e), 0);
    stmt.db = "other";
    stmt.db_len = 5;
    assert_int_equal(alter_table_apply(&after, &before, &stmt, &database, &arena, &e), -ERR_TABLE_DEFINITION);
    stmt.db = NULL;
    stmt.db_len = 0;
    err_clear(&e);
    assert_int_equal(alter_table_apply(&after, &before, &stmt, &database, &arena, &e), -ERR_TABLE_DEFINITION);
    stmt.mode.flavor = FLAVOR_MARIADB;
    err_clear(&e);
    assert_int_equal(alter_table_apply(&after, &before, &stmt, &database, &arena, &e), 0);
    arena_release(&arena);
}

/* What the statement does depends on something that the log does not tell. */
static void alter_table__what_is_not_told__table_definition(void **state)
{
    (void)state;
    static const struct {
        enum flavor flavor;
        const char *before, *sql;
    } rows[] = {
        {FLAVOR_MARIADB, "a date, b date", "ALTER TABLE t ADD PERIOD IF NOT EXISTS FOR p (a, b)"},
        {FLAVOR_MARIADB, "a date not null, b date", "ALTER TABLE t ADD PERIOD IF NOT EXISTS FOR p (a, b)"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena arena;
        struct create_table before, after;
        struct err e = ERR_INIT;
        struct ddl_statement stmt = statement(rows[i].flavor, rows[i].sql, strlen(rows[i].sql), 0);
        arena_init(&arena, 4096, 0, 0);
        parse(&before, rows[i].flavor, rows[i].before, &arena);
        assert_int_equal(alter_table_apply(&after, &before, &stmt, &database, &arena, &e), -ERR_TABLE_DEFINITION);
        assert_non_null(strstr(e.text, "not told"));
        arena_release(&arena);
    }
}

static void alter_table__what_is_not_understood__table_definition(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "SELECT 1",
        "ALTER DATABASE d CHARSET latin1",
        "ALTER TABLE",
        "ALTER TABLE t FROBNICATE",
        "ALTER TABLE t ADD",
        "ALTER TABLE t ADD a int",
        "ALTER TABLE t ADD x int AFTER y",
        "ALTER TABLE t ADD (x int",
        "ALTER TABLE t ADD x",
        "ALTER TABLE t ADD x int y int",
        "ALTER TABLE t DROP x",
        "ALTER TABLE t DROP a, DROP a",
        "ALTER TABLE t DROP a, DROP b",
        "ALTER TABLE t DROP PRIMARY",
        "ALTER TABLE t DROP PRIMARY KEY",
        "ALTER TABLE t DROP INDEX x",
        "ALTER TABLE t DROP FOREIGN KEY x",
        "ALTER TABLE t CHANGE x y int",
        "ALTER TABLE t CHANGE a b int",
        "ALTER TABLE t MODIFY a",
        "ALTER TABLE t RENAME COLUMN a b",
        "ALTER TABLE t RENAME COLUMN a TO b",
        "ALTER TABLE t RENAME INDEX x TO y",
        "ALTER TABLE t RENAME",
        "ALTER TABLE t ALTER a SET",
        "ALTER TABLE t ALTER x SET DEFAULT 1",
        "ALTER TABLE t ADD KEY (x)",
        "ALTER TABLE t ADD KEY (a), ADD KEY a (b)",
        "ALTER TABLE t ADD PRIMARY KEY (a), ADD PRIMARY KEY (b)",
        "ALTER TABLE t CONVERT TO",
        "ALTER TABLE t CONVERT TO CHARACTER SET",
        "ALTER TABLE t ORDER BY",
        "ALTER TABLE t ENGINE",
        "ALTER TABLE t SEQUENCE=1",
        "ALTER TABLE t WITH x",
        "ALTER TABLE t COMMENT 'x",
        "ALTER TABLE t /*! ADD c int",
        "ALTER TABLE t ADD c int; DROP TABLE t",
        "CREATE TABLE t (a int)",
        "CREATE INDEX ON t (a)",
        "CREATE INDEX i ON t",
        "CREATE INDEX i ON t (a",
        "DROP INDEX i",
        "DROP TABLE t",
    };
    unsigned failures = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena arena;
        struct create_table before, after = {.column_count = 77};
        struct err e = ERR_INIT;
        struct ddl_statement stmt = statement(FLAVOR_MYSQL, rows[i], strlen(rows[i]), 0);
        arena_init(&arena, 4096, 0, 0);
        parse(&before, FLAVOR_MYSQL, "a int, b int", &arena);
        if (alter_table_apply(&after, &before, &stmt, NULL, &arena, &e) != -(int)ERR_TABLE_DEFINITION ||
            after.column_count != 77) {
            print_error("accepted: %s\n", rows[i]);
            failures++;
        }
        arena_release(&arena);
    }
    assert_int_equal(failures, 0);
}

static void alter_table__no_memory_at_any_allocation__no_memory(void **state)
{
    (void)state;
    static const char sql[] =
        "ALTER TABLE t ADD c varchar(20) UNIQUE DEFAULT 'x' AFTER a, CONVERT TO CHARACTER SET utf8mb4 COLLATE "
        "utf8mb4_bin, "
        "ADD KEY (z, a), ADD FOREIGN KEY (a) REFERENCES p (x), DROP PRIMARY KEY, CHANGE b z enum('x', 'y')";
    unsigned failures = 0;
    for (size_t cap = 64;; cap += 64) {
        struct arena arena, kept;
        struct create_table before, after;
        struct err e = ERR_INIT;
        struct ddl_statement stmt = statement(FLAVOR_MYSQL, sql, sizeof sql - 1, 0);
        arena_init(&kept, 4096, 0, 0);
        arena_init(&arena, 64, 0, cap);
        parse(&before, FLAVOR_MYSQL, "a int, b text charset latin1, primary key (a), unique (b(7))", &kept);
        int rc = alter_table_apply(&after, &before, &stmt, NULL, &arena, &e);
        arena_release(&arena);
        arena_release(&kept);
        if (rc == 0)
            break;
        assert_int_equal(rc, -(int)ERR_NO_MEMORY);
        failures++;
    }
    assert_true(failures > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alter_table__clauses__the_table_that_the_manual_says),
        cmocka_unit_test(alter_table__clauses_of_mysql__the_table_that_the_manual_says),
        cmocka_unit_test(alter_table__engine_of_an_earlier_statement__kept_in_print),
        cmocka_unit_test(alter_table__convert_beside_a_collation__not_the_session_s),
        cmocka_unit_test(alter_table__labels_that_convert_makes_no_text__table_definition),
        cmocka_unit_test(alter_table__text_written_beside_convert__size_of_what_mysql_had),
        cmocka_unit_test(alter_table__clauses_of_mariadb__the_table_that_the_manual_says),
        cmocka_unit_test(alter_table__renamed__its_name_and_those_of_its_constraints),
        cmocka_unit_test(alter_table__default_charset_in_a_session_of_another_database__not_guessed),
        cmocka_unit_test(alter_table__what_is_not_told__table_definition),
        cmocka_unit_test(alter_table__what_is_not_understood__table_definition),
        cmocka_unit_test(alter_table__no_memory_at_any_allocation__no_memory),
    };
    return cmocka_run_group_tests_name("alter_table", tests, NULL, NULL);
}
