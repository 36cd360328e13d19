/* CREATE TABLE: head, keys, constraints and options around the columns. */
#include "schema/create_table.h"

#include <string.h>
#include <strings.h>

#include "base/ascii.h"
#include "schema/create_table_impl.h"

#define OPAQUE_MAX ((size_t)16 << 20)

bool create_fail(struct create_parser *cp, const char *why)
{
    if (!cp->why)
        cp->why = why;
    return false;
}

void *create_allocate(struct create_parser *cp, size_t len)
{
    void *p = arena_alloc(cp->ps.arena, len);
    if (!p && cp->ps.rc == 0)
        cp->ps.rc = err_set(cp->ps.e, NO_MEMORY, len);
    return p;
}

void *create_list_add(struct create_parser *cp, struct create_list *list, size_t elem, unsigned max)
{
    if (list->count == max) {
        create_fail(cp, "more columns, keys or labels than any server has");
        return NULL;
    }
    if (list->count == list->size) {
        unsigned size = list->size ? list->size * 2 : 8;
        void *items = create_allocate(cp, size * elem);
        if (!items)
            return NULL;
        if (list->count)
            memcpy(items, list->items, list->count * elem);
        list->items = items;
        list->size = size;
    }
    void *item = (char *)list->items + list->count++ * elem;
    memset(item, 0, elem);
    return item;
}

bool create_take_text(struct create_parser *cp, struct create_text *out)
{
    struct ddl_parser *ps = &cp->ps;
    if (ps->tok.kind != DDL_WORD && ps->tok.kind != DDL_QUOTED && ps->tok.kind != DDL_STRING)
        return create_fail(cp, "a name or a string is expected");
    out->p = ddl_token_text(&ps->tok, &ps->lx.mode, ps->arena, &out->len);
    if (!out->p) {
        if (ps->rc == 0)
            ps->rc = err_set(ps->e, NO_MEMORY, ps->tok.len);
        return false;
    }
    ddl_next(ps);
    return true;
}

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool create_take_charset(struct create_parser *cp, struct create_text *out)
{
    struct create_text name;
    if (!create_take_text(cp, &name))
        return false;
    bool ok = name.len > 0 && name.p[0] != '_';
    for (size_t i = 0; ok && i < name.len; i++)
        ok = is_name_byte(name.p[i]);
    if (!ok)
        return create_fail(cp, "a character set or collation has no such name");
    *out = name;
    return true;
}

bool create_take_identifier(struct create_parser *cp, struct create_text *out)
{
    if (cp->ps.tok.kind == DDL_STRING)
        return create_fail(cp, "a name is expected");
    return create_take_text(cp, out);
}

bool create_skip_parentheses(struct create_parser *cp)
{
    struct ddl_parser *ps = &cp->ps;
    if (!ddl_take_char(ps, '('))
        return create_fail(cp, "a parenthesis is expected");
    for (size_t depth = 1; depth;) {
        if (ps->tok.kind == DDL_END || ps->tok.kind == DDL_BAD)
            return create_fail(cp, "a parenthesis does not end");
        if (ddl_token_is_char(&ps->tok, '('))
            depth++;
        else if (ddl_token_is_char(&ps->tok, ')'))
            depth--;
        ddl_next(ps);
    }
    return true;
}

/* A string or a quoted name, as sql_mode '' reads it. */
void create_quote(struct buf *out, const struct create_text *text, char quote)
{
    buf_byte(out, (uint8_t)quote);
    for (size_t i = 0; i < text->len; i++) {
        char c = text->p[i];
        if (quote == '\'' && (c == '\\' || c == '\0' || c == '\n' || c == '\r' || c == 26)) {
            buf_byte(out, '\\');
            c = (char)(c == '\0' ? '0' : c == '\n' ? 'n' : c == '\r' ? 'r' : c == 26 ? 'Z' : c);
        } else if (c == quote)
            buf_byte(out, (uint8_t)quote);
        buf_byte(out, (uint8_t)c);
    }
    buf_byte(out, (uint8_t)quote);
}

/* What may not follow the last byte without a blank: a minus sign another, which begin a comment when a blank comes to
 * stand behind them; a quote the end of a quotation, which it would go on. */
static bool would_join(const struct buf *text, char first)
{
    return text->len && text->p[text->len - 1] == (uint8_t)first && (first == '-' || first == '\'' || first == '`');
}

