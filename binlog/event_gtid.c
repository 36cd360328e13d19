/* GTID (33), ANONYMOUS_GTID (34) and GTID_TAGGED (42), MySQL: begins a transaction.
 *
 * 33 and 34:
 *   bytes  field
 *       1  flags
 *      16  UUID
 *       8  number (gno); 0 when anonymous
 *   the rest came version by version and may be missing from some point on:
 *       1  kind of the logical clock, 2
 *       8  last_committed
 *       8  sequence_number
 *       7  immediate commit time, µs; bit 55 set: the original one follows
 *       7  original commit time, µs
 *    rest  transaction length, server versions, commit group: not used
 *
 * 42 is one message of MySQL's serialization library (libs/mysql/serialization/readme.md). All integers have a
 * variable length: the count of trailing one bits of the first byte + 1 is the number of bytes, little-endian, shifted
 * left by that number; eight ones: 8 bytes follow whole. Signed integers keep the sign in the lowest bit.
 *   version (1), size of the whole message, last field that must be known, then fields { id, value } with rising ids:
 *   0 flags · 1 UUID (16 integers) · 2 gno (signed) · 3 tag (length, bytes) · 4 last_committed (signed)
 *   5 sequence_number (signed) · 6 immediate commit time · 7 original commit time, when it differs
 *   8 transaction length · 9 server version · 10 first server's version · 11 commit group */
#include "binlog/event.h"

#define US_BITS        55
#define TAGGED_VERSION 1
#define TAGGED_LAST_ID 11
#define TAGGED_UUID_ID 1
#define TAGGED_GNO_ID  2
#define TAGGED_TAG_ID  3
#define GNO_MAX        (INT64_MAX - 1)

static uint64_t varlen(struct cursor *cur)
{
    uint8_t first = cursor_u8(cur);
    unsigned ones = 0;
    while (ones < 8 && first & (1u << ones))
        ones++;
    if (ones == 8)
        return cursor_u64(cur);
    uint64_t rest = cursor_le(cur, ones);
    if (ones == 7)
        return rest;
    return (uint64_t)first >> (ones + 1) | rest << (8 - ones - 1);
}

static int64_t varlen_signed(struct cursor *cur)
{
    uint64_t v = varlen(cur);
    int64_t half = (int64_t)(v >> 1);
    return v & 1 ? -half - 1 : half;
}

static void read_times(struct event_gtid *event, struct cursor *body)
{
    if (cursor_left(body) < 7)
        return;
    uint64_t us = cursor_le(body, 7);
    bool two = us >> US_BITS & 1;
    event->immediate_us = (int64_t)(us & (((uint64_t)1 << US_BITS) - 1));
    event->original_us = two ? (int64_t)(cursor_le(body, 7) & (((uint64_t)1 << US_BITS) - 1)) : event->immediate_us;
}

static void read_plain(struct event_gtid *event, struct cursor *body)
{
    cursor_skip(body, 1);
    const uint8_t *uuid = cursor_take(body, sizeof event->gtid.uuid);
    if (uuid)
        memcpy(event->gtid.uuid, uuid, sizeof event->gtid.uuid);
    event->gtid.number = cursor_u64(body);
    if (cursor_left(body) == 0)
        return;
    cursor_skip(body, 17);
    read_times(event, body);
    cursor_skip(body, cursor_left(body));
}

static void read_tag(struct event_gtid *event, struct cursor *message)
{
    uint64_t len = varlen(message);
    if (len > GTID_TAG_MAX) {
        message->bad = true;
        return;
    }
    const uint8_t *tag = cursor_take(message, (size_t)len);
    for (size_t i = 0; tag && i < len; i++) {
        bool word = (tag[i] >= 'a' && tag[i] <= 'z') || tag[i] == '_' || (i && tag[i] >= '0' && tag[i] <= '9');
        message->bad |= !word;
    }
    if (tag)
        memcpy(event->gtid.tag, tag, (size_t)len);
}

static void read_field(struct event_gtid *event, struct cursor *message, uint64_t id)
{
    switch (id) {
    case TAGGED_UUID_ID:
        for (size_t i = 0; i < sizeof event->gtid.uuid; i++) {
            uint64_t byte = varlen(message);
            message->bad |= byte > 255;
            event->gtid.uuid[i] = (uint8_t)byte;
        }
        break;
    case TAGGED_GNO_ID:
        event->gtid.number = (uint64_t)varlen_signed(message);
        break;
    case TAGGED_TAG_ID:
        read_tag(event, message);
        break;
    case 6:
        event->immediate_us = event->original_us = (int64_t)varlen(message);
        break;
    case 7:
        event->original_us = (int64_t)varlen(message);
        break;
    default:
        (void)varlen(message);
        break;
    }
}

static int read_tagged(struct event_gtid *event, struct cursor *body, struct err *e)
{
    size_t whole = cursor_left(body);
    uint64_t version = varlen(body), size = varlen(body);
    if (body->bad || version != TAGGED_VERSION || size > whole || size < whole - cursor_left(body))
        return err_set(e, CORRUPT, "GTID_TAGGED event: not a message of version 1");
    struct cursor message = cursor_sub(body, (size_t)size - (whole - cursor_left(body)));
    if (varlen(&message) > TAGGED_LAST_ID + 1)
        return err_set(e, CORRUPT, "GTID_TAGGED event: needs a field that is not known");
    uint64_t next = 0;
    while (cursor_left(&message) && !message.bad) {
        uint64_t id = varlen(&message);
        if (id > TAGGED_LAST_ID) {
            cursor_skip(&message, cursor_left(&message));
            break;
        }
        message.bad |= id < next;
        read_field(event, &message, id);
        next = id + 1;
    }
    body->bad |= message.bad;
    return 0;
}

int event_gtid_read(struct event_gtid *out, struct cursor body, uint8_t type, struct err *e)
{
    struct event_gtid event = {.gtid = {.flavor = FLAVOR_MYSQL}};
    int rc = 0;
    if (type != EVENT_GTID_TAGGED)
        read_plain(&event, &body);
    else
        rc = read_tagged(&event, &body, e);
    if (rc == 0)
        rc = event_finish(&body, event_row(type)->name, e);
    if (rc != 0)
        return rc;
    if (type == EVENT_ANONYMOUS_GTID)
        event.gtid.number = 0;
    else if (event.gtid.number == 0 || event.gtid.number > GNO_MAX)
        return err_set(e, CORRUPT, "GTID event: number out of range");
    if (event.immediate_us < 0 || event.original_us < 0)
        return err_set(e, CORRUPT, "GTID event: commit time out of range");
    *out = event;
    return 0;
}
