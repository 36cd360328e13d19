/* The kind of a statement by its first words, and its tables by what the classifier made of it. */
#include "schema/statement.h"

#include <string.h>

#include "value/charset.h"
#include "value/value.h"

struct showing {
    struct schema *schema;
    const struct schema_statement *st;
    const struct interest *interest;
    struct arena *arena;
    struct history_where before; /* the place that ends where the statement begins */
    struct statement_table *tables;
    unsigned count;
    bool renames_only;
    struct err *e;
};

/* ---------------------------------------------------------------- kind */

/* The next token after any of the words of `list`. */
static struct ddl_token skip_words(struct ddl_lexer *lx, struct ddl_token tok, const char *const *list)
{
    for (const char *const *word = list; *word;) {
        if (!ddl_token_is(&tok, *word)) {
            word++;
            continue;
        }
        tok = ddl_lexer_next(lx);
        word = list;
    }
    return tok;
}

static bool is_any(const struct ddl_token *tok, const char *const *list)
{
    for (; *list; list++)
        if (ddl_token_is(tok, *list))
            return true;
    return false;
}

static const char *const databases[] = {"DATABASE", "SCHEMA", NULL};
static const char *const tables[] = {"TABLE", "TABLES", NULL};
static const char *const indexes[] = {"INDEX", "KEY", "UNIQUE", "FULLTEXT", "SPATIAL", "VECTOR", NULL};
static const char *const before_object[] = {"OR",     "REPLACE",  "ONLINE",  "OFFLINE", "IGNORE",
                                            "UNIQUE", "FULLTEXT", "SPATIAL", "VECTOR",  NULL};

/* Behind ALTER TABLE: the first clause. */
static enum alter_first first_clause(struct ddl_lexer *lx)
{
    static const char *const before_name[] = {"IF", "EXISTS", NULL}, *const waits[] = {"WAIT", "NOWAIT", NULL};
    static const char *const inside[] = {"COLUMN", "INDEX", "KEY", NULL};
    static const char *const dropped[] = {"INDEX", "KEY", "CONSTRAINT", NULL};
    struct ddl_token tok = ddl_lexer_next(lx);
    (void)skip_words(lx, tok, before_name);
    tok = ddl_lexer_next(lx);
    if (ddl_token_is_char(&tok, '.')) {
        (void)ddl_lexer_next(lx);
        tok = ddl_lexer_next(lx);
    }
    if (is_any(&tok, waits)) {
        bool number = ddl_token_is(&tok, "WAIT");
        tok = ddl_lexer_next(lx);
        if (number)
            tok = ddl_lexer_next(lx);
    }
    bool add = ddl_token_is(&tok, "ADD"), drop = ddl_token_is(&tok, "DROP"), rename = ddl_token_is(&tok, "RENAME");
    tok = ddl_lexer_next(lx);
    if (rename)
        return is_any(&tok, inside) ? ALTER_OTHER : ALTER_RENAME;
    if (drop)
        return is_any(&tok, dropped) ? ALTER_DROP_INDEX : ALTER_OTHER;
    if (add && ddl_token_is(&tok, "CONSTRAINT")) {
        tok = ddl_lexer_next(lx);
        if (!is_any(&tok, indexes))
            tok = ddl_lexer_next(lx);
    }
    return add && is_any(&tok, indexes) ? ALTER_ADD_INDEX : ALTER_OTHER;
}

