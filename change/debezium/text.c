/* Texts and bytes as Debezium writes them. */
#include "change/debezium/debezium.h"
#include "value/charset.h"
#include "value/java.h"
#include "value/write.h"

/* Bytes of the well-formed character at p; 0: none. */
static size_t character(const uint8_t *p, size_t left)
{
    size_t len = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    return len <= left && value_is_utf8((const char *)p, len) ? len : 0;
}

static uint8_t *write_replacement(uint8_t *o)
{
    memcpy(o, "\xef\xbf\xbd", 3);
    return o + 3;
}

static uint8_t *write_mended(uint8_t *o, const uint8_t *p, size_t len)
{
    const uint8_t *end = p + len, *good = p;
    *o++ = '"';
    while (p < end) {
        size_t size = character(p, (size_t)(end - p));
        if (size == 0) {
            o = write_replacement(write_jackson_escaped(o, good, (size_t)(p - good)));
            good = p + 1;
        }
        p += size ? size : 1;
    }
    o = write_jackson_escaped(o, good, (size_t)(end - good));
    *o++ = '"';
    return o;
}

uint8_t *debezium_write_text(uint8_t *o, const uint8_t *p, size_t len)
{
    return value_is_utf8((const char *)p, len) ? write_jackson_string(o, p, len) : write_mended(o, p, len);
}

void debezium_add_string(struct buf *out, const char *p, size_t len)
{
    uint8_t *o = buf_room(out, 6 * len + 2);
    if (o)
        out->len += (size_t)(debezium_write_text(o, (const uint8_t *)p, len) - o);
}

void debezium_add_text(struct buf *out, const char *text)
{
    if (text)
        debezium_add_string(out, text, strlen(text));
    else
        buf_text(out, "null");
}

static bool is_ascii(const uint8_t *p, size_t len)
{
    uint64_t any = 0, word;
    for (; len >= 8; p += 8, len -= 8) {
        memcpy(&word, p, 8);
        any |= word;
    }
    for (; len; len--)
        any |= *p++;
    return (any & 0x8080808080808080u) == 0;
}

/* Bytes of another character set, piece by piece; a code without a character becomes U+FFFD. */
static uint8_t *write_converted(uint8_t *o, enum charset charset, const uint8_t *p, size_t len)
{
    uint8_t piece[256];
    const uint8_t *end = p + len;
    if (charset_has_ascii(charset) && is_ascii(p, len))
        return write_jackson_string(o, p, len);
    *o++ = '"';
    while (p < end) {
        uint8_t *to = charset_write(charset, piece, sizeof piece, &p, end);
        o = write_jackson_escaped(o, piece, (size_t)(to - piece));
        if (to == piece) {
            o = write_replacement(o);
            p += charset_code_len(charset, p, (size_t)(end - p));
        }
    }
    *o++ = '"';
    return o;
}

static uint8_t *write_hex(uint8_t *o, const uint8_t *p, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        *o++ = (uint8_t)digits[p[i] >> 4];
        *o++ = (uint8_t)digits[p[i] & 15];
    }
    return o;
}

static uint8_t *write_url_safe(uint8_t *o, const uint8_t *p, size_t len)
{
    uint8_t *end = write_base64(o, p, len);
    for (; o < end; o++)
        *o = *o == '+' ? '-' : *o == '/' ? '_' : *o;
    return end;
}

static uint8_t *write_binary(uint8_t *o, const struct debezium_cell *cell, const uint8_t *p, size_t len)
{
    *o++ = '"';
    if (cell->binaries == BINARIES_HEX)
        o = write_hex(o, p, len);
    else
        o = cell->binaries == BINARIES_URL_SAFE ? write_url_safe(o, p, len) : write_base64(o, p, len);
    *o++ = '"';
    return o;
}

/* BINARY(n), of which the log leaves out the zero bytes at the end. */
static uint8_t *write_padded_binary(uint8_t *o, const struct debezium_cell *cell, const uint8_t *p, size_t len)
{
    uint8_t padded[1024];
    memcpy(padded, p, len);
    memset(padded + len, 0, cell->max_bytes - len);
    return write_binary(o, cell, padded, cell->max_bytes);
}

uint8_t *debezium_write_plain(uint8_t *o, const struct debezium_cell *cell, const uint8_t *p, size_t len)
{
    return cell->charset == CHARSET_BINARY ? write_binary(o, cell, p, len) : debezium_write_text(o, p, len);
}

uint8_t *debezium_write_bytes(uint8_t *o, const struct debezium_cell *cell, const uint8_t *p, size_t len)
{
    p += cell->walk;
    len -= cell->walk;
    if (len > cell->max_bytes)
        return NULL;
    return cell->wire == WIRE_STRING ? write_padded_binary(o, cell, p, len) : write_binary(o, cell, p, len);
}

uint8_t *debezium_write_string(uint8_t *o, const struct debezium_cell *cell, const uint8_t *p, size_t len)
{
    enum charset charset = (enum charset)cell->charset;
    p += cell->walk;
    len -= cell->walk;
    if (len > cell->max_bytes)
        return NULL;
    if (charset == CHARSET_UTF8) {
        if (cell->wire == WIRE_STRING)
            while (len > 0 && p[len - 1] == ' ')
                len--;
        return debezium_write_text(o, p, len);
    }
    if (cell->wire == WIRE_STRING)
        len = charset_trim(charset, p, len);
    return write_converted(o, charset, p, len);
}
