/* The Redis sink: options, batches. */
#include "sink/redis/redis.h"

#include <stdlib.h>

#include "sink/redis/again.h"
#include "sink/redis/fence.h"
#include "sink/redis/publish.h"
#include "sink/redis/replicas.h"
#include "sink/redis/sentinel.h"
#include "sink/redis/sweep.h"
#include "sink/redis/witness.h"
#include "sink/redis/write.h"

static const struct option_name restarts[] = {{"replay", REDIS_REPLAY}, {"ignore", REDIS_IGNORE}, {NULL, 0}};

#define FIELD(name_) .offset = offsetof(struct redis_options, name_)
static const struct option redis_options[] = {
    {.name = "url",
     .type = OPTION_STRING,
     FIELD(url),
     .help = "redis://[user[:password]@]host[:port][/db] or unix:///path?db=N. Required, but with sentinels."},
    {.name = "sentinels",
     .type = OPTION_LIST,
     FIELD(sentinels),
     .help = "host[:port] of each Sentinel (26379), instead of url: most of them must name the same primary."},
    {.name = "master",
     .type = OPTION_STRING,
     FIELD(master),
     .help = "sentinels: the name under which they know the primary."},
    {.name = "sentinel_username",
     .type = OPTION_STRING,
     FIELD(sentinel_username),
     .help = "sentinels: ACL user there."},
    {.name = "sentinel_password",
     .type = OPTION_SECRET,
     FIELD(sentinel_password),
     .help = "sentinels: password there."},
    {.name = "username", .type = OPTION_STRING, FIELD(username), .help = "ACL user, when the URL has none."},
    {.name = "password", .type = OPTION_SECRET, FIELD(password), .help = "Password, when the URL has none."},
    {.name = "db", .type = OPTION_UINT, FIELD(db), .max = 65535, .help = "Database number, when the URL has none."},
    {.name = "connect_timeout_ms",
     .type = OPTION_DURATION,
     FIELD(connect_timeout_ms),
     .text = "1s",
     .min = 1,
     .max = 600000,
     .help = "How long a connection attempt may take."},
    {.name = "timeout_ms",
     .type = OPTION_DURATION,
     FIELD(timeout_ms),
     .text = "5s",
     .min = 1,
     .max = 600000,
     .help = "How long the server may take for one reply; then the connection is made anew."},
    {.name = "unlink_keys",
     .type = OPTION_UINT,
     FIELD(unlink_keys),
     .text = "256",
     .min = 1,
     .max = REDIS_KEYS_PER_CALL_MAX,
     .help = "Keys in one UNLINK."},
    {.name = "pipeline",
     .type = OPTION_UINT,
     FIELD(pipeline),
     .text = "32",
     .min = 1,
     .max = 1024,
     .help = "Commands on their way before a reply is awaited."},
    {.name = "wait_replicas",
     .type = OPTION_UINT,
     FIELD(wait_replicas),
     .text = "0",
     .max = 100,
     .help = "Replicas that must have a batch before it counts as applied (WAIT); with fewer it comes again. 0: the "
             "server's own reply is enough."},
    {.name = "wait_timeout_ms",
     .type = OPTION_DURATION,
     FIELD(wait_timeout_ms),
     .text = "1s",
     .min = 1,
     .max = 600000,
     .help = "How long wait_replicas replicas may take for one batch; then it comes again."},
    {.name = "hold_ms",
     .type = OPTION_DURATION,
     FIELD(hold_ms),
     .text = "1s",
     .min = 1,
     .max = 86400000,
     .help = "mode: fence: for how long behind a change readers of the database may still see what was before it. For "
             "reads from replicas add their lag."},
    {.name = "max_fill_ms",
     .type = OPTION_DURATION,
     FIELD(max_fill_ms),
     .text = "60s",
     .min = 1,
     .max = 86400000,
     .help = "mode: fence: how long an application may take from its miss to its fill. Records of fences stay for this "
             "and hold_ms."},
    {.name = "old_ms",
     .type = OPTION_DURATION,
     FIELD(old_ms),
     .text = "0",
     .max = 86400000,
     .help =
         "mode: fence: what a key held is kept beside it for so long, for those who wait while another reader fills. "
         "0: not at all."},
    {.name = "second_delete_ms",
     .type = OPTION_DURATION,
     FIELD(second_delete_ms),
     .text = "1s",
     .min = 1,
     .max = 86400000,
     .help = "mode: second_delete: when keys are removed once more. As long as a reader may take from its read to its "
             "fill; for reads from replicas their lag comes on top."},
    {.name = "second_delete_max",
     .type = OPTION_UINT,
     FIELD(second_delete_max),
     .text = "1000000",
     .min = 1000,
     .max = 1000000000,
     .help = "Keys that may wait in Redis for their second removal; then changes wait."},
    {.name = "tombstone_ttl_ms",
     .type = OPTION_DURATION,
     FIELD(tombstone_ttl_ms),
     .text = "24h",
     .min = 1000,
     .max = INT64_C(31622400000),
     .help = "mode: write: how long behind the end of a value its version is known, against changes that come late."},
    {.name = "on_restart",
     .type = OPTION_ENUM,
     FIELD(on_restart),
     .text = "replay",
     .names = restarts,
     .help = "When the server was started again, or another took its place: replay applies again what it may have lost "
             "(docs/consistency.md), ignore does not."},
    {.name = "replay_after_failover_ms",
     .type = OPTION_DURATION,
     FIELD(replay_after_failover_ms),
     .text = "1m",
     .max = 86400000,
     .help =
         "By how much a replica may be behind that takes the server's place: so much from before is applied again."},
    {.name = NULL},
};
#undef FIELD

