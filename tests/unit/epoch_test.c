/* Epochs: (epoch, sequence) rises in log order on random histories, and is the same after a restart and on a replay. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "position/epoch.h"

#define NOON_US ((int64_t)1795341600 * 1000000)
#define HISTORY 400

static const char *const servers[] = {"aaaaaaaa-0000-0000-0000-000000000001", "bbbbbbbb-0000-0000-0000-000000000002",
                                      "cccccccc-0000-0000-0000-000000000003"};

static uint64_t seed;

static uint64_t next_random(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

/* The epoch log as the pipeline keeps it: lines in the order in which they were handed out. */
struct lines {
    char *text[4096];
    size_t n;
};

static void lines_add(struct lines *lines, const char *line)
{
    if (!line)
        return;
    assert_true(lines->n < sizeof lines->text / sizeof *lines->text);
    lines->text[lines->n++] = strdup(line);
}

static void lines_release(struct lines *lines)
{
    for (size_t i = 0; i < lines->n; i++)
        free(lines->text[i]);
    lines->n = 0;
}

static struct epochs *load(enum flavor flavor, const struct lines *lines)
{
    struct epochs *epochs = epochs_new(flavor);
    assert_non_null(epochs);
    for (size_t i = 0; i < lines->n; i++) {
        struct err e = ERR_INIT;
        if (epochs_load(epochs, lines->text[i], strlen(lines->text[i]), &e) != 0)
            fail_msg("%s", e.text);
    }
    return epochs;
}

static void compact(struct epochs *epochs, struct lines *lines)
{
    bool failed;
    lines_release(lines);
    for (size_t i = 0;; i++) {
        const char *line = epochs_line(epochs, i, &failed);
        assert_false(failed);
        if (!line)
            return;
        lines_add(lines, line);
    }
}

static struct epoch_tx tx_of(enum flavor flavor, const char *gtid, const char *server, const char *at, int64_t second)
{
    struct epoch_tx tx = {.server_uuid = server, .commit_us = NOON_US + second * 1000000};
    if (gtid)
        assert_int_equal(gtid_parse(&tx.gtid, flavor, gtid, strlen(gtid), NULL), 0);
    assert_int_equal(filepos_parse(&tx.at, at, strlen(at), NULL), 0);
    return tx;
}

static struct version assign(struct epochs *epochs, const struct epoch_tx *tx, struct lines *lines)
{
    struct version v;
    struct err e = ERR_INIT;
    const char *record = NULL;
    if (epochs_assign(epochs, tx, &v, &record, &e) != 0)
        fail_msg("%s", e.text);
    if (lines)
        lines_add(lines, record);
    else
        assert_null(record);
    return v;
}

static void assert_version(struct version v, uint32_t epoch, uint64_t sequence)
{
    assert_int_equal(v.epoch, epoch);
    assert_int_equal(v.sequence, sequence);
    assert_int_equal(v.row, 0);
}

#define UUID_A "3e11fa47-71ca-11e1-9e33-c80aa9429562"
#define UUID_B "4e11fa47-71ca-11e1-9e33-c80aa9429562"
#define NOON   1795341600u

