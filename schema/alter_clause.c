/* The clauses of ALTER TABLE, told apart by their first words and noted in the order in which they are written. */
#include <string.h>

#include "schema/alter_impl.h"

struct alter_clause *alter_add(struct alter *al, enum alter_kind kind)
{
    struct alter_clause *clause = create_list_add(&al->cp, &al->clauses, sizeof *clause, ALTER_CLAUSES_MAX);
    if (clause)
        clause->kind = kind;
    return clause;
}

/* The token behind the one at hand. */
static struct ddl_token peek(const struct alter *al)
{
    struct ddl_lexer lx = al->cp.ps.lx;
    return ddl_lexer_next(&lx);
}

static bool stands_before(const struct alter *al, const char *keyword, const char *next)
{
    struct ddl_token tok = peek(al);
    return ddl_token_is(&al->cp.ps.tok, keyword) && ddl_token_is(&tok, next);
}

static bool take_both(struct alter *al, const char *keyword, const char *next)
{
    if (!stands_before(al, keyword, next))
        return false;
    ddl_next(&al->cp.ps);
    ddl_next(&al->cp.ps);
    return true;
}

/* Behind an unquoted name IF is no column: it is reserved. */
static bool take_if_exists(struct alter *al)
{
    return ddl_take_if_exists(&al->cp.ps);
}

/* A clause of one name, with IF EXISTS before it. */
static struct alter_clause *take_named(struct alter *al, enum alter_kind kind)
{
    bool if_exists = take_if_exists(al);
    struct alter_clause *clause = alter_add(al, kind);
    if (!clause || !create_take_identifier(&al->cp, &clause->name))
        return NULL;
    clause->if_exists = if_exists;
    return clause;
}

/* Behind RENAME [COLUMN|INDEX]: `a TO b`. */
static bool take_renamed(struct alter *al, enum alter_kind kind)
{
    struct alter_clause *clause = take_named(al, kind);
    if (!clause)
        return false;
    if (!ddl_take(&al->cp.ps, "TO"))
        return create_fail(&al->cp, "TO is expected behind RENAME");
    return create_take_identifier(&al->cp, &clause->to);
}

static bool take_place(struct alter *al, struct alter_clause *clause)
{
    if (ddl_take(&al->cp.ps, "FIRST")) {
        clause->place = ALTER_FIRST;
        return true;
    }
    if (!ddl_take(&al->cp.ps, "AFTER"))
        return true;
    clause->place = ALTER_AFTER;
    return create_take_identifier(&al->cp, &clause->after);
}

/* What stands among the attributes of a column is read into lists of its own, then put behind the column's clause. */
static bool take_column(struct alter *al, const struct alter_clause *head)
{
    struct create_parser one = al->cp;
    one.columns = one.keys = one.foreign = (struct create_list){NULL, 0, 0};
    bool ok = create_take_column(&one);
    al->cp.ps = one.ps;
    al->cp.why = one.why;
    struct alter_clause *clause = ok ? alter_add(al, head->kind) : NULL;
    if (!clause)
        return false;
    *clause = *head;
    clause->column = *(const struct create_column *)one.columns.items;
    if (!take_place(al, clause))
        return false;
    const struct create_text name = clause->column.name;
    for (unsigned i = 0; i < one.keys.count + one.foreign.count; i++) {
        struct alter_clause *key = alter_add(al, ALTER_ADD_COLUMN_KEY);
        if (!key)
            return false;
        key->name = name;
        key->if_exists = head->if_exists;
        if (i < one.keys.count)
            key->key = ((const struct create_key *)one.keys.items)[i];
        else
            key->foreign = ((const struct create_foreign_key *)one.foreign.items)[i - one.keys.count];
    }
    return true;
}

/* Behind CHANGE or MODIFY. */
static bool take_change(struct alter *al, bool renames)
{
    struct alter_clause head = {.kind = ALTER_CHANGE_COLUMN};
    ddl_take(&al->cp.ps, "COLUMN");
    head.if_exists = take_if_exists(al);
    struct ddl_parser at = al->cp.ps;
    if (!create_take_identifier(&al->cp, &head.name))
        return false;
    if (!renames)
        al->cp.ps = at;
    return take_column(al, &head);
}

/* Whether a comma, a parenthesis, the end or the partitions of the table stand here. */
static bool at_clause_end(const struct alter *al)
{
    return create_at_element_end(&al->cp) || stands_before(al, "REMOVE", "PARTITIONING");
}

bool alter_take_key_text(struct alter *al, bool if_exists)
{
    struct alter_clause *clause = alter_add(al, ALTER_ADD_KEY);
    if (!clause)
        return false;
    clause->text = al->cp.ps;
    clause->if_exists = if_exists;
    for (bool parts = false; !at_clause_end(al);)
        if (al->cp.ps.tok.kind == DDL_BAD)
            return create_fail(&al->cp, "a quote or a comment does not end");
        else if (!parts && take_if_exists(al))
            clause->if_exists = true;
        else if (!ddl_token_is_char(&al->cp.ps.tok, '('))
            ddl_next(&al->cp.ps);
        else if (!(parts = create_skip_parentheses(&al->cp)))
            return false;
    return true;
}

