/* The rows of one message of Canal, gathered as text. Internal to change/. */
#ifndef SLUICE_CHANGE_CANAL_ROW_H
#define SLUICE_CHANGE_CANAL_ROW_H

#include "change/canal/bind.h"
#include "change/change.h"

struct canal_rows {
    struct buf data, old; /* objects, each with a comma behind it; old: of updates */
    uint64_t count;
    struct arena arena;
};

void canal_rows_init(struct canal_rows *rows);
void canal_rows_release(struct canal_rows *rows);

/* Begins another message. */
void canal_rows_clear(struct canal_rows *rows, const struct canal_bind *bind);

/* Adds a row of the bind's table; bind->codes are by it then, bind->changed grows. Errors: as value_read, wrapped with
 * the column; NO_MEMORY; the rows are as they were then. */
int canal_rows_add(struct canal_rows *rows, const struct change *chg, const struct canal_bind *bind, struct err *e);

#endif
