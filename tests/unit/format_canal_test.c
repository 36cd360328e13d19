/* Canal's flat message: the text of every type, the rows of an event in one message, statements. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "change/canal/canal.h"
#include "change/canal/parts.h"
#include "change/json_in.h"
#include "change/statement.h"
#include "tools/random_row.h"

#define UTF8MB4 45
#define LATIN1  8
#define BINARY  63

static const struct canal_options plain = {.ddl = false};

struct scene {
    struct canal_options options;
    struct format *format;
    void *bind;
    struct shape *shape;
    struct record_list records;
    struct tx tx;
    struct change chg;
    struct err e;
};

/* Owns the columns' table; a shape's arena is from malloc. */
static struct scene *scene_new(const struct canal_options *options, const struct table *tbl)
{
    struct scene *s = calloc(1, sizeof *s);
    struct arena *arena = malloc(sizeof *arena);
    assert_non_null(s);
    assert_non_null(arena);
    arena_init(arena, 4096, 0, 0);
    s->options = *options;
    assert_int_equal(shape_new(&s->shape, arena, tbl, 0, NULL), 0);
    assert_int_equal(format_canal.bind(&s->bind, &s->options, tbl, NULL), 0);
    assert_int_equal(format_canal.open(&s->format, &s->options, NULL), 0);
    records_init(&s->records, 0);
    s->records.now_us = 1795000000123456;
    s->tx = (struct tx){.file = "bin.1"};
    s->chg = (struct change){.op = CHANGE_INSERT, .shape = s->shape, .tx = &s->tx, .db = "shop", .table = "t"};
    s->chg.event_time = 1795000000;
    return s;
}

static void scene_free(struct scene *s)
{
    format_canal.close(s->format);
    format_canal.unbind(s->bind);
    shape_free(s->shape);
    records_release(&s->records);
    free(s);
}

static struct image image_of(const uint8_t *bytes, size_t len)
{
    return (struct image){.bytes = bytes, .len = len};
}

static int add(struct scene *s)
{
    s->e = (struct err)ERR_INIT;
    return format_canal.add(s->format, &s->chg, s->bind, 0, &s->records, &s->e);
}

/* The text of all records, NUL-terminated; they are gone then. */
static const char *taken(struct scene *s)
{
    buf_byte(&s->records.text, 0);
    const char *text = (const char *)s->records.text.p;
    records_clear(&s->records);
    return text;
}

/* ---------------------------------------------------------------- types */

struct type_case {
    const char *name;
    uint8_t wire, meta[2];
    bool is_unsigned;
    uint16_t collation;
    const char *declared;
    uint8_t bytes[40];
    size_t len;
    const char *data, *type, *sql;
};

#define BYTES(text) text, sizeof(text) - 1

