/* The Kafka sink against librdkafka's cluster in the process: where messages go and what they carry, outages, refusals,
 * topics, properties. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/env.h"
#include "change/format_sluice.h"
#include "sink/kafka/kafka.h"
#include "tools/mock_kafka.h"
#include "tools/sample.h"

#define ITEMS       8
#define API_PRODUCE 0
#define API_PID     22

struct scene {
    struct mock_kafka kafka;
    struct env env;
    struct sink_place place;
    const char *brokers[1];
    struct kafka_options opt;
    struct config *cfg;
    struct format_choice choice;
    struct sample *sample;
    struct sample_change changes[ITEMS];
    struct item items[ITEMS];
    void *bind;
    struct sink *snk;
};

/* Rows of shop.orders, order_id = number, in lane number mod 4. */
static void scene_init(struct scene *s, const char *format)
{
    struct err e = ERR_INIT;
    *s = (struct scene){.env = env_system(), .choice = {.name = format}};
    mock_kafka_start(&s->kafka);
    s->brokers[0] = s->kafka.brokers;
    s->place = (struct sink_place){.env = &s->env, .name = "bus", .lanes = MOCK_PARTITIONS};
    s->opt = (struct kafka_options){.brokers = {s->brokers, NULL, 1}, .topic = MOCK_TOPIC, .timeout_ms = 3000};
    assert_int_equal(config_parse(&s->cfg, &s->env, "t.yaml", "", &e), 0);
    if (format_choose(&s->choice, s->cfg, &e) != 0)
        fail_msg("%s", e.text);
    s->sample = sample_new("shop", "orders", 0);
    assert_int_equal(sink_kafka.bind(&s->bind, &s->opt, &s->choice, sample_shape(s->sample)->tbl, &e), 0);
    for (int i = 0; i < ITEMS; i++) {
        const struct sample_row row = {i, 5};
        sample_change(&s->changes[i], s->sample, CHANGE_INSERT, NULL, &row);
        s->changes[i].chg.version = (struct version){.epoch = 1, .sequence = 2, .row = (uint64_t)i};
        s->changes[i].chg.lane = (unsigned)i % MOCK_PARTITIONS;
        s->changes[i].chg.flags = CHANGE_LAST_IN_EVENT;
        s->items[i] = (struct item){.chg = &s->changes[i].chg, .bind = s->bind, .verdict = V_STOP};
    }
}

static void scene_open(struct scene *s)
{
    struct err e = ERR_INIT;
    if (sink_kafka.open(&s->snk, &s->opt, &s->place, &e) != 0)
        fail_msg("%s", e.text);
}

static void scene_release(struct scene *s)
{
    sink_kafka.close(s->snk);
    sink_kafka.unbind(s->bind);
    sample_free(s->sample);
    config_free(s->cfg);
    mock_kafka_stop(&s->kafka);
}

static void apply_all(struct scene *s)
{
    struct err e = ERR_INIT;
    if (sink_kafka.apply(s->snk, s->items, ITEMS, &e) != 0)
        fail_msg("%s", e.text);
    for (unsigned i = 0; i < ITEMS; i++)
        assert_int_equal(s->items[i].verdict, V_DONE);
}

/* The number of messages in all partitions of the topic. */
static size_t count_all(struct scene *s)
{
    size_t count = 0;
    for (int32_t partition = 0; partition < MOCK_PARTITIONS; partition++) {
        rd_kafka_message_t *messages[64];
        size_t here = mock_kafka_read(&s->kafka, MOCK_TOPIC, partition, 0, messages, 64);
        for (size_t i = 0; i < here; i++)
            rd_kafka_message_destroy(messages[i]);
        count += here;
    }
    return count;
}

static void expect_header(const rd_kafka_message_t *message, const char *name, const char *expected)
{
    rd_kafka_headers_t *headers = NULL;
    const void *value = NULL;
    size_t len = 0;
    assert_int_equal(rd_kafka_message_headers(message, &headers), 0);
    if (!expected) {
        assert_int_equal(rd_kafka_header_get_last(headers, name, &value, &len), RD_KAFKA_RESP_ERR__NOENT);
        return;
    }
    assert_int_equal(rd_kafka_header_get_last(headers, name, &value, &len), 0);
    assert_int_equal(len, strlen(expected));
    assert_memory_equal(value, expected, len);
}