/* Whether the definition of a key or constraint stands here, and no column. */
static bool at_key(const struct alter *al)
{
    static const char *const reserved[] = {"KEY",     "INDEX", "CONSTRAINT", "PRIMARY", "UNIQUE",
                                           "FOREIGN", "CHECK", "FULLTEXT",   "SPATIAL", NULL};
    const struct ddl_token *tok = &al->cp.ps.tok;
    for (size_t i = 0; reserved[i]; i++)
        if (ddl_token_is(tok, reserved[i]))
            return true;
    if (stands_before(al, "PERIOD", "FOR") || stands_before(al, "PERIOD", "IF"))
        return true;
    if (al->cp.ps.lx.mode.flavor != FLAVOR_MARIADB || !ddl_token_is(tok, "VECTOR"))
        return false;
    struct ddl_token next = peek(al);
    return ddl_token_is(&next, "KEY") || ddl_token_is(&next, "INDEX") || ddl_token_is_char(&next, '(');
}

static bool take_element(struct alter *al, bool if_exists)
{
    struct alter_clause head = {.kind = ALTER_ADD_COLUMN, .if_exists = if_exists};
    return at_key(al) ? alter_take_key_text(al, false) : take_column(al, &head);
}

/* Behind ADD. */
static bool take_add(struct alter *al)
{
    struct ddl_parser *ps = &al->cp.ps;
    if (ddl_take(ps, "PARTITION")) {
        ddl_take_rest(ps);
        return true;
    }
    if (take_both(al, "SYSTEM", "VERSIONING"))
        return al->after.versioned = true;
    if (!at_key(al))
        ddl_take(ps, "COLUMN");
    bool if_exists = !at_key(al) && take_if_exists(al);
    if (!ddl_take_char(ps, '('))
        return take_element(al, if_exists);
    do
        if (!take_element(al, if_exists))
            return false;
    while (ddl_take_char(ps, ','));
    return ddl_take_char(ps, ')') || create_fail(&al->cp, "the columns behind ADD do not end");
}

/* Behind DROP. */
static bool take_drop(struct alter *al)
{
    static const char *const behind[] = {"RESTRICT", "CASCADE", NULL};
    struct ddl_parser *ps = &al->cp.ps;
    if (ddl_take(ps, "PARTITION")) {
        ddl_take_rest(ps);
        return true;
    }
    if (take_both(al, "SYSTEM", "VERSIONING")) {
        al->after.versioned = false;
        return true;
    }
    if (stands_before(al, "PERIOD", "FOR") || stands_before(al, "PERIOD", "IF")) {
        struct create_text period;
        ddl_next(ps);
        take_if_exists(al);
        return ddl_take(ps, "FOR") ? create_take_identifier(&al->cp, &period)
                                   : create_fail(&al->cp, "FOR is expected behind PERIOD");
    }
    if (ddl_take(ps, "PRIMARY")) {
        struct alter_clause *clause = ddl_take(ps, "KEY") ? alter_add(al, ALTER_DROP_KEY) : NULL;
        if (clause)
            clause->name = (struct create_text){"PRIMARY", 7};
        return clause || create_fail(&al->cp, "KEY is expected behind DROP PRIMARY");
    }
    if (ddl_take(ps, "KEY") || ddl_take(ps, "INDEX"))
        return take_named(al, ALTER_DROP_KEY);
    if (take_both(al, "FOREIGN", "KEY"))
        return take_named(al, ALTER_DROP_FOREIGN);
    if (ddl_take(ps, "CONSTRAINT"))
        return take_named(al, ALTER_DROP_CONSTRAINT);
    if (ddl_take(ps, "CHECK")) {
        struct create_text check;
        return (take_if_exists(al), create_take_identifier(&al->cp, &check));
    }
    ddl_take(ps, "COLUMN");
    bool ok = take_named(al, ALTER_DROP_COLUMN);
    ddl_take_any(ps, behind);
    return ok;
}

/* Behind RENAME. */
static bool take_rename(struct alter *al)
{
    struct ddl_parser *ps = &al->cp.ps;
    if (ddl_take(ps, "COLUMN"))
        return take_renamed(al, ALTER_RENAME_COLUMN);
    if (ddl_take(ps, "KEY") || ddl_take(ps, "INDEX"))
        return take_renamed(al, ALTER_RENAME_KEY);
    if (!ddl_take(ps, "TO") && !ddl_take(ps, "AS"))
        ddl_take_char(ps, '=');
    bool ok = ddl_take_name(ps, &al->after.name);
    return ok || create_fail(&al->cp, "a name is expected behind RENAME");
}

/* What changes no column of the table, to the end of the clause. */
static bool skip_clause(struct alter *al)
{
    while (!at_clause_end(al))
        if (!ddl_token_is_char(&al->cp.ps.tok, '('))
            ddl_next(&al->cp.ps);
        else if (!create_skip_parentheses(&al->cp))
            return false;
    return true;
}

