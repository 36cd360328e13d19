/* A source with what it needs, made from the settings or from file names: hosts, schema, its reader, the source itself.
 */
#ifndef SLUICE_PIPELINE_READING_H
#define SLUICE_PIPELINE_READING_H

#include <pthread.h>

#include "pipeline/settings.h"
#include "schema/history.h"
#include "schema/server.h"

/* Must not move after reading_init (the source borrows from it). */
struct reading {
    struct source *source;    /* until reading_take_source */
    struct schema *schema;    /* owns the shapes: freed by reading_release, after pipeline_close */
    struct history *history;  /* of the definitions; under `schema` */
    struct position followed; /* see stream_options; when is_followed */
    bool is_followed;
    struct schema_server *server;  /* a live server's definitions; NULL for files */
    struct schema_reader timeless; /* for files: the same without a place in the log */
    struct interest interest;
    const struct client_options *hosts;
    size_t host_count;
    char uuid[SERVER_UUID_MAX + 1]; /* ours, as a replica */
    struct arena arena;
    pthread_mutex_t lock;           /* of `checking` */
    struct schema_server *checking; /* what reading_check asks just now */
    bool interrupted;
};

/* Before anything else. */
void reading_init(struct reading *reading);

/* Hands the source over to a pipeline_spec, which closes it. */
struct source *reading_take_source(struct reading *reading);

/* All borrowed until the source is closed. */
struct reading_live_options {
    const struct settings *settings;
    const struct routes *routes;
    const struct env *env;
    struct state *state;    /* keeps our UUID, what is prepared, and the history of definitions; NULL: in memory */
    struct state *base;     /* a service's, whose history of definitions comes before; only read; NULL: none */
    const struct start *to; /* NULL: never ends */
    bool scan_always;       /* see stream_options */
    unsigned needs;         /* enum format_need of all routes; definitions set scan_always */
    bool only_print;        /* nothing depends on the changes being complete: foreign keys are not checked */
};

/* A live server; nothing is connected yet. Errors: NO_MEMORY, USAGE class, the state's. */
int reading_live(struct reading *out, const struct reading_live_options *opt, struct err *e);

/* Binlog files. `live` (may be NULL): a server whose definitions of tables, as they are now, name the columns where the
 * log does not; types are held against the log, but a renaming since then is not noticed. */
struct reading_files {
    const char *const *paths;
    size_t count;
    const struct start *to;
    const struct reading_live_options *live;
    struct state *base, *own; /* histories of definitions: a service's, only read, and the one that follows it; NULL:
                               * none and in memory */
    unsigned needs;           /* enum format_need of all routes */
    bool statements_only;     /* rows are passed over: for what the statements say of tables */
    uint64_t max_event_bytes; /* 0: what a log may have; this and what follows: see log_reader_options */
    enum on_statement on_statement;
    enum on_unknown_xa on_unknown_xa;
    size_t query_max_bytes;
};
int reading_from_files(struct reading *out, const struct reading_files *files, const struct routes *routes,
                       const struct env *env, struct err *e);

/* Accepts an empty one. Not before the pipeline is closed. */
void reading_release(struct reading *reading);

/* reading_live's own: opens the history, and finds out up to where the statements of the log are in it. */
int reading_open_history(struct reading *reading, const struct reading_live_options *opt, struct err *e);

/* Of a state: the furthest stored position, into reading->followed when it lies behind what is there. Errors: the
 * state's. */
int reading_take_followed(struct reading *reading, struct state *state, struct err *e);

/* schema_server_new, and what it waits for goes to the log of `env`, which is borrowed. */
int reading_server(struct schema_server **out, const struct client_options *host, const struct env *env, struct err *e);

/* Before a service starts: binds the routes to every table of the first server that answers, as the table was where the
 * service goes on, when the history knows that, else as it is now (a missing column is a configuration error with its
 * line); routes that only fit what the table is now are fine too. Refuses databases that the server does not log. With
 * a connection of its own. Errors: client_connect's, BINLOG_FILTERED, those of pipeline_check. */
int reading_check(struct reading *reading, const struct reading_live_options *opt, struct pipeline *pipe,
                  struct err *e);

/* Any thread: a running or later reading_check ends soon with INTERRUPTED. */
void reading_interrupt(struct reading *reading);

/* Where the first server that answers stands now. *out is initialised by the caller. */
int reading_server_position(struct reading *reading, struct position *out, struct err *e);

#endif
