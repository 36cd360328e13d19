/* From the classifier's actions to one effect on wanted tables. */
#include "binlog/query.h"

#include "schema/ddl/ddl.h"
#include "value/charset.h"
#include "value/value.h"

/* The wanted tables found so far: a list in the arena, each once. */
struct found_table {
    struct ddl_table table;
    struct found_table *next;
};

struct finding {
    const struct query_context *ctx;
    struct found_table *first;
    unsigned count;
    bool no_memory;
};

static void add(struct finding *finding, const char *db, const char *name)
{
    for (const struct found_table *at = finding->first; at; at = at->next)
        if (strcmp(at->table.db, db) == 0 && strcmp(at->table.name, name) == 0)
            return;
    struct found_table *node = (struct found_table *)arena_alloc(finding->ctx->scratch, sizeof *node);
    char *db_copy = arena_copy(finding->ctx->scratch, db, strlen(db));
    char *name_copy = arena_copy(finding->ctx->scratch, name, strlen(name));
    if (!node || !db_copy || !name_copy) {
        finding->no_memory = true;
        return;
    }
    *node = (struct found_table){{db_copy, name_copy}, finding->first};
    finding->first = node;
    finding->count++;
}

static char *lower(struct finding *finding, const char *text)
{
    char *copy = arena_copy(finding->ctx->scratch, text, strlen(text));
    for (char *c = copy; c && *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c | 0x20);
    finding->no_memory |= copy == NULL;
    return copy;
}

/* Adds the table when it is wanted, as it is written or in lower case: with lower_case_table_names the log's row events
 * have small letters whatever the statement has. */
static bool find_table(struct finding *finding, const char *db, const char *name)
{
    const struct interest *interest = finding->ctx->interest;
    if (interest->wants(interest->ctx, db, name)) {
        add(finding, db, name);
        return true;
    }
    char *low_db = lower(finding, db), *low_name = lower(finding, name);
    if (!low_db || !low_name || !interest->wants(interest->ctx, low_db, low_name))
        return false;
    add(finding, low_db, low_name);
    return true;
}

static bool find_name(struct finding *finding, const struct ddl_name *name)
{
    return name->table_len > 0 && find_table(finding, name->db, name->table);
}

static bool find_database(struct finding *finding, const char *db)
{
    unsigned before = finding->count;
    struct ddl_table tbl;
    char *low = lower(finding, db);
    for (size_t i = 0; low && schema_known(finding->ctx->schema, i, &tbl); i++)
        if (tbl.name[0] && (strcmp(tbl.db, db) == 0 || strcmp(tbl.db, low) == 0))
            (void)find_table(finding, tbl.db, tbl.name);
    return finding->count > before;
}

/* Whether any name in a statement that is not understood is that of a wanted table. */
static bool mentions(struct finding *finding, const struct ddl_statement *stmt)
{
    struct ddl_lexer lx;
    ddl_lexer_init(&lx, &stmt->mode, stmt->sql, stmt->len);
    char *db = arena_copy(finding->ctx->scratch, stmt->db ? stmt->db : "", stmt->db ? stmt->db_len : 0);
    const char *before = NULL; /* the name behind which a dot was met */
    char *name = NULL;
    finding->no_memory |= db == NULL;
    for (;;) {
        struct ddl_token tok = ddl_lexer_next(&lx);
        if (tok.kind == DDL_END || finding->no_memory)
            return false;
        if (tok.kind == DDL_BAD) {
            add(finding, db, "?");
            return true;
        }
        if (ddl_token_is_char(&tok, '.')) {
            before = name;
            continue;
        }
        if (tok.kind == DDL_PUNCT) {
            name = NULL;
            before = NULL;
            continue;
        }
        size_t len;
        name = ddl_token_text(&tok, &stmt->mode, finding->ctx->scratch, &len);
        finding->no_memory |= name == NULL;
        if (name && (find_table(finding, db, name) || (before && find_table(finding, before, name))))
            return true;
        before = NULL;
    }
}

