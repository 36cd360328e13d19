/* Law 1, safe position: what the ledger calls safe was acknowledged, in every interleaving of source, workers and
 * keeper at their atomic operations; and it reaches the end. With it: no wake-up is lost and no segment is used again
 * too early. docs/ordering.md has the proof. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tools/stepped_partition.h"

#define LANES_MAX  3
#define SINKS_MAX  2
#define ITEMS_MAX  32
#define STATES_MAX 20000000

static bool full_size(void)
{
    const char *full = getenv("SLUICE_TEST_FULL");
    return full && *full;
}

static void report(const char *name, const struct explore_result *result)
{
    print_message("%s: %llu states, %llu steps, %llu ends\n", name, (unsigned long long)result->states,
                  (unsigned long long)result->steps, (unsigned long long)result->ends);
    fflush(stdout);
}

/* ---------------------------------------------------------------- the ledger alone */

/* One publication: how many items each lane gets, in lane order; and a boundary behind it unless it is a chunk. */
struct publication {
    uint8_t items[LANES_MAX];
    bool chunk;
};

struct ledger_program {
    const char *name;
    unsigned lanes, sinks;
    unsigned ring;
    unsigned rounds; /* of the keeper; one more with SLUICE_TEST_FULL */
    bool full;       /* only with SLUICE_TEST_FULL */
    struct publication publications[8];
    unsigned count;
};

struct ledger_world {
    const struct ledger_program *program;
    struct ledger *ledger;
    uint64_t lane_items[LANES_MAX][ITEMS_MAX]; /* ordinals */
    unsigned lane_count[LANES_MAX];
    uint64_t last;
    bool done[SINKS_MAX][ITEMS_MAX]; /* by ordinal; set before it is acknowledged */
    struct position pos[SINKS_MAX];
    unsigned at[SINKS_MAX][LANES_MAX]; /* next item of the worker */
    bool left_out;
    unsigned rounds;
};

static void ledger_setup(struct ledger_world *w, const struct ledger_program *program)
{
    *w = (struct ledger_world){.program = program, .rounds = program->rounds};
    for (unsigned i = 0; i < program->count; i++)
        for (unsigned lane = 0; lane < program->lanes; lane++)
            for (unsigned k = 0; k < program->publications[i].items[lane]; k++)
                w->lane_items[lane][w->lane_count[lane]++] = ++w->last;
    assert_int_equal(ledger_new(&w->ledger, program->lanes, program->sinks, program->ring, NULL), 0);
    explore_region(w->done, sizeof w->done);
    explore_region(w->at, sizeof w->at);
    explore_region(&w->left_out, sizeof w->left_out);
    for (unsigned i = 0; i < program->sinks; i++)
        explore_region(&w->pos[i].at.pos, sizeof w->pos[i].at.pos);
    stepped_ledger_regions(w->ledger);
}

static void ledger_source(struct ledger_world *w)
{
    const struct ledger_program *program = w->program;
    uint64_t ordinal = 0;
    for (unsigned i = 0; i < program->count; i++) {
        const struct publication *pub = &program->publications[i];
        explore_op(100 * i + 98);
        uint64_t first = ordinal;
        for (unsigned lane = 0; lane < program->lanes; lane++)
            ordinal += pub->items[lane];
        struct boundary at = {.ordinal = ordinal, .pos = ordinal};
        if (!pub->chunk && !ledger_boundary(w->ledger, &at))
            w->left_out = true; /* a full ring: never unsafe */
        for (unsigned lane = 0; lane < program->lanes; lane++) {
            explore_op(100 * i + lane);
            if (pub->items[lane])
                ledger_lane(w->ledger, lane, first + 1, first + pub->items[lane]);
            first += pub->items[lane];
        }
        explore_op(100 * i + 99);
        ledger_published(w->ledger, ordinal);
    }
}

/* Threads 2 …: one worker per lane and sink. */
static bool ledger_may_ack(const void *ctx, unsigned thread)
{
    const struct ledger_world *w = ctx;
    unsigned lane = (thread - 2) / w->program->sinks, sink = (thread - 2) % w->program->sinks;
    return ledger_head(w->ledger, lane) >= w->lane_items[lane][w->at[sink][lane]];
}

