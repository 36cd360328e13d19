/* Walking row images, the values of changes, rows of an event, the cache of shapes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "change/format_sluice.h"
#include "change/source.h"

/* id INT UNSIGNED, name VARCHAR(20) utf8mb4, big VARBINARY(300), note TEXT utf8mb4 */
static const struct shape *make_shape(struct shape_cache *cache, const char *table_name)
{
    static const char *const names[] = {"id", "name", "big", "note"};
    static const uint8_t wires[] = {WIRE_LONG, WIRE_VARCHAR, WIRE_VARCHAR, WIRE_BLOB};
    static const uint8_t metadata[] = {20, 0, 44, 1, 2};
    static const uint16_t pk[] = {0};
    struct arena *arena = malloc(sizeof *arena);
    assert_non_null(arena);
    arena_init(arena, 4096, 0, 0);
    struct column *columns = arena_alloc(arena, sizeof *columns * 4);
    struct table *tbl = arena_alloc(arena, sizeof *tbl);
    assert_non_null(columns);
    assert_non_null(tbl);
    struct cursor cur = cursor_over(metadata, sizeof metadata);
    for (unsigned i = 0; i < 4; i++) {
        columns[i] = (struct column){.name = names[i], .name_len = (uint32_t)strlen(names[i]), .nullable = i > 0};
        assert_int_equal(coltype_init(&columns[i].type, wires[i], &cur, NULL), 0);
        columns[i].type.sign_known = columns[i].type.is_unsigned = i == 0;
        columns[i].type.collation = i == 2 ? 63 : 45;
        columns[i].type.charset = (uint8_t)charset_of_collation(columns[i].type.collation, NULL);
    }
    assert_int_equal(cursor_finish(&cur), 0);
    *tbl = (struct table){.db = "shop",
                          .name = arena_copy(arena, table_name, strlen(table_name)),
                          .columns = columns,
                          .column_count = 4,
                          .pk = pk,
                          .pk_count = 1,
                          .pk_known = true};
    const struct shape *shape = NULL;
    assert_int_equal(shape_cache_take(cache, arena, tbl, &shape, NULL), 0);
    return shape;
}

/* id 7, name "ab", big NULL, note "xyz" */
static const uint8_t row[] = {0x04, 7, 0, 0, 0, 2, 'a', 'b', 3, 0, 'x', 'y', 'z'};

static void shape_walk__full_image__finds_wanted_columns(void **state)
{
    (void)state;
    struct shape_cache *cache = shape_cache_new();
    const struct shape *shape = make_shape(cache, "t");
    static const uint16_t index[] = {0, 2, 3};
    struct colset wanted = {index, 3};
    struct found found[3];
    assert_int_equal(shape_walk(shape, NULL, row, row + sizeof row, NULL, NULL), sizeof row);
    assert_int_equal(shape_walk(shape, NULL, row, row + sizeof row, &wanted, found), sizeof row);
    assert_ptr_equal(found[0].bytes, row + 1);
    assert_int_equal(found[0].len, 4);
    assert_null(found[1].bytes);
    assert_int_equal(found[1].len, 0);
    assert_ptr_equal(found[2].bytes, row + 8);
    assert_int_equal(found[2].len, 5);
    shape_cache_free(cache);
}

static void shape_walk__every_truncation__does_not_end(void **state)
{
    (void)state;
    struct shape_cache *cache = shape_cache_new();
    const struct shape *shape = make_shape(cache, "t");
    for (size_t len = 0; len < sizeof row; len++) {
        uint8_t *exact = malloc(len ? len : 1);
        assert_non_null(exact);
        memcpy(exact, row, len);
        assert_true(shape_walk(shape, NULL, exact, exact + len, NULL, NULL) == SIZE_MAX);
        free(exact);
    }
    shape_cache_free(cache);
}

