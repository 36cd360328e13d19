/* The table of epochs and its log in the state. Private to pipeline/; the source thread's.
 *
 * The line that begins an epoch is stored before anything of the epoch is published; how far an epoch has come only
 * now and then, since after a crash the checkpoint tells it (epochs_extend). */
#ifndef SLUICE_PIPELINE_EPOCH_LOG_H
#define SLUICE_PIPELINE_EPOCH_LOG_H

#include "pipeline/checkpoint.h"
#include "position/epoch.h"

#define EPOCH_LOG_NAME      "epochs"
#define EPOCH_LOG_LINES_MIN 1000 /* below this the log is never rewritten */

struct epoch_log_options {
    struct state *state; /* NULL: nothing is known and nothing stored */
    bool write;          /* else the table is frozen: a replay beside a service whose state this is */
    enum flavor flavor;
    const struct checkpoint *begin; /* with `write`: where the sinks stand; not empty */
};

struct epoch_log {
    struct epochs *epochs; /* NULL until opened */
    struct state *state;   /* where lines are stored; NULL: nowhere */
    size_t lines;          /* in the log */
    size_t limit;          /* more lines than this may be worth a rewriting */
};

/* Reads the table and extends it by the checkpoint; with `write` a position reset is carried out, an empty table begins
 * at the oldest position, and a log that has grown is rewritten. *log is untouched on failure. Errors: of the state,
 * STATE_CORRUPT, NO_MEMORY, LIMIT. */
int epoch_log_open(struct epoch_log *log, const struct epoch_log_options *opt, struct err *e)
    __attribute__((warn_unused_result));
void epoch_log_release(struct epoch_log *log);

/* The epoch and sequence of a transaction; what must be durable before it is published is so on return. */
int epoch_log_assign(struct epoch_log *log, const struct epoch_tx *tx, struct version *out, struct err *e)
    __attribute__((warn_unused_result));

/* What is read from now on is new, whatever its numbers are; durable on return. Opened or not. */
int epoch_log_reset(struct epoch_log *log, struct state *state, struct err *e) __attribute__((warn_unused_result));

/* Stores how far the newest epoch has come; rewrites a log that has grown. */
int epoch_log_progress(struct epoch_log *log, struct err *e) __attribute__((warn_unused_result));

#endif
