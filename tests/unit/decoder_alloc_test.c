/* Each allocation of the decoders fails once: the error is NO_MEMORY, nothing leaks (the sanitizer's build tells), and
 * with memory the result is as before. Over the golden binlogs, the seeds of the value fuzzer, and GTID sets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <glob.h>
#include <string.h>

#include "binlog/log_reader.h"
#include "tools/alloc_fault.h"

#define FILE_MAX    65536
#define COLUMNS_MAX 256

static uint8_t file[FILE_MAX];

static size_t load(const char *path)
{
    FILE *in = fopen(path, "rb");
    assert_non_null(in);
    size_t len = fread(file, 1, sizeof file, in);
    assert_int_equal(fclose(in), 0);
    return len;
}

/* Runs `once` over each file of a pattern with the first, second, … allocation failing, until none is met. */
static void each_file(const char *pattern, int (*once)(const uint8_t *bytes, size_t len))
{
    glob_t found;
    size_t read = 0;
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        size_t len = load(found.gl_pathv[i]);
        int expected = once(file, len), rc;
        bool met = true;
        read += expected == 0;
        for (unsigned n = 1; met; n++) {
            alloc_fault_arm(n);
            rc = once(file, len);
            met = alloc_fault_met();
            alloc_fault_arm(0);
            if (rc != expected && !(met && rc == -(int)ERR_NO_MEMORY))
                fail_msg("%s: allocation %u: %d instead of %d", found.gl_pathv[i], n, rc, expected);
        }
    }
    assert_true(read > found.gl_pathc / 2);
    globfree(&found);
}

static bool wants_all(void *ctx, const char *db, const char *table)
{
    (void)ctx;
    (void)db;
    (void)table;
    return true;
}

static int decode_rows(const struct rowset *rs, struct err *e)
{
    struct row_iter it = {0};
    struct row_view row;
    struct value values[COLUMNS_MAX];
    struct arena arena;
    int rc = 1;
    assert_true(rs->shape->tbl->column_count <= COLUMNS_MAX);
    arena_init(&arena, 4096, 0, 0);
    while (rc == 1 && (rc = rowset_next_row(rs, &it, &row, NULL, NULL, NULL, e)) == 1) {
        int read =
            row.before.bytes ? rs->shape->codec->values(rs->shape, &row.before, NULL, NULL, values, &arena, e) : 0;
        if (read == 0 && row.after.bytes)
            read = rs->shape->codec->values(rs->shape, &row.after, &row.before, NULL, values, &arena, e);
        rc = read == 0 ? 1 : read;
    }
    arena_release(&arena);
    return rc;
}

static int feed_all(struct log_reader *reader, const uint8_t *bytes, size_t len)
{
    struct rowset rs;
    struct err e = ERR_INIT;
    int rc = 0;
    for (size_t at = EVENT_FILE_MAGIC_LEN; rc >= 0 && at + EVENT_HEADER_LEN <= len;) {
        struct cursor cur = cursor_over(bytes + at + 9, 4);
        size_t whole = cursor_u32(&cur);
        if (whole > len - at)
            break;
        rc = log_reader_feed(reader, bytes + at, whole, &rs, &e);
        bool again = rc == LOG_READER_AGAIN || rc == LOG_READER_MORE;
        bool rows = rc == LOG_READER_ROWSET || rc == LOG_READER_AGAIN;
        if (rows && rs.kind == ROWSET_ROWS)
            rc = decode_rows(&rs, &e);
        at += again ? 0 : whole;
    }
    return rc < 0 ? -(int)e.code : 0;
}

static int read_log(const uint8_t *bytes, size_t len)
{
    const struct interest interest = {.wants = wants_all};
    struct schema *schema = NULL;
    struct log_reader *reader = NULL;
    struct position start;
    struct err e = ERR_INIT;
    int rc = schema_new(&schema, NULL, &e);
    if (rc != 0)
        return rc;
    struct log_reader_options opt = {
        .interest = &interest, .schema = schema, .whole_files = true, .on_statement = ON_STATEMENT_WARN};
    position_init(&start);
    start.at.pos = EVENT_FILE_MAGIC_LEN;
    rc = log_reader_new(&reader, &opt, &e);
    if (rc == 0) {
        rc = log_reader_start(reader, &start, &e);
        if (rc == 0)
            rc = feed_all(reader, bytes, len);
        log_reader_free(reader);
    }
    schema_free(schema);
    return rc;
}

