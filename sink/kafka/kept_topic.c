/* Topics that keep each of their records. */
#include "sink/kafka/kept_topic.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sink/kafka/topics.h"

static int make(struct kafka_producer *producer, const struct kafka_kept_topic *topic, struct err *e)
{
    const struct kafka_options *opt = producer->link.opt;
    char insync[24];
    snprintf(insync, sizeof insync, "%" PRIu64, opt->min_insync_replicas);
    const char *const settings[][2] = {
        {"cleanup.policy", "delete"}, {opt->min_insync_replicas ? "min.insync.replicas" : NULL, insync}, {NULL, NULL}};
    const struct kafka_new_topic wish = {.name = topic->name,
                                         .partitions = (int)topic->partitions,
                                         .replication = opt->replication ? (int)opt->replication : -1,
                                         .settings = settings};
    struct kafka_topics topics;
    kafka_topics_init(&topics, producer, topic->partitions);
    int rc = kafka_topics_make(&topics, &wish, e);
    kafka_topics_release(&topics);
    return rc;
}

int kafka_kept_topic(struct kafka_producer *producer, const struct kafka_kept_topic *topic, int *partitions,
                     struct err *e)
{
    int timeout_ms = (int)producer->link.opt->timeout_ms, found = 0;
    char policy[64] = "";
    rd_kafka_t *handle = producer->link.handle;
    rd_kafka_resp_err_t code = kafka_admin_partitions(handle, topic->name, timeout_ms, &found);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR && found == 0) {
        if (!producer->link.opt->create_topics)
            return err_set(e, KAFKA_TOPIC_MISSING, topic->name);
        if (make(producer, topic, e) != 0)
            return err_result(e);
        code = kafka_admin_partitions(handle, topic->name, timeout_ms, &found);
    }
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR && found > 0)
        code = kafka_admin_policy(handle, topic->name, timeout_ms, policy, sizeof policy);
    bool unknown = code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || (code == RD_KAFKA_RESP_ERR_NO_ERROR && !found);
    if (unknown && producer->link.opt->create_topics)
        return kafka_down(&producer->link, e); /* this broker has not heard of it yet */
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        (void)rd_kafka_poll(handle, 0); /* tells why */
        return kafka_refused(&producer->link, code, topic->name, e);
    }
    if (strstr(policy, "compact"))
        return err_set(e, KAFKA_KEPT_TOPIC, topic->name, topic->option, policy);
    *partitions = found;
    return 0;
}
