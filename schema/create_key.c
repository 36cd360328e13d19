/* Keys and constraints of CREATE TABLE. */
#include <stdio.h>
#include <string.h>

#include "schema/create_table_impl.h"

#define NAME_MAX_BYTES 512

/* `name [(prefix)]` or `name WITHOUT OVERLAPS`. */
static bool take_named_part(struct create_parser *cp, struct create_key_part *part)
{
    struct ddl_parser *ps = &cp->ps;
    struct create_text name;
    if (!create_take_identifier(cp, &name))
        return false;
    if (ddl_take_char(ps, '(')) {
        uint64_t prefix = 0;
        for (size_t i = 0; i < ps->tok.len && ps->tok.kind == DDL_WORD && prefix <= UINT32_MAX; i++)
            prefix = ps->tok.p[i] >= '0' && ps->tok.p[i] <= '9' ? prefix * 10 + (uint64_t)(ps->tok.p[i] - '0')
                                                                : (uint64_t)UINT32_MAX + 1;
        if (ps->tok.kind != DDL_WORD || prefix == 0 || prefix > UINT32_MAX)
            return create_fail(cp, "the length of a key's prefix is no number");
        part->prefix = (uint32_t)prefix;
        ddl_next(ps);
        if (!ddl_take_char(ps, ')'))
            return create_fail(cp, "the length of a key's prefix does not end");
    }
    if (ddl_take(ps, "WITHOUT")) {
        part->period = true;
        part->text = name;
        return ddl_take(ps, "OVERLAPS") || create_fail(cp, "OVERLAPS is expected behind WITHOUT");
    }
    int index = create_find_column(cp, name.p, name.len);
    if (index < 0 && cp->known.items)
        return create_fail(cp, "a key names a column that the table does not have");
    cp->ahead |= index < 0;
    part->column = index < 0 ? CREATE_NO_COLUMN : (uint16_t)index;
    return true;
}

/* One part of a key: an expression, or a name; then ASC or DESC. */
static bool take_key_part(struct create_parser *cp, struct create_key_part *part)
{
    part->column = CREATE_NO_COLUMN;
    bool expression = ddl_token_is_char(&cp->ps.tok, '(');
    if (expression ? !create_take_parentheses(cp, &part->text) : !take_named_part(cp, part))
        return false;
    if (!ddl_take(&cp->ps, "ASC"))
        ddl_take(&cp->ps, "DESC");
    return true;
}

/* `(part, …)`. */
static bool take_key_parts(struct create_parser *cp, struct create_key *key)
{
    struct create_list parts = {NULL, 0, 0};
    if (!ddl_take_char(&cp->ps, '('))
        return create_fail(cp, "the columns of a key are expected");
    do {
        struct create_key_part *part = create_list_add(cp, &parts, sizeof *part, CREATE_KEYS_MAX);
        if (!part || !take_key_part(cp, part))
            return false;
    } while (ddl_take_char(&cp->ps, ','));
    key->parts = parts.items;
    key->part_count = parts.count;
    for (unsigned i = 1; i < key->part_count; i++)
        for (unsigned k = 0; k < i; k++)
            if (key->parts[i].column == key->parts[k].column && key->parts[i].column != CREATE_NO_COLUMN)
                return create_fail(cp, "a key names a column twice");
    return ddl_take_char(&cp->ps, ')') || create_fail(cp, "the columns of a key do not end");
}

bool create_at_element_end(const struct create_parser *cp)
{
    const struct ddl_token *tok = &cp->ps.tok;
    struct ddl_parser at = cp->ps;
    return tok->kind == DDL_END || tok->kind == DDL_BAD || ddl_token_is_char(tok, ',') || ddl_token_is_char(tok, ')') ||
           ddl_token_is_char(tok, ';') || (ddl_take(&at, "PARTITION") && ddl_take(&at, "BY")) ||
           (ddl_take(&at, "REMOVE") && ddl_take(&at, "PARTITIONING"));
}

