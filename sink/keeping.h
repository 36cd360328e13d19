/* A worker of a sink that keeps its own position: what it has applied and not committed, and the marks that go with it.
 *
 * Applied batches are committed together: when the oldest of them has waited commit_ms, when they hold COMMIT_BYTES or
 * half the pool, when nothing can be read before they are acknowledged, and at the end. Nothing of them is acknowledged
 * before. When the lanes are idle, marks go alone from time to time, so that the boundary does not fall behind what the
 * server still has. */
#ifndef SLUICE_SINK_KEEPING_H
#define SLUICE_SINK_KEEPING_H

#include "sink/marks.h"

struct worker;

struct keeping {
    struct marks loaded;    /* what was written before the start: not given to the sink again */
    struct marks committed; /* as the sink stored them last, without the boundary */
    struct marks next;      /* those of the next commit */
    bool is_open;           /* something is applied and not committed */
    bool is_asked;          /* the outcome of a commit is not known: it comes again, unless must_renew */
    bool must_renew;        /* the instance is gone: another one's marks tell what stands */
    bool told;              /* that another server sends the newest transaction */
    size_t bytes;           /* of what is applied and not committed */
    uint64_t rows, last_commit_us;
    int64_t due_us;       /* monotonic; when it is committed */
    int64_t committed_us; /* the last commit */
    unsigned commit_ms;
};

int keeping_init(struct worker *worker, struct err *e);
void keeping_release(struct keeping *keeping);

/* Opens the sink and takes its marks as loaded: 1, or 0 when it has none. With `forget` what it has is replaced by
 * marks of nothing but the boundary `at` (NULL: no boundary either): 0. Before the first round. Errors: those of open,
 * load and commit; after RETRY it may be called again. */
int keeping_load(struct worker *worker, bool forget, const struct position *at, struct err *e);

/* Opens another instance and looks at what stands: the last commit, then it is acknowledged, or nothing since the one
 * before, then the worker reads again: worker_rewind. Errors: those of open and load, MARKS_OTHERS. */
int keeping_renew(struct worker *worker, struct err *e);

/* True when the change is written already. */
bool keeping_covers(struct worker *worker, const struct change *chg);

/* The batch is applied: its verdicts are looked at and its changes noted. Errors: SINK_PARKED (RETRY) when one is to be
 * applied again, SINK_STOP, SINK_POISON. */
int keeping_applied(struct worker *worker, struct err *e);

/* Commits what is open when it is due, or `now`; what is acknowledged by it is acknowledged. Errors: of the sink's
 * commit; after SINK_DOWN (RETRY) the outcome is open: call it again; SINK_ABORTED (RETRY): nothing stands. */
int keeping_commit(struct worker *worker, bool now, struct err *e);

/* Nothing can be read: commits the marks alone when the boundary has moved and that is due, or `now`. */
int keeping_idle(struct worker *worker, bool now, struct err *e);

/* Nothing stands of what is open: it will be read again. */
void keeping_void(struct worker *worker);

/* When keeping_commit or keeping_idle has something to do, monotonic; INT64_MAX: not before something is read. */
int64_t keeping_due(const struct worker *worker);

#endif
