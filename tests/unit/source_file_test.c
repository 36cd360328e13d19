/* The file source on logs of real servers (tests/golden/binlog, made by make.py there) and on damaged copies.
 * SLUICE_UPDATE_GOLDEN=1 writes the expected output anew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <stdio.h>

#include "binlog/source_file.h"
#include "tools/bytes_env.h"
#include "tools/event_builder.h"
#include "tools/rowset_text.h"

static const char *const golden[] = {
    "mariadb/ddl",
    "mariadb/rows",
    "mariadb/transactions",
    "mariadb/alter",
    "mariadb/statement",
    "mariadb/myisam",
    "mariadb/replace",
    "mariadb/minimal",
    "mariadb/no_log",
    "mariadb/compressed",
    "mariadb/xa",
    "mariadb/nochecksum",
    "mysql/ddl",
    "mysql/rows",
    "mysql/transactions",
    "mysql/alter",
    "mysql/statement",
    "mysql/myisam",
    "mysql/tagged",
    "mysql/minimal",
    "mysql/payload",
    "mysql/xa",
    "mysql/nochecksum",
    "mariadb/queries",
    "mariadb/two_phase",
    "mariadb/relay",
    "mariadb/relay_next",
    "mariadb/opt_full_crc32",
    "mariadb/opt_full_none",
    "mariadb/opt_minimal_crc32",
    "mariadb/opt_minimal_none",
    "mariadb/opt_no_log_crc32",
    "mariadb/opt_no_log_none",
    "mysql/queries",
    "mysql/relay",
    "mysql/relay_next",
    "mysql/opt_full_crc32",
    "mysql/opt_full_none",
    "mysql/opt_minimal_crc32",
    "mysql/opt_minimal_none",
};
#define GOLDEN_COUNT (sizeof golden / sizeof golden[0])

static uint8_t *load(const char *name, const char *suffix, size_t *len)
{
    char path[512];
    snprintf(path, sizeof path, "%s/binlog/%s.%s", SLUICE_TEST_DATA, name, suffix);
    FILE *in = fopen(path, "rb");
    if (!in)
        fail_msg("cannot open %s", path);
    uint8_t *bytes = malloc(1 << 20);
    assert_non_null(bytes);
    *len = fread(bytes, 1, 1 << 20, in);
    fclose(in);
    return bytes;
}

static bool wants(void *ctx, const char *db, const char *table)
{
    (void)ctx;
    (void)table;
    return strcmp(db, "shop") == 0;
}

static const struct interest interest = {.wants = wants};

struct run {
    struct bytes_env files;
    const char *paths[BYTES_FILES_MAX];
    size_t path_count;
    const char *from, *to;
    bool skip_checksums;
    const char *definition; /* what a server says of every table */
    uint64_t max_event_bytes;
    size_t query_max_bytes;
    enum err_code code; /* what came out */
    struct buf text;
    struct position started;
};

static void add_file(struct run *run, const char *path, const uint8_t *bytes, size_t len)
{
    run->files.files[run->path_count] = (struct bytes_file){path, bytes, len};
    run->paths[run->path_count++] = path;
}

static int read_definition(void *ctx, const char *db, const char *table, struct buf *sql, struct schema_reading *out,
                           struct err *e)
{
    const struct run *run = ctx;
    (void)db;
    (void)table;
    (void)out;
    (void)e;
    buf_text(sql, run->definition);
    return 1;
}

static int read_all(struct source *src, struct run *run, const struct start *from, struct err *e)
{
    struct rowset rs = {.kind = ROWSET_NOTE};
    int rc = src->ops->open(src, from, &run->started, e);
    while (rc == 0 && rs.kind != ROWSET_EOF) {
        rc = src->ops->next(src, &rs, e);
        if (rc == 0)
            rowset_text(&rs, &run->text);
    }
    return rc;
}

