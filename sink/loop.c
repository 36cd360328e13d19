/* A worker's thread: rounds while there is something, sleep when not, backoff while the sink is down. */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "sink/runner_private.h"

struct loop {
    struct worker *worker;
    struct runner *runner;
    struct backoff backoff;
    bool is_down;
};

static int stop_asked(const struct loop *loop)
{
    return atomic_load_explicit(&loop->runner->stop, memory_order_acquire);
}

/* Until woken or the monotonic time; INT64_MAX: for ever. */
static void wait_until(const struct loop *loop, int64_t due_us)
{
    const struct worker *worker = loop->worker;
    int timeout = -1;
    if (due_us != INT64_MAX) {
        int64_t left = due_us - env_mono_us(worker->opt->env);
        timeout = left <= 0 ? 0 : left > 3600 * 1000000LL ? 3600 * 1000 : (int)((left + 999) / 1000);
    }
    struct pollfd wait = {.fd = worker->wake_fd, .events = POLLIN};
    uint64_t count;
    if (poll(&wait, 1, timeout) > 0)
        (void)!read(worker->wake_fd, &count, sizeof count);
}

static void sleep_on_lanes(struct loop *loop)
{
    struct worker *worker = loop->worker;
    const struct runner_options *opt = worker->opt;
    int64_t due = worker_due(worker);
    if (lanes_sleep(opt->lanes, opt->sink, worker->number, worker->workers) && stop_asked(loop) != STOP_NOW)
        wait_until(loop, due);
    lanes_awake(opt->lanes, opt->sink, worker->number, worker->workers);
}

static void tell(struct loop *loop, const struct err *e, bool fatal)
{
    const struct runner_options *opt = loop->worker->opt;
    if (opt->notify)
        opt->notify(opt->ctx, loop->runner, e, fatal);
}

static void go_down(struct loop *loop, struct err *e)
{
    if (!loop->is_down) {
        loop->is_down = true;
        metric_set(&loop->worker->stats.down, 1);
        if (atomic_fetch_add(&loop->runner->down, 1) == 0)
            tell(loop, e, false);
    }
    int64_t due =
        env_mono_us(loop->worker->opt->env) + (int64_t)backoff_next(&loop->backoff, loop->worker->opt->env) * 1000;
    while (stop_asked(loop) == STOP_NOT && env_mono_us(loop->worker->opt->env) < due)
        wait_until(loop, due);
}

static void come_back(struct loop *loop)
{
    backoff_reset(&loop->backoff);
    if (!loop->is_down)
        return;
    loop->is_down = false;
    metric_set(&loop->worker->stats.down, 0);
    if (atomic_fetch_sub(&loop->runner->down, 1) == 1)
        tell(loop, NULL, false);
}

/* False when the loop ends. */
static bool after_round(struct loop *loop, int rc, struct err *e)
{
    if (rc < 0 && err_code_class((enum err_code) - rc) != ERR_CLASS_RETRY) {
        err_wrap(e, "sink %s", loop->worker->opt->name);
        tell(loop, e, true);
        return false;
    }
    if (rc < 0) {
        err_wrap(e, "sink %s", loop->worker->opt->name);
        go_down(loop, e);
        return stop_asked(loop) == STOP_NOT;
    }
    come_back(loop);
    if (rc > 0)
        return true;
    if (stop_asked(loop) == STOP_DRAIN && worker_finish(loop->worker, e) == 0 && worker_is_clear(loop->worker))
        return false;
    sleep_on_lanes(loop);
    return true;
}

void *loop_run(void *arg)
{
    struct worker *worker = arg;
    struct loop loop = {.worker = worker, .runner = worker->runner};
    backoff_init(&loop.backoff, worker->opt->backoff_min_ms, worker->opt->backoff_max_ms);
    for (bool go_on = true; go_on && stop_asked(&loop) != STOP_NOW;) {
        struct err e = ERR_INIT;
        int rc = worker_round(worker, &e);
        go_on = after_round(&loop, rc, &e);
    }
    atomic_fetch_sub(&worker->runner->running, 1);
    return NULL;
}
