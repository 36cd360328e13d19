/* What brokers may answer, one error after the other, against the real worker with the real sink: every error has the
 * reaction that docs/kafka.md tells ("Reactions"). Each case has a cluster of its own in the process and runs beside
 * others, since most of its time is waiting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <poll.h>

#include "sink/kafka/kafka.h"
#include "tools/beside.h"
#include "tools/mock_kafka.h"
#include "tools/rig.h"

#define ROWS     40
#define KEYS     8
#define BESIDE   48   /* runs at a time: they wait, nearly always */
#define MANY     4000 /* answers: for as long as the run lasts */
#define DONE_MS  60000
#define WAITS_MS 700
#define OPEN_MS  400 /* the cluster answers no question about settings */
#define APPLY_MS 20000
#define STATE    "shop.state"

#define FIND_COORDINATOR 10
#define INIT_PRODUCER_ID 22
#define ADD_PARTITIONS   24
#define END_TXN          26
#define PRODUCE          0

enum ending {
    DELIVERED,
    WAITS,
    STOPS,
    EITHER, /* delivered, or not yet */
    ANY     /* stops, or is tried again: that depends on which of two threads is first */
};

struct error_case {
    const char *name; /* of the request */
    int16_t api;
    rd_kafka_resp_err_t code;
    enum ending once, always; /* to the first request only, to all */
    enum err_code stop;       /* where it stops: with this */
};

/* The broker says that it has the messages, or may have them: then librdkafka takes what a later batch is answered for
 * theirs as well, since a real broker keeps the sequence. This one has stored nothing. */
static bool may_be_stored(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR_DUPLICATE_SEQUENCE_NUMBER || code == RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT ||
           code == RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND;
}

/* One run of a case. */
struct run {
    const struct error_case *error;
    bool exactly_once, is_always;
    enum ending ending;
    enum err_code stop;
    char text[ERR_TEXT_MAX];
    unsigned lost, disordered, repeats;
};

