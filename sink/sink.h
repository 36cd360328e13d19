/* A sink: where changes go. One const struct sink_ops at the end of sink/<kind>.c, listed in sink/registry.c; the
 * runner owns threads, retry, backoff, parking, acknowledgement and dead letters, not the sink.
 *
 * One sink instance belongs to one worker thread. apply is synchronous: on return each item has its verdict, and the
 * work of a batch is overlapped inside. Items of one key come in order. After a RETRY every later item of the same key
 * is RETRY too. Any suffix of what was applied may come again, in order: applying twice is the same as once.
 *
 * Memory that a batch needs is the instance's own and stays for the next batch: no malloc per row. Errors that concern
 * one row are wrapped by sink_wrap; they hold no row data and no key. */
#ifndef SLUICE_SINK_SINK_H
#define SLUICE_SINK_SINK_H

#include "base/env.h"
#include "base/metric.h"
#include "change/format.h"
#include "config/option.h"
#include "partition/route.h"
#include "position/position.h"

enum verdict {
    V_DONE,   /* its effect stands */
    V_RETRY,  /* again later; other keys go on */
    V_POISON, /* refused for good: dead letter, or a stop where there is no store for them */
    V_STOP    /* a person must act; `err` says why */
};

struct item {
    const struct change *chg;
    const void *bind; /* of this route and table version */
    enum verdict verdict;
};

enum sink_flag {
    SINK_ONE_WORKER = 1,      /* more than one worker makes no sense (stdout) */
    SINK_KEEPS_POSITION = 2,  /* commit stores marks with the rows; V_DONE means accepted */
    SINK_IGNORES_TICKETS = 8, /* order between its partitions means nothing: the halves of a move do not wait */
    SINK_CAN_SWEEP = 16,      /* understands CHANGE_TRUNCATE items */
    SINK_IN_ORDER = 32,       /* each item is done, or apply fails: none is put off while later ones go on */
    SINK_STAYS_OPEN = 64, /* after a RETRY of apply the instance is not closed: it heals itself, and keeps its counts */
    SINK_MAY_COME_BACK = 256, /* its server may come back with what it held before: the instance asks the witness */
    SINK_TELLS_BOUNDS = 128 /* gets CHANGE_BEGIN before its first change of a transaction and CHANGE_END behind its last
                               one, whatever the number of lanes; all its routes share one struct of options */
};

/* What changes are given for. */
enum sink_purpose {
    SINK_FOLLOWS,            /* the service: each change as it comes */
    SINK_REPLAYS,            /* again, beside the service: nothing that is not there is made */
    SINK_REPLAYS_AND_CREATES /* again, as far as the service is */
};

/* The server behind a sink, as an instance meets it. */
#define SINK_RUN_MAX      127
#define SINK_KEPT_UNKNOWN INT64_MIN
struct sink_server {
    const char *run;      /* another text in each run of each server, and each time that it followed another one;
                             SINK_RUN_MAX bytes at most */
    int64_t started_us;   /* Unix µs, of that run */
    int64_t kept_us;      /* likewise: what was applied before is on its disk; unknown: nobody saw it saved */
    bool is_empty;        /* it holds nothing, or only what was applied to it since it began: nothing stale */
    uint64_t failover_ms; /* by how much a replica may have been behind that took the place of another server */
};

/* Asked by an instance behind each connection, and from time to time. */
struct sink_witness {
    void *ctx;
    /* 0, or SINK_CAME_BACK: another run than the last one; what was applied may be lost there. Any thread. */
    int (*meet)(void *ctx, const struct sink_server *server, struct err *e);
};

/* Told by `reads`: the whole row. */
extern const char SINK_READS_ALL[];

struct sink;
struct marks;

/* Where an instance works; the struct itself is read during open only. */
struct sink_place {
    const struct env *env;
    const char *name; /* of the sink in the configuration, for errors */
    unsigned worker;
    unsigned lanes;  /* of the whole pipeline; the lane of an item is chg->lane, below this */
    uint64_t reader; /* number of the reader among those of its state, rising; 0: it has none */
    enum sink_purpose purpose;
    const struct sink_witness *witness; /* NULL: nobody asks; outlives the instance */
};

struct sink_ops {
    const char *kind;                        /* config value and log tag: "redis" */
    unsigned flags;                          /* enum sink_flag, as of all options */
    size_t options_size, route_options_size; /* of the structs that the tables fill; 0 = none */
    const struct option *options;            /* tables end as config/option.h says; NULL = none */
    const struct option *route_options;
    const struct metric_row *metrics; /* rows of the sink's own figures; NULL = none */

    /* Flags by the options, beside those above: KEEPS_POSITION, TELLS_BOUNDS, MAY_COME_BACK. NULL = none. */
    unsigned (*flags_of)(const void *opt);

