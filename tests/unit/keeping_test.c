/* Sinks that keep their own position: batches that are committed together, outcomes that are not known, marks of an
 * earlier run, and the marks' text. */
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

#define LANES 3

struct fixture {
    struct rig rig;
    struct fault_plan plan;
    struct fault_options opt;
    _Atomic unsigned commits;
    unsigned fails; /* commits that fail first, with `code` */
    enum err_code code;
    struct marks stored;  /* by the last commit that was asked for */
    struct marks durable; /* by the last commit that succeeded */
    bool loads_durable;   /* else `stored` */
    struct position boundary;
};

static int refuse(enum err_code code, struct err *e)
{
    switch (code) {
    case ERR_SINK_DOWN:
        return err_set(e, SINK_DOWN, "fault", "?");
    case ERR_SINK_RENEW:
        return err_set(e, SINK_RENEW, "fault", "?");
    default:
        return err_set(e, SINK_ABORTED, "fault", "?");
    }
}

static int on_commit(void *ctx, const struct marks *marks, struct err *e)
{
    struct fixture *f = ctx;
    marks_copy_versions(&f->stored, marks);
    assert_int_equal(position_copy(&f->stored.boundary, &marks->boundary, e), 0);
    if (f->fails) {
        f->fails--;
        return refuse(f->code, e);
    }
    f->commits++;
    marks_copy_versions(&f->durable, marks);
    return 0;
}

static int on_load(void *ctx, struct marks *out, struct err *e)
{
    struct fixture *f = ctx;
    marks_copy_versions(out, f->loads_durable ? &f->durable : &f->stored);
    return position_copy(&out->boundary, &f->stored.boundary, e) == 0 ? 1 : err_result(e);
}

static int on_boundary(void *ctx, unsigned sink, struct position *out, struct err *e)
{
    struct fixture *f = (struct fixture *)(void *)((char *)ctx - offsetof(struct fixture, rig));
    assert_int_equal(sink, 0);
    if (filepos_compare(&out->at, &f->boundary.at) == 0)
        return 0;
    return position_copy(out, &f->boundary, e) == 0 ? 1 : err_result(e);
}

static void fixture_init(struct fixture *f, struct rig_options *opt)
{
    memset(f, 0, sizeof *f);
    fault_plan_init(&f->plan, 100000);
    f->opt.plan = &f->plan;
    f->plan.ctx = f;
    f->plan.commit = on_commit;
    f->plan.load = on_load;
    position_init(&f->boundary);
    assert_int_equal(marks_init(&f->stored, LANES, NULL), 0);
    assert_int_equal(marks_init(&f->durable, LANES, NULL), 0);
    opt->lanes = LANES;
    opt->runner.ops = &fault_sink_keeper;
    opt->runner.options = &f->opt;
}

static void fixture_start(struct fixture *f, struct rig_options *opt)
{
    rig_init(&f->rig, opt);
}

static void fixture_release(struct fixture *f)
{
    rig_release(&f->rig);
    marks_release(&f->stored);
    marks_release(&f->durable);
    position_release(&f->boundary);
    fault_plan_release(&f->plan);
}

static void add_rows(struct fixture *f, int count)
{
    for (int n = 0; n < count; n++)
        rig_add(&f->rig, n % 8, 1);
    rig_publish(&f->rig);
}

static void expect_acked(const struct fixture *f, bool all)
{
    assert_int_equal(runner_idle(f->rig.runner), all);
    for (unsigned lane = 0; lane < LANES && !all; lane++)
        assert_int_equal(ledger_acked(lanes_ledger(f->rig.lanes), lane, 0), 0);
}

/* ---------------------------------------------------------------- commits */

static void keeping__time_to_wait__several_batches_are_one_commit(void **state)
{
    (void)state;
    struct fixture f;
    struct rig_options opt = {.runner = {.batch_rows = 10}};
    fixture_init(&f, &opt);
    f.plan.commit_ms = 3600000;
    fixture_start(&f, &opt);
    add_rows(&f, 200);
    assert_int_equal(runner_step(f.rig.runner, NULL), 0);
    assert_in_range(f.plan.applies, 20, 30);
    assert_int_equal(f.commits, 1);
    assert_int_equal(f.plan.count, 200);
    expect_acked(&f, true);
    fixture_release(&f);
}

