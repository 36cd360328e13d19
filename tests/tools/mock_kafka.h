/* librdkafka's cluster in the process: for faults that a real broker does not do on demand. One thread; a function that
 * cannot fails the test. */
#ifndef SLUICE_TESTS_MOCK_KAFKA_H
#define SLUICE_TESTS_MOCK_KAFKA_H

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MOCK_TOPIC      "changes"
#define MOCK_PARTITIONS 4
#define MOCK_BROKERS    1

struct mock_kafka {
    rd_kafka_t *host; /* whose threads it runs in */
    rd_kafka_mock_cluster_t *cluster;
    rd_kafka_t *consumer;
    char brokers[256];
};

/* One broker, with MOCK_TOPIC. */
void mock_kafka_start(struct mock_kafka *kafka);
void mock_kafka_stop(struct mock_kafka *kafka);

void mock_kafka_set_up(struct mock_kafka *kafka, bool up);

/* The next `count` requests of this kind are answered with the code. Any thread. */
void mock_kafka_refuse(struct mock_kafka *kafka, int16_t api, rd_kafka_resp_err_t code, size_t count);

/* The messages of a partition of a topic from an offset on, at most `max`, each to be destroyed; how many. */
size_t mock_kafka_read(struct mock_kafka *kafka, const char *topic, int32_t partition, int64_t from,
                       rd_kafka_message_t **out, size_t max);

#endif
