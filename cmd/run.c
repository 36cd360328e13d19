/* sluice run: the service. */
#include <unistd.h>

#include "admin/status_socket.h"
#include "base/log.h"
#include "cmd/command.h"
#include "pipeline/reading.h"

enum role { ROLE_WHOLE, ROLE_READER, ROLE_APPLIER };

struct run_flags {
    const char *config;
    int role; /* enum role */
};

static const struct option_name roles[] = {
    {"whole", ROLE_WHOLE}, {"reader", ROLE_READER}, {"applier", ROLE_APPLIER}, {NULL, 0}};

static const struct option flags[] = {
    FLAG_CONFIG(run_flags, config, OPTION_REQUIRED),
    {.name = "role",
     .type = OPTION_ENUM,
     .offset = offsetof(struct run_flags, role),
     .text = "whole",
     .names = roles,
     .help = "With a bus of type kafka: reader publishes what it reads there, applier takes it "
             "from there to the sinks."},
    {.name = NULL}};

/* Everything that must be undone in reverse order. */
struct service {
    struct config *cfg;
    struct settings settings;
    struct env env;
    enum role role;
    struct start start;
    struct pipeline_bus bus; /* of an applier */
    struct routes *routes;
    struct state *state;
    struct reading_live_options live;
    struct reading reading;
    struct pipeline *pipe;
    struct status_socket *status;
};

/* Source thread, before the first connection of the stream. */
static int prepare(void *ctx, struct pipeline *pipe, struct err *e)
{
    struct service *svc = ctx;
    return reading_check(&svc->reading, &svc->live, pipe, e);
}

static void interrupt_prepare(void *ctx)
{
    reading_interrupt(&((struct service *)ctx)->reading);
}

/* What all roles have. */
static struct pipeline_spec spec_of(const struct service *svc)
{
    const struct settings *settings = &svc->settings;
    return (struct pipeline_spec){
        .env = &svc->env,
        .routes = svc->routes,
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

static int open_applier(struct service *svc, struct err *e)
{
    struct pipeline_spec spec = spec_of(svc);
    svc->bus.state = svc->state;
    spec.bus = &svc->bus;
    return pipeline_open(&svc->pipe, &spec, e);
}

/* A service that reads the database, for the sinks or for the bus. */
static int open_reader(struct service *svc, struct err *e)
{
    const struct settings *settings = &svc->settings;
    if (start_parse(&svc->start, settings->source.start, e) != 0)
        return err_result(e);
    unsigned needs = pipeline_needs(svc->routes, settings->sinks, settings->sink_count);
    svc->settings.source.query |= (needs & FORMAT_NEEDS_QUERY) != 0;
    svc->live = (struct reading_live_options){
        .settings = settings, .routes = svc->routes, .env = &svc->env, .state = svc->state, .needs = needs};
    if (reading_live(&svc->reading, &svc->live, e) != 0)
        return err_result(e);
    struct pipeline_spec spec = spec_of(svc);
    spec.source = reading_take_source(&svc->reading);
    spec.query_max_bytes = settings_query_bytes(&settings->source);
    spec.state = spec.epoch_state = svc->state;
    spec.start = &svc->start;
    spec.prepare = prepare;
    spec.interrupt = interrupt_prepare;
    spec.prepare_ctx = svc;
    return pipeline_open(&svc->pipe, &spec, e);
}

static int open_service(struct service *svc, struct err *e)
{
    const struct settings *settings = &svc->settings;
    if (routes_new(&svc->routes, settings->routes, settings->route_count, e) != 0 ||
        state_open(&svc->state, &svc->env, settings->state_dir, STATE_OWN, e) != 0 ||
        (svc->role == ROLE_APPLIER ? open_applier : open_reader)(svc, e) != 0)
        return err_result(e);
    return status_socket_open(&svc->status, settings->state_dir, svc->pipe, e);
}

static void close_service(struct service *svc)
{
    status_socket_close(svc->status);
    pipeline_close(svc->pipe);
    reading_release(&svc->reading);
    state_close(svc->state);
    routes_free(svc->routes);
    position_release(&svc->start.pos);
    log_free(svc->env.log);
    config_free(svc->cfg);
}

static int take_role(struct service *svc, enum role role, struct err *e)
{
    svc->role = role;
    if (role == ROLE_APPLIER)
        return settings_of_applier(&svc->bus, &svc->settings, e);
    if (role == ROLE_READER)
        return settings_of_reader(&svc->settings, svc->cfg, e);
    if (svc->settings.bus.type == BUS_KAFKA)
        return err_set(e, USAGE, "with a bus of type kafka the service runs as --role reader or --role applier");
    return 0;
}

static int run(const struct invocation *inv, int *exit_code, struct err *e)
{
    const struct run_flags *given = inv->flags;
    struct service svc = {.env = inv->env};
    if (inv->word_count)
        return err_set(e, USAGE, "run takes no arguments but its flags");
    if (settings_read(&svc.settings, &svc.cfg, &svc.env, &(struct settings_file){given->config, SETTINGS_WHOLE}, e) !=
        0)
        return err_result(e);
    if (take_role(&svc, (enum role)given->role, e) != 0) {
        config_free(svc.cfg);
        return err_result(e);
    }
    position_init(&svc.start.pos);
    reading_init(&svc.reading);
    svc.env.log = log_new(&inv->env, STDERR_FILENO, (enum log_format)svc.settings.log_format,
                          (enum log_level)svc.settings.log_level);
    log_event(svc.env.log, LOG_INFO, "sluice " SLUICE_VERSION " starts", LOG_STR("config", given->config),
              LOG_STR("state_dir", svc.settings.state_dir));
    struct err mine = ERR_INIT;
    int rc = open_service(&svc, &mine);
    if (rc == 0)
        rc = pipeline_run(svc.pipe, status_socket_service(svc.status), &mine);
    if (rc != 0)
        log_error(svc.env.log, "stopped", &mine);
    else
        log_event(svc.env.log, LOG_INFO, "ended");
    /* A log line has said why: the error goes no further than the exit code. */
    *exit_code = pipeline_exit_code(&mine);
    close_service(&svc);
    return 0;
}

const struct command command_run = {.name = "run",
                                    .words = "-c CONFIG",
                                    .help = "The service: follows the database and keeps the sinks true to it.",
                                    .flags = flags,
                                    .flags_size = sizeof(struct run_flags),
                                    .run = run};
