/* Canal's messages: the rows of an event are gathered until its last one, then the message is written around them. */
#include "change/canal/canal.h"

#include <stdlib.h>

#include "change/canal/row.h"
#include "change/statement.h"
#include "value/write.h"

#define FIELD(name) .offset = offsetof(struct canal_options, name)
static const struct option canal_options[] = {
    {.name = "ddl",
     .type = OPTION_BOOL,
     FIELD(ddl),
     .text = "false",
     .help = "Messages for DDL statements, `isDdl` true, as Canal writes them."},
    {.name = "query_dml",
     .type = OPTION_BOOL,
     FIELD(query_dml),
     .text = "false",
     .help = "A QUERY message in front of rows with the statement behind them, where the server logs it: Canal's "
             "`canal.instance.filter.query.dml` turned round. Flink's canal-json fails on such messages."},
    {.name = "gtid",
     .type = OPTION_BOOL,
     FIELD(gtid),
     .text = "false",
     .help = "The GTID of the transaction in `gtid`. Canal has the whole executed set there."},
    {.name = "convert_text",
     .type = OPTION_BOOL,
     FIELD(convert_text),
     .text = "false",
     .help = "Text of character sets other than UTF-8 is converted; Canal reads its bytes as UTF-8, and so does this "
             "when false."},
    {.name = NULL},
};

/* What goes from batch to batch. */
struct canal_counts {
    uint64_t id;         /* of the last message */
    uint64_t query;      /* id of the statement that was written last, */
    struct version from; /* and its event */
};

struct canal_format {
    struct format base;
    const struct canal_options *options;
    struct canal_rows rows;
    struct canal_counts counts, marked;
    const struct canal_bind *bind;
    enum change_op op;
    unsigned lane;
    uint32_t event_time;
    struct version version;
    size_t item;              /* of the last row */
    char gtid[GTID_TEXT_MAX]; /* of the transaction; "" where it is not asked for */
};

#define MESSAGE_MAX ((size_t)64 << 20) /* of rows: what is beyond it goes into another message */

static unsigned canal_needs(const void *opt)
{
    const struct canal_options *options = opt;
    return FORMAT_NEEDS_DEFINITIONS | FORMAT_NEEDS_WHOLE_EVENTS | (options->ddl ? FORMAT_NEEDS_STATEMENTS : 0) |
           (options->query_dml ? FORMAT_NEEDS_QUERY : 0);
}

static int canal_open(struct format **out, const void *opt, struct err *e)
{
    struct canal_format *own = calloc(1, sizeof *own);
    if (!own)
        return err_set(e, NO_MEMORY, sizeof *own);
    own->base.ops = &format_canal;
    own->options = opt;
    canal_rows_init(&own->rows);
    *out = &own->base;
    return 0;
}

static void canal_close(struct format *format)
{
    struct canal_format *own = (struct canal_format *)format;
    if (!own)
        return;
    canal_rows_release(&own->rows);
    free(own);
}

/* ---------------------------------------------------------------- messages */

/* {"a":4,"b":12}: of the columns that the rows hold. */
static uint8_t *write_sql_types(uint8_t *o, const struct canal_bind *bind)
{
    uint8_t *start = o++;
    for (unsigned i = 0; i < bind->tbl->column_count; i++) {
        if (bind->codes[i] == CANAL_ABSENT)
            continue;
        o = write_int(piece_copy(o, &bind->cells[i].name), bind->codes[i]);
        *o++ = ',';
    }
    *start = '{';
    o -= o - start > 1;
    *o++ = '}';
    return o;
}

static uint8_t *write_types(uint8_t *o, const struct canal_bind *bind)
{
    uint8_t *start = o++;
    for (unsigned i = 0; i < bind->tbl->column_count; i++) {
        if (bind->codes[i] == CANAL_ABSENT)
            continue;
        o = piece_copy(piece_copy(o, &bind->cells[i].name), &bind->cells[i].type);
        *o++ = ',';
    }
    *start = '{';
    o -= o - start > 1;
    *o++ = '}';
    return o;
}

