/* The JSON line of a change: the prepared writer against the one from values, and validity for any bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "change/format_row.h"
#include "change/format_sluice.h"
#include "tools/random_row.h"

static const struct format_options own_form = {.geojson = false};

struct scene {
    struct rng rng;
    struct shape_cache *cache;
    const struct shape *shape;
    struct arena arena;
    struct buf row, values;
    struct random_change made;
};

static struct scene *scene_new(uint64_t seed)
{
    struct scene *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->rng.state = seed;
    s->cache = shape_cache_new();
    arena_init(&s->arena, 65536, 1 << 20, 0);
    buf_init(&s->row, 0);
    buf_init(&s->values, 0);
    return s;
}

static void scene_free(struct scene *s)
{
    shape_cache_free(s->cache);
    arena_release(&s->arena);
    buf_release(&s->row);
    buf_release(&s->values);
    free(s);
}

/* The next change, of a new table every 20. */
static void scene_next(struct scene *s, unsigned i, unsigned garbage)
{
    if (i % 20 == 0)
        s->shape = random_shape(&s->rng, s->cache);
    random_change(&s->rng, s->shape, &s->made, garbage);
    arena_reset(&s->arena);
    buf_clear(&s->row);
    buf_clear(&s->values);
}

static void format_row__random_rows__equals_the_writer_from_values(void **state)
{
    (void)state;
    struct scene *s = scene_new(1);
    unsigned prepared = 0;
    for (unsigned i = 0; i < 20000; i++) {
        scene_next(s, i, i % 3 == 0);
        struct err e = ERR_INIT;
        bool done = format_row(&s->made.chg, &s->row);
        int rc = format_values(&s->made.chg, &own_form, &s->values, &s->arena, &e);
        if (!done) {
            assert_int_equal(s->row.len, 0);
            continue;
        }
        prepared++;
        if (rc != 0)
            fail_msg("row %u: prepared writes what values refuse: %s", i, e.text);
        if (s->row.len != s->values.len || memcmp(s->row.p, s->values.p, s->row.len) != 0)
            fail_msg("row %u:\n%.*s\n%.*s", i, (int)s->row.len, (char *)s->row.p, (int)s->values.len,
                     (char *)s->values.p);
    }
    assert_true(prepared > 8000);
    scene_free(s);
}

static void format_row__values_in_range__is_prepared_but_for_broken_labels(void **state)
{
    (void)state;
    struct scene *s = scene_new(2);
    unsigned by_value = 0;
    for (unsigned i = 0; i < 4000; i++) {
        scene_next(s, i, 0);
        struct err e = ERR_INIT;
        if (format_values(&s->made.chg, &own_form, &s->values, &s->arena, &e) != 0)
            fail_msg("row %u: %s", i, e.text);
        by_value += !format_row(&s->made.chg, &s->row);
    }
    assert_true(by_value < 2000);
    scene_free(s);
}

static void format_sluice_as__geojson__is_an_object_in_both_images_and_the_key(void **state)
{
    (void)state;
    static const uint16_t pk[] = {0};
    static const uint8_t meta[] = {4};
    static const uint8_t row[] = {0, 25, 0, 0, 0, 0xe6, 0x10, 0, 0, 1, 1, 0, 0, 0, 0,
                                  0, 0,  0, 0, 0, 0xf0, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0x40};
    struct column column = {.name = "g", .name_len = 1};
    struct table tbl = {.db = "d", .name = "t", .columns = &column, .column_count = 1, .pk = pk, .pk_count = 1};
    struct cursor cur = cursor_over(meta, sizeof meta);
    struct arena *arena = malloc(sizeof *arena);
    struct shape *shape = NULL;
    struct tx tx = {.file = "bin.1"};
    struct buf out;
    assert_non_null(arena);
    arena_init(arena, 4096, 0, 0);
    buf_init(&out, 0);
    assert_int_equal(coltype_init(&column.type, WIRE_GEOMETRY, &cur, NULL), 0);
    assert_int_equal(shape_new(&shape, arena, &tbl, 0, NULL), 0);
    struct change chg = {
        .op = CHANGE_UPDATE, .shape = shape, .tx = &tx, .key = "k", .key_len = 1, .db = "d", .table = "t"};
    chg.before = chg.after = (struct image){.present = NULL, .bytes = row, .len = sizeof row};
    for (int geojson = 0; geojson < 2; geojson++) {
        const char *expected = geojson ? "{\"g\":{\"type\":\"Point\",\"coordinates\":[1,2]}}"
                                       : "{\"g\":{\"wkb\":\"AQEAAAAAAAAAAADwPwAAAAAAAABA\",\"srid\":4326}}";
        buf_clear(&out);
        assert_int_equal(format_sluice_as(&chg, &(struct format_options){.geojson = geojson}, &out, shape->arena, NULL),
                         0);
        buf_byte(&out, 0);
        unsigned found = 0;
        for (const char *p = (char *)out.p; (p = strstr(p, expected)); p++)
            found++;
        assert_int_equal(found, 3);
    }
    buf_release(&out);
    shape_free(shape);
}

