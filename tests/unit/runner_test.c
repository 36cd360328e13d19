/* The runner inline: verdicts, parking, failing batches, routes, truncate, positions kept by the sink. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sink/marks.h"
#include "tools/fault_sink.h"
#include "tools/rig.h"

struct fixture {
    struct rig rig;
    struct fault_plan plan;
    struct fault_options opt;
};

static void fixture_init(struct fixture *f, struct rig_options *opt, const struct sink_ops *ops)
{
    fault_plan_init(&f->plan, 100000);
    f->opt.plan = &f->plan;
    f->plan.ctx = f;
    opt->runner.ops = ops;
    opt->runner.options = &f->opt;
    rig_init(&f->rig, opt);
}

static void fixture_release(struct fixture *f)
{
    rig_release(&f->rig);
    fault_plan_release(&f->plan);
}

/* Every key's rows rose; each row up to `rows` came once. */
static void check_order(const struct fixture *f, size_t rows)
{
    static uint64_t last[64];
    memset(last, 0, sizeof last);
    assert_int_equal(f->plan.count, rows);
    for (size_t i = 0; i < rows; i++) {
        const struct fault_record *rec = &f->plan.records[i];
        assert_in_range(rec->key, 0, 63);
        assert_true(rec->row + 1 > last[rec->key]);
        last[rec->key] = rec->row + 1;
    }
}

static void runner_step__rows_in_many_lanes__each_key_in_order_and_all_acknowledged(void **state)
{
    (void)state;
    static const unsigned lane_counts[] = {1, 3, 16};
    for (unsigned i = 0; i < 3; i++) {
        struct fixture f;
        struct rig_options opt = {.lanes = lane_counts[i], .runner = {.batch_rows = 100}};
        fixture_init(&f, &opt, &fault_sink);
        for (int n = 0; n < 5000; n++)
            rig_add(&f.rig, n * 7 % 64, 1);
        rig_publish(&f.rig);
        assert_false(runner_idle(f.rig.runner));
        assert_int_equal(runner_step(f.rig.runner, NULL), 0);
        assert_true(runner_idle(f.rig.runner));
        check_order(&f, 5000);
        assert_in_range(f.plan.applies, 50, 70);
        fixture_release(&f);
    }
}

static enum verdict refuse_row_0_once(void *ctx, const struct change *chg, unsigned seen)
{
    (void)ctx;
    return chg->version.row == 0 && seen == 0 ? V_RETRY : V_DONE;
}

static void runner_step__item_refused__its_key_waits_and_others_go_on(void **state)
{
    (void)state;
    struct fixture f;
    struct rig_options opt = {.lanes = 1, .runner = {.batch_rows = 4}};
    fixture_init(&f, &opt, &fault_sink);
    f.plan.judge = refuse_row_0_once;
    for (int n = 0; n < 12; n++)
        rig_add(&f.rig, n % 3, 1);
    rig_publish(&f.rig);
    struct err e = ERR_INIT;
    assert_int_equal(runner_step(f.rig.runner, &e), -(int)ERR_SINK_PARKED);
    assert_int_equal(f.plan.count, 8);
    for (size_t i = 0; i < 8; i++)
        assert_int_not_equal(f.plan.records[i].key, 0);
    assert_int_equal(ledger_acked(lanes_ledger(f.rig.lanes), 0, 0), 0);
    assert_int_equal(metric_get(&runner_worker_stats(f.rig.runner, 0)->parked), 1);
    err_clear(&e);
    assert_int_equal(runner_step(f.rig.runner, &e), 0);
    assert_true(runner_idle(f.rig.runner));
    check_order(&f, 12);
    assert_int_equal(f.plan.records[8].flags & CHANGE_AGAIN, CHANGE_AGAIN);
    assert_int_equal(metric_get(&runner_worker_stats(f.rig.runner, 0)->parked), 0);
    assert_int_equal(metric_get(&runner_worker_stats(f.rig.runner, 0)->rows_total), 12);
    fixture_release(&f);
}

static enum verdict refuse_first_three_times(void *ctx, const struct change *chg, unsigned seen)
{
    (void)ctx;
    return seen < chg->version.row % 4 ? V_RETRY : V_DONE;
}

