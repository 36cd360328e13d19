/* Runs and saves of a server. */
#include "sink/redis/witness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "sink/redis/redis.h"

#define RUN_ID_MAX 40
#define US         INT64_C(1000000)
#define AOF_US     (2 * US) /* by how much the file is behind, with appendfsync everysec */

/* What INFO says in its sections. */
struct told {
    char run[SINK_RUN_MAX + 1];
    long long uptime_s, now_us, last_save;
    bool aof, aof_is_well, saves;
    bool has_saved;   /* for its disk or for a replica, in this run */
    bool loaded_none; /* at its start; before Redis 7 that is not told */
    bool is_replica;  /* now: it takes no changes */
    bool followed;    /* it has been one */
    bool is_loading;
    bool is_empty; /* now */
};

/* The text behind "name:" of a line; its length in *len; NULL when there is none. */
static const char *value_of(const struct reply *info, const char *name, size_t *len)
{
    size_t name_len = strlen(name);
    for (const char *p = info->text, *end = p + info->len; p && (size_t)(end - p) > name_len;) {
        const char *stop = memchr(p, '\r', (size_t)(end - p));
        if (memcmp(p, name, name_len) == 0 && p[name_len] == ':' && stop) {
            *len = (size_t)(stop - p) - name_len - 1;
            return p + name_len + 1;
        }
        p = memchr(p, '\n', (size_t)(end - p));
        p = p ? p + 1 : NULL;
    }
    return NULL;
}

static long long number_of(const struct reply *info, const char *name, long long otherwise)
{
    size_t len;
    const char *text = value_of(info, name, &len);
    char *stop = NULL;
    long long number = text ? strtoll(text, &stop, 10) : otherwise;
    return text && stop == text + len && len ? number : otherwise;
}

static bool is_text(const struct reply *info, const char *name, const char *expected)
{
    size_t len;
    const char *text = value_of(info, name, &len);
    return text && len == strlen(expected) && memcmp(text, expected, len) == 0;
}

static void take_server(struct told *told, const struct reply *info)
{
    size_t len = 0;
    const char *run = value_of(info, "run_id", &len);
    if (run && len <= RUN_ID_MAX && !memchr(run, '\0', len))
        memcpy(told->run, run, len);
    told->uptime_s = number_of(info, "uptime_in_seconds", 0);
    told->now_us = number_of(info, "server_time_usec", told->now_us);
}

static void take_persistence(struct told *told, const struct reply *info)
{
    told->aof = number_of(info, "aof_enabled", 1) != 0;
    told->aof_is_well = is_text(info, "aof_last_write_status", "ok") &&
                        number_of(info, "aof_rewrite_in_progress", 1) == 0 &&
                        number_of(info, "aof_rewrite_scheduled", 1) == 0;
    told->saves = number_of(info, "rdb_bgsave_in_progress", 1) != 0;
    told->last_save = number_of(info, "rdb_last_save_time", 0);
    told->has_saved = number_of(info, "rdb_last_bgsave_time_sec", 0) >= 0;
    told->loaded_none = number_of(info, "rdb_last_load_keys_loaded", 1) == 0;
    told->is_loading = number_of(info, "loading", 1) != 0 || number_of(info, "async_loading", 0) != 0;
}

/* The same process is another server once it has followed one. */
static void take_replication(struct told *told, const struct reply *info)
{
    size_t len = 0, used = strlen(told->run);
    const char *other = value_of(info, "master_replid2", &len);
    bool was_replica = other && strspn(other, "0") < len && len <= RUN_ID_MAX;
    told->is_replica = is_text(info, "role", "slave");
    told->followed = was_replica || !other;
    if (was_replica)
        snprintf(told->run + used, sizeof told->run - used, "/%.*s:%lld", (int)len, other,
                 number_of(info, "second_repl_offset", 0));
}

static void take_keyspace(struct told *told, const struct reply *info)
{
    told->is_empty = !reply_info_is(info, "db");
}

