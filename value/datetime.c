/* DATETIME(n), the form since 5.6: five bytes and the fraction, big-endian.
 *
 *   1 bit     1 = not negative (always)
 *   17 bits   year * 13 + month
 *   5, 5, 6, 6 bits   day, hour, minute, second
 *   0 … 3 bytes       fraction: for 1, 2 digits in 1/100 s, for 3, 4 in 1/10000 s, for 5, 6 in microseconds
 *
 * Zero and partial dates are stored as they are. */
#include "value/family.h"
#include "value/write.h"

bool read_datetime(const uint8_t *bytes, unsigned scale, struct value *v)
{
    static const uint32_t unit_us[4] = {1, 10000, 100, 1}, unit_limit[4] = {1, 100, 10000, 1000000};
    unsigned fraction_bytes = (scale + 1) / 2;
    uint64_t n = family_be(bytes, 5);
    uint32_t fraction = (uint32_t)family_be(bytes + 5, fraction_bytes), clock = (uint32_t)n & 0x1ffff;
    uint32_t month_count = (uint32_t)(n >> 22) & 0x1ffff;
    *v = (struct value){.kind = VALUE_DATETIME, .scale = (uint8_t)scale};
    v->t.year = (uint16_t)(month_count / 13);
    v->t.month = (uint8_t)(month_count % 13);
    v->t.day = n >> 17 & 31;
    v->t.hour = (uint16_t)(clock >> 12);
    v->t.minute = clock >> 6 & 63;
    v->t.second = clock & 63;
    v->t.us = fraction * unit_us[fraction_bytes];
    return n >> 39 == 1 && v->t.year <= 9999 && v->t.hour <= 23 && v->t.minute <= 59 && v->t.second <= 59 &&
           fraction < unit_limit[fraction_bytes];
}

int datetime_read(const struct coltype *type, struct bytes bytes, struct value *out, struct arena *arena, struct err *e)
{
    (void)arena;
    struct value v;
    if (!read_datetime(bytes.p, type->meta, &v))
        return family_corrupt(type, "out of range", e);
    *out = v;
    return 0;
}

void datetime_text(const struct value *v, struct buf *out)
{
    uint8_t *o = buf_room(out, WRITE_DATETIME_MAX);
    if (o)
        out->len += (size_t)(write_datetime(o, v) - o);
}

void datetime_json(const struct value *v, struct buf *out)
{
    buf_byte(out, '"');
    datetime_text(v, out);
    buf_byte(out, '"');
}