static void epoch__table_of_histories__as_the_rule_says(void **state)
{
    (void)state;
    struct step {
        const char *gtid;
        unsigned server;
        const char *at;
        int64_t second;
        uint32_t epoch;
        uint64_t sequence;
        bool begins;
    };
#define SEQ(file, pos) (((uint64_t)(file) << 40) + (pos))
    static const struct {
        const char *what;
        enum flavor flavor;
        struct step steps[8];
    } rows[] = {
        {"failover and back",
         FLAVOR_MYSQL,
         {{UUID_A ":5", 0, "b.1:4", 0, NOON, 5, true},
          {UUID_A ":6", 0, "b.1:9", 1, NOON, 6, false},
          {UUID_B ":1", 1, "b.9:4", 60, NOON + 60, 1, true},
          {UUID_B ":2", 1, "b.9:9", 61, NOON + 60, 2, false},
          {UUID_A ":7", 0, "b.2:4", 61, NOON + 61, 7, true},
          {UUID_B ":3", 1, "b.9:99", 61, NOON + 62, 3, true}}},
        {"a failover that keeps the writer keeps the epoch",
         FLAVOR_MYSQL,
         {{UUID_A ":5", 0, "b.7:4", 0, NOON, 5, true}, {UUID_A ":6", 1, "b.1:4", 1, NOON, 6, false}}},
        {"a clock that goes back",
         FLAVOR_MYSQL,
         {{UUID_A ":5", 0, "b.1:4", 100, NOON + 100, 5, true},
          {UUID_B ":5", 0, "b.1:9", 0, NOON + 101, 5, true},
          {UUID_A ":6", 0, "b.1:99", -2000000000, NOON + 102, 6, true}}},
        {"a tag is a writer of its own",
         FLAVOR_MYSQL,
         {{UUID_A ":5", 0, "b.1:4", 0, NOON, 5, true},
          {UUID_A ":blue:1", 0, "b.1:9", 0, NOON + 1, 1, true},
          {UUID_A ":blue:2", 0, "b.1:19", 9, NOON + 1, 2, false}}},
        {"numbers out of order, then the gap",
         FLAVOR_MYSQL,
         {{UUID_A ":5", 0, "b.1:4", 0, NOON, 5, true},
          {UUID_A ":8", 0, "b.1:9", 1, NOON, 8, false},
          {UUID_A ":6", 0, "b.1:14", 2, NOON + 2, 6, true},
          {UUID_A ":7", 0, "b.1:19", 3, NOON + 2, 7, false},
          {UUID_A ":9", 0, "b.1:24", 4, NOON + 2, 9, false},
          {UUID_A ":8", 0, "b.1:9", 1, NOON, 8, false}}},
        {"MariaDB: a domain is the writer, not its server",
         FLAVOR_MARIADB,
         {{"0-1-5", 0, "b.1:4", 0, NOON, 5, true},
          {"0-2-6", 1, "b.1:4", 1, NOON, 6, false},
          {"1-1-7", 0, "b.1:9", 2, NOON + 2, 7, true},
          {"0-2-7", 0, "b.1:14", 3, NOON + 3, 7, true}}},
        {"MariaDB: two servers with the same number are two transactions",
         FLAVOR_MARIADB,
         {{"0-1-5", 0, "b.1:4", 0, NOON, 5, true},
          {"0-2-5", 0, "b.1:9", 1, NOON + 1, 5, true},
          {"0-1-5", 0, "b.1:4", 0, NOON, 5, false}}},
        {"no GTIDs: positions, and a change of server",
         FLAVOR_MYSQL,
         {{NULL, 0, "b.1:4", 0, NOON, SEQ(1, 4), true},
          {NULL, 0, "b.1:5000000000", 1, NOON, SEQ(1, 5000000000), false},
          {NULL, 0, "b.2:4", 2, NOON, SEQ(2, 4), false},
          {NULL, 1, "b.1:4", 3, NOON + 3, SEQ(1, 4), true},
          {NULL, 1, "b.1:4", 3, NOON + 3, SEQ(1, 4), false}}},
        {"GTIDs are switched on and off",
         FLAVOR_MYSQL,
         {{NULL, 0, "b.1:4", 0, NOON, SEQ(1, 4), true},
          {UUID_A ":1", 0, "b.1:9", 1, NOON + 1, 1, true},
          {NULL, 0, "b.1:14", 2, NOON + 2, SEQ(1, 14), true}}},
    };
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        struct epochs *epochs = epochs_new(rows[r].flavor);
        for (const struct step *s = rows[r].steps; s->at; s++) {
            struct epoch_tx tx = tx_of(rows[r].flavor, s->gtid, servers[s->server], s->at, s->second);
            struct version v;
            const char *record;
            assert_int_equal(epochs_assign(epochs, &tx, &v, &record, NULL), 0);
            if (v.epoch != s->epoch || v.sequence != s->sequence ||
                (record && strncmp(record, "begin", 5) == 0) != s->begins)
                fail_msg("%s, %s: epoch %u, sequence %llu", rows[r].what, s->at, v.epoch,
                         (unsigned long long)v.sequence);
        }
        epochs_free(epochs);
    }
}

/* A random log: what is committed where, with the version that the first reading gave it. */
struct tx {
    struct epoch_tx tx;
    struct version v;
};

struct history {
    enum flavor flavor;
    struct tx list[HISTORY];
};

enum style { ONE_WRITER, FAILOVERS, OUT_OF_ORDER, INTERLEAVED, ANONYMOUS, MIXED, STYLES };

static struct gtid random_gtid(enum flavor flavor, unsigned writer, uint64_t numbers[4], uint64_t skipped[4],
                               enum style style)
{
    struct gtid gtid = {.flavor = flavor, .server = writer & 1 ? 7 : 8, .domain = writer / 2};
    if (flavor == FLAVOR_MYSQL) {
        gtid.uuid[0] = (uint8_t)(1 + writer / 2);
        if (writer & 1)
            memcpy(gtid.tag, "blue", 4);
    }
    if (style == OUT_OF_ORDER && skipped[writer] && next_random() % 2) {
        gtid.number = skipped[writer];
        skipped[writer] = 0;
        return gtid;
    }
    if (style == OUT_OF_ORDER && !skipped[writer] && next_random() % 8 == 0)
        skipped[writer] = ++numbers[writer];
    gtid.number = ++numbers[writer];
    return gtid;
}

