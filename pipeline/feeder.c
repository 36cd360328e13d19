/* Rowsets become items: transactions, savepoints, versions, key moves, back-pressure. */
#include "pipeline/feeder.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "binlog/query.h"
#include "pipeline/feeder_private.h"

/* The wait for room is ended by a ring; the clock only guards against a lost one. */
#define ROOM_WAIT_MS 1000

static int step_inline(struct feeder *f, struct err *e)
{
    for (struct runner *const *runner = f->opt.inline_runners; *runner; runner++)
        if (runner_step(*runner, e) != 0)
            return err_result(e);
    return 0;
}

int feeder_publish(struct feeder *f, struct err *e)
{
    lanes_publish(f->opt.lanes);
    return step_inline(f, e);
}

/* Waits until something was acknowledged or the keeper took boundaries off the ring. */
static int wait_for_room(struct feeder *f, struct err *e)
{
    if (atomic_load(&f->stopping))
        return err_set(e, INTERRUPTED);
    if (*f->opt.inline_runners && step_inline(f, e) != 0)
        return err_result(e);
    wakeup_ring(f->opt.keeper);
    if (!*f->opt.inline_runners || f->ring_full)
        wakeup_wait(&f->wake, ROOM_WAIT_MS);
    return 0;
}

int feeder_make_room(struct feeder *f, struct err *e)
{
    while (!lanes_make_room(f->opt.lanes)) {
        feeder_note_chunk(f);
        if (wait_for_room(f, e) != 0)
            return err_result(e);
    }
    feeder_note_chunk(f);
    return 0;
}

static int add_item(struct feeder *f, unsigned lane, const struct lane_row *row, uint64_t *ordinal, struct err *e)
{
    if (f->resume.active && row->version_row <= f->resume.row[lane] && f->resume.any[lane]) {
        *ordinal = 0;
        return 0;
    }
    int rc;
    while ((rc = lanes_add(f->opt.lanes, lane, row, ordinal, e)) == LANES_FULL)
        if (feeder_make_room(f, e) != 0)
            return err_result(e);
    if (rc == 0) {
        f->appended.row[lane] = row->version_row;
        f->appended.any[lane] = true;
    }
    return rc;
}

/* A row whose key changed: both images go to the old lane as FROM, then to the new lane as TO, which waits for it. */
static int add_move(struct feeder *f, struct lane_row *row, unsigned lane_count, struct err *e)
{
    uint64_t from = 0, to;
    unsigned old_lane = key_lane((const char *)f->key.p, f->key.len, lane_count);
    unsigned new_lane = key_lane((const char *)f->key_after.p, f->key_after.len, lane_count);
    row->flags = CHANGE_FROM;
    if (add_item(f, old_lane, row, &from, e) != 0)
        return err_result(e);
    row->flags = CHANGE_TO;
    row->version_row |= 1;
    row->key = (const char *)f->key_after.p;
    row->key_len = f->key_after.len;
    /* A FROM that is out since before the connection broke lies at or before the lane's head. */
    row->has_ticket = !f->opt.in_order;
    row->ticket_lane = old_lane;
    row->ticket_ordinal = from ? from : ledger_head(lanes_ledger(f->opt.lanes), old_lane);
    return add_item(f, new_lane, row, &to, e);
}

/* True when the key's columns have the same bytes on both sides (absent behind = unchanged). */
static bool same_key_bytes(const struct found *before, const struct found *after, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (after[i].len == SIZE_MAX)
            continue;
        if (after[i].partial)
            return false;
        if (before[i].len != after[i].len || !before[i].bytes != !after[i].bytes)
            return false;
        if (after[i].bytes && memcmp(before[i].bytes, after[i].bytes, after[i].len) != 0)
            return false;
    }
    return true;
}

