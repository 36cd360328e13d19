/* TIME before 5.6, and of MariaDB with mysql56_temporal_format=OFF.
 *
 *   declared    bytes                  what
 *   TIME        3, little-endian       sign · (hour · 10000 + minute · 100 + second), two's complement
 *   TIME(1, 2)  4, big-endian          the time in 10^-n s, plus 839 h in the same unit
 *   TIME(3 … 5) 5, big-endian          likewise
 *   TIME(6)     6, big-endian          likewise
 *
 * The TABLE_MAP has no metadata of these types: the fraction digits are known from the declared type only. */
#include "value/family.h"
#include "value/write.h"

#define OFFSET_SECONDS 3020400 /* 839 h */

bool read_time_old(const uint8_t *bytes, unsigned scale, struct value *v)
{
    static const uint32_t units[7] = {1, 10, 100, 1000, 10000, 100000, 1000000};
    static const uint8_t sizes[7] = {3, 4, 4, 5, 5, 5, 6};
    *v = (struct value){.kind = VALUE_TIME, .scale = (uint8_t)scale};
    if (scale == 0) {
        int32_t n = (int32_t)((uint32_t)family_le(bytes, 3) << 8) >> 8;
        uint32_t clock = (uint32_t)(n < 0 ? -n : n);
        v->t.negative = n < 0;
        v->t.hour = (uint16_t)(clock / 10000);
        v->t.minute = (uint8_t)(clock / 100 % 100);
        v->t.second = (uint8_t)(clock % 100);
    } else {
        uint32_t unit = units[scale];
        int64_t n = (int64_t)family_be(bytes, sizes[scale]) - (int64_t)OFFSET_SECONDS * unit;
        uint64_t magnitude = (uint64_t)(n < 0 ? -n : n), seconds = magnitude / unit;
        if (seconds >= OFFSET_SECONDS)
            return false;
        v->t.negative = n < 0;
        v->t.hour = (uint16_t)(seconds / 3600);
        v->t.minute = (uint8_t)(seconds / 60 % 60);
        v->t.second = (uint8_t)(seconds % 60);
        v->t.us = (uint32_t)(magnitude % unit) * (1000000 / unit);
    }
    return v->t.hour <= 838 && v->t.minute <= 59 && v->t.second <= 59;
}

int time_old_read(const struct coltype *type, struct bytes bytes, struct value *out, struct arena *arena, struct err *e)
{
    (void)arena;
    struct value v;
    if (coltype_needs_scale(type))
        return family_uncertain(type, "fraction", e);
    if (!read_time_old(bytes.p, type->meta, &v))
        return family_corrupt(type, "out of range", e);
    *out = v;
    return 0;
}
