/* Lanes: the embedded bus. A lane is a partition log in memory with one writer (the source thread) and one read cursor
 * per sink; a FIFO of segments from one pool. Rows of one key always go to one lane. Core: no clock, socket or thread
 * function; who must be woken is told by callbacks.
 *
 * Ownership: the source owns a segment until lanes_publish; then it is immutable and borrowed by readers until every
 * sink's acked ordinal has passed its last item and its cursor has left it; the source then takes it back. There is no
 * reference count, lock, allocation or free per change. The bytes of an item that a segment cannot hold lie outside: in
 * a run of free segments, or, when there is none, in memory of their own beyond the budget, one such item at a time
 * (the halves of a key move are two such items: the first goes out as a chunk before the second is taken). They are
 * given back as soon as the item is acknowledged by all sinks.
 *
 * Items: ROW, TRUNCATE, STATEMENT, BARRIER (see lanes_truncate_table, lanes_statement), MARK (lanes_mark); a TX header
 * is written before a transaction's first item in each lane that it touches and repeated at the begin of each segment,
 * so that a segment reads alone; so is a QUERY header (lanes_query) before the first item of a statement. Headers have
 * no ordinal.
 *
 * Nothing here waits. Inline use: one thread may be the source and every worker. */
#ifndef SLUICE_PARTITION_LANE_H
#define SLUICE_PARTITION_LANE_H

#include "change/change.h"
#include "change/statement.h"
#include "partition/ledger.h"

#define LANE_SEGMENT_BYTES_MAX (64u * 1024)
#define LANE_SEGMENT_BYTES_MIN 1024u
#define LANE_BUFFER_BYTES_MIN  (64u * 1024)
#define LANE_QUERY_PART        8 /* the text of a statement is at most this part of a segment */
#define LANE_ITEM_BYTES_MAX    (4000u * 1024 * 1024)

struct lanes;

struct lanes_options {
    unsigned lanes;         /* 1 … LEDGER_LANES_MAX */
    unsigned sinks;         /* 1 … LEDGER_SINKS_MAX */
    size_t buffer_bytes;    /* pool; segment = min(64 KiB, pool / (4 · lanes)) */
    size_t tx_buffer_bytes; /* an open transaction holding more (in whole segments) is published in chunks; 0 or more
                               than ¼ of the pool: ¼ */
    size_t max_item_bytes;  /* 0: LANE_ITEM_BYTES_MAX */
    unsigned ring;          /* of the ledger; 0: default */
    uint32_t unordered;     /* bit s: to sink s order between lanes means nothing, halves of a move do not wait */
    size_t query_max_bytes; /* longest text of lanes_query, at most ⅛ of a segment; 0: it is never called */
    /* Called without locks; both may be NULL. wake_worker: by the source in lanes_publish, or by a worker whose
     * acknowledgement a ticket waits for; tells that lane `lane` of `sink` has something and its worker said that it
     * sleeps. wake_source: by a worker, when the source said that it waits. */
    void (*wake_worker)(void *ctx, unsigned sink, unsigned lane);
    void (*wake_source)(void *ctx);
    void *ctx;
};

/* Errors: NO_MEMORY; CONFIG_VALUE when buffer_bytes gives a lane less than four segments of LANE_SEGMENT_BYTES_MIN, or
 * query_max_bytes is more than an eighth of a segment. */
int lanes_new(struct lanes **out, const struct lanes_options *opt, struct err *e);
void lanes_free(struct lanes *lanes);
struct ledger *lanes_ledger(struct lanes *lanes);
unsigned lanes_count(const struct lanes *lanes);

/* ---------------------------------------------------------------- source thread */

/* One row (or half of a key move) to append. Pointers are borrowed for the call: bytes are copied once, into the lane.
 */
struct lane_row {
    enum change_op op;
    unsigned flags;     /* CHANGE_FROM, CHANGE_TO */
    uint32_t sink_mask; /* bit s: for sink s */
    uint64_t version_row;
    uint64_t event_pos;
    uint32_t event_time, row_of_tx; /* as of struct change */
    const struct shape *shape;
    const char *key;
    size_t key_len;
    struct image before, after;
    bool has_ticket;
    unsigned ticket_lane;
    uint64_t ticket_ordinal;
};

/* Following rows belong to this transaction; copied (the file name too). */
void lanes_begin(struct lanes *lanes, const struct tx *tx);

/* Following rows, up to the next call or lanes_begin, are of this statement; NULL: of none that is known. Copied. */
void lanes_query(struct lanes *lanes, const struct row_query *query);

/* Appends. 0 and *ordinal; LANES_FULL when no segment is free: nothing was appended: call lanes_make_room. Errors:
 * LIMIT (item larger than max_item_bytes), NO_MEMORY. */
#define LANES_FULL 1
int lanes_add(struct lanes *lanes, unsigned lane, const struct lane_row *row, uint64_t *ordinal, struct err *e);

/* A table's rows were discarded: one TRUNCATE item in lane 0, whose ticket is "everything before it in all lanes", and
 * a BARRIER item in every other lane, whose ticket is the TRUNCATE item: a full barrier. All or nothing, as lanes_add;
 * LANES_FULL too. The row part of the version counts the TRUNCATE and STATEMENT items of the transaction. */
int lanes_truncate_table(struct lanes *lanes, const char *db, const char *table, const struct shape *shape,
                         uint32_t sink_mask, struct err *e);

/* As one lane's part of it, where each lane is told of a TRUNCATE on its own: a TRUNCATE item with CHANGE_OF_LANE that
 * waits for everything before it in this lane, and nothing else. The row part of its version is the caller's.
 * LANES_FULL too. */
