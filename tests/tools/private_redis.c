/* A child process that the kernel kills with its parent. */
#include "tools/private_redis.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define PROGRAM     "/usr/bin/redis-server"
#define TRIES       2000
#define TRY_WAIT_MS 10

bool private_redis_is_there(void)
{
    const char *ci = getenv("CI");
    bool is_there = access(PROGRAM, X_OK) == 0;
    if (!is_there && ci && strcmp(ci, "true") == 0)
        fail_msg("no %s", PROGRAM);
    return is_there;
}

void private_redis_start(struct private_redis *redis)
{
    pid_t parent = getpid();
    redis->pid = fork();
    assert_true(redis->pid >= 0);
    if (redis->pid == 0) {
        int null = open("/dev/null", O_RDWR);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent || null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
            _exit(1);
        execl(PROGRAM, "redis-server", "--port", "0", "--unixsocket", redis->socket, "--dir", redis->dir, "--save", "",
              "--appendonly", "no", (char *)NULL);
        _exit(1);
    }
    for (unsigned i = 0;; i++) {
        redis->client = redisConnectUnix(redis->socket);
        if (redis->client && redis->client->err == 0)
            return;
        if (redis->client)
            redisFree(redis->client);
        assert_true(i < TRIES);
        (void)poll(NULL, 0, TRY_WAIT_MS);
    }
}

void private_redis_kill(struct private_redis *redis)
{
    if (redis->client)
        redisFree(redis->client);
    redis->client = NULL;
    if (redis->pid > 0) {
        kill(redis->pid, SIGKILL);
        waitpid(redis->pid, NULL, 0);
    }
    redis->pid = 0;
    unlink(redis->socket);
}

void private_redis_init(struct private_redis *redis)
{
    *redis = (struct private_redis){.dir = "/tmp/sluice-redis-XXXXXX"};
    assert_non_null(mkdtemp(redis->dir));
    snprintf(redis->socket, sizeof redis->socket, "%s/s", redis->dir);
    snprintf(redis->url, sizeof redis->url, "unix://%s", redis->socket);
    private_redis_start(redis);
}

void private_redis_release(struct private_redis *redis)
{
    private_redis_kill(redis);
    rmdir(redis->dir);
}

long long private_redis_call(struct private_redis *redis, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    redisReply *reply = redisvCommand(redis->client, format, args);
    va_end(args);
    assert_non_null(reply);
    if (reply->type == REDIS_REPLY_ERROR)
        fail_msg("%s: %s", format, reply->str);
    long long integer = reply->integer;
    freeReplyObject(reply);
    return integer;
}
