/* Decompression in pieces: first the header of the next event, which tells its length, then the rest. */
#include "binlog/payload.h"

#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#define BUFFER_MIN ((size_t)16 * 1024)

static const char ends_early[] = "compressed transaction: its bytes end too early";

void payload_init(struct payload *payload)
{
    *payload = (struct payload){.zstd = NULL};
}

void payload_release(struct payload *payload)
{
    ZSTD_freeDCtx(payload->zstd);
    free(payload->bytes);
    payload_init(payload);
}

void payload_close(struct payload *payload)
{
    payload->open = false;
    if (payload->zstd && ZSTD_sizeof_DCtx(payload->zstd) > PAYLOAD_KEEP_BYTES) {
        ZSTD_freeDCtx(payload->zstd);
        payload->zstd = NULL;
    }
}

void payload_trim(struct payload *payload)
{
    if (payload->open || payload->size <= PAYLOAD_BUFFER_KEEP)
        return;
    free(payload->bytes);
    payload->bytes = NULL;
    payload->size = 0;
}

static int failed(size_t code, struct err *e)
{
    char text[128];
    if (ZSTD_getErrorCode(code) == ZSTD_error_memory_allocation)
        return err_set(e, NO_MEMORY, (size_t)1 << PAYLOAD_WINDOW_LOG_MAX);
    snprintf(text, sizeof text, "compressed transaction: zstd: %s", ZSTD_getErrorName(code));
    return err_set(e, CORRUPT, text);
}

static int open_zstd(struct payload *payload, struct err *e)
{
    if (!payload->zstd)
        payload->zstd = ZSTD_createDCtx();
    if (!payload->zstd)
        return err_set(e, NO_MEMORY, (size_t)1);
    size_t code = ZSTD_DCtx_reset(payload->zstd, ZSTD_reset_session_and_parameters);
    if (!ZSTD_isError(code))
        code = ZSTD_DCtx_setParameter(payload->zstd, ZSTD_d_windowLogMax, PAYLOAD_WINDOW_LOG_MAX);
    return ZSTD_isError(code) ? failed(code, e) : 0;
}

int payload_open(struct payload *payload, const struct event_payload *said, struct err *e)
{
    char text[160];
    if (said->plain_len < EVENT_HEADER_LEN)
        return err_set(e, CORRUPT, "compressed transaction: no event is in it");
    if (said->plain_len / PAYLOAD_RATIO_MAX > said->len) {
        snprintf(text, sizeof text, "compressed transaction: %zu bytes cannot hold the %llu that they claim", said->len,
                 (unsigned long long)said->plain_len);
        return err_set(e, CORRUPT, text);
    }
    int rc = said->compression == PAYLOAD_ZSTD ? open_zstd(payload, e) : 0;
    if (rc != 0)
        return rc;
    payload->open = true;
    payload->in_frame = false;
    payload->used = payload->len = 0;
    payload->produced = 0;
    return 0;
}

/* Room up to `len`, without ever holding more than the `whole` that the event needs. */
static int grow(struct payload *payload, size_t len, size_t whole, struct err *e)
{
    if (len <= payload->size)
        return 0;
    size_t size = payload->size * 2 > BUFFER_MIN ? payload->size * 2 : BUFFER_MIN;
    if (size > whole && whole > BUFFER_MIN)
        size = whole;
    if (size < len)
        size = len;
    uint8_t *bytes = (uint8_t *)realloc(payload->bytes, size);
    if (!bytes)
        return err_set(e, NO_MEMORY, size);
    payload->bytes = bytes;
    payload->size = size;
    return 0;
}

/* Only frames of zstd proper: neither the formats before it nor frames that hold nothing. */
static int check_magic(const struct payload *payload, const struct event_payload *said, struct err *e)
{
    struct cursor cur = cursor_over(said->bytes + payload->used, said->len - payload->used);
    if (cursor_left(&cur) == 0)
        return err_set(e, CORRUPT, ends_early);
    if (cursor_u32(&cur) != ZSTD_MAGICNUMBER)
        return err_set(e, CORRUPT, "compressed transaction: not what zstd writes");
    return 0;
}

