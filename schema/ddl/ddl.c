/* The first word of a statement, transactions, and what asks about a whole statement. */
#include "schema/ddl/ddl.h"

#include <string.h>

#include "base/ascii.h"
#include "schema/ddl/parser.h"

/* A savepoint's name. */
static void add_savepoint(struct ddl_parser *ps, enum ddl_kind kind)
{
    size_t len = 0;
    char *name = NULL;
    if (ps->tok.kind == DDL_WORD || ps->tok.kind == DDL_QUOTED) {
        name = ddl_token_text(&ps->tok, &ps->lx.mode, ps->arena, &len);
        if (!name && ps->rc == 0)
            ps->rc = err_set(ps->e, NO_MEMORY, ps->tok.len);
        ddl_next(ps);
    }
    struct ddl_action *action = ddl_add(ps, name ? kind : DDL_UNKNOWN);
    if (action) {
        action->name = name;
        action->name_len = len;
    }
}

static void parse_begin(struct ddl_parser *ps)
{
    ddl_take(ps, "WORK");
    ddl_add(ps, ddl_token_is(&ps->tok, "NOT") ? DDL_UNKNOWN : DDL_BEGIN);
    if (ddl_take(ps, "NOT"))
        ddl_take_rest(ps);
}

static void parse_start(struct ddl_parser *ps)
{
    static const char *const others[] = {"SLAVE", "REPLICA", "GROUP_REPLICATION", "ALL", NULL};
    if (ddl_take(ps, "TRANSACTION")) {
        ddl_take_rest(ps);
        ddl_add(ps, DDL_BEGIN);
    } else if (ddl_take_any(ps, others) >= 0)
        ddl_add_harmless(ps);
    else
        ddl_add(ps, DDL_UNKNOWN);
}

static void parse_commit(struct ddl_parser *ps)
{
    ddl_take_rest(ps);
    ddl_add(ps, DDL_COMMIT);
}

static void parse_rollback(struct ddl_parser *ps)
{
    ddl_take(ps, "WORK");
    if (ddl_take(ps, "TO")) {
        ddl_take(ps, "SAVEPOINT");
        add_savepoint(ps, DDL_ROLLBACK_TO);
        return;
    }
    ddl_take_rest(ps);
    ddl_add(ps, DDL_ROLLBACK);
}

static void parse_savepoint(struct ddl_parser *ps)
{
    add_savepoint(ps, DDL_SAVEPOINT);
}

static void parse_release(struct ddl_parser *ps)
{
    if (ddl_take(ps, "SAVEPOINT"))
        add_savepoint(ps, DDL_RELEASE);
    else
        ddl_add(ps, DDL_UNKNOWN);
}

/* The XID as it is written, to the end or to a word behind it (ONE PHASE, SUSPEND, …). */
static void parse_xa(struct ddl_parser *ps)
{
    static const char *const words[] = {"START", "BEGIN", "END", "PREPARE", "COMMIT", "ROLLBACK", NULL};
    static const enum ddl_kind kinds[] = {DDL_XA_START,   DDL_XA_START,  DDL_XA_END,
                                          DDL_XA_PREPARE, DDL_XA_COMMIT, DDL_XA_ROLLBACK};
    int word = ddl_take_any(ps, words);
    if (word < 0) {
        ddl_add(ps, ddl_take(ps, "RECOVER") ? DDL_NONE : DDL_UNKNOWN);
        ddl_take_rest(ps);
        return;
    }
    const char *from = ps->tok.p - (ps->tok.quote ? 1 : 0), *end = from;
    while (ps->tok.kind == DDL_STRING || ps->tok.kind == DDL_QUOTED || ddl_token_is_char(&ps->tok, ',') ||
           (ps->tok.kind == DDL_WORD && !ddl_token_is(&ps->tok, "ONE") && !ddl_token_is(&ps->tok, "SUSPEND") &&
            !ddl_token_is(&ps->tok, "JOIN") && !ddl_token_is(&ps->tok, "RESUME"))) {
        end = ps->tok.p + ps->tok.len + (ps->tok.quote ? 1 : 0);
        ddl_next(ps);
    }
    ddl_take_rest(ps);
    struct ddl_action *action = ddl_add(ps, end > from ? kinds[word] : DDL_UNKNOWN);
    if (!action)
        return;
    action->name = arena_copy(ps->arena, from, (size_t)(end - from));
    action->name_len = (size_t)(end - from);
    if (!action->name)
        ps->rc = err_set(ps->e, NO_MEMORY, (size_t)(end - from));
}

