/* The order test: whatever lanes, workers, broken connections, chunks, retries and restarts there are, the first
 * occurrences of each key's versions are complete and rising, and the bounds of transactions tell how many there are.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "partition/route.h"
#include "pipeline/pipeline.h"
#include "sink/sink.h"
#include "state/state.h"
#include "tools/shop_source.h"

#define KEYS 40
#ifdef __SANITIZE_THREAD__
#define TRANSACTIONS 60u
#else
#define TRANSACTIONS 320u
#endif

/* What the recording sink saw, per key: versions in order of first occurrence. */
struct kept {
    pthread_mutex_t lock;
    struct version *seen[KEYS + 1];
    unsigned count[KEYS + 1];
    unsigned violations, repeats;
    struct bounds_seen { /* per transaction */
        unsigned begins, ends, changes, told;
    } of_tx[TRANSACTIONS];
    unsigned fail_every; /* every n-th item is RETRY; 0: none */
    unsigned items;
};

struct recording_options {
    struct kept *record;
};

struct recording_sink {
    struct sink base;
    struct kept *record;
};

static int recording_open(struct sink **out, const void *opt, const struct sink_place *place, struct err *e);

static int compare_versions(const void *a, const void *b)
{
    return version_compare(a, b);
}

static struct bounds_seen *bounds_of(struct kept *record, const struct change *chg)
{
    uint64_t n = chg->tx->pos / SHOP_TX_BYTES - 1;
    assert_true(n < TRANSACTIONS);
    return &record->of_tx[n];
}

static void note_bound(struct kept *record, const struct change *chg)
{
    struct bounds_seen *seen = bounds_of(record, chg);
    assert_int_equal(chg->lane, 0);
    if (chg->op == CHANGE_BEGIN) {
        seen->begins++;
        return;
    }
    assert_true(seen->begins > 0);
    assert_true(seen->ends == 0 || seen->told == chg->row_of_tx);
    seen->ends++;
    seen->told = chg->row_of_tx;
}

/* Versions rise, so a repeat is found by bisection; one that is neither newer than the last nor seen before comes out
 * of order. */
static void note(struct kept *record, const struct change *chg)
{
    char key[24] = "";
    memcpy(key, chg->key, chg->key_len < sizeof key ? chg->key_len : sizeof key - 1);
    unsigned id = (unsigned)strtoul(key, NULL, 10);
    assert_true(id <= KEYS);
    unsigned n = record->count[id];
    if (n > 0 && version_compare(&record->seen[id][n - 1], &chg->version) >= 0) {
        if (!bsearch(&chg->version, record->seen[id], n, sizeof **record->seen, compare_versions))
            record->violations++;
        record->repeats++;
        return;
    }
    if ((n & (n - 1)) == 0)
        record->seen[id] = realloc(record->seen[id], (n ? 2 * n : 1) * sizeof **record->seen);
    assert_non_null(record->seen[id]);
    record->seen[id][n] = chg->version;
    record->count[id] = n + 1;
    bounds_of(record, chg)->changes++;
}

static bool same_key(const struct change *a, const struct change *b)
{
    return a->key_len == b->key_len && memcmp(a->key, b->key, a->key_len) == 0;
}

static int recording_apply(struct sink *snk, struct item *items, size_t count, struct err *e)
{
    (void)e;
    struct kept *record = ((struct recording_sink *)snk)->record;
    pthread_mutex_lock(&record->lock);
    for (size_t i = 0; i < count; i++) {
        items[i].verdict = V_DONE;
        if (items[i].chg->op == CHANGE_BEGIN || items[i].chg->op == CHANGE_END) {
            note_bound(record, items[i].chg);
            continue;
        }
        bool retry = record->fail_every && ++record->items % record->fail_every == 0;
        for (size_t j = 0; record->fail_every && j < i && !retry; j++)
            retry = items[j].verdict == V_RETRY && same_key(items[j].chg, items[i].chg);
        items[i].verdict = retry ? V_RETRY : V_DONE;
        if (!retry)
            note(record, items[i].chg);
    }
    pthread_mutex_unlock(&record->lock);
    return 0;
}

static void recording_close(struct sink *snk)
{
    free(snk);
}

static const struct sink_ops recording = {.kind = "recording",
                                          .flags = SINK_TELLS_BOUNDS,
                                          .open = recording_open,
                                          .apply = recording_apply,
                                          .close = recording_close};

static int recording_open(struct sink **out, const void *opt, const struct sink_place *place, struct err *e)
{
    (void)place;
    (void)e;
    struct recording_sink *snk = calloc(1, sizeof *snk);
    assert_non_null(snk);
    snk->base.ops = &recording;
    snk->record = ((const struct recording_options *)opt)->record;
    *out = &snk->base;
    return 0;
}

struct trial {
    unsigned lanes, workers, break_every, fail_every, rows_max;
    uint64_t buffer_bytes;
    unsigned restarts;
};

