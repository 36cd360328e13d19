/* Membership of a reader. */
#include "pipeline/lease.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/log.h"
#include "pipeline/consumer_private.h"
#include "pipeline/handle_end.h"
#include "pipeline/topic_watch.h"
#include "pipeline/wakeup.h"
#include "sink/kafka/conf.h"
#include "sink/kafka/read_back.h"
#include "sink/kafka/state.h"
#include "sink/kafka/state_topic.h"

#define POLL_MS    100
#define LOOK_US    (INT64_C(1000) * 1000)
#define LEAVE_US   (INT64_C(2000) * 1000)
#define TELL_MS    2000 /* a reader that is alone needs no word about others */
#define AGAIN_MS   1000
#define GROUP_ENDS ".readers"

/* WAITING until the partition comes; HELD; DOUBTFUL when it went, until it is known who is active; LOST for good. */
enum lease_state { LEASE_WAITING, LEASE_HELD, LEASE_DOUBTFUL, LEASE_GONE };

struct lease {
    const struct kafka_options *opt;
    const struct env *env;
    char topic[KAFKA_TOPIC_MAX + 1];
    rd_kafka_t *handle;
    pthread_t thread;
    bool has_thread;
    atomic_bool stopping;
    atomic_int state; /* enum lease_state */
    struct wakeup changed;
    pthread_mutex_t lock;
    char takeover[TAKEOVER_MAX]; /* under lock; "": not yet */
    char other[TAKEOVER_MAX];    /* under lock */
    char refusal[TAKEOVER_MAX];  /* under lock; "": the group has not refused it */
    const struct pipeline_service *service;
    int signal_fd;
    int64_t look_us; /* the thread's, as what follows */
    bool given;      /* the group has given this member something, if only nothing */
    struct topic_watch missing;
};

static const char *const reserved[] = {"group.id", NULL};

static const char *const fixed[][2] = {{"partition.assignment.strategy", "cooperative-sticky"},
                                       {"enable.auto.commit", "false"},
                                       {"enable.auto.offset.store", "false"},
                                       {"allow.auto.create.topics", "false"},
                                       {NULL, NULL}};

/* ---------------------------------------------------------------- the thread */

static void move_to(struct lease *lease, enum lease_state state)
{
    atomic_store(&lease->state, state);
    wakeup_ring(&lease->changed);
}

/* Nothing is read of the partition: holding it is all. */
static void take(struct lease *lease, rd_kafka_topic_partition_list_t *parts)
{
    for (int i = 0; i < parts->cnt; i++)
        parts->elems[i].offset = RD_KAFKA_OFFSET_END;
    rd_kafka_error_t *error = rd_kafka_incremental_assign(lease->handle, parts);
    (void)rd_kafka_pause_partitions(lease->handle, parts);
    if (error)
        rd_kafka_error_destroy(error);
    else if (parts->cnt && atomic_load(&lease->state) == LEASE_WAITING)
        move_to(lease, LEASE_HELD);
}

static void let_go(struct lease *lease, rd_kafka_topic_partition_list_t *parts)
{
    rd_kafka_error_t *error = rd_kafka_incremental_unassign(lease->handle, parts);
    if (error) {
        rd_kafka_error_destroy(error);
        (void)rd_kafka_assign(lease->handle, NULL);
    }
    if (atomic_load(&lease->stopping) || atomic_load(&lease->state) != LEASE_HELD)
        return;
    pthread_mutex_lock(&lease->lock);
    bool begun = lease->takeover[0] != '\0';
    pthread_mutex_unlock(&lease->lock);
    if (!begun) {
        move_to(lease, LEASE_WAITING);
        return;
    }
    log_event(lease->env->log, LOG_WARN, "the membership of the active reader was lost: looking who is active",
              LOG_STR("topic", lease->topic));
    lease->look_us = 0;
    move_to(lease, LEASE_DOUBTFUL);
}

static void on_rebalance(rd_kafka_t *handle, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *parts,
                         void *ctx)
{
    struct lease *lease = ctx;
    (void)handle;
    lease->given |= code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
    if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS)
        take(lease, parts);
    else
        let_go(lease, parts);
}

/* The group has taken this member in. */
static bool has_joined(const struct lease *lease)
{
    char *member = rd_kafka_memberid(lease->handle);
    bool joined = member && *member;
    rd_kafka_mem_free(lease->handle, member);
    return joined;
}

static bool holds(const struct lease *lease)
{
    rd_kafka_topic_partition_list_t *parts = NULL;
    bool found = rd_kafka_assignment(lease->handle, &parts) == RD_KAFKA_RESP_ERR_NO_ERROR && parts->cnt > 0;
    if (parts)
        rd_kafka_topic_partition_list_destroy(parts);
    return found;
}

