/* The pipeline's own struct, shared by pipeline.c (parts and threads), keeper.c (the main loop) and figures.c (what is
 * seen). */
#ifndef SLUICE_PIPELINE_PIPELINE_PRIVATE_H
#define SLUICE_PIPELINE_PIPELINE_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "pipeline/applier.h"
#include "pipeline/dead_items.h"
#include "pipeline/dead_log.h"
#include "pipeline/feeder.h"
#include "pipeline/past.h"
#include "pipeline/pipeline.h"

struct pipeline {
    struct pipeline_spec spec;
    struct lanes *lanes;
    struct runner **runners;  /* sink_count, then NULL */
    struct runner *no_runner; /* an empty list for the feeder */
    bool all_inline;
    unsigned started_runners; /* read after the source thread was joined */
    struct wakeup wake;       /* the keeper's bell */
    struct wakeup open_wake;  /* cuts the pause between two tries to open the source */

    pthread_t source_thread;
    bool source_started;
    atomic_bool opened; /* feeder and positions are there */
    atomic_bool source_done;
    atomic_bool stopping;
    struct err source_err; /* read after source_done */
    struct feeder *feeder;
    struct dead_items *dead;   /* of an applier; NULL: what a sink refuses for good stops */
    struct dead_log *dead_log; /* of sinks with keeps_dead; NULL: there are none */
    struct applier *applier;   /* in the feeder's place; made with the pipeline */

    _Atomic(const struct gtid_set *) go_on_from; /* asked by the feeder, which waits; NULL again when it is done */

    /* What the source may forget: the oldest position of the checkpoint that was stored last. */
    pthread_mutex_t stored_lock;
    struct position stored;
    bool stored_is_new; /* the feeder has not asked for it */

    struct past *past; /* NULL: no sink has a server that may come back */

    struct position *boundaries; /* by sink, what a sink that keeps its position stores next; under stored_lock; NULL:
                                    there is no such sink */

    pthread_mutex_t fatal_lock;
    struct err fatal; /* first fatal error of a worker */

    /* keeper */
    struct checkpoint positions; /* one entry per sink, in the order of the spec; what was stored last is not newer */
    struct checkpoint begin;     /* as loaded or as the source began; never changes after `opened` */
    uint64_t *safe;              /* per sink, previous result of ledger_safe */
    bool moved;                  /* positions are newer than what is stored */
    bool store_fails;            /* the state could not be reached the last time */
    bool signalled;
    int64_t started_us;
    int64_t stop_deadline_us;
    uint64_t figures_rows; /* at the last figures line */
    int64_t figures_us;
};

/* Threads: workers and source begin; on failure those that run are ended by the caller's wind-up. */
int pipeline_start(struct pipeline *pipe, struct err *e);

/* The source thread ends soon; any number of times. */
void pipeline_stop_source(struct pipeline *pipe);

/* Lanes or ring have room again, once `opened`. */
void pipeline_wake_source(struct pipeline *pipe);

/* The source thread's figures, once `opened`. */
const struct feeder_stats *pipeline_fed(const struct pipeline *pipe);

/* Whoever has stored `positions`: tells the source. Errors: NO_MEMORY. */
int pipeline_note_stored(struct pipeline *pipe, struct err *e);

/* Sinks that keep their own position (kept.c). init and release: the boundaries. note: the keeper's positions are what
 * is safe now. boundary: as runner_options wants it, any thread. load: before the source is opened, their marks are
 * loaded, and their positions take the place of the checkpoint's; brokers that are away are waited for. */
int kept_init(struct pipeline *pipe, struct err *e);
void kept_release(struct pipeline *pipe);
int kept_note(struct pipeline *pipe, struct err *e);
int kept_boundary(void *ctx, unsigned sink, struct position *out, struct err *e);
int kept_load(struct pipeline *pipe, struct err *e);

/* One log line of figures. */
void figures_line(struct pipeline *pipe);

#endif