static void parse_dml(struct ddl_parser *ps)
{
    ps->tok = (struct ddl_token){.kind = DDL_END}; /* as long as the packet: not read */
    ddl_add(ps, DDL_DML);
}

static void parse_load(struct ddl_parser *ps)
{
    if (ddl_take(ps, "INDEX"))
        ddl_add_harmless(ps);
    else
        parse_dml(ps);
}

/* ANALYZE TABLE; MariaDB's ANALYZE of a statement runs it. */
static void parse_analyze(struct ddl_parser *ps)
{
    if (!ddl_take(ps, "NO_WRITE_TO_BINLOG"))
        ddl_take(ps, "LOCAL");
    if (ddl_take(ps, "TABLE") || ddl_take(ps, "TABLES"))
        ddl_add_harmless(ps);
    else
        parse_dml(ps);
}

static void parse_statement(struct ddl_parser *ps);

/* Behind SET: harmless in the forms that it has. */
static void parse_set_value(struct ddl_parser *ps)
{
    static const char *const words[] = {"PASSWORD",     "ROLE",        "DEFAULT",  "NAMES",   "CHARACTER",
                                        "CHARSET",      "TRANSACTION", "GLOBAL",   "SESSION", "PERSIST",
                                        "PERSIST_ONLY", "LOCAL",       "RESOURCE", NULL};
    bool known = ddl_take_char(ps, '@') || ddl_take_any(ps, words) >= 0;
    if (!known && (ps->tok.kind == DDL_WORD || ps->tok.kind == DDL_QUOTED)) {
        ddl_next(ps);
        known = ddl_take_char(ps, '=') || ddl_take_char(ps, ':') || ddl_take_char(ps, '.');
    }
    if (known)
        ddl_add_harmless(ps);
    else
        ddl_add(ps, DDL_UNKNOWN);
}

/* MariaDB's SET STATEMENT … FOR runs another statement. Those do not nest in one another. */
static void parse_set(struct ddl_parser *ps)
{
    if (ps->lx.mode.flavor != FLAVOR_MARIADB || !ddl_take(ps, "STATEMENT"))
        parse_set_value(ps);
    else if (ddl_skip_to_keyword(ps, "FOR") && ddl_take(ps, "FOR") && ps->tok.kind != DDL_END &&
             !ddl_token_is(&ps->tok, "SET")) {
        ps->begin = (size_t)(ps->tok.p - ps->stmt->sql);
        parse_statement(ps);
    } else
        ddl_add(ps, DDL_UNKNOWN);
}

