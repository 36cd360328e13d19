/* Which keys a change makes stale. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sink/redis/keys.h"
#include "tools/sample.h"

static const char *const two_templates[] = {"order:{order_id}", "user:{user_id}"};
static const struct redis_options opt = {.url = "redis://h"};

struct fixture {
    struct sample *sample;
    void *route;
    struct redis_keys keys;
};

static void fixture_init(struct fixture *f, const char *const *templates, size_t count)
{
    const struct redis_route_options route_options = {.invalidate = {templates, NULL, count}};
    f->sample = sample_new("shop", "orders", 0);
    assert_int_equal(sink_redis.bind(&f->route, &opt, &route_options, sample_shape(f->sample)->tbl, NULL), 0);
    assert_int_equal(redis_keys_init(&f->keys, NULL), 0);
}

static void fixture_release(struct fixture *f)
{
    redis_keys_release(&f->keys);
    sink_redis.unbind(f->route);
    sample_free(f->sample);
}

static int compare_text(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* The gathered keys, sorted, with spaces between. */
#define TEXT_MAX 256
static void keys_text(const struct redis_keys *keys, char out[TEXT_MAX])
{
    char sorted[16][32];
    assert_true(keys->count <= 16);
    for (size_t i = 0; i < keys->count; i++)
        snprintf(sorted[i], sizeof sorted[i], "%.*s", (int)keys->list[i].len,
                 (const char *)keys->bytes.p + keys->list[i].at);
    qsort(sorted, keys->count, sizeof sorted[0], compare_text);
    size_t n = 0;
    out[0] = '\0';
    for (size_t i = 0; i < keys->count; i++)
        n += (size_t)snprintf(out + n, TEXT_MAX - n, i ? " %s" : "%s", sorted[i]);
}

struct row {
    bool there;
    struct sample_row row;
};

static int add(struct fixture *f, enum change_op op, unsigned flags, const struct row *before, const struct row *after,
               struct err *e)
{
    struct sample_change change;
    sample_change(&change, f->sample, op, before->there ? &before->row : NULL, after->there ? &after->row : NULL);
    change.chg.flags = flags;
    return redis_keys_add(&f->keys, f->route, &change.chg, e);
}

