/* The source's side of lanes: appending. What becomes of it: lane_publish.c, lane_rollback.c. */
#include "partition/lane_impl.h"

#include <assert.h>
#include <string.h>

_Static_assert(sizeof(struct tx_item) + FILEPOS_FILE_MAX + 1 + sizeof(struct query_item) +
                       LANE_SEGMENT_BYTES_MIN / LANE_QUERY_PART + sizeof(struct item) + LINK_BYTES + 2 * ITEM_ALIGN <=
                   LANE_SEGMENT_BYTES_MIN,
               "a segment holds a TX and a QUERY header, an item whose payload is outside, and its link");
_Static_assert(sizeof(struct item) % ITEM_ALIGN == 0 && sizeof(struct ticket) % ITEM_ALIGN == 0,
               "payloads are aligned");

/* Bytes of the TX and QUERY headers that the lane's next item needs. */
static size_t header_bytes(const struct lanes *lanes, const struct mark *at)
{
    bool tx = at->tx_written != lanes->tx_id;
    bool query = (tx ? 0 : at->query_written) != lanes->query_id;
    return (tx ? lanes->tx->head.size : 0) + (query ? lanes->query->head.size : 0);
}

/* Bytes of an item in its segment, with its headers and the link that it may need. */
static size_t room_for(size_t item_bytes, size_t headers)
{
    return item_bytes + LINK_BYTES + headers;
}

static bool is_outside(const struct lanes *lanes, size_t payload_bytes)
{
    /* The first test keeps the sum below from wrapping. */
    return payload_bytes > lanes->pool.segment_bytes ||
           room_for(sizeof(struct item) + item_align(payload_bytes), header_bytes(lanes, &(struct mark){0})) >
               lanes->pool.segment_bytes;
}

static bool needs_segment(const struct lanes *lanes, const struct lane *lane, size_t item_bytes)
{
    return !lane->at.segment ||
           lane->at.used + room_for(item_bytes, header_bytes(lanes, &lane->at)) > lanes->pool.segment_bytes;
}

/* There is one: pool_has_room was asked. */
static void open_segment(struct lanes *lanes, struct lane *lane)
{
    struct segment *segment = pool_take(&lanes->pool), *tail = lane->at.segment;
    assert(segment);
    if (tail) {
        struct item_head *link = (struct item_head *)(void *)(tail->bytes + lane->at.used);
        link->size = LINK_BYTES;
        link->kind = ITEM_LINK;
        tail->next = segment;
        tail->last = lane->at.last;
        segment->seq = tail->seq + 1;
    } else {
        lane->start = lane->first = segment;
        segment->seq = 1;
    }
    lane->at = (struct mark){.segment = segment, .last = lane->at.last};
    lanes->open_taken += lanes->pool.segment_bytes;
}

static void write_tx(struct lanes *lanes, struct lane *lane)
{
    struct tx_item *copy = (struct tx_item *)(void *)(lane->at.segment->bytes + lane->at.used);
    memcpy(copy, lanes->tx, lanes->tx->head.size);
    copy->tx.file = copy->file;
    lane->at.used += copy->head.size;
    lane->at.tx_written = lanes->tx_id;
    lane->at.query_written = 0;
}

static void write_query(struct lanes *lanes, struct lane *lane)
{
    struct query_item *copy = (struct query_item *)(void *)(lane->at.segment->bytes + lane->at.used);
    memcpy(copy, lanes->query, lanes->query->head.size);
    copy->query.text = copy->text;
    lane->at.used += copy->head.size;
    lane->at.query_written = lanes->query_id;
}

/* Appends the blob to its lane's list; there are few. */
static void keep_blob(struct lane *lane, struct blob *blob)
{
    struct blob **link = &lane->blobs;
    while (*link)
        link = &(*link)->next;
    *link = blob;
}

/* Puts an item with room for its payload behind the lane's last one; the caller fills both. `spare`: segments that must
 * be left for what follows. LANES_FULL and what is wanted, or 0; or NO_MEMORY. */
