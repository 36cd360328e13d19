/* What brokers may answer to an applier, one error after the other, against the real applier: every error has the
 * reaction that docs/kafka.md tells ("Reactions of the consumer"). Each case has a cluster of its own in the process
 * and runs beside others, since most of its time is waiting: that cluster lets a group begin after three seconds. */
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

#include "pipeline/applier.h"
#include "tools/beside.h"
#include "tools/lane_kit.h"
#include "tools/memfs.h"
#include "tools/mock_kafka.h"

#define GROUP      "test" /* that of the cluster's own reader, which can ask for its offsets */
#define ROWS       20     /* of a partition, half of them before anything is read */
#define BESIDE     90     /* runs at a time: they wait, nearly always */
#define MANY       4000   /* answers: for as long as the run lasts */
#define LOOK_MS    5
#define ONCE_MS    15000
#define ALWAYS_MS  5000
#define MISSING_MS 1500 /* that a topic may be unknown */
#define BLINK_MS   500  /* that it is, where it is once */
#define BROKER     1

#define FETCH            1
#define LIST_OFFSETS     2
#define METADATA         3
#define OFFSET_COMMIT    8
#define OFFSET_FETCH     9
#define FIND_COORDINATOR 10
#define JOIN_GROUP       11
#define HEARTBEAT        12
#define SYNC_GROUP       14

enum ending {
    APPLIED, /* everything, while the brokers still answer so */
    WAITS,   /* everything, as soon as they do not */
    STOPS,
    EITHER /* of the first two: its partitions go and come */
};

enum when {
    STARTING, /* a group that has never run */
    GAINING,  /* it has begun, and its partitions come */
    READING   /* half of the records are applied */
};

struct error_case {
    const char *name; /* of the request */
    int16_t api;
    enum when when;
    rd_kafka_resp_err_t code;
    enum ending once, always; /* to the first request only, to all */
    enum err_code stop;       /* where it stops: with this */
};

