/* A table version: names, types and keys of the columns of one row layout. Immutable once built; any thread may read
 * it. */
#ifndef SLUICE_CHANGE_TABLE_H
#define SLUICE_CHANGE_TABLE_H

#include "base/arena.h"
#include "value/types.h"

#define TABLE_COLUMNS_MAX    4096
#define TABLE_NAME_BYTES_MAX 256 /* 64 characters of UTF-8 with the server's escapes */

/* What a definition tells of a column beyond its bytes. All texts UTF-8 and NUL-terminated. */
struct column_definition {
    const char *word;          /* first word of the declared type, lower case: "int", "enum", "point" */
    uint32_t length, decimals; /* the numbers in its parentheses, 0 when not written */
    bool has_length, has_decimals;
    bool zerofill, auto_increment, generated;
    bool json;                       /* MariaDB's JSON, whose type is LONGTEXT; MySQL's is a type of its own */
    const char *initial;             /* the SQL behind DEFAULT, below; NULL: not written */
    const char *charset, *collation; /* in effect, of texts, ENUM and SET; NULL: none, or (collation) its default */
};

/* `initial` is what stood in the statement, or what SHOW CREATE TABLE printed, as sql_mode '' reads it, with one blank
 * for any space or comment between tokens (change/column_default.h reads it):
 *
 *     'it''s'  '\\ \0 \n \r \Z'           strings, in UTF-8: a quote is doubled, these bytes have a backslash, no
 *                                         others; numbers and dates too: DEFAULT '5' is what MySQL prints
 *     -7  1.50  .5  1e10  TRUE            numbers as they were written
 *     b'101'  x'41'  0b101  0x41          bits and bytes, likewise
 *     NULL
 *     CURRENT_TIMESTAMP(3)  now()         and their synonyms, in the case they were written
 *     DATE'2026-11-22'  _latin1'a'  N'a'  literals with a word before them
 *     (1 + 2)  uuid()                     expressions; MariaDB prints function calls without parentheses */

struct column {
    const char *name; /* UTF-8, NUL-terminated */
    uint32_t name_len;
    bool nullable;
    struct coltype type;
    const char *declared;                       /* SQL type text, NULL when only the log is known */
    const struct column_definition *definition; /* NULL: none that is certain for the row */
};

struct table {
    const char *db;   /* NUL-terminated */
    const char *name; /* NUL-terminated */
    const struct column *columns;
    unsigned column_count;
    const uint16_t *pk; /* column indexes in key order; NULL when there is none or it is not known */
    unsigned pk_count;
    bool pk_known;
    bool pk_is_unique; /* pk is a UNIQUE key, which the log names where there is no primary key; set with definitions */
    const uint16_t *unique; /* columns of the first UNIQUE key whose columns are all NOT NULL, in its order; a prefix
                               counts as its column, a key with an expression not; NULL: none, or not known */
    unsigned unique_count;
    const char *charset; /* default of the table's new columns; NULL: not known */
};

/* Index of a column by exact bytes, then by ASCII-case-insensitive name (as the server compares); -1: none. */
int table_find_column(const struct table *tbl, const char *name, size_t len);

/* What a TABLE_MAP event says, before names are certain: the first layer of `struct table`. Borrowed from the event. */
struct wire_table {
    uint64_t table_id;
    const char *db;
    size_t db_len;
    const char *name;
    size_t name_len;
    unsigned column_count;
    const uint8_t *types;    /* one byte per column */
    const uint8_t *metadata; /* block of the types' metadata */
    size_t metadata_len;
    const uint8_t *nullable; /* bitmap */
    const uint8_t *optional; /* optional metadata block (type, length, value …); NULL when none was sent */
    size_t optional_len;
    bool mariadb; /* which server wrote it: they differ in what columns the charsets of `optional` stand for */
};

#endif
