/* Definitions of a live server's tables: those that the history does not know at the place where the dump begins are
 * read from the server, and the log from there to the reading is scanned for statements that changed them since. Until
 * the scan is over, the dump is read for nothing else; then the stream goes back to the place. A start at `current`
 * goes on at the end of the scan instead when a statement in between touched a wanted table: rows before it may have
 * names that nobody knows. */
#include "binlog/stream_private.h"

#define SCAN_ROUNDS_MAX 100 /* readings that a statement in their window made void */

struct history_where stream_where(const struct source_stream *st, const struct position *pos)
{
    struct history_where where = history_at(pos);
    if (st->cli && strcmp(pos->server_uuid, client_server(st->cli)->uuid) != 0) {
        where.server_uuid = client_server(st->cli)->uuid;
        where.at = (struct filepos){.pos = 0};
    }
    return where;
}

/* Whether the scan has come to the place. */
static bool reached(const struct source_stream *st, const struct position *end)
{
    const struct position *boundary = log_reader_boundary(st->reader);
    const struct filepos *at = log_reader_at(st->reader);
    if (log_reader_in_transaction(st->reader))
        return false;
    if (at->file[0] && filepos_compare(at, &end->at) >= 0)
        return true;
    return boundary->gtids && end->gtids && !gtid_set_is_empty(end->gtids) &&
           gtid_set_contains_set(boundary->gtids, end->gtids);
}

static int begin_scan(struct source_stream *st, const struct position *from, bool moves, size_t count, struct err *e)
{
    struct stream_scan *scan = &st->scan;
    const struct position *end = snapshot_end(st->snapshot);
    char begin_text[FILEPOS_TEXT_MAX] = "a GTID position", end_text[FILEPOS_TEXT_MAX];
    *scan = (struct stream_scan){.from = scan->from, .active = true, .moves = moves};
    int rc = position_copy(&scan->from, from, e);
    if (rc != 0)
        return rc;
    const char *uuid = client_server(st->cli)->uuid;
    if (strcmp(scan->from.server_uuid, uuid) != 0)
        scan->from.at = (struct filepos){.pos = 0};
    memcpy(scan->from.server_uuid, uuid, sizeof scan->from.server_uuid);
    log_reader_scan(st->reader, true);
    if (moves)
        return 0;
    if (scan->from.at.file[0])
        filepos_print(&scan->from.at, begin_text);
    filepos_print(&end->at, end_text);
    stream_note(st, ERR_NONE,
                "%zu tables were not known at %s and were read from the server: the log from there to %s is scanned "
                "for statements that changed them since",
                count, begin_text, end_text);
    return 0;
}

int stream_read_schema(struct source_stream *st, const struct position *from, bool moves, struct err *e)
{
    size_t count;
    const char *metadata = client_server(st->cli)->binlog_row_metadata;
    struct history_where where = stream_where(st, from);
    snapshot_clear(st->snapshot);
    int rc = snapshot_read(st->snapshot, &where, false, &count, e);
    /* A table that was dropped before the listing has no reading: the start lies behind that statement. */
    if (rc == 0 && moves)
        rc = snapshot_go_on(st->snapshot, e);
    const struct position *end = snapshot_end(st->snapshot);
    if (rc != 0 || !end)
        return rc;
    if (filepos_compare(&where.at, &end->at) == 0 && where.at.file[0])
        return snapshot_settle(st->snapshot, &where, e);
    bool named = strcasecmp(metadata, "FULL") == 0;
    if (named && !moves && !st->opt.scan_always)
        return 0;
    return begin_scan(st, from, moves, count, e);
}

/* The definitions that were read hold from here on: by file too, when the dump was begun by GTID. */
static void take_begin(struct source_stream *st, const struct tx *tx)
{
    struct filepos *at = &st->scan.from.at;
    if (stream_place_first(st, tx))
        *at = st->place.at;
    if (at->file[0])
        return;
    snprintf(at->file, sizeof at->file, "%s", tx->file);
    at->pos = tx->pos;
}

static int take_statement(struct source_stream *st, const struct rowset *ddl, struct err *e)
{
    int rc = 0;
    st->scan.touched |= ddl->table_count > 0;
    for (unsigned i = 0; rc == 0 && i < ddl->table_count; i++)
        rc = snapshot_touch(st->snapshot, ddl->tables[i].db, ddl->tables[i].name, log_reader_boundary(st->reader), e);
    return rc;
}

/* Whether a wanted table is not known at the place. */
static bool any_unknown(struct source_stream *st, const struct history_where *where)
{
    const struct interest *interest = st->opt.interest;
    struct history_table tbl;
    for (size_t i = 0; history_table(st->history, i, &tbl); i++) {
        if (tbl.candidate || tbl.table[0] == '\0' || !interest->wants(interest->ctx, tbl.db, tbl.table))
            continue;
        const struct history_version *version = history_find(st->history, tbl.db, tbl.table, where);
        if (version && version->kind == HISTORY_UNKNOWN)
            return true;
    }
    return false;
}

/* A table that is not known here and not there to be read was dropped meanwhile: a start at `current` begins behind the
 * statement that did it. 1: to be scanned on. */