/* A blank between two tokens between which there was something, or which would be one without it. */
bool create_take_opaque(struct create_parser *cp, struct buf *text)
{
    struct ddl_parser *ps = &cp->ps;
    const struct ddl_token tok = ps->tok;
    bool plain = tok.kind == DDL_WORD || tok.kind == DDL_PUNCT;
    char quote = tok.kind == DDL_STRING ? '\'' : '`';
    struct create_text copy;
    copy.p = ddl_token_text(&tok, &ps->lx.mode, ps->arena, &copy.len);
    if (!copy.p) {
        if (ps->rc == 0)
            ps->rc = err_set(ps->e, NO_MEMORY, tok.len);
        return false;
    }
    if (would_join(text, plain ? copy.p[0] : quote))
        buf_byte(text, ' ');
    if (plain)
        buf_add(text, copy.p, copy.len);
    else
        create_quote(text, &copy, quote);
    ddl_next(ps);
    const char *end = tok.p + tok.len + !plain, *next = ps->tok.p;
    if (ps->tok.kind == DDL_STRING || ps->tok.kind == DDL_QUOTED)
        next--;
    if (next > end)
        buf_byte(text, ' ');
    return true;
}

bool create_keep_opaque(struct create_parser *cp, struct buf *text, struct create_text *out)
{
    while (text->len && text->p[text->len - 1] == ' ')
        text->len--;
    char *copy = text->failed ? NULL : arena_copy(cp->ps.arena, text->p ? text->p : (const uint8_t *)"", text->len);
    *out = (struct create_text){copy, text->len};
    if (!copy && cp->ps.rc == 0)
        cp->ps.rc = err_set(cp->ps.e, NO_MEMORY, text->len);
    buf_release(text);
    return copy != NULL;
}

bool create_keep_bytes(struct create_parser *cp, const char *p, size_t len, struct create_text *out)
{
    char *copy = arena_copy(cp->ps.arena, p, len);
    if (!copy && cp->ps.rc == 0)
        cp->ps.rc = err_set(cp->ps.e, NO_MEMORY, len);
    *out = (struct create_text){copy, len};
    return copy != NULL;
}

bool create_take_parentheses(struct create_parser *cp, struct create_text *out)
{
    struct ddl_parser *ps = &cp->ps;
    struct buf text;
    buf_init(&text, OPAQUE_MAX);
    bool ok = ddl_take_char(ps, '(') || create_fail(cp, "a parenthesis is expected");
    for (size_t depth = 1; ok;) {
        if (ps->tok.kind == DDL_END || ps->tok.kind == DDL_BAD)
            ok = create_fail(cp, "a parenthesis does not end");
        depth += ddl_token_is_char(&ps->tok, '(');
        depth -= ddl_token_is_char(&ps->tok, ')');
        if (depth == 0)
            break;
        ok = ok && create_take_opaque(cp, &text);
    }
    if (!ok) {
        buf_release(&text);
        return false;
    }
    ddl_next(ps);
    return create_keep_opaque(cp, &text, out);
}

bool create_same_name(const struct create_text *a, const struct create_text *b)
{
    return a->len == b->len && ascii_same(a->p, b->p, a->len);
}

static int find_column(const struct create_column *columns, unsigned count, const char *name, size_t len)
{
    for (unsigned i = 0; i < count; i++)
        if (columns[i].name.len == len && memcmp(columns[i].name.p, name, len) == 0)
            return (int)i;
    for (unsigned i = 0; i < count; i++)
        if (columns[i].name.len == len && ascii_same(columns[i].name.p, name, len))
            return (int)i;
    return -1;
}

int create_table_find_column(const struct create_table *def, const char *name, size_t len)
{
    return find_column(def->columns, def->column_count, name, len);
}

int create_find_column(const struct create_parser *cp, const char *name, size_t len)
{
    const struct create_list *list = cp->known.items ? &cp->known : &cp->columns;
    return find_column(list->items, list->count, name, len);
}

static bool names_are_unique(struct create_parser *cp)
{
    const struct create_column *columns = cp->columns.items;
    for (unsigned i = 1; i < cp->columns.count; i++)
        if (find_column(columns, cp->columns.count, columns[i].name.p, columns[i].name.len) != (int)i)
            return create_fail(cp, "two columns of one name");
    return true;
}

