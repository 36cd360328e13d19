/* librdkafka's consumer: handle, group, polling, commits. */
#include "pipeline/consumer.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/backoff.h"
#include "base/log.h"
#include "pipeline/consumer_private.h"
#include "sink/kafka/admin.h"
#include "sink/kafka/conf.h"

#define JOIN_BACKOFF_MS     200
#define JOIN_BACKOFF_MAX_MS 5000
#define JOIN_WAIT_MS        100
#define COMMIT_AGAIN_MS     20
#define JOIN_ASK_MS         1000

/* What the promises stand on, and what has options of its own. */
static const char *const reserved[] = {
    "group.id",           "group.instance.id", "partition.assignment.strategy", "isolation.level",
    "enable.auto.commit", "auto.offset.reset", "enable.auto.offset.store",      "enable.partition.eof",
    "check.crcs",         "topic.blacklist",   "group.protocol.type",           NULL};

static const char *const fixed[][2] = {{"partition.assignment.strategy", "cooperative-sticky"},
                                       {"isolation.level", "read_committed"},
                                       {"enable.auto.commit", "false"},
                                       {"enable.auto.offset.store", "false"},
                                       {"auto.offset.reset", "error"},
                                       {"enable.partition.eof", "true"},
                                       {"check.crcs", "true"},
                                       {"allow.auto.create.topics", "false"},
                                       {"queued.max.messages.kbytes", "16384"},
                                       {NULL, NULL}};

static int make_conf(rd_kafka_conf_t **out, const struct consumer_options *opt, struct err *e)
{
    const struct kafka_conf how = {.brokers = opt->brokers,
                                   .properties = opt->properties,
                                   .sasl_password = opt->sasl_password,
                                   .reserved = reserved,
                                   .fixed = fixed};
    char text[256];
    if (kafka_conf_make(out, &how, e) != 0)
        return err_result(e);
    bool static_member = opt->instance_id != NULL;
    if (rd_kafka_conf_set(*out, "group.id", opt->group, text, sizeof text) == RD_KAFKA_CONF_OK &&
        (!static_member ||
         rd_kafka_conf_set(*out, "group.instance.id", opt->instance_id, text, sizeof text) == RD_KAFKA_CONF_OK))
        return 0;
    rd_kafka_conf_destroy(*out);
    return err_set(e, KAFKA_CONSUMER, text);
}

/* ---------------------------------------------------------------- what librdkafka calls, in consumer_poll */

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
static void tell_added(struct consumer *c, int32_t partition)
{
    int count = 0;
    (void)kafka_admin_partitions(c->handle, c->opt.topic, JOIN_ASK_MS, &count);
    (void)err_set(&c->fatal, KAFKA_PARTITIONS, c->opt.topic, count > partition ? count : partition + 1, c->opt.lanes);
}

/* With what was committed, which is asked for until the brokers answer. */
static void tell_gained(struct consumer *c, const rd_kafka_topic_partition_list_t *parts)
{
    rd_kafka_topic_partition_list_t *known = of_lanes(c, parts);
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR__TIMED_OUT;
    for (int i = 0; i < parts->cnt; i++)
        if (parts->elems[i].partition >= (int32_t)c->opt.lanes)
            tell_added(c, parts->elems[i].partition);
    for (bool told = false; known->cnt && code != RD_KAFKA_RESP_ERR_NO_ERROR && !c->opt.ends(c->opt.ctx); told = true) {
        code = rd_kafka_committed(c->handle, known, JOIN_ASK_MS);
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR && !told)
            log_event(c->opt.env->log, LOG_WARN, "the group's offsets cannot be asked for, trying again",
                      LOG_STR("text", rd_kafka_err2str(code)));
    }
    c->opt.gained(c->opt.ctx, known);
    rd_kafka_topic_partition_list_destroy(known);
}

