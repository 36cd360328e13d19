/* Rows written through into a real Redis, under versions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/env.h"
#include "sink/redis/write.h"
#include "tools/private_redis.h"
#include "tools/sample.h"

#define TEXT_MAX     512
#define TOMBSTONE_MS 60000

struct scene {
    struct private_redis redis;
    struct env env;
    struct redis_options opt;
    struct redis_route_options route_opt;
    struct sample *sample;
    void *route;
    struct sink *snk;
};

static void open_for(struct scene *s, enum sink_purpose purpose)
{
    const struct sink_place place = {.env = &s->env, .name = "cache", .lanes = 1, .purpose = purpose};
    struct err e = ERR_INIT;
    if (s->snk)
        sink_redis.close(s->snk);
    if (sink_redis.open(&s->snk, &s->opt, &place, &e) != 0)
        fail_msg("%s", e.text);
}

static bool scene_init(struct scene *s, const struct redis_route_options *route)
{
    struct err e = ERR_INIT;
    if (!private_redis_is_there())
        return false;
    *s = (struct scene){.env = env_system(), .route_opt = *route};
    s->route_opt.mode = REDIS_WRITE;
    if (!s->route_opt.write.key)
        s->route_opt.write.key = "order:{order_id}";
    private_redis_init(&s->redis);
    s->opt = (struct redis_options){.url = s->redis.url,
                                    .connect_timeout_ms = 10000,
                                    .timeout_ms = 10000,
                                    .unlink_keys = 3,
                                    .pipeline = 2,
                                    .tombstone_ttl_ms = TOMBSTONE_MS};
    s->sample = sample_new("shop", "orders", 0);
    if (sink_redis.ready(&s->route_opt, NULL, &e) != 0 ||
        sink_redis.bind(&s->route, &s->opt, &s->route_opt, sample_shape(s->sample)->tbl, &e) != 0)
        fail_msg("%s", e.text);
    open_for(s, SINK_FOLLOWS);
    return true;
}

static void scene_release(struct scene *s)
{
    sink_redis.close(s->snk);
    sink_redis.unbind(s->route);
    sample_free(s->sample);
    private_redis_release(&s->redis);
}

/* One change of one row; order_id 0: no such image. */
struct step {
    enum change_op op;
    unsigned flags;
    struct sample_row before, after;
    uint64_t sequence; /* of its version */
};

static int apply(struct scene *s, const struct step *steps, size_t count, struct err *e)
{
    struct sample_change changes[64];
    struct item items[64];
    assert_true(count <= 64);
    for (size_t i = 0; i < count; i++) {
        const struct step *step = &steps[i];
        sample_change(&changes[i], s->sample, step->op, step->before.order_id ? &step->before : NULL,
                      step->after.order_id ? &step->after : NULL);
        changes[i].chg.flags = step->flags;
        changes[i].chg.version.sequence = step->sequence;
        items[i] = (struct item){.chg = &changes[i].chg, .bind = s->route};
    }
    return sink_redis.apply(s->snk, items, count, e);
}

static void applied(struct scene *s, const struct step *steps, size_t count)
{
    struct err e = ERR_INIT;
    if (apply(s, steps, count, &e) != 0)
        fail_msg("%s", e.text);
}

#define APPLIED(s_, ...)                                                                                               \
    applied((s_), (const struct step[]){__VA_ARGS__}, sizeof((const struct step[]){__VA_ARGS__}) / sizeof(struct step))

#define NONE                                                                                                           \
    {                                                                                                                  \
        0, 0                                                                                                           \
    }

/* A reply as text: elements with spaces between, "-" for nil. */
static void ask(struct scene *s, char out[TEXT_MAX], const char *command)
{
    redisReply *reply = redisCommand(s->redis.client, command);
    size_t n = 0;
    assert_non_null(reply);
    out[0] = '\0';
    if (reply->type == REDIS_REPLY_NIL)
        snprintf(out, TEXT_MAX, "-");
    else if (reply->type == REDIS_REPLY_INTEGER)
        snprintf(out, TEXT_MAX, "%lld", reply->integer);
    else if (reply->type != REDIS_REPLY_ARRAY)
        snprintf(out, TEXT_MAX, "%s", reply->str);
    for (size_t i = 0; i < reply->elements; i++)
        n += (size_t)snprintf(out + n, TEXT_MAX - n, i ? " %s" : "%s", reply->element[i]->str);
    freeReplyObject(reply);
}

