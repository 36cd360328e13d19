/* Writes under versions. */
#include "sink/redis/write.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "sink/redis/beside.h"

#define SEND_BYTES  ((size_t)64 * 1024)
#define CALL_KEYS   128                  /* of one call: the server does nothing else meanwhile */
#define CALL_BYTES  ((size_t)256 * 1024) /* of values in one call, but for one large value */
#define FLUSH_BYTES ((size_t)1024 * 1024)
#define KEPT_BYTES  ((size_t)4 * 1024 * 1024) /* memory that large values took is given back */
#define CALL_ARGS   16384                     /* likewise */
#define OWN_ARGS    5                         /* of each key before those of its value */
#define WHAT        "mode write on a Redis before version 5"

enum act { ACT_STRING, ACT_HASH, ACT_REMOVE, ACT_EXPIRE, ACT_KEEP };
static const char act_letters[] = "shrek";

struct redis_write {
    struct version version;
    const char *tag; /* of its route */
    uint8_t act;     /* enum act */
    struct redis_args_run args;
    uint64_t ttl_ms, record_ms; /* 0: none */
};

/* KEYS: key, record, and so on. ARGV: live, replay, create or sweep; of each key the record's new text, act, TTL, the
 * record's TTL, number of further arguments, these. A version is compared part by part, as numbers: texts are compared
 * by the server's locale. What has the version already is done again: an error may have come between the record and the
 * value. Reply: keys written, removed, older than what is there, left alone. */
static const char text[] =
    "local mode, at, failed = ARGV[1], 2, false\n"
    "local wrote, removed, older, left = 0, 0, 0, 0\n"
    "local function is_newer(a, b)\n"
    "  for _, p in ipairs({1, 10, 18, 27, 35}) do\n"
    "    local x, y = tonumber(string.sub(a, p, p + 7), 16), tonumber(string.sub(b, p, p + 7), 16)\n"
    "    if x ~= y then return not y or x > y end\n"
    "  end\n"
    "  return false\n"
    "end\n"
    "local function put(...)\n"
    "  local got = redis.pcall(...)\n"
    "  if type(got) == 'table' and got.err then failed = got end\n"
    "end\n"
    "for i = 1, #KEYS, 2 do\n"
    "  local key, record = KEYS[i], KEYS[i + 1]\n"
    "  local version, act, ttl, keep, first = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], at + 5\n"
    "  local was, skip = redis.call('GET', record), false\n"
    "  at = first + ARGV[at + 4]\n"
    "  if mode == 'sweep' then\n"
    "    skip = not was or string.sub(was, 43) ~= string.sub(version, 43)\n"
    "  elseif mode ~= 'live' then\n"
    "    local there = redis.call('EXISTS', key) == 1\n"
    "    skip = there and not was or not there and mode == 'replay'\n"
    "  end\n"
    "  if skip then\n"
    "    left = left + 1\n"
    "  elseif was and is_newer(was, version) then\n"
    "    older = older + 1\n"
    "  else\n"
    "    if not failed and keep == '0' then\n"
    "      put('SET', record, version)\n"
    "    elseif not failed then\n"
    "      put('SET', record, version, 'PX', keep)\n"
    "    end\n"
    "    if failed or act == 'r' then\n"
    "      removed = removed + redis.call('UNLINK', key)\n"
    "    elseif act == 's' then\n"
    "      redis.call('SET', key, ARGV[first])\n"
    "      wrote = wrote + 1\n"
    "    elseif act == 'h' then\n"
    "      redis.call('UNLINK', key)\n"
    "      for p = first, at - 1, 1000 do redis.call('HSET', key, unpack(ARGV, p, math.min(p + 999, at - 1))) end\n"
    "      wrote = wrote + 1\n"
    "    end\n"
    "    if ttl ~= '0' then redis.call('PEXPIRE', key, ttl) end\n"
    "  end\n"
    "end\n"
    "return failed or {wrote, removed, older, left}\n";

void redis_writes_init(struct redis_writes *writes, enum sink_purpose purpose, uint64_t tombstone_ms)
{
    *writes = (struct redis_writes){.script = {.text = text}, .purpose = purpose, .tombstone_ms = tombstone_ms};
    redis_args_init(&writes->args);
    buf_init(&writes->before, REDIS_RENDERED_MAX);
    buf_init(&writes->after, REDIS_RENDERED_MAX);
}

void redis_writes_release(struct redis_writes *writes)
{
    redis_keys_release(&writes->keys);
    redis_args_release(&writes->args);
    buf_release(&writes->before);
    buf_release(&writes->after);
    free(writes->list);
    writes->list = NULL;
}

void redis_writes_clear(struct redis_writes *writes)
{
    redis_keys_clear(&writes->keys);
    if (writes->args.bytes.size > KEPT_BYTES)
        buf_release(&writes->args.bytes);
    buf_clear(&writes->args.bytes);
}