static const struct error_case exactly_once_cases[] = {
    {"Produce", PRODUCE, RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, DELIVERED, WAITS, 0},
    {"Produce", PRODUCE, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, DELIVERED, WAITS, 0},
    {"Produce", PRODUCE, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, DELIVERED, WAITS, 0},
    {"Produce", PRODUCE, RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE, DELIVERED, WAITS, 0},
    {"Produce", PRODUCE, RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE, DELIVERED, WAITS, 0},
    {"Produce", PRODUCE, RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION, DELIVERED, WAITS, 0},
    {"Produce", PRODUCE, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, DELIVERED, WAITS, 0},
    {"Produce", PRODUCE, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND, DELIVERED, WAITS, 0},
    {"Produce", PRODUCE, RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR, DELIVERED, WAITS, 0},
    {"Produce", PRODUCE, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, DELIVERED, WAITS, 0},
    {"Produce", PRODUCE, RD_KAFKA_RESP_ERR_UNKNOWN, DELIVERED, WAITS, 0},
    {"Produce", PRODUCE, RD_KAFKA_RESP_ERR_INVALID_MSG, DELIVERED, WAITS, 0},
    {"Produce", PRODUCE, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, ANY, STOPS, ERR_KAFKA_TOO_LARGE},
    {"Produce", PRODUCE, RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE, ANY, STOPS, ERR_SINK_REFUSED},
    {"Produce", PRODUCE, RD_KAFKA_RESP_ERR_INVALID_REQUIRED_ACKS, ANY, STOPS, ERR_SINK_REFUSED},
    {"Produce", PRODUCE, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, ANY, STOPS, ERR_SINK_RIGHTS},
    {"Produce", PRODUCE, RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, ANY, STOPS, ERR_SINK_RIGHTS},
    {"Produce", PRODUCE, RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED, ANY, STOPS, ERR_SINK_RIGHTS},
    {"Produce", PRODUCE, RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP, ANY, STOPS, ERR_SINK_REFUSED},
    {"Produce", PRODUCE, RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT, ANY, STOPS, ERR_SINK_REFUSED},
    {"Produce", PRODUCE, RD_KAFKA_RESP_ERR_POLICY_VIOLATION, ANY, STOPS, ERR_SINK_REFUSED},
    {"Produce", PRODUCE, RD_KAFKA_RESP_ERR_INVALID_RECORD, ANY, STOPS, ERR_SINK_REFUSED},
    {"Produce", PRODUCE, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, DELIVERED, WAITS, 0},
    {"Produce", PRODUCE, RD_KAFKA_RESP_ERR_DUPLICATE_SEQUENCE_NUMBER, DELIVERED, EITHER, 0},
    {"Produce", PRODUCE, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, ANY, STOPS, ERR_KAFKA_FENCED},
    {"Produce", PRODUCE, RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID, DELIVERED, WAITS, 0},
    {"Produce", PRODUCE, RD_KAFKA_RESP_ERR_INVALID_TXN_STATE, DELIVERED, WAITS, 0},
    {"Produce", PRODUCE, RD_KAFKA_RESP_ERR_PRODUCER_FENCED, ANY, STOPS, ERR_KAFKA_FENCED},
    {"InitProducerId", INIT_PRODUCER_ID, RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, DELIVERED, WAITS, 0},
    {"InitProducerId", INIT_PRODUCER_ID, RD_KAFKA_RESP_ERR_NOT_COORDINATOR, DELIVERED, WAITS, 0},
    {"InitProducerId", INIT_PRODUCER_ID, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, DELIVERED, WAITS, 0},
    {"InitProducerId", INIT_PRODUCER_ID, RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS, DELIVERED, WAITS, 0},
    {"InitProducerId", INIT_PRODUCER_ID, RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED, STOPS, STOPS,
     ERR_SINK_RIGHTS},
    {"InitProducerId", INIT_PRODUCER_ID, RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, STOPS, STOPS, ERR_SINK_RIGHTS},
    {"InitProducerId", INIT_PRODUCER_ID, RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT, STOPS, STOPS, ERR_KAFKA_FATAL},
    {"InitProducerId", INIT_PRODUCER_ID, RD_KAFKA_RESP_ERR_PRODUCER_FENCED, STOPS, STOPS, ERR_KAFKA_FENCED},
    {"FindCoordinator", FIND_COORDINATOR, RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, DELIVERED, WAITS, 0},
    {"AddPartitionsToTxn", ADD_PARTITIONS, RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, DELIVERED, WAITS, 0},
    {"AddPartitionsToTxn", ADD_PARTITIONS, RD_KAFKA_RESP_ERR_NOT_COORDINATOR, DELIVERED, WAITS, 0},
    {"AddPartitionsToTxn", ADD_PARTITIONS, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, DELIVERED, WAITS, 0},
    {"AddPartitionsToTxn", ADD_PARTITIONS, RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS, DELIVERED, WAITS, 0},
    {"AddPartitionsToTxn", ADD_PARTITIONS, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, DELIVERED, WAITS, 0},
    {"AddPartitionsToTxn", ADD_PARTITIONS, RD_KAFKA_RESP_ERR_OPERATION_NOT_ATTEMPTED, DELIVERED, WAITS, 0},
    {"AddPartitionsToTxn", ADD_PARTITIONS, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, STOPS, STOPS, ERR_SINK_RIGHTS},
    {"AddPartitionsToTxn", ADD_PARTITIONS, RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED, STOPS, STOPS,
     ERR_SINK_RIGHTS},
    {"AddPartitionsToTxn", ADD_PARTITIONS, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, STOPS, STOPS, ERR_KAFKA_FENCED},
    {"AddPartitionsToTxn", ADD_PARTITIONS, RD_KAFKA_RESP_ERR_PRODUCER_FENCED, STOPS, STOPS, ERR_KAFKA_FENCED},
    {"AddPartitionsToTxn", ADD_PARTITIONS, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_ID_MAPPING, DELIVERED, WAITS, 0},
    {"AddPartitionsToTxn", ADD_PARTITIONS, RD_KAFKA_RESP_ERR_INVALID_TXN_STATE, DELIVERED, WAITS, 0},
    {"EndTxn", END_TXN, RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, DELIVERED, WAITS, 0},
    {"EndTxn", END_TXN, RD_KAFKA_RESP_ERR_NOT_COORDINATOR, DELIVERED, WAITS, 0},
    {"EndTxn", END_TXN, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, DELIVERED, WAITS, 0},
    {"EndTxn", END_TXN, RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS, DELIVERED, WAITS, 0},
    {"EndTxn", END_TXN, RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED, STOPS, STOPS, ERR_SINK_RIGHTS},
    {"EndTxn", END_TXN, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, STOPS, STOPS, ERR_KAFKA_FENCED},
    {"EndTxn", END_TXN, RD_KAFKA_RESP_ERR_PRODUCER_FENCED, STOPS, STOPS, ERR_KAFKA_FENCED},
    {"EndTxn", END_TXN, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_ID_MAPPING, DELIVERED, WAITS, 0},
    {"EndTxn", END_TXN, RD_KAFKA_RESP_ERR_INVALID_TXN_STATE, DELIVERED, EITHER, 0}, /* another producer */
    {"EndTxn", END_TXN, RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID, DELIVERED, WAITS, 0},
};

