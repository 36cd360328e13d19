/* Text that Maxwell's records are made of: strings, names, positions and the UUIDs of records without a key. */
#include <string.h>

#include "change/maxwell/parts.h"
#include "value/java.h"
#include "value/write.h"

#define OUT_LEAST   512   /* bytes behind the end that a row begins with */
#define TEXT_PIECE  16384 /* bytes escaped at once: room is asked for six times of it */
#define TEXT_SLACK  16
#define REPLACEMENT "\xef\xbf\xbd"

bool maxwell_out_grow(struct maxwell_out *out, size_t bytes)
{
    out->buf->len = (size_t)(out->o - out->buf->p);
    if (!buf_room(out->buf, bytes))
        return false;
    out->o = out->buf->p + out->buf->len;
    out->end = out->buf->p + out->buf->size;
    return true;
}

bool maxwell_out_open(struct maxwell_out *out, struct buf *buf, struct arena *arena)
{
    if (!buf_room(buf, OUT_LEAST))
        return false;
    *out = (struct maxwell_out){.buf = buf, .o = buf->p + buf->len, .end = buf->p + buf->size, .arena = arena};
    return true;
}

void maxwell_out_close(struct maxwell_out *out)
{
    out->buf->len = (size_t)(out->o - out->buf->p);
}

int maxwell_no_room(const struct buf *buf, struct err *e)
{
    return buf->cap ? err_set(e, LIMIT, "a rendered change", buf->cap + 1, buf->cap) : err_set(e, NO_MEMORY, buf->size);
}

bool maxwell_put_uint(struct maxwell_out *out, uint64_t v)
{
    if (!maxwell_room(out, WRITE_UINT_MAX))
        return false;
    out->o = write_uint(out->o, v);
    return true;
}

/* Bytes of the character at p; 0: it is none. */
static size_t character(const uint8_t *p, size_t left)
{
    size_t len = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    return len <= left && value_is_utf8((const char *)p, len) ? len : 0;
}

static bool put_broken(struct maxwell_out *out, const uint8_t *p, size_t len)
{
    while (len > 0) {
        size_t taken = character(p, len);
        if (!maxwell_room(out, TEXT_SLACK + 8))
            return false;
        if (taken)
            out->o = write_jackson_escaped(out->o, p, taken);
        else
            out->o = (uint8_t *)memcpy(out->o, REPLACEMENT, 3) + 3;
        p += taken ? taken : 1;
        len -= taken ? taken : 1;
    }
    return true;
}

bool maxwell_put_escaped(struct maxwell_out *out, const uint8_t *p, size_t len)
{
    if (!value_is_utf8((const char *)p, len))
        return put_broken(out, p, len);
    while (len > 0) {
        size_t piece = len;
        if (len > TEXT_PIECE)
            for (piece = TEXT_PIECE; (p[piece] & 0xc0) == 0x80;)
                piece--;
        if (!maxwell_room(out, 6 * piece + TEXT_SLACK))
            return false;
        out->o = write_jackson_escaped(out->o, p, piece);
        p += piece;
        len -= piece;
    }
    return true;
}

bool maxwell_put_text(struct maxwell_out *out, const char *p, size_t len)
{
    if (len > TEXT_PIECE || !value_is_utf8(p, len))
        return MAXWELL_PUT(out, "\"") && maxwell_put_escaped(out, (const uint8_t *)p, len) && MAXWELL_PUT(out, "\"");
    if (!maxwell_room(out, 6 * len + TEXT_SLACK))
        return false;
    out->o = write_jackson_string(out->o, (const uint8_t *)p, len);
    return true;
}

bool maxwell_piece(struct piece *out, const struct buf *text, struct arena *arena)
{
    uint8_t *p = text->failed ? NULL : arena_alloc(arena, text->len + PIECE_SLACK);
    if (!p)
        return false;
    if (text->len)
        memcpy(p, text->p, text->len);
    memset(p + text->len, 0, PIECE_SLACK);
    *out = (struct piece){p, text->len};
    return true;
}

/* ---------------------------------------------------------------- names */

