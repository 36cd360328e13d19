/* What every sink owes the runner, asked of each through its ops alone: verdicts, order, the same batch again, a target
 * that goes and comes back, closing. What a sink did is read from outside: lines of a file, keys in a real Redis. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "change/format_sluice.h"
#include "sink/kafka/kafka.h"
#include "sink/redis/route.h"
#include "tools/mock_kafka.h"
#include "tools/private_redis.h"
#include "tools/sample.h"

#define ITEMS 40
#define LANES MOCK_PARTITIONS

struct world;

/* One sink under test. */
struct subject {
    const struct sink_ops *ops;
    bool (*set_up)(struct world *w); /* false: skipped */
    void (*tear_down)(struct world *w);
    /* Fails the test unless the changes 0 … ITEMS-1, applied `times` times, show outside. */
    void (*check)(struct world *w, unsigned times);
    void (*go)(struct world *w); /* the target cannot be reached; NULL: it cannot go */
    void (*come_back)(struct world *w);
};

struct world {
    const struct subject *subject;
    struct env env;
    struct sink_place place;
    struct sample *sample;
    struct sample_change changes[ITEMS];
    struct item items[ITEMS];
    void *opt;
    const void *route_opt;
    void *bind;
    struct sink *snk;
    char path[64];
    int saved_stdout;
    uint64_t counted;
    struct private_redis redis;
    struct mock_kafka kafka;
    int64_t kafka_from; /* offset of the first message that counts */
};

/* ---------------------------------------------------------------- lines of a file */

/* The "key" of each line with its version must be those of the changes, in order, `times` times. */
static void check_lines(const char *path, unsigned times)
{
    FILE *file = fopen(path, "r");
    char line[4096];
    unsigned n = 0;
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        json_t *root = json_loads(line, 0, NULL);
        char expected[24];
        if (!root)
            fail_msg("no JSON: %s", line);
        snprintf(expected, sizeof expected, "%016x", n % ITEMS);
        assert_non_null(strstr(json_string_value(json_object_get(root, "version")), expected));
        json_decref(root);
        n++;
    }
    fclose(file);
    assert_int_equal(n, ITEMS * times);
}

static void make_path(struct world *w)
{
    snprintf(w->path, sizeof w->path, "/tmp/sluice-sink-XXXXXX");
    int fd = mkstemp(w->path);
    assert_true(fd >= 0);
    close(fd);
}

/* ---------------------------------------------------------------- counter */

static bool counter_up(struct world *w)
{
    (void)w;
    return true;
}

static void nothing(struct world *w)
{
    (void)w;
}

static void counter_check(struct world *w, unsigned times)
{
    const struct sink_ops *ops = w->subject->ops;
    uint64_t sum = 0;
    for (const struct metric_row *row = ops->metrics; row->name; row++)
        sum += metric_read(ops->stats(w->snk), row);
    assert_int_equal(sum, ITEMS * times);
}

/* ---------------------------------------------------------------- stdout */

static bool stdout_up(struct world *w)
{
    static max_align_t zeroes[8]; /* the first name of each option: the defaults */
    static const struct format_choice choice = {.name = "sluice", .ops = &format_sluice_ops, .options = zeroes};
    assert_true(w->subject->ops->options_size <= sizeof zeroes);
    assert_true(format_sluice_ops.options_size <= sizeof zeroes);
    w->opt = zeroes;
    w->route_opt = &choice;
    make_path(w);
    fflush(stdout);
    w->saved_stdout = dup(STDOUT_FILENO);
    int fd = open(w->path, O_WRONLY | O_APPEND | O_CLOEXEC);
    assert_true(fd >= 0 && w->saved_stdout >= 0);
    assert_int_equal(dup2(fd, STDOUT_FILENO), STDOUT_FILENO);
    close(fd);
    return true;
}

static void stdout_down(struct world *w)
{
    fflush(stdout);
    dup2(w->saved_stdout, STDOUT_FILENO);
    close(w->saved_stdout);
    unlink(w->path);
}

static void file_check(struct world *w, unsigned times)
{
    check_lines(w->path, times);
}

/* ---------------------------------------------------------------- recorder */

