/* A table's definition (SHOW CREATE TABLE) as a layer of the schema: it completes what the log's bytes do not say.
 * Core.
 */
#ifndef SLUICE_SCHEMA_DEFINITION_H
#define SLUICE_SCHEMA_DEFINITION_H

#include "base/buf.h"
#include "change/table.h"
#include "schema/create_table.h"

struct definition;

/* A definition's text as the parser of CREATE TABLE takes it: UTF-8, sql_mode ''; `db` is the default database. */
void definition_statement(struct ddl_statement *out, const char *db, const char *sql, size_t len);

/* Parses the text of a CREATE TABLE in UTF-8; `db` is the default database. Errors: TABLE_DEFINITION, NO_MEMORY. */
int definition_new(struct definition **out, const char *db, const char *sql, size_t len, struct err *e);
void definition_free(struct definition *def); /* accepts NULL */

/* The table as the definition alone knows it: names, families, signs, charsets, labels, keys and all that
 * definition_attach tells are right; sizes on the wire are not in it. Borrowed from `def`. */
const struct table *definition_table(const struct definition *def);

/* The same table in an arena of the caller's. Errors: as definition_new. */
int definition_read(struct table **out, const char *db, const char *sql, size_t len, struct arena *arena,
                    struct err *e);

/* Completes `tbl`, whose columns have their wire types and what metadata the log sent: names, signs, charsets, labels,
 * declared types and the primary key, copied into `arena`. What the log says goes before. Labels stay unknown where
 * the text does not tell them: servers print `?` for characters beyond the BMP. Errors: SCHEMA_MISMATCH when they
 * contradict each other, NO_MEMORY. */
int definition_merge(const struct definition *def, struct table *tbl, struct column *columns, struct arena *arena,
                     struct err *e);

/* Adds to columns whose names the log told what their declared types alone tell (coltype_declare), where name and type
 * agree. Not `certain`: the definition may be younger than the rows. It then serves still for how a value is printed,
 * but not for how many bytes it has. */
void definition_declare(const struct definition *def, struct table *tbl, struct column *columns, bool certain);

/* Attaches what formats of other programs ask for (struct column_definition, declared types, `unique`, `charset`) to
 * columns that have their names, copied into `arena`; nothing where the columns are not, one by one, those of the
 * definition by name, type and nullability. The definition is one that is certain for the row. Errors: NO_MEMORY. */
int definition_attach(const struct definition *def, struct table *tbl, struct column *columns, struct arena *arena,
                      struct err *e);

#endif
