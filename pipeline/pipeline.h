/* The spine: one source, N lanes, M sinks, one keeper. Every command that moves changes fills a struct pipeline_spec
 * and runs it; no subcommand has a loop of its own.
 *
 * Threads: the caller of pipeline_run is the keeper (signals, checkpoint clock, stats line, admin requests); one source
 * thread feeds the lanes; each sink has its workers (0: inline in the source thread). */
#ifndef SLUICE_PIPELINE_PIPELINE_H
#define SLUICE_PIPELINE_PIPELINE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/env.h"
#include "base/err.h"
#include "base/metric.h"

struct input_ops;
struct kafka_options;
struct option_list;
struct position;
struct routes;
struct sink_ops;
struct source;
struct start;
struct state;
struct table;

struct pipeline_sink {
    const char *name; /* of the configuration; key of its position in the checkpoint */
    const struct sink_ops *ops;
    const void *options;
    unsigned workers; /* 0: inline */
    bool keeps_dead;  /* what it refuses for good is kept in spec.dead_state; else it stops */
};

/* What a figures line and `status` show; filled by pipeline_stats, named by pipeline_figures. */
struct pipeline_stats {
    uint64_t rows_total;
    uint64_t transactions_total;
    uint64_t applied_total;
    uint64_t unacknowledged;
    uint64_t parked;
    uint64_t retries_total;
    uint64_t buffer_used_bytes;
    uint64_t lag_ms;
    uint64_t lag_records; /* TOPIC_LAG_UNKNOWN: not known; likewise the next */
    uint64_t retention_share_percent;
    uint64_t idle_ms;
    uint64_t reconnects_total;
    uint64_t unfollowed_total;
    uint64_t superseded_total;
    uint64_t dead_letters_total;
    uint64_t dead_letters;
    uint64_t bodies_parsed_total;
    uint64_t xa_prepared;
    uint64_t xa_spool_bytes;
    uint64_t partitions;
    uint64_t rebalances_total;
    uint64_t source_up;
    uint64_t sinks_down;
};

/* One row per member of struct pipeline_stats, ended by a NULL name. */
struct pipeline_figure {
    const char *name;
    const char *unit;
    enum metric_type type;
    size_t offset; /* of a uint64_t */
    const char *help;
};
extern const struct pipeline_figure pipeline_figures[];

/* Polled by the keeper beside its own descriptors, for an admin socket. */
struct pipeline_service {
    int fd;
    void (*ready)(void *ctx);
    void *ctx;
};

struct pipeline;

/* Those that run as one in a process: alone, or the two halves of a service with a bus between them. */
#define PIPELINES_MAX 2
struct pipelines {
    struct pipeline *at[PIPELINES_MAX];
    unsigned count;
    bool standby; /* count 0: a reader stands by, as it should; else it is only starting */
};

/* A Kafka topic that a reader wrote. */
struct pipeline_bus {
    const struct option_list *brokers, *properties;
    const char *sasl_password; /* NULL: none */
    const char *topic, *group;
    const char *instance_id;       /* of a static member of the group; NULL: it is none */
    bool from_latest;              /* of a group that starts for the first time; else the earliest records */
    unsigned missing_ms;           /* a topic that was there may be unknown for so long */
    struct state *state;           /* where it is kept that the group has started */
    const struct input_ops *input; /* of the program that wrote the topic; NULL: a reader of sluice */
    uint32_t epoch;                /* of the versions, with `input` */
    bool keyed_by_business;        /* the record's key is the text of the business key (record_key: business) */
    const struct kafka_options *dead_letters; /* has their topic; NULL: what cannot be read or applied stops */
};

struct pipeline_spec {
    const char *half; /* "reader", "applier": in the status and in errors; NULL when it runs alone */
    const struct env *env;
    struct source *source;          /* taken: closed by pipeline_close; NULL with `bus` */
    const struct pipeline_bus *bus; /* an applier: rows come from there, positions are the group's offsets */
    const struct routes *routes;
    const struct pipeline_sink *sinks;
    unsigned sink_count;
    unsigned lanes;
    uint64_t buffer_bytes, tx_buffer_bytes, max_event_bytes;
    uint64_t query_max_bytes; /* the source's */

