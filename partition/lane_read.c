/* The readers' side of lanes: cursors, tickets, acknowledgement, sleep.
 *
 * No wake-up is lost, three times by the same argument. Who is about to wait (a worker in lanes_sleep, a worker at a
 * ticket, the source in lanes_make_room) first sets its flag (asleep, a bit in waiters, source_waits) and then looks
 * once more at the word that it waits for (head, acked, passed). Who changes that word first stores it and then looks
 * at the flag. All four are sequentially consistent, so in their one order either the flag comes before the other
 * side's look at it (it is seen, and woken), or the word's store comes before the waiter's second look (it does not
 * wait). A flag is taken by an exchange, so one change wakes once; a flag left behind by who did not wait after all
 * causes a wake-up for nothing. */
#include "partition/lane_impl.h"

#include <assert.h>
#include <string.h>

#define WORD_BITS 64u

/* ---------------------------------------------------------------- cursor */

static void wake_source(struct lanes *lanes)
{
    if (atomic_load(&lanes->source_waits) && atomic_exchange(&lanes->source_waits, false) && lanes->opt.wake_source)
        lanes->opt.wake_source(lanes->opt.ctx);
}

/* Lets go of the segments that the cursor has left and whose items are all acknowledged. */
static bool let_go(struct reader *reader)
{
    struct segment *segment = reader->oldest;
    while (segment != reader->segment && segment->last <= reader->acked)
        segment = segment->next;
    if (segment == reader->oldest)
        return false;
    reader->oldest = segment;
    /* Release part: the reads of those segments come before the source writes them anew. Sequential: source_waits. */
    atomic_store(&reader->passed, segment->seq);
    return true;
}

/* The item at the cursor; NULL when nothing is published beyond. */
static const struct item *peek(struct lanes *lanes, unsigned lane, struct reader *reader)
{
    if (reader->last >= reader->head) {
        reader->head = ledger_head(lanes->ledger, lane);
        if (reader->last >= reader->head)
            return NULL;
    }
    if (!reader->segment)
        reader->segment = reader->oldest = lanes->lane[lane].start;
    for (;;) {
        const struct item_head *head = (const void *)(reader->segment->bytes + reader->offset);
        if (head->kind == ITEM_LINK) {
            reader->segment = reader->segment->next;
            reader->offset = 0;
            if (let_go(reader))
                wake_source(lanes);
        } else if (head->kind == ITEM_TX) {
            reader->tx = &((const struct tx_item *)(const void *)head)->tx;
            reader->query = NULL;
            reader->offset += head->size;
        } else if (head->kind == ITEM_QUERY) {
            reader->query = head->ordinal ? &((const struct query_item *)(const void *)head)->query : NULL;
            reader->offset += head->size;
        } else if (head->ordinal <= reader->acked) {
            reader->offset += head->size; /* after lanes_rewind */
        } else {
            return (const struct item *)(const void *)head;
        }
    }
}

void lanes_rewind(struct lanes *lanes, unsigned lane, unsigned sink)
{
    struct reader *reader = reader_of(lanes, lane, sink);
    reader->segment = reader->oldest;
    reader->offset = 0;
    reader->tx = NULL;
    reader->query = NULL;
    reader->last = reader->acked;
}

/* ---------------------------------------------------------------- tickets */

/* True when `lane` of the sink acknowledged `ordinal`; else lane `waiter` is noted to be woken by its next
 * acknowledgement. */
static bool is_acked(struct lanes *lanes, unsigned lane, unsigned sink, uint64_t ordinal, unsigned waiter)
{
    if (ledger_acked(lanes->ledger, lane, sink) >= ordinal)
        return true;
    atomic_fetch_or(&reader_of(lanes, lane, sink)->waiters[waiter / WORD_BITS], UINT64_C(1) << waiter % WORD_BITS);
    return ledger_acked(lanes->ledger, lane, sink) >= ordinal;
}

/* True when the item may be taken. A TRUNCATE waits for what was before it in each lane: by the lanes' own ordinals, as
 * the ledger's safe ordinal may stand at a BARRIER that waits for this item. */
static bool may_take(struct lanes *lanes, const struct item *item, unsigned lane, unsigned sink)
{
    if (item->head.kind == ITEM_TRUNCATE || item->head.kind == ITEM_STATEMENT) {
        const uint64_t *before = (const uint64_t *)(const void *)item->payload;
        for (unsigned i = 0; i < lanes->opt.lanes; i++)
            if (!is_acked(lanes, i, sink, before[i], lane))
                return false;
        return true;
    }
    if (!(item->head.flags & ITEM_TICKET) || (item->head.kind == ITEM_ROW && lanes->opt.unordered >> sink & 1))
        return true;
    const struct ticket *ticket = (const struct ticket *)(const void *)item->payload;
    return is_acked(lanes, ticket->lane, sink, ticket->ordinal, lane);
}

static void wake_waiters(struct lanes *lanes, struct reader *reader, unsigned sink)
{
    for (unsigned word = 0; word < lanes->waiter_words; word++) {
        if (atomic_load(&reader->waiters[word]) == 0)
            continue;
        for (uint64_t bits = atomic_exchange(&reader->waiters[word], 0); bits; bits &= bits - 1)
            lane_wake(lanes, sink, word * WORD_BITS + (unsigned)__builtin_ctzll(bits));
    }
}

void lanes_ack(struct lanes *lanes, unsigned lane, unsigned sink, uint64_t ordinal)
{
    struct reader *reader = reader_of(lanes, lane, sink);
    assert(ordinal <= reader->last);
    if (ordinal <= reader->acked)
        return;
    reader->acked = ordinal;
    (void)let_go(reader);
    ledger_ack(lanes->ledger, lane, sink, ordinal);
    wake_waiters(lanes, reader, sink);
    wake_source(lanes);
}