int redis_writes_greet(struct redis_connection *conn, const char *sink, struct err *e)
{
    const struct reply *info;
    redis_command(conn, 2);
    redis_argument(conn, "INFO", 4);
    redis_argument(conn, "memory", 6);
    if (redis_send(conn, e) != 0 || redis_reply(conn, &info, e) != 0)
        return err_result(e);
    if (info->type == REPLY_STRING && !reply_info_is(info, "maxmemory:0\r") &&
        !reply_info_is(info, "maxmemory_policy:noeviction"))
        log_event(conn->env->log, LOG_WARN,
                  "this Redis evicts keys: a value that is evicted is missing until its row changes, and without its "
                  "version an older change may win; set maxmemory-policy noeviction",
                  LOG_STR("sink", sink), LOG_STR("server", conn->address.name));
    return 0;
}

void redis_writes_judge_lag(struct redis_writes *writes, const struct env *env, const char *sink,
                            const struct change *chg)
{
    int64_t lag_ms = chg->tx ? (env_now_us(env) - chg->tx->commit_us) / 1000 : 0;
    bool is_late = writes->purpose == SINK_FOLLOWS && lag_ms > 0 && (uint64_t)lag_ms > writes->tombstone_ms;
    if (is_late && !writes->is_late)
        log_event(env->log, LOG_WARN,
                  "changes come later than tombstone_ttl_ms: the versions of what was removed since are gone, and a "
                  "removed key may come back until its removal comes again",
                  LOG_STR("sink", sink), LOG_INT("lag_ms", lag_ms), LOG_UINT("tombstone_ttl_ms", writes->tombstone_ms));
    writes->is_late = is_late;
}

bool redis_writes_are_enough(const struct redis_writes *writes)
{
    return redis_keys_are_enough(&writes->keys) || writes->args.bytes.len >= FLUSH_BYTES;
}

static int make(struct redis_writes *writes, struct err *e)
{
    if (writes->list)
        return 0;
    int rc = redis_keys_init(&writes->keys, e);
    writes->list = rc == 0 ? calloc(REDIS_LIST_MAX, sizeof *writes->list) : NULL;
    if (rc == 0 && !writes->list)
        rc = err_set(e, NO_MEMORY, REDIS_LIST_MAX * sizeof *writes->list);
    return rc;
}

/* ---------------------------------------------------------------- gathered */

/* 1 and the place of a key's write, empty; 0: a newer one has it; negative. */
static int place(struct redis_writes *writes, const struct buf *key, const struct redis_written *of,
                 const struct version *version, struct redis_write **out, struct err *e)
{
    struct redis_keys *keys = &writes->keys;
    size_t at = keys->bytes.len, known = keys->count;
    buf_add(&keys->bytes, key->p, key->len);
    if (keys->bytes.failed)
        return err_set(e, NO_MEMORY, key->len);
    size_t index = redis_keys_take(keys, at);
    *out = &writes->list[index];
    if (index < known && version_compare(&(*out)->version, version) > 0)
        return 0;
    **out = (struct redis_write){.version = *version, .tag = of->tag};
    return 1;
}

static int note_removed(struct redis_writes *writes, const struct redis_written *of, const struct change *chg,
                        struct err *e)
{
    const struct redis_write_options *opt = of->opt;
    static const uint8_t acts[] = {[REDIS_DELETE] = ACT_REMOVE, [REDIS_EXPIRE] = ACT_EXPIRE, [REDIS_KEEP] = ACT_KEEP};
    struct redis_write *write;
    int rc = place(writes, &writes->before, of, &chg->version, &write, e);
    if (rc <= 0)
        return rc;
    write->act = acts[opt->on_delete];
    write->ttl_ms = write->act == ACT_EXPIRE ? opt->expire_ms : 0;
    if (write->act != ACT_KEEP)
        write->record_ms = write->ttl_ms + writes->tombstone_ms;
    else if (opt->ttl_ms)
        write->record_ms = opt->ttl_ms + opt->ttl_jitter_ms + writes->tombstone_ms;
    return 0;
}

static int note_written(struct redis_writes *writes, const struct redis_written *of, const struct change *chg,
                        const struct redis_args_run *args, struct err *e)
{
    const struct redis_write_options *opt = of->opt;
    struct redis_write *write;
    int rc = place(writes, &writes->after, of, &chg->version, &write, e);
    if (rc <= 0)
        return rc;
    write->act = opt->as == REDIS_HASH ? ACT_HASH : ACT_STRING;
    write->args = *args;
    if (opt->ttl_ms) {
        uint64_t hash = writes->keys.list[write - writes->list].hash;
        write->ttl_ms = opt->ttl_ms + hash % (opt->ttl_jitter_ms + 1);
        write->record_ms = write->ttl_ms + writes->tombstone_ms;
    }
    return 0;
}

