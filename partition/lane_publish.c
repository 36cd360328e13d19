/* The source's side of lanes: the ends of events and transactions, publishing, taking segments back. */
#include "partition/lane_impl.h"

#include <assert.h>
#include <string.h>

#define BOUNDARIES_MAX 1024 /* unpublished, before lanes_should_publish */

/* ---------------------------------------------------------------- transactions */

void lanes_begin(struct lanes *lanes, const struct tx *tx)
{
    assert(lanes->ordinal == lanes->complete); /* ended or rolled back */
    size_t len = strlen(tx->file) + 1;
    assert(len <= FILEPOS_FILE_MAX + 1);
    struct tx_item *item = lanes->tx;
    item->head.kind = ITEM_TX;
    item->head.size = (uint32_t)item_align(sizeof *item + len);
    item->tx = *tx;
    memcpy(item->file, tx->file, len);
    lanes->tx_id++;
    lanes->query_id = 0;
    lanes->truncates = 0;
    lanes->open_taken = 0;
    lanes->in_tx = true;
    lanes->chunked = false;
}

void lanes_query(struct lanes *lanes, const struct row_query *query)
{
    struct query_item *item = lanes->query;
    if (!query && lanes->query_id == 0)
        return;
    assert(item && (!query || query->len <= lanes->opt.query_max_bytes));
    if (query && lanes->query_id && item->query.len == query->len && item->query.whole_bytes == query->whole_bytes &&
        memcmp(item->text, query->text, query->len) == 0)
        return;
    size_t len = query ? query->len : 0;
    lanes->query_id = query ? ++lanes->queries : 0;
    item->head = (struct item_head){
        .kind = ITEM_QUERY, .size = (uint32_t)item_align(sizeof *item + len), .ordinal = lanes->query_id};
    item->query = (struct row_query){.len = len, .whole_bytes = query ? query->whole_bytes : 0, .id = lanes->query_id};
    if (query)
        memcpy(item->text, query->text, len);
}

uint64_t lanes_savepoint(const struct lanes *lanes)
{
    return lanes->ordinal;
}

void lanes_event_end(struct lanes *lanes)
{
    for (unsigned i = 0; i < lanes->event.count; i++) {
        struct lane *lane = &lanes->lane[lanes->event.lane[i]];
        lane->at.item->head.flags |= CHANGE_LAST_IN_EVENT;
        lane->in_event = false;
    }
    lanes->event.count = 0;
}

/* What is open is complete from now on. */
static void settle(struct lanes *lanes, unsigned flags)
{
    for (unsigned i = 0; i < lanes->open.count; i++) {
        struct lane *lane = &lanes->lane[lanes->open.lane[i]];
        lane->in_open = false;
        if (!lane->open_first)
            continue; /* rolled back */
        lane->at.item->head.flags |= (uint16_t)flags;
        if (!lane->ready_first)
            lane->ready_first = lane->open_first;
        lane->ready_last = lane->at.last;
        lane->ready_bytes += lane->open_bytes;
        lanes->full_lane |= lane->ready_bytes >= lanes->pool.segment_bytes;
        lane->open_first = 0;
        lane->open_bytes = 0;
        lane_list_add(&lanes->ready, &lane->in_ready, lanes->open.lane[i]);
    }
    lanes->open.count = 0;
    lanes->open_taken = 0;
    lanes->complete = lanes->ordinal;
}

/* The segment and the place in it where the lane's part of the open transaction begins. */
static struct segment *open_begin(const struct lane *lane, size_t *offset)
{
    *offset = lane->open.segment ? lane->open.used : 0;
    return lane->open.segment ? lane->open.segment : lane->start;
}

/* A TX header stands where a lane's part of the transaction begins, or at the begin of the segment behind it, and at
 * the begin of each segment from there on. */
void lanes_xid(struct lanes *lanes, uint64_t xid)
{
    for (unsigned i = 0; i < lanes->open.count && !lanes->chunked; i++) {
        const struct lane *lane = &lanes->lane[lanes->open.lane[i]];
        size_t offset;
        if (!lane->open_first)
            continue; /* rolled back */
        for (struct segment *segment = open_begin(lane, &offset);; segment = segment->next, offset = 0) {
            struct tx_item *item = (struct tx_item *)(void *)(segment->bytes + offset);
            if (item->head.kind == ITEM_TX) {
                item->tx.xid = xid;
                item->tx.has_xid = true;
            }
            if (segment == lane->at.segment)
                break;
        }
    }
}

void lane_mark_last_row(struct lanes *lanes)
{
    for (unsigned i = 0; i < lanes->open.count; i++) {
        const struct lane *lane = &lanes->lane[lanes->open.lane[i]];
        if (lane->open_first && lane->at.last == lanes->ordinal && lane->at.item->head.kind == ITEM_ROW)
            lane->at.item->head.flags |= CHANGE_LAST_OF_TX;
    }
}

