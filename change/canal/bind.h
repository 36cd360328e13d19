/* What of Canal's messages is the same for all rows of a table version, with the scratch space of its rows: one worker
 * uses it at a time. Internal to change/. */
#ifndef SLUICE_CHANGE_CANAL_BIND_H
#define SLUICE_CHANGE_CANAL_BIND_H

#include "change/canal/parts.h"

#define CANAL_ABSENT    INT16_MIN /* in codes: the image does not hold the column */
#define CANAL_CODE_MAX  8
#define CANAL_FRAME_MAX 512 /* names of the members, numbers, type */

/* Where a value's text lies in the buffer that it was written to. */
struct canal_place {
    size_t at, len;
};

struct canal_bind {
    const struct table *tbl;
    struct arena arena;
    struct canal_cell *cells;
    struct colset all;
    struct piece database; /* ,"database":"shop","es": */
    struct piece table;    /* ,"table":"t","ts": */
    size_t tail_max;       /* bytes of a message without the rows */

    struct found *before, *after; /* of the row that is written */
    struct canal_place *texts;    /* of its values */
    int16_t *codes;               /* java.sql.Types by the last row of the message */
    bool *changed;                /* by any row of the message */
};

int canal_bind_new(void **out, const void *opt, const struct table *tbl, struct err *e);
void canal_bind_free(void *bind);

#endif