/* The key of one image, when that is in the set: 1, 0, or negative. */
static int find_key(struct redis_writes *writes, const struct redis_route *route, const struct change *chg,
                    enum side side, struct buf *out, struct err *e)
{
    struct redis_keys *keys = &writes->keys;
    buf_clear(out);
    if (!(side == SIDE_BEFORE ? &chg->before : &chg->after)->bytes)
        return 0;
    int rc = redis_conditions_hold_on(route->when, route->when_count, chg, side, &keys->arena, &keys->other, e);
    return rc > 0 ? redis_key_render(keys, route->write.bound, chg, side, out, e) : rc;
}

int redis_writes_add(struct redis_writes *writes, const struct redis_route *route, const struct change *chg,
                     struct err *e)
{
    struct redis_args_run args = {.at = writes->args.bytes.len};
    struct buf *before = &writes->before, *after = &writes->after;
    if (make(writes, e) != 0)
        return err_result(e);
    int was = find_key(writes, route, chg, SIDE_BEFORE, before, e);
    int is = was < 0 ? was : find_key(writes, route, chg, SIDE_AFTER, after, e);
    bool same = was > 0 && is > 0 && before->len == after->len && memcmp(before->p, after->p, after->len) == 0;
    if (same) {
        is = redis_conditions_changed(route->when, route->when_count, chg, &writes->keys.arena, &writes->keys.other, e);
        if (is == 0)
            return 0;
    }
    if (is > 0) {
        is = redis_form_render(route->write.form, chg, SIDE_AFTER, &writes->args, &args.count, e);
        args.len = writes->args.bytes.len - args.at;
        same = same && is > 0;
    }
    if (is >= 0 && was > 0 && !same && !(chg->flags & CHANGE_TO) && note_removed(writes, &route->write, chg, e) != 0)
        return err_result(e);
    if (is > 0 && !(chg->flags & CHANGE_FROM))
        return note_written(writes, &route->write, chg, &args, e);
    writes->args.bytes.len = args.at;
    return is < 0 ? is : 0;
}

/* ---------------------------------------------------------------- written */

static const char *mode_name(enum sink_purpose purpose)
{
    return purpose == SINK_REPLAYS ? "replay" : purpose == SINK_REPLAYS_AND_CREATES ? "create" : "live";
}

static void add_key(struct redis_connection *conn, struct redis_keys *keys, const struct redis_key *key)
{
    const uint8_t *p = keys->bytes.p + key->at;
    redis_argument(conn, p, key->len);
    redis_beside(REDIS_VERSION_PREFIX, p, key->len, &keys->other);
    conn->out.failed |= keys->other.failed;
    redis_argument(conn, keys->other.p, keys->other.len);
}

/* How many from `first` on one call takes. */
static size_t share(const struct redis_writes *writes, size_t first)
{
    size_t bytes = 0, args = 0, n = 0;
    while (first + n < writes->keys.count && n < CALL_KEYS) {
        const struct redis_write *write = &writes->list[first + n];
        bytes += write->args.len;
        args += write->args.count;
        if (n > 0 && (bytes > CALL_BYTES || args > CALL_ARGS))
            break;
        n++;
    }
    return n;
}

static void add_call(struct redis_writes *writes, struct redis_connection *conn, size_t first, size_t n)
{
    const char *mode = writes->sweeps ? "sweep" : mode_name(writes->purpose);
    size_t args = 1 + n * OWN_ARGS;
    for (size_t i = first; i < first + n; i++)
        args += writes->list[i].args.count;
    redis_script_call(&writes->script, conn, 2 * n, args);
    for (size_t i = first; i < first + n; i++)
        add_key(conn, &writes->keys, &writes->keys.list[i]);
    redis_argument(conn, mode, strlen(mode));
    for (const struct redis_write *write = &writes->list[first]; write < &writes->list[first + n]; write++) {
        char record[VERSION_TEXT_LEN + REDIS_TAG_LEN];
        version_print(&write->version, record);
        memcpy(record + VERSION_TEXT_LEN, write->tag, REDIS_TAG_LEN);
        redis_argument(conn, record, sizeof record);
        redis_argument(conn, &act_letters[write->act], 1);
        redis_script_number(conn, write->ttl_ms);
        redis_script_number(conn, write->record_ms);
        redis_script_number(conn, write->args.count);
        buf_add(&conn->out, writes->args.bytes.p + write->args.at, write->args.len);
    }
}

