/* The open transaction: its version, who still needs it, savepoints, what of it is out; routes by shape; the end bound.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "pipeline/feeder_private.h"

#define SCRATCH_BYTES 65536
#define PROGRESS_US   (INT64_C(60) * 1000 * 1000)

static void rows_release(struct lane_rows *rows)
{
    free(rows->row);
    free(rows->any);
}

static int rows_init(struct lane_rows *rows, unsigned lanes)
{
    rows->row = calloc(lanes, sizeof *rows->row);
    rows->any = calloc(lanes, sizeof *rows->any);
    return rows->row && rows->any ? 0 : -1;
}

static void rows_copy(struct lane_rows *to, const struct lane_rows *from, unsigned lanes)
{
    memcpy(to->row, from->row, lanes * sizeof *to->row);
    memcpy(to->any, from->any, lanes * sizeof *to->any);
    to->truncates = from->truncates;
    to->begun = from->begun;
}

/* True when no sink lies before another: then nothing that is read is for some sinks only. */
static bool all_begin_alike(const struct checkpoint *begin)
{
    for (unsigned i = 1; i < begin->count; i++)
        if (position_before(&begin->entries[0].pos, &begin->entries[i].pos) ||
            position_before(&begin->entries[i].pos, &begin->entries[0].pos))
            return false;
    return true;
}

int feeder_new(struct feeder **out, const struct feeder_options *opt, struct err *e)
{
    unsigned lanes = lanes_count(opt->lanes);
    struct feeder *f = calloc(1, sizeof *f);
    if (!f)
        return err_set(e, NO_MEMORY, sizeof *f);
    f->opt = *opt;
    f->same_begin = all_begin_alike(opt->begin);
    f->wake.fd = -1;
    f->tx.file = f->file;
    buf_init(&f->key, 0);
    buf_init(&f->key_after, 0);
    arena_init(&f->scratch, SCRATCH_BYTES, SCRATCH_BYTES, 0);
    int rc = wakeup_init(&f->wake, e);
    if (rc == 0 && (rows_init(&f->appended, lanes) || rows_init(&f->published, lanes) || rows_init(&f->resume, lanes)))
        rc = err_set(e, NO_MEMORY, lanes * sizeof(uint64_t));
    if (rc != 0) {
        feeder_free(f);
        return rc;
    }
    *out = f;
    return 0;
}

void feeder_free(struct feeder *f)
{
    if (!f)
        return;
    feeder_tx_done(f);
    for (size_t i = 0; i < f->routes_size; i++)
        free(f->routes[i]);
    free(f->routes);
    free(f->savepoints);
    for (size_t i = 0; i < f->server_count; i++)
        free(f->servers[i]);
    free(f->servers);
    rows_release(&f->appended);
    rows_release(&f->published);
    rows_release(&f->resume);
    buf_release(&f->key);
    buf_release(&f->key_after);
    arena_release(&f->scratch);
    wakeup_release(&f->wake);
    epoch_log_release(&f->epochs);
    free(f);
}

void feeder_stop(struct feeder *f)
{
    atomic_store(&f->stopping, true);
    f->opt.source->ops->interrupt(f->opt.source);
    wakeup_ring(&f->wake);
}

void feeder_wake(struct feeder *f)
{
    wakeup_ring(&f->wake);
}

const struct feeder_stats *feeder_figures(const struct feeder *f)
{
    return &f->stats;
}

/* Sinks whose own position lies before this transaction. */
static uint32_t mask_of(const struct feeder *f, const struct rowset *rs)
{
    if (f->same_begin)
        return UINT32_MAX;
    struct filepos at = {.pos = rs->tx.pos};
    snprintf(at.file, sizeof at.file, "%s", rs->tx.file);
    uint32_t mask = f->begun;
    for (unsigned i = 0; i < f->opt.sink_count; i++) {
        if (mask >> i & 1)
            continue;
        const struct checkpoint_entry *entry = checkpoint_find(f->opt.begin, f->opt.sinks[i].name);
        bool done = false;
        if (entry && entry->pos.gtids && gtid_is_set(&rs->tx.gtid))
            done = gtid_set_contains(entry->pos.gtids, &rs->tx.gtid);
        else if (entry && entry->pos.at.file[0] && strcmp(entry->pos.server_uuid, rs->server_uuid) == 0)
            done = filepos_compare(&at, &entry->pos.at) < 0;
        if (!done)
            mask |= UINT32_C(1) << i;
    }
    return mask;
}

