/* Decoding of values: bytes that real servers logged beside what they SELECT, metadata, ranges, text and JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "value/charset.h"
#include "value/value.h"

static struct arena arena;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, 65536, 1 << 20, 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static size_t unhex(const char *hex, uint8_t *out)
{
    size_t len = strlen(hex) / 2;
    for (size_t i = 0; i < len; i++) {
        char two[3] = {hex[2 * i], hex[2 * i + 1], 0};
        out[i] = (uint8_t)strtoul(two, NULL, 16);
    }
    return len;
}

static int init_type(struct coltype *type, uint8_t wire, const char *meta_hex, struct err *e)
{
    uint8_t meta[16];
    size_t len = unhex(meta_hex, meta);
    struct cursor cur = cursor_over(meta, len);
    int rc = coltype_init(type, wire, &cur, e);
    if (rc == 0)
        assert_int_equal(cursor_finish(&cur), 0);
    return rc;
}

/* The type that a golden line tells of. */
static void golden_type(const json_t *line, struct coltype *type)
{
    struct err e = ERR_INIT;
    const json_t *labels = json_object_get(line, "labels"), *sign = json_object_get(line, "unsigned");
    if (init_type(type, (uint8_t)json_integer_value(json_object_get(line, "wire")),
                  json_string_value(json_object_get(line, "meta")), &e) != 0)
        fail_msg("%s: %s", json_string_value(json_object_get(line, "sql")), e.text);
    type->sign_known = sign != NULL;
    type->is_unsigned = json_is_true(sign);
    type->collation = (uint16_t)json_integer_value(json_object_get(line, "collation"));
    type->charset = (uint8_t)charset_of_collation(type->collation, NULL);
    if (labels) {
        type->label_count = (uint32_t)json_array_size(labels);
        struct label *made = arena_alloc(&arena, sizeof *made * type->label_count);
        assert_non_null(made);
        for (uint32_t i = 0; i < type->label_count; i++) {
            const json_t *label = json_array_get(labels, i);
            made[i] = (struct label){json_string_value(label), (uint32_t)json_string_length(label)};
        }
        type->labels = made;
    }
}

/* Text as documented, or a number that reads back to the same bits. */
static void check_text(const json_t *line, const struct value *v, const struct buf *text)
{
    const char *expected = json_string_value(json_object_get(line, "text"));
    const char *hex = json_string_value(json_object_get(line, "text_hex"));
    size_t len = json_string_length(json_object_get(line, "text"));
    uint8_t raw[4096];
    if (hex) {
        len = unhex(hex, raw);
        expected = (const char *)raw;
    }
    if (expected) {
        if (text->len != len || memcmp(text->p ? (char *)text->p : "", expected, len) != 0)
            fail_msg("%s %s: \"%.*s\" for \"%s\"", json_string_value(json_object_get(line, "sql")),
                     json_string_value(json_object_get(line, "bytes")), (int)text->len, (char *)text->p, expected);
        return;
    }
    char copy[64];
    memcpy(copy, text->p, text->len);
    copy[text->len] = '\0';
    double server = strtod(json_string_value(json_object_get(line, "number")), NULL);
    bool same = v->kind == VALUE_FLOAT ? strtof(copy, NULL) == (float)server : strtod(copy, NULL) == server;
    if (!same)
        fail_msg("%s for %s", copy, json_string_value(json_object_get(line, "number")));
}

