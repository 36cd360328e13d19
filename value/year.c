/* YEAR: one byte, years since 1900; 0 is the year 0000. */
#include "value/family.h"
#include "value/write.h"

int year_read(const struct coltype *type, struct bytes bytes, struct value *out, struct arena *arena, struct err *e)
{
    (void)type;
    (void)arena;
    (void)e;
    *out = (struct value){.kind = VALUE_YEAR, .u = bytes.p[0] ? 1900u + bytes.p[0] : 0};
    return 0;
}

void year_text(const struct value *v, struct buf *out)
{
    uint8_t *o = buf_room(out, WRITE_UINT_MAX);
    if (o)
        out->len += (size_t)(write_uint(o, v->u) - o);
}

void year_json(const struct value *v, struct buf *out)
{
    year_text(v, out);
}
