/* Rows written through into a real Redis: what is there, which rows, for how long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sink/redis/write.h"
#include "tools/write_scene.h"

/* ---------------------------------------------------------------- forms */

static void write__each_form__is_what_the_row_says(void **state)
{
    (void)state;
    static const char *const renamed[] = {"user_id as who", "order_id"};
    static const struct {
        struct redis_route_options route;
        const char *ask, *full, *null;
    } cases[] = {
        {{.write = {.as = REDIS_JSON}},
         "GET order:1",
         "{\"order_id\":1,\"user_id\":10}",
         "{\"order_id\":1,\"user_id\":null}"},
        {{.write = {.as = REDIS_JSON, .columns = {renamed, NULL, 2}}},
         "GET order:1",
         "{\"who\":10,\"order_id\":1}",
         "{\"who\":null,\"order_id\":1}"},
        {{.write = {.as = REDIS_HASH}}, "HGETALL order:1", "order_id 1 user_id 10", "order_id 1"},
        {{.write = {.as = REDIS_HASH, .columns = {renamed, NULL, 1}}}, "HGETALL order:1", "who 10", ""},
        {{.write = {.as = REDIS_TEXT, .text = "<{order_id}> of {user_id|default:nobody}"}},
         "GET order:1",
         "<1> of 10",
         "<1> of nobody"},
        {{.write = {.as = REDIS_TEXT, .text = "of {user_id}"}}, "GET order:1", "of 10", "-"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct redis_scene s;
        if (!write_scene_init(&s, &cases[i].route))
            skip();
        APPLIED(&s, {CHANGE_INSERT, 0, NONE, {1, 10}, 7});
        expect(&s, cases[i].ask, cases[i].full);
        APPLIED(&s, {CHANGE_UPDATE, 0, {1, 10}, {1, SAMPLE_NULL}, 8});
        expect(&s, cases[i].ask, cases[i].null);
        APPLIED(&s, {CHANGE_UPDATE, 0, {1, SAMPLE_NULL}, {1, 10}, 9});
        expect(&s, cases[i].ask, cases[i].full);
        redis_scene_release(&s);
    }
}

static void write__column_that_the_image_lacks__stops(void **state)
{
    (void)state;
    static const struct redis_route_options route = {.write = {.as = REDIS_JSON}};
    static const struct write_step step = {CHANGE_INSERT, 0, NONE, {1, SAMPLE_ABSENT}, 7};
    struct redis_scene s;
    struct err e = ERR_INIT;
    if (!write_scene_init(&s, &route))
        skip();
    assert_int_equal(write_scene_apply(&s, &step, 1, &e), -(int)ERR_ROW_IMAGE);
    assert_non_null(strstr(e.text, "user_id"));
    expect(&s, "DBSIZE", "0");
    redis_scene_release(&s);
}

static void write__what_a_route_may_not_say__is_refused(void **state)
{
    (void)state;
    static const char *const twice[] = {"user_id", "order_id as user_id"}, *const none[] = {"nothing"};
    static const char *const bad[] = {"user_id as "};
    static const struct {
        struct redis_route_options route;
        const char *says;
    } cases[] = {
        {{.mode = REDIS_FENCE}, "invalidate"},
        {{.mode = REDIS_WRITE}, "write"},
        {{.mode = REDIS_INVALIDATE, .invalidate = {none, NULL, 1}, .write = {.key = "k"}}, "mode"},
        {{.mode = REDIS_INVALIDATE, .invalidate = {none, NULL, 1}, .write = {.ttl_ms = 1}}, "ttl_ms"},
        {{.mode = REDIS_FENCE, .invalidate = {none, NULL, 1}, .write = {.on_delete = REDIS_KEEP}}, "on_delete"},
        {{.mode = REDIS_WRITE, .write = {.key = "k", .as = REDIS_TEXT}}, "text"},
        {{.mode = REDIS_WRITE, .write = {.key = "k", .as = REDIS_JSON, .text = "t"}}, "text"},
        {{.mode = REDIS_WRITE, .write = {.key = "k", .as = REDIS_TEXT, .text = "t", .columns = {none, NULL, 1}}},
         "columns"},
        {{.mode = REDIS_WRITE, .write = {.key = "k", .ttl_jitter_ms = 1}}, "ttl_jitter_ms"},
        {{.mode = REDIS_WRITE, .write = {.key = "k", .columns = {twice, NULL, 2}}}, "one name"},
        {{.mode = REDIS_WRITE, .write = {.key = "k", .columns = {none, NULL, 1}}}, "nothing"},
        {{.mode = REDIS_WRITE, .write = {.key = "k", .columns = {bad, NULL, 1}}}, "columns"},
    };
    struct sample *sample = sample_new("shop", "orders", 0);
    const struct redis_options opt = {.url = "redis://h"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct redis_route_options route = cases[i].route;
        struct err e = ERR_INIT;
        void *bind = NULL;
        int rc = sink_redis.ready(&route, NULL, &e);
        if (rc == 0)
            rc = sink_redis.bind(&bind, &opt, &route, sample_shape(sample)->tbl, &e);
        if (rc == 0 || err_class(&e) != ERR_CLASS_USAGE || !strstr(e.text, cases[i].says))
            fail_msg("case %zu: %s", i, e.text);
    }
    sample_free(sample);
}

static void write__routes_that_meet__are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *keys[2], *tables[2];
        enum on_truncate on_truncate;
        const char *says; /* NULL: fine */
    } cases[] = {
        {{"o:{id}", "o:{id}"}, {"orders", "orders"}, ON_TRUNCATE_STOP, "writes this key already"},
        {{"o:{id}", "o:{user_id}"}, {"orders", "orders"}, ON_TRUNCATE_STOP, NULL},
        {{"o:{id}", "o:{user_id}"}, {"orders", "orders"}, ON_TRUNCATE_SWEEP, "keys of this form"},
        {{"o:{id}", "o:{id}"}, {"orders", "old_orders"}, ON_TRUNCATE_STOP, NULL},
        {{"o:{id}", "o:{id}"}, {"orders", "old_orders"}, ON_TRUNCATE_SWEEP, "keys of this form"},
        {{"o:{id}", "o:{id}:name"}, {"orders", "orders"}, ON_TRUNCATE_SWEEP, NULL},
        {{"o:{id}", "u:{id}"}, {"orders", "users_*"}, ON_TRUNCATE_SWEEP, "one table"},
        {{"o:{id}", "u:{id}"}, {"orders", "users_*"}, ON_TRUNCATE_STOP, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct redis_options opt = {.url = "redis://h"};
        struct redis_route_options options[2];
        struct route routes[2];
        struct err e = ERR_INIT;
        for (int k = 0; k < 2; k++) {
            options[k] = (struct redis_route_options){.mode = REDIS_WRITE, .write = {.key = cases[i].keys[k]}};
            routes[k] = (struct route){.db = "shop",
                                       .table = cases[i].tables[k],
                                       .sink_mask = 1,
                                       .on_truncate = k ? cases[i].on_truncate : ON_TRUNCATE_STOP,
                                       .sink_options = {&options[k]}};
        }
        int rc = sink_redis.check_routes(&opt, routes, 2, 0, &e);
        if ((rc == 0) != !cases[i].says || (rc != 0 && !strstr(e.text, cases[i].says)))
            fail_msg("case %zu: %s", i, e.text);
    }
}

