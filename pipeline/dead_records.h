/* Records that an applier cannot read, as dead letters in the bus's topic for them: bytes and headers as they are, and
 * why (sink/kafka/dead_letters.h). One log line for the first of a partition, then at most one every ten seconds.
 * Private to pipeline/; the applier's source thread. */
#ifndef SLUICE_PIPELINE_DEAD_RECORDS_H
#define SLUICE_PIPELINE_DEAD_RECORDS_H

#include "pipeline/pipeline.h"
#include "sink/kafka/dead_letters.h"

struct dead_records;

/* No I/O. `bus` and `env` are borrowed. Errors: NO_MEMORY. */
int dead_records_new(struct dead_records **out, const struct pipeline_bus *bus, unsigned lanes, const struct env *env,
                     struct err *e);
void dead_records_free(struct dead_records *dead); /* accepts NULL */

/* Connects and finds or makes the topic. Errors: as kafka_dead_letters_open; after one of RETRY class call again. */
int dead_records_open(struct dead_records *dead, struct err *e);

/* As kafka_dead_letters_put, with what is told of it. */
int dead_records_put(struct dead_records *dead, const rd_kafka_message_t *record, const struct err *why, int timeout_ms,
                     struct err *e);

#endif