static void make_history(struct history *h, enum flavor flavor, enum style style)
{
    uint64_t numbers[4] = {0}, skipped[4] = {0}, offset[3] = {4, 4, 4}, file[3] = {1, 999999, 7};
    unsigned writer = 0, server = 0;
    int64_t now = NOON_US;
    h->flavor = flavor;
    for (size_t i = 0; i < HISTORY; i++) {
        bool change = style == INTERLEAVED ? next_random() % 2 : style != ONE_WRITER && next_random() % 30 == 0;
        if (change)
            writer = (unsigned)(next_random() % 4);
        if (style != ONE_WRITER && next_random() % 50 == 0)
            server = (unsigned)(next_random() % 3);
        offset[server] += 1 + next_random() % 3000000000;
        if (next_random() % 40 == 0) {
            file[server]++;
            offset[server] = 4;
        }
        now += (int64_t)(next_random() % (style == INTERLEAVED ? 3000000 : 90000000)) - 1000000;
        struct tx *tx = &h->list[i];
        *tx = (struct tx){.tx = {.server_uuid = servers[server], .commit_us = now}};
        if (style != ANONYMOUS && !(style == MIXED && i / 100 % 2))
            tx->tx.gtid = random_gtid(flavor, writer, numbers, skipped, style);
        snprintf(tx->tx.at.file, sizeof tx->tx.at.file, "log-%u.%06llu", server, (unsigned long long)file[server]);
        tx->tx.at.pos = offset[server];
    }
}

static void assert_same(const struct tx *tx, struct version v, size_t i)
{
    if (version_compare(&tx->v, &v) != 0)
        fail_msg("transaction %zu: %x.%llx, then %x.%llx", i, tx->v.epoch, (unsigned long long)tx->v.sequence, v.epoch,
                 (unsigned long long)v.sequence);
}

/* Reads the history with crashes: the lines survive, reading goes on at the last checkpoint. */
static void read_with_crashes(struct history *h, struct lines *lines)
{
    struct epochs *epochs = epochs_new(h->flavor);
    size_t checkpoint = 0, assigned = 0;
    for (size_t i = 0; i < HISTORY; i++) {
        struct version v = assign(epochs, &h->list[i].tx, lines);
        if (i < assigned) {
            assert_same(&h->list[i], v, i);
        } else {
            h->list[i].v = v;
            assigned = i + 1;
            if (i && version_compare(&h->list[i - 1].v, &v) >= 0)
                fail_msg("transaction %zu does not rise", i);
        }
        if (next_random() % 8 == 0) {
            lines_add(lines, epochs_progress(epochs));
            checkpoint = i + 1;
        }
        if (next_random() % 40 == 0 && i + 1 < HISTORY) {
            if (next_random() % 3 == 0)
                compact(epochs, lines);
            epochs_free(epochs);
            epochs = load(h->flavor, lines);
            i = checkpoint - 1;
        }
    }
    lines_add(lines, epochs_progress(epochs));
    assert_null(epochs_progress(epochs));
    epochs_free(epochs);
}

static void replay(const struct history *h, const struct lines *lines, bool frozen)
{
    struct epochs *epochs = load(h->flavor, lines);
    if (frozen)
        epochs_freeze(epochs);
    size_t from = next_random() % HISTORY;
    for (size_t i = from; i < HISTORY; i++)
        assert_same(&h->list[i], assign(epochs, &h->list[i].tx, NULL), i);
    for (size_t n = 0; n < HISTORY; n++) {
        size_t i = next_random() % HISTORY;
        assert_same(&h->list[i], assign(epochs, &h->list[i].tx, NULL), i);
    }
    epochs_free(epochs);
}

static void epoch__random_histories__rise_and_equal_after_crash_and_on_replay(void **state)
{
    (void)state;
    static struct history h;
    static struct lines lines;
    seed = 0x2545f4914f6cdd1dULL;
    for (int round = 0; round < 20; round++)
        for (int style = 0; style < STYLES; style++)
            for (int flavor = 0; flavor < 2; flavor++) {
                make_history(&h, (enum flavor)flavor, (enum style)style);
                read_with_crashes(&h, &lines);
                replay(&h, &lines, false);
                replay(&h, &lines, true);
                struct epochs *epochs = load(h.flavor, &lines);
                compact(epochs, &lines);
                epochs_free(epochs);
                replay(&h, &lines, true);
                lines_release(&lines);
            }
}

