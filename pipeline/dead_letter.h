/* One dead letter of the embedded bus: a change that a sink refused for good, as an item of the log `dead-letters` of
 * the service's state.
 *
 * An item, little-endian; a text is its length (4) and its bytes:
 *     0   1  format version (1)
 *     1   1  enum change_op
 *     2   8  number of the letter, from 1, rising; never given twice
 *    10   8  when it was written, Unix µs
 *    18  20  version of the change: epoch (4), sequence (8), row (8)
 *    38   8  position of the change's event in `file`
 *    46   …  sink, reason (name of the error), text (the error in words), database, table, key, file, GTID, and the
 *            change as a line of sluice's own JSON without its newline (change/format_sluice.h) */
#ifndef SLUICE_PIPELINE_DEAD_LETTER_H
#define SLUICE_PIPELINE_DEAD_LETTER_H

#include "base/buf.h"
#include "change/change.h"

struct dead_text {
    const char *p;
    size_t len;
};

struct dead_letter {
    uint64_t number;
    int64_t at_us;
    enum change_op op;
    struct version version;
    uint64_t pos;
    struct dead_text sink, reason, text, db, table, key, file, gtid, change;
};

/* Appends the letter. What fails shows in out->failed. */
void dead_letter_write(const struct dead_letter *letter, struct buf *out);

/* Its texts point into `bytes`. Errors: STATE_CORRUPT, STATE_VERSION. */
int dead_letter_read(struct dead_letter *out, const void *bytes, size_t len, struct err *e);

bool dead_text_is(const struct dead_text *text, const char *with);

/* Appends the letter as one line of JSON with its newline:
 * {"id":…,"at_us":…,"sink":…,"reason":…,"text":…,"change":{…}} */
void dead_letter_json(const struct dead_letter *letter, struct buf *out);

#endif
