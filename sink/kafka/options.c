/* Options of the Kafka sink, and what librdkafka is told. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sink/kafka/conf.h"
#include "sink/kafka/kafka.h"

#define BAD_LETTERS "it may have letters of ASCII, digits, '.', '_' and '-'"

static const struct option_name delivery_names[] = {
    {"exactly_once", KAFKA_EXACTLY_ONCE}, {"at_least_once", KAFKA_AT_LEAST_ONCE}, {NULL, 0}};
static const struct option_name oversize_names[] = {{"stop", KAFKA_OVERSIZE_STOP},
                                                    {"keys_only", KAFKA_OVERSIZE_KEYS_ONLY},
                                                    {"dead_letter", KAFKA_OVERSIZE_DEAD_LETTER},
                                                    {NULL, 0}};
static const struct option_name key_names[] = {
    {"business", KAFKA_KEY_BUSINESS}, {"primary_key", KAFKA_KEY_PRIMARY}, {"peer", KAFKA_KEY_PEER}, {NULL, 0}};

#define FIELD(name_) .offset = offsetof(struct kafka_options, name_)
const struct option kafka_option_table[] = {
    {.name = "brokers",
     .type = OPTION_LIST,
     FIELD(brokers),
     .flags = OPTION_REQUIRED,
     .help = "host:port of some brokers of the cluster."},
    {.name = "topic",
     .type = OPTION_STRING,
     FIELD(topic),
     .flags = OPTION_REQUIRED,
     .help =
         "Name of the topic, or a template: {db}.{table} gives each table a topic of its own, and order within each "
         "only. Each topic must have as many partitions as there are lanes (`partitions`)."},
    {.name = "delivery",
     .type = OPTION_ENUM,
     FIELD(delivery),
     .text = "exactly_once",
     .names = delivery_names,
     .help =
         "exactly_once: rows and the position behind them in one transaction of Kafka, so that who reads what is "
         "committed sees each version once. at_least_once: at once, and what is not known to be delivered at a crash "
         "is written again."},
    {.name = "transaction_ms",
     .type = OPTION_DURATION,
     FIELD(transaction_ms),
     .text = "50ms",
     .max = 60000,
     .help = "exactly_once: how long rows may wait for others in their transaction. 0: each batch has its own."},
    {.name = "record_key",
     .type = OPTION_ENUM,
     FIELD(record_key),
     .text = "business",
     .names = key_names,
     .help =
         "Key of a message: the route's key as text, the table with its primary key as JSON, or the peer's own key. "
         "The partition is that of the route's key in any case."},
    {.name = "create_topics",
     .type = OPTION_BOOL,
     FIELD(create_topics),
     .text = "false",
     .help = "A topic that does not exist is created, with as many partitions as there are lanes."},
    {.name = "replication",
     .type = OPTION_UINT,
     FIELD(replication),
     .max = 100,
     .help = "Replicas of a topic that is created. 0: the brokers' default."},
    {.name = "min_insync_replicas",
     .type = OPTION_UINT,
     FIELD(min_insync_replicas),
     .max = 100,
     .help = "min.insync.replicas of a topic that is created. 0: the brokers' default."},
    {.name = "state_topic",
     .type = OPTION_STRING,
     FIELD(state_topic),
     .help =
         "Topic for what must outlive the process: one partition, compacted, made where it is absent. <topic>.state "
         "unless given; it must be given where `topic` is a template."},
    {.name = "dead_letter_topic",
     .type = OPTION_STRING,
     FIELD(dead_letter_topic),
     .help = "Of a bus: topic for records that an applier cannot read, and for changes that a sink refuses for good; "
             "without it they stop. With `oversize: dead_letter`: for records that are too large. It is made with "
             "`create_topics`, and must not be compacted."},
    {.name = "transaction_topic",
     .type = OPTION_STRING,
     FIELD(transaction_topic),
     .help =
         "Topic for the bounds of transactions: a record `begin` before, a record `end` behind the records of each, "
         "with their number (docs/kafka.md). One partition; it is made with `create_topics`, and must not be "
         "compacted."},
    {.name = "oversize",
     .type = OPTION_ENUM,
     FIELD(oversize),
     .text = "stop",
     .names = oversize_names,
     .help = "A record larger than max.message.bytes of its topic: stop; keys_only: written without the columns that "
             "neither keys nor the sinks of its routes read; dead_letter: to `dead_letter_topic` instead."},
    {.name = "timeout_ms",
     .type = OPTION_DURATION,
     FIELD(timeout_ms),
     .text = "10s",
     .min = 100,
     .max = 600000,
     .help = "How long nothing may be heard of messages before the sink counts as down. They stay on their way."},
    {.name = "properties",
     .type = OPTION_LIST,
     FIELD(properties),
     .help = "Properties of librdkafka, each as name=value: compression.type=zstd (lz4 unless given), "
             "security.protocol=SASL_SSL."},
    {.name = "sasl_password", .type = OPTION_SECRET, FIELD(sasl_password), .help = "Password for SASL."},
    {.name = NULL},
};

/* What the sink's promises stand on, and what it has options for. */
static const char *const reserved[] = {"enable.idempotence",
                                       "acks",
                                       "request.required.acks",
                                       "message.timeout.ms",
                                       "delivery.timeout.ms",
                                       "transactional.id",
                                       "allow.auto.create.topics",
                                       "enable.gapless.guarantee",
                                       NULL};

