/* What a Redis tells of itself, for struct sink_witness: which run of which server it is (INFO: run_id), when that
 * began, and since when what was applied is on its disk:
 *     append-only file, healthy     2 s ago
 *     snapshots                     the begin of the last one in this run that went well
 * Times are ours, by the clock that INFO tells. */
#ifndef SLUICE_SINK_REDIS_WITNESS_H
#define SLUICE_SINK_REDIS_WITNESS_H

#include "sink/redis/connection.h"
#include "sink/sink.h"

#define REDIS_WITNESS_US 2000000 /* between two looks */

struct redis_witness {
    const struct sink_witness *asks; /* NULL: nobody, or INFO may not be called */
    int64_t next_us;                 /* monotonic, of the next look */
};

/* Asks the server and tells what it says. Errors: SINK_CAME_BACK; SINK_DOWN, SINK_PROTOCOL, NO_MEMORY. */
int redis_witness_meet(struct redis_witness *witness, struct redis_connection *conn, const char *sink, struct err *e);

/* Likewise when it is time; *due_us becomes the next time when that is sooner. */
int redis_witness_tend(struct redis_witness *witness, struct redis_connection *conn, const char *sink, int64_t *due_us,
                       struct err *e);

#endif
