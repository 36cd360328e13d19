/* Debezium's JSON: the envelope, keys, tombstones and transactions of made-up changes, DECIMAL as two's complement, and
 * valid JSON for any bytes. What the peer writes for the same SQL is held by tests/system/test_peer_formats.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/env.h"
#include "change/debezium/debezium.h"
#include "change/statement.h"
#include "tools/random_row.h"
#include "value/write.h"

#define GTID_NUMBER 7

/* A table of two INTs, of which the first is the key, and the format with the options given. */
struct scene {
    struct config *cfg;
    struct format_choice choice;
    struct format *format;
    void *bind;
    struct arena *arena;
    struct shape *shape;
    struct column columns[2];
    struct column_definition definitions[2];
    struct table tbl;
    struct tx tx;
    struct record_list records;
    struct change chg;
};

static struct config *config_new(void)
{
    struct env env = {0};
    struct config *cfg = NULL;
    assert_int_equal(config_parse(&cfg, &env, "t.yaml", "", NULL), 0);
    return cfg;
}

static const uint16_t first_column[] = {0};

static void int_column(struct column *column, struct column_definition *def, const char *name)
{
    struct cursor none = cursor_over((const uint8_t *)"", 0);
    *def = (struct column_definition){.word = "int"};
    *column = (struct column){.name = name, .name_len = 1, .nullable = true, .definition = def};
    assert_int_equal(coltype_init(&column->type, WIRE_LONG, &none, NULL), 0);
    column->type.sign_known = true;
}

static struct scene *scene_new(const char *const *options, size_t count)
{
    struct scene *s = calloc(1, sizeof *s);
    struct err e = ERR_INIT;
    assert_non_null(s);
    s->cfg = config_new();
    s->arena = malloc(sizeof *s->arena);
    assert_non_null(s->cfg);
    assert_non_null(s->arena);
    arena_init(s->arena, 4096, 0, 0);
    int_column(&s->columns[0], &s->definitions[0], "a");
    int_column(&s->columns[1], &s->definitions[1], "b");
    s->tbl = (struct table){
        .db = "shop", .name = "t", .columns = s->columns, .column_count = 2, .pk = first_column, .pk_count = 1};
    assert_int_equal(shape_new(&s->shape, s->arena, &s->tbl, 0, NULL), 0);
    s->choice = (struct format_choice){.name = "debezium", .given = {.items = options, .count = count}};
    if (format_choose(&s->choice, s->cfg, &e) != 0)
        fail_msg("%s", e.text);
    assert_int_equal(s->choice.ops->open(&s->format, s->choice.options, &e), 0);
    s->tx = (struct tx){.file = "bin.000001", .server_id = 1, .thread_id = 9, .origin_us = 1500001};
    s->tx.gtid.number = GTID_NUMBER;
    s->chg = (struct change){.shape = s->shape, .tx = &s->tx, .pos = 300, .db = "shop", .table = "t"};
    records_init(&s->records, 0);
    s->records.wants_keys = true;
    s->records.now_us = 2000002;
    return s;
}

static void scene_free(struct scene *s)
{
    s->choice.ops->unbind(s->bind);
    s->choice.ops->close(s->format);
    records_release(&s->records);
    shape_free(s->shape);
    config_free(s->cfg);
    free(s);
}

static struct image image_of(uint8_t out[9], int32_t a, int32_t b)
{
    out[0] = 0;
    memcpy(out + 1, &a, 4);
    memcpy(out + 5, &b, 4);
    return (struct image){.bytes = out, .len = 9};
}

static void add(struct scene *s, enum change_op op, unsigned flags)
{
    struct err e = ERR_INIT;
    if (!s->bind)
        assert_int_equal(s->choice.ops->bind(&s->bind, s->choice.options, &s->tbl, &e), 0);
    s->chg.op = op;
    s->chg.flags = flags;
    if (s->choice.ops->add(s->format, &s->chg, s->bind, 0, &s->records, &e) != 0)
        fail_msg("%s", e.text);
}

