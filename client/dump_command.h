/* The bytes and the session statements of a binlog dump: pure functions, no connection. Private to client/.
 *
 * COM_BINLOG_DUMP (0x12):      pos 4, flags 2, server_id 4, file name to the end.
 * COM_BINLOG_DUMP_GTID (0x1e): flags 2, server_id 4, name length 4, name, pos 8, data length 4, encoded GTID set.
 * Source: MySQL internals manual "COM_BINLOG_DUMP", "COM_BINLOG_DUMP_GTID"; MariaDB Knowledge Base "COM_BINLOG_DUMP".
 */
#ifndef SLUICE_CLIENT_DUMP_COMMAND_H
#define SLUICE_CLIENT_DUMP_COMMAND_H

#include "client/client.h"

#define DUMP_COMMAND_BY_FILE 0x12
#define DUMP_COMMAND_BY_GTID 0x1e

#define DUMP_COMMAND_ANNOTATIONS 2 /* BINLOG_SEND_ANNOTATE_ROWS_EVENT */

struct dump_command {
    uint8_t code; /* one of the two above */
    uint32_t server_id;
    const char *file; /* borrowed; "" by GTID */
    uint32_t pos;
    uint16_t flags;   /* DUMP_COMMAND_ANNOTATIONS, or 0: wait at the end of the log; heartbeats of the first form */
    struct buf gtids; /* encoded set; empty by file */
};

/* Chooses command and start for a server. On success the caller releases cmd->gtids. Errors: BUG (no start, a start by
 * file beyond 4 bytes, a set of the other flavour, tags for a server that knows none), NO_MEMORY. */
int dump_command_init(struct dump_command *cmd, const struct client_server *server, const struct client_dump *dump,
                      struct err *e);

/* Appends the body of the command (without the code byte). */
void dump_command_encode(const struct dump_command *cmd, struct buf *out);

/* Appends the n-th statement (from 0) that prepares the session for `dump`, NUL-terminated. False: no more. */
bool dump_command_session(unsigned n, const struct client_server *server, const struct client_dump *dump,
                          struct buf *out);

#endif
