/* A CREATE TABLE being parsed. Private to create_table.c and create_column.c. */
#ifndef SLUICE_SCHEMA_CREATE_TABLE_IMPL_H
#define SLUICE_SCHEMA_CREATE_TABLE_IMPL_H

#include "schema/create_table.h"
#include "schema/ddl/parser.h"

/* A list in the arena that grows by one. */
struct create_list {
    void *items;
    unsigned count, size;
};

struct create_parser {
    struct ddl_parser ps;
    struct create_list columns, unique, foreign;
    struct create_key primary;
    bool has_primary;
    const char *why; /* what is wrong, when a function returned false and ps.rc is 0 */
};

/* The new last item of `elem` bytes, zeroed; NULL without memory or over `max` (ps.rc, or why). */
void *create_list_add(struct create_parser *cp, struct create_list *list, size_t elem, unsigned max);

/* Always false: says why. The first reason wins. */
bool create_fail(struct create_parser *cp, const char *why);

/* Takes an identifier; or the text of any one token. */
bool create_take_identifier(struct create_parser *cp, struct create_text *out);
bool create_take_text(struct create_parser *cp, struct create_text *out);

/* Takes a parenthesis with all in it. */
bool create_skip_parentheses(struct create_parser *cp);

/* Takes `REFERENCES …` behind its first word. */
bool create_take_references(struct create_parser *cp, struct create_foreign_key *fk);

/* Adds a key over one column: PRIMARY KEY or UNIQUE among its attributes. */
bool create_add_inline_key(struct create_parser *cp, uint16_t column, bool primary);

/* Takes `name type attributes` up to the comma or parenthesis behind it. */
bool create_take_column(struct create_parser *cp);

#endif
