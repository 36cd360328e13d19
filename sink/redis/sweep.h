/* What a connection removes: gathered keys, and everything that templates can render. */
#ifndef SLUICE_SINK_REDIS_SWEEP_H
#define SLUICE_SINK_REDIS_SWEEP_H

#include "sink/redis/connection.h"
#include "sink/redis/keys.h"

/* Figures of one instance. */
struct redis_stats {
    _Atomic uint64_t keys_total;      /* sent for removal */
    _Atomic uint64_t removed_total;   /* that were there */
    _Atomic uint64_t coalesced_total; /* asked for again within a flush */
    _Atomic uint64_t commands_total;
    _Atomic uint64_t sweeps_total;
    _Atomic uint64_t second_total;
    _Atomic uint64_t written_total;
    _Atomic uint64_t older_total;
    _Atomic uint64_t left_total;
    _Atomic uint64_t published_total;
    _Atomic uint64_t streamed_total;
};

/* Removes the gathered keys and forgets them. Done when it returns 0: every reply arrived. Errors: SINK_DOWN,
 * SINK_PROTOCOL, reply_error's, NO_MEMORY. */
int redis_unlink(struct redis_connection *conn, struct redis_keys *keys, struct redis_stats *stats, struct err *e);

/* One step of a SCAN: names that match, 1 at least, which are gone with the next reply. 0 or negative. */
typedef int redis_page(void *ctx, struct redis_connection *conn, const struct reply *names, struct err *e);

/* Goes over the whole database, step by step. Errors: as redis_unlink, and those of `page`. */
int redis_scan(struct redis_connection *conn, const struct buf *glob, redis_page *page, void *ctx, struct err *e);

/* Removes every key that a template in the route's `invalidate` can render. */
int redis_sweep(struct redis_connection *conn, const struct redis_route *route, struct redis_stats *stats,
                struct err *e);

#endif
