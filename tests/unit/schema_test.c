/* The layers of a table: wire bytes, optional metadata, definitions and when they are trusted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <stdio.h>

#include "schema/metadata.h"
#include "schema/schema.h"

/* The server behind the reader. */
struct server {
    const char *sql; /* NULL: no such table */
    struct filepos noted;
    const struct schema_reading *reading; /* instead of `noted`; NULL: none */
    unsigned reads;
};

static int read_sql(void *ctx, const char *db, const char *table, struct buf *sql, struct schema_reading *out,
                    struct err *e)
{
    struct server *server = ctx;
    (void)db;
    (void)table;
    (void)e;
    server->reads++;
    out->where.at = server->noted;
    if (server->reading)
        *out = *server->reading;
    if (!server->sql)
        return 0;
    buf_text(sql, server->sql);
    return 1;
}

/* id BIGINT UNSIGNED NOT NULL, name VARCHAR(20), kind ENUM, amount DECIMAL(12,2), at DATETIME(3) */
static const uint8_t wire_types[] = {8, 15, 254, 246, 18};
static const uint8_t wire_metadata[] = {80, 0, 247, 1, 12, 2, 3};
static const uint8_t wire_nullable[] = {0x1e};
static const char definition[] = "CREATE TABLE `t` (\n  `id` bigint(20) unsigned NOT NULL,\n"
                                 "  `name` varchar(20) DEFAULT NULL,\n  `kind` enum('a','ö') DEFAULT NULL,\n"
                                 "  `amount` decimal(12,2) DEFAULT NULL,\n  `at` datetime(3) DEFAULT NULL,\n"
                                 "  PRIMARY KEY (`id`)\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4";

static struct wire_table make_wire(const uint8_t *optional, size_t len)
{
    return (struct wire_table){.table_id = 1,
                               .db = "shop",
                               .db_len = 4,
                               .name = "t",
                               .name_len = 1,
                               .column_count = 5,
                               .types = wire_types,
                               .metadata = wire_metadata,
                               .metadata_len = sizeof wire_metadata,
                               .nullable = wire_nullable,
                               .optional = optional,
                               .optional_len = len};
}

static struct filepos at(const char *file, uint64_t pos)
{
    struct filepos place = {.pos = pos};
    snprintf(place.file, sizeof place.file, "%s", file);
    return place;
}

/* signs: id unsigned, amount signed; default charset utf8mb4, labels latin1; names; labels; key (id) */
static const uint8_t full[] = {1, 1,   0x80, 2,   1, 45, 4, 14, 2,   'i', 'd',  4, 'n', 'a', 'm', 'e', 1, 'k',
                               1, 'm', 1,    'd', 6, 5,  2, 1,  'a', 1,   0xf6, 8, 1,   0,   10,  1,   8};

static const struct shape *resolve(struct schema *schema, const struct wire_table *wire, struct filepos place,
                                   struct err *e)
{
    const struct shape *shape = NULL;
    const struct history_where where = {.at = place};
    int rc = schema_resolve(schema, wire, &where, &shape, e);
    assert_int_equal(rc, -(int)e->code);
    return shape;
}

static void schema__full_metadata__names_signs_labels_and_key(void **state)
{
    (void)state;
    struct schema *schema;
    struct err e = ERR_INIT;
    uint8_t block[sizeof full];
    memcpy(block, full, sizeof full);
    struct wire_table wire = make_wire(block, sizeof block);
    assert_int_equal(schema_new(&schema, NULL, &e), 0);
    const struct shape *shape = resolve(schema, &wire, at("bin.000001", 4), &e);
    if (!shape)
        fail_msg("%s", e.text);
    const struct table *tbl = shape->tbl;
    assert_string_equal(tbl->columns[1].name, "name");
    assert_true(tbl->columns[0].type.is_unsigned && tbl->columns[0].type.sign_known);
    assert_true(!tbl->columns[3].type.is_unsigned && tbl->columns[3].type.sign_known);
    assert_int_equal(tbl->columns[1].type.collation, 45);
    assert_int_equal(tbl->columns[2].type.label_count, 2);
    assert_int_equal(tbl->columns[2].type.labels[1].len, 2);
    assert_memory_equal(tbl->columns[2].type.labels[1].text, "ö", 2);
    assert_true(tbl->pk_known);
    assert_int_equal(tbl->pk_count, 1);
    assert_true(!tbl->columns[0].nullable && tbl->columns[1].nullable);
    wire.table_id = 2;
    assert_ptr_equal(resolve(schema, &wire, at("bin.000001", 4), &e), shape);
    assert_ptr_equal(schema_current(schema, "shop", "t"), tbl);
    schema_free(schema);
}

