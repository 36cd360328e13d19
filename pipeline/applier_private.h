/* The applier's own state, seen by applier*.c. All functions run in its source thread. */
#ifndef SLUICE_PIPELINE_APPLIER_PRIVATE_H
#define SLUICE_PIPELINE_APPLIER_PRIVATE_H

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "pipeline/applier.h"
#include "pipeline/applier_headers.h"
#include "pipeline/applier_input.h"
#include "pipeline/consumer.h"
#include "pipeline/dead_records.h"
#include "pipeline/offsets.h"
#include "pipeline/readers.h"

struct applier {
    struct applier_options opt;
    struct feeder_stats stats;
    struct wakeup wake;
    atomic_bool stopping, cut;
    struct consumer *consumer;
    struct offsets offsets;
    struct readers readers;
    struct topic_lag lag;
    struct lag_watch *watch;         /* while records are read */
    struct applier_input *input;     /* NULL: records of our own */
    struct dead_records *dead;       /* NULL: what cannot be read stops */
    struct applier_headers *headers; /* NULL: bodies are parsed */
    struct shape_cache *shapes;
    struct arena arena;
    uint64_t *masks; /* by shape id: 1 + the sinks; 0: not known yet */
    size_t masks_size;
    int64_t commit_us; /* when offsets are committed next */
};

/* applier_partitions.c: what is acknowledged is committed. commit_on_clock when it is time to; drain waits until the
 * sinks have what is in flight of these partitions (NULL: of all), and commits behind it. */
void applier_commit_on_clock(struct applier *a);
void applier_drain(struct applier *a, const rd_kafka_topic_partition_list_t *only);

/* Likewise: what the consumer calls; ctx is the applier. */
void applier_gained(void *ctx, const rd_kafka_topic_partition_list_t *parts);
void applier_leaving(void *ctx, const rd_kafka_topic_partition_list_t *parts, bool lost);
void applier_not_committed(void *ctx, int32_t partition);

/* applier_items.c: CONSUMER_RECORD, CONSUMER_NOTHING or an error, as of consumer_poll; the end of a partition is noted.
 */
int applier_poll(struct applier *a, int timeout_ms, rd_kafka_message_t **out, struct err *e);

/* Everything below `next` is read. */
void applier_note_read(struct applier *a, int32_t partition, int64_t next);

/* Offsets and the group, while no record can be taken since `since_us`. *paused is set when partitions were paused. */
int applier_serve_group(struct applier *a, int64_t since_us, bool *paused, struct err *e);

/* What a record becomes: a row, or a TRUNCATE. */
struct applier_item {
    const struct lane_row *row;
    const struct lane_truncate *truncate;
};

/* Appends the item with its boundary; waits for room. 1: done, 0: the partition went away meanwhile; or an error. */
int applier_add(struct applier *a, unsigned lane, const struct applier_item *item, const struct tx *tx,
                uint64_t *ordinal, struct err *e);

/* applier_records.c: a record that a reader wrote, or (foreign) another program, becomes items, or a dead letter, or is
 * passed. Errors: KAFKA_RECORD, TRUNCATE_STOP, those of the lanes and of dead letters. */
int applier_take(struct applier *a, const rd_kafka_message_t *record, struct err *e);
int applier_take_foreign(struct applier *a, const rd_kafka_message_t *record, struct err *e);

/* When it was written, by the brokers' clock or the writer's; 0: it has no time. */
uint64_t applier_written_ms(const rd_kafka_message_t *record);

#endif
