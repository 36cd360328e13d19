/* Fences on a real Redis: what a change leaves there. The scripts of applications are tested by test_redis_fence.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sink/redis/fence.h"
#include "tools/redis_scene.h"

#define HOLD_MS     200
#define MAX_FILL_MS 30000
#define TEXT_MAX    256

static bool scene_init(struct redis_scene *s, const char *tpl)
{
    const struct redis_options opt = {.hold_ms = HOLD_MS, .max_fill_ms = MAX_FILL_MS};
    const struct redis_route_options route = {.invalidate = {&tpl, NULL, 1}, .mode = REDIS_FENCE};
    return redis_scene_init(s, &opt, &route);
}

static void record_of(struct redis_scene *s, const char *name, char out[TEXT_MAX])
{
    redisReply *reply = redisCommand(s->redis.client, "GET %s", name);
    assert_non_null(reply);
    snprintf(out, TEXT_MAX, "%s", reply->type == REDIS_REPLY_STRING ? reply->str : "");
    freeReplyObject(reply);
}

static void fence__change__removes_the_key_and_writes_a_new_token(void **state)
{
    (void)state;
    struct redis_scene s;
    char records[10][TEXT_MAX], again[TEXT_MAX], name[64];
    if (!scene_init(&s, "order:{order_id}"))
        skip();
    for (int i = 0; i < 10; i++)
        private_redis_call(&s.redis, "SET order:%d stale", i);
    assert_int_equal(redis_scene_insert(&s, 0, 10), 0);
    assert_int_equal(private_redis_call(&s.redis, "DBSIZE"), 10);
    for (int i = 0; i < 10; i++) {
        unsigned long long at = 0, hold = 0;
        snprintf(name, sizeof name, "sluice:fence:{order:%d}", i);
        record_of(&s, name, records[i]);
        assert_int_equal(sscanf(records[i], "%*s %llu %llu", &at, &hold), 2);
        assert_int_equal(hold, HOLD_MS);
        assert_in_range((uint64_t)env_now_us(&s.env) / 1000 - at, 0, 60000);
        assert_in_range(private_redis_call(&s.redis, "PTTL %s", name), 1, HOLD_MS + MAX_FILL_MS);
        for (int k = 0; k < i; k++)
            assert_int_not_equal(strcspn(records[k], " "), 0);
        for (int k = 0; k < i; k++)
            assert_memory_not_equal(records[i], records[k], strcspn(records[i], " ") + 1);
    }
    assert_int_equal(redis_scene_insert(&s, 9, 1), 0);
    record_of(&s, name, again);
    assert_memory_not_equal(again, records[9], strcspn(again, " ") + 1);
    redis_scene_release(&s);
}

static void fence__key_with_a_hash_tag__has_its_record_in_one_slot(void **state)
{
    (void)state;
    struct redis_scene s;
    char record[TEXT_MAX];
    if (!scene_init(&s, "{{shop}}:order:{order_id}"))
        skip();
    private_redis_call(&s.redis, "SET {shop}:order:7 stale");
    assert_int_equal(redis_scene_insert(&s, 7, 1), 0);
    assert_int_equal(private_redis_call(&s.redis, "EXISTS {shop}:order:7"), 0);
    record_of(&s, "sluice:fence:{shop}:order:7", record);
    assert_true(strlen(record) > 0);
    redis_scene_release(&s);
}

static void fence__scripts_flushed__is_tried_again_and_loads_them(void **state)
{
    (void)state;
    struct redis_scene s;
    if (!scene_init(&s, "order:{order_id}"))
        skip();
    assert_int_equal(redis_scene_insert(&s, 1, 1), 0);
    redisReply *reply = redisCommand(s.redis.client, "SCRIPT FLUSH");
    freeReplyObject(reply);
    private_redis_call(&s.redis, "SET order:2 stale");
    assert_int_equal(redis_scene_insert(&s, 2, 1), -(int)ERR_SINK_NOT_READY);
    assert_int_equal(redis_scene_insert(&s, 2, 1), 0);
    assert_int_equal(private_redis_call(&s.redis, "EXISTS order:2"), 0);
    redis_scene_release(&s);
}

static void fence__no_memory_for_a_record__the_old_one_goes_and_the_key(void **state)
{
    (void)state;
    struct redis_scene s;
    if (!scene_init(&s, "order:{order_id}"))
        skip();
    assert_int_equal(redis_scene_insert(&s, 1, 1), 0);
    private_redis_call(&s.redis, "SET order:1 stale");
    redisReply *reply = redisCommand(s.redis.client, "CONFIG SET maxmemory 1");
    assert_int_equal(reply->type, REDIS_REPLY_STATUS);
    freeReplyObject(reply);
    assert_int_equal(redis_scene_insert(&s, 1, 1), 0);
    assert_int_equal(private_redis_call(&s.redis, "DBSIZE"), 0);
    redis_scene_release(&s);
}

static void fence__old_values_wanted__the_key_is_renamed_for_so_long(void **state)
{
    (void)state;
    struct redis_scene s;
    char old[TEXT_MAX];
    if (!scene_init(&s, "order:{order_id}"))
        skip();
    s.opt.old_ms = 5000;
    private_redis_call(&s.redis, "SET order:1 first");
    private_redis_call(&s.redis, "SET sluice:old:{order:2} before");
    assert_int_equal(redis_scene_insert(&s, 1, 2), 0);
    assert_int_equal(private_redis_call(&s.redis, "EXISTS order:1"), 0);
    record_of(&s, "sluice:old:{order:1}", old);
    assert_string_equal(old, "first");
    assert_in_range(private_redis_call(&s.redis, "PTTL sluice:old:{order:1}"), 1, 5000);
    record_of(&s, "sluice:old:{order:2}", old); /* there was no key: what was before it stays */
    assert_string_equal(old, "before");
    struct change chg = {.op = CHANGE_TRUNCATE, .db = "shop", .table = "orders"};
    struct item item = {.chg = &chg, .bind = s.route};
    assert_int_equal(sink_redis.apply(s.snk, &item, 1, NULL), 0);
    assert_int_equal(private_redis_call(&s.redis, "DBSIZE"), 0);
    redis_scene_release(&s);
}

