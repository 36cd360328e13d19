/* Random documents: each container's header is filled in behind its values. */
#include "tools/random_json.h"

#include <string.h>

#include "value/json_parts.h"

struct writer {
    struct rng *rng;
    uint8_t *p, *end;
};

static void put(struct writer *w, const void *bytes, size_t len)
{
    memcpy(w->p, bytes, len);
    w->p += len;
}

static void put_le(uint8_t *o, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        o[i] = (uint8_t)(v >> (8 * i));
}

static void put_string(struct writer *w)
{
    static const char *const pieces[] = {"a", "long enough to be copied at once", "\"", "\\", "\n", "\x01", "\xc3\xa9",
                                         "/"};
    size_t len = 0;
    uint8_t text[300];
    for (unsigned n = rng_below(w->rng, rng_below(w->rng, 9) ? 4 : 9); n > 0; n--) {
        const char *piece = pieces[rng_below(w->rng, 8)];
        memcpy(text + len, piece, strlen(piece));
        len += strlen(piece);
    }
    if (rng_below(w->rng, 200) == 0)
        text[len++] = 0xff;
    if (len > 127)
        *w->p++ = (uint8_t)(len & 127) | 128;
    *w->p++ = (uint8_t)(len > 127 ? len >> 7 : len);
    put(w, text, len);
}

static void put_opaque(struct writer *w)
{
    static const uint8_t decimal[] = {5, 2, 0x80, 0x7b, 0x2d}, stamp[] = {0, 0, 0, 0x4e, 0xd3, 0x66, 0x99, 0x19};
    static const uint8_t types[] = {246, 7, 10, 12, 252, 16, 253};
    uint8_t type = types[rng_below(w->rng, sizeof types)];
    *w->p++ = type;
    if (type == 246) {
        *w->p++ = sizeof decimal;
        put(w, decimal, sizeof decimal);
    } else if (type < 16) {
        *w->p++ = sizeof stamp;
        put(w, stamp, sizeof stamp);
    } else {
        unsigned len = rng_below(w->rng, 120);
        *w->p++ = (uint8_t)len;
        for (unsigned i = 0; i < len; i++)
            *w->p++ = (uint8_t)(type == 253 ? 'a' + i % 26 : rng_next(w->rng));
    }
}

/* A value behind what is written; its type, none of those that stand in an entry of `width` (0: the root). */
static uint8_t put_value(struct writer *w, unsigned width, unsigned depth);

static void put_entry(struct writer *w, uint8_t *entry, const uint8_t *list, unsigned width, unsigned depth)
{
    static const uint8_t inlined[] = {JSONB_LITERAL, JSONB_INT16, JSONB_UINT16, JSONB_INT32, JSONB_UINT32};
    if (rng_below(w->rng, 3) == 0) {
        entry[0] = inlined[rng_below(w->rng, width == 4 ? 5 : 3)];
        put_le(entry + 1, entry[0] == JSONB_LITERAL ? rng_below(w->rng, 3) : rng_next(w->rng), width);
        return;
    }
    size_t offset = (size_t)(w->p - list);
    entry[0] = put_value(w, width, depth);
    put_le(entry + 1, offset, width);
}

static uint8_t put_list(struct writer *w, unsigned depth)
{
    bool object = rng_below(w->rng, 2), large = rng_below(w->rng, 4) == 0;
    unsigned count = rng_below(w->rng, 6), width = large ? 4 : 2, key_entry = object ? width + 2 : 0;
    uint8_t *list = w->p, *key = list + 2 * (size_t)width, *value = key + (size_t)count * key_entry;
    w->p = value + (size_t)count * (width + 1);
    for (unsigned i = 0; object && i < count; i++, key += key_entry) {
        put_le(key, (uint64_t)(w->p - list), width);
        put_le(key + width, i + 1, 2);
        for (unsigned k = 0; k <= i; k++)
            *w->p++ = (uint8_t) "k\"\\\n7z"[rng_below(w->rng, 6)];
    }
    for (unsigned i = 0; i < count; i++, value += width + 1)
        put_entry(w, value, list, width, depth - 1);
    put_le(list, count, width);
    put_le(list + width, (uint64_t)(w->p - list), width);
    return (uint8_t)(object ? large : 2 + large);
}

static uint8_t put_value(struct writer *w, unsigned width, unsigned depth)
{
    static const uint8_t sizes[] = {1, 2, 2, 4, 4, 8, 8, 8};
    if (depth > 0 && w->end - w->p > 1000 && rng_below(w->rng, 2))
        return put_list(w, depth);
    uint8_t type = (uint8_t)(JSONB_LITERAL + (w->p < w->end ? rng_below(w->rng, 10) : 0));
    if (width && type <= (width == 4 ? JSONB_UINT32 : JSONB_UINT16))
        type = JSONB_INT64;
    if (type == JSONB_STRING) {
        put_string(w);
    } else if (type > JSONB_STRING) {
        type = JSONB_OPAQUE;
        put_opaque(w);
    } else {
        unsigned size = sizes[type - JSONB_LITERAL];
        put_le(w->p, type == JSONB_LITERAL ? rng_below(w->rng, 3) : rng_next(w->rng), size);
        if (type == JSONB_DOUBLE)
            w->p[7] = (uint8_t)(w->p[7] & 0xbf); /* finite */
        w->p += size;
    }
    return type;
}

size_t random_json(struct rng *rng, unsigned depth, uint8_t *out)
{
    /* what is begun near the end may still need some */
    struct writer w = {rng, out + 1, out + RANDOM_JSON_MAX - 1000};
    if (rng_below(rng, 50) == 0)
        return 0;
    out[0] = put_value(&w, 0, depth);
    return (size_t)(w.p - out);
}
