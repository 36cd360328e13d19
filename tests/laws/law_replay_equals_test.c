/* Law "replay equals": the same log read again from any boundary gives the same items with the same versions, whatever
 * the lanes, the chunks and the broken connections of either reading. On the real spine, inline; what is compared is
 * the JSON line of each change, which holds all of it: key, images, GTID, file, position, version, half. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "binlog/source_file.h"
#include "change/format_sluice.h"
#include "partition/route.h"
#include "pipeline/pipeline.h"
#include "schema/schema.h"
#include "sink/sink.h"
#include "state/state.h"
#include "tools/shop_source.h"

#define TRANSACTIONS 24

/* ---------------------------------------------------------------- what came out */

struct line {
    struct version version;
    char *text;
    size_t len;
};

struct lines {
    struct line *list;
    size_t count, size;
};

static void lines_add(struct lines *lines, const struct change *chg)
{
    struct buf out;
    struct arena arena;
    buf_init(&out, 0);
    arena_init(&arena, 4096, 0, 0);
    assert_int_equal(format_sluice(chg, &out, &arena, NULL), 0);
    arena_release(&arena);
    if (lines->count == lines->size) {
        lines->size = lines->size ? lines->size * 2 : 256;
        lines->list = realloc(lines->list, lines->size * sizeof *lines->list);
        assert_non_null(lines->list);
    }
    lines->list[lines->count++] = (struct line){chg->version, (char *)out.p, out.len};
}

static void lines_release(struct lines *lines)
{
    for (size_t i = 0; i < lines->count; i++)
        free(lines->list[i].text);
    free(lines->list);
    *lines = (struct lines){0};
}

static int by_version(const void *a, const void *b)
{
    return version_compare(&((const struct line *)a)->version, &((const struct line *)b)->version);
}

