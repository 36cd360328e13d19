/* FLOAT and DOUBLE: IEEE 754 single and double precision, little-endian, 4 and 8 bytes.
 *
 * Their text is the shortest decimal number that reads back to the same bits, and of several the nearest: the method is
 * "Schubfach" (Raffaello Giulietti, "The Schubfach way to render doubles", 2020). A number v = c · 2^q lies in the
 * middle of an interval of decimals that read back to it; with k = floor(log10(2^q)) that interval holds at most one
 * multiple of 10^(k+1), and at least one of 10^k. All is compared in quarters of 10^k, in 128-bit fixed point whose
 * lost bits are folded into the last one ("round to odd"). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "value/family.h"
#include "value/java.h"
#include "value/pow10.h"
#include "value/write.h"

struct decimal {
    uint64_t digits;
    int exponent;
};

/* v = c · 2^q; `boundary`: the interval below v is half as wide, as v is a power of two. */
struct binary {
    uint64_t c;
    int q;
    bool boundary;
};

__extension__ typedef unsigned __int128 uint128;

static int floor_log2_pow10(int e)
{
    return (e * 1741647) >> 19;
}

static int floor_log10_pow2(int e)
{
    return (e * 1262611) >> 22;
}

/* floor(log10(3/4 · 2^e)) */
static int floor_log10_three_quarters_pow2(int e)
{
    return (e * 1262611 - 524031) >> 22;
}

/* The upper 64 bits of g · cp (192 bits), the last bit set when anything but rounding dust is below. */
static uint64_t round_to_odd(const struct pow10 *g, uint64_t cp)
{
    uint128 x = (uint128)g->low * cp, y = (uint128)g->high * cp + (uint64_t)(x >> 64);
    return (uint64_t)(y >> 64) | ((uint64_t)y > 1);
}

/* Single precision: 64 bits of the power are enough, and the result has 32 bits. */
static uint64_t round_to_odd_single(const struct pow10 *g, uint64_t cp)
{
    uint128 y = (uint128)(g->high + (g->low != 0)) * cp;
    return (uint64_t)(y >> 64) | ((uint32_t)(y >> 32) > 1);
}

static struct decimal shortest(struct binary v, bool single)
{
    bool even = v.c % 2 == 0;
    int k = v.boundary ? floor_log10_three_quarters_pow2(v.q) : floor_log10_pow2(v.q);
    int h = v.q + floor_log2_pow10(-k) + 1;
    const struct pow10 *g = &pow10_table[-k - POW10_MIN];
    uint64_t (*scale)(const struct pow10 *, uint64_t) = single ? round_to_odd_single : round_to_odd;
    uint64_t lower = scale(g, (4 * v.c - 2 + v.boundary) << h) + !even;
    uint64_t middle = scale(g, (4 * v.c) << h);
    uint64_t upper = scale(g, (4 * v.c + 2) << h) - !even;
    uint64_t s = middle / 4;
    if (s >= 10) {
        uint64_t tens = s / 10;
        bool below = lower <= 40 * tens, above = 40 * tens + 40 <= upper;
        if (below != above)
            return (struct decimal){tens + above, k + 1};
    }
    bool below = lower <= 4 * s, above = 4 * s + 4 <= upper;
    if (below != above)
        return (struct decimal){s + above, k};
    uint64_t half = 4 * s + 2;
    return (struct decimal){s + (middle > half || (middle == half && (s & 1))), k};
}

/* Whole numbers below 2^53 are their own digits. */
static bool whole(struct binary v, struct decimal *out)
{
    if (v.q > 0 || v.q < -52 || v.c & (((uint64_t)1 << -v.q) - 1))
        return false;
    *out = (struct decimal){v.c >> -v.q, 0};
    return true;
}

/* Exponents of the first digit that are written out: from plain_min to plain_max. The server also writes out larger
 * numbers that have digits behind the point. Java has a digit on both sides of every point. */
struct form {
    int plain_min, plain_max;
    bool server, java;
};

static const struct form own_form = {-7, 14, false, false}, server_form = {-15, 14, true, false};
static const struct form java_form = {-3, 6, false, true};

static uint8_t *write_exponent(uint8_t *o, const uint8_t *digits, unsigned count, int exponent, const struct form *form)
{
    *o++ = digits[0];
    if (form->java && count == 1) {
        memcpy(o, ".0", 2);
        o += 2;
    } else if (count > 1) {
        *o++ = '.';
        memcpy(o, digits + 1, count - 1);
        o += count - 1;
    }
    *o++ = form->java ? 'E' : 'e';
    return write_int(o, exponent);
}

