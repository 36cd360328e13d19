/* The runner's threads: order per key under faults for all numbers of lanes and workers, sleep and wake-up, going down
 * and coming back, ending. Runs under TSan too (runner_start). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tools/fault_sink.h"
#include "tools/rig.h"

#define KEYS 61
#define ROWS 6000

struct fixture {
    struct rig rig;
    struct fault_plan plan;
    struct fault_options opt;
    unsigned refuse_of_16; /* chance that a change is refused when seen first */
    unsigned fail_every;   /* n-th apply finds the sink down */
    unsigned seed;
    _Atomic bool is_down;
};

static void fixture_init(struct fixture *f, struct rig_options *opt)
{
    fault_plan_init(&f->plan, 4 * ROWS);
    f->opt.plan = &f->plan;
    f->plan.ctx = f;
    opt->runner.ops = &fault_sink;
    opt->runner.options = &f->opt;
    opt->runner.backoff_min_ms = opt->runner.backoff_min_ms ? opt->runner.backoff_min_ms : 1;
    opt->runner.backoff_max_ms = opt->runner.backoff_max_ms ? opt->runner.backoff_max_ms : 4;
    rig_init(&f->rig, opt);
}

static void fixture_release(struct fixture *f)
{
    rig_release(&f->rig);
    fault_plan_release(&f->plan);
}

static enum verdict refuse_some(void *ctx, const struct change *chg, unsigned seen)
{
    struct fixture *f = ctx;
    unsigned dice = (unsigned)((chg->version.row * 2654435761u) >> 7) + seen * 5;
    return seen < 3 && dice % 16 < f->refuse_of_16 ? V_RETRY : V_DONE;
}

static int fail_some(void *ctx, size_t count, struct err *e)
{
    struct fixture *f = ctx;
    (void)count;
    return f->fail_every && f->plan.applies % f->fail_every == 0 ? err_set(e, SINK_DOWN, "fault", "told to") : 0;
}

/* Rows and moves of random keys, published in random portions. Returns the number of items. */
static size_t produce(struct fixture *f)
{
    size_t items = 0;
    unsigned dice = f->seed;
    while (f->rig.next_row < ROWS) {
        dice = dice * 1103515245u + 12345u;
        int key = (int)(dice >> 16) % KEYS, other = (int)(dice >> 8) % KEYS;
        if (dice >> 28 == 0 && other != key && other >= 0) {
            rig_move(&f->rig, key, other);
            items += 2;
        } else {
            rig_add(&f->rig, key, 1);
            items++;
        }
        if ((dice >> 20) % 37 == 0)
            rig_publish(&f->rig);
    }
    rig_publish(&f->rig);
    return items;
}

/* First occurrences of each key's versions rise and are complete; FROM stands before its TO. */
static void check_order(const struct fixture *f, size_t items)
{
    uint64_t last[KEYS] = {0};
    uint8_t *done = calloc(f->rig.next_row, 1);
    size_t first = 0;
    assert_non_null(done);
    for (size_t i = 0; i < f->plan.count; i++) {
        const struct fault_record *rec = &f->plan.records[i];
        assert_in_range(rec->key, 0, KEYS - 1);
        if (done[rec->row])
            continue;
        if (rec->row + 1 <= last[rec->key])
            fail_msg("key %d: row %llu behind %llu", rec->key, (unsigned long long)rec->row,
                     (unsigned long long)last[rec->key] - 1);
        if ((rec->flags & CHANGE_TO) && !done[rec->row - 1])
            fail_msg("TO %llu without its FROM", (unsigned long long)rec->row);
        last[rec->key] = rec->row + 1;
        done[rec->row] = 1;
        first++;
    }
    free(done);
    assert_int_equal(first, items);
}

static void runner__all_lanes_and_workers_under_faults__order_and_completeness_hold(void **state)
{
    (void)state;
    static const unsigned lane_counts[] = {1, 3, 16}, worker_counts[] = {1, 2, 4};
    for (unsigned i = 0; i < 3; i++) {
        for (unsigned k = 0; k < 3; k++) {
            struct fixture f = {.refuse_of_16 = 3, .fail_every = 19, .seed = i * 10 + k + 1};
            struct rig_options opt = {
                .lanes = lane_counts[i],
                .buffer_bytes = 256 * 1024,
                .runner = {.workers = worker_counts[k], .batch_rows = 40, .parked_max = 16, .pinned_bytes = 20000}};
            fixture_init(&f, &opt);
            f.plan.judge = refuse_some;
            f.plan.before_apply = fail_some;
            assert_int_equal(runner_start(f.rig.runner, NULL), 0);
            size_t items = produce(&f);
            rig_wait_idle(&f.rig);
            runner_stop(f.rig.runner, true);
            runner_join(f.rig.runner);
            check_order(&f, items);
            assert_int_equal(atomic_load(&f.rig.downs), atomic_load(&f.rig.backs));
            assert_true(atomic_load(&f.rig.downs) > 0);
            fixture_release(&f);
        }
    }
}

