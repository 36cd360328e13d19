/* Text and hashes of Java strings; its numbers are in float.c. */
#include "value/java.h"

#include "value/write.h"

/* A well-formed character of UTF-8 at p, of which `len` bytes follow its first one. */
static uint32_t code_point(const uint8_t *p, unsigned len)
{
    uint32_t c = p[0] & (0x3fu >> len);
    for (unsigned i = 1; i <= len; i++)
        c = c << 6 | (p[i] & 0x3f);
    return c;
}

/* Bytes behind the first one of a character that is whole within `left`; more than that: 0, it counts as one byte. */
static unsigned tail_len(const uint8_t *p, size_t left)
{
    unsigned len = p[0] < 0xc0 ? 0 : p[0] < 0xe0 ? 1 : p[0] < 0xf0 ? 2 : 3;
    return len < left ? len : 0;
}

int32_t java_hash(const char *text, size_t len)
{
    const uint8_t *p = (const uint8_t *)text;
    uint32_t hash = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned tail = tail_len(p + i, len - i);
        uint32_t c = tail ? code_point(p + i, tail) : p[i];
        if (c > 0xffff) {
            hash = hash * 31 + (0xd7c0 + (c >> 10));
            c = 0xdc00 | (c & 0x3ff);
        }
        hash = hash * 31 + c;
        i += tail;
    }
    return (int32_t)hash;
}

static uint8_t *write_unit(uint8_t *o, uint32_t unit)
{
    static const char digits[] = "0123456789ABCDEF";
    *o++ = '\\';
    *o++ = 'u';
    for (int shift = 12; shift >= 0; shift -= 4)
        *o++ = (uint8_t)digits[unit >> shift & 15];
    return o;
}

/* What has no escape of two characters. */
static uint8_t *write_special(uint8_t *o, const uint8_t *p, size_t left, size_t *taken)
{
    static const char letters[32] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    *taken = 1;
    if (p[0] >= 0xf0 && tail_len(p, left) == 3) {
        uint32_t c = code_point(p, 3);
        *taken = 4;
        return write_unit(write_unit(o, 0xd7c0 + (c >> 10)), 0xdc00 | (c & 0x3ff));
    }
    char letter = p[0] < 0x20 ? letters[p[0]] : (char)p[0];
    if (p[0] >= 0xf0) {
        *o++ = p[0];
        return o;
    }
    if (!letter)
        return write_unit(o, p[0]);
    *o++ = '\\';
    *o++ = (uint8_t)letter;
    return o;
}

static inline bool is_plain(uint8_t c)
{
    return c >= 0x20 && c != '"' && c != '\\' && c < 0xf0;
}

/* Eight bytes at once while none of them is below 0x20, a quote, a backslash or the first of four. */
static inline bool is_plain_word(uint64_t x)
{
    const uint64_t ones = 0x0101010101010101u, tops = 0x8080808080808080u;
    uint64_t quote = x ^ ones * '"', slash = x ^ ones * '\\';
    uint64_t below = (x - ones * 0x20) & ~x, zero = ((quote - ones) & ~quote) | ((slash - ones) & ~slash);
    uint64_t four = x & x << 1 & x << 2 & x << 3;
    return ((below | zero | four) & tops) == 0;
}

uint8_t *write_jackson_escaped(uint8_t *o, const uint8_t *p, size_t len)
{
    const uint8_t *end = p + len;
    while (p < end) {
        uint64_t word;
        for (; end - p >= 8; p += 8, o += 8) {
            memcpy(&word, p, 8);
            memcpy(o, &word, 8);
            if (!is_plain_word(word))
                break;
        }
        while (p < end && is_plain(*p))
            *o++ = *p++;
        if (p < end) {
            size_t taken;
            o = write_special(o, p, (size_t)(end - p), &taken);
            p += taken;
        }
    }
    return o;
}

uint8_t *write_jackson_string(uint8_t *o, const uint8_t *p, size_t len)
{
    *o++ = '"';
    o = write_jackson_escaped(o, p, len);
    *o++ = '"';
    return o;
}