int lanes_end(struct lanes *lanes, struct boundary *at)
{
    at->ordinal = lanes->ordinal;
    if (!ledger_boundary(lanes->ledger, at))
        return LANES_FULL;
    lanes_event_end(lanes);
    lane_mark_last_row(lanes);
    settle(lanes, CHANGE_LAST_IN_TX);
    lanes->boundaries++;
    lanes->in_tx = false;
    lanes->chunked = false;
    return 0;
}

/* ---------------------------------------------------------------- publishing */

bool lanes_should_publish(const struct lanes *lanes)
{
    return lanes->full_lane || lanes->boundaries >= BOUNDARIES_MAX;
}

/* All lanes' floors and heads, then P, then the wake-ups. */
void lanes_publish(struct lanes *lanes)
{
    for (unsigned i = 0; i < lanes->ready.count; i++) {
        struct lane *lane = &lanes->lane[lanes->ready.lane[i]];
        ledger_lane(lanes->ledger, lanes->ready.lane[i], lane->ready_first, lane->ready_last);
        lane->ready_first = 0;
        lane->ready_bytes = 0;
        lane->in_ready = false;
    }
    ledger_published(lanes->ledger, lanes->complete);
    for (unsigned i = 0; i < lanes->ready.count; i++)
        for (unsigned sink = 0; sink < lanes->opt.sinks; sink++)
            lane_wake(lanes, sink, lanes->ready.lane[i]);
    lanes->ready.count = 0;
    lanes->boundaries = 0;
    lanes->full_lane = false;
}

bool lanes_chunk_due(const struct lanes *lanes)
{
    return lanes->open_taken > lanes->opt.tx_buffer_bytes;
}

void lanes_publish_chunk(struct lanes *lanes)
{
    /* What is published is not touched again: an event that goes on has no last item here yet. */
    for (unsigned i = 0; i < lanes->event.count; i++)
        lanes->lane[lanes->event.lane[i]].in_event = false;
    lanes->event.count = 0;
    lanes->chunked |= lanes->ordinal > lanes->complete;
    settle(lanes, 0);
    lanes_publish(lanes);
}

bool lanes_chunk_published(const struct lanes *lanes)
{
    return lanes->chunked;
}

/* ---------------------------------------------------------------- room */

static uint64_t least_acked(const struct lanes *lanes, unsigned lane)
{
    uint64_t least = UINT64_MAX;
    for (unsigned sink = 0; sink < lanes->opt.sinks; sink++) {
        uint64_t acked = ledger_acked(lanes->ledger, lane, sink);
        least = acked < least ? acked : least;
    }
    return least;
}

void lane_take_back(struct lanes *lanes, unsigned index)
{
    struct lane *lane = &lanes->lane[index];
    uint64_t passed = UINT64_MAX;
    for (unsigned sink = 0; sink < lanes->opt.sinks; sink++) {
        /* Acquire part: the readers' last looks into what is written anew. Sequential: source_waits. */
        uint64_t seq = atomic_load(&reader_of(lanes, index, sink)->passed);
        passed = seq < passed ? seq : passed;
    }
    while (lane->first && lane->first->seq < passed) {
        struct segment *next = lane->first->next;
        pool_give(&lanes->pool, lane->first);
        lane->first = next;
    }
    if (!lane->blobs)
        return;
    uint64_t acked = least_acked(lanes, index);
    while (lane->blobs && lane->blobs->ordinal <= acked) {
        struct blob *next = lane->blobs->next;
        pool_give_blob(&lanes->pool, lane->blobs);
        lane->blobs = next;
    }
}

static bool all_acked(const struct lanes *lanes)
{
    for (unsigned i = 0; i < lanes->opt.lanes; i++)
        if (least_acked(lanes, i) < ledger_head(lanes->ledger, i))
            return false;
    return true;
}

static bool has_room(struct lanes *lanes)
{
    for (unsigned i = 0; i < lanes->opt.lanes; i++)
        lane_take_back(lanes, i);
    return pool_has_room(&lanes->pool, lanes->want_blob, lanes->want_segments);
}

/* The flag before the second look: lane_read.c says why no wake-up is lost. When all is acknowledged and there is still
 * no room, the open transaction holds it, and its readers wake us once it is out. */
bool lanes_make_room(struct lanes *lanes)
{
    lanes_publish(lanes);
    if (has_room(lanes))
        return true;
    atomic_store(&lanes->source_waits, true);
    bool all = all_acked(lanes);
    if (has_room(lanes)) {
        atomic_store(&lanes->source_waits, false);
        return true;
    }
    if (all && lanes->ordinal > lanes->complete)
        lanes_publish_chunk(lanes);
    return false;
}
