/* Epochs: stretches of the log with one writer and rising numbers, so that (epoch, sequence) rises in log order
 * whatever server writes. DESIGN: docs/architecture.md "Version". Core: no I/O; the pipeline stores what epochs_assign
 * hands out before the epoch's first change is published. One thread (the source's).
 *
 * A new epoch begins when the writer (UUID and tag, or domain) differs from the transaction before, its number does not
 * rise, or the log was reset; epoch = max(previous + 1, Unix second of that transaction). Sequence = the transaction's
 * number, or without GTIDs (and after more than EPOCHS_PER_HOUR_MAX new epochs in an hour of log time, for good)
 * filepos_sequence of its begin. In position mode a change of server begins an epoch. */
#ifndef SLUICE_POSITION_EPOCH_H
#define SLUICE_POSITION_EPOCH_H

#include "position/position.h"
#include "position/version.h"

#define EPOCHS_PER_HOUR_MAX 100

enum epoch_numbering { EPOCH_BY_NUMBER, EPOCH_BY_POSITION };

/* One transaction as epochs_assign needs it. */
struct epoch_tx {
    struct gtid gtid;        /* none: numbered by position */
    struct filepos at;       /* begin of the transaction */
    const char *server_uuid; /* whose file `at` names */
    int64_t commit_us;       /* Unix time of the commit, µs */
};

struct epochs;

struct epochs *epochs_new(enum flavor flavor);
void epochs_free(struct epochs *epochs);

/* The epoch and sequence of a transaction. When it begins a new epoch, *record receives one line for the epoch log
 * (borrowed until the next call; NULL otherwise), which must be durable before anything of the transaction is
 * published. Transactions inside a recorded epoch (a replay, a restart) get that epoch again, looked up by GTID (exact
 * set per epoch) or by server and position. Errors: NO_MEMORY; EPOCH_OTHER_SERVER when a position-numbered epoch is
 * replayed from another server. */
int epochs_assign(struct epochs *epochs, const struct epoch_tx *tx, struct version *out, const char **record,
                  struct err *e);

/* Feeds one stored line back, in order, before the first assign. Errors: STATE_CORRUPT, NO_MEMORY. */
int epochs_load(struct epochs *epochs, const char *record, size_t len, struct err *e);

/* Read-only (replay beside a service): a transaction that no recorded epoch covers is epoch 0, numbered by position. */
void epochs_freeze(struct epochs *epochs);

/* Tells which GTIDs the current epoch has seen, so that its exact set is known after a restart: one line for the epoch
 * log, written by the keeper with (not after) each checkpoint; NULL when nothing changed. Borrowed until the next call.
 */
const char *epochs_progress(struct epochs *epochs);

#endif
