/* Records and logs, under every failed, torn and cut-off file operation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state/state.h"
#include "tools/alloc_fault.h"
#include "tools/memfs.h"

#define DIR         "/s"
#define OPERATIONS  200 /* more than any single call makes */
#define LARGE_BYTES 3000

static struct state *open_state(const struct env *env, enum state_mode mode)
{
    struct state *st = NULL;
    struct err e = ERR_INIT;
    if (state_open(&st, env, DIR, mode, &e) != 0)
        fail_msg("%s", e.text);
    return st;
}

static void put(struct state *st, const char *name, const char *text)
{
    struct err e = ERR_INIT;
    if (state_put(st, name, text, strlen(text), &e) != 0)
        fail_msg("%s", e.text);
}

static void append(struct state *st, const char *name, const char *text)
{
    struct err e = ERR_INIT;
    if (state_append(st, name, text, strlen(text), &e) != 0)
        fail_msg("%s", e.text);
}

/* The record as text, or "-" when there is none. The result lives until the next call. */
static const char *get(struct state *st, const char *name)
{
    static char text[LARGE_BYTES + 1];
    struct buf b;
    bool found = false;
    struct err e = ERR_INIT;
    buf_init(&b, 0);
    if (state_get(st, name, &b, &found, &e) != 0)
        fail_msg("%s", e.text);
    if (found)
        snprintf(text, sizeof text, "%.*s", (int)b.len, b.len ? (const char *)b.p : "");
    else
        snprintf(text, sizeof text, "-");
    buf_release(&b);
    return text;
}

/* Joins the items of a scan, each cut to its first eight bytes. */
static int join(void *ctx, const struct state_item *item, struct err *e)
{
    (void)e;
    buf_printf(ctx, "%.*s,", (int)(item->len < 8 ? item->len : 8), (const char *)item->bytes);
    return 0;
}

static int scan_rc(struct state *st, const char *name, char *out, size_t size, struct err *e)
{
    struct buf b;
    buf_init(&b, 0);
    int rc = state_scan(st, name, join, &b, e);
    snprintf(out, size, "%.*s", (int)b.len, b.len ? (const char *)b.p : "");
    buf_release(&b);
    return rc;
}

static const char *scan(struct state *st, const char *name)
{
    static char text[512];
    struct err e = ERR_INIT;
    if (scan_rc(st, name, text, sizeof text, &e) != 0)
        fail_msg("%s", e.text);
    return text;
}

static void state__record__is_replaced_and_survives(void **unused)
{
    (void)unused;
    struct memfs *fs = memfs_new();
    struct env env = memfs_env(fs);
    struct state *st = open_state(&env, STATE_OWN);
    assert_string_equal(get(st, "a.b-c_1"), "-");
    put(st, "a.b-c_1", "one");
    put(st, "a.b-c_1", "");
    assert_string_equal(get(st, "a.b-c_1"), "");
    put(st, "a.b-c_1", "two");
    put(st, "other", "x");
    state_close(st);
    memfs_crash(fs, MEMFS_BYTES_DURABLE, false);
    st = open_state(&env, STATE_OWN);
    assert_string_equal(get(st, "a.b-c_1"), "two");
    struct err e = ERR_INIT;
    assert_int_equal(state_remove(st, "other", &e), 0);
    assert_int_equal(state_remove(st, "other", &e), 0);
    assert_string_equal(get(st, "other"), "-");
    assert_int_equal(memfs_mode(fs, DIR "/a.b-c_1.rec"), 0600);
    assert_int_equal(memfs_mode(fs, DIR), 0700);
    assert_false(memfs_exists(fs, DIR "/a.b-c_1.rec.tmp"));
    assert_string_equal(state_dir(st), DIR);
    state_close(st);
    state_close(NULL);
    assert_int_equal(memfs_open_count(fs), 0);
    memfs_free(fs);
}

static void state__name__must_be_plain(void **unused)
{
    (void)unused;
    char too_long[STATE_NAME_MAX + 2];
    memset(too_long, 'a', sizeof too_long - 1);
    too_long[sizeof too_long - 1] = '\0';
    const char *const bad[] = {"", ".", "..", ".a", "A", "a/b", "a b", "\xc3\xa9", too_long};
    struct memfs *fs = memfs_new();
    struct env env = memfs_env(fs);
    struct state *st = open_state(&env, STATE_OWN);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err e = ERR_INIT;
        assert_int_equal(state_put(st, bad[i], "x", 1, &e), -ERR_BUG);
        err_clear(&e);
        assert_int_equal(state_append(st, bad[i], "x", 1, &e), -ERR_BUG);
    }
    put(st, too_long + 1, "x");
    state_close(st);
    memfs_free(fs);
}

