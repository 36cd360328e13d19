/* Second removals. */
#include "sink/redis/again.h"

#include <stdlib.h>
#include <string.h>

#define SEND_KEYS 256   /* of one call */
#define TAKE_KEYS "512" /* likewise */
#define LOOK_MS   10000 /* for what others have left */
#define WHAT      "second removals on a Redis before version 5"

/* KEYS: the set, key, key, …; ARGV: delay in ms, most keys in the set. How many keys were there; -1: the set is full.
 */
static const char add_text[] = "if redis.call('ZCARD', KEYS[1]) + #KEYS - 1 > tonumber(ARGV[2]) then return -1 end\n"
                               "local t = redis.call('TIME')\n"
                               "local due = string.format('%d', t[1] * 1000 + math.floor(t[2] / 1000) + ARGV[1])\n"
                               "local removed = 0\n"
                               "local failed\n"
                               "for i = 2, #KEYS do\n"
                               "  local noted = redis.pcall('ZADD', KEYS[1], due, KEYS[i])\n"
                               "  if type(noted) == 'table' and noted.err then failed = noted end\n"
                               "  removed = removed + redis.call('UNLINK', KEYS[i])\n"
                               "end\n"
                               "return failed or removed\n";

/* KEYS: the set; ARGV: most keys to take. How many were taken, and ms until the next is due; -1: there is none. */
static const char take_text[] =
    "local t = redis.call('TIME')\n"
    "local now = t[1] * 1000 + math.floor(t[2] / 1000)\n"
    "local keys = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%d', now), 'LIMIT', 0, ARGV[1])\n"
    "for _, key in ipairs(keys) do\n"
    "  redis.call('UNLINK', key)\n"
    "  redis.call('ZREM', KEYS[1], key)\n"
    "end\n"
    "local next = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')\n"
    "return {#keys, next[2] and math.max(tonumber(next[2]) - now, 0) or -1}\n";

int redis_again_init(struct redis_again *again, const char *sink, struct err *e)
{
    *again = (struct redis_again){.add = {.text = add_text}, .take = {.text = take_text}};
    buf_init(&again->set, 0);
    buf_text(&again->set, "sluice:due:{");
    buf_text(&again->set, sink);
    buf_byte(&again->set, '}');
    return again->set.failed ? err_set(e, NO_MEMORY, strlen(sink)) : 0;
}

void redis_again_release(struct redis_again *again)
{
    buf_release(&again->set);
}

static void soon(struct redis_again *again, const struct redis_connection *conn, uint64_t ms)
{
    int64_t at = env_mono_us(conn->env) + (int64_t)ms * 1000;
    again->next_us = at < again->next_us ? at : again->next_us;
}

/* 1: noted; 0: the set is full. */
static int take_added(struct redis_again *again, struct redis_connection *conn, struct redis_stats *stats,
                      struct err *e)
{
    const struct reply *reply;
    int rc = redis_script_reply(&again->add, conn, &reply, e);
    if (rc != 0)
        return rc;
    if (reply->type != REPLY_INTEGER || reply->integer < -1)
        return err_set(e, SINK_PROTOCOL, conn->address.name, "to EVALSHA no number");
    if (reply->integer < 0)
        return 0;
    metric_add(&stats->removed_total, (uint64_t)reply->integer);
    return 1;
}

/* 1, 0 (full), or negative. */
static int add_call(struct redis_again *again, struct redis_connection *conn, const struct redis_keys *keys,
                    size_t first, size_t n, struct redis_stats *stats, struct err *e)
{
    redis_script_call(&again->add, conn, n + 1, 2);
    redis_argument(conn, again->set.p, again->set.len);
    for (const struct redis_key *key = &keys->list[first]; key < &keys->list[first + n]; key++)
        redis_argument(conn, keys->bytes.p + key->at, key->len);
    redis_script_number(conn, conn->opt->second_delete_ms);
    redis_script_number(conn, conn->opt->second_delete_max);
    metric_add(&stats->commands_total, 1);
    int rc = redis_send(conn, e);
    return rc == 0 ? take_added(again, conn, stats, e) : rc;
}

/* Takes what is due; *wait_ms: until the next is; negative: none. */
static int take_due(struct redis_again *again, struct redis_connection *conn, struct redis_stats *stats,
                    long long *wait_ms, struct err *e)
{
    const struct reply *reply;
    int rc = redis_script_load(&again->take, conn, WHAT, e);
    if (rc != 0)
        return rc;
    redis_script_call(&again->take, conn, 1, 1);
    redis_argument(conn, again->set.p, again->set.len);
    redis_argument(conn, TAKE_KEYS, sizeof TAKE_KEYS - 1);
    metric_add(&stats->commands_total, 1);
    reply_reader_allow(&conn->reader, true, REPLY_BYTES_MAX);
    rc = redis_send(conn, e);
    if (rc == 0)
        rc = redis_script_reply(&again->take, conn, &reply, e);
    reply_reader_allow(&conn->reader, false, REPLY_BYTES_MAX);
    if (rc != 0)
        return rc;
    if (reply->type != REPLY_ARRAY || reply->count != 2 || reply->items[0]->type != REPLY_INTEGER ||
        reply->items[1]->type != REPLY_INTEGER)
        return err_set(e, SINK_PROTOCOL, conn->address.name, "to EVALSHA no two numbers");
    metric_add(&stats->second_total, (uint64_t)reply->items[0]->integer);
    *wait_ms = reply->items[1]->integer;
    return 0;
}

int redis_again_add(struct redis_again *again, struct redis_connection *conn, struct redis_keys *keys,
                    struct redis_stats *stats, struct err *e)
{
    long long wait_ms;
    int rc = keys->count ? redis_script_load(&again->add, conn, WHAT, e) : 0;
    for (size_t done = 0, n; done < keys->count && rc == 0; done += n) {
        n = keys->count - done < SEND_KEYS ? keys->count - done : SEND_KEYS;
        int added = add_call(again, conn, keys, done, n, stats, e);
        if (added == 0 && (rc = take_due(again, conn, stats, &wait_ms, e)) == 0)
            added = add_call(again, conn, keys, done, n, stats, e);
        if (rc == 0 && added == 0)
            rc = err_set(e, SINK_NOT_READY, conn->address.name, "second_delete_max keys wait to be removed again");
        rc = added < 0 ? added : rc;
    }
    soon(again, conn, conn->opt->second_delete_ms);
    metric_add(&stats->keys_total, keys->count);
    metric_add(&stats->coalesced_total, keys->coalesced);
    keys->coalesced = 0;
    redis_keys_clear(keys);
    return rc;
}

int redis_again_tend(struct redis_again *again, struct redis_connection *conn, struct redis_stats *stats,
                     int64_t *due_us, struct err *e)
{
    int rc = 0;
    while (rc == 0 && env_mono_us(conn->env) >= again->next_us) {
        long long wait_ms = 0;
        rc = take_due(again, conn, stats, &wait_ms, e);
        if (rc == 0 && wait_ms != 0) {
            again->next_us = INT64_MAX;
            soon(again, conn, wait_ms < 0 || wait_ms > LOOK_MS ? LOOK_MS : (uint64_t)wait_ms);
        }
    }
    *due_us = again->next_us;
    return rc;
}
