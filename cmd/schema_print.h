/* What `sluice schema show` prints of one version of a definition. Private to cmd/. */
#ifndef SLUICE_CMD_SCHEMA_PRINT_H
#define SLUICE_CMD_SCHEMA_PRINT_H

#include "base/buf.h"
#include "schema/history.h"

const char *schema_kind_name(enum history_kind kind);       /* "defined", static */
const char *schema_origin_name(enum history_origin origin); /* "log", static */

/* Appends the GTID or the set of a place; false when it has none. */
bool schema_print_gtids(const struct history_place *place, struct buf *out);

/* One line. Errors: TABLE_DEFINITION, NO_MEMORY. */
int schema_print_json(const struct history_table *table, const struct history_version *version, struct buf *out,
                      struct err *e);

/* A comment that tells the place, then statements that `schema import` and `dump --schema` read. `db` is the database
 * of what was printed before, "" at first. */
void schema_print_sql(const struct history_table *table, const struct history_version *version, const char *db,
                      struct buf *out);

#endif
