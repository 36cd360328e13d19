/* Cutting lanes back to an ordinal: rollback, savepoints, a lost connection. Only what is not published is touched. */
#include "partition/lane_impl.h"

#include <assert.h>

/* The mark behind the last item of the open transaction with an ordinal up to `ordinal`; there is one. */
static struct mark find_mark(const struct lanes *lanes, const struct lane *lane, uint64_t ordinal)
{
    struct segment *segment = lane->open.segment ? lane->open.segment : lane->start;
    size_t offset = lane->open.segment ? lane->open.used : 0;
    while (segment->next && segment->next->first <= ordinal) {
        segment = segment->next;
        offset = 0;
    }
    struct mark mark = lane->open;
    uint64_t query = offset && lane->open.tx_written == lanes->tx_id ? lane->open.query_written : 0;
    while (segment != lane->at.segment || offset < lane->at.used) {
        struct item_head *head = (struct item_head *)(void *)(segment->bytes + offset);
        bool header = head->kind == ITEM_TX || head->kind == ITEM_QUERY;
        if (head->kind == ITEM_LINK || (!header && head->ordinal > ordinal))
            break;
        offset += head->size;
        if (header)
            query = head->kind == ITEM_QUERY ? head->ordinal : 0;
        else
            mark = (struct mark){segment, offset, head->ordinal, (struct item *)(void *)head, lanes->tx_id, query};
    }
    return mark;
}

static void cut_blobs(struct lanes *lanes, struct lane *lane, uint64_t ordinal)
{
    struct blob **link = &lane->blobs;
    while (*link && (*link)->ordinal <= ordinal)
        link = &(*link)->next;
    struct blob *blob = *link;
    *link = NULL;
    while (blob) {
        struct blob *next = blob->next;
        lanes->open_taken -= blob->size;
        pool_give_blob(&lanes->pool, blob);
        blob = next;
    }
}

static void cut(struct lanes *lanes, struct lane *lane, uint64_t ordinal)
{
    if (!lane->open_first || lane->at.last <= ordinal)
        return;
    bool all = lane->open_first > ordinal;
    struct mark mark = all ? lane->open : find_mark(lanes, lane, ordinal);
    struct segment *segment = mark.segment ? mark.segment->next : lane->start;
    if (mark.segment)
        mark.segment->next = NULL;
    else
        lane->start = lane->first = NULL;
    while (segment) {
        struct segment *next = segment->next;
        lanes->open_taken -= lanes->pool.segment_bytes;
        pool_give(&lanes->pool, segment);
        segment = next;
    }
    cut_blobs(lanes, lane, ordinal);
    lane->at = mark;
    if (all) {
        lane->open_first = 0;
        lane->open_bytes = 0;
    }
}

int lanes_rollback_to(struct lanes *lanes, uint64_t ordinal)
{
    if (ordinal < lanes->complete)
        return -1;
    assert(ordinal <= lanes->ordinal);
    for (unsigned i = 0; i < lanes->event.count; i++)
        lanes->lane[lanes->event.lane[i]].in_event = false;
    lanes->event.count = 0;
    for (unsigned i = 0; i < lanes->open.count; i++)
        cut(lanes, &lanes->lane[lanes->open.lane[i]], ordinal);
    lanes->ordinal = ordinal;
    return 0;
}

int lanes_rollback(struct lanes *lanes)
{
    return lanes->chunked ? -1 : lanes_rollback_to(lanes, lanes->complete);
}