static const struct error_case at_least_once_cases[] = {
    {"Produce", PRODUCE, RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, DELIVERED, WAITS, 0},
    {"Produce", PRODUCE, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, DELIVERED, WAITS, 0},
    {"Produce", PRODUCE, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, DELIVERED, WAITS, 0},
    {"Produce", PRODUCE, RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE, DELIVERED, WAITS, 0},
    {"Produce", PRODUCE, RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE, DELIVERED, WAITS, 0},
    {"Produce", PRODUCE, RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION, DELIVERED, WAITS, 0},
    {"Produce", PRODUCE, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, DELIVERED, WAITS, 0},
    {"Produce", PRODUCE, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND, DELIVERED, WAITS, 0},
    {"Produce", PRODUCE, RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR, DELIVERED, WAITS, 0},
    {"Produce", PRODUCE, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, DELIVERED, WAITS, 0},
    {"Produce", PRODUCE, RD_KAFKA_RESP_ERR_UNKNOWN, DELIVERED, WAITS, 0},
    {"Produce", PRODUCE, RD_KAFKA_RESP_ERR_INVALID_MSG, DELIVERED, WAITS, 0},
    {"Produce", PRODUCE, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, STOPS, STOPS, ERR_KAFKA_TOO_LARGE},
    {"Produce", PRODUCE, RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE, STOPS, STOPS, ERR_SINK_REFUSED},
    {"Produce", PRODUCE, RD_KAFKA_RESP_ERR_INVALID_REQUIRED_ACKS, STOPS, STOPS, ERR_SINK_REFUSED},
    {"Produce", PRODUCE, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, STOPS, STOPS, ERR_SINK_RIGHTS},
    {"Produce", PRODUCE, RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, STOPS, STOPS, ERR_SINK_RIGHTS},
    {"Produce", PRODUCE, RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP, STOPS, STOPS, ERR_SINK_REFUSED},
    {"Produce", PRODUCE, RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT, STOPS, STOPS, ERR_SINK_REFUSED},
    {"Produce", PRODUCE, RD_KAFKA_RESP_ERR_POLICY_VIOLATION, STOPS, STOPS, ERR_SINK_REFUSED},
    {"Produce", PRODUCE, RD_KAFKA_RESP_ERR_INVALID_RECORD, STOPS, STOPS, ERR_SINK_REFUSED},
    {"Produce", PRODUCE, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, ANY, STOPS, ERR_KAFKA_FATAL},
    {"Produce", PRODUCE, RD_KAFKA_RESP_ERR_DUPLICATE_SEQUENCE_NUMBER, DELIVERED, EITHER, 0},
    {"Produce", PRODUCE, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, DELIVERED, WAITS, 0},
    {"Produce", PRODUCE, RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID, DELIVERED, WAITS, 0},
    {"InitProducerId", INIT_PRODUCER_ID, RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, STOPS, STOPS, ERR_SINK_RIGHTS},
};

/* ---------------------------------------------------------------- one run */