static void expect_at(struct scene *s, const char *command, const char *expected, int line)
{
    char text[TEXT_MAX];
    ask(s, text, command);
    if (strcmp(text, expected) != 0)
        fail_msg("line %d: %s: %s, not %s", line, command, text, expected);
}
#define expect(s_, command_, expected_) expect_at((s_), (command_), (expected_), __LINE__)

static void expect_between(struct scene *s, const char *command, long long low, long long high)
{
    assert_in_range(private_redis_call(&s->redis, command), low, high);
}

/* ---------------------------------------------------------------- forms */

static void write__each_form__is_what_the_row_says(void **state)
{
    (void)state;
    static const char *const renamed[] = {"user_id as who", "order_id"};
    static const struct {
        struct redis_route_options route;
        const char *ask, *full, *null;
    } cases[] = {
        {{.write = {.as = REDIS_JSON}},
         "GET order:1",
         "{\"order_id\":1,\"user_id\":10}",
         "{\"order_id\":1,\"user_id\":null}"},
        {{.write = {.as = REDIS_JSON, .columns = {renamed, NULL, 2}}},
         "GET order:1",
         "{\"who\":10,\"order_id\":1}",
         "{\"who\":null,\"order_id\":1}"},
        {{.write = {.as = REDIS_HASH}}, "HGETALL order:1", "order_id 1 user_id 10", "order_id 1"},
        {{.write = {.as = REDIS_HASH, .columns = {renamed, NULL, 1}}}, "HGETALL order:1", "who 10", ""},
        {{.write = {.as = REDIS_TEXT, .text = "<{order_id}> of {user_id|default:nobody}"}},
         "GET order:1",
         "<1> of 10",
         "<1> of nobody"},
        {{.write = {.as = REDIS_TEXT, .text = "of {user_id}"}}, "GET order:1", "of 10", "-"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct scene s;
        if (!scene_init(&s, &cases[i].route))
            skip();
        APPLIED(&s, {CHANGE_INSERT, 0, NONE, {1, 10}, 7});
        expect(&s, cases[i].ask, cases[i].full);
        APPLIED(&s, {CHANGE_UPDATE, 0, {1, 10}, {1, SAMPLE_NULL}, 8});
        expect(&s, cases[i].ask, cases[i].null);
        APPLIED(&s, {CHANGE_UPDATE, 0, {1, SAMPLE_NULL}, {1, 10}, 9});
        expect(&s, cases[i].ask, cases[i].full);
        scene_release(&s);
    }
}

static void write__column_that_the_image_lacks__stops(void **state)
{
    (void)state;
    static const struct redis_route_options route = {.write = {.as = REDIS_JSON}};
    static const struct step step = {CHANGE_INSERT, 0, NONE, {1, SAMPLE_ABSENT}, 7};
    struct scene s;
    struct err e = ERR_INIT;
    if (!scene_init(&s, &route))
        skip();
    assert_int_equal(apply(&s, &step, 1, &e), -(int)ERR_ROW_IMAGE);
    assert_non_null(strstr(e.text, "user_id"));
    expect(&s, "DBSIZE", "0");
    scene_release(&s);
}

static void write__what_a_route_may_not_say__is_refused(void **state)
{
    (void)state;
    static const char *const twice[] = {"user_id", "order_id as user_id"}, *const none[] = {"nothing"};
    static const char *const bad[] = {"user_id as "};
    static const struct {
        struct redis_route_options route;
        const char *says;
    } cases[] = {
        {{.mode = REDIS_FENCE}, "invalidate"},
        {{.mode = REDIS_WRITE}, "write"},
        {{.mode = REDIS_INVALIDATE, .invalidate = {none, NULL, 1}, .write = {.key = "k"}}, "mode"},
        {{.mode = REDIS_INVALIDATE, .invalidate = {none, NULL, 1}, .write = {.ttl_ms = 1}}, "ttl_ms"},
        {{.mode = REDIS_FENCE, .invalidate = {none, NULL, 1}, .write = {.on_delete = REDIS_KEEP}}, "on_delete"},
        {{.mode = REDIS_WRITE, .write = {.key = "k", .as = REDIS_TEXT}}, "text"},
        {{.mode = REDIS_WRITE, .write = {.key = "k", .as = REDIS_JSON, .text = "t"}}, "text"},
        {{.mode = REDIS_WRITE, .write = {.key = "k", .as = REDIS_TEXT, .text = "t", .columns = {none, NULL, 1}}},
         "columns"},
        {{.mode = REDIS_WRITE, .write = {.key = "k", .ttl_jitter_ms = 1}}, "ttl_jitter_ms"},
        {{.mode = REDIS_WRITE, .write = {.key = "k", .columns = {twice, NULL, 2}}}, "one name"},
        {{.mode = REDIS_WRITE, .write = {.key = "k", .columns = {none, NULL, 1}}}, "nothing"},
        {{.mode = REDIS_WRITE, .write = {.key = "k", .columns = {bad, NULL, 1}}}, "columns"},
    };
    struct sample *sample = sample_new("shop", "orders", 0);
    const struct redis_options opt = {.url = "redis://h"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct redis_route_options route = cases[i].route;
        struct err e = ERR_INIT;
        void *bind = NULL;
        int rc = sink_redis.ready(&route, NULL, &e);
        if (rc == 0)
            rc = sink_redis.bind(&bind, &opt, &route, sample_shape(sample)->tbl, &e);
        if (rc == 0 || err_class(&e) != ERR_CLASS_USAGE || !strstr(e.text, cases[i].says))
            fail_msg("case %zu: %s", i, e.text);
    }
    sample_free(sample);
}

/* ---------------------------------------------------------------- versions */

static void write__older_change__does_not_win(void **state)
{
    (void)state;
    static const struct redis_route_options route = {.write = {.as = REDIS_TEXT, .text = "{user_id}"}};
    struct scene s;
    if (!scene_init(&s, &route))
        skip();
    APPLIED(&s, {CHANGE_INSERT, 0, NONE, {1, 10}, 0x9f});
    APPLIED(&s, {CHANGE_UPDATE, 0, {1, 8}, {1, 9}, 0x9e});
    expect(&s, "GET order:1", "10");
    APPLIED(&s, {CHANGE_INSERT, 0, NONE, {1, 10}, 0x9f});
    expect(&s, "GET order:1", "10");
    APPLIED(&s, {CHANGE_DELETE, 0, {1, 8}, NONE, 0x9e});
    expect(&s, "GET order:1", "10");
    APPLIED(&s, {CHANGE_UPDATE, 0, {1, 10}, {1, 11}, UINT64_C(0xaa00000000)});
    expect(&s, "GET order:1", "11");
    expect(&s, "GETRANGE sluice:version:{order:1} 0 41", "00000001.000000aa00000000.0000000000000000");
    expect(&s, "STRLEN sluice:version:{order:1}", "50");
    APPLIED(&s, {CHANGE_DELETE, 0, {1, 11}, NONE, UINT64_C(0xaa00000001)});
    expect(&s, "GET order:1", "-");
    APPLIED(&s, {CHANGE_INSERT, 0, NONE, {1, 10}, 0x9f}, {CHANGE_INSERT, 0, NONE, {1, 9}, UINT64_C(0xaa00000000)});
    expect(&s, "GET order:1", "-");
    expect_between(&s, "PTTL sluice:version:{order:1}", TOMBSTONE_MS - 30000, TOMBSTONE_MS);
    APPLIED(&s, {CHANGE_INSERT, 0, NONE, {1, 12}, UINT64_C(0xaa00000002)});
    expect(&s, "GET order:1", "12");
    expect(&s, "PTTL sluice:version:{order:1}", "-1");
    scene_release(&s);
}

/* Its version stands already; the value does not. */
static void write__refused_between_record_and_value__comes_again(void **state)
{
    (void)state;
    static const struct redis_route_options route = {.write = {.as = REDIS_HASH}};
    static const struct step change = {CHANGE_UPDATE, 0, {1, 10}, {1, 11}, 8};
    static const struct step removal = {CHANGE_DELETE, 0, {1, 11}, NONE, 9};
    struct scene s;
    struct err e = ERR_INIT;
    if (!scene_init(&s, &route))
        skip();
    APPLIED(&s, {CHANGE_INSERT, 0, NONE, {1, 10}, 7});
    private_redis_call(&s.redis, "ACL SETUSER default -hset");
    assert_int_equal(apply(&s, &change, 1, &e), -(int)ERR_SINK_RIGHTS);
    err_clear(&e);
    private_redis_call(&s.redis, "ACL SETUSER default +hset");
    open_for(&s, SINK_FOLLOWS);
    applied(&s, &change, 1);
    expect(&s, "HGETALL order:1", "order_id 1 user_id 11");
    private_redis_call(&s.redis, "ACL SETUSER default -unlink");
    assert_int_equal(apply(&s, &removal, 1, &e), -(int)ERR_SINK_RIGHTS);
    private_redis_call(&s.redis, "ACL SETUSER default +unlink");
    open_for(&s, SINK_FOLLOWS);
    applied(&s, &removal, 1);
    expect(&s, "EXISTS order:1", "0");
    scene_release(&s);
}

static void write__changes_of_a_batch__newest_of_each_key_is_sent(void **state)
{
    (void)state;
    static const struct redis_route_options route = {.write = {.as = REDIS_HASH}};
    struct scene s;
    if (!scene_init(&s, &route))
        skip();
    APPLIED(&s, {CHANGE_INSERT, 0, NONE, {1, 10}, 1}, {CHANGE_INSERT, 0, NONE, {2, 20}, 2},
            {CHANGE_UPDATE, 0, {1, 10}, {1, 11}, 3}, {CHANGE_DELETE, 0, {2, 20}, NONE, 4},
            {CHANGE_INSERT, 0, NONE, {3, 30}, 5}, {CHANGE_UPDATE, 0, {3, 29}, {3, 31}, 4});
    expect(&s, "HGETALL order:1", "order_id 1 user_id 11");
    expect(&s, "EXISTS order:2", "0");
    expect(&s, "HGETALL order:3", "order_id 3 user_id 30");
    const struct redis_stats *stats = sink_redis.stats(s.snk);
    assert_int_equal(stats->written_total, 2);
    assert_int_equal(stats->coalesced_total, 3);
    scene_release(&s);
}

static void write__key_that_moves__is_removed_and_written_in_any_order(void **state)
{
    (void)state;
    static const struct redis_route_options route = {.write = {.as = REDIS_TEXT, .text = "{user_id}"}};
    static const struct step halves[] = {{CHANGE_UPDATE, CHANGE_FROM, {1, 10}, {2, 11}, 8},
                                         {CHANGE_UPDATE, CHANGE_TO, {1, 10}, {2, 11}, 8}};
    static const struct step whole = {CHANGE_UPDATE, 0, {1, 10}, {2, 11}, 8};
    for (int way = 0; way < 3; way++) {
        struct scene s;
        if (!scene_init(&s, &route))
            skip();
        APPLIED(&s, {CHANGE_INSERT, 0, NONE, {1, 10}, 7});
        if (way == 2)
            applied(&s, &whole, 1);
        for (int i = 0; i < 2 && way < 2; i++)
            applied(&s, &halves[way ? 1 - i : i], 1);
        expect(&s, "GET order:1", "-");
        expect(&s, "GET order:2", "11");
        scene_release(&s);
    }
}

/* ---------------------------------------------------------------- sets of rows */

static void write__when__rows_are_there_while_it_holds(void **state)
{
    (void)state;
    static const char *const when[] = {"user_id = 5"};
    static const struct redis_route_options route = {.when = {when, NULL, 1},
                                                     .write = {.as = REDIS_TEXT, .text = "{user_id}"}};
    struct scene s;
    if (!scene_init(&s, &route))
        skip();
    APPLIED(&s, {CHANGE_INSERT, 0, NONE, {1, 4}, 1});
    expect(&s, "DBSIZE", "0");
    APPLIED(&s, {CHANGE_UPDATE, 0, {1, 4}, {1, 5}, 2});
    expect(&s, "GET order:1", "5");
    APPLIED(&s, {CHANGE_UPDATE, 0, {1, 5}, {1, 6}, 3});
    expect(&s, "GET order:1", "-");
    APPLIED(&s, {CHANGE_UPDATE, 0, {1, 6}, {2, 5}, 4});
    expect(&s, "GET order:2", "5");
    APPLIED(&s, {CHANGE_DELETE, 0, {1, 6}, NONE, 5}, {CHANGE_DELETE, 0, {2, 5}, NONE, 6});
    expect(&s, "EXISTS order:1 order:2", "0");
    scene_release(&s);
}

static void write__when_changed__others_leave_the_value(void **state)
{
    (void)state;
    static const char *const when[] = {"user_id changed", "order_id != 9"};
    static const struct redis_route_options route = {.when = {when, NULL, 2}, .write = {.as = REDIS_HASH}};
    struct scene s;
    if (!scene_init(&s, &route))
        skip();
    APPLIED(&s, {CHANGE_INSERT, 0, NONE, {1, 4}, 1});
    APPLIED(&s, {CHANGE_UPDATE, 0, {1, 4}, {1, 4}, 2});
    expect(&s, "GETRANGE sluice:version:{order:1} 0 41", "00000001.0000000000000001.0000000000000000");
    APPLIED(&s, {CHANGE_UPDATE, 0, {1, 4}, {2, 4}, 3});
    expect(&s, "EXISTS order:1", "0");
    expect(&s, "HGETALL order:2", "order_id 2 user_id 4");
    APPLIED(&s, {CHANGE_UPDATE, 0, {2, 4}, {9, 4}, 4});
    expect(&s, "EXISTS order:2 order:9", "0");
    scene_release(&s);
}

/* ---------------------------------------------------------------- ends */

static void write__ttl__ends_key_by_key_and_the_record_later(void **state)
{
    (void)state;
    static const struct redis_route_options route = {
        .write = {.as = REDIS_HASH, .ttl_ms = 100000, .ttl_jitter_ms = 50000}};
    struct step steps[64];
    char command[64];
    long long low = INT64_MAX, high = 0;
    struct scene s;
    if (!scene_init(&s, &route))
        skip();
    for (int i = 0; i < 64; i++)
        steps[i] = (struct step){CHANGE_INSERT, 0, NONE, {i + 1, 5}, (uint64_t)i + 1};
    applied(&s, steps, 64);
    for (int i = 1; i <= 64; i++) {
        snprintf(command, sizeof command, "PTTL order:%d", i);
        long long left = private_redis_call(&s.redis, command);
        snprintf(command, sizeof command, "PTTL sluice:version:{order:%d}", i);
        assert_in_range(private_redis_call(&s.redis, command) - left, TOMBSTONE_MS - 1000, TOMBSTONE_MS + 1000);
        low = left < low ? left : low;
        high = left > high ? left : high;
    }
    assert_in_range(low, 70000, 120000);
    assert_in_range(high, 130000, 150000);
    scene_release(&s);
}

static void write__on_delete__value_goes_later_or_stays(void **state)
{
    (void)state;
    static const struct redis_route_options expires = {
        .write = {.as = REDIS_HASH, .on_delete = REDIS_EXPIRE, .expire_ms = 40000}};
    static const struct redis_route_options keeps = {.write = {.as = REDIS_HASH, .on_delete = REDIS_KEEP}};
    struct scene s;
    if (!scene_init(&s, &expires))
        skip();
    APPLIED(&s, {CHANGE_INSERT, 0, NONE, {1, 4}, 1});
    APPLIED(&s, {CHANGE_DELETE, 0, {1, 4}, NONE, 2});
    expect_between(&s, "PTTL order:1", 10000, 40000);
    expect_between(&s, "PTTL sluice:version:{order:1}", TOMBSTONE_MS + 10000, TOMBSTONE_MS + 40000);
    scene_release(&s);
    assert_true(scene_init(&s, &keeps));
    APPLIED(&s, {CHANGE_INSERT, 0, NONE, {1, 4}, 1});
    APPLIED(&s, {CHANGE_DELETE, 0, {1, 4}, NONE, 3});
    APPLIED(&s, {CHANGE_INSERT, 0, NONE, {1, 5}, 2});
    expect(&s, "HGETALL order:1", "order_id 1 user_id 4");
    expect(&s, "PTTL sluice:version:{order:1}", "-1");
    scene_release(&s);
}

static void write__truncate__removes_what_is_older(void **state)
{
    (void)state;
    static const struct redis_route_options route = {.write = {.as = REDIS_HASH}};
    struct step steps[64];
    struct scene s;
    if (!scene_init(&s, &route))
        skip();
    for (int i = 0; i < 64; i++)
        steps[i] = (struct step){CHANGE_INSERT, 0, NONE, {i + 1, 5}, (uint64_t)i * 2 + 100};
    applied(&s, steps, 64);
    private_redis_call(&s.redis, "SET other:1 x");
    APPLIED(&s, {CHANGE_TRUNCATE, 0, NONE, NONE, 199});
    expect(&s, "EXISTS order:1 order:49 order:50 order:51 order:64 other:1", "3");
    expect(&s, "DBSIZE", "79");
    APPLIED(&s, {CHANGE_INSERT, 0, NONE, {1, 5}, 120});
    expect(&s, "EXISTS order:1", "0");
    scene_release(&s);
}

/* Another route's, another application's: the pattern meets them all. */
static void write__truncate__leaves_keys_of_others(void **state)
{
    (void)state;
    static const struct redis_route_options route = {.write = {.as = REDIS_HASH}};
    struct scene s;
    if (!scene_init(&s, &route))
        skip();
    APPLIED(&s, {CHANGE_INSERT, 0, NONE, {1, 5}, 100}, {CHANGE_INSERT, 0, NONE, {2, 5}, 101});
    private_redis_call(&s.redis, "MSET order:1:name x sluice:version:{order:1:name} "
                                 "00000001.0000000000000001.00000000000000000badcafe order:cart y");
    APPLIED(&s, {CHANGE_TRUNCATE, 0, NONE, NONE, 150});
    expect(&s, "MGET order:1 order:2 order:1:name order:cart", "(null) (null) x y");
    assert_int_equal(((const struct redis_stats *)sink_redis.stats(s.snk))->left_total, 2);
    scene_release(&s);
}

static void write__routes_that_meet__are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *keys[2], *tables[2];
        enum on_truncate on_truncate;
        const char *says; /* NULL: fine */
    } cases[] = {
        {{"o:{id}", "o:{id}"}, {"orders", "orders"}, ON_TRUNCATE_STOP, "writes this key already"},
        {{"o:{id}", "o:{user_id}"}, {"orders", "orders"}, ON_TRUNCATE_STOP, NULL},
        {{"o:{id}", "o:{user_id}"}, {"orders", "orders"}, ON_TRUNCATE_SWEEP, "keys of this form"},
        {{"o:{id}", "o:{id}"}, {"orders", "old_orders"}, ON_TRUNCATE_STOP, NULL},
        {{"o:{id}", "o:{id}"}, {"orders", "old_orders"}, ON_TRUNCATE_SWEEP, "keys of this form"},
        {{"o:{id}", "o:{id}:name"}, {"orders", "orders"}, ON_TRUNCATE_SWEEP, NULL},
        {{"o:{id}", "u:{id}"}, {"orders", "users_*"}, ON_TRUNCATE_SWEEP, "one table"},
        {{"o:{id}", "u:{id}"}, {"orders", "users_*"}, ON_TRUNCATE_STOP, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct redis_options opt = {.url = "redis://h"};
        struct redis_route_options options[2];
        struct route routes[2];
        struct err e = ERR_INIT;
        for (int k = 0; k < 2; k++) {
            options[k] = (struct redis_route_options){.mode = REDIS_WRITE, .write = {.key = cases[i].keys[k]}};
            routes[k] = (struct route){.db = "shop",
                                       .table = cases[i].tables[k],
                                       .sink_mask = 1,
                                       .on_truncate = k ? cases[i].on_truncate : ON_TRUNCATE_STOP,
                                       .sink_options = {&options[k]}};
        }
        int rc = sink_redis.check_routes(&opt, routes, 2, 0, &e);
        if ((rc == 0) != !cases[i].says || (rc != 0 && !strstr(e.text, cases[i].says)))
            fail_msg("case %zu: %s", i, e.text);
    }
}

