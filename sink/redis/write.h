/* `mode: write`: rows are written through into Redis, guarded by versions, so that no older change wins.
 *
 * Beside each key stands a small record, sluice:version:{KEY}, or sluice:version:KEY where KEY has a hash tag of its
 * own (one slot with KEY): the version of the change that KEY's value, or its absence, is of. One script compares,
 * writes and notes. A record outlives its value by tombstone_ttl_ms; what has no end has a record without end.
 *
 *     change                    KEY                              record
 *     row in the set            the value, TTL ttl_ms + jitter   TTL of the value + tombstone_ttl_ms, or none
 *     deleted, on_delete:
 *         delete                removed                          TTL tombstone_ttl_ms
 *         expire                TTL expire_ms                    TTL expire_ms + tombstone_ttl_ms
 *         keep                  as it is                         as of a value
 *
 * "Row in the set": the comparisons of `when` hold for the image after the change. A row that leaves the set, or whose
 * key is another now, is as if deleted at its old key.
 *
 * Where Redis takes no value any more (OOM), the key is removed, and the change comes again.
 *
 * A TRUNCATE meets what has the tag of its route: keys that others write, and those without a record, stay.
 *
 * A replay compares with what is there and creates nothing: it leaves a key alone that is not there, or has no record.
 * With SINK_REPLAY_CREATES it creates what is not there. */
#ifndef SLUICE_SINK_REDIS_WRITE_H
#define SLUICE_SINK_REDIS_WRITE_H

#include "sink/redis/form.h"
#include "sink/redis/keys.h"
#include "sink/redis/script.h"
#include "sink/redis/sweep.h"

#define REDIS_VERSION_PREFIX "sluice:version:"

struct redis_write; /* what becomes of one key */

/* The writes of a batch, the newest of each key. One thread. */
struct redis_writes {
    struct redis_keys keys;
    struct redis_write *list; /* of the keys, index by index */
    struct redis_args args;   /* values of all, and those that newer ones replaced */
    struct buf before, after; /* keys of a change */
    struct redis_script script;
    enum sink_purpose purpose;
    uint64_t tombstone_ms;
    bool is_late; /* and the log was told */
    bool sweeps;  /* keys of one route, by their tag */
};

/* Memory is made at the first change. */
void redis_writes_init(struct redis_writes *writes, enum sink_purpose purpose, uint64_t tombstone_ms);
void redis_writes_release(struct redis_writes *writes);
void redis_writes_clear(struct redis_writes *writes);

/* Tells the log what the server may do to what is written: it evicts. Errors: SINK_DOWN, SINK_PROTOCOL. */
int redis_writes_greet(struct redis_connection *conn, const char *sink, struct err *e);

/* Tells the log, once, when a change comes later than records of what was removed since are kept. */
void redis_writes_judge_lag(struct redis_writes *writes, const struct env *env, const char *sink,
                            const struct change *chg);

/* Enough is gathered: write it before the next change. */
bool redis_writes_are_enough(const struct redis_writes *writes);

/* Adds what the change writes or removes. Errors: as redis_key_render and redis_form_render. */
int redis_writes_add(struct redis_writes *writes, const struct redis_route *route, const struct change *chg,
                     struct err *e);

/* Writes what is gathered and forgets it. Done when it returns 0: every reply arrived. Errors: as redis_fence. */
int redis_writes_flush(struct redis_writes *writes, struct redis_connection *conn, struct redis_stats *stats,
                       struct err *e);

/* Removes, as `on_delete` says, what the route can have written and what is older than the change. Nothing may be
 * gathered. Errors: as redis_sweep. */
int redis_writes_sweep(struct redis_writes *writes, struct redis_connection *conn, const struct redis_route *route,
                       const struct change *chg, struct redis_stats *stats, struct err *e);

#endif
