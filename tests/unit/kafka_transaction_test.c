/* Kafka's transactions of a producer, topics of state, and reading a topic back, against librdkafka's cluster in the
 * process: each error has the reaction that transaction.h tells. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/env.h"
#include "sink/kafka/read_back.h"
#include "sink/kafka/state_topic.h"
#include "sink/kafka/transaction.h"
#include "tools/mock_kafka.h"

#define API_INIT_PID 22
#define API_END_TXN  26
#define STATE        "shop.state"

struct scene {
    struct mock_kafka kafka;
    struct env env;
    const char *brokers[1];
    struct kafka_options opt;
    struct kafka_producer producer;
    rd_kafka_topic_t *topic;
    struct kafka_read read;
};

static void scene_init(struct scene *s)
{
    struct err e = ERR_INIT;
    *s = (struct scene){.env = env_system()};
    mock_kafka_start(&s->kafka);
    s->brokers[0] = s->kafka.brokers;
    s->opt = (struct kafka_options){.brokers = {s->brokers, NULL, 1}, .topic = "shop", .timeout_ms = 3000};
    s->read = (struct kafka_read){.opt = &s->opt, .env = &s->env, .topic = STATE};
    assert_int_equal(rd_kafka_mock_topic_create(s->kafka.cluster, STATE, 1, 1), 0);
    assert_int_equal(kafka_producer_open(&s->producer, &s->opt, "shop", &s->env, &e), 0);
    s->topic = rd_kafka_topic_new(s->producer.link.handle, STATE, NULL);
}

static void scene_release(struct scene *s)
{
    rd_kafka_topic_destroy(s->topic);
    kafka_producer_close(&s->producer);
    mock_kafka_stop(&s->kafka);
}

static void begin(struct scene *s)
{
    struct err e = ERR_INIT;
    assert_int_equal(kafka_tx_init(&s->producer, STATE, &e), 0);
    assert_int_equal(kafka_tx_begin(&s->producer, STATE, &e), 0);
}

static void put(struct scene *s, const char *key, const char *value)
{
    struct err e = ERR_INIT;
    const struct kafka_message message = {
        .topic = s->topic, .key = key, .key_len = strlen(key), .value = value, .value_len = value ? strlen(value) : 0};
    assert_int_equal(kafka_send(&s->producer, &message, &e), KAFKA_SENT);
}

static void commit(struct scene *s)
{
    struct err e = ERR_INIT;
    if (kafka_tx_commit(&s->producer, STATE, &e) != 0)
        fail_msg("%s", e.text);
}

/* ---------------------------------------------------------------- transactions */

static void transaction__committed__its_messages_are_read(void **state)
{
    (void)state;
    struct scene s;
    struct err e = ERR_INIT;
    rd_kafka_message_t *message;
    scene_init(&s);
    begin(&s);
    put(&s, "a", "1");
    commit(&s);
    assert_int_equal(kafka_tx_begin(&s.producer, STATE, &e), 0);
    assert_int_equal(s.producer.on_the_way, 0);
    assert_int_equal(mock_kafka_read(&s.kafka, STATE, 0, 0, &message, 1), 1);
    assert_memory_equal(message->payload, "1", 1);
    rd_kafka_message_destroy(message);
    scene_release(&s);
}

static void transaction__commit_that_the_brokers_refuse_for_now__ends_well(void **state)
{
    (void)state;
    struct scene s;
    scene_init(&s);
    begin(&s);
    put(&s, "a", "1");
    rd_kafka_mock_push_request_errors(s.kafka.cluster, API_END_TXN, 2, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
                                      RD_KAFKA_RESP_ERR_NOT_COORDINATOR);
    commit(&s);
    scene_release(&s);
}

static void transaction__commit_without_brokers__is_not_known_and_ends_when_they_are_back(void **state)
{
    (void)state;
    struct scene s;
    struct err e = ERR_INIT;
    scene_init(&s);
    s.opt.timeout_ms = 300;
    begin(&s);
    put(&s, "a", "1");
    while (s.producer.on_the_way)
        assert_int_equal(kafka_poll(&s.producer, 100, &e), 0);
    mock_kafka_set_up(&s.kafka, false);
    assert_int_equal(kafka_tx_commit(&s.producer, STATE, &e), -(int)ERR_SINK_DOWN);
    mock_kafka_set_up(&s.kafka, true);
    s.opt.timeout_ms = 20000;
    err_clear(&e);
    commit(&s);
    scene_release(&s);
}

static void transaction__another_took_the_name__the_first_is_fenced(void **state)
{
    (void)state;
    struct scene s;
    struct err e = ERR_INIT;
    scene_init(&s);
    begin(&s);
    put(&s, "a", "1");
    rd_kafka_mock_push_request_errors(s.kafka.cluster, API_END_TXN, 1, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH);
    assert_int_equal(kafka_tx_commit(&s.producer, STATE, &e), -(int)ERR_KAFKA_FENCED);
    assert_non_null(strstr(e.text, STATE));
    scene_release(&s);
}

