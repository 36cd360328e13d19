/* The history of definitions: which version holds where, how lists are kept in order, and what the log gives back. */
#include "schema/history.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tools/memfs.h"

#define A   "aaaaaaaa-0000-0000-0000-000000000000"
#define B   "bbbbbbbb-0000-0000-0000-000000000000"
#define DIR "/state"

/* A where as text: [server:]file:pos, the set before, and the GTID of the open transaction; "" what is not known. */
struct spot {
    const char *server;
    const char *at;
    const char *gtids;
    const char *gtid;
};

struct held {
    struct history_where where;
    struct gtid_set *set;
};

static enum flavor flavor_of(const char *text)
{
    return strlen(text) > 30 ? FLAVOR_MYSQL : FLAVOR_MARIADB;
}

static struct held hold(const struct spot *spot)
{
    struct err e = ERR_INIT;
    struct held held = {.where = {.server_uuid = spot->server}, .set = NULL};
    if (spot->at && spot->at[0])
        assert_int_equal(filepos_parse(&held.where.at, spot->at, strlen(spot->at), &e), 0);
    if (spot->gtids)
        assert_int_equal(gtid_set_parse(&held.set, flavor_of(spot->gtids), spot->gtids, strlen(spot->gtids), &e), 0);
    if (spot->gtid)
        assert_int_equal(gtid_parse(&held.where.gtid, flavor_of(spot->gtid), spot->gtid, strlen(spot->gtid), &e), 0);
    held.where.gtids = held.set;
    return held;
}

static const char *find(struct history *h, const char *table, struct spot spot)
{
    struct held held = hold(&spot);
    const struct history_version *v = history_find(h, "shop", table, &held.where);
    gtid_set_free(held.set);
    return !v ? "none" : v->kind == HISTORY_GONE ? "gone" : v->text;
}

static struct history_change change_of(const char *table, const char *text)
{
    struct history_change change = {.db = "shop", .table = table, .kind = HISTORY_DEFINED, .text = text};
    if (!text)
        change.kind = HISTORY_GONE;
    else if (text[0] == '?')
        change.kind = HISTORY_UNKNOWN;
    change.len = text ? strlen(text) : 0;
    return change;
}

static void put_as(struct history *h, const char *table, const char *text, enum history_origin origin, struct spot spot,
                   const struct spot *window)
{
    struct err e = ERR_INIT;
    const struct history_change change = change_of(table, text);
    struct held held = hold(&spot), from = window ? hold(window) : (struct held){.set = NULL};
    assert_int_equal(history_put(h, &held.where, origin, window ? &from.where : NULL, &change, 1, &e), 0);
    gtid_set_free(held.set);
    gtid_set_free(from.set);
}

static struct history *in_memory(void)
{
    struct err e = ERR_INIT;
    struct history *h = NULL;
    assert_int_equal(history_open(&h, NULL, NULL, &e), 0);
    return h;
}

/* The versions of table `orders`, oldest first: "a b c". */
static const char *list_of(struct history *h)
{
    static char out[256];
    struct history_table table;
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; history_table(h, i, &table); i++)
        for (size_t n = 0; strcmp(table.table, "orders") == 0 && n < table.versions; n++) {
            const struct history_version *v = history_version(h, i, n);
            len += (size_t)snprintf(out + len, sizeof out - len, "%s%s", len ? " " : "",
                                    v->kind == HISTORY_GONE ? "gone" : v->text);
        }
    return out;
}

#define AT(file_pos) ((struct spot){A, file_pos, NULL, NULL})

static void history__nothing_known__nothing_holds(void **state)
{
    (void)state;
    struct history *h = in_memory();
    assert_string_equal(find(h, "orders", AT("bin.000001:4")), "none");
    history_free(h);
}

