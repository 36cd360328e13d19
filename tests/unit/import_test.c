/* Definitions that a person gives: what the dump programs of both servers write (tests/golden/sql), put into a history;
 * then files written by hand, and files that say nothing, or something that cannot be read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "schema/create_table.h"
#include "schema/import.h"

struct input {
    const char *p;
    size_t len;
};

static int read_input(void *ctx, void *bytes, size_t size, size_t *got, struct err *e)
{
    struct input *in = ctx;
    (void)e;
    *got = in->len < size ? in->len : size;
    memcpy(bytes, in->p, *got);
    in->p += *got;
    in->len -= *got;
    return 0;
}

static bool wants(void *ctx, const char *db, const char *table)
{
    (void)db;
    return !ctx || strcmp(table, ctx) == 0;
}

static bool wants_database(void *ctx, const char *db)
{
    (void)ctx;
    (void)db;
    return true;
}

static const struct history_where everywhere = {.server_uuid = ""};

static int import_text(struct history *history, const char *sql, size_t len, const char *only,
                       const struct history_where *place, struct schema_imported *done, struct err *e)
{
    struct input in = {sql, len};
    const struct interest interest = {wants, wants_database, (void *)(uintptr_t)only};
    const struct schema_import import = {
        .script = {.name = "x.sql", .read = read_input, .ctx = &in}, .interest = &interest, .place = place};
    return schema_import(history, &import, done, e);
}

/* `db.table(column,…)`, with the defaults of databases as `db=CHARSET COLLATION`, by blanks. */
static void print_history(struct buf *out, struct history *history)
{
    struct history_table table;
    buf_clear(out);
    for (size_t i = 0; history_table(history, i, &table); i++) {
        const struct history_version *version = history_version(history, i, table.versions - 1);
        assert_int_equal(version->kind, HISTORY_DEFINED);
        assert_int_equal(version->origin, HISTORY_IMPORT);
        buf_text(out, out->len ? " " : "");
        if (!table.table[0]) {
            buf_printf(out, "%s=%s", table.db, version->text);
            continue;
        }
        struct arena arena;
        struct create_table def;
        struct err e = ERR_INIT;
        struct ddl_statement stmt = {.sql = version->text, .len = version->len};
        arena_init(&arena, 4096, 0, 0);
        assert_int_equal(create_table_parse(&def, &stmt, NULL, &arena, &e), 0);
        buf_printf(out, "%s.%s(", table.db, table.table);
        for (unsigned c = 0; c < def.column_count; c++)
            buf_printf(out, "%s%s", c ? "," : "", def.columns[c].name.p);
        buf_byte(out, ')');
        arena_release(&arena);
    }
    buf_byte(out, 0);
}

static void read_file(struct buf *b, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, SLUICE_TEST_DATA "/sql/%s", name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    buf_init(b, 0);
    for (size_t n = 1; n;) {
        uint8_t *p = buf_room(b, 65536);
        n = fread(p, 1, 65536, file);
        b->len += n;
    }
    fclose(file);
}

static void import__dumps_of_both_servers__tables_are_known_and_views_are_not(void **state)
{
#define SHOP "shop.größe(id,parent) shop.orders(id,na;me,state,total)"
    static const struct {
        const char *file, *known;
        size_t tables;
    } rows[] = {
        {"mysql_all.sql", "shop=utf8mb4 utf8mb4_0900_ai_ci " SHOP " other`s=latin1  other`s.t(a,b)", 3},
        {"mysql_one.sql", SHOP, 2},
        {"mariadb_all.sql", "shop=utf8mb4 utf8mb4_general_ci " SHOP " other`s=latin1 latin1_swedish_ci other`s.t(a,b)",
         3},
        {"mariadb_one.sql", SHOP, 2},
        {"mariadb_ansi.sql", SHOP, 2},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct err e = ERR_INIT;
        struct history *history;
        struct schema_imported done;
        struct buf sql, known;
        read_file(&sql, rows[i].file);
        buf_init(&known, 0);
        assert_int_equal(history_open(&history, NULL, NULL, &e), 0);
        if (import_text(history, (const char *)sql.p, sql.len, NULL, &everywhere, &done, &e) != 0)
            fail_msg("%s: %s", rows[i].file, e.text);
        print_history(&known, history);
        assert_string_equal((const char *)known.p, rows[i].known);
        assert_int_equal(done.tables, rows[i].tables);
        assert_int_equal(done.unknown, 0);
        history_free(history);
        buf_release(&known);
        buf_release(&sql);
    }
}

