/* A long random life of a history, which never gives a wrong answer.
 *
 * A log of statements about a few tables, written by one server and copied by another, each with files of its own. A
 * reader starts anywhere that it had come to (a replay beside it, that either had come to without a gap), on either
 * server, follows what it reads, takes snapshots (one reads its definition somewhere in its window), is stopped, opened
 * again, rewritten. What the history says of a row may be nothing, never something wrong; behind a CREATE that was read
 * it must say it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tools/history_kit.h"

#define OTHER_SERVER "bbbbbbbb-0000-0000-0000-000000000000"

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
    struct history_change change = history_kit_defined(name, word);
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
        struct state *service = history_kit_state(&env, HISTORY_KIT_DIR, STATE_OWN);
        struct history *h = history_kit_history(NULL, service);
        unsigned reached = draw(&w, STATEMENTS / 2), furthest = reached, begun = reached, followed = 0;
        make_world(&w);
        for (unsigned i = 0; i < RUNS; i++) {
            const char *server = w.gtids && draw(&w, 2) ? OTHER_SERVER : HISTORY_KIT_SERVER;
            unsigned start = furthest > 0 && draw(&w, 2) ? draw(&w, furthest) : furthest;
            reached = start;
            if (reached == STATEMENTS)
                continue;
            bool replay = draw(&w, 4) == 0;
            if (replay) {
                struct state *base = history_kit_state(&env, HISTORY_KIT_DIR, STATE_READ);
                struct state *own = history_kit_state(&env, HISTORY_KIT_DIR "/replay/r", STATE_OWN);
                struct history *beside = history_kit_history(base, own);
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
                h = history_kit_history(NULL, service);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(history__random_life__never_a_wrong_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