static void runner__one_row_at_a_time__sleeping_workers_are_woken(void **state)
{
    (void)state;
    struct fixture f = {0};
    struct rig_options opt = {.lanes = 4, .runner = {.workers = 2}};
    fixture_init(&f, &opt);
    assert_int_equal(runner_start(f.rig.runner, NULL), 0);
    for (int n = 0; n < 300; n++) {
        rig_add(&f.rig, n % KEYS, 1);
        rig_publish(&f.rig);
        rig_wait_idle(&f.rig);
    }
    runner_stop(f.rig.runner, false);
    runner_join(f.rig.runner);
    check_order(&f, 300);
    fixture_release(&f);
}

static void runner__drain__ends_when_everything_published_is_acknowledged(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 10; round++) {
        struct fixture f = {.refuse_of_16 = 2, .seed = round + 100};
        struct rig_options opt = {.lanes = 3, .runner = {.workers = 2, .batch_rows = 100}};
        fixture_init(&f, &opt);
        f.plan.judge = refuse_some;
        assert_int_equal(runner_start(f.rig.runner, NULL), 0);
        size_t items = produce(&f);
        runner_stop(f.rig.runner, true);
        runner_join(f.rig.runner);
        assert_true(runner_idle(f.rig.runner));
        check_order(&f, items);
        fixture_release(&f);
    }
}

static int down_while_told(void *ctx, struct err *e)
{
    struct fixture *f = ctx;
    return atomic_load(&f->is_down) ? err_set(e, SINK_DOWN, "fault", "nobody there") : 0;
}

static void runner__sink_down__told_once_and_back_once_whatever_the_workers(void **state)
{
    (void)state;
    struct fixture f = {0};
    struct rig_options opt = {.lanes = 4, .runner = {.workers = 4}};
    fixture_init(&f, &opt);
    f.plan.before_open = down_while_told;
    atomic_store(&f.is_down, true);
    assert_int_equal(runner_start(f.rig.runner, NULL), 0);
    for (int n = 0; n < 100; n++)
        rig_add(&f.rig, n % KEYS, 1);
    rig_publish(&f.rig);
    for (unsigned w = 0; w < 4; w++)
        while (metric_get(&runner_worker_stats(f.rig.runner, w)->retries_total) < 3)
            rig_wait_at_least(&f.rig.downs, 1);
    assert_int_equal(atomic_load(&f.rig.downs), 1);
    assert_int_equal(metric_get(&runner_worker_stats(f.rig.runner, 2)->down), 1);
    assert_false(runner_idle(f.rig.runner));
    atomic_store(&f.is_down, false);
    rig_wait_idle(&f.rig);
    rig_wait_at_least(&f.rig.backs, 1);
    runner_stop(f.rig.runner, true);
    runner_join(f.rig.runner);
    assert_int_equal(atomic_load(&f.rig.backs), 1);
    check_order(&f, 100);
    fixture_release(&f);
}

static void runner__stopped_in_a_long_backoff__ends_at_once(void **state)
{
    (void)state;
    for (unsigned drain = 0; drain < 2; drain++) {
        struct fixture f = {0};
        struct rig_options opt = {.lanes = 2,
                                  .runner = {.workers = 2, .backoff_min_ms = 100000000, .backoff_max_ms = 100000000}};
        fixture_init(&f, &opt);
        f.plan.before_open = down_while_told;
        atomic_store(&f.is_down, true);
        assert_int_equal(runner_start(f.rig.runner, NULL), 0);
        rig_add(&f.rig, 1, 1);
        rig_publish(&f.rig);
        rig_wait_at_least(&f.rig.downs, 1);
        runner_stop(f.rig.runner, drain != 0);
        runner_join(f.rig.runner);
        assert_false(runner_idle(f.rig.runner));
        fixture_release(&f);
    }
}

