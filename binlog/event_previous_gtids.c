/* PREVIOUS_GTIDS (35, MySQL): all GTIDs in the files before this one; the body is a GTID set in its wire form, which
 * position/gtid.h reads. */
#include "binlog/event.h"

int event_previous_gtids_read(struct gtid_set **out, struct cursor body, struct err *e)
{
    return gtid_set_decode(out, body.p, cursor_left(&body), e) == 0 ? 0 : err_wrap(e, "PREVIOUS_GTIDS event");
}
