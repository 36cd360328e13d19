/* Law "per-key order": whatever the order in which the source publishes and two workers run, whichever changes the sink
 * refuses and whichever batches fail, first occurrences of each key's versions reach the sink complete and rising, FROM
 * before its TO, and nothing is acknowledged that was not done. On the real lanes and the real workers, every
 * interleaving: the run is repeated for each sequence of choices, up to CHOICES of them; behind those it is fair. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sink/worker.h"
#include "tools/fault_sink.h"
#include "tools/rig.h"

#define CHOICES_MAX 16
#define KEYS        4
#define ROWS_MAX    32
#define ROUNDS_MAX  200

/* ---------------------------------------------------------------- choices */

static struct {
    unsigned taken[CHOICES_MAX], of[CHOICES_MAX];
    unsigned count, at, max;
} tree;

/* 0 … n-1; the first run takes 0 everywhere, next_run() counts on. */
static unsigned choose(unsigned n)
{
    if (tree.at == tree.max)
        return 0;
    if (tree.at == tree.count) {
        tree.of[tree.count] = n;
        tree.taken[tree.count++] = 0;
    }
    return tree.taken[tree.at++];
}

static bool next_run(void)
{
    tree.at = 0;
    while (tree.count && ++tree.taken[tree.count - 1] == tree.of[tree.count - 1])
        tree.count--;
    return tree.count > 0;
}

/* ---------------------------------------------------------------- one run */

struct run {
    struct rig rig;
    struct fault_plan plan;
    struct fault_options fault;
    struct runner_options opt;
    struct worker workers[2];
    int64_t now_us;
    unsigned published;
    size_t checked;
    uint8_t done[ROWS_MAX];
    uint64_t last[KEYS];
};

/* A backoff of 1 ms passes with the second look at the clock: the next gather may still find the key waiting. */
static int64_t clock_us(void *ctx)
{
    struct run *run = ctx;
    return run->now_us += 600;
}

static void no_random(void *ctx, void *bytes, size_t len)
{
    (void)ctx;
    memset(bytes, 0, len);
}

static enum verdict judge(void *ctx, const struct change *chg, unsigned seen)
{
    (void)ctx;
    (void)chg;
    return seen == 0 && choose(2) ? V_RETRY : V_DONE;
}

static int before_apply(void *ctx, size_t count, struct err *e)
{
    (void)ctx;
    (void)count;
    return choose(2) ? err_set(e, SINK_DOWN, "fault", "told to") : 0;
}

/* What the source publishes, in portions; a negative number: a move from the key before it. */
static const int scripts[][4][6] = {
    {{1, 2, 1}, {-3, 3}, {1, -2, 3}, {2}},
    {{1, -2}, {2, -1}, {1, 1}, {-2, -1}},
};

static bool publish(struct run *run, unsigned script)
{
    if (run->published == 4)
        return false;
    const int *keys = scripts[script][run->published++];
    int previous = 1;
    for (unsigned i = 0; i < 6 && keys[i]; i++) {
        int key = abs(keys[i]);
        if (keys[i] < 0 && previous != key)
            rig_move(&run->rig, previous, key);
        else
            rig_add(&run->rig, key, 1);
        previous = key;
    }
    rig_publish(&run->rig);
    return true;
}

static void run_init(struct run *run, unsigned lanes)
{
    *run = (struct run){.now_us = 0};
    fault_plan_init(&run->plan, ROWS_MAX);
    run->fault.plan = &run->plan;
    run->plan.judge = judge;
    run->plan.before_apply = before_apply;
    const struct rig_options opt = {
        .lanes = lanes, .buffer_bytes = 64 * 1024, .ring = 64, .runner = {.ops = &fault_sink, .options = &run->fault}};
    rig_init(&run->rig, &opt);
    run->rig.env.ctx = run;
    run->rig.env.mono_us = clock_us;
    run->rig.env.random = no_random;
    run->opt = (struct runner_options){.ops = &fault_sink,
                                       .options = &run->fault,
                                       .name = "fault",
                                       .workers = 2,
                                       .batch_rows = 3,
                                       .batch_bytes = 1 << 20,
                                       .parked_max = 2,
                                       .pinned_bytes = 1 << 20,
                                       .backoff_min_ms = 1,
                                       .backoff_max_ms = 1,
                                       .lanes = run->rig.lanes,
                                       .routes = run->rig.routes,
                                       .env = &run->rig.env};
    for (unsigned w = 0; w < 2; w++)
        assert_int_equal(worker_init(&run->workers[w], NULL, &run->opt, w, NULL), 0);
}

static void run_release(struct run *run)
{
    for (unsigned w = 0; w < 2; w++)
        worker_release(&run->workers[w]);
    rig_release(&run->rig);
    fault_plan_release(&run->plan);
}

/* The law, after each action. Ordinals are version rows + 1: the rig counts both alike. */
static void check(struct run *run)
{
    for (; run->checked < run->plan.count; run->checked++) {
        const struct fault_record *rec = &run->plan.records[run->checked];
        if (run->done[rec->row])
            continue;
        assert_true(rec->row + 1 > run->last[rec->key]);
        if (rec->flags & CHANGE_TO)
            assert_int_equal(run->done[rec->row - 1], 1);
        run->last[rec->key] = rec->row + 1;
        run->done[rec->row] = 1;
    }
    uint64_t safe = ledger_safe(lanes_ledger(run->rig.lanes), 0, 0);
    for (uint64_t row = 0; row < safe; row++)
        assert_int_equal(run->done[row], 1);
}

static void run_once(unsigned lanes, unsigned script)
{
    struct run run;
    run_init(&run, lanes);
    for (unsigned round = 0;; round++) {
        unsigned action = tree.at < tree.max ? choose(3) : round % 3;
        struct err e = ERR_INIT;
        if (action == 2)
            publish(&run, script);
        else if (worker_round(&run.workers[action], &e) < 0)
            assert_int_equal(err_class(&e), ERR_CLASS_RETRY);
        check(&run);
        if (tree.at == tree.max && run.published == 4 && runner_idle(run.rig.runner))
            break;
        assert_true(round < ROUNDS_MAX);
    }
    for (uint64_t row = 0; row < run.rig.next_row; row++)
        assert_int_equal(run.done[row], 1);
    run_release(&run);
}

static void law_key_order__every_interleaving_refusal_and_failure__holds(void **state)
{
    (void)state;
    unsigned long runs = 0;
    const char *full = getenv("SLUICE_TEST_FULL");
    for (unsigned script = 0; script < 2; script++) {
        for (unsigned lanes = 1; lanes <= 3; lanes++) {
            memset(&tree, 0, sizeof tree);
            tree.max = full && *full ? 13 : 9;
            do {
                run_once(lanes, script);
                runs++;
            } while (next_run());
        }
    }
    assert_true(runs > 10000);
    print_message("%lu interleavings\n", runs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(law_key_order__every_interleaving_refusal_and_failure__holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
