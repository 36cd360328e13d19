/* One worker of a runner: its sink instance, its lanes, its batch. All functions run in the worker's thread (inline:
 * the source thread).
 *
 * A round is gather → apply → settle:
 *   gather   parked keys that are due, then its lanes in turn, until the batch is full or nothing is there
 *   apply    the sink gives each item its verdict, or the whole batch fails: then it stays and the next round applies
 *            it again
 *   settle   refused items are parked, the others done; each lane is acknowledged up to its oldest parked item */
#ifndef SLUICE_SINK_WORKER_H
#define SLUICE_SINK_WORKER_H

#include "sink/binding.h"
#include "sink/keeping.h"
#include "sink/parking.h"

/* Items a worker holds parked at most (a view of about 200 bytes each); then it reads no further. */
#define WORKER_PARKED_ITEMS_MAX 16384

/* Rows of one event that a batch takes beyond its own limit, for sinks that need events whole. */
#define WORKER_EVENT_ROWS 8192

/* One change of a batch; its items (one per route) are items[first … first + count - 1]. */
struct entry {
    struct lane_item item; /* not used when it was parked */
    struct parked *parked; /* tried again, else NULL */
    uint64_t bytes_before;
    unsigned lane;
    unsigned first, count;
    bool held;    /* behind a parked key: not given to the sink */
    bool is_dead; /* in the store for dead letters; kept while its key is parked */
};

struct batch {
    struct entry *entries;
    struct item *items;
    size_t entry_count, entry_max;
    size_t rows_max; /* a batch ends with so many; inside of an event that must come whole, with entry_max */
    size_t item_count, item_max;
    size_t bytes;
    size_t seen; /* items read from lanes, also those of other sinks */
    bool has_truncate;
    bool is_open; /* gathered and not yet settled */
};

struct worker_lane {
    uint64_t read_to; /* last ordinal read */
    uint64_t acked;
    uint64_t bytes_read; /* ever */
    bool touched;        /* by the batch */
    bool held;           /* not read: too much of it is parked */
    bool in_event;       /* the row that was read last is not the last of its event */
};

struct worker {
    _Alignas(64) struct runner_stats stats; /* on cache lines of its own */
    struct runner *runner;
    const struct runner_options *opt;
    unsigned number, workers;
    struct sink *snk;
    struct bindings bindings;
    struct parking parking;
    struct batch batch;
    struct worker_lane *lanes;
    unsigned lane_count, lane_turn;
    bool blocked;      /* the last gather met a ticket */
    bool stalled;      /* the last gather left a lane alone because too much is parked */
    bool whole_events; /* a batch does not end inside of an event, see WORKER_EVENT_ROWS */
    bool force_due;    /* inline: the caller's step is the backoff, no clock is asked */
    bool keeps;        /* SINK_KEEPS_POSITION */
    struct keeping keeping;
    int64_t tend_us; /* when the sink has something to do by itself; INT64_MAX: not before a batch */
    int wake_fd;
};

int worker_init(struct worker *worker, struct runner *runner, const struct runner_options *opt, unsigned number,
                struct err *e);
void worker_release(struct worker *worker);

/* The lane of the worker's own number. */
static inline unsigned worker_lane_of(const struct worker *worker, unsigned own)
{
    return worker->number + own * worker->workers;
}

/* 1: something was done; 0: nothing is there; negative: RETRY class (the sink is closed, the batch stays for the next
 * round), or what ends the worker. */
int worker_round(struct worker *worker, struct err *e);

/* The sink is open on return. Errors: those of open. */
int worker_open(struct worker *worker, struct err *e);

/* Nothing that is not acknowledged stands: the lanes are read again from there. KEEPS_POSITION. */
void worker_rewind(struct worker *worker);

/* What waits for a commit is committed, also a boundary alone; no more is there to be read. 0, or an error as of a
 * round. */
int worker_finish(struct worker *worker, struct err *e);

/* When the worker has something to do though nothing is read: monotonic, INT64_MAX: nothing. */
int64_t worker_due(const struct worker *worker);

/* Nothing is parked, no ticket awaited, nothing left open: what the worker saw is done. */
bool worker_is_clear(const struct worker *worker);

/* burying.c: items that the sink refused for good, when none of the batch stops it: their changes go to the store, and
 * the items are done; beside an item to be tried again they are to be tried again too. With KEEPS_POSITION a batch with
 * an item to be tried again comes again as a whole, so nothing of it goes to the store. Without a store nothing
 * happens. Errors: the store's. */
int batch_bury(struct worker *worker, struct err *e);

/* batch.c */
int batch_gather(struct worker *worker, struct err *e);
int batch_settle(struct worker *worker, struct err *e);
void batch_rewind(struct worker *worker);

/* 0 when every verdict is done; SINK_PARKED (RETRY) when one is to be applied again; SINK_STOP, SINK_POISON. */
int batch_judge(struct worker *worker, struct err *e);

/* What was read of the lanes is done, but for what is parked. */
void batch_acknowledge(struct worker *worker);

#endif