static void runner_step__every_row_refused_some_times__order_holds_and_everything_is_done(void **state)
{
    (void)state;
    for (unsigned rows = 1; rows <= 64; rows *= 4) {
        struct fixture f;
        struct rig_options opt = {.lanes = 3, .runner = {.batch_rows = rows}};
        fixture_init(&f, &opt, &fault_sink);
        f.plan.judge = refuse_first_three_times;
        for (int n = 0; n < 1000; n++)
            rig_add(&f.rig, n * 5 % 17, 1);
        rig_publish(&f.rig);
        unsigned steps = 0;
        for (int rc = -1; rc != 0; steps++) {
            struct err e = ERR_INIT;
            rc = runner_step(f.rig.runner, &e);
            if (rc != 0)
                assert_int_equal(e.code, ERR_SINK_PARKED);
            assert_true(steps < 5000);
        }
        assert_true(runner_idle(f.rig.runner));
        check_order(&f, 1000);
        fixture_release(&f);
    }
}

static enum verdict refuse_key_5(void *ctx, const struct change *chg, unsigned seen)
{
    (void)ctx;
    (void)seen;
    return chg->key_len == 1 && chg->key[0] == '5' ? V_RETRY : V_DONE;
}

static void runner_step__acknowledged__up_to_the_oldest_parked_item(void **state)
{
    (void)state;
    struct fixture f;
    struct rig_options opt = {.lanes = 1};
    fixture_init(&f, &opt, &fault_sink);
    f.plan.judge = refuse_key_5;
    for (int n = 1; n <= 9; n++)
        rig_add(&f.rig, n, 1);
    rig_publish(&f.rig);
    assert_int_equal(runner_step(f.rig.runner, NULL), -(int)ERR_SINK_PARKED);
    assert_int_equal(f.plan.count, 8);
    assert_int_equal(ledger_acked(lanes_ledger(f.rig.lanes), 0, 0), 4);
    f.plan.judge = NULL;
    assert_int_equal(runner_step(f.rig.runner, NULL), 0);
    assert_int_equal(ledger_acked(lanes_ledger(f.rig.lanes), 0, 0), 9);
    fixture_release(&f);
}

static enum verdict refuse_all(void *ctx, const struct change *chg, unsigned seen)
{
    (void)ctx;
    (void)chg;
    (void)seen;
    return V_RETRY;
}

static void runner_step__too_many_keys_parked__the_lane_is_left_alone(void **state)
{
    (void)state;
    struct fixture f;
    struct rig_options opt = {.lanes = 1, .runner = {.batch_rows = 8, .parked_max = 8}};
    fixture_init(&f, &opt, &fault_sink);
    f.plan.judge = refuse_all;
    for (int n = 0; n < 60; n++)
        rig_add(&f.rig, n, 1);
    rig_publish(&f.rig);
    assert_int_equal(runner_step(f.rig.runner, NULL), -(int)ERR_SINK_PARKED);
    assert_int_equal(metric_get(&runner_worker_stats(f.rig.runner, 0)->parked), 8);
    assert_int_equal(f.plan.seen[8], 0);
    f.plan.judge = NULL;
    assert_int_equal(runner_step(f.rig.runner, NULL), 0);
    check_order(&f, 60);
    fixture_release(&f);
}

static void runner_step__too_many_bytes_behind_a_parked_item__the_lane_is_left_alone(void **state)
{
    (void)state;
    struct fixture f;
    struct rig_options opt = {.lanes = 1, .runner = {.batch_rows = 4, .pinned_bytes = 1000}};
    fixture_init(&f, &opt, &fault_sink);
    f.plan.judge = refuse_key_5;
    rig_add(&f.rig, 5, 1);
    for (int n = 0; n < 1000; n++)
        rig_add(&f.rig, 6 + n % 50, 1);
    rig_publish(&f.rig);
    assert_int_equal(runner_step(f.rig.runner, NULL), -(int)ERR_SINK_PARKED);
    assert_in_range(f.plan.count, 3, 30);
    f.plan.judge = NULL;
    assert_int_equal(runner_step(f.rig.runner, NULL), 0);
    check_order(&f, 1001);
    fixture_release(&f);
}

/* ---------------------------------------------------------------- failing batches */

static int fail_twice(void *ctx, size_t count, struct err *e)
{
    struct fixture *f = ctx;
    (void)count;
    return f->plan.applies <= 2 ? err_set(e, SINK_DOWN, "fault", "told to") : 0;
}

