/* What is forgotten of a history, and that nobody is told anything wrong by it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "schema/history.h"
#include "tools/memfs.h"

#define DIR    "/state"
#define TABLES 10
#define END    2000

static struct history_where at(uint64_t pos)
{
    return (struct history_where){.server_uuid = "a", .at = {"bin.000001", pos}};
}

static void put(struct history *h, const char *table, const char *text, uint64_t pos)
{
    struct err e = ERR_INIT;
    const struct history_where where = at(pos);
    const struct history_change change = {.db = "shop",
                                          .table = table,
                                          .kind = text ? HISTORY_DEFINED : HISTORY_GONE,
                                          .text = text,
                                          .len = text ? strlen(text) : 0};
    assert_int_equal(history_put(h, &where, HISTORY_LOG, NULL, &change, 1, &e), 0);
}

static const char *find(struct history *h, const char *table, uint64_t pos)
{
    const struct history_where where = at(pos);
    const struct history_version *v = history_find(h, "shop", table, &where);
    return !v ? "none" : v->kind == HISTORY_GONE ? "gone" : v->text;
}

/* tN is made at N00 and dropped at N50, `live` is changed at N20; `late` is dropped behind END, `again` made again. */
static void live_on(struct history *h)
{
    char name[8], text[8];
    for (unsigned i = 1; i <= TABLES; i++) {
        snprintf(name, sizeof name, "t%u", i);
        snprintf(text, sizeof text, "v%u", i);
        put(h, name, "x", i * 100);
        put(h, "live", text, i * 100 + 20);
        put(h, name, NULL, i * 100 + 50);
    }
    put(h, "late", "x", 60);
    put(h, "again", "x", 70);
    put(h, "again", NULL, 80);
    put(h, "again", "y", END + 10);
    put(h, "late", NULL, END + 20);
}

static int open_and(const struct env *env, int (*step)(struct history *h, struct err *e), struct err *e)
{
    struct state *st = NULL;
    struct history *h = NULL;
    int rc = state_open(&st, env, DIR, STATE_OWN, e);
    if (rc == 0)
        rc = history_open(&h, NULL, st, e);
    if (rc == 0)
        rc = step(h, e);
    history_free(h);
    state_close(st);
    return rc;
}

static int make(struct history *h, struct err *e)
{
    (void)e;
    live_on(h);
    return 0;
}

static int trim(struct history *h, struct err *e)
{
    const struct history_where where = at(END);
    size_t forgotten;
    return history_trim(h, &where, &(struct history_limits){.dropped_tables = 4, .table_versions = 5}, &forgotten, e);
}

static int is_whole(struct history *h, struct err *e)
{
    (void)e;
    const struct history_where first = at(4);
    assert_null(history_floor(h, &first));
    assert_string_equal(find(h, "t1", 120), "x");
    assert_string_equal(find(h, "live", 130), "v1");
    return 0;
}

static int is_trimmed(struct history *h, struct err *e)
{
    (void)e;
    const struct history_where first = at(4), end = at(END);
    assert_non_null(history_floor(h, &first));
    assert_int_equal(history_floor(h, &first)->pos, END);
    assert_null(history_floor(h, &end));
    assert_string_equal(find(h, "t6", 620), "none");
    assert_string_equal(find(h, "t6", END), "none");
    assert_string_equal(find(h, "t7", 720), "x");
    assert_string_equal(find(h, "t10", END), "gone");
    assert_string_equal(find(h, "live", 430), "none");
    assert_string_equal(find(h, "live", 530), "v5");
    assert_string_equal(find(h, "live", END), "v10");
    assert_string_equal(find(h, "late", END), "x");
    assert_string_equal(find(h, "again", END), "gone");
    assert_string_equal(find(h, "again", END + 10), "y");
    return 0;
}

static int is_either(struct history *h, struct err *e)
{
    const struct history_where first = at(4);
    return history_floor(h, &first) ? is_trimmed(h, e) : is_whole(h, e);
}

