/* The store of an embedded bus's runners for changes that a sink refuses for good (`dead_letters: state` of a sink):
 * the log `dead-letters` of the service's state. A letter is durable before the change is acknowledged. A change that
 * comes again after a crash and is refused again is the letter that it was: they are told apart by sink, version and
 * operation.
 *
 * The log holds `max` letters at most. When it is full, those that are done (dead_done.h) are taken out; when it is
 * still full the store stops. Numbers are not given twice: the record `dead-numbers` has the next one wherever the log
 * does not tell it. Private to pipeline/. */
#ifndef SLUICE_PIPELINE_DEAD_LOG_H
#define SLUICE_PIPELINE_DEAD_LOG_H

#include "sink/runner.h"
#include "state/state.h"

#define DEAD_LOG_NAME     "dead-letters"
#define DEAD_LETTERS_MAX  1000000
#define DEAD_NUMBERS_NAME "dead-numbers"

struct dead_log;

/* Reads the log and takes out what is done. `state` (STATE_OWN) and `env` are borrowed. Errors: of state, NO_MEMORY. */
int dead_log_open(struct dead_log **out, struct state *state, const struct env *env, uint64_t max, struct err *e);
void dead_log_close(struct dead_log *log); /* after the runners; accepts NULL */

/* For runner_options; lives as long as `log`. Errors of put: DEAD_LETTERS_FULL, of state, of values, SINK_POISON for a
 * change that is none of a row or table. */
const struct dead_store *dead_log_store(const struct dead_log *log);

/* Letters that are not done; what cannot be read just now is as it was. Any thread. */
uint64_t dead_log_waiting(struct dead_log *log);

#endif
