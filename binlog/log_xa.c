/* XA transactions: what is prepared goes to the spool, and comes out of it when it is committed.
 *
 * The log of both flavours, event by event:
 *
 *   MySQL    GTID · QUERY "XA START xid" · rows · QUERY "XA END xid" · XA_PREPARE             prepared
 *            the same with XA_PREPARE that says one phase                                     committed at once
 *   MariaDB  GTID with PREPARED_XA · rows · QUERY "XA END xid" · XA_PREPARE                   prepared
 *            (one phase is an ordinary transaction)
 *   both     GTID (MariaDB: with COMPLETED_XA) · QUERY "XA COMMIT xid" or "XA ROLLBACK xid"   resolved
 *
 * A transaction without changes writes none of these. With binlog_transaction_compression the first two stand, behind
 * their GTID, in a TRANSACTION_PAYLOAD. Sources: MySQL manual "XA Transactions", MariaDB manual "XA Transactions",
 * XA_prepare_log_event of both; seen on MySQL 9.7 and MariaDB 10.11. */
#include "binlog/log_reader_private.h"

#define ROWS_HEAD_BYTES 8 /* table id and flags: what is kept of rows that nobody wants */

/* Compressed ones come here decompressed. */
static bool is_rows(uint8_t type)
{
    return (type >= EVENT_WRITE_ROWS_V1 && type <= EVENT_DELETE_ROWS_V1) ||
           (type >= EVENT_WRITE_ROWS && type <= EVENT_DELETE_ROWS) || type == EVENT_PARTIAL_UPDATE_ROWS;
}

bool log_xa_holds(uint8_t type)
{
    return is_rows(type) || type == EVENT_TABLE_MAP || type == EVENT_ROWS_QUERY || type == EVENT_ANNOTATE;
}

int log_xa_begin(struct log_reader *reader, const struct log_event *ev, struct err *e)
{
    if (reader->state == TX_OPEN)
        return err_set(e, CORRUPT, "a transaction begins inside another");
    if (reader->state == TX_NONE)
        log_tx_begin(reader, ev);
    if (!reader->scanning) {
        int rc = spool_begin(reader->spool, &reader->format, e);
        if (rc != 0)
            return rc;
        reader->xa.preparing = true;
    }
    reader->state = TX_OPEN;
    return LOG_READER_NONE;
}

void log_xa_drop(struct log_reader *reader)
{
    reader->xa = (struct log_xa){.preparing = false};
    spool_drop(reader->spool);
}

static int hold_rows(struct log_reader *reader, const struct log_event *ev, struct err *e)
{
    struct spool_event event = {.type = ev->header.type, .ordinal = reader->ordinal};
    struct cursor body = ev->body;
    const struct event_format *format = &reader->format;
    bool small = format->post_header_count >= event.type && format->post_header_len[event.type] == 6;
    uint64_t id = cursor_le(&body, small ? 4 : 6);
    uint16_t flags = cursor_u16(&body);
    if (body.bad)
        return err_set(e, CORRUPT, "ROWS event: it ends in its head");
    if (reader->ordinal == UINT32_MAX)
        return err_set(e, LIMIT, "ROWS events in one transaction", (size_t)reader->ordinal + 1, (size_t)UINT32_MAX);
    reader->ordinal++;
    const struct table_entry *entry = table_cache_find(&reader->tables, id);
    bool dummy = id == EVENT_ROWS_DUMMY_TABLE && flags & EVENT_ROWS_STATEMENT_END;
    if (!entry && !dummy)
        return err_set(e, CORRUPT, "rows of a table id that no TABLE_MAP event of the statement has named");
    event.left_out = dummy || !entry->wanted;
    event.body = ev->body.p;
    event.len = event.left_out ? ROWS_HEAD_BYTES - (small ? 2 : 0) : cursor_left(&ev->body);
    if (flags & EVENT_ROWS_STATEMENT_END)
        table_cache_end_statement(&reader->tables);
    return spool_add(reader->spool, &event, e);
}

