/* The sinks' const objects, each at the end of its own file; listed in registry.c. */
#ifndef SLUICE_SINK_KINDS_H
#define SLUICE_SINK_KINDS_H

#include "sink/sink.h"

extern const struct sink_ops sink_counter;
extern const struct sink_ops sink_kafka;
extern const struct sink_ops sink_recorder;
extern const struct sink_ops sink_redis;
extern const struct sink_ops sink_stdout;

#endif
