/* The Redis sink: options, batches. */
#include "sink/redis/redis.h"

#include <stdlib.h>

#include "sink/redis/again.h"
#include "sink/redis/fence.h"
#include "sink/redis/options.h"
#include "sink/redis/publish.h"
#include "sink/redis/replicas.h"
#include "sink/redis/sentinel.h"
#include "sink/redis/stream.h"
#include "sink/redis/sweep.h"
#include "sink/redis/witness.h"
#include "sink/redis/write.h"

struct redis_sink {
    struct sink base;
    struct redis_connection conn;
    struct redis_keys keys;
    struct redis_keys second, fenced; /* of routes with that mode: made for their first key */
    struct redis_again again;
    struct redis_fence fence;
    struct redis_writes writes;
    struct redis_publish publish;
    struct redis_stream stream;
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
    redis_stream_release(&to->stream);
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
    redis_stream_init(&to->stream, place->purpose);
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
    if (rc == 0 && to->stream.count)
        rc = redis_stream_flush(&to->stream, &to->conn, &to->stats, e);
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

static int add_streamed(struct redis_sink *to, const struct item *item, struct err *e)
{
    if (redis_stream_add(&to->stream, &to->keys, item->bind, item->chg, e) != 0)
        return sink_wrap(e, item);
    return redis_stream_is_enough(&to->stream, to->conn.opt) ? flush(to, e) : 0;
}

static int add_item(struct redis_sink *to, const struct item *item, struct err *e)
{
    const struct redis_route *route = item->bind;
    int rc = 0;
    if (item->chg->op == CHANGE_TRUNCATE)
        return sweep(to, route, item->chg, e);
    if (route->mode == REDIS_STREAM)
        rc = add_streamed(to, item, e);
    else if (route->write.key)
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
        redis_stream_clear(&to->stream);
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