/* ---------------------------------------------------------------- replays */

static void write__replay__creates_nothing_and_takes_nothing_back(void **state)
{
    (void)state;
    static const struct redis_route_options route = {.write = {.as = REDIS_TEXT, .text = "{user_id}"}};
    static const struct step inserts[] = {{CHANGE_INSERT, 0, NONE, {1, 1}, 1},
                                          {CHANGE_INSERT, 0, NONE, {2, 1}, 2},
                                          {CHANGE_INSERT, 0, NONE, {3, 1}, 3},
                                          {CHANGE_INSERT, 0, NONE, {4, 1}, 4}};
    static const struct step newer[] = {{CHANGE_UPDATE, 0, {1, 1}, {1, 2}, 9},
                                        {CHANGE_UPDATE, 0, {2, 1}, {2, 2}, 9},
                                        {CHANGE_UPDATE, 0, {3, 1}, {3, 2}, 9},
                                        {CHANGE_DELETE, 0, {4, 1}, NONE, 9},
                                        {CHANGE_INSERT, 0, NONE, {5, 2}, 9}};
    struct scene s;
    if (!scene_init(&s, &route))
        skip();
    applied(&s, inserts, 4);
    private_redis_call(&s.redis, "DEL order:2");                  /* expired, the record not */
    private_redis_call(&s.redis, "DEL sluice:version:{order:3}"); /* evicted, the value not */
    open_for(&s, SINK_REPLAYS);
    applied(&s, newer, 5);
    expect(&s, "MGET order:1 order:2 order:3 order:4 order:5", "2 (null) 1 (null) (null)");
    open_for(&s, SINK_REPLAYS_AND_CREATES);
    applied(&s, newer, 5);
    expect(&s, "MGET order:1 order:2 order:3 order:4 order:5", "2 2 1 (null) 2");
    const struct redis_stats *stats = sink_redis.stats(s.snk);
    assert_int_equal(stats->left_total, 1);
    scene_release(&s);
}