static const char *const fixed[][2] = {{"enable.idempotence", "true"},
                                       {"acks", "all"},
                                       {"message.timeout.ms", "0"},
                                       {"transaction.timeout.ms", "600000"},
                                       {"linger.ms", "1"},
                                       {"compression.type", "lz4"},
                                       {"message.max.bytes", "1000000000"},
                                       {"allow.auto.create.topics", "false"},
                                       {"topic.metadata.propagation.max.ms", "5000"},
                                       {NULL, NULL}};

int kafka_conf_new(rd_kafka_conf_t **out, const struct kafka_options *opt, const char *transactional_id, struct err *e)
{
    const struct kafka_conf how = {.brokers = &opt->brokers,
                                   .properties = &opt->properties,
                                   .sasl_password = opt->sasl_password,
                                   .reserved = reserved,
                                   .fixed = fixed};
    char text[256];
    if (kafka_conf_make(out, &how, e) != 0)
        return err_result(e);
    if (!transactional_id || rd_kafka_conf_set(*out, "transactional.id", transactional_id, text, sizeof text) == 0)
        return 0;
    rd_kafka_conf_destroy(*out);
    return err_set(e, KAFKA_PROPERTY, 0u, text);
}

/* ---------------------------------------------------------------- topics */

bool kafka_topic_varies(const struct kafka_options *opt)
{
    return strchr(opt->topic, '{') != NULL;
}

static int bad_name(const char *name, const char *why, struct err *e)
{
    return err_set(e, KAFKA_TOPIC_NAME, name, why);
}

