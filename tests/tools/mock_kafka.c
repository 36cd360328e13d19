/* A Kafka cluster in the process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tools/mock_kafka.h"

#define WAIT_MS 20000

static rd_kafka_t *handle_new(rd_kafka_type_t type, const char *brokers)
{
    char text[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, NULL);
    if (brokers)
        assert_int_equal(rd_kafka_conf_set(conf, "bootstrap.servers", brokers, text, sizeof text), RD_KAFKA_CONF_OK);
    if (brokers)
        assert_int_equal(rd_kafka_conf_set(conf, "group.id", "test", text, sizeof text), RD_KAFKA_CONF_OK);
    rd_kafka_t *handle = rd_kafka_new(type, conf, text, sizeof text);
    if (!handle)
        fail_msg("%s", text);
    return handle;
}

void mock_kafka_start(struct mock_kafka *kafka)
{
    *kafka = (struct mock_kafka){.host = handle_new(RD_KAFKA_PRODUCER, NULL)};
    kafka->cluster = rd_kafka_mock_cluster_new(kafka->host, MOCK_BROKERS);
    assert_non_null(kafka->cluster);
    snprintf(kafka->brokers, sizeof kafka->brokers, "%s", rd_kafka_mock_cluster_bootstraps(kafka->cluster));
    assert_int_equal(rd_kafka_mock_topic_create(kafka->cluster, MOCK_TOPIC, MOCK_PARTITIONS, 1), 0);
    kafka->consumer = handle_new(RD_KAFKA_CONSUMER, kafka->brokers);
}

void mock_kafka_stop(struct mock_kafka *kafka)
{
    rd_kafka_destroy(kafka->consumer);
    rd_kafka_mock_cluster_destroy(kafka->cluster);
    rd_kafka_destroy(kafka->host);
}

void mock_kafka_set_up(struct mock_kafka *kafka, bool up)
{
    rd_kafka_resp_err_t rc =
        up ? rd_kafka_mock_broker_set_up(kafka->cluster, 1) : rd_kafka_mock_broker_set_down(kafka->cluster, 1);
    assert_int_equal(rc, 0);
}

void mock_kafka_refuse(struct mock_kafka *kafka, int16_t api, rd_kafka_resp_err_t code, size_t count)
{
    rd_kafka_resp_err_t *codes = calloc(count, sizeof *codes);
    if (!codes)
        abort();
    for (size_t i = 0; i < count; i++)
        codes[i] = code;
    rd_kafka_mock_push_request_errors_array(kafka->cluster, api, count, codes);
    free(codes);
}

size_t mock_kafka_read(struct mock_kafka *kafka, const char *topic, int32_t partition, int64_t from,
                       rd_kafka_message_t **out, size_t max)
{
    int64_t low = 0, high = 0;
    size_t count = 0;
    assert_int_equal(rd_kafka_query_watermark_offsets(kafka->consumer, topic, partition, &low, &high, WAIT_MS), 0);
    if (high <= from)
        return 0;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, partition)->offset = from;
    assert_int_equal(rd_kafka_assign(kafka->consumer, list), 0);
    while (count < max && from + (int64_t)count < high) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(kafka->consumer, WAIT_MS);
        assert_non_null(message);
        if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR)
            fail_msg("%s", rd_kafka_message_errstr(message));
        out[count++] = message;
    }
    assert_int_equal(rd_kafka_assign(kafka->consumer, NULL), 0);
    rd_kafka_topic_partition_list_destroy(list);
    return count;
}
