/* A worker's state and its round. */
#include "sink/worker.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static size_t lanes_of_worker(unsigned lanes, unsigned number, unsigned workers)
{
    return number < lanes ? (lanes - number - 1) / workers + 1 : 0;
}

int worker_init(struct worker *worker, struct runner *runner, const struct runner_options *opt, unsigned number,
                struct err *e)
{
    unsigned workers = opt->workers ? opt->workers : 1;
    unsigned lanes = (unsigned)lanes_of_worker(lanes_count(opt->lanes), number, workers);
    *worker = (struct worker){
        .runner = runner,
        .opt = opt,
        .number = number,
        .workers = workers,
        .bindings = {.opt = opt},
        .parking = {.env = opt->env, .backoff_min_ms = opt->backoff_min_ms, .backoff_max_ms = opt->backoff_max_ms},
        .batch = {.entry_max = opt->batch_rows, .item_max = opt->batch_rows, .rows_max = opt->batch_rows},
        .whole_events = opt->needs & FORMAT_NEEDS_WHOLE_EVENTS,
        .lane_count = lanes,
        .wake_fd = -1,
    };
    struct batch *batch = &worker->batch;
    batch->entry_max += worker->whole_events ? WORKER_EVENT_ROWS : 0;
    worker->lanes = calloc(lanes + 1, sizeof *worker->lanes);
    batch->entries = calloc(batch->entry_max, sizeof *batch->entries);
    batch->items = calloc(batch->item_max, sizeof *batch->items);
    worker->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    int rc = worker->lanes && batch->entries && batch->items && worker->wake_fd >= 0
                 ? 0
                 : err_set(e, NO_MEMORY, batch->entry_max * sizeof *batch->entries);
    if (rc == 0)
        rc = parking_init(&worker->parking, lanes + 1, e);
    worker->keeps = sink_flags(opt->ops, opt->options) & SINK_KEEPS_POSITION;
    if (rc == 0 && worker->keeps)
        rc = keeping_init(worker, e);
    if (rc != 0)
        worker_release(worker);
    return rc;
}

void worker_release(struct worker *worker)
{
    worker->opt->ops->close(worker->snk);
    worker->snk = NULL;
    bindings_release(&worker->bindings);
    parking_release(&worker->parking);
    keeping_release(&worker->keeping);
    free(worker->lanes);
    free(worker->batch.entries);
    free(worker->batch.items);
    if (worker->wake_fd >= 0)
        close(worker->wake_fd);
    worker->lanes = NULL;
    worker->batch = (struct batch){0};
    worker->wake_fd = -1;
}

/* Gives the items to the sink; a TRUNCATE item goes alone. */
static int apply_items(struct worker *worker, struct err *e)
{
    struct batch *batch = &worker->batch;
    const struct sink_ops *ops = worker->opt->ops;
    if (!batch->has_truncate)
        return ops->apply(worker->snk, batch->items, batch->item_count, e);
    for (size_t i = 0, end; i < batch->item_count; i = end) {
        end = i + 1;
        if (batch->items[i].chg->op != CHANGE_TRUNCATE)
            while (end < batch->item_count && batch->items[end].chg->op != CHANGE_TRUNCATE)
                end++;
        int rc = ops->apply(worker->snk, batch->items + i, end - i, e);
        if (rc != 0)
            return rc;
    }
    return 0;
}

/* The batch will be given again: its changes say so. */
static void mark_again(struct batch *batch)
{
    for (size_t i = 0; i < batch->entry_count; i++) {
        struct entry *entry = &batch->entries[i];
        if (entry->parked)
            entry->parked->item.chg.flags |= CHANGE_AGAIN;
        else if (!entry->held)
            entry->item.chg.flags |= CHANGE_AGAIN;
    }
}

int worker_open(struct worker *worker, struct err *e)
{
    if (worker->snk)
        return 0;
    const struct sink_place place = {.env = worker->opt->env,
                                     .name = worker->opt->name,
                                     .worker = worker->number,
                                     .reader = worker->opt->reader,
                                     .purpose = worker->opt->purpose,
                                     .witness = worker->opt->witness,
                                     .lanes = lanes_count(worker->opt->lanes)};
    int rc = worker->opt->ops->open(&worker->snk, worker->opt->options, &place, e);
    if (rc != 0)
        worker->snk = NULL;
    worker->tend_us = 0;
    return rc;
}

