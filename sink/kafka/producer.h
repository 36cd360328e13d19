/* The Kafka producer: librdkafka's handle, messages on their way and their reports, and what an error means. One
 * thread; reports come in the calls below, never else. */
#ifndef SLUICE_SINK_KAFKA_PRODUCER_H
#define SLUICE_SINK_KAFKA_PRODUCER_H

#include "sink/kafka/link.h"

struct kafka_stats {
    _Atomic uint64_t messages_total; /* delivered */
    _Atomic uint64_t bytes_total;    /* of their keys and values */
    _Atomic uint64_t oversize_total;
    _Atomic uint64_t full_total; /* times that librdkafka's queue was full */
    _Atomic uint64_t transactions_total, aborts_total;
};

/* The first message, in order, that was refused. */
struct kafka_refusal {
    size_t number;
    rd_kafka_resp_err_t code; /* NO_ERROR: none was */
    size_t bytes;             /* of its key and value */
    char topic[KAFKA_TOPIC_MAX + 1];
};

struct kafka_producer {
    struct kafka_link link; /* first: librdkafka hands it back as the producer */
    const struct env *env;
    /* Of each message; `refused` is then the caller's matter. NULL: nobody asks. Set before the first message. */
    void (*on_report)(void *ctx, const struct kafka_refusal *report);
    void *ctx;
    size_t on_the_way; /* messages without a report */
    uint64_t reports;  /* ever */
    struct kafka_refusal refused;
    struct kafka_stats stats;
};

/* Makes the handle, which connects by itself; no answer is awaited. `producer` must not move. transactional_id NULL:
 * idempotent, without transactions; else those of transaction.h come next. Errors: NO_MEMORY, KAFKA_PROPERTY. */
int kafka_producer_open(struct kafka_producer *producer, const struct kafka_options *opt, const char *transactional_id,
                        const struct env *env, struct err *e);

/* What is on its way is given up. Accepts one that is all zero. */
void kafka_producer_close(struct kafka_producer *producer);

struct kafka_message {
    rd_kafka_topic_t *topic;
    int32_t partition;
    const void *key; /* NULL: none */
    size_t key_len;
    const void *value; /* NULL: a tombstone; it stays where it is until its report, unless it is copied */
    bool is_copied;
    size_t value_len;
    rd_kafka_headers_t *headers; /* NULL: none; taken by KAFKA_SENT only */
    size_t number;               /* comes back in `refused` */
};

/* KAFKA_SENT, KAFKA_FULL (poll, then again), or an error: kafka_refused's. */
enum { KAFKA_SENT, KAFKA_FULL };
int kafka_send(struct kafka_producer *producer, const struct kafka_message *message, struct err *e);

/* Takes reports, waiting for the first at most so long. Errors: kafka_fatal's. */
int kafka_poll(struct kafka_producer *producer, int timeout_ms, struct err *e);

#endif
