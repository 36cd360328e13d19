/* The value behind a column's DEFAULT, read from its SQL (column_definition.initial in change/table.h). Core, pure; any
 * thread. Sources: signed_literal, now_or_signed_literal and text_literal in sql/sql_yacc.yy of both servers, "Literal
 * Values" in their manuals. */
#ifndef SLUICE_CHANGE_COLUMN_DEFAULT_H
#define SLUICE_CHANGE_COLUMN_DEFAULT_H

#include "change/table.h"

enum column_default_kind {
    DEFAULT_NONE,      /* no DEFAULT was written */
    DEFAULT_NULL,      /* NULL */
    DEFAULT_TEXT,      /* a string, or a DATE, TIME or TIMESTAMP literal: unescaped, in UTF-8 where it is text */
    DEFAULT_NUMBER,    /* a number as JSON writes numbers: "-7", "0.5", "1e-10"; TRUE and FALSE are "1" and "0" */
    DEFAULT_BITS,      /* b'101', 0b101: big-endian bytes, none of b'' */
    DEFAULT_HEX,       /* x'41', 0x41: bytes; a text for a text column, a big-endian number for a number */
    DEFAULT_NOW,       /* CURRENT_TIMESTAMP and its synonyms, without parentheses around it */
    DEFAULT_EXPRESSION /* anything else: what only a server can work out, or a text that could not be read */
};

struct column_default {
    enum column_default_kind kind;
    const char *p; /* TEXT, NUMBER, BITS, HEX, EXPRESSION (its SQL); a NUL behind it. In the arena, or `initial` */
    size_t len;
    unsigned decimals; /* NOW: digits in its parentheses, 0 without */
};

/* Servers print numbers as strings (MySQL's SHOW CREATE TABLE: DEFAULT '5'), people as numbers: the column's type says
 * what a text means. False without memory; *out is untouched then. */
bool column_default_parse(const struct column_definition *def, struct column_default *out, struct arena *arena);

#endif