/* ---------------------------------------------------------------- sets of rows */

static void write__when__rows_are_there_while_it_holds(void **state)
{
    (void)state;
    static const char *const when[] = {"user_id = 5"};
    static const struct redis_route_options route = {.when = {when, NULL, 1},
                                                     .write = {.as = REDIS_TEXT, .text = "{user_id}"}};
    struct redis_scene s;
    if (!write_scene_init(&s, &route))
        skip();
    APPLIED(&s, {CHANGE_INSERT, 0, NONE, {1, 4}, 1});
    expect(&s, "DBSIZE", "0");
    APPLIED(&s, {CHANGE_UPDATE, 0, {1, 4}, {1, 5}, 2});
    expect(&s, "GET order:1", "5");
    APPLIED(&s, {CHANGE_UPDATE, 0, {1, 5}, {1, 6}, 3});
    expect(&s, "GET order:1", "-");
    APPLIED(&s, {CHANGE_UPDATE, 0, {1, 6}, {2, 5}, 4});
    expect(&s, "GET order:2", "5");
    APPLIED(&s, {CHANGE_DELETE, 0, {1, 6}, NONE, 5}, {CHANGE_DELETE, 0, {2, 5}, NONE, 6});
    expect(&s, "EXISTS order:1 order:2", "0");
    redis_scene_release(&s);
}

