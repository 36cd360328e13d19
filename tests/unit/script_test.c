/* SQL scripts cut into statements: what real dump programs write (tests/golden/sql, made by collect.py there), read in
 * pieces of any size; then forms that people write, and scripts that cannot be cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "schema/ddl/script.h"

struct input {
    const char *p;
    size_t len, piece;
};

static int read_piece(void *ctx, void *bytes, size_t size, size_t *got, struct err *e)
{
    struct input *in = ctx;
    (void)e;
    size_t n = in->len < in->piece ? in->len : in->piece;
    n = n < size ? n : size;
    memcpy(bytes, in->p, n);
    in->p += n;
    in->len -= n;
    *got = n;
    return 0;
}

static void read_file(struct buf *b, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, SLUICE_TEST_DATA "/sql/%s", name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    buf_init(b, 0);
    for (;;) {
        uint8_t *p = buf_room(b, 65536);
        size_t n = fread(p, 1, 65536, file);
        if (n == 0)
            break;
        b->len += n;
    }
    fclose(file);
}

/* One line a statement: its line, how it is read, database, length and beginning. */
static void print_statement(struct buf *b, size_t line, const struct ddl_statement *stmt)
{
    buf_printf(b, "%zu %s%s%s %u [%s] %zu ", line, stmt->mode.flavor == FLAVOR_MARIADB ? "mariadb" : "mysql",
               stmt->mode.sql_mode & DDL_ANSI_QUOTES ? " ansi" : "",
               stmt->mode.sql_mode & DDL_NO_BACKSLASH_ESCAPES ? " plain" : "", (unsigned)stmt->mode.charset, stmt->db,
               stmt->len);
    for (size_t i = 0; i < stmt->len && i < 72; i++)
        buf_byte(b, stmt->sql[i] == '\n' ? ' ' : (uint8_t)stmt->sql[i]);
    buf_byte(b, '\n');
}

static int cut_all(struct buf *out, const char *sql, size_t len, size_t piece, struct err *e)
{
    struct input in = {sql, len, piece};
    struct ddl_script_options opt = {.name = "x.sql", .read = read_piece, .ctx = &in, .flavor = FLAVOR_MYSQL};
    struct ddl_script *script;
    struct ddl_statement stmt;
    int rc;
    assert_int_equal(ddl_script_new(&script, &opt, e), 0);
    while ((rc = ddl_script_next(script, &stmt, e)) == 1)
        print_statement(out, ddl_script_line(script), &stmt);
    ddl_script_free(script);
    return rc;
}

static void compare_golden(const char *name)
{
    char text_name[64];
    struct buf sql, cut, golden;
    read_file(&sql, name);
    for (size_t piece = 1 << 20; piece; piece = piece > 1000 ? 1000 : piece / 7) {
        struct err e = ERR_INIT;
        buf_init(&cut, 0);
        assert_int_equal(cut_all(&cut, (const char *)sql.p, sql.len, piece, &e), 0);
        snprintf(text_name, sizeof text_name, "%.*s.txt", (int)(strlen(name) - 4), name);
        if (getenv("SLUICE_UPDATE")) {
            char path[512];
            snprintf(path, sizeof path, SLUICE_TEST_DATA "/sql/%s", text_name);
            FILE *file = fopen(path, "wb");
            assert_non_null(file);
            fwrite(cut.p, 1, cut.len, file);
            fclose(file);
        }
        read_file(&golden, text_name);
        buf_byte(&golden, 0);
        buf_byte(&cut, 0);
        assert_string_equal((const char *)cut.p, (const char *)golden.p);
        buf_release(&golden);
        buf_release(&cut);
    }
    buf_release(&sql);
}

