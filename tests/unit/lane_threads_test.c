/* Lanes with real threads: a source that rolls back, moves keys, truncates and writes more than the pool holds, workers
 * that take what is there in random order and acknowledge late, a keeper. No item is lost, repeated, or overtakes one
 * of its key; nobody waits for ever; and no position is handed out before its items are done. Runs under TSan too. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "partition/key.h"
#include "tools/lane_kit.h"
#include "tools/random_row.h"

#define KEYS        97
#define SINKS       2
#define WORKERS_MAX 4
#define PATIENCE_S  100 /* of a condition, before the test fails */

struct options {
    const char *name;
    unsigned lanes, workers;
    size_t buffer_bytes;
    unsigned transactions;
    unsigned ring;
};

/* Somebody to be woken. */
struct bell {
    pthread_mutex_t lock;
    pthread_cond_t cond;
    bool rung;
};

struct world;

struct worker {
    struct world *world;
    unsigned sink, number;
    struct bell bell;
    pthread_t thread;
    struct rng rng;
};

struct world {
    const struct options *opt;
    struct lanes *lanes;
    struct bell source_bell;
    struct worker workers[SINKS][WORKERS_MAX];
    /* source */
    uint64_t next[KEYS]; /* last value added under the key, committed or open */
    uint64_t total;      /* items committed */
    /* Per transaction, items left to do, by sink; written by the source before publication. */
    _Atomic int32_t *left[SINKS];
    /* Per FROM half (by a number of its own) and sink: done. */
    _Atomic uint8_t *moved[SINKS];
    uint64_t moves, moves_max;
    _Atomic bool finished;
    /* sinks */
    uint64_t seen[SINKS][KEYS]; /* only by the worker of the key's lane */
    _Atomic uint64_t done[SINKS];
    uint64_t waits; /* of the source */
};

static void bell_init(struct bell *bell)
{
    pthread_mutex_init(&bell->lock, NULL);
    pthread_cond_init(&bell->cond, NULL);
    bell->rung = false;
}

static void bell_ring(struct bell *bell)
{
    pthread_mutex_lock(&bell->lock);
    bell->rung = true;
    pthread_cond_signal(&bell->cond);
    pthread_mutex_unlock(&bell->lock);
}

static void stop_all(const char *why)
{
    fprintf(stderr, "%s\n", why);
    abort();
}

static void bell_wait(struct bell *bell)
{
    struct timespec until;
    timespec_get(&until, TIME_UTC);
    until.tv_sec += PATIENCE_S;
    pthread_mutex_lock(&bell->lock);
    while (!bell->rung)
        if (pthread_cond_timedwait(&bell->cond, &bell->lock, &until) != 0)
            stop_all("nobody rang: a lost wake-up or a deadlock");
    bell->rung = false;
    pthread_mutex_unlock(&bell->lock);
}

static void wake_worker(void *ctx, unsigned sink, unsigned lane)
{
    struct world *w = ctx;
    bell_ring(&w->workers[sink][lane % w->opt->workers].bell);
}

static void wake_source(void *ctx)
{
    bell_ring(&((struct world *)ctx)->source_bell);
}

/* ---------------------------------------------------------------- source */

/* What each row carries before its filling: its key, its number under the key, and its move. */
struct content {
    uint64_t key, value, move;
    uint64_t fill; /* bytes that follow */
};

static unsigned lane_of(const struct world *w, uint64_t key)
{
    char text[16];
    return key_lane(text, (size_t)snprintf(text, sizeof text, "k%u", (unsigned)key), w->opt->lanes);
}

static void room(struct world *w)
{
    while (!lanes_make_room(w->lanes)) {
        w->waits++;
        bell_wait(&w->source_bell);
    }
}

