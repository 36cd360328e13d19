/* Partitions that come, where the brokers do not tell the offset of one of them at first: it is read from what was
 * committed of it, with the number of its reader. The answer is this program's, in place of librdkafka's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dlfcn.h>

#include "pipeline/consumer.h"
#include "tools/memfs.h"
#include "tools/mock_kafka.h"

#define GROUP       "readers"
#define NUMBER      "reader=9"
#define OFFSET      7
#define SILENT      1 /* the partition that is not told of */
#define REFUSALS    3
#define DEADLINE_US 30000000

typedef rd_kafka_resp_err_t committed_fn(rd_kafka_t *, rd_kafka_topic_partition_list_t *, int);

static _Atomic int questions, refusals;

/* As the library's, but the first answers about partitions that came lack one of them. */
rd_kafka_resp_err_t rd_kafka_committed(rd_kafka_t *handle, rd_kafka_topic_partition_list_t *parts, int timeout_ms)
{
    union {
        void *symbol;
        committed_fn *call;
    } real = {.symbol = dlsym(RTLD_NEXT, "rd_kafka_committed")};
    rd_kafka_resp_err_t code = real.call(handle, parts, timeout_ms);
    if (questions++ == 0 || refusals >= REFUSALS || code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return code; /* the first one is that of the start */
    refusals++;
    for (int i = 0; i < parts->cnt; i++)
        if (parts->elems[i].partition == SILENT) {
            rd_kafka_mem_free(handle, parts->elems[i].metadata);
            parts->elems[i].metadata = NULL;
            parts->elems[i].metadata_size = 0;
            parts->elems[i].offset = RD_KAFKA_OFFSET_INVALID;
            parts->elems[i].err = RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT;
        }
    return code;
}

struct seen {
    int gained, polls, polls_at_gain;
    bool all_told;
};

static void on_gained(void *ctx, const rd_kafka_topic_partition_list_t *parts)
{
    struct seen *seen = ctx;
    seen->gained += parts->cnt;
    seen->polls_at_gain = seen->polls;
    seen->all_told = true;
    for (int i = 0; i < parts->cnt; i++) {
        const rd_kafka_topic_partition_t *part = &parts->elems[i];
        seen->all_told = seen->all_told && part->offset == OFFSET && part->metadata_size == strlen(NUMBER) &&
                         memcmp(part->metadata, NUMBER, part->metadata_size) == 0;
    }
}

static void on_leaving(void *ctx, const rd_kafka_topic_partition_list_t *parts, bool lost)
{
    (void)ctx;
    (void)parts;
    (void)lost;
}

static void on_not_committed(void *ctx, int32_t partition)
{
    (void)ctx;
    (void)partition;
}

static bool never(void *ctx)
{
    (void)ctx;
    return false;
}

/* The offsets that the group has, and so many records that they lie within the partitions. */
static void prepare(struct mock_kafka *kafka)
{
    char text[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, NULL);
    assert_int_equal(rd_kafka_conf_set(conf, "bootstrap.servers", kafka->brokers, text, sizeof text), 0);
    assert_int_equal(rd_kafka_conf_set(conf, "group.id", GROUP, text, sizeof text), 0);
    rd_kafka_t *handle = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    rd_kafka_topic_partition_list_t *parts = rd_kafka_topic_partition_list_new(MOCK_PARTITIONS);
    for (int32_t i = 0; i < MOCK_PARTITIONS; i++) {
        rd_kafka_topic_partition_t *part = rd_kafka_topic_partition_list_add(parts, MOCK_TOPIC, i);
        part->offset = OFFSET;
        part->metadata = strdup(NUMBER);
        part->metadata_size = strlen(NUMBER);
    }
    assert_int_equal(rd_kafka_commit(handle, parts, 0), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_topic_partition_list_destroy(parts);
    rd_kafka_destroy(handle);
}

static void consumer__offset_of_one_partition_is_not_told__nothing_is_read_until_it_is(void **state)
{
    (void)state;
    struct mock_kafka kafka;
    struct env env = env_system();
    struct memfs *fs = memfs_new();
    const struct env state_env = memfs_env(fs);
    struct state *st = NULL;
    struct consumer *consumer = NULL;
    struct seen seen = {.gained = 0};
    struct err e = ERR_INIT;
    mock_kafka_start(&kafka);
    prepare(&kafka);
    const char *brokers[] = {kafka.brokers};
    const struct option_list list = {brokers, NULL, 1}, none = {NULL, NULL, 0};
    if (state_open(&st, &state_env, "/state", STATE_OWN, &e) != 0)
        fail_msg("%s", e.text);
    const struct consumer_options opt = {.env = &env,
                                         .brokers = &list,
                                         .properties = &none,
                                         .topic = MOCK_TOPIC,
                                         .group = GROUP,
                                         .lanes = MOCK_PARTITIONS,
                                         .missing_ms = 10000,
                                         .state = st,
                                         .gained = on_gained,
                                         .leaving = on_leaving,
                                         .not_committed = on_not_committed,
                                         .ends = never,
                                         .ctx = &seen};
    if (consumer_new(&consumer, &opt, &e) != 0 || consumer_join(consumer, &e) != 0)
        fail_msg("%s", e.text);
    int first = 0;
    for (int64_t until = env_mono_us(&env) + DEADLINE_US; !seen.gained && env_mono_us(&env) < until; seen.polls++) {
        rd_kafka_message_t *message = NULL;
        int rc = consumer_poll(consumer, 50, &message, &e);
        if (rc < 0)
            fail_msg("%s", e.text);
        if (rc == CONSUMER_RECORD || rc == CONSUMER_END)
            rd_kafka_message_destroy(message);
        if (!first && refusals)
            first = seen.polls + 1;
        assert_true(rc == CONSUMER_NOTHING || seen.gained);
    }
    assert_int_equal(seen.gained, MOCK_PARTITIONS);
    assert_int_equal(refusals, REFUSALS);
    assert_true(seen.all_told);
    assert_true(first && seen.polls_at_gain >= first); /* asked again between polls, not within one */
    consumer_close(consumer);
    state_close(st);
    memfs_free(fs);
    mock_kafka_stop(&kafka);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(consumer__offset_of_one_partition_is_not_told__nothing_is_read_until_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
