/* Which columns the sinks behind a bus read: what a record must keep when it is too large as a whole. */
#include <string.h>

#include "pipeline/settings_private.h"
#include "sink/kafka/kafka.h"

/* The names that one bind reads, copied behind those of `list`; with `list` NULL they are only counted. 1: it reads the
 * whole row. */
static int add_names(const struct sink_ops *ops, const void *bind, const char **list, unsigned *count,
                     struct config *cfg, struct err *e)
{
    const char *name;
    for (unsigned n = 0; (name = ops->reads(bind, n)); n++) {
        if (name == SINK_READS_ALL)
            return 1;
        size_t size = strlen(name) + 1;
        char *copy = list ? settings_alloc(cfg, size, e) : NULL;
        if (list && !copy)
            return err_result(e);
        if (list)
            list[*count] = memcpy(copy, name, size);
        (*count)++;
    }
    return 0;
}

/* 1: a sink reads the whole row. */
static int gather(const struct settings *settings, const struct route *route, const char **list, unsigned *count,
                  struct config *cfg, struct err *e)
{
    int rc = 0;
    *count = 0;
    for (unsigned s = 0; rc == 0 && s < settings->sink_count; s++) {
        const struct pipeline_sink *sink = &settings->sinks[s];
        void *bind = NULL;
        if (!(route->sink_mask >> s & 1))
            continue;
        rc = sink->ops->bind(&bind, sink->options, route->sink_options[s], NULL, e);
        if (rc == 0)
            rc = add_names(sink->ops, bind, list, count, cfg, e);
        if (bind && sink->ops->unbind)
            sink->ops->unbind(bind);
    }
    return rc;
}

static int note_route(struct kafka_reads *out, const struct settings *settings, const struct route *route,
                      struct config *cfg, struct err *e)
{
    unsigned count = 0;
    for (unsigned s = 0; s < settings->sink_count; s++)
        out->whole |= (route->sink_mask >> s & 1) && !settings->sinks[s].ops->reads;
    if (out->whole)
        return 0;
    int rc = gather(settings, route, NULL, &count, cfg, e);
    out->whole = rc > 0;
    if (rc > 0)
        return 0;
    const char **list = rc == 0 ? settings_alloc(cfg, (count + 1) * sizeof *list, e) : NULL;
    if (!list)
        return err_result(e);
    out->columns = list;
    return gather(settings, route, list, &out->count, cfg, e);
}

int settings_note_reads(const struct settings *settings, struct config *cfg, struct err *e)
{
    struct kafka_options *kafka = (void *)(uintptr_t)settings->bus.sink.options;
    struct kafka_reads *reads = settings_alloc(cfg, settings->route_count * sizeof *reads, e);
    for (unsigned i = 0; reads && i < settings->route_count; i++)
        if (note_route(&reads[i], settings, &settings->routes[i], cfg, e) != 0)
            return err_result(e);
    kafka->reads = reads;
    return reads ? 0 : err_result(e);
}
