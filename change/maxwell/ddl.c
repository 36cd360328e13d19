/* Maxwell's records of DDL statements: a table's definition before and after, by the declared types of its columns.
 *
 * Sources in Maxwell: schema/ddl/DDLMap.java, schema/columndef/ColumnDefSerializer.java. */
#include <string.h>

#include "change/maxwell/parts.h"
#include "change/statement.h"
#include "value/java.h"
#include "value/write.h"

/* ---------------------------------------------------------------- a column */

/* What a column's definition shows beside its type and name. */
enum detail { DETAIL_NONE, DETAIL_SIGN, DETAIL_CHARSET, DETAIL_BINARY, DETAIL_LABELS, DETAIL_LENGTH };

static const struct {
    const char *word; /* first of the declared type */
    const char *type; /* as Maxwell calls it; NULL: the same */
    enum detail detail;
} words[] = {
    {"tinyint", NULL, DETAIL_SIGN},
    {"smallint", NULL, DETAIL_SIGN},
    {"mediumint", NULL, DETAIL_SIGN},
    {"int", NULL, DETAIL_SIGN},
    {"bigint", NULL, DETAIL_SIGN},
    {"char", NULL, DETAIL_CHARSET},
    {"varchar", NULL, DETAIL_CHARSET},
    {"tinytext", NULL, DETAIL_CHARSET},
    {"text", NULL, DETAIL_CHARSET},
    {"longtext", NULL, DETAIL_CHARSET},
    {"mediumtext", NULL, DETAIL_CHARSET},
    {"binary", NULL, DETAIL_BINARY},
    {"tinyblob", NULL, DETAIL_BINARY},
    {"varbinary", NULL, DETAIL_BINARY},
    {"mediumblob", NULL, DETAIL_BINARY},
    {"longblob", NULL, DETAIL_BINARY},
    {"blob", NULL, DETAIL_BINARY},
    {"enum", NULL, DETAIL_LABELS},
    {"set", NULL, DETAIL_LABELS},
    {"time", NULL, DETAIL_LENGTH},
    {"datetime", NULL, DETAIL_LENGTH},
    {"timestamp", NULL, DETAIL_LENGTH},
    {"geomcollection", "geometrycollection", DETAIL_NONE},
};

/* The declared type, or what the bytes tell of it. */
struct declared {
    char text[64];
    size_t word_len;
};

static void declared_of(const struct column *column, struct declared *out)
{
    const char *text = column->definition && column->definition->json ? "json" : column->declared;
    if (text) {
        (void)snprintf(out->text, sizeof out->text, "%s", text);
    } else {
        coltype_print(&column->type, out->text, sizeof out->text);
        for (char *p = out->text; *p; p++)
            *p = (char)(*p >= 'A' && *p <= 'Z' ? *p + 32 : *p);
    }
    out->word_len = strcspn(out->text, " (");
}

static enum detail detail_of(const struct declared *declared, const char **type, size_t *len)
{
    *type = declared->text;
    *len = declared->word_len;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strlen(words[i].word) != declared->word_len ||
            memcmp(words[i].word, declared->text, declared->word_len) != 0)
            continue;
        if (words[i].type) {
            *type = words[i].type;
            *len = strlen(*type);
        }
        return words[i].detail;
    }
    return DETAIL_NONE;
}

static const char *charset_of(const struct column *column)
{
    const char *name = NULL;
    if (column->definition && column->definition->charset)
        return column->definition->charset;
    (void)charset_of_collation(column->type.collation, &name);
    return name;
}

/* Jackson's writer of characters, which these records go through, leaves those beyond U+FFFF as they are. */
static bool put_raw_text(struct maxwell_out *out, const char *p, size_t len)
{
    size_t start = 0;
    bool ok = MAXWELL_PUT(out, "\"");
    for (size_t i = 0; ok && i < len; i++) {
        if ((uint8_t)p[i] < 0xf0 || len - i < 4 || !value_is_utf8(p + i, 4))
            continue;
        ok = maxwell_put_escaped(out, (const uint8_t *)p + start, i - start) && maxwell_put(out, p + i, 4);
        i += 3;
        start = i + 1;
    }
    return ok && maxwell_put_escaped(out, (const uint8_t *)p + start, len - start) && MAXWELL_PUT(out, "\"");
}

static bool put_name(struct maxwell_out *out, const char *name)
{
    return name ? put_raw_text(out, name, strlen(name)) : MAXWELL_PUT(out, "null");
}