/* As sink/recorder.c's table fills it, by that table. */
static struct config *recorder_config;

static bool recorder_up(struct world *w)
{
    char text[128];
    const struct sink_ops *ops = w->subject->ops;
    make_path(w);
    snprintf(text, sizeof text, "path: %s\n", w->path);
    w->opt = calloc(1, ops->options_size);
    assert_non_null(w->opt);
    assert_int_equal(config_parse(&recorder_config, &w->env, "test", text, NULL), 0);
    assert_int_equal(option_parse(recorder_config, ops->options, config_root(recorder_config), w->opt, NULL), 0);
    return true;
}

static void recorder_down(struct world *w)
{
    char path[80];
    for (unsigned i = 0; i < 8; i++) {
        snprintf(path, sizeof path, "%s.%u", w->path, i);
        unlink(path);
    }
    unlink(w->path);
    config_free(recorder_config);
    free(w->opt);
}

/* The first instance's lines. */
static void recorder_check(struct world *w, unsigned times)
{
    char path[80];
    snprintf(path, sizeof path, "%s.0", w->path);
    check_lines(path, times);
}

/* ---------------------------------------------------------------- redis */

static const char *const templates[] = {"order:{order_id}"};
static const struct redis_route_options redis_route = {.invalidate = {templates, NULL, 1}};

static void redis_fill(struct world *w)
{
    for (unsigned i = 0; i < ITEMS; i++)
        private_redis_call(&w->redis, "SET order:%u stale", i);
    private_redis_call(&w->redis, "SET other stays");
}

static bool redis_up(struct world *w)
{
    static struct redis_options opt;
    if (!private_redis_is_there())
        return false;
    private_redis_init(&w->redis);
    opt = (struct redis_options){
        .url = w->redis.url, .connect_timeout_ms = 10000, .timeout_ms = 10000, .unlink_keys = 7, .pipeline = 3};
    w->opt = &opt;
    w->route_opt = &redis_route;
    redis_fill(w);
    return true;
}

static void redis_down(struct world *w)
{
    private_redis_release(&w->redis);
}

static void redis_check(struct world *w, unsigned times)
{
    (void)times;
    assert_int_equal(private_redis_call(&w->redis, "DBSIZE"), 1);
    assert_int_equal(private_redis_call(&w->redis, "EXISTS other"), 1);
}

static void redis_go(struct world *w)
{
    private_redis_kill(&w->redis);
}

static void redis_come_back(struct world *w)
{
    private_redis_start(&w->redis);
    redis_fill(w);
}

/* ---------------------------------------------------------------- kafka */

static bool kafka_up(struct world *w)
{
    static struct kafka_options opt;
    static const char *brokers[1];
    static max_align_t zeroes[8];
    static const struct format_choice choice = {.name = "sluice", .ops = &format_sluice_ops, .options = zeroes};
    mock_kafka_start(&w->kafka);
    brokers[0] = w->kafka.brokers;
    opt = (struct kafka_options){.brokers = {brokers, NULL, 1}, .topic = MOCK_TOPIC, .timeout_ms = 3000};
    w->opt = &opt;
    w->route_opt = &choice;
    return true;
}

static void kafka_down(struct world *w)
{
    mock_kafka_stop(&w->kafka);
}

/* The versions of the messages of lane 0, where all changes are. */
static void kafka_check_messages(struct world *w, unsigned times)
{
    rd_kafka_message_t *messages[ITEMS * 3];
    size_t count = mock_kafka_read(&w->kafka, MOCK_TOPIC, 0, w->kafka_from, messages, ITEMS * 3);
    assert_int_equal(count, ITEMS * times);
    for (size_t i = 0; i < count; i++) {
        char expected[24], value[4096];
        snprintf(expected, sizeof expected, "%016zx\"", i % ITEMS);
        snprintf(value, sizeof value, "%.*s", (int)messages[i]->len, (const char *)messages[i]->payload);
        assert_non_null(strstr(value, expected));
        rd_kafka_message_destroy(messages[i]);
    }
}

static void kafka_go(struct world *w)
{
    mock_kafka_set_up(&w->kafka, false);
    w->kafka_from = 10;
}

