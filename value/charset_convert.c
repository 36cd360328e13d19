/* Conversion of each character set to UTF-8, driven by charset_tables.inc.
 *
 *   8-bit                  one byte, a cell each
 *   big5 euckr gb2312 gbk  ASCII, or two bytes: lead, trail
 *   sjis cp932             the same, and 0xa1 … 0xdf: half-width kana, one byte
 *   ujis eucjpms           the same, and 0x8e kana; 0x8f and two bytes
 *   gb18030                the same, and four bytes 81…fe 30…39 81…fe 30…39, counted through
 *   ucs2                   two bytes, big-endian
 *   utf16 utf16le          two or four bytes
 *   utf32                  four bytes, big-endian */
#include <string.h>

#include "value/charset.h"
#include "value/write.h"

struct utf8_cell {
    uint8_t utf8[3];
    uint8_t len; /* 0: no character */
};

struct code_run {
    uint32_t place, point, count;
};

/* One code point below 0x10000 as a cell, at compile time. */
#define U_0(c)   (uint8_t)((c) < 0x80 ? (c) : (c) < 0x800 ? 0xc0 | (c) >> 6 : 0xe0 | (c) >> 12)
#define U_1(c)   (uint8_t)((c) < 0x80 ? 0 : (c) < 0x800 ? 0x80 | ((c)&0x3f) : 0x80 | ((c) >> 6 & 0x3f))
#define U_2(c)   (uint8_t)((c) < 0x800 ? 0 : 0x80 | ((c)&0x3f))
#define U_LEN(c) (uint8_t)((c) < 0x80 ? 1 : (c) < 0x800 ? 2 : 3)
#define U(c)                                                                                                           \
    {                                                                                                                  \
        {U_0(c), U_1(c), U_2(c)}, U_LEN(c)                                                                             \
    }
#define NONE                                                                                                           \
    {                                                                                                                  \
        {0, 0, 0}, 0                                                                                                   \
    }
#define U4(c)       U(c), U((c) + 1), U((c) + 2), U((c) + 3)
#define U16(c)      U4(c), U4((c) + 4), U4((c) + 8), U4((c) + 12)
#define ASCII_CELLS U16(0), U16(16), U16(32), U16(48), U16(64), U16(80), U16(96), U16(112)

#include "value/charset_tables.inc"

#define HOLE '.' /* in a table of two-byte codes: no character */

/* First and last byte of up to three ranges. */
struct ranges {
    uint8_t at[3][2];
    uint8_t count;
};

enum beside { ONLY_DOUBLE, KANA, EUC_JP, FOUR_BYTES };

/* A multi-byte set: rows of one lead byte each, a cell for each trail byte. */
struct multi {
    const uint16_t *cells, *three;
    struct ranges leads, trails;
    uint8_t width;
    uint8_t beside; /* enum beside: which codes there are besides ASCII and two bytes */
};

#define SJIS_RANGES                                                                                                    \
    .leads = {{{0x81, 0x9f}, {0xe0, 0xfc}}, 2}, .trails = {{{0x40, 0x7e}, {0x80, 0xfc}}, 2}, .width = 188
#define GBK_RANGES .leads = {{{0x81, 0xfe}}, 1}, .trails = {{{0x40, 0x7e}, {0x80, 0xfe}}, 2}, .width = 190
#define EUC_RANGES .leads = {{{0xa1, 0xfe}}, 1}, .trails = {{{0xa1, 0xfe}}, 1}, .width = 94

static const struct multi big5 = {
    .cells = big5_cells, .leads = {{{0xa1, 0xf9}}, 1}, .trails = {{{0x40, 0x7e}, {0xa1, 0xfe}}, 2}, .width = 157};
static const struct multi euckr = {.cells = euckr_cells,
                                   .leads = {{{0x81, 0xfd}}, 1},
                                   .trails = {{{0x41, 0x5a}, {0x61, 0x7a}, {0x81, 0xfe}}, 3},
                                   .width = 178};
static const struct multi cp932 = {.cells = cp932_cells, SJIS_RANGES, .beside = KANA};
static const struct multi sjis = {.cells = sjis_cells, SJIS_RANGES, .beside = KANA};
static const struct multi eucjpms = {
    .cells = eucjpms_cells, .three = eucjpms_three_cells, EUC_RANGES, .beside = EUC_JP};
