/* XA_PREPARE (38), both flavours: ends the part of an XA transaction that is prepared, or with `one phase` commits it.
 *
 *   bytes  field
 *       1  one phase: 1 for XA COMMIT ... ONE PHASE
 *       4  format number of the identifier
 *       4  length of gtrid
 *       4  length of bqual
 *    rest  gtrid, bqual */
#include "binlog/event.h"

int event_xa_prepare_read(struct event_xa_prepare *out, struct cursor body, struct err *e)
{
    struct event_xa_prepare event = {0};
    event.one_phase = cursor_u8(&body) != 0;
    event.xid.format = cursor_u32(&body);
    uint32_t gtrid = cursor_u32(&body), bqual = cursor_u32(&body);
    if (gtrid > XID_PART_MAX || bqual > XID_PART_MAX)
        return err_set(e, CORRUPT, "XA_PREPARE event: the identifier is too long");
    const uint8_t *bytes = cursor_take(&body, gtrid + bqual);
    int rc = event_finish(&body, "XA_PREPARE", e);
    if (rc != 0)
        return rc;
    event.xid.gtrid_len = (uint8_t)gtrid;
    event.xid.bqual_len = (uint8_t)bqual;
    if (gtrid + bqual > 0)
        memcpy(event.xid.bytes, bytes, gtrid + bqual);
    *out = event;
    return 0;
}
