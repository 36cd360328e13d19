/* The position of a reader whose state in Kafka is lost, by what its topic holds. */
#ifndef SLUICE_PIPELINE_RECOVER_H
#define SLUICE_PIPELINE_RECOVER_H

#include "pipeline/settings.h"

/* Partitions are written in the order of the log, so each holds all of its changes up to its newest record. Where the
 * oldest of these newest records lies, nothing before is missing. */
struct recovered {
    struct position pos; /* begin of that record's transaction, with what was committed before */
    uint32_t epoch;      /* the highest of the newest records */
    uint64_t reader;     /* the highest number of a reader; 0: none has one */
    unsigned empty;      /* partitions without a record */
};

struct recover_options {
    const struct settings *settings; /* of a reader: settings_of_reader */
    const struct env *env;
    bool skip_empty; /* partitions without a record do not count; else they are refused */
};

/* Stores nothing. Fences a reader that runs with exactly_once; reads the topic, then the file that the record names
 * from the server, up to the record. *out is the caller's: position_release. Errors: USAGE (a topic that depends on the
 * table), POSITION_LOST, the topic's and the server's, such as BINLOG_PURGED. */
int recover_find(struct recovered *out, const struct recover_options *opt, struct err *e);

/* Makes it the position of all sinks. What is read from there on begins an epoch behind the highest that the topic has,
 * so that its versions rise, readers are numbered behind the highest, and what sinks have stored themselves counts for
 * nothing. Errors: USAGE when a position is
 * stored, the state's. */
int recover_store(const struct recovered *found, const struct settings *settings, struct state *state, struct err *e);

/* What the numbers of readers are counted from, since take-overs are counted anew in a topic that was made anew; 0
 * unless recover_store said more. Errors: the state's, STATE_CORRUPT. */
int recover_reader_base(uint64_t *out, struct state *state, struct err *e);

#endif
