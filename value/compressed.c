/* MariaDB's VARCHAR VARBINARY TEXT BLOB … COMPRESSED: the length as in the plain column, then nothing for '', else:
 *
 *   byte 0       bits 4 … 7   0: the bytes behind it are the value; 8: zlib; others are not in use
 *                bit 3        zlib: 1 = a bare deflate stream, 0 = with zlib's header and checksum
 *                bits 0 … 2   zlib: bytes of the length below
 *   1 … 4 bytes  zlib: bytes of the value, big-endian
 *   rest         zlib: the stream
 *
 * The byte 0 counts in the length of VARCHAR(n) COMPRESSED: its metadata says n bytes + 1. Source: sql/field_comp.cc.
 *
 * The claimed length is held against the column's, against the largest that a server takes, and against what deflate
 * can make of the bytes at most, before memory is taken for it; the stream must give exactly that many bytes and end
 * with the value. */
#include <zlib.h>

#include "value/charset.h"
#include "value/family.h"

#define METHOD_STORED  0
#define METHOD_ZLIB    8
#define BARE_STREAM    8
#define DEFLATE_RATIO  1032 /* a stored match of 258 bytes takes two bits */
#define LENGTH_BYTES   4
#define VALUE_MAX      ((uint64_t)1 << 30) /* max_allowed_packet at most */
#define STATE_ON_STACK 8192                /* zlib's state, which would be on the heap else; its window is not needed */

/* zlib's memory: the stack, then the arena. */
struct inflating {
    struct arena *arena;
    size_t used;
    bool no_memory;
    _Alignas(16) uint8_t state[STATE_ON_STACK];
};

static void *inflate_alloc(void *opaque, unsigned items, unsigned size)
{
    struct inflating *own = opaque;
    size_t len = ((size_t)items * size + 15) & ~(size_t)15;
    if (len <= STATE_ON_STACK - own->used) {
        own->used += len;
        return own->state + own->used - len;
    }
    void *p = arena_alloc(own->arena, len);
    own->no_memory |= p == NULL;
    return p;
}

static void inflate_free(void *opaque, void *address)
{
    (void)opaque;
    (void)address;
}

static int run(struct inflating *own, const struct text *from, bool bare, struct text *to)
{
    z_stream stream = {.zalloc = inflate_alloc, .zfree = inflate_free, .opaque = own};
    stream.next_in = (z_const Bytef *)from->p;
    stream.avail_in = (uInt)from->len;
    stream.next_out = (Bytef *)to->p;
    stream.avail_out = (uInt)to->len;
    if (inflateInit2(&stream, bare ? -MAX_WBITS : MAX_WBITS) != Z_OK)
        return -1;
    int rc = inflate(&stream, Z_FINISH);
    bool whole = rc == Z_STREAM_END && stream.avail_in == 0 && stream.avail_out == 0;
    inflateEnd(&stream);
    return whole ? 0 : -1;
}

static int inflate_text(const struct coltype *type, struct text *text, struct arena *arena, struct err *e)
{
    const uint8_t *p = (const uint8_t *)text->p;
    size_t length_bytes = p[0] & 7u;
    if (length_bytes < 1 || length_bytes > LENGTH_BYTES || length_bytes >= text->len)
        return family_corrupt(type, "compressed value without its length", e);
    uint64_t len = family_be(p + 1, length_bytes);
    struct text from = {text->p + 1 + length_bytes, text->len - 1 - length_bytes, false};
    if (len > coltype_max_bytes(type) || len > VALUE_MAX)
        return family_corrupt(type, "longer than declared", e);
    if (len > (uint64_t)from.len * DEFLATE_RATIO)
        return family_corrupt(type, "claims more bytes than its compressed ones can hold", e);
    char *out = arena_alloc(arena, (size_t)len);
    if (!out)
        return err_set(e, NO_MEMORY, (size_t)len);
    struct text to = {out, (size_t)len, false};
    struct inflating own = {.arena = arena};
    if (run(&own, &from, p[0] & BARE_STREAM, &to) == 0) {
        *text = to;
        return 0;
    }
    if (own.no_memory)
        return err_set(e, NO_MEMORY, (size_t)len);
    return family_corrupt(type, "compressed bytes do not give the length that they claim", e);
}

int compressed_read(const struct coltype *type, struct bytes bytes, struct value *out, struct arena *arena,
                    struct err *e)
{
    struct text text = {(const char *)bytes.p + type->walk, bytes.len - type->walk, false};
    uint32_t max = coltype_max_bytes(type);
    if (family_le(bytes.p, type->walk) != text.len)
        return family_corrupt(type, "length differs from its bytes", e);
    unsigned method = text.len ? (uint8_t)text.p[0] >> 4 : METHOD_STORED;
    if (method == METHOD_ZLIB) {
        int rc = inflate_text(type, &text, arena, e);
        if (rc != 0)
            return rc;
    } else if (method != METHOD_STORED) {
        return family_corrupt(type, "compressed by a method that is not known", e);
    } else if (text.len) {
        text.p++;
        text.len--;
    }
    if (text.len > max)
        return family_corrupt(type, "longer than declared", e);
    return string_convert(type, text, out, arena, e);
}