static int place(struct lanes *lanes, unsigned index, size_t payload_bytes, unsigned spare, struct item **out,
                 struct err *e)
{
    struct lane *lane = &lanes->lane[index];
    bool outside = is_outside(lanes, payload_bytes);
    size_t inside = sizeof(struct item) + (outside ? 0 : item_align(payload_bytes));
    struct blob *blob = NULL;
    if (!lane->open_first)
        lane->open = lane->at;
    bool segment = needs_segment(lanes, lane, inside);
    if (segment)
        lane_take_back(lanes, index);
    if (segment || outside) {
        lanes->want_blob = outside ? payload_bytes : 0;
        lanes->want_segments = segment + spare;
        if (!pool_has_room(&lanes->pool, lanes->want_blob, lanes->want_segments))
            return LANES_FULL;
    }
    if (outside && pool_take_blob(&lanes->pool, payload_bytes, segment + spare, &blob, e) != 0)
        return err_result(e);
    if (segment)
        open_segment(lanes, lane);
    if (lane->at.tx_written != lanes->tx_id)
        write_tx(lanes, lane);
    if (lane->at.query_written != lanes->query_id)
        write_query(lanes, lane);
    uint64_t ordinal = ++lanes->ordinal;
    struct item *item = (struct item *)(void *)(lane->at.segment->bytes + lane->at.used);
    *item = (struct item){.head = {.size = (uint32_t)inside, .ordinal = ordinal},
                          .bytes = inside + (blob ? blob->size : 0),
                          .payload = blob ? blob->bytes : (uint8_t *)(item + 1)};
    if (blob) {
        item->head.flags = ITEM_OUTSIDE;
        blob->ordinal = ordinal;
        keep_blob(lane, blob);
        lanes->open_taken += blob->size;
    }
    if (!lane->at.segment->first)
        lane->at.segment->first = ordinal;
    if (!lane->open_first)
        lane->open_first = ordinal;
    lane->at.used += inside;
    lane->at.last = ordinal;
    lane->at.item = item;
    lane->open_bytes += item->bytes;
    lane_list_add(&lanes->open, &lane->in_open, index);
    lane_list_add(&lanes->event, &lane->in_event, index);
    *out = item;
    return 0;
}

static uint8_t *put(uint8_t *p, const void *bytes, size_t len)
{
    if (len)
        memcpy(p, bytes, len);
    return p + len;
}

int lanes_add(struct lanes *lanes, unsigned lane, const struct lane_row *row, uint64_t *ordinal, struct err *e)
{
    assert(lanes->in_tx && lane < lanes->opt.lanes);
    size_t bitmap = bitmap_bytes(row->shape);
    size_t present = (row->before.present ? bitmap : 0) + (row->after.present ? bitmap : 0);
    present += row->after.partial ? sizeof(uint32_t) + row->after.partial_len : 0;
    size_t payload = (row->has_ticket ? sizeof(struct ticket) : 0) + row->key_len + present;
    size_t before = row->before.bytes ? row->before.len : 0, after = row->after.bytes ? row->after.len : 0;
    size_t max = lanes->opt.max_item_bytes;
    if (row->key_len > max || before > max || after > max || payload + before + after > max)
        return err_set(e, LIMIT, "max_event_bytes: a row", payload + before + after, max);
    payload += before + after;
    struct item *item;
    int rc = place(lanes, lane, payload, 0, &item, e);
    if (rc != 0)
        return rc;
    unsigned flags = item->head.flags | row->flags;
    flags |= (row->before.bytes ? ITEM_BEFORE : 0u) | (row->after.bytes ? ITEM_AFTER : 0u);
    flags |= (row->before.present ? ITEM_BEFORE_PRESENT : 0u) | (row->after.present ? ITEM_AFTER_PRESENT : 0u);
    flags |= (row->has_ticket ? ITEM_TICKET : 0u) | (row->after.partial ? ITEM_PARTIAL : 0u);
    item->head.kind = ITEM_ROW;
    item->head.op = (uint8_t)row->op;
    item->head.flags = (uint16_t)flags;
    item->sink_mask = row->sink_mask;
    item->key_len = (uint32_t)row->key_len;
    item->version_row = row->version_row;
    item->event_pos = row->event_pos;
    item->event_time = row->event_time;
    item->row_of_tx = row->row_of_tx;
    item->shape = row->shape;
    item->before_len = (uint32_t)before;
    item->after_len = (uint32_t)after;
    uint8_t *p = item->payload;
    if (row->has_ticket) {
        assert(row->ticket_ordinal < item->head.ordinal);
        struct ticket ticket = {.ordinal = row->ticket_ordinal, .lane = row->ticket_lane};
        p = put(p, &ticket, sizeof ticket);
    }
    p = put(p, row->key, row->key_len);
    p = put(p, row->before.present, row->before.present ? bitmap : 0);
    p = put(p, row->after.present, row->after.present ? bitmap : 0);
    if (row->after.partial) {
        uint32_t partial_len = (uint32_t)row->after.partial_len;
        p = put(p, &partial_len, sizeof partial_len);
        p = put(p, row->after.partial, row->after.partial_len);
    }
    p = put(p, row->before.bytes, before);
    put(p, row->after.bytes, after);
    *ordinal = item->head.ordinal;
    return 0;
}

