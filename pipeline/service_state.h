/* Where a service keeps its state by its configuration: in state_dir, or, with a bus of type kafka, in the bus's state
 * topic, of which state_dir/reader is a copy to work with. */
#ifndef SLUICE_PIPELINE_SERVICE_STATE_H
#define SLUICE_PIPELINE_SERVICE_STATE_H

#include "pipeline/settings.h"
#include "sink/kafka/state.h"
#include "state/state.h"

/* What a service that reads the database keeps: checkpoint, epochs, history, spool. STATE_OWN is for one at a time: in
 * state_dir by a lock, in Kafka by fencing whoever has it. Errors: of state_open or kafka_state_open. */
int service_state_open(struct state **out, const struct settings *settings, const struct env *env, enum state_mode mode,
                       struct err *e);

/* How tries are waited between: true ends them, with INTERRUPTED. */
struct service_pause {
    bool (*wait)(void *ctx, int timeout_ms);
    void *ctx;
};

/* The same as STATE_OWN of a reader of a bus in Kafka, which takes over by it; brokers that are away are waited for,
 * with a line in the log. */
int service_state_take(struct state **out, const struct settings *settings, const struct env *env,
                       struct kafka_takeover *takeover, const struct service_pause *pause, struct err *e);

#endif
