/* The keys over the new columns: those that were there, shorter by the columns that are gone, then the new ones. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema/alter_impl.h"

#define NAME_MAX_BYTES 512

/* The clause that drops or renames a key or constraint of this name. */
static struct alter_clause *find_clause(const struct alter *al, enum alter_kind kind, const struct create_text *name)
{
    for (unsigned i = 0; name->p && i < al->clauses.count; i++) {
        struct alter_clause *clause = alter_clause_at(al, i);
        if (clause->kind == kind && create_same_name(&clause->name, name)) {
            clause->done = true;
            return clause;
        }
    }
    return NULL;
}

static bool has_foreign_key(const struct create_table *def, const struct create_text *name)
{
    for (unsigned i = 0; i < def->foreign_count; i++)
        if (def->foreign[i].name.p && create_same_name(&def->foreign[i].name, name))
            return true;
    return false;
}

/* A constraint of this name is the foreign key when there is one, and never a key that is not unique. */
static bool is_dropped(const struct alter *al, const struct create_key *key)
{
    if (find_clause(al, ALTER_DROP_KEY, &key->name))
        return true;
    bool constraint = key->kind == CREATE_PRIMARY || key->kind == CREATE_UNIQUE;
    return constraint && !has_foreign_key(al->before, &key->name) && find_clause(al, ALTER_DROP_CONSTRAINT, &key->name);
}

static bool has_prefixes(const struct create_column *col)
{
    static const char *const words[] = {"char", "binary", "text", "blob", "point", "line", "polygon", "geom", NULL};
    for (size_t i = 0; words[i]; i++)
        if (strstr(col->word.p, words[i]))
            return true;
    return false;
}

/* Characters of the longest value of ENUM or SET. */
static uint32_t label_chars(const struct create_column *col, bool all)
{
    uint32_t most = 0, sum = 0;
    for (unsigned i = 0; i < col->label_count; i++) {
        uint32_t chars = 0;
        for (size_t k = 0; k < col->labels[i].len; k++)
            chars += (col->labels[i].p[k] & 0xc0) != 0x80;
        most = chars > most ? chars : most;
        sum += chars + (i > 0);
    }
    return all ? sum : most;
}

/* MySQL takes ENUM and SET for strings: a key over one keeps their bytes as a prefix when the column becomes a string,
 * unless that is the whole of it or less than a character. */
static uint32_t label_bytes(const struct alter *al, const struct create_column *was)
{
    bool set = strcmp(was->word.p, "set") == 0;
    if (al->cp.ps.lx.mode.flavor == FLAVOR_MARIADB || (!set && strcmp(was->word.p, "enum") != 0))
        return 0;
    uint32_t bytes = was->label_count < 256 ? 1 : 2, width = alter_charset_width(&was->charset);
    if (set)
        bytes = was->label_count <= 32 ? (was->label_count + 7) / 8 : 8;
    return bytes == label_chars(was, set) * width ? 0 : bytes / width;
}

/* In a column that is dropped and added again the key keeps the length that it had. */
static uint32_t old_length(const struct create_column *was, uint32_t prefix)
{
    bool sized = strstr(was->word.p, "char") || strstr(was->word.p, "binary");
    return prefix || !sized ? prefix : was->length;
}

/* A prefix that is as long as the column, or longer, is the whole column. */
static uint32_t new_prefix(const struct alter *al, const struct create_column *was, const struct create_column *col,
                           uint32_t prefix)
{
    bool sized = strstr(col->word.p, "char") || strstr(col->word.p, "binary");
    if (prefix == 0)
        prefix = label_bytes(al, was);
    if (prefix == 0 || !has_prefixes(col) || (sized && (col->has_length ? col->length : 1) <= prefix))
        return 0;
    return prefix;
}

/* False: its column is gone. */
static bool keep_part(const struct alter *al, struct create_key_part *part, const int *moved)
{
    const struct create_column *columns = al->cp.columns.items;
    const struct alter_column *made = al->columns.items;
    if (part->column == CREATE_NO_COLUMN)
        return true;
    const struct create_column *was = &al->before->columns[part->column];
    int column = moved[part->column];
    if (column < 0)
        return false;
    part->column = (uint16_t)column;
    if (made[column].old < 0)
        part->prefix = old_length(was, part->prefix);
    part->prefix = new_prefix(al, was, &columns[column], part->prefix);
    return true;
}