/* KEY HEADERS VALUE of a record, "null" for what it has not. */
static void expect(const struct scene *s, size_t number, const char *key, const char *headers, const char *value)
{
    assert_true(number < s->records.count);
    const struct record *r = &s->records.list[number];
    const char *p = (const char *)s->records.text.p + r->at;
    size_t key_len = r->key_len == RECORD_NONE ? 0 : r->key_len;
    char line[2048];
    snprintf(line, sizeof line, "%.*s %.*s %.*s", r->key_len == RECORD_NONE ? 4 : (int)key_len,
             r->key_len == RECORD_NONE ? "null" : p, (int)r->headers_len, p + key_len,
             r->value_len == RECORD_NONE ? 4 : (int)r->value_len,
             r->value_len == RECORD_NONE ? "null" : p + key_len + r->headers_len);
    char wanted[2048];
    snprintf(wanted, sizeof wanted, "%s %s %s", key, headers, value);
    assert_string_equal(line, wanted);
}

/* Whether the text stands in the records. */
static bool has(const struct scene *s, const char *text)
{
    return memmem(s->records.text.p, s->records.text.len, text, strlen(text)) != NULL;
}

#define CONTEXT                                                                                                        \
    "\"__debezium.context.connectorLogicalName\":\"dbz\",\"__debezium.context.taskId\":\"0\","                         \
    "\"__debezium.context.connectorName\":\"mysql\"}"
#define SOURCE                                                                                                         \
    "\"source\":{\"version\":\"3.3.2.Final\",\"connector\":\"mysql\",\"name\":\"dbz\",\"ts_ms\":1500,\"snapshot\":"    \
    "\"false\",\"db\":\"shop\",\"sequence\":null,\"ts_us\":1500001,\"ts_ns\":1500001000,\"table\":\"t\",\"server_id\"" \
    ":1,\"gtid\":\"00000000-0000-0000-0000-000000000000:7\",\"file\":\"bin.000001\",\"pos\":300,\"row\":0,\"thread\":" \
    "9,\"query\":null},"
#define TIMES "\"ts_ms\":2000,\"ts_us\":2000002,\"ts_ns\":2000002000}"

static void debezium__insert__has_the_whole_envelope(void **state)
{
    (void)state;
    struct scene *s = scene_new(NULL, 0);
    uint8_t bytes[9];
    s->chg.after = image_of(bytes, 1, -2);
    add(s, CHANGE_INSERT, 0);
    assert_int_equal(s->records.count, 1);
    expect(s, 0, "{\"a\":1}", "{" CONTEXT,
           "{\"before\":null,\"after\":{\"a\":1,\"b\":-2}," SOURCE "\"transaction\":null,\"op\":\"c\"," TIMES);
    scene_free(s);
}

static void debezium__delete__is_followed_by_a_tombstone_unless_off(void **state)
{
    (void)state;
    static const char *const off[] = {"tombstones.on.delete=false"};
    uint8_t bytes[9];
    for (size_t count = 0; count < 2; count++) {
        struct scene *s = scene_new(off, count);
        s->chg.before = image_of(bytes, 1, 2);
        add(s, CHANGE_DELETE, 0);
        assert_int_equal(s->records.count, 2 - count);
        expect(s, 0, "{\"a\":1}", "{" CONTEXT,
               "{\"before\":{\"a\":1,\"b\":2},\"after\":null," SOURCE "\"transaction\":null,\"op\":\"d\"," TIMES);
        if (count == 0)
            expect(s, 1, "{\"a\":1}", "{" CONTEXT, "null");
        scene_free(s);
    }
}

/* The records of an update that comes whole, or in two halves. */
static void debezium__key_changes__is_delete_tombstone_and_insert(void **state)
{
    (void)state;
    uint8_t bytes[2][9];
    for (int halves = 0; halves < 2; halves++) {
        struct scene *s = scene_new(NULL, 0);
        s->chg.before = image_of(bytes[0], 1, 2);
        s->chg.after = image_of(bytes[1], 5, 2);
        add(s, CHANGE_UPDATE, halves ? CHANGE_FROM : 0);
        assert_int_equal(s->records.count, halves ? 2 : 3);
        if (halves)
            add(s, CHANGE_UPDATE, CHANGE_TO);
        assert_int_equal(s->records.count, 3);
        expect(s, 0, "{\"a\":1}", "{\"__debezium.newkey\":{\"a\":5}," CONTEXT,
               "{\"before\":{\"a\":1,\"b\":2},\"after\":null," SOURCE "\"transaction\":null,\"op\":\"d\"," TIMES);
        expect(s, 1, "{\"a\":1}", "{\"__debezium.newkey\":{\"a\":5}," CONTEXT, "null");
        expect(s, 2, "{\"a\":5}", "{\"__debezium.oldkey\":{\"a\":1}," CONTEXT,
               "{\"before\":null,\"after\":{\"a\":5,\"b\":2}," SOURCE "\"transaction\":null,\"op\":\"c\"," TIMES);
        scene_free(s);
    }
}

