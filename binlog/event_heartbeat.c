/* HEARTBEAT (27) and HEARTBEAT_V2 (41): the server is alive and stands there; only in a stream.
 *
 * HEARTBEAT: the name of the file, not terminated; the position is the header's log_pos.
 * HEARTBEAT_V2: fields of { code (length-encoded), length (length-encoded), value }:
 *   0  end of the list, without length
 *   1  name of the file
 *   2  position (length-encoded integer) */
#include "binlog/event.h"

#define FIELD_END  0
#define FIELD_FILE 1
#define FIELD_POS  2

static void read_fields(struct event_heartbeat *beat, struct cursor *cur)
{
    while (cursor_left(cur) && !cur->bad) {
        uint64_t code = cursor_lenenc(cur);
        if (code == FIELD_END)
            return;
        struct cursor value = cursor_sub(cur, (size_t)cursor_lenenc(cur));
        if (code == FIELD_FILE) {
            beat->file_len = cursor_left(&value);
            beat->file = (const char *)value.p;
        } else if (code == FIELD_POS) {
            beat->pos = cursor_lenenc(&value);
            beat->has_pos = true;
            cur->bad |= value.bad;
        }
    }
}

int event_heartbeat_read(struct event_heartbeat *out, struct cursor body, uint8_t type, struct err *e)
{
    struct event_heartbeat beat = {0};
    if (type == EVENT_HEARTBEAT) {
        beat.file_len = cursor_left(&body);
        beat.file = (const char *)cursor_take(&body, beat.file_len);
    } else {
        read_fields(&beat, &body);
    }
    int rc = event_finish(&body, "HEARTBEAT", e);
    if (rc != 0)
        return rc;
    if (beat.file_len > FILEPOS_FILE_MAX || (beat.file_len && memchr(beat.file, 0, beat.file_len)))
        return err_set(e, CORRUPT, "HEARTBEAT event names no valid file");
    *out = beat;
    return 0;
}
