/* The one runner of sinks: reads lanes in batches, binds, applies, retries, parks, acknowledges. Either `workers`
 * threads per sink, worker w taking lanes l with l mod workers = w, or inline in the source thread (workers 0): one
 * code.
 *
 * A batch takes what is there, at most batch_rows rows or batch_bytes. A change gives one item per route of its table
 * that leads to the sink; the worst verdict counts. RETRY of an item parks its key: its items stay in the lane, other
 * keys go on, with `parked_max` keys or `pinned_bytes` behind the oldest the lane is not read further. Acknowledged =
 * everything before the oldest parked item. A failed batch (sink down) closes the sink, backs off, opens it and is
 * applied again. A change with a POISON item and no RETRY goes to the store for dead letters and counts as done; later
 * changes of its key go on. Without a store POISON stops. With SINK_KEEPS_POSITION nothing is parked: any
 * RETRY sets the lanes back to what is acknowledged, which is what is committed; see keeping.h.
 *
 * Threads: new, check, start, stop, join and free by one thread; wake, idle and the stats by any. */
#ifndef SLUICE_SINK_RUNNER_H
#define SLUICE_SINK_RUNNER_H

#include "partition/lane.h"
#include "partition/route.h"
#include "sink/sink.h"

#define RUNNER_BATCH_ROWS  4096
#define RUNNER_BATCH_BYTES (1024 * 1024)
#define RUNNER_PARKED_MAX  1024
#define RUNNER_WORKERS_MAX 64

struct runner;

/* Where changes are kept that a sink refuses for good. */
struct dead_store {
    /* 0: the change is durable there, and counts as done for the sink. RETRY class: not yet; it comes again after a
     * backoff, maybe one that is there already. All else ends the worker. `why` is the sink's. Called by the threads of
     * all workers. */
    int (*put)(void *ctx, const char *sink, const struct change *chg, const struct err *why, struct err *e);
    void *ctx;
};

/* Figures of one sink's workers, summed by the printer. Each worker has its own copy; one writer. */
struct runner_stats {
    _Atomic uint64_t rows_total; /* items applied (done) */
    _Atomic uint64_t batches_total;
    _Atomic uint64_t retries_total;      /* batches or items that had to be applied again */
    _Atomic uint64_t dead_letters_total; /* items refused for good, in the store */
    _Atomic uint64_t parked;             /* keys parked now */
    _Atomic uint64_t down;               /* 1 while the sink cannot be reached */
    _Atomic uint64_t last_commit_us;     /* commit time of the last applied change */
};
extern const struct metric_row runner_metrics[];

struct runner_options {
    const struct sink_ops *ops;
    const void *options; /* filled struct of ops->options */
    const char *name;    /* of the sink in the configuration, for errors */
    unsigned sink;       /* its index in the lanes */
    unsigned workers;    /* 0: inline */
    unsigned needs;      /* enum format_need, of runner_needs */
    unsigned batch_rows; /* 0: default */
    size_t batch_bytes;
    unsigned parked_max;
    size_t pinned_bytes;                     /* half of a lane's share of the pool; 0: 8 batches */
    unsigned backoff_min_ms, backoff_max_ms; /* 0: 50, 5000 */
    struct lanes *lanes;
    const struct routes *routes;
    const struct env *env;
    const struct dead_store *dead; /* NULL: what is refused for good stops */
    uint64_t reader;               /* as of struct sink_place */
    enum sink_purpose purpose;     /* likewise */
    const struct sink_witness *witness;
    /* Called by a worker thread when a state changes that somebody must hear of: the sink went down (e of RETRY class),
     * came back (e NULL), or a worker ended for good (fatal; the pipeline must stop). Must not call the runner. */
    void (*notify)(void *ctx, struct runner *runner, const struct err *e, bool fatal);
    /* SINK_KEEPS_POSITION: copies the last boundary that is safe for the sink into `out` (initialised), which is stored
     * with the next commit: 1, or 0 when it is the same as in `out`; by a worker thread. NULL: none is known. */
    int (*boundary)(void *ctx, unsigned sink, struct position *out, struct err *e);
    void *ctx;
};

/* What the routes of a sink ask of the reader beside rows: enum format_need. */
unsigned runner_needs(const struct sink_ops *ops, unsigned sink, const struct routes *routes);

/* Makes the workers' state and checks the options and the templates of all routes as far as that goes without a table;
 * no thread, no I/O. Errors: NO_MEMORY, USAGE, those of the sink's check, bind and can_sweep. `opt` is copied. */
int runner_new(struct runner **out, const struct runner_options *opt, struct err *e);

/* Binds every route of this sink that matches `tbl`: a missing column is told now, with the route's line. Any time
 * before start. */
int runner_check(struct runner *runner, const struct table *tbl, struct err *e);

/* SINK_KEEPS_POSITION: opens the sink and takes what it stored last, so that changes which are written already are not
 * given to it again: 1 and the boundary in `out` (initialised), or 0 when there is none. With `forget` what is stored
 * is replaced by the boundary `at` alone (NULL: none), as a person wants it: 0. Before start and the first step; after
 * a RETRY it may be called again. */
int runner_load(struct runner *runner, bool forget, const struct position *at, struct position *out, struct err *e);

/* Starts the threads (not for inline), with all signals blocked. Errors: NO_MEMORY (a thread cannot be made). */
int runner_start(struct runner *runner, struct err *e);

/* Inline: applies what is published until nothing is left. A RETRY class comes out when the sink is down, or at the end
 * when keys are parked (SINK_PARKED): the caller waits as it likes and calls again, which tries them all again. The
 * source thread must not be one that SIGPIPE kills. */
int runner_step(struct runner *runner, struct err *e);

/* The lanes' wake_worker for this sink: any thread. */
void runner_wake(struct runner *runner, unsigned lane);

/* Tells the threads to end: with drain after everything published is acknowledged or the sink is down, without before
 * the next batch. A backoff is cut; a call into the sink ends by the sink's own timeouts. May be called again to end a
 * drain. runner_join waits for them. */
void runner_stop(struct runner *runner, bool drain);
void runner_join(struct runner *runner);

/* True while a worker thread has not left its loop: runner_join would wait for it. */
bool runner_running(const struct runner *runner);

/* True when every published item is acknowledged. */
bool runner_idle(const struct runner *runner);

/* The stats of worker w < runner_workers (inline: 1). */
unsigned runner_workers(const struct runner *runner);
const struct runner_stats *runner_worker_stats(const struct runner *runner, unsigned worker);
/* The figures of the worker's sink instance for ops->metrics, or NULL; inline or after runner_join. */
const void *runner_sink_stats(const struct runner *runner, unsigned worker);

const char *runner_name(const struct runner *runner);

void runner_free(struct runner *runner); /* after join; accepts NULL */

#endif
