/* Changes that a sink refused for good become dead letters. */
#include "sink/worker.h"

struct verdicts {
    bool poison, retry;
};

static struct verdicts look(const struct item *items, size_t count)
{
    struct verdicts found = {false, false};
    for (size_t i = 0; i < count; i++) {
        found.poison |= items[i].verdict == V_POISON;
        found.retry |= items[i].verdict == V_RETRY;
    }
    return found;
}

static bool stops(const struct batch *batch)
{
    for (size_t i = 0; i < batch->item_count; i++)
        if (batch->items[i].verdict == V_STOP)
            return true;
    return false;
}

static void take_back(struct item *items, size_t count, enum verdict instead)
{
    for (size_t i = 0; i < count; i++)
        if (items[i].verdict == V_POISON)
            items[i].verdict = instead;
}

/* One letter for a change, however many routes it has. */
static int bury(struct worker *worker, struct entry *entry, const struct err *why, struct err *e)
{
    const struct dead_store *dead = worker->opt->dead;
    const struct change *chg = entry->parked ? &entry->parked->item.chg : &entry->item.chg;
    int rc = entry->is_dead ? 0 : dead->put(dead->ctx, worker->opt->name, chg, why, e);
    if (rc != 0)
        return rc;
    if (!entry->is_dead)
        metric_add(&worker->stats.dead_letters_total, 1);
    entry->is_dead = true;
    return 0;
}

int batch_bury(struct worker *worker, struct err *e)
{
    struct batch *batch = &worker->batch;
    struct err why = ERR_INIT;
    struct verdicts all = look(batch->items, batch->item_count);
    if (!worker->opt->dead || !all.poison)
        return 0;
    if (stops(batch) || (worker->keeps && all.retry)) {
        take_back(batch->items, batch->item_count, V_RETRY);
        return 0;
    }
    if (err_class(e) != ERR_CLASS_NONE && err_class(e) != ERR_CLASS_RETRY)
        why = *e;
    else
        err_set(&why, SINK_POISON);
    err_clear(e);
    for (size_t i = 0; i < batch->entry_count; i++) {
        struct entry *entry = &batch->entries[i];
        struct item *items = batch->items + entry->first;
        struct verdicts found = look(items, entry->count);
        int rc = found.poison && !found.retry ? bury(worker, entry, &why, e) : 0;
        if (rc != 0)
            return rc;
        take_back(items, entry->count, found.retry ? V_RETRY : V_DONE);
    }
    return 0;
}
