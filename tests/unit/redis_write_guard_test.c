/* Rows written through into a real Redis: versions, and what comes again, late or half. */
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

/* ---------------------------------------------------------------- versions */

static void write__older_change__does_not_win(void **state)
{
    (void)state;
    static const struct redis_route_options route = {.write = {.as = REDIS_TEXT, .text = "{user_id}"}};
    struct redis_scene s;
    if (!write_scene_init(&s, &route))
        skip();
    APPLIED(&s, {CHANGE_INSERT, 0, NONE, {1, 10}, 0x9f});
    APPLIED(&s, {CHANGE_UPDATE, 0, {1, 8}, {1, 9}, 0x9e});
    expect(&s, "GET order:1", "10");
    APPLIED(&s, {CHANGE_INSERT, 0, NONE, {1, 10}, 0x9f});
    expect(&s, "GET order:1", "10");
    APPLIED(&s, {CHANGE_DELETE, 0, {1, 8}, NONE, 0x9e});
    expect(&s, "GET order:1", "10");
    APPLIED(&s, {CHANGE_UPDATE, 0, {1, 10}, {1, 11}, UINT64_C(0xaa00000000)});
    expect(&s, "GET order:1", "11");
    expect(&s, "GETRANGE sluice:version:{order:1} 0 41", "00000001.000000aa00000000.0000000000000000");
    expect(&s, "STRLEN sluice:version:{order:1}", "50");
    APPLIED(&s, {CHANGE_DELETE, 0, {1, 11}, NONE, UINT64_C(0xaa00000001)});
    expect(&s, "GET order:1", "-");
    APPLIED(&s, {CHANGE_INSERT, 0, NONE, {1, 10}, 0x9f}, {CHANGE_INSERT, 0, NONE, {1, 9}, UINT64_C(0xaa00000000)});
    expect(&s, "GET order:1", "-");
    write_scene_expect_between(&s, "PTTL sluice:version:{order:1}", WRITE_TOMBSTONE_MS - 30000, WRITE_TOMBSTONE_MS);
    APPLIED(&s, {CHANGE_INSERT, 0, NONE, {1, 12}, UINT64_C(0xaa00000002)});
    expect(&s, "GET order:1", "12");
    expect(&s, "PTTL sluice:version:{order:1}", "-1");
    redis_scene_release(&s);
}

/* Its version stands already; the value does not. */
static void write__refused_between_record_and_value__comes_again(void **state)
{
    (void)state;
    static const struct redis_route_options route = {.write = {.as = REDIS_HASH}};
    static const struct write_step change = {CHANGE_UPDATE, 0, {1, 10}, {1, 11}, 8};
    static const struct write_step removal = {CHANGE_DELETE, 0, {1, 11}, NONE, 9};
    struct redis_scene s;
    struct err e = ERR_INIT;
    if (!write_scene_init(&s, &route))
        skip();
    APPLIED(&s, {CHANGE_INSERT, 0, NONE, {1, 10}, 7});
    private_redis_call(&s.redis, "ACL SETUSER default -hset");
    assert_int_equal(write_scene_apply(&s, &change, 1, &e), -(int)ERR_SINK_RIGHTS);
    err_clear(&e);
    private_redis_call(&s.redis, "ACL SETUSER default +hset");
    redis_scene_open(&s, SINK_FOLLOWS);
    write_scene_applied(&s, &change, 1);
    expect(&s, "HGETALL order:1", "order_id 1 user_id 11");
    private_redis_call(&s.redis, "ACL SETUSER default -unlink");
    assert_int_equal(write_scene_apply(&s, &removal, 1, &e), -(int)ERR_SINK_RIGHTS);
    private_redis_call(&s.redis, "ACL SETUSER default +unlink");
    redis_scene_open(&s, SINK_FOLLOWS);
    write_scene_applied(&s, &removal, 1);
    expect(&s, "EXISTS order:1", "0");
    redis_scene_release(&s);
}

