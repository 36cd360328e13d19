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

#include "base/env.h"
#include "sink/redis/again.h"
#include "tools/private_redis.h"
#include "tools/sample.h"

#define DELAY_MS 300
#define MAX_KEYS 5
#define DUE      "sluice:due:{cache}"

struct scene {
    struct private_redis redis;
    struct env env;
    struct redis_options opt;
    struct sample *sample;
    void *route;
    struct sink *snk;
};

static void open_sink(struct scene *s)
{
    const struct sink_place place = {.env = &s->env, .name = "cache", .lanes = 1};
    struct err e = ERR_INIT;
    if (sink_redis.open(&s->snk, &s->opt, &place, &e) != 0)
        fail_msg("%s", e.text);
}

static bool scene_init(struct scene *s, const char *tpl)
{
    const struct redis_route_options route = {.invalidate = {&tpl, NULL, 1}, .mode = REDIS_SECOND_DELETE};
    struct err e = ERR_INIT;
    if (!private_redis_is_there())
        return false;
    *s = (struct scene){.env = env_system()};
    private_redis_init(&s->redis);
    s->opt = (struct redis_options){.url = s->redis.url,
                                    .connect_timeout_ms = 10000,
                                    .timeout_ms = 10000,
                                    .unlink_keys = 3,
                                    .pipeline = 2,
                                    .second_delete_ms = DELAY_MS,
                                    .second_delete_max = MAX_KEYS,
                                    .has_second = true};
    s->sample = sample_new("shop", "orders", 0);
    assert_int_equal(sink_redis.bind(&s->route, &s->opt, &route, sample_shape(s->sample)->tbl, &e), 0);
    open_sink(s);
    return true;
}

static void scene_release(struct scene *s)
{
    sink_redis.close(s->snk);
    sink_redis.unbind(s->route);
    sample_free(s->sample);
    private_redis_release(&s->redis);
}

/* Inserts of the orders first … first + count - 1. */
static int apply(struct scene *s, int first, int count)
{
    struct sample_change changes[16];
    struct item items[16];
    struct err e = ERR_INIT;
    assert_true(count <= 16);
    for (int i = 0; i < count; i++) {
        const struct sample_row row = {first + i, 5};
        sample_change(&changes[i], s->sample, CHANGE_INSERT, NULL, &row);
        items[i] = (struct item){.chg = &changes[i].chg, .bind = s->route};
    }
    return sink_redis.apply(s->snk, items, (size_t)count, &e);
}

/* Tends as a worker does, until all that is due is done, or `ms` are over. */
static void tend_for(struct scene *s, int ms)
{
    int64_t end = env_mono_us(&s->env) + (int64_t)ms * 1000, due = 0;
    struct err e = ERR_INIT;
    while (env_mono_us(&s->env) < end) {
        if (env_mono_us(&s->env) >= due && sink_redis.tend(s->snk, &due, &e) != 0)
            fail_msg("%s", e.text);
        (void)poll(NULL, 0, 5);
    }
}

static long long due_keys(struct scene *s)
{
    return private_redis_call(&s->redis, "ZCARD " DUE);
}

static void second__key_filled_behind_its_removal__goes_again_after_the_delay(void **state)
{
    (void)state;
    struct scene s;
    if (!scene_init(&s, "order:{order_id}"))
        skip();
    private_redis_call(&s.redis, "SET order:1 stale");
    assert_int_equal(apply(&s, 1, 2), 0);
    assert_int_equal(private_redis_call(&s.redis, "EXISTS order:1"), 0);
    assert_int_equal(due_keys(&s), 2);
    private_redis_call(&s.redis, "SET order:1 stale");
    private_redis_call(&s.redis, "SET order:3 stays");
    tend_for(&s, DELAY_MS / 3);
    assert_int_equal(private_redis_call(&s.redis, "EXISTS order:1"), 1);
    tend_for(&s, DELAY_MS);
    assert_int_equal(private_redis_call(&s.redis, "EXISTS order:1"), 0);
    assert_int_equal(private_redis_call(&s.redis, "DBSIZE"), 1);
    scene_release(&s);
}

static void second__newer_change__puts_it_off(void **state)
{
    (void)state;
    struct scene s;
    if (!scene_init(&s, "order:{order_id}"))
        skip();
    assert_int_equal(apply(&s, 1, 1), 0);
    tend_for(&s, DELAY_MS * 2 / 3);
    assert_int_equal(apply(&s, 1, 1), 0);
    private_redis_call(&s.redis, "SET order:1 stale");
    tend_for(&s, DELAY_MS * 2 / 3);
    assert_int_equal(private_redis_call(&s.redis, "EXISTS order:1"), 1);
    tend_for(&s, DELAY_MS);
    assert_int_equal(private_redis_call(&s.redis, "DBSIZE"), 0);
    scene_release(&s);
}

static void second__what_another_left__is_taken_at_once(void **state)
{
    (void)state;
    struct scene s;
    if (!scene_init(&s, "order:{order_id}"))
        skip();
    assert_int_equal(apply(&s, 1, 1), 0);
    sink_redis.close(s.snk);
    private_redis_call(&s.redis, "SET order:1 stale");
    (void)poll(NULL, 0, DELAY_MS + 20);
    open_sink(&s);
    tend_for(&s, 20);
    assert_int_equal(private_redis_call(&s.redis, "DBSIZE"), 0);
    scene_release(&s);
}

static void second__as_many_wait_as_may__changes_wait(void **state)
{
    (void)state;
    struct scene s;
    int rc = 0, tries = 0;
    if (!scene_init(&s, "order:{order_id}"))
        skip();
    assert_int_equal(apply(&s, 0, MAX_KEYS), 0);
    private_redis_call(&s.redis, "SET order:9 stale");
    while ((rc = apply(&s, 9, 1)) == -(int)ERR_SINK_NOT_READY) {
        assert_true(tries++ < 100);
        assert_int_equal(private_redis_call(&s.redis, "EXISTS order:9"), 1);
        (void)poll(NULL, 0, 20);
    }
    assert_int_equal(rc, 0);
    assert_true(tries > 0);
    assert_int_equal(private_redis_call(&s.redis, "EXISTS order:9"), 0);
    assert_int_equal(due_keys(&s), 1);
    scene_release(&s);
}

static void second__no_memory_to_note_a_key__is_tried_again(void **state)
{
    (void)state;
    struct scene s;
    if (!scene_init(&s, "order:{order_id}"))
        skip();
    private_redis_call(&s.redis, "SET order:1 stale");
    redisReply *reply = redisCommand(s.redis.client, "CONFIG SET maxmemory 1");
    freeReplyObject(reply);
    assert_int_equal(apply(&s, 1, 1), -(int)ERR_SINK_NOT_READY);
    assert_int_equal(private_redis_call(&s.redis, "EXISTS order:1"), 0);
    reply = redisCommand(s.redis.client, "CONFIG SET maxmemory 0");
    freeReplyObject(reply);
    assert_int_equal(apply(&s, 1, 1), 0);
    assert_int_equal(due_keys(&s), 1);
    scene_release(&s);
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
