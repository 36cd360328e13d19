/* Waits grow, stay in their bounds, and are spread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/backoff.h"
#include "tools/memfs.h"

static void backoff__ceiling__doubles_up_to_the_most(void **state)
{
    (void)state;
    static const uint64_t ceilings[] = {100, 200, 400, 800, 1000, 1000};
    struct memfs *fs = memfs_new();
    struct env env = memfs_env(fs);
    struct backoff b;
    backoff_init(&b, 100, 1000);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < sizeof ceilings / sizeof *ceilings; i++) {
            assert_int_equal(b.ceiling_ms, ceilings[i]);
            assert_int_equal(b.tries, i);
            assert_in_range(backoff_next(&b, &env), 1, ceilings[i]);
        }
        backoff_reset(&b);
    }
    memfs_free(fs);
}

static void backoff__waits__fill_the_whole_range(void **state)
{
    (void)state;
    struct memfs *fs = memfs_new();
    struct env env = memfs_env(fs);
    struct backoff b;
    unsigned seen[10] = {0};
    backoff_init(&b, 10, 10);
    for (int i = 0; i < 10000; i++)
        seen[backoff_next(&b, &env) - 1]++;
    for (size_t i = 0; i < 10; i++)
        assert_in_range(seen[i], 850, 1150);
    memfs_free(fs);
}

static void backoff__odd_bounds__still_wait(void **state)
{
    (void)state;
    static const uint64_t rows[][3] = {{0, 0, 1}, {5, 1, 5}, {UINT64_MAX, UINT64_MAX, UINT64_MAX}};
    struct memfs *fs = memfs_new();
    struct env env = memfs_env(fs);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct backoff b;
        backoff_init(&b, rows[i][0], rows[i][1]);
        for (int n = 0; n < 100; n++) {
            uint64_t wait = backoff_next(&b, &env);
            assert_true(wait >= 1 && wait <= rows[i][2]);
        }
    }
    memfs_free(fs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(backoff__ceiling__doubles_up_to_the_most),
        cmocka_unit_test(backoff__waits__fill_the_whole_range),
        cmocka_unit_test(backoff__odd_bounds__still_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
