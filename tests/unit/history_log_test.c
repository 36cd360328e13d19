/* The history over a state: replays beside a service, what is cut off, and the size of a large one. */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tools/history_kit.h"

static void history__replay_beside_a_service__reads_both_writes_its_own(void **state)
{
    (void)state;
    struct memfs *fs = memfs_new();
    struct env env = memfs_env(fs);
    struct state *service = history_kit_state(&env, HISTORY_KIT_DIR, STATE_OWN);
    struct history *live = history_kit_history(NULL, service);
    history_kit_put(live, "orders", "b", 20);
    history_kit_put(live, "orders", "c", 30);
    size_t before = 0, after = 0;
    assert_non_null(memfs_bytes(fs, HISTORY_KIT_LOG, &before));
    for (unsigned round = 0; round < 2; round++) {
        struct state *base = history_kit_state(&env, HISTORY_KIT_DIR, STATE_READ);
        struct state *own = history_kit_state(&env, HISTORY_KIT_DIR "/replay/x", STATE_OWN);
        struct history *h = history_kit_history(base, own);
        history_kit_put(h, "orders", "a", 10);
        history_kit_put(h, "orders", "other", 20);
        history_kit_put(h, "users", "u", 15);
        assert_string_equal(history_kit_find(h, "orders", 19), "a");
        assert_string_equal(history_kit_find(h, "orders", 29), "b");
        assert_string_equal(history_kit_find(h, "orders", 99), round ? "d" : "c");
        assert_string_equal(history_kit_find(h, "users", 99), "u");
        history_free(h);
        state_close(own);
        state_close(base);
        if (round == 0) {
            assert_non_null(memfs_bytes(fs, HISTORY_KIT_LOG, &after));
            assert_int_equal(before, after);
            history_kit_put(live, "orders", "d", 40);
        }
    }
    history_free(live);
    state_close(service);
    memfs_free(fs);
}

static void history__cut_by_gtids__files_of_the_old_log_tell_nothing(void **state)
{
    (void)state;
    struct memfs *fs = memfs_new();
    struct env env = memfs_env(fs);
    struct err e = ERR_INIT;
    struct state *st = history_kit_state(&env, HISTORY_KIT_DIR, STATE_OWN);
    struct history *h = history_kit_history(NULL, st);
    struct gtid_set *set = NULL;
    assert_int_equal(gtid_set_parse(&set, FLAVOR_MARIADB, "0-1-7", 5, &e), 0);
    for (unsigned i = 0; i < 10; i++) {
        char text[16];
        snprintf(text, sizeof text, "v%u", i);
        const struct history_change change = history_kit_defined("orders", text);
        struct history_where where = {.server_uuid = HISTORY_KIT_SERVER,
                                      .at = {"bin.000001", 10 * i},
                                      .gtid = {FLAVOR_MARIADB, {0}, "", 0, 1, i + 1}};
        assert_int_equal(history_put(h, &where, HISTORY_LOG, NULL, &change, 1, &e), 0);
    }
    history_kit_put(h, "users", "file only", 5);
    const struct history_where kept = {.gtids = set};
    assert_int_equal(history_cut(h, &kept, &e), 0);
    for (unsigned round = 0; round < 2; round++) {
        assert_string_equal(history_kit_find(h, "orders", 1000), "none");
        const struct history_where new_log = {.server_uuid = HISTORY_KIT_SERVER, .at = {"bin.000001", 4}, .gtids = set};
        assert_string_equal(history_find(h, "shop", "orders", &new_log)->text, "v6");
        assert_null(history_find(h, "shop", "users", &new_log));
        history_free(h);
        h = history_kit_history(NULL, st);
    }
    assert_int_equal(history_forget(h, "shop", NULL, &e), 0);
    struct history_table table;
    assert_false(history_table(h, 0, &table));
    history_free(h);
    gtid_set_free(set);
    state_close(st);
    memfs_free(fs);
}

static void history__ten_thousand_tables__cost_little_more_than_their_texts(void **state)
{
    (void)state;
    enum { MANY = 10000, TEXT = 1500 };
    struct err e = ERR_INIT;
    char *text = malloc(TEXT), name[32];
    struct gtid_set *set = NULL;
    assert_int_equal(gtid_set_parse(&set, FLAVOR_MYSQL, HISTORY_KIT_SERVER ":1-1000:2000-3000",
                                    sizeof HISTORY_KIT_SERVER ":1-1000:2000-3000" - 1, &e),
                     0);
    memset(text, 'x', TEXT);
    const struct mallinfo2 before = mallinfo2();
    struct history *h = history_kit_history(NULL, NULL);
    const struct history_where from = {.server_uuid = HISTORY_KIT_SERVER, .at = {"bin.000001", 900}, .gtids = set};
    const struct history_where where = {.server_uuid = HISTORY_KIT_SERVER, .at = {"bin.000001", 1000}, .gtids = set};
    for (unsigned i = 0; i < MANY; i++) {
        struct history_change change = {.db = "shop", .table = name, .text = text, .len = TEXT};
        snprintf(name, sizeof name, "table_%u", i);
        assert_int_equal(history_put(h, &where, HISTORY_SNAPSHOT, &from, &change, 1, &e), 0);
    }
    const struct mallinfo2 after = mallinfo2(); /* large blocks are counted apart */
    size_t used = after.uordblks + after.hblkhd - before.uordblks - before.hblkhd, said = history_bytes(h);
    print_message("%zu bytes, %zu said, texts %d\n", used, said, MANY * TEXT);
    assert_in_range(said, MANY * TEXT, MANY * TEXT * 5 / 4);
    if (used > 0) { /* a sanitizer's allocator counts nothing there */
        assert_in_range(used, MANY * TEXT, MANY * TEXT * 5 / 4);
        assert_in_range(said, MANY * TEXT, used + 4096);
    }
    history_free(h);
    gtid_set_free(set);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(history__replay_beside_a_service__reads_both_writes_its_own),
        cmocka_unit_test(history__cut_by_gtids__files_of_the_old_log_tell_nothing),
        cmocka_unit_test(history__ten_thousand_tables__cost_little_more_than_their_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
