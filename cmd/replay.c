/* sluice replay NAME: reads a stretch of the log again into the configured sinks, from the server or from files, beside
 * or without the service, with a checkpoint of its own. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cmd/command.h"
#include "cmd/progress.h"
#include "pipeline/checkpoint.h"
#include "pipeline/reading.h"
#include "pipeline/service_state.h"

struct replay_flags {
    const char *config, *from, *to;
    struct option_list tables;
    bool create, dry_run;
};

#define FLAG(name_) .offset = offsetof(struct replay_flags, name_)
static const struct option flags[] = {
    FLAG_CONFIG(replay_flags, config, OPTION_REQUIRED),
    {.name = "from",
     .type = OPTION_STRING,
     FLAG(from),
     .help =
         "Begin: FILE:POS, a GTID set, a time, or earliest, as files do. A replay that was cut goes on where it was "
         "without it."},
    {.name = "to",
     .type = OPTION_STRING,
     FLAG(to),
     .text = "now",
     .help =
         "End: FILE:POS, a GTID set, a time, or now: the service's own position at this start, else the server's or "
         "the end of the files."},
    {.name = "table",
     .type = OPTION_LIST,
     FLAG(tables),
     .help = "Only these of the routed tables; may be given again."},
    {.name = "create",
     .type = OPTION_BOOL,
     FLAG(create),
     .help =
         "Routes with mode: write: make keys that are not there too. Only with --to now: else what was deleted since "
         "would come back."},
    {.name = "dry_run", .type = OPTION_BOOL, FLAG(dry_run), .help = "Only count what would be applied."},
    {.name = NULL}};

struct replay {
    struct env env;
    struct config *cfg, *sink_cfg;
    struct settings settings;
    struct start from, to;
    struct route *list;
    struct routes *routes;
    struct pipeline_sink counter;
    struct state *service, *state; /* the service's, read only; our own */
    char *dir;
    const char *const *files;
    size_t file_count;       /* 0: the server is read */
    const struct start *end; /* NULL: the end of the files */
    struct reading_live_options live;
    struct reading reading;
    struct pipeline *pipe;
    struct progress progress;
};

static bool name_is_plain(const char *name)
{
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-");
    return len > 0 && len <= 48 && name[len] == '\0';
}

/* The routed tables that --table leaves: a route stays when one of the patterns is its table, word for word. */
static int make_routes(struct replay *replay, const struct replay_flags *given, struct err *e)
{
    unsigned kept = 0;
    replay->list = calloc(replay->settings.route_count, sizeof *replay->list);
    if (!replay->list)
        return err_set(e, NO_MEMORY, replay->settings.route_count * sizeof *replay->list);
    for (unsigned r = 0; r < replay->settings.route_count; r++) {
        const struct route *route = &replay->settings.routes[r];
        bool keep = given->tables.count == 0;
        for (size_t i = 0; i < given->tables.count && !keep; i++) {
            size_t db_len = strlen(route->db);
            const char *name = given->tables.items[i];
            keep = strncmp(name, route->db, db_len) == 0 && name[db_len] == '.' &&
                   strcmp(name + db_len + 1, route->table) == 0;
        }
        if (!keep)
            continue;
        replay->list[kept] = *route;
        if (given->dry_run)
            replay->list[kept].sink_mask = 1;
        kept++;
    }
    if (kept == 0)
        return err_set(e, USAGE, "--table names no table of a route");
    return routes_new(&replay->routes, replay->list, kept, e);
}

static int has_service(const struct replay *replay, bool *has, struct err *e)
{
    struct checkpoint cp = {0};
    int rc = checkpoint_load(&cp, replay->service, e);
    *has = rc == 0 && cp.count > 0;
    checkpoint_release(&cp);
    return rc;
}

/* A sink that keeps its position is the service's own, which a second writer fences; and an `end` of a transaction that
 * tells of some tables' records only would be taken for the whole. */
static int check_sinks(const struct replay *replay, const struct replay_flags *given, struct err *e)
{
    bool beside_service;
    if (has_service(replay, &beside_service, e) != 0)
        return err_result(e);
    const struct route *list;
    unsigned count = routes_list(replay->routes, &list);
    uint32_t used = 0;
    for (unsigned r = 0; r < count && !given->dry_run; r++)
        used |= list[r].sink_mask;
    for (unsigned i = 0; i < replay->settings.sink_count; i++) {
        const struct pipeline_sink *sink = &replay->settings.sinks[i];
        unsigned has = used >> i & 1 ? sink_flags(sink->ops, sink->options) : 0;
        if (has & SINK_KEEPS_POSITION && beside_service)
            err_set(e, USAGE,
                    "a replay writes to a topic with delivery: at_least_once only: with exactly_once it would "
                    "take the place of the service that writes there");
        else if (has & SINK_TELLS_BOUNDS && given->tables.count)
            err_set(e, USAGE,
                    "--table cuts transactions, and transaction_topic tells how many records a whole one has");
        else
            continue;
        return err_wrap(e, "sink %s", sink->name);
    }
    return 0;
}