static void schema__metadata_damaged__corrupt_or_valid(void **state)
{
    (void)state;
    for (size_t cut = 1; cut < sizeof full; cut++) {
        for (unsigned flip = 0; flip < 8; flip++) {
            struct schema *schema;
            struct err e = ERR_INIT;
            uint8_t *block = malloc(cut);
            assert_non_null(block);
            memcpy(block, full, cut);
            block[cut - 1] ^= (uint8_t)(1u << flip);
            struct wire_table wire = make_wire(block, cut);
            assert_int_equal(schema_new(&schema, NULL, &e), 0);
            if (!resolve(schema, &wire, at("bin.000001", 4), &e))
                assert_true(e.code == ERR_CORRUPT || e.code == ERR_SCHEMA_UNKNOWN);
            schema_free(schema);
            free(block);
        }
    }
}

static void schema__hostile_metadata__corrupt(void **state)
{
    (void)state;
    static const struct {
        const char *why;
        uint8_t bytes[16];
        size_t len;
    } cases[] = {
        {"length beyond the block", {1, 200, 0}, 3},
        {"length of 2^64-1", {1, 254, 255, 255, 255, 255, 255, 255, 255, 255}, 10},
        {"no signs", {1, 0}, 2},
        {"signs for more columns", {1, 2, 0, 0}, 4},
        {"a field twice", {1, 1, 0, 1, 1, 0}, 6},
        {"charset of the 9th character column", {2, 3, 45, 9, 8}, 5},
        {"collation out of range", {2, 4, 253, 255, 255, 255}, 6},
        {"two charsets for one column", {3, 2, 45, 8}, 4},
        {"names for two columns only", {4, 4, 1, 'a', 1, 'b'}, 6},
        {"name with a NUL", {4, 10, 1, 'a', 1, 0, 1, 'b', 1, 'c', 1, 'd'}, 12},
        {"empty name", {4, 9, 0, 1, 'a', 1, 'b', 1, 'c', 1, 'd'}, 11},
        {"name that is not UTF-8", {4, 10, 1, 0xff, 1, 'x', 1, 'b', 1, 'c', 1, 'd'}, 12},
        {"4 billion labels", {6, 5, 254, 255, 255, 255, 255}, 7},
        {"key beyond the columns", {8, 1, 5}, 3},
        {"a key column twice", {8, 2, 1, 1}, 4},
        {"a prefixed key column twice", {9, 4, 1, 0, 1, 3}, 6},
        {"more charsets than columns", {2, 13, 45, 0, 8, 0, 8, 0, 8, 0, 8, 0, 8, 0, 8}, 15},
        {"more key columns than columns", {8, 6, 0, 1, 2, 3, 4, 0}, 8},
        {"two keys", {8, 1, 0, 9, 2, 0, 0}, 7},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct schema *schema;
        struct err e = ERR_INIT;
        struct wire_table wire = make_wire(cases[i].bytes, cases[i].len);
        assert_int_equal(schema_new(&schema, NULL, &e), 0);
        (void)resolve(schema, &wire, at("bin.000001", 4), &e);
        if (e.code != ERR_CORRUPT)
            fail_msg("%s: %s", cases[i].why, e.text);
        schema_free(schema);
    }
}

static void schema__no_names_and_no_server__unknown_with_ways_out(void **state)
{
    (void)state;
    struct schema *schema;
    struct err e = ERR_INIT;
    struct wire_table wire = make_wire(NULL, 0);
    assert_int_equal(schema_new(&schema, NULL, &e), 0);
    assert_null(resolve(schema, &wire, at("bin.000001", 4), &e));
    assert_int_equal(e.code, ERR_SCHEMA_UNKNOWN);
    assert_non_null(strstr(err_code_todo(e.code), "binlog_row_metadata=FULL"));
    schema_free(schema);
}

