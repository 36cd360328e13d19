/* The history over a state: power failures and failed operations, of which nothing is mixed or lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tools/history_kit.h"

/* All of it as text, to be compared. */
static void print_all(struct history *h, struct buf *out)
{
    struct history_table table;
    buf_clear(out);
    buf_printf(out, "case %d\n", history_case(h));
    for (size_t i = 0; history_table(h, i, &table); i++)
        for (size_t n = 0; n < table.versions; n++) {
            const struct history_version *v = history_version(h, i, n);
            buf_printf(out, "%s.%s%s %d %d %s:%s:%llu %s\n", table.db, table.table, table.candidate ? "?" : "",
                       (int)v->kind, (int)v->origin, v->place->server_uuid, v->place->file,
                       (unsigned long long)v->place->pos, v->text);
        }
    buf_byte(out, '\0');
}

static int forget_one(struct history *h, struct err *e)
{
    return history_forget(h, "shop", "orders_new", e);
}

/* Makes the log so large and useless that it is rewritten by the last put. */
static int grow_and_compact(struct history *h, struct err *e)
{
    char *text = calloc(1, HISTORY_COMPACT_MIN / 4);
    int rc = 0;
    memset(text, 'x', HISTORY_COMPACT_MIN / 4 - 1);
    for (unsigned i = 0; i < 6 && rc == 0; i++) {
        struct history_change change = history_kit_defined("temporary", text);
        text[0] = (char)('a' + i);
        change.candidate = true;
        rc = history_kit_put_at(h, 100 + i, &change, 1, e);
    }
    free(text);
    return rc;
}

static bool is_orders(void *ctx, const char *db, const char *table)
{
    (void)ctx;
    (void)db;
    return strcmp(table, "orders") == 0;
}

/* What another history knows, for one table or instead of everything. */
static int take_from_other(struct history *h, const struct history_taking *taking, struct err *e)
{
    const struct history_change found[] = {history_kit_defined("orders", "o9"), history_kit_defined("orders_new", "n9"),
                                           history_kit_defined("more", "m9")};
    const struct history_where where = {.server_uuid = HISTORY_KIT_SERVER, .at = {"bin.000001", 8}};
    const struct history_where window = {.server_uuid = HISTORY_KIT_SERVER, .at = {"bin.000001", 6}};
    struct history *other = history_kit_history(NULL, NULL);
    struct err ignored = ERR_INIT;
    assert_int_equal(history_put(other, &where, HISTORY_SNAPSHOT, &window, found, 3, &ignored), 0);
    assert_int_equal(history_set_case(other, 1, &ignored), 0);
    int rc = history_take(h, other, taking, e);
    history_free(other);
    return rc;
}

static int take_all(struct history *h, struct err *e)
{
    return take_from_other(h, NULL, e);
}

static int take_orders(struct history *h, struct err *e)
{
    return take_from_other(h, &(struct history_taking){is_orders, NULL}, e);
}

static void content(struct memfs *fs, struct buf *out)
{
    struct env env = memfs_env(fs);
    struct state *st = history_kit_state(&env, HISTORY_KIT_DIR, STATE_OWN);
    struct history *h = history_kit_history(NULL, st);
    print_all(h, out);
    history_free(h);
    state_close(st);
}

static void history__power_fails_at_any_operation__old_or_new_never_mixed(void **state)
{
    (void)state;
    static history_kit_step_fn *const steps[] = {history_kit_swap,       forget_one, history_kit_cut,
                                                 history_kit_learn_case, take_all,   take_orders};
    struct buf before, after, now;
    unsigned failures = 0;
    buf_init(&before, 0);
    buf_init(&after, 0);
    buf_init(&now, 0);
    for (size_t s = 0; s < sizeof steps / sizeof *steps; s++)
        for (unsigned n = 1, met = 1; met; n++)
            for (unsigned how = 0; how < 2 * MEMFS_BYTES_COUNT && met; how++) {
                struct memfs *fs = memfs_new();
                assert_int_equal(history_kit_run(fs, history_kit_make), 0);
                content(fs, &before);
                memfs_fault(fs, MEMFS_POWER, n);
                int rc = history_kit_run(fs, steps[s]);
                met = memfs_fault_met(fs);
                memfs_crash(fs, (enum memfs_bytes)(how % MEMFS_BYTES_COUNT), how < MEMFS_BYTES_COUNT);
                content(fs, &now);
                if (rc == 0)
                    assert_string_not_equal((char *)now.p, (char *)before.p);
                memfs_fault(fs, MEMFS_NONE, 0);
                struct memfs *other = memfs_new();
                assert_int_equal(history_kit_run(other, history_kit_make), 0);
                assert_int_equal(history_kit_run(other, steps[s]), 0);
                content(other, &after);
                assert_true(strcmp((char *)now.p, (char *)before.p) == 0 ||
                            strcmp((char *)now.p, (char *)after.p) == 0);
                failures += met;
                memfs_free(fs);
                memfs_free(other);
            }
    assert_true(failures > 40);
    buf_release(&before);
    buf_release(&after);
    buf_release(&now);
}

