/* GEOMETRY and its kinds: 1 … 4 length bytes by metadata, then as both servers store it:
 *
 *   bytes 0 … 3   SRID, little-endian
 *   rest          well-known binary, see wkb.h; with a geographic SRID longitude stands before latitude
 *
 * A column may hold fewer than four bytes: the '' that ALTER TABLE … ADD g GEOMETRY NOT NULL puts into old rows. That
 * is no geometry and comes as bytes. JSON: the SRID and the well-known binary as they are stored, so that they can be
 * read back; the text form is the stored bytes. */
#include "value/family.h"
#include "value/write.h"

int geometry_read(const struct coltype *type, struct bytes bytes, struct value *out, struct arena *arena, struct err *e)
{
    (void)arena;
    size_t len = bytes.len - type->walk;
    if (family_le(bytes.p, type->walk) != len)
        return family_corrupt(type, "length differs from its bytes", e);
    *out = (struct value){.kind = len < GEOMETRY_SRID_BYTES ? VALUE_BYTES : VALUE_GEOMETRY};
    out->s.p = (const char *)bytes.p + type->walk;
    out->s.len = len;
    return 0;
}

uint8_t *write_geometry(uint8_t *o, const uint8_t *p, size_t len)
{
    memcpy(o, "{\"wkb\":\"", 8);
    o = write_base64(o + 8, p + GEOMETRY_SRID_BYTES, len - GEOMETRY_SRID_BYTES);
    memcpy(o, "\",\"srid\":", 9);
    o = write_uint(o + 9, family_le(p, GEOMETRY_SRID_BYTES));
    *o++ = '}';
    return o;
}

void geometry_json(const struct value *v, struct buf *out)
{
    uint8_t *o = v->s.len < SIZE_MAX / 2 ? buf_room(out, WRITE_GEOMETRY_MAX(v->s.len)) : NULL;
    if (o)
        out->len += (size_t)(write_geometry(o, (const uint8_t *)v->s.p, v->s.len) - o);
    else
        out->failed = true;
}
