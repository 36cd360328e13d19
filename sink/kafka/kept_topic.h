/* Topics that keep each of their records, whatever their keys: of dead letters, of the bounds of transactions. */
#ifndef SLUICE_SINK_KAFKA_KEPT_TOPIC_H
#define SLUICE_SINK_KAFKA_KEPT_TOPIC_H

#include "sink/kafka/producer.h"

struct kafka_kept_topic {
    const char *name;
    const char *option;  /* that names it */
    unsigned partitions; /* when it is made */
};

/* The topic is there, with *partitions, and is not compacted; with create_topics one that is absent is made. `producer`
 * may be any. Errors: KAFKA_TOPIC_MISSING, KAFKA_KEPT_TOPIC, those of kafka_refused. */
int kafka_kept_topic(struct kafka_producer *producer, const struct kafka_kept_topic *topic, int *partitions,
                     struct err *e);

#endif
