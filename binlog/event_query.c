/* QUERY (2): a statement: transaction words, DDL, or a change that is logged as a statement.
 *
 *   bytes  field
 *       4  thread id
 *       4  execution time, seconds
 *       1  length of the default database's name: d
 *       2  error code
 *       2  length of the status variables: s
 *       s  status variables: code (1 byte), value by code; see `variables`
 *       d  default database
 *       1  NUL
 *    rest  statement, not terminated
 *
 * A variable whose code is not in the table ends the list: its length is not known, and none behind it is needed. */
#include "binlog/event.h"

enum variable {
    VAR_FLAGS2 = 0,
    VAR_SQL_MODE = 1,
    VAR_CHARSET = 4,
    VAR_DATABASE = 8,
    VAR_UPDATED_DBS = 12,
    VAR_MICROSECONDS = 13,
    VAR_TIMESTAMPS = 16,
    VAR_DDL_XID = 17,
    VAR_UTF8MB4 = 18,
    VAR_HRNOW = 128,
    VAR_XID = 129,
    VAR_GTID_FLAGS = 130,
    VAR_COLLATIONS = 131,
};

/* Layout of a value: a number of bytes, or one of these. */
#define TEXT      0x80 /* length (1 byte), text */
#define TEXT_NUL  0x81 /* length (1 byte), text, NUL */
#define TWO_TEXTS 0x82
#define DB_LIST   0x83 /* count (1 byte; 254: too many, none follow), names ended by NUL */
#define DBS_OVER  254
#define ALTER     0x84 /* flags (1 byte); with 4 or 8: sequence number (8 bytes) */
#define PAIRS     0x85 /* count (1 byte), pairs of 4 bytes */

/* MariaDB's OPTION_EXPLICIT_DEF_TIMESTAMP; MySQL does not use the bit. */
#define FLAG_TIMESTAMPS ((uint32_t)1 << 24)

static const struct {
    uint8_t code;
    uint8_t layout;
} variables[] = {
    {VAR_FLAGS2, 4},            /* options of the session, as bits */
    {VAR_SQL_MODE, 8},          /* sql_mode */
    {2, TEXT_NUL},              /* catalog, before 5.0.4 */
    {3, 4},                     /* auto_increment */
    {VAR_CHARSET, 6},           /* client, connection, server collation */
    {5, TEXT},                  /* time zone */
    {6, TEXT},                  /* catalog */
    {7, 2},                     /* lc_time_names */
    {VAR_DATABASE, 2},          /* collation_database */
    {9, 8},                     /* tables of a multi-table update */
    {10, 4},                    /* length on the first server */
    {11, TWO_TEXTS},            /* invoker: user, host */
    {VAR_UPDATED_DBS, DB_LIST}, /* databases */
    {VAR_MICROSECONDS, 3},      /* of the header's second */
    {14, 8},                    /* commit time */
    {15, 8},
    {VAR_TIMESTAMPS, 1},     /* explicit_defaults_for_timestamp */
    {VAR_DDL_XID, 8},        /* XID of a DDL */
    {VAR_UTF8MB4, 2},        /* default_collation_for_utf8mb4 */
    {19, 1},                 /* sql_require_primary_key */
    {20, 1},                 /* default_table_encryption */
    {VAR_HRNOW, 3},          /* MariaDB: microseconds */
    {VAR_XID, 8},            /* MariaDB: XID of a DDL */
    {VAR_GTID_FLAGS, ALTER}, /* MariaDB: further flags of the GTID */
    {VAR_COLLATIONS, PAIRS}, /* MariaDB: collations of charsets */
};

static int layout_of(uint8_t code)
{
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++)
        if (variables[i].code == code)
            return variables[i].layout;
    return -1;
}

static void skip_names(struct cursor *cur)
{
    uint8_t count = cursor_u8(cur);
    for (unsigned i = 0; count != DBS_OVER && i < count && !cur->bad; i++) {
        const uint8_t *nul = (const uint8_t *)memchr(cur->p, 0, cursor_left(cur));
        cursor_skip(cur, nul ? (size_t)(nul - cur->p) + 1 : cursor_left(cur) + 1);
    }
}

static void read_variable(struct event_query *query, struct cursor *cur, uint8_t code, int layout)
{
    switch (layout) {
    case TWO_TEXTS:
        cursor_skip(cur, cursor_u8(cur));
        cursor_skip(cur, cursor_u8(cur));
        return;
    case TEXT_NUL:
        cursor_skip(cur, cursor_u8(cur) + 1u);
        return;
    case TEXT:
        cursor_skip(cur, cursor_u8(cur));
        return;
    case DB_LIST:
        skip_names(cur);
        return;
    case ALTER:
        cursor_skip(cur, cursor_u8(cur) & (MARIADB_GTID_COMMIT_ALTER | MARIADB_GTID_ROLLBACK_ALTER) ? 8 : 0);
        return;
    case PAIRS:
        cursor_skip(cur, cursor_u8(cur) * 4u);
        return;
    default:
        break;
    }
    if (code == VAR_SQL_MODE) {
        query->sql_mode = cursor_u64(cur);
        query->has_sql_mode = true;
    } else if (code == VAR_CHARSET) {
        query->client_collation = cursor_u16(cur);
        cursor_skip(cur, 2);
        query->server_collation = cursor_u16(cur);
    } else if (code == VAR_DDL_XID || code == VAR_XID) {
        query->has_ddl_xid = true;
        cursor_skip(cur, (size_t)layout);
    } else if (code == VAR_FLAGS2) {
        query->explicit_timestamps |= (cursor_u32(cur) & FLAG_TIMESTAMPS) != 0;
    } else if (code == VAR_TIMESTAMPS) {
        query->explicit_timestamps |= cursor_u8(cur) != 0;
    } else if (code == VAR_DATABASE) {
        query->database_collation = cursor_u16(cur);
    } else if (code == VAR_UTF8MB4) {
        query->utf8mb4_collation = cursor_u16(cur);
    } else if (code == VAR_MICROSECONDS || code == VAR_HRNOW) {
        query->us = (uint32_t)cursor_le(cur, 3);
        query->has_us = true;
    } else {
        cursor_skip(cur, (size_t)layout);
    }
}

int event_query_read(struct event_query *out, struct cursor body, struct err *e)
{
    struct event_query query = {0};
    query.thread_id = cursor_u32(&body);
    cursor_skip(&body, 4);
    query.db_len = cursor_u8(&body);
    query.error_code = cursor_u16(&body);
    struct cursor vars = cursor_sub(&body, cursor_u16(&body));
    query.db = (const char *)cursor_take(&body, query.db_len + 1);
    query.statement_len = cursor_left(&body);
    query.statement = (const char *)cursor_take(&body, query.statement_len);
    while (cursor_left(&vars) && !vars.bad) {
        uint8_t code = cursor_u8(&vars);
        int layout = layout_of(code);
        if (layout < 0)
            break;
        read_variable(&query, &vars, code, layout);
    }
    if (vars.bad)
        return err_set(e, CORRUPT, "QUERY event: status variables are cut");
    int rc = event_finish(&body, "QUERY", e);
    if (rc != 0)
        return rc;
    if (memchr(query.db, 0, query.db_len + 1) != query.db + query.db_len)
        return err_set(e, CORRUPT, "QUERY event: the database's name does not end where it should");
    if (query.us > 999999)
        return err_set(e, CORRUPT, "QUERY event: more than 999999 microseconds");
    *out = query;
    return 0;
}
