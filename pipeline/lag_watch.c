/* The thread that asks the brokers how a topic stands. What it asks waits for answers, so that no other thread may:
 * while lanes are full nothing is fetched, and librdkafka knows no ends. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/metric.h"
#include "pipeline/topic_lag.h"
#include "pipeline/wakeup.h"
#include "sink/kafka/admin.h"

#define LOOK_MS       2000
#define ASK_MS        1000
#define RETENTION_MS  600000 /* between two questions for it */
#define WARN_PERCENT  50
#define CALM_PERCENT  40 /* below it the next warning may come */
#define SETTING_SHOWN 64
#define OFFSET_FIRST  (-2) /* timestamps of Kafka's ListOffsets: the first offset, the end */
#define OFFSET_END    (-1)

struct lag_watch {
    struct topic_lag *lag;
    rd_kafka_t *handle;
    const char *topic;
    const struct env *env;
    struct wakeup wake;
    atomic_bool stopping;
    pthread_t thread;
    int64_t retention_due_us; /* monotonic */
    bool told;                /* that the retention cannot be asked for */
};

static int64_t now_ms(const struct lag_watch *watch)
{
    return env_now_us(watch->env) / 1000;
}

/* ---------------------------------------------------------------- ends */

/* The offsets at `which` of the partitions that the applier has; the caller's. NULL: no answer, or it has none. */
static rd_kafka_topic_partition_list_t *ask_offsets(struct lag_watch *watch, int64_t which)
{
    rd_kafka_topic_partition_list_t *parts = rd_kafka_topic_partition_list_new((int)watch->lag->count);
    for (unsigned lane = 0; lane < watch->lag->count; lane++)
        if (metric_get(&watch->lag->lanes[lane].owned))
            rd_kafka_topic_partition_list_add(parts, watch->topic, (int32_t)lane)->offset = which;
    if (parts->cnt > 0 && rd_kafka_offsets_for_times(watch->handle, parts, ASK_MS) == RD_KAFKA_RESP_ERR_NO_ERROR)
        return parts;
    rd_kafka_topic_partition_list_destroy(parts);
    return NULL;
}

static void note_offsets(struct lag_watch *watch, const rd_kafka_topic_partition_list_t *ends,
                         const rd_kafka_topic_partition_list_t *lows, uint64_t asked_ms)
{
    for (int i = 0; i < ends->cnt; i++) {
        const rd_kafka_topic_partition_t *end = &ends->elems[i];
        const rd_kafka_topic_partition_t *low =
            rd_kafka_topic_partition_list_find((rd_kafka_topic_partition_list_t *)lows, watch->topic, end->partition);
        struct topic_lane *at = &watch->lag->lanes[end->partition];
        if (!low || end->err || low->err || end->offset < 0 || low->offset < 0)
            continue;
        metric_set(&at->low, (uint64_t)low->offset);
        metric_set(&at->end, (uint64_t)end->offset);
        if (metric_get(&at->next) != TOPIC_LAG_UNKNOWN && metric_get(&at->next) >= (uint64_t)end->offset)
            metric_set(&at->at_end_ms, asked_ms);
        metric_set(&at->asked_ms, asked_ms);
    }
}

static void look_at_ends(struct lag_watch *watch)
{
    uint64_t asked_ms = (uint64_t)now_ms(watch);
    rd_kafka_topic_partition_list_t *lows = ask_offsets(watch, OFFSET_FIRST);
    rd_kafka_topic_partition_list_t *ends = lows ? ask_offsets(watch, OFFSET_END) : NULL;
    if (ends)
        note_offsets(watch, ends, lows, asked_ms);
    if (ends)
        rd_kafka_topic_partition_list_destroy(ends);
    if (lows)
        rd_kafka_topic_partition_list_destroy(lows);
}

/* ---------------------------------------------------------------- retention */

/* How long records stay; 0: for ever. */
static rd_kafka_resp_err_t ask_retention(struct lag_watch *watch, uint64_t *out)
{
    char policy[SETTING_SHOWN], text[SETTING_SHOWN];
    rd_kafka_resp_err_t code =
        kafka_admin_setting(watch->handle, watch->topic, "cleanup.policy", ASK_MS, policy, sizeof policy);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        code = kafka_admin_setting(watch->handle, watch->topic, "retention.ms", ASK_MS, text, sizeof text);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        *out = *text == '-' || !strstr(policy, "delete") ? 0 : strtoull(text, NULL, 10);
    return code;
}

