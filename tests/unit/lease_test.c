/* Who of several readers is active, against librdkafka's cluster in the process. That cluster lets a group begin after
 * three seconds and waits a second less than the session when a member comes or goes, so times are printed, and held
 * against bounds that a busy machine keeps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <poll.h>
#include <pthread.h>

#include "pipeline/lease.h"
#include "sink/kafka/kafka.h"
#include "sink/kafka/state.h"
#include "tools/beside.h"
#include "tools/mock_kafka.h"

#define STATE       "shop.state"
#define SESSION_MS  4000
#define WATCH_MS    6000 /* longer than the group needs to be made anew */
#define DEADLINE_MS 30000
#define LOOK_MS     10
#define JOIN_GROUP  11
#define HEARTBEAT   12
#define SYNC_GROUP  14
#define MANY        4000

struct scene {
    struct mock_kafka kafka;
    struct env env;
    const char *broker, *properties[3];
    struct kafka_options opt;
};

/* One reader, whose lease_wait has a thread of its own. */
struct member {
    struct scene *scene;
    struct lease *lease;
    pthread_t thread;
    bool standby;
    atomic_bool back;
    struct err end;
};

static void scene_init(struct scene *s)
{
    *s = (struct scene){
        .env = env_system(),
        .properties = {"reconnect.backoff.max.ms=100", "retry.backoff.ms=20", "coordinator.query.interval.ms=200"}};
    mock_kafka_start(&s->kafka);
    if (rd_kafka_mock_topic_create(s->kafka.cluster, STATE, 1, 1) != RD_KAFKA_RESP_ERR_NO_ERROR)
        abort();
    s->broker = s->kafka.brokers;
    s->opt = (struct kafka_options){.brokers = {&s->broker, NULL, 1},
                                    .properties = {s->properties, NULL, 3},
                                    .topic = MOCK_TOPIC,
                                    .state_topic = STATE,
                                    .timeout_ms = 1000};
}

static void *wait_active(void *arg)
{
    struct member *m = arg;
    (void)lease_wait(m->lease, NULL, &m->standby, &m->end);
    atomic_store(&m->back, true);
    return NULL;
}

static void member_begin(struct member *m, struct scene *s)
{
    *m = (struct member){.scene = s};
    if (lease_new(&m->lease, &s->opt, SESSION_MS, &s->env, &m->end) != 0 ||
        pthread_create(&m->thread, NULL, wait_active, m) != 0)
        abort();
}

/* How long it took; -1: the deadline is over. */
static int64_t active_ms(struct member *m)
{
    int64_t begin = env_mono_us(&m->scene->env), ms = 0;
    while (!atomic_load(&m->back) && (ms = (env_mono_us(&m->scene->env) - begin) / 1000) < DEADLINE_MS)
        (void)poll(NULL, 0, LOOK_MS);
    return atomic_load(&m->back) ? ms : -1;
}

static void member_end(struct member *m)
{
    if (active_ms(m) < 0)
        abort();
    pthread_join(m->thread, NULL);
    lease_free(m->lease);
}

