/* A first look at a server before anything is sent to it: does it offer TLS? MariaDB Connector/C logs in without when
 * the certificate's name need not be verified, so it has to be known before. Private to client/. */
#ifndef SLUICE_CLIENT_GREETING_H
#define SLUICE_CLIENT_GREETING_H

#include "client/client.h"

#define GREETING_BYTES_MAX 4096

enum greeting { GREETING_NONE, GREETING_TLS, GREETING_PLAIN };

/* From the bytes of the greeting packet, its 4-byte header included. NONE: they are no whole greeting (an error of the
 * server, another protocol). Source: MySQL internals manual "Protocol::HandshakeV10". */
enum greeting greeting_read(const uint8_t *bytes, size_t len);

/* Connects to the first address that answers, reads the greeting and hangs up. NONE also when nothing answers: what is
 * wrong then, the library's own connect will say. Waits connect_timeout_ms at most (0: 10 s). */
enum greeting greeting_look(const struct client_options *opt, unsigned port_default);

#endif
