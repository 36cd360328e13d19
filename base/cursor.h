/* The one bounded reader of bytes from a network or a file.
 *
 * A read past the end sets `bad` and yields 0 (or NULL); reads go on harmlessly, and the decoder asks once, at its end,
 * by cursor_finish(): 0 only when nothing was bad and nothing is left over. All integers are little-endian unless the
 * name says otherwise. Inline: this is the hot path. */
#ifndef SLUICE_BASE_CURSOR_H
#define SLUICE_BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct cursor {
    const uint8_t *p;
    const uint8_t *end;
    bool bad;
};

static inline struct cursor cursor_over(const void *bytes, size_t len)
{
    const uint8_t *p = (const uint8_t *)bytes;
    return (struct cursor){p, p ? p + len : p, false};
}

static inline size_t cursor_left(const struct cursor *cur)
{
    return (size_t)(cur->end - cur->p);
}

/* Borrows the next `len` bytes; NULL and `bad` when there are fewer. */
static inline const uint8_t *cursor_take(struct cursor *cur, size_t len)
{
    if (len > cursor_left(cur)) {
        cur->bad = true;
        cur->p = cur->end;
        return NULL;
    }
    const uint8_t *p = cur->p;
    cur->p += len;
    return p;
}

static inline void cursor_skip(struct cursor *cur, size_t len)
{
    (void)cursor_take(cur, len);
}

/* Unsigned integer of 1 to 8 bytes. */
static inline uint64_t cursor_le(struct cursor *cur, unsigned bytes)
{
    const uint8_t *p = cursor_take(cur, bytes);
    uint64_t v = 0;
    if (p)
        for (unsigned i = 0; i < bytes; i++)
            v |= (uint64_t)p[i] << (8 * i);
    return v;
}

static inline uint64_t cursor_be(struct cursor *cur, unsigned bytes)
{
    const uint8_t *p = cursor_take(cur, bytes);
    uint64_t v = 0;
    if (p)
        for (unsigned i = 0; i < bytes; i++)
            v = v << 8 | p[i];
    return v;
}

static inline uint8_t cursor_u8(struct cursor *cur)
{
    return (uint8_t)cursor_le(cur, 1);
}

static inline uint16_t cursor_u16(struct cursor *cur)
{
    return (uint16_t)cursor_le(cur, 2);
}

static inline uint32_t cursor_u32(struct cursor *cur)
{
    return (uint32_t)cursor_le(cur, 4);
}

static inline uint64_t cursor_u64(struct cursor *cur)
{
    return cursor_le(cur, 8);
}

/* Length-encoded integer of the MySQL protocol: < 251 itself, 252 + 2, 253 + 3, 254 + 8 bytes; 251 and 255 are bad. */
static inline uint64_t cursor_lenenc(struct cursor *cur)
{
    uint8_t first = cursor_u8(cur);
    if (first < 251)
        return first;
    if (first == 252)
        return cursor_le(cur, 2);
    if (first == 253)
        return cursor_le(cur, 3);
    if (first == 254)
        return cursor_le(cur, 8);
    cur->bad = true;
    cur->p = cur->end;
    return 0;
}

/* A cursor over the next `len` bytes, which are taken from `cur`; empty and bad when there are fewer. */
static inline struct cursor cursor_sub(struct cursor *cur, size_t len)
{
    const uint8_t *p = cursor_take(cur, len);
    struct cursor sub = {p, p ? p + len : p, p == NULL};
    return sub;
}

/* 0 when every read was inside and all bytes are used, else -1. */
static inline int cursor_finish(const struct cursor *cur)
{
    return cur->bad || cur->p != cur->end ? -1 : 0;
}

#endif