static bool is_legal(const char *name)
{
    static const char legal[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    return *name && strspn(name, legal) == strlen(name) && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

int kafka_state_topic(const struct kafka_options *opt, char out[KAFKA_TOPIC_MAX + 1], struct err *e)
{
    if (!opt->state_topic && kafka_topic_varies(opt))
        return bad_name(opt->topic, "a template needs `state_topic` beside it", e);
    int len = opt->state_topic ? snprintf(out, KAFKA_TOPIC_MAX + 1, "%s", opt->state_topic)
                               : snprintf(out, KAFKA_TOPIC_MAX + 1, "%s.state", opt->topic);
    if (len > KAFKA_TOPIC_MAX - KAFKA_STATE_ROOM)
        return bad_name(opt->state_topic ? opt->state_topic : opt->topic, "it is too long for its topics of state", e);
    return is_legal(out) ? 0 : bad_name(out, BAD_LETTERS, e);
}

int kafka_topic_name(const struct kafka_options *opt, const char *db, const char *table, char out[KAFKA_TOPIC_MAX + 1],
                     struct err *e)
{
    char name[KAFKA_TOPIC_MAX + 1];
    size_t len = 0;
    for (const char *p = opt->topic; *p;) {
        bool is_db = strncmp(p, "{db}", 4) == 0, is_table = strncmp(p, "{table}", 7) == 0;
        const char *part = is_db ? db : is_table ? table : p;
        size_t part_len = is_db || is_table ? strlen(part) : 1;
        if (len + part_len > KAFKA_TOPIC_MAX)
            return bad_name(opt->topic, "it is longer than 249 bytes", e);
        memcpy(name + len, part, part_len);
        len += part_len;
        p += is_db ? 4 : is_table ? 7 : 1;
    }
    name[len] = '\0';
    if (!is_legal(name))
        return bad_name(name, BAD_LETTERS, e);
    memcpy(out, name, len + 1);
    return 0;
}

/* A topic of its own, if it is given. Of a template each name is held against it when a table is bound. */
static int check_own_topic(const struct kafka_options *opt, const char *name, const char *what, struct err *e)
{
    char state[KAFKA_TOPIC_MAX + 1] = "";
    if (!name)
        return 0;
    if (!is_legal(name) || strlen(name) > KAFKA_TOPIC_MAX)
        return bad_name(name, BAD_LETTERS, e);
    bool has_state = opt->state_topic || !kafka_topic_varies(opt);
    if (has_state && kafka_state_topic(opt, state, e) != 0)
        return err_result(e);
    size_t len = strlen(state);
    bool is_state = len && strncmp(name, state, len) == 0 && (name[len] == '\0' || strcmp(name + len, ".marks") == 0);
    if (strcmp(name, opt->topic) == 0 || is_state)
        return bad_name(name, what, e);
    return 0;
}

static int check_own_topics(const struct kafka_options *opt, struct err *e)
{
    const char *dead = opt->dead_letter_topic, *bounds = opt->transaction_topic;
    if (!dead && opt->oversize == KAFKA_OVERSIZE_DEAD_LETTER)
        return err_set(e, CONFIG_VALUE, "oversize", "dead_letter needs a dead_letter_topic");
    if (check_own_topic(opt, dead, KAFKA_DEAD_OWN, e) != 0 || check_own_topic(opt, bounds, KAFKA_BOUNDS_OWN, e) != 0)
        return err_result(e);
    return dead && bounds && strcmp(dead, bounds) == 0 ? bad_name(bounds, KAFKA_BOUNDS_OWN, e) : 0;
}

int kafka_check(const void *opt, struct err *e)
{
    const struct kafka_options *options = opt;
    char name[KAFKA_TOPIC_MAX + 1];
    rd_kafka_conf_t *conf = NULL;
    if (options->brokers.count == 0)
        return err_set(e, CONFIG_VALUE, "brokers", "one broker at least is needed");
    int rc = kafka_topic_name(options, "db", "table", name, e);
    if (rc == 0 && options->delivery == KAFKA_EXACTLY_ONCE)
        rc = kafka_state_topic(options, name, e);
    if (rc == 0)
        rc = check_own_topics(options, e);
    if (rc == 0)
        rc = kafka_conf_new(&conf, options, NULL, e);
    if (rc == 0)
        rd_kafka_conf_destroy(conf);
    return rc;
}

static bool same_text(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

int kafka_check_beside(const void *opt, const void *other, struct err *e)
{
    const struct kafka_options *a = opt, *b = other;
    if (a->brokers.count != b->brokers.count)
        return 0;
    for (size_t i = 0; i < a->brokers.count; i++)
        if (strcmp(a->brokers.items[i], b->brokers.items[i]) != 0)
            return 0;
    if (same_text(a->transaction_topic, b->transaction_topic))
        return bad_name(a->transaction_topic, KAFKA_BOUNDS_OWN, e);
    for (int turn = 0; turn < 2; turn++, a = other, b = opt) {
        if (same_text(a->transaction_topic, b->topic) || same_text(a->transaction_topic, b->dead_letter_topic))
            return bad_name(a->transaction_topic, KAFKA_BOUNDS_OWN, e);
        if (same_text(a->dead_letter_topic, b->topic))
            return bad_name(a->dead_letter_topic, KAFKA_DEAD_OWN, e);
    }
    return 0;
}