static const struct error_case cases[] = {
    {"Metadata", METADATA, STARTING, RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, APPLIED, WAITS, 0},
    {"Metadata", METADATA, STARTING, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, APPLIED, WAITS, 0},
    {"Metadata", METADATA, STARTING, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, STOPS, STOPS, ERR_KAFKA_CONSUMING},
    {"Metadata", METADATA, STARTING, RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, STOPS, STOPS, ERR_KAFKA_CONSUMING},
    {"Metadata", METADATA, READING, RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, APPLIED, WAITS, 0},
    {"Metadata", METADATA, READING, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, APPLIED, STOPS, ERR_KAFKA_CONSUMING},
    {"Metadata", METADATA, READING, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, STOPS, STOPS, ERR_KAFKA_CONSUMING},
    {"FindCoordinator", FIND_COORDINATOR, STARTING, RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, APPLIED, WAITS, 0},
    {"FindCoordinator", FIND_COORDINATOR, STARTING, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, APPLIED, WAITS, 0},
    {"FindCoordinator", FIND_COORDINATOR, STARTING, RD_KAFKA_RESP_ERR_UNKNOWN, APPLIED, WAITS, 0},
    {"FindCoordinator", FIND_COORDINATOR, STARTING, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, STOPS, STOPS,
     ERR_KAFKA_CONSUMING},
    {"FindCoordinator", FIND_COORDINATOR, STARTING, RD_KAFKA_RESP_ERR_INVALID_GROUP_ID, STOPS, STOPS,
     ERR_KAFKA_CONSUMING},
    {"ListOffsets", LIST_OFFSETS, STARTING, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, APPLIED, WAITS, 0},
    {"ListOffsets", LIST_OFFSETS, STARTING, RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, APPLIED, WAITS, 0},
    {"ListOffsets", LIST_OFFSETS, STARTING, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, APPLIED, WAITS, 0},
    {"ListOffsets", LIST_OFFSETS, STARTING, RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR, APPLIED, WAITS, 0},
    {"ListOffsets", LIST_OFFSETS, STARTING, RD_KAFKA_RESP_ERR_UNKNOWN, APPLIED, WAITS, 0},
    {"ListOffsets", LIST_OFFSETS, STARTING, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, STOPS, STOPS,
     ERR_KAFKA_CONSUMING},
    {"OffsetFetch", OFFSET_FETCH, STARTING, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, APPLIED, WAITS, 0},
    {"OffsetFetch", OFFSET_FETCH, STARTING, RD_KAFKA_RESP_ERR_NOT_COORDINATOR, APPLIED, WAITS, 0},
    {"OffsetFetch", OFFSET_FETCH, STARTING, RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT, APPLIED, WAITS, 0},
    {"OffsetFetch", OFFSET_FETCH, STARTING, RD_KAFKA_RESP_ERR_UNKNOWN, APPLIED, WAITS, 0},
    {"OffsetFetch", OFFSET_FETCH, STARTING, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, STOPS, STOPS,
     ERR_KAFKA_CONSUMING},
    {"OffsetFetch", OFFSET_FETCH, GAINING, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, APPLIED, WAITS, 0},
    {"OffsetFetch", OFFSET_FETCH, GAINING, RD_KAFKA_RESP_ERR_NOT_COORDINATOR, APPLIED, WAITS, 0},
    {"OffsetFetch", OFFSET_FETCH, GAINING, RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT, APPLIED, WAITS, 0},
    {"OffsetFetch", OFFSET_FETCH, GAINING, RD_KAFKA_RESP_ERR_UNKNOWN, APPLIED, WAITS, 0},
    {"OffsetFetch", OFFSET_FETCH, GAINING, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, STOPS, STOPS,
     ERR_KAFKA_CONSUMING},
    {"OffsetFetch", OFFSET_FETCH, GAINING, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, STOPS, STOPS,
     ERR_KAFKA_CONSUMING},
    {"JoinGroup", JOIN_GROUP, STARTING, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, APPLIED, WAITS, 0},
    {"JoinGroup", JOIN_GROUP, STARTING, RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, APPLIED, WAITS, 0},
    {"JoinGroup", JOIN_GROUP, STARTING, RD_KAFKA_RESP_ERR_NOT_COORDINATOR, APPLIED, WAITS, 0},
    {"JoinGroup", JOIN_GROUP, STARTING, RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID, APPLIED, WAITS, 0},
    {"JoinGroup", JOIN_GROUP, STARTING, RD_KAFKA_RESP_ERR_GROUP_MAX_SIZE_REACHED, APPLIED, WAITS, 0},
    {"JoinGroup", JOIN_GROUP, STARTING, RD_KAFKA_RESP_ERR_UNKNOWN, APPLIED, WAITS, 0},
    {"JoinGroup", JOIN_GROUP, STARTING, RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL, STOPS, STOPS,
     ERR_KAFKA_CONSUMING},
    {"JoinGroup", JOIN_GROUP, STARTING, RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT, STOPS, STOPS, ERR_KAFKA_CONSUMING},
    {"JoinGroup", JOIN_GROUP, STARTING, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, STOPS, STOPS,
     ERR_KAFKA_CONSUMING},
    {"JoinGroup", JOIN_GROUP, STARTING, RD_KAFKA_RESP_ERR_INVALID_GROUP_ID, STOPS, STOPS, ERR_KAFKA_CONSUMING},
    {"JoinGroup", JOIN_GROUP, STARTING, RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, STOPS, STOPS, ERR_KAFKA_CONSUMING},
    {"SyncGroup", SYNC_GROUP, STARTING, RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, APPLIED, WAITS, 0},
    {"SyncGroup", SYNC_GROUP, STARTING, RD_KAFKA_RESP_ERR_NOT_COORDINATOR, APPLIED, WAITS, 0},
    {"SyncGroup", SYNC_GROUP, STARTING, RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS, APPLIED, WAITS, 0},
    {"SyncGroup", SYNC_GROUP, STARTING, RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, APPLIED, WAITS, 0},
    {"SyncGroup", SYNC_GROUP, STARTING, RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID, APPLIED, WAITS, 0},
    {"SyncGroup", SYNC_GROUP, STARTING, RD_KAFKA_RESP_ERR_UNKNOWN, APPLIED, WAITS, 0},
    {"SyncGroup", SYNC_GROUP, STARTING, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, APPLIED, WAITS, 0},
    {"SyncGroup", SYNC_GROUP, STARTING, RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, STOPS, STOPS, ERR_KAFKA_CONSUMING},
    {"Heartbeat", HEARTBEAT, READING, RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, APPLIED, APPLIED, 0},
    {"Heartbeat", HEARTBEAT, READING, RD_KAFKA_RESP_ERR_NOT_COORDINATOR, APPLIED, APPLIED, 0},
    {"Heartbeat", HEARTBEAT, READING, RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS, APPLIED, APPLIED, 0},
    {"Heartbeat", HEARTBEAT, READING, RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, APPLIED, APPLIED, 0},
    {"Heartbeat", HEARTBEAT, READING, RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID, APPLIED, APPLIED, 0},
    {"Heartbeat", HEARTBEAT, READING, RD_KAFKA_RESP_ERR_UNKNOWN, APPLIED, APPLIED, 0},
    {"Heartbeat", HEARTBEAT, READING, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, APPLIED, APPLIED, 0},
    {"Heartbeat", HEARTBEAT, READING, RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, STOPS, STOPS, ERR_KAFKA_CONSUMING},
    {"OffsetCommit", OFFSET_COMMIT, STARTING, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, APPLIED, WAITS, 0},
    {"OffsetCommit", OFFSET_COMMIT, STARTING, RD_KAFKA_RESP_ERR_NOT_COORDINATOR, APPLIED, WAITS, 0},
    {"OffsetCommit", OFFSET_COMMIT, STARTING, RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID, APPLIED, WAITS, 0},
    {"OffsetCommit", OFFSET_COMMIT, STARTING, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, STOPS, STOPS,
     ERR_KAFKA_CONSUMING},
    {"OffsetCommit", OFFSET_COMMIT, STARTING, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, STOPS, STOPS,
     ERR_KAFKA_CONSUMING},
    {"OffsetCommit", OFFSET_COMMIT, READING, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, APPLIED, APPLIED, 0},
    {"OffsetCommit", OFFSET_COMMIT, READING, RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, APPLIED, APPLIED, 0},
    {"OffsetCommit", OFFSET_COMMIT, READING, RD_KAFKA_RESP_ERR_NOT_COORDINATOR, APPLIED, APPLIED, 0},
    {"OffsetCommit", OFFSET_COMMIT, READING, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, APPLIED, APPLIED, 0},
    {"OffsetCommit", OFFSET_COMMIT, READING, RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS, APPLIED, APPLIED, 0},
    {"OffsetCommit", OFFSET_COMMIT, READING, RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, APPLIED, EITHER, 0},
    {"OffsetCommit", OFFSET_COMMIT, READING, RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID, APPLIED, EITHER, 0},
    {"OffsetCommit", OFFSET_COMMIT, READING, RD_KAFKA_RESP_ERR_UNKNOWN, APPLIED, APPLIED, 0},
    {"OffsetCommit", OFFSET_COMMIT, READING, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, STOPS, STOPS,
     ERR_KAFKA_CONSUMING},
    {"OffsetCommit", OFFSET_COMMIT, READING, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, STOPS, STOPS,
     ERR_KAFKA_CONSUMING},
    {"OffsetCommit", OFFSET_COMMIT, READING, RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE, STOPS, STOPS,
     ERR_KAFKA_CONSUMING},
    {"OffsetCommit", OFFSET_COMMIT, READING, RD_KAFKA_RESP_ERR_INVALID_COMMIT_OFFSET_SIZE, STOPS, STOPS,
     ERR_KAFKA_CONSUMING},
    {"OffsetCommit", OFFSET_COMMIT, READING, RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, STOPS, STOPS, ERR_KAFKA_CONSUMING},
    {"Fetch", FETCH, READING, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, APPLIED, WAITS, 0},
    {"Fetch", FETCH, READING, RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, APPLIED, WAITS, 0},
    {"Fetch", FETCH, READING, RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE, APPLIED, WAITS, 0},
    {"Fetch", FETCH, READING, RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR, APPLIED, WAITS, 0},
    {"Fetch", FETCH, READING, RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH, APPLIED, WAITS, 0},
    {"Fetch", FETCH, READING, RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH, APPLIED, WAITS, 0},
    {"Fetch", FETCH, READING, RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE, APPLIED, WAITS, 0},
    {"Fetch", FETCH, READING, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, APPLIED, WAITS, 0},
    {"Fetch", FETCH, READING, RD_KAFKA_RESP_ERR_UNKNOWN, APPLIED, WAITS, 0},
    {"Fetch", FETCH, READING, RD_KAFKA_RESP_ERR_INVALID_MSG, APPLIED, WAITS, 0},
    {"Fetch", FETCH, READING, RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE, STOPS, STOPS, ERR_KAFKA_OFFSET},
    {"Fetch", FETCH, READING, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, STOPS, STOPS, ERR_KAFKA_CONSUMING},
    {"Fetch", FETCH, READING, RD_KAFKA_RESP_ERR_UNSUPPORTED_COMPRESSION_TYPE, STOPS, STOPS, ERR_KAFKA_CONSUMING},
};

