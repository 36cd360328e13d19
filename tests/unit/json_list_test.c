/* Elements of a JSON array: what is one, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "change/json_list.h"

/* The elements, each in angle brackets, null as "-"; "!" and the reason where it is refused. From an exact copy of the
 * text, so that a read past its end is seen by a sanitizer. */
static void elements(const char *text, size_t len, struct buf *out)
{
    char *copy = test_malloc(len + !len);
    struct json_list list;
    struct buf one;
    enum json_list_found found;
    memcpy(copy, text, len);
    buf_init(&one, 0);
    buf_clear(out);
    json_list_open(&list, copy, len);
    while ((found = json_list_next(&list, &one)) == JSON_LIST_TEXT || found == JSON_LIST_NULL) {
        buf_text(out, found == JSON_LIST_NULL ? "-" : "<");
        buf_add(out, one.p, one.len);
        buf_text(out, found == JSON_LIST_NULL ? "" : ">");
        buf_clear(&one);
    }
    if (found == JSON_LIST_BAD) {
        buf_text(out, "!");
        buf_text(out, list.why);
    }
    buf_release(&one);
    test_free(copy);
}

#define NO_JSON  "!it is not JSON"
#define NO_ARRAY "!it is no JSON array"
#define NESTED   "!it has an object or a list as an element"

static void json_list__table_of_documents__gives_elements_or_why_not(void **state)
{
    (void)state;
    static const struct {
        int line;
        const char *text, *expected;
    } cases[] = {
        {__LINE__, "[]", ""},
        {__LINE__, " \t\r\n[ \n] \n", ""},
        {__LINE__, "null", ""},
        {__LINE__, " null ", ""},
        {__LINE__, "[\"a\"]", "<a>"},
        {__LINE__, "[\"a\", 17 ,true,false,null , \"\"]", "<a><17><true><false>-<>"},
        {__LINE__, "[0,-0,1.50,-12e+3,1E5,18446744073709551616]", "<0><-0><1.50><-12e+3><1E5><18446744073709551616>"},
        {__LINE__, "[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]", "<\"\\/\b\f\n\r\t>"},
        {__LINE__, "[\"\\u0041\\u00e9\\u20AC\\ud83d\\uDE00\"]", "<A\u00e9\u20ac\U0001f600>"},
        {__LINE__, "[\"\u00e9\U0001f600 ,]\"]", "<\u00e9\U0001f600 ,]>"},
        {__LINE__, "", NO_ARRAY},
        {__LINE__, "a,b", NO_ARRAY},
        {__LINE__, "\"a\"", NO_ARRAY},
        {__LINE__, "17", NO_ARRAY},
        {__LINE__, "{\"a\": 1}", NO_ARRAY},
        {__LINE__, "nul", NO_ARRAY},
        {__LINE__, "null x", NO_JSON},
        {__LINE__, "[[]]", NESTED},
        {__LINE__, "[1, {}]", "<1>" NESTED},
        {__LINE__, "[", NO_JSON},
        {__LINE__, "[1", "<1>" NO_JSON},
        {__LINE__, "[1,", "<1>" NO_JSON},
        {__LINE__, "[,1]", NO_JSON},
        {__LINE__, "[1 2]", "<1>" NO_JSON},
        {__LINE__, "[1] 2", "<1>" NO_JSON},
        {__LINE__, "[1]]", "<1>" NO_JSON},
        {__LINE__, "[01]", "<0>" NO_JSON},
        {__LINE__, "[-]", NO_JSON},
        {__LINE__, "[1.]", NO_JSON},
        {__LINE__, "[.5]", NO_JSON},
        {__LINE__, "[1e]", NO_JSON},
        {__LINE__, "[1e+]", NO_JSON},
        {__LINE__, "[+1]", NO_JSON},
        {__LINE__, "[NaN]", NO_JSON},
        {__LINE__, "[truE]", NO_JSON},
        {__LINE__, "['a']", NO_JSON},
        {__LINE__, "[\"a]", NO_JSON},
        {__LINE__, "[\"a\nb\"]", NO_JSON},
        {__LINE__, "[\"\\x41\"]", NO_JSON},
        {__LINE__, "[\"\\", NO_JSON},
        {__LINE__, "[\"\\u12", NO_JSON},
        {__LINE__, "[\"\\u12g4\"]", NO_JSON},
        {__LINE__, "[\"\\ud83d\"]", NO_JSON},
        {__LINE__, "[\"\\ud83dx\"]", NO_JSON},
        {__LINE__, "[\"\\ud83d\\u0041\"]", NO_JSON},
        {__LINE__, "[\"\\ude00\"]", NO_JSON},
    };
    struct buf out;
    buf_init(&out, 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        elements(cases[i].text, strlen(cases[i].text), &out);
        if (out.len != strlen(cases[i].expected) || (out.len && memcmp(out.p, cases[i].expected, out.len) != 0))
            fail_msg("line %d: %.*s", cases[i].line, (int)out.len, (const char *)out.p);
    }
    elements("[\"a\\u0000b\"]", 12, &out);
    assert_int_equal(out.len, 5);
    assert_memory_equal(out.p, "<a\0b>", 5);
    buf_release(&out);
}

/* 1: an array of strings, numbers, words; 0: another document; -1: no JSON. */
static int judged(const char *text, size_t len)
{
    json_t *doc = json_loadb(text, len, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL, NULL);
    int is = !doc ? -1 : json_is_array(doc) || json_is_null(doc);
    for (size_t i = 0; is == 1 && i < json_array_size(doc); i++)
        if (json_is_array(json_array_get(doc, i)) || json_is_object(json_array_get(doc, i)))
            is = 0;
    json_decref(doc);
    return is;
}

/* Documents from pieces of the grammar, most of them broken: as a parser of others judges them. */
static void json_list__any_document__is_judged_as_by_jansson(void **state)
{
    (void)state;
    static const char *const pieces[] = {"[", "]",      ",",    "\"", "a",    "\\n",   "\\u00e9",        "{\"x\":1}",
                                         "1", "-0.5e3", "null", " ",  "true", "\"b\"", "\\ud83d\\ude00", "\"c\",",
                                         "[", "]"};
    uint32_t seed = 1;
    unsigned good = 0;
    struct buf out;
    buf_init(&out, 0);
    for (unsigned round = 0; round < 200000; round++) {
        char text[128] = "[";
        size_t len = 1;
        for (unsigned n = 0; n < 8; n++) {
            seed = seed * 1664525u + 1013904223u;
            size_t pick = (seed >> 16) % (n == 7 || round % 3 ? sizeof pieces / sizeof *pieces : 16);
            len += (size_t)snprintf(text + len, sizeof text - len, "%s", pieces[pick]);
            if (judged(text, len) == 1)
                break;
        }
        int is = judged(text, len);
        elements(text, len, &out);
        bool refused = out.len && memchr(out.p, '!', out.len);
        if (refused != (is != 1))
            fail_msg("%s: jansson %d, %.*s", text, is, (int)out.len, (const char *)out.p);
        good += is == 1;
    }
    assert_true(good > 1000);
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_list__table_of_documents__gives_elements_or_why_not),
        cmocka_unit_test(json_list__any_document__is_judged_as_by_jansson),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