int lanes_mark(struct lanes *lanes, enum change_op op, uint32_t sink_mask, uint32_t records, struct err *e)
{
    assert(lanes->in_tx);
    struct item *item, *last = lanes->lane[0].at.item;
    bool has_rows = lanes->lane[0].open_first && last && last->head.kind == ITEM_ROW;
    if (op == CHANGE_END)
        lane_mark_last_row(lanes);
    int rc = place(lanes, 0, 0, 0, &item, e);
    if (rc != 0)
        return rc;
    if (op == CHANGE_END && has_rows)
        last->head.flags |= CHANGE_LAST_IN_EVENT | CHANGE_LAST_IN_TX;
    item->row_of_tx = records;
    item->head.kind = ITEM_MARK;
    item->head.op = (uint8_t)op;
    item->sink_mask = sink_mask;
    item->event_pos = lanes->tx->tx.pos;
    item->version_row = op == CHANGE_END ? UINT64_MAX : 0;
    return 0;
}

/* Segments that an item in lane 0 and the BARRIERs elsewhere need, after taking back. */
static unsigned segments_for_barrier(struct lanes *lanes, size_t item_bytes)
{
    unsigned need = 0;
    for (unsigned i = 0; i < lanes->opt.lanes; i++) {
        lane_take_back(lanes, i);
        size_t bytes = sizeof(struct item) + (i == 0 ? item_bytes : sizeof(struct ticket));
        need += needs_segment(lanes, &lanes->lane[i], bytes);
    }
    return need;
}

/* An item of lane 0 that waits for everything before it in all lanes, with room for `bytes` behind their ordinals: *out
 * and, at *p, that room. */
static int place_barrier(struct lanes *lanes, size_t bytes, struct item **out, uint8_t **p, struct err *e)
{
    unsigned count = lanes->opt.lanes;
    size_t payload = count * sizeof(uint64_t) + bytes;
    bool outside = is_outside(lanes, payload);
    size_t inside = outside ? 0 : item_align(payload);
    if (payload > lanes->opt.max_item_bytes)
        return err_set(e, LIMIT, "max_event_bytes: a statement", payload, lanes->opt.max_item_bytes);
    lanes->want_blob = outside ? payload : 0;
    lanes->want_segments = segments_for_barrier(lanes, inside);
    if (!pool_has_room(&lanes->pool, lanes->want_blob, lanes->want_segments))
        return LANES_FULL;
    uint64_t before_first = lanes->lane[0].at.last;
    unsigned own = needs_segment(lanes, &lanes->lane[0], sizeof **out + inside);
    int rc = place(lanes, 0, payload, lanes->want_segments - own, out, e);
    if (rc != 0)
        return rc;
    *p = (*out)->payload;
    for (unsigned i = 0; i < count; i++) {
        uint64_t before = i == 0 ? before_first : lanes->lane[i].at.last;
        *p = put(*p, &before, sizeof before);
    }
    (*out)->version_row = version_row(lanes->truncates++, 0, 0);
    return 0;
}

/* The other lanes wait for the item. There is room for all of them: place_barrier saw to it. */
static void close_barrier(struct lanes *lanes, const struct item *item, struct err *e)
{
    struct ticket ticket = {.ordinal = item->head.ordinal, .lane = 0};
    for (unsigned i = 1; i < lanes->opt.lanes; i++) {
        struct item *barrier;
        int rc = place(lanes, i, sizeof(struct ticket), 0, &barrier, e);
        assert(rc == 0);
        (void)rc;
        barrier->head.kind = ITEM_BARRIER;
        barrier->head.op = item->head.op;
        barrier->head.flags |= ITEM_TICKET;
        put(barrier->payload, &ticket, sizeof ticket);
    }
}

