/* How long to wait before the next try: exponential growth with full jitter, so that many clients of one server that
 * came back do not knock at once. Used by the source's reconnect and by the sinks' retry. One thread. */
#ifndef SLUICE_BASE_BACKOFF_H
#define SLUICE_BASE_BACKOFF_H

#include <stdint.h>

#include "base/env.h"

struct backoff {
    uint64_t base_ms;
    uint64_t max_ms;
    uint64_t ceiling_ms; /* of the next wait */
    uint64_t tries;      /* waits handed out since the last reset */
};

/* The first wait is at most base_ms (0 counts as 1), each next one at most the double of the one before, none above
 * max_ms. */
void backoff_init(struct backoff *backoff, uint64_t base_ms, uint64_t max_ms);

/* Milliseconds to wait now: evenly from 1 to the ceiling, by env's random bytes; then raises the ceiling. */
uint64_t backoff_next(struct backoff *backoff, const struct env *env);

/* Back to base_ms: after success. */
void backoff_reset(struct backoff *backoff);

#endif
