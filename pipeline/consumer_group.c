/* What the group gives and takes. Partitions that are given are read when what was committed of them is known, which is
 * asked for between two polls: other partitions go on meanwhile. librdkafka does not ask, since it leaves a partition
 * unread for ever when the answer is an error. */
#include "base/log.h"
#include "pipeline/consumer_private.h"
#include "sink/kafka/admin.h"

#define ASK_MS   1000
#define AGAIN_US (INT64_C(200) * 1000)

static void log_parts(struct consumer *c, const char *what, const rd_kafka_topic_partition_list_t *parts)
{
    log_event(c->opt.env->log, LOG_INFO, what, LOG_STR("topic", c->opt.topic), LOG_INT("partitions", parts->cnt));
}

/* Those that the configuration has; the caller's. */
static rd_kafka_topic_partition_list_t *of_lanes(const struct consumer *c, const rd_kafka_topic_partition_list_t *parts)
{
    rd_kafka_topic_partition_list_t *known = rd_kafka_topic_partition_list_copy(parts);
    for (int i = known->cnt; i-- > 0;)
        if (known->elems[i].partition >= (int32_t)c->opt.lanes)
            (void)rd_kafka_topic_partition_list_del_by_idx(known, i);
    return known;
}

/* Partitions were added while the topic is read. */
static void tell_added(struct consumer *c, const rd_kafka_topic_partition_list_t *parts)
{
    int count = 0, most = 0;
    for (int i = 0; i < parts->cnt; i++)
        most = parts->elems[i].partition >= most ? parts->elems[i].partition + 1 : most;
    if (most <= (int)c->opt.lanes)
        return;
    (void)kafka_admin_partitions(c->handle, c->opt.topic, ASK_MS, &count);
    (void)err_set(&c->fatal, KAFKA_PARTITIONS, c->opt.topic, count > most ? count : most, c->opt.lanes);
}

/* The answer, and that of each partition, which has an offset then. */
static rd_kafka_resp_err_t ask(struct consumer *c, rd_kafka_topic_partition_list_t *known)
{
    rd_kafka_resp_err_t code = known->cnt ? rd_kafka_committed(c->handle, known, ASK_MS) : RD_KAFKA_RESP_ERR_NO_ERROR;
    for (int i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && i < known->cnt; i++)
        code = known->elems[i].err;
    for (int i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && i < known->cnt; i++)
        if (known->elems[i].offset < 0 && c->fatal.code == ERR_NONE)
            (void)consumer_tell_offset(c, known->elems[i].partition, &c->fatal);
    return code;
}

/* Read from what is known, the others from their end, where nothing is read of them. */
static rd_kafka_error_t *assign(struct consumer *c, const rd_kafka_topic_partition_list_t *known)
{
    rd_kafka_topic_partition_list_t *parts = c->gaining;
    c->gaining = NULL;
    for (int i = 0; i < parts->cnt; i++) {
        rd_kafka_topic_partition_t *part = &parts->elems[i];
        const rd_kafka_topic_partition_t *from =
            rd_kafka_topic_partition_list_find((rd_kafka_topic_partition_list_t *)known, part->topic, part->partition);
        part->offset = from && from->offset >= 0 ? from->offset : RD_KAFKA_OFFSET_END;
    }
    rd_kafka_error_t *error = rd_kafka_incremental_assign(c->handle, parts);
    if (!error && c->paused)
        (void)rd_kafka_pause_partitions(c->handle, parts);
    rd_kafka_topic_partition_list_destroy(parts);
    return error;
}

static void tell_failed(struct consumer *c, rd_kafka_error_t *error)
{
    log_event(c->opt.env->log, LOG_WARN, "the group's assignment failed",
              LOG_STR("text", rd_kafka_error_string(error)));
    rd_kafka_error_destroy(error);
}

void consumer_gain(struct consumer *c)
{
    if (!c->gaining || env_mono_us(c->opt.env) < c->gain_us)
        return;
    rd_kafka_topic_partition_list_t *known = of_lanes(c, c->gaining);
    rd_kafka_resp_err_t code = ask(c, known);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR && c->fatal.code == ERR_NONE) {
        rd_kafka_error_t *error = assign(c, known);
        if (error)
            tell_failed(c, error);
        else
            c->opt.gained(c->opt.ctx, known);
    } else if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        c->gain_us = env_mono_us(c->opt.env) + AGAIN_US;
        if (consumer_stops(code))
            consumer_heard(c, code, rd_kafka_err2str(code));
        else if (consumer_tells(c, &c->told_gain, code))
            log_event(c->opt.env->log, LOG_WARN, "the group's offsets cannot be asked for, trying again",
                      LOG_STR("text", rd_kafka_err2str(code)));
    }
    rd_kafka_topic_partition_list_destroy(known);
}

void consumer_gain_end(struct consumer *c)
{
    if (!c->gaining)
        return;
    const rd_kafka_topic_partition_list_t none = {.cnt = 0};
    rd_kafka_error_t *error = assign(c, &none);
    if (error)
        tell_failed(c, error);
}

static void give(struct consumer *c, const rd_kafka_topic_partition_list_t *parts)
{
    log_parts(c, "partitions came", parts);
    c->given = true;
    tell_added(c, parts);
    consumer_gain_end(c);
    c->gaining = rd_kafka_topic_partition_list_copy(parts);
    c->gain_us = 0;
    consumer_gain(c);
}

static void give_up(struct consumer *c, rd_kafka_resp_err_t code, const rd_kafka_topic_partition_list_t *parts)
{
    bool lost = code != RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS || rd_kafka_assignment_lost(c->handle);
    log_parts(c, lost ? "partitions were lost" : "partitions go", parts);
    consumer_gain_end(c);
    rd_kafka_topic_partition_list_t *known = of_lanes(c, parts);
    c->opt.leaving(c->opt.ctx, known, lost);
    rd_kafka_topic_partition_list_destroy(known);
    rd_kafka_error_t *error =
        code == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS ? rd_kafka_incremental_unassign(c->handle, parts) : NULL;
    if (error)
        tell_failed(c, error);
    if (error || code != RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS)
        (void)rd_kafka_assign(c->handle, NULL);
}

void consumer_on_rebalance(rd_kafka_t *handle, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *parts,
                           void *ctx)
{
    (void)handle;
    if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS)
        give(ctx, parts);
    else
        give_up(ctx, code, parts);
}
