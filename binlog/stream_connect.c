/* One host: connect, check, read definitions, begin the dump. */
#include <strings.h>

#include "binlog/stream_private.h"

#define MISSED_HEARTBEATS    3
#define QUERY_WAIT_MS        30000 /* of a statement before the dump; also of a dump with the genuine library */
#define CONNECT_WAIT_MS      10000
#define SERVER_ID_RANDOM_LOW 0x80000000u /* ids that people give by hand are small */

void stream_disconnect(struct source_stream *st)
{
    pthread_mutex_lock(&st->lock);
    struct client *cli = st->cli;
    st->cli = NULL;
    pthread_mutex_unlock(&st->lock);
    client_close(cli);
    st->event = NULL;
}

static unsigned silence_ms(const struct source_stream *st)
{
    return st->opt.heartbeat_ms * MISSED_HEARTBEATS;
}

static int connect_host(struct source_stream *st, struct err *e)
{
    struct client_options opt = st->opt.hosts[st->host];
    opt.read_timeout_ms = silence_ms(st) > QUERY_WAIT_MS ? silence_ms(st) : QUERY_WAIT_MS;
    if (opt.connect_timeout_ms == 0)
        opt.connect_timeout_ms = CONNECT_WAIT_MS;
    opt.max_event_bytes = st->opt.max_event_bytes;
    struct client *cli = NULL;
    int rc = client_connect(&cli, &opt, e);
    if (rc != 0)
        return rc;
    pthread_mutex_lock(&st->lock);
    st->cli = cli;
    bool interrupted = stream_is_interrupted(st);
    pthread_mutex_unlock(&st->lock);
    return interrupted ? err_set(e, INTERRUPTED) : 0;
}

static void choose_server_id(struct source_stream *st, uint32_t theirs)
{
    st->server_id = st->opt.server_id;
    while (st->server_id == 0 || (st->opt.server_id == 0 && st->server_id == theirs)) {
        st->opt.env->random(st->opt.env->ctx, &st->server_id, sizeof st->server_id);
        st->server_id |= SERVER_ID_RANDOM_LOW;
    }
}

static int check_server(struct source_stream *st, struct err *e)
{
    const struct client_server *server = client_server(st->cli);
    if (!server->log_bin)
        return err_set(e, BINLOG_OFF);
    if (strcasecmp(server->binlog_format, "ROW") != 0)
        return err_set(e, BINLOG_FORMAT, server->binlog_format);
    if (st->server_id == 0 || (st->opt.server_id == 0 && st->server_id == server->server_id))
        choose_server_id(st, server->server_id);
    if (st->server_id == server->server_id)
        return err_set(e, SERVER_ID_DUPLICATE, st->server_id);
    return 0;
}

static void note_server(struct source_stream *st, const struct stream_begin *begin)
{
    const struct client_server *server = client_server(st->cli);
    char name[300], at[FILEPOS_TEXT_MAX] = "";
    filepos_print(&st->place.at, at);
    stream_note(st, ERR_NONE, "connected to %s (%s %s, server %s%s), reading from %s%s", stream_host_name(st, name),
                server->flavor == FLAVOR_MARIADB ? "MariaDB" : "MySQL", server->version_text, server->uuid,
                server->tls ? ", TLS" : "", begin->by_gtid ? "GTID position" : at,
                begin->by_gtid && st->place.at.file[0] ? " (was at a known file)" : "");
    if (strcasecmp(server->binlog_checksum, "NONE") == 0)
        stream_note(st, ERR_CHECKSUM_NONE, "binlog_checksum is NONE on the server: damage on the way is not noticed");
    if (server->binlog_row_metadata[0] && strcasecmp(server->binlog_row_metadata, "FULL") != 0)
        stream_note(st, ERR_ROW_METADATA,
                    "binlog_row_metadata is %s on the server: rows that are older than the last change of their table "
                    "before it was first read will stop",
                    server->binlog_row_metadata);
    if (server->binlog_row_image[0] && strcasecmp(server->binlog_row_image, "FULL") != 0)
        stream_note(st, ERR_ROW_IMAGE_SMALL,
                    "binlog_row_image is %s on the server: rows that lack a needed column will stop",
                    server->binlog_row_image);
}

/* The connection for definitions goes to the same server; of a new one the foreign keys are checked. */
static int prepare_definitions(struct source_stream *st, struct err *e)
{
    const char *uuid = client_server(st->cli)->uuid;
    if (strcmp(st->server_of, uuid) != 0) {
        schema_server_move(st->server, &st->opt.hosts[st->host]);
        schema_forget(st->schema, NULL, NULL);
        memcpy(st->server_of, uuid, sizeof st->server_of);
    }
    if (strcmp(st->checked_of, uuid) == 0)
        return 0;
    int rc = stream_check_tables(st, e);
    if (rc == 0)
        memcpy(st->checked_of, uuid, sizeof st->checked_of);
    return rc;
}

