/* `bus` of the configuration file, and what it makes of a reader's sinks and routes. */
#include <string.h>

#include "change/input.h"
#include "pipeline/settings_private.h"
#include "sink/kafka/kafka.h"

#define BUS_SINK        "kafka"
#define INSTANCE_ID_MAX 249

static const struct option_name bus_types[] = {{"embedded", BUS_EMBEDDED}, {"kafka", BUS_KAFKA}, {NULL, 0}};

static const struct option_name begins[] = {{"earliest", BUS_FROM_EARLIEST}, {"latest", BUS_FROM_LATEST}, {NULL, 0}};

const struct option settings_bus_options[] = {
    {.name = "type",
     .type = OPTION_ENUM,
     .offset = offsetof(struct bus_settings, type),
     .text = "embedded",
     .names = bus_types,
     .help =
         "embedded: lanes in the memory of one process; kafka: a topic, with a reader before it and appliers behind "
         "it: `run` is both in one process, `run --role reader` and `run --role applier` are one each."},
    {.name = "group",
     .type = OPTION_STRING,
     .offset = offsetof(struct bus_settings, group),
     .help = "Consumer group of the appliers; the topic's name unless given."},
    {.name = "instance_id",
     .type = OPTION_STRING,
     .offset = offsetof(struct bus_settings, instance_id),
     .help = "Makes an applier a static member of its group, of this name, such as `${HOSTNAME}`: a restart within "
             "`session.timeout.ms` moves no partitions. Each applier of a group needs a name of its own."},
    {.name = "from",
     .type = OPTION_ENUM,
     .offset = offsetof(struct bus_settings, from),
     .text = "earliest",
     .names = begins,
     .help = "Where a group begins that has never run: earliest or latest. From then on its offsets count."},
    {.name = "session_ms",
     .type = OPTION_DURATION,
     .offset = offsetof(struct bus_settings, session_ms),
     .text = "10s",
     .min = 1000,
     .max = 300000,
     .help = "Of several readers: how long the active one may not be heard of before another takes over. The brokers' "
             "group.min.session.timeout.ms (6 s unless set) must allow it."},
    {.name = "epoch",
     .type = OPTION_UINT,
     .offset = offsetof(struct bus_settings, epoch),
     .text = "0",
     .max = UINT32_MAX,
     .help = "An applier of a topic that Canal, Maxwell or Debezium wrote: the first part of versions, the second is "
             "the offset. Raise it when the topic is made anew."},
    {.name = NULL}};

int settings_read_bus(struct settings *out, struct config *cfg, struct err *e)
{
    const struct node *node;
    const struct sink_ops *ops = sink_find(BUS_SINK);
    struct bus_settings *bus = &out->bus;
    if (config_section(cfg, config_root(cfg), "bus", &node, e) != 0 ||
        option_parse(cfg, settings_bus_options, node, bus, e) != 0)
        return err_result(e);
    if (bus->type == BUS_EMBEDDED) {
        const struct option *const own[] = {settings_bus_options, NULL};
        return option_check_keys(node, own, NULL, e);
    }
    if (!ops)
        return err_set(e, BUG, "this program was built without the sink of its bus");
    const struct option *const tables[] = {settings_bus_options, ops->options, ops->route_options, NULL};
    if (option_check_keys(node, tables, NULL, e) != 0)
        return err_result(e);
    void *options = settings_read_kind(ops, cfg, node, e);
    void *route = options ? settings_alloc(cfg, ops->route_options_size, e) : NULL;
    if (!route || option_parse(cfg, ops->route_options, node, route, e) != 0)
        return err_result(e);
    if (ops->ready && ops->ready(route, cfg, e) != 0)
        return err_wrap(e, "%s:%u: %s", node->file, node->line, node->path);
    bus->sink = (struct pipeline_sink){.name = "bus", .ops = ops, .options = options, .workers = 1};
    bus->route_options = route;
    return 0;
}

static int no_bus(struct err *e)
{
    return err_set(e, USAGE, "--role needs a bus between the roles: `bus: {type: kafka, ...}` in the configuration");
}

/* A TRUNCATE passes all partitions in sluice's own format only. */
static int check_truncates(const struct settings *settings, struct err *e)
{
    const struct format_choice *format = settings->bus.route_options;
    for (unsigned i = 0; input_find(format->ops->name) && i < settings->route_count; i++)
        if (settings->routes[i].on_truncate == ON_TRUNCATE_SWEEP) {
            err_set(e, CONFIG_VALUE, "on_truncate",
                    "sweep needs a bus with sluice's own format, which tells each partition of it: stop or ignore");
            return err_wrap(e, "%s:%u", settings->file, settings->routes[i].line);
        }
    return 0;
}