/* Whose take-over is the last one: 1 this reader's, 0 another's, or an error. */
static int ask(struct lease *lease, struct err *e)
{
    const struct kafka_read read = {.opt = lease->opt, .env = lease->env, .topic = lease->topic};
    struct buf last;
    buf_init(&last, 0);
    int found = kafka_read_last(&read, KAFKA_STATE_READER, &last, e);
    pthread_mutex_lock(&lease->lock);
    bool own = found == 1 && last.len == strlen(lease->takeover) && memcmp(last.p, lease->takeover, last.len) == 0;
    if (found >= 0 && !own)
        snprintf(lease->other, sizeof lease->other, "%.*s", (int)last.len, last.len ? (const char *)last.p : "");
    pthread_mutex_unlock(&lease->lock);
    buf_release(&last);
    return found < 0 ? found : own;
}

/* What cannot be read now is looked at later. */
static void look(struct lease *lease)
{
    struct err e = ERR_INIT;
    int own = ask(lease, &e);
    if (own == 0)
        move_to(lease, LEASE_GONE);
    else if (own == 1 && holds(lease))
        move_to(lease, LEASE_HELD);
}

/* What the group says does not pass by itself: no rights, or a session_ms that the brokers do not allow. */
static bool is_refusal(rd_kafka_resp_err_t code)
{
    return consumer_stops(code) || code == RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT;
}

static void refuse(struct lease *lease, const char *text)
{
    pthread_mutex_lock(&lease->lock);
    snprintf(lease->refusal, sizeof lease->refusal, "%s", text);
    pthread_mutex_unlock(&lease->lock);
    move_to(lease, LEASE_GONE);
}

static void poll_once(struct lease *lease)
{
    rd_kafka_message_t *message = rd_kafka_consumer_poll(lease->handle, POLL_MS);
    if (!message)
        return;
    if (topic_watch_is(message->err))
        topic_watch_begin(&lease->missing, env_mono_us(lease->env), (unsigned)lease->opt->timeout_ms);
    else if (is_refusal(message->err) && !atomic_load(&lease->stopping))
        refuse(lease, rd_kafka_message_errstr(message));
    rd_kafka_message_destroy(message);
}

/* The group is told, as far as that is done soon: rd_kafka_consumer_close would wait for ever after an assignment that
 * was lost. */
static void leave(struct lease *lease)
{
    int64_t until = env_mono_us(lease->env) + LEAVE_US;
    (void)rd_kafka_unsubscribe(lease->handle);
    do
        poll_once(lease);
    while (holds(lease) && env_mono_us(lease->env) < until);
    poll_once(lease);
}

static void *lease_main(void *arg)
{
    struct lease *lease = arg;
    while (!atomic_load(&lease->stopping)) {
        poll_once(lease);
        int64_t now = env_mono_us(lease->env);
        if (topic_watch_gone(&lease->missing, lease->handle, lease->topic, now))
            refuse(lease, "the topic is not there");
        if (atomic_load(&lease->state) != LEASE_DOUBTFUL || now < lease->look_us)
            continue;
        lease->look_us = now + LOOK_US;
        look(lease);
    }
    leave(lease);
    return NULL;
}

/* ---------------------------------------------------------------- life */

static int make_handle(struct lease *lease, unsigned session_ms, struct err *e)
{
    const struct kafka_conf how = {.brokers = &lease->opt->brokers,
                                   .properties = &lease->opt->properties,
                                   .sasl_password = lease->opt->sasl_password,
                                   .reserved = reserved,
                                   .fixed = fixed};
    char group[KAFKA_TOPIC_MAX + sizeof GROUP_ENDS], session[16], heartbeat[16], text[256];
    rd_kafka_conf_t *conf = NULL;
    snprintf(group, sizeof group, "%s" GROUP_ENDS, lease->topic);
    snprintf(session, sizeof session, "%u", session_ms);
    snprintf(heartbeat, sizeof heartbeat, "%u", session_ms / 4 + 1);
    if (kafka_conf_make(&conf, &how, e) != 0)
        return err_result(e);
    rd_kafka_conf_set_opaque(conf, lease);
    rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
    if (rd_kafka_conf_set(conf, "group.id", group, text, sizeof text) == RD_KAFKA_CONF_OK &&
        rd_kafka_conf_set(conf, "session.timeout.ms", session, text, sizeof text) == RD_KAFKA_CONF_OK &&
        rd_kafka_conf_set(conf, "heartbeat.interval.ms", heartbeat, text, sizeof text) == RD_KAFKA_CONF_OK)
        lease->handle = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    if (lease->handle) {
        (void)rd_kafka_poll_set_consumer(lease->handle);
        return 0;
    }
    rd_kafka_conf_destroy(conf);
    return err_set(e, KAFKA_PROPERTY, 0u, text);
}

int lease_new(struct lease **out, const struct kafka_options *opt, unsigned session_ms, const struct env *env,
              struct err *e)
{
    struct lease *lease = calloc(1, sizeof *lease);
    if (!lease)
        return err_set(e, NO_MEMORY, sizeof *lease);
    lease->opt = opt;
    lease->env = env;
    lease->changed.fd = lease->signal_fd = -1;
    pthread_mutex_init(&lease->lock, NULL);
    int rc = wakeup_init(&lease->changed, e);
    if (rc == 0)
        rc = kafka_state_topic(opt, lease->topic, e);
    if (rc == 0)
        rc = make_handle(lease, session_ms, e);
    if (rc != 0)
        lease_free(lease);
    else
        *out = lease;
    return rc;
}