/* Reads to the end or an error; the output, with the error as its last line, is run->text. */
static void play(struct run *run)
{
    struct env env = bytes_env(&run->files);
    struct err e = ERR_INIT;
    struct schema *schema;
    struct source *src;
    struct start from = {.kind = START_EARLIEST}, to = {.kind = START_CURRENT};
    position_init(&run->started);
    if (run->from)
        assert_int_equal(start_parse(&from, run->from, &e), 0);
    if (run->to)
        assert_int_equal(start_parse(&to, run->to, &e), 0);
    const struct schema_reader reader = {.ctx = run, .read = read_definition};
    assert_int_equal(schema_new(&schema, run->definition ? &reader : NULL, &e), 0);
    struct source_file_options opt = {.env = &env, .paths = run->paths, .path_count = run->path_count, .to = &to};
    opt.reader = (struct log_reader_options){.interest = &interest,
                                             .schema = schema,
                                             .on_statement = ON_STATEMENT_WARN,
                                             .max_event_bytes = run->max_event_bytes,
                                             .query_max_bytes = run->query_max_bytes,
                                             .skip_checksums = run->skip_checksums};
    buf_init(&run->text, 0);
    int rc = source_file_new(&src, &opt, &e);
    if (rc == 0) {
        rc = read_all(src, run, &from, &e);
        src->ops->close(src);
    }
    assert_int_equal(rc, -(int)e.code);
    run->code = e.code;
    if (rc != 0)
        buf_printf(&run->text, "ERROR %s: %s\n", err_code_name(e.code), e.text);
    buf_byte(&run->text, 0);
    schema_free(schema);
    if (run->from)
        position_release(&from.pos);
    if (run->to)
        position_release(&to.pos);
    position_release(&run->started);
}

static const char *text_of(const struct run *run)
{
    return (const char *)run->text.p;
}

static void compare_with_golden(const char *name, const struct run *run)
{
    char path[512];
    snprintf(path, sizeof path, "%s/binlog/%s.txt", SLUICE_TEST_DATA, name);
    if (getenv("SLUICE_UPDATE_GOLDEN")) {
        FILE *out = fopen(path, "wb");
        assert_non_null(out);
        fwrite(run->text.p, 1, run->text.len - 1, out);
        fclose(out);
    }
    size_t len;
    uint8_t *want = load(name, "txt", &len);
    if (len != run->text.len - 1 || memcmp(want, run->text.p, len) != 0)
        fail_msg("%s: got\n%s\nwant\n%.*s", name, text_of(run), (int)len, (const char *)want);
    free(want);
}

/* The file beside a log that says what a server would of its one table; NULL when there is none. */
static char *load_definition(const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/binlog/%s.sql", SLUICE_TEST_DATA, name);
    FILE *in = fopen(path, "rb");
    if (!in)
        return NULL;
    char *sql = calloc(1, 4096);
    assert_non_null(sql);
    assert_true(fread(sql, 1, 4095, in) > 0);
    fclose(in);
    return sql;
}

static void source_file__logs_of_real_servers__give_the_golden_rowsets(void **state)
{
    (void)state;
    for (size_t i = 0; i < GOLDEN_COUNT; i++) {
        struct run run = {.query_max_bytes = strstr(golden[i], "queries") ? 1000 : 0};
        size_t len;
        uint8_t *bytes = load(golden[i], "binlog", &len);
        char *definition = load_definition(golden[i]);
        run.definition = definition;
        add_file(&run, "/x/bin.000001", bytes, len);
        play(&run);
        compare_with_golden(golden[i], &run);
        buf_release(&run.text);
        free(definition);
        free(bytes);
    }
}

static void source_file__reads_give_few_bytes__same_rowsets(void **state)
{
    (void)state;
    struct run run = {.files.read_max = 7};
    size_t len;
    uint8_t *bytes = load("mysql/transactions", "binlog", &len);
    add_file(&run, "/x/bin.000001", bytes, len);
    play(&run);
    compare_with_golden("mysql/transactions", &run);
    buf_release(&run.text);
    free(bytes);
}

static bool is_boundary(const uint8_t *bytes, size_t len, size_t cut)
{
    size_t at = EVENT_FILE_MAGIC_LEN;
    while (at < cut && at + 13 <= len) {
        struct cursor cur = cursor_over(bytes + at + 9, 4);
        at += cursor_u32(&cur);
    }
    return at == cut;
}

static void source_file__cut_anywhere__corrupt_or_ends_between_events(void **state)
{
    (void)state;
    static const char *const names[] = {"mariadb/transactions", "mysql/transactions"};
    for (size_t n = 0; n < 2; n++) {
        size_t len;
        uint8_t *bytes = load(names[n], "binlog", &len);
        for (size_t cut = 0; cut < len; cut++) {
            struct run run = {0};
            uint8_t *exact = malloc(cut + 1);
            assert_non_null(exact);
            memcpy(exact, bytes, cut);
            add_file(&run, "/x/bin.000001", exact, cut);
            play(&run);
            bool complete = cut >= EVENT_FILE_MAGIC_LEN && is_boundary(bytes, len, cut);
            if (run.code != (complete ? ERR_NONE : ERR_CORRUPT))
                fail_msg("%s cut at %zu: %s", names[n], cut, text_of(&run));
            if (complete && strstr(text_of(&run), "BEGIN") && !strstr(text_of(&run), "END"))
                assert_non_null(strstr(text_of(&run), "ROLLBACK"));
            if (!complete && cut > EVENT_FILE_MAGIC_LEN)
                assert_non_null(strstr(text_of(&run), "bin.000001:"));
            buf_release(&run.text);
            free(exact);
        }
        free(bytes);
    }
}

