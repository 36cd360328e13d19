/* Kafka's transactions. */
#include "sink/kafka/transaction.h"

/* What ended a transaction: SINK_ABORTED, or SINK_RIGHTS, which no other try would mend. */
static int aborted(const struct kafka_producer *producer, const rd_kafka_error_t *error, const char *topic,
                   struct err *e)
{
    struct err why = ERR_INIT;
    if (kafka_refused(&producer->link, rd_kafka_error_code(error), topic, &why) != -(int)ERR_SINK_RIGHTS)
        return err_set(e, SINK_ABORTED, topic, rd_kafka_error_string(error));
    *e = why;
    return err_result(e);
}

/* Takes the error; what it means by the three kinds that librdkafka tells. */
static int failed(struct kafka_producer *producer, rd_kafka_error_t *error, const char *topic, struct err *e)
{
    if (!error)
        return 0;
    rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    bool again = rd_kafka_error_is_retriable(error), aborts = rd_kafka_error_txn_requires_abort(error);
    (void)rd_kafka_poll(producer->link.handle, 0); /* tells why */
    int rc = kafka_fatal(&producer->link, topic, e);
    if (rc == 0 && aborts)
        rc = aborted(producer, error, topic, e);
    else if (rc == 0 && again)
        rc = kafka_down(&producer->link, e);
    else if (rc == 0)
        rc = kafka_refused(&producer->link, code, topic, e);
    rd_kafka_error_destroy(error);
    return rc;
}

static int timeout_of(const struct kafka_producer *producer)
{
    return (int)producer->link.opt->timeout_ms;
}

int kafka_tx_init(struct kafka_producer *producer, const char *topic, struct err *e)
{
    return failed(producer, rd_kafka_init_transactions(producer->link.handle, timeout_of(producer)), topic, e);
}

int kafka_tx_begin(struct kafka_producer *producer, const char *topic, struct err *e)
{
    return failed(producer, rd_kafka_begin_transaction(producer->link.handle), topic, e);
}

/* A transaction that failed refuses to begin with what it failed for; one that is open with another code. */
int kafka_tx_reason(struct kafka_producer *producer, const char *topic, struct err *e)
{
    rd_kafka_error_t *error = rd_kafka_begin_transaction(producer->link.handle);
    if (error && rd_kafka_error_txn_requires_abort(error)) {
        err_clear(e);
        (void)aborted(producer, error, topic, e);
    }
    if (error)
        rd_kafka_error_destroy(error);
    return err_result(e);
}

int kafka_tx_commit(struct kafka_producer *producer, const char *topic, struct err *e)
{
    return failed(producer, rd_kafka_commit_transaction(producer->link.handle, timeout_of(producer)), topic, e);
}

int kafka_tx_abort(struct kafka_producer *producer, const char *topic, uint64_t timeout_ms, struct err *e)
{
    rd_kafka_error_t *error = rd_kafka_abort_transaction(producer->link.handle, (int)timeout_ms);
    return failed(producer, error, topic, e);
}
