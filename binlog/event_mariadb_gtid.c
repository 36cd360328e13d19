/* MARIADB_GTID (162): begins a transaction (or, standalone, a group of one statement).
 *
 *   bytes  field
 *       8  sequence number
 *       4  domain
 *       1  flags: enum event_mariadb_gtid_flag
 *       8  with GROUP_COMMIT_ID: number of the group commit; else 6 bytes of padding
 *    rest  XA identifier, further flags and numbers of later versions: not used
 *
 * The server's number is the header's server_id. */
#include "binlog/event.h"

int event_mariadb_gtid_read(struct event_mariadb_gtid *out, struct cursor body, uint32_t server_id, struct err *e)
{
    struct event_mariadb_gtid event = {.gtid = {.flavor = FLAVOR_MARIADB, .server = server_id}};
    event.gtid.number = cursor_u64(&body);
    event.gtid.domain = cursor_u32(&body);
    event.flags = cursor_u8(&body);
    cursor_skip(&body, event.flags & MARIADB_GTID_GROUP_COMMIT_ID ? 8 : 6);
    cursor_skip(&body, cursor_left(&body));
    int rc = event_finish(&body, "MARIADB_GTID", e);
    if (rc != 0)
        return rc;
    if (event.gtid.number == 0)
        return err_set(e, CORRUPT, "MARIADB_GTID event: sequence number 0");
    *out = event;
    return 0;
}
