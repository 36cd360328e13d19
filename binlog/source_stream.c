/* The stream source: events of a live server into rowsets, and back to the server after every loss. */
#include "binlog/source_stream.h"

#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "binlog/stream_private.h"

#define FRUITLESS_MAX 256 /* events that give nothing before the caller is let in */

static struct source_stream *self(struct source *src)
{
    return (struct source_stream *)src;
}

void stream_note(struct source_stream *st, enum err_code code, const char *format, ...)
{
    if (st->note_count == STREAM_NOTES_MAX) {
        st->note_first = (st->note_first + 1) % STREAM_NOTES_MAX;
        st->note_count--;
    }
    struct err *note = &st->notes[(st->note_first + st->note_count++) % STREAM_NOTES_MAX];
    note->code = code;
    va_list args;
    va_start(args, format);
    vsnprintf(note->text, sizeof note->text, format, args);
    va_end(args);
}

const char *stream_host_name(const struct source_stream *st, char out[300])
{
    const struct client_options *opt = &st->opt.hosts[st->host];
    if (opt->socket && opt->socket[0])
        snprintf(out, 300, "%s", opt->socket);
    else
        snprintf(out, 300, "%s:%u", opt->host && opt->host[0] ? opt->host : "127.0.0.1", opt->port);
    return out;
}

static void bare_rowset(struct rowset *out, enum rowset_kind kind, const struct err *note)
{
    memset(out, 0, sizeof *out);
    out->kind = kind;
    if (note)
        out->note = *note;
}

static bool take_note(struct source_stream *st, struct rowset *out)
{
    if (st->note_count == 0)
        return false;
    bare_rowset(out, ROWSET_NOTE, &st->notes[st->note_first]);
    if (out->note.code == ERR_GTID_SURPLUS && st->lost) {
        out->lost = st->lost;
        out->kept = st->place.gtids;
        st->lost_told = true;
    }
    st->note_first = (st->note_first + 1) % STREAM_NOTES_MAX;
    st->note_count--;
    return true;
}

static void keep_bounds(struct source_stream *st, const struct start *at)
{
    st->from.kind = at->kind;
    st->from.time_us = at->time_us;
    st->bounds = (struct bounds){.from = at->kind == START_TIME ? &st->from : NULL, .to = st->opt.to};
}

static int stream_open(struct source *src, const struct start *at, struct position *from, struct err *e)
{
    struct source_stream *st = self(src);
    struct err failed = ERR_INIT;
    st->finished = st->after_ddl = false;
    st->checked_of[0] = '\0';
    st->lost_us = 0;
    keep_bounds(st, at);
    for (size_t i = 0; i < st->opt.host_count; i++) {
        st->host = i;
        struct err tried = ERR_INIT;
        int one = stream_connect(st, at, &tried);
        if (one == 0)
            return position_copy(from, &st->place, e);
        /* A host that may come back is worth more than the reason why the others do not serve. */
        if (failed.code == ERR_NONE || err_class(&tried) == ERR_CLASS_RETRY)
            failed = tried;
    }
    st->host = 0;
    return err_set_format(e, failed.code, "%s", failed.text);
}

/* Loss and return. */

static int lose(struct source_stream *st, const struct err *why, struct rowset *out, struct err *e)
{
    const struct position *boundary = log_reader_boundary(st->reader);
    /* A dump by GTID of which no transaction has come yet is at the head of a file. */
    bool moved = !boundary->gtids || !st->place.gtids || !gtid_set_equal(boundary->gtids, st->place.gtids);
    int rc = st->scan.active || !moved ? 0 : position_copy(&st->place, boundary, e);
    stream_disconnect(st);
    stream_drop_scan(st);
    st->bounds.skipping = false;
    st->prefer_file = st->prefer_file && st->skip.to != 0;
    stream_skip_release(st);
    st->seek_to = 0;
    st->lost_us = env_mono_us(st->opt.env);
    bare_rowset(out, ROWSET_LOST, why);
    return rc;
}

/* Until the next try; ends at once when interrupted. */
static void wait_before_try(struct source_stream *st)
{
    struct pollfd fd = {.fd = st->wake_fd, .events = POLLIN};
    poll(&fd, 1, (int)backoff_next(&st->backoff, st->opt.env));
}

/* 0: connected. 1: not yet, and *out says why. */
static int reconnect(struct source_stream *st, struct rowset *out, struct err *e)
{
    struct err failed = ERR_INIT;
    wait_before_try(st);
    if (stream_is_interrupted(st))
        return err_set(e, INTERRUPTED);
    if (stream_connect(st, NULL, &failed) == 0) {
        st->lost_us = 0;
        return 0;
    }
    if (failed.code == ERR_INTERRUPTED || err_class(&failed) != ERR_CLASS_RETRY)
        return err_set_format(e, failed.code, "%s", failed.text);
    st->host = (st->host + 1) % st->opt.host_count;
    bare_rowset(out, ROWSET_NOTE, &failed);
    return 1;
}

/* Events. */

static bool begins_transaction(uint8_t type)
{
    return type == EVENT_GTID || type == EVENT_ANONYMOUS_GTID || type == EVENT_GTID_TAGGED ||
           type == EVENT_MARIADB_GTID;
}

