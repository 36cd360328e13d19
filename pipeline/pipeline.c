/* Parts and threads of one spine: made, started, ended and freed here. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/log.h"
#include "pipeline/pipeline_private.h"

#define OPEN_BACKOFF_MS     200
#define GO_ON_WAIT_MS       20
#define OPEN_BACKOFF_MAX_MS 10000

int pipeline_exit_code(const struct err *e)
{
    switch (err_class(e)) {
    case ERR_CLASS_NONE:
        return 0;
    case ERR_CLASS_RETRY:
        return 1;
    case ERR_CLASS_USAGE:
        return 2;
    case ERR_CLASS_STOP:
    case ERR_CLASS_POISON:
    case ERR_CLASS_BUG:
        break;
    }
    return 4;
}

static void wake_worker(void *ctx, unsigned sink, unsigned lane)
{
    struct pipeline *pipe = ctx;
    runner_wake(pipe->runners[sink], lane);
}

void pipeline_wake_source(struct pipeline *pipe)
{
    if (pipe->applier)
        applier_wake(pipe->applier);
    else
        feeder_wake(pipe->feeder);
}

const struct feeder_stats *pipeline_fed(const struct pipeline *pipe)
{
    return pipe->applier ? applier_figures(pipe->applier) : feeder_figures(pipe->feeder);
}

static void wake_source(void *ctx)
{
    struct pipeline *pipe = ctx;
    if (atomic_load_explicit(&pipe->opened, memory_order_acquire))
        pipeline_wake_source(pipe);
}

/* Worker threads: a sink went down, came back, or ended. */
static void sink_notify(void *ctx, struct runner *runner, const struct err *e, bool fatal)
{
    struct pipeline *pipe = ctx;
    struct log *log = pipe->spec.env->log;
    if (!e) {
        log_event(log, LOG_INFO, "sink is back", LOG_STR("sink", runner_name(runner)));
        return;
    }
    if (!fatal) {
        log_error(log, "sink cannot be reached, trying again", e);
        return;
    }
    pthread_mutex_lock(&pipe->fatal_lock);
    if (pipe->fatal.code == ERR_NONE)
        pipe->fatal = *e;
    pthread_mutex_unlock(&pipe->fatal_lock);
    wakeup_ring(&pipe->wake);
}

static uint32_t unordered_sinks(const struct pipeline *pipe)
{
    uint32_t mask = 0;
    for (unsigned i = 0; i < pipe->spec.sink_count; i++)
        if (pipe->spec.sinks[i].ops->flags & SINK_IGNORES_TICKETS)
            mask |= UINT32_C(1) << i;
    return mask;
}

static int make_lanes(struct pipeline *pipe, struct err *e)
{
    struct lanes_options opt = {
        .lanes = pipe->spec.lanes,
        .sinks = pipe->spec.sink_count,
        .buffer_bytes = pipe->spec.buffer_bytes,
        .tx_buffer_bytes = pipe->spec.tx_buffer_bytes,
        .max_item_bytes = pipe->spec.max_event_bytes,
        .unordered = unordered_sinks(pipe),
        .query_max_bytes = pipe->spec.query_max_bytes,
        .wake_worker = wake_worker,
        .wake_source = wake_source,
        .ctx = pipe,
    };
    return lanes_new(&pipe->lanes, &opt, e);
}

unsigned pipeline_needs(const struct routes *routes, const struct pipeline_sink *sinks, unsigned sink_count)
{
    unsigned needs = 0;
    for (unsigned i = 0; i < sink_count; i++)
        needs |= runner_needs(sinks[i].ops, i, routes);
    return needs;
}

/* Sinks whose routes need any of `needs`. */
static uint32_t sinks_that_need(const struct pipeline *pipe, unsigned needs)
{
    uint32_t mask = 0;
    for (unsigned i = 0; i < pipe->spec.sink_count; i++)
        if (runner_needs(pipe->spec.sinks[i].ops, i, pipe->spec.routes) & needs)
            mask |= UINT32_C(1) << i;
    return mask;
}

/* Sinks with this flag, by their options. */
static uint32_t sinks_with(const struct pipeline *pipe, enum sink_flag flag)
{
    uint32_t mask = 0;
    for (unsigned i = 0; i < pipe->spec.sink_count; i++)
        if (sink_flags(pipe->spec.sinks[i].ops, pipe->spec.sinks[i].options) & flag)
            mask |= UINT32_C(1) << i;
    return mask;
}