static void redis_keys__table_of_changes__gives_the_stale_keys(void **state)
{
    (void)state;
    static const struct {
        int line;
        enum change_op op;
        unsigned flags;
        struct row before, after;
        const char *expected; /* NULL: ROW_IMAGE */
    } cases[] = {
        {__LINE__, CHANGE_INSERT, 0, {false, {0, 0}}, {true, {1, 10}}, "order:1 user:10"},
        {__LINE__, CHANGE_READ, 0, {false, {0, 0}}, {true, {1, 10}}, "order:1 user:10"},
        {__LINE__, CHANGE_DELETE, 0, {true, {1, 10}}, {false, {0, 0}}, "order:1 user:10"},
        {__LINE__, CHANGE_UPDATE, 0, {true, {1, 10}}, {true, {1, 10}}, "order:1 user:10"},
        {__LINE__, CHANGE_UPDATE, 0, {true, {1, 10}}, {true, {1, 11}}, "order:1 user:10 user:11"},
        {__LINE__, CHANGE_UPDATE, CHANGE_FROM, {true, {1, 10}}, {true, {2, 10}}, "order:1"},
        {__LINE__, CHANGE_UPDATE, CHANGE_TO, {true, {1, 10}}, {true, {2, 10}}, "order:2 user:10"},
        {__LINE__, CHANGE_UPDATE, CHANGE_FROM, {true, {1, 10}}, {true, {2, 11}}, "order:1 user:10"},
        {__LINE__, CHANGE_UPDATE, CHANGE_TO, {true, {1, 10}}, {true, {2, 11}}, "order:2 user:11"},
        {__LINE__, CHANGE_INSERT, 0, {false, {0, 0}}, {true, {1, SAMPLE_NULL}}, "order:1"},
        {__LINE__, CHANGE_UPDATE, 0, {true, {1, 10}}, {true, {1, SAMPLE_NULL}}, "order:1 user:10"},
        {__LINE__, CHANGE_UPDATE, CHANGE_FROM, {true, {1, SAMPLE_NULL}}, {true, {2, 10}}, "order:1"},
        {__LINE__, CHANGE_UPDATE, CHANGE_FROM, {true, {1, 10}}, {true, {2, SAMPLE_NULL}}, "order:1 user:10"},
        {__LINE__, CHANGE_UPDATE, 0, {true, {1, 10}}, {true, {2, SAMPLE_ABSENT}}, "order:1 order:2 user:10"},
        {__LINE__, CHANGE_UPDATE, CHANGE_FROM, {true, {1, 10}}, {true, {2, SAMPLE_ABSENT}}, "order:1"},
        {__LINE__, CHANGE_UPDATE, CHANGE_TO, {true, {1, 10}}, {true, {2, SAMPLE_ABSENT}}, "order:2 user:10"},
        {__LINE__, CHANGE_UPDATE, 0, {true, {1, SAMPLE_ABSENT}}, {true, {1, 10}}, NULL},
        {__LINE__, CHANGE_UPDATE, CHANGE_FROM, {true, {1, SAMPLE_ABSENT}}, {true, {2, 10}}, NULL},
        {__LINE__, CHANGE_UPDATE, 0, {true, {1, SAMPLE_ABSENT}}, {true, {1, SAMPLE_ABSENT}}, NULL},
        {__LINE__, CHANGE_INSERT, 0, {false, {0, 0}}, {true, {1, SAMPLE_ABSENT}}, NULL},
        {__LINE__, CHANGE_DELETE, 0, {true, {1, SAMPLE_ABSENT}}, {false, {0, 0}}, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fixture f;
        struct err e = ERR_INIT;
        char text[TEXT_MAX];
        fixture_init(&f, two_templates, 2);
        int rc = add(&f, cases[i].op, cases[i].flags, &cases[i].before, &cases[i].after, &e);
        keys_text(&f.keys, text);
        if (cases[i].expected ? rc != 0 || strcmp(text, cases[i].expected) != 0 : rc != -(int)ERR_ROW_IMAGE)
            fail_msg("line %d: %s, %s", cases[i].line, text, e.text);
        fixture_release(&f);
    }
}

static void redis_keys__equal_keys__are_kept_once_until_cleared(void **state)
{
    (void)state;
    const struct row none = {false, {0, 0}};
    struct fixture f;
    fixture_init(&f, two_templates, 2);
    for (unsigned round = 0; round < 3; round++) {
        uint64_t before = f.keys.coalesced;
        for (int32_t i = 0; i < 4000; i++) {
            const struct row row = {true, {i % 1000, 7}};
            assert_int_equal(add(&f, CHANGE_INSERT, 0, &none, &row, NULL), 0);
        }
        assert_int_equal(f.keys.count, 1001);
        assert_int_equal(f.keys.coalesced - before, 8000 - 1001);
        redis_keys_clear(&f.keys);
        for (size_t i = 0; i < REDIS_SLOTS; i++)
            assert_int_equal(f.keys.slots[i], 0);
    }
    fixture_release(&f);
}

static void redis_keys__enough_is_told__before_the_list_is_full(void **state)
{
    (void)state;
    const struct row none = {false, {0, 0}};
    struct fixture f;
    fixture_init(&f, two_templates, 2);
    int32_t rows = 0;
    for (; !redis_keys_are_enough(&f.keys); rows++) {
        const struct row row = {true, {rows, rows}};
        assert_int_equal(add(&f, CHANGE_INSERT, 0, &none, &row, NULL), 0);
    }
    assert_int_equal(rows, REDIS_KEYS_MAX / 2);
    fixture_release(&f);
}

static void redis_bind__bad_templates__are_configuration_errors(void **state)
{
    (void)state;
    static const struct {
        int line;
        const char *source;
        bool with_table;
        enum err_code code;
    } cases[] = {
        {__LINE__, "o:{order_id", false, ERR_TEMPLATE}, {__LINE__, "o:{order_id|nosuch}", false, ERR_TEMPLATE},
        {__LINE__, "o:{nosuch}", true, ERR_TEMPLATE},   {__LINE__, "o:{nosuch}", false, ERR_NONE},
        {__LINE__, "o:{order_id}", true, ERR_NONE},
    };
    struct sample *sample = sample_new("shop", "orders", 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct redis_route_options route_options = {.invalidate = {&cases[i].source, NULL, 1}};
        void *bind = NULL;
        const struct table *tbl = cases[i].with_table ? sample_shape(sample)->tbl : NULL;
        if (sink_redis.bind(&bind, &opt, &route_options, tbl, NULL) != -(int)cases[i].code)
            fail_msg("line %d", cases[i].line);
        sink_redis.unbind(bind);
    }
    struct redis_route_options none = {.invalidate = {NULL, NULL, 0}};
    assert_int_equal(sink_redis.ready(&none, NULL, NULL), -(int)ERR_CONFIG_VALUE);
    sample_free(sample);
}

static void redis_can_sweep__template_begins_with_a_column__is_a_configuration_error(void **state)
{
    (void)state;
    static const char *const good[] = {"o:{order_id}"}, *const bad[] = {"o:{order_id}", "{order_id}:x"};
    struct fixture f;
    fixture_init(&f, good, 1);
    assert_int_equal(sink_redis.can_sweep(f.route, NULL), 0);
    fixture_release(&f);
    fixture_init(&f, bad, 2);
    assert_int_equal(sink_redis.can_sweep(f.route, NULL), -(int)ERR_SINK_SWEEP);
    fixture_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(redis_keys__table_of_changes__gives_the_stale_keys),
        cmocka_unit_test(redis_keys__equal_keys__are_kept_once_until_cleared),
        cmocka_unit_test(redis_keys__enough_is_told__before_the_list_is_full),
        cmocka_unit_test(redis_bind__bad_templates__are_configuration_errors),
        cmocka_unit_test(redis_can_sweep__template_begins_with_a_column__is_a_configuration_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
