/* sluice schema rebuild: the definitions of routed tables read anew from the server, with the log from the oldest
 * stored position on looked through for statements that changed them. */
#include <stdio.h>

#include "cmd/schema_command.h"

struct rebuild {
    struct schema_run *run;
    struct state *state;
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

int schema_rebuild(struct schema_run *run, struct err *e)
{
    struct rebuild rebuild = {.run = run};
    if (run->word_count)
        return err_set(e, USAGE, "rebuild takes no arguments but its flags");
    int rc = schema_tables(run, e);
    if (rc == 0)
        rc = state_open(&rebuild.state, &run->env, run->settings.state_dir, STATE_OWN, e);
    if (rc == 0)
        rc = forget_stored(&rebuild, e);
    if (rc == 0)
        puts("forgotten: the service reads the definitions when it starts");
    state_close(rebuild.state);
    return rc;
}
