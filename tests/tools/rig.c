/* Lanes and a runner under a hand-made source. */
#include "tools/rig.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DEADLINE_US (120 * 1000000LL)

static void notify(void *ctx, struct runner *runner, const struct err *e, bool fatal)
{
    struct rig *rig = ctx;
    (void)runner;
    if (fatal && atomic_fetch_add(&rig->fatals, 1) == 0) {
        snprintf(rig->fatal_text, sizeof rig->fatal_text, "%s", e->text);
        atomic_store(&rig->fatal_code, (int)e->code);
    } else if (!fatal) {
        atomic_fetch_add(e ? &rig->downs : &rig->backs, 1);
    }
}

static void wake_worker(void *ctx, unsigned sink, unsigned lane)
{
    struct rig *rig = ctx;
    (void)sink;
    runner_wake(rig->runner, lane);
}

void rig_init(struct rig *rig, const struct rig_options *opt)
{
    static const struct route every = {.line = 7, .db = "*", .table = "*", .sink_mask = 1};
    struct err e = ERR_INIT;
    *rig = (struct rig){.env = env_system()};
    const struct lanes_options lanes_opt = {.lanes = opt->lanes,
                                            .sinks = 1,
                                            .buffer_bytes = opt->buffer_bytes ? opt->buffer_bytes : 4u << 20,
                                            .ring = opt->ring,
                                            .wake_worker = wake_worker,
                                            .ctx = rig};
    if (lanes_new(&rig->lanes, &lanes_opt, &e) != 0 ||
        routes_new(&rig->routes, opt->routes ? opt->routes : &every, opt->routes ? opt->route_count : 1, &e) != 0)
        fail_msg("%s", e.text);
    rig->sample = sample_new("shop", "orders", 0);
    struct runner_options runner_opt = opt->runner;
    runner_opt.name = "cache";
    runner_opt.lanes = rig->lanes;
    runner_opt.routes = rig->routes;
    runner_opt.env = &rig->env;
    runner_opt.notify = notify;
    runner_opt.ctx = rig;
    if (runner_new(&rig->runner, &runner_opt, &e) != 0)
        fail_msg("%s", e.text);
}

void rig_release(struct rig *rig)
{
    runner_free(rig->runner);
    lanes_free(rig->lanes);
    routes_free(rig->routes);
    sample_free(rig->sample);
}

static void begin(struct rig *rig)
{
    const struct tx tx = {.file = "bin.000001", .pos = 4, .commit_us = 1000000, .epoch = 1, .sequence = 7};
    if (!rig->in_tx)
        lanes_begin(rig->lanes, &tx);
    rig->in_tx = true;
}

static void add_row(struct rig *rig, unsigned lane, const struct lane_row *row, uint64_t *ordinal)
{
    struct err e = ERR_INIT;
    int rc;
    int64_t until = env_mono_us(&rig->env) + DEADLINE_US;
    while ((rc = lanes_add(rig->lanes, lane, row, ordinal, &e)) == LANES_FULL) {
        if (!lanes_make_room(rig->lanes))
            (void)poll(NULL, 0, 1);
        assert_true(env_mono_us(&rig->env) < until);
    }
    if (rc != 0)
        fail_msg("%s", e.text);
}

static unsigned lane_of(const struct rig *rig, int key, char text[16], size_t *len)
{
    *len = (size_t)snprintf(text, 16, "%d", key);
    return key_lane(text, *len, lanes_count(rig->lanes));
}

uint64_t rig_add(struct rig *rig, int key, uint32_t mask)
{
    struct sample_image after;
    char text[16];
    size_t len;
    uint64_t ordinal;
    begin(rig);
    sample_image(&after, key, 1);
    unsigned lane = lane_of(rig, key, text, &len);
    const struct lane_row row = {.op = CHANGE_INSERT,
                                 .sink_mask = mask,
                                 .version_row = rig->next_row++,
                                 .event_pos = 4711,
                                 .shape = sample_shape(rig->sample),
                                 .key = text,
                                 .key_len = len,
                                 .after = after.image};
    add_row(rig, lane, &row, &ordinal);
    return row.version_row;
}

void rig_move(struct rig *rig, int from, int to)
{
    struct sample_image before, after;
    char text[16];
    size_t len;
    uint64_t ordinal;
    begin(rig);
    sample_image(&before, from, 1);
    sample_image(&after, to, 1);
    unsigned lane = lane_of(rig, from, text, &len);
    struct lane_row row = {.op = CHANGE_UPDATE,
                           .flags = CHANGE_FROM,
                           .sink_mask = 1,
                           .version_row = rig->next_row++,
                           .event_pos = 4711,
                           .shape = sample_shape(rig->sample),
                           .key = text,
                           .key_len = len,
                           .before = before.image,
                           .after = after.image};
    add_row(rig, lane, &row, &ordinal);
    row.flags = CHANGE_TO;
    row.version_row = rig->next_row++;
    row.has_ticket = true;
    row.ticket_lane = lane;
    row.ticket_ordinal = ordinal;
    lane = lane_of(rig, to, text, &row.key_len);
    add_row(rig, lane, &row, &ordinal);
}

void rig_truncate(struct rig *rig)
{
    struct err e = ERR_INIT;
    begin(rig);
    if (lanes_truncate_table(rig->lanes, "shop", "orders", sample_shape(rig->sample), 1, &e) != 0)
        fail_msg("truncate: %s", e.text);
}

void rig_truncate_lane(struct rig *rig, unsigned lane)
{
    struct err e = ERR_INIT;
    uint64_t ordinal;
    begin(rig);
    const struct lane_truncate truncate = {
        .db = "shop", .table = "orders", .sink_mask = 1, .version_row = rig->next_row++};
    if (lanes_truncate_lane(rig->lanes, lane, &truncate, &ordinal, &e) != 0)
        fail_msg("truncate: %s", e.text);
}

void rig_publish(struct rig *rig)
{
    struct boundary at = {.pos = 100, .file = "bin.000001"};
    if (rig->in_tx)
        assert_int_equal(lanes_end(rig->lanes, &at), 0);
    rig->in_tx = false;
    lanes_publish(rig->lanes);
}

void rig_wait_idle(struct rig *rig)
{
    int64_t until = env_mono_us(&rig->env) + DEADLINE_US;
    while (!runner_idle(rig->runner)) {
        assert_true(env_mono_us(&rig->env) < until);
        assert_int_equal(atomic_load(&rig->fatals), 0);
        (void)poll(NULL, 0, 1);
    }
}

void rig_wait_at_least(const _Atomic unsigned *word, unsigned value)
{
    struct env env = env_system();
    int64_t until = env_mono_us(&env) + DEADLINE_US;
    while (atomic_load(word) < value) {
        assert_true(env_mono_us(&env) < until);
        (void)poll(NULL, 0, 1);
    }
}