static void state__log_set_aside__is_missing_and_kept(void **unused)
{
    (void)unused;
    struct memfs *fs = memfs_new();
    struct env env = memfs_env(fs);
    struct state *st = open_state(&env, STATE_OWN);
    struct err e = ERR_INIT;
    char path[256] = "x";
    assert_int_equal(state_set_aside(st, "l", path, sizeof path, &e), 0);
    assert_string_equal(path, "");
    assert_int_equal(state_append(st, "l", "x", 1, &e), 0);
    state_close(st);
    st = open_state(&env, STATE_OWN);
    assert_int_equal(state_set_aside(st, "l", path, sizeof path, &e), 0);
    assert_int_equal(strncmp(path, DIR "/l.log.damaged-", sizeof DIR "/l.log.damaged-" - 1), 0);
    assert_true(memfs_exists(fs, path));
    assert_false(memfs_exists(fs, DIR "/l.log"));
    assert_string_equal(scan(st, "l"), "");
    state_close(st);
    memfs_free(fs);
}

static void state__log__keeps_order_over_opens(void **unused)
{
    (void)unused;
    struct memfs *fs = memfs_new();
    struct env env = memfs_env(fs);
    struct state *st = open_state(&env, STATE_OWN);
    struct err e = ERR_INIT;
    assert_string_equal(scan(st, "l"), "");
    assert_false(memfs_exists(fs, DIR "/l.log"));
    append(st, "l", "1");
    append(st, "l", "");
    append(st, "m", "other");
    const struct state_item items[] = {{"2", 1}, {"3", 1}, {"4", 1}};
    assert_int_equal(state_append_all(st, "l", items, 3, &e), 0);
    assert_int_equal(state_append_all(st, "l", items, 0, &e), 0);
    assert_string_equal(scan(st, "l"), "1,,2,3,4,");
    state_close(st);
    memfs_crash(fs, MEMFS_BYTES_DURABLE, false);
    st = open_state(&env, STATE_OWN);
    append(st, "l", "5");
    assert_string_equal(scan(st, "l"), "1,,2,3,4,5,");
    assert_string_equal(scan(st, "m"), "other,");
    assert_int_equal(memfs_mode(fs, DIR "/l.log"), 0600);
    assert_int_equal(state_cut_bytes(st), 0);
    state_close(st);
    assert_int_equal(memfs_open_count(fs), 0);
    memfs_free(fs);
}

static int stop_at_two(void *ctx, const struct state_item *item, struct err *e)
{
    unsigned *seen = ctx;
    (void)item;
    return ++*seen == 2 ? err_set(e, BUG, "enough") : 0;
}

static void state__visit_fails__ends_the_scan(void **unused)
{
    (void)unused;
    struct memfs *fs = memfs_new();
    struct env env = memfs_env(fs);
    struct state *st = open_state(&env, STATE_OWN);
    struct err e = ERR_INIT;
    unsigned seen = 0;
    append(st, "l", "1");
    append(st, "l", "2");
    append(st, "l", "3");
    assert_int_equal(state_scan(st, "l", stop_at_two, &seen, &e), -ERR_BUG);
    assert_int_equal(seen, 2);
    state_close(st);
    memfs_free(fs);
}

static bool keep_odd(void *ctx, const struct state_item *item)
{
    (void)ctx;
    return *(const char *)item->bytes % 2 == 1;
}

static bool keep_none(void *ctx, const struct state_item *item)
{
    (void)ctx;
    (void)item;
    return false;
}