static void ledger_worker(struct ledger_world *w, unsigned lane, unsigned sink)
{
    while (w->at[sink][lane] < w->lane_count[lane]) {
        explore_op(w->at[sink][lane]);
        explore_until(ledger_may_ack);
        uint64_t ordinal = w->lane_items[lane][w->at[sink][lane]++];
        w->done[sink][ordinal] = true;
        ledger_ack(w->ledger, lane, sink, ordinal);
    }
}

static void assert_done(const struct ledger_world *w, unsigned sink, uint64_t safe)
{
    for (uint64_t ordinal = 1; ordinal <= safe && ordinal <= w->last; ordinal++)
        explore_check(w->done[sink][ordinal], "%llu is called safe for sink %u, %llu is not acknowledged",
                      (unsigned long long)safe, sink, (unsigned long long)ordinal);
}

static void ledger_keeper(struct ledger_world *w)
{
    for (unsigned round = 0; round < w->rounds; round++)
        for (unsigned sink = 0; sink < w->program->sinks; sink++) {
            uint64_t before = w->pos[sink].at.pos;
            explore_op(round * SINKS_MAX + sink);
            explore_check(ledger_consume(w->ledger, sink, &w->pos[sink], NULL) >= 0, "consume failed");
            explore_check(w->pos[sink].at.pos >= before, "the position fell");
            assert_done(w, sink, w->ledger->safe[sink]);
            assert_done(w, sink, w->pos[sink].at.pos);
        }
}

static void ledger_body(void *ctx, unsigned thread)
{
    struct ledger_world *w = ctx;
    if (thread == 0)
        ledger_source(w);
    else if (thread == 1)
        ledger_keeper(w);
    else
        ledger_worker(w, (thread - 2) / w->program->sinks, (thread - 2) % w->program->sinks);
}

static void ledger_finish(void *ctx)
{
    struct ledger_world *w = ctx;
    for (unsigned sink = 0; sink < w->program->sinks; sink++) {
        explore_check(ledger_consume(w->ledger, sink, &w->pos[sink], NULL) >= 0, "consume failed");
        explore_check(w->ledger->safe[sink] == w->last, "all is acknowledged and not safe");
        assert_done(w, sink, w->pos[sink].at.pos);
    }
}

static void law_safe_position__ledger__holds_in_all_interleavings(void **state)
{
    (void)state;
    static const struct ledger_program programs[] = {
        {.name = "one lane, one sink",
         .lanes = 1,
         .sinks = 1,
         .ring = 4,
         .rounds = 1,
         .count = 4,
         .publications = {{{1}, false}, {{2}, true}, {{1}, false}, {{1}, false}}},
        {.name = "two lanes in turn",
         .lanes = 2,
         .sinks = 1,
         .ring = 4,
         .rounds = 1,
         .count = 4,
         .publications = {{{1, 0}, false}, {{0, 2}, false}, {{1, 0}, false}, {{1, 1}, false}}},
        {.name = "an idle lane",
         .lanes = 2,
         .sinks = 1,
         .ring = 2,
         .rounds = 1,
         .count = 4,
         .publications = {{{1, 1}, false}, {{1, 0}, true}, {{1, 0}, false}, {{0, 1}, false}}},
        {.name = "eight items",
         .full = true,
         .lanes = 2,
         .sinks = 1,
         .ring = 4,
         .rounds = 1,
         .count = 4,
         .publications = {{{1, 1}, false}, {{2, 0}, true}, {{0, 2}, false}, {{1, 1}, false}}},
        {.name = "three lanes",
         .full = true,
         .lanes = 3,
         .sinks = 1,
         .ring = 4,
         .rounds = 1,
         .count = 3,
         .publications = {{{1, 0, 1}, false}, {{0, 1, 0}, false}, {{1, 0, 1}, false}}},
        {.name = "two sinks",
         .full = true,
         .lanes = 2,
         .sinks = 2,
         .ring = 2,
         .rounds = 1,
         .count = 2,
         .publications = {{{1, 0}, false}, {{1, 1}, false}}},
    };
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
        if (programs[i].full && !full_size())
            continue;
        struct ledger_world *world = malloc(sizeof *world);
        assert_non_null(world);
        ledger_setup(world, &programs[i]);
        struct explore_spec spec = {.name = programs[i].name,
                                    .threads = 2 + programs[i].sinks * programs[i].lanes,
                                    .body = ledger_body,
                                    .finish = ledger_finish,
                                    .ctx = world,
                                    .states_max = STATES_MAX};
        struct explore_result result;
        world->rounds += full_size();
        explore(&spec, &result);
        report(programs[i].name, &result);
        ledger_free(world->ledger);
        free(world);
    }
}