static void source_file__one_bit_flipped__seen_by_the_checksum(void **state)
{
    (void)state;
    static const char *const names[] = {"mariadb/rows", "mysql/tagged"};
    for (size_t n = 0; n < 2; n++) {
        size_t len;
        uint8_t *bytes = load(names[n], "binlog", &len);
        for (size_t i = 0; i < len; i++) {
            struct run run = {0};
            uint8_t bit = (uint8_t)(1u << (i % 8));
            if (i == EVENT_FILE_MAGIC_LEN + 17)
                bit = 2; /* bit 0 here is the in-use flag, which no checksum covers */
            bytes[i] ^= bit;
            add_file(&run, "/x/bin.000001", bytes, len);
            play(&run);
            if (run.code == ERR_NONE)
                fail_msg("%s: byte %zu flipped and nothing was seen", names[n], i);
            bytes[i] ^= bit;
            buf_release(&run.text);
        }
        free(bytes);
    }
}

static void source_file__bytes_flipped_without_checksums__error_or_rowsets(void **state)
{
    (void)state;
    uint32_t seed = 1;
    for (size_t n = 0; n < GOLDEN_COUNT; n++) {
        size_t len;
        uint8_t *bytes = load(golden[n], "binlog", &len);
        for (size_t i = EVENT_FILE_MAGIC_LEN + n % 4; i < len; i += 4) {
            struct run run = {.skip_checksums = true};
            seed = seed * 1664525 + 1013904223;
            uint8_t flip = (uint8_t)(seed >> 24 | 1);
            bytes[i] ^= flip;
            add_file(&run, "/x/bin.000001", bytes, len);
            play(&run);
            assert_true(run.text.len > 1);
            bytes[i] ^= flip;
            buf_release(&run.text);
        }
        free(bytes);
    }
}

static void source_file__in_use_flag_and_no_end__noted_as_live_copy(void **state)
{
    (void)state;
    struct event_builder b;
    struct run run = {0};
    event_builder_init(&b, false, true);
    b.log.p[EVENT_FILE_MAGIC_LEN + 17] |= EVENT_FLAG_IN_USE;
    build_gtid(&b, 1);
    build_query(&b, "shop", "BEGIN");
    add_file(&run, "/x/bin.000001", b.log.p, b.log.len);
    play(&run);
    assert_int_equal(run.code, ERR_NONE);
    assert_non_null(strstr(text_of(&run), "ROLLBACK gtid=- end=bin.000001:127\nNOTE none: bin.000001 is a live copy"));
    assert_non_null(strstr(text_of(&run), "\nEOF\n"));
    buf_release(&run.text);
    event_builder_release(&b);
}

static void source_file__log_without_names__named_by_the_definition(void **state)
{
    (void)state;
    static const char *const names[] = {"mariadb/no_log", "mariadb/minimal", "mysql/minimal"};
    for (size_t n = 0; n < 3; n++) {
        struct run run = {.definition = "CREATE TABLE `nokey` (`a` int(11) DEFAULT NULL, `b` int(10) unsigned DEFAULT "
                                        "NULL, `extra` int(11) DEFAULT NULL)"};
        size_t len;
        uint8_t *bytes = load(names[n], "binlog", &len);
        add_file(&run, "/x/bin.000001", bytes, len);
        play(&run);
        if (run.code != ERR_NONE || !strstr(text_of(&run), "{a:5,b:4000000000,extra:5}"))
            fail_msg("%s: %s", names[n], text_of(&run));
        buf_release(&run.text);
        free(bytes);
    }
}