static const struct type_case type_cases[] = {
    {"TINYINT", WIRE_TINY, {0}, false, 0, NULL, BYTES("\x80"), "-128", "tinyint", "-6"},
    {"TINYINT UNSIGNED low", WIRE_TINY, {0}, true, 0, NULL, BYTES("\x7f"), "127", "tinyint unsigned", "-6"},
    {"TINYINT UNSIGNED high", WIRE_TINY, {0}, true, 0, NULL, BYTES("\x80"), "128", "tinyint unsigned", "5"},
    {"declared", WIRE_TINY, {0}, false, 0, "tinyint(1)", BYTES("\x01"), "1", "tinyint(1)", "-6"},
    {"default width", WIRE_LONG, {0}, true, 0, "int(10) unsigned", BYTES("\1\0\0\0"), "1", "int unsigned", "4"},
    {"other width", WIRE_LONG, {0}, false, 0, "int(10)", BYTES("\1\0\0\0"), "1", "int(10)", "4"},
    {"SMALLINT UNSIGNED", WIRE_SHORT, {0}, true, 0, NULL, BYTES("\xff\xff"), "65535", "smallint unsigned", "4"},
    {"MEDIUMINT", WIRE_INT24, {0}, false, 0, NULL, BYTES("\x00\x00\x80"), "-8388608", "mediumint", "4"},
    {"MEDIUMINT UNSIGNED",
     WIRE_INT24,
     {0},
     true,
     0,
     NULL,
     BYTES("\xff\xff\xff"),
     "16777215",
     "mediumint unsigned",
     "4"},
    {"INT UNSIGNED", WIRE_LONG, {0}, true, 0, NULL, BYTES("\xff\xff\xff\xff"), "4294967295", "int unsigned", "-5"},
    {"BIGINT UNSIGNED",
     WIRE_LONGLONG,
     {0},
     true,
     0,
     NULL,
     BYTES("\xff\xff\xff\xff\xff\xff\xff\xff"),
     "18446744073709551615",
     "bigint unsigned",
     "3"},
    {"DECIMAL of zeros",
     WIRE_NEWDECIMAL,
     {10, 2},
     false,
     0,
     NULL,
     BYTES("\x80\x00\x00\x07\x00"),
     "7.0",
     "decimal(10,2)",
     "3"},
    {"DECIMAL", WIRE_NEWDECIMAL, {10, 2}, false, 0, NULL, BYTES("\x80\x00\x00\x07\x0a"), "7.10", "decimal(10,2)", "3"},
    {"FLOAT", WIRE_FLOAT, {4}, false, 0, NULL, BYTES("\x00\x00\x80\x3f"), "1.0", "float", "7"},
    {"DOUBLE", WIRE_DOUBLE, {8}, false, 0, NULL, BYTES("\x00\x00\x00\x00\xd0\x12\x63\x41"), "1.0E7", "double", "8"},
    {"BIT", WIRE_BIT, {1, 1}, false, 0, NULL, BYTES("\x01\xff"), "511", "bit(9)", "-7"},
    {"YEAR", WIRE_YEAR, {0}, true, 0, NULL, BYTES("\x7c"), "2024", "year", "12"},
    {"YEAR zero", WIRE_YEAR, {0}, true, 0, NULL, BYTES("\x00"), "0000", "year", "12"},
    {"DATE zero", WIRE_DATE_OLD, {0}, false, 0, NULL, BYTES("\x00\x00\x00"), "0000-00-00", "date", "91"},
    {"TIME negative", WIRE_TIME2, {3}, false, 0, NULL, BYTES("\x7f\xff\xff\xff\xf6"), "-00:00:00.001", "time(3)", "92"},
    {"DATETIME",
     WIRE_DATETIME2,
     {0},
     false,
     0,
     NULL,
     BYTES("\x99\xb2\xba\x03\xc3"),
     "2024-02-29 00:15:03",
     "datetime",
     "93"},
    {"TIMESTAMP",
     WIRE_TIMESTAMP2,
     {2},
     false,
     0,
     NULL,
     BYTES("\x00\x00\x00\x01\x0c"),
     "1970-01-01 00:00:01.12",
     "timestamp(2)",
     "93"},
    {"TIMESTAMP zero",
     WIRE_TIMESTAMP2,
     {2},
     false,
     0,
     NULL,
     BYTES("\x00\x00\x00\x00\x00"),
     "0000-00-00 00:00:00.00",
     "timestamp(2)",
     "93"},
    {"CHAR",
     WIRE_STRING,
     {WIRE_STRING, 80},
     false,
     UTF8MB4,
     NULL,
     BYTES("\x03"
           "a\"\x0b"),
     "a\\\"\\u000b",
     "char(20)",
     "1"},
    {"VARCHAR of latin1",
     WIRE_VARCHAR,
     {20, 0},
     false,
     LATIN1,
     NULL,
     BYTES("\x04"
           "caf\xe9"),
     "caf\xef\xbf\xbd",
     "varchar(20)",
     "12"},
    {"surrogate",
     WIRE_VARCHAR,
     {20, 0},
     false,
     LATIN1,
     NULL,
     BYTES("\x03\xed\xa0\x80"),
     "\xef\xbf\xbd",
     "varchar(20)",
     "12"},
    {"overlong",
     WIRE_VARCHAR,
     {20, 0},
     false,
     LATIN1,
     NULL,
     BYTES("\x02\xc0\x80"),
     "\xef\xbf\xbd\xef\xbf\xbd",
     "varchar(20)",
     "12"},
    {"cut",
     WIRE_VARCHAR,
     {20, 0},
     false,
     LATIN1,
     NULL,
     BYTES("\x05"
           "A\xf0\x9f\x98"
           "B"),
     "A\xef\xbf\xbd"
     "B",
     "varchar(20)",
     "12"},
    {"BINARY",
     WIRE_STRING,
     {WIRE_STRING, 4},
     false,
     BINARY,
     NULL,
     BYTES("\x03"
           "A\x00\xff"),
     "A\\u0000\xc3\xbf",
     "binary(4)",
     "2004"},
    {"BLOB", WIRE_BLOB, {2}, false, BINARY, NULL, BYTES("\x01\x00\xe9"), "\xc3\xa9", "blob", "2004"},
    {"LONGTEXT", WIRE_BLOB, {4}, false, UTF8MB4, NULL, BYTES("\x01\x00\x00\x00x"), "x", "longtext", "2005"},
    {"ENUM", WIRE_STRING, {WIRE_ENUM, 1}, false, 0, "enum('a','b')", BYTES("\x02"), "2", "enum('a','b')", "4"},
    {"ENUM zero", WIRE_STRING, {WIRE_ENUM, 1}, false, 0, "enum('a','b')", BYTES("\x00"), "0", "enum('a','b')", "4"},
    {"SET", WIRE_STRING, {WIRE_SET, 1}, false, 0, "set('a','b')", BYTES("\x03"), "3", "set('a','b')", "-7"},
    {"JSON", WIRE_JSON, {4}, false, 0, NULL, BYTES("\x03\x00\x00\x00\x0c\x01x"), "\\\"x\\\"", "json", "12"},
    {"GEOMETRY",
     WIRE_GEOMETRY,
     {4},
     false,
     0,
     NULL,
     BYTES("\x02\x00\x00\x00\x00\xe6"),
     "\\u0000\xc3\xa6",
     "geometry",
     "2004"},
};