struct lane_truncate {
    const char *db, *table; /* copied */
    uint32_t sink_mask;
    uint64_t version_row;
    uint64_t event_pos;
};
int lanes_truncate_lane(struct lanes *lanes, unsigned lane, const struct lane_truncate *in, uint64_t *ordinal,
                        struct err *e);

/* A statement, likewise a full barrier: the item of the sinks of the mask in lane 0. Copied whole; its definitions are
 * borrowed for as long as the lanes are. `time`: Unix seconds of its event, `pos`: its begin. */
struct lane_statement {
    const struct statement *statement;
    uint32_t sink_mask, time;
    uint64_t pos;
};
int lanes_statement(struct lanes *lanes, const struct lane_statement *in, struct err *e);

/* The open transaction's last ordinal so far: a savepoint. */
uint64_t lanes_savepoint(const struct lanes *lanes);

/* Drops the unpublished items behind `ordinal`. 0, or -1 when some of them are published already (the caller stops and
 * names tx_buffer_bytes). lanes_rollback drops the whole open transaction under the same rule. */
int lanes_rollback_to(struct lanes *lanes, uint64_t ordinal);
int lanes_rollback(struct lanes *lanes);

/* A mark of the open transaction for the sinks of the mask, in lane 0: op is CHANGE_BEGIN, before its first row, or
 * CHANGE_END, behind its last one. It waits for nothing: rows of other lanes come before or after it. `records`:
 * row_of_tx of the change. 0, LANES_FULL, or errors, as lanes_add. */
int lanes_mark(struct lanes *lanes, enum change_op op, uint32_t sink_mask, uint32_t records, struct err *e);

/* The open transaction ends with this XID: all its items tell, unless some are out already. */
void lanes_xid(struct lanes *lanes, uint64_t xid);

/* Ends the open transaction at a boundary: its items may now be published; ledger_boundary is called. `at->ordinal` is
 * filled here. Sets LAST_IN_TX on the last item of each lane touched (a lane whose last item went out with a chunk has
 * none), and LAST_OF_TX on the last row of all. Without an open transaction: a boundary alone.
 * Returns 0, or LANES_FULL when the ring is full (nothing done): publish, and wait for the keeper, whose ledger_consume
 * makes room. */
int lanes_end(struct lanes *lanes, struct boundary *at);

/* Ends a ROWS event: sets LAST_IN_EVENT on the last item of each lane that it touched. */
void lanes_event_end(struct lanes *lanes);

/* True when a lane holds a segment (64 KiB) complete and unpublished, or 1,024 boundaries are. */
bool lanes_should_publish(const struct lanes *lanes);

/* Publishes all complete transactions in all lanes, wakes sleeping workers. Cheap when there is nothing new. */
void lanes_publish(struct lanes *lanes);

/* True when the open transaction holds more than tx_buffer_bytes: the caller then publishes it as a chunk, at the end
 * of an event. */
bool lanes_chunk_due(const struct lanes *lanes);
void lanes_publish_chunk(struct lanes *lanes);

/* True when a chunk of the open transaction is out already. */
bool lanes_chunk_published(const struct lanes *lanes);

/* After LANES_FULL: publishes what is complete, takes back segments that every sink is done with; when nothing
 * published is unacknowledged and still none is free, publishes the open transaction as a chunk. Returns true when
 * lanes_add is worth another try; false: wait for wake_source (the flag is set before the last look, so no wake-up is
 * lost), then call again. */
bool lanes_make_room(struct lanes *lanes);

/* Bytes of the pool in use (any thread; approximate while the source runs). */
size_t lanes_bytes(const struct lanes *lanes);

/* ---------------------------------------------------------------- one worker per (lane, sink) */

enum lane_item_kind { LANE_ROW, LANE_TRUNCATE, LANE_BARRIER, LANE_MARK, LANE_STATEMENT };

struct lane_item {
    enum lane_item_kind kind;
    uint64_t ordinal;
    bool for_sink;     /* in its sink_mask; else only to be acknowledged (BARRIER always) */
    size_t bytes;      /* of the item in the lane */
    struct change chg; /* but for BARRIER; what it points to is borrowed until acknowledged */
};

/* The next item of the lane for this sink and moves the cursor behind it: 1. 0: nothing published beyond. 2: the next
 * item's ticket is not yet acknowledged: the cursor stays; the ticket's lane is noted, and wake_worker is called for
 * this lane when it may go on. */
#define LANE_EMPTY   0
#define LANE_ITEM    1
#define LANE_BLOCKED 2
int lanes_read(struct lanes *lanes, unsigned lane, unsigned sink, struct lane_item *out);

/* Sets the cursor back to the first item behind `acked` (KEEPS_POSITION sinks after a failed commit). */
void lanes_rewind(struct lanes *lanes, unsigned lane, unsigned sink);

/* Everything of the lane up to `ordinal` is done for the sink. Wakes those who wait for it. */
void lanes_ack(struct lanes *lanes, unsigned lane, unsigned sink, uint64_t ordinal);

/* A worker says that it will not read this lane for now (too many keys parked), or again: lanes_sleep then does not
 * count what is in it. */
void lanes_hold(struct lanes *lanes, unsigned lane, unsigned sink, bool hold);

/* A worker says that it is about to sleep on its lanes (`worker` = its number w, lanes l mod workers == w);
 * returns true when it may (nothing to read on any of them that is not held), false when there is something. Cleared by
 * the wake-up or by lanes_awake. A wake-up may come for nothing; none is lost. */
bool lanes_sleep(struct lanes *lanes, unsigned sink, unsigned worker, unsigned workers);
void lanes_awake(struct lanes *lanes, unsigned sink, unsigned worker, unsigned workers);

#endif