static void script__dumps_of_both_servers__cut_as_their_client_does(void **state)
{
    static const char *const names[] = {"mariadb_all.sql", "mariadb_one.sql", "mariadb_ansi.sql",
                                        "mysql_all.sql",   "mysql_one.sql",   "made_from.sql"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        compare_golden(names[i]);
}

static void script__forms_that_people_write__cut(void **state)
{
    static const struct {
        const char *sql, *cut;
    } rows[] = {
        {"", ""},
        {"\n -- only a comment\n# one more\n/* and one */ ", ""},
        {";;\n;", ""},
        {"SELECT 1", "1 mysql 2 [] 8 SELECT 1\n"},
        {"use shop\nCREATE TABLE t (a INT);\n",
         "1 mysql 2 [shop] 8 use shop\n2 mysql 2 [shop] 22 CREATE TABLE t (a INT)\n"},
        {"USE `a;b`; SELECT 1;", "1 mysql 2 [a;b] 9 USE `a;b`\n1 mysql 2 [a;b] 8 SELECT 1\n"},
        {"delimiter $$\nSELECT 1; SELECT 2$$SELECT 3$$\nDELIMITER ;\nSELECT 4;",
         "2 mysql 2 [] 18 SELECT 1; SELECT 2\n2 mysql 2 [] 8 SELECT 3\n4 mysql 2 [] 8 SELECT 4\n"},
        {"DELIMITER //\nSELECT 4/2; //\n", "2 mysql 2 [] 12 SELECT 4/2; \n"},
        {"SET sql_mode='NO_BACKSLASH_ESCAPES';SELECT '\\';SELECT 2;",
         "1 mysql plain 2 [] 35 SET sql_mode='NO_BACKSLASH_ESCAPES'\n1 mysql plain 2 [] 10 SELECT '\\'\n"
         "1 mysql plain 2 [] 8 SELECT 2\n"},
        {"SET @a=@@sql_mode, sql_mode='ANSI';SET SESSION sql_mode=@a;SELECT 1;",
         "1 mysql ansi 2 [] 34 SET @a=@@sql_mode, sql_mode='ANSI'\n1 mysql 2 [] 23 SET SESSION sql_mode=@a\n"
         "1 mysql 2 [] 8 SELECT 1\n"},
        {"SET GLOBAL sql_mode='ANSI';", "1 mysql 2 [] 26 SET GLOBAL sql_mode='ANSI'\n"},
        {"SET @@session.sql_mode := 'ansi_quotes';", "1 mysql ansi 2 [] 39 SET @@session.sql_mode := 'ansi_quotes'\n"},
        {"SET NAMES sjis;SELECT '\x83\x5c';SELECT 1;",
         "1 mysql 35 [] 14 SET NAMES sjis\n1 mysql 35 [] 11 SELECT '\x83\x5c'\n1 mysql 35 [] 8 SELECT 1\n"},
        {"SET CHARACTER SET latin1;", "1 mysql 4 [] 24 SET CHARACTER SET latin1\n"},
        {"/*!50003 CREATE TRIGGER t BEFORE INSERT ON x FOR EACH ROW BEGIN SET @a=1; END */;SELECT 1;",
         "1 mysql 2 [] 80 /*!50003 CREATE TRIGGER t BEFORE INSERT ON x FOR EACH ROW BEGIN SET @a=1\n"
         "1 mysql 2 [] 8 SELECT 1\n"},
        {"/*M!999999\\- enable the sandbox mode */ \n-- x\nSELECT 1;", "3 mariadb 2 [] 8 SELECT 1\n"},
        {"-- Host: localhost    Database: my shop\nSELECT 1;", "2 mysql 2 [my shop] 8 SELECT 1\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t piece = 1; piece < 4; piece++) {
            struct err e = ERR_INIT;
            struct buf cut;
            buf_init(&cut, 0);
            assert_int_equal(cut_all(&cut, rows[i].sql, strlen(rows[i].sql), piece, &e), 0);
            buf_byte(&cut, 0);
            assert_string_equal((const char *)cut.p, rows[i].cut);
            buf_release(&cut);
        }
}

static void script__what_cannot_be_cut__is_named_with_its_line(void **state)
{
    static const struct {
        const char *sql, *text;
    } rows[] = {
        {"SELECT 1;\nSELECT 'a;\n", "x.sql line 2: a quote or comment does not end"},
        {"SELECT 1;\n\n/* a", "x.sql line 3: a quote or comment does not end"},
        {"/*!40000 SELECT 1;", "x.sql line 1: a quote or comment does not end"},
        {"DELIMITER\nSELECT 1;", "x.sql line 1: this DELIMITER cannot be followed"},
        {"DELIMITER 'x'\n", "x.sql line 1: this DELIMITER cannot be followed"},
        {"SELECT 1;\nSOURCE other.sql\n", "x.sql line 2: another file is included: name that one"},
        {"\\. other.sql 12345\n", "x.sql line 1: another file is included: name that one"},
        {"SET sql_mode = CONCAT(@@sql_mode, ',ANSI');", "x.sql line 1: this SET cannot be followed"},
        {"SET NAMES klingon;", "x.sql line 1: this SET cannot be followed"},
        {"USE ;", "x.sql line 1: USE names no database"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct err e = ERR_INIT;
        struct buf cut;
        buf_init(&cut, 0);
        assert_true(cut_all(&cut, rows[i].sql, strlen(rows[i].sql), 5, &e) < 0);
        assert_string_equal(e.text, rows[i].text);
        assert_int_equal(e.code, ERR_SQL_FILE);
        buf_release(&cut);
    }
}

/* An endless statement, after a million short ones. */
static int read_endless(void *ctx, void *bytes, size_t size, size_t *got, struct err *e)
{
    size_t *done = ctx;
    (void)e;
    memset(bytes, 'a', size);
    if (*done < 2000000)
        for (size_t i = 0; i + 1 < size; i += 2)
            memcpy((char *)bytes + i, "a;", 2);
    *got = *done < 2000000 ? size & ~(size_t)1 : size;
    *done += *got;
    return 0;
}

static void script__long_file_and_long_statement__memory_is_bounded(void **state)
{
    size_t done = 0, count = 0;
    struct ddl_script_options opt = {.name = "x.sql", .read = read_endless, .ctx = &done, .flavor = FLAVOR_MYSQL};
    struct ddl_script *script;
    struct ddl_statement stmt;
    struct err e = ERR_INIT;
    int rc;
    (void)state;
    assert_int_equal(ddl_script_new(&script, &opt, &e), 0);
    while ((rc = ddl_script_next(script, &stmt, &e)) == 1)
        count++;
    assert_true(count >= 1000000);
    assert_string_equal(e.text, "x.sql line 1: a statement is longer than 16 MiB");
    assert_true(done < 2000000 + 2 * DDL_SCRIPT_STATEMENT_MAX);
    ddl_script_free(script);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(script__dumps_of_both_servers__cut_as_their_client_does),
        cmocka_unit_test(script__forms_that_people_write__cut),
        cmocka_unit_test(script__what_cannot_be_cut__is_named_with_its_line),
        cmocka_unit_test(script__long_file_and_long_statement__memory_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