static void state__compact__keeps_what_is_wanted_and_goes_on(void **unused)
{
    (void)unused;
    struct memfs *fs = memfs_new();
    struct env env = memfs_env(fs);
    struct state *st = open_state(&env, STATE_OWN);
    struct err e = ERR_INIT;
    assert_int_equal(state_compact(st, "l", keep_odd, NULL, &e), 0);
    assert_false(memfs_exists(fs, DIR "/l.log"));
    for (char c = '1'; c <= '5'; c++)
        append(st, "l", (char[]){c, '\0'});
    assert_int_equal(state_compact(st, "l", keep_odd, NULL, &e), 0);
    assert_string_equal(scan(st, "l"), "1,3,5,");
    append(st, "l", "6");
    state_close(st);
    memfs_crash(fs, MEMFS_BYTES_DURABLE, false);
    st = open_state(&env, STATE_OWN);
    assert_string_equal(scan(st, "l"), "1,3,5,6,");
    assert_int_equal(state_compact(st, "l", keep_none, NULL, &e), 0);
    assert_string_equal(scan(st, "l"), "");
    append(st, "l", "7");
    assert_string_equal(scan(st, "l"), "7,");
    state_close(st);
    assert_int_equal(memfs_open_count(fs), 0);
    memfs_free(fs);
}

static void state__replace__has_the_new_items_only(void **unused)
{
    (void)unused;
    struct memfs *fs = memfs_new();
    struct env env = memfs_env(fs);
    struct state *st = open_state(&env, STATE_OWN);
    struct err e = ERR_INIT;
    const struct state_item items[] = {{"a", 1}, {"", 0}, {"b", 1}};
    assert_int_equal(state_replace(st, "l", items, 2, &e), 0);
    assert_string_equal(scan(st, "l"), "a,,");
    append(st, "l", "1");
    assert_int_equal(state_replace(st, "l", items, 3, &e), 0);
    assert_string_equal(scan(st, "l"), "a,,b,");
    append(st, "l", "2");
    struct state *reader = open_state(&env, STATE_READ);
    assert_string_equal(scan(reader, "l"), "a,,b,2,");
    assert_int_equal(state_replace(reader, "l", items, 1, &e), -ERR_BUG);
    state_close(reader);
    state_close(st);
    memfs_crash(fs, MEMFS_BYTES_DURABLE, false);
    st = open_state(&env, STATE_OWN);
    assert_string_equal(scan(st, "l"), "a,,b,2,");
    err_clear(&e);
    assert_int_equal(state_replace(st, "l", NULL, 0, &e), 0);
    assert_string_equal(scan(st, "l"), "");
    append(st, "l", "3");
    assert_string_equal(scan(st, "l"), "3,");
    assert_int_equal(memfs_mode(fs, DIR "/l.log"), 0600);
    assert_false(memfs_exists(fs, DIR "/l.log.tmp"));
    state_close(st);
    assert_int_equal(memfs_open_count(fs), 0);
    memfs_free(fs);
}

/* One change of the state that either happens or does not. */
struct change_case {
    const char *name;
    int (*change)(struct state *st, struct err *e);
    const char *before, *after; /* record "r", then log "l" */
};

static char large[LARGE_BYTES + 1];

static int change_put(struct state *st, struct err *e)
{
    return state_put(st, "r", "new", 3, e);
}

static int change_put_large(struct state *st, struct err *e)
{
    return state_put(st, "r", large, LARGE_BYTES, e);
}

static int change_first_put(struct state *st, struct err *e)
{
    return state_put(st, "fresh", "new", 3, e);
}

static int change_remove(struct state *st, struct err *e)
{
    return state_remove(st, "r", e);
}

static int change_append(struct state *st, struct err *e)
{
    return state_append(st, "l", "4", 1, e);
}

static int change_append_large(struct state *st, struct err *e)
{
    return state_append(st, "l", large, LARGE_BYTES, e);
}

static int change_append_all(struct state *st, struct err *e)
{
    const struct state_item items[] = {{large, 600}, {"5", 1}, {large, 900}};
    return state_append_all(st, "l", items, 3, e);
}

static int change_first_append(struct state *st, struct err *e)
{
    return state_append(st, "fresh", "new", 3, e);
}

static int change_compact(struct state *st, struct err *e)
{
    return state_compact(st, "l", keep_odd, NULL, e);
}

static int change_replace(struct state *st, struct err *e)
{
    const struct state_item items[] = {{"7", 1}, {large, LARGE_BYTES}, {"8", 1}};
    return state_replace(st, "l", items, 3, e);
}

static int change_first_replace(struct state *st, struct err *e)
{
    const struct state_item item = {"new", 3};
    return state_replace(st, "fresh", &item, 1, e);
}

