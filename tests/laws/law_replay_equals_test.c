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
#include "schema/schema.h"
#include "state/state.h"
#include "tools/spine_lines.h"

#define TRANSACTIONS 24

/* The replay is the end of the whole reading, line by line. */
static void assert_suffix(const struct spine_lines *whole, const struct spine_lines *replay, uint64_t from)
{
    assert_true(replay->count <= whole->count);
    size_t skipped = whole->count - replay->count;
    for (size_t i = 0; i < replay->count; i++) {
        const struct spine_line *a = &whole->list[skipped + i], *b = &replay->list[i];
        if (!spine_line_equal(a, b))
            print_error("from %llu:\n%.*s%.*s", (unsigned long long)from, (int)a->len, a->text, (int)b->len, b->text);
        assert_true(spine_line_equal(a, b));
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
    struct spine_lines whole = {0};
    opt.transactions = TRANSACTIONS;
    opt.keys = 20;
    struct shop_log *log = shop_log_new(&opt);
    /* The service's own reading, which makes the epochs. */
    struct spine_reading reading = {
        named_source_new(log, 0), {.kind = START_EARLIEST}, 1, trial->buffer_bytes, epochs, epochs};
    spine_read(&reading, &whole);
    spine_lines_sort(&whole);
    assert_true(whole.count > TRANSACTIONS);
    unsigned epochs_seen = 1;
    for (size_t i = 1; i < whole.count; i++)
        epochs_seen += whole.list[i].version.epoch != whole.list[i - 1].version.epoch;
    assert_int_equal(epochs_seen, 4); /* the numbers fall twice, the domain changes once */
    size_t before = whole.count;
    for (unsigned first = 0; first < TRANSACTIONS; first++) {
        struct spine_lines replay = {0};
        reading = (struct spine_reading){
            named_source_new(log, 0), {.kind = START_EARLIEST}, lanes_of(first), trial->buffer_bytes, NULL, epochs};
        if (first > 0) {
            reading.start.kind = START_FILEPOS;
            reading.start.pos.at = (struct filepos){"bin.000001", (uint64_t)(first + 1) * SPINE_TX_BYTES - 1};
        }
        spine_read(&reading, &replay);
        spine_lines_sort(&replay);
        assert_suffix(&whole, &replay, first);
        assert_true(first == 0 ? replay.count == whole.count : replay.count < before);
        assert_true(replay.count > 0);
        before = replay.count;
        spine_lines_release(&replay);
    }
    spine_lines_release(&whole);
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
    struct spine_lines whole = {0};
    snprintf(path, sizeof path, SLUICE_TEST_DATA "/binlog/%s.binlog", name);
    unsigned count = find_boundaries(&env, paths, at);
    for (unsigned i = 0; i <= count; i++) {
        struct spine_lines replay = {0};
        struct schema *schema = NULL;
        assert_int_equal(schema_new(&schema, NULL, NULL), 0);
        struct spine_reading reading = {
            file_source_new(&env, paths, schema), {.kind = START_EARLIEST}, lanes_of(i), 1 << 20, NULL, NULL};
        if (i > 0) {
            reading.start.kind = START_FILEPOS;
            reading.start.pos.at = at[i - 1];
        }
        spine_read(&reading, i == 0 ? &whole : &replay);
        spine_lines_sort(i == 0 ? &whole : &replay);
        assert_true(whole.count > 0);
        assert_suffix(&whole, &replay, reading.start.pos.at.pos);
        assert_true(i < count || replay.count == 0);
        spine_lines_release(&replay);
        schema_free(schema);
    }
    spine_lines_release(&whole);
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
