/* A scripted server: one thread, blocking sockets; stopping shuts them down. */
#include "tools/scripted_redis.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define REQUEST_MAX ((size_t)4 << 20)
#define NAMES       12

struct scripted_redis {
    pthread_t thread;
    pthread_mutex_t lock; /* of all below */
    const struct scripted_reply *replies;
    size_t close_after;
    int listener, client;
    uint16_t port;
    bool stopping;
    uint64_t connections;
    struct {
        char name[72];
        uint64_t count;
    } seen[NAMES];
    char bytes[REQUEST_MAX]; /* the thread's alone */
};

static const struct scripted_reply defaults[] = {
    {"PING", "+PONG\r\n", 0},
    {"INFO server", "$36\r\nredis_version:7.0.0\r\nredis_mode:xx\r\n\r\n", 0},
    {"INFO replication", "$13\r\nrole:master\r\n\r\n", 0},
    {"UNLINK", ":1\r\n", 0},
    {"DEL", ":1\r\n", 0},
    {NULL, NULL, 0},
};

/* One complete command at the begin of the buffer: its length, 0 when more bytes are needed. The first two arguments go
 * to `words`. */
struct request {
    char words[2][32];
    size_t count;
};
static size_t parse(const char *p, size_t len, struct request *out)
{
    const char *end = p + len, *at = p;
    const char *line = memmem(at, (size_t)(end - at), "\r\n", 2);
    if (!line)
        return 0;
    *out = (struct request){.count = strtoul(at + 1, NULL, 10)};
    at = line + 2;
    for (size_t i = 0; i < out->count; i++) {
        line = memmem(at, (size_t)(end - at), "\r\n", 2);
        if (!line)
            return 0;
        size_t arg = strtoul(at + 1, NULL, 10);
        at = line + 2;
        if ((size_t)(end - at) < arg + 2)
            return 0;
        if (i < 2)
            snprintf(out->words[i], sizeof out->words[i], "%.*s", (int)(arg < 31 ? arg : 31), at);
        at += arg + 2;
    }
    return (size_t)(at - p);
}

static void name_of(const struct request *request, char out[72])
{
    bool two = strcasecmp(request->words[0], "INFO") == 0;
    snprintf(out, 72, two ? "%s %s" : "%s", request->words[0], request->words[1]);
}

static const struct scripted_reply *find(const struct scripted_reply *list, const char *name)
{
    for (; list && list->command; list++)
        if (strcasecmp(list->command, name) == 0)
            return list;
    return NULL;
}

static void count_command(struct scripted_redis *server, const char *name)
{
    for (size_t i = 0; i < NAMES; i++) {
        if (!server->seen[i].name[0])
            snprintf(server->seen[i].name, sizeof server->seen[i].name, "%s", name);
        if (strcasecmp(server->seen[i].name, name) == 0) {
            server->seen[i].count++;
            return;
        }
    }
}

/* Answers one command; false when the connection ends by the script. */
static bool answer(struct scripted_redis *server, int fd, const struct request *request, size_t *sent)
{
    static const struct scripted_reply ok = {"", "+OK\r\n", 0};
    char name[72];
    name_of(request, name);
    pthread_mutex_lock(&server->lock);
    count_command(server, name);
    const struct scripted_reply *reply = find(server->replies, name);
    size_t limit = server->close_after;
    pthread_mutex_unlock(&server->lock);
    if (!reply)
        reply = find(defaults, name);
    if (!reply)
        reply = &ok;
    size_t len = reply->len ? reply->len : strlen(reply->bytes);
    bool cut = len >= limit - *sent;
    if (cut)
        len = limit - *sent;
    *sent += len;
    if (send(fd, reply->bytes, len, MSG_NOSIGNAL) != (ssize_t)len)
        return false;
    return !cut;
}

static void serve(struct scripted_redis *server, int fd)
{
    char *bytes = server->bytes;
    size_t have = 0, sent = 0;
    for (bool on = true; on;) {
        ssize_t n = recv(fd, bytes + have, REQUEST_MAX - have, 0);
        if (n <= 0)
            break;
        have += (size_t)n;
        struct request request;
        for (size_t used; on && (used = parse(bytes, have, &request)) != 0;) {
            on = answer(server, fd, &request, &sent);
            memmove(bytes, bytes + used, have - used);
            have -= used;
        }
    }
}

static void *run(void *arg)
{
    struct scripted_redis *server = arg;
    for (;;) {
        int fd = accept(server->listener, NULL, NULL);
        pthread_mutex_lock(&server->lock);
        bool stopping = server->stopping || fd < 0;
        server->client = stopping ? -1 : fd;
        server->connections += !stopping;
        int one = 1;
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        pthread_mutex_unlock(&server->lock);
        if (!stopping)
            serve(server, fd);
        pthread_mutex_lock(&server->lock);
        server->client = -1;
        pthread_mutex_unlock(&server->lock);
        if (fd >= 0)
            close(fd);
        if (stopping)
            return NULL;
    }
}

struct scripted_redis *scripted_redis_start(const struct scripted_reply *replies, size_t close_after)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    struct scripted_redis *server = calloc(1, sizeof *server);
    assert_non_null(server);
    server->replies = replies;
    server->close_after = close_after;
    server->client = -1;
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(server->listener >= 0);
    assert_int_equal(bind(server->listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(server->listener, 64), 0);
    assert_int_equal(getsockname(server->listener, (struct sockaddr *)&address, &len), 0);
    server->port = ntohs(address.sin_port);
    pthread_mutex_init(&server->lock, NULL);
    assert_int_equal(pthread_create(&server->thread, NULL, run, server), 0);
    return server;
}

uint16_t scripted_redis_port(const struct scripted_redis *server)
{
    return server->port;
}

uint64_t scripted_redis_commands(struct scripted_redis *server, const char *name)
{
    uint64_t count = 0;
    pthread_mutex_lock(&server->lock);
    for (size_t i = 0; i < NAMES; i++)
        if (strcasecmp(server->seen[i].name, name) == 0)
            count = server->seen[i].count;
    pthread_mutex_unlock(&server->lock);
    return count;
}

uint64_t scripted_redis_connections(struct scripted_redis *server)
{
    pthread_mutex_lock(&server->lock);
    uint64_t count = server->connections;
    pthread_mutex_unlock(&server->lock);
    return count;
}

void scripted_redis_set(struct scripted_redis *server, const struct scripted_reply *replies, size_t close_after)
{
    pthread_mutex_lock(&server->lock);
    server->replies = replies;
    server->close_after = close_after;
    pthread_mutex_unlock(&server->lock);
}

void scripted_redis_stop(struct scripted_redis *server)
{
    pthread_mutex_lock(&server->lock);
    server->stopping = true;
    if (server->client >= 0)
        shutdown(server->client, SHUT_RDWR);
    pthread_mutex_unlock(&server->lock);
    shutdown(server->listener, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->listener);
    pthread_mutex_destroy(&server->lock);
    free(server);
}
