/* What the source's side (lane_write.c, lane_publish.c, lane_rollback.c), the workers' (lane_read.c) and the pool
 * (lane_pool.c) of lanes share. Private.
 *
 * In a segment lie 8-byte aligned items, each with an item_head:
 *   ITEM_TX    head, struct tx, the file's name with NUL    tx->file points to it; no ordinal
 *   ITEM_QUERY head, struct row_query, the text             query.text points to it; ordinal: number of the statement,
 *                                                           0 and no text: the items behind it have none
 *   ITEM_LINK  head (its first 8 bytes only)                end of the segment: go on in segment->next
 *   others     struct item                                  then, or outside of the segment, its payload:
 *     ROW       [ticket] key [before_present] [after_present] [length (uint32_t) of partial, partial] [before] [after]
 *     TRUNCATE  per lane the last ordinal before it (uint64_t), db and table with NULs
 *     STATEMENT likewise the ordinals, then struct statement and all that it points to, but for the definitions
 *     BARRIER   ticket
 *     MARK      nothing
 * A reader knows from the lane's head alone that a further item is there: below it all bytes are written for good. */
#ifndef SLUICE_PARTITION_LANE_IMPL_H
#define SLUICE_PARTITION_LANE_IMPL_H

#include <stdalign.h>
#include <stdatomic.h>

#include "partition/lane.h"
#include "position/filepos.h"

#define CACHE_LINE 64
#define ITEM_ALIGN 8u

/* From ROW on as enum lane_item_kind. */
enum item_kind { ITEM_LINK, ITEM_TX, ITEM_QUERY, ITEM_ROW, ITEM_TRUNCATE, ITEM_BARRIER, ITEM_MARK, ITEM_STATEMENT };

/* Beside enum change_flag in item_head.flags. */
enum item_flag {
    ITEM_BEFORE = 0x100,
    ITEM_AFTER = 0x200,
    ITEM_BEFORE_PRESENT = 0x400,
    ITEM_AFTER_PRESENT = 0x800,
    ITEM_TICKET = 0x1000,
    ITEM_OUTSIDE = 0x2000, /* the payload is a blob */
    ITEM_PARTIAL = 0x4000  /* of the after image */
};
#define ITEM_CHANGE_FLAGS 0xffu

struct item_head {
    uint32_t size; /* in the segment, of all of it, a multiple of ITEM_ALIGN */
    uint8_t kind;  /* enum item_kind */
    uint8_t op;    /* enum change_op */
    uint16_t flags;
    uint64_t ordinal;
};

struct item {
    struct item_head head;
    uint32_t sink_mask;
    uint32_t key_len; /* TRUNCATE: of db with its NUL */
    uint64_t version_row;
    uint64_t event_pos;
    uint32_t event_time, row_of_tx;
    const struct shape *shape;
    uint32_t before_len, after_len;
    size_t bytes; /* with its payload */
    uint8_t *payload;
};

struct ticket {
    uint64_t ordinal;
    uint32_t lane;
    uint32_t unused;
};

struct tx_item {
    struct item_head head;
    struct tx tx;
    char file[];
};

struct query_item {
    struct item_head head;
    struct row_query query;
    char text[];
};

#define LINK_BYTES offsetof(struct item_head, ordinal)

/* ---------------------------------------------------------------- pool */

struct segment {
    struct segment *next; /* in its lane */
    uint64_t seq;         /* in its lane, from 1 */
    uint64_t last;        /* ordinal of its last item; written when it is linked */
    uint64_t first;       /* ordinal of its first item; the writer's */
    uint8_t *bytes;
};

/* The payload of an item that no segment can hold: a run of segments, or memory of its own ("over"). */
struct blob {
    struct blob *next; /* in its lane, oldest first */
    uint64_t ordinal;
    size_t size;        /* held, in bytes */
    unsigned run_first; /* segments of the pool … */
    unsigned run_count; /* … 0: over the budget */
    uint8_t *bytes;
};

struct pool {
    size_t segment_bytes;
    unsigned count, free_count;
    uint8_t *bytes;
    struct segment *segments;
    uint64_t *free_bits; /* bit set = free */
    bool over;           /* an item beyond the budget lives */
    size_t over_bytes;
    _Atomic size_t used_bytes;
};

int pool_init(struct pool *pool, size_t segment_bytes, unsigned count, struct err *e);
void pool_release(struct pool *pool);

/* The free segment with the lowest address, so that little memory is touched; NULL when there is none. */
struct segment *pool_take(struct pool *pool);
void pool_give(struct pool *pool, struct segment *segment);

/* True when `segments` single ones and, unless `blob_bytes` is 0, a blob can be had now: its run leaves the single
 * ones, or it may go over the budget. What it promises is kept when the blob is taken before the segments. */
bool pool_has_room(const struct pool *pool, size_t blob_bytes, unsigned segments);

/* A blob, after pool_has_room with the same figures. Errors: NO_MEMORY. */
int pool_take_blob(struct pool *pool, size_t blob_bytes, unsigned segments, struct blob **out, struct err *e);
void pool_give_blob(struct pool *pool, struct blob *blob);

