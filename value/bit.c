/* BIT(n): ceil(n / 8) bytes, big-endian; the bits beyond n are zero. */
#include "value/family.h"
#include "value/write.h"

int bit_read(const struct coltype *type, struct bytes bytes, struct value *out, struct arena *arena, struct err *e)
{
    (void)arena;
    unsigned bits = (type->meta >> 8) * 8u + (type->meta & 255u);
    uint64_t u = family_be(bytes.p, bytes.len);
    if (bits < 64 && u >> bits)
        return family_corrupt(type, "bits beyond its length", e);
    *out = (struct value){.kind = VALUE_BIT, .u = u};
    return 0;
}

void bit_text(const struct value *v, struct buf *out)
{
    uint8_t *o = buf_room(out, WRITE_UINT_MAX);
    if (o)
        out->len += (size_t)(write_uint(o, v->u) - o);
}

void bit_json(const struct value *v, struct buf *out)
{
    uint8_t *o = buf_room(out, WRITE_UINT_MAX + 2);
    if (o)
        out->len += (size_t)(write_json_uint(o, v->u) - o);
}
