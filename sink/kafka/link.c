/* What is known of a connection, and what an error means. */
#include "sink/kafka/link.h"

#include <stdio.h>

void kafka_link_on_error(rd_kafka_t *handle, int code, const char *reason, void *ctx)
{
    struct kafka_link *link = ctx;
    (void)handle;
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN && link->last_code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return; /* the one before tells why */
    link->last_code = (rd_kafka_resp_err_t)code;
    snprintf(link->last, sizeof link->last, "%s", reason);
}

static const char *broker_of(const struct kafka_link *link)
{
    return link->opt->brokers.items[0];
}

int kafka_down(const struct kafka_link *link, struct err *e)
{
    rd_kafka_resp_err_t code = link->last_code;
    if (code == RD_KAFKA_RESP_ERR__AUTHENTICATION || code == RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED)
        return err_set(e, SINK_LOGIN, broker_of(link), link->last);
    return err_set(e, SINK_DOWN, broker_of(link), code ? link->last : "no answer in time");
}

int kafka_fatal(const struct kafka_link *link, const char *topic, struct err *e)
{
    char text[256];
    switch (rd_kafka_fatal_error(link->handle, text, sizeof text)) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
        return 0;
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
        return err_set(e, SINK_RIGHTS, topic, text);
    case RD_KAFKA_RESP_ERR__FENCED:
    case RD_KAFKA_RESP_ERR_PRODUCER_FENCED:
    case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH:
        return err_set(e, KAFKA_FENCED, topic);
    default:
        return err_set(e, KAFKA_FATAL, text);
    }
}

int kafka_refused(const struct kafka_link *link, rd_kafka_resp_err_t code, const char *topic, struct err *e)
{
    switch (code) {
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
        return kafka_down(link, e);
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
    case RD_KAFKA_RESP_ERR_INVALID_MSG: /* its checksum was wrong: on the way, or on the disk */
    case RD_KAFKA_RESP_ERR_UNKNOWN:     /* a fault of the broker's own */
        return err_set(e, SINK_DOWN, topic, rd_kafka_err2str(code));
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
        return err_set(e, SINK_LOGIN, broker_of(link), rd_kafka_err2str(code));
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
        return err_set(e, SINK_RIGHTS, topic, rd_kafka_err2str(code));
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
        return err_set(e, KAFKA_TOPIC_MISSING, topic);
    case RD_KAFKA_RESP_ERR__STATE:
    case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH:
    case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_ID_MAPPING:
    case RD_KAFKA_RESP_ERR_INVALID_TXN_STATE:
    case RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS:
    case RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER:
    case RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID:
        return err_set(e, SINK_ABORTED, topic, rd_kafka_err2str(code));
    case RD_KAFKA_RESP_ERR__FATAL:
        if (kafka_fatal(link, topic, e) == 0)
            err_set(e, KAFKA_FATAL, rd_kafka_err2str(code));
        return err_result(e);
    case RD_KAFKA_RESP_ERR__FENCED:
    case RD_KAFKA_RESP_ERR_PRODUCER_FENCED:
        return err_set(e, KAFKA_FENCED, topic);
    default:
        return err_set(e, SINK_REFUSED, topic, rd_kafka_err2str(code));
    }
}
