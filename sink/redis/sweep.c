/* UNLINK in deep pipelines, and SCAN with UNLINK behind it. */
#include "sink/redis/sweep.h"

#include <stdlib.h>
#include <string.h>

#include "sink/redis/beside.h"
#include "sink/redis/fence.h"

#define SEND_BYTES ((size_t)64 * 1024)
#define SCAN_COUNT "512"

static void begin_unlink(struct redis_connection *conn, size_t keys)
{
    redis_command(conn, keys + 1);
    if (conn->has_unlink)
        redis_argument(conn, "UNLINK", 6);
    else
        redis_argument(conn, "DEL", 3);
}

/* One reply to UNLINK or DEL: how many were there. */
static int take_removed(struct redis_connection *conn, struct redis_stats *stats, struct err *e)
{
    uint64_t removed;
    int rc = redis_reply_number(conn, "UNLINK", &removed, e);
    if (rc == 0)
        metric_add(&stats->removed_total, removed);
    return rc;
}

int redis_unlink(struct redis_connection *conn, struct redis_keys *keys, struct redis_stats *stats, struct err *e)
{
    size_t in_flight = 0;
    int rc = 0;
    for (size_t done = 0; done < keys->count && rc == 0;) {
        size_t left = keys->count - done;
        size_t n = left < conn->opt->unlink_keys ? left : (size_t)conn->opt->unlink_keys;
        begin_unlink(conn, n);
        for (size_t i = done; i < done + n; i++)
            redis_argument(conn, keys->bytes.p + keys->list[i].at, keys->list[i].len);
        done += n;
        in_flight++;
        metric_add(&stats->commands_total, 1);
        if (done == keys->count || conn->out.len >= SEND_BYTES || conn->out.failed || in_flight >= conn->opt->pipeline)
            rc = redis_send(conn, e);
        for (; rc == 0 && in_flight >= conn->opt->pipeline; in_flight--)
            rc = take_removed(conn, stats, e);
    }
    for (; rc == 0 && in_flight; in_flight--)
        rc = take_removed(conn, stats, e);
    metric_add(&stats->keys_total, keys->count);
    metric_add(&stats->coalesced_total, keys->coalesced);
    keys->coalesced = 0;
    redis_keys_clear(keys);
    return rc;
}

/* One SCAN reply: [cursor, [key …]]: its keys, and the next cursor. */
#define CURSOR_MAX 32
static int take_scan(struct redis_connection *conn, char cursor[CURSOR_MAX], const struct reply **keys, struct err *e)
{
    const struct reply *reply;
    int rc = redis_reply(conn, &reply, e);
    if (rc != 0)
        return rc;
    if (reply->type == REPLY_ERROR)
        return reply_error(conn->address.name, reply, e);
    if (reply->type != REPLY_ARRAY || reply->count != 2 || reply->items[0]->type != REPLY_STRING ||
        reply->items[0]->len >= CURSOR_MAX || reply->items[1]->type != REPLY_ARRAY)
        return err_set(e, SINK_PROTOCOL, conn->address.name, "to SCAN");
    memcpy(cursor, reply->items[0]->text, reply->items[0]->len + 1);
    *keys = reply->items[1];
    for (size_t i = 0; i < (*keys)->count; i++)
        if ((*keys)->items[i]->type != REPLY_STRING)
            return err_set(e, SINK_PROTOCOL, conn->address.name, "to SCAN");
    return 0;
}

int redis_scan(struct redis_connection *conn, const struct buf *glob, redis_page *page, void *ctx, struct err *e)
{
    char cursor[CURSOR_MAX] = "0";
    const struct reply *keys = NULL;
    int rc;
    do {
        redis_command(conn, 6);
        redis_argument(conn, "SCAN", 4);
        redis_argument(conn, cursor, strlen(cursor));
        redis_argument(conn, "MATCH", 5);
        redis_argument(conn, glob->p, glob->len);
        redis_argument(conn, "COUNT", 5);
        redis_argument(conn, SCAN_COUNT, sizeof SCAN_COUNT - 1);
        reply_reader_allow(&conn->reader, true, REPLY_SCAN_BYTES_MAX);
        rc = redis_send(conn, e);
        if (rc == 0)
            rc = take_scan(conn, cursor, &keys, e);
        reply_reader_allow(&conn->reader, false, REPLY_BYTES_MAX);
        if (rc == 0 && keys->count)
            rc = page(ctx, conn, keys, e);
    } while (rc == 0 && strcmp(cursor, "0") != 0);
    return rc;
}

static int unlink_page(void *ctx, struct redis_connection *conn, const struct reply *keys, struct err *e)
{
    struct redis_stats *stats = ctx;
    begin_unlink(conn, keys->count);
    for (size_t i = 0; i < keys->count; i++)
        redis_argument(conn, keys->items[i]->text, keys->items[i]->len);
    metric_add(&stats->keys_total, keys->count);
    metric_add(&stats->commands_total, 1);
    int rc = redis_send(conn, e);
    return rc == 0 ? take_removed(conn, stats, e) : rc;
}

static int sweep_names(struct redis_connection *conn, const char *prefix, const struct buf *glob,
                       struct redis_stats *stats, struct err *e)
{
    struct buf names;
    int rc = 0;
    buf_init(&names, TEMPLATE_RENDERED_MAX + REDIS_FENCE_TOKEN_MAX);
    for (int tagged = 0; tagged <= 1 && rc == 0; tagged++) {
        redis_beside_as(prefix, glob->p, glob->len, tagged, &names);
        rc = names.failed ? err_set(e, NO_MEMORY, names.len) : redis_scan(conn, &names, unlink_page, stats, e);
    }
    buf_release(&names);
    return rc;
}

/* The records first: without one nobody fills, and who has filled already is met behind. */
static int sweep_fenced(struct redis_connection *conn, const struct buf *glob, struct redis_stats *stats, struct err *e)
{
    int rc = sweep_names(conn, REDIS_FENCE_PREFIX, glob, stats, e);
    return rc == 0 && conn->opt->old_ms ? sweep_names(conn, REDIS_OLD_PREFIX, glob, stats, e) : rc;
}

int redis_sweep(struct redis_connection *conn, const struct redis_route *route, struct redis_stats *stats,
                struct err *e)
{
    struct buf glob;
    int rc = 0;
    buf_init(&glob, TEMPLATE_RENDERED_MAX);
    for (unsigned i = 0; i < route->count && rc == 0; i++) {
        buf_clear(&glob);
        if (!template_glob(route->list[i].tpl, &glob))
            rc = err_set(e, SINK_SWEEP, template_source(route->list[i].tpl));
        else if (glob.failed)
            rc = err_set(e, NO_MEMORY, glob.len);
        else if (route->mode != REDIS_FENCE || (rc = sweep_fenced(conn, &glob, stats, e)) == 0)
            rc = redis_scan(conn, &glob, unlink_page, stats, e);
    }
    buf_release(&glob);
    return rc;
}