    uint64_t reader;           /* number of this reader, see struct sink_place */
    unsigned purpose;          /* enum sink_purpose: what its changes are given for */
    struct state *state;       /* where the checkpoint is kept; NULL: nowhere */
    struct state *epoch_state; /* epochs are read from here; NULL: all epoch 0. Written when it is `state` */
    struct state *dead_state;  /* where sinks with keeps_dead keep dead letters; NULL: what is refused for good stops */
    uint64_t dead_letters_max; /* of them together */
    const struct start *start; /* without a checkpoint */
    bool ends; /* the source ends by itself: a server that cannot be reached is an error, not waited for */
    unsigned checkpoint_ms, shutdown_ms, stats_interval_ms; /* stats 0: no line */

    /* Called by the source thread before the source is opened, again and again while it fails with RETRY: checks what
     * only the server knows, and binds the routes by pipeline_check. May be NULL. */
    int (*prepare)(void *ctx, struct pipeline *pipe, struct err *e);
    void (*interrupt)(void *ctx); /* any thread: a running or later prepare ends soon */
    void *prepare_ctx;

    /* Keeper's thread, again and again: an error ends the pipeline. May be NULL. */
    int (*still)(void *ctx, struct err *e);
    /* Source thread, before sinks that keep their position are opened, and before the source is: as `still`, but what
     * cannot be known now is of RETRY class, and asked again. May be NULL. */
    int (*confirm)(void *ctx, struct err *e);
    void *still_ctx;

    void (*progress)(void *ctx, const struct pipeline_stats *stats,
                     const struct position *at); /* twice a second; may be NULL */
    void *progress_ctx;
};

/* What the routes of all sinks ask of the source beside rows: enum format_need. */
unsigned pipeline_needs(const struct routes *routes, const struct pipeline_sink *sinks, unsigned sink_count);

/* Loads the checkpoint and the epochs, makes lanes and workers; no thread yet, no connection. The spec and what it
 * points to are borrowed until pipeline_close (the source is taken, also on failure). Errors: of state, USAGE for
 * routes that do not bind. */
int pipeline_open(struct pipeline **out, const struct pipeline_spec *spec, struct err *e);

/* Binds every route that matches the table, so that a missing column is a configuration error at start. From prepare.
 */
int pipeline_check(struct pipeline *pipe, const struct table *tbl, struct err *e);

/* Runs until the source ends, a signal asks for the end (SIGTERM, SIGINT: drain, checkpoint, 0; a second one leaves at
 * once with exit code 1), or an error stops it. On return everything acknowledged is in the checkpoint. */
int pipeline_run(struct pipeline *pipe, const struct pipeline_service *service, struct err *e);

/* The same for several with one keeper. One that ends, for whatever reason, ends the others as a signal does. The error
 * is the one with the highest exit code, the others' are logged; each begins with its half. */
int pipelines_run(const struct pipelines *all, const struct pipeline_service *service, struct err *e);

/* Keeper's thread, or after pipeline_run. `at`: the position of the slowest sink, borrowed until the next run step;
 * NULL ok. */
void pipeline_stats(struct pipeline *pipe, struct pipeline_stats *out, const struct position **at);

/* Writes the status as one JSON object, of several with one object per half: keeper's thread. Of none: a reader that
 * stands by. */
void pipelines_status(const struct pipelines *all, struct buf *out);

/* After pipeline_run: a signal ended it before its end was reached. */
bool pipeline_was_stopped(const struct pipeline *pipe);

void pipeline_close(struct pipeline *pipe); /* accepts NULL */

/* The exit code of a command for an error: 0 none, 1 RETRY, 2 USAGE, 4 STOP, POISON and BUG. */
int pipeline_exit_code(const struct err *e);

#endif
