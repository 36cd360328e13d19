/* A sink that does what a test tells it and writes down what it was given. Any number of workers may use one
 * fault_plan; it outlives them. */
#ifndef SLUICE_TESTS_FAULT_SINK_H
#define SLUICE_TESTS_FAULT_SINK_H

#include <pthread.h>

#include "sink/sink.h"

/* One change that was done, in the order in which all workers did them. */
struct fault_record {
    int key; /* its text as a number; -1 for TRUNCATE */
    enum change_op op;
    unsigned flags;
    uint64_t row; /* of the version */
    const char *bind;
    size_t batch_items; /* of the apply that did it */
};

struct fault_plan {
    /* All may be NULL. `seen` counts this change's calls before, by version row, up to 255. */
    enum verdict (*judge)(void *ctx, const struct change *chg, unsigned seen);
    int (*before_open)(void *ctx, struct err *e);
    int (*before_apply)(void *ctx, size_t count, struct err *e);
    int (*load)(void *ctx, struct marks *out, struct err *e);
    int (*commit)(void *ctx, const struct marks *marks, struct err *e);
    void *ctx;
    unsigned commit_ms;
    bool judges_all; /* also what is behind a refused item of its key, which a sink should refuse too */

    pthread_mutex_t lock; /* of all below */
    struct fault_record *records;
    size_t count, size;
    uint8_t *seen; /* by version row */
    uint64_t seen_rows;
    unsigned opens, closes, applies;
    size_t uncommitted; /* records since the last commit (fault_sink_keeper) */
};

void fault_plan_init(struct fault_plan *plan, uint64_t rows);
void fault_plan_release(struct fault_plan *plan);

/* What ops->options points to. */
struct fault_options {
    struct fault_plan *plan;
};

extern const struct sink_ops fault_sink;        /* binds nothing */
extern const struct sink_ops fault_sink_bound;  /* bind = the route's options, which is a text */
extern const struct sink_ops fault_sink_keeper; /* KEEPS_POSITION: records of a batch vanish unless it is committed */

#endif