static bool put_labels(struct maxwell_out *out, const struct coltype *type)
{
    bool ok = MAXWELL_PUT(out, ",\"enum-values\":[");
    for (uint32_t i = 0; ok && type->labels && i < type->label_count; i++)
        ok = (i == 0 || MAXWELL_PUT(out, ",")) && put_raw_text(out, type->labels[i].text, type->labels[i].len);
    return ok && MAXWELL_PUT(out, "]");
}

static bool put_detail(struct maxwell_out *out, const struct column *column, const struct declared *declared,
                       enum detail detail)
{
    const char *open = strchr(declared->text, '(');
    unsigned length = 0;
    switch (detail) {
    case DETAIL_SIGN:
        return column->type.is_unsigned || strstr(declared->text, "unsigned") ? MAXWELL_PUT(out, ",\"signed\":false")
                                                                              : MAXWELL_PUT(out, ",\"signed\":true");
    case DETAIL_CHARSET:
        return MAXWELL_PUT(out, ",\"charset\":") && put_name(out, charset_of(column));
    case DETAIL_BINARY:
        return MAXWELL_PUT(out, ",\"charset\":\"binary\"");
    case DETAIL_LABELS:
        return put_labels(out, &column->type);
    case DETAIL_LENGTH:
        if (open && open[1] >= '0' && open[1] <= '6')
            length = (unsigned)(open[1] - '0');
        return MAXWELL_PUT(out, ",\"column-length\":") && maxwell_put_uint(out, length);
    default:
        return true;
    }
}

static bool put_column(struct maxwell_out *out, const struct column *column)
{
    struct declared declared;
    const char *type;
    size_t len;
    declared_of(column, &declared);
    enum detail detail = detail_of(&declared, &type, &len);
    return MAXWELL_PUT(out, "{\"type\":") && put_raw_text(out, type, len) && MAXWELL_PUT(out, ",\"name\":") &&
           put_raw_text(out, column->name, column->name_len) && put_detail(out, column, &declared, detail) &&
           MAXWELL_PUT(out, "}");
}

/* ---------------------------------------------------------------- a table */

static bool put_table(struct maxwell_out *out, const char *member, const char *db, const char *name,
                      const struct table *tbl)
{
    bool ok = maxwell_put(out, member, strlen(member));
    if (!tbl)
        return ok && MAXWELL_PUT(out, "null");
    ok = ok && MAXWELL_PUT(out, "{\"database\":") && put_name(out, db) && MAXWELL_PUT(out, ",\"charset\":") &&
         put_name(out, tbl->charset) && MAXWELL_PUT(out, ",\"table\":") && put_name(out, name) &&
         MAXWELL_PUT(out, ",\"primary-key\":[");
    for (unsigned i = 0; ok && tbl->pk && i < tbl->pk_count; i++)
        ok = (i == 0 || MAXWELL_PUT(out, ",")) &&
             put_raw_text(out, tbl->columns[tbl->pk[i]].name, tbl->columns[tbl->pk[i]].name_len);
    ok = ok && MAXWELL_PUT(out, "],\"columns\":[");
    for (unsigned i = 0; ok && i < tbl->column_count; i++)
        ok = (i == 0 || MAXWELL_PUT(out, ",")) && put_column(out, &tbl->columns[i]);
    return ok && MAXWELL_PUT(out, "]}");
}

/* ---------------------------------------------------------------- records */

struct statement_writer {
    struct maxwell_out out;
    const struct change *chg;
    const struct maxwell_options *opt;
    struct record_list *records;
    size_t item;
    uint64_t count; /* records of the statement so far */
};

static bool put_begin(struct statement_writer *w, const char *type, const char *db)
{
    return MAXWELL_PUT(&w->out, "{\"type\":\"") && maxwell_put(&w->out, type, strlen(type)) &&
           MAXWELL_PUT(&w->out, "\",\"database\":") && put_name(&w->out, db);
}

static bool put_table_record(struct statement_writer *w, const char *type, const struct statement_table *of)
{
    struct maxwell_out *out = &w->out;
    const char *db = of->new_db ? of->new_db : of->db, *name = of->new_name ? of->new_name : of->name;
    enum statement_kind kind = w->chg->statement->kind;
    bool altered = kind == STATEMENT_ALTER_TABLE || kind == STATEMENT_RENAME_TABLE;
    return put_begin(w, type, of->db) && MAXWELL_PUT(out, ",\"table\":") && put_name(out, of->name) &&
           (!altered || put_table(out, ",\"old\":", of->db, of->name, of->before)) &&
           (kind == STATEMENT_DROP_TABLE || put_table(out, ",\"def\":", db, name, of->after));
}