static void debezium__record_key_stays_in_a_key_move__is_one_update(void **state)
{
    (void)state;
    struct scene *s = scene_new(NULL, 0);
    uint8_t bytes[2][9];
    s->chg.before = image_of(bytes[0], 1, 2);
    s->chg.after = image_of(bytes[1], 1, 3);
    add(s, CHANGE_UPDATE, CHANGE_FROM);
    assert_int_equal(s->records.count, 0);
    add(s, CHANGE_UPDATE, CHANGE_TO);
    assert_int_equal(s->records.count, 1);
    expect(s, 0, "{\"a\":1}", "{" CONTEXT,
           "{\"before\":{\"a\":1,\"b\":2},\"after\":{\"a\":1,\"b\":3}," SOURCE
           "\"transaction\":null,\"op\":\"u\"," TIMES);
    scene_free(s);
}

/* An image of a alone, as binlog_row_image=MINIMAL makes them. */
static void debezium__images_lack_columns__before_fills_after_and_null_the_rest(void **state)
{
    (void)state;
    static const uint8_t only_a = 1, only_b = 2;
    static const uint8_t a[] = {0, 1, 0, 0, 0}, b[] = {0, 2, 0, 0, 0};
    struct scene *s = scene_new(NULL, 0);
    s->definitions[1].initial = "7";
    s->chg.before = (struct image){.present = &only_a, .bytes = a, .len = sizeof a};
    s->chg.after = (struct image){.present = &only_b, .bytes = b, .len = sizeof b};
    add(s, CHANGE_UPDATE, 0);
    expect(s, 0, "{\"a\":1}", "{" CONTEXT,
           "{\"before\":{\"a\":1,\"b\":null},\"after\":{\"a\":1,\"b\":2}," SOURCE
           "\"transaction\":null,\"op\":\"u\"," TIMES);
    scene_free(s);
}

static void debezium__key_column_is_absent__is_an_error(void **state)
{
    (void)state;
    static const uint8_t only_b = 2;
    static const uint8_t b[] = {0, 2, 0, 0, 0};
    struct scene *s = scene_new(NULL, 0);
    struct err e = ERR_INIT;
    assert_int_equal(s->choice.ops->bind(&s->bind, s->choice.options, &s->tbl, &e), 0);
    s->chg.op = CHANGE_INSERT;
    s->chg.after = (struct image){.present = &only_b, .bytes = b, .len = sizeof b};
    assert_int_equal(s->choice.ops->add(s->format, &s->chg, s->bind, 0, &s->records, &e), -(int)ERR_ROW_IMAGE);
    assert_non_null(strstr(e.text, "shop.t"));
    assert_int_equal(s->records.count, 0);
    assert_int_equal(s->records.text.len, 0);
    scene_free(s);
}

static void debezium__null__is_the_default_unless_off(void **state)
{
    (void)state;
    static const char *const off[] = {"value.converter.replace.null.with.default=false"};
    static const uint8_t nulls[] = {2, 1, 0, 0, 0};
    for (size_t count = 0; count < 2; count++) {
        struct scene *s = scene_new(off, count);
        s->definitions[1].initial = "'5'";
        s->chg.after = (struct image){.bytes = nulls, .len = sizeof nulls};
        add(s, CHANGE_INSERT, 0);
        assert_true(has(s, count ? "\"b\":null}" : "\"b\":5}"));
        assert_true(has(s, "\"snapshot\":null") == (count == 1));
        scene_free(s);
    }
}

