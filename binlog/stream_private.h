/* The inside of the stream source, shared by its files only. */
#ifndef SLUICE_BINLOG_STREAM_PRIVATE_H
#define SLUICE_BINLOG_STREAM_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/backoff.h"
#include "binlog/bounds.h"
#include "binlog/source_stream.h"
#include "schema/snapshot.h"

#define STREAM_NOTES_MAX 8
#define STREAM_LOGS_MAX  16 /* servers whose logs are known again */
#define EVENT_TYPE_AT    4

/* How a dump begins: one of the two ways to say the place. */
struct stream_begin {
    bool by_gtid;
    struct filepos at; /* by file: where the dump starts, below 4 GiB */
    uint64_t skip_to;  /* by file: events before this offset of that file are passed over; 0 = none */
    bool learn;        /* the GTID set at skip_to is to be found out on the way */
};

/* Passing over what lies in a file before the place where the stream goes on. */
struct stream_skip {
    uint64_t to; /* 0 = nothing is passed over */
    uint64_t at; /* where the next event begins */
    bool has_format;
    bool learn;
    struct gtid_set *gtids;                                /* learn: before `at`; NULL until PREVIOUS_GTIDS */
    struct gtid gtid;                                      /* of the transaction at hand; none when it is in the set */
    enum { SKIP_BETWEEN, SKIP_NAMED, SKIP_INSIDE } inside; /* where `at` lies */
};

/* The newest file that was read of a server's log, and the second in which it was begun. */
struct stream_log {
    char uuid[SERVER_UUID_MAX + 1];
    char file[FILEPOS_FILE_MAX + 1];
    uint32_t second;
};

struct stream_logs {
    struct stream_log list[STREAM_LOGS_MAX];
    unsigned count;
};

/* The log is read for its statements only, up to where definitions were read. */
struct stream_scan {
    bool active;
    bool moves; /* the stream goes on behind it, if a statement in it touched a wanted table */
    bool touched;
    struct position from; /* where it began */
    unsigned rounds;
};

struct source_stream {
    struct source base;
    struct stream_options opt;
    struct log_reader *reader;
    struct spool *spool;
    struct schema *schema;
    struct schema_server *server;
    bool owns_schema;
    struct history *history; /* the schema's */
    struct snapshot *snapshot;
    struct stream_scan scan;
    uint32_t server_id;

    /* interrupt comes from another thread: it needs the connection, the flag, and to end a wait */
    pthread_mutex_t lock; /* over `cli` as a pointer */
    struct client *cli;   /* NULL: lost */
    atomic_bool interrupted;
    int wake_fd;

    size_t host;                          /* index of the one in use or to be tried next */
    struct position place;                /* where to go on after a loss */
    bool prefer_file;                     /* the start was given by file and offset: the GTIDs were only looked up */
    char server_of[SERVER_UUID_MAX + 1];  /* whom `server` asks */
    char checked_of[SERVER_UUID_MAX + 1]; /* whose foreign keys were checked; "" = nobody's */
    struct position unknown_at;           /* where a table was not known, and what the server has was read for it */
    struct backoff backoff;
    int64_t lost_us; /* monotonic; 0 = connected */

    const uint8_t *event; /* to be fed (again); NULL = read the next one */
    size_t event_len;
    struct stream_skip skip;
    bool cannot_learn;     /* the server refuses to send what stream_begin.learn needs */
    struct gtid_set *lost; /* what the GTID_SURPLUS note tells; NULL = nothing */
    bool lost_told;        /* and has told */
    struct filepos head;   /* file whose begin is known; "" = none */
    uint32_t head_second;  /* when it was begun */
    char head_of[SERVER_UUID_MAX + 1];
    bool log_is_new; /* the log was begun anew: nothing of the place holds there */
    bool other_log;  /* nor does what the history knows, which has to be forgotten before it is asked */
    bool unsure;     /* a dump by GTID of which no transaction has come yet: `place` may lie behind the first one */
    struct stream_logs logs, base_logs; /* of opt.state and of opt.base */
    uint64_t seek_to; /* offset beyond 4 GiB at which a dump by GTID goes on in place.at.file; 0 = none */

    bool after_ddl; /* `ddl` was handed out: definitions have to be read again */
    struct rowset ddl;
    struct bounds bounds;
    struct start from; /* START_TIME, for the bounds; its position is not used */
    bool finished;

    struct err notes[STREAM_NOTES_MAX]; /* ring of what is to be told */
    unsigned note_first, note_count;
};

