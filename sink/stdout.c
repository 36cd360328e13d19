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

#include "sink/formatted.h"
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

struct stdout_sink {
    struct sink base;
    const struct env *env;
    bool record_key;
    struct formatted formatted;
    struct buf lines; /* with keys */
};

static int stdout_open(struct sink **out, const void *opt, const struct sink_place *place, struct err *e)
{
    const struct stdout_options *options = opt;
    struct stdout_sink *to = calloc(1, sizeof *to);
    if (!to)
        return err_set(e, NO_MEMORY, sizeof *to);
    to->base.ops = &sink_stdout;
    to->env = place->env;
    to->record_key = options->record_key;
    formatted_init(&to->formatted, STDOUT_LINE_MAX);
    to->formatted.records.wants_keys = options->record_key;
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
    const uint8_t *p = to->formatted.records.text.p + record->at;
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
    const struct buf *text = &to->formatted.records.text;
    if (!is_ready(&to->formatted.records)) {
        buf_clear(&to->lines);
        for (size_t i = 0; i < to->formatted.records.count; i++)
            add_line(to, &to->formatted.records.list[i]);
        if (to->lines.failed)
            return err_set(e, NO_MEMORY, text->len);
        text = &to->lines;
    }
    int rc = write_all(to, text, e);
    if (to->formatted.records.text.size > 4 * STDOUT_BUFFER) {
        buf_release(&to->formatted.records.text);
        buf_release(&to->lines);
    }
    records_clear(&to->formatted.records);
    return rc;
}

static int apply_item(struct stdout_sink *to, struct item *item, size_t number, struct err *e)
{
    item->verdict = V_DONE;
    int rc = formatted_add(&to->formatted, item, number, e);
    return rc == 0 && to->formatted.records.text.len >= STDOUT_BUFFER ? flush(to, e) : rc;
}

static int stdout_apply(struct sink *snk, struct item *items, size_t count, struct err *e)
{
    struct stdout_sink *to = (struct stdout_sink *)snk;
    int rc = formatted_begin(&to->formatted, env_now_us(to->env), e);
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = apply_item(to, &items[i], i, e);
    if (rc == 0)
        rc = formatted_flush(&to->formatted, e);
    if (rc == 0)
        rc = flush(to, e);
    if (rc != 0)
        formatted_restore(&to->formatted);
    return rc;
}

static void stdout_close(struct sink *snk)
{
    struct stdout_sink *to = (struct stdout_sink *)snk;
    if (!to)
        return;
    formatted_release(&to->formatted);
    buf_release(&to->lines);
    free(to);
}

const struct sink_ops sink_stdout = {
    .kind = "stdout",
    .flags = SINK_ONE_WORKER | SINK_CAN_SWEEP | SINK_IN_ORDER,
    .options_size = sizeof(struct stdout_options),
    .options = stdout_options,
    .route_options_size = sizeof(struct format_choice),
    .route_options = formatted_route_options,
    .ready = formatted_ready,
    .same = formatted_same,
    .needs = formatted_needs,
    .bind = formatted_bind,
    .unbind = formatted_unbind,
    .open = stdout_open,
    .apply = stdout_apply,
    .close = stdout_close,
};