static void keeping__no_time_to_wait__each_batch_is_a_commit(void **state)
{
    (void)state;
    struct fixture f;
    struct rig_options opt = {.runner = {.batch_rows = 10}};
    fixture_init(&f, &opt);
    fixture_start(&f, &opt);
    add_rows(&f, 200);
    assert_int_equal(runner_step(f.rig.runner, NULL), 0);
    assert_int_equal(f.commits, f.plan.applies);
    fixture_release(&f);
}

static void keeping__outcome_not_known__the_same_commit_is_asked_again_and_nothing_applied_twice(void **state)
{
    (void)state;
    struct fixture f;
    struct rig_options opt = {.runner = {.batch_rows = 10}};
    fixture_init(&f, &opt);
    f.plan.commit_ms = 3600000;
    f.fails = 2;
    f.code = ERR_SINK_DOWN;
    fixture_start(&f, &opt);
    add_rows(&f, 100);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(runner_step(f.rig.runner, NULL), -(int)ERR_SINK_DOWN);
        expect_acked(&f, false);
    }
    assert_int_equal(runner_step(f.rig.runner, NULL), 0);
    assert_int_equal(f.commits, 1);
    assert_int_equal(f.plan.count, 100);
    assert_int_equal(f.plan.opens, 1);
    expect_acked(&f, true);
    fixture_release(&f);
}

static void keeping__aborted__all_batches_since_the_last_commit_come_again(void **state)
{
    (void)state;
    struct fixture f;
    struct rig_options opt = {.runner = {.batch_rows = 10}};
    fixture_init(&f, &opt);
    f.plan.commit_ms = 3600000;
    f.fails = 1;
    f.code = ERR_SINK_ABORTED;
    fixture_start(&f, &opt);
    add_rows(&f, 100);
    assert_int_equal(runner_step(f.rig.runner, NULL), -(int)ERR_SINK_ABORTED);
    expect_acked(&f, false);
    assert_int_equal(f.plan.count, 0);
    assert_int_equal(runner_step(f.rig.runner, NULL), 0);
    assert_int_equal(f.plan.count, 100);
    assert_int_equal(f.commits, 1);
    assert_int_equal(metric_get(&runner_worker_stats(f.rig.runner, 0)->rows_total), 100);
    fixture_release(&f);
}

/* The commit's answer is lost with the instance. What the next one loads tells what stands. */
static void lose_answer(struct fixture *f, struct rig_options *opt, bool stands)
{
    fixture_init(f, opt);
    f->plan.commit_ms = 3600000;
    f->fails = 1;
    f->code = ERR_SINK_RENEW;
    f->loads_durable = !stands;
    fixture_start(f, opt);
    add_rows(f, 100);
    assert_int_equal(runner_step(f->rig.runner, NULL), -(int)ERR_SINK_RENEW);
    expect_acked(f, false);
}

static void keeping__answer_lost_and_the_commit_stands__it_is_acknowledged_and_nothing_given_again(void **state)
{
    (void)state;
    struct fixture f;
    struct rig_options opt = {.runner = {.batch_rows = 10}};
    lose_answer(&f, &opt, true);
    unsigned applies = f.plan.applies;
    assert_int_equal(runner_step(f.rig.runner, NULL), 0);
    assert_int_equal(f.plan.applies, applies);
    assert_int_equal(f.plan.opens, 2);
    expect_acked(&f, true);
    fixture_release(&f);
}

static void keeping__answer_lost_and_nothing_stands__all_comes_again(void **state)
{
    (void)state;
    struct fixture f;
    struct rig_options opt = {.runner = {.batch_rows = 10}};
    lose_answer(&f, &opt, false);
    assert_int_equal(runner_step(f.rig.runner, NULL), 0);
    assert_int_equal(f.plan.count, 100);
    assert_int_equal(f.commits, 1);
    expect_acked(&f, true);
    fixture_release(&f);
}

