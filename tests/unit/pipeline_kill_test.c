/* The service is killed by SIGKILL, its epochs' progress not stored: a replay beside it and the service's next run give
 * every change the version that it had. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "partition/route.h"
#include "pipeline/checkpoint.h"
#include "pipeline/pipeline.h"
#include "sink/sink.h"
#include "tools/shop_source.h"

#define TRANSACTIONS 200
#define CHANGES_MAX  20000
#define DEADLINE_S   60

/* What a sink saw, in memory that outlives the killed process. */
struct kept {
    unsigned count;
    unsigned kill_at; /* the change at which the process is killed; 0: never */
    struct version seen[CHANGES_MAX];
};

struct record_options {
    struct kept *record;
    struct state *state; /* killed only when a checkpoint lies in it */
};

struct record_sink {
    struct sink base;
    struct record_options opt;
};

static int record_open(struct sink **out, const void *opt, const struct sink_place *place, struct err *e);

/* Waits until the keeper has stored a position behind the log's begin. */
static bool wait_for_checkpoint(struct state *state)
{
    time_t end = time(NULL) + DEADLINE_S;
    uint64_t reached = 0;
    while (reached < 20000000 && time(NULL) < end) {
        struct checkpoint cp = {0};
        if (checkpoint_load(&cp, state, NULL) != 0)
            return false;
        reached = cp.count ? cp.entries[0].pos.at.pos : 0;
        checkpoint_release(&cp);
    }
    return reached >= 20000000;
}

static int record_apply(struct sink *snk, struct item *items, size_t count, struct err *e)
{
    (void)e;
    const struct record_options *opt = &((struct record_sink *)snk)->opt;
    for (size_t i = 0; i < count; i++) {
        opt->record->seen[opt->record->count++] = items[i].chg->version;
        items[i].verdict = V_DONE;
        if (opt->record->count == opt->record->kill_at) {
            if (!wait_for_checkpoint(opt->state))
                _exit(3);
            raise(SIGKILL);
        }
    }
    return 0;
}

static void record_close(struct sink *snk)
{
    free(snk);
}

static const struct sink_ops record_ops = {
    .kind = "record", .open = record_open, .apply = record_apply, .close = record_close};

static int record_open(struct sink **out, const void *opt, const struct sink_place *place, struct err *e)
{
    (void)place;
    (void)e;
    struct record_sink *snk = calloc(1, sizeof *snk);
    assert_non_null(snk);
    *snk = (struct record_sink){{&record_ops}, *(const struct record_options *)opt};
    *out = &snk->base;
    return 0;
}

/* One run of the spine as the service (reader NULL) or as a replay beside it. */
static int run_spine(struct shop_log *log, struct kept *record, const char *dir, bool replay, unsigned end_tx)
{
    static const struct route list[] = {{.db = "shop", .table = "orders", .sink_mask = 1}};
    struct err e = ERR_INIT;
    struct env env = env_system();
    struct state *state = NULL, *reader = NULL;
    struct routes *routes = NULL;
    struct pipeline *pipe = NULL;
    struct start start = {.kind = START_EARLIEST};
    int rc = state_open(&reader, &env, dir, STATE_READ, &e);
    if (rc == 0 && !replay)
        rc = state_open(&state, &env, dir, STATE_OWN, &e);
    if (rc == 0)
        rc = routes_new(&routes, list, 1, &e);
    assert_int_equal(rc, 0);
    struct record_options options = {record, reader};
    struct pipeline_sink sink = {.name = "rec", .ops = &record_ops, .options = &options};
    struct pipeline_spec spec = {.env = &env,
                                 .source = shop_source_new(log, end_tx),
                                 .routes = routes,
                                 .sinks = &sink,
                                 .sink_count = 1,
                                 .lanes = 3,
                                 .buffer_bytes = 8 << 20,
                                 .max_event_bytes = 1 << 20,
                                 .state = state,
                                 .epoch_state = replay ? reader : state,
                                 .start = &start,
                                 .ends = true,
                                 .checkpoint_ms = 1,
                                 .shutdown_ms = 60000};
    rc = pipeline_open(&pipe, &spec, &e);
    if (rc == 0)
        rc = pipeline_run(pipe, NULL, &e);
    if (rc != 0)
        print_error("%s\n", e.text);
    pipeline_close(pipe);
    routes_free(routes);
    state_close(state);
    state_close(reader);
    return rc;
}

/* The service, killed at its n-th change. */
static void run_and_kill(struct shop_log *log, struct kept *record, const char *dir, unsigned n)
{
    int status = 0;
    record->count = 0;
    record->kill_at = n;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(run_spine(log, record, dir, false, 0) == 0 ? 0 : 2);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    record->kill_at = 0;
}

/* All of one epoch: the made-up log has one server and no GTIDs. */
static void assert_epoch(const struct kept *record, uint32_t epoch)
{
    assert_true(record->count > 0);
    for (unsigned i = 0; i < record->count; i++)
        if (record->seen[i].epoch != epoch)
            fail_msg("change %u: epoch %u, not %u", i, record->seen[i].epoch, epoch);
}

static unsigned transactions_reached(const char *dir)
{
    struct env env = env_system();
    struct state *state = NULL;
    struct checkpoint cp = {0};
    struct err e = ERR_INIT;
    assert_int_equal(state_open(&state, &env, dir, STATE_READ, &e), 0);
    assert_int_equal(checkpoint_load(&cp, state, &e), 0);
    assert_int_equal(cp.count, 1);
    assert_string_equal(cp.entries[0].pos.server_uuid, "server");
    unsigned reached = (unsigned)(cp.entries[0].pos.at.pos / 1000000);
    checkpoint_release(&cp);
    state_close(state);
    return reached;
}

static void kill__service_dies_anywhere__replay_and_next_run_give_the_same_epoch(void **state)
{
    (void)state;
    struct shop_log_options opt = {.seed = 7, .transactions = TRANSACTIONS, .rows_max = 20, .keys = 40};
    struct shop_log *log = shop_log_new(&opt);
    struct kept *record = mmap(NULL, sizeof *record, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(record, MAP_FAILED);
    char dir[] = "/tmp/sluice-kill-XXXXXX";
    assert_non_null(mkdtemp(dir));
    uint32_t epoch = 0;
    for (unsigned kills = 0; kills < 3; kills++) {
        run_and_kill(log, record, dir, 600);
        epoch = epoch ? epoch : record->seen[0].epoch;
        assert_true(epoch > 0);
        assert_epoch(record, epoch);
        unsigned reached = transactions_reached(dir);
        assert_in_range(reached, 19, TRANSACTIONS - 1);
        record->count = 0;
        assert_int_equal(run_spine(log, record, dir, true, reached), 0);
        assert_epoch(record, epoch);
    }
    record->count = 0;
    assert_int_equal(run_spine(log, record, dir, false, 0), 0);
    assert_epoch(record, epoch);
    record->count = 0;
    assert_int_equal(run_spine(log, record, dir, true, 0), 0);
    assert_epoch(record, epoch);
    assert_int_equal(munmap(record, sizeof *record), 0);
    shop_log_free(log);
    char command[sizeof dir + 16];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kill__service_dies_anywhere__replay_and_next_run_give_the_same_epoch),
    };
    return cmocka_run_group_tests_name("pipeline kill", tests, NULL, NULL);
}