static const struct multi ujis = {.cells = ujis_cells, .three = ujis_three_cells, EUC_RANGES, .beside = EUC_JP};
static const struct multi gb2312 = {.cells = gb2312_cells, EUC_RANGES};
static const struct multi gbk = {.cells = gbk_cells, GBK_RANGES};
static const struct multi gb18030 = {.cells = gb18030_cells, GBK_RANGES, .beside = FOUR_BYTES};

/* Number of the byte among those of the ranges; -1: in none. */
static inline int place_of(const struct ranges *ranges, uint8_t byte)
{
    int before = 0;
    for (unsigned i = 0; i < ranges->count; i++) {
        const uint8_t *range = ranges->at[i];
        if (byte >= range[0] && byte <= range[1])
            return before + byte - range[0];
        before += range[1] - range[0] + 1;
    }
    return -1;
}

/* The character of lead and trail byte; 0: none. */
static inline uint32_t find_double(const struct multi *set, const uint16_t *cells, const uint8_t *p)
{
    int lead = place_of(&set->leads, p[0]), trail = place_of(&set->trails, p[1]);
    if (lead < 0 || trail < 0)
        return 0;
    uint32_t point = cells[lead * set->width + trail];
    return point == HOLE ? 0 : point;
}

static inline uint32_t find_kana(uint8_t byte)
{
    return byte >= 0xa1 && byte <= 0xdf ? 0xff61u + byte - 0xa1 : 0;
}

#define RUN_COUNT (sizeof gb18030_runs / sizeof gb18030_runs[0])

static uint32_t find_four(const uint8_t *p)
{
    uint32_t a = p[0] - 0x81u, b = p[1] - 0x30u, c = p[2] - 0x81u, d = p[3] - 0x30u;
    if (a > 0x7d || b > 9 || c > 0x7d || d > 9)
        return 0;
    uint32_t place = ((a * 10 + b) * 126 + c) * 10 + d;
    size_t low = 0, high = RUN_COUNT;
    while (high - low > 1) {
        size_t mid = (low + high) / 2;
        if (gb18030_runs[mid].place <= place)
            low = mid;
        else
            high = mid;
    }
    uint32_t at = place - gb18030_runs[low].place;
    return at < gb18030_runs[low].count ? gb18030_runs[low].point + at : 0;
}

/* The code at p, whose first byte is not ASCII: its length, with the character in *point; 0: none. */
static inline size_t take_multi(const struct multi *set, const uint8_t *p, size_t left, uint32_t *point)
{
    uint32_t kana;
    switch (set->beside) {
    case KANA:
        kana = find_kana(p[0]);
        if (kana) {
            *point = kana;
            return 1;
        }
        break;
    case EUC_JP:
        if (p[0] == 0x8e && left >= 2) {
            *point = find_kana(p[1]);
            return *point ? 2 : 0;
        }
        if (p[0] == 0x8f && left >= 3) {
            *point = find_double(set, set->three, p + 1);
            return *point ? 3 : 0;
        }
        break;
    case FOUR_BYTES:
        if (left >= 4 && p[1] <= '9') {
            *point = find_four(p);
            return *point ? 4 : 0;
        }
        break;
    default:
        break;
    }
    *point = left >= 2 ? find_double(set, set->cells, p) : 0;
    return *point ? 2 : 0;
}

/* As charset_write; `last`: where the last character may begin, with CHARSET_ROOM_MIN behind. */
typedef uint8_t *write_fn(const void *table, uint8_t *o, const uint8_t *last, const uint8_t **from, const uint8_t *end);

static uint8_t *write_eight_bit(const void *table, uint8_t *o, const uint8_t *last, const uint8_t **from,
                                const uint8_t *end)
{
    const struct utf8_cell *cells = (const struct utf8_cell *)table;
    const uint8_t *p = *from;
    while (p < end && o <= last) {
        const struct utf8_cell *cell = &cells[*p];
        memcpy(o, cell, sizeof *cell);
        if (cell->len == 0)
            break;
        o += cell->len;
        p++;
    }
    *from = p;
    return o;
}

