/* Which server is taken for the primary, whatever Sentinels answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sink/redis/sentinel.h"
#include "tools/scripted_redis.h"

#define SENTINELS 5

static const struct scripted_reply well[] = {{NULL, NULL, 0}};
static const struct scripted_reply replica[] = {
    {"INFO replication", "$29\r\nrole:slave\r\nslave_read_only:0\r\n\r\n", 0}, {NULL, NULL, 0}};

/* Sentinels by a letter each: a, b: they name server a or b; -: they know no such name; !: an error; ?: nonsense; p:
 * they want a password; .: none listens. */
struct scene {
    struct env env;
    struct redis_options opt;
    struct scripted_redis *servers[2], *sentinels[SENTINELS];
    struct scripted_reply replies[SENTINELS][2];
    char bytes[SENTINELS][128], names[SENTINELS][32];
    const char *items[SENTINELS];
};

static void say(struct scene *s, size_t i, char what)
{
    char port[8];
    int len = 0;
    if (what == 'a' || what == 'b')
        len = snprintf(port, sizeof port, "%u", scripted_redis_port(s->servers[what == 'b']));
    const char *bytes = what == '-'   ? "*-1\r\n"
                        : what == '!' ? "-ERR something\r\n"
                        : what == '?' ? "*2\r\n$1\r\nh\r\n$1\r\nx\r\n"
                        : what == 'p' ? "-NOAUTH Authentication required.\r\n"
                                      : NULL;
    if (bytes)
        snprintf(s->bytes[i], sizeof s->bytes[i], "%s", bytes);
    else
        snprintf(s->bytes[i], sizeof s->bytes[i], "*2\r\n$9\r\n127.0.0.1\r\n$%d\r\n%s\r\n", len, port);
    s->replies[i][0] = (struct scripted_reply){"SENTINEL", s->bytes[i], 0};
    s->replies[i][1] = (struct scripted_reply){NULL, NULL, 0};
}

static void scene_init(struct scene *s, const char *sentinels)
{
    *s = (struct scene){.env = env_system()};
    s->opt = (struct redis_options){.master = "cache", .connect_timeout_ms = 5000, .timeout_ms = 5000};
    for (int i = 0; i < 2; i++)
        s->servers[i] = scripted_redis_start(well, SIZE_MAX);
    for (size_t i = 0; sentinels[i]; i++) {
        say(s, i, sentinels[i] == '.' ? 'a' : sentinels[i]);
        s->sentinels[i] = scripted_redis_start(s->replies[i], SIZE_MAX);
        snprintf(s->names[i], sizeof s->names[i], "127.0.0.1:%u", scripted_redis_port(s->sentinels[i]));
        s->items[i] = s->names[i];
        s->opt.sentinels.count++;
        if (sentinels[i] == '.') {
            scripted_redis_stop(s->sentinels[i]);
            s->sentinels[i] = NULL;
        }
    }
    s->opt.sentinels.items = s->items;
}

static void scene_release(struct scene *s)
{
    for (size_t i = 0; i < SENTINELS; i++)
        if (s->sentinels[i])
            scripted_redis_stop(s->sentinels[i]);
    scripted_redis_stop(s->servers[0]);
    scripted_redis_stop(s->servers[1]);
}