/* 1, 0 when INFO may not be called, or negative. */
static int ask(struct redis_connection *conn, struct told *told, struct err *e)
{
    static const struct {
        const char *section;
        void (*take)(struct told *told, const struct reply *info);
    } parts[] = {{"server", take_server},
                 {"replication", take_replication},
                 {"persistence", take_persistence},
                 {"keyspace", take_keyspace}};
    const size_t count = sizeof parts / sizeof *parts;
    int rc = 1;
    *told = (struct told){.now_us = env_now_us(conn->env)};
    for (size_t i = 0; i < count; i++) {
        redis_command(conn, 2);
        redis_argument(conn, "INFO", 4);
        redis_argument(conn, parts[i].section, strlen(parts[i].section));
    }
    if (redis_send(conn, e) != 0)
        return err_result(e);
    for (size_t i = 0; i < count; i++) {
        const struct reply *reply;
        if (redis_reply(conn, &reply, e) != 0)
            return err_result(e);
        if (reply->type == REPLY_STRING)
            parts[i].take(told, reply);
        else
            rc = 0;
    }
    return rc == 1 && told->run[0];
}

/* A snapshot that was made since the last look began behind the last one at which none was being made. */
static void follow_saves(struct redis_witness *witness, const struct told *told)
{
    if (strcmp(witness->run, told->run) != 0) {
        memcpy(witness->run, told->run, sizeof witness->run);
        witness->idle_us = 0;
        witness->kept_us = SINK_KEPT_UNKNOWN;
    } else if (told->last_save != witness->last_save && witness->idle_us) {
        witness->kept_us = witness->idle_us;
    }
    witness->last_save = told->last_save;
    if (!told->saves)
        witness->idle_us = told->now_us;
}

/* Of the server's clock. */
static int64_t kept_us(const struct redis_witness *witness, const struct told *told)
{
    long long began = told->now_us / US - told->uptime_s;
    if (told->aof)
        return told->aof_is_well ? told->now_us - AOF_US : SINK_KEPT_UNKNOWN;
    if (told->loaded_none && !told->is_loading && !told->has_saved && told->last_save <= began + 1)
        return told->now_us;
    return witness->kept_us;
}

/* It has nothing but what came to it since it began: not from a file, not from another server. */
static bool is_empty(const struct told *told)
{
    return !told->aof && !told->is_loading && (told->is_empty || (told->loaded_none && !told->followed));
}

int redis_witness_meet(struct redis_witness *witness, struct redis_connection *conn, const char *sink, struct err *e)
{
    struct told told;
    int64_t now_us = env_now_us(conn->env);
    if (!witness->asks)
        return 0;
    witness->next_us = env_mono_us(conn->env) + REDIS_WITNESS_US;
    int rc = ask(conn, &told, e);
    if (rc < 0)
        return rc;
    if (rc == 0) {
        log_event(conn->env->log, LOG_WARN,
                  "the server does not tell by INFO which run it is: when it comes back with what it held before, that "
                  "is not noticed; permit INFO, or set on_restart: ignore",
                  LOG_STR("sink", sink), LOG_STR("server", conn->address.name));
        witness->asks = NULL;
        return 0;
    }
    if (told.is_replica)
        return 0;
    follow_saves(witness, &told);
    int64_t kept = kept_us(witness, &told), ahead = told.now_us - now_us;
    struct sink_server server = {.run = told.run,
                                 .started_us = now_us - told.uptime_s * US,
                                 .kept_us = kept == SINK_KEPT_UNKNOWN ? kept : kept - ahead,
                                 .is_empty = is_empty(&told),
                                 .failover_ms = conn->opt->replay_after_failover_ms};
    return witness->asks->meet(witness->asks->ctx, &server, e);
}

int redis_witness_tend(struct redis_witness *witness, struct redis_connection *conn, const char *sink, int64_t *due_us,
                       struct err *e)
{
    if (!witness->asks)
        return 0;
    int rc = env_mono_us(conn->env) >= witness->next_us ? redis_witness_meet(witness, conn, sink, e) : 0;
    *due_us = witness->next_us < *due_us ? witness->next_us : *due_us;
    return rc;
}