static struct column column_of(const struct type_case *row)
{
    struct column column = {.name = "v", .name_len = 1, .declared = row->declared};
    struct cursor cur = cursor_over(row->meta, sizeof row->meta);
    assert_int_equal(coltype_init(&column.type, row->wire, &cur, NULL), 0);
    column.type.sign_known = true;
    column.type.is_unsigned = row->is_unsigned;
    column.type.collation = row->collation;
    column.type.charset = (uint8_t)charset_of_collation(row->collation, NULL);
    return column;
}

static void format_canal__value_of_each_type__is_the_peers_text_and_codes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof type_cases / sizeof type_cases[0]; i++) {
        const struct type_case *row = &type_cases[i];
        struct column column = column_of(row);
        struct table tbl = {.db = "shop", .name = "t", .columns = &column, .column_count = 1};
        struct scene *s = scene_new(&plain, &tbl);
        uint8_t image[64] = {0};
        char expected[512];
        memcpy(image + 1, row->bytes, row->len);
        s->chg.after = image_of(image, row->len + 1);
        s->chg.flags = CHANGE_LAST_IN_EVENT;
        if (add(s) != 0)
            fail_msg("%s: %s", row->name, s->e.text);
        snprintf(expected, sizeof expected,
                 "{\"data\":[{\"v\":\"%s\"}],\"database\":\"shop\",\"es\":1795000000000,\"gtid\":\"\",\"id\":1,"
                 "\"isDdl\":false,\"mysqlType\":{\"v\":\"%s\"},\"old\":null,\"pkNames\":null,\"sql\":\"\","
                 "\"sqlType\":{\"v\":%s},\"table\":\"t\",\"ts\":1795000000123,\"type\":\"INSERT\"}\n",
                 row->data, row->type, row->sql);
        const char *line = taken(s);
        if (strcmp(line, expected) != 0)
            fail_msg("%s:\n%s%s", row->name, expected, line);
        scene_free(s);
    }
}

