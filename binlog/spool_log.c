/* The spool's log: items out and in. Their layout stands in spool_private.h. */
#include <stdlib.h>

#include "binlog/spool_private.h"

static void put(struct buf *out, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        buf_byte(out, (uint8_t)(v >> (8 * i)));
}

static void put_text(struct buf *out, const char *text)
{
    size_t len = strlen(text);
    put(out, len, 2);
    buf_add(out, text, len);
}

int spool_begin_item(struct buf *out, enum spool_item kind, uint64_t id, struct err *e)
{
    buf_clear(out);
    put(out, kind, 1);
    put(out, id, 8);
    return out->failed ? err_set(e, NO_MEMORY, (size_t)SPOOL_ITEM_HEAD) : 0;
}

unsigned spool_item_kind(struct cursor *item, uint64_t *id)
{
    unsigned kind = cursor_u8(item);
    *id = cursor_u64(item);
    return item->bad || kind > SPOOL_RESOLVED ? 0 : kind;
}

static void put_format(struct buf *out, const struct event_format *format)
{
    put(out, SPOOL_VERSION, 1);
    put(out, format->mariadb, 1);
    put(out, format->server_version, 4);
    put(out, format->post_header_count, 2);
    for (unsigned i = 1; i <= format->post_header_count && i < 256; i++)
        put(out, format->post_header_len[i], 1);
}

int spool_read_head(struct cursor *item, struct event_format *out, struct err *e)
{
    struct event_format format = {.server = ""};
    unsigned version = cursor_u8(item);
    if (version != SPOOL_VERSION)
        return err_set(e, STATE_VERSION, SPOOL_LOG, version, (unsigned)SPOOL_VERSION);
    format.mariadb = cursor_u8(item) != 0;
    format.server_version = cursor_u32(item);
    format.post_header_count = cursor_u16(item);
    if (format.post_header_count > 255)
        return err_set(e, STATE_CORRUPT, SPOOL_LOG, "a layout of events with too many types");
    for (unsigned i = 1; i <= format.post_header_count; i++)
        format.post_header_len[i] = cursor_u8(item);
    if (cursor_finish(item) != 0)
        return err_set(e, STATE_CORRUPT, SPOOL_LOG, "a layout of events of a wrong length");
    *out = format;
    return 0;
}

static void put_mark(struct buf *out, const struct spool_mark *mark)
{
    char gtid[GTID_TEXT_MAX];
    const struct xid *xid = &mark->xid;
    gtid_print(&mark->place.gtid, gtid);
    put(out, xid->format, 4);
    put(out, xid->gtrid_len, 1);
    put(out, xid->bqual_len, 1);
    buf_add(out, xid->bytes, (size_t)xid->gtrid_len + xid->bqual_len);
    put(out, mark->place.begin, 8);
    put(out, mark->place.end, 8);
    put_text(out, mark->place.file);
    put(out, mark->place.gtid.flavor, 1);
    put_text(out, gtid);
    put_text(out, mark->place.server_uuid);
}

static size_t take_text(struct cursor *cur, char *out, size_t size)
{
    size_t len = cursor_u16(cur);
    const uint8_t *text = cursor_take(cur, len);
    if (!text || len >= size) {
        cur->bad = true;
        return 0;
    }
    memcpy(out, text, len);
    out[len] = '\0';
    return len;
}

static int take_mark(struct cursor *cur, struct spool_mark *mark, struct err *e)
{
    char gtid[GTID_TEXT_MAX];
    struct xid *xid = &mark->xid;
    xid->format = cursor_u32(cur);
    xid->gtrid_len = cursor_u8(cur);
    xid->bqual_len = cursor_u8(cur);
    size_t len = (size_t)xid->gtrid_len + xid->bqual_len;
    const uint8_t *bytes = cursor_take(cur, len);
    if (!bytes || xid->gtrid_len > XID_PART_MAX || xid->bqual_len > XID_PART_MAX)
        return err_set(e, STATE_CORRUPT, SPOOL_LOG, "damaged identifier");
    memcpy(xid->bytes, bytes, len);
    mark->place.begin = cursor_u64(cur);
    mark->place.end = cursor_u64(cur);
    (void)take_text(cur, mark->place.file, sizeof mark->place.file);
    enum flavor flavor = cursor_u8(cur) == FLAVOR_MARIADB ? FLAVOR_MARIADB : FLAVOR_MYSQL;
    len = take_text(cur, gtid, sizeof gtid);
    (void)take_text(cur, mark->place.server_uuid, sizeof mark->place.server_uuid);
    if (cursor_finish(cur) != 0)
        return err_set(e, STATE_CORRUPT, SPOOL_LOG, "damaged place");
    mark->place.gtid.flavor = flavor;
    struct err why = ERR_INIT;
    if (len > 0 && gtid_parse(&mark->place.gtid, flavor, gtid, len, &why) != 0)
        return err_set(e, STATE_CORRUPT, SPOOL_LOG, "damaged GTID");
    return 0;
}

/* Writing. */