static int make_keys(struct feeder *f, const struct rowset *rs, const struct table_route *route, bool *moved,
                     struct err *e)
{
    *moved = false;
    buf_clear(&f->key);
    if (route->key.wanted.count == 0)
        return 0;
    if (rs->op == CHANGE_INSERT)
        return key_text(&route->key, rs->shape, f->after, NULL, "after", &f->key, &f->scratch, e);
    if (key_text(&route->key, rs->shape, f->before, NULL, "before", &f->key, &f->scratch, e) != 0)
        return err_result(e);
    if (rs->op != CHANGE_UPDATE || same_key_bytes(f->before, f->after, route->key.wanted.count))
        return 0;
    buf_clear(&f->key_after);
    if (key_text(&route->key, rs->shape, f->after, f->before, "after", &f->key_after, &f->scratch, e) != 0)
        return err_result(e);
    *moved = f->key.len != f->key_after.len || memcmp(f->key.p, f->key_after.p, f->key.len) != 0;
    return 0;
}

static int feed_row(struct feeder *f, const struct rowset *rs, const struct table_route *route,
                    const struct row_view *view, struct err *e)
{
    bool moved;
    unsigned lane_count = lanes_count(f->opt.lanes);
    if (make_keys(f, rs, route, &moved, e) != 0)
        return err_result(e);
    struct lane_row row = {
        .op = rs->op,
        .sink_mask = route->sink_mask & f->tx_mask,
        .version_row = version_row(rs->event_ordinal, view->row_in_event, 0),
        .event_pos = rs->event_pos,
        .event_time = rs->event_time,
        .row_of_tx = f->rows++,
        .shape = rs->shape,
        .key = (const char *)f->key.p,
        .key_len = f->key.len,
        .before = view->before,
        .after = view->after,
    };
    if (row.sink_mask & f->opt.bound_sinks && feeder_bounds_count(f, row.sink_mask, moved ? 2 : 1, e) != 0)
        return err_result(e);
    if (moved)
        return add_move(f, &row, lane_count, e);
    uint64_t ordinal;
    return add_item(f, key_lane(row.key, row.key_len, lane_count), &row, &ordinal, e);
}

static int feed_rows(struct feeder *f, const struct rowset *rs, struct err *e)
{
    const struct table_route *route = feeder_route(f, rs->shape, e);
    struct row_iter it = {.p = rs->rows};
    struct row_view view;
    int rc = route ? 0 : err_result(e);
    uint64_t rows = 0;
    lanes_query(f->opt.lanes, rs->query);
    while (rc == 0 && (rc = rowset_next_row(rs, &it, &view, &route->key.wanted, f->before, f->after, e)) == 1) {
        arena_reset(&f->scratch);
        rc = feed_row(f, rs, route, &view, e);
        rows++;
    }
    metric_add(&f->stats.rows_total, rows);
    if (rc < 0)
        return err_wrap(e, "%s:%" PRIu64 ": %s.%s", f->tx.file, rs->event_pos, rs->shape->tbl->db,
                        rs->shape->tbl->name);
    lanes_event_end(f->opt.lanes);
    if (lanes_chunk_due(f->opt.lanes)) {
        lanes_publish_chunk(f->opt.lanes);
        feeder_note_chunk(f);
        return step_inline(f, e);
    }
    return 0;
}

/* Between transactions: figures of what the source keeps, and what it needs not keep any longer. */
static int tend_source(struct feeder *f, struct err *e)
{
    const struct source_ops *ops = f->opt.source->ops;
    struct source_held held;
    struct position stored;
    if (!ops->held)
        return 0;
    ops->held(f->opt.source, &held);
    metric_set(&f->stats.held, held.transactions);
    metric_set(&f->stats.held_bytes, held.bytes);
    if (!held.wants_stored)
        return 0;
    position_init(&stored);
    int rc = f->opt.stored(f->opt.ctx, &stored, e);
    if (rc == 1)
        rc = ops->stored(f->opt.source, &stored, e);
    position_release(&stored);
    return rc;
}

