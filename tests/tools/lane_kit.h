/* Small rows for tests of lanes: a shape of two columns, a transaction, appending and reading in one line. */
#ifndef SLUICE_TESTS_LANE_KIT_H
#define SLUICE_TESTS_LANE_KIT_H

#include "partition/lane.h"

/* A shape with two columns and no more to it; static, never freed. */
const struct shape *kit_shape(void);

struct lanes *kit_lanes(unsigned lanes, unsigned sinks, size_t buffer_bytes);
void kit_begin(struct lanes *lanes, uint64_t sequence);

/* Appends an insert with key `key` and `len` bytes of image; lanes_add's result. */
int kit_add(struct lanes *lanes, unsigned lane, const char *key, uint64_t version_row, size_t len, uint64_t *ordinal);

/* The second half of a key move: as kit_add with a ticket. */
int kit_add_to(struct lanes *lanes, unsigned lane, const char *key, uint64_t version_row, unsigned ticket_lane,
               uint64_t ticket_ordinal, uint64_t *ordinal);

/* Ends the transaction at file "bin.1", position `pos`; lanes_end's result. */
int kit_end(struct lanes *lanes, uint64_t pos);

/* Reads and acknowledges everything that can be taken for the sink, over all lanes; the count of items. */
unsigned kit_drain(struct lanes *lanes, unsigned sink);

#endif