static uint8_t *write_key(uint8_t *o, const struct canal_bind *bind)
{
    uint8_t *start = o++;
    for (unsigned i = 0; i < bind->tbl->column_count; i++) {
        if (!bind->cells[i].is_key || bind->codes[i] == CANAL_ABSENT)
            continue;
        o = piece_copy(o, &bind->cells[i].name);
        o[-1] = ','; /* for the colon */
    }
    if (o - start == 1)
        return LITERAL(start, "null");
    *start = '[';
    o[-1] = ']';
    return o;
}

/* An array of gathered rows; the last comma becomes its end. */
static uint8_t *write_rows(uint8_t *o, const struct buf *rows)
{
    *o++ = '[';
    memcpy(o, rows->p, rows->len);
    o += rows->len;
    o[-1] = ']';
    return o;
}

static uint8_t *write_message(uint8_t *o, const struct canal_format *own, int64_t now_us)
{
    static const char *const types[] = {
        [CHANGE_INSERT] = ",\"type\":\"INSERT\"}",
        [CHANGE_UPDATE] = ",\"type\":\"UPDATE\"}",
        [CHANGE_DELETE] = ",\"type\":\"DELETE\"}",
        [CHANGE_READ] = ",\"type\":\"INSERT\"}",
    };
    const struct canal_bind *bind = own->bind;
    o = write_rows(LITERAL(o, "{\"data\":"), &own->rows.data);
    o = write_uint(piece_copy(o, &bind->database), (uint64_t)own->event_time * 1000);
    o = plan_literal(LITERAL(o, ",\"gtid\":\""), own->gtid, strlen(own->gtid));
    o = write_uint(LITERAL(o, "\",\"id\":"), own->counts.id);
    o = write_types(LITERAL(o, ",\"isDdl\":false,\"mysqlType\":"), bind);
    o = LITERAL(o, ",\"old\":");
    o = own->op == CHANGE_UPDATE ? write_rows(o, &own->rows.old) : LITERAL(o, "null");
    o = write_key(LITERAL(o, ",\"pkNames\":"), bind);
    o = write_sql_types(LITERAL(o, ",\"sql\":\"\",\"sqlType\":"), bind);
    o = write_int(piece_copy(o, &bind->table), now_us / 1000);
    return plan_literal(o, types[own->op], strlen(types[own->op]));
}

static int no_room(struct record_list *out, struct err *e)
{
    out->text.failed = false;
    if (out->text.cap)
        return err_set(e, LIMIT, "a rendered change", out->text.cap + 1, out->text.cap);
    return err_set(e, NO_MEMORY, out->text.size);
}

/* Writes the message of the gathered rows; they are gone then, also after an error. */
static int canal_flush(struct format *format, struct record_list *out, struct err *e)
{
    struct canal_format *own = (struct canal_format *)format;
    if (own->rows.count == 0)
        return 0;
    own->rows.count = 0;
    if (!records_begin(out, RECORD_ROW, own->item))
        return err_set(e, NO_MEMORY, out->size * sizeof *out->list);
    uint8_t *o = buf_room(&out->text, own->rows.data.len + own->rows.old.len + own->bind->tail_max);
    if (!o) {
        records_drop(out);
        return no_room(out, e);
    }
    own->counts.id++;
    out->text.len += (size_t)(write_message(o, own, out->now_us) - o);
    records_value(out);
    return 0;
}

/* A message without rows. */
struct plain_message {
    enum record_kind kind;
    const char *db, *table, *type;
    const char *sql;
    size_t sql_len;
    uint32_t event_time;
    bool is_ddl;
    bool is_quoted; /* its names stood in the statement: see canal_name */
};

