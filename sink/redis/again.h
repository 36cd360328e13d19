/* Second removals (`mode: second_delete`): keys that a change removed are removed again second_delete_ms later, for
 * readers that had read before the change and filled behind the removal.
 *
 * What is due lies in Redis itself, in the sorted set sluice:due:{SINK}: key → the time of Redis, Unix ms. A key gets
 * there in the script that removes it, and leaves it in the script that removes it again; a newer change puts it off.
 * So whoever runs with a sink of that name does what others have left, and what is done twice does no harm. */
#ifndef SLUICE_SINK_REDIS_AGAIN_H
#define SLUICE_SINK_REDIS_AGAIN_H

#include "sink/redis/keys.h"
#include "sink/redis/script.h"
#include "sink/redis/sweep.h"

struct redis_again {
    struct buf set; /* its name */
    struct redis_script add, take;
    int64_t next_us; /* monotonic: when something may be due */
};

/* Errors: NO_MEMORY. */
int redis_again_init(struct redis_again *again, const char *sink, struct err *e);
void redis_again_release(struct redis_again *again); /* accepts one that is all zero */

/* Removes the gathered keys, notes them for later, and forgets them. Done when it returns 0. Errors: SINK_DOWN,
 * SINK_PROTOCOL, SINK_UNSUPPORTED (before Redis 5), SINK_NOT_READY (second_delete_max keys wait; OOM), those of
 * reply_error, NO_MEMORY. */
int redis_again_add(struct redis_again *again, struct redis_connection *conn, struct redis_keys *keys,
                    struct redis_stats *stats, struct err *e);

/* Removes what is due, if it is time; *due_us: when to call again. Errors: as above. */
int redis_again_tend(struct redis_again *again, struct redis_connection *conn, struct redis_stats *stats,
                     int64_t *due_us, struct err *e);

#endif
