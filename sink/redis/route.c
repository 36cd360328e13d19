/* Routes to Redis: their options, and what is bound of them to a table version. */
#include "sink/redis/route.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "sink/redis/form.h"

#define LONGEST_MS   INT64_C(31622400000) /* a year */
#define FIELD(name_) .offset = offsetof(struct redis_route_options, write.name_)

static const struct option_name modes[] = {{"invalidate", REDIS_INVALIDATE},
                                           {"second_delete", REDIS_SECOND_DELETE},
                                           {"fence", REDIS_FENCE},
                                           {"write", REDIS_WRITE},
                                           {"publish", REDIS_PUBLISH},
                                           {"stream", REDIS_STREAM},
                                           {NULL, 0}};
static const struct option_name forms[] = {{"json", REDIS_JSON}, {"hash", REDIS_HASH}, {"text", REDIS_TEXT}, {NULL, 0}};
static const struct option_name deletes[] = {
    {"delete", REDIS_DELETE}, {"expire", REDIS_EXPIRE}, {"keep", REDIS_KEEP}, {NULL, 0}};

const struct option redis_route_options[] = {
    {.name = "invalidate",
     .type = OPTION_LIST,
     .offset = offsetof(struct redis_route_options, invalidate),
     .help = "Templates of the keys to remove: \"order:{order_id}\", filters |lower |upper |trim |hex |default:TEXT; "
             "\"tag:{tags[*]}\" gives a key for each element of a JSON array. Rendered for the row before and after "
             "the change. Required, but for mode: write."},
    {.name = "when",
     .type = OPTION_LIST,
     .offset = offsetof(struct redis_route_options, when),
     .help =
         "Conditions that must all hold, else a change leaves the keys alone: \"status changed\", \"status = paid\", "
         "!=, \"status in paid, sent\", \"note is null\", \"is not null\". Comparisons hold when the row has it "
         "before or after the change; with mode: write a row is there while they hold."},
    {.name = "mode",
     .type = OPTION_ENUM,
     .offset = offsetof(struct redis_route_options, mode),
     .text = "invalidate",
     .names = modes,
     .help = "invalidate: keys are removed. second_delete: and once more second_delete_ms later. fence: they are "
             "removed so that no application can fill them with what it "
             "read before the change. write: the row itself is written. publish: they are left alone, and published. "
             "stream: an entry for each change (docs/consistency.md)."},
    {.name = "publish",
     .type = OPTION_STRING,
     .offset = offsetof(struct redis_route_options, publish),
     .help = "Channel of Redis on which the keys of `invalidate` and `write` are published behind their removal, for "
             "caches in the memory of applications."},
    {.name = "write",
     .type = OPTION_STRING,
     FIELD(key),
     .help = "mode: write: template of the key that is written; mode: stream: of the stream's."},
    {.name = "as",
     .type = OPTION_ENUM,
     FIELD(as),
     .text = "json",
     .names = forms,
     .help = "mode: write: a JSON object, a hash with a field per column (none for NULL), or a text by the template in "
             "`text`."},
    {.name = "columns",
     .type = OPTION_LIST,
     FIELD(columns),
     .help = "as: json or hash: what is written of the row, \"amount\" or \"amount as total\". Default: every column."},
    {.name = "text", .type = OPTION_STRING, FIELD(text), .help = "as: text: template of the value."},
    {.name = "ttl_ms",
     .type = OPTION_DURATION,
     FIELD(ttl_ms),
     .text = "0",
     .max = LONGEST_MS,
     .help = "mode: write: how long a value stays behind its last change. 0: for good."},
    {.name = "ttl_jitter_ms",
     .type = OPTION_DURATION,
     FIELD(ttl_jitter_ms),
     .text = "0",
     .max = LONGEST_MS,
     .help = "mode: write: up to so much longer, key by key, so that not all end at once."},
    {.name = "on_delete",
     .type = OPTION_ENUM,
     FIELD(on_delete),
     .text = "delete",
     .names = deletes,
     .help = "mode: write: what a deleted row leaves: nothing, its value for expire_ms, or its value for good."},
    {.name = "expire_ms",
     .type = OPTION_DURATION,
     FIELD(expire_ms),
     .text = "1m",
     .min = 1,
     .max = LONGEST_MS,
     .help = "on_delete: expire: how long the value stays."},
    {.name = "maxlen",
     .type = OPTION_UINT,
     FIELD(maxlen),
     .text = "100000",
     .max = INT64_MAX,
     .help = "mode: stream: about how many entries a stream keeps (MAXLEN ~). 0: all."},
    {.name = NULL},
};
#undef FIELD

