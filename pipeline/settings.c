/* The top level and `source` of the configuration file. */
#include "pipeline/settings_private.h"

#include "change/format.h"
#include "change/shape.h"
#include "pipeline/dead_log.h"

#define FIELD(name_)  .offset = offsetof(struct settings, name_)
#define SOURCE(name_) .offset = offsetof(struct source_settings, name_)

static const struct option_name log_formats[] = {{"logfmt", LOG_LOGFMT}, {"json", LOG_JSON}, {NULL, 0}};
static const struct option_name log_levels[] = {
    {"debug", LOG_DEBUG}, {"info", LOG_INFO}, {"warn", LOG_WARN}, {"error", LOG_ERROR}, {NULL, 0}};
static const struct option_name tls_modes[] = {{"default", CLIENT_TLS_DEFAULT},
                                               {"disabled", CLIENT_TLS_DISABLED},
                                               {"preferred", CLIENT_TLS_PREFERRED},
                                               {"required", CLIENT_TLS_REQUIRED},
                                               {"verify_ca", CLIENT_TLS_VERIFY_CA},
                                               {"verify_identity", CLIENT_TLS_VERIFY_IDENTITY},
                                               {NULL, 0}};
static const struct option_name lost_modes[] = {{"stop", ON_LOST_STOP}, {"continue", ON_LOST_CONTINUE}, {NULL, 0}};
static const struct option_name statement_modes[] = {
    {"stop", ON_STATEMENT_STOP}, {"warn", ON_STATEMENT_WARN}, {NULL, 0}};
static const struct option_name unknown_xa_modes[] = {
    {"stop", ON_UNKNOWN_XA_STOP}, {"warn", ON_UNKNOWN_XA_WARN}, {NULL, 0}};

const struct option settings_options[] = {
    {.name = "state_dir",
     .type = OPTION_STRING,
     FIELD(state_dir),
     .help = "Required but for dump. Folder of the checkpoint and the epochs; made with mode 0700. One service owns it "
             "at a time."},
    {.name = "partitions",
     .type = OPTION_UINT,
     FIELD(partitions),
     .text = "16",
     .min = 1,
     .max = LEDGER_LANES_MAX,
     .help = "Lanes of the embedded bus: rows of one key always go to one lane."},
    {.name = "buffer_bytes",
     .type = OPTION_SIZE,
     FIELD(buffer_bytes),
     .text = "64MiB",
     .min = LANE_BUFFER_BYTES_MIN,
     .max = INT64_C(1) << 40,
     .help = "Memory of the lanes; when it is full the source waits."},
    {.name = "tx_buffer_bytes",
     .type = OPTION_SIZE,
     FIELD(tx_buffer_bytes),
     .text = "0",
     .min = 0,
     .max = INT64_C(1) << 40,
     .help = "A transaction that holds more is published in parts before its end. 0, and the most: a quarter of "
             "buffer_bytes."},
    {.name = "max_event_bytes",
     .type = OPTION_SIZE,
     FIELD(max_event_bytes),
     .text = "1GiB",
     .min = 1024,
     .max = INT64_C(1) << 30,
     .help = "The largest binlog event that is accepted."},
    {.name = "xa_spool_bytes",
     .type = OPTION_SIZE,
     FIELD(xa_spool_bytes),
     .text = "1GiB",
     .min = 65536,
     .max = INT64_C(1) << 40,
     .help =
         "Rows of prepared XA transactions wait in state_dir for their XA COMMIT; together they may not be larger."},
    {.name = "keep_dropped_tables",
     .type = OPTION_UINT,
     FIELD(keep_dropped_tables),
     .text = "10000",
     .min = 0,
     .max = 100000000,
     .help = "At a start, definitions of more tables that were dropped before the stored positions are forgotten."},
    {.name = "keep_table_versions",
     .type = OPTION_UINT,
     FIELD(keep_table_versions),
     .text = "1000",
     .min = 0,
     .max = 100000000,
     .help = "At a start, more definitions of one table that others followed before the stored positions are "
             "forgotten."},
    {.name = "dead_letters_max",
     .type = OPTION_UINT,
     FIELD(dead_letters_max),
     .text = "10000",
     .min = 1,
     .max = DEAD_LETTERS_MAX,
     .help = "So many changes may wait in state_dir as dead letters (dead_letters: state of a sink); with another one "
             "the service stops."},
    {.name = "checkpoint_ms",
     .type = OPTION_DURATION,
     FIELD(checkpoint_ms),
     .text = "200ms",
     .min = 1,
     .max = 3600000,
     .help = "The positions are stored at most this often."},
    {.name = "shutdown_ms",
     .type = OPTION_DURATION,
     FIELD(shutdown_ms),
     .text = "10s",
     .min = 1,
     .max = 3600000,
     .help = "After SIGTERM or SIGINT, the time to apply what was read."},
    {.name = "stats_interval",
     .type = OPTION_DURATION,
     FIELD(stats_interval_ms),
     .text = "10s",
     .min = 0,
     .max = 86400000,
     .help = "One line of figures is logged this often; 0 for none."},
    {.name = "log_format",
     .type = OPTION_ENUM,
     FIELD(log_format),
     .text = "logfmt",
     .names = log_formats,
     .help = "Form of the log lines on standard error."},
    {.name = "log_level",
     .type = OPTION_ENUM,
     FIELD(log_level),
     .text = "info",
     .names = log_levels,
     .help = "Lines below this level are not written."},
    {.name = NULL}};