/* The other case of a letter of ASCII, Latin-1, Greek or Cyrillic, in UTF-8 of one or two bytes; letters beyond these
 * stay as they are. */
static uint32_t to_lower(uint32_t c)
{
    if ((c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde && c != 0xd7) || (c >= 0x391 && c <= 0x3a9) ||
        (c >= 0x410 && c <= 0x42f))
        return c + 32;
    return c >= 0x400 && c <= 0x40f ? c + 80 : c;
}

static uint32_t to_upper(uint32_t c)
{
    if ((c >= 'a' && c <= 'z') || (c >= 0xe0 && c <= 0xfe && c != 0xf7) || (c >= 0x3b1 && c <= 0x3c9 && c != 0x3c2) ||
        (c >= 0x430 && c <= 0x44f))
        return c - 32;
    return c >= 0x450 && c <= 0x45f ? c - 80 : c;
}

/* Copies one character of a name, changed; returns its bytes. */
static size_t put_letter(const char *name, size_t left, uint32_t (*change)(uint32_t), struct buf *out)
{
    const uint8_t *p = (const uint8_t *)name;
    uint8_t text[4];
    size_t len = character(p, left);
    if (len == 0 || len > 2) {
        len = len ? len : 1;
        buf_add(out, p, len);
        return len;
    }
    uint32_t c = len == 1 ? p[0] : (p[0] & 0x1fu) << 6 | (p[1] & 0x3fu);
    buf_add(out, text, (size_t)(write_utf8(text, change(c)) - text));
    return len;
}

void maxwell_lower_case(const char *name, size_t len, struct buf *out)
{
    for (size_t i = 0; i < len;)
        i += put_letter(name + i, len - i, to_lower, out);
}

void maxwell_camelcase(const char *name, size_t len, struct buf *out)
{
    size_t start = out->len;
    for (size_t i = 0; i < len; i++) {
        if (name[i] != '_')
            buf_byte(out, (uint8_t)name[i]);
        else if (out->len > start && i + 1 < len)
            i += put_letter(name + i + 1, len - i - 1, to_upper, out);
    }
    if (out->len == start)
        buf_add(out, name, len);
}

/* ---------------------------------------------------------------- places */

bool maxwell_put_position(struct maxwell_out *out, const char *name, const struct change *chg)
{
    const char *file = chg->tx->file;
    return maxwell_put(out, name, strlen(name)) && MAXWELL_PUT(out, "\"") &&
           maxwell_put_escaped(out, (const uint8_t *)file, strlen(file)) && MAXWELL_PUT(out, ":") &&
           maxwell_put_uint(out, chg->pos) && MAXWELL_PUT(out, "\"");
}

bool maxwell_put_gtid(struct maxwell_out *out, const struct change *chg)
{
    char text[GTID_TEXT_MAX];
    if (!gtid_is_set(&chg->tx->gtid))
        return MAXWELL_PUT(out, ",\"gtid\":null");
    size_t len = gtid_print(&chg->tx->gtid, text);
    return MAXWELL_PUT(out, ",\"gtid\":\"") && maxwell_put(out, text, len) && MAXWELL_PUT(out, "\"");
}

/* splitmix64's last steps: each bit of the sum changes half of the result's. */
static uint64_t mix(uint64_t z)
{
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

void maxwell_uuid(const struct version *version, uint64_t number, char out[MAXWELL_UUID_LEN])
{
    uint8_t bytes[UUID_BYTES];
    uint64_t high = mix(version->sequence + mix(version->epoch + 1)), low = mix(version->row + mix(number + high));
    high = mix(high + low);
    for (unsigned i = 0; i < 8; i++) {
        bytes[i] = (uint8_t)(high >> (8 * i));
        bytes[8 + i] = (uint8_t)(low >> (8 * i));
    }
    bytes[6] = 0x40 | (bytes[6] & 0x0f); /* version 4, variant 1, as those of java.util.UUID.randomUUID */
    bytes[8] = 0x80 | (bytes[8] & 0x3f);
    write_uuid((uint8_t *)out, bytes);
}