static void keeping__marks_of_another_process__stop(void **state)
{
    (void)state;
    struct fixture f;
    struct rig_options opt = {.runner = {.batch_rows = 10}};
    lose_answer(&f, &opt, false);
    f.durable.rows[1] = (struct version){.epoch = 9, .sequence = 9, .row = 9};
    assert_int_equal(runner_step(f.rig.runner, NULL), -(int)ERR_MARKS_OTHERS);
    expect_acked(&f, false);
    fixture_release(&f);
}

static void keeping__many_bytes__are_committed_before_their_time(void **state)
{
    (void)state;
    struct fixture f;
    struct rig_options opt = {.runner = {.batch_rows = 10, .pinned_bytes = 1000}};
    fixture_init(&f, &opt);
    f.plan.commit_ms = 3600000;
    fixture_start(&f, &opt);
    add_rows(&f, 200);
    assert_int_equal(runner_step(f.rig.runner, NULL), 0);
    assert_in_range(f.commits, 3, f.plan.applies);
    fixture_release(&f);
}

static void keeping__thread_with_time_to_wait__commits_what_it_has_when_the_time_is_over(void **state)
{
    (void)state;
    struct fixture f;
    struct rig_options opt = {.runner = {.workers = 1}};
    fixture_init(&f, &opt);
    f.plan.commit_ms = 30;
    fixture_start(&f, &opt);
    assert_int_equal(runner_start(f.rig.runner, NULL), 0);
    add_rows(&f, 50);
    rig_wait_idle(&f.rig);
    assert_true(f.commits >= 1);
    runner_stop(f.rig.runner, true);
    runner_join(f.rig.runner);
    fixture_release(&f);
}

static void keeping__truncate_waits_for_what_is_applied__that_is_committed_at_once(void **state)
{
    (void)state;
    struct fixture f;
    struct rig_options opt = {.runner = {.workers = 1}};
    fixture_init(&f, &opt);
    f.plan.commit_ms = 3600000;
    fixture_start(&f, &opt);
    assert_int_equal(runner_start(f.rig.runner, NULL), 0);
    for (int n = 0; n < 8; n++)
        rig_add(&f.rig, n, 1);
    rig_truncate(&f.rig);
    rig_publish(&f.rig);
    rig_wait_at_least(&f.commits, 1);
    runner_stop(f.rig.runner, true);
    runner_join(f.rig.runner);
    assert_true(runner_idle(f.rig.runner));
    fixture_release(&f);
}

static void keeping__boundary_moved_and_nothing_else__is_committed_at_the_end(void **state)
{
    (void)state;
    struct fixture f;
    struct rig_options opt = {.runner = {.workers = 1, .boundary = on_boundary}};
    fixture_init(&f, &opt);
    fixture_start(&f, &opt);
    assert_int_equal(runner_start(f.rig.runner, NULL), 0);
    add_rows(&f, 8);
    rig_wait_idle(&f.rig);
    f.boundary.at = (struct filepos){.file = "bin.000009", .pos = 77};
    runner_stop(f.rig.runner, true);
    runner_join(f.rig.runner);
    assert_string_equal(f.stored.boundary.at.file, "bin.000009");
    fixture_release(&f);
}

/* ---------------------------------------------------------------- marks of an earlier run */

static void runner_load__rows_that_the_marks_cover__are_not_given_again(void **state)
{
    (void)state;
    struct fixture f, again;
    struct rig_options opt = {.runner = {.batch_rows = 10}};
    struct position at;
    fixture_init(&f, &opt);
    fixture_start(&f, &opt);
    add_rows(&f, 60);
    assert_int_equal(runner_step(f.rig.runner, NULL), 0);

    struct rig_options second = {.runner = {.batch_rows = 10}};
    fixture_init(&again, &second);
    marks_copy_versions(&again.stored, &f.stored);
    again.stored.boundary.at = (struct filepos){.file = "bin.000001", .pos = 4};
    fixture_start(&again, &second);
    position_init(&at);
    assert_int_equal(runner_load(again.rig.runner, false, NULL, &at, NULL), 1);
    assert_int_equal(at.at.pos, 4);
    add_rows(&again, 100);
    assert_int_equal(runner_step(again.rig.runner, NULL), 0);
    assert_int_equal(again.plan.count, 40);
    for (size_t i = 0; i < 40; i++)
        assert_true(again.plan.records[i].row >= 60);
    expect_acked(&again, true);
    position_release(&at);
    fixture_release(&again);
    fixture_release(&f);
}

