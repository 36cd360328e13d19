/* Making shapes of either codec. Internal to change/. */
#ifndef SLUICE_CHANGE_SHAPE_PARTS_H
#define SLUICE_CHANGE_SHAPE_PARTS_H

#include "change/shape.h"

extern const struct row_codec binlog_codec; /* shape.c */
extern const struct row_codec json_codec;   /* json_codec.c */

/* As shape_new and shape_cache_take, with the codec. Shapes of the JSON codec have no plan. */
int shape_new_codec(struct shape **out, struct arena *arena, const struct table *tbl, uint32_t id,
                    const struct row_codec *codec, struct err *e);
int shape_cache_take_codec(struct shape_cache *cache, struct arena *arena, const struct table *tbl,
                           const struct row_codec *codec, const struct shape **out, struct err *e);

#endif