static const struct change_case changes[] = {
    {"put", change_put, "old|1,2,3,|-|", "new|1,2,3,|-|"},
    {"put large", change_put_large, "old|1,2,3,|-|", "xxxxxxxx|1,2,3,|-|"},
    {"first put", change_first_put, "old|1,2,3,|-|", "old|1,2,3,|new|"},
    {"remove", change_remove, "old|1,2,3,|-|", "-|1,2,3,|-|"},
    {"append", change_append, "old|1,2,3,|-|", "old|1,2,3,4,|-|"},
    {"append large", change_append_large, "old|1,2,3,|-|", "old|1,2,3,xxxxxxxx,|-|"},
    {"append all", change_append_all, "old|1,2,3,|-|", "old|1,2,3,xxxxxxxx,5,xxxxxxxx,|-|"},
    {"first append", change_first_append, "old|1,2,3,|-|", "old|1,2,3,|-|new,"},
    {"compact", change_compact, "old|1,2,3,|-|", "old|1,3,|-|"},
    {"replace", change_replace, "old|1,2,3,|-|", "old|7,xxxxxxxx,8,|-|"},
    {"first replace", change_first_replace, "old|1,2,3,|-|", "old|1,2,3,|-|new,"},
};

/* All that the cases touch, as one text. */
static void picture(struct state *st, char out[512])
{
    size_t len = (size_t)snprintf(out, 512, "%.8s|", get(st, "r"));
    len += (size_t)snprintf(out + len, 512 - len, "%s|", scan(st, "l"));
    len += (size_t)snprintf(out + len, 512 - len, "%s|", get(st, "fresh"));
    snprintf(out + len, 512 - len, "%s", scan(st, "fresh"));
}

static struct state *prepare(const struct env *env)
{
    struct state *st = open_state(env, STATE_OWN);
    put(st, "r", "old");
    append(st, "l", "1");
    append(st, "l", "2");
    append(st, "l", "3");
    return st;
}

static void expect_old_or_new(const struct change_case *c, struct state *st, bool done, unsigned n)
{
    char now[512];
    picture(st, now);
    bool is_new = strcmp(now, c->after) == 0;
    if (!is_new && (done || strcmp(now, c->before) != 0))
        fail_msg("%s, fault at operation %u: %s", c->name, n, now);
}

static void expect_last_item(struct state *st)
{
    const char *items = scan(st, "l");
    assert_string_equal(items + strlen(items) - 2, "9,");
}

/* The state must be as good as new after a repair: what is written next is read, now and after another start. */
static struct state *expect_usable(struct state *st, const struct env *env)
{
    put(st, "r", "later");
    assert_string_equal(get(st, "r"), "later");
    append(st, "l", "9");
    expect_last_item(st);
    state_close(st);
    st = open_state(env, STATE_OWN);
    assert_string_equal(get(st, "r"), "later");
    expect_last_item(st);
    return st;
}

/* False when operation n does not exist any more. */
static bool run_with_error(const struct change_case *c, enum memfs_fault fault, unsigned n)
{
    struct memfs *fs = memfs_new();
    struct env env = memfs_env(fs);
    struct state *st = prepare(&env);
    struct err e = ERR_INIT;
    memfs_fault(fs, fault, n);
    int rc = c->change(st, &e);
    bool met = memfs_fault_met(fs);
    memfs_fault(fs, MEMFS_NONE, 0);
    assert_int_equal(rc, err_result(&e));
    if (rc != 0)
        assert_int_equal(rc, -ERR_STATE_IO);
    expect_old_or_new(c, st, rc == 0, n);
    state_close(st);
    st = open_state(&env, STATE_OWN);
    expect_old_or_new(c, st, rc == 0, n);
    state_close(expect_usable(st, &env));
    assert_int_equal(memfs_open_count(fs), 0);
    memfs_free(fs);
    return met;
}

static void state__any_operation_fails__old_or_new_is_read(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
        for (int fault = MEMFS_ERROR; fault <= MEMFS_TORN; fault++) {
            unsigned n = 1;
            while (run_with_error(&changes[i], (enum memfs_fault)fault, n))
                n++;
            assert_in_range(n, 3, OPERATIONS);
        }
}

static int count(void *ctx, const struct state_item *item, struct err *e)
{
    unsigned *seen = ctx;
    (void)item;
    (void)e;
    ++*seen;
    return 0;
}

