/* The topics that a Kafka sink writes to: found, checked or made before their first message. One thread. */
#ifndef SLUICE_SINK_KAFKA_TOPICS_H
#define SLUICE_SINK_KAFKA_TOPICS_H

#include "sink/kafka/admin.h"
#include "sink/kafka/producer.h"

struct kafka_topic;

struct kafka_topics {
    struct kafka_producer *producer;
    unsigned lanes;
    struct kafka_topic *list;
    size_t count, size;
    size_t last; /* the one asked for last */
};

void kafka_topics_init(struct kafka_topics *topics, struct kafka_producer *producer, unsigned lanes);

/* Before the producer is closed. */
void kafka_topics_release(struct kafka_topics *topics);

/* The handle of a table's topic; at its first call the brokers are asked, and with create_topics it is made. db and
 * table are not read when the topic does not vary. Valid until the release. Errors: KAFKA_TOPIC_NAME,
 * KAFKA_TOPIC_MISSING, KAFKA_PARTITIONS, KAFKA_COMPACTED, NO_MEMORY, those of kafka_refused. */
int kafka_topics_find(struct kafka_topics *topics, const char *db, const char *table, rd_kafka_topic_t **out,
                      struct err *e);

/* Bytes that the topic takes which was found last: max.message.bytes, asked with `oversize` only, else SIZE_MAX. */
size_t kafka_topics_limit(const struct kafka_topics *topics);

/* max.message.bytes of a topic, which the producer's batches do not exceed. Errors: KAFKA_BATCH_SIZE (they may), those
 * of kafka_refused. */
int kafka_topic_limit(struct kafka_producer *producer, const char *topic, size_t *out, struct err *e);

/* Makes a topic and waits until it is known. Errors: KAFKA_TOPIC_NAME, those of kafka_refused. */
int kafka_topics_make(const struct kafka_topics *topics, const struct kafka_new_topic *topic, struct err *e);

/* Waits until a broker answers. Errors: SINK_DOWN, SINK_LOGIN. */
int kafka_topics_reach(struct kafka_topics *topics, struct err *e);

#endif
