/* Questions about a partition's first and last offset, while a broker refuses some of them for now. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <poll.h>

#include "sink/kafka/admin.h"
#include "tools/beside.h"
#include "tools/mock_kafka.h"

#define LIST_OFFSETS 2
#define RECORDS      20
#define RUNS         36
#define TRIES        100
#define ASK_MS       5000

struct run {
    rd_kafka_resp_err_t code; /* … to the n-th question */
    unsigned n;
    unsigned refused; /* tries */
    int64_t low, high;
};

static const rd_kafka_resp_err_t codes[] = {
    RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR,
    RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE,    RD_KAFKA_RESP_ERR_UNKNOWN,
    RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE,     RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
};

static void fill(struct mock_kafka *kafka)
{
    rd_kafka_topic_t *topic = NULL;
    char text[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, NULL);
    (void)rd_kafka_conf_set(conf, "bootstrap.servers", kafka->brokers, text, sizeof text);
    rd_kafka_t *producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    topic = rd_kafka_topic_new(producer, MOCK_TOPIC, NULL);
    for (int i = 0; i < RECORDS; i++)
        (void)rd_kafka_produce(topic, 0, RD_KAFKA_MSG_F_COPY, "x", 1, NULL, 0, NULL);
    if (rd_kafka_flush(producer, ASK_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
        abort();
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(producer);
}

static void ask(void *ctx, size_t i)
{
    struct run *run = &((struct run *)ctx)[i];
    struct mock_kafka kafka;
    mock_kafka_start(&kafka);
    fill(&kafka);
    mock_kafka_refuse(&kafka, LIST_OFFSETS, RD_KAFKA_RESP_ERR_NO_ERROR, run->n);
    mock_kafka_refuse(&kafka, LIST_OFFSETS, run->code, 1);
    while (kafka_admin_bounds(kafka.consumer, MOCK_TOPIC, 0, ASK_MS, &run->low, &run->high) != 0 &&
           run->refused++ < TRIES)
        (void)poll(NULL, 0, 20);
    mock_kafka_stop(&kafka);
}

static void bounds__refused_once__are_true_or_not_told(void **state)
{
    (void)state;
    struct run runs[RUNS];
    for (size_t i = 0; i < RUNS; i++)
        runs[i] = (struct run){.code = codes[i % (sizeof codes / sizeof *codes)], .n = (unsigned)(i / 6 % 2)};
    beside(ask, runs, RUNS, RUNS);
    for (size_t i = 0; i < RUNS; i++) {
        assert_in_range(runs[i].refused, 0, TRIES - 1);
        assert_int_equal(runs[i].low, 0);
        assert_int_equal(runs[i].high, RECORDS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds__refused_once__are_true_or_not_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
