/* Conditions of routes: what they say, and for which changes they hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sink/redis/condition.h"
#include "tools/sample.h"

#define NONE                                                                                                           \
    {                                                                                                                  \
        SAMPLE_ABSENT, SAMPLE_ABSENT                                                                                   \
    } /* no image */
#define NULL_  SAMPLE_NULL
#define ABSENT SAMPLE_ABSENT

static bool is_none(const struct sample_row *row)
{
    return row->order_id == SAMPLE_ABSENT;
}

/* 1, 0, or negative. */
static int holds(const char *source, enum change_op op, const struct sample_row *before, const struct sample_row *after)
{
    struct redis_condition condition;
    struct sample_change change;
    struct arena arena;
    struct buf text;
    struct sample *sample = sample_new("shop", "orders", 0);
    sample_change(&change, sample, op, is_none(before) ? NULL : before, is_none(after) ? NULL : after);
    assert_int_equal(redis_condition_compile(&condition, source, NULL), 0);
    assert_int_equal(redis_condition_bind(&condition, sample_shape(sample)->tbl, NULL), 0);
    arena_init(&arena, 0, 65536, 0);
    buf_init(&text, 0);
    int rc = redis_conditions_hold(&condition, 1, &change.chg, &arena, &text, NULL);
    buf_release(&text);
    arena_release(&arena);
    redis_condition_release(&condition);
    sample_free(sample);
    return rc;
}

static void condition__table_of_changes__holds_or_not(void **state)
{
    (void)state;
    static const struct {
        int line;
        const char *source;
        enum change_op op;
        struct sample_row before, after;
        int expected;
    } cases[] = {
        {__LINE__, "user_id changed", CHANGE_INSERT, NONE, {1, 5}, 1},
        {__LINE__, "user_id changed", CHANGE_DELETE, {1, 5}, NONE, 1},
        {__LINE__, "user_id changed", CHANGE_UPDATE, {1, 5}, {2, 5}, 0},
        {__LINE__, "user_id changed", CHANGE_UPDATE, {1, 5}, {1, 6}, 1},
        {__LINE__, "user_id changed", CHANGE_UPDATE, {1, 5}, {1, 55}, 1},
        {__LINE__, "user_id changed", CHANGE_UPDATE, {1, NULL_}, {2, NULL_}, 0},
        {__LINE__, "user_id changed", CHANGE_UPDATE, {1, NULL_}, {1, 5}, 1},
        {__LINE__, "user_id changed", CHANGE_UPDATE, {1, 5}, {1, NULL_}, 1},
        {__LINE__, "user_id changed", CHANGE_UPDATE, {1, 5}, {1, ABSENT}, 0},
        {__LINE__, "user_id changed", CHANGE_UPDATE, {1, ABSENT}, {1, 5}, 1},
        {__LINE__, "user_id changed", CHANGE_UPDATE, {1, ABSENT}, {1, ABSENT}, 0},
        {__LINE__, "user_id|default:5 changed", CHANGE_UPDATE, {1, NULL_}, {1, 5}, 0},
        {__LINE__, "user_id = 5", CHANGE_INSERT, NONE, {1, 5}, 1},
        {__LINE__, "user_id=5", CHANGE_INSERT, NONE, {1, 5}, 1},
        {__LINE__, "user_id = 5", CHANGE_INSERT, NONE, {1, 55}, 0},
        {__LINE__, "user_id = 5", CHANGE_INSERT, NONE, {1, NULL_}, 0},
        {__LINE__, "user_id = 5", CHANGE_DELETE, {1, 5}, NONE, 1},
        {__LINE__, "user_id = 5", CHANGE_UPDATE, {1, 5}, {1, 6}, 1},
        {__LINE__, "user_id = 5", CHANGE_UPDATE, {1, 6}, {1, 5}, 1},
        {__LINE__, "user_id = 5", CHANGE_UPDATE, {1, 6}, {2, 6}, 0},
        {__LINE__, "user_id = 5", CHANGE_UPDATE, {1, 6}, {1, ABSENT}, 0},
        {__LINE__, "user_id = 5", CHANGE_UPDATE, {1, ABSENT}, {1, 6}, 1},
        {__LINE__, "user_id = 5", CHANGE_UPDATE, {1, ABSENT}, {1, ABSENT}, 1},
        {__LINE__, "user_id != 5", CHANGE_INSERT, NONE, {1, 5}, 0},
        {__LINE__, "user_id != 5", CHANGE_INSERT, NONE, {1, NULL_}, 1},
        {__LINE__, "user_id != 5", CHANGE_UPDATE, {1, 5}, {1, 6}, 1},
        {__LINE__, "user_id in 5, 6 ,7", CHANGE_INSERT, NONE, {1, 6}, 1},
        {__LINE__, "user_id in 5, 6 ,7", CHANGE_INSERT, NONE, {1, 7}, 1},
        {__LINE__, "user_id in 5, 6 ,7", CHANGE_INSERT, NONE, {1, 8}, 0},
        {__LINE__, "user_id is null", CHANGE_INSERT, NONE, {1, NULL_}, 1},
        {__LINE__, "user_id is null", CHANGE_INSERT, NONE, {1, 5}, 0},
        {__LINE__, "user_id is null", CHANGE_UPDATE, {1, NULL_}, {1, 5}, 1},
        {__LINE__, "user_id is not null", CHANGE_INSERT, NONE, {1, NULL_}, 0},
        {__LINE__, "user_id is not null", CHANGE_DELETE, {1, 5}, NONE, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int rc = holds(cases[i].source, cases[i].op, &cases[i].before, &cases[i].after);
        if (rc != cases[i].expected)
            fail_msg("line %d: %d", cases[i].line, rc);
    }
}

static void condition__not_one_of_the_forms__is_told(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",           " ",         "status",        "= 5",          "status =",
                                        "status > 5", "status in", "status in 5,",  "status in ,5", "status is",
                                        "status ! 5", "in 5",      "status changes"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct redis_condition condition;
        struct err e = ERR_INIT;
        if (redis_condition_compile(&condition, wrong[i], &e) != -(int)ERR_CONFIG_VALUE)
            fail_msg("\"%s\": %s", wrong[i], e.text);
        assert_non_null(strstr(e.text, wrong[i]));
    }
}

static void condition__column_that_the_table_lacks__is_told(void **state)
{
    (void)state;
    struct redis_condition condition;
    struct err e = ERR_INIT;
    struct sample *sample = sample_new("shop", "orders", 0);
    assert_int_equal(redis_condition_compile(&condition, "status changed", NULL), 0);
    assert_true(redis_condition_bind(&condition, sample_shape(sample)->tbl, &e) < 0);
    assert_non_null(strstr(e.text, "status"));
    redis_condition_release(&condition);
    sample_free(sample);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(condition__table_of_changes__holds_or_not),
        cmocka_unit_test(condition__not_one_of_the_forms__is_told),
        cmocka_unit_test(condition__column_that_the_table_lacks__is_told),
    };
    return cmocka_run_group_tests_name("redis condition", tests, NULL, NULL);
}