static int write_plain(struct canal_format *own, const struct plain_message *message, size_t item,
                       struct record_list *out, struct err *e)
{
    void (*put_name)(const char *, size_t, struct buf *) = message->is_quoted ? canal_name : canal_text;
    struct buf *text = &out->text;
    if (!records_begin(out, message->kind, item))
        return err_set(e, NO_MEMORY, out->size * sizeof *out->list);
    buf_text(text, "{\"data\":null,\"database\":");
    put_name(message->db, strlen(message->db), text);
    buf_printf(text, ",\"es\":%llu,\"gtid\":\"%s\",\"id\":%llu,\"isDdl\":%s",
               (unsigned long long)message->event_time * 1000, own->gtid, (unsigned long long)own->counts.id + 1,
               message->is_ddl ? "true" : "false");
    buf_text(text, ",\"mysqlType\":null,\"old\":null,\"pkNames\":null,\"sql\":");
    canal_text(message->sql, message->sql_len, text);
    buf_text(text, ",\"sqlType\":null,\"table\":");
    put_name(message->table, strlen(message->table), text);
    buf_printf(text, ",\"ts\":%lld,\"type\":\"%s\"}", (long long)(out->now_us / 1000), message->type);
    if (text->failed) {
        records_drop(out);
        return no_room(out, e);
    }
    own->counts.id++;
    records_value(out);
    return 0;
}

/* ---------------------------------------------------------------- statements */

static void take_gtid(struct canal_format *own, const struct change *chg)
{
    own->gtid[0] = 0;
    if (own->options->gtid && chg->tx)
        (void)gtid_print(&chg->tx->gtid, own->gtid);
}

/* NULL: Canal has no message for it. */
static const char *statement_type(const struct statement *statement)
{
    static const char *const of_kind[] = {
        [STATEMENT_CREATE_TABLE] = "CREATE", [STATEMENT_ALTER_TABLE] = "ALTER",     [STATEMENT_DROP_TABLE] = "ERASE",
        [STATEMENT_RENAME_TABLE] = "RENAME", [STATEMENT_TRUNCATE] = "TRUNCATE",     [STATEMENT_CREATE_INDEX] = "CINDEX",
        [STATEMENT_DROP_INDEX] = "DINDEX",   [STATEMENT_CREATE_DATABASE] = "QUERY", [STATEMENT_DROP_DATABASE] = "QUERY",
        [STATEMENT_ALTER_DATABASE] = NULL,
    };
    static const char *const of_first[] = {
        [ALTER_OTHER] = "ALTER",
        [ALTER_ADD_INDEX] = "CINDEX",
        [ALTER_DROP_INDEX] = "DINDEX",
        [ALTER_RENAME] = "RENAME",
    };
    return statement->kind == STATEMENT_ALTER_TABLE ? of_first[statement->first] : of_kind[statement->kind];
}

static int add_statement(struct canal_format *own, const struct change *chg, size_t item, struct record_list *out,
                         struct err *e)
{
    const struct statement *statement = chg->statement;
    const char *type = own->options->ddl ? statement_type(statement) : NULL;
    if (!type)
        return 0;
    take_gtid(own, chg);
    struct plain_message message = {.kind = RECORD_STATEMENT, .type = type, .is_ddl = true};
    message.db = statement->db;
    message.table = "";
    message.sql = statement->text;
    message.sql_len = statement->len;
    message.event_time = chg->event_time;
    if (statement->table_count) {
        const struct statement_table *first = &statement->tables[0];
        message.is_quoted = true;
        bool renamed =
            first->new_name && (statement->kind == STATEMENT_RENAME_TABLE || statement->first == ALTER_RENAME);
        message.db = renamed ? first->new_db : first->db;
        message.table = renamed ? first->new_name : first->name;
    }
    return write_plain(own, &message, item, out, e);
}