static void history__places_of_both_kinds__version_holds_where_it_can_be_told(void **state)
{
    (void)state;
    static const struct {
        const char *why;
        struct spot place;
        bool snapshot;
        struct spot at;
        bool holds;
    } rows[] = {
        {"same server, before", {A, "bin.000001:100", 0, 0}, 0, {A, "bin.000001:99", 0, 0}, false},
        {"same server, at", {A, "bin.000001:100", 0, 0}, 0, {A, "bin.000001:100", 0, 0}, true},
        {"same server, later file", {A, "bin.000009:100", 0, 0}, 0, {A, "bin.000010:4", 0, 0}, true},
        {"same server, earlier file", {A, "bin.1000000:4", 0, 0}, 0, {A, "bin.999999:900", 0, 0}, false},
        {"files count even if the GTIDs say more",
         {A, "bin.000001:100", 0, A ":5"},
         0,
         {A, "bin.000001:90", A ":1-9", 0},
         false},
        {"other server, no GTIDs", {A, "bin.000001:100", 0, 0}, 0, {B, "bin.000002:4", 0, 0}, false},
        {"other server, GTID in the set", {A, "bin.000001:100", 0, A ":5"}, 0, {B, "bin.000001:4", A ":1-5", 0}, true},
        {"other server, GTID not in the set",
         {A, "bin.000001:100", 0, A ":5"},
         0,
         {B, "bin.000007:4", A ":1-4:6-9", 0},
         false},
        {"other server, the open transaction",
         {A, "bin.000001:100", 0, A ":5"},
         0,
         {B, "bin.000001:4", A ":1-4", A ":5"},
         true},
        {"other server, set not known", {A, "bin.000001:100", 0, A ":5"}, 0, {B, "bin.000001:4", 0, A ":6"}, false},
        {"set within", {A, "bin.000001:100", A ":1-5", 0}, 1, {B, "bin.000001:4", A ":1-5," B ":1", 0}, true},
        {"set not within", {A, "bin.000001:100", A ":1-5", 0}, 1, {B, "bin.000001:4", A ":1-4," B ":1-9", 0}, false},
        {"set, open transaction does not count",
         {A, "bin.000001:100", A ":1-5", 0},
         1,
         {B, "bin.000001:4", A ":1-4", A ":5"},
         false},
        {"an empty set tells nothing", {A, "bin.000001:100", "", 0}, 1, {B, "bin.000001:4", A ":1-4", 0}, false},
        {"MariaDB, GTID", {A, "bin.000001:100", 0, "0-1-5"}, 0, {B, "bin.000001:4", "0-2-7", 0}, true},
        {"MariaDB, GTID of another domain",
         {A, "bin.000001:100", 0, "1-1-5"},
         0,
         {B, "bin.000001:4", "0-2-7", 0},
         false},
        {"MariaDB, set", {A, "bin.000001:100", "0-1-5,1-1-2", 0}, 1, {B, "bin.000001:4", "0-2-7,1-1-2", 0}, true},
        {"MariaDB, set not within",
         {A, "bin.000001:100", "0-1-5,1-1-3", 0},
         1,
         {B, "bin.000001:4", "0-2-7,1-1-2", 0},
         false},
        {"flavours differ", {A, "bin.000001:100", 0, "0-1-5"}, 0, {B, "bin.000001:4", A ":1-9", 0}, false},
        {"flavours differ, sets", {A, "bin.000001:100", "0-1-5", 0}, 1, {B, "bin.000001:4", A ":1-9", 0}, false},
        {"GTIDs only", {0, "", A ":1-3", 0}, 1, {A, "bin.000001:4", A ":1-3", 0}, true},
        {"no servers, files", {0, "bin.000001:100", 0, 0}, 0, {0, "bin.000001:100", 0, 0}, true},
        {"one server not known", {A, "bin.000001:100", 0, 0}, 0, {0, "bin.000001:100", 0, 0}, false},
        {"before everything", {0, "", 0, 0}, 0, {B, "bin.000001:4", 0, 0}, true},
        {"before everything, nothing known", {0, "", 0, 0}, 0, {0, "", 0, 0}, true},
        {"nothing known of the event", {A, "bin.000001:100", 0, A ":5"}, 0, {0, "", 0, 0}, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct history *h = in_memory();
        put_as(h, "orders", "x", rows[i].snapshot ? HISTORY_SNAPSHOT : HISTORY_LOG, rows[i].place, NULL);
        print_message("%s\n", rows[i].why);
        assert_string_equal(find(h, "orders", rows[i].at), rows[i].holds ? "x" : "none");
        history_free(h);
    }
}

#define LOG HISTORY_LOG
#define SNP HISTORY_SNAPSHOT
#define IMP HISTORY_IMPORT

struct step {
    const char *text; /* NULL: gone; ?: unknown */
    enum history_origin origin;
    struct spot place, window; /* window.at NULL: none */
};

static void history__puts_in_any_order__list_is_in_log_order(void **state)
{
    (void)state;
    static const struct {
        const char *why;
        struct step steps[5];
        const char *list;
    } rows[] = {
        {"in order", {{"a", LOG, {A, "b.1:10", 0, 0}, {0}}, {"b", LOG, {A, "b.1:20", 0, 0}, {0}}}, "a b"},
        {"backwards", {{"b", LOG, {A, "b.1:20", 0, 0}, {0}}, {"a", LOG, {A, "b.1:10", 0, 0}, {0}}}, "a b"},
        {"in the middle",
         {{"a", LOG, {A, "b.1:10", 0, 0}, {0}},
          {"c", LOG, {A, "b.3:10", 0, 0}, {0}},
          {"b", LOG, {A, "b.2:10", 0, 0}, {0}}},
         "a b c"},
        {"files by number", {{"b", LOG, {A, "b.10:4", 0, 0}, {0}}, {"a", LOG, {A, "b.9:4", 0, 0}, {0}}}, "a b"},
        {"read again: covered",
         {{"a", LOG, {A, "b.1:10", 0, 0}, {0}},
          {"b", LOG, {A, "b.1:20", 0, 0}, {0}},
          {"x", LOG, {A, "b.1:10", 0, 0}, {0}},
          {"y", LOG, {A, "b.1:20", 0, 0}, {0}}},
         "a b"},
        {"read again from another server: covered by the GTID",
         {{"a", LOG, {A, "b.1:10", 0, A ":1"}, {0}}, {"x", LOG, {B, "b.7:99", 0, A ":1"}, {0}}},
         "a"},
        {"another server of the same files",
         {{"a", LOG, {A, "b.1:10", 0, 0}, {0}}, {"x", LOG, {B, "b.1:10", 0, 0}, {0}}},
         "a x"},
        {"failover by GTID, between two of the first server",
         {{"a", LOG, {A, "b.1:10", 0, A ":1"}, {0}},
          {"c", LOG, {A, "b.1:30", 0, A ":3"}, {0}},
          {"b", LOG, {B, "b.9:10", A ":1", A ":2"}, {0}}},
         "a b c"},
        {"failover, nothing can be told: at the end",
         {{"a", LOG, {A, "b.1:10", 0, 0}, {0}}, {"b", LOG, {B, "b.9:10", 0, 0}, {0}}},
         "a b"},
        {"the same again is not kept",
         {{"a", LOG, {A, "b.1:10", 0, 0}, {0}},
          {"a", LOG, {A, "b.1:20", 0, 0}, {0}},
          {"b", LOG, {A, "b.1:30", 0, 0}, {0}},
          {"a", LOG, {A, "b.1:40", 0, 0}, {0}}},
         "a b a"},
        {"the same on another server, where the first cannot be told",
         {{"a", LOG, {A, "b.1:10", 0, 0}, {0}},
          {"a", LOG, {B, "b.1:20", 0, 0}, {0}},
          {"a", LOG, {B, "b.1:30", 0, 0}, {0}}},
         "a a"},
        {"the same with a GTID behind one without",
         {{"a", LOG, {A, "b.1:10", 0, 0}, {0}}, {"a", LOG, {A, "b.1:20", 0, A ":2"}, {0}}},
         "a a"},
        {"gone once, unknown each time",
         {{NULL, LOG, {A, "b.1:10", 0, 0}, {0}},
          {NULL, LOG, {A, "b.1:20", 0, 0}, {0}},
          {"?first", LOG, {A, "b.1:30", 0, 0}, {0}},
          {"?then", LOG, {A, "b.1:40", 0, 0}, {0}}},
         "gone ?first ?then"},
        {"an unknown statement becomes known when it is read again",
         {{"?why", LOG, {A, "b.1:10", 0, 0}, {0}},
          {"?then", LOG, {A, "b.1:20", 0, 0}, {0}},
          {"?again", LOG, {A, "b.1:10", 0, 0}, {0}},
          {"a", LOG, {A, "b.1:10", 0, 0}, {0}}},
         "a ?then"},
        {"snapshot, then statements",
         {{"a", SNP, {A, "b.1:100", 0, 0}, {A, "b.1:50", 0, 0}}, {"b", LOG, {A, "b.1:200", 0, 0}, {0}}},
         "a b"},
        {"a statement in front of the window",
         {{"s", SNP, {A, "b.1:100", 0, 0}, {A, "b.1:50", 0, 0}}, {"b", LOG, {A, "b.1:49", 0, 0}, {0}}},
         "b s"},
        {"a statement at P1 voids",
         {{"s", SNP, {A, "b.1:100", 0, 0}, {A, "b.1:50", 0, 0}}, {"b", LOG, {A, "b.1:50", 0, 0}, {0}}},
         "b"},
        {"a statement in the window voids",
         {{"a", LOG, {A, "b.1:10", 0, 0}, {0}},
          {"s", SNP, {A, "b.1:100", 0, 0}, {A, "b.1:50", 0, 0}},
          {"b", LOG, {A, "b.1:99", 0, 0}, {0}}},
         "a b"},
        {"a statement in the window says what the version before says",
         {{"a", LOG, {A, "b.1:10", 0, 0}, {0}},
          {"s", SNP, {A, "b.1:100", 0, 0}, {A, "b.1:50", 0, 0}},
          {"a", LOG, {A, "b.1:99", 0, 0}, {0}}},
         "a a"},
        {"a statement in the window says the same",
         {{"s", SNP, {A, "b.1:100", 0, 0}, {A, "b.1:50", 0, 0}}, {"s", LOG, {A, "b.1:99", 0, 0}, {0}}},
         "s s"},
        {"an unknown statement in the window voids",
         {{"s", SNP, {A, "b.1:100", 0, 0}, {A, "b.1:50", 0, 0}}, {"?why", LOG, {A, "b.1:60", 0, 0}, {0}}},
         "?why"},
        {"a statement at P2 is behind",
         {{"s", SNP, {A, "b.1:100", 0, 0}, {A, "b.1:50", 0, 0}}, {"b", LOG, {A, "b.1:100", 0, 0}, {0}}},
         "s b"},
        {"a statement at P2, put first",
         {{"b", LOG, {A, "b.1:100", 0, 0}, {0}}, {"s", SNP, {A, "b.1:100", 0, 0}, {A, "b.1:50", 0, 0}}},
         "s b"},
        {"a snapshot whose window has a statement, put later",
         {{"b", LOG, {A, "b.1:60", 0, 0}, {0}}, {"s", SNP, {A, "b.1:100", 0, 0}, {A, "b.1:50", 0, 0}}},
         "b"},
        {"a window on another server by GTID",
         {{"s", SNP, {A, "b.1:100", A ":1-9", 0}, {A, "b.1:50", A ":1-5", 0}},
          {"b", LOG, {B, "b.3:7", A ":1-6", A ":7"}, {0}}},
         "b"},
        {"in front of a window on another server by GTID",
         {{"s", SNP, {A, "b.1:100", A ":1-9", 0}, {A, "b.1:50", A ":1-5", 0}},
          {"b", LOG, {B, "b.3:7", A ":1-4", A ":5"}, {0}}},
         "b s"},
        {"behind a window on another server by GTID",
         {{"s", SNP, {A, "b.1:100", A ":1-9", 0}, {A, "b.1:50", A ":1-5", 0}},
          {"b", LOG, {B, "b.3:7", A ":1-9", A ":10"}, {0}}},
         "s b"},
        {"the same snapshot again",
         {{"s", SNP, {A, "b.1:100", 0, 0}, {A, "b.1:50", 0, 0}}, {"t", SNP, {A, "b.1:100", 0, 0}, {A, "b.1:50", 0, 0}}},
         "s"},
        {"an import for everything before",
         {{"b", LOG, {A, "b.1:100", 0, 0}, {0}}, {"i", IMP, {0}, {0}}, {"j", IMP, {0}, {0}}},
         "j b"},
        {"an import takes a statement's place",
         {{"a", LOG, {A, "b.1:10", 0, 0}, {0}},
          {"?why", LOG, {A, "b.1:100", 0, 0}, {0}},
          {"i", IMP, {A, "b.1:100", 0, 0}, {0}}},
         "a i"},
        {"an import covers a statement",
         {{"i", IMP, {A, "b.1:100", 0, 0}, {0}}, {"?why", LOG, {A, "b.1:100", 0, 0}, {0}}},
         "i"},
        {"an import that says the same is kept, since it covers",
         {{"a", LOG, {A, "b.1:10", 0, 0}, {0}}, {"a", IMP, {A, "b.1:100", 0, 0}, {0}}},
         "a a"},
        {"an import at a snapshot's place is behind it",
         {{"s", SNP, {A, "b.1:100", 0, 0}, {0}}, {"i", IMP, {A, "b.1:100", 0, 0}, {0}}},
         "s i"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct memfs *fs = memfs_new();
        struct env env = memfs_env(fs);
        struct err e = ERR_INIT;
        struct state *st = NULL;
        struct history *h = NULL;
        print_message("%s\n", rows[i].why);
        assert_int_equal(state_open(&st, &env, DIR, STATE_OWN, &e), 0);
        assert_int_equal(history_open(&h, NULL, st, &e), 0);
        for (size_t k = 0; k < 5 && (rows[i].steps[k].text || rows[i].steps[k].place.at); k++) {
            const struct step *step = &rows[i].steps[k];
            put_as(h, "orders", step->text, step->origin, step->place, step->window.at ? &step->window : NULL);
        }
        assert_string_equal(list_of(h), rows[i].list);
        history_free(h);
        assert_int_equal(history_open(&h, NULL, st, &e), 0);
        assert_string_equal(list_of(h), rows[i].list);
        history_free(h);
        state_close(st);
        memfs_free(fs);
    }
}

static void put_change(struct history *h, const char *table, const char *text, bool candidate, bool created,
                       unsigned pos)
{
    struct err e = ERR_INIT;
    struct history_where where = {.server_uuid = A, .at = {"bin.000001", pos}};
    struct history_change change = change_of(table, text);
    change.candidate = candidate;
    change.created = created;
    assert_int_equal(history_put(h, &where, HISTORY_LOG, NULL, &change, 1, &e), 0);
}

static void history__candidate__newest_version_until_gone(void **state)
{
    (void)state;
    struct history *h = in_memory();
    put_change(h, "orders", "a", true, true, 10);
    put_change(h, "orders", "b", true, false, 20);
    assert_string_equal(list_of(h), "b");
    put_change(h, "orders", "older", true, false, 15);
    assert_string_equal(list_of(h), "b");
    put_change(h, "orders", NULL, true, false, 30);
    assert_string_equal(list_of(h), "");
    put_change(h, "orders", NULL, true, false, 40);
    put_change(h, "orders", "?why", true, false, 50);
    assert_string_equal(list_of(h), "");
    put_change(h, "orders", "c", true, true, 60);
    put_change(h, "orders", "d", false, false, 70);
    put_change(h, "orders", "e", true, false, 80);
    assert_string_equal(list_of(h), "c d e");
    put_change(h, "orders", NULL, true, false, 90);
    assert_string_equal(list_of(h), "c d e gone");
    history_free(h);
}

/* A copy that is being filled when the service starts is read from the server; a backlog may hold copies of that name
 * that came before it. */
static void history__candidate_read_behind_a_backlog__those_of_the_backlog_are_followed(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct memfs *fs = memfs_new();
    struct env env = memfs_env(fs);
    struct state *st;
    struct history *h;
    struct history_change change = change_of("_t_gho", "now");
    struct held p2 = hold(&AT("bin.000001:100"));
    change.candidate = true;
    assert_int_equal(state_open(&st, &env, DIR, STATE_OWN, &e), 0);
    assert_int_equal(history_open(&h, NULL, st, &e), 0);
    assert_int_equal(history_put(h, &p2.where, HISTORY_SNAPSHOT, NULL, &change, 1, &e), 0);
    for (unsigned from = 10; from < 80; from += 30) {
        put_change(h, "_t_gho", "made", true, true, from);
        put_change(h, "_t_gho", "altered", true, false, from + 10);
        assert_string_equal(find(h, "_t_gho", AT("bin.000001:25")), from == 10 ? "altered" : "none");
        if (from == 40) { /* another life reads the same log */
            history_free(h);
            assert_int_equal(history_open(&h, NULL, st, &e), 0);
        }
        assert_string_equal(find(h, "_t_gho", AT("bin.000001:99")), "altered");
        assert_string_equal(find(h, "_t_gho", AT("bin.000001:100")), "now");
        put_change(h, "_t_gho", NULL, true, false, from + 20);
        assert_string_equal(find(h, "_t_gho", AT("bin.000001:99")), "none");
        assert_string_equal(find(h, "_t_gho", AT("bin.000001:100")), "now");
    }
    put_change(h, "_t_gho", "later", true, false, 120);
    assert_string_equal(find(h, "_t_gho", AT("bin.000001:110")), "none");
    assert_string_equal(find(h, "_t_gho", AT("bin.000001:130")), "later");
    history_free(h);
    state_close(st);
    memfs_free(fs);
}

static void history__too_many_candidates__oldest_leaves(void **state)
{
    (void)state;
    struct history *h = in_memory();
    struct history_table table;
    char name[32];
    for (unsigned i = 0; i < HISTORY_CANDIDATES_MAX; i++) {
        snprintf(name, sizeof name, "t%u", i);
        put_change(h, name, "x", true, true, 10 + i);
    }
    put_change(h, "t0", "y", true, false, 100000);
    put_change(h, "orders", "wanted", false, true, 100001);
    put_change(h, "more", "x", true, true, 100002);
    assert_string_equal(find(h, "t0", AT("bin.000001:200000")), "y");
    assert_string_equal(find(h, "t1", AT("bin.000001:200000")), "none");
    assert_string_equal(find(h, "t2", AT("bin.000001:200000")), "x");
    assert_true(history_table(h, HISTORY_CANDIDATES_MAX, &table));
    assert_false(history_table(h, HISTORY_CANDIDATES_MAX + 1, &table));
    history_free(h);
}

static void history__case_rule__decides_which_names_are_one(void **state)
{
    (void)state;
    static const struct {
        int mode;
        const char *orders, *upper, *mixed; /* what is found as orders, ORDERS, Orders */
    } rows[] = {
        {0, "a", "b", "none"},
        {1, "b", "b", "b"},
        {2, "b", "b", "b"},
        {HISTORY_CASE_UNKNOWN, "a", "b", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct err e = ERR_INIT;
        struct history *h = in_memory();
        assert_int_equal(history_set_case(h, rows[i].mode, &e), 0);
        assert_int_equal(history_case(h), rows[i].mode);
        put_change(h, "orders", "a", false, true, 10);
        put_change(h, "ORDERS", "b", false, true, 20);
        assert_string_equal(find(h, "orders", AT("bin.000001:99")), rows[i].orders);
        assert_string_equal(find(h, "ORDERS", AT("bin.000001:99")), rows[i].upper);
        if (rows[i].mixed)
            assert_string_equal(find(h, "Orders", AT("bin.000001:99")), rows[i].mixed);
        history_free(h);
    }
}

static void history__case_not_known__one_table_until_another_is_made(void **state)
{
    (void)state;
    struct history *h = in_memory();
    put_change(h, "Orders", "a", false, true, 10);
    assert_string_equal(find(h, "orders", AT("bin.000001:99")), "a");
    put_change(h, "ORDERS", "b", false, false, 20);
    assert_string_equal(find(h, "orders", AT("bin.000001:99")), "b");
    put_change(h, "orders", NULL, false, false, 30);
    put_change(h, "orders", "c", false, true, 40);
    assert_string_equal(find(h, "ORDERS", AT("bin.000001:99")), "c");
    history_free(h);
}

static void history__several_changes__are_one_put(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct history *h = in_memory();
    put_change(h, "orders", "a", false, true, 10);
    put_change(h, "orders_new", "b", false, true, 20);
    struct history_where where = {.server_uuid = A, .at = {"bin.000001", 30}};
    const struct history_change changes[] = {change_of("orders_old", "x"), change_of("orders", "b"),
                                             change_of("orders_old", "a"), change_of("orders_new", NULL)};
    assert_int_equal(history_put(h, &where, HISTORY_LOG, NULL, changes, 4, &e), 0);
    assert_string_equal(find(h, "orders", AT("bin.000001:29")), "a");
    assert_string_equal(find(h, "orders", AT("bin.000001:30")), "b");
    assert_string_equal(find(h, "orders_old", AT("bin.000001:30")), "a");
    assert_string_equal(find(h, "orders_new", AT("bin.000001:30")), "gone");
    assert_true(history_covers(h, "shop", "orders_old", &where));
    where.at.pos = 31;
    assert_false(history_covers(h, "shop", "orders_old", &where));
    history_free(h);
}

static void history__databases_defaults__are_versions(void **state)
{
    (void)state;
    struct history *h = in_memory();
    struct history_database db;
    struct history_where where = {.server_uuid = A, .at = {"bin.000001", 15}};
    assert_false(history_database(h, "shop", &where, &db));
    put_change(h, "", "utf8mb4 utf8mb4_bin", false, true, 10);
    put_change(h, "", "latin1 latin1_swedish_ci", false, false, 20);
    assert_true(history_database(h, "shop", &where, &db));
    assert_int_equal(db.charset_len, 7);
    assert_memory_equal(db.charset, "utf8mb4", 7);
    assert_int_equal(db.collation_len, 11);
    assert_memory_equal(db.collation, "utf8mb4_bin", 11);
    put_change(h, "", NULL, false, false, 30);
    where.at.pos = 30;
    assert_false(history_database(h, "shop", &where, &db));
    history_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(history__nothing_known__nothing_holds),
        cmocka_unit_test(history__places_of_both_kinds__version_holds_where_it_can_be_told),
        cmocka_unit_test(history__puts_in_any_order__list_is_in_log_order),
        cmocka_unit_test(history__candidate__newest_version_until_gone),
        cmocka_unit_test(history__candidate_read_behind_a_backlog__those_of_the_backlog_are_followed),
        cmocka_unit_test(history__too_many_candidates__oldest_leaves),
        cmocka_unit_test(history__case_rule__decides_which_names_are_one),
        cmocka_unit_test(history__case_not_known__one_table_until_another_is_made),
        cmocka_unit_test(history__several_changes__are_one_put),
        cmocka_unit_test(history__databases_defaults__are_versions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