/* ---------------------------------------------------------------- lanes: segments, tickets, sleep */

enum act { END_OF_SCRIPT, BEGIN, ADD, MOVE, TRUNCATE, TRUNCATE_LANE, END, PUBLISH };

/* ADD, TRUNCATE_LANE: an item in `lane`; MOVE: a key move from `lane` to `to`. */
struct action {
    enum act act;
    uint8_t lane, to;
};

struct lane_program {
    const char *name;
    bool full;       /* only with SLUICE_TEST_FULL */
    unsigned rounds; /* of a keeper beside */
    unsigned lanes, sinks, workers;
    size_t image_bytes; /* of an item, against segments of 1,024 bytes, four per lane */
    struct action script[24];
};

/* What the workers expect of an item. */
struct expected {
    uint64_t ticket; /* ordinal that must be done before; 0: none */
    bool barrier;    /* everything before must be done */
};

struct lane_world {
    const struct lane_program *program;
    struct lanes *lanes;
    bool source_flag, worker_flag[EXPLORE_THREADS_MAX];
    uint64_t ordinal; /* last one added */
    uint64_t last_of_lane[LANES_MAX];
    struct expected expected[ITEMS_MAX];
    unsigned lane_total[LANES_MAX]; /* of the whole script */
    unsigned taken[SINKS_MAX][LANES_MAX];
    bool done[SINKS_MAX][ITEMS_MAX];
};

static void ring_worker(void *ctx, unsigned sink, unsigned lane)
{
    struct lane_world *w = ctx;
    w->worker_flag[sink * w->program->workers + lane % w->program->workers] = true;
}

static void ring_source(void *ctx)
{
    ((struct lane_world *)ctx)->source_flag = true;
}

static void lane_setup(struct lane_world *w, const struct lane_program *program)
{
    *w = (struct lane_world){.program = program};
    for (const struct action *a = program->script; a->act; a++)
        for (unsigned lane = 0; lane < program->lanes; lane++) {
            bool here = (a->act == ADD || a->act == MOVE || a->act == TRUNCATE_LANE) && a->lane == lane;
            bool there = a->act == MOVE && a->to == lane;
            w->lane_total[lane] += (unsigned)here + (unsigned)there + (unsigned)(a->act == TRUNCATE);
        }
    struct lanes_options opt = {.lanes = program->lanes,
                                .sinks = program->sinks,
                                .buffer_bytes = (size_t)4 * LANE_SEGMENT_BYTES_MIN * program->lanes,
                                .ring = 8,
                                .wake_worker = ring_worker,
                                .wake_source = ring_source,
                                .ctx = w};
    assert_int_equal(lanes_new(&w->lanes, &opt, NULL), 0);
    memset(w->lanes->pool.bytes, 0, w->lanes->pool.segment_bytes * w->lanes->pool.count);
    explore_region(w, sizeof *w);
    stepped_lanes_regions(w->lanes);
}

/* A point of its own for each call, so that states of different retries meet. */
static void make_room(struct lane_world *w, unsigned op)
{
    explore_op(op);
    if (!lanes_make_room(w->lanes))
        explore_wait(&w->source_flag);
}