/* ---------------------------------------------------------------- what is written */

static void kafka__rows__go_to_the_partition_of_their_lane_with_headers(void **state)
{
    (void)state;
    struct scene s;
    rd_kafka_message_t *messages[8];
    scene_init(&s, "sluice");
    s.changes[6].chg.flags |= CHANGE_TO;
    scene_open(&s);
    apply_all(&s);
    for (int32_t partition = 0; partition < MOCK_PARTITIONS; partition++) {
        assert_int_equal(mock_kafka_read(&s.kafka, MOCK_TOPIC, partition, 0, messages, 8), 2);
        for (int n = 0; n < 2; n++) {
            char key[8], pk[32], version[64];
            int row = partition + n * MOCK_PARTITIONS;
            snprintf(key, sizeof key, "%d", row);
            snprintf(pk, sizeof pk, "{\"order_id\":%d}", row);
            snprintf(version, sizeof version, "00000001.0000000000000002.%016x", (unsigned)row);
            assert_int_equal(messages[n]->key_len, strlen(key));
            assert_memory_equal(messages[n]->key, key, strlen(key));
            expect_header(messages[n], "op", "insert");
            expect_header(messages[n], "table", "shop.orders");
            expect_header(messages[n], "version", version);
            expect_header(messages[n], "format", "sluice");
            expect_header(messages[n], "half", row == 6 ? "to" : NULL);
            expect_header(messages[n], "pk", sample_shape(s.sample)->tbl->pk_count ? pk : NULL);
            rd_kafka_message_destroy(messages[n]);
        }
    }
    scene_release(&s);
}

static void kafka__update__tells_the_primary_key_before_only_where_it_changed(void **state)
{
    (void)state;
    static const struct sample_row before[] = {{4, 5}, {4, SAMPLE_NULL}, {4, SAMPLE_ABSENT}};
    static const struct sample_row after[] = {{4, 6}, {40, 5}, {44, 5}};
    static const char *const expected[][2] = {
        {"{\"order_id\":4}", NULL},
        {"{\"order_id\":40}", "{\"order_id\":4}"},
        {"{\"order_id\":44}", "{\"order_id\":4}"},
    };
    struct scene s;
    rd_kafka_message_t *messages[8];
    scene_init(&s, "sluice");
    assert_int_equal(sample_shape(s.sample)->tbl->pk_count, 1);
    for (unsigned i = 0; i < 3; i++) {
        sample_change(&s.changes[i], s.sample, CHANGE_UPDATE, &before[i], &after[i]);
        s.changes[i].chg.lane = 0;
    }
    scene_open(&s);
    assert_int_equal(sink_kafka.apply(s.snk, s.items, 3, NULL), 0);
    assert_int_equal(mock_kafka_read(&s.kafka, MOCK_TOPIC, 0, 0, messages, 8), 3);
    for (unsigned i = 0; i < 3; i++) {
        expect_header(messages[i], "pk", expected[i][0]);
        expect_header(messages[i], "pk_before", expected[i][1]);
        rd_kafka_message_destroy(messages[i]);
    }
    scene_release(&s);
}

static void kafka__image_before_without_the_primary_key__is_told(void **state)
{
    (void)state;
    static const struct sample_row row = {4, 5};
    struct scene s;
    rd_kafka_message_t *messages[8];
    scene_init(&s, "sluice");
    sample_change(&s.changes[0], s.sample, CHANGE_UPDATE, &row, &row);
    struct sample_image *image = &s.changes[0].before;
    image->present[0] = 2; /* user_id alone: its null bits, its value */
    memmove(image->bytes + 1, image->bytes + 5, 4);
    s.changes[0].chg.before =
        (struct image){.present = image->present, .bytes = image->bytes, .len = sizeof image->bytes - 4};
    scene_open(&s);
    assert_int_equal(sink_kafka.apply(s.snk, s.items, 1, NULL), 0);
    assert_int_equal(mock_kafka_read(&s.kafka, MOCK_TOPIC, 0, 0, messages, 8), 1);
    expect_header(messages[0], "pk", "{\"order_id\":4}");
    expect_header(messages[0], "pk_before", "{}");
    rd_kafka_message_destroy(messages[0]);
    scene_release(&s);
}