/* ---------------------------------------------------------------- a server in need */

static void write__full_server__rather_nothing_than_what_was(void **state)
{
    (void)state;
    static const struct redis_route_options route = {.write = {.as = REDIS_HASH}};
    static const struct step steps[] = {{CHANGE_UPDATE, 0, {1, 4}, {1, 5}, 3}, {CHANGE_UPDATE, 0, {2, 4}, {2, 5}, 4}};
    struct scene s;
    struct err e = ERR_INIT;
    if (!scene_init(&s, &route))
        skip();
    APPLIED(&s, {CHANGE_INSERT, 0, NONE, {1, 4}, 1}, {CHANGE_INSERT, 0, NONE, {2, 4}, 2});
    private_redis_call(&s.redis, "CONFIG SET maxmemory 1");
    assert_int_not_equal(apply(&s, steps, 2, &e), 0);
    assert_int_equal(err_class(&e), ERR_CLASS_RETRY);
    private_redis_call(&s.redis, "CONFIG SET maxmemory 0");
    expect(&s, "EXISTS order:1 order:2", "0");
    open_for(&s, SINK_FOLLOWS);
    applied(&s, steps, 2);
    expect(&s, "HGETALL order:1", "order_id 1 user_id 5");
    expect(&s, "HGETALL order:2", "order_id 2 user_id 5");
    scene_release(&s);
}

