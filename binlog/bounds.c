/* Bounds are decided where a transaction begins; what is inside follows. */
#include "binlog/bounds.h"

static bool too_early(const struct start *from, const struct tx *tx)
{
    if (!from)
        return false;
    if (from->kind == START_GTID)
        return gtid_is_set(&tx->gtid) && gtid_set_contains(from->pos.gtids, &tx->gtid);
    return from->kind == START_TIME && tx->commit_us < from->time_us;
}

static bool behind_end(const struct start *to, const struct tx *tx)
{
    if (!to)
        return false;
    if (to->kind == START_TIME)
        return tx->commit_us >= to->time_us;
    if (to->kind != START_FILEPOS)
        return false;
    struct filepos begin = {.pos = tx->pos};
    snprintf(begin.file, sizeof begin.file, "%s", tx->file);
    return filepos_compare(&begin, &to->pos.at) >= 0;
}

bool bounds_reached(const struct bounds *bounds, const struct filepos *at, const struct gtid_set *done)
{
    const struct start *to = bounds->to;
    if (!to)
        return false;
    if (to->kind == START_GTID)
        return done && gtid_set_contains_set(done, to->pos.gtids);
    return to->kind == START_FILEPOS && at->file[0] && filepos_compare(at, &to->pos.at) >= 0;
}

enum bounds_verdict bounds_take(struct bounds *bounds, const struct rowset *rs)
{
    enum bounds_verdict inside = bounds->skipping ? BOUNDS_SKIP : BOUNDS_PASS;
    switch (rs->kind) {
    case ROWSET_BEGIN:
    case ROWSET_DDL:
        if (behind_end(bounds->to, &rs->tx))
            return BOUNDS_END;
        bounds->skipping = too_early(bounds->from, &rs->tx);
        inside = bounds->skipping ? BOUNDS_SKIP : BOUNDS_PASS;
        if (rs->kind == ROWSET_DDL)
            bounds->skipping = false;
        return inside;
    case ROWSET_END:
    case ROWSET_ROLLBACK:
    case ROWSET_LOST:
        bounds->skipping = false;
        return inside;
    case ROWSET_ROWS:
    case ROWSET_STATEMENT:
    case ROWSET_DISCARD:
    case ROWSET_SAVEPOINT:
    case ROWSET_ROLLBACK_TO:
        return inside;
    default:
        return BOUNDS_PASS;
    }
}
