/* A script being cut: the bytes at hand, and what its session is set to. Private to schema/ddl. */
#ifndef SLUICE_SCHEMA_DDL_SCRIPT_PRIVATE_H
#define SLUICE_SCHEMA_DDL_SCRIPT_PRIVATE_H

#include "base/buf.h"
#include "schema/ddl/script.h"

#define SCRIPT_DELIMITER_MAX 15
#define SCRIPT_VARIABLES     16
#define SCRIPT_NAME_MAX      192 /* bytes of 64 characters in UTF-8 */

/* A user variable that keeps a setting for later. */
struct script_variable {
    char name[64];
    bool is_charset;
    uint64_t value;
};

struct ddl_script {
    struct ddl_script_options opt;
    struct buf buf;
    size_t begin; /* of what is not handed out yet, in buf */
    bool at_end;  /* there is nothing behind buf */
    bool begun;   /* a statement was handed out */
    size_t line;  /* at begin */
    size_t statement_line;
    char delimiter[SCRIPT_DELIMITER_MAX + 1];
    char db[SCRIPT_NAME_MAX + 1];
    size_t db_len;
    struct ddl_mode mode;
    struct script_variable variables[SCRIPT_VARIABLES];
    size_t variable_count;
};

/* SQL_FILE with file and line; returns negative. */
int script_fail(const struct ddl_script *script, const char *why, struct err *e);

/* Follows USE and SET; anything else is left alone. */
int script_follow(struct ddl_script *script, const struct ddl_statement *stmt, struct err *e);

#endif
