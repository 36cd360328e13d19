/* The newest record of a partition of a reader's topic, as its headers tell it (kafka.h): how far the partition is
 * written, for a reader whose state is lost. */
#ifndef SLUICE_SINK_KAFKA_NEWEST_H
#define SLUICE_SINK_KAFKA_NEWEST_H

#include "position/filepos.h"
#include "position/gtid.h"
#include "position/version.h"
#include "sink/kafka/read_back.h"

struct kafka_newest {
    bool found; /* false: no record is left, or none was ever written */
    int64_t offset;
    struct filepos at; /* of the event */
    struct version version;
    char gtid[GTID_TEXT_MAX]; /* of the transaction; "" without */
    uint64_t reader;          /* highest number of a reader, of this and some records before; 0: none has one */
};

/* Before a topic of delivery exactly_once is read: fences the sink of this name and aborts what it left open, which the
 * reading would wait for. Errors: those of kafka_tx_init. */
int kafka_newest_settle(const struct kafka_options *opt, const char *sink, const struct env *env, struct err *e);

/* Of what is committed. Errors: POSITION_LOST when the newest record has not the headers of sluice's own JSON; those of
 * kafka_read_back. */
int kafka_newest_read(const struct kafka_read *read, struct kafka_newest *out, struct err *e);

#endif