/* The boundary behind the first `n` transactions, as a checkpoint tells it. */
static void position_after(const struct history *h, size_t n, struct position *out)
{
    position_init(out);
    out->gtids = gtid_set_new(h->flavor);
    assert_non_null(out->gtids);
    for (size_t i = 0; i < n; i++)
        if (gtid_is_set(&h->list[i].tx.gtid))
            assert_int_equal(gtid_set_add(out->gtids, &h->list[i].tx.gtid, NULL), 0);
    if (n == 0)
        return;
    out->at = h->list[n - 1].tx.at;
    out->at.pos++;
    snprintf(out->server_uuid, sizeof out->server_uuid, "%s", h->list[n - 1].tx.server_uuid);
}

static void extend(struct epochs *epochs, const struct history *h, size_t checkpoint)
{
    struct position upto;
    struct err e = ERR_INIT;
    position_after(h, checkpoint, &upto);
    if (epochs_extend(epochs, &upto, &e) != 0)
        fail_msg("%s", e.text);
    position_release(&upto);
}

/* A replay beside the dead service: all up to the checkpoint has the version that it had. */
static void replay_after_kill(const struct history *h, const struct lines *lines, size_t first, size_t checkpoint)
{
    struct epochs *epochs = load(h->flavor, lines);
    extend(epochs, h, checkpoint);
    epochs_freeze(epochs);
    for (size_t i = first; i < checkpoint; i++)
        assert_same(&h->list[i], assign(epochs, &h->list[i].tx, NULL), i);
    for (size_t n = 0; n < 20 && first < checkpoint; n++) {
        size_t i = first + next_random() % (checkpoint - first);
        assert_same(&h->list[i], assign(epochs, &h->list[i].tx, NULL), i);
    }
    epochs_free(epochs);
}

static struct epochs *begin_at(const struct history *h, size_t first, struct lines *lines)
{
    struct epochs *epochs = epochs_new(h->flavor);
    struct position start;
    const char *record;
    position_after(h, first, &start);
    assert_int_equal(epochs_begin(epochs, &start, &record, NULL), 0);
    lines_add(lines, record);
    position_release(&start);
    return epochs;
}

/* Kills at any transaction; the checkpoint lies anywhere before, the progress is stored seldom. What follows may go
 * back behind the checkpoint, as a person or another sink may want it. */
static void read_with_kills(struct history *h, size_t first, struct lines *lines)
{
    struct epochs *epochs = begin_at(h, first, lines);
    size_t checkpoint = first, assigned = first;
    for (size_t i = first; i < HISTORY; i++) {
        struct version v = assign(epochs, &h->list[i].tx, lines);
        if (i < assigned) {
            assert_same(&h->list[i], v, i);
        } else {
            h->list[i].v = v;
            assigned = i + 1;
            if (i > first && version_compare(&h->list[i - 1].v, &v) >= 0)
                fail_msg("transaction %zu does not rise", i);
        }
        if (next_random() % 5 == 0 && i + 1 > checkpoint)
            checkpoint += 1 + next_random() % (i + 1 - checkpoint);
        if (next_random() % 60 == 0)
            lines_add(lines, epochs_progress(epochs));
        if (next_random() % 30 != 0)
            continue;
        epochs_free(epochs);
        replay_after_kill(h, lines, first, checkpoint);
        epochs = load(h->flavor, lines);
        extend(epochs, h, checkpoint);
        if (next_random() % 2)
            lines_add(lines, epochs_progress(epochs));
        if (next_random() % 4 == 0)
            compact(epochs, lines);
        i = (next_random() % 4 ? checkpoint : first + next_random() % (checkpoint - first + 1)) - 1;
    }
    extend(epochs, h, checkpoint);
    epochs_free(epochs);
    replay_after_kill(h, lines, first, checkpoint);
}

static void epoch__killed_anywhere__versions_up_to_the_checkpoint_stay(void **state)
{
    (void)state;
    static struct history h;
    static struct lines lines;
    seed = 0x9e3779b97f4a7c15ULL;
    for (int round = 0; round < 30; round++)
        for (int style = 0; style < STYLES; style++)
            for (int flavor = 0; flavor < 2; flavor++) {
                make_history(&h, (enum flavor)flavor, (enum style)style);
                /* MariaDB's position says nothing about two servers whose numbers of one domain overlap. */
                bool plain = flavor == FLAVOR_MYSQL || style == ONE_WRITER;
                read_with_kills(&h, plain ? (size_t)(round % 3) * 70 : 0, &lines);
                lines_release(&lines);
            }
}

