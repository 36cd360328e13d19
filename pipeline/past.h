/* What the servers of sinks surely hold. A cache that restarts from its last snapshot, or a replica that takes its
 * place, may show what it held before: keys that were removed since are back. What was applied since is applied again
 * then.
 *
 * Of each sink that tells of its server (sink_witness) these are kept, in the record `past` of the state:
 *   - which run of the server was seen last, and when;
 *   - since when what was applied is surely kept by it (struct sink_server.kept_us);
 *   - where the sink stood when, few places: back to that time, or to failover_ms ago where that is longer.
 * When another run is met the pipeline ends with SINK_CAME_BACK, and the next one begins at the place where the sink
 * stood then; the other sinks go on where they stand. It is set back durably, before anything is read. A crash on the
 * way meets the other run again. A `position set` or `reset` forgets the places. A replay has no way back: it ends with
 * SINK_REPLAY_LOST.
 *
 * Threads: `witness` any worker's; all else whoever owns the pipeline's positions. Private to pipeline/. */
#ifndef SLUICE_PIPELINE_PAST_H
#define SLUICE_PIPELINE_PAST_H

#include "pipeline/checkpoint.h"
#include "pipeline/pipeline.h"
#include "sink/sink.h"

struct past;

/* NULL in *out when no sink has a server to tell of. Positions in `cp` are set back where a server came back when the
 * state was used last, and stored. `state` and `env` are borrowed. Errors: the state's, NO_MEMORY. */
int past_open(struct past **out, struct state *state, const struct pipeline_spec *spec, struct checkpoint *cp,
              struct err *e);
void past_free(struct past *past); /* accepts NULL */

/* NULL when there is nothing to tell: for a sink of another kind, and without a past. */
const struct sink_witness *past_witness(const struct past *past, unsigned sink);

/* The sinks stand there (one entry per sink, in their order): all before is applied. Kept from time to time. With
 * `last` it is the end: all is stored. Accepts NULL. Errors: the state's but those that pass, NO_MEMORY. */
int past_note(struct past *past, const struct checkpoint *positions, bool last, struct err *e);

/* The oldest place that a sink may be set back to; NULL: there is none. */
const struct position *past_oldest(const struct past *past);

#endif
