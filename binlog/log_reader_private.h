/* The inside of the log reader, shared by its files only. */
#ifndef SLUICE_BINLOG_LOG_READER_PRIVATE_H
#define SLUICE_BINLOG_LOG_READER_PRIVATE_H

#include "binlog/log_reader.h"
#include "binlog/payload.h"
#include "binlog/table_cache.h"
#include "schema/follow.h"

enum tx_state {
    TX_NONE,  /* between transactions */
    TX_NAMED, /* a GTID was read: BEGIN, or one statement, comes next */
    TX_OPEN,  /* between BEGIN and its end */
};

struct libdeflate_decompressor;

/* What a compressed event of MariaDB was made into. */
struct log_plain {
    struct libdeflate_decompressor *zlib; /* NULL before the first */
    uint8_t *bytes;
    size_t size; /* allocated */
};

/* The XA transaction at hand. */
struct log_xa {
    bool preparing; /* its rows go to the spool */
    bool emitting;  /* and come out of it, one rowset for each time the same event is fed */
    bool begun;     /* BEGIN was handed out */
    bool resolves;  /* it was prepared before, as `xid` */
    bool noted;     /* it is not known, and that was told */
    struct xid xid;
    struct event_format format; /* of its events in the spool */
};

struct log_reader {
    struct log_reader_options opt;
    struct event_format format;
    bool has_format;
    bool ended; /* the file */
    struct filepos at;
    struct position boundary;
    struct table_cache tables;
    enum tx_state state;
    struct spool *spool;
    bool owns_spool;
    struct log_xa xa;
    struct tx tx; /* valid but in TX_NONE; its file is begin_file */
    char begin_file[FILEPOS_FILE_MAX + 1];
    uint32_t ordinal;     /* ROWS events of the transaction so far */
    struct arena scratch; /* of one event */
    struct payload payload;
    struct buf query_text; /* of the open statement */
    struct row_query query;
    bool has_query;
    struct log_plain plain;
    bool scanning;                   /* rows are passed over */
    struct schema_followed followed; /* of the statement at hand, in `scratch` */
    const struct statement *shown;   /* likewise; NULL: not to be shown */
    bool statement_noted;            /* a NOTE about the statement was handed out, and its rowset comes next */
    bool no_effect;   /* the statement of the GTID that was read is the begin of an ALTER, or one that failed */
    bool relay;       /* the file is a relay log */
    bool reconnected; /* relay log: the replica connected anew inside the open transaction, which may begin again */
    char server_uuid[SERVER_UUID_MAX + 1];
};

/* The event at hand. */
struct log_event {
    const uint8_t *bytes;
    size_t len;
    struct event_header header;
    struct cursor body;
    uint64_t begin;
    uint64_t end;
};

/* The place of an event. Borrows from the reader. */
void log_where(const struct log_reader *reader, const struct log_event *ev, struct history_where *out);

/* Sets the fields that every rowset has. */
void log_rowset(const struct log_reader *reader, enum rowset_kind kind, struct rowset *out);

/* Begins a transaction at this event: file, position, server; the commit time is the header's second. */
void log_tx_begin(struct log_reader *reader, const struct log_event *ev);

/* The transaction is complete behind this event: moves the boundary, adds the GTID. Errors: NO_MEMORY, LIMIT. */
int log_tx_end(struct log_reader *reader, const struct log_event *ev, struct err *e);

/* What its type asks for, with an event of the log, one that was inside another, or one out of the spool. As
 * log_reader_feed. */
int log_dispatch(struct log_reader *reader, const struct log_event *ev, struct rowset *out, struct err *e);

/* log_scan.c: whether a scan passes over events of that type. */
bool log_scan_passes(uint8_t type);

/* log_payload.c: the next event of a compressed transaction; LOG_READER_AGAIN or _MORE until the last one. */
int log_payload(struct log_reader *reader, const struct log_event *ev, struct rowset *out, struct err *e);
/* log_xa.c. An XA transaction begins; what comes of it goes to the spool. */
int log_xa_begin(struct log_reader *reader, const struct log_event *ev, struct err *e);

/* Whether events of that type go to the spool; and takes one there. */
bool log_xa_holds(uint8_t type);
int log_xa_hold(struct log_reader *reader, const struct log_event *ev, struct err *e);

/* XA_PREPARE; and what else ends one that was not prepared by a commit. */
int log_xa_prepare(struct log_reader *reader, const struct log_event *ev, struct rowset *out, struct err *e);
int log_xa_one_phase(struct log_reader *reader, const struct log_event *ev, struct rowset *out, struct err *e);

/* XA COMMIT and XA ROLLBACK. */
int log_xa_commit(struct log_reader *reader, const struct log_event *ev, const struct xid *xid, struct rowset *out,
                  struct err *e);
int log_xa_rollback(struct log_reader *reader, const struct log_event *ev, const struct xid *xid, struct rowset *out,
                    struct err *e);

/* The next rowset of the transaction that comes out of the spool. */
int log_xa_emit(struct log_reader *reader, const struct log_event *ev, struct rowset *out, struct err *e);

/* Forgets the XA transaction at hand. */
void log_xa_drop(struct log_reader *reader);

/* log_compressed.c: an event of MariaDB whose last part is compressed. What is handed out borrows from reader->plain
 * until the next event; log_plain_trim gives a large buffer back. */
int log_compressed(struct log_reader *reader, const struct log_event *ev, struct rowset *out, struct err *e);
void log_plain_init(struct log_plain *plain);
void log_plain_release(struct log_plain *plain);
void log_plain_trim(struct log_plain *plain);

/* log_query.c: a QUERY event, as log_reader_feed. */
int log_query(struct log_reader *reader, const struct log_event *ev, struct rowset *out, struct err *e);

/* A change that was logged as a statement. */
int log_statement(struct log_reader *reader, const char *statement, size_t len, struct rowset *out, struct err *e);

/* log_rows.c */
int log_rows(struct log_reader *reader, const struct log_event *ev, struct rowset *out, struct err *e);

/* Its tables must be named again, and its text is that of no other. */
void log_end_statement(struct log_reader *reader);

/* log_head.c: the open transaction is void: LOG_READER_AGAIN with a ROLLBACK, or _MORE when nothing of it was told. */
int log_void(struct log_reader *reader, struct rowset *out);

/* log_head.c: events at the head and the end of files, and of a stream. */
int log_rotate(struct log_reader *reader, const struct log_event *ev, struct rowset *out, struct err *e);
int log_format(struct log_reader *reader, const struct log_event *ev, struct rowset *out, struct err *e);
int log_previous_gtids(struct log_reader *reader, const struct log_event *ev, struct err *e);
int log_gtid_list(struct log_reader *reader, const struct log_event *ev, struct err *e);
int log_heartbeat(struct log_reader *reader, const struct log_event *ev, struct rowset *out, struct err *e);

#endif
