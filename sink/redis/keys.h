/* The keys that a batch removes, each once: rendered from changes, kept in one run of bytes with a hash set over them.
 * Memory is made at first use and stays; the set grows where one change has a list of many keys. One thread. */
#ifndef SLUICE_SINK_REDIS_KEYS_H
#define SLUICE_SINK_REDIS_KEYS_H

#include "sink/redis/route.h"

#define REDIS_KEYS_MAX     8192 /* of one flush */
#define REDIS_KEYS_BYTES   ((size_t)1024 * 1024)
#define REDIS_RENDERED_MAX ((size_t)1 << 31)                          /* all keys of one change at most */
#define REDIS_LIST_MAX     (REDIS_KEYS_MAX + 2 * REDIS_TEMPLATES_MAX) /* of one flush without lists */
#define REDIS_SLOTS        32768 /* a power of two, well above REDIS_LIST_MAX; as much above when the set grows */

struct redis_key {
    size_t at; /* in bytes.p */
    size_t len;
    uint64_t hash;
    uint32_t slot;
};

struct redis_keys {
    struct buf bytes;
    struct redis_key *list;
    size_t count, size; /* size: room in list */
    uint32_t *slots;    /* index + 1 into list; 0: free */
    uint32_t slot_mask;
    uint64_t coalesced;       /* keys that were there already, ever */
    struct redis_keys *after; /* the after image's keys, while a FROM half is rendered; NULL until the first */
    struct buf other;         /* to work with */
    struct arena arena;       /* values of one template */
};

int redis_keys_init(struct redis_keys *keys, struct err *e);
void redis_keys_release(struct redis_keys *keys);
void redis_keys_clear(struct redis_keys *keys);

/* Enough is gathered: remove them before the next change. */
static inline bool redis_keys_are_enough(const struct redis_keys *keys)
{
    return keys->count >= REDIS_KEYS_MAX || keys->bytes.len >= REDIS_KEYS_BYTES;
}

/* Renders one template for one image of a change, behind what `out` holds: 1, 0 (no such key), or negative: as
 * redis_keys_add. */
int redis_key_render(struct redis_keys *keys, const struct bound_template *bound, const struct change *chg,
                     enum side side, struct buf *out, struct err *e);

/* Room for one more. Errors: NO_MEMORY. */
int redis_keys_room(struct redis_keys *keys, struct err *e);

/* Takes the bytes from `at` to the end of keys->bytes into the set, which has room; they go when it has them already.
 * Their index in the list. */
size_t redis_keys_take(struct redis_keys *keys, size_t at);

/* Adds the keys that the change makes stale by the route's templates (redis.h). Errors: ROW_IMAGE, LIMIT, KEY_LIST,
 * NO_MEMORY, value_read's; keys of the change may be in the set then. */
int redis_keys_add(struct redis_keys *keys, const struct redis_route *route, const struct change *chg, struct err *e);

#endif
