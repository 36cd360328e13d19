/* Where a stream starts: from what a person types to a position on the server. */
#include <inttypes.h>

#include "binlog/stream_private.h"

#define SQL_TEXT_MAX  ((size_t)4096)
#define GTID_TEXT_CAP ((size_t)256 << 20)
/* A transaction is stamped when it begins to commit, which may be before the file that it lands in was begun. */
#define TIME_MARGIN_S   60
#define PROBE_EVENTS    4 /* ROTATE, FORMAT, and two to spare */
#define PROBE_WAIT_MS   10000
#define EVENT_SECOND_AT 0

int stream_ask(struct client *cli, const char *sql, struct buf *out, struct err *e)
{
    struct client_result result = {0};
    int rc = client_query(cli, sql, &result, e);
    if (rc != 0)
        return rc;
    if (result.rows > 0 && result.columns > 0 && result.cells[0].p)
        buf_add(out, result.cells[0].p, result.cells[0].len);
    client_result_free(&result);
    return out->failed ? err_set(e, NO_MEMORY, out->len) : 0;
}

int stream_ask_gtids(struct client *cli, const char *sql, struct gtid_set **out, struct err *e)
{
    struct buf text;
    buf_init(&text, GTID_TEXT_CAP);
    int rc = stream_ask(cli, sql, &text, e);
    if (rc == 0)
        rc = gtid_set_parse(out, client_server(cli)->flavor, text.p ? (const char *)text.p : "", text.len, e);
    buf_release(&text);
    return rc;
}

/* MariaDB: the GTID position of a place. Left NULL when the server cannot tell. */
static int mariadb_gtids_of(struct client *cli, const struct filepos *at, struct gtid_set **out, struct err *e)
{
    struct buf sql, text;
    buf_init(&sql, SQL_TEXT_MAX);
    buf_init(&text, GTID_TEXT_CAP);
    /* NULL: the server cannot tell; "": nothing is before it. */
    buf_text(&sql, "SELECT IFNULL(BINLOG_GTID_POS(");
    client_quote_text(at->file, &sql);
    buf_printf(&sql, ", %" PRIu64 "), '?')", at->pos);
    buf_byte(&sql, 0);
    int rc = sql.failed ? err_set(e, NO_MEMORY, sql.len) : stream_ask(cli, (const char *)sql.p, &text, e);
    if (rc == 0 && (text.len != 1 || text.p[0] != '?'))
        rc = gtid_set_parse(out, FLAVOR_MARIADB, text.p ? (const char *)text.p : "", text.len, e);
    buf_release(&sql);
    buf_release(&text);
    return rc;
}

static void of_server(struct position *pos, const struct client_server *server)
{
    memcpy(pos->server_uuid, server->uuid, sizeof pos->server_uuid);
}

int source_stream_end(struct client *cli, struct position *out, struct err *e)
{
    const struct client_server *server = client_server(cli);
    struct position pos;
    struct buf text;
    position_init(&pos);
    buf_init(&text, GTID_TEXT_CAP);
    int rc = schema_server_binlog_end(cli, &pos.at, &text, e);
    if (rc == 0 && server->flavor == FLAVOR_MARIADB)
        rc = mariadb_gtids_of(cli, &pos.at, &pos.gtids, e);
    else if (rc == 0 && (server->gtid_on || text.len > 0))
        rc = gtid_set_parse(&pos.gtids, FLAVOR_MYSQL, text.p ? (const char *)text.p : "", text.len, e);
    buf_release(&text);
    if (rc != 0) {
        position_release(&pos);
        return rc;
    }
    of_server(&pos, server);
    position_release(out);
    *out = pos;
    return 0;
}

static int binary_logs(struct client *cli, struct client_result *out, struct err *e)
{
    int rc = client_query(cli, "SHOW BINARY LOGS", out, e);
    if (rc != 0)
        return rc;
    if (out->rows > 0 && out->cells[0].p)
        return 0;
    client_result_free(out);
    return err_set(e, BINLOG_OFF);
}

static void file_head(const struct client_result *logs, size_t index, struct filepos *out)
{
    const struct client_cell *name = &logs->cells[index * logs->columns];
    snprintf(out->file, sizeof out->file, "%s", name->p ? name->p : "");
    out->pos = 4;
}

static int resolve_earliest(struct client *cli, struct position *pos, struct err *e)
{
    struct client_result logs = {0};
    int rc = binary_logs(cli, &logs, e);
    if (rc != 0)
        return rc;
    file_head(&logs, 0, &pos->at);
    client_result_free(&logs);
    if (client_server(cli)->flavor == FLAVOR_MYSQL && client_server(cli)->gtid_on)
        rc = stream_ask_gtids(cli, "SELECT @@global.gtid_purged", &pos->gtids, e);
    else if (client_server(cli)->flavor == FLAVOR_MARIADB)
        rc = mariadb_gtids_of(cli, &pos->at, &pos->gtids, e);
    return rc;
}