static uint8_t *write_multi(const void *table, uint8_t *o, const uint8_t *last, const uint8_t **from,
                            const uint8_t *end)
{
    const struct multi *set = (const struct multi *)table;
    const uint8_t *p = *from;
    while (p < end && o <= last) {
        uint64_t eight;
        if (end - p >= 8) {
            memcpy(&eight, p, 8);
            if ((eight & 0x8080808080808080u) == 0) {
                memcpy(o, &eight, 8);
                o += 8;
                p += 8;
                continue;
            }
        }
        uint32_t point = p[0];
        size_t len = point < 0x80 ? 1 : take_multi(set, p, (size_t)(end - p), &point);
        if (len == 0)
            break;
        o = write_utf8(o, point);
        p += len;
    }
    *from = p;
    return o;
}

static inline bool is_surrogate(uint32_t point)
{
    return point >= 0xd800 && point <= 0xdfff;
}

static uint8_t *write_ucs2(const void *table, uint8_t *o, const uint8_t *last, const uint8_t **from, const uint8_t *end)
{
    (void)table;
    const uint8_t *p = *from;
    for (; end - p >= 2 && o <= last; p += 2) {
        uint32_t point = (uint32_t)p[0] << 8 | p[1];
        if (is_surrogate(point))
            break;
        o = write_utf8(o, point);
    }
    *from = p;
    return o;
}

/* `high` is the index of the high byte in each pair. */
static inline uint8_t *write_pairs(unsigned high, uint8_t *o, const uint8_t *last, const uint8_t **from,
                                   const uint8_t *end)
{
    const uint8_t *p = *from;
    while (end - p >= 2 && o <= last) {
        uint32_t point = (uint32_t)p[high] << 8 | p[1 - high];
        unsigned len = 2;
        if (is_surrogate(point)) {
            if (point >= 0xdc00 || end - p < 4 || (p[2 + high] & 0xfc) != 0xdc)
                break;
            uint32_t low = (uint32_t)(p[2 + high] & 3) << 8 | p[3 - high];
            point = 0x10000 + ((point & 0x3ff) << 10 | low);
            len = 4;
        }
        o = write_utf8(o, point);
        p += len;
    }
    *from = p;
    return o;
}

static uint8_t *write_utf16(const void *table, uint8_t *o, const uint8_t *last, const uint8_t **from,
                            const uint8_t *end)
{
    (void)table;
    return write_pairs(0, o, last, from, end);
}

static uint8_t *write_utf16le(const void *table, uint8_t *o, const uint8_t *last, const uint8_t **from,
                              const uint8_t *end)
{
    (void)table;
    return write_pairs(1, o, last, from, end);
}

static uint8_t *write_utf32(const void *table, uint8_t *o, const uint8_t *last, const uint8_t **from,
                            const uint8_t *end)
{
    (void)table;
    const uint8_t *p = *from;
    for (; end - p >= 4 && o <= last; p += 4) {
        uint32_t point = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
        if (point > 0x10ffff || is_surrogate(point))
            break;
        o = write_utf8(o, point);
    }
    *from = p;
    return o;
}

struct converter {
    write_fn *write; /* NULL: not converted */
    const void *table;
    bool has_ascii;
};

