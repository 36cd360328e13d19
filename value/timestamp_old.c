/* TIMESTAMP before 5.6, and of MariaDB with mysql56_temporal_format=OFF: seconds since 1970 UTC, 0 the zero timestamp.
 *
 *   declared     bytes
 *   TIMESTAMP    4, little-endian
 *   TIMESTAMP(n) 4, big-endian; then the n fraction digits as a number in 1 (n = 1, 2), 2 (3, 4) or 3 bytes (5, 6),
 *                big-endian
 *
 * The TABLE_MAP has no metadata of these types: the fraction digits are known from the declared type only. */
#include "value/family.h"
#include "value/write.h"

bool read_timestamp_old(const uint8_t *bytes, unsigned scale, struct value *v)
{
    static const uint32_t units[7] = {1, 10, 100, 1000, 10000, 100000, 1000000};
    uint32_t fraction = scale ? (uint32_t)family_be(bytes + 4, (scale + 1) / 2) : 0;
    *v = (struct value){.kind = VALUE_TIMESTAMP, .scale = (uint8_t)scale};
    v->ts.seconds = (int64_t)(scale ? family_be(bytes, 4) : family_le(bytes, 4));
    v->ts.us = fraction * (1000000 / units[scale]);
    return fraction < units[scale];
}

int timestamp_old_read(const struct coltype *type, struct bytes bytes, struct value *out, struct arena *arena,
                       struct err *e)
{
    (void)arena;
    struct value v;
    if (coltype_needs_scale(type))
        return family_uncertain(type, "fraction", e);
    if (!read_timestamp_old(bytes.p, type->meta, &v))
        return family_corrupt(type, "fraction out of range", e);
    *out = v;
    return 0;
}
