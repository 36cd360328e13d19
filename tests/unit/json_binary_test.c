/* Binary JSON: bytes that are no document, limits, overlaps. What the server prints: tests/golden/values and
 * tests/system/test_json.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "tools/random_json.h"
#include "value/json_parts.h"

static size_t unhex(const char *hex, uint8_t *out)
{
    size_t len = strlen(hex) / 2;
    for (size_t i = 0; i < len; i++) {
        char two[3] = {hex[2 * i], hex[2 * i + 1], 0};
        out[i] = (uint8_t)strtoul(two, NULL, 16);
    }
    return len;
}

/* The text of a document in memory of exactly its size, NUL-terminated; NULL when it is refused. Written and measured
 * texts are of one length. The caller frees it. */
static char *text_of(const uint8_t *doc, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1), *text = malloc(JSONB_TEXT_MAX(len) + 1);
    assert_non_null(copy);
    assert_non_null(text);
    if (len)
        memcpy(copy, doc, len);
    uint8_t *end = jsonb_write(text, copy, len);
    struct jsonb_ref root = jsonb_root(copy, len);
    struct jsonb_print count = {.left = len};
    assert_true(jsonb_print_value(&count, &root) == (end != NULL));
    if (end) {
        assert_int_equal(count.len, end - text);
        *end = 0;
    }
    free(copy);
    if (end)
        return (char *)text;
    free(text);
    return NULL;
}

static void check_text(int line, const uint8_t *doc, size_t len, const char *expected)
{
    char *text = text_of(doc, len);
    if (!text != !expected || (text && strcmp(text, expected) != 0))
        fail_msg("line %d: %s", line, text ? text : "refused");
    free(text);
}