static void runner_step__batch_fails__sink_is_opened_anew_and_gets_the_same_batch(void **state)
{
    (void)state;
    struct fixture f;
    struct rig_options opt = {.lanes = 2, .runner = {.batch_rows = 10}};
    fixture_init(&f, &opt, &fault_sink);
    f.plan.before_apply = fail_twice;
    for (int n = 0; n < 25; n++)
        rig_add(&f.rig, n % 8, 1);
    rig_publish(&f.rig);
    for (unsigned i = 1; i <= 2; i++) {
        struct err e = ERR_INIT;
        assert_int_equal(runner_step(f.rig.runner, &e), -(int)ERR_SINK_DOWN);
        assert_non_null(strstr(e.text, "sink cache: fault: told to"));
        assert_int_equal(f.plan.closes, i);
        assert_int_equal(f.plan.count, 0);
        assert_false(runner_idle(f.rig.runner));
    }
    assert_int_equal(runner_step(f.rig.runner, NULL), 0);
    check_order(&f, 25);
    for (size_t i = 0; i < 25; i++)
        assert_int_equal(f.plan.records[i].flags & CHANGE_AGAIN, i < 10 ? CHANGE_AGAIN : 0);
    fixture_release(&f);
}

static void runner_step__batch_of_a_sink_that_stays_open_fails__the_same_instance_gets_it_again(void **state)
{
    (void)state;
    struct fixture f;
    struct sink_ops stays = fault_sink;
    struct rig_options opt = {.lanes = 2, .runner = {.batch_rows = 10}};
    stays.flags |= SINK_STAYS_OPEN;
    fixture_init(&f, &opt, &stays);
    f.plan.before_apply = fail_twice;
    for (int n = 0; n < 25; n++)
        rig_add(&f.rig, n % 8, 1);
    rig_publish(&f.rig);
    for (unsigned i = 1; i <= 2; i++)
        assert_int_equal(runner_step(f.rig.runner, NULL), -(int)ERR_SINK_DOWN);
    assert_int_equal(runner_step(f.rig.runner, NULL), 0);
    check_order(&f, 25);
    assert_int_equal(f.plan.opens, 1);
    assert_int_equal(f.plan.closes, 0);
    fixture_release(&f);
}

static int cannot_open(void *ctx, struct err *e)
{
    (void)ctx;
    return err_set(e, SINK_DOWN, "fault", "nobody there");
}

static void runner_step__sink_cannot_be_opened__error_comes_out_and_nothing_is_lost(void **state)
{
    (void)state;
    struct fixture f;
    struct rig_options opt = {.lanes = 1};
    fixture_init(&f, &opt, &fault_sink);
    f.plan.before_open = cannot_open;
    rig_add(&f.rig, 1, 1);
    rig_publish(&f.rig);
    assert_int_equal(runner_step(f.rig.runner, NULL), -(int)ERR_SINK_DOWN);
    assert_int_equal(runner_step(f.rig.runner, NULL), -(int)ERR_SINK_DOWN);
    f.plan.before_open = NULL;
    assert_int_equal(runner_step(f.rig.runner, NULL), 0);
    check_order(&f, 1);
    fixture_release(&f);
}

static enum verdict poison_row_3(void *ctx, const struct change *chg, unsigned seen)
{
    (void)ctx;
    (void)seen;
    return chg->version.row == 3 ? V_POISON : V_DONE;
}

static enum verdict stop_row_3(void *ctx, const struct change *chg, unsigned seen)
{
    return poison_row_3(ctx, chg, seen) == V_POISON ? V_STOP : V_DONE;
}

static void runner_step__item_refused_for_good__stops_with_its_place_and_acknowledges_nothing(void **state)
{
    (void)state;
    static const struct {
        enum verdict (*judge)(void *ctx, const struct change *chg, unsigned seen);
        enum err_code code;
    } cases[] = {{poison_row_3, ERR_SINK_POISON}, {stop_row_3, ERR_SINK_STOP}};
    for (unsigned i = 0; i < 2; i++) {
        struct fixture f;
        struct rig_options opt = {.lanes = 1};
        fixture_init(&f, &opt, &fault_sink);
        f.plan.judge = cases[i].judge;
        for (int n = 0; n < 6; n++)
            rig_add(&f.rig, 77777, 1);
        rig_publish(&f.rig);
        struct err e = ERR_INIT;
        assert_int_equal(runner_step(f.rig.runner, &e), -(int)cases[i].code);
        assert_non_null(strstr(e.text, "sink cache: bin.000001:4711: shop.orders: version 00000001."));
        assert_null(strstr(e.text, "77777"));
        assert_int_equal(ledger_acked(lanes_ledger(f.rig.lanes), 0, 0), 0);
        fixture_release(&f);
    }
}

/* ---------------------------------------------------------------- routes and kinds of items */