static void format_canal__null__takes_the_code_of_the_type_but_for_set_and_json(void **state)
{
    (void)state;
    static const struct {
        struct type_case type;
        const char *sql;
    } rows[] = {
        {{.wire = WIRE_STRING, .meta = {WIRE_SET, 1}}, "{\"v\":2004}"},
        {{.wire = WIRE_JSON, .meta = {4}}, "{\"v\":1111}"},
        {{.wire = WIRE_TINY, .is_unsigned = true}, "{\"v\":-6}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct column column = column_of(&rows[i].type);
        struct table tbl = {.db = "shop", .name = "t", .columns = &column, .column_count = 1};
        struct scene *s = scene_new(&plain, &tbl);
        s->chg.after = image_of((const uint8_t *)"\x01", 1);
        s->chg.flags = CHANGE_LAST_IN_EVENT;
        assert_int_equal(add(s), 0);
        const char *line = taken(s);
        assert_non_null(strstr(line, "\"data\":[{\"v\":null}]"));
        assert_non_null(strstr(line, rows[i].sql));
        scene_free(s);
    }
}

static void format_canal__broken_bytes__is_the_error_of_the_column_and_no_row(void **state)
{
    (void)state;
    struct column column = column_of(&(struct type_case){.wire = WIRE_DATETIME2, .meta = {0}});
    struct table tbl = {.db = "shop", .name = "t", .columns = &column, .column_count = 1};
    struct scene *s = scene_new(&plain, &tbl);
    s->chg.after = image_of((const uint8_t *)"\x00\x99\xb2\xba\x00\x01", 6);
    assert_int_equal(add(s), 0);
    s->chg.after = image_of((const uint8_t *)"\x00\x00\x00\x00\x00\x01", 6);
    assert_int_equal(add(s), -ERR_CORRUPT);
    assert_non_null(strstr(s->e.text, "column 1 (v)"));
    assert_int_equal(format_canal.flush(s->format, &s->records, NULL), 0);
    assert_non_null(strstr(taken(s), "\"data\":[{\"v\":\"2024-02-29 00:00:01\"}],"));
    scene_free(s);
}

/* ---------------------------------------------------------------- rows */

/* id TINYINT as the primary key, a TINYINT, b`c VARCHAR(20) of latin1. */
static struct scene *three_columns(const struct canal_options *options)
{
    static struct column columns[3];
    static const uint16_t pk[] = {0};
    static const struct table tbl = {
        .db = "shop", .name = "t", .columns = columns, .column_count = 3, .pk = pk, .pk_count = 1, .pk_known = true};
    columns[0] = columns[1] = column_of(&(struct type_case){.wire = WIRE_TINY});
    columns[2] = column_of(&(struct type_case){.wire = WIRE_VARCHAR, .meta = {20, 0}, .collation = LATIN1});
    columns[0].name = "id";
    columns[1].name = "a";
    columns[2].name = "b`c";
    columns[0].name_len = 2;
    columns[2].name_len = 3;
    return scene_new(options, &tbl);
}

#define FRAME(data, types, old, pk, sql, type, id)                                                                     \
    "{\"data\":" data ",\"database\":\"shop\",\"es\":1795000000000,\"gtid\":\"\",\"id\":" id                           \
    ",\"isDdl\":false,\"mysqlType\":" types ",\"old\":" old ",\"pkNames\":" pk ",\"sql\":\"\",\"sqlType\":" sql        \
    ",\"table\":\"t\",\"ts\":1795000000123,\"type\":\"" type "\"}\n"
#define TYPES "{\"id\":\"tinyint\",\"a\":\"tinyint\",\"b``c\":\"varchar(20)\"}"
#define CODES "{\"id\":-6,\"a\":-6,\"b``c\":12}"

static int add_update(struct scene *s, const char *before, size_t before_len, const char *after, size_t after_len)
{
    s->chg.op = CHANGE_UPDATE;
    s->chg.before = image_of((const uint8_t *)before, before_len);
    s->chg.after = image_of((const uint8_t *)after, after_len);
    return add(s);
}
#define ADD_UPDATE(s, before, after) add_update((s), before, sizeof before - 1, after, sizeof after - 1)

static void format_canal__updates_of_an_event__are_one_message_whose_old_grows(void **state)
{
    (void)state;
    struct scene *s = three_columns(&plain);
    assert_int_equal(ADD_UPDATE(s, "\0\1\1\1x", "\0\1\2\1x"), 0);
    s->chg.version.row = version_row(0, 1, 0);
    assert_int_equal(ADD_UPDATE(s, "\0\2\1\1x", "\0\2\1\1y"), 0);
    s->chg.version.row = version_row(0, 2, 0);
    s->chg.flags = CHANGE_LAST_IN_EVENT;
    assert_int_equal(s->records.count, 0);
    assert_int_equal(ADD_UPDATE(s, "\2\3\1x", "\4\3\2"), 0);
    assert_string_equal(taken(s),
                        FRAME("[{\"id\":\"1\",\"a\":\"2\",\"b``c\":\"x\"},{\"id\":\"2\",\"a\":\"1\",\"b``c\":\"y\"},"
                              "{\"id\":\"3\",\"a\":\"2\",\"b``c\":null}]",
                              TYPES, "[{\"a\":\"1\"},{\"a\":\"1\",\"b``c\":\"x\"},{\"a\":null,\"b``c\":\"x\"}]",
                              "[\"id\"]", CODES, "UPDATE", "1"));
    scene_free(s);
}

static void format_canal__bytes_that_read_alike__are_unchanged(void **state)
{
    (void)state;
    struct scene *s = three_columns(&plain);
    s->chg.flags = CHANGE_LAST_IN_EVENT;
    assert_int_equal(ADD_UPDATE(s, "\0\1\1\1\xe9", "\0\1\1\1\xe8"), 0);
    assert_non_null(strstr(taken(s), "\"old\":[{}]"));
    scene_free(s);
}

static void format_canal__minimal_images__show_only_what_they_hold(void **state)
{
    (void)state;
    struct scene *s = three_columns(&plain);
    static const uint8_t key[] = {1}, a[] = {2};
    s->chg.op = CHANGE_UPDATE;
    s->chg.flags = CHANGE_LAST_IN_EVENT;
    s->chg.before = (struct image){.present = key, .bytes = (const uint8_t *)"\0\1", .len = 2};
    s->chg.after = (struct image){.present = a, .bytes = (const uint8_t *)"\0\5", .len = 2};
    assert_int_equal(add(s), 0);
    assert_string_equal(taken(s),
                        FRAME("[{\"a\":\"5\"}]", "{\"a\":\"tinyint\"}", "[{}]", "null", "{\"a\":-6}", "UPDATE", "1"));
    scene_free(s);
}

static void format_canal__delete__is_the_before_image(void **state)
{
    (void)state;
    struct scene *s = three_columns(&plain);
    s->chg.op = CHANGE_DELETE;
    s->chg.before = image_of((const uint8_t *)"\0\1\1\1x", 5);
    assert_int_equal(add(s), 0);
    assert_int_equal(format_canal.flush(s->format, &s->records, NULL), 0);
    assert_int_equal(format_canal.flush(s->format, &s->records, NULL), 0);
    assert_string_equal(taken(s), FRAME("[{\"id\":\"1\",\"a\":\"1\",\"b``c\":\"x\"}]", TYPES, "null", "[\"id\"]", CODES,
                                        "DELETE", "1"));
    scene_free(s);
}

static void format_canal__unique_key_that_the_log_names__is_no_primary_key(void **state)
{
    (void)state;
    static const uint16_t pk[] = {0};
    struct column column = column_of(&(struct type_case){.wire = WIRE_TINY});
    struct table tbl = {.db = "shop", .name = "t", .columns = &column, .column_count = 1, .pk = pk, .pk_count = 1};
    tbl.pk_is_unique = true;
    struct scene *s = scene_new(&plain, &tbl);
    s->chg.flags = CHANGE_LAST_IN_EVENT;
    s->chg.after = image_of((const uint8_t *)"\0\1", 2);
    assert_int_equal(add(s), 0);
    assert_non_null(strstr(taken(s), "\"pkNames\":null"));
    scene_free(s);
}

static void format_canal__another_event__ends_the_message(void **state)
{
    (void)state;
    struct scene *s = three_columns(&plain);
    s->chg.after = image_of((const uint8_t *)"\0\1\1\1x", 5);
    assert_int_equal(add(s), 0);
    s->chg.version.row = version_row(1, 0, 0);
    assert_int_equal(add(s), 0);
    assert_int_equal(s->records.count, 1);
    s->chg.lane = 1;
    assert_int_equal(add(s), 0);
    assert_int_equal(s->records.count, 2);
    assert_int_equal(format_canal.flush(s->format, &s->records, NULL), 0);
    assert_int_equal(s->records.count, 3);
    assert_non_null(strstr(taken(s), "\"id\":3,\"isDdl\""));
    scene_free(s);
}

static void format_canal__key_move__is_one_update(void **state)
{
    (void)state;
    struct scene *s = three_columns(&plain);
    s->chg.flags = CHANGE_FROM | CHANGE_LAST_IN_EVENT;
    assert_int_equal(ADD_UPDATE(s, "\0\1\1\1x", "\0\2\1\1x"), 0);
    assert_int_equal(s->records.count, 0);
    s->chg.flags = CHANGE_TO | CHANGE_LAST_IN_EVENT;
    s->chg.version.row = version_row(0, 0, 1);
    assert_int_equal(ADD_UPDATE(s, "\0\1\1\1x", "\0\2\1\1x"), 0);
    assert_int_equal(s->records.count, 1);
    assert_non_null(strstr(taken(s), "\"old\":[{\"id\":\"1\"}],\"pkNames\":[\"id\"]"));
    scene_free(s);
}

static void format_canal__text_of_latin1__is_converted_when_asked(void **state)
{
    (void)state;
    static const struct canal_options options = {.convert_text = true};
    struct scene *s = three_columns(&options);
    s->chg.flags = CHANGE_LAST_IN_EVENT;
    s->chg.after = image_of((const uint8_t *)"\0\1\1\1\xe9", 5);
    assert_int_equal(add(s), 0);
    assert_non_null(strstr(taken(s), "\"b``c\":\"\xc3\xa9\"}]"));
    scene_free(s);
}

static void format_canal__query_asked_for__stands_once_before_its_rows(void **state)
{
    (void)state;
    static const struct canal_options options = {.query_dml = true, .gtid = true};
    static const struct row_query query = {.text = "insert \"x\"", .len = 10, .whole_bytes = 10, .id = 1};
    struct scene *s = three_columns(&options);
    s->tx.gtid = (struct gtid){.flavor = FLAVOR_MARIADB, .domain = 1, .server = 2, .number = 3};
    s->chg.query = &query;
    s->chg.after = image_of((const uint8_t *)"\0\1\1\1x", 5);
    s->chg.flags = CHANGE_LAST_IN_EVENT;
    assert_int_equal(add(s), 0);
    s->chg.version.row = version_row(1, 0, 0);
    assert_int_equal(add(s), 0);
    assert_int_equal(s->records.count, 3);
    static const char expected[] =
        "{\"data\":null,\"database\":\"\",\"es\":1795000000000,\"gtid\":\"1-2-3\",\"id\":1,\"isDdl\":false,"
        "\"mysqlType\":null,\"old\":null,\"pkNames\":null,\"sql\":\"insert \\\"x\\\"\",\"sqlType\":null,"
        "\"table\":\"\",\"ts\":1795000000123,\"type\":\"QUERY\"}\n{\"data\":[{\"id\"";
    assert_memory_equal(s->records.text.p, expected, sizeof expected - 1);
    scene_free(s);
}

static void format_canal__query_of_another_lane__stands_once_and_not_without_rows(void **state)
{
    (void)state;
    static const struct canal_options options = {.query_dml = true};
    static const struct row_query query = {.text = "update x", .len = 8, .whole_bytes = 8, .id = 4};
    static const struct row_query copy = {.text = "update x", .len = 8, .whole_bytes = 8, .id = 4};
    struct scene *s = three_columns(&options);
    s->chg.query = &query;
    s->chg.before = s->chg.after = image_of((const uint8_t *)"\0\1\1\1x", 5);
    s->chg.op = CHANGE_UPDATE;
    s->chg.flags = CHANGE_LAST_IN_EVENT | CHANGE_FROM;
    assert_int_equal(add(s), 0);
    assert_int_equal(s->records.count, 0);
    s->chg.flags = CHANGE_LAST_IN_EVENT | CHANGE_TO;
    assert_int_equal(add(s), 0);
    assert_int_equal(s->records.count, 2);
    s->chg.lane++;
    s->chg.query = &copy;
    assert_int_equal(add(s), 0);
    assert_int_equal(s->records.count, 3);
    scene_free(s);
}

static void format_canal__batch_failed__its_messages_come_again_with_their_numbers(void **state)
{
    (void)state;
    static const struct canal_options options = {.query_dml = true};
    static const struct row_query query = {.text = "insert x", .len = 8, .whole_bytes = 8, .id = 1};
    struct scene *s = three_columns(&options);
    struct buf first;
    buf_init(&first, 0);
    s->chg.query = &query;
    s->chg.after = image_of((const uint8_t *)"\0\1\1\1x", 5);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(format_canal.mark(s->format, NULL), 0);
        s->chg.flags = CHANGE_LAST_IN_EVENT;
        assert_int_equal(add(s), 0);
        s->chg.flags = 0; /* kept, and not flushed */
        assert_int_equal(add(s), 0);
        assert_int_equal(s->records.count, 2);
        if (i == 0)
            buf_add(&first, s->records.text.p, s->records.text.len);
        format_canal.restore(s->format);
        assert_int_equal(s->records.text.len, first.len);
        assert_memory_equal(s->records.text.p, first.p, first.len);
        records_clear(&s->records);
    }
    assert_int_equal(format_canal.flush(s->format, &s->records, NULL), 0);
    assert_int_equal(s->records.count, 0);
    buf_release(&first);
    scene_free(s);
}