static void schema__definition__holds_from_its_position_until_another(void **state)
{
    (void)state;
    struct server server = {.sql = definition, .noted = at("bin.000002", 500)};
    const struct schema_reader reader = {.ctx = &server, .read = read_sql};
    struct schema *schema;
    struct err e = ERR_INIT;
    struct wire_table wire = make_wire(NULL, 0);
    assert_int_equal(schema_new(&schema, &reader, &e), 0);
    assert_int_equal(schema_refresh(schema, "shop", "t", &e), 0);
    assert_string_equal(schema_current(schema, "shop", "t")->columns[2].name, "kind");

    assert_null(resolve(schema, &wire, at("bin.000002", 499), &e));
    assert_int_equal(e.code, ERR_SCHEMA_UNKNOWN);
    assert_non_null(strstr(e.text, "bin.000002:500"));
    err_clear(&e);

    const struct shape *shape = resolve(schema, &wire, at("bin.000002", 500), &e);
    if (!shape)
        fail_msg("%s", e.text);
    const struct table *tbl = shape->tbl;
    assert_true(tbl->columns[0].type.is_unsigned);
    assert_int_equal(tbl->columns[1].type.charset, CHARSET_UTF8);
    assert_string_equal(tbl->columns[2].type.labels[1].text, "ö");
    assert_string_equal(tbl->columns[0].declared, "bigint(20) unsigned");
    assert_int_equal(tbl->pk_count, 1);

    const struct history_where place = {.at = at("bin.000002", 800)};
    const struct history_change lost = {.db = "shop", .table = "t", .kind = HISTORY_UNKNOWN, .text = "why", .len = 3};
    assert_int_equal(history_put(schema_history(schema), &place, HISTORY_LOG, NULL, &lost, 1, &e), 0);
    schema_forget(schema, "shop", "t");
    server.noted = at("bin.000003", 4);
    assert_non_null(resolve(schema, &wire, at("bin.000002", 799), &e));
    assert_null(resolve(schema, &wire, at("bin.000002", 900), &e));
    assert_int_equal(e.code, ERR_SCHEMA_UNKNOWN);
    assert_non_null(strstr(e.text, "why; "));
    assert_non_null(strstr(e.text, "import FILE.sql --table 'shop.t' --from bin.000002:800"));
    err_clear(&e);
    assert_non_null(resolve(schema, &wire, at("bin.000003", 4), &e));
    assert_int_equal(server.reads, 2);
    schema_free(schema);
}

static struct gtid_set *gtids_upto(unsigned last)
{
    char text[80];
    struct err e = ERR_INIT;
    struct gtid_set *set = NULL;
    snprintf(text, sizeof text, "cccccccc-0000-0000-0000-000000000000:1-%u", last);
    assert_int_equal(gtid_set_parse(&set, FLAVOR_MYSQL, text, strlen(text), &e), 0);
    return set;
}

/* Read between the transactions 5 and 10; then transaction `number` is read of another server. */
static void check_after_failover(unsigned number, const char *name)
{
    struct gtid_set *five = gtids_upto(5), *ten = gtids_upto(10), *before = gtids_upto(number - 1),
                    *end = gtids_upto(20);
    const struct schema_reading reading = {
        .where = {.server_uuid = "a", .at = at("bin.000001", 200), .gtids = ten},
        .before = {.server_uuid = "a", .at = at("bin.000001", 100), .gtids = five},
    };
    const struct history_where now = {.server_uuid = "b", .at = at("other.000007", 900), .gtids = end};
    struct server server = {.sql = definition, .reading = &reading};
    const struct schema_reader reader = {.ctx = &server, .read = read_sql};
    struct err e = ERR_INIT;
    struct wire_table wire = make_wire(NULL, 0);
    struct schema *schema;
    const struct shape *shape = NULL;
    assert_int_equal(schema_new(&schema, &reader, &e), 0);
    assert_int_equal(schema_resolve(schema, &wire, &now, &shape, &e), 0);
    assert_string_equal(shape->tbl->columns[2].name, "kind");

    char text[sizeof definition];
    memcpy(text, definition, sizeof definition);
    memcpy(strstr(text, "`kind`"), "`sort`", 6);
    const struct history_change change = {
        .db = "shop", .table = "t", .kind = HISTORY_DEFINED, .text = text, .len = sizeof text - 1};
    struct history_where there = {.server_uuid = "b", .at = at("other.000007", 50), .gtids = before};
    char gtid[80];
    snprintf(gtid, sizeof gtid, "cccccccc-0000-0000-0000-000000000000:%u", number);
    assert_int_equal(gtid_parse(&there.gtid, FLAVOR_MYSQL, gtid, strlen(gtid), &e), 0);
    assert_int_equal(history_put(schema_history(schema), &there, HISTORY_LOG, NULL, &change, 1, &e), 0);
    assert_int_equal(schema_resolve(schema, &wire, &now, &shape, &e), 0);
    assert_string_equal(shape->tbl->columns[2].name, name);
    schema_free(schema);
    gtid_set_free(five);
    gtid_set_free(ten);
    gtid_set_free(before);
    gtid_set_free(end);
}

