/* Scripts on the server: loaded once per connection, called by name. */
#ifndef SLUICE_SINK_REDIS_SCRIPT_H
#define SLUICE_SINK_REDIS_SCRIPT_H

#include "sink/redis/connection.h"

#define REDIS_SHA_LEN 40

struct redis_script {
    const char *text;
    char name[REDIS_SHA_LEN + 1]; /* on the server; "" before it was loaded on this connection */
};

/* Loads it unless it is. `what` needs it, for the message. Errors: SINK_UNSUPPORTED (before Redis 5), SINK_DOWN,
 * SINK_PROTOCOL, those of reply_error. */
int redis_script_load(struct redis_script *script, struct redis_connection *conn, const char *what, struct err *e);

/* Appends the head of a call with so many keys and other arguments, which come next. */
void redis_script_call(const struct redis_script *script, struct redis_connection *conn, size_t keys, size_t args);

/* A number as an argument. */
void redis_script_number(struct redis_connection *conn, uint64_t number);

/* The reply to a call, borrowed as of redis_reply; no error reply. Errors: SINK_NOT_READY (the server lost the script
 * too: it is loaded at the next try), those of redis_reply and reply_error. */
int redis_script_reply(struct redis_script *script, struct redis_connection *conn, const struct reply **out,
                       struct err *e);

#endif
