/* A stretch of the log that was not read: what is known of the tables before it need not hold behind it. */
#ifndef SLUICE_SCHEMA_GAP_H
#define SLUICE_SCHEMA_GAP_H

#include "position/position.h"
#include "schema/history.h"

/* Whether a reading that begins at `place` leaves nothing out behind `to`, up to which the log was followed. By the
 * GTIDs when both have them, else by file and offset of one server; false when neither can tell. */
bool gap_is_none(const struct position *place, const struct position *to);

/* From `where` on nothing is known of any table but what was imported, is taken for the whole log, or is put later.
 * Errors: NO_MEMORY, history_put's.
 */
int gap_put(struct history *history, const struct history_where *where, struct err *e);

#endif
