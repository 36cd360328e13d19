/* sluice schema show: the definitions that the service's history, or a history made from binlog files, holds. */
#include <stdio.h>
#include <string.h>

#include "cmd/schema_command.h"
#include "cmd/schema_print.h"
#include "pipeline/service_state.h"

struct show {
    struct history *history;
    const struct routes *routes;
    const struct history_where *where; /* NULL: the newest versions */
    const struct tables *tables;       /* that --table names; NULL: it is not given */
    bool all, json, printed;
    struct buf out;
    char db[HISTORY_NAME_MAX + 1]; /* that USE named last */
};

static int print_version(struct show *show, const struct history_table *table, const struct history_version *version,
                         struct err *e)
{
    int rc = 0;
    if (show->json)
        rc = schema_print_json(table, version, &show->out, e);
    else
        schema_print_sql(table, version, show->db, &show->out);
    if (rc != 0)
        return err_wrap(e, "%s.%s", table->db, table->table);
    if (version->kind == HISTORY_DEFINED && table->table[0])
        snprintf(show->db, sizeof show->db, "%s", table->db);
    if (show->out.failed)
        return err_set(e, NO_MEMORY, show->out.len);
    fwrite(show->out.p, 1, show->out.len, stdout);
    show->printed = true;
    buf_clear(&show->out);
    return 0;
}

/* The newest version, or the one that holds at the place: one that says that there is no table is left out. */
static int print_one(struct show *show, size_t index, const struct history_table *table, struct err *e)
{
    const struct history_version *version = show->where
                                                ? history_find(show->history, table->db, table->table, show->where)
                                                : history_version(show->history, index, table->versions - 1);
    if (!version || version->kind == HISTORY_GONE)
        return 0;
    return print_version(show, table, version, e);
}

static int print_all(struct show *show, size_t index, const struct history_table *table, struct err *e)
{
    int rc = 0;
    for (size_t n = 0; rc == 0 && n < table->versions; n++)
        rc = print_version(show, table, history_version(show->history, index, n), e);
    return rc;
}

static bool is_known(struct history *history, const struct route *named)
{
    struct history_table table;
    for (size_t i = 0; history_table(history, i, &table); i++)
        if (table.table[0] && route_matches(named, table.db, table.table))
            return true;
    return false;
}

/* A name that no table has is a mistyped one. */
static int check_names(const struct show *show, struct err *e)
{
    char name[2 * HISTORY_NAME_MAX];
    for (unsigned i = 0; show->tables && i < show->tables->count; i++) {
        const struct route *named = &show->tables->list[i];
        if (is_known(show->history, named))
            continue;
        snprintf(name, sizeof name, "%s.%s", named->db, named->table);
        return err_set(e, TABLE_NOT_KNOWN, name);
    }
    return 0;
}

static int show_history(struct show *show, struct err *e)
{
    struct history_table table;
    int rc = check_names(show, e);
    for (size_t i = 0; rc == 0 && history_table(show->history, i, &table); i++) {
        bool plain = table.table[0] && !table.candidate;
        if (!show->all && !plain)
            continue;
        if (table.table[0] && !routes_wants(show->routes, table.db, table.table))
            continue;
        rc = show->all && !show->where ? print_all(show, i, &table, e) : print_one(show, i, &table, e);
    }
    buf_release(&show->out);
    if (rc == 0 && show->tables && !show->printed)
        fprintf(stderr, "sluice schema: no such table is there %s; --all tells what is known\n",
                show->where ? "at that place" : "now");
    if (rc == 0 && (fflush(stdout) != 0 || ferror(stdout)))
        rc = err_set(e, FILE_READ, "standard output", "cannot be written");
    return rc;
}

static int show_service(struct schema_run *run, struct show *show, struct err *e)
{
    struct state *state = NULL;
    struct position pos;
    struct history_where where;
    position_init(&pos);
    int rc = service_state_open(&state, &run->settings, &run->env, STATE_READ, e);
    if (rc == 0 && run->given->at)
        rc = schema_place(run->given->at, state, &pos, &where, e);
    if (rc == 0)
        rc = history_open(&show->history, state, NULL, e);
    if (rc == 0) {
        show->where = run->given->at ? &where : NULL;
        rc = show_history(show, e);
    }
    history_free(show->history);
    state_close(state);
    position_release(&pos);
    return rc;
}

static int show_files(void *ctx, struct history *history, struct err *e)
{
    struct show *show = ctx;
    show->history = history;
    return show_history(show, e);
}

int schema_show(struct schema_run *run, struct err *e)
{
    const struct schema_flags *given = run->given;
    struct show show = {.all = given->all, .json = strcmp(given->format, "json") == 0};
    if (!show.json && strcmp(given->format, "sql") != 0)
        return err_set(e, USAGE, "--format: write sql or json");
    if (run->word_count == 0 && !given->config)
        return err_set(e, USAGE, "show: name binlog files, or a service's configuration with -c");
    if (run->word_count && given->at)
        return err_set(e, USAGE, "--at is for a service's history: name fewer files");
    int rc = tables_make(&run->tables, &given->tables, NULL, e);
    if (rc != 0)
        return rc;
    show.routes = run->tables.routes;
    show.tables = given->tables.count ? &run->tables : NULL;
    buf_init(&show.out, 0);
    return run->word_count ? schema_of_files(run, show_files, &show, e) : show_service(run, &show, e);
}