static void shape_walk__partial_image__null_bits_count_present_columns_only(void **state)
{
    (void)state;
    struct shape_cache *cache = shape_cache_new();
    const struct shape *shape = make_shape(cache, "t");
    /* present: id, note; note NULL is bit 1 of the null bitmap */
    static const uint8_t present[] = {0x09}, image[] = {0x02, 9, 0, 0, 0};
    static const uint16_t index[] = {0, 1, 3};
    struct colset wanted = {index, 3};
    struct found found[3];
    assert_int_equal(shape_walk(shape, present, image, image + sizeof image, &wanted, found), sizeof image);
    assert_ptr_equal(found[0].bytes, image + 1);
    assert_true(found[1].len == SIZE_MAX);
    assert_null(found[2].bytes);
    assert_int_equal(found[2].len, 0);
    shape_cache_free(cache);
}

static void shape_cache__equal_table__gives_the_same_shape(void **state)
{
    (void)state;
    struct shape_cache *cache = shape_cache_new();
    const struct shape *first = make_shape(cache, "t"), *second = make_shape(cache, "t");
    const struct shape *other = make_shape(cache, "u");
    assert_ptr_equal(first, second);
    assert_ptr_not_equal(first, other);
    assert_int_equal(first->id, 0);
    assert_int_equal(other->id, 1);
    for (unsigned i = 0; i < 300; i++) {
        char name[16];
        snprintf(name, sizeof name, "n%u", i);
        assert_int_equal(make_shape(cache, name)->id, i + 2);
    }
    assert_ptr_equal(make_shape(cache, "n7"), make_shape(cache, "n7"));
    assert_ptr_equal(make_shape(cache, "t"), first);
    shape_cache_free(cache);
}

static void change_values__column_absent_after__is_taken_from_before(void **state)
{
    (void)state;
    struct shape_cache *cache = shape_cache_new();
    static const uint8_t present[] = {0x02}, after[] = {0x00, 1, 'Q'};
    struct change chg = {.op = CHANGE_UPDATE, .shape = make_shape(cache, "t")};
    chg.before = (struct image){.bytes = row, .len = sizeof row};
    chg.after = (struct image){.present = present, .bytes = after, .len = sizeof after};
    struct value values[4];
    struct arena arena;
    arena_init(&arena, 1024, 0, 0);
    assert_int_equal(change_values(&chg, SIDE_AFTER, NULL, values, &arena, NULL), 0);
    assert_int_equal(values[0].kind, VALUE_UINT);
    assert_int_equal(values[0].u, 7);
    assert_memory_equal(values[1].s.p, "Q", 1);
    assert_int_equal(values[2].kind, VALUE_NULL);
    assert_int_equal(values[3].kind, VALUE_TEXT);
    chg.after = chg.before;
    chg.before = (struct image){.present = present, .bytes = after, .len = sizeof after};
    assert_int_equal(change_values(&chg, SIDE_BEFORE, NULL, values, &arena, NULL), 0);
    assert_int_equal(values[0].kind, VALUE_ABSENT);
    arena_release(&arena);
    shape_cache_free(cache);
}

static void rowset_next_row__update__hands_out_pairs(void **state)
{
    (void)state;
    struct shape_cache *cache = shape_cache_new();
    uint8_t rows[4 * sizeof row];
    for (unsigned i = 0; i < 4; i++)
        memcpy(rows + i * sizeof row, row, sizeof row);
    struct rowset rs = {.kind = ROWSET_ROWS, .op = CHANGE_UPDATE, .shape = make_shape(cache, "t")};
    rs.rows = rows;
    rs.rows_end = rows + sizeof rows;
    struct row_iter it = {NULL, 0};
    struct row_view view;
    struct err e = ERR_INIT;
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(rowset_next_row(&rs, &it, &view, NULL, NULL, NULL, &e), 1);
        assert_int_equal(view.row_in_event, i);
        assert_ptr_equal(view.before.bytes, rows + 2 * i * sizeof row);
        assert_ptr_equal(view.after.bytes, rows + (2 * i + 1) * sizeof row);
    }
    assert_int_equal(rowset_next_row(&rs, &it, &view, NULL, NULL, NULL, &e), 0);
    it = (struct row_iter){NULL, 0};
    rs.rows_end--;
    assert_int_equal(rowset_next_row(&rs, &it, &view, NULL, NULL, NULL, &e), 1);
    assert_int_equal(rowset_next_row(&rs, &it, &view, NULL, NULL, NULL, &e), -ERR_CORRUPT);
    shape_cache_free(cache);
}