static const struct converter converters[CHARSET_COUNT] = {
    [CHARSET_UTF8] = {NULL, NULL, true},
    [CHARSET_ASCII] = {write_eight_bit, ascii_cells, true},
    [CHARSET_LATIN1] = {write_eight_bit, latin1_cells, true},
    [CHARSET_ARMSCII8] = {write_eight_bit, armscii8_cells, true},
    [CHARSET_CP1250] = {write_eight_bit, cp1250_cells, true},
    [CHARSET_CP1251] = {write_eight_bit, cp1251_cells, true},
    [CHARSET_CP1256] = {write_eight_bit, cp1256_cells, true},
    [CHARSET_CP1257] = {write_eight_bit, cp1257_cells, true},
    [CHARSET_CP850] = {write_eight_bit, cp850_cells, true},
    [CHARSET_CP852] = {write_eight_bit, cp852_cells, true},
    [CHARSET_CP866] = {write_eight_bit, cp866_cells, true},
    [CHARSET_DEC8] = {write_eight_bit, dec8_cells, true},
    [CHARSET_GEOSTD8] = {write_eight_bit, geostd8_cells, true},
    [CHARSET_GREEK] = {write_eight_bit, greek_cells, true},
    [CHARSET_HEBREW] = {write_eight_bit, hebrew_cells, true},
    [CHARSET_HP8] = {write_eight_bit, hp8_cells, true},
    [CHARSET_KEYBCS2] = {write_eight_bit, keybcs2_cells, true},
    [CHARSET_KOI8R] = {write_eight_bit, koi8r_cells, true},
    [CHARSET_KOI8U] = {write_eight_bit, koi8u_cells, true},
    [CHARSET_LATIN2] = {write_eight_bit, latin2_cells, true},
    [CHARSET_LATIN5] = {write_eight_bit, latin5_cells, true},
    [CHARSET_LATIN7] = {write_eight_bit, latin7_cells, true},
    [CHARSET_MACCE] = {write_eight_bit, macce_cells, true},
    [CHARSET_MACROMAN] = {write_eight_bit, macroman_cells, true},
    [CHARSET_SWE7] = {write_eight_bit, swe7_cells, false},
    [CHARSET_TIS620] = {write_eight_bit, tis620_cells, true},
    [CHARSET_BIG5] = {write_multi, &big5, true},
    [CHARSET_CP932] = {write_multi, &cp932, true},
    [CHARSET_EUCJPMS] = {write_multi, &eucjpms, true},
    [CHARSET_EUCKR] = {write_multi, &euckr, true},
    [CHARSET_GB18030] = {write_multi, &gb18030, true},
    [CHARSET_GB2312] = {write_multi, &gb2312, true},
    [CHARSET_GBK] = {write_multi, &gbk, true},
    [CHARSET_SJIS] = {write_multi, &sjis, true},
    [CHARSET_UJIS] = {write_multi, &ujis, true},
    [CHARSET_UCS2] = {write_ucs2, NULL, false},
    [CHARSET_UTF16] = {write_utf16, NULL, false},
    [CHARSET_UTF16LE] = {write_utf16le, NULL, false},
    [CHARSET_UTF32] = {write_utf32, NULL, false},
};

bool charset_is_converted(enum charset charset)
{
    return converters[charset].write != NULL;
}

bool charset_has_ascii(enum charset charset)
{
    return converters[charset].has_ascii;
}

uint8_t *charset_write(enum charset charset, uint8_t *out, size_t room, const uint8_t **p, const uint8_t *end)
{
    const struct converter *how = &converters[charset];
    return how->write(how->table, out, out + (room - CHARSET_ROOM_MIN), p, end);
}

size_t charset_code_len(enum charset charset, const uint8_t *p, size_t left)
{
    const struct converter *how = &converters[charset];
    if (how->write != write_multi || p[0] < 0x80 || left < 2)
        return 1;
    const struct multi *set = (const struct multi *)how->table;
    uint32_t point;
    if (set->beside == FOUR_BYTES && left >= 4 && find_four(p))
        return 4;
    if (set->beside == EUC_JP && (p[0] == 0x8e || p[0] == 0x8f)) {
        size_t len = take_multi(set, p, left, &point);
        return len ? len : 1;
    }
    return place_of(&set->leads, p[0]) >= 0 && place_of(&set->trails, p[1]) >= 0 ? 2 : 1;
}

size_t charset_trim(enum charset charset, const uint8_t *p, size_t len)
{
    static const uint8_t wide[4] = {0, 0, 0, ' '}, little[2] = {' ', 0};
    const uint8_t *space = &wide[3];
    size_t unit = 1;
    if (charset == CHARSET_UTF32) {
        space = wide;
        unit = 4;
    } else if (charset == CHARSET_UTF16LE) {
        space = little;
        unit = 2;
    } else if (charset == CHARSET_UCS2 || charset == CHARSET_UTF16) {
        space = &wide[2];
        unit = 2;
    }
    while (len >= unit && memcmp(p + len - unit, space, unit) == 0)
        len -= unit;
    return len;
}