static bool is_in_order(const struct pipeline *pipe)
{
    bool in_order = pipe->spec.lanes == 1;
    for (unsigned i = 0; i < pipe->spec.sink_count; i++)
        in_order &= (pipe->spec.sinks[i].ops->flags & SINK_IN_ORDER) != 0;
    return in_order;
}

/* Where the sink's dead letters go; NULL: what it refuses for good stops. */
static const struct dead_store *dead_store_of(const struct pipeline *pipe, const struct pipeline_sink *sink)
{
    if (pipe->dead)
        return dead_items_store(pipe->dead);
    return pipe->dead_log && sink->keeps_dead ? dead_log_store(pipe->dead_log) : NULL;
}

static int make_dead(struct pipeline *pipe, struct err *e)
{
    const struct pipeline_spec *spec = &pipe->spec;
    bool kept = false;
    if (spec->bus && spec->bus->dead_letters)
        return dead_items_new(&pipe->dead, spec->bus, spec->lanes, spec->env, e);
    for (unsigned i = 0; i < spec->sink_count; i++)
        kept |= spec->sinks[i].keeps_dead;
    return kept && spec->dead_state
               ? dead_log_open(&pipe->dead_log, spec->dead_state, spec->env, spec->dead_letters_max, e)
               : 0;
}

static int make_runners(struct pipeline *pipe, struct err *e)
{
    pipe->runners = calloc(pipe->spec.sink_count + 1, sizeof *pipe->runners);
    pipe->safe = calloc(pipe->spec.sink_count, sizeof *pipe->safe);
    if (!pipe->runners || !pipe->safe)
        return err_set(e, NO_MEMORY, sizeof *pipe->runners);
    pipe->all_inline = true;
    for (unsigned i = 0; i < pipe->spec.sink_count; i++) {
        const struct pipeline_sink *sink = &pipe->spec.sinks[i];
        struct runner_options opt = {
            .ops = sink->ops,
            .options = sink->options,
            .name = sink->name,
            .sink = i,
            .needs = runner_needs(sink->ops, i, pipe->spec.routes),
            .workers = sink->workers,
            .pinned_bytes = pipe->spec.buffer_bytes / pipe->spec.lanes / 2,
            .lanes = pipe->lanes,
            .routes = pipe->spec.routes,
            .env = pipe->spec.env,
            .dead = dead_store_of(pipe, sink),
            .reader = pipe->spec.reader,
            .purpose = pipe->spec.purpose,
            .witness = past_witness(pipe->past, i),
            .notify = sink_notify,
            .boundary = pipe->boundaries ? kept_boundary : NULL,
            .ctx = pipe,
        };
        if (runner_new(&pipe->runners[i], &opt, e) != 0)
            return err_result(e);
        pipe->all_inline = pipe->all_inline && sink->workers == 0;
    }
    return 0;
}

static int make_applier(struct pipeline *pipe, struct err *e)
{
    struct applier_options opt = {
        .env = pipe->spec.env,
        .bus = pipe->spec.bus,
        .routes = pipe->spec.routes,
        .lanes = pipe->lanes,
        .sinks = pipe->spec.sinks,
        .sink_count = pipe->spec.sink_count,
        .commit_ms = pipe->spec.checkpoint_ms,
        .shutdown_ms = pipe->spec.shutdown_ms,
        .keeper = &pipe->wake,
    };
    return applier_new(&pipe->applier, &opt, e);
}

static void close_source(struct source *src)
{
    if (src)
        src->ops->close(src);
}

int pipeline_open(struct pipeline **out, const struct pipeline_spec *spec, struct err *e)
{
    struct pipeline *pipe = calloc(1, sizeof *pipe);
    if (!pipe) {
        close_source(spec->source);
        return err_set(e, NO_MEMORY, sizeof *pipe);
    }
    pipe->spec = *spec;
    pipe->wake.fd = pipe->open_wake.fd = -1;
    pthread_mutex_init(&pipe->fatal_lock, NULL);
    pthread_mutex_init(&pipe->stored_lock, NULL);
    position_init(&pipe->stored);
    int rc = wakeup_init(&pipe->wake, e);
    if (rc == 0)
        rc = wakeup_init(&pipe->open_wake, e);
    if (rc == 0 && spec->state)
        rc = checkpoint_load(&pipe->begin, spec->state, e);
    if (rc == 0)
        rc = past_open(&pipe->past, spec->state, spec, &pipe->begin, e);
    if (rc == 0 && spec->lanes > 1 && sinks_that_need(pipe, FORMAT_NEEDS_TRANSACTIONS))
        rc = err_set(e, USAGE, "a format that shows where transactions begin and end needs partitions: 1");
    if (rc == 0)
        rc = make_lanes(pipe, e);
    if (rc == 0)
        rc = kept_init(pipe, e);
    if (rc == 0)
        rc = make_dead(pipe, e);
    if (rc == 0)
        rc = make_runners(pipe, e);
    if (rc == 0 && spec->bus)
        rc = make_applier(pipe, e);
    if (rc != 0) {
        pipeline_close(pipe);
        return rc;
    }
    *out = pipe;
    return 0;
}