static const struct {
    const char *word;
    void (*parse)(struct ddl_parser *ps);
} statements[] = {
    {"BEGIN", parse_begin},
    {"COMMIT", parse_commit},
    {"ROLLBACK", parse_rollback},
    {"SAVEPOINT", parse_savepoint},
    {"RELEASE", parse_release},
    {"START", parse_start},
    {"XA", parse_xa},
    {"CREATE", ddl_parse_create},
    {"ALTER", ddl_parse_alter},
    {"DROP", ddl_parse_drop},
    {"TRUNCATE", ddl_parse_truncate},
    {"RENAME", ddl_parse_rename},
    {"INSERT", parse_dml},
    {"REPLACE", parse_dml},
    {"UPDATE", parse_dml},
    {"DELETE", parse_dml},
    {"LOAD", parse_load},
    {"CALL", parse_dml},
    {"DO", parse_dml},
    {"SELECT", parse_dml},
    {"WITH", parse_dml},
    {"VALUES", parse_dml},
    {"BINLOG", parse_dml},
    {"SET", parse_set},
    {"ANALYZE", parse_analyze},
    {"GRANT", ddl_add_harmless},
    {"REVOKE", ddl_add_harmless},
    {"FLUSH", ddl_add_harmless},
    {"OPTIMIZE", ddl_add_harmless},
    {"REPAIR", ddl_add_harmless},
    {"CHECK", ddl_add_harmless},
    {"CHECKSUM", ddl_add_harmless},
    {"USE", ddl_add_harmless},
    {"SHOW", ddl_add_harmless},
    {"EXPLAIN", ddl_add_harmless},
    {"DESCRIBE", ddl_add_harmless},
    {"DESC", ddl_add_harmless},
    {"LOCK", ddl_add_harmless},
    {"UNLOCK", ddl_add_harmless},
    {"KILL", ddl_add_harmless},
    {"RESET", ddl_add_harmless},
    {"PURGE", ddl_add_harmless},
    {"STOP", ddl_add_harmless},
    {"CHANGE", ddl_add_harmless},
    {"CACHE", ddl_add_harmless},
    {"INSTALL", ddl_add_harmless},
    {"UNINSTALL", ddl_add_harmless},
    {"BACKUP", ddl_add_harmless},
};

static void parse_statement(struct ddl_parser *ps)
{
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++)
        if (ddl_take(ps, statements[i].word)) {
            statements[i].parse(ps);
            return;
        }
    if (ddl_token_is_char(&ps->tok, '(')) /* (SELECT …) UNION … */
        parse_dml(ps);
    else
        ddl_add(ps, ps->tok.kind == DDL_END ? DDL_NONE : DDL_UNKNOWN);
}

int ddl_classify(struct ddl *out, const struct ddl_statement *stmt, struct arena *arena, struct err *e)
{
    struct ddl_parser ps = {.stmt = stmt, .arena = arena, .e = e};
    ddl_lexer_init(&ps.lx, &stmt->mode, stmt->sql, stmt->len);
    ddl_next(&ps);
    parse_statement(&ps);
    while (ddl_take_char(&ps, ';'))
        ;
    if (ps.tok.kind != DDL_END && (ps.count == 0 || ps.actions[ps.count - 1].kind != DDL_UNKNOWN))
        ddl_add(&ps, DDL_UNKNOWN);
    if (ps.rc)
        return ps.rc;
    *out = (struct ddl){ps.actions, ps.count, ps.begin};
    return 0;
}

/* Whether the name stands at `p`, doubled quotes read as one. */
static bool same_name(const struct ddl_token *tok, const char *name, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < tok->len; i++, n++) {
        if (n == len || ascii_lower(tok->p[i]) != ascii_lower(name[n]))
            return false;
        if (tok->kind == DDL_QUOTED && tok->p[i] == tok->quote)
            i++;
    }
    return n == len;
}

static bool occurs_in(const char *p, const char *end, const char *name, size_t len)
{
    for (; len && (size_t)(end - p) >= len; p++)
        if (ascii_same(p, name, len))
            return true;
    return false;
}

bool ddl_mentions(const struct ddl_statement *stmt, const char *name, size_t len)
{
    struct ddl_lexer lx;
    ddl_lexer_init(&lx, &stmt->mode, stmt->sql, stmt->len);
    for (;;) {
        const char *from = lx.p;
        struct ddl_token tok = ddl_lexer_next(&lx);
        if (tok.kind == DDL_END)
            return false;
        if (tok.kind == DDL_BAD)
            return occurs_in(from, lx.end, name, len);
        if ((tok.kind == DDL_WORD || tok.kind == DDL_QUOTED) && same_name(&tok, name, len))
            return true;
    }
}

/* Longest name of a table, in bytes of ASCII: the tools shorten longer ones. */
#define NAME_CHARS_MAX 64

/* Whether `base` is the table's name, perhaps with gh-ost's time stamp (_yyyymmddhhmmss) behind it, or the beginning of
 * it when `whole` bytes are as long as a name may be. */