/* Dump. */

int stream_read(struct source_stream *st, struct err *e)
{
    return client_dump_read(st->cli, silence_ms(st), &st->event, &st->event_len, e);
}

/* Begins the dump at st->place. The first event is read at once: a refusal comes in its stead. */
static int start_dump(struct source_stream *st, struct stream_begin *chosen, struct err *e)
{
    struct stream_begin begin;
    int rc = stream_choose(st, &begin, e);
    if (rc != 0)
        return rc;
    struct position known; /* a view: nothing of it is owned here */
    position_init(&known);
    memcpy(known.server_uuid, client_server(st->cli)->uuid, sizeof known.server_uuid);
    known.gtids = st->place.gtids;
    known.commit_us = st->place.commit_us;
    if (!begin.by_gtid)
        known.at = st->place.at;
    rc = log_reader_start(st->reader, &known, e);
    const struct client_dump dump = {.server_id = st->server_id,
                                     .replica_uuid = st->opt.replica_uuid,
                                     .at = begin.by_gtid ? NULL : &begin.at,
                                     .gtids = begin.by_gtid ? st->place.gtids : NULL,
                                     .heartbeat_ms = st->opt.heartbeat_ms,
                                     .annotations = st->opt.query_max_bytes > 0};
    if (rc == 0)
        rc = client_dump_start(st->cli, &dump, e);
    stream_skip_begin(st, &begin);
    if (rc == 0)
        rc = stream_read(st, e);
    if (rc != 0)
        return rc;
    st->log_is_new = false; /* told of another host's log, if still set */
    bool same = strcmp(st->place.server_uuid, known.server_uuid) == 0;
    st->unsure = begin.by_gtid && same && st->place.at.file[0];
    st->seek_to = begin.by_gtid && same && st->place.at.pos > UINT32_MAX ? st->place.at.pos : 0;
    *chosen = begin;
    return begin.learn ? stream_learn_place(st, e) : 0;
}

bool stream_place_first(struct source_stream *st, const struct tx *tx)
{
    struct filepos at = {.pos = tx->pos};
    if (!st->unsure)
        return false;
    st->unsure = false;
    snprintf(at.file, sizeof at.file, "%s", tx->file);
    if (filepos_compare(&at, &st->place.at) >= 0)
        return false;
    st->place.at = at;
    return true;
}

/* What the history does not know at the place. A start at `current` is only over when that is known. */
static int read_definitions(struct source_stream *st, bool opened, bool current, struct err *e)
{
    int rc = opened ? stream_check_gap(st, e) : 0;
    if (rc == 0)
        rc = stream_read_schema(st, &st->place, current, e);
    while (rc == 0 && st->scan.active && current)
        rc = stream_is_interrupted(st) ? err_set(e, INTERRUPTED) : stream_scan_step(st, e);
    if (!st->scan.active)
        schema_server_rest(st->server);
    return rc;
}

int stream_begin_again(struct source_stream *st, struct err *e)
{
    struct stream_begin begin;
    stream_disconnect(st);
    stream_skip_release(st);
    int rc = connect_host(st, e);
    if (rc == 0)
        rc = check_server(st, e);
    return rc == 0 ? start_dump(st, &begin, e) : rc;
}

static int connect_once(struct source_stream *st, const struct start *at, struct err *e)
{
    bool current = at && at->kind == START_CURRENT;
    struct stream_begin begin;
    stream_drop_scan(st);
    int rc = connect_host(st, e);
    if (rc == 0)
        rc = check_server(st, e);
    if (rc == 0)
        rc = prepare_definitions(st, e);
    if (rc == 0 && at)
        rc = stream_resolve(st, at, &st->place, e);
    if (rc == 0 && current)
        stream_note_prepared(st);
    if (rc == 0)
        rc = stream_check_known(st, !at || at->pos.server_uuid[0], e);
    if (rc == 0)
        rc = start_dump(st, &begin, e);
    if (rc == 0 && st->other_log)
        rc = stream_forget_log(st, e);
    if (rc == 0)
        rc = read_definitions(st, at != NULL, current, e);
    if (rc == 0)
        rc = spool_settle(st->spool, &st->place, e);
    if (rc == 0)
        note_server(st, &begin);
    else
        stream_disconnect(st);
    return rc;
}

/* With gtid_mode ON the server does not send a file's transactions from before that, nor what is behind them: the
 * place's set stays unknown until the next file then. */
int stream_connect(struct source_stream *st, const struct start *at, struct err *e)
{
    struct err failed = ERR_INIT;
    st->cannot_learn = false;
    int rc = connect_once(st, at, &failed);
    if (rc != 0 && failed.code == ERR_DUMP_REFUSED && st->skip.learn) {
        st->cannot_learn = true;
        return connect_once(st, at, e);
    }
    return rc == 0 ? 0 : err_set_format(e, failed.code, "%s", failed.text);
}