static void state__any_allocation_fails__is_out_of_memory(void **unused)
{
    (void)unused;
    static const char *const names[] = {"r", "l"};
    for (size_t i = 0; i < 2; i++) {
        unsigned n = 1;
        for (bool met = true; met; n++) {
            struct memfs *fs = memfs_new();
            struct env env = memfs_env(fs);
            struct err e = ERR_INIT;
            struct buf b;
            bool found = false;
            unsigned seen = 0;
            buf_init(&b, 0);
            state_close(prepare(&env));
            alloc_fault_arm(n);
            struct state *st = NULL;
            int rc = state_open(&st, &env, DIR, STATE_READ, &e);
            if (rc == 0)
                rc = i == 0 ? state_get(st, names[i], &b, &found, &e) : state_scan(st, names[i], count, &seen, &e);
            met = alloc_fault_met();
            alloc_fault_arm(0);
            assert_int_equal(rc, met ? -ERR_NO_MEMORY : 0);
            state_close(st);
            buf_release(&b);
            assert_int_equal(memfs_open_count(fs), 0);
            memfs_free(fs);
        }
        assert_in_range(n, 3, 20);
    }
}

static bool append_after_torn_append(unsigned n)
{
    struct memfs *fs = memfs_new();
    struct env env = memfs_env(fs);
    struct state *st = prepare(&env);
    struct err e = ERR_INIT;
    memfs_fault(fs, MEMFS_TORN, n);
    int rc = change_append_large(st, &e);
    bool met = memfs_fault_met(fs);
    memfs_fault(fs, MEMFS_NONE, 0);
    err_clear(&e);
    bool broken = state_append(st, "l", "s", 1, &e) != 0;
    state_close(st);
    st = open_state(&env, STATE_OWN);
    if (!broken)
        assert_string_equal(scan(st, "l"), rc == 0 ? "1,2,3,xxxxxxxx,s," : "1,2,3,s,");
    state_close(st);
    memfs_free(fs);
    return met;
}

static void state__append_torn_then_another__is_a_whole_log(void **unused)
{
    (void)unused;
    unsigned n = 1;
    while (append_after_torn_append(n))
        n++;
    assert_in_range(n, 3, OPERATIONS);
}

static bool run_with_power_cut(const struct change_case *c, unsigned n, enum memfs_bytes bytes, bool names)
{
    struct memfs *fs = memfs_new();
    struct env env = memfs_env(fs);
    struct state *st = prepare(&env);
    struct err e = ERR_INIT;
    memfs_fault(fs, MEMFS_POWER, n);
    int rc = c->change(st, &e);
    bool met = memfs_fault_met(fs);
    state_close(st);
    memfs_crash(fs, bytes, names);
    st = open_state(&env, STATE_OWN);
    expect_old_or_new(c, st, rc == 0, n);
    state_close(expect_usable(st, &env));
    memfs_free(fs);
    return met;
}

static void state__power_fails_at_any_operation__old_or_new_is_read(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
        for (int bytes = 0; bytes < MEMFS_BYTES_COUNT; bytes++)
            for (int names = 0; names <= 1; names++)
                for (unsigned n = 1; run_with_power_cut(&changes[i], n, (enum memfs_bytes)bytes, names); n++)
                    assert_in_range(n, 1, OPERATIONS);
}

static void state__opening_fails_anywhere__nothing_is_left_open(void **unused)
{
    (void)unused;
    unsigned n = 1;
    for (bool met = true; met; n++) {
        struct memfs *fs = memfs_new();
        struct env env = memfs_env(fs);
        struct state *st = NULL;
        struct err e = ERR_INIT;
        memfs_fault(fs, MEMFS_ERROR, n);
        int rc = state_open(&st, &env, "/a/b/c", STATE_OWN, &e);
        met = memfs_fault_met(fs);
        assert_int_equal(rc == 0, st != NULL);
        assert_int_equal(met, rc != 0);
        state_close(st);
        assert_int_equal(memfs_open_count(fs), 0);
        memfs_fault(fs, MEMFS_NONE, 0);
        err_clear(&e);
        st = NULL;
        assert_int_equal(state_open(&st, &env, "/a/b/c", STATE_OWN, &e), 0);
        assert_int_equal(memfs_mode(fs, "/a/b"), 0700);
        state_close(st);
        memfs_free(fs);
    }
    assert_in_range(n, 8, OPERATIONS);
}

