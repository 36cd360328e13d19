/* Values behind DEFAULT. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "change/column_default.h"

static const struct {
    const char *sql;
    enum column_default_kind kind;
    const char *bytes;
    size_t len;
} cases[] = {
    {"NULL", DEFAULT_NULL, NULL, 0},
    {"null", DEFAULT_NULL, NULL, 0},
    {"NULLS", DEFAULT_EXPRESSION, "NULLS", 5},
    {"''", DEFAULT_TEXT, "", 0},
    {"'it''s'", DEFAULT_TEXT, "it's", 4},
    {"'a\\\\b\\0\\n\\r\\Z'", DEFAULT_TEXT, "a\\b\0\n\r\x1a", 7},
    {"'a\\'b\\t\\b\\q'", DEFAULT_TEXT, "a'b\t\bq", 6},
    {"'a' 'b'", DEFAULT_TEXT, "ab", 2},
    {"'\xc3\xa9'", DEFAULT_TEXT, "\xc3\xa9", 2},
    {"N'x'", DEFAULT_TEXT, "x", 1},
    {"_utf8mb4'\xc3\xa9'", DEFAULT_TEXT, "\xc3\xa9", 2},
    {"_binary 'a'", DEFAULT_TEXT, "a", 1},
    {"_latin1'a'", DEFAULT_TEXT, "a", 1},
    {"_latin1'\xc3\xa9'", DEFAULT_EXPRESSION, "_latin1'\xc3\xa9'", 11},
    {"_utf32'abcd'", DEFAULT_EXPRESSION, "_utf32'abcd'", 12},
    {"_nothing'a'", DEFAULT_EXPRESSION, "_nothing'a'", 11},
    {"DATE'2026-11-22'", DEFAULT_TEXT, "2026-11-22", 10},
    {"TIMESTAMP '2026-11-22 13:14:15'", DEFAULT_TEXT, "2026-11-22 13:14:15", 19},
    {"'no end", DEFAULT_EXPRESSION, "'no end", 7},
    {"'a\\", DEFAULT_EXPRESSION, "'a\\", 3},
    {"'a' COLLATE utf8mb4_bin", DEFAULT_EXPRESSION, "'a' COLLATE utf8mb4_bin", 23},
    {"0", DEFAULT_NUMBER, "0", 1},
    {"-7", DEFAULT_NUMBER, "-7", 2},
    {"- 7", DEFAULT_NUMBER, "-7", 2},
    {"+5", DEFAULT_NUMBER, "5", 1},
    {"007", DEFAULT_NUMBER, "7", 1},
    {"00.50", DEFAULT_NUMBER, "0.50", 4},
    {".5", DEFAULT_NUMBER, "0.5", 3},
    {"-.5", DEFAULT_NUMBER, "-0.5", 4},
    {"1.", DEFAULT_NUMBER, "1", 1},
    {"1.e3", DEFAULT_NUMBER, "1e3", 3},
    {"1e10", DEFAULT_NUMBER, "1e10", 4},
    {"1.5E-10", DEFAULT_NUMBER, "1.5e-10", 7},
    {"18446744073709551615", DEFAULT_NUMBER, "18446744073709551615", 20},
    {"TRUE", DEFAULT_NUMBER, "1", 1},
    {"false", DEFAULT_NUMBER, "0", 1},
    {"1e", DEFAULT_EXPRESSION, "1e", 2},
    {".", DEFAULT_EXPRESSION, ".", 1},
    {"-", DEFAULT_EXPRESSION, "-", 1},
    {"1 + 2", DEFAULT_EXPRESSION, "1 + 2", 5},
    {"b'1000000001'", DEFAULT_BITS, "\x02\x01", 2},
    {"b'1'", DEFAULT_BITS, "\x01", 1},
    {"B'00000000'", DEFAULT_BITS, "\0", 1},
    {"b''", DEFAULT_BITS, "", 0},
    {"0b101", DEFAULT_BITS, "\x05", 1},
    {"b'12'", DEFAULT_EXPRESSION, "b'12'", 5},
    {"x'4142ff'", DEFAULT_HEX, "AB\xff", 3},
    {"X'aF'", DEFAULT_HEX, "\xaf", 1},
    {"x''", DEFAULT_HEX, "", 0},
    {"0x1ff", DEFAULT_HEX, "\x01\xff", 2},
    {"0x", DEFAULT_EXPRESSION, "0x", 2},
    {"0X41", DEFAULT_EXPRESSION, "0X41", 4},
    {"x", DEFAULT_EXPRESSION, "x", 1},
    {"x'", DEFAULT_EXPRESSION, "x'", 2},
    {"x'4g'", DEFAULT_EXPRESSION, "x'4g'", 5},
    {"x'41", DEFAULT_EXPRESSION, "x'41", 4},
    {"(1 + 2)", DEFAULT_EXPRESSION, "(1 + 2)", 7},
    {"(now())", DEFAULT_EXPRESSION, "(now())", 7},
    {"now", DEFAULT_EXPRESSION, "now", 3},
    {"NOW(7)", DEFAULT_EXPRESSION, "NOW(7)", 6},
    {"curdate()", DEFAULT_EXPRESSION, "curdate()", 9},
    {"uuid()", DEFAULT_EXPRESSION, "uuid()", 6},
    {"nextval(`d`.`s`)", DEFAULT_EXPRESSION, "nextval(`d`.`s`)", 16},
    {"", DEFAULT_EXPRESSION, "", 0},
};

static void column_default_parse__forms_of_sql__kind_and_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *exact = strdup(cases[i].sql); /* a byte too many is seen by a sanitizer */
        struct column_definition def = {.initial = exact};
        struct column_default got = {.kind = DEFAULT_NONE};
        struct arena arena;
        arena_init(&arena, 256, 0, 0);
        assert_true(column_default_parse(&def, &got, &arena));
        if (got.kind != cases[i].kind || got.len != cases[i].len || !got.p != !cases[i].bytes ||
            (got.p && memcmp(got.p, cases[i].bytes, got.len + 1) != 0))
            fail_msg("%s: kind %d, %zu bytes", cases[i].sql, (int)got.kind, got.len);
        arena_release(&arena);
        free(exact);
    }
}