/* One run of a case. */
struct run {
    const struct error_case *error;
    bool is_always, is_cleared;
    enum ending ending;
    enum err_code stop;
    char text[ERR_TEXT_MAX];
    unsigned lost, disordered, repeats, rebalances, not_answered;
    int64_t passed; /* offsets that are committed, beyond what was applied or short of it */
};

/* What it runs in. */
struct scene {
    struct mock_kafka kafka;
    struct env env, state_env;
    struct memfs *fs;
    struct state *state;
    struct option_list brokers, properties;
    const char *broker;
    struct pipeline_bus bus;
    struct routes *routes;
    struct lanes *lanes;
    struct wakeup keeper;
    struct applier *applier;
    pthread_t thread;
    struct err end;
    atomic_bool ended;
    unsigned seen[MOCK_PARTITIONS][ROWS];
    int64_t newest[MOCK_PARTITIONS];
};

static const char *const quick[] = {"reconnect.backoff.max.ms=100",
                                    "retry.backoff.ms=20",
                                    "fetch.error.backoff.ms=50",
                                    "fetch.wait.max.ms=50",
                                    "heartbeat.interval.ms=200",
                                    "session.timeout.ms=3600",
                                    "coordinator.query.interval.ms=200",
                                    "topic.metadata.refresh.interval.ms=300",
                                    "topic.metadata.refresh.fast.interval.ms=50"};