/* Lines of sluice's own JSON, which have values and no types. */
static void format_canal__change_read_from_json__has_its_values(void **state)
{
    (void)state;
    static const char line[] =
        "{\"op\":\"update\",\"db\":\"d\",\"table\":\"t\",\"key\":\"k\",\"pk\":{\"a\":1},"
        "\"before\":{\"a\":1,\"b\":\"x\",\"c\":null,\"d\":1.5},\"after\":{\"a\":1,\"b\":\"y\",\"c\":2,\"d\":1.5},"
        "\"ts_us\":5000000,\"commit_precision\":\"us\",\"file\":\"bin.1\",\"pos\":7,"
        "\"version\":\"00000000.0000000000000001.0000000000000000\"}";
    struct shape_cache *cache = shape_cache_new();
    struct arena arena;
    struct change chg;
    struct tx tx;
    struct err e = ERR_INIT;
    struct format *format = NULL;
    struct record_list records;
    void *bind = NULL;
    arena_init(&arena, 0, 0, 0);
    records_init(&records, 0);
    if (json_in_change(line, sizeof line - 1, cache, &chg, &tx, &arena, &e) != 0)
        fail_msg("%s", e.text);
    assert_int_equal(format_canal.bind(&bind, &plain, chg.shape->tbl, NULL), 0);
    assert_int_equal(format_canal.open(&format, &plain, NULL), 0);
    assert_int_equal(format_canal.add(format, &chg, bind, 0, &records, NULL), 0);
    assert_int_equal(format_canal.flush(format, &records, NULL), 0);
    buf_byte(&records.text, 0);
    const char *text = (const char *)records.text.p;
    assert_non_null(strstr(text, "\"data\":[{\"a\":\"1\",\"b\":\"y\",\"c\":\"2\",\"d\":\"1.5\"}]"));
    assert_non_null(strstr(text, "\"old\":[{\"b\":\"x\",\"c\":null}]"));
    format_canal.close(format);
    format_canal.unbind(bind);
    records_release(&records);
    arena_release(&arena);
    shape_cache_free(cache);
}

