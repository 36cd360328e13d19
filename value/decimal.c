/* DECIMAL(precision, scale): the integer digits and then the fraction digits, each in groups of nine.
 *
 *   leading group of the integer part   precision - scale mod 9 digits in 0 … 4 bytes
 *   whole groups of nine digits         4 bytes each
 *   last group of the fraction          scale mod 9 digits in 0 … 4 bytes
 *
 * Groups are big-endian. The first bit is inverted (1 = not negative), so that bytes compare as numbers; of a negative
 * number every bit is inverted. */
#include "value/family.h"
#include "value/write.h"

static const uint8_t group_bytes[10] = {0, 1, 1, 2, 2, 3, 3, 4, 4, 4};
static const uint32_t group_limit[10] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000};

/* The next group: big-endian, inverted by `mask`, the sign bit taken off by `first`. */
struct groups {
    const uint8_t *p;
    uint8_t mask;
    uint8_t first;
};

static inline uint32_t next_group(struct groups *in, unsigned digits)
{
    uint32_t v = 0;
    for (unsigned i = 0; i < group_bytes[digits]; i++) {
        v = v << 8 | (uint8_t)(*in->p++ ^ in->mask ^ in->first);
        in->first = 0;
    }
    return v;
}

static uint8_t *write_integer(uint8_t *o, struct groups *in, unsigned digits)
{
    uint8_t *start = o;
    unsigned leading = digits % 9;
    if (leading) {
        uint32_t v = next_group(in, leading);
        if (v >= group_limit[leading])
            return NULL;
        if (v)
            o = write_uint(o, v);
    }
    for (unsigned i = 0; i < digits / 9; i++) {
        uint32_t v = next_group(in, 9);
        if (v >= group_limit[9])
            return NULL;
        if (o != start)
            o = write_padded(o, v, 9);
        else if (v)
            o = write_uint(o, v);
    }
    if (o == start)
        *o++ = '0';
    return o;
}

uint8_t *write_decimal(uint8_t *o, const uint8_t *bytes, unsigned precision, unsigned scale)
{
    bool negative = !(bytes[0] & 0x80);
    struct groups in = {bytes, negative ? 0xff : 0, 0x80};
    if (negative)
        *o++ = '-';
    o = write_integer(o, &in, precision - scale);
    if (!o || !scale)
        return o;
    *o++ = '.';
    for (unsigned left = scale; left; left -= left < 9 ? left : 9) {
        unsigned digits = left < 9 ? left : 9;
        uint32_t v = next_group(&in, digits);
        if (v >= group_limit[digits])
            return NULL;
        o = write_padded(o, v, digits);
    }
    return o;
}

__extension__ typedef unsigned __int128 uint128;

/* A number of up to 256 bits, least significant part first. */
struct wide {
    uint64_t part[4];
    unsigned count;
};

static inline void wide_push(struct wide *w, uint32_t factor, uint32_t digits)
{
    uint64_t carry = digits;
    for (unsigned i = 0; i < w->count; i++) {
        uint128 n = (uint128)w->part[i] * factor + carry;
        w->part[i] = (uint64_t)n;
        carry = (uint64_t)(n >> 64);
    }
    if (carry)
        w->part[w->count++] = carry;
}

/* The digits in front of the point or behind it: the group that is not whole stands at the outer end. */
static bool push_digits(struct wide *w, struct groups *in, unsigned digits, bool is_fraction)
{
    for (unsigned left = digits; left;) {
        unsigned part = is_fraction ? (left < 9 ? left : 9) : left % 9 ? left % 9 : 9;
        uint32_t v = next_group(in, part);
        if (v >= group_limit[part])
            return false;
        wide_push(w, group_limit[part], v);
        left -= part;
    }
    return true;
}

/* Of a negative number the complement of what is one less: -1 is 0, with all bits inverted. */
static void wide_less_one(struct wide *w)
{
    for (unsigned i = 0; w->part[i]-- == 0; i++)
        ;
    while (w->count && w->part[w->count - 1] == 0)
        w->count--;
}

size_t decimal_unscaled(uint8_t out[DECIMAL_UNSCALED_MAX], const uint8_t *bytes, unsigned precision, unsigned scale)
{
    bool negative = !(bytes[0] & 0x80);
    struct groups in = {bytes, negative ? 0xff : 0, 0x80};
    struct wide w = {.count = 0};
    if (precision > DECIMAL_COLUMN_DIGITS || !push_digits(&w, &in, precision - scale, false) ||
        !push_digits(&w, &in, scale, true))
        return 0;
    uint8_t mask = negative && w.count ? 0xff : 0;
    if (mask)
        wide_less_one(&w);
    unsigned top = w.count ? 64u - (unsigned)__builtin_clzll(w.part[w.count - 1]) : 0;
    size_t len = (w.count ? (w.count - 1) * 64u + top : 0) / 8 + 1;
    for (size_t i = 0; i < len; i++) {
        size_t from = len - 1 - i;
        uint64_t part = from / 8 < w.count ? w.part[from / 8] : 0;
        out[i] = (uint8_t)(part >> (from % 8 * 8)) ^ mask;
    }
    return len;
}

int decimal_read(const struct coltype *type, struct bytes bytes, struct value *out, struct arena *arena, struct err *e)
{
    unsigned precision = type->meta & 255u, scale = type->meta >> 8;
    uint8_t *text = arena_alloc(arena, WRITE_DECIMAL_MAX);
    if (!text)
        return err_set(e, NO_MEMORY, (size_t)WRITE_DECIMAL_MAX);
    uint8_t *end = write_decimal(text, bytes.p, precision, scale);
    if (!end)
        return family_corrupt(type, "digits out of range", e);
    *out = (struct value){.kind = VALUE_DECIMAL, .scale = (uint8_t)scale};
    out->s.p = (const char *)text;
    out->s.len = (size_t)(end - text);
    return 0;
}

void decimal_text(const struct value *v, struct buf *out)
{
    buf_add(out, v->s.p, v->s.len);
}

void decimal_json(const struct value *v, struct buf *out)
{
    buf_byte(out, '"');
    buf_add(out, v->s.p, v->s.len);
    buf_byte(out, '"');
}
