/* One Redis, one sink, one route. */
#include "tools/redis_scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define ITEMS_MAX 16

void redis_scene_open(struct redis_scene *s, enum sink_purpose purpose)
{
    const struct sink_place place = {.env = &s->env, .name = "cache", .lanes = 1, .purpose = purpose};
    struct err e = ERR_INIT;
    sink_redis.close(s->snk);
    if (sink_redis.open(&s->snk, &s->opt, &place, &e) != 0)
        fail_msg("%s", e.text);
}

bool redis_scene_init(struct redis_scene *s, const struct redis_options *opt, const struct redis_route_options *route)
{
    struct err e = ERR_INIT;
    if (!private_redis_is_there())
        return false;
    *s = (struct redis_scene){.env = env_system(), .opt = *opt, .route_opt = *route};
    private_redis_init(&s->redis);
    s->opt.url = s->redis.url;
    s->opt.connect_timeout_ms = s->opt.timeout_ms = 10000;
    s->opt.unlink_keys = 3;
    s->opt.pipeline = 2;
    s->sample = sample_new("shop", "orders", 0);
    if (sink_redis.ready(&s->route_opt, NULL, &e) != 0 ||
        sink_redis.bind(&s->route, &s->opt, &s->route_opt, sample_shape(s->sample)->tbl, &e) != 0)
        fail_msg("%s", e.text);
    redis_scene_open(s, SINK_FOLLOWS);
    return true;
}

void redis_scene_release(struct redis_scene *s)
{
    sink_redis.close(s->snk);
    sink_redis.unbind(s->route);
    sample_free(s->sample);
    private_redis_release(&s->redis);
}

int redis_scene_insert(struct redis_scene *s, int first, int count)
{
    struct sample_change changes[ITEMS_MAX];
    struct item items[ITEMS_MAX];
    struct err e = ERR_INIT;
    assert_true(count <= ITEMS_MAX);
    for (int i = 0; i < count; i++) {
        const struct sample_row row = {first + i, 5};
        sample_change(&changes[i], s->sample, CHANGE_INSERT, NULL, &row);
        items[i] = (struct item){.chg = &changes[i].chg, .bind = s->route};
    }
    return sink_redis.apply(s->snk, items, (size_t)count, &e);
}
