/* Names beside keys. */
#include "sink/redis/beside.h"

#include <string.h>

/* Redis Cluster hashes what stands between the first { and the first } behind it, where that is anything. */
static bool has_tag(const uint8_t *key, size_t len)
{
    const uint8_t *open = len ? memchr(key, '{', len) : NULL;
    const uint8_t *close = open ? memchr(open, '}', len - (size_t)(open - key)) : NULL;
    return close && close > open + 1;
}

void redis_beside_as(const char *prefix, const void *key, size_t len, bool tagged, struct buf *out)
{
    buf_clear(out);
    buf_text(out, prefix);
    if (!tagged)
        buf_byte(out, '{');
    buf_add(out, key, len);
    if (!tagged)
        buf_byte(out, '}');
}

void redis_beside(const char *prefix, const void *key, size_t len, struct buf *out)
{
    redis_beside_as(prefix, key, len, has_tag(key, len), out);
}
