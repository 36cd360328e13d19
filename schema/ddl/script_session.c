/* What the statements of a script set for those behind them: USE, SET NAMES, character_set_client, sql_mode, and the
 * user variables in which dumps keep the old settings. */
#include <string.h>

#include "base/ascii.h"
#include "schema/ddl/parser.h"
#include "schema/ddl/script_private.h"

#define TEXT_MAX 1024

/* A token's text in the arena's stead: settings are ASCII; longer ones are none that is followed. */
static bool token_text(const struct ddl_token *tok, char *out, size_t size)
{
    if (tok->len >= size)
        return false;
    memcpy(out, tok->p, tok->len);
    out[tok->len] = '\0';
    return true;
}

static void make_lower(char *p)
{
    for (; *p; p++)
        *p = ascii_lower(*p);
}

static bool read_charset(const char *name, uint64_t *out)
{
    enum charset charset = charset_of_collation(charset_find_collation(name, strlen(name)), NULL);
    *out = (uint64_t)(charset == CHARSET_BINARY ? CHARSET_UTF8 : charset);
    return charset != CHARSET_UNKNOWN || strcmp(name, "default") == 0;
}

/* Those bits that matter, of a list of modes; the combined modes of both servers hold ANSI_QUOTES. */
static uint64_t read_modes(char *list)
{
    static const char *const ansi[] = {"ansi_quotes", "ansi", "oracle", "db2", "mssql", "maxdb", "postgresql"};
    uint64_t modes = 0;
    for (char *p = list, *next; p; p = next) {
        next = strchr(p, ',');
        if (next)
            *next++ = '\0';
        if (strcmp(p, "no_backslash_escapes") == 0)
            modes |= DDL_NO_BACKSLASH_ESCAPES;
        for (size_t i = 0; i < sizeof ansi / sizeof *ansi; i++)
            if (strcmp(p, ansi[i]) == 0)
                modes |= DDL_ANSI_QUOTES;
    }
    return modes;
}

struct setter {
    struct ddl_script *script;
    struct ddl_parser ps;
};

static struct script_variable *find_variable(struct ddl_script *script, const char *name)
{
    for (size_t i = 0; i < script->variable_count; i++)
        if (strcmp(script->variables[i].name, name) == 0)
            return &script->variables[i];
    return NULL;
}

/* `@name`, behind the @. */
static bool take_variable(struct setter *set, char *name, size_t size)
{
    bool fits = token_text(&set->ps.tok, name, size);
    make_lower(name);
    ddl_next(&set->ps);
    return fits;
}

static bool is_charset_name(const char *name)
{
    return strcmp(name, "character_set_client") == 0 || strcmp(name, "names") == 0 || strcmp(name, "character") == 0 ||
           strcmp(name, "charset") == 0;
}

/* `@@[session.]name`, behind both @. */
static void take_system(struct setter *set, char *name, size_t size)
{
    do {
        if (!token_text(&set->ps.tok, name, size))
            name[0] = '\0';
        make_lower(name);
        ddl_next(&set->ps);
    } while (ddl_take_char(&set->ps, '.'));
}

/* To the comma behind the value, or the end. */
static void skip_value(struct setter *set)
{
    size_t depth = 0;
    for (; set->ps.tok.kind != DDL_END && set->ps.tok.kind != DDL_BAD; ddl_next(&set->ps)) {
        if (ddl_token_is_char(&set->ps.tok, '('))
            depth++;
        else if (ddl_token_is_char(&set->ps.tok, ')') && depth)
            depth--;
        else if (ddl_token_is_char(&set->ps.tok, ',') && depth == 0)
            return;
    }
}

/* `@name = @@setting` keeps a setting. */
static int keep(struct setter *set, const char *name, struct err *e)
{
    struct ddl_script *script = set->script;
    char setting[64] = "";
    if (ddl_take_char(&set->ps, '@') && ddl_take_char(&set->ps, '@'))
        take_system(set, setting, sizeof setting);
    bool is_charset = strcmp(setting, "character_set_client") == 0;
    if (!is_charset && strcmp(setting, "sql_mode") != 0)
        return 0;
    struct script_variable *variable = find_variable(script, name);
    if (!variable && script->variable_count == SCRIPT_VARIABLES)
        return script_fail(script, "it keeps more settings than any dump does", e);
    if (!variable)
        variable = &script->variables[script->variable_count++];
    memcpy(variable->name, name, strlen(name) + 1);
    variable->is_charset = is_charset;
    variable->value = is_charset ? (uint64_t)script->mode.charset : script->mode.sql_mode;
    return 0;
}