static void fence__truncate__no_record_is_left_to_fill_by(void **state)
{
    (void)state;
    struct redis_scene s;
    struct err e = ERR_INIT;
    if (!scene_init(&s, "order:{order_id}"))
        skip();
    assert_int_equal(redis_scene_insert(&s, 0, 5), 0);
    for (int i = 0; i < 3; i++)
        private_redis_call(&s.redis, "SET order:%d stale", i);
    private_redis_call(&s.redis, "SET border:1 stays");
    private_redis_call(&s.redis, "SET sluice:fence:{border:1} stays");
    struct change chg = {.op = CHANGE_TRUNCATE, .db = "shop", .table = "orders"};
    struct item item = {.chg = &chg, .bind = s.route};
    assert_int_equal(sink_redis.apply(s.snk, &item, 1, &e), 0);
    assert_int_equal(private_redis_call(&s.redis, "DBSIZE"), 2);
    redis_scene_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fence__change__removes_the_key_and_writes_a_new_token),
        cmocka_unit_test(fence__key_with_a_hash_tag__has_its_record_in_one_slot),
        cmocka_unit_test(fence__scripts_flushed__is_tried_again_and_loads_them),
        cmocka_unit_test(fence__no_memory_for_a_record__the_old_one_goes_and_the_key),
        cmocka_unit_test(fence__old_values_wanted__the_key_is_renamed_for_so_long),
        cmocka_unit_test(fence__truncate__no_record_is_left_to_fill_by),
    };
    return cmocka_run_group_tests_name("redis fence", tests, NULL, NULL);
}
