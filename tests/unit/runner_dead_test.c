/* The runner inline with a store for dead letters: what the sink refuses for good is there before it is acknowledged,
 * and everything else goes on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tools/fault_sink.h"
#include "tools/rig.h"

#define LETTERS_MAX 16

struct fixture {
    struct rig rig;
    struct fault_plan plan;
    struct fault_options opt;
    struct dead_store store;
    uint64_t rows[LETTERS_MAX]; /* version rows of the letters */
    enum err_code why;          /* of the last */
    unsigned letters, tries;
    unsigned away_at; /* this try, from 1, finds no store */
    enum err_code fails;
};

static int put(void *ctx, const char *sink, const struct change *chg, const struct err *why, struct err *e)
{
    struct fixture *f = ctx;
    assert_string_equal(sink, "cache");
    assert_int_equal(err_result(e), 0);
    assert_true(ledger_acked(lanes_ledger(f->rig.lanes), chg->lane, 0) <= chg->version.row);
    if (++f->tries == f->away_at)
        return f->fails == ERR_SINK_DOWN ? err_set(e, SINK_DOWN, "store", "nobody there") : err_set(e, BUG, "store");
    assert_true(f->letters < LETTERS_MAX);
    f->rows[f->letters++] = chg->version.row;
    f->why = why->code;
    return 0;
}

static void fixture_init(struct fixture *f, struct rig_options *opt, const struct sink_ops *ops)
{
    fault_plan_init(&f->plan, 100000);
    f->opt.plan = &f->plan;
    f->plan.ctx = f;
    f->store = (struct dead_store){put, f};
    opt->lanes = 1;
    opt->runner.ops = ops;
    opt->runner.options = &f->opt;
    opt->runner.dead = &f->store;
    rig_init(&f->rig, opt);
}

static void fixture_release(struct fixture *f)
{
    rig_release(&f->rig);
    fault_plan_release(&f->plan);
}

static void add_rows(struct fixture *f, int count)
{
    for (int n = 0; n < count; n++)
        rig_add(&f->rig, n % 2, 1);
    rig_publish(&f->rig);
}

/* Each row below `rows` was applied once, but for the letters, and all is acknowledged. */
static void check_all(const struct fixture *f, size_t rows)
{
    uint8_t seen[64] = {0};
    assert_int_equal(f->plan.count + f->letters, rows);
    for (size_t i = 0; i < f->plan.count; i++)
        seen[f->plan.records[i].row]++;
    for (unsigned i = 0; i < f->letters; i++)
        seen[f->rows[i]]++;
    for (size_t i = 0; i < rows; i++)
        assert_int_equal(seen[i], 1);
    assert_true(runner_idle(f->rig.runner));
    assert_int_equal(metric_get(&runner_worker_stats(f->rig.runner, 0)->dead_letters_total), f->letters);
}

static bool is_odd_one(const struct change *chg)
{
    return chg->version.row == 3 || chg->version.row == 6;
}

static enum verdict poison_two(void *ctx, const struct change *chg, unsigned seen)
{
    (void)ctx;
    (void)seen;
    return is_odd_one(chg) ? V_POISON : V_DONE;
}

static void runner_dead__refused_for_good__is_a_letter_and_later_changes_of_the_key_go_on(void **state)
{
    (void)state;
    static const struct sink_ops *const kinds[] = {&fault_sink, &fault_sink_keeper};
    for (unsigned i = 0; i < 2; i++) {
        struct fixture f = {.letters = 0};
        struct rig_options opt = {.runner = {.batch_rows = 5}};
        fixture_init(&f, &opt, kinds[i]);
        f.plan.judge = poison_two;
        add_rows(&f, 10);
        assert_int_equal(runner_step(f.rig.runner, NULL), 0);
        assert_int_equal(f.letters, 2);
        assert_int_equal(f.rows[0], 3);
        assert_int_equal(f.rows[1], 6);
        assert_int_equal(f.why, ERR_SINK_POISON);
        check_all(&f, 10);
        fixture_release(&f);
    }
}

static void runner_dead__store_is_away__nothing_is_acknowledged_and_no_letter_comes_twice(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct fixture f = {.away_at = 2, .fails = ERR_SINK_DOWN};
    struct rig_options opt = {.runner = {.batch_rows = 20}};
    fixture_init(&f, &opt, &fault_sink);
    f.plan.judge = poison_two;
    add_rows(&f, 10);
    assert_int_equal(runner_step(f.rig.runner, &e), -(int)ERR_SINK_DOWN);
    assert_int_equal(f.letters, 1);
    assert_int_equal(ledger_acked(lanes_ledger(f.rig.lanes), 0, 0), 0);
    assert_int_equal(f.plan.count, 8);
    f.plan.count = 0; /* the batch comes again */
    err_clear(&e);
    assert_int_equal(runner_step(f.rig.runner, &e), 0);
    check_all(&f, 10);
    fixture_release(&f);
}

static void runner_dead__store_fails_for_good__stops(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct fixture f = {.away_at = 1, .fails = ERR_BUG};
    struct rig_options opt = {.runner = {.batch_rows = 20}};
    fixture_init(&f, &opt, &fault_sink);
    f.plan.judge = poison_two;
    add_rows(&f, 10);
    assert_int_equal(runner_step(f.rig.runner, &e), -(int)ERR_BUG);
    assert_int_equal(ledger_acked(lanes_ledger(f.rig.lanes), 0, 0), 0);
    fixture_release(&f);
}

