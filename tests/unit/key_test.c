/* Key text from raw column bytes, and lanes as Kafka's producer chooses partitions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "partition/key.h"
#include "tools/random_row.h"

/* org.apache.kafka.common.utils.UtilsTest.testMurmur2 */
static void murmur2__kafka_vectors__are_equal(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int32_t hash;
    } rows[] = {
        {"21", -973932308},
        {"foobar", -790332482},
        {"a-little-bit-long-string", -985981536},
        {"a-little-bit-longer-string", -1486304829},
        {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
        {"abc", 479470107},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal((int32_t)murmur2(rows[i].text, strlen(rows[i].text)), rows[i].hash);
}

static void key_lane__negative_hash__is_masked_as_in_java(void **state)
{
    (void)state;
    assert_int_equal(key_lane("21", 2, 16), (unsigned)(-973932308 & 0x7fffffff) % 16);
    assert_int_equal(key_lane("foobar", 6, 7), (unsigned)(-790332482 & 0x7fffffff) % 7);
    assert_int_equal(key_lane("foobar", 6, 1), 0);
    assert_int_equal(key_lane("", 0, 7), 0);
}

/* One column of a test table. */
struct col {
    const char *name;
    uint8_t wire;
    const char *meta;
    size_t meta_len;
    bool is_unsigned;
    uint16_t collation;
};

#define COLUMNS 8
static const struct col cols[COLUMNS] = {
    {"id", WIRE_LONG, "", 0, false, 0},
    {"big", WIRE_LONGLONG, "", 0, true, 0},
    {"tiny", WIRE_TINY, "", 0, false, 0},
    {"name", WIRE_VARCHAR, "\x40\x00", 2, false, 46},
    {"raw", WIRE_VARCHAR, "\x40\x00", 2, false, 63},
    {"price", WIRE_NEWDECIMAL, "\x06\x02", 2, false, 0},
    {"folded", WIRE_VARCHAR, "\x40\x00", 2, false, 45},
    {"latin", WIRE_VARCHAR, "\x40\x00", 2, false, 47},
};

struct fixture {
    struct column columns[COLUMNS];
    struct table tbl;
    struct shape shape;
    uint16_t pk[2];
};

static void make_table(struct fixture *f)
{
    memset(f, 0, sizeof *f);
    for (unsigned i = 0; i < COLUMNS; i++) {
        struct cursor meta = cursor_over(cols[i].meta, cols[i].meta_len);
        struct column *col = &f->columns[i];
        col->name = cols[i].name;
        col->name_len = (uint32_t)strlen(cols[i].name);
        assert_int_equal(coltype_init(&col->type, cols[i].wire, &meta, NULL), 0);
        col->type.is_unsigned = cols[i].is_unsigned;
        col->type.sign_known = true;
        col->type.collation = cols[i].collation;
        if (cols[i].collation)
            col->type.charset = (uint8_t)charset_of_collation(cols[i].collation, NULL);
    }
    f->pk[0] = 1;
    f->pk[1] = 0;
    f->tbl = (struct table){.db = "shop",
                            .name = "orders",
                            .columns = f->columns,
                            .column_count = COLUMNS,
                            .pk = f->pk,
                            .pk_count = 2,
                            .pk_known = true};
    f->shape = (struct shape){.tbl = &f->tbl};
}

#define BYTES(text)                                                                                                    \
    {                                                                                                                  \
        .bytes = (const uint8_t *)(text), .len = sizeof(text) - 1                                                      \
    }
#define NULL_VALUE                                                                                                     \
    {                                                                                                                  \
        .len = 0                                                                                                       \
    }
#define ABSENT                                                                                                         \
    {                                                                                                                  \
        .len = SIZE_MAX                                                                                                \
    }

static void key_text__each_type__has_its_text(void **state)
{
    (void)state;
    static const struct {
        const char *column;
        struct found found;
        const char *text;
    } rows[] = {
        {"id", BYTES("\x2a\0\0\0"), "42"},
        {"id", BYTES("\0\0\0\0"), "0"},
        {"id", BYTES("\xff\xff\xff\xff"), "-1"},
        {"id", BYTES("\0\0\0\x80"), "-2147483648"},
        {"id", NULL_VALUE, "\\N"},
        {"big", BYTES("\xff\xff\xff\xff\xff\xff\xff\xff"), "18446744073709551615"},
        {"tiny", BYTES("\x80"), "-128"},
        {"name", BYTES("\x05hello"), "hello"},
        {"name", BYTES("\x03\xc3\xa9x"), "\xc3\xa9x"},
        {"name", BYTES("\x05\x61:b\\c"), "a\\:b\\\\c"},
        {"name", BYTES("\x02\\N"), "\\\\N"}, /* not NULL */
        {"name", BYTES("\x02\\E"), "\\\\E"}, /* not empty */
        {"name", BYTES("\0"), "\\E"},
        {"latin", BYTES("\x01\xe9"), "\xc3\xa9"},
        {"raw", BYTES("\x03\x00:\xff"), "003aff"},
        {"raw", BYTES("\0"), "\\E"},
        {"price", BYTES("\x80\x0c\x1e"), "12.3"},
        {"price", BYTES("\x80\x0c\x00"), "12"},
        {"price", BYTES("\x80\x0a\x00"), "10"},
        {"price", BYTES("\x7f\xf3\xe1"), "-12.3"},
        {"price", BYTES("\x80\x00\x00"), "0"},
    };
    struct fixture f;
    struct buf out;
    struct arena arena;
    make_table(&f);
    buf_init(&out, 0);
    arena_init(&arena, 0, 0, 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct key_plan plan;
        struct err e = ERR_INIT;
        assert_int_equal(key_plan_init(&plan, &f.tbl, &rows[i].column, 1, 3, NULL), 0);
        buf_clear(&out);
        if (key_text(&plan, &f.shape, &rows[i].found, NULL, "after", &out, &arena, &e) != 0)
            fail_msg("row %zu: %s", i, e.text);
        buf_byte(&out, 0);
        assert_string_equal((const char *)out.p, rows[i].text);
    }
    arena_release(&arena);
    buf_release(&out);
}

static void key_text__several_columns__are_joined_in_the_routes_order(void **state)
{
    (void)state;
    static const char *const names[] = {"name", "id", "tiny", "id"};
    static const struct found found[] = {BYTES("\x07\0\0\0"), BYTES("\xff"), BYTES("\x02x:")}; /* by column */
    struct fixture f;
    struct key_plan plan;
    struct buf out;
    struct arena arena;
    make_table(&f);
    buf_init(&out, 0);
    arena_init(&arena, 0, 0, 0);
    assert_int_equal(key_plan_init(&plan, &f.tbl, names, 4, 3, NULL), 0);
    assert_int_equal(plan.wanted.count, 3);
    for (unsigned i = 1; i < 3; i++)
        assert_true(plan.wanted.index[i - 1] < plan.wanted.index[i]);
    assert_int_equal(key_text(&plan, &f.shape, found, NULL, "after", &out, &arena, NULL), 0);
    buf_byte(&out, 0);
    assert_string_equal((const char *)out.p, "x\\::7:-1");
    arena_release(&arena);
    buf_release(&out);
}

static void key_text__absent_column__comes_from_the_before_image_or_stops(void **state)
{
    (void)state;
    static const char *const names[] = {"id"};
    static const struct found absent = ABSENT, before = BYTES("\x09\0\0\0");
    struct fixture f;
    struct key_plan plan;
    struct buf out;
    struct arena arena;
    struct err e = ERR_INIT;
    make_table(&f);
    buf_init(&out, 0);
    arena_init(&arena, 0, 0, 0);
    buf_text(&out, "kept");
    assert_int_equal(key_plan_init(&plan, &f.tbl, names, 1, 3, NULL), 0);
    assert_int_equal(key_text(&plan, &f.shape, &absent, &before, "after", &out, &arena, NULL), 0);
    assert_memory_equal(out.p, "kept9", out.len);
    assert_int_equal(key_text(&plan, &f.shape, &absent, NULL, "before", &out, &arena, &e), -ERR_ROW_IMAGE);
    assert_non_null(strstr(e.text, "id"));
    assert_non_null(strstr(e.text, "before"));
    assert_int_equal(out.len, 5);
    err_clear(&e);
    assert_int_equal(key_text(&plan, &f.shape, &absent, &absent, "after", &out, &arena, &e), -ERR_ROW_IMAGE);
    arena_release(&arena);
    buf_release(&out);
}

/* A document in the key: with the old one at hand the new one, else as an absent column. */
static void key_text__partial_update_of_a_document__needs_the_old_one(void **state)
{
    (void)state;
    static const char *const names[] = {"doc"};
    static const uint8_t meta[] = {4};
    static const struct found absent = ABSENT, null_value = NULL_VALUE;
    static const uint8_t document[] = {13, 0, 0, 0, 0, 1, 0, 12, 0, 11, 0, 1, 0, 5, 1, 0, 'a'}; /* {"a": 1} */
    static const uint8_t diffs[] = {9, 0, 0, 0, 0, 3, '$', '.', 'a', 3, 5, 7, 0};               /* replace $.a by 7 */
    static const uint8_t other[] = {9, 0, 0, 0, 0, 3, '$', '.', 'b', 3, 5, 7, 0};               /* not there */
    const struct found whole = {document, sizeof document, false};
    struct cursor cur = cursor_over(meta, sizeof meta);
    struct column column = {.name = "doc", .name_len = 3};
    struct table tbl = {.db = "shop", .name = "docs", .columns = &column, .column_count = 1};
    const struct shape shape = {.tbl = &tbl};
    struct key_plan plan;
    struct buf out;
    struct arena arena;
    assert_int_equal(coltype_init(&column.type, WIRE_JSON, &cur, NULL), 0);
    assert_int_equal(key_plan_init(&plan, &tbl, names, 1, 3, NULL), 0);
    const struct {
        struct found after;
        const struct found *before;
        const char *text; /* NULL: … */
        int rc;
    } rows[] = {
        {whole, NULL, "{\"a\"\\: 1}", 0},
        {{diffs, sizeof diffs, true}, &whole, "{\"a\"\\: 7}", 0},
        {absent, &whole, "{\"a\"\\: 1}", 0},
        {{diffs, sizeof diffs, true}, &absent, NULL, -ERR_ROW_IMAGE},
        {{diffs, sizeof diffs, true}, NULL, NULL, -ERR_ROW_IMAGE},
        {{diffs, sizeof diffs, true}, &null_value, NULL, -ERR_ROW_IMAGE},
        {{other, sizeof other, true}, &whole, NULL, -ERR_CORRUPT},
    };
    buf_init(&out, 0);
    arena_init(&arena, 64, 0, 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct err e = ERR_INIT;
        buf_clear(&out);
        int rc = key_text(&plan, &shape, &rows[i].after, rows[i].before, "after", &out, &arena, &e);
        if (rc != rows[i].rc || out.len != (rc == 0 ? strlen(rows[i].text) : 0))
            fail_msg("row %zu: %d %s, %zu bytes", i, rc, e.text, out.len);
        if (rc == 0)
            assert_memory_equal(out.p, rows[i].text, out.len);
        else
            assert_non_null(strstr(e.text, "doc"));
    }
    arena_release(&arena);
    buf_release(&out);
}

static void key_plan__no_names__is_the_primary_key_in_its_order(void **state)
{
    (void)state;
    struct fixture f;
    struct key_plan plan;
    struct err e = ERR_INIT;
    make_table(&f);
    assert_int_equal(key_plan_init(&plan, &f.tbl, NULL, 0, 3, NULL), 0);
    assert_int_equal(plan.wanted.count, 2);
    assert_int_equal(plan.columns[plan.order[0]], 1);
    assert_int_equal(plan.columns[plan.order[1]], 0);
    f.tbl.pk = NULL;
    f.tbl.pk_count = 0;
    assert_int_equal(key_plan_init(&plan, &f.tbl, NULL, 0, 3, &e), -ERR_ROUTE_NO_KEY);
}

static void key_plan__bad_columns__are_named_with_the_line(void **state)
{
    (void)state;
    static const char *const names[] = {"id", "order_di"};
    struct fixture f;
    struct key_plan plan;
    struct err e = ERR_INIT;
    make_table(&f);
    assert_int_equal(key_plan_init(&plan, &f.tbl, names, 2, 17, &e), -ERR_ROUTE_COLUMN);
    assert_non_null(strstr(e.text, "17"));
    assert_non_null(strstr(e.text, "order_di"));
    const char *many[KEY_COLUMNS_MAX + 1];
    for (unsigned i = 0; i <= KEY_COLUMNS_MAX; i++)
        many[i] = "id";
    err_clear(&e);
    assert_int_equal(key_plan_init(&plan, &f.tbl, many, KEY_COLUMNS_MAX + 1, 17, &e), -ERR_LIMIT);
}

static void key_plan__case_insensitive_text__is_noted(void **state)
{
    (void)state;
    static const struct {
        const char *column;
        bool noted;
    } rows[] = {{"id", false}, {"name", false}, {"raw", false}, {"folded", true}, {"latin", false}};
    struct fixture f;
    struct key_plan plan;
    make_table(&f);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(key_plan_init(&plan, &f.tbl, &rows[i].column, 1, 3, NULL), 0);
        assert_int_equal(plan.case_insensitive, rows[i].noted);
    }
}