/* ---------------------------------------------------------------- statements */

static void format_canal__statements__have_the_peers_types_and_names(void **state)
{
    (void)state;
    static const struct {
        enum statement_kind kind;
        enum alter_first first;
        bool has_table, renamed;
        const char *names, *type; /* NULL: no message */
    } rows[] = {
        {STATEMENT_CREATE_TABLE, ALTER_OTHER, true, false, "shop.t", "CREATE"},
        {STATEMENT_ALTER_TABLE, ALTER_OTHER, true, false, "shop.t", "ALTER"},
        {STATEMENT_ALTER_TABLE, ALTER_ADD_INDEX, true, false, "shop.t", "CINDEX"},
        {STATEMENT_ALTER_TABLE, ALTER_DROP_INDEX, true, false, "shop.t", "DINDEX"},
        {STATEMENT_ALTER_TABLE, ALTER_RENAME, true, true, "new.u", "RENAME"},
        {STATEMENT_RENAME_TABLE, ALTER_OTHER, true, true, "new.u", "RENAME"},
        {STATEMENT_DROP_TABLE, ALTER_OTHER, true, false, "shop.t", "ERASE"},
        {STATEMENT_TRUNCATE, ALTER_OTHER, true, false, "shop.t", "TRUNCATE"},
        {STATEMENT_CREATE_INDEX, ALTER_OTHER, true, false, "shop.t", "CINDEX"},
        {STATEMENT_DROP_INDEX, ALTER_OTHER, true, false, "shop.t", "DINDEX"},
        {STATEMENT_CREATE_DATABASE, ALTER_OTHER, false, false, "d.", "QUERY"},
        {STATEMENT_DROP_DATABASE, ALTER_OTHER, false, false, "d.", "QUERY"},
        {STATEMENT_ALTER_DATABASE, ALTER_OTHER, false, false, NULL, NULL},
    };
    static const struct canal_options options = {.ddl = true};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct scene *s = three_columns(&options);
        struct statement_table table = {.db = "shop", .name = "t"};
        struct statement statement = {
            .kind = rows[i].kind, .first = rows[i].first, .text = "a\nb", .len = 3, .db = "d"};
        char expected[512] = "";
        if (rows[i].renamed) {
            table.new_db = "new";
            table.new_name = "u";
        }
        statement.tables = &table;
        statement.table_count = rows[i].has_table;
        s->chg = (struct change){.op = CHANGE_STATEMENT, .tx = &s->tx, .statement = &statement, .event_time = 7};
        assert_int_equal(add(s), 0);
        if (rows[i].type)
            snprintf(expected, sizeof expected,
                     "{\"data\":null,\"database\":\"%.*s\",\"es\":7000,\"gtid\":\"\",\"id\":1,\"isDdl\":true,"
                     "\"mysqlType\":null,\"old\":null,\"pkNames\":null,\"sql\":\"a\\nb\",\"sqlType\":null,"
                     "\"table\":\"%s\",\"ts\":1795000000123,\"type\":\"%s\"}\n",
                     (int)strcspn(rows[i].names, "."), rows[i].names, strchr(rows[i].names, '.') + 1, rows[i].type);
        assert_string_equal(taken(s), expected);
        scene_free(s);
    }
}

