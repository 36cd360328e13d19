/* SET: one bit per label in 1, 2, 3, 4 or 8 bytes, little-endian, bit 0 = first label. */
#include "value/family.h"

int set_read(const struct coltype *type, struct bytes bytes, struct value *out, struct arena *arena, struct err *e)
{
    uint64_t bits = family_le(bytes.p, bytes.len), left;
    size_t len = 0;
    if (!type->labels)
        return family_uncertain(type, "label list", e);
    if (type->label_count < 64 && bits >> type->label_count)
        return family_corrupt(type, "bits beyond its labels", e);
    for (left = bits; left; left &= left - 1)
        len += type->labels[__builtin_ctzll(left)].len + 1u;
    char *text = arena_alloc(arena, len), *o = text;
    if (!text)
        return err_set(e, NO_MEMORY, len);
    for (left = bits; left; left &= left - 1) {
        const struct label *label = &type->labels[__builtin_ctzll(left)];
        if (o != text)
            *o++ = ',';
        memcpy(o, label->text, label->len);
        o += label->len;
    }
    struct value v = {.kind = VALUE_SET};
    v.s.p = text;
    v.s.len = (size_t)(o - text);
    v.raw = !value_is_utf8(v.s.p, v.s.len);
    *out = v;
    return 0;
}

void set_text(const struct value *v, struct buf *out)
{
    buf_add(out, v->s.p, v->s.len);
}

void set_json(const struct value *v, struct buf *out)
{
    if (v->raw)
        value_json_base64(v->s.p, v->s.len, out);
    else
        value_json_string(v->s.p, v->s.len, out);
}
