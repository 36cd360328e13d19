/* The scripted sink. */
#include "tools/fault_sink.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fault {
    struct sink base;
    struct fault_plan *plan;
};

void fault_plan_init(struct fault_plan *plan, uint64_t rows)
{
    *plan = (struct fault_plan){.seen_rows = rows, .size = 1024};
    plan->records = calloc(plan->size, sizeof *plan->records);
    plan->seen = calloc(rows + 1, 1);
    assert_non_null(plan->records);
    assert_non_null(plan->seen);
    pthread_mutex_init(&plan->lock, NULL);
}

void fault_plan_release(struct fault_plan *plan)
{
    assert_int_equal(plan->opens, plan->closes);
    free(plan->records);
    free(plan->seen);
    pthread_mutex_destroy(&plan->lock);
}

static int fault_bind(void **out, const void *opt, const void *route_opt, const struct table *tbl, struct err *e)
{
    (void)opt;
    if (tbl && route_opt && strcmp(route_opt, "refuse") == 0)
        return err_set(e, TEMPLATE, "refuse", "told to");
    *out = (void *)(uintptr_t)route_opt;
    return 0;
}

static void fault_unbind(void *bind)
{
    (void)bind;
}

static int fault_open(struct sink **out, const struct sink_ops *ops, const struct fault_options *opt, struct err *e)
{
    struct fault_plan *plan = opt->plan;
    pthread_mutex_lock(&plan->lock);
    int rc = plan->before_open ? plan->before_open(plan->ctx, e) : 0;
    plan->opens += rc == 0;
    pthread_mutex_unlock(&plan->lock);
    if (rc != 0)
        return rc;
    struct fault *fault = calloc(1, sizeof *fault);
    if (!fault)
        return err_set(e, NO_MEMORY, sizeof *fault);
    fault->base.ops = ops;
    fault->plan = plan;
    *out = &fault->base;
    return 0;
}

static int open_plain(struct sink **out, const void *opt, const struct sink_place *place, struct err *e)
{
    (void)place;
    return fault_open(out, &fault_sink, opt, e);
}

static int open_bound(struct sink **out, const void *opt, const struct sink_place *place, struct err *e)
{
    (void)place;
    return fault_open(out, &fault_sink_bound, opt, e);
}

static int open_keeper(struct sink **out, const void *opt, const struct sink_place *place, struct err *e)
{
    (void)place;
    return fault_open(out, &fault_sink_keeper, opt, e);
}

static int key_of(const struct change *chg)
{
    char text[16] = "-1";
    if (chg->op != CHANGE_TRUNCATE && chg->key_len < sizeof text) {
        memcpy(text, chg->key, chg->key_len);
        text[chg->key_len] = '\0';
    }
    return (int)strtol(text, NULL, 10);
}

static void record(struct fault_plan *plan, const struct item *item, size_t count)
{
    if (plan->count == plan->size) {
        plan->size *= 2;
        plan->records = realloc(plan->records, plan->size * sizeof *plan->records);
        if (!plan->records)
            abort();
    }
    plan->records[plan->count++] = (struct fault_record){.key = key_of(item->chg),
                                                         .op = item->chg->op,
                                                         .flags = item->chg->flags,
                                                         .row = item->chg->version.row,
                                                         .bind = item->bind,
                                                         .batch_items = count};
    plan->uncommitted++;
}

static enum verdict judge(struct fault_plan *plan, const struct change *chg)
{
    uint64_t row = chg->version.row < plan->seen_rows ? chg->version.row : plan->seen_rows;
    unsigned seen = plan->seen[row];
    if (seen < 255)
        plan->seen[row]++;
    return plan->judge ? plan->judge(plan->ctx, chg, seen) : V_DONE;
}

/* After a RETRY every later item of the same key is RETRY too. */
static bool behind_refused(const struct item *items, size_t at)
{
    const struct change *chg = items[at].chg;
    for (size_t i = 0; i < at; i++)
        if (items[i].verdict == V_RETRY && items[i].chg->key_len == chg->key_len &&
            memcmp(items[i].chg->key, chg->key, chg->key_len) == 0)
            return true;
    return false;
}

static int fault_apply(struct sink *snk, struct item *items, size_t count, struct err *e)
{
    struct fault_plan *plan = ((struct fault *)snk)->plan;
    pthread_mutex_lock(&plan->lock);
    plan->applies++;
    int rc = plan->before_apply ? plan->before_apply(plan->ctx, count, e) : 0;
    bool refused = false;
    for (size_t i = 0; i < count && rc == 0; i++) {
        items[i].verdict =
            refused && !plan->judges_all && behind_refused(items, i) ? V_RETRY : judge(plan, items[i].chg);
        refused |= items[i].verdict == V_RETRY;
        if (items[i].verdict == V_DONE)
            record(plan, &items[i], count);
    }
    pthread_mutex_unlock(&plan->lock);
    return rc;
}

static int fault_commit(struct sink *snk, const struct marks *marks, struct err *e)
{
    struct fault_plan *plan = ((struct fault *)snk)->plan;
    pthread_mutex_lock(&plan->lock);
    int rc = plan->commit ? plan->commit(plan->ctx, marks, e) : 0;
    if (rc == 0)
        plan->uncommitted = 0;
    pthread_mutex_unlock(&plan->lock);
    return rc;
}

static int fault_load(struct sink *snk, struct marks *out, struct err *e)
{
    struct fault_plan *plan = ((struct fault *)snk)->plan;
    return plan->load ? plan->load(plan->ctx, out, e) : 0;
}

static unsigned fault_commit_ms(const void *opt)
{
    return ((const struct fault_options *)opt)->plan->commit_ms;
}

static void fault_close(struct sink *snk)
{
    struct fault *fault = (struct fault *)snk;
    if (!fault)
        return;
    struct fault_plan *plan = fault->plan;
    pthread_mutex_lock(&plan->lock);
    plan->closes++;
    if (snk->ops->flags & SINK_KEEPS_POSITION) {
        plan->count -= plan->uncommitted;
        plan->uncommitted = 0;
    }
    pthread_mutex_unlock(&plan->lock);
    free(fault);
}

const struct sink_ops fault_sink = {
    .kind = "fault",
    .flags = SINK_CAN_SWEEP,
    .open = open_plain,
    .apply = fault_apply,
    .close = fault_close,
};

const struct sink_ops fault_sink_bound = {
    .kind = "fault_bound",
    .flags = SINK_CAN_SWEEP,
    .bind = fault_bind,
    .unbind = fault_unbind,
    .open = open_bound,
    .apply = fault_apply,
    .close = fault_close,
};

const struct sink_ops fault_sink_keeper = {
    .kind = "fault_keeper",
    .flags = SINK_KEEPS_POSITION,
    .open = open_keeper,
    .apply = fault_apply,
    .load = fault_load,
    .commit = fault_commit,
    .commit_ms = fault_commit_ms,
    .close = fault_close,
};