/* ---------------------------------------------------------------- read */

static void view_image(struct image *out, const struct item *item, enum item_flag has, enum item_flag has_present,
                       const uint8_t *present, const uint8_t *bytes, size_t len)
{
    *out = (struct image){0};
    if (!(item->head.flags & has))
        return;
    out->present = item->head.flags & has_present ? present : NULL;
    out->bytes = bytes;
    out->len = len;
}

static void view_row(struct change *chg, const struct item *item)
{
    unsigned flags = item->head.flags;
    const uint8_t *p = item->payload + (flags & ITEM_TICKET ? sizeof(struct ticket) : 0);
    chg->key = (const char *)p;
    chg->key_len = item->key_len;
    const uint8_t *before_present = p + item->key_len;
    const uint8_t *after_present = before_present + (flags & ITEM_BEFORE_PRESENT ? bitmap_bytes(item->shape) : 0);
    const uint8_t *partial = after_present + (flags & ITEM_AFTER_PRESENT ? bitmap_bytes(item->shape) : 0);
    uint32_t partial_len = 0;
    if (flags & ITEM_PARTIAL) {
        memcpy(&partial_len, partial, sizeof partial_len);
        partial += sizeof partial_len;
    }
    const uint8_t *before = partial + partial_len;
    view_image(&chg->before, item, ITEM_BEFORE, ITEM_BEFORE_PRESENT, before_present, before, item->before_len);
    view_image(&chg->after, item, ITEM_AFTER, ITEM_AFTER_PRESENT, after_present, before + item->before_len,
               item->after_len);
    chg->after.partial = partial_len ? partial : NULL;
    chg->after.partial_len = partial_len;
    if (item->shape) {
        chg->db = item->shape->tbl->db;
        chg->table = item->shape->tbl->name;
    }
}

static void view(struct lanes *lanes, unsigned lane, unsigned sink, const struct item *item, struct lane_item *out)
{
    const struct reader *reader = reader_of(lanes, lane, sink);
    *out = (struct lane_item){
        .kind = (enum lane_item_kind)(item->head.kind - ITEM_ROW),
        .ordinal = item->head.ordinal,
        .for_sink = item->sink_mask >> sink & 1,
        .bytes = item->bytes,
    };
    struct change *chg = &out->chg;
    chg->op = (enum change_op)item->head.op;
    chg->flags = item->head.flags & ITEM_CHANGE_FLAGS;
    chg->shape = item->shape;
    chg->tx = reader->tx;
    chg->version = (struct version){reader->tx->epoch, reader->tx->sequence, item->version_row};
    chg->pos = item->event_pos;
    chg->event_time = item->event_time;
    chg->row_of_tx = item->row_of_tx;
    chg->lane = lane;
    chg->db = chg->table = "";
    if (item->head.kind == ITEM_ROW) {
        chg->query = reader->query;
        view_row(chg, item);
    } else if (item->head.kind == ITEM_TRUNCATE) {
        chg->db = (const char *)item->payload + lanes->opt.lanes * sizeof(uint64_t);
        chg->table = chg->db + item->key_len;
    } else if (item->head.kind == ITEM_STATEMENT) {
        const uint8_t *p = item->payload + lanes->opt.lanes * sizeof(uint64_t);
        chg->statement = (const struct statement *)(const void *)p;
        chg->db = chg->statement->table_count ? chg->statement->tables[0].db : chg->statement->db;
        chg->table = chg->statement->table_count ? chg->statement->tables[0].name : "";
    }
}

int lanes_read(struct lanes *lanes, unsigned lane, unsigned sink, struct lane_item *out)
{
    struct reader *reader = reader_of(lanes, lane, sink);
    const struct item *item = peek(lanes, lane, reader);
    if (!item)
        return LANE_EMPTY;
    if (!may_take(lanes, item, lane, sink))
        return LANE_BLOCKED;
    view(lanes, lane, sink, item, out);
    reader->last = item->head.ordinal;
    reader->offset += item->head.size;
    return LANE_ITEM;
}

/* ---------------------------------------------------------------- sleep */

void lanes_hold(struct lanes *lanes, unsigned lane, unsigned sink, bool hold)
{
    reader_of(lanes, lane, sink)->held = hold;
}

static struct sleeper *sleeper_of(struct lanes *lanes, unsigned sink, unsigned worker)
{
    return &lanes->sleeper[(size_t)sink * lanes->opt.lanes + worker];
}

bool lanes_sleep(struct lanes *lanes, unsigned sink, unsigned worker, unsigned workers)
{
    if (worker >= lanes->opt.lanes)
        return true; /* it has no lane */
    atomic_store(&lanes->workers[sink], workers);
    atomic_store(&sleeper_of(lanes, sink, worker)->asleep, true);
    for (unsigned lane = worker; lane < lanes->opt.lanes; lane += workers) {
        struct reader *reader = reader_of(lanes, lane, sink);
        if (reader->held)
            continue;
        const struct item *item = peek(lanes, lane, reader);
        if (item && may_take(lanes, item, lane, sink)) {
            atomic_store(&sleeper_of(lanes, sink, worker)->asleep, false);
            return false;
        }
    }
    return true;
}

void lanes_awake(struct lanes *lanes, unsigned sink, unsigned worker, unsigned workers)
{
    (void)workers;
    if (worker < lanes->opt.lanes)
        atomic_store(&sleeper_of(lanes, sink, worker)->asleep, false);
}
