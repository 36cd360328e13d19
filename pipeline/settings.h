/* The configuration file as the program uses it: sections → option tables → structs. Read once, before any thread. */
#ifndef SLUICE_PIPELINE_SETTINGS_H
#define SLUICE_PIPELINE_SETTINGS_H

#include "base/log.h"
#include "binlog/log_reader.h"
#include "client/client.h"
#include "config/option.h"
#include "partition/route.h"
#include "pipeline/pipeline.h"
#include "sink/sink.h"
#include "state/state.h"

enum on_lost { ON_LOST_STOP, ON_LOST_CONTINUE };

struct source_settings {
    struct option_list hosts;
    uint16_t port;
    const char *socket, *user, *password, *start;
    int tls; /* enum client_tls */
    const char *tls_ca, *tls_cert, *tls_key;
    uint64_t server_id;
    uint64_t heartbeat_ms, connect_timeout_ms;
    uint64_t lost_grace_ms;
    int on_lost_transactions; /* enum on_lost */
    int on_statement;         /* enum on_statement */
    bool query;
    uint64_t query_max_bytes;
    int on_unknown_xa; /* enum on_unknown_xa */
};

/* As options of the source, the lanes: 0 when the texts are not asked for. */
static inline size_t settings_query_bytes(const struct source_settings *source)
{
    return source->query ? (size_t)source->query_max_bytes : 0;
}

/* What lies between the reader and the appliers. */
enum bus_type { BUS_EMBEDDED, BUS_KAFKA };
enum bus_from { BUS_FROM_EARLIEST, BUS_FROM_LATEST };

struct bus_settings {
    int type; /* enum bus_type */
    /* The rest only with BUS_KAFKA. */
    struct pipeline_sink sink; /* the reader's only one, named "bus" */
    const void *route_options; /* of all routes to it */
    const char *group;         /* of the appliers; NULL: the topic's name */
    const char *instance_id;   /* of an applier that is a static member; NULL: it is none */
    int from;                  /* enum bus_from */
    uint64_t session_ms;
    uint64_t epoch; /* of versions, where the topic has none */
};

struct settings {
    const char *file;
    const char *state_dir;
    uint64_t partitions;
    uint64_t buffer_bytes, tx_buffer_bytes, max_event_bytes, xa_spool_bytes;
    uint64_t keep_dropped_tables, keep_table_versions; /* of the history of definitions: see history_trim */
    uint64_t dead_letters_max;
    uint64_t checkpoint_ms, shutdown_ms, stats_interval_ms;
    int log_format, log_level; /* enum log_format, enum log_level */
    struct source_settings source;
    struct bus_settings bus;
    const struct pipeline_sink *sinks;
    unsigned sink_count;
    const struct route *routes;
    unsigned route_count;
};

/* What a command needs of the file: everything, only `source` (sinks, routes and state_dir may be missing), or all but
 * `source`, which may be missing and of which nothing is read, nor its files. */
enum settings_need { SETTINGS_WHOLE, SETTINGS_SOURCE, SETTINGS_NO_SOURCE };
struct settings_file {
    const char *path;
    enum settings_need need;
};

/* Reads and checks the file. Everything in *out lives in *cfg, which the caller frees. Errors: USAGE class, with line.
 */
int settings_read(struct settings *out, struct config **cfg, const struct env *env, const struct settings_file *file,
                  struct err *e);

/* Makes them the settings of a reader: the bus is the only sink, and all routes lead to it. What was read of sinks and
 * routes stays checked but unused. What it makes lives in `cfg`. Errors: USAGE when the bus is embedded, or a route
 * asks for what does not pass the bus, with its line. */
int settings_of_reader(struct settings *settings, struct config *cfg, struct err *e);

/* Leaves only these sinks and the routes to them, and makes the bus's group one of their own: `<group>.<sink>`, of
 * several the names in the order of the file. No names, or an embedded bus: nothing changes. What it makes lives in
 * `cfg`. Errors: USAGE for a name that no sink or no route has. */
int settings_keep_sinks(struct settings *settings, struct config *cfg, const struct option_list *names, struct err *e);

/* What an applier reads, but for its state: as of the settings, which must outlive it. Errors: USAGE when the bus is
 * embedded, its topic depends on the table, or a route asks for what a foreign topic cannot have. */
int settings_of_applier(struct pipeline_bus *out, const struct settings *settings, struct err *e);

/* A sink that a command brings itself: inline, named for its kind, with that kind's defaults but for what is given. Its
 * options live in *cfg, which the caller frees. Errors: as option_set, and of ops->ready. */
struct settings_own_sink {
    const char *kind;
    const struct option_text *options, *route_options; /* each ends with a NULL place; NULL: defaults */
    const void **route;                                /* filled: the options of its routes; NULL: not asked for */
};
int settings_own_sink(struct pipeline_sink *out, const struct settings_own_sink *own, struct config **cfg,
                      const struct env *env, struct err *e);

/* The tables, for the generated reference. */
extern const struct option settings_options[], settings_source_options[], settings_bus_options[],
    settings_sink_options[], settings_route_options[];

/* Prints docs/configuration.md's tables, sections and all sink kinds. */
void settings_print_reference(FILE *out);

#endif
