/* Marks: what a position-keeping sink stores with its rows, so that a restart writes none of them again. One thread.
 *
 * A restart reads from the boundary on and leaves out what the marks cover. Versions rise per lane, so one version per
 * lane tells of all rows before it. TRUNCATE and statements, and the begins and ends of transactions, have versions of
 * their own series, all of them in lane 0; a TRUNCATE of one lane only counts among its rows.
 *
 * Versions of rows count events of the log, and another server may cut a transaction into other events. Its newest
 * transaction, which may be out in part only, is therefore covered only as the same server sends it; else it is written
 * once more as a whole. */
#ifndef SLUICE_SINK_MARKS_H
#define SLUICE_SINK_MARKS_H

#include "change/change.h"
#include "position/position.h"

struct marks {
    struct position boundary; /* everything before it is written */
    unsigned lanes;
    struct version *rows;                    /* by lane: the last row written; all zero: none */
    struct version statement;                /* the last TRUNCATE or statement */
    struct version end;                      /* the last begin or end of a transaction */
    struct version newest;                   /* of all of these */
    char newest_server[SERVER_UUID_MAX + 1]; /* who sent its transaction; "" = not known */
};

/* Covers nothing. Errors: NO_MEMORY; marks_release then still is fine. */
int marks_init(struct marks *marks, unsigned lanes, struct err *e);
void marks_release(struct marks *marks); /* accepts what is all zero */

/* Into marks of the same number of lanes: all but the boundary. */
void marks_copy_versions(struct marks *to, const struct marks *from);

/* True when both tell of the same changes, wherever the boundary is. */
bool marks_equal(const struct marks *a, const struct marks *b);

/* True when the change is written already. *other_server: it would be, but another server sends it. */
bool marks_cover(const struct marks *marks, const struct change *chg, bool *other_server);

/* The change is written. */
void marks_note(struct marks *marks, const struct change *chg);

/* Text of one entry, laid out at the top of marks.c, and back into marks that marks_init made. Errors: NO_MEMORY,
 * STATE_CORRUPT, MARKS_LANES. */
int marks_encode(const struct marks *marks, struct buf *out, struct err *e);
int marks_decode(struct marks *marks, const uint8_t *bytes, size_t len, struct err *e);

#endif
