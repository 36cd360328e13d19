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
