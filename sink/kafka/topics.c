/* Topics of a Kafka sink. */
#include "sink/kafka/topics.h"

#include <stdlib.h>
#include <string.h>

#define ASK_AGAIN_MS 100 /* while a new topic is not known everywhere */

struct kafka_topic {
    char *db, *table; /* NULL: of all tables */
    rd_kafka_topic_t *handle;
    size_t limit; /* bytes of a batch that it takes */
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
    return (int)topics->producer->link.opt->timeout_ms;
}

int kafka_topics_reach(struct kafka_topics *topics, struct err *e)
{
    const struct rd_kafka_metadata *meta = NULL;
    rd_kafka_resp_err_t code = rd_kafka_metadata(topics->producer->link.handle, 0, NULL, &meta, timeout_of(topics));
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_metadata_destroy(meta);
        return 0;
    }
    (void)rd_kafka_poll(topics->producer->link.handle, 0); /* tells why */
    return kafka_refused(&topics->producer->link, code, "metadata", e);
}

/* ---------------------------------------------------------------- asking and making */

static int ask(const struct kafka_topics *topics, const char *name, int *partitions, struct err *e)
{
    struct kafka_producer *producer = topics->producer;
    rd_kafka_resp_err_t code = kafka_admin_partitions(producer->link.handle, name, timeout_of(topics), partitions);
    (void)rd_kafka_poll(producer->link.handle, 0); /* tells why */
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ? 0 : kafka_refused(&producer->link, code, name, e);
}

int kafka_topics_make(const struct kafka_topics *topics, const struct kafka_new_topic *topic, struct err *e)
{
    struct kafka_producer *producer = topics->producer;
    char why[KAFKA_WHY_MAX];
    int64_t due = env_mono_us(producer->env) + (int64_t)timeout_of(topics) * 1000;
    rd_kafka_resp_err_t code = kafka_admin_create(producer->link.handle, topic, timeout_of(topics), why);
    if (code == RD_KAFKA_RESP_ERR__TIMED_OUT)
        return kafka_down(&producer->link, e);
    if (code == RD_KAFKA_RESP_ERR__INVALID_ARG)
        return err_set(e, KAFKA_TOPIC_NAME, topic->name, why);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        int rc = kafka_refused(&producer->link, code, topic->name, e);
        err_wrap(e, "creating it: %s", why);
        return rc;
    }
    int partitions = 0;
    int rc = ask(topics, topic->name, &partitions, e);
    while (rc == 0 && partitions == 0 && env_mono_us(producer->env) < due) {
        (void)rd_kafka_poll(producer->link.handle, ASK_AGAIN_MS);
        rc = ask(topics, topic->name, &partitions, e);
    }
    return rc == 0 && partitions == 0 ? kafka_down(&producer->link, e) : rc;
}

/* As the options want the topic of a table. */
static int create(const struct kafka_topics *topics, const char *name, struct err *e)
{
    const struct kafka_options *opt = topics->producer->link.opt;
    char insync[24];
    snprintf(insync, sizeof insync, "%llu", (unsigned long long)opt->min_insync_replicas);
    const char *settings[3][2] = {{NULL, NULL}};
    size_t count = 0;
    if (opt->min_insync_replicas) {
        settings[count][0] = "min.insync.replicas";
        settings[count++][1] = insync;
    }
    if (opt->not_compacted) {
        settings[count][0] = "cleanup.policy";
        settings[count++][1] = "delete";
    }
    const struct kafka_new_topic topic = {.name = name,
                                          .partitions = (int)topics->lanes,
                                          .replication = opt->replication ? (int)opt->replication : -1,
                                          .settings = (const char *const(*)[2])settings};
    return kafka_topics_make(topics, &topic, e);
}

/* The brokers must not throw away what has a newer message with the same key. */
static int check_policy(const struct kafka_topics *topics, const char *name, struct err *e)
{
    const struct kafka_producer *producer = topics->producer;
    const char *why = producer->link.opt->not_compacted;
    char policy[64] = "";
    if (!why)
        return 0;
    rd_kafka_resp_err_t code =
        kafka_admin_policy(producer->link.handle, name, timeout_of(topics), policy, sizeof policy);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        (void)rd_kafka_poll(producer->link.handle, 0); /* tells why */
        (void)kafka_refused(&producer->link, code, name, e);
        return err_wrap(e, "reading cleanup.policy (DESCRIBE_CONFIGS)");
    }
    return strstr(policy, "compact") ? err_set(e, KAFKA_COMPACTED, name, policy, why) : 0;
}

