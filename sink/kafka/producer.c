/* librdkafka's handle and the messages on their way. */
#include "sink/kafka/producer.h"

#include <stdio.h>
#include <string.h>

#define CLOSE_MS 1000 /* for the reports of what was given up */

static void on_report(rd_kafka_t *handle, const rd_kafka_message_t *message, void *ctx)
{
    struct kafka_producer *producer = ctx;
    struct kafka_refusal report = {(size_t)(uintptr_t)message->_private, message->err, message->key_len + message->len,
                                   ""};
    (void)handle;
    producer->on_the_way--;
    producer->reports++;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        metric_add(&producer->stats.messages_total, 1);
        metric_add(&producer->stats.bytes_total, report.bytes);
        producer->link.last_code = RD_KAFKA_RESP_ERR_NO_ERROR;
    } else if (!producer->on_report &&
               (producer->refused.code == RD_KAFKA_RESP_ERR_NO_ERROR || report.number < producer->refused.number)) {
        producer->refused = report;
        snprintf(producer->refused.topic, sizeof producer->refused.topic, "%s", rd_kafka_topic_name(message->rkt));
    }
    if (producer->on_report)
        producer->on_report(producer->ctx, &report);
}

int kafka_producer_open(struct kafka_producer *producer, const struct kafka_options *opt, const char *transactional_id,
                        const struct env *env, struct err *e)
{
    rd_kafka_conf_t *conf = NULL;
    char text[256];
    *producer = (struct kafka_producer){.link.opt = opt, .env = env};
    int rc = kafka_conf_new(&conf, opt, transactional_id, e);
    if (rc != 0)
        return rc;
    rd_kafka_conf_set_opaque(conf, producer);
    rd_kafka_conf_set_dr_msg_cb(conf, on_report);
    rd_kafka_conf_set_error_cb(conf, kafka_link_on_error);
    producer->link.handle = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    if (producer->link.handle)
        return 0;
    rd_kafka_conf_destroy(conf);
    return err_set(e, KAFKA_PROPERTY, 0u, text);
}

void kafka_producer_close(struct kafka_producer *producer)
{
    if (!producer->link.handle)
        return;
    if (producer->on_the_way) {
        (void)rd_kafka_purge(producer->link.handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        (void)rd_kafka_flush(producer->link.handle, CLOSE_MS);
    }
    rd_kafka_destroy(producer->link.handle);
    producer->link.handle = NULL;
}

int kafka_send(struct kafka_producer *producer, const struct kafka_message *message, struct err *e)
{
    rd_kafka_vu_t parts[] = {
        {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = message->topic},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = message->partition},
        {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = (void *)(uintptr_t)message->number},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)(uintptr_t)message->key, message->key_len}},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)(uintptr_t)message->value, message->value_len}},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = message->is_copied ? RD_KAFKA_MSG_F_COPY : 0},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = message->headers},
    };
    rd_kafka_error_t *error =
        rd_kafka_produceva(producer->link.handle, parts, sizeof parts / sizeof parts[0] - (message->headers ? 0 : 1));
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
    return kafka_refused(&producer->link, code, rd_kafka_topic_name(message->topic), e);
}

int kafka_poll(struct kafka_producer *producer, int timeout_ms, struct err *e)
{
    (void)rd_kafka_poll(producer->link.handle, timeout_ms);
    return kafka_fatal(&producer->link, producer->link.opt->topic, e);
}
