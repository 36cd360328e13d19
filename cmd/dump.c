/* sluice dump: changes as JSON lines on standard output, from files or from a live server; keeps no position. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cmd/command.h"
#include "cmd/import_file.h"
#include "cmd/tables.h"
#include "pipeline/reading.h"

#define DUMP_BUFFER_BYTES  (16u * 1024 * 1024)
#define DUMP_CHECKPOINT_MS 200
#define DUMP_QUERY_BYTES   4096 /* without a configuration that says another limit */

struct dump_flags {
    const char *config, *from, *to, *format, *geometry;
    struct option_list tables, schema, format_options;
    bool query, record_key;
};

#define FLAG(name_) .offset = offsetof(struct dump_flags, name_)
static const struct option flags[] = {
    FLAG_CONFIG(dump_flags, config, 0),
    {.name = "from",
     .type = OPTION_STRING,
     FLAG(from),
     .help = "Begin: FILE:POS, a GTID set, a time, earliest or current. Files begin at their begin, a server at "
             "source.start."},
    {.name = "to",
     .type = OPTION_STRING,
     FLAG(to),
     .help = "End: FILE:POS, a GTID set, or a time; a server is followed without end else."},
    {.name = "table",
     .type = OPTION_LIST,
     FLAG(tables),
     .help = "Only these tables, database.table with * and ?; may be given again. All of the files, or the routes' of "
             "the configuration, else."},
    {.name = "schema",
     .type = OPTION_LIST,
     FLAG(schema),
     .help =
         "Definitions of the tables as they were at the begin, in SQL: the output of mysqldump --no-data or of schema "
         "show; may be given again."},
    {.name = "format",
     .type = OPTION_STRING,
     FLAG(format),
     .text = "sluice",
     .help = "Output format: sluice, canal, debezium or maxwell."},
    {.name = "format_option",
     .type = OPTION_LIST,
     FLAG(format_options),
     .help = "An option of the format as name=value; may be given again. docs/formats.md lists them."},
    {.name = "geometry",
     .type = OPTION_STRING,
     FLAG(geometry),
     .help = "Of format sluice: GEOMETRY as wkb, base64 beside the SRID, or as geojson."},
    {.name = "record_key",
     .type = OPTION_BOOL,
     FLAG(record_key),
     .text = "false",
     .help = "Each line begins with its record's key and, where the format has them, headers, with a tab behind each."},
    {.name = "query",
     .type = OPTION_BOOL,
     FLAG(query),
     .text = "false",
     .help = "With the text of the statement behind each change, where the server logged it."},
    {.name = NULL}};

struct dump {
    struct env env;
    struct config *cfg, *sink_cfg;
    const void *route_options;
    struct settings settings;
    bool live;
    struct start from, to;
    struct tables tables;
    struct reading reading;
    struct pipeline *pipe;
};

/* The tables of the flags, else the routes' with their keys, else all. */
static int make_tables(struct dump *dump, const struct dump_flags *given, struct err *e)
{
    const struct settings *settings = &dump->settings;
    if (dump->live && given->tables.count == 0 &&
        tables_add_routes(&dump->tables, settings->routes, settings->route_count, e) != 0)
        return err_result(e);
    return tables_make(&dump->tables, &given->tables, dump->route_options, e);
}

static int parse_bounds(struct dump *dump, const struct dump_flags *given, struct err *e)
{
    const char *from = given->from ? given->from : dump->live ? dump->settings.source.start : "earliest";
    if (start_parse(&dump->from, from, e) != 0)
        return err_wrap(e, "--from");
    if (given->to && end_parse(&dump->to, given->to, e) != 0)
        return err_wrap(e, "--to");
    return 0;
}

/* What the flag gives holds from the begin on, until a statement of the log changes it. */
static int import_schema(struct dump *dump, const struct dump_flags *given, struct err *e)
{
    static const struct history_where everywhere = {.server_uuid = ""};
    for (size_t i = 0; i < given->schema.count; i++) {
        struct schema_imported done;
        struct import_source source = {
            .path = given->schema.items[i], .interest = &dump->reading.interest, .place = &everywhere};
        if (import_file(schema_history(dump->reading.schema), &dump->env, &source, &done, e) != 0)
            return err_wrap(e, "--schema");
        if (done.unknown)
            log_event(dump->env.log, LOG_WARN, "a table is not told by the file", LOG_STR("table", done.unknown_name),
                      LOG_STR("why", done.why));
    }
    return 0;
}

