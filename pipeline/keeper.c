/* The keeper: signals, the checkpoint clock, the figures line, admin requests, and the orderly end. */
#include <errno.h>
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
    if (!pipe->moved || !pipe->spec.state)
        return 0;
    if (checkpoint_store(&pipe->positions, pipe->spec.state, e) != 0)
        return err_result(e);
    pipe->moved = false;
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

static void take_signal(struct pipeline *pipe, int fd)
{
    struct signalfd_siginfo info;
    if (read(fd, &info, sizeof info) != (ssize_t)sizeof info)
        return;
    if (pipe->signalled)
        _exit(EXIT_CUT);
    pipe->signalled = true;
    log_event(pipe->spec.env->log, LOG_INFO, "stopping: draining what was read", LOG_UINT("signal", info.ssi_signo),
              LOG_UINT("shutdown_ms", pipe->spec.shutdown_ms));
    pipeline_stop_source(pipe);
    pipe->stop_deadline_us = env_mono_us(pipe->spec.env) + (int64_t)pipe->spec.shutdown_ms * 1000;
}

/* Sleeps until something happens or `timeout_ms` is over. */
static void keeper_poll(struct pipeline *pipe, const struct pipeline_service *service, int signal_fd, int timeout_ms)
{
    struct pollfd fds[3] = {{.fd = signal_fd, .events = POLLIN},
                            {.fd = pipe->wake.fd, .events = POLLIN},
                            {.fd = service ? service->fd : -1, .events = POLLIN}};
    if (poll(fds, 3, timeout_ms) <= 0)
        return;
    if (fds[1].revents)
        wakeup_take(&pipe->wake);
    if (fds[0].revents)
        take_signal(pipe, signal_fd);
    if (fds[2].revents)
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

/* Runs until the source has ended and its rows are acknowledged, a worker ended, or the time for that is over. */
static int keep(struct pipeline *pipe, const struct pipeline_service *service, int signal_fd, struct err *e)
{
    int64_t now_us = env_mono_us(pipe->spec.env);
    struct clock_hand checkpoint = {pipe->spec.checkpoint_ms, now_us};
    struct clock_hand figures = {pipe->spec.stats_interval_ms, now_us + (int64_t)pipe->spec.stats_interval_ms * 1000};
    struct clock_hand bar = {pipe->spec.progress ? PROGRESS_MS : 0, now_us};
    for (;;) {
        bool done = atomic_load_explicit(&pipe->source_done, memory_order_acquire);
        keeper_poll(pipe, service, signal_fd,
                    done || pipe->signalled ? TICK_MS : (int)(pipe->spec.checkpoint_ms / 2 + 1));
        now_us = env_mono_us(pipe->spec.env);
        if (keeper_consume(pipe, e) != 0 || keeper_go_on(pipe, e) != 0 ||
            (due(&checkpoint, now_us) && keeper_checkpoint(pipe, e) != 0))
            return err_result(e);
        if (due(&figures, now_us))
            figures_line(pipe);
        if (due(&bar, now_us))
            progress(pipe);
        if (take_fatal(pipe, e))
            return err_result(e);
        if (done && (pipe->all_inline || all_idle(pipe)))
            return 0;
        if (done && pipe->source_err.code != ERR_NONE && !pipe->stop_deadline_us)
            pipe->stop_deadline_us = now_us + (int64_t)pipe->spec.shutdown_ms * 1000;
        if (pipe->stop_deadline_us && now_us > pipe->stop_deadline_us) {
            if (!all_idle(pipe))
                log_event(pipe->spec.env->log, LOG_WARN,
                          "shutdown_ms is over with items not acknowledged; they come again");
            return 0;
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
static void await(struct pipeline *pipe, bool (*run)(const struct pipeline *pipe), int signal_fd)
{
    int64_t limit_us = env_mono_us(pipe->spec.env) + END_GRACE_MS * 1000;
    if (pipe->stop_deadline_us + END_GRACE_MS * 1000 > limit_us)
        limit_us = pipe->stop_deadline_us + END_GRACE_MS * 1000;
    while (run(pipe)) {
        keeper_poll(pipe, NULL, signal_fd, TICK_MS);
        if (env_mono_us(pipe->spec.env) < limit_us)
            continue;
        struct err late = ERR_INIT;
        (void)keeper_checkpoint(pipe, &late);
        log_event(pipe->spec.env->log, LOG_WARN, "a connection does not end: leaving without it");
        _exit(EXIT_CUT);
    }
}

/* Ends the threads whatever the reason was, and stores the last positions. */
static void wind_up(struct pipeline *pipe, int signal_fd, struct err *e)
{
    struct err late = ERR_INIT;
    pipeline_stop_source(pipe);
    if (pipe->applier)
        applier_stop(pipe->applier, true);
    if (pipe->source_started) {
        await(pipe, source_runs, signal_fd);
        pthread_join(pipe->source_thread, NULL);
    }
    bool drained = e->code == ERR_NONE && all_idle(pipe);
    if (drained && keeper_consume(pipe, &late) != 0)
        err_clear(&late);
    for (unsigned i = 0; i < pipe->started_runners; i++)
        if (pipe->spec.sinks[i].workers > 0)
            runner_stop(pipe->runners[i], drained);
    await(pipe, workers_run, signal_fd);
    for (unsigned i = 0; i < pipe->started_runners; i++)
        if (pipe->spec.sinks[i].workers > 0)
            runner_join(pipe->runners[i]);
    if (keeper_checkpoint(pipe, &late) != 0 && e->code == ERR_NONE)
        *e = late;
    if (e->code == ERR_NONE && pipe->source_err.code != ERR_NONE)
        *e = pipe->source_err;
    if (pipe->spec.progress)
        progress(pipe);
}

int pipeline_run(struct pipeline *pipe, const struct pipeline_service *service, struct err *e)
{
    sigset_t set, old;
    struct err mine = ERR_INIT;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set, &old);
    int signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signal_fd < 0) {
        pthread_sigmask(SIG_SETMASK, &old, NULL);
        return err_set(e, NO_MEMORY, sizeof set);
    }
    if (pipeline_start(pipe, &mine) == 0)
        (void)keep(pipe, service, signal_fd, &mine);
    wind_up(pipe, signal_fd, &mine);
    close(signal_fd);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (mine.code != ERR_NONE && e)
        *e = mine;
    return -(int)mine.code;
}
