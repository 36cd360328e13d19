/* Whether the routes fit the tables, before a service starts. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "pipeline/checkpoint.h"
#include "pipeline/pipeline.h"
#include "pipeline/reading.h"
#include "schema/definition.h"

/* What the visit of a server's tables needs. */
struct check {
    const struct env *env;
    const struct routes *routes;
    struct pipeline *pipe;
    struct schema_server *server;
    struct history *history;
    struct checkpoint begin;
    bool exists;   /* the table that was checked last is there, or was where the service goes on */
    char *filters; /* the database that was last seen to be in the log */
};

/* One statement per database: a server may have very many tables. */
static int check_filters(struct check *check, const char *db, const char *table, struct err *e)
{
    const struct ddl_table name = {.db = db, .name = table};
    if (check->filters && strcmp(check->filters, db) == 0)
        return 0;
    if (schema_server_check_filters(check->server, &name, 1, e) != 0)
        return err_result(e);
    free(check->filters);
    check->filters = strdup(db);
    return check->filters ? 0 : err_set(e, NO_MEMORY, strlen(db));
}

/* Binds the routes to a definition. One that cannot be read is told at the table's first row. */
static int bind(struct check *check, const char *db, const char *text, size_t len, struct err *e)
{
    struct definition *def = NULL;
    struct err unread = ERR_INIT;
    if (definition_new(&def, db, text, len, &unread) != 0)
        return 0;
    int rc = pipeline_check(check->pipe, definition_table(def), e);
    definition_free(def);
    return rc;
}

/* As it is now. 1: bound; 0: there is no such table. */
static int bind_current(struct check *check, const char *db, const char *table, struct err *e)
{
    struct buf text;
    buf_init(&text, CLIENT_RESULT_MAX);
    int rc = schema_server_definition(check->server, db, table, &text, e);
    if (rc == 1 && bind(check, db, (const char *)text.p, text.len, e) != 0)
        rc = err_result(e);
    buf_release(&text);
    return rc;
}

/* As it was where the service goes on. NULL: not known. */
static const struct history_version *at_begin(struct check *check, const char *db, const char *table)
{
    const struct checkpoint_entry *oldest = checkpoint_oldest(&check->begin);
    if (!oldest || !check->history)
        return NULL;
    const struct history_where where = history_at(&oldest->pos);
    const struct history_version *version = history_find(check->history, db, table, &where);
    return version && version->kind == HISTORY_DEFINED ? version : NULL;
}

static int check_table(void *ctx, const char *db, const char *table, struct err *e)
{
    struct check *check = ctx;
    struct err then = ERR_INIT, now = ERR_INIT;
    check->exists = false;
    if (!routes_wants(check->routes, db, table))
        return 0;
    if (check_filters(check, db, table, e) != 0)
        return err_result(e);
    const struct history_version *version = at_begin(check, db, table);
    check->exists = version != NULL;
    if (version && bind(check, db, version->text, version->len, &then) == 0)
        return 0;
    int rc = bind_current(check, db, table, &now);
    check->exists = check->exists || rc == 1;
    if (rc == 1 || (rc == 0 && !version))
        return 0;
    bool misfit = version && (rc == 0 || err_class(&now) == ERR_CLASS_USAGE);
    const struct err *why = misfit ? &then : &now;
    return err_set_format(e, why->code, "%s", why->text);
}

/* Routes that name one table exactly are looked up one by one: a server may have very many others. */
static int check_routes(struct check *check, struct err *e)
{
    const struct route *list;
    unsigned count = routes_list(check->routes, &list);
    bool patterns = false;
    for (unsigned r = 0; r < count; r++) {
        if (!route_is_exact(&list[r])) {
            patterns = true;
            continue;
        }
        if (check_table(check, list[r].db, list[r].table, e) != 0)
            return err_result(e);
        if (!check->exists)
            log_event(check->env->log, LOG_WARN, "a routed table does not exist yet", LOG_STR("db", list[r].db),
                      LOG_STR("table", list[r].table), LOG_UINT("line", list[r].line));
    }
    return patterns ? schema_server_tables(check->server, check_table, check, e) : 0;
}

/* Tells reading_interrupt which connection to cut. */
static void announce(struct reading *reading, struct schema_server *server)
{
    pthread_mutex_lock(&reading->lock);
    reading->checking = server;
    if (server && reading->interrupted)
        schema_server_interrupt(server);
    pthread_mutex_unlock(&reading->lock);
}

void reading_interrupt(struct reading *reading)
{
    pthread_mutex_lock(&reading->lock);
    reading->interrupted = true;
    if (reading->checking)
        schema_server_interrupt(reading->checking);
    pthread_mutex_unlock(&reading->lock);
}

int reading_check(struct reading *reading, const struct reading_live_options *opt, struct pipeline *pipe, struct err *e)
{
    int rc = -1;
    for (size_t i = 0; i < reading->host_count; i++) {
        struct check check = {.env = opt->env, .routes = opt->routes, .pipe = pipe, .history = reading->history};
        err_clear(e);
        rc = reading_server(&check.server, &reading->hosts[i], opt->env, e);
        announce(reading, check.server);
        if (rc == 0)
            rc = opt->state ? checkpoint_load(&check.begin, opt->state, e) : 0;
        if (rc == 0)
            rc = check_routes(&check, e);
        if (rc != 0 && err_class(e) == ERR_CLASS_USAGE)
            (void)err_wrap(e, "%s", opt->settings->file);
        announce(reading, NULL);
        checkpoint_release(&check.begin);
        free(check.filters);
        schema_server_free(check.server);
        if (rc == 0 || err_class(e) != ERR_CLASS_RETRY)
            break;
    }
    return rc;
}