/* ---------------------------------------------------------------- random rows */

/* Families of which a value keeps all that Canal's text needs. */
static bool is_told_by_value(const struct coltype *type)
{
    bool other_text = type->family == FAMILY_STRING && (type->charset != CHARSET_UTF8 || type->wire == WIRE_STRING);
    return !other_text && type->family != FAMILY_ENUM && type->family != FAMILY_SET && type->family != FAMILY_JSON &&
           type->family != FAMILY_UUID && type->family != FAMILY_INET;
}

static void canal_cell_write__random_values__equals_the_text_from_values(void **state)
{
    (void)state;
    struct rng rng = {5};
    struct shape_cache *cache = shape_cache_new();
    struct random_change *made = calloc(1, sizeof *made);
    struct found found[20];
    uint16_t all[20];
    struct arena arena;
    struct buf a, b;
    unsigned compared = 0;
    assert_non_null(made);
    arena_init(&arena, 65536, 1 << 20, 0);
    buf_init(&a, 0);
    buf_init(&b, 0);
    for (uint16_t i = 0; i < 20; i++)
        all[i] = i;
    for (unsigned n = 0; n < 4000; n++) {
        const struct shape *shape = random_shape(&rng, cache);
        random_change(&rng, shape, made, 0);
        const struct image *image = made->chg.after.bytes ? &made->chg.after : &made->chg.before;
        struct colset wanted = {all, shape->tbl->column_count};
        shape_walk(shape, image->present, image->bytes, image->bytes + image->len, &wanted, found);
        for (unsigned i = 0; i < shape->tbl->column_count; i++) {
            const struct column *column = &shape->tbl->columns[i];
            struct bytes bytes = {found[i].bytes, found[i].len};
            struct canal_cell cell;
            struct value v;
            canal_cell_init(&cell, column, &plain);
            if (!bytes.p || !cell.write || !is_told_by_value(&column->type) ||
                value_read(&column->type, bytes.p, bytes.len, &v, &arena, NULL) != 0)
                continue;
            buf_clear(&a);
            buf_clear(&b);
            assert_int_equal(canal_cell_write(&cell, &column->type, bytes, &a, &arena, NULL), 0);
            canal_value(&v, &b);
            if (a.len != b.len || memcmp(a.p, b.p, a.len) != 0)
                fail_msg("wire %u: %.*s %.*s", column->type.wire, (int)a.len, (char *)a.p, (int)b.len, (char *)b.p);
            compared++;
        }
        arena_reset(&arena);
    }
    assert_true(compared > 10000);
    buf_release(&a);
    buf_release(&b);
    arena_release(&arena);
    shape_cache_free(cache);
    free(made);
}

