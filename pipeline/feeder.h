/* The source thread's loop: rowsets from the source become items in the lanes. Private to pipeline/.
 *
 * It alone calls the source, the epochs and the source's side of the lanes. Everything that other threads read of it is
 * in struct feeder_stats. */
#ifndef SLUICE_PIPELINE_FEEDER_H
#define SLUICE_PIPELINE_FEEDER_H

#include "base/metric.h"
#include "partition/lane.h"
#include "pipeline/checkpoint.h"
#include "pipeline/pipeline.h"
#include "pipeline/wakeup.h"
#include "position/epoch.h"
#include "sink/runner.h"
#include "state/state.h"

struct feeder_stats {
    _Atomic uint64_t rows_total;
    _Atomic uint64_t transactions_total;
    _Atomic uint64_t reconnects_total;
    _Atomic uint64_t unfollowed_total;
    _Atomic uint64_t superseded_total;    /* applier: records of readers that were followed by another */
    _Atomic uint64_t dead_letters_total;  /* applier: records that could not be read */
    _Atomic uint64_t bodies_parsed_total; /* applier: records whose headers were not enough */
    _Atomic uint64_t heard_us;            /* monotonic time of the last rowset */
    _Atomic uint64_t read_commit_us;      /* commit time of the last transaction that was read whole */
    _Atomic uint64_t up;                  /* 1 while connected */
    _Atomic uint64_t held;                /* prepared XA transactions that the source keeps */
    _Atomic uint64_t held_bytes;
    _Atomic uint64_t partitions; /* of an applier: those that it reads */
    _Atomic uint64_t rebalances_total;
};

struct feeder_options {
    const struct env *env;
    struct source *source;
    const struct routes *routes;
    struct lanes *lanes;
    struct runner *const *inline_runners; /* stepped after each publication; NULL-terminated; empty with threads */
    const struct pipeline_sink *sinks;
    unsigned sink_count;
    bool in_order;                  /* one lane, and no sink puts items off: what moves its key waits for nothing */
    uint32_t mark_sinks;            /* of them, those that ask for the begin and end of transactions */
    uint32_t statement_sinks;       /* likewise, for statements */
    uint32_t bound_sinks;           /* those that tell the bounds of their transactions: SINK_TELLS_BOUNDS */
    const struct checkpoint *begin; /* where each sink stands: transactions before are not for it; never changes */
    struct state *epoch_state;      /* where epochs are read from; NULL: all is epoch 0 */
    bool epoch_write;               /* … and stored; else the table is only looked up */
    /* Transactions that were read count as unread from now on (on_lost_transactions: continue): when this returns 0,
     * all that was read is applied and every sink's stored position is `kept`. Waits for the keeper. Errors:
     * INTERRUPTED. */
    int (*go_on_from)(void *ctx, const struct gtid_set *kept, struct err *e);
    /* The position that every sink has stored or left behind, into *out, when it is another than at the last call: 1;
     * else 0. Errors: NO_MEMORY. */
    int (*stored)(void *ctx, struct position *out, struct err *e);
    /* Whether the sinks' routes still fit a table that a row of the log has in a new form: pipeline_check. */
    int (*check)(void *ctx, const struct table *tbl, struct err *e);
    void *ctx;
    struct wakeup *keeper; /* rung when the ring of boundaries is full */
};

struct feeder;

int feeder_new(struct feeder **out, const struct feeder_options *opt, struct err *e);
void feeder_free(struct feeder *feeder);

/* Reads until the end (0), until feeder_stop (0), or an error. Everything complete is published on return. */
int feeder_run(struct feeder *feeder, struct err *e);

/* Any thread: feeder_run returns soon, without the open transaction. */
void feeder_stop(struct feeder *feeder);

/* Any thread: lanes or ring have room again. */
void feeder_wake(struct feeder *feeder);

const struct feeder_stats *feeder_figures(const struct feeder *feeder);

#endif