/* One call of the decompressor. */
static int inflate(struct payload *payload, const struct event_payload *said, ZSTD_outBuffer *out, struct err *e)
{
    if (!payload->in_frame) {
        int rc = check_magic(payload, said, e);
        if (rc != 0)
            return rc;
        payload->in_frame = true;
    }
    size_t left = said->len - payload->used, before = out->pos;
    ZSTD_inBuffer in = {said->bytes + payload->used, left < PAYLOAD_STEP_BYTES ? left : PAYLOAD_STEP_BYTES, 0};
    size_t code = ZSTD_decompressStream(payload->zstd, out, &in);
    if (ZSTD_isError(code))
        return failed(code, e);
    if (in.pos == 0 && out->pos == before && code != 0)
        return err_set(e, CORRUPT, ends_early);
    payload->used += in.pos;
    payload->in_frame = code != 0;
    return 0;
}

/* Until `len` bytes of the event at hand are there: 1; 0 when this call has done its share. */
static int pull(struct payload *payload, const struct event_payload *said, size_t len, struct err *e)
{
    if (payload->len >= len)
        return 1;
    size_t until = len - payload->len < PAYLOAD_STEP_BYTES ? len : payload->len + PAYLOAD_STEP_BYTES;
    size_t read_until = payload->used + PAYLOAD_STEP_BYTES;
    int rc = grow(payload, until, len, e);
    while (rc == 0 && payload->len < until && payload->used < read_until) {
        ZSTD_outBuffer out = {payload->bytes, until, payload->len};
        rc = inflate(payload, said, &out, e);
        payload->len = out.pos;
    }
    return rc == 0 ? payload->len == len : rc;
}

/* All events are out: the frame must end here, and with it the payload. */
static int finish(struct payload *payload, const struct event_payload *said, struct err *e)
{
    uint8_t beyond;
    while (payload->in_frame || payload->used < said->len) {
        ZSTD_outBuffer out = {&beyond, 1, 0};
        int rc = inflate(payload, said, &out, e);
        if (rc != 0)
            return rc;
        if (out.pos)
            return err_set(e, CORRUPT, "compressed transaction: it holds more than it claims");
    }
    return 0;
}

/* The length of the event at hand, once its header is there. */
static int event_len(const struct payload *payload, const struct event_payload *said, const uint8_t *bytes,
                     uint64_t max_event_bytes, size_t *len, struct err *e)
{
    struct event_header header;
    int rc = event_header_read(&header, bytes, EVENT_HEADER_LEN, max_event_bytes, e);
    if (rc == 0 && header.len > said->plain_len - payload->produced)
        rc = err_set(e, CORRUPT, "compressed transaction: it ends inside an event");
    *len = header.len;
    return rc;
}

static int next_plain(struct payload *payload, const struct event_payload *said, uint64_t max_event_bytes,
                      struct cursor *event, struct err *e)
{
    const uint8_t *bytes = said->bytes + payload->used;
    size_t len = 0;
    int rc = event_len(payload, said, bytes, max_event_bytes, &len, e);
    if (rc != 0)
        return rc;
    *event = cursor_over(bytes, len);
    payload->used += len;
    return 1;
}

static int next_zstd(struct payload *payload, const struct event_payload *said, uint64_t max_event_bytes,
                     struct cursor *event, struct err *e)
{
    size_t len = 0;
    int rc = pull(payload, said, EVENT_HEADER_LEN, e);
    if (rc != 1)
        return rc;
    rc = event_len(payload, said, payload->bytes, max_event_bytes, &len, e);
    if (rc == 0)
        rc = pull(payload, said, len, e);
    if (rc == 1)
        *event = cursor_over(payload->bytes, len);
    return rc;
}

int payload_next(struct payload *payload, const struct event_payload *said, uint64_t max_event_bytes,
                 struct cursor *event, bool *last, struct err *e)
{
    struct cursor found;
    if (said->plain_len - payload->produced < EVENT_HEADER_LEN)
        return err_set(e, CORRUPT, "compressed transaction: it ends inside an event");
    int rc = said->compression == PAYLOAD_PLAIN ? next_plain(payload, said, max_event_bytes, &found, e)
                                                : next_zstd(payload, said, max_event_bytes, &found, e);
    if (rc != 1)
        return rc;
    payload->produced += cursor_left(&found);
    payload->len = 0;
    bool ends = payload->produced == said->plain_len;
    if (ends) {
        rc = finish(payload, said, e);
        if (rc != 0)
            return rc;
    }
    *event = found;
    *last = ends;
    return 1;
}
