/* The statements of an SQL script, cut as the mysql client cuts them: DELIMITER, version comments, quotes, and USE
 * without a delimiter. What the script's own SET statements say of quotes, escapes and character set holds for what
 * stands behind them. Reads in pieces: memory for one statement. Core: the bytes come from a function. One thread.
 *
 * Sources: the output of mysqldump and mariadb-dump; add_line in client/mysql.cc of both servers. */
#ifndef SLUICE_SCHEMA_DDL_SCRIPT_H
#define SLUICE_SCHEMA_DDL_SCRIPT_H

#include "schema/ddl/ddl.h"

#define DDL_SCRIPT_STATEMENT_MAX ((size_t)16 << 20)

/* Reads at most `size` bytes into `bytes`; *got 0 is the end. */
typedef int ddl_script_read(void *ctx, void *bytes, size_t size, size_t *got, struct err *e);

struct ddl_script_options {
    const char *name; /* of the file, for messages; borrowed */
    ddl_script_read *read;
    void *ctx;
    const char *db;     /* the database until USE names one; NULL: the one that a dump's first comments name */
    enum flavor flavor; /* of the server that it is from, when its first comments do not tell */
};

struct ddl_script;

/* Errors: NO_MEMORY. */
int ddl_script_new(struct ddl_script **out, const struct ddl_script_options *opt, struct err *e);
void ddl_script_free(struct ddl_script *script); /* accepts NULL */

/* 1 and the next statement, with the database that USE named and the mode that SET chose, or 0 at the end. Borrowed
 * until the next call. USE and SET are handed out too. Errors: SQL_FILE (with file and line: a quote or comment does
 * not end, a statement is too long, a SET of sql_mode or of the character set that cannot be followed, another file is
 * included), NO_MEMORY, the reader's. */
int ddl_script_next(struct ddl_script *script, struct ddl_statement *out, struct err *e);

/* Of the statement that was handed out last, from 1. */
size_t ddl_script_line(const struct ddl_script *script);

/* Prepends file and line of that statement. */
int ddl_script_wrap(const struct ddl_script *script, struct err *e);

#endif