static enum verdict refuse_for_ever(void *ctx, const struct change *chg, unsigned seen)
{
    (void)ctx;
    (void)chg;
    (void)seen;
    return V_RETRY;
}

static void runner__drain_of_a_key_that_is_refused_for_ever__is_ended_by_a_second_stop(void **state)
{
    (void)state;
    struct fixture f = {0};
    struct rig_options opt = {.lanes = 1, .runner = {.workers = 1}};
    fixture_init(&f, &opt);
    f.plan.judge = refuse_for_ever;
    assert_int_equal(runner_start(f.rig.runner, NULL), 0);
    rig_add(&f.rig, 1, 1);
    rig_publish(&f.rig);
    runner_stop(f.rig.runner, true);
    while (metric_get(&runner_worker_stats(f.rig.runner, 0)->retries_total) < 3)
        assert_int_equal(atomic_load(&f.rig.fatals), 0);
    runner_stop(f.rig.runner, false);
    runner_join(f.rig.runner);
    assert_int_equal(f.plan.count, 0);
    assert_false(runner_idle(f.rig.runner));
    fixture_release(&f);
}

static enum verdict poison(void *ctx, const struct change *chg, unsigned seen)
{
    (void)ctx;
    (void)seen;
    return chg->version.row == 2 ? V_POISON : V_DONE;
}

static void runner__poison__is_told_as_fatal_and_not_acknowledged(void **state)
{
    (void)state;
    struct fixture f = {0};
    struct rig_options opt = {.lanes = 1, .runner = {.workers = 1}};
    fixture_init(&f, &opt);
    f.plan.judge = poison;
    assert_int_equal(runner_start(f.rig.runner, NULL), 0);
    for (int n = 0; n < 5; n++)
        rig_add(&f.rig, 1, 1);
    rig_publish(&f.rig);
    rig_wait_at_least(&f.rig.fatals, 1);
    runner_stop(f.rig.runner, true);
    runner_join(f.rig.runner);
    assert_int_equal(atomic_load(&f.rig.fatal_code), ERR_SINK_POISON);
    assert_int_equal(ledger_acked(lanes_ledger(f.rig.lanes), 0, 0), 0);
    fixture_release(&f);
}

static enum verdict refuse_low_keys(void *ctx, const struct change *chg, unsigned seen)
{
    struct fixture *f = ctx;
    (void)seen;
    return atomic_load(&f->is_down) && chg->key_len == 1 ? V_RETRY : V_DONE;
}

static void runner__lane_left_alone_for_parked_keys__others_are_served_without_delay(void **state)
{
    (void)state;
    struct fixture f = {0};
    struct rig_options opt = {.lanes = 8, .runner = {.workers = 1, .parked_max = 1, .backoff_max_ms = 2}};
    fixture_init(&f, &opt);
    f.plan.judge = refuse_low_keys;
    atomic_store(&f.is_down, true);
    assert_int_equal(runner_start(f.rig.runner, NULL), 0);
    for (int n = 0; n < 500; n++) {
        rig_add(&f.rig, n % KEYS, 1);
        if (n % 7 == 0)
            rig_publish(&f.rig);
    }
    rig_publish(&f.rig);
    const struct runner_stats *stats = runner_worker_stats(f.rig.runner, 0);
    while (metric_get(&stats->retries_total) < 50)
        assert_int_equal(atomic_load(&f.rig.fatals), 0);
    atomic_store(&f.is_down, false);
    rig_wait_idle(&f.rig);
    runner_stop(f.rig.runner, true);
    runner_join(f.rig.runner);
    check_order(&f, 500);
    fixture_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runner__all_lanes_and_workers_under_faults__order_and_completeness_hold),
        cmocka_unit_test(runner__one_row_at_a_time__sleeping_workers_are_woken),
        cmocka_unit_test(runner__drain__ends_when_everything_published_is_acknowledged),
        cmocka_unit_test(runner__sink_down__told_once_and_back_once_whatever_the_workers),
        cmocka_unit_test(runner__stopped_in_a_long_backoff__ends_at_once),
        cmocka_unit_test(runner__drain_of_a_key_that_is_refused_for_ever__is_ended_by_a_second_stop),
        cmocka_unit_test(runner__poison__is_told_as_fatal_and_not_acknowledged),
        cmocka_unit_test(runner__lane_left_alone_for_parked_keys__others_are_served_without_delay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