int stream_file_begun(struct source_stream *st, const struct filepos *head, uint32_t *second, struct err *e)
{
    struct client_options opt = st->opt.hosts[st->host];
    opt.read_timeout_ms = PROBE_WAIT_MS;
    if (opt.connect_timeout_ms == 0)
        opt.connect_timeout_ms = PROBE_WAIT_MS;
    struct client *cli = NULL;
    int rc = client_connect(&cli, &opt, e);
    const struct client_dump dump = {.server_id = st->server_id,
                                     .replica_uuid = st->opt.replica_uuid,
                                     .at = head,
                                     .heartbeat_ms = st->opt.heartbeat_ms};
    if (rc == 0)
        rc = client_dump_start(cli, &dump, e);
    bool found = false;
    for (int i = 0; rc == 0 && !found && i < PROBE_EVENTS; i++) {
        const uint8_t *event;
        size_t len;
        rc = client_dump_read(cli, PROBE_WAIT_MS, &event, &len, e);
        if (rc == 0 && len >= EVENT_HEADER_LEN && event[EVENT_TYPE_AT] == EVENT_FORMAT) {
            struct cursor cur = cursor_over(event + EVENT_SECOND_AT, 4);
            *second = cursor_u32(&cur);
            found = true;
        }
    }
    client_close(cli);
    if (rc == 0 && !found)
        return err_set(e, CORRUPT, "a binlog file of the server does not begin with a FORMAT_DESCRIPTION event");
    return rc;
}

/* The last file that was begun before the time; the first one when there is none. */
static int resolve_time(struct source_stream *st, int64_t time_us, struct position *pos, struct err *e)
{
    struct client_result logs = {0};
    int rc = binary_logs(st->cli, &logs, e);
    if (rc != 0)
        return rc;
    int64_t wanted_s = time_us / 1000000 - TIME_MARGIN_S;
    size_t low = 0, high = logs.rows; /* file `low` is taken; files from `high` on are too late */
    while (rc == 0 && high - low > 1) {
        size_t middle = low + (high - low) / 2;
        struct filepos head;
        uint32_t second = 0;
        file_head(&logs, middle, &head);
        rc = stream_file_begun(st, &head, &second, e);
        if ((int64_t)second <= wanted_s)
            low = middle;
        else
            high = middle;
    }
    file_head(&logs, low, &pos->at);
    client_result_free(&logs);
    return rc;
}

/* A file and offset without GTIDs, as a person gives it. */
static int resolve_file(struct source_stream *st, struct position *pos, struct err *e)
{
    const struct client_server *server = client_server(st->cli);
    if (pos->server_uuid[0] == '\0')
        of_server(pos, server);
    st->prefer_file = pos->gtids == NULL;
    if (pos->gtids || server->flavor != FLAVOR_MARIADB || strcmp(pos->server_uuid, server->uuid) != 0)
        return 0;
    return mariadb_gtids_of(st->cli, &pos->at, &pos->gtids, e);
}

static int resolve_gtids(struct source_stream *st, struct position *pos, struct err *e)
{
    const struct client_server *server = client_server(st->cli);
    if (!pos->gtids || gtid_set_flavor(pos->gtids) != server->flavor)
        return err_set(e, GTID_UNKNOWN, "the server is of the other kind");
    if (server->flavor != FLAVOR_MYSQL || !st->opt.with_purged)
        return 0;
    struct gtid_set *purged = NULL;
    int rc = stream_ask_gtids(st->cli, "SELECT @@global.gtid_purged", &purged, e);
    if (rc == 0)
        rc = gtid_set_union(pos->gtids, purged, e);
    gtid_set_free(purged);
    return rc;
}

int stream_resolve(struct source_stream *st, const struct start *at, struct position *out, struct err *e)
{
    struct position pos;
    position_init(&pos);
    st->prefer_file = false;
    int rc = position_copy(&pos, &at->pos, e);
    if (rc != 0)
        return rc;
    switch (at->kind) {
    case START_CURRENT:
        rc = source_stream_end(st->cli, &pos, e);
        break;
    case START_EARLIEST:
        rc = resolve_earliest(st->cli, &pos, e);
        break;
    case START_TIME:
        rc = resolve_time(st, at->time_us, &pos, e);
        st->prefer_file = true;
        break;
    case START_FILEPOS:
        rc = resolve_file(st, &pos, e);
        break;
    case START_GTID:
        rc = resolve_gtids(st, &pos, e);
        break;
    }
    if (rc != 0) {
        position_release(&pos);
        return rc;
    }
    if (pos.server_uuid[0] == '\0')
        of_server(&pos, client_server(st->cli));
    position_release(out);
    *out = pos;
    return 0;
}
