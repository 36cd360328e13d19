/* The consumer of a bus of type kafka: membership in the group, the group's first offsets, commits, and what an error
 * means. Private to pipeline/. One thread calls all of it; librdkafka's own threads call nothing of ours.
 *
 * Cooperative-sticky, read_committed, no automatic commit. A group's first start commits an offset for every partition;
 * from then on an offset that is missing or out of range stops: there is no reset. That a group has started is also
 * kept in the state, so that offsets that the brokers let expire are not taken for a first start here. Brokers that are
 * away are waited for. What brokers answer and what is done: docs/kafka.md, "Reactions of the consumer". */
#ifndef SLUICE_PIPELINE_CONSUMER_H
#define SLUICE_PIPELINE_CONSUMER_H

#include <librdkafka/rdkafka.h>

#include "config/option.h"
#include "state/state.h"

enum consumer_from { FROM_EARLIEST, FROM_LATEST };

struct consumer_options {
    const struct env *env;
    const struct option_list *brokers, *properties;
    const char *sasl_password; /* NULL: none */
    const char *topic, *group;
    const char *instance_id; /* of a static member; NULL: none */
    enum consumer_from from;
    unsigned lanes;      /* partitions that the topic must have */
    unsigned missing_ms; /* a topic that was there may be unknown for so long */
    struct state *state;

    /* Called in consumer_poll and consumer_close. gained: these partitions are read from now on; they have the offsets
     * and metadata that the group has committed. leaving: they go when it returns, also some that were not gained yet;
     * what is due is committed by it, but when they are lost already. */
    void (*gained)(void *ctx, const rd_kafka_topic_partition_list_t *parts);
    void (*leaving)(void *ctx, const rd_kafka_topic_partition_list_t *parts, bool lost);
    void (*not_committed)(void *ctx, int32_t partition); /* of consumer_commit, later; in consumer_poll */
    bool (*ends)(void *ctx);                             /* asked while brokers are waited for */
    void *ctx;
};

struct consumer;

/* What the options say to librdkafka, without I/O. Errors: KAFKA_PROPERTY, KAFKA_CONSUMER, NO_MEMORY. */
int consumer_new(struct consumer **out, const struct consumer_options *opt, struct err *e);

/* Waits for the brokers, checks topic and offsets, makes the first ones, and joins the group. Errors: KAFKA_PARTITIONS,
 * KAFKA_CONSUMING (rights), KAFKA_OFFSET, INTERRUPTED, those of state. */
int consumer_join(struct consumer *consumer, struct err *e);

/* CONSUMER_RECORD; CONSUMER_END: (*out)->offset is the end of its partition as it is now. *out is the caller's
 * (rd_kafka_message_destroy). CONSUMER_NOTHING within the time. Errors: KAFKA_CONSUMING, KAFKA_OFFSET, KAFKA_PARTITIONS
 * (some were added), KAFKA_DAMAGED. */
enum { CONSUMER_NOTHING, CONSUMER_RECORD, CONSUMER_END };
int consumer_poll(struct consumer *consumer, int timeout_ms, rd_kafka_message_t **out, struct err *e);

/* No records of what is assigned, also later, until they are let come again: the group is served without them. */
void consumer_pause(struct consumer *consumer, bool pause);

/* Offsets on their way; not_committed tells later which did not arrive. Only when none are: librdkafka sends a commit
 * again that was refused for now, and a later one would then be overtaken by it, so that the group stands at the
 * former. */
bool consumer_commits(const struct consumer *consumer); /* some are on their way */
void consumer_commit(struct consumer *consumer, const rd_kafka_topic_partition_list_t *offsets);

/* The same, waiting for the answer at most so long: true when they arrived. */
bool consumer_commit_wait(struct consumer *consumer, const rd_kafka_topic_partition_list_t *offsets, int timeout_ms);

/* librdkafka's own, for questions of another thread; until consumer_close. */
rd_kafka_t *consumer_handle(const struct consumer *consumer);

/* Some broker was heard since all were away. */
bool consumer_is_up(const struct consumer *consumer);

void consumer_close(struct consumer *consumer); /* leaves the group; accepts NULL */

#endif
