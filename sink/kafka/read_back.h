/* Reading one partition of a topic to its end, as of what is committed. With a consumer of its own, for the length of a
 * call; no group is joined. */
#ifndef SLUICE_SINK_KAFKA_READ_BACK_H
#define SLUICE_SINK_KAFKA_READ_BACK_H

#include "sink/kafka/kafka.h"

struct kafka_read {
    const struct kafka_options *opt;
    const struct env *env;
    const char *topic;
    int partition; /* 0: the only one of a topic of state */
};

/* One message, borrowed for the call. A negative result (by err_set on e) ends the reading. */
typedef int kafka_visit(void *ctx, const rd_kafka_message_t *message, struct err *e);

/* Visits all messages from offset `from` (0 and what retention took: from the first) to the end that the partition has
 * when it is asked. A transaction that is open there is waited for. *end, if not NULL: the offset behind. Errors:
 * SINK_DOWN (RETRY) when nothing is heard for timeout_ms, SINK_RIGHTS, SINK_LOGIN, KAFKA_TOPIC_MISSING, NO_MEMORY,
 * those of visit. */
int kafka_read_back(const struct kafka_read *read, int64_t from, kafka_visit *visit, void *ctx, int64_t *end,
                    struct err *e);

/* Visits messages from the end backwards in growing stretches, in order within each, until *found is true behind one or
 * all were visited; what it visited in a stretch before comes again in the next. Errors: as above. */
int kafka_read_newest(const struct kafka_read *read, kafka_visit *visit, void *ctx, const bool *found, struct err *e);

/* The last message with this key: 1 and its value in `out` (emptied first), 0 when there is none. Reads from the end
 * backwards, in growing stretches. Errors: as above. */
int kafka_read_last(const struct kafka_read *read, const char *key, struct buf *out, struct err *e);

#endif
