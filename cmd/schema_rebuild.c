/* sluice schema rebuild: the definitions of routed tables read anew from the server, with the log from the oldest
 * stored position on looked through for statements that changed them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "change/source.h"
#include "cmd/schema_command.h"
#include "pipeline/checkpoint.h"
#include "pipeline/reading.h"

#define REBUILD_BUFFER_BYTES  ((size_t)4 << 20)
#define REBUILD_CHECKPOINT_MS 200

struct rebuild {
    struct schema_run *run;
    struct state *state;
    struct config *sink_cfg;
    struct pipeline_sink counter;
    struct start at; /* where the service goes on: from here to here */
    struct reading_live_options live;
    struct reading reading;
    struct pipeline *pipe;
};

/* A damaged history is kept beside the new one, which begins empty. */
static int open_history(struct rebuild *rebuild, struct history **out, struct err *e)
{
    char aside[4096];
    int rc = history_open(out, NULL, rebuild->state, e);
    if (rc == 0 || (e->code != ERR_HISTORY_CORRUPT && e->code != ERR_STATE_CORRUPT))
        return rc;
    fprintf(stderr, "sluice schema: %s\n", e->text);
    err_clear(e);
    state_close(rebuild->state);
    rebuild->state = NULL;
    rc = state_open(&rebuild->state, &rebuild->run->env, rebuild->run->settings.state_dir, STATE_OWN, e);
    if (rc == 0)
        rc = state_set_aside(rebuild->state, HISTORY_LOG_NAME, aside, sizeof aside, e);
    if (rc == 0) {
        fprintf(stderr, "sluice schema: the damaged history is kept as %s\n", aside);
        rc = history_open(out, NULL, rebuild->state, e);
    }
    return rc;
}

/* All, or the tables that --table names; their number is not told by an index, which moves. */
static int forget(struct rebuild *rebuild, struct history *history, struct err *e)
{
    struct history_table table;
    if (rebuild->run->given->tables.count == 0)
        return history_forget(history, NULL, NULL, e);
    for (size_t i = 0; history_table(history, i, &table);) {
        if (!table.table[0] || !routes_wants(rebuild->run->tables.routes, table.db, table.table)) {
            i++;
            continue;
        }
        if (history_forget(history, table.db, table.table, e) != 0)
            return err_result(e);
    }
    return 0;
}

static int forget_stored(struct rebuild *rebuild, struct err *e)
{
    struct history *history = NULL;
    int rc = open_history(rebuild, &history, e);
    if (rc == 0)
        rc = forget(rebuild, history, e);
    history_free(history);
    return rc;
}

/* Where the service goes on; false: it has not begun, and reads the definitions when it does. */
static int find_place(struct rebuild *rebuild, bool *found, struct err *e)
{
    struct checkpoint cp = {0};
    int rc = checkpoint_load(&cp, rebuild->state, e);
    const struct checkpoint_entry *oldest = rc == 0 ? checkpoint_oldest(&cp) : NULL;
    *found = oldest != NULL;
    if (oldest)
        rc = position_copy(&rebuild->at.pos, &oldest->pos, e);
    rebuild->at.kind = oldest && oldest->pos.gtids ? START_GTID : START_FILEPOS;
    checkpoint_release(&cp);
    return rc;
}

/* Opening a source reads what the history lacks and follows it to the place; no change is taken. */
static int open_reading(struct rebuild *rebuild, const struct start *at, struct err *e)
{
    struct schema_run *run = rebuild->run;
    if (settings_own_sink(&rebuild->counter, &(struct settings_own_sink){"counter", NULL}, &rebuild->sink_cfg,
                          &run->env, e) != 0 ||
        reading_live(&rebuild->reading, &rebuild->live, e) != 0)
        return err_result(e);
    struct pipeline_spec spec = {
        .env = &run->env,
        .source = reading_take_source(&rebuild->reading),
        .routes = run->tables.routes,
        .sinks = &rebuild->counter,
        .sink_count = 1,
        .lanes = 1,
        .buffer_bytes = REBUILD_BUFFER_BYTES,
        .max_event_bytes = run->settings.max_event_bytes,
        .start = at,
        .ends = true,
        .checkpoint_ms = REBUILD_CHECKPOINT_MS,
    };
    return pipeline_open(&rebuild->pipe, &spec, e);
}

