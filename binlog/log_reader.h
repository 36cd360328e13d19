/* The state machine between whole events and rowsets, shared by the stream and the file source.
 *
 * It is fed one event after the other, in the order of the log, and hands out at most one rowset for each (see
 * change/source.h for kinds and order). It keeps the current file and 64-bit position, the checksum state, the open
 * transaction, the table ids of the current statement, and the boundary: the end of the last complete transaction with
 * all GTIDs before it. A GTID enters the set at its commit only. Core: no I/O. One thread.
 *
 * What stops (with file:pos and a named reason): events that are unknown and not ignorable, encrypted files, an XA
 * COMMIT whose PREPARE was not read (unless on_unknown_xa says to note it), incidents, statements that changed rows
 * (unless on_statement says to note them), statements that name a wanted table and cannot be classified, rows whose
 * names are not certain, wrong checksums. */
#ifndef SLUICE_BINLOG_LOG_READER_H
#define SLUICE_BINLOG_LOG_READER_H

#include "binlog/event.h"
#include "binlog/spool.h"
#include "change/source.h"
#include "position/position.h"
#include "schema/schema.h"

enum on_statement { ON_STATEMENT_STOP, ON_STATEMENT_WARN };
enum on_unknown_xa { ON_UNKNOWN_XA_STOP, ON_UNKNOWN_XA_WARN };

/* All borrowed for the life of the reader. */
struct log_reader_options {
    const struct interest *interest;
    struct schema *schema;
    enum flavor flavor;       /* until the first FORMAT event says it */
    uint64_t max_event_bytes; /* 0: EVENT_BYTES_MAX */
    bool skip_checksums;      /* do not verify them (they are cut off all the same) */
    bool whole_files;         /* events come from the file itself: positions are counted, log_pos is not believed */
    const char *server_uuid;  /* whose files; NULL or "" = not known. log_reader_start takes a newer one */
    enum on_statement on_statement;
    bool statements;        /* rowsets of DDL carry what is to be shown of it */
    size_t query_max_bytes; /* rowsets carry the statement's text up to this; 0: none */
    enum on_unknown_xa on_unknown_xa;
    struct spool *spool; /* rows of prepared XA transactions; NULL: one of its own, in memory */
};

struct log_reader;

/* Errors: NO_MEMORY. */
int log_reader_new(struct log_reader **out, const struct log_reader_options *opt, struct err *e);
void log_reader_free(struct log_reader *reader); /* accepts NULL */

/* Begins at a boundary, for the first time or again after a lost connection: the open transaction, the table ids and
 * the checksum state are forgotten. at->at: where the next event begins (file "" when a ROTATE will tell); at->gtids:
 * what is before it, NULL = not known, then learnt from the next PREVIOUS_GTIDS or GTID_LIST at the head of a file.
 * Copied. Errors: NO_MEMORY. */
int log_reader_start(struct log_reader *reader, const struct position *at, struct err *e);

/* Goes to a boundary in the current file, between transactions; the layout that the FORMAT event told stays. */
void log_reader_seek(struct log_reader *reader, uint64_t pos);

/* Until the next start only what changes definitions is followed: rows are passed over, whatever their tables; what is
 * prepared is not kept; changes by statement and incidents do not stop. Transactions, DDL and marks come as ever.
 * Between transactions; a start ends it. */
void log_reader_scan(struct log_reader *reader, bool on);

/* Takes over `set` as what is before the boundary; between transactions and when no set is known, else it is freed. */
void log_reader_learn(struct log_reader *reader, struct gtid_set *set);

enum log_reader_result {
    LOG_READER_NONE = 0,   /* nothing to hand out */
    LOG_READER_ROWSET = 1, /* *out, which borrows from the event and the reader until the next call */
    LOG_READER_AGAIN = 2,  /* *out as well; then the same event must be fed once more */
    LOG_READER_MORE = 3    /* nothing to hand out yet: the same event must be fed once more */
};

/* Takes one whole event (header, body, checksum). An event that is fed once more has the same bytes, at any address. A
 * compressed transaction gives one of its events at a time, all of them at the transaction's begin; the end of an XA
 * transaction gives all that was prepared. Errors: CORRUPT, EVENT_UNKNOWN, FILE_ENCRYPTED, INCIDENT, STATEMENT_DML,
 * DDL_UNKNOWN, XA_UNKNOWN, XA_LEFT_OUT, the spool's, the schema's, LIMIT, NO_MEMORY; wrapped with file:pos. After an
 * error only log_reader_start and _free may be called. */
int log_reader_feed(struct log_reader *reader, const uint8_t *event, size_t len, struct rowset *out, struct err *e);

/* After a DDL rowset, before the next event: has the definitions read that the statement leaves unknown (no effect
 * without a schema reader). Errors: the schema reader's, the history's. */
int log_reader_refresh(struct log_reader *reader, struct err *e);

/* End of the last complete transaction (or of what log_reader_start said, moved on by events between transactions).
 * gtids NULL: not known. Borrowed, changes with the next feed. */
const struct position *log_reader_boundary(const struct log_reader *reader);

/* Where the next event begins. */
const struct filepos *log_reader_at(const struct log_reader *reader);

bool log_reader_in_transaction(const struct log_reader *reader);

/* The events have come to an end: 1 and a ROLLBACK in *out when that leaves an open transaction, else 0. */
int log_reader_abandon(struct log_reader *reader, struct rowset *out);

/* The last event was the ROTATE or STOP that ends a file. */
bool log_reader_file_ended(const struct log_reader *reader);

/* NULL before the first FORMAT event. */
const struct event_format *log_reader_format(const struct log_reader *reader);

#endif
