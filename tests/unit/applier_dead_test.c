/* An applier with a dead letter topic against librdkafka's cluster in the process: a record that cannot be read is
 * passed behind its letter only. */
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "pipeline/applier.h"
#include "sink/kafka/kafka.h"
#include "tools/lane_kit.h"
#include "tools/memfs.h"
#include "tools/mock_kafka.h"

#define DEAD        "changes.dead"
#define GROUP       "test" /* that of the cluster's own reader, which can ask for its offsets */
#define API_PRODUCE 0
#define BAD_LANE    1
#define DEADLINE_US 60000000
#define ASK_MS      5000
#define LOOK_MS     20

struct scene {
    struct mock_kafka kafka;
    struct env env, state_env;
    struct memfs *fs;
    struct state *state;
    const char *brokers[1], *properties[2];
    struct kafka_options kafka_opt;
    struct pipeline_bus bus;
    struct routes *routes;
    struct lanes *lanes;
    struct wakeup keeper;
    struct applier *applier;
    pthread_t thread;
    struct err end;
};

/* What a reader writes, or, without a number, what nobody can read; in BAD_LANE. */
static void write_record(struct scene *s, int number)
{
    char line[512] = "no line of ours";
    if (number)
        snprintf(line, sizeof line,
                 "{\"op\":\"insert\",\"db\":\"shop\",\"table\":\"orders\",\"key\":\"1\",\"pk\":{\"id\":1},"
                 "\"after\":{\"id\":1},\"ts_us\":1,\"commit_precision\":\"us\",\"file\":\"b.1\",\"pos\":4,"
                 "\"version\":\"00000001.%016x.0000000000000000\"}",
                 (unsigned)number);
    char text[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, NULL);
    assert_int_equal(rd_kafka_conf_set(conf, "bootstrap.servers", s->kafka.brokers, text, sizeof text), 0);
    rd_kafka_t *producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(producer, MOCK_TOPIC, NULL);
    assert_int_equal(rd_kafka_produce(topic, BAD_LANE, RD_KAFKA_MSG_F_COPY, line, strlen(line), "1", 1, NULL), 0);
    assert_int_equal(rd_kafka_flush(producer, ASK_MS), 0);
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(producer);
}

static void scene_init(struct scene *s)
{
    static const struct route every = {.line = 7, .db = "*", .table = "*", .sink_mask = 1};
    struct err e = ERR_INIT;
    *s = (struct scene){.env = env_system(), .fs = memfs_new(), .keeper.fd = -1};
    s->state_env = memfs_env(s->fs);
    mock_kafka_start(&s->kafka);
    assert_int_equal(rd_kafka_mock_topic_create(s->kafka.cluster, DEAD, 1, 1), 0);
    s->brokers[0] = s->kafka.brokers;
    s->properties[0] = "reconnect.backoff.max.ms=100";
    s->properties[1] = "heartbeat.interval.ms=200";
    s->kafka_opt = (struct kafka_options){.brokers = {s->brokers, NULL, 1},
                                          .properties = {s->properties, NULL, 2},
                                          .topic = MOCK_TOPIC,
                                          .dead_letter_topic = DEAD,
                                          .timeout_ms = 300};
    if (state_open(&s->state, &s->state_env, "/state", STATE_OWN, &e) != 0 ||
        routes_new(&s->routes, &every, 1, &e) != 0)
        fail_msg("%s", e.text);
    s->bus = (struct pipeline_bus){.brokers = &s->kafka_opt.brokers,
                                   .properties = &s->kafka_opt.properties,
                                   .topic = MOCK_TOPIC,
                                   .group = GROUP,
                                   .state = s->state,
                                   .dead_letters = &s->kafka_opt};
    s->lanes = kit_lanes(MOCK_PARTITIONS, 1, 4u << 20);
    assert_int_equal(wakeup_init(&s->keeper, &e), 0);
}

static void scene_release(struct scene *s)
{
    applier_free(s->applier);
    lanes_free(s->lanes);
    routes_free(s->routes);
    wakeup_release(&s->keeper);
    state_close(s->state);
    memfs_free(s->fs);
    mock_kafka_stop(&s->kafka);
}

static void *run(void *arg)
{
    struct scene *s = arg;
    (void)applier_run(s->applier, &s->end);
    return NULL;
}

