/* Sources from settings or files, and what is asked of a server before a service starts. */
#include "pipeline/reading.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "binlog/source_file.h"
#include "binlog/source_stream.h"
#include "pipeline/checkpoint.h"

#define UUID_RECORD      "replica_uuid"
#define RECONNECT_MAX_MS 5000 /* a server that is back is found soon */

void reading_init(struct reading *reading)
{
    *reading = (struct reading){0};
    arena_init(&reading->arena, 4096, 0, 0);
    position_init(&reading->followed);
    pthread_mutex_init(&reading->lock, NULL);
}

struct source *reading_take_source(struct reading *reading)
{
    struct source *source = reading->source;
    reading->source = NULL;
    return source;
}

void reading_release(struct reading *reading)
{
    if (reading->source)
        reading->source->ops->close(reading->source);
    schema_free(reading->schema);
    history_free(reading->history);
    position_release(&reading->followed);
    schema_server_free(reading->server);
    arena_release(&reading->arena);
    pthread_mutex_destroy(&reading->lock);
}

/* "host", "host:port", "[v6]:port" into the options of one connection. */
static int read_host(struct reading *reading, struct client_options *opt, const char *text, struct err *e)
{
    const char *end = text[0] == '[' ? strchr(text, ']') : strchr(text, ':');
    const char *name = text[0] == '[' ? text + 1 : text;
    const char *colon = text[0] == '[' && end ? end + 1 : end;
    size_t len = end ? (size_t)(end - name) : strlen(name);
    if (len == 0 || (text[0] == '[' && !end))
        return err_set(e, CONFIG_VALUE, "source.host", "write host, host:port or [address]:port");
    if (colon && *colon) {
        char *rest;
        unsigned long port = strtoul(colon + 1, &rest, 10);
        if (*colon != ':' || rest == colon + 1 || *rest || port == 0 || port > 65535)
            return err_set(e, CONFIG_VALUE, "source.host", "the port is a number from 1 to 65535");
        opt->port = (unsigned)port;
    }
    opt->host = arena_copy(&reading->arena, name, len);
    return opt->host ? 0 : err_set(e, NO_MEMORY, len);
}

/* One struct client_options per host of the settings, in the reading's arena. */
static int make_hosts(struct reading *reading, const struct settings *settings, struct err *e)
{
    const struct source_settings *src = &settings->source;
    struct client_options *hosts = arena_alloc(&reading->arena, src->hosts.count * sizeof *hosts);
    if (!hosts)
        return err_set(e, NO_MEMORY, src->hosts.count * sizeof *hosts);
    for (size_t i = 0; i < src->hosts.count; i++) {
        hosts[i] = (struct client_options){.port = src->port,
                                           .socket = src->socket,
                                           .user = src->user,
                                           .password = src->password,
                                           .tls = (enum client_tls)src->tls,
                                           .tls_ca = src->tls_ca,
                                           .tls_cert = src->tls_cert,
                                           .tls_key = src->tls_key,
                                           .connect_timeout_ms = (unsigned)src->connect_timeout_ms,
                                           .max_event_bytes = settings->max_event_bytes};
        if (read_host(reading, &hosts[i], src->hosts.items[i], e) != 0)
            return err_wrap(e, "%s", settings->file);
    }
    reading->hosts = hosts;
    reading->host_count = src->hosts.count;
    return 0;
}

static void log_waiting(void *ctx, const struct err *why)
{
    const struct env *env = ctx;
    log_error(env->log, "waiting for a lock", why);
}

int reading_server(struct schema_server **out, const struct client_options *host, const struct env *env, struct err *e)
{
    int rc = schema_server_new(out, host, e);
    if (rc == 0)
        schema_server_tell_waiting(*out, log_waiting, (void *)env);
    return rc;
}

