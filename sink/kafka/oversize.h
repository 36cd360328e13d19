/* Records that are larger than their topic takes: without the columns that nobody reads, or as dead letters. */
#ifndef SLUICE_SINK_KAFKA_OVERSIZE_H
#define SLUICE_SINK_KAFKA_OVERSIZE_H

#include "sink/kafka/headers.h"
#include "sink/kafka/topics.h"
#include "sink/sink.h"

struct kafka_oversize {
    struct kafka_producer *producer;
    const char *sink;             /* its name */
    rd_kafka_topic_t *dead;       /* NULL: oversize is not dead_letter */
    int dead_partitions;          /* of it */
    size_t dead_limit;            /* bytes that it takes */
    struct buf body;              /* of the message at hand */
    int64_t told_us;              /* when the last one had a line in the log */
    struct kafka_scratch scratch; /* beside that of the message's key */
};

/* Finds the topic of dead letters where it is needed. `producer` is open, and outlives it. Errors: those of
 * kafka_kept_topic, KAFKA_BATCH_SIZE. */
int kafka_oversize_open(struct kafka_oversize *oversize, struct kafka_producer *producer, const char *sink,
                        unsigned lanes, struct err *e);

/* Before the producer is closed; accepts one that is all zero. */
void kafka_oversize_release(struct kafka_oversize *oversize);

/* Most bytes that a batch takes which holds this message alone: what max.message.bytes is compared with. Source of the
 * sizes: the record batch format of Kafka's protocol guide, version 2, each number at its longest. */
size_t kafka_message_bytes(const struct kafka_message *message);

/* The message as it goes out: as it is where its topic takes so much, else as `oversize` says: its value without
 * columns, or another topic with headers that say why. 1 when it was changed, else 0. What it points to lives until the
 * next call, and it is copied. Errors: KAFKA_TOO_LARGE, as value_read, NO_MEMORY. */
int kafka_oversize_fit(struct kafka_oversize *oversize, struct kafka_message *message, const struct item *item,
                       size_t limit, struct err *e);

#endif
