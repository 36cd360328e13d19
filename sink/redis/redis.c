/* The Redis sink: options, routes, batches. */
#include "sink/redis/redis.h"

#include <stdlib.h>

#include "sink/redis/again.h"
#include "sink/redis/fence.h"
#include "sink/redis/sweep.h"

#define FIELD(name_) .offset = offsetof(struct redis_options, name_)
static const struct option redis_options[] = {
    {.name = "url",
     .type = OPTION_STRING,
     FIELD(url),
     .flags = OPTION_REQUIRED,
     .help = "redis://[user[:password]@]host[:port][/db] or unix:///path?db=N."},
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
    {.name = NULL},
};
#undef FIELD

static const struct option_name modes[] = {
    {"invalidate", REDIS_INVALIDATE}, {"second_delete", REDIS_SECOND_DELETE}, {"fence", REDIS_FENCE}, {NULL, 0}};

static const struct option redis_route_options[] = {
    {.name = "invalidate",
     .type = OPTION_LIST,
     .offset = offsetof(struct redis_route_options, invalidate),
     .flags = OPTION_REQUIRED,
     .help = "Templates of the keys to remove: \"order:{order_id}\", filters |lower |upper |trim |hex |default:TEXT. "
             "Rendered for the row before and after the change."},
    {.name = "when",
     .type = OPTION_LIST,
     .offset = offsetof(struct redis_route_options, when),
     .help =
         "Conditions that must all hold, else a change leaves the keys alone: \"status changed\", \"status = paid\", "
         "!=, \"status in paid, sent\", \"note is null\", \"is not null\". Comparisons hold when the row has it "
         "before or after the change."},
    {.name = "mode",
     .type = OPTION_ENUM,
     .offset = offsetof(struct redis_route_options, mode),
     .text = "invalidate",
     .names = modes,
     .help = "invalidate: keys are removed. second_delete: and once more second_delete_ms later. fence: they are "
             "removed so that no application can fill them with what it "
             "read before the change (docs/consistency.md)."},
    {.name = NULL},
};

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
    METRIC_END,
};

struct redis_sink {
    struct sink base;
    struct redis_connection conn;
    struct redis_keys keys;
    struct redis_keys second, fenced; /* of routes with that mode: made for their first key */
    struct redis_again again;
    struct redis_fence fence;
    struct redis_stats stats;
};

static int redis_check(const void *opt, struct err *e)
{
    struct redis_address address;
    return redis_address_init(&address, opt, e);
}

static void redis_unbind(void *bind)
{
    struct redis_route *route = bind;
    for (unsigned i = 0; route && i < route->count; i++) {
        bound_template_free(route->list[i].bound);
        template_free(route->list[i].tpl);
    }
    for (unsigned i = 0; route && i < route->when_count; i++)
        redis_condition_release(&route->when[i]);
    if (route)
        free(route->when);
    free(route);
}

static int bind_templates(struct redis_route *route, const struct option_list *list, const struct table *tbl,
                          struct err *e)
{
    int rc = 0;
    for (size_t i = 0; i < list->count && rc == 0; i++) {
        if (!list->items[i][0])
            return err_set(e, TEMPLATE, "", "it is empty");
        struct redis_template *one = &route->list[route->count++];
        rc = template_compile(&one->tpl, list->items[i], e);
        if (rc == 0 && tbl)
            rc = template_bind(&one->bound, one->tpl, tbl, e);
    }
    return rc;
}

static int bind_conditions(struct redis_route *route, const struct option_list *list, const struct table *tbl,
                           struct err *e)
{
    int rc = 0;
    if (list->count > REDIS_CONDITIONS_MAX)
        return err_set(e, CONFIG_VALUE, "when", "64 conditions at most");
    route->when = calloc(list->count + 1, sizeof *route->when);
    if (!route->when)
        return err_set(e, NO_MEMORY, list->count * sizeof *route->when);
    for (size_t i = 0; i < list->count && rc == 0; i++) {
        struct redis_condition *one = &route->when[i];
        rc = redis_condition_compile(one, list->items[i], e);
        route->when_count += rc == 0;
        if (rc == 0 && tbl)
            rc = redis_condition_bind(one, tbl, e);
    }
    return rc;
}

static int redis_bind(void **out, const void *opt, const void *route_opt, const struct table *tbl, struct err *e)
{
    (void)opt;
    const struct redis_route_options *wanted = route_opt;
    const struct option_list *list = &wanted->invalidate;
    if (list->count == 0 || list->count > REDIS_TEMPLATES_MAX)
        return err_set(e, CONFIG_VALUE, "invalidate", "1 to 256 templates are needed");
    size_t bytes = sizeof(struct redis_route) + list->count * sizeof(struct redis_template);
    struct redis_route *route = calloc(1, bytes);
    if (!route)
        return err_set(e, NO_MEMORY, bytes);
    route->mode = (enum redis_mode)wanted->mode;
    int rc = bind_templates(route, list, tbl, e);
    if (rc == 0)
        rc = bind_conditions(route, &wanted->when, tbl, e);
    if (rc != 0) {
        redis_unbind(route);
        return rc;
    }
    *out = route;
    return 0;
}

