/* Epochs: stretches of the log with one writer and rising numbers, so that (epoch, sequence) rises in log order
 * whatever server writes. DESIGN: docs/architecture.md "Version". Core: no I/O; the pipeline stores what epochs_assign
 * hands out before the epoch's first change is published. One thread (the source's).
 *
 * A new epoch begins when the writer (UUID and tag, or domain) differs from the transaction before, its number does not
 * rise, or the log was reset; epoch = max(previous + 1, Unix second of that transaction). Sequence = the transaction's
 * number, or without GTIDs (and after more than EPOCHS_PER_HOUR_MAX new epochs in an hour of log time, for good)
 * filepos_sequence of its begin. In position mode a change of server begins an epoch.
 *
 * A GTID belongs to exactly one epoch (since the last reset): the table keeps the exact set of each. Lines handed out
 * are stored in the order in which they were handed out, each before the next is asked for: the line that begins an
 * epoch also completes the set of the one before. */
#ifndef SLUICE_POSITION_EPOCH_H
#define SLUICE_POSITION_EPOCH_H

#include "position/position.h"
#include "position/version.h"

#define EPOCHS_PER_HOUR_MAX      100
#define EPOCH_LINES_PER_HOUR_MAX 1000 /* of log time, beside those that begin epochs */
#define EPOCHS_MAX               1000000

/* One transaction as epochs_assign needs it. Every transaction of the log is handed in, in log order, also those
 * without a routed row. */
struct epoch_tx {
    struct gtid gtid;        /* none: numbered by position */
    struct filepos at;       /* begin of the transaction */
    const char *server_uuid; /* whose file `at` names */
    int64_t commit_us;       /* Unix time of the commit, µs */
};

struct epochs;

/* NULL without memory; free accepts NULL. */
struct epochs *epochs_new(enum flavor flavor);
void epochs_free(struct epochs *epochs);

/* The epoch and sequence of a transaction (row 0). *record receives one line for the epoch log (borrowed until the next
 * call; NULL when there is none), which must be durable before anything of the transaction is published. Transactions
 * inside a recorded epoch (a replay, a restart, a transaction read again after a reconnect) get that epoch again,
 * looked up by GTID or, without one, by server and position. Going on in the current epoch searches nothing; it hands
 * out a line only on MariaDB, where the numbers do not go on one by one from one server. Errors:
 * NO_MEMORY; LIMIT (EPOCHS_MAX); CORRUPT (a number beyond 2^63-2); BUG (GTID of the other flavour); EPOCH_OTHER_SERVER
 * when a position-numbered epoch is replayed from another server. */
int epochs_assign(struct epochs *epochs, const struct epoch_tx *tx, struct version *out, const char **record,
                  struct err *e);

/* Feeds one stored line back, in order, before the first assign. Errors: STATE_CORRUPT. */
int epochs_load(struct epochs *epochs, const char *record, size_t len, struct err *e);

/* Where an empty table begins: transactions before `start` (in its GTID set, or before its place on its server) are
 * older than the table and will be epoch 0, numbered by position on the one server that the first of them names.
 * Ignored when the table is not empty (*record NULL). Errors: NO_MEMORY. */
int epochs_begin(struct epochs *epochs, const struct position *start, const char **record, struct err *e);

/* The log was reset, or lost transactions were accepted: what is read from now on is new, even where its GTIDs and
 * places are recorded. The next transaction begins an epoch; older epochs are never looked up again. *record must be
 * durable before it. Errors: NO_MEMORY. */
int epochs_reset(struct epochs *epochs, const char **record, struct err *e);

/* The table is lost, and `newest` is the highest epoch that was published: an empty table goes on behind it, as after
 * epochs_reset. Errors: NO_MEMORY. */
int epochs_resume(struct epochs *epochs, uint32_t newest, const char **record, struct err *e);

/* Read-only (replay beside a service): a transaction that no recorded epoch covers is epoch 0, numbered by position.
 * The first such hands out a line that names its server, for the replay's own log. */
void epochs_freeze(struct epochs *epochs);

/* After the last load, also of a frozen table: every transaction up to `upto` that no line covers belongs to the newest
 * epoch, since each epoch's begin was durable before anything of it was published. `upto` is where a sink had come when
 * the service ended; called once for each such position. Not when the table is empty or was reset just now. What it
 * adds is told by the next epochs_progress.
 *
 * Exact for MySQL's GTIDs, for MariaDB's up to EPOCH_LINES_PER_HOUR_MAX gaps an hour (then what lies in the gaps counts
 * as seen), and for epochs numbered by position on their own server. A position without GTIDs tells nothing about an
 * epoch numbered by GTID. Errors: NO_MEMORY, LIMIT. */
int epochs_extend(struct epochs *epochs, const struct position *upto, struct err *e);

/* Tells which GTIDs and places the current epoch has seen since the last line: one line for the epoch log, NULL when
 * nothing changed. Stored rarely by whoever assigns, and at an orderly end: after a crash the checkpoint tells the rest
 * (epochs_extend). Borrowed until the next call; without memory it is NULL too and the next call tells all. */
const char *epochs_progress(struct epochs *epochs);

/* True once after the numbering became log position for good: worth one log line. Not after epochs_load. */
bool epochs_take_switch(struct epochs *epochs);

/* The whole table as few lines, to compact the epoch log: line `index` from 0, NULL behind the last one (and, with
 * *failed set, without memory: keep the old log then). Borrowed until the next call. */
const char *epochs_line(struct epochs *epochs, size_t index, bool *failed);

#endif
