/* A handle of librdkafka, what it told of its connections, and what an error means. */
#ifndef SLUICE_SINK_KAFKA_LINK_H
#define SLUICE_SINK_KAFKA_LINK_H

#include "sink/kafka/kafka.h"

struct kafka_link {
    rd_kafka_t *handle;
    const struct kafka_options *opt;
    rd_kafka_resp_err_t last_code; /* what librdkafka told of its connections, until the next good report */
    char last[200];
};

/* librdkafka's error callback; the handle's opaque begins with the link. */
void kafka_link_on_error(rd_kafka_t *handle, int code, const char *reason, void *ctx);

/* What an error of librdkafka or a broker means: SINK_DOWN (RETRY) for what passes; SINK_ABORTED (RETRY) for what ends
 * a transaction; SINK_LOGIN, SINK_RIGHTS,
 * KAFKA_TOPIC_MISSING, KAFKA_FENCED, KAFKA_FATAL, SINK_REFUSED. `topic` names it. */
int kafka_refused(const struct kafka_link *link, rd_kafka_resp_err_t code, const char *topic, struct err *e);

/* No answer came in time: SINK_DOWN, or SINK_LOGIN where that is why. */
int kafka_down(const struct kafka_link *link, struct err *e);

/* The error that librdkafka gave up with for good, worded; 0 when there is none. */
int kafka_fatal(const struct kafka_link *link, const char *topic, struct err *e);

#endif
