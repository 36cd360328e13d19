/* Binlog events: header, types, and one reader per event, each in binlog/event_<name>.c with its wire layout at the
 * top.
 *
 * Readers take a cursor over the event's body (header and checksum already cut off) and borrow from it. All of them
 * give CORRUPT for bytes that are missing, left over where the layout is closed, or beyond a limit named here; texts
 * are without the place, which the caller wraps around. Core: no I/O; any thread.
 * Sources: MySQL manual and libs/mysql/binlog/event; MariaDB Knowledge Base "Replication Protocol". */
#ifndef SLUICE_BINLOG_EVENT_H
#define SLUICE_BINLOG_EVENT_H

#include "base/cursor.h"
#include "binlog/xid.h"
#include "change/change.h"
#include "change/table.h"
#include "position/filepos.h"
#include "position/gtid.h"

#define EVENT_HEADER_LEN       19
#define EVENT_CHECKSUM_LEN     4
#define EVENT_BYTES_MAX        ((uint64_t)1 << 30) /* default of max_event_bytes: the server's own limit */
#define EVENT_STATUS_BYTES_MAX 65535
#define EVENT_FILE_MAGIC_LEN   4

enum event_type {
    EVENT_START_V3 = 1,
    EVENT_QUERY = 2,
    EVENT_STOP = 3,
    EVENT_ROTATE = 4,
    EVENT_INTVAR = 5,
    EVENT_APPEND_BLOCK = 9,
    EVENT_DELETE_FILE = 11,
    EVENT_RAND = 13,
    EVENT_USER_VAR = 14,
    EVENT_FORMAT = 15,
    EVENT_XID = 16,
    EVENT_BEGIN_LOAD_QUERY = 17,
    EVENT_EXECUTE_LOAD_QUERY = 18,
    EVENT_TABLE_MAP = 19,
    EVENT_WRITE_ROWS_V1 = 23,
    EVENT_UPDATE_ROWS_V1 = 24,
    EVENT_DELETE_ROWS_V1 = 25,
    EVENT_INCIDENT = 26,
    EVENT_HEARTBEAT = 27,
    EVENT_IGNORABLE = 28,
    EVENT_ROWS_QUERY = 29,
    EVENT_WRITE_ROWS = 30,
    EVENT_UPDATE_ROWS = 31,
    EVENT_DELETE_ROWS = 32,
    EVENT_GTID = 33,
    EVENT_ANONYMOUS_GTID = 34,
    EVENT_PREVIOUS_GTIDS = 35,
    EVENT_TRANSACTION_CONTEXT = 36,
    EVENT_VIEW_CHANGE = 37,
    EVENT_XA_PREPARE = 38,
    EVENT_PARTIAL_UPDATE_ROWS = 39,
    EVENT_TRANSACTION_PAYLOAD = 40,
    EVENT_HEARTBEAT_V2 = 41,
    EVENT_GTID_TAGGED = 42,
    EVENT_ANNOTATE = 160, /* from here on MariaDB's own */
    EVENT_BINLOG_CHECKPOINT = 161,
    EVENT_MARIADB_GTID = 162,
    EVENT_GTID_LIST = 163,
    EVENT_START_ENCRYPTION = 164,
    EVENT_QUERY_COMPRESSED = 165,
    EVENT_WRITE_ROWS_COMPRESSED_V1 = 166,
    EVENT_UPDATE_ROWS_COMPRESSED_V1 = 167,
    EVENT_DELETE_ROWS_COMPRESSED_V1 = 168,
    EVENT_WRITE_ROWS_COMPRESSED = 169,
    EVENT_UPDATE_ROWS_COMPRESSED = 170,
    EVENT_DELETE_ROWS_COMPRESSED = 171
};

enum event_flag {
    EVENT_FLAG_IN_USE = 0x1,      /* of the FORMAT event: the file was not closed */
    EVENT_FLAG_ARTIFICIAL = 0x20, /* made by the server for the stream, not in the file */
    EVENT_FLAG_RELAY = 0x40,
    EVENT_FLAG_IGNORABLE = 0x80
};

/* What is done with a type. */
enum event_use {
    EVENT_READ,    /* has a reader */
    EVENT_SKIPPED, /* says nothing about rows */
    EVENT_STOPS    /* known, and not supported: its changes would be lost */
};

/* One row of the table of types. */
struct event_row {
    uint8_t type;
    uint8_t use; /* enum event_use */
    const char *name;
};

/* NULL for a type that is not in the table. */
const struct event_row *event_row(uint8_t type);

/* All of them; the count. */
size_t event_rows(const struct event_row **out);

