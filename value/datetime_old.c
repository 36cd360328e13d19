/* DATETIME before 5.6, and of MariaDB with mysql56_temporal_format=OFF.
 *
 *   declared        bytes                what
 *   DATETIME        8, little-endian     year, month, day, hour, minute, second as digits: 20261122131415
 *   DATETIME(1, 2)  6, big-endian        (((((year · 13 + month) · 32 + day) · 24 + hour) · 60 + minute) · 60
 *                                        + second) · 10^n + fraction
 *   DATETIME(3 … 5) 7, big-endian        likewise
 *   DATETIME(6)     8, big-endian        likewise
 *
 * The TABLE_MAP has no metadata of these types: the fraction digits are known from the declared type only. */
#include "value/family.h"
#include "value/write.h"

static void take_digits(uint64_t n, struct value *v)
{
    uint64_t clock = n % 1000000, day = n / 1000000;
    v->t.second = (uint8_t)(clock % 100);
    v->t.minute = (uint8_t)(clock / 100 % 100);
    v->t.hour = (uint16_t)(clock / 10000);
    v->t.day = (uint8_t)(day % 100);
    v->t.month = (uint8_t)(day / 100 % 100);
    v->t.year = (uint16_t)(day / 10000);
}

static void take_product(uint64_t n, uint32_t unit, struct value *v)
{
    v->t.us = (uint32_t)(n % unit) * (1000000 / unit);
    n /= unit;
    v->t.second = (uint8_t)(n % 60);
    v->t.minute = (uint8_t)(n / 60 % 60);
    v->t.hour = (uint16_t)(n / 3600 % 24);
    n /= 86400;
    v->t.day = (uint8_t)(n % 32);
    v->t.month = (uint8_t)(n / 32 % 13);
    v->t.year = (uint16_t)(n / (32 * 13));
}

bool read_datetime_old(const uint8_t *bytes, unsigned scale, struct value *v)
{
    static const uint32_t units[7] = {1, 10, 100, 1000, 10000, 100000, 1000000};
    static const uint8_t sizes[7] = {8, 6, 6, 7, 7, 7, 8};
    const uint64_t years = 10000, seconds_of_year = 13ull * 32 * 86400;
    uint64_t n = scale ? family_be(bytes, sizes[scale]) : family_le(bytes, 8);
    *v = (struct value){.kind = VALUE_DATETIME, .scale = (uint8_t)scale};
    if (n >= years * (scale ? seconds_of_year * units[scale] : 10000000000u))
        return false;
    if (scale)
        take_product(n, units[scale], v);
    else
        take_digits(n, v);
    return v->t.month <= 12 && v->t.day <= 31 && v->t.hour <= 23 && v->t.minute <= 59 && v->t.second <= 59;
}

int datetime_old_read(const struct coltype *type, struct bytes bytes, struct value *out, struct arena *arena,
                      struct err *e)
{
    (void)arena;
    struct value v;
    if (coltype_needs_scale(type))
        return family_uncertain(type, "fraction", e);
    if (!read_datetime_old(bytes.p, type->meta, &v))
        return family_corrupt(type, "out of range", e);
    *out = v;
    return 0;
}
