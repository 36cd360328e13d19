/* The checkpoint record: what is stored is read again, what is damaged is refused, and the oldest position is found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "pipeline/checkpoint.h"

static char dir[64];

static int make_dir(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/sluice-checkpoint-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    (void)state;
    char command[96];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command);
}

static struct state *open_state(const struct env *env)
{
    struct err e = ERR_INIT;
    struct state *state = NULL;
    assert_int_equal(state_open(&state, env, dir, STATE_OWN, &e), 0);
    return state;
}

static void set_position(struct position *pos, uint64_t offset, const char *gtids)
{
    struct err e = ERR_INIT;
    position_init(pos);
    snprintf(pos->at.file, sizeof pos->at.file, "bin.000007");
    pos->at.pos = offset;
    if (gtids)
        assert_int_equal(gtid_set_parse(&pos->gtids, FLAVOR_MARIADB, gtids, strlen(gtids), &e), 0);
}

static void checkpoint__stored__read_again(void **state)
{
    (void)state;
    struct env env = env_system();
    struct state *st = open_state(&env);
    struct err e = ERR_INIT;
    struct checkpoint_entry entries[2] = {{.name = (char[]){"cache"}}, {.name = (char[]){"search-2"}}};
    set_position(&entries[0].pos, 5000000000, "0-1-100,1-2-7");
    set_position(&entries[1].pos, 4, NULL);
    struct checkpoint cp = {.entries = entries, .count = 2}, back = {0};
    assert_int_equal(checkpoint_store(&cp, st, &e), 0);
    assert_int_equal(checkpoint_load(&back, st, &e), 0);
    assert_int_equal(back.count, 2);
    for (unsigned i = 0; i < 2; i++) {
        const struct checkpoint_entry *found = checkpoint_find(&back, entries[i].name);
        assert_non_null(found);
        assert_int_equal(filepos_compare(&found->pos.at, &entries[i].pos.at), 0);
        assert_int_equal(found->pos.gtids != NULL, entries[i].pos.gtids != NULL);
        if (found->pos.gtids)
            assert_true(gtid_set_equal(found->pos.gtids, entries[i].pos.gtids));
        position_release(&entries[i].pos);
    }
    checkpoint_release(&back);
    state_close(st);
}

static void checkpoint__cut_or_garbled__refused(void **state)
{
    (void)state;
    struct env env = env_system();
    struct state *st = open_state(&env);
    struct err e = ERR_INIT;
    struct checkpoint_entry entry = {.name = (char[]){"cache"}};
    set_position(&entry.pos, 1234, "0-1-100");
    struct checkpoint cp = {.entries = &entry, .count = 1}, back = {0};
    struct buf whole;
    bool found;
    buf_init(&whole, 0);
    assert_int_equal(checkpoint_store(&cp, st, &e), 0);
    assert_int_equal(state_get(st, "checkpoint", &whole, &found, &e), 0);
    size_t header = strlen("checkpoint 1\n");
    for (size_t len = 0; len < whole.len; len++) {
        assert_int_equal(state_put(st, "checkpoint", whole.p, len, &e), 0);
        int rc = checkpoint_load(&back, st, &e);
        if (len == header) {
            assert_int_equal(rc, 0);
            assert_int_equal(back.count, 0);
            checkpoint_release(&back);
            continue;
        }
        assert_int_equal(rc, -ERR_STATE_CORRUPT);
        err_clear(&e);
    }
    position_release(&entry.pos);
    buf_release(&whole);
    state_close(st);
}

static void checkpoint__none_stored__empty(void **state)
{
    (void)state;
    struct env env = env_system();
    struct state *st = open_state(&env);
    struct err e = ERR_INIT;
    struct checkpoint back = {0};
    assert_int_equal(checkpoint_remove(st, &e), 0);
    assert_int_equal(checkpoint_load(&back, st, &e), 0);
    assert_int_equal(back.count, 0);
    assert_null(checkpoint_oldest(&back));
    state_close(st);
}

static void checkpoint__reset__told_until_done(void **state)
{
    (void)state;
    struct env env = env_system();
    struct state *st = open_state(&env);
    struct err e = ERR_INIT;
    bool was = true;
    assert_int_equal(checkpoint_was_reset(st, &was, &e), 0);
    assert_false(was);
    assert_int_equal(checkpoint_reset(st, &e), 0);
    assert_int_equal(checkpoint_was_reset(st, &was, &e), 0);
    assert_true(was);
    assert_int_equal(checkpoint_reset_done(st, &e), 0);
    assert_int_equal(checkpoint_was_reset(st, &was, &e), 0);
    assert_false(was);
    state_close(st);
}

static void checkpoint__several_sinks__oldest_by_gtid_else_by_place(void **state)
{
    (void)state;
    struct checkpoint_entry entries[3] = {{.name = (char[]){"a"}}, {.name = (char[]){"b"}}, {.name = (char[]){"c"}}};
    struct checkpoint cp = {.entries = entries, .count = 3};
    set_position(&entries[0].pos, 10, "0-1-9");
    set_position(&entries[1].pos, 99, "0-1-5");
    set_position(&entries[2].pos, 50, "0-1-7");
    assert_string_equal(checkpoint_oldest(&cp)->name, "b");
    for (unsigned i = 0; i < 3; i++) {
        gtid_set_free(entries[i].pos.gtids);
        entries[i].pos.gtids = NULL;
    }
    assert_string_equal(checkpoint_oldest(&cp)->name, "a");
    for (unsigned i = 0; i < 3; i++)
        position_release(&entries[i].pos);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checkpoint__none_stored__empty),
        cmocka_unit_test(checkpoint__stored__read_again),
        cmocka_unit_test(checkpoint__cut_or_garbled__refused),
        cmocka_unit_test(checkpoint__reset__told_until_done),
        cmocka_unit_test(checkpoint__several_sinks__oldest_by_gtid_else_by_place),
    };
    return cmocka_run_group_tests_name("checkpoint", tests, make_dir, remove_dir);
}
