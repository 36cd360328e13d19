/* A DDL statement of the log as the formats of change/ show it: what it was, and the definitions of the routed tables
 * that it concerned before and after it. Plain data; borrowed as everything of a change. */
#ifndef SLUICE_CHANGE_STATEMENT_H
#define SLUICE_CHANGE_STATEMENT_H

#include "change/shape.h"

enum statement_kind {
    STATEMENT_CREATE_TABLE, /* also LIKE and SELECT */
    STATEMENT_ALTER_TABLE,  /* by its first clause: see enum alter_first */
    STATEMENT_DROP_TABLE,
    STATEMENT_RENAME_TABLE,
    STATEMENT_TRUNCATE,
    STATEMENT_CREATE_INDEX,
    STATEMENT_DROP_INDEX,
    STATEMENT_CREATE_DATABASE,
    STATEMENT_ALTER_DATABASE,
    STATEMENT_DROP_DATABASE
};

/* What the first clause of an ALTER TABLE does. */
enum alter_first { ALTER_OTHER, ALTER_ADD_INDEX, ALTER_DROP_INDEX, ALTER_RENAME };

/* One table of the statement, in the statement's order. */
struct statement_table {
    const char *db, *name;         /* as it was called before the statement (CREATE: after) */
    const char *new_db, *new_name; /* RENAME, ALTER … RENAME; else NULL */
    const struct table *before;    /* its definition, RENAME: maybe by its new name; NULL: there was none, or it is not
                                    * known */
    const struct table *after;     /* behind its own part of the statement; NULL: it is gone, or not known */
    bool passes_on;                /* RENAME: a later pair gives the new name away */
};

struct statement {
    enum statement_kind kind;
    enum alter_first first;
    const char *text; /* the statement as logged, in UTF-8; not NUL-terminated */
    size_t len;
    const char *db;      /* of a database statement its database, else the session's default, "" for none */
    bool existed;        /* CREATE DATABASE: it was there before, as far as is known */
    const char *charset; /* of CREATE and ALTER DATABASE, the one in effect; NULL: not told */
    const struct statement_table *tables;
    unsigned table_count;
};

#endif