static void epoch__extended__only_what_the_checkpoint_knows(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        enum flavor flavor;
        const char *lines[3];
        const char *gtids, *at; /* of the checkpoint, on server "srv" */
        const char *progress;
    } rows[] = {
        {"numbers behind the last of the writer",
         FLAVOR_MYSQL,
         {"begin 7 number 5 srv " UUID_A ":5 0 - b.1:4"},
         UUID_A ":1-9," UUID_B ":1-4",
         "b.1:400",
         "seen 7 9 " UUID_A ":6-9"},
        {"a tag is another writer",
         FLAVOR_MYSQL,
         {"begin 7 number 5 srv " UUID_A ":blue:5 0 - b.1:4"},
         UUID_A ":1-9:blue:1-6",
         "b.1:400",
         "seen 7 6 " UUID_A ":blue:6"},
        {"numbers of an earlier epoch stay there",
         FLAVOR_MYSQL,
         {"begin 7 number 5 srv " UUID_A ":5 0 - b.1:4", "begin 8 number 5 srv " UUID_A ":6 8 " UUID_A ":8 b.1:90"},
         UUID_A ":1-10",
         "b.1:400",
         "seen 8 10 " UUID_A ":7:9-10"},
        {"numbers older than the table stay old",
         FLAVOR_MYSQL,
         {"base srv " UUID_A ":1-4:8 b.1:4", "begin 7 number 5 srv " UUID_A ":5 0 - b.1:4"},
         UUID_A ":1-9",
         "b.1:400",
         "seen 7 9 " UUID_A ":6-7:9"},
        {"a checkpoint before the newest epoch",
         FLAVOR_MYSQL,
         {"begin 7 number 5 srv " UUID_A ":5 0 - b.1:4", "begin 8 number 5 srv " UUID_B ":6 8 - b.1:90"},
         UUID_A ":1-8",
         "b.1:80",
         NULL},
        {"after a reset",
         FLAVOR_MYSQL,
         {"begin 7 number 5 srv " UUID_A ":5 0 - b.1:4", "reset 7 number"},
         UUID_A ":1-9",
         "b.1:400",
         NULL},
        {"an empty table", FLAVOR_MYSQL, {"base srv - b.1:4"}, UUID_A ":1-9", "b.1:400", NULL},
        {"places on the recorded server",
         FLAVOR_MYSQL,
         {"begin 7 position 5 srv - 0 - b.1:4"},
         UUID_A ":1-9",
         "b.2:400",
         "seen 7 2199023255951 -"},
        {"places on another server", FLAVOR_MYSQL, {"begin 7 position 5 other - 0 - b.1:4"}, NULL, "b.2:400", NULL},
        {"no GTIDs in the checkpoint",
         FLAVOR_MYSQL,
         {"begin 7 number 5 srv " UUID_A ":5 0 - b.1:4"},
         NULL,
         "b.2:400",
         NULL},
        {"MariaDB: the same server's numbers",
         FLAVOR_MARIADB,
         {"begin 7 number 5 srv 0-1-5 0 - b.1:4"},
         "0-1-9,1-1-30",
         "b.1:400",
         "seen 7 9 00000000-0000-0000-0000-000000000001:6-9"},
        {"MariaDB: an earlier epoch's last",
         FLAVOR_MARIADB,
         {"begin 7 number 5 srv 0-2-5 0 - b.1:4",
          "begin 8 number 5 srv 0-1-3 9 00000000-0000-0000-0000-000000000002:6-9 b.1:300"},
         "0-2-9",
         "b.1:250",
         NULL},
        {"MariaDB: the start's last",
         FLAVOR_MARIADB,
         {"base srv 0-2-9 b.1:4", "begin 7 number 5 srv 0-1-3 0 - b.1:4"},
         "0-2-9",
         "b.1:4",
         NULL},
        {"MariaDB: where lines were held back, any server of the epoch",
         FLAVOR_MARIADB,
         {"begin 7 number 5 srv 0-1-5 0 - b.1:4"},
         "0-2-9",
         "b.1:400",
         "seen 7 9 00000000-0000-0000-0000-000000000001:6-9,00000000-0000-0000-0000-000000000002:6-9"},
    };
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        struct epochs *epochs = epochs_new(rows[r].flavor);
        struct position upto;
        struct err e = ERR_INIT;
        position_init(&upto);
        for (size_t i = 0; i < 3 && rows[r].lines[i]; i++)
            assert_int_equal(epochs_load(epochs, rows[r].lines[i], strlen(rows[r].lines[i]), &e), 0);
        if (rows[r].gtids)
            assert_int_equal(gtid_set_parse(&upto.gtids, rows[r].flavor, rows[r].gtids, strlen(rows[r].gtids), NULL),
                             0);
        assert_int_equal(filepos_parse(&upto.at, rows[r].at, strlen(rows[r].at), NULL), 0);
        snprintf(upto.server_uuid, sizeof upto.server_uuid, "srv");
        for (int again = 0; again < 2; again++) {
            assert_int_equal(epochs_extend(epochs, &upto, &e), 0);
            const char *line = epochs_progress(epochs), *expected = again ? NULL : rows[r].progress;
            if (!line != !expected || (line && strcmp(line, expected) != 0))
                fail_msg("%s: %s", rows[r].what, line ? line : "nothing");
        }
        position_release(&upto);
        epochs_free(epochs);
    }
}

