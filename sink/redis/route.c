/* Routes to Redis: their options, and what is bound of them to a table version. */
#include "sink/redis/route.h"

#include <stdlib.h>

static const struct option_name modes[] = {
    {"invalidate", REDIS_INVALIDATE}, {"second_delete", REDIS_SECOND_DELETE}, {"fence", REDIS_FENCE}, {NULL, 0}};

const struct option redis_route_options[] = {
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

void redis_unbind(void *bind)
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

int redis_bind(void **out, const void *opt, const void *route_opt, const struct table *tbl, struct err *e)
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

const char *redis_reads(const void *bind, unsigned n)
{
    const struct redis_route *route = bind;
    const char *name = NULL;
    for (unsigned i = 0; i < route->count && !name; i++)
        name = column_of(route->list[i].tpl, &n);
    for (unsigned i = 0; i < route->when_count && !name; i++)
        name = column_of(route->when[i].tpl, &n);
    return name;
}

int redis_can_sweep(const void *bind, struct err *e)
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

int redis_check_routes(void *options, const struct route *routes, unsigned count, unsigned sink, struct err *e)
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
