/* The two halves of the ledger: the words (ledger.c) and the ring of boundaries (ledger_ring.c). Private. */
#ifndef SLUICE_PARTITION_LEDGER_IMPL_H
#define SLUICE_PARTITION_LEDGER_IMPL_H

#include <stdalign.h>
#include <stddef.h>

#include "partition/ledger.h"

#define CACHE_LINE 64

/* Zeroed memory that begins a cache line and shares its last one with nobody; freed by free(). NULL without memory. */
void *lines_new(size_t bytes);

struct ring;

int ring_new(struct ring **out, unsigned sinks, unsigned size, struct err *e);
void ring_free(struct ring *ring);

/* Source: as ledger_boundary; ring_flush hands over the boundary held back, false when there is no room for it;
 * ring_is_flushed: none is held back. */
bool ring_add(struct ring *ring, const struct boundary *at);
bool ring_is_flushed(const struct ring *ring);
bool ring_flush(struct ring *ring);

/* Keeper, as the ledger_… of the same name. ring_consume moves `pos` over the boundaries up to ordinal `safe`. */
int64_t ring_waiting_commit_us(const struct ring *ring, unsigned sink);
int ring_consume(struct ring *ring, unsigned sink, uint64_t safe, struct position *pos, struct err *e);

#endif
