/* Replies of a Redis server: read by hiredis' parser into memory of ours, with caps, and what an error reply means.
 *
 * Source: "Redis serialization protocol specification" (RESP2), redis.io. A reply is borrowed until the next one.
 * Limits against a server that is none: REPLY_BYTES_MAX per reply, REPLY_ELEMENTS_MAX per array, arrays only where
 * asked for.
 */
#ifndef SLUICE_SINK_REDIS_REPLY_H
#define SLUICE_SINK_REDIS_REPLY_H

#include <hiredis/hiredis.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"

#define REPLY_BYTES_MAX      ((size_t)256 * 1024)       /* INFO is the longest that a login asks for */
#define REPLY_SCAN_BYTES_MAX ((size_t)64 * 1024 * 1024) /* the keys of one SCAN step */
#define REPLY_ELEMENTS_MAX   65536

enum reply_type { REPLY_STRING, REPLY_STATUS, REPLY_ERROR, REPLY_INTEGER, REPLY_NIL, REPLY_ARRAY };

struct reply {
    enum reply_type type;
    long long integer;
    const char *text; /* STRING, STATUS, ERROR; NUL-terminated, may hold other NULs */
    size_t len;
    struct reply **items; /* ARRAY; each is set */
    size_t count;
};

struct reply_reader {
    redisReader *parser;
    struct arena arena;
    size_t bytes_max;
    bool arrays; /* wanted */
};

int reply_reader_init(struct reply_reader *reader, struct err *e);
void reply_reader_release(struct reply_reader *reader);

/* What is accepted from here on. */
void reply_reader_allow(struct reply_reader *reader, bool arrays, size_t bytes_max);

/* Adds bytes from the socket: 0, or -1 when no reply may be so long (or no memory). */
int reply_reader_feed(struct reply_reader *reader, const void *bytes, size_t len);

/* 1 and the next reply, 0: more bytes are needed, -1 when the bytes are no acceptable reply. */
int reply_reader_next(struct reply_reader *reader, const struct reply **out);

/* The error that an error reply is, told with its first words as far as they hold no argument of ours: always negative.
 * SINK_NOT_READY (passes by itself), SINK_LOGIN, SINK_RIGHTS, SINK_UNSUPPORTED, SINK_REFUSED. `name` is the server's.
 */
int reply_error(const char *name, const struct reply *reply, struct err *e);

/* True when the error reply begins with that word. */
bool reply_error_is(const struct reply *reply, const char *word);

/* True when a line of the text that INFO told begins so. */
bool reply_info_is(const struct reply *info, const char *line);

#endif
