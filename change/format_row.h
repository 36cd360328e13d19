/* The prepared writer of sluice's own JSON: from the bytes of row images straight to text, by the shape's plan.
 * Internal to change/: format_sluice calls it, and writes from values where it does not serve. */
#ifndef SLUICE_CHANGE_FORMAT_ROW_H
#define SLUICE_CHANGE_FORMAT_ROW_H

#include "change/change.h"
#include "change/format_sluice.h"

/* Images beyond this are written from values, which ask for room piece by piece. */
#define FORMAT_ROW_BYTES_MAX 65536u

/* Appends the line and returns true; false with `out` as it was when the change is not for it: another codec, a large
 * or missing image, a type that is not prepared, bytes that are out of range. */
bool format_row(const struct change *chg, struct buf *out);

/* As format_sluice_as, always from values. */
int format_values(const struct change *chg, const struct format_options *options, struct buf *out, struct arena *arena,
                  struct err *e);

#endif