/* A boundary behind everything appended so far. */
static int boundary(struct feeder *f, const struct rowset *rs, const struct gtid *gtid, struct err *e)
{
    struct boundary at = {.pos = rs->end.pos,
                          .file = rs->end.file,
                          .server_uuid = rs->server_uuid,
                          .gtid = *gtid,
                          .commit_us = f->tx.commit_us};
    while (lanes_end(f->opt.lanes, &at) == LANES_FULL) {
        lanes_publish(f->opt.lanes);
        f->ring_full = true;
        int rc = wait_for_room(f, e);
        f->ring_full = false;
        if (rc != 0)
            return rc;
    }
    feeder_tx_done(f);
    metric_set(&f->stats.read_commit_us, (uint64_t)f->tx.commit_us);
    if (tend_source(f, e) != 0)
        return err_result(e);
    if (lanes_should_publish(f->opt.lanes) || *f->opt.inline_runners)
        return feeder_publish(f, e);
    return 0;
}

/* Begin or end of a transaction, for the sinks that ask for it. What is out already does not go out again. */
static int feed_transaction_mark(struct feeder *f, enum change_op op, struct err *e)
{
    uint32_t mask = f->opt.mark_sinks & f->tx_mask;
    int rc = 0;
    if (!mask || (op == CHANGE_BEGIN && f->resume.active))
        return 0;
    while ((rc = lanes_mark(f->opt.lanes, op, mask, 0, e)) == LANES_FULL)
        if (feeder_make_room(f, e) != 0)
            return err_result(e);
    return rc;
}

static int begin_items(struct feeder *f, const struct rowset *rs, struct err *e)
{
    if (feeder_begin(f, rs, e) != 0)
        return err_result(e);
    lanes_begin(f->opt.lanes, &f->tx);
    return 0;
}

static int feed_begin(struct feeder *f, const struct rowset *rs, struct err *e)
{
    return begin_items(f, rs, e) == 0 ? feed_transaction_mark(f, CHANGE_BEGIN, e) : err_result(e);
}

static int end_items(struct feeder *f, const struct rowset *rs, struct err *e)
{
    if (feeder_bounds_end(f, e) != 0)
        return err_result(e);
    metric_add(&f->stats.transactions_total, 1);
    return boundary(f, rs, &f->tx.gtid, e);
}

static int feed_end(struct feeder *f, const struct rowset *rs, struct err *e)
{
    if (rs->tx.has_xid)
        lanes_xid(f->opt.lanes, rs->tx.xid);
    return feed_transaction_mark(f, CHANGE_END, e) == 0 ? end_items(f, rs, e) : err_result(e);
}

static int rollback_failed(struct feeder *f, struct err *e)
{
    return err_set(e, ROLLBACK_PUBLISHED, f->tx.file, f->tx.pos);
}

/* One line for each wanted table of a statement: what it was, and where. */
static void log_ddl(const struct feeder *f, const struct rowset *rs)
{
    char text[STATEMENT_SHOWN], at[FILEPOS_TEXT_MAX];
    struct filepos begin = {.pos = rs->tx.pos};
    snprintf(begin.file, sizeof begin.file, "%s", rs->tx.file);
    filepos_print(&begin, at);
    query_print(rs->statement, rs->statement_len, text, sizeof text);
    for (unsigned i = 0; i < rs->table_count; i++)
        log_event(f->opt.env->log, LOG_INFO, "statement on a routed table", LOG_STR("db", rs->tables[i].db),
                  LOG_STR("table", rs->tables[i].name), LOG_STR("at", at), LOG_STR("statement", text));
}

/* In the open transaction: all rows of the statement's tables are gone. Items that are out since before a lost
 * connection do not go out again: behind them are rows that are out as well. */
