/* Where a service keeps its state by its configuration: in state_dir, or, with a bus of type kafka, in the bus's state
 * topic, of which state_dir/reader is a copy to work with. */
#ifndef SLUICE_PIPELINE_SERVICE_STATE_H
#define SLUICE_PIPELINE_SERVICE_STATE_H

#include "pipeline/settings.h"
#include "state/state.h"

/* What a service that reads the database keeps: checkpoint, epochs, history, spool. STATE_OWN is for one at a time: in
 * state_dir by a lock, in Kafka by fencing whoever has it. Errors: of state_open or kafka_state_open. */
int service_state_open(struct state **out, const struct settings *settings, const struct env *env, enum state_mode mode,
                       struct err *e);

/* The same as STATE_OWN, but brokers that are away are waited for, with a line in the log. */
int service_state_await(struct state **out, const struct settings *settings, const struct env *env, struct err *e);

#endif
