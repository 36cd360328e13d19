/* Events by their bytes: headers and FORMAT events that lie, both forms of GTID, status variables, and what each closed
 * layout refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <stdio.h>

#include "binlog/event.h"
#include "tools/event_any.h"
#include "tools/event_builder.h"

static void event_header__lengths_that_cannot_be__corrupt(void **state)
{
    (void)state;
    static const struct {
        uint32_t len;
        uint64_t max;
        int rc;
    } cases[] = {
        {0, 1000, -ERR_CORRUPT},
        {100, 0, 0},
        {18, 1000, -ERR_CORRUPT},
        {19, 1000, 0},
        {1000, 1000, 0},
        {1001, 1000, -ERR_CORRUPT},
        {0xffffffff, EVENT_BYTES_MAX, -ERR_CORRUPT},
        {1u << 30, EVENT_BYTES_MAX, 0},
        {(1u << 30) + 1, EVENT_BYTES_MAX, -ERR_CORRUPT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t bytes[EVENT_HEADER_LEN] = {0};
        struct event_header header;
        struct err e = ERR_INIT;
        for (unsigned b = 0; b < 4; b++)
            bytes[9 + b] = (uint8_t)(cases[i].len >> (8 * b));
        assert_int_equal(event_header_read(&header, bytes, sizeof bytes, cases[i].max, &e), cases[i].rc);
    }
}

static void event_header__fewer_than_19_bytes__corrupt(void **state)
{
    (void)state;
    uint8_t bytes[EVENT_HEADER_LEN] = {[9] = 19};
    struct event_header header;
    for (size_t len = 0; len < EVENT_HEADER_LEN; len++) {
        struct err e = ERR_INIT;
        assert_int_equal(event_header_read(&header, bytes, len, 1000, &e), -ERR_CORRUPT);
    }
}

static void event_format__of_both_servers__read(void **state)
{
    (void)state;
    for (unsigned mariadb = 0; mariadb < 2; mariadb++) {
        struct event_builder b;
        struct event_format format;
        struct err e = ERR_INIT;
        event_builder_init(&b, mariadb, true);
        assert_int_equal(event_format_read(&format, b.log.p + 4, b.log.len - 4, &e), 0);
        assert_int_equal(format.mariadb, mariadb);
        assert_int_equal(format.server_version, mariadb ? 101109 : 80406);
        assert_int_equal(format.checksum, CHECKSUM_CRC32);
        assert_int_equal(format.post_header_len[EVENT_TABLE_MAP], 8);
        assert_false(format.in_use);
        event_builder_release(&b);
    }
}

static void event_format__that_lies__corrupt(void **state)
{
    (void)state;
    enum { BODY = 4 + EVENT_HEADER_LEN, LENGTHS = BODY + 57 };
    static const struct {
        const char *what;
        size_t at;
        uint8_t value;
    } cases[] = {
        {"version 3", BODY, 3},
        {"header of 13 bytes", BODY + 56, 13},
        {"header of 20 bytes", BODY + 56, 20},
        {"QUERY post-header of 1 byte", LENGTHS + EVENT_QUERY - 1, 1},
        {"TABLE_MAP post-header of 1 byte", LENGTHS + EVENT_TABLE_MAP - 1, 1},
        {"WRITE_ROWS post-header of 255 bytes", LENGTHS + EVENT_WRITE_ROWS - 1, 255},
        {"ROTATE post-header of 9 bytes", LENGTHS + EVENT_ROTATE - 1, 9},
        {"checksum algorithm 2", LENGTHS + 42, 2},
        {"checksum algorithm 255", LENGTHS + 42, 255},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct event_builder b;
        struct event_format format;
        struct err e = ERR_INIT;
        event_builder_init(&b, false, true);
        b.log.p[cases[i].at] = cases[i].value;
        if (event_format_read(&format, b.log.p + 4, b.log.len - 4, &e) != -ERR_CORRUPT)
            fail_msg("%s", cases[i].what);
        event_builder_release(&b);
    }
}

static void event_format__any_length__error_or_fewer_types(void **state)
{
    (void)state;
    struct event_builder b;
    event_builder_init(&b, false, true);
    for (size_t len = 0; len < b.log.len - 4; len++) {
        struct event_format format;
        struct err e = ERR_INIT;
        uint8_t *exact = malloc(len + 1);
        assert_non_null(exact);
        memcpy(exact, b.log.p + 4, len);
        if (event_format_read(&format, exact, len, &e) == 0)
            assert_true(format.post_header_count < 42);
        free(exact);
    }
    event_builder_release(&b);
}

static void event_checksum__in_use_flag__not_covered(void **state)
{
    (void)state;
    struct event_builder b;
    struct err e = ERR_INIT;
    event_builder_init(&b, false, true);
    b.log.p[4 + 17] |= EVENT_FLAG_IN_USE;
    assert_int_equal(event_checksum_verify(b.log.p + 4, b.log.len - 4, &e), 0);
    b.log.p[4 + 18] |= 1;
    assert_int_equal(event_checksum_verify(b.log.p + 4, b.log.len - 4, &e), -ERR_CORRUPT);
    event_builder_release(&b);
}

/* FORMAT events of servers that knew no checksums end with the post-header lengths. */
static void event_format__before_checksums__all_bytes_are_types(void **state)
{
    (void)state;
    static const struct {
        const char *server;
        bool has;
    } cases[] = {
        {"5.0.96-log", false},    {"5.1.73", false},         {"5.5.62-log", false},     {"5.6.0-m4", false},
        {"5.6.1-m5", true},       {"5.7.44-log", true},      {"5.2.14-MariaDB", false}, {"5.3.0-MariaDB", true},
        {"5.5.68-MariaDB", true}, {"10.2.44-MariaDB", true}, {"9.7.4", true},           {"source-of-a-proxy", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t event[EVENT_HEADER_LEN + 57 + 27 + 5] = {[4] = EVENT_FORMAT, [19] = 4, [19 + 56] = 19};
        static const uint8_t lengths[27] = {56, 13, 0, 8,  0, 18, 0, 4, 4, 4, 4, 18, 0, 0,
                                            84, 0,  4, 26, 8, 0,  0, 0, 8, 8, 8, 2,  0};
        size_t len = sizeof event - (cases[i].has ? 0 : 5);
        struct event_format format;
        struct err e = ERR_INIT;
        memcpy(event + 21, cases[i].server, strlen(cases[i].server));
        memcpy(event + 19 + 57, lengths, sizeof lengths);
        event[sizeof event - 5] = cases[i].has ? CHECKSUM_CRC32 : 0;
        if (event_format_read(&format, event, len, &e) != 0)
            fail_msg("%s: %s", cases[i].server, e.text);
        assert_int_equal(format.post_header_count, 27);
        assert_int_equal(format.post_header_len[EVENT_DELETE_ROWS_V1], 8);
        assert_int_equal(format.checksum, cases[i].has ? CHECKSUM_CRC32 : CHECKSUM_OFF);
        assert_int_equal(event_format_checksum(event, len), format.checksum);
    }
}

static void event_format__of_a_server_before_its_release__refused(void **state)
{
    (void)state;
    struct event_builder b;
    struct event_format format;
    struct err e = ERR_INIT;
    event_builder_init(&b, false, true);
    memcpy(b.log.p + 4 + 21, "5.2.2-a_drop5p3-alpha", 22);
    assert_int_equal(event_format_read(&format, b.log.p + 4, b.log.len - 4 - 5, &e), -ERR_CORRUPT);
    assert_non_null(strstr(e.text, "before its first release"));
    event_builder_release(&b);
}

static void event_mariadb_gtid__fields_by_flags__read_or_skipped(void **state)
{
    (void)state;
    enum { XA = MARIADB_GTID_PREPARED_XA, COMMIT = MARIADB_GTID_GROUP_COMMIT_ID };
    static const struct {
        const char *what;
        uint8_t flags;
        size_t len;
        uint8_t rest[40]; /* behind the flags */
        int rc;
        uint8_t extra;
        uint64_t alter;
    } cases[] = {
        {"10.2, padded", 0, 19, {0}, 0, 0, 0},
        {"10.2, group commit", COMMIT, 21, {9, 9, 9, 9, 9, 9, 9, 9}, 0, 0, 0},
        {"group commit, engines", COMMIT, 23, {9, 9, 9, 9, 9, 9, 9, 9, 1, 2}, 0, 1, 0},
        {"start alter", 1, 19, {2}, 0, MARIADB_GTID_START_ALTER, 0},
        {"commit alter", 1, 22, {4, 5, 1}, 0, MARIADB_GTID_COMMIT_ALTER, 261},
        {"rollback alter, group commit",
         COMMIT | 1,
         30,
         {9, 9, 9, 9, 9, 9, 9, 9, 8, 7},
         0,
         MARIADB_GTID_ROLLBACK_ALTER,
         7},
        {"engines, commit alter", 1, 23, {5, 3, 6}, 0, 5, 6},
        {"XA with both parts", XA, 22, {1, 0, 0, 0, 2, 1, 'a', 'b', 'c'}, 0, 0, 0},
        {"XA and engines", XA, 24, {1, 0, 0, 0, 2, 1, 'a', 'b', 'c', 1, 1}, 0, 1, 0},
        {"thread of 12.0", 0, 23, {16, 1, 2, 3, 4}, 0, 16, 0},
        {"too short", 0, 18, {0}, -ERR_CORRUPT, 0, 0},
        {"group commit cut", COMMIT, 20, {0}, -ERR_CORRUPT, 0, 0},
        {"alter cut", 1, 21, {4}, -ERR_CORRUPT, 0, 0},
        {"XA cut", XA, 21, {1, 0, 0, 0, 2, 1, 'a', 'b'}, -ERR_CORRUPT, 0, 0},
        {"XA with a part of 65 bytes", XA, 53, {1, 0, 0, 0, 65, 0}, -ERR_CORRUPT, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t body[64] = {42};
        struct event_mariadb_gtid event;
        struct err e = ERR_INIT;
        body[8] = 3;
        body[12] = cases[i].flags;
        memcpy(body + 13, cases[i].rest, sizeof cases[i].rest);
        if (event_mariadb_gtid_read(&event, cursor_over(body, cases[i].len), 7, &e) != cases[i].rc)
            fail_msg("%s: %s", cases[i].what, e.text);
        if (cases[i].rc != 0)
            continue;
        assert_int_equal(event.gtid.number, 42);
        assert_int_equal(event.gtid.domain, 3);
        assert_int_equal(event.extra, cases[i].extra);
        assert_int_equal(event.alter, cases[i].alter);
    }
}

/* Variables that MariaDB 11 writes before the microseconds. */
static void event_query__variables_of_mariadb_11__passed_over(void **state)
{
    (void)state;
    static const uint8_t vars[] = {131, 2, 45, 0, 0x2b, 9, 8, 0,   8, 0,   130,  4,    1,
                                   2,   3, 4,  5, 6,    7, 8, 130, 2, 128, 0x40, 0xe2, 1};
    uint8_t body[13 + sizeof vars + 1 + 5] = {0};
    struct event_query query;
    struct err e = ERR_INIT;
    body[11] = sizeof vars;
    memcpy(body + 13, vars, sizeof vars);
    memcpy(body + 13 + sizeof vars + 1, "BEGIN", 5);
    assert_int_equal(event_query_read(&query, cursor_over(body, sizeof body), &e), 0);
    assert_true(query.has_us);
    assert_int_equal(query.us, 123456);
}

/* A GTID event of MySQL 8.4 whose original and immediate commit times differ. */
static void event_gtid__two_times__both_read(void **state)
{
    (void)state;
    uint8_t body[1 + 16 + 8 + 17 + 14 + 1 + 4] = {0};
    struct event_gtid event;
    struct err e = ERR_INIT;
    body[1] = 0xab;
    body[17] = 9;
    body[25] = 2;
    body[42] = 5;
    body[48] = 0x80;
    body[49] = 3;
    struct cursor cur = cursor_over(body, sizeof body);
    assert_int_equal(event_gtid_read(&event, cur, EVENT_GTID, &e), 0);
    assert_int_equal(event.gtid.number, 9);
    assert_int_equal(event.gtid.uuid[0], 0xab);
    assert_int_equal(event.immediate_us, 5);
    assert_int_equal(event.original_us, 3);
}

static void event_gtid__number_out_of_range__corrupt(void **state)
{
    (void)state;
    static const uint64_t numbers[] = {0, INT64_MAX, (uint64_t)1 << 63, UINT64_MAX};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        uint8_t body[25] = {0};
        struct event_gtid event;
        struct err e = ERR_INIT;
        for (unsigned b = 0; b < 8; b++)
            body[17 + b] = (uint8_t)(numbers[i] >> (8 * b));
        assert_int_equal(event_gtid_read(&event, cursor_over(body, sizeof body), EVENT_GTID, &e), -ERR_CORRUPT);
        err_clear(&e);
        assert_int_equal(event_gtid_read(&event, cursor_over(body, sizeof body), EVENT_ANONYMOUS_GTID, &e), 0);
        assert_false(gtid_is_set(&event.gtid));
    }
}

static void event_gtid_tagged__messages(void **state)
{
    (void)state;
#define UUID_16 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2
    static const struct {
        const char *what;
        uint8_t bytes[64];
        size_t len;
        int rc;
        uint64_t number;
        const char *tag;
    } cases[] = {
        {"uuid, gno 5, tag ab", {2, 54, 0, 0, 0, 2, UUID_16, 4, 20, 6, 4, 'a', 'b'}, 28, -ERR_CORRUPT, 0, ""},
        {"the same with its size", {2, 56, 0, 0, 0, 2, UUID_16, 4, 20, 6, 4, 'a', 'b'}, 28, 0, 5, "ab"},
        {"gno of two bytes", {2, 50, 0, 2, UUID_16, 4, 0x01 | 0x10, 0x05, 6, 0}, 25, 0, 162, ""},
        {"version 2", {4, 56, 0, 0, 0, 2, UUID_16, 4, 20, 6, 4, 'a', 'b'}, 28, -ERR_CORRUPT, 0, ""},
        {"size beyond the event", {2, 58, 0, 0, 0, 2, UUID_16, 4, 20, 6, 4, 'a', 'b'}, 28, -ERR_CORRUPT, 0, ""},
        {"size of 0", {2, 0, 0}, 3, -ERR_CORRUPT, 0, ""},
        {"needs field 12", {2, 56, 26, 0, 0, 2, UUID_16, 4, 20, 6, 4, 'a', 'b'}, 28, -ERR_CORRUPT, 0, ""},
        {"ids that fall", {2, 56, 0, 4, 20, 2, UUID_16, 0, 0, 6, 4, 'a', 'b'}, 28, -ERR_CORRUPT, 0, ""},
        {"tag of 33 bytes", {2, 52, 0, 0, 0, 2, UUID_16, 4, 20, 6, 66}, 26, -ERR_CORRUPT, 0, ""},
        {"tag with a capital", {2, 56, 0, 0, 0, 2, UUID_16, 4, 20, 6, 4, 'A', 'b'}, 28, -ERR_CORRUPT, 0, ""},
        {"negative gno", {2, 48, 0, 0, 0, 2, UUID_16, 4, 6}, 24, -ERR_CORRUPT, 0, ""},
        {"no gno", {2, 44, 0, 0, 0, 2, UUID_16}, 22, -ERR_CORRUPT, 0, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct event_gtid event = {0};
        struct err e = ERR_INIT;
        int rc = event_gtid_read(&event, cursor_over(cases[i].bytes, cases[i].len), EVENT_GTID_TAGGED, &e);
        if (rc != cases[i].rc ||
            (rc == 0 && (event.gtid.number != cases[i].number || strcmp(event.gtid.tag, cases[i].tag) != 0)))
            fail_msg("%s: %d %s, number %llu", cases[i].what, rc, e.text, (unsigned long long)event.gtid.number);
    }
}

static void event_query__status_variables(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        uint8_t vars[32];
        uint8_t len;
        int rc;
        uint64_t sql_mode;
        uint32_t us;
        uint16_t collation;
        uint16_t server, database, utf8mb4;
        bool timestamps, ddl_xid;
    } cases[] = {
        {"none", {0}, 0, 0, 0, 0, 0, 0, 0, 0, false, false},
        {"sql_mode, charset, microseconds",
         {1, 4, 0, 0, 0, 0, 0, 0, 0, 4, 45, 0, 45, 0, 8, 0, 13, 1, 2, 0},
         20,
         0,
         4,
         513,
         45,
         8,
         0,
         0,
         false,
         false},
        {"MySQL 9.7: a DDL, collation_database, explicit_defaults_for_timestamp, default_collation_for_utf8mb4",
         {8, 46, 0, 16, 1, 17, 1, 2, 3, 4, 5, 6, 7, 8, 18, 255, 0, 19, 0},
         19,
         0,
         0,
         0,
         0,
         0,
         46,
         255,
         true,
         true},
        {"MySQL: explicit_defaults_for_timestamp is OFF", {16, 0}, 2, 0, 0, 0, 0, 0, 0, 0, false, false},
        {"MariaDB: the same in flags2, and the XID",
         {0, 0, 0, 0, 1, 129, 1, 2, 3, 4, 5, 6, 7, 8},
         14,
         0,
         0,
         0,
         0,
         0,
         0,
         0,
         true,
         true},
        {"MariaDB: it is OFF", {0, 0, 0, 0, 0}, 5, 0, 0, 0, 0, 0, 0, 0, false, false},
        {"collation_database cut", {8, 46}, 2, -ERR_CORRUPT, 0, 0, 0, 0, 0, 0, false, false},
        {"behind texts and lists",
         {6, 3, 's', 't', 'd', 5, 1, 'x', 11, 1, 'u', 1, 'h', 12, 2, 'a', 0, 'b', 0, 13, 9, 0, 0},
         23,
         0,
         0,
         9,
         0,
         0,
         0,
         0,
         false,
         false},
        {"too many databases", {12, 254, 13, 9, 0, 0}, 6, 0, 0, 9, 0, 0, 0, 0, false, false},
        {"an unknown one ends the list", {99, 13, 9, 0, 0}, 5, 0, 0, 0, 0, 0, 0, 0, false, false},
        {"sql_mode cut", {1, 4, 0}, 3, -ERR_CORRUPT, 0, 0, 0, 0, 0, 0, false, false},
        {"text beyond the end", {6, 200, 's'}, 3, -ERR_CORRUPT, 0, 0, 0, 0, 0, 0, false, false},
        {"database list without its NUL", {12, 1, 'a'}, 3, -ERR_CORRUPT, 0, 0, 0, 0, 0, 0, false, false},
        {"a million microseconds", {13, 0x40, 0x42, 0x0f}, 4, -ERR_CORRUPT, 0, 0, 0, 0, 0, 0, false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t body[64] = {0};
        struct event_query query = {0};
        struct err e = ERR_INIT;
        body[8] = 2;
        body[11] = cases[i].len;
        memcpy(body + 13, cases[i].vars, cases[i].len);
        memcpy(body + 13 + cases[i].len, "db\0SELECT", 9);
        int rc = event_query_read(&query, cursor_over(body, 13u + cases[i].len + 9), &e);
        if (rc != cases[i].rc || (rc == 0 && (query.sql_mode != cases[i].sql_mode || query.us != cases[i].us ||
                                              query.client_collation != cases[i].collation)))
            fail_msg("%s: %d %s", cases[i].what, rc, e.text);
        if (rc == 0) {
            assert_int_equal(query.server_collation, cases[i].server);
            assert_int_equal(query.database_collation, cases[i].database);
            assert_int_equal(query.utf8mb4_collation, cases[i].utf8mb4);
            assert_int_equal(query.explicit_timestamps, cases[i].timestamps);
            assert_int_equal(query.has_ddl_xid, cases[i].ddl_xid);
            assert_string_equal(query.db, "db");
            assert_int_equal(query.statement_len, 6);
        }
    }
}

/* Bodies that each layout refuses, by type. */
static void event__bodies_that_do_not_fit__corrupt(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        uint8_t type;
        uint8_t bytes[40];
        size_t len;
    } cases[] = {
        {"XID of 7 bytes", EVENT_XID, {0}, 7},
        {"XID of 9 bytes", EVENT_XID, {0}, 9},
        {"STOP with a body", EVENT_STOP, {0}, 1},
        {"ROTATE without a name", EVENT_ROTATE, {4}, 8},
        {"ROTATE to position 3", EVENT_ROTATE, {3, 0, 0, 0, 0, 0, 0, 0, 'b'}, 9},
        {"ROTATE to a name with NUL", EVENT_ROTATE, {4, 0, 0, 0, 0, 0, 0, 0, 'b', 0, 'c'}, 11},
        {"QUERY whose database does not end", EVENT_QUERY, {0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 'd', 'e'}, 15},
        {"QUERY with variables beyond the end", EVENT_QUERY, {[11] = 200}, 20},
        {"MARIADB_GTID cut", EVENT_MARIADB_GTID, {1}, 12},
        {"MARIADB_GTID number 0", EVENT_MARIADB_GTID, {0}, 19},
        {"GTID_LIST of 268 million", EVENT_GTID_LIST, {0xff, 0xff, 0xff, 0x0f}, 36},
        {"GTID_LIST longer than its count", EVENT_GTID_LIST, {0}, 20},
        {"PREVIOUS_GTIDS of 2^63 servers", EVENT_PREVIOUS_GTIDS, {0, 0, 0, 0, 0, 0, 0, 0x80}, 8},
        {"TABLE_MAP without columns", EVENT_TABLE_MAP, {[8] = 1, 'd', 0, 1, 't', 0, 0}, 15},
        {"TABLE_MAP of 65535 columns", EVENT_TABLE_MAP, {[8] = 1, 'd', 0, 1, 't', 0, 252, 255, 255}, 40},
        {"TABLE_MAP with a NUL in the name", EVENT_TABLE_MAP, {[8] = 2, 'd', 0, 0, 1, 't', 0, 1, 3, 0, 0}, 19},
        {"TABLE_MAP name not ended", EVENT_TABLE_MAP, {[8] = 1, 'd', 'x', 1, 't', 0, 1, 3, 0, 0}, 18},
        {"TABLE_MAP metadata of 2^40 bytes",
         EVENT_TABLE_MAP,
         {[8] = 1, 'd', 0, 1, 't', 0, 1, 3, 254, 0, 0, 0, 0, 0, 1, 0, 0},
         25},
        {"ROWS extra data of 1 byte", EVENT_WRITE_ROWS, {1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1, 1}, 12},
        {"ROWS extra data beyond the end", EVENT_WRITE_ROWS, {1, 0, 0, 0, 0, 0, 1, 0, 99, 0, 1, 1}, 12},
        {"ROWS of 2^64-1 columns",
         EVENT_WRITE_ROWS,
         {1, 0, 0, 0, 0, 0, 1, 0, 2, 0, 254, 255, 255, 255, 255, 255, 255, 255, 255},
         19},
        {"ROWS without its second bitmap", EVENT_UPDATE_ROWS, {1, 0, 0, 0, 0, 0, 1, 0, 2, 0, 1, 1}, 12},
        {"INCIDENT whose message is cut", EVENT_INCIDENT, {1, 0, 9, 'x'}, 4},
        {"INTVAR of 10 bytes", EVENT_INTVAR, {0}, 10},
        {"RAND of 15 bytes", EVENT_RAND, {0}, 15},
        {"USER_VAR with a name beyond the end", EVENT_USER_VAR, {255, 255, 255, 255, 'x'}, 5},
        {"USER_VAR with a value beyond the end", EVENT_USER_VAR, {1, 0, 0, 0, 'x', 0, 0, 0, 0, 0, 0, 9, 0, 0, 0}, 15},
        {"HEARTBEAT_V2 field beyond the end", EVENT_HEARTBEAT_V2, {1, 200, 'b'}, 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct event_format format = {0};
        struct err e = ERR_INIT;
        uint8_t *exact = malloc(cases[i].len);
        assert_non_null(exact);
        memcpy(exact, cases[i].bytes, cases[i].len);
        int rc = event_any_read(cases[i].type, exact, cases[i].len, &format, &e);
        if (rc != -ERR_CORRUPT)
            fail_msg("%s: %d %s", cases[i].what, rc, e.text);
        free(exact);
    }
}

static void event_heartbeat__both_versions__file_and_position(void **state)
{
    (void)state;
    static const uint8_t v2[] = {1, 3, 'b', '.', '1', 2, 9, 254, 1, 0, 0, 0, 1, 0, 0, 0, 0};
    struct event_heartbeat beat;
    struct err e = ERR_INIT;
    assert_int_equal(event_heartbeat_read(&beat, cursor_over("b.2", 3), EVENT_HEARTBEAT, &e), 0);
    assert_memory_equal(beat.file, "b.2", 3);
    assert_false(beat.has_pos);
    assert_int_equal(event_heartbeat_read(&beat, cursor_over(v2, sizeof v2), EVENT_HEARTBEAT_V2, &e), 0);
    assert_memory_equal(beat.file, "b.1", 3);
    assert_int_equal(beat.pos, ((uint64_t)1 << 32) + 1);
}

static void event_rows__bitmaps__null_when_nothing_is_absent(void **state)
{
    (void)state;
    static const uint8_t all[] = {1, 0, 0, 0, 0, 0, 1, 0, 2, 0, 9, 0xff, 0x01, 0xff, 0xfe, 7};
    static const uint8_t some[] = {1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 9, 0xff, 0xfe, 0xfd, 0x01};
    struct event_format format = {0};
    struct event_rows rows;
    struct err e = ERR_INIT;
    assert_int_equal(event_rows_read(&rows, cursor_over(all, sizeof all), EVENT_UPDATE_ROWS, &format, &e), 0);
    assert_null(rows.before_present);
    assert_non_null(rows.after_present);
    assert_int_equal(rows.rows_end - rows.rows, 1);
    assert_int_equal(event_rows_read(&rows, cursor_over(some, sizeof some), EVENT_UPDATE_ROWS, &format, &e), 0);
    assert_non_null(rows.before_present);
    assert_non_null(rows.after_present);
    assert_int_equal(rows.flags, 0);
}

static void event_types__rise_and_are_found(void **state)
{
    (void)state;
    unsigned known = 0;
    for (unsigned type = 0; type < 256; type++) {
        const struct event_row *row = event_row((uint8_t)type);
        if (row) {
            assert_int_equal(row->type, type);
            known++;
        }
    }
    assert_int_equal(known, 54);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(event_header__lengths_that_cannot_be__corrupt),
        cmocka_unit_test(event_header__fewer_than_19_bytes__corrupt),
        cmocka_unit_test(event_format__of_both_servers__read),
        cmocka_unit_test(event_format__that_lies__corrupt),
        cmocka_unit_test(event_format__any_length__error_or_fewer_types),
        cmocka_unit_test(event_checksum__in_use_flag__not_covered),
        cmocka_unit_test(event_format__before_checksums__all_bytes_are_types),
        cmocka_unit_test(event_format__of_a_server_before_its_release__refused),
        cmocka_unit_test(event_mariadb_gtid__fields_by_flags__read_or_skipped),
        cmocka_unit_test(event_query__variables_of_mariadb_11__passed_over),
        cmocka_unit_test(event_gtid__two_times__both_read),
        cmocka_unit_test(event_gtid__number_out_of_range__corrupt),
        cmocka_unit_test(event_gtid_tagged__messages),
        cmocka_unit_test(event_query__status_variables),
        cmocka_unit_test(event__bodies_that_do_not_fit__corrupt),
        cmocka_unit_test(event_heartbeat__both_versions__file_and_position),
        cmocka_unit_test(event_rows__bitmaps__null_when_nothing_is_absent),
        cmocka_unit_test(event_types__rise_and_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