static bool is_base(const char *base, size_t len, const struct ddl_name *table, size_t whole)
{
    if (len < table->table_len)
        return len && whole >= NAME_CHARS_MAX - 1 && memcmp(base, table->table, len) == 0;
    if (memcmp(base, table->table, table->table_len) != 0)
        return false;
    if (len == table->table_len)
        return true;
    if (len != table->table_len + 15 || base[table->table_len] != '_')
        return false;
    for (size_t i = table->table_len + 1; i < len; i++)
        if (base[i] < '0' || base[i] > '9')
            return false;
    return true;
}

/* `_name<suffix>` with one underscore or, as pt-online-schema-change when a name is taken, more before it. */
static bool is_shadow(const struct ddl_name *shadow, const struct ddl_name *table, const char *suffix)
{
    size_t len = shadow->table_len, tail = strlen(suffix);
    if (len < tail || memcmp(shadow->table + len - tail, suffix, tail) != 0)
        return false;
    for (size_t skip = 1; skip + tail < len && shadow->table[skip - 1] == '_'; skip++)
        if (is_base(shadow->table + skip, len - tail - skip, table, len))
            return true;
    return false;
}

static bool same_table(const struct ddl_name *a, const struct ddl_name *b)
{
    return a->db_len == b->db_len && memcmp(a->db, b->db, a->db_len) == 0 && a->table_len == b->table_len &&
           memcmp(a->table, b->table, a->table_len) == 0;
}

static bool same_db(const struct ddl_name *a, const struct ddl_name *b)
{
    return a->db_len == b->db_len && memcmp(a->db, b->db, a->db_len) == 0;
}

bool ddl_is_swap(const struct ddl *ddl, struct ddl_name *table, struct ddl_name *ghost)
{
    if (ddl->count != 2 || ddl->actions[0].kind != DDL_RENAME || ddl->actions[1].kind != DDL_RENAME)
        return false;
    const struct ddl_action *away = &ddl->actions[0], *in = &ddl->actions[1];
    if (!same_table(&away->table, &in->to) || !same_db(&away->table, &away->to) || !same_db(&in->table, &in->to))
        return false;
    bool gh_ost = is_shadow(&away->to, &away->table, "_del") && is_shadow(&in->table, &in->to, "_gho");
    bool pt_osc = is_shadow(&away->to, &away->table, "_old") && is_shadow(&in->table, &in->to, "_new");
    if (!gh_ost && !pt_osc)
        return false;
    *table = in->to;
    *ghost = in->table;
    return true;
}

const char *ddl_kind_name(enum ddl_kind kind)
{
    static const char *const names[] = {
        [DDL_NONE] = "none",
        [DDL_CREATE] = "create",
        [DDL_ALTER] = "alter",
        [DDL_RENAME] = "rename",
        [DDL_DROP] = "drop",
        [DDL_TRUNCATE] = "truncate",
        [DDL_DISCARD] = "discard",
        [DDL_DATABASE_DROP] = "drop database",
        [DDL_DATABASE_CREATE] = "create database",
        [DDL_DATABASE_ALTER] = "alter database",
        [DDL_DML] = "statement",
        [DDL_BEGIN] = "begin",
        [DDL_COMMIT] = "commit",
        [DDL_ROLLBACK] = "rollback",
        [DDL_SAVEPOINT] = "savepoint",
        [DDL_ROLLBACK_TO] = "rollback to",
        [DDL_RELEASE] = "release",
        [DDL_XA_START] = "xa start",
        [DDL_XA_END] = "xa end",
        [DDL_XA_PREPARE] = "xa prepare",
        [DDL_XA_COMMIT] = "xa commit",
        [DDL_XA_ROLLBACK] = "xa rollback",
        [DDL_UNKNOWN] = "unknown",
    };
    return names[kind];
}

bool ddl_is_printed(const char *sql, size_t len)
{
    static const char columns[] = "` (\n  `", quoted[] = "\" (\n  \"";
    return len > 6 && memcmp(sql, "CREATE", 6) == 0 &&
           (memmem(sql, len, columns, sizeof columns - 1) || memmem(sql, len, quoted, sizeof quoted - 1));
}