static enum verdict refuse_on_second_route(void *ctx, const struct change *chg, unsigned seen)
{
    (void)ctx;
    (void)chg;
    return seen == 1 ? V_RETRY : V_DONE;
}

static void runner_step__two_routes_of_a_table__one_item_each_and_the_worst_verdict_counts(void **state)
{
    (void)state;
    static const struct route routes[] = {
        {.line = 1, .db = "shop", .table = "orders", .sink_mask = 1, .sink_options = {"first"}},
        {.line = 2, .db = "shop", .table = "other", .sink_mask = 1, .sink_options = {"never"}},
        {.line = 3, .db = "*", .table = "ord*", .sink_mask = 1, .sink_options = {"second"}},
        {.line = 4, .db = "*", .table = "*", .sink_mask = 2, .sink_options = {"never"}},
    };
    struct fixture f;
    struct rig_options opt = {.lanes = 1, .routes = routes, .route_count = 4};
    fixture_init(&f, &opt, &fault_sink_bound);
    f.plan.judge = refuse_on_second_route;
    rig_add(&f.rig, 1, 1);
    rig_publish(&f.rig);
    assert_int_equal(runner_step(f.rig.runner, NULL), -(int)ERR_SINK_PARKED);
    assert_int_equal(f.plan.count, 1);
    assert_string_equal(f.plan.records[0].bind, "first");
    assert_int_equal(runner_step(f.rig.runner, NULL), 0);
    assert_int_equal(f.plan.count, 3);
    assert_string_equal(f.plan.records[1].bind, "first");
    assert_string_equal(f.plan.records[2].bind, "second");
    fixture_release(&f);
}

static void runner_check__bind_refuses_a_table__error_names_the_routes_line(void **state)
{
    (void)state;
    static const struct route routes[] = {
        {.line = 12, .db = "shop", .table = "orders", .sink_mask = 1, .sink_options = {"refuse"}}};
    struct fixture f;
    struct rig_options opt = {.lanes = 1, .routes = routes, .route_count = 1};
    fixture_init(&f, &opt, &fault_sink_bound);
    struct err e = ERR_INIT;
    assert_int_equal(runner_check(f.rig.runner, sample_shape(f.rig.sample)->tbl, &e), -(int)ERR_TEMPLATE);
    assert_non_null(strstr(e.text, "route at line 12: "));
    fixture_release(&f);
}

static void runner_step__items_of_other_sinks__are_only_acknowledged(void **state)
{
    (void)state;
    struct fixture f;
    struct rig_options opt = {.lanes = 1, .runner = {.batch_rows = 3}};
    fixture_init(&f, &opt, &fault_sink);
    for (int n = 0; n < 20; n++)
        rig_add(&f.rig, n % 5, n % 4 ? 0 : 1);
    rig_publish(&f.rig);
    assert_int_equal(runner_step(f.rig.runner, NULL), 0);
    assert_true(runner_idle(f.rig.runner));
    check_order(&f, 5);
    fixture_release(&f);
}

static void runner_step__truncate__comes_alone_between_what_was_before_and_behind(void **state)
{
    (void)state;
    for (unsigned lanes = 1; lanes <= 4; lanes++) {
        struct fixture f;
        struct rig_options opt = {.lanes = lanes};
        fixture_init(&f, &opt, &fault_sink);
        for (int n = 0; n < 40; n++)
            rig_add(&f.rig, n, 1);
        rig_truncate(&f.rig);
        for (int n = 0; n < 40; n++)
            rig_add(&f.rig, n, 1);
        rig_publish(&f.rig);
        assert_int_equal(runner_step(f.rig.runner, NULL), 0);
        assert_true(runner_idle(f.rig.runner));
        assert_int_equal(f.plan.count, 81);
        for (size_t i = 0; i < 81; i++)
            assert_int_equal(f.plan.records[i].op, i == 40 ? CHANGE_TRUNCATE : CHANGE_INSERT);
        assert_int_equal(f.plan.records[40].batch_items, 1);
        fixture_release(&f);
    }
}

static enum verdict refuse_truncate_once(void *ctx, const struct change *chg, unsigned seen)
{
    (void)seen;
    struct fixture *f = ctx;
    return chg->op == CHANGE_TRUNCATE && f->plan.applies < 3 ? V_RETRY : V_DONE;
}