/* "now" is where the service stands, so that the replay meets it and does not overtake it; without a service, where the
 * server stands, or where the files end. A replay that creates goes as far as the server, which is where the service
 * may be already: what it removed behind its checkpoint would come back. */
static int end_now(struct replay *replay, bool by_place, bool create, struct err *e)
{
    struct checkpoint cp = {0};
    if (checkpoint_load(&cp, replay->service, e) != 0)
        return err_result(e);
    const struct checkpoint_entry *oldest = create ? NULL : checkpoint_oldest(&cp);
    if (!oldest && replay->file_count) {
        checkpoint_release(&cp);
        replay->end = NULL;
        return 0;
    }
    int rc = oldest ? position_copy(&replay->to.pos, &oldest->pos, e)
                    : reading_server_position(&replay->reading, &replay->to.pos, e);
    /* From a place in a file to a place in a file: both are met exactly, whatever the GTIDs before them are. */
    bool place = replay->to.pos.at.file[0] && (by_place || !replay->to.pos.gtids);
    replay->to.kind = place ? START_FILEPOS : START_GTID;
    checkpoint_release(&cp);
    return rc;
}

static int parse_bounds(struct replay *replay, const struct replay_flags *given, struct err *e)
{
    struct checkpoint own = {0};
    if (replay->state && checkpoint_load(&own, replay->state, e) != 0)
        return err_result(e);
    bool resumes = own.count > 0, by_place = resumes && !checkpoint_oldest(&own)->pos.gtids;
    checkpoint_release(&own);
    replay->end = &replay->to;
    if (!given->from && !resumes && !replay->file_count)
        return err_set(e, USAGE, "--from is needed: this replay has not begun yet");
    if (given->from && resumes)
        return err_set(e, USAGE, "this replay has begun already: leave --from out to go on, or take another name");
    if (start_parse(&replay->from, given->from ? given->from : "earliest", e) != 0)
        return err_wrap(e, "--from");
    if (strcmp(given->to, "now") == 0) {
        if (end_now(replay, by_place || replay->from.kind == START_FILEPOS, given->create, e) != 0)
            return err_result(e);
    } else if (end_parse(&replay->to, given->to, e) != 0) {
        return err_wrap(e, "--to");
    }
    if (replay->from.kind == START_FILEPOS && replay->to.kind == START_FILEPOS &&
        filepos_compare(&replay->from.pos.at, &replay->to.pos.at) > 0)
        return err_set(e, USAGE, "--from lies behind --to");
    return 0;
}

static int open_states(struct replay *replay, const char *name, bool dry_run, struct err *e)
{
    size_t size = strlen(replay->settings.state_dir) + strlen(name) + sizeof "/replay/";
    replay->dir = malloc(size);
    if (!replay->dir)
        return err_set(e, NO_MEMORY, size);
    snprintf(replay->dir, size, "%s/replay/%s", replay->settings.state_dir, name);
    if (service_state_open(&replay->service, &replay->settings, &replay->env, STATE_READ, e) != 0)
        return err_result(e);
    return dry_run ? 0 : state_open(&replay->state, &replay->env, replay->dir, STATE_OWN, e);
}

static int prepare(void *ctx, struct pipeline *pipe, struct err *e)
{
    struct replay *replay = ctx;
    return reading_check(&replay->reading, &replay->live, pipe, e);
}

static void interrupt_prepare(void *ctx)
{
    reading_interrupt(&((struct replay *)ctx)->reading);
}

/* The end of files is known before they are opened; that of a server is asked through the reading. */
static int open_reading(struct replay *replay, const struct replay_flags *given, struct err *e)
{
    const struct settings *settings = &replay->settings;
    unsigned needs = given->dry_run ? 0 : pipeline_needs(replay->routes, settings->sinks, settings->sink_count);
    replay->settings.source.query |= (needs & FORMAT_NEEDS_QUERY) != 0;
    if (replay->file_count) {
        if (parse_bounds(replay, given, e) != 0)
            return err_result(e);
        struct reading_files files = {.paths = replay->files,
                                      .count = replay->file_count,
                                      .to = replay->end,
                                      .base = replay->service,
                                      .own = replay->state,
                                      .needs = needs,
                                      .max_event_bytes = settings->max_event_bytes,
                                      .on_statement = (enum on_statement)settings->source.on_statement,
                                      .on_unknown_xa = (enum on_unknown_xa)settings->source.on_unknown_xa,
                                      .query_max_bytes = settings_query_bytes(&settings->source)};
        return reading_from_files(&replay->reading, &files, replay->routes, &replay->env, e);
    }
    replay->live = (struct reading_live_options){.settings = settings,
                                                 .routes = replay->routes,
                                                 .env = &replay->env,
                                                 .state = replay->state,
                                                 .base = replay->service,
                                                 .to = &replay->to,
                                                 .needs = needs};
    int rc = reading_live(&replay->reading, &replay->live, e);
    return rc == 0 ? parse_bounds(replay, given, e) : rc;
}

