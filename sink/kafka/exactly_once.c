/* Delivery exactly_once: batches and the marks behind them in one transaction of Kafka. */
#include "sink/kafka/kafka_private.h"
#include "sink/kafka/transaction.h"

#define CLOSE_MS 1000

int kafka_exactly_outcome(struct kafka_sink *to, int rc, struct err *e)
{
    if (rc < 0 && err_class(e) == ERR_CLASS_RETRY && to->in_tx && !to->is_asked)
        rc = kafka_tx_reason(&to->producer, to->opt->topic, e);
    if (rc != -(int)ERR_KAFKA_FATAL)
        return rc;
    const struct err why = *e;
    err_clear(e);
    return err_set(e, SINK_RENEW, to->marks.topic, why.text);
}

int kafka_exactly_open(struct kafka_sink *to, struct err *e)
{
    int rc = kafka_marks_open(&to->marks, &to->producer, to->marks.sink, e);
    return rc == 0 ? kafka_tx_init(&to->producer, to->marks.topic, e) : rc;
}

/* A transaction that failed goes, with all that was sent in it. */
static int abort_open(struct kafka_sink *to, struct err *e)
{
    int rc = kafka_tx_abort(&to->producer, to->marks.topic, to->opt->timeout_ms, e);
    if (rc != 0)
        return rc;
    metric_add(&to->producer.stats.aborts_total, 1);
    if (to->has_batches)
        formatted_restore(&to->formatted);
    to->producer.refused = (struct kafka_refusal){.code = RD_KAFKA_RESP_ERR_NO_ERROR};
    to->is_open = to->in_tx = to->must_abort = to->has_batches = false;
    return 0;
}

int kafka_exactly_join(struct kafka_sink *to, struct err *e)
{
    int rc = to->must_abort ? abort_open(to, e) : 0;
    if (rc != 0 || to->in_tx)
        return rc;
    rc = kafka_tx_begin(&to->producer, to->marks.topic, e);
    to->in_tx = rc == 0;
    return rc;
}

void kafka_exactly_close(struct kafka_sink *to)
{
    struct err ignored = ERR_INIT;
    if (to->in_tx && !to->is_asked)
        (void)kafka_tx_abort(&to->producer, to->marks.topic, CLOSE_MS, &ignored);
    kafka_marks_release(&to->marks);
}

int kafka_exactly_load(struct sink *snk, struct marks *out, struct err *e)
{
    return kafka_marks_load(&((struct kafka_sink *)snk)->marks, out, e);
}

/* The marks, as the last message of the transaction. What fails here for now makes all of it void. */
static int send_marks(struct kafka_sink *to, const struct marks *marks, struct err *e)
{
    int rc = kafka_exactly_join(to, e);
    if (rc == 0)
        rc = kafka_marks_send(&to->marks, marks, e);
    if (rc == 0)
        return 0;
    to->must_abort = to->in_tx;
    if (err_class(e) == ERR_CLASS_RETRY) {
        const struct err why = *e;
        err_clear(e);
        rc = err_set(e, SINK_ABORTED, to->marks.topic, why.text);
    }
    return rc;
}

int kafka_exactly_commit(struct sink *snk, const struct marks *marks, struct err *e)
{
    struct kafka_sink *to = (struct kafka_sink *)snk;
    int rc = to->is_asked ? 0 : send_marks(to, marks, e);
    if (rc != 0)
        return kafka_exactly_outcome(to, rc, e);
    to->is_asked = true;
    rc = kafka_tx_commit(&to->producer, to->marks.topic, e);
    if (rc == -(int)ERR_SINK_DOWN)
        return rc;
    to->is_asked = false;
    if (rc != 0) {
        to->must_abort = true;
        return kafka_exactly_outcome(to, rc, e);
    }
    metric_add(&to->producer.stats.transactions_total, 1);
    to->in_tx = to->has_batches = false;
    return 0;
}