static void write__scripts_flushed__are_loaded_again(void **state)
{
    (void)state;
    static const struct redis_route_options route = {.write = {.as = REDIS_HASH}};
    static const struct step step = {CHANGE_UPDATE, 0, {1, 4}, {1, 5}, 2};
    struct scene s;
    struct err e = ERR_INIT;
    if (!scene_init(&s, &route))
        skip();
    APPLIED(&s, {CHANGE_INSERT, 0, NONE, {1, 4}, 1});
    private_redis_call(&s.redis, "SCRIPT FLUSH");
    assert_int_not_equal(apply(&s, &step, 1, &e), 0);
    assert_int_equal(err_class(&e), ERR_CLASS_RETRY);
    open_for(&s, SINK_FOLLOWS);
    applied(&s, &step, 1);
    expect(&s, "HGETALL order:1", "order_id 1 user_id 5");
    scene_release(&s);
}

/* ---------------------------------------------------------------- any history */

#define ROWS    12
#define CHANGES 600

/* A history of rows that come, change, move and go, applied in batches of any size; each batch may come again from any
 * earlier change on, as after a crash, and beside it old stretches by another writer. What is there at the end is what
 * the history says. */
static void write__any_history__ends_as_it_says(void **state)
{
    (void)state;
    static const struct redis_route_options route = {.write = {.as = REDIS_TEXT, .text = "{order_id}={user_id}"}};
    struct step *steps = calloc(CHANGES, sizeof *steps);
    int32_t value[ROWS + 1] = {0}; /* 0: no row */
    struct scene s;
    assert_non_null(steps);
    if (!scene_init(&s, &route)) {
        free(steps);
        skip();
    }
    srand(20261124);
    for (size_t i = 0; i < CHANGES; i++) {
        int32_t row = 1 + rand() % ROWS, to = 1 + rand() % ROWS, next = (int32_t)i + 1;
        if (value[to])
            to = row;
        steps[i].sequence = i + 1;
        if (!value[row]) {
            steps[i].op = CHANGE_INSERT;
            steps[i].after = (struct sample_row){row, next};
            value[row] = next;
            continue;
        }
        steps[i].before = (struct sample_row){row, value[row]};
        value[row] = 0;
        steps[i].op = rand() % 4 ? CHANGE_UPDATE : CHANGE_DELETE;
        if (steps[i].op == CHANGE_DELETE)
            continue;
        steps[i].after = (struct sample_row){to, next};
        value[to] = next;
    }
    for (size_t done = 0; done < CHANGES;) {
        size_t n = 1 + (size_t)rand() % 60, old = (size_t)rand() % (done + 1);
        n = n < CHANGES - done ? n : CHANGES - done;
        applied(&s, steps + done, n);
        done = rand() % 4 ? done + n : done + n - (size_t)rand() % n;
        applied(&s, steps + old, done - old < 30 ? done - old : 30);
    }
    for (int32_t row = 1; row <= ROWS; row++) {
        char command[32], expected[32] = "-";
        snprintf(command, sizeof command, "GET order:%d", row);
        if (value[row])
            snprintf(expected, sizeof expected, "%d=%d", row, value[row]);
        expect(&s, command, expected);
    }
    free(steps);
    scene_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(write__each_form__is_what_the_row_says),
        cmocka_unit_test(write__column_that_the_image_lacks__stops),
        cmocka_unit_test(write__what_a_route_may_not_say__is_refused),
        cmocka_unit_test(write__older_change__does_not_win),
        cmocka_unit_test(write__refused_between_record_and_value__comes_again),
        cmocka_unit_test(write__changes_of_a_batch__newest_of_each_key_is_sent),
        cmocka_unit_test(write__key_that_moves__is_removed_and_written_in_any_order),
        cmocka_unit_test(write__when__rows_are_there_while_it_holds),
        cmocka_unit_test(write__when_changed__others_leave_the_value),
        cmocka_unit_test(write__ttl__ends_key_by_key_and_the_record_later),
        cmocka_unit_test(write__on_delete__value_goes_later_or_stays),
        cmocka_unit_test(write__truncate__removes_what_is_older),
        cmocka_unit_test(write__truncate__leaves_keys_of_others),
        cmocka_unit_test(write__routes_that_meet__are_refused),
        cmocka_unit_test(write__replay__creates_nothing_and_takes_nothing_back),
        cmocka_unit_test(write__full_server__rather_nothing_than_what_was),
        cmocka_unit_test(write__scripts_flushed__are_loaded_again),
        cmocka_unit_test(write__any_history__ends_as_it_says),
    };
    return cmocka_run_group_tests_name("redis_write", tests, NULL, NULL);
}