static void runner_load__position_set_by_a_person__takes_the_place_of_the_marks(void **state)
{
    (void)state;
    struct fixture f;
    struct rig_options opt = {.runner = {.batch_rows = 10}};
    struct position at, out;
    fixture_init(&f, &opt);
    for (unsigned lane = 0; lane < LANES; lane++)
        f.stored.rows[lane] = (struct version){.epoch = UINT32_MAX, .sequence = 1, .row = 1};
    fixture_start(&f, &opt);
    position_init(&at);
    position_init(&out);
    at.at = (struct filepos){.file = "bin.000007", .pos = 9};
    assert_int_equal(runner_load(f.rig.runner, true, &at, &out, NULL), 0);
    assert_int_equal(f.commits, 1);
    assert_string_equal(f.stored.boundary.at.file, "bin.000007");
    assert_int_equal(f.stored.rows[0].epoch, 0);
    add_rows(&f, 20);
    assert_int_equal(runner_step(f.rig.runner, NULL), 0);
    assert_int_equal(f.plan.count, 20);
    position_release(&at);
    position_release(&out);
    fixture_release(&f);
}

/* ---------------------------------------------------------------- marks */

static const struct tx on_a = {.server_uuid = "a"}, on_b = {.server_uuid = "b"};

static struct change row_of(const struct tx *tx, uint64_t sequence, uint64_t row, unsigned lane)
{
    return (struct change){
        .op = CHANGE_INSERT, .tx = tx, .lane = lane, .version = {.epoch = 1, .sequence = sequence, .row = row}};
}

static void marks_cover__other_server_sends_the_newest_transaction__only_that_is_not_covered(void **state)
{
    (void)state;
    struct marks marks;
    bool other;
    assert_int_equal(marks_init(&marks, LANES, NULL), 0);
    const struct change old = row_of(&on_a, 5, 3, 0), newest = row_of(&on_a, 6, 2, 1);
    marks_note(&marks, &old);
    marks_note(&marks, &newest);
    struct change seen = row_of(&on_b, 6, 1, 1);
    assert_false(marks_cover(&marks, &seen, &other));
    assert_true(other);
    seen = row_of(&on_b, 5, 3, 0);
    assert_true(marks_cover(&marks, &seen, &other));
    seen = row_of(&on_a, 6, 1, 1);
    assert_true(marks_cover(&marks, &seen, &other));
    seen = row_of(&on_a, 6, 3, 1);
    assert_false(marks_cover(&marks, &seen, &other));
    assert_false(other);
    seen = row_of(&on_a, 1, 1, 2);
    assert_false(marks_cover(&marks, &seen, &other));
    marks_release(&marks);
}

static void marks_cover__truncate_begin_and_end__have_series_of_their_own(void **state)
{
    (void)state;
    struct marks marks;
    bool other;
    assert_int_equal(marks_init(&marks, LANES, NULL), 0);
    struct change chg = row_of(&on_a, 5, 9, 0);
    marks_note(&marks, &chg);
    chg.op = CHANGE_TRUNCATE;
    chg.version.row = 0;
    assert_false(marks_cover(&marks, &chg, &other));
    marks_note(&marks, &chg);
    assert_true(marks_cover(&marks, &chg, &other));
    chg.op = CHANGE_BEGIN;
    assert_false(marks_cover(&marks, &chg, &other));
    marks_note(&marks, &chg);
    chg.op = CHANGE_TRUNCATE; /* that of lane 0 tells nothing of the same in another */
    chg.flags = CHANGE_OF_LANE;
    chg.lane = 1;
    assert_false(marks_cover(&marks, &chg, &other));
    marks_note(&marks, &chg);
    assert_true(marks_cover(&marks, &chg, &other));
    chg.lane = 2;
    assert_false(marks_cover(&marks, &chg, &other));
    chg.flags = 0;
    chg.lane = 0;
    chg.op = CHANGE_END;
    chg.version.row = UINT64_MAX;
    assert_false(marks_cover(&marks, &chg, &other));
    marks_release(&marks);
}

