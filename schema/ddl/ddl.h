/* What a statement of the log does to tables and their rows, told without row events: the tokenizer and classifier of
 * DESIGN section 7. It reads the beginning and the clauses that matter, not the grammar: what it does not know is
 * UNKNOWN, and the caller stops when a routed table's name occurs in it. Never harmless by mistake: only statements on
 * the list of harmless ones are NONE. Core: no I/O. Source thread.
 *
 * Names are UTF-8 where they are text of the statement's character set, unquoted; comparing them
 * (lower_case_table_names) is the caller's. A statement as long as max_allowed_packet is fine: one pass, memory only
 * for the names. */
#ifndef SLUICE_SCHEMA_DDL_DDL_H
#define SLUICE_SCHEMA_DDL_DDL_H

#include "base/err.h"
#include "schema/ddl/lexer.h"

#define DDL_ACTIONS_MAX 65536

enum ddl_kind {
    DDL_NONE, /* changes no table and no row */

    /* Tables. */
    DDL_CREATE,          /* table: new */
    DDL_ALTER,           /* table: its structure may be another from here on */
    DDL_RENAME,          /* table → to, in this order when there are several */
    DDL_DROP,            /* table: gone, with its rows (CREATE OR REPLACE: this, then CREATE) */
    DDL_TRUNCATE,        /* table: empty */
    DDL_DISCARD,         /* table: rows left or came without row events: partitions or tablespaces dropped, truncated,
                          * exchanged, converted, discarded or imported; ALTER IGNORE; ENGINE=BLACKHOLE */
    DDL_DATABASE_DROP,   /* table.db: all its tables */
    DDL_DATABASE_CREATE, /* table.db: new; charset, collation */
    DDL_DATABASE_ALTER,  /* table.db: other defaults for tables made from here on; charset, collation */

    /* Rows in statement format: INSERT, UPDATE, DELETE, REPLACE, LOAD, CALL, SELECT, … No table is told. */
    DDL_DML,

    /* Transactions. `name`: the savepoint, or the XID as it is written. */
    DDL_BEGIN,
    DDL_COMMIT,
    DDL_ROLLBACK,
    DDL_SAVEPOINT,
    DDL_ROLLBACK_TO,
    DDL_RELEASE,
    DDL_XA_START,
    DDL_XA_END,
    DDL_XA_PREPARE,
    DDL_XA_COMMIT,
    DDL_XA_ROLLBACK,

    DDL_UNKNOWN /* cannot be classified: see ddl_mentions */
};

/* db is "" when neither the statement nor the session named one. NUL-terminated, in the arena. */
struct ddl_name {
    const char *db;
    size_t db_len;
    const char *table;
    size_t table_len;
};

struct ddl_action {
    enum ddl_kind kind;
    struct ddl_name table;
    struct ddl_name to; /* RENAME; CREATE … LIKE and CONVERT PARTITION … TO TABLE: the model; else empty */
    const char *name;   /* savepoint or XID; else NULL */
    size_t name_len;
    bool if_exists;                  /* IF [NOT] EXISTS was written: it may have done nothing */
    bool selects;                    /* CREATE … SELECT: rows come from a query, in statement format */
    bool sequence;                   /* it says SEQUENCE in the place of TABLE */
    const char *charset, *collation; /* of a database, NUL-terminated; NULL: not written; "DEFAULT" for DEFAULT */
};

/* At least one action, in the order of their effect. Borrowed from the arena. */
struct ddl {
    const struct ddl_action *actions;
    size_t count;
    size_t begin; /* of the statement in its text: behind SET STATEMENT ... FOR, else 0 */
};

struct ddl_statement {
    const char *sql;
    size_t len;
    const char *db; /* the session's default database, "" or NULL when there was none */
    size_t db_len;
    struct ddl_mode mode;
};

/* Errors: NO_MEMORY (also the arena's cap), LIMIT (DDL_ACTIONS_MAX). Any bytes give an answer. */
int ddl_classify(struct ddl *out, const struct ddl_statement *stmt, struct arena *arena, struct err *e);

/* Whether the name occurs in the statement as an identifier, ASCII case ignored. Text behind a quote or comment that
 * does not end counts as a whole. */
bool ddl_mentions(const struct ddl_statement *stmt, const char *name, size_t len);

/* True when the statement is the cut-over of gh-ost or pt-online-schema-change: one RENAME of `table` away to
 * _table_del or _table_old and of its ghost (_table_gho, _table_new) to `table`, in one database. The rows are the same
 * after it, the structure is the ghost's. Borrows from ddl. */
bool ddl_is_swap(const struct ddl *ddl, struct ddl_name *table, struct ddl_name *ghost);

/* Whether the text is a CREATE as SHOW CREATE TABLE prints it. Servers write it themselves (CREATE … SELECT, LIKE a
 * temporary table), and then with UTF-8 names and with escapes in strings, whatever the session's modes are. */
bool ddl_is_printed(const char *sql, size_t len);

/* The kind as a word for messages ("truncate"), static. */
const char *ddl_kind_name(enum ddl_kind kind);

#endif
