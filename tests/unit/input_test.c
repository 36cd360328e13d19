/* Messages of Canal, Maxwell and Debezium as the peers write them: what comes out, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "change/format_sluice.h"
#include "change/input.h"

struct scene {
    struct shape_cache *cache;
    struct arena arena;
    struct input found;
    struct buf text;
};

static bool wants(void *ctx, const char *db, const char *table)
{
    (void)ctx;
    return strcmp(db, "shop") == 0 && strcmp(table, "other") != 0;
}

static int parse(struct scene *s, const struct input_ops *ops, const char *key, const char *value, struct err *e)
{
    struct input_context context = {.shapes = s->cache, .interest = {.wants = wants}, .arena = &s->arena};
    struct input_record record = {.key = key, .key_len = key ? strlen(key) : 0, .value = value};
    record.value_len = value ? strlen(value) : 0;
    arena_reset(&s->arena);
    s->found = (struct input){.kind = INPUT_NOTHING};
    return ops->parse(&record, &context, &s->found, e);
}

/* The row as a line of our own, from "op" to the last image. */
static const char *line_of(struct scene *s, unsigned row)
{
    const struct input_row *from = &s->found.rows[row];
    struct change chg = {.op = from->op,
                         .shape = from->shape,
                         .tx = &s->found.tx,
                         .pos = s->found.pos,
                         .key = "k",
                         .key_len = 1,
                         .before = from->before,
                         .after = from->after};
    struct err e = ERR_INIT;
    chg.db = s->found.db;
    chg.table = s->found.table;
    buf_clear(&s->text);
    if (format_sluice(&chg, &s->text, &s->arena, &e) != 0)
        fail_msg("%s", e.text);
    buf_byte(&s->text, 0);
    return (const char *)s->text.p;
}

static void assert_has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("%s\nis not in\n%s", part, text);
}

static void assert_refused(struct scene *s, const struct input_ops *ops, const char *value, const char *part)
{
    struct err e = ERR_INIT;
    assert_int_equal(parse(s, ops, NULL, value, &e), -ERR_CORRUPT);
    assert_has(e.text, part);
}

static int setup(void **state)
{
    struct scene *s = calloc(1, sizeof *s);
    if (!s)
        return -1;
    s->cache = shape_cache_new();
    arena_init(&s->arena, 4096, 65536, 0);
    buf_init(&s->text, 0);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct scene *s = *state;
    shape_cache_free(s->cache);
    arena_release(&s->arena);
    buf_release(&s->text);
    free(s);
    return 0;
}

/* ---------------------------------------------------------------- canal */

#define CANAL "\"database\":\"shop\",\"table\":\"t\",\"es\":1795359428000,\"gtid\":\"\",\"isDdl\":false,"

static void canal__update_of_two_rows__has_the_former_values(void **state)
{
    struct scene *s = *state;
    static const char value[] =
        "{" CANAL "\"type\":\"UPDATE\",\"mysqlType\":{\"id\":\"int\",\"a\":\"varchar(5)\",\"d\":\"decimal(6,3)\"},"
        "\"pkNames\":[\"id\"],\"data\":[{\"id\":\"1\",\"a\":\"new\",\"d\":\"7.0\"},{\"id\":\"2\",\"a\":null,\"d\":"
        "null}],\"old\":[{\"a\":\"old\"},{\"a\":\"was\",\"d\":\"-1.500\"}]}";
    assert_int_equal(parse(s, &input_canal, NULL, value, NULL), 0);
    assert_int_equal(s->found.kind, INPUT_ROWS);
    assert_int_equal(s->found.count, 2);
    assert_int_equal(s->found.tx.commit_us, INT64_C(1795359428000000));
    assert_has(line_of(s, 0), "\"pk\":{\"id\":1},\"before\":{\"id\":1,\"a\":\"old\",\"d\":\"7.000\"},"
                              "\"after\":{\"id\":1,\"a\":\"new\",\"d\":\"7.000\"}");
    assert_has(line_of(s, 1), "\"before\":{\"id\":2,\"a\":\"was\",\"d\":\"-1.500\"},"
                              "\"after\":{\"id\":2,\"a\":null,\"d\":null}");
    assert_int_equal(s->found.rows[0].decimals[0], 4);
}