/* A dump by GTID begins at a file's head; its first transaction tells only the low 32 bits of where it is. */
static void seek_to_place(struct source_stream *st)
{
    if (!begins_transaction(st->event[EVENT_TYPE_AT]))
        return;
    if (strcmp(log_reader_at(st->reader)->file, st->place.at.file) == 0)
        log_reader_seek(st->reader, st->seek_to);
    st->seek_to = 0;
}

int stream_next_event(struct source_stream *st, struct err *e)
{
    int rc = st->event ? 0 : stream_read(st, e);
    if (rc == 0 && st->event_len >= EVENT_HEADER_LEN && st->event[EVENT_TYPE_AT] == EVENT_FORMAT)
        rc = stream_check_head(st, e);
    if (rc != 0)
        return rc;
    if (st->skip.to) {
        rc = stream_skip_event(st, e);
        return rc == 0 ? 1 : rc;
    }
    if (st->seek_to && st->event_len >= EVENT_HEADER_LEN)
        seek_to_place(st);
    return 0;
}

/* One event, or a part of it: as log_reader_feed, 0 also when more of it is to come. */
static int step(struct source_stream *st, struct rowset *out, struct err *e)
{
    if (st->scan.active)
        return stream_scan_step(st, e);
    int rc = stream_next_event(st, e);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    rc = log_reader_feed(st->reader, st->event, st->event_len, out, e);
    if (rc == LOG_READER_MORE)
        return 0;
    if (rc != LOG_READER_AGAIN)
        st->event = NULL;
    if (rc > 0) {
        backoff_reset(&st->backoff);
        st->prefer_file = false;
    }
    if (rc > 0 && out->kind == ROWSET_BEGIN && stream_place_first(st, &out->tx)) {
        int read = stream_read_schema(st, &st->place, false, e);
        if (read != 0 || st->scan.active) /* which begins the dump again */
            return read;
        schema_server_rest(st->server);
    }
    if (rc > 0 && out->kind == ROWSET_DDL && out->effect != EFFECT_NOTHING) {
        st->ddl = *out;
        st->after_ddl = true;
    }
    return rc;
}

/* What comes before the next event. 1: *out is filled; 0: an event can be read. */
static int before_event(struct source_stream *st, struct rowset *out, struct err *e)
{
    if (st->after_ddl) {
        int rc = stream_follow_ddl(st, e);
        if (rc != 0)
            return rc;
    }
    if (take_note(st, out))
        return 1;
    if (!st->cli) {
        int rc = reconnect(st, out, e);
        if (rc != 0)
            return rc;
        if (take_note(st, out))
            return 1;
    }
    const struct position *boundary = log_reader_boundary(st->reader);
    if (!st->scan.active && !log_reader_in_transaction(st->reader) &&
        bounds_reached(&st->bounds, log_reader_at(st->reader), boundary->gtids))
        st->finished = true;
    return 0;
}

/* 1 with a rowset for the caller, 0 to go on. */
static int turn(struct source_stream *st, struct rowset *out, struct err *e)
{
    int rc = before_event(st, out, e);
    if (rc != 0 || st->finished)
        return rc;
    rc = step(st, out, e);
    if (rc <= 0)
        return rc;
    switch (bounds_take(&st->bounds, out)) {
    case BOUNDS_PASS:
        return 1;
    case BOUNDS_END:
        st->finished = true;
        return 0;
    default:
        return 0;
    }
}

static bool stream_would_block(struct source *src)
{
    struct source_stream *st = self(src);
    if (st->finished || st->note_count > 0 || st->event || stream_is_interrupted(st))
        return false;
    return st->after_ddl || !st->cli || !client_dump_ready(st->cli);
}

/* A table that is not known although the server was asked for all of them: it may have come by a way that is not in the
 * log. It is read once, as at a start from here. */
static bool was_unknown(struct source_stream *st)
{
    const struct position *here = log_reader_boundary(st->reader);
    if (filepos_compare(&st->unknown_at.at, &here->at) == 0 &&
        strcmp(st->unknown_at.server_uuid, here->server_uuid) == 0)
        return true;
    return position_copy(&st->unknown_at, here, NULL) != 0;
}

static int stream_next(struct source *src, struct rowset *out, struct err *e)
{
    struct source_stream *st = self(src);
    /* Events that give nothing: what is complete must not wait behind them, nor behind a read that they lead to. */
    for (unsigned fruitless = 0; !st->finished; fruitless++) {
        if (fruitless == FRUITLESS_MAX || (fruitless > 0 && st->cli && stream_would_block(src))) {
            bare_rowset(out, ROWSET_MARK, NULL);
            return 0;
        }
        if (stream_is_interrupted(st))
            return err_set(e, INTERRUPTED);
        struct err failed = ERR_INIT;
        int rc = turn(st, out, &failed);
        if (rc > 0)
            return 0;
        if (rc == 0)
            continue;
        bool again = err_class(&failed) == ERR_CLASS_RETRY || (failed.code == ERR_SCHEMA_UNKNOWN && !was_unknown(st));
        if (failed.code == ERR_INTERRUPTED || !again)
            return err_set_format(e, failed.code, "%s", failed.text);
        return lose(st, &failed, out, e);
    }
    bare_rowset(out, ROWSET_EOF, NULL);
    return 0;
}