int spool_write(struct spool *spool, const struct spool_mark *mark, struct err *e)
{
    struct buf head, tail;
    struct state_item items[3];
    size_t count = 0;
    buf_init(&head, 0);
    buf_init(&tail, 0);
    int rc = spool->in_log ? 0 : spool_begin_item(&head, SPOOL_HEAD, spool->id, e);
    if (rc == 0 && !spool->in_log) {
        put_format(&head, &spool->format);
        items[count++] = (struct state_item){head.p, head.len};
    }
    if (spool->records.len > SPOOL_ITEM_HEAD)
        items[count++] = (struct state_item){spool->records.p, spool->records.len};
    if (rc == 0 && mark) {
        rc = spool_begin_item(&tail, SPOOL_PREPARED, spool->id, e);
        put(&tail, spool->bytes, 8);
        put_mark(&tail, mark);
        items[count++] = (struct state_item){tail.p, tail.len};
    }
    if (rc == 0 && (head.failed || tail.failed))
        rc = err_set(e, NO_MEMORY, tail.len);
    if (rc == 0)
        rc = state_append_all(spool->opt.state, SPOOL_LOG, items, count, e);
    if (rc == 0)
        rc = state_end(spool->opt.state, SPOOL_LOG, &spool->log_end, e);
    if (rc == 0)
        rc = spool_begin_item(&spool->records, SPOOL_EVENTS, spool->id, e);
    spool->in_log = spool->in_log || rc == 0;
    buf_release(&head);
    buf_release(&tail);
    return rc;
}

int spool_write_resolved(struct spool *spool, const struct spool_mark *mark, struct err *e)
{
    struct buf item;
    buf_init(&item, 0);
    int rc = spool_begin_item(&item, SPOOL_RESOLVED, mark->id, e);
    put_mark(&item, mark);
    if (rc == 0 && item.failed)
        rc = err_set(e, NO_MEMORY, item.len);
    if (rc == 0)
        rc = state_append(spool->opt.state, SPOOL_LOG, item.p, item.len, e);
    if (rc == 0)
        rc = state_end(spool->opt.state, SPOOL_LOG, &spool->log_end, e);
    buf_release(&item);
    return rc;
}

/* Reading. */

/* The scan's place: the transaction whose HEAD was met last. */
struct loading {
    struct spool *spool;
    uint64_t entry, next; /* begin of the entry at hand, and of the one behind it */
    uint64_t id, from;
};

static int load_mark(struct loading *load, struct cursor *item, uint64_t id, bool resolves, struct err *e)
{
    struct spool_mark *mark = (struct spool_mark *)calloc(1, sizeof *mark);
    if (!mark)
        return err_set(e, NO_MEMORY, sizeof *mark);
    buf_init(&mark->records, 0);
    mark->id = id;
    mark->resolves = resolves;
    if (!resolves) {
        mark->bytes = cursor_u64(item);
        mark->log_from = load->from;
        mark->log_till = load->next;
    }
    int rc = take_mark(item, mark, e);
    if (rc != 0) {
        spool_mark_free(mark);
        return rc;
    }
    return spool_keep_mark(load->spool, mark, e);
}

static int load_item(struct loading *load, const struct state_item *bytes, struct err *e)
{
    uint64_t id = 0;
    struct cursor item = cursor_over(bytes->bytes, bytes->len);
    unsigned kind = spool_item_kind(&item, &id);
    if (kind == 0 || id < load->id)
        return err_set(e, STATE_CORRUPT, SPOOL_LOG, "an item of no known kind");
    if (id >= load->spool->next_id)
        load->spool->next_id = id + 1;
    bool follows = id == load->id;
    load->id = id;
    switch (kind) {
    case SPOOL_HEAD:
        load->from = load->entry;
        return 0;
    case SPOOL_RESOLVED:
        return load_mark(load, &item, id, true, e);
    case SPOOL_PREPARED:
        if (follows)
            return load_mark(load, &item, id, false, e);
        return err_set(e, STATE_CORRUPT, SPOOL_LOG, "the end of a transaction that has no begin");
    default:
        return follows ? 0 : err_set(e, STATE_CORRUPT, SPOOL_LOG, "events of a transaction that has no begin");
    }
}

int spool_load(struct spool *spool, struct err *e)
{
    struct loading load = {.spool = spool};
    struct state_item item;
    struct buf entry;
    buf_init(&entry, 0);
    int rc = state_end(spool->opt.state, SPOOL_LOG, &spool->log_end, e);
    while (rc == 0 && load.next < spool->log_end) {
        load.entry = load.next;
        rc = state_read_entry(spool->opt.state, SPOOL_LOG, &load.next, &entry, e);
        struct cursor items = cursor_over(entry.p, rc == 0 ? entry.len : 0);
        while (rc == 0 && state_take_item(&items, &item))
            rc = load_item(&load, &item, e);
    }
    buf_release(&entry);
    return rc;
}

/* Rewriting. */

static bool keep(void *ctx, const struct state_item *bytes)
{
    const struct spool *spool = ctx;
    uint64_t id = 0;
    struct cursor item = cursor_over(bytes->bytes, bytes->len);
    (void)spool_item_kind(&item, &id);
    size_t low = 0, high = spool->mark_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (spool->marks[middle]->id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < spool->mark_count && spool->marks[low]->id == id && !spool->marks[low]->dropped;
}

int spool_rewrite(struct spool *spool, struct err *e)
{
    return state_compact(spool->opt.state, SPOOL_LOG, keep, spool, e);
}

int spool_relocate(struct spool *spool, struct err *e)
{
    struct spool fresh = {.opt = spool->opt};
    int rc = spool_load(&fresh, e);
    if (rc == 0 && fresh.mark_count != spool->mark_count)
        rc = err_set(e, STATE_CORRUPT, SPOOL_LOG, "what was rewritten is not what was there");
    for (size_t i = 0; i < fresh.mark_count; i++) {
        if (rc == 0) {
            spool->marks[i]->log_from = fresh.marks[i]->log_from;
            spool->marks[i]->log_till = fresh.marks[i]->log_till;
        }
        spool_mark_free(fresh.marks[i]);
    }
    free(fresh.marks);
    free(fresh.buckets);
    spool->log_end = fresh.log_end;
    return rc;
}
