/* The history over a state: power failures, damage, replays beside a service, compaction, and a long random life that
 * never gives a wrong answer. */
#include "schema/history.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "schema/history_private.h"
#include "tools/memfs.h"

#define A "aaaaaaaa-0000-0000-0000-000000000000"

#define B   "bbbbbbbb-0000-0000-0000-000000000000"
#define DIR "/state"
#define LOG DIR "/" HISTORY_LOG_NAME ".log"

static struct state *open_state(const struct env *env, const char *dir, enum state_mode mode)
{
    struct err e = ERR_INIT;
    struct state *st = NULL;
    assert_int_equal(state_open(&st, env, dir, mode, &e), 0);
    return st;
}

static struct history *open_history(struct state *base, struct state *own)
{
    struct err e = ERR_INIT;
    struct history *h = NULL;
    int rc = history_open(&h, base, own, &e);
    if (rc != 0)
        print_message("%s\n", e.text);
    assert_int_equal(rc, 0);
    return h;
}

static struct history_change defined(const char *table, const char *text)
{
    return (struct history_change){
        .db = "shop", .table = table, .kind = HISTORY_DEFINED, .text = text, .len = strlen(text)};
}

static int put_at(struct history *h, uint64_t pos, const struct history_change *changes, size_t count, struct err *e)
{
    const struct history_where where = {.server_uuid = A, .at = {"bin.000001", pos}};
    return history_put(h, &where, HISTORY_LOG, NULL, changes, count, e);
}

static void put_text(struct history *h, const char *table, const char *text, uint64_t pos)
{
    struct err e = ERR_INIT;
    const struct history_change change = defined(table, text);
    assert_int_equal(put_at(h, pos, &change, 1, &e), 0);
}

static const char *find_at(struct history *h, const char *table, uint64_t pos)
{
    const struct history_where where = {.server_uuid = A, .at = {"bin.000001", pos}};
    const struct history_version *v = history_find(h, "shop", table, &where);
    return !v ? "none" : v->kind == HISTORY_GONE ? "gone" : v->text;
}

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

/* ---- power failures ---- */

static int old_life(struct history *h, struct err *e)
{
    const struct history_change first[] = {defined("orders", "o1"), defined("orders_new", "n1")};
    return put_at(h, 10, first, 2, e);
}

static int swap(struct history *h, struct err *e)
{
    struct history_change changes[] = {defined("orders", "n1"), defined("orders_old", "o1"), defined("orders_new", "")};
    changes[2].kind = HISTORY_GONE;
    return put_at(h, 20, changes, 3, e);
}

static int forget_one(struct history *h, struct err *e)
{
    return history_forget(h, "shop", "orders_new", e);
}

static int cut_all(struct history *h, struct err *e)
{
    const struct history_where kept = {.server_uuid = A, .at = {"bin.000001", 5}};
    return history_cut(h, &kept, e);
}

static int learn_case(struct history *h, struct err *e)
{
    return history_set_case(h, 1, e);
}

