/* Changes out of the headers of records that a reader of sluice wrote, without their bodies: where every sink that the
 * table's routes lead to reads columns of the primary key alone, and the record's key is the text of the business key.
 *
 * A change has one image per side, of the primary key's columns: `pk`, and `pk_before` where an update had another one
 * (sink/kafka/kafka.h). Whether that is enough is found by binding the routes to a table of these columns, once per
 * table and primary key. The body is not looked at then, whatever it holds. Private to pipeline/, source thread. */
#ifndef SLUICE_PIPELINE_APPLIER_HEADERS_H
#define SLUICE_PIPELINE_APPLIER_HEADERS_H

#include <librdkafka/rdkafka.h>

#include "partition/route.h"
#include "pipeline/pipeline.h"

struct applier_headers;

/* All borrowed; shapes are taken from `shapes`. Errors: NO_MEMORY. */
int applier_headers_new(struct applier_headers **out, const struct routes *routes, const struct pipeline_sink *sinks,
                        unsigned sink_count, struct shape_cache *shapes, struct err *e);
void applier_headers_free(struct applier_headers *headers); /* accepts NULL */

/* What a record has beside its body; borrowed. */
struct applier_head {
    const rd_kafka_headers_t *headers; /* NULL: none */
    const char *key;                   /* NULL: none */
    size_t key_len;
};

/* 1: the row, with tx and all it points to in `arena`, or the record's key. 0: the body must be parsed: a header is
 * missing or says what is not known here, the names hold dots, or a sink reads more. Errors: CORRUPT with the header's
 * name (it is there and cannot be read), NO_MEMORY, LIMIT. */
int applier_headers_take(struct applier_headers *headers, const struct applier_head *record, struct change *out,
                         struct tx *tx, struct arena *arena, struct err *e);

#endif
