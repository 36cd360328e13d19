/* TINYINT SMALLINT MEDIUMINT INT BIGINT: 1, 2, 3, 4, 8 bytes, little-endian, two's complement when signed. */
#include "value/family.h"
#include "value/write.h"

int integer_read(const struct coltype *type, struct bytes bytes, struct value *out, struct arena *arena, struct err *e)
{
    (void)arena;
    if (!type->sign_known)
        return family_uncertain(type, "sign", e);
    uint64_t u = family_le(bytes.p, bytes.len);
    unsigned unused = 64 - 8 * (unsigned)bytes.len;
    if (type->is_unsigned)
        *out = (struct value){.kind = VALUE_UINT, .u = u};
    else
        *out = (struct value){.kind = VALUE_INT, .i = (int64_t)(u << unused) >> unused};
    return 0;
}

void integer_text(const struct value *v, struct buf *out)
{
    uint8_t *o = buf_room(out, WRITE_UINT_MAX + 1);
    if (o)
        out->len += (size_t)((v->kind == VALUE_INT ? write_int(o, v->i) : write_uint(o, v->u)) - o);
}

void integer_json(const struct value *v, struct buf *out)
{
    uint8_t *o = buf_room(out, WRITE_UINT_MAX + 3);
    if (o)
        out->len += (size_t)((v->kind == VALUE_INT ? write_json_int(o, v->i) : write_json_uint(o, v->u)) - o);
}
