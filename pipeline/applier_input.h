/* Records that Canal, Maxwell or Debezium wrote, as rows for the lanes (change/input.h parses them). The key's text is
 * made of the route's columns, as a reader makes it; a change that moves it becomes two halves, both in the record's
 * lane: the peer chose the partition. Version = epoch of the configuration, offset, row of the message. Private to
 * pipeline/, source thread. */
#ifndef SLUICE_PIPELINE_APPLIER_INPUT_H
#define SLUICE_PIPELINE_APPLIER_INPUT_H

#include "change/input.h"
#include "partition/lane.h"
#include "partition/route.h"

struct applier_input;

/* `ops` and `routes` are borrowed. Errors: NO_MEMORY. */
int applier_input_new(struct applier_input **out, const struct input_ops *ops, const struct routes *routes,
                      uint32_t epoch, struct err *e);
void applier_input_free(struct applier_input *input); /* accepts NULL; frees the shapes of its rows */

struct applier_rows {
    struct tx tx;
    const struct lane_row *list;
    unsigned count;
};

/* The rows of a record, none of one that is passed; valid until the next call. Errors: CORRUPT or of the route (the
 * record cannot be applied), TRUNCATE_STOP, NO_MEMORY, LIMIT. */
int applier_input_take(struct applier_input *input, const struct input_record *record, int64_t offset,
                       struct applier_rows *out, struct err *e);

/* What a statement of such a topic means for the routed tables: 0 to go on, TRUNCATE_STOP, DDL_UNKNOWN or
 * STATEMENT_DML. Errors besides: NO_MEMORY, LIMIT. */
int applier_statement(const struct routes *routes, const struct input *in, struct arena *arena, struct err *e);

/* Rows of the table are gone: TRUNCATE_STOP unless its routes ignore that. */
int applier_truncated(const struct routes *routes, const char *db, const char *table, const char *statement,
                      struct err *e);

#endif
