/* sluice run: the service. */
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "admin/status_socket.h"
#include "base/log.h"
#include "cmd/command.h"
#include "cmd/half.h"

enum role { ROLE_WHOLE, ROLE_READER, ROLE_APPLIER };

struct run_flags {
    const char *config;
    int role; /* enum role */
    struct option_list sinks;
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
             "from there to the sinks; whole does both in one process."},
    {.name = "sink",
     .type = OPTION_LIST,
     .offset = offsetof(struct run_flags, sinks),
     .help = "Of an applier: it serves this sink only, in a consumer group of its own; may be given again."},
    {.name = NULL}};

/* Everything that must be undone in reverse order. */
struct service {
    struct config *cfg;
    struct settings settings;
    struct env env;
    struct half halves[PIPELINES_MAX];
    unsigned count;
    struct state *state;
    struct pipelines pipes;
    struct status_socket *status;
};

/* The configuration as the role needs it. */
static int read_settings(struct service *svc, const struct run_flags *given, struct err *e)
{
    bool applier = given->role == ROLE_APPLIER;
    struct settings_file file = {given->config, applier ? SETTINGS_NO_SOURCE : SETTINGS_WHOLE};
    if (given->sinks.count && !applier)
        return err_set(e, USAGE, "--sink is for --role applier");
    if (settings_read(&svc->settings, &svc->cfg, &svc->env, &file, e) != 0)
        return err_result(e);
    return settings_keep_sinks(&svc->settings, svc->cfg, &given->sinks, e);
}

/* Which halves the process has. Two have names. */
static int take_role(struct service *svc, enum role role, struct err *e)
{
    static const enum half_kind alone[] = {
        [ROLE_WHOLE] = HALF_WHOLE, [ROLE_READER] = HALF_READER, [ROLE_APPLIER] = HALF_APPLIER};
    if (role != ROLE_WHOLE || svc->settings.bus.type == BUS_EMBEDDED) {
        svc->count = 1;
        return half_settle(&svc->halves[0], alone[role], &svc->settings, svc->cfg, e);
    }
    svc->count = 2;
    if (half_settle(&svc->halves[0], HALF_READER, &svc->settings, svc->cfg, e) != 0 ||
        half_settle(&svc->halves[1], HALF_APPLIER, &svc->settings, svc->cfg, e) != 0)
        return err_result(e);
    svc->halves[0].name = "reader";
    svc->halves[1].name = "applier";
    return 0;
}

static int open_service(struct service *svc, struct err *e)
{
    const struct settings *settings = &svc->settings;
    if (state_open(&svc->state, &svc->env, settings->state_dir, STATE_OWN, e) != 0 ||
        status_socket_open(&svc->status, settings->state_dir, &svc->pipes, e) != 0)
        return err_result(e);
    for (; svc->pipes.count < svc->count; svc->pipes.count++) {
        struct half *half = &svc->halves[svc->pipes.count];
        if (half_open(half, &svc->env, svc->state, status_socket_service(svc->status), &svc->pipes.standby, e) != 0)
            return err_result(e);
        svc->pipes.at[svc->pipes.count] = half->pipe;
    }
    return 0;
}

static void close_service(struct service *svc)
{
    status_socket_close(svc->status);
    for (unsigned i = svc->count; i-- > 0;)
        half_close(&svc->halves[i]);
    state_close(svc->state);
    svc->status = NULL;
    svc->state = NULL;
    svc->pipes = (struct pipelines){.count = 0};
}

/* A signal while a reader stood by is an end as it should be. */
static int end_of_standby(struct err *e)
{
    err_clear(e);
    return 0;
}

/* 1: the service goes back to where a sink is set back to. When it was asked to end it does so at its next start. */
static int serve(struct service *svc, struct err *e)
{
    int rc = open_service(svc, e);
    if (rc != 0 && e->code == ERR_INTERRUPTED)
        rc = end_of_standby(e);
    else if (rc == 0)
        rc = pipelines_run(&svc->pipes, status_socket_service(svc->status), e);
    if (rc != 0 && e->code == ERR_SINK_CAME_BACK) {
        log_error(svc->env.log, "the service goes back", e);
        err_clear(e);
        rc = svc->pipes.count && pipeline_was_stopped(svc->pipes.at[0]) ? 0 : 1;
    }
    close_service(svc);
    return rc;
}

/* Whether a spine may wait for others before it runs; then it hears signals itself. */
static bool may_stand_by(const struct service *svc)
{
    for (unsigned i = 0; i < svc->count; i++)
        if (svc->halves[i].kind == HALF_READER)
            return true;
    return false;
}

/* Signals stay blocked: those that come before a turn, or between two, are heard by it. */
static void hold_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

/* Again and again while a sink's server comes back with what it held before: each time the service begins where the
 * sink is set back to. */
static int serve_all(struct service *svc, enum role role, struct err *e)
{
    while (serve(svc, e) > 0) {
        hold_signals();
        if (take_role(svc, role, e) != 0)
            break;
    }
    return err_result(e);
}

static int run(const struct invocation *inv, int *exit_code, struct err *e)
{
    const struct run_flags *given = inv->flags;
    struct service svc = {.env = inv->env};
    if (inv->word_count)
        return err_set(e, USAGE, "run takes no arguments but its flags");
    if (read_settings(&svc, given, e) != 0 || take_role(&svc, (enum role)given->role, e) != 0) {
        config_free(svc.cfg);
        return err_result(e);
    }
    svc.env.log = log_new(&inv->env, STDERR_FILENO, (enum log_format)svc.settings.log_format,
                          (enum log_level)svc.settings.log_level);
    if (!may_stand_by(&svc))
        hold_signals();
    log_event(svc.env.log, LOG_INFO, "sluice " SLUICE_VERSION " starts", LOG_STR("config", given->config),
              LOG_STR("state_dir", svc.settings.state_dir));
    struct err mine = ERR_INIT;
    if (serve_all(&svc, (enum role)given->role, &mine) != 0)
        log_error(svc.env.log, "stopped", &mine);
    else
        log_event(svc.env.log, LOG_INFO, "ended");
    /* A log line has said why: the error goes no further than the exit code. */
    *exit_code = pipeline_exit_code(&mine);
    log_free(svc.env.log);
    config_free(svc.cfg);
    return 0;
}

const struct command command_run = {.name = "run",
                                    .words = "-c CONFIG",
                                    .help = "The service: follows the database and keeps the sinks true to it.",
                                    .flags = flags,
                                    .flags_size = sizeof(struct run_flags),
                                    .run = run};
