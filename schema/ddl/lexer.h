/* Tokens of SQL text as both servers read it: comments skipped, version comments executed or skipped by server version,
 * quoted names and strings whole. No memory, no recursion; bytes from outside are never trusted. One thread.
 *
 * Sources: MySQL manual "Comment Syntax", "String Literals", "Schema Object Names"; MariaDB manual "Comment Syntax". */
#ifndef SLUICE_SCHEMA_DDL_LEXER_H
#define SLUICE_SCHEMA_DDL_LEXER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "position/gtid.h"
#include "value/types.h"

/* Bits of sql_mode that change how text is cut into tokens, at the server's own values. */
#define DDL_ANSI_QUOTES          ((uint64_t)1 << 2)
#define DDL_NO_BACKSLASH_ESCAPES ((uint64_t)1 << 20)

/* How a statement is read. */
struct ddl_mode {
    enum flavor flavor;
    uint32_t server_version; /* of the server that executed it: 80036, 101108; 0 = newer than any */
    uint64_t sql_mode;       /* other bits are ignored */
    enum charset charset;    /* of the text: cut into tokens by its bytes, as the server does; UNKNOWN is as UTF-8 */
};

enum ddl_token_kind {
    DDL_END,
    DDL_WORD,   /* keyword, unquoted name or number */
    DDL_QUOTED, /* quoted name; text is what stands between the quotes, quotes inside still doubled */
    DDL_STRING, /* string literal, likewise */
    DDL_PUNCT,  /* one byte */
    DDL_BAD     /* a quote or comment without its end; every later token is DDL_BAD too */
};

struct ddl_token {
    enum ddl_token_kind kind;
    const char *p; /* borrowed from the statement */
    size_t len;
    char quote; /* DDL_QUOTED, DDL_STRING */
};

struct ddl_lexer {
    const char *p, *end;
    struct ddl_mode mode;
    unsigned open; /* version comments being executed */
    bool bad;
};

void ddl_lexer_init(struct ddl_lexer *lx, const struct ddl_mode *mode, const char *sql, size_t len);

/* The next token; DDL_END for ever after the last one. */
struct ddl_token ddl_lexer_next(struct ddl_lexer *lx);

/* Whether the token is this keyword (upper case), in any case and not quoted. */
bool ddl_token_is(const struct ddl_token *tok, const char *keyword);

/* Whether the token is this punctuation. */
static inline bool ddl_token_is_char(const struct ddl_token *tok, char c)
{
    return tok->kind == DDL_PUNCT && *tok->p == c;
}

/* Copies the text of a word, name or string into the arena, doubled quotes and (strings) escapes resolved, as UTF-8
 * where it is text of its character set, and a NUL behind it. NULL without memory. */
char *ddl_token_text(const struct ddl_token *tok, const struct ddl_mode *mode, struct arena *arena, size_t *len);

#endif