static void source_file__event_larger_than_the_buffer__read_up_to_the_limit(void **state)
{
    (void)state;
    static const struct {
        uint64_t max;
        enum err_code code;
    } cases[] = {{0, ERR_NONE}, {4 << 20, ERR_NONE}, {3 << 20, ERR_CORRUPT}};
    size_t len = 3 << 20;
    char *statement = malloc(len);
    assert_non_null(statement);
    memset(statement, 'x', len);
    for (size_t i = 0; i < 3; i++) {
        struct event_builder b;
        struct run run = {.max_event_bytes = cases[i].max, .files.read_max = 100000};
        event_builder_init(&b, true, true);
        build_gtid(&b, 1);
        build_event(&b, EVENT_ANNOTATE, statement, len);
        build_table_map(&b, 1, "shop", "t");
        build_rows(&b, EVENT_WRITE_ROWS_V1, 1, true, 1, "x");
        build_xid(&b);
        add_file(&run, "/x/bin.000001", b.log.p, b.log.len);
        play(&run);
        assert_int_equal(run.code, cases[i].code);
        assert_true((strstr(text_of(&run), "{a:1,b:\"x\"}") != NULL) == (cases[i].code == ERR_NONE));
        buf_release(&run.text);
        event_builder_release(&b);
    }
    free(statement);
}

static void source_file__not_a_binlog__refused_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
        enum err_code code;
    } cases[] = {
        {"", 0, ERR_CORRUPT},
        {"\xfe"
         "bi",
         3, ERR_CORRUPT},
        {"hello", 5, ERR_CORRUPT},
        {"\xfd"
         "bin1234",
         8, ERR_FILE_ENCRYPTED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct run run = {0};
        add_file(&run, "/x/bin.000001", (const uint8_t *)cases[i].bytes, cases[i].len);
        play(&run);
        assert_int_equal(run.code, cases[i].code);
        assert_non_null(strstr(text_of(&run), "/x/bin.000001"));
        buf_release(&run.text);
    }
}

static void source_file__read_fails__file_read(void **state)
{
    (void)state;
    size_t len;
    uint8_t *bytes = load("mysql/rows", "binlog", &len);
    struct run run = {.files.read_max = 100, .files.fail_at = 12};
    add_file(&run, "/x/bin.000001", bytes, len);
    play(&run);
    assert_int_equal(run.code, ERR_FILE_READ);
    buf_release(&run.text);
    free(bytes);
}

static void source_file__order_of_files__numbers_must_rise(void **state)
{
    (void)state;
    struct run run = {0};
    add_file(&run, "/x/bin.1000000", (const uint8_t *)"", 0);
    add_file(&run, "/x/bin.999999", (const uint8_t *)"", 0);
    play(&run);
    assert_int_equal(run.code, ERR_USAGE);
    buf_release(&run.text);
}

/* Two files: transactions 1 and 2 in the first (committed in the seconds 100 and 200), 3 in the second (300). */
static void build_two(struct event_builder b[2], struct run *run)
{
    for (unsigned i = 0; i < 2; i++) {
        event_builder_init(&b[i], true, true);
        for (unsigned n = i ? 3 : 1; n < (i ? 4u : 3u); n++) {
            b[i].second = n * 100;
            build_gtid(&b[i], n);
            build_xid(&b[i]);
        }
        if (i == 0)
            build_rotate(&b[i], "bin.000010", 4);
        add_file(run, i ? "/x/bin.000010" : "/x/bin.000009", b[i].log.p, b[i].log.len);
    }
}

static void source_file__bounds__whole_transactions(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *numbers;
    } cases[] = {
        {NULL, NULL, "123"},
        {"bin.000009:127", NULL, "123"},
        {"bin.000009:200", NULL, "23"},
        {"bin.000010:4", NULL, "3"},
        {NULL, "bin.000009:200", "1"},
        {NULL, "bin.000009:150", "1"},
        {NULL, "bin.000010:4", "12"},
        {"0-7-1", NULL, "23"},
        {"0-7-2", "0-7-3", "3"},
        {"1970-01-01T00:03:20Z", NULL, "23"},
        {NULL, "1970-01-01T00:03:20Z", "1"},
        {"1970-01-01T00:03:20Z", "1970-01-01T00:05:00Z", "2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct event_builder b[2];
        struct run run = {.from = cases[i].from, .to = cases[i].to};
        char numbers[8] = "";
        build_two(b, &run);
        play(&run);
        size_t n = 0;
        for (const char *p = text_of(&run); (p = strstr(p, "BEGIN gtid=0-7-")) != NULL && n < 7; p++)
            numbers[n++] = p[15];
        numbers[n] = '\0';
        if (strcmp(numbers, cases[i].numbers) != 0 || run.code != ERR_NONE)
            fail_msg("from %s to %s: %s", cases[i].from ? cases[i].from : "-", cases[i].to ? cases[i].to : "-",
                     text_of(&run));
        buf_release(&run.text);
        event_builder_release(&b[0]);
        event_builder_release(&b[1]);
    }
}