/* Makes the log so large and useless that it is rewritten by the last put. */
static int grow_and_compact(struct history *h, struct err *e)
{
    char *text = calloc(1, HISTORY_COMPACT_MIN / 4);
    int rc = 0;
    memset(text, 'x', HISTORY_COMPACT_MIN / 4 - 1);
    for (unsigned i = 0; i < 6 && rc == 0; i++) {
        struct history_change change = defined("temporary", text);
        text[0] = (char)('a' + i);
        change.candidate = true;
        rc = put_at(h, 100 + i, &change, 1, e);
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
    const struct history_change found[] = {defined("orders", "o9"), defined("orders_new", "n9"), defined("more", "m9")};
    const struct history_where where = {.server_uuid = A, .at = {"bin.000001", 8}};
    const struct history_where window = {.server_uuid = A, .at = {"bin.000001", 6}};
    struct history *other = open_history(NULL, NULL);
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

typedef int step_fn(struct history *h, struct err *e);

static void life(struct memfs *fs, step_fn *step, int *rc)
{
    struct env env = memfs_env(fs);
    struct err e = ERR_INIT;
    struct state *st = NULL;
    struct history *h = NULL;
    *rc = state_open(&st, &env, DIR, STATE_OWN, &e);
    if (*rc == 0)
        *rc = history_open(&h, NULL, st, &e);
    if (*rc == 0)
        *rc = step(h, &e);
    history_free(h);
    state_close(st);
}

static void content(struct memfs *fs, struct buf *out)
{
    struct env env = memfs_env(fs);
    struct state *st = open_state(&env, DIR, STATE_OWN);
    struct history *h = open_history(NULL, st);
    print_all(h, out);
    history_free(h);
    state_close(st);
}

static void history__power_fails_at_any_operation__old_or_new_never_mixed(void **state)
{
    (void)state;
    static step_fn *const steps[] = {swap, forget_one, cut_all, learn_case, take_all, take_orders};
    struct buf before, after, now;
    unsigned failures = 0;
    buf_init(&before, 0);
    buf_init(&after, 0);
    buf_init(&now, 0);
    for (size_t s = 0; s < sizeof steps / sizeof *steps; s++)
        for (unsigned n = 1, met = 1; met; n++)
            for (unsigned how = 0; how < 2 * MEMFS_BYTES_COUNT && met; how++) {
                struct memfs *fs = memfs_new();
                int rc;
                life(fs, old_life, &rc);
                assert_int_equal(rc, 0);
                content(fs, &before);
                memfs_fault(fs, MEMFS_POWER, n);
                life(fs, steps[s], &rc);
                met = memfs_fault_met(fs);
                memfs_crash(fs, (enum memfs_bytes)(how % MEMFS_BYTES_COUNT), how < MEMFS_BYTES_COUNT);
                content(fs, &now);
                if (rc == 0)
                    assert_string_not_equal((char *)now.p, (char *)before.p);
                memfs_fault(fs, MEMFS_NONE, 0);
                struct memfs *other = memfs_new();
                int fine;
                life(other, old_life, &fine);
                life(other, steps[s], &fine);
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
        int rc;
        life(fs, old_life, &rc);
        life(fs, swap, &rc);
        memfs_fault(fs, MEMFS_POWER, n);
        life(fs, grow_and_compact, &rc);
        met = memfs_fault_met(fs);
        memfs_crash(fs, (enum memfs_bytes)(n % MEMFS_BYTES_COUNT), n % 2);
        struct state *st = open_state(&env, DIR, STATE_OWN);
        struct history *h = open_history(NULL, st);
        assert_string_equal(find_at(h, "orders", 15), "o1");
        assert_string_equal(find_at(h, "orders", 99), "n1");
        assert_string_equal(find_at(h, "orders_new", 99), "gone");
        history_free(h);
        state_close(st);
        if (!met) {
            size_t len = 0;
            assert_non_null(memfs_bytes(fs, LOG, &len));
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
    struct state *st = open_state(&env, DIR, STATE_OWN);
    struct history *h = open_history(NULL, st);
    struct buf before, now;
    buf_init(&before, 0);
    buf_init(&now, 0);
    assert_int_equal(old_life(h, &e), 0);
    print_all(h, &before);
    size_t bytes = history_bytes(h);
    memfs_fault(fs, MEMFS_ERROR, 1);
    assert_int_not_equal(swap(h, &e), 0);
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
        step_fn *step;
        const char *orders, *orders_new, *more;
    } cases[] = {{take_all, "o9", "n9", "m9"}, {take_orders, "o9", "n1", "m9"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct memfs *fs = memfs_new();
        struct env env = memfs_env(fs);
        int rc;
        life(fs, old_life, &rc);
        life(fs, cases[i].step, &rc);
        assert_int_equal(rc, 0);
        struct state *st = open_state(&env, DIR, STATE_OWN);
        struct history *h = open_history(NULL, st);
        assert_string_equal(find_at(h, "orders", 15), cases[i].orders);
        assert_string_equal(find_at(h, "orders_new", 15), cases[i].orders_new);
        assert_string_equal(find_at(h, "more", 15), cases[i].more);
        assert_int_equal(history_case(h), 1);
        history_free(h);
        state_close(st);
        memfs_free(fs);
    }
}

/* ---- rewriting that fails ---- */

static void history__rewriting_fails__put_is_there_and_it_is_told_once(void **state)
{
    (void)state;
    unsigned told = 0;
    bool met = true;
    for (unsigned n = 1; met; n++) {
        struct memfs *fs = memfs_new();
        struct env env = memfs_env(fs);
        struct err e = ERR_INIT, why = ERR_INIT;
        struct state *st = open_state(&env, DIR, STATE_OWN);
        struct history *h = open_history(NULL, st);
        assert_int_equal(old_life(h, &e), 0);
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
            assert_non_null(memfs_bytes(fs, LOG, &len));
            assert_true(len < 2 * HISTORY_COMPACT_MIN);
        }
        if (rc == 0)
            assert_int_equal(find_at(h, "temporary", 200)[0], 'f');
        history_free(h);
        state_close(st);
        memfs_free(fs);
    }
    assert_true(told > 0);
}

/* ---- damage ---- */

static void open_damaged(struct memfs *fs, enum err_code *code, char *text)
{
    struct env env = memfs_env(fs);
    struct err e = ERR_INIT;
    struct state *st = open_state(&env, DIR, STATE_OWN);
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
    int rc;
    life(fs, old_life, &rc);
    life(fs, swap, &rc);
    uint8_t *bytes = memfs_bytes(fs, LOG, &len);
    assert_non_null(bytes);
    bytes[30] ^= 1;
    open_damaged(fs, &code, text);
    assert_int_equal(code, ERR_HISTORY_CORRUPT);
    assert_non_null(strstr(text, LOG));
    assert_non_null(strstr(err_code_todo(code), "sluice schema rebuild"));
    struct err e = ERR_INIT;
    struct state *st = open_state(&env, DIR, STATE_OWN);
    char aside[256];
    assert_int_equal(state_set_aside(st, HISTORY_LOG_NAME, aside, sizeof aside, &e), 0);
    struct history *h = open_history(NULL, st);
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
        struct state *st = open_state(&env, DIR, STATE_OWN);
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
        struct state *st = open_state(&env, DIR, STATE_OWN);
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
    int rc;
    life(fs, old_life, &rc);
    life(fs, swap, &rc);
    life(fs, cut_all, &rc);
    life(fs, learn_case, &rc);
    struct state *st = open_state(&env, DIR, STATE_OWN);
    struct cutting c = {.items = 0};
    assert_int_equal(state_scan(st, HISTORY_LOG_NAME, cut_item, &c, &e), 0);
    assert_true(c.items >= 9);
    state_close(st);
    memfs_free(fs);
}

/* ---- a replay beside a service ---- */

static void history__replay_beside_a_service__reads_both_writes_its_own(void **state)
{
    (void)state;
    struct memfs *fs = memfs_new();
    struct env env = memfs_env(fs);
    struct state *service = open_state(&env, DIR, STATE_OWN);
    struct history *live = open_history(NULL, service);
    put_text(live, "orders", "b", 20);
    put_text(live, "orders", "c", 30);
    size_t before = 0, after = 0;
    assert_non_null(memfs_bytes(fs, LOG, &before));
    for (unsigned round = 0; round < 2; round++) {
        struct state *base = open_state(&env, DIR, STATE_READ);
        struct state *own = open_state(&env, DIR "/replay/x", STATE_OWN);
        struct history *h = open_history(base, own);
        put_text(h, "orders", "a", 10);
        put_text(h, "orders", "other", 20);
        put_text(h, "users", "u", 15);
        assert_string_equal(find_at(h, "orders", 19), "a");
        assert_string_equal(find_at(h, "orders", 29), "b");
        assert_string_equal(find_at(h, "orders", 99), round ? "d" : "c");
        assert_string_equal(find_at(h, "users", 99), "u");
        history_free(h);
        state_close(own);
        state_close(base);
        if (round == 0) {
            assert_non_null(memfs_bytes(fs, LOG, &after));
            assert_int_equal(before, after);
            put_text(live, "orders", "d", 40);
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
    struct state *st = open_state(&env, DIR, STATE_OWN);
    struct history *h = open_history(NULL, st);
    struct gtid_set *set = NULL;
    assert_int_equal(gtid_set_parse(&set, FLAVOR_MARIADB, "0-1-7", 5, &e), 0);
    for (unsigned i = 0; i < 10; i++) {
        char text[16];
        const struct history_change change = defined("orders", text);
        snprintf(text, sizeof text, "v%u", i);
        struct history_where where = {
            .server_uuid = A, .at = {"bin.000001", 10 * i}, .gtid = {FLAVOR_MARIADB, {0}, "", 0, 1, i + 1}};
        struct history_change one = change;
        one.len = strlen(text);
        assert_int_equal(history_put(h, &where, HISTORY_LOG, NULL, &one, 1, &e), 0);
    }
    put_text(h, "users", "file only", 5);
    const struct history_where kept = {.gtids = set};
    assert_int_equal(history_cut(h, &kept, &e), 0);
    for (unsigned round = 0; round < 2; round++) {
        assert_string_equal(find_at(h, "orders", 1000), "none");
        const struct history_where new_log = {.server_uuid = A, .at = {"bin.000001", 4}, .gtids = set};
        assert_string_equal(history_find(h, "shop", "orders", &new_log)->text, "v6");
        assert_null(history_find(h, "shop", "users", &new_log));
        history_free(h);
        h = open_history(NULL, st);
    }
    assert_int_equal(history_forget(h, "shop", NULL, &e), 0);
    struct history_table table;
    assert_false(history_table(h, 0, &table));
    history_free(h);
    gtid_set_free(set);
    state_close(st);
    memfs_free(fs);
}

/* ---- a long random life ----
 *
 * A log of statements about a few tables, written by one server and copied by another, each with files of its own. A
 * reader starts anywhere that it had come to (a replay beside it, that either had come to without a gap), on either
 * server, follows what it reads, takes snapshots (one reads its definition somewhere in its window), is stopped, opened
 * again, rewritten. What the history says of a row may be nothing, never something wrong; behind a CREATE that was read
 * it must say it. */

enum { STATEMENTS = 60, TABLES = 3, LIVES = 300, RUNS = 12 };

struct said {
    unsigned table;
    bool absolute; /* a CREATE: its result does not depend on what was before */
    int text;      /* of the table behind it; -1 gone */
};

struct world {
    struct said said[STATEMENTS + 1]; /* from 1; its GTID's number and, times 100, its place */
    uint64_t seed;
    bool gtids; /* else places only, and one server */
};

static unsigned draw(struct world *w, unsigned n)
{
    w->seed = w->seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (unsigned)(w->seed >> 33) % n;
}

/* What the table is behind statement i: -2 when there was none yet. */
static int truth(const struct world *w, unsigned table, unsigned i)
{
    while (i > 0 && w->said[i].table != table)
        i--;
    return i ? w->said[i].text : -2;
}

static void make_world(struct world *w)
{
    for (unsigned i = 1; i <= STATEMENTS; i++) {
        struct said *said = &w->said[i];
        said->table = draw(w, TABLES);
        int before = truth(w, said->table, i - 1);
        said->absolute = before < 0 || draw(w, 8) == 0;
        said->text = !said->absolute && draw(w, 4) == 0 ? before : (int)draw(w, 4);
        if (before >= 0 && draw(w, 8) == 0)
            *said = (struct said){said->table, true, -1};
    }
}

struct told {
    struct history_where where;
    struct gtid_set *set;
};

/* Behind statement i, and of statement `open` if it is not 0. */
static struct told tell(const struct world *w, const char *server, unsigned i, unsigned open)
{
    struct told told = {.where = {.server_uuid = server}};
    unsigned shift = server[0] == 'a' ? 0 : 7777;
    snprintf(told.where.at.file, sizeof told.where.at.file, "bin.%06u", 1 + (100 * i + shift) / 1000);
    told.where.at.pos = (100 * i + shift) % 1000 + (open ? 10 : 60);
    if (open) {
        snprintf(told.where.at.file, sizeof told.where.at.file, "bin.%06u", 1 + (100 * open + shift) / 1000);
        told.where.at.pos = (100 * open + shift) % 1000 + 10;
    }
    if (!w->gtids)
        return told;
    struct gtid gtid = {.flavor = FLAVOR_MYSQL, .uuid = {1}, .number = open};
    told.where.gtid = gtid;
    told.set = gtid_set_new(FLAVOR_MYSQL);
    for (gtid.number = 1; gtid.number <= i; gtid.number++)
        assert_int_equal(gtid_set_add(told.set, &gtid, NULL), 0);
    told.where.gtids = told.set;
    return told;
}

static void put_one(struct history *h, unsigned table, int text, const struct told *at, enum history_origin origin,
                    const struct history_where *window)
{
    struct err e = ERR_INIT;
    char name[16], word[16];
    snprintf(name, sizeof name, "t%u", table);
    snprintf(word, sizeof word, "def%d", text);
    struct history_change change = defined(name, word);
    if (text < 0) {
        change.kind = text == -1 ? HISTORY_GONE : HISTORY_UNKNOWN;
        change.len = text == -1 ? 0 : change.len;
    }
    assert_int_equal(history_put(h, &at->where, origin, window, &change, 1, &e), 0);
}

/* What the history says behind statement i: a text, -1 gone, -2 not known. */
static int ask(struct history *h, const struct world *w, const char *server, unsigned table, unsigned i)
{
    char name[16];
    struct told at = tell(w, server, i, 0);
    snprintf(name, sizeof name, "t%u", table);
    const struct history_version *v = history_find(h, "shop", name, &at.where);
    gtid_set_free(at.set);
    if (!v || v->kind == HISTORY_UNKNOWN)
        return -2;
    return v->kind == HISTORY_GONE ? -1 : v->text[3] - '0';
}

static void follow(struct history *h, const struct world *w, const char *server, unsigned i)
{
    const struct said *said = &w->said[i];
    struct told at = tell(w, server, i - 1, i);
    int before = ask(h, w, server, said->table, i - 1);
    put_one(h, said->table, said->absolute ? said->text : before < 0 ? -2 : said->text, &at, HISTORY_LOG, NULL);
    gtid_set_free(at.set);
}

static void snapshot(struct history *h, struct world *w, const char *server, unsigned at)
{
    unsigned first = at + draw(w, 3), read = first + draw(w, 3), last = read + draw(w, 3);
    unsigned table = draw(w, TABLES);
    if (last > STATEMENTS || truth(w, table, read) < 0)
        return;
    struct told from = tell(w, server, first, 0), upto = tell(w, server, last, 0);
    put_one(h, table, truth(w, table, read), &upto, HISTORY_SNAPSHOT, &from.where);
    gtid_set_free(from.set);
    gtid_set_free(upto.set);
}

/* Reads from behind `at` for a while, at least up to `least`; returns where it came to. */
static unsigned run(struct history *h, struct world *w, const char *server, unsigned at, unsigned least)
{
    bool must[TABLES] = {false};
    unsigned end = at + 1 + draw(w, STATEMENTS - at);
    end = end > least ? end : least;
    if (draw(w, 2))
        snapshot(h, w, server, at);
    for (unsigned i = at + 1; i <= end && i <= STATEMENTS; i++) {
        follow(h, w, server, i);
        must[w->said[i].table] |= w->said[i].absolute;
        for (unsigned t = 0; t < TABLES; t++) {
            int says = ask(h, w, server, t, i), is = truth(w, t, i);
            if (says != -2 || must[t])
                assert_int_equal(says, is);
        }
    }
    return end < STATEMENTS ? end : STATEMENTS;
}

static void history__random_life__never_a_wrong_answer(void **state)
{
    (void)state;
    unsigned long known = 0, asked = 0;
    for (unsigned seed = 0; seed < LIVES; seed++) {
        struct world w = {.seed = seed, .gtids = seed % 3 != 0};
        struct memfs *fs = memfs_new();
        struct env env = memfs_env(fs);
        struct err e = ERR_INIT;
        struct state *service = open_state(&env, DIR, STATE_OWN);
        struct history *h = open_history(NULL, service);
        unsigned reached = draw(&w, STATEMENTS / 2), furthest = reached, begun = reached, followed = 0;
        make_world(&w);
        for (unsigned i = 0; i < RUNS; i++) {
            const char *server = w.gtids && draw(&w, 2) ? B : A;
            unsigned start = furthest > 0 && draw(&w, 2) ? draw(&w, furthest) : furthest;
            reached = start;
            if (reached == STATEMENTS)
                continue;
            bool replay = draw(&w, 4) == 0;
            if (replay) {
                struct state *base = open_state(&env, DIR, STATE_READ);
                struct state *own = open_state(&env, DIR "/replay/r", STATE_OWN);
                struct history *beside = open_history(base, own);
                unsigned end = run(beside, &w, server, draw(&w, followed + 1) % STATEMENTS, 0);
                followed = end > followed ? end : followed;
                followed = followed >= begun && furthest > followed ? furthest : followed;
                history_free(beside);
                state_close(own);
                state_close(base);
                continue;
            }
            reached = run(h, &w, server, reached, begun);
            begun = start < begun ? start : begun;
            furthest = reached > furthest ? reached : furthest;
            if (draw(&w, 2)) {
                h->log_limit = draw(&w, 2) ? 0 : h->log_limit;
                assert_int_equal(history_compact(h, &e), 0);
                history_free(h);
                h = open_history(NULL, service);
            }
            for (unsigned t = 0; t < TABLES; t++, asked++)
                known += ask(h, &w, server, t, reached) != -2;
        }
        history_free(h);
        state_close(service);
        memfs_free(fs);
    }
    print_message("known %lu of %lu\n", known, asked);
    assert_true(known > asked / 2);
}

/* ---- ten thousand tables ---- */

static void history__ten_thousand_tables__cost_little_more_than_their_texts(void **state)
{
    (void)state;
    enum { MANY = 10000, TEXT = 1500 };
    struct err e = ERR_INIT;
    char *text = malloc(TEXT), name[32];
    struct gtid_set *set = NULL;
    assert_int_equal(gtid_set_parse(&set, FLAVOR_MYSQL, A ":1-1000:2000-3000", sizeof A ":1-1000:2000-3000" - 1, &e),
                     0);
    memset(text, 'x', TEXT);
    struct mallinfo2 before = mallinfo2();
    struct history *h = open_history(NULL, NULL);
    const struct history_where from = {.server_uuid = A, .at = {"bin.000001", 900}, .gtids = set};
    const struct history_where where = {.server_uuid = A, .at = {"bin.000001", 1000}, .gtids = set};
    for (unsigned i = 0; i < MANY; i++) {
        struct history_change change = {.db = "shop", .table = name, .text = text, .len = TEXT};
        snprintf(name, sizeof name, "table_%u", i);
        assert_int_equal(history_put(h, &where, HISTORY_SNAPSHOT, &from, &change, 1, &e), 0);
    }
    size_t used = mallinfo2().uordblks - before.uordblks, said = history_bytes(h);
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
        cmocka_unit_test(history__power_fails_at_any_operation__old_or_new_never_mixed),
        cmocka_unit_test(history__power_fails_while_it_is_rewritten__nothing_wanted_is_lost),
        cmocka_unit_test(history__put_that_fails__nothing_changed),
        cmocka_unit_test(history__another_is_taken__its_tables_replace_those_asked_for),
        cmocka_unit_test(history__rewriting_fails__put_is_there_and_it_is_told_once),
        cmocka_unit_test(history__damaged_log__named_with_its_file),
        cmocka_unit_test(history__items_that_make_no_sense__named),
        cmocka_unit_test(history__item_cut_anywhere__refused),
        cmocka_unit_test(history__replay_beside_a_service__reads_both_writes_its_own),
        cmocka_unit_test(history__cut_by_gtids__files_of_the_old_log_tell_nothing),
        cmocka_unit_test(history__random_life__never_a_wrong_answer),
        cmocka_unit_test(history__ten_thousand_tables__cost_little_more_than_their_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
