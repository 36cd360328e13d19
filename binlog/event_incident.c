/* INCIDENT (26): the server could not log something.
 *
 *   bytes  field
 *       2  number: 0 none, 1 lost events
 *       1  length of the message: n
 *       n  message */
#include "binlog/event.h"

int event_incident_read(struct event_incident *out, struct cursor body, struct err *e)
{
    struct event_incident incident;
    incident.number = cursor_u16(&body);
    incident.message_len = cursor_u8(&body);
    incident.message = (const char *)cursor_take(&body, incident.message_len);
    int rc = event_finish(&body, "INCIDENT", e);
    if (rc != 0)
        return rc;
    *out = incident;
    return 0;
}