/* Different values of two columns never give one text: random pairs over an alphabet of what is escaped. */
static void key_text__two_text_columns__is_injective(void **state)
{
    (void)state;
    static const char alphabet[] = ":\\NEab";
    static const char *const names[] = {"name", "latin"};
    struct fixture f;
    struct key_plan plan;
    struct arena arena;
    struct rng rng = {20261122};
    make_table(&f);
    arena_init(&arena, 0, 0, 0);
    assert_int_equal(key_plan_init(&plan, &f.tbl, names, 2, 3, NULL), 0);
    for (unsigned round = 0; round < 20000; round++) {
        uint8_t bytes[2][2][4];
        struct found found[2][2];
        struct buf out[2];
        for (unsigned side = 0; side < 2; side++) {
            for (unsigned c = 0; c < 2; c++) {
                uint8_t *p = bytes[side][c];
                p[0] = (uint8_t)rng_below(&rng, 4);
                for (unsigned i = 1; i <= p[0]; i++)
                    p[i] = (uint8_t)alphabet[rng_below(&rng, sizeof alphabet - 1)];
                bool null = rng_below(&rng, 8) == 0;
                found[side][c] = (struct found){.bytes = null ? NULL : p, .len = null ? 0 : p[0] + 1u};
            }
            buf_init(&out[side], 0);
            assert_int_equal(key_text(&plan, &f.shape, found[side], NULL, "after", &out[side], &arena, NULL), 0);
        }
        bool same_values = true;
        for (unsigned c = 0; c < 2; c++)
            same_values &= !found[0][c].bytes == !found[1][c].bytes && found[0][c].len == found[1][c].len &&
                           (!found[0][c].bytes || memcmp(found[0][c].bytes, found[1][c].bytes, found[0][c].len) == 0);
        bool same_text = out[0].len == out[1].len && memcmp(out[0].p, out[1].p, out[0].len) == 0;
        assert_int_equal(same_text, same_values);
        buf_release(&out[0]);
        buf_release(&out[1]);
        arena_reset(&arena);
    }
    arena_release(&arena);
}

