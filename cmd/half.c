/* What a spine of `sluice run` is made of. */
#include "cmd/half.h"

#include "base/log.h"
#include "pipeline/recover.h"

int half_settle(struct half *out, enum half_kind kind, const struct settings *settings, struct config *cfg,
                struct err *e)
{
    *out = (struct half){.kind = kind, .settings = *settings};
    position_init(&out->start.pos);
    reading_init(&out->reading);
    if (kind == HALF_APPLIER)
        return settings_of_applier(&out->bus, &out->settings, e);
    if (kind == HALF_READER)
        return settings_of_reader(&out->settings, cfg, e);
    return 0;
}

/* Source thread, before the first connection of the stream. */
static int prepare(void *ctx, struct pipeline *pipe, struct err *e)
{
    struct half *half = ctx;
    return reading_check(&half->reading, &half->live, pipe, e);
}

static void interrupt_prepare(void *ctx)
{
    reading_interrupt(&((struct half *)ctx)->reading);
}

/* What all kinds have. */
static struct pipeline_spec spec_of(const struct half *half)
{
    const struct settings *settings = &half->settings;
    return (struct pipeline_spec){
        .half = half->name,
        .env = &half->env,
        .routes = half->routes,
        .sinks = settings->sinks,
        .sink_count = settings->sink_count,
        .lanes = (unsigned)settings->partitions,
        .buffer_bytes = settings->buffer_bytes,
        .tx_buffer_bytes = settings->tx_buffer_bytes,
        .max_event_bytes = settings->max_event_bytes,
        .checkpoint_ms = (unsigned)settings->checkpoint_ms,
        .shutdown_ms = (unsigned)settings->shutdown_ms,
        .stats_interval_ms = (unsigned)settings->stats_interval_ms,
    };
}

static int open_applier(struct half *half, struct state *state, struct err *e)
{
    struct pipeline_spec spec = spec_of(half);
    half->bus.state = state;
    spec.bus = &half->bus;
    return pipeline_open(&half->pipe, &spec, e);
}

/* One that reads the database, for the sinks or for the bus. */
static int open_reader(struct half *half, struct state *state, struct err *e)
{
    struct settings *settings = &half->settings;
    if (start_parse(&half->start, settings->source.start, e) != 0)
        return err_result(e);
    unsigned needs = pipeline_needs(half->routes, settings->sinks, settings->sink_count);
    settings->source.query |= (needs & FORMAT_NEEDS_QUERY) != 0;
    half->live = (struct reading_live_options){
        .settings = settings, .routes = half->routes, .env = &half->env, .state = state, .needs = needs};
    if (reading_live(&half->reading, &half->live, e) != 0)
        return err_result(e);
    struct pipeline_spec spec = spec_of(half);
    spec.source = reading_take_source(&half->reading);
    spec.query_max_bytes = settings_query_bytes(&settings->source);
    spec.state = spec.epoch_state = state;
    spec.dead_state = half->kind == HALF_WHOLE ? state : NULL;
    spec.dead_letters_max = settings->dead_letters_max;
    spec.start = &half->start;
    spec.prepare = prepare;
    spec.interrupt = interrupt_prepare;
    spec.prepare_ctx = half;
    spec.reader = half->number;
    spec.still = half->lease ? lease_still : NULL;
    spec.confirm = half->lease ? lease_confirm : NULL;
    spec.still_ctx = half->lease;
    return pipeline_open(&half->pipe, &spec, e);
}

/* The active reader of its state topic, once it is. */
static int take_over(struct half *half, const struct pipeline_service *service, bool *standby, struct err *e)
{
    const struct bus_settings *bus = &half->settings.bus;
    struct kafka_takeover takeover;
    uint64_t base = 0;
    int rc = lease_new(&half->lease, bus->sink.options, (unsigned)bus->session_ms, &half->env, e);
    if (rc == 0)
        rc = lease_wait(half->lease, service, standby, e);
    if (rc == 0)
        rc = service_state_take(&half->own_state, &half->settings, &half->env, &takeover,
                                &(struct service_pause){lease_pause, half->lease}, e);
    if (rc == 0)
        rc = recover_reader_base(&base, half->own_state, e);
    if (rc != 0)
        return rc;
    lease_took_over(half->lease, takeover.text);
    half->number = base + (uint64_t)takeover.offset + 1;
    log_event(half->env.log, LOG_INFO, "this reader is the active one", LOG_UINT("reader", half->number));
    return 0;
}

int half_open(struct half *half, const struct env *env, struct state *state, const struct pipeline_service *service,
              bool *standby, struct err *e)
{
    half->env = *env;
    if (half->name)
        half->env.log = log_new_part(env->log, "half", half->name);
    if (routes_new(&half->routes, half->settings.routes, half->settings.route_count, e) != 0)
        return err_result(e);
    if (half->kind == HALF_APPLIER)
        return open_applier(half, state, e);
    if (half->kind == HALF_WHOLE)
        return open_reader(half, state, e);
    return take_over(half, service, standby, e) == 0 ? open_reader(half, half->own_state, e) : err_result(e);
}

void half_close(struct half *half)
{
    pipeline_close(half->pipe);
    reading_release(&half->reading);
    state_close(half->own_state);
    lease_free(half->lease);
    routes_free(half->routes);
    position_release(&half->start.pos);
    if (half->name)
        log_free(half->env.log);
}
