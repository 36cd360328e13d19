/* Dead letters of the embedded bus that are done: retried, or dropped by a person. Their numbers stand in the log
 * `done` of a state of its own, state_dir/dlq, since the service owns its own: the service reads what `sluice dlq`
 * writes, and forgets such letters when it cleans up. */
#ifndef SLUICE_PIPELINE_DEAD_DONE_H
#define SLUICE_PIPELINE_DEAD_DONE_H

#include "base/env.h"
#include "base/numbers.h"
#include "state/state.h"

/* Opens state_dir/dlq of the service's state. Errors: of state_open; STATE_LOCKED: another `sluice dlq` runs. */
int dead_done_open(struct state **out, const struct env *env, const char *state_dir, enum state_mode mode,
                   struct err *e);

/* Reads the numbers, sorted; `out` is empty before, the caller's to release, also after a failure. */
int dead_done_load(struct numbers *out, struct state *dlq, struct err *e);

/* The letter is done, durably. Errors: of state_append. */
int dead_done_mark(struct state *dlq, uint64_t number, struct err *e);

/* Forgets the numbers for which `is_there` is false: of letters that the service has forgotten. */
int dead_done_keep(struct state *dlq, bool (*is_there)(void *ctx, uint64_t number), void *ctx, struct err *e);

#endif
