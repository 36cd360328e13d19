/* Dead letters in the state: each is there once, whatever crashes, and none is counted as done that is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "pipeline/dead_done.h"
#include "pipeline/dead_letter.h"
#include "pipeline/dead_log.h"
#include "tools/memfs.h"
#include "tools/sample.h"

#define DIR         "/s"
#define ENOUGH      100
#define FEWEST      10 /* file operations of a clean-up and a letter */
#define LETTERS     5
#define LETTERS_MAX 32

struct scene {
    struct memfs *fs;
    struct env env;
    struct sample *sample;
    struct state *state;
    struct dead_log *log;
};

static int open_log(struct scene *s, uint64_t max, struct err *e)
{
    int rc = state_open(&s->state, &s->env, DIR, STATE_OWN, e);
    return rc == 0 ? dead_log_open(&s->log, s->state, &s->env, max, e) : rc;
}

static void close_log(struct scene *s)
{
    dead_log_close(s->log);
    state_close(s->state);
    s->log = NULL;
    s->state = NULL;
}

static void scene_init(struct scene *s)
{
    *s = (struct scene){.fs = memfs_new(), .sample = sample_new("shop", "orders", 0)};
    s->env = memfs_env(s->fs);
}

static void scene_open(struct scene *s, uint64_t max)
{
    struct err e = ERR_INIT;
    scene_init(s);
    if (open_log(s, max, &e) != 0)
        fail_msg("%s", e.text);
}

static void scene_release(struct scene *s)
{
    close_log(s);
    sample_free(s->sample);
    memfs_free(s->fs);
}

static void reopen(struct scene *s, uint64_t max)
{
    struct err e = ERR_INIT;
    close_log(s);
    if (open_log(s, max, &e) != 0)
        fail_msg("%s", e.text);
}

/* The sink refuses order `n`; its version tells the order. */
static int put(struct scene *s, const char *sink, int n, struct err *e)
{
    struct err why = ERR_INIT;
    struct sample_change change;
    const struct sample_row row = {n, 17};
    const struct dead_store *store = dead_log_store(s->log);
    err_set(&why, SINK_POISON);
    sample_change(&change, s->sample, CHANGE_INSERT, NULL, &row);
    change.chg.version.row = version_row((uint32_t)n, 0, 0);
    return store->put(store->ctx, sink, &change.chg, &why, e);
}

static void put_well(struct scene *s, const char *sink, int n)
{
    struct err e = ERR_INIT;
    if (put(s, sink, n, &e) != 0)
        fail_msg("%s", e.text);
}

/* What a reader finds: numbers, and how many letters each order has. */
struct findings {
    size_t count;
    uint64_t numbers[LETTERS_MAX];
    unsigned of_order[LETTERS_MAX];
};

static int look(void *ctx, const struct state_item *item, struct err *e)
{
    struct findings *found = ctx;
    struct dead_letter letter;
    assert_int_equal(dead_letter_read(&letter, item->bytes, item->len, e), 0);
    assert_true(found->count < LETTERS_MAX);
    found->numbers[found->count++] = letter.number;
    found->of_order[letter.version.row >> 32]++;
    return 0;
}

static struct findings letters(struct scene *s)
{
    struct err e = ERR_INIT;
    struct findings found = {.count = 0};
    struct state *state;
    assert_int_equal(state_open(&state, &s->env, DIR, STATE_READ, &e), 0);
    if (state_scan(state, DEAD_LOG_NAME, look, &found, &e) != 0)
        fail_msg("%s", e.text);
    state_close(state);
    return found;
}

static void mark(struct scene *s, uint64_t number)
{
    struct err e = ERR_INIT;
    struct state *dlq;
    assert_int_equal(dead_done_open(&dlq, &s->env, DIR, STATE_OWN, &e), 0);
    if (dead_done_mark(dlq, number, &e) != 0)
        fail_msg("%s", e.text);
    state_close(dlq);
}

static bool is_none(void *ctx, uint64_t number)
{
    (void)ctx;
    (void)number;
    return false;
}

/* As `sluice dlq` does when the service has forgotten the letters. */
static void forget_done(struct scene *s)
{
    struct err e = ERR_INIT;
    struct state *dlq;
    assert_int_equal(dead_done_open(&dlq, &s->env, DIR, STATE_OWN, &e), 0);
    assert_int_equal(dead_done_keep(dlq, is_none, NULL, &e), 0);
    state_close(dlq);
}

/* ---------------------------------------------------------------- letters */

static int take_whole(void *ctx, const struct state_item *item, struct err *e)
{
    struct dead_letter letter;
    struct buf *line = ctx;
    char *bytes = malloc(item->len);
    assert_non_null(bytes);
    assert_int_equal(dead_letter_read(&letter, item->bytes, item->len, e), 0);
    assert_int_equal(letter.op, CHANGE_INSERT);
    assert_true(dead_text_is(&letter.sink, "cache"));
    assert_true(dead_text_is(&letter.db, "shop"));
    assert_true(dead_text_is(&letter.table, "orders"));
    assert_true(dead_text_is(&letter.key, "3"));
    dead_letter_json(&letter, line);
    memcpy(bytes, item->bytes, item->len);
    for (size_t len = 0; len < item->len; len++) {
        struct err own = ERR_INIT;
        char *cut = malloc(len ? len : 1);
        assert_non_null(cut);
        memcpy(cut, bytes, len);
        assert_true(dead_letter_read(&letter, cut, len, &own) < 0);
        free(cut);
    }
    bytes[0] = 9;
    assert_int_equal(dead_letter_read(&letter, bytes, item->len, NULL), -(int)ERR_STATE_VERSION);
    free(bytes);
    return 0;
}

