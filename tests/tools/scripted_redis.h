/* A Redis server that says what a test tells it to: a thread that accepts one connection after the other on a loopback
 * port, counts the commands that come, and answers each by its name. */
#ifndef SLUICE_TESTS_SCRIPTED_REDIS_H
#define SLUICE_TESTS_SCRIPTED_REDIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The answer to a command; by its first word, for INFO and CLIENT by "INFO server" and so on. NULL: the default, which
 * is that of a server that is well. */
struct scripted_reply {
    const char *command;
    const char *bytes;
    size_t len; /* 0: strlen */
};

struct scripted_redis;

/* Answers by `replies` (ended by command NULL; borrowed until stop). close_after: bytes of answers after which each
 * connection is closed, SIZE_MAX: never. The test fails when it cannot start. */
struct scripted_redis *scripted_redis_start(const struct scripted_reply *replies, size_t close_after);
uint16_t scripted_redis_port(const struct scripted_redis *server);

/* What came so far: commands of that name, connections. */
uint64_t scripted_redis_commands(struct scripted_redis *server, const char *name);
uint64_t scripted_redis_connections(struct scripted_redis *server);

/* Changes the answers for connections to come. */
void scripted_redis_set(struct scripted_redis *server, const struct scripted_reply *replies, size_t close_after);
void scripted_redis_stop(struct scripted_redis *server);

#endif
