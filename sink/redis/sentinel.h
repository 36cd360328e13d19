/* Where the primary is, as its Sentinels say (SENTINEL get-master-addr-by-name). One Sentinel may be cut off from the
 * others, together with a primary that has been replaced: more than half of them must name the same address. */
#ifndef SLUICE_SINK_REDIS_SENTINEL_H
#define SLUICE_SINK_REDIS_SENTINEL_H

#include "sink/redis/connection.h"

#define REDIS_SENTINEL_US 2000000 /* between two looks */

struct redis_sentinel_watch {
    int64_t next_us; /* monotonic, of the next look */
    bool is_unsure;  /* too few answered at the last look: the server may have been replaced */
};

/* What the options say of Sentinels, without I/O. Errors: CONFIG_VALUE, SINK_URL. */
int redis_sentinel_check(const struct redis_options *opt, struct err *e);

/* The primary's address. Errors: SINK_NOT_READY: too few answer, or they do not agree; SINK_NO_MASTER: most of them
 * know none of that name; SINK_LOGIN, SINK_RIGHTS; SINK_URL, NO_MEMORY. */
int redis_sentinel_find(struct redis_connection *conn, struct redis_address *out, struct err *e);

/* Looks when it is time whether the connection's server is still the primary; *due_us becomes the next time when that
 * is sooner. Too few answers are no reason to stop: the log is told, once. Errors: SINK_DOWN: it is another one;
 * SINK_NO_MASTER, SINK_LOGIN, SINK_RIGHTS, NO_MEMORY. */
int redis_sentinel_tend(struct redis_sentinel_watch *watch, struct redis_connection *conn, const char *sink,
                        int64_t *due_us, struct err *e);

#endif
