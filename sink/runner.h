/* The one runner of sinks: reads lanes in batches, binds, applies, retries, parks, acknowledges. Either `workers`
 * threads per sink, worker w taking lanes l with l mod workers = w, or inline in the source thread (workers 0): one
 * code.
 *
 * A batch takes what is there, at most batch_rows rows or batch_bytes. RETRY of an item parks its key: its items stay
 * in the lane, other keys go on, with `parked_max` keys the lane is not read further. Acknowledged = everything before
 * the oldest parked item. A failed batch (sink down) backs off and is applied again. POISON stops while there is no
 * dead-letter store. */
#ifndef SLUICE_SINK_RUNNER_H
#define SLUICE_SINK_RUNNER_H

#include "partition/lane.h"
#include "partition/route.h"
#include "sink/sink.h"

#define RUNNER_BATCH_ROWS  4096
#define RUNNER_BATCH_BYTES (1024 * 1024)
#define RUNNER_PARKED_MAX  1024

struct runner;

/* Figures of one sink's workers, summed by the printer. Each worker has its own copy; one writer. */
struct runner_stats {
    _Atomic uint64_t rows_total; /* items applied (done) */
    _Atomic uint64_t batches_total;
    _Atomic uint64_t retries_total;  /* batches or items that had to be applied again */
    _Atomic uint64_t parked;         /* keys parked now */
    _Atomic uint64_t down;           /* 1 while the sink cannot be reached */
    _Atomic uint64_t last_commit_us; /* commit time of the last applied change */
};
extern const struct metric_row runner_metrics[];

struct runner_options {
    const struct sink_ops *ops;
    const void *options; /* filled struct of ops->options */
    const char *name;    /* of the sink in the configuration, for errors */
    unsigned sink;       /* its index in the lanes */
    unsigned workers;    /* 0: inline */
    unsigned batch_rows; /* 0: default */
    size_t batch_bytes;
    unsigned parked_max;
    unsigned backoff_min_ms, backoff_max_ms; /* 0: 50, 5000 */
    struct lanes *lanes;
    const struct routes *routes;
    const struct env *env;
    /* Called by a worker thread when a state changes that somebody must hear of: the sink went down (e of RETRY class),
     * came back (e NULL), or a worker ended for good (fatal; the pipeline must stop). Must not call the runner. */
    void (*notify)(void *ctx, struct runner *runner, const struct err *e, bool fatal);
    void *ctx;
};

/* Makes the workers' state; no thread, no I/O. Errors: NO_MEMORY, USAGE. */
int runner_new(struct runner **out, const struct runner_options *opt, struct err *e);

/* Binds every route of this sink that matches `tbl`: a missing column is told now. Any time before start. */
int runner_check(struct runner *runner, const struct table *tbl, struct err *e);

/* Starts the threads (not for inline). */
int runner_start(struct runner *runner, struct err *e);

/* Inline: applies what is published until nothing is left or the sink is down (RETRY class comes out). */
int runner_step(struct runner *runner, struct err *e);

/* The lanes' wake_worker for this sink: any thread. */
void runner_wake(struct runner *runner, unsigned lane);

/* Tells the threads to end: with drain after everything published is acknowledged or the sink is down, without at once
 * (a blocked connection attempt or backoff is cut). runner_join waits for them. */
void runner_stop(struct runner *runner, bool drain);
void runner_join(struct runner *runner);

/* True when every published item is acknowledged. */
bool runner_idle(const struct runner *runner);

/* The stats of worker w < runner_workers (inline: 1). */
unsigned runner_workers(const struct runner *runner);
const struct runner_stats *runner_worker_stats(const struct runner *runner, unsigned worker);
const char *runner_name(const struct runner *runner);

void runner_free(struct runner *runner); /* after join; accepts NULL */

#endif
