/* What a sink has to do by itself: when its worker calls it, while changes come and while none do. Runs under TSan too
 * (runner_start). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tools/rig.h"

#define PERIOD_MS 20

struct tending {
    const struct env *env;
    _Atomic unsigned opens, calls, early;
    unsigned fail_at; /* the n-th call fails, … */
    enum err_code failure;
};

struct tended {
    struct sink base;
    struct tending *plan;
    bool knows_due;
    int64_t due_us;
};

struct tending_options {
    struct tending *plan;
};

static int tended_open(struct sink **out, const void *opt, const struct sink_place *place, struct err *e);

static int tended_apply(struct sink *snk, struct item *items, size_t count, struct err *e)
{
    (void)e;
    ((struct tended *)snk)->knows_due = false; /* it may be called at once */
    for (size_t i = 0; i < count; i++)
        items[i].verdict = V_DONE;
    return 0;
}

static int tended_tend(struct sink *snk, int64_t *due_us, struct err *e)
{
    struct tended *to = (struct tended *)snk;
    struct tending *plan = to->plan;
    unsigned n = atomic_fetch_add(&plan->calls, 1) + 1;
    int64_t now = env_mono_us(plan->env);
    if (to->knows_due && now < to->due_us)
        atomic_fetch_add(&plan->early, 1);
    if (n == plan->fail_at && plan->failure == ERR_SINK_DOWN)
        return err_set(e, SINK_DOWN, "tended", "told to");
    if (n == plan->fail_at)
        return err_set(e, SINK_RIGHTS, "tended", "told to");
    to->knows_due = true;
    to->due_us = *due_us = now + PERIOD_MS * 1000;
    return 0;
}

static void tended_close(struct sink *snk)
{
    free(snk);
}

static const struct sink_ops tended = {
    .kind = "tended", .open = tended_open, .apply = tended_apply, .tend = tended_tend, .close = tended_close};

static int tended_open(struct sink **out, const void *opt, const struct sink_place *place, struct err *e)
{
    (void)place;
    (void)e;
    struct tended *to = calloc(1, sizeof *to);
    assert_non_null(to);
    to->base.ops = &tended;
    to->plan = ((const struct tending_options *)opt)->plan;
    atomic_fetch_add(&to->plan->opens, 1);
    *out = &to->base;
    return 0;
}

static void start(struct rig *rig, struct tending *plan, struct tending_options *opt)
{
    *opt = (struct tending_options){plan};
    const struct rig_options rig_opt = {
        .lanes = 2, .runner = {.ops = &tended, .options = opt, .workers = 1, .backoff_min_ms = 1, .backoff_max_ms = 2}};
    rig_init(rig, &rig_opt);
    plan->env = &rig->env;
    assert_int_equal(runner_start(rig->runner, NULL), 0);
}

static void finish(struct rig *rig)
{
    runner_stop(rig->runner, false);
    runner_join(rig->runner);
    rig_release(rig);
}

static void tend__no_changes__called_when_due_and_not_before(void **state)
{
    (void)state;
    struct rig rig;
    struct tending plan = {.fail_at = 0};
    struct tending_options opt;
    start(&rig, &plan, &opt);
    rig_wait_at_least(&plan.calls, 4);
    assert_int_equal(plan.early, 0);
    assert_int_equal(plan.opens, 1);
    finish(&rig);
}

static void tend__changes_come__called_behind_their_batch(void **state)
{
    (void)state;
    struct rig rig;
    struct tending plan = {.fail_at = 0};
    struct tending_options opt;
    start(&rig, &plan, &opt);
    for (unsigned i = 0; i < 20; i++) {
        unsigned before = plan.calls;
        rig_add(&rig, (int)i, 1);
        rig_publish(&rig);
        rig_wait_idle(&rig);
        rig_wait_at_least(&plan.calls, before + 1);
    }
    assert_int_equal(plan.early, 0);
    finish(&rig);
}

static void tend__fails_for_now__another_instance_goes_on(void **state)
{
    (void)state;
    struct rig rig;
    struct tending plan = {.fail_at = 3, .failure = ERR_SINK_DOWN};
    struct tending_options opt;
    start(&rig, &plan, &opt);
    rig_wait_at_least(&plan.calls, 6);
    assert_int_equal(plan.opens, 2);
    rig_wait_at_least(&rig.backs, 1);
    assert_int_equal(rig.fatals, 0);
    finish(&rig);
}

static void tend__fails_for_good__is_told(void **state)
{
    (void)state;
    struct rig rig;
    struct tending plan = {.fail_at = 3, .failure = ERR_SINK_RIGHTS};
    struct tending_options opt;
    start(&rig, &plan, &opt);
    rig_wait_at_least(&rig.fatals, 1);
    assert_int_equal(rig.fatal_code, ERR_SINK_RIGHTS);
    assert_int_equal(plan.calls, 3);
    finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tend__no_changes__called_when_due_and_not_before),
        cmocka_unit_test(tend__changes_come__called_behind_their_batch),
        cmocka_unit_test(tend__fails_for_now__another_instance_goes_on),
        cmocka_unit_test(tend__fails_for_good__is_told),
    };
    return cmocka_run_group_tests_name("runner tends", tests, NULL, NULL);
}
