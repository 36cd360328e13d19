/* Maxwell's row JSON: values from bytes, what rows of an update show, keys, and validity for any bytes. The rules as a
 * whole are held by tests/golden/peers/maxwell against running servers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "change/maxwell/maxwell.h"
#include "change/maxwell/parts.h"
#include "change/statement.h"
#include "tools/alloc_fault.h"
#include "tools/random_row.h"

static const struct maxwell_options defaults = {.commit_info = true, .xoffset = true, .nulls = true};

/* ---------------------------------------------------------------- values */

struct value_row {
    const char *what;
    uint8_t wire;
    const char *meta; /* two bytes */
    const char *bytes;
    size_t len;
    const char *expected; /* NULL: out of range */
};
#define BYTES(text) (text), sizeof(text) - 1

static const struct value_row value_rows[] = {
    {"int", WIRE_LONG, "\0\0", BYTES("\xff\xff\xff\xff"), "-1"},
    {"bigint", WIRE_LONGLONG, "\0\0", BYTES("\0\0\0\0\0\0\0\x80"), "-9223372036854775808"},
    {"decimal plain", WIRE_NEWDECIMAL, "\x0a\x06", BYTES("\x80\0\0\0\x01"), "0.000001"},
    {"decimal seven places", WIRE_NEWDECIMAL, "\x0a\x07", BYTES("\x80\0\0\0\0\x01"), "1E-7"},
    {"decimal zero", WIRE_NEWDECIMAL, "\x0a\x07", BYTES("\x80\0\0\0\0\0"), "0E-7"},
    {"decimal digits behind E", WIRE_NEWDECIMAL, "\x0a\x0a", BYTES("\x7f\xff\xff\x87\xff"), "-1.200E-7"},
    {"decimal out of range", WIRE_NEWDECIMAL, "\x0a\x02", BYTES("\xff\xff\xff\xff\xff"), NULL},
    {"float", WIRE_FLOAT, "\x04\0", BYTES("\0\0\x80\x4b"), "1.6777216E7"},
    {"float nan", WIRE_FLOAT, "\x04\0", BYTES("\0\0\xc0\x7f"), NULL},
    {"double", WIRE_DOUBLE, "\x08\0", BYTES("\0\0\0\0\0\0\0\x80"), "-0.0"},
    {"bit 33", WIRE_BIT, "\x01\x04", BYTES("\x01\0\0\0\0"), "4294967296"},
    {"bit beyond its width", WIRE_BIT, "\x01\x04", BYTES("\x02\0\0\0\0"), NULL},
    {"year zero", WIRE_YEAR, "\0\0", BYTES("\0"), "1900"},
    {"date", WIRE_DATE_OLD, "\0\0", BYTES("\x5d\xd0\x0f"), "\"2024-02-29\""},
    {"date day 31 of february", WIRE_DATE_OLD, "\0\0", BYTES("\x5f\xd0\x0f"), "\"2024-03-02\""},
    {"date in the Gregorian gap", WIRE_DATE_OLD, "\0\0", BYTES("\x4a\x5d\x0c"), "\"1582-10-20\""},
    {"date julian leap year", WIRE_DATE_OLD, "\0\0", BYTES("\x5f\xb8\x0b"), "\"1500-03-02\""},
    {"date zero day", WIRE_DATE_OLD, "\0\0", BYTES("\x40\xd0\x0f"), "\"0000-00-00\""},
    {"time -00:00:01", WIRE_TIME2, "\0\0", BYTES("\x7f\xff\xff"), "\"16:04:03\""},
    {"time 838:59:59", WIRE_TIME2, "\0\0", BYTES("\xb4\x6e\xfb"), "\"22:59:59\""},
    {"time(3) fraction carries", WIRE_TIME2, "\x03\0", BYTES("\x7f\xff\xfe\xdd\x04"), "\"16:04:07.658\""},
    {"timestamp zero", WIRE_TIMESTAMP2, "\x03\0", BYTES("\0\0\0\0\0\0"), "\"0000-00-00 00:00:00.000\""},
    {"timestamp", WIRE_TIMESTAMP2, "\0\0", BYTES("\x7f\xff\xff\xff"), "\"2038-01-19 03:14:07\""},
    {"blob", WIRE_BLOB, "\x01\0", BYTES("\x03\x01\x02\xff"), "\"AQL/\""},
    {"point", WIRE_GEOMETRY, "\x01\0", BYTES("\x19\xe6\x10\0\0\x01\x01\0\0\0\0\0\0\0\0\0\xf8\xbf\0\0\0\0\0\0\0\x40"),
     "\"POINT (-1.5 2)\""},
    {"no geometry", WIRE_GEOMETRY, "\x01\0", BYTES("\0"), "null"},
    {"broken geometry", WIRE_GEOMETRY, "\x01\0", BYTES("\x06\0\0\0\0\x01\x01"), "\"AAAAAAEB\""},
    {"json null", WIRE_JSON, "\x01\0", BYTES("\x02\x04\0"), "null"},
};