static bool same_line(const struct line *a, const struct line *b)
{
    return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

/* Versions are the order of the log, whatever order the lanes were served in. A repeated chunk repeats its lines. */
static void sort_and_merge(struct lines *lines)
{
    qsort(lines->list, lines->count, sizeof *lines->list, by_version);
    size_t kept = 0;
    for (size_t i = 0; i < lines->count; i++) {
        if (kept > 0 && by_version(&lines->list[kept - 1], &lines->list[i]) == 0) {
            assert_true(same_line(&lines->list[kept - 1], &lines->list[i])); /* one version, one content */
            free(lines->list[i].text);
            continue;
        }
        lines->list[kept++] = lines->list[i];
    }
    lines->count = kept;
}

struct keep_options {
    struct lines *lines;
};

struct keep_sink {
    struct sink base;
    struct lines *lines;
};

static int keep_open(struct sink **out, const void *opt, const struct env *env, struct err *e);

static int keep_apply(struct sink *snk, struct item *items, size_t count, struct err *e)
{
    (void)e;
    for (size_t i = 0; i < count; i++) {
        lines_add(((struct keep_sink *)snk)->lines, items[i].chg);
        items[i].verdict = V_DONE;
    }
    return 0;
}

static void keep_close(struct sink *snk)
{
    free(snk);
}

static const struct sink_ops keep = {.kind = "keep", .open = keep_open, .apply = keep_apply, .close = keep_close};

static int keep_open(struct sink **out, const void *opt, const struct env *env, struct err *e)
{
    (void)env;
    (void)e;
    struct keep_sink *snk = calloc(1, sizeof *snk);
    assert_non_null(snk);
    *snk = (struct keep_sink){{&keep}, ((const struct keep_options *)opt)->lines};
    *out = &snk->base;
    return 0;
}

/* ---------------------------------------------------------------- a log with GTIDs of changing writers */

/* Transactions of the made-up log begin at (n + 1) · 1,000,000 and end one byte before the next. */
#define TX_BYTES 1000000u

/* The writer changes at some transactions, and one writer's numbers begin again: epochs. */
static void name_transaction(struct tx *tx)
{
    static const struct {
        unsigned begin, writer, number;
    } stretches[] = {{0, 1, 100}, {5, 2, 1}, {9, 1, 105}, {15, 1, 1}, {19, 3, 7}};
    unsigned n = (unsigned)(tx->pos / TX_BYTES) - 1, i = 0;
    while (i + 1 < sizeof stretches / sizeof *stretches && stretches[i + 1].begin <= n)
        i++;
    tx->gtid = (struct gtid){.flavor = FLAVOR_MARIADB, .server = stretches[i].writer};
    tx->gtid.domain = stretches[i].writer / 3;
    tx->gtid.number = stretches[i].number + n - stretches[i].begin;
    tx->commit_us = (1700000000 + (int64_t)n * 10) * 1000000;
}

struct named_source {
    struct source base;
    struct source *shop;
};

static int named_open(struct source *src, const struct start *at, struct position *from, struct err *e)
{
    struct source *shop = ((struct named_source *)src)->shop;
    return shop->ops->open(shop, at, from, e);
}

static int named_next(struct source *src, struct rowset *out, struct err *e)
{
    struct source *shop = ((struct named_source *)src)->shop;
    int rc = shop->ops->next(shop, out, e);
    if (rc == 0 && out->kind == ROWSET_BEGIN)
        name_transaction(&out->tx);
    return rc;
}

static bool named_would_block(struct source *src)
{
    struct source *shop = ((struct named_source *)src)->shop;
    return shop->ops->would_block(shop);
}

static void named_interrupt(struct source *src)
{
    struct source *shop = ((struct named_source *)src)->shop;
    shop->ops->interrupt(shop);
}

static void named_close(struct source *src)
{
    struct named_source *named = (struct named_source *)src;
    if (!named)
        return;
    named->shop->ops->close(named->shop);
    free(named);
}

static const struct source_ops named_ops = {.kind = "named",
                                            .open = named_open,
                                            .next = named_next,
                                            .would_block = named_would_block,
                                            .interrupt = named_interrupt,
                                            .close = named_close};

static struct source *named_source_new(struct shop_log *log)
{
    struct named_source *named = calloc(1, sizeof *named);
    assert_non_null(named);
    *named = (struct named_source){{&named_ops}, shop_source_new(log, 0)};
    return &named->base;
}

/* ---------------------------------------------------------------- readings */

struct reading {
    struct source *source; /* taken */
    struct start start;
    unsigned lanes;
    uint64_t buffer_bytes;
    struct state *state, *epoch_state;
};

static void read_all(const struct reading *reading, struct lines *out)
{
    static const struct route list[] = {
        {.db = "*", .table = "*", .keyless = true, .sink_mask = 1, .on_truncate = ON_TRUNCATE_IGNORE}};
    struct err e = ERR_INIT;
    struct env env = env_system();
    struct routes *routes = NULL;
    struct pipeline *pipe = NULL;
    struct keep_options options = {out};
    struct pipeline_sink sink = {.name = "keep", .ops = &keep, .options = &options, .workers = 0};
    assert_int_equal(routes_new(&routes, list, 1, &e), 0);
    struct pipeline_spec spec = {.env = &env,
                                 .source = reading->source,
                                 .routes = routes,
                                 .sinks = &sink,
                                 .sink_count = 1,
                                 .lanes = reading->lanes,
                                 .buffer_bytes = reading->buffer_bytes,
                                 .max_event_bytes = 1 << 20,
                                 .state = reading->state,
                                 .epoch_state = reading->epoch_state,
                                 .start = &reading->start,
                                 .ends = true,
                                 .checkpoint_ms = 1,
                                 .shutdown_ms = 60000};
    int rc = pipeline_open(&pipe, &spec, &e);
    if (rc == 0)
        rc = pipeline_run(pipe, NULL, &e);
    if (rc != 0)
        print_error("from %llu: %s\n", (unsigned long long)reading->start.pos.at.pos, e.text);
    assert_int_equal(rc, 0);
    pipeline_close(pipe);
    routes_free(routes);
    sort_and_merge(out);
}

/* The replay is the end of the whole reading, line by line. */
static void assert_suffix(const struct lines *whole, const struct lines *replay, uint64_t from)
{
    assert_true(replay->count <= whole->count);
    size_t skipped = whole->count - replay->count;
    for (size_t i = 0; i < replay->count; i++) {
        const struct line *a = &whole->list[skipped + i], *b = &replay->list[i];
        if (!same_line(a, b))
            print_error("from %llu:\n%.*s%.*s", (unsigned long long)from, (int)a->len, a->text, (int)b->len, b->text);
        assert_true(same_line(a, b));
    }
}

static unsigned lanes_of(unsigned round)
{
    static const unsigned lanes[] = {1, 3, 16};
    return lanes[round % 3];
}

struct trial {
    struct shop_log_options log;
    uint64_t buffer_bytes;
};

static void replay_from_everywhere(const struct trial *trial, struct state *epochs)
{
    struct shop_log_options opt = trial->log;
    struct lines whole = {0};
    opt.transactions = TRANSACTIONS;
    opt.keys = 20;
    struct shop_log *log = shop_log_new(&opt);
    /* The service's own reading, which makes the epochs. */
    struct reading reading = {named_source_new(log), {.kind = START_EARLIEST}, 1, trial->buffer_bytes, epochs, epochs};
    read_all(&reading, &whole);
    assert_true(whole.count > TRANSACTIONS);
    unsigned epochs_seen = 1;
    for (size_t i = 1; i < whole.count; i++)
        epochs_seen += whole.list[i].version.epoch != whole.list[i - 1].version.epoch;
    assert_int_equal(epochs_seen, 4); /* the numbers fall twice, the domain changes once */
    size_t before = whole.count;
    for (unsigned first = 0; first < TRANSACTIONS; first++) {
        struct lines replay = {0};
        reading = (struct reading){
            named_source_new(log), {.kind = START_EARLIEST}, lanes_of(first), trial->buffer_bytes, NULL, epochs};
        if (first > 0) {
            reading.start.kind = START_FILEPOS;
            reading.start.pos.at = (struct filepos){"bin.000001", (uint64_t)(first + 1) * TX_BYTES - 1};
        }
        read_all(&reading, &replay);
        assert_suffix(&whole, &replay, first);
        assert_true(first == 0 ? replay.count == whole.count : replay.count < before);
        assert_true(replay.count > 0);
        before = replay.count;
        lines_release(&replay);
    }
    lines_release(&whole);
    shop_log_free(log);
}

static void over_a_state(const struct trial *trial)
{
    char dir[] = "/tmp/sluice-replay-XXXXXX", command[sizeof dir + 16];
    struct env env = env_system();
    struct state *state = NULL;
    assert_non_null(mkdtemp(dir));
    assert_int_equal(state_open(&state, &env, dir, STATE_OWN, NULL), 0);
    replay_from_everywhere(trial, state);
    state_close(state);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    assert_int_equal(system(command), 0);
}

static void law_replay_equals__any_boundary_any_lanes__same_items_same_versions(void **state)
{
    (void)state;
    over_a_state(&(struct trial){{.seed = 1, .rows_max = 20}, 8 << 20});
}

static void law_replay_equals__broken_connections__same_items_same_versions(void **state)
{
    (void)state;
    over_a_state(&(struct trial){{.seed = 2, .rows_max = 20, .break_every = 30}, 8 << 20});
}

static void law_replay_equals__chunks_and_broken_connections__same_items_same_versions(void **state)
{
    (void)state;
    over_a_state(&(struct trial){{.seed = 3, .rows_max = 2000, .no_rollbacks = true, .break_every = 1500}, 256 << 10});
}

/* ---------------------------------------------------------------- files of real servers */

static bool all_tables(void *ctx, const char *db, const char *table)
{
    (void)ctx;
    (void)db;
    (void)table;
    return true;
}

static const struct interest interest = {.wants = all_tables};

static struct source *file_source_new(const struct env *env, const char *const *path, struct schema *schema)
{
    struct source *src = NULL;
    struct source_file_options opt = {.env = env, .paths = path, .path_count = 1};
    opt.reader =
        (struct log_reader_options){.interest = &interest, .schema = schema, .on_statement = ON_STATEMENT_WARN};
    assert_int_equal(source_file_new(&src, &opt, NULL), 0);
    return src;
}

#define BOUNDARIES_MAX 64

/* The boundaries of the file, by its source. */
static unsigned find_boundaries(const struct env *env, const char *const *path, struct filepos *out)
{
    unsigned count = 0;
    struct schema *schema = NULL;
    struct position from;
    struct rowset rs = {0};
    const struct start start = {.kind = START_EARLIEST};
    position_init(&from);
    assert_int_equal(schema_new(&schema, NULL, NULL), 0);
    struct source *src = file_source_new(env, path, schema);
    assert_int_equal(src->ops->open(src, &start, &from, NULL), 0);
    while (rs.kind != ROWSET_EOF) {
        assert_int_equal(src->ops->next(src, &rs, NULL), 0);
        bool ends = rs.kind == ROWSET_END || rs.kind == ROWSET_DDL || rs.kind == ROWSET_ROLLBACK;
        if (ends && count < BOUNDARIES_MAX)
            out[count++] = rs.end;
    }
    src->ops->close(src);
    schema_free(schema);
    position_release(&from);
    return count;
}

/* Returns how many boundaries it was read from. */
static unsigned replay_file(const char *name)
{
    char path[512];
    const char *const paths[] = {path};
    struct env env = env_system();
    struct filepos at[BOUNDARIES_MAX];
    struct lines whole = {0};
    snprintf(path, sizeof path, SLUICE_TEST_DATA "/binlog/%s.binlog", name);
    unsigned count = find_boundaries(&env, paths, at);
    for (unsigned i = 0; i <= count; i++) {
        struct lines replay = {0};
        struct schema *schema = NULL;
        assert_int_equal(schema_new(&schema, NULL, NULL), 0);
        struct reading reading = {
            file_source_new(&env, paths, schema), {.kind = START_EARLIEST}, lanes_of(i), 1 << 20, NULL, NULL};
        if (i > 0) {
            reading.start.kind = START_FILEPOS;
            reading.start.pos.at = at[i - 1];
        }
        read_all(&reading, i == 0 ? &whole : &replay);
        assert_true(whole.count > 0);
        assert_suffix(&whole, &replay, reading.start.pos.at.pos);
        assert_true(i < count || replay.count == 0);
        lines_release(&replay);
        schema_free(schema);
    }
    lines_release(&whole);
    return count;
}

static void law_replay_equals__files_of_real_servers__same_items_same_versions(void **state)
{
    (void)state;
    static const char *const files[] = {"mariadb/rows", "mariadb/transactions", "mariadb/alter",
                                        "mysql/rows",   "mysql/transactions",   "mysql/alter"};
    unsigned boundaries = 0;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        boundaries += replay_file(files[i]);
    assert_true(boundaries > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(law_replay_equals__any_boundary_any_lanes__same_items_same_versions),
        cmocka_unit_test(law_replay_equals__broken_connections__same_items_same_versions),
        cmocka_unit_test(law_replay_equals__chunks_and_broken_connections__same_items_same_versions),
        cmocka_unit_test(law_replay_equals__files_of_real_servers__same_items_same_versions),
    };
    return cmocka_run_group_tests_name("law_replay_equals", tests, NULL, NULL);
}
