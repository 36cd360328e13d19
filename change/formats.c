/* All formats, and the choice of one. */
#include <string.h>

#include "change/canal/canal.h"
#include "change/debezium/debezium.h"
#include "change/format.h"
#include "change/format_sluice.h"
#include "change/maxwell/maxwell.h"

const struct format_ops *const format_registry[] = {&format_canal, &format_debezium, &format_maxwell,
                                                    &format_sluice_ops, NULL};

const struct format_ops *format_find(const char *name)
{
    for (const struct format_ops *const *ops = format_registry; *ops; ops++)
        if (strcmp((*ops)->name, name) == 0)
            return *ops;
    return NULL;
}

static int no_format(const char *name, struct err *e)
{
    char names[256] = "";
    size_t len = 0;
    for (const struct format_ops *const *ops = format_registry; *ops && len < sizeof names; ops++)
        len += (size_t)snprintf(names + len, sizeof names - len, "%s%s", len ? ", " : "", (*ops)->name);
    return err_set_format(e, ERR_USAGE, "there is no format '%s'; there are %s", name, names);
}

/* One "name=value". */
static int set_option(const struct format_ops *ops, struct config *cfg, void *options, const char *text, struct err *e)
{
    const char *equals = strchr(text, '=');
    if (!equals)
        return err_set_format(e, ERR_USAGE, "'%s' is not name=value", text);
    const char *name = arena_copy(config_arena(cfg), text, (size_t)(equals - text));
    if (!name)
        return err_set(e, NO_MEMORY, strlen(text));
    if (!ops->options || !option_find(ops->options, name))
        return err_set_format(e, ERR_USAGE, "format %s has no option '%s'", ops->name, name);
    struct option_text given = {.place = name, .name = name, .text = equals + 1};
    return option_set(cfg, ops->options, options, &given, e);
}

int format_choose(struct format_choice *choice, struct config *cfg, struct err *e)
{
    const struct format_ops *ops = format_find(choice->name);
    if (!ops)
        return no_format(choice->name, e);
    size_t bytes = ops->options_size ? ops->options_size : 1;
    void *options = arena_alloc(config_arena(cfg), bytes);
    if (!options)
        return err_set(e, NO_MEMORY, bytes);
    memset(options, 0, bytes);
    int rc = ops->options ? option_defaults(cfg, ops->options, options, e) : 0;
    for (size_t i = 0; rc == 0 && i < choice->given.count; i++)
        rc = set_option(ops, cfg, options, choice->given.items[i], e);
    if (rc == 0 && ops->check)
        rc = ops->check(options, e);
    choice->ops = ops;
    choice->options = options;
    return rc;
}
