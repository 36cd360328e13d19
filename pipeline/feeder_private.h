/* What feeder.c (the loop) and feeder_tx.c (the state of the open transaction, routes, bounds) share. */
#ifndef SLUICE_PIPELINE_FEEDER_PRIVATE_H
#define SLUICE_PIPELINE_FEEDER_PRIVATE_H

#include <stdatomic.h>

#include "pipeline/epoch_log.h"
#include "pipeline/feeder.h"

#define SAVEPOINTS_MAX  100000
#define STATEMENT_SHOWN 160 /* bytes of a statement in a message */

struct savepoint {
    char *name;
    size_t len;
    uint64_t ordinal;
    uint32_t rows;         /* of the transaction before it */
    struct bounds *bounds; /* likewise; NULL where no sink asks for them */
};

/* What sinks that ask for bounds are told of the open transaction. */
struct bounds {
    uint32_t begun;                     /* sinks that were told of its begin: before their first change of it */
    uint32_t records[LEDGER_SINKS_MAX]; /* changes of it that each sink gets */
};

/* Per lane the last row of the open transaction. */
struct lane_rows {
    bool active;
    uint64_t *row;
    bool *any;
    unsigned truncates; /* of all lanes */
    uint32_t begun;     /* sinks that were told of the begin */
};

struct feeder {
    struct feeder_options opt;
    struct feeder_stats stats;
    struct wakeup wake;
    atomic_bool stopping;
    bool eof, in_tx, ring_full;

    /* the open transaction */
    struct tx tx;
    char file[FILEPOS_FILE_MAX + 1];
    bool same_begin;    /* no sink lies before another */
    uint32_t begun;     /* sinks that were given a transaction: all further ones are for them too */
    unsigned truncates; /* of the transaction so far, those that are out already counted */
    uint32_t tx_mask;   /* sinks that have not passed it yet */
    uint32_t rows;      /* of the transaction so far */
    char **servers;     /* uuids of all whose log was read */
    size_t server_count;
    struct bounds bounds;
    struct savepoint *savepoints;
    size_t savepoint_count, savepoint_size;

    /* half published transactions and lost connections */
    bool lost;                  /* the next BEGIN may be the transaction that was open */
    struct lane_rows appended;  /* last row appended to each lane */
    struct lane_rows published; /* … and published with a chunk */
    struct lane_rows resume;    /* rows up to here are out already */

    struct epoch_log epochs; /* opened at the first transaction, which tells the flavour */
    int64_t progress_us;     /* when the epochs' progress was stored last */

    /* routes by shape id */
    struct table_route **routes;
    size_t routes_size;

    /* scratch of one row */
    struct found before[KEY_COLUMNS_MAX], after[KEY_COLUMNS_MAX];
    struct buf key, key_after;
    struct arena scratch;
};

int feeder_publish(struct feeder *f, struct err *e);

/* After LANES_FULL: returns when another try is worth it. Errors: INTERRUPTED, of the inline runners. */
int feeder_make_room(struct feeder *f, struct err *e);

/* Stores how far the current epoch has come, when the last time is long ago or `now`. */
int feeder_epoch_progress(struct feeder *f, bool now, struct err *e);

/* Sets up f->tx from the rowset: version, epoch (stored before it returns), mask. */
int feeder_begin(struct feeder *f, const struct rowset *rs, struct err *e);

/* Forgets the state of the transaction that ended. */
void feeder_tx_done(struct feeder *f);

/* A chunk may have been published: remembers what is out. */
void feeder_note_chunk(struct feeder *f);

/* The connection was lost: what is out of the open transaction must be skipped when it comes again. */
void feeder_lost(struct feeder *f);

/* Before a change goes to the sinks of the mask as so many records: those that ask for bounds, and have none of this
 * transaction yet, are told that it begins. */
int feeder_bounds_count(struct feeder *f, uint32_t mask, uint32_t records, struct err *e);

/* Behind the last change: the sinks that were told of the begin are told of the end. */
int feeder_bounds_end(struct feeder *f, struct err *e);

int feeder_savepoint(struct feeder *f, const struct rowset *rs, struct err *e);

/* The ordinal to go back to; the begin of the transaction when the savepoint is not known. What was counted since is
 * taken back. */
uint64_t feeder_savepoint_find(struct feeder *f, const struct rowset *rs);

/* The route of a shape, bound at its first use. NULL with an error. */
const struct table_route *feeder_route(struct feeder *f, const struct shape *shape, struct err *e);

/* Which sinks sweep table i of a DDL that discards rows; fails when a route says stop. */
int feeder_truncate_mask(struct feeder *f, const struct rowset *rs, unsigned i, uint32_t *mask, struct err *e);

#endif