/* What the topic holds: rows that are missing, versions that fall within a key at their first time, repeats. */
static void look(struct run *run, struct mock_kafka *kafka)
{
    static const char prefix[] = "00000001.0000000000000007.";
    uint64_t seen[ROWS] = {0};
    for (int32_t partition = 0; partition < MOCK_PARTITIONS; partition++) {
        rd_kafka_message_t *messages[8 * ROWS];
        size_t count = mock_kafka_read(kafka, MOCK_TOPIC, partition, 0, messages, 8 * ROWS);
        int64_t newest = -1;
        for (size_t i = 0; i < count; i++) {
            rd_kafka_headers_t *headers;
            const void *value;
            size_t len;
            char text[VERSION_TEXT_LEN + 1] = "";
            if (rd_kafka_message_headers(messages[i], &headers) == 0 &&
                rd_kafka_header_get_last(headers, "version", &value, &len) == 0 && len == VERSION_TEXT_LEN)
                memcpy(text, value, len);
            uint64_t row = strtoull(text + sizeof prefix - 1, NULL, 16);
            if (row < ROWS && seen[row]++)
                run->repeats++;
            else if ((int64_t)row <= newest)
                run->disordered++;
            else
                newest = (int64_t)row;
            rd_kafka_message_destroy(messages[i]);
        }
    }
    for (unsigned row = 0; row < ROWS; row++)
        run->lost += !seen[row];
}

static bool wait_end(struct run *run, struct rig *rig, int limit_ms)
{
    for (int ms = 0; ms < limit_ms; ms += 5) {
        int stop = atomic_load(&rig->fatal_code);
        if (stop) {
            run->ending = STOPS;
            run->stop = (enum err_code)stop;
            snprintf(run->text, sizeof run->text, "%s", rig->fatal_text);
            return true;
        }
        if (runner_idle(rig->runner)) {
            run->ending = DELIVERED;
            return true;
        }
        (void)poll(NULL, 0, 5);
    }
    run->ending = WAITS;
    return false;
}

/* Opens, as kept.c does: an error that passes is met by another try. */
static bool open_sink(struct run *run, struct rig *rig, struct mock_kafka *kafka)
{
    struct position at;
    position_init(&at);
    int64_t begin = env_mono_us(&rig->env);
    bool cleared = false;
    for (;;) {
        struct err e = ERR_INIT;
        int rc = run->exactly_once ? runner_load(rig->runner, false, NULL, &at, &e) : 0;
        if (rc >= 0)
            break;
        if (err_class(&e) != ERR_CLASS_RETRY) {
            run->ending = STOPS;
            run->stop = e.code;
            snprintf(run->text, sizeof run->text, "%s", e.text);
            position_release(&at);
            return false;
        }
        if (run->is_always && !cleared && env_mono_us(&rig->env) - begin > WAITS_MS * 1000) {
            run->ending = WAITS;
            rd_kafka_mock_clear_request_errors(kafka->cluster, run->error->api);
            cleared = true;
        }
        (void)poll(NULL, 0, 20);
    }
    position_release(&at);
    return true;
}

static void push(const struct run *run, struct mock_kafka *kafka)
{
    mock_kafka_refuse(kafka, run->error->api, run->error->code, run->is_always ? MANY : 1);
}

