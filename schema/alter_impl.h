/* An ALTER TABLE being read and applied. Private to the files alter_*.c. */
#ifndef SLUICE_SCHEMA_ALTER_IMPL_H
#define SLUICE_SCHEMA_ALTER_IMPL_H

#include "schema/alter_table.h"
#include "schema/create_table_impl.h"

#define ALTER_CLAUSES_MAX 65536

enum alter_kind {
    ALTER_ADD_COLUMN,      /* column, place, after */
    ALTER_CHANGE_COLUMN,   /* name → column, place, after */
    ALTER_RENAME_COLUMN,   /* name → to */
    ALTER_VISIBILITY,      /* name, invisible */
    ALTER_DEFAULT,         /* name, initial; without one there is none any more */
    ALTER_DROP_COLUMN,     /* name */
    ALTER_ADD_KEY,         /* text; CREATE INDEX has `to`, its name */
    ALTER_ADD_COLUMN_KEY,  /* name: the column; key */
    ALTER_DROP_KEY,        /* name; "PRIMARY" for the primary key */
    ALTER_RENAME_KEY,      /* name → to */
    ALTER_DROP_FOREIGN,    /* name */
    ALTER_DROP_CONSTRAINT, /* name: of a key, a foreign key or a check */
};

enum alter_place { ALTER_STAYS, ALTER_FIRST, ALTER_AFTER };

struct alter_clause {
    enum alter_kind kind;
    bool if_exists; /* IF [NOT] EXISTS */
    bool invisible;
    bool done; /* it has found what it names, or is of no effect */
    struct create_text name, to;
    struct create_text initial; /* opaque */
    struct create_column column;
    enum alter_place place;
    struct create_text after;
    struct create_key key;
    struct create_foreign_key foreign; /* REFERENCES among the attributes of a column: parent.table is set */
    struct ddl_parser text;            /* where the definition of a key begins */
};

/* A column of the new table. */
struct alter_column {
    struct create_column column;
    int old;                       /* index before the statement; -1: new */
    bool renamed;                  /* by RENAME COLUMN */
    const struct alter_clause *by; /* that wrote it; NULL: as it was, but for a name */
};

struct alter {
    struct create_parser cp; /* of the statement; its lists become the new table's */
    const struct create_table *before;
    struct create_list clauses; /* struct alter_clause, as written */
    struct create_list columns; /* struct alter_column */
    struct create_table after;  /* name, options */
    bool defaults;              /* a character set or collation for the table is told: */
    struct create_text charset, collation;
    bool collated; /* some COLLATE was told for the table, among its options or behind CONVERT */
    bool compiled; /* MySQL: a text that it changes has the collation that the server was built with for utf8mb4 */
    bool convert;  /* CONVERT TO CHARACTER SET, of all columns */
    struct create_text convert_charset, convert_collation;
    uint32_t *codes; /* alter_labels.c: of the character set codes_of; NULL: not asked for yet */
    int codes_of;
};

static inline struct alter_clause *alter_clause_at(const struct alter *al, unsigned i)
{
    return (struct alter_clause *)al->clauses.items + i;
}

/* A new clause; NULL without memory or over the limit. */
struct alter_clause *alter_add(struct alter *al, enum alter_kind kind);

/* MySQL's default collation of utf8mb4 whatever default_collation_for_utf8mb4 says. */
extern const struct create_text alter_compiled_collation;

/* Reads all behind ALTER TABLE name. */
bool alter_take_clauses(struct alter *al);

/* At the parenthesis of the columns of a key or its name: notes it and passes it over. */
bool alter_take_key_text(struct alter *al, bool if_exists);

/* Reads one table option, CONVERT TO, or what else stands in no list; all behind the word that is at hand. */
bool alter_take_option(struct alter *al);

/* Behind the last clause: the character set of the table. */
bool alter_finish_options(struct alter *al);

/* Makes the new columns; then the keys over them. */
bool alter_columns(struct alter *al);
bool alter_keys(struct alter *al);

/* Bytes of the longest character; 1 when the character set is not known. */
unsigned alter_charset_width(const struct create_text *charset);

/* The labels of a column that was there, before its character set becomes that of CONVERT TO. */
bool alter_convert_labels(struct alter *al, struct create_column *col);

/* CONVERT TO CHARACTER SET of a column that was there; of one that the statement writes, before it is resolved, in the
 * place of `was` (NULL: it is added). */
bool alter_convert(struct alter *al, struct create_column *col);
bool alter_convert_written(struct alter *al, struct create_column *col, const struct create_column *was);

#endif
