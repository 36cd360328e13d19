/* CREATE, DROP, TRUNCATE and RENAME. */
#include "schema/ddl/parser.h"

bool ddl_take_harmless_object(struct ddl_parser *ps)
{
    static const char *const objects[] = {
        "VIEW",   "TRIGGER", "PROCEDURE",  "FUNCTION", "PACKAGE",  "EVENT",   "USER", "ROLE",
        "SERVER", "LOGFILE", "TABLESPACE", "RESOURCE", "INSTANCE", "LIBRARY", NULL,
    };
    return ddl_take_any(ps, objects) >= 0;
}

/* `= user[@host.name]` or `= CURRENT_USER[()]`, behind DEFINER. */
static void skip_definer(struct ddl_parser *ps)
{
    ddl_take_char(ps, '=');
    ddl_next(ps);
    while (ddl_take_char(ps, '@') || ddl_take_char(ps, '.'))
        ddl_next(ps);
    if (ddl_take_char(ps, '('))
        ddl_take_char(ps, ')');
}

void ddl_skip_modifiers(struct ddl_parser *ps)
{
    static const char *const words[] = {"AGGREGATE", "UNIQUE", "FULLTEXT", "VECTOR", "ONLINE", "OFFLINE", "UNDO", NULL};
    for (;;) {
        if (ddl_take(ps, "DEFINER"))
            skip_definer(ps);
        else if (ddl_take(ps, "ALGORITHM") || ddl_take(ps, "SQL")) {
            ddl_take_char(ps, '=');
            ddl_take(ps, "SECURITY");
            ddl_next(ps);
        } else if (ddl_take_any(ps, words) < 0)
            return;
    }
}

/* CREATE TABLE behind its name: the model of LIKE, and whether rows come from a query. */
static void parse_create_source(struct ddl_parser *ps, struct ddl_name *model, bool *selects)
{
    static const struct ddl_name none = {"", 0, "", 0};
    static const char *const queries[] = {"AS", "TABLE", "VALUES", NULL};
    struct ddl_parser at = *ps;
    *model = none;
    ddl_take_char(&at, '(');
    if (ddl_take(&at, "LIKE")) {
        *ps = at;
        if (!ddl_take_name(ps, model))
            ddl_add(ps, DDL_UNKNOWN);
        ddl_take_rest(ps);
        return;
    }
    size_t depth = 0;
    bool dotted = false;
    for (; ps->tok.kind != DDL_END && ps->tok.kind != DDL_BAD; ddl_next(ps)) {
        if (ddl_token_is_char(&ps->tok, '('))
            depth++;
        else if (ddl_token_is_char(&ps->tok, ')'))
            depth -= depth > 0;
        else if (!dotted && ddl_token_is(&ps->tok, "SELECT"))
            *selects = true;
        for (size_t i = 0; queries[i] && depth == 0 && !dotted; i++)
            *selects |= ddl_token_is(&ps->tok, queries[i]);
        if (depth == 0 && ddl_token_is_char(&ps->tok, ';'))
            return;
        dotted = ddl_token_is_char(&ps->tok, '.');
    }
}

/* Behind CREATE [OR REPLACE] [TEMPORARY] TABLE or SEQUENCE. */
static void parse_create_table(struct ddl_parser *ps, bool replaces, bool temporary, bool sequence)
{
    struct ddl_name table, model;
    bool if_exists = ddl_take_if_exists(ps), selects = false;
    if (!ddl_take_name(ps, &table)) {
        ddl_add(ps, DDL_UNKNOWN);
        return;
    }
    parse_create_source(ps, &model, &selects);
    selects &= !sequence;
    if (temporary) {
        ddl_add(ps, DDL_NONE);
        return;
    }
    if (replaces) {
        struct ddl_action *drop = ddl_add(ps, DDL_DROP);
        if (drop) {
            drop->table = table;
            drop->if_exists = true;
        }
    }
    struct ddl_action *action = ddl_add(ps, DDL_CREATE);
    if (!action)
        return;
    action->table = table;
    action->to = model;
    action->if_exists = if_exists;
    action->selects = selects;
    action->sequence = sequence;
}

