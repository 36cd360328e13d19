/* State in Kafka: the state topic holds what a reader must not lose (state.h), so that a reader on another machine
 * needs nothing of this one. The directory is a copy to work with: it is restored from the topic when it is opened, and
 * each change is committed to the topic before it is made there.
 *
 * Messages of the topic, by key; integers are little-endian:
 *     format                    "1"
 *     record/NAME/PART          total size (8), bytes of the record's file from PART · PART_BYTES on
 *     log/NAME                  number of the log's present generation, as text
 *     log/NAME/GENERATION/PART  place (8), bytes of the log's file from there on
 *     reader                    a take-over; of no meaning here
 * Each change is one transaction of Kafka. A log that is rewritten begins a new generation, and the messages of the old
 * one get tombstones. The topic has one transactional writer, whose id is the topic's name: opening fences the one
 * before. */
#ifndef SLUICE_SINK_KAFKA_STATE_H
#define SLUICE_SINK_KAFKA_STATE_H

#include "sink/kafka/kafka.h"
#include "state/state.h"

#define KAFKA_STATE_READER "reader" /* key of take-overs */

/* What a reader writes when it becomes active, as JSON: host, process, time, and a token of its own. */
struct kafka_takeover {
    char text[256];
    int64_t offset; /* in the state topic: rises with each take-over */
};

struct kafka_state_place {
    const struct kafka_options *opt; /* borrowed, as is env */
    const struct env *env;
    const char *dir; /* STATE_OWN: of the copy, made when missing; its records and logs are replaced. STATE_READ: not
                        used, a private directory is made and removed by state_close */
    struct kafka_takeover *takeover; /* STATE_OWN: filled; NULL: none is written */
};

/* STATE_OWN fences who has it, makes the topic when it is absent, and holds the directory's lock. STATE_READ disturbs
 * nobody; an absent topic is an empty state. Errors: SINK_DOWN (RETRY: call again), KAFKA_STATE_TOPIC, STATE_TOPIC for
 * what does not belong there, those of state.h and of kafka_refused. Later changes wait for brokers that are away. */
int kafka_state_open(struct state **out, const struct kafka_state_place *place, enum state_mode mode, struct err *e);

#endif
