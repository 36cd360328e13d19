/* The store of an applier's runners for changes that a sink refuses for good: the bus's dead letter topic. A letter is
 * the change as a line of sluice's JSON with its headers, whatever the bus's format, and the origin is the record's. It
 * has a producer of its own, made when it is first needed; the workers' threads take turns. Private to pipeline/. */
#ifndef SLUICE_PIPELINE_DEAD_ITEMS_H
#define SLUICE_PIPELINE_DEAD_ITEMS_H

#include "pipeline/pipeline.h"
#include "sink/runner.h"

struct dead_items;

/* No I/O. `bus` and `env` are borrowed. Errors: NO_MEMORY. */
int dead_items_new(struct dead_items **out, const struct pipeline_bus *bus, unsigned lanes, const struct env *env,
                   struct err *e);
void dead_items_free(struct dead_items *dead); /* after the runners; accepts NULL */

/* For runner_options; lives as long as `dead`. Errors of put: KAFKA_DEAD_LETTER (RETRY), those of
 * kafka_dead_letters_open and _put, of values. */
const struct dead_store *dead_items_store(const struct dead_items *dead);

#endif
