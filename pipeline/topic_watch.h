/* A subscribed topic that a broker did not know. One that has not heard yet of a topic that was just made says the same
 * as all do of one that is gone, and librdkafka tells it once: so the brokers are asked again for a while. Private to
 * pipeline/; by the thread that polls the consumer. */
#ifndef SLUICE_PIPELINE_TOPIC_WATCH_H
#define SLUICE_PIPELINE_TOPIC_WATCH_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

/* All zero: nothing is watched. Times are monotonic microseconds. */
struct topic_watch {
    int64_t until_us; /* 0: nothing is watched */
    int64_t again_us;
};

/* True for the codes that say it. */
bool topic_watch_is(rd_kafka_resp_err_t code);

/* It was said now. */
void topic_watch_begin(struct topic_watch *watch, int64_t now_us, unsigned limit_ms);

/* Subscribes again every second until the time is over; then it asks whether the topic is there: true when it is not.
 * To be called between two polls; waits a second at most, and only when it asks. */
bool topic_watch_gone(struct topic_watch *watch, rd_kafka_t *handle, const char *topic, int64_t now_us);

#endif
