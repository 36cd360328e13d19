/* CHAR VARCHAR TEXT and BINARY VARBINARY BLOB: a length and the bytes, in the column's charset.
 *
 *   CHAR, BINARY         1 length byte, 2 when the column may hold more than 255 bytes; stored without the padding
 *   VARCHAR, VARBINARY   likewise
 *   TEXT, BLOB           1 … 4 length bytes by metadata
 *
 * As the server SELECTs: BINARY(n) is padded to n with zeros again, CHAR has no trailing spaces. */
#include "value/charset.h"
#include "value/family.h"
#include "value/write.h"

static int pad_binary(struct text *text, uint32_t len, struct arena *arena, struct err *e)
{
    char *padded = arena_alloc(arena, len);
    if (!padded)
        return err_set(e, NO_MEMORY, (size_t)len);
    memcpy(padded, text->p, text->len);
    memset(padded + text->len, 0, len - text->len);
    *text = (struct text){padded, len, false};
    return 0;
}

int string_convert(const struct coltype *type, struct text text, struct value *out, struct arena *arena, struct err *e)
{
    struct value v = {.kind = VALUE_BYTES};
    if (type->charset != CHARSET_BINARY) {
        int rc = charset_to_utf8(type, &text, arena, e);
        if (rc != 0)
            return rc;
        v.kind = VALUE_TEXT;
        v.raw = text.raw;
    }
    v.s.p = text.p;
    v.s.len = text.len;
    *out = v;
    return 0;
}

int string_read(const struct coltype *type, struct bytes bytes, struct value *out, struct arena *arena, struct err *e)
{
    struct text text = {(const char *)bytes.p + type->walk, bytes.len - type->walk, false};
    uint32_t max = coltype_max_bytes(type);
    int rc = 0;
    if (family_le(bytes.p, type->walk) != text.len || text.len > max)
        return family_corrupt(type, "longer than declared", e);
    if (type->wire == WIRE_STRING && type->charset == CHARSET_BINARY && text.len < max)
        rc = pad_binary(&text, max, arena, e);
    if (type->wire == WIRE_STRING && type->charset != CHARSET_BINARY)
        text.len = charset_trim((enum charset)type->charset, (const uint8_t *)text.p, text.len);
    return rc == 0 ? string_convert(type, text, out, arena, e) : rc;
}

void string_text(const struct value *v, struct buf *out)
{
    buf_add(out, v->s.p, v->s.len);
}

void string_json(const struct value *v, struct buf *out)
{
    if (v->kind == VALUE_BYTES || v->raw)
        value_json_base64(v->s.p, v->s.len, out);
    else
        value_json_string(v->s.p, v->s.len, out);
}
