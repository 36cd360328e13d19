/* Where a sink of delivery exactly_once keeps its marks: the topic <state_topic>.marks, one message per commit, whose
 * key is the sink's name. Its only transactional writer is the sink's own producer. */
#ifndef SLUICE_SINK_KAFKA_MARKS_TOPIC_H
#define SLUICE_SINK_KAFKA_MARKS_TOPIC_H

#include "sink/kafka/producer.h"
#include "sink/marks.h"

struct kafka_marks {
    struct kafka_producer *producer;
    const char *sink; /* name */
    char topic[KAFKA_TOPIC_MAX + 1];
    rd_kafka_topic_t *handle;
    struct buf text; /* of the message that is on its way */
};

/* `out` is the transactional id of the sink: the state topic's name, a dot, the sink's name; freed by the caller.
 * Errors: KAFKA_TOPIC_NAME, NO_MEMORY. */
int kafka_marks_id(const struct kafka_options *opt, const char *sink, char **out, struct err *e);

/* The topic is made or checked. `sink` is borrowed until the release. Errors: those of kafka_state_topic_ensure. */
int kafka_marks_open(struct kafka_marks *marks, struct kafka_producer *producer, const char *sink, struct err *e);
void kafka_marks_release(struct kafka_marks *marks); /* before the producer is closed; accepts what is all zero */

/* 1 and the last marks that were committed; 0: there are none. After kafka_tx_init. Errors: those of kafka_read_last,
 * marks_decode. */
int kafka_marks_load(struct kafka_marks *marks, struct marks *out, struct err *e);

/* Into the open transaction, after its other messages. Errors: those of kafka_send, NO_MEMORY. */
int kafka_marks_send(struct kafka_marks *marks, const struct marks *in, struct err *e);

#endif
