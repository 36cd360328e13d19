/* A CREATE TABLE being parsed. Private to the create_*.c and alter_*.c of this folder. */
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
    const struct create_context *ctx; /* NULL: text of SHOW CREATE TABLE */
    struct create_list columns;       /* struct create_column */
    struct create_list keys;          /* struct create_key, name.p NULL until create_finish_keys */
    struct create_list foreign;       /* struct create_foreign_key */
    struct create_list periods;       /* struct create_key: their two columns */
    struct create_list known;         /* struct create_column: what names in keys mean; empty: `columns` */
    const char *type_schema;          /* MariaDB's `oracle_schema` before a type's name; "" none */
    bool plain;                       /* its engine has no foreign keys */
    bool ahead;                       /* a key named a column that was not there yet: read again with `known` */
    bool versioned;                   /* a column said WITH SYSTEM VERSIONING */
    const char *why;                  /* what is wrong, when a function returned false and ps.rc is 0 */
};

/* Memory in the arena, not cleared; NULL with ps.rc set. */
void *create_allocate(struct create_parser *cp, size_t len);

/* The new last item of `elem` bytes, zeroed; NULL without memory or over `max` (ps.rc, or why). */
void *create_list_add(struct create_parser *cp, struct create_list *list, size_t elem, unsigned max);

/* Always false: says why. The first reason wins. */
bool create_fail(struct create_parser *cp, const char *why);

/* Takes an identifier; or the text of any one token. */
bool create_take_identifier(struct create_parser *cp, struct create_text *out);
bool create_take_text(struct create_parser *cp, struct create_text *out);

/* Takes the name of a character set or collation: letters, digits and underscores. */
bool create_take_charset(struct create_parser *cp, struct create_text *out);

/* Takes a parenthesis with all in it; the second one keeps what is in it as an opaque text. */
bool create_skip_parentheses(struct create_parser *cp);
bool create_take_parentheses(struct create_parser *cp, struct create_text *out);

/* Appends the token at hand to an opaque text, and takes it; what comes first is not set off. */
bool create_take_opaque(struct create_parser *cp, struct buf *text);

/* Makes the text of such tokens, which it releases, one of the arena. */
bool create_keep_opaque(struct create_parser *cp, struct buf *text, struct create_text *out);

/* Appends a string or a quoted name as sql_mode '' reads it; `quote` is ' or the backtick. */
void create_quote(struct buf *out, const struct create_text *text, char quote);

/* Index of a column in cp->known, else cp->columns, by exact bytes, then ASCII case ignored; -1: none. */
int create_find_column(const struct create_parser *cp, const char *name, size_t len);

/* ASCII case ignored. */
bool create_same_name(const struct create_text *a, const struct create_text *b);

/* Takes `REFERENCES …` behind its first word. */
bool create_take_references(struct create_parser *cp, struct create_foreign_key *fk);

/* Adds a key over one column: PRIMARY KEY or UNIQUE among its attributes, CREATE_INDEX for REFERENCES. */
bool create_add_inline_key(struct create_parser *cp, uint16_t column, enum create_key_kind kind);

/* Takes `name type attributes` up to the comma or parenthesis behind it (or the end of the statement), as the last of
 * cp->columns. create_resolve_column is to follow when the table's character set is known. */
bool create_take_column(struct create_parser *cp);

/* Whether a column or key of a statement ends here: at the end of it or of a list, or before its partitions. */
bool create_at_element_end(const struct create_parser *cp);

/* Takes the value behind DEFAULT. */
bool create_take_value(struct create_parser *cp, struct create_text *out);

/* Takes `(part, …) options` of a key whose kind and name are set, and adds it. */
bool create_take_key_body(struct create_parser *cp, const struct create_key *head);

/* Takes a key or a constraint; false with *known false when it is none (then a column), nothing taken. */
bool create_take_key(struct create_parser *cp, bool *known);

/* Takes `[=] engine`. *plain: it is one that has no foreign keys, so not InnoDB; one that is not known may have. */
bool create_take_engine(struct create_parser *cp, bool *plain);

/* One table option that is a character set or a collation; false with *known false when it is another. */
bool create_take_charset_option(struct create_parser *cp, struct create_text *charset, struct create_text *collation,
                                bool *known);

/* A hand-written type as the server has it, as far as no character set is asked for: synonyms, default lengths, NOT
 * NULL that is implied. */
void create_normal_type(const struct create_parser *cp, struct create_column *col);

/* Bytes of the longest value of CHAR and VARCHAR. */
uint64_t create_max_bytes(const struct create_column *col);

/* create_resolve_column for a hand-written one. */
bool create_resolve_written(struct create_parser *cp, struct create_column *col, const struct create_text *charset,
                            const struct create_text *collation);

/* Both names as the server has them, each from the other when only one is written; `outer` is the character set around
 * them. create_resolve_table: likewise with the database's for what is not written. */
bool create_resolve_charset(struct create_parser *cp, struct create_text *charset, struct create_text *collation,
                            const struct create_text *outer);
bool create_resolve_table(struct create_parser *cp, struct create_text *charset, struct create_text *collation);

/* The type's text from its parts, with the types that the character set calls for. */
bool create_compose_type(struct create_parser *cp, struct create_column *col);

/* A copy in the arena. */
bool create_keep_bytes(struct create_parser *cp, const char *p, size_t len, struct create_text *out);

/* The character set in effect of a column whose own is "" (the table's) or only told by its collation. */
void create_resolve_column(struct create_parser *cp, struct create_column *col, const struct create_text *charset,
                           const struct create_text *collation);

/* Hand-written keys as the server has them; columns are resolved. Part of create_finish_keys. */
bool create_complete_keys(struct create_parser *cp);

/* Whether MariaDB keeps a hash for the key, which is a unique one. `plain`: of MyISAM, or of an engine that has none.
 */
bool create_needs_hash(const struct create_column *columns, const struct create_key *key, bool plain);

/* Keys of foreign keys, names of keys that have none; NOT NULL of the primary key. `table` for names of constraints. */
bool create_finish_keys(struct create_parser *cp, const struct ddl_name *table);

#endif
