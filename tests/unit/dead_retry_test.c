/* Dead letters applied once more through a sink's runner: with their version and key, or refused again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "pipeline/dead_retry.h"
#include "tools/fault_sink.h"

#define MANY 40000

struct scene {
    struct env env;
    struct fault_plan plan;
    struct fault_options opt;
    struct pipeline_sink sinks[2];
    struct route routes[2];
    struct settings settings;
    struct dead_retry *retry;
    enum verdict verdict;
    uint64_t row;   /* of the version that came last */
    unsigned flags; /* of that change */
    uint32_t epoch;
    char line[512];
};

static enum verdict judge(void *ctx, const struct change *chg, unsigned seen)
{
    struct scene *s = ctx;
    (void)seen;
    s->row = chg->version.row;
    s->epoch = chg->version.epoch;
    s->flags = chg->flags;
    return s->verdict;
}

static void scene_init(struct scene *s)
{
    struct err e = ERR_INIT;
    *s = (struct scene){.env = env_system(), .verdict = V_DONE};
    fault_plan_init(&s->plan, 8);
    s->plan.judge = judge;
    s->plan.ctx = s;
    s->opt.plan = &s->plan;
    s->sinks[0] = (struct pipeline_sink){.name = "other", .ops = &fault_sink, .options = &s->opt};
    s->sinks[1] = (struct pipeline_sink){.name = "cache", .ops = &fault_sink, .options = &s->opt};
    s->routes[0] = (struct route){.line = 1, .db = "shop", .table = "items", .sink_mask = 1};
    s->routes[1] = (struct route){.line = 2, .db = "shop", .table = "orders", .sink_mask = 2};
    s->settings = (struct settings){.partitions = 4,
                                    .buffer_bytes = 1u << 20,
                                    .sinks = s->sinks,
                                    .sink_count = 2,
                                    .routes = s->routes,
                                    .route_count = 2};
    if (dead_retry_new(&s->retry, &s->settings, SINK_REPLAYS, &s->env, &e) != 0)
        fail_msg("%s", e.text);
}

static void scene_release(struct scene *s)
{
    dead_retry_free(s->retry);
    fault_plan_release(&s->plan);
}

static struct dead_text text_of(const char *text)
{
    return (struct dead_text){text, strlen(text)};
}

static struct dead_letter letter_of(struct scene *s, const char *sink, const char *table, unsigned number)
{
    snprintf(s->line, sizeof s->line,
             "{\"op\":\"update\",\"db\":\"shop\",\"table\":\"%s\",\"key\":\"%u\",\"pk\":{\"id\":%u},"
             "\"before\":{\"id\":%u},\"after\":{\"id\":%u},\"ts_us\":1,\"commit_precision\":\"us\",\"file\":\"b.1\","
             "\"pos\":4,\"version\":\"00000007.0000000000000009.%016x\",\"half\":\"to\"}",
             table, number, number, number - 1, number, number << 4 | 1);
    return (struct dead_letter){.number = number,
                                .sink = text_of(sink),
                                .db = text_of("shop"),
                                .table = text_of(table),
                                .change = text_of(s->line)};
}

static void dead_retry__letter__comes_with_its_version_half_and_key(void **state)
{
    (void)state;
    struct scene s;
    struct err why = ERR_INIT, e = ERR_INIT;
    scene_init(&s);
    const struct dead_letter letter = letter_of(&s, "cache", "orders", 17);
    assert_int_equal(dead_retry_apply(s.retry, &letter, &why, &e), 1);
    assert_int_equal(s.plan.count, 1);
    assert_int_equal(s.plan.records[0].key, 17);
    assert_int_equal(s.plan.records[0].op, CHANGE_UPDATE);
    assert_int_equal(s.row, 17 << 4 | 1);
    assert_int_equal(s.epoch, 7);
    assert_true(s.flags & CHANGE_TO);
    scene_release(&s);
}

static void dead_retry__refused__for_good_and_for_now(void **state)
{
    (void)state;
    struct scene s;
    struct err why = ERR_INIT, e = ERR_INIT;
    scene_init(&s);
    const struct dead_letter letter = letter_of(&s, "cache", "orders", 17);
    s.verdict = V_POISON;
    for (int i = 0; i < 3; i++) {
        err_clear(&why);
        assert_int_equal(dead_retry_apply(s.retry, &letter, &why, &e), 0);
        assert_int_equal(why.code, ERR_SINK_POISON);
    }
    err_clear(&why);
    s.verdict = V_DONE;
    assert_int_equal(dead_retry_apply(s.retry, &letter, &why, &e), 1);
    s.verdict = V_RETRY;
    assert_int_equal(dead_retry_apply(s.retry, &letter, &why, &e), -(int)ERR_SINK_PARKED);
    assert_int_equal(s.plan.count, 1);
    scene_release(&s);
}

static void dead_retry__sink_or_route_is_gone__says_so(void **state)
{
    (void)state;
    static const char *const wrong[][2] = {{"gone", "orders"}, {"cache", "items"}, {"other", "orders"}};
    for (unsigned i = 0; i < 3; i++) {
        struct scene s;
        struct err why = ERR_INIT, e = ERR_INIT;
        scene_init(&s);
        const struct dead_letter letter = letter_of(&s, wrong[i][0], wrong[i][1], 17);
        assert_int_equal(dead_retry_apply(s.retry, &letter, &why, &e), -(int)ERR_DEAD_LETTER_ROUTE);
        assert_non_null(strstr(e.text, wrong[i][0]));
        assert_int_equal(s.plan.applies, 0);
        scene_release(&s);
    }
}

static void dead_retry__letter_that_cannot_be_read__is_not_applied(void **state)
{
    (void)state;
    struct scene s;
    struct err why = ERR_INIT, e = ERR_INIT;
    scene_init(&s);
    struct dead_letter letter = letter_of(&s, "cache", "orders", 17);
    letter.change.len -= 9;
    assert_int_equal(dead_retry_apply(s.retry, &letter, &why, &e), -(int)ERR_CORRUPT);
    assert_int_equal(s.plan.applies, 0);
    scene_release(&s);
}

static void dead_retry__more_than_ring_and_pool_hold__come_in_order(void **state)
{
    (void)state;
    struct scene s;
    struct err why = ERR_INIT, e = ERR_INIT;
    scene_init(&s);
    for (unsigned n = 1; n <= MANY; n++) {
        const struct dead_letter letter = letter_of(&s, "cache", "orders", n);
        if (dead_retry_apply(s.retry, &letter, &why, &e) != 1)
            fail_msg("letter %u: %s", n, e.text);
    }
    assert_int_equal(s.plan.count, MANY);
    for (unsigned n = 0; n < MANY; n++)
        assert_int_equal(s.plan.records[n].key, n + 1);
    scene_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dead_retry__letter__comes_with_its_version_half_and_key),
        cmocka_unit_test(dead_retry__refused__for_good_and_for_now),
        cmocka_unit_test(dead_retry__sink_or_route_is_gone__says_so),
        cmocka_unit_test(dead_retry__letter_that_cannot_be_read__is_not_applied),
        cmocka_unit_test(dead_retry__more_than_ring_and_pool_hold__come_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