const struct option settings_source_options[] = {
    {.name = "host",
     .type = OPTION_LIST,
     SOURCE(hosts),
     .text = "127.0.0.1",
     .help = "The server, as host or host:port; with several, the next is tried by GTID when one is lost."},
    {.name = "port", .type = OPTION_PORT, SOURCE(port), .text = "3306", .help = "Port of hosts that name none."},
    {.name = "socket", .type = OPTION_STRING, SOURCE(socket), .help = "Unix socket; goes before host and port."},
    {.name = "user",
     .type = OPTION_STRING,
     SOURCE(user),
     .flags = OPTION_REQUIRED,
     .help = "Needs REPLICATION SLAVE, REPLICATION CLIENT and SELECT on the routed tables."},
    {.name = "password", .type = OPTION_SECRET, SOURCE(password), .help = "Of the user."},
    {.name = "start",
     .type = OPTION_STRING,
     SOURCE(start),
     .text = "current",
     .help = "Where a service without a checkpoint begins: current, earliest, FILE:POS, a GTID set, or a time."},
    {.name = "tls",
     .type = OPTION_ENUM,
     SOURCE(tls),
     .text = "default",
     .names = tls_modes,
     .help = "default is verify_identity to a host that is not loopback, else preferred."},
    {.name = "tls_ca", .type = OPTION_STRING, SOURCE(tls_ca), .help = "File of the CA certificates that are trusted."},
    {.name = "tls_cert", .type = OPTION_STRING, SOURCE(tls_cert), .help = "File of our own certificate."},
    {.name = "tls_key", .type = OPTION_STRING, SOURCE(tls_key), .help = "File of its key."},
    {.name = "server_id",
     .type = OPTION_UINT,
     SOURCE(server_id),
     .text = "0",
     .min = 0,
     .max = UINT32_MAX,
     .help = "Ours, as a replica; must be unique. 0: random."},
    {.name = "heartbeat_ms",
     .type = OPTION_DURATION,
     SOURCE(heartbeat_ms),
     .text = "5s",
     .min = 100,
     .max = 3600000,
     .help = "The server says this often that it is there; after three missed ones the connection is opened again."},
    {.name = "connect_timeout_ms",
     .type = OPTION_DURATION,
     SOURCE(connect_timeout_ms),
     .text = "10s",
     .min = 100,
     .max = 600000,
     .help = "Time for one connection attempt."},
    {.name = "lost_grace_ms",
     .type = OPTION_DURATION,
     SOURCE(lost_grace_ms),
     .text = "30s",
     .min = 1,
     .max = 86400000,
     .help = "So long a server that lacks transactions may catch up before on_lost_transactions decides."},
    {.name = "on_lost_transactions",
     .type = OPTION_ENUM,
     SOURCE(on_lost_transactions),
     .text = "stop",
     .names = lost_modes,
     .help = "When the server after a failover lacks transactions that were read: stop and name them, or continue."},
    {.name = "on_statement",
     .type = OPTION_ENUM,
     SOURCE(on_statement),
     .text = "stop",
     .names = statement_modes,
     .help = "A change that was logged as a statement cannot be followed, nor can one that the server lost (an "
             "incident): stop, or warn and go on."},
    {.name = "query",
     .type = OPTION_BOOL,
     SOURCE(query),
     .text = "false",
     .help = "Changes carry the text of their statement as `query`, where the server logs it: "
             "binlog_rows_query_log_events of MySQL, binlog_annotate_row_events of MariaDB."},
    {.name = "query_max_bytes",
     .type = OPTION_SIZE,
     SOURCE(query_max_bytes),
     .text = "4KiB",
     .min = 16,
     .max = LANE_SEGMENT_BYTES_MAX / LANE_QUERY_PART,
     .help = "A longer text is cut, and `query_bytes` tells how long it was."},
    {.name = "on_unknown_xa",
     .type = OPTION_ENUM,
     SOURCE(on_unknown_xa),
     .text = "stop",
     .names = unknown_xa_modes,
     .help =
         "XA COMMIT of a transaction that was prepared before the start, whose rows are not known: stop, or warn and "
         "go on without them."},
    {.name = NULL}};