/* Keys and constraints may name columns that are written behind them: then all is read again. */
static bool take_elements(struct create_parser *cp)
{
    const struct ddl_parser begin = cp->ps;
    for (;;) {
        do {
            bool known;
            if (!create_take_key(cp, &known) && (known || cp->why || !create_take_column(cp)))
                return false;
            if (cp->ps.rc)
                return false;
        } while (ddl_take_char(&cp->ps, ','));
        if (!cp->ahead || cp->known.items || !cp->columns.items)
            break;
        cp->known = cp->columns;
        cp->columns = cp->keys = cp->foreign = cp->periods = (struct create_list){NULL, 0, 0};
        cp->ahead = false;
        cp->ps = begin;
    }
    if (cp->columns.count == 0)
        return create_fail(cp, "a table without columns");
    if (!names_are_unique(cp))
        return false;
    return ddl_take_char(&cp->ps, ')') || create_fail(cp, "the definition does not end");
}

bool create_take_charset_option(struct create_parser *cp, struct create_text *charset, struct create_text *collation,
                                bool *known)
{
    struct ddl_parser *ps = &cp->ps;
    struct ddl_parser at = *ps;
    bool set = ddl_take(&at, "CHARSET") || (ddl_take(&at, "CHARACTER") && ddl_take(&at, "SET")) ||
               (ddl_take(&at, "CHAR") && ddl_take(&at, "SET"));
    *known = set || ddl_take(&at, "COLLATE");
    if (!*known)
        return false;
    *ps = at;
    ddl_take_char(ps, '=');
    return create_take_charset(cp, set ? charset : collation);
}

/* A query behind the columns adds columns that only the server knows. */
static bool at_query(const struct ddl_parser *ps)
{
    static const char *const words[] = {"SELECT", "AS", "VALUES", "IGNORE", "REPLACE", "TABLE", NULL};
    for (size_t i = 0; words[i]; i++)
        if (ddl_token_is(&ps->tok, words[i]))
            return true;
    return ddl_token_is_char(&ps->tok, '(');
}

/* All behind PARTITION BY, to a query or the end. */
static bool skip_partitions(struct create_parser *cp)
{
    struct ddl_parser *ps = &cp->ps;
    while (ps->tok.kind != DDL_END && ps->tok.kind != DDL_BAD && !ddl_token_is_char(&ps->tok, ';')) {
        if (ddl_token_is(&ps->tok, "SELECT") || ddl_token_is(&ps->tok, "AS"))
            return create_fail(cp, "columns come from a query");
        if (!ddl_token_is_char(&ps->tok, '('))
            ddl_next(ps);
        else if (!create_skip_parentheses(cp))
            return false;
    }
    return true;
}

bool create_take_engine(struct create_parser *cp, bool *plain)
{
    static const char *const without[] = {"MYISAM",     "MEMORY", "HEAP",      "ARCHIVE",   "CSV",     "MERGE",
                                          "MRG_MYISAM", "ARIA",   "BLACKHOLE", "FEDERATED", "ROCKSDB", NULL};
    struct create_text name;
    ddl_take_char(&cp->ps, '=');
    if (!create_take_text(cp, &name))
        return false;
    *plain = false;
    for (size_t i = 0; without[i]; i++)
        *plain |= name.len == strlen(without[i]) && strncasecmp(name.p, without[i], name.len) == 0;
    return true;
}

/* One option behind the columns. */
static bool take_option(struct create_parser *cp, struct create_table *out)
{
    struct ddl_parser *ps = &cp->ps;
    bool known;
    if (create_take_charset_option(cp, &out->charset, &out->collation, &known) || known)
        return !cp->why && cp->ps.rc == 0;
    if (ddl_take(ps, "PARTITION"))
        return (out->partitioned = true) && skip_partitions(cp);
    if (ddl_take(ps, "WITH")) {
        bool versioned = ddl_take(ps, "SYSTEM") && ddl_take(ps, "VERSIONING");
        out->versioned |= versioned;
        return true;
    }
    if (ddl_take_char(ps, ',') || ddl_take(ps, "DEFAULT"))
        return true;
    if (at_query(ps))
        return create_fail(cp, "columns come from a query");
    if (ddl_take(ps, "ENGINE")) {
        bool ok = create_take_engine(cp, &out->plain);
        cp->plain = out->plain;
        return ok;
    }
    /* Names of two words are two here; what stands behind `=` is no name. */
    ddl_next(ps);
    if (!ddl_take_char(ps, '='))
        return true;
    if (ddl_token_is_char(&ps->tok, '('))
        return create_skip_parentheses(cp);
    ddl_next(ps);
    return true;
}