static void add(struct lane_world *w, unsigned op, const struct action *a, unsigned half, uint64_t from)
{
    uint8_t image[LANE_SEGMENT_BYTES_MIN];
    memset(image, (int)(w->ordinal + 1), sizeof image);
    static const struct table tbl = {.db = "d", .name = "t", .column_count = 1};
    static const struct shape shape = {.tbl = &tbl};
    struct lane_row row = {.op = CHANGE_UPDATE,
                           .sink_mask = UINT32_MAX,
                           .shape = &shape,
                           .key = "k",
                           .key_len = 1,
                           .after = {.bytes = image, .len = w->program->image_bytes},
                           .has_ticket = half == 1,
                           .ticket_lane = a->lane,
                           .ticket_ordinal = from};
    uint64_t ordinal;
    for (;;) {
        explore_op(op);
        int rc = lanes_add(w->lanes, half ? a->to : a->lane, &row, &ordinal, NULL);
        if (rc == 0)
            break;
        explore_check(rc == LANES_FULL, "add failed");
        make_room(w, op + 1);
    }
    w->ordinal = w->last_of_lane[half ? a->to : a->lane] = ordinal;
    w->expected[ordinal].ticket = half ? from : 0;
}

/* What is before it in its lane must be done: that is acknowledged in one piece, so the last of it tells. */
static void truncate_lane(struct lane_world *w, unsigned op, unsigned lane)
{
    const struct lane_truncate truncate = {.db = "d", .table = "t", .sink_mask = UINT32_MAX};
    uint64_t ordinal;
    for (;;) {
        explore_op(op);
        if (lanes_truncate_lane(w->lanes, lane, &truncate, &ordinal, NULL) == 0)
            break;
        make_room(w, op + 1);
    }
    w->expected[ordinal].ticket = w->last_of_lane[lane];
    w->ordinal = w->last_of_lane[lane] = ordinal;
}

static void truncate_all(struct lane_world *w, unsigned op)
{
    for (;;) {
        explore_op(op);
        if (lanes_truncate_table(w->lanes, "d", "t", NULL, 1, NULL) == 0)
            break;
        make_room(w, op + 1);
    }
    uint64_t truncate = w->ordinal + 1;
    w->expected[truncate].barrier = true;
    for (unsigned lane = 1; lane < w->program->lanes; lane++)
        w->expected[truncate + lane].ticket = truncate;
    w->ordinal = truncate + w->program->lanes - 1;
}

static void lane_source(struct lane_world *w)
{
    for (unsigned i = 0; w->program->script[i].act; i++) {
        const struct action *a = &w->program->script[i];
        struct tx tx = {.file = "f", .sequence = i};
        struct boundary at = {.pos = i};
        explore_op(10 * i);
        switch (a->act) {
        case BEGIN:
            lanes_begin(w->lanes, &tx);
            break;
        case ADD:
            add(w, 10 * i, a, 0, 0);
            break;
        case MOVE:
            add(w, 10 * i, a, 0, 0);
            add(w, 10 * i + 5, a, 1, w->ordinal);
            break;
        case TRUNCATE:
            truncate_all(w, 10 * i);
            break;
        case TRUNCATE_LANE:
            truncate_lane(w, 10 * i, a->lane);
            break;
        case END:
            explore_check(lanes_end(w->lanes, &at) == 0, "the ring is too small");
            break;
        default:
            lanes_publish(w->lanes);
        }
    }
}

static void check_item(const struct lane_world *w, unsigned lane, unsigned sink, const struct lane_item *item)
{
    const struct expected *expected = &w->expected[item->ordinal];
    explore_check(!expected->ticket || w->done[sink][expected->ticket], "%llu overtook its ticket %llu",
                  (unsigned long long)item->ordinal, (unsigned long long)expected->ticket);
    for (uint64_t before = 1; expected->barrier && before < item->ordinal; before++)
        explore_check(w->done[sink][before], "TRUNCATE %llu overtook %llu", (unsigned long long)item->ordinal,
                      (unsigned long long)before);
    if (item->kind != LANE_ROW)
        return;
    const struct image *after = &item->chg.after;
    explore_check(after->len == w->program->image_bytes && after->bytes[0] == (uint8_t)item->ordinal &&
                      after->bytes[after->len - 1] == (uint8_t)item->ordinal,
                  "item %llu of lane %u was overwritten", (unsigned long long)item->ordinal, lane);
}

