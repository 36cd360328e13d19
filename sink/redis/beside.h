/* Names of what stands beside a key: PREFIX{KEY}, or PREFIXKEY where KEY has a hash tag of its own, so that both lie in
 * one slot of a cluster. */
#ifndef SLUICE_SINK_REDIS_BESIDE_H
#define SLUICE_SINK_REDIS_BESIDE_H

#include "base/buf.h"

/* Replaces what `out` holds. */
void redis_beside(const char *prefix, const void *key, size_t len, struct buf *out);

/* Of a key that has a hash tag, or has none, whatever its bytes say: for globs, of which there are two. */
void redis_beside_as(const char *prefix, const void *key, size_t len, bool tagged, struct buf *out);

#endif
