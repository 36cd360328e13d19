/* Diffs of JSON documents and their paths: what they make of a document, and what is refused. What the server logs:
 * tests/system/test_json.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tools/alloc_fault.h"
#include "value/json_diff.h"
#include "value/json_parts.h"
#include "value/json_path.h"

#define REPLACE 0
#define INSERT  1
#define REMOVE  2

#define DIFFS_MAX 3
#define TEXT_MAX  1024

/* {"a": 1, "b": [1, 2, 3], "c": {"d": "x"}} */
#define DOC                                                                                                            \
    "00 0300 3700  1900 0100  1a00 0100  1b00 0100  05 0100  02 1c00  00 2900  61 62 63"                               \
    "0300 0d00  05 0100  05 0200  05 0300   0100 0e00  0b00 0100  0c 0c00  64  01 78"

#define SEVEN "05 0700"
#define EMPTY "00 0000 0400"

/* ---------------------------------------------------------------- bytes */

static size_t unhex(const char *hex, uint8_t *out)
{
    size_t len = 0;
    while (*hex) {
        char two[3] = {hex[0], hex[1], 0};
        if (*hex == ' ') {
            hex++;
            continue;
        }
        out[len++] = (uint8_t)strtoul(two, NULL, 16);
        hex += 2;
    }
    return len;
}

/* Memory of exactly these bytes behind a length of four bytes; the caller frees it. */
static struct bytes column(const uint8_t *bytes, size_t len)
{
    uint8_t *p = malloc(len + 4);
    assert_non_null(p);
    for (unsigned i = 0; i < 4; i++)
        p[i] = (uint8_t)(len >> (8 * i));
    memcpy(p + 4, bytes, len);
    return (struct bytes){p, len + 4};
}

static void free_bytes(struct bytes bytes)
{
    free((void *)(uintptr_t)bytes.p);
}

struct diff {
    int op;
    const char *path;
    const char *value;
};

static size_t put_diff(const struct diff *diff, uint8_t *out)
{
    uint8_t *o = out;
    size_t len = strlen(diff->path);
    assert_true(len < 251);
    *o++ = (uint8_t)diff->op;
    *o++ = (uint8_t)len;
    memcpy(o, diff->path, len);
    o += len;
    if (diff->op != REMOVE) {
        len = unhex(diff->value, o + 1);
        *o++ = (uint8_t)len;
        o += len;
    }
    return (size_t)(o - out);
}

static struct coltype json_type(void)
{
    static const uint8_t metadata[] = {4};
    struct coltype type;
    struct cursor cur = cursor_over(metadata, sizeof metadata);
    assert_int_equal(coltype_init(&type, WIRE_JSON, &cur, NULL), 0);
    return type;
}

/* Applies to a document, or with none gives the diffs as text. `text` has TEXT_MAX bytes. */
static int run(struct bytes doc, struct bytes diffs, char *text)
{
    struct coltype type = json_type();
    struct arena arena;
    struct value v;
    struct err e = ERR_INIT;
    arena_init(&arena, 16, 0, 0);
    int rc =
        doc.p ? jsonb_diff_apply(&type, doc, diffs, &v, &arena, &e) : jsonb_diff_text(&type, diffs, &v, &arena, &e);
    if (rc == 0) {
        assert_int_equal(v.kind, doc.p ? VALUE_JSON : VALUE_JSON_DIFF);
        snprintf(text, TEXT_MAX, "%.*s", (int)v.s.len, v.s.p);
    } else {
        assert_int_equal(rc, -(int)e.code);
        snprintf(text, TEXT_MAX, "%s", e.text);
    }
    arena_release(&arena);
    return rc;
}

/* ---------------------------------------------------------------- paths */

