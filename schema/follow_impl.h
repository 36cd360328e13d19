/* A statement being followed. Private to follow.c and follow_action.c. */
#ifndef SLUICE_SCHEMA_FOLLOW_IMPL_H
#define SLUICE_SCHEMA_FOLLOW_IMPL_H

#include "schema/create_table.h"
#include "schema/follow.h"

enum follow_state {
    FOLLOW_NOTHING, /* the history says nothing */
    FOLLOW_DEFINED,
    FOLLOW_GONE,
    FOLLOW_UNKNOWN
};

/* A table of the statement, as the actions so far have left it. */
struct follow_table {
    const char *db, *name;
    bool wanted;
    bool covered;  /* the history has what the statement did to it: actions leave it alone */
    bool timeless; /* known from a server, for the whole log: but for CREATE and DROP it stays as it is */
    bool changed;  /* by an action */
    bool created;  /* and it is another table than what had the name before */
    enum follow_state state;
    const char *text; /* of the version, or the reason; "" when `def` is newer */
    size_t len;
    const struct create_table *def; /* NULL: not parsed yet, or none */
    struct follow_table *next;
};

/* A database whose defaults the statement changes. */
struct follow_database {
    const char *db;
    enum history_kind kind;
    const char *text; /* "CHARSET COLLATION", or the reason */
    bool created;     /* it is another one than that of the same name in another case */
    struct follow_database *next;
};

struct following {
    struct history *history;
    const struct schema_statement *st;
    struct ddl_statement stmt; /* the statement itself */
    const struct interest *interest;
    struct arena *arena;
    struct history_where before;        /* the place that ends where the statement begins */
    struct follow_table *first, **last; /* in the order in which they were named */
    struct follow_database *databases;
    const char *note;
    struct err *e;
};

/* *out NULL: nobody wants it, nor could. `any`: it is given all the same. Errors: NO_MEMORY. */
int follow_table(struct following *f, const char *db, const char *name, bool any, struct follow_table **out);

/* Whether a table of the database may be wanted. */
bool follow_wants_database(struct following *f, const char *db);

/* What the statement makes of a table. The reason goes before the statement's place; it is static. Errors: NO_MEMORY.
 */
void follow_define(struct follow_table *tbl, const struct create_table *def);
void follow_drop(struct follow_table *tbl);
int follow_lose(struct following *f, struct follow_table *tbl, const char *reason);

/* Reads the definition that is known; afterwards `def` is there, or the state is another. Errors: NO_MEMORY. */
int follow_parse(struct following *f, struct follow_table *tbl);

/* follow_action.c: one action, whatever it is. Errors: DDL_UNKNOWN, NO_MEMORY, LIMIT. */
int follow_action(struct following *f, const struct ddl_action *action);

#endif
