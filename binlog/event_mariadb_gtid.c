/* MARIADB_GTID (162): begins a transaction (or, standalone, a group of one statement).
 *
 *   bytes  field
 *       8  sequence number
 *       4  domain
 *       1  flags: enum event_mariadb_gtid_flag
 *       8  with GROUP_COMMIT_ID: number of the group commit
 *       6  with PREPARED_XA or COMPLETED_XA: format (4), lengths of gtrid and bqual (1 each), …
 *       x  … both of them
 *       1  further flags, from 10.5 on: enum event_mariadb_gtid_extra
 *       1  with EXTRA_ENGINES: how many more engines took part
 *       8  with COMMIT_ALTER or ROLLBACK_ALTER: sequence number of the START_ALTER
 *    rest  numbers of later versions, and zero bytes up to 19: not used
 *
 * The server's number is the header's server_id. Source: sql/log_event.cc, Gtid_log_event. */
#include "binlog/event.h"

#define POST_HEADER_LEN 19
#define XID_PART_MAX    64

static void skip_xid(struct cursor *body)
{
    cursor_skip(body, 4);
    uint8_t gtrid = cursor_u8(body), bqual = cursor_u8(body);
    body->bad |= gtrid > XID_PART_MAX || bqual > XID_PART_MAX;
    cursor_skip(body, (size_t)gtrid + bqual);
}

int event_mariadb_gtid_read(struct event_mariadb_gtid *out, struct cursor body, uint32_t server_id, struct err *e)
{
    struct event_mariadb_gtid event = {.gtid = {.flavor = FLAVOR_MARIADB, .server = server_id}};
    body.bad |= cursor_left(&body) < POST_HEADER_LEN;
    event.gtid.number = cursor_u64(&body);
    event.gtid.domain = cursor_u32(&body);
    event.flags = cursor_u8(&body);
    if (event.flags & MARIADB_GTID_GROUP_COMMIT_ID)
        cursor_skip(&body, 8);
    if (event.flags & (MARIADB_GTID_PREPARED_XA | MARIADB_GTID_COMPLETED_XA))
        skip_xid(&body);
    if (cursor_left(&body))
        event.extra = cursor_u8(&body);
    if (event.extra & MARIADB_GTID_EXTRA_ENGINES)
        cursor_skip(&body, 1);
    if (event.extra & (MARIADB_GTID_COMMIT_ALTER | MARIADB_GTID_ROLLBACK_ALTER))
        event.alter = cursor_u64(&body);
    cursor_skip(&body, cursor_left(&body));
    int rc = event_finish(&body, "MARIADB_GTID", e);
    if (rc != 0)
        return rc;
    if (event.gtid.number == 0)
        return err_set(e, CORRUPT, "MARIADB_GTID event: sequence number 0");
    *out = event;
    return 0;
}
