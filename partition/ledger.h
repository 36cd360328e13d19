/* What is done: the bookkeeping from acknowledged items to the position from which a restart loses nothing.
 *
 * An ordinal is a 64-bit count of items, from 1, never stored. Per (lane, sink) three words with one writer each:
 *   head   ordinal of the lane's last published item          written by the source
 *   floor  first newly published ordinal - 1, written before head when the lane was idle (acked >= head)   source
 *   acked  every item of the lane up to here is done          written by the lane's worker
 * and P, the last published ordinal of all lanes, written after the heads. For one sink
 *   safe = max(previous, min over lanes of (acked >= head ? P : max(acked, floor)))   with P read before the lanes.
 * docs/ordering.md proves it; tests/laws/ drives this file through all interleavings. Core: atomics only, no lock, no
 * I/O.
 *
 * A ring holds the boundaries (ends of transactions) that are not yet safe for every sink; the keeper consumes it.
 * Nothing is allocated after ledger_new: names of files and writers of GTIDs live in tables of a fixed size, and a slot
 * is used again when the last boundary that names it has left the ring. */
#ifndef SLUICE_PARTITION_LEDGER_H
#define SLUICE_PARTITION_LEDGER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "position/position.h"

#define LEDGER_SINKS_MAX    32
#define LEDGER_LANES_MAX    1024
#define LEDGER_RING_DEFAULT 65536

struct ledger;

/* lanes 1 … LEDGER_LANES_MAX, sinks 1 … LEDGER_SINKS_MAX, ring: boundaries held (a power of two; 0: default). Errors:
 * NO_MEMORY. */
int ledger_new(struct ledger **out, unsigned lanes, unsigned sinks, unsigned ring, struct err *e);
void ledger_free(struct ledger *ledger);

/* --- source thread --- */

/* One publication: call ledger_lane for every lane that got items (first and last new ordinal), then ledger_published
 * once with the last ordinal of all. It also hands a boundary that was held back for merging to the keeper. */
void ledger_lane(struct ledger *ledger, unsigned lane, uint64_t first, uint64_t last);
void ledger_published(struct ledger *ledger, uint64_t last);

/* False: the ring was full at the last publication, and the last boundary is held back still: publish again when the
 * keeper has consumed. */
bool ledger_is_handed_over(const struct ledger *ledger);

/* The end of a transaction whose last item (or the last item before it, when it has none) is `ordinal`. Consecutive
 * boundaries with the same ordinal are merged where no GTID is lost by it (anonymous; the next number of the same
 * writer; a later GTID of the same MariaDB domain); the last one is held back for that until the next
 * boundary or ledger_published. False when the ring (or the table of files or writers) is full: nothing was taken;
 * publish, and wait for the keeper (ledger_consume). */
struct boundary {
    uint64_t ordinal;
    uint64_t pos;
    const char *file;        /* copied; NULL = the same as before */
    const char *server_uuid; /* whose file; copied; NULL = the same as before */
    struct gtid gtid;        /* none: anonymous */
    int64_t commit_us;       /* 0: not known, the one before stays */
};
bool ledger_boundary(struct ledger *ledger, const struct boundary *at);

/* --- worker of the lane --- */
void ledger_ack(struct ledger *ledger, unsigned lane, unsigned sink, uint64_t ordinal);

/* --- any thread --- */
uint64_t ledger_head(const struct ledger *ledger, unsigned lane);
uint64_t ledger_acked(const struct ledger *ledger, unsigned lane, unsigned sink);
uint64_t ledger_last(const struct ledger *ledger); /* P */

/* Everything up to the returned ordinal is done for the sink; never falls. Any thread, but `previous` is kept per
 * caller: pass the last result (0 at first). */
uint64_t ledger_safe(const struct ledger *ledger, unsigned sink, uint64_t previous);

/* --- keeper --- */

/* Commit time (µs) of the oldest transaction that `sink` has not passed yet, as of its last ledger_consume; 0 when
 * there is none. */
int64_t ledger_waiting_commit_us(const struct ledger *ledger, unsigned sink);

/* Moves `pos` (the sink's own, owned by the keeper) to the last boundary that is safe for `sink`; GTIDs of all
 * boundaries passed are added, unless pos->gtids is NULL (not known: it stays so). Returns 1 when it moved, 0 when not,
 * negative: NO_MEMORY, LIMIT, BUG (other flavour); `pos` then stands at the last boundary that succeeded. A boundary
 * leaves the ring when all sinks passed it. */
int ledger_consume(struct ledger *ledger, unsigned sink, struct position *pos, struct err *e);

#endif
