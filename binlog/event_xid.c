/* XID (16): the commit of a transaction of transactional engines.
 *
 *   bytes  field
 *       8  number of the transaction in the server, not used here */
#include "binlog/event.h"

int event_xid_read(uint64_t *xid, struct cursor body, struct err *e)
{
    uint64_t number = cursor_u64(&body);
    int rc = event_finish(&body, "XID", e);
    if (rc != 0)
        return rc;
    *xid = number;
    return 0;
}
