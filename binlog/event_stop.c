/* STOP (3): the server was shut down; the log goes on in the next file. The body is empty. */
#include "binlog/event.h"

int event_stop_read(struct cursor body, struct err *e)
{
    return event_finish(&body, "STOP", e);
}
