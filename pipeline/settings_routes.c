/* `sinks` and `routes` of the configuration file. */
#include <string.h>

#include "pipeline/settings_private.h"
#include "sink/runner.h"

#define SINK_NAME_MAX 64

struct sink_values {
    const char *type;
    uint64_t workers;
    int dead_letters; /* enum dead_place */
};

enum dead_place { DEAD_STOP, DEAD_STATE };
static const struct option_name dead_places[] = {{"stop", DEAD_STOP}, {"state", DEAD_STATE}, {NULL, 0}};

const struct option settings_sink_options[] = {
    {.name = "type",
     .type = OPTION_STRING,
     .offset = offsetof(struct sink_values, type),
     .flags = OPTION_REQUIRED,
     .help = "Kind of the sink, one of those below."},
    {.name = "workers",
     .type = OPTION_UINT,
     .offset = offsetof(struct sink_values, workers),
     .text = "1",
     .min = 1,
     .max = RUNNER_WORKERS_MAX,
     .help = "Threads, each with its own connection and its share of the lanes."},
    {.name = "dead_letters",
     .type = OPTION_ENUM,
     .offset = offsetof(struct sink_values, dead_letters),
     .text = "stop",
     .names = dead_places,
     .help = "A change that the sink refuses for good: stop, or state: it is kept in state_dir as a dead letter "
             "(`sluice dlq`), and all else goes on. Of the embedded bus; one of type kafka has its dead_letter_topic."},
    {.name = NULL}};

struct route_values {
    const char *table;
    struct option_list key, to, accept_unlogged;
    int on_truncate;
};

static const struct option_name truncate_modes[] = {
    {"stop", ON_TRUNCATE_STOP}, {"sweep", ON_TRUNCATE_SWEEP}, {"ignore", ON_TRUNCATE_IGNORE}, {NULL, 0}};

#define ROUTE(name_) .offset = offsetof(struct route_values, name_)
const struct option settings_route_options[] = {
    {.name = "table",
     .type = OPTION_STRING,
     ROUTE(table),
     .flags = OPTION_REQUIRED,
     .help = "database.table; * and ? stand for any characters and any one."},
    {.name = "key",
     .type = OPTION_LIST,
     ROUTE(key),
     .help = "Column or columns whose changes stay in order; the primary key when not given."},
    {.name = "to",
     .type = OPTION_LIST,
     ROUTE(to),
     .flags = OPTION_REQUIRED,
     .help = "Name of the sink, or of several."},
    {.name = "on_truncate",
     .type = OPTION_ENUM,
     ROUTE(on_truncate),
     .text = "stop",
     .names = truncate_modes,
     .help = "When rows are discarded without row events (TRUNCATE, DROP, partitions): stop, sweep the keys, or ignore "
             "it."},
    {.name = "accept_unlogged",
     .type = OPTION_LIST,
     ROUTE(accept_unlogged),
     .help = "Names of foreign keys whose cascades are not logged and need not be followed."},
    {.name = NULL}};

void *settings_alloc(struct config *cfg, size_t len, struct err *e)
{
    void *p = arena_alloc(config_arena(cfg), len ? len : 1);
    if (!p) {
        err_set(e, NO_MEMORY, len);
        return NULL;
    }
    memset(p, 0, len);
    return p;
}

static bool name_is_plain(const char *name)
{
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
    return len > 0 && name[len] == '\0' && len <= SINK_NAME_MAX;
}

void *settings_read_kind(const struct sink_ops *ops, struct config *cfg, const struct node *node, struct err *e)
{
    void *options = settings_alloc(cfg, ops->options_size, e);
    if (!options || (ops->options && option_parse(cfg, ops->options, node, options, e) != 0))
        return NULL;
    if (ops->check && ops->check(options, e) != 0) {
        err_wrap(e, "%s:%u: %s", node->file, node->line, node->path);
        return NULL;
    }
    return options;
}