/* In memory of exactly the size that the cell asks for, so that a byte behind it is seen by the sanitizer. */
static void canal_cell__room_that_it_asks_for__is_enough(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof type_cases / sizeof type_cases[0]; i++) {
        const struct type_case *row = &type_cases[i];
        struct column column = column_of(row);
        struct canal_cell cell;
        canal_cell_init(&cell, &column, &plain);
        size_t len = row->len - cell.walk, room = cell.fixed + cell.each * len;
        if (!cell.write)
            continue;
        uint8_t *o = malloc(room);
        assert_non_null(o);
        uint8_t *end = cell.write(o, &cell, row->bytes + cell.walk, len);
        assert_non_null(end);
        assert_true(end <= o + room);
        free(o);
    }
}

static void format_canal__every_truncation_of_an_image__is_corrupt(void **state)
{
    (void)state;
    static const uint8_t image[] = {0, 1, 2, 3, 'a', 'b', 'c'};
    struct scene *s = three_columns(&plain);
    s->chg.flags = CHANGE_LAST_IN_EVENT;
    for (size_t len = 0; len < sizeof image; len++) {
        uint8_t *bytes = malloc(len ? len : 1);
        assert_non_null(bytes);
        memcpy(bytes, image, len);
        s->chg.after = image_of(bytes, len);
        assert_int_equal(add(s), -ERR_CORRUPT);
        assert_true(len == 0 || strstr(s->e.text, "column ") != NULL);
        free(bytes);
    }
    assert_int_equal(s->records.count, 0);
    s->chg.after = image_of(image, sizeof image);
    assert_int_equal(add(s), 0);
    assert_int_equal(s->records.count, 1);
    scene_free(s);
}

static void format_canal__any_bytes__is_one_line_of_valid_json_or_corrupt(void **state)
{
    (void)state;
    struct rng rng = {6};
    struct shape_cache *cache = shape_cache_new();
    struct random_change *made = calloc(1, sizeof *made);
    struct record_list records;
    struct format *format = NULL;
    unsigned written = 0;
    assert_non_null(made);
    records_init(&records, 0);
    assert_int_equal(format_canal.open(&format, &plain, NULL), 0);
    for (unsigned n = 0; n < 6000; n++) {
        const struct shape *shape = random_shape(&rng, cache);
        void *bind = NULL;
        struct err e = ERR_INIT;
        random_change(&rng, shape, made, n % 2);
        made->chg.flags |= CHANGE_LAST_IN_EVENT;
        assert_int_equal(format_canal.bind(&bind, &plain, shape->tbl, NULL), 0);
        int rc = format_canal.add(format, &made->chg, bind, n, &records, &e);
        assert_true(rc == 0 || rc == -ERR_CORRUPT || rc == -ERR_TYPE_UNCERTAIN);
        for (size_t i = 0; i < records.count; i++) {
            const char *text = (const char *)records.text.p + records.list[i].at;
            json_error_t error;
            json_t *line = json_loadb(text, records.list[i].value_len, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &error);
            if (!line)
                fail_msg("row %u: %s: %.*s", n, error.text, (int)records.list[i].value_len, text);
            json_decref(line);
            written++;
        }
        records_clear(&records);
        format_canal.unbind(bind);
    }
    assert_true(written > 2000);
    format_canal.close(format);
    records_release(&records);
    shape_cache_free(cache);
    free(made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(format_canal__value_of_each_type__is_the_peers_text_and_codes),
        cmocka_unit_test(format_canal__null__takes_the_code_of_the_type_but_for_set_and_json),
        cmocka_unit_test(format_canal__broken_bytes__is_the_error_of_the_column_and_no_row),
        cmocka_unit_test(format_canal__updates_of_an_event__are_one_message_whose_old_grows),
        cmocka_unit_test(format_canal__bytes_that_read_alike__are_unchanged),
        cmocka_unit_test(format_canal__minimal_images__show_only_what_they_hold),
        cmocka_unit_test(format_canal__delete__is_the_before_image),
        cmocka_unit_test(format_canal__unique_key_that_the_log_names__is_no_primary_key),
        cmocka_unit_test(format_canal__another_event__ends_the_message),
        cmocka_unit_test(format_canal__key_move__is_one_update),
        cmocka_unit_test(format_canal__text_of_latin1__is_converted_when_asked),
        cmocka_unit_test(format_canal__query_asked_for__stands_once_before_its_rows),
        cmocka_unit_test(format_canal__query_of_another_lane__stands_once_and_not_without_rows),
        cmocka_unit_test(format_canal__batch_failed__its_messages_come_again_with_their_numbers),
        cmocka_unit_test(format_canal__change_read_from_json__has_its_values),
        cmocka_unit_test(format_canal__statements__have_the_peers_types_and_names),
        cmocka_unit_test(canal_cell_write__random_values__equals_the_text_from_values),
        cmocka_unit_test(canal_cell__room_that_it_asks_for__is_enough),
        cmocka_unit_test(format_canal__every_truncation_of_an_image__is_corrupt),
        cmocka_unit_test(format_canal__any_bytes__is_one_line_of_valid_json_or_corrupt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
