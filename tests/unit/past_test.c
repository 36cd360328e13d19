/* Servers that come back: where their sinks are set back to, whatever was saved, restarted or cut off before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pipeline/past.h"
#include "tools/memfs.h"

#define SECOND      INT64_C(1000000)
#define FAILOVER_MS 5000
#define STEPS       6000
#define BEGIN       4

static const struct sink_ops may = {.kind = "may", .flags = SINK_MAY_COME_BACK};
static const struct sink_ops never = {.kind = "never"};

/* A service with two sinks, and the server of one. A place is a number: the offset in a file. */
struct scene {
    struct memfs *fs;
    struct env env;
    struct state *state;
    struct pipeline_sink sinks[2];
    struct pipeline_spec spec;
    struct past *past;
    struct checkpoint cp;
    uint64_t pos, other; /* where the sinks stand */

    unsigned run;
    int64_t started_us, saved_us;
    bool has_saved;        /* in this run */
    uint64_t memory, disk; /* all before was applied and is there */
    uint64_t behind[4000]; /* memory at each tenth of a second, for replicas */
    int64_t behind_from_us;
    size_t rewinds, near; /* set back at all; and by less than half of what there is */
};

static void position_at(struct position *out, uint64_t pos)
{
    position_init(out);
    snprintf(out->at.file, sizeof out->at.file, "bin.000001");
    out->at.pos = pos;
}

static void stand(struct scene *s)
{
    position_at(&s->cp.entries[0].pos, s->pos);
    position_at(&s->cp.entries[1].pos, s->other);
}

static void ok(int rc, const struct err *e)
{
    if (rc != 0)
        fail_msg("%s", e->text);
}

static void open_all(struct scene *s)
{
    struct err e = ERR_INIT;
    ok(state_open(&s->state, &s->env, "/state", STATE_OWN, &e), &e);
    ok(checkpoint_load(&s->cp, s->state, &e), &e);
    ok(past_open(&s->past, s->state, &s->spec, &s->cp, &e), &e);
    if (s->cp.count == 0) {
        struct position begin;
        position_at(&begin, BEGIN);
        ok(checkpoint_add(&s->cp, "cache", 5, &begin, &e), &e);
        ok(checkpoint_add(&s->cp, "log", 3, &begin, &e), &e);
        ok(checkpoint_store(&s->cp, s->state, &e), &e);
    }
    s->pos = s->cp.entries[0].pos.at.pos;
    s->other = s->cp.entries[1].pos.at.pos;
    ok(past_note(s->past, &s->cp, false, &e), &e);
}

static void close_all(struct scene *s, bool in_order)
{
    struct err e = ERR_INIT;
    if (in_order) {
        ok(checkpoint_store(&s->cp, s->state, &e), &e);
        ok(past_note(s->past, &s->cp, true, &e), &e);
    }
    past_free(s->past);
    checkpoint_release(&s->cp);
    state_close(s->state);
}

static void scene_init(struct scene *s)
{
    *s = (struct scene){.fs = memfs_new(), .memory = BEGIN, .disk = BEGIN, .run = 1};
    s->env = memfs_env(s->fs);
    memfs_advance(s->fs, 1000 * SECOND);
    s->behind_from_us = s->started_us = env_now_us(&s->env);
    s->sinks[0] = (struct pipeline_sink){.name = "cache", .ops = &may};
    s->sinks[1] = (struct pipeline_sink){.name = "log", .ops = &never};
    s->spec = (struct pipeline_spec){.env = &s->env, .sinks = s->sinks, .sink_count = 2};
    open_all(s);
}

static void scene_release(struct scene *s)
{
    close_all(s, true);
    memfs_free(s->fs);
}

static int meet(struct scene *s, struct err *e)
{
    char run[16];
    snprintf(run, sizeof run, "run%u", s->run);
    const struct sink_server server = {.run = run,
                                       .started_us = s->started_us,
                                       .kept_us = s->has_saved ? s->saved_us : SINK_KEPT_UNKNOWN,
                                       .failover_ms = FAILOVER_MS};
    const struct sink_witness *witness = past_witness(s->past, 0);
    return witness->meet(witness->ctx, &server, e);
}

