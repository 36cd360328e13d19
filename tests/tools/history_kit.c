#include "tools/history_kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct state *history_kit_state(const struct env *env, const char *dir, enum state_mode mode)
{
    struct err e = ERR_INIT;
    struct state *st = NULL;
    assert_int_equal(state_open(&st, env, dir, mode, &e), 0);
    return st;
}

struct history *history_kit_history(struct state *base, struct state *own)
{
    struct err e = ERR_INIT;
    struct history *h = NULL;
    int rc = history_open(&h, base, own, &e);
    if (rc != 0)
        print_message("%s\n", e.text);
    assert_int_equal(rc, 0);
    return h;
}

struct history_change history_kit_defined(const char *table, const char *text)
{
    return (struct history_change){
        .db = "shop", .table = table, .kind = HISTORY_DEFINED, .text = text, .len = strlen(text)};
}

int history_kit_put_at(struct history *h, uint64_t pos, const struct history_change *changes, size_t count,
                       struct err *e)
{
    const struct history_where where = {.server_uuid = HISTORY_KIT_SERVER, .at = {"bin.000001", pos}};
    return history_put(h, &where, HISTORY_LOG, NULL, changes, count, e);
}

void history_kit_put(struct history *h, const char *table, const char *text, uint64_t pos)
{
    struct err e = ERR_INIT;
    const struct history_change change = history_kit_defined(table, text);
    assert_int_equal(history_kit_put_at(h, pos, &change, 1, &e), 0);
}

const char *history_kit_find(struct history *h, const char *table, uint64_t pos)
{
    const struct history_where where = {.server_uuid = HISTORY_KIT_SERVER, .at = {"bin.000001", pos}};
    const struct history_version *v = history_find(h, "shop", table, &where);
    return !v ? "none" : v->kind == HISTORY_GONE ? "gone" : v->text;
}

int history_kit_make(struct history *h, struct err *e)
{
    const struct history_change first[] = {history_kit_defined("orders", "o1"),
                                           history_kit_defined("orders_new", "n1")};
    return history_kit_put_at(h, 10, first, 2, e);
}

int history_kit_swap(struct history *h, struct err *e)
{
    struct history_change changes[] = {history_kit_defined("orders", "n1"), history_kit_defined("orders_old", "o1"),
                                       history_kit_defined("orders_new", "")};
    changes[2].kind = HISTORY_GONE;
    return history_kit_put_at(h, 20, changes, 3, e);
}

int history_kit_cut(struct history *h, struct err *e)
{
    const struct history_where kept = {.server_uuid = HISTORY_KIT_SERVER, .at = {"bin.000001", 5}};
    return history_cut(h, &kept, e);
}

int history_kit_learn_case(struct history *h, struct err *e)
{
    return history_set_case(h, 1, e);
}

int history_kit_run(struct memfs *fs, history_kit_step_fn *step)
{
    struct env env = memfs_env(fs);
    struct err e = ERR_INIT;
    struct state *st = NULL;
    struct history *h = NULL;
    int rc = state_open(&st, &env, HISTORY_KIT_DIR, STATE_OWN, &e);
    if (rc == 0)
        rc = history_open(&h, NULL, st, &e);
    if (rc == 0)
        rc = step(h, &e);
    history_free(h);
    state_close(st);
    return rc;
}
