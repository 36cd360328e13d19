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

static int init_marks(struct worker *worker, struct err *e)
{
    unsigned lanes = lanes_count(worker->opt->lanes);
    struct version *last = calloc(lanes, sizeof *last);
    worker->marks_next = calloc(lanes, sizeof *worker->marks_next);
    position_init(&worker->marks.boundary);
    worker->marks.lanes = lanes;
    worker->marks.last = last;
    return last && worker->marks_next ? 0 : err_set(e, NO_MEMORY, lanes * sizeof *last);
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
    if (rc == 0 && (opt->ops->flags & SINK_KEEPS_POSITION))
        rc = init_marks(worker, e);
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
    if (worker->marks.last)
        position_release(&worker->marks.boundary);
    free((void *)worker->marks.last);
    free(worker->marks_next);
    free(worker->lanes);
    free(worker->batch.entries);
    free(worker->batch.items);
    if (worker->wake_fd >= 0)
        close(worker->wake_fd);
    worker->marks.last = NULL;
    worker->marks_next = NULL;
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

static int apply(struct worker *worker, struct err *e)
{
    if (!worker->snk) {
        const struct sink_place place = {.env = worker->opt->env,
                                         .name = worker->opt->name,
                                         .worker = worker->number,
                                         .lanes = lanes_count(worker->opt->lanes)};
        int rc = worker->opt->ops->open(&worker->snk, worker->opt->options, &place, e);
        if (rc != 0) {
            worker->snk = NULL;
            return rc;
        }
    }
    if (!worker->batch.item_count)
        return 0;
    metric_add(&worker->stats.batches_total, 1);
    return apply_items(worker, e);
}

/* After a failure that may pass: the instance goes unless it heals itself, the batch stays (or is read again, when the
 * sink keeps the position). */
static void give_up_instance(struct worker *worker)
{
    if (!(worker->opt->ops->flags & SINK_STAYS_OPEN)) {
        worker->opt->ops->close(worker->snk);
        worker->snk = NULL;
    }
    if (worker->opt->ops->flags & SINK_KEEPS_POSITION)
        batch_rewind(worker);
    else if (worker->batch.is_open)
        mark_again(&worker->batch);
}

int worker_round(struct worker *worker, struct err *e)
{
    int rc = 0;
    if (!worker->batch.is_open)
        rc = batch_gather(worker, e);
    bool found = worker->batch.seen || worker->batch.entry_count;
    if (rc == 0 && (found || !worker->snk))
        rc = apply(worker, e);
    if (rc == 0)
        rc = batch_settle(worker, e);
    if (rc == 0)
        return found;
    if (err_code_class((enum err_code) - rc) == ERR_CLASS_RETRY) {
        metric_add(&worker->stats.retries_total, 1);
        give_up_instance(worker);
    }
    return rc;
}

bool worker_is_clear(const struct worker *worker)
{
    return !worker->parking.key_count && !worker->blocked && !worker->stalled && !worker->batch.is_open;
}