/* The operation of a put that is an fsync, found by its effect: the state refuses everything after it. */
static void state__fsync_failed__nothing_more_is_written(void **unused)
{
    (void)unused;
    unsigned refused = 0;
    for (unsigned n = 1; n <= 10; n++) {
        struct memfs *fs = memfs_new();
        struct env env = memfs_env(fs);
        struct state *st = prepare(&env);
        struct err e = ERR_INIT, later = ERR_INIT;
        memfs_fault(fs, MEMFS_ERROR, n);
        int rc = state_put(st, "r", "new", 3, &e);
        memfs_fault(fs, MEMFS_NONE, 0);
        bool is_sync = rc != 0 && strstr(e.text, "fsync") != NULL;
        assert_int_equal(state_put(st, "r", "x", 1, &later), is_sync ? -ERR_STATE_IO : 0);
        if (is_sync) {
            refused++;
            err_clear(&later);
            assert_int_equal(state_append(st, "l", "x", 1, &later), -ERR_STATE_IO);
            assert_string_equal(later.text, DIR ": write: an earlier fsync failed");
            assert_string_equal(scan(st, "l"), "1,2,3,");
        }
        state_close(st);
        memfs_free(fs);
    }
    assert_int_equal(refused, 2); /* of the file, of the directory */
}

static void state__locked__names_the_holder(void **unused)
{
    (void)unused;
    struct memfs *fs = memfs_new();
    struct env env = memfs_env(fs);
    struct state *first = open_state(&env, STATE_OWN), *second = NULL;
    struct err e = ERR_INIT;
    char expected[64];
    snprintf(expected, sizeof expected, DIR "/lock is locked by process %ld", (long)getpid());
    assert_int_equal(state_open(&second, &env, DIR, STATE_OWN, &e), -ERR_STATE_LOCKED);
    assert_string_equal(e.text, expected);
    assert_null(second);
    put(first, "r", "x");
    struct state *reader = open_state(&env, STATE_READ);
    assert_string_equal(get(reader, "r"), "x");
    state_close(reader);
    state_close(first);
    first = open_state(&env, STATE_OWN);
    state_close(first);
    memfs_free(fs);
}

static void state__reader__sees_everything_and_changes_nothing(void **unused)
{
    (void)unused;
    struct memfs *fs = memfs_new();
    struct env env = memfs_env(fs);
    struct err e = ERR_INIT;
    struct state *reader = open_state(&env, STATE_READ);
    assert_string_equal(get(reader, "r"), "-");
    assert_string_equal(scan(reader, "l"), "");
    assert_false(memfs_exists(fs, DIR));
    assert_int_equal(state_put(reader, "r", "x", 1, &e), -ERR_BUG);
    struct state *st = prepare(&env);
    assert_string_equal(get(reader, "r"), "old");
    assert_string_equal(scan(reader, "l"), "1,2,3,");
    err_clear(&e);
    assert_int_equal(state_compact(st, "l", keep_odd, NULL, &e), 0);
    assert_string_equal(scan(reader, "l"), "1,3,");
    size_t len = 0;
    assert_non_null(memfs_bytes(fs, DIR "/l.log", &len));
    memfs_resize(fs, DIR "/l.log", len - 1);
    assert_string_equal(scan(reader, "l"), "1,");
    size_t after = 0;
    assert_non_null(memfs_bytes(fs, DIR "/l.log", &after));
    assert_int_equal(after, len - 1);
    state_close(reader);
    state_close(st);
    memfs_free(fs);
}

/* A log of three entries of 25 bytes each (header 20, length 4, one byte). */
#define ENTRY_BYTES 25

static void state__log_cut_anywhere__loses_only_the_last_entry(void **unused)
{
    (void)unused;
    static const char *const expected[] = {"", "1,", "1,2,", "1,2,3,"};
    for (size_t len = 0; len <= 3 * ENTRY_BYTES; len++) {
        struct memfs *fs = memfs_new();
        struct env env = memfs_env(fs);
        state_close(prepare(&env));
        memfs_resize(fs, DIR "/l.log", len);
        struct state *st = open_state(&env, STATE_OWN);
        assert_string_equal(scan(st, "l"), expected[len / ENTRY_BYTES]);
        assert_int_equal(state_cut_bytes(st), len % ENTRY_BYTES);
        append(st, "l", "4");
        char text[32];
        snprintf(text, sizeof text, "%s4,", expected[len / ENTRY_BYTES]);
        assert_string_equal(scan(st, "l"), text);
        state_close(st);
        memfs_free(fs);
    }
}

