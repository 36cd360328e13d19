/* Kafka's transactions of a producer that was opened with a transactional id. Each call waits at most timeout_ms of the
 * options, or as long as it says. In a transaction that failed nothing but kafka_tx_abort is of use. Source of the
 * rules: librdkafka's rdkafka.h, "Transactional producer API". */
#ifndef SLUICE_SINK_KAFKA_TRANSACTION_H
#define SLUICE_SINK_KAFKA_TRANSACTION_H

#include "sink/kafka/producer.h"

/* Before anything else: fences whoever had the id, and aborts what they left open. `topic` names what is written, for
 * errors. Errors: SINK_DOWN (call again), SINK_RIGHTS, SINK_LOGIN, KAFKA_FATAL. */
int kafka_tx_init(struct kafka_producer *producer, const char *topic, struct err *e);

/* Errors: SINK_ABORTED, and those that stop. */
int kafka_tx_begin(struct kafka_producer *producer, const char *topic, struct err *e);

/* Why the open transaction failed, where librdkafka said SINK_ABORTED: the same code with the reason, or SINK_RIGHTS,
 * which no other try would mend. Changes nothing. */
int kafka_tx_reason(struct kafka_producer *producer, const char *topic, struct err *e);

/* Waits for all reports. Errors: SINK_DOWN: not known yet, call it again; SINK_ABORTED: abort, then all of it again;
 * KAFKA_FENCED and others that stop. */
int kafka_tx_commit(struct kafka_producer *producer, const char *topic, struct err *e);

/* Gives up what is on its way and the transaction, if one is open. Errors: SINK_DOWN: call it again; those that stop.
 */
int kafka_tx_abort(struct kafka_producer *producer, const char *topic, uint64_t timeout_ms, struct err *e);

#endif