static uint64_t add(struct world *w, struct rng *rng, uint64_t key, unsigned half, uint64_t move, uint64_t ticket_lane,
                    uint64_t ticket)
{
    static uint8_t bytes[sizeof(struct content) + 200000];
    struct content content = {.key = key, .value = ++w->next[key], .move = move};
    uint32_t dice = rng_below(rng, 1000);
    content.fill = dice == 0 ? 100000 + rng_below(rng, 100000) : dice < 20 ? rng_below(rng, 3000) : rng_below(rng, 60);
    memcpy(bytes, &content, sizeof content);
    memset(bytes + sizeof content, (int)content.value, content.fill);
    struct lane_row row = {.op = CHANGE_UPDATE,
                           .flags = half,
                           .sink_mask = UINT32_MAX,
                           .version_row = content.value,
                           .shape = kit_shape(),
                           .key = "k",
                           .key_len = 1,
                           .after = {.bytes = bytes, .len = sizeof content + content.fill},
                           .has_ticket = half == CHANGE_TO,
                           .ticket_lane = (unsigned)ticket_lane,
                           .ticket_ordinal = ticket};
    uint64_t ordinal = 0;
    int rc;
    while ((rc = lanes_add(w->lanes, lane_of(w, key), &row, &ordinal, NULL)) == LANES_FULL)
        room(w);
    if (rc != 0)
        stop_all("lanes_add failed");
    return ordinal;
}

/* One event of rows; returns how many items it made. */
static unsigned event(struct world *w, struct rng *rng)
{
    unsigned rows = 1 + rng_below(rng, 6), items = 0;
    for (unsigned i = 0; i < rows; i++) {
        uint64_t key = rng_below(rng, KEYS);
        if (rng_below(rng, 8) == 0 && w->moves + 1 < w->moves_max) {
            uint64_t to = rng_below(rng, KEYS), move = ++w->moves;
            uint64_t from = add(w, rng, key, CHANGE_FROM, move, 0, 0);
            add(w, rng, to, CHANGE_TO, move, lane_of(w, key), from);
            items += 2;
        } else {
            add(w, rng, key, 0, 0, 0, 0);
            items++;
        }
    }
    lanes_event_end(w->lanes);
    if (lanes_chunk_due(w->lanes))
        lanes_publish_chunk(w->lanes);
    return items;
}

static unsigned truncate_all(struct world *w)
{
    int rc;
    while ((rc = lanes_truncate_table(w->lanes, "d", "t", NULL, UINT32_MAX, NULL)) == LANES_FULL)
        room(w);
    if (rc != 0)
        stop_all("lanes_truncate_table failed");
    return w->opt->lanes;
}

/* As an applier's records are: each lane is told by itself. */
static unsigned truncate_each(struct world *w)
{
    const struct lane_truncate truncate = {.db = "d", .table = "t", .sink_mask = UINT32_MAX};
    uint64_t ordinal;
    for (unsigned lane = 0; lane < w->opt->lanes; lane++) {
        int rc;
        while ((rc = lanes_truncate_lane(w->lanes, lane, &truncate, &ordinal, NULL)) == LANES_FULL)
            room(w);
        if (rc != 0)
            stop_all("lanes_truncate_lane failed");
    }
    return w->opt->lanes;
}

/* The events of one transaction, some of them rolled back; returns its items. */
static unsigned transaction(struct world *w, struct rng *rng)
{
    uint64_t begin[KEYS], before[KEYS];
    unsigned items = 0;
    if (rng_below(rng, 300) == 0)
        return truncate_all(w);
    if (rng_below(rng, 300) == 0)
        return truncate_each(w);
    memcpy(begin, w->next, sizeof begin);
    unsigned events = rng_below(rng, 100) == 0 ? 150 : 1 + rng_below(rng, 4);
    for (unsigned i = 0; i < events; i++) {
        uint64_t savepoint = lanes_savepoint(w->lanes);
        memcpy(before, w->next, sizeof before);
        unsigned made = event(w, rng);
        items += made;
        if (rng_below(rng, 5) == 0 && lanes_rollback_to(w->lanes, savepoint) == 0) {
            memcpy(w->next, before, sizeof before);
            items -= made;
        }
    }
    if (rng_below(rng, 8) == 0 && lanes_rollback(w->lanes) == 0) {
        memcpy(w->next, begin, sizeof begin);
        items = 0;
    }
    return items;
}

