/* The ledger and the lanes themselves, compiled into the test with a possible change of threads before every atomic
 * operation. Include once, in the test's one file; the library's objects are then not linked. */
#ifndef SLUICE_TESTS_STEPPED_PARTITION_H
#define SLUICE_TESTS_STEPPED_PARTITION_H

#include "tools/stepped.h"

#include "partition/lane.c"
#include "partition/lane_pool.c"
#include "partition/lane_publish.c"
#include "partition/lane_read.c"
#include "partition/lane_rollback.c"
#include "partition/lane_write.c"
#include "partition/ledger.c"
#include "partition/ledger_ring.c"

/* For explore: all that the ledger changes, but for the tables of names, which these tests leave alone. */
static inline void stepped_ledger_regions(struct ledger *ledger)
{
    size_t pairs = (size_t)ledger->lanes * ledger->sinks;
    struct ring *ring = ledger->ring;
    explore_region(&ledger->last, sizeof ledger->last);
    explore_region(ledger->head, ledger->lanes * sizeof *ledger->head);
    explore_region(ledger->acked, pairs * sizeof *ledger->acked);
    explore_region(ledger->floor, pairs * sizeof *ledger->floor);
    explore_region(ledger->safe, ledger->sinks * sizeof *ledger->safe);
    explore_region(&ring->pending, sizeof ring->pending);
    explore_region(ring->entries, (ring->mask + 1) * sizeof *ring->entries);
    explore_region(&ring->tail, sizeof ring->tail);
    explore_region(&ring->taken, sizeof ring->taken);
    explore_region(ring->next, sizeof ring->next[0] * ledger->sinks);
    explore_region(ring->waiting, sizeof ring->waiting[0] * ledger->sinks);
}

static inline void stepped_lanes_regions(struct lanes *lanes)
{
    unsigned count = lanes->opt.lanes;
    size_t pairs = (size_t)count * lanes->opt.sinks;
    struct pool *pool = &lanes->pool;
    stepped_ledger_regions(lanes->ledger);
    explore_region(lanes, sizeof *lanes);
    explore_region(lanes->lane, count * sizeof *lanes->lane);
    explore_region(lanes->reader, pairs * sizeof *lanes->reader);
    explore_region(lanes->waiters, pairs * lanes->waiter_words * sizeof *lanes->waiters);
    explore_region(lanes->sleeper, pairs * sizeof *lanes->sleeper);
    explore_region(lanes->workers, lanes->opt.sinks * sizeof *lanes->workers);
    explore_region(lanes->tx, sizeof *lanes->tx + FILEPOS_FILE_MAX + 1);
    explore_region(lanes->open.lane, count * sizeof(unsigned));
    explore_region(lanes->ready.lane, count * sizeof(unsigned));
    explore_region(lanes->event.lane, count * sizeof(unsigned));
    explore_region(pool->bytes, pool->segment_bytes * pool->count);
    explore_region(pool->segments, pool->count * sizeof *pool->segments);
    explore_region(pool->free_bits, (pool->count + 63) / 64 * sizeof *pool->free_bits);
}

#endif
