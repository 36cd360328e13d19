/* TIMESTAMP(n), the form since 5.6: four bytes of seconds since 1970 UTC and the fraction, both big-endian.
 *
 *   4 bytes       seconds, unsigned; 0 is the zero timestamp
 *   0 … 3 bytes   fraction: for 1, 2 digits in 1/100 s, for 3, 4 in 1/10000 s, for 5, 6 in microseconds */
#include "value/family.h"
#include "value/write.h"

bool read_timestamp(const uint8_t *bytes, unsigned scale, struct value *v)
{
    static const uint32_t unit_us[4] = {1, 10000, 100, 1}, unit_limit[4] = {1, 100, 10000, 1000000};
    unsigned fraction_bytes = (scale + 1) / 2;
    uint32_t fraction = (uint32_t)family_be(bytes + 4, fraction_bytes);
    *v = (struct value){.kind = VALUE_TIMESTAMP, .scale = (uint8_t)scale};
    v->ts.seconds = (int64_t)family_be(bytes, 4);
    v->ts.us = fraction * unit_us[fraction_bytes];
    return fraction < unit_limit[fraction_bytes];
}

int timestamp_read(const struct coltype *type, struct bytes bytes, struct value *out, struct arena *arena,
                   struct err *e)
{
    (void)arena;
    struct value v;
    if (!read_timestamp(bytes.p, type->meta, &v))
        return family_corrupt(type, "fraction out of range", e);
    *out = v;
    return 0;
}

void timestamp_text(const struct value *v, struct buf *out)
{
    uint8_t *o = buf_room(out, WRITE_TIMESTAMP_MAX);
    if (o)
        out->len += (size_t)(write_timestamp(o, (uint32_t)v->ts.seconds, v->ts.us, v->scale) - o);
}

void timestamp_json(const struct value *v, struct buf *out)
{
    buf_byte(out, '"');
    timestamp_text(v, out);
    buf_byte(out, '"');
}