/* The server is another: the service ends, in order or not, until it begins where nothing is missing. */
static void come_back(struct scene *s)
{
    uint64_t before = s->pos;
    for (;;) {
        struct err e = ERR_INIT;
        int rc = meet(s, &e);
        if (rc == 0)
            break;
        assert_int_equal(e.code, ERR_SINK_CAME_BACK);
        close_all(s, rand() % 3);
        open_all(s);
    }
    if (s->pos > s->memory)
        fail_msg("set back to %llu, but the server holds %llu", (unsigned long long)s->pos,
                 (unsigned long long)s->memory);
    s->rewinds++;
    s->near += before - s->pos < (before - BEGIN) / 2;
}

static void note_memory(struct scene *s)
{
    size_t at = (size_t)((env_now_us(&s->env) - s->behind_from_us) / (SECOND / 10));
    s->behind[at % 4000] = s->memory;
}

static void advance(struct scene *s, int64_t tenths)
{
    for (; tenths > 0; tenths--) {
        memfs_advance(s->fs, SECOND / 10);
        note_memory(s);
    }
}

static void restart(struct scene *s)
{
    s->memory = s->disk;
    s->has_saved = false;
    s->run++;
    advance(s, 10);
    s->started_us = env_now_us(&s->env);
    come_back(s);
}

/* A replica that was behind by up to four seconds takes the place; it has a disk of its own. */
static void fail_over(struct scene *s)
{
    size_t at = (size_t)((env_now_us(&s->env) - s->behind_from_us) / (SECOND / 10)), by = (size_t)rand() % 40;
    uint64_t there = at > by ? s->behind[(at - by) % 4000] : BEGIN;
    s->memory = there < s->memory ? there : s->memory;
    s->disk = s->memory;
    s->has_saved = true;
    s->saved_us = env_now_us(&s->env) - 5 * SECOND;
    s->started_us = env_now_us(&s->env) - 100 * SECOND;
    s->run++;
    come_back(s);
}

static void save(struct scene *s)
{
    s->disk = s->memory;
    s->has_saved = true;
    s->saved_us = env_now_us(&s->env) - rand() % (2 * SECOND);
}

static void past__any_history__nothing_is_missing_where_it_begins(void **state)
{
    (void)state;
    static struct scene s;
    struct err e = ERR_INIT;
    srand(20261124);
    scene_init(&s);
    ok(meet(&s, &e), &e);
    for (int step = 0; step < STEPS; step++) {
        int what = rand() % 400;
        advance(&s, rand() % 8);
        if (what < 200) {
            s.pos += (uint64_t)rand() % 100;
            s.other = s.other < s.pos ? s.pos : s.other;
            s.memory = s.pos > s.memory ? s.pos : s.memory;
            note_memory(&s);
        } else if (what < 320) {
            stand(&s);
            ok(past_note(s.past, &s.cp, false, &e), &e);
            if (what % 2)
                ok(checkpoint_store(&s.cp, s.state, &e), &e);
        } else if (what < 380) {
            ok(meet(&s, &e), &e);
        } else if (what < 390) {
            save(&s);
        } else if (what < 393) {
            stand(&s);
            restart(&s);
        } else if (what < 395) {
            stand(&s);
            fail_over(&s);
        } else {
            stand(&s);
            close_all(&s, what % 2);
            open_all(&s);
            come_back(&s);
        }
    }
    assert_true(s.rewinds > 50 && s.near > s.rewinds / 4);
    scene_release(&s);
}

static void grow(struct scene *s, int times)
{
    struct err e = ERR_INIT;
    for (int i = 0; i < times; i++) {
        advance(s, 11);
        s->pos = s->other = s->memory += 100;
        stand(s);
        ok(past_note(s->past, &s->cp, false, &e), &e);
        ok(meet(s, &e), &e);
    }
}

static void past__other_sink__is_not_set_back(void **state)
{
    (void)state;
    static struct scene s;
    struct err e = ERR_INIT;
    scene_init(&s);
    assert_null(past_witness(s.past, 1));
    ok(meet(&s, &e), &e);
    grow(&s, 20);
    uint64_t other = s.other;
    assert_int_equal(past_oldest(s.past)->at.pos, BEGIN);
    s.run++;
    s.started_us = env_now_us(&s.env);
    s.memory = BEGIN;
    come_back(&s);
    assert_int_equal(s.pos, BEGIN);
    assert_int_equal(s.other, other);
    scene_release(&s);
}