/* Legs as text: (name), bytes that are not printable as <ff>; [3], [last-2]. False when the path is refused. */
static bool legs_of(const char *path, size_t len, char *out)
{
    char *copy = malloc(len ? len : 1);
    struct arena arena;
    struct json_leg leg;
    struct err e = ERR_INIT;
    int more = 1, rc;
    assert_non_null(copy);
    memcpy(copy, path, len);
    arena_init(&arena, 16, 0, 0);
    struct cursor cur = cursor_over(copy, len);
    rc = json_path_open(&cur, &e);
    *out = '\0';
    while (rc == 0 && (more = json_path_next(&cur, &leg, &arena, &e)) == 1) {
        if (leg.cell)
            out += snprintf(out, 32, leg.from_end ? "[last-%u]" : "[%u]", leg.index);
        else
            *out++ = '(';
        for (size_t i = 0; i < leg.name.len; i++)
            out += snprintf(out, 8, leg.name.p[i] > ' ' && leg.name.p[i] < 127 ? "%c" : "<%02x>", leg.name.p[i]);
        if (!leg.cell)
            *out++ = ')';
        *out = '\0';
    }
    bool refused = rc != 0 || more < 0;
    assert_int_equal(e.code, refused ? ERR_CORRUPT : 0);
    arena_release(&arena);
    free(copy);
    return !refused;
}

