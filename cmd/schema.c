/* sluice schema show|import|rebuild: the history of the tables' definitions, looked at and repaired. */
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cmd/schema_command.h"
#include "pipeline/checkpoint.h"

#define FLAG(name_) .offset = offsetof(struct schema_flags, name_)
static const struct option flags[] = {
    FLAG_CONFIG(schema_flags, config, 0),
    {.name = "table",
     .type = OPTION_LIST,
     FLAG(tables),
     .help =
         "Only these tables, database.table with * and ?; may be given again. import and rebuild: the routes' else."},
    {.name = "at",
     .type = OPTION_STRING,
     FLAG(at),
     .help = "show: the definitions that hold at FILE:POS or behind a GTID set; the newest else."},
    {.name = "all", .type = OPTION_BOOL, FLAG(all), .help = "show: every version, with databases and candidates."},
    {.name = "format", .type = OPTION_STRING, FLAG(format), .text = "sql", .help = "show: sql or json."},
    {.name = "from",
     .type = OPTION_STRING,
     FLAG(from),
     .help = "import: the definitions hold from FILE:POS, behind a GTID set, or for all (earliest); from the oldest "
             "stored position else."},
    {.name = NULL}};

int schema_place(const char *text, struct state *state, struct position *pos, struct history_where *out, struct err *e)
{
    struct checkpoint cp = {0};
    struct start start = {.kind = START_EARLIEST};
    int rc = checkpoint_load(&cp, state, e);
    if (rc != 0)
        return rc;
    const struct checkpoint_entry *oldest = checkpoint_oldest(&cp);
    position_init(&start.pos);
    if (text)
        rc = start_parse(&start, text, e);
    else if (oldest)
        rc = position_copy(pos, &oldest->pos, e);
    if (rc == 0 && text && start.kind != START_EARLIEST && start.kind != START_FILEPOS && start.kind != START_GTID)
        rc = err_set(e, POSITION_SYNTAX, (int)strlen(text), text, "file:pos, a GTID set or earliest is needed here");
    if (rc == 0 && text)
        rc = position_copy(pos, &start.pos, e);
    /* A file has its name on one server: that of the service. */
    if (rc == 0 && start.kind == START_FILEPOS && oldest)
        snprintf(pos->server_uuid, sizeof pos->server_uuid, "%s", oldest->pos.server_uuid);
    if (rc == 0)
        *out = history_at(pos);
    position_release(&start.pos);
    checkpoint_release(&cp);
    return rc;
}

int schema_tables(struct schema_run *run, struct err *e)
{
    const struct settings *settings = &run->settings;
    if (run->given->tables.count == 0 &&
        tables_add_routes(&run->tables, settings->routes, settings->route_count, e) != 0)
        return err_result(e);
    return tables_make(&run->tables, &run->given->tables, NULL, e);
}

static const struct {
    const char *name;
    int (*run)(struct schema_run *run, struct err *e);
    bool config; /* is needed */
} verbs[] = {
    {"show", schema_show, false},
    {"import", schema_import_file, true},
    {"rebuild", schema_rebuild, true},
};

static int run(const struct invocation *inv, int *exit_code, struct err *e)
{
    (void)exit_code;
    struct schema_run run = {.given = inv->flags, .env = inv->env};
    const char *verb = inv->word_count ? inv->words[0] : "";
    size_t at = 0, count = sizeof verbs / sizeof *verbs;
    while (at < count && strcmp(verbs[at].name, verb) != 0)
        at++;
    if (at == count)
        return err_set(e, USAGE, "write: sluice schema -c CONFIG show, import FILE.sql, or rebuild");
    if (verbs[at].config && !run.given->config)
        return err_set(e, CONFIG_MISSING, "command line", "-c FILE");
    run.words = inv->words + 1;
    run.word_count = inv->word_count - 1;
    run.env.log = log_new(&inv->env, STDERR_FILENO, LOG_LOGFMT, LOG_WARN);
    tables_init(&run.tables);
    int rc = 0;
    if (run.given->config)
        rc = settings_read(&run.settings, &run.cfg, &run.env,
                           &(struct settings_file){run.given->config, SETTINGS_WHOLE}, e);
    if (rc == 0)
        rc = verbs[at].run(&run, e);
    tables_release(&run.tables);
    config_free(run.cfg);
    log_free(run.env.log);
    return rc;
}

const struct command command_schema = {.name = "schema",
                                       .words = "show [FILE...]|import FILE.sql|rebuild",
                                       .help = "Shows or repairs the history of the tables' definitions.",
                                       .flags = flags,
                                       .flags_size = sizeof(struct schema_flags),
                                       .run = run};