static void schema__read_while_a_statement_ran__other_server_tells_it(void **state)
{
    (void)state;
    check_after_failover(3, "kind"); /* before the reading */
    check_after_failover(7, "sort"); /* before it or behind: what was read is void */
    check_after_failover(12, "sort");
}

static void schema__definition_does_not_fit__mismatch(void **state)
{
    (void)state;
    static const char *const others[] = {
        "CREATE TABLE t (id bigint unsigned NOT NULL)",
        "CREATE TABLE t (id int NOT NULL, name varchar(20), kind enum('a'), amount decimal(12,2), at datetime(3))",
        "CREATE TABLE t (id bigint NOT NULL, name varchar(20), kind enum('a'), amount decimal(10,2), at datetime(3))",
        "CREATE TABLE t (id bigint NOT NULL, name varchar(20), kind enum('a'), amount decimal(12,2), at datetime)",
        "CREATE TABLE t (id bigint, name varchar(20), kind enum('a'), amount decimal(12,2), at datetime(3))",
        "CREATE TABLE t (name varchar(20), id bigint NOT NULL, kind enum('a'), amount decimal(12,2), at datetime(3))",
        "CREATE TABLE t (id bigint NOT NULL, name varchar(20), kind set('a'), amount decimal(12,2), at datetime(3))",
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        struct server server = {.sql = others[i]};
        const struct schema_reader reader = {.ctx = &server, .read = read_sql};
        struct schema *schema;
        struct err e = ERR_INIT;
        struct wire_table wire = make_wire(NULL, 0);
        assert_int_equal(schema_new(&schema, &reader, &e), 0);
        assert_null(resolve(schema, &wire, at("bin.000001", 4), &e));
        if (e.code != ERR_SCHEMA_MISMATCH)
            fail_msg("%s: %s", others[i], e.text);
        schema_free(schema);
    }
}

static void schema__sign_of_the_log__contradicts_the_definition(void **state)
{
    (void)state;
    static const uint8_t signs[] = {1, 1, 0x00};
    struct server server = {.sql = definition};
    const struct schema_reader reader = {.ctx = &server, .read = read_sql};
    struct schema *schema;
    struct err e = ERR_INIT;
    struct wire_table wire = make_wire(signs, sizeof signs);
    assert_int_equal(schema_new(&schema, &reader, &e), 0);
    assert_null(resolve(schema, &wire, at("bin.000001", 4), &e));
    assert_int_equal(e.code, ERR_SCHEMA_MISMATCH);
    schema_free(schema);
}