static void debezium__transaction__counts_rows_and_stands_between_begin_and_end(void **state)
{
    (void)state;
    static const char *const on[] = {"provide.transaction.metadata=true"};
    struct scene *s = scene_new(on, 1);
    uint8_t bytes[9];
    s->chg.after = image_of(bytes, 1, 2);
    add(s, CHANGE_BEGIN, 0);
    add(s, CHANGE_INSERT, 0);
    add(s, CHANGE_INSERT, 0);
    add(s, CHANGE_END, 0);
    add(s, CHANGE_INSERT, 0);
    assert_int_equal(s->records.count, 5);
    assert_int_equal(s->records.list[0].kind, RECORD_TX);
#define ID "\"00000000-0000-0000-0000-000000000000:7\""
    expect(s, 0, "{\"id\":" ID "}", "",
           "{\"status\":\"BEGIN\",\"id\":" ID ",\"event_count\":null,\"data_collections\":null,\"ts_ms\":1500}");
    expect(s, 2, "{\"a\":1}", "{" CONTEXT,
           "{\"before\":null,\"after\":{\"a\":1,\"b\":2}," SOURCE "\"transaction\":{\"id\":" ID
           ",\"total_order\":2,\"data_collection_order\":2},\"op\":\"c\"," TIMES);
    expect(s, 3, "{\"id\":" ID "}", "",
           "{\"status\":\"END\",\"id\":" ID ",\"event_count\":2,\"data_collections\":[{\"data_collection\":\"shop.t\","
           "\"event_count\":2}],\"ts_ms\":1500}");
    expect(s, 4, "{\"a\":1}", "{" CONTEXT,
           "{\"before\":null,\"after\":{\"a\":1,\"b\":2}," SOURCE "\"transaction\":null,\"op\":\"c\"," TIMES);
    scene_free(s);
}

static void debezium__batch_failed__its_rows_count_once(void **state)
{
    (void)state;
    static const char *const on[] = {"provide.transaction.metadata=true"};
    struct scene *s = scene_new(on, 1);
    uint8_t bytes[9];
    s->chg.after = image_of(bytes, 1, 2);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(s->choice.ops->mark(s->format, NULL), 0);
        add(s, CHANGE_BEGIN, 0);
        add(s, CHANGE_INSERT, 0);
        if (i < 2)
            s->choice.ops->restore(s->format);
    }
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(s->choice.ops->mark(s->format, NULL), 0);
        records_clear(&s->records);
        add(s, CHANGE_INSERT, 0);
        s->chg.table = "u";
        add(s, CHANGE_INSERT, 0);
        s->chg.table = "t";
        add(s, CHANGE_END, 0);
        add(s, CHANGE_BEGIN, 0);
        if (i < 2)
            s->choice.ops->restore(s->format);
    }
    assert_true(has(s, "\"total_order\":2,\"data_collection_order\":2}"));
    assert_true(has(s, "\"total_order\":3,\"data_collection_order\":1}"));
    assert_true(has(s, "\"event_count\":3,\"data_collections\":[{\"data_collection\":\"shop.t\",\"event_count\":2},"));
    scene_free(s);
}

static void debezium__truncate__is_skipped_by_default(void **state)
{
    (void)state;
    static const char *const none[] = {"skipped.operations=none"};
    static const struct statement_table table = {.db = "shop", .name = "t"};
    static const struct statement truncate = {.kind = STATEMENT_TRUNCATE, .tables = &table, .table_count = 1};
    for (size_t count = 0; count < 2; count++) {
        struct scene *s = scene_new(none, count);
        add(s, CHANGE_TRUNCATE, 0); /* also of a table that is dropped or renamed */
        assert_int_equal(s->records.count, 0);
        s->chg.statement = &truncate;
        add(s, CHANGE_STATEMENT, 0);
        assert_int_equal(s->records.count, count);
        if (count)
            assert_true(has(s, "\"transaction\":null,\"op\":\"t\""));
        scene_free(s);
    }
}

static void debezium_check__skipped_operations_are_no_letters__is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"skipped.operations=create"}, *const right[] = {"skipped.operations=c, u"};
    struct config *cfg = config_new();
    struct err e = ERR_INIT;
    struct format_choice choice = {.name = "debezium", .given = {.items = wrong, .count = 1}};
    assert_int_equal(format_choose(&choice, cfg, &e), -(int)ERR_CONFIG_VALUE);
    choice.given.items = right;
    assert_int_equal(format_choose(&choice, cfg, &e), 0);
    config_free(cfg);
}

/* ---------------------------------------------------------------- schema changes */