static void history_trim__more_than_is_kept__the_oldest_are_forgotten(void **state)
{
    (void)state;
    struct memfs *fs = memfs_new();
    struct env env = memfs_env(fs);
    struct err e = ERR_INIT;
    assert_int_equal(open_and(&env, make, &e), 0);
    assert_int_equal(open_and(&env, is_whole, &e), 0);
    assert_int_equal(open_and(&env, trim, &e), 0);
    assert_int_equal(open_and(&env, is_trimmed, &e), 0);
    memfs_free(fs);
}

static int has_no_floor(struct history *h, struct err *e)
{
    (void)e;
    const struct history_where first = at(4);
    assert_null(history_floor(h, &first));
    return 0;
}

/* The log that is read from then on may be another one, with files of the same names. */
static int forgets_floor(struct history *h, struct err *e)
{
    int rc = history_forget(h, NULL, NULL, e);
    return rc == 0 ? has_no_floor(h, e) : rc;
}

static int takes_new(struct history *h, struct err *e)
{
    struct history *from = NULL;
    int rc = history_open(&from, NULL, NULL, e);
    if (rc == 0)
        rc = history_take(h, from, NULL, e);
    history_free(from);
    return rc == 0 ? has_no_floor(h, e) : rc;
}

static void history_trim__all_is_forgotten_or_replaced__nothing_is_missing(void **state)
{
    (void)state;
    int (*const steps[])(struct history *, struct err *) = {forgets_floor, takes_new};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct memfs *fs = memfs_new();
        struct env env = memfs_env(fs);
        struct err e = ERR_INIT;
        assert_int_equal(open_and(&env, make, &e), 0);
        assert_int_equal(open_and(&env, trim, &e), 0);
        assert_int_equal(open_and(&env, steps[i], &e), 0);
        assert_int_equal(open_and(&env, has_no_floor, &e), 0);
        memfs_free(fs);
    }
}

static void history_trim__as_much_as_is_kept__all_stays(void **state)
{
    (void)state;
    struct history *h = NULL;
    struct err e = ERR_INIT;
    const struct history_where where = at(END), early = at(50);
    size_t forgotten = 7;
    assert_int_equal(history_open(&h, NULL, NULL, &e), 0);
    live_on(h);
    const struct history_limits enough = {.dropped_tables = TABLES, .table_versions = TABLES - 1};
    assert_int_equal(history_trim(h, &where, &enough, &forgotten, &e), 0);
    assert_int_equal(forgotten, 0);
    const struct history_limits nothing = {.dropped_tables = 0, .table_versions = 0};
    assert_int_equal(history_trim(h, &early, &nothing, &forgotten, &e), 0);
    assert_int_equal(forgotten, 0);
    assert_int_equal(is_whole(h, &e), 0);
    /* A position on another server, of which nothing can be told. */
    const struct history_where other = {.server_uuid = "b", .at = {"bin.000009", END}};
    assert_int_equal(history_trim(h, &other, &nothing, &forgotten, &e), 0);
    assert_int_equal(forgotten, 0);
    history_free(h);
}

static void history_trim__power_fails_at_any_operation__old_or_new(void **state)
{
    (void)state;
    bool met = true;
    unsigned n = 1;
    for (; met; n++) {
        struct memfs *fs = memfs_new();
        struct env env = memfs_env(fs);
        struct err e = ERR_INIT, ignored = ERR_INIT;
        assert_int_equal(open_and(&env, make, &e), 0);
        memfs_fault(fs, MEMFS_POWER, n);
        (void)open_and(&env, trim, &ignored);
        met = memfs_fault_met(fs);
        memfs_crash(fs, (enum memfs_bytes)(n % MEMFS_BYTES_COUNT), n % 2);
        memfs_fault(fs, MEMFS_NONE, 0);
        assert_int_equal(open_and(&env, is_either, &e), 0);
        memfs_free(fs);
    }
    assert_true(n > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(history_trim__more_than_is_kept__the_oldest_are_forgotten),
        cmocka_unit_test(history_trim__all_is_forgotten_or_replaced__nothing_is_missing),
        cmocka_unit_test(history_trim__as_much_as_is_kept__all_stays),
        cmocka_unit_test(history_trim__power_fails_at_any_operation__old_or_new),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
