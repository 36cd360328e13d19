/* Prints changes to standard output, one JSON line each: what `dump` does, and a sink to look at a route with.
 *
 * Lines are gathered and written when STDOUT_BUFFER bytes are there and at the end of each batch; a change is done when
 * the write took its bytes. Applied again, its line is printed again. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "change/format_sluice.h"
#include "sink/kinds.h"

#define STDOUT_BUFFER   ((size_t)256 * 1024)
#define STDOUT_LINE_MAX ((size_t)8 << 30) /* a row of the largest event with every byte escaped */

enum stdout_format { STDOUT_SLUICE };

enum stdout_geometry { STDOUT_WKB, STDOUT_GEOJSON };

struct stdout_options {
    int format, geometry;
};

static const struct option_name format_names[] = {{"sluice", STDOUT_SLUICE}, {NULL, 0}};

static const struct option_name geometry_names[] = {{"wkb", STDOUT_WKB}, {"geojson", STDOUT_GEOJSON}, {NULL, 0}};

static const struct option stdout_options[] = {
    {.name = "format",
     .type = OPTION_ENUM,
     .offset = offsetof(struct stdout_options, format),
     .text = "sluice",
     .names = format_names,
     .help = "Format of the lines; docs/formats.md describes them."},
    {.name = "geometry",
     .type = OPTION_ENUM,
     .offset = offsetof(struct stdout_options, geometry),
     .text = "wkb",
     .names = geometry_names,
     .help = "GEOMETRY as well-known binary in base64 beside its SRID, or as a GeoJSON object."},
    {.name = NULL},
};

struct stdout_sink {
    struct sink base;
    const struct env *env;
    struct format_options format;
    struct buf out;
    struct arena arena;
};

static int stdout_open(struct sink **out, const void *opt, const struct env *env, struct err *e)
{
    const struct stdout_options *options = opt;
    struct stdout_sink *to = calloc(1, sizeof *to);
    if (!to)
        return err_set(e, NO_MEMORY, sizeof *to);
    to->base.ops = &sink_stdout;
    to->env = env;
    to->format.geojson = options->geometry == STDOUT_GEOJSON;
    buf_init(&to->out, STDOUT_LINE_MAX);
    arena_init(&to->arena, 0, STDOUT_BUFFER, 0);
    *out = &to->base;
    return 0;
}

/* Writes all that is gathered; memory that one huge line took is given back. */
static int flush(struct stdout_sink *to, struct err *e)
{
    const struct file_ops *files = to->env->files;
    for (size_t done = 0; done < to->out.len;) {
        ssize_t n = files->write(to->env->ctx, STDOUT_FILENO, to->out.p + done, to->out.len - done);
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
    if (to->out.size > 4 * STDOUT_BUFFER)
        buf_release(&to->out);
    buf_clear(&to->out);
    return 0;
}

static int stdout_apply(struct sink *snk, struct item *items, size_t count, struct err *e)
{
    struct stdout_sink *to = (struct stdout_sink *)snk;
    buf_clear(&to->out);
    for (size_t i = 0; i < count; i++) {
        int rc = format_sluice_as(items[i].chg, &to->format, &to->out, &to->arena, e);
        arena_reset(&to->arena);
        if (rc != 0) {
            sink_wrap(e, &items[i]);
            return rc;
        }
        if (to->out.len >= STDOUT_BUFFER && (rc = flush(to, e)) != 0)
            return rc;
        items[i].verdict = V_DONE;
    }
    return flush(to, e);
}

static void stdout_close(struct sink *snk)
{
    struct stdout_sink *to = (struct stdout_sink *)snk;
    if (!to)
        return;
    buf_release(&to->out);
    arena_release(&to->arena);
    free(to);
}

const struct sink_ops sink_stdout = {
    .kind = "stdout",
    .flags = SINK_ONE_WORKER | SINK_CAN_SWEEP,
    .options_size = sizeof(struct stdout_options),
    .options = stdout_options,
    .open = stdout_open,
    .apply = stdout_apply,
    .close = stdout_close,
};