/* Options behind the columns. */
static bool take_options(struct create_parser *cp, struct create_table *out)
{
    struct ddl_parser *ps = &cp->ps;
    while (ps->tok.kind != DDL_END && !ddl_token_is_char(&ps->tok, ';')) {
        if (ps->tok.kind == DDL_BAD)
            return create_fail(cp, "the options do not end");
        if (!take_option(cp, out))
            return false;
    }
    while (ddl_take_char(ps, ';'))
        ;
    return ps->tok.kind == DDL_END || create_fail(cp, "text behind the definition");
}
/* The character set that a collation belongs to: its name up to the first underscore. */
static struct create_text charset_of(struct create_parser *cp, const struct create_text *collation)
{
    const char *end = memchr(collation->p, '_', collation->len);
    struct create_text out = {NULL, end ? (size_t)(end - collation->p) : collation->len};
    out.p = arena_copy(cp->ps.arena, collation->p, out.len);
    if (!out.p && cp->ps.rc == 0)
        cp->ps.rc = err_set(cp->ps.e, NO_MEMORY, out.len);
    return out;
}

void create_resolve_column(struct create_parser *cp, struct create_column *col, const struct create_text *charset,
                           const struct create_text *collation)
{
    static const struct create_text unknown = {"unknown", 7};
    if (cp->ctx) {
        (void)create_resolve_written(cp, col, charset, collation); /* it said why in cp */
        return;
    }
    if (col->charset.p && create_same_name(&col->charset, &unknown)) {
        col->charset = col->collation = (struct create_text){NULL, 0};
        col->charset_unknown = true;
    } else if (!col->charset.p && col->collation.p) {
        col->charset = charset_of(cp, &col->collation);
    } else if (col->charset.p && col->charset.len == 0) {
        col->charset = *charset;
        col->collation = *collation;
        col->charset_unknown = !charset->p;
    }
}

/* Character sets in effect. */
static void resolve_charsets(struct create_parser *cp, struct create_table *out)
{
    struct create_column *columns = cp->columns.items;
    if (cp->ctx)
        (void)create_resolve_table(cp, &out->charset, &out->collation);
    else if (!out->charset.p && out->collation.p)
        out->charset = charset_of(cp, &out->collation);
    for (unsigned i = 0; i < cp->columns.count; i++)
        create_resolve_column(cp, &columns[i], &out->charset, &out->collation);
}

static bool take_head(struct create_parser *cp, struct create_table *out)
{
    struct ddl_parser *ps = &cp->ps;
    if (!ddl_take(ps, "CREATE"))
        return create_fail(cp, "CREATE TABLE is expected");
    if (ddl_take(ps, "OR"))
        ddl_take(ps, "REPLACE");
    ddl_take(ps, "TEMPORARY");
    if (!ddl_take(ps, "TABLE"))
        return create_fail(cp, "it is no table");
    ddl_take_if_exists(ps);
    if (!ddl_take_name(ps, &out->name))
        return create_fail(cp, "the table's name is expected");
    return ddl_take_char(ps, '(') || create_fail(cp, "the columns are expected");
}

static void fill(struct create_table *out, const struct create_parser *cp)
{
    out->columns = cp->columns.items;
    out->column_count = cp->columns.count;
    out->keys = cp->keys.items;
    out->key_count = cp->keys.count;
    out->foreign = cp->foreign.items;
    out->foreign_count = cp->foreign.count;
    out->versioned |= cp->versioned;
    out->primary = NULL;
    for (unsigned i = 0; i < out->key_count; i++)
        if (out->keys[i].kind == CREATE_PRIMARY)
            out->primary = &out->keys[i];
}

int create_table_parse(struct create_table *out, const struct ddl_statement *stmt, const struct create_context *ctx,
                       struct arena *arena, struct err *e)
{
    static const struct ddl_name none = {"", 0, "", 0};
    struct create_parser cp = {.ps = {.stmt = stmt, .arena = arena, .e = e}, .ctx = ctx};
    struct create_table def = {.name = none};
    ddl_lexer_init(&cp.ps.lx, &stmt->mode, stmt->sql, stmt->len);
    ddl_next(&cp.ps);
    bool ok = take_head(&cp, &def) && take_elements(&cp) && take_options(&cp, &def);
    if (ok) {
        resolve_charsets(&cp, &def);
        ok = !cp.why && create_finish_keys(&cp, &def.name);
    }
    if (cp.ps.rc)
        return cp.ps.rc;
    if (!ok)
        return err_set(e, TABLE_DEFINITION, def.name.table, cp.why ? cp.why : "it cannot be read");
    fill(&def, &cp);
    *out = def;
    return 0;
}

void create_table_like(struct create_table *out, const struct create_table *model, const struct ddl_name *name)
{
    struct create_table copy = *model;
    copy.name = *name;
    copy.foreign = NULL;
    copy.foreign_count = 0;
    *out = copy;
}
