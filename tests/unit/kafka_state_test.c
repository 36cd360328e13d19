/* State in a topic, against librdkafka's cluster in the process: any run of changes, restored on another machine, is
 * what a directory has after the same changes; who only reads; brokers that are away. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/env.h"
#include "sink/kafka/state.h"
#include "tools/mock_kafka.h"

#define TOPIC  "shop.state"
#define LARGE  700000 /* two messages; the cluster in the process keeps 5 MB of a topic */
#define ROUNDS 5
#define STEPS  40

static const char *const records[] = {"checkpoint", "reset"}, *const logs[] = {"history", "epochs"};

struct scene {
    struct mock_kafka kafka;
    struct env env;
    const char *brokers[1];
    struct kafka_options opt;
    char dir[64], model_dir[64];
    unsigned machine;
    uint8_t *large;
    uint32_t seed;
};

static unsigned roll(struct scene *s, unsigned below)
{
    s->seed = s->seed * 1664525u + 1013904223u;
    return (s->seed >> 8) % below;
}

static void scene_init(struct scene *s)
{
    *s = (struct scene){.env = env_system(), .seed = 7};
    mock_kafka_start(&s->kafka);
    s->brokers[0] = s->kafka.brokers;
    s->opt = (struct kafka_options){.brokers = {s->brokers, NULL, 1}, .topic = "shop", .timeout_ms = 700};
    assert_int_equal(rd_kafka_mock_topic_create(s->kafka.cluster, TOPIC, 1, 1), 0);
    snprintf(s->model_dir, sizeof s->model_dir, "/tmp/sluice-test-XXXXXX");
    assert_non_null(mkdtemp(s->model_dir));
    s->large = malloc(LARGE);
    for (size_t i = 0; i < LARGE; i++)
        s->large[i] = (uint8_t)(i * 7 + i / 251);
}

static void scene_release(struct scene *s)
{
    state_remove_copy(s->model_dir);
    free(s->large);
    mock_kafka_stop(&s->kafka);
}

/* On a machine that has nothing, unless it is the same one. */
static int open_on(struct scene *s, unsigned machine, struct state **out, enum state_mode mode, struct err *e)
{
    const struct kafka_state_place place = {.opt = &s->opt, .env = &s->env, .dir = s->dir};
    snprintf(s->dir, sizeof s->dir, "%.40s-%u", s->model_dir, machine);
    return kafka_state_open(out, &place, mode, e);
}

static struct state *own(struct scene *s, unsigned machine)
{
    struct state *st = NULL;
    struct err e = ERR_INIT;
    if (open_on(s, machine, &st, STATE_OWN, &e) != 0)
        fail_msg("%s", e.text);
    return st;
}

static void leave(struct scene *s, struct state *st, unsigned machine)
{
    state_close(st);
    snprintf(s->dir, sizeof s->dir, "%.40s-%u", s->model_dir, machine);
    state_remove_copy(s->dir);
}

static bool keep_even(void *ctx, const struct state_item *item)
{
    (void)ctx;
    return item->len % 2 == 0;
}

/* One change, the same to both. */
static void change(struct scene *s, struct state *const both[2])
{
    size_t len = roll(s, 70) ? roll(s, 300) : LARGE - 600 - roll(s, 100);
    const uint8_t *bytes = s->large + roll(s, 500);
    const char *record = records[roll(s, 2)], *log = logs[roll(s, 2)];
    unsigned kind = roll(s, 10);
    for (int i = 0; i < 2; i++) {
        struct err e = ERR_INIT;
        int rc = 0;
        if (kind < 3)
            rc = state_put(both[i], record, bytes, len, &e);
        else if (kind == 3)
            rc = state_remove(both[i], record, &e);
        else if (kind < 7)
            rc = state_append(both[i], log, bytes, len, &e);
        else if (kind == 7)
            rc = state_append_all(both[i], log, (struct state_item[]){{bytes, len}, {bytes + 1, len / 2}, {bytes, 0}},
                                  3, &e);
        else if (kind == 8)
            rc = state_compact(both[i], log, keep_even, NULL, &e);
        else
            rc = state_replace(both[i], log, &(const struct state_item){bytes, len / 3}, len % 2, &e);
        if (rc != 0)
            fail_msg("%s", e.text);
    }
}

static int add_item(void *ctx, const struct state_item *item, struct err *e)
{
    (void)e;
    buf_printf(ctx, "%zu:", item->len);
    buf_add(ctx, item->bytes, item->len);
    return 0;
}

