/* The runner's public half: options, threads' life, inline steps, figures. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sink/runner_private.h"

#define BACKOFF_MIN_MS 50
#define BACKOFF_MAX_MS 5000

#define ROW(field, unit_, type_, help_)                                                                                \
    {                                                                                                                  \
#field, unit_, type_, offsetof(struct runner_stats, field), help_                                              \
    }
const struct metric_row runner_metrics[] = {
    ROW(rows_total, "changes", METRIC_COUNTER, "changes that the sink applied"),
    ROW(batches_total, "batches", METRIC_COUNTER, "batches given to the sink"),
    ROW(retries_total, "tries", METRIC_COUNTER, "batches and changes that had to be applied again"),
    ROW(dead_letters_total, "changes", METRIC_COUNTER, "changes that the sink refused for good, kept as dead letters"),
    ROW(parked, "keys", METRIC_GAUGE, "keys whose changes wait because the sink refused one for now"),
    ROW(down, "workers", METRIC_GAUGE, "workers that cannot reach the sink"),
    ROW(last_commit_us, "us", METRIC_GAUGE, "commit time of the last change applied, Unix microseconds"),
    METRIC_END,
};

static void set_defaults(struct runner_options *opt)
{
    if (!opt->batch_rows)
        opt->batch_rows = RUNNER_BATCH_ROWS;
    if (!opt->batch_bytes)
        opt->batch_bytes = RUNNER_BATCH_BYTES;
    if (!opt->parked_max)
        opt->parked_max = RUNNER_PARKED_MAX;
    if (!opt->pinned_bytes)
        opt->pinned_bytes = 8 * opt->batch_bytes;
    if (!opt->backoff_min_ms)
        opt->backoff_min_ms = BACKOFF_MIN_MS;
    if (!opt->backoff_max_ms)
        opt->backoff_max_ms = BACKOFF_MAX_MS;
}

static int check_workers(const struct runner_options *opt, struct err *e)
{
    bool one = sink_flags(opt->ops, opt->options) & (SINK_ONE_WORKER | SINK_KEEPS_POSITION);
    return opt->workers > (one ? 1 : RUNNER_WORKERS_MAX)
               ? err_set(e, SINK_WORKERS, opt->name, one ? 1 : RUNNER_WORKERS_MAX, opt->ops->kind)
               : 0;
}

/* A route that sweeps must be able to. */
static int check_sweep(const struct runner_options *opt, const struct binding *binding, struct err *e)
{
    int rc = 0;
    for (unsigned i = 0; i < binding->count && rc == 0 && opt->ops->can_sweep; i++) {
        const struct route *route = binding->list[i].route;
        if (route->on_truncate == ON_TRUNCATE_SWEEP)
            rc = opt->ops->can_sweep(binding->list[i].bind, e);
        if (rc != 0)
            err_wrap(e, "route at line %u", route->line);
    }
    return rc;
}

static int check_routes(const struct runner_options *opt, const char *const *name, const struct table *tbl,
                        struct err *e)
{
    struct binding binding;
    int rc = binding_make(opt, name, tbl, &binding, e);
    if (rc != 0)
        return rc;
    rc = check_sweep(opt, &binding, e);
    binding_release(opt, &binding);
    return rc;
}

/* What can be told of every route before any table is known. */
static int check_all(const struct runner_options *opt, struct err *e)
{
    int rc = check_workers(opt, e);
    if (rc == 0 && opt->ops->check) {
        rc = opt->ops->check(opt->options, e);
        if (rc != 0)
            err_wrap(e, "sink %s", opt->name);
    }
    return rc == 0 && opt->ops->bind ? check_routes(opt, NULL, NULL, e) : rc;
}

unsigned runner_needs(const struct sink_ops *ops, unsigned sink, const struct routes *routes)
{
    const struct route *list;
    unsigned count = routes_list(routes, &list), needs = 0;
    for (unsigned i = 0; i < count && ops->needs; i++)
        if (list[i].sink_mask >> sink & 1)
            needs |= ops->needs(list[i].sink_options[sink]);
    return needs;
}

