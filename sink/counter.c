/* Counts changes by op and does nothing else: what `replay --dry-run` applies to. */
#include <stdlib.h>

#include "sink/kinds.h"

struct counter_stats {
    _Atomic uint64_t by_op[CHANGE_TRUNCATE + 1];
};

struct counter {
    struct sink base;
    struct counter_stats stats;
};

#define OP_ROW(op, name_, help_)                                                                                       \
    {                                                                                                                  \
        name_, "changes", METRIC_COUNTER, offsetof(struct counter_stats, by_op) + (op) * sizeof(_Atomic uint64_t),     \
            help_                                                                                                      \
    }

static const struct metric_row counter_metrics[] = {
    OP_ROW(CHANGE_INSERT, "inserts_total", "rows inserted"),
    OP_ROW(CHANGE_UPDATE, "updates_total", "rows updated; a row that changed its key counts twice"),
    OP_ROW(CHANGE_DELETE, "deletes_total", "rows deleted"),
    OP_ROW(CHANGE_READ, "reads_total", "rows read from a table"),
    OP_ROW(CHANGE_TRUNCATE, "truncates_total", "tables emptied"),
    METRIC_END,
};

static int counter_open(struct sink **out, const void *opt, const struct sink_place *place, struct err *e)
{
    (void)opt;
    (void)place;
    struct counter *counter = calloc(1, sizeof *counter);
    if (!counter)
        return err_set(e, NO_MEMORY, sizeof *counter);
    counter->base.ops = &sink_counter;
    *out = &counter->base;
    return 0;
}

static int counter_apply(struct sink *snk, struct item *items, size_t count, struct err *e)
{
    (void)e;
    struct counter *counter = (struct counter *)snk;
    for (size_t i = 0; i < count; i++) {
        metric_add(&counter->stats.by_op[items[i].chg->op], 1);
        items[i].verdict = V_DONE;
    }
    return 0;
}

static const void *counter_stats(const struct sink *snk)
{
    return &((const struct counter *)snk)->stats;
}

static void counter_close(struct sink *snk)
{
    free(snk);
}

const struct sink_ops sink_counter = {
    .kind = "counter",
    .flags = SINK_CAN_SWEEP,
    .metrics = counter_metrics,
    .open = counter_open,
    .apply = counter_apply,
    .stats = counter_stats,
    .close = counter_close,
};