static void state__log_bit_flipped__is_damage_unless_at_the_very_end(void **unused)
{
    (void)unused;
    for (size_t bit = 0; bit < 3 * ENTRY_BYTES * 8; bit++) {
        struct memfs *fs = memfs_new();
        struct env env = memfs_env(fs);
        state_close(prepare(&env));
        size_t len = 0, at = bit / 8;
        memfs_bytes(fs, DIR "/l.log", &len)[at] ^= (uint8_t)(1u << (bit % 8));
        struct state *st = open_state(&env, STATE_OWN);
        struct err e = ERR_INIT;
        char text[64], words[64];
        int rc = scan_rc(st, "l", text, sizeof text, &e);
        if (at >= 2 * ENTRY_BYTES + 20) { /* the payload of the last entry: as a cut write leaves it */
            assert_int_equal(rc, 0);
            assert_string_equal(text, "1,2,");
            assert_int_equal(state_cut_bytes(st), ENTRY_BYTES);
        } else {
            snprintf(words, sizeof words, DIR "/l.log: offset %zu: ", at / ENTRY_BYTES * ENTRY_BYTES);
            assert_int_equal(rc, -ERR_STATE_CORRUPT);
            assert_memory_equal(e.text, words, strlen(words));
            assert_string_equal(text, "");
            err_clear(&e);
            assert_int_equal(state_append(st, "l", "x", 1, &e), -ERR_STATE_CORRUPT);
        }
        state_close(st);
        memfs_free(fs);
    }
}

static void state__log_sector_lost_in_the_middle__is_damage(void **unused)
{
    (void)unused;
    struct memfs *fs = memfs_new();
    struct env env = memfs_env(fs);
    state_close(prepare(&env));
    size_t len = 0;
    memset(memfs_bytes(fs, DIR "/l.log", &len) + ENTRY_BYTES, 0, ENTRY_BYTES);
    struct state *st = open_state(&env, STATE_OWN);
    struct err e = ERR_INIT;
    char text[64];
    assert_int_equal(scan_rc(st, "l", text, sizeof text, &e), -ERR_STATE_CORRUPT);
    assert_string_equal(e.text, DIR "/l.log: offset 25: an entry is lost and others follow it");
    state_close(st);
    memfs_free(fs);
}

