/* Applied and not committed. */
#include "sink/keeping.h"

#include "base/log.h"
#include "sink/worker.h"

#define COMMIT_BYTES ((size_t)16 << 20)
#define MARKS_US     (INT64_C(10) * 1000 * 1000)

int keeping_init(struct worker *worker, struct err *e)
{
    struct keeping *keeping = &worker->keeping;
    const struct runner_options *opt = worker->opt;
    unsigned lanes = lanes_count(opt->lanes);
    if (opt->ops->commit_ms)
        keeping->commit_ms = opt->ops->commit_ms(opt->options);
    if (marks_init(&keeping->loaded, lanes, e) != 0 || marks_init(&keeping->committed, lanes, e) != 0)
        return err_result(e);
    return marks_init(&keeping->next, lanes, e);
}

void keeping_release(struct keeping *keeping)
{
    marks_release(&keeping->loaded);
    marks_release(&keeping->committed);
    marks_release(&keeping->next);
}

static int take_loaded(struct keeping *keeping, struct err *e)
{
    marks_copy_versions(&keeping->committed, &keeping->loaded);
    marks_copy_versions(&keeping->next, &keeping->loaded);
    return position_copy(&keeping->next.boundary, &keeping->loaded.boundary, e);
}

int keeping_load(struct worker *worker, bool forget, const struct position *at, struct err *e)
{
    struct keeping *keeping = &worker->keeping;
    const struct sink_ops *ops = worker->opt->ops;
    int rc = worker_open(worker, e);
    if (rc != 0)
        return rc;
    marks_release(&keeping->loaded);
    if (marks_init(&keeping->loaded, keeping->next.lanes, e) != 0)
        return err_result(e);
    int found = ops->load(worker->snk, &keeping->loaded, e);
    if (found < 0 || !found)
        return found;
    if (!forget)
        return take_loaded(keeping, e) == 0 ? 1 : err_result(e);
    marks_release(&keeping->loaded);
    if (marks_init(&keeping->loaded, keeping->next.lanes, e) != 0 ||
        (at && position_copy(&keeping->loaded.boundary, at, e) != 0) || take_loaded(keeping, e) != 0)
        return err_result(e);
    return ops->commit(worker->snk, &keeping->next, e);
}

/* What is open stands. */
static void committed(struct worker *worker)
{
    struct keeping *keeping = &worker->keeping;
    metric_add(&worker->stats.rows_total, keeping->rows);
    metric_set(&worker->stats.last_commit_us, keeping->last_commit_us);
    keeping->is_open = keeping->is_asked = false;
    keeping->bytes = keeping->rows = 0;
    keeping->committed_us = env_mono_us(worker->opt->env);
    marks_copy_versions(&keeping->committed, &keeping->next);
    batch_acknowledge(worker);
}

int keeping_renew(struct worker *worker, struct err *e)
{
    struct keeping *keeping = &worker->keeping;
    struct marks found;
    int rc = worker_open(worker, e);
    if (rc != 0)
        return rc;
    rc = marks_init(&found, keeping->next.lanes, e);
    if (rc == 0)
        rc = worker->opt->ops->load(worker->snk, &found, e);
    bool stands = rc >= 0 && keeping->is_asked && marks_equal(&found, &keeping->next);
    bool is_void = rc >= 0 && marks_equal(&found, &keeping->committed);
    marks_release(&found);
    if (rc < 0)
        return rc;
    if (!stands && !is_void)
        return err_set(e, MARKS_OTHERS);
    keeping->must_renew = false;
    if (stands)
        committed(worker);
    else
        worker_rewind(worker);
    return 0;
}

bool keeping_covers(struct worker *worker, const struct change *chg)
{
    struct keeping *keeping = &worker->keeping;
    bool other_server;
    bool covered = marks_cover(&keeping->loaded, chg, &other_server);
    if (other_server && !keeping->told) {
        keeping->told = true;
        log_event(worker->opt->env->log, LOG_WARN,
                  "another server sends the newest transaction that was written: it is written again as a whole",
                  LOG_STR("sink", worker->opt->name), LOG_STR("file", chg->tx->file), LOG_UINT("pos", chg->tx->pos));
    }
    return covered;
}

int keeping_applied(struct worker *worker, struct err *e)
{
    struct keeping *keeping = &worker->keeping;
    const struct batch *batch = &worker->batch;
    int rc = batch_judge(worker, e);
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < batch->entry_count; i++)
        marks_note(&keeping->next, &batch->entries[i].item.chg);
    if (!keeping->is_open)
        keeping->due_us = env_mono_us(worker->opt->env) + (int64_t)keeping->commit_ms * 1000;
    keeping->is_open = true;
    keeping->bytes += batch->bytes;
    keeping->rows += batch->entry_count;
    const struct tx *tx = batch->entry_count ? batch->entries[batch->entry_count - 1].item.chg.tx : NULL;
    keeping->last_commit_us = tx ? (uint64_t)tx->commit_us : keeping->last_commit_us;
    return 0;
}

/* Takes the boundary that is safe: 1 when it is another than the last one that was committed. */
static int take_boundary(struct worker *worker, struct err *e)
{
    const struct runner_options *opt = worker->opt;
    return opt->boundary ? opt->boundary(opt->ctx, opt->sink, &worker->keeping.next.boundary, e) : 0;
}

static int commit(struct worker *worker, struct err *e)
{
    struct keeping *keeping = &worker->keeping;
    int rc = keeping->is_asked ? 0 : take_boundary(worker, e);
    if (rc < 0)
        return rc;
    keeping->is_asked = true;
    rc = worker->opt->ops->commit(worker->snk, &keeping->next, e);
    if (rc != 0) {
        keeping->is_asked = rc == -(int)ERR_SINK_DOWN || rc == -(int)ERR_SINK_RENEW;
        return rc;
    }
    committed(worker);
    return 0;
}

static size_t bytes_max(const struct worker *worker)
{
    size_t half_pool = worker->opt->pinned_bytes * worker->lane_count;
    return half_pool < COMMIT_BYTES ? half_pool : COMMIT_BYTES;
}

int keeping_commit(struct worker *worker, bool now, struct err *e)
{
    const struct keeping *keeping = &worker->keeping;
    if (!keeping->is_open && !keeping->is_asked)
        return 0;
    bool due = now || keeping->is_asked || keeping->bytes >= bytes_max(worker) ||
               env_mono_us(worker->opt->env) >= keeping->due_us;
    return due ? commit(worker, e) : 0;
}

int keeping_idle(struct worker *worker, bool now, struct err *e)
{
    struct keeping *keeping = &worker->keeping;
    if (!worker->opt->boundary || keeping->is_open || !worker->snk ||
        (!now && keeping_due(worker) > env_mono_us(worker->opt->env)))
        return 0;
    keeping->committed_us = env_mono_us(worker->opt->env);
    int moved = take_boundary(worker, e);
    return moved > 0 ? commit(worker, e) : moved;
}

void keeping_void(struct worker *worker)
{
    struct keeping *keeping = &worker->keeping;
    keeping->is_open = keeping->is_asked = false;
    keeping->bytes = keeping->rows = 0;
    marks_copy_versions(&keeping->next, &keeping->committed);
}

int64_t keeping_due(const struct worker *worker)
{
    const struct keeping *keeping = &worker->keeping;
    if (keeping->is_open)
        return keeping->due_us;
    return worker->opt->boundary ? keeping->committed_us + MARKS_US : INT64_MAX;
}
