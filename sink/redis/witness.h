/* What a Redis tells of itself by INFO, for struct sink_witness. Which run of which server it is: run_id, and whose
 * data it took over as a replica, where it was one (role, master_replid2, second_repl_offset; master_replid is another
 * one whenever a first replica comes). When that began, and since when what was applied is on its disk: append-only
 * file, healthy     2 s ago snapshots                     the last look before rdb_last_save_time changed at which none
 * was being made: Redis tells how long the last one took of those for replicas too none, and it began empty      now:
 * it can only begin empty again Times are ours, by the clock that INFO tells. */
#ifndef SLUICE_SINK_REDIS_WITNESS_H
#define SLUICE_SINK_REDIS_WITNESS_H

#include "sink/redis/connection.h"
#include "sink/sink.h"

#define REDIS_WITNESS_US 2000000 /* between two looks */

struct redis_witness {
    const struct sink_witness *asks; /* NULL: nobody, or INFO may not be called */
    int64_t next_us;                 /* monotonic, of the next look */
    char run[SINK_RUN_MAX + 1];      /* of the last look; "": there was none */
    int64_t idle_us;                 /* the last look of that run at which no snapshot was being made; 0: none */
    int64_t last_save;               /* what it told then; Unix s */
    int64_t kept_us;                 /* of the last snapshot whose begin is known */
};

/* Asks the server and tells what it says. Errors: SINK_CAME_BACK; SINK_DOWN, SINK_PROTOCOL, NO_MEMORY. */
int redis_witness_meet(struct redis_witness *witness, struct redis_connection *conn, const char *sink, struct err *e);

/* Likewise when it is time; *due_us becomes the next time when that is sooner. */
int redis_witness_tend(struct redis_witness *witness, struct redis_connection *conn, const char *sink, int64_t *due_us,
                       struct err *e);

#endif