int pipeline_check(struct pipeline *pipe, const struct table *tbl, struct err *e)
{
    struct table_route route;
    if (routes_bind(pipe->spec.routes, tbl, &route, e) != 0)
        return err_result(e);
    for (unsigned i = 0; i < pipe->spec.sink_count; i++)
        if (runner_check(pipe->runners[i], tbl, e) != 0)
            return err_result(e);
    return 0;
}

/* True when the source began at this very place and knows more of it than what was stored, as by position set: GTIDs,
 * the server. */
static bool knows_more(const struct position *from, const struct position *known)
{
    return !known->gtids && filepos_compare(&from->at, &known->at) == 0 &&
           (known->server_uuid[0] == '\0' || strcmp(known->server_uuid, from->server_uuid) == 0);
}

/* Gives every sink its position: its own from the checkpoint, else where the source began. */
static int settle_positions(struct pipeline *pipe, const struct position *from, struct err *e)
{
    struct checkpoint full = {0};
    int rc = 0;
    for (unsigned i = 0; i < pipe->spec.sink_count && rc == 0; i++) {
        const char *name = pipe->spec.sinks[i].name;
        const struct checkpoint_entry *known = checkpoint_find(&pipe->begin, name);
        const struct position *pos = known && !knows_more(from, &known->pos) ? &known->pos : from;
        rc = checkpoint_add(&full, name, strlen(name), pos, e);
    }
    if (rc != 0) {
        checkpoint_release(&full);
        return rc;
    }
    for (unsigned i = 0; i < pipe->begin.count; i++)
        if (!checkpoint_find(&full, pipe->begin.entries[i].name))
            log_event(pipe->spec.env->log, LOG_WARN, "a sink is no longer configured, its position is dropped",
                      LOG_STR("sink", pipe->begin.entries[i].name));
    checkpoint_release(&pipe->begin);
    pipe->begin = full;
    for (unsigned i = 0; i < full.count && rc == 0; i++)
        rc = checkpoint_add(&pipe->positions, full.entries[i].name, strlen(full.entries[i].name), &full.entries[i].pos,
                            e);
    if (rc != 0 || !pipe->spec.state)
        return rc;
    rc = checkpoint_store(&pipe->positions, pipe->spec.state, e);
    if (rc == 0)
        rc = past_note(pipe->past, &pipe->positions, false, e);
    return rc == 0 ? pipeline_note_stored(pipe, e) : rc;
}

int pipeline_note_stored(struct pipeline *pipe, struct err *e)
{
    const struct checkpoint_entry *oldest = checkpoint_oldest(&pipe->positions);
    const struct position *past = past_oldest(pipe->past);
    if (!oldest || !past || !position_before(past, &oldest->pos))
        past = NULL;
    pthread_mutex_lock(&pipe->stored_lock);
    int rc = oldest ? position_copy(&pipe->stored, past ? past : &oldest->pos, e) : 0;
    pipe->stored_is_new = rc == 0 && oldest;
    pthread_mutex_unlock(&pipe->stored_lock);
    return rc;
}

/* Feeder. */
static int take_stored(void *ctx, struct position *out, struct err *e)
{
    struct pipeline *pipe = ctx;
    pthread_mutex_lock(&pipe->stored_lock);
    int rc = pipe->stored_is_new ? 1 : 0;
    if (rc == 1 && position_copy(out, &pipe->stored, e) != 0)
        rc = err_result(e);
    pipe->stored_is_new = false;
    pthread_mutex_unlock(&pipe->stored_lock);
    return rc;
}

