/* ROWS events: to which table they belong, and whether anybody wants them. */
#include "binlog/log_reader_private.h"

static int resolve(struct log_reader *reader, const struct log_event *ev, struct table_entry *entry, struct err *e)
{
    if (entry->shape)
        return 0;
    struct history_where where;
    log_where(reader, ev, &where);
    return schema_resolve(reader->opt.schema, &entry->wire, &where, &entry->shape, e);
}

void log_end_statement(struct log_reader *reader)
{
    table_cache_end_statement(&reader->tables);
    reader->has_query = false;
}

int log_rows(struct log_reader *reader, const struct log_event *ev, struct rowset *out, struct err *e)
{
    struct event_rows rows;
    int rc = event_rows_read(&rows, ev->body, ev->header.type, &reader->format, e);
    if (rc != 0)
        return rc;
    if (reader->state != TX_OPEN)
        return err_set(e, CORRUPT, "rows outside a transaction: the start position is not a boundary");
    if (reader->ordinal == UINT32_MAX)
        return err_set(e, LIMIT, "ROWS events in one transaction", (size_t)reader->ordinal + 1, (size_t)UINT32_MAX);
    uint32_t ordinal = reader->ordinal++;
    bool last = rows.flags & EVENT_ROWS_STATEMENT_END;
    if (rows.table_id == EVENT_ROWS_DUMMY_TABLE && last) {
        log_end_statement(reader);
        return LOG_READER_NONE;
    }
    struct table_entry *entry = table_cache_find(&reader->tables, rows.table_id);
    if (!entry)
        return err_set(e, CORRUPT, "rows of a table id that no TABLE_MAP event of the statement has named");
    if (rows.column_count != entry->wire.column_count)
        return err_set(e, CORRUPT, "ROWS and TABLE_MAP event differ in the number of columns");
    bool wanted = entry->wanted;
    if (wanted) {
        rc = resolve(reader, ev, entry, e);
        if (rc != 0)
            return rc;
        log_rowset(reader, ROWSET_ROWS, out);
        out->shape = entry->shape;
        out->op = rows.op;
        out->event_ordinal = ordinal;
        out->event_pos = ev->begin;
        out->event_time = ev->header.timestamp;
        out->before_present = rows.before_present;
        out->after_present = rows.after_present;
        out->partial = rows.partial;
        out->rows = rows.rows;
        out->rows_end = rows.rows_end;
        out->query = reader->has_query ? &reader->query : NULL;
    }
    if (last)
        log_end_statement(reader);
    return wanted ? LOG_READER_ROWSET : LOG_READER_NONE;
}