static void write__changes_of_a_batch__newest_of_each_key_is_sent(void **state)
{
    (void)state;
    static const struct redis_route_options route = {.write = {.as = REDIS_HASH}};
    struct redis_scene s;
    if (!write_scene_init(&s, &route))
        skip();
    APPLIED(&s, {CHANGE_INSERT, 0, NONE, {1, 10}, 1}, {CHANGE_INSERT, 0, NONE, {2, 20}, 2},
            {CHANGE_UPDATE, 0, {1, 10}, {1, 11}, 3}, {CHANGE_DELETE, 0, {2, 20}, NONE, 4},
            {CHANGE_INSERT, 0, NONE, {3, 30}, 5}, {CHANGE_UPDATE, 0, {3, 29}, {3, 31}, 4});
    expect(&s, "HGETALL order:1", "order_id 1 user_id 11");
    expect(&s, "EXISTS order:2", "0");
    expect(&s, "HGETALL order:3", "order_id 3 user_id 30");
    const struct redis_stats *stats = sink_redis.stats(s.snk);
    assert_int_equal(stats->written_total, 2);
    assert_int_equal(stats->coalesced_total, 3);
    redis_scene_release(&s);
}

static void write__key_that_moves__is_removed_and_written_in_any_order(void **state)
{
    (void)state;
    static const struct redis_route_options route = {.write = {.as = REDIS_TEXT, .text = "{user_id}"}};
    static const struct write_step halves[] = {{CHANGE_UPDATE, CHANGE_FROM, {1, 10}, {2, 11}, 8},
                                               {CHANGE_UPDATE, CHANGE_TO, {1, 10}, {2, 11}, 8}};
    static const struct write_step whole = {CHANGE_UPDATE, 0, {1, 10}, {2, 11}, 8};
    for (int way = 0; way < 3; way++) {
        struct redis_scene s;
        if (!write_scene_init(&s, &route))
            skip();
        APPLIED(&s, {CHANGE_INSERT, 0, NONE, {1, 10}, 7});
        if (way == 2)
            write_scene_applied(&s, &whole, 1);
        for (int i = 0; i < 2 && way < 2; i++)
            write_scene_applied(&s, &halves[way ? 1 - i : i], 1);
        expect(&s, "GET order:1", "-");
        expect(&s, "GET order:2", "11");
        redis_scene_release(&s);
    }
}

/* ---------------------------------------------------------------- sweeps */

static void write__truncate__removes_what_is_older(void **state)
{
    (void)state;
    static const struct redis_route_options route = {.write = {.as = REDIS_HASH}};
    struct write_step steps[64];
    struct redis_scene s;
    if (!write_scene_init(&s, &route))
        skip();
    for (int i = 0; i < 64; i++)
        steps[i] = (struct write_step){CHANGE_INSERT, 0, NONE, {i + 1, 5}, (uint64_t)i * 2 + 100};
    write_scene_applied(&s, steps, 64);
    private_redis_call(&s.redis, "SET other:1 x");
    APPLIED(&s, {CHANGE_TRUNCATE, 0, NONE, NONE, 199});
    expect(&s, "EXISTS order:1 order:49 order:50 order:51 order:64 other:1", "3");
    expect(&s, "DBSIZE", "79");
    APPLIED(&s, {CHANGE_INSERT, 0, NONE, {1, 5}, 120});
    expect(&s, "EXISTS order:1", "0");
    redis_scene_release(&s);
}

/* Another route's, another application's: the pattern meets them all. */
static void write__truncate__leaves_keys_of_others(void **state)
{
    (void)state;
    static const struct redis_route_options route = {.write = {.as = REDIS_HASH}};
    struct redis_scene s;
    if (!write_scene_init(&s, &route))
        skip();
    APPLIED(&s, {CHANGE_INSERT, 0, NONE, {1, 5}, 100}, {CHANGE_INSERT, 0, NONE, {2, 5}, 101});
    private_redis_call(&s.redis, "MSET order:1:name x sluice:version:{order:1:name} "
                                 "00000001.0000000000000001.00000000000000000badcafe order:cart y");
    APPLIED(&s, {CHANGE_TRUNCATE, 0, NONE, NONE, 150});
    expect(&s, "MGET order:1 order:2 order:1:name order:cart", "(null) (null) x y");
    assert_int_equal(((const struct redis_stats *)sink_redis.stats(s.snk))->left_total, 2);
    redis_scene_release(&s);
}

