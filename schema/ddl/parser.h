/* One statement being classified: the token at hand, and the actions so far. Private to schema/. */
#ifndef SLUICE_SCHEMA_DDL_PARSER_H
#define SLUICE_SCHEMA_DDL_PARSER_H

#include "schema/ddl/ddl.h"

struct ddl_parser {
    struct ddl_lexer lx;
    struct ddl_token tok; /* the next token, not taken */
    const struct ddl_statement *stmt;
    struct arena *arena;
    struct ddl_action *actions;
    size_t count, size;
    size_t begin; /* of the statement behind SET STATEMENT ... FOR */
    int rc;       /* not 0: out of memory or over a limit; nothing is added any more */
    struct err *e;
};

void ddl_next(struct ddl_parser *ps);

/* Takes the token when it is the keyword (upper case), or the character. */
bool ddl_take(struct ddl_parser *ps, const char *keyword);
bool ddl_take_char(struct ddl_parser *ps, char c);

/* Takes the first keyword of the NULL-terminated list that stands there; its index, or -1. */
int ddl_take_any(struct ddl_parser *ps, const char *const *keywords);

/* Takes `[db.]table`; false when no name stands there. */
bool ddl_take_name(struct ddl_parser *ps, struct ddl_name *out);

/* Takes IF EXISTS or IF NOT EXISTS. */
bool ddl_take_if_exists(struct ddl_parser *ps);

/* Takes tokens up to the keyword outside parentheses, or to the end; true when it stands there (not taken). */
bool ddl_skip_to_keyword(struct ddl_parser *ps, const char *keyword);

/* Takes all up to a semicolon or the end. */
void ddl_take_rest(struct ddl_parser *ps);

/* Appends an action; what is added to NULL (no memory) is lost, and ps->rc says so. */
struct ddl_action *ddl_add(struct ddl_parser *ps, enum ddl_kind kind);
void ddl_add_table(struct ddl_parser *ps, enum ddl_kind kind, const struct ddl_name *table);

/* NONE, and the rest of the statement, whose text is nobody's business here. */
void ddl_add_harmless(struct ddl_parser *ps);

/* What may stand between CREATE, ALTER or DROP and the kind of object. */
void ddl_skip_modifiers(struct ddl_parser *ps);

/* Takes the kind of an object that holds no rows of tables (views, routines, users, …). Such a statement is not read
 * further: a body may name any table. */
bool ddl_take_harmless_object(struct ddl_parser *ps);

/* Each begins behind its first keyword. */
void ddl_parse_create(struct ddl_parser *ps);
void ddl_parse_alter(struct ddl_parser *ps);
void ddl_parse_alter_database(struct ddl_parser *ps); /* behind DATABASE */
void ddl_parse_drop(struct ddl_parser *ps);
void ddl_parse_truncate(struct ddl_parser *ps);
void ddl_parse_rename(struct ddl_parser *ps);

#endif
