/* WAIT. */
#include "sink/redis/replicas.h"

#include <inttypes.h>
#include <stdio.h>

static void number(struct redis_connection *conn, uint64_t value)
{
    char text[24];
    int len = snprintf(text, sizeof text, "%" PRIu64, value);
    redis_argument(conn, text, (size_t)len);
}

int redis_wait(struct redis_connection *conn, struct err *e)
{
    const struct redis_options *opt = conn->opt;
    const struct reply *reply;
    redis_command(conn, 3);
    redis_argument(conn, "WAIT", 4);
    number(conn, opt->wait_replicas);
    number(conn, opt->wait_timeout_ms);
    int rc = redis_send(conn, e);
    if (rc == 0)
        rc = redis_reply_within(conn, opt->timeout_ms + opt->wait_timeout_ms, &reply, e);
    if (rc != 0)
        return rc;
    if (reply->type == REPLY_ERROR)
        return reply_error(conn->address.name, reply, e);
    if (reply->type != REPLY_INTEGER || reply->integer < 0)
        return err_set(e, SINK_PROTOCOL, conn->address.name, "to WAIT no number");
    if ((uint64_t)reply->integer >= opt->wait_replicas)
        return 0;
    char told[96];
    snprintf(told, sizeof told, "%lld of wait_replicas %" PRIu64 " had the batch within wait_timeout_ms",
             reply->integer, opt->wait_replicas);
    return err_set(e, SINK_NOT_READY, conn->address.name, told);
}