static void kafka__peer__has_its_key_headers_and_tombstones_where_asked(void **state)
{
    (void)state;
    for (int peer = 0; peer < 2; peer++) {
        struct scene s;
        rd_kafka_message_t *messages[8];
        const struct sample_row row = {0, 5};
        scene_init(&s, "debezium");
        s.opt.record_key = peer ? KAFKA_KEY_PEER : KAFKA_KEY_BUSINESS;
        sample_change(&s.changes[0], s.sample, CHANGE_DELETE, &row, NULL);
        scene_open(&s);
        apply_all(&s);
        assert_int_equal(mock_kafka_read(&s.kafka, MOCK_TOPIC, 0, 0, messages, 8), peer ? 3 : 2);
        if (peer)
            assert_null(messages[1]->payload);
        else
            assert_memory_equal(messages[0]->key, "0", 1);
        for (int i = 0; i < 2 + peer; i++)
            rd_kafka_message_destroy(messages[i]);
        scene_release(&s);
    }
}

/* ---------------------------------------------------------------- outages and refusals */

/* The broker is there again: a few tries, and the batch is done. */
static void apply_until_back(struct scene *s, size_t count)
{
    int rc = -1;
    for (unsigned i = 0; i < 40 && rc != 0; i++)
        rc = sink_kafka.apply(s->snk, s->items, count, NULL);
    assert_int_equal(rc, 0);
}

static void kafka__broker_away__same_batch_is_written_once_when_it_is_back(void **state)
{
    (void)state;
    struct scene s;
    scene_init(&s, "sluice");
    s.opt.timeout_ms = 500;
    scene_open(&s);
    mock_kafka_set_up(&s.kafka, false);
    for (unsigned i = 0; i < 3; i++) {
        struct err e = ERR_INIT;
        assert_true(sink_kafka.apply(s.snk, s.items, ITEMS, &e) < 0);
        assert_int_equal(err_class(&e), ERR_CLASS_RETRY);
    }
    mock_kafka_set_up(&s.kafka, true);
    apply_until_back(&s, ITEMS);
    assert_int_equal(count_all(&s), ITEMS);
    scene_release(&s);
}

static void kafka__other_batch_after_an_outage__what_was_on_its_way_comes_first(void **state)
{
    (void)state;
    struct scene s;
    scene_init(&s, "sluice");
    s.opt.timeout_ms = 500;
    scene_open(&s);
    mock_kafka_set_up(&s.kafka, false);
    assert_int_equal(sink_kafka.apply(s.snk, s.items, ITEMS, NULL), -(int)ERR_SINK_DOWN);
    mock_kafka_set_up(&s.kafka, true);
    apply_until_back(&s, 4);
    assert_int_equal(count_all(&s), ITEMS + 4);
    scene_release(&s);
}

static void kafka__errors_that_pass__are_tried_again_by_the_library_and_each_row_is_there_once(void **state)
{
    (void)state;
    struct scene s;
    scene_init(&s, "sluice");
    scene_open(&s);
    rd_kafka_mock_push_request_errors(s.kafka.cluster, API_PRODUCE, 3, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
                                      RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION);
    apply_all(&s);
    assert_int_equal(count_all(&s), ITEMS);
    scene_release(&s);
}

static void kafka__queue_is_full__the_rest_waits_for_reports(void **state)
{
    (void)state;
    static const char *const properties[] = {"queue.buffering.max.messages=3"};
    struct scene s;
    uint64_t full = 0;
    scene_init(&s, "sluice");
    s.opt.properties = (struct option_list){properties, NULL, 1};
    scene_open(&s);
    apply_all(&s);
    for (const struct metric_row *row = sink_kafka.metrics; row->name; row++)
        if (strcmp(row->name, "full_total") == 0)
            full = metric_read(sink_kafka.stats(s.snk), row);
    assert_true(full > 0);
    assert_int_equal(count_all(&s), ITEMS);
    scene_release(&s);
}