/* ---------------------------------------------------------------- replays */

static void write__replay__creates_nothing_and_takes_nothing_back(void **state)
{
    (void)state;
    static const struct redis_route_options route = {.write = {.as = REDIS_TEXT, .text = "{user_id}"}};
    static const struct write_step inserts[] = {{CHANGE_INSERT, 0, NONE, {1, 1}, 1},
                                                {CHANGE_INSERT, 0, NONE, {2, 1}, 2},
                                                {CHANGE_INSERT, 0, NONE, {3, 1}, 3},
                                                {CHANGE_INSERT, 0, NONE, {4, 1}, 4}};
    static const struct write_step newer[] = {{CHANGE_UPDATE, 0, {1, 1}, {1, 2}, 9},
                                              {CHANGE_UPDATE, 0, {2, 1}, {2, 2}, 9},
                                              {CHANGE_UPDATE, 0, {3, 1}, {3, 2}, 9},
                                              {CHANGE_DELETE, 0, {4, 1}, NONE, 9},
                                              {CHANGE_INSERT, 0, NONE, {5, 2}, 9}};
    struct redis_scene s;
    if (!write_scene_init(&s, &route))
        skip();
    write_scene_applied(&s, inserts, 4);
    private_redis_call(&s.redis, "DEL order:2");                  /* expired, the record not */
    private_redis_call(&s.redis, "DEL sluice:version:{order:3}"); /* evicted, the value not */
    redis_scene_open(&s, SINK_REPLAYS);
    write_scene_applied(&s, newer, 5);
    expect(&s, "MGET order:1 order:2 order:3 order:4 order:5", "2 (null) 1 (null) (null)");
    redis_scene_open(&s, SINK_REPLAYS_AND_CREATES);
    write_scene_applied(&s, newer, 5);
    expect(&s, "MGET order:1 order:2 order:3 order:4 order:5", "2 2 1 (null) 2");
    const struct redis_stats *stats = sink_redis.stats(s.snk);
    assert_int_equal(stats->left_total, 1);
    redis_scene_release(&s);
}

/* ---------------------------------------------------------------- a server in need */

static void write__full_server__rather_nothing_than_what_was(void **state)
{
    (void)state;
    static const struct redis_route_options route = {.write = {.as = REDIS_HASH}};
    static const struct write_step steps[] = {{CHANGE_UPDATE, 0, {1, 4}, {1, 5}, 3},
                                              {CHANGE_UPDATE, 0, {2, 4}, {2, 5}, 4}};
    struct redis_scene s;
    struct err e = ERR_INIT;
    if (!write_scene_init(&s, &route))
        skip();
    APPLIED(&s, {CHANGE_INSERT, 0, NONE, {1, 4}, 1}, {CHANGE_INSERT, 0, NONE, {2, 4}, 2});
    private_redis_call(&s.redis, "CONFIG SET maxmemory 1");
    assert_int_not_equal(write_scene_apply(&s, steps, 2, &e), 0);
    assert_int_equal(err_class(&e), ERR_CLASS_RETRY);
    private_redis_call(&s.redis, "CONFIG SET maxmemory 0");
    expect(&s, "EXISTS order:1 order:2", "0");
    redis_scene_open(&s, SINK_FOLLOWS);
    write_scene_applied(&s, steps, 2);
    expect(&s, "HGETALL order:1", "order_id 1 user_id 5");
    expect(&s, "HGETALL order:2", "order_id 2 user_id 5");
    redis_scene_release(&s);
}