static int open_replay(struct replay *replay, const struct replay_flags *given, const char *name, struct err *e)
{
    const struct settings *settings = &replay->settings;
    if (settings_read(&replay->settings, &replay->cfg, &replay->env,
                      &(struct settings_file){given->config, SETTINGS_WHOLE}, e) != 0 ||
        open_states(replay, name, given->dry_run, e) != 0 || make_routes(replay, given, e) != 0 ||
        check_sinks(replay, given, e) != 0 || open_reading(replay, given, e) != 0)
        return err_result(e);
    if (given->dry_run && settings_own_sink(&replay->counter, &(struct settings_own_sink){.kind = "counter"},
                                            &replay->sink_cfg, &replay->env, e) != 0)
        return err_result(e);
    progress_init(&replay->progress, &replay->to);
    struct pipeline_spec spec = {
        .env = &replay->env,
        .source = reading_take_source(&replay->reading),
        .routes = replay->routes,
        .sinks = given->dry_run ? &replay->counter : settings->sinks,
        .sink_count = given->dry_run ? 1 : settings->sink_count,
        .lanes = (unsigned)settings->partitions,
        .buffer_bytes = settings->buffer_bytes,
        .tx_buffer_bytes = settings->tx_buffer_bytes,
        .max_event_bytes = settings->max_event_bytes,
        .query_max_bytes = settings_query_bytes(&settings->source),
        .state = replay->state,
        .epoch_state = replay->service,
        .purpose = given->create ? SINK_REPLAYS_AND_CREATES : SINK_REPLAYS,
        .start = &replay->from,
        .ends = true,
        .prepare = replay->file_count ? NULL : prepare,
        .interrupt = interrupt_prepare,
        .prepare_ctx = replay,
        .checkpoint_ms = (unsigned)settings->checkpoint_ms,
        .shutdown_ms = (unsigned)settings->shutdown_ms,
        .stats_interval_ms = replay->progress.terminal ? 0 : (unsigned)settings->stats_interval_ms,
        .progress = replay->progress.terminal ? progress_draw : NULL,
        .progress_ctx = &replay->progress,
    };
    return pipeline_open(&replay->pipe, &spec, e);
}

/* Tells what was done and, after a whole run, forgets the checkpoint, so that the name can be used again. */
static int finish(struct replay *replay, const struct replay_flags *given, const char *name, struct err *e)
{
    struct pipeline_stats stats;
    pipeline_stats(replay->pipe, &stats, NULL);
    progress_end(&replay->progress);
    fprintf(stderr, "replay %s: %" PRIu64 " rows in %" PRIu64 " transactions read, %" PRIu64 " changes %s\n", name,
            stats.rows_total, stats.transactions_total, stats.applied_total, given->dry_run ? "counted" : "applied");
    return given->dry_run || pipeline_was_stopped(replay->pipe) ? 0 : checkpoint_remove(replay->state, e);
}

/* What a sink's server lost is not known: the next run begins at --from again. */
static void forget_place(struct replay *replay, const struct err *e)
{
    struct err late = ERR_INIT;
    if (e->code == ERR_SINK_REPLAY_LOST && replay->state && checkpoint_remove(replay->state, &late) != 0)
        log_error(replay->env.log, "the place of this replay cannot be removed: take another name", &late);
}

static int run(const struct invocation *inv, int *exit_code, struct err *e)
{
    (void)exit_code;
    const struct replay_flags *given = inv->flags;
    if (inv->word_count == 0 || !name_is_plain(inv->words[0]))
        return err_set(e, USAGE, "give the replay a name of lower-case letters, digits, _ and -");
    if (given->create && strcmp(given->to, "now") != 0)
        return err_set(e, USAGE, "--create needs --to now: else what was deleted since would come back");
    if (given->create && inv->word_count > 1)
        return err_set(e, USAGE,
                       "--create reads from the server, not from files: they may end before what was deleted");
    struct replay *replay = calloc(1, sizeof *replay);
    if (!replay)
        return err_set(e, NO_MEMORY, sizeof *replay);
    replay->env = inv->env;
    replay->env.log = log_new(&inv->env, STDERR_FILENO, LOG_LOGFMT, LOG_INFO);
    replay->files = inv->words + 1;
    replay->file_count = inv->word_count - 1;
    reading_init(&replay->reading);
    position_init(&replay->from.pos);
    position_init(&replay->to.pos);
    if (open_replay(replay, given, inv->words[0], e) == 0 && pipeline_run(replay->pipe, NULL, e) == 0)
        (void)finish(replay, given, inv->words[0], e);
    else
        forget_place(replay, e);
    pipeline_close(replay->pipe);
    reading_release(&replay->reading);
    state_close(replay->state);
    state_close(replay->service);
    free(replay->dir);
    routes_free(replay->routes);
    free(replay->list);
    position_release(&replay->from.pos);
    position_release(&replay->to.pos);
    config_free(replay->cfg);
    config_free(replay->sink_cfg);
    log_free(replay->env.log);
    free(replay);
    return err_result(e);
}

const struct command command_replay = {.name = "replay",
                                       .words = "NAME [FILE...] -c CONFIG",
                                       .help = "Reads a stretch of the log again into the sinks.",
                                       .flags = flags,
                                       .flags_size = sizeof(struct replay_flags),
                                       .run = run};
