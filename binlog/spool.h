/* Rows whose end has not been read: those of prepared XA transactions, from XA PREPARE to XA COMMIT or XA ROLLBACK.
 *
 * They are kept as the events that came (TABLE_MAP, ROWS, and what tells about them; without header and checksum, each
 * with a CRC of ours), in a log of the state, so that a stored position may pass a PREPARE; without a state in memory.
 * One transaction at a time is *open*: its events come in one after the other, up to 1 MiB of them in memory, and
 * end with spool_prepare or spool_drop. Reading goes through one entry of the log at a time.
 *
 * What is held is that of a place in the log: spool_settle makes it exactly what is prepared and not resolved there.
 * What was prepared behind the place is forgotten, since it will be read again; what was resolved behind it is prepared
 * once more. Whether something lies behind a place is decided by its GTID where both have one, else by file and offset
 * of the same server.
 *
 * Rows that were resolved stay until the stored position is past that (spool_compact). The cap is on what is prepared
 * and open, without those. Core but for the state behind it. The source's thread. */
#ifndef SLUICE_BINLOG_SPOOL_H
#define SLUICE_BINLOG_SPOOL_H

#include "binlog/event.h"
#include "binlog/xid.h"
#include "position/position.h"
#include "state/state.h"

#define SPOOL_LOG         "xa" /* name of the log in the state */
#define SPOOL_BYTES       ((uint64_t)1 << 30)
#define SPOOL_PIECE_BYTES ((size_t)1 << 20)    /* of an open transaction in memory before it goes to the log */
#define SPOOL_DEAD_BYTES  ((uint64_t)16 << 20) /* what the log may hold for nothing before it is rewritten */
#define SPOOL_DEAD_MARKS  2048

struct spool;

struct spool_options {
    struct state *state; /* borrowed; NULL: in memory */
    uint64_t max_bytes;  /* xa_spool_bytes; 0: SPOOL_BYTES */
};

/* Where a transaction of the log (a PREPARE, or what resolved it) lies. */
struct spool_place {
    char file[FILEPOS_FILE_MAX + 1];
    uint64_t begin, end;
    struct gtid gtid; /* none without GTIDs */
    char server_uuid[SERVER_UUID_MAX + 1];
};

/* One event. */
struct spool_event {
    uint8_t type;
    bool left_out;    /* a ROWS event of a table that was not wanted: the first bytes only, which have its table id */
    uint32_t ordinal; /* of a ROWS event in its transaction */
    const uint8_t *body; /* between header and checksum */
    size_t len;
};

/* Nothing is read yet. Errors: NO_MEMORY. */
int spool_new(struct spool **out, const struct spool_options *opt, struct err *e);
void spool_free(struct spool *spool); /* accepts NULL */

/* Goes to a boundary, for the first time or again: see above. An open transaction is dropped. Errors: the state's,
 * STATE_VERSION, NO_MEMORY. */
int spool_settle(struct spool *spool, const struct position *at, struct err *e);

/* An open transaction: begun (the one before is dropped), given events, and dropped. `format` is the layout of its
 * events. Errors: XA_SPOOL_FULL, the state's, NO_MEMORY. */
int spool_begin(struct spool *spool, const struct event_format *format, struct err *e);
int spool_add(struct spool *spool, const struct spool_event *event, struct err *e);
void spool_drop(struct spool *spool);

/* The open transaction is prepared: durable on return. */
int spool_prepare(struct spool *spool, const struct xid *xid, const struct spool_place *place, struct err *e);

/* Whether one is prepared; where, in *prepared, when that is not NULL. */
bool spool_find(const struct spool *spool, const struct xid *xid, struct spool_place *prepared);

/* Begins to read a prepared transaction, or with NULL the open one; *format is the layout of its events. BUG when there
 * is none. */
int spool_rewind(struct spool *spool, const struct xid *xid, struct event_format *format, struct err *e);

/* The next event, in the order in which they came: 1, borrowed until the next call; 0 at the end. Errors:
 * STATE_CORRUPT, the state's. */
int spool_next(struct spool *spool, struct spool_event *out, struct err *e);

/* A prepared transaction was committed or rolled back by the transaction at `place`: durable on return. One that is not
 * known is fine. */
int spool_resolve(struct spool *spool, const struct xid *xid, const struct spool_place *place, struct err *e);

struct spool_figures {
    uint64_t transactions; /* prepared */
    uint64_t bytes;        /* of those and the open one */
    bool wants_compact;    /* there is much to be thrown away */
};
void spool_figures(const struct spool *spool, struct spool_figures *out);

/* Throws away what was resolved at or before the stored position, when that is worth a rewriting. Not while one is
 * read or open: then nothing is done. Errors: the state's, NO_MEMORY. */
int spool_compact(struct spool *spool, const struct position *stored, struct err *e);

#endif