static void state__record_damaged__is_never_read(void **unused)
{
    (void)unused;
    for (size_t bit = 0; bit < 23 * 8; bit++) {
        struct memfs *fs = memfs_new();
        struct env env = memfs_env(fs);
        struct state *st = prepare(&env);
        struct err e = ERR_INIT;
        struct buf b;
        bool found = false;
        size_t len = 0;
        buf_init(&b, 0);
        memfs_bytes(fs, DIR "/r.rec", &len)[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        assert_int_equal(len, 23);
        assert_int_equal(state_get(st, "r", &b, &found, &e), -ERR_STATE_CORRUPT);
        assert_memory_equal(e.text, DIR "/r.rec: offset ", strlen(DIR "/r.rec: offset "));
        assert_false(found);
        put(st, "r", "again");
        assert_string_equal(get(st, "r"), "again");
        state_close(st);
        buf_release(&b);
        memfs_free(fs);
    }
    for (size_t cut = 0; cut < 30; cut++) {
        struct memfs *fs = memfs_new();
        struct env env = memfs_env(fs);
        struct state *st = prepare(&env);
        struct err e = ERR_INIT;
        struct buf b;
        bool found = false;
        buf_init(&b, 0);
        memfs_resize(fs, DIR "/r.rec", cut);
        assert_int_equal(state_get(st, "r", &b, &found, &e), cut == 23 ? 0 : -ERR_STATE_CORRUPT);
        state_close(st);
        buf_release(&b);
        memfs_free(fs);
    }
}

/* Written by hand from the layout in state.h, with CRCs from another implementation (Python's zlib.crc32). */
static void state__format__is_as_documented(void **unused)
{
    (void)unused;
    static const uint8_t record[] = {0x73, 0x6c, 0x75, 0x01, 0x01, 0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00,
                                     0xe5, 0xd4, 0x5d, 0x3f, 0x5a, 0xcd, 0xfc, 0x69, 'o',  'l',  'd'};
    struct memfs *fs = memfs_new();
    struct env env = memfs_env(fs);
    struct state *st = prepare(&env);
    size_t len = 0;
    uint8_t *bytes = memfs_bytes(fs, DIR "/r.rec", &len);
    assert_int_equal(len, sizeof record);
    assert_memory_equal(bytes, record, sizeof record);
    static const uint8_t newer[] = {0x73, 0x6c, 0x75, 0x01, 0x02, 0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00,
                                    0xe5, 0xd4, 0x5d, 0x3f, 0xaa, 0x1f, 0x62, 0x1e, 'o',  'l',  'd'};
    memcpy(bytes, newer, sizeof newer);
    struct err e = ERR_INIT;
    struct buf b;
    bool found = false;
    buf_init(&b, 0);
    assert_int_equal(state_get(st, "r", &b, &found, &e), -ERR_STATE_VERSION);
    assert_string_equal(e.text, DIR "/r.rec was written in format 2, this program knows 1");
    buf_release(&b);
    state_close(st);
    memfs_free(fs);
}

static void state__real_directory__is_private_and_follows_no_link(void **unused)
{
    (void)unused;
    struct env env = env_system();
    struct err e = ERR_INIT;
    struct state *st = NULL, *again = NULL;
    char dir[] = "/tmp/sluice_state_XXXXXX", sub[64], path[96], target[96];
    assert_non_null(mkdtemp(dir));
    snprintf(sub, sizeof sub, "%s/replay/one", dir);
    assert_int_equal(state_open(&st, &env, sub, STATE_OWN, &e), 0);
    put(st, "r", "real");
    append(st, "l", "1");
    append(st, "l", "2");
    assert_string_equal(get(st, "r"), "real");
    assert_string_equal(scan(st, "l"), "1,2,");
    assert_int_equal(state_compact(st, "l", keep_odd, NULL, &e), 0);
    assert_string_equal(scan(st, "l"), "1,");
    assert_int_equal(state_open(&again, &env, sub, STATE_OWN, &e), -ERR_STATE_LOCKED);
    err_clear(&e);
    struct stat info;
    assert_int_equal(stat(sub, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0700);
    snprintf(path, sizeof path, "%s/r.rec", sub);
    assert_int_equal(lstat(path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    snprintf(path, sizeof path, "%s/link.rec.tmp", sub);
    snprintf(target, sizeof target, "%s/target", dir);
    assert_int_equal(symlink(target, path), 0);
    assert_int_equal(state_put(st, "link", "x", 1, &e), -ERR_STATE_IO);
    assert_int_equal(access(target, F_OK), -1);
    state_close(st);
    static const char *const files[] = {"r.rec", "l.log", "lock", "link.rec.tmp"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", sub, files[i]);
        assert_int_equal(unlink(path), 0);
    }
    assert_int_equal(rmdir(sub), 0);
    snprintf(path, sizeof path, "%s/replay", dir);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
    memset(large, 'x', LARGE_BYTES);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(state__record__is_replaced_and_survives),
        cmocka_unit_test(state__name__must_be_plain),
        cmocka_unit_test(state__log_set_aside__is_missing_and_kept),
        cmocka_unit_test(state__log__keeps_order_over_opens),
        cmocka_unit_test(state__visit_fails__ends_the_scan),
        cmocka_unit_test(state__compact__keeps_what_is_wanted_and_goes_on),
        cmocka_unit_test(state__replace__has_the_new_items_only),
        cmocka_unit_test(state__any_operation_fails__old_or_new_is_read),
        cmocka_unit_test(state__any_allocation_fails__is_out_of_memory),
        cmocka_unit_test(state__append_torn_then_another__is_a_whole_log),
        cmocka_unit_test(state__power_fails_at_any_operation__old_or_new_is_read),
        cmocka_unit_test(state__opening_fails_anywhere__nothing_is_left_open),
        cmocka_unit_test(state__fsync_failed__nothing_more_is_written),
        cmocka_unit_test(state__locked__names_the_holder),
        cmocka_unit_test(state__reader__sees_everything_and_changes_nothing),
        cmocka_unit_test(state__log_cut_anywhere__loses_only_the_last_entry),
        cmocka_unit_test(state__log_bit_flipped__is_damage_unless_at_the_very_end),
        cmocka_unit_test(state__log_sector_lost_in_the_middle__is_damage),
        cmocka_unit_test(state__record_damaged__is_never_read),
        cmocka_unit_test(state__format__is_as_documented),
        cmocka_unit_test(state__real_directory__is_private_and_follows_no_link),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