static void rowset_next_row__image_without_columns__is_one_row(void **state)
{
    (void)state;
    struct shape_cache *cache = shape_cache_new();
    static const uint8_t present[] = {0}, bytes[] = {1};
    struct rowset rs = {.kind = ROWSET_ROWS, .op = CHANGE_INSERT, .shape = make_shape(cache, "t")};
    rs.after_present = present;
    rs.rows = rs.rows_end = bytes;
    struct row_iter it = {NULL, 0};
    struct row_view view;
    struct err e = ERR_INIT;
    assert_int_equal(rowset_next_row(&rs, &it, &view, NULL, NULL, NULL, &e), 1);
    assert_non_null(view.after.bytes);
    assert_int_equal(view.after.len, 0);
    assert_int_equal(rowset_next_row(&rs, &it, &view, NULL, NULL, NULL, &e), 0);
    it = (struct row_iter){NULL, 0};
    rs.rows_end = bytes + 1;
    assert_int_equal(rowset_next_row(&rs, &it, &view, NULL, NULL, NULL, &e), -ERR_CORRUPT);
    it = (struct row_iter){NULL, 0};
    rs.after_present = NULL;
    rs.rows_end = bytes;
    err_clear(&e);
    assert_int_equal(rowset_next_row(&rs, &it, &view, NULL, NULL, NULL, &e), 0);
    shape_cache_free(cache);
}

static void format_sluice__insert__fields_in_order(void **state)
{
    (void)state;
    struct shape_cache *cache = shape_cache_new();
    struct tx tx = {.file = "bin.000001", .commit_us = 1795353255000000};
    struct change chg = {.op = CHANGE_INSERT, .shape = make_shape(cache, "t"), .tx = &tx, .pos = 123};
    chg.key = "7";
    chg.key_len = 1;
    chg.db = "shop";
    chg.table = "t";
    chg.version = (struct version){1, 2, 3};
    chg.after = (struct image){.bytes = row, .len = sizeof row};
    struct arena arena;
    struct buf out;
    arena_init(&arena, 1024, 0, 0);
    buf_init(&out, 0);
    assert_int_equal(format_sluice(&chg, &out, &arena, NULL), 0);
    static const char expected[] =
        "{\"op\":\"insert\",\"db\":\"shop\",\"table\":\"t\",\"key\":\"7\",\"pk\":{\"id\":7},"
        "\"after\":{\"id\":7,\"name\":\"ab\",\"big\":null,\"note\":\"xyz\"},\"ts_us\":1795353255000000,"
        "\"commit_precision\":\"s\",\"file\":\"bin.000001\",\"pos\":123,"
        "\"version\":\"00000001.0000000000000002.0000000000000003\"}\n";
    assert_int_equal(out.len, sizeof expected - 1);
    assert_memory_equal(out.p, expected, sizeof expected - 1);
    buf_release(&out);
    arena_release(&arena);
    shape_cache_free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shape_walk__full_image__finds_wanted_columns),
        cmocka_unit_test(shape_walk__every_truncation__does_not_end),
        cmocka_unit_test(shape_walk__partial_image__null_bits_count_present_columns_only),
        cmocka_unit_test(shape_cache__equal_table__gives_the_same_shape),
        cmocka_unit_test(change_values__column_absent_after__is_taken_from_before),
        cmocka_unit_test(rowset_next_row__update__hands_out_pairs),
        cmocka_unit_test(rowset_next_row__image_without_columns__is_one_row),
        cmocka_unit_test(format_sluice__insert__fields_in_order),
    };
    return cmocka_run_group_tests_name("shape", tests, NULL, NULL);
}