static void runner_step__truncate_refused__everything_behind_waits(void **state)
{
    (void)state;
    struct fixture f;
    struct rig_options opt = {.lanes = 2};
    fixture_init(&f, &opt, &fault_sink);
    f.plan.judge = refuse_truncate_once;
    rig_add(&f.rig, 1, 1);
    rig_truncate(&f.rig);
    for (int n = 0; n < 9; n++)
        rig_add(&f.rig, n, 1);
    rig_publish(&f.rig);
    struct err e = ERR_INIT;
    assert_int_equal(runner_step(f.rig.runner, &e), -(int)ERR_SINK_PARKED);
    assert_int_equal(f.plan.count, 1);
    assert_false(runner_idle(f.rig.runner));
    assert_int_equal(runner_step(f.rig.runner, NULL), 0);
    assert_int_equal(f.plan.count, 11);
    assert_true(runner_idle(f.rig.runner));
    fixture_release(&f);
}

static enum verdict refuse_rows_and_truncate(void *ctx, const struct change *chg, unsigned seen)
{
    (void)ctx;
    return seen < (chg->op == CHANGE_TRUNCATE ? 2u : (unsigned)chg->key[0] % 3) ? V_RETRY : V_DONE;
}

/* Rows that wait are before it in its lane, and it is before those behind it; other lanes mean nothing. */
static void runner_step__truncate_of_one_lane__lies_between_its_rows(void **state)
{
    (void)state;
    for (unsigned lanes = 1; lanes <= 3; lanes++) {
        struct fixture f;
        struct rig_options opt = {.lanes = lanes, .runner = {.batch_rows = 7}};
        fixture_init(&f, &opt, &fault_sink);
        f.plan.judge = refuse_rows_and_truncate;
        for (int n = 0; n < 30; n++)
            rig_add(&f.rig, n, 1);
        uint64_t rows = f.rig.next_row;
        rig_truncate_lane(&f.rig, lanes - 1);
        for (int n = 0; n < 30; n++)
            rig_add(&f.rig, n, 1);
        rig_publish(&f.rig);
        for (int rc = -1, steps = 0; rc != 0; steps++) {
            rc = runner_step(f.rig.runner, NULL);
            assert_true(steps < 500);
        }
        assert_true(runner_idle(f.rig.runner));
        assert_int_equal(f.plan.count, 61);
        bool truncated = false;
        for (size_t i = 0; i < f.plan.count; i++) {
            const struct fault_record *rec = &f.plan.records[i];
            bool is_truncate = rec->op == CHANGE_TRUNCATE;
            char key[16];
            size_t len = (size_t)snprintf(key, sizeof key, "%d", rec->key);
            if (is_truncate)
                assert_int_equal(rec->batch_items, 1);
            else if (key_lane(key, len, lanes) == lanes - 1)
                assert_int_equal(truncated, rec->row > rows);
            truncated |= is_truncate;
        }
        assert_true(truncated);
        fixture_release(&f);
    }
}

static void runner_step__keys_move_between_lanes__from_is_done_before_to(void **state)
{
    (void)state;
    struct fixture f;
    struct rig_options opt = {.lanes = 16, .runner = {.batch_rows = 5}};
    fixture_init(&f, &opt, &fault_sink);
    f.plan.judge = refuse_first_three_times;
    for (int n = 0; n < 200; n++)
        rig_move(&f.rig, n % 40, (n * 7 + 1) % 40);
    rig_publish(&f.rig);
    for (int rc = -1, steps = 0; rc != 0; steps++) {
        rc = runner_step(f.rig.runner, NULL);
        assert_true(steps < 5000);
    }
    assert_true(runner_idle(f.rig.runner));
    check_order(&f, 400);
    uint8_t done[400] = {0};
    for (size_t i = 0; i < 400; i++) {
        const struct fault_record *rec = &f.plan.records[i];
        if (rec->flags & CHANGE_TO)
            assert_int_equal(done[rec->row - 1], 1);
        done[rec->row] = 1;
    }
    fixture_release(&f);
}

/* ---------------------------------------------------------------- sinks that keep the position */

static int fail_first_commits(void *ctx, const struct marks *marks, struct err *e)
{
    struct fixture *f = ctx;
    for (unsigned lane = 0; lane < marks->lanes; lane++)
        assert_true(marks->rows[lane].row < f->rig.next_row);
    return f->plan.applies < 4 ? err_set(e, SINK_ABORTED, "fault", "commit") : 0;
}

