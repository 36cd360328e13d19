/* What consumer.c (handle and group) and consumer_begin.c (where a group begins, where it cannot go on) share. */
#ifndef SLUICE_PIPELINE_CONSUMER_PRIVATE_H
#define SLUICE_PIPELINE_CONSUMER_PRIVATE_H

#include "pipeline/consumer.h"

struct consumer {
    struct consumer_options opt;
    rd_kafka_t *handle;
    bool joined, paused, up;
    bool commit_done; /* since consumer_commit_wait began */
    rd_kafka_resp_err_t commit_code;
    struct err fatal; /* told by librdkafka outside of records */
};

/* True for errors that waiting does not heal. */
bool consumer_stops(rd_kafka_resp_err_t code);

/* The topic is there, as the configuration wants it, and every partition has an offset of the group: those of a first
 * start are made. Errors: KAFKA_AWAY (RETRY), KAFKA_PARTITIONS, KAFKA_CONSUMING, KAFKA_OFFSET, those of state. */
int consumer_begin(struct consumer *consumer, struct err *e);

/* Sets KAFKA_OFFSET for a partition whose offset cannot be read from, with the gap. */
int consumer_tell_offset(struct consumer *consumer, int32_t partition, struct err *e);

#endif