/* All that a state holds, in one text. */
static void content(struct state *st, struct buf *out)
{
    struct buf bytes;
    bool found;
    struct err e = ERR_INIT;
    buf_init(&bytes, 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(state_get(st, records[i], &bytes, &found, &e), 0);
        buf_printf(out, "|%d %zu:", found, found ? bytes.len : 0);
        buf_add(out, bytes.p, found ? bytes.len : 0);
        if (state_scan(st, logs[i], add_item, out, &e) != 0)
            fail_msg("%s", e.text);
    }
    buf_release(&bytes);
}

static void expect_same(struct state *a, struct state *b)
{
    struct buf one, other;
    buf_init(&one, 0);
    buf_init(&other, 0);
    content(a, &one);
    content(b, &other);
    assert_int_equal(one.len, other.len);
    assert_memory_equal(one.p, other.p, one.len);
    buf_release(&one);
    buf_release(&other);
}

static void kafka_state__any_changes__are_there_on_another_machine(void **state)
{
    (void)state;
    struct scene s;
    struct state *model = NULL;
    struct err e = ERR_INIT;
    scene_init(&s);
    assert_int_equal(state_open(&model, &s.env, s.model_dir, STATE_OWN, &e), 0);
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct state *st = own(&s, round);
        expect_same(st, model);
        for (int step = 0; step < STEPS; step++)
            change(&s, (struct state *const[]){st, model});
        expect_same(st, model);
        leave(&s, st, round);
    }
    struct state *last = own(&s, ROUNDS);
    expect_same(last, model);
    leave(&s, last, ROUNDS);
    state_close(model);
    scene_release(&s);
}

static void kafka_state__who_only_reads__sees_it_and_cannot_write(void **state)
{
    (void)state;
    struct scene s;
    struct err e = ERR_INIT;
    struct buf bytes;
    bool found;
    scene_init(&s);
    buf_init(&bytes, 0);
    struct state *st = own(&s, 1), *reader = NULL;
    assert_int_equal(state_put(st, "checkpoint", "x", 1, &e), 0);
    assert_int_equal(open_on(&s, 2, &reader, STATE_READ, &e), 0);
    assert_int_equal(state_get(reader, "checkpoint", &bytes, &found, &e), 0);
    assert_true(found);
    assert_int_equal(state_put(reader, "checkpoint", "y", 1, &e), -(int)ERR_BUG);
    err_clear(&e);
    state_close(reader);
    assert_int_equal(state_put(st, "checkpoint", "z", 1, &e), 0);
    leave(&s, st, 1);
    buf_release(&bytes);
    scene_release(&s);
}

static void kafka_state__brokers_away__only_who_has_no_time_gives_up(void **state)
{
    (void)state;
    struct scene s;
    struct err e = ERR_INIT;
    struct buf bytes;
    bool found;
    scene_init(&s);
    buf_init(&bytes, 0);
    struct state *st = own(&s, 1);
    assert_int_equal(state_put(st, "checkpoint", "old", 3, &e), 0);
    mock_kafka_set_up(&s.kafka, false);
    assert_true(state_put_soon(st, "checkpoint", "new", 3, &e) < 0);
    assert_int_equal(err_class(&e), ERR_CLASS_RETRY);
    err_clear(&e);
    assert_int_equal(state_get(st, "checkpoint", &bytes, &found, &e), 0);
    assert_memory_equal(bytes.p, "old", 3);
    state_interrupt(st);
    assert_int_equal(state_put(st, "checkpoint", "new", 3, &e), -(int)ERR_INTERRUPTED);
    leave(&s, st, 1);
    mock_kafka_set_up(&s.kafka, true);
    buf_release(&bytes);
    scene_release(&s);
}

static void kafka_state__topic_with_several_partitions__is_refused(void **state)
{
    (void)state;
    struct scene s;
    struct err e = ERR_INIT;
    struct state *st = NULL;
    scene_init(&s);
    s.opt.state_topic = MOCK_TOPIC;
    assert_int_equal(open_on(&s, 2, &st, STATE_OWN, &e), -(int)ERR_KAFKA_STATE_TOPIC);
    scene_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kafka_state__any_changes__are_there_on_another_machine),
        cmocka_unit_test(kafka_state__who_only_reads__sees_it_and_cannot_write),
        cmocka_unit_test(kafka_state__brokers_away__only_who_has_no_time_gives_up),
        cmocka_unit_test(kafka_state__topic_with_several_partitions__is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
