/* QUERY events: transaction words, DDL, changes by statement. */
#include "binlog/log_reader_private.h"

#include "binlog/query.h"
#include "schema/statement.h"

#define STATEMENT_TEXT_MAX 160

int log_statement(struct log_reader *reader, const char *statement, size_t len, struct rowset *out, struct err *e)
{
    char text[STATEMENT_TEXT_MAX];
    query_print(statement, len, text, sizeof text);
    if (reader->opt.on_statement == ON_STATEMENT_STOP)
        return err_set(e, STATEMENT_DML, text);
    log_rowset(reader, ROWSET_NOTE, out);
    (void)err_set(&out->note, STATEMENT_DML, text);
    return LOG_READER_ROWSET;
}

/* The statement's versions are in the history, durably, before anything behind it is handed out. */
static int follow(struct log_reader *reader, const struct log_event *ev, const struct event_query *query,
                  const struct query_class *cls, struct err *e)
{
    struct schema_statement st = {.stmt = &cls->stmt,
                                  .ddl = &cls->ddl,
                                  .server_collation = query->server_collation,
                                  .utf8mb4_collation = query->utf8mb4_collation,
                                  .explicit_timestamps = query->explicit_timestamps,
                                  .ddl_xid = query->has_ddl_xid,
                                  .failed = query->error_code != 0};
    reader->shown = NULL;
    if (cls->effect != EFFECT_NOTHING)
        table_cache_clear(&reader->tables);
    if (!cls->has_actions)
        return 0;
    log_where(reader, ev, &st.where);
    int rc = schema_follow(reader->opt.schema, &st, reader->opt.interest, &reader->scratch, &reader->followed, e);
    if (rc == -ERR_DDL_UNKNOWN) {
        char text[STATEMENT_TEXT_MAX];
        query_print(query->statement, query->statement_len, text, sizeof text);
        err_wrap(e, "%s", text);
    }
    if (rc == 0 && reader->followed.changed_count)
        table_cache_clear(&reader->tables);
    if (rc == 0 && reader->opt.statements && !reader->scanning)
        rc = schema_show_statement(reader->opt.schema, &st, reader->opt.interest, &reader->scratch, &reader->shown, e);
    return rc;
}

/* True with a NOTE in *out when there is something to say that was not said yet; then the event must come again, but
 * for one that gives no rowset. */
static bool note(struct log_reader *reader, const struct event_query *query, const struct query_class *cls,
                 struct rowset *out)
{
    char text[STATEMENT_TEXT_MAX];
    reader->statement_noted = !reader->statement_noted && (reader->followed.note || cls->unclassified);
    if (!reader->statement_noted)
        return false;
    log_rowset(reader, ROWSET_NOTE, out);
    out->note.code = ERR_NONE;
    query_print(query->statement, query->statement_len, text, sizeof text);
    if (reader->followed.note)
        snprintf(out->note.text, sizeof out->note.text, "%s", reader->followed.note);
    else
        snprintf(out->note.text, sizeof out->note.text, "a statement that names no wanted table is not understood: %s",
                 text);
    return true;
}

static int unclassified(const struct event_query *query, const struct query_class *cls, const char *why, struct err *e)
{
    char text[STATEMENT_TEXT_MAX], all[STATEMENT_TEXT_MAX + 64];
    query_print(query->statement, query->statement_len, text, sizeof text);
    snprintf(all, sizeof all, "%s%s", why, text);
    return err_set(e, DDL_UNKNOWN, cls->tables[0].db, cls->tables[0].name, all);
}

static void put_statement(const struct log_reader *reader, const struct log_event *ev, const struct event_query *query,
                          const struct query_class *cls, struct rowset *out)
{
    out->event_time = ev->header.timestamp;
    out->event_pos = ev->begin;
    out->shown = reader->shown;
    out->tables = cls->tables;
    out->table_count = cls->table_count;
    out->statement = query->statement;
    out->statement_len = query->statement_len;
}

/* A DDL inside a transaction is the CREATE TABLE of CREATE TABLE ... SELECT: it has no rowset of its own, unless
 * MariaDB's OR REPLACE discards rows by it, or it is to be shown. */
static int ddl_inside(struct log_reader *reader, const struct log_event *ev, const struct event_query *query,
                      const struct query_class *cls, struct rowset *out, struct err *e)
{
    int rc = follow(reader, ev, query, cls, e);
    if (rc != 0)
        return rc;
    bool discards = cls->effect == EFFECT_TRUNCATE, tells = discards || reader->shown;
    if (note(reader, query, cls, out)) {
        reader->statement_noted &= tells;
        return tells ? LOG_READER_AGAIN : LOG_READER_ROWSET;
    }
    if (!tells)
        return LOG_READER_NONE;
    log_rowset(reader, discards ? ROWSET_DISCARD : ROWSET_STATEMENT, out);
    put_statement(reader, ev, query, cls, out);
    reader->ordinal += discards;
    return LOG_READER_ROWSET;
}

