/* The Redis sink against a server that says wrong, half, too much or nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sink/redis/route.h"
#include "sink/redis/url.h"
#include "tools/sample.h"
#include "tools/scripted_redis.h"

static const char *const templates[] = {"order:{order_id}", "user:{user_id}:orders"};
static const struct redis_route_options route_options = {.invalidate = {templates, NULL, 2}};

/* A sink's way from open to close over one change that makes three keys stale. */
struct trial {
    char url[64];
    struct redis_options opt;
    struct env env;
    struct sample *sample;
    void *bind;
    struct sample_change change;
    struct sink *snk;
};

static void trial_init(struct trial *trial, const struct scripted_redis *server)
{
    const struct sample_row before = {1, 10}, after = {1, 11};
    *trial = (struct trial){.env = env_system()};
    snprintf(trial->url, sizeof trial->url, "redis://127.0.0.1:%u", (unsigned)scripted_redis_port(server));
    trial->opt = (struct redis_options){
        .url = trial->url, .connect_timeout_ms = 5000, .timeout_ms = 5000, .unlink_keys = 2, .pipeline = 4};
    trial->sample = sample_new("shop", "orders", 0);
    assert_int_equal(sink_redis.bind(&trial->bind, &trial->opt, &route_options, sample_shape(trial->sample)->tbl, NULL),
                     0);
    sample_change(&trial->change, trial->sample, CHANGE_UPDATE, &before, &after);
}

static int trial_run(struct trial *trial, struct err *e)
{
    struct item item = {.chg = &trial->change.chg, .bind = trial->bind, .verdict = V_POISON};
    int rc = 0;
    if (!trial->snk)
        rc = sink_redis.open(&trial->snk, &trial->opt, &(struct sink_place){.env = &trial->env, .name = "cache"}, e);
    if (rc == 0)
        rc = sink_redis.apply(trial->snk, &item, 1, e);
    if (rc == 0)
        assert_int_equal(item.verdict, V_DONE);
    return rc;
}

static void trial_release(struct trial *trial)
{
    sink_redis.close(trial->snk);
    sink_redis.unbind(trial->bind);
    sample_free(trial->sample);
}

/* What one run gives with a server that answers `command` so. */
static int run_against(const struct scripted_reply *replies, size_t close_after, struct err *e)
{
    struct scripted_redis *server = scripted_redis_start(replies, close_after);
    struct trial trial;
    trial_init(&trial, server);
    int rc = trial_run(&trial, e);
    trial_release(&trial);
    scripted_redis_stop(server);
    return rc;
}