struct event_header {
    uint32_t timestamp; /* Unix seconds */
    uint8_t type;
    uint32_t server_id;
    uint32_t len;     /* of the whole event */
    uint32_t log_pos; /* end, low 32 bits; may be 0 */
    uint16_t flags;
};

/* Reads the first EVENT_HEADER_LEN bytes. Errors: CORRUPT (fewer bytes, or a length below the header or above
 * max_event_bytes, 0 = EVENT_BYTES_MAX). */
int event_header_read(struct event_header *out, const uint8_t *bytes, size_t len, uint64_t max_event_bytes,
                      struct err *e);

enum event_checksum { CHECKSUM_OFF = 0, CHECKSUM_CRC32 = 1, CHECKSUM_UNKNOWN = 255 };

/* Compares the trailing CRC of a whole event. The in-use flag of a FORMAT event is not covered by it. Errors: CORRUPT.
 */
int event_checksum_verify(const uint8_t *event, size_t len, struct err *e);

/* FORMAT_DESCRIPTION: how the events behind it are laid out. */
#define EVENT_SERVER_TEXT_MAX 50
struct event_format {
    char server[EVENT_SERVER_TEXT_MAX + 1]; /* version text of the server */
    unsigned server_version;                /* 80406, 101119 …; 0 when the text has none */
    bool mariadb;
    bool in_use;
    uint8_t checksum; /* enum event_checksum of the events that follow */
    uint8_t post_header_len[256];
    unsigned post_header_count; /* types 1 … count have an entry */
};

/* Takes the whole event, header and checksum included: where its checksum begins follows from its last bytes. Errors:
 * CORRUPT (version other than 4, header length other than 19, too short, unknown checksum algorithm, a post-header
 * length that the readers here do not know). */
int event_format_read(struct event_format *out, const uint8_t *event, size_t len, struct err *e);

/* The algorithm that a whole FORMAT event names for itself and what follows; CHECKSUM_OFF, without trailing bytes, of
 * servers that know none. */
uint8_t event_format_checksum(const uint8_t *event, size_t len);

struct event_rotate {
    uint64_t pos;
    const char *file; /* without NUL bytes, at most FILEPOS_FILE_MAX */
    size_t file_len;
};
int event_rotate_read(struct event_rotate *out, struct cursor body, struct err *e);

struct event_query {
    uint32_t thread_id;
    uint16_t error_code;
    const char *db; /* NUL-terminated; "" without a default database */
    size_t db_len;
    const char *statement; /* not NUL-terminated */
    size_t statement_len;
    bool has_sql_mode;
    uint64_t sql_mode;
    uint16_t client_collation;   /* 0 when not sent, here and below */
    uint16_t server_collation;   /* collation_server of the session: the default of CREATE DATABASE */
    uint16_t database_collation; /* collation_database, where the session has set it to another than its database's */
    uint16_t utf8mb4_collation;  /* MySQL: default_collation_for_utf8mb4 */
    bool explicit_timestamps;    /* explicit_defaults_for_timestamp is known to be ON */
    bool has_ddl_xid; /* a DDL that changed something; MySQL before 8.0 and MariaDB before 10.6 never say it */
    bool has_us;
    uint32_t us; /* of the header's second */
};
int event_query_read(struct event_query *out, struct cursor body, struct err *e);

/* XID: the commit of a transaction. */
int event_xid_read(uint64_t *xid, struct cursor body, struct err *e);

/* XA_PREPARE: the rows of an XA transaction are complete; `one_phase`: and committed. */
struct event_xa_prepare {
    bool one_phase;
    struct xid xid;
};
int event_xa_prepare_read(struct event_xa_prepare *out, struct cursor body, struct err *e);

/* GTID, ANONYMOUS_GTID and GTID_TAGGED of MySQL. */
struct event_gtid {
    struct gtid gtid;     /* none for ANONYMOUS_GTID */
    int64_t immediate_us; /* commit time on the server that sends, µs; 0 when not sent (before 8.0.1) */
    int64_t original_us;  /* on the first server; immediate_us when the event has one time only */
};
int event_gtid_read(struct event_gtid *out, struct cursor body, uint8_t type, struct err *e);

enum event_mariadb_gtid_flag {
    MARIADB_GTID_STANDALONE = 1, /* one event follows, no commit */
    MARIADB_GTID_GROUP_COMMIT_ID = 2,
    MARIADB_GTID_TRANSACTIONAL = 4,
    MARIADB_GTID_DDL = 32,
    MARIADB_GTID_PREPARED_XA = 64,
    MARIADB_GTID_COMPLETED_XA = 128
};

