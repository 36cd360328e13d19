/* The epochs' log over kills, a set position and its own growth. A kill is a table that is dropped without its last
 * progress. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pipeline/epoch_log.h"
#include "tools/memfs.h"

#define DIR     "/s"
#define SERVER  "3e11fa47-71ca-11e1-9e33-c80aa9429562"
#define NOON_US (INT64_C(1795341600) * 1000000)

struct world {
    struct memfs *fs;
    struct env env;
    struct state *state;
    struct epoch_log log;
};

static struct state *open_state(const struct env *env, enum state_mode mode)
{
    struct err e = ERR_INIT;
    struct state *state = NULL;
    assert_int_equal(state_open(&state, env, DIR, mode, &e), 0);
    return state;
}

static struct epoch_tx tx_of(uint64_t number)
{
    struct epoch_tx tx = {.server_uuid = SERVER, .commit_us = NOON_US + (int64_t)number};
    char text[GTID_TEXT_MAX];
    snprintf(text, sizeof text, SERVER ":%llu", (unsigned long long)number);
    assert_int_equal(gtid_parse(&tx.gtid, FLAVOR_MYSQL, text, strlen(text), NULL), 0);
    snprintf(tx.at.file, sizeof tx.at.file, "bin.000001");
    tx.at.pos = number * 100;
    return tx;
}

/* The one sink's position behind transaction `number`. */
static void checkpoint_at(struct checkpoint *cp, uint64_t number)
{
    char text[96];
    *cp = (struct checkpoint){.entries = calloc(1, sizeof *cp->entries), .count = 1};
    assert_non_null(cp->entries);
    cp->entries[0].name = strdup("cache");
    position_init(&cp->entries[0].pos);
    snprintf(text, sizeof text, SERVER ":1-%llu", (unsigned long long)number);
    assert_int_equal(gtid_set_parse(&cp->entries[0].pos.gtids, FLAVOR_MYSQL, text, strlen(text), NULL), 0);
    snprintf(cp->entries[0].pos.at.file, sizeof cp->entries[0].pos.at.file, "bin.000001");
    cp->entries[0].pos.at.pos = number * 100 + 50;
    snprintf(cp->entries[0].pos.server_uuid, sizeof cp->entries[0].pos.server_uuid, SERVER);
}

static void store_checkpoint(struct world *w, uint64_t number, bool by_hand)
{
    struct checkpoint cp;
    struct err e = ERR_INIT;
    checkpoint_at(&cp, number);
    assert_int_equal(by_hand ? checkpoint_set(&cp, w->state, &e) : checkpoint_store(&cp, w->state, &e), 0);
    checkpoint_release(&cp);
}

/* As the service starts: from the stored checkpoint. */
static void open_log(struct world *w)
{
    struct err e = ERR_INIT;
    struct checkpoint begin = {0};
    assert_int_equal(checkpoint_load(&begin, w->state, &e), 0);
    const struct epoch_log_options opt = {.state = w->state, .write = true, .flavor = FLAVOR_MYSQL, .begin = &begin};
    if (epoch_log_open(&w->log, &opt, &e) != 0)
        fail_msg("%s", e.text);
    checkpoint_release(&begin);
}

static void world_open(struct world *w, uint64_t start)
{
    *w = (struct world){.fs = memfs_new()};
    w->env = memfs_env(w->fs);
    w->state = open_state(&w->env, STATE_OWN);
    store_checkpoint(w, start, false);
    open_log(w);
}

static void world_close(struct world *w)
{
    epoch_log_release(&w->log);
    state_close(w->state);
    assert_int_equal(memfs_open_count(w->fs), 0);
    memfs_free(w->fs);
}

static void kill_and_restart(struct world *w)
{
    epoch_log_release(&w->log);
    state_close(w->state);
    memfs_crash(w->fs, MEMFS_BYTES_DURABLE, false);
    w->state = open_state(&w->env, STATE_OWN);
}

static struct version assign(struct epoch_log *log, uint64_t number)
{
    struct epoch_tx tx = tx_of(number);
    struct version v = {0};
    struct err e = ERR_INIT;
    if (epoch_log_assign(log, &tx, &v, &e) != 0)
        fail_msg("%s", e.text);
    return v;
}

static void expect(struct epoch_log *log, uint64_t number, uint32_t epoch)
{
    struct version v = assign(log, number);
    if (v.epoch != epoch || (epoch && v.sequence != number))
        fail_msg("transaction %llu: epoch %u, not %u", (unsigned long long)number, v.epoch, epoch);
}

static void expect_replay(struct world *w, uint64_t last, uint32_t epoch)
{
    struct err e = ERR_INIT;
    struct state *reader = open_state(&w->env, STATE_READ);
    const struct epoch_log_options opt = {.state = reader, .flavor = FLAVOR_MYSQL};
    struct epoch_log log = {.epochs = NULL};
    assert_int_equal(epoch_log_open(&log, &opt, &e), 0);
    for (uint64_t number = 11; number <= last; number++)
        expect(&log, number, epoch);
    expect(&log, last + 1, 0);
    assert_int_equal(epoch_log_progress(&log, &e), 0);
    epoch_log_release(&log);
    state_close(reader);
}

