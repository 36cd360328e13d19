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
    const json_t *declared = json_object_get(line, "declared");
    if (init_type(type, (uint8_t)json_integer_value(json_object_get(line, "wire")),
                  json_string_value(json_object_get(line, "meta")), &e) != 0)
        fail_msg("%s: %s", json_string_value(json_object_get(line, "sql")), e.text);
    type->sign_known = sign != NULL;
    type->is_unsigned = json_is_true(sign);
    type->collation = (uint16_t)json_integer_value(json_object_get(line, "collation"));
    type->charset = (uint8_t)charset_of_collation(type->collation, NULL);
    if (declared)
        assert_true(coltype_declare(type, json_string_value(json_array_get(declared, 0)),
                                    (uint32_t)json_integer_value(json_array_get(declared, 1))));
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

/* The numbers of the text have the bits of the server's. */
static void check_vector(const char *hex, const struct buf *text)
{
    uint8_t bytes[256];
    size_t len = unhex(hex, bytes), count = 0;
    char copy[512], *p = copy;
    assert_true(text->len < sizeof copy && text->p[0] == '[');
    memcpy(copy, text->p, text->len);
    copy[text->len] = '\0';
    for (; *p != ']'; count++) {
        float f = strtof(p + 1, &p);
        assert_memory_equal(&f, bytes + 4 * count, sizeof f);
    }
    assert_int_equal(4 * count, len);
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
    if (json_object_get(line, "vector")) {
        check_vector(json_string_value(json_object_get(line, "vector")), text);
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
    } else if (v->kind == VALUE_VECTOR) {
        assert_true(json_is_array(parsed) && json.len == text->len);
    } else if (v->kind == VALUE_GEOMETRY) {
        assert_true(json_is_string(json_object_get(parsed, "wkb")));
        assert_int_equal(json_integer_value(json_object_get(parsed, "srid")),
                         text->p[0] | text->p[1] << 8 | text->p[2] << 16 | text->p[3] << 24);
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

static void coltype_init__types_with_a_length__are_walked_by_it(void **state)
{
    (void)state;
    static const struct {
        uint8_t wire;
        const char *meta, *bytes;
        size_t size;
    } cases[] = {
        {WIRE_JSON, "04", "02000000aabbff", 6},
        {WIRE_GEOMETRY, "04", "01000000aaff", 5},
        {WIRE_VECTOR, "04", "00000000ff", 4},
        {WIRE_BLOB_COMPRESSED, "02", "0100aaff", 3},
        {WIRE_VARCHAR_COMPRESSED, "2c01", "0100aaff", 3},
        {WIRE_VARCHAR_COMPRESSED, "2c00", "01aaff", 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct coltype type;
        uint8_t bytes[32];
        struct err e = ERR_INIT;
        size_t len = unhex(cases[i].bytes, bytes);
        assert_int_equal(init_type(&type, cases[i].wire, cases[i].meta, &e), 0);
        assert_int_equal(value_size(&type, bytes, bytes + len), cases[i].size);
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

static void value_read__declared_types_out_of_range__are_corrupt(void **state)
{
    (void)state;
    static const struct {
        int line;
        uint8_t wire;
        const char *meta, *word;
        uint32_t number;
        const char *bytes;
    } cases[] = {
        {__LINE__, WIRE_TIME, "", "time", 0, "3c0000"},     /* 60 seconds */
        {__LINE__, WIRE_TIME, "", "time", 0, "000080"},     /* the least number: 838 hours are not reached */
        {__LINE__, WIRE_TIME, "", "time", 3, "0000000000"}, /* -839 hours */
        {__LINE__, WIRE_TIME, "", "time", 3, "ffffffffff"}, /* beyond 838 hours */
        {__LINE__, WIRE_DATETIME, "", "datetime", 0, "ffffffffffffffff"},
        {__LINE__, WIRE_DATETIME, "", "datetime", 0, "3c00000000000000"}, /* 60 seconds */
        {__LINE__, WIRE_DATETIME, "", "datetime", 6, "ffffffffffffffff"},
        {__LINE__, WIRE_TIMESTAMP, "", "timestamp", 1, "000000010a"}, /* ten tenths */
        {__LINE__, WIRE_STRING, "fe10", "uuid", 0, "11000102030405060708090a0b0c0d0e0f10"},
        {__LINE__, WIRE_STRING, "fe04", "inet4", 0, "050102030405"},
        {__LINE__, WIRE_VECTOR, "04", "vector", 0, "03000000010203"},
        {__LINE__, WIRE_VARCHAR, "0800", "vector", 0, "03010203"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct coltype type;
        struct value v;
        uint8_t bytes[32];
        struct err e = ERR_INIT;
        size_t len = unhex(cases[i].bytes, bytes);
        assert_int_equal(init_type(&type, cases[i].wire, cases[i].meta, &e), 0);
        assert_true(coltype_declare(&type, cases[i].word, cases[i].number));
        if (value_size(&type, bytes, bytes + len) != len ||
            value_read(&type, bytes, len, &v, &arena, &e) != -ERR_CORRUPT)
            fail_msg("line %d: %s", cases[i].line, e.text);
    }
}

static void coltype_declare__what_does_not_fit__is_refused(void **state)
{
    (void)state;
    static const struct {
        int line;
        uint8_t wire;
        const char *meta, *word;
        uint32_t number;
        bool fits, vague;
    } cases[] = {
        {__LINE__, WIRE_STRING, "fe10", "uuid", 0, true, true},
        {__LINE__, WIRE_STRING, "fe0f", "uuid", 0, false, false},
        {__LINE__, WIRE_STRING, "fe10", "inet6", 0, true, true},
        {__LINE__, WIRE_STRING, "fe10", "inet4", 0, false, true},
        {__LINE__, WIRE_STRING, "fe04", "inet4", 0, true, true},
        {__LINE__, WIRE_STRING, "fe04", "binary", 4, true, true},
        {__LINE__, WIRE_VARCHAR, "0c00", "vector", 3, true, true},
        {__LINE__, WIRE_VARCHAR, "0d00", "varbinary", 13, true, false},
        {__LINE__, WIRE_TIME, "", "time", 6, true, true},
        {__LINE__, WIRE_TIME, "", "time", 7, false, true},
        {__LINE__, WIRE_LONG, "", "int", 11, true, false},
        {__LINE__, WIRE_LONG, "", "vector", 3, false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct coltype type;
        struct err e = ERR_INIT;
        assert_int_equal(init_type(&type, cases[i].wire, cases[i].meta, &e), 0);
        type.charset = CHARSET_BINARY;
        if (coltype_is_vague(&type) != cases[i].vague ||
            coltype_declare(&type, cases[i].word, cases[i].number) != cases[i].fits)
            fail_msg("line %d", cases[i].line);
    }
}

/* Every byte of a compressed value changed, and what no server writes: never more bytes than claimed, no crash. */
static void value_read__compressed_bytes_damaged__are_corrupt_or_text(void **state)
{
    (void)state;
    static const struct {
        int line;
        const char *bytes;
    } cases[] = {
        {__LINE__, "0100000080"},           /* no length */
        {__LINE__, "020000008500"},         /* a length of five bytes */
        {__LINE__, "0100000090"},           /* method 9 */
        {__LINE__, "0600000084ffffffff03"}, /* 4 GiB in one byte */
        {__LINE__, "050000008902030003"},   /* a stream that ends early */
        {__LINE__, "05000000890303004b"},   /* likewise */
        {__LINE__, "0500000089004b0400"},   /* one byte where none is claimed */
        {__LINE__, "0500000089024b0400"},   /* one byte where two are claimed */
        {__LINE__, "0600000089014b040000"}, /* a byte behind the stream */
        {__LINE__, "0500000081014b0400"},   /* no zlib header */
    };
    static const uint8_t good[] = {5, 0, 0, 0, 0x89, 1, 0x4b, 4, 0};
    struct coltype type;
    struct value v;
    struct err e = ERR_INIT;
    uint8_t bytes[32];
    assert_int_equal(init_type(&type, WIRE_BLOB_COMPRESSED, "04", &e), 0);
    type.charset = CHARSET_BINARY;
    assert_int_equal(value_read(&type, good, sizeof good, &v, &arena, &e), 0);
    assert_int_equal(v.s.len, 1);
    assert_int_equal(v.s.p[0], 'a');
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t len = unhex(cases[i].bytes, bytes);
        struct err why = ERR_INIT;
        if (value_read(&type, bytes, len, &v, &arena, &why) != -ERR_CORRUPT)
            fail_msg("line %d: %s", cases[i].line, why.text);
    }
    for (size_t i = 4; i < sizeof good; i++)
        for (unsigned flip = 1; flip < 256; flip++) {
            struct err why = ERR_INIT;
            memcpy(bytes, good, sizeof good);
            bytes[i] ^= (uint8_t)flip;
            int rc = value_read(&type, bytes, sizeof good, &v, &arena, &why);
            assert_true(rc == -ERR_CORRUPT || (rc == 0 && v.s.len <= sizeof good));
        }
}

/* As many bytes as deflate needs for 1 GiB, and a claim of one byte more than that. */
static void value_read__compressed_beyond_what_a_server_takes__memory_is_not_asked_for(void **state)
{
    (void)state;
    const size_t len = 4 + 5 + 1050000;
    struct coltype type;
    struct value v;
    struct err e = ERR_INIT;
    struct arena small;
    uint8_t *bytes = calloc(1, len);
    assert_non_null(bytes);
    for (unsigned i = 0; i < 4; i++)
        bytes[i] = (uint8_t)((len - 4) >> 8 * i);
    memcpy(bytes + 4, "\x8c\x40\0\0\1", 5);
    arena_init(&small, 64, 0, 1024);
    assert_int_equal(init_type(&type, WIRE_BLOB_COMPRESSED, "04", &e), 0);
    type.charset = CHARSET_BINARY;
    assert_int_equal(value_read(&type, bytes, len, &v, &small, &e), -ERR_CORRUPT);
    arena_release(&small);
    free(bytes);
}

static void value_read__vector_with_infinity__comes_as_bytes(void **state)
{
    (void)state;
    static const char *const cases[] = {"040000000000807f", "04000000000080ff", "080000000000803f0000c07f"};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct coltype type;
        struct value v;
        struct err e = ERR_INIT;
        uint8_t bytes[32];
        size_t len = unhex(cases[i], bytes);
        assert_int_equal(init_type(&type, WIRE_VECTOR, "04", &e), 0);
        assert_int_equal(value_read(&type, bytes, len, &v, &arena, &e), 0);
        assert_int_equal(v.kind, VALUE_BYTES);
    }
}

static void value_geojson__well_known_binary__is_an_object_or_refused(void **state)
{
    (void)state;
    static const struct {
        int line;
        const char *bytes, *json;
    } cases[] = {
        {__LINE__, "000000000101000000000000000000f03f0000000000000040", "{\"type\":\"Point\",\"coordinates\":[1,2]}"},
        {__LINE__, "e610000000000000013ff00000000000004000000000000000", "{\"type\":\"Point\",\"coordinates\":[1,2]}"},
        {__LINE__, "00000000010700000000000000", "{\"type\":\"GeometryCollection\",\"geometries\":[]}"},
        {__LINE__, "00000000000000000700000001010700000000000000",
         "{\"type\":\"GeometryCollection\",\"geometries\":[{\"type\":\"GeometryCollection\",\"geometries\":[]}]}"},
        {__LINE__, "0000000001020000000100000000000000000000000000000000000080",
         "{\"type\":\"LineString\",\"coordinates\":[[0,-0.0]]}"},
        {__LINE__, "00000000010400000001000000000000000140000000000000000000000000000000",
         "{\"type\":\"MultiPoint\",\"coordinates\":[[2,0]]}"},
        {__LINE__, "00000000010300000001000000000000000000", NULL},                             /* leftovers */
        {__LINE__, "000000000103000000010000000000000000", NULL},                               /* cut */
        {__LINE__, "000000000101000000000000000000f07f0000000000000040", NULL},                 /* infinite */
        {__LINE__, "0000000001e9030000000000000000f03f00000000000000400000000000000040", NULL}, /* Z */
        {__LINE__, "0000000001020000000000ffff", NULL},                   /* more points than bytes */
        {__LINE__, "0000000002010000000000000000000000", NULL},           /* byte order 2 */
        {__LINE__, "00000000010400000001000000010200000000000000", NULL}, /* a line in a MultiPoint */
        {__LINE__, "00000000", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t bytes[128];
        struct buf out;
        struct value v = {.kind = VALUE_GEOMETRY};
        v.s.len = unhex(cases[i].bytes, bytes);
        v.s.p = (const char *)bytes;
        buf_init(&out, 0);
        buf_text(&out, "x");
        bool done = value_geojson(&v, &out);
        const char *expected = cases[i].json ? cases[i].json : "";
        if (done != (cases[i].json != NULL) || out.len != strlen(expected) + 1 ||
            memcmp(out.p + 1, expected, out.len - 1) != 0)
            fail_msg("line %d: %.*s", cases[i].line, (int)out.len, (char *)out.p);
        buf_release(&out);
    }
}

static void value_geojson__collections_without_end__are_refused_at_a_depth(void **state)
{
    (void)state;
    static const uint8_t nested[] = {1, 7, 0, 0, 0, 1, 0, 0, 0}, last[] = {1, 7, 0, 0, 0, 0, 0, 0, 0};
    for (size_t depth = 63; depth <= 64; depth++) {
        uint8_t bytes[4 + 9 * 70] = {0}, *o = bytes + 4;
        for (size_t i = 0; i < depth; i++, o += 9)
            memcpy(o, nested, 9);
        memcpy(o, last, 9);
        struct value v = {.kind = VALUE_GEOMETRY};
        struct buf out;
        v.s.p = (const char *)bytes;
        v.s.len = (size_t)(o + 9 - bytes);
        buf_init(&out, 0);
        assert_int_equal(value_geojson(&v, &out), depth < 64);
        buf_release(&out);
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
    type.collation = 60000;
    type.charset = (uint8_t)charset_of_collation(60000, NULL);
    assert_int_equal(value_read(&type, bytes, 2, &v, &arena, &e), -ERR_CHARSET_UNSUPPORTED);
    assert_non_null(strstr(e.text, "60000"));
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
    assert_int_equal(charset_of_collation(28, NULL), CHARSET_GBK);
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
        cmocka_unit_test(coltype_init__types_with_a_length__are_walked_by_it),
        cmocka_unit_test(value_read__bytes_out_of_range__are_corrupt),
        cmocka_unit_test(value_read__declared_types_out_of_range__are_corrupt),
        cmocka_unit_test(coltype_declare__what_does_not_fit__is_refused),
        cmocka_unit_test(value_read__compressed_bytes_damaged__are_corrupt_or_text),
        cmocka_unit_test(value_read__compressed_beyond_what_a_server_takes__memory_is_not_asked_for),
        cmocka_unit_test(value_read__vector_with_infinity__comes_as_bytes),
        cmocka_unit_test(value_geojson__well_known_binary__is_an_object_or_refused),
        cmocka_unit_test(value_geojson__collections_without_end__are_refused_at_a_depth),
        cmocka_unit_test(value_read__what_the_log_does_not_tell__is_not_guessed),
        cmocka_unit_test(value_read__text_that_is_not_utf8__is_kept_as_bytes),
        cmocka_unit_test(coltype_print__types__read_like_sql),
        cmocka_unit_test(charset__ids_and_names__agree),
        cmocka_unit_test(value_is_utf8__table_of_cases__is_exact),
        cmocka_unit_test(value_json_string__escapes_anywhere__parse_back),
    };
    return cmocka_run_group_tests_name("value", tests, setup, teardown);
}