static int feed_discard(struct feeder *f, const struct rowset *rs, struct err *e)
{
    for (unsigned i = 0; i < rs->table_count; i++) {
        uint32_t mask = 0;
        if (feeder_truncate_mask(f, rs, i, &mask, e) != 0)
            return err_result(e);
        mask &= f->tx_mask;
        if (mask & f->opt.bound_sinks && feeder_bounds_count(f, mask, lanes_count(f->opt.lanes), e) != 0)
            return err_result(e);
        if (!mask || (f->truncates++ < f->resume.truncates && f->resume.active))
            continue;
        int rc;
        while ((rc = lanes_truncate_table(f->opt.lanes, rs->tables[i].db, rs->tables[i].name, NULL, mask, e)) ==
               LANES_FULL)
            if (feeder_make_room(f, e) != 0)
                return err_result(e);
        if (rc != 0)
            return rc;
        f->appended.truncates = f->truncates;
    }
    return 0;
}

/* The statement itself, for the sinks that ask for it; as of TRUNCATE, what is out already does not go out again. */
static int feed_statement(struct feeder *f, const struct rowset *rs, struct err *e)
{
    const struct route *list;
    unsigned count = routes_list(f->opt.routes, &list);
    struct lane_statement in = {.statement = rs->shown, .time = rs->event_time, .pos = rs->event_pos};
    for (unsigned i = 0; rs->shown && i < count; i++)
        if (route_takes_statement(&list[i], rs->shown))
            in.sink_mask |= list[i].sink_mask;
    in.sink_mask &= f->opt.statement_sinks & f->tx_mask;
    if (!in.sink_mask || (f->truncates++ < f->resume.truncates && f->resume.active))
        return 0;
    int rc;
    while ((rc = lanes_statement(f->opt.lanes, &in, e)) == LANES_FULL)
        if (feeder_make_room(f, e) != 0)
            return err_result(e);
    if (rc == 0)
        f->appended.truncates = f->truncates;
    return rc;
}

static int feed_ddl(struct feeder *f, const struct rowset *rs, struct err *e)
{
    if (begin_items(f, rs, e) != 0)
        return err_result(e);
    log_ddl(f, rs);
    if (rs->effect == EFFECT_TRUNCATE && feed_discard(f, rs, e) != 0)
        return err_result(e);
    if (feed_statement(f, rs, e) != 0)
        return err_result(e);
    return end_items(f, rs, e);
}

static int feed_lost(struct feeder *f, const struct rowset *rs, struct err *e)
{
    log_error(f->opt.env->log, "connection to the source lost", &rs->note);
    metric_add(&f->stats.reconnects_total, 1);
    metric_set(&f->stats.up, 0);
    if (feeder_publish(f, e) != 0)
        return err_result(e);
    feeder_lost(f);
    (void)lanes_rollback_to(f->opt.lanes, ledger_last(lanes_ledger(f->opt.lanes)));
    return 0;
}

static int feed_mark(struct feeder *f, const struct rowset *rs, struct err *e)
{
    static const struct gtid none = {0};
    if (rs->end.file[0] == '\0')
        return feeder_publish(f, e);
    if (f->in_tx || f->lost || f->resume.active)
        return 0;
    return boundary(f, rs, &none, e);
}

/* The source goes on without transactions that were read: their numbers may come again, for other changes. */
static int feed_surplus(struct feeder *f, const struct rowset *rs, struct err *e)
{
    if (feeder_publish(f, e) != 0 || f->opt.go_on_from(f->opt.ctx, rs->kept, e) != 0)
        return err_result(e);
    f->same_begin = true;
    return f->opt.epoch_write ? epoch_log_reset(&f->epochs, f->opt.epoch_state, e) : 0;
}

/* Failed tries to reconnect and warnings carry a code; a success does not. */
static int feed_note(struct feeder *f, const struct rowset *rs, struct err *e)
{
    if (rs->note.code) {
        log_error(f->opt.env->log, "from the source", &rs->note);
        if (rs->note.code == ERR_STATEMENT_DML || rs->note.code == ERR_INCIDENT || rs->note.code == ERR_XA_UNKNOWN)
            metric_add(&f->stats.unfollowed_total, 1);
        return rs->kept ? feed_surplus(f, rs, e) : 0;
    }
    metric_set(&f->stats.up, 1);
    log_event(f->opt.env->log, LOG_INFO, rs->note.text);
    return 0;
}

