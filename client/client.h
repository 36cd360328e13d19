/* A connection to a MySQL or MariaDB server: login, TLS, small queries, the binlog dump. One header, two backends
 * (genuine libmysqlclient, MariaDB Connector/C), chosen when building.
 *
 * LOCAL INFILE is refused. A connection belongs to one thread; client_interrupt alone may be called from another.
 * Nothing is ever written to the server but session variables. */
#ifndef SLUICE_CLIENT_CLIENT_H
#define SLUICE_CLIENT_CLIENT_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "position/position.h"

enum client_tls {
    CLIENT_TLS_DEFAULT,
    CLIENT_TLS_DISABLED,
    CLIENT_TLS_PREFERRED,
    CLIENT_TLS_REQUIRED,
    CLIENT_TLS_VERIFY_CA,
    CLIENT_TLS_VERIFY_IDENTITY
};

/* All strings borrowed for the life of the connection; NULL or "" = not given. */
struct client_options {
    const char *host;
    unsigned port;
    const char *socket; /* Unix socket path; goes before host and port */
    const char *user;
    const char *password;
    enum client_tls tls; /* DEFAULT: verify_identity to a host that is not loopback, else preferred */
    const char *tls_ca;
    const char *tls_cert;
    const char *tls_key;
    unsigned connect_timeout_ms;
    unsigned read_timeout_ms; /* for queries; the dump has its own by heartbeats */
    uint64_t max_event_bytes;
};

struct client;

/* What the server says of itself at connect. */
struct client_server {
    enum flavor flavor;
    unsigned version; /* 80406, 101106 … */
    char version_text[64];
    char uuid[SERVER_UUID_MAX + 1]; /* MySQL @@server_uuid; MariaDB "server_id-N" */
    uint32_t server_id;
    bool gtid_on; /* MySQL gtid_mode ON; MariaDB: always */
    bool tls;
    bool log_bin;
    /* Global values; "" when the server has no such variable. */
    char binlog_format[16];
    char binlog_checksum[16];
    char binlog_row_image[16];
    char binlog_row_metadata[16];
};

/* Connects, logs in and reads struct client_server. Errors by class: CONNECT (RETRY: refused, timeout, host unknown,
 * gone), LOGIN_DENIED, TLS_FAILED, SERVER_UNSUPPORTED, NO_MEMORY (all STOP).
 *
 * Logins: native, caching_sha2_password, sha256_password and ed25519 only; a server that asks for the password in clear
 * (mysql_clear_password, dialog) is refused. The full login of caching_sha2_password happens over TLS or a Unix socket;
 * without both, with the server's public key, to a loopback host only. */
int client_connect(struct client **out, const struct client_options *opt, struct err *e);
void client_close(struct client *cli); /* accepts NULL */
const struct client_server *client_server(const struct client *cli);

/* A small result: all rows in memory, cells as bytes. Freed with client_result_free. */
struct client_cell {
    const char *p; /* NULL = SQL NULL; NUL-terminated besides */
    size_t len;
};
struct client_result {
    unsigned columns;
    size_t rows;
    struct client_cell *cells; /* rows · columns */
    void *memory;
};

/* Errors: QUERY_FAILED (STOP, with the server's number and text), GRANT_MISSING (1044 1142 1143 1227 …), CONNECT
 * (RETRY, lost), LIMIT (CLIENT_RESULT_MAX; the connection is then cut), NO_MEMORY, INTERRUPTED. */
#define CLIENT_RESULT_MAX ((size_t)256 << 20)
int client_query(struct client *cli, const char *sql, struct client_result *out, struct err *e);
void client_result_free(struct client_result *result);

/* A statement without result. */
int client_execute(struct client *cli, const char *sql, struct err *e);

/* The server's (or library's) number of the last failed call; 0 after success. For callers to whom one number is no
 * error, such as 1146 for a table that may be missing. */
unsigned client_last_number(const struct client *cli);

/* Append `name` quoted as an identifier, `text` quoted as a string. */
void client_quote_name(const char *name, struct buf *out);
void client_quote_text(const char *text, struct buf *out);

struct client_dump {
    uint32_t server_id;           /* ours, of the fake replica */
    const char *replica_uuid;     /* ours, stable */
    const struct filepos *at;     /* start by file; pos beyond 4 bytes is the caller's matter (start below, skip) */
    const struct gtid_set *gtids; /* start by GTID: what is already known; NULL = by file */
    unsigned heartbeat_ms;
    bool annotations; /* MariaDB: with the statements' texts (ANNOTATE_ROWS); MySQL sends what it logged */
};

/* Sets the session up (checksum as the server has it, heartbeat period, replica UUID, net_write_timeout=3600, MariaDB
 * capability and GTID position) and sends COM_BINLOG_DUMP or COM_BINLOG_DUMP_GTID. Errors: as client_query. */
int client_dump_start(struct client *cli, const struct client_dump *dump, struct err *e);

/* The next event (header, body, checksum), borrowed until the next call. Waits at most `timeout_ms` without a byte from
 * the server; the genuine library takes client_options.read_timeout_ms instead, so a connection that dumps is opened
 * with the same time there. Errors: CONNECT (RETRY: lost, silent, or the server ended the dump because it shuts down),
 * BINLOG_PURGED, BINLOG_OFF, GTID_SURPLUS, SERVER_ID_DUPLICATE, GRANT_MISSING, DUMP_REFUSED (STOP: any other error
 * 1236 …, with the server's text), LIMIT (event above max_event_bytes), CORRUPT (a packet that is no event),
 * INTERRUPTED. After an error the connection can only be closed. */
int client_dump_read(struct client *cli, unsigned timeout_ms, const uint8_t **event, size_t *len, struct err *e);

/* True when bytes can be read now: the library's buffer or poll(fd, 0). Bytes that only the TLS layer holds are not
 * seen, nor with the genuine library its buffered ones: true is right, false may be wrong. */
bool client_dump_ready(struct client *cli);

/* Any thread, until client_close begins: makes a blocked and every later call on this connection return INTERRUPTED
 * soon (shutdown of the socket). */
void client_interrupt(struct client *cli);

#endif