/* One action of a DDL. Returns its effect on wanted tables. */
static enum ddl_effect act(struct finding *finding, const struct ddl_action *action)
{
    bool table, to;
    switch (action->kind) {
    case DDL_CREATE:
    case DDL_ALTER:
        return find_name(finding, &action->table) ? EFFECT_SCHEMA : EFFECT_NOTHING;
    case DDL_RENAME:
        table = find_name(finding, &action->table);
        to = find_name(finding, &action->to);
        return table || to ? EFFECT_TRUNCATE : EFFECT_NOTHING;
    case DDL_DROP:
    case DDL_TRUNCATE:
    case DDL_DISCARD:
        return find_name(finding, &action->table) ? EFFECT_TRUNCATE : EFFECT_NOTHING;
    case DDL_DATABASE_DROP:
        return find_database(finding, action->table.db) ? EFFECT_TRUNCATE : EFFECT_NOTHING;
    default:
        return EFFECT_NOTHING;
    }
}

static enum query_kind kind_of(const struct ddl_action *action)
{
    switch (action->kind) {
    case DDL_BEGIN:
        return QUERY_BEGIN;
    case DDL_COMMIT:
        return QUERY_COMMIT;
    case DDL_ROLLBACK:
        return QUERY_ROLLBACK;
    case DDL_SAVEPOINT:
        return QUERY_SAVEPOINT;
    case DDL_ROLLBACK_TO:
        return QUERY_ROLLBACK_TO;
    case DDL_RELEASE:
    case DDL_NONE:
        return QUERY_NOTHING;
    case DDL_XA_START:
        return QUERY_XA_START;
    case DDL_XA_END:
    case DDL_XA_PREPARE:
        return QUERY_XA_END;
    case DDL_XA_COMMIT:
        return QUERY_XA_COMMIT;
    case DDL_XA_ROLLBACK:
        return QUERY_XA_ROLLBACK;
    case DDL_DML:
        return QUERY_CHANGE;
    case DDL_UNKNOWN:
        return QUERY_UNKNOWN;
    default:
        return action->selects ? QUERY_CHANGE : QUERY_DDL;
    }
}

/* What a statement of several actions is: not understood when one of them is not. */
static enum query_kind kind_of_all(const struct ddl *ddl)
{
    enum query_kind kind = kind_of(&ddl->actions[0]);
    for (size_t i = 1; i < ddl->count; i++) {
        enum query_kind other = kind_of(&ddl->actions[i]);
        if (other == QUERY_UNKNOWN || (other == QUERY_CHANGE && kind != QUERY_UNKNOWN))
            kind = other;
    }
    return kind;
}

/* The statement as the classifier takes it. */
static struct ddl_statement prepare(const struct event_query *query, const struct query_context *ctx,
                                    enum charset charset)
{
    struct ddl_statement stmt = {.sql = query->statement, .len = query->statement_len};
    stmt.db = query->db;
    stmt.db_len = query->db_len;
    stmt.mode.flavor = ctx->format->mariadb ? FLAVOR_MARIADB : FLAVOR_MYSQL;
    stmt.mode.server_version = ctx->format->server_version;
    stmt.mode.sql_mode = query->has_sql_mode ? query->sql_mode : 0;
    if (ctx->in_transaction) /* the CREATE of CREATE ... SELECT: servers print it with escapes in every session */
        stmt.mode.sql_mode &= ~DDL_NO_BACKSLASH_ESCAPES;
    stmt.mode.charset = charset;
    return stmt;
}

static int take_name(struct query_class *cls, const struct ddl_action *action, struct finding *finding, struct err *e)
{
    char *name = arena_copy(finding->ctx->scratch, action->name, action->name_len);
    if (!name)
        return err_set(e, NO_MEMORY, action->name_len);
    for (char *c = name; c < name + action->name_len; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c | 0x20);
    cls->name = name;
    cls->name_len = action->name_len;
    return 0;
}

static int take_tables(struct query_class *cls, const struct finding *finding, struct err *e)
{
    size_t bytes = finding->count * sizeof(struct ddl_table);
    struct ddl_table *tables = (struct ddl_table *)arena_alloc(finding->ctx->scratch, bytes);
    if (!tables || finding->no_memory)
        return err_set(e, NO_MEMORY, bytes);
    unsigned i = finding->count;
    for (const struct found_table *at = finding->first; at; at = at->next)
        tables[--i] = at->table;
    cls->tables = tables;
    cls->table_count = finding->count;
    return 0;
}