/* Of a template: its columns from *n on; NULL when it has fewer, which *n is then less by. */
static const char *column_of(const struct template *tpl, unsigned *n)
{
    const char *const *names;
    unsigned count = template_columns(tpl, &names);
    if (*n < count)
        return names[*n];
    *n -= count;
    return NULL;
}

static const char *redis_reads(const void *bind, unsigned n)
{
    const struct redis_route *route = bind;
    const char *name = NULL;
    for (unsigned i = 0; i < route->count && !name; i++)
        name = column_of(route->list[i].tpl, &n);
    for (unsigned i = 0; i < route->when_count && !name; i++)
        name = column_of(route->when[i].tpl, &n);
    return name;
}

static int redis_can_sweep(const void *bind, struct err *e)
{
    const struct redis_route *route = bind;
    struct buf glob;
    int rc = 0;
    buf_init(&glob, TEMPLATE_RENDERED_MAX);
    for (unsigned i = 0; i < route->count && rc == 0; i++)
        if (!template_glob(route->list[i].tpl, &glob))
            rc = err_set(e, SINK_SWEEP, template_source(route->list[i].tpl));
    buf_release(&glob);
    return rc;
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
    free(to);
}

static int redis_sink_open(struct sink **out, const void *opt, const struct sink_place *place, struct err *e)
{
    struct redis_sink *to = calloc(1, sizeof *to);
    if (!to)
        return err_set(e, NO_MEMORY, sizeof *to);
    to->base.ops = &sink_redis;
    redis_fence_init(&to->fence, place->env);
    int rc = redis_again_init(&to->again, place->name, e);
    if (rc == 0)
        rc = redis_keys_init(&to->keys, e);
    if (rc == 0)
        rc = redis_open(&to->conn, opt, place->env, e);
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
    return rc;
}

static struct redis_keys *keys_of(struct redis_sink *to, enum redis_mode mode)
{
    return mode == REDIS_FENCE ? &to->fenced : mode == REDIS_SECOND_DELETE ? &to->second : &to->keys;
}

static int add_item(struct redis_sink *to, const struct item *item, struct err *e)
{
    const struct redis_route *route = item->bind;
    struct redis_keys *keys = keys_of(to, route->mode);
    if (item->chg->op == CHANGE_TRUNCATE)
        return redis_sweep(&to->conn, route, &to->stats, e);
    if (!keys->list && redis_keys_init(keys, e) != 0)
        return err_result(e);
    if (redis_keys_add(keys, route, item->chg, e) != 0)
        return sink_wrap(e, item);
    return redis_keys_are_enough(keys) ? flush(to, e) : 0;
}

/* A batch is done as a whole, when the last reply is there. */
static int redis_apply(struct sink *snk, struct item *items, size_t count, struct err *e)
{
    struct redis_sink *to = (struct redis_sink *)snk;
    int rc = 0;
    for (size_t i = 0; i < count && rc == 0; i++) {
        rc = add_item(to, &items[i], e);
        items[i].verdict = V_DONE;
    }
    if (rc == 0)
        rc = flush(to, e);
    if (rc != 0) {
        redis_keys_clear(&to->keys);
        redis_keys_clear(&to->second);
        redis_keys_clear(&to->fenced);
    }
    return rc;
}

static int redis_tend(struct sink *snk, int64_t *due_us, struct err *e)
{
    struct redis_sink *to = (struct redis_sink *)snk;
    *due_us = INT64_MAX;
    return to->conn.opt->has_second ? redis_again_tend(&to->again, &to->conn, &to->stats, due_us, e) : 0;
}

static int redis_check_routes(void *options, const struct route *routes, unsigned count, unsigned sink, struct err *e)
{
    struct redis_options *opt = options;
    (void)e;
    opt->has_second = false;
    for (unsigned i = 0; i < count; i++) {
        const struct redis_route_options *route = routes[i].sink_options[sink];
        opt->has_second |= (routes[i].sink_mask >> sink & 1) && route->mode == REDIS_SECOND_DELETE;
    }
    return 0;
}

static const void *redis_sink_stats(const struct sink *snk)
{
    return &((const struct redis_sink *)snk)->stats;
}

const struct sink_ops sink_redis = {
    .kind = "redis",
    .flags = SINK_CAN_SWEEP,
    .options_size = sizeof(struct redis_options),
    .route_options_size = sizeof(struct redis_route_options),
    .options = redis_options,
    .route_options = redis_route_options,
    .metrics = redis_metrics,
    .check = redis_check,
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