    /* Checks what the option table cannot, without I/O; USAGE class. NULL = nothing to check. */
    int (*check)(const void *opt, struct err *e);

    /* Checks the options of two sinks of this kind against each other, either way round. USAGE class. NULL = they have
     * nothing in common. */
    int (*check_beside)(const void *opt, const void *other, struct err *e);

    /* Completes the options of a route after they were read: what they name is found. What it makes lives in `cfg`.
     * USAGE class. NULL = nothing to complete. */
    int (*ready)(void *route_opt, struct config *cfg, struct err *e);

    /* True when two routes ask for the same: they share one struct of options then, and so what is bound of it. After
     * `ready`. NULL = never. */
    bool (*same)(const void *route_opt, const void *other);

    /* Told at start of all routes, those that lead to it have its bit: what they are to each other. What it finds may
     * be kept in `opt`. USAGE class. NULL = any routes will do. */
    int (*check_routes)(void *opt, const struct route *routes, unsigned count, unsigned sink, struct err *e);

    /* What a route asks of the reader beside rows: enum format_need. NULL = nothing. */
    unsigned (*needs)(const void *route_opt);

    /* Compiles one route's templates against one table version, without I/O. At start for every known table (a missing
     * column is a configuration error), and on a worker at the first row of a new shape. `tbl` NULL: no version of the
     * table is known; only CHANGE_TRUNCATE will come with it. Errors: USAGE class, NO_MEMORY. NULL = nothing to bind:
     * a change comes once, however many routes it has; so it does for routes that share one struct of options. */
    int (*bind)(void **out, const void *opt, const void *route_opt, const struct table *tbl, struct err *e);
    void (*unbind)(void *bind);

    /* Names of the columns that it reads of a row beside the route's key: the n-th, NULL behind the last; they may come
     * twice. SINK_READS_ALL among them, or no function: it reads the whole row. Of a bind without a table too. */
    const char *(*reads)(const void *bind, unsigned n);

    /* Asked at start for a route with on_truncate: sweep. USAGE class when it cannot; NULL = every route can. */
    int (*can_sweep)(const void *bind, struct err *e);

    /* Makes and connects one instance. Errors: RETRY (down: the runner tries again), STOP, USAGE. */
    int (*open)(struct sink **out, const void *opt, const struct sink_place *place, struct err *e);

    /* Each items[i].verdict set, 0; or the whole batch failed: negative with RETRY class (connection lost, server not
     * ready: the runner closes, backs off, opens, and calls again with the same items; with STAYS_OPEN it only backs
     * off before that), or STOP. With V_STOP and
     * V_POISON `e` may say why. */
    int (*apply)(struct sink *snk, struct item *items, size_t count, struct err *e);

    /* What is to be done though no change comes: called after each batch, and when the time is over that it told last,
     * monotonic in *due_us (INT64_MAX: not before another batch). Errors: as of apply for a batch that failed. NULL =
     * nothing. */
    int (*tend)(struct sink *snk, int64_t *due_us, struct err *e);

    /* KEEPS_POSITION only. load: the marks of the last commit into `out`, made by marks_init: 1, or 0 when there are
     * none. commit: everything that was applied since the last commit becomes durable, with the marks, or nothing of it
     * does. After SINK_DOWN of commit the outcome is not known, and it is called again with the same marks; after
     * SINK_ABORTED (RETRY), and after any RETRY of apply, nothing stands of what was applied since the last commit: the
     * sink forgets it, and it comes again, not always in the same batches. After SINK_RENEW (RETRY) of either the
     * instance is of no further use; another one's `load` tells what stands. */
    int (*load)(struct sink *snk, struct marks *out, struct err *e);
    int (*commit)(struct sink *snk, const struct marks *marks, struct err *e);
    unsigned (*commit_ms)(const void *opt); /* how long a batch may wait to be committed with others; NULL: 0 */

    /* The instance's figures for `metrics`, or NULL. */
    const void *(*stats)(const struct sink *snk);

    void (*close)(struct sink *snk); /* accepts NULL and half-opened */
};

/* First member of every sink's own struct. */
struct sink {
    const struct sink_ops *ops;
};

/* enum sink_flag of a sink with these options. */
static inline unsigned sink_flags(const struct sink_ops *ops, const void *opt)
{
    return ops->flags | (ops->flags_of ? ops->flags_of(opt) : 0);
}

/* Puts `file:pos: db.table: version V` of the item's change before a set error; returns its code. */
int sink_wrap(struct err *e, const struct item *item);

/* The kinds that this program was built with, ended by NULL, in alphabetical order (sink/registry.c). */
extern const struct sink_ops *const sink_registry[];

/* By kind; NULL when there is none. */
const struct sink_ops *sink_find(const char *kind);

#endif
