#include "schema/gap.h"

#include <string.h>

#include "base/arena.h"

#define GAP_BATCH 64

bool gap_is_none(const struct position *place, const struct position *to)
{
    if (place->gtids && to->gtids && gtid_set_flavor(place->gtids) == gtid_set_flavor(to->gtids))
        return gtid_set_contains_set(to->gtids, place->gtids);
    return to->server_uuid[0] && strcmp(place->server_uuid, to->server_uuid) == 0 && to->at.file[0] &&
           filepos_compare(&place->at, &to->at) <= 0;
}

/* It says so itself, or was read from a server without a place. */
static bool holds_behind(const struct history_version *version)
{
    const struct history_place *place = version->place;
    return version->origin == HISTORY_IMPORT || (place->file[0] == '\0' && !place->gtids && !gtid_is_set(&place->gtid));
}

int gap_put(struct history *history, const struct history_where *where, struct err *e)
{
    static const char reason[] = "a part of the log before it was not read";
    struct arena names;
    struct history_table tbl;
    struct history_change changes[GAP_BATCH];
    size_t count = 0;
    int rc = 0;
    arena_init(&names, 4096, 0, 0);
    for (size_t i = 0; rc == 0; i++) {
        bool more = history_table(history, i, &tbl);
        if (count == GAP_BATCH || (!more && count > 0)) {
            rc = history_put(history, where, HISTORY_SNAPSHOT, NULL, changes, count, e);
            count = 0;
            arena_reset(&names);
            if (rc == 0 && more)
                more = history_table(history, i, &tbl);
        }
        if (!more || rc != 0)
            break;
        const struct history_version *version = history_find(history, tbl.db, tbl.table, where);
        if (!version || version->kind == HISTORY_UNKNOWN || holds_behind(version))
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