static int read_sink(struct pipeline_sink *out, struct config *cfg, const struct node *node, struct err *e)
{
    struct sink_values values;
    if (!name_is_plain(node->key))
        return node_error(node, e, "the name of a sink is 1 to 64 letters, digits, _ and -");
    if (node->kind != NODE_MAPPING)
        return node_error(node, e, "a sink is a mapping with its type");
    if (option_parse(cfg, settings_sink_options, node, &values, e) != 0)
        return err_result(e);
    const struct sink_ops *ops = sink_find(values.type);
    if (!ops)
        return node_error(node_child(node, "type"), e, "there is no sink of type '%s'", values.type);
    const struct option *const tables[] = {settings_sink_options, ops->options, NULL};
    if (option_check_keys(node, tables, NULL, e) != 0)
        return err_result(e);
    void *options = settings_read_kind(ops, cfg, node, e);
    if (!options)
        return err_result(e);
    if ((ops->flags & SINK_ONE_WORKER) && values.workers > 1)
        return node_error(node, e, "a sink of type %s has one worker", ops->kind);
    *out = (struct pipeline_sink){.name = node->key,
                                  .ops = ops,
                                  .options = options,
                                  .workers = (unsigned)values.workers,
                                  .keeps_dead = values.dead_letters == DEAD_STATE};
    if (out->keeps_dead && sink_flags(ops, options) & (SINK_KEEPS_POSITION | SINK_TELLS_BOUNDS))
        return node_error(
            node_child(node, "dead_letters"), e,
            "state needs a sink that takes a change alone: delivery: at_least_once, no transaction_topic");
    return 0;
}

/* Against the sinks before it, and the bus. */
static int check_beside(const struct settings *settings, const struct pipeline_sink *sink, const struct node *node,
                        struct err *e)
{
    const struct pipeline_sink *bus = &settings->bus.sink, *first = settings->sinks;
    int rc = 0;
    if (!sink->ops->check_beside)
        return 0;
    if (settings->bus.type == BUS_KAFKA && bus->ops == sink->ops)
        rc = sink->ops->check_beside(sink->options, bus->options, e);
    for (const struct pipeline_sink *other = first; rc == 0 && other < sink; other++)
        if (other->ops == sink->ops)
            rc = sink->ops->check_beside(sink->options, other->options, e);
    return rc == 0 ? 0 : err_wrap(e, "%s:%u: %s", node->file, node->line, node->path);
}

int settings_read_sinks(struct settings *out, struct config *cfg, struct err *e)
{
    const struct node *section;
    if (config_section(cfg, config_root(cfg), "sinks", &section, e) != 0)
        return err_result(e);
    if (section->count == 0)
        return node_error(section, e, "at least one sink is needed");
    if (section->count > LEDGER_SINKS_MAX)
        return node_error(section, e, "at most %d sinks", LEDGER_SINKS_MAX);
    struct pipeline_sink *sinks = settings_alloc(cfg, section->count * sizeof *sinks, e);
    if (!sinks)
        return err_result(e);
    out->sinks = sinks;
    for (const struct node *node = node_first(section); node; node = node->next, out->sink_count++)
        if (read_sink(&sinks[out->sink_count], cfg, node, e) != 0 ||
            check_beside(out, &sinks[out->sink_count], node, e) != 0)
            return err_result(e);
    return 0;
}

/* A struct of options with their defaults, and what `given` sets of them (its place NULL: not given). */
static void *own_options(struct config *cfg, const struct option *table, size_t size, const struct option_text *given,
                         struct err *e)
{
    void *options = settings_alloc(cfg, size, e);
    if (!options || (table && option_defaults(cfg, table, options, e) != 0))
        return NULL;
    for (; given && given->place; given++)
        if (option_set(cfg, table, options, given, e) != 0)
            return NULL;
    return options;
}

int settings_own_sink(struct pipeline_sink *out, const struct settings_own_sink *own, struct config **cfg,
                      const struct env *env, struct err *e)
{
    const struct sink_ops *ops = sink_find(own->kind);
    if (!ops)
        return err_set(e, BUG, "a command names a sink that does not exist");
    if (config_parse(cfg, env, own->kind, "", e) != 0)
        return err_result(e);
    void *options = own_options(*cfg, ops->options, ops->options_size, own->options, e);
    void *route =
        options ? own_options(*cfg, ops->route_options, ops->route_options_size, own->route_options, e) : NULL;
    if (!route || (ops->ready && ops->ready(route, *cfg, e) != 0))
        return err_result(e);
    *out = (struct pipeline_sink){.name = ops->kind, .ops = ops, .options = options, .workers = 0};
    if (own->route)
        *own->route = route;
    return 0;
}

