/* Numbers of readers: who was followed by another in a partition is not heard there any more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pipeline/readers.h"

#define LANES 2

static void readers_take__lower_than_the_highest__is_dropped_and_told_once_per_lane(void **state)
{
    (void)state;
    struct readers readers;
    bool first;
    int64_t at = 0;
    assert_int_equal(readers_init(&readers, LANES, NULL), 0);
    assert_true(readers_take(&readers, 0, 5, at++, &first));
    assert_true(readers_take(&readers, 0, 5, at++, &first));
    assert_true(readers_take(&readers, 0, 9, at++, &first));
    assert_false(readers_take(&readers, 0, 5, at++, &first));
    assert_true(first);
    assert_false(readers_take(&readers, 0, 8, at++, &first));
    assert_false(first);
    assert_true(readers_take(&readers, 1, 5, at++, &first));
    assert_true(readers_take(&readers, 0, 0, at++, &first));
    assert_false(readers_take(&readers, 0, 8, at++, &first));
    readers_release(&readers);
}

static void readers_gain__metadata_of_an_offset__goes_on_where_it_was(void **state)
{
    (void)state;
    static const char *const foreign[] = {"",          "reader=", "reader=x1",
                                          "reader=1 ", "else=9",  "reader=99999999999999999999999"};
    struct readers readers;
    char text[READERS_TEXT_MAX];
    bool first;
    int64_t at = 0;
    assert_int_equal(readers_init(&readers, LANES, NULL), 0);
    readers_print(&readers, 1, 1000, text);
    assert_string_equal(text, "");
    assert_true(readers_take(&readers, 1, 1234567890123, at++, &first));
    readers_print(&readers, 1, 1000, text);
    readers_gain(&readers, 0, text, strlen(text));
    assert_false(readers_take(&readers, 0, 1234567890122, at++, &first));
    assert_true(readers_take(&readers, 0, 1234567890123, at++, &first));
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        readers_gain(&readers, 0, foreign[i], strlen(foreign[i]));
        assert_int_equal(readers.lane[0].count, 0);
    }
    readers_gain(&readers, 0, NULL, 0);
    assert_int_equal(readers.lane[0].count, 0);
    readers_release(&readers);
}

static void expect_text(struct readers *readers, int64_t offset, const char *expected)
{
    char text[READERS_TEXT_MAX];
    readers_print(readers, 0, offset, text);
    assert_string_equal(text, expected);
}

static void readers_print__offset_before_a_take_over__has_the_number_of_what_is_before_it(void **state)
{
    (void)state;
    struct readers readers;
    bool first;
    assert_int_equal(readers_init(&readers, LANES, NULL), 0);
    assert_true(readers_take(&readers, 0, 3, 10, &first));
    assert_true(readers_take(&readers, 0, 4, 20, &first));
    assert_true(readers_take(&readers, 0, 7, 30, &first));
    expect_text(&readers, 10, "");
    expect_text(&readers, 11, "reader=3");
    expect_text(&readers, 20, "reader=3");
    expect_text(&readers, 31, "reader=7");
    assert_false(readers_take(&readers, 0, 4, 31, &first));
    for (int64_t i = 0; i < 100; i++)
        assert_true(readers_take(&readers, 0, 8 + (uint64_t)i, 40 + i, &first));
    expect_text(&readers, 41, "reader=8");
    expect_text(&readers, 1000, "reader=107");
    readers_release(&readers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers_take__lower_than_the_highest__is_dropped_and_told_once_per_lane),
        cmocka_unit_test(readers_gain__metadata_of_an_offset__goes_on_where_it_was),
        cmocka_unit_test(readers_print__offset_before_a_take_over__has_the_number_of_what_is_before_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