static void transaction__message_refused__is_aborted_and_another_begins(void **state)
{
    (void)state;
    struct scene s;
    struct err e = ERR_INIT;
    scene_init(&s);
    begin(&s);
    rd_kafka_mock_push_request_errors(s.kafka.cluster, 0, 1, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
    put(&s, "a", "1");
    assert_int_equal(kafka_tx_commit(&s.producer, STATE, &e), -(int)ERR_SINK_ABORTED);
    err_clear(&e);
    assert_int_equal(kafka_tx_abort(&s.producer, STATE, 3000, &e), 0);
    assert_int_equal(kafka_tx_begin(&s.producer, STATE, &e), 0);
    scene_release(&s);
}

static void transaction__id_is_not_permitted__is_a_matter_of_rights(void **state)
{
    (void)state;
    struct scene s;
    struct err e = ERR_INIT;
    scene_init(&s);
    rd_kafka_mock_push_request_errors(s.kafka.cluster, API_INIT_PID, 1,
                                      RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
    assert_int_equal(kafka_tx_init(&s.producer, STATE, &e), -(int)ERR_SINK_RIGHTS);
    scene_release(&s);
}

/* ---------------------------------------------------------------- reading back */

struct seen {
    unsigned count;
    int64_t last;
};

static int see(void *ctx, const rd_kafka_message_t *message, struct err *e)
{
    struct seen *seen = ctx;
    (void)e;
    assert_true(message->offset > seen->last);
    seen->last = message->offset;
    seen->count++;
    return 0;
}

static void read_back__empty_topic__visits_nothing(void **state)
{
    (void)state;
    struct scene s;
    struct err e = ERR_INIT;
    struct seen seen = {.last = -1};
    int64_t end = -1;
    scene_init(&s);
    assert_int_equal(kafka_read_back(&s.read, 0, see, &seen, &end, &e), 0);
    assert_int_equal(seen.count, 0);
    assert_int_equal(end, 0);
    scene_release(&s);
}

static void read_back__from_an_offset__visits_the_rest_in_order(void **state)
{
    (void)state;
    struct scene s;
    struct err e = ERR_INIT;
    struct seen seen = {.last = 199};
    scene_init(&s);
    begin(&s);
    for (int i = 0; i < 1000; i++)
        put(&s, "k", "v");
    commit(&s);
    assert_int_equal(kafka_read_back(&s.read, 200, see, &seen, NULL, &e), 0);
    assert_int_equal(seen.count, 800);
    scene_release(&s);
}

static void read_last__key_far_from_the_end__is_found(void **state)
{
    (void)state;
    struct scene s;
    struct err e = ERR_INIT;
    struct buf out;
    scene_init(&s);
    buf_init(&out, 0);
    begin(&s);
    put(&s, "mine", "old");
    put(&s, "mine", "new");
    for (int i = 0; i < 5000; i++)
        put(&s, "other", "v");
    commit(&s);
    assert_int_equal(kafka_read_last(&s.read, "mine", &out, &e), 1);
    assert_int_equal(out.len, 3);
    assert_memory_equal(out.p, "new", 3);
    assert_int_equal(kafka_read_last(&s.read, "min", &out, &e), 0);
    buf_release(&out);
    scene_release(&s);
}

static void read_back__no_brokers__fails_in_time(void **state)
{
    (void)state;
    struct scene s;
    struct err e = ERR_INIT;
    struct seen seen = {.last = -1};
    scene_init(&s);
    s.opt.timeout_ms = 300;
    mock_kafka_set_up(&s.kafka, false);
    assert_int_equal(kafka_read_back(&s.read, 0, see, &seen, NULL, &e), -(int)ERR_SINK_DOWN);
    scene_release(&s);
}

/* ---------------------------------------------------------------- topics of state */

static void state_topic__with_several_partitions__is_refused(void **state)
{
    (void)state;
    struct scene s;
    struct err e = ERR_INIT;
    scene_init(&s);
    s.opt.timeout_ms = 500;
    assert_int_equal(kafka_state_topic_ensure(&s.producer, MOCK_TOPIC, &e), -(int)ERR_KAFKA_STATE_TOPIC);
    err_clear(&e);
    assert_int_equal(kafka_state_topic_ensure(&s.producer, STATE, &e), 0);
    scene_release(&s);
}

static void state_topic__name__follows_the_topic_unless_given(void **state)
{
    (void)state;
    char name[KAFKA_TOPIC_MAX + 1];
    struct err e = ERR_INIT;
    struct kafka_options opt = {.topic = "shop"};
    assert_int_equal(kafka_state_topic(&opt, name, &e), 0);
    assert_string_equal(name, "shop.state");
    opt.topic = "{db}.{table}";
    assert_int_equal(kafka_state_topic(&opt, name, &e), -(int)ERR_KAFKA_TOPIC_NAME);
    err_clear(&e);
    opt.state_topic = "of.shop";
    assert_int_equal(kafka_state_topic(&opt, name, &e), 0);
    assert_string_equal(name, "of.shop");
    opt.state_topic = "of shop";
    assert_int_equal(kafka_state_topic(&opt, name, &e), -(int)ERR_KAFKA_TOPIC_NAME);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transaction__committed__its_messages_are_read),
        cmocka_unit_test(transaction__commit_that_the_brokers_refuse_for_now__ends_well),
        cmocka_unit_test(transaction__commit_without_brokers__is_not_known_and_ends_when_they_are_back),
        cmocka_unit_test(transaction__another_took_the_name__the_first_is_fenced),
        cmocka_unit_test(transaction__message_refused__is_aborted_and_another_begins),
        cmocka_unit_test(transaction__id_is_not_permitted__is_a_matter_of_rights),
        cmocka_unit_test(read_back__empty_topic__visits_nothing),
        cmocka_unit_test(read_back__from_an_offset__visits_the_rest_in_order),
        cmocka_unit_test(read_last__key_far_from_the_end__is_found),
        cmocka_unit_test(read_back__no_brokers__fails_in_time),
        cmocka_unit_test(state_topic__with_several_partitions__is_refused),
        cmocka_unit_test(state_topic__name__follows_the_topic_unless_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
