/* The settings of an applier that serves some of the sinks only. */
#include <stdio.h>
#include <string.h>

#include "pipeline/settings_private.h"
#include "sink/kafka/kafka.h"

#define FLAG "--sink"

static int find_sink(const struct settings *settings, const char *name, unsigned *at, struct err *e)
{
    char text[256];
    const char *names[LEDGER_SINKS_MAX];
    for (unsigned i = 0; i < settings->sink_count; i++) {
        names[i] = settings->sinks[i].name;
        if (strcmp(names[i], name) == 0) {
            *at = i;
            return 0;
        }
    }
    const char *near = config_nearest(name, names, settings->sink_count);
    if (near)
        snprintf(text, sizeof text, "there is no sink called '%.64s'; did you mean '%s'?", name, near);
    else
        snprintf(text, sizeof text, "there is no sink called '%.64s'", name);
    return err_set(e, CONFIG_VALUE, FLAG, text);
}

/* "<group>.<sink>", of several sinks each name in the order of the configuration: a name has no dot. */
static int name_group(struct settings *settings, struct config *cfg, struct err *e)
{
    const struct kafka_options *kafka = settings->bus.sink.options;
    const char *group = settings->bus.group ? settings->bus.group : kafka->topic;
    size_t size = strlen(group) + 1;
    for (unsigned i = 0; i < settings->sink_count; i++)
        size += 1 + strlen(settings->sinks[i].name);
    char *name = settings_alloc(cfg, size, e);
    if (!name)
        return err_result(e);
    size_t len = (size_t)snprintf(name, size, "%s", group);
    for (unsigned i = 0; i < settings->sink_count; i++)
        len += (size_t)snprintf(name + len, size - len, ".%s", settings->sinks[i].name);
    settings->bus.group = name;
    return 0;
}

/* The route with the kept sinks under their new numbers. */
static struct route route_of(const struct route *old, const struct settings *settings, uint32_t keep)
{
    struct route route = *old;
    unsigned to = 0;
    route.sink_mask = 0;
    memset(route.sink_options, 0, sizeof route.sink_options);
    for (unsigned i = 0; i < settings->sink_count; i++) {
        if (!(keep >> i & 1))
            continue;
        if (old->sink_mask >> i & 1) {
            route.sink_mask |= UINT32_C(1) << to;
            route.sink_options[to] = old->sink_options[i];
        }
        to++;
    }
    return route;
}

int settings_keep_sinks(struct settings *settings, struct config *cfg, const struct option_list *names, struct err *e)
{
    uint32_t keep = 0;
    unsigned sink_count = 0, route_count = 0;
    if (names->count == 0 || settings->bus.type == BUS_EMBEDDED)
        return 0;
    for (size_t i = 0; i < names->count; i++) {
        unsigned at;
        if (find_sink(settings, names->items[i], &at, e) != 0)
            return err_result(e);
        keep |= UINT32_C(1) << at;
    }
    struct pipeline_sink *sinks = settings_alloc(cfg, settings->sink_count * sizeof *sinks, e);
    struct route *routes = sinks ? settings_alloc(cfg, settings->route_count * sizeof *routes, e) : NULL;
    if (!routes)
        return err_result(e);
    for (unsigned i = 0; i < settings->route_count; i++) {
        routes[route_count] = route_of(&settings->routes[i], settings, keep);
        route_count += routes[route_count].sink_mask != 0;
    }
    for (unsigned i = 0; i < settings->sink_count; i++)
        if (keep >> i & 1)
            sinks[sink_count++] = settings->sinks[i];
    if (route_count == 0)
        return err_set(e, CONFIG_VALUE, FLAG, "no route leads there");
    settings->sinks = sinks;
    settings->sink_count = sink_count;
    settings->routes = routes;
    settings->route_count = route_count;
    return name_group(settings, cfg, e);
}
