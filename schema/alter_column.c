/* The new columns: what is dropped, changed and renamed first, by the old names; then what is added or moved, in the
 * order of the statement, by the new ones. */
#include <string.h>

#include "schema/alter_impl.h"

static bool is_old_column(const struct alter *al, const struct create_text *name)
{
    return create_table_find_column(al->before, name->p, name->len) >= 0;
}

static bool names_column(const struct alter_clause *clause)
{
    return clause->kind == ALTER_CHANGE_COLUMN || clause->kind == ALTER_RENAME_COLUMN ||
           clause->kind == ALTER_VISIBILITY || clause->kind == ALTER_DEFAULT || clause->kind == ALTER_DROP_COLUMN;
}

/* ADD IF NOT EXISTS of a column that an earlier clause adds. */
static bool is_added_before(const struct alter *al, unsigned at)
{
    const struct alter_clause *clause = alter_clause_at(al, at);
    for (unsigned i = 0; i < at; i++) {
        const struct alter_clause *other = alter_clause_at(al, i);
        if ((other->kind == ALTER_ADD_COLUMN || other->kind == ALTER_CHANGE_COLUMN) && !other->done &&
            create_same_name(&other->column.name, &clause->column.name))
            return true;
    }
    return false;
}

/* IF [NOT] EXISTS asks for the table as it was, before any other clause is looked at. */
static void settle_conditions(struct alter *al)
{
    for (unsigned i = 0; i < al->clauses.count; i++) {
        struct alter_clause *clause = alter_clause_at(al, i);
        if (!clause->if_exists)
            continue;
        if (clause->kind == ALTER_ADD_COLUMN)
            clause->done = is_old_column(al, &clause->column.name) || is_added_before(al, i);
        else if (names_column(clause))
            clause->done = !is_old_column(al, &clause->name);
    }
}

/* The clause of this kind about an old column that has not found its column yet. */
static struct alter_clause *find_clause(const struct alter *al, enum alter_kind kind, const struct create_text *name)
{
    for (unsigned i = 0; i < al->clauses.count; i++) {
        struct alter_clause *clause = alter_clause_at(al, i);
        if (clause->kind == kind && !clause->done && create_same_name(&clause->name, name)) {
            clause->done = true;
            return clause;
        }
    }
    return NULL;
}

static struct alter_column *add_column(struct alter *al)
{
    return create_list_add(&al->cp, &al->columns, sizeof(struct alter_column), CREATE_COLUMNS_MAX);
}

static bool keep_column(struct alter *al, int old)
{
    const struct create_column *was = &al->before->columns[old];
    struct alter_clause *clause;
    if (find_clause(al, ALTER_DROP_COLUMN, &was->name))
        return true;
    struct alter_column *item = add_column(al);
    if (!item)
        return false;
    *item = (struct alter_column){.column = *was, .old = old};
    if ((clause = find_clause(al, ALTER_CHANGE_COLUMN, &was->name))) {
        item->column = clause->column;
        item->by = clause;
    }
    if ((clause = find_clause(al, ALTER_VISIBILITY, &was->name)))
        item->column.invisible = clause->invisible;
    if ((clause = find_clause(al, ALTER_DEFAULT, &was->name)))
        item->column.initial = clause->initial;
    if ((clause = find_clause(al, ALTER_RENAME_COLUMN, &was->name))) {
        item->column.name = clause->to;
        item->renamed = true;
    }
    return true;
}

/* Moves the column at `from` to `to`, an index of the list without it. */
static void move(struct alter *al, unsigned from, unsigned to)
{
    struct alter_column *items = al->columns.items, item = items[from];
    memmove(items + from, items + from + 1, (al->columns.count - 1 - from) * sizeof *items);
    memmove(items + to + 1, items + to, (al->columns.count - 1 - to) * sizeof *items);
    items[to] = item;
}

