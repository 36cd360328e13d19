/* What record keys name: which routes allow tombstones and compacted topics. */
#include <stdio.h>
#include <string.h>

#include "change/format_sluice.h"
#include "sink/kafka/kafka.h"

/* True when rows of several tables may meet in one topic. */
static bool tables_meet(const struct kafka_options *opt, const struct route *routes, unsigned count, unsigned sink)
{
    const struct route *first = NULL;
    if (strstr(opt->topic, "{db}.{table}"))
        return false; /* without the dot two tables may give one name */
    for (unsigned i = 0; i < count; i++) {
        if (!(routes[i].sink_mask >> sink & 1))
            continue;
        if (!route_is_exact(&routes[i]))
            return true;
        if (first && (strcmp(first->db, routes[i].db) != 0 || strcmp(first->table, routes[i].table) != 0))
            return true;
        first = &routes[i];
    }
    return false;
}

/* Why the newest message of a key is not all that a compacted topic must keep; NULL: it is. */
static const char *key_is_short(const struct kafka_options *opt, const struct route *route, unsigned sink, bool meet)
{
    const struct format_choice *choice = route->sink_options[sink];
    enum format_key key = choice->ops->key ? choice->ops->key(choice->options) : FORMAT_KEY_NONE;
    if (formatted_needs(choice) & (FORMAT_NEEDS_STATEMENTS | FORMAT_NEEDS_TRANSACTIONS))
        return "statements and transactions have no key of a row";
    if (route->on_truncate == ON_TRUNCATE_SWEEP && choice->ops == &format_sluice_ops)
        return "a TRUNCATE (on_truncate: sweep) has no key";
    if (formatted_needs(choice) & FORMAT_NEEDS_WHOLE_EVENTS)
        return "messages of several rows have no key";
    switch ((enum kafka_record_key)opt->record_key) {
    case KAFKA_KEY_PRIMARY:
        return NULL;
    case KAFKA_KEY_BUSINESS:
        if (meet)
            return "record_key business does not tell the tables of this topic apart";
        return route->key ? "the route's key may be that of many rows" : NULL;
    default:
        if (key == FORMAT_KEY_NONE)
            return "this format sets no key";
        return key == FORMAT_KEY_ROW && meet ? "keys of this format do not tell the tables of this topic apart" : NULL;
    }
}

/* END tells how many records a transaction has: each change is one. */
static int check_bounds(const struct route *routes, unsigned count, unsigned sink, struct err *e)
{
    const struct format_choice *first = NULL;
    for (unsigned i = 0; i < count; i++) {
        if (!(routes[i].sink_mask >> sink & 1))
            continue;
        const struct format_choice *choice = routes[i].sink_options[sink];
        if (choice->ops != &format_sluice_ops || (first && first != choice))
            return err_set(e, CONFIG_VALUE, "transaction_topic",
                           "needs sluice's own format, with the same format_options in all routes of the sink");
        first = choice;
    }
    return 0;
}

int kafka_check_routes(void *options, const struct route *routes, unsigned count, unsigned sink, struct err *e)
{
    struct kafka_options *opt = options;
    bool meet = tables_meet(opt, routes, count, sink);
    opt->routes = routes;
    opt->route_count = count;
    opt->sink = sink;
    opt->not_compacted = NULL;
    if (opt->dead_letter_topic && !opt->reads && opt->oversize != KAFKA_OVERSIZE_DEAD_LETTER)
        return err_set(e, CONFIG_VALUE, "dead_letter_topic", "a sink uses it with oversize: dead_letter only");
    for (unsigned i = 0; i < count; i++) {
        if (!(routes[i].sink_mask >> sink & 1))
            continue;
        const struct format_choice *choice = routes[i].sink_options[sink];
        const char *why = key_is_short(opt, &routes[i], sink, meet);
        bool ends =
            opt->record_key == KAFKA_KEY_PEER && choice->ops->tombstones && choice->ops->tombstones(choice->options);
        if (ends && meet && choice->ops->key(choice->options) == FORMAT_KEY_ROW)
            return err_set(e, KAFKA_TOMBSTONES, opt->topic);
        if (opt->oversize == KAFKA_OVERSIZE_KEYS_ONLY && choice->ops != &format_sluice_ops)
            return err_set(e, CONFIG_VALUE, "oversize",
                           "keys_only needs sluice's own format, which can name what it lacks");
        if (why && !opt->not_compacted)
            opt->not_compacted = why;
    }
    return opt->transaction_topic ? check_bounds(routes, count, sink, e) : 0;
}