/* Takes up to BATCH items of the lane and acknowledges them; false when there is none that it may take. */
#define BATCH 2
static bool take(struct lane_world *w, unsigned lane, unsigned sink, unsigned op)
{
    struct lane_item items[BATCH];
    unsigned count = 0;
    explore_op(op);
    while (count < BATCH && lanes_read(w->lanes, lane, sink, &items[count]) == LANE_ITEM)
        count++;
    if (count == 0)
        return false;
    explore_op(op + count);
    explore_point(); /* others go on while they are borrowed */
    for (unsigned i = 0; i < count; i++) {
        check_item(w, lane, sink, &items[i]);
        w->done[sink][items[i].ordinal] = true;
    }
    w->taken[sink][lane] += count;
    explore_op(op + BATCH + 1);
    lanes_ack(w->lanes, lane, sink, items[count - 1].ordinal);
    return true;
}

static void lane_worker(struct lane_world *w, unsigned thread, unsigned sink, unsigned worker)
{
    const struct lane_program *program = w->program;
    for (bool all = false; !all;) {
        bool any = false;
        all = true;
        for (unsigned lane = worker; lane < program->lanes; lane += program->workers) {
            any |= take(w, lane, sink, 100 * lane + 10u * any);
            all &= w->taken[sink][lane] == w->lane_total[lane];
        }
        explore_op(1000u + any);
        if (!any && !all && lanes_sleep(w->lanes, sink, worker, program->workers))
            explore_wait(&w->worker_flag[thread]);
    }
}

static void lane_keeper(struct lane_world *w)
{
    for (unsigned round = 0; round < w->program->rounds; round++)
        for (unsigned sink = 0; sink < w->program->sinks; sink++) {
            explore_op(round * SINKS_MAX + sink);
            uint64_t safe = ledger_safe(w->lanes->ledger, sink, 0);
            for (uint64_t ordinal = 1; ordinal <= safe; ordinal++)
                explore_check(w->done[sink][ordinal], "%llu is called safe, %llu is not acknowledged",
                              (unsigned long long)safe, (unsigned long long)ordinal);
        }
}

static void lane_body(void *ctx, unsigned thread)
{
    struct lane_world *w = ctx;
    unsigned workers = w->program->workers;
    if (thread == workers * w->program->sinks)
        lane_source(w);
    else if (thread > workers * w->program->sinks)
        lane_keeper(w);
    else
        lane_worker(w, thread, thread / workers, thread % workers);
}

static void lane_finish(void *ctx)
{
    struct lane_world *w = ctx;
    struct position pos = {0};
    for (unsigned sink = 0; sink < w->program->sinks; sink++) {
        explore_check(ledger_safe(w->lanes->ledger, sink, 0) == w->ordinal, "all is acknowledged and not safe");
        explore_check(ledger_consume(w->lanes->ledger, sink, &pos, NULL) == 1, "no boundary came out");
        for (uint64_t ordinal = 1; ordinal <= w->ordinal; ordinal++)
            explore_check(w->done[sink][ordinal], "%llu is missing", (unsigned long long)ordinal);
    }
}