static void source_file__file_left_out__noted(void **state)
{
    (void)state;
    struct event_builder b[2];
    struct run run = {0};
    build_two(b, &run);
    run.paths[1] = run.files.files[1].path = "/x/bin.000011";
    play(&run);
    assert_int_equal(run.code, ERR_NONE);
    assert_non_null(strstr(text_of(&run), "\nNOTE none: the log goes on in bin.000010, which is not given"));
    assert_non_null(strstr(text_of(&run), "BEGIN gtid=0-7-3 at=bin.000011:127"));
    buf_release(&run.text);
    event_builder_release(&b[0]);
    event_builder_release(&b[1]);
}

static void source_file__start_in_another_file__refused(void **state)
{
    (void)state;
    struct event_builder b[2];
    struct run run = {.from = "bin.000011:4"};
    build_two(b, &run);
    play(&run);
    assert_int_equal(run.code, ERR_POSITION_SYNTAX);
    buf_release(&run.text);
    event_builder_release(&b[0]);
    event_builder_release(&b[1]);
}

static void source_file__start_behind_the_end_of_its_file__refused(void **state)
{
    (void)state;
    for (unsigned behind = 0; behind < 2; behind++) {
        struct event_builder b[2];
        char from[40];
        struct run run = {.from = from};
        build_two(b, &run);
        snprintf(from, sizeof from, "bin.000009:%zu", b[0].log.len + behind);
        play(&run);
        assert_int_equal(run.code, behind ? ERR_CORRUPT : ERR_NONE);
        assert_true((strstr(text_of(&run), "before the place") != NULL) == (behind == 1));
        assert_true((strstr(text_of(&run), "BEGIN gtid=0-7-3") != NULL) == (behind == 0));
        buf_release(&run.text);
        event_builder_release(&b[0]);
        event_builder_release(&b[1]);
    }
}

static void source_file__interrupted__next_returns(void **state)
{
    (void)state;
    struct event_builder b;
    struct run run = {0};
    struct err e = ERR_INIT;
    struct source *src;
    struct schema *schema;
    struct rowset rs;
    struct start from = {.kind = START_EARLIEST};
    event_builder_init(&b, true, true);
    build_gtid(&b, 1);
    add_file(&run, "/x/bin.000001", b.log.p, b.log.len);
    struct env env = bytes_env(&run.files);
    position_init(&run.started);
    assert_int_equal(schema_new(&schema, NULL, &e), 0);
    struct source_file_options opt = {.env = &env, .paths = run.paths, .path_count = 1};
    opt.reader = (struct log_reader_options){.interest = &interest, .schema = schema};
    assert_int_equal(source_file_new(&src, &opt, &e), 0);
    assert_int_equal(src->ops->open(src, &from, &run.started, &e), 0);
    src->ops->interrupt(src);
    assert_int_equal(src->ops->next(src, &rs, &e), -ERR_INTERRUPTED);
    src->ops->close(src);
    schema_free(schema);
    position_release(&run.started);
    event_builder_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(source_file__logs_of_real_servers__give_the_golden_rowsets),
        cmocka_unit_test(source_file__reads_give_few_bytes__same_rowsets),
        cmocka_unit_test(source_file__cut_anywhere__corrupt_or_ends_between_events),
        cmocka_unit_test(source_file__one_bit_flipped__seen_by_the_checksum),
        cmocka_unit_test(source_file__bytes_flipped_without_checksums__error_or_rowsets),
        cmocka_unit_test(source_file__in_use_flag_and_no_end__noted_as_live_copy),
        cmocka_unit_test(source_file__log_without_names__named_by_the_definition),
        cmocka_unit_test(source_file__event_larger_than_the_buffer__read_up_to_the_limit),
        cmocka_unit_test(source_file__not_a_binlog__refused_by_name),
        cmocka_unit_test(source_file__read_fails__file_read),
        cmocka_unit_test(source_file__order_of_files__numbers_must_rise),
        cmocka_unit_test(source_file__bounds__whole_transactions),
        cmocka_unit_test(source_file__file_left_out__noted),
        cmocka_unit_test(source_file__start_in_another_file__refused),
        cmocka_unit_test(source_file__start_behind_the_end_of_its_file__refused),
        cmocka_unit_test(source_file__interrupted__next_returns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
