/* Making and checking a topic of state. */
#include "sink/kafka/state_topic.h"

#include <stdio.h>
#include <string.h>

#include "sink/kafka/topics.h"

static int make(struct kafka_producer *producer, const char *topic, struct err *e)
{
    const struct kafka_options *opt = producer->link.opt;
    char insync[24];
    snprintf(insync, sizeof insync, "%llu", (unsigned long long)opt->min_insync_replicas);
    const char *const settings[][2] = {{"cleanup.policy", "compact"},
                                       {"segment.bytes", "16777216"},
                                       {"segment.ms", "600000"},
                                       {"min.cleanable.dirty.ratio", "0.1"},
                                       {opt->min_insync_replicas ? "min.insync.replicas" : NULL, insync},
                                       {NULL, NULL}};
    const struct kafka_new_topic wish = {.name = topic,
                                         .partitions = 1,
                                         .replication = opt->replication ? (int)opt->replication : -1,
                                         .settings = settings};
    struct kafka_topics topics;
    kafka_topics_init(&topics, producer, 1);
    int rc = kafka_topics_make(&topics, &wish, e);
    kafka_topics_release(&topics);
    return rc;
}

int kafka_state_topic_ensure(struct kafka_producer *producer, const char *topic, struct err *e)
{
    int timeout_ms = (int)producer->link.opt->timeout_ms, partitions = 0;
    char policy[64] = "";
    rd_kafka_resp_err_t code = kafka_admin_partitions(producer->link.handle, topic, timeout_ms, &partitions);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR && partitions == 0) {
        if (make(producer, topic, e) != 0)
            return err_result(e);
        code = kafka_admin_partitions(producer->link.handle, topic, timeout_ms, &partitions);
    }
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR && partitions == 1)
        code = kafka_admin_policy(producer->link.handle, topic, timeout_ms, policy, sizeof policy);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        (void)rd_kafka_poll(producer->link.handle, 0); /* tells why */
        return kafka_refused(&producer->link, code, topic, e);
    }
    if (partitions == 1 && (strcmp(policy, "compact") == 0 || policy[0] == '\0'))
        return 0;
    char why[128];
    snprintf(why, sizeof why, "it has %d partitions%s%s", partitions, *policy ? ", cleanup.policy=" : "", policy);
    return err_set(e, KAFKA_STATE_TOPIC, topic, why);
}
