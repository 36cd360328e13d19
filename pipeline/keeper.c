/* The keeper: signals, the checkpoint clock, the figures line, admin requests, and the orderly end. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/log.h"
#include "pipeline/pipeline_private.h"

#define PROGRESS_MS  500
#define EXIT_CUT     1 /* a second signal, or threads that do not end */
#define END_GRACE_MS 1000
#define TICK_MS      20

static bool all_idle(const struct pipeline *pipe)
{
    for (unsigned i = 0; i < pipe->spec.sink_count; i++)
        if (!runner_idle(pipe->runners[i]))
            return false;
    return true;
}

/* Moves the positions to what is safe, which makes room on the ring of boundaries. */
static int keeper_consume(struct pipeline *pipe, struct err *e)
{
    if (!atomic_load_explicit(&pipe->opened, memory_order_acquire))
        return 0;
    struct ledger *ledger = lanes_ledger(pipe->lanes);
    bool moved = false;
    for (unsigned i = 0; i < pipe->spec.sink_count; i++) {
        int rc = ledger_consume(ledger, i, &pipe->positions.entries[i].pos, e);
        if (rc < 0)
            return rc;
        moved = moved || rc == 1;
    }
    if (moved)
        pipeline_wake_source(pipe);
    pipe->moved = pipe->moved || moved;
    return moved ? kept_note(pipe, e) : 0;
}

/* Stores the positions when they moved. */
static int keeper_checkpoint(struct pipeline *pipe, struct err *e)
{
    if (keeper_consume(pipe, e) != 0)
        return err_result(e);
    if (atomic_load_explicit(&pipe->opened, memory_order_acquire) &&
        past_note(pipe->past, &pipe->positions, false, e) != 0)
        return err_result(e);
    if (!pipe->moved || !pipe->spec.state)
        return 0;
    int rc = checkpoint_store_soon(&pipe->positions, pipe->spec.state, e);
    if (rc != 0 && err_class(e) == ERR_CLASS_RETRY) {
        if (!pipe->store_fails)
            log_error(pipe->spec.env->log, "the checkpoint cannot be stored now, trying again", e);
        pipe->store_fails = true;
        err_clear(e);
        return 0;
    }
    if (rc != 0)
        return rc;
    pipe->moved = pipe->store_fails = false;
    return pipeline_note_stored(pipe, e);
}

/* The source goes on without transactions that were read: once all that was read is applied, every sink stands where
 * the source does. The file is not known: it is another server's, or another log. */
static int keeper_go_on(struct pipeline *pipe, struct err *e)
{
    const struct gtid_set *kept = atomic_load(&pipe->go_on_from);
    if (!kept || !all_idle(pipe))
        return 0;
    if (keeper_consume(pipe, e) != 0)
        return err_result(e);
    for (unsigned i = 0; i < pipe->positions.count; i++) {
        struct position *pos = &pipe->positions.entries[i].pos;
        struct gtid_set *copy = gtid_set_copy(kept);
        if (!copy)
            return err_set(e, NO_MEMORY, sizeof *pos);
        gtid_set_free(pos->gtids);
        pos->gtids = copy;
        pos->at = (struct filepos){0};
        pos->server_uuid[0] = '\0';
    }
    pipe->moved = true;
    if (kept_note(pipe, e) != 0 || keeper_checkpoint(pipe, e) != 0)
        return err_result(e);
    atomic_store(&pipe->go_on_from, NULL);
    wakeup_ring(&pipe->open_wake);
    return 0;
}

/* The first error of a worker, else none. */
static bool take_fatal(struct pipeline *pipe, struct err *e)
{
    pthread_mutex_lock(&pipe->fatal_lock);
    bool fatal = pipe->fatal.code != ERR_NONE;
    if (fatal && e->code == ERR_NONE)
        *e = pipe->fatal;
    pthread_mutex_unlock(&pipe->fatal_lock);
    return fatal;
}

/* The pipelines of a process, and its signals. */
struct keeper {
    const struct pipelines *all;
    int signal_fd;
};

/* What was read is drained, for shutdown_ms at most. */
static void ask_end(struct pipeline *pipe)
{
    pipeline_stop_source(pipe);
    if (!pipe->stop_deadline_us)
        pipe->stop_deadline_us = env_mono_us(pipe->spec.env) + (int64_t)pipe->spec.shutdown_ms * 1000;
}

static void take_signal(const struct keeper *keeper)
{
    struct signalfd_siginfo info;
    const struct pipeline *first = keeper->all->at[0];
    if (read(keeper->signal_fd, &info, sizeof info) != (ssize_t)sizeof info)
        return;
    if (first->signalled)
        _exit(EXIT_CUT);
    log_event(first->spec.env->log, LOG_INFO, "stopping: draining what was read", LOG_UINT("signal", info.ssi_signo),
              LOG_UINT("shutdown_ms", first->spec.shutdown_ms));
    for (unsigned i = 0; i < keeper->all->count; i++) {
        keeper->all->at[i]->signalled = true;
        ask_end(keeper->all->at[i]);
    }
}