static bool put_database_record(struct statement_writer *w, const char *type)
{
    const struct statement *statement = w->chg->statement;
    return put_begin(w, type, statement->db) &&
           (statement->kind == STATEMENT_DROP_DATABASE ||
            (MAXWELL_PUT(&w->out, ",\"charset\":") && put_name(&w->out, statement->charset)));
}

static bool put_end(struct statement_writer *w)
{
    const struct statement *statement = w->chg->statement;
    struct maxwell_out *out = &w->out;
    return MAXWELL_PUT(out, ",\"ts\":") && maxwell_put_uint(out, (uint64_t)w->chg->event_time * 1000) &&
           MAXWELL_PUT(out, ",\"sql\":") && put_raw_text(out, statement->text, statement->len) &&
           (!w->opt->binlog_position || maxwell_put_position(out, ",\"position\":", w->chg)) &&
           (!w->opt->gtid_position || maxwell_put_gtid(out, w->chg)) &&
           (!w->opt->schema_id || MAXWELL_PUT(out, ",\"schema_id\":null")) && MAXWELL_PUT(out, "}");
}

/* One record: of a table, or of the database (`of` NULL). */
static int put_record(struct statement_writer *w, const char *type, const struct statement_table *of, struct err *e)
{
    char uuid[MAXWELL_UUID_LEN];
    struct buf *text = &w->records->text;
    if (!records_begin(w->records, RECORD_STATEMENT, w->item))
        return err_set(e, NO_MEMORY, w->records->size * sizeof *w->records->list);
    if (w->records->wants_keys) {
        maxwell_uuid(&w->chg->version, w->count, uuid);
        buf_add(text, uuid, sizeof uuid);
        records_key(w->records);
    }
    w->count++;
    bool ok = maxwell_out_open(&w->out, text, w->out.arena) &&
              (of ? put_table_record(w, type, of) : put_database_record(w, type)) && put_end(w);
    if (ok) {
        maxwell_out_close(&w->out);
        records_value(w->records);
    }
    if (ok && !text->failed)
        return 0;
    int rc = maxwell_no_room(text, e);
    records_drop(w->records);
    return rc;
}

/* Whether a table of the statement is told: what was created where it was is not, nor what there was not to drop. */
static bool is_told(enum statement_kind kind, const struct statement_table *of)
{
    if (kind == STATEMENT_CREATE_TABLE)
        return !of->before;
    return kind != STATEMENT_DROP_TABLE || of->before;
}

int maxwell_statement(const struct change *chg, const struct maxwell_options *opt, size_t item,
                      struct record_list *records, struct arena *arena, struct err *e)
{
    static const struct {
        const char *type; /* NULL: nothing is written */
        bool database;
    } kinds[] = {
        [STATEMENT_CREATE_TABLE] = {"table-create", false},
        [STATEMENT_ALTER_TABLE] = {"table-alter", false},
        [STATEMENT_DROP_TABLE] = {"table-drop", false},
        [STATEMENT_RENAME_TABLE] = {"table-alter", false},
        [STATEMENT_TRUNCATE] = {NULL, false},
        [STATEMENT_CREATE_INDEX] = {NULL, false},
        [STATEMENT_DROP_INDEX] = {NULL, false},
        [STATEMENT_CREATE_DATABASE] = {"database-create", true},
        [STATEMENT_ALTER_DATABASE] = {"database-alter", true},
        [STATEMENT_DROP_DATABASE] = {"database-drop", true},
    };
    const struct statement *statement = chg->statement;
    struct statement_writer w = {.chg = chg, .opt = opt, .records = records, .item = item, .out = {.arena = arena}};
    const char *type = kinds[statement->kind].type;
    int rc = 0;
    if (!type || !(opt->ddl || opt->ddl_alias))
        return 0;
    if (kinds[statement->kind].database)
        return statement->existed ? 0 : put_record(&w, type, NULL, e);
    for (unsigned i = 0; rc == 0 && i < statement->table_count; i++)
        if (is_told(statement->kind, &statement->tables[i]))
            rc = put_record(&w, type, &statement->tables[i], e);
    return rc;
}
