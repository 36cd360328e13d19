/* Which offset of each partition may be committed: that behind the longest prefix of its lane that all sinks have
 * acknowledged. Lane l is partition l. Private to pipeline/; one thread.
 *
 * Memory: 24 bytes per record that is in the lanes and not acknowledged, so the lanes' buffer bounds it. */
#ifndef SLUICE_PIPELINE_OFFSETS_H
#define SLUICE_PIPELINE_OFFSETS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define OFFSETS_NONE (-1)

struct offsets_lane;

struct offsets {
    struct offsets_lane *lanes;
    unsigned count;
};

/* No lane is owned. Errors: NO_MEMORY. */
int offsets_init(struct offsets *offsets, unsigned lanes, struct err *e);
void offsets_release(struct offsets *offsets); /* accepts one that is all zero */

/* The partition is ours from now on, or no longer: nothing is known of it. */
void offsets_own(struct offsets *offsets, unsigned lane, bool own);
bool offsets_owned(const struct offsets *offsets, unsigned lane);

/* How often that was said: another number means that what was read of the partition before may be read again. */
unsigned offsets_turn(const struct offsets *offsets, unsigned lane);

/* A record of an owned lane, written at that Unix time (0: not known), became the item `ordinal`, and the next one has
 * offset `next` or a later one. Neither falls from call to call. Errors: NO_MEMORY. */
int offsets_note(struct offsets *offsets, unsigned lane, uint64_t ordinal, int64_t next, uint64_t written_ms,
                 struct err *e);

/* When the oldest record was written that waited for an acknowledgement at the last offsets_due; 0: none did, or it is
 * not known. */
uint64_t offsets_oldest_ms(const struct offsets *offsets, unsigned lane);

/* Records up to `next` became no item: they are done when what was noted before is. */
int offsets_pass(struct offsets *offsets, unsigned lane, int64_t next, struct err *e);

/* All items of the lane up to `acked` are done: the offset to commit, when it is another than at offsets_committed;
 * else OFFSETS_NONE. */
int64_t offsets_due(struct offsets *offsets, unsigned lane, uint64_t acked);

/* This offset is on its way to the group, or, with OFFSETS_NONE, the last one did not arrive. */
void offsets_committed(struct offsets *offsets, unsigned lane, int64_t offset);

/* True when nothing of the lane waits for an acknowledgement beyond `acked`. */
bool offsets_idle(const struct offsets *offsets, unsigned lane, uint64_t acked);

#endif