/* Our own members only, in the documented order. */
static void check_members(json_t *line)
{
    static const char *const order[] = {"op",           "db",         "table",      "key",
                                        "pk",           "before",     "after",      "absent_before",
                                        "absent_after", "diff_after", "ts_us",      "commit_precision",
                                        "gtid",         "file",       "pos",        "version",
                                        "half",         "query",      "query_bytes"};
    size_t at = 0;
    const char *name;
    json_t *value;
    json_object_foreach(line, name, value)
    {
        while (at < sizeof order / sizeof order[0] && strcmp(order[at], name) != 0)
            at++;
        if (at == sizeof order / sizeof order[0])
            fail_msg("member %s is unknown or out of order", name);
    }
}

static void format_sluice__any_bytes__is_one_line_of_valid_json(void **state)
{
    (void)state;
    struct scene *s = scene_new(3);
    for (unsigned i = 0; i < 10000; i++) {
        scene_next(s, i, i % 2);
        struct err e = ERR_INIT;
        int rc = format_sluice(&s->made.chg, &s->row, &s->arena, &e);
        if (rc != 0) {
            assert_int_equal(rc, -ERR_CORRUPT);
            assert_int_equal(s->row.len, 0);
            continue;
        }
        assert_ptr_equal(memchr(s->row.p, '\n', s->row.len), s->row.p + s->row.len - 1);
        assert_true(value_is_utf8((char *)s->row.p, s->row.len));
        json_error_t error;
        json_t *line = json_loadb((char *)s->row.p, s->row.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
        if (!line)
            fail_msg("row %u: %s at %d: %.*s", i, error.text, error.position, (int)s->row.len, (char *)s->row.p);
        check_members(line);
        json_decref(line);
    }
    scene_free(s);
}

/* A copy in memory of exactly its size, so that a read beyond it is seen by the sanitizer. */
static struct image exact_copy(const struct image *image, size_t len)
{
    uint8_t *bytes = malloc(len ? len : 1);
    assert_non_null(bytes);
    memcpy(bytes, image->bytes, len);
    return (struct image){.present = image->present, .bytes = bytes, .len = len};
}

static void format_sluice__every_truncation_of_an_image__is_corrupt(void **state)
{
    (void)state;
    struct scene *s = scene_new(6);
    for (unsigned i = 0; i < 600; i++) {
        scene_next(s, i, 0);
        struct image *image = s->made.chg.after.bytes ? &s->made.chg.after : &s->made.chg.before, whole = *image;
        size_t step = whole.len > 300 ? whole.len / 100 : 1;
        for (size_t len = 0; len < whole.len; len += step) {
            struct err e = ERR_INIT;
            *image = exact_copy(&whole, len);
            const uint8_t *end = image->bytes + len;
            assert_true(shape_walk(s->shape, image->present, image->bytes, end, NULL, NULL) == SIZE_MAX);
            assert_int_equal(format_sluice(&s->made.chg, &s->row, &s->arena, &e), -ERR_CORRUPT);
            assert_int_equal(s->row.len, 0);
            free((void *)(uintptr_t)image->bytes);
        }
        *image = whole;
    }
    scene_free(s);
}

/* Some bytes of a valid image replaced: both writers agree, and what they write is JSON. */
static void format_sluice__garbled_image__is_valid_json_or_corrupt(void **state)
{
    (void)state;
    struct scene *s = scene_new(7);
    unsigned written = 0;
    for (unsigned i = 0; i < 20000; i++) {
        scene_next(s, i, 0);
        struct image *image = s->made.chg.after.bytes ? &s->made.chg.after : &s->made.chg.before;
        *image = exact_copy(image, image->len);
        uint8_t *bytes = (uint8_t *)(uintptr_t)image->bytes;
        for (unsigned k = 0; image->len && k <= i % 3; k++)
            bytes[rng_below(&s->rng, (uint32_t)image->len)] = (uint8_t)rng_next(&s->rng);
        struct err e = ERR_INIT;
        int rc = format_values(&s->made.chg, &own_form, &s->values, &s->arena, &e);
        bool done = format_row(&s->made.chg, &s->row);
        assert_true(rc == 0 || (rc == -ERR_CORRUPT && !done));
        if (done) {
            assert_int_equal(s->row.len, s->values.len);
            assert_memory_equal(s->row.p, s->values.p, s->row.len);
        }
        if (rc == 0) {
            json_t *line = json_loadb((char *)s->values.p, s->values.len, JSON_ALLOW_NUL, NULL);
            assert_non_null(line);
            json_decref(line);
            written++;
        }
        free(bytes);
    }
    assert_true(written > 5000);
    scene_free(s);
}

/* The image of the whole line without the columns that are not wanted is that of the other line. */
static void check_only(json_t *whole, json_t *part, const char *field, const char *absent, const struct table *tbl,
                       const uint8_t *wanted)
{
    json_t *image = json_object_get(whole, field), *kept = json_object_get(part, field);
    json_t *names = json_object_get(part, absent);
    size_t left_out = 0;
    assert_int_equal(!image, !kept);
    for (unsigned i = 0; image && i < tbl->column_count; i++) {
        json_t *value = json_object_get(image, tbl->columns[i].name);
        if (value && wanted[i]) {
            assert_true(json_equal(value, json_object_get(kept, tbl->columns[i].name)));
        } else {
            assert_null(json_object_get(kept, tbl->columns[i].name));
            assert_string_equal(json_string_value(json_array_get(names, left_out++)), tbl->columns[i].name);
        }
    }
    assert_int_equal(json_array_size(names), left_out);
}

static void format_sluice_as__some_columns__leaves_out_the_others(void **state)
{
    (void)state;
    struct scene *s = scene_new(11);
    for (unsigned n = 0; n < 3000; n++) {
        scene_next(s, n, 0);
        const struct table *tbl = s->made.chg.shape->tbl;
        uint8_t wanted[TABLE_COLUMNS_MAX] = {0};
        uint16_t ids[TABLE_COLUMNS_MAX];
        struct colset only = {ids, 0};
        struct err e = ERR_INIT;
        for (unsigned i = 0; i < tbl->pk_count; i++)
            wanted[tbl->pk[i]] = 1;
        for (unsigned i = 0; i < tbl->column_count; i++) {
            wanted[i] |= rng_below(&s->rng, 3) == 0;
            if (wanted[i])
                ids[only.count++] = (uint16_t)i;
        }
        const struct format_options form = {.only = &only};
        buf_clear(&s->row);
        if (format_values(&s->made.chg, &own_form, &s->values, &s->arena, &e) != 0 ||
            format_sluice_as(&s->made.chg, &form, &s->row, &s->arena, &e) != 0)
            fail_msg("%s", e.text);
        json_t *whole = json_loadb((char *)s->values.p, s->values.len, JSON_ALLOW_NUL, NULL);
        json_t *part = json_loadb((char *)s->row.p, s->row.len, JSON_ALLOW_NUL, NULL);
        assert_non_null(whole);
        assert_non_null(part);
        check_only(whole, part, "before", "absent_before", tbl, wanted);
        check_only(whole, part, "after", "absent_after", tbl, wanted);
        assert_true(!json_object_get(whole, "pk") ||
                    json_equal(json_object_get(whole, "pk"), json_object_get(part, "pk")));
        assert_true(json_equal(json_object_get(whole, "version"), json_object_get(part, "version")));
        json_decref(whole);
        json_decref(part);
    }
    scene_free(s);
}

/* The least capacity that the prepared writer takes is the room that it asks for: it must write no byte behind it. */
static void format_row__room_that_it_asks_for__is_enough(void **state)
{
    (void)state;
    struct scene *s = scene_new(8);
    for (unsigned i = 0; i < 3000; i++) {
        scene_next(s, i, 0);
        if (!format_row(&s->made.chg, &s->row))
            continue;
        size_t low = s->row.len, high = 16 << 20;
        while (low < high) {
            struct buf out;
            size_t mid = (low + high) / 2;
            buf_init(&out, mid);
            if (format_row(&s->made.chg, &out))
                high = mid;
            else
                low = mid + 1;
            buf_release(&out);
        }
        assert_true(low > s->row.len + 32);
    }
    scene_free(s);
}

static void format_sluice__image_beyond_the_prepared_size__is_written_from_values(void **state)
{
    (void)state;
    struct scene *s = scene_new(9);
    static uint8_t image[5 + 4 + 200000];
    static const uint8_t meta[] = {4};
    struct arena *arena = malloc(sizeof *arena);
    assert_non_null(arena);
    arena_init(arena, 4096, 0, 0);
    struct column *column = arena_alloc(arena, sizeof *column);
    struct table *tbl = arena_alloc(arena, sizeof *tbl);
    struct cursor cur = cursor_over(meta, 1);
    assert_non_null(column);
    assert_non_null(tbl);
    *column = (struct column){.name = "big", .name_len = 3};
    assert_int_equal(coltype_init(&column->type, WIRE_BLOB, &cur, NULL), 0);
    column->type.collation = 45;
    column->type.charset = CHARSET_UTF8;
    *tbl = (struct table){.db = "d", .name = "t", .columns = column, .column_count = 1};
    scene_next(s, 0, 0);
    assert_int_equal(shape_cache_take(s->cache, arena, tbl, &s->made.chg.shape, NULL), 0);
    uint32_t len = 200000;
    memcpy(image + 1, &len, 4);
    memset(image + 5, '\n', len);
    s->made.chg.op = CHANGE_INSERT;
    s->made.chg.before = (struct image){.bytes = NULL, .len = 0};
    s->made.chg.after = (struct image){.bytes = image, .len = 5 + len};
    assert_false(format_row(&s->made.chg, &s->row));
    assert_int_equal(format_sluice(&s->made.chg, &s->row, &s->arena, NULL), 0);
    assert_true(s->row.len > 400000);
    scene_free(s);
}

/* An allocation that fails anywhere gives NO_MEMORY and leaves the output as it was. */
static void format_values__arena_ends_anywhere__is_no_memory(void **state)
{
    (void)state;
    struct scene *s = scene_new(4);
    for (unsigned i = 0; i < 200; i++) {
        scene_next(s, i, 0);
        int rc = -1;
        for (size_t cap = 64; rc != 0; cap += 64) {
            struct arena arena;
            struct err e = ERR_INIT;
            arena_init(&arena, 64, 0, cap);
            buf_clear(&s->values);
            rc = format_values(&s->made.chg, &own_form, &s->values, &arena, &e);
            if (rc != 0) {
                assert_int_equal(rc, -ERR_NO_MEMORY);
                assert_int_equal(s->values.len, 0);
            }
            arena_release(&arena);
        }
    }
    scene_free(s);
}

static void format_sluice__buffer_is_capped__is_a_limit_and_leaves_it(void **state)
{
    (void)state;
    struct scene *s = scene_new(5);
    for (unsigned i = 0; i < 100; i++) {
        scene_next(s, i, 0);
        assert_int_equal(format_sluice(&s->made.chg, &s->row, &s->arena, NULL), 0);
        for (size_t cap = 1; cap <= s->row.len; cap += 13) {
            struct buf small;
            struct err e = ERR_INIT;
            buf_init(&small, cap);
            int rc = format_sluice(&s->made.chg, &small, &s->arena, &e);
            if (rc == 0)
                assert_int_equal(small.len, s->row.len);
            else
                assert_int_equal(rc, -ERR_LIMIT);
            assert_false(small.failed);
            assert_true(rc == 0 || small.len == 0);
            buf_release(&small);
        }
    }
    scene_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(format_row__random_rows__equals_the_writer_from_values),
        cmocka_unit_test(format_row__values_in_range__is_prepared_but_for_broken_labels),
        cmocka_unit_test(format_sluice_as__geojson__is_an_object_in_both_images_and_the_key),
        cmocka_unit_test(format_sluice__any_bytes__is_one_line_of_valid_json),
        cmocka_unit_test(format_sluice__every_truncation_of_an_image__is_corrupt),
        cmocka_unit_test(format_sluice__garbled_image__is_valid_json_or_corrupt),
        cmocka_unit_test(format_sluice_as__some_columns__leaves_out_the_others),
        cmocka_unit_test(format_row__room_that_it_asks_for__is_enough),
        cmocka_unit_test(format_sluice__image_beyond_the_prepared_size__is_written_from_values),
        cmocka_unit_test(format_values__arena_ends_anywhere__is_no_memory),
        cmocka_unit_test(format_sluice__buffer_is_capped__is_a_limit_and_leaves_it),
    };
    return cmocka_run_group_tests_name("format_sluice", tests, NULL, NULL);
}