static bool keep_parts(struct alter *al, struct create_key *key, const int *moved)
{
    struct create_key_part *parts = create_allocate(&al->cp, (key->part_count + 1) * sizeof *parts);
    unsigned count = 0;
    if (!parts)
        return false;
    for (unsigned i = 0; i < key->part_count; i++) {
        parts[count] = key->parts[i];
        count += keep_part(al, &parts[count], moved);
    }
    key->parts = parts;
    key->part_count = count;
    return true;
}

/* Keys keep their names, but for RENAME; one whose columns are all gone goes with them. */
static bool keep_key(struct alter *al, const struct create_key *was, const int *moved)
{
    struct create_key key = *was;
    if (is_dropped(al, was))
        return true;
    const struct alter_clause *rename = find_clause(al, ALTER_RENAME_KEY, &was->name);
    if (rename)
        key.name = rename->to;
    /* The server asks anew whether a hash is needed. */
    if (key.hashed && al->cp.ps.lx.mode.flavor == FLAVOR_MARIADB &&
        create_needs_hash(al->before->columns, was, al->before->plain))
        key.hashed = false;
    if (!keep_parts(al, &key, moved))
        return false;
    if (key.part_count == 0)
        return true;
    struct create_key *item = create_list_add(&al->cp, &al->cp.keys, sizeof *item, CREATE_KEYS_MAX);
    if (item)
        *item = key;
    return item != NULL;
}

/* Columns of the parent follow when the parent is the table itself. */
static bool keep_parent(struct alter *al, struct create_foreign_key *fk, const int *moved)
{
    const struct ddl_name *name = &al->before->name;
    const struct create_column *columns = al->cp.columns.items;
    if (strcmp(fk->parent.db, name->db) != 0 || strcmp(fk->parent.table, name->table) != 0)
        return true;
    fk->parent = al->after.name;
    struct create_text *names = create_allocate(&al->cp, (fk->parent_column_count + 1) * sizeof *names);
    for (unsigned i = 0; names && i < fk->parent_column_count; i++) {
        const struct create_text *was = &fk->parent_columns[i];
        int at = create_table_find_column(al->before, was->p, was->len);
        names[i] = at >= 0 && moved[at] >= 0 ? columns[moved[at]].name : *was;
    }
    fk->parent_columns = names;
    return names != NULL;
}

static bool keep_foreign_key(struct alter *al, const struct create_foreign_key *was, const int *moved)
{
    struct create_foreign_key fk = *was;
    if (find_clause(al, ALTER_DROP_FOREIGN, &was->name) || find_clause(al, ALTER_DROP_CONSTRAINT, &was->name))
        return true;
    uint16_t *columns = create_allocate(&al->cp, (fk.column_count + 1) * sizeof *columns);
    if (!columns)
        return false;
    for (unsigned i = 0; i < fk.column_count; i++) {
        if (moved[was->columns[i]] < 0)
            return true;
        columns[i] = (uint16_t)moved[was->columns[i]];
    }
    fk.columns = columns;
    if (!keep_parent(al, &fk, moved))
        return false;
    struct create_foreign_key *item = create_list_add(&al->cp, &al->cp.foreign, sizeof *item, CREATE_KEYS_MAX);
    if (item)
        *item = fk;
    return item != NULL;
}

/* N of a name `table_ibfk_N`; 0: it is none. */
static unsigned long automatic_number(const struct ddl_name *table, const struct create_text *name)
{
    static const char middle[] = "_ibfk_";
    size_t len = table->table_len + sizeof middle - 1;
    if (!name->p || name->len <= len || memcmp(name->p, table->table, table->table_len) != 0 ||
        memcmp(name->p + table->table_len, middle, sizeof middle - 1) != 0)
        return 0;
    char *end;
    unsigned long number = strtoul(name->p + len, &end, 10);
    return *end == '\0' && number < UINT32_MAX && name->p[len] != '0' ? number : 0;
}

