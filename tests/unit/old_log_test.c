/* Logs of servers that do not run here (tests/golden/binlog/old, written by old.py there), to JSON lines.
 * SLUICE_UPDATE_GOLDEN=1 writes the expected lines anew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "binlog/source_file.h"
#include "change/format_sluice.h"
#include "tools/bytes_env.h"

#define FILE_MAX 65536

/* NUL-terminated; NULL when there is none. The caller frees. */
static char *load(const char *name, const char *suffix, size_t *len)
{
    char path[512];
    snprintf(path, sizeof path, "%s/binlog/old/%s.%s", SLUICE_TEST_DATA, name, suffix);
    FILE *in = fopen(path, "rb");
    if (!in)
        return NULL;
    char *bytes = calloc(1, FILE_MAX + 1);
    assert_non_null(bytes);
    *len = fread(bytes, 1, FILE_MAX, in);
    fclose(in);
    return bytes;
}

static bool wants(void *ctx, const char *db, const char *table)
{
    (void)ctx;
    (void)table;
    return strcmp(db, "shop") == 0;
}

static int read_definition(void *ctx, const char *db, const char *table, struct buf *sql, struct schema_reading *out,
                           struct err *e)
{
    (void)db;
    (void)table;
    (void)out;
    (void)e;
    buf_text(sql, (const char *)ctx);
    return 1;
}

/* The rows of one event, each as the line that `dump` prints, but for key and version, which come from elsewhere. */
static int print_rows(const struct rowset *rs, const struct tx *tx, struct buf *out, struct err *e)
{
    struct row_iter it = {.p = rs->rows};
    struct row_view view;
    struct arena arena;
    int rc;
    arena_init(&arena, 4096, 0, 0);
    while ((rc = rowset_next_row(rs, &it, &view, NULL, NULL, NULL, e)) == 1) {
        const struct change chg = {
            .op = rs->op,
            .shape = rs->shape,
            .tx = tx,
            .version = {.row = version_row(rs->event_ordinal, view.row_in_event, 0)},
            .pos = rs->event_pos,
            .key = "",
            .before = view.before,
            .after = view.after,
            .query = rs->query,
            .db = rs->shape->tbl->db,
            .table = rs->shape->tbl->name,
        };
        rc = format_sluice(&chg, out, &arena, e);
        if (rc != 0)
            break;
    }
    arena_release(&arena);
    return rc;
}

static int read_all(struct source *src, struct buf *out, struct err *e)
{
    const struct start from = {.kind = START_EARLIEST};
    struct position at;
    struct rowset rs = {.kind = ROWSET_NOTE};
    struct tx tx = {0};
    char file[FILEPOS_FILE_MAX + 1] = "";
    position_init(&at);
    int rc = src->ops->open(src, &from, &at, e);
    while (rc == 0 && rs.kind != ROWSET_EOF) {
        rc = src->ops->next(src, &rs, e);
        if (rc == 0 && rs.kind == ROWSET_BEGIN) {
            tx = rs.tx;
            snprintf(file, sizeof file, "%s", rs.tx.file);
            tx.file = file;
        }
        if (rc == 0 && rs.kind == ROWSET_ROWS)
            rc = print_rows(&rs, &tx, out, e);
        else if (rc == 0 && rs.kind == ROWSET_NOTE)
            buf_printf(out, "NOTE %s\n", rs.note.text);
    }
    position_release(&at);
    return rc;
}

static void play(const char *name, struct buf *out)
{
    size_t len = 0, unused;
    char *bytes = load(name, "binlog", &len), *definition = load(name, "sql", &unused);
    assert_non_null(bytes);
    struct bytes_env files = {.files = {{"/x/bin.000001", (const uint8_t *)bytes, len}}};
    struct env env = bytes_env(&files);
    struct err e = ERR_INIT;
    struct schema *schema;
    struct source *src;
    const char *path = "/x/bin.000001";
    const struct interest interest = {.wants = wants};
    const struct schema_reader reader = {.ctx = definition, .read = read_definition};
    assert_int_equal(schema_new(&schema, definition ? &reader : NULL, &e), 0);
    const struct source_file_options opt = {
        .env = &env,
        .paths = &path,
        .path_count = 1,
        .reader = {.interest = &interest, .schema = schema, .on_statement = ON_STATEMENT_WARN, .query_max_bytes = 100},
    };
    assert_int_equal(source_file_new(&src, &opt, &e), 0);
    if (read_all(src, out, &e) != 0)
        buf_printf(out, "ERROR %s: %s\n", err_code_name(e.code), e.text);
    buf_byte(out, 0);
    src->ops->close(src);
    schema_free(schema);
    free(definition);
    free(bytes);
}

static void compare(const char *name)
{
    char path[512];
    struct buf out;
    buf_init(&out, 0);
    play(name, &out);
    snprintf(path, sizeof path, "%s/binlog/old/%s.jsonl", SLUICE_TEST_DATA, name);
    if (getenv("SLUICE_UPDATE_GOLDEN")) {
        FILE *file = fopen(path, "wb");
        assert_non_null(file);
        fwrite(out.p, 1, out.len - 1, file);
        fclose(file);
    }
    size_t len;
    char *want = load(name, "jsonl", &len);
    if (!want || strcmp(want, (const char *)out.p) != 0)
        fail_msg("%s: got\n%s\nwant\n%s", name, (const char *)out.p, want ? want : "nothing");
    free(want);
    buf_release(&out);
}

static void old_log__of_each_server__gives_the_golden_lines(void **state)
{
    (void)state;
    static const char *const names[] = {"mysql40", "mysql50", "mysql51_small_ids", "mysql51", "mysql51_pre_ga",
                                        "mysql55", "mysql56", "mysql57",           "mysql80", "mariadb102"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        compare(names[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(old_log__of_each_server__gives_the_golden_lines),
    };
    return cmocka_run_group_tests_name("old_log", tests, NULL, NULL);
}