static void begin(struct scene *s)
{
    struct err e = ERR_INIT;
    const struct applier_options opt = {.env = &s->env,
                                        .bus = &s->bus,
                                        .routes = s->routes,
                                        .lanes = s->lanes,
                                        .sink_count = 1,
                                        .commit_ms = 20,
                                        .shutdown_ms = 5000,
                                        .keeper = &s->keeper};
    if (applier_new(&s->applier, &opt, &e) != 0)
        fail_msg("%s", e.text);
    assert_int_equal(pthread_create(&s->thread, NULL, run, s), 0);
}

/* The offset that the group has committed of BAD_LANE; negative: none. */
static int64_t offset(struct scene *s)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    (void)rd_kafka_topic_partition_list_add(list, MOCK_TOPIC, BAD_LANE);
    int64_t found = -1;
    if (rd_kafka_committed(s->kafka.consumer, list, ASK_MS) == RD_KAFKA_RESP_ERR_NO_ERROR)
        found = list->elems[0].offset;
    rd_kafka_topic_partition_list_destroy(list);
    return found;
}

static size_t letters(struct scene *s)
{
    rd_kafka_message_t *messages[4];
    size_t count = mock_kafka_read(&s->kafka, DEAD, 0, 0, messages, 4);
    for (size_t i = 0; i < count; i++)
        rd_kafka_message_destroy(messages[i]);
    return count;
}

/* Until the offset is there; it never goes past `bad` before there is a letter. */
static void wait_offset(struct scene *s, int64_t wanted, int64_t bad, size_t letters_before)
{
    int64_t until = env_mono_us(&s->env) + DEADLINE_US, at;
    while ((at = offset(s)) != wanted) {
        (void)kit_drain(s->lanes, 0);
        if (at > bad)
            assert_int_equal(letters(s), letters_before + 1);
        assert_true(env_mono_us(&s->env) < until);
        (void)poll(NULL, 0, LOOK_MS);
    }
    if (wanted > bad)
        assert_int_equal(letters(s), letters_before + 1);
}

static void refuse_for_now(struct scene *s, unsigned times)
{
    for (unsigned i = 0; i < times; i++)
        rd_kafka_mock_push_request_errors(s->kafka.cluster, API_PRODUCE, 1, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS);
}

static void applier__letter_refused_for_now_then_no_brokers__offset_waits_before_the_record(void **state)
{
    (void)state;
    struct scene s;
    scene_init(&s);
    write_record(&s, 1);
    write_record(&s, 0);
    write_record(&s, 2);
    refuse_for_now(&s, 20);
    begin(&s);
    wait_offset(&s, 1, 1, 0);
    assert_int_equal(letters(&s), 0);
    mock_kafka_set_up(&s.kafka, false);
    mock_kafka_set_up(&s.kafka, true);
    wait_offset(&s, 3, 1, 0);
    assert_int_equal(metric_get(&applier_figures(s.applier)->dead_letters_total), 1);
    /* One that is too large even for the dead. */
    rd_kafka_mock_push_request_errors(s.kafka.cluster, API_PRODUCE, 2, RD_KAFKA_RESP_ERR_NO_ERROR,
                                      RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
    write_record(&s, 0);
    pthread_join(s.thread, NULL);
    assert_int_equal(s.end.code, ERR_KAFKA_TOO_LARGE);
    assert_non_null(strstr(s.end.text, "dead letter of topic changes, partition 1, offset 3: topic changes.dead"));
    assert_int_equal(offset(&s), 3);
    assert_int_equal(letters(&s), 1);
    scene_release(&s);
}

static void applier__asked_to_end_while_a_letter_waits__ends_before_the_record(void **state)
{
    (void)state;
    struct scene s;
    scene_init(&s);
    write_record(&s, 1);
    write_record(&s, 0);
    write_record(&s, 2);
    refuse_for_now(&s, 1000);
    begin(&s);
    wait_offset(&s, 1, 1, 0);
    applier_stop(s.applier, false);
    pthread_join(s.thread, NULL);
    assert_int_equal(s.end.code, ERR_NONE);
    assert_int_equal(offset(&s), 1);
    assert_int_equal(letters(&s), 0);
    assert_int_equal(metric_get(&applier_figures(s.applier)->dead_letters_total), 0);
    scene_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(applier__letter_refused_for_now_then_no_brokers__offset_waits_before_the_record),
        cmocka_unit_test(applier__asked_to_end_while_a_letter_waits__ends_before_the_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
