/* Dead letters against librdkafka's cluster in the process: what they carry, when they are durable, and what stops. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/env.h"
#include "sink/kafka/dead_letters.h"
#include "tools/mock_kafka.h"

#define DEAD        "shop.dead"
#define PARTITIONS  2
#define API_PRODUCE 0
#define SOON_MS     300
#define LONG_MS     20000

struct scene {
    struct mock_kafka kafka;
    struct env env;
    const char *brokers[1], *properties[1];
    struct kafka_options opt;
    struct kafka_dead_letters *letters;
};

static void scene_init(struct scene *s)
{
    *s = (struct scene){.env = env_system()};
    mock_kafka_start(&s->kafka);
    s->brokers[0] = s->kafka.brokers;
    s->properties[0] = "reconnect.backoff.max.ms=100";
    s->opt = (struct kafka_options){.brokers = {s->brokers, NULL, 1},
                                    .properties = {s->properties, NULL, 1},
                                    .topic = "shop",
                                    .dead_letter_topic = DEAD,
                                    .timeout_ms = SOON_MS};
}

static void scene_open(struct scene *s)
{
    struct err e = ERR_INIT;
    scene_init(s);
    assert_int_equal(rd_kafka_mock_topic_create(s->kafka.cluster, DEAD, PARTITIONS, 1), 0);
    if (kafka_dead_letters_open(&s->letters, &s->opt, 4, &s->env, &e) != 0)
        fail_msg("%s", e.text);
}

static void scene_release(struct scene *s)
{
    kafka_dead_letters_close(s->letters);
    mock_kafka_stop(&s->kafka);
}

static struct kafka_dead_letter letter_of(int32_t partition, int64_t offset, const char *value)
{
    return (struct kafka_dead_letter){
        .origin = {ERR_KAFKA_RECORD, "it has no value", "shop", partition, offset, NULL},
        .key = "17",
        .key_len = 2,
        .value = value,
        .value_len = value ? strlen(value) : 0,
    };
}

static void put(struct scene *s, const struct kafka_dead_letter *letter)
{
    struct err e = ERR_INIT;
    if (kafka_dead_letters_put(s->letters, letter, LONG_MS, &e) != KAFKA_DEAD_DURABLE)
        fail_msg("%s", e.text);
}

static rd_kafka_message_t *read_one(struct scene *s, int32_t partition)
{
    rd_kafka_message_t *messages[2];
    assert_int_equal(mock_kafka_read(&s->kafka, DEAD, partition, 0, messages, 2), 1);
    return messages[0];
}

static void expect_headers(const rd_kafka_message_t *message, const char *const (*expected)[2])
{
    rd_kafka_headers_t *headers = NULL;
    const char *name;
    const void *value;
    size_t len, count = 0;
    assert_int_equal(rd_kafka_message_headers(message, &headers), 0);
    for (; rd_kafka_header_get_all(headers, count, &name, &value, &len) == 0; count++) {
        assert_non_null(expected[count][0]);
        assert_string_equal(name, expected[count][0]);
        assert_int_equal(len, strlen(expected[count][1]));
        assert_memory_equal(value, expected[count][1], len);
    }
    assert_null(expected[count][0]);
}

/* ---------------------------------------------------------------- what a letter carries */

static void dead_letter__of_a_record__has_its_bytes_its_headers_and_its_origin(void **state)
{
    (void)state;
    struct scene s;
    static const char *const expected[][2] = {{"op", "insert"},
                                              {"op", "again"},
                                              {"dead.reason", "kafka_record"},
                                              {"dead.text", "it has no value"},
                                              {"dead.topic", "shop"},
                                              {"dead.partition", "3"},
                                              {"dead.offset", "4711"},
                                              {NULL, NULL}};
    struct kafka_dead_letter letter = letter_of(3, 4711, "{\"op\":");
    rd_kafka_headers_t *headers = rd_kafka_headers_new(4);
    (void)rd_kafka_header_add(headers, "op", -1, "insert", -1);
    (void)rd_kafka_header_add(headers, "dead.sink", -1, "of a former death", -1);
    (void)rd_kafka_header_add(headers, "op", -1, "again", -1);
    letter.headers = headers;
    scene_open(&s);
    put(&s, &letter);
    rd_kafka_message_t *message = read_one(&s, 3 % PARTITIONS);
    assert_int_equal(message->key_len, 2);
    assert_memory_equal(message->key, "17", 2);
    assert_int_equal(message->len, 6);
    assert_memory_equal(message->payload, "{\"op\":", 6);
    expect_headers(message, expected);
    assert_int_equal(rd_kafka_header_cnt(headers), 3);
    rd_kafka_message_destroy(message);
    rd_kafka_headers_destroy(headers);
    scene_release(&s);
}

