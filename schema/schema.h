/* The schema of a row: three layers merged into one shape. Bytes (count, types, metadata, nullability) always from the
 * TABLE_MAP; names, signs, charsets, labels and keys from its optional metadata when binlog_row_metadata=FULL sends
 * them, else from the definition that the history has for the row's place in the log; declared types that no TABLE_MAP
 * carries from that definition in every mode, and when formats ask for it all else that it tells. The history is made
 * by the statements of the log (schema/follow.h) and by what is read from a server. What is not certain stops: nothing
 * is guessed. Core: the reader behind it is handed in. Source thread. */
#ifndef SLUICE_SCHEMA_SCHEMA_H
#define SLUICE_SCHEMA_SCHEMA_H

#include "change/shape.h"
#include "change/source.h"
#include "position/filepos.h"
#include "schema/history.h"

/* Where a definition was read. Borrowed from the reader until its next call. */
struct schema_reading {
    struct history_where where;  /* noted after the reading: it holds from here on. All empty: it is taken for the whole
                                  * log, and statements of the log do not change it */
    struct history_where before; /* noted before the reading: what the log has in between, it may have or not; file "":
                                  * nothing lies in between */
};

/* Where definitions come from; implemented by schema/server.h for a live server. NULL: no server at hand. */
struct schema_reader {
    void *ctx;
    /* Appends the text of SHOW CREATE TABLE. 1 = read, 0 = no such table (*out is set all the same). */
    int (*read)(void *ctx, const char *db, const char *table, struct buf *create_sql, struct schema_reading *out,
                struct err *e);
};

struct schema;

/* With a history of its own, in memory. Both must outlive it. Errors: NO_MEMORY. */
int schema_new(struct schema **out, const struct schema_reader *reader, struct err *e);

/* Upon a history that the caller keeps, and closes after it. Errors: NO_MEMORY. */
int schema_new_upon(struct schema **out, struct history *history, const struct schema_reader *reader, struct err *e);
void schema_free(struct schema *schema); /* frees the shapes: after every user of them */

/* Whether shapes that are made from now on have what only a definition tells (struct column_definition, declared types,
 * `unique`, `charset` of change/table.h) where one is certain for the row; false at first. With FULL metadata too: it
 * is looked up then, the reader being asked once where the history knows nothing, and where it is not certain, does not
 * fit or cannot be had the shape has none of it. Before the first row. */
void schema_want_definitions(struct schema *schema, bool want);

struct history *schema_history(struct schema *schema);

/* The shape of a wanted table's TABLE_MAP at a place of the log. The same content gives the same shape. Where the
 * history knows nothing, the reader is asked once. Errors: SCHEMA_UNKNOWN (no metadata, and no definition that is
 * certain at `where`; names table, reason and ways out), SCHEMA_MISMATCH (the definition does not fit the bytes),
 * VALUE_UNSUPPORTED (type that cannot be walked), TYPE_UNCERTAIN, CORRUPT, reader's and history's errors. */
int schema_resolve(struct schema *schema, const struct wire_table *wire, const struct history_where *where,
                   const struct shape **out, struct err *e);

/* The table as its definition at a place of the log tells it, sizes on the wire left out; the same definition gives the
 * same table, which lives as long as the schema. *out NULL: it is gone there, or not known. Errors: NO_MEMORY, LIMIT.
 */
int schema_defined(struct schema *schema, const char *db, const char *table, const struct history_where *where,
                   const struct table **out, struct err *e);

/* Reads the definition now and puts it into the history: at start, before the first event, and where statements of the
 * log do not tell it. 0 also when the table does not exist. */
int schema_refresh(struct schema *schema, const char *db, const char *table, struct err *e);

/* The reader may be asked again about what is not known: it is another server, or later, or a statement changed the
 * table. table NULL: the whole database; both NULL: everything. The history stays. */
void schema_forget(struct schema *schema, const char *db, const char *table);

/* The tables met so far, one by one from 0, those of the history among them; false behind the last. A table may come
 * twice. Borrowed until the next call of another function here. */
bool schema_known(struct schema *schema, size_t index, struct ddl_table *out);

/* The table as it is known now (for config checks at start), NULL when it is not. Borrowed until the next call. */
const struct table *schema_current(struct schema *schema, const char *db, const char *table);

#endif