/* Sleeps until something happens or `timeout_ms` is over. */
static void keeper_poll(const struct keeper *keeper, const struct pipeline_service *service, int timeout_ms)
{
    struct pollfd fds[2 + PIPELINES_MAX] = {{.fd = keeper->signal_fd, .events = POLLIN},
                                            {.fd = service ? service->fd : -1, .events = POLLIN}};
    unsigned count = keeper->all->count;
    for (unsigned i = 0; i < count; i++)
        fds[2 + i] = (struct pollfd){.fd = keeper->all->at[i]->wake.fd, .events = POLLIN};
    if (poll(fds, 2 + count, timeout_ms) <= 0)
        return;
    for (unsigned i = 0; i < count; i++)
        if (fds[2 + i].revents)
            wakeup_take(&keeper->all->at[i]->wake);
    if (fds[0].revents)
        take_signal(keeper);
    if (fds[1].revents)
        service->ready(service->ctx);
}

static void progress(struct pipeline *pipe)
{
    struct pipeline_stats stats;
    const struct position *at;
    pipeline_stats(pipe, &stats, &at);
    pipe->spec.progress(pipe->spec.progress_ctx, &stats, at);
}

struct clock_hand {
    uint64_t every_ms; /* 0: never */
    int64_t next_us;
};

static bool due(struct clock_hand *hand, int64_t now_us)
{
    if (hand->every_ms == 0 || now_us < hand->next_us)
        return false;
    hand->next_us = now_us + (int64_t)hand->every_ms * 1000;
    return true;
}

/* One pipeline's turn. */
struct keeping {
    struct pipeline *pipe;
    struct clock_hand checkpoint, figures, bar;
    bool done;  /* the source has ended */
    bool ended; /* nothing is waited for any more */
    struct err err;
};

static void keeping_begin(struct keeping *k, struct pipeline *pipe)
{
    int64_t now_us = env_mono_us(pipe->spec.env);
    *k = (struct keeping){
        .pipe = pipe,
        .checkpoint = {pipe->spec.checkpoint_ms, now_us},
        .figures = {pipe->spec.stats_interval_ms, now_us + (int64_t)pipe->spec.stats_interval_ms * 1000},
        .bar = {pipe->spec.progress ? PROGRESS_MS : 0, now_us},
        .err = ERR_INIT,
    };
}

/* How long the keeper may sleep; whether the source has ended is looked at before. */
static int keeping_sleep_ms(struct keeping *k)
{
    const struct pipeline *pipe = k->pipe;
    k->done = atomic_load_explicit(&pipe->source_done, memory_order_acquire);
    return k->done || pipe->stop_deadline_us ? TICK_MS : (int)(pipe->spec.checkpoint_ms / 2 + 1);
}

/* 1: the source has ended and its rows are acknowledged, or the time for that is over. Errors: a worker's, the
 * state's. */
static int keeping_step(struct keeping *k, struct err *e)
{
    struct pipeline *pipe = k->pipe;
    int64_t now_us = env_mono_us(pipe->spec.env);
    if (keeper_consume(pipe, e) != 0 || keeper_go_on(pipe, e) != 0 ||
        (due(&k->checkpoint, now_us) && keeper_checkpoint(pipe, e) != 0))
        return err_result(e);
    if (pipe->spec.still && pipe->spec.still(pipe->spec.still_ctx, e) != 0)
        return err_result(e);
    if (due(&k->figures, now_us))
        figures_line(pipe);
    if (due(&k->bar, now_us))
        progress(pipe);
    if (take_fatal(pipe, e))
        return err_result(e);
    if (k->done && (pipe->all_inline || all_idle(pipe)))
        return 1;
    if (k->done && pipe->source_err.code != ERR_NONE)
        ask_end(pipe);
    if (!pipe->stop_deadline_us || now_us <= pipe->stop_deadline_us)
        return 0;
    if (!all_idle(pipe))
        log_event(pipe->spec.env->log, LOG_WARN, "shutdown_ms is over with items not acknowledged; they come again");
    return 1;
}

/* Nothing is waited for any more: its threads may go, while others may still drain. */
static void let_go(struct pipeline *pipe)
{
    pipeline_stop_source(pipe);
    if (pipe->applier)
        applier_stop(pipe->applier, true);
}

/* Runs until all have ended; the first to do so, or whose source has ended, takes the others with it. */
static void keep(const struct keeper *keeper, const struct pipeline_service *service, struct keeping *list)
{
    unsigned count = keeper->all->count, left = count;
    for (unsigned i = 0; i < count; i++)
        left -= list[i].ended;
    while (left > 0) {
        int sleep_ms = INT_MAX;
        bool one_ends = left < count;
        for (unsigned i = 0; i < count; i++) {
            int mine_ms = list[i].ended ? INT_MAX : keeping_sleep_ms(&list[i]);
            sleep_ms = mine_ms < sleep_ms ? mine_ms : sleep_ms;
            one_ends = one_ends || list[i].done;
        }
        for (unsigned i = 0; one_ends && count > 1 && i < count; i++)
            ask_end(list[i].pipe);
        keeper_poll(keeper, service, sleep_ms);
        for (unsigned i = 0; i < count; i++) {
            if (list[i].ended || keeping_step(&list[i], &list[i].err) == 0)
                continue;
            list[i].ended = true;
            left--;
            let_go(list[i].pipe);
        }
    }
}

