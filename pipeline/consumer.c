/* librdkafka's consumer: handle, group, polling, commits. */
#include "pipeline/consumer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/backoff.h"
#include "base/log.h"
#include "pipeline/consumer_private.h"
#include "pipeline/handle_end.h"
#include "sink/kafka/conf.h"

#define JOIN_BACKOFF_MS     200
#define JOIN_BACKOFF_MAX_MS 5000
#define JOIN_WAIT_MS        100
#define COMMIT_AGAIN_MS     20
#define TELL_US             (INT64_C(10000) * 1000)
#define TEXT_MAX            512

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

/* ---------------------------------------------------------------- what brokers say outside of records */

bool consumer_tells(struct consumer *c, struct consumer_told *told, rd_kafka_resp_err_t code)
{
    int64_t now_us = env_mono_us(c->opt.env);
    if (told->code == code && now_us < told->again_us)
        return false;
    *told = (struct consumer_told){code, now_us + TELL_US};
    return true;
}

void consumer_heard(struct consumer *c, rd_kafka_resp_err_t code, const char *text)
{
    if (consumer_stops(code) && !topic_watch_is(code)) {
        (void)err_set(&c->fatal, KAFKA_CONSUMING, c->opt.topic, text);
        return;
    }
    if (topic_watch_is(code) && c->joined && !c->missing.until_us)
        topic_watch_begin(&c->missing, env_mono_us(c->opt.env), c->opt.missing_ms);
    if (consumer_tells(c, &c->told_broker, code))
        log_event(c->opt.env->log, LOG_WARN, "from the brokers", LOG_STR("topic", c->opt.topic), LOG_STR("text", text));
}

/* ---------------------------------------------------------------- what librdkafka calls, in consumer_poll */

static const char *commit_text(const struct consumer *c, char *text, size_t size)
{
    snprintf(text, size, "offsets of group %s are not taken: %s", c->opt.group, rd_kafka_err2str(c->commit_code));
    return text;
}

static void on_commit(rd_kafka_t *handle, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *offsets, void *ctx)
{
    struct consumer *c = ctx;
    char text[TEXT_MAX];
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
    if (c->commit_code == RD_KAFKA_RESP_ERR_NO_ERROR || c->commit_code == RD_KAFKA_RESP_ERR__NO_OFFSET)
        return;
    if (consumer_stops(c->commit_code))
        consumer_heard(c, c->commit_code, commit_text(c, text, sizeof text));
    else if (consumer_tells(c, &c->told_commit, c->commit_code))
        log_event(c->opt.env->log, LOG_INFO, "offsets were not committed, trying again",
                  LOG_STR("text", rd_kafka_err2str(c->commit_code)));
}

/* Of consumer_commit. */
static void on_sent(rd_kafka_t *handle, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *offsets, void *ctx)
{
    ((struct consumer *)ctx)->committing = false;
    on_commit(handle, code, offsets, ctx);
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
        consumer_heard(c, (rd_kafka_resp_err_t)code, reason);
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
    rd_kafka_conf_set_rebalance_cb(conf, consumer_on_rebalance);
    rd_kafka_conf_set_error_cb(conf, on_error);
    c->handle = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    if (!c->handle) {
        rd_kafka_conf_destroy(conf);
        free(c);
        return err_set(e, KAFKA_CONSUMER, text);
    }
    (void)rd_kafka_poll_set_consumer(c->handle);
    c->commits = rd_kafka_queue_new(c->handle);
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
        if (message && message->err != RD_KAFKA_RESP_ERR_NO_ERROR)
            consumer_heard(c, message->err, rd_kafka_message_errstr(message));
        if (message)
            rd_kafka_message_destroy(message);
        if (c->fatal.code != ERR_NONE)
            return;
    }
}

/* With what ended it. */
static bool is_over(const struct consumer *c, struct err *e)
{
    if (c->fatal.code == ERR_NONE)
        return false;
    *e = c->fatal;
    return true;
}

int consumer_join(struct consumer *c, struct err *e)
{
    struct backoff backoff;
    backoff_init(&backoff, JOIN_BACKOFF_MS, JOIN_BACKOFF_MAX_MS);
    while (consumer_begin(c, e) != 0) {
        if (err_class(e) != ERR_CLASS_RETRY || c->opt.ends(c->opt.ctx))
            return err_result(e);
        if (is_over(c, e))
            return err_result(e);
        log_error(c->opt.env->log, "the topic cannot be read, trying again", e);
        err_clear(e);
        wait_ms(c, backoff_next(&backoff, c->opt.env));
        if (is_over(c, e))
            return err_result(e);
        if (c->opt.ends(c->opt.ctx))
            return err_set(e, INTERRUPTED);
    }
    c->up = true;
    return subscribe(c, e);
}

/* librdkafka passes a batch that it cannot read, and goes on behind it. */
static bool is_damage(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR__BAD_MSG || code == RD_KAFKA_RESP_ERR__BAD_COMPRESSION ||
           code == RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED || code == RD_KAFKA_RESP_ERR__UNDERFLOW;
}

static int take_error(struct consumer *c, const rd_kafka_message_t *message, struct err *e)
{
    const char *text = rd_kafka_message_errstr(message);
    if (message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET)
        return consumer_tell_offset(c, message->partition, e);
    if (is_damage(message->err) && message->rkt)
        return err_set(e, KAFKA_DAMAGED, c->opt.topic, message->partition, message->offset, text);
    consumer_heard(c, message->err, text);
    return is_over(c, e) ? err_result(e) : CONSUMER_NOTHING;
}

/* Before a poll. */
static void serve(struct consumer *c)
{
    if (c->committing)
        (void)rd_kafka_queue_poll_callback(c->commits, 0);
    consumer_gain(c);
    if (topic_watch_gone(&c->missing, c->handle, c->opt.topic, env_mono_us(c->opt.env)))
        (void)err_set(&c->fatal, KAFKA_CONSUMING, c->opt.topic, "the topic is not there");
}

int consumer_poll(struct consumer *c, int timeout_ms, rd_kafka_message_t **out, struct err *e)
{
    serve(c);
    rd_kafka_message_t *message = rd_kafka_consumer_poll(c->handle, timeout_ms);
    if (is_over(c, e)) {
        if (message)
            rd_kafka_message_destroy(message);
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
    int rc = take_error(c, message, e);
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

bool consumer_commits(const struct consumer *c)
{
    return c->committing;
}

void consumer_commit(struct consumer *c, const rd_kafka_topic_partition_list_t *offsets)
{
    c->committing = rd_kafka_commit_queue(c->handle, offsets, c->commits, on_sent, c) == RD_KAFKA_RESP_ERR_NO_ERROR;
    if (c->committing)
        return;
    for (int i = 0; i < offsets->cnt; i++)
        c->opt.not_committed(c->opt.ctx, offsets->elems[i].partition);
}

/* One try. A queue of its own, since rd_kafka_commit would wait for brokers that are away without a limit. */
static bool commit_once(struct consumer *c, const rd_kafka_topic_partition_list_t *offsets, int64_t until_us)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(c->handle);
    c->commit_done = false;
    c->commit_code = RD_KAFKA_RESP_ERR__TIMED_OUT;
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
    while (c->committing && env_mono_us(c->opt.env) < until_us)
        (void)rd_kafka_queue_poll_callback(c->commits, JOIN_WAIT_MS);
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
    consumer_gain_end(c);
    if (c->joined && c->up)
        (void)rd_kafka_consumer_close(c->handle);
    rd_kafka_queue_destroy(c->commits);
    handle_end(c->handle, c->joined && !c->given);
    free(c);
}
