/* ENUM: the label's number in 1 or 2 bytes, little-endian, from 1; 0 is the invalid value "". */
#include "value/family.h"

int enum_read(const struct coltype *type, struct bytes bytes, struct value *out, struct arena *arena, struct err *e)
{
    (void)arena;
    uint32_t index = (uint32_t)family_le(bytes.p, bytes.len);
    if (!type->labels)
        return family_uncertain(type, "label list", e);
    if (index > type->label_count)
        return family_corrupt(type, "number beyond its labels", e);
    struct value v = {.kind = VALUE_ENUM, .index = index};
    v.s.p = index ? type->labels[index - 1].text : "";
    v.s.len = index ? type->labels[index - 1].len : 0;
    v.raw = !value_is_utf8(v.s.p, v.s.len);
    *out = v;
    return 0;
}

void enum_text(const struct value *v, struct buf *out)
{
    buf_add(out, v->s.p, v->s.len);
}

void enum_json(const struct value *v, struct buf *out)
{
    if (v->raw)
        value_json_base64(v->s.p, v->s.len, out);
    else
        value_json_string(v->s.p, v->s.len, out);
}
