/* The Kafka sink: each change becomes the records of its route's format, one message each, in the partition of its
 * lane.
 *
 * Partition = lane, always set explicitly: lanes are murmur2 of the business key as Kafka's Java producer computes it,
 * so the order per key holds whatever the record key is. A topic whose number of partitions is not that of the lanes is
 * refused. The topic is one name, or a template of {db} and {table}; order is kept within each topic.
 *
 * at_least_once: idempotent producer, acks=all. A batch is done when each of its messages has a good delivery report;
 * until then it is in the memory of the format's records, which librdkafka borrows. While brokers are away messages
 * never time out: apply gives up after timeout_ms without a report (RETRY), the messages stay on their way, and the
 * next apply goes on waiting for them, so an outage costs no memory and no repeats. What librdkafka calls fatal,
 * rights, login, a missing topic, a wrong number of partitions and a message that is too large stop.
 *
 * exactly_once: batches go in transactions of Kafka, and the marks behind them in the same one (sink.h, keeping.h;
 * marks_topic.h). What fails for now is aborted and comes again. Opening the sink fences whoever had its id.
 *
 * Messages of sluice's own JSON carry headers, all text, so that who invalidates by key columns need not read the body:
 *     op       insert update delete read truncate    table    db.table
 *     version  as in the body                        format   sluice
 *     commit   Unix time, µs                         gtid     where there is one
 *     pos      file:pos of the event                 pk       {"column":value,…}
 *     pk_before  of the image before, where it is another; {} where that image lacks a column of it
 *     half     from or to: of a change whose key moved
 *     reader   at_least_once of a bus: number of the reader, which rises with each take-over
 * Records of other formats have the peer's headers.
 *
 * transaction_topic: `begin` and `end` of each transaction as records of their own (bounds.h).
 *
 * Compaction keeps the newest message of a key, and a tombstone ends all of its key: both need keys that name one row,
 * with its table where several share the topic (keys.c). Else they are refused at start.
 *
 * Files: options.c the tables and librdkafka's configuration; keys.c what record keys name; link.c what an error means;
 * producer.c the handle, messages and their reports; transaction.c Kafka's transactions; admin.c questions about
 * topics; state_topic.c the topics of state; dead_letters.c what cannot pass, in a topic of its own; kept_topic.c such
 * topics; bounds.c those of transactions; oversize.c what is larger than a topic takes; read_back.c a topic read to its
 * end; newest.c the newest record of a partition; topics.c which exist and which are made; headers.c headers and record
 * keys; kafka.c the sink. All of one instance belongs to one thread; librdkafka's own threads call nothing of ours. */
#ifndef SLUICE_SINK_KAFKA_KAFKA_H
#define SLUICE_SINK_KAFKA_KAFKA_H

#include <librdkafka/rdkafka.h>

#include "sink/formatted.h"
#include "sink/kinds.h"

#define KAFKA_TOPIC_MAX  249 /* bytes of a topic's name: Kafka's limit */
#define KAFKA_DEAD_OWN   "dead letters need a topic of their own"
#define KAFKA_BOUNDS_OWN "transaction_topic must be a topic of its own"
#define KAFKA_STATE_ROOM 16 /* bytes of a topic name behind that of the state topic, for others of its kind */

enum kafka_delivery { KAFKA_AT_LEAST_ONCE, KAFKA_EXACTLY_ONCE };
enum kafka_oversize_way { KAFKA_OVERSIZE_STOP, KAFKA_OVERSIZE_KEYS_ONLY, KAFKA_OVERSIZE_DEAD_LETTER };
enum kafka_record_key { KAFKA_KEY_BUSINESS, KAFKA_KEY_PRIMARY, KAFKA_KEY_PEER };

/* As the option table fills it. */
struct kafka_options {
    struct option_list brokers;
    const char *topic;
    int delivery;   /* enum kafka_delivery */
    int record_key; /* enum kafka_record_key */
    bool create_topics;
    uint64_t replication;          /* 0: the brokers' default */
    uint64_t min_insync_replicas;  /* 0: likewise */
    const char *state_topic;       /* NULL: see kafka_state_topic */
    const char *dead_letter_topic; /* NULL: none, what cannot pass stops */
    const char *transaction_topic; /* NULL: bounds of transactions are told nowhere */
    uint64_t timeout_ms;
    uint64_t transaction_ms;
    struct option_list properties;
    const char *sasl_password;
    int oversize; /* enum kafka_oversize_way */

    /* By kafka_check_routes: */
    const char *not_compacted; /* why a compacted topic would lose rows; NULL: it would not */
    const struct route *routes;
    unsigned route_count, sink; /* the sink's bit in their masks */
    /* Of a bus: what the sinks behind it read, one per route. NULL: keys alone. */
    const struct kafka_reads *reads;
};

struct kafka_reads {
    bool whole; /* all of the row */
    const char *const *columns;
    unsigned count;
};

extern const struct option kafka_option_table[];

/* Checks what the table cannot, properties against librdkafka's list; no I/O. USAGE class. */
int kafka_check(const void *opt, struct err *e);

/* As struct sink_ops says: no topic for bounds or letters is a topic of the other. */
int kafka_check_beside(const void *opt, const void *other, struct err *e);

/* check_routes of struct sink_ops: fills what is its. Errors: KAFKA_TOMBSTONES, CONFIG_VALUE (oversize: keys_only with
 * a format that cannot leave out columns; transaction_topic with more than one form, or with another's). */
int kafka_check_routes(void *opt, const struct route *routes, unsigned count, unsigned sink, struct err *e);

/* librdkafka's configuration by the options; rd_kafka_new takes it, or rd_kafka_conf_destroy. transactional_id may be
 * NULL. Errors: NO_MEMORY, KAFKA_PROPERTY. */
int kafka_conf_new(rd_kafka_conf_t **out, const struct kafka_options *opt, const char *transactional_id, struct err *e);

/* True when the topic depends on the table. */
bool kafka_topic_varies(const struct kafka_options *opt);

/* The topic of a table. Errors: KAFKA_TOPIC_NAME. */
int kafka_topic_name(const struct kafka_options *opt, const char *db, const char *table, char out[KAFKA_TOPIC_MAX + 1],
                     struct err *e);

/* The topic for what must outlive the process: `state_topic`, or the topic's name with `.state` behind it. Errors:
 * KAFKA_TOPIC_NAME. */
int kafka_state_topic(const struct kafka_options *opt, char out[KAFKA_TOPIC_MAX + 1], struct err *e);

#endif