int settings_of_reader(struct settings *settings, struct config *cfg, struct err *e)
{
    const struct bus_settings *bus = &settings->bus;
    if (bus->type == BUS_EMBEDDED)
        return no_bus(e);
    struct route *routes = settings_alloc(cfg, settings->route_count * sizeof *routes, e);
    if (!routes)
        return err_result(e);
    if (check_truncates(settings, e) != 0 || settings_note_reads(settings, cfg, e) != 0)
        return err_result(e);
    for (unsigned i = 0; i < settings->route_count; i++) {
        routes[i] = settings->routes[i];
        routes[i].sink_mask = 1;
        memset(routes[i].sink_options, 0, sizeof routes[i].sink_options);
        routes[i].sink_options[0] = bus->route_options;
    }
    settings->routes = routes;
    settings->sinks = &settings->bus.sink;
    settings->sink_count = 1;
    return settings_check_routes(settings, e);
}

/* Of the same letters as a topic's name. */
static int check_instance(const char *id, struct err *e)
{
    static const char legal[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t len = id ? strlen(id) : 1;
    if (len == 0 || len > INSTANCE_ID_MAX ||
        (id && (strspn(id, legal) != len || strcmp(id, ".") == 0 || strcmp(id, "..") == 0)))
        return err_set(e, CONFIG_VALUE, "bus.instance_id", "1 to 249 letters, digits, '.', '_' and '-'");
    return 0;
}

/* What an applier has stored is the group's offsets: marks would be a second answer, and two appliers would fence each
 * other's transactions. */
static int check_sinks(const struct settings *settings, struct err *e)
{
    for (unsigned i = 0; i < settings->sink_count; i++) {
        const struct pipeline_sink *sink = &settings->sinks[i];
        if (sink_flags(sink->ops, sink->options) & SINK_KEEPS_POSITION) {
            err_set(e, CONFIG_VALUE, "delivery", "behind a bus a topic is written at_least_once");
            return err_wrap(e, "%s: sink %s", settings->file, sink->name);
        }
        if (sink->keeps_dead) {
            err_set(e, CONFIG_VALUE, "dead_letters", "behind a bus of type kafka they go to bus.dead_letter_topic");
            return err_wrap(e, "%s: sink %s", settings->file, sink->name);
        }
        if (sink_flags(sink->ops, sink->options) & SINK_TELLS_BOUNDS) {
            err_set(e, CONFIG_VALUE, "transaction_topic",
                    "behind a bus nobody knows where transactions end: set it "
                    "below `bus`");
            return err_wrap(e, "%s: sink %s", settings->file, sink->name);
        }
    }
    return 0;
}

int settings_of_applier(struct pipeline_bus *out, const struct settings *settings, struct err *e)
{
    const struct bus_settings *bus = &settings->bus;
    if (bus->type == BUS_EMBEDDED)
        return no_bus(e);
    const struct kafka_options *kafka = bus->sink.options;
    const struct format_choice *format = bus->route_options;
    if (kafka_topic_varies(kafka))
        return err_set(e, CONFIG_VALUE, "bus.topic", "an applier reads one topic, not a template");
    if (check_instance(bus->instance_id, e) != 0)
        return err_result(e);
    const struct input_ops *input = input_find(format->ops->name);
    if (check_truncates(settings, e) != 0 || check_sinks(settings, e) != 0)
        return err_result(e);
    *out = (struct pipeline_bus){.brokers = &kafka->brokers,
                                 .missing_ms = (unsigned)kafka->timeout_ms,
                                 .properties = &kafka->properties,
                                 .sasl_password = kafka->sasl_password,
                                 .topic = kafka->topic,
                                 .group = bus->group ? bus->group : kafka->topic,
                                 .instance_id = bus->instance_id,
                                 .from_latest = bus->from == BUS_FROM_LATEST,
                                 .input = input,
                                 .epoch = (uint32_t)bus->epoch,
                                 .keyed_by_business = kafka->record_key == KAFKA_KEY_BUSINESS,
                                 .dead_letters = kafka->dead_letter_topic ? kafka : NULL};
    return 0;
}
