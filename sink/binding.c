/* Binds of routes, cached by shape. */
#include "sink/binding.h"

#include <stdlib.h>
#include <string.h>

static bool leads_here(const struct runner_options *opt, const struct route *route, const char *const *name)
{
    return (route->sink_mask >> opt->sink & 1) && (!name || route_matches(route, name[0], name[1]));
}

/* Routes that share their options are one: a command's patterns, of which several may match. */
static bool is_bound(const struct runner_options *opt, const struct binding *made, const struct route *route)
{
    for (unsigned i = 0; i < made->count; i++)
        if (made->list[i].route->sink_options[opt->sink] == route->sink_options[opt->sink])
            return true;
    return false;
}

int binding_make(const struct runner_options *opt, const char *const *name, const struct table *tbl,
                 struct binding *out, struct err *e)
{
    const struct route *routes;
    unsigned count = routes_list(opt->routes, &routes);
    struct binding made = {.list = calloc(count + 1, sizeof *made.list)};
    if (!made.list)
        return err_set(e, NO_MEMORY, (count + 1) * sizeof *made.list);
    for (unsigned i = 0; i < count; i++) {
        if (!leads_here(opt, &routes[i], name) || is_bound(opt, &made, &routes[i]))
            continue;
        struct bound *bound = &made.list[made.count];
        bound->route = &routes[i];
        if (opt->ops->bind) {
            int rc = opt->ops->bind(&bound->bind, opt->options, routes[i].sink_options[opt->sink], tbl, e);
            if (rc != 0) {
                err_wrap(e, "route at line %u", routes[i].line);
                binding_release(opt, &made);
                return rc;
            }
        }
        made.count++;
    }
    *out = made;
    return 0;
}

void binding_release(const struct runner_options *opt, struct binding *binding)
{
    for (unsigned i = 0; i < binding->count && opt->ops->unbind; i++)
        opt->ops->unbind(binding->list[i].bind);
    free(binding->list);
    *binding = (struct binding){0};
}

static int grow(struct bindings *bindings, uint32_t id, struct err *e)
{
    uint32_t size = bindings->size ? bindings->size : 64;
    while (size <= id)
        size *= 2;
    struct binding *grown = realloc(bindings->by_shape, size * sizeof *grown);
    if (!grown)
        return err_set(e, NO_MEMORY, size * sizeof *grown);
    memset(grown + bindings->size, 0, (size - bindings->size) * sizeof *grown);
    bindings->by_shape = grown;
    bindings->size = size;
    return 0;
}

int bindings_of(struct bindings *bindings, const struct change *chg, const struct binding **out, struct err *e)
{
    const char *const name[2] = {chg->db, chg->table};
    int rc = 0;
    if (chg->op == CHANGE_BEGIN || chg->op == CHANGE_END || chg->op == CHANGE_STATEMENT) {
        *out = &bindings->every;
        return bindings->every.list ? 0 : binding_make(bindings->opt, NULL, NULL, &bindings->every, e);
    }
    if (!chg->shape) {
        binding_release(bindings->opt, &bindings->loose);
        rc = binding_make(bindings->opt, name, NULL, &bindings->loose, e);
        *out = &bindings->loose;
        return rc;
    }
    uint32_t id = chg->shape->id;
    if (id >= bindings->size)
        rc = grow(bindings, id, e);
    if (rc == 0 && !bindings->by_shape[id].list)
        rc = binding_make(bindings->opt, name, chg->shape->tbl, &bindings->by_shape[id], e);
    if (rc == 0)
        *out = &bindings->by_shape[id];
    return rc;
}

void bindings_release(struct bindings *bindings)
{
    for (uint32_t i = 0; i < bindings->size; i++)
        binding_release(bindings->opt, &bindings->by_shape[i]);
    binding_release(bindings->opt, &bindings->every);
    binding_release(bindings->opt, &bindings->loose);
    free(bindings->by_shape);
    bindings->by_shape = NULL;
    bindings->size = 0;
}
