/* A growable run of bytes with a cap: what a renderer writes into. One owner, one thread.
 *
 * A failed growth sets `failed` and the bytes are left as they were; the appending functions then do nothing, so that a
 * renderer asks once at its end. */
#ifndef SLUICE_BASE_BUF_H
#define SLUICE_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct buf {
    uint8_t *p;
    size_t len;
    size_t size; /* bytes allocated */
    size_t cap;  /* most bytes ever allocated; 0: none */
    bool failed;
};

void buf_init(struct buf *b, size_t cap);
void buf_release(struct buf *b);

/* Grows so that `more` bytes fit behind `len`; 0, or -1 with `failed` set. */
int buf_grow(struct buf *b, size_t more);

/* Empties; keeps the memory. */
static inline void buf_clear(struct buf *b)
{
    b->len = 0;
    b->failed = false;
}

/* Room for `more` bytes behind the end, which the caller may write and then account for by adding to b->len; NULL when
 * there is no memory, never for 0 bytes. */
static inline uint8_t *buf_room(struct buf *b, size_t more)
{
    if (b->failed || ((!b->p || more > b->size - b->len) && buf_grow(b, more) != 0))
        return NULL;
    return b->p + b->len;
}

static inline void buf_add(struct buf *b, const void *bytes, size_t len)
{
    if (len == 0)
        return;
    uint8_t *p = buf_room(b, len);
    if (p) {
        memcpy(p, bytes, len);
        b->len += len;
    }
}

static inline void buf_byte(struct buf *b, uint8_t byte)
{
    buf_add(b, &byte, 1);
}

static inline void buf_text(struct buf *b, const char *text)
{
    buf_add(b, text, strlen(text));
}

void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
