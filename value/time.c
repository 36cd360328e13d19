/* TIME(n), the form since 5.6: three bytes and the fraction, big-endian, as one number so that bytes compare as times.
 *
 *   fraction digits   bytes    the number is offset by
 *   0                 3        2^23
 *   1, 2              3 + 1    2^31, fraction in 1/100 s
 *   3, 4              3 + 2    2^39, fraction in 1/10000 s
 *   5, 6              3 + 3    2^47, fraction in microseconds
 *
 * Without the offset: sign; then of its magnitude the fraction in the low bytes, second (6 bits), minute (6), hour
 * (10). So -00:00:00.01 is -1, stored as 7f ff ff ff. */
#include "value/family.h"
#include "value/write.h"

bool read_time(const uint8_t *bytes, unsigned scale, struct value *v)
{
    static const uint32_t unit_us[4] = {1, 10000, 100, 1}, unit_limit[4] = {1, 100, 10000, 1000000};
    unsigned fraction_bytes = (scale + 1) / 2, shift = 8 * fraction_bytes;
    int64_t n = (int64_t)family_be(bytes, 3 + fraction_bytes) - ((int64_t)0x800000 << shift);
    *v = (struct value){.kind = VALUE_TIME, .scale = (uint8_t)scale};
    v->t.negative = n < 0;
    uint64_t magnitude = (uint64_t)(n < 0 ? -n : n);
    uint32_t fraction = (uint32_t)(magnitude & (((uint64_t)1 << shift) - 1)), clock = (uint32_t)(magnitude >> shift);
    v->t.hour = (uint16_t)(clock >> 12);
    v->t.minute = clock >> 6 & 63;
    v->t.second = clock & 63;
    v->t.us = fraction * unit_us[fraction_bytes];
    return v->t.hour <= 838 && v->t.minute <= 59 && v->t.second <= 59 && fraction < unit_limit[fraction_bytes];
}

int time_read(const struct coltype *type, struct bytes bytes, struct value *out, struct arena *arena, struct err *e)
{
    (void)arena;
    struct value v;
    if (!read_time(bytes.p, type->meta, &v))
        return family_corrupt(type, "out of range", e);
    *out = v;
    return 0;
}

void time_text(const struct value *v, struct buf *out)
{
    uint8_t *o = buf_room(out, WRITE_TIME_MAX);
    if (o)
        out->len += (size_t)(write_time(o, v) - o);
}

void time_json(const struct value *v, struct buf *out)
{
    buf_byte(out, '"');
    time_text(v, out);
    buf_byte(out, '"');
}
