/* A consumer that is assigned one partition, reads it to its end, and goes. */
#include "sink/kafka/read_back.h"

#include <string.h>

#include "sink/kafka/admin.h"
#include "sink/kafka/conf.h"
#include "sink/kafka/link.h"

#define POLL_MS      100
#define LAST_STRETCH 512 /* messages looked at first for the newest */

static const char *const reserved[] = {
    "group.id", "isolation.level", "enable.auto.commit", "enable.partition.eof", "auto.offset.reset", NULL};

static const char *const fixed[][2] = {
    {"group.id", "sluice.read-back"},      {"isolation.level", "read_committed"}, {"enable.auto.commit", "false"},
    {"enable.auto.offset.store", "false"}, {"enable.partition.eof", "true"},      {"auto.offset.reset", "error"},
    {"allow.auto.create.topics", "false"}, {"fetch.wait.max.ms", "20"},           {NULL, NULL}};

struct reading {
    struct kafka_link link; /* first: the callback's opaque */
    const struct kafka_read *read;
    int64_t low, high;
};

static int refused_reading(const struct reading *reading, rd_kafka_resp_err_t code, struct err *e)
{
    return kafka_refused(&reading->link, code, reading->read->topic, e);
}

static int open_reading(struct reading *reading, const struct kafka_read *read, struct err *e)
{
    rd_kafka_conf_t *conf = NULL;
    char text[256];
    const struct kafka_conf how = {.brokers = &read->opt->brokers,
                                   .properties = &read->opt->properties,
                                   .sasl_password = read->opt->sasl_password,
                                   .reserved = reserved,
                                   .fixed = fixed};
    *reading = (struct reading){.read = read, .link.opt = read->opt};
    int rc = kafka_conf_make(&conf, &how, e);
    if (rc != 0)
        return rc;
    rd_kafka_conf_set_opaque(conf, reading);
    rd_kafka_conf_set_error_cb(conf, kafka_link_on_error);
    reading->link.handle = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    if (!reading->link.handle) {
        rd_kafka_conf_destroy(conf);
        return err_set(e, KAFKA_PROPERTY, 0u, text);
    }
    rd_kafka_poll_set_consumer(reading->link.handle);
    rd_kafka_resp_err_t code = kafka_admin_bounds(reading->link.handle, read->topic, read->partition,
                                                  (int)read->opt->timeout_ms, &reading->low, &reading->high);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ? 0 : refused_reading(reading, code, e);
}

static void close_reading(struct reading *reading)
{
    if (!reading->link.handle)
        return;
    (void)rd_kafka_consumer_close(reading->link.handle);
    rd_kafka_destroy(reading->link.handle);
}

static int assign(struct reading *reading, int64_t from, struct err *e)
{
    rd_kafka_topic_partition_list_t *parts = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(parts, reading->read->topic, reading->read->partition)->offset = from;
    rd_kafka_resp_err_t code = rd_kafka_assign(reading->link.handle, parts);
    rd_kafka_topic_partition_list_destroy(parts);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ? 0 : refused_reading(reading, code, e);
}

/* What a message says that is none: the end is reached (1), goes on (0), or an error. */
static int take_error(const struct reading *reading, const rd_kafka_message_t *message, struct err *e)
{
    switch (message->err) {
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
        return message->offset >= reading->high;
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__RESOLVE:
        return 0; /* tried again inside of librdkafka, for timeout_ms */
    default:
        return refused_reading(reading, message->err, e);
    }
}

static int read_to_end(const struct reading *reading, kafka_visit *visit, void *ctx, struct err *e)
{
    const struct kafka_read *read = reading->read;
    int64_t heard = env_mono_us(read->env);
    int rc = 0;
    while (rc == 0) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(reading->link.handle, POLL_MS);
        int64_t now = env_mono_us(read->env);
        if (message && message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            rc = take_error(reading, message, e);
        } else if (message) {
            heard = now;
            rc = visit(ctx, message, e);
        }
        if (message)
            rd_kafka_message_destroy(message);
        if (rc == 0 && now - heard > (int64_t)read->opt->timeout_ms * 1000)
            rc = kafka_down(&reading->link, e);
    }
    return rc < 0 ? rc : 0;
}

/* From `from` to the end of a partition that is there. */
static int read_stretch(struct reading *reading, int64_t from, kafka_visit *visit, void *ctx, struct err *e)
{
    if (from < reading->low)
        from = reading->low;
    if (from >= reading->high)
        return 0;
    int rc = assign(reading, from, e);
    return rc == 0 ? read_to_end(reading, visit, ctx, e) : rc;
}

int kafka_read_back(const struct kafka_read *read, int64_t from, kafka_visit *visit, void *ctx, int64_t *end,
                    struct err *e)
{
    struct reading reading;
    int rc = open_reading(&reading, read, e);
    if (rc == 0)
        rc = read_stretch(&reading, from, visit, ctx, e);
    if (rc == 0 && end)
        *end = reading.high;
    close_reading(&reading);
    return rc;
}

int kafka_read_newest(const struct kafka_read *read, kafka_visit *visit, void *ctx, const bool *found, struct err *e)
{
    struct reading reading;
    int rc = open_reading(&reading, read, e);
    int64_t from = reading.high;
    for (int64_t stretch = LAST_STRETCH; rc == 0 && !*found && from > reading.low; stretch *= 8) {
        from = reading.high - stretch;
        rc = read_stretch(&reading, from, visit, ctx, e);
    }
    close_reading(&reading);
    return rc;
}

/* ---------------------------------------------------------------- the last one of a key */

struct last {
    const char *key;
    struct buf *out;
    bool found;
};

static int visit_last(void *ctx, const rd_kafka_message_t *message, struct err *e)
{
    struct last *last = ctx;
    if (message->key_len != strlen(last->key) || memcmp(message->key, last->key, message->key_len) != 0)
        return 0;
    buf_clear(last->out);
    buf_add(last->out, message->payload, message->len);
    last->found = message->payload != NULL;
    return last->out->failed ? err_set(e, NO_MEMORY, message->len) : 0;
}

int kafka_read_last(const struct kafka_read *read, const char *key, struct buf *out, struct err *e)
{
    struct last last = {.key = key, .out = out};
    buf_clear(out);
    int rc = kafka_read_newest(read, visit_last, &last, &last.found, e);
    return rc == 0 ? last.found : rc;
}