int log_xa_hold(struct log_reader *reader, const struct log_event *ev, struct err *e)
{
    if (is_rows(ev->header.type))
        return hold_rows(reader, ev, e);
    if (ev->header.type == EVENT_TABLE_MAP) {
        int rc = table_cache_map(&reader->tables, ev->body, &reader->format, reader->opt.interest, e);
        if (rc != 0)
            return rc;
    }
    bool text = ev->header.type == EVENT_ROWS_QUERY || ev->header.type == EVENT_ANNOTATE;
    if (text && reader->opt.query_max_bytes == 0)
        return LOG_READER_NONE;
    const struct spool_event event = {
        .type = ev->header.type, .body = ev->body.p, .len = cursor_left(&ev->body), .ordinal = reader->ordinal};
    return spool_add(reader->spool, &event, e);
}

static void place_of(const struct log_reader *reader, const struct log_event *ev, struct spool_place *out)
{
    *out = (struct spool_place){.begin = reader->tx.pos, .end = ev->end, .gtid = reader->tx.gtid};
    memcpy(out->file, reader->begin_file, sizeof out->file);
    memcpy(out->server_uuid, reader->server_uuid, sizeof out->server_uuid);
}

/* A transaction of the log that changes nothing yet, or never. */
static int boundary(struct log_reader *reader, const struct log_event *ev, struct rowset *out, struct err *e)
{
    log_rowset(reader, ROWSET_DDL, out);
    int rc = log_tx_end(reader, ev, e);
    out->end = reader->boundary.at;
    return rc == 0 ? LOG_READER_ROWSET : rc;
}

/* The open transaction is committed at once. */
int log_xa_one_phase(struct log_reader *reader, const struct log_event *ev, struct rowset *out, struct err *e)
{
    int rc = spool_rewind(reader->spool, NULL, &reader->xa.format, e);
    if (rc != 0)
        return rc;
    reader->xa.preparing = false;
    reader->xa.emitting = true;
    return log_xa_emit(reader, ev, out, e);
}

int log_xa_prepare(struct log_reader *reader, const struct log_event *ev, struct rowset *out, struct err *e)
{
    struct event_xa_prepare prepare;
    struct spool_place place;
    int rc = event_xa_prepare_read(&prepare, ev->body, e);
    if (rc != 0)
        return rc;
    if (reader->scanning)
        return boundary(reader, ev, out, e);
    if (!reader->xa.preparing)
        return err_set(e, CORRUPT, "XA PREPARE outside an XA transaction: the start position is not a boundary");
    if (prepare.one_phase)
        return log_xa_one_phase(reader, ev, out, e);
    place_of(reader, ev, &place);
    reader->xa.preparing = false;
    rc = spool_prepare(reader->spool, &prepare.xid, &place, e);
    return rc == 0 ? boundary(reader, ev, out, e) : rc;
}

int log_xa_rollback(struct log_reader *reader, const struct log_event *ev, const struct xid *xid, struct rowset *out,
                    struct err *e)
{
    struct spool_place place;
    bool prepared = !reader->xa.preparing && !reader->scanning;
    if (prepared && reader->state == TX_OPEN)
        return err_set(e, CORRUPT, "an XA transaction is resolved inside another");
    if (reader->state == TX_NONE)
        log_tx_begin(reader, ev);
    log_xa_drop(reader);
    place_of(reader, ev, &place);
    int rc = prepared ? spool_resolve(reader->spool, xid, &place, e) : 0;
    return rc == 0 ? boundary(reader, ev, out, e) : rc;
}

/* Its PREPARE lies before the start, or was never logged. */
static int unknown(struct log_reader *reader, const struct log_event *ev, const struct xid *xid, struct rowset *out,
                   struct err *e)
{
    char text[XID_TEXT_MAX];
    xid_print(xid, text);
    if (reader->opt.on_unknown_xa == ON_UNKNOWN_XA_STOP)
        return err_set(e, XA_UNKNOWN, text);
    reader->xa.noted = !reader->xa.noted;
    if (!reader->xa.noted)
        return boundary(reader, ev, out, e);
    log_rowset(reader, ROWSET_NOTE, out);
    (void)err_set(&out->note, XA_UNKNOWN, text);
    return LOG_READER_AGAIN;
}