static int read_source(struct settings *out, struct config *cfg, struct err *e)
{
    static const struct option *const tables[] = {settings_source_options, NULL};
    const struct node *source;
    if (config_section(cfg, config_root(cfg), "source", &source, e) != 0 ||
        option_check_keys(source, tables, NULL, e) != 0 ||
        option_parse(cfg, settings_source_options, source, &out->source, e) != 0)
        return err_result(e);
    struct start start;
    const struct node *start_node = node_child(source, "start");
    if (start_parse(&start, out->source.start, e) != 0)
        return err_wrap(e, "%s:%u: source.start", source->file, start_node ? start_node->line : source->line);
    position_release(&start.pos);
    return 0;
}

static int read_all(struct settings *out, struct config *cfg, enum settings_need need, struct err *e)
{
    static const struct option *const tables[] = {settings_options, NULL};
    static const char *const sections[] = {"source", "bus", "sinks", "routes", NULL};
    const struct node *root = config_root(cfg);
    if (option_check_keys(root, tables, sections, e) != 0 || option_parse(cfg, settings_options, root, out, e) != 0)
        return err_result(e);
    if (need != SETTINGS_NO_SOURCE && read_source(out, cfg, e) != 0)
        return err_result(e);
    bool whole = need != SETTINGS_SOURCE;
    if (whole && !out->state_dir)
        return err_set(e, CONFIG_MISSING, out->file, "state_dir");
    if (settings_read_bus(out, cfg, e) != 0)
        return err_result(e);
    if ((whole || node_child(root, "sinks")) && settings_read_sinks(out, cfg, e) != 0)
        return err_result(e);
    return whole || node_child(root, "routes") ? settings_read_routes(out, cfg, e) : 0;
}

int settings_read(struct settings *out, struct config **cfg_out, const struct env *env,
                  const struct settings_file *file, struct err *e)
{
    struct settings settings = {.file = file->path};
    struct config *cfg;
    if (config_read(&cfg, env, file->path, e) != 0)
        return err_result(e);
    if (read_all(&settings, cfg, file->need, e) != 0) {
        config_free(cfg);
        return err_result(e);
    }
    settings.file = file->path;
    *out = settings;
    *cfg_out = cfg;
    return 0;
}

static void print_section(FILE *out, const char *title, const char *words, const struct option *table)
{
    fprintf(out, "\n## %s\n\n%s\n\n", title, words);
    option_print_markdown(out, table);
}

void settings_print_reference(FILE *out)
{
    print_section(out, "Top level", "Beside the sections `source`, `bus`, `sinks` and `routes`.", settings_options);
    print_section(out, "source", "The server whose binlog is read.", settings_source_options);
    print_section(out, "bus",
                  "What lies between the reader and the appliers; without it one process does both. With `type: kafka` "
                  "it also has the options of a sink of that type and of the routes to one.",
                  settings_bus_options);
    print_section(out, "sinks", "A mapping: the sink's name, and its options. Each sink has:", settings_sink_options);
    for (const struct sink_ops *const *ops = sink_registry; *ops; ops++)
        if ((*ops)->options) {
            fprintf(out, "\n### type: %s\n\n", (*ops)->kind);
            option_print_markdown(out, (*ops)->options);
        }
    print_section(out, "routes",
                  "A sequence. Each route has, beside the options of the kinds of its sinks:", settings_route_options);
    for (const struct sink_ops *const *ops = sink_registry; *ops; ops++)
        if ((*ops)->route_options) {
            fprintf(out, "\n### To a sink of type %s\n\n", (*ops)->kind);
            option_print_markdown(out, (*ops)->route_options);
        }
    fprintf(
        out,
        "\n## Options of formats\n\nIn `format_options` of a route, or `dump --format-option`, each as name=value.\n");
    for (const struct format_ops *const *ops = format_registry; *ops; ops++)
        if ((*ops)->options) {
            fprintf(out, "\n### format: %s\n\n%s\n\n", (*ops)->name, (*ops)->help);
            option_print_markdown(out, (*ops)->options);
        }
}
