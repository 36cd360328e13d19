/* CREATE TABLE: head, keys, constraints and options around the columns. */
#include "schema/create_table.h"

#include <string.h>

#include "schema/create_table_impl.h"

bool create_fail(struct create_parser *cp, const char *why)
{
    if (!cp->why)
        cp->why = why;
    return false;
}

static void *allocate(struct create_parser *cp, size_t len)
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
        void *items = allocate(cp, size * elem);
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

static char lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static bool same_ignoring_case(const char *a, const char *b, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (lower(a[i]) != lower(b[i]))
            return false;
    return true;
}

static int find_column(const struct create_column *columns, unsigned count, const char *name, size_t len)
{
    for (unsigned i = 0; i < count; i++)
        if (columns[i].name.len == len && memcmp(columns[i].name.p, name, len) == 0)
            return (int)i;
    for (unsigned i = 0; i < count; i++)
        if (columns[i].name.len == len && same_ignoring_case(columns[i].name.p, name, len))
            return (int)i;
    return -1;
}

int create_table_find_column(const struct create_table *def, const char *name, size_t len)
{
    return find_column(def->columns, def->column_count, name, len);
}

/* One part of a key: an expression, or `name [(prefix)] [ASC|DESC] [WITHOUT OVERLAPS]`. */
static bool take_key_part(struct create_parser *cp, struct create_list *columns, bool *partial)
{
    struct create_text name;
    if (ddl_token_is_char(&cp->ps.tok, '(')) {
        *partial = true;
        if (!create_skip_parentheses(cp))
            return false;
    } else {
        if (!create_take_identifier(cp, &name))
            return false;
        bool prefix = ddl_token_is_char(&cp->ps.tok, '(');
        if (prefix && !create_skip_parentheses(cp))
            return false;
        bool period = ddl_take(&cp->ps, "WITHOUT");
        if (period && !ddl_take(&cp->ps, "OVERLAPS"))
            return create_fail(cp, "OVERLAPS is expected behind WITHOUT");
        *partial |= prefix || period;
        int index = period ? -1 : find_column(cp->columns.items, cp->columns.count, name.p, name.len);
        if (index < 0 && !period)
            return create_fail(cp, "a key names a column that the table does not have");
        uint16_t *column = period ? NULL : create_list_add(cp, columns, sizeof *column, CREATE_KEYS_MAX);
        if (!period && !column)
            return false;
        if (column)
            *column = (uint16_t)index;
    }
    if (!ddl_take(&cp->ps, "ASC"))
        ddl_take(&cp->ps, "DESC");
    return true;
}

/* `(part, …)`. */
static bool take_key_parts(struct create_parser *cp, struct create_key *key)
{
    struct create_list columns = {NULL, 0, 0};
    if (!ddl_take_char(&cp->ps, '('))
        return create_fail(cp, "the columns of a key are expected");
    do
        if (!take_key_part(cp, &columns, &key->partial))
            return false;
    while (ddl_take_char(&cp->ps, ','));
    key->columns = columns.items;
    key->column_count = columns.count;
    return ddl_take_char(&cp->ps, ')') || create_fail(cp, "the columns of a key do not end");
}

/* Options behind a key or constraint, to the comma or parenthesis behind it. */
static bool skip_element(struct create_parser *cp)
{
    struct ddl_parser *ps = &cp->ps;
    while (!ddl_token_is_char(&ps->tok, ',') && !ddl_token_is_char(&ps->tok, ')')) {
        if (ps->tok.kind == DDL_END || ps->tok.kind == DDL_BAD)
            return create_fail(cp, "the definition does not end");
        if (!ddl_token_is_char(&ps->tok, '('))
            ddl_next(ps);
        else if (!create_skip_parentheses(cp))
            return false;
    }
    return true;
}

static bool has_repeat(const struct create_key *key)
{
    for (unsigned i = 1; i < key->column_count; i++)
        for (unsigned k = 0; k < i; k++)
            if (key->columns[i] == key->columns[k])
                return true;
    return false;
}

/* `[name] [USING …] (parts) options` behind PRIMARY KEY or UNIQUE [KEY]. */
static bool take_unique(struct create_parser *cp, bool primary, struct create_text constraint)
{
    struct create_key key = {.name = constraint};
    if (!ddl_token_is_char(&cp->ps.tok, '(') && !ddl_token_is(&cp->ps.tok, "USING") &&
        !create_take_identifier(cp, &key.name))
        return false;
    if (ddl_take(&cp->ps, "USING"))
        ddl_next(&cp->ps);
    if (!take_key_parts(cp, &key))
        return false;
    if (has_repeat(&key))
        return create_fail(cp, "a key names a column twice");
    key.hashed = ddl_take(&cp->ps, "USING") && ddl_take(&cp->ps, "HASH");
    if (primary) {
        if (cp->has_primary)
            return create_fail(cp, "two primary keys");
        key.name = (struct create_text){"PRIMARY", 7};
        cp->primary = key;
        cp->has_primary = true;
    } else {
        struct create_key *item = create_list_add(cp, &cp->unique, sizeof *item, CREATE_KEYS_MAX);
        if (!item)
            return false;
        *item = key;
    }
    return skip_element(cp);
}