/* With binlog_alter_two_phase an ALTER is logged at its begin, and at its end, whole both times. */
enum event_mariadb_gtid_extra {
    MARIADB_GTID_EXTRA_ENGINES = 1,
    MARIADB_GTID_START_ALTER = 2,
    MARIADB_GTID_COMMIT_ALTER = 4,
    MARIADB_GTID_ROLLBACK_ALTER = 8
};

struct event_mariadb_gtid {
    struct gtid gtid;
    uint8_t flags;
    uint8_t extra;  /* enum event_mariadb_gtid_extra; unknown ones are kept */
    uint64_t alter; /* COMMIT_ALTER, ROLLBACK_ALTER: sequence number of the START_ALTER */
};
int event_mariadb_gtid_read(struct event_mariadb_gtid *out, struct cursor body, uint32_t server_id, struct err *e);

/* GTID_LIST (MariaDB): the last GTID of each domain and server before this file. The caller frees *out. Errors besides:
 * NO_MEMORY. `told` is set when the server made the event for the stream (until reached, or to be ignored). */
#define EVENT_GTID_LIST_MAX 1000000
int event_gtid_list_read(struct gtid_set **out, bool *told, struct cursor body, struct err *e);

/* PREVIOUS_GTIDS (MySQL): all GTIDs before this file. The caller frees *out. Errors besides: NO_MEMORY, LIMIT. */
int event_previous_gtids_read(struct gtid_set **out, struct cursor body, struct err *e);

/* ANNOTATE_ROWS (MariaDB) and ROWS_QUERY (MySQL): the statement behind the rows that follow. */
int event_annotate_read(const char **text, size_t *text_len, struct cursor body, uint8_t type, struct err *e);

int event_table_map_read(struct wire_table *out, struct cursor body, const struct event_format *format, struct err *e);

#define EVENT_ROWS_STATEMENT_END 1
#define EVENT_ROWS_DUMMY_TABLE   0x00ffffff /* ends a statement without rows */
struct event_rows {
    uint64_t table_id;
    uint16_t flags;
    enum change_op op;
    unsigned column_count;
    bool partial;                  /* value options in front of each after image (change/source.c) */
    const uint8_t *before_present; /* bitmap by column; NULL = all present (or no such image) */
    const uint8_t *after_present;
    const uint8_t *rows;
    const uint8_t *rows_end;
};

/* WRITE, UPDATE and DELETE_ROWS, versions 1 and 2, and PARTIAL_UPDATE_ROWS. */
int event_rows_read(struct event_rows *out, struct cursor body, uint8_t type, const struct event_format *format,
                    struct err *e);

/* TRANSACTION_PAYLOAD: a transaction's events, compressed. What it claims about sizes is not checked here, but that
 * `len` is what came. Errors besides: EVENT_UNKNOWN (another compression). */
enum payload_compression { PAYLOAD_ZSTD = 0, PAYLOAD_PLAIN = 255 };
struct event_payload {
    uint64_t compression; /* enum payload_compression */
    uint64_t plain_len;   /* of the events */
    const uint8_t *bytes;
    size_t len;
};
int event_payload_read(struct event_payload *out, struct cursor body, struct err *e);

/* QUERY_COMPRESSED and ROWS_COMPRESSED of MariaDB. Errors besides: EVENT_UNKNOWN (another algorithm than zlib). */
struct event_compressed {
    uint8_t type;        /* of the plain event */
    const uint8_t *head; /* begin of its body, which is not compressed */
    size_t head_len;
    size_t plain_len;     /* of the rest; possible for zlib with `len` */
    const uint8_t *bytes; /* the rest: a zlib stream */
    size_t len;
};
int event_compressed_read(struct event_compressed *out, struct cursor body, uint8_t type,
                          const struct event_format *format, struct err *e);

struct event_heartbeat {
    const char *file;
    size_t file_len;
    bool has_pos; /* version 2 has the position in 64 bits; version 1 in the header's 32 */
    uint64_t pos;
};
int event_heartbeat_read(struct event_heartbeat *out, struct cursor body, uint8_t type, struct err *e);

struct event_incident {
    uint16_t number; /* 1: lost events */
    const char *message;
    size_t message_len;
};
int event_incident_read(struct event_incident *out, struct cursor body, struct err *e);

int event_stop_read(struct cursor body, struct err *e);

/* INTVAR, RAND and USER_VAR precede a change that is logged as a statement; only their form is checked. */
int event_intvar_read(struct cursor body, struct err *e);
int event_rand_read(struct cursor body, struct err *e);
int event_user_var_read(struct cursor body, struct err *e);

/* For the readers: CORRUPT when the cursor went bad or, in a closed layout, has bytes left. */
int event_finish(const struct cursor *cur, const char *name, struct err *e);

#endif
