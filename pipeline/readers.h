/* The readers of an at_least_once bus as an applier sees them: each record has the number of its reader, numbers rise
 * with each take-over, and what a reader still wrote after another had begun in that partition is dropped. The highest
 * number of the records before a committed offset is kept in its metadata: who reads on from there must still take
 * records of a lower number that lie between the offset and the next take-over. Private to pipeline/; the applier's
 * thread. */
#ifndef SLUICE_PIPELINE_READERS_H
#define SLUICE_PIPELINE_READERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define READERS_TEXT_MAX  32
#define READERS_RISES_MAX 16

/* From the record behind `offset` on this is the highest number. */
struct reader_rise {
    int64_t offset;
    uint64_t number;
};

struct reader_lane {
    struct reader_rise rises[READERS_RISES_MAX]; /* rising; the first one counts for what is committed */
    unsigned count;                              /* 0: none was seen */
    bool told;                                   /* that records are dropped */
};

struct readers {
    struct reader_lane *lane;
    unsigned lanes;
};

int readers_init(struct readers *readers, unsigned lanes, struct err *e);
void readers_release(struct readers *readers);

/* The partition comes, with the metadata of its committed offset (of any origin; NULL: none). */
void readers_gain(struct readers *readers, unsigned lane, const void *metadata, size_t len);

/* A record of the reader `number` (0: it has none) at an offset: false when it is to be dropped. *first: of this lane.
 */
bool readers_take(struct readers *readers, unsigned lane, uint64_t number, int64_t offset, bool *first);

/* The metadata of an offset of this lane that is committed now; "" when there is nothing to keep. Offsets rise. */
void readers_print(struct readers *readers, unsigned lane, int64_t offset, char out[READERS_TEXT_MAX]);

/* Decimal digits, nothing else; 0 when it is no number. */
uint64_t readers_parse(const void *text, size_t len);

#endif