bool create_add_inline_key(struct create_parser *cp, uint16_t column, bool primary)
{
    uint16_t *columns = allocate(cp, sizeof *columns);
    if (!columns)
        return false;
    *columns = column;
    struct create_key key = {.columns = columns, .column_count = 1};
    if (primary) {
        if (cp->has_primary)
            return create_fail(cp, "two primary keys");
        key.name = (struct create_text){"PRIMARY", 7};
        cp->primary = key;
        return cp->has_primary = true;
    }
    struct create_key *item = create_list_add(cp, &cp->unique, sizeof *item, CREATE_KEYS_MAX);
    if (item)
        *item = key;
    return item != NULL;
}

/* `CASCADE`, `SET NULL`, … behind ON DELETE or ON UPDATE. */
static bool take_rule(struct create_parser *cp, enum create_rule *rule)
{
    struct ddl_parser *ps = &cp->ps;
    if (ddl_take(ps, "CASCADE"))
        *rule = CREATE_CASCADE;
    else if (ddl_take(ps, "RESTRICT"))
        *rule = CREATE_RESTRICT;
    else if (ddl_take(ps, "NO") && ddl_take(ps, "ACTION"))
        *rule = CREATE_NO_ACTION;
    else if (ddl_take(ps, "SET") && ddl_take(ps, "NULL"))
        *rule = CREATE_SET_NULL;
    else if (ddl_take(ps, "DEFAULT"))
        *rule = CREATE_SET_DEFAULT;
    else
        return create_fail(cp, "a rule of a foreign key is not known");
    return true;
}

static bool take_parent_columns(struct create_parser *cp, struct create_foreign_key *fk)
{
    struct create_list names = {NULL, 0, 0};
    if (!ddl_take_char(&cp->ps, '('))
        return true;
    do {
        struct create_text *name = create_list_add(cp, &names, sizeof *name, CREATE_KEYS_MAX);
        if (!name || !create_take_identifier(cp, name))
            return false;
    } while (ddl_take_char(&cp->ps, ','));
    fk->parent_columns = names.items;
    fk->parent_column_count = names.count;
    return ddl_take_char(&cp->ps, ')') || create_fail(cp, "the columns of a foreign key do not end");
}

bool create_take_references(struct create_parser *cp, struct create_foreign_key *fk)
{
    struct ddl_parser *ps = &cp->ps;
    if (!ddl_take_name(ps, &fk->parent))
        return create_fail(cp, "the parent of a foreign key is expected");
    if (!take_parent_columns(cp, fk))
        return false;
    if (ddl_take(ps, "MATCH"))
        ddl_next(ps);
    while (ddl_take(ps, "ON")) {
        bool deletes = ddl_take(ps, "DELETE");
        if (!deletes && !ddl_take(ps, "UPDATE"))
            return create_fail(cp, "DELETE or UPDATE is expected behind ON");
        if (!take_rule(cp, deletes ? &fk->on_delete : &fk->on_update))
            return false;
    }
    struct create_foreign_key *item = create_list_add(cp, &cp->foreign, sizeof *item, CREATE_KEYS_MAX);
    if (item)
        *item = *fk;
    return item != NULL;
}

/* Behind FOREIGN. */
static bool take_foreign_key(struct create_parser *cp, struct create_text name)
{
    struct create_foreign_key fk = {.name = name};
    struct create_key key = {.partial = false};
    struct create_text index;
    if (!ddl_take(&cp->ps, "KEY"))
        return create_fail(cp, "KEY is expected behind FOREIGN");
    if (!ddl_token_is_char(&cp->ps.tok, '(') && !create_take_identifier(cp, &index))
        return false;
    if (!take_key_parts(cp, &key))
        return false;
    fk.columns = key.columns;
    fk.column_count = key.column_count;
    if (!ddl_take(&cp->ps, "REFERENCES"))
        return create_fail(cp, "REFERENCES is expected behind FOREIGN KEY");
    return create_take_references(cp, &fk);
}

