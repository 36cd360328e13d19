/* The connection object and what its files share. Private to client/. */
#ifndef SLUICE_CLIENT_CLIENT_IMPL_H
#define SLUICE_CLIENT_CLIENT_IMPL_H

#include <stdatomic.h>

#include "client/backend.h"
#include "client/client_error.h"

struct client {
    MYSQL *mysql;
    struct client_server server;
    uint64_t max_event_bytes;
    int wake_fd; /* a duplicate of the socket: the library may close its own at any error, this one is ours to shut */
    atomic_bool interrupted;
    struct backend_dump *dump;
    char start[FILEPOS_TEXT_MAX]; /* of the dump, for messages */
    uint32_t server_id;           /* ours */
};

/* True for "localhost", 127.0.0.0/8 and ::1. */
bool client_is_loopback(const char *host);

/* The mode that holds for these options; never DEFAULT. */
enum client_tls client_tls_resolve(const struct client_options *opt);

/* The port of an option that names none. */
#define CLIENT_PORT_DEFAULT 3306

/* The library's last error as ours; INTERRUPTED when client_interrupt was the cause. */
int client_fail(struct client *cli, enum client_stage stage, const char *what, struct err *e);

/* Reads struct client_server. */
int client_identify(struct client *cli, struct err *e);

#endif