static void kafka_come_back(struct world *w)
{
    mock_kafka_set_up(&w->kafka, true);
}

static const struct subject subjects[] = {
    {&sink_counter, counter_up, nothing, counter_check, NULL, NULL},
    {&sink_stdout, stdout_up, stdout_down, file_check, NULL, NULL},
    {&sink_recorder, recorder_up, recorder_down, recorder_check, NULL, NULL},
    {&sink_redis, redis_up, redis_down, redis_check, redis_go, redis_come_back},
    {&sink_kafka, kafka_up, kafka_down, kafka_check_messages, kafka_go, kafka_come_back},
};
#define SUBJECTS (sizeof subjects / sizeof subjects[0])

/* ---------------------------------------------------------------- the suite */

static bool world_init(struct world *w, const struct subject *subject)
{
    *w = (struct world){.subject = subject, .env = env_system()};
    w->place = (struct sink_place){.env = &w->env, .name = "test", .lanes = LANES};
    w->sample = sample_new("shop", "orders", 0);
    if (!subject->set_up(w)) {
        sample_free(w->sample);
        return false;
    }
    if (subject->ops->check)
        assert_int_equal(subject->ops->check(w->opt, NULL), 0);
    if (subject->ops->bind)
        assert_int_equal(subject->ops->bind(&w->bind, w->opt, w->route_opt, sample_shape(w->sample)->tbl, NULL), 0);
    for (int i = 0; i < ITEMS; i++) {
        static const enum change_op ops[] = {CHANGE_INSERT, CHANGE_UPDATE, CHANGE_DELETE, CHANGE_READ};
        const struct sample_row row = {i, 5};
        enum change_op op = ops[i % 4];
        bool has_before = op == CHANGE_UPDATE || op == CHANGE_DELETE;
        sample_change(&w->changes[i], w->sample, op, has_before ? &row : NULL, op == CHANGE_DELETE ? NULL : &row);
        w->changes[i].chg.version.row = (uint64_t)i;
        w->items[i] = (struct item){.chg = &w->changes[i].chg, .bind = w->bind, .verdict = V_STOP};
    }
    return true;
}

static void world_open(struct world *w)
{
    struct err e = ERR_INIT;
    if (w->subject->ops->open(&w->snk, w->opt, &w->place, &e) != 0)
        fail_msg("%s: %s", w->subject->ops->kind, e.text);
}

static void world_release(struct world *w)
{
    w->subject->ops->close(w->snk);
    if (w->subject->ops->unbind)
        w->subject->ops->unbind(w->bind);
    w->subject->tear_down(w);
    sample_free(w->sample);
}

static void apply_all(struct world *w, size_t batch)
{
    for (size_t i = 0; i < ITEMS; i += batch) {
        struct err e = ERR_INIT;
        size_t n = ITEMS - i < batch ? ITEMS - i : batch;
        for (size_t k = i; k < i + n; k++)
            w->items[k].verdict = V_STOP;
        if (w->subject->ops->apply(w->snk, w->items + i, n, &e) != 0)
            fail_msg("%s: %s", w->subject->ops->kind, e.text);
        for (size_t k = i; k < i + n; k++)
            assert_int_equal(w->items[k].verdict, V_DONE);
    }
}

static void sinks__every_batch_size__all_done_in_order(void **state)
{
    (void)state;
    static const size_t batches[] = {1, 7, ITEMS};
    for (size_t i = 0; i < SUBJECTS; i++) {
        for (size_t b = 0; b < 3; b++) {
            struct world w;
            if (!world_init(&w, &subjects[i]))
                continue;
            world_open(&w);
            apply_all(&w, batches[b]);
            subjects[i].check(&w, 1);
            world_release(&w);
        }
    }
}

static void sinks__the_same_batch_again__is_taken_in_the_same_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < SUBJECTS; i++) {
        struct world w;
        if (!world_init(&w, &subjects[i]))
            continue;
        world_open(&w);
        apply_all(&w, ITEMS);
        apply_all(&w, ITEMS);
        subjects[i].check(&w, 2);
        world_release(&w);
    }
}

