/* Statements of the log become versions of definitions: what is known of a table before a statement, and what the
 * statement makes of it, is put into the history at the statement's place.
 *
 * Followed are wanted tables, and candidates: tables that nobody wants, in a database in which some table may be
 * wanted, whose beginning stands in the log, so that a table that is renamed to a wanted name is known. Statements
 * about temporary tables never come here (schema/ddl). Reading a statement again puts nothing and is not even parsed
 * where the history has a version of exactly that place already: a definition that a person gave for it goes before.
 * Core. Source thread. */
#ifndef SLUICE_SCHEMA_FOLLOW_H
#define SLUICE_SCHEMA_FOLLOW_H

#include "change/source.h"
#include "schema/ddl/ddl.h"
#include "schema/history.h"
#include "schema/schema.h"

struct schema_statement {
    const struct ddl_statement *stmt;
    const struct ddl *ddl;
    struct history_where
        where;                 /* at: the begin of its event; inside a compressed transaction that of the transaction */
    uint16_t server_collation; /* of the session: the default of CREATE DATABASE; 0: not told */
    uint16_t utf8mb4_collation; /* MySQL's default_collation_for_utf8mb4; 0: not told */
    bool explicit_timestamps;   /* explicit_defaults_for_timestamp */
    bool ddl_xid;               /* the log says that it changed something, although IF [NOT] EXISTS may be written */
    bool failed;                /* with an error: of its actions, only DROP has had an effect */
};

/* Tables that nobody wants are in neither list. In the arena. */
struct schema_followed {
    const struct ddl_table *changed; /* what is known of them is another than before, or they are gone */
    unsigned changed_count;
    const struct ddl_table *unknown; /* of them, those whose definition is not known from here on: a server may tell */
    unsigned unknown_count;
    const char *note; /* a statement about tables that nobody wants cannot be read: worth one line; NULL: none */
};

/* How a name of a statement is taken: as row events have it, in small letters where the server keeps names so, or where
 * only that is wanted. */
struct follow_naming {
    struct history *history;
    const struct interest *interest;
    struct arena *arena;
};
int follow_fold(const struct follow_naming *by, struct ddl_table *name, bool *wanted, struct err *e);

/* The place that ends where a statement begins. */
struct history_where follow_before(const struct history_where *where);

/* All versions of a statement are put at once, and are durable on return. Errors: DDL_UNKNOWN (a statement about a
 * wanted table that cannot be read), the history's, NO_MEMORY. */
int schema_follow(struct schema *schema, const struct schema_statement *st, const struct interest *interest,
                  struct arena *arena, struct schema_followed *out, struct err *e);

#endif
