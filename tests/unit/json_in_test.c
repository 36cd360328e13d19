/* Our own JSON back into a change: what is refused, and how columns of partial images are put in order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "change/format_sluice.h"
#include "change/json_in.h"

#define TAIL                                                                                                           \
    "\"ts_us\":1,\"commit_precision\":\"s\",\"file\":\"b.1\",\"pos\":4,"                                               \
    "\"version\":\"00000001.0000000000000002.0000000000000003\"}"

struct scene {
    struct shape_cache *cache;
    struct arena arena;
    struct change chg;
    struct tx tx;
};

static int parse(struct scene *s, const char *line, size_t len, struct err *e)
{
    char *exact = malloc(len ? len : 1);
    assert_non_null(exact);
    memcpy(exact, line, len);
    arena_reset(&s->arena);
    int rc = json_in_change(exact, len, s->cache, &s->chg, &s->tx, &s->arena, e);
    free(exact);
    return rc;
}

static int setup(void **state)
{
    struct scene *s = calloc(1, sizeof *s);
    if (!s)
        return -1;
    s->cache = shape_cache_new();
    arena_init(&s->arena, 4096, 65536, 0);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct scene *s = *state;
    shape_cache_free(s->cache);
    arena_release(&s->arena);
    free(s);
    return 0;
}

static void json_in__partial_images__merge_into_one_order(void **state)
{
    struct scene *s = *state;
    static const char line[] = "{\"op\":\"update\",\"db\":\"d\",\"table\":\"t\",\"key\":\"k\",\"pk\":{\"d\":4,\"b\":2},"
                               "\"before\":{\"a\":1,\"b\":2,\"d\":4},\"after\":{\"b\":3,\"c\":5},"
                               "\"absent_before\":[\"c\",\"e\"],\"absent_after\":[\"a\",\"d\",\"e\"]," TAIL;
    struct err e = ERR_INIT;
    struct value values[5];
    if (parse(s, line, sizeof line - 1, &e) != 0)
        fail_msg("%s", e.text);
    const struct table *tbl = s->chg.shape->tbl;
    assert_int_equal(tbl->column_count, 5);
    int place[5];
    for (unsigned i = 0; i < 5; i++)
        place[i] = table_find_column(tbl, &"abcde"[i], 1);
    assert_true(place[0] < place[1] && place[1] < place[3] && place[1] < place[2] && place[2] < place[4]);
    assert_int_equal(tbl->pk_count, 2);
    assert_int_equal(tbl->pk[0], place[3]);
    assert_int_equal(tbl->pk[1], place[1]);
    assert_int_equal(change_values(&s->chg, SIDE_AFTER, NULL, values, &s->arena, &e), 0);
    assert_int_equal(values[place[0]].u, 1);
    assert_int_equal(values[place[1]].u, 3);
    assert_int_equal(values[place[4]].kind, VALUE_ABSENT);
    assert_int_equal(change_values(&s->chg, SIDE_BEFORE, NULL, values, &s->arena, &e), 0);
    assert_int_equal(values[place[2]].kind, VALUE_ABSENT);
}

static void json_in__truncate__names_its_table_and_comes_out_as_it_was(void **state)
{
    struct scene *s = *state;
    static const char line[] = "{\"op\":\"truncate\",\"db\":\"d\",\"table\":\"t\",\"key\":\"\"," TAIL;
    static const char row[] =
        "{\"op\":\"truncate\",\"db\":\"d\",\"table\":\"t\",\"key\":\"\",\"after\":{\"a\":1}," TAIL;
    static const char lost[] = "{\"op\":\"truncate\",\"db\":\"d\",\"key\":\"\"," TAIL;
    struct err e = ERR_INIT;
    struct buf out;
    assert_int_equal(parse(s, line, strlen(line), &e), 0);
    assert_int_equal(s->chg.op, CHANGE_TRUNCATE);
    assert_null(s->chg.shape);
    assert_string_equal(s->chg.db, "d");
    assert_string_equal(s->chg.table, "t");
    buf_init(&out, 0);
    assert_int_equal(format_sluice(&s->chg, &out, &s->arena, &e), 0);
    assert_int_equal(out.len, strlen(line) + 1);
    assert_memory_equal(out.p, line, strlen(line));
    buf_release(&out);
    assert_int_equal(parse(s, row, strlen(row), &e), -(int)ERR_CORRUPT);
    err_clear(&e);
    assert_int_equal(parse(s, lost, strlen(lost), &e), -(int)ERR_CORRUPT);
    assert_non_null(strstr(e.text, "field table"));
}

static void json_in__same_columns_again__give_the_same_shape(void **state)
{
    struct scene *s = *state;
    static const char one[] = "{\"op\":\"insert\",\"db\":\"d\",\"table\":\"t\",\"key\":\"k\",\"after\":{\"a\":1}," TAIL;
    static const char two[] =
        "{\"op\":\"insert\",\"db\":\"d\",\"table\":\"t\",\"key\":\"l\",\"after\":{\"a\":\"x\"}," TAIL;
    static const char none[] = "{\"op\":\"insert\",\"db\":\"d\",\"table\":\"t\",\"key\":\"l\",\"after\":{}," TAIL;
    assert_int_equal(parse(s, one, sizeof one - 1, NULL), 0);
    const struct shape *first = s->chg.shape;
    assert_int_equal(parse(s, two, sizeof two - 1, NULL), 0);
    assert_ptr_equal(first, s->chg.shape);
    assert_int_equal(parse(s, none, sizeof none - 1, NULL), 0);
    assert_ptr_not_equal(first, s->chg.shape);
    assert_string_equal(s->chg.shape->codec->name, "json");
}

static void json_in__every_truncation__is_corrupt(void **state)
{
    struct scene *s = *state;
    static const char line[] =
        "{\"op\":\"update\",\"db\":\"d\",\"table\":\"t\",\"key\":{\"base64\":\"/w==\"},\"pk\":{\"a\":1},"
        "\"before\":{\"a\":1,\"b\":\"\\u00e9\\n\"},\"after\":{\"b\":{\"base64\":\"YQ==\"}},"
        "\"absent_after\":[\"a\"]," TAIL;
    assert_int_equal(parse(s, line, sizeof line - 1, NULL), 0);
    for (size_t len = 0; len < sizeof line - 1; len++) {
        struct err e = ERR_INIT;
        assert_int_equal(parse(s, line, len, &e), -ERR_CORRUPT);
    }
}

static void json_in__wrong_field__is_named(void **state)
{
    struct scene *s = *state;
    static const struct {
        int line;
        const char *text, *part;
    } cases[] = {
        {__LINE__, "[]", "op"},
        {__LINE__, "{\"op\":\"upsert\"}", "field op"},
        {__LINE__, "{\"op\":\"insert\"}", "field key"},
        {__LINE__, "{\"op\":\"insert\",\"key\":1}", "field key"},
        {__LINE__, "{\"op\":\"insert\",\"key\":\"k\"}", "field ts_us"},
        {__LINE__, "{\"op\":\"insert\",\"key\":\"k\",\"ts_us\":\"1x\"}", "field ts_us"},
        {__LINE__, "{\"op\":\"insert\",\"key\":\"k\",\"ts_us\":1.5}", "field ts_us"},
        {__LINE__, "{\"op\":\"insert\",\"key\":\"k\",\"gtid\":\"zz\",\"ts_us\":1,\"pos\":1}", "field gtid"},
        {__LINE__, "{\"op\":\"insert\",\"key\":\"k\",\"ts_us\":1,\"pos\":1,\"commit_precision\":\"ms\"}",
         "field commit_precision"},
        {__LINE__, "{\"op\":\"insert\",\"key\":\"k\",\"db\":\"d\"," TAIL, "field table"},
        {__LINE__, "{\"op\":\"insert\",\"key\":\"k\",\"db\":\"d\",\"table\":\"t\"," TAIL, "field after"},
        {__LINE__, "{\"op\":\"delete\",\"key\":\"k\",\"db\":\"d\",\"table\":\"t\",\"after\":{}," TAIL, "field before"},
        {__LINE__, "{\"op\":\"insert\",\"key\":\"k\",\"half\":\"both\",\"db\":\"d\",\"table\":\"t\",\"after\":{}," TAIL,
         "field half"},
        {__LINE__, "{\"op\":\"insert\",\"key\":\"k\",\"db\":\"d\",\"table\":\"t\",\"pk\":{\"z\":1},\"after\":{}," TAIL,
         "field pk"},
        {__LINE__, "{\"op\":\"insert\",\"key\":\"k\",\"db\":\"d\",\"table\":\"t\",\"after\":[]," TAIL, "field after"},
        {__LINE__,
         "{\"op\":\"update\",\"key\":\"k\",\"db\":\"d\",\"table\":\"t\",\"before\":{\"a\":1,\"b\":1},"
         "\"after\":{\"b\":1,\"a\":1}," TAIL,
         "different orders"},
        {__LINE__, "{\"op\":\"insert\",\"op\":\"insert\"}", "not JSON"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err e = ERR_INIT;
        if (parse(s, cases[i].text, strlen(cases[i].text), &e) != -ERR_CORRUPT || !strstr(e.text, cases[i].part))
            fail_msg("line %d: %s", cases[i].line, e.text);
    }
}

static void json_in__wrong_value__is_corrupt_with_its_column(void **state)
{
    struct scene *s = *state;
    static const char *const values[] = {"true",
                                         "[1,\"a\"]",
                                         "[[1]]",
                                         "[1e99]",
                                         "[null]",
                                         "{\"wkb\":\"AA==\"}",
                                         "{\"wkb\":\"AA==\",\"srid\":-1}",
                                         "{\"wkb\":\"AA==\",\"srid\":4294967296}",
                                         "{\"wkb\":\"AA=\",\"srid\":1}",
                                         "{\"wkb\":\"AA==\",\"srid\":1,\"x\":2}",
                                         "{\"type\":\"Point\",\"coordinates\":[1,2]}",
                                         "{\"base64\":\"a\"}",
                                         "{\"base64\":1}",
                                         "{\"x\":\"\"}",
                                         "{}",
                                         "{\"base64\":\"YQ==\",\"x\":1}",
                                         "1.0000000000000000000000000000000000000000001"};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        char line[512];
        struct value out;
        struct err e = ERR_INIT;
        int len = snprintf(line, sizeof line,
                           "{\"op\":\"insert\",\"db\":\"d\",\"table\":\"t\",\"key\":\"k\",\"after\":{\"a\":%s},%s",
                           values[i], TAIL);
        assert_int_equal(parse(s, line, (size_t)len, &e), 0);
        assert_int_equal(change_values(&s->chg, SIDE_AFTER, NULL, &out, &s->arena, &e), -ERR_CORRUPT);
        assert_non_null(strstr(e.text, "column 1 (a)"));
    }
}

static void json_in__arena_ends_anywhere__is_no_memory(void **state)
{
    struct scene *s = *state;
    static const char line[] =
        "{\"op\":\"update\",\"db\":\"d\",\"table\":\"t\",\"key\":\"k\\u0000\\\"\",\"pk\":{\"a\":1},"
        "\"before\":{\"a\":1,\"b\":\"\\u00e9\\n\"},\"after\":{\"b\":{\"base64\":\"YQ==\"}},"
        "\"absent_after\":[\"a\"]," TAIL;
    int rc = -1;
    for (size_t cap = 8; rc != 0; cap += 8) {
        struct arena arena;
        struct err e = ERR_INIT;
        arena_init(&arena, 8, 0, cap);
        rc = json_in_change(line, sizeof line - 1, s->cache, &s->chg, &s->tx, &arena, &e);
        assert_true(rc == 0 || rc == -ERR_NO_MEMORY);
        arena_release(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_in__partial_images__merge_into_one_order),
        cmocka_unit_test(json_in__truncate__names_its_table_and_comes_out_as_it_was),
        cmocka_unit_test(json_in__same_columns_again__give_the_same_shape),
        cmocka_unit_test(json_in__every_truncation__is_corrupt),
        cmocka_unit_test(json_in__wrong_field__is_named),
        cmocka_unit_test(json_in__wrong_value__is_corrupt_with_its_column),
        cmocka_unit_test(json_in__arena_ends_anywhere__is_no_memory),
    };
    return cmocka_run_group_tests_name("json_in", tests, setup, teardown);
}
