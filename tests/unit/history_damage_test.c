/* The history over a state: a damaged log is named, whatever is wrong in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tools/history_kit.h"

static void open_damaged(struct memfs *fs, enum err_code *code, char *text)
{
    struct env env = memfs_env(fs);
    struct err e = ERR_INIT;
    struct state *st = history_kit_state(&env, HISTORY_KIT_DIR, STATE_OWN);
    struct history *h = NULL;
    *code = history_open(&h, NULL, st, &e) == 0 ? ERR_NONE : e.code;
    snprintf(text, ERR_TEXT_MAX, "%s", e.text);
    history_free(h);
    state_close(st);
}

static void history__damaged_log__named_with_its_file(void **state)
{
    (void)state;
    char text[ERR_TEXT_MAX];
    enum err_code code;
    struct memfs *fs = memfs_new();
    struct env env = memfs_env(fs);
    size_t len = 0;
    assert_int_equal(history_kit_run(fs, history_kit_make), 0);
    assert_int_equal(history_kit_run(fs, history_kit_swap), 0);
    uint8_t *bytes = memfs_bytes(fs, HISTORY_KIT_LOG, &len);
    assert_non_null(bytes);
    bytes[30] ^= 1;
    open_damaged(fs, &code, text);
    assert_int_equal(code, ERR_HISTORY_CORRUPT);
    assert_non_null(strstr(text, HISTORY_KIT_LOG));
    assert_non_null(strstr(err_code_todo(code), "sluice schema rebuild"));
    struct err e = ERR_INIT;
    struct state *st = history_kit_state(&env, HISTORY_KIT_DIR, STATE_OWN);
    char aside[256];
    assert_int_equal(state_set_aside(st, HISTORY_LOG_NAME, aside, sizeof aside, &e), 0);
    struct history *h = history_kit_history(NULL, st);
    struct history_table table;
    assert_false(history_table(h, 0, &table));
    history_free(h);
    state_close(st);
    memfs_free(fs);
}

static void history__items_that_make_no_sense__named(void **state)
{
    (void)state;
    static const struct {
        const char *why;
        const char *bytes;
        size_t len;
        enum err_code code;
    } rows[] = {
#define ROW(why, bytes, code) {why, bytes, sizeof bytes - 1, ERR_##code}
        ROW("nothing", "", HISTORY_CORRUPT),
        ROW("format 0", "\0M\1", HISTORY_CORRUPT),
        ROW("a newer format", "\2M\1", STATE_VERSION),
        ROW("kind", "\1Z\1", HISTORY_CORRUPT),
        ROW("case", "\1M\3", HISTORY_CORRUPT),
        ROW("case, longer", "\1M\1\1", HISTORY_CORRUPT),
        ROW("cut at no place", "\1C\1\0\0\0", HISTORY_CORRUPT),
        ROW("cut at 0", "\1C\0\0\0\0", HISTORY_CORRUPT),
        ROW("forgotten before no place", "\1T\0\0\0\0", HISTORY_CORRUPT),
        ROW("forgotten before a place that is not there", "\1T\1\0\0\0", HISTORY_CORRUPT),
        ROW("forget what", "\1F\3\0\0\0\0", HISTORY_CORRUPT),
        ROW("forget: a NUL in the name", "\1F\1\1\0\0\0\0", HISTORY_CORRUPT),
        ROW("place 2 first", "\1P\2\0\0\0\4\0\0\0\0\0\0\0\0\0\1\0a\2\0\0\0\0\0\0\0", HISTORY_CORRUPT),
        ROW("place with a GTID of no flavour", "\1P\1\0\0\0\4\0\0\0\0\0\0\0\0\0\1\0a\2\5\0000-1-1\0\0\0\0\0",
            HISTORY_CORRUPT),
        ROW("place with a bad GTID", "\1P\1\0\0\0\4\0\0\0\0\0\0\0\0\0\1\0a\1\1\0000\0\0\0\0\0", HISTORY_CORRUPT),
        ROW("place with a bad set", "\1P\1\0\0\0\4\0\0\0\0\0\0\0\0\0\1\0a\1\0\0\1\1\0\0\0x", HISTORY_CORRUPT),
        ROW("version without a place", "\1V\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0d\1\0t\1\0\0\0x", HISTORY_CORRUPT),
        ROW("version, kind", "\1V\3\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0d\1\0t\1\0\0\0x", HISTORY_CORRUPT),
        ROW("a good place", "\1P\1\0\0\0\4\0\0\0\0\0\0\0\0\0\1\0a\2\0\0\0\0\0\0\0", NONE),
        ROW("a good case", "\1M\1", NONE),
        ROW("no case", "\1M\xff", NONE),
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct memfs *fs = memfs_new();
        struct env env = memfs_env(fs);
        struct err e = ERR_INIT;
        char text[ERR_TEXT_MAX];
        enum err_code code;
        struct state *st = history_kit_state(&env, HISTORY_KIT_DIR, STATE_OWN);
        assert_int_equal(state_append(st, HISTORY_LOG_NAME, rows[i].bytes, rows[i].len, &e), 0);
        state_close(st);
        open_damaged(fs, &code, text);
        print_message("%s: %s\n", rows[i].why, text);
        assert_int_equal(code, rows[i].code);
        memfs_free(fs);
    }
}

/* Every item of a log, cut anywhere, is refused or is whole. */
struct cutting {
    struct state *to;
    struct env *env;
    unsigned items;
};

static int cut_item(void *ctx, const struct state_item *item, struct err *e)
{
    struct cutting *c = ctx;
    for (size_t len = 0; len < item->len; len++) {
        struct memfs *fs = memfs_new();
        struct env env = memfs_env(fs);
        char text[ERR_TEXT_MAX];
        enum err_code code;
        struct state *st = history_kit_state(&env, HISTORY_KIT_DIR, STATE_OWN);
        assert_int_equal(state_append(st, HISTORY_LOG_NAME, item->bytes, len, e), 0);
        state_close(st);
        open_damaged(fs, &code, text);
        assert_int_equal(code, ERR_HISTORY_CORRUPT);
        memfs_free(fs);
    }
    c->items++;
    return 0;
}

static void history__item_cut_anywhere__refused(void **state)
{
    (void)state;
    struct memfs *fs = memfs_new();
    struct env env = memfs_env(fs);
    struct err e = ERR_INIT;
    static history_kit_step_fn *const steps[] = {history_kit_make, history_kit_swap, history_kit_cut,
                                                 history_kit_learn_case};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        assert_int_equal(history_kit_run(fs, steps[i]), 0);
    struct state *st = history_kit_state(&env, HISTORY_KIT_DIR, STATE_OWN);
    struct cutting c = {.items = 0};
    assert_int_equal(state_scan(st, HISTORY_LOG_NAME, cut_item, &c, &e), 0);
    assert_true(c.items >= 9);
    state_close(st);
    memfs_free(fs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(history__damaged_log__named_with_its_file),
        cmocka_unit_test(history__items_that_make_no_sense__named),
        cmocka_unit_test(history__item_cut_anywhere__refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