/* One run of the spine up to a transaction; the state carries on to the next. */
static void run_spine(const struct trial *trial, struct shop_log *log, struct kept *record, unsigned end_tx,
                      const char *dir)
{
    static const struct route list[] = {{.db = "shop", .table = "orders", .sink_mask = 1}};
    struct err e = ERR_INIT;
    struct env env = env_system();
    struct state *state = NULL;
    struct routes *routes = NULL;
    struct pipeline *pipe = NULL;
    struct recording_options options = {record};
    struct pipeline_sink sink = {.name = "rec", .ops = &recording, .options = &options, .workers = trial->workers};
    struct start start = {.kind = START_EARLIEST};
    assert_int_equal(state_open(&state, &env, dir, STATE_OWN, &e), 0);
    assert_int_equal(routes_new(&routes, list, 1, &e), 0);
    struct pipeline_spec spec = {.env = &env,
                                 .source = shop_source_new(log, end_tx),
                                 .routes = routes,
                                 .sinks = &sink,
                                 .sink_count = 1,
                                 .lanes = trial->lanes,
                                 .buffer_bytes = trial->buffer_bytes,
                                 .max_event_bytes = 1 << 20,
                                 .state = state,
                                 .start = &start,
                                 .checkpoint_ms = 1,
                                 .shutdown_ms = 60000};
    int rc = pipeline_open(&pipe, &spec, &e);
    if (rc == 0)
        rc = pipeline_run(pipe, NULL, &e);
    if (rc != 0)
        print_error("lanes %u workers %u: %s\n", trial->lanes, trial->workers, e.text);
    assert_int_equal(rc, 0);
    pipeline_close(pipe);
    routes_free(routes);
    state_close(state);
}

static void check_record(const struct trial *trial, const struct shop_log *log, const struct kept *record)
{
    assert_int_equal(record->violations, 0);
    if (trial->restarts == 0)
        assert_int_equal(record->repeats, 0);
    for (unsigned id = 1; id <= KEYS; id++) {
        if (record->count[id] != shop_log_changes(log, id))
            print_error("lanes %u workers %u key %u\n", trial->lanes, trial->workers, id);
        assert_int_equal(record->count[id], shop_log_changes(log, id));
        for (unsigned n = 0; n < record->count[id]; n++) {
            struct version expected = shop_log_version(log, id, n);
            assert_int_equal(version_compare(&record->seen[id][n], &expected), 0);
        }
    }
}

static void check_bounds(const struct trial *trial, const struct kept *record)
{
    for (unsigned i = 0; i < TRANSACTIONS; i++) {
        const struct bounds_seen *seen = &record->of_tx[i];
        assert_int_equal(seen->told, seen->changes);
        assert_int_equal(seen->begins > 0, seen->changes > 0);
        assert_int_equal(seen->ends > 0, seen->changes > 0);
        if (trial->restarts == 0) {
            assert_in_range(seen->begins, 0, 1);
            assert_in_range(seen->ends, 0, 1);
        }
    }
}

static void run_trial(const struct trial *trial, uint64_t seed)
{
    struct shop_log_options opt = {.seed = seed,
                                   .transactions = TRANSACTIONS / (trial->rows_max > 100 ? 8 : 1),
                                   .rows_max = trial->rows_max,
                                   .keys = KEYS,
                                   .no_rollbacks = trial->rows_max > 100,
                                   .break_every = trial->break_every};
    struct shop_log *log = shop_log_new(&opt);
    struct kept record = {.fail_every = trial->fail_every};
    pthread_mutex_init(&record.lock, NULL);
    char dir[] = "/tmp/sluice-order-XXXXXX";
    assert_non_null(mkdtemp(dir));
    for (unsigned i = 1; i <= trial->restarts; i++)
        run_spine(trial, log, &record, opt.transactions * i / (trial->restarts + 1), dir);
    run_spine(trial, log, &record, 0, dir);
    check_record(trial, log, &record);
    check_bounds(trial, &record);
    for (unsigned id = 0; id <= KEYS; id++)
        free(record.seen[id]);
    pthread_mutex_destroy(&record.lock);
    shop_log_free(log);
    char command[sizeof dir + 16];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    assert_int_equal(system(command), 0);
}

static const unsigned lane_counts[] = {1, 3, 16}, worker_counts[] = {0, 1, 2, 4};

static void over_all(struct trial trial)
{
    for (size_t l = 0; l < sizeof lane_counts / sizeof *lane_counts; l++)
        for (size_t w = 0; w < sizeof worker_counts / sizeof *worker_counts; w++) {
            trial.lanes = lane_counts[l];
            trial.workers = worker_counts[w];
            run_trial(&trial, 20261122 + l * 10 + w);
        }
}

static void order__any_lanes_and_workers__versions_complete_and_rising(void **state)
{
    (void)state;
    over_all((struct trial){.rows_max = 20, .buffer_bytes = 8 << 20});
}

static void order__connections_break__versions_complete_and_rising(void **state)
{
    (void)state;
    over_all((struct trial){.rows_max = 20, .buffer_bytes = 8 << 20, .break_every = 40});
}

static void order__items_are_retried__versions_complete_and_rising(void **state)
{
    (void)state;
    for (size_t l = 0; l < 3; l++)
        for (size_t w = 1; w < 4; w++) {
            struct trial trial = {.lanes = lane_counts[l],
                                  .workers = worker_counts[w],
                                  .rows_max = 20,
                                  .buffer_bytes = 8 << 20,
                                  .fail_every = 701};
            run_trial(&trial, 77 + l * 10 + w);
        }
}

static void order__restarts__versions_complete_and_rising(void **state)
{
    (void)state;
    over_all((struct trial){.rows_max = 20, .buffer_bytes = 8 << 20, .restarts = 4});
}

static void order__transactions_larger_than_the_buffer_and_breaks__versions_complete_and_rising(void **state)
{
    (void)state;
    over_all((struct trial){.rows_max = 3000, .buffer_bytes = 256 << 10, .break_every = 1500});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order__any_lanes_and_workers__versions_complete_and_rising),
        cmocka_unit_test(order__connections_break__versions_complete_and_rising),
        cmocka_unit_test(order__items_are_retried__versions_complete_and_rising),
        cmocka_unit_test(order__restarts__versions_complete_and_rising),
        cmocka_unit_test(order__transactions_larger_than_the_buffer_and_breaks__versions_complete_and_rising),
    };
    return cmocka_run_group_tests_name("pipeline order", tests, NULL, NULL);
}