static void write__scripts_flushed__are_loaded_again(void **state)
{
    (void)state;
    static const struct redis_route_options route = {.write = {.as = REDIS_HASH}};
    static const struct write_step step = {CHANGE_UPDATE, 0, {1, 4}, {1, 5}, 2};
    struct redis_scene s;
    struct err e = ERR_INIT;
    if (!write_scene_init(&s, &route))
        skip();
    APPLIED(&s, {CHANGE_INSERT, 0, NONE, {1, 4}, 1});
    private_redis_call(&s.redis, "SCRIPT FLUSH");
    assert_int_not_equal(write_scene_apply(&s, &step, 1, &e), 0);
    assert_int_equal(err_class(&e), ERR_CLASS_RETRY);
    redis_scene_open(&s, SINK_FOLLOWS);
    write_scene_applied(&s, &step, 1);
    expect(&s, "HGETALL order:1", "order_id 1 user_id 5");
    redis_scene_release(&s);
}

/* ---------------------------------------------------------------- any history */

#define ROWS    12
#define CHANGES 600

/* A history of rows that come, change, move and go, applied in batches of any size; each batch may come again from any
 * earlier change on, as after a crash, and beside it old stretches by another writer. What is there at the end is what
 * the history says. */
static void write__any_history__ends_as_it_says(void **state)
{
    (void)state;
    static const struct redis_route_options route = {.write = {.as = REDIS_TEXT, .text = "{order_id}={user_id}"}};
    struct write_step *steps = calloc(CHANGES, sizeof *steps);
    int32_t value[ROWS + 1] = {0}; /* 0: no row */
    struct redis_scene s;
    assert_non_null(steps);
    if (!write_scene_init(&s, &route)) {
        free(steps);
        skip();
    }
    srand(20261124);
    for (size_t i = 0; i < CHANGES; i++) {
        int32_t row = 1 + rand() % ROWS, to = 1 + rand() % ROWS, next = (int32_t)i + 1;
        if (value[to])
            to = row;
        steps[i].sequence = i + 1;
        if (!value[row]) {
            steps[i].op = CHANGE_INSERT;
            steps[i].after = (struct sample_row){row, next};
            value[row] = next;
            continue;
        }
        steps[i].before = (struct sample_row){row, value[row]};
        value[row] = 0;
        steps[i].op = rand() % 4 ? CHANGE_UPDATE : CHANGE_DELETE;
        if (steps[i].op == CHANGE_DELETE)
            continue;
        steps[i].after = (struct sample_row){to, next};
        value[to] = next;
    }
    for (size_t done = 0; done < CHANGES;) {
        size_t n = 1 + (size_t)rand() % 60, old = (size_t)rand() % (done + 1);
        n = n < CHANGES - done ? n : CHANGES - done;
        write_scene_applied(&s, steps + done, n);
        done = rand() % 4 ? done + n : done + n - (size_t)rand() % n;
        write_scene_applied(&s, steps + old, done - old < 30 ? done - old : 30);
    }
    for (int32_t row = 1; row <= ROWS; row++) {
        char command[32], expected[32] = "-";
        snprintf(command, sizeof command, "GET order:%d", row);
        if (value[row])
            snprintf(expected, sizeof expected, "%d=%d", row, value[row]);
        expect(&s, command, expected);
    }
    free(steps);
    redis_scene_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(write__older_change__does_not_win),
        cmocka_unit_test(write__refused_between_record_and_value__comes_again),
        cmocka_unit_test(write__changes_of_a_batch__newest_of_each_key_is_sent),
        cmocka_unit_test(write__key_that_moves__is_removed_and_written_in_any_order),
        cmocka_unit_test(write__truncate__removes_what_is_older),
        cmocka_unit_test(write__truncate__leaves_keys_of_others),
        cmocka_unit_test(write__replay__creates_nothing_and_takes_nothing_back),
        cmocka_unit_test(write__full_server__rather_nothing_than_what_was),
        cmocka_unit_test(write__scripts_flushed__are_loaded_again),
        cmocka_unit_test(write__any_history__ends_as_it_says),
    };
    return cmocka_run_group_tests_name("redis_write_guard", tests, NULL, NULL);
}