static void cell_of(struct maxwell_cell *cell, struct column *column, const struct value_row *row,
                    const struct maxwell_options *opt, struct arena *arena)
{
    struct cursor cur = cursor_over(row->meta, 2);
    *column = (struct column){.name = "c", .name_len = 1};
    assert_int_equal(coltype_init(&column->type, row->wire, &cur, NULL), 0);
    column->type.sign_known = true;
    if (row->wire == WIRE_BLOB)
        column->type.charset = CHARSET_BINARY;
    assert_true(maxwell_cell_init(cell, column, opt, arena));
}

static void maxwell_cell__bytes_of_each_type__are_maxwells_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof value_rows / sizeof value_rows[0]; i++) {
        const struct value_row *row = &value_rows[i];
        struct maxwell_cell cell;
        struct column column;
        struct maxwell_out out;
        struct arena arena;
        struct buf text;
        arena_init(&arena, 1024, 0, 0);
        buf_init(&text, 0);
        cell_of(&cell, &column, row, &defaults, &arena);
        assert_true(maxwell_out_open(&out, &text, &arena));
        bool ok = cell.write(&out, &cell, (const uint8_t *)row->bytes + cell.walk, row->len - cell.walk);
        maxwell_out_close(&out);
        if (ok != (row->expected != NULL))
            fail_msg("%s: %s", row->what, ok ? "is written" : "is not written");
        if (ok && (text.len != strlen(row->expected) || memcmp(text.p, row->expected, text.len) != 0))
            fail_msg("%s: %.*s, expected %s", row->what, (int)text.len, (char *)text.p, row->expected);
        buf_release(&text);
        arena_release(&arena);
    }
}