/* Values of a foreign message: what is a DECIMAL is told beside them. */
static void key_text_values__each_kind__has_the_text_of_a_row(void **state)
{
    (void)state;
    static const char *const names[] = {"name", "latin"};
    struct fixture f;
    struct key_plan plan;
    make_table(&f);
    assert_int_equal(key_plan_init(&plan, &f.tbl, names, 2, 3, NULL), 0);
    static const struct {
        struct value v;
        bool decimal;
        const char *text;
    } cases[] = {
        {{.kind = VALUE_UINT, .u = 7}, false, "7"},
        {{.kind = VALUE_INT, .i = -7}, false, "-7"},
        {{.kind = VALUE_NULL}, false, "\\N"},
        {{.kind = VALUE_TEXT, .s = {"a:b\\", 4}}, false, "a\\:b\\\\"},
        {{.kind = VALUE_TEXT, .s = {"12.300", 6}}, false, "12.300"},
        {{.kind = VALUE_TEXT, .s = {"12.300", 6}}, true, "12.3"},
        {{.kind = VALUE_TEXT, .s = {"12.000", 6}}, true, "12"},
        {{.kind = VALUE_BYTES, .s = {"\xff\x01", 2}}, false, "ff01"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct value values[2] = {cases[i].v, cases[i].v};
        uint8_t decimals[8] = {0};
        char text[64];
        struct buf out;
        buf_init(&out, 0);
        memset(decimals, cases[i].decimal ? 0xff : 0, sizeof decimals);
        assert_int_equal(key_text_values(&plan, &f.tbl, values, decimals, "after", &out, NULL), 0);
        snprintf(text, sizeof text, "%s:%s", cases[i].text, cases[i].text);
        assert_int_equal(out.len, strlen(text));
        assert_memory_equal(out.p, text, out.len);
        buf_release(&out);
    }
}

static void key_text_values__absent_column__is_named_with_the_image(void **state)
{
    (void)state;
    static const char *const names[] = {"name"};
    struct fixture f;
    struct key_plan plan;
    struct value absent = {.kind = VALUE_ABSENT}, empty = {.kind = VALUE_TEXT};
    uint8_t decimals[8] = {0};
    struct err e = ERR_INIT;
    struct buf out;
    make_table(&f);
    buf_init(&out, 0);
    assert_int_equal(key_plan_init(&plan, &f.tbl, names, 1, 3, NULL), 0);
    assert_int_equal(key_text_values(&plan, &f.tbl, &absent, decimals, "before", &out, &e), -ERR_ROW_IMAGE);
    assert_non_null(strstr(e.text, "name"));
    assert_non_null(strstr(e.text, "before"));
    assert_int_equal(key_text_values(&plan, &f.tbl, &empty, decimals, "after", &out, NULL), 0);
    assert_int_equal(out.len, 2);
    assert_memory_equal(out.p, "\\E", 2);
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(murmur2__kafka_vectors__are_equal),
        cmocka_unit_test(key_lane__negative_hash__is_masked_as_in_java),
        cmocka_unit_test(key_text__each_type__has_its_text),
        cmocka_unit_test(key_text__several_columns__are_joined_in_the_routes_order),
        cmocka_unit_test(key_text__absent_column__comes_from_the_before_image_or_stops),
        cmocka_unit_test(key_text__partial_update_of_a_document__needs_the_old_one),
        cmocka_unit_test(key_plan__no_names__is_the_primary_key_in_its_order),
        cmocka_unit_test(key_plan__bad_columns__are_named_with_the_line),
        cmocka_unit_test(key_plan__case_insensitive_text__is_noted),
        cmocka_unit_test(key_text__two_text_columns__is_injective),
        cmocka_unit_test(key_text_values__each_kind__has_the_text_of_a_row),
        cmocka_unit_test(key_text_values__absent_column__is_named_with_the_image),
    };
    return cmocka_run_group_tests_name("key", tests, NULL, NULL);
}
