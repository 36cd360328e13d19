/* How the spine ends: a sink that refuses, a sink that is away when a signal comes, a source that fails. It must end in
 * time, tell the first error, and keep a position before what was not applied. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "partition/lane.h"
#include "partition/route.h"
#include "pipeline/checkpoint.h"
#include "pipeline/pipeline.h"
#include "sink/sink.h"
#include "tools/shop_source.h"

enum manner { WORKS, REFUSES, AWAY };

/* One sink for all workers: `limit` items work, then it behaves as `manner` says. */
struct awkward {
    enum manner manner;
    atomic_uint applied;
    unsigned limit;
    bool signals; /* asks the process to end when it is away for the first time */
    atomic_bool signalled;
};

struct awkward_options {
    struct awkward *shared;
};

struct awkward_sink {
    struct sink base;
    struct awkward *shared;
};

static int awkward_open(struct sink **out, const void *opt, const struct sink_place *place, struct err *e);

static int awkward_apply(struct sink *snk, struct item *items, size_t count, struct err *e)
{
    struct awkward *shared = ((struct awkward_sink *)snk)->shared;
    if (shared->manner == AWAY && atomic_load(&shared->applied) >= shared->limit) {
        if (shared->signals && !atomic_exchange(&shared->signalled, true))
            kill(getpid(), SIGTERM);
        return err_set(e, SINK_DOWN, "awkward", "away");
    }
    for (size_t i = 0; i < count; i++) {
        bool refuse = shared->manner == REFUSES && atomic_load(&shared->applied) >= shared->limit;
        items[i].verdict = refuse ? V_STOP : V_DONE;
        if (!refuse)
            atomic_fetch_add(&shared->applied, 1);
    }
    return 0;
}

static void awkward_close(struct sink *snk)
{
    free(snk);
}

static const struct sink_ops awkward_ops = {
    .kind = "awkward", .open = awkward_open, .apply = awkward_apply, .close = awkward_close};

static int awkward_open(struct sink **out, const void *opt, const struct sink_place *place, struct err *e)
{
    (void)place;
    (void)e;
    struct awkward_sink *snk = calloc(1, sizeof *snk);
    assert_non_null(snk);
    snk->base.ops = &awkward_ops;
    snk->shared = ((const struct awkward_options *)opt)->shared;
    *out = &snk->base;
    return 0;
}

/* Runs a log into the sink; returns the code, and the offset that was stored. */
static int run_log(const struct shop_log_options *opt, struct awkward *shared, unsigned workers, uint64_t buffer_bytes,
                   uint64_t *stored)
{
    static const struct route list[] = {{.db = "shop", .table = "orders", .sink_mask = 1}};
    struct shop_log *log = shop_log_new(opt);
    char dir[] = "/tmp/sluice-stop-XXXXXX";
    assert_non_null(mkdtemp(dir));
    struct err e = ERR_INIT;
    struct env env = env_system();
    struct state *state = NULL;
    struct routes *routes = NULL;
    struct pipeline *pipe = NULL;
    struct awkward_options options = {shared};
    struct pipeline_sink sink = {.name = "awkward", .ops = &awkward_ops, .options = &options, .workers = workers};
    struct start start = {.kind = START_EARLIEST};
    assert_int_equal(state_open(&state, &env, dir, STATE_OWN, &e), 0);
    assert_int_equal(routes_new(&routes, list, 1, &e), 0);
    struct pipeline_spec spec = {.env = &env,
                                 .source = shop_source_new(log, 0),
                                 .routes = routes,
                                 .sinks = &sink,
                                 .sink_count = 1,
                                 .lanes = 4,
                                 .buffer_bytes = buffer_bytes,
                                 .max_event_bytes = 1 << 20,
                                 .state = state,
                                 .start = &start,
                                 .checkpoint_ms = 1,
                                 .shutdown_ms = 300};
    assert_int_equal(pipeline_open(&pipe, &spec, &e), 0);
    (void)pipeline_run(pipe, NULL, &e);
    pipeline_close(pipe);
    struct checkpoint cp = {0};
    struct err late = ERR_INIT;
    assert_int_equal(checkpoint_load(&cp, state, &late), 0);
    *stored = cp.count ? cp.entries[0].pos.at.pos : 0;
    checkpoint_release(&cp);
    routes_free(routes);
    state_close(state);
    shop_log_free(log);
    char command[sizeof dir + 16];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    assert_int_equal(system(command), 0);
    return (int)e.code;
}