static void import__file_of_a_person__counts_as_it_is_at_its_end(void **state)
{
    static const struct {
        const char *sql, *only, *known;
        size_t unknown;
    } rows[] = {
        {"USE shop; CREATE TABLE t (a INT, b INT); ALTER TABLE t DROP a, ADD c INT FIRST", NULL, "shop.t(c,b)", 0},
        {"use shop\nCREATE TABLE t (a INT); RENAME TABLE t TO u; CREATE TABLE t LIKE u;", NULL, "shop.t(a) shop.u(a)",
         0},
        {"CREATE TABLE shop.t (a INT); DROP TABLE shop.t; CREATE TABLE shop.u (b INT)", NULL, "shop.u(b)", 0},
        {"CREATE TABLE shop.t (a INT); INSERT INTO shop.t VALUES (1), (';');", NULL, "shop.t(a)", 0},
        {"CREATE TABLE shop.t (a INT); CREATE TABLE shop.u (b INT);", "u", "shop.u(b)", 0},
        {"CREATE TABLE shop.t (a INT); CREATE TABLE shop.u LIKE shop.unknown;", NULL, "shop.t(a)", 1},
        {"CREATE TABLE shop.t (a INT); CREATE TABLE shop.t (WHAT IS THIS)", "u", "", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct err e = ERR_INIT;
        struct history *history;
        struct schema_imported done;
        struct buf known;
        buf_init(&known, 0);
        assert_int_equal(history_open(&history, NULL, NULL, &e), 0);
        int rc = import_text(history, rows[i].sql, strlen(rows[i].sql), rows[i].only, &everywhere, &done, &e);
        assert_int_equal(rc == 0, rows[i].known[0] != '\0');
        print_history(&known, history);
        assert_string_equal((const char *)known.p, rows[i].known);
        if (rc == 0)
            assert_int_equal(done.unknown, rows[i].unknown);
        history_free(history);
        buf_release(&known);
    }
}

static void import__file_that_cannot_be_read__changes_nothing_and_is_named_with_its_line(void **state)
{
    static const struct {
        const char *sql, *text;
        int code;
    } rows[] = {
        {"", "x.sql line 1: no definition of a wanted table is in the file", ERR_SQL_FILE},
        {"CREATE TABLE shop.t (a INT);\n'", "x.sql line 2: a quote or comment does not end", ERR_SQL_FILE},
        {"CREATE TABLE shop.t (a INT);\n\nCREATE TABLE shop.u (a INT WHAT);", "x.sql line 3: ", ERR_DDL_UNKNOWN},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct err e = ERR_INIT;
        struct history *history;
        struct history_table table;
        struct schema_imported done;
        assert_int_equal(history_open(&history, NULL, NULL, &e), 0);
        assert_int_equal(import_text(history, rows[i].sql, strlen(rows[i].sql), NULL, &everywhere, &done, &e),
                         -rows[i].code);
        assert_memory_equal(e.text, rows[i].text, strlen(rows[i].text));
        assert_false(history_table(history, 0, &table));
        history_free(history);
    }
}

static void import__at_a_place__holds_from_there_and_stands_for_the_statement_there(void **state)
{
    static const char sql[] = "CREATE TABLE shop.t (a INT)";
    const struct history_where place = {.server_uuid = "s", .at = {"bin.000002", 100}};
    struct history_where where = place;
    struct err e = ERR_INIT;
    struct history *history;
    struct schema_imported done;
    (void)state;
    assert_int_equal(history_open(&history, NULL, NULL, &e), 0);
    assert_int_equal(import_text(history, sql, sizeof sql - 1, NULL, &place, &done, &e), 0);
    assert_non_null(history_find(history, "shop", "t", &where));
    assert_true(history_covers(history, "shop", "t", &where));
    where.at.pos = 99;
    assert_null(history_find(history, "shop", "t", &where));
    history_free(history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(import__dumps_of_both_servers__tables_are_known_and_views_are_not),
        cmocka_unit_test(import__file_of_a_person__counts_as_it_is_at_its_end),
        cmocka_unit_test(import__file_that_cannot_be_read__changes_nothing_and_is_named_with_its_line),
        cmocka_unit_test(import__at_a_place__holds_from_there_and_stands_for_the_statement_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