static void look_at_retention(struct lag_watch *watch)
{
    int64_t mono_us = env_mono_us(watch->env);
    uint64_t retention_ms = TOPIC_LAG_UNKNOWN;
    if (mono_us < watch->retention_due_us)
        return;
    rd_kafka_resp_err_t code = ask_retention(watch, &retention_ms);
    if (code == RD_KAFKA_RESP_ERR__TIMED_OUT)
        return; /* what was known stays, and it is asked for at the next look */
    watch->retention_due_us = mono_us + RETENTION_MS * INT64_C(1000);
    metric_set(&watch->lag->retention_ms, retention_ms);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR && !watch->told)
        log_event(watch->env->log, LOG_INFO, "the topic's retention is not known: lag is not compared with it",
                  LOG_STR("topic", watch->topic), LOG_STR("text", rd_kafka_err2str(code)),
                  LOG_STR("todo", "give the user DescribeConfigs on the topic"));
    watch->told = code != RD_KAFKA_RESP_ERR_NO_ERROR;
}

static void warn(struct lag_watch *watch, unsigned lane, const struct topic_lag_figures *of)
{
    log_event(watch->env->log, LOG_WARN, "records may be purged before they are applied",
              LOG_STR("topic", watch->topic), LOG_UINT("partition", lane), LOG_UINT("lag_ms", of->lag_ms),
              LOG_UINT("retention_ms", metric_get(&watch->lag->retention_ms)),
              LOG_UINT("retention_share_percent", of->retention_share_percent),
              LOG_STR("todo", "raise retention.ms of the topic now (kafka-configs --alter --entity-type topics "
                              "--entity-name TOPIC --add-config retention.ms=MS), then see which sink is away or slow, "
                              "or start more appliers"));
}

static void look_at_lag(struct lag_watch *watch)
{
    struct topic_lag_figures of;
    for (unsigned lane = 0; lane < watch->lag->count; lane++) {
        struct topic_lane *at = &watch->lag->lanes[lane];
        bool known =
            topic_lag_of(watch->lag, lane, now_ms(watch), &of) && of.retention_share_percent != TOPIC_LAG_UNKNOWN;
        if (known && !at->warned && of.retention_share_percent > WARN_PERCENT) {
            at->warned = true;
            warn(watch, lane, &of);
        } else if (known && of.retention_share_percent < CALM_PERCENT)
            at->warned = false;
    }
}

/* ---------------------------------------------------------------- thread */

static void *run(void *ctx)
{
    struct lag_watch *watch = ctx;
    while (!atomic_load(&watch->stopping)) {
        look_at_ends(watch);
        if (!atomic_load(&watch->stopping))
            look_at_retention(watch);
        look_at_lag(watch);
        if (!atomic_load(&watch->stopping))
            wakeup_wait(&watch->wake, LOOK_MS);
    }
    return NULL;
}

int lag_watch_start(struct lag_watch **out, struct topic_lag *lag, rd_kafka_t *handle, const char *topic,
                    const struct env *env, struct err *e)
{
    struct lag_watch *watch = calloc(1, sizeof *watch);
    if (!watch)
        return err_set(e, NO_MEMORY, sizeof *watch);
    *watch = (struct lag_watch){.lag = lag, .handle = handle, .topic = topic, .env = env, .wake = {.fd = -1}};
    int rc = wakeup_init(&watch->wake, e);
    if (rc == 0 && pthread_create(&watch->thread, NULL, run, watch) != 0)
        rc = err_set(e, NO_MEMORY, sizeof *watch);
    if (rc != 0) {
        wakeup_release(&watch->wake);
        free(watch);
        return rc;
    }
    *out = watch;
    return 0;
}

void lag_watch_look(struct lag_watch *watch)
{
    if (watch)
        wakeup_ring(&watch->wake);
}

void lag_watch_stop(struct lag_watch *watch)
{
    if (!watch)
        return;
    atomic_store(&watch->stopping, true);
    wakeup_ring(&watch->wake);
    (void)pthread_join(watch->thread, NULL);
    wakeup_release(&watch->wake);
    free(watch);
}