/* Keys and constraints by their first word; false with *known false when it is a column. */
static bool take_named_element(struct create_parser *cp, bool *known)
{
    static const char *const plain[] = {"KEY", "INDEX", "FULLTEXT", "SPATIAL", "VECTOR", "PERIOD", "CHECK", NULL};
    struct create_text constraint = {NULL, 0};
    struct ddl_parser *ps = &cp->ps;
    *known = true;
    if (ddl_take(ps, "CONSTRAINT") && !ddl_token_is(&ps->tok, "CHECK") && !ddl_token_is(&ps->tok, "FOREIGN") &&
        !ddl_token_is(&ps->tok, "UNIQUE") && !ddl_token_is(&ps->tok, "PRIMARY") &&
        !create_take_identifier(cp, &constraint))
        return false;
    if (ddl_take(ps, "PRIMARY"))
        return ddl_take(ps, "KEY") ? take_unique(cp, true, constraint) : create_fail(cp, "KEY is expected");
    if (ddl_take(ps, "UNIQUE")) {
        if (!ddl_take(ps, "KEY"))
            ddl_take(ps, "INDEX");
        return take_unique(cp, false, constraint);
    }
    if (ddl_take(ps, "FOREIGN"))
        return take_foreign_key(cp, constraint);
    if (ddl_take_any(ps, plain) >= 0)
        return skip_element(cp);
    *known = false;
    return constraint.p ? create_fail(cp, "a constraint of an unknown kind") : false;
}

static bool take_elements(struct create_parser *cp)
{
    do {
        bool known;
        if (!take_named_element(cp, &known) && (known || cp->why || !create_take_column(cp)))
            return false;
        if (cp->ps.rc)
            return false;
    } while (ddl_take_char(&cp->ps, ','));
    return ddl_take_char(&cp->ps, ')') || create_fail(cp, "the definition does not end");
}

/* Options behind the columns. */
static bool take_options(struct create_parser *cp, struct create_table *out)
{
    struct ddl_parser *ps = &cp->ps;
    while (ps->tok.kind != DDL_END && !ddl_token_is_char(&ps->tok, ';')) {
        if (ps->tok.kind == DDL_BAD)
            return create_fail(cp, "the options do not end");
        bool charset = ddl_take(ps, "CHARSET") || (ddl_take(ps, "CHARACTER") && ddl_take(ps, "SET"));
        if (charset || ddl_take(ps, "COLLATE")) {
            ddl_take_char(ps, '=');
            if (!create_take_text(cp, charset ? &out->charset : &out->collation))
                return false;
        } else if (ddl_take(ps, "PARTITION")) {
            out->partitioned = true;
            ddl_take_rest(ps);
        } else if (ddl_take(ps, "WITH")) {
            out->versioned |= ddl_take(ps, "SYSTEM") && ddl_take(ps, "VERSIONING");
        } else
            ddl_next(ps);
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

/* Character sets in effect. */
static void resolve_charsets(struct create_parser *cp, struct create_table *out)
{
    struct create_column *columns = cp->columns.items;
    if (!out->charset.p && out->collation.p)
        out->charset = charset_of(cp, &out->collation);
    for (unsigned i = 0; i < cp->columns.count; i++) {
        struct create_column *col = &columns[i];
        if (!col->charset.p && col->collation.p) {
            col->charset = charset_of(cp, &col->collation);
        } else if (col->charset.p && col->charset.len == 0) {
            col->charset = out->charset;
            col->collation = out->collation;
        }
    }
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

static void fill(struct create_table *out, struct create_parser *cp)
{
    out->columns = cp->columns.items;
    out->column_count = cp->columns.count;
    out->unique = cp->unique.items;
    out->unique_count = cp->unique.count;
    out->foreign = cp->foreign.items;
    out->foreign_count = cp->foreign.count;
    struct create_key *primary = cp->has_primary ? allocate(cp, sizeof *primary) : NULL;
    if (primary)
        *primary = cp->primary;
    out->primary = primary;
    struct create_column *columns = cp->columns.items;
    for (unsigned i = 0; i < cp->primary.column_count; i++)
        columns[cp->primary.columns[i]].nullable = false;
}

int create_table_parse(struct create_table *out, const struct ddl_statement *stmt, struct arena *arena, struct err *e)
{
    static const struct ddl_name none = {"", 0, "", 0};
    struct create_parser cp = {.ps = {.stmt = stmt, .arena = arena, .e = e}};
    struct create_table def = {.name = none};
    ddl_lexer_init(&cp.ps.lx, &stmt->mode, stmt->sql, stmt->len);
    ddl_next(&cp.ps);
    bool ok = take_head(&cp, &def) && take_elements(&cp) && take_options(&cp, &def);
    if (ok && cp.columns.count == 0)
        ok = create_fail(&cp, "a table without columns");
    if (ok) {
        resolve_charsets(&cp, &def);
        fill(&def, &cp);
    }
    if (cp.ps.rc)
        return cp.ps.rc;
    if (!ok)
        return err_set(e, TABLE_DEFINITION, def.name.table, cp.why ? cp.why : "it cannot be read");
    *out = def;
    return 0;
}