static void write__when_changed__others_leave_the_value(void **state)
{
    (void)state;
    static const char *const when[] = {"user_id changed", "order_id != 9"};
    static const struct redis_route_options route = {.when = {when, NULL, 2}, .write = {.as = REDIS_HASH}};
    struct redis_scene s;
    if (!write_scene_init(&s, &route))
        skip();
    APPLIED(&s, {CHANGE_INSERT, 0, NONE, {1, 4}, 1});
    APPLIED(&s, {CHANGE_UPDATE, 0, {1, 4}, {1, 4}, 2});
    expect(&s, "GETRANGE sluice:version:{order:1} 0 41", "00000001.0000000000000001.0000000000000000");
    APPLIED(&s, {CHANGE_UPDATE, 0, {1, 4}, {2, 4}, 3});
    expect(&s, "EXISTS order:1", "0");
    expect(&s, "HGETALL order:2", "order_id 2 user_id 4");
    APPLIED(&s, {CHANGE_UPDATE, 0, {2, 4}, {9, 4}, 4});
    expect(&s, "EXISTS order:2 order:9", "0");
    redis_scene_release(&s);
}

/* ---------------------------------------------------------------- ends */

static void write__ttl__ends_key_by_key_and_the_record_later(void **state)
{
    (void)state;
    static const struct redis_route_options route = {
        .write = {.as = REDIS_HASH, .ttl_ms = 100000, .ttl_jitter_ms = 50000}};
    struct write_step steps[64];
    char command[64];
    long long low = INT64_MAX, high = 0;
    struct redis_scene s;
    if (!write_scene_init(&s, &route))
        skip();
    for (int i = 0; i < 64; i++)
        steps[i] = (struct write_step){CHANGE_INSERT, 0, NONE, {i + 1, 5}, (uint64_t)i + 1};
    write_scene_applied(&s, steps, 64);
    for (int i = 1; i <= 64; i++) {
        snprintf(command, sizeof command, "PTTL order:%d", i);
        long long left = private_redis_call(&s.redis, command);
        snprintf(command, sizeof command, "PTTL sluice:version:{order:%d}", i);
        assert_in_range(private_redis_call(&s.redis, command) - left, WRITE_TOMBSTONE_MS - 1000,
                        WRITE_TOMBSTONE_MS + 1000);
        low = left < low ? left : low;
        high = left > high ? left : high;
    }
    assert_in_range(low, 70000, 120000);
    assert_in_range(high, 130000, 150000);
    redis_scene_release(&s);
}

static void write__on_delete__value_goes_later_or_stays(void **state)
{
    (void)state;
    static const struct redis_route_options expires = {
        .write = {.as = REDIS_HASH, .on_delete = REDIS_EXPIRE, .expire_ms = 40000}};
    static const struct redis_route_options keeps = {.write = {.as = REDIS_HASH, .on_delete = REDIS_KEEP}};
    struct redis_scene s;
    if (!write_scene_init(&s, &expires))
        skip();
    APPLIED(&s, {CHANGE_INSERT, 0, NONE, {1, 4}, 1});
    APPLIED(&s, {CHANGE_DELETE, 0, {1, 4}, NONE, 2});
    write_scene_expect_between(&s, "PTTL order:1", 10000, 40000);
    write_scene_expect_between(&s, "PTTL sluice:version:{order:1}", WRITE_TOMBSTONE_MS + 10000,
                               WRITE_TOMBSTONE_MS + 40000);
    redis_scene_release(&s);
    assert_true(write_scene_init(&s, &keeps));
    APPLIED(&s, {CHANGE_INSERT, 0, NONE, {1, 4}, 1});
    APPLIED(&s, {CHANGE_DELETE, 0, {1, 4}, NONE, 3});
    APPLIED(&s, {CHANGE_INSERT, 0, NONE, {1, 5}, 2});
    expect(&s, "HGETALL order:1", "order_id 1 user_id 4");
    expect(&s, "PTTL sluice:version:{order:1}", "-1");
    redis_scene_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(write__each_form__is_what_the_row_says),
        cmocka_unit_test(write__column_that_the_image_lacks__stops),
        cmocka_unit_test(write__what_a_route_may_not_say__is_refused),
        cmocka_unit_test(write__when__rows_are_there_while_it_holds),
        cmocka_unit_test(write__when_changed__others_leave_the_value),
        cmocka_unit_test(write__ttl__ends_key_by_key_and_the_record_later),
        cmocka_unit_test(write__on_delete__value_goes_later_or_stays),
        cmocka_unit_test(write__routes_that_meet__are_refused),
    };
    return cmocka_run_group_tests_name("redis_write", tests, NULL, NULL);
}