static void epoch__mariadb_gap__hands_out_a_line_but_not_for_ever(void **state)
{
    (void)state;
    struct epochs *epochs = epochs_new(FLAVOR_MARIADB);
    unsigned lines = 0;
    for (unsigned i = 0; i < 2 * EPOCH_LINES_PER_HOUR_MAX; i++) {
        char gtid[GTID_TEXT_MAX];
        snprintf(gtid, sizeof gtid, "0-%u-%u", 1 + i % 2, 1 + i);
        struct epoch_tx tx = tx_of(FLAVOR_MARIADB, gtid, servers[0], "b.1:4", 1);
        struct version v;
        const char *record;
        assert_int_equal(epochs_assign(epochs, &tx, &v, &record, NULL), 0);
        assert_version(v, NOON + 1, 1 + i);
        lines += record != NULL;
    }
    assert_int_equal(lines, 1 + EPOCH_LINES_PER_HOUR_MAX);
    struct epoch_tx tx = tx_of(FLAVOR_MARIADB, "0-3-9999", servers[0], "b.1:4", 3601);
    struct version v;
    const char *record;
    assert_int_equal(epochs_assign(epochs, &tx, &v, &record, NULL), 0);
    assert_non_null(record);
    epochs_free(epochs);
}

static void epoch__number_mode_from_another_server__same_versions(void **state)
{
    (void)state;
    static struct history h;
    static struct lines lines;
    seed = 77;
    make_history(&h, FLAVOR_MYSQL, FAILOVERS);
    read_with_crashes(&h, &lines);
    for (size_t i = 0; i < HISTORY; i++) {
        h.list[i].tx.server_uuid = "dddddddd-0000-0000-0000-000000000004";
        h.list[i].tx.at = (struct filepos){"other.000001", 4 + i};
    }
    replay(&h, &lines, true);
    lines_release(&lines);
}

static struct epoch_tx alternating(unsigned i, int64_t second)
{
    char gtid[GTID_TEXT_MAX], at[FILEPOS_TEXT_MAX];
    snprintf(gtid, sizeof gtid, "%s:%u", i % 2 ? UUID_A : UUID_B, 1 + i / 2);
    snprintf(at, sizeof at, "b.000001:%u", 4 + 100 * i);
    return tx_of(FLAVOR_MYSQL, gtid, servers[0], at, second);
}

static void epoch__two_active_writers__position_after_100_epochs_an_hour(void **state)
{
    (void)state;
    static struct lines lines;
    struct epochs *epochs = epochs_new(FLAVOR_MYSQL);
    struct version v = {0, 0, 0};
    for (unsigned i = 0; i < EPOCHS_PER_HOUR_MAX; i++) {
        struct epoch_tx tx = alternating(i, i);
        v = assign(epochs, &tx, &lines);
        assert_version(v, NOON + i, 1 + i / 2);
        assert_false(epochs_take_switch(epochs));
    }
    struct epoch_tx tx = alternating(EPOCHS_PER_HOUR_MAX, 3599);
    assert_version(assign(epochs, &tx, &lines), NOON + 3599, filepos_sequence(&tx.at));
    assert_true(epochs_take_switch(epochs));
    assert_false(epochs_take_switch(epochs));
    size_t stored = lines.n;
    for (unsigned i = EPOCHS_PER_HOUR_MAX + 1; i < 1000; i++) {
        tx = alternating(i, 3599 + i * 100);
        assert_version(assign(epochs, &tx, &lines), NOON + 3599, filepos_sequence(&tx.at));
    }
    assert_int_equal(lines.n, stored);
    lines_add(&lines, epochs_progress(epochs));
    epochs_free(epochs);
    epochs = load(FLAVOR_MYSQL, &lines);
    assert_false(epochs_take_switch(epochs));
    tx = alternating(1000, 999999);
    assert_version(assign(epochs, &tx, &lines), NOON + 3599, filepos_sequence(&tx.at));
    tx.server_uuid = servers[1];
    struct err e = ERR_INIT;
    const char *record;
    assert_int_equal(epochs_assign(epochs, &tx, &v, &record, &e), -(int)ERR_EPOCH_OTHER_SERVER);
    tx = alternating(1001, 1000000);
    tx.server_uuid = servers[1];
    assert_version(assign(epochs, &tx, &lines), NOON + 1000000, filepos_sequence(&tx.at));
    epochs_free(epochs);
    lines_release(&lines);
}