/* The two ways to write a value: from bytes, and from what value_read makes of them. */
static void maxwell_cell__random_values__equal_those_written_from_values(void **state)
{
    (void)state;
    static const uint8_t families[] = {FAMILY_INTEGER,  FAMILY_DECIMAL,   FAMILY_FLOAT,        FAMILY_BIT,
                                       FAMILY_YEAR,     FAMILY_DATE,      FAMILY_TIME,         FAMILY_DATETIME,
                                       FAMILY_ENUM,     FAMILY_TIMESTAMP, FAMILY_TIME_OLD,     FAMILY_DATETIME_OLD,
                                       FAMILY_GEOMETRY, FAMILY_VECTOR,    FAMILY_TIMESTAMP_OLD};
    struct rng rng = {21};
    struct shape_cache *cache = shape_cache_new();
    static uint8_t bytes[RANDOM_IMAGE_MAX];
    unsigned compared = 0;
    for (unsigned i = 0; i < 3000; i++) {
        const struct shape *shape = random_shape(&rng, cache);
        struct image image = random_image(&rng, shape, NULL, bytes, 0);
        for (unsigned k = 0; k < shape->tbl->column_count; k++) {
            const struct column *column = &shape->tbl->columns[k];
            uint16_t index = (uint16_t)k;
            struct colset one = {&index, 1};
            struct found found;
            struct maxwell_cell cell;
            struct arena arena;
            struct buf text[2];
            struct value v;
            if (!memchr(families, column->type.family, sizeof families) || column->type.labels)
                continue;
            assert_true(shape_walk(shape, NULL, image.bytes, image.bytes + image.len, &one, &found) <= image.len);
            arena_init(&arena, 1024, 0, 0);
            assert_true(maxwell_cell_init(&cell, column, &defaults, &arena));
            if (!found.bytes || value_read(&column->type, found.bytes, found.len, &v, &arena, NULL) != 0) {
                arena_release(&arena);
                continue;
            }
            for (int way = 0; way < 2; way++) {
                struct maxwell_out out;
                buf_init(&text[way], 0);
                assert_true(maxwell_out_open(&out, &text[way], &arena));
                assert_true(way ? maxwell_put_value(&out, &cell, &v)
                                : cell.write(&out, &cell, found.bytes + cell.walk, found.len - cell.walk));
                maxwell_out_close(&out);
            }
            if (text[0].len != text[1].len || memcmp(text[0].p, text[1].p, text[0].len) != 0)
                fail_msg("%.*s from bytes, %.*s from values", (int)text[0].len, (char *)text[0].p, (int)text[1].len,
                         (char *)text[1].p);
            compared++;
            buf_release(&text[0]);
            buf_release(&text[1]);
            arena_release(&arena);
        }
    }
    assert_true(compared > 5000);
    shape_cache_free(cache);
}

