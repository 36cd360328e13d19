/* Reading a log entry by entry, and telling a cut end from damage. */
#ifndef SLUICE_STATE_LOG_WALK_H
#define SLUICE_STATE_LOG_WALK_H

#include "state/state_private.h"

struct log_walk {
    const struct env *env;
    int fd;
    const char *path;
    state_visit *visit; /* NULL: only checks */
    void *ctx;
};

/* Visits the items of all whole entries in the first `size` bytes of the file. *end is behind the last whole entry:
 * less than `size` when the last append was cut. STATE_CORRUPT when a bad entry was whole once: bytes of others follow
 * it, or its header is there and wrong. */
int log_walk(const struct log_walk *walk, uint64_t size, uint64_t *end, struct err *e);

/* One entry: reads the one at *offset, visits its items and goes behind it; *cut when the log ends in it. */
int log_walk_entry(const struct log_walk *walk, uint64_t size, uint64_t *offset, struct buf *payload, bool *cut,
                   struct err *e);

#endif
