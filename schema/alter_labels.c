/* Labels of ENUM and SET under CONVERT TO CHARACTER SET on MySQL, which keeps their bytes: they become what these bytes
 * are in the new character set. Labels here are UTF-8; of other character sets the bytes are found by decoding all
 * codes of one and two bytes. Judged by MySQL 9.7: the cases of tests/unit/alter_table_test.c. */
#include <string.h>

#include "schema/alter_impl.h"
#include "value/charset.h"

#define CODES 0x10000

static bool refuse(struct alter *al)
{
    return create_fail(&al->cp, "CONVERT TO of labels whose bytes are no text of the new character set");
}

static enum charset charset_named(const struct create_text *name)
{
    return charset_of_collation(charset_find_collation(name->p, name->len), NULL);
}

/* The character that `len` bytes are, below U+10000; 0: none, or more than one. */
static uint32_t decode_one(enum charset charset, const uint8_t *bytes, size_t len)
{
    uint8_t out[16 + CHARSET_ROOM_MIN];
    const uint8_t *p = bytes;
    size_t size = (size_t)(charset_write(charset, out, sizeof out, &p, bytes + len) - out);
    if (p != bytes + len)
        return 0;
    if (size == 1)
        return out[0];
    if (size == 2 && (out[0] & 0xE0) == 0xC0)
        return (uint32_t)(out[0] & 0x1F) << 6 | (out[1] & 0x3F);
    if (size == 3 && (out[0] & 0xF0) == 0xE0)
        return (uint32_t)(out[0] & 0x0F) << 12 | (uint32_t)(out[1] & 0x3F) << 6 | (out[2] & 0x3F);
    return 0;
}

/* al->codes: by character, its code with the code's length above it; 0: none. */
static bool find_codes(struct alter *al, enum charset charset)
{
    if (al->codes && al->codes_of == (int)charset)
        return true;
    if (!al->codes && !(al->codes = create_allocate(&al->cp, CODES * sizeof *al->codes)))
        return false;
    al->codes_of = (int)charset;
    memset(al->codes, 0, CODES * sizeof *al->codes);
    for (size_t len = 1; len <= 2; len++)
        for (uint32_t code = 0; code < (len == 1 ? 0x100 : CODES); code++) {
            const uint8_t bytes[2] = {(uint8_t)(len == 1 ? code : code >> 8), (uint8_t)code};
            uint32_t character = decode_one(charset, bytes, len);
            if (character && !al->codes[character])
                al->codes[character] = (uint32_t)len << 16 | code;
        }
    return true;
}

static bool encode(struct alter *al, const struct create_text *label, struct buf *out)
{
    for (size_t i = 0; i < label->len;) {
        const uint8_t *p = (const uint8_t *)label->p + i;
        size_t len = p[0] < 0x80 ? 1 : p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
        if (len == 4 || len > label->len - i)
            return refuse(al);
        uint32_t character = len == 1   ? p[0]
                             : len == 2 ? (uint32_t)(p[0] & 0x1F) << 6 | (p[1] & 0x3F)
                                        : (uint32_t)(p[0] & 0x0F) << 12 | (uint32_t)(p[1] & 0x3F) << 6 | (p[2] & 0x3F);
        uint32_t code = al->codes[character];
        if (!code)
            return refuse(al);
        if (code >> 16 == 2)
            buf_byte(out, (uint8_t)(code >> 8));
        buf_byte(out, (uint8_t)code);
        i += len;
    }
    return true;
}

/* `bytes` may be a label itself. */
static bool decode(struct alter *al, enum charset charset, const char *bytes, size_t len, struct create_text *out)
{
    const struct coltype type = {.charset = (uint8_t)charset};
    struct text text = {bytes, len, false};
    if (charset_to_utf8(&type, &text, al->cp.ps.arena, al->cp.ps.e) != 0)
        return refuse(al);
    return text.raw ? refuse(al) : create_keep_bytes(&al->cp, text.p, text.len, out);
}

static bool convert_label(struct alter *al, enum charset from, enum charset to, const struct create_text *label,
                          struct create_text *out)
{
    struct buf bytes;
    if (from == CHARSET_UTF8)
        return decode(al, to, label->p, label->len, out);
    buf_init(&bytes, 0);
    bool ok = encode(al, label, &bytes) && !bytes.failed;
    ok = ok ? decode(al, to, (const char *)bytes.p, bytes.len, out) : refuse(al);
    buf_release(&bytes);
    return ok;
}

static bool is_ascii(const struct create_column *col)
{
    for (unsigned i = 0; i < col->label_count; i++)
        for (size_t k = 0; k < col->labels[i].len; k++)
            if (col->labels[i].p[k] & 0x80)
                return false;
    return true;
}

static bool has_ascii(enum charset charset)
{
    return charset == CHARSET_UTF8 || charset == CHARSET_BINARY || charset_has_ascii(charset);
}

bool alter_convert_labels(struct alter *al, struct create_column *col)
{
    if (col->label_count == 0 || al->cp.ps.lx.mode.flavor != FLAVOR_MYSQL || !col->charset.p || !al->convert_charset.p)
        return true;
    enum charset from = charset_named(&col->charset), to = charset_named(&al->convert_charset);
    if (from == to || (has_ascii(from) && has_ascii(to) && is_ascii(col)))
        return true;
    if ((from != CHARSET_UTF8 && !charset_is_converted(from)) || (to != CHARSET_UTF8 && !charset_is_converted(to)))
        return refuse(al);
    if (from != CHARSET_UTF8 && !find_codes(al, from))
        return false;
    struct create_text *labels = create_allocate(&al->cp, col->label_count * sizeof *labels);
    for (unsigned i = 0; labels && i < col->label_count; i++)
        if (!convert_label(al, from, to, &col->labels[i], &labels[i]))
            return false;
    col->labels = labels;
    return labels != NULL;
}