/* The text of one token, NUL-terminated; NULL where none stands. */
static const char *take_option_text(struct ddl_parser *ps)
{
    size_t len;
    ddl_take_char(ps, '=');
    if (ddl_take(ps, "DEFAULT"))
        return "DEFAULT";
    if ((ps->tok.kind != DDL_WORD && ps->tok.kind != DDL_QUOTED && ps->tok.kind != DDL_STRING))
        return NULL;
    const char *text = ddl_token_text(&ps->tok, &ps->lx.mode, ps->arena, &len);
    if (!text && ps->rc == 0)
        ps->rc = err_set(ps->e, NO_MEMORY, ps->tok.len);
    ddl_next(ps);
    return text;
}

static void take_database_options(struct ddl_parser *ps, struct ddl_action *action)
{
    while (ps->tok.kind != DDL_END && ps->tok.kind != DDL_BAD && !ddl_token_is_char(&ps->tok, ';')) {
        if (ddl_take(ps, "CHARSET") || (ddl_take(ps, "CHARACTER") && ddl_take(ps, "SET")))
            action->charset = take_option_text(ps);
        else if (ddl_take(ps, "COLLATE"))
            action->collation = take_option_text(ps);
        else
            ddl_next(ps);
    }
}

static void add_database(struct ddl_parser *ps, enum ddl_kind kind, const struct ddl_name *name, bool if_exists)
{
    struct ddl_action *action = ddl_add(ps, kind);
    if (!action)
        return;
    action->table.db = name->table;
    action->table.db_len = name->table_len;
    action->if_exists = if_exists;
}

/* Behind DATABASE. */
static void parse_create_database(struct ddl_parser *ps, bool replaces)
{
    struct ddl_name name;
    bool if_exists = ddl_take_if_exists(ps);
    if (!ddl_take_name(ps, &name)) {
        ddl_add(ps, DDL_UNKNOWN);
        return;
    }
    if (replaces)
        add_database(ps, DDL_DATABASE_DROP, &name, true);
    add_database(ps, DDL_DATABASE_CREATE, &name, if_exists);
    if (ps->rc == 0)
        take_database_options(ps, &ps->actions[ps->count - 1]);
}

void ddl_parse_alter_database(struct ddl_parser *ps)
{
    static const char *const words[] = {"DEFAULT", "CHARACTER", "CHARSET",    "COLLATE", "COMMENT",
                                        "READ",    "UPGRADE",   "ENCRYPTION", NULL};
    size_t session_len = ps->stmt->db ? ps->stmt->db_len : 0;
    struct ddl_name name = {.table = session_len ? ps->stmt->db : "", .table_len = session_len};
    bool named = true;
    for (size_t i = 0; words[i]; i++)
        named &= !ddl_token_is(&ps->tok, words[i]);
    if (named && !ddl_take_name(ps, &name)) {
        ddl_add(ps, DDL_UNKNOWN);
        return;
    }
    if (!named && name.table_len) {
        name.table = arena_copy(ps->arena, name.table, name.table_len);
        if (!name.table)
            ps->rc = err_set(ps->e, NO_MEMORY, name.table_len);
    }
    add_database(ps, DDL_DATABASE_ALTER, &name, false);
    if (ps->rc == 0)
        take_database_options(ps, &ps->actions[ps->count - 1]);
}

/* Behind INDEX: `… ON table …` of CREATE and DROP. */
static void parse_index(struct ddl_parser *ps)
{
    struct ddl_name table;
    if (ddl_skip_to_keyword(ps, "ON") && ddl_take(ps, "ON") && ddl_take_name(ps, &table)) {
        ddl_add_table(ps, DDL_ALTER, &table);
        ddl_take_rest(ps);
    } else
        ddl_add(ps, DDL_UNKNOWN);
}

void ddl_parse_create(struct ddl_parser *ps)
{
    bool replaces = ddl_take(ps, "OR") && ddl_take(ps, "REPLACE");
    bool temporary = ddl_take(ps, "TEMPORARY");
    bool sequence = ddl_take(ps, "SEQUENCE");
    if (sequence || ddl_take(ps, "TABLE")) {
        parse_create_table(ps, replaces, temporary, sequence);
        return;
    }
    ddl_skip_modifiers(ps);
    if (ddl_take(ps, "SPATIAL") && ddl_take(ps, "REFERENCE")) {
        ddl_add_harmless(ps);
        return;
    }
    if (ddl_take(ps, "INDEX"))
        parse_index(ps);
    else if (ddl_take(ps, "DATABASE") || ddl_take(ps, "SCHEMA"))
        parse_create_database(ps, replaces);
    else if (ddl_take_harmless_object(ps))
        ddl_add_harmless(ps);
    else
        ddl_add(ps, DDL_UNKNOWN);
}

