/* Asking again for a topic that a broker did not know. */
#include "pipeline/topic_watch.h"

#include "sink/kafka/admin.h"

#define AGAIN_US INT64_C(1000000)
#define ASK_MS   1000

bool topic_watch_is(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC || code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
}

void topic_watch_begin(struct topic_watch *watch, int64_t now_us, unsigned limit_ms)
{
    *watch = (struct topic_watch){.until_us = now_us + (int64_t)limit_ms * 1000};
}

/* The same subscription makes librdkafka ask for the topic. */
static void subscribe_again(rd_kafka_t *handle, const char *topic)
{
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    (void)rd_kafka_topic_partition_list_add(topics, topic, RD_KAFKA_PARTITION_UA);
    (void)rd_kafka_subscribe(handle, topics);
    rd_kafka_topic_partition_list_destroy(topics);
}

bool topic_watch_gone(struct topic_watch *watch, rd_kafka_t *handle, const char *topic, int64_t now_us)
{
    int partitions = 0;
    if (!watch->until_us || now_us < watch->again_us)
        return false;
    watch->again_us = now_us + AGAIN_US;
    if (now_us < watch->until_us) {
        subscribe_again(handle, topic);
        return false;
    }
    if (kafka_admin_partitions(handle, topic, ASK_MS, &partitions) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return false;
    watch->until_us = 0;
    return partitions == 0;
}