static int apply(struct worker *worker, struct err *e)
{
    int rc = worker_open(worker, e);
    if (rc != 0 || !worker->batch.item_count)
        return rc;
    metric_add(&worker->stats.batches_total, 1);
    return apply_items(worker, e);
}

/* After a failure that may pass: the instance goes unless it heals itself, the batch stays (or is read again, when the
 * sink keeps the position). */
static void give_up_instance(struct worker *worker, bool renew)
{
    worker->keeping.must_renew |= renew && worker->keeps;
    if (renew || (!(worker->opt->ops->flags & SINK_STAYS_OPEN) && !worker->keeping.is_asked)) {
        worker->opt->ops->close(worker->snk);
        worker->snk = NULL;
    }
    if (worker->keeping.is_asked || worker->keeping.must_renew)
        return; /* what stands will be seen */
    if (worker->keeps)
        worker_rewind(worker);
    else if (worker->batch.is_open)
        mark_again(&worker->batch);
}

void worker_rewind(struct worker *worker)
{
    keeping_void(worker);
    batch_rewind(worker);
}

static int after_failure(struct worker *worker, int rc)
{
    if (rc < 0 && err_code_class((enum err_code) - rc) == ERR_CLASS_RETRY) {
        metric_add(&worker->stats.retries_total, 1);
        give_up_instance(worker, rc == -(int)ERR_SINK_RENEW);
    }
    return rc;
}

/* Commits that are due. When everything that can be read waits for an acknowledgement, that is now. */
static int commit_due(struct worker *worker, bool found, struct err *e)
{
    if (!worker->keeps)
        return 0;
    int rc = keeping_commit(worker, !found && worker->blocked, e);
    return rc == 0 && !found ? keeping_idle(worker, false, e) : rc;
}

/* What the sink has to do by itself. */
static int tend(struct worker *worker, bool found, struct err *e)
{
    const struct sink_ops *ops = worker->opt->ops;
    if (!ops->tend || !worker->snk || (!found && env_mono_us(worker->opt->env) < worker->tend_us))
        return 0;
    return ops->tend(worker->snk, &worker->tend_us, e);
}

int worker_round(struct worker *worker, struct err *e)
{
    int rc = worker->keeping.must_renew ? keeping_renew(worker, e) : 0;
    if (rc == 0 && worker->keeping.is_asked)
        rc = keeping_commit(worker, true, e);
    if (rc != 0)
        return after_failure(worker, rc);
    if (!worker->batch.is_open)
        rc = batch_gather(worker, e);
    bool found = worker->batch.seen || worker->batch.entry_count;
    if (rc == 0 && (found || !worker->snk))
        rc = apply(worker, e);
    if (rc == 0)
        rc = batch_settle(worker, e);
    if (rc == 0)
        rc = commit_due(worker, found, e);
    if (rc == 0)
        rc = tend(worker, found, e);
    return rc == 0 ? found : after_failure(worker, rc);
}

int worker_finish(struct worker *worker, struct err *e)
{
    if (!worker->keeps)
        return 0;
    if (worker->keeping.must_renew)
        return 0; /* the next round's */
    int rc = keeping_commit(worker, true, e);
    if (rc == 0)
        rc = keeping_idle(worker, true, e);
    return after_failure(worker, rc);
}

int64_t worker_due(const struct worker *worker)
{
    int64_t parked = parking_due(&worker->parking), kept = worker->keeps ? keeping_due(worker) : INT64_MAX;
    int64_t due = parked < kept ? parked : kept;
    return worker->opt->ops->tend && worker->snk && worker->tend_us < due ? worker->tend_us : due;
}

bool worker_is_clear(const struct worker *worker)
{
    return !worker->parking.key_count && !worker->blocked && !worker->stalled && !worker->batch.is_open &&
           !worker->keeping.is_open && !worker->keeping.must_renew;
}