/* The server's definitions for files: without a place in the log from which they hold, they are taken for all of it. */
static int read_timeless(void *ctx, const char *db, const char *table, struct buf *sql, struct schema_reading *out,
                         struct err *e)
{
    struct reading *reading = ctx;
    const struct schema_reader *server = schema_server_reader(reading->server);
    int rc = server->read(server->ctx, db, table, sql, out, e);
    *out = (struct schema_reading){.before = {.server_uuid = NULL}};
    return rc;
}

static int take_database(void *ctx, const char *db, const char *charset, const char *collation, struct err *e)
{
    struct history *history = ctx;
    static const struct history_where everywhere = {.server_uuid = NULL};
    char text[256];
    int len = snprintf(text, sizeof text, "%s %s", charset, collation);
    const struct history_change change = {
        .db = db, .table = "", .kind = HISTORY_DEFINED, .text = text, .len = (size_t)len};
    return history_put(history, &everywhere, HISTORY_SNAPSHOT, NULL, &change, 1, e);
}

/* Tables that the log makes without a character set have their database's, which a log without its CREATE DATABASE does
 * not tell. A server that cannot be asked is no error: the log may tell all that is needed, else the row says what is
 * missing. */
static void ask_databases(struct reading *reading)
{
    struct err ignored = ERR_INIT;
    (void)schema_server_databases(reading->server, take_database, reading->history, &ignored);
    schema_server_rest(reading->server);
}

/* What a run that is over followed holds up to its end only, and files do not tell whether they go on there; a service
 * followed the log up to its stored positions. A run that goes on has looked at both when it began. */
static int begin_files(struct reading *reading, const struct reading_files *files, struct err *e)
{
    struct checkpoint cp = {0};
    int rc = files->own ? checkpoint_load(&cp, files->own, e) : 0;
    bool begins = cp.count == 0;
    checkpoint_release(&cp);
    if (rc == 0 && begins && files->own)
        rc = state_replace(files->own, HISTORY_LOG_NAME, NULL, 0, e);
    return rc == 0 && begins && files->base ? reading_take_followed(reading, files->base, e) : rc;
}

int reading_from_files(struct reading *out, const struct reading_files *files, const struct routes *routes,
                       const struct env *env, struct err *e)
{
    out->interest = routes_interest(routes);
    out->timeless = (struct schema_reader){.ctx = out, .read = read_timeless};
    if (files->live &&
        (make_hosts(out, files->live->settings, e) != 0 || reading_server(&out->server, &out->hosts[0], env, e) != 0))
        return err_result(e);
    if (begin_files(out, files, e) != 0 || history_open(&out->history, files->base, files->own, e) != 0 ||
        schema_new_upon(&out->schema, out->history, files->live ? &out->timeless : NULL, e) != 0)
        return err_result(e);
    schema_want_definitions(out->schema, files->needs & FORMAT_NEEDS_DEFINITIONS);
    if (files->live && !files->own)
        ask_databases(out);
    struct source_file_options opt = {
        .env = env,
        .paths = files->paths,
        .path_count = files->count,
        .statements_only = files->statements_only,
        .followed = out->is_followed ? &out->followed : NULL,
        .to = files->to,
        .reader = {.interest = &out->interest,
                   .schema = out->schema,
                   .max_event_bytes = files->max_event_bytes,
                   .on_statement = files->on_statement,
                   .on_unknown_xa = files->on_unknown_xa,
                   .statements = files->needs & FORMAT_NEEDS_STATEMENTS,
                   .query_max_bytes = files->query_max_bytes},
    };
    return source_file_new(&out->source, &opt, e);
}

