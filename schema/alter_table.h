/* ALTER TABLE, CREATE INDEX and DROP INDEX applied to the definition of a table, as the server that ran the statement
 * applies them: clauses take effect by kind and not in the order in which they are written, names of what is there are
 * those before the statement, and AFTER names those behind it. Statements of a log have succeeded: what the server
 * refuses is not looked for. What is not understood is an error, never a guess. Core, pure.
 *
 * Sources: mysql_prepare_alter_table and handle_if_exists_options in sql/sql_table.cc of both servers; manual pages
 * "ALTER TABLE". Judged by the servers themselves: tests/golden/alter_table. */
#ifndef SLUICE_SCHEMA_ALTER_TABLE_H
#define SLUICE_SCHEMA_ALTER_TABLE_H

#include "schema/create_table.h"

/* `after` is what `stmt` makes of `before`, which stays as it is and must live as long as `after`; all else lives in
 * the arena. A name behind RENAME is in `after`; moving the table is the caller's. Whether the statement names the
 * table of `before` at all is the caller's too. ctx: as for create_table_parse. Errors: TABLE_DEFINITION, NO_MEMORY.
 * `after` is untouched then. */
int alter_table_apply(struct create_table *after, const struct create_table *before, const struct ddl_statement *stmt,
                      const struct create_context *ctx, struct arena *arena, struct err *e);

#endif
