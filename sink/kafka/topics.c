/* Topics of a Kafka sink. */
#include "sink/kafka/topics.h"

#include <stdlib.h>
#include <string.h>

#define ASK_AGAIN_MS 100 /* while a new topic is not known everywhere */

struct kafka_topic {
    char *db, *table; /* NULL: of all tables */
    rd_kafka_topic_t *handle;
};

void kafka_topics_init(struct kafka_topics *topics, struct kafka_producer *producer, unsigned lanes)
{
    *topics = (struct kafka_topics){.producer = producer, .lanes = lanes};
}

void kafka_topics_release(struct kafka_topics *topics)
{
    for (size_t i = 0; i < topics->count; i++) {
        rd_kafka_topic_destroy(topics->list[i].handle);
        free(topics->list[i].db);
        free(topics->list[i].table);
    }
    free(topics->list);
    topics->list = NULL;
    topics->count = topics->size = 0;
}

static int timeout_of(const struct kafka_topics *topics)
{
    return (int)topics->producer->opt->timeout_ms;
}

int kafka_topics_reach(struct kafka_topics *topics, struct err *e)
{
    const struct rd_kafka_metadata *meta = NULL;
    rd_kafka_resp_err_t code = rd_kafka_metadata(topics->producer->handle, 0, NULL, &meta, timeout_of(topics));
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_metadata_destroy(meta);
        return 0;
    }
    (void)rd_kafka_poll(topics->producer->handle, 0); /* tells why */
    return kafka_refused(topics->producer, code, "metadata", e);
}

/* ---------------------------------------------------------------- asking and making */

/* The number of partitions; 0: there is no such topic. */
static int ask(const struct kafka_topics *topics, rd_kafka_topic_t *handle, int *partitions, struct err *e)
{
    struct kafka_producer *producer = topics->producer;
    const struct rd_kafka_metadata *meta = NULL;
    rd_kafka_resp_err_t code = rd_kafka_metadata(producer->handle, 0, handle, &meta, timeout_of(topics));
    *partitions = 0;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        const struct rd_kafka_metadata_topic *topic = meta->topic_cnt ? &meta->topics[0] : NULL;
        code = topic ? topic->err : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
        *partitions = topic ? topic->partition_cnt : 0;
        rd_kafka_metadata_destroy(meta);
    }
    if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC) {
        *partitions = 0;
        return 0;
    }
    (void)rd_kafka_poll(producer->handle, 0);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ? 0 : kafka_refused(producer, code, rd_kafka_topic_name(handle), e);
}

/* What the broker said to the wish for a topic. */
static int read_result(const struct kafka_topics *topics, rd_kafka_event_t *event, const char *name, struct err *e)
{
    if (!event)
        return kafka_down(topics->producer, e);
    rd_kafka_resp_err_t code = rd_kafka_event_error(event);
    const char *why = rd_kafka_event_error_string(event);
    const rd_kafka_CreateTopics_result_t *result = rd_kafka_event_CreateTopics_result(event);
    size_t count = 0;
    const rd_kafka_topic_result_t **list = result ? rd_kafka_CreateTopics_result_topics(result, &count) : NULL;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR && count) {
        code = rd_kafka_topic_result_error(list[0]);
        why = rd_kafka_topic_result_error_string(list[0]);
    }
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
        return 0;
    int rc = kafka_refused(topics->producer, code, name, e);
    err_wrap(e, "creating it: %s", why ? why : "");
    return rc;
}

static int create(const struct kafka_topics *topics, const char *name, struct err *e)
{
    const struct kafka_options *opt = topics->producer->opt;
    rd_kafka_t *handle = topics->producer->handle;
    char text[256], insync[24];
    int replication = opt->replication ? (int)opt->replication : -1;
    rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(name, (int)topics->lanes, replication, text, sizeof text);
    if (!topic)
        return err_set(e, KAFKA_TOPIC_NAME, name, text);
    snprintf(insync, sizeof insync, "%llu", (unsigned long long)opt->min_insync_replicas);
    if (opt->min_insync_replicas)
        (void)rd_kafka_NewTopic_set_config(topic, "min.insync.replicas", insync);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(handle);
    rd_kafka_CreateTopics(handle, &topic, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, timeout_of(topics));
    int rc = read_result(topics, event, name, e);
    if (event)
        rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewTopic_destroy(topic);
    return rc;
}