static void dead_letter__without_key_value_and_offset__has_none(void **state)
{
    (void)state;
    struct scene s;
    rd_kafka_message_t *messages[2];
    static const char *const of_sink[][2] = {{"dead.reason", "kafka_too_large"},
                                             {"dead.text", "a row of 2 MB"},
                                             {"dead.topic", "shop"},
                                             {"dead.partition", "2"},
                                             {"dead.sink", "bus"},
                                             {NULL, NULL}};
    struct kafka_dead_letter none = letter_of(2, -1, NULL), empty = letter_of(0, 2, "");
    none.key = NULL;
    none.key_len = empty.key_len = 0;
    none.origin.reason = ERR_KAFKA_TOO_LARGE;
    none.origin.text = "a row of 2 MB";
    none.origin.sink = "bus";
    scene_open(&s);
    put(&s, &none);
    put(&s, &empty);
    assert_int_equal(mock_kafka_read(&s.kafka, DEAD, 0, 0, messages, 2), 2);
    assert_null(messages[0]->key);
    assert_null(messages[0]->payload);
    expect_headers(messages[0], of_sink);
    assert_non_null(messages[1]->key);
    assert_non_null(messages[1]->payload);
    assert_int_equal(messages[1]->key_len, 0);
    assert_int_equal(messages[1]->len, 0);
    rd_kafka_message_destroy(messages[0]);
    rd_kafka_message_destroy(messages[1]);
    scene_release(&s);
}

/* ---------------------------------------------------------------- when it is durable */

static void dead_letter__brokers_away__waits_and_is_written_once(void **state)
{
    (void)state;
    struct scene s;
    struct err e = ERR_INIT;
    const struct kafka_dead_letter letter = letter_of(0, 5, "bad");
    scene_open(&s);
    mock_kafka_set_up(&s.kafka, false);
    for (int i = 0; i < 3; i++)
        assert_int_equal(kafka_dead_letters_put(s.letters, &letter, SOON_MS, &e), KAFKA_DEAD_WAITS);
    assert_int_equal(kafka_dead_letters_why(s.letters, &e), -(int)ERR_KAFKA_DEAD_LETTER);
    assert_non_null(strstr(e.text, DEAD));
    mock_kafka_set_up(&s.kafka, true);
    put(&s, &letter);
    rd_kafka_message_destroy(read_one(&s, 0));
    scene_release(&s);
}

static void dead_letter__behind_one_that_was_left__is_not_taken_for_it(void **state)
{
    (void)state;
    struct scene s;
    struct err e = ERR_INIT;
    rd_kafka_message_t *messages[4];
    const struct kafka_dead_letter left = letter_of(0, 5, "left"), next = letter_of(0, 6, "next");
    struct kafka_dead_letter other = next;
    other.id = 1;
    scene_open(&s);
    mock_kafka_set_up(&s.kafka, false);
    assert_int_equal(kafka_dead_letters_put(s.letters, &left, SOON_MS, &e), KAFKA_DEAD_WAITS);
    assert_int_equal(kafka_dead_letters_put(s.letters, &next, SOON_MS, &e), KAFKA_DEAD_WAITS);
    mock_kafka_set_up(&s.kafka, true);
    put(&s, &next);
    put(&s, &other);
    assert_int_equal(mock_kafka_read(&s.kafka, DEAD, 0, 0, messages, 4), 3);
    assert_memory_equal(messages[0]->payload, "left", 4);
    assert_memory_equal(messages[1]->payload, "next", 4);
    for (int i = 0; i < 3; i++)
        rd_kafka_message_destroy(messages[i]);
    scene_release(&s);
}

static void dead_letter__two_that_wait_in_turns__are_each_written_once(void **state)
{
    (void)state;
    struct scene s;
    struct err e = ERR_INIT;
    rd_kafka_message_t *messages[8];
    const struct kafka_dead_letter letters[3] = {letter_of(0, 5, "one"), letter_of(0, 6, "two"),
                                                 letter_of(0, 7, "three")};
    scene_open(&s);
    mock_kafka_set_up(&s.kafka, false);
    for (int i = 0; i < 9; i++)
        assert_int_equal(kafka_dead_letters_put(s.letters, &letters[i % 3], SOON_MS / 3, &e), KAFKA_DEAD_WAITS);
    mock_kafka_set_up(&s.kafka, true);
    for (int i = 2; i >= 0; i--)
        put(&s, &letters[i]);
    assert_int_equal(mock_kafka_read(&s.kafka, DEAD, 0, 0, messages, 8), 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(messages[i]->len, letters[i].value_len);
        assert_memory_equal(messages[i]->payload, letters[i].value, letters[i].value_len);
        rd_kafka_message_destroy(messages[i]);
    }
    scene_release(&s);
}

