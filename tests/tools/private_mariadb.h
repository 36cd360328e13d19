/* A MariaDB server of this machine's mariadb-server package, for one test program: empty, without users (anybody may
 * log in by its Unix socket), with a row binlog and FULL metadata, in a directory of its own under /tmp. Up in about a
 * second. The kernel kills it when the test dies. */
#ifndef SLUICE_TESTS_PRIVATE_MARIADB_H
#define SLUICE_TESTS_PRIVATE_MARIADB_H

#include <stdbool.h>
#include <sys/types.h>

#include "client/client.h"

struct private_mariadb {
    char dir[64];
    char socket[96];
    char server_id[32];
    pid_t pid; /* 0: not running */
};

/* Whether mariadbd is installed. When it is not: fails the test program under CI=true, else tells on stderr. */
bool private_mariadb_possible(void);

/* Makes the directory and starts the server with this server_id; waits until it answers. False: it did not. */
bool private_mariadb_start(struct private_mariadb *srv, unsigned server_id);

/* Ends it by SIGKILL, as a crash does; and starts it again on the same data. */
void private_mariadb_kill(struct private_mariadb *srv);
bool private_mariadb_restart(struct private_mariadb *srv);

/* Ends it and removes its directory. */
void private_mariadb_remove(struct private_mariadb *srv);

/* How to connect; strings live in `srv`. */
struct client_options private_mariadb_options(const struct private_mariadb *srv);

#endif