/* The statement behind rows, before the first of them. */
static int add_query(struct canal_format *own, const struct change *chg, size_t item, struct record_list *out,
                     struct err *e)
{
    struct canal_counts *counts = &own->counts;
    const struct row_query *query = chg->query;
    bool same_tx = counts->from.epoch == chg->version.epoch && counts->from.sequence == chg->version.sequence;
    bool same = query && (query->id ? counts->query == query->id : counts->from.row >> 32 == chg->version.row >> 32);
    if (!own->options->query_dml || !query || (same_tx && same))
        return 0;
    counts->query = query->id;
    counts->from = chg->version;
    struct plain_message message = {.kind = RECORD_ROW, .type = "QUERY", .db = "", .is_ddl = false};
    message.table = chg->tx->gtid.flavor == FLAVOR_MARIADB ? "" : chg->table;
    message.sql = query->text;
    message.sql_len = query->len;
    message.event_time = chg->event_time;
    return write_plain(own, &message, item, out, e);
}

/* ---------------------------------------------------------------- rows */

static bool same_event(const struct canal_format *own, const struct change *chg, const struct canal_bind *bind)
{
    return own->rows.count && own->bind == bind && own->op == chg->op && own->lane == chg->lane &&
           own->version.epoch == chg->version.epoch && own->version.sequence == chg->version.sequence &&
           own->version.row >> 32 == chg->version.row >> 32;
}

static void begin_event(struct canal_format *own, const struct change *chg, const struct canal_bind *bind)
{
    canal_rows_clear(&own->rows, bind);
    own->bind = bind;
    own->op = chg->op;
    own->lane = chg->lane;
    own->version = chg->version;
    own->event_time = chg->event_time;
}

static int add_row(struct canal_format *own, const struct change *chg, const struct canal_bind *bind, size_t item,
                   struct record_list *out, struct err *e)
{
    int rc = 0;
    if (!same_event(own, chg, bind)) {
        rc = canal_flush(&own->base, out, e);
        take_gtid(own, chg);
        begin_event(own, chg, bind);
    }
    if (rc == 0 && !(chg->flags & CHANGE_FROM)) {
        rc = own->rows.count ? 0 : add_query(own, chg, item, out, e);
        if (rc == 0)
            rc = canal_rows_add(&own->rows, chg, bind, e);
        if (rc == 0)
            own->item = item;
    }
    bool full = own->rows.data.len + own->rows.old.len > MESSAGE_MAX;
    return rc == 0 && (full || chg->flags & CHANGE_LAST_IN_EVENT) ? canal_flush(&own->base, out, e) : rc;
}

static int canal_add(struct format *format, const struct change *chg, const void *bind, size_t item,
                     struct record_list *out, struct err *e)
{
    struct canal_format *own = (struct canal_format *)format;
    int rc;
    switch (chg->op) {
    case CHANGE_INSERT:
    case CHANGE_UPDATE:
    case CHANGE_DELETE:
    case CHANGE_READ:
        return add_row(own, chg, bind, item, out, e);
    case CHANGE_STATEMENT:
        rc = canal_flush(format, out, e);
        return rc == 0 ? add_statement(own, chg, item, out, e) : rc;
    default:
        return 0;
    }
}

static int canal_mark(struct format *format, struct err *e)
{
    struct canal_format *own = (struct canal_format *)format;
    (void)e;
    own->marked = own->counts;
    return 0;
}

static void canal_restore(struct format *format)
{
    struct canal_format *own = (struct canal_format *)format;
    own->rows.count = 0;
    own->counts = own->marked;
}

const struct format_ops format_canal = {
    .name = "canal",
    .help = "Canal's flat message: the rows of an event in one object, values as text.",
    .options_size = sizeof(struct canal_options),
    .options = canal_options,
    .needs = canal_needs,
    .bind = canal_bind_new,
    .unbind = canal_bind_free,
    .open = canal_open,
    .close = canal_close,
    .add = canal_add,
    .flush = canal_flush,
    .mark = canal_mark,
    .restore = canal_restore,
};