static void json_path__paths_written_down__give_their_legs_or_are_refused(void **state)
{
    (void)state;
    static const struct {
        int line;
        const char *path, *legs;
    } cases[] = {
        {__LINE__, "$", ""},
        {__LINE__, "", NULL},
        {__LINE__, "a", NULL},
        {__LINE__, "$a", NULL},
        {__LINE__, "$ .a", NULL},
        {__LINE__, "$.a", "(a)"},
        {__LINE__, "$.a.bc[0].d[12][3]", "(a)(bc)[0](d)[12][3]"},
        {__LINE__, "$.caf\xc3\xa9", "(caf<c3><a9>)"},
        {__LINE__, "$.", NULL},
        {__LINE__, "$..a", NULL},
        {__LINE__, "$.a.", NULL},
        {__LINE__, "$.[0]", NULL},
        {__LINE__, "$[0]", "[0]"},
        {__LINE__, "$[007]", "[7]"},
        {__LINE__, "$[4294967295]", "[4294967295]"},
        {__LINE__, "$[4294967296]", NULL},
        {__LINE__, "$[18446744073709551616]", NULL},
        {__LINE__, "$[", NULL},
        {__LINE__, "$[]", NULL},
        {__LINE__, "$[1", NULL},
        {__LINE__, "$[-1]", NULL},
        {__LINE__, "$[ 1]", NULL},
        {__LINE__, "$[a]", NULL},
        {__LINE__, "$[last]", "[last-0]"},
        {__LINE__, "$[last-7].a", "[last-7](a)"},
        {__LINE__, "$[last-4294967296]", NULL},
        {__LINE__, "$[last-]", NULL},
        {__LINE__, "$[last+1]", NULL},
        {__LINE__, "$[last", NULL},
        {__LINE__, "$[las]", NULL},
        {__LINE__, "$[*]", NULL},      /* no one place */
        {__LINE__, "$.*", NULL},       /* … */
        {__LINE__, "$.a*", NULL},      /* … */
        {__LINE__, "$**.a", NULL},     /* … */
        {__LINE__, "$[1 to 2]", NULL}, /* … */
        {__LINE__, "$.\"\"", "()"},
        {__LINE__, "$.\"a b\".c", "(a<20>b)(c)"},
        {__LINE__, "$.\"a.b[0]*\"[1]", "(a.b[0]*)[1]"},
        {__LINE__, "$.\"\\\"\\\\\\/\"", "(\"\\/)"},
        {__LINE__, "$.\"\\b\\f\\n\\r\\t\"", "(<08><0c><0a><0d><09>)"},
        {__LINE__, "$.\"\\u0000\\u001f\\u0041\\u007F\"", "(<00><1f>A<7f>)"},
        {__LINE__, "$.\"a\\\\\".b", "(a\\)(b)"},
        {__LINE__, "$.\"\\u0080\"", NULL}, /* UTF-8 is not escaped */
        {__LINE__, "$.\"\\u0141\"", NULL},
        {__LINE__, "$.\"\\u004\"", NULL},
        {__LINE__, "$.\"\\u00\"", NULL},
        {__LINE__, "$.\"\\u00g0\"", NULL},
        {__LINE__, "$.\"\\x\"", NULL},
        {__LINE__, "$.\"\\'\"", NULL},
        {__LINE__, "$.\"", NULL},
        {__LINE__, "$.\"a", NULL},
        {__LINE__, "$.\"a\\", NULL},
        {__LINE__, "$.\"a\\\"", NULL},
        {__LINE__, "$.\"a\\n", NULL},
        {__LINE__, "$.\"a\"b", NULL},
        {__LINE__, "$.a\\\"", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char legs[TEXT_MAX];
        bool fine = legs_of(cases[i].path, strlen(cases[i].path), legs);
        if (fine != (cases[i].legs != NULL) || (fine && strcmp(legs, cases[i].legs) != 0))
            fail_msg("line %d: %s", cases[i].line, fine ? legs : "refused");
    }
}

static void json_path__every_truncation__is_refused_inside_of_a_leg(void **state)
{
    (void)state;
    static const char path[] = "$.\"a\\u0001\\n\"[last-12][34].\"b\"";
    static const char *const legs[] = {"", "(a<01><0a>)", "(a<01><0a>)[last-12]", "(a<01><0a>)[last-12][34]"};
    static const size_t ends[] = {1, 13, 22, 26};
    for (size_t len = 0, next = 0; len < sizeof path - 1; len++) {
        char text[TEXT_MAX];
        bool fine = legs_of(path, len, text);
        assert_int_equal(fine, next < 4 && len == ends[next]);
        if (fine)
            assert_string_equal(text, legs[next++]);
    }
}

static void json_leg_place__cells__count_from_both_ends(void **state)
{
    (void)state;
    static const struct {
        bool from_end;
        uint32_t index, count, place;
        bool inside;
    } cases[] = {
        {false, 0, 3, 0, true},           {false, 2, 3, 2, true}, {false, 3, 3, 3, false}, {false, 0, 0, 0, false},
        {false, UINT32_MAX, 3, 3, false}, {true, 0, 3, 2, true},  {true, 2, 3, 0, true},   {true, 3, 3, 0, false},
        {true, UINT32_MAX, 3, 0, false},  {true, 0, 0, 0, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct json_leg leg = {.cell = true, .from_end = cases[i].from_end, .index = cases[i].index};
        bool inside = !cases[i].inside;
        assert_int_equal(json_leg_place(&leg, cases[i].count, &inside), cases[i].place);
        assert_int_equal(inside, cases[i].inside);
    }
}

/* ---------------------------------------------------------------- diffs */

static const struct {
    int line;
    struct diff diffs[DIFFS_MAX]; /* up to the first without a path */
    const char *doc;              /* after them, or NULL and … */
    const char *error;            /* … a part of what is said */
} table[] = {
    {__LINE__, {{0}}, "{\"a\": 1, \"b\": [1, 2, 3], \"c\": {\"d\": \"x\"}}", NULL},
    {__LINE__, {{REPLACE, "$.a", SEVEN}}, "{\"a\": 7, \"b\": [1, 2, 3], \"c\": {\"d\": \"x\"}}", NULL},
    {__LINE__, {{REPLACE, "$.a", ""}}, "{\"a\": null, \"b\": [1, 2, 3], \"c\": {\"d\": \"x\"}}", NULL},
    {__LINE__, {{REPLACE, "$.b[last-2]", SEVEN}}, "{\"a\": 1, \"b\": [7, 2, 3], \"c\": {\"d\": \"x\"}}", NULL},
    {__LINE__, {{REPLACE, "$.c.d", EMPTY}}, "{\"a\": 1, \"b\": [1, 2, 3], \"c\": {\"d\": {}}}", NULL},
    {__LINE__, {{INSERT, "$.B", SEVEN}}, "{\"B\": 7, \"a\": 1, \"b\": [1, 2, 3], \"c\": {\"d\": \"x\"}}", NULL},
    {__LINE__, {{INSERT, "$.aa", SEVEN}}, "{\"a\": 1, \"b\": [1, 2, 3], \"c\": {\"d\": \"x\"}, \"aa\": 7}", NULL},
    {__LINE__, {{INSERT, "$.\"\"", SEVEN}}, "{\"\": 7, \"a\": 1, \"b\": [1, 2, 3], \"c\": {\"d\": \"x\"}}", NULL},
    {__LINE__,
     {{INSERT, "$.c.\"\\\"\\n\"", SEVEN}},
     "{\"a\": 1, \"b\": [1, 2, 3], \"c\": {\"d\": \"x\", \"\\\"\\n\": 7}}",
     NULL},
    {__LINE__, {{INSERT, "$.b[0]", SEVEN}}, "{\"a\": 1, \"b\": [7, 1, 2, 3], \"c\": {\"d\": \"x\"}}", NULL},
    {__LINE__, {{INSERT, "$.b[last]", SEVEN}}, "{\"a\": 1, \"b\": [1, 2, 7, 3], \"c\": {\"d\": \"x\"}}", NULL},
    {__LINE__, {{INSERT, "$.b[3]", SEVEN}}, "{\"a\": 1, \"b\": [1, 2, 3, 7], \"c\": {\"d\": \"x\"}}", NULL},
    {__LINE__, {{INSERT, "$.b[99]", SEVEN}}, "{\"a\": 1, \"b\": [1, 2, 3, 7], \"c\": {\"d\": \"x\"}}", NULL},
    {__LINE__, {{INSERT, "$.b[last-9]", SEVEN}}, "{\"a\": 1, \"b\": [7, 1, 2, 3], \"c\": {\"d\": \"x\"}}", NULL},
    {__LINE__, {{REMOVE, "$.a", NULL}}, "{\"b\": [1, 2, 3], \"c\": {\"d\": \"x\"}}", NULL},
    {__LINE__, {{REMOVE, "$.b[1]", NULL}}, "{\"a\": 1, \"b\": [1, 3], \"c\": {\"d\": \"x\"}}", NULL},
    {__LINE__, {{REMOVE, "$.c.d", NULL}}, "{\"a\": 1, \"b\": [1, 2, 3], \"c\": {}}", NULL},
    {__LINE__, {{REMOVE, "$.c", NULL}, {REMOVE, "$.b", NULL}, {REMOVE, "$.a", NULL}}, "{}", NULL},
    {__LINE__,
     {{INSERT, "$.e", EMPTY}, {INSERT, "$.e.f", SEVEN}, {REPLACE, "$.e.f", "0c 01 79"}}, /* into what came before */
     "{\"a\": 1, \"b\": [1, 2, 3], \"c\": {\"d\": \"x\"}, \"e\": {\"f\": \"y\"}}",
     NULL},
    {__LINE__,
     {{REMOVE, "$.b[0]", NULL}, {INSERT, "$.b[0]", SEVEN}, {REPLACE, "$.b[2]", ""}},
     "{\"a\": 1, \"b\": [7, 2, null], \"c\": {\"d\": \"x\"}}",
     NULL},
    {__LINE__, {{REPLACE, "$", SEVEN}}, NULL, "whole document"},
    {__LINE__, {{REMOVE, "$", NULL}}, NULL, "whole document"},
    {__LINE__, {{REPLACE, "$.e", SEVEN}}, NULL, "not in the document as the update takes it"},
    {__LINE__, {{REPLACE, "$.b[3]", SEVEN}}, NULL, "not in the document as the update takes it"},
    {__LINE__, {{REMOVE, "$.aa", NULL}}, NULL, "not in the document as the update takes it"},
    {__LINE__, {{REMOVE, "$.b[last-3]", NULL}}, NULL, "not in the document as the update takes it"},
    {__LINE__, {{INSERT, "$.a", SEVEN}}, NULL, "not in the document as the update takes it"}, /* is there */
    {__LINE__, {{REMOVE, "$.a", NULL}, {REMOVE, "$.a", NULL}}, NULL, "not in the document as the update takes it"},
    {__LINE__, {{REPLACE, "$[0]", SEVEN}}, NULL, "another kind of container"},
    {__LINE__, {{INSERT, "$.b.x", SEVEN}}, NULL, "another kind of container"},
    {__LINE__, {{REPLACE, "$.a.x", SEVEN}}, NULL, "no container"},
    {__LINE__, {{REPLACE, "$.c.d[0]", SEVEN}}, NULL, "no container"},
    {__LINE__, {{REPLACE, "$.e.x", SEVEN}}, NULL, "is not in the document"},
    {__LINE__, {{REPLACE, "$.b[3][0]", SEVEN}}, NULL, "is not in the document"},
    {__LINE__, {{REPLACE, "$[0].x", SEVEN}}, NULL, "another kind of container"},
    {__LINE__, {{3, "$.a", SEVEN}}, NULL, "malformed"},
    {__LINE__, {{255, "$.a", SEVEN}}, NULL, "malformed"},
    {__LINE__, {{REPLACE, "", SEVEN}}, NULL, "path of a partial update is malformed"},
    {__LINE__, {{REPLACE, "$.a.", SEVEN}}, NULL, "path of a partial update is malformed"},
    {__LINE__, {{REPLACE, "$.*", SEVEN}}, NULL, "path of a partial update is malformed"},
    {__LINE__, {{REPLACE, "$.a", "ff"}}, NULL, "not a binary JSON document"},
    {__LINE__, {{REPLACE, "$.a", "05 07"}}, NULL, "not a binary JSON document"},
    {__LINE__, {{REPLACE, "$.a", "02"}, {INSERT, "$.a[0]", SEVEN}}, NULL, "not a binary JSON document"},
};
#define TABLE_ROWS (sizeof table / sizeof table[0])

static struct bytes document(void)
{
    uint8_t bytes[TEXT_MAX];
    return column(bytes, unhex(DOC, bytes));
}

/* The diffs of a row; *ends: where one ends. */
static size_t put_row(size_t row, uint8_t *out, size_t ends[DIFFS_MAX + 1])
{
    size_t len = 0;
    unsigned count = 0;
    ends[0] = 0;
    for (; count < DIFFS_MAX && table[row].diffs[count].path; count++) {
        len += put_diff(&table[row].diffs[count], out + len);
        ends[count + 1] = len;
    }
    for (unsigned i = count; i < DIFFS_MAX; i++)
        ends[i + 1] = len;
    return len;
}

static void jsonb_diff_apply__diffs_written_down__give_their_document_or_are_refused(void **state)
{
    (void)state;
    struct bytes doc = document();
    for (size_t i = 0; i < TABLE_ROWS; i++) {
        uint8_t bytes[TEXT_MAX];
        char text[TEXT_MAX];
        size_t ends[DIFFS_MAX + 1];
        struct bytes diffs = column(bytes, put_row(i, bytes, ends));
        int rc = run(doc, diffs, text);
        if (rc != (table[i].doc ? 0 : -(int)ERR_CORRUPT) ||
            (table[i].doc ? strcmp(text, table[i].doc) != 0 : !strstr(text, table[i].error)))
            fail_msg("line %d: %d, %s", table[i].line, rc, text);
        free_bytes(diffs);
    }
    free_bytes(doc);
}

static void jsonb_diff__every_truncation__is_corrupt_inside_of_a_diff(void **state)
{
    (void)state;
    struct bytes doc = document(), none = {NULL, 0};
    for (size_t i = 0; i < TABLE_ROWS; i++) {
        uint8_t bytes[TEXT_MAX];
        char text[TEXT_MAX];
        size_t ends[DIFFS_MAX + 1], len = put_row(i, bytes, ends);
        for (size_t cut = 0; table[i].doc && cut < len; cut++) {
            struct bytes diffs = column(bytes, cut);
            int expected = cut == ends[0] || cut == ends[1] || cut == ends[2] ? 0 : -(int)ERR_CORRUPT;
            if (run(doc, diffs, text) != expected || run(none, diffs, text) != expected)
                fail_msg("line %d, %zu bytes: %s", table[i].line, cut, text);
            free_bytes(diffs);
        }
    }
    free_bytes(doc);
}

/* Of the whole column: the length in front is another one then. */
static void jsonb_diff__value_cut_or_too_long__is_corrupt(void **state)
{
    (void)state;
    const struct diff diff = {REPLACE, "$.a", SEVEN};
    uint8_t bytes[TEXT_MAX];
    char text[TEXT_MAX];
    struct bytes doc = document(), diffs = column(bytes, put_diff(&diff, bytes)), none = {NULL, 0};
    for (size_t len = 0; len < diffs.len; len++) {
        uint8_t *cut = malloc(len ? len : 1);
        assert_non_null(cut);
        memcpy(cut, diffs.p, len);
        assert_int_equal(run(doc, (struct bytes){cut, len}, text), -ERR_CORRUPT);
        assert_int_equal(run(none, (struct bytes){cut, len}, text), -ERR_CORRUPT);
        free(cut);
    }
    for (size_t len = 1; len < doc.len; len++) {
        uint8_t *cut = malloc(len);
        assert_non_null(cut);
        memcpy(cut, doc.p, len);
        assert_int_equal(run((struct bytes){cut, len}, diffs, text), -ERR_CORRUPT);
        free(cut);
        struct bytes fitting = column(doc.p + 4, len < 4 ? 0 : len - 4);
        assert_int_equal(run(fitting, diffs, text), -ERR_CORRUPT);
        free_bytes(fitting);
    }
    free_bytes(doc);
    free_bytes(diffs);
}

static void jsonb_diff_text__diffs_written_down__give_their_list_or_are_refused(void **state)
{
    (void)state;
    static const struct {
        int line;
        struct diff diffs[DIFFS_MAX];
        const char *text; /* NULL: refused */
    } cases[] = {
        {__LINE__, {{0}}, "[]"},
        {__LINE__, {{REPLACE, "$.a", SEVEN}}, "[{\"op\":\"replace\",\"path\":\"$.a\",\"value\":\"7\"}]"},
        {__LINE__,
         {{INSERT, "$.\"b \\\" c\"[last-1]", EMPTY}, {REMOVE, "$[0]", NULL}, {REPLACE, "$.caf\xc3\xa9", ""}},
         "[{\"op\":\"insert\",\"path\":\"$.\\\"b \\\\\\\" c\\\"[last-1]\",\"value\":\"{}\"},"
         "{\"op\":\"remove\",\"path\":\"$[0]\"},"
         "{\"op\":\"replace\",\"path\":\"$.caf\xc3\xa9\",\"value\":\"null\"}]"},
        {__LINE__,
         {{REPLACE, "$.a", "02 0200 0c00 05 0100 0c 0a00 01 78"}}, /* [1, "x"] */
         "[{\"op\":\"replace\",\"path\":\"$.a\",\"value\":\"[1, \\\"x\\\"]\"}]"},
        {__LINE__, {{REPLACE, "$.\xff", SEVEN}}, NULL},
        {__LINE__, {{REPLACE, "$.a", "0c 01 ff"}}, NULL},
        {__LINE__, {{REPLACE, "$.a", "ff"}}, NULL},
        {__LINE__, {{REMOVE, "$.", NULL}}, NULL},
        {__LINE__, {{REMOVE, "", NULL}}, NULL},
        {__LINE__, {{REMOVE, "$.\"\\x\"", NULL}}, NULL},
        {__LINE__, {{3, "$.a", SEVEN}}, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t bytes[TEXT_MAX];
        char text[TEXT_MAX];
        size_t len = 0;
        for (unsigned k = 0; k < DIFFS_MAX && cases[i].diffs[k].path; k++)
            len += put_diff(&cases[i].diffs[k], bytes + len);
        struct bytes diffs = column(bytes, len);
        int rc = run((struct bytes){NULL, 0}, diffs, text);
        if (rc != (cases[i].text ? 0 : -(int)ERR_CORRUPT) || (cases[i].text && strcmp(text, cases[i].text) != 0))
            fail_msg("line %d: %d, %s", cases[i].line, rc, text);
        free_bytes(diffs);
    }
}

/* More members than an opened container had room for, several times. */
static void jsonb_diff_apply__many_inserts__keep_their_order(void **state)
{
    (void)state;
    enum { COUNT = 40 };
    uint8_t bytes[4096];
    char text[TEXT_MAX], expected[TEXT_MAX], value[8];
    size_t len = 0;
    for (unsigned i = 0; i < COUNT; i++) {
        snprintf(value, sizeof value, "05 %02x00", i + 4);
        len += put_diff(&(struct diff){INSERT, "$.b[9999]", value}, bytes + len);
    }
    struct bytes doc = document(), diffs = column(bytes, len);
    assert_int_equal(run(doc, diffs, text), 0);
    char *o = expected + snprintf(expected, sizeof expected, "{\"a\": 1, \"b\": [1");
    for (unsigned i = 2; i < COUNT + 4; i++)
        o += snprintf(o, 8, ", %u", i);
    snprintf(o, 32, "], \"c\": {\"d\": \"x\"}}");
    assert_string_equal(text, expected);
    free_bytes(doc);
    free_bytes(diffs);
}

/* Arrays in one another as deep as the server allows, the innermost empty. */
static struct bytes nested(unsigned depth)
{
    uint8_t bytes[1024], *p = bytes;
    size_t len = 7 * (size_t)depth - 2;
    *p++ = JSONB_SMALL_ARRAY;
    for (unsigned i = 1; i <= depth; i++) {
        size_t left = len - (size_t)(p - bytes);
        uint8_t list[7] = {i < depth, 0, (uint8_t)left, (uint8_t)(left >> 8), JSONB_SMALL_ARRAY, 7, 0};
        memcpy(p, list, i < depth ? 7 : 4);
        p += i < depth ? 7 : 4;
    }
    return column(bytes, len);
}

static void jsonb_diff_apply__deeper_than_the_server_allows__is_refused(void **state)
{
    (void)state;
    char path[256] = "$";
    uint8_t bytes[1024];
    char text[TEXT_MAX];
    for (unsigned i = 0; i < 60; i++)
        memcpy(path + 1 + 3 * (size_t)i, "[0]", 4);
    struct diff scalar = {INSERT, path, SEVEN}, array = {INSERT, path, "02 0000 0400"};
    const struct {
        unsigned depth;
        const struct diff *diff;
        int rc;
    } cases[] = {{60, &scalar, 0}, {60, &array, 0}, {59, &scalar, -ERR_CORRUPT}, {61, &array, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bytes doc = nested(cases[i].depth), diffs = column(bytes, put_diff(cases[i].diff, bytes));
        assert_int_equal(run(doc, diffs, text), cases[i].rc);
        free_bytes(doc);
        free_bytes(diffs);
    }
    struct bytes doc = nested(JSONB_DEPTH_MAX);
    size_t value = doc.len - 4;
    assert_true(value < 1024);
    /* the deepest document as a member of another */
    uint8_t *o = bytes;
    *o++ = REPLACE;
    *o++ = 3;
    memcpy(o, "$.a", 3);
    o += 3;
    *o++ = 0xfc;
    *o++ = (uint8_t)value;
    *o++ = (uint8_t)(value >> 8);
    memcpy(o, doc.p + 4, value);
    struct bytes diffs = column(bytes, 8 + value), outer = document();
    assert_int_equal(run((struct bytes){NULL, 0}, diffs, text), 0);
    assert_int_equal(run(outer, diffs, text), -ERR_CORRUPT);
    free_bytes(doc);
    free_bytes(diffs);
    free_bytes(outer);
}

static void jsonb_diff__each_allocation_fails__no_memory(void **state)
{
    (void)state;
    struct bytes doc = document(), none = {NULL, 0};
    for (size_t i = 0; i < 2 * TABLE_ROWS; i++) {
        uint8_t bytes[TEXT_MAX];
        char text[TEXT_MAX], again[TEXT_MAX];
        size_t ends[DIFFS_MAX + 1];
        struct bytes diffs = column(bytes, put_row(i / 2, bytes, ends)), from = i % 2 ? none : doc;
        int expected = run(from, diffs, text), rc;
        bool met = true;
        for (unsigned n = 1; met; n++) {
            alloc_fault_arm(n);
            rc = run(from, diffs, again);
            met = alloc_fault_met();
            alloc_fault_arm(0);
            if (rc != expected && !(met && rc == -(int)ERR_NO_MEMORY))
                fail_msg("line %d, allocation %u: %d", table[i / 2].line, n, rc);
        }
        assert_string_equal(text, again);
        free_bytes(diffs);
    }
    free_bytes(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_path__paths_written_down__give_their_legs_or_are_refused),
        cmocka_unit_test(json_path__every_truncation__is_refused_inside_of_a_leg),
        cmocka_unit_test(json_leg_place__cells__count_from_both_ends),
        cmocka_unit_test(jsonb_diff_apply__diffs_written_down__give_their_document_or_are_refused),
        cmocka_unit_test(jsonb_diff__every_truncation__is_corrupt_inside_of_a_diff),
        cmocka_unit_test(jsonb_diff__value_cut_or_too_long__is_corrupt),
        cmocka_unit_test(jsonb_diff_text__diffs_written_down__give_their_list_or_are_refused),
        cmocka_unit_test(jsonb_diff_apply__many_inserts__keep_their_order),
        cmocka_unit_test(jsonb_diff_apply__deeper_than_the_server_allows__is_refused),
        cmocka_unit_test(jsonb_diff__each_allocation_fails__no_memory),
    };
    return cmocka_run_group_tests_name("json_diff", tests, NULL, NULL);
}
