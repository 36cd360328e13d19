/* Partitions that come and go, and their offsets. */
#include "pipeline/applier_private.h"

#define DRAIN_TICK_MS 5
#define CUT_COMMIT_MS 500

/* ---------------------------------------------------------------- offsets */

/* Everything up to here is done for all sinks. */
static uint64_t lane_acked(const struct applier *a, unsigned lane)
{
    uint64_t least = UINT64_MAX;
    for (unsigned sink = 0; sink < a->opt.sink_count; sink++) {
        uint64_t acked = ledger_acked(lanes_ledger(a->opt.lanes), lane, sink);
        least = acked < least ? acked : least;
    }
    return least;
}

/* With the number of the reader, for whoever reads on from there. */
static void add_due(struct applier *a, rd_kafka_topic_partition_list_t *due, unsigned lane, int64_t offset)
{
    rd_kafka_topic_partition_t *part = rd_kafka_topic_partition_list_add(due, a->opt.bus->topic, (int32_t)lane);
    char text[READERS_TEXT_MAX];
    part->offset = offset;
    readers_print(&a->readers, lane, offset, text);
    part->metadata = *text ? strdup(text) : NULL;
    part->metadata_size = part->metadata ? strlen(text) : 0;
}

/* The offsets that are due; with `only` those of these partitions. The caller's; NULL: none are. */
static rd_kafka_topic_partition_list_t *take_due(struct applier *a, const rd_kafka_topic_partition_list_t *only)
{
    rd_kafka_topic_partition_list_t *due = NULL;
    for (unsigned lane = 0; lane < a->offsets.count; lane++) {
        if (!offsets_owned(&a->offsets, lane) ||
            (only && !rd_kafka_topic_partition_list_find(only, a->opt.bus->topic, (int32_t)lane)))
            continue;
        int64_t offset = offsets_due(&a->offsets, lane, lane_acked(a, lane));
        metric_set(&a->lag.lanes[lane].oldest_ms, offsets_oldest_ms(&a->offsets, lane));
        if (offset == OFFSETS_NONE)
            continue;
        if (!due)
            due = rd_kafka_topic_partition_list_new((int)a->offsets.count);
        add_due(a, due, lane, offset);
        offsets_committed(&a->offsets, lane, offset);
        metric_set(&a->lag.lanes[lane].committed, (uint64_t)offset);
    }
    return due;
}

void applier_commit_on_clock(struct applier *a)
{
    int64_t now_us = env_mono_us(a->opt.env);
    if (now_us < a->commit_us || consumer_commits(a->consumer))
        return;
    a->commit_us = now_us + (int64_t)a->opt.commit_ms * 1000;
    rd_kafka_topic_partition_list_t *due = take_due(a, NULL);
    if (!due)
        return;
    consumer_commit(a->consumer, due);
    rd_kafka_topic_partition_list_destroy(due);
}

/* Waits until the sinks have what is in flight of these partitions (NULL: of all), and commits behind it. */
void applier_drain(struct applier *a, const rd_kafka_topic_partition_list_t *only)
{
    int64_t until_us = env_mono_us(a->opt.env) + (int64_t)a->opt.shutdown_ms * 1000;
    lanes_publish(a->opt.lanes);
    for (unsigned lane = 0; lane < a->offsets.count; lane++) {
        if (!offsets_owned(&a->offsets, lane) ||
            (only && !rd_kafka_topic_partition_list_find(only, a->opt.bus->topic, (int32_t)lane)))
            continue;
        while (!offsets_idle(&a->offsets, lane, lane_acked(a, lane)) && !atomic_load(&a->cut) &&
               env_mono_us(a->opt.env) < until_us) {
            wakeup_ring(a->opt.keeper);
            wakeup_wait(&a->wake, DRAIN_TICK_MS);
        }
    }
    rd_kafka_topic_partition_list_t *due = take_due(a, only);
    if (!due)
        return;
    int limit_ms = atomic_load(&a->cut) || !consumer_is_up(a->consumer) ? CUT_COMMIT_MS : (int)a->opt.shutdown_ms;
    (void)consumer_commit_wait(a->consumer, due, limit_ms);
    rd_kafka_topic_partition_list_destroy(due);
}

/* ---------------------------------------------------------------- what the consumer calls */

/* These partitions are read from now on, or no longer. */
static void own(struct applier *a, const rd_kafka_topic_partition_list_t *parts, bool mine)
{
    uint64_t count = 0;
    for (int i = 0; i < parts->cnt; i++)
        offsets_own(&a->offsets, (unsigned)parts->elems[i].partition, mine);
    for (unsigned lane = 0; lane < a->offsets.count; lane++)
        count += offsets_owned(&a->offsets, lane);
    metric_set(&a->stats.partitions, count);
    if (parts->cnt > 0)
        metric_add(&a->stats.rebalances_total, 1);
}

void applier_gained(void *ctx, const rd_kafka_topic_partition_list_t *parts)
{
    struct applier *a = ctx;
    int64_t now_ms = env_now_us(a->opt.env) / 1000;
    own(a, parts, true);
    for (int i = 0; i < parts->cnt; i++) {
        const rd_kafka_topic_partition_t *part = &parts->elems[i];
        readers_gain(&a->readers, (unsigned)part->partition, part->metadata, part->metadata_size);
        topic_lag_own(&a->lag, (unsigned)part->partition, true, part->offset, now_ms);
    }
    lag_watch_look(a->watch);
}

void applier_leaving(void *ctx, const rd_kafka_topic_partition_list_t *parts, bool lost)
{
    struct applier *a = ctx;
    if (!lost)
        applier_drain(a, parts);
    own(a, parts, false);
    for (int i = 0; i < parts->cnt; i++)
        topic_lag_own(&a->lag, (unsigned)parts->elems[i].partition, false, -1, 0);
}

void applier_not_committed(void *ctx, int32_t partition)
{
    struct applier *a = ctx;
    offsets_committed(&a->offsets, (unsigned)partition, OFFSETS_NONE);
    metric_set(&a->lag.lanes[partition].committed, TOPIC_LAG_UNKNOWN);
}