/* Splits "db.table" at its dot. */
static int read_pattern(struct route *route, struct config *cfg, const struct node *node, const char *text,
                        struct err *e)
{
    const char *dot = strchr(text, '.');
    if (!dot || dot == text || !dot[1] || strchr(dot + 1, '.'))
        return node_error(node_child(node, "table"), e, "'%s' is not database.table", text);
    route->db = arena_copy(config_arena(cfg), text, (size_t)(dot - text));
    route->table = arena_copy(config_arena(cfg), dot + 1, strlen(dot + 1));
    return route->db && route->table ? 0 : err_set(e, NO_MEMORY, strlen(text));
}

static int unknown_sink(const struct settings *settings, const struct node *node, const char *name, struct err *e)
{
    const char *names[LEDGER_SINKS_MAX];
    for (unsigned i = 0; i < settings->sink_count; i++)
        names[i] = settings->sinks[i].name;
    const char *near = config_nearest(name, names, settings->sink_count);
    return near ? node_error(node, e, "there is no sink called '%s'; did you mean '%s'?", name, near)
                : node_error(node, e, "there is no sink called '%s'", name);
}

/* What can be told of a route's options without the table: templates that do not compile, or that cannot sweep. */
static int check_options(const struct route *route, const struct pipeline_sink *sink, const void *options,
                         const struct node *node, struct err *e)
{
    void *bind = NULL;
    if (!sink->ops->bind)
        return 0;
    int rc = sink->ops->bind(&bind, sink->options, options, NULL, e);
    if (rc == 0 && route->on_truncate == ON_TRUNCATE_SWEEP && sink->ops->can_sweep)
        rc = sink->ops->can_sweep(bind, e);
    if (bind && sink->ops->unbind)
        sink->ops->unbind(bind);
    return rc == 0 ? 0 : err_wrap(e, "%s:%u: %s", node->file, node->line, node->path);
}

/* Finds the sinks of a route, and the tables of its keys: the route's own and those of each sink's kind. */
static int find_sinks(struct route *route, const struct settings *settings, const struct node *node,
                      const struct option_list *to, struct err *e)
{
    const struct option *tables[LEDGER_SINKS_MAX + 2] = {settings_route_options};
    size_t table_count = 1;
    for (size_t i = 0; i < to->count; i++) {
        unsigned s = 0;
        while (s < settings->sink_count && strcmp(settings->sinks[s].name, to->items[i]) != 0)
            s++;
        if (s == settings->sink_count)
            return unknown_sink(settings, node_child(node, "to"), to->items[i], e);
        if (route->sink_mask >> s & 1)
            return node_error(node_child(node, "to"), e, "sink '%s' is named twice", to->items[i]);
        route->sink_mask |= UINT32_C(1) << s;
        if (settings->sinks[s].ops->route_options)
            tables[table_count++] = settings->sinks[s].ops->route_options;
    }
    tables[table_count] = NULL;
    return option_check_keys(node, tables, NULL, e);
}

/* Of the routes read so far one that asks the sink for the same. */
static const void *same_options(const struct settings *settings, const struct route *routes, unsigned s,
                                const void *options)
{
    const struct sink_ops *ops = settings->sinks[s].ops;
    for (unsigned i = 0; i < settings->route_count && ops->same; i++)
        if ((routes[i].sink_mask >> s & 1) && ops->same(routes[i].sink_options[s], options))
            return routes[i].sink_options[s];
    return options;
}

/* Fills the option struct of each kind, one struct per sink; `routes` are those before. */
static int read_sink_options(struct route *route, const struct settings *settings, const struct route *routes,
                             struct config *cfg, const struct node *node, struct err *e)
{
    for (unsigned s = 0; s < settings->sink_count; s++) {
        const struct pipeline_sink *sink = &settings->sinks[s];
        if (!(route->sink_mask >> s & 1))
            continue;
        void *options = settings_alloc(cfg, sink->ops->route_options_size, e);
        if (!options ||
            (sink->ops->route_options && option_parse(cfg, sink->ops->route_options, node, options, e) != 0))
            return err_result(e);
        if (sink->ops->ready && sink->ops->ready(options, cfg, e) != 0)
            return err_wrap(e, "%s:%u: %s", node->file, node->line, node->path);
        route->sink_options[s] = same_options(settings, routes, s, options);
        if (route->on_truncate == ON_TRUNCATE_SWEEP && !(sink->ops->flags & SINK_CAN_SWEEP))
            return node_error(node_child(node, "on_truncate"), e, "sink '%s' cannot sweep", sink->name);
        if (check_options(route, sink, options, node, e) != 0)
            return err_result(e);
    }
    return 0;
}