static bool place_column(struct alter *al, unsigned at, const struct alter_clause *clause)
{
    const struct alter_column *items = al->columns.items;
    if (clause->place == ALTER_FIRST)
        move(al, at, 0);
    if (clause->place != ALTER_AFTER)
        return true;
    for (unsigned i = 0; i < al->columns.count; i++)
        if (i != at && create_same_name(&items[i].column.name, &clause->after)) {
            move(al, at, i < at ? i + 1 : i);
            return true;
        }
    return create_fail(&al->cp, "a column behind AFTER is not there");
}

/* An ADD or CHANGE in its turn. */
static bool add_or_move(struct alter *al, const struct alter_clause *clause)
{
    const struct alter_column *items = al->columns.items;
    unsigned at = 0;
    if (clause->kind == ALTER_ADD_COLUMN) {
        struct alter_column *item = add_column(al);
        if (!item)
            return false;
        *item = (struct alter_column){.column = clause->column, .old = -1, .by = clause};
        at = al->columns.count - 1;
    } else
        while (at < al->columns.count && items[at].by != clause)
            at++;
    /* With IF EXISTS there may be none. */
    return at == al->columns.count || place_column(al, at, clause);
}

/* MySQL's generated invisible primary key is known by its form. */
static bool has_generated_key(const struct create_table *def)
{
    static const struct create_text name = {"my_row_id", 9}, word = {"bigint", 6};
    const struct create_column *first = &def->columns[0];
    const struct create_key *key = def->primary;
    return !def->plain && !def->partitioned && key && key->part_count == 1 && key->parts[0].column == 0 &&
           first->invisible && first->auto_increment && first->is_unsigned && create_same_name(&first->name, &name) &&
           create_same_name(&first->word, &word);
}

/* It is put in front of all columns when these are placed, but for a MODIFY that says its place. Source:
 * adjust_generated_invisible_primary_key_column_position of sql/sql_gipk.cc. */
static void put_generated_key_first(struct alter *al)
{
    const struct alter_column *items = al->columns.items;
    if (al->cp.ps.lx.mode.flavor != FLAVOR_MYSQL || al->after.plain || !has_generated_key(al->before))
        return;
    for (unsigned i = 1; i < al->columns.count; i++)
        if (items[i].old == 0 && (!items[i].by || items[i].by->place == ALTER_STAYS)) {
            move(al, i, 0);
            return;
        }
}

static bool has_repeat(const struct alter *al)
{
    const struct alter_column *items = al->columns.items;
    for (unsigned i = 1; i < al->columns.count; i++)
        for (unsigned k = 0; k < i; k++)
            if (create_same_name(&items[i].column.name, &items[k].column.name))
                return true;
    return false;
}

/* What names an old column has found it by now. */
static bool check_names(struct alter *al)
{
    for (unsigned i = 0; i < al->clauses.count; i++) {
        const struct alter_clause *clause = alter_clause_at(al, i);
        if (clause->done || clause->if_exists)
            continue;
        if (names_column(clause))
            return create_fail(&al->cp, "a clause names a column that the table does not have");
    }
    return true;
}

bool alter_columns(struct alter *al)
{
    settle_conditions(al);
    /* A CHANGE that is void stays out; one that has found its column is done by then, and still to be placed. */
    for (unsigned i = 0; i < al->clauses.count; i++) {
        struct alter_clause *clause = alter_clause_at(al, i);
        if (clause->kind == ALTER_CHANGE_COLUMN && clause->done)
            clause->place = ALTER_STAYS;
    }
    for (unsigned i = 0; i < al->before->column_count; i++)
        if (!keep_column(al, (int)i))
            return false;
    if (!check_names(al))
        return false;
    for (unsigned i = 0; i < al->clauses.count; i++) {
        const struct alter_clause *clause = alter_clause_at(al, i);
        bool adds = clause->kind == ALTER_ADD_COLUMN && !clause->done;
        bool moves = clause->kind == ALTER_CHANGE_COLUMN && clause->place != ALTER_STAYS;
        if ((adds || moves) && !add_or_move(al, clause))
            return false;
    }
    put_generated_key_first(al);
    if (al->columns.count == 0)
        return create_fail(&al->cp, "no column is left");
    return !has_repeat(al) || create_fail(&al->cp, "two columns of one name");
}