static void canal__types__become_our_own_values(void **state)
{
    struct scene *s = *state;
    static const struct {
        const char *type, *text, *json;
    } cases[] = {
        {"bigint unsigned", "18446744073709551615", "\"18446744073709551615\""},
        {"INT(11)", "-5", "-5"},
        {"year", "0000", "0"},
        {"bit(10)", "513", "513"},
        {"float", "-3.40282E38", "-3.40282e38"},
        {"float(53)", "0.1", "0.1"},
        {"double", "1.0E7", "10000000"},
        {"decimal(10)", "42.0", "\"42\""},
        {"timestamp(3)", "2026-11-22 13:14:15.120", "\"2026-11-22 13:14:15.120\""},
        {"enum('a','b','c,d','it''s')", "3", "\"c,d\""},
        {"enum('a','b','c,d','it''s')", "4", "\"it's\""},
        {"enum('a')", "0", "\"\""},
        {"set('x','y','z w')", "5", "\"x,z w\""},
        {"set('x')", "0", "\"\""},
        {"binary(4)", "ab", "{\"base64\":\"YWIAAA==\"}"},
        {"blob", "\xc3\xbf\xc2\x80", "{\"base64\":\"/4A=\"}"},
        {"json", "{\\\"b\\\":1,\\\"a\\\": [1,2]}", "\"{\\\"b\\\": 1, \\\"a\\\": [1, 2]}\""},
        {"text", "caf\xc3\xa9", "\"caf\xc3\xa9\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char value[1024], part[256];
        struct err e = ERR_INIT;
        snprintf(value, sizeof value,
                 "{" CANAL "\"type\":\"INSERT\",\"mysqlType\":{\"c\":\"%s\"},\"data\":[{\"c\":\"%s\"}],\"old\":null}",
                 cases[i].type, cases[i].text);
        if (parse(s, &input_canal, NULL, value, &e) != 0)
            fail_msg("%s: %s", cases[i].type, e.text);
        snprintf(part, sizeof part, "\"after\":{\"c\":%s}", cases[i].json);
        assert_has(line_of(s, 0), part);
    }
}

static void canal__what_is_not_known__is_refused(void **state)
{
    struct scene *s = *state;
    static const struct {
        const char *rest, *part;
    } cases[] = {
        {"\"type\":\"INSERT\",\"data\":[{\"c\":\"1\"}]}", "does not tell the type"},
        {"\"type\":\"INSERT\",\"mysqlType\":{\"c\":\"hyper\"},\"data\":[{\"c\":\"1\"}]}", "type that is not known"},
        {"\"type\":\"INSERT\",\"mysqlType\":{\"c\":\"int\"},\"data\":[{\"c\":\"x\"}]}", "not a whole number"},
        {"\"type\":\"INSERT\",\"mysqlType\":{\"c\":\"enum('a')\"},\"data\":[{\"c\":\"2\"}]}", "label"},
        {"\"type\":\"INSERT\",\"mysqlType\":{\"c\":\"blob\"},\"data\":[{\"c\":\"\xe4\xbd\xa0\"}]}", "no byte"},
        {"\"type\":\"INSERT\",\"mysqlType\":{\"c\":\"int\"},\"data\":[]}", "no list of rows"},
        {"\"type\":\"UPDATE\",\"mysqlType\":{\"c\":\"int\"},\"data\":[{\"c\":\"1\"}],\"old\":[{}]}", "not FULL"},
        {"\"type\":\"UPDATE\",\"mysqlType\":{\"c\":\"int\"},\"data\":[{\"c\":\"1\"}],\"old\":null}", "as many"},
        {"\"type\":\"UPSERT\",\"mysqlType\":{\"c\":\"int\"},\"data\":[{\"c\":\"1\"}]}", "unknown operation"},
        {"\"type\":\"INSERT\",\"data\":null}", "no rows"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char value[512];
        snprintf(value, sizeof value, "{" CANAL "%s", cases[i].rest);
        assert_refused(s, &input_canal, value, cases[i].part);
    }
    assert_refused(s, &input_canal, "[]", "no object");
    assert_refused(s, &input_canal, "{\"a\":", "not JSON");
}

static void canal__messages_without_rows__are_told_apart(void **state)
{
    struct scene *s = *state;
    assert_int_equal(parse(s, &input_canal, NULL,
                           "{\"data\":null,\"database\":\"shop\",\"table\":\"t\",\"isDdl\":true,"
                           "\"type\":\"TRUNCATE\",\"sql\":\"truncate table t\"}",
                           NULL),
                     0);
    assert_int_equal(s->found.kind, INPUT_STATEMENT);
    assert_int_equal(parse(s, &input_canal, NULL,
                           "{\"data\":null,\"database\":\"\",\"table\":\"t\",\"isDdl\":false,\"type\":\"QUERY\","
                           "\"sql\":\"insert into t values (1)\"}",
                           NULL),
                     0);
    assert_int_equal(s->found.kind, INPUT_NOTHING);
    assert_int_equal(parse(s, &input_canal, NULL,
                           "{\"data\":null,\"database\":\"shop\",\"table\":\"t\",\"isDdl\":false,\"type\":\"DELETE\","
                           "\"sql\":\"delete from t\"}",
                           NULL),
                     0);
    assert_int_equal(s->found.kind, INPUT_UNLOGGED);
    assert_int_equal(parse(s, &input_canal, NULL, NULL, NULL), 0);
    assert_int_equal(s->found.kind, INPUT_NOTHING);
}

/* ---------------------------------------------------------------- maxwell */

static void maxwell__update__has_key_place_and_all_digits(void **state)
{
    struct scene *s = *state;
    static const char key[] = "{\"database\":\"shop\",\"table\":\"t\",\"pk.k\":\"x\",\"pk.id\":1}";
    static const char value[] =
        "{\"database\":\"shop\",\"table\":\"t\",\"type\":\"update\",\"ts\":1795359428,\"xid\":7,\"position\":"
        "\"binlog.000012:4711\",\"gtid\":\"0-1-15\",\"data\":{\"id\":1,\"k\":\"x\",\"u\":18446744073709551615,"
        "\"d\":1234.50000,\"n\":null},\"old\":{\"d\":0.10,\"n\":5}}";
    assert_int_equal(parse(s, &input_maxwell, key, value, NULL), 0);
    assert_has(line_of(s, 0), "\"pk\":{\"k\":\"x\",\"id\":1},\"before\":{\"id\":1,\"k\":\"x\",\"u\":"
                              "\"18446744073709551615\",\"d\":\"0.10\",\"n\":5},\"after\":{\"id\":1,\"k\":\"x\","
                              "\"u\":\"18446744073709551615\",\"d\":\"1234.50000\",\"n\":null}");
    assert_has(line_of(s, 0), "\"gtid\":\"0-1-15\",\"file\":\"binlog.000012\",\"pos\":4711");
    assert_int_equal(s->found.rows[0].decimals[0], 8);
}

static void maxwell__keys_of_both_formats__name_the_columns(void **state)
{
    struct scene *s = *state;
    static const char value[] = "{\"database\":\"shop\",\"table\":\"t\",\"type\":\"delete\",\"ts\":1,"
                                "\"data\":{\"ID\":1,\"k\":\"x\"}}";
    assert_int_equal(parse(s, &input_maxwell, "[\"shop\",\"t\",[{\"id\":1},{\"k\":\"x\"}]]", value, NULL), 0);
    assert_has(line_of(s, 0), "\"pk\":{\"ID\":1,\"k\":\"x\"},\"before\"");
    assert_int_equal(parse(s, &input_maxwell, "{\"database\":\"shop\",\"table\":\"t\",\"_uuid\":\"1\"}", value, NULL),
                     0);
    assert_null(strstr(line_of(s, 0), "\"pk\""));
}

static void maxwell__kinds__are_told_apart(void **state)
{
    struct scene *s = *state;
    static const struct {
        const char *type;
        enum input_kind kind;
    } cases[] = {{"bootstrap-start", INPUT_NOTHING},    {"bootstrap-insert", INPUT_ROWS},
                 {"bootstrap-complete", INPUT_NOTHING}, {"table-alter", INPUT_STATEMENT},
                 {"database-drop", INPUT_STATEMENT},    {"insert", INPUT_ROWS}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char value[256];
        snprintf(value, sizeof value,
                 "{\"type\":\"%s\",\"database\":\"shop\",\"table\":\"t\",\"ts\":1,\"data\":{\"id\":1},\"sql\":\"x\"}",
                 cases[i].type);
        assert_int_equal(parse(s, &input_maxwell, NULL, value, NULL), 0);
        assert_int_equal(s->found.kind, cases[i].kind);
    }
    assert_refused(s, &input_maxwell, "{\"type\":\"merge\"}", "Maxwell");
    assert_refused(s, &input_maxwell, "{\"type\":\"update\",\"database\":\"shop\",\"table\":\"t\",\"data\":{\"id\":1}}",
                   "not FULL");
    assert_refused(s, &input_maxwell, "{\"type\":\"insert\",\"database\":\"shop\",\"table\":\"t\"}", "field data");
}

/* ---------------------------------------------------------------- debezium */

#define SOURCE                                                                                                         \
    "\"source\":{\"db\":\"shop\",\"table\":\"t\",\"ts_us\":1795359428411044,\"gtid\":\"e6865dc9-e680-11f1-9a04-"       \
    "02fc00000001:7\",\"file\":\"bin.000016\",\"pos\":989}"

static void debezium__update_without_schema__stays_as_it_is(void **state)
{
    struct scene *s = *state;
    static const char value[] =
        "{\"before\":{\"id\":1,\"b\":true,\"p\":null,\"l\":\"__debezium_unavailable_value\"},\"after\":{\"id\":1,"
        "\"b\":false,\"p\":{\"x\":1,\"y\":2,\"wkb\":\"AQEAAAA=\",\"srid\":4326},\"l\":\"x\"}," SOURCE ",\"op\":\"u\"}";
    assert_int_equal(parse(s, &input_debezium, "{\"id\":1}", value, NULL), 0);
    assert_has(line_of(s, 0), "\"pk\":{\"id\":1},\"before\":{\"id\":1,\"b\":1,\"p\":null},\"after\":{\"id\":1,\"b\":0,"
                              "\"p\":{\"wkb\":\"AQEAAAA=\",\"srid\":4326},\"l\":\"x\"},\"absent_before\":[\"l\"]");
    assert_has(line_of(s, 0), "\"ts_us\":1795359428411044,\"commit_precision\":\"us\",\"gtid\":\"e6865dc9-e680-11f1-"
                              "9a04-02fc00000001:7\",\"file\":\"bin.000016\",\"pos\":989");
}

/* Values that Debezium 3.3 wrote for tests/golden/peers/debezium/172-all-types.case, with the schemas of its types. */
static void debezium__schemas__give_the_values_of_the_columns(void **state)
{
    struct scene *s = *state;
    static const struct {
        const char *schema, *value, *json;
    } cases[] = {
        {"\"type\":\"int64\"", "-9223372036854775808", "\"-9223372036854775808\""},
        {"\"type\":\"float\"", "-3.40282E38", "-3.40282e38"},
        {"\"type\":\"double\"", "-1.7976931348623157E308", "-1.7976931348623157e308"},
        {"\"type\":\"boolean\"", "true", "1"},
        {"\"type\":\"bytes\"", "\"YWIAAA==\"", "{\"base64\":\"YWIAAA==\"}"},
        {"\"type\":\"string\"", "\"caf\xc3\xa9\"", "\"caf\xc3\xa9\""},
        {"\"type\":\"bytes\",\"name\":\"org.apache.kafka.connect.data.Decimal\",\"parameters\":{\"scale\":\"5\"}",
         "\"+pQ4odKc8AAB\"", "\"-999999999999999.99999\""},
        {"\"type\":\"bytes\",\"name\":\"org.apache.kafka.connect.data.Decimal\",\"parameters\":{\"scale\":\"30\"}",
         "\"/wzp2OOAPG91dBC5sca6EIXayfYAAAAAAAAAAQ==\"",
         "\"-99999999999999999999999999999999999.999999999999999999999999999999\""},
        {"\"type\":\"bytes\",\"name\":\"org.apache.kafka.connect.data.Decimal\",\"parameters\":{\"scale\":\"30\"}",
         "\"AUMeD65tchfKoAAAAQ==\"", "\"0.100000000000000000000000000001\""},
        {"\"type\":\"bytes\",\"name\":\"org.apache.kafka.connect.data.Decimal\",\"parameters\":{\"scale\":\"0\"}",
         "\"Kg==\"", "\"42\""},
        {"\"type\":\"bytes\",\"name\":\"io.debezium.data.Bits\",\"parameters\":{\"length\":\"10\"}", "\"AQI=\"", "513"},
        {"\"type\":\"int32\",\"name\":\"io.debezium.time.Year\"", "2026", "2026"},
        {"\"type\":\"int32\",\"name\":\"io.debezium.time.Date\"", "20779", "\"2026-11-22\""},
        {"\"type\":\"int32\",\"name\":\"io.debezium.time.Date\"", "-354285", "\"1000-01-01\""},
        {"\"type\":\"int64\",\"name\":\"io.debezium.time.MicroTime\"", "-3020399000000", "\"-838:59:59\""},
        {"\"type\":\"int64\",\"name\":\"io.debezium.time.MicroTime\"", "45296700000", "\"12:34:56.700\""},
        {"\"type\":\"int64\",\"name\":\"io.debezium.time.MicroTime\"", "-3723000004", "\"-01:02:03.000004\""},
        {"\"type\":\"int64\",\"name\":\"io.debezium.time.Timestamp\"", "1795353255000", "\"2026-11-22 13:14:15\""},
        {"\"type\":\"int64\",\"name\":\"io.debezium.time.Timestamp\"", "1795353255120", "\"2026-11-22 13:14:15.120\""},
        {"\"type\":\"int64\",\"name\":\"io.debezium.time.Timestamp\"", "-30610224000000", "\"1000-01-01 00:00:00\""},
        {"\"type\":\"int64\",\"name\":\"io.debezium.time.MicroTimestamp\"", "1795353255000001",
         "\"2026-11-22 13:14:15.000001\""},
        {"\"type\":\"string\",\"name\":\"io.debezium.time.ZonedTimestamp\"", "\"2026-11-22T13:14:15.120Z\"",
         "\"2026-11-22T13:14:15.120Z\""},
        {"\"type\":\"string\",\"name\":\"io.debezium.data.Enum\"", "\"c\\\\,d\"", "\"c,d\""},
        {"\"type\":\"string\",\"name\":\"io.debezium.data.EnumSet\"", "\"x,z w\"", "\"x,z w\""},
        {"\"type\":\"string\",\"name\":\"io.debezium.data.Json\"", "\"{\\\"b\\\":1}\"", "\"{\\\"b\\\": 1}\""},
        {"\"type\":\"struct\",\"name\":\"io.debezium.data.geometry.Geometry\"", "{\"wkb\":\"AQEAAAA=\",\"srid\":null}",
         "{\"wkb\":\"AQEAAAA=\",\"srid\":0}"},
        {"\"type\":\"array\",\"name\":\"io.debezium.data.FloatVector\"", "[1.5,-2.0]", "[1.5,-2]"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char value[2048], part[512];
        struct err e = ERR_INIT;
        snprintf(value, sizeof value,
                 "{\"schema\":{\"type\":\"struct\",\"fields\":[{\"field\":\"after\",\"fields\":[{%s,\"field\":\"c\"}]}]"
                 "},\"payload\":{\"before\":null,\"after\":{\"c\":%s}," SOURCE ",\"op\":\"c\"}}",
                 cases[i].schema, cases[i].value);
        if (parse(s, &input_debezium, NULL, value, &e) != 0)
            fail_msg("%s: %s", cases[i].schema, e.text);
        snprintf(part, sizeof part, "\"after\":{\"c\":%s}", cases[i].json);
        assert_has(line_of(s, 0), part);
    }
}

static void debezium__what_is_not_known__is_refused(void **state)
{
    struct scene *s = *state;
    static const struct {
        const char *schema, *value, *part;
    } cases[] = {
        {"\"type\":\"int32\",\"name\":\"io.example.Money\"", "5", "type that is not known"},
        {"\"type\":\"struct\"", "{}", "type that is not known"},
        {"\"type\":\"int32\"", "\"x\"", "does not fit"},
        {"\"type\":\"int32\",\"name\":\"io.debezium.time.Date\"", "99999999", "does not fit"},
        {"\"type\":\"bytes\",\"name\":\"org.apache.kafka.connect.data.Decimal\"", "\"Kg==\"", "does not fit"},
        {"\"type\":\"bytes\"", "\"Kg\"", "base64"},
        {"\"type\":\"array\",\"name\":\"io.debezium.data.FloatVector\"", "[\"NaN\"]", "VECTOR"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char value[1024];
        snprintf(value, sizeof value,
                 "{\"schema\":{\"fields\":[{\"field\":\"after\",\"fields\":[{%s,\"field\":\"c\"}]}]},"
                 "\"payload\":{\"after\":{\"c\":%s}," SOURCE ",\"op\":\"c\"}}",
                 cases[i].schema, cases[i].value);
        assert_refused(s, &input_debezium, value, cases[i].part);
        assert_refused(s, &input_debezium, value, "column c");
    }
    assert_refused(s, &input_debezium, "{\"op\":\"m\"," SOURCE "}", "not an operation");
    assert_refused(s, &input_debezium, "{\"op\":\"c\"," SOURCE "}", "field after");
    assert_refused(s, &input_debezium, "{\"op\":\"u\",\"before\":null,\"after\":{\"id\":1}," SOURCE "}",
                   "field before");
    assert_refused(s, &input_debezium, "{\"id\":1,\"a\":2}", "no envelope");
}

static void debezium__messages_without_rows__are_told_apart(void **state)
{
    struct scene *s = *state;
    static const struct {
        const char *value;
        enum input_kind kind;
    } cases[] = {
        {NULL, INPUT_NOTHING},
        {"null", INPUT_NOTHING},
        {"{\"ts_ms\":1795359428000}", INPUT_NOTHING},
        {"{\"status\":\"BEGIN\",\"id\":\"x\",\"event_count\":null,\"data_collections\":null,\"ts_ms\":1}",
         INPUT_NOTHING},
        {"{\"before\":null,\"after\":null," SOURCE ",\"op\":\"t\"}", INPUT_TRUNCATE},
        {"{" SOURCE ",\"ts_ms\":1,\"databaseName\":\"shop\",\"ddl\":\"DROP TABLE t\",\"tableChanges\":[]}",
         INPUT_STATEMENT},
        {"{\"op\":\"c\",\"after\":{\"id\":{}},\"source\":{\"db\":\"shop\",\"table\":\"other\"}}", INPUT_NOTHING},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(parse(s, &input_debezium, NULL, cases[i].value, NULL), 0);
        assert_int_equal(s->found.kind, cases[i].kind);
    }
}

static void input_find__formats_of_peers__have_one(void **state)
{
    (void)state;
    assert_ptr_equal(input_find("canal"), &input_canal);
    assert_ptr_equal(input_find("maxwell"), &input_maxwell);
    assert_ptr_equal(input_find("debezium"), &input_debezium);
    assert_null(input_find("sluice"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(canal__update_of_two_rows__has_the_former_values),
        cmocka_unit_test(canal__types__become_our_own_values),
        cmocka_unit_test(canal__what_is_not_known__is_refused),
        cmocka_unit_test(canal__messages_without_rows__are_told_apart),
        cmocka_unit_test(maxwell__update__has_key_place_and_all_digits),
        cmocka_unit_test(maxwell__keys_of_both_formats__name_the_columns),
        cmocka_unit_test(maxwell__kinds__are_told_apart),
        cmocka_unit_test(debezium__update_without_schema__stays_as_it_is),
        cmocka_unit_test(debezium__schemas__give_the_values_of_the_columns),
        cmocka_unit_test(debezium__what_is_not_known__is_refused),
        cmocka_unit_test(debezium__messages_without_rows__are_told_apart),
        cmocka_unit_test(input_find__formats_of_peers__have_one),
    };
    return cmocka_run_group_tests_name("input", tests, setup, teardown);
}