/* The sink that prints, and what its routes share. */
static int make_sink(struct dump *dump, const struct dump_flags *given, struct pipeline_sink *sink, struct err *e)
{
    struct option_text options[] = {{"--record-key", "record_key", given->record_key ? "true" : "false"}, {0}};
    struct option_text geometry = {"--geometry", "format_options", NULL};
    char text[64];
    size_t count = 0;
    struct option_text *routes = calloc(given->format_options.count + 3, sizeof *routes);
    if (!routes)
        return err_set(e, NO_MEMORY, (given->format_options.count + 3) * sizeof *routes);
    routes[count++] = (struct option_text){"--format", "format", given->format};
    for (size_t i = 0; i < given->format_options.count; i++)
        routes[count++] = (struct option_text){"--format-option", "format_options", given->format_options.items[i]};
    if (given->geometry) {
        snprintf(text, sizeof text, "geometry=%s", given->geometry);
        geometry.text = text;
        routes[count++] = geometry;
    }
    struct settings_own_sink own = {"stdout", options, routes, &dump->route_options};
    int rc = settings_own_sink(sink, &own, &dump->sink_cfg, &dump->env, e);
    free(routes);
    return rc;
}

static int open_dump(struct dump *dump, const struct dump_flags *given, const struct invocation *inv,
                     const struct pipeline_sink *sink, struct err *e)
{
    if (given->config && settings_read(&dump->settings, &dump->cfg, &dump->env,
                                       &(struct settings_file){given->config, SETTINGS_SOURCE}, e) != 0)
        return err_result(e);
    if (parse_bounds(dump, given, e) != 0 || make_tables(dump, given, e) != 0)
        return err_result(e);
    unsigned needs = pipeline_needs(dump->tables.routes, sink, 1);
    dump->settings.source.query |= given->query || needs & FORMAT_NEEDS_QUERY;
    if (!given->config)
        dump->settings.source.query_max_bytes = DUMP_QUERY_BYTES;
    size_t query_bytes = settings_query_bytes(&dump->settings.source);
    const struct start *to = given->to ? &dump->to : NULL;
    struct reading_live_options live = {.settings = &dump->settings,
                                        .routes = dump->tables.routes,
                                        .env = &dump->env,
                                        .to = to,
                                        .needs = needs,
                                        .only_print = true};
    struct reading_files files = {.paths = inv->words,
                                  .count = inv->word_count,
                                  .to = to,
                                  .live = given->config ? &live : NULL,
                                  .needs = needs,
                                  .query_max_bytes = query_bytes};
    if (files.live && files.count)
        log_event(dump->env.log, LOG_WARN, "names that the log lacks are those that the server's tables have now");
    int rc = dump->live ? reading_live(&dump->reading, &live, e)
                        : reading_from_files(&dump->reading, &files, dump->tables.routes, &dump->env, e);
    if (rc != 0 || import_schema(dump, given, e) != 0)
        return err_result(e);
    struct pipeline_spec spec = {
        .env = &dump->env,
        .source = reading_take_source(&dump->reading),
        .routes = dump->tables.routes,
        .sinks = sink,
        .sink_count = 1,
        .lanes = 1,
        .buffer_bytes = dump->live ? dump->settings.buffer_bytes : DUMP_BUFFER_BYTES,
        .max_event_bytes = dump->live ? dump->settings.max_event_bytes : UINT32_MAX,
        .query_max_bytes = query_bytes,
        .start = &dump->from,
        .ends = to || !dump->live,
        .checkpoint_ms = DUMP_CHECKPOINT_MS,
    };
    return pipeline_open(&dump->pipe, &spec, e);
}

static int run(const struct invocation *inv, int *exit_code, struct err *e)
{
    (void)exit_code;
    const struct dump_flags *given = inv->flags;
    if (!given->config && inv->word_count == 0)
        return err_set(e, USAGE, "name binlog files, or a live source with -c");
    struct dump *dump = calloc(1, sizeof *dump);
    if (!dump)
        return err_set(e, NO_MEMORY, sizeof *dump);
    dump->env = inv->env;
    dump->env.log = log_new(&inv->env, STDERR_FILENO, LOG_LOGFMT, LOG_WARN);
    dump->live = given->config && inv->word_count == 0;
    tables_init(&dump->tables);
    reading_init(&dump->reading);
    position_init(&dump->from.pos);
    position_init(&dump->to.pos);
    struct pipeline_sink sink;
    if (make_sink(dump, given, &sink, e) == 0 && open_dump(dump, given, inv, &sink, e) == 0)
        (void)pipeline_run(dump->pipe, NULL, e);
    pipeline_close(dump->pipe);
    reading_release(&dump->reading);
    position_release(&dump->from.pos);
    position_release(&dump->to.pos);
    tables_release(&dump->tables);
    config_free(dump->cfg);
    config_free(dump->sink_cfg);
    log_free(dump->env.log);
    free(dump);
    return err_result(e);
}

const struct command command_dump = {.name = "dump",
                                     .words = "FILE... | -c CONFIG",
                                     .help = "Prints changes as JSON lines.",
                                     .flags = flags,
                                     .flags_size = sizeof(struct dump_flags),
                                     .run = run};