#define ROW(field, unit_, help_)                                                                                       \
    {                                                                                                                  \
#field, unit_, METRIC_COUNTER, offsetof(struct redis_stats, field), help_                                      \
    }
static const struct metric_row redis_metrics[] = {
    ROW(keys_total, "keys", "keys sent for removal"),
    ROW(removed_total, "keys", "keys that were there"),
    ROW(coalesced_total, "keys", "keys asked for again within a batch and sent once"),
    ROW(commands_total, "commands", "UNLINK commands and calls of scripts sent"),
    ROW(sweeps_total, "sweeps", "tables emptied whose keys were swept"),
    ROW(second_total, "keys", "keys sent for their second removal"),
    ROW(written_total, "keys", "values written"),
    ROW(older_total, "keys", "changes that were no newer than what is there"),
    ROW(published_total, "messages", "keys published"),
    ROW(left_total, "keys", "changes of a replay whose key was left alone, as it is not there or has no version"),
    METRIC_END,
};

struct redis_sink {
    struct sink base;
    struct redis_connection conn;
    struct redis_keys keys;
    struct redis_keys second, fenced; /* of routes with that mode: made for their first key */
    struct redis_again again;
    struct redis_fence fence;
    struct redis_writes writes;
    struct redis_publish publish;
    struct redis_witness witness;
    struct redis_sentinel_watch watch;
    struct redis_stats stats;
    const char *name;
};

static int redis_check(const void *options, struct err *e)
{
    const struct redis_options *opt = options;
    struct redis_address address;
    if (!opt->url == !opt->sentinels.count)
        return err_set(e, CONFIG_VALUE, "url", "either url is needed, or sentinels");
    if (opt->url)
        return opt->master ? err_set(e, CONFIG_VALUE, "master", "it goes with sentinels")
                           : redis_address_init(&address, opt, e);
    return redis_sentinel_check(opt, e);
}

static void redis_sink_close(struct sink *snk)
{
    struct redis_sink *to = (struct redis_sink *)snk;
    if (!to)
        return;
    redis_close(&to->conn);
    redis_keys_release(&to->keys);
    redis_keys_release(&to->second);
    redis_keys_release(&to->fenced);
    redis_again_release(&to->again);
    redis_writes_release(&to->writes);
    redis_publish_release(&to->publish);
    free(to);
}