int runner_new(struct runner **out, const struct runner_options *options, struct err *e)
{
    struct runner_options opt = *options;
    set_defaults(&opt);
    int rc = check_all(&opt, e);
    if (rc != 0)
        return rc;
    unsigned count = opt.workers ? opt.workers : 1;
    struct runner *runner = calloc(1, sizeof *runner);
    if (!runner)
        return err_set(e, NO_MEMORY, sizeof *runner);
    runner->opt = opt;
    runner->threads = calloc(count, sizeof *runner->threads);
    runner->workers = aligned_alloc(_Alignof(struct worker), count * sizeof *runner->workers);
    if (!runner->threads || !runner->workers)
        rc = err_set(e, NO_MEMORY, count * sizeof *runner->workers);
    while (rc == 0 && runner->worker_count < count) {
        rc = worker_init(&runner->workers[runner->worker_count], runner, &runner->opt, runner->worker_count, e);
        if (rc == 0)
            runner->worker_count++;
    }
    if (rc != 0) {
        runner_free(runner);
        return rc;
    }
    *out = runner;
    return 0;
}

int runner_check(struct runner *runner, const struct table *tbl, struct err *e)
{
    const char *const name[2] = {tbl->db, tbl->name};
    return runner->opt.ops->bind ? check_routes(&runner->opt, name, tbl, e) : 0;
}

int runner_load(struct runner *runner, bool forget, const struct position *at, struct position *out, struct err *e)
{
    struct worker *worker = &runner->workers[0];
    int found = keeping_load(worker, forget, at, e);
    if (found > 0 && position_copy(out, &worker->keeping.loaded.boundary, e) != 0)
        found = err_result(e);
    return found < 0 ? err_wrap(e, "sink %s", runner->opt.name) : found;
}

int runner_start(struct runner *runner, struct err *e)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = 0;
    while (runner->opt.workers && runner->started < runner->worker_count && !failed) {
        atomic_fetch_add(&runner->running, 1);
        failed = pthread_create(&runner->threads[runner->started], NULL, loop_run, &runner->workers[runner->started]);
        runner->started += !failed;
        if (failed)
            atomic_fetch_sub(&runner->running, 1);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed ? err_set(e, NO_MEMORY, sizeof(struct worker)) : 0;
}

int runner_step(struct runner *runner, struct err *e)
{
    struct worker *worker = &runner->workers[0];
    worker->force_due = true;
    int rc;
    do {
        rc = worker_round(worker, e);
        if (rc == 0)
            rc = worker_finish(worker, e);
    } while (rc > 0);
    if (rc == 0 && worker->parking.key_count)
        rc = err_set(e, SINK_PARKED, worker->parking.key_count);
    if (rc != 0)
        err_wrap(e, "sink %s", runner->opt.name);
    return rc;
}

static void wake_worker(struct worker *worker)
{
    uint64_t one = 1;
    (void)!write(worker->wake_fd, &one, sizeof one);
}

void runner_wake(struct runner *runner, unsigned lane)
{
    if (runner->opt.workers)
        wake_worker(&runner->workers[lane % runner->worker_count]);
}

void runner_stop(struct runner *runner, bool drain)
{
    atomic_store_explicit(&runner->stop, drain ? STOP_DRAIN : STOP_NOW, memory_order_release);
    for (unsigned i = 0; i < runner->started; i++)
        wake_worker(&runner->workers[i]);
}

void runner_join(struct runner *runner)
{
    while (runner->started)
        pthread_join(runner->threads[--runner->started], NULL);
}

bool runner_running(const struct runner *runner)
{
    return atomic_load(&runner->running) > 0;
}

bool runner_idle(const struct runner *runner)
{
    const struct ledger *ledger = lanes_ledger(runner->opt.lanes);
    unsigned lanes = lanes_count(runner->opt.lanes);
    for (unsigned lane = 0; lane < lanes; lane++)
        if (ledger_acked(ledger, lane, runner->opt.sink) < ledger_head(ledger, lane))
            return false;
    return true;
}

unsigned runner_workers(const struct runner *runner)
{
    return runner->worker_count;
}

const struct runner_stats *runner_worker_stats(const struct runner *runner, unsigned worker)
{
    return &runner->workers[worker].stats;
}

const void *runner_sink_stats(const struct runner *runner, unsigned worker)
{
    const struct sink *snk = runner->workers[worker].snk;
    return snk && snk->ops->stats ? snk->ops->stats(snk) : NULL;
}

const char *runner_name(const struct runner *runner)
{
    return runner->opt.name;
}

void runner_free(struct runner *runner)
{
    if (!runner)
        return;
    for (unsigned i = 0; i < runner->worker_count; i++)
        worker_release(&runner->workers[i]);
    free(runner->workers);
    free(runner->threads);
    free(runner);
}
