/* Entries in the streams of a real Redis. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sink/redis/stream.h"
#include "tools/write_scene.h"

static bool scene_init(struct redis_scene *s, const struct redis_write_options *write)
{
    const struct redis_options opt = {.url = NULL};
    const struct redis_route_options route = {.mode = REDIS_STREAM, .write = *write};
    return redis_scene_init(s, &opt, &route);
}

/* All entries of a stream: fields and values with spaces between, entries with newlines. */
static void expect_entries_at(struct redis_scene *s, const char *stream, const char *expected, int line)
{
    static const char script[] = "local all = {}\n"
                                 "for _, entry in ipairs(redis.call('XRANGE', KEYS[1], '-', '+')) do\n"
                                 "  all[#all + 1] = table.concat(entry[2], ' ')\n"
                                 "end\n"
                                 "return table.concat(all, '\\n')\n";
    redisReply *reply = redisCommand(s->redis.client, "EVAL %s 1 %s", script, stream);
    assert_non_null(reply);
    if (reply->type != REDIS_REPLY_STRING || strcmp(reply->str, expected) != 0)
        fail_msg("line %d: %s, not %s", line, reply->str, expected);
    freeReplyObject(reply);
}
#define expect_entries(s_, stream_, expected_) expect_entries_at((s_), (stream_), (expected_), __LINE__)

#define VERSION(n_) "version 00000001.000000000000000" #n_ ".0000000000000000 table shop.orders"

static void stream__each_change__has_an_entry_in_order(void **state)
{
    (void)state;
    const struct redis_write_options write = {.key = "orders", .as = REDIS_JSON};
    struct redis_scene s;
    if (!scene_init(&s, &write))
        skip();
    APPLIED(&s, {CHANGE_INSERT, 0, NONE, {1, 10}, 1}, {CHANGE_UPDATE, 0, {1, 10}, {1, 11}, 2},
            {CHANGE_DELETE, 0, {1, 11}, NONE, 3}, {CHANGE_UPDATE, CHANGE_FROM, {2, 1}, {3, 1}, 4},
            {CHANGE_UPDATE, CHANGE_TO, {2, 1}, {3, 1}, 4});
    expect_entries(&s, "orders",
                   "op insert " VERSION(1) " row {\"order_id\":1,\"user_id\":10}\n"
                                           "op update " VERSION(2) " row {\"order_id\":1,\"user_id\":11}\n"
                                                                   "op delete " VERSION(
                                                                       3) " row {\"order_id\":1,\"user_id\":11}\n"
                                                                          "op update " VERSION(
                                                                              4) " row {\"order_id\":3,\"user_id\":1}");
    assert_int_equal(((const struct redis_stats *)sink_redis.stats(s.snk))->streamed_total, 4);
    redis_scene_release(&s);
}

static void stream__template_and_text__name_stream_and_entry(void **state)
{
    (void)state;
    const struct redis_write_options write = {.key = "user:{user_id}", .as = REDIS_TEXT, .text = "{order_id}"};
    struct redis_scene s;
    if (!scene_init(&s, &write))
        skip();
    APPLIED(&s, {CHANGE_INSERT, 0, NONE, {1, 10}, 1}, {CHANGE_INSERT, 0, NONE, {2, 20}, 2},
            {CHANGE_INSERT, 0, NONE, {3, SAMPLE_NULL}, 3}, {CHANGE_UPDATE, 0, {1, 10}, {1, 20}, 4});
    expect_entries(&s, "user:10", "op insert " VERSION(1) " row 1");
    expect_entries(&s, "user:20", "op insert " VERSION(2) " row 2\nop update " VERSION(4) " row 1");
    expect(&s, "DBSIZE", "2");
    redis_scene_release(&s);
}

static void stream__maxlen__old_entries_go(void **state)
{
    (void)state;
    const struct redis_write_options write = {.key = "orders", .as = REDIS_TEXT, .text = "{order_id}", .maxlen = 50};
    struct redis_scene s;
    struct write_step steps[64];
    if (!scene_init(&s, &write))
        skip();
    for (int turn = 0; turn < 20; turn++) {
        for (int i = 0; i < 64; i++)
            steps[i] = (struct write_step){CHANGE_INSERT, 0, NONE, {i + 1, 1}, (uint64_t)(turn * 64 + i + 1)};
        write_scene_applied(&s, steps, 64);
    }
    write_scene_expect_between(&s, "XLEN orders", 50, 500); /* whole nodes of 100 entries go */
    redis_scene_release(&s);
}

static void stream__replay__adds_nothing(void **state)
{
    (void)state;
    const struct redis_write_options write = {.key = "orders", .as = REDIS_JSON};
    struct redis_scene s;
    if (!scene_init(&s, &write))
        skip();
    for (enum sink_purpose purpose = SINK_REPLAYS; purpose <= SINK_REPLAYS_AND_CREATES; purpose++) {
        redis_scene_open(&s, purpose);
        APPLIED(&s, {CHANGE_INSERT, 0, NONE, {1, 10}, 1});
    }
    expect(&s, "DBSIZE", "0");
    redis_scene_release(&s);
}

static void stream__key_of_another_type__stops(void **state)
{
    (void)state;
    const struct redis_write_options write = {.key = "orders", .as = REDIS_JSON};
    static const struct write_step step = {CHANGE_INSERT, 0, NONE, {1, 10}, 1};
    struct redis_scene s;
    struct err e = ERR_INIT;
    if (!scene_init(&s, &write))
        skip();
    private_redis_call(&s.redis, "SET orders x");
    assert_int_equal(write_scene_apply(&s, &step, 1, &e), -(int)ERR_SINK_REFUSED);
    redis_scene_release(&s);
}

static void stream__what_a_route_may_not_say__is_refused(void **state)
{
    (void)state;
    static const struct {
        struct redis_route_options route;
        const char *says;
    } cases[] = {
        {{.write = {.as = REDIS_JSON}}, "template of the key"},
        {{.write = {.key = "s", .as = REDIS_HASH}}, "as"},
        {{.write = {.key = "s", .ttl_ms = 1}}, "ttl_ms"},
        {{.publish = "p", .write = {.key = "s"}}, "publish"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct redis_route_options route = cases[i].route;
        struct err e = ERR_INIT;
        route.mode = REDIS_STREAM;
        assert_int_equal(sink_redis.ready(&route, NULL, &e), -(int)ERR_CONFIG_VALUE);
        if (!strstr(e.text, cases[i].says))
            fail_msg("case %zu: %s", i, e.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stream__each_change__has_an_entry_in_order),
        cmocka_unit_test(stream__template_and_text__name_stream_and_entry),
        cmocka_unit_test(stream__maxlen__old_entries_go),
        cmocka_unit_test(stream__replay__adds_nothing),
        cmocka_unit_test(stream__key_of_another_type__stops),
        cmocka_unit_test(stream__what_a_route_may_not_say__is_refused),
    };
    return cmocka_run_group_tests_name("redis_stream", tests, NULL, NULL);
}
