/* Making and checking a topic of state. */
#include "sink/kafka/state_topic.h"

#include <stdio.h>
#include <string.h>

#include "sink/kafka/topics.h"

#define POLICY_MAX   64
#define ASK_AGAIN_MS 20

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

/* As one broker tells it; *partitions 0: it knows of no such topic. */
static rd_kafka_resp_err_t look(struct kafka_producer *producer, const char *topic, int *partitions,
                                char policy[POLICY_MAX])
{
    rd_kafka_t *handle = producer->link.handle;
    int timeout_ms = (int)producer->link.opt->timeout_ms;
    rd_kafka_resp_err_t code = kafka_admin_partitions(handle, topic, timeout_ms, partitions);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR && *partitions == 1)
        code = kafka_admin_policy(handle, topic, timeout_ms, policy, POLICY_MAX);
    if (code != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
        return code;
    *partitions = 0;
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* Brokers hear of a new topic one after the other, and any of them may be asked: what one does not know is made, which
 * is nothing when it is there, and looked for until they do. */
int kafka_state_topic_ensure(struct kafka_producer *producer, const char *topic, struct err *e)
{
    int64_t due = env_mono_us(producer->env) + (int64_t)producer->link.opt->timeout_ms * 1000;
    int partitions = 0;
    char policy[POLICY_MAX] = "", why[128];
    rd_kafka_resp_err_t code = look(producer, topic, &partitions, policy);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR && partitions == 0 && make(producer, topic, e) != 0)
        return err_result(e);
    while (code == RD_KAFKA_RESP_ERR_NO_ERROR && partitions == 0 && env_mono_us(producer->env) < due) {
        (void)rd_kafka_poll(producer->link.handle, ASK_AGAIN_MS);
        code = look(producer, topic, &partitions, policy);
    }
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        (void)rd_kafka_poll(producer->link.handle, 0); /* tells why */
        return kafka_refused(&producer->link, code, topic, e);
    }
    if (partitions == 0)
        return kafka_down(&producer->link, e);
    if (partitions == 1 && (strcmp(policy, "compact") == 0 || policy[0] == '\0'))
        return 0;
    snprintf(why, sizeof why, "it has %d partitions%s%s", partitions, *policy ? ", cleanup.policy=" : "", policy);
    return err_set(e, KAFKA_STATE_TOPIC, topic, why);
}
