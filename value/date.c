/* DATE: three bytes, little-endian.
 *
 *   bits 0 … 4    day, 0 … 31
 *   bits 5 … 8    month, 0 … 12
 *   bits 9 … 23   year, 0 … 9999
 *
 * Zero and partial dates are stored as they are. */
#include "value/family.h"
#include "value/write.h"

bool read_date(const uint8_t *bytes, struct value *v)
{
    unsigned n = (unsigned)family_le(bytes, 3), day = n & 31, month = n >> 5 & 15, year = n >> 9;
    *v = (struct value){.kind = VALUE_DATE};
    v->t.year = (uint16_t)year;
    v->t.month = (uint8_t)month;
    v->t.day = (uint8_t)day;
    return month <= 12 && year <= 9999;
}

int date_read(const struct coltype *type, struct bytes bytes, struct value *out, struct arena *arena, struct err *e)
{
    (void)arena;
    struct value v;
    if (!read_date(bytes.p, &v))
        return family_corrupt(type, "month or year out of range", e);
    *out = v;
    return 0;
}

void date_text(const struct value *v, struct buf *out)
{
    uint8_t *o = buf_room(out, WRITE_DATE_MAX);
    if (o)
        out->len += (size_t)(write_date(o, v->t.year, v->t.month, v->t.day) - o);
}

void date_json(const struct value *v, struct buf *out)
{
    buf_byte(out, '"');
    date_text(v, out);
    buf_byte(out, '"');
}