static void take_actions(struct query_class *cls, const struct ddl *ddl, struct finding *finding)
{
    struct ddl_name table, ghost;
    if (ddl_is_swap(ddl, &table, &ghost)) {
        cls->effect = find_name(finding, &table) ? EFFECT_SCHEMA : EFFECT_NOTHING;
        return;
    }
    for (size_t i = 0; i < ddl->count; i++) {
        enum ddl_effect effect = act(finding, &ddl->actions[i]);
        if (effect > cls->effect)
            cls->effect = effect;
    }
}

static int classify_as(struct query_class *out, const struct event_query *query, const struct query_context *ctx,
                       enum charset charset, struct err *e)
{
    struct ddl_statement stmt = prepare(query, ctx, charset);
    struct ddl ddl;
    struct finding finding = {.ctx = ctx};
    int rc = ddl_classify(&ddl, &stmt, ctx->scratch, e);
    if (rc != 0)
        return rc;
    struct query_class cls = {.kind = kind_of_all(&ddl)};
    cls.name = ddl.actions[0].name;
    cls.name_len = ddl.actions[0].name_len;
    cls.stmt = stmt;
    cls.ddl = ddl;
    cls.has_actions = cls.kind == QUERY_DDL || (cls.kind == QUERY_CHANGE && ddl.actions[ddl.count - 1].selects);
    if (cls.kind == QUERY_SAVEPOINT || cls.kind == QUERY_ROLLBACK_TO)
        rc = take_name(&cls, &ddl.actions[0], &finding, e);
    else if (cls.kind == QUERY_UNKNOWN && !mentions(&finding, &stmt)) {
        cls.kind = QUERY_NOTHING;
        cls.unclassified = true;
    } else if (cls.kind == QUERY_DDL)
        take_actions(&cls, &ddl, &finding);
    if (rc == 0)
        rc = take_tables(&cls, &finding, e);
    if (rc == 0)
        *out = cls;
    return rc;
}

static bool has_high_byte(const char *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((signed char)p[i] < 0)
            return true;
    return false;
}

/* Whether the statement has the form that the servers write themselves: DROP TABLE with the tables that it found, and
 * CREATE TABLE of CREATE ... SELECT or LIKE a temporary table. */
static bool is_of_the_server(const struct event_query *query, const struct query_context *ctx)
{
    static const char generated[] = "/* generated by server */";
    const char *sql = query->statement;
    size_t len = query->statement_len;
    return ctx->in_transaction || memmem(sql, len, generated, sizeof generated - 1) || ddl_is_printed(sql, len);
}

/* Statements stand in the log in the client's character set, but those that the servers write themselves (and
 * SAVEPOINT) have UTF-8 names under the client's character set. What may be either is read as both: the form tells, or
 * else the reading that says more counts. */
int query_classify(struct query_class *out, const struct event_query *query, const struct query_context *ctx,
                   struct err *e)
{
    enum charset charset = charset_of_collation(query->client_collation, NULL);
    struct query_class cls, utf8;
    int rc = classify_as(&cls, query, ctx, charset, e);
    if (rc == 0 && charset_is_converted(charset) && has_high_byte(query->statement, query->statement_len) &&
        value_is_utf8(query->statement, query->statement_len)) {
        rc = classify_as(&utf8, query, ctx, CHARSET_UTF8, e);
        if (rc == 0 && (is_of_the_server(query, ctx) || utf8.kind == QUERY_SAVEPOINT ||
                        utf8.kind == QUERY_ROLLBACK_TO || cls.kind == QUERY_UNKNOWN || utf8.effect > cls.effect))
            cls = utf8;
    }
    if (rc == 0)
        *out = cls;
    return rc;
}

void query_print(const char *statement, size_t len, char *out, size_t size)
{
    size_t n = 0;
    while (n < len && n + 4 < size) {
        char c = statement[n];
        if (c == '(' || c == '\'' || c == '"' || c == '=' || c == '@' || (unsigned char)c < ' ')
            break;
        out[n++] = c;
    }
    if (n < len && n + 4 <= size) {
        memcpy(out + n, "...", 3);
        n += 3;
    }
    out[n] = '\0';
}