static bool set_automatic_name(struct alter *al, struct create_foreign_key *fk, unsigned long number)
{
    char text[NAME_MAX_BYTES];
    const struct ddl_name *table = &al->after.name;
    int len = snprintf(text, sizeof text, "%.*s_ibfk_%lu", (int)(table->table_len < 480 ? table->table_len : 480),
                       table->table, number);
    fk->name = (struct create_text){arena_copy(al->cp.ps.arena, text, (size_t)len), (size_t)len};
    if (!fk->name.p)
        al->cp.ps.rc = err_set(al->cp.ps.e, NO_MEMORY, (size_t)len);
    return fk->name.p != NULL;
}

/* New ones go on behind the highest number, also of those that this statement drops; all follow the table's name. */
static bool name_foreign_keys(struct alter *al)
{
    const struct ddl_name *table = &al->before->name;
    struct create_foreign_key *foreign = al->cp.foreign.items;
    unsigned long highest = 0;
    for (unsigned i = 0; i < al->before->foreign_count; i++) {
        unsigned long number = automatic_number(table, &al->before->foreign[i].name);
        highest = number > highest ? number : highest;
    }
    for (unsigned i = 0; i < al->cp.foreign.count; i++) {
        unsigned long number = foreign[i].name.p ? automatic_number(table, &foreign[i].name) : ++highest;
        if (number && !set_automatic_name(al, &foreign[i], number))
            return false;
    }
    return true;
}

/* Where each old column is now, for keys: the server looks its name up among the new columns in their order, where a
 * column that is changed or renamed goes by its old name. So a column added with the name of a dropped one takes its
 * place. -1: gone. */
static int *find_moves(struct alter *al)
{
    const struct alter_column *columns = al->columns.items;
    const struct create_table *before = al->before;
    int *moved = create_allocate(&al->cp, before->column_count * sizeof *moved);
    for (unsigned i = 0; moved && i < before->column_count; i++) {
        moved[i] = -1;
        for (unsigned k = 0; k < al->columns.count && moved[i] < 0; k++) {
            bool changed = columns[k].old >= 0 && (columns[k].by || columns[k].renamed);
            const struct create_text *name = changed ? &before->columns[columns[k].old].name : &columns[k].column.name;
            if (create_same_name(name, &before->columns[i].name))
                moved[i] = (int)k;
        }
    }
    return moved;
}

static bool has_old_key(const struct alter *al, const struct create_key *key)
{
    for (unsigned i = 0; i < al->before->key_count; i++) {
        const struct create_key *old = &al->before->keys[i];
        if (key->kind == CREATE_PRIMARY ? old->kind == CREATE_PRIMARY : create_same_name(&old->name, &key->name))
            return true;
    }
    return false;
}

/* IF NOT EXISTS: of the name, or of that of the first column. */
static bool exists_already(const struct alter *al, const struct alter_clause *clause, const struct create_key *key)
{
    const struct create_column *columns = al->cp.columns.items;
    struct create_key named = *key;
    if (!clause->if_exists)
        return false;
    if (!named.name.p && named.part_count && named.parts[0].column != CREATE_NO_COLUMN)
        named.name = columns[named.parts[0].column].name;
    return (named.name.p || named.kind == CREATE_PRIMARY) && has_old_key(al, &named);
}

/* Whether the table had a primary key, and IF NOT EXISTS keeps that. */
static bool keeps_primary(const struct alter *al, const struct alter_clause *clause)
{
    static const struct create_key primary = {.kind = CREATE_PRIMARY};
    struct ddl_parser at = clause->text;
    if (!clause->if_exists)
        return false;
    if (ddl_take(&at, "CONSTRAINT") && !ddl_token_is(&at.tok, "PRIMARY"))
        ddl_next(&at);
    return ddl_token_is(&at.tok, "PRIMARY") && has_old_key(al, &primary);
}

