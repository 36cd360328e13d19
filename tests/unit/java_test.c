/* Numbers, strings and hashes as Java writes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "value/java.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    double v;
    const char *text;
} doubles[] = {
    {0.0, "0.0"},
    {-0.0, "-0.0"},
    {1.0, "1.0"},
    {-1.5, "-1.5"},
    {0.001, "0.001"},
    {0.00099, "9.9E-4"},
    {9999999.0, "9999999.0"},
    {10000000.0, "1.0E7"},
    {12345678.9, "1.23456789E7"},
    {123456.0, "123456.0"},
    {100.0, "100.0"},
    {1e100, "1.0E100"},
    {2e23, "2.0E23"},
    {1.7976931348623157e308, "1.7976931348623157E308"},
    {4.9e-324, "4.9E-324"},
    {9.9e-324, "9.9E-324"},
    {2.2250738585072014e-308, "2.2250738585072014E-308"},
    {123456789012345678901234567890.0, "1.2345678901234568E29"},
};

static void write_java_double__known_numbers__are_as_java_prints_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof doubles / sizeof doubles[0]; i++) {
        char text[WRITE_JAVA_MAX + 1] = "";
        *write_java_double((uint8_t *)text, doubles[i].v) = 0;
        assert_string_equal(text, doubles[i].text);
    }
}

static const struct {
    float v;
    const char *text;
} floats[] = {
    {0.0f, "0.0"},
    {0.1f, "0.1"},
    {1.0e7f, "1.0E7"},
    {9.9e-4f, "9.9E-4"},
    {1.4e-45f, "1.4E-45"},
    {2.8e-45f, "2.8E-45"},
    {-3.40282e38f, "-3.40282E38"},
    {3.4028235e38f, "3.4028235E38"},
};

static void write_java_float__known_numbers__are_as_java_prints_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof floats / sizeof floats[0]; i++) {
        char text[WRITE_JAVA_MAX + 1] = "";
        *write_java_float((uint8_t *)text, floats[i].v) = 0;
        assert_string_equal(text, floats[i].text);
    }
}

static uint64_t next_random(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return *seed ^ *seed >> 29;
}

static void write_java_double__random_bits__read_back_and_have_a_digit_on_both_sides(void **state)
{
    (void)state;
    uint64_t seed = 6;
    for (int i = 0; i < 200000; i++) {
        uint64_t bits = next_random(&seed);
        double v, back;
        char text[WRITE_JAVA_MAX + 1];
        if (i % 4 == 0)
            bits &= 0x800fffffffffffffu >> (i % 50); /* small and denormal */
        if ((bits >> 52 & 0x7ff) == 0x7ff)
            continue;
        memcpy(&v, &bits, sizeof v);
        *write_java_double((uint8_t *)text, v) = 0;
        back = strtod(text, NULL);
        assert_memory_equal(&back, &v, sizeof v);
        const char *point = strchr(text, '.');
        assert_non_null(point);
        assert_in_range(point[1], '0', '9');
        assert_in_range(point[-1], '0', '9');
    }
}

static void write_jackson_string__escapes__are_as_jackson_writes_them(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
        size_t len;
    } cases[] = {
        {"", "\"\"", 0},
        {"plain text of some length, beyond a word", "\"plain text of some length, beyond a word\"", 40},
        {"q\"b\\s/", "\"q\\\"b\\\\s/\"", 6},
        {"\b\t\n\f\r", "\"\\b\\t\\n\\f\\r\"", 5},
        {"\0\x1f\x7f", "\"\\u0000\\u001F\x7f\"", 3},
        {"12345678\x0b"
         "12345678",
         "\"12345678\\u000B12345678\"", 17},
        {"\xc3\xa9\xe4\xbd\xa0\xe2\x80\xa8", "\"\xc3\xa9\xe4\xbd\xa0\xe2\x80\xa8\"", 8},
        {"a\xf0\x9f\x98\x80z", "\"a\\uD83D\\uDE00z\"", 6},
        {"1234567\xf4\x8f\xbf\xbf", "\"1234567\\uDBFF\\uDFFF\"", 11},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t out[512];
        uint8_t *end = write_jackson_string(out, (const uint8_t *)cases[i].in, cases[i].len);
        assert_int_equal(end - out, strlen(cases[i].out));
        assert_memory_equal(out, cases[i].out, strlen(cases[i].out));
    }
}

static void write_jackson_string__every_byte_at_every_place__is_escaped_as_when_alone(void **state)
{
    (void)state;
    for (unsigned byte = 0; byte < 0x80; byte++) {
        uint8_t alone[16], out[256], expected[256];
        uint8_t one = (uint8_t)byte;
        size_t len = (size_t)(write_jackson_escaped(alone, &one, 1) - alone);
        for (unsigned at = 0; at < 17; at++) {
            uint8_t in[17];
            memset(in, 'x', sizeof in);
            in[at] = one;
            memset(expected, 'x', at);
            memcpy(expected + at, alone, len);
            memset(expected + at + len, 'x', 16 - at);
            assert_int_equal(write_jackson_escaped(out, in, sizeof in) - out, 16 + len);
            assert_memory_equal(out, expected, 16 + len);
        }
    }
}

static void java_hash__texts__is_that_of_string_hash_code(void **state)
{
    (void)state;
    assert_int_equal(java_hash("", 0), 0);
    assert_int_equal(java_hash("shop", 4), 3529462);
    assert_int_equal(java_hash("Aa", 2), java_hash("BB", 2));
    assert_int_equal(java_hash("\xc3\xa9", 2), 233);
    assert_int_equal(java_hash("\xf0\x9f\x98\x80", 4), 0xd83d * 31 + 0xde00);
    assert_int_equal(java_hash("the quick brown fox", 19), 1302335171);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(write_java_double__known_numbers__are_as_java_prints_them),
        cmocka_unit_test(write_java_float__known_numbers__are_as_java_prints_them),
        cmocka_unit_test(write_java_double__random_bits__read_back_and_have_a_digit_on_both_sides),
        cmocka_unit_test(write_jackson_string__escapes__are_as_jackson_writes_them),
        cmocka_unit_test(write_jackson_string__every_byte_at_every_place__is_escaped_as_when_alone),
        cmocka_unit_test(java_hash__texts__is_that_of_string_hash_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
