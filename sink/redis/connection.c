/* Socket and login. */
#include "sink/redis/connection.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "sink/redis/sentinel.h"

#define READ_BYTES 16384
#define OUT_KEPT   ((size_t)1024 * 1024) /* memory that one huge key took is given back */

static int down(const struct redis_connection *conn, const char *why, struct err *e)
{
    return err_set(e, SINK_DOWN, conn->address.name, why);
}

static struct timeval timeval_of_ms(uint64_t ms)
{
    return (struct timeval){.tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
}

static int connect_socket(struct redis_connection *conn, struct err *e)
{
    struct timeval timeout = timeval_of_ms(conn->opt->connect_timeout_ms);
    const struct redis_address *to = &conn->address;
    conn->context = to->is_unix ? redisConnectUnixWithTimeout(to->host, timeout)
                                : redisConnectWithTimeout(to->host, to->port, timeout);
    if (!conn->context)
        return err_set(e, NO_MEMORY, sizeof *conn->context);
    if (conn->context->err)
        return down(conn, conn->context->errstr, e);
    if (!to->is_unix)
        (void)redisEnableKeepAlive(conn->context);
    return 0;
}

void redis_command(struct redis_connection *conn, size_t args)
{
    char head[32];
    int n = snprintf(head, sizeof head, "*%zu\r\n", args);
    buf_add(&conn->out, head, (size_t)n);
}

void redis_add_argument(struct buf *out, const void *bytes, size_t len)
{
    char head[32];
    size_t n = sizeof head;
    head[--n] = '\n';
    head[--n] = '\r';
    size_t left = len;
    do {
        head[--n] = (char)('0' + left % 10);
        left /= 10;
    } while (left);
    head[--n] = '$';
    uint8_t *p = buf_room(out, sizeof head - n + len + 2);
    if (!p)
        return;
    memcpy(p, head + n, sizeof head - n);
    p += sizeof head - n;
    if (len)
        memcpy(p, bytes, len);
    memcpy(p + len, "\r\n", 2);
    out->len += sizeof head - n + len + 2;
}

void redis_argument(struct redis_connection *conn, const void *bytes, size_t len)
{
    redis_add_argument(&conn->out, bytes, len);
}

/* Waits for the socket: 0, or SINK_DOWN at the deadline. */
static int wait_for(struct redis_connection *conn, short events, int64_t deadline_us, struct err *e)
{
    for (;;) {
        int64_t left = deadline_us - env_mono_us(conn->env);
        struct pollfd wait = {.fd = conn->context->fd, .events = events};
        int n = left > 0 ? poll(&wait, 1, (int)((left + 999) / 1000)) : 0;
        if (n > 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return down(conn, strerror(errno), e);
        if (n == 0)
            return down(conn, events == POLLIN ? "no reply within the timeout" : "it takes no bytes", e);
    }
}

static int64_t deadline(const struct redis_connection *conn, uint64_t timeout_ms)
{
    return env_mono_us(conn->env) + (int64_t)timeout_ms * 1000;
}

int redis_send(struct redis_connection *conn, struct err *e)
{
    if (conn->out.failed)
        return err_set(e, NO_MEMORY, conn->out.len);
    int64_t until = deadline(conn, conn->opt->timeout_ms);
    for (size_t sent = 0; sent < conn->out.len;) {
        ssize_t n = send(conn->context->fd, conn->out.p + sent, conn->out.len - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0) {
            sent += (size_t)n;
            until = deadline(conn, conn->opt->timeout_ms);
        } else if (n < 0 && errno == EAGAIN) {
            int rc = wait_for(conn, POLLOUT, until, e);
            if (rc != 0)
                return rc;
        } else if (n < 0 && errno != EINTR) {
            return down(conn, strerror(errno), e);
        }
    }
    if (conn->out.size > OUT_KEPT)
        buf_release(&conn->out);
    buf_clear(&conn->out);
    return 0;
}

/* Reads what is there, waiting for the first byte. */
static int receive(struct redis_connection *conn, int64_t until, struct err *e)
{
    char bytes[READ_BYTES];
    ssize_t n = recv(conn->context->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (n == 0)
        return down(conn, "connection closed by the server", e);
    if (n < 0 && errno == EAGAIN)
        return wait_for(conn, POLLIN, until, e);
    if (n < 0)
        return errno == EINTR ? 0 : down(conn, strerror(errno), e);
    return reply_reader_feed(&conn->reader, bytes, (size_t)n) == 0
               ? 0
               : err_set(e, SINK_PROTOCOL, conn->address.name, "it is too long");
}

int redis_reply(struct redis_connection *conn, const struct reply **out, struct err *e)
{
    return redis_reply_within(conn, conn->opt->timeout_ms, out, e);
}

int redis_reply_number(struct redis_connection *conn, const char *command, uint64_t *out, struct err *e)
{
    const struct reply *reply;
    int rc = redis_reply(conn, &reply, e);
    if (rc != 0)
        return rc;
    if (reply->type == REPLY_ERROR)
        return reply_error(conn->address.name, reply, e);
    if (reply->type != REPLY_INTEGER || reply->integer < 0) {
        char text[64];
        snprintf(text, sizeof text, "to %s no number", command);
        return err_set(e, SINK_PROTOCOL, conn->address.name, text);
    }
    *out = (uint64_t)reply->integer;
    return 0;
}

int redis_reply_within(struct redis_connection *conn, uint64_t timeout_ms, const struct reply **out, struct err *e)
{
    int64_t until = deadline(conn, timeout_ms);
    for (;;) {
        int got = reply_reader_next(&conn->reader, out);
        if (got < 0)
            return err_set(e, SINK_PROTOCOL, conn->address.name, "it is malformed or of a kind that was not asked for");
        if (got > 0)
            return 0;
        if (env_mono_us(conn->env) >= until)
            return down(conn, "no reply within the timeout", e);
        int rc = receive(conn, until, e);
        if (rc != 0)
            return rc;
    }
}

/* ---------------------------------------------------------------- login */

static void send_words(struct redis_connection *conn, const char *const *words)
{
    size_t count = 0;
    while (words[count])
        count++;
    redis_command(conn, count);
    for (size_t i = 0; i < count; i++)
        redis_argument(conn, words[i], strlen(words[i]));
}

/* AUTH: whatever is wrong but passes not by itself is a wrong login. */
static int take_auth(struct redis_connection *conn, const struct reply *reply, struct err *e)
{
    if (reply->type != REPLY_ERROR)
        return 0;
    struct err why = ERR_INIT;
    reply_error(conn->address.name, reply, &why);
    if (err_class(&why) == ERR_CLASS_RETRY)
        return reply_error(conn->address.name, reply, e);
    return err_set(e, SINK_LOGIN, conn->address.name, "by its reply to AUTH");
}

/* A name of the connection in CLIENT LIST is a courtesy. */
static int take_anything(struct redis_connection *conn, const struct reply *reply, struct err *e)
{
    (void)conn;
    (void)reply;
    (void)e;
    return 0;
}

/* A user may lack the right to PING or SELECT 0 and yet be able to UNLINK. */
static int take_ping(struct redis_connection *conn, const struct reply *reply, struct err *e)
{
    if (reply->type == REPLY_ERROR)
        return reply_error_is(reply, "NOPERM") ? 0 : reply_error(conn->address.name, reply, e);
    return reply->type == REPLY_STATUS ? 0 : err_set(e, SINK_PROTOCOL, conn->address.name, "to PING");
}

/* Without the right to INFO the server is taken for one of today. */
static int take_server(struct redis_connection *conn, const struct reply *reply, struct err *e)
{
    if (reply->type != REPLY_STRING)
        return 0;
    if (reply_info_is(reply, "redis_mode:cluster"))
        return err_set(e, SINK_UNSUPPORTED, conn->address.name, "Redis Cluster");
    if (reply_info_is(reply, "redis_mode:sentinel"))
        return err_set(e, CONFIG_VALUE, "url", "a Sentinel answers there: name it in sentinels, with master");
    conn->has_unlink = !reply_info_is(reply, "redis_version:2.") && !reply_info_is(reply, "redis_version:3.");
    conn->has_effects = conn->has_unlink && !reply_info_is(reply, "redis_version:4.");
    return 0;
}

/* What Sentinels name may not be the primary any more: that has to be seen. */
static int take_replication(struct redis_connection *conn, const struct reply *reply, struct err *e)
{
    bool is_told = reply->type == REPLY_STRING, named = conn->opt->sentinels.count > 0;
    if (!is_told)
        return named && reply->type == REPLY_ERROR ? reply_error(conn->address.name, reply, e) : 0;
    if (reply_info_is(reply, "role:slave") && (named || reply_info_is(reply, "slave_read_only:1")))
        return err_set(e, SINK_NOT_READY, conn->address.name, "it is a read-only replica");
    return 0;
}

static int take_select(struct redis_connection *conn, const struct reply *reply, struct err *e)
{
    if (reply->type == REPLY_ERROR)
        return reply_error(conn->address.name, reply, e);
    return reply->type == REPLY_STATUS ? 0 : err_set(e, SINK_PROTOCOL, conn->address.name, "to SELECT");
}

static int login(struct redis_connection *conn, struct err *e)
{
    const struct redis_address *to = &conn->address;
    char db[16];
    snprintf(db, sizeof db, "%u", to->db);
    const struct step {
        bool wanted;
        const char *words[4];
        int (*take)(struct redis_connection *conn, const struct reply *reply, struct err *e);
    } steps[] = {
        {to->has_password && to->has_username, {"AUTH", to->username, to->password}, take_auth},
        {to->has_password && !to->has_username, {"AUTH", to->password}, take_auth},
        {true, {"CLIENT", "SETNAME", "sluice"}, take_anything},
        {true, {"PING"}, take_ping},
        {true, {"INFO", "server"}, take_server},
        {true, {"INFO", "replication"}, take_replication},
        {to->db != 0, {"SELECT", db}, take_select},
    };
    const size_t count = sizeof steps / sizeof *steps;
    for (size_t i = 0; i < count; i++)
        if (steps[i].wanted)
            send_words(conn, steps[i].words);
    int rc = redis_send(conn, e);
    for (size_t i = 0; i < count && rc == 0; i++) {
        const struct reply *reply;
        if (!steps[i].wanted)
            continue;
        rc = redis_reply(conn, &reply, e);
        if (rc == 0)
            rc = steps[i].take(conn, reply, e);
    }
    return rc;
}

int redis_open(struct redis_connection *conn, const struct redis_options *opt, const struct env *env, struct err *e)
{
    *conn = (struct redis_connection){.env = env, .opt = opt, .has_unlink = true, .has_effects = true};
    buf_init(&conn->out, REDIS_OUT_MAX);
    int rc = opt->url ? redis_address_init(&conn->address, opt, e) : redis_sentinel_find(conn, &conn->address, e);
    if (rc == 0)
        rc = reply_reader_init(&conn->reader, e);
    if (rc == 0)
        rc = connect_socket(conn, e);
    if (rc == 0)
        rc = login(conn, e);
    if (rc != 0)
        redis_close(conn);
    return rc;
}

void redis_close(struct redis_connection *conn)
{
    if (conn->context)
        redisFree(conn->context);
    reply_reader_release(&conn->reader);
    buf_release(&conn->out);
    conn->context = NULL;
}