static int feed(struct feeder *f, const struct rowset *rs, struct err *e)
{
    switch (rs->kind) {
    case ROWSET_BEGIN:
        return feed_begin(f, rs, e);
    case ROWSET_ROWS:
        return feed_rows(f, rs, e);
    case ROWSET_END:
        return feed_end(f, rs, e);
    case ROWSET_ROLLBACK:
        /* Rows that are out since before a lost connection are not in the lanes' own account. */
        if (f->resume.active || lanes_rollback(f->opt.lanes) != 0)
            return rollback_failed(f, e);
        /* One that the server logged has its GTID; one that a crash left open has none. */
        return boundary(f, rs, &rs->tx.gtid, e);
    case ROWSET_STATEMENT:
        return feed_statement(f, rs, e);
    case ROWSET_DISCARD:
        log_ddl(f, rs);
        return feed_discard(f, rs, e) == 0 ? feed_statement(f, rs, e) : err_result(e);
    case ROWSET_SAVEPOINT:
        return feeder_savepoint(f, rs, e);
    case ROWSET_ROLLBACK_TO:
        if (f->resume.active || lanes_rollback_to(f->opt.lanes, feeder_savepoint_find(f, rs)) != 0)
            return rollback_failed(f, e);
        return 0;
    case ROWSET_DDL:
        return feed_ddl(f, rs, e);
    case ROWSET_MARK:
        return feed_mark(f, rs, e);
    case ROWSET_LOST:
        return feed_lost(f, rs, e);
    case ROWSET_NOTE:
        return feed_note(f, rs, e);
    case ROWSET_EOF:
        f->eof = true;
        return 0;
    }
    return err_set(e, BUG, "unknown rowset");
}

/* At the end nothing comes behind the last boundary that would hand it over once the ring has room. */
static int publish_last(struct feeder *f, struct err *e)
{
    int rc = feeder_publish(f, e);
    while (rc == 0 && !ledger_is_handed_over(lanes_ledger(f->opt.lanes))) {
        f->ring_full = true;
        rc = wait_for_room(f, e);
        f->ring_full = false;
        if (rc == 0)
            rc = feeder_publish(f, e);
    }
    return rc;
}

int feeder_run(struct feeder *f, struct err *e)
{
    const struct source_ops *ops = f->opt.source->ops;
    struct rowset rs;
    metric_set(&f->stats.up, 1);
    int rc = tend_source(f, e);
    metric_set(&f->stats.heard_us, (uint64_t)env_mono_us(f->opt.env));
    while (rc == 0 && !f->eof && !atomic_load_explicit(&f->stopping, memory_order_relaxed)) {
        if (ops->would_block(f->opt.source)) {
            rc = feeder_publish(f, e);
            if (rc == 0)
                rc = feeder_epoch_progress(f, false, e);
        }
        if (rc == 0)
            rc = ops->next(f->opt.source, &rs, e);
        if (rc == 0) {
            if (rs.kind != ROWSET_NOTE && rs.kind != ROWSET_LOST)
                metric_set(&f->stats.heard_us, (uint64_t)env_mono_us(f->opt.env));
            rc = feed(f, &rs, e);
        }
    }
    /* What is complete goes out whatever ended the loop; a first error stays the one that is told. */
    struct err last = ERR_INIT;
    if (((rc == 0 ? publish_last(f, &last) : feeder_publish(f, &last)) != 0 ||
         feeder_epoch_progress(f, true, &last) != 0) &&
        rc == 0) {
        *e = last;
        rc = err_result(e);
    }
    metric_set(&f->stats.up, 0);
    if (rc != 0 && e->code == ERR_INTERRUPTED && atomic_load(&f->stopping)) {
        err_clear(e);
        rc = 0;
    }
    return rc;
}