static void sinks__empty_batch__is_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < SUBJECTS; i++) {
        struct world w;
        if (!world_init(&w, &subjects[i]))
            continue;
        world_open(&w);
        assert_int_equal(subjects[i].ops->apply(w.snk, w.items, 0, NULL), 0);
        apply_all(&w, ITEMS);
        subjects[i].check(&w, 1);
        world_release(&w);
    }
}

static void sinks__target_goes_and_comes_back__batch_fails_whole_and_is_done_after_opening_anew(void **state)
{
    (void)state;
    for (size_t i = 0; i < SUBJECTS; i++) {
        struct world w;
        if (!subjects[i].go || !world_init(&w, &subjects[i]))
            continue;
        const struct sink_ops *ops = subjects[i].ops;
        world_open(&w);
        assert_int_equal(ops->apply(w.snk, w.items, 10, NULL), 0);
        subjects[i].go(&w);
        for (unsigned k = 0; k < 2; k++) {
            struct err e = ERR_INIT;
            assert_true(ops->apply(w.snk, w.items, ITEMS, &e) < 0);
            assert_int_equal(err_class(&e), ERR_CLASS_RETRY);
        }
        ops->close(w.snk);
        w.snk = NULL;
        struct err e = ERR_INIT;
        assert_true(ops->open(&w.snk, w.opt, &w.place, &e) < 0);
        assert_int_equal(err_class(&e), ERR_CLASS_RETRY);
        subjects[i].come_back(&w);
        world_open(&w);
        apply_all(&w, ITEMS);
        subjects[i].check(&w, 1);
        world_release(&w);
    }
}

static void sinks__close__accepts_null_and_an_instance_that_did_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < SUBJECTS; i++) {
        struct world w;
        if (!world_init(&w, &subjects[i]))
            continue;
        subjects[i].ops->close(NULL);
        world_open(&w);
        subjects[i].ops->close(w.snk);
        w.snk = NULL;
        world_open(&w);
        world_release(&w);
    }
}

static void sinks__truncate__is_taken_by_those_that_say_so(void **state)
{
    (void)state;
    for (size_t i = 0; i < SUBJECTS; i++) {
        struct world w;
        if (!(subjects[i].ops->flags & SINK_CAN_SWEEP) || !world_init(&w, &subjects[i]))
            continue;
        struct sample_change truncate;
        sample_change(&truncate, w.sample, CHANGE_TRUNCATE, NULL, NULL);
        struct item item = {.chg = &truncate.chg, .bind = w.bind, .verdict = V_STOP};
        world_open(&w);
        struct err e = ERR_INIT;
        if (subjects[i].ops->apply(w.snk, &item, 1, &e) != 0)
            fail_msg("%s: %s", subjects[i].ops->kind, e.text);
        assert_int_equal(item.verdict, V_DONE);
        if (subjects[i].ops == &sink_redis)
            redis_check(&w, 1);
        world_release(&w);
    }
}

static void sinks__registry__is_sorted_and_finds_each_kind(void **state)
{
    (void)state;
    size_t n = 0;
    for (; sink_registry[n]; n++) {
        assert_ptr_equal(sink_find(sink_registry[n]->kind), sink_registry[n]);
        assert_true(n == 0 || strcmp(sink_registry[n - 1]->kind, sink_registry[n]->kind) < 0);
    }
    assert_int_equal(n, SUBJECTS);
    assert_null(sink_find("nosuch"));
}

/* ---------------------------------------------------------------- one by one */

static void redis__large_sweep__removes_what_the_template_renders_and_nothing_else(void **state)
{
    (void)state;
    struct world w;
    if (!world_init(&w, &subjects[3]))
        skip();
    for (unsigned i = 0; i < 5000; i++) {
        private_redis_call(&w.redis, "SET order:%u stale", i);
        private_redis_call(&w.redis, "SET border:%u stays", i);
    }
    struct sample_change truncate;
    sample_change(&truncate, w.sample, CHANGE_TRUNCATE, NULL, NULL);
    struct item item = {.chg = &truncate.chg, .bind = w.bind, .verdict = V_STOP};
    world_open(&w);
    assert_int_equal(sink_redis.apply(w.snk, &item, 1, NULL), 0);
    assert_int_equal(private_redis_call(&w.redis, "DBSIZE"), 5001);
    world_release(&w);
}