/* Queues a NOTE; the oldest is dropped when there are too many. `code` ERR_NONE: plain words. */
void stream_note(struct source_stream *st, enum err_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* "host:port" or the socket of the host in use. */
const char *stream_host_name(const struct source_stream *st, char out[300]);

static inline bool stream_is_interrupted(const struct source_stream *st)
{
    return atomic_load_explicit(&st->interrupted, memory_order_relaxed);
}

/* stream_connect.c: all that has to go well on st->host, up to the first event; the connection is closed when it does
 * not. `at` NULL: go on at st->place. */
int stream_connect(struct source_stream *st, const struct start *at, struct err *e);
void stream_disconnect(struct source_stream *st);

/* The first transaction of a dump by GTID: a MySQL server tells the end of its log before its GTID set has all that is
 * in it, so that a place noted together with the set may lie behind transactions that are still to come. Sets the place
 * back to their begin; true when it did. */
bool stream_place_first(struct source_stream *st, const struct tx *tx);

/* The next event into st->event. */
int stream_read(struct source_stream *st, struct err *e);

/* The same dump once more from st->place, on a new connection. */
int stream_begin_again(struct source_stream *st, struct err *e);

/* source_stream.c: the next event of the log into st->event, its file checked, and what lies before the place passed
 * over: 0; 1 when this event was passed over. */
int stream_next_event(struct source_stream *st, struct err *e);

/* stream_schema.c: reads the definitions of wanted tables that the history does not know at `from`, where the dump that
 * was just begun is, and begins to scan from there (st->scan.active) where that tells more. `moves`: the stream is to
 * go on behind the scan. */
int stream_read_schema(struct source_stream *st, const struct position *from, bool moves, struct err *e);

/* One event of the scan, or its end. Behind it the dump goes on at st->place. */
int stream_scan_step(struct source_stream *st, struct err *e);
void stream_drop_scan(struct source_stream *st);

/* Checks the foreign keys of all wanted tables. */
int stream_check_tables(struct source_stream *st, struct err *e);

/* The place as the connected server's history has it: its file only when it is one of this server. */
struct history_where stream_where(const struct source_stream *st, const struct position *pos);

/* stream_gap.c: what the history knows was read on another way than to st->place: from where the log was not read,
 * nothing is known. */
int stream_check_gap(struct source_stream *st, struct err *e);

/* stream_skip.c: takes st->event while st->skip.to is set, and ends the skipping at the place. Errors: CORRUPT (no
 * event begins at the place), BINLOG_PURGED (the file ends before it), those of log_reader_feed. */
int stream_skip_event(struct source_stream *st, struct err *e);

/* Reads up to the place and takes its GTID set into st->place and the reader. At the head of a file the place moves
 * behind PREVIOUS_GTIDS. Errors: as stream_skip_event, CORRUPT (the place is inside a transaction), the client's. */
int stream_learn_place(struct source_stream *st, struct err *e);

void stream_skip_begin(struct source_stream *st, const struct stream_begin *begin);
void stream_skip_release(struct source_stream *st);

/* After a DDL was handed out and before the next event is fed: reads definitions that it left unknown. */
int stream_follow_ddl(struct source_stream *st, struct err *e);

/* stream_start.c: from what a person types to a position on the connected server. */
int stream_resolve(struct source_stream *st, const struct start *at, struct position *out, struct err *e);

/* stream_xa.c: notes which XA transactions are prepared on the connected server, where the grants let us see them. */
void stream_note_prepared(struct source_stream *st);

/* stream_resume.c: how a dump from st->place begins on the connected server. Reduces st->place by transactions that are
 * lost to it when that is wanted. Errors: GTID_SURPLUS, GTID_UNKNOWN, CONNECT (a replica that may still catch up), the
 * client's. */
int stream_choose(struct source_stream *st, struct stream_begin *out, struct err *e);

/* stream_history.c: whether the log is still the one that the place is in. A server whose log was begun anew (RESET)
 * gives out the same names and numbers for other changes.
 *
 * At connect, for a dump by GTID: 0 with *reason "" when nothing speaks against it. Errors: the client's. */
int stream_check_log(struct source_stream *st, char reason[200], struct err *e);

/* At each FORMAT event, before it is fed. Errors: GTID_SURPLUS; CONNECT when the stream is to go on without. */
int stream_check_head(struct source_stream *st, struct err *e);

/* Whether two files' names differ in their numbers only. The server's log may have got another name, and its numbers
 * begin again then. */
bool stream_same_base(const char *a, const char *b);

/* stream_log.c: the record of what logs were read. Errors: the state's. */
int stream_load_logs(struct stream_logs *logs, struct state *state, struct err *e);

/* A file is read whose begin was checked: it is the newest one of its log, or an older one, which tells nothing new. */
int stream_note_log(struct source_stream *st, const char *file, uint32_t second, struct err *e);

/* Before a dump: whether the connected server still has the log that was read. Where not, st->log_is_new is set for a
 * place that was `stored` in that log; and st->other_log, also where nothing of the log is left to tell and a person
 * gave the place. Errors: the client's. */
int stream_check_known(struct source_stream *st, bool stored, struct err *e);

/* Forgets what the history knows of another log, before the record tells of the new one. */
int stream_forget_log(struct source_stream *st, struct err *e);

/* The second in which a file was begun: of its FORMAT event, by a short dump on a connection of its own. */
int stream_file_begun(struct source_stream *st, const struct filepos *head, uint32_t *second, struct err *e);

/* One cell of a query's first row, appended; nothing for NULL. */
int stream_ask(struct client *cli, const char *sql, struct buf *out, struct err *e);

/* The set in a global variable. */
int stream_ask_gtids(struct client *cli, const char *sql, struct gtid_set **out, struct err *e);

#endif
