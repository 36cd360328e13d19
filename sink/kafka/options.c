/* Options of the Kafka sink, and what librdkafka is told. */
#include <stdlib.h>
#include <string.h>

#include "sink/kafka/kafka.h"

static const struct option_name delivery_names[] = {{"at_least_once", KAFKA_AT_LEAST_ONCE}, {NULL, 0}};
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
     .text = "at_least_once",
     .names = delivery_names,
     .help = "at_least_once: what is not known to be delivered at a crash is written again."},
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
     .help = "Properties of librdkafka, each as name=value: compression.type=zstd, security.protocol=SASL_SSL."},
    {.name = "sasl_password", .type = OPTION_SECRET, FIELD(sasl_password), .help = "Password for SASL."},
    {.name = NULL},
};

/* What the sink's promises stand on, and what it has options for. */
static const char *const reserved[] = {
    "bootstrap.servers",     "metadata.broker.list",     "enable.idempotence",       "acks",
    "request.required.acks", "message.timeout.ms",       "delivery.timeout.ms",      "transactional.id",
    "sasl.password",         "allow.auto.create.topics", "enable.gapless.guarantee",
};

static const char *const fixed[][2] = {
    {"client.id", "sluice"},
    {"enable.idempotence", "true"},
    {"acks", "all"},
    {"message.timeout.ms", "0"},
    {"linger.ms", "1"},
    {"message.max.bytes", "1000000000"},
    {"allow.auto.create.topics", "false"},
    {"topic.metadata.propagation.max.ms", "5000"},
};

static int set(rd_kafka_conf_t *conf, const char *name, const char *value, unsigned line, struct err *e)
{
    char text[256];
    if (rd_kafka_conf_set(conf, name, value, text, sizeof text) == RD_KAFKA_CONF_OK)
        return 0;
    return err_set(e, KAFKA_PROPERTY, line, text);
}

/* One "name=value". */
static int set_property(rd_kafka_conf_t *conf, const char *property, unsigned line, struct err *e)
{
    char name[128], text[256];
    const char *equals = strchr(property, '=');
    if (!equals || equals == property || (size_t)(equals - property) >= sizeof name) {
        snprintf(text, sizeof text, "'%.100s' is not name=value", property);
        return err_set(e, KAFKA_PROPERTY, line, text);
    }
    memcpy(name, property, (size_t)(equals - property));
    name[equals - property] = '\0';
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++)
        if (strcmp(name, reserved[i]) == 0) {
            snprintf(text, sizeof text, "%s is set by the sink itself", name);
            return err_set(e, KAFKA_PROPERTY, line, text);
        }
    return set(conf, name, equals + 1, line, e);
}

static int set_brokers(rd_kafka_conf_t *conf, const struct option_list *brokers, struct err *e)
{
    struct buf text;
    buf_init(&text, 0);
    for (size_t i = 0; i < brokers->count; i++) {
        buf_text(&text, i ? "," : "");
        buf_text(&text, brokers->items[i]);
    }
    buf_byte(&text, '\0');
    int rc = text.failed ? err_set(e, NO_MEMORY, brokers->count)
                         : set(conf, "bootstrap.servers", (const char *)text.p, 0, e);
    buf_release(&text);
    return rc;
}

int kafka_conf_new(rd_kafka_conf_t **out, const struct kafka_options *opt, struct err *e)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    int rc = set_brokers(conf, &opt->brokers, e);
    rd_kafka_conf_set_log_cb(conf, NULL);
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0] && rc == 0; i++)
        rc = set(conf, fixed[i][0], fixed[i][1], 0, e);
    if (rc == 0 && opt->sasl_password)
        rc = set(conf, "sasl.password", opt->sasl_password, 0, e);
    for (size_t i = 0; i < opt->properties.count && rc == 0; i++)
        rc = set_property(conf, opt->properties.items[i], opt->properties.lines ? opt->properties.lines[i] : 0, e);
    if (rc != 0) {
        rd_kafka_conf_destroy(conf);
        return rc;
    }
    *out = conf;
    return 0;
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
    static const char legal[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    if (len == 0 || strspn(name, legal) != len || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return bad_name(name, "it may have letters of ASCII, digits, '.', '_' and '-'", e);
    memcpy(out, name, len + 1);
    return 0;
}

int kafka_check(const void *opt, struct err *e)
{
    const struct kafka_options *options = opt;
    char name[KAFKA_TOPIC_MAX + 1];
    rd_kafka_conf_t *conf = NULL;
    if (options->brokers.count == 0)
        return err_set(e, CONFIG_VALUE, "brokers", "one broker at least is needed");
    int rc = kafka_topic_name(options, "db", "table", name, e);
    if (rc == 0)
        rc = kafka_conf_new(&conf, options, e);
    if (rc == 0)
        rd_kafka_conf_destroy(conf);
    return rc;
}