struct schema_case {
    enum statement_kind kind;
    const char *text;
    bool before, after;       /* whether the table is known then */
    unsigned tables;          /* how many of t, u */
    const char *ddl[2];       /* of each record */
    const char *source_table; /* NULL: null */
    const char *type;         /* NULL: no change of a table */
};

static void check_statement(const struct scene *s, size_t number, const struct schema_case *c)
{
    const struct record *r = &s->records.list[number];
    json_t *made = json_loadb((char *)s->records.text.p + r->at + r->key_len + r->headers_len, r->value_len, 0, NULL);
    assert_non_null(made);
    assert_int_equal(r->kind, RECORD_STATEMENT);
    assert_memory_equal(s->records.text.p + r->at, "{\"databaseName\":\"shop\"}", r->key_len);
    assert_string_equal(json_string_value(json_object_get(made, "ddl")), c->ddl[number]);
    const json_t *table = json_object_get(json_object_get(made, "source"), "table");
    if (c->source_table)
        assert_string_equal(json_string_value(table), c->source_table);
    else
        assert_true(json_is_null(table));
    const json_t *changes = json_object_get(made, "tableChanges");
    assert_int_equal(json_array_size(changes), c->type != NULL);
    if (c->type) {
        const json_t *change = json_array_get(changes, 0);
        assert_string_equal(json_string_value(json_object_get(change, "type")), c->type);
        assert_true(json_is_null(json_object_get(change, "table")) == (c->kind == STATEMENT_DROP_TABLE));
    }
    json_decref(made);
}