/* ---------------------------------------------------------------- one run */

/* ROWS / 2 to each partition, whose numbers begin at `first`. */
static void produce(struct scene *s, int first)
{
    char text[256], line[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, NULL);
    (void)rd_kafka_conf_set(conf, "bootstrap.servers", s->kafka.brokers, text, sizeof text);
    rd_kafka_t *producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(producer, MOCK_TOPIC, NULL);
    for (int n = first; n < first + ROWS / 2; n++)
        for (int32_t lane = 0; lane < MOCK_PARTITIONS; lane++) {
            snprintf(line, sizeof line,
                     "{\"op\":\"insert\",\"db\":\"shop\",\"table\":\"orders\",\"key\":\"1\",\"pk\":{\"id\":1},"
                     "\"after\":{\"id\":1},\"ts_us\":1,\"commit_precision\":\"us\",\"file\":\"b.1\",\"pos\":4,"
                     "\"version\":\"00000001.%016x.0000000000000000\"}",
                     (unsigned)n + 1);
            if (rd_kafka_produce(topic, lane, RD_KAFKA_MSG_F_COPY, line, strlen(line), "1", 1, NULL) != 0)
                abort();
        }
    if (rd_kafka_flush(producer, ONCE_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
        abort();
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(producer);
}

static void push(const struct run *run, struct scene *s)
{
    const struct error_case *error = run->error;
    if (error->api == METADATA) {
        rd_kafka_mock_topic_set_error(s->kafka.cluster, MOCK_TOPIC, error->code);
        return;
    }
    bool skips = error->when == GAINING; /* the one in which the group begins */
    if (!run->is_always) {
        (void)rd_kafka_mock_broker_push_request_error_rtts(s->kafka.cluster, BROKER, error->api, 1 + (size_t)skips,
                                                           skips ? RD_KAFKA_RESP_ERR_NO_ERROR : error->code, 0,
                                                           error->code, 0);
        return;
    }
    if (skips)
        mock_kafka_refuse(&s->kafka, error->api, RD_KAFKA_RESP_ERR_NO_ERROR, 1);
    mock_kafka_refuse(&s->kafka, error->api, error->code, MANY);
}

static void clear(struct run *run, struct scene *s)
{
    if (run->error->api == METADATA)
        rd_kafka_mock_topic_set_error(s->kafka.cluster, MOCK_TOPIC, RD_KAFKA_RESP_ERR_NO_ERROR);
    else if (run->is_always)
        rd_kafka_mock_clear_request_errors(s->kafka.cluster, run->error->api);
    run->is_cleared = true;
}

static void *read_topic(void *arg)
{
    struct scene *s = arg;
    (void)applier_run(s->applier, &s->end);
    atomic_store(&s->ended, true);
    return NULL;
}

/* The sink: takes what is there, and notes it. */
static void take(struct run *run, struct scene *s)
{
    for (unsigned lane = 0; lane < MOCK_PARTITIONS; lane++) {
        struct lane_item item;
        while (lanes_read(s->lanes, lane, 0, &item) == LANE_ITEM) {
            int64_t offset = item.chg.tx->offset;
            if (s->seen[lane][offset]++)
                run->repeats++;
            else if (offset != s->newest[lane] + 1)
                run->disordered++;
            s->newest[lane] = offset;
            lanes_ack(s->lanes, lane, 0, item.ordinal);
        }
    }
}

static bool has_all(const struct scene *s, int rows)
{
    for (unsigned lane = 0; lane < MOCK_PARTITIONS; lane++)
        for (int n = 0; n < rows; n++)
            if (!s->seen[lane][n])
                return false;
    return true;
}

/* Until all of them are applied (true), the applier ends, or the time is over. */
static bool wait_rows(struct run *run, struct scene *s, int rows, int limit_ms)
{
    int64_t until = env_mono_us(&s->env) + (int64_t)limit_ms * 1000;
    while (!has_all(s, rows)) {
        if (atomic_load(&s->ended) || env_mono_us(&s->env) > until)
            return false;
        take(run, s);
        (void)poll(NULL, 0, LOOK_MS);
    }
    return true;
}

/* The sink goes on for so long, or until the applier ends. */
static void idle(struct run *run, struct scene *s, int ms)
{
    int64_t until = env_mono_us(&s->env) + (int64_t)ms * 1000;
    while (!atomic_load(&s->ended) && env_mono_us(&s->env) < until) {
        take(run, s);
        (void)poll(NULL, 0, LOOK_MS);
    }
}

static void scene_init(struct scene *s)
{
    static const struct route every = {.line = 7, .db = "*", .table = "*", .sink_mask = 1};
    struct err e = ERR_INIT;
    *s = (struct scene){.env = env_system(), .fs = memfs_new(), .keeper.fd = -1};
    s->state_env = memfs_env(s->fs);
    mock_kafka_start(&s->kafka);
    s->broker = s->kafka.brokers;
    s->brokers = (struct option_list){&s->broker, NULL, 1};
    s->properties = (struct option_list){quick, NULL, sizeof quick / sizeof *quick};
    for (unsigned lane = 0; lane < MOCK_PARTITIONS; lane++)
        s->newest[lane] = -1;
    if (state_open(&s->state, &s->state_env, "/state", STATE_OWN, &e) != 0 ||
        routes_new(&s->routes, &every, 1, &e) != 0 || wakeup_init(&s->keeper, &e) != 0)
        abort();
    s->bus = (struct pipeline_bus){.brokers = &s->brokers,
                                   .properties = &s->properties,
                                   .topic = MOCK_TOPIC,
                                   .group = GROUP,
                                   .missing_ms = MISSING_MS,
                                   .state = s->state};
    s->lanes = kit_lanes(MOCK_PARTITIONS, 1, 4u << 20);
}

static void scene_release(struct scene *s)
{
    applier_free(s->applier);
    lanes_free(s->lanes);
    routes_free(s->routes);
    wakeup_release(&s->keeper);
    state_close(s->state);
    memfs_free(s->fs);
    mock_kafka_stop(&s->kafka);
}

static void begin(struct scene *s)
{
    struct err e = ERR_INIT;
    const struct applier_options opt = {.env = &s->env,
                                        .bus = &s->bus,
                                        .routes = s->routes,
                                        .lanes = s->lanes,
                                        .sink_count = 1,
                                        .commit_ms = 20,
                                        .shutdown_ms = 5000,
                                        .keeper = &s->keeper};
    if (applier_new(&s->applier, &opt, &e) != 0 || pthread_create(&s->thread, NULL, read_topic, s) != 0)
        abort();
}

/* What the group has committed, together; -1: it cannot be told. It also makes the cluster's reader know who keeps
 * that, so that it takes no answer that is not meant for it. */
static int64_t committed(struct scene *s)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(MOCK_PARTITIONS);
    int64_t sum = 0;
    for (int32_t lane = 0; lane < MOCK_PARTITIONS; lane++)
        (void)rd_kafka_topic_partition_list_add(list, MOCK_TOPIC, lane);
    if (rd_kafka_committed(s->kafka.consumer, list, ONCE_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
        sum = -1;
    for (int i = 0; sum >= 0 && i < list->cnt; i++)
        sum += list->elems[i].offset > 0 ? list->elems[i].offset : 0;
    rd_kafka_topic_partition_list_destroy(list);
    return sum;
}

/* While the error stands, and behind it. */
static void watch(struct run *run, struct scene *s)
{
    bool all;
    if (run->error->api == METADATA && !run->is_always) {
        idle(run, s, BLINK_MS);
        clear(run, s);
        all = wait_rows(run, s, ROWS, ONCE_MS);
    } else if (!run->is_always) {
        all = wait_rows(run, s, ROWS, ONCE_MS);
    } else {
        int limit_ms = run->error->always == STOPS ? ONCE_MS : ALWAYS_MS; /* joining may take long before it is met */
        int64_t until = env_mono_us(&s->env) + (int64_t)limit_ms * 1000;
        all = wait_rows(run, s, ROWS, limit_ms);
        idle(run, s, (int)((until - env_mono_us(&s->env)) / 1000));
    }
    run->ending = all ? APPLIED : WAITS;
    if (!run->is_cleared)
        clear(run, s);
    if (run->error->when == READING && run->error->api == METADATA && run->is_always && !atomic_load(&s->ended))
        produce(s, ROWS / 2);
    if (!all && !wait_rows(run, s, ROWS, ONCE_MS) && !atomic_load(&s->ended))
        snprintf(run->text, sizeof run->text, "never applied");
}

/* How many answers were not asked for. */
static unsigned left(const struct run *run, struct scene *s)
{
    size_t count = 0;
    if (!run->is_always && run->error->api != METADATA)
        (void)rd_kafka_mock_broker_error_stack_cnt(s->kafka.cluster, BROKER, run->error->api, &count);
    return (unsigned)count;
}

static void judge(struct run *run, struct scene *s)
{
    if (s->end.code != ERR_NONE) {
        run->ending = STOPS;
        run->stop = s->end.code;
        snprintf(run->text, sizeof run->text, "%s", s->end.text);
    }
    int64_t applied = 0;
    for (unsigned lane = 0; lane < MOCK_PARTITIONS; lane++) {
        for (unsigned n = 0; n < ROWS; n++)
            run->lost += !s->seen[lane][n];
        applied += s->newest[lane] + 1;
    }
    run->rebalances = (unsigned)metric_get(&applier_figures(s->applier)->rebalances_total);
    run->passed = committed(s) - applied;
}

static void run_case(struct run *run)
{
    struct scene s;
    scene_init(&s);
    bool halves = run->error->when == READING;
    produce(&s, 0);
    if (!halves)
        produce(&s, ROWS / 2);
    (void)committed(&s);
    if (!halves)
        push(run, &s);
    begin(&s);
    if (halves && wait_rows(run, &s, ROWS / 2, ONCE_MS)) {
        if (run->error->api == METADATA) {
            push(run, &s);
            idle(run, &s, BLINK_MS);
            if (!run->is_always)
                clear(run, &s);
        } else {
            push(run, &s);
        }
        if (run->error->api != METADATA || run->is_cleared)
            produce(&s, ROWS / 2);
    }
    watch(run, &s);
    for (int ms = 0; ms < ONCE_MS && left(run, &s) && !atomic_load(&s.ended); ms += LOOK_MS)
        idle(run, &s, LOOK_MS);
    run->not_answered = left(run, &s);
    for (int ms = 0; ms < ONCE_MS && !atomic_load(&s.ended) && committed(&s) != MOCK_PARTITIONS * ROWS; ms += LOOK_MS)
        idle(run, &s, LOOK_MS);
    applier_stop(s.applier, false);
    while (!atomic_load(&s.ended))
        idle(run, &s, LOOK_MS);
    pthread_join(s.thread, NULL);
    judge(run, &s);
    scene_release(&s);
}

/* ---------------------------------------------------------------- all runs */

static void run_one(void *ctx, size_t i)
{
    run_case((struct run *)ctx + i);
}

/* False, and what is wrong is printed. A record comes again only where partitions went and came. */
static bool is_right(const struct run *run)
{
    static const char *const endings[] = {"goes on", "waits", "stops", "goes on or waits"};
    static const char *const whens[] = {"starting", "gaining", "reading"};
    const struct error_case *error = run->error;
    enum ending wanted = run->is_always ? error->always : error->once;
    bool stops = run->ending == STOPS;
    bool is_clear = run->text[0] == '\0' || (stops && strstr(run->text, MOCK_TOPIC));
    bool is_wanted = run->ending == wanted || (wanted == EITHER && !stops);
    if (is_wanted && is_clear && (!stops || run->stop == error->stop) && !run->disordered && !run->not_answered &&
        (stops || (!run->lost && run->passed == 0)) && run->passed <= 0 && (!run->repeats || run->rebalances > 1))
        return true;
    print_message("%s, %s: %s, %s: it %s %s, not %s %s; %u rows are missing, %u not in order, %u repeats, "
                  "%u rebalances, %u answers left, committed %+d: %s\n",
                  error->name, whens[error->when], rd_kafka_err2name(error->code), run->is_always ? "always" : "once",
                  endings[run->ending], stops ? err_code_name(run->stop) : "", endings[wanted],
                  wanted == STOPS ? err_code_name(error->stop) : "", run->lost, run->disordered, run->repeats,
                  run->rebalances, run->not_answered, (int)run->passed, run->text);
    return false;
}

static void errors__of_brokers_to_an_applier__have_their_reactions(void **state)
{
    (void)state;
    static struct run runs[2 * sizeof cases / sizeof *cases];
    size_t count = sizeof runs / sizeof *runs;
    unsigned wrong = 0;
    for (size_t i = 0; i < count; i++)
        runs[i] = (struct run){.error = &cases[i / 2], .is_always = i % 2};
    beside(run_one, runs, count, BESIDE);
    for (size_t i = 0; i < count; i++)
        wrong += !is_right(&runs[i]);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors__of_brokers_to_an_applier__have_their_reactions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
