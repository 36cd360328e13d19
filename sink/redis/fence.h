/* Fences: what keeps a reader from filling the cache with what it read before a change.
 *
 * Beside each cache key stands a small record, for fence_ttl = hold_ms + max_fill_ms:
 *     sluice:fence:{KEY}, or sluice:fence:KEY where KEY has a hash tag of its own: one slot with KEY
 *     value: TOKEN MS HOLD   a text that no other writer makes; the time of Redis, Unix ms; hold_ms
 * A change writes the record anew and removes KEY, in one script. Applications fill KEY by two scripts
 * (snippets/redis): `get` tells the token and whether the record is older than HOLD, `fill` stores only while the
 * record has that token. Where Redis takes no record any more (OOM), the change removes it: what is missing lets nobody
 * fill.
 *
 * With old_ms the change keeps what the key held, for so long, under sluice:old:{KEY} (or sluice:old:KEY): what those
 * may show who wait for another's fill (`get` with lease_ms).
 *
 * docs/consistency.md says what this leaves open. */
#ifndef SLUICE_SINK_REDIS_FENCE_H
#define SLUICE_SINK_REDIS_FENCE_H

#include "sink/redis/keys.h"
#include "sink/redis/script.h"
#include "sink/redis/sweep.h"

#define REDIS_FENCE_PREFIX    "sluice:fence:"
#define REDIS_OLD_PREFIX      "sluice:old:"
#define REDIS_FENCE_TOKEN_MAX 64

struct redis_fence {
    char seed[33];  /* hex digits of 16 random bytes, this instance's own */
    uint64_t calls; /* with it they make tokens that nobody else makes */
    struct redis_script script;
};

void redis_fence_init(struct redis_fence *fence, const struct env *env);

/* Fences the gathered keys, removes them, and forgets them. Done when it returns 0: every reply arrived. Errors:
 * SINK_DOWN, SINK_PROTOCOL, SINK_UNSUPPORTED (before Redis 5), SINK_NOT_READY (the server lost the script too), those
 * of reply_error, NO_MEMORY. */
int redis_fence(struct redis_fence *fence, struct redis_connection *conn, struct redis_keys *keys,
                struct redis_stats *stats, struct err *e);

#endif
