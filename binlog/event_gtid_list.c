/* GTID_LIST (163, MariaDB): the last GTID of each domain and server before this file.
 *
 *   bytes  field
 *       4  count (28 bits), flags (4 bits: 1 the position that a replica waits for, 2 to be ignored)
 *   then per GTID
 *       4  domain
 *       4  server
 *       8  sequence number
 *
 * The last entry of a domain is the newest one. An empty list may be followed by padding up to the post-header. */
#include "binlog/event.h"

#define COUNT_MASK  0x0fffffffu
#define PADDING_MAX 2

static int add_all(struct gtid_set *set, struct cursor *body, uint32_t count, struct err *e)
{
    for (uint32_t i = 0; i < count; i++) {
        struct gtid gtid = {.flavor = FLAVOR_MARIADB};
        gtid.domain = cursor_u32(body);
        gtid.server = cursor_u32(body);
        gtid.number = cursor_u64(body);
        if (body->bad)
            return 0;
        if (gtid.number == 0)
            return err_set(e, CORRUPT, "GTID_LIST event: sequence number 0");
        int rc = gtid_set_append(set, &gtid, e);
        if (rc != 0)
            return rc;
    }
    return gtid_set_settle(set, e);
}

int event_gtid_list_read(struct gtid_set **out, bool *told, struct cursor body, struct err *e)
{
    uint32_t word = cursor_u32(&body), count = word & COUNT_MASK;
    if (count > EVENT_GTID_LIST_MAX || count > cursor_left(&body) / 16)
        return err_set(e, CORRUPT, "GTID_LIST event is cut");
    struct gtid_set *set = gtid_set_new(FLAVOR_MARIADB);
    if (!set)
        return err_set(e, NO_MEMORY, sizeof *out);
    int rc = add_all(set, &body, count, e);
    if (rc == 0 && count == 0 && cursor_left(&body) <= PADDING_MAX)
        cursor_skip(&body, cursor_left(&body));
    if (rc == 0)
        rc = event_finish(&body, "GTID_LIST", e);
    if (rc != 0) {
        gtid_set_free(set);
        return rc;
    }
    *out = set;
    *told = (word & ~COUNT_MASK) != 0;
    return 0;
}