static bool source_runs(const struct pipeline *pipe)
{
    return !atomic_load_explicit(&pipe->source_done, memory_order_acquire);
}

static bool workers_run(const struct pipeline *pipe)
{
    for (unsigned i = 0; i < pipe->started_runners; i++)
        if (runner_running(pipe->runners[i]))
            return true;
    return false;
}

/* Waits until threads have left their loops; one may be in a call that nothing can cut. When the time for that is over
 * the positions are stored, and the process ends with what a restart needs on disk. Signals are heard meanwhile. */
static void await(const struct keeper *keeper, struct pipeline *pipe, bool (*run)(const struct pipeline *pipe))
{
    int64_t limit_us = env_mono_us(pipe->spec.env) + END_GRACE_MS * 1000;
    if (pipe->stop_deadline_us + END_GRACE_MS * 1000 > limit_us)
        limit_us = pipe->stop_deadline_us + END_GRACE_MS * 1000;
    while (run(pipe)) {
        keeper_poll(keeper, NULL, TICK_MS);
        if (env_mono_us(pipe->spec.env) < limit_us)
            continue;
        struct err late = ERR_INIT;
        for (unsigned i = 0; i < keeper->all->count; i++)
            (void)keeper_checkpoint(keeper->all->at[i], &late);
        log_event(pipe->spec.env->log, LOG_WARN, "a connection does not end: leaving without it");
        _exit(EXIT_CUT);
    }
}

/* Ends the threads whatever the reason was, and stores the last positions. */
static void wind_up(const struct keeper *keeper, struct pipeline *pipe, struct err *e)
{
    struct err late = ERR_INIT;
    let_go(pipe);
    if (pipe->source_started) {
        await(keeper, pipe, source_runs);
        pthread_join(pipe->source_thread, NULL);
    }
    bool drained = e->code == ERR_NONE && all_idle(pipe);
    if (drained && keeper_consume(pipe, &late) != 0)
        err_clear(&late);
    for (unsigned i = 0; i < pipe->started_runners; i++)
        if (pipe->spec.sinks[i].workers > 0)
            runner_stop(pipe->runners[i], drained);
    await(keeper, pipe, workers_run);
    for (unsigned i = 0; i < pipe->started_runners; i++)
        if (pipe->spec.sinks[i].workers > 0)
            runner_join(pipe->runners[i]);
    if (keeper_checkpoint(pipe, &late) != 0 && e->code == ERR_NONE)
        *e = late;
    if (pipe->positions.count == pipe->spec.sink_count && past_note(pipe->past, &pipe->positions, true, &late) != 0 &&
        e->code == ERR_NONE)
        *e = late;
    if (e->code == ERR_NONE && pipe->source_err.code != ERR_NONE)
        *e = pipe->source_err;
    if (pipe->spec.progress)
        progress(pipe);
}

/* The worst of all errors into *e; the others are logged. */
static void take_worst(struct keeping *list, unsigned count, struct err *e)
{
    struct keeping *worst = NULL;
    for (unsigned i = 0; i < count; i++) {
        struct keeping *k = &list[i];
        if (k->err.code == ERR_NONE)
            continue;
        if (k->pipe->spec.half)
            (void)err_wrap(&k->err, "%s", k->pipe->spec.half);
        struct keeping *other = k;
        if (!worst || pipeline_exit_code(&k->err) > pipeline_exit_code(&worst->err)) {
            other = worst;
            worst = k;
        }
        if (other)
            log_error(other->pipe->spec.env->log, "stopped as well", &other->err);
    }
    if (worst && e)
        *e = worst->err;
}

static void run_all(const struct keeper *keeper, const struct pipeline_service *service, struct keeping *list)
{
    for (unsigned i = 0; i < keeper->all->count; i++) {
        keeping_begin(&list[i], keeper->all->at[i]);
        list[i].ended = pipeline_start(list[i].pipe, &list[i].err) != 0;
    }
    keep(keeper, service, list);
    for (unsigned i = 0; i < keeper->all->count; i++)
        wind_up(keeper, list[i].pipe, &list[i].err);
}

int pipelines_run(const struct pipelines *all, const struct pipeline_service *service, struct err *e)
{
    sigset_t set, old;
    struct err mine = ERR_INIT;
    struct keeping list[PIPELINES_MAX];
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set, &old);
    struct keeper keeper = {.all = all, .signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)};
    if (keeper.signal_fd < 0) {
        pthread_sigmask(SIG_SETMASK, &old, NULL);
        return err_set(e, NO_MEMORY, sizeof set);
    }
    run_all(&keeper, service, list);
    take_worst(list, all->count, &mine);
    close(keeper.signal_fd);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (mine.code != ERR_NONE && e)
        *e = mine;
    return -(int)mine.code;
}

int pipeline_run(struct pipeline *pipe, const struct pipeline_service *service, struct err *e)
{
    return pipelines_run(&(struct pipelines){.at = {pipe}, .count = 1}, service, e);
}