static void column_default_parse__cut_anywhere__stays_inside(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t len = 0; len < strlen(cases[i].sql); len++) {
            char *exact = strndup(cases[i].sql, len);
            struct column_definition def = {.initial = exact};
            struct column_default got = {.kind = DEFAULT_NONE};
            struct arena arena;
            arena_init(&arena, 16, 0, 0);
            assert_true(column_default_parse(&def, &got, &arena));
            assert_int_not_equal(got.kind, DEFAULT_NONE);
            assert_true(!got.p || got.p[got.len] == '\0');
            arena_release(&arena);
            free(exact);
        }
    }
}

static void column_default_parse__words_for_the_time__now_with_its_digits(void **state)
{
    (void)state;
    static const struct {
        const char *sql;
        unsigned decimals;
    } nows[] = {{"CURRENT_TIMESTAMP", 0},
                {"current_timestamp()", 0},
                {"CURRENT_TIMESTAMP(6)", 6},
                {"current_timestamp( 3 )", 3},
                {"NOW()", 0},
                {"now(2)", 2},
                {"LOCALTIME", 0},
                {"LOCALTIMESTAMP(1)", 1}};
    for (size_t i = 0; i < sizeof nows / sizeof nows[0]; i++) {
        struct column_definition def = {.initial = nows[i].sql};
        struct column_default got = {.kind = DEFAULT_NONE};
        struct arena arena;
        arena_init(&arena, 256, 0, 0);
        assert_true(column_default_parse(&def, &got, &arena));
        assert_int_equal(got.kind, DEFAULT_NOW);
        assert_int_equal(got.decimals, nows[i].decimals);
        arena_release(&arena);
    }
}

static void column_default_parse__nothing_written__none(void **state)
{
    (void)state;
    struct column_definition def = {.initial = NULL};
    struct column_default got = {.kind = DEFAULT_NULL};
    assert_true(column_default_parse(&def, &got, NULL));
    assert_int_equal(got.kind, DEFAULT_NONE);
}

static void column_default_parse__no_memory__false_and_untouched(void **state)
{
    (void)state;
    struct column_definition def = {.initial = "'a text of some length'"};
    struct column_default got = {.kind = DEFAULT_NULL};
    struct arena arena;
    arena_init(&arena, 16, 0, 16);
    assert_false(column_default_parse(&def, &got, &arena));
    assert_int_equal(got.kind, DEFAULT_NULL);
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(column_default_parse__forms_of_sql__kind_and_bytes),
        cmocka_unit_test(column_default_parse__cut_anywhere__stays_inside),
        cmocka_unit_test(column_default_parse__words_for_the_time__now_with_its_digits),
        cmocka_unit_test(column_default_parse__nothing_written__none),
        cmocka_unit_test(column_default_parse__no_memory__false_and_untouched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
