/* ROTATE (4): the log goes on in another file. Also made by the server at the begin of a stream.
 *
 *   bytes  field
 *       8  position in that file
 *    rest  its name, not terminated */
#include "binlog/event.h"

int event_rotate_read(struct event_rotate *out, struct cursor body, struct err *e)
{
    struct event_rotate rotate;
    rotate.pos = cursor_u64(&body);
    rotate.file_len = cursor_left(&body);
    rotate.file = (const char *)cursor_take(&body, rotate.file_len);
    int rc = event_finish(&body, "ROTATE", e);
    if (rc != 0)
        return rc;
    if (rotate.file_len == 0 || rotate.file_len > FILEPOS_FILE_MAX || memchr(rotate.file, 0, rotate.file_len))
        return err_set(e, CORRUPT, "ROTATE event names no valid file");
    if (rotate.pos < EVENT_FILE_MAGIC_LEN)
        return err_set(e, CORRUPT, "ROTATE event names a position inside the file's magic number");
    *out = rotate;
    return 0;
}