static void stream_interrupt(struct source *src)
{
    struct source_stream *st = self(src);
    const uint64_t one = 1;
    atomic_store(&st->interrupted, true);
    ssize_t written = write(st->wake_fd, &one, sizeof one);
    (void)written; /* fails only when the counter is full: then it is awake */
    pthread_mutex_lock(&st->lock);
    if (st->cli)
        client_interrupt(st->cli);
    pthread_mutex_unlock(&st->lock);
    schema_server_interrupt(st->server);
}

static void stream_close(struct source *src)
{
    struct source_stream *st = self(src);
    if (!st)
        return;
    stream_disconnect(st);
    log_reader_free(st->reader);
    spool_free(st->spool);
    snapshot_free(st->snapshot);
    position_release(&st->scan.from);
    position_release(&st->unknown_at);
    if (st->owns_schema) {
        schema_free(st->schema);
        schema_server_free(st->server);
    }
    stream_skip_release(st);
    gtid_set_free(st->lost);
    position_release(&st->place);
    if (st->wake_fd >= 0)
        close(st->wake_fd);
    pthread_mutex_destroy(&st->lock);
    free(st);
}

static void stream_held(struct source *src, struct source_held *out)
{
    struct spool_figures figures;
    spool_figures(self(src)->spool, &figures);
    *out = (struct source_held){figures.transactions, figures.bytes, figures.wants_compact};
}

static int stream_stored(struct source *src, const struct position *at, struct err *e)
{
    return spool_compact(self(src)->spool, at, e);
}

static const struct source_ops stream_ops = {
    .kind = "stream",
    .open = stream_open,
    .next = stream_next,
    .would_block = stream_would_block,
    .interrupt = stream_interrupt,
    .close = stream_close,
    .held = stream_held,
    .stored = stream_stored,
};

static void set_defaults(struct stream_options *opt)
{
    if (opt->heartbeat_ms == 0)
        opt->heartbeat_ms = STREAM_HEARTBEAT_MS;
    if (opt->backoff_ms == 0)
        opt->backoff_ms = STREAM_BACKOFF_MS;
    if (opt->backoff_max_ms == 0)
        opt->backoff_max_ms = STREAM_BACKOFF_MAX_MS;
    if (opt->lost_grace_ms == 0)
        opt->lost_grace_ms = STREAM_LOST_GRACE_MS;
}

static int make_parts(struct source_stream *st, struct err *e)
{
    int rc = 0;
    st->schema = st->opt.schema;
    st->server = st->opt.schema_server;
    st->owns_schema = st->schema == NULL;
    st->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (st->wake_fd < 0)
        return err_set(e, NO_MEMORY, sizeof(uint64_t));
    if (st->owns_schema) {
        rc = schema_server_new(&st->server, &st->opt.hosts[0], e);
        if (rc == 0)
            rc = schema_new(&st->schema, schema_server_reader(st->server), e);
    }
    if (rc == 0) {
        st->history = schema_history(st->schema);
        const struct snapshot_options snapshot = {
            .server = st->server, .history = st->history, .interest = st->opt.interest};
        rc = snapshot_new(&st->snapshot, &snapshot, e);
    }
    if (rc == 0)
        rc = stream_load_logs(&st->logs, st->opt.state, e);
    if (rc == 0)
        rc = stream_load_logs(&st->base_logs, st->opt.base, e);
    const struct spool_options spool = {.state = st->opt.state, .max_bytes = st->opt.xa_spool_bytes};
    if (rc == 0)
        rc = spool_new(&st->spool, &spool, e);
    const struct log_reader_options reader = {.interest = st->opt.interest,
                                              .schema = st->schema,
                                              .max_event_bytes = st->opt.max_event_bytes,
                                              .on_statement = st->opt.on_statement,
                                              .statements = st->opt.statements,
                                              .query_max_bytes = st->opt.query_max_bytes,
                                              .on_unknown_xa = st->opt.on_unknown_xa,
                                              .spool = st->spool};
    return rc == 0 ? log_reader_new(&st->reader, &reader, e) : rc;
}

int source_stream_new(struct source **out, const struct stream_options *opt, struct err *e)
{
    if (opt->host_count == 0)
        return err_set(e, USAGE, "no host is named to read from");
    struct source_stream *st = calloc(1, sizeof *st);
    if (!st)
        return err_set(e, NO_MEMORY, sizeof *st);
    st->base.ops = &stream_ops;
    st->opt = *opt;
    set_defaults(&st->opt);
    pthread_mutex_init(&st->lock, NULL);
    position_init(&st->place);
    position_init(&st->scan.from);
    position_init(&st->unknown_at);
    backoff_init(&st->backoff, st->opt.backoff_ms, st->opt.backoff_max_ms);
    int rc = make_parts(st, e);
    if (rc != 0) {
        stream_close(&st->base);
        return rc;
    }
    *out = &st->base;
    return 0;
}