static void schema__label_that_may_stand_for_another__not_known(void **state)
{
    (void)state;
    static const struct {
        const char *kind;
        bool known;
    } cases[] = {
        {"enum('a?','b') CHARACTER SET latin1", true},
        {"enum('a?','b') CHARACTER SET ucs2", true},
        {"enum('a','b')", true},
        {"enum('a?','b')", false},
        {"enum('a','?') CHARACTER SET utf16 COLLATE utf16_bin", false},
        {"enum('?') CHARACTER SET gb18030", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char sql[300];
        snprintf(sql, sizeof sql,
                 "CREATE TABLE t (id bigint NOT NULL, name varchar(20), kind %s, amount decimal(12,2), at datetime(3)) "
                 "DEFAULT CHARSET=utf8mb4",
                 cases[i].kind);
        struct server server = {.sql = sql};
        const struct schema_reader reader = {.ctx = &server, .read = read_sql};
        struct schema *schema;
        struct err e = ERR_INIT;
        struct wire_table wire = make_wire(NULL, 0);
        assert_int_equal(schema_new(&schema, &reader, &e), 0);
        const struct shape *shape = resolve(schema, &wire, at("bin.000001", 4), &e);
        if (!shape)
            fail_msg("%s: %s", cases[i].kind, e.text);
        if ((shape->tbl->columns[2].type.labels != NULL) != cases[i].known)
            fail_msg("%s: labels are %sknown", cases[i].kind, cases[i].known ? "not " : "");
        schema_free(schema);
    }
}

static void schema__definition_that_cannot_be_read__told_when_needed(void **state)
{
    (void)state;
    struct server server = {.sql = "CREATE VIEW t AS SELECT 1"};
    const struct schema_reader reader = {.ctx = &server, .read = read_sql};
    struct schema *schema;
    struct err e = ERR_INIT;
    struct wire_table plain = make_wire(NULL, 0), named = make_wire(full, sizeof full);
    assert_int_equal(schema_new(&schema, &reader, &e), 0);
    assert_int_equal(schema_refresh(schema, "shop", "t", &e), 0);
    assert_null(schema_current(schema, "shop", "t"));
    assert_non_null(resolve(schema, &named, at("bin.000001", 4), &e));
    assert_null(resolve(schema, &plain, at("bin.000001", 4), &e));
    assert_int_equal(e.code, ERR_SCHEMA_UNKNOWN);
    schema_free(schema);
}

static void schema__table_gone__not_known_any_more(void **state)
{
    (void)state;
    struct server server = {.sql = definition};
    const struct schema_reader reader = {.ctx = &server, .read = read_sql};
    struct schema *schema;
    struct err e = ERR_INIT;
    assert_int_equal(schema_new(&schema, &reader, &e), 0);
    assert_int_equal(schema_refresh(schema, "shop", "t", &e), 0);
    assert_int_equal(schema_refresh(schema, "shop", "a", &e), 0);
    struct ddl_table known;
    assert_true(schema_known(schema, 0, &known));
    assert_string_equal(known.name, "a");
    assert_false(schema_known(schema, 4, &known)); /* two that were met, and the same two in the history */
    server.sql = NULL;
    schema_forget(schema, "shop", NULL);
    assert_int_equal(schema_refresh(schema, "shop", "t", &e), 0);
    assert_null(schema_current(schema, "shop", "t"));
    schema_free(schema);
}

/* As the servers log a GEOMETRY or VECTOR and two TEXT, the first latin1 and the second utf8mb4, with FULL metadata. */
static void schema__charsets_of_the_log__skip_what_the_server_does_not_count(void **state)
{
    (void)state;
    static const uint8_t nullable[] = {7}, geometry[] = {255, 252, 252}, vector[] = {242, 252, 252}, meta[] = {4, 2, 2};
#define NAMES 4, 6, 1, 'g', 1, 'a', 1, 'b'
    static const uint8_t two[] = {3, 2, 8, 45, NAMES}, three[] = {3, 3, 63, 8, 45, NAMES};
    static const uint8_t pairs[] = {2, 3, 45, 0, 8, NAMES}, later[] = {2, 3, 45, 1, 8, NAMES};
    static const struct {
        bool mariadb;
        const uint8_t *types, *optional;
        size_t len;
        bool fits;
    } cases[] = {
        {false, geometry, two, sizeof two, true},      {true, geometry, three, sizeof three, true},
        {false, vector, three, sizeof three, true},    {false, geometry, pairs, sizeof pairs, true},
        {true, geometry, later, sizeof later, true},   {false, vector, later, sizeof later, true},
        {false, geometry, three, sizeof three, false}, {true, geometry, two, sizeof two, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct schema *schema;
        struct err e = ERR_INIT;
        struct wire_table wire = make_wire(cases[i].optional, cases[i].len);
        wire.mariadb = cases[i].mariadb;
        wire.column_count = 3;
        wire.types = cases[i].types;
        wire.metadata = meta;
        wire.metadata_len = sizeof meta;
        wire.nullable = nullable;
        assert_int_equal(schema_new(&schema, NULL, NULL), 0);
        const struct shape *shape = resolve(schema, &wire, at("bin.000001", 4), &e);
        if ((shape != NULL) != cases[i].fits)
            fail_msg("case %zu: %s", i, e.text);
        if (shape) {
            assert_int_equal(shape->tbl->columns[1].type.collation, 8);
            assert_int_equal(shape->tbl->columns[2].type.collation, 45);
        }
        schema_free(schema);
    }
}

/* u BINARY(16), t TIME before 5.6, both NULL; names from the log */
static const uint8_t vague_types[] = {254, 11}, vague_metadata[] = {254, 16}, vague_nullable[] = {3};
static const uint8_t vague_names[] = {2, 1, 63, 4, 4, 1, 'u', 1, 't'};
static const char vague_sql[] = "CREATE TABLE `t` (\n  `u` uuid DEFAULT NULL,\n"
                                "  `t` time(3) /* mariadb-5.3 */ DEFAULT NULL\n) ENGINE=InnoDB";

static struct wire_table vague_wire(bool names)
{
    struct wire_table wire = make_wire(names ? vague_names : NULL, names ? sizeof vague_names : 0);
    wire.types = vague_types;
    wire.column_count = 2;
    wire.metadata = vague_metadata;
    wire.metadata_len = sizeof vague_metadata;
    wire.nullable = vague_nullable;
    return wire;
}

static void schema__declared_types__complete_what_the_log_says(void **state)
{
    (void)state;
    for (int names = 0; names < 2; names++) {
        struct schema *schema;
        struct err e = ERR_INIT;
        struct server server = {vague_sql, at("bin.000002", 100), NULL, 0};
        struct schema_reader reader = {&server, read_sql};
        struct wire_table wire = vague_wire(names);
        assert_int_equal(schema_new(&schema, &reader, &e), 0);
        const struct shape *shape = resolve(schema, &wire, at("bin.000002", 100), &e);
        if (!shape)
            fail_msg("%s", e.text);
        assert_int_equal(shape->tbl->columns[0].type.family, FAMILY_UUID);
        assert_int_equal(shape->tbl->columns[1].type.fixed, 5);
        assert_int_equal(shape->tbl->columns[1].type.meta, 3);
        assert_int_equal(server.reads, 1);
        schema_free(schema);
    }
}

/* As MariaDB logs it: VARBINARY(12). */
static void schema__vector_of_mariadb__is_told_by_the_definition(void **state)
{
    (void)state;
    static const uint8_t types[] = {15}, meta[] = {12, 0}, nullable[] = {0}, names[] = {2, 1, 63, 4, 2, 1, 'v'};
    struct server server = {"CREATE TABLE `t` (\n  `v` vector(3) NOT NULL,\n  VECTOR KEY `v` (`v`) `M`='16' "
                            "`DISTANCE`='cosine'\n) ENGINE=InnoDB",
                            at("bin.000001", 4), NULL, 0};
    struct schema_reader reader = {&server, read_sql};
    for (int full_metadata = 0; full_metadata < 2; full_metadata++) {
        struct schema *schema;
        struct err e = ERR_INIT;
        struct wire_table wire = make_wire(full_metadata ? names : NULL, full_metadata ? sizeof names : 0);
        wire.mariadb = true;
        wire.types = types;
        wire.column_count = 1;
        wire.metadata = meta;
        wire.metadata_len = sizeof meta;
        wire.nullable = nullable;
        assert_int_equal(schema_new(&schema, &reader, &e), 0);
        const struct shape *shape = resolve(schema, &wire, at("bin.000001", 4), &e);
        if (!shape)
            fail_msg("%s", e.text);
        assert_int_equal(shape->tbl->columns[0].type.family, FAMILY_VECTOR);
        schema_free(schema);
    }
}

static void schema__fraction_digits_not_certain__are_not_guessed(void **state)
{
    (void)state;
    struct schema *schema;
    struct err e = ERR_INIT;
    struct server server = {vague_sql, at("bin.000002", 100), NULL, 0};
    struct schema_reader reader = {&server, read_sql};
    struct wire_table wire = vague_wire(true);
    assert_int_equal(schema_new(&schema, &reader, &e), 0);
    assert_null(resolve(schema, &wire, at("bin.000001", 4), &e));
    assert_int_equal(e.code, ERR_TYPE_UNCERTAIN);
    assert_non_null(strstr(e.text, "shop.t: column 2 (t): the fraction of type TIME before 5.6"));
    schema_free(schema);
    err_clear(&e);
    assert_int_equal(schema_new(&schema, NULL, &e), 0);
    assert_null(resolve(schema, &wire, at("bin.000001", 4), &e));
    assert_int_equal(e.code, ERR_TYPE_UNCERTAIN);
    schema_free(schema);
}

/* How a value is printed may be taken from a younger definition; without any it stays bytes. */
static void schema__uuid_without_certain_definition__is_told_by_the_one_at_hand(void **state)
{
    (void)state;
    struct server server = {"CREATE TABLE `t` (\n  `u` uuid DEFAULT NULL\n) ENGINE=InnoDB", at("bin.000002", 100), NULL,
                            0};
    struct schema_reader reader = {&server, read_sql};
    for (int with = 0; with < 2; with++) {
        struct schema *schema;
        struct err e = ERR_INIT;
        static const uint8_t names[] = {2, 1, 63, 4, 2, 1, 'u'};
        struct wire_table wire = vague_wire(true);
        wire.column_count = 1;
        wire.optional = names;
        wire.optional_len = sizeof names;
        assert_int_equal(schema_new(&schema, with ? &reader : NULL, &e), 0);
        const struct shape *shape = resolve(schema, &wire, at("bin.000001", 4), &e);
        if (!shape)
            fail_msg("%s", e.text);
        assert_int_equal(shape->tbl->columns[0].type.family, with ? FAMILY_UUID : FAMILY_STRING);
        schema_free(schema);
    }
}

static void schema__type_that_cannot_be_walked__named(void **state)
{
    (void)state;
    static const uint8_t odd[] = {8, 15, 254, 246, 100};
    struct schema *schema;
    struct err e = ERR_INIT;
    struct wire_table wire = make_wire(full, sizeof full);
    wire.types = odd;
    assert_int_equal(schema_new(&schema, NULL, &e), 0);
    assert_null(resolve(schema, &wire, at("bin.000001", 4), &e));
    assert_int_equal(err_class(&e), ERR_CLASS_STOP);
    assert_non_null(strstr(e.text, "shop.t: column 5"));
    schema_free(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schema__full_metadata__names_signs_labels_and_key),
        cmocka_unit_test(schema__metadata_damaged__corrupt_or_valid),
        cmocka_unit_test(schema__hostile_metadata__corrupt),
        cmocka_unit_test(schema__no_names_and_no_server__unknown_with_ways_out),
        cmocka_unit_test(schema__definition__holds_from_its_position_until_another),
        cmocka_unit_test(schema__read_while_a_statement_ran__other_server_tells_it),
        cmocka_unit_test(schema__definition_does_not_fit__mismatch),
        cmocka_unit_test(schema__sign_of_the_log__contradicts_the_definition),
        cmocka_unit_test(schema__label_that_may_stand_for_another__not_known),
        cmocka_unit_test(schema__definition_that_cannot_be_read__told_when_needed),
        cmocka_unit_test(schema__table_gone__not_known_any_more),
        cmocka_unit_test(schema__charsets_of_the_log__skip_what_the_server_does_not_count),
        cmocka_unit_test(schema__declared_types__complete_what_the_log_says),
        cmocka_unit_test(schema__vector_of_mariadb__is_told_by_the_definition),
        cmocka_unit_test(schema__fraction_digits_not_certain__are_not_guessed),
        cmocka_unit_test(schema__uuid_without_certain_definition__is_told_by_the_one_at_hand),
        cmocka_unit_test(schema__type_that_cannot_be_walked__named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