static void close_reading(struct rebuild *rebuild)
{
    pipeline_close(rebuild->pipe);
    rebuild->pipe = NULL;
    reading_release(&rebuild->reading);
    reading_init(&rebuild->reading);
    config_free(rebuild->sink_cfg);
    rebuild->sink_cfg = NULL;
}

/* The tables that were to be read: how many are known, and how many are not. */
static void count_tables(const struct rebuild *rebuild, size_t *known, size_t *unknown)
{
    struct history *history = schema_history(rebuild->reading.schema);
    struct history_table table;
    *known = *unknown = 0;
    for (size_t i = 0; history_table(history, i, &table); i++) {
        const struct history_version *newest = history_version(history, i, table.versions - 1);
        if (!table.table[0] || !routes_wants(rebuild->run->tables.routes, table.db, table.table))
            continue;
        *known += !table.candidate && newest->kind == HISTORY_DEFINED;
        *unknown += newest->kind == HISTORY_UNKNOWN;
    }
}

/* Before anything is forgotten: a server that is away, or a user who sees no table there, would leave nothing. The
 * definitions are read once into memory, from the log's end on, so that no log is looked through. */
static int try_server(struct rebuild *rebuild, struct err *e)
{
    struct schema_run *run = rebuild->run;
    struct start current = {.kind = START_CURRENT};
    struct position from;
    struct source *source = NULL;
    size_t known = 0, unknown = 0;
    rebuild->live = (struct reading_live_options){
        .settings = &run->settings, .routes = run->tables.routes, .env = &run->env, .only_print = true};
    position_init(&current.pos);
    position_init(&from);
    int rc = reading_live(&rebuild->reading, &rebuild->live, e);
    if (rc == 0) {
        source = reading_take_source(&rebuild->reading);
        rc = source->ops->open(source, &current, &from, e);
    }
    if (rc == 0)
        count_tables(rebuild, &known, &unknown);
    if (rc == 0 && known + unknown == 0)
        rc = err_set(e, GRANT_MISSING, "schema rebuild",
                     "none of the tables is on the server, or source.user may not see them; nothing was forgotten");
    if (source)
        source->ops->close(source);
    close_reading(rebuild);
    position_release(&from);
    position_release(&current.pos);
    return rc;
}

static int read_anew(struct rebuild *rebuild, struct err *e)
{
    struct schema_run *run = rebuild->run;
    size_t known, unknown;
    rebuild->live = (struct reading_live_options){.settings = &run->settings,
                                                  .routes = run->tables.routes,
                                                  .env = &run->env,
                                                  .state = rebuild->state,
                                                  .to = &rebuild->at,
                                                  .scan_always = true,
                                                  .only_print = true};
    int rc = open_reading(rebuild, &rebuild->at, e);
    if (rc == 0)
        rc = pipeline_run(rebuild->pipe, NULL, e);
    if (rc != 0)
        return rc;
    count_tables(rebuild, &known, &unknown);
    printf("%zu tables are known, %zu are not\n", known, unknown);
    return 0;
}

int schema_rebuild(struct schema_run *run, struct err *e)
{
    struct rebuild rebuild = {.run = run};
    bool begun = false;
    if (run->word_count)
        return err_set(e, USAGE, "rebuild takes no arguments but its flags");
    position_init(&rebuild.at.pos);
    reading_init(&rebuild.reading);
    int rc = schema_tables(run, e);
    if (rc == 0)
        rc = state_open(&rebuild.state, &run->env, run->settings.state_dir, STATE_OWN, e);
    if (rc == 0)
        rc = find_place(&rebuild, &begun, e);
    if (rc == 0 && begun)
        rc = try_server(&rebuild, e);
    if (rc == 0)
        rc = forget_stored(&rebuild, e);
    if (rc == 0 && begun)
        rc = read_anew(&rebuild, e);
    else if (rc == 0)
        puts("the history is empty: no position is stored, the service reads the definitions when it starts");
    close_reading(&rebuild);
    state_close(rebuild.state);
    position_release(&rebuild.at.pos);
    return rc;
}