/* Also where the queue is full between two partitions, and never twice to one. */
static void kafka__truncate__goes_to_every_partition_behind_what_was_before(void **state)
{
    (void)state;
    for (int full = 0; full < 2; full++) {
        static const char *const properties[] = {"queue.buffering.max.messages=3"};
        struct scene s;
        struct err e = ERR_INIT;
        rd_kafka_message_t *messages[8];
        scene_init(&s, "sluice");
        s.opt.properties = (struct option_list){properties, NULL, full ? 1 : 0};
        struct change truncate = {.op = CHANGE_TRUNCATE, .db = "shop", .table = "orders", .tx = s.changes[0].chg.tx};
        truncate.version = (struct version){.epoch = 1, .sequence = 3};
        truncate.flags = CHANGE_LAST_IN_EVENT;
        struct item item = {.chg = &truncate, .bind = s.bind, .verdict = V_STOP};
        scene_open(&s);
        apply_all(&s);
        if (sink_kafka.apply(s.snk, &item, 1, &e) != 0)
            fail_msg("%s", e.text);
        assert_int_equal(item.verdict, V_DONE);
        for (int32_t partition = 0; partition < MOCK_PARTITIONS; partition++) {
            assert_int_equal(mock_kafka_read(&s.kafka, MOCK_TOPIC, partition, 0, messages, 8), 3);
            expect_header(messages[2], "op", "truncate");
            expect_header(messages[2], "table", "shop.orders");
            expect_header(messages[2], "pk", NULL);
            assert_null(messages[2]->key);
            for (int n = 0; n < 3; n++)
                rd_kafka_message_destroy(messages[n]);
        }
        scene_release(&s);
    }
}

/* An applier has one of each partition. */
static void kafka__truncate_of_one_lane__goes_to_its_partition(void **state)
{
    (void)state;
    struct scene s;
    struct err e = ERR_INIT;
    rd_kafka_message_t *message;
    scene_init(&s, "sluice");
    struct change truncate = {.op = CHANGE_TRUNCATE,
                              .flags = CHANGE_OF_LANE,
                              .lane = 2,
                              .db = "shop",
                              .table = "orders",
                              .tx = s.changes[0].chg.tx};
    struct item item = {.chg = &truncate, .bind = s.bind, .verdict = V_STOP};
    scene_open(&s);
    assert_int_equal(sink_kafka.apply(s.snk, &item, 1, &e), 0);
    assert_int_equal(count_all(&s), 1);
    assert_int_equal(mock_kafka_read(&s.kafka, MOCK_TOPIC, 2, 0, &message, 1), 1);
    expect_header(message, "op", "truncate");
    rd_kafka_message_destroy(message);
    scene_release(&s);
}

