/* sluice's own JSON: one object per change, one line, fields in this order (docs/formats.md, docs/formats.schema.json):
 *   op db table key pk before after absent_before absent_after ts_us gtid file pos version half
 * op "insert" "update" "delete" "read" "truncate"; key: the key text (as base64 object when not UTF-8); pk: object of
 * the primary key's columns, from after, for deletes from before; absent when the table has none or an image lacks it.
 * before, after: objects of the columns that the image holds, in table order; left out when there is no such image.
 * absent_*: names of columns that an image lacks; left out when none. ts_us: commit time, Unix µs; commit_precision "s"
 * or "us" stands behind it. gtid left out without GTIDs. file, pos: of the ROWS event. half: "from" or "to" on key
 * moves. Core; allocation-free but for `out` growing and the arena. */
#ifndef SLUICE_CHANGE_FORMAT_SLUICE_H
#define SLUICE_CHANGE_FORMAT_SLUICE_H

#include "change/format.h"

/* Appends one line with its newline. Errors: as change_values; NO_MEMORY, LIMIT when `out` cannot grow. On error `out`
 * is as it was. */
int format_sluice(const struct change *chg, struct buf *out, struct arena *arena, struct err *e);

/* What of the form may be chosen. */
struct format_options {
    bool geojson; /* GEOMETRY as a GeoJSON geometry object, without its SRID: such lines are for others to read, our own
                     reader refuses them. One that is not well-formed stays {"wkb":…,"srid":…} */
    const struct colset *only; /* these columns alone are written, sorted; others as if the images lacked them, and
                                  a member says so. NULL: all */
};

/* As format_sluice, in another form. */
int format_sluice_as(const struct change *chg, const struct format_options *options, struct buf *out,
                     struct arena *arena, struct err *e);

extern const struct format_ops format_sluice_ops;

#endif
