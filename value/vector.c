/* VECTOR(n): single-precision numbers of four bytes each, little-endian, behind a length.
 *
 *   MySQL     1 … 4 length bytes by metadata, type 242
 *   MariaDB   as VARBINARY: known by its declared type only
 *
 * Text and JSON: an array of the shortest numbers that read back to the same bits. JSON has no infinities and no NaN
 * (neither server stores them): a vector with one comes as bytes. */
#include <string.h>

#include "value/family.h"
#include "value/write.h"

#define NUMBER_BYTES 4

bool vector_is_finite(const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i += NUMBER_BYTES)
        if (((uint32_t)family_le(p + i, NUMBER_BYTES) >> 23 & 0xff) == 0xff)
            return false;
    return true;
}

uint8_t *write_vector(uint8_t *o, const uint8_t *p, size_t len)
{
    *o++ = '[';
    for (size_t i = 0; i < len; i += NUMBER_BYTES) {
        uint32_t bits = (uint32_t)family_le(p + i, NUMBER_BYTES);
        float f;
        memcpy(&f, &bits, sizeof f);
        if (i)
            *o++ = ',';
        o = write_float(o, f);
    }
    *o++ = ']';
    return o;
}

int vector_read(const struct coltype *type, struct bytes bytes, struct value *out, struct arena *arena, struct err *e)
{
    (void)arena;
    size_t len = bytes.len - type->walk;
    const uint8_t *p = bytes.p + type->walk;
    if (family_le(bytes.p, type->walk) != len)
        return family_corrupt(type, "length differs from its bytes", e);
    if (len % NUMBER_BYTES)
        return family_corrupt(type, "not a whole number of elements", e);
    *out = (struct value){.kind = vector_is_finite(p, len) ? VALUE_VECTOR : VALUE_BYTES};
    out->s.p = (const char *)p;
    out->s.len = len;
    return 0;
}

void vector_text(const struct value *v, struct buf *out)
{
    uint8_t *o = buf_room(out, WRITE_VECTOR_MAX(v->s.len));
    if (o)
        out->len += (size_t)(write_vector(o, (const uint8_t *)v->s.p, v->s.len) - o);
}

void vector_json(const struct value *v, struct buf *out)
{
    vector_text(v, out);
}