/* False: none of those that are shown. */
static bool find_kind(const struct schema_statement *st, struct statement *out)
{
    static const enum statement_kind of_database[] = {STATEMENT_CREATE_DATABASE, STATEMENT_ALTER_DATABASE,
                                                      STATEMENT_DROP_DATABASE};
    static const enum statement_kind of_table[] = {STATEMENT_CREATE_TABLE, STATEMENT_ALTER_TABLE, STATEMENT_DROP_TABLE};
    static const char *const verbs[] = {"CREATE", "ALTER", "DROP"};
    struct ddl_lexer lx;
    ddl_lexer_init(&lx, &st->stmt->mode, st->stmt->sql + st->ddl->begin, st->stmt->len - st->ddl->begin);
    struct ddl_token tok = ddl_lexer_next(&lx);
    if (ddl_token_is(&tok, "TRUNCATE") || ddl_token_is(&tok, "RENAME")) {
        out->kind = ddl_token_is(&tok, "RENAME") ? STATEMENT_RENAME_TABLE : STATEMENT_TRUNCATE;
        return true;
    }
    unsigned verb = 0;
    while (verb < 3 && !ddl_token_is(&tok, verbs[verb]))
        verb++;
    if (verb == 3)
        return false;
    tok = skip_words(&lx, ddl_lexer_next(&lx), before_object);
    if (is_any(&tok, databases)) {
        out->kind = of_database[verb];
        return true;
    }
    if (ddl_token_is(&tok, "INDEX")) {
        out->kind = verb == 0 ? STATEMENT_CREATE_INDEX : STATEMENT_DROP_INDEX;
        return true;
    }
    if (!is_any(&tok, tables))
        return false;
    out->kind = of_table[verb];
    if (out->kind == STATEMENT_ALTER_TABLE)
        out->first = first_clause(&lx);
    return true;
}

/* ---------------------------------------------------------------- tables */

/* A table that an action before this one named; by another name from now on it is another. */
static struct statement_table *find_table(const struct showing *sh, const struct ddl_table *name)
{
    for (unsigned i = 0; i < sh->count; i++)
        if (!sh->tables[i].new_name && strcmp(sh->tables[i].db, name->db) == 0 &&
            strcmp(sh->tables[i].name, name->name) == 0)
            return &sh->tables[i];
    return NULL;
}

/* A table that a pair before this one gave the name. */
static const struct statement_table *find_moved(const struct showing *sh, const struct ddl_table *name)
{
    for (unsigned i = sh->count; i > 0; i--) {
        const struct statement_table *tbl = &sh->tables[i - 1];
        if (tbl->new_name && strcmp(tbl->new_db, name->db) == 0 && strcmp(tbl->new_name, name->name) == 0)
            return tbl;
    }
    return NULL;
}

static bool same_name(const struct ddl_name *a, const struct ddl_name *b)
{
    return strcmp(a->db, b->db) == 0 && strcmp(a->table, b->table) == 0;
}

/* Whether another pair names what this one makes: the history tells of it only what it is behind all of them. A later
 * pair may give the name away. */
static bool is_named_again(const struct showing *sh, const struct ddl_action *pair, bool *passes_on)
{
    bool named = false;
    for (size_t i = 0; i < sh->st->ddl->count; i++) {
        const struct ddl_action *other = &sh->st->ddl->actions[i];
        bool away = other != pair && same_name(&other->table, &pair->to);
        *passes_on |= away && other > pair;
        named |= away || (other != pair && same_name(&other->to, &pair->to));
    }
    return named;
}

static bool is_of_table(enum ddl_kind kind)
{
    return kind == DDL_CREATE || kind == DDL_ALTER || kind == DDL_RENAME || kind == DDL_DROP || kind == DDL_TRUNCATE ||
           kind == DDL_DISCARD;
}

/* One action: its table, and by RENAME what that is called from now on. */
static int add_action(struct showing *sh, const struct ddl_action *action)
{
    bool renames = action->kind == DDL_RENAME, wanted, to_wanted = false;
    const struct follow_naming by = {schema_history(sh->schema), sh->interest, sh->arena};
    struct ddl_table name = {action->table.db, action->table.table}, to = {action->to.db, action->to.table};
    if (!is_of_table(action->kind) || (sh->st->failed && action->kind != DDL_DROP) || action->table.table_len == 0)
        return 0;
    int rc = follow_fold(&by, &name, &wanted, sh->e);
    if (rc == 0 && renames)
        rc = follow_fold(&by, &to, &to_wanted, sh->e);
    if (rc != 0 || (!wanted && !to_wanted))
        return rc;
    struct statement_table *tbl = find_table(sh, &name);
    if (!tbl) {
        const struct statement_table *moved = find_moved(sh, &name);
        tbl = &sh->tables[sh->count++];
        *tbl = (struct statement_table){.db = name.db, .name = name.name};
        if (moved)
            tbl->before = moved->after;
        else if (schema_defined(sh->schema, tbl->db, tbl->name, &sh->before, &tbl->before, sh->e) != 0)
            return err_result(sh->e);
    }
    if (renames) {
        tbl->new_db = to.db;
        tbl->new_name = to.name;
    }
    if (sh->renames_only && tbl->before && is_named_again(sh, action, &tbl->passes_on)) {
        tbl->after = tbl->before;
        return 0;
    }
    rc = schema_defined(sh->schema, tbl->new_db ? tbl->new_db : tbl->db, tbl->new_name ? tbl->new_name : tbl->name,
                        &sh->st->where, &tbl->after, sh->e);
    /* The history forgets a candidate that is gone: what RENAME alone gave a wanted name was the same before. */
    if (!tbl->before && sh->renames_only && !wanted)
        tbl->before = tbl->after;
    return rc;
}

