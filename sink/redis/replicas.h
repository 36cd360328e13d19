/* Replicas: what is written counts when so many of them have it (`wait_replicas`).
 *
 * WAIT counts the replicas that have everything that this connection had written, and what was there when it was made:
 * a batch that comes again over a new connection, and finds its keys gone, waits for their removal all the same. */
#ifndef SLUICE_SINK_REDIS_REPLICAS_H
#define SLUICE_SINK_REDIS_REPLICAS_H

#include "sink/redis/connection.h"

/* Waits for opt->wait_replicas replicas; no command may be on its way. Errors: SINK_NOT_READY (fewer have it after
 * wait_timeout_ms), SINK_DOWN, SINK_PROTOCOL, reply_error's, NO_MEMORY. */
int redis_wait(struct redis_connection *conn, struct err *e);

#endif
