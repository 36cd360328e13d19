/* The sink's own struct, seen by kafka.c (its life, batches), messages.c (records become messages) and exactly_once.c
 * (transactions). */
#ifndef SLUICE_SINK_KAFKA_KAFKA_PRIVATE_H
#define SLUICE_SINK_KAFKA_KAFKA_PRIVATE_H

#include "sink/kafka/bounds.h"
#include "sink/kafka/headers.h"
#include "sink/kafka/marks_topic.h"
#include "sink/kafka/oversize.h"
#include "sink/kafka/topics.h"

/* By what a batch is known that comes again. */
struct batch_id {
    size_t count;
    struct batch_end {
        struct version version;
        enum change_op op;
        unsigned lane;
    } first, last;
};

struct kafka_sink {
    struct sink base;
    const struct kafka_options *opt;
    const struct env *env;
    struct formatted formatted;
    struct kafka_producer producer;
    struct kafka_topics topics;
    struct kafka_scratch scratch;
    struct kafka_oversize oversize;
    struct kafka_bounds bounds;
    struct batch_id batch;
    bool is_open; /* the records are those of `batch`, and sent up to `next` */
    size_t next;
    unsigned next_partition; /* of `next`, when it goes to all of them */

    /* exactly_once */
    bool in_tx;       /* a transaction is open */
    bool must_abort;  /* it failed */
    bool is_asked;    /* its commit was asked for, and the answer is awaited */
    bool has_batches; /* the formats' marks are from before its first batch */
    struct kafka_marks marks;
};

static inline bool kafka_is_exactly_once(const struct kafka_options *opt)
{
    return opt->delivery == KAFKA_EXACTLY_ONCE;
}

/* Sends the record `to->next` of the batch: KAFKA_SENT, KAFKA_FULL, or an error with the change's place. A TRUNCATE of
 * sluice's own format goes to every partition, unless it is of its lane only; behind KAFKA_FULL it goes on from
 * `to->next_partition`. */
int kafka_send_next(struct kafka_sink *to, const struct item *items, struct err *e);

/* What became of the first message that was refused, with the change's place. */
int kafka_tell_refused(const struct kafka_sink *to, const struct item *items, struct err *e);

/* exactly_once.c. open: fences whoever had the id, and finds the topic of marks. join: what failed is aborted, and a
 * transaction is open. close: an open one is given up, for a second at most. */
int kafka_exactly_open(struct kafka_sink *to, struct err *e);
int kafka_exactly_join(struct kafka_sink *to, struct err *e);
void kafka_exactly_close(struct kafka_sink *to);

/* rc of a step in a transaction: what it failed for is told, and what librdkafka cannot go on from asks for another
 * instance, SINK_RENEW. A broker that was killed may know another state of the transaction than librdkafka, which gives
 * up then. */
int kafka_exactly_outcome(struct kafka_sink *to, int rc, struct err *e);
int kafka_exactly_load(struct sink *snk, struct marks *out, struct err *e);
int kafka_exactly_commit(struct sink *snk, const struct marks *marks, struct err *e);

#endif