/* JSON parses, and holds the text or its documented form. */
static void check_json(const struct value *v, const struct buf *text)
{
    struct buf json;
    buf_init(&json, 0);
    value_json(v, &json);
    json_t *parsed = json_loadb((char *)json.p, json.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    if (!parsed)
        fail_msg("not JSON: %.*s", (int)json.len, (char *)json.p);
    if (json_is_string(parsed)) {
        assert_int_equal(json_string_length(parsed), text->len);
        assert_memory_equal(json_string_value(parsed), text->len ? (char *)text->p : "", text->len);
    } else if (json_is_number(parsed)) {
        assert_int_equal(json.len, text->len);
        assert_memory_equal(json.p, text->p, text->len);
        assert_true(json_number_value(parsed) <= 9007199254740991.0 || !json_is_integer(parsed));
    } else {
        assert_true(json_is_string(json_object_get(parsed, "base64")));
        assert_true(v->kind == VALUE_BYTES || v->raw);
    }
    json_decref(parsed);
    buf_release(&json);
}

static void check_line(const json_t *line)
{
    uint8_t bytes[4096];
    struct coltype type;
    struct value v;
    struct err e = ERR_INIT;
    struct buf text;
    size_t len = unhex(json_string_value(json_object_get(line, "bytes")), bytes);
    arena_reset(&arena);
    golden_type(line, &type);
    assert_int_equal(value_size(&type, bytes, bytes + len), len);
    for (size_t cut = 0; cut < len; cut++)
        assert_true(value_size(&type, bytes, bytes + cut) == SIZE_MAX);
    if (value_read(&type, bytes, len, &v, &arena, &e) != 0)
        fail_msg("%s %s: %s", json_string_value(json_object_get(line, "sql")),
                 json_string_value(json_object_get(line, "bytes")), e.text);
    buf_init(&text, 0);
    value_text(&v, &text);
    check_text(line, &v, &text);
    check_json(&v, &text);
    buf_release(&text);
    /* one byte fewer or more is refused, and so is an arena that is full */
    assert_true(value_read(&type, bytes, len - 1, &v, &arena, NULL) != 0);
    assert_true(value_read(&type, bytes, len + 1, &v, &arena, NULL) != 0);
    struct arena full;
    arena_init(&full, 1, 0, 1);
    int rc = value_read(&type, bytes, len, &v, &full, NULL);
    assert_true(rc == 0 || rc == -ERR_NO_MEMORY);
    arena_release(&full);
}

static unsigned check_file(const char *name)
{
    char path[512], *line = NULL;
    size_t size = 0;
    unsigned lines = 0;
    snprintf(path, sizeof path, "%s/values/%s", SLUICE_TEST_DATA, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (getline(&line, &size, file) > 0) {
        json_t *parsed = json_loads(line, JSON_ALLOW_NUL, NULL);
        assert_non_null(parsed);
        check_line(parsed);
        json_decref(parsed);
        lines++;
    }
    free(line);
    fclose(file);
    return lines;
}

static void value_read__bytes_logged_by_mariadb__give_what_it_selects(void **state)
{
    (void)state;
    assert_true(check_file("mariadb.jsonl") > 800);
}

static void value_read__bytes_logged_by_mysql__give_what_it_selects(void **state)
{
    (void)state;
    assert_true(check_file("mysql.jsonl") > 800);
}

static void coltype_init__metadata_out_of_range__is_refused(void **state)
{
    (void)state;
    static const struct {
        int line;
        uint8_t wire;
        const char *meta;
        enum err_code code;
    } cases[] = {
        {__LINE__, WIRE_NEWDECIMAL, "4200", ERR_CORRUPT},
        {__LINE__, WIRE_NEWDECIMAL, "0000", ERR_CORRUPT},
        {__LINE__, WIRE_NEWDECIMAL, "411f", ERR_CORRUPT},
        {__LINE__, WIRE_NEWDECIMAL, "0506", ERR_CORRUPT},
        {__LINE__, WIRE_NEWDECIMAL, "05", ERR_CORRUPT},
        {__LINE__, WIRE_BIT, "0800", ERR_CORRUPT},
        {__LINE__, WIRE_BIT, "0108", ERR_CORRUPT},
        {__LINE__, WIRE_BIT, "0000", ERR_CORRUPT},
        {__LINE__, WIRE_FLOAT, "08", ERR_CORRUPT},
        {__LINE__, WIRE_DOUBLE, "04", ERR_CORRUPT},
        {__LINE__, WIRE_TIME2, "07", ERR_CORRUPT},
        {__LINE__, WIRE_BLOB, "00", ERR_CORRUPT},
        {__LINE__, WIRE_BLOB, "05", ERR_CORRUPT},
        {__LINE__, WIRE_STRING, "f703", ERR_CORRUPT},
        {__LINE__, WIRE_STRING, "f809", ERR_CORRUPT},
        {__LINE__, WIRE_STRING, "0101", ERR_CORRUPT},
        {__LINE__, WIRE_STRING, "", ERR_CORRUPT},
        {__LINE__, WIRE_NULL, "", ERR_VALUE_UNSUPPORTED},
        {__LINE__, 200, "", ERR_VALUE_UNSUPPORTED},
        {__LINE__, WIRE_TYPED_ARRAY, "", ERR_VALUE_UNSUPPORTED},
        {__LINE__, WIRE_DECIMAL_OLD, "", ERR_VALUE_UNSUPPORTED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct coltype type;
        struct err e = ERR_INIT;
        if (init_type(&type, cases[i].wire, cases[i].meta, &e) != -(int)cases[i].code)
            fail_msg("line %d: %s", cases[i].line, e.text);
    }
}

static void coltype_init__types_not_decoded_yet__are_walked_by_size(void **state)
{
    (void)state;
    static const struct {
        uint8_t wire;
        const char *meta, *bytes;
        size_t size;
    } cases[] = {
        {WIRE_TIMESTAMP, "", "01020304ff", 4},
        {WIRE_DATETIME, "", "0102030405060708ff", 8},
        {WIRE_TIME, "", "010203ff", 3},
        {WIRE_GEOMETRY, "04", "01000000aaff", 5},
        {WIRE_VECTOR, "04", "00000000ff", 4},
        {WIRE_BLOB_COMPRESSED, "02", "0100aaff", 3},
        {WIRE_VARCHAR_COMPRESSED, "2c01", "0100aaff", 3},
        {WIRE_VARCHAR_COMPRESSED, "2c00", "01aaff", 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct coltype type;
        struct value v;
        uint8_t bytes[32];
        struct err e = ERR_INIT;
        size_t len = unhex(cases[i].bytes, bytes);
        assert_int_equal(init_type(&type, cases[i].wire, cases[i].meta, &e), 0);
        assert_int_equal(value_size(&type, bytes, bytes + len), cases[i].size);
        assert_int_equal(value_read(&type, bytes, cases[i].size, &v, &arena, &e), -ERR_VALUE_UNSUPPORTED);
    }
}

static void value_read__bytes_out_of_range__are_corrupt(void **state)
{
    (void)state;
    static const struct {
        int line;
        uint8_t wire;
        const char *meta, *bytes;
    } cases[] = {
        {__LINE__, WIRE_NEWDECIMAL, "0902", "ff00000000"}, /* leading group of 7 digits beyond 9999999 */
        {__LINE__, WIRE_NEWDECIMAL, "0900", "bb9aca00"},   /* 1,000,000,000 */
        {__LINE__, WIRE_NEWDECIMAL, "0202", "e4"},         /* .100 */
        {__LINE__, WIRE_BIT, "0300", "08"},
        {__LINE__, WIRE_FLOAT, "04", "0000807f"},
        {__LINE__, WIRE_DOUBLE, "08", "000000000000f8ff"},
        {__LINE__, WIRE_DATE_OLD, "", "a0014f"}, /* month 13 */
        {__LINE__, WIRE_TIME2, "00", "b47000"},  /* 839 hours */
        {__LINE__, WIRE_TIME2, "00", "80003c"},  /* 60 seconds */
        {__LINE__, WIRE_TIME2, "02", "80000064"},
        {__LINE__, WIRE_DATETIME2, "00", "0000000000"}, /* negative */
        {__LINE__, WIRE_DATETIME2, "00", "8000018000"}, /* 24 hours */
        {__LINE__, WIRE_DATETIME2, "06", "80000000000f4240"},
        {__LINE__, WIRE_TIMESTAMP2, "04", "000000012710"},
        {__LINE__, WIRE_VARCHAR, "0200", "03616263"},
        {__LINE__, WIRE_STRING, "fe02", "03616263"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct coltype type;
        struct value v;
        uint8_t bytes[32];
        struct err e = ERR_INIT;
        size_t len = unhex(cases[i].bytes, bytes);
        assert_int_equal(init_type(&type, cases[i].wire, cases[i].meta, &e), 0);
        type.collation = 45;
        type.charset = CHARSET_UTF8;
        if (value_size(&type, bytes, bytes + len) != len ||
            value_read(&type, bytes, len, &v, &arena, &e) != -ERR_CORRUPT)
            fail_msg("line %d: %s", cases[i].line, e.text);
    }
}

static void value_read__what_the_log_does_not_tell__is_not_guessed(void **state)
{
    (void)state;
    struct coltype type;
    struct value v;
    struct err e = ERR_INIT;
    static const uint8_t bytes[] = {1, 'a', 0, 0};
    static const struct label labels[] = {{"x", 1}};
    assert_int_equal(init_type(&type, WIRE_LONG, "", &e), 0);
    assert_int_equal(value_read(&type, bytes, 4, &v, &arena, &e), -ERR_TYPE_UNCERTAIN);
    err_clear(&e);
    assert_int_equal(init_type(&type, WIRE_STRING, "f701", &e), 0);
    assert_int_equal(value_read(&type, bytes, 1, &v, &arena, &e), -ERR_TYPE_UNCERTAIN);
    err_clear(&e);
    type.labels = labels;
    type.label_count = 1;
    assert_int_equal(value_read(&type, bytes, 1, &v, &arena, &e), 0);
    assert_int_equal(value_read(&type, (const uint8_t *)"\x02", 1, &v, &arena, &e), -ERR_CORRUPT);
    err_clear(&e);
    assert_int_equal(init_type(&type, WIRE_VARCHAR, "1400", &e), 0);
    assert_int_equal(value_read(&type, bytes, 2, &v, &arena, &e), -ERR_TYPE_UNCERTAIN);
    err_clear(&e);
    type.collation = 28;
    type.charset = (uint8_t)charset_of_collation(28, NULL);
    assert_int_equal(value_read(&type, bytes, 2, &v, &arena, &e), -ERR_CHARSET_UNSUPPORTED);
    assert_non_null(strstr(e.text, "gbk"));
}

static void value_read__text_that_is_not_utf8__is_kept_as_bytes(void **state)
{
    (void)state;
    struct coltype type;
    struct value v;
    struct buf out;
    static const uint8_t bytes[] = {3, 'a', 0xff, 'b'};
    assert_int_equal(init_type(&type, WIRE_VARCHAR, "1400", NULL), 0);
    type.collation = 45;
    type.charset = CHARSET_UTF8;
    assert_int_equal(value_read(&type, bytes, 4, &v, &arena, NULL), 0);
    assert_true(v.raw);
    buf_init(&out, 0);
    value_json(&v, &out);
    assert_memory_equal(out.p, "{\"base64\":\"Yf9i\"}", out.len);
    buf_clear(&out);
    value_text(&v, &out);
    assert_int_equal(out.len, 3);
    assert_memory_equal(out.p, bytes + 1, 3);
    buf_release(&out);
}

static void coltype_print__types__read_like_sql(void **state)
{
    (void)state;
    static const struct {
        uint8_t wire;
        const char *meta;
        uint16_t collation;
        const char *expected;
    } cases[] = {
        {WIRE_NEWDECIMAL, "0c02", 0, "DECIMAL(12,2)"},
        {WIRE_VARCHAR, "ff00", 45, "VARCHAR(255 bytes)"},
        {WIRE_STRING, "ce00", 63, "BINARY(768 bytes)"},
        {WIRE_STRING, "fe0a", 45, "CHAR(10 bytes)"},
        {WIRE_BLOB, "03", 45, "MEDIUMTEXT"},
        {WIRE_BLOB, "02", 63, "BLOB"},
        {WIRE_DATETIME2, "03", 0, "DATETIME(3)"},
        {WIRE_BIT, "0201", 0, "BIT(10)"},
        {WIRE_LONGLONG, "", 0, "BIGINT UNSIGNED"},
        {WIRE_JSON, "04", 0, "JSON"},
        {WIRE_TIMESTAMP2, "00", 0, "TIMESTAMP"},
        {WIRE_STRING, "f702", 0, "ENUM"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct coltype type;
        char text[64];
        assert_int_equal(init_type(&type, cases[i].wire, cases[i].meta, NULL), 0);
        type.sign_known = type.is_unsigned = true;
        type.collation = cases[i].collation;
        type.charset = (uint8_t)charset_of_collation(type.collation, NULL);
        coltype_print(&type, text, sizeof text);
        assert_string_equal(text, cases[i].expected);
    }
}

static void charset__ids_and_names__agree(void **state)
{
    (void)state;
    static const struct {
        const char *name, *charset;
        unsigned id;
    } cases[] = {
        {"latin1_swedish_ci", "latin1", 8},
        {"utf8mb4_0900_ai_ci", "utf8mb4", 255},
        {"utf8_general_ci", "utf8mb3", 33},
        {"UTF8MB4_BIN", "utf8mb4", 46},
        {"utf8mb4", "utf8mb4", 45},
        {"utf8", "utf8mb3", 33},
        {"binary", "binary", 63},
        {"gb18030", "gb18030", 248},
        {"utf8mb4_uca1400_ai_ci", "utf8mb4", 2304},
        {"utf8mb3_uca1400_spanish2_nopad_as_cs", "utf8mb3", 2048 + 14 * 8 + 7},
        {"utf32_uca1400_croatian_as_ci", "utf32", 3072 + 24 * 8 + 2},
        {"utf8mb4_mn_cyrl_0900_as_cs", "utf8mb4", 323},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *name = NULL;
        assert_int_equal(charset_find_collation(cases[i].name, strlen(cases[i].name)), cases[i].id);
        charset_of_collation(cases[i].id, &name);
        assert_string_equal(name, cases[i].charset);
    }
    assert_int_equal(charset_of_collation(0, NULL), CHARSET_UNKNOWN);
    assert_int_equal(charset_of_collation(60000, NULL), CHARSET_UNKNOWN);
    assert_int_equal(charset_of_collation(2048 + 21 * 8, NULL), CHARSET_UNKNOWN);
    assert_int_equal(charset_of_collation(28, NULL), CHARSET_OTHER);
    assert_int_equal(charset_find_collation("klingon", 7), 0);
    assert_int_equal(charset_find_collation("", 0), 0);
    assert_int_equal(charset_find_collation("utf8mb4_uca1400_klingon_ai_ci", 29), 0);
}

static void value_is_utf8__table_of_cases__is_exact(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool valid;
    } cases[] = {
        {"plain ascii text of more than sixteen bytes", true},
        {"\xc3\xa9", true},
        {"\xe4\xbd\xa0", true},
        {"\xf0\x9f\x98\x80", true},
        {"\xf4\x8f\xbf\xbf", true},
        {"\xed\x9f\xbf", true},
        {"\xee\x80\x80", true},
        {"\xc0\x80", false},
        {"\xc1\xbf", false},
        {"\xe0\x9f\xbf", false},
        {"\xed\xa0\x80", false},
        {"\xf0\x8f\xbf\xbf", false},
        {"\xf4\x90\x80\x80", false},
        {"\xf5\x80\x80\x80", false},
        {"\x80", false},
        {"\xc3", false},
        {"\xe4\xbd", false},
        {"\xf0\x9f\x98", false},
        {"abcdefgh\xff", false},
        {"\xc3(", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (value_is_utf8(cases[i].text, strlen(cases[i].text)) != cases[i].valid)
            fail_msg("case %zu", i);
}

/* Escapes at every place of strings of every length around the widths of the fast paths. */
static void value_json_string__escapes_anywhere__parse_back(void **state)
{
    (void)state;
    static const char odd[] = "\"\\\x01\n\x1f\x7f\x20";
    for (size_t len = 1; len < 70; len++)
        for (size_t at = 0; at < len; at++)
            for (size_t k = 0; k < sizeof odd; k++) {
                char text[70];
                struct buf out;
                memset(text, 'x', len);
                text[at] = odd[k];
                text[len - 1 - at] = odd[(k + 1) % sizeof odd];
                buf_init(&out, 0);
                value_json_string(text, len, &out);
                json_t *parsed = json_loadb((char *)out.p, out.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
                assert_non_null(parsed);
                assert_int_equal(json_string_length(parsed), len);
                assert_memory_equal(json_string_value(parsed), text, len);
                json_decref(parsed);
                buf_release(&out);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(value_read__bytes_logged_by_mariadb__give_what_it_selects),
        cmocka_unit_test(value_read__bytes_logged_by_mysql__give_what_it_selects),
        cmocka_unit_test(coltype_init__metadata_out_of_range__is_refused),
        cmocka_unit_test(coltype_init__types_not_decoded_yet__are_walked_by_size),
        cmocka_unit_test(value_read__bytes_out_of_range__are_corrupt),
        cmocka_unit_test(value_read__what_the_log_does_not_tell__is_not_guessed),
        cmocka_unit_test(value_read__text_that_is_not_utf8__is_kept_as_bytes),
        cmocka_unit_test(coltype_print__types__read_like_sql),
        cmocka_unit_test(charset__ids_and_names__agree),
        cmocka_unit_test(value_is_utf8__table_of_cases__is_exact),
        cmocka_unit_test(value_json_string__escapes_anywhere__parse_back),
    };
    return cmocka_run_group_tests_name("value", tests, setup, teardown);
}
