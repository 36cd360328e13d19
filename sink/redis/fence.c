/* Fences: tokens, record names, the script. */
#include "sink/redis/fence.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sink/redis/beside.h"

#define SEND_BYTES ((size_t)64 * 1024)
#define PAIRS_MAX  128 /* of one call: the server does nothing else meanwhile */

/* KEYS: key, record, and with old_ms the key's old name; and so on. ARGV: token, hold_ms, fence_ttl in ms, old_ms. How
 * many keys were there. */
static const char text[] = "local t = redis.call('TIME')\n"
                           "local now = string.format('%d', t[1] * 1000 + math.floor(t[2] / 1000))\n"
                           "local keeps = ARGV[4] ~= '0'\n"
                           "local removed = 0\n"
                           "for i = 1, #KEYS, keeps and 3 or 2 do\n"
                           "  local record = ARGV[1] .. i .. ' ' .. now .. ' ' .. ARGV[2]\n"
                           "  local set = redis.pcall('SET', KEYS[i + 1], record, 'PX', ARGV[3])\n"
                           "  if set.err and not string.find(set.err, 'OOM', 1, true) then return set end\n"
                           "  if set.err then redis.call('DEL', KEYS[i + 1]) end\n"
                           "  if keeps and redis.call('EXISTS', KEYS[i]) == 1 then\n"
                           "    redis.call('UNLINK', KEYS[i + 2])\n"
                           "    redis.call('RENAME', KEYS[i], KEYS[i + 2])\n"
                           "    redis.call('PEXPIRE', KEYS[i + 2], ARGV[4])\n"
                           "    removed = removed + 1\n"
                           "  elseif not keeps then\n"
                           "    removed = removed + redis.call('UNLINK', KEYS[i])\n"
                           "  end\n"
                           "end\n"
                           "return removed\n";

void redis_fence_init(struct redis_fence *fence, const struct env *env)
{
    uint8_t bytes[16];
    *fence = (struct redis_fence){.script = {.text = text}};
    env->random(env->ctx, bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(fence->seed + 2 * i, 3, "%02x", bytes[i]);
}

static int take_fenced(struct redis_fence *fence, struct redis_connection *conn, struct redis_stats *stats,
                       struct err *e)
{
    const struct reply *reply;
    int rc = redis_script_reply(&fence->script, conn, &reply, e);
    if (rc != 0)
        return rc;
    if (reply->type != REPLY_INTEGER || reply->integer < 0)
        return err_set(e, SINK_PROTOCOL, conn->address.name, "to EVALSHA no number");
    metric_add(&stats->removed_total, (uint64_t)reply->integer);
    return 0;
}

static void add_name(struct redis_connection *conn, const char *prefix, struct redis_keys *keys,
                     const struct redis_key *key)
{
    const uint8_t *p = keys->bytes.p + key->at;
    redis_beside(prefix, p, key->len, &keys->other);
    conn->out.failed |= keys->other.failed;
    redis_argument(conn, keys->other.p, keys->other.len);
}

/* One call for `n` keys from `first` on. */
static void add_call(struct redis_fence *fence, struct redis_connection *conn, struct redis_keys *keys, size_t first,
                     size_t n)
{
    char token[REDIS_FENCE_TOKEN_MAX];
    const struct redis_options *opt = conn->opt;
    size_t each = opt->old_ms ? 3 : 2;
    int token_len = snprintf(token, sizeof token, "%s-%" PRIu64 "-", fence->seed, fence->calls++);
    redis_script_call(&fence->script, conn, each * n, 4);
    for (const struct redis_key *key = &keys->list[first]; key < &keys->list[first + n]; key++) {
        redis_argument(conn, keys->bytes.p + key->at, key->len);
        add_name(conn, REDIS_FENCE_PREFIX, keys, key);
        if (opt->old_ms)
            add_name(conn, REDIS_OLD_PREFIX, keys, key);
    }
    redis_argument(conn, token, (size_t)token_len);
    redis_script_number(conn, opt->hold_ms);
    redis_script_number(conn, opt->hold_ms + opt->max_fill_ms);
    redis_script_number(conn, opt->old_ms);
}

int redis_fence(struct redis_fence *fence, struct redis_connection *conn, struct redis_keys *keys,
                struct redis_stats *stats, struct err *e)
{
    size_t in_flight = 0, most = conn->opt->unlink_keys < PAIRS_MAX ? (size_t)conn->opt->unlink_keys : PAIRS_MAX;
    int rc = keys->count ? redis_script_load(&fence->script, conn, "fences on a Redis before version 5", e) : 0;
    for (size_t done = 0, n; done < keys->count && rc == 0; done += n) {
        n = keys->count - done < most ? keys->count - done : most;
        add_call(fence, conn, keys, done, n);
        in_flight++;
        metric_add(&stats->commands_total, 1);
        bool is_last = done + n == keys->count;
        if (is_last || conn->out.len >= SEND_BYTES || conn->out.failed || in_flight >= conn->opt->pipeline)
            rc = redis_send(conn, e);
        for (; rc == 0 && in_flight >= conn->opt->pipeline; in_flight--)
            rc = take_fenced(fence, conn, stats, e);
    }
    for (; rc == 0 && in_flight; in_flight--)
        rc = take_fenced(fence, conn, stats, e);
    metric_add(&stats->keys_total, keys->count);
    metric_add(&stats->coalesced_total, keys->coalesced);
    keys->coalesced = 0;
    redis_keys_clear(keys);
    return rc;
}