static void dead_log__letter__has_the_change_and_why(void **state)
{
    (void)state;
    struct scene s;
    struct err e = ERR_INIT;
    struct buf line;
    scene_open(&s, ENOUGH);
    put_well(&s, "cache", 3);
    buf_init(&line, 0);
    assert_int_equal(state_scan(s.state, DEAD_LOG_NAME, take_whole, &line, &e), 0);
    json_t *json = json_loadb((const char *)line.p, line.len, 0, NULL);
    assert_non_null(json);
    assert_int_equal(json_integer_value(json_object_get(json, "id")), 1);
    assert_string_equal(json_string_value(json_object_get(json, "sink")), "cache");
    assert_string_equal(json_string_value(json_object_get(json, "reason")), "sink_poison");
    assert_non_null(json_string_value(json_object_get(json, "text")));
    json_t *after = json_object_get(json_object_get(json, "change"), "after");
    assert_int_equal(json_integer_value(json_object_get(after, "order_id")), 3);
    assert_int_equal(json_integer_value(json_object_get(after, "user_id")), 17);
    json_decref(json);
    buf_release(&line);
    scene_release(&s);
}

static void dead_log__change_that_comes_again__is_the_letter_that_it_was(void **state)
{
    (void)state;
    struct scene s;
    scene_open(&s, ENOUGH);
    for (unsigned life = 0; life < 3; life++) {
        for (int n = 1; n <= LETTERS; n++)
            put_well(&s, "cache", n);
        put_well(&s, "other", 2);
        struct findings found = letters(&s);
        assert_int_equal(found.count, LETTERS + 1);
        assert_int_equal(found.of_order[2], 2);
        for (size_t i = 0; i < found.count; i++)
            assert_int_equal(found.numbers[i], i + 1);
        reopen(&s, ENOUGH);
    }
    scene_release(&s);
}

static void dead_log__full__stops_until_letters_are_done_and_gives_no_number_twice(void **state)
{
    (void)state;
    struct scene s;
    struct err e = ERR_INIT;
    scene_open(&s, 3);
    for (int n = 1; n <= 3; n++)
        put_well(&s, "cache", n);
    assert_int_equal(put(&s, "cache", 4, &e), -(int)ERR_DEAD_LETTERS_FULL);
    put_well(&s, "cache", 2); /* it has one */
    mark(&s, 3);
    mark(&s, 1);
    put_well(&s, "cache", 4);
    struct findings found = letters(&s);
    assert_int_equal(found.count, 2);
    assert_int_equal(found.numbers[0], 2);
    assert_int_equal(found.numbers[1], 4);
    mark(&s, 2);
    mark(&s, 4);
    reopen(&s, 3);
    assert_int_equal(letters(&s).count, 0);
    forget_done(&s);
    reopen(&s, 3);
    put_well(&s, "cache", 1); /* refused once more, after it was done */
    found = letters(&s);
    assert_int_equal(found.count, 1);
    assert_int_equal(found.numbers[0], 5);
    scene_release(&s);
}

/* ---------------------------------------------------------------- crashes */

/* A service's life: what is refused goes to the letters until something fails. Returns how many are durable. */
static int live(struct scene *s, int from, int to)
{
    struct err e = ERR_INIT;
    int n = from;
    if (open_log(s, 3, &e) != 0)
        return from;
    while (n < to && put(s, "cache", n, &e) == 0)
        n++;
    return n;
}

static void dead_log__lights_go_out_anywhere__each_letter_is_there_once(void **state)
{
    (void)state;
    for (unsigned bytes = 0; bytes < MEMFS_BYTES_COUNT; bytes++) {
        bool met = true;
        unsigned at = 1;
        for (; met; at++) {
            struct scene s;
            scene_init(&s);
            assert_int_equal(live(&s, 1, 4), 4);
            mark(&s, 2);
            close_log(&s);
            memfs_fault(s.fs, MEMFS_POWER, at);
            int durable = live(&s, 4, 5); /* the clean-up, and a letter */
            met = memfs_fault_met(s.fs);
            dead_log_close(s.log);
            state_close(s.state);
            s.log = NULL;
            memfs_crash(s.fs, (enum memfs_bytes)bytes, at % 2);
            if (durable == 5)
                assert_int_equal(letters(&s).of_order[4], 1);
            assert_int_equal(live(&s, 4, 5), 5); /* it comes again */
            struct findings found = letters(&s);
            assert_int_equal(found.count, 3);
            assert_int_equal(found.of_order[1] + found.of_order[3] + found.of_order[4], 3);
            assert_int_equal(found.numbers[2], 4);
            scene_release(&s);
        }
        assert_true(at > FEWEST);
    }
}

static void dead_log__damaged__stops(void **state)
{
    (void)state;
    struct scene s;
    struct err e = ERR_INIT;
    size_t len;
    scene_open(&s, ENOUGH);
    put_well(&s, "cache", 1);
    put_well(&s, "cache", 2);
    close_log(&s);
    uint8_t *bytes = memfs_bytes(s.fs, DIR "/" DEAD_LOG_NAME ".log", &len);
    bytes[len / 4] ^= 1;
    assert_int_equal(open_log(&s, ENOUGH, &e), -(int)ERR_STATE_CORRUPT);
    assert_non_null(strstr(e.text, DEAD_LOG_NAME));
    scene_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dead_log__letter__has_the_change_and_why),
        cmocka_unit_test(dead_log__change_that_comes_again__is_the_letter_that_it_was),
        cmocka_unit_test(dead_log__full__stops_until_letters_are_done_and_gives_no_number_twice),
        cmocka_unit_test(dead_log__lights_go_out_anywhere__each_letter_is_there_once),
        cmocka_unit_test(dead_log__damaged__stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
