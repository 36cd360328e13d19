/* A history of another stretch of the log: what lies between it and the place where the stream begins was not read. */
#include "binlog/stream_private.h"

#define GAP_BATCH 64

static bool followed(const struct position *place, const struct position *to)
{
    if (place->gtids && to->gtids && gtid_set_flavor(place->gtids) == gtid_set_flavor(to->gtids))
        return gtid_set_contains_set(to->gtids, place->gtids);
    return to->server_uuid[0] && strcmp(place->server_uuid, to->server_uuid) == 0 && to->at.file[0] &&
           filepos_compare(&place->at, &to->at) <= 0;
}

/* From `where` on nothing is known. */
static int put_gap(struct source_stream *st, const struct history_where *where, struct err *e)
{
    static const char reason[] = "the log between an earlier reading and the start was not read";
    struct arena names;
    struct history_table tbl;
    struct history_change changes[GAP_BATCH];
    size_t count = 0;
    int rc = 0;
    arena_init(&names, 4096, 0, 0);
    for (size_t i = 0; rc == 0; i++) {
        bool more = history_table(st->history, i, &tbl);
        if (count == GAP_BATCH || (!more && count > 0)) {
            rc = history_put(st->history, where, HISTORY_SNAPSHOT, NULL, changes, count, e);
            count = 0;
            arena_reset(&names);
            if (rc == 0 && more)
                more = history_table(st->history, i, &tbl);
        }
        if (!more || rc != 0)
            break;
        const struct history_version *version = history_find(st->history, tbl.db, tbl.table, where);
        if (!version || version->kind == HISTORY_UNKNOWN || version->origin == HISTORY_IMPORT)
            continue;
        changes[count] = (struct history_change){.db = arena_copy(&names, tbl.db, strlen(tbl.db)),
                                                 .table = arena_copy(&names, tbl.table, strlen(tbl.table)),
                                                 .kind = HISTORY_UNKNOWN,
                                                 .text = reason,
                                                 .len = sizeof reason - 1,
                                                 .candidate = tbl.candidate};
        if (!changes[count].db || !changes[count].table)
            rc = err_set(e, NO_MEMORY, strlen(tbl.db) + strlen(tbl.table));
        count++;
    }
    arena_release(&names);
    return rc;
}

int stream_check_gap(struct source_stream *st, struct err *e)
{
    const struct position *to = st->opt.followed;
    struct history_table any;
    struct history_where here = stream_where(st, &st->place);
    int rc = 0;
    if (history_table(st->history, 0, &any) && !(to && followed(&st->place, to))) {
        struct history_where end = to ? snapshot_where(to) : here;
        end.at.pos -= !to && end.at.pos > 0; /* what is read at the start itself is behind that */
        rc = to ? 0 : history_cut(st->history, &here, e);
        if (rc == 0)
            rc = put_gap(st, &end, e);
    }
    return rc == 0 && st->opt.state ? state_remove(st->opt.state, STREAM_FOLLOWED_RECORD, e) : rc;
}