int feeder_epoch_progress(struct feeder *f, bool now, struct err *e)
{
    int64_t now_us = env_mono_us(f->opt.env);
    if (!f->epochs.epochs || (!now && now_us - f->progress_us < PROGRESS_US))
        return 0;
    f->progress_us = now_us;
    return epoch_log_progress(&f->epochs, e);
}

static int assign_version(struct feeder *f, const struct rowset *rs, struct err *e)
{
    const struct epoch_log_options opt = {
        .state = f->opt.epoch_state, .write = f->opt.epoch_write, .flavor = rs->tx.gtid.flavor, .begin = f->opt.begin};
    if (!f->epochs.epochs && epoch_log_open(&f->epochs, &opt, e) != 0)
        return err_result(e);
    struct epoch_tx tx = {.gtid = rs->tx.gtid, .server_uuid = rs->server_uuid, .commit_us = rs->tx.commit_us};
    tx.at.pos = rs->tx.pos;
    snprintf(tx.at.file, sizeof tx.at.file, "%s", rs->tx.file);
    struct version version = {0};
    if (epoch_log_assign(&f->epochs, &tx, &version, e) != 0)
        return err_result(e);
    if (epochs_take_switch(f->epochs.epochs))
        log_event(f->opt.env->log, LOG_WARN,
                  "epochs come too often: versions are numbered by log position from now on");
    f->tx.epoch = version.epoch;
    f->tx.sequence = version.sequence;
    return 0;
}

/* One text per server, which lives as long as the lanes' items may name it; NULL: not known, or no memory. */
static const char *server_name(struct feeder *f, const char *uuid)
{
    if (!uuid || !*uuid)
        return NULL;
    if (f->tx.server_uuid && strcmp(f->tx.server_uuid, uuid) == 0)
        return f->tx.server_uuid;
    for (size_t i = 0; i < f->server_count; i++)
        if (strcmp(f->servers[i], uuid) == 0)
            return f->servers[i];
    char **grown = realloc(f->servers, (f->server_count + 1) * sizeof *grown);
    if (!grown)
        return NULL;
    f->servers = grown;
    if (!(grown[f->server_count] = strdup(uuid)))
        return NULL;
    return grown[f->server_count++];
}

/* What is out of the open transaction was cut into events by another server: it cannot be told which rows of this one
 * they are, so all of them go out again. */
static void check_resume(struct feeder *f, const char *before)
{
    if (!f->resume.active || f->tx.server_uuid == before)
        return;
    log_event(f->opt.env->log, LOG_WARN, "another server sends a transaction of which a part is out: it is sent again",
              LOG_STR("file", f->file), LOG_UINT("pos", f->tx.pos));
    f->resume.active = false;
}

int feeder_begin(struct feeder *f, const struct rowset *rs, struct err *e)
{
    bool again = f->lost && gtid_equal(&rs->tx.gtid, &f->tx.gtid) &&
                 (gtid_is_set(&rs->tx.gtid) || (rs->tx.pos == f->tx.pos && strcmp(rs->tx.file, f->file) == 0));
    uint32_t epoch = f->tx.epoch;
    uint64_t sequence = f->tx.sequence;
    const char *before = f->tx.server_uuid, *server = server_name(f, rs->server_uuid);
    f->tx = rs->tx;
    f->tx.server_uuid = server;
    f->tx.file = f->file;
    snprintf(f->file, sizeof f->file, "%s", rs->tx.file);
    if (again) {
        f->tx.epoch = epoch;
        f->tx.sequence = sequence;
        check_resume(f, before);
    } else {
        if (f->resume.active)
            return err_set(e, CHUNK_LOST, f->file, f->tx.pos);
        if (assign_version(f, rs, e) != 0)
            return err_wrap(e, "%s:%" PRIu64, rs->tx.file, rs->tx.pos);
    }
    f->lost = false;
    f->in_tx = true;
    f->tx_mask = f->begun = mask_of(f, rs);
    memset(f->appended.any, 0, lanes_count(f->opt.lanes) * sizeof *f->appended.any);
    f->appended.truncates = f->truncates = 0;
    f->appended.begun = 0;
    f->bounds = (struct bounds){0};
    f->rows = 0;
    return 0;
}

