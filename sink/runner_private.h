/* The runner's own state, seen by runner.c and loop.c. */
#ifndef SLUICE_SINK_RUNNER_PRIVATE_H
#define SLUICE_SINK_RUNNER_PRIVATE_H

#include <pthread.h>

#include "sink/worker.h"

enum stop_kind { STOP_NOT, STOP_DRAIN, STOP_NOW };

struct runner {
    struct runner_options opt;
    _Atomic int stop;         /* enum stop_kind */
    _Atomic unsigned down;    /* workers whose sink cannot be reached: the first and the last are told */
    _Atomic unsigned running; /* threads that have not left their loop */
    unsigned started;         /* threads */
    unsigned worker_count;
    pthread_t *threads;
    struct worker *workers;
};

/* A worker's thread, from its first round to its end. */
void *loop_run(void *worker);

#endif
