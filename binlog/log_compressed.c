/* Compressed events of MariaDB: made plain in a buffer of the reader, then they go the way of all others. */
#include "binlog/log_reader_private.h"

#include <libdeflate.h>

#define KEEP_BYTES ((size_t)1 << 20) /* of the buffer between events */

/* Offsets in the event's header. */
#define TYPE_AT 4
#define LEN_AT  9

void log_plain_init(struct log_plain *plain)
{
    *plain = (struct log_plain){.bytes = NULL};
}

void log_plain_release(struct log_plain *plain)
{
    libdeflate_free_decompressor(plain->zlib);
    free(plain->bytes);
    log_plain_init(plain);
}

void log_plain_trim(struct log_plain *plain)
{
    if (plain->size <= KEEP_BYTES)
        return;
    free(plain->bytes);
    plain->bytes = NULL;
    plain->size = 0;
}

static int make_room(struct log_plain *plain, size_t len, struct err *e)
{
    if (!plain->zlib)
        plain->zlib = libdeflate_alloc_decompressor();
    if (len > plain->size) {
        free(plain->bytes); /* the event before it is over */
        plain->bytes = (uint8_t *)malloc(len);
        plain->size = plain->bytes ? len : 0;
    }
    return plain->zlib && plain->bytes ? 0 : err_set(e, NO_MEMORY, len);
}

static int inflate(struct log_plain *plain, const struct event_compressed *said, uint8_t *to, struct err *e)
{
    size_t used = 0;
    enum libdeflate_result result =
        libdeflate_zlib_decompress_ex(plain->zlib, said->bytes, said->len, to, said->plain_len, &used, NULL);
    if (result == LIBDEFLATE_SUCCESS && used == said->len)
        return 0;
    return err_set(e, CORRUPT,
                   result == LIBDEFLATE_BAD_DATA ? "compressed event: not a zlib stream"
                                                 : "compressed event: it does not hold the bytes that it claims");
}

/* Header, head and decompressed tail as one event. */
static int make_plain(struct log_reader *reader, const struct log_event *outer, const struct event_compressed *said,
                      struct log_event *ev, struct err *e)
{
    struct log_plain *plain = &reader->plain;
    size_t head_len = EVENT_HEADER_LEN + said->head_len, len = head_len + said->plain_len;
    if (len > reader->opt.max_event_bytes)
        return err_set(e, LIMIT, "an event, decompressed (max_event_bytes)", len, (size_t)reader->opt.max_event_bytes);
    int rc = make_room(plain, len, e);
    if (rc != 0)
        return rc;
    memcpy(plain->bytes, outer->bytes, EVENT_HEADER_LEN);
    memcpy(plain->bytes + EVENT_HEADER_LEN, said->head, said->head_len);
    plain->bytes[TYPE_AT] = said->type;
    for (unsigned i = 0; i < 4; i++)
        plain->bytes[LEN_AT + i] = (uint8_t)(len >> (8 * i));
    rc = inflate(plain, said, plain->bytes + head_len, e);
    if (rc != 0)
        return rc;
    *ev = *outer;
    ev->bytes = plain->bytes;
    ev->len = len;
    ev->header.type = said->type;
    ev->header.len = (uint32_t)len;
    ev->body = cursor_over(plain->bytes + EVENT_HEADER_LEN, len - EVENT_HEADER_LEN);
    return 0;
}

int log_compressed(struct log_reader *reader, const struct log_event *ev, struct rowset *out, struct err *e)
{
    struct event_compressed said;
    struct log_event plain;
    int rc = event_compressed_read(&said, ev->body, ev->header.type, &reader->format, e);
    if (rc == 0)
        rc = make_plain(reader, ev, &said, &plain, e);
    return rc == 0 ? log_dispatch(reader, &plain, out, e) : rc;
}
