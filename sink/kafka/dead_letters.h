/* Dead letters: what cannot pass goes to a topic of its own, with where it comes from and why in headers. One thread
 * per instance; librdkafka's own threads call nothing of ours.
 *
 * A letter has the key, the value and the headers of what it was, and behind these
 *     dead.reason     name of the error (docs/errors.md)     dead.text    the error in words
 *     dead.topic      where it was, or was to go to          dead.sink    who refused it; absent: nobody could read it
 *     dead.partition                                         dead.offset  absent: it never lay there
 * Letters keep the number of their partition, modulo the topic's. */
#ifndef SLUICE_SINK_KAFKA_DEAD_LETTERS_H
#define SLUICE_SINK_KAFKA_DEAD_LETTERS_H

#include "sink/kafka/producer.h"

struct kafka_dead_origin {
    enum err_code reason;
    const char *text;
    const char *topic;
    int32_t partition;
    int64_t offset;   /* negative: none */
    const char *sink; /* NULL: none */
};

/* Adds the headers named above; those that a former death left are taken out. Errors: NO_MEMORY. */
int kafka_dead_headers(rd_kafka_headers_t *headers, const struct kafka_dead_origin *origin, struct err *e);

/* A producer for letters alone: idempotent, acks=all, without transactions. */
struct kafka_dead_letters;

/* Connects and ensures opt->dead_letter_topic. `opt` and `env` are borrowed until the close. Errors: RETRY class
 * (brokers are away: call again), those of kafka_kept_topic, NO_MEMORY, KAFKA_PROPERTY. */
int kafka_dead_letters_open(struct kafka_dead_letters **out, const struct kafka_options *opt, unsigned lanes,
                            const struct env *env, struct err *e);

struct kafka_dead_letter {
    struct kafka_dead_origin origin;
    uint64_t id;             /* tells letters of one origin apart */
    const void *key, *value; /* NULL: none; copied */
    size_t key_len, value_len;
    const rd_kafka_headers_t *headers; /* its own, copied; NULL: none */
};

/* Waits for the brokers' report at most so long: KAFKA_DEAD_DURABLE, or KAFKA_DEAD_WAITS: call again with the same
 * letter, which is not sent twice, or leave it: it may be written or not. Any number of letters may wait; one is known
 * again by its origin's sink (the pointer), partition and offset and by its id. Errors: KAFKA_TOO_LARGE, those of
 * kafka_refused but for the RETRY class, which is waited for. */
enum { KAFKA_DEAD_WAITS, KAFKA_DEAD_DURABLE };
int kafka_dead_letters_put(struct kafka_dead_letters *letters, const struct kafka_dead_letter *letter, int timeout_ms,
                           struct err *e);

/* Why the letter waits, as far as it is known: sets KAFKA_DEAD_LETTER and returns it. */
int kafka_dead_letters_why(const struct kafka_dead_letters *letters, struct err *e);

void kafka_dead_letters_close(struct kafka_dead_letters *letters); /* accepts NULL; what is on its way is given up */

#endif
