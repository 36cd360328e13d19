/* Source over the binlog of a live server: connects as a replica, and reconnects forever.
 *
 * Where it starts: open() resolves `at` on the first host that answers. Afterwards the stream keeps its own place, the
 * end of the last complete transaction by file and offset and by GTID set, and goes on there after every loss:
 *   MySQL with gtid_mode ON and a known GTID set: by GTID set      MariaDB with a known GTID position: by that
 *   else: by file and offset, on the same server only (its UUID is compared)
 * A place by file and offset of a MySQL with gtid_mode ON gets its GTID set: the dump begins at the file's head and
 * what lies before the place is passed over, inside open(). (Not through transactions from before gtid_mode was ON:
 * the server does not send them, and the set is learnt at the head of the next file.)
 * On a server that lacks transactions which were already read (a failover to a replica that had not got them, a crash
 * of a server that does not sync its log) on_lost decides: GTID_SURPLUS, or go on without them. A replica that only
 * lags gets lost_grace_ms to catch up, while the other hosts are tried too. So it is when a server's log was begun anew
 * (RESET) or lost its end, although its GTIDs have come as far as ours again: the newest file lies before the place's,
 * the place's file is shorter, or the newest file that was read was begun at another second (kept in `state`). What
 * the schema's history knew of such a log is forgotten, also where a person gave the place. Going on without them tells
 * a NOTE with the GTIDs, see struct rowset; a log that was begun anew is then read whole.
 *
 * A lost connection gives one LOST rowset, each failed try to reconnect one NOTE with the error (class RETRY), each
 * success one NOTE; the wait between them (backoff with jitter) is inside next(). A server that is silent for three
 * heartbeats while next() waits counts as lost.
 *
 * Definitions of tables: what the schema's history knows at the place is not asked for. Wanted tables that it does not
 * know there are read from the same host by a second connection (schema/snapshot.h): when the dump begins, and after a
 * statement that leaves one unknown. The log from the place to that reading is then scanned for statements, with the
 * dump, before it goes on: a start at `current` goes on behind the scan, any other at its place again. A table whose
 * definition changed on the way is known from its last change on. Without a scan, where the log names the columns
 * (binlog_row_metadata=FULL), what was read holds from the reading on. One thread, but interrupt. */
#ifndef SLUICE_BINLOG_SOURCE_STREAM_H
#define SLUICE_BINLOG_SOURCE_STREAM_H

#include "base/env.h"
#include "binlog/log_reader.h"
#include "client/client.h"
#include "schema/server.h"

#define STREAM_HEARTBEAT_MS   5000
#define STREAM_BACKOFF_MS     100
#define STREAM_BACKOFF_MAX_MS 30000
#define STREAM_LOST_GRACE_MS  60000

/* A record of the state that keeps stream_options.followed for a first start elsewhere; open() removes it. */
#define STREAM_FOLLOWED_RECORD "schema_followed"

/* A record of the state that tells a server's log from another one of the same names; see stream_log.c. */
#define STREAM_LOG_RECORD "log_read"

/* All borrowed for the life of the source. 0 or NULL where a default is named. */
struct stream_options {
    const struct env *env;
    const struct client_options *hosts; /* in order of preference; read_timeout_ms and max_event_bytes are set here */
    size_t host_count;
    uint32_t server_id;       /* 0: a random one, never that of the server */
    const char *replica_uuid; /* ours, stable */
    unsigned heartbeat_ms;    /* STREAM_HEARTBEAT_MS */
    uint64_t backoff_ms;      /* STREAM_BACKOFF_MS: first wait at most */
    uint64_t backoff_max_ms;  /* STREAM_BACKOFF_MAX_MS */
    uint64_t lost_grace_ms;   /* STREAM_LOST_GRACE_MS */
    bool on_lost_continue;    /* on_lost_transactions: continue */
    bool with_purged;         /* a GTID set to start from need not hold what the server has purged: it is added */

    /* The schema and the connection behind it; both NULL: made inside, and the shapes end with the source. */
    struct schema *schema;
    struct schema_server *schema_server;
    const struct position *followed; /* up to here the statements of the log are in the schema's history: a start beyond
                                      * it knows nothing of the time between; NULL: not known */
    bool scan_always;                /* also where the log names the columns */

    const struct interest *interest;
    bool check_cascades;                /* CASCADE_UNLOGGED for wanted tables at open and after each DDL */
    const char *const *accept_unlogged; /* see schema_server_check_cascades */
    enum on_statement on_statement;
    enum on_unknown_xa on_unknown_xa;
    struct state *state; /* keeps the rows of prepared XA transactions, and which logs were read; NULL: in memory */
    struct state *base;  /* the state of the history under that of `schema`, only read in source_stream_new; or NULL */
    uint64_t xa_spool_bytes; /* at most; 0: SPOOL_BYTES */
    uint64_t max_event_bytes;
    bool statements;        /* see log_reader_options */
    size_t query_max_bytes; /* see log_reader_options; asks a MariaDB server for the texts */
    const struct start *to; /* where to end with EOF, see binlog/bounds.h; NULL: never */
};

/* Makes a source, to be opened by its ops; nothing is connected yet. open() tries each host once; after a failure it
 * may be called again. START_FILEPOS and START_GTID take the whole of at->pos (a checkpoint has both, and the server's
 * UUID). START_TIME begins at a file that was begun before and leaves out what was committed before.
 * Errors here: NO_MEMORY, USAGE (no host). In open: client_connect's, CONNECT (RETRY), BINLOG_OFF, BINLOG_FORMAT,
 * GRANT_MISSING, BINLOG_PURGED, GTID_SURPLUS, GTID_UNKNOWN (no way to find the start on this server),
 * SERVER_ID_DUPLICATE, CASCADE_UNLOGGED, the schema's. In next: those but CONNECT, and those of log_reader_feed. */
int source_stream_new(struct source **out, const struct stream_options *opt, struct err *e);

/* Where the server stands now: file, offset, GTIDs, UUID. *out is initialised by the caller. */
int source_stream_end(struct client *cli, struct position *out, struct err *e);

#endif
