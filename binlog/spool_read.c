/* Reading a transaction of the spool, event by event. */
#include "base/hash.h"
#include "binlog/spool_private.h"

static int corrupt(const char *what, struct err *e)
{
    return err_set(e, STATE_CORRUPT, SPOOL_LOG, what);
}

/* The next item of the log that belongs to the transaction: 1; 0 behind the last. */
static int next_item(struct spool *spool, struct cursor *out, unsigned *kind, struct err *e)
{
    struct spool_reading *rd = &spool->reading;
    struct state_item item;
    uint64_t id = 0;
    for (;;) {
        while (state_take_item(&rd->items, &item)) {
            *out = cursor_over(item.bytes, item.len);
            *kind = spool_item_kind(out, &id);
            if (id == rd->id)
                return 1;
        }
        if (rd->items.bad)
            return corrupt("the items do not fill their entry", e);
        if (rd->at >= rd->till)
            return 0;
        int rc = state_read_entry(spool->opt.state, SPOOL_LOG, &rd->at, &rd->entry, e);
        if (rc != 0)
            return rc;
        rd->items = cursor_over(rd->entry.p, rd->entry.len);
    }
}

static int read_format(struct spool *spool, struct event_format *format, struct err *e)
{
    struct cursor item;
    unsigned kind = 0;
    int rc = next_item(spool, &item, &kind, e);
    if (rc < 0)
        return rc;
    if (rc == 0 || kind != SPOOL_HEAD)
        return corrupt("a transaction does not begin where it should", e);
    return spool_read_head(&item, format, e);
}

int spool_rewind(struct spool *spool, const struct xid *xid, struct event_format *format, struct err *e)
{
    const struct spool_mark *mark = xid ? spool_find_open(spool, xid) : NULL;
    struct spool_reading *rd = &spool->reading;
    if (!mark && (xid || !spool->is_open))
        return err_set(e, BUG, "there is nothing of it to be read");
    bool in_log = mark ? spool->opt.state != NULL : spool->in_log;
    rd->active = true;
    rd->in_tail = false;
    rd->tail = mark ? &mark->records : &spool->records;
    rd->id = mark ? mark->id : spool->id;
    rd->at = mark ? mark->log_from : spool->log_from;
    rd->till = mark ? mark->log_till : 0;
    rd->items = rd->records = cursor_over(NULL, 0);
    if (!in_log) {
        *format = mark ? mark->format : spool->format;
        rd->at = rd->till = 0;
        return 0;
    }
    if (!mark) {
        int rc = state_end(spool->opt.state, SPOOL_LOG, &rd->till, e);
        if (rc != 0)
            return rc;
    }
    return read_format(spool, format, e);
}

static int take_event(struct cursor *records, struct spool_event *out, struct err *e)
{
    const uint8_t *head = records->p;
    struct spool_event event = {.type = cursor_u8(records)};
    event.left_out = cursor_u8(records) != 0;
    event.ordinal = cursor_u32(records);
    event.len = cursor_u32(records);
    uint32_t crc = cursor_u32(records);
    event.body = cursor_take(records, event.len);
    if (records->bad)
        return corrupt("an event does not end in its item", e);
    if (crc != hash_crc32(hash_crc32(0, head, 10), event.body, event.len))
        return corrupt("an event does not match its CRC", e);
    *out = event;
    return 1;
}

int spool_next(struct spool *spool, struct spool_event *out, struct err *e)
{
    struct spool_reading *rd = &spool->reading;
    while (cursor_left(&rd->records) == 0) {
        unsigned kind = 0;
        if (rd->in_tail)
            return 0;
        int rc = next_item(spool, &rd->records, &kind, e);
        if (rc < 0)
            return rc;
        if (rc == 1 && kind != SPOOL_EVENTS)
            rd->records = cursor_over(NULL, 0);
        if (rc == 0) {
            rd->in_tail = true;
            rd->records = cursor_over(rd->tail->p, rd->tail->len);
            if (rd->tail->len > 0)
                cursor_skip(&rd->records, SPOOL_ITEM_HEAD);
        }
    }
    return take_event(&rd->records, out, e);
}