static void sentinel__answers__more_than_half_must_agree(void **state)
{
    (void)state;
    static const struct {
        const char *sentinels;
        char server; /* 0: the error below */
        enum err_code code;
    } cases[] = {
        {"a", 'a', ERR_NONE},           {"aaa", 'a', ERR_NONE},         {"baa", 'a', ERR_NONE},
        {"abb", 'b', ERR_NONE},         {".bb", 'b', ERR_NONE},         {"b.b", 'b', ERR_NONE},
        {"!b?bb", 'b', ERR_NONE},       {"-bbb-", 'b', ERR_NONE},       {"a..", 0, ERR_SINK_NOT_READY},
        {"ab", 0, ERR_SINK_NOT_READY},  {"ab-", 0, ERR_SINK_NOT_READY}, {"a-!", 0, ERR_SINK_NOT_READY},
        {"...", 0, ERR_SINK_NOT_READY}, {"--a", 0, ERR_SINK_NO_MASTER}, {"-", 0, ERR_SINK_NO_MASTER},
        {"paa", 0, ERR_SINK_LOGIN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct scene s;
        struct redis_connection conn;
        struct err e = ERR_INIT;
        scene_init(&s, cases[i].sentinels);
        int rc = redis_open(&conn, &s.opt, &s.env, &e);
        if (e.code != cases[i].code)
            fail_msg("%s: %s", cases[i].sentinels, e.text);
        if (rc == 0) {
            assert_int_equal(conn.address.port, scripted_redis_port(s.servers[cases[i].server == 'b']));
            redis_close(&conn);
        }
        scene_release(&s);
    }
}

/* Sentinels may name it a moment too long. */
static void sentinel__named_server_is_a_replica__is_not_taken(void **state)
{
    (void)state;
    struct scene s;
    struct redis_connection conn;
    struct err e = ERR_INIT;
    scene_init(&s, "aaa");
    scripted_redis_set(s.servers[0], replica, SIZE_MAX);
    assert_int_equal(redis_open(&conn, &s.opt, &s.env, &e), -(int)ERR_SINK_NOT_READY);
    scene_release(&s);
}

static int look(struct redis_sentinel_watch *watch, struct redis_connection *conn, struct err *e)
{
    int64_t due_us = INT64_MAX;
    watch->next_us = 1;
    int rc = redis_sentinel_tend(watch, conn, "cache", &due_us, e);
    assert_in_range(due_us - env_mono_us(conn->env), 1, REDIS_SENTINEL_US);
    return rc;
}

static void sentinel__another_primary__is_seen_and_silence_is_not_taken_for_one(void **state)
{
    (void)state;
    struct scene s;
    struct redis_connection conn;
    struct redis_sentinel_watch watch = {0};
    struct err e = ERR_INIT;
    scene_init(&s, "aaa");
    assert_int_equal(redis_open(&conn, &s.opt, &s.env, &e), 0);
    assert_int_equal(look(&watch, &conn, &e), 0);
    assert_false(watch.is_unsure);
    for (size_t i = 0; i < 2; i++) { /* one of three: it may be cut off */
        say(&s, i, i ? '!' : 'b');
        scripted_redis_set(s.sentinels[i], s.replies[i], SIZE_MAX);
    }
    assert_int_equal(look(&watch, &conn, &e), 0);
    assert_true(watch.is_unsure);
    say(&s, 1, 'b');
    scripted_redis_set(s.sentinels[1], s.replies[1], SIZE_MAX);
    assert_int_equal(look(&watch, &conn, &e), -(int)ERR_SINK_DOWN);
    assert_false(watch.is_unsure);
    redis_close(&conn);
    scene_release(&s);
}

/* One that hangs costs its time once, as long as others answer. */
static void sentinel__silent_one__is_asked_last(void **state)
{
    (void)state;
    struct scene s;
    struct redis_connection conn;
    struct redis_address found;
    struct err e = ERR_INIT;
    scene_init(&s, "!aa");
    assert_int_equal(redis_open(&conn, &s.opt, &s.env, &e), 0);
    uint64_t asked = scripted_redis_connections(s.sentinels[0]);
    assert_int_equal(redis_sentinel_find(&conn, &found, &e), 0);
    assert_int_equal(scripted_redis_connections(s.sentinels[0]), asked);
    redis_close(&conn);
    scene_release(&s);
}

static void sentinel__options__are_checked(void **state)
{
    (void)state;
    static const char *const good[] = {"h", "h:7000", "[::1]", "[::1]:7000"}, *const port[] = {"h:x"},
                             *const login[] = {"user:pw@h:1"};
    static const struct {
        struct redis_options opt;
        enum err_code code;
    } cases[] = {
        {{.sentinels = {good, NULL, 4}, .master = "m", .password = "pw"}, ERR_NONE},
        {{.url = "redis://h"}, ERR_NONE},
        {{.url = NULL}, ERR_CONFIG_VALUE},
        {{.url = "redis://h", .sentinels = {good, NULL, 1}, .master = "m"}, ERR_CONFIG_VALUE},
        {{.url = "redis://h", .master = "m"}, ERR_CONFIG_VALUE},
        {{.sentinels = {good, NULL, 1}}, ERR_CONFIG_VALUE},
        {{.sentinels = {port, NULL, 1}, .master = "m"}, ERR_SINK_URL},
        {{.sentinels = {login, NULL, 1}, .master = "m"}, ERR_SINK_URL},
        {{.sentinels = {good, NULL, 1}, .master = "m", .username = "without"}, ERR_SINK_URL},
        {{.sentinels = {good, NULL, 1}, .master = "m", .sentinel_username = "without"}, ERR_SINK_URL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err e = ERR_INIT;
        (void)sink_redis.check(&cases[i].opt, &e);
        if (e.code != cases[i].code)
            fail_msg("case %zu: %s", i, e.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sentinel__answers__more_than_half_must_agree),
        cmocka_unit_test(sentinel__named_server_is_a_replica__is_not_taken),
        cmocka_unit_test(sentinel__another_primary__is_seen_and_silence_is_not_taken_for_one),
        cmocka_unit_test(sentinel__silent_one__is_asked_last),
        cmocka_unit_test(sentinel__options__are_checked),
    };
    return cmocka_run_group_tests_name("redis_sentinel", tests, NULL, NULL);
}