static void run_case(struct run *run)
{
    struct mock_kafka kafka;
    struct rig rig;
    struct format_choice choice = {.name = "sluice"};
    struct config *cfg = NULL;
    struct err e = ERR_INIT;
    mock_kafka_start(&kafka);
    (void)rd_kafka_mock_topic_create(kafka.cluster, STATE ".marks", 1, 1);
    const char *brokers[] = {kafka.brokers};
    /* One request at a time: this cluster keeps no sequence of what is in flight. */
    static const char *const quick[] = {"retry.backoff.ms=20", "reconnect.backoff.max.ms=100", "max.in.flight=1"};
    struct kafka_options opt = {.brokers = {brokers, NULL, 1},
                                .properties = {quick, NULL, 3},
                                .topic = MOCK_TOPIC,
                                .state_topic = STATE,
                                .delivery = run->exactly_once ? KAFKA_EXACTLY_ONCE : KAFKA_AT_LEAST_ONCE,
                                .timeout_ms = OPEN_MS,
                                .transaction_ms = 5};
    const struct env env = env_system();
    if (config_parse(&cfg, &env, "t.yaml", "", &e) != 0 || format_choose(&choice, cfg, &e) != 0)
        abort();
    struct route route = {.line = 1, .db = "*", .table = "*", .sink_mask = 1, .sink_options = {&choice}};
    const struct rig_options rig_opt = {.lanes = MOCK_PARTITIONS,
                                        .routes = &route,
                                        .route_count = 1,
                                        .runner = {.ops = &sink_kafka,
                                                   .options = &opt,
                                                   .workers = 1,
                                                   .batch_rows = 10,
                                                   .backoff_min_ms = 10,
                                                   .backoff_max_ms = 50}};
    rig_init(&rig, &rig_opt);
    bool early = run->error->api == INIT_PRODUCER_ID || run->error->api == FIND_COORDINATOR;
    if (early)
        push(run, &kafka);
    bool opened = open_sink(run, &rig, &kafka);
    enum ending at_open = run->ending;
    if (opened) {
        opt.timeout_ms = APPLY_MS;
        if (!early)
            push(run, &kafka);
        if (runner_start(rig.runner, &e) != 0)
            abort();
        for (int n = 0; n < ROWS; n++)
            rig_add(&rig, n % KEYS, 1);
        rig_publish(&rig);
        if (!wait_end(run, &rig, run->is_always ? WAITS_MS : DONE_MS)) {
            rd_kafka_mock_clear_request_errors(kafka.cluster, run->error->api);
            if (!wait_end(run, &rig, DONE_MS))
                snprintf(run->text, sizeof run->text, "never delivered");
            else if (run->ending == DELIVERED)
                run->ending = WAITS;
        } else if (at_open == WAITS && run->ending == DELIVERED) {
            run->ending = WAITS;
        }
        runner_stop(rig.runner, false);
        runner_join(rig.runner);
    }
    if (run->ending != STOPS)
        look(run, &kafka);
    rig_release(&rig);
    config_free(cfg);
    mock_kafka_stop(&kafka);
}

/* ---------------------------------------------------------------- all runs */

static void take_run(void *ctx, size_t i)
{
    run_case(&((struct run *)ctx)[i]);
}

/* False, and what is wrong is printed. */
static bool is_right(const struct run *run)
{
    static const char *const endings[] = {"delivered", "waits", "stops", "delivered or waits", "any"};
    const struct error_case *error = run->error;
    enum ending wanted = run->is_always ? error->always : error->once;
    bool is_wanted = run->ending == wanted || wanted == ANY || (wanted == EITHER && run->ending != STOPS);
    bool in_time = run->text[0] == '\0' || run->ending == STOPS;
    if (is_wanted && in_time && (run->ending != STOPS || run->stop == error->stop) && !run->disordered &&
        (!run->lost || may_be_stored(error->code)) && (run->exactly_once || run->repeats <= ROWS))
        return true;
    print_message("%s: %s, %s: it %s %s, not %s %s; %u rows are missing, %u not in order, %u repeats: %s\n",
                  error->name, rd_kafka_err2name(error->code), run->is_always ? "always" : "once", endings[run->ending],
                  run->ending == STOPS ? err_code_name(run->stop) : "", endings[wanted],
                  wanted == STOPS ? err_code_name(error->stop) : "", run->lost, run->disordered, run->repeats,
                  run->text);
    return false;
}

static void run_all(const struct error_case *cases, size_t count, bool exactly_once)
{
    struct run *runs = calloc(2 * count, sizeof *runs);
    unsigned wrong = 0;
    assert_non_null(runs);
    for (size_t i = 0; i < 2 * count; i++)
        runs[i] = (struct run){.error = &cases[i / 2], .exactly_once = exactly_once, .is_always = i % 2};
    beside(take_run, runs, 2 * count, BESIDE);
    for (size_t i = 0; i < 2 * count; i++)
        wrong += !is_right(&runs[i]);
    free(runs);
    assert_int_equal(wrong, 0);
}

static void errors__exactly_once__have_their_reactions(void **state)
{
    (void)state;
    run_all(exactly_once_cases, sizeof exactly_once_cases / sizeof *exactly_once_cases, true);
}

static void errors__at_least_once__have_their_reactions(void **state)
{
    (void)state;
    run_all(at_least_once_cases, sizeof at_least_once_cases / sizeof *at_least_once_cases, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors__exactly_once__have_their_reactions),
        cmocka_unit_test(errors__at_least_once__have_their_reactions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