static int ddl(struct log_reader *reader, const struct log_event *ev, const struct event_query *query,
               const struct query_class *cls, struct rowset *out, struct err *e)
{
    if (reader->state == TX_OPEN)
        return ddl_inside(reader, ev, query, cls, out, e);
    if (reader->state == TX_NONE)
        log_tx_begin(reader, ev);
    int rc = follow(reader, ev, query, cls, e);
    if (rc != 0)
        return rc;
    if (note(reader, query, cls, out))
        return LOG_READER_AGAIN;
    log_rowset(reader, ROWSET_DDL, out);
    out->effect = cls->effect;
    put_statement(reader, ev, query, cls, out);
    rc = log_tx_end(reader, ev, e);
    out->end = reader->boundary.at;
    return rc == 0 ? LOG_READER_ROWSET : rc;
}

static int begin(struct log_reader *reader, const struct log_event *ev, const struct event_query *query,
                 struct rowset *out, struct err *e)
{
    if (reader->state == TX_OPEN) {
        if (reader->ordinal == 0 && reader->format.mariadb)
            return LOG_READER_NONE; /* the GTID event has begun it already */
        if (reader->reconnected)
            return log_void(reader, out);
        return err_set(e, CORRUPT, "a transaction begins inside another");
    }
    if (reader->state == TX_NONE)
        log_tx_begin(reader, ev);
    reader->state = TX_OPEN;
    reader->tx.thread_id = query->thread_id;
    log_rowset(reader, ROWSET_BEGIN, out);
    return LOG_READER_ROWSET;
}

/* COMMIT or ROLLBACK. Outside a transaction, or straight behind a GTID, it ends an empty one. */
static int end(struct log_reader *reader, const struct log_event *ev, enum rowset_kind kind, struct rowset *out,
               struct err *e)
{
    if (reader->xa.preparing && kind == ROWSET_END)
        return log_xa_one_phase(reader, ev, out, e);
    bool empty = reader->state != TX_OPEN || reader->xa.preparing;
    log_xa_drop(reader);
    if (reader->state == TX_NONE)
        log_tx_begin(reader, ev);
    log_rowset(reader, empty ? ROWSET_DDL : kind, out);
    int rc = log_tx_end(reader, ev, e);
    out->end = reader->boundary.at;
    return rc == 0 ? LOG_READER_ROWSET : rc;
}

static int savepoint(const struct log_reader *reader, enum rowset_kind kind, const struct query_class *cls,
                     struct rowset *out)
{
    if (reader->state != TX_OPEN)
        return LOG_READER_NONE;
    log_rowset(reader, kind, out);
    out->name = cls->name;
    out->name_len = cls->name_len;
    return LOG_READER_ROWSET;
}

static int xa_end(struct log_reader *reader, const struct log_event *ev, const struct query_class *cls,
                  struct rowset *out, struct err *e)
{
    struct xid xid;
    int rc = xid_parse(&xid, cls->name, cls->name_len, e);
    if (rc != 0)
        return rc;
    return cls->kind == QUERY_XA_COMMIT ? log_xa_commit(reader, ev, &xid, out, e)
                                        : log_xa_rollback(reader, ev, &xid, out, e);
}

int log_query(struct log_reader *reader, const struct log_event *ev, struct rowset *out, struct err *e)
{
    struct event_query query;
    struct query_class cls = {0};
    const struct query_context ctx = {.format = &reader->format,
                                      .interest = reader->opt.interest,
                                      .schema = reader->opt.schema,
                                      .scratch = &reader->scratch,
                                      .in_transaction = reader->state == TX_OPEN};
    int rc = event_query_read(&query, ev->body, e);
    if (rc == 0 && reader->state == TX_NAMED && reader->no_effect)
        return ddl(reader, ev, &query, &(struct query_class){.kind = QUERY_DDL, .effect = EFFECT_NOTHING}, out, e);
    if (rc == 0)
        rc = query_classify(&cls, &query, &ctx, e);
    if (rc != 0)
        return rc;
    switch (cls.kind) {
    case QUERY_BEGIN:
        return begin(reader, ev, &query, out, e);
    case QUERY_COMMIT:
        return end(reader, ev, ROWSET_END, out, e);
    case QUERY_ROLLBACK:
        return end(reader, ev, ROWSET_ROLLBACK, out, e);
    case QUERY_SAVEPOINT:
    case QUERY_ROLLBACK_TO:
        if (reader->xa.preparing)
            return log_xa_hold(reader, ev, e);
        return savepoint(reader, cls.kind == QUERY_SAVEPOINT ? ROWSET_SAVEPOINT : ROWSET_ROLLBACK_TO, &cls, out);
    case QUERY_XA_START:
        return log_xa_begin(reader, ev, e);
    case QUERY_XA_END:
        return LOG_READER_NONE;
    case QUERY_XA_COMMIT:
    case QUERY_XA_ROLLBACK:
        return xa_end(reader, ev, &cls, out, e);
    case QUERY_CHANGE:
        rc = follow(reader, ev, &query, &cls, e);
        if (rc != 0 || reader->scanning)
            return rc;
        return log_statement(reader, query.statement, query.statement_len, out, e);
    case QUERY_UNKNOWN:
        return unclassified(&query, &cls, "", e);
    case QUERY_NOTHING:
    case QUERY_DDL:
        break;
    }
    return ddl(reader, ev, &query, &cls, out, e);
}