static int add_tables(struct showing *sh)
{
    size_t bytes = sh->st->ddl->count * sizeof *sh->tables;
    sh->tables = (struct statement_table *)arena_alloc(sh->arena, bytes);
    if (!sh->tables)
        return err_set(sh->e, NO_MEMORY, bytes);
    int rc = 0;
    for (size_t i = 0; i < sh->st->ddl->count && rc == 0; i++)
        rc = add_action(sh, &sh->st->ddl->actions[i]);
    return rc;
}

/* ---------------------------------------------------------------- all of it */

/* The character set of a database is told as "CHARSET COLLATION". */
static int add_database(struct showing *sh, struct statement *out)
{
    const char *db = sh->st->ddl->actions[0].table.db;
    struct history *history = schema_history(sh->schema);
    if (sh->st->failed || (sh->interest->wants_database && !sh->interest->wants_database(sh->interest->ctx, db)))
        return 0;
    out->db = db;
    const struct history_version *then = history_find(history, db, "", &sh->before);
    out->existed = out->kind == STATEMENT_CREATE_DATABASE && then && then->kind == HISTORY_DEFINED;
    const struct history_version *version = history_find(history, db, "", &sh->st->where);
    if (version && version->kind == HISTORY_DEFINED) {
        out->charset = arena_copy(sh->arena, version->text, strcspn(version->text, " "));
        if (!out->charset)
            return err_set(sh->e, NO_MEMORY, version->len);
    }
    return 1;
}

static int take_text(struct showing *sh, struct statement *out)
{
    const struct ddl_statement *stmt = sh->st->stmt;
    struct coltype type = {.charset = (uint8_t)stmt->mode.charset};
    struct text text = {stmt->sql, stmt->len, false};
    int rc = charset_is_converted(stmt->mode.charset) ? charset_to_utf8(&type, &text, sh->arena, sh->e) : 0;
    if (rc == 0 && !value_is_utf8(text.p, text.len)) {
        type.charset = CHARSET_LATIN1; /* bytes of several character sets in one text: each one is shown */
        text = (struct text){stmt->sql, stmt->len, false};
        rc = charset_to_utf8(&type, &text, sh->arena, sh->e);
    }
    out->text = text.p;
    out->len = text.len;
    return rc;
}

static bool is_of_database(enum statement_kind kind)
{
    return kind == STATEMENT_CREATE_DATABASE || kind == STATEMENT_ALTER_DATABASE || kind == STATEMENT_DROP_DATABASE;
}

int schema_show_statement(struct schema *schema, const struct schema_statement *st, const struct interest *interest,
                          struct arena *arena, const struct statement **out, struct err *e)
{
    struct showing sh = {
        .schema = schema, .st = st, .interest = interest, .arena = arena, .before = follow_before(&st->where), .e = e};
    struct statement *shown = (struct statement *)arena_alloc(arena, sizeof *shown);
    *out = NULL;
    if (!shown)
        return err_set(e, NO_MEMORY, sizeof *shown);
    *shown = (struct statement){.db = st->stmt->db ? st->stmt->db : ""};
    if (!find_kind(st, shown))
        return 0;
    sh.renames_only = shown->kind == STATEMENT_RENAME_TABLE;
    int rc = is_of_database(shown->kind) ? add_database(&sh, shown) : add_tables(&sh);
    if (rc < 0 || (rc == 0 && sh.count == 0))
        return rc;
    shown->tables = sh.tables;
    shown->table_count = sh.count;
    rc = take_text(&sh, shown);
    if (rc == 0)
        *out = shown;
    return rc;
}
