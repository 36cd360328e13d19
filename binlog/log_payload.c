/* A compressed transaction: its events go the way of all others, one at a time, placed at the transaction's begin. */
#include "binlog/log_reader_private.h"

/* What has a place in a file of its own, or begins a transaction, is never inside one. */
static bool belongs_inside(uint8_t type)
{
    switch (type) {
    case EVENT_TRANSACTION_PAYLOAD:
    case EVENT_GTID:
    case EVENT_ANONYMOUS_GTID:
    case EVENT_GTID_TAGGED:
    case EVENT_MARIADB_GTID:
    case EVENT_FORMAT:
    case EVENT_ROTATE:
    case EVENT_STOP:
    case EVENT_PREVIOUS_GTIDS:
    case EVENT_GTID_LIST:
    case EVENT_HEARTBEAT:
    case EVENT_HEARTBEAT_V2:
    case EVENT_START_ENCRYPTION:
        return false;
    default:
        return true;
    }
}

static int open_inner(const struct log_reader *reader, const struct log_event *outer, struct cursor bytes,
                      struct log_event *ev, struct err *e)
{
    ev->bytes = bytes.p;
    ev->len = cursor_left(&bytes);
    ev->begin = reader->state == TX_NONE ? outer->begin : reader->tx.pos;
    ev->end = outer->end;
    int rc = event_header_read(&ev->header, ev->bytes, ev->len, reader->opt.max_event_bytes, e);
    if (rc != 0)
        return rc;
    ev->body = cursor_over(ev->bytes + EVENT_HEADER_LEN, ev->len - EVENT_HEADER_LEN);
    return belongs_inside(ev->header.type)
               ? 0
               : err_set(e, CORRUPT, "compressed transaction: an event that is never in one");
}

/* The transaction ends with the last event, and not before; what was prepared inside is handed out behind its end. */
static int check_end(const struct log_reader *reader, bool last, struct err *e)
{
    bool ended = reader->state == TX_NONE || reader->xa.emitting;
    if (ended == last)
        return 0;
    return err_set(e, CORRUPT,
                   last ? "compressed transaction: it has no end"
                        : "compressed transaction: it goes on behind its end");
}

int log_payload(struct log_reader *reader, const struct log_event *ev, struct rowset *out, struct err *e)
{
    struct payload *payload = &reader->payload;
    struct event_payload said;
    struct cursor bytes;
    struct log_event inner;
    bool last = false;
    int rc = event_payload_read(&said, ev->body, e);
    if (rc == 0 && !payload->open)
        rc = payload_open(payload, &said, e);
    if (rc == 0)
        rc = payload_next(payload, &said, reader->opt.max_event_bytes, &bytes, &last, e);
    if (rc <= 0)
        return rc < 0 ? rc : LOG_READER_MORE;
    rc = open_inner(reader, ev, bytes, &inner, e);
    if (rc == 0)
        rc = log_dispatch(reader, &inner, out, e);
    if (rc < 0)
        return rc;
    int end = check_end(reader, last, e);
    if (end != 0)
        return end;
    if (last) {
        if (!reader->xa.emitting) /* else log_xa_emit closes it */
            payload_close(payload);
        return rc;
    }
    return rc == LOG_READER_NONE ? LOG_READER_MORE : LOG_READER_AGAIN;
}