static void redis__acl_user_and_database__are_used(void **state)
{
    (void)state;
    struct world w;
    if (!world_init(&w, &subjects[3]))
        skip();
    private_redis_call(&w.redis, "ACL SETUSER ann on >secret ~order:* -@all +unlink +select");
    char url[200];
    snprintf(url, sizeof url, "%s?db=3", w.redis.url);
    struct redis_options opt = *(struct redis_options *)w.opt;
    opt.url = url;
    opt.username = "ann";
    opt.password = "secret";
    private_redis_call(&w.redis, "SELECT 3");
    private_redis_call(&w.redis, "SET order:1 stale");
    struct err e = ERR_INIT;
    if (sink_redis.open(&w.snk, &opt, &w.place, &e) != 0 || sink_redis.apply(w.snk, w.items, ITEMS, &e) != 0)
        fail_msg("%s", e.text);
    assert_int_equal(private_redis_call(&w.redis, "DBSIZE"), 0);
    sink_redis.close(w.snk);
    w.snk = NULL;
    opt.password = "wrong";
    assert_int_equal(sink_redis.open(&w.snk, &opt, &w.place, &e), -(int)ERR_SINK_LOGIN);
    private_redis_call(&w.redis, "ACL SETUSER ann -unlink");
    opt.password = "secret";
    err_clear(&e);
    assert_int_equal(sink_redis.open(&w.snk, &opt, &w.place, &e), 0);
    assert_int_equal(sink_redis.apply(w.snk, w.items, ITEMS, &e), -(int)ERR_SINK_RIGHTS);
    world_release(&w);
}

static void stdout__reader_gone__stops_clean(void **state)
{
    (void)state;
    struct world w;
    int ends[2];
    assert_true(world_init(&w, &subjects[1]));
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(dup2(ends[1], STDOUT_FILENO), STDOUT_FILENO);
    close(ends[0]);
    close(ends[1]);
    world_open(&w);
    struct err e = ERR_INIT;
    int rc = sink_stdout.apply(w.snk, w.items, ITEMS, &e);
    world_release(&w);
    assert_int_equal(rc, -(int)ERR_PIPE_CLOSED);
}

static void recorder__told_to_fail__refuses_the_key_and_its_later_changes(void **state)
{
    (void)state;
    struct world w;
    assert_true(world_init(&w, &subjects[2]));
    for (const struct option *o = sink_recorder.options; o->name; o++)
        if (strcmp(o->name, "fail_every") == 0)
            *(uint64_t *)(void *)((char *)w.opt + o->offset) = 3;
    for (unsigned i = 0; i < 6; i++) {
        w.changes[i].chg.key = i % 2 ? "b" : "a";
        w.changes[i].chg.key_len = 1;
    }
    world_open(&w);
    assert_int_equal(sink_recorder.apply(w.snk, w.items, 6, NULL), 0);
    static const enum verdict expected[] = {V_DONE, V_DONE, V_RETRY, V_DONE, V_RETRY, V_DONE};
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(w.items[i].verdict, expected[i]);
    world_release(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sinks__every_batch_size__all_done_in_order),
        cmocka_unit_test(sinks__the_same_batch_again__is_taken_in_the_same_order),
        cmocka_unit_test(sinks__empty_batch__is_nothing),
        cmocka_unit_test(sinks__target_goes_and_comes_back__batch_fails_whole_and_is_done_after_opening_anew),
        cmocka_unit_test(sinks__close__accepts_null_and_an_instance_that_did_nothing),
        cmocka_unit_test(sinks__truncate__is_taken_by_those_that_say_so),
        cmocka_unit_test(sinks__registry__is_sorted_and_finds_each_kind),
        cmocka_unit_test(redis__large_sweep__removes_what_the_template_renders_and_nothing_else),
        cmocka_unit_test(redis__acl_user_and_database__are_used),
        cmocka_unit_test(stdout__reader_gone__stops_clean),
        cmocka_unit_test(recorder__told_to_fail__refuses_the_key_and_its_later_changes),
    };
    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