static int redis_sink_open(struct sink **out, const void *opt, const struct sink_place *place, struct err *e)
{
    struct redis_sink *to = calloc(1, sizeof *to);
    if (!to)
        return err_set(e, NO_MEMORY, sizeof *to);
    to->base.ops = &sink_redis;
    redis_fence_init(&to->fence, place->env);
    redis_writes_init(&to->writes, place->purpose, ((const struct redis_options *)opt)->tombstone_ttl_ms);
    int rc = redis_again_init(&to->again, place->name, e);
    if (rc == 0)
        rc = redis_keys_init(&to->keys, e);
    if (rc == 0)
        rc = redis_open(&to->conn, opt, place->env, e);
    if (rc == 0 && place->worker == 0 && to->conn.opt->has_writes)
        rc = redis_writes_greet(&to->conn, place->name, e);
    to->name = place->name;
    if (rc == 0 && to->conn.opt->on_restart == REDIS_REPLAY) {
        to->witness.asks = place->witness;
        rc = redis_witness_meet(&to->witness, &to->conn, place->name, e);
        to->witness.next_us = place->worker ? INT64_MAX : to->witness.next_us; /* one instance looks for all */
    }
    if (rc != 0) {
        redis_sink_close(&to->base);
        return rc;
    }
    *out = &to->base;
    return 0;
}

static int flush(struct redis_sink *to, struct err *e)
{
    int rc = to->keys.count ? redis_unlink(&to->conn, &to->keys, &to->stats, e) : 0;
    if (rc == 0 && to->second.count)
        rc = redis_again_add(&to->again, &to->conn, &to->second, &to->stats, e);
    if (rc == 0 && to->fenced.count)
        rc = redis_fence(&to->fence, &to->conn, &to->fenced, &to->stats, e);
    if (rc == 0 && to->writes.keys.count)
        rc = redis_writes_flush(&to->writes, &to->conn, &to->stats, e);
    if (rc == 0 && to->publish.messages.count)
        rc = redis_publish_flush(&to->publish, &to->conn, &to->stats, e);
    return rc;
}

static struct redis_keys *keys_of(struct redis_sink *to, enum redis_mode mode)
{
    return mode == REDIS_FENCE ? &to->fenced : mode == REDIS_SECOND_DELETE ? &to->second : &to->keys;
}

static int sweep(struct redis_sink *to, const struct redis_route *route, const struct change *chg, struct err *e)
{
    int rc = flush(to, e);
    if (rc == 0)
        rc = redis_sweep(&to->conn, route, &to->stats, e);
    if (rc == 0 && route->write.key)
        rc = redis_writes_sweep(&to->writes, &to->conn, route, chg, &to->stats, e);
    metric_add(&to->stats.sweeps_total, 1);
    return rc;
}

static int add_written(struct redis_sink *to, const struct item *item, struct err *e)
{
    const struct redis_route *route = item->bind;
    if (redis_writes_add(&to->writes, route, item->chg, e) != 0)
        return sink_wrap(e, item);
    return redis_writes_are_enough(&to->writes) ? flush(to, e) : 0;
}

/* Its keys go out as messages with the flush that removes them, or behind it. */
static int add_removed(struct redis_sink *to, const struct item *item, struct err *e)
{
    const struct redis_route *route = item->bind;
    struct redis_keys *keys = keys_of(to, route->mode);
    if (!keys->list && redis_keys_init(keys, e) != 0)
        return err_result(e);
    int rc = redis_keys_add(keys, route, item->chg, e);
    if (rc != 0)
        return rc == -(int)ERR_KEY_LIST ? rc : sink_wrap(e, item);
    return redis_keys_are_enough(keys) ? flush(to, e) : 0;
}

static int add_published(struct redis_sink *to, const struct item *item, struct err *e)
{
    int rc = redis_publish_add(&to->publish, item->bind, item->chg, e);
    if (rc != 0)
        return rc == -(int)ERR_KEY_LIST ? rc : sink_wrap(e, item);
    return redis_keys_are_enough(&to->publish.messages) ? flush(to, e) : 0;
}

