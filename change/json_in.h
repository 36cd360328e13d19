/* Our own JSON back into a change: what the applier of a Kafka bus reads, and the other half of the round-trip law:
 * render(parse(render(c))) = render(c), and every template renders the same from both. Core. */
#ifndef SLUICE_CHANGE_JSON_IN_H
#define SLUICE_CHANGE_JSON_IN_H

#include "change/change.h"

/* Parses one line into a change. Shapes come from `cache` (JSON codec: column names in order of after, or before, with
 * absent ones behind), a truncate has none; tx, key, images and a truncate's names live in `arena`. Errors: CORRUPT
 * with the field's name; NO_MEMORY. */
int json_in_change(const char *line, size_t len, struct shape_cache *cache, struct change *out, struct tx *tx,
                   struct arena *arena, struct err *e);

#endif
