/* Scripts on the server. */
#include "sink/redis/script.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int redis_script_load(struct redis_script *script, struct redis_connection *conn, const char *what, struct err *e)
{
    const struct reply *reply;
    if (script->name[0])
        return 0;
    if (!conn->has_effects)
        return err_set(e, SINK_UNSUPPORTED, conn->address.name, what);
    redis_command(conn, 3);
    redis_argument(conn, "SCRIPT", 6);
    redis_argument(conn, "LOAD", 4);
    redis_argument(conn, script->text, strlen(script->text));
    if (redis_send(conn, e) != 0 || redis_reply(conn, &reply, e) != 0)
        return err_result(e);
    if (reply->type == REPLY_ERROR)
        return reply_error(conn->address.name, reply, e);
    if (reply->type != REPLY_STRING || reply->len != REDIS_SHA_LEN)
        return err_set(e, SINK_PROTOCOL, conn->address.name, "to SCRIPT LOAD no name");
    memcpy(script->name, reply->text, REDIS_SHA_LEN + 1);
    return 0;
}

void redis_script_number(struct redis_connection *conn, uint64_t number)
{
    char text[24];
    int len = snprintf(text, sizeof text, "%" PRIu64, number);
    redis_argument(conn, text, (size_t)len);
}

void redis_script_call(const struct redis_script *script, struct redis_connection *conn, size_t keys, size_t args)
{
    redis_command(conn, 3 + keys + args);
    redis_argument(conn, "EVALSHA", 7);
    redis_argument(conn, script->name, REDIS_SHA_LEN);
    redis_script_number(conn, keys);
}

int redis_script_reply(struct redis_script *script, struct redis_connection *conn, const struct reply **out,
                       struct err *e)
{
    int rc = redis_reply(conn, out, e);
    if (rc != 0)
        return rc;
    if (reply_error_is(*out, "NOSCRIPT")) {
        script->name[0] = '\0';
        return err_set(e, SINK_NOT_READY, conn->address.name, "its scripts were flushed");
    }
    return (*out)->type == REPLY_ERROR ? reply_error(conn->address.name, *out, e) : 0;
}
