/* Topics of state: one partition, compacted, in small segments, so that reading one to its end is quick. Each has one
 * transactional writer. */
#ifndef SLUICE_SINK_KAFKA_STATE_TOPIC_H
#define SLUICE_SINK_KAFKA_STATE_TOPIC_H

#include "sink/kafka/producer.h"

/* Makes the topic where it is absent, whatever create_topics is; else checks it. Errors: KAFKA_STATE_TOPIC, those of
 * kafka_refused. */
int kafka_state_topic_ensure(struct kafka_producer *producer, const char *topic, struct err *e);

#endif
