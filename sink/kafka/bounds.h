/* The bounds of transactions, in a topic of their own (`transaction_topic`), all in its partition 0. Key: the id.
 *     {"status":"begin","id":"…","version":"…","ts_us":…,"commit_precision":"us","gtid":"…","file":"…","pos":…}
 *     {"status":"end", … as of begin …,"records":N}
 * id: the GTID, where there is none file:pos of the transaction's begin. version: what the versions of all its records
 * begin with, 25 characters. records: how many it has in all partitions; the halves of a key move are two, a TRUNCATE
 * has one in each partition. A transaction without a record here has no bounds either. */
#ifndef SLUICE_SINK_KAFKA_BOUNDS_H
#define SLUICE_SINK_KAFKA_BOUNDS_H

#include "sink/kafka/producer.h"

struct kafka_bounds {
    rd_kafka_topic_t *topic; /* NULL: they are not asked for */
};

/* Finds the topic. Errors: those of kafka_kept_topic. */
int kafka_bounds_open(struct kafka_bounds *bounds, struct kafka_producer *producer, struct err *e);

/* Before the producer is closed; accepts one that is all zero. */
void kafka_bounds_release(struct kafka_bounds *bounds);

/* Adds the record of a CHANGE_BEGIN or CHANGE_END. Errors: NO_MEMORY, LIMIT. */
int kafka_bounds_add(struct record_list *out, const struct change *chg, size_t item, struct err *e);

#endif
