/* What a QUERY event means for the rows of wanted tables: the statement classifier of schema/ddl, asked with the wanted
 * tables in mind. Core. */
#ifndef SLUICE_BINLOG_QUERY_H
#define SLUICE_BINLOG_QUERY_H

#include "binlog/event.h"
#include "change/source.h"
#include "schema/ddl/ddl.h"
#include "schema/schema.h"

enum query_kind {
    QUERY_BEGIN,
    QUERY_COMMIT,
    QUERY_ROLLBACK,
    QUERY_SAVEPOINT,
    QUERY_ROLLBACK_TO,
    QUERY_NOTHING, /* says nothing about tables or rows */
    QUERY_XA_START,
    QUERY_XA_END,
    QUERY_XA_COMMIT,
    QUERY_XA_ROLLBACK,
    QUERY_CHANGE,  /* changed rows, logged as a statement */
    QUERY_DDL,     /* effect and tables say what it did to wanted tables */
    QUERY_UNKNOWN, /* cannot be classified, and names the wanted table tables[0] */
};

struct query_class {
    enum query_kind kind;
    const char *name; /* SAVEPOINT, ROLLBACK_TO: ASCII letters in lower case, without quotes. XA_*: the identifier as it
                       * is written */
    size_t name_len;
    enum ddl_effect effect;
    const struct ddl_table *tables; /* wanted ones, each once; in the scratch arena */
    unsigned table_count;
    bool unclassified; /* QUERY_NOTHING, because it names no wanted table: it is not understood */
    bool has_actions;  /* DDL, and CREATE ... SELECT: `stmt` and `ddl` tell it */
    struct ddl_statement stmt;
    struct ddl ddl; /* in the scratch arena */
};

struct query_context {
    const struct event_format *format;
    const struct interest *interest;
    struct schema *schema; /* knows the wanted tables of a database that is dropped */
    struct arena *scratch;
    bool in_transaction; /* what creates a table there was written by the server */
};

/* Errors: NO_MEMORY, LIMIT. */
int query_classify(struct query_class *out, const struct event_query *query, const struct query_context *ctx,
                   struct err *e);

/* The first words of a statement for a message: without literals, which may be row data or secrets. Always ends with
 * NUL. */
void query_print(const char *statement, size_t len, char *out, size_t size);

#endif