static void forget_savepoint(struct savepoint *sp)
{
    free(sp->name);
    free(sp->bounds);
}

static void forget_savepoints(struct feeder *f)
{
    for (size_t i = 0; i < f->savepoint_count; i++)
        forget_savepoint(&f->savepoints[i]);
    f->savepoint_count = 0;
}

void feeder_tx_done(struct feeder *f)
{
    forget_savepoints(f);
    f->in_tx = false;
    f->resume.active = false;
    f->published.active = false;
}

void feeder_note_chunk(struct feeder *f)
{
    /* Only when the last row that was appended is out as well: a chunk takes all of them. */
    if (!lanes_chunk_published(f->opt.lanes) ||
        ledger_last(lanes_ledger(f->opt.lanes)) != lanes_savepoint(f->opt.lanes))
        return;
    rows_copy(&f->published, &f->appended, lanes_count(f->opt.lanes));
    f->published.active = true;
}

void feeder_lost(struct feeder *f)
{
    f->lost = f->in_tx || f->resume.active;
    if (f->published.active) {
        unsigned lanes = lanes_count(f->opt.lanes);
        if (!f->resume.active) {
            memset(f->resume.any, 0, lanes * sizeof *f->resume.any);
            f->resume.truncates = 0;
            f->resume.begun = 0;
        }
        f->resume.begun |= f->published.begun;
        if (f->resume.truncates < f->published.truncates)
            f->resume.truncates = f->published.truncates;
        for (unsigned i = 0; i < lanes; i++)
            if (f->published.any[i]) {
                f->resume.row[i] = f->published.row[i];
                f->resume.any[i] = true;
            }
        f->resume.active = true;
    }
    forget_savepoints(f);
    f->in_tx = false;
}

int feeder_savepoint(struct feeder *f, const struct rowset *rs, struct err *e)
{
    if (f->savepoint_count == SAVEPOINTS_MAX)
        return err_set(e, LIMIT, "savepoints in one transaction", f->savepoint_count + 1, (size_t)SAVEPOINTS_MAX);
    if (f->savepoint_count == f->savepoint_size) {
        size_t size = f->savepoint_size ? f->savepoint_size * 2 : 16;
        struct savepoint *grown = realloc(f->savepoints, size * sizeof *grown);
        if (!grown)
            return err_set(e, NO_MEMORY, size * sizeof *grown);
        f->savepoints = grown;
        f->savepoint_size = size;
    }
    struct savepoint sp = {.name = malloc(rs->name_len + 1),
                           .len = rs->name_len,
                           .ordinal = lanes_savepoint(f->opt.lanes),
                           .rows = f->rows,
                           .bounds = f->opt.bound_sinks ? malloc(sizeof *sp.bounds) : NULL};
    if (!sp.name || (f->opt.bound_sinks && !sp.bounds)) {
        forget_savepoint(&sp);
        return err_set(e, NO_MEMORY, rs->name_len + sizeof *sp.bounds);
    }
    memcpy(sp.name, rs->name, rs->name_len);
    sp.name[rs->name_len] = '\0';
    if (sp.bounds)
        *sp.bounds = f->bounds;
    f->savepoints[f->savepoint_count++] = sp;
    return 0;
}