/* Feeder: asks the keeper, which alone owns the positions, and waits for it. */
static int ask_go_on_from(void *ctx, const struct gtid_set *kept, struct err *e)
{
    struct pipeline *pipe = ctx;
    atomic_store(&pipe->go_on_from, kept);
    while (atomic_load(&pipe->go_on_from)) {
        if (atomic_load(&pipe->stopping))
            return err_set(e, INTERRUPTED);
        for (unsigned i = 0; pipe->all_inline && i < pipe->spec.sink_count; i++)
            if (runner_step(pipe->runners[i], e) != 0)
                return err_result(e);
        wakeup_ring(&pipe->wake);
        wakeup_wait(&pipe->open_wake, GO_ON_WAIT_MS);
    }
    return 0;
}

static int check_table(void *ctx, const struct table *tbl, struct err *e)
{
    return pipeline_check(ctx, tbl, e);
}

static int make_feeder(struct pipeline *pipe, struct err *e)
{
    struct feeder_options opt = {
        .env = pipe->spec.env,
        .source = pipe->spec.source,
        .routes = pipe->spec.routes,
        .lanes = pipe->lanes,
        .inline_runners = pipe->all_inline ? pipe->runners : &pipe->no_runner,
        .sinks = pipe->spec.sinks,
        .sink_count = pipe->spec.sink_count,
        .in_order = is_in_order(pipe),
        .mark_sinks = sinks_that_need(pipe, FORMAT_NEEDS_TRANSACTIONS),
        .statement_sinks = sinks_that_need(pipe, FORMAT_NEEDS_STATEMENTS),
        .bound_sinks = sinks_with(pipe, SINK_TELLS_BOUNDS),
        .begin = &pipe->begin,
        .epoch_state = pipe->spec.epoch_state,
        .epoch_write = pipe->spec.epoch_state && pipe->spec.epoch_state == pipe->spec.state,
        .go_on_from = ask_go_on_from,
        .stored = take_stored,
        .check = check_table,
        .ctx = pipe,
        .keeper = &pipe->wake,
    };
    return feeder_new(&pipe->feeder, &opt, e);
}

/* Checks, then opens the source at the oldest position, or at the configured start. */
static int try_source(struct pipeline *pipe, const struct start *start, struct position *from, struct err *e)
{
    struct source *src = pipe->spec.source;
    if (pipe->spec.prepare && pipe->spec.prepare(pipe->spec.prepare_ctx, pipe, e) != 0)
        return err_result(e);
    return src->ops->open(src, start, from, e);
}

/* A server that is away is tried again until it is there; a command with an end gives up at once. */
static int open_source(struct pipeline *pipe, struct position *from, struct err *e)
{
    struct start start = *pipe->spec.start;
    const struct checkpoint_entry *oldest = checkpoint_oldest(&pipe->begin);
    if (oldest) {
        start.kind = oldest->pos.gtids ? START_GTID : START_FILEPOS;
        start.pos = oldest->pos;
    }
    struct backoff backoff;
    backoff_init(&backoff, OPEN_BACKOFF_MS, OPEN_BACKOFF_MAX_MS);
    while (try_source(pipe, &start, from, e) != 0) {
        if (err_class(e) != ERR_CLASS_RETRY || pipe->spec.ends || atomic_load(&pipe->stopping))
            return err_result(e);
        log_error(pipe->spec.env->log, "the source cannot be reached, trying again", e);
        err_clear(e);
        wakeup_wait(&pipe->open_wake, (int)backoff_next(&backoff, pipe->spec.env));
    }
    return 0;
}

static int start_workers(struct pipeline *pipe, struct err *e)
{
    for (unsigned i = 0; i < pipe->spec.sink_count; i++) {
        pipe->started_runners = i + 1;
        if (pipe->spec.sinks[i].workers > 0 && runner_start(pipe->runners[i], e) != 0)
            return err_result(e);
    }
    return 0;
}

/* The source thread of an applier. Positions are kept for the figures only; those that count are the group's. */
static int run_applier(struct pipeline *pipe, struct err *e)
{
    int rc = start_workers(pipe, e);
    for (unsigned i = 0; i < pipe->spec.sink_count && rc == 0; i++)
        rc = checkpoint_add(&pipe->positions, pipe->spec.sinks[i].name, strlen(pipe->spec.sinks[i].name), NULL, e);
    if (rc != 0)
        return rc;
    atomic_store(&pipe->opened, true);
    if (atomic_load(&pipe->stopping))
        applier_stop(pipe->applier, false);
    return applier_run(pipe->applier, e);
}