static void epoch_log__killed__replay_and_restart_give_the_same_versions(void **unused)
{
    (void)unused;
    struct world w;
    world_open(&w, 10);
    uint32_t epoch = assign(&w.log, 11).epoch;
    for (uint64_t number = 12; number <= 40; number++)
        expect(&w.log, number, epoch);
    store_checkpoint(&w, 30, false);
    expect_replay(&w, 30, epoch); /* beside the running service */
    kill_and_restart(&w);
    expect_replay(&w, 30, epoch);
    open_log(&w);
    expect(&w.log, 10, 0); /* older than the table */
    for (uint64_t number = 11; number <= 50; number++)
        expect(&w.log, number, epoch);
    world_close(&w);
}

static void epoch_log__position_was_set__the_old_checkpoint_still_tells(void **unused)
{
    (void)unused;
    struct world w;
    struct err e = ERR_INIT;
    world_open(&w, 10);
    uint32_t epoch = assign(&w.log, 11).epoch;
    for (uint64_t number = 12; number <= 40; number++)
        expect(&w.log, number, epoch);
    store_checkpoint(&w, 40, false);
    kill_and_restart(&w);
    store_checkpoint(&w, 12, true);
    store_checkpoint(&w, 20, true);
    expect_replay(&w, 40, epoch);
    open_log(&w);
    struct checkpoint reached = {0};
    assert_int_equal(checkpoint_reached(&reached, w.state, &e), 0);
    assert_int_equal(reached.count, 0);
    kill_and_restart(&w); /* before anything was read */
    open_log(&w);
    for (uint64_t number = 21; number <= 41; number++)
        expect(&w.log, number, epoch);
    world_close(&w);
}

static void epoch_log__position_was_reset__what_is_read_is_new(void **unused)
{
    (void)unused;
    struct world w;
    struct err e = ERR_INIT;
    world_open(&w, 10);
    uint32_t epoch = assign(&w.log, 11).epoch;
    store_checkpoint(&w, 11, false);
    kill_and_restart(&w);
    assert_int_equal(checkpoint_reset(w.state, &e), 0);
    store_checkpoint(&w, 10, false);
    open_log(&w);
    uint32_t later = assign(&w.log, 11).epoch;
    assert_true(later > epoch);
    store_checkpoint(&w, 11, false);
    kill_and_restart(&w);
    open_log(&w);
    expect(&w.log, 11, later);
    expect(&w.log, 12, later);
    world_close(&w);
}

static int count(void *ctx, const struct state_item *item, struct err *e)
{
    (void)item;
    (void)e;
    ++*(unsigned *)ctx;
    return 0;
}

static unsigned lines_in(struct world *w)
{
    unsigned lines = 0;
    struct err e = ERR_INIT;
    assert_int_equal(state_scan(w->state, EPOCH_LOG_NAME, count, &lines, &e), 0);
    return lines;
}

static void epoch_log__has_grown__is_rewritten_and_says_the_same(void **unused)
{
    (void)unused;
    struct world w;
    struct err e = ERR_INIT;
    unsigned most = 0;
    world_open(&w, 10);
    uint32_t epoch = assign(&w.log, 11).epoch;
    for (uint64_t number = 12; number <= 3 * EPOCH_LOG_LINES_MIN; number++) {
        expect(&w.log, number, epoch);
        assert_int_equal(epoch_log_progress(&w.log, &e), 0);
        if (number % 500 == 0 || number % 500 == 20) {
            unsigned lines = lines_in(&w);
            most = lines > most ? lines : most;
        }
    }
    assert_in_range(most, 500, EPOCH_LOG_LINES_MIN);
    kill_and_restart(&w);
    open_log(&w);
    for (uint64_t number = 11; number <= 3 * EPOCH_LOG_LINES_MIN + 1; number++)
        expect(&w.log, number, epoch);
    expect(&w.log, 10, 0);
    world_close(&w);
}

static void epoch_log__grew_before_the_start__is_rewritten(void **unused)
{
    (void)unused;
    struct world w;
    struct err e = ERR_INIT;
    char line[96];
    world_open(&w, 10);
    uint32_t epoch = assign(&w.log, 11).epoch;
    for (unsigned number = 12; number <= 2 * EPOCH_LOG_LINES_MIN; number++) {
        snprintf(line, sizeof line, "seen %u %u " SERVER ":%u", epoch, number, number);
        assert_int_equal(state_append(w.state, EPOCH_LOG_NAME, line, strlen(line), &e), 0);
    }
    kill_and_restart(&w);
    open_log(&w);
    assert_in_range(lines_in(&w), 2, 10);
    expect(&w.log, 12, epoch);
    expect(&w.log, 2 * EPOCH_LOG_LINES_MIN + 1, epoch);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(epoch_log__killed__replay_and_restart_give_the_same_versions),
        cmocka_unit_test(epoch_log__position_was_set__the_old_checkpoint_still_tells),
        cmocka_unit_test(epoch_log__position_was_reset__what_is_read_is_new),
        cmocka_unit_test(epoch_log__has_grown__is_rewritten_and_says_the_same),
        cmocka_unit_test(epoch_log__grew_before_the_start__is_rewritten),
    };
    return cmocka_run_group_tests_name("epoch log", tests, NULL, NULL);
}