/* The names lie behind the ordinals that the item waits for. */
static void fill_truncate(struct item *item, uint8_t *names, const char *db, const char *table)
{
    item->head.kind = ITEM_TRUNCATE;
    item->head.op = CHANGE_TRUNCATE;
    item->key_len = (uint32_t)strlen(db) + 1;
    put(put(names, db, item->key_len), table, strlen(table) + 1);
}

int lanes_truncate_table(struct lanes *lanes, const char *db, const char *table, const struct shape *shape,
                         uint32_t sink_mask, struct err *e)
{
    assert(lanes->in_tx);
    struct item *item;
    uint8_t *p;
    int rc = place_barrier(lanes, strlen(db) + strlen(table) + 2, &item, &p, e);
    if (rc != 0)
        return rc;
    fill_truncate(item, p, db, table);
    item->sink_mask = sink_mask;
    item->event_pos = lanes->tx->tx.pos;
    item->shape = shape;
    close_barrier(lanes, item, e);
    return 0;
}

int lanes_truncate_lane(struct lanes *lanes, unsigned lane, const struct lane_truncate *in, uint64_t *ordinal,
                        struct err *e)
{
    assert(lanes->in_tx && lane < lanes->opt.lanes);
    size_t ordinals = lanes->opt.lanes * sizeof(uint64_t);
    uint64_t before = lanes->lane[lane].at.last;
    struct item *item;
    int rc = place(lanes, lane, ordinals + strlen(in->db) + strlen(in->table) + 2, 0, &item, e);
    if (rc != 0)
        return rc;
    memset(item->payload, 0, ordinals);
    memcpy(item->payload + lane * sizeof before, &before, sizeof before);
    fill_truncate(item, item->payload + ordinals, in->db, in->table);
    item->head.flags |= CHANGE_OF_LANE;
    item->sink_mask = in->sink_mask;
    item->event_pos = in->event_pos;
    item->version_row = in->version_row;
    *ordinal = item->head.ordinal;
    return 0;
}

/* Where the next part of a statement is copied to; `at` NULL: only counted. */
struct copying {
    uint8_t *at;
    size_t len;
};

static const void *copy_part(struct copying *to, const void *bytes, size_t len)
{
    uint8_t *p = to->at ? to->at + to->len : NULL;
    if (p && len)
        memcpy(p, bytes, len);
    to->len += item_align(len);
    return p;
}

static const char *copy_name(struct copying *to, const char *name)
{
    return name ? copy_part(to, name, strlen(name) + 1) : NULL;
}

/* The statement and all that it points to, one behind the other: its size, and its copy when there is room. */
static size_t copy_statement(uint8_t *at, const struct statement *in)
{
    struct copying to = {.at = at};
    struct statement copy = *in;
    (void)copy_part(&to, in, sizeof *in);
    uint8_t *tables = (uint8_t *)(uintptr_t)copy_part(&to, in->tables, in->table_count * sizeof *in->tables);
    copy.tables = (const struct statement_table *)(const void *)tables;
    copy.text = copy_part(&to, in->text, in->len);
    copy.db = copy_name(&to, in->db);
    copy.charset = copy_name(&to, in->charset);
    for (unsigned i = 0; i < in->table_count; i++) {
        struct statement_table tbl = in->tables[i];
        tbl.db = copy_name(&to, tbl.db);
        tbl.name = copy_name(&to, tbl.name);
        tbl.new_db = copy_name(&to, tbl.new_db);
        tbl.new_name = copy_name(&to, tbl.new_name);
        if (tables)
            memcpy(tables + i * sizeof tbl, &tbl, sizeof tbl);
    }
    if (at)
        memcpy(at, &copy, sizeof copy);
    return to.len;
}

int lanes_statement(struct lanes *lanes, const struct lane_statement *in, struct err *e)
{
    assert(lanes->in_tx);
    struct item *item;
    uint8_t *p;
    int rc = place_barrier(lanes, copy_statement(NULL, in->statement), &item, &p, e);
    if (rc != 0)
        return rc;
    item->head.kind = ITEM_STATEMENT;
    item->head.op = CHANGE_STATEMENT;
    item->sink_mask = in->sink_mask;
    item->event_pos = in->pos;
    item->event_time = in->time;
    (void)copy_statement(p, in->statement);
    close_barrier(lanes, item, e);
    return 0;
}