/* Behind ALTER: of a column, an index or a check. */
static bool take_alter(struct alter *al)
{
    static const char *const others[] = {"INDEX", "KEY", "CHECK", "CONSTRAINT", NULL};
    struct ddl_parser *ps = &al->cp.ps;
    if (ddl_take_any(ps, others) >= 0)
        return skip_clause(al);
    ddl_take(ps, "COLUMN");
    struct create_text name;
    bool if_exists = take_if_exists(al);
    if (!create_take_identifier(&al->cp, &name))
        return false;
    struct alter_clause *clause = alter_add(al, ALTER_VISIBILITY);
    if (!clause)
        return false;
    clause->name = name;
    clause->if_exists = if_exists;
    if (take_both(al, "SET", "VISIBLE"))
        return true;
    if (take_both(al, "SET", "INVISIBLE"))
        return clause->invisible = true;
    clause->kind = ALTER_DEFAULT;
    if (take_both(al, "SET", "DEFAULT"))
        return create_take_value(&al->cp, &clause->initial);
    return take_both(al, "DROP", "DEFAULT") || create_fail(&al->cp, "a change of a column is not known");
}

/* Behind ORDER. The list is greedy: no other clause stands behind it. */
static bool skip_order(struct alter *al)
{
    static const char *const orders[] = {"ASC", "DESC", NULL};
    struct ddl_parser *ps = &al->cp.ps;
    struct create_text name;
    if (!ddl_take(ps, "BY"))
        return create_fail(&al->cp, "BY is expected behind ORDER");
    do {
        do
            if (!create_take_identifier(&al->cp, &name))
                return false;
        while (ddl_take_char(ps, '.'));
        ddl_take_any(ps, orders);
    } while (ddl_take_char(ps, ','));
    return true;
}

/* The clauses about partitions that hold the whole statement. */
static bool take_partitions(struct alter *al)
{
    static const char *const words[] = {"COALESCE", "REORGANIZE", "EXCHANGE", "ANALYZE",  "CHECK",
                                        "OPTIMIZE", "REBUILD",    "REPAIR",   "TRUNCATE", "DISCARD",
                                        "IMPORT",   "CONVERT",    NULL};
    struct ddl_parser *ps = &al->cp.ps;
    struct ddl_token next = peek(al);
    bool partition = ddl_token_is(&next, "PARTITION") || ddl_token_is(&next, "TABLESPACE");
    if (ddl_token_is(&ps->tok, "CONVERT"))
        partition |= ddl_token_is(&next, "TABLE");
    for (size_t i = 0; words[i] && partition; i++)
        if (ddl_token_is(&ps->tok, words[i])) {
            ddl_take_rest(ps);
            return true;
        }
    if (take_both(al, "REMOVE", "PARTITIONING")) {
        al->after.partitioned = false;
        return true;
    }
    if (take_both(al, "PARTITION", "BY")) {
        al->after.partitioned = true;
        ddl_take_rest(ps);
        return true;
    }
    return take_both(al, "UPGRADE", "PARTITIONING");
}

/* Clauses that change neither columns nor keys. */
static bool take_harmless(struct alter *al)
{
    static const char *const words[] = {"FORCE", "NOWAIT", "SECONDARY_LOAD", "SECONDARY_UNLOAD", NULL};
    static const char *const values[] = {"WAIT", NULL};
    if (take_both(al, "ENABLE", "KEYS") || take_both(al, "DISABLE", "KEYS") || take_both(al, "WITH", "VALIDATION") ||
        take_both(al, "WITHOUT", "VALIDATION") || ddl_take_any(&al->cp.ps, words) >= 0)
        return true;
    if (ddl_take_any(&al->cp.ps, values) < 0)
        return false;
    ddl_next(&al->cp.ps);
    return true;
}

static bool take_clause(struct alter *al)
{
    struct ddl_parser *ps = &al->cp.ps;
    if (take_partitions(al) || take_harmless(al))
        return true;
    if (ddl_take(ps, "ADD"))
        return take_add(al);
    if (ddl_take(ps, "DROP"))
        return take_drop(al);
    if (ddl_take(ps, "CHANGE"))
        return take_change(al, true);
    if (ddl_take(ps, "MODIFY"))
        return take_change(al, false);
    if (ddl_take(ps, "ALTER"))
        return take_alter(al);
    if (ddl_take(ps, "RENAME"))
        return take_rename(al);
    if (ddl_take(ps, "ORDER"))
        return skip_order(al);
    return alter_take_option(al);
}

bool alter_take_clauses(struct alter *al)
{
    struct ddl_parser *ps = &al->cp.ps;
    while (ps->tok.kind != DDL_END && !ddl_token_is_char(&ps->tok, ';')) {
        if (ps->tok.kind == DDL_BAD)
            return create_fail(&al->cp, "the statement does not end");
        /* Options need no comma between them, and partitions none before them. */
        if (!take_clause(al))
            return create_fail(&al->cp, "a clause is not known");
        ddl_take_char(ps, ',');
    }
    while (ddl_take_char(ps, ';'))
        ;
    return ps->tok.kind == DDL_END || create_fail(&al->cp, "text behind the statement");
}
