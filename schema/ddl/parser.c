/* What all statements are read with. */
#include "schema/ddl/parser.h"

#include <string.h>

void ddl_next(struct ddl_parser *ps)
{
    ps->tok = ddl_lexer_next(&ps->lx);
}

bool ddl_take(struct ddl_parser *ps, const char *keyword)
{
    if (!ddl_token_is(&ps->tok, keyword))
        return false;
    ddl_next(ps);
    return true;
}

bool ddl_take_char(struct ddl_parser *ps, char c)
{
    if (!ddl_token_is_char(&ps->tok, c))
        return false;
    ddl_next(ps);
    return true;
}

int ddl_take_any(struct ddl_parser *ps, const char *const *keywords)
{
    for (int i = 0; keywords[i]; i++)
        if (ddl_take(ps, keywords[i]))
            return i;
    return -1;
}

static void no_memory(struct ddl_parser *ps, size_t len)
{
    if (ps->rc == 0)
        ps->rc = err_set(ps->e, NO_MEMORY, len);
}

/* Takes one identifier. */
static bool take_identifier(struct ddl_parser *ps, const char **text, size_t *len)
{
    if (ps->tok.kind != DDL_WORD && ps->tok.kind != DDL_QUOTED)
        return false;
    *text = ddl_token_text(&ps->tok, &ps->lx.mode, ps->arena, len);
    if (!*text) {
        no_memory(ps, ps->tok.len + 1);
        return false;
    }
    ddl_next(ps);
    return true;
}

bool ddl_take_name(struct ddl_parser *ps, struct ddl_name *out)
{
    struct ddl_name name = {.db = "", .db_len = 0};
    if (!take_identifier(ps, &name.table, &name.table_len))
        return false;
    if (ddl_take_char(ps, '.')) {
        name.db = name.table;
        name.db_len = name.table_len;
        if (!take_identifier(ps, &name.table, &name.table_len))
            return false;
    } else if (ps->stmt->db_len) {
        name.db = arena_copy(ps->arena, ps->stmt->db, ps->stmt->db_len);
        name.db_len = ps->stmt->db_len;
        if (!name.db) {
            no_memory(ps, ps->stmt->db_len + 1);
            return false;
        }
    }
    *out = name;
    return true;
}

bool ddl_take_if_exists(struct ddl_parser *ps)
{
    if (!ddl_take(ps, "IF"))
        return false;
    ddl_take(ps, "NOT");
    return ddl_take(ps, "EXISTS");
}

bool ddl_skip_to_keyword(struct ddl_parser *ps, const char *keyword)
{
    size_t depth = 0;
    for (; ps->tok.kind != DDL_END && ps->tok.kind != DDL_BAD; ddl_next(ps)) {
        if (ddl_token_is_char(&ps->tok, '('))
            depth++;
        else if (ddl_token_is_char(&ps->tok, ')'))
            depth -= depth > 0;
        else if (depth == 0 && ddl_token_is(&ps->tok, keyword))
            return true;
    }
    return false;
}

static int grow(struct ddl_parser *ps)
{
    if (ps->count == DDL_ACTIONS_MAX)
        return err_set(ps->e, LIMIT, "actions of one statement", (ps->count + 1) * sizeof *ps->actions,
                       (size_t)DDL_ACTIONS_MAX * sizeof *ps->actions);
    size_t size = ps->size ? ps->size * 2 : 4;
    struct ddl_action *actions = arena_alloc(ps->arena, size * sizeof *actions);
    if (!actions)
        return err_set(ps->e, NO_MEMORY, size * sizeof *actions);
    if (ps->count)
        memcpy(actions, ps->actions, ps->count * sizeof *actions);
    ps->actions = actions;
    ps->size = size;
    return 0;
}

struct ddl_action *ddl_add(struct ddl_parser *ps, enum ddl_kind kind)
{
    if (ps->rc == 0 && ps->count == ps->size)
        ps->rc = grow(ps);
    if (ps->rc)
        return NULL;
    struct ddl_action *action = &ps->actions[ps->count++];
    static const struct ddl_name none = {"", 0, "", 0};
    *action = (struct ddl_action){.kind = kind, .table = none, .to = none};
    return action;
}

void ddl_add_table(struct ddl_parser *ps, enum ddl_kind kind, const struct ddl_name *table)
{
    struct ddl_action *action = ddl_add(ps, kind);
    if (action)
        action->table = *table;
}

void ddl_take_rest(struct ddl_parser *ps)
{
    while (ps->tok.kind != DDL_END && ps->tok.kind != DDL_BAD && !ddl_token_is_char(&ps->tok, ';'))
        ddl_next(ps);
}

void ddl_add_harmless(struct ddl_parser *ps)
{
    while (ps->tok.kind != DDL_END && ps->tok.kind != DDL_BAD)
        ddl_next(ps);
    ddl_add(ps, DDL_NONE);
}