static void epoch__100_epochs_in_more_than_an_hour__numbers_stay(void **state)
{
    (void)state;
    static struct lines lines;
    struct epochs *epochs = epochs_new(FLAVOR_MYSQL);
    for (unsigned i = 0; i < 3 * EPOCHS_PER_HOUR_MAX; i++) {
        struct epoch_tx tx = alternating(i, i * 36);
        assert_version(assign(epochs, &tx, &lines), NOON + i * 36, 1 + i / 2);
        if (i % 7 == 0) {
            epochs_free(epochs);
            epochs = load(FLAVOR_MYSQL, &lines);
        }
    }
    assert_false(epochs_take_switch(epochs));
    epochs_free(epochs);
    lines_release(&lines);
}

static void epoch__log_reset__same_gtids_are_new_transactions(void **state)
{
    (void)state;
    static struct lines lines;
    struct epochs *epochs = epochs_new(FLAVOR_MYSQL);
    struct epoch_tx tx = tx_of(FLAVOR_MYSQL, UUID_A ":1", servers[0], "b.000001:4", 0);
    const char *record;
    assert_version(assign(epochs, &tx, &lines), NOON, 1);
    assert_version(assign(epochs, &tx, NULL), NOON, 1);
    assert_int_equal(epochs_reset(epochs, &record, NULL), 0);
    lines_add(&lines, record);
    for (int restarts = 0; restarts < 3; restarts++) {
        epochs_free(epochs);
        epochs = load(FLAVOR_MYSQL, &lines);
        if (restarts == 1)
            compact(epochs, &lines);
    }
    assert_version(assign(epochs, &tx, &lines), NOON + 1, 1);
    assert_version(assign(epochs, &tx, NULL), NOON + 1, 1);
    for (int restarts = 0; restarts < 3; restarts++) {
        epochs_free(epochs);
        epochs = load(FLAVOR_MYSQL, &lines);
        assert_version(assign(epochs, &tx, NULL), NOON + 1, 1);
        compact(epochs, &lines);
    }
    epochs_free(epochs);
    lines_release(&lines);
}

static void epoch__resumed_behind_a_known_epoch__next_is_higher_whatever_the_time(void **state)
{
    (void)state;
    static struct lines lines;
    struct epochs *epochs = epochs_new(FLAVOR_MYSQL);
    struct epoch_tx tx = tx_of(FLAVOR_MYSQL, UUID_A ":1", servers[0], "b.000001:4", 0);
    const char *record;
    assert_int_equal(epochs_resume(epochs, NOON + 100, &record, NULL), 0);
    lines_add(&lines, record);
    epochs_free(epochs);
    epochs = load(FLAVOR_MYSQL, &lines);
    assert_version(assign(epochs, &tx, &lines), NOON + 101, 1);
    epochs_free(epochs);
    lines_release(&lines);
}

static void epoch__older_than_the_table__epoch_0_by_position_of_one_server(void **state)
{
    (void)state;
    static struct lines lines;
    struct epochs *epochs = epochs_new(FLAVOR_MYSQL);
    struct position start;
    const char *record;
    position_init(&start);
    assert_int_equal(gtid_set_parse(&start.gtids, FLAVOR_MYSQL, UUID_A ":1-10", strlen(UUID_A ":1-10"), NULL), 0);
    assert_int_equal(filepos_parse(&start.at, "b.000005:400", 12, NULL), 0);
    memcpy(start.server_uuid, servers[0], 37);
    assert_int_equal(epochs_begin(epochs, &start, &record, NULL), 0);
    assert_non_null(record);
    lines_add(&lines, record);
    struct epoch_tx tx = tx_of(FLAVOR_MYSQL, UUID_A ":11", servers[0], "b.000005:400", 0);
    assert_version(assign(epochs, &tx, &lines), NOON, 11);
    for (int restarts = 0; restarts < 2; restarts++) {
        epochs_free(epochs);
        epochs = load(FLAVOR_MYSQL, &lines);
        assert_int_equal(epochs_begin(epochs, &start, &record, NULL), 0);
        assert_null(record);
        compact(epochs, &lines);
    }
    tx = tx_of(FLAVOR_MYSQL, UUID_A ":3", servers[1], "x.000001:4", 9);
    assert_version(assign(epochs, &tx, &lines), 0, SEQ(1, 4));
    tx = tx_of(FLAVOR_MYSQL, NULL, servers[0], "b.000005:399", 9);
    struct version v;
    assert_int_equal(epochs_assign(epochs, &tx, &v, &record, NULL), -(int)ERR_EPOCH_OTHER_SERVER);
    epochs_free(epochs);
    epochs = load(FLAVOR_MYSQL, &lines);
    assert_int_equal(epochs_assign(epochs, &tx, &v, &record, NULL), -(int)ERR_EPOCH_OTHER_SERVER);
    tx = tx_of(FLAVOR_MYSQL, UUID_A ":12", servers[0], "b.000005:500", 9);
    assert_version(assign(epochs, &tx, NULL), NOON, 12);
    position_release(&start);
    epochs_free(epochs);
    lines_release(&lines);
}