static void maxwell_camelcase__names__as_maxwells_strategy(void **state)
{
    (void)state;
    static const char *const rows[][2] = {{"user_id", "userId"},
                                          {"_lead", "lead"},
                                          {"a__b", "a_b"},
                                          {"trail_", "trail"},
                                          {"x_1", "x1"},
                                          {"UPPER_CASE", "UPPERCASE"},
                                          {"__", "__"},
                                          {"a_\xc3\xa9", "a\xc3\x89"},
                                          {"_", "_"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf out;
        buf_init(&out, 0);
        maxwell_camelcase(rows[i][0], strlen(rows[i][0]), &out);
        buf_byte(&out, 0);
        assert_string_equal((char *)out.p, rows[i][1]);
        buf_release(&out);
    }
}

static void maxwell_is_json__texts__only_whole_documents(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool json;
    } rows[] = {
        {"{}", true},          {" [ ] ", true},    {"{\"a\": [1, -0.5e+3, \"\\u00e9\"], \"b\": {}}", true},
        {"null", true},        {"\"x\"", true},    {"", false},
        {"{\"a\":1,}", false}, {"[1 2]", false},   {"{\"a\"}", false},
        {"nul", false},        {"01", false},      {"1.", false},
        {"\"\x01\"", false},   {"\"\\x\"", false}, {"[1]]", false},
        {"[", false},          {"{1:2}", false},   {"\"\xff\"", false},
        {"{\"a\":}", false},   {"[,1]", false},    {"\"open", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (maxwell_is_json((const uint8_t *)rows[i].text, strlen(rows[i].text)) != rows[i].json)
            fail_msg("%s", rows[i].text);
}

/* ---------------------------------------------------------------- rows */

/* t (id int, a int, b int) with or without its key, and changes of it. */
struct scene {
    struct column columns[3];
    struct table tbl;
    struct shape *shape;
    struct tx tx;
    struct change chg;
    struct format *format;
    void *bind;
    struct record_list records;
};

static const uint16_t first_column[] = {0};

static struct scene *scene_new(const struct maxwell_options *opt, bool keyed)
{
    static const char *const names[] = {"Id", "user_a", "b"};
    struct scene *s = calloc(1, sizeof *s);
    struct arena *arena = malloc(sizeof *arena);
    assert_non_null(s);
    assert_non_null(arena);
    arena_init(arena, 4096, 0, 0);
    for (unsigned i = 0; i < 3; i++) {
        struct cursor cur = cursor_over("", 0);
        s->columns[i] = (struct column){.name = names[i], .name_len = (uint32_t)strlen(names[i])};
        assert_int_equal(coltype_init(&s->columns[i].type, WIRE_TINY, &cur, NULL), 0);
        s->columns[i].type.sign_known = true;
    }
    s->tbl = (struct table){.db = "d", .name = "t", .columns = s->columns, .column_count = 3, .pk_known = true};
    s->tbl.pk = keyed ? first_column : NULL;
    s->tbl.pk_count = keyed;
    assert_int_equal(shape_new(&s->shape, arena, &s->tbl, 0, NULL), 0);
    s->tx = (struct tx){.file = "bin.1", .xid = 7, .has_xid = true, .server_id = 3, .thread_id = 4};
    s->chg = (struct change){.shape = s->shape, .tx = &s->tx, .db = "d", .table = "t", .event_time = 5, .pos = 6};
    assert_int_equal(format_maxwell.open(&s->format, opt, NULL), 0);
    assert_int_equal(format_maxwell.bind(&s->bind, opt, &s->tbl, NULL), 0);
    records_init(&s->records, 0);
    s->records.wants_keys = true;
    return s;
}

static void scene_free(struct scene *s)
{
    format_maxwell.unbind(s->bind);
    format_maxwell.close(s->format);
    records_release(&s->records);
    shape_free(s->shape);
    free(s);
}

static const char *text_of(struct scene *s, size_t at, size_t len)
{
    static char text[4096];
    assert_true(len < sizeof text);
    memcpy(text, s->records.text.p + at, len);
    text[len] = 0;
    return text;
}

/* What is written of the change: its value, or "" for nothing. */
static const char *written(struct scene *s)
{
    records_clear(&s->records);
    assert_int_equal(format_maxwell.add(s->format, &s->chg, s->bind, 0, &s->records, NULL), 0);
    if (s->records.count == 0)
        return "";
    const struct record *record = &s->records.list[0];
    assert_int_equal(record->kind, RECORD_ROW);
    return text_of(s, record->at + record->key_len, record->value_len);
}

static const char *written_key(struct scene *s)
{
    (void)written(s);
    return text_of(s, s->records.list[0].at, s->records.list[0].key_len);
}

static struct image image_of(const char *bytes, size_t len, const uint8_t *present)
{
    return (struct image){.present = present, .bytes = (const uint8_t *)bytes, .len = len};
}
#define IMAGE(text) image_of((text), sizeof(text) - 1, NULL)

static void format_maxwell__update__old_has_what_changed(void **state)
{
    (void)state;
    struct scene *s = scene_new(&defaults, true);
    s->chg.op = CHANGE_UPDATE;
    s->chg.before = IMAGE("\x04\x01\x02");
    s->chg.after = IMAGE("\0\x01\x03\x04");
    assert_string_equal(written(s),
                        "{\"database\":\"d\",\"table\":\"t\",\"type\":\"update\",\"ts\":5,\"xid\":7,\"xoffset\":0,"
                        "\"data\":{\"Id\":1,\"user_a\":3,\"b\":4},\"old\":{\"user_a\":2,\"b\":null}}");
    s->chg.after = s->chg.before;
    s->chg.flags = CHANGE_LAST_OF_TX;
    assert_string_equal(written(s),
                        "{\"database\":\"d\",\"table\":\"t\",\"type\":\"update\",\"ts\":5,\"xid\":7,\"commit\":true,"
                        "\"data\":{\"Id\":1,\"user_a\":2,\"b\":null}}");
    scene_free(s);
}

static void format_maxwell__minimal_image__former_columns_stand_behind(void **state)
{
    (void)state;
    static const uint8_t key_only[] = {1}, second[] = {2};
    struct maxwell_options opt = {.nulls = true, .primary_keys = true};
    struct scene *s = scene_new(&opt, true);
    s->chg.op = CHANGE_UPDATE;
    s->chg.before = image_of("\0\x01", 2, key_only);
    s->chg.after = image_of("\0\x02", 2, second);
    assert_string_equal(written(s),
                        "{\"database\":\"d\",\"table\":\"t\",\"type\":\"update\",\"ts\":5,\"primary_key\":[1],"
                        "\"data\":{\"user_a\":2,\"Id\":1}}");
    assert_string_equal(written_key(s), "{\"database\":\"d\",\"table\":\"t\",\"pk.id\":1}");
    scene_free(s);
}

static void format_maxwell__key_move__is_one_update(void **state)
{
    (void)state;
    struct scene *s = scene_new(&defaults, true);
    s->chg.op = CHANGE_UPDATE;
    s->chg.before = IMAGE("\0\x01\x02\x03");
    s->chg.after = IMAGE("\0\x09\x02\x03");
    s->chg.flags = CHANGE_FROM;
    assert_string_equal(written(s), "");
    s->chg.flags = CHANGE_TO;
    assert_non_null(strstr(written(s), "\"data\":{\"Id\":9,\"user_a\":2,\"b\":3},\"old\":{\"Id\":1}}"));
    assert_string_equal(written_key(s), "{\"database\":\"d\",\"table\":\"t\",\"pk.id\":9}");
    s->chg.op = CHANGE_TRUNCATE;
    assert_string_equal(written(s), "");
    scene_free(s);
}

static void format_maxwell__no_nulls__leave_an_empty_old(void **state)
{
    (void)state;
    struct maxwell_options opt = {.nulls = false};
    struct scene *s = scene_new(&opt, true);
    s->chg.op = CHANGE_UPDATE;
    s->chg.before = IMAGE("\x06\x01");
    s->chg.after = IMAGE("\x04\x01\x02");
    assert_non_null(strstr(written(s), "\"data\":{\"Id\":1,\"user_a\":2},\"old\":{}}"));
    scene_free(s);
}

static void format_maxwell__all_options__stand_in_maxwells_order(void **state)
{
    (void)state;
    static const char *const items[] = {"x, /b|c/"};
    struct maxwell_options opt = defaults;
    struct row_query query = {.text = "caf\xc3\xa9 \xf0\x9f\x98\x80!", .len = 11, .whole_bytes = 11};
    opt.binlog_position = opt.gtid_position = opt.server_id = opt.thread_id = opt.schema_id = opt.push_timestamp = true;
    opt.row_query = opt.primary_keys = opt.primary_key_columns = true;
    opt.row_query_max_length = 7;
    opt.naming = MAXWELL_NAMES_CAMELCASE;
    opt.exclude_columns = (struct option_list){.items = items, .count = 1};
    struct scene *s = scene_new(&opt, true);
    s->chg.op = CHANGE_INSERT;
    s->chg.query = &query;
    s->chg.after = IMAGE("\0\x01\x02\x03");
    s->records.now_us = 1700000000000500;
    assert_string_equal(
        written(s), "{\"database\":\"d\",\"table\":\"t\",\"query\":\"caf\xc3\xa9 \\uD83D\\uDE00\",\"type\":\"insert\","
                    "\"ts\":5,\"xid\":7,\"xoffset\":0,\"position\":\"bin.1:6\",\"gtid\":null,\"serverId\":3,"
                    "\"threadId\":4,\"schemaId\":null,\"pushTs\":1700000000.00050,\"primaryKey\":[1],"
                    "\"primaryKeyColumns\":[\"Id\"],\"data\":{\"Id\":1,\"userA\":2}}");
    scene_free(s);
}

static void format_maxwell__table_without_key__has_a_uuid_that_a_replay_repeats(void **state)
{
    (void)state;
    char first[128];
    struct maxwell_options opt = defaults;
    struct scene *s = scene_new(&opt, false);
    s->chg.op = CHANGE_DELETE;
    s->chg.before = IMAGE("\0\x01\x02\x03");
    s->chg.version = (struct version){1, 2, 16};
    (void)snprintf(first, sizeof first, "%s", written_key(s));
    assert_int_equal(strlen(first), strlen("{\"database\":\"d\",\"table\":\"t\",\"_uuid\":\"\"}") + MAXWELL_UUID_LEN);
    assert_string_equal(written_key(s), first);
    s->chg.version.row += 16;
    assert_string_not_equal(written_key(s), first);
    scene_free(s);
    opt.key_format = MAXWELL_KEY_ARRAY;
    s = scene_new(&opt, false);
    s->chg.op = CHANGE_DELETE;
    s->chg.before = IMAGE("\0\x01\x02\x03");
    assert_string_equal(written_key(s), "[\"d\",\"t\",[]]");
    scene_free(s);
}

static void format_maxwell__expression_that_is_none__is_a_usage_error(void **state)
{
    (void)state;
    static const char *const bad[] = {"/a", "/(/", "x,/[/"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct maxwell_options opt = {.exclude_columns = {.items = &bad[i], .count = 1}};
        assert_int_equal(format_maxwell.check(&opt, NULL), -ERR_CONFIG_VALUE);
    }
}

static void format_maxwell__truncated_image__names_table_and_column(void **state)
{
    (void)state;
    struct scene *s = scene_new(&defaults, true);
    struct err e = ERR_INIT;
    s->chg.op = CHANGE_INSERT;
    s->chg.after = IMAGE("\0\x01\x02");
    assert_int_equal(format_maxwell.add(s->format, &s->chg, s->bind, 0, &s->records, &e), -ERR_CORRUPT);
    assert_memory_equal(e.text, "d.t: ", 5);
    assert_int_equal(s->records.count, 0);
    assert_int_equal(s->records.text.len, 0);
    scene_free(s);
}

/* All of one row; 0, or the first error. */
static int write_once(const struct scene *s, const struct maxwell_options *opt, struct err *e)
{
    struct record_list records;
    struct format *format = NULL;
    void *bind = NULL;
    records_init(&records, 0);
    int rc = format_maxwell.bind(&bind, opt, &s->tbl, e);
    if (rc == 0)
        rc = format_maxwell.open(&format, opt, e);
    if (rc == 0)
        rc = format_maxwell.add(format, &s->chg, bind, 0, &records, e);
    assert_int_equal(records.count, rc == 0);
    format_maxwell.close(format);
    format_maxwell.unbind(bind);
    records_release(&records);
    return rc;
}

static void format_maxwell__each_allocation_fails__is_no_memory(void **state)
{
    (void)state;
    static const char *const items[] = {"x", "/b|c/"};
    struct maxwell_options opt = {.nulls = true, .naming = MAXWELL_NAMES_CAMELCASE};
    struct scene *s = scene_new(&defaults, true);
    unsigned failures = 0;
    opt.exclude_columns = (struct option_list){.items = items, .count = 2};
    s->chg.op = CHANGE_INSERT;
    s->chg.after = IMAGE("\0\x01\x02\x03");
    for (bool met = true; met; failures += met) {
        struct err e = ERR_INIT;
        alloc_fault_arm(failures + 1);
        int rc = write_once(s, &opt, &e);
        met = alloc_fault_met();
        alloc_fault_arm(0);
        assert_int_equal(rc, met ? -(int)ERR_NO_MEMORY : 0);
    }
    assert_in_range(failures, 5, 50);
    scene_free(s);
}

/* ---------------------------------------------------------------- any row */

static void check_json(const uint8_t *p, size_t len)
{
    json_error_t error;
    json_t *value =
        json_loadb((const char *)p, len, JSON_ALLOW_NUL | JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, &error);
    if (!value)
        fail_msg("%s at %d: %.*s", error.text, error.position, (int)len, (const char *)p);
    json_decref(value);
    assert_null(memchr(p, '\n', len));
}

static void format_maxwell__any_bytes__is_one_line_of_json_or_corrupt(void **state)
{
    (void)state;
    static const struct maxwell_options variants[] = {
        {.commit_info = true, .xoffset = true, .nulls = true},
        {.nulls = false, .null_zerodates = true, .primary_keys = true, .key_format = MAXWELL_KEY_ARRAY},
        {.nulls = true,
         .naming = MAXWELL_NAMES_CAMELCASE,
         .exact_time = true,
         .row_query = true,
         .gtid_position = true},
    };
    struct rng rng = {5};
    struct shape_cache *cache = shape_cache_new();
    struct random_change *made = calloc(1, sizeof *made);
    const struct shape *shape = NULL;
    struct record_list records;
    struct format *format;
    void *bind = NULL;
    unsigned count = 0;
    assert_non_null(made);
    records_init(&records, 0);
    records.wants_keys = true;
    assert_int_equal(format_maxwell.open(&format, &defaults, NULL), 0);
    for (unsigned i = 0; i < 12000; i++) {
        struct err e = ERR_INIT;
        if (i % 20 == 0) {
            format_maxwell.unbind(bind);
            shape = random_shape(&rng, cache);
            assert_int_equal(format_maxwell.bind(&bind, &variants[i / 20 % 3], shape->tbl, NULL), 0);
        }
        random_change(&rng, shape, made, i % 2);
        records_clear(&records);
        int rc = format_maxwell.add(format, &made->chg, bind, i, &records, &e);
        if (rc != 0) {
            assert_int_equal(rc, -ERR_CORRUPT);
            assert_int_equal(records.text.len, 0);
            continue;
        }
        for (size_t k = 0; k < records.count; k++, count++) {
            const struct record *record = &records.list[k];
            const uint8_t *p = records.text.p + record->at;
            check_json(p, record->key_len);
            check_json(p + record->key_len, record->value_len);
        }
    }
    assert_true(count > 5000);
    format_maxwell.unbind(bind);
    format_maxwell.close(format);
    records_release(&records);
    shape_cache_free(cache);
    free(made);
}

/* ---------------------------------------------------------------- statements */

static void format_maxwell__statements__are_told_by_definitions(void **state)
{
    (void)state;
    struct maxwell_options opt = {.ddl_alias = true, .binlog_position = true};
    struct scene *s = scene_new(&opt, true);
    s->tbl.charset = "utf8mb4";
    s->columns[1].declared = "datetime(3)";
    s->columns[2].declared = "int unsigned";
    struct statement_table tables[] = {
        {.db = "d", .name = "t", .new_db = "d", .new_name = "u", .before = &s->tbl, .after = &s->tbl},
        {.db = "d", .name = "gone"}};
    struct statement statement = {.kind = STATEMENT_RENAME_TABLE,
                                  .text = "rename \xf0\x9f\x98\x80\n",
                                  .len = 12,
                                  .db = "d",
                                  .tables = tables,
                                  .table_count = 1};
    s->chg.op = CHANGE_STATEMENT;
    s->chg.statement = &statement;
    records_clear(&s->records);
    assert_int_equal(format_maxwell.add(s->format, &s->chg, NULL, 0, &s->records, NULL), 0);
    assert_int_equal(s->records.count, 1);
    assert_int_equal(s->records.list[0].kind, RECORD_STATEMENT);
    assert_int_equal(s->records.list[0].key_len, MAXWELL_UUID_LEN);
#define COLUMNS                                                                                                        \
    "\"primary-key\":[\"Id\"],\"columns\":[{\"type\":\"tinyint\",\"name\":\"Id\",\"signed\":true},"                    \
    "{\"type\":\"datetime\",\"name\":\"user_a\",\"column-length\":3},{\"type\":\"int\",\"name\":\"b\",\"signed\":"     \
    "false}]}"
    assert_string_equal(text_of(s, MAXWELL_UUID_LEN, s->records.list[0].value_len),
                        "{\"type\":\"table-alter\",\"database\":\"d\",\"table\":\"t\",\"old\":{\"database\":\"d\","
                        "\"charset\":\"utf8mb4\",\"table\":\"t\"," COLUMNS
                        ",\"def\":{\"database\":\"d\",\"charset\":\"utf8mb4\",\"table\":\"u\"," COLUMNS
                        ",\"ts\":5000,\"sql\":\"rename \xf0\x9f\x98\x80\\n\",\"position\":\"bin.1:6\"}");
    struct column_definition json = {.word = "longtext", .json = true};
    s->columns[2].definition = &json;
    s->columns[2].declared = "longtext";
    records_clear(&s->records);
    assert_int_equal(format_maxwell.add(s->format, &s->chg, NULL, 0, &s->records, NULL), 0);
    assert_non_null(
        strstr(text_of(s, MAXWELL_UUID_LEN, s->records.list[0].value_len), "{\"type\":\"json\",\"name\":\"b\"}"));
    statement.kind = STATEMENT_DROP_TABLE;
    statement.table_count = 2;
    records_clear(&s->records);
    assert_int_equal(format_maxwell.add(s->format, &s->chg, NULL, 0, &s->records, NULL), 0);
    assert_int_equal(s->records.count, 1);
    statement.kind = STATEMENT_CREATE_DATABASE;
    statement.existed = true;
    records_clear(&s->records);
    assert_int_equal(format_maxwell.add(s->format, &s->chg, NULL, 0, &s->records, NULL), 0);
    assert_int_equal(s->records.count, 0);
    statement.existed = false;
    statement.charset = "latin1";
    assert_int_equal(format_maxwell.add(s->format, &s->chg, NULL, 0, &s->records, NULL), 0);
    assert_memory_equal(text_of(s, MAXWELL_UUID_LEN, s->records.list[0].value_len),
                        "{\"type\":\"database-create\",\"database\":\"d\",\"charset\":\"latin1\",\"ts\":5000,", 65);
    statement.kind = STATEMENT_TRUNCATE;
    records_clear(&s->records);
    assert_int_equal(format_maxwell.add(s->format, &s->chg, NULL, 0, &s->records, NULL), 0);
    assert_int_equal(s->records.count, 0);
    scene_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maxwell_cell__bytes_of_each_type__are_maxwells_text),
        cmocka_unit_test(maxwell_cell__random_values__equal_those_written_from_values),
        cmocka_unit_test(maxwell_camelcase__names__as_maxwells_strategy),
        cmocka_unit_test(maxwell_is_json__texts__only_whole_documents),
        cmocka_unit_test(format_maxwell__update__old_has_what_changed),
        cmocka_unit_test(format_maxwell__minimal_image__former_columns_stand_behind),
        cmocka_unit_test(format_maxwell__key_move__is_one_update),
        cmocka_unit_test(format_maxwell__no_nulls__leave_an_empty_old),
        cmocka_unit_test(format_maxwell__all_options__stand_in_maxwells_order),
        cmocka_unit_test(format_maxwell__table_without_key__has_a_uuid_that_a_replay_repeats),
        cmocka_unit_test(format_maxwell__expression_that_is_none__is_a_usage_error),
        cmocka_unit_test(format_maxwell__truncated_image__names_table_and_column),
        cmocka_unit_test(format_maxwell__each_allocation_fails__is_no_memory),
        cmocka_unit_test(format_maxwell__any_bytes__is_one_line_of_json_or_corrupt),
        cmocka_unit_test(format_maxwell__statements__are_told_by_definitions),
    };
    return cmocka_run_group_tests_name("format_maxwell", tests, NULL, NULL);
}
