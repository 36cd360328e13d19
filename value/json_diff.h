/* The diffs by which a partial update (binlog_row_value_options=PARTIAL_JSON) tells how a document changed. Core; pure
 * functions. Source: MySQL's json_diff.h, which describes the layout. */
#ifndef SLUICE_VALUE_JSON_DIFF_H
#define SLUICE_VALUE_JSON_DIFF_H

#include "value/value.h"

/* The whole document after the update as VALUE_JSON: `doc` is the column's value in the before image, `diffs` in the
 * after image, both as value_size found them. Errors: CORRUPT (either is malformed, or a diff's place is not in the
 * document), NO_MEMORY. */
int jsonb_diff_apply(const struct coltype *type, struct bytes doc, struct bytes diffs, struct value *out,
                     struct arena *arena, struct err *e);

/* The diffs alone as VALUE_JSON_DIFF: [{"op":"replace","path":"$.a","value":"1"},{"op":"remove","path":"$.b"}], values
 * as VALUE_JSON. Errors: CORRUPT, NO_MEMORY. */
int jsonb_diff_text(const struct coltype *type, struct bytes diffs, struct value *out, struct arena *arena,
                    struct err *e);

#endif
