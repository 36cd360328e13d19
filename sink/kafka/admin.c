/* Questions and wishes about topics. */
#include "sink/kafka/admin.h"

#include <stdio.h>
#include <string.h>

rd_kafka_resp_err_t kafka_admin_partitions(rd_kafka_t *handle, const char *topic, int timeout_ms, int *out)
{
    const struct rd_kafka_metadata *meta = NULL;
    *out = 0;
    rd_kafka_topic_t *asked = rd_kafka_topic_new(handle, topic, NULL);
    if (!asked)
        return rd_kafka_last_error();
    rd_kafka_resp_err_t code = rd_kafka_metadata(handle, 0, asked, &meta, timeout_ms);
    rd_kafka_topic_destroy(asked);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        const struct rd_kafka_metadata_topic *found = meta->topic_cnt ? &meta->topics[0] : NULL;
        code = found ? found->err : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
        *out = found ? found->partition_cnt : 0;
        rd_kafka_metadata_destroy(meta);
    }
    if (code != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART && code != RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC)
        return code;
    *out = 0;
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* RD_KAFKA_OFFSET_BEGINNING and RD_KAFKA_OFFSET_END are times to the brokers, too. */
static rd_kafka_resp_err_t ask_offset(rd_kafka_t *handle, const char *topic, int32_t partition, int timeout_ms,
                                      int64_t which, int64_t *out)
{
    rd_kafka_topic_partition_list_t *parts = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_t *part = rd_kafka_topic_partition_list_add(parts, topic, partition);
    part->offset = which;
    rd_kafka_resp_err_t code = rd_kafka_offsets_for_times(handle, parts, timeout_ms);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        code = part->err;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR && part->offset < 0)
        code = RD_KAFKA_RESP_ERR__TIMED_OUT;
    *out = part->offset;
    rd_kafka_topic_partition_list_destroy(parts);
    return code;
}

rd_kafka_resp_err_t kafka_admin_bounds(rd_kafka_t *handle, const char *topic, int32_t partition, int timeout_ms,
                                       int64_t *low, int64_t *high)
{
    rd_kafka_resp_err_t code = ask_offset(handle, topic, partition, timeout_ms, RD_KAFKA_OFFSET_BEGINNING, low);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR
               ? ask_offset(handle, topic, partition, timeout_ms, RD_KAFKA_OFFSET_END, high)
               : code;
}

static void copy_why(char why[KAFKA_WHY_MAX], const char *text)
{
    snprintf(why, KAFKA_WHY_MAX, "%s", text ? text : "");
}

/* What the brokers said to the wish for a topic. */
static rd_kafka_resp_err_t read_created(const rd_kafka_event_t *event, char why[KAFKA_WHY_MAX])
{
    size_t count = 0;
    rd_kafka_resp_err_t code = rd_kafka_event_error((rd_kafka_event_t *)event);
    copy_why(why, rd_kafka_event_error_string((rd_kafka_event_t *)event));
    const rd_kafka_CreateTopics_result_t *result = rd_kafka_event_CreateTopics_result((rd_kafka_event_t *)event);
    const rd_kafka_topic_result_t **list = result ? rd_kafka_CreateTopics_result_topics(result, &count) : NULL;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR && count) {
        code = rd_kafka_topic_result_error(list[0]);
        copy_why(why, rd_kafka_topic_result_error_string(list[0]));
    }
    return code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS ? RD_KAFKA_RESP_ERR_NO_ERROR : code;
}

rd_kafka_resp_err_t kafka_admin_create(rd_kafka_t *handle, const struct kafka_new_topic *topic, int timeout_ms,
                                       char why[KAFKA_WHY_MAX])
{
    copy_why(why, NULL);
    rd_kafka_NewTopic_t *wish =
        rd_kafka_NewTopic_new(topic->name, topic->partitions, topic->replication, why, KAFKA_WHY_MAX);
    if (!wish)
        return RD_KAFKA_RESP_ERR__INVALID_ARG;
    for (size_t i = 0; topic->settings && topic->settings[i][0]; i++)
        (void)rd_kafka_NewTopic_set_config(wish, topic->settings[i][0], topic->settings[i][1]);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(handle);
    rd_kafka_CreateTopics(handle, &wish, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, timeout_ms);
    rd_kafka_resp_err_t code = event ? read_created(event, why) : RD_KAFKA_RESP_ERR__TIMED_OUT;
    if (event)
        rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewTopic_destroy(wish);
    return code;
}

/* The value in an answer about one topic. */
static rd_kafka_resp_err_t read_setting(rd_kafka_event_t *event, const char *name, char *out, size_t size)
{
    size_t count = 0, entries = 0;
    rd_kafka_resp_err_t code = rd_kafka_event_error(event);
    const rd_kafka_DescribeConfigs_result_t *result = rd_kafka_event_DescribeConfigs_result(event);
    const rd_kafka_ConfigResource_t **list = result ? rd_kafka_DescribeConfigs_result_resources(result, &count) : NULL;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        code = count ? rd_kafka_ConfigResource_error(list[0]) : RD_KAFKA_RESP_ERR_UNKNOWN;
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return code;
    const rd_kafka_ConfigEntry_t **entry = rd_kafka_ConfigResource_configs(list[0], &entries);
    for (size_t i = 0; i < entries; i++) {
        const char *value = rd_kafka_ConfigEntry_value(entry[i]);
        if (strcmp(rd_kafka_ConfigEntry_name(entry[i]), name) == 0 && value) {
            snprintf(out, size, "%s", value);
            return RD_KAFKA_RESP_ERR_NO_ERROR;
        }
    }
    return RD_KAFKA_RESP_ERR_INVALID_CONFIG;
}

rd_kafka_resp_err_t kafka_admin_setting(rd_kafka_t *handle, const char *topic, const char *name, int timeout_ms,
                                        char *out, size_t size)
{
    rd_kafka_ConfigResource_t *asked = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
    if (!asked)
        return RD_KAFKA_RESP_ERR__INVALID_ARG;
    rd_kafka_queue_t *queue = rd_kafka_queue_new(handle);
    rd_kafka_DescribeConfigs(handle, &asked, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, timeout_ms);
    rd_kafka_resp_err_t code = event ? read_setting(event, name, out, size) : RD_KAFKA_RESP_ERR__TIMED_OUT;
    if (event)
        rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_ConfigResource_destroy(asked);
    return code;
}

rd_kafka_resp_err_t kafka_admin_policy(rd_kafka_t *handle, const char *topic, int timeout_ms, char *out, size_t size)
{
    int partitions;
    rd_kafka_resp_err_t code = kafka_admin_setting(handle, topic, "cleanup.policy", timeout_ms, out, size);
    if (code != RD_KAFKA_RESP_ERR__TIMED_OUT)
        return code;
    *out = '\0';
    return kafka_admin_partitions(handle, topic, timeout_ms, &partitions);
}
