/* Parked keys of one worker: a key whose change the sink refused for now waits here with all its later changes, which
 * stay in their lane; other keys go on. One thread (the worker).
 *
 * A parked item is a copy of the lane's view (about 200 bytes); its bytes stay in the lane, which must not acknowledge
 * them: parking_floor() tells how far it may. Nothing here costs anything while nothing is parked. */
#ifndef SLUICE_SINK_PARKING_H
#define SLUICE_SINK_PARKING_H

#include "base/backoff.h"
#include "partition/lane.h"

struct parked_key;

/* One parked item; in its key's list and in its lane's, both in order. */
struct parked {
    struct lane_item item;
    struct parked_key *key;
    struct parked *next_of_key;
    struct parked *prev_in_lane, *next_in_lane;
    uint64_t bytes_before; /* read from the lane up to this item */
    unsigned lane;         /* the worker's own number of it */
    bool is_dead;          /* in the store for dead letters: done when its turn comes */
};

struct parked_key {
    struct parked_key *next_in_bucket;
    struct parked_key *prev, *next; /* of all */
    struct parked *first, *last;
    struct backoff backoff;
    int64_t due_us; /* monotonic; 0: at once */
    uint64_t hash;
    unsigned lane;
    bool refused; /* in the batch that is being settled */
};

struct parking_lane {
    struct parked *first, *last;
    unsigned keys;
};

#define PARKING_BUCKETS 4096

struct parking {
    const struct env *env;
    unsigned backoff_min_ms, backoff_max_ms;
    struct parking_lane *lanes;
    struct parked_key **buckets;
    struct parked_key *keys; /* all, in no order */
    struct parked *free_items;
    struct parked_key *free_keys;
    void *blocks; /* of both */
    size_t key_count, item_count;
};

int parking_init(struct parking *parking, unsigned lanes, struct err *e);
void parking_release(struct parking *parking);

/* The parked key of this text, NULL when it is not parked. */
struct parked_key *parking_find(const struct parking *parking, const char *key, size_t len);

/* Puts the item behind its key's others; parks the key when it is not yet, due at once. Items come in the order in
 * which they were read from their lane. Errors: NO_MEMORY. */
struct parking_place {
    unsigned lane;
    uint64_t bytes_before;
    bool is_dead;
};
int parking_add(struct parking *parking, const struct lane_item *item, const struct parking_place *place,
                struct parked_key **out, struct err *e);

/* The first item of the key is done: forgets it; the key too when it was the last. */
void parking_done(struct parking *parking, struct parked_key *key);

/* The first item of the key was refused (again): it waits. */
void parking_refused(struct parking *parking, struct parked_key *key, int64_t now_us);

/* Everything of the lane below the returned ordinal may be acknowledged; UINT64_MAX when nothing of it is parked. */
uint64_t parking_floor(const struct parking *parking, unsigned lane);

/* When the next key is due, INT64_MAX when none is parked. */
int64_t parking_due(const struct parking *parking);

#endif
