/* XADD. */
#include "sink/redis/stream.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ENOUGH_BYTES ((size_t)1024 * 1024)
#define KEPT_BYTES   ((size_t)4 * 1024 * 1024) /* memory that large rows took is given back */

void redis_stream_init(struct redis_stream *stream, enum sink_purpose purpose)
{
    *stream = (struct redis_stream){.is_silent = purpose != SINK_FOLLOWS};
    buf_init(&stream->commands, REDIS_OUT_MAX);
    buf_init(&stream->key, TEMPLATE_RENDERED_MAX);
    buf_init(&stream->name, 0);
    redis_args_init(&stream->args);
}

void redis_stream_release(struct redis_stream *stream)
{
    buf_release(&stream->commands);
    buf_release(&stream->key);
    buf_release(&stream->name);
    redis_args_release(&stream->args);
}

void redis_stream_clear(struct redis_stream *stream)
{
    if (stream->commands.size > KEPT_BYTES)
        buf_release(&stream->commands);
    if (stream->args.bytes.size > KEPT_BYTES)
        buf_release(&stream->args.bytes);
    buf_clear(&stream->commands);
    buf_clear(&stream->args.bytes);
    stream->count = 0;
}

bool redis_stream_is_enough(const struct redis_stream *stream, const struct redis_options *opt)
{
    return stream->count >= opt->pipeline || stream->commands.len >= ENOUGH_BYTES;
}

static void add(struct redis_stream *stream, const char *text)
{
    redis_add_argument(&stream->commands, text, strlen(text));
}

/* `row` is a whole argument already. */
static int add_entry(struct redis_stream *stream, const struct redis_route *route, const struct change *chg,
                     const struct buf *row, struct err *e)
{
    uint64_t maxlen = route->write.opt->maxlen;
    char head[16], limit[24], version[VERSION_TEXT_LEN];
    size_t at = stream->commands.len;
    int len = snprintf(head, sizeof head, "*%d\r\n", maxlen ? 14 : 11);
    buf_add(&stream->commands, head, (size_t)len);
    add(stream, "XADD");
    redis_add_argument(&stream->commands, stream->key.p, stream->key.len);
    if (maxlen) {
        snprintf(limit, sizeof limit, "%" PRIu64, maxlen);
        add(stream, "MAXLEN");
        add(stream, "~");
        add(stream, limit);
    }
    add(stream, "*");
    add(stream, "op");
    add(stream, change_op_name(chg->op));
    add(stream, "version");
    version_print(&chg->version, version);
    redis_add_argument(&stream->commands, version, sizeof version);
    add(stream, "table");
    buf_clear(&stream->name);
    buf_printf(&stream->name, "%s.%s", chg->db, chg->table);
    redis_add_argument(&stream->commands, stream->name.p, stream->name.len);
    add(stream, "row");
    buf_add(&stream->commands, row->p, row->len);
    if (!stream->commands.failed && !stream->name.failed) {
        stream->count++;
        return 0;
    }
    stream->commands.len = at;
    stream->commands.failed = false;
    return err_set(e, LIMIT, "the entries of a batch for Redis", row->len, REDIS_OUT_MAX);
}

int redis_stream_add(struct redis_stream *stream, struct redis_keys *keys, const struct redis_route *route,
                     const struct change *chg, struct err *e)
{
    struct redis_args *args = &stream->args;
    enum side side = chg->after.bytes ? SIDE_AFTER : SIDE_BEFORE;
    size_t count;
    if (stream->is_silent || chg->flags & CHANGE_FROM)
        return 0;
    buf_clear(&stream->key);
    buf_clear(&args->bytes);
    int rc = 1;
    if (route->when_count)
        rc = redis_conditions_hold(route->when, route->when_count, chg, &keys->arena, &keys->other, e);
    if (rc > 0)
        rc = redis_key_render(keys, route->write.bound, chg, side, &stream->key, e);
    if (rc > 0)
        rc = redis_form_render(route->write.form, chg, side, args, &count, e);
    return rc > 0 ? add_entry(stream, route, chg, &args->bytes, e) : rc;
}

/* The reply to one XADD is the entry's ID. */
static int take_id(struct redis_connection *conn, struct err *e)
{
    const struct reply *reply;
    int rc = redis_reply(conn, &reply, e);
    if (rc != 0)
        return rc;
    if (reply->type == REPLY_ERROR)
        return reply_error(conn->address.name, reply, e);
    return reply->type == REPLY_STRING ? 0 : err_set(e, SINK_PROTOCOL, conn->address.name, "to XADD no ID");
}

int redis_stream_flush(struct redis_stream *stream, struct redis_connection *conn, struct redis_stats *stats,
                       struct err *e)
{
    buf_add(&conn->out, stream->commands.p, stream->commands.len);
    int rc = redis_send(conn, e);
    for (size_t i = 0; i < stream->count && rc == 0; i++)
        rc = take_id(conn, e);
    metric_add(&stats->commands_total, stream->count);
    if (rc == 0)
        metric_add(&stats->streamed_total, stream->count);
    redis_stream_clear(stream);
    return rc;
}
