/* Definitions that a person gives: the output of mysqldump --no-data or mariadb-dump --no-data, or a file of CREATE
 * statements. Its statements are followed as those of a log are, so that what counts is how the tables are at its end;
 * then they are put into a history at one place. Core. One thread. */
#ifndef SLUICE_SCHEMA_IMPORT_H
#define SLUICE_SCHEMA_IMPORT_H

#include "change/source.h"
#include "schema/ddl/script.h"
#include "schema/history.h"

struct schema_import {
    struct ddl_script_options script;
    const struct interest *interest;   /* the tables that are taken */
    const struct history_where *place; /* from which they hold: all empty = everywhere before the first DDL */
};

/* What an import did. The first table without a definition is named, to be told. */
struct schema_imported {
    size_t tables;  /* definitions in the file */
    size_t unknown; /* tables whose definition the file does not tell: CREATE … LIKE another that is not in it */
    char unknown_name[160], why[160];
};

/* All or nothing, durable on return. Errors: those of ddl_script_next; with file and line: DDL_UNKNOWN (a statement
 * about a wanted table that cannot be read), TABLE_DEFINITION, LIMIT; SQL_FILE when there is no definition of a wanted
 * table in it; the history's. */
int schema_import(struct history *history, const struct schema_import *import, struct schema_imported *out,
                  struct err *e) __attribute__((warn_unused_result));

#endif