static void kafka__message_too_large__stops_and_names_topic_table_and_size(void **state)
{
    (void)state;
    struct scene s;
    struct err e = ERR_INIT;
    scene_init(&s, "sluice");
    scene_open(&s);
    rd_kafka_mock_push_request_errors(s.kafka.cluster, API_PRODUCE, 4, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
                                      RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
                                      RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
    assert_int_equal(sink_kafka.apply(s.snk, s.items, ITEMS, &e), -(int)ERR_KAFKA_TOO_LARGE);
    assert_non_null(strstr(e.text, "shop.orders"));
    assert_non_null(strstr(e.text, "topic " MOCK_TOPIC " refuses a message of"));
    scene_release(&s);
}

static void kafka__not_permitted__stops(void **state)
{
    (void)state;
    struct scene s;
    struct err e = ERR_INIT;
    scene_init(&s, "sluice");
    scene_open(&s);
    rd_kafka_mock_push_request_errors(s.kafka.cluster, API_PRODUCE, 4, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
                                      RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
                                      RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
                                      RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    assert_int_equal(sink_kafka.apply(s.snk, s.items, ITEMS, &e), -(int)ERR_SINK_RIGHTS);
    scene_release(&s);
}

static void kafka__no_right_to_write_idempotently__stops(void **state)
{
    (void)state;
    struct scene s;
    struct err e = ERR_INIT;
    scene_init(&s, "sluice");
    rd_kafka_mock_push_request_errors(s.kafka.cluster, API_PID, 2, RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED,
                                      RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED);
    scene_open(&s);
    assert_int_equal(sink_kafka.apply(s.snk, s.items, ITEMS, &e), -(int)ERR_SINK_RIGHTS);
    scene_release(&s);
}

/* The broker has lost what was before: the library does not go on. */
static void kafka__fatal_error__stops(void **state)
{
    (void)state;
    struct scene s;
    struct err e = ERR_INIT;
    scene_init(&s, "sluice");
    scene_open(&s);
    rd_kafka_mock_push_request_errors(s.kafka.cluster, API_PRODUCE, 1, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    if (sink_kafka.apply(s.snk, s.items, ITEMS, &e) != -(int)ERR_KAFKA_FATAL)
        fail_msg("%s", e.text);
    assert_int_equal(err_class(&e), ERR_CLASS_STOP);
    scene_release(&s);
}

/* ---------------------------------------------------------------- topics */

static void kafka__partitions_are_not_the_lanes__is_refused_with_both_numbers(void **state)
{
    (void)state;
    struct scene s;
    struct err e = ERR_INIT;
    scene_init(&s, "sluice");
    s.place.lanes = MOCK_PARTITIONS + 1;
    assert_int_equal(sink_kafka.open(&s.snk, &s.opt, &s.place, &e), -(int)ERR_KAFKA_PARTITIONS);
    assert_non_null(strstr(e.text, "has 4 partitions, the configuration has 5 lanes"));
    scene_release(&s);
}

static void kafka__no_such_topic__stops(void **state)
{
    (void)state;
    struct scene s;
    struct err e = ERR_INIT;
    scene_init(&s, "sluice");
    s.opt.topic = "nosuch";
    rd_kafka_mock_topic_set_error(s.kafka.cluster, "nosuch", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    assert_int_equal(sink_kafka.open(&s.snk, &s.opt, &s.place, &e), -(int)ERR_KAFKA_TOPIC_MISSING);
    scene_release(&s);
}

static void kafka__topic_per_table__is_found_at_its_first_row(void **state)
{
    (void)state;
    struct scene s;
    rd_kafka_message_t *messages[8];
    scene_init(&s, "sluice");
    s.opt.topic = "x.{db}.{table}";
    rd_kafka_mock_topic_set_error(s.kafka.cluster, "x.shop.orders", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    scene_open(&s);
    struct err e = ERR_INIT;
    assert_int_equal(sink_kafka.apply(s.snk, s.items, ITEMS, &e), -(int)ERR_KAFKA_TOPIC_MISSING);
    assert_non_null(strstr(e.text, "x.shop.orders"));
    rd_kafka_mock_topic_set_error(s.kafka.cluster, "x.shop.orders", RD_KAFKA_RESP_ERR_NO_ERROR);
    apply_all(&s);
    assert_int_equal(mock_kafka_read(&s.kafka, "x.shop.orders", 1, 0, messages, 8), 2);
    rd_kafka_message_destroy(messages[0]);
    rd_kafka_message_destroy(messages[1]);
    scene_release(&s);
}

static void kafka_topic_name__templates__give_legal_names_or_an_error(void **state)
{
    (void)state;
    static const struct {
        const char *topic, *table, *expected;
    } cases[] = {
        {"all", "t", "all"},
        {"{db}.{table}", "t", "d.t"},
        {"a-{table}-{table}", "t", "a-t-t"},
        {"{db}.{table}", "a b", NULL},
        {"{schema}", "t", NULL},
        {"", "t", NULL},
        {".", "t", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct kafka_options opt = {.topic = cases[i].topic};
        char name[KAFKA_TOPIC_MAX + 1];
        int rc = kafka_topic_name(&opt, "d", cases[i].table, name, NULL);
        assert_int_equal(rc, cases[i].expected ? 0 : -(int)ERR_KAFKA_TOPIC_NAME);
        if (rc == 0)
            assert_string_equal(name, cases[i].expected);
    }
}

static void kafka__statements_and_a_topic_per_table__are_refused(void **state)
{
    (void)state;
    static const char *const on[] = {"ddl=true"};
    struct scene s;
    struct err e = ERR_INIT;
    struct format_choice choice = {.name = "maxwell", .given = {.items = on, .count = 1}};
    void *bind = NULL;
    scene_init(&s, "sluice");
    assert_int_equal(format_choose(&choice, s.cfg, &e), 0);
    assert_int_equal(sink_kafka.bind(&bind, &s.opt, &choice, NULL, &e), 0);
    sink_kafka.unbind(bind);
    s.opt.topic = "{db}.{table}";
    assert_int_equal(sink_kafka.bind(&bind, &s.opt, &choice, NULL, &e), -(int)ERR_KAFKA_TOPIC_NAME);
    scene_release(&s);
}

/* ---------------------------------------------------------------- properties */

static void kafka_check__properties__are_librdkafkas_and_not_the_sinks(void **state)
{
    (void)state;
    static const char *const brokers[] = {"localhost:1"};
    static const struct {
        const char *property, *text; /* NULL: fine */
    } cases[] = {
        {"compression.type=zstd", NULL},
        {"compresion.type=zstd", "line 7"},
        {"compression.type=best", "line 7"},
        {"nothing", "'nothing' is not name=value"},
        {"acks=1", "acks is set by sluice itself"},
    };
    static const unsigned lines[] = {7};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *const properties[] = {cases[i].property};
        const struct kafka_options opt = {
            .brokers = {brokers, NULL, 1}, .topic = "t", .properties = {properties, lines, 1}};
        struct err e = ERR_INIT;
        int rc = sink_kafka.check(&opt, &e);
        assert_int_equal(rc, cases[i].text ? -(int)ERR_KAFKA_PROPERTY : 0);
        if (rc != 0)
            assert_non_null(strstr(e.text, cases[i].text));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kafka__rows__go_to_the_partition_of_their_lane_with_headers),
        cmocka_unit_test(kafka__update__tells_the_primary_key_before_only_where_it_changed),
        cmocka_unit_test(kafka__image_before_without_the_primary_key__is_told),
        cmocka_unit_test(kafka__peer__has_its_key_headers_and_tombstones_where_asked),
        cmocka_unit_test(kafka__broker_away__same_batch_is_written_once_when_it_is_back),
        cmocka_unit_test(kafka__other_batch_after_an_outage__what_was_on_its_way_comes_first),
        cmocka_unit_test(kafka__errors_that_pass__are_tried_again_by_the_library_and_each_row_is_there_once),
        cmocka_unit_test(kafka__queue_is_full__the_rest_waits_for_reports),
        cmocka_unit_test(kafka__truncate__goes_to_every_partition_behind_what_was_before),
        cmocka_unit_test(kafka__truncate_of_one_lane__goes_to_its_partition),
        cmocka_unit_test(kafka__message_too_large__stops_and_names_topic_table_and_size),
        cmocka_unit_test(kafka__not_permitted__stops),
        cmocka_unit_test(kafka__no_right_to_write_idempotently__stops),
        cmocka_unit_test(kafka__fatal_error__stops),
        cmocka_unit_test(kafka__partitions_are_not_the_lanes__is_refused_with_both_numbers),
        cmocka_unit_test(kafka__no_such_topic__stops),
        cmocka_unit_test(kafka__topic_per_table__is_found_at_its_first_row),
        cmocka_unit_test(kafka_topic_name__templates__give_legal_names_or_an_error),
        cmocka_unit_test(kafka__statements_and_a_topic_per_table__are_refused),
        cmocka_unit_test(kafka_check__properties__are_librdkafkas_and_not_the_sinks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