/* Batches of small messages must not be larger than what the topic takes. */
static int check_batches(const struct kafka_producer *producer, const char *topic, size_t limit, struct err *e)
{
    char text[32] = "";
    size_t len = sizeof text;
    if (rd_kafka_conf_get(rd_kafka_conf(producer->link.handle), "batch.size", text, &len) != RD_KAFKA_CONF_OK ||
        strtoull(text, NULL, 10) <= limit)
        return 0;
    return err_set(e, KAFKA_BATCH_SIZE, topic, limit, text);
}

int kafka_topic_limit(struct kafka_producer *producer, const char *topic, size_t *out, struct err *e)
{
    char text[32] = "";
    int timeout_ms = (int)producer->link.opt->timeout_ms;
    rd_kafka_resp_err_t code =
        kafka_admin_setting(producer->link.handle, topic, "max.message.bytes", timeout_ms, text, sizeof text);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        (void)rd_kafka_poll(producer->link.handle, 0); /* tells why */
        return kafka_refused(&producer->link, code, topic, e);
    }
    *out = strtoull(text, NULL, 10);
    return check_batches(producer, topic, *out, e);
}

static int check_as_told(const struct kafka_topics *topics, const char *name, struct err *e)
{
    int partitions = 0;
    int rc = ask(topics, name, &partitions, e);
    if (rc == 0 && partitions == 0) {
        if (!topics->producer->link.opt->create_topics)
            return err_set(e, KAFKA_TOPIC_MISSING, name);
        rc = create(topics, name, e);
        if (rc == 0)
            rc = ask(topics, name, &partitions, e);
    }
    if (rc == 0 && partitions == 0)
        return err_set(e, KAFKA_TOPIC_MISSING, name);
    if (rc == 0 && partitions != (int)topics->lanes)
        return err_set(e, KAFKA_PARTITIONS, name, partitions, topics->lanes);
    return rc == 0 ? check_policy(topics, name, e) : rc;
}

/* Brokers hear of a new topic one after the other, and any of them is asked: one that is made here and is missing
 * passes. */
static int check(const struct kafka_topics *topics, const char *name, struct err *e)
{
    const struct kafka_producer *producer = topics->producer;
    int rc = check_as_told(topics, name, e);
    if (rc != -(int)ERR_KAFKA_TOPIC_MISSING || !producer->link.opt->create_topics)
        return rc;
    err_clear(e);
    return kafka_down(&producer->link, e);
}

/* ---------------------------------------------------------------- finding */

static bool is_of(const struct kafka_topic *topic, const char *db, const char *table)
{
    return !topic->db || (strcmp(topic->table, table) == 0 && strcmp(topic->db, db) == 0);
}

/* Takes the handle, also after an error. */
static int keep(struct kafka_topics *topics, const char *db, const char *table, rd_kafka_topic_t *handle, size_t limit,
                struct err *e)
{
    bool varies = kafka_topic_varies(topics->producer->link.opt);
    size_t size = topics->size ? topics->size * 2 : 4;
    struct kafka_topic topic = {.handle = handle, .limit = limit};
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
    int rc = kafka_topic_name(topics->producer->link.opt, db, table, name, e);
    if (rc != 0)
        return rc;
    rd_kafka_topic_t *handle = rd_kafka_topic_new(topics->producer->link.handle, name, NULL);
    if (!handle)
        return kafka_refused(&topics->producer->link, rd_kafka_last_error(), name, e);
    size_t limit = SIZE_MAX;
    rc = check(topics, name, e);
    if (rc == 0 && topics->producer->link.opt->oversize != KAFKA_OVERSIZE_STOP)
        rc = kafka_topic_limit(topics->producer, name, &limit, e);
    if (rc != 0) {
        rd_kafka_topic_destroy(handle);
        return rc;
    }
    *out = handle;
    return keep(topics, db, table, handle, limit, e);
}

size_t kafka_topics_limit(const struct kafka_topics *topics)
{
    return topics->last < topics->count ? topics->list[topics->last].limit : SIZE_MAX;
}