static void debezium__statement__is_a_record_per_dropped_or_renamed_table_and_else_one(void **state)
{
    (void)state;
    static const char *const on[] = {"ddl=true"};
    static const struct schema_case cases[] = {
        {STATEMENT_CREATE_TABLE,
         " /* x */ create table t (a int) -- y\n ;",
         false,
         true,
         1,
         {"create table t (a int)"},
         "t",
         "CREATE"},
        {STATEMENT_CREATE_TABLE,
         "CREATE TABLE t (a int /* in */, b int)",
         false,
         true,
         1,
         {"CREATE TABLE t (a int /* in */, b int)"},
         "t",
         "CREATE"},
        {STATEMENT_CREATE_TABLE,
         "CREATE TABLE t (a int) START TRANSACTION",
         false,
         true,
         1,
         {"CREATE TABLE t (a int)"},
         "t",
         "CREATE"},
        {STATEMENT_CREATE_TABLE,
         "CREATE TABLE IF NOT EXISTS t (a int)",
         true,
         true,
         1,
         {"CREATE TABLE IF NOT EXISTS t (a int)"},
         "",
         NULL},
        {STATEMENT_ALTER_TABLE,
         "ALTER TABLE t COMMENT 'a;b -- c' # d",
         true,
         true,
         1,
         {"ALTER TABLE t COMMENT 'a;b -- c'"},
         "t",
         "ALTER"},
        {STATEMENT_DROP_TABLE,
         "DROP TABLE IF EXISTS `t`,u /* generated by server */",
         true,
         false,
         2,
         {"DROP TABLE IF EXISTS `shop`.`t`", "DROP TABLE IF EXISTS `shop`.`u`"},
         "t,u",
         "DROP"},
        {STATEMENT_RENAME_TABLE,
         "rename table `a, b` to t , c to u",
         true,
         true,
         2,
         {"rename table `a, b` to t", "rename table c to u"},
         "t,u",
         "ALTER"},
        {STATEMENT_CREATE_INDEX, "CREATE INDEX i ON t (b)", true, true, 1, {"CREATE INDEX i ON t (b)"}, "", NULL},
        {STATEMENT_CREATE_DATABASE, "CREATE DATABASE shop;", false, false, 0, {"CREATE DATABASE shop"}, NULL, NULL},
        {STATEMENT_ALTER_DATABASE,
         "ALTER DATABASE shop CHARSET latin1",
         false,
         false,
         0,
         {"ALTER DATABASE shop CHARSET latin1"},
         "",
         NULL},
        {STATEMENT_CREATE_TABLE,
         "CREATE TABLE t (a int /* open",
         false,
         true,
         1,
         {"CREATE TABLE t (a int"},
         "t",
         "CREATE"},
        {STATEMENT_CREATE_TABLE,
         "CREATE TABLE t (a int) 'open",
         false,
         true,
         1,
         {"CREATE TABLE t (a int) 'open"},
         "t",
         "CREATE"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct schema_case *c = &cases[i];
        struct scene *s = scene_new(on, 1);
        const struct table *before = c->before ? &s->tbl : NULL, *after = c->after ? &s->tbl : NULL;
        struct statement_table tables[2] = {{.db = "shop", .name = "t", .before = before, .after = after},
                                            {.db = "shop", .name = "u", .before = before, .after = after}};
        struct statement statement = {.kind = c->kind,
                                      .text = c->text,
                                      .len = strlen(c->text),
                                      .db = "shop",
                                      .tables = tables,
                                      .table_count = c->tables};
        s->chg.statement = &statement;
        add(s, CHANGE_STATEMENT, 0);
        assert_int_equal(s->records.count, c->tables ? c->tables : 1);
        for (size_t k = 0; k < s->records.count; k++)
            check_statement(s, k, c);
        scene_free(s);
    }
}

static void debezium_hash_order__names__are_as_in_a_java_hash_map(void **state)
{
    (void)state;
    struct debezium_hashed names[] = {
        {"shop.orders", 0, 0}, {"shop.lines", 1, 0}, {"shop.customers", 2, 0}, {"shop.items", 3, 0}, {"shop.zz", 4, 0}};
    static const size_t order[] = {2, 3, 4, 0, 1};
    debezium_hash_order(names, 5);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(names[i].number, order[i]);
}

/* ---------------------------------------------------------------- defaults */

/* The default of a column of the type with that metadata, in an INSERT of NULL. */
static void debezium__defaults__are_written_as_values_are(void **state)
{
    (void)state;
    static const struct {
        uint8_t wire, meta[2];
        const char *initial, *json;
        bool is_unsigned;
    } cases[] = {
        {WIRE_NEWDECIMAL, {10, 2}, "1.5", "\"AJY=\"", false},
        {WIRE_NEWDECIMAL, {10, 2}, "'-7'", "\"/UQ=\"", false},
        {WIRE_NEWDECIMAL, {10, 2}, "0.005", "\"AQ==\"", false},
        {WIRE_NEWDECIMAL, {10, 2}, "1e3", "\"AYag\"", false},
        {WIRE_NEWDECIMAL, {3, 2}, "9.999", "null", false},
        {WIRE_LONGLONG, {0}, "18446744073709551615", "9223372036854775807", true},
        {WIRE_LONGLONG, {0}, "-9223372036854775808", "-9223372036854775808", false},
        {WIRE_TINY, {0}, "b'101'", "5", false},
        {WIRE_TINY, {0}, "TRUE", "1", false},
        {WIRE_SHORT, {0}, "(1 + 2)", "null", false},
        {WIRE_YEAR, {0}, "2026", "2026", false},
        {WIRE_DATE_OLD, {0}, "'2026-11-22'", "20779", false},
        {WIRE_DATE_OLD, {0}, "'0000-00-00'", "null", false},
        {WIRE_DATETIME2, {3, 0}, "now(3)", "0", false},
        {WIRE_DATETIME2, {0}, "20261122131415", "1795353255000", false},
        {WIRE_TIMESTAMP2, {0}, "CURRENT_TIMESTAMP", "null", false},
        {WIRE_TIMESTAMP2, {3, 0}, "'2026-11-22 13:14:15.5'", "\"2026-11-22T13:14:15.500Z\"", false},
        {WIRE_TIME2, {3, 0}, "'-01:02:03.5'", "-3723500000", false},
        {WIRE_DOUBLE, {8, 0}, "1e10", "1.0E10", false},
        {WIRE_FLOAT, {4, 0}, "0.1", "0.1", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct scene *s = scene_new(NULL, 0);
        static const uint8_t nulls[] = {2, 1, 0, 0, 0};
        struct cursor metadata = cursor_over(cases[i].meta, 2);
        char wanted[64];
        assert_int_equal(coltype_init(&s->columns[1].type, cases[i].wire, &metadata, NULL), 0);
        s->columns[1].type.sign_known = true;
        s->columns[1].type.is_unsigned = cases[i].is_unsigned;
        s->definitions[1].initial = cases[i].initial;
        s->chg.after = (struct image){.bytes = nulls, .len = sizeof nulls};
        add(s, CHANGE_INSERT, 0);
        snprintf(wanted, sizeof wanted, "\"b\":%s}", cases[i].json);
        if (!has(s, wanted))
            fail_msg("DEFAULT %s: %.*s", cases[i].initial, (int)s->records.text.len, (char *)s->records.text.p);
        scene_free(s);
    }
}

/* ---------------------------------------------------------------- DECIMAL */

/* The same by long division of the text. */
static size_t reference(uint8_t out[64], const uint8_t *text, size_t len)
{
    uint8_t number[64] = {0}; /* big-endian */
    bool negative = text[0] == '-', zero = true;
    for (size_t i = 0; i < len; i++) {
        unsigned carry = (unsigned)text[i] - '0';
        if (text[i] == '-' || text[i] == '.')
            continue;
        for (size_t k = sizeof number; k-- > 0; carry >>= 8) {
            carry += number[k] * 10u;
            number[k] = (uint8_t)carry;
        }
    }
    for (size_t k = 0; k < sizeof number; k++)
        zero &= number[k] == 0;
    for (size_t k = sizeof number, carry = 1; negative && !zero && k-- > 0; carry >>= 8) {
        carry += (uint8_t)~number[k];
        number[k] = (uint8_t)carry;
    }
    size_t first = 0;
    while (first < sizeof number - 1 &&
           ((number[first] == 0 && number[first + 1] < 0x80) || (number[first] == 0xff && number[first + 1] >= 0x80)))
        first++;
    memcpy(out, number + first, sizeof number - first);
    return sizeof number - first;
}

static size_t random_decimal(struct rng *rng, uint8_t *o, unsigned precision, unsigned scale)
{
    static const uint8_t group_bytes[10] = {0, 1, 1, 2, 2, 3, 3, 4, 4, 4};
    unsigned integer = precision - scale, zeros = (unsigned)(rng_next(rng) % (precision + 1)), at = 0;
    bool negative = rng_next(rng) & 1, nines = rng_next(rng) % 4 == 0;
    uint8_t *start = o;
    while (at < precision) {
        unsigned left = (at < integer ? integer : precision) - at;
        unsigned size = at < integer ? (left % 9 ? left % 9 : 9) : left < 9 ? left : 9;
        uint32_t v = 0;
        for (unsigned i = 0; i < size; i++, at++)
            v = v * 10 + (at < zeros ? 0 : nines ? 9 : (uint32_t)(rng_next(rng) % 10));
        for (unsigned i = 0; i < group_bytes[size]; i++)
            *o++ = (uint8_t)(v >> (8 * (group_bytes[size] - 1 - i)));
    }
    for (uint8_t *p = start; negative && p < o; p++)
        *p = (uint8_t) ~*p;
    start[0] ^= 0x80;
    return (size_t)(o - start);
}

static void decimal_unscaled__random_numbers__is_the_twos_complement_of_their_text(void **state)
{
    (void)state;
    struct rng rng = {.state = 11};
    for (unsigned i = 0; i < 200000; i++) {
        unsigned precision = 1 + (unsigned)(rng_next(&rng) % 65), most = precision < 30 ? precision : 30;
        unsigned scale = (unsigned)(rng_next(&rng) % (most + 1));
        uint8_t stored[64], text[WRITE_DECIMAL_MAX], bytes[DECIMAL_UNSCALED_MAX], wanted[64];
        random_decimal(&rng, stored, precision, scale);
        uint8_t *end = write_decimal(text, stored, precision, scale);
        assert_non_null(end);
        size_t len = decimal_unscaled(bytes, stored, precision, scale);
        size_t wanted_len = reference(wanted, text, (size_t)(end - text));
        if (len != wanted_len || memcmp(bytes, wanted, len) != 0)
            fail_msg("DECIMAL(%u,%u) %.*s", precision, scale, (int)(end - text), (char *)text);
    }
}

static void decimal_unscaled__group_out_of_range__is_refused(void **state)
{
    (void)state;
    uint8_t bytes[DECIMAL_UNSCALED_MAX];
    assert_int_equal(decimal_unscaled(bytes, (const uint8_t *)"\x80\x64", 4, 2), 0);
    assert_int_equal(decimal_unscaled(bytes, (const uint8_t *)"\xbc\x9a\xca\x00", 9, 0), 0);
    assert_int_equal(decimal_unscaled(bytes, (const uint8_t *)"\x80\x63", 4, 2), 1);
}

/* ---------------------------------------------------------------- any bytes */

static void check_json(const struct record_list *records, unsigned row)
{
    for (size_t i = 0; i < records->count; i++) {
        const struct record *r = &records->list[i];
        const char *p = (const char *)records->text.p + r->at;
        size_t parts[3] = {r->key_len == RECORD_NONE ? 0 : r->key_len, r->headers_len,
                           r->value_len == RECORD_NONE ? 0 : r->value_len};
        for (unsigned k = 0; k < 3; p += parts[k++]) {
            json_error_t error;
            json_t *made = parts[k] ? json_loadb(p, parts[k], JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &error) : NULL;
            if (parts[k] && !made)
                fail_msg("row %u: %s: %.*s", row, error.text, (int)parts[k], p);
            json_decref(made);
        }
    }
}

static void debezium__any_bytes_in_any_mode__is_valid_json_within_its_room_or_an_error(void **state)
{
    (void)state;
    static const char *const modes[][4] = {
        {"decimal.handling.mode=precise", "time.precision.mode=connect", "binary.handling.mode=hex",
         "bigint.unsigned.handling.mode=long"},
        {"decimal.handling.mode=string", "time.precision.mode=isostring", "binary.handling.mode=base64-url-safe",
         "bigint.unsigned.handling.mode=precise"},
        {"decimal.handling.mode=double", "time.precision.mode=nanoseconds", "binary.handling.mode=bytes",
         "enable.time.adjuster=false"},
    };
    unsigned written = 0;
    for (unsigned mode = 0; mode < 3; mode++) {
        struct scene *s = scene_new(modes[mode], 4);
        struct rng rng = {.state = 100 + mode};
        struct shape_cache *cache = shape_cache_new();
        struct random_change made;
        const struct shape *shape = NULL;
        void *bind = NULL;
        for (unsigned i = 0; i < 5000; i++) {
            struct err e = ERR_INIT;
            if (i % 20 == 0) {
                s->choice.ops->unbind(bind);
                shape = random_shape(&rng, cache);
                assert_int_equal(s->choice.ops->bind(&bind, s->choice.options, shape->tbl, &e), 0);
            }
            random_change(&rng, shape, &made, i % 3 == 0);
            records_clear(&s->records);
            if (s->choice.ops->add(s->format, &made.chg, bind, 0, &s->records, &e) == 0) {
                check_json(&s->records, i);
                written += s->records.count > 0;
            }
        }
        s->choice.ops->unbind(bind);
        shape_cache_free(cache);
        scene_free(s);
    }
    assert_true(written > 5000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(debezium__insert__has_the_whole_envelope),
        cmocka_unit_test(debezium__delete__is_followed_by_a_tombstone_unless_off),
        cmocka_unit_test(debezium__key_changes__is_delete_tombstone_and_insert),
        cmocka_unit_test(debezium__record_key_stays_in_a_key_move__is_one_update),
        cmocka_unit_test(debezium__images_lack_columns__before_fills_after_and_null_the_rest),
        cmocka_unit_test(debezium__key_column_is_absent__is_an_error),
        cmocka_unit_test(debezium__null__is_the_default_unless_off),
        cmocka_unit_test(debezium__transaction__counts_rows_and_stands_between_begin_and_end),
        cmocka_unit_test(debezium__batch_failed__its_rows_count_once),
        cmocka_unit_test(debezium__truncate__is_skipped_by_default),
        cmocka_unit_test(debezium_check__skipped_operations_are_no_letters__is_refused),
        cmocka_unit_test(debezium__statement__is_a_record_per_dropped_or_renamed_table_and_else_one),
        cmocka_unit_test(debezium_hash_order__names__are_as_in_a_java_hash_map),
        cmocka_unit_test(debezium__defaults__are_written_as_values_are),
        cmocka_unit_test(decimal_unscaled__random_numbers__is_the_twos_complement_of_their_text),
        cmocka_unit_test(decimal_unscaled__group_out_of_range__is_refused),
        cmocka_unit_test(debezium__any_bytes_in_any_mode__is_valid_json_within_its_room_or_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
