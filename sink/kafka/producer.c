/* librdkafka's handle and the messages on their way. */
#include "sink/kafka/producer.h"

#include <string.h>

#define CLOSE_MS 1000 /* for the reports of what was given up */

static void on_report(rd_kafka_t *handle, const rd_kafka_message_t *message, void *ctx)
{
    struct kafka_producer *producer = ctx;
    size_t number = (size_t)(uintptr_t)message->_private;
    struct kafka_refusal *refused = &producer->refused;
    (void)handle;
    producer->on_the_way--;
    producer->reports++;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        metric_add(&producer->stats.messages_total, 1);
        metric_add(&producer->stats.bytes_total, message->key_len + message->len);
        producer->last_code = RD_KAFKA_RESP_ERR_NO_ERROR;
    } else if (refused->code == RD_KAFKA_RESP_ERR_NO_ERROR || number < refused->number) {
        *refused = (struct kafka_refusal){number, message->err};
    }
}

static void on_error(rd_kafka_t *handle, int code, const char *reason, void *ctx)
{
    struct kafka_producer *producer = ctx;
    (void)handle;
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN && producer->last_code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return; /* the one before tells why */
    producer->last_code = (rd_kafka_resp_err_t)code;
    snprintf(producer->last, sizeof producer->last, "%s", reason);
}

int kafka_producer_open(struct kafka_producer *producer, const struct kafka_options *opt, const struct env *env,
                        struct err *e)
{
    rd_kafka_conf_t *conf = NULL;
    char text[256];
    *producer = (struct kafka_producer){.opt = opt, .env = env};
    int rc = kafka_conf_new(&conf, opt, e);
    if (rc != 0)
        return rc;
    rd_kafka_conf_set_opaque(conf, producer);
    rd_kafka_conf_set_dr_msg_cb(conf, on_report);
    rd_kafka_conf_set_error_cb(conf, on_error);
    producer->handle = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    if (producer->handle)
        return 0;
    rd_kafka_conf_destroy(conf);
    return err_set(e, KAFKA_PROPERTY, 0u, text);
}

void kafka_producer_close(struct kafka_producer *producer)
{
    if (!producer->handle)
        return;
    if (producer->on_the_way) {
        (void)rd_kafka_purge(producer->handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        (void)rd_kafka_flush(producer->handle, CLOSE_MS);
    }
    rd_kafka_destroy(producer->handle);
    producer->handle = NULL;
}

int kafka_send(struct kafka_producer *producer, const struct kafka_message *message, struct err *e)
{
    rd_kafka_vu_t parts[] = {
        {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = message->topic},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = message->partition},
        {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = (void *)(uintptr_t)message->number},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)(uintptr_t)message->key, message->key_len}},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)(uintptr_t)message->value, message->value_len}},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = message->headers},
    };
    rd_kafka_error_t *error =
        rd_kafka_produceva(producer->handle, parts, sizeof parts / sizeof parts[0] - (message->headers ? 0 : 1));
    if (!error) {
        producer->on_the_way++;
        return KAFKA_SENT;
    }
    rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    rd_kafka_error_destroy(error);
    if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        metric_add(&producer->stats.full_total, 1);
        return KAFKA_FULL;
    }
    if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
        return err_set(e, KAFKA_TOO_LARGE, rd_kafka_topic_name(message->topic), message->key_len + message->value_len,
                       rd_kafka_err2str(code));
    return kafka_refused(producer, code, rd_kafka_topic_name(message->topic), e);
}

int kafka_poll(struct kafka_producer *producer, int timeout_ms, struct err *e)
{
    char text[256];
    (void)rd_kafka_poll(producer->handle, timeout_ms);
    if (rd_kafka_fatal_error(producer->handle, text, sizeof text) == RD_KAFKA_RESP_ERR_NO_ERROR)
        return 0;
    return err_set(e, KAFKA_FATAL, text);
}

/* ---------------------------------------------------------------- errors */

static const char *broker_of(const struct kafka_producer *producer)
{
    return producer->opt->brokers.items[0];
}

int kafka_down(const struct kafka_producer *producer, struct err *e)
{
    rd_kafka_resp_err_t code = producer->last_code;
    if (code == RD_KAFKA_RESP_ERR__AUTHENTICATION || code == RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED)
        return err_set(e, SINK_LOGIN, broker_of(producer), producer->last);
    return err_set(e, SINK_DOWN, broker_of(producer), code ? producer->last : "no answer in time");
}

/* The library gives up for good, and keeps why. */
static int fatal(const struct kafka_producer *producer, const char *topic, struct err *e)
{
    char text[256];
    rd_kafka_resp_err_t why = rd_kafka_fatal_error(producer->handle, text, sizeof text);
    if (why == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED || why == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
        return err_set(e, SINK_RIGHTS, topic, text);
    if (why == RD_KAFKA_RESP_ERR_NO_ERROR)
        return err_set(e, KAFKA_FATAL, rd_kafka_err2str(RD_KAFKA_RESP_ERR__FATAL));
    return err_set(e, KAFKA_FATAL, text);
}

int kafka_refused(const struct kafka_producer *producer, rd_kafka_resp_err_t code, const char *topic, struct err *e)
{
    switch (code) {
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
        return kafka_down(producer, e);
    case RD_KAFKA_RESP_ERR__PURGE_QUEUE:
    case RD_KAFKA_RESP_ERR__PURGE_INFLIGHT:
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
    case RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION:
    case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS:
    case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND:
    case RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR:
    case RD_KAFKA_RESP_ERR_NOT_CONTROLLER:
    case RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED:
        return err_set(e, SINK_DOWN, topic, rd_kafka_err2str(code));
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
        return err_set(e, SINK_LOGIN, broker_of(producer), rd_kafka_err2str(code));
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
        return err_set(e, SINK_RIGHTS, topic, rd_kafka_err2str(code));
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
        return err_set(e, KAFKA_TOPIC_MISSING, topic);
    case RD_KAFKA_RESP_ERR__FATAL:
        return fatal(producer, topic, e);
    default:
        return err_set(e, SINK_REFUSED, topic, rd_kafka_err2str(code));
    }
}
