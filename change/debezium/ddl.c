/* Schema changes: a record for each statement, of DROP and RENAME for each table, with the definition of the table as
 * it is afterwards. Sources: SchemaFactory, ConnectTableChangeSerializer and the parser's listeners of the peer. */
#include <stdio.h>

#include "base/ascii.h"
#include "change/debezium/debezium.h"
#include "change/statement.h"
#include "value/write.h"

/* ---------------------------------------------------------------- the statement's text */

/* A word, name, literal or sign of a statement; comments and blanks are none. */
struct token {
    const char *p;
    size_t len;
};

static const char *skip_comment(const char *p, const char *end)
{
    if (end - p >= 2 && p[0] == '/' && p[1] == '*') {
        for (p += 2; end - p >= 2 && (p[0] != '*' || p[1] != '/'); p++)
            ;
        return end - p >= 2 ? p + 2 : end;
    }
    if (*p == '#' || (end - p >= 3 && p[0] == '-' && p[1] == '-' && (unsigned char)p[2] <= ' ')) {
        const char *line = memchr(p, '\n', (size_t)(end - p));
        return line ? line + 1 : end;
    }
    return p;
}

static const char *skip_blanks(const char *p, const char *end)
{
    for (const char *from = NULL; p < end && p != from;) {
        from = p;
        while (p < end && (unsigned char)*p <= ' ')
            p++;
        if (p < end)
            p = skip_comment(p, end);
    }
    return p;
}

static const char *skip_quoted(const char *p, const char *end)
{
    char quote = *p++;
    for (; p < end; p++) {
        if (*p == '\\' && quote != '`' && p + 1 < end)
            p++;
        else if (*p == quote)
            return p + 1;
    }
    return end;
}

static bool is_sign(char c)
{
    return strchr("(),;.=", c) != NULL;
}

static bool is_quote(char c)
{
    return c == '\'' || c == '"' || c == '`';
}

/* The next one at *p, which goes behind it; false at the end. */
static bool next_token(const char **p, const char *end, struct token *out)
{
    const char *start = skip_blanks(*p, end), *to = start;
    if (start == end)
        return false;
    if (is_quote(*to))
        to = skip_quoted(to, end);
    else if (is_sign(*to))
        to++;
    else
        while (to < end && (unsigned char)*to > ' ' && !is_sign(*to) && !is_quote(*to) && skip_comment(to, end) == to)
            to++;
    *out = (struct token){start, (size_t)(to - start)};
    *p = to;
    return true;
}

static bool is_word(const struct token *t, const char *word)
{
    return t->len == strlen(word) && ascii_same(word, t->p, t->len);
}

/* From the first to the last word that the peer's parser reads: START TRANSACTION of CREATE TABLE … SELECT is none. */
static struct token parsed_text(const struct statement *statement)
{
    const char *p = statement->text, *end = p + statement->len;
    struct token text = {p, 0}, t, before = {p, 0};
    while (next_token(&p, end, &t)) {
        if (text.len == 0)
            text.p = t.p;
        if (is_word(&t, "transaction") && is_word(&before, "start")) {
            text.len = (size_t)(before.p - text.p);
            while (text.len > 0 && (unsigned char)text.p[text.len - 1] <= ' ')
                text.len--;
            break;
        }
        if (!is_word(&t, ";"))
            text.len = (size_t)(t.p + t.len - text.p);
        before = t;
    }
    return text;
}

/* What stands in front of the first table of DROP TABLE and RENAME TABLE; *p is the place of that. */
static struct token front_of_tables(struct token text, const char **p)
{
    const char *end = text.p + text.len;
    struct token t;
    for (*p = text.p; next_token(p, end, &t);)
        if (!is_word(&t, "drop") && !is_word(&t, "rename") && !is_word(&t, "temporary") && !is_word(&t, "table") &&
            !is_word(&t, "tables") && !is_word(&t, "if") && !is_word(&t, "exists")) {
            *p = t.p;
            return (struct token){text.p, (size_t)(t.p - text.p)};
        }
    return text;
}

/* "a TO b": the next pair of RENAME TABLE. */
static struct token next_pair(const char **p, const char *end)
{
    struct token pair = {*p, 0}, t;
    while (next_token(p, end, &t) && !is_word(&t, ",")) {
        if (pair.len == 0)
            pair.p = t.p;
        pair.len = (size_t)(t.p + t.len - pair.p);
    }
    return pair;
}

/* ---------------------------------------------------------------- records */

/* One record of a statement. */
struct change_record {
    const char *db;
    struct token front, ddl; /* one behind the other */
    const char *type;        /* NULL: no table changed */
    const char *table;
    const struct table *after; /* NULL: it is gone */
};

struct statement_run {
    struct debezium *to;
    const struct change *chg;
    size_t item;
    struct record_list *out;
    const char *tables; /* for "source"; NULL is null */
};