static void law_safe_position__lanes__lose_no_item_and_no_wake_up(void **state)
{
    (void)state;
    static const struct lane_program programs[] = {
        {"one lane, the pool is full",
         false,
         1,
         1,
         1,
         1,
         500,
         {{BEGIN, 0, 0},
          {ADD, 0, 0},
          {ADD, 0, 0},
          {END, 0, 0},
          {BEGIN, 0, 0},
          {ADD, 0, 0},
          {ADD, 0, 0},
          {END, 0, 0},
          {BEGIN, 0, 0},
          {ADD, 0, 0},
          {ADD, 0, 0},
          {END, 0, 0},
          {PUBLISH, 0, 0}}},
        {"a transaction larger than the pool",
         false,
         1,
         1,
         1,
         1,
         700,
         {{BEGIN, 0, 0},
          {ADD, 0, 0},
          {ADD, 0, 0},
          {ADD, 0, 0},
          {ADD, 0, 0},
          {ADD, 0, 0},
          {ADD, 0, 0},
          {END, 0, 0},
          {PUBLISH, 0, 0}}},
        /* Only the acknowledgement can tell the source that nothing is left but its own open transaction. */
        {"an open transaction holds the pool",
         false,
         1,
         1,
         1,
         1,
         700,
         {{BEGIN, 0, 0},
          {ADD, 0, 0},
          {END, 0, 0},
          {PUBLISH, 0, 0},
          {BEGIN, 0, 0},
          {ADD, 0, 0},
          {ADD, 0, 0},
          {ADD, 0, 0},
          {ADD, 0, 0},
          {END, 0, 0},
          {PUBLISH, 0, 0}}},
        {"two sinks", false, 0, 1, 2, 1, 10, {{BEGIN, 0, 0}, {ADD, 0, 0}, {ADD, 0, 0}, {END, 0, 0}, {PUBLISH, 0, 0}}},
        {"two sinks, the pool is full",
         true,
         0,
         1,
         2,
         1,
         700,
         {{BEGIN, 0, 0},
          {ADD, 0, 0},
          {ADD, 0, 0},
          {ADD, 0, 0},
          {ADD, 0, 0},
          {ADD, 0, 0},
          {END, 0, 0},
          {PUBLISH, 0, 0}}},
        {"a key move",
         false,
         0,
         2,
         1,
         2,
         10,
         {{BEGIN, 0, 0},
          {MOVE, 0, 1},
          {END, 0, 0},
          {PUBLISH, 0, 0},
          {BEGIN, 0, 0},
          {ADD, 1, 0},
          {END, 0, 0},
          {PUBLISH, 0, 0}}},
        {"a key move and a keeper", false, 1, 2, 1, 2, 10, {{BEGIN, 0, 0}, {MOVE, 0, 1}, {END, 0, 0}, {PUBLISH, 0, 0}}},
        {"crossing key moves",
         false,
         0,
         2,
         1,
         2,
         10,
         {{BEGIN, 0, 0}, {MOVE, 0, 1}, {END, 0, 0}, {BEGIN, 0, 0}, {MOVE, 1, 0}, {END, 0, 0}, {PUBLISH, 0, 0}}},
        {"crossing key moves, one worker",
         false,
         1,
         2,
         1,
         1,
         10,
         {{BEGIN, 0, 0},
          {MOVE, 0, 1},
          {END, 0, 0},
          {PUBLISH, 0, 0},
          {BEGIN, 0, 0},
          {MOVE, 1, 0},
          {END, 0, 0},
          {PUBLISH, 0, 0}}},
        {"a barrier",
         false,
         0,
         2,
         1,
         2,
         10,
         {{BEGIN, 0, 0},
          {ADD, 1, 0},
          {END, 0, 0},
          {PUBLISH, 0, 0},
          {BEGIN, 0, 0},
          {TRUNCATE, 0, 0},
          {END, 0, 0},
          {BEGIN, 0, 0},
          {ADD, 1, 0},
          {END, 0, 0},
          {PUBLISH, 0, 0}}},
        {"barriers of one lane each",
         false,
         0,
         2,
         1,
         2,
         10,
         {{BEGIN, 0, 0},
          {ADD, 1, 0},
          {END, 0, 0},
          {PUBLISH, 0, 0},
          {BEGIN, 0, 0},
          {TRUNCATE_LANE, 1, 0},
          {TRUNCATE_LANE, 0, 0},
          {ADD, 1, 0},
          {END, 0, 0},
          {PUBLISH, 0, 0}}},
    };
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
        if (programs[i].full && !full_size())
            continue;
        struct lane_world *world = malloc(sizeof *world);
        assert_non_null(world);
        lane_setup(world, &programs[i]);
        struct explore_spec spec = {.name = programs[i].name,
                                    .threads = 1 + programs[i].sinks * programs[i].workers + (programs[i].rounds > 0),
                                    .body = lane_body,
                                    .finish = lane_finish,
                                    .ctx = world,
                                    .states_max = STATES_MAX};
        struct explore_result result;
        explore(&spec, &result);
        report(programs[i].name, &result);
        lanes_free(world->lanes);
        free(world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(law_safe_position__ledger__holds_in_all_interleavings),
        cmocka_unit_test(law_safe_position__lanes__lose_no_item_and_no_wake_up),
    };
    return cmocka_run_group_tests_name("law_safe_position", tests, NULL, NULL);
}