int log_xa_commit(struct log_reader *reader, const struct log_event *ev, const struct xid *xid, struct rowset *out,
                  struct err *e)
{
    if (reader->xa.preparing)
        return log_xa_one_phase(reader, ev, out, e);
    if (reader->state == TX_OPEN && !reader->scanning)
        return err_set(e, CORRUPT, "an XA transaction is resolved inside another");
    if (reader->state == TX_NONE)
        log_tx_begin(reader, ev);
    if (reader->scanning)
        return boundary(reader, ev, out, e);
    reader->state = TX_NAMED;
    if (!spool_find(reader->spool, xid, NULL))
        return unknown(reader, ev, xid, out, e);
    int rc = spool_rewind(reader->spool, xid, &reader->xa.format, e);
    if (rc != 0)
        return rc;
    reader->xa.emitting = true;
    reader->xa.resolves = true;
    reader->xa.xid = *xid;
    return log_xa_emit(reader, ev, out, e);
}

/* Rows of a table that no route wanted when they were read: they are not there. */
static int left_out(struct log_reader *reader, const struct spool_event *event, struct err *e)
{
    struct cursor body = cursor_over(event->body, event->len);
    const struct table_entry *entry =
        table_cache_find(&reader->tables, cursor_le(&body, event->len < ROWS_HEAD_BYTES ? 4 : 6));
    if (!entry || !entry->wanted) {
        if (cursor_u16(&body) & EVENT_ROWS_STATEMENT_END)
            log_end_statement(reader);
        return LOG_READER_NONE;
    }
    struct spool_place place = {.begin = reader->tx.pos};
    memcpy(place.file, reader->begin_file, sizeof place.file);
    (void)spool_find(reader->spool, &reader->xa.xid, &place);
    return err_set(e, XA_LEFT_OUT, entry->wire.db, entry->wire.name, place.file, place.begin);
}

static int emit_event(struct log_reader *reader, const struct log_event *ev, const struct spool_event *event,
                      struct rowset *out, struct err *e)
{
    if (event->left_out)
        return left_out(reader, event, e);
    struct log_event inner = *ev;
    struct event_format format = reader->format;
    inner.bytes = NULL;
    inner.len = 0;
    if (reader->payload.open)
        inner.begin = reader->tx.pos;
    inner.header.type = event->type;
    inner.header.flags = 0;
    inner.body = cursor_over(event->body, event->len);
    reader->ordinal = event->ordinal;
    reader->format = reader->xa.format;
    reader->xa.emitting = false;
    int rc = log_dispatch(reader, &inner, out, e);
    reader->xa.emitting = true;
    reader->format = format;
    return rc;
}

static int emit_end(struct log_reader *reader, const struct log_event *ev, struct rowset *out, struct err *e)
{
    struct spool_place place;
    place_of(reader, ev, &place);
    int rc = reader->xa.resolves ? spool_resolve(reader->spool, &reader->xa.xid, &place, e) : 0;
    if (rc != 0)
        return rc;
    log_xa_drop(reader);
    if (reader->payload.open)
        payload_close(&reader->payload);
    table_cache_end_statement(&reader->tables);
    log_rowset(reader, ROWSET_END, out);
    rc = log_tx_end(reader, ev, e);
    out->end = reader->boundary.at;
    return rc == 0 ? LOG_READER_ROWSET : rc;
}

int log_xa_emit(struct log_reader *reader, const struct log_event *ev, struct rowset *out, struct err *e)
{
    struct spool_event event;
    if (!reader->xa.begun) {
        reader->xa.begun = true;
        reader->state = TX_OPEN;
        table_cache_end_statement(&reader->tables);
        log_rowset(reader, ROWSET_BEGIN, out);
        return LOG_READER_AGAIN;
    }
    int rc;
    while ((rc = spool_next(reader->spool, &event, e)) == 1) {
        rc = emit_event(reader, ev, &event, out, e);
        if (rc != LOG_READER_NONE)
            return rc < 0 ? rc : LOG_READER_AGAIN;
    }
    return rc == 0 ? emit_end(reader, ev, out, e) : rc;
}
