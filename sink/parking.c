/* Parked keys: a chained hash of keys, each with the list of its items; and per lane the list of its parked items. */
#include "sink/parking.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define BLOCK_ITEMS 64

/* Memory of items and keys, never given back before release: parking is rare and its size is bounded. */
struct block {
    struct block *next;
    struct parked items[BLOCK_ITEMS];
    struct parked_key keys[BLOCK_ITEMS];
};

int parking_init(struct parking *parking, unsigned lanes, struct err *e)
{
    parking->lanes = calloc(lanes, sizeof *parking->lanes);
    parking->buckets = calloc(PARKING_BUCKETS, sizeof(struct parked_key *));
    if (parking->lanes && parking->buckets)
        return 0;
    parking_release(parking);
    return err_set(e, NO_MEMORY, lanes * sizeof *parking->lanes);
}

void parking_release(struct parking *parking)
{
    for (struct block *block = parking->blocks; block;) {
        struct block *next = block->next;
        free(block);
        block = next;
    }
    free(parking->lanes);
    free(parking->buckets);
    *parking = (struct parking){.env = parking->env};
}

static int grow(struct parking *parking, struct err *e)
{
    struct block *block = calloc(1, sizeof *block);
    if (!block)
        return err_set(e, NO_MEMORY, sizeof *block);
    block->next = parking->blocks;
    parking->blocks = block;
    for (unsigned i = 0; i < BLOCK_ITEMS; i++) {
        block->items[i].next_of_key = parking->free_items;
        parking->free_items = &block->items[i];
        block->keys[i].next = parking->free_keys;
        parking->free_keys = &block->keys[i];
    }
    return 0;
}

struct parked_key *parking_find(const struct parking *parking, const char *key, size_t len)
{
    if (!parking->key_count)
        return NULL;
    uint64_t hash = hash_bytes(key, len);
    for (struct parked_key *k = parking->buckets[hash % PARKING_BUCKETS]; k; k = k->next_in_bucket) {
        const struct change *chg = &k->first->item.chg;
        if (k->hash == hash && chg->key_len == len && (len == 0 || memcmp(chg->key, key, len) == 0))
            return k;
    }
    return NULL;
}

static struct parked_key *key_new(struct parking *parking, const struct change *chg, unsigned lane)
{
    struct parked_key *key = parking->free_keys;
    parking->free_keys = key->next;
    *key = (struct parked_key){.hash = hash_bytes(chg->key, chg->key_len), .lane = lane, .next = parking->keys};
    backoff_init(&key->backoff, parking->backoff_min_ms, parking->backoff_max_ms);
    if (parking->keys)
        parking->keys->prev = key;
    parking->keys = key;
    struct parked_key **bucket = &parking->buckets[key->hash % PARKING_BUCKETS];
    key->next_in_bucket = *bucket;
    *bucket = key;
    parking->lanes[lane].keys++;
    parking->key_count++;
    return key;
}

static void key_free(struct parking *parking, struct parked_key *key)
{
    struct parked_key **link = &parking->buckets[key->hash % PARKING_BUCKETS];
    while (*link != key)
        link = &(*link)->next_in_bucket;
    *link = key->next_in_bucket;
    if (key->prev)
        key->prev->next = key->next;
    else
        parking->keys = key->next;
    if (key->next)
        key->next->prev = key->prev;
    parking->lanes[key->lane].keys--;
    parking->key_count--;
    key->next = parking->free_keys;
    parking->free_keys = key;
}

int parking_add(struct parking *parking, const struct lane_item *item, const struct parking_place *place,
                struct parked_key **out, struct err *e)
{
    if (!parking->free_items || !parking->free_keys) {
        int rc = grow(parking, e);
        if (rc != 0)
            return rc;
    }
    struct parked_key *key = parking_find(parking, item->chg.key, item->chg.key_len);
    if (!key)
        key = key_new(parking, &item->chg, place->lane);
    struct parked *parked = parking->free_items;
    parking->free_items = parked->next_of_key;
    *parked = (struct parked){
        .item = *item, .key = key, .lane = place->lane, .bytes_before = place->bytes_before, .is_dead = place->is_dead};
    if (key->last)
        key->last->next_of_key = parked;
    else
        key->first = parked;
    key->last = parked;
    struct parking_lane *lane = &parking->lanes[place->lane];
    parked->prev_in_lane = lane->last;
    if (lane->last)
        lane->last->next_in_lane = parked;
    else
        lane->first = parked;
    lane->last = parked;
    parking->item_count++;
    *out = key;
    return 0;
}

void parking_done(struct parking *parking, struct parked_key *key)
{
    struct parked *parked = key->first;
    struct parking_lane *lane = &parking->lanes[parked->lane];
    if (parked->prev_in_lane)
        parked->prev_in_lane->next_in_lane = parked->next_in_lane;
    else
        lane->first = parked->next_in_lane;
    if (parked->next_in_lane)
        parked->next_in_lane->prev_in_lane = parked->prev_in_lane;
    else
        lane->last = parked->prev_in_lane;
    key->first = parked->next_of_key;
    parked->next_of_key = parking->free_items;
    parking->free_items = parked;
    parking->item_count--;
    if (key->first) {
        key->due_us = 0;
        backoff_reset(&key->backoff);
    } else {
        key_free(parking, key);
    }
}

void parking_refused(struct parking *parking, struct parked_key *key, int64_t now_us)
{
    key->refused = true;
    key->due_us = now_us + (int64_t)backoff_next(&key->backoff, parking->env) * 1000;
}

uint64_t parking_floor(const struct parking *parking, unsigned lane)
{
    const struct parked *first = parking->lanes[lane].first;
    return first ? first->item.ordinal : UINT64_MAX;
}

int64_t parking_due(const struct parking *parking)
{
    int64_t due = INT64_MAX;
    for (const struct parked_key *key = parking->keys; key; key = key->next)
        if (key->due_us < due)
            due = key->due_us;
    return due;
}