static void on_rebalance(rd_kafka_t *handle, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *parts,
                         void *ctx)
{
    struct consumer *c = ctx;
    rd_kafka_error_t *error = NULL;
    if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        log_parts(c, "partitions came", parts);
        error = rd_kafka_incremental_assign(handle, parts);
        if (!error && c->paused)
            (void)rd_kafka_pause_partitions(handle, parts);
        if (!error)
            tell_gained(c, parts);
    } else {
        bool lost = code != RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS || rd_kafka_assignment_lost(handle);
        log_parts(c, lost ? "partitions were lost" : "partitions go", parts);
        rd_kafka_topic_partition_list_t *known = of_lanes(c, parts);
        c->opt.leaving(c->opt.ctx, known, lost);
        rd_kafka_topic_partition_list_destroy(known);
        if (code == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS)
            error = rd_kafka_incremental_unassign(handle, parts);
        else
            (void)rd_kafka_assign(handle, NULL);
    }
    if (error) {
        log_event(c->opt.env->log, LOG_WARN, "the group's assignment failed",
                  LOG_STR("text", rd_kafka_error_string(error)));
        rd_kafka_error_destroy(error);
    }
}

static void on_commit(rd_kafka_t *handle, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *offsets, void *ctx)
{
    struct consumer *c = ctx;
    (void)handle;
    c->commit_code = code;
    c->commit_done = true;
    for (int i = 0; offsets && i < offsets->cnt; i++) {
        rd_kafka_resp_err_t own = offsets->elems[i].err ? offsets->elems[i].err : code;
        if (own == RD_KAFKA_RESP_ERR_NO_ERROR)
            continue;
        c->commit_code = own;
        c->opt.not_committed(c->opt.ctx, offsets->elems[i].partition);
    }
    if (c->commit_code != RD_KAFKA_RESP_ERR_NO_ERROR && c->commit_code != RD_KAFKA_RESP_ERR__NO_OFFSET)
        log_event(c->opt.env->log, LOG_INFO, "offsets were not committed, trying again",
                  LOG_STR("text", rd_kafka_err2str(c->commit_code)));
}

static void on_error(rd_kafka_t *handle, int code, const char *reason, void *ctx)
{
    struct consumer *c = ctx;
    if (code == RD_KAFKA_RESP_ERR__FATAL) {
        char text[256];
        (void)rd_kafka_fatal_error(handle, text, sizeof text);
        (void)err_set(&c->fatal, KAFKA_CONSUMING, c->opt.topic, text);
        return;
    }
    if (consumer_stops((rd_kafka_resp_err_t)code))
        (void)err_set(&c->fatal, KAFKA_CONSUMING, c->opt.topic, reason);
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN && c->up) {
        c->up = false;
        log_event(c->opt.env->log, LOG_WARN, "brokers cannot be reached, trying again", LOG_STR("text", reason));
    }
}

/* ---------------------------------------------------------------- life */

int consumer_new(struct consumer **out, const struct consumer_options *opt, struct err *e)
{
    struct consumer *c = calloc(1, sizeof *c);
    rd_kafka_conf_t *conf = NULL;
    char text[256];
    if (!c)
        return err_set(e, NO_MEMORY, sizeof *c);
    c->opt = *opt;
    int rc = make_conf(&conf, opt, e);
    if (rc != 0) {
        free(c);
        return rc;
    }
    rd_kafka_conf_set_opaque(conf, c);
    rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
    rd_kafka_conf_set_offset_commit_cb(conf, on_commit);
    rd_kafka_conf_set_error_cb(conf, on_error);
    c->handle = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    if (!c->handle) {
        rd_kafka_conf_destroy(conf);
        free(c);
        return err_set(e, KAFKA_CONSUMER, text);
    }
    (void)rd_kafka_poll_set_consumer(c->handle);
    *out = c;
    return 0;
}

