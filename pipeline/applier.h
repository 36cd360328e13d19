/* The source thread's loop of an applier: records of a Kafka topic, which a reader of sluice wrote (or one
 * of the programs of change/input.h), become items in the lanes; lane l is partition l. It takes the feeder's place.
 * Private to pipeline/.
 *
 * One item per record, with the version, images and key text of the record. A partition's offset is committed behind
 * the longest prefix that all sinks have acknowledged, on a clock, when the partition goes, and at the end. A partition
 * that goes is drained first, at most shutdown_ms; what a lost one has in flight may still be applied. While the lanes
 * are full, records are not fetched and the group is served. */
#ifndef SLUICE_PIPELINE_APPLIER_H
#define SLUICE_PIPELINE_APPLIER_H

#include "partition/lane.h"
#include "partition/route.h"
#include "pipeline/feeder.h"
#include "pipeline/topic_lag.h"

struct applier;

struct applier_options {
    const struct env *env;
    const struct pipeline_bus *bus;
    const struct routes *routes;
    struct lanes *lanes;
    const struct pipeline_sink *sinks;
    unsigned sink_count;
    unsigned commit_ms, shutdown_ms;
    struct wakeup *keeper; /* rung when the ring of boundaries is full */
};

/* No I/O. Errors: KAFKA_CONSUMER, NO_MEMORY. */
int applier_new(struct applier **out, const struct applier_options *opt, struct err *e);
void applier_free(struct applier *applier); /* accepts NULL */

/* Joins the group and reads until applier_stop (0) or an error: those of the consumer, KAFKA_RECORD. On return what was
 * read is applied and its offsets are committed, as far as the time or applier_cut allowed. */
int applier_run(struct applier *applier, struct err *e);

/* Any thread: applier_run drains and returns; with cut it waits for the sinks no longer. */
void applier_stop(struct applier *applier, bool cut);

/* Any thread: lanes or ring have room again. */
void applier_wake(struct applier *applier);

const struct feeder_stats *applier_figures(const struct applier *applier);
const struct topic_lag *applier_lag(const struct applier *applier); /* likewise, any thread */

#endif
