/* Offsets that may be committed: never ahead of what is acknowledged, and not twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "pipeline/offsets.h"

static void make(struct offsets *offsets)
{
    assert_int_equal(offsets_init(offsets, 3, NULL), 0);
    offsets_own(offsets, 1, true);
}

static void note(struct offsets *offsets, uint64_t ordinal, int64_t next)
{
    assert_int_equal(offsets_note(offsets, 1, ordinal, next, ordinal * 1000, NULL), 0);
}

static void offsets__nothing_acknowledged__nothing_is_due(void **state)
{
    (void)state;
    struct offsets offsets;
    make(&offsets);
    assert_true(offsets_idle(&offsets, 1, 0));
    assert_int_equal(offsets_due(&offsets, 1, 99), OFFSETS_NONE);
    note(&offsets, 7, 101);
    assert_int_equal(offsets_due(&offsets, 1, 6), OFFSETS_NONE);
    assert_false(offsets_idle(&offsets, 1, 6));
    assert_true(offsets_idle(&offsets, 1, 7));
    offsets_release(&offsets);
}

static void offsets__part_acknowledged__due_is_behind_that_part_only(void **state)
{
    (void)state;
    struct offsets offsets;
    make(&offsets);
    /* Other lanes have the ordinals between; markers of transactions the offsets between. */
    note(&offsets, 3, 11);
    note(&offsets, 8, 15);
    note(&offsets, 9, 16);
    assert_int_equal(offsets_oldest_ms(&offsets, 1), 3000);
    assert_int_equal(offsets_due(&offsets, 1, 5), 11);
    assert_int_equal(offsets_oldest_ms(&offsets, 1), 8000);
    assert_int_equal(offsets_due(&offsets, 1, 8), 15);
    offsets_committed(&offsets, 1, 15);
    assert_int_equal(offsets_due(&offsets, 1, 8), OFFSETS_NONE);
    assert_int_equal(offsets_due(&offsets, 1, 20), 16);
    assert_int_equal(offsets_oldest_ms(&offsets, 1), 0);
    offsets_release(&offsets);
}

static void offsets__commit_did_not_arrive__it_is_due_again(void **state)
{
    (void)state;
    struct offsets offsets;
    make(&offsets);
    note(&offsets, 3, 11);
    assert_int_equal(offsets_due(&offsets, 1, 3), 11);
    offsets_committed(&offsets, 1, 11);
    offsets_committed(&offsets, 1, OFFSETS_NONE);
    assert_int_equal(offsets_due(&offsets, 1, 3), 11);
    offsets_release(&offsets);
}

static void offsets__records_of_no_route__wait_for_the_item_before_them(void **state)
{
    (void)state;
    struct offsets offsets;
    make(&offsets);
    assert_int_equal(offsets_pass(&offsets, 1, 5, NULL), 0);
    assert_int_equal(offsets_due(&offsets, 1, 0), 5);
    note(&offsets, 4, 6);
    assert_int_equal(offsets_pass(&offsets, 1, 9, NULL), 0);
    assert_int_equal(offsets_due(&offsets, 1, 3), 5);
    assert_int_equal(offsets_due(&offsets, 1, 4), 9);
    offsets_release(&offsets);
}

static void offsets__partition_comes_again__nothing_of_before_is_due(void **state)
{
    (void)state;
    struct offsets offsets;
    make(&offsets);
    note(&offsets, 3, 11);
    offsets_own(&offsets, 1, false);
    assert_false(offsets_owned(&offsets, 1));
    assert_int_equal(offsets_due(&offsets, 1, 3), OFFSETS_NONE);
    offsets_own(&offsets, 1, true);
    assert_true(offsets_owned(&offsets, 1));
    assert_int_equal(offsets_due(&offsets, 1, 3), OFFSETS_NONE);
    note(&offsets, 12, 8);
    assert_int_equal(offsets_due(&offsets, 1, 12), 8);
    offsets_release(&offsets);
}

static void offsets__many_in_flight__the_queue_keeps_their_order(void **state)
{
    (void)state;
    struct offsets offsets;
    make(&offsets);
    uint64_t noted = 0, acked = 0;
    for (unsigned round = 0; round < 50; round++) {
        for (unsigned i = 0; i < 37 + round; i++, noted++)
            note(&offsets, noted + 1, (int64_t)noted * 2 + 10);
        acked += 37;
        assert_int_equal(offsets_due(&offsets, 1, acked), (acked - 1) * 2 + 10);
    }
    assert_int_equal(offsets_due(&offsets, 1, noted), (noted - 1) * 2 + 10);
    assert_true(offsets_idle(&offsets, 1, noted));
    offsets_release(&offsets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offsets__nothing_acknowledged__nothing_is_due),
        cmocka_unit_test(offsets__part_acknowledged__due_is_behind_that_part_only),
        cmocka_unit_test(offsets__commit_did_not_arrive__it_is_due_again),
        cmocka_unit_test(offsets__records_of_no_route__wait_for_the_item_before_them),
        cmocka_unit_test(offsets__partition_comes_again__nothing_of_before_is_due),
        cmocka_unit_test(offsets__many_in_flight__the_queue_keeps_their_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
