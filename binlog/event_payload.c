/* TRANSACTION_PAYLOAD (40): the events of one transaction behind its GTID event, compressed together.
 *
 *   bytes  field
 *     …    fields: type (1-9), length (1-9), value (`length` bytes); type 0 alone ends them
 *            1  length of the payload (1-9)
 *            2  compression (1-9): 0 zstd, 255 none
 *            3  length of the events when decompressed (1-9); not sent without compression
 *          others are passed over by their length
 *    rest  payload: events with header and without checksum, one behind the other
 *
 * Source: MySQL's libs/mysql/binlog/event/codecs and the manual's "Binary Log Transaction Compression". */
#include "binlog/event.h"

/* They are read again for each event inside. */
#define FIELDS_MAX 32

enum field { FIELD_END = 0, FIELD_LEN = 1, FIELD_COMPRESSION = 2, FIELD_PLAIN_LEN = 3 };

static int read_fields(struct event_payload *payload, struct cursor *body, unsigned *seen, struct err *e)
{
    uint64_t type;
    for (unsigned n = 0; (type = cursor_lenenc(body)) != FIELD_END && !body->bad; n++) {
        if (n == FIELDS_MAX)
            return err_set(e, CORRUPT, "TRANSACTION_PAYLOAD event: more fields than any server writes");
        uint64_t len = cursor_lenenc(body);
        struct cursor value = cursor_sub(body, len > cursor_left(body) ? cursor_left(body) + 1 : (size_t)len);
        if (type > FIELD_PLAIN_LEN)
            continue;
        uint64_t number = cursor_lenenc(&value);
        if (cursor_finish(&value) != 0)
            return err_set(e, CORRUPT, "TRANSACTION_PAYLOAD event: a field is not the number that it should be");
        *seen |= 1u << type;
        if (type == FIELD_LEN)
            payload->len = (size_t)number;
        else if (type == FIELD_COMPRESSION)
            payload->compression = number;
        else
            payload->plain_len = number;
    }
    return 0;
}

int event_payload_read(struct event_payload *out, struct cursor body, struct err *e)
{
    struct event_payload payload = {0};
    const unsigned needed = 1u << FIELD_LEN | 1u << FIELD_COMPRESSION;
    unsigned seen = 0;
    int rc = read_fields(&payload, &body, &seen, e);
    if (rc != 0)
        return rc;
    size_t left = cursor_left(&body);
    payload.bytes = cursor_take(&body, left);
    rc = event_finish(&body, "TRANSACTION_PAYLOAD", e);
    if (rc != 0)
        return rc;
    if ((seen & needed) != needed || payload.len != left)
        return err_set(e, CORRUPT, "TRANSACTION_PAYLOAD event: its fields do not say how long the payload is");
    if (payload.compression == PAYLOAD_PLAIN)
        payload.plain_len = left;
    else if (payload.compression != PAYLOAD_ZSTD)
        return err_set(e, EVENT_UNKNOWN, (unsigned)EVENT_TRANSACTION_PAYLOAD,
                       "TRANSACTION_PAYLOAD of an unknown compression");
    else if (!(seen & 1u << FIELD_PLAIN_LEN))
        return err_set(e, CORRUPT, "TRANSACTION_PAYLOAD event: its fields do not say how long its events are");
    *out = payload;
    return 0;
}