static int run_into(struct awkward *shared, unsigned workers, uint64_t buffer_bytes, uint64_t *stored)
{
    struct shop_log_options opt = {.seed = 5, .transactions = 200, .rows_max = 60, .keys = 500, .no_rollbacks = true};
    return run_log(&opt, shared, workers, buffer_bytes, stored);
}

static uint64_t whole_log(void)
{
    struct awkward shared = {.manner = WORKS};
    uint64_t stored;
    assert_int_equal(run_into(&shared, 2, 8 << 20, &stored), 0);
    return stored;
}

static void stop__sink_refuses__ends_with_its_error_and_an_earlier_position(void **state)
{
    (void)state;
    uint64_t end = whole_log(), stored;
    for (unsigned workers = 0; workers <= 3; workers++) {
        struct awkward shared = {.manner = REFUSES, .limit = 500};
        assert_int_equal(run_into(&shared, workers, 8 << 20, &stored), ERR_SINK_STOP);
        assert_true(stored < end);
    }
}

static void stop__sink_refuses_while_the_source_waits_for_room__ends(void **state)
{
    (void)state;
    uint64_t stored;
    struct awkward shared = {.manner = REFUSES, .limit = 10};
    assert_int_equal(run_into(&shared, 2, LANE_BUFFER_BYTES_MIN, &stored), ERR_SINK_STOP);
}

static void stop__signal_while_the_sink_is_away__ends_within_shutdown_time(void **state)
{
    (void)state;
    uint64_t end = whole_log(), stored;
    struct awkward shared = {.manner = AWAY, .limit = 300, .signals = true};
    assert_int_equal(run_into(&shared, 2, 8 << 20, &stored), 0);
    assert_true(stored < end);
}

static void stop__signal_while_the_source_waits_for_room__ends(void **state)
{
    (void)state;
    uint64_t stored;
    struct awkward shared = {.manner = AWAY, .limit = 0, .signals = true};
    assert_int_equal(run_into(&shared, 2, LANE_BUFFER_BYTES_MIN, &stored), 0);
}

/* Its rows are out before its end is known, also when the connection broke in between and it was read again. */
static void stop__half_published_transaction_is_rolled_back__told(void **state)
{
    (void)state;
    uint64_t stored;
    static const unsigned breaks[] = {0, 1500, 2000, 2500, 3000};
    for (size_t i = 0; i < sizeof breaks / sizeof *breaks; i++) {
        struct shop_log_options opt = {.seed = 9,
                                       .transactions = 3,
                                       .rows_max = 6000,
                                       .keys = 500,
                                       .no_rollbacks = true,
                                       .void_last = true,
                                       .break_every = breaks[i]};
        struct awkward shared = {.manner = WORKS};
        assert_int_equal(run_log(&opt, &shared, 2, 128 << 10, &stored), ERR_ROLLBACK_PUBLISHED);
    }
}

static void stop__small_transaction_is_rolled_back__nothing_of_it_is_applied(void **state)
{
    (void)state;
    uint64_t stored;
    struct shop_log_options opt = {
        .seed = 9, .transactions = 1, .rows_max = 60, .keys = 500, .no_rollbacks = true, .void_last = true};
    struct awkward shared = {.manner = WORKS};
    assert_int_equal(run_log(&opt, &shared, 2, 8 << 20, &stored), 0);
    assert_int_equal(atomic_load(&shared.applied), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stop__sink_refuses__ends_with_its_error_and_an_earlier_position),
        cmocka_unit_test(stop__sink_refuses_while_the_source_waits_for_room__ends),
        cmocka_unit_test(stop__signal_while_the_sink_is_away__ends_within_shutdown_time),
        cmocka_unit_test(stop__signal_while_the_source_waits_for_room__ends),
        cmocka_unit_test(stop__half_published_transaction_is_rolled_back__told),
        cmocka_unit_test(stop__small_transaction_is_rolled_back__nothing_of_it_is_applied),
    };
    return cmocka_run_group_tests_name("pipeline stop", tests, NULL, NULL);
}
