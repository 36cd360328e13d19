/* A Redis of the test's own, and one instance of the sink on it with one route bound to the table of struct sample. */
#ifndef SLUICE_TESTS_TOOLS_REDIS_SCENE_H
#define SLUICE_TESTS_TOOLS_REDIS_SCENE_H

#include "base/env.h"
#include "sink/redis/route.h"
#include "tools/private_redis.h"
#include "tools/sample.h"

struct redis_scene {
    struct private_redis redis;
    struct env env;
    struct redis_options opt;
    struct redis_route_options route_opt;
    struct sample *sample;
    void *route;
    struct sink *snk; /* that follows, at first */
};

/* False where there is no redis-server. The address and what every sink needs are added to the options. */
bool redis_scene_init(struct redis_scene *s, const struct redis_options *opt, const struct redis_route_options *route);
void redis_scene_release(struct redis_scene *s);

/* Another instance in the place of the last one. */
void redis_scene_open(struct redis_scene *s, enum sink_purpose purpose);

/* Inserts of the orders first … first + count - 1, 16 at most, as one batch. */
int redis_scene_insert(struct redis_scene *s, int first, int count);

#endif