static enum verdict poison_and_stop(void *ctx, const struct change *chg, unsigned seen)
{
    return chg->version.row == 8 ? V_STOP : poison_two(ctx, chg, seen);
}

static void runner_dead__batch_holds_a_stop_too__stops_without_letters(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct fixture f = {.letters = 0};
    struct rig_options opt = {.runner = {.batch_rows = 20}};
    fixture_init(&f, &opt, &fault_sink);
    f.plan.judge = poison_and_stop;
    add_rows(&f, 10);
    assert_int_equal(runner_step(f.rig.runner, &e), -(int)ERR_SINK_STOP);
    assert_int_equal(f.tries, 0);
    assert_int_equal(ledger_acked(lanes_ledger(f.rig.lanes), 0, 0), 0);
    fixture_release(&f);
}

/* Row 0 by two routes: the first refuses it for good, the second for now, then it is fine with it. */
static enum verdict poison_beside_retry(void *ctx, const struct change *chg, unsigned seen)
{
    (void)ctx;
    if (chg->version.row != 0)
        return V_DONE;
    return seen % 2 == 0 ? V_POISON : seen < 4 ? V_RETRY : V_DONE;
}

static void runner_dead__another_route_wants_it_again__is_a_letter_when_that_is_done(void **state)
{
    (void)state;
    static const struct route routes[] = {
        {.line = 1, .db = "shop", .table = "orders", .sink_mask = 1, .sink_options = {"first"}},
        {.line = 2, .db = "*", .table = "ord*", .sink_mask = 1, .sink_options = {"second"}},
    };
    struct fixture f = {.letters = 0};
    struct rig_options opt = {.routes = routes, .route_count = 2};
    fixture_init(&f, &opt, &fault_sink_bound);
    f.plan.judge = poison_beside_retry;
    add_rows(&f, 4);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(runner_step(f.rig.runner, NULL), -(int)ERR_SINK_PARKED);
        assert_int_equal(f.tries, 0);
        assert_int_equal(ledger_acked(lanes_ledger(f.rig.lanes), 0, 0), 0);
    }
    assert_int_equal(runner_step(f.rig.runner, NULL), 0);
    assert_int_equal(f.letters, 1);
    assert_int_equal(f.rows[0], 0);
    assert_true(runner_idle(f.rig.runner));
    /* Row 0 by the second route, and three rows by both. */
    assert_int_equal(f.plan.count, 7);
    fixture_release(&f);
}

/* Rows 0 and 2 have one key. */
static enum verdict poison_behind_retry(void *ctx, const struct change *chg, unsigned seen)
{
    (void)ctx;
    return chg->version.row == 2 ? V_POISON : chg->version.row == 0 && seen < 3 ? V_RETRY : V_DONE;
}

static void runner_dead__behind_a_parked_change_of_its_key__is_one_letter_and_not_given_again(void **state)
{
    (void)state;
    struct fixture f = {.letters = 0};
    struct rig_options opt = {.runner = {.batch_rows = 20}};
    fixture_init(&f, &opt, &fault_sink);
    f.plan.judge = poison_behind_retry;
    f.plan.judges_all = true;
    add_rows(&f, 4);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(runner_step(f.rig.runner, NULL), -(int)ERR_SINK_PARKED);
        assert_int_equal(f.letters, 1);
        assert_int_equal(f.plan.seen[2], 1);
        assert_int_equal(ledger_acked(lanes_ledger(f.rig.lanes), 0, 0), 0);
    }
    assert_int_equal(runner_step(f.rig.runner, NULL), 0);
    assert_int_equal(f.plan.seen[2], 1);
    check_all(&f, 4);
    fixture_release(&f);
}

static enum verdict poison_and_retry(void *ctx, const struct change *chg, unsigned seen)
{
    (void)ctx;
    return chg->version.row == 3 ? V_POISON : chg->version.row == 8 && seen < 2 ? V_RETRY : V_DONE;
}

static void runner_dead__batch_that_comes_again_as_a_whole__has_its_letter_when_it_stands(void **state)
{
    (void)state;
    struct fixture f = {.letters = 0};
    struct rig_options opt = {.runner = {.batch_rows = 20}};
    fixture_init(&f, &opt, &fault_sink_keeper);
    f.plan.judge = poison_and_retry;
    add_rows(&f, 10);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(runner_step(f.rig.runner, NULL), -(int)ERR_SINK_PARKED);
        assert_int_equal(f.tries, 0);
        f.plan.count = f.plan.uncommitted = 0;
    }
    assert_int_equal(runner_step(f.rig.runner, NULL), 0);
    check_all(&f, 10);
    fixture_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runner_dead__refused_for_good__is_a_letter_and_later_changes_of_the_key_go_on),
        cmocka_unit_test(runner_dead__store_is_away__nothing_is_acknowledged_and_no_letter_comes_twice),
        cmocka_unit_test(runner_dead__store_fails_for_good__stops),
        cmocka_unit_test(runner_dead__batch_holds_a_stop_too__stops_without_letters),
        cmocka_unit_test(runner_dead__another_route_wants_it_again__is_a_letter_when_that_is_done),
        cmocka_unit_test(runner_dead__behind_a_parked_change_of_its_key__is_one_letter_and_not_given_again),
        cmocka_unit_test(runner_dead__batch_that_comes_again_as_a_whole__has_its_letter_when_it_stands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
