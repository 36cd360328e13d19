/* Opaque SQL in definitions: whatever stood in a statement of any sql_mode, what is kept and printed of it has the same
 * tokens in sql_mode ''. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "schema/create_table.h"

#define ROUNDS     60000
#define PIECES_MAX 9
#define HOMES      (sizeof homes / sizeof homes[0])

static const char *const pieces[] = {
    "a",        "b",
    "1",        ".5",
    "1e3",      "0x1f",
    "-",        "-",
    "+",        "*",
    "/",        "%",
    "(a)",      "f(1)",
    ",",        ".",
    "|",        "&",
    "!",        "=",
    "<",        ">",
    ":",        "@",
    "'x'",      "'it''s'",
    "'a\\'b'",  "'\\\\'",
    "\"q\"",    "\"q\"\"r\"",
    "`n`",      "`n``m`",
    "N'y'",     "_utf8'z'",
    "x'41'",    "b'01'",
    "->",       "->>",
    "||",       "NOT",
    "NULL",     " ",
    " ",        "\n",
    "/**/",     "/* a -- b */",
    "-- c\n",   "# d\n",
    "/*! 2 */", "/*!99999 nothing */",
    "{",        "}",
    "~",        "^",
    "\t",
};

static struct ddl_statement statement(const char *sql, uint64_t sql_mode)
{
    return (struct ddl_statement){.sql = sql,
                                  .len = strlen(sql),
                                  .db = "d",
                                  .db_len = 1,
                                  .mode = {.flavor = FLAVOR_MARIADB, .server_version = 101119, .sql_mode = sql_mode}};
}

/* The tokens as text, one a line: kind, and what it says. */
static void print_tokens(struct buf *out, const struct ddl_statement *stmt, struct arena *arena)
{
    struct ddl_lexer lx;
    struct ddl_token tok;
    ddl_lexer_init(&lx, &stmt->mode, stmt->sql, stmt->len);
    while ((tok = ddl_lexer_next(&lx)).kind != DDL_END && tok.kind != DDL_BAD) {
        size_t len;
        const char *text = ddl_token_text(&tok, &stmt->mode, arena, &len);
        assert_non_null(text);
        buf_printf(out, "%d ", (int)tok.kind);
        buf_add(out, text, len);
        buf_byte(out, '\n');
    }
    buf_byte(out, 0);
}

/* Where an expression stands, and what stands before it when it is printed. */
static const struct {
    const char *before, *behind, *printed;
} homes[] = {
    {"CREATE TABLE `t` (`a` int, `b` int AS (", "))", " AS ("},
    {"CREATE TABLE `t` (`a` int, `b` int DEFAULT (", "))", " DEFAULT ("},
    {"CREATE TABLE `t` (`a` int, KEY `k` ((", ")))", "KEY `k` (("},
};

static void check_expression(const char *expression, uint64_t sql_mode, size_t home, unsigned *compared)
{
    struct arena arena;
    struct buf sql, printed, before, after;
    struct create_table def;
    struct err e = ERR_INIT;
    arena_init(&arena, 4096, 0, 0);
    buf_init(&sql, 0);
    buf_init(&printed, 0);
    buf_init(&before, 0);
    buf_init(&after, 0);
    buf_printf(&sql, "%s%s%s", homes[home].before, expression, homes[home].behind);
    buf_byte(&sql, 0);
    struct ddl_statement stmt = statement((const char *)sql.p, sql_mode);
    if (create_table_parse(&def, &stmt, NULL, &arena, &e) == 0) {
        assert_int_equal(create_table_print(&def, &printed, &e), 0);
        buf_byte(&printed, 0);
        const char *kept = strstr((const char *)printed.p, homes[home].printed);
        assert_non_null(kept);
        stmt = statement(expression, sql_mode);
        print_tokens(&before, &stmt, &arena);
        stmt = statement(kept + strlen(homes[home].printed), 0);
        print_tokens(&after, &stmt, &arena);
        if (strncmp((const char *)after.p, (const char *)before.p, before.len - 1) != 0)
            fail_msg("mode %llu: %s is kept as %s", (unsigned long long)sql_mode, expression, kept);
        (*compared)++;
    }
    err_clear(&e);
    buf_release(&sql);
    buf_release(&printed);
    buf_release(&before);
    buf_release(&after);
    arena_release(&arena);
}

static void create_opaque__random_expressions__printed_with_the_same_tokens(void **state)
{
    (void)state;
    static const uint64_t modes[] = {0, DDL_ANSI_QUOTES, DDL_NO_BACKSLASH_ESCAPES,
                                     DDL_ANSI_QUOTES | DDL_NO_BACKSLASH_ESCAPES};
    unsigned compared = 0;
    uint64_t seed = 20261123;
    for (unsigned i = 0; i < ROUNDS; i++) {
        char text[256] = "a";
        size_t len = 1;
        for (unsigned n = 0; n < PIECES_MAX; n++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            const char *piece = pieces[(seed >> 33) % (sizeof pieces / sizeof pieces[0])];
            memcpy(text + len, piece, strlen(piece) + 1);
            len += strlen(piece);
        }
        check_expression(text, modes[i % 4], i / 4 % HOMES, &compared);
    }
    assert_true(compared > ROUNDS / 10);
}

static void create_opaque__two_minus_signs__no_comment(void **state)
{
    (void)state;
    static const char *const cases[] = {"a--/**/b", "a-- b\n-1", "a- - b", "a-/**/-/**/-b", "-/* x */-a"};
    unsigned compared = 0;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0] * HOMES; i++)
        check_expression(cases[i / HOMES], 0, i % HOMES, &compared);
    assert_int_equal(compared, sizeof cases / sizeof cases[0] * HOMES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(create_opaque__random_expressions__printed_with_the_same_tokens),
        cmocka_unit_test(create_opaque__two_minus_signs__no_comment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