static void redis__every_error_reply__has_its_class(void **state)
{
    (void)state;
    static const struct {
        int line;
        const char *command, *reply;
        enum err_code code;
    } cases[] = {
        {__LINE__, "PING", "-LOADING Redis is loading the dataset in memory\r\n", ERR_SINK_NOT_READY},
        {__LINE__, "UNLINK", "-LOADING Redis is loading the dataset in memory\r\n", ERR_SINK_NOT_READY},
        {__LINE__, "UNLINK", "-READONLY You can't write against a read only replica.\r\n", ERR_SINK_NOT_READY},
        {__LINE__, "UNLINK", "-OOM command not allowed when used memory > 'maxmemory'.\r\n", ERR_SINK_NOT_READY},
        {__LINE__, "UNLINK", "-MASTERDOWN Link with MASTER is down\r\n", ERR_SINK_NOT_READY},
        {__LINE__, "UNLINK", "-BUSY Redis is busy running a script.\r\n", ERR_SINK_NOT_READY},
        {__LINE__, "UNLINK", "-TRYAGAIN Multiple keys request during rehashing of slot\r\n", ERR_SINK_NOT_READY},
        {__LINE__, "UNLINK", "-CLUSTERDOWN The cluster is down\r\n", ERR_SINK_NOT_READY},
        {__LINE__, "UNLINK", "-NOREPLICAS Not enough good replicas to write.\r\n", ERR_SINK_NOT_READY},
        {__LINE__, "UNLINK", "-MISCONF Redis is configured to save RDB snapshots\r\n", ERR_SINK_NOT_READY},
        {__LINE__, "PING", "-ERR max number of clients reached\r\n", ERR_SINK_NOT_READY},
        {__LINE__, "INFO replication", "$33\r\nrole:slave\r\nslave_read_only:1\r\n\r\n\r\n", ERR_SINK_NOT_READY},
        {__LINE__, "PING", "-NOAUTH Authentication required.\r\n", ERR_SINK_LOGIN},
        {__LINE__, "UNLINK", "-NOAUTH Authentication required.\r\n", ERR_SINK_LOGIN},
        {__LINE__, "PING", "-WRONGPASS invalid username-password pair\r\n", ERR_SINK_LOGIN},
        {__LINE__, "UNLINK", "-NOPERM this user has no permissions to run the 'unlink' command\r\n", ERR_SINK_RIGHTS},
        {__LINE__, "UNLINK", "-ERR The user executing the script can't run this command or subcommand script: 1f\r\n",
         ERR_SINK_RIGHTS},
        {__LINE__, "PING", "-DENIED Redis is running in protected mode\r\n", ERR_SINK_RIGHTS},
        {__LINE__, "UNLINK", "-MOVED 3999 127.0.0.1:6381\r\n", ERR_SINK_UNSUPPORTED},
        {__LINE__, "UNLINK", "-ASK 3999 127.0.0.1:6381\r\n", ERR_SINK_UNSUPPORTED},
        {__LINE__, "UNLINK", "-CROSSSLOT Keys in request don't hash to the same slot\r\n", ERR_SINK_UNSUPPORTED},
        {__LINE__, "INFO server", "$20\r\nredis_mode:cluster\r\n\r\n", ERR_SINK_UNSUPPORTED},
        {__LINE__, "INFO server", "$21\r\nredis_mode:sentinel\r\n\r\n", ERR_CONFIG_VALUE},
        {__LINE__, "UNLINK", "-ERR unknown command 'UNLINK', with args beginning with: 'order:1'\r\n",
         ERR_SINK_REFUSED},
        {__LINE__, "UNLINK", "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
         ERR_SINK_REFUSED},
        {__LINE__, "UNLINK", "-\r\n", ERR_SINK_REFUSED},
        {__LINE__, "UNLINK", "-BUSYGROUP Consumer Group name already exists\r\n", ERR_SINK_REFUSED},
        {__LINE__, "PING", "-NOPERM this user has no permissions to run the 'ping' command\r\n", ERR_NONE},
        {__LINE__, "CLIENT", "-ERR unknown command\r\n", ERR_NONE},
        {__LINE__, "INFO server", "-NOPERM this user has no permissions to run the 'info' command\r\n", ERR_NONE},
        {__LINE__, "INFO replication", "$33\r\nrole:slave\r\nslave_read_only:0\r\n\r\n\r\n", ERR_NONE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct scripted_reply replies[] = {{cases[i].command, cases[i].reply, 0}, {NULL, NULL, 0}};
        struct err e = ERR_INIT;
        int rc = run_against(replies, SIZE_MAX, &e);
        if (rc != -(int)cases[i].code || e.code != cases[i].code)
            fail_msg("line %d: %s: %s", cases[i].line, err_code_name(e.code), e.text);
        assert_null(strstr(e.text, "order:1"));
        assert_null(strstr(e.text, "user:"));
    }
}

static void redis__reply_of_another_kind_or_size__is_a_protocol_error(void **state)
{
    (void)state;
    static char long_line[300000];
    memset(long_line, 'x', sizeof long_line);
    long_line[0] = '+';
    static const struct {
        int line;
        const char *reply;
        size_t len;
    } cases[] = {
        {__LINE__, "*4294967295\r\n", 0},
        {__LINE__, "*2147483647\r\n", 0},
        {__LINE__, "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n", 0},
        {__LINE__, "*1\r\n:1\r\n", 0},
        {__LINE__, "*0\r\n", 0},
        {__LINE__, "$-1\r\n", 0},
        {__LINE__, "*-1\r\n", 0},
        {__LINE__, "$1\r\n1\r\n", 0},
        {__LINE__, "+OK\r\n", 0},
        {__LINE__, ":-1\r\n", 0},
        {__LINE__, ":99999999999999999999\r\n", 0},
        {__LINE__, ":one\r\n", 0},
        {__LINE__, "HTTP/1.1 400 Bad Request\r\n", 0},
        {__LINE__, "%1\r\n:1\r\n:2\r\n", 0},
        {__LINE__, "\0\0\0\0\r\n", 6},
        {__LINE__, "$-2\r\n", 0},
        {__LINE__, long_line, sizeof long_line},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct scripted_reply replies[] = {{"UNLINK", cases[i].reply, cases[i].len}, {NULL, NULL, 0}};
        struct err e = ERR_INIT;
        int rc = run_against(replies, SIZE_MAX, &e);
        if (rc != -(int)ERR_SINK_PROTOCOL)
            fail_msg("line %d: %s: %s", cases[i].line, err_code_name(e.code), e.text);
    }
}

static void redis__long_reply_that_never_ends__is_refused_at_the_cap(void **state)
{
    (void)state;
    const struct scripted_reply replies[] = {{"UNLINK", "$2147483647\r\n", 0}, {NULL, NULL, 0}};
    struct scripted_redis *server = scripted_redis_start(replies, SIZE_MAX);
    struct trial trial;
    struct err e = ERR_INIT;
    trial_init(&trial, server);
    trial.opt.timeout_ms = 50;
    assert_int_equal(trial_run(&trial, &e), -(int)ERR_SINK_DOWN);
    assert_non_null(strstr(e.text, "timeout"));
    trial_release(&trial);
    scripted_redis_stop(server);
}

static void redis__connection_lost_at_each_byte__is_down_and_done_after_the_next(void **state)
{
    (void)state;
    struct scripted_redis *server = scripted_redis_start(NULL, SIZE_MAX);
    struct trial trial;
    trial_init(&trial, server);
    size_t cut = 0;
    for (int rc = -1; rc != 0; cut++) {
        struct err e = ERR_INIT;
        scripted_redis_set(server, NULL, cut);
        rc = trial_run(&trial, &e);
        if (rc != 0)
            assert_int_equal(err_class(&e), ERR_CLASS_RETRY);
        sink_redis.close(trial.snk);
        trial.snk = NULL;
        scripted_redis_set(server, NULL, SIZE_MAX);
        err_clear(&e);
        assert_int_equal(trial_run(&trial, &e), 0);
        sink_redis.close(trial.snk);
        trial.snk = NULL;
        assert_true(cut < 1000);
    }
    assert_true(cut > 80);
    trial_release(&trial);
    scripted_redis_stop(server);
}

static void redis__nobody_listens__is_down(void **state)
{
    (void)state;
    struct scripted_redis *server = scripted_redis_start(NULL, SIZE_MAX);
    struct trial trial;
    struct err e = ERR_INIT;
    trial_init(&trial, server);
    scripted_redis_stop(server);
    assert_int_equal(trial_run(&trial, &e), -(int)ERR_SINK_DOWN);
    trial_release(&trial);
}

static void redis__server_before_4__gets_del(void **state)
{
    (void)state;
    const struct scripted_reply replies[] = {{"INFO server", "$22\r\nredis_version:3.2.12\r\n\r\n", 0},
                                             {NULL, NULL, 0}};
    struct scripted_redis *server = scripted_redis_start(replies, SIZE_MAX);
    struct trial trial;
    struct err e = ERR_INIT;
    trial_init(&trial, server);
    assert_int_equal(trial_run(&trial, &e), 0);
    assert_int_equal(scripted_redis_commands(server, "UNLINK"), 0);
    assert_int_equal(scripted_redis_commands(server, "DEL"), 2);
    trial_release(&trial);
    scripted_redis_stop(server);
}

static void redis__replicas_wanted__a_batch_is_done_when_they_have_it(void **state)
{
    (void)state;
    static const struct {
        int line;
        uint64_t wanted;
        const char *reply;
        enum err_code code;
    } cases[] = {
        {__LINE__, 0, "-ERR nobody asks\r\n", ERR_NONE},
        {__LINE__, 2, ":2\r\n", ERR_NONE},
        {__LINE__, 2, ":3\r\n", ERR_NONE},
        {__LINE__, 2, ":1\r\n", ERR_SINK_NOT_READY},
        {__LINE__, 2, ":0\r\n", ERR_SINK_NOT_READY},
        {__LINE__, 1, ":-1\r\n", ERR_SINK_PROTOCOL},
        {__LINE__, 1, "+OK\r\n", ERR_SINK_PROTOCOL},
        {__LINE__, 1, "-ERR WAIT cannot be used with replica instances.\r\n", ERR_SINK_REFUSED},
        {__LINE__, 1, "-NOPERM this user has no permissions to run the 'wait' command\r\n", ERR_SINK_RIGHTS},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct scripted_reply replies[] = {{"WAIT", cases[i].reply, 0}, {NULL, NULL, 0}};
        struct scripted_redis *server = scripted_redis_start(replies, SIZE_MAX);
        struct trial trial;
        struct err e = ERR_INIT;
        trial_init(&trial, server);
        trial.opt.wait_replicas = cases[i].wanted;
        trial.opt.wait_timeout_ms = 1;
        if (trial_run(&trial, &e) != -(int)cases[i].code)
            fail_msg("line %d: %s: %s", cases[i].line, err_code_name(e.code), e.text);
        assert_int_equal(scripted_redis_commands(server, "WAIT"), cases[i].wanted ? 1 : 0);
        trial_release(&trial);
        scripted_redis_stop(server);
    }
}

static void redis__wrong_password__stops_without_telling_it(void **state)
{
    (void)state;
    const struct scripted_reply replies[] = {
        {"AUTH", "-ERR unknown command `AUTH`, with args beginning with: `geheim`, \r\n", 0}, {NULL, NULL, 0}};
    struct scripted_redis *server = scripted_redis_start(replies, SIZE_MAX);
    struct trial trial;
    struct err e = ERR_INIT;
    trial_init(&trial, server);
    trial.opt.password = "geheim";
    assert_int_equal(trial_run(&trial, &e), -(int)ERR_SINK_LOGIN);
    assert_null(strstr(e.text, "geheim"));
    trial_release(&trial);
    scripted_redis_stop(server);
}

static void redis_url__table_of_cases__gives_address_or_error(void **state)
{
    (void)state;
    static const struct {
        int line;
        const char *url, *name, *username, *password;
        unsigned db;
    } cases[] = {
        {__LINE__, "redis://cache", "redis cache:6379", "", "", 0},
        {__LINE__, "redis://cache:7000/3", "redis cache:7000", "", "", 3},
        {__LINE__, "redis://:p%40ss@cache/", "redis cache:6379", "", "p@ss", 0},
        {__LINE__, "redis://ann:a:b@cache", "redis cache:6379", "ann", "a:b", 0},
        {__LINE__, "redis://ann:x@y@cache", "redis cache:6379", "ann", "x@y", 0},
        {__LINE__, "redis://[::1]:7000", "redis [::1]:7000", "", "", 0},
        {__LINE__, "redis://[::1]", "redis [::1]:6379", "", "", 0},
        {__LINE__, "REDIS://h", "redis h:6379", "", "", 0},
        {__LINE__, "unix:///run/redis.sock?db=2", "redis /run/redis.sock", "", "", 2},
        {__LINE__, "unix:///run/redis.sock", "redis /run/redis.sock", "", "", 0},
        {__LINE__, "redis://", NULL, NULL, NULL, 0},
        {__LINE__, "redis://:80", NULL, NULL, NULL, 0},
        {__LINE__, "redis://h:0", NULL, NULL, NULL, 0},
        {__LINE__, "redis://h:65536", NULL, NULL, NULL, 0},
        {__LINE__, "redis://h:x", NULL, NULL, NULL, 0},
        {__LINE__, "redis://h/x", NULL, NULL, NULL, 0},
        {__LINE__, "redis://h/99999", NULL, NULL, NULL, 0},
        {__LINE__, "redis://ann@h", NULL, NULL, NULL, 0},
        {__LINE__, "redis://a%4:b@h", NULL, NULL, NULL, 0},
        {__LINE__, "redis://a%00:b@h", NULL, NULL, NULL, 0},
        {__LINE__, "redis://[::1", NULL, NULL, NULL, 0},
        {__LINE__, "redis://[::1]x", NULL, NULL, NULL, 0},
        {__LINE__, "rediss://h", NULL, NULL, NULL, 0},
        {__LINE__, "http://h", NULL, NULL, NULL, 0},
        {__LINE__, "unix://relative", NULL, NULL, NULL, 0},
        {__LINE__, "unix:///s?db=x", NULL, NULL, NULL, 0},
        {__LINE__, "unix:///s?x=1", NULL, NULL, NULL, 0},
        {__LINE__, "", NULL, NULL, NULL, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct redis_options opt = {.url = cases[i].url};
        struct redis_address address = {.db = 77};
        struct err e = ERR_INIT;
        int rc = redis_address_init(&address, &opt, &e);
        if (cases[i].name == NULL) {
            if (rc != -(int)ERR_SINK_URL || address.db != 77)
                fail_msg("line %d: %s is no error", cases[i].line, cases[i].url);
        } else if (rc != 0 || strcmp(address.name, cases[i].name) != 0 ||
                   strcmp(address.username, cases[i].username) != 0 ||
                   strcmp(address.password, cases[i].password) != 0 || address.db != cases[i].db) {
            fail_msg("line %d: %s: %s %s", cases[i].line, cases[i].url, address.name, e.text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(redis__every_error_reply__has_its_class),
        cmocka_unit_test(redis__reply_of_another_kind_or_size__is_a_protocol_error),
        cmocka_unit_test(redis__long_reply_that_never_ends__is_refused_at_the_cap),
        cmocka_unit_test(redis__connection_lost_at_each_byte__is_down_and_done_after_the_next),
        cmocka_unit_test(redis__nobody_listens__is_down),
        cmocka_unit_test(redis__server_before_4__gets_del),
        cmocka_unit_test(redis__replicas_wanted__a_batch_is_done_when_they_have_it),
        cmocka_unit_test(redis__wrong_password__stops_without_telling_it),
        cmocka_unit_test(redis_url__table_of_cases__gives_address_or_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