void lease_free(struct lease *lease)
{
    if (!lease)
        return;
    atomic_store(&lease->stopping, true);
    if (lease->has_thread)
        pthread_join(lease->thread, NULL);
    if (lease->handle)
        handle_end(lease->handle, lease->has_thread && !lease->given);
    if (lease->signal_fd >= 0)
        close(lease->signal_fd);
    wakeup_release(&lease->changed);
    pthread_mutex_destroy(&lease->lock);
    free(lease);
}

/* The topic has to be there before it is subscribed. */
static int ensure_topic(struct lease *lease, struct err *e)
{
    struct kafka_producer producer;
    int rc = kafka_producer_open(&producer, lease->opt, NULL, lease->env, e);
    if (rc == 0)
        rc = kafka_state_topic_ensure(&producer, lease->topic, e);
    kafka_producer_close(&producer);
    return rc;
}

static int join(struct lease *lease, struct err *e)
{
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, lease->topic, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t code = rd_kafka_subscribe(lease->handle, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return err_set(e, KAFKA_FATAL, rd_kafka_err2str(code));
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    lease->has_thread = pthread_create(&lease->thread, NULL, lease_main, lease) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return lease->has_thread ? 0 : err_set(e, NO_MEMORY, sizeof *lease);
}

/* Until the time is over, a signal comes (true), the lease changes, or somebody asks for the status. */
static bool wait_for(struct lease *lease, int timeout_ms)
{
    struct pollfd fds[3] = {{.fd = lease->signal_fd, .events = POLLIN},
                            {.fd = lease->changed.fd, .events = POLLIN},
                            {.fd = lease->service ? lease->service->fd : -1, .events = POLLIN}};
    if (poll(fds, 3, timeout_ms) <= 0)
        return false;
    if (fds[1].revents)
        wakeup_take(&lease->changed);
    if (fds[2].revents)
        lease->service->ready(lease->service->ctx);
    return fds[0].revents != 0;
}

bool lease_pause(void *ctx, int timeout_ms)
{
    struct lease *lease = ctx;
    int64_t until = env_mono_us(lease->env) + (int64_t)timeout_ms * 1000;
    bool signalled = false;
    for (int64_t left = timeout_ms; left > 0 && !signalled; left = (until - env_mono_us(lease->env)) / 1000)
        signalled = wait_for(lease, (int)left);
    return signalled;
}

/* Joined, with brokers that are away tried again. */
static int begin(struct lease *lease, struct err *e)
{
    while (ensure_topic(lease, e) != 0) {
        if (err_class(e) != ERR_CLASS_RETRY)
            return err_result(e);
        log_error(lease->env->log, "the state topic cannot be reached, trying again", e);
        err_clear(e);
        if (lease_pause(lease, AGAIN_MS))
            return err_set(e, INTERRUPTED);
    }
    return join(lease, e);
}

static int wait_held(struct lease *lease, bool *standby, struct err *e)
{
    int rc = begin(lease, e);
    int64_t told_us = env_mono_us(lease->env) + TELL_MS * 1000;
    while (rc == 0 && atomic_load(&lease->state) != LEASE_HELD) {
        if (wait_for(lease, *standby ? -1 : POLL_MS))
            rc = err_set(e, INTERRUPTED);
        else
            rc = lease_still(lease, e);
        if (rc == 0 && !*standby && env_mono_us(lease->env) >= told_us && has_joined(lease)) {
            log_event(lease->env->log, LOG_INFO, "standing by: another reader is active",
                      LOG_STR("topic", lease->topic));
            *standby = true;
        }
    }
    *standby = false;
    return rc;
}

int lease_wait(struct lease *lease, const struct pipeline_service *service, bool *standby, struct err *e)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    lease->service = service;
    lease->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return lease->signal_fd < 0 ? err_set(e, NO_MEMORY, sizeof set) : wait_held(lease, standby, e);
}

void lease_took_over(struct lease *lease, const char *takeover)
{
    pthread_mutex_lock(&lease->lock);
    snprintf(lease->takeover, sizeof lease->takeover, "%s", takeover);
    pthread_mutex_unlock(&lease->lock);
    if (atomic_load(&lease->state) == LEASE_WAITING) /* it went meanwhile */
        move_to(lease, LEASE_DOUBTFUL);
}

int lease_confirm(void *ctx, struct err *e)
{
    struct lease *lease = ctx;
    int own = ask(lease, e);
    if (own != 0)
        return own < 0 ? own : 0;
    move_to(lease, LEASE_GONE);
    return lease_still(lease, e);
}

int lease_still(void *ctx, struct err *e)
{
    struct lease *lease = ctx;
    if (atomic_load(&lease->state) != LEASE_GONE)
        return 0;
    pthread_mutex_lock(&lease->lock);
    int rc = lease->refusal[0] ? err_set(e, LEASE_REFUSED, lease->topic, lease->refusal)
                               : err_set(e, LEASE_LOST, lease->topic, lease->other);
    pthread_mutex_unlock(&lease->lock);
    return rc;
}