static void fill(struct marks *marks)
{
    struct change chg = row_of(&on_a, 5, 3, 0);
    marks_note(marks, &chg);
    chg = row_of(&on_b, 77, UINT64_MAX, 2);
    marks_note(marks, &chg);
    chg.op = CHANGE_STATEMENT;
    marks_note(marks, &chg);
    chg.op = CHANGE_BEGIN;
    marks_note(marks, &chg);
    marks->boundary.at = (struct filepos){.file = "bin.000001", .pos = 4};
}

static void marks_encode__any_marks__are_read_back_as_they_were(void **state)
{
    (void)state;
    struct marks in, out;
    struct buf text, again;
    buf_init(&text, 0);
    buf_init(&again, 0);
    assert_int_equal(marks_init(&in, LANES, NULL), 0);
    assert_int_equal(marks_init(&out, LANES, NULL), 0);
    fill(&in);
    assert_int_equal(marks_encode(&in, &text, NULL), 0);
    assert_int_equal(marks_decode(&out, text.p, text.len, NULL), 0);
    assert_memory_equal(out.rows, in.rows, LANES * sizeof *in.rows);
    assert_string_equal(out.newest_server, "b");
    assert_int_equal(marks_encode(&out, &again, NULL), 0);
    assert_int_equal(again.len, text.len);
    assert_memory_equal(again.p, text.p, text.len);
    buf_release(&text);
    buf_release(&again);
    marks_release(&in);
    marks_release(&out);
}

static void marks_decode__cut_or_of_other_lanes__is_refused(void **state)
{
    (void)state;
    struct marks in, out;
    struct buf text;
    struct err e = ERR_INIT;
    buf_init(&text, 0);
    assert_int_equal(marks_init(&in, LANES, NULL), 0);
    fill(&in);
    assert_int_equal(marks_encode(&in, &text, NULL), 0);
    for (size_t len = 0; len < text.len; len++) {
        assert_int_equal(marks_init(&out, LANES, NULL), 0);
        assert_int_equal(marks_decode(&out, text.p, len, &e), -(int)ERR_STATE_CORRUPT);
        err_clear(&e);
        marks_release(&out);
    }
    assert_int_equal(marks_init(&out, LANES + 1, NULL), 0);
    assert_int_equal(marks_decode(&out, text.p, text.len, &e), -(int)ERR_MARKS_LANES);
    marks_release(&out);
    marks_release(&in);
    buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeping__time_to_wait__several_batches_are_one_commit),
        cmocka_unit_test(keeping__no_time_to_wait__each_batch_is_a_commit),
        cmocka_unit_test(keeping__outcome_not_known__the_same_commit_is_asked_again_and_nothing_applied_twice),
        cmocka_unit_test(keeping__aborted__all_batches_since_the_last_commit_come_again),
        cmocka_unit_test(keeping__answer_lost_and_the_commit_stands__it_is_acknowledged_and_nothing_given_again),
        cmocka_unit_test(keeping__answer_lost_and_nothing_stands__all_comes_again),
        cmocka_unit_test(keeping__marks_of_another_process__stop),
        cmocka_unit_test(keeping__many_bytes__are_committed_before_their_time),
        cmocka_unit_test(keeping__thread_with_time_to_wait__commits_what_it_has_when_the_time_is_over),
        cmocka_unit_test(keeping__truncate_waits_for_what_is_applied__that_is_committed_at_once),
        cmocka_unit_test(keeping__boundary_moved_and_nothing_else__is_committed_at_the_end),
        cmocka_unit_test(runner_load__rows_that_the_marks_cover__are_not_given_again),
        cmocka_unit_test(runner_load__position_set_by_a_person__takes_the_place_of_the_marks),
        cmocka_unit_test(marks_cover__other_server_sends_the_newest_transaction__only_that_is_not_covered),
        cmocka_unit_test(marks_cover__truncate_begin_and_end__have_series_of_their_own),
        cmocka_unit_test(marks_encode__any_marks__are_read_back_as_they_were),
        cmocka_unit_test(marks_decode__cut_or_of_other_lanes__is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