static void add_quoted(struct buf *out, const char *name, char quote)
{
    buf_byte(out, (uint8_t)quote);
    for (; *name; name++) {
        if (*name == quote)
            buf_byte(out, (uint8_t)quote);
        buf_byte(out, (uint8_t)*name);
    }
    buf_byte(out, (uint8_t)quote);
}

static void add_id(struct buf *out, const struct change_record *rec)
{
    struct buf id;
    buf_init(&id, 0);
    add_quoted(&id, rec->db, '"');
    buf_byte(&id, '.');
    add_quoted(&id, rec->table, '"');
    out->failed |= id.failed;
    debezium_add_string(out, (const char *)id.p, id.failed ? 0 : id.len);
    buf_release(&id);
}

static int add_changes(struct buf *out, const struct change_record *rec, struct arena *arena, struct err *e)
{
    int rc = 0;
    buf_text(out, ",\"tableChanges\":[");
    if (rec->type) {
        buf_text(out, "{\"type\":\"");
        buf_text(out, rec->type);
        buf_text(out, "\",\"id\":");
        add_id(out, rec);
        buf_text(out, ",\"table\":");
        if (rec->after)
            rc = debezium_add_table(out, rec->after, arena, e);
        else
            buf_text(out, "null");
        buf_byte(out, '}');
    }
    buf_text(out, "]}");
    return rc;
}

static void add_ddl(struct buf *out, const struct change_record *rec)
{
    debezium_add_string(out, rec->front.p, rec->front.len);
    if (rec->ddl.len && !out->failed) {
        out->len--;
        size_t at = out->len;
        debezium_add_string(out, rec->ddl.p, rec->ddl.len);
        if (!out->failed) {
            memmove(out->p + at, out->p + at + 1, out->len - at - 1);
            out->len--;
        }
    }
}

static int add_source(const struct statement_run *run, const char *db, struct err *e)
{
    struct debezium_source source;
    const struct change *chg = run->chg;
    bool in_tx = chg->statement->kind == STATEMENT_CREATE_TABLE;
    struct debezium_place place = {.connector = debezium_connector(run->to, chg), .row = run->to->last_row};
    place.thread = in_tx && place.connector != CONNECTOR_MARIADB ? chg->tx->thread_id : 0;
    int rc = debezium_source(&source, run->to->options, db, run->tables, &run->to->arena, e);
    if (rc != 0)
        return rc;
    uint8_t *o = buf_room(&run->out->text, DEBEZIUM_PLACE_MAX + debezium_pieces_len(&source, place.connector) +
                                               6 * strlen(chg->tx->file));
    if (o)
        run->out->text.len += (size_t)(debezium_write_source(o, run->to, &source, chg, &place) - o);
    return 0;
}

static void add_front(const struct statement_run *run, const char *db)
{
    struct buf *out = &run->out->text;
    const struct piece *context = &run->to->context[debezium_connector(run->to, run->chg)];
    buf_text(out, "{\"databaseName\":");
    debezium_add_text(out, db);
    buf_byte(out, '}');
    records_key(run->out);
    buf_byte(out, '{');
    buf_add(out, context->p, context->len);
    records_headers(run->out);
}

static int add_record(const struct statement_run *run, const struct change_record *rec, struct err *e)
{
    struct buf *out = &run->out->text;
    if (!records_begin(run->out, RECORD_STATEMENT, run->item))
        return err_set(e, NO_MEMORY, sizeof(struct record));
    if (run->out->wants_keys)
        add_front(run, rec->db);
    buf_byte(out, '{');
    int rc = add_source(run, rec->db, e);
    buf_printf(out, ",\"ts_ms\":%lld,\"databaseName\":", (long long)(run->out->now_us / 1000));
    debezium_add_text(out, rec->db);
    buf_text(out, ",\"schemaName\":null,\"ddl\":");
    add_ddl(out, rec);
    if (rc == 0)
        rc = add_changes(out, rec, &run->to->arena, e);
    records_value(run->out);
    if (rc == 0 && out->failed)
        rc = debezium_no_room(out, e);
    if (rc != 0)
        records_drop(run->out);
    return rc;
}

/* ---------------------------------------------------------------- kinds */

/* The peer looks at the tables behind the whole statement: what a later pair renames on is not there then. */
static const struct table *left(const struct statement_table *t)
{
    return t->passes_on ? NULL : t->after;
}

static const char *name_after(const struct statement_table *t)
{
    return t->new_name ? t->new_name : t->name;
}

static const char *db_after(const struct statement_table *t)
{
    return t->new_name ? t->new_db : t->db;
}

/* A unique index that becomes the record key is the only one that changes a table for the peer. */
static bool index_is_key(const struct statement_table *t)
{
    return t->before && left(t) && !left(t)->pk_count && left(t)->unique_count && !t->before->unique_count;
}