static uint8_t *write_shortest(uint8_t *o, struct decimal d, const struct form *form)
{
    uint8_t digits[WRITE_UINT_MAX];
    while (d.digits % 10 == 0) {
        d.digits /= 10;
        d.exponent++;
    }
    unsigned count = (unsigned)(write_uint(digits, d.digits) - digits);
    int first = d.exponent + (int)count - 1;
    bool large = first > form->plain_max && !(form->server && (int)count > first + 1);
    if (first < form->plain_min || large)
        return write_exponent(o, digits, count, first, form);
    if (first < 0) {
        memcpy(o, "0.00000000000000", 16);
        o += 1 - first;
        memcpy(o, digits, count);
        return o + count;
    }
    unsigned integer = (unsigned)first + 1;
    if (count <= integer) {
        memcpy(o, digits, count);
        memset(o + count, '0', integer - count);
        o += integer;
        if (form->java) {
            memcpy(o, ".0", 2);
            o += 2;
        }
        return o;
    }
    memcpy(o, digits, integer);
    o[integer] = '.';
    memcpy(o + integer + 1, digits + integer, count - integer);
    return o + count + 1;
}

static uint8_t *write_zero(uint8_t *o, bool negative, const struct form *form)
{
    if (!negative && form->java) {
        memcpy(o, "0.0", 3);
        return o + 3;
    }
    if (!negative) {
        *o = '0';
        return o + 1;
    }
    memcpy(o, "-0.0", 4);
    return o + 4;
}

/* Java asks for two digits at least, the nearest ones, which shows where doubles lie far apart: 4.9E-324. */
static struct decimal two_digits(struct decimal d, double v)
{
    char text[16];
    for (; d.digits >= 10 && d.digits % 10 == 0; d.exponent++)
        d.digits /= 10;
    if (d.digits >= 10)
        return d;
    snprintf(text, sizeof text, "%.1e", v);
    return (struct decimal){(uint64_t)(text[0] - '0') * 10 + (uint64_t)(text[2] - '0'),
                            (int)strtol(text + 4, NULL, 10) - 1};
}

static uint8_t *write_binary64(uint8_t *o, double v, const struct form *form)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    uint64_t fraction = bits & (((uint64_t)1 << 52) - 1);
    int exponent = (int)(bits >> 52 & 0x7ff);
    if (bits << 1 == 0)
        return write_zero(o, bits >> 63, form);
    if (bits >> 63)
        *o++ = '-';
    struct binary b = {fraction, -1074, false};
    if (exponent)
        b = (struct binary){fraction | (uint64_t)1 << 52, exponent - 1075, fraction == 0 && exponent > 1};
    struct decimal d;
    if (!whole(b, &d))
        d = shortest(b, false);
    if (form->java && !exponent)
        d = two_digits(d, fabs(v));
    return write_shortest(o, d, form);
}

uint8_t *write_double(uint8_t *o, double v)
{
    return write_binary64(o, v, &own_form);
}

uint8_t *write_server_double(uint8_t *o, double v)
{
    uint8_t *end = write_binary64(o, v, &server_form);
    for (const uint8_t *p = o; p < end; p++)
        if (*p == '.' || *p == 'e')
            return end;
    memcpy(end, ".0", 2);
    return end + 2;
}

uint8_t *write_java_double(uint8_t *o, double v)
{
    return write_binary64(o, v, &java_form);
}

static uint8_t *write_binary32(uint8_t *o, float v, const struct form *form)
{
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    uint32_t fraction = bits & 0x7fffff;
    int exponent = (int)(bits >> 23 & 0xff);
    if (bits << 1 == 0)
        return write_zero(o, bits >> 31, form);
    if (bits >> 31)
        *o++ = '-';
    struct binary b = {fraction, -149, false};
    if (exponent)
        b = (struct binary){fraction | 0x800000u, exponent - 150, fraction == 0 && exponent > 1};
    struct decimal d;
    if (!whole(b, &d))
        d = shortest(b, true);
    if (form->java && !exponent)
        d = two_digits(d, fabs((double)v));
    return write_shortest(o, d, form);
}

uint8_t *write_float(uint8_t *o, float v)
{
    return write_binary32(o, v, &own_form);
}

uint8_t *write_java_float(uint8_t *o, float v)
{
    return write_binary32(o, v, &java_form);
}

int float_read(const struct coltype *type, struct bytes bytes, struct value *out, struct arena *arena, struct err *e)
{
    (void)arena;
    uint64_t bits = family_le(bytes.p, bytes.len);
    if (bytes.len == 4) {
        uint32_t half = (uint32_t)bits;
        if ((half >> 23 & 0xff) == 0xff)
            return family_corrupt(type, "not a finite number", e);
        *out = (struct value){.kind = VALUE_FLOAT};
        memcpy(&out->f, &half, sizeof out->f);
        return 0;
    }
    if ((bits >> 52 & 0x7ff) == 0x7ff)
        return family_corrupt(type, "not a finite number", e);
    *out = (struct value){.kind = VALUE_DOUBLE};
    memcpy(&out->d, &bits, sizeof out->d);
    return 0;
}

void float_text(const struct value *v, struct buf *out)
{
    uint8_t *o = buf_room(out, WRITE_DOUBLE_MAX);
    if (o)
        out->len += (size_t)((v->kind == VALUE_FLOAT ? write_float(o, v->f) : write_double(o, v->d)) - o);
}

void float_json(const struct value *v, struct buf *out)
{
    float_text(v, out);
}
