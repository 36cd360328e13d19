/* zstd and zlib by their one-shot functions; buffers never fail in tests. */
#include "tools/payload_builder.h"

#include <libdeflate.h>
#include <stdlib.h>
#include <zstd.h>

#define WINDOW_AT 5 /* in a frame: behind magic number and descriptor */

static void put_be(struct buf *out, uint64_t v, unsigned bytes)
{
    while (bytes > 0)
        buf_byte(out, (uint8_t)(v >> (8 * --bytes)));
}

static void put_le(struct buf *out, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        buf_byte(out, (uint8_t)(v >> (8 * i)));
}

static void put_lenenc(struct buf *out, uint64_t v)
{
    if (v < 251) {
        buf_byte(out, (uint8_t)v);
        return;
    }
    unsigned bytes = v <= 0xffff ? 2 : v <= 0xffffff ? 3 : 8;
    buf_byte(out, bytes == 2 ? 252 : bytes == 3 ? 253 : 254);
    put_le(out, v, bytes);
}

static void put_field(struct buf *out, unsigned type, uint64_t v)
{
    put_lenenc(out, type);
    put_lenenc(out, v < 251 ? 1 : v <= 0xffff ? 3 : v <= 0xffffff ? 4 : 9);
    put_lenenc(out, v);
}

/* One frame, written as a stream: the frame does not know how long it will be. */
static void put_frame(struct buf *out, const uint8_t *bytes, size_t len, const struct payload_build *how)
{
    ZSTD_CCtx *zstd = ZSTD_createCCtx();
    (void)ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, how->level ? how->level : 3);
    ZSTD_inBuffer in = {bytes, len, 0};
    for (bool ends = false; !ends;) {
        uint8_t *room = buf_room(out, 65536);
        ZSTD_outBuffer to = {room, 65536, 0};
        ZSTD_EndDirective what = in.pos < in.size ? ZSTD_e_continue : ZSTD_e_end;
        ends = ZSTD_compressStream2(zstd, &to, &in, what) == 0 && what == ZSTD_e_end;
        out->len += to.pos;
    }
    ZSTD_freeCCtx(zstd);
}

static void put_events(struct buf *out, const uint8_t *bytes, size_t len, const struct payload_build *how)
{
    unsigned frames = how->frames ? how->frames : 1;
    for (unsigned i = 0; i < frames && !how->plain; i++)
        put_frame(out, bytes + len * i / frames, len * (i + 1) / frames - len * i / frames, how);
    if (how->plain)
        buf_add(out, bytes, len);
    if (how->window_log)
        out->p[WINDOW_AT] = (uint8_t)((how->window_log - 10) << 3);
    if (how->behind)
        buf_text(out, how->behind);
    out->len -= how->cut;
}

void build_payload(struct event_builder *b, const struct event_builder *inner, const struct payload_build *how)
{
    const uint8_t *event;
    size_t len;
    struct buf body, data;
    buf_init(&body, 0);
    buf_init(&data, 0);
    built_event(inner, 0, &event, &len);
    size_t first = EVENT_FILE_MAGIC_LEN + len, plain_len = inner->log.len - first;
    put_events(&data, inner->log.p + first, plain_len, how);
    put_field(&body, 1, data.len + (uint64_t)how->say_more);
    if (how->unknown_field)
        buf_add(&body, "\x7\x3xyz\xfc\x2c\x1\x1q", 10); /* types 7 and 300 */
    put_field(&body, 2, how->plain ? PAYLOAD_PLAIN : PAYLOAD_ZSTD);
    if (!how->plain)
        put_field(&body, 3, how->claim ? how->claim : plain_len + (uint64_t)how->claim_more);
    put_lenenc(&body, 0);
    buf_add(&body, data.p, data.len);
    build_event(b, EVENT_TRANSACTION_PAYLOAD, body.p, body.len);
    buf_release(&body);
    buf_release(&data);
}

static uint8_t compressed_type(uint8_t type)
{
    if (type == EVENT_QUERY)
        return EVENT_QUERY_COMPRESSED;
    return (uint8_t)(type < EVENT_WRITE_ROWS ? type - EVENT_WRITE_ROWS_V1 + EVENT_WRITE_ROWS_COMPRESSED_V1
                                             : type - EVENT_WRITE_ROWS + EVENT_WRITE_ROWS_COMPRESSED);
}

/* Where the part begins that is compressed. */
static const uint8_t *tail_of(struct cursor body, uint8_t type, const struct event_format *format)
{
    struct event_query query;
    struct event_rows rows;
    if (type == EVENT_QUERY)
        return event_query_read(&query, body, NULL) == 0 ? (const uint8_t *)query.statement : NULL;
    return event_rows_read(&rows, body, type, format, NULL) == 0 ? rows.rows : NULL;
}

void build_compressed(struct event_builder *b, const struct event_builder *inner, const struct payload_build *how)
{
    const uint8_t *event = inner->log.p + inner->last, *format_event;
    size_t len = inner->log.len - inner->last, format_len;
    struct event_format format;
    struct libdeflate_compressor *zlib = libdeflate_alloc_compressor(6);
    struct cursor plain = cursor_over(event + EVENT_HEADER_LEN, len - EVENT_HEADER_LEN);
    struct buf body;
    buf_init(&body, 0);
    built_event(inner, 0, &format_event, &format_len);
    (void)event_format_read(&format, format_event, format_len, NULL);
    const uint8_t *tail = tail_of(plain, event[4], &format);
    size_t tail_len = (size_t)(plain.end - tail);
    uint64_t claim = how->claim ? how->claim : tail_len + (uint64_t)how->claim_more;
    buf_add(&body, plain.p, (size_t)(tail - plain.p));
    unsigned bytes = claim > 0xffffff ? 4 : claim > 0xffff ? 3 : claim > 0xff ? 2 : 1;
    buf_byte(&body, (uint8_t)(0x80 | bytes));
    put_be(&body, claim, bytes);
    size_t bound = libdeflate_zlib_compress_bound(zlib, tail_len);
    uint8_t *room = buf_room(&body, bound);
    body.len += libdeflate_zlib_compress(zlib, tail, tail_len, room, bound);
    if (how->behind)
        buf_text(&body, how->behind);
    build_event(b, compressed_type(event[4]), body.p, body.len - how->cut);
    libdeflate_free_compressor(zlib);
    buf_release(&body);
}
