/* The text of FLOAT and DOUBLE: it reads back to the same bits, and no text of fewer digits does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tools/random_row.h"
#include "value/write.h"

static unsigned digits_of(const char *text)
{
    unsigned first = 0, last = 0, n = 0;
    for (; *text && *text != 'e'; text++)
        if (*text >= '0' && *text <= '9') {
            n++;
            if (*text != '0') {
                if (!first)
                    first = n;
                last = n;
            }
        }
    return first ? last - first + 1 : 1;
}

static void check_double(double v)
{
    char text[64], shorter[64];
    *write_double((uint8_t *)text, v) = '\0';
    assert_true(strlen(text) <= WRITE_DOUBLE_MAX);
    double back = strtod(text, NULL);
    if (memcmp(&back, &v, sizeof v) != 0)
        fail_msg("%.17g written as %s", v, text);
    unsigned n = digits_of(text);
    if (n > 1) {
        snprintf(shorter, sizeof shorter, "%.*e", (int)n - 2, v);
        if (strtod(shorter, NULL) == v)
            fail_msg("%s is longer than %s", text, shorter);
    }
}

static void check_float(float v)
{
    char text[64], shorter[64];
    *write_float((uint8_t *)text, v) = '\0';
    assert_true(strlen(text) <= WRITE_DOUBLE_MAX);
    float back = strtof(text, NULL);
    if (memcmp(&back, &v, sizeof v) != 0)
        fail_msg("%.9g written as %s", (double)v, text);
    unsigned n = digits_of(text);
    if (n > 1) {
        snprintf(shorter, sizeof shorter, "%.*e", (int)n - 2, (double)v);
        if (strtof(shorter, NULL) == v)
            fail_msg("%s is longer than %s", text, shorter);
    }
}

static void write_double__known_values__look_as_documented(void **state)
{
    (void)state;
    static const struct {
        double v;
        const char *text;
    } cases[] = {
        {0, "0"},
        {-0.0, "-0.0"},
        {1, "1"},
        {-1.5, "-1.5"},
        {0.1, "0.1"},
        {1e14, "100000000000000"},
        {1e15, "1e15"},
        {123456789012345.6, "123456789012345.6"},
        {1e-7, "0.0000001"},
        {1.5e-7, "0.00000015"},
        {1e-8, "1e-8"},
        {5e-324, "5e-324"},
        {1.7976931348623157e308, "1.7976931348623157e308"},
        {9007199254740992, "9.007199254740992e15"},
        {1e22, "1e22"},
        {1e23, "1e23"},
        {2.2250738585072014e-308, "2.2250738585072014e-308"},
        {0.3, "0.3"},
        {100, "100"},
        {12.5, "12.5"},
        {9.5e-3, "0.0095"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[64];
        *write_double((uint8_t *)text, cases[i].v) = '\0';
        assert_string_equal(text, cases[i].text);
    }
}

static void write_float__known_values__are_of_single_precision(void **state)
{
    (void)state;
    static const struct {
        float v;
        const char *text;
    } cases[] = {
        {0.1f, "0.1"},
        {3.4028235e38f, "3.4028235e38"},
        {1e-45f, "1e-45"},
        {16777216.0f, "16777216"},
        {-0.0f, "-0.0"},
        {0.333333333f, "0.33333334"},
        {1.17549435e-38f, "1.1754944e-38"},
        {3.4e38f, "3.4e38"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[64];
        *write_float((uint8_t *)text, cases[i].v) = '\0';
        assert_string_equal(text, cases[i].text);
    }
}

static void write_double__random_bits__are_shortest(void **state)
{
    (void)state;
    struct rng rng = {21};
    for (unsigned i = 0; i < 300000; i++) {
        uint64_t bits = rng_next(&rng) & 0xbfffffffffffffff;
        double v;
        memcpy(&v, &bits, sizeof v);
        check_double(v);
    }
    for (unsigned i = 0; i < 300000; i++) /* few digits, as applications store them */
        check_double((double)rng_below(&rng, 1000000000) / (double)(1 + rng_below(&rng, 1000)));
}

static void write_double__edges_of_each_exponent__are_shortest(void **state)
{
    (void)state;
    for (uint64_t exponent = 0; exponent < 2047; exponent++)
        for (int delta = -2; delta <= 2; delta++) {
            uint64_t bits = (exponent << 52) + (uint64_t)delta;
            double v;
            if ((int64_t)bits <= 0 || bits >> 52 >= 2047)
                continue;
            memcpy(&v, &bits, sizeof v);
            check_double(v);
        }
}

static void write_float__random_bits_and_edges__are_shortest(void **state)
{
    (void)state;
    struct rng rng = {22};
    for (unsigned i = 0; i < 500000; i++) {
        uint32_t bits = (uint32_t)rng_next(&rng) & 0xbfffffff;
        float v;
        memcpy(&v, &bits, sizeof v);
        check_float(v);
    }
    for (uint32_t exponent = 0; exponent < 255; exponent++)
        for (int delta = -2; delta <= 2; delta++) {
            uint32_t bits = (exponent << 23) + (uint32_t)delta;
            float v;
            if ((int32_t)bits <= 0 || bits >> 23 >= 255)
                continue;
            memcpy(&v, &bits, sizeof v);
            check_float(v);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(write_double__known_values__look_as_documented),
        cmocka_unit_test(write_float__known_values__are_of_single_precision),
        cmocka_unit_test(write_double__random_bits__are_shortest),
        cmocka_unit_test(write_double__edges_of_each_exponent__are_shortest),
        cmocka_unit_test(write_float__random_bits_and_edges__are_shortest),
    };
    return cmocka_run_group_tests_name("float", tests, NULL, NULL);
}