/* NULL: for the peer the statement changed no table. */
static const char *type_of(const struct statement *statement, const struct statement_table *t)
{
    switch (statement->kind) {
    case STATEMENT_CREATE_TABLE:
        return t->before || !left(t) ? NULL : "CREATE";
    case STATEMENT_ALTER_TABLE:
    case STATEMENT_RENAME_TABLE:
        return left(t) ? "ALTER" : NULL;
    case STATEMENT_DROP_TABLE:
        return "DROP";
    case STATEMENT_CREATE_INDEX:
        return index_is_key(t) ? "ALTER" : NULL;
    default:
        return NULL;
    }
}

/* "db.table" of each changed table, in the order of a Java HashSet; NULL without memory. */
static struct debezium_hashed *ids_of(const struct statement *statement, size_t *count, struct arena *arena)
{
    struct debezium_hashed *ids = arena_alloc(arena, (statement->table_count + 1) * sizeof *ids);
    *count = 0;
    for (unsigned i = 0; ids && i < statement->table_count; i++) {
        const struct statement_table *t = &statement->tables[i];
        size_t size = strlen(db_after(t)) + strlen(name_after(t)) + 2;
        char *id = arena_alloc(arena, size);
        if (!id)
            return NULL;
        snprintf(id, size, "%s.%s", db_after(t), name_after(t));
        if (type_of(statement, t))
            ids[(*count)++] = (struct debezium_hashed){.name = id, .number = i};
    }
    if (ids)
        debezium_hash_order(ids, *count);
    return ids;
}

/* Their names with commas between; NULL without memory. */
static char *names_of(const struct statement *statement, struct arena *arena)
{
    size_t count, bytes = 1;
    const struct debezium_hashed *ids = ids_of(statement, &count, arena);
    for (unsigned i = 0; i < statement->table_count; i++)
        bytes += strlen(name_after(&statement->tables[i])) + 1;
    char *out = ids ? arena_alloc(arena, bytes) : NULL, *o = out;
    if (!out)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        const char *name = name_after(&statement->tables[ids[i].number]);
        size_t len = strlen(name);
        if (i)
            *o++ = ',';
        memcpy(o, name, len);
        o += len;
    }
    *o = 0;
    return out;
}

static bool is_database(const struct statement *statement)
{
    return statement->kind == STATEMENT_CREATE_DATABASE || statement->kind == STATEMENT_DROP_DATABASE;
}

static int add_database(struct statement_run *run, struct token text, struct err *e)
{
    const struct statement *statement = run->chg->statement;
    struct change_record rec = {.db = statement->db, .ddl = text};
    if (is_database(statement))
        run->tables = NULL;
    return add_record(run, &rec, e);
}

/* "`db`.`t`" behind what stands in front of the tables. */
static int spell_drop(struct change_record *rec, struct arena *arena, struct err *e)
{
    struct buf text;
    buf_init(&text, 0);
    add_quoted(&text, rec->db, '`');
    buf_byte(&text, '.');
    add_quoted(&text, rec->table, '`');
    rec->ddl = (struct token){text.failed ? NULL : arena_copy(arena, text.p, text.len), text.len};
    buf_release(&text);
    return rec->ddl.p ? 0 : err_set(e, NO_MEMORY, strlen(rec->table));
}

static int add_tables(struct statement_run *run, struct token text, struct err *e)
{
    const struct statement *statement = run->chg->statement;
    bool is_drop = statement->kind == STATEMENT_DROP_TABLE, is_rename = statement->kind == STATEMENT_RENAME_TABLE;
    const char *p = text.p, *end = text.p + text.len;
    struct token front = {text.p, 0};
    int rc = 0;
    if (is_drop || is_rename)
        front = front_of_tables(text, &p);
    for (unsigned i = 0; i < statement->table_count && rc == 0; i++) {
        const struct statement_table *t = &statement->tables[i];
        struct change_record rec = {.db = db_after(t), .front = front, .ddl = text, .table = name_after(t)};
        rec.type = type_of(statement, t);
        rec.after = is_drop ? NULL : left(t);
        if (is_drop)
            rc = spell_drop(&rec, &run->to->arena, e);
        else if (is_rename)
            rec.ddl = next_pair(&p, end);
        if (rc == 0)
            rc = add_record(run, &rec, e);
    }
    return rc;
}

int debezium_statement(struct debezium *to, const struct change *chg, size_t item, struct record_list *out,
                       struct err *e)
{
    const struct statement *statement = chg->statement;
    struct statement_run run = {.to = to, .chg = chg, .item = item, .out = out};
    if (statement->kind == STATEMENT_TRUNCATE)
        return 0;
    arena_reset(&to->arena);
    run.tables = names_of(statement, &to->arena);
    if (!run.tables)
        return err_set(e, NO_MEMORY, statement->len);
    struct token text = parsed_text(statement);
    return statement->table_count ? add_tables(&run, text, e) : add_database(&run, text, e);
}
