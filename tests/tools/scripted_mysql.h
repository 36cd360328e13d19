/* A MySQL server that does what a test tells it to, rogue or broken: a thread for each of up to 64 connections on a
 * loopback port, without TLS. It says that it is MySQL 8.0.36 with a row binlog, answers every statement with OK,
 * and a dump with the packets of the script; what the client sent is kept. */
#ifndef SLUICE_TESTS_SCRIPTED_MYSQL_H
#define SLUICE_TESTS_SCRIPTED_MYSQL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scripted_packet {
    const char *bytes; /* NULL ends the list */
    size_t len;
};

/* Borrowed until stop. */
struct mysql_script {
    const char *switch_to;              /* asks for this login plugin; NULL: any login is fine */
    bool full_login;                    /* after the switch, caching_sha2_password's "full login, please" */
    const char *infile;                 /* answers every statement with a request for this local file */
    const struct scripted_packet *dump; /* NULL: the dump stays silent */
    bool gtid_on;                       /* gtid_mode is ON */
    size_t close_after;                 /* bytes of answers after which a connection is cut; 0 = never */
};

struct scripted_mysql;

/* The test fails when it cannot start. */
struct scripted_mysql *scripted_mysql_start(const struct mysql_script *script);
unsigned scripted_mysql_port(const struct scripted_mysql *server);

/* Ends it; afterwards only the two below and free may be called. */
void scripted_mysql_stop(struct scripted_mysql *server);

/* Whether these bytes came from a client, in whatever packet. */
bool scripted_mysql_received(const struct scripted_mysql *server, const void *bytes, size_t len);

/* Bytes of answers of the last connection. */
size_t scripted_mysql_sent(const struct scripted_mysql *server);
void scripted_mysql_free(struct scripted_mysql *server);

#endif