/* This process may still do what it is about to. */
static int confirm(struct pipeline *pipe, struct err *e)
{
    struct backoff backoff;
    backoff_init(&backoff, OPEN_BACKOFF_MS, OPEN_BACKOFF_MAX_MS);
    while (pipe->spec.confirm && pipe->spec.confirm(pipe->spec.still_ctx, e) != 0) {
        if (err_class(e) != ERR_CLASS_RETRY || e->code == ERR_LEASE_LOST || atomic_load(&pipe->stopping))
            return err_result(e);
        err_clear(e);
        wakeup_wait(&pipe->open_wake, (int)backoff_next(&backoff, pipe->spec.env));
    }
    return 0;
}

static int run_feeder(struct pipeline *pipe, struct err *e)
{
    struct position from;
    position_init(&from);
    int rc = confirm(pipe, e);
    if (rc == 0)
        rc = kept_load(pipe, e);
    if (rc == 0)
        rc = confirm(pipe, e);
    if (rc == 0)
        rc = open_source(pipe, &from, e);
    if (rc == 0)
        rc = settle_positions(pipe, &from, e);
    if (rc == 0)
        rc = start_workers(pipe, e);
    if (rc == 0)
        rc = make_feeder(pipe, e);
    if (rc == 0) {
        char at[FILEPOS_TEXT_MAX];
        filepos_print(&from.at, at);
        log_event(pipe->spec.env->log, LOG_INFO, "reading", LOG_STR("from", at),
                  LOG_STR("source", pipe->spec.source->ops->kind));
        atomic_store(&pipe->opened, true);
        if (atomic_load(&pipe->stopping))
            feeder_stop(pipe->feeder);
        rc = feeder_run(pipe->feeder, e);
    }
    position_release(&from);
    return rc;
}

static void *source_main(void *arg)
{
    struct pipeline *pipe = arg;
    struct err *e = &pipe->source_err;
    int rc = pipe->applier ? run_applier(pipe, e) : run_feeder(pipe, e);
    /* Asked to end while the server was away: that is no failure. */
    if (rc != 0 && err_class(e) == ERR_CLASS_RETRY && atomic_load(&pipe->stopping))
        err_clear(e);
    atomic_store_explicit(&pipe->source_done, true, memory_order_release);
    wakeup_ring(&pipe->wake);
    return NULL;
}

int pipeline_start(struct pipeline *pipe, struct err *e)
{
    pipe->started_us = pipe->figures_us = env_mono_us(pipe->spec.env);
    int rc = pthread_create(&pipe->source_thread, NULL, source_main, pipe);
    if (rc != 0)
        return err_set(e, NO_MEMORY, (size_t)rc);
    pipe->source_started = true;
    return 0;
}

void pipeline_stop_source(struct pipeline *pipe)
{
    atomic_store(&pipe->stopping, true);
    if (pipe->spec.state)
        state_interrupt(pipe->spec.state);
    if (!pipe->source_started)
        return;
    if (pipe->applier) {
        applier_stop(pipe->applier, false);
        return;
    }
    if (atomic_load(&pipe->opened)) {
        feeder_stop(pipe->feeder);
        return;
    }
    pipe->spec.source->ops->interrupt(pipe->spec.source);
    if (pipe->spec.interrupt)
        pipe->spec.interrupt(pipe->spec.prepare_ctx);
    wakeup_ring(&pipe->open_wake);
}

bool pipeline_was_stopped(const struct pipeline *pipe)
{
    return pipe->signalled;
}

void pipeline_close(struct pipeline *pipe)
{
    if (!pipe)
        return;
    feeder_free(pipe->feeder);
    applier_free(pipe->applier);
    for (unsigned i = 0; pipe->runners && i < pipe->spec.sink_count; i++)
        runner_free(pipe->runners[i]);
    dead_items_free(pipe->dead);
    dead_log_close(pipe->dead_log);
    free(pipe->runners);
    free(pipe->safe);
    kept_release(pipe);
    past_free(pipe->past);
    lanes_free(pipe->lanes);
    checkpoint_release(&pipe->begin);
    checkpoint_release(&pipe->positions);
    close_source(pipe->spec.source);
    wakeup_release(&pipe->wake);
    wakeup_release(&pipe->open_wake);
    position_release(&pipe->stored);
    pthread_mutex_destroy(&pipe->stored_lock);
    pthread_mutex_destroy(&pipe->fatal_lock);
    free(pipe);
}
