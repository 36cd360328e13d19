/* JSON columns: 1 … 4 length bytes (by metadata, always 4), then MySQL's binary document.
 *
 *   document     type (1), value; no byte at all: null
 *   small object count (2), bytes (2), key entries, value entries, keys, values
 *   large object count (4), bytes (4), likewise
 *   array        likewise, without keys
 *   key entry    offset (2 or 4), length (2)
 *   value entry  type (1), offset (2 or 4), or the value itself: literals and 16-bit integers, in large ones also
 * 32-bit literal      0 null, 1 true, 2 false (1) integers     2, 4, 8 bytes; double 8 bytes string       length, UTF-8
 * bytes opaque       column type (1), length, bytes
 *
 * Offsets count from the container's count field; `bytes` is the size of all of it from there. Length: seven bits a
 * byte, the lowest first, the top bit set when another follows, at most five. Keys are sorted by length, then by bytes.
 * All integers little-endian. */
#include "value/json_parts.h"

#include "value/write.h"

struct jsonb_ref jsonb_root(const uint8_t *doc, size_t len)
{
    static const uint8_t null_literal[1] = {0};
    if (len == 0)
        return (struct jsonb_ref){null_literal, 1, JSONB_LITERAL, true};
    return (struct jsonb_ref){doc + 1, len - 1, doc[0], false};
}

bool jsonb_list_open(struct jsonb_list *out, const struct jsonb_ref *ref)
{
    bool large = ref->type == JSONB_LARGE_OBJECT || ref->type == JSONB_LARGE_ARRAY;
    bool object = ref->type == JSONB_SMALL_OBJECT || ref->type == JSONB_LARGE_OBJECT;
    size_t width = large ? 4 : 2;
    if (!jsonb_is_list(ref) || ref->len < 2 * width)
        return false;
    uint64_t count = family_le(ref->p, width), len = family_le(ref->p + width, width);
    uint64_t header = 2 * width + count * ((object ? width + 2 : 0) + width + 1);
    if (len > ref->len || header > len)
        return false;
    *out = (struct jsonb_list){ref->p, (size_t)len, (size_t)header, (uint32_t)count, object, large};
    return true;
}

bool jsonb_list_key(const struct jsonb_list *list, uint32_t i, struct bytes *out)
{
    size_t width = list->large ? 4 : 2;
    const uint8_t *entry = list->p + 2 * width + (size_t)i * (width + 2);
    uint64_t offset = family_le(entry, width), len = family_le(entry + width, 2);
    if (offset < list->header || offset > list->len || len > list->len - offset)
        return false;
    *out = (struct bytes){list->p + offset, (size_t)len};
    return true;
}

static bool is_inlined(uint8_t type, bool large)
{
    if (type == JSONB_INT32 || type == JSONB_UINT32)
        return large;
    return type == JSONB_LITERAL || type == JSONB_INT16 || type == JSONB_UINT16;
}

bool jsonb_list_value(const struct jsonb_list *list, uint32_t i, struct jsonb_ref *out)
{
    size_t width = list->large ? 4 : 2;
    const uint8_t *entry = list->p + list->header - (size_t)(list->count - i) * (width + 1);
    if (is_inlined(entry[0], list->large)) {
        *out = (struct jsonb_ref){entry + 1, width, entry[0], true};
        return true;
    }
    uint64_t offset = family_le(entry + 1, width);
    if (offset < list->header || offset > list->len)
        return false;
    *out = (struct jsonb_ref){list->p + offset, list->len - (size_t)offset, entry[0], false};
    return true;
}

bool jsonb_string(const struct jsonb_ref *ref, struct bytes *out, uint8_t *column_type, size_t *size)
{
    size_t at = 0, len = 0;
    if (ref->type == JSONB_OPAQUE) {
        if (ref->len < 1)
            return false;
        *column_type = ref->p[at++];
    }
    for (unsigned shift = 0;; shift += 7) {
        if (at == ref->len || shift > 28)
            return false;
        uint8_t byte = ref->p[at++];
        len |= (size_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            break;
    }
    if (len > ref->len - at)
        return false;
    *out = (struct bytes){ref->p + at, len};
    *size = at + len;
    return true;
}

uint8_t *jsonb_write(uint8_t *o, const uint8_t *doc, size_t len)
{
    struct jsonb_ref root = jsonb_root(doc, len);
    struct jsonb_print to = {.o = o, .left = len};
    return jsonb_print_value(&to, &root) ? o + to.len : NULL;
}

/* Texts of larger documents are measured first, so that room is taken for what is written. */
#define MEASURED 4096u

static size_t text_room(const struct bytes *doc)
{
    struct jsonb_ref root = jsonb_root(doc->p, doc->len);
    struct jsonb_print count = {.left = doc->len};
    if (doc->len <= MEASURED)
        return JSONB_TEXT_MAX(doc->len);
    return jsonb_print_value(&count, &root) ? count.len : 0;
}

int json_read(const struct coltype *type, struct bytes bytes, struct value *out, struct arena *arena, struct err *e)
{
    struct bytes doc = {bytes.p + type->walk, bytes.len - type->walk};
    if (family_le(bytes.p, type->walk) != doc.len)
        return family_corrupt(type, "length beyond the value", e);
    size_t room = text_room(&doc);
    if (room == 0)
        return family_corrupt(type, "not a binary JSON document", e);
    uint8_t *text = arena_alloc(arena, room);
    if (!text)
        return err_set(e, NO_MEMORY, room);
    uint8_t *end = jsonb_write(text, doc.p, doc.len);
    if (!end)
        return family_corrupt(type, "not a binary JSON document", e);
    struct value v = {.kind = VALUE_JSON};
    v.s.p = (const char *)text;
    v.s.len = (size_t)(end - text);
    v.raw = !value_is_utf8(v.s.p, v.s.len);
    *out = v;
    return 0;
}