/* `a [, b] …` behind TABLE[S] [IF EXISTS]; what follows the last name (RESTRICT, CASCADE, WAIT n) is for the caller. */
static void parse_drop_list(struct ddl_parser *ps, bool temporary)
{
    bool if_exists = ddl_take_if_exists(ps);
    do {
        struct ddl_name table;
        if (!ddl_take_name(ps, &table)) {
            ddl_add(ps, DDL_UNKNOWN);
            return;
        }
        struct ddl_action *action = temporary ? NULL : ddl_add(ps, DDL_DROP);
        if (action) {
            action->table = table;
            action->if_exists = if_exists;
        }
    } while (ddl_take_char(ps, ',') && ps->rc == 0);
    if (temporary)
        ddl_add(ps, DDL_NONE);
}

/* RESTRICT, CASCADE, WAIT n, NOWAIT. */
static void skip_drop_tail(struct ddl_parser *ps)
{
    static const char *const words[] = {"RESTRICT", "CASCADE", "NOWAIT", NULL};
    ddl_take_any(ps, words);
    if (ddl_take(ps, "WAIT"))
        ddl_next(ps);
    else
        ddl_take(ps, "NOWAIT");
}

void ddl_parse_drop(struct ddl_parser *ps)
{
    static const char *const tables[] = {"TABLE", "TABLES", "SEQUENCE", NULL};
    bool temporary = ddl_take(ps, "TEMPORARY");
    if (ddl_take_any(ps, tables) >= 0) {
        parse_drop_list(ps, temporary);
        skip_drop_tail(ps);
        return;
    }
    if (ddl_take(ps, "DATABASE") || ddl_take(ps, "SCHEMA")) {
        struct ddl_name name;
        bool if_exists = ddl_take_if_exists(ps);
        if (ddl_take_name(ps, &name))
            add_database(ps, DDL_DATABASE_DROP, &name, if_exists);
        else
            ddl_add(ps, DDL_UNKNOWN);
        return;
    }
    ddl_skip_modifiers(ps);
    if (ddl_take(ps, "INDEX"))
        parse_index(ps);
    else if ((ddl_take(ps, "SPATIAL") && ddl_take(ps, "REFERENCE")) || ddl_take(ps, "PREPARE") ||
             ddl_take_harmless_object(ps))
        ddl_add_harmless(ps);
    else
        ddl_add(ps, DDL_UNKNOWN);
}

void ddl_parse_truncate(struct ddl_parser *ps)
{
    struct ddl_name table;
    ddl_take(ps, "TABLE");
    if (ddl_take_name(ps, &table))
        ddl_add_table(ps, DDL_TRUNCATE, &table);
    else
        ddl_add(ps, DDL_UNKNOWN);
    skip_drop_tail(ps);
}

void ddl_parse_rename(struct ddl_parser *ps)
{
    if (ddl_take(ps, "USER")) {
        ddl_add_harmless(ps);
        return;
    }
    if (!ddl_take(ps, "TABLE") && !ddl_take(ps, "TABLES")) {
        ddl_add(ps, DDL_UNKNOWN);
        return;
    }
    bool if_exists = ddl_take_if_exists(ps);
    do {
        struct ddl_name from, to;
        bool ok = ddl_take_name(ps, &from);
        skip_drop_tail(ps);
        if (!ok || !ddl_take(ps, "TO") || !ddl_take_name(ps, &to)) {
            ddl_add(ps, DDL_UNKNOWN);
            return;
        }
        struct ddl_action *action = ddl_add(ps, DDL_RENAME);
        if (action) {
            action->table = from;
            action->to = to;
            action->if_exists = if_exists;
        }
    } while (ddl_take_char(ps, ',') && ps->rc == 0);
}