/* A topic that was made is asked for until the brokers know it. */
static int await(const struct kafka_topics *topics, rd_kafka_topic_t *handle, int *partitions, struct err *e)
{
    const struct env *env = topics->producer->env;
    int64_t due = env_mono_us(env) + (int64_t)timeout_of(topics) * 1000;
    int rc = ask(topics, handle, partitions, e);
    while (rc == 0 && *partitions == 0 && env_mono_us(env) < due) {
        (void)rd_kafka_poll(topics->producer->handle, ASK_AGAIN_MS);
        rc = ask(topics, handle, partitions, e);
    }
    return rc == 0 && *partitions == 0 ? kafka_down(topics->producer, e) : rc;
}

static int check(const struct kafka_topics *topics, rd_kafka_topic_t *handle, struct err *e)
{
    const char *name = rd_kafka_topic_name(handle);
    int partitions = 0;
    int rc = ask(topics, handle, &partitions, e);
    if (rc == 0 && partitions == 0) {
        if (!topics->producer->opt->create_topics)
            return err_set(e, KAFKA_TOPIC_MISSING, name);
        rc = create(topics, name, e);
        if (rc == 0)
            rc = await(topics, handle, &partitions, e);
    }
    if (rc == 0 && partitions != (int)topics->lanes)
        return err_set(e, KAFKA_PARTITIONS, name, partitions, topics->lanes);
    return rc;
}

/* ---------------------------------------------------------------- finding */

static bool is_of(const struct kafka_topic *topic, const char *db, const char *table)
{
    return !topic->db || (strcmp(topic->table, table) == 0 && strcmp(topic->db, db) == 0);
}

/* Takes the handle, also after an error. */
static int keep(struct kafka_topics *topics, const char *db, const char *table, rd_kafka_topic_t *handle, struct err *e)
{
    bool varies = kafka_topic_varies(topics->producer->opt);
    size_t size = topics->size ? topics->size * 2 : 4;
    struct kafka_topic topic = {.handle = handle};
    bool ok = true;
    if (topics->count == topics->size) {
        struct kafka_topic *grown = realloc(topics->list, size * sizeof *grown);
        ok = grown != NULL;
        topics->list = ok ? grown : topics->list;
        topics->size = ok ? size : topics->size;
    }
    if (ok && varies) {
        topic.db = strdup(db);
        topic.table = strdup(table);
        ok = topic.db && topic.table;
    }
    if (ok) {
        topics->last = topics->count;
        topics->list[topics->count++] = topic;
        return 0;
    }
    free(topic.db);
    free(topic.table);
    rd_kafka_topic_destroy(handle);
    return err_set(e, NO_MEMORY, size * sizeof topic);
}

int kafka_topics_find(struct kafka_topics *topics, const char *db, const char *table, rd_kafka_topic_t **out,
                      struct err *e)
{
    char name[KAFKA_TOPIC_MAX + 1];
    size_t i = topics->last;
    if (i >= topics->count || !is_of(&topics->list[i], db, table))
        for (i = 0; i < topics->count && !is_of(&topics->list[i], db, table); i++)
            ;
    if (i < topics->count) {
        topics->last = i;
        *out = topics->list[i].handle;
        return 0;
    }
    int rc = kafka_topic_name(topics->producer->opt, db, table, name, e);
    if (rc != 0)
        return rc;
    rd_kafka_topic_t *handle = rd_kafka_topic_new(topics->producer->handle, name, NULL);
    if (!handle)
        return kafka_refused(topics->producer, rd_kafka_last_error(), name, e);
    rc = check(topics, handle, e);
    if (rc != 0) {
        rd_kafka_topic_destroy(handle);
        return rc;
    }
    *out = handle;
    return keep(topics, db, table, handle, e);
}
