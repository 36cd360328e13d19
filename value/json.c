/* JSON strings and base64: sixteen bytes at a time where the machine can, eight elsewhere. */
#include <stdbool.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "value/write.h"

#define ONES  0x0101010101010101ull
#define HIGHS 0x8080808080808080ull

static uint8_t *escape(uint8_t *o, uint8_t c)
{
    static const char hex[] = "0123456789abcdef";
    static const char letters[32] = {[8] = 'b', [9] = 't', [10] = 'n', [12] = 'f', [13] = 'r'};
    *o++ = '\\';
    if (c >= 0x20) {
        *o++ = c;
    } else if (letters[c]) {
        *o++ = (uint8_t)letters[c];
    } else {
        memcpy(o, "u00", 3);
        o[3] = (uint8_t)hex[c >> 4];
        o[4] = (uint8_t)hex[c & 15];
        o += 5;
    }
    return o;
}

/* The top bit of the lowest byte that is to be escaped is the lowest bit set; 0 when none is. */
static inline uint64_t escapes_of_8(uint64_t w)
{
    uint64_t quote = w ^ ONES * '"', slash = w ^ ONES * '\\';
    return (((w - ONES * 0x20) & ~w) | ((quote - ONES) & ~quote) | ((slash - ONES) & ~slash)) & HIGHS;
}

/* Copies with escapes; *seen collects the bits of all bytes. Writes at most 6 * len bytes, and no byte behind them. */
static uint8_t *copy_escaped(uint8_t *o, const uint8_t *p, size_t len, uint64_t *seen)
{
    const uint8_t *end = p + len;
#ifdef __SSE2__
    __m128i all = _mm_setzero_si128();
    while (end - p >= 16) {
        __m128i w = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(w, _mm_set1_epi8(0x1f)), w);
        __m128i odd = _mm_or_si128(_mm_cmpeq_epi8(w, _mm_set1_epi8('"')), _mm_cmpeq_epi8(w, _mm_set1_epi8('\\')));
        unsigned mask = (unsigned)_mm_movemask_epi8(_mm_or_si128(low, odd));
        _mm_storeu_si128((__m128i *)(void *)o, w);
        if (mask == 0) {
            all = _mm_or_si128(all, w);
            p += 16;
            o += 16;
            continue;
        }
        unsigned clean = (unsigned)__builtin_ctz(mask);
        for (unsigned i = 0; i < clean; i++)
            *seen |= p[i];
        o = escape(o + clean, p[clean]);
        p += clean + 1;
    }
    if (_mm_movemask_epi8(all))
        *seen |= 0x80;
#endif
    while (end - p >= 8) {
        uint64_t w;
        memcpy(&w, p, 8);
        uint64_t mask = escapes_of_8(w);
        memcpy(o, &w, 8);
        if (mask == 0) {
            *seen |= w;
            p += 8;
            o += 8;
            continue;
        }
        unsigned clean = (unsigned)__builtin_ctzll(mask) / 8;
        for (unsigned i = 0; i < clean; i++)
            *seen |= p[i];
        o = escape(o + clean, p[clean]);
        p += clean + 1;
    }
    for (; p < end; p++) {
        *seen |= *p;
        if (*p < 0x20 || *p == '"' || *p == '\\')
            o = escape(o, *p);
        else
            *o++ = *p;
    }
    return o;
}

uint8_t *write_json_escaped(uint8_t *o, const uint8_t *p, size_t len)
{
    uint64_t seen = 0;
    return copy_escaped(o, p, len, &seen);
}

uint8_t *write_json_string(uint8_t *o, const uint8_t *p, size_t len)
{
    *o++ = '"';
    o = write_json_escaped(o, p, len);
    *o++ = '"';
    return o;
}

uint8_t *write_json_text(uint8_t *o, const uint8_t *p, size_t len)
{
    uint64_t seen = 0;
    o[0] = '"';
    uint8_t *end = copy_escaped(o + 1, p, len, &seen);
    if (seen & HIGHS && !value_is_utf8((const char *)p, len))
        return write_json_base64(o, p, len);
    *end++ = '"';
    return end;
}

uint8_t *write_json_ascii(uint8_t *o, const uint8_t *p, size_t len)
{
    uint64_t seen = 0;
    *o = '"';
    uint8_t *end = copy_escaped(o + 1, p, len, &seen);
    *end = '"';
    return seen & HIGHS ? NULL : end + 1;
}

uint8_t *write_base64(uint8_t *o, const uint8_t *p, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (; len >= 3; p += 3, len -= 3, o += 4) {
        uint32_t n = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
        o[0] = (uint8_t)digits[n >> 18];
        o[1] = (uint8_t)digits[n >> 12 & 63];
        o[2] = (uint8_t)digits[n >> 6 & 63];
        o[3] = (uint8_t)digits[n & 63];
    }
    if (len) {
        uint32_t n = (uint32_t)p[0] << 16 | (len == 2 ? (uint32_t)p[1] << 8 : 0);
        o[0] = (uint8_t)digits[n >> 18];
        o[1] = (uint8_t)digits[n >> 12 & 63];
        o[2] = (uint8_t)(len == 2 ? digits[n >> 6 & 63] : '=');
        o[3] = '=';
        o += 4;
    }
    return o;
}

uint8_t *write_json_base64(uint8_t *o, const uint8_t *p, size_t len)
{
    memcpy(o, "{\"base64\":\"", 11);
    o = write_base64(o + 11, p, len);
    *o++ = '"';
    *o++ = '}';
    return o;
}

/* Long texts are escaped piece by piece, so that room is asked for what is written, not for the worst case of all. */
#define PIECE 4096u

void value_json_string(const char *p, size_t len, struct buf *out)
{
    uint64_t seen = 0;
    buf_byte(out, '"');
    while (len) {
        size_t piece = len < PIECE ? len : PIECE;
        uint8_t *o = buf_room(out, 6 * piece);
        if (!o)
            return;
        out->len += (size_t)(copy_escaped(o, (const uint8_t *)p, piece, &seen) - o);
        p += piece;
        len -= piece;
    }
    buf_byte(out, '"');
}

void value_json_base64(const char *p, size_t len, struct buf *out)
{
    uint8_t *o = len < SIZE_MAX / 2 ? buf_room(out, WRITE_BASE64_MAX(len)) : NULL;
    if (o)
        out->len += (size_t)(write_json_base64(o, (const uint8_t *)p, len) - o);
    else
        out->failed = true;
}

/* Length of the well-formed multi-byte character at p; 0 when it is not one (Unicode standard, table 3-7). */
static size_t utf8_char(const uint8_t *p, size_t left)
{
    static const struct {
        uint8_t first, last, low, high, len;
    } forms[] = {
        {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
        {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
        {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (p[0] < forms[i].first || p[0] > forms[i].last)
            continue;
        if (left < forms[i].len || p[1] < forms[i].low || p[1] > forms[i].high)
            return 0;
        for (size_t k = 2; k < forms[i].len; k++)
            if ((p[k] & 0xc0) != 0x80)
                return 0;
        return forms[i].len;
    }
    return 0;
}

bool value_is_utf8(const char *text, size_t len)
{
    const uint8_t *p = (const uint8_t *)text, *end = p + len;
    while (p < end) {
        uint64_t w;
        if (end - p >= 8 && (memcpy(&w, p, 8), (w & HIGHS) == 0)) {
            p += 8;
            continue;
        }
        if (*p < 0x80) {
            p++;
            continue;
        }
        size_t size = utf8_char(p, (size_t)(end - p));
        if (size == 0)
            return false;
        p += size;
    }
    return true;
}
