/* Conditions of a route, `when`: changes for which one of them does not hold leave its keys alone.
 *
 *     COLUMN changed             update: the two images differ there; insert and delete: always
 *     COLUMN = TEXT              the image before or the image after has it, so that what comes into the set and what
 *     COLUMN != TEXT             leaves it both count; NULL is no text
 *     COLUMN in TEXT, TEXT, …
 *     COLUMN is null             likewise
 *     COLUMN is not null
 *
 * COLUMN is written as in a template, filters too: `status|lower = paid`. What an image lacks (binlog_row_image) counts
 * as if the condition held: rather a key too many than one too few. One that an image behind an update lacks has not
 * changed. A TRUNCATE has no conditions. */
#ifndef SLUICE_SINK_REDIS_CONDITION_H
#define SLUICE_SINK_REDIS_CONDITION_H

#include "base/arena.h"
#include "change/template.h"

#define REDIS_CONDITIONS_MAX 64 /* of one route */

enum redis_condition_kind { REDIS_CHANGED, REDIS_IN, REDIS_NOT_IN };

struct redis_condition {
    enum redis_condition_kind kind;
    struct template *tpl;         /* of the one column */
    struct bound_template *bound; /* NULL: bound to no table */
    char *text;                   /* what `texts` points into */
    const char **texts;           /* REDIS_IN, REDIS_NOT_IN: one of these; NULL as text: SQL's NULL */
    unsigned count;
};

/* Errors: CONFIG_VALUE (what it says is none of the above), TEMPLATE, NO_MEMORY. After an error it is released. */
int redis_condition_compile(struct redis_condition *out, const char *source, struct err *e);
void redis_condition_release(struct redis_condition *condition);

/* To one version of a table. Errors: TEMPLATE (no such column), NO_MEMORY. */
int redis_condition_bind(struct redis_condition *condition, const struct table *tbl, struct err *e);

/* True, for 1, when all hold for a change of a row. `arena` and `text` are memory to work with. Errors: as
 * change_values, LIMIT, NO_MEMORY. */
int redis_conditions_hold(const struct redis_condition *list, unsigned count, const struct change *chg,
                          struct arena *arena, struct buf *text, struct err *e);

/* The parts of it, for who keeps a set of rows. True when all of kind `changed` hold; when all comparisons hold for the
 * image on one side, which there is. */
int redis_conditions_changed(const struct redis_condition *list, unsigned count, const struct change *chg,
                             struct arena *arena, struct buf *text, struct err *e);
int redis_conditions_hold_on(const struct redis_condition *list, unsigned count, const struct change *chg,
                             enum side side, struct arena *arena, struct buf *text, struct err *e);

#endif
