/* Two threads on one state, each with names of its own, as the keeper (checkpoint) and the source (epochs) use it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "state/state.h"

#define ROUNDS 60

struct worker {
    struct state *st;
    unsigned number;
    int rc;
};

static void name_of(char out[16], const char *what, unsigned number, unsigned i)
{
    snprintf(out, 16, "%s-%u-%u", what, number, i % 3);
}

static void *work(void *arg)
{
    struct worker *w = arg;
    struct err e = ERR_INIT;
    for (unsigned i = 0; i < ROUNDS && w->rc == 0; i++) {
        char name[16];
        name_of(name, "r", w->number, i);
        w->rc = state_put(w->st, name, &i, sizeof i, &e);
        name_of(name, "l", w->number, i);
        if (w->rc == 0)
            w->rc = state_append(w->st, name, &i, sizeof i, &e);
    }
    return NULL;
}

static int check_order(void *ctx, const struct state_item *item, struct err *e)
{
    unsigned *next = ctx, got;
    (void)e;
    assert_int_equal(item->len, sizeof got);
    memcpy(&got, item->bytes, sizeof got);
    assert_int_equal(got, *next);
    *next += 3;
    return 0;
}

static void check_names(struct state *st, const char *dir, unsigned number)
{
    for (unsigned i = 0; i < 3; i++) {
        char name[16], path[64];
        struct err e = ERR_INIT;
        unsigned next = i;
        name_of(name, "l", number, i);
        assert_int_equal(state_scan(st, name, check_order, &next, &e), 0);
        assert_int_equal(next, ROUNDS + i);
        snprintf(path, sizeof path, "%s/%s.log", dir, name);
        assert_int_equal(unlink(path), 0);
        name_of(name, "r", number, i);
        snprintf(path, sizeof path, "%s/%s.rec", dir, name);
        assert_int_equal(unlink(path), 0);
    }
}

static void state__two_threads_with_own_names__do_not_meet(void **unused)
{
    (void)unused;
    char dir[] = "/tmp/sluice_threads_XXXXXX", path[64];
    struct env env = env_system();
    struct err e = ERR_INIT;
    struct state *st = NULL;
    assert_non_null(mkdtemp(dir));
    assert_int_equal(state_open(&st, &env, dir, STATE_OWN, &e), 0);
    struct worker workers[2] = {{st, 0, 0}, {st, 1, 0}};
    pthread_t threads[2];
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(workers[i].rc, 0);
        check_names(st, dir, (unsigned)i);
    }
    state_close(st);
    snprintf(path, sizeof path, "%s/lock", dir);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(state__two_threads_with_own_names__do_not_meet)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