static int go_on_to_its_end(struct source_stream *st, const struct history_where *here, struct err *e)
{
    if (!st->scan.moves || !any_unknown(st, here))
        return 0;
    int rc = snapshot_go_on(st->snapshot, e);
    return rc == 0 ? !reached(st, snapshot_end(st->snapshot)) : rc;
}

/* Behind the last reading: what holds is put, and what a statement made void is read again. 1: to be scanned on. */
static int round_over(struct source_stream *st, struct err *e)
{
    struct stream_scan *scan = &st->scan;
    const struct position *end = snapshot_end(st->snapshot);
    if (scan->from.at.file[0] == '\0')
        scan->from.at = end->at;
    struct history_where from = history_at(&scan->from);
    int rc = snapshot_settle(st->snapshot, &from, e);
    if (rc != 0 || ++scan->rounds > SCAN_ROUNDS_MAX)
        return rc;
    size_t count;
    struct history_where here = history_at(log_reader_boundary(st->reader));
    rc = snapshot_read(st->snapshot, &here, true, &count, e);
    if (rc != 0)
        return rc;
    if (count == 0)
        return go_on_to_its_end(st, &here, e);
    if (!reached(st, snapshot_end(st->snapshot)))
        return 1;
    return snapshot_settle(st->snapshot, &from, e);
}

static int end_scan(struct source_stream *st, struct err *e)
{
    bool moves = st->scan.moves && st->scan.touched;
    st->scan.active = false;
    snapshot_clear(st->snapshot);
    schema_server_rest(st->server);
    if (moves) {
        log_reader_scan(st->reader, false);
        return position_copy(&st->place, log_reader_boundary(st->reader), e);
    }
    return stream_begin_again(st, e);
}

/* One event of the dump. */
static int scan_event(struct source_stream *st, struct err *e)
{
    struct rowset rs;
    int rc = stream_next_event(st, e);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    rc = log_reader_feed(st->reader, st->event, st->event_len, &rs, e);
    if (rc < 0)
        return rc;
    if (rc != LOG_READER_AGAIN && rc != LOG_READER_MORE)
        st->event = NULL;
    if (rc != LOG_READER_ROWSET && rc != LOG_READER_AGAIN)
        return 0;
    if (rs.kind == ROWSET_BEGIN || rs.kind == ROWSET_DDL)
        take_begin(st, &rs.tx);
    /* The boundary lies before the transaction of a DISCARD: what holds from the statement on, the log itself tells. */
    return rs.kind == ROWSET_DDL || rs.kind == ROWSET_DISCARD ? take_statement(st, &rs, e) : 0;
}

int stream_scan_step(struct source_stream *st, struct err *e)
{
    if (!reached(st, snapshot_end(st->snapshot)) || log_reader_at(st->reader)->file[0] == '\0')
        return scan_event(st, e);
    int rc = round_over(st, e);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    return end_scan(st, e);
}

void stream_drop_scan(struct source_stream *st)
{
    st->scan.active = false;
    snapshot_clear(st->snapshot);
}

/* Foreign keys. */

static int check_cascades(struct source_stream *st, const char *db, const char *table, struct err *e)
{
    if (!st->opt.check_cascades)
        return 0;
    const struct ddl_table child = {.db = db, .name = table};
    return schema_server_check_cascades(st->server, &child, st->opt.accept_unlogged, e);
}

static int check_one(void *ctx, const char *db, const char *table, struct err *e)
{
    struct source_stream *st = ctx;
    const struct interest *interest = st->opt.interest;
    if (stream_is_interrupted(st))
        return err_set(e, INTERRUPTED);
    return interest->wants(interest->ctx, db, table) ? check_cascades(st, db, table, e) : 0;
}

int stream_check_tables(struct source_stream *st, struct err *e)
{
    bool logs = true;
    int rc = st->opt.check_cascades ? schema_server_logs_cascades(st->server, &logs, e) : 0;
    return rc == 0 && !logs ? schema_server_tables(st->server, check_one, st, e) : rc;
}

/* Statements. */

static bool unknown_at(struct source_stream *st, const struct ddl_table *tbl, const struct history_where *where)
{
    const struct history_version *version = history_find(st->history, tbl->db, tbl->name, where);
    return !version || version->kind == HISTORY_UNKNOWN;
}

int stream_follow_ddl(struct source_stream *st, struct err *e)
{
    st->after_ddl = false;
    const struct rowset *ddl = &st->ddl;
    const struct position *boundary = log_reader_boundary(st->reader);
    struct history_where here = history_at(boundary);
    bool any = ddl->table_count == 0; /* it may concern any table */
    int rc = any ? stream_check_tables(st, e) : 0;
    for (unsigned i = 0; rc == 0 && i < ddl->table_count; i++) {
        any = any || unknown_at(st, &ddl->tables[i], &here);
        rc = check_cascades(st, ddl->tables[i].db, ddl->tables[i].name, e);
    }
    if (rc == 0 && any)
        rc = position_copy(&st->place, boundary, e);
    if (rc == 0 && any)
        rc = stream_read_schema(st, &st->place, false, e);
    if (!st->scan.active)
        schema_server_rest(st->server);
    if (rc != 0)
        st->checked_of[0] = '\0';
    return rc;
}
