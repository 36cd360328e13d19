/* Hand-written CREATE TABLE: what is made of a statement is what the server that accepted it then printed
 * (tests/golden/create_table/<server>_written.txt, made by collect_written.py there). SLUICE_WRITTEN=mariadb:FILE or
 * mysql:FILE judges another collection. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "schema/create_table.h"

#define FILE_MAX ((size_t)256 << 20)

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    size_t size = (size_t)ftell(file);
    assert_true(size < FILE_MAX);
    rewind(file);
    char *text = malloc(size + 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, size, file), size);
    text[size] = '\0';
    fclose(file);
    return text;
}

static struct ddl_statement statement(enum flavor flavor, uint64_t mode, const char *sql, size_t len)
{
    return (struct ddl_statement){.sql = sql,
                                  .len = len,
                                  .db = "d",
                                  .db_len = 1,
                                  .mode = {.flavor = flavor,
                                           .server_version = flavor == FLAVOR_MYSQL ? 90704 : 101119,
                                           .sql_mode = mode,
                                           .charset = CHARSET_UTF8}};
}

static void print(const char *what, const struct create_table *def, struct buf *out)
{
    buf_text(out, what);
    if (def->name.table)
        (void)create_table_print(def, out, NULL);
}

struct sample {
    unsigned long long mode;
    char charset[64], collation[64];
    int explicit_timestamps;
    const char *sql, *shown;
    size_t sql_len, shown_len;
};

/* One block; the text behind it. */
static const char *take_sample(const char *p, struct sample *out)
{
    assert_int_equal(
        sscanf(p, "%llu %63s %63s %d\n", &out->mode, out->charset, out->collation, &out->explicit_timestamps), 4);
    out->sql = strchr(p, '\n') + 1;
    const char *middle = strstr(out->sql, "\n=\n"), *end = strstr(middle, "\n\n");
    out->sql_len = (size_t)(middle - out->sql);
    out->shown = middle + 3;
    out->shown_len = end ? (size_t)(end - out->shown) : strlen(out->shown);
    return end ? end + 2 : out->shown + out->shown_len;
}

/* False, with both in `out`, when they differ. */
static bool judge(enum flavor flavor, const struct sample *s, struct buf *out)
{
    struct create_context ctx = {.charset = {s->charset, strlen(s->charset)},
                                 .collation = {s->collation, strlen(s->collation)},
                                 .explicit_timestamps = s->explicit_timestamps != 0};
    struct ddl_statement written = statement(flavor, s->mode, s->sql, s->sql_len);
    struct ddl_statement shown = statement(flavor, 0, s->shown, s->shown_len);
    struct create_table found = {0}, expected = {0}, again = {0};
    struct arena arena;
    struct err e = ERR_INIT;
    struct buf text;
    arena_init(&arena, 65536, 0, 0);
    buf_init(&text, 0);
    bool ok = create_table_parse(&found, &written, &ctx, &arena, &e) == 0 &&
              create_table_parse(&expected, &shown, NULL, &arena, &e) == 0 && create_table_equal(&found, &expected);
    if (ok) {
        assert_int_equal(create_table_print(&found, &text, NULL), 0);
        struct ddl_statement printed = statement(FLAVOR_MYSQL, 0, (const char *)text.p, text.len);
        ok = create_table_parse(&again, &printed, NULL, &arena, &e) == 0 && create_table_equal(&found, &again);
    }
    if (!ok) {
        buf_printf(out, "\n%llu %s %s explicit=%d %s\n%.*s", s->mode, s->charset, s->collation, s->explicit_timestamps,
                   e.text, (int)s->sql_len, s->sql);
        print("\nfound: ", &found, out);
        print("\nexpected: ", &expected, out);
        buf_byte(out, '\n');
    }
    buf_release(&text);
    arena_release(&arena);
    return ok;
}

static void check_collection(enum flavor flavor, const char *path, unsigned least)
{
    char *text = read_file(path);
    unsigned wrong = 0, count = 0;
    struct buf out;
    buf_init(&out, 0);
    for (const char *p = text; *p; count++) {
        struct sample sample;
        p = take_sample(p, &sample);
        wrong += !judge(flavor, &sample, &out);
    }
    buf_byte(&out, 0);
    if (wrong)
        fprintf(stderr, "%s", (const char *)out.p);
    print_message("%u statements, %u wrong\n", count, wrong);
    buf_release(&out);
    free(text);
    assert_int_equal(wrong, 0);
    assert_true(count >= least);
}

static void check_golden(enum flavor flavor, const char *kind)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/create_table/%s_written.txt", SLUICE_TEST_DATA, kind);
    check_collection(flavor, path, 700);
}

static void create_written__what_mariadb_accepted__as_it_then_prints_it(void **state)
{
    (void)state;
    check_golden(FLAVOR_MARIADB, "mariadb");
}

static void create_written__what_mysql_accepted__as_it_then_prints_it(void **state)
{
    (void)state;
    check_golden(FLAVOR_MYSQL, "mysql");
}

static void create_written__another_collection__likewise(void **state)
{
    (void)state;
    const char *named = getenv("SLUICE_WRITTEN"), *colon = named ? strchr(named, ':') : NULL;
    if (!colon)
        skip();
    check_collection(strncmp(named, "mysql:", 6) == 0 ? FLAVOR_MYSQL : FLAVOR_MARIADB, colon + 1, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(create_written__what_mariadb_accepted__as_it_then_prints_it),
        cmocka_unit_test(create_written__what_mysql_accepted__as_it_then_prints_it),
        cmocka_unit_test(create_written__another_collection__likewise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
