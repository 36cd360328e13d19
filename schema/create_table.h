/* The text of SHOW CREATE TABLE, as both servers print it (and mysqldump copies it), as plain structs: the layer of the
 * schema that no TABLE_MAP carries. Hand-written CREATE TABLE in the usual forms is read too. Anything else is an
 * error: nothing is guessed. Core, pure. Sources: store_create_info in sql/sql_show.cc of both servers. */
#ifndef SLUICE_SCHEMA_CREATE_TABLE_H
#define SLUICE_SCHEMA_CREATE_TABLE_H

#include "schema/ddl/ddl.h"

#define CREATE_COLUMNS_MAX 4096
#define CREATE_KEYS_MAX    4096
#define CREATE_LABELS_MAX  65535

/* Bytes with a NUL behind them; p NULL = not written. */
struct create_text {
    const char *p;
    size_t len;
};

enum create_generated { CREATE_PLAIN, CREATE_VIRTUAL, CREATE_STORED, CREATE_ROW_START, CREATE_ROW_END };

struct create_column {
    struct create_text name;
    struct create_text type;   /* as written, with its parentheses and UNSIGNED ZEROFILL: "int(10) unsigned" */
    struct create_text word;   /* the first word of it, lower case: "int", "enum", "uuid" */
    uint32_t length, decimals; /* numbers of the parentheses, 0 when not written */
    bool has_length, has_decimals;
    bool is_unsigned, zerofill;
    bool nullable;
    bool invisible;
    bool compressed; /* MariaDB's column compression */
    enum create_generated generated;
    struct create_text charset;       /* in effect, of CHAR, VARCHAR, TEXT, ENUM and SET; else p NULL */
    struct create_text collation;     /* likewise; p NULL: the default of the character set */
    const struct create_text *labels; /* ENUM, SET: unescaped, in order */
    unsigned label_count;
};

struct create_key {
    struct create_text name; /* "PRIMARY" for the primary key; p NULL when not written */
    const uint16_t *columns; /* indexes into the columns, in key order; expressions are left out */
    unsigned column_count;
    bool partial; /* a prefix, an expression or a period is in it: its columns alone are not unique */
    bool hashed;  /* USING HASH behind it: on MariaDB the log may have a hidden column of the key's hash */
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
    const struct create_key *primary; /* NULL: none */
    const struct create_key *unique;  /* the others */
    unsigned unique_count;
    const struct create_foreign_key *foreign;
    unsigned foreign_count;
    struct create_text charset, collation; /* of the table; collation p NULL: the character set's default */
    bool partitioned;
    bool versioned; /* MariaDB WITH SYSTEM VERSIONING: without ROW START columns the log has two hidden ones */
};

/* Parses one CREATE TABLE (a semicolon may follow). All lives in the arena. Errors: TABLE_DEFINITION, NO_MEMORY. */
int create_table_parse(struct create_table *out, const struct ddl_statement *stmt, struct arena *arena, struct err *e);

/* Index of a column by exact bytes, then ASCII case ignored; -1: none. */
int create_table_find_column(const struct create_table *def, const char *name, size_t len);

#endif