int redis_ready_route(void *route_opt, struct config *cfg, struct err *e)
{
    const struct redis_route_options *opt = route_opt;
    const struct redis_write_options *write = &opt->write;
    (void)cfg;
    bool writes = opt->mode == REDIS_WRITE || opt->mode == REDIS_STREAM;
    if (!writes && opt->invalidate.count == 0)
        return err_set(e, CONFIG_VALUE, "invalidate", "it is required, but for mode: write and stream");
    if ((opt->mode == REDIS_PUBLISH && !opt->publish) || (opt->publish && !opt->publish[0]))
        return err_set(e, CONFIG_VALUE, "publish", "the name of a channel is needed");
    if (writes && !write->key)
        return err_set(e, CONFIG_VALUE, "write", "mode: write and stream need the template of the key");
    if (opt->mode == REDIS_STREAM && write->as == REDIS_HASH)
        return err_set(e, CONFIG_VALUE, "as", "an entry of a stream has the row as json or text");
    if (opt->mode == REDIS_STREAM && opt->publish)
        return err_set(e, CONFIG_VALUE, "publish", "not with mode: stream: a stream tells by itself");
    bool has_form = write->key || write->text || write->columns.count || write->as != REDIS_JSON;
    bool has_end = write->ttl_ms || write->ttl_jitter_ms || write->on_delete != REDIS_DELETE;
    if ((!writes && has_form) || (opt->mode != REDIS_WRITE && has_end))
        return err_set(e, CONFIG_VALUE, "mode",
                       "write, as, columns, text, ttl_ms, ttl_jitter_ms and on_delete are of mode: write");
    if (write->key && (write->as == REDIS_TEXT) != (write->text != NULL))
        return err_set(e, CONFIG_VALUE, "text", "as: text has it, other forms have not");
    if (write->text && write->columns.count)
        return err_set(e, CONFIG_VALUE, "columns", "as: text takes them from its template");
    if (write->ttl_jitter_ms && !write->ttl_ms)
        return err_set(e, CONFIG_VALUE, "ttl_jitter_ms", "it needs ttl_ms");
    return 0;
}