static void make_uuid(const struct env *env, char out[SERVER_UUID_MAX + 1])
{
    uint8_t b[16];
    env->random(env->ctx, b, sizeof b);
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    snprintf(out, SERVER_UUID_MAX + 1, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
             b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

/* Our own UUID as a replica: kept in the state, so that a server knows us again after a restart. */
static int own_uuid(struct reading *reading, const struct reading_live_options *opt, struct err *e)
{
    struct buf stored;
    bool found = false;
    int rc = 0;
    make_uuid(opt->env, reading->uuid);
    if (!opt->state)
        return 0;
    buf_init(&stored, 4096);
    rc = state_get(opt->state, UUID_RECORD, &stored, &found, e);
    if (rc == 0 && found && stored.len == SERVER_UUID_MAX)
        memcpy(reading->uuid, stored.p, SERVER_UUID_MAX);
    else if (rc == 0)
        rc = state_put(opt->state, UUID_RECORD, reading->uuid, SERVER_UUID_MAX, e);
    buf_release(&stored);
    return rc;
}

/* All constraints that any route accepts. */
static int accepted(struct reading *reading, const struct settings *settings, const char *const **out, struct err *e)
{
    size_t count = 0;
    for (unsigned r = 0; r < settings->route_count; r++)
        for (const char *const *name = settings->routes[r].accept_unlogged; name && *name; name++)
            count++;
    const char **list = arena_alloc(&reading->arena, (count + 1) * sizeof *list);
    if (!list)
        return err_set(e, NO_MEMORY, (count + 1) * sizeof *list);
    count = 0;
    for (unsigned r = 0; r < settings->route_count; r++)
        for (const char *const *name = settings->routes[r].accept_unlogged; name && *name; name++)
            list[count++] = *name;
    list[count] = NULL;
    *out = list;
    return 0;
}

int reading_live(struct reading *out, const struct reading_live_options *opt, struct err *e)
{
    const struct settings *settings = opt->settings;
    const char *const *accept_unlogged = NULL;
    out->interest = routes_interest(opt->routes);
    if (make_hosts(out, settings, e) != 0 || own_uuid(out, opt, e) != 0 ||
        accepted(out, settings, &accept_unlogged, e) != 0 ||
        reading_server(&out->server, &out->hosts[0], opt->env, e) != 0 || reading_open_history(out, opt, e) != 0 ||
        schema_new_upon(&out->schema, out->history, schema_server_reader(out->server), e) != 0)
        return err_result(e);
    schema_want_definitions(out->schema, opt->needs & FORMAT_NEEDS_DEFINITIONS);
    struct stream_options stream = {
        .env = opt->env,
        .hosts = out->hosts,
        .host_count = out->host_count,
        .server_id = (uint32_t)settings->source.server_id,
        .replica_uuid = out->uuid,
        .heartbeat_ms = (unsigned)settings->source.heartbeat_ms,
        .on_lost_continue = settings->source.on_lost_transactions == ON_LOST_CONTINUE,
        .backoff_max_ms = RECONNECT_MAX_MS,
        .lost_grace_ms = settings->source.lost_grace_ms,
        .schema = out->schema,
        .schema_server = out->server,
        .followed = out->is_followed ? &out->followed : NULL,
        .scan_always = opt->scan_always || opt->needs & FORMAT_NEEDS_DEFINITIONS,
        .interest = &out->interest,
        .check_cascades = !opt->only_print,
        .accept_unlogged = accept_unlogged,
        .on_statement = (enum on_statement)settings->source.on_statement,
        .on_unknown_xa = (enum on_unknown_xa)settings->source.on_unknown_xa,
        .state = opt->state,
        .base = opt->base,
        .xa_spool_bytes = settings->xa_spool_bytes,
        .max_event_bytes = settings->max_event_bytes,
        .statements = opt->needs & FORMAT_NEEDS_STATEMENTS,
        .query_max_bytes = settings_query_bytes(&settings->source),
        .to = opt->to,
    };
    return source_stream_new(&out->source, &stream, e);
}

int reading_server_position(struct reading *reading, struct position *out, struct err *e)
{
    int rc = -1;
    for (size_t i = 0; i < reading->host_count; i++) {
        struct client *cli = NULL;
        err_clear(e);
        rc = client_connect(&cli, &reading->hosts[i], e);
        if (rc == 0)
            rc = source_stream_end(cli, out, e);
        client_close(cli);
        if (rc == 0 || err_class(e) != ERR_CLASS_RETRY)
            break;
    }
    return rc;
}