uint64_t feeder_savepoint_find(struct feeder *f, const struct rowset *rs)
{
    while (f->savepoint_count > 0) {
        const struct savepoint *sp = &f->savepoints[f->savepoint_count - 1];
        if (sp->len == rs->name_len && strncasecmp(sp->name, rs->name, sp->len) == 0) {
            f->rows = sp->rows;
            if (sp->bounds)
                f->bounds = *sp->bounds;
            f->appended.begun &= f->bounds.begun;
            return sp->ordinal;
        }
        forget_savepoint(&f->savepoints[--f->savepoint_count]);
    }
    f->rows = 0;
    f->bounds = (struct bounds){0};
    f->appended.begun = 0;
    return 0;
}

/* Routes were checked against the tables of the start: what does not fit now, was changed by a DDL since. Nothing of
 * the row has gone out yet. */
static int bind_route(struct feeder *f, const struct table *tbl, struct table_route *route, struct err *e)
{
    struct err why = ERR_INIT;
    int rc = routes_bind(f->opt.routes, tbl, route, &why);
    if (rc == 0)
        rc = f->opt.check(f->opt.ctx, tbl, &why);
    if (rc == 0)
        return 0;
    if (err_class(&why) != ERR_CLASS_USAGE)
        return err_set_format(e, why.code, "%s", why.text);
    return err_set(e, ROUTE_BROKEN, why.text);
}

const struct table_route *feeder_route(struct feeder *f, const struct shape *shape, struct err *e)
{
    if (shape->id >= f->routes_size) {
        size_t size = f->routes_size ? f->routes_size : 64;
        while (size <= shape->id)
            size *= 2;
        struct table_route **grown = realloc(f->routes, size * sizeof *grown);
        if (!grown) {
            err_set(e, NO_MEMORY, size * sizeof *grown);
            return NULL;
        }
        memset(grown + f->routes_size, 0, (size - f->routes_size) * sizeof *grown);
        f->routes = grown;
        f->routes_size = size;
    }
    if (!f->routes[shape->id]) {
        struct table_route *route = calloc(1, sizeof *route);
        if (!route) {
            err_set(e, NO_MEMORY, sizeof *route);
            return NULL;
        }
        if (bind_route(f, shape->tbl, route, e) != 0) {
            free(route);
            return NULL;
        }
        f->routes[shape->id] = route;
        if (route->key.case_insensitive)
            log_event(f->opt.env->log, LOG_WARN, "key column compares case-insensitively, lanes compare bytes",
                      LOG_STR("db", shape->tbl->db), LOG_STR("table", shape->tbl->name));
    }
    return f->routes[shape->id];
}

int feeder_truncate_mask(struct feeder *f, const struct rowset *rs, unsigned i, uint32_t *mask, struct err *e)
{
    const struct route *list;
    unsigned count = routes_list(f->opt.routes, &list);
    const struct ddl_table *table = &rs->tables[i];
    *mask = 0;
    for (unsigned r = 0; r < count; r++) {
        if (!route_matches(&list[r], table->db, table->name))
            continue;
        if (list[r].on_truncate == ON_TRUNCATE_STOP) {
            char statement[STATEMENT_SHOWN + FILEPOS_TEXT_MAX];
            int len = rs->statement_len < STATEMENT_SHOWN ? (int)rs->statement_len : STATEMENT_SHOWN;
            if (rs->kind == ROWSET_DISCARD)
                snprintf(statement, sizeof statement, "%.*s (its rows follow in the same transaction)", len,
                         rs->statement);
            else
                snprintf(statement, sizeof statement, "%.*s (it ends at %s:%" PRIu64 ")", len, rs->statement,
                         rs->end.file, rs->end.pos);
            err_set(e, TRUNCATE_STOP, table->db, table->name, statement);
            return err_wrap(e, "%s:%" PRIu64, f->file, f->tx.pos);
        }
        if (list[r].on_truncate == ON_TRUNCATE_SWEEP)
            *mask |= list[r].sink_mask;
    }
    return 0;
}