static void take_over(struct scene *s, struct member *m, const char *name)
{
    char text[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, NULL);
    (void)rd_kafka_conf_set(conf, "bootstrap.servers", s->kafka.brokers, text, sizeof text);
    rd_kafka_t *producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(producer, STATE, NULL);
    union {
        const char *read;
        void *bytes;
    } value = {.read = name};
    if (rd_kafka_produce(topic, 0, RD_KAFKA_MSG_F_COPY, value.bytes, strlen(name), KAFKA_STATE_READER,
                         strlen(KAFKA_STATE_READER), NULL) != 0 ||
        rd_kafka_flush(producer, DEADLINE_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
        abort();
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(producer);
    if (m)
        lease_took_over(m->lease, name);
}

/* ---------------------------------------------------------------- claims; each returns what is wrong, or NULL */

static const char *second_stands_by_until_the_first_leaves(void)
{
    struct scene s;
    struct member first, second;
    struct err e = ERR_INIT;
    const char *wrong = NULL;
    scene_init(&s);
    member_begin(&first, &s);
    int64_t alone_ms = active_ms(&first);
    take_over(&s, &first, "first");
    member_begin(&second, &s);
    /* The group is made anew with both, and the first keeps what it has. */
    for (int ms = 0; ms < WATCH_MS && !wrong; ms += LOOK_MS) {
        (void)poll(NULL, 0, LOOK_MS);
        if (atomic_load(&second.back) || lease_still(first.lease, &e) != 0)
            wrong = "the second became active beside the first";
    }
    if (!wrong && lease_confirm(first.lease, &e) != 0)
        wrong = "the first does not know itself";
    member_end(&first);
    int64_t over_ms = active_ms(&second);
    print_message("alone: active after %d ms; the first left: the second active after %d ms (session %d ms)\n",
                  (int)alone_ms, (int)over_ms, SESSION_MS);
    if (!wrong && (alone_ms < 0 || over_ms < 0 || second.end.code != ERR_NONE))
        wrong = "one was never active";
    member_end(&second);
    mock_kafka_stop(&s.kafka);
    return wrong;
}

/* Its own take-over is the last one: the place in the group comes back, and nothing ends. */
static const char *membership_lost_and_nobody_took_over__goes_on(void)
{
    struct scene s;
    struct member only;
    struct err e = ERR_INIT;
    const char *wrong = NULL;
    scene_init(&s);
    member_begin(&only, &s);
    (void)active_ms(&only);
    take_over(&s, &only, "only");
    mock_kafka_refuse(&s.kafka, HEARTBEAT, RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID, 1);
    for (int ms = 0; ms < WATCH_MS && !wrong; ms += LOOK_MS) {
        (void)poll(NULL, 0, LOOK_MS);
        if (lease_still(only.lease, &e) != 0)
            wrong = "it ended";
    }
    member_end(&only);
    mock_kafka_stop(&s.kafka);
    return wrong;
}

/* As a reader that was stopped, whose place another has taken. */
static const char *another_took_over__is_lost(void)
{
    struct scene s;
    struct member first;
    struct err e = ERR_INIT, again = ERR_INIT;
    scene_init(&s);
    member_begin(&first, &s);
    (void)active_ms(&first);
    take_over(&s, &first, "first");
    take_over(&s, NULL, "the other one");
    mock_kafka_refuse(&s.kafka, HEARTBEAT, RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID, 1);
    int64_t begin = env_mono_us(&s.env), ms = 0;
    while (lease_still(first.lease, &e) == 0 && (ms = (env_mono_us(&s.env) - begin) / 1000) < DEADLINE_MS)
        (void)poll(NULL, 0, LOOK_MS);
    print_message("another took over and the group has dropped the first: known after %d ms\n", (int)ms);
    bool known = e.code == ERR_LEASE_LOST && strstr(e.text, "the other one") != NULL;
    bool confirmed = lease_confirm(first.lease, &again) != 0 && again.code == ERR_LEASE_LOST;
    member_end(&first);
    mock_kafka_stop(&s.kafka);
    return known && confirmed ? NULL : "the first does not know of the other";
}

static const char *is_refused(int16_t api, rd_kafka_resp_err_t code)
{
    struct scene s;
    struct member m;
    scene_init(&s);
    mock_kafka_refuse(&s.kafka, api, code, MANY);
    member_begin(&m, &s);
    (void)active_ms(&m);
    bool refused = m.end.code == ERR_LEASE_REFUSED && strstr(m.end.text, STATE) != NULL;
    member_end(&m);
    mock_kafka_stop(&s.kafka);
    return refused ? NULL : "it is not refused";
}

static const char *no_right_to_the_group__is_refused(void)
{
    return is_refused(JOIN_GROUP, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED);
}

static const char *session_out_of_range__is_refused(void)
{
    return is_refused(JOIN_GROUP, RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT);
}

/* It has joined, and ends before the group gave it anything: librdkafka would abort the process. */
static const char *fenced_before_the_first_assignment__is_refused(void)
{
    return is_refused(SYNC_GROUP, RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID);
}

static const struct {
    const char *name;
    const char *(*holds)(void);
} claims[] = {{"second stands by until the first leaves", second_stands_by_until_the_first_leaves},
              {"membership lost and nobody took over: goes on", membership_lost_and_nobody_took_over__goes_on},
              {"another took over: is lost", another_took_over__is_lost},
              {"no right to the group: is refused", no_right_to_the_group__is_refused},
              {"session out of range: is refused", session_out_of_range__is_refused},
              {"fenced before the first assignment: is refused", fenced_before_the_first_assignment__is_refused}};

#define CLAIMS (sizeof claims / sizeof *claims)

static void hold(void *ctx, size_t i)
{
    ((const char **)ctx)[i] = claims[i].holds();
}

static void lease__of_several_readers__holds_what_it_says(void **state)
{
    const char *wrong[CLAIMS];
    bool all = true;
    (void)state;
    beside(hold, wrong, CLAIMS, CLAIMS);
    for (size_t i = 0; i < CLAIMS; i++) {
        if (wrong[i])
            print_message("%s: %s\n", claims[i].name, wrong[i]);
        all = all && !wrong[i];
    }
    assert_true(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lease__of_several_readers__holds_what_it_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
