/* The schema of a row: three layers merged into one shape. Bytes (count, types, metadata, nullability) always from the
 * TABLE_MAP; names, signs, charsets, labels and keys from its optional metadata when binlog_row_metadata=FULL sends
 * them, else from a definition (`SHOW CREATE TABLE`) that is trusted only from the position noted after it was read,
 * until a DDL touches the table. What is not certain stops: nothing is guessed. Core: the reader behind it is handed
 * in. Source thread. */
#ifndef SLUICE_SCHEMA_SCHEMA_H
#define SLUICE_SCHEMA_SCHEMA_H

#include "change/shape.h"
#include "position/filepos.h"

/* Where a definition comes from; implemented by schema/server.h for a live server. NULL: no server at hand. */
struct schema_reader {
    void *ctx;
    /* Appends the text of SHOW CREATE TABLE, and the position noted after the reading. 1 = read, 0 = no such table. */
    int (*read)(void *ctx, const char *db, const char *table, struct buf *create_sql, struct filepos *noted,
                struct err *e);
};

struct schema;

int schema_new(struct schema **out, const struct schema_reader *reader, struct err *e);
void schema_free(struct schema *schema); /* frees the shapes: after every user of them */

/* The shape of a wanted table's TABLE_MAP at a place in the log. The same content gives the same shape. Errors:
 * SCHEMA_UNKNOWN (no metadata, and no definition that is certain at `at`; names table and ways out), SCHEMA_MISMATCH
 * (the definition does not fit the bytes), VALUE_UNSUPPORTED (type that cannot be walked), CORRUPT, reader's errors. */
int schema_resolve(struct schema *schema, const struct wire_table *wire, const struct filepos *at,
                   const struct shape **out, struct err *e);

/* Reads the definition now, so that it is trusted from now on: at start, before the first event, and after a DDL. 0
 * also when the table does not exist. */
int schema_refresh(struct schema *schema, const char *db, const char *table, struct err *e);

/* A DDL changed the table at `at`: its definition is no longer trusted. table NULL: the whole database; both NULL:
 * everything (another server). */
void schema_forget(struct schema *schema, const char *db, const char *table);

/* The wanted tables met so far, one by one from 0: names and what is known of the columns; NULL behind the last.
 * Borrowed until the next call of another function here. */
const struct table *schema_known(struct schema *schema, size_t index);

/* The table as it is known now (for config checks at start), NULL when it is not. Borrowed until the next call. */
const struct table *schema_current(struct schema *schema, const char *db, const char *table);

#endif
