/* ALTER. Clauses of ALTER TABLE are told apart by their first words; those that only rename, or only move rows in
 * partitions, are no change of structure. */
#include "schema/ddl/parser.h"

struct alter {
    struct ddl_name table;
    struct ddl_name to;    /* renamed */
    struct ddl_name other; /* rows come from or go to it */
    bool renamed, discarded, structure, has_other, other_dropped, other_made;
    bool alone; /* the clause has commas of its own and no other one beside it */
    bool unknown;
};

/* Behind RENAME. */
static void parse_rename_clause(struct ddl_parser *ps, struct alter *alter)
{
    static const char *const parts[] = {"COLUMN", "INDEX", "KEY", "CONSTRAINT", NULL};
    if (ddl_take_any(ps, parts) >= 0) {
        alter->structure = true;
        return;
    }
    if (!ddl_take(ps, "TO") && !ddl_take(ps, "AS"))
        ddl_take_char(ps, '=');
    alter->renamed = ddl_take_name(ps, &alter->to);
    alter->unknown |= !alter->renamed;
}

/* The name behind `keyword`, further on in the clause: the other table of an exchange or conversion. */
static void parse_other_table(struct ddl_parser *ps, struct alter *alter)
{
    alter->discarded = true;
    alter->has_other = ddl_skip_to_keyword(ps, "TABLE") && ddl_take(ps, "TABLE") && ddl_take_name(ps, &alter->other);
    alter->unknown |= !alter->has_other;
}

/* Behind CONVERT: of character sets, or (MariaDB) of a partition to a table and back. */
static void parse_convert_clause(struct ddl_parser *ps, struct alter *alter)
{
    if (ddl_token_is(&ps->tok, "PARTITION")) {
        parse_other_table(ps, alter);
        alter->other_made = true;
    } else if (ddl_token_is(&ps->tok, "TABLE")) {
        parse_other_table(ps, alter);
        alter->other_dropped = true;
    } else
        alter->structure = true;
}

/* To the comma that ends the clause, the semicolon or the end. */
static void skip_clause(struct ddl_parser *ps, struct alter *alter)
{
    size_t depth = 0;
    while (ps->tok.kind != DDL_END && ps->tok.kind != DDL_BAD) {
        if (depth == 0 && (ddl_token_is_char(&ps->tok, ',') || ddl_token_is_char(&ps->tok, ';')))
            return;
        if (depth == 0 && ddl_take(ps, "ENGINE")) {
            ddl_take_char(ps, '=');
            alter->discarded |= ddl_token_is(&ps->tok, "BLACKHOLE");
            continue;
        }
        if (ddl_token_is_char(&ps->tok, '('))
            depth++;
        else if (ddl_token_is_char(&ps->tok, ')'))
            depth -= depth > 0;
        ddl_next(ps);
    }
}

static void parse_clause(struct ddl_parser *ps, struct alter *alter)
{
    if (ddl_take(ps, "RENAME"))
        parse_rename_clause(ps, alter);
    else if (ddl_take(ps, "DROP") || ddl_take(ps, "TRUNCATE"))
        if (ddl_token_is(&ps->tok, "PARTITION"))
            alter->discarded = alter->alone = true;
        else
            alter->structure = true;
    else if (ddl_take(ps, "DISCARD") || ddl_take(ps, "IMPORT"))
        alter->discarded = alter->alone = true;
    else if (ddl_take(ps, "EXCHANGE"))
        parse_other_table(ps, alter);
    else if (ddl_take(ps, "CONVERT"))
        parse_convert_clause(ps, alter);
    else
        alter->structure = true;
    if (alter->alone)
        ddl_take_rest(ps);
    else
        skip_clause(ps, alter);
}

static void add_actions(struct ddl_parser *ps, const struct alter *alter, bool if_exists)
{
    if (alter->unknown)
        ddl_add(ps, DDL_UNKNOWN);
    if (alter->structure)
        ddl_add_table(ps, DDL_ALTER, &alter->table);
    if (alter->discarded)
        ddl_add_table(ps, DDL_DISCARD, &alter->table);
    if (alter->has_other)
        ddl_add_table(ps, alter->other_dropped ? DDL_DROP : DDL_DISCARD, &alter->other);
    struct ddl_action *made = alter->has_other && alter->other_made ? ddl_add(ps, DDL_CREATE) : NULL;
    if (made) {
        made->table = alter->other;
        made->to = alter->table;
    }
    struct ddl_action *action = alter->renamed ? ddl_add(ps, DDL_RENAME) : NULL;
    if (action) {
        action->table = alter->table;
        action->to = alter->to;
    }
    for (size_t i = 0; i < ps->count; i++)
        ps->actions[i].if_exists = if_exists;
}

/* Behind TABLE. */
static void parse_alter_table(struct ddl_parser *ps, bool ignore)
{
    struct alter alter = {.discarded = ignore, .structure = ignore};
    bool if_exists = ddl_take_if_exists(ps);
    if (!ddl_take_name(ps, &alter.table)) {
        ddl_add(ps, DDL_UNKNOWN);
        return;
    }
    if (ddl_take(ps, "WAIT"))
        ddl_next(ps);
    else
        ddl_take(ps, "NOWAIT");
    do
        parse_clause(ps, &alter);
    while (ddl_take_char(ps, ','));
    add_actions(ps, &alter, if_exists);
}

/* Behind SEQUENCE: a sequence is a table of one row. */
static void parse_alter_sequence(struct ddl_parser *ps)
{
    struct ddl_name name;
    bool if_exists = ddl_take_if_exists(ps), named = ddl_take_name(ps, &name);
    struct ddl_action *action = ddl_add(ps, named ? DDL_ALTER : DDL_UNKNOWN);
    if (action && named) {
        action->table = name;
        action->if_exists = if_exists;
        action->sequence = true;
    }
    ddl_take_rest(ps);
}

void ddl_parse_alter(struct ddl_parser *ps)
{
    ddl_skip_modifiers(ps);
    bool ignore = ddl_take(ps, "IGNORE");
    if (ddl_take(ps, "TABLE"))
        parse_alter_table(ps, ignore);
    else if (ddl_take(ps, "SEQUENCE"))
        parse_alter_sequence(ps);
    else if (ddl_take(ps, "DATABASE") || ddl_take(ps, "SCHEMA"))
        ddl_parse_alter_database(ps);
    else if (ddl_take_harmless_object(ps))
        ddl_add_harmless(ps);
    else
        ddl_add(ps, DDL_UNKNOWN);
}