static void past__empty_server__begins_anew(void **state)
{
    (void)state;
    static struct scene s;
    struct err e = ERR_INIT;
    scene_init(&s);
    ok(meet(&s, &e), &e);
    const struct sink_witness *witness = past_witness(s.past, 0);
    const struct sink_server server = {
        .run = "other", .started_us = env_now_us(&s.env), .kept_us = SINK_KEPT_UNKNOWN, .is_empty = true};
    ok(witness->meet(witness->ctx, &server, &e), &e);
    assert_int_equal(meet(&s, &e), -(int)ERR_SINK_CAME_BACK);
    scene_release(&s);
}

/* Its log of appended commands is two seconds behind; the replica that takes its place is behind by more. */
static void past__replica_of_a_server_that_keeps_all__is_behind_all_the_same(void **state)
{
    (void)state;
    static struct scene s;
    struct err e = ERR_INIT;
    scene_init(&s);
    ok(meet(&s, &e), &e);
    for (int i = 0; i < 20; i++) {
        s.has_saved = true;
        s.saved_us = env_now_us(&s.env) - 2 * SECOND;
        grow(&s, 1);
    }
    s.memory -= 450;
    s.run++;
    s.started_us -= 100 * SECOND;
    come_back(&s);
    scene_release(&s);
}

/* Of what another server tells the way back is the longest, whichever comes last. */
static void past__third_server_on_the_way__does_not_shorten_it(void **state)
{
    (void)state;
    static struct scene s;
    struct err e = ERR_INIT;
    scene_init(&s);
    ok(meet(&s, &e), &e);
    grow(&s, 20);
    s.run = 2;
    s.started_us = env_now_us(&s.env);
    s.memory = BEGIN;
    assert_int_equal(meet(&s, &e), -(int)ERR_SINK_CAME_BACK);
    err_clear(&e);
    s.run = 3;
    s.started_us -= 100 * SECOND; /* a replica: a few seconds behind the second one only */
    come_back(&s);
    assert_int_equal(s.pos, BEGIN);
    scene_release(&s);
}

static void past__clock_steps_back__nothing_is_missing_where_it_begins(void **state)
{
    (void)state;
    static struct scene s;
    struct err e = ERR_INIT;
    scene_init(&s);
    ok(meet(&s, &e), &e);
    grow(&s, 20);
    save(&s);
    s.saved_us = env_now_us(&s.env);
    ok(meet(&s, &e), &e);
    grow(&s, 2);
    memfs_step(s.fs, -15 * SECOND);
    grow(&s, 20);
    stand(&s);
    restart(&s);
    scene_release(&s);
}

/* Where the sink stood before is of another log, or not wanted any more. */
static void past__position_was_set__the_places_before_are_no_way_back(void **state)
{
    (void)state;
    static struct scene s;
    struct err e = ERR_INIT;
    for (int reset = 0; reset <= 1; reset++) {
        scene_init(&s);
        ok(meet(&s, &e), &e);
        grow(&s, 20);
        uint64_t at = s.pos;
        close_all(&s, true);
        ok(state_open(&s.state, &s.env, "/state", STATE_OWN, &e), &e);
        ok(checkpoint_load(&s.cp, s.state, &e), &e);
        ok(reset ? checkpoint_mark_reset(s.state, &e) : checkpoint_set(&s.cp, s.state, &e), &e);
        checkpoint_release(&s.cp);
        state_close(s.state);
        open_all(&s);
        s.run++;
        s.started_us = env_now_us(&s.env);
        assert_int_equal(meet(&s, &e), -(int)ERR_SINK_CAME_BACK);
        err_clear(&e);
        close_all(&s, true);
        open_all(&s);
        ok(meet(&s, &e), &e);
        assert_int_equal(s.pos, at);
        scene_release(&s);
    }
}

