/* Items in the lanes, and what is done while they are full. */
#include "pipeline/applier_private.h"

#define FULL_WAIT_MS   200  /* for room, between two looks at the clock */
#define PAUSE_AFTER_MS 1000 /* the lanes are full so long: the group is served without records */

/* ---------------------------------------------------------------- room */

/* The oldest of what is read is told before, and again whenever offsets are looked at. */
void applier_note_read(struct applier *a, int32_t partition, int64_t next)
{
    struct topic_lane *at = &a->lag.lanes[partition];
    if (!offsets_owned(&a->offsets, (unsigned)partition))
        return;
    if (metric_get(&at->oldest_ms) == 0)
        metric_set(&at->oldest_ms, offsets_oldest_ms(&a->offsets, (unsigned)partition));
    metric_set(&at->next, (uint64_t)next);
}

int applier_poll(struct applier *a, int timeout_ms, rd_kafka_message_t **out, struct err *e)
{
    int rc = consumer_poll(a->consumer, timeout_ms, out, e);
    metric_set(&a->stats.up, consumer_is_up(a->consumer));
    if (rc > 0)
        metric_set(&a->stats.heard_us, (uint64_t)env_mono_us(a->opt.env));
    if (rc != CONSUMER_END)
        return rc;
    unsigned lane = (unsigned)(*out)->partition;
    rc = offsets_owned(&a->offsets, lane) ? offsets_pass(&a->offsets, lane, (*out)->offset, e) : 0;
    applier_note_read(a, (*out)->partition, (*out)->offset);
    rd_kafka_message_destroy(*out);
    return rc == 0 ? CONSUMER_NOTHING : rc;
}

/* Offsets and the group, while no record can be taken since `since_us`. */
int applier_serve_group(struct applier *a, int64_t since_us, bool *paused, struct err *e)
{
    rd_kafka_message_t *message = NULL;
    applier_commit_on_clock(a);
    if (env_mono_us(a->opt.env) - since_us < PAUSE_AFTER_MS * 1000)
        return 0;
    if (!*paused)
        consumer_pause(a->consumer, *paused = true);
    int rc = applier_poll(a, 0, &message, e);
    if (rc != CONSUMER_RECORD)
        return rc;
    rd_kafka_message_destroy(message);
    return err_set(e, BUG, "a record of a partition that is paused");
}

/* The lanes or the ring are full since `since_us`. */
static int wait_for_room(struct applier *a, int64_t since_us, bool *paused, struct err *e)
{
    if (atomic_load(&a->cut))
        return err_set(e, INTERRUPTED);
    wakeup_ring(a->opt.keeper);
    wakeup_wait(&a->wake, FULL_WAIT_MS);
    return applier_serve_group(a, since_us, paused, e);
}

/* ---------------------------------------------------------------- items */

static int append(struct applier *a, unsigned lane, const struct applier_item *item, uint64_t *ordinal, struct err *e)
{
    return item->row ? lanes_add(a->opt.lanes, lane, item->row, ordinal, e)
                     : lanes_truncate_lane(a->opt.lanes, lane, item->truncate, ordinal, e);
}

int applier_add(struct applier *a, unsigned lane, const struct applier_item *item, const struct tx *tx,
                uint64_t *ordinal, struct err *e)
{
    struct boundary at = {.commit_us = tx->commit_us};
    int64_t since_us = env_mono_us(a->opt.env);
    bool paused = false;
    lanes_begin(a->opt.lanes, tx);
    int rc = append(a, lane, item, ordinal, e);
    while (rc == LANES_FULL) {
        bool room = lanes_make_room(a->opt.lanes);
        if (!room && (rc = wait_for_room(a, since_us, &paused, e)) != 0)
            break;
        rc = offsets_owned(&a->offsets, lane) ? append(a, lane, item, ordinal, e) : 0;
    }
    while (rc == 0 && offsets_owned(&a->offsets, lane) && (rc = lanes_end(a->opt.lanes, &at)) == LANES_FULL) {
        lanes_publish(a->opt.lanes);
        rc = wait_for_room(a, since_us, &paused, e);
    }
    bool owned = offsets_owned(&a->offsets, lane);
    if (rc != 0 || !owned)
        (void)lanes_rollback(a->opt.lanes);
    if (paused)
        consumer_pause(a->consumer, false);
    return rc != 0 ? rc : owned;
}