static void *source_main(void *arg)
{
    struct world *w = arg;
    struct rng rng = {20261122};
    for (unsigned i = 1; i <= w->opt->transactions; i++) {
        kit_begin(w->lanes, i);
        unsigned items = transaction(w, &rng);
        /* The workers may be ahead of this number with a chunk: it is added to what they took away. */
        for (unsigned sink = 0; sink < SINKS; sink++)
            atomic_fetch_add(&w->left[sink][i], (int32_t)items);
        w->total += items;
        while (kit_end(w->lanes, i) == LANES_FULL) {
            lanes_publish(w->lanes);
            w->waits++;
            bell_wait(&w->source_bell);
        }
        if (lanes_should_publish(w->lanes) || rng_below(&rng, 10) == 0)
            lanes_publish(w->lanes);
    }
    lanes_publish(w->lanes);
    while (!ledger_is_handed_over(lanes_ledger(w->lanes))) {
        bell_wait(&w->source_bell);
        lanes_publish(w->lanes);
    }
    atomic_store(&w->finished, true);
    for (unsigned sink = 0; sink < SINKS; sink++)
        for (unsigned i = 0; i < w->opt->workers; i++)
            bell_ring(&w->workers[sink][i].bell);
    return NULL;
}

/* ---------------------------------------------------------------- workers */

static void apply(struct worker *me, const struct lane_item *item)
{
    struct world *w = me->world;
    atomic_fetch_sub(&w->left[me->sink][item->chg.tx->sequence], 1);
    atomic_fetch_add(&w->done[me->sink], 1);
    if (item->kind != LANE_ROW)
        return;
    struct content content;
    memcpy(&content, item->chg.after.bytes, sizeof content);
    if (item->chg.after.len != sizeof content + content.fill)
        stop_all("an item is of another length than it was added with");
    for (uint64_t i = 0; i < content.fill; i++)
        if (item->chg.after.bytes[sizeof content + i] != (uint8_t)content.value)
            stop_all("an item was overwritten while it was borrowed");
    if (content.value != w->seen[me->sink][content.key] + 1)
        stop_all("an item of its key was lost, repeated or overtaken");
    w->seen[me->sink][content.key]++;
    if (item->chg.flags & CHANGE_FROM)
        atomic_store(&w->moved[me->sink][content.move], 1);
    if (item->chg.flags & CHANGE_TO && !atomic_load(&w->moved[me->sink][content.move]))
        stop_all("a TO half overtook its FROM half");
}

/* Takes a random part of what is in the lane; acknowledges a random part of that when it may come back soon. */
static bool serve(struct worker *me, unsigned lane)
{
    struct lanes *lanes = me->world->lanes;
    struct lane_item items[40];
    unsigned most = 1 + rng_below(&me->rng, 40), count = 0;
    while (count < most && lanes_read(lanes, lane, me->sink, &items[count]) == LANE_ITEM)
        count++;
    if (count == 0)
        return false;
    if (rng_below(&me->rng, 20) == 0) { /* as after a failed commit */
        lanes_rewind(lanes, lane, me->sink);
        return true;
    }
    for (unsigned i = 0; i < count; i++) {
        apply(me, &items[i]);
        if (rng_below(&me->rng, 10) == 0)
            lanes_ack(lanes, lane, me->sink, items[i].ordinal);
    }
    lanes_ack(lanes, lane, me->sink, items[count - 1].ordinal);
    return true;
}

static bool all_done(struct world *w, unsigned sink)
{
    return atomic_load(&w->finished) && atomic_load(&w->done[sink]) == w->total;
}

static void *worker_main(void *arg)
{
    struct worker *me = arg;
    struct world *w = me->world;
    unsigned workers = w->opt->workers;
    while (!all_done(w, me->sink)) {
        bool any = false;
        unsigned mine = (w->opt->lanes + workers - 1 - me->number) / workers;
        unsigned first = mine ? rng_below(&me->rng, mine) : 0;
        for (unsigned i = 0; i < mine; i++)
            any |= serve(me, me->number + (first + i) % mine * workers);
        if (!any && !all_done(w, me->sink) && lanes_sleep(w->lanes, me->sink, me->number, workers)) {
            bell_wait(&me->bell);
            lanes_awake(w->lanes, me->sink, me->number, workers);
        }
        /* Who did the last item tells the others. */
        if (all_done(w, me->sink))
            for (unsigned i = 0; i < workers; i++)
                bell_ring(&w->workers[me->sink][i].bell);
    }
    return NULL;
}

