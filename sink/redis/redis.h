/* The Redis sink: removes the cache keys that a change makes stale, by UNLINK (DEL before Redis 4); with `mode: fence`
 * so that nobody fills them with what was read before (fence.h), with `mode: second_delete` twice (again.h).
 *
 * Which keys: each template of the route's `invalidate` is rendered for the images of the change:
 *     insert, read      after
 *     delete            before
 *     update            before and after
 *     FROM half         before, but for keys that the after image renders too
 *     TO half           after
 *     truncate          every key that the template can render (SCAN MATCH)
 * so that both halves of a key move together remove what the update would, in any order. A change for which a
 * condition of the route's `when` does not hold makes nothing stale (condition.h). A template with a NULL column
 * and no default names no key, one with a list a key for each element; a change whose list cannot be read is refused
 * for good (V_POISON). Keys are bytes; they never appear in a message.
 *
 * Files: url.c the address; sentinel.c where the primary is; connection.c socket, login, replies; reply.c what an error
 * reply means; replicas.c WAIT; keys.c the keys of a batch, each once; condition.c `when`; sweep.c truncate; again.c
 * second removals; fence.c fences; script.c scripts; form.c and write.c rows that are written; beside.c names beside
 * keys; publish.c messages; stream.c entries; witness.c what the server keeps; route.c routes; options.c options;
 * redis.c the sink itself. All of one instance belongs to one thread.
 */
#ifndef SLUICE_SINK_REDIS_REDIS_H
#define SLUICE_SINK_REDIS_REDIS_H

#include "sink/kinds.h"

#define REDIS_PORT_DEFAULT          6379
#define REDIS_SENTINEL_PORT_DEFAULT 26379
#define REDIS_SENTINELS_MAX         32
#define REDIS_KEYS_PER_CALL_MAX     512

enum redis_on_restart { REDIS_REPLAY, REDIS_IGNORE };

/* As the option table fills it. */
struct redis_options {
    const char *url;              /* NULL: Sentinels name the primary */
    struct option_list sentinels; /* host[:port] */
    const char *master;           /* its name there */
    const char *sentinel_username;
    const char *sentinel_password;
    const char *username;
    const char *password;
    uint64_t db;
    uint64_t connect_timeout_ms;
    uint64_t timeout_ms;
    uint64_t unlink_keys;
    uint64_t pipeline;
    uint64_t wait_replicas, wait_timeout_ms;
    uint64_t hold_ms, max_fill_ms, old_ms; /* of fences */
    uint64_t second_delete_ms, second_delete_max;
    uint64_t tombstone_ttl_ms;
    int on_restart; /* enum redis_on_restart */
    uint64_t replay_after_failover_ms;
    bool has_second, has_writes; /* by check_routes: some route has that mode */
};

#endif
