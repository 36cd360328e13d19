/* Keys as messages. */
#include "sink/redis/publish.h"

#include <string.h>

#define SEND_BYTES ((size_t)64 * 1024)

void redis_publish_release(struct redis_publish *publish)
{
    redis_keys_release(&publish->messages);
    redis_keys_release(&publish->change);
}

void redis_publish_clear(struct redis_publish *publish)
{
    redis_keys_clear(&publish->messages);
    redis_keys_clear(&publish->change);
}

static int make(struct redis_publish *publish, struct err *e)
{
    if (!publish->messages.list && redis_keys_init(&publish->messages, e) != 0)
        return err_result(e);
    return publish->change.list ? 0 : redis_keys_init(&publish->change, e);
}

/* Of the image, where it is in the set of rows that are written. */
static int add_written(struct redis_publish *publish, const struct redis_route *route, const struct change *chg,
                       enum side side, struct err *e)
{
    struct redis_keys *keys = &publish->change;
    size_t at = keys->bytes.len;
    if (!(side == SIDE_BEFORE ? &chg->before : &chg->after)->bytes)
        return 0;
    int rc = redis_conditions_hold_on(route->when, route->when_count, chg, side, &keys->arena, &keys->other, e);
    if (rc > 0)
        rc = redis_key_render(keys, route->write.bound, chg, side, &keys->bytes, e);
    if (rc > 0 && redis_keys_room(keys, e) != 0)
        return err_result(e);
    if (rc > 0)
        (void)redis_keys_take(keys, at);
    return rc < 0 ? rc : 0;
}

int redis_publish_add(struct redis_publish *publish, const struct redis_route *route, const struct change *chg,
                      struct err *e)
{
    struct redis_keys *to = &publish->messages, *from = &publish->change;
    size_t channel = strlen(route->publish) + 1;
    if (make(publish, e) != 0)
        return err_result(e);
    redis_keys_clear(from);
    int rc = redis_keys_add(from, route, chg, e);
    if (rc == 0 && route->write.key)
        rc = add_written(publish, route, chg, SIDE_BEFORE, e);
    if (rc == 0 && route->write.key)
        rc = add_written(publish, route, chg, SIDE_AFTER, e);
    for (size_t i = 0; i < from->count && rc == 0; i++) {
        size_t at = to->bytes.len;
        buf_add(&to->bytes, route->publish, channel);
        buf_add(&to->bytes, from->bytes.p + from->list[i].at, from->list[i].len);
        if (to->bytes.failed)
            return err_set(e, NO_MEMORY, from->list[i].len);
        if (redis_keys_room(to, e) != 0)
            return err_result(e);
        (void)redis_keys_take(to, at);
    }
    return rc;
}

int redis_publish_flush(struct redis_publish *publish, struct redis_connection *conn, struct redis_stats *stats,
                        struct err *e)
{
    struct redis_keys *keys = &publish->messages;
    size_t in_flight = 0;
    uint64_t heard;
    int rc = 0;
    for (size_t i = 0; i < keys->count && rc == 0; i++) {
        const char *channel = (const char *)keys->bytes.p + keys->list[i].at;
        size_t len = strlen(channel);
        redis_command(conn, 3);
        redis_argument(conn, "PUBLISH", 7);
        redis_argument(conn, channel, len);
        redis_argument(conn, channel + len + 1, keys->list[i].len - len - 1);
        in_flight++;
        if (i + 1 < keys->count && conn->out.len < SEND_BYTES && in_flight < conn->opt->pipeline)
            continue;
        rc = redis_send(conn, e);
        for (; rc == 0 && in_flight; in_flight--)
            rc = redis_reply_number(conn, "PUBLISH", &heard, e);
    }
    metric_add(&stats->published_total, keys->count);
    redis_keys_clear(keys);
    return rc;
}