/* Options behind a key or constraint, to the comma or parenthesis behind it. */
static bool skip_element(struct create_parser *cp)
{
    struct ddl_parser *ps = &cp->ps;
    while (!create_at_element_end(cp)) {
        if (ps->tok.kind == DDL_BAD)
            return create_fail(cp, "the definition does not end");
        if (!ddl_token_is_char(&ps->tok, '('))
            ddl_next(ps);
        else if (!create_skip_parentheses(cp))
            return false;
    }
    return true;
}

static bool add_key(struct create_parser *cp, const struct create_key *key)
{
    struct create_key *items = cp->keys.items;
    for (unsigned i = 0; key->kind == CREATE_PRIMARY && i < cp->keys.count; i++)
        if (items[i].kind == CREATE_PRIMARY)
            return create_fail(cp, "two primary keys");
    struct create_key *item = create_list_add(cp, &cp->keys, sizeof *item, CREATE_KEYS_MAX);
    if (!item)
        return false;
    *item = *key;
    if (key->kind == CREATE_PRIMARY)
        item->name = (struct create_text){"PRIMARY", 7};
    return true;
}

/* USING, TYPE: the index type before the columns of a key; true for HASH. */
static bool take_index_type(struct create_parser *cp)
{
    if (!ddl_take(&cp->ps, "USING") && !ddl_take(&cp->ps, "TYPE"))
        return false;
    bool hash = ddl_token_is(&cp->ps.tok, "HASH");
    ddl_next(&cp->ps);
    return hash;
}

/* `[IF NOT EXISTS] [name] [USING …] (parts) options` behind the words of its kind. */
static bool take_index(struct create_parser *cp, enum create_key_kind kind, struct create_text constraint)
{
    struct create_key key = {.kind = kind, .name = constraint};
    struct ddl_parser *ps = &cp->ps;
    ddl_take_if_exists(ps);
    if (!ddl_token_is_char(&ps->tok, '(') && !ddl_token_is(&ps->tok, "USING") && !create_take_identifier(cp, &key.name))
        return false;
    key.hashed = take_index_type(cp);
    if (!take_key_parts(cp, &key))
        return false;
    key.hashed |= ddl_take(ps, "USING") && ddl_take(ps, "HASH");
    return skip_element(cp) && add_key(cp, &key);
}

bool create_take_key_body(struct create_parser *cp, const struct create_key *head)
{
    struct create_key key = *head;
    if (!take_key_parts(cp, &key))
        return false;
    key.hashed |= ddl_take(&cp->ps, "USING") && ddl_take(&cp->ps, "HASH");
    return skip_element(cp) && add_key(cp, &key);
}

/* Whether the last keys, which are those of the column being parsed, have one of this kind. */
static struct create_key *find_inline(struct create_parser *cp, uint16_t column, enum create_key_kind kind)
{
    struct create_key *keys = cp->keys.items;
    for (unsigned i = cp->keys.count; i-- > 0 && keys[i].on_column && keys[i].parts[0].column == column;)
        if (keys[i].kind == kind)
            return &keys[i];
    return NULL;
}