/* The value of sql_mode or of the character set: words, or a variable that kept one. */
static bool take_value(struct setter *set, bool is_charset, uint64_t *out)
{
    char text[TEXT_MAX];
    if (ddl_take_char(&set->ps, '@')) {
        if (!take_variable(set, text, sizeof text))
            return false;
        const struct script_variable *variable = find_variable(set->script, text);
        *out = variable ? variable->value : is_charset ? CHARSET_UTF8 : 0;
        return !variable || variable->is_charset == is_charset;
    }
    enum ddl_token_kind kind = set->ps.tok.kind;
    if ((kind != DDL_WORD && kind != DDL_STRING && kind != DDL_QUOTED) || !token_text(&set->ps.tok, text, sizeof text))
        return false;
    make_lower(text);
    ddl_next(&set->ps);
    if (is_charset)
        return read_charset(text, out);
    *out = read_modes(text);
    return kind == DDL_STRING || strcmp(text, "default") == 0;
}

/* One assignment. The scope does not matter: what is set for all sessions is not set for this one. */
static int take_assignment(struct setter *set, struct err *e)
{
    static const char *const scopes[] = {"SESSION", "LOCAL", NULL};
    struct ddl_script *script = set->script;
    struct ddl_parser *ps = &set->ps;
    char name[128] = "";
    bool at_sign = ddl_take_char(ps, '@'), user = at_sign && !ddl_take_char(ps, '@');
    if (!at_sign)
        (void)ddl_take_any(ps, scopes);
    if (user)
        (void)take_variable(set, name, sizeof script->variables->name);
    else
        take_system(set, name, sizeof name);
    (void)ddl_take_char(ps, ':');
    bool equals = ddl_take_char(ps, '=');
    if (user && equals)
        return keep(set, name, e);
    bool is_charset = is_charset_name(name);
    if (!is_charset && strcmp(name, "sql_mode") != 0)
        return 0;
    if (strcmp(name, "character") == 0)
        (void)ddl_take(ps, "SET");
    uint64_t value;
    if (!take_value(set, is_charset, &value))
        return script_fail(script, "this SET cannot be followed", e);
    if (is_charset)
        script->mode.charset = (enum charset)value;
    else
        script->mode.sql_mode = value;
    return 0;
}

static int follow_set(struct setter *set, struct err *e)
{
    do {
        int rc = take_assignment(set, e);
        if (rc != 0)
            return rc;
        skip_value(set);
    } while (ddl_take_char(&set->ps, ','));
    return 0;
}

static int follow_use(struct setter *set, struct err *e)
{
    struct ddl_script *script = set->script;
    struct arena arena;
    size_t len = 0;
    arena_init(&arena, 1024, 0, 0);
    const char *name = ddl_token_text(&set->ps.tok, &script->mode, &arena, &len);
    int rc = 0;
    if (!name)
        rc = err_set(e, NO_MEMORY, set->ps.tok.len);
    else if (len == 0 || len > SCRIPT_NAME_MAX || set->ps.tok.kind == DDL_BAD)
        rc = script_fail(script, "USE names no database", e);
    else {
        memcpy(script->db, name, len + 1);
        script->db_len = len;
    }
    arena_release(&arena);
    return rc;
}

int script_follow(struct ddl_script *script, const struct ddl_statement *stmt, struct err *e)
{
    struct setter set = {.script = script, .ps = {.stmt = stmt, .e = e}};
    ddl_lexer_init(&set.ps.lx, &stmt->mode, stmt->sql, stmt->len);
    ddl_next(&set.ps);
    if (ddl_take(&set.ps, "USE"))
        return follow_use(&set, e);
    return ddl_take(&set.ps, "SET") ? follow_set(&set, e) : 0;
}
