/* Prints changes to standard output, one line per record of a route's format: what `dump` does, and a sink to look at a
 * route with.
 *
 * Lines are gathered and written when STDOUT_BUFFER bytes are there and at the end of each batch; a change is done when
 * the write took its bytes. Applied again, its lines are printed again. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sink/kinds.h"

#define STDOUT_BUFFER   ((size_t)256 * 1024)
#define STDOUT_LINE_MAX ((size_t)8 << 30) /* a row of the largest event with every byte escaped */

struct stdout_options {
    bool record_key;
};

static const struct option stdout_options[] = {
    {.name = "record_key",
     .type = OPTION_BOOL,
     .offset = offsetof(struct stdout_options, record_key),
     .text = "false",
     .help = "Each line begins with the key of its record and, where the format has them, the headers, with a tab "
             "behind each."},
    {.name = NULL},
};

#define ROUTE(name_) .offset = offsetof(struct format_choice, name_)
static const struct option stdout_route_options[] = {
    {.name = "format",
     .type = OPTION_STRING,
     ROUTE(name),
     .text = "sluice",
     .help = "Format of the lines: sluice, canal, debezium or maxwell; docs/formats.md describes them."},
    {.name = "format_options", .type = OPTION_LIST, ROUTE(given), .help = "Options of the format, each as name=value."},
    {.name = NULL},
};

/* A format of a route at work. */
struct stdout_format {
    const struct format_choice *choice;
    struct format *format;
};

struct stdout_sink {
    struct sink base;
    const struct env *env;
    bool record_key;
    struct stdout_format *formats; /* as many as there were choices so far */
    size_t format_count;
    struct record_list records;
    struct buf lines; /* with keys */
};

/* What a route's format made of a table version. */
struct stdout_bind {
    const struct format_choice *choice;
    unsigned needs;
    void *bound;
};

static int stdout_ready(void *route_opt, struct config *cfg, struct err *e)
{
    return format_choose(route_opt, cfg, e);
}

static unsigned stdout_needs(const void *route_opt)
{
    const struct format_choice *choice = route_opt;
    return choice->ops->needs ? choice->ops->needs(choice->options) : 0;
}

static void stdout_unbind(void *bind)
{
    struct stdout_bind *own = bind;
    if (!own)
        return;
    if (own->choice->ops->unbind)
        own->choice->ops->unbind(own->bound);
    free(own);
}

static int stdout_bind(void **out, const void *opt, const void *route_opt, const struct table *tbl, struct err *e)
{
    const struct format_choice *choice = route_opt;
    struct stdout_bind *own = calloc(1, sizeof *own);
    (void)opt;
    if (!own)
        return err_set(e, NO_MEMORY, sizeof *own);
    own->choice = choice;
    own->needs = stdout_needs(choice);
    int rc = tbl && choice->ops->bind ? choice->ops->bind(&own->bound, choice->options, tbl, e) : 0;
    if (rc != 0) {
        free(own);
        return rc;
    }
    *out = own;
    return 0;
}

static int stdout_open(struct sink **out, const void *opt, const struct env *env, struct err *e)
{
    const struct stdout_options *options = opt;
    struct stdout_sink *to = calloc(1, sizeof *to);
    if (!to)
        return err_set(e, NO_MEMORY, sizeof *to);
    to->base.ops = &sink_stdout;
    to->env = env;
    to->record_key = options->record_key;
    records_init(&to->records, STDOUT_LINE_MAX);
    to->records.wants_keys = options->record_key;
    buf_init(&to->lines, 0);
    *out = &to->base;
    return 0;
}

static int write_all(struct stdout_sink *to, const struct buf *text, struct err *e)
{
    const struct file_ops *files = to->env->files;
    for (size_t done = 0; done < text->len;) {
        ssize_t n = files->write(to->env->ctx, STDOUT_FILENO, text->p + done, text->len - done);
        if (n < 0 && errno == EPIPE)
            return err_set(e, PIPE_CLOSED);
        if (n < 0 && errno == EAGAIN) {
            struct pollfd wait = {.fd = STDOUT_FILENO, .events = POLLOUT};
            (void)poll(&wait, 1, -1);
        } else if (n < 0 && errno != EINTR)
            return err_set(e, SINK_WRITE, "standard output", strerror(errno));
        if (n > 0)
            done += (size_t)n;
    }
    return 0;
}

/* True when the text of the records is the lines. */
static bool is_ready(const struct record_list *records)
{
    for (size_t i = 0; i < records->count; i++)
        if (records->list[i].key_len != RECORD_NONE || records->list[i].value_len == RECORD_NONE)
            return false;
    return !records->wants_keys;
}

static const uint8_t *add_part(struct buf *out, const uint8_t *p, size_t len)
{
    if (len == RECORD_NONE) {
        buf_text(out, "null");
        return p;
    }
    buf_add(out, p, len);
    return p + len;
}