static int add_item(struct redis_sink *to, const struct item *item, struct err *e)
{
    const struct redis_route *route = item->bind;
    int rc = 0;
    if (item->chg->op == CHANGE_TRUNCATE)
        return sweep(to, route, item->chg, e);
    if (route->write.key)
        rc = add_written(to, item, e);
    if (rc == 0 && route->count && route->mode != REDIS_PUBLISH)
        rc = add_removed(to, item, e);
    return rc == 0 && route->publish ? add_published(to, item, e) : rc;
}

/* What a batch sent counts when the replicas have it. Second removals need no such care: where one is lost, so is it
 * that it is no longer due. */
static int confirm(struct redis_sink *to, uint64_t commands_before, struct err *e)
{
    bool sent = metric_get(&to->stats.commands_total) != commands_before;
    return sent && to->conn.opt->wait_replicas ? redis_wait(&to->conn, e) : 0;
}

/* For good: its row has no list where the template has one. Others of the batch go on. */
static int refuse(struct item *item, struct err *why, struct err *e)
{
    item->verdict = V_POISON;
    if (e)
        *why = *e;
    err_clear(e);
    return 0;
}

/* A batch is done as a whole, when the last reply is there; but for changes whose list of keys cannot be read. */
static int redis_apply(struct sink *snk, struct item *items, size_t count, struct err *e)
{
    struct redis_sink *to = (struct redis_sink *)snk;
    uint64_t commands = metric_get(&to->stats.commands_total);
    int rc = 0;
    if (to->conn.opt->has_writes && count)
        redis_writes_judge_lag(&to->writes, to->conn.env, to->name, items[0].chg);
    struct err why = ERR_INIT;
    for (size_t i = 0; i < count && rc == 0; i++) {
        items[i].verdict = V_DONE;
        rc = add_item(to, &items[i], e);
        if (rc == -(int)ERR_KEY_LIST)
            rc = refuse(&items[i], &why, e);
    }
    if (rc == 0)
        rc = flush(to, e);
    if (rc == 0)
        rc = confirm(to, commands, e);
    if (rc == 0 && why.code != ERR_NONE && e)
        *e = why;
    if (rc != 0) {
        redis_keys_clear(&to->keys);
        redis_keys_clear(&to->second);
        redis_keys_clear(&to->fenced);
        redis_writes_clear(&to->writes);
        redis_publish_clear(&to->publish);
    }
    return rc;
}

static int redis_tend(struct sink *snk, int64_t *due_us, struct err *e)
{
    struct redis_sink *to = (struct redis_sink *)snk;
    *due_us = INT64_MAX;
    int rc = to->conn.opt->has_second ? redis_again_tend(&to->again, &to->conn, &to->stats, due_us, e) : 0;
    if (rc == 0)
        rc = redis_sentinel_tend(&to->watch, &to->conn, to->name, due_us, e);
    if (rc != 0 || to->watch.is_unsure)
        return rc;
    return redis_witness_tend(&to->witness, &to->conn, to->name, due_us, e);
}

static const void *redis_sink_stats(const struct sink *snk)
{
    return &((const struct redis_sink *)snk)->stats;
}

static unsigned redis_flags_of(const void *opt)
{
    return ((const struct redis_options *)opt)->on_restart == REDIS_REPLAY ? SINK_MAY_COME_BACK : 0;
}

const struct sink_ops sink_redis = {
    .kind = "redis",
    .flags = SINK_CAN_SWEEP,
    .flags_of = redis_flags_of,
    .options_size = sizeof(struct redis_options),
    .route_options_size = sizeof(struct redis_route_options),
    .options = redis_options,
    .route_options = redis_route_options,
    .metrics = redis_metrics,
    .check = redis_check,
    .ready = redis_ready_route,
    .check_routes = redis_check_routes,
    .bind = redis_bind,
    .unbind = redis_unbind,
    .reads = redis_reads,
    .can_sweep = redis_can_sweep,
    .open = redis_sink_open,
    .apply = redis_apply,
    .tend = redis_tend,
    .stats = redis_sink_stats,
    .close = redis_sink_close,
};
