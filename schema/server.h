/* What a live server says of its tables: definitions for the schema, the list of tables, foreign keys that change rows
 * without logging them, and databases that the log leaves out.
 *
 * Uses a connection of its own, opened when first needed and closed by schema_server_rest (so that an idle service
 * holds one connection only). Needs SELECT on the tables and REPLICATION CLIENT. One thread, but interrupt.
 * Errors of all calls besides those named: client_connect's and client_query's (CONNECT is the caller's to retry). */
#ifndef SLUICE_SCHEMA_SERVER_H
#define SLUICE_SCHEMA_SERVER_H

#include "change/source.h"
#include "client/client.h"
#include "position/position.h"
#include "schema/schema.h"

/* A statement that reads a definition waits for a running ALTER of that table: so long, not longer. It is told when it
 * has waited for the first of these, and each time it has for the second. */
#define SCHEMA_SERVER_WAIT_MS      600000
#define SCHEMA_SERVER_WAIT_TOLD_S  5
#define SCHEMA_SERVER_WAIT_AGAIN_S 60

struct schema_server;

/* Does not connect yet. `opt` is copied, its strings are borrowed. Errors: NO_MEMORY. */
int schema_server_new(struct schema_server **out, const struct client_options *opt, struct err *e);
void schema_server_free(struct schema_server *srv); /* accepts NULL */

/* Goes on with another server (after a failover). */
void schema_server_move(struct schema_server *srv, const struct client_options *opt);

/* Hears on the calling thread, inside a call, what it waits for (SCHEMA_WAITS). */
typedef void schema_server_waits(void *ctx, const struct err *why);
void schema_server_tell_waiting(struct schema_server *srv, schema_server_waits *waits, void *ctx);

/* Closes the connection until the next call. */
void schema_server_rest(struct schema_server *srv);

/* Any thread: a blocked and every later call returns INTERRUPTED soon. */
void schema_server_interrupt(struct schema_server *srv);

/* For schema_new; lives as long as `srv`. A view, or a table that is not there, is "no such table". */
const struct schema_reader *schema_server_reader(struct schema_server *srv);

/* Calls `visit` for each table of the server that is not the server's own; a negative result ends the visit. */
typedef int schema_server_visit(void *ctx, const char *db, const char *table, struct err *e);
int schema_server_tables(struct schema_server *srv, schema_server_visit *visit, void *ctx, struct err *e);

/* The end of the binlog now, with all GTIDs before it (NULL when the server numbers nothing). MariaDB's are asked for
 * behind the offset and may be later than it. *out is initialised by the caller. Errors: BINLOG_OFF. */
int schema_server_point(struct schema_server *srv, struct position *out, struct err *e);

/* Appends the text of SHOW CREATE TABLE: 1, or 0 when there is no such table. Waits for a running ALTER of it. Errors:
 * SCHEMA_WAITS (RETRY) when that takes too long. */
int schema_server_definition(struct schema_server *srv, const char *db, const char *table, struct buf *text,
                             struct err *e);

/* Between these the table is not altered: any statement that would waits, as it does for a SELECT. 0 also when there is
 * no such table. */
int schema_server_hold(struct schema_server *srv, const char *db, const char *table, struct err *e);
int schema_server_let_go(struct schema_server *srv, struct err *e);

/* Calls `visit` for each database that is not the server's own, with the defaults of its new tables. */
typedef int schema_server_visit_database(void *ctx, const char *db, const char *charset, const char *collation,
                                         struct err *e);
int schema_server_databases(struct schema_server *srv, schema_server_visit_database *visit, void *ctx, struct err *e);

/* The server's lower_case_table_names. */
int schema_server_name_case(struct schema_server *srv, unsigned *lower_case, struct err *e);

/* True when rows that a foreign key changes in a child are in the log (MySQL from 9.6 on, unless
 * innodb_native_foreign_keys is ON). */
int schema_server_logs_cascades(struct schema_server *srv, bool *logs, struct err *e);

/* Fails with CASCADE_UNLOGGED at the first foreign key of db.table that changes its rows (CASCADE, SET NULL, SET
 * DEFAULT) and is not in `accepted` (constraint names, or db.table.constraint; ended by NULL; NULL = none), when the
 * server does not log cascades. A table that is not there has no foreign keys. */
int schema_server_check_cascades(struct schema_server *srv, const struct ddl_table *child, const char *const *accepted,
                                 struct err *e);

/* Fails with BINLOG_FILTERED at the first table whose database binlog_do_db or binlog_ignore_db keep out of the log. */
int schema_server_check_filters(struct schema_server *srv, const struct ddl_table *tables, size_t count, struct err *e);

/* The end of the binlog: the statement and its columns differ by version. `gtids` (may be NULL) receives the server's
 * Executed_Gtid_Set text, empty on MariaDB. Errors: BINLOG_OFF. */
int schema_server_binlog_end(struct client *cli, struct filepos *end, struct buf *gtids, struct err *e);

#endif