static void runner_step__commit_fails__lanes_are_read_again_and_nothing_is_acknowledged(void **state)
{
    (void)state;
    struct fixture f;
    struct rig_options opt = {.lanes = 3, .runner = {.batch_rows = 20}};
    fixture_init(&f, &opt, &fault_sink_keeper);
    f.plan.commit = fail_first_commits;
    f.plan.judge = refuse_row_0_once;
    for (int n = 0; n < 100; n++)
        rig_add(&f.rig, n % 8, 1);
    rig_publish(&f.rig);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(runner_step(f.rig.runner, NULL) < 0);
        assert_int_equal(f.plan.count, 0);
        for (unsigned lane = 0; lane < 3; lane++)
            assert_int_equal(ledger_acked(lanes_ledger(f.rig.lanes), lane, 0), 0);
    }
    assert_int_equal(runner_step(f.rig.runner, NULL), 0);
    assert_true(runner_idle(f.rig.runner));
    check_order(&f, 100);
    fixture_release(&f);
}

static void runner_step__keeper_refuses_for_good__stops_and_acknowledges_nothing(void **state)
{
    (void)state;
    struct fixture f;
    struct rig_options opt = {.lanes = 1};
    fixture_init(&f, &opt, &fault_sink_keeper);
    f.plan.judge = poison_row_3;
    for (int n = 0; n < 6; n++)
        rig_add(&f.rig, n, 1);
    rig_publish(&f.rig);
    assert_int_equal(runner_step(f.rig.runner, NULL), -(int)ERR_SINK_POISON);
    assert_int_equal(ledger_acked(lanes_ledger(f.rig.lanes), 0, 0), 0);
    fixture_release(&f);
}

static void runner_new__too_many_workers__is_a_usage_error(void **state)
{
    (void)state;
    struct fixture f;
    struct rig_options opt = {.lanes = 1};
    fixture_init(&f, &opt, &fault_sink);
    struct runner *runner = NULL;
    struct runner_options bad = {.ops = &fault_sink_keeper,
                                 .options = &f.opt,
                                 .name = "x",
                                 .workers = 2,
                                 .lanes = f.rig.lanes,
                                 .routes = f.rig.routes,
                                 .env = &f.rig.env};
    assert_int_equal(runner_new(&runner, &bad, NULL), -(int)ERR_SINK_WORKERS);
    bad.ops = &fault_sink;
    bad.workers = RUNNER_WORKERS_MAX + 1;
    assert_int_equal(runner_new(&runner, &bad, NULL), -(int)ERR_SINK_WORKERS);
    assert_null(runner);
    fixture_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runner_step__rows_in_many_lanes__each_key_in_order_and_all_acknowledged),
        cmocka_unit_test(runner_step__item_refused__its_key_waits_and_others_go_on),
        cmocka_unit_test(runner_step__every_row_refused_some_times__order_holds_and_everything_is_done),
        cmocka_unit_test(runner_step__acknowledged__up_to_the_oldest_parked_item),
        cmocka_unit_test(runner_step__too_many_keys_parked__the_lane_is_left_alone),
        cmocka_unit_test(runner_step__too_many_bytes_behind_a_parked_item__the_lane_is_left_alone),
        cmocka_unit_test(runner_step__batch_fails__sink_is_opened_anew_and_gets_the_same_batch),
        cmocka_unit_test(runner_step__batch_of_a_sink_that_stays_open_fails__the_same_instance_gets_it_again),
        cmocka_unit_test(runner_step__sink_cannot_be_opened__error_comes_out_and_nothing_is_lost),
        cmocka_unit_test(runner_step__item_refused_for_good__stops_with_its_place_and_acknowledges_nothing),
        cmocka_unit_test(runner_step__two_routes_of_a_table__one_item_each_and_the_worst_verdict_counts),
        cmocka_unit_test(runner_check__bind_refuses_a_table__error_names_the_routes_line),
        cmocka_unit_test(runner_step__items_of_other_sinks__are_only_acknowledged),
        cmocka_unit_test(runner_step__truncate__comes_alone_between_what_was_before_and_behind),
        cmocka_unit_test(runner_step__truncate_refused__everything_behind_waits),
        cmocka_unit_test(runner_step__truncate_of_one_lane__lies_between_its_rows),
        cmocka_unit_test(runner_step__keys_move_between_lanes__from_is_done_before_to),
        cmocka_unit_test(runner_step__commit_fails__lanes_are_read_again_and_nothing_is_acknowledged),
        cmocka_unit_test(runner_step__keeper_refuses_for_good__stops_and_acknowledges_nothing),
        cmocka_unit_test(runner_new__too_many_workers__is_a_usage_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
