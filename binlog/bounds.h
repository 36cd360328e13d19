/* Which transactions lie between --from and --to: a filter over the rowsets of a source. Core; one thread.
 *
 * A transaction is taken or left as a whole.
 *   from  GTID set: those in it are left out · time: those committed before it · else nothing is left out
 *   to    file:pos: ends before the first transaction that begins there or behind · time: before the first that was
 *         committed then or later · GTID set: as soon as all of it has been read · current, earliest: no end */
#ifndef SLUICE_BINLOG_BOUNDS_H
#define SLUICE_BINLOG_BOUNDS_H

#include "change/source.h"

enum bounds_verdict { BOUNDS_PASS, BOUNDS_SKIP, BOUNDS_END };

struct bounds {
    const struct start *from; /* NULL: none; borrowed */
    const struct start *to;
    bool skipping; /* inside a transaction that is left out */
};

/* What to do with the next rowset. With BOUNDS_END it is not to be handed out, nor anything behind it. */
enum bounds_verdict bounds_take(struct bounds *bounds, const struct rowset *rs);

/* True when all that `to` asks for has been read; asked between transactions, before more is read. `at` is where the
 * next event begins, `done` the GTIDs before it (NULL = not known). */
bool bounds_reached(const struct bounds *bounds, const struct filepos *at, const struct gtid_set *done);

#endif