/* Marks of other sinks stay: nobody has set the position. */
static void past__set_back__is_not_taken_for_a_person_s_doing(void **state)
{
    (void)state;
    static struct scene s;
    struct err e = ERR_INIT;
    struct checkpoint reached = {0};
    bool was = true;
    scene_init(&s);
    ok(meet(&s, &e), &e);
    grow(&s, 20);
    stand(&s);
    uint64_t at = s.pos;
    s.memory = BEGIN;
    s.run++;
    s.started_us = env_now_us(&s.env);
    ok(checkpoint_store(&s.cp, s.state, &e), &e);
    come_back(&s);
    assert_int_equal(s.pos, BEGIN);
    ok(checkpoint_was_set(s.state, &was, &e), &e);
    assert_false(was);
    ok(checkpoint_reached(&reached, s.state, &e), &e);
    assert_int_equal(reached.count, 2);
    assert_int_equal(reached.entries[0].pos.at.pos, at);
    checkpoint_release(&reached);
    ok(checkpoint_set(&s.cp, s.state, &e), &e);
    ok(checkpoint_was_set(s.state, &was, &e), &e);
    assert_true(was);
    ok(checkpoint_reached(&reached, s.state, &e), &e);
    assert_int_equal(reached.entries[0].pos.at.pos, at);
    checkpoint_release(&reached);
    ok(checkpoint_reached_done(s.state, &e), &e);
    ok(checkpoint_reached(&reached, s.state, &e), &e);
    assert_int_equal(reached.count, 0);
    scene_release(&s);
}

/* It has no way back; where it goes on behind a cut, the server is still the one that it began with. */
static void past__replay__ends_when_the_server_is_another(void **state)
{
    (void)state;
    static struct scene s;
    struct err e = ERR_INIT;
    for (int cut = 0; cut <= 1; cut++) {
        scene_init(&s);
        s.spec.purpose = SINK_REPLAYS;
        close_all(&s, true);
        open_all(&s);
        ok(meet(&s, &e), &e);
        grow(&s, 2);
        if (cut) {
            close_all(&s, true);
            open_all(&s);
        }
        s.run++;
        assert_int_equal(meet(&s, &e), -(int)ERR_SINK_REPLAY_LOST);
        err_clear(&e);
        const struct sink_witness *witness = past_witness(s.past, 0);
        const struct sink_server empty = {.run = "empty", .kept_us = SINK_KEPT_UNKNOWN, .is_empty = true};
        assert_int_equal(witness->meet(witness->ctx, &empty, &e), -(int)ERR_SINK_REPLAY_LOST); /* it may create rows */
        err_clear(&e);
        ok(checkpoint_remove(s.state, &e), &e);
        past_free(s.past);
        checkpoint_release(&s.cp);
        state_close(s.state);
        open_all(&s); /* another replay of this name */
        ok(meet(&s, &e), &e);
        scene_release(&s);
    }
}

static void past__damaged_record__is_told(void **state)
{
    (void)state;
    static struct scene s;
    struct err e = ERR_INIT;
    struct buf bytes;
    bool found;
    scene_init(&s);
    ok(meet(&s, &e), &e);
    ok(past_note(s.past, &s.cp, true, &e), &e);
    buf_init(&bytes, 0);
    ok(state_get(s.state, "past", &bytes, &found, &e), &e);
    past_free(s.past);
    for (size_t len = 0; len < bytes.len; len++) {
        ok(state_put(s.state, "past", bytes.p, len, &e), &e);
        assert_int_equal(past_open(&s.past, s.state, &s.spec, &s.cp, &e), -(int)ERR_STATE_CORRUPT);
        err_clear(&e);
    }
    ok(state_put(s.state, "past", bytes.p, bytes.len, &e), &e);
    ok(past_open(&s.past, s.state, &s.spec, &s.cp, &e), &e);
    buf_release(&bytes);
    scene_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(past__any_history__nothing_is_missing_where_it_begins),
        cmocka_unit_test(past__other_sink__is_not_set_back),
        cmocka_unit_test(past__empty_server__begins_anew),
        cmocka_unit_test(past__replica_of_a_server_that_keeps_all__is_behind_all_the_same),
        cmocka_unit_test(past__third_server_on_the_way__does_not_shorten_it),
        cmocka_unit_test(past__clock_steps_back__nothing_is_missing_where_it_begins),
        cmocka_unit_test(past__position_was_set__the_places_before_are_no_way_back),
        cmocka_unit_test(past__set_back__is_not_taken_for_a_person_s_doing),
        cmocka_unit_test(past__replay__ends_when_the_server_is_another),
        cmocka_unit_test(past__damaged_record__is_told),
    };
    return cmocka_run_group_tests_name("past", tests, NULL, NULL);
}