/* KEY, TAB, HEADERS when there are any, TAB, VALUE. */
static void add_line(struct stdout_sink *to, const struct record *record)
{
    const uint8_t *p = to->records.text.p + record->at;
    if (to->record_key) {
        p = add_part(&to->lines, p, record->key_len);
        buf_byte(&to->lines, '\t');
        if (record->headers_len) {
            p = add_part(&to->lines, p, record->headers_len);
            buf_byte(&to->lines, '\t');
        }
    } else {
        p += (record->key_len == RECORD_NONE ? 0 : record->key_len) + record->headers_len;
    }
    add_part(&to->lines, p, record->value_len);
    buf_byte(&to->lines, '\n');
}

/* Writes all that is gathered; memory that one huge line took is given back. */
static int flush(struct stdout_sink *to, struct err *e)
{
    const struct buf *text = &to->records.text;
    if (!is_ready(&to->records)) {
        buf_clear(&to->lines);
        for (size_t i = 0; i < to->records.count; i++)
            add_line(to, &to->records.list[i]);
        if (to->lines.failed)
            return err_set(e, NO_MEMORY, text->len);
        text = &to->lines;
    }
    int rc = write_all(to, text, e);
    if (to->records.text.size > 4 * STDOUT_BUFFER) {
        buf_release(&to->records.text);
        buf_release(&to->lines);
    }
    records_clear(&to->records);
    return rc;
}

/* The instance of a route's format, opened at its first change. */
static int find_format(struct stdout_sink *to, const struct format_choice *choice, struct format **out, struct err *e)
{
    for (size_t i = 0; i < to->format_count; i++)
        if (to->formats[i].choice == choice) {
            *out = to->formats[i].format;
            return 0;
        }
    struct stdout_format *grown = realloc(to->formats, (to->format_count + 1) * sizeof *grown);
    if (!grown)
        return err_set(e, NO_MEMORY, (to->format_count + 1) * sizeof *grown);
    to->formats = grown;
    int rc = choice->ops->open(out, choice->options, e);
    if (rc == 0)
        to->formats[to->format_count++] = (struct stdout_format){choice, *out};
    return rc;
}

/* What another route's format has asked for is nothing to this one. */
static bool is_asked_for(const struct stdout_bind *bind, enum change_op op)
{
    if (op == CHANGE_BEGIN || op == CHANGE_END)
        return bind->needs & FORMAT_NEEDS_TRANSACTIONS;
    return op != CHANGE_STATEMENT || bind->needs & FORMAT_NEEDS_STATEMENTS;
}

static int apply_item(struct stdout_sink *to, struct item *item, size_t number, struct err *e)
{
    const struct stdout_bind *bind = item->bind;
    struct format *format = NULL;
    item->verdict = V_DONE;
    if (!is_asked_for(bind, item->chg->op))
        return 0;
    int rc = find_format(to, bind->choice, &format, e);
    if (rc == 0)
        rc = format->ops->add(format, item->chg, bind->bound, number, &to->records, e);
    if (rc != 0) {
        sink_wrap(e, item);
        return rc;
    }
    return to->records.text.len >= STDOUT_BUFFER ? flush(to, e) : 0;
}

/* The records of what the formats keep. */
static int flush_formats(struct stdout_sink *to, struct err *e)
{
    int rc = 0;
    for (size_t i = 0; i < to->format_count && rc == 0; i++) {
        struct format *format = to->formats[i].format;
        if (format->ops->flush)
            rc = format->ops->flush(format, &to->records, e);
    }
    return rc;
}

static int stdout_apply(struct sink *snk, struct item *items, size_t count, struct err *e)
{
    struct stdout_sink *to = (struct stdout_sink *)snk;
    int rc = 0;
    records_clear(&to->records);
    to->records.now_us = env_now_us(to->env);
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = apply_item(to, &items[i], i, e);
    if (rc == 0)
        rc = flush_formats(to, e);
    if (rc == 0)
        return flush(to, e);
    (void)flush_formats(to, NULL); /* what they keep comes again with the batch */
    records_clear(&to->records);
    return rc;
}

static void stdout_close(struct sink *snk)
{
    struct stdout_sink *to = (struct stdout_sink *)snk;
    if (!to)
        return;
    for (size_t i = 0; i < to->format_count; i++)
        to->formats[i].format->ops->close(to->formats[i].format);
    free(to->formats);
    records_release(&to->records);
    buf_release(&to->lines);
    free(to);
}

const struct sink_ops sink_stdout = {
    .kind = "stdout",
    .flags = SINK_ONE_WORKER | SINK_CAN_SWEEP | SINK_IN_ORDER,
    .options_size = sizeof(struct stdout_options),
    .options = stdout_options,
    .route_options_size = sizeof(struct format_choice),
    .route_options = stdout_route_options,
    .ready = stdout_ready,
    .needs = stdout_needs,
    .bind = stdout_bind,
    .unbind = stdout_unbind,
    .open = stdout_open,
    .apply = stdout_apply,
    .close = stdout_close,
};