static int subscribe(struct consumer *c, struct err *e)
{
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    (void)rd_kafka_topic_partition_list_add(topics, c->opt.topic, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t code = rd_kafka_subscribe(c->handle, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    c->joined = code == RD_KAFKA_RESP_ERR_NO_ERROR;
    return c->joined ? 0 : err_set(e, KAFKA_CONSUMING, c->opt.topic, rd_kafka_err2str(code));
}

/* The pause between two tries; callbacks are served, and an end is heard soon. */
static void wait_ms(struct consumer *c, uint64_t ms)
{
    int64_t until_us = env_mono_us(c->opt.env) + (int64_t)ms * 1000;
    while (!c->opt.ends(c->opt.ctx) && env_mono_us(c->opt.env) < until_us) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(c->handle, JOIN_WAIT_MS);
        if (message)
            rd_kafka_message_destroy(message);
    }
}

int consumer_join(struct consumer *c, struct err *e)
{
    struct backoff backoff;
    backoff_init(&backoff, JOIN_BACKOFF_MS, JOIN_BACKOFF_MAX_MS);
    while (consumer_begin(c, e) != 0) {
        if (err_class(e) != ERR_CLASS_RETRY || c->opt.ends(c->opt.ctx))
            return err_result(e);
        if (c->fatal.code != ERR_NONE) {
            *e = c->fatal;
            return err_result(e);
        }
        log_error(c->opt.env->log, "the topic cannot be read, trying again", e);
        err_clear(e);
        wait_ms(c, backoff_next(&backoff, c->opt.env));
        if (c->opt.ends(c->opt.ctx))
            return err_set(e, INTERRUPTED);
    }
    c->up = true;
    return subscribe(c, e);
}

int consumer_poll(struct consumer *c, int timeout_ms, rd_kafka_message_t **out, struct err *e)
{
    rd_kafka_message_t *message = rd_kafka_consumer_poll(c->handle, timeout_ms);
    if (c->fatal.code != ERR_NONE) {
        if (message)
            rd_kafka_message_destroy(message);
        *e = c->fatal;
        return err_result(e);
    }
    if (!message)
        return CONSUMER_NOTHING;
    bool record = message->err == RD_KAFKA_RESP_ERR_NO_ERROR;
    if (record || message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        c->up = true;
        *out = message;
        return record ? CONSUMER_RECORD : CONSUMER_END;
    }
    int rc = 0;
    if (message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET)
        rc = consumer_tell_offset(c, message->partition, e);
    else if (consumer_stops(message->err))
        rc = err_set(e, KAFKA_CONSUMING, c->opt.topic, rd_kafka_message_errstr(message));
    else
        log_event(c->opt.env->log, LOG_WARN, "from the brokers", LOG_STR("text", rd_kafka_message_errstr(message)));
    rd_kafka_message_destroy(message);
    return rc;
}

void consumer_pause(struct consumer *c, bool pause)
{
    rd_kafka_topic_partition_list_t *parts = NULL;
    c->paused = pause;
    if (rd_kafka_assignment(c->handle, &parts) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    (void)(pause ? rd_kafka_pause_partitions : rd_kafka_resume_partitions)(c->handle, parts);
    rd_kafka_topic_partition_list_destroy(parts);
}

void consumer_commit(struct consumer *c, const rd_kafka_topic_partition_list_t *offsets)
{
    if (rd_kafka_commit(c->handle, offsets, 1) == RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    for (int i = 0; i < offsets->cnt; i++)
        c->opt.not_committed(c->opt.ctx, offsets->elems[i].partition);
}

/* One try. A queue of its own, since rd_kafka_commit would wait for brokers that are away without a limit. */
static bool commit_once(struct consumer *c, const rd_kafka_topic_partition_list_t *offsets, int64_t until_us)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(c->handle);
    c->commit_done = false;
    bool sent = rd_kafka_commit_queue(c->handle, offsets, queue, on_commit, c) == RD_KAFKA_RESP_ERR_NO_ERROR;
    while (sent && !c->commit_done && env_mono_us(c->opt.env) < until_us)
        (void)rd_kafka_queue_poll_callback(queue, JOIN_WAIT_MS);
    rd_kafka_queue_destroy(queue);
    return sent && c->commit_done;
}

/* A commit that was on its way while the group changed names a generation that is over: the partitions are ours still,
 * and the next try names the new one. */
bool consumer_commit_wait(struct consumer *c, const rd_kafka_topic_partition_list_t *offsets, int timeout_ms)
{
    int64_t until_us = env_mono_us(c->opt.env) + (int64_t)timeout_ms * 1000;
    while (commit_once(c, offsets, until_us)) {
        bool changes = c->commit_code == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION ||
                       c->commit_code == RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS;
        if (!changes || rd_kafka_assignment_lost(c->handle) || env_mono_us(c->opt.env) >= until_us)
            return c->commit_code == RD_KAFKA_RESP_ERR_NO_ERROR;
        struct timespec pause = {.tv_nsec = COMMIT_AGAIN_MS * 1000000L};
        (void)nanosleep(&pause, NULL);
    }
    return false;
}

rd_kafka_t *consumer_handle(const struct consumer *c)
{
    return c->handle;
}

bool consumer_is_up(const struct consumer *c)
{
    return c->up;
}

void consumer_close(struct consumer *c)
{
    if (!c)
        return;
    if (c->joined && c->up)
        (void)rd_kafka_consumer_close(c->handle);
    rd_kafka_destroy_flags(c->handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    free(c);
}
