/* Random ALTER statements as real servers executed them (tests/golden/alter_table, made by collect.py there), applied
 * to the definition before them. */
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

struct golden {
    enum flavor flavor;
    uint64_t sql_mode;
    struct create_context ctx;
    char charset[64], collation[64];
    struct arena arena;
    struct create_table now;
    const char *since; /* the first statement behind the last definition */
    bool lost;         /* a statement was refused: up to the next definition */
    unsigned statements, failures;
};

/* All differences are found, the first ones are shown. */
#define SHOWN 10
static bool failed(struct golden *g)
{
    return ++g->failures <= SHOWN;
}

static void unescape(char *text)
{
    char *out = text;
    for (; *text; text++)
        if (*text == '\\') {
            text++;
            *out++ = *text == 'n' ? '\n' : *text;
        } else
            *out++ = *text;
    *out = '\0';
}

static void set_session(struct golden *g, const char *line)
{
    char mode[128];
    int explicit;
    assert_int_equal(sscanf(line, "%127s %d %63s %63s", mode, &explicit, g->charset, g->collation), 4);
    g->sql_mode = (strstr(mode, "ANSI_QUOTES") ? DDL_ANSI_QUOTES : 0) |
                  (strstr(mode, "NO_BACKSLASH") ? DDL_NO_BACKSLASH_ESCAPES : 0);
    g->ctx = (struct create_context){.charset = {g->charset, strlen(g->charset)},
                                     .collation = {g->collation, strlen(g->collation)},
                                     .explicit_timestamps = explicit};
}

static void begin_table(struct golden *g, const char *sql)
{
    struct err e = ERR_INIT;
    struct ddl_statement stmt = statement(g->flavor, sql, strlen(sql), 0);
    arena_reset(&g->arena);
    g->since = NULL;
    g->lost = false;
    if (create_table_parse(&g->now, &stmt, NULL, &g->arena, &e) != 0)
        fail_msg("%s: %s", e.text, sql);
}

static void alter(struct golden *g, const char *sql)
{
    struct err e = ERR_INIT;
    struct ddl_statement stmt = statement(g->flavor, sql, strlen(sql), g->sql_mode);
    struct create_table after;
    g->since = g->since ? g->since : sql;
    g->statements++;
    if (g->lost)
        return;
    if (alter_table_apply(&after, &g->now, &stmt, &g->ctx, &g->arena, &e) == 0) {
        g->now = after;
        return;
    }
    g->lost = true;
    if (failed(g))
        print_error("%s: %s\n", e.text, sql);
}

static void print(struct buf *b, const struct create_table *def)
{
    buf_init(b, 0);
    assert_int_equal(create_table_print(def, b, NULL), 0);
}

/* What the server has must be what we have; and goes on from there. */
static void check_table(struct golden *g, const char *sql)
{
    struct err e = ERR_INIT;
    struct ddl_statement stmt = statement(g->flavor, sql, strlen(sql), 0);
    struct create_table found;
    if (create_table_parse(&found, &stmt, NULL, &g->arena, &e) != 0)
        fail_msg("%s: %s", e.text, sql);
    if (!g->lost && !create_table_equal(&g->now, &found) && failed(g)) {
        struct buf ours, theirs;
        print(&ours, &g->now);
        print(&theirs, &found);
        print_error("behind: %s\nwe have:\n%.*s\nthe server has:\n%.*s\n%s\n\n", g->since, (int)ours.len,
                    (char *)ours.p, (int)theirs.len, (char *)theirs.p, sql);
        buf_release(&ours);
        buf_release(&theirs);
    }
    g->lost = false;
    g->now = found;
    g->since = NULL;
}

static char *read_golden(const char *name)
{
    char path[4096];
    const char *other = getenv("SLUICE_ALTER_GOLDEN"); /* a larger one that collect.py made */
    snprintf(path, sizeof path, "%s/%s.txt", other ? other : SLUICE_TEST_DATA "/alter_table", name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    size_t size = (size_t)ftell(file);
    rewind(file);
    char *text = malloc(size + 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, size, file), size);
    text[size] = '\0';
    fclose(file);
    return text;
}

static void check_golden(enum flavor flavor, const char *name, unsigned least)
{
    struct golden g = {.flavor = flavor};
    char *text = read_golden(name), *rest = text;
    arena_init(&g.arena, 1 << 16, 1 << 20, 0);
    while (*rest) {
        char *line = rest, *end = strchr(rest, '\n');
        rest = end + 1;
        *end = '\0';
        unescape(line + 2);
        if (*line == 'T')
            set_session(&g, line + 2);
        else if (*line == 'B')
            begin_table(&g, line + 2);
        else if (*line == 'S')
            alter(&g, line + 2);
        else
            check_table(&g, line + 2);
    }
    arena_release(&g.arena);
    free(text);
    if (g.failures)
        fail_msg("%u of %u statements", g.failures, g.statements);
    assert_true(g.statements >= least);
}

static void alter_golden__random_statements_of_mariadb__what_it_prints(void **state)
{
    (void)state;
    check_golden(FLAVOR_MARIADB, "mariadb", 350);
}

static void alter_golden__random_statements_of_mysql__what_it_prints(void **state)
{
    (void)state;
    check_golden(FLAVOR_MYSQL, "mysql", 350);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alter_golden__random_statements_of_mariadb__what_it_prints),
        cmocka_unit_test(alter_golden__random_statements_of_mysql__what_it_prints),
    };
    return cmocka_run_group_tests_name("alter_golden", tests, NULL, NULL);
}
