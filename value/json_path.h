/* Paths of MySQL's JSON as diffs hold them: to one place, without wildcards or ranges. Core; pure functions. */
#ifndef SLUICE_VALUE_JSON_PATH_H
#define SLUICE_VALUE_JSON_PATH_H

#include "base/arena.h"
#include "base/cursor.h"
#include "value/family.h"

/* One step: the member of an object, or the cell of an array. */
struct json_leg {
    bool cell;
    bool from_end; /* cell: `index` counts back from the last one, 0 */
    uint32_t index;
    struct bytes name;
};

/* Goes behind the "$" of a path. Errors: CORRUPT. */
int json_path_open(struct cursor *path, struct err *e);

/* The next leg: 1, or 0 at the path's end. A name with escapes is unescaped into `arena`. Errors: CORRUPT, NO_MEMORY.
 */
int json_path_next(struct cursor *path, struct json_leg *out, struct arena *arena, struct err *e);

/* The cell's place in an array of `count`, at most `count`; *inside: the array has that cell. */
uint32_t json_leg_place(const struct json_leg *leg, uint32_t count, bool *inside);

#endif