static void epoch__frozen__uncovered_is_epoch_0(void **state)
{
    (void)state;
    static struct lines lines;
    struct epochs *epochs = epochs_new(FLAVOR_MARIADB);
    epochs_freeze(epochs);
    struct epoch_tx tx = tx_of(FLAVOR_MARIADB, "0-1-5", "server_id-1", "b.000002:700", 0);
    assert_version(assign(epochs, &tx, &lines), 0, SEQ(2, 700));
    assert_int_equal(lines.n, 1);
    assert_string_equal(lines.text[0], "zero server_id-1");
    tx = tx_of(FLAVOR_MARIADB, "0-1-6", "server_id-1", "b.000002:900", 0);
    assert_version(assign(epochs, &tx, NULL), 0, SEQ(2, 900));
    epochs_free(epochs);
    lines_release(&lines);
}

static void epoch__lines_that_are_none__state_corrupt(void **state)
{
    (void)state;
    static const char first[] = "begin 7 number 5 srv " UUID_A ":5 0 - b.1:4";
    static const char *const rows[] = {
        "",
        "epoch 1",
        "begin 7 number 5 srv " UUID_A ":5 0 - b.1:4",
        "begin 8 number 5 srv - 0 - b.1:4",
        "begin 8 letters 5 srv " UUID_A ":5 0 - b.1:4",
        "begin 8 number x srv " UUID_A ":5 0 - b.1:4",
        "begin 8 number 5 srv 0-1-5 0 - b.1:4",
        "begin 8 number 5 srv " UUID_A ":5 0 x b.1:4",
        "begin 8 number 5 srv " UUID_A ":5 0 - b.1",
        "begin 4294967296 number 5 srv " UUID_A ":5 0 - b.1:4",
        "begin 8 number 5 0123456789012345678901234567890123456 " UUID_A ":5 0 - b.1:4",
        "begin 8 number 5 srv " UUID_A ":5",
        "seen 8 9 " UUID_A ":5-9",
        "seen 7 4 -",
        "seen 7 9 x",
        "seen 7",
        "base srv - b",
        "zero ",
        "reset 6 number",
        "reset 7 x",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct epochs *epochs = epochs_new(FLAVOR_MYSQL);
        struct err e = ERR_INIT;
        assert_int_equal(epochs_load(epochs, first, sizeof first - 1, NULL), 0);
        if (epochs_load(epochs, rows[i], strlen(rows[i]), &e) == 0)
            fail_msg("accepted: %s", rows[i]);
        assert_int_equal(e.code, ERR_STATE_CORRUPT);
        epochs_free(epochs);
    }
}

static void epoch__gtid_of_the_other_flavour__bug(void **state)
{
    (void)state;
    struct epochs *epochs = epochs_new(FLAVOR_MYSQL);
    struct epoch_tx tx = tx_of(FLAVOR_MARIADB, "0-1-5", servers[0], "b.1:4", 0);
    struct version v;
    const char *record;
    assert_int_equal(epochs_assign(epochs, &tx, &v, &record, NULL), -(int)ERR_BUG);
    assert_null(record);
    epochs_free(epochs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(epoch__table_of_histories__as_the_rule_says),
        cmocka_unit_test(epoch__random_histories__rise_and_equal_after_crash_and_on_replay),
        cmocka_unit_test(epoch__killed_anywhere__versions_up_to_the_checkpoint_stay),
        cmocka_unit_test(epoch__extended__only_what_the_checkpoint_knows),
        cmocka_unit_test(epoch__mariadb_gap__hands_out_a_line_but_not_for_ever),
        cmocka_unit_test(epoch__number_mode_from_another_server__same_versions),
        cmocka_unit_test(epoch__two_active_writers__position_after_100_epochs_an_hour),
        cmocka_unit_test(epoch__100_epochs_in_more_than_an_hour__numbers_stay),
        cmocka_unit_test(epoch__log_reset__same_gtids_are_new_transactions),
        cmocka_unit_test(epoch__resumed_behind_a_known_epoch__next_is_higher_whatever_the_time),
        cmocka_unit_test(epoch__older_than_the_table__epoch_0_by_position_of_one_server),
        cmocka_unit_test(epoch__frozen__uncovered_is_epoch_0),
        cmocka_unit_test(epoch__lines_that_are_none__state_corrupt),
        cmocka_unit_test(epoch__gtid_of_the_other_flavour__bug),
    };
    return cmocka_run_group_tests_name("epoch", tests, NULL, NULL);
}
