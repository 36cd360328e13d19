/* Kafka's transactions. */
#include "sink/kafka/transaction.h"

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
        rc = err_set(e, SINK_ABORTED, topic, rd_kafka_error_string(error));
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

int kafka_tx_commit(struct kafka_producer *producer, const char *topic, struct err *e)
{
    return failed(producer, rd_kafka_commit_transaction(producer->link.handle, timeout_of(producer)), topic, e);
}

int kafka_tx_abort(struct kafka_producer *producer, const char *topic, uint64_t timeout_ms, struct err *e)
{
    rd_kafka_error_t *error = rd_kafka_abort_transaction(producer->link.handle, (int)timeout_ms);
    return failed(producer, error, topic, e);
}