static void dead_letter__refused_by_the_brokers__for_now_or_for_good(void **state)
{
    (void)state;
    static const rd_kafka_resp_err_t passing[] = {RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
                                                  RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
                                                  RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT};
    static const struct {
        rd_kafka_resp_err_t code;
        enum err_code stops;
    } lasting[] = {{RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, ERR_KAFKA_TOO_LARGE},
                   {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, ERR_SINK_RIGHTS}};
    struct scene s;
    rd_kafka_message_t *messages[4];
    scene_open(&s);
    for (int i = 0; i < 3; i++) {
        const struct kafka_dead_letter letter = letter_of(0, i, "bad");
        rd_kafka_mock_push_request_errors(s.kafka.cluster, API_PRODUCE, 1, passing[i]);
        put(&s, &letter);
    }
    assert_int_equal(mock_kafka_read(&s.kafka, DEAD, 0, 0, messages, 4), 3);
    for (int i = 0; i < 3; i++)
        rd_kafka_message_destroy(messages[i]);
    for (int i = 0; i < 2; i++) {
        struct err e = ERR_INIT;
        const struct kafka_dead_letter letter = letter_of(0, 3 + i, "bad");
        rd_kafka_mock_push_request_errors(s.kafka.cluster, API_PRODUCE, 1, lasting[i].code);
        assert_int_equal(kafka_dead_letters_put(s.letters, &letter, LONG_MS, &e), -(int)lasting[i].stops);
        assert_non_null(strstr(e.text, DEAD));
    }
    scene_release(&s);
}

/* ---------------------------------------------------------------- its topic */

static void dead_topic__absent__stops_and_without_brokers_is_tried_again(void **state)
{
    (void)state;
    struct scene s;
    struct err e = ERR_INIT;
    scene_init(&s);
    rd_kafka_mock_topic_set_error(s.kafka.cluster, DEAD, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    assert_int_equal(kafka_dead_letters_open(&s.letters, &s.opt, 4, &s.env, &e), -(int)ERR_KAFKA_TOPIC_MISSING);
    err_clear(&e);
    mock_kafka_set_up(&s.kafka, false);
    assert_int_equal(kafka_dead_letters_open(&s.letters, &s.opt, 4, &s.env, &e), -(int)ERR_SINK_DOWN);
    assert_null(s.letters);
    scene_release(&s);
}

static void dead_topic__that_has_other_records__is_a_usage_error(void **state)
{
    (void)state;
    static const char *const taken[] = {"shop", "shop.state", "shop.state.marks", "no good", "", NULL};
    const char *brokers[1] = {"localhost:1"};
    struct kafka_options opt = {.brokers = {brokers, NULL, 1}, .topic = "shop", .dead_letter_topic = "shop.stat"};
    struct err e = ERR_INIT;
    if (kafka_check(&opt, &e) != 0)
        fail_msg("%s", e.text);
    for (size_t i = 0; taken[i]; i++) {
        opt.dead_letter_topic = taken[i];
        assert_int_equal(kafka_check(&opt, &e), -(int)ERR_KAFKA_TOPIC_NAME);
        err_clear(&e);
    }
    opt.topic = "{db}.{table}";
    opt.delivery = KAFKA_AT_LEAST_ONCE;
    opt.dead_letter_topic = "shop.dead";
    assert_int_equal(kafka_check(&opt, &e), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dead_letter__of_a_record__has_its_bytes_its_headers_and_its_origin),
        cmocka_unit_test(dead_letter__without_key_value_and_offset__has_none),
        cmocka_unit_test(dead_letter__brokers_away__waits_and_is_written_once),
        cmocka_unit_test(dead_letter__behind_one_that_was_left__is_not_taken_for_it),
        cmocka_unit_test(dead_letter__two_that_wait_in_turns__are_each_written_once),
        cmocka_unit_test(dead_letter__refused_by_the_brokers__for_now_or_for_good),
        cmocka_unit_test(dead_topic__absent__stops_and_without_brokers_is_tried_again),
        cmocka_unit_test(dead_topic__that_has_other_records__is_a_usage_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
