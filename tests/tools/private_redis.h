/* A real redis-server of the test's own on a Unix socket in a temporary directory. Dies with the test. */
#ifndef SLUICE_TESTS_PRIVATE_REDIS_H
#define SLUICE_TESTS_PRIVATE_REDIS_H

#include <stdbool.h>
#include <sys/types.h>

#include <hiredis/hiredis.h>

struct private_redis {
    char dir[64];
    char socket[96];
    char url[128]; /* for the sink's options */
    pid_t pid;     /* 0: not running */
    redisContext *client;
};

/* False when there is no redis-server on this machine: the test is skipped, but fails with CI=true. */
bool private_redis_is_there(void);

/* Makes the directory and starts the server; the test fails when it does not come up. */
void private_redis_init(struct private_redis *redis);
void private_redis_release(struct private_redis *redis);

/* Stops it at once (its data are gone), and starts it again under the same socket. */
void private_redis_kill(struct private_redis *redis);
void private_redis_start(struct private_redis *redis);

/* One command by a client of the test's own; integer replies only. */
long long private_redis_call(struct private_redis *redis, const char *format, ...);

#endif
