/* Messages about keys that a change made stale (`publish: CHANNEL` of a route): for caches in the memory of
 * applications, which must not hold what Redis has no more. Behind the removal, so that who asks Redis again does not
 * find what was there. Pub/Sub keeps nothing: who is not connected misses them. They may come twice. */
#ifndef SLUICE_SINK_REDIS_PUBLISH_H
#define SLUICE_SINK_REDIS_PUBLISH_H

#include "sink/redis/keys.h"
#include "sink/redis/sweep.h"

/* The messages of a batch, each once per channel. One thread; memory is made at the first. */
struct redis_publish {
    struct redis_keys messages; /* CHANNEL NUL KEY */
    struct redis_keys change;   /* keys of the change at work */
};

void redis_publish_release(struct redis_publish *publish); /* accepts one that is all zero */
void redis_publish_clear(struct redis_publish *publish);

/* Adds the keys that the change makes stale, and that of `write`. Errors: as redis_keys_add. */
int redis_publish_add(struct redis_publish *publish, const struct redis_route *route, const struct change *chg,
                      struct err *e);

/* Publishes what is gathered and forgets it. Done when it returns 0. Errors: as redis_unlink. */
int redis_publish_flush(struct redis_publish *publish, struct redis_connection *conn, struct redis_stats *stats,
                        struct err *e);

#endif
