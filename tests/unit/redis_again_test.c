/* Second removals on a real Redis: what is due, when it is taken, and by whom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <poll.h>

#include "sink/redis/again.h"
#include "tools/redis_scene.h"

#define DELAY_MS 300
#define MAX_KEYS 5
#define DUE      "sluice:due:{cache}"

static bool scene_init(struct redis_scene *s, const char *tpl)
{
    const struct redis_options opt = {.second_delete_ms = DELAY_MS, .second_delete_max = MAX_KEYS, .has_second = true};
    const struct redis_route_options route = {.invalidate = {&tpl, NULL, 1}, .mode = REDIS_SECOND_DELETE};
    return redis_scene_init(s, &opt, &route);
}

/* Tends as a worker does, until all that is due is done, or `ms` are over. */
static void tend_for(struct redis_scene *s, int ms)
{
    int64_t end = env_mono_us(&s->env) + (int64_t)ms * 1000, due = 0;
    struct err e = ERR_INIT;
    while (env_mono_us(&s->env) < end) {
        if (env_mono_us(&s->env) >= due && sink_redis.tend(s->snk, &due, &e) != 0)
            fail_msg("%s", e.text);
        (void)poll(NULL, 0, 5);
    }
}

static long long due_keys(struct redis_scene *s)
{
    return private_redis_call(&s->redis, "ZCARD " DUE);
}

static void second__key_filled_behind_its_removal__goes_again_after_the_delay(void **state)
{
    (void)state;
    struct redis_scene s;
    if (!scene_init(&s, "order:{order_id}"))
        skip();
    private_redis_call(&s.redis, "SET order:1 stale");
    assert_int_equal(redis_scene_insert(&s, 1, 2), 0);
    assert_int_equal(private_redis_call(&s.redis, "EXISTS order:1"), 0);
    assert_int_equal(due_keys(&s), 2);
    private_redis_call(&s.redis, "SET order:1 stale");
    private_redis_call(&s.redis, "SET order:3 stays");
    tend_for(&s, DELAY_MS / 3);
    assert_int_equal(private_redis_call(&s.redis, "EXISTS order:1"), 1);
    tend_for(&s, DELAY_MS);
    assert_int_equal(private_redis_call(&s.redis, "EXISTS order:1"), 0);
    assert_int_equal(private_redis_call(&s.redis, "DBSIZE"), 1);
    redis_scene_release(&s);
}

static void second__newer_change__puts_it_off(void **state)
{
    (void)state;
    struct redis_scene s;
    if (!scene_init(&s, "order:{order_id}"))
        skip();
    assert_int_equal(redis_scene_insert(&s, 1, 1), 0);
    tend_for(&s, DELAY_MS * 2 / 3);
    assert_int_equal(redis_scene_insert(&s, 1, 1), 0);
    private_redis_call(&s.redis, "SET order:1 stale");
    tend_for(&s, DELAY_MS * 2 / 3);
    assert_int_equal(private_redis_call(&s.redis, "EXISTS order:1"), 1);
    tend_for(&s, DELAY_MS);
    assert_int_equal(private_redis_call(&s.redis, "DBSIZE"), 0);
    redis_scene_release(&s);
}

static void second__what_another_left__is_taken_at_once(void **state)
{
    (void)state;
    struct redis_scene s;
    if (!scene_init(&s, "order:{order_id}"))
        skip();
    assert_int_equal(redis_scene_insert(&s, 1, 1), 0);
    private_redis_call(&s.redis, "SET order:1 stale");
    (void)poll(NULL, 0, DELAY_MS + 20);
    redis_scene_open(&s, SINK_FOLLOWS);
    tend_for(&s, 20);
    assert_int_equal(private_redis_call(&s.redis, "DBSIZE"), 0);
    redis_scene_release(&s);
}

static void second__as_many_wait_as_may__changes_wait(void **state)
{
    (void)state;
    struct redis_scene s;
    int rc = 0, tries = 0;
    if (!scene_init(&s, "order:{order_id}"))
        skip();
    assert_int_equal(redis_scene_insert(&s, 0, MAX_KEYS), 0);
    private_redis_call(&s.redis, "SET order:9 stale");
    while ((rc = redis_scene_insert(&s, 9, 1)) == -(int)ERR_SINK_NOT_READY) {
        assert_true(tries++ < 100);
        assert_int_equal(private_redis_call(&s.redis, "EXISTS order:9"), 1);
        (void)poll(NULL, 0, 20);
    }
    assert_int_equal(rc, 0);
    assert_true(tries > 0);
    assert_int_equal(private_redis_call(&s.redis, "EXISTS order:9"), 0);
    assert_int_equal(due_keys(&s), 1);
    redis_scene_release(&s);
}

static void second__no_memory_to_note_a_key__is_tried_again(void **state)
{
    (void)state;
    struct redis_scene s;
    if (!scene_init(&s, "order:{order_id}"))
        skip();
    private_redis_call(&s.redis, "SET order:1 stale");
    redisReply *reply = redisCommand(s.redis.client, "CONFIG SET maxmemory 1");
    freeReplyObject(reply);
    assert_int_equal(redis_scene_insert(&s, 1, 1), -(int)ERR_SINK_NOT_READY);
    assert_int_equal(private_redis_call(&s.redis, "EXISTS order:1"), 0);
    reply = redisCommand(s.redis.client, "CONFIG SET maxmemory 0");
    freeReplyObject(reply);
    assert_int_equal(redis_scene_insert(&s, 1, 1), 0);
    assert_int_equal(due_keys(&s), 1);
    redis_scene_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(second__key_filled_behind_its_removal__goes_again_after_the_delay),
        cmocka_unit_test(second__newer_change__puts_it_off),
        cmocka_unit_test(second__what_another_left__is_taken_at_once),
        cmocka_unit_test(second__as_many_wait_as_may__changes_wait),
        cmocka_unit_test(second__no_memory_to_note_a_key__is_tried_again),
    };
    return cmocka_run_group_tests_name("redis second removals", tests, NULL, NULL);
}