/* UNIQUE twice is one key; MariaDB makes none of it beside PRIMARY KEY. */
bool create_add_inline_key(struct create_parser *cp, uint16_t column, enum create_key_kind kind)
{
    bool mariadb = cp->ctx && cp->ps.stmt->mode.flavor == FLAVOR_MARIADB;
    struct create_key *unique = find_inline(cp, column, CREATE_UNIQUE);
    if (kind == CREATE_UNIQUE && (unique || (mariadb && find_inline(cp, column, CREATE_PRIMARY))))
        return true;
    struct create_key_part *part = create_allocate(cp, sizeof *part);
    if (!part)
        return false;
    *part = (struct create_key_part){.column = column};
    struct create_key key = {.kind = kind, .parts = part, .part_count = 1, .implicit = kind == CREATE_INDEX};
    key.on_column = true;
    if (kind != CREATE_PRIMARY || !mariadb || !unique)
        return add_key(cp, &key);
    key.name = (struct create_text){"PRIMARY", 7};
    *unique = key;
    return true;
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
    else if (ddl_take(ps, "SET")) {
        *rule = ddl_take(ps, "NULL") ? CREATE_SET_NULL : CREATE_SET_DEFAULT;
        return *rule == CREATE_SET_NULL || ddl_take(ps, "DEFAULT") ||
               create_fail(cp, "a rule of a foreign key is not known");
    } else
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
        if (ddl_token_is_char(&cp->ps.tok, '(') && !create_skip_parentheses(cp))
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

/* Behind FOREIGN. The server makes an index for it unless another begins with its columns. */
static bool take_foreign_key(struct create_parser *cp, struct create_text name)
{
    struct create_foreign_key fk = {.name = name};
    struct create_key key = {.kind = CREATE_INDEX, .implicit = true};
    struct create_text index = {NULL, 0};
    if (!ddl_take(&cp->ps, "KEY"))
        return create_fail(cp, "KEY is expected behind FOREIGN");
    ddl_take_if_exists(&cp->ps);
    if (!ddl_token_is_char(&cp->ps.tok, '(') && !create_take_identifier(cp, &index))
        return false;
    if (!take_key_parts(cp, &key))
        return false;
    uint16_t *columns = create_allocate(cp, key.part_count * sizeof *columns);
    for (unsigned i = 0; columns && i < key.part_count; i++) {
        columns[i] = key.parts[i].column;
        if (columns[i] == CREATE_NO_COLUMN && !cp->ahead)
            return create_fail(cp, "a foreign key has a part that is no column");
    }
    if (!columns)
        return false;
    fk.columns = columns;
    fk.column_count = key.part_count;
    if (!name.p && cp->ctx && cp->ps.stmt->mode.flavor == FLAVOR_MARIADB)
        fk.name = index;
    if (!ddl_take(&cp->ps, "REFERENCES"))
        return create_fail(cp, "REFERENCES is expected behind FOREIGN KEY");
    if (!create_take_references(cp, &fk))
        return false;
    key.name = name.p ? name : index;
    return !cp->ctx || add_key(cp, &key);
}

/* [KEY | INDEX]. */
static void take_index_word(struct ddl_parser *ps)
{
    if (!ddl_take(ps, "KEY"))
        ddl_take(ps, "INDEX");
}

/* `[IF NOT EXISTS] FOR name (from, to)` behind PERIOD: a column named period has a type there. */
static bool take_period(struct create_parser *cp)
{
    struct create_text name;
    ddl_take_if_exists(&cp->ps);
    ddl_take(&cp->ps, "FOR");
    if (!create_take_identifier(cp, &name))
        return false;
    struct create_key ends = {.part_count = 0};
    if (!take_key_parts(cp, &ends))
        return false;
    struct create_key *period = create_list_add(cp, &cp->periods, sizeof *period, CREATE_KEYS_MAX);
    if (period)
        *period = ends;
    return period != NULL;
}

/* Whether the word begins a key or constraint: PERIOD and VECTOR are fine names of columns too. */
static bool begins_period(const struct ddl_parser *ps)
{
    struct ddl_parser at = *ps;
    return ddl_take(&at, "PERIOD") && (ddl_take_if_exists(&at), ddl_take(&at, "FOR"));
}

static bool begins_vector(const struct ddl_parser *ps)
{
    struct ddl_parser at = *ps;
    return ddl_take(&at, "VECTOR") && (ddl_take(&at, "KEY") || ddl_take(&at, "INDEX") || ddl_take_char(&at, '('));
}

/* Behind [CONSTRAINT [name]]. */
static bool take_constraint(struct create_parser *cp, struct create_text constraint, bool *known)
{
    struct ddl_parser *ps = &cp->ps;
    if (ddl_take(ps, "PRIMARY"))
        return ddl_take(ps, "KEY") ? take_index(cp, CREATE_PRIMARY, constraint) : create_fail(cp, "KEY is expected");
    if (ddl_take(ps, "UNIQUE")) {
        take_index_word(ps);
        return take_index(cp, CREATE_UNIQUE, constraint);
    }
    if (ddl_take(ps, "FOREIGN"))
        return take_foreign_key(cp, constraint);
    if (ddl_take(ps, "CHECK"))
        return skip_element(cp);
    *known = false;
    return true;
}

bool create_take_key(struct create_parser *cp, bool *known)
{
    struct create_text constraint = {NULL, 0};
    struct ddl_parser *ps = &cp->ps;
    *known = true;
    bool named = ddl_take(ps, "CONSTRAINT");
    if (named && !ddl_token_is(&ps->tok, "CHECK") && !ddl_token_is(&ps->tok, "FOREIGN") &&
        !ddl_token_is(&ps->tok, "UNIQUE") && !ddl_token_is(&ps->tok, "PRIMARY")) {
        ddl_take_if_exists(ps);
        if (!create_take_identifier(cp, &constraint))
            return false;
    }
    if (!take_constraint(cp, constraint, known) || *known)
        return *known && !cp->why;
    *known = true;
    if (named)
        return create_fail(cp, "a constraint of an unknown kind");
    const struct create_text none = {NULL, 0};
    enum create_key_kind kind = ddl_token_is(&ps->tok, "FULLTEXT")  ? CREATE_FULLTEXT
                                : ddl_token_is(&ps->tok, "SPATIAL") ? CREATE_SPATIAL
                                                                    : CREATE_VECTOR;
    bool own_word = !cp->ctx && ddl_token_is(&ps->tok, "INDEX");
    if (ddl_take(ps, "KEY") || ddl_take(ps, "INDEX")) {
        unsigned at = cp->keys.count;
        bool ok = take_index(cp, CREATE_INDEX, none);
        struct create_key *keys = cp->keys.items;
        if (ok && own_word && cp->keys.count > at)
            keys[at].implicit = true;
        return ok;
    }
    if (begins_period(ps))
        return ddl_take(ps, "PERIOD") && take_period(cp);
    if (ddl_take(ps, "FULLTEXT") || ddl_take(ps, "SPATIAL") || (begins_vector(ps) && ddl_take(ps, "VECTOR"))) {
        take_index_word(ps);
        return take_index(cp, kind, none);
    }
    return *known = false;
}

bool create_key_is_partial(const struct create_key *key)
{
    for (unsigned i = 0; i < key->part_count; i++)
        if (key->parts[i].column == CREATE_NO_COLUMN || key->parts[i].prefix)
            return true;
    return false;
}

/* Whether one of them was made for a foreign key and its columns are the first ones of the other. */
static bool serves(const struct create_key *a, const struct create_key *b)
{
    if (a->implicit ? b->implicit && a->part_count > b->part_count : b->implicit) {
        const struct create_key *other = a;
        a = b;
        b = other;
    }
    if (!a->implicit)
        return false;
    for (unsigned i = 0; i < a->part_count; i++)
        if (i == b->part_count || b->parts[i].column != a->parts[i].column || b->parts[i].prefix != a->parts[i].prefix)
            return false;
    return true;
}

/* Leaves out keys made for foreign keys when another key serves, as foreign_key_prefix and its caller do. */
static void drop_implicit(struct create_list *list)
{
    struct create_key *keys = list->items;
    unsigned kept = 0;
    for (unsigned i = 0; i < list->count; i++)
        for (unsigned k = 0; k < i; k++) {
            if (!keys[k].part_count || !serves(&keys[i], &keys[k]))
                continue;
            bool later = !keys[k].implicit || (keys[i].implicit && keys[i].part_count < keys[k].part_count);
            keys[later ? i : k].part_count = 0;
            break;
        }
    for (unsigned i = 0; i < list->count; i++)
        if (keys[i].part_count)
            keys[kept++] = keys[i];
    list->count = kept;
}

static bool name_is_free(const struct create_key *keys, unsigned count, const struct create_text *name)
{
    for (unsigned i = 0; i < count; i++)
        if (keys[i].name.p && create_same_name(&keys[i].name, name))
            return false;
    return true;
}

/* The name of the first column, or that with _2, _3, …, as make_unique_key_name does. */
static bool name_key(struct create_parser *cp, struct create_key *key, const struct create_key *before, unsigned count)
{
    const struct create_column *columns = cp->columns.items;
    struct create_text name = {"functional_index", 16};
    char text[NAME_MAX_BYTES];
    if (key->parts[0].column != CREATE_NO_COLUMN)
        name = columns[key->parts[0].column].name;
    struct create_text first = name, primary = {"PRIMARY", 7};
    bool reserved = create_same_name(&name, &primary);
    for (unsigned i = 2; reserved || !name_is_free(before, count, &name); i++) {
        reserved = false;
        int len = snprintf(text, sizeof text, "%.*s_%u", (int)(first.len < 480 ? first.len : 480), first.p, i);
        name = (struct create_text){text, (size_t)len};
    }
    key->name = (struct create_text){arena_copy(cp->ps.arena, name.p, name.len), name.len};
    if (!key->name.p && cp->ps.rc == 0)
        cp->ps.rc = err_set(cp->ps.e, NO_MEMORY, name.len);
    return key->name.p != NULL;
}

/* A foreign key without a name is called `table_ibfk_N`. */
static bool name_foreign_keys(struct create_parser *cp, const struct ddl_name *table)
{
    struct create_foreign_key *foreign = cp->foreign.items;
    unsigned number = 0;
    char text[NAME_MAX_BYTES];
    for (unsigned i = 0; i < cp->foreign.count; i++) {
        if (foreign[i].name.p)
            continue;
        int len = snprintf(text, sizeof text, "%.*s_ibfk_%u", (int)(table->table_len < 480 ? table->table_len : 480),
                           table->table, ++number);
        foreign[i].name = (struct create_text){arena_copy(cp->ps.arena, text, (size_t)len), (size_t)len};
        if (!foreign[i].name.p) {
            cp->ps.rc = err_set(cp->ps.e, NO_MEMORY, (size_t)len);
            return false;
        }
    }
    return true;
}

static void forbid_nulls(struct create_parser *cp, const struct create_key *key)
{
    struct create_column *columns = cp->columns.items;
    for (unsigned i = 0; i < key->part_count; i++)
        if (key->parts[i].column != CREATE_NO_COLUMN)
            columns[key->parts[i].column].nullable = false;
}

bool create_finish_keys(struct create_parser *cp, const struct ddl_name *table)
{
    drop_implicit(&cp->keys);
    if (cp->ctx && !create_complete_keys(cp))
        return false;
    struct create_key *keys = cp->keys.items;
    const struct create_key *periods = cp->periods.items;
    for (unsigned i = 0; i < cp->periods.count; i++)
        forbid_nulls(cp, &periods[i]);
    for (unsigned i = 0; i < cp->keys.count; i++) {
        if (!keys[i].name.p && !name_key(cp, &keys[i], keys, i))
            return false;
        if (!name_is_free(keys, i, &keys[i].name))
            return create_fail(cp, "two keys of one name");
        if (keys[i].kind == CREATE_PRIMARY)
            forbid_nulls(cp, &keys[i]);
    }
    if (cp->plain)
        cp->foreign.count = 0;
    return !cp->ctx || name_foreign_keys(cp, table);
}