static void log_reader__each_allocation_fails__no_memory(void **state)
{
    (void)state;
    each_file(SLUICE_TEST_DATA "/binlog/*/*.binlog", read_log);
}

/* The layout of tests/fuzz/value_fuzz.c. */
static int read_value(const uint8_t *bytes, size_t len)
{
    static const char *const declared[] = {"uuid", "inet6", "inet4", "vector"};
    struct cursor metadata = cursor_over(bytes + 1, 2);
    struct coltype type;
    struct value v;
    struct err e = ERR_INIT;
    if (len < 7 || coltype_init(&type, bytes[0], &metadata, NULL) != 0)
        return 1;
    type.collation = (uint16_t)(bytes[4] | bytes[5] << 8);
    type.charset = (uint8_t)charset_of_collation(type.collation, NULL);
    if (!(bytes[6] & 1) && !coltype_declare(&type, declared[bytes[6] >> 1 & 3], bytes[6] >> 3))
        return 1;
    size_t size = value_size(&type, bytes + 7, bytes + len);
    if (size == SIZE_MAX)
        return 1;
    struct arena arena;
    arena_init(&arena, 64, 0, 0);
    int rc = value_read(&type, bytes + 7, size, &v, &arena, &e);
    if (rc == 0) {
        struct buf text;
        buf_init(&text, 0);
        value_json(&v, &text);
        if (text.failed)
            rc = -(int)ERR_NO_MEMORY;
        buf_release(&text);
    }
    arena_release(&arena);
    return rc;
}

static void value__each_allocation_fails__no_memory(void **state)
{
    (void)state;
    each_file(SLUICE_SOURCE_DIR "/tests/fuzz/corpus/value/*", read_value);
}

#define UUID_A "3e11fa47-71ca-11e1-9e33-c80aa9429562"
#define UUID_B "4e11fa47-71ca-11e1-9e33-c80aa9429562"

typedef int change_fn(struct gtid_set *set, const struct gtid_set *other, struct err *e);

/* One try: 0 when it worked; a set that could not be changed is as it was. */
static int change_once(enum flavor flavor, const char *text, const char *other, change_fn *change)
{
    struct gtid_set *a = NULL, *b = NULL, *before = NULL;
    struct err e = ERR_INIT;
    int rc = gtid_set_parse(&a, flavor, text, strlen(text), &e);
    if (rc == 0)
        rc = gtid_set_parse(&b, flavor, other, strlen(other), &e);
    if (rc == 0 && !(before = gtid_set_copy(a)))
        rc = -(int)ERR_NO_MEMORY;
    if (rc == 0)
        rc = change(a, b, &e);
    if (rc != 0 && before && flavor == FLAVOR_MYSQL)
        assert_true(gtid_set_equal(a, before));
    gtid_set_free(a);
    gtid_set_free(b);
    gtid_set_free(before);
    return rc;
}

static void gtid_set__each_allocation_fails__no_memory_and_unchanged(void **state)
{
    (void)state;
    static const struct {
        enum flavor flavor;
        const char *a, *b;
    } rows[] = {
        {FLAVOR_MYSQL, UUID_B ":5:1-3:t:7," UUID_A ":9:4-6," UUID_B ":20", UUID_A ":5-9," UUID_B ":2:t:1-9"},
        {FLAVOR_MARIADB, "7-1-5,0-1-9,3-2-1", "3-1-8,1-1-1,7-7-1"},
    };
    static change_fn *const changes[] = {gtid_set_union, gtid_set_subtract, gtid_set_intersect};
    for (size_t i = 0; i < 6; i++) {
        bool met = true;
        for (unsigned n = 1; met; n++) {
            alloc_fault_arm(n);
            int rc = change_once(rows[i / 3].flavor, rows[i / 3].a, rows[i / 3].b, changes[i % 3]);
            met = alloc_fault_met();
            alloc_fault_arm(0);
            assert_int_equal(rc, met ? -(int)ERR_NO_MEMORY : 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(log_reader__each_allocation_fails__no_memory),
        cmocka_unit_test(value__each_allocation_fails__no_memory),
        cmocka_unit_test(gtid_set__each_allocation_fails__no_memory_and_unchanged),
    };
    return cmocka_run_group_tests_name("decoder_alloc", tests, NULL, NULL);
}
