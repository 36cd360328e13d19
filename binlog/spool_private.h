/* The inside of the spool, shared by its files only. */
#ifndef SLUICE_BINLOG_SPOOL_PRIVATE_H
#define SLUICE_BINLOG_SPOOL_PRIVATE_H

#include "binlog/spool.h"

/* Items of the log, little-endian; all begin with kind (1) and id (8), which rises. A transaction is HEAD, EVENTS…,
 * PREPARED with one id and nothing in between; without PREPARED it is void.
 *
 *   HEAD      version (1): 1; MariaDB (1); server version (4); n (2); post-header lengths (n)
 *   EVENTS    per event: type (1), left out (1), ordinal (4), length (4), CRC-32 of these ten bytes and the body (4),
 *             body
 *   PREPARED  bytes of the events (8), mark
 *   RESOLVED  mark of what resolved the transaction with that identifier
 *   a mark    format (4), gtrid and bqual lengths (1, 1), bytes; begin (8), end (8); file, GTID as text, server: each
 *             with its length (2) */
enum spool_item { SPOOL_HEAD = 1, SPOOL_EVENTS = 2, SPOOL_PREPARED = 3, SPOOL_RESOLVED = 4 };

#define SPOOL_VERSION     1
#define SPOOL_ITEM_HEAD   9
#define SPOOL_RECORD_HEAD 14

enum spool_status {
    SPOOL_OPEN,  /* prepared */
    SPOOL_DONE,  /* resolved, and what resolved it; or prepared once more without that */
    SPOOL_BEHIND /* behind the place */
};

/* A PREPARED or RESOLVED item, in the order of the log. */
struct spool_mark {
    uint64_t id;
    struct spool_mark *older; /* of the same bucket */
    struct xid xid;
    struct spool_place place;
    bool resolves;
    bool dropped; /* by the rewriting at hand */
    uint8_t status;
    uint64_t bytes;              /* of its events */
    uint64_t log_from, log_till; /* entries in the log */
    struct buf records;          /* in memory: its events */
    struct event_format format;  /* in memory */
};

struct spool_reading {
    bool active;
    const struct buf *tail; /* events in memory behind those of the log; NULL: none */
    bool in_tail;
    uint64_t id;
    uint64_t at, till;     /* in the log */
    struct buf entry;      /* the one at hand */
    struct cursor items;   /* left of the entry */
    struct cursor records; /* left of the item */
};

struct spool {
    struct spool_options opt;
    bool loaded;
    uint64_t next_id;
    struct spool_mark **marks; /* by rising id */
    size_t mark_count, mark_size;
    struct spool_mark **buckets; /* by xid, the newest first; as many as mark_size */
    size_t open_count;
    uint64_t open_bytes; /* of prepared ones */
    uint64_t open_log;   /* the same in the log, with all around */
    uint64_t log_end;    /* of all that is in the log */

    bool is_open; /* the open transaction */
    uint64_t id;
    struct event_format format;
    struct buf records; /* the item EVENTS that is not yet in the log */
    uint64_t bytes;     /* of all its events */
    bool in_log;        /* its begin is */
    uint64_t log_from;

    struct spool_reading reading;
};

/* spool_log.c: the log's side. Reads the whole log into marks. */
int spool_load(struct spool *spool, struct err *e);

/* Writes the open transaction's events that are in memory, with PREPARED behind them when `mark` is not NULL. */
int spool_write(struct spool *spool, const struct spool_mark *mark, struct err *e);

/* Appends RESOLVED. */
int spool_write_resolved(struct spool *spool, const struct spool_mark *mark, struct err *e);

/* Rewrites the log without the marks that are `dropped`, and what belongs to none. */
int spool_rewrite(struct spool *spool, struct err *e);

/* Afterwards, when those are no longer in the list: where each mark's entries are now. */
int spool_relocate(struct spool *spool, struct err *e);

/* Empties `out` and writes kind and id. Errors: NO_MEMORY. */
int spool_begin_item(struct buf *out, enum spool_item kind, uint64_t id, struct err *e);

/* Takes kind and id off an item; 0 for a kind that is none. */
unsigned spool_item_kind(struct cursor *item, uint64_t *id);

/* Layout of a HEAD item, behind kind and id. Errors: STATE_VERSION, STATE_CORRUPT. */
int spool_read_head(struct cursor *item, struct event_format *out, struct err *e);

/* spool.c: the mark of a transaction that is prepared; NULL: none. */
struct spool_mark *spool_find_open(const struct spool *spool, const struct xid *xid);

/* Takes a mark over (frees it on failure). */
int spool_keep_mark(struct spool *spool, struct spool_mark *mark, struct err *e);
void spool_mark_free(struct spool_mark *mark); /* accepts NULL */

#endif
