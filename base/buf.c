/* Growable bytes with a cap. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void buf_init(struct buf *b, size_t cap)
{
    *b = (struct buf){.cap = cap};
}

void buf_release(struct buf *b)
{
    free(b->p);
    *b = (struct buf){.cap = b->cap};
}

int buf_grow(struct buf *b, size_t more)
{
    size_t limit = b->cap ? b->cap : SIZE_MAX / 2;
    if (b->failed || more > limit || b->len > limit - more) {
        b->failed = true;
        return -1;
    }
    size_t need = b->len + more;
    size_t size = b->size ? b->size : 256;
    while (size < need)
        size = size > limit / 2 ? limit : size * 2;
    if (size > limit)
        size = limit;
    uint8_t *p = realloc(b->p, size);
    if (!p) {
        b->failed = true;
        return -1;
    }
    b->p = p;
    b->size = size;
    return 0;
}

void buf_printf(struct buf *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0) {
        b->failed = true;
        return;
    }
    uint8_t *p = buf_room(b, (size_t)n + 1);
    if (!p)
        return;
    va_start(args, format);
    vsnprintf((char *)p, (size_t)n + 1, format, args);
    va_end(args);
    b->len += (size_t)n;
}
