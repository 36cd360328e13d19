/* The status of a running service on a Unix socket in its state_dir: whoever connects gets one JSON object and the end.
 * Served by the keeper between its other duties; a client that does not read cannot hold it up. Linux (paths of any
 * length by /proc/self/fd). */
#ifndef SLUICE_ADMIN_STATUS_SOCKET_H
#define SLUICE_ADMIN_STATUS_SOCKET_H

#include "pipeline/pipeline.h"

#define STATUS_SOCKET_NAME "status.sock"

struct status_socket;

/* Listens on DIR/status.sock, mode 0600, in place of one that a dead process left (the caller owns the state's lock).
 * `pipes` are borrowed. Errors: STATE_IO. */
int status_socket_open(struct status_socket **out, const char *dir, const struct pipelines *pipes, struct err *e);

/* What pipelines_run polls. */
const struct pipeline_service *status_socket_service(struct status_socket *sock);

/* Removes the socket. Accepts NULL. */
void status_socket_close(struct status_socket *sock);

/* Asks the service that runs on DIR; appends its answer. Errors: STATUS_NOT_RUNNING (RETRY). */
int status_socket_ask(const char *dir, struct buf *out, struct err *e);

#endif
