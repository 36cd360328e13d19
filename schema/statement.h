/* A statement of the log as formats show it: its kind, and the definitions of the wanted tables that it names, before
 * and after it, out of the history. Core. Source thread. */
#ifndef SLUICE_SCHEMA_STATEMENT_H
#define SLUICE_SCHEMA_STATEMENT_H

#include "change/statement.h"
#include "schema/follow.h"

/* After schema_follow. *out in the arena; NULL: it is none of enum statement_kind, or concerns no wanted table and no
 * database in which one may be. Errors: NO_MEMORY, LIMIT. */
int schema_show_statement(struct schema *schema, const struct schema_statement *st, const struct interest *interest,
                          struct arena *arena, const struct statement **out, struct err *e);

#endif