static void history__power_fails_while_it_is_rewritten__nothing_wanted_is_lost(void **state)
{
    (void)state;
    bool met = true;
    for (unsigned n = 1; met; n++) {
        struct memfs *fs = memfs_new();
        struct env env = memfs_env(fs);
        assert_int_equal(history_kit_run(fs, history_kit_make), 0);
        assert_int_equal(history_kit_run(fs, history_kit_swap), 0);
        memfs_fault(fs, MEMFS_POWER, n);
        (void)history_kit_run(fs, grow_and_compact);
        met = memfs_fault_met(fs);
        memfs_crash(fs, (enum memfs_bytes)(n % MEMFS_BYTES_COUNT), n % 2);
        struct state *st = history_kit_state(&env, HISTORY_KIT_DIR, STATE_OWN);
        struct history *h = history_kit_history(NULL, st);
        assert_string_equal(history_kit_find(h, "orders", 15), "o1");
        assert_string_equal(history_kit_find(h, "orders", 99), "n1");
        assert_string_equal(history_kit_find(h, "orders_new", 99), "gone");
        history_free(h);
        state_close(st);
        if (!met) {
            size_t len = 0;
            assert_non_null(memfs_bytes(fs, HISTORY_KIT_LOG, &len));
            assert_true(len < HISTORY_COMPACT_MIN);
        }
        memfs_free(fs);
    }
}

static void history__put_that_fails__nothing_changed(void **state)
{
    (void)state;
    struct memfs *fs = memfs_new();
    struct env env = memfs_env(fs);
    struct err e = ERR_INIT;
    struct state *st = history_kit_state(&env, HISTORY_KIT_DIR, STATE_OWN);
    struct history *h = history_kit_history(NULL, st);
    struct buf before, now;
    buf_init(&before, 0);
    buf_init(&now, 0);
    assert_int_equal(history_kit_make(h, &e), 0);
    print_all(h, &before);
    size_t bytes = history_bytes(h);
    memfs_fault(fs, MEMFS_ERROR, 1);
    assert_int_not_equal(history_kit_swap(h, &e), 0);
    print_all(h, &now);
    assert_string_equal((char *)now.p, (char *)before.p);
    assert_in_range(history_bytes(h), bytes, bytes + 64);
    history_free(h);
    state_close(st);
    memfs_free(fs);
    buf_release(&before);
    buf_release(&now);
}

static void history__another_is_taken__its_tables_replace_those_asked_for(void **state)
{
    (void)state;
    static const struct {
        history_kit_step_fn *step;
        const char *orders, *orders_new, *more;
    } cases[] = {{take_all, "o9", "n9", "m9"}, {take_orders, "o9", "n1", "m9"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct memfs *fs = memfs_new();
        struct env env = memfs_env(fs);
        assert_int_equal(history_kit_run(fs, history_kit_make), 0);
        assert_int_equal(history_kit_run(fs, cases[i].step), 0);
        struct state *st = history_kit_state(&env, HISTORY_KIT_DIR, STATE_OWN);
        struct history *h = history_kit_history(NULL, st);
        assert_string_equal(history_kit_find(h, "orders", 15), cases[i].orders);
        assert_string_equal(history_kit_find(h, "orders_new", 15), cases[i].orders_new);
        assert_string_equal(history_kit_find(h, "more", 15), cases[i].more);
        assert_int_equal(history_case(h), 1);
        history_free(h);
        state_close(st);
        memfs_free(fs);
    }
}

static void history__rewriting_fails__put_is_there_and_it_is_told_once(void **state)
{
    (void)state;
    unsigned told = 0;
    bool met = true;
    for (unsigned n = 1; met; n++) {
        struct memfs *fs = memfs_new();
        struct env env = memfs_env(fs);
        struct err e = ERR_INIT, why = ERR_INIT;
        struct state *st = history_kit_state(&env, HISTORY_KIT_DIR, STATE_OWN);
        struct history *h = history_kit_history(NULL, st);
        assert_int_equal(history_kit_make(h, &e), 0);
        memfs_fault(fs, MEMFS_ERROR, n);
        int rc = grow_and_compact(h, &e);
        met = memfs_fault_met(fs);
        memfs_fault(fs, MEMFS_NONE, 0);
        bool complained = history_complaint(h, &why);
        assert_false(history_complaint(h, &why));
        size_t len = 0;
        if (complained && rc == 0) { /* a failed fsync is the end of the state: later puts fail */
            told++;
            assert_int_equal(why.code, ERR_STATE_IO);
            assert_int_equal(grow_and_compact(h, &e), 0);
            assert_non_null(memfs_bytes(fs, HISTORY_KIT_LOG, &len));
            assert_true(len < 2 * HISTORY_COMPACT_MIN);
        }
        if (rc == 0)
            assert_int_equal(history_kit_find(h, "temporary", 200)[0], 'f');
        history_free(h);
        state_close(st);
        memfs_free(fs);
    }
    assert_true(told > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(history__power_fails_at_any_operation__old_or_new_never_mixed),
        cmocka_unit_test(history__power_fails_while_it_is_rewritten__nothing_wanted_is_lost),
        cmocka_unit_test(history__put_that_fails__nothing_changed),
        cmocka_unit_test(history__another_is_taken__its_tables_replace_those_asked_for),
        cmocka_unit_test(history__rewriting_fails__put_is_there_and_it_is_told_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
