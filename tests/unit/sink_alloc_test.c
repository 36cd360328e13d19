/* Every allocation of runner and Redis sink fails once: an error, no leak (ASan), and the next try works. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "sink/redis/route.h"
#include "tools/alloc_fault.h"
#include "tools/fault_sink.h"
#include "tools/rig.h"
#include "tools/scripted_redis.h"

static void runner__each_allocation_fails__error_and_rows_are_applied_later(void **state)
{
    (void)state;
    struct fault_plan plan;
    const struct fault_options options = {.plan = &plan};
    struct rig rig;
    const struct rig_options opt = {.lanes = 3, .runner = {.ops = &fault_sink, .options = &options}};
    fault_plan_init(&plan, 1000);
    rig_init(&rig, &opt);
    struct runner_options again = {.ops = &fault_sink,
                                   .options = &options,
                                   .name = "again",
                                   .batch_rows = 10,
                                   .lanes = rig.lanes,
                                   .routes = rig.routes,
                                   .env = &rig.env};
    rig_add(&rig, 1, 1);
    rig_publish(&rig);
    unsigned failures = 0;
    for (bool met = true; met; failures += met) {
        struct runner *runner = NULL;
        struct err e = ERR_INIT;
        alloc_fault_arm(failures + 1);
        int rc = runner_new(&runner, &again, &e);
        met = alloc_fault_met();
        alloc_fault_arm(0);
        assert_int_equal(rc, met ? -(int)ERR_NO_MEMORY : 0);
        runner_free(runner);
    }
    assert_in_range(failures, 5, 50);
    assert_int_equal(runner_step(rig.runner, NULL), 0);
    assert_int_equal(plan.count, 1);
    rig_release(&rig);
    fault_plan_release(&plan);
}

/* From bind to the last reply; 0, or the first error. */
static int redis_once(const struct redis_options *opt, struct sample *sample, struct err *e)
{
    static const char *const templates[] = {"order:{order_id}", "user:{user_id}"};
    static const struct redis_route_options route = {.invalidate = {templates, NULL, 2}};
    const struct sample_row row = {1, 2};
    const struct env env = env_system();
    struct sample_change change;
    void *bind = NULL;
    struct sink *snk = NULL;
    sample_change(&change, sample, CHANGE_INSERT, NULL, &row);
    int rc = sink_redis.bind(&bind, opt, &route, sample_shape(sample)->tbl, e);
    struct item item = {.chg = &change.chg, .bind = bind};
    if (rc == 0)
        rc = sink_redis.open(&snk, opt, &(struct sink_place){.env = &env, .name = "cache"}, e);
    if (rc == 0)
        rc = sink_redis.apply(snk, &item, 1, e);
    sink_redis.close(snk);
    sink_redis.unbind(bind);
    return rc;
}

static void redis__each_allocation_fails__error_and_nothing_leaks(void **state)
{
    (void)state;
    struct scripted_redis *server = scripted_redis_start(NULL, SIZE_MAX);
    struct sample *sample = sample_new("shop", "orders", 0);
    char url[64];
    snprintf(url, sizeof url, "redis://127.0.0.1:%u", (unsigned)scripted_redis_port(server));
    const struct redis_options opt = {
        .url = url, .connect_timeout_ms = 10000, .timeout_ms = 10000, .unlink_keys = 8, .pipeline = 2};
    unsigned failures = 0;
    for (bool met = true; met; failures += met) {
        struct err e = ERR_INIT;
        alloc_fault_arm(failures + 1);
        int rc = redis_once(&opt, sample, &e);
        met = alloc_fault_met();
        alloc_fault_arm(0);
        if ((rc != 0) != met)
            fail_msg("allocation %u: %s", failures + 1, e.text);
        assert_true(failures < 200);
    }
    assert_true(failures > 10);
    sample_free(sample);
    scripted_redis_stop(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runner__each_allocation_fails__error_and_rows_are_applied_later),
        cmocka_unit_test(redis__each_allocation_fails__error_and_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
