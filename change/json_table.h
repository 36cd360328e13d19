/* The table that a line of our own JSON tells of. Internal to change/. */
#ifndef SLUICE_CHANGE_JSON_TABLE_H
#define SLUICE_CHANGE_JSON_TABLE_H

#include <jansson.h>

#include "change/shape.h"

/* Builds the table in `arena`: db, name, primary key and columns. The columns' order is one in which "before", "after",
 * "absent_before" and "absent_after" all stand: the server's own as far as the line tells it. Errors: CORRUPT (no such
 * order, too many columns), NO_MEMORY. */
int json_table(const struct table **out, const json_t *line, struct arena *arena, struct err *e);

#endif
