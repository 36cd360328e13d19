/* One connection to a Redis server: connect, login, commands out, replies in, every wait with a deadline. One thread.
 *
 * Commands are gathered in `out` and sent together; replies come in the order of the commands. After any error of
 * RETRY class the connection is of no use and is closed by its owner. */
#ifndef SLUICE_SINK_REDIS_CONNECTION_H
#define SLUICE_SINK_REDIS_CONNECTION_H

#include "base/buf.h"
#include "base/env.h"
#include "sink/redis/reply.h"
#include "sink/redis/url.h"

#define REDIS_OUT_MAX ((size_t)1 << 30) /* what one command with its keys may take */

struct redis_connection {
    const struct env *env;
    const struct redis_options *opt;
    struct redis_address address;
    uint32_t silent; /* Sentinels that did not answer the last time, by their bit: they are asked last */
    redisContext *context;
    struct reply_reader reader;
    struct buf out;
    bool has_unlink;  /* else DEL */
    bool has_effects; /* scripts may ask for the time and then write: Redis 5 */
};

/* Connects and logs in: AUTH, CLIENT SETNAME, PING, INFO, SELECT. Errors: SINK_URL; those of redis_sentinel_find;
 * SINK_DOWN, SINK_NOT_READY (loading, a replica that refuses writes), SINK_PROTOCOL; SINK_LOGIN, SINK_RIGHTS,
 * SINK_UNSUPPORTED (cluster), CONFIG_VALUE (a Sentinel), SINK_REFUSED; NO_MEMORY. */
int redis_open(struct redis_connection *conn, const struct redis_options *opt, const struct env *env, struct err *e);
void redis_close(struct redis_connection *conn);

/* Appends the head of a command of `args` arguments, and one argument. Failure shows in redis_send. */
void redis_command(struct redis_connection *conn, size_t args);
void redis_argument(struct redis_connection *conn, const void *bytes, size_t len);

/* One argument as it stands in a command. */
void redis_add_argument(struct buf *out, const void *bytes, size_t len);

/* Sends what is gathered. Errors: SINK_DOWN, NO_MEMORY. */
int redis_send(struct redis_connection *conn, struct err *e);

/* The next reply, whatever its type; borrowed until the next call. Errors: SINK_DOWN, SINK_PROTOCOL. */
int redis_reply(struct redis_connection *conn, const struct reply **out, struct err *e);

/* The next reply, which is a number, 0 at least: to `command`. Errors: likewise, and reply_error's. */
int redis_reply_number(struct redis_connection *conn, const char *command, uint64_t *out, struct err *e);

/* The same of a command that may take so long. */
int redis_reply_within(struct redis_connection *conn, uint64_t timeout_ms, const struct reply **out, struct err *e);

#endif
