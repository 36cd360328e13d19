/* Headers and record keys of messages. */
#ifndef SLUICE_SINK_KAFKA_HEADERS_H
#define SLUICE_SINK_KAFKA_HEADERS_H

#include "base/arena.h"
#include "sink/kafka/kafka.h"

/* Memory of one message's parts, for the next one again. */
struct kafka_scratch {
    struct arena arena;
    struct buf text;
    uint64_t reader; /* number of the reader, 0: none, has a header */
};

void kafka_scratch_init(struct kafka_scratch *scratch);
void kafka_scratch_release(struct kafka_scratch *scratch);

/* Those of sluice's own JSON, see kafka.h; the caller's. Errors: as value_read, NO_MEMORY. */
int kafka_headers_own(rd_kafka_headers_t **out, const struct change *chg, struct kafka_scratch *scratch, struct err *e);

/* A peer's, which the format wrote as a JSON object: texts as they are, other values as JSON. The caller's. Errors: BUG
 * (it is none), NO_MEMORY. */
int kafka_headers_peer(rd_kafka_headers_t **out, const uint8_t *json, size_t len, struct err *e);

/* {"table":"db.table","pk":{"id":1}} in scratch->text; empty where the image has no primary key. Errors: as value_read,
 * NO_MEMORY. */
int kafka_key_primary(const struct change *chg, struct kafka_scratch *scratch, struct err *e);

#endif
