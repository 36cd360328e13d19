/* ALTER TABLE, CREATE INDEX, DROP INDEX: their heads, and the order of what they do. */
#include "schema/alter_table.h"

#include <string.h>

#include "schema/alter_impl.h"

/* What may stand between the first word and TABLE or INDEX. */
static void skip_modifiers(struct ddl_parser *ps)
{
    static const char *const words[] = {"ONLINE", "OFFLINE", "IGNORE", NULL};
    if (ddl_take(ps, "OR"))
        ddl_take(ps, "REPLACE");
    while (ddl_take_any(ps, words) >= 0)
        ;
}

/* Behind the name of the table of CREATE or DROP INDEX. */
static void skip_wait(struct ddl_parser *ps)
{
    if (ddl_take(ps, "WAIT"))
        ddl_next(ps);
    else
        ddl_take(ps, "NOWAIT");
}

static bool take_on_table(struct alter *al)
{
    struct ddl_name table;
    if (!ddl_take(&al->cp.ps, "ON") || !ddl_take_name(&al->cp.ps, &table))
        return create_fail(&al->cp, "ON and a table are expected");
    skip_wait(&al->cp.ps);
    return true;
}

/* Behind CREATE. OR REPLACE drops the key of that name. */
static bool take_create_index(struct alter *al)
{
    static const char *const kinds[] = {"UNIQUE", "FULLTEXT", "SPATIAL", "VECTOR", NULL};
    static const enum create_key_kind values[] = {CREATE_UNIQUE, CREATE_FULLTEXT, CREATE_SPATIAL, CREATE_VECTOR};
    struct ddl_parser *ps = &al->cp.ps;
    struct create_key key = {.kind = CREATE_INDEX};
    bool replaces = ddl_token_is(&ps->tok, "OR");
    skip_modifiers(ps);
    int kind = ddl_take_any(ps, kinds);
    if (kind >= 0)
        key.kind = values[kind];
    if (!ddl_take(ps, "INDEX") && !ddl_take(ps, "KEY"))
        return create_fail(&al->cp, "INDEX is expected behind CREATE");
    bool if_exists = ddl_take_if_exists(ps);
    if (!create_take_identifier(&al->cp, &key.name))
        return false;
    if (ddl_take(ps, "USING") || ddl_take(ps, "TYPE")) {
        key.hashed = ddl_token_is(&ps->tok, "HASH");
        ddl_next(ps);
    }
    if (!take_on_table(al))
        return false;
    struct alter_clause *drop = replaces ? alter_add(al, ALTER_DROP_KEY) : NULL;
    if (replaces && !drop)
        return false;
    if (drop) {
        drop->name = key.name;
        drop->if_exists = true;
    }
    unsigned at = al->clauses.count;
    if (!alter_take_key_text(al, if_exists))
        return false;
    struct alter_clause *clause = alter_clause_at(al, at);
    clause->to = key.name;
    clause->key = key;
    return true;
}

/* Behind DROP. */
static bool take_drop_index(struct alter *al)
{
    struct ddl_parser *ps = &al->cp.ps;
    skip_modifiers(ps);
    if (!ddl_take(ps, "INDEX") && !ddl_take(ps, "KEY"))
        return create_fail(&al->cp, "INDEX is expected behind DROP");
    bool if_exists = ddl_take_if_exists(ps);
    struct alter_clause *clause = alter_add(al, ALTER_DROP_KEY);
    if (!clause || !create_take_identifier(&al->cp, &clause->name))
        return false;
    clause->if_exists = if_exists;
    return take_on_table(al);
}

static bool take_alter_table(struct alter *al)
{
    struct ddl_parser *ps = &al->cp.ps;
    struct ddl_name table;
    skip_modifiers(ps);
    if (!ddl_take(ps, "TABLE"))
        return create_fail(&al->cp, "it is no ALTER TABLE");
    ddl_take_if_exists(ps);
    if (!ddl_take_name(ps, &table))
        return create_fail(&al->cp, "the table's name is expected");
    skip_wait(ps);
    return true;
}

static bool take_statement(struct alter *al)
{
    struct ddl_parser *ps = &al->cp.ps;
    bool ok;
    if (ddl_take(ps, "ALTER"))
        ok = take_alter_table(al);
    else if (ddl_take(ps, "CREATE"))
        ok = take_create_index(al);
    else if (ddl_take(ps, "DROP"))
        ok = take_drop_index(al);
    else
        ok = create_fail(&al->cp, "it is no ALTER TABLE");
    return ok && alter_take_clauses(al) && alter_finish_options(al);
}

/* The new columns as create_*.c know them; those that the statement wrote take the table's character set. */
static bool fill_columns(struct alter *al)
{
    struct alter_column *columns = al->columns.items;
    for (unsigned i = 0; i < al->columns.count; i++) {
        struct create_column *item = create_list_add(&al->cp, &al->cp.columns, sizeof *item, CREATE_COLUMNS_MAX);
        if (!item)
            return false;
        *item = columns[i].column;
        bool ok = true, compiled = al->compiled && columns[i].old >= 0;
        if (al->convert && columns[i].by)
            ok = alter_convert_written(al, item, columns[i].old < 0 ? NULL : &al->before->columns[columns[i].old]);
        if (columns[i].by)
            ok = ok && create_resolve_written(&al->cp, item, &al->after.charset,
                                              compiled ? &alter_compiled_collation : &al->after.collation);
        else if (al->convert)
            ok = alter_convert(al, item);
        if (!ok)
            return false;
    }
    return true;
}

static void fill(struct create_table *out, const struct alter *al)
{
    const struct create_parser *cp = &al->cp;
    const struct create_key *keys = cp->keys.items;
    *out = al->after;
    out->columns = cp->columns.items;
    out->column_count = cp->columns.count;
    out->keys = keys;
    out->key_count = cp->keys.count;
    out->primary = NULL;
    for (unsigned i = 0; i < cp->keys.count; i++)
        if (keys[i].kind == CREATE_PRIMARY)
            out->primary = &keys[i];
    out->foreign = cp->foreign.items;
    out->foreign_count = cp->foreign.count;
}

int alter_table_apply(struct create_table *after, const struct create_table *before, const struct ddl_statement *stmt,
                      const struct create_context *ctx, struct arena *arena, struct err *e)
{
    static const struct create_context unknown = {.explicit_timestamps = true};
    struct alter al = {.cp = {.ps = {.stmt = stmt, .arena = arena, .e = e}}, .before = before};
    al.cp.ctx = ctx ? ctx : &unknown;
    al.after = *before;
    al.cp.versioned = before->versioned;
    ddl_lexer_init(&al.cp.ps.lx, &stmt->mode, stmt->sql, stmt->len);
    ddl_next(&al.cp.ps);
    bool ok = take_statement(&al);
    al.cp.plain = al.after.plain;
    ok = ok && alter_columns(&al) && fill_columns(&al) && alter_keys(&al);
    if (al.cp.ps.rc)
        return al.cp.ps.rc;
    if (!ok)
        return err_set(e, TABLE_DEFINITION, before->name.table, al.cp.why ? al.cp.why : "ALTER TABLE cannot be read");
    fill(after, &al);
    return 0;
}