/* Definitions have no periods. Only where both columns refuse NULL already it is the same whether there was one. */
static bool check_period(struct alter *al, const struct alter_clause *clause, const struct create_key *period)
{
    const struct create_column *columns = al->cp.columns.items;
    for (unsigned i = 0; clause->if_exists && i < period->part_count; i++)
        if (period->parts[i].column != CREATE_NO_COLUMN && columns[period->parts[i].column].nullable)
            return create_fail(&al->cp, "whether the table had the period is not told");
    return true;
}

static bool add_key(struct alter *al, const struct alter_clause *clause)
{
    struct create_parser *cp = &al->cp;
    unsigned keys = cp->keys.count, foreign = cp->foreign.count, periods = cp->periods.count;
    bool known = true;
    if (keeps_primary(al, clause))
        return true;
    cp->ps = clause->text;
    if (!(clause->to.p ? create_take_key_body(cp, &clause->key) : create_take_key(cp, &known)))
        return create_fail(cp, "a key is expected");
    if (cp->ahead)
        return create_fail(cp, "a key names a column that the table does not have");
    if (cp->periods.count > periods)
        return check_period(al, clause, (const struct create_key *)cp->periods.items + periods);
    const struct create_key *key = cp->keys.items;
    const struct create_foreign_key *fk = cp->foreign.items;
    bool made_foreign = cp->foreign.count > foreign;
    if (made_foreign && clause->if_exists && fk[foreign].name.p && has_foreign_key(al->before, &fk[foreign].name)) {
        cp->foreign.count = foreign;
        cp->keys.count = keys;
    } else if (!made_foreign && cp->keys.count > keys && exists_already(al, clause, &key[keys]))
        cp->keys.count = keys;
    return true;
}

/* PRIMARY KEY, UNIQUE or REFERENCES among the attributes of a column. */
static bool add_column_key(struct alter *al, const struct alter_clause *clause)
{
    struct create_parser *cp = &al->cp;
    int column = create_find_column(cp, clause->name.p, clause->name.len);
    if (column < 0)
        return create_fail(cp, "a key names a column that the table does not have");
    if (clause->foreign.parent.table) {
        struct create_foreign_key *fk = create_list_add(cp, &cp->foreign, sizeof *fk, CREATE_KEYS_MAX);
        uint16_t *columns = create_allocate(cp, sizeof *columns);
        if (!fk || !columns)
            return false;
        *columns = (uint16_t)column;
        *fk = clause->foreign;
        fk->columns = columns;
        return true;
    }
    /* Behind IF [NOT] EXISTS the condition is the key's as well. */
    const struct create_key_part part = {.column = (uint16_t)column};
    const struct create_key key = {.kind = clause->key.kind, .parts = &part, .part_count = 1};
    if (exists_already(al, clause, &key))
        return true;
    return create_add_inline_key(cp, (uint16_t)column, clause->key.kind);
}

/* A key that the server made for a foreign key may have gone unseen when another one came that serves it. */
static bool check_names(struct alter *al)
{
    for (unsigned i = 0; i < al->clauses.count; i++) {
        const struct alter_clause *clause = alter_clause_at(al, i);
        bool names =
            clause->kind == ALTER_DROP_KEY || clause->kind == ALTER_RENAME_KEY || clause->kind == ALTER_DROP_FOREIGN;
        if (names && !clause->done && !clause->if_exists)
            return create_fail(&al->cp, "a clause names a key that the table does not have");
    }
    return true;
}

bool alter_keys(struct alter *al)
{
    const struct create_table *before = al->before;
    const int *moved = find_moves(al);
    if (!moved)
        return false;
    for (unsigned i = 0; i < before->key_count; i++)
        if (!keep_key(al, &before->keys[i], moved))
            return false;
    for (unsigned i = 0; i < before->foreign_count; i++)
        if (!keep_foreign_key(al, &before->foreign[i], moved))
            return false;
    if (!check_names(al))
        return false;
    for (unsigned i = 0; i < al->clauses.count; i++) {
        const struct alter_clause *clause = alter_clause_at(al, i);
        if (clause->kind == ALTER_ADD_KEY && !add_key(al, clause))
            return false;
        if (clause->kind == ALTER_ADD_COLUMN_KEY && !add_column_key(al, clause))
            return false;
    }
    return name_foreign_keys(al) && create_finish_keys(&al->cp, &al->after.name);
}
