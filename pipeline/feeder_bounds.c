/* The bounds of transactions, for sinks that tell them beside the rows: BEGIN before a sink's first change of a
 * transaction, END behind its last one with their number. A transaction of which a sink gets nothing has none for it.
 */
#include "pipeline/feeder_private.h"

static int mark(struct feeder *f, enum change_op op, uint32_t mask, uint32_t records, struct err *e)
{
    int rc;
    while ((rc = lanes_mark(f->opt.lanes, op, mask, records, e)) == LANES_FULL)
        if (feeder_make_room(f, e) != 0)
            return err_result(e);
    return rc;
}

int feeder_bounds_count(struct feeder *f, uint32_t mask, uint32_t records, struct err *e)
{
    struct bounds *bounds = &f->bounds;
    uint32_t asks = mask & f->opt.bound_sinks;
    uint32_t fresh = asks & ~bounds->begun;
    for (uint32_t bits = asks; bits; bits &= bits - 1)
        bounds->records[__builtin_ctz(bits)] += records;
    if (!fresh)
        return 0;
    bounds->begun |= fresh;
    if (f->resume.active)
        fresh &= ~f->resume.begun; /* out since before the connection broke */
    if (fresh && mark(f, CHANGE_BEGIN, fresh, 0, e) != 0)
        return err_result(e);
    f->appended.begun |= fresh;
    return 0;
}

int feeder_bounds_end(struct feeder *f, struct err *e)
{
    const struct bounds *bounds = &f->bounds;
    int rc = 0;
    for (uint32_t bits = bounds->begun; bits && rc == 0; bits &= bits - 1) {
        unsigned sink = (unsigned)__builtin_ctz(bits);
        rc = mark(f, CHANGE_END, UINT32_C(1) << sink, bounds->records[sink], e);
    }
    return rc;
}
