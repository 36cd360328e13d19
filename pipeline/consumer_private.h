/* What consumer.c (handle and group) and consumer_begin.c (where a group begins, where it cannot go on) share. */
#ifndef SLUICE_PIPELINE_CONSUMER_PRIVATE_H
#define SLUICE_PIPELINE_CONSUMER_PRIVATE_H

#include "pipeline/consumer.h"
#include "pipeline/topic_watch.h"

/* What the log was told last: an answer that comes again and again is told every ten seconds. */
struct consumer_told {
    rd_kafka_resp_err_t code;
    int64_t again_us;
};

struct consumer {
    struct consumer_options opt;
    rd_kafka_t *handle;
    bool joined, paused, up;
    bool given;       /* the group has given this member something, if only nothing */
    bool committing;  /* a commit of consumer_commit is not answered yet */
    bool commit_done; /* since consumer_commit_wait began */
    rd_kafka_resp_err_t commit_code;
    rd_kafka_queue_t *commits;                /* answers to consumer_commit */
    rd_kafka_topic_partition_list_t *gaining; /* given by the group, their offsets are not known yet; NULL: none */
    int64_t gain_us;                          /* when they are asked for next */
    struct topic_watch missing;
    struct consumer_told told_broker, told_commit, told_gain;
    struct err fatal; /* told by librdkafka outside of records */
};

/* True for errors that waiting does not heal, with those of a topic that is not known. */
bool consumer_stops(rd_kafka_resp_err_t code);

/* What a broker answered outside of records: it ends the consumer (fatal), begins to watch for the topic, or passes. */
void consumer_heard(struct consumer *consumer, rd_kafka_resp_err_t code, const char *text);

/* True when the log is to be told of it. */
bool consumer_tells(struct consumer *consumer, struct consumer_told *told, rd_kafka_resp_err_t code);

/* librdkafka's rebalance callback; ctx: the consumer. */
void consumer_on_rebalance(rd_kafka_t *handle, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *parts,
                           void *ctx);

/* Between two polls: partitions that were given are read from the group's offsets, as soon as these are known. Asks for
 * a second at most. */
void consumer_gain(struct consumer *consumer);

/* What was given and is not read yet is read no more: the group may be left. */
void consumer_gain_end(struct consumer *consumer);

/* The topic is there, as the configuration wants it, and every partition has an offset of the group: those of a first
 * start are made. Errors: KAFKA_AWAY (RETRY), KAFKA_PARTITIONS, KAFKA_CONSUMING, KAFKA_OFFSET, those of state. */
int consumer_begin(struct consumer *consumer, struct err *e);

/* Sets KAFKA_OFFSET for a partition whose offset cannot be read from, with the gap. */
int consumer_tell_offset(struct consumer *consumer, int32_t partition, struct err *e);

#endif