/* ---------------------------------------------------------------- keeper */

/* Moves each sink's position and looks whether all before it is done; true when all are at the end. */
static bool keep(struct world *w, struct position *pos)
{
    bool end = true;
    for (unsigned sink = 0; sink < SINKS; sink++) {
        uint64_t before = pos[sink].at.pos;
        int rc = ledger_consume(lanes_ledger(w->lanes), sink, &pos[sink], NULL);
        assert_true(rc >= 0);
        for (uint64_t tx = before + 1; tx <= pos[sink].at.pos; tx++)
            assert_int_equal(atomic_load(&w->left[sink][tx]), 0);
        if (rc == 1)
            bell_ring(&w->source_bell);
        end &= pos[sink].at.pos == w->opt->transactions;
    }
    return end;
}

/* Returns how often the source waited. */
static uint64_t run(const struct options *opt)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->opt = opt;
    w->moves_max = opt->transactions * 8u;
    for (unsigned sink = 0; sink < SINKS; sink++) {
        w->left[sink] = calloc(opt->transactions + 1, sizeof *w->left[sink]);
        w->moved[sink] = calloc(w->moves_max, sizeof *w->moved[sink]);
        assert_true(w->left[sink] && w->moved[sink]);
    }
    struct lanes_options lane_opt = {.lanes = opt->lanes,
                                     .sinks = SINKS,
                                     .buffer_bytes = opt->buffer_bytes,
                                     .ring = opt->ring,
                                     .wake_worker = wake_worker,
                                     .wake_source = wake_source,
                                     .ctx = w};
    assert_int_equal(lanes_new(&w->lanes, &lane_opt, NULL), 0);
    bell_init(&w->source_bell);
    for (unsigned sink = 0; sink < SINKS; sink++)
        for (unsigned i = 0; i < opt->workers; i++) {
            struct worker *me = &w->workers[sink][i];
            *me = (struct worker){.world = w, .sink = sink, .number = i, .rng = {sink * 100 + i + 1}};
            bell_init(&me->bell);
            assert_int_equal(pthread_create(&me->thread, NULL, worker_main, me), 0);
        }
    pthread_t source;
    assert_int_equal(pthread_create(&source, NULL, source_main, w), 0);
    struct position pos[SINKS];
    for (unsigned sink = 0; sink < SINKS; sink++)
        position_init(&pos[sink]);
    while (!keep(w, pos))
        sched_yield();
    pthread_join(source, NULL);
    for (unsigned sink = 0; sink < SINKS; sink++) {
        for (unsigned i = 0; i < opt->workers; i++)
            pthread_join(w->workers[sink][i].thread, NULL);
        assert_memory_equal(w->seen[sink], w->next, sizeof w->next);
        free(w->left[sink]);
        free(w->moved[sink]);
    }
    print_message("%s: %llu items, the source waited %llu times\n", opt->name, (unsigned long long)w->total,
                  (unsigned long long)w->waits);
    uint64_t waits = w->waits;
    lanes_free(w->lanes);
    free(w);
    return waits;
}

static void lane_threads__any_lanes_and_workers__keep_order_and_lose_nothing(void **state)
{
    (void)state;
    static const struct options all[] = {
        {"1 lane, 1 worker", 1, 1, 64u * 1024, 3000, 64},
        {"3 lanes, 2 workers", 3, 2, 64u * 1024, 3000, 256},
        {"16 lanes, 4 workers", 16, 4, 64u * 1024, 3000, 1024},
        {"2 lanes, 4 workers", 2, 4, 256u * 1024, 1000, 65536},
    };
    const char *full = getenv("SLUICE_TEST_FULL");
    uint64_t waits = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct options opt = all[i];
        opt.transactions *= full && *full ? 30 : 1;
        waits += run(&opt);
    }
    assert_true(waits > 0); /* else the pool was not small enough to test anything */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lane_threads__any_lanes_and_workers__keep_order_and_lose_nothing),
    };
    return cmocka_run_group_tests_name("lane_threads", tests, NULL, NULL);
}