static void jsonb_write__bytes_written_down__give_their_text_or_nothing(void **state)
{
    (void)state;
    static const struct {
        int line;
        const char *doc, *text;
    } cases[] = {
        {__LINE__, "", "null"},
        {__LINE__, "0403", NULL},                 /* literals end at 2 */
        {__LINE__, "04", NULL},                   /* no value */
        {__LINE__, "0500", NULL},                 /* half an integer */
        {__LINE__, "0d00", NULL},                 /* no such types */
        {__LINE__, "0e00", NULL},                 /* … */
        {__LINE__, "ff00", NULL},                 /* … */
        {__LINE__, "0b000000000000f07f", NULL},   /* infinity */
        {__LINE__, "0b000000000000f8ff", NULL},   /* not a number */
        {__LINE__, "0c0261", NULL},               /* string beyond the end */
        {__LINE__, "0c8080808000", "\"\""},       /* five length bytes */
        {__LINE__, "0c808080808000", NULL},       /* six */
        {__LINE__, "0c80", NULL},                 /* length without its end */
        {__LINE__, "020100070005", NULL},         /* entry cut off */
        {__LINE__, "0201000600050100", NULL},     /* header larger than all */
        {__LINE__, "0201000800050100", NULL},     /* all larger than there is */
        {__LINE__, "0201000700050100ff", "[1]"},  /* bytes behind are not looked at */
        {__LINE__, "0201000900 0b0700", NULL},    /* double behind the end */
        {__LINE__, "02010009000c06000161", NULL}, /* value inside of the header */
        {__LINE__, "02010009000c07000161", "[\"a\"]"},
        {__LINE__, "02010009000c08000161", NULL}, /* string begins too late */
        {__LINE__, "0002001600120001001300020005010005020061626364", "{\"a\": 1, \"bc\": 2}"},
        {__LINE__, "0002001600120001001300040005010005020061626364", NULL}, /* key ends behind the end */
        {__LINE__, "000100 0c00 0b000100 050100 61", "{\"a\": 1}"},
        {__LINE__, "000100 0c00 0a000100 050100 61", NULL}, /* key inside of the header */
        {__LINE__, "02 0100 0b00 08 0700 ffffffff", "[4294967295]"},
        {__LINE__, "03 01000000 0d000000 08 ffffffff", "[4294967295]"}, /* in its entry */
        {__LINE__, "0f f6 03 020180", NULL},                            /* DECIMAL with too few bytes */
        {__LINE__, "0f f6 03 0200 e4", NULL},                           /* two digits, 100 */
        {__LINE__, "0f f6 03 0200 e3", "99"},
        {__LINE__, "0f f6 03 0202 e3", "0.99"},
        {__LINE__, "0f f6 03 0002 80", NULL}, /* no digits */
        {__LINE__, "0f f6 02 0100", NULL},    /* no bytes */
        {__LINE__, "0f f6 03 ff00 80", NULL}, /* too many digits */
        {__LINE__, "0f 0b 08 0000000000000000", "\"00:00:00.000000\""},
        {__LINE__, "0f 0b 08 ffffffffffffffff", "\"-00:00:00.000001\""},
        {__LINE__, "0f 0b 07 00000000000000", NULL},    /* seven bytes */
        {__LINE__, "0f 0b 08 40420f0000000000", NULL},  /* a million µs */
        {__LINE__, "0f 0b 08 0000003c00000000", NULL},  /* 60 s */
        {__LINE__, "0f 0b 08 00000000 0f000000", NULL}, /* 60 minutes */
        {__LINE__, "0f 0b 08 00000000 70340000", NULL}, /* 839 hours */
        {__LINE__, "0f 0c 08 0000000000000000", "\"0000-00-00 00:00:00.000000\""},
        {__LINE__, "0f 0c 08 ffffffffffffffff", NULL},  /* negative */
        {__LINE__, "0f 0c 08 000000 0080010000", NULL}, /* 24 hours */
        {__LINE__, "0f 0a 08 000000000000ff7f", NULL},  /* year 40000 */
        {__LINE__, "0f 0a 08 0000000000 6cbb19", "\"2026-11-22\""},
        {__LINE__, "0f fd 01 78", "\"x\""}, /* VAR_STRING */
        {__LINE__, "0f fc 00", "\"base64:type252:\""},
        {__LINE__, "0f", NULL},
        {__LINE__, "0f fc", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char hex[256];
        uint8_t doc[128];
        size_t n = 0;
        for (const char *p = cases[i].doc; *p; p++)
            if (*p != ' ')
                hex[n++] = *p;
        hex[n] = '\0';
        check_text(cases[i].line, doc, unhex(hex, doc), cases[i].text);
    }
}

/* Arrays in one another, the innermost empty. */
static size_t nest(uint8_t *doc, unsigned depth)
{
    size_t len = 7 * (size_t)depth - 3 + 1;
    uint8_t *p = doc;
    *p++ = JSONB_SMALL_ARRAY;
    for (unsigned i = 0; i < depth; i++) {
        size_t left = len - (size_t)(p - doc);
        bool last = i + 1 == depth;
        uint8_t list[7] = {!last, 0, (uint8_t)left, (uint8_t)(left >> 8), JSONB_SMALL_ARRAY, 7, 0};
        memcpy(p, list, last ? 4 : 7);
        p += last ? 4 : 7;
    }
    return (size_t)(p - doc);
}

static void jsonb_write__deeper_than_the_server_allows__is_refused(void **state)
{
    (void)state;
    uint8_t doc[1024];
    char *text = text_of(doc, nest(doc, JSONB_DEPTH_MAX));
    assert_non_null(text);
    assert_int_equal(strlen(text), 2 * JSONB_DEPTH_MAX);
    free(text);
    assert_null(text_of(doc, nest(doc, JSONB_DEPTH_MAX + 1)));
}

/* Each array holds the next one eight times: 8^60 values in 1.7 KB. */
static void jsonb_write__values_that_overlap__are_refused_in_bounded_time(void **state)
{
    (void)state;
    uint8_t doc[60 * 28 + 1] = {JSONB_SMALL_ARRAY};
    for (size_t i = 0; i < 60; i++) {
        uint8_t *list = doc + 1 + 28 * i;
        size_t left = sizeof doc - 1 - 28 * i;
        bool last = i == 59;
        list[0] = 8;
        list[2] = (uint8_t)left;
        list[3] = (uint8_t)(left >> 8);
        for (size_t k = 0; k < 8; k++) {
            list[4 + 3 * k] = last ? JSONB_LITERAL : JSONB_SMALL_ARRAY;
            list[5 + 3 * k] = last ? 1 : 28;
        }
    }
    assert_null(text_of(doc, sizeof doc));
    /* the innermost alone holds no other */
    doc[1 + 28 * 58] = JSONB_SMALL_ARRAY;
    char *text = text_of(doc + 28 * 59, 0);
    free(text);
    uint8_t alone[29] = {JSONB_SMALL_ARRAY};
    memcpy(alone + 1, doc + 1 + 28 * 59, 28);
    text = text_of(alone, sizeof alone);
    assert_non_null(text);
    assert_string_equal(text, "[true, true, true, true, true, true, true, true]");
    free(text);
}

/* A string that two entries name is visited twice, more than the document has. */
static void jsonb_write__a_value_named_twice__is_refused(void **state)
{
    (void)state;
    static const uint8_t doc[] = {JSONB_SMALL_ARRAY, 2,  0, 14, 0,   JSONB_STRING, 10, 0,
                                  JSONB_STRING,      10, 0, 3,  'a', 'b',          'c'};
    static const uint8_t once[] = {JSONB_SMALL_ARRAY, 1, 0, 11, 0, JSONB_STRING, 7, 0, 3, 'a', 'b', 'c'};
    assert_null(text_of(doc, sizeof doc));
    check_text(__LINE__, once, sizeof once, "[\"abc\"]");
}

static void jsonb_write__random_documents__are_json_within_the_bound(void **state)
{
    (void)state;
    struct rng rng = {1};
    uint8_t doc[RANDOM_JSON_MAX];
    unsigned objects = 0;
    for (unsigned i = 0; i < 5000; i++) {
        size_t len = random_json(&rng, 5, doc);
        char *text = text_of(doc, len);
        if (!text)
            fail_msg("document %u is refused", i);
        assert_true(strlen(text) <= JSONB_TEXT_MAX(len));
        if (value_is_utf8(text, strlen(text))) {
            json_t *parsed = json_loads(text, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, NULL);
            if (!parsed)
                fail_msg("document %u is not JSON: %s", i, text);
            objects += json_is_object(parsed);
            json_decref(parsed);
        }
        free(text);
    }
    assert_true(objects > 200);
}

/* Under the sanitizers: no read outside, whatever the bytes. */
static void jsonb_write__cut_or_changed_bytes__give_text_or_nothing(void **state)
{
    (void)state;
    struct rng rng = {2};
    uint8_t doc[RANDOM_JSON_MAX];
    unsigned refused = 0;
    for (unsigned i = 0; i < 300; i++) {
        size_t len = random_json(&rng, 4, doc);
        for (size_t cut = 0; cut < len; cut += 1 + cut / 50) {
            char *text = text_of(doc, cut);
            refused += !text;
            free(text);
        }
        for (unsigned k = 0; k < 20 && len > 0; k++) {
            doc[rng_below(&rng, (uint32_t)len)] = (uint8_t)rng_next(&rng);
            char *text = text_of(doc, len);
            refused += !text;
            free(text);
        }
    }
    assert_true(refused > 1000);
}

/* Larger than what is written without measuring; and the arena's end anywhere. */
static void json_read__large_document__takes_what_its_text_needs(void **state)
{
    (void)state;
    struct arena arena;
    struct value v;
    struct err e = ERR_INIT;
    struct coltype type = {.wire = WIRE_JSON, .family = FAMILY_JSON, .walk = WALK_LEN4, .meta = 4};
    size_t count = 20000, len = 9 + 5 * count;
    uint8_t *bytes = calloc(1, 4 + len);
    assert_non_null(bytes);
    for (unsigned i = 0; i < 4; i++) {
        bytes[i] = (uint8_t)(len >> (8 * i));
        bytes[5 + i] = (uint8_t)(count >> (8 * i));
        bytes[9 + i] = (uint8_t)((len - 1) >> (8 * i));
    }
    bytes[4] = JSONB_LARGE_ARRAY;
    for (size_t i = 0; i < count; i++)
        bytes[13 + 5 * i] = JSONB_INT32;
    arena_init(&arena, 64, 0, 3 * count + 64);
    assert_int_equal(value_read(&type, bytes, 4 + len, &v, &arena, &e), 0);
    assert_int_equal(v.kind, VALUE_JSON);
    assert_int_equal(v.s.len, 3 * count);
    assert_memory_equal(v.s.p, "[0, 0, 0", 8);
    arena_release(&arena);
    arena_init(&arena, 64, 0, 3 * count - 1);
    assert_int_equal(value_read(&type, bytes, 4 + len, &v, &arena, &e), -ERR_NO_MEMORY);
    arena_release(&arena);
    bytes[13] = JSONB_STRING;
    assert_int_equal(value_read(&type, bytes, 4 + len, &v, &arena, NULL), -ERR_CORRUPT);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jsonb_write__bytes_written_down__give_their_text_or_nothing),
        cmocka_unit_test(jsonb_write__deeper_than_the_server_allows__is_refused),
        cmocka_unit_test(jsonb_write__values_that_overlap__are_refused_in_bounded_time),
        cmocka_unit_test(jsonb_write__a_value_named_twice__is_refused),
        cmocka_unit_test(jsonb_write__random_documents__are_json_within_the_bound),
        cmocka_unit_test(jsonb_write__cut_or_changed_bytes__give_text_or_nothing),
        cmocka_unit_test(json_read__large_document__takes_what_its_text_needs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
