/* Dead letters of the embedded bus, applied once more: each goes through the sink's own runner, with its version, key
 * and images, by all routes of its table that lead to the sink. Guarded writes compare its version with what is there;
 * removals are right in any order; what a sink without a guard does with it comes behind all newer changes.
 *
 * One thread; nothing else of a service is touched, one may run meanwhile. */
#ifndef SLUICE_PIPELINE_DEAD_RETRY_H
#define SLUICE_PIPELINE_DEAD_RETRY_H

#include "pipeline/dead_letter.h"
#include "pipeline/settings.h"

struct dead_retry;

/* No I/O. `settings` and `env` are borrowed. `purpose`: what sinks that write may do where nothing is there to compare
 * with. Errors: NO_MEMORY. */
int dead_retry_new(struct dead_retry **out, const struct settings *settings, enum sink_purpose purpose,
                   const struct env *env, struct err *e);
void dead_retry_free(struct dead_retry *retry); /* accepts NULL */

/* The letter's change through its sink. 1: the sink acknowledged it. 0: it refuses it again, `why` (empty before) says
 * so. Errors: DEAD_LETTER_ROUTE; CORRUPT, the letter cannot be read; those of the sink, RETRY class when it is away or
 * refuses for now. After an error no other call. */
int dead_retry_apply(struct dead_retry *retry, const struct dead_letter *letter, struct err *why, struct err *e);

#endif
