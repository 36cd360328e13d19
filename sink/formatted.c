/* Formats of routes, at work in a sink. */
#include "sink/formatted.h"

#include <stdlib.h>

#define ROUTE(name_) .offset = offsetof(struct format_choice, name_)
const struct option formatted_route_options[] = {
    {.name = "format",
     .type = OPTION_STRING,
     ROUTE(name),
     .text = "sluice",
     .help = "Format of the records: sluice, canal, debezium or maxwell; docs/formats.md describes them."},
    {.name = "format_options", .type = OPTION_LIST, ROUTE(given), .help = "Options of the format, each as name=value."},
    {.name = NULL},
};

struct formatted_instance {
    const struct format_choice *choice;
    struct format *format;
};

/* What a route's format made of a table version. */
struct formatted_bound {
    const struct format_choice *choice;
    unsigned needs;
    void *bound;
};

int formatted_ready(void *route_opt, struct config *cfg, struct err *e)
{
    return format_choose(route_opt, cfg, e);
}

bool formatted_same(const void *route_opt, const void *other)
{
    const struct format_choice *a = route_opt, *b = other;
    return a->ops == b->ops && option_equal(a->ops->options, a->options, b->options);
}

unsigned formatted_needs(const void *route_opt)
{
    const struct format_choice *choice = route_opt;
    return choice->ops->needs ? choice->ops->needs(choice->options) : 0;
}

void formatted_unbind(void *bind)
{
    struct formatted_bound *own = bind;
    if (!own)
        return;
    if (own->choice->ops->unbind)
        own->choice->ops->unbind(own->bound);
    free(own);
}

int formatted_bind(void **out, const void *opt, const void *route_opt, const struct table *tbl, struct err *e)
{
    const struct format_choice *choice = route_opt;
    struct formatted_bound *own = calloc(1, sizeof *own);
    (void)opt;
    if (!own)
        return err_set(e, NO_MEMORY, sizeof *own);
    own->choice = choice;
    own->needs = formatted_needs(choice);
    int rc = tbl && choice->ops->bind ? choice->ops->bind(&own->bound, choice->options, tbl, e) : 0;
    if (rc != 0) {
        free(own);
        return rc;
    }
    *out = own;
    return 0;
}

const struct format_choice *formatted_choice(const void *bind)
{
    return ((const struct formatted_bound *)bind)->choice;
}

/* ---------------------------------------------------------------- at work */

void formatted_init(struct formatted *formatted, size_t cap)
{
    *formatted = (struct formatted){.count = 0};
    records_init(&formatted->records, cap);
}

void formatted_release(struct formatted *formatted)
{
    for (size_t i = 0; i < formatted->count; i++)
        formatted->list[i].format->ops->close(formatted->list[i].format);
    free(formatted->list);
    records_release(&formatted->records);
    formatted->list = NULL;
    formatted->count = 0;
}

static int mark(struct format *format, struct err *e)
{
    return format->ops->mark ? format->ops->mark(format, e) : 0;
}

void formatted_go_on(struct formatted *formatted, int64_t now_us)
{
    records_clear(&formatted->records);
    formatted->records.now_us = now_us;
}

int formatted_begin(struct formatted *formatted, int64_t now_us, struct err *e)
{
    int rc = 0;
    formatted_go_on(formatted, now_us);
    for (size_t i = 0; i < formatted->count && rc == 0; i++)
        rc = mark(formatted->list[i].format, e);
    return rc;
}

/* The instance of a choice, opened at its first change. */
static int find(struct formatted *formatted, const struct format_choice *choice, struct format **out, struct err *e)
{
    for (size_t i = 0; i < formatted->count; i++)
        if (formatted->list[i].choice == choice) {
            *out = formatted->list[i].format;
            return 0;
        }
    struct formatted_instance *grown = realloc(formatted->list, (formatted->count + 1) * sizeof *grown);
    if (!grown)
        return err_set(e, NO_MEMORY, (formatted->count + 1) * sizeof *grown);
    formatted->list = grown;
    int rc = choice->ops->open(out, choice->options, e);
    if (rc != 0)
        return rc;
    formatted->list[formatted->count++] = (struct formatted_instance){choice, *out};
    return mark(*out, e);
}

/* What another route's format has asked for is nothing to this one. */
static bool is_asked_for(const struct formatted_bound *bind, enum change_op op)
{
    if (op == CHANGE_BEGIN || op == CHANGE_END)
        return bind->needs & FORMAT_NEEDS_TRANSACTIONS;
    return op != CHANGE_STATEMENT || bind->needs & FORMAT_NEEDS_STATEMENTS;
}

int formatted_add(struct formatted *formatted, const struct item *item, size_t number, struct err *e)
{
    const struct formatted_bound *bind = item->bind;
    struct format *format = NULL;
    if (!is_asked_for(bind, item->chg->op))
        return 0;
    int rc = find(formatted, bind->choice, &format, e);
    if (rc == 0)
        rc = format->ops->add(format, item->chg, bind->bound, number, &formatted->records, e);
    if (rc != 0)
        sink_wrap(e, item);
    return rc;
}

int formatted_flush(struct formatted *formatted, struct err *e)
{
    int rc = 0;
    for (size_t i = 0; i < formatted->count && rc == 0; i++) {
        struct format *format = formatted->list[i].format;
        if (format->ops->flush)
            rc = format->ops->flush(format, &formatted->records, e);
    }
    return rc;
}

void formatted_restore(struct formatted *formatted)
{
    for (size_t i = 0; i < formatted->count; i++) {
        struct format *format = formatted->list[i].format;
        if (format->ops->restore)
            format->ops->restore(format);
    }
    records_clear(&formatted->records);
}
