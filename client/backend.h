/* What differs between the two client libraries: options before the connect, and the dump. Everything else of the
 * MySQL C API is common to both and used by client.c. Private to client/. */
#ifndef SLUICE_CLIENT_BACKEND_H
#define SLUICE_CLIENT_BACKEND_H

#include <mysql.h>

#include "client/client.h"
#include "client/dump_command.h"

/* Where CA certificates of the system are looked up when source.tls_ca is not given. */
#define BACKEND_SYSTEM_CA_DIR "/etc/ssl/certs"

/* Sets TLS, login plugins and public key rules before mysql_real_connect. `tls` is not DEFAULT; `trusted` when no
 * stranger can sit in between (loopback, Unix socket). Errors: TLS_FAILED. */
int backend_prepare(MYSQL *mysql, const struct client_options *opt, enum client_tls tls, bool trusted, struct err *e);

/* True when the library sends the login all the same to a server that offers no TLS, in a mode that requires it. */
bool backend_logs_in_without(enum client_tls tls);

/* Before mysql_close: gives back what the library forgets. */
void backend_release(MYSQL *mysql);

/* The socket; -1 when there is none. */
int backend_socket(MYSQL *mysql);

struct backend_dump;

/* Sends the dump command. 0, or -1 with the library's error in mysql_errno. */
int backend_dump_open(struct backend_dump **out, MYSQL *mysql, const struct dump_command *cmd);

/* 1: a packet (its first byte, 0 = OK, included); 0: the server ended the dump; -1: mysql_errno. */
int backend_dump_read(struct backend_dump *dump, unsigned timeout_ms, const uint8_t **packet, size_t *len);

/* True when the library is known to hold bytes that were not handed out. */
bool backend_dump_buffered(const struct backend_dump *dump);

void backend_dump_close(struct backend_dump *dump); /* accepts NULL */

#endif