static int read_route(struct route *routes, const struct settings *settings, struct config *cfg,
                      const struct node *node, struct err *e)
{
    struct route *route = &routes[settings->route_count];
    struct route_values values;
    if (node->kind != NODE_MAPPING)
        return node_error(node, e, "a route is a mapping with table and to");
    if (option_parse(cfg, settings_route_options, node, &values, e) != 0 ||
        read_pattern(route, cfg, node, values.table, e) != 0)
        return err_result(e);
    route->line = node->line;
    route->key = values.key.count ? values.key.items : NULL;
    route->key_count = (unsigned)values.key.count;
    route->on_truncate = (enum on_truncate)values.on_truncate;
    const char **accepted = settings_alloc(cfg, (values.accept_unlogged.count + 1) * sizeof *accepted, e);
    if (!accepted)
        return err_result(e);
    for (size_t i = 0; i < values.accept_unlogged.count; i++)
        accepted[i] = values.accept_unlogged.items[i];
    route->accept_unlogged = accepted;
    if (values.key.count > KEY_COLUMNS_MAX)
        return node_error(node_child(node, "key"), e, "a key has at most %d columns", KEY_COLUMNS_MAX);
    if (find_sinks(route, settings, node, &values.to, e) != 0)
        return err_result(e);
    return read_sink_options(route, settings, routes, cfg, node, e);
}

static bool same_key(const struct route *a, const struct route *b)
{
    bool same = a->key_count == b->key_count;
    for (unsigned i = 0; i < a->key_count && same; i++)
        same = strcmp(a->key[i], b->key[i]) == 0;
    return same;
}

/* Two routes of one table with different keys; what patterns hide is found when the tables are known. */
static int check_conflict(const struct route *routes, unsigned last, const struct node *node, struct err *e)
{
    const struct route *b = &routes[last];
    for (unsigned i = 0; i < last; i++) {
        const struct route *a = &routes[i];
        if (route_is_exact(a) && route_is_exact(b) && strcmp(a->db, b->db) == 0 && strcmp(a->table, b->table) == 0 &&
            a->key && b->key && !same_key(a, b)) {
            char text[256];
            snprintf(text, sizeof text, "routes at lines %u and %u give %s.%s different keys", a->line, b->line, b->db,
                     b->table);
            err_set(e, ROUTE_CONFLICT, text);
            return err_wrap(e, "%s:%u", node->file, node->line);
        }
    }
    return 0;
}

int settings_check_routes(const struct settings *settings, struct err *e)
{
    for (unsigned s = 0; s < settings->sink_count; s++) {
        const struct pipeline_sink *sink = &settings->sinks[s];
        void *options = (void *)(uintptr_t)sink->options;
        if (sink->ops->check_routes &&
            sink->ops->check_routes(options, settings->routes, settings->route_count, s, e) != 0)
            return err_wrap(e, "%s: sink %s", settings->file, sink->name);
    }
    return 0;
}

int settings_read_routes(struct settings *out, struct config *cfg, struct err *e)
{
    const struct node *section;
    if (config_sequence(cfg, config_root(cfg), "routes", &section, e) != 0)
        return err_result(e);
    if (section->count == 0)
        return node_error(section, e, "at least one route is needed");
    struct route *routes = settings_alloc(cfg, section->count * sizeof *routes, e);
    if (!routes)
        return err_result(e);
    for (const struct node *node = node_first(section); node; node = node->next) {
        if (read_route(routes, out, cfg, node, e) != 0 || check_conflict(routes, out->route_count, node, e) != 0)
            return err_result(e);
        out->route_count++;
    }
    out->routes = routes;
    return settings_check_routes(out, e);
}