void redis_unbind(void *bind)
{
    struct redis_route *route = bind;
    for (unsigned i = 0; route && i < route->count; i++) {
        bound_template_free(route->list[i].bound);
        template_free(route->list[i].tpl);
    }
    for (unsigned i = 0; route && i < route->when_count; i++)
        redis_condition_release(&route->when[i]);
    if (route) {
        redis_form_free(route->write.form);
        bound_template_free(route->write.bound);
        template_free(route->write.key);
        free(route->when);
    }
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
        rc = template_compile_keys(&one->tpl, list->items[i], e);
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

/* Of the literal parts: a column may have another name one day. */
static int make_tag(struct redis_written *write, struct err *e)
{
    static const char digits[] = "0123456789abcdef";
    struct buf glob;
    buf_init(&glob, TEMPLATE_RENDERED_MAX);
    (void)template_glob(write->key, &glob);
    uint32_t crc = hash_crc32(0, glob.p, glob.len);
    for (int i = 0; i < REDIS_TAG_LEN; i++)
        write->tag[i] = digits[crc >> (28 - 4 * i) & 15];
    bool failed = glob.failed;
    buf_release(&glob);
    return failed ? err_set(e, NO_MEMORY, (size_t)TEMPLATE_RENDERED_MAX) : 0;
}

static int bind_written(struct redis_route *route, const struct redis_write_options *opt, const struct table *tbl,
                        struct err *e)
{
    struct redis_written *write = &route->write;
    write->opt = opt;
    int rc = template_compile(&write->key, opt->key, e);
    if (rc == 0)
        rc = make_tag(write, e);
    if (rc == 0 && tbl)
        rc = template_bind(&write->bound, write->key, tbl, e);
    return rc == 0 ? redis_form_new(&write->form, opt, tbl, e) : rc;
}

int redis_bind(void **out, const void *opt, const void *route_opt, const struct table *tbl, struct err *e)
{
    (void)opt;
    const struct redis_route_options *wanted = route_opt;
    const struct option_list *list = &wanted->invalidate;
    if (list->count > REDIS_TEMPLATES_MAX)
        return err_set(e, CONFIG_VALUE, "invalidate", "256 templates at most");
    size_t bytes = sizeof(struct redis_route) + list->count * sizeof(struct redis_template);
    struct redis_route *route = calloc(1, bytes);
    if (!route)
        return err_set(e, NO_MEMORY, bytes);
    route->mode = (enum redis_mode)wanted->mode;
    route->publish = wanted->publish;
    int rc = bind_templates(route, list, tbl, e);
    if (rc == 0)
        rc = bind_conditions(route, &wanted->when, tbl, e);
    if (rc == 0 && wanted->write.key)
        rc = bind_written(route, &wanted->write, tbl, e);
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
    if (!name && route->write.key)
        name = column_of(route->write.key, &n);
    return !name && route->write.form ? redis_form_reads(route->write.form, n) : name;
}

int redis_can_sweep(const void *bind, struct err *e)
{
    const struct redis_route *route = bind;
    struct buf glob;
    int rc = 0;
    if (route->publish)
        return err_set(e, CONFIG_VALUE, "publish", "a TRUNCATE names no keys: on_truncate: sweep cannot publish them");
    if (route->mode == REDIS_STREAM)
        return err_set(e, CONFIG_VALUE, "on_truncate", "sweep: a stream keeps what it tells");
    buf_init(&glob, TEMPLATE_RENDERED_MAX);
    for (unsigned i = 0; i < route->count && rc == 0; i++)
        if (!template_glob(route->list[i].tpl, &glob))
            rc = err_set(e, SINK_SWEEP, template_source(route->list[i].tpl));
    if (rc == 0 && route->write.key && !template_glob(route->write.key, &glob))
        rc = err_set(e, SINK_SWEEP, template_source(route->write.key));
    buf_release(&glob);
    return rc;
}

/* Whether two templates render keys of one form. */
static int have_one_form(const char *a, const char *b, struct err *e)
{
    struct template *tpl[2] = {NULL, NULL};
    struct buf glob[2];
    bool swept[2] = {false, false};
    int rc = 0;
    for (int i = 0; i < 2; i++) {
        buf_init(&glob[i], TEMPLATE_RENDERED_MAX);
        if (rc == 0)
            rc = template_compile(&tpl[i], i ? b : a, e);
        if (rc == 0)
            swept[i] = template_glob(tpl[i], &glob[i]);
        if (rc == 0 && glob[i].failed)
            rc = err_set(e, NO_MEMORY, (size_t)TEMPLATE_RENDERED_MAX);
    }
    if (rc == 0 && swept[0] && swept[1])
        rc = glob[0].len == glob[1].len && memcmp(glob[0].p, glob[1].p, glob[0].len) == 0;
    else if (rc == 0)
        rc = strcmp(a, b) == 0;
    for (int i = 0; i < 2; i++) {
        template_free(tpl[i]);
        buf_release(&glob[i]);
    }
    return rc;
}

/* Of two routes that write: keys of one form may be of two tables, between which a row may move, but not of one, and a
 * TRUNCATE of one would meet those of the other. */
static int check_pair(const struct route *a, const struct route *b, unsigned sink, struct err *e)
{
    const struct redis_route_options *one = a->sink_options[sink], *other = b->sink_options[sink];
    bool same_table = strcmp(a->db, b->db) == 0 && strcmp(a->table, b->table) == 0;
    bool sweeps = a->on_truncate == ON_TRUNCATE_SWEEP || b->on_truncate == ON_TRUNCATE_SWEEP;
    int rc = same_table || sweeps ? have_one_form(one->write.key, other->write.key, e) : 0;
    if (rc <= 0)
        return rc;
    if (same_table && strcmp(one->write.key, other->write.key) == 0)
        return err_set(e, CONFIG_VALUE, other->write.key, "another route of the table writes this key already");
    return sweeps ? err_set(e, CONFIG_VALUE, other->write.key,
                            "another route writes keys of this form: on_truncate: sweep would remove those too")
                  : 0;
}

static int check_sweep(const struct route *route, const struct redis_route_options *opt, struct err *e)
{
    if (route->on_truncate != ON_TRUNCATE_SWEEP || route_is_exact(route))
        return 0;
    return err_set(e, CONFIG_VALUE, opt->write.key,
                   "on_truncate: sweep would remove rows of other tables too: mode write needs one table here");
}

static bool writes_to(const struct route *route, unsigned sink)
{
    const struct redis_route_options *opt = route->sink_options[sink];
    return (route->sink_mask >> sink & 1) && opt->mode == REDIS_WRITE;
}

int redis_check_routes(void *options, const struct route *routes, unsigned count, unsigned sink, struct err *e)
{
    struct redis_options *opt = options;
    opt->has_second = opt->has_writes = false;
    for (unsigned i = 0; i < count; i++) {
        const struct redis_route_options *route = routes[i].sink_options[sink];
        if (!(routes[i].sink_mask >> sink & 1))
            continue;
        opt->has_second |= route->mode == REDIS_SECOND_DELETE;
        if (!writes_to(&routes[i], sink))
            continue;
        opt->has_writes = true;
        if (check_sweep(&routes[i], route, e) != 0)
            return err_wrap(e, "route at line %u", routes[i].line);
        for (unsigned j = 0; j < i; j++)
            if (writes_to(&routes[j], sink) && check_pair(&routes[j], &routes[i], sink, e) != 0)
                return err_wrap(e, "route at line %u", routes[i].line);
    }
    return 0;
}
