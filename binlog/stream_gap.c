/* A history of another stretch of the log: what lies between it and the place where the stream begins was not read. */
#include "binlog/stream_private.h"
#include "schema/gap.h"

int stream_check_gap(struct source_stream *st, struct err *e)
{
    const struct position *to = st->opt.followed;
    struct history_table any;
    struct history_where here = stream_where(st, &st->place);
    int rc = 0;
    if (history_table(st->history, 0, &any) && !(to && gap_is_none(&st->place, to))) {
        struct history_where end = to ? history_at(to) : here;
        end.at.pos -= !to && end.at.pos > 0; /* what is read at the start itself is behind that */
        rc = to ? 0 : history_cut(st->history, &here, e);
        if (rc == 0)
            rc = gap_put(st->history, &end, e);
    }
    return rc == 0 && st->opt.state ? state_remove(st->opt.state, STREAM_FOLLOWED_RECORD, e) : rc;
}
