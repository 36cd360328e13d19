/* One change of one row, as a sink sees it: a view, built by the worker from a lane item, valid until `apply` returns.
 * Core; read-only for everybody. */
#ifndef SLUICE_CHANGE_CHANGE_H
#define SLUICE_CHANGE_CHANGE_H

#include "change/shape.h"
#include "position/gtid.h"
#include "position/version.h"

enum change_op {
    CHANGE_INSERT,
    CHANGE_UPDATE,
    CHANGE_DELETE,
    CHANGE_READ,
    CHANGE_TRUNCATE,
    CHANGE_STATEMENT, /* a DDL statement (change/statement.h), for sinks that ask for it */
    CHANGE_BEGIN,     /* a transaction begins, CHANGE_END: has ended: for sinks that ask for them; in lane 0 */
    CHANGE_END
};

enum change_flag {
    CHANGE_FROM = 1,          /* first half of a key move: in the lane of the old key, both images */
    CHANGE_TO = 2,            /* second half: in the lane of the new key, both images */
    CHANGE_LAST_IN_EVENT = 4, /* within its lane */
    CHANGE_LAST_IN_TX = 8,    /* within its lane */
    CHANGE_AGAIN = 16,        /* may have been delivered before (retry) */
    CHANGE_LAST_OF_TX = 32,   /* the last row of the transaction in all lanes; not set when it went out in chunks */
    CHANGE_OF_LANE = 64       /* TRUNCATE: tells of its lane's rows only, each other lane has one of its own */
};

/* The transaction of a change. In a lane it is repeated at the begin of each segment; here it is borrowed. */
struct tx {
    struct gtid gtid;        /* none without GTIDs */
    const char *file;        /* NUL-terminated name of the log file */
    uint64_t pos;            /* begin of the transaction in it */
    int64_t commit_us;       /* Unix time of the commit, µs */
    int64_t origin_us;       /* of the commit on the server that executed it first, µs; 0: the log does not tell */
    uint64_t xid;            /* of the XID event; see has_xid */
    uint32_t thread_id;      /* connection id of BEGIN; 0: the log has none */
    bool has_xid;            /* false: it ended without XID, or went out in chunks before its end was read */
    bool commit_in_us;       /* false: the log has whole seconds only */
    uint32_t server_id;      /* who executed it first */
    uint32_t epoch;          /* of the version */
    uint64_t sequence;       /* of the version */
    int64_t offset;          /* of an applier: of the record that told it, in the partition of its lane; else 0 */
    const char *server_uuid; /* whose log it was read from, for as long as the source is open; NULL: not known */
};

/* The statement behind a change, as the server logged it: ROWS_QUERY or ANNOTATE_ROWS, cut at source.query_max_bytes.
 * In a lane it is written once per statement and segment, not per row; here it is borrowed. */
struct row_query {
    const char *text;     /* in the client's character set, which the log does not tell; not NUL-terminated */
    size_t len;           /* at least 1 */
    uint64_t whole_bytes; /* of the whole text; more than len when it was cut */
    uint64_t id;          /* of the statement among all that went through the lanes, the same in each; 0: before them */
};

struct statement;

struct change {
    enum change_op op;
    unsigned flags;
    const struct shape *shape; /* TRUNCATE: the table's last known shape, or NULL with db/table below */
    const struct tx *tx;
    struct version version;
    uint64_t pos;        /* of the ROWS event in tx->file */
    uint32_t event_time; /* Unix seconds in the header of the ROWS event, of a statement its own */
    uint32_t row_of_tx;  /* number of the row among those of all routed tables in its transaction, from 0; of END: the
                            changes of the transaction that the sink gets, where it asks for bounds */
    unsigned lane;
    const char *key; /* key text; not NUL-terminated */
    size_t key_len;
    struct image before; /* bytes NULL: none */
    struct image after;
    const struct row_query *query;     /* NULL: not logged, or not asked for */
    const char *db, *table;            /* NUL-terminated; of the shape when there is one */
    const struct statement *statement; /* STATEMENT only */
};

/* Number of the row in its event, from 0. */
static inline uint32_t change_row_of_event(const struct change *chg)
{
    return version_row_of_event(chg->version.row);
}

enum side { SIDE_BEFORE, SIDE_AFTER };

/* The values of the wanted columns (NULL = all, in table order) in one image as it is, nothing filled in. A column that
 * the after image has as a partial update is the whole document when the before image has the old one, else
 * VALUE_JSON_DIFF. An image that does not exist gives ABSENT for all. Memory and errors as change_values. */
int change_image_values(const struct change *chg, enum side side, const struct colset *wanted, struct value *out,
                        struct arena *arena, struct err *e);

/* The values of the wanted columns (NULL = all, in table order) on one side, out[0 … count-1]. A column that the image
 * does not hold is VALUE_ABSENT, with one exception: in the *after* image of an update an absent column is unchanged
 * and is taken from the before image. A partial update whose document no image has is ABSENT. A side that does not
 * exist (before of an insert) gives ABSENT for all. Memory from `arena`. Errors: as value_read, wrapped with "column N
 * (name)". */
int change_values(const struct change *chg, enum side side, const struct colset *wanted, struct value *out,
                  struct arena *arena, struct err *e);

/* In words: "insert", "update", "delete", "read", "truncate", "statement", "begin", "end". Static. */
const char *change_op_name(enum change_op op);

#endif
