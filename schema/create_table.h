/* CREATE TABLE as plain structs: the text of SHOW CREATE TABLE as both servers print it (and mysqldump copies it), and
 * statements of the log as people and tools write them, with what the server makes of them: the layer of the schema
 * that no TABLE_MAP carries. Anything else is an error: nothing is guessed. Core, pure. Sources: store_create_info in
 * sql/sql_show.cc, mysql_prepare_create_table in sql/sql_table.cc and sql/sql_yacc.yy of both servers. */
#ifndef SLUICE_SCHEMA_CREATE_TABLE_H
#define SLUICE_SCHEMA_CREATE_TABLE_H

#include "base/buf.h"
#include "schema/ddl/ddl.h"

#define CREATE_COLUMNS_MAX 4096
#define CREATE_KEYS_MAX    4096
#define CREATE_LABELS_MAX  65535
#define CREATE_NO_COLUMN   UINT16_MAX

/* Bytes with a NUL behind them; p NULL = not written. */
struct create_text {
    const char *p;
    size_t len;
};

/* What a statement means besides its text. Without one (NULL) the text is taken for that of SHOW CREATE TABLE or
 * create_table_print: types stay as written, and nothing is implied but NOT NULL by a primary key. */
struct create_context {
    struct create_text charset;           /* default of the table's database; p NULL: not known, nothing is guessed */
    struct create_text collation;         /* likewise; p NULL: the character set's default */
    bool explicit_timestamps;             /* explicit_defaults_for_timestamp */
    struct create_text utf8mb4_collation; /* MySQL's default_collation_for_utf8mb4; p NULL: not told */
};

enum create_generated { CREATE_PLAIN, CREATE_VIRTUAL, CREATE_STORED, CREATE_ROW_START, CREATE_ROW_END };

/* Opaque texts are SQL in UTF-8 as sql_mode '' reads it: one blank for any space or comment between tokens. */
struct create_column {
    struct create_text name;
    struct create_text type;   /* with its parentheses and UNSIGNED ZEROFILL: "int(10) unsigned" */
    struct create_text word;   /* the first word of it, lower case: "int", "enum", "uuid" */
    uint32_t length, decimals; /* numbers of the parentheses, 0 when not written */
    bool has_length, has_decimals;
    bool is_unsigned, zerofill;
    bool nullable;
    bool null_written; /* NULL, not only no NOT NULL */
    bool auto_increment;
    bool binary; /* BINARY behind its type, while it is being parsed */
    bool invisible;
    bool compressed; /* MariaDB's column compression */
    bool json;       /* MariaDB's JSON, a LONGTEXT with CHECK (json_valid(name)) behind it */
    enum create_generated generated;
    struct create_text expression;    /* opaque, of VIRTUAL and STORED, without its parentheses */
    struct create_text initial;       /* opaque, behind DEFAULT; p NULL: not written */
    struct create_text on_update;     /* opaque, behind ON UPDATE */
    struct create_text charset;       /* in effect, of CHAR, VARCHAR, TEXT, ENUM and SET; else p NULL */
    struct create_text collation;     /* likewise; p NULL: the default of the character set */
    bool charset_unknown;             /* it has a character set, which nothing told; both p NULL */
    const struct create_text *labels; /* ENUM, SET: unescaped, in order */
    unsigned label_count;
};

enum create_key_kind { CREATE_PRIMARY, CREATE_UNIQUE, CREATE_INDEX, CREATE_FULLTEXT, CREATE_SPATIAL, CREATE_VECTOR };

struct create_key_part {
    uint16_t column;         /* index; CREATE_NO_COLUMN: `text` says what it is */
    uint32_t prefix;         /* length in parentheses, 0: the whole column */
    bool period;             /* `text` is the name of a period WITHOUT OVERLAPS, else an opaque expression */
    struct create_text text; /* an expression stands here without its parentheses */
};

struct create_key {
    enum create_key_kind kind;
    struct create_text name; /* "PRIMARY" for the primary key; the server's automatic name when none is written */
    const struct create_key_part *parts;
    unsigned part_count;
    bool hashed;    /* USING HASH behind it: on MariaDB the log may have a hidden column of the key's hash */
    bool on_column; /* it stood among the attributes of its column */
    bool implicit;  /* the server made it for a foreign key, and drops it for another one: printed as INDEX, others as
                       KEY */
};

enum create_rule { CREATE_RESTRICT, CREATE_NO_ACTION, CREATE_CASCADE, CREATE_SET_NULL, CREATE_SET_DEFAULT };

struct create_foreign_key {
    struct create_text name; /* of the constraint; p NULL when not written */
    const uint16_t *columns; /* of this table */
    unsigned column_count;
    struct ddl_name parent; /* db: the statement's default database when not written */
    const struct create_text *parent_columns;
    unsigned parent_column_count;
    enum create_rule on_delete, on_update;
};

struct create_table {
    struct ddl_name name;
    const struct create_column *columns;
    unsigned column_count;
    const struct create_key *keys; /* in the order of the statement, no name twice (ASCII case ignored) */
    unsigned key_count;
    const struct create_key *primary; /* one of them; NULL: none */
    const struct create_foreign_key *foreign;
    unsigned foreign_count;
    struct create_text charset, collation; /* of the table; collation p NULL: the character set's default */
    bool partitioned;
    bool plain;     /* its storage engine is known to be none with foreign keys; so it is not InnoDB */
    bool versioned; /* MariaDB WITH SYSTEM VERSIONING: without ROW START columns the log has two hidden ones */
};

/* Parses one CREATE TABLE (a semicolon may follow); ctx may be NULL. All lives in the arena; ctx may be given back
 * afterwards. Errors: TABLE_DEFINITION, NO_MEMORY. */
int create_table_parse(struct create_table *out, const struct ddl_statement *stmt, const struct create_context *ctx,
                       struct arena *arena, struct err *e);

/* CREATE TABLE `name` LIKE `model`: all but its foreign keys. Shares memory with both, which must live as long. */
void create_table_like(struct create_table *out, const struct create_table *model, const struct ddl_name *name);

/* Appends the definition as one CREATE TABLE without a semicolon, in UTF-8, for sql_mode '': create_table_parse without
 * a context reads an equal one from it, whatever the flavour. An unknown character set stands there as `unknown`.
 * Errors: NO_MEMORY (also the buffer's cap). */
int create_table_print(const struct create_table *def, struct buf *out, struct err *e);

/* Whether both mean the same for the rows and for later ALTERs of a table: name, columns, keys and character sets.
 * Keys may stand in any order; defaults are compared by whether there is one; aliases of character sets are the same.
 */
bool create_table_equal(const struct create_table *a, const struct create_table *b);

/* True when a prefix, an expression or a period is in it: its columns alone are not unique. */
bool create_key_is_partial(const struct create_key *key);

/* Index of a column by exact bytes, then ASCII case ignored; -1: none. */
int create_table_find_column(const struct create_table *def, const char *name, size_t len);

#endif
