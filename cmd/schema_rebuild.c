/* sluice schema rebuild: the definitions of routed tables read anew from the server, with the log from the oldest
 * stored position on looked through for statements that changed them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "cmd/schema_command.h"
#include "pipeline/checkpoint.h"
#include "pipeline/reading.h"
#include "pipeline/service_state.h"

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
    rc = service_state_open(&rebuild->state, &rebuild->run->settings, &rebuild->run->env, STATE_OWN, e);
    if (rc == 0)
        rc = state_set_aside(rebuild->state, HISTORY_LOG_NAME, aside, sizeof aside, e);
    if (rc == 0) {
        fprintf(stderr, "sluice schema: the damaged history is kept as %s\n", aside);
        rc = history_open(out, NULL, rebuild->state, e);
    }
    return rc;
}

static bool is_asked_for(void *ctx, const char *db, const char *table)
{
    const struct rebuild *rebuild = ctx;
    return table[0] && routes_wants(rebuild->run->tables.routes, db, table);
}

/* What was read takes the place of what is stored: of everything, or of the tables that --table names. */
static int store(struct rebuild *rebuild, const struct history *fresh, struct err *e)
{
    const struct history_taking named = {is_asked_for, rebuild};
    struct history *history = NULL;
    int rc = open_history(rebuild, &history, e);
    if (rc == 0)
        rc = history_take(history, fresh, rebuild->run->given->tables.count ? &named : NULL, e);
    history_free(history);
    return rc;
}

/* The service has not begun: it reads all when it does. */
static int store_nothing(struct rebuild *rebuild, struct err *e)
{
    struct history *nothing = NULL;
    int rc = history_open(&nothing, NULL, NULL, e);
    if (rc == 0)
        rc = store(rebuild, nothing, e);
    history_free(nothing);
    if (rc == 0)
        puts("the history is empty: no position is stored, the service reads the definitions when it starts");
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

/* Opening a source reads the definitions into memory and follows them to the place; no change is taken. */
static int open_reading(struct rebuild *rebuild, struct err *e)
{
    struct schema_run *run = rebuild->run;
    rebuild->live = (struct reading_live_options){.settings = &run->settings,
                                                  .routes = run->tables.routes,
                                                  .env = &run->env,
                                                  .to = &rebuild->at,
                                                  .scan_always = true,
                                                  .only_print = true};
    if (settings_own_sink(&rebuild->counter, &(struct settings_own_sink){.kind = "counter"}, &rebuild->sink_cfg,
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
        .start = &rebuild->at,
        .ends = true,
        .checkpoint_ms = REBUILD_CHECKPOINT_MS,
    };
    return pipeline_open(&rebuild->pipe, &spec, e);
}

static void close_reading(struct rebuild *rebuild)
{
    pipeline_close(rebuild->pipe);
    reading_release(&rebuild->reading);
    config_free(rebuild->sink_cfg);
}

/* The newest definition of a table, and whether it holds where the service goes on. */
enum outcome { OUTCOME_KNOWN, OUTCOME_LATER, OUTCOME_UNKNOWN, OUTCOME_NONE };

static enum outcome outcome_of(struct rebuild *rebuild, size_t index, struct history_table *table,
                               const struct history_version **newest)
{
    struct history *history = schema_history(rebuild->reading.schema);
    const struct history_where where = history_at(&rebuild->at.pos);
    *newest = history_version(history, index, table->versions - 1);
    if (table->candidate || !is_asked_for(rebuild, table->db, table->table) || (*newest)->kind == HISTORY_GONE)
        return OUTCOME_NONE;
    if ((*newest)->kind == HISTORY_UNKNOWN)
        return OUTCOME_UNKNOWN;
    const struct history_version *then = history_find(history, table->db, table->table, &where);
    return then && then->kind == HISTORY_DEFINED ? OUTCOME_KNOWN : OUTCOME_LATER;
}

/* From where on all is known: the first definition behind the last version that is not, if there is any. */
static const struct history_version *first_known(struct history *history, size_t index, size_t versions)
{
    const struct history_version *first = NULL;
    for (size_t n = versions; n > 0; n--) {
        const struct history_version *version = history_version(history, index, n - 1);
        if (version->kind == HISTORY_UNKNOWN)
            break;
        if (version->kind == HISTORY_DEFINED)
            first = version;
    }
    return first;
}

/* A person has to know which tables still stop, and where: `version` says why, or from where on they do not. */
static void name_table(const struct history_table *table, const struct history_version *version, enum outcome outcome)
{
    if (outcome == OUTCOME_UNKNOWN)
        fprintf(stderr, "sluice schema: %s.%s is not known: %s\n", table->db, table->table, version->text);
    else
        fprintf(stderr,
                "sluice schema: %s.%s was changed since the stored position and is known from %s:%" PRIu64
                " on; rows before that, if there are any, need sluice schema import\n",
                table->db, table->table, version->place->file, version->place->pos);
}

/* A user who sees no table there would leave nothing. */
static int check_any(struct rebuild *rebuild, struct err *e)
{
    struct history_table table;
    const struct history_version *newest;
    for (size_t i = 0; history_table(schema_history(rebuild->reading.schema), i, &table); i++)
        if (outcome_of(rebuild, i, &table, &newest) != OUTCOME_NONE)
            return 0;
    return err_set(e, GRANT_MISSING, "schema rebuild",
                   "none of the tables is on the server, or source.user may not see them; nothing was forgotten");
}

static void tell(struct rebuild *rebuild)
{
    struct history *history = schema_history(rebuild->reading.schema);
    struct history_table table;
    const struct history_version *newest;
    size_t count[OUTCOME_NONE + 1] = {0};
    for (size_t i = 0; history_table(history, i, &table); i++) {
        enum outcome outcome = outcome_of(rebuild, i, &table, &newest);
        count[outcome]++;
        if (outcome == OUTCOME_LATER)
            name_table(&table, first_known(history, i, table.versions), outcome);
        else if (outcome == OUTCOME_UNKNOWN)
            name_table(&table, newest, outcome);
    }
    printf("%zu tables are known, %zu are not\n", count[OUTCOME_KNOWN] + count[OUTCOME_LATER], count[OUTCOME_UNKNOWN]);
}

/* All is read before anything is forgotten, and nothing is told before it is stored: a failure leaves what was known.
 */
static int read_anew(struct rebuild *rebuild, struct err *e)
{
    int rc = open_reading(rebuild, e);
    if (rc == 0)
        rc = pipeline_run(rebuild->pipe, NULL, e);
    if (rc == 0)
        rc = check_any(rebuild, e);
    if (rc == 0)
        rc = store(rebuild, schema_history(rebuild->reading.schema), e);
    if (rc == 0)
        tell(rebuild);
    return rc;
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
        rc = service_state_open(&rebuild.state, &run->settings, &run->env, STATE_OWN, e);
    if (rc == 0)
        rc = find_place(&rebuild, &begun, e);
    if (rc == 0)
        rc = begun ? read_anew(&rebuild, e) : store_nothing(&rebuild, e);
    close_reading(&rebuild);
    state_close(rebuild.state);
    position_release(&rebuild.at.pos);
    return rc;
}
