/* A source of changes: one pull interface for a live stream, for binlog files, and later for Kafka and table chunks.
 *
 * next() hands out one rowset, borrowed until the next call. It never calls back, never logs, and knows no lanes. One
 * thread calls open, next and close; interrupt alone may come from another thread and makes a blocked next return.
 *
 * Order of rowsets: { BEGIN { ROWS | STATEMENT | DISCARD | SAVEPOINT | ROLLBACK_TO }* ( END | ROLLBACK ) | DDL | MARK
 * }* EOF?; NOTE comes anywhere. A DDL rowset is a transaction of its own, without BEGIN and END around it (its GTID and
 * end position are in it). LOST says that the connection broke: everything since the last END is void and will be read
 * again from there. */
#ifndef SLUICE_CHANGE_SOURCE_H
#define SLUICE_CHANGE_SOURCE_H

#include "change/change.h"
#include "position/position.h"

enum rowset_kind {
    ROWSET_BEGIN,       /* tx is known */
    ROWSET_ROWS,        /* rows of one event, of a table that is wanted */
    ROWSET_END,         /* commit: `end` is a boundary */
    ROWSET_ROLLBACK,    /* the whole transaction is void; `end` is a boundary */
    ROWSET_SAVEPOINT,   /* name */
    ROWSET_ROLLBACK_TO, /* name */
    ROWSET_STATEMENT,   /* a statement inside the transaction that is to be shown */
    ROWSET_DISCARD,     /* a statement inside the transaction that discards all rows of `tables` */
    ROWSET_DDL,         /* a statement that may concern wanted tables; `end` is a boundary */
    ROWSET_MARK,        /* heartbeat: `end` is where the server stands, when outside a transaction */
    ROWSET_LOST,        /* connection lost; the open transaction is void. next() reconnects when called again */
    ROWSET_NOTE,        /* a change of state worth a log line: `note` */
    ROWSET_EOF          /* end of files, or of --to */
};

enum ddl_effect {
    EFFECT_NOTHING,  /* only a boundary */
    EFFECT_SCHEMA,   /* structure or names of wanted tables changed; rows kept */
    EFFECT_TRUNCATE, /* rows of wanted tables were discarded or swapped without row events */
};

/* One wanted table that a DDL discards rows of. */
struct ddl_table {
    const char *db;
    const char *name;
};

struct rowset {
    enum rowset_kind kind;
    struct tx tx;            /* BEGIN, DDL; epoch and sequence are left 0: the pipeline assigns them. END: has_xid */
    struct filepos end;      /* END ROLLBACK DDL MARK: the boundary behind it; file "" in MARK: none */
    const char *server_uuid; /* whose files */

    /* ROWS */
    const struct shape *shape;
    enum change_op op;
    uint32_t event_ordinal;        /* of ROWS events and DISCARDs in the transaction, all tables counted, from 0 */
    uint64_t event_pos;            /* begin of the event in tx.file */
    uint32_t event_time;           /* Unix seconds of its header; of a DDL rowset its own */
    const uint8_t *before_present; /* bitmaps by column; NULL = all present */
    const uint8_t *after_present;
    bool partial;        /* of PARTIAL_UPDATE_ROWS: value options before each after image */
    const uint8_t *rows; /* images one after the other: before, after for updates, else one */
    const uint8_t *rows_end;
    const struct row_query *query; /* the same for all events of a statement; NULL: none, or not asked for */

    /* SAVEPOINT, ROLLBACK_TO */
    const char *name;
    size_t name_len;

    /* DDL, and DISCARD but for the effect */
    enum ddl_effect effect;
    const struct ddl_table *tables;
    unsigned table_count;
    const char *statement; /* borrowed, not NUL-terminated */
    size_t statement_len;

    const struct statement *shown; /* DDL, STATEMENT, DISCARD: for formats that ask; NULL: about no wanted table */

    /* NOTE with code GTID_SURPLUS, else NULL: transactions that were read and that the source goes on without. They
     * count as unread from now on: their numbers may come again, for other changes. MySQL: `lost` are these
     * transactions. MariaDB: per domain the last one that was read; those behind `kept` are meant. */
    const struct gtid_set *lost;
    const struct gtid_set *kept; /* where the source goes on */

    /* NOTE and LOST */
    struct err note; /* LOST: why; NOTE: code ERR_NONE with text, or a warning's code */
};

/* Which tables are wanted: rows of others are walked, not decoded, and need no known schema. `wants` is called by the
 * source's thread, once per table id; names are NUL-terminated. */
struct interest {
    bool (*wants)(void *ctx, const char *db, const char *table);
    bool (*wants_database)(void *ctx, const char *db); /* a table of it may be wanted; NULL: of any */
    void *ctx;
};

/* What a source keeps of transactions whose end it has not read: prepared XA transactions. */
struct source_held {
    uint64_t transactions;
    uint64_t bytes;
    bool wants_stored; /* it keeps more than it must: `stored` would help */
};

struct source;

struct source_ops {
    const char *kind; /* "stream", "file" */
    /* Connects or opens and goes to `at`. at->kind of START_CURRENT … START_TIME; the position really started from is
     * in *from (initialised by the caller) afterwards. */
    int (*open)(struct source *src, const struct start *at, struct position *from, struct err *e);
    /* 0 and a rowset, or an error that ends the source (RETRY class never comes out: the source itself reconnects). */
    int (*next)(struct source *src, struct rowset *out, struct err *e);
    /* True when next() would have to wait for the network or a file that still grows. */
    bool (*would_block)(struct source *src);
    /* Any thread: a blocked or later next() returns INTERRUPTED soon. */
    void (*interrupt)(struct source *src);
    void (*close)(struct source *src); /* accepts NULL; frees the source */
    /* Figures. NULL: it keeps nothing. */
    void (*held)(struct source *src, struct source_held *out);
    /* Between transactions: every sink's stored position is at or behind this one. NULL where `held` is. */
    int (*stored)(struct source *src, const struct position *at, struct err *e);
};

/* First member of every source's own struct. */
struct source {
    const struct source_ops *ops;
};

/* Iterates the rows of a ROWS rowset. `row_in_event` counts from 0. Returns 1 with the images (and with `wanted`, the
 * bytes of the wanted columns on either side, arrays of wanted->count), 0 at the end, negative with CORRUPT. */
struct row_view {
    struct image before, after;
    uint32_t row_in_event;
};
struct row_iter {
    const uint8_t *p;
    uint32_t row;
};
int rowset_next_row(const struct rowset *rs, struct row_iter *it, struct row_view *out, const struct colset *wanted,
                    struct found *before_found, struct found *after_found, struct err *e);

#endif