/* ---------------------------------------------------------------- lanes */

/* A place in a lane behind an item, to which the writer can go back. */
struct mark {
    struct segment *segment; /* NULL: before the first segment */
    size_t used;
    uint64_t last;          /* ordinal of the lane's last item; 0: none */
    struct item *item;      /* that item, while it is not published */
    uint64_t tx_written;    /* lanes.tx_id whose TX header is the last one; 0: none */
    uint64_t query_written; /* lanes.query_id of the last QUERY header behind that; 0: none */
};

/* The writer's side of a lane. `at` is behind the last item; `open` behind the last item that is not of the open
 * transaction (or of a chunk of it that is out). */
struct lane {
    struct segment *first; /* oldest not taken back */
    struct segment *start; /* the lane's first ever: fixed once something is published */
    struct mark at, open;
    uint64_t open_first;  /* first ordinal of the open transaction; 0: none */
    uint64_t ready_first; /* of what is complete and not published; 0: none */
    uint64_t ready_last;
    size_t ready_bytes;
    size_t open_bytes;
    bool in_open, in_ready, in_event;
    struct blob *blobs;
};

/* A reader: one lane and one sink; its worker's, but for the atomics. */
struct reader {
    alignas(CACHE_LINE) struct segment *segment; /* the cursor: next byte to read; NULL: at the lane's start */
    size_t offset;
    uint64_t last;       /* ordinal of the last item read */
    uint64_t head;       /* the lane's head when last looked at */
    const struct tx *tx; /* of the items at the cursor */
    const struct row_query *query;
    struct segment *oldest;    /* first segment with an item that is not acknowledged, or the cursor's */
    uint64_t acked;            /* as in the ledger */
    bool held;                 /* lanes_hold */
    _Atomic uint64_t passed;   /* segments with seq < passed are not needed any more; worker → source */
    _Atomic uint64_t *waiters; /* bits: lanes of this sink that wait for an acknowledgement of this lane */
};

/* Whether worker w of a sink sleeps. */
struct sleeper {
    alignas(CACHE_LINE) _Atomic bool asleep;
};

struct lane_list {
    unsigned *lane;
    unsigned count;
};

struct lanes {
    struct lanes_options opt;
    struct ledger *ledger;
    unsigned waiter_words;
    struct lane *lane;         /* [lane] */
    struct reader *reader;     /* [lane · sinks + sink] */
    _Atomic uint64_t *waiters; /* all the readers' bits */
    struct sleeper *sleeper;   /* [sink · lanes + worker] */
    _Atomic unsigned *workers; /* [sink]; 0: none ever slept */
    struct lane_list open;     /* lanes that the open transaction touched since its begin or last chunk */
    struct lane_list ready;    /* lanes with something complete and unpublished */
    struct lane_list event;    /* lanes that the open event touched */
    uint64_t ordinal;          /* last given out */
    uint64_t complete;         /* last of complete transactions and of chunks that are out */
    uint64_t published;        /* P */
    struct tx_item *tx;        /* header of the open transaction, ready to be copied */
    uint64_t tx_id;            /* counts lanes_begin */
    struct query_item *query;  /* header of the statement, ready to be copied; NULL without query_max_bytes */
    uint64_t query_id;         /* of the statement; 0: none is known */
    uint64_t queries;          /* counts statements */
    uint32_t truncates;        /* TRUNCATE items in the open transaction */
    unsigned boundaries;       /* since the last publication */
    bool in_tx;
    bool chunked;           /* a chunk of the open transaction is out */
    bool full_lane;         /* some lane's ready_bytes reached a segment */
    size_t open_taken;      /* bytes of segments and blobs that the open transaction took */
    size_t want_blob;       /* what the last LANES_FULL lacked: bytes of a blob, … */
    unsigned want_segments; /* … and segments */
    struct pool pool;
    alignas(CACHE_LINE) _Atomic bool source_waits;
};

static inline struct reader *reader_of(const struct lanes *lanes, unsigned lane, unsigned sink)
{
    return &lanes->reader[(size_t)lane * lanes->opt.sinks + sink];
}

static inline size_t item_align(size_t size)
{
    return (size + ITEM_ALIGN - 1) & ~(size_t)(ITEM_ALIGN - 1);
}

static inline size_t bitmap_bytes(const struct shape *shape)
{
    return shape ? (shape->tbl->column_count + 7u) / 8 : 0;
}

static inline void lane_list_add(struct lane_list *list, bool *in, unsigned lane)
{
    if (*in)
        return;
    *in = true;
    list->lane[list->count++] = lane;
}

/* Takes back the lane's segments and blobs that every sink is done with. Source. */
void lane_take_back(struct lanes *lanes, unsigned index);

/* Sets LAST_OF_TX on the last item of the open transaction, when it is a row that is not out yet. Source. */
void lane_mark_last_row(struct lanes *lanes);

/* Calls wake_worker for the lane when its worker sleeps; clears its flag. Any thread. */
void lane_wake(struct lanes *lanes, unsigned sink, unsigned lane);

#endif
