/* ANNOTATE_ROWS (160, MariaDB) and ROWS_QUERY (29, MySQL): the statement whose rows follow.
 *
 *   bytes  field
 *       1  ROWS_QUERY only: a length that cannot hold long statements and is not used
 *    rest  statement */
#include "binlog/event.h"

int event_annotate_read(const char **text, size_t *text_len, struct cursor body, uint8_t type, struct err *e)
{
    if (type == EVENT_ROWS_QUERY)
        cursor_skip(&body, 1);
    size_t len = cursor_left(&body);
    const char *statement = (const char *)cursor_take(&body, len);
    int rc = event_finish(&body, type == EVENT_ROWS_QUERY ? "ROWS_QUERY" : "ANNOTATE_ROWS", e);
    if (rc != 0)
        return rc;
    *text = statement;
    *text_len = len;
    return 0;
}