static int take_reply(struct redis_writes *writes, struct redis_connection *conn, struct redis_stats *stats,
                      struct err *e)
{
    const struct reply *reply;
    int rc = redis_script_reply(&writes->script, conn, &reply, e);
    if (rc != 0)
        return rc;
    bool fits = reply->type == REPLY_ARRAY && reply->count == 4;
    for (size_t i = 0; fits && i < 4; i++)
        fits = reply->items[i]->type == REPLY_INTEGER && reply->items[i]->integer >= 0;
    if (!fits)
        return err_set(e, SINK_PROTOCOL, conn->address.name, "to EVALSHA no four numbers");
    metric_add(&stats->written_total, (uint64_t)reply->items[0]->integer);
    metric_add(&stats->removed_total, (uint64_t)reply->items[1]->integer);
    metric_add(&stats->older_total, (uint64_t)reply->items[2]->integer);
    metric_add(&stats->left_total, (uint64_t)reply->items[3]->integer);
    return 0;
}

static int send_all(struct redis_writes *writes, struct redis_connection *conn, struct redis_stats *stats,
                    struct err *e)
{
    size_t in_flight = 0, count = writes->keys.count;
    int rc = 0;
    for (size_t done = 0, n; done < count && rc == 0; done += n) {
        n = share(writes, done);
        add_call(writes, conn, done, n);
        in_flight++;
        metric_add(&stats->commands_total, 1);
        if (done + n == count || conn->out.len >= SEND_BYTES || conn->out.failed || in_flight >= conn->opt->pipeline)
            rc = redis_send(conn, e);
        for (; rc == 0 && in_flight >= conn->opt->pipeline; in_flight--)
            rc = take_reply(writes, conn, stats, e);
    }
    for (; rc == 0 && in_flight; in_flight--)
        rc = take_reply(writes, conn, stats, e);
    return rc;
}

int redis_writes_flush(struct redis_writes *writes, struct redis_connection *conn, struct redis_stats *stats,
                       struct err *e)
{
    int rc = writes->keys.count ? redis_script_load(&writes->script, conn, WHAT, e) : 0;
    reply_reader_allow(&conn->reader, true, REPLY_BYTES_MAX);
    if (rc == 0)
        rc = send_all(writes, conn, stats, e);
    reply_reader_allow(&conn->reader, false, REPLY_BYTES_MAX);
    metric_add(&stats->keys_total, writes->keys.count);
    metric_add(&stats->coalesced_total, writes->keys.coalesced);
    writes->keys.coalesced = 0;
    redis_writes_clear(writes);
    return rc;
}

/* ---------------------------------------------------------------- swept */

struct sweep {
    struct redis_writes *writes;
    const struct redis_route *route;
    const struct change *chg;
    struct redis_stats *stats;
    struct buf names; /* of one page: its reply is gone when others come */
};

static int sweep_names(const struct sweep *sweep, struct redis_connection *conn, struct err *e)
{
    struct redis_writes *writes = sweep->writes;
    const uint8_t *p = sweep->names.p, *end = p + sweep->names.len;
    int rc = 0;
    while (rc == 0 && p < end) {
        size_t len;
        memcpy(&len, p, sizeof len);
        p += sizeof len;
        buf_clear(&writes->before);
        buf_add(&writes->before, p, len);
        p += len;
        rc = writes->before.failed ? err_set(e, NO_MEMORY, len)
                                   : note_removed(writes, &sweep->route->write, sweep->chg, e);
        if (rc == 0 && (p == end || redis_writes_are_enough(writes)))
            rc = redis_writes_flush(writes, conn, sweep->stats, e);
    }
    return rc;
}

static int sweep_page(void *ctx, struct redis_connection *conn, const struct reply *names, struct err *e)
{
    struct sweep *sweep = ctx;
    buf_clear(&sweep->names);
    for (size_t i = 0; i < names->count; i++) {
        buf_add(&sweep->names, &names->items[i]->len, sizeof names->items[i]->len);
        buf_add(&sweep->names, names->items[i]->text, names->items[i]->len);
    }
    return sweep->names.failed ? err_set(e, NO_MEMORY, sweep->names.len) : sweep_names(sweep, conn, e);
}

int redis_writes_sweep(struct redis_writes *writes, struct redis_connection *conn, const struct redis_route *route,
                       const struct change *chg, struct redis_stats *stats, struct err *e)
{
    struct sweep sweep = {.writes = writes, .route = route, .chg = chg, .stats = stats};
    struct buf glob;
    buf_init(&glob, TEMPLATE_RENDERED_MAX);
    buf_init(&sweep.names, 0);
    int rc = make(writes, e);
    if (rc == 0 && !template_glob(route->write.key, &glob))
        rc = err_set(e, SINK_SWEEP, template_source(route->write.key));
    else if (rc == 0 && glob.failed)
        rc = err_set(e, NO_MEMORY, glob.len);
    writes->sweeps = true;
    if (rc == 0)
        rc = redis_scan(conn, &glob, sweep_page, &sweep, e);
    writes->sweeps = false;
    buf_release(&glob);
    buf_release(&sweep.names);
    return rc;
}
