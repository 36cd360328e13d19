/* What each kind of statement makes of the tables that it names. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "schema/alter_table.h"
#include "schema/follow_impl.h"
#include "value/charset.h"

#define DEFAULTS_MAX 256
#define NOTE_MAX     500
#define ALTERED      " *" /* ends the defaults of a database that was there before the log */
#define NAME_BYTES   "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"

/* Since then CREATE TABLE IF NOT EXISTS is not in the log when it did nothing. */
#define MARIADB_LOGS_NO_NOOPS 100000

/* A statement about the table that our grammar does not have: it may have done anything. What nobody wants is told
 * once for each statement. */
static int cannot_read(struct following *f, struct follow_table *tbl, const struct err *why)
{
    if (why->code != ERR_TABLE_DEFINITION)
        return err_set_format(f->e, why->code, "%s", why->text);
    if (tbl->wanted)
        return err_set(f->e, DDL_UNKNOWN, tbl->db, tbl->name, why->text);
    char note[NOTE_MAX];
    int len = snprintf(note, sizeof note,
                       "a statement about the table %.128s.%.128s, which nobody wants, is not followed: %.200s",
                       tbl->db, tbl->name, why->text);
    f->note = arena_copy(f->arena, note, (size_t)len);
    if (!f->note)
        return err_set(f->e, NO_MEMORY, (size_t)len);
    return follow_lose(f, tbl, "it was changed by a statement that cannot be read");
}

static bool is_server_default(const char *text)
{
    return strcmp(text, "DEFAULT") == 0;
}

/* The character set that a collation belongs to: its name up to the first underscore. Empty for those of MariaDB that
 * belong to several. */
static size_t charset_len_of(const char *collation)
{
    return strncmp(collation, "uca1400_", 8) == 0 ? 0 : strcspn(collation, "_");
}

/* Collations that a statement names by number; "" where none was sent. */
static const char *collation_text(uint16_t collation, char out[CHARSET_COLLATION_MAX])
{
    if (collation == 0 || charset_print_collation(collation, out) == 0)
        out[0] = '\0';
    return out;
}

static struct create_text as_text(const char *p, size_t len)
{
    return (struct create_text){p, len};
}

/* The defaults of the table's database before the statement, and what the session says. */
static int make_context(struct following *f, const struct follow_table *tbl, struct create_context *ctx)
{
    struct history_database defaults;
    char name[CHARSET_COLLATION_MAX];
    *ctx = (struct create_context){.explicit_timestamps = f->st->explicit_timestamps};
    if (history_database(f->history, tbl->db, &f->before, &defaults)) {
        char *charset = arena_copy(f->arena, defaults.charset, defaults.charset_len);
        char *collation = arena_copy(f->arena, defaults.collation, defaults.collation_len);
        if (!charset || !collation)
            return err_set(f->e, NO_MEMORY, defaults.charset_len);
        ctx->charset = as_text(charset, defaults.charset_len);
        if (defaults.collation_len)
            ctx->collation = as_text(collation, defaults.collation_len);
    }
    const char *utf8mb4 = collation_text(f->st->utf8mb4_collation, name);
    if (utf8mb4[0] == '\0')
        return 0;
    char *copy = arena_copy(f->arena, utf8mb4, strlen(utf8mb4));
    if (!copy)
        return err_set(f->e, NO_MEMORY, strlen(utf8mb4));
    ctx->utf8mb4_collation = as_text(copy, strlen(utf8mb4));
    return 0;
}

/* A copy of a model's definition, as LIKE and CONVERT PARTITION make one. */
static int copy_model(struct following *f, struct follow_table *tbl, const struct ddl_name *name, bool like)
{
    struct follow_table *model;
    int rc = follow_table(f, name->db, name->table, true, &model);
    if (rc == 0 && model)
        rc = follow_parse(f, model);
    if (rc != 0)
        return rc;
    if (!model || model->state != FOLLOW_DEFINED)
        return tbl->wanted ? follow_lose(f, tbl, "it was made like a table whose definition is not known,") : 0;
    struct create_table *def = (struct create_table *)arena_alloc(f->arena, sizeof *def);
    if (!def)
        return err_set(f->e, NO_MEMORY, sizeof *def);
    *def = *model->def;
    def->foreign = NULL;
    def->foreign_count = 0;
    def->partitioned &= like;
    follow_define(tbl, def);
    return 0;
}

/* What a sequence of MariaDB is as a table, when its numbers are of the usual type. */
static int make_sequence(struct following *f, struct follow_table *tbl)
{
    static const char sql[] =
        "CREATE TABLE `s` (`next_not_cached_value` bigint(21) NOT NULL,`minimum_value` bigint(21) NOT NULL,"
        "`maximum_value` bigint(21) NOT NULL,`start_value` bigint(21) NOT NULL,`increment` bigint(21) NOT NULL,"
        "`cache_size` bigint(21) unsigned NOT NULL,`cycle_option` tinyint(1) unsigned NOT NULL,"
        "`cycle_count` bigint(21) NOT NULL)";
    struct ddl_lexer lx;
    ddl_lexer_init(&lx, &f->stmt.mode, f->stmt.sql, f->stmt.len);
    for (struct ddl_token tok = ddl_lexer_next(&lx); tok.kind != DDL_END && tok.kind != DDL_BAD;
         tok = ddl_lexer_next(&lx))
        if (ddl_token_is(&tok, "AS"))
            return follow_lose(f, tbl, "it is a sequence of another type than BIGINT, made");
    struct create_table *def = (struct create_table *)arena_alloc(f->arena, sizeof *def);
    if (!def)
        return err_set(f->e, NO_MEMORY, sizeof *def);
    const struct ddl_statement stmt = {.sql = sql, .len = sizeof sql - 1, .db = tbl->db, .db_len = strlen(tbl->db)};
    int rc = create_table_parse(def, &stmt, NULL, f->arena, f->e);
    if (rc == 0)
        follow_define(tbl, def);
    return rc;
}

static bool holds(const struct following *f, const char *text)
{
    return memmem(f->stmt.sql, f->stmt.len, text, strlen(text)) != NULL;
}

/* A text that only MySQL writes: of CREATE ... SELECT, behind which no other statement of a client would be taken; and
 * with the invisible primary key that it adds, but for SHOW CREATE TABLE, which tells engine and character set as well.
 */
static bool is_written_by_mysql(const struct following *f)
{
#define GENERATED_KEY " bigint unsigned NOT NULL AUTO_INCREMENT /*!80023 INVISIBLE */,\n"
    if (f->stmt.mode.flavor != FLAVOR_MYSQL || !ddl_is_printed(f->stmt.sql, f->stmt.len))
        return false;
    bool keyed = holds(f, " (\n  `my_row_id`" GENERATED_KEY) || holds(f, " (\n  \"my_row_id\"" GENERATED_KEY);
    return holds(f, "\n) START TRANSACTION") || (keyed && !(holds(f, "\n) ENGINE=") && holds(f, " DEFAULT CHARSET=")));
}

/* In a session without escapes a text of this form may be a client's, which has none, or the server's, which has. */
static bool may_have_escapes(const struct following *f)
{
    return f->stmt.mode.sql_mode & DDL_NO_BACKSLASH_ESCAPES && ddl_is_printed(f->stmt.sql, f->stmt.len) &&
           memchr(f->stmt.sql, '\\', f->stmt.len);
}

/* Whether the statement means the same table when its strings have escapes. */
static int same_with_escapes(struct following *f, const struct create_table *def, const struct create_context *ctx,
                             bool *same)
{
    struct ddl_statement stmt = f->stmt;
    struct err why = ERR_INIT;
    struct create_table *other = (struct create_table *)arena_alloc(f->arena, sizeof *other);
    if (!other)
        return err_set(f->e, NO_MEMORY, sizeof *other);
    stmt.mode.sql_mode &= ~(uint64_t)DDL_NO_BACKSLASH_ESCAPES;
    *same = create_table_parse(other, &stmt, ctx, f->arena, &why) == 0 && create_table_equal(def, other);
    return 0;
}

static int parse_create(struct following *f, struct follow_table *tbl)
{
    struct create_context ctx;
    struct err why = ERR_INIT;
    bool same = true;
    struct create_table *def = (struct create_table *)arena_alloc(f->arena, sizeof *def);
    if (!def)
        return err_set(f->e, NO_MEMORY, sizeof *def);
    int rc = make_context(f, tbl, &ctx);
    if (rc != 0)
        return rc;
    if (is_written_by_mysql(f)) /* it escapes whatever the session says */
        f->stmt.mode.sql_mode &= ~(uint64_t)DDL_NO_BACKSLASH_ESCAPES;
    bool read = create_table_parse(def, &f->stmt, &ctx, f->arena, &why) == 0;
    if (read && may_have_escapes(f))
        rc = same_with_escapes(f, def, &ctx, &same);
    if (rc != 0)
        return rc;
    if (!same || (!read && may_have_escapes(f)))
        return follow_lose(f, tbl, "it was made with backslashes under NO_BACKSLASH_ESCAPES by a server or a client");
    if (!read)
        return cannot_read(f, tbl, &why);
    follow_define(tbl, def);
    return 0;
}

/* Whether the database was made, or was gone, in the part of the log that was followed: then it has no table that the
 * history never heard of. */
static bool is_made_in_the_log(struct following *f, const char *db)
{
    const struct history_version *now = history_find(f->history, db, "", &f->before), *version;
    size_t n = 0;
    if (history_floor(f->history, &f->before))
        return false;
    while ((version = history_named_version(f->history, db, "", n)) && version != now)
        n++;
    for (; version && version->kind != HISTORY_UNKNOWN && version->origin == HISTORY_LOG; n--) {
        if (version->kind == HISTORY_GONE || n == 0)
            return version->kind == HISTORY_GONE || version->text[version->len - 1] != ALTERED[1];
        version = history_named_version(f->history, db, "", n - 1);
    }
    return false;
}

/* IF NOT EXISTS: 1 when the statement made the table, 0 when it was there; a wanted one of which neither is certain is
 * not known. */
static int made_it(struct following *f, const struct ddl_action *action, struct follow_table *tbl)
{
    if (!action->if_exists || tbl->state == FOLLOW_GONE)
        return 1;
    if (tbl->state == FOLLOW_DEFINED)
        return 0;
    const struct ddl_mode *mode = &f->stmt.mode;
    if (f->st->ddl_xid || (mode->flavor == FLAVOR_MARIADB && mode->server_version >= MARIADB_LOGS_NO_NOOPS))
        return 1;
    if (tbl->state == FOLLOW_NOTHING && is_made_in_the_log(f, tbl->db))
        return 1;
    return tbl->wanted ? follow_lose(f, tbl, "CREATE TABLE IF NOT EXISTS may have met an older table of that name") : 0;
}

static int act_create(struct following *f, const struct ddl_action *action)
{
    struct follow_table *tbl;
    int rc = follow_table(f, action->table.db, action->table.table, false, &tbl);
    if (rc != 0 || !tbl || tbl->covered)
        return rc;
    rc = made_it(f, action, tbl);
    if (rc <= 0)
        return rc;
    tbl->created = true;
    bool converted = f->st->ddl->actions[0].kind != DDL_CREATE && f->st->ddl->actions[0].kind != DDL_DROP;
    if (action->to.table_len)
        return copy_model(f, tbl, &action->to, !converted);
    if (action->sequence)
        return make_sequence(f, tbl);
    if (action->selects)
        return follow_lose(f, tbl, "it was made by CREATE ... SELECT without its columns");
    return parse_create(f, tbl);
}

static int act_alter(struct following *f, const struct ddl_action *action)
{
    struct follow_table *tbl;
    struct create_context ctx;
    struct err why = ERR_INIT;
    int rc = follow_table(f, action->table.db, action->table.table, false, &tbl);
    if (rc != 0 || !tbl || tbl->covered || action->sequence)
        return rc;
    if (tbl->timeless || (tbl->state == FOLLOW_GONE && action->if_exists))
        return 0;
    rc = follow_parse(f, tbl);
    if (rc == 0 && tbl->state != FOLLOW_DEFINED)
        return tbl->wanted ? follow_lose(f, tbl, "it was changed, and what it was before is not known,") : 0;
    struct create_table *def = (struct create_table *)arena_alloc(f->arena, sizeof *def);
    if (!def)
        return err_set(f->e, NO_MEMORY, sizeof *def);
    if (rc == 0)
        rc = make_context(f, tbl, &ctx);
    if (rc != 0)
        return rc;
    if (alter_table_apply(def, tbl->def, &f->stmt, &ctx, f->arena, &why) != 0)
        return cannot_read(f, tbl, &why);
    follow_define(tbl, def);
    return 0;
}

static int act_rename(struct following *f, const struct ddl_action *action)
{
    struct follow_table *from, *to;
    int rc = follow_table(f, action->table.db, action->table.table, false, &from);
    if (rc == 0)
        rc = follow_table(f, action->to.db, action->to.table, from != NULL, &to);
    if (rc == 0 && to && !from)
        rc = follow_table(f, action->table.db, action->table.table, true, &from);
    if (rc != 0 || !from || !to || from->timeless || to->timeless || (from->state == FOLLOW_GONE && action->if_exists))
        return rc;
    if (from == to) /* in another case, which means nothing there */
        return 0;
    if (!from->covered || !to->covered)
        rc = follow_parse(f, from);
    if (rc != 0)
        return rc;
    if (from->state == FOLLOW_DEFINED && from->def)
        follow_define(to, from->def);
    else if (to->wanted || to->state != FOLLOW_NOTHING)
        rc = follow_lose(f, to, "a table whose definition is not known got its name");
    to->created = true;
    follow_drop(from);
    return rc;
}

static int act_drop(struct following *f, const struct ddl_action *action)
{
    struct follow_table *tbl;
    int rc = follow_table(f, action->table.db, action->table.table, false, &tbl);
    if (rc == 0 && tbl && !tbl->covered)
        follow_drop(tbl);
    return rc;
}

/* What the statement makes of the database's defaults; DEFINED: `text` is copied. */
static int set_database(struct following *f, const struct ddl_action *action, const char *name, enum history_kind kind,
                        const char *text)
{
    struct follow_database *db = (struct follow_database *)arena_alloc(f->arena, sizeof *db);
    const char *copy = kind == HISTORY_DEFINED ? arena_copy(f->arena, text, strlen(text)) : text;
    char *own = arena_copy(f->arena, name, strlen(name));
    if (!db || !own || (!copy && text))
        return err_set(f->e, NO_MEMORY, sizeof *db);
    for (struct follow_database **at = &f->databases; *at; at = &(*at)->next)
        if (strcmp((*at)->db, own) == 0) { /* OR REPLACE: the last word counts */
            *at = (*at)->next;
            break;
        }
    *db = (struct follow_database){
        .db = own, .kind = kind, .text = copy, .created = action->kind == DDL_DATABASE_CREATE, .next = f->databases};
    f->databases = db;
    return 0;
}

/* Whether the defaults of such a database are known there in another case only, which may be another database. What
 * came later does not count: reading again gives the same. */
static bool is_in_another_case(const struct following *f, const char *db)
{
    struct history_table known;
    return history_case(f->history) == HISTORY_CASE_UNKNOWN && history_named(f->history, db, "", &known) &&
           strcmp(known.db, db) != 0 && history_find(f->history, known.db, "", &f->before);
}

/* A table of a database of that name, written in the same case or not. While the server's rule is not known, another
 * case may be another database. */
static int drop_in_database(struct following *f, const struct ddl_action *action, const struct history_table *known)
{
    static const char reason[] = "a database of that name in another case was dropped";
    bool same = strcmp(known->db, action->table.db) == 0 || history_case(f->history) > 0;
    struct follow_table *tbl;
    if (known->table[0] == '\0')
        return same ? 0 : set_database(f, action, known->db, HISTORY_UNKNOWN, reason);
    int rc = follow_table(f, known->db, known->table, true, &tbl);
    if (rc != 0 || !tbl || tbl->covered || tbl->state == FOLLOW_NOTHING)
        return rc;
    if (same)
        follow_drop(tbl);
    return same || tbl->state != FOLLOW_DEFINED ? 0 : follow_lose(f, tbl, reason);
}

static int act_database_drop(struct following *f, const struct ddl_action *action)
{
    const struct history_entry *at = NULL;
    struct history_table known;
    while (history_next_in(f->history, action->table.db, &at, &known)) {
        if (history_case(f->history) == 0 && strcmp(known.db, action->table.db) != 0)
            continue;
        int rc = drop_in_database(f, action, &known);
        if (rc != 0)
            return rc;
    }
    if (is_in_another_case(f, action->table.db) || !follow_wants_database(f, action->table.db))
        return 0;
    return set_database(f, action, action->table.db, HISTORY_GONE, NULL);
}

/* "CHARSET COLLATION" of a database that is made or altered; `collation` without a set of its own has that of `base`.
 * False when it cannot be told. */
static bool print_defaults(const struct following *f, const struct ddl_action *action, const char *base, char *out)
{
    char server[CHARSET_COLLATION_MAX], utf8mb4[CHARSET_COLLATION_MAX];
    const char *charset = action->charset, *collation = action->collation;
    collation_text(f->st->server_collation, server);
    if (!charset && !collation)
        charset = "DEFAULT";
    if (collation && is_server_default(collation))
        collation = charset ? NULL : server;
    if (charset && is_server_default(charset)) {
        charset = NULL;
        collation = collation ? collation : server;
    }
    if (charset && !collation && strcasecmp(charset, "utf8mb4") == 0)
        collation = collation_text(f->st->utf8mb4_collation, utf8mb4);
    size_t len = charset ? strlen(charset) : charset_len_of(collation);
    if (!charset && len == 0) {
        charset = base;
        len = strcspn(base, " ");
    } else if (!charset)
        charset = collation;
    if (len == 0)
        return false;
    int size = snprintf(out, DEFAULTS_MAX, "%.*s %s", (int)len, charset, collation ? collation : "");
    return size > 0 && size < DEFAULTS_MAX && strspn(out, NAME_BYTES " ") == (size_t)size;
}

static int act_database(struct following *f, const struct ddl_action *action)
{
    struct history_database known;
    char base[DEFAULTS_MAX], defaults[DEFAULTS_MAX];
    bool alters = action->kind == DDL_DATABASE_ALTER;
    bool is_known = history_database(f->history, action->table.db, &f->before, &known);
    const struct history_version *version = history_find(f->history, action->table.db, "", &f->before);
    bool made = f->st->ddl_xid || (version && version->kind == HISTORY_GONE);
    if (!follow_wants_database(f, action->table.db) || (alters && !action->charset && !action->collation))
        return 0;
    if ((alters || action->if_exists) && is_in_another_case(f, action->table.db))
        return set_database(f, action, action->table.db, HISTORY_UNKNOWN, "it may be a database in another case");
    if (action->if_exists && (is_known || !made))
        return 0;
    if (alters && is_known)
        snprintf(base, sizeof base, "%.*s", (int)known.charset_len, known.charset);
    else
        base[strcspn(collation_text(f->st->server_collation, base), "_")] = '\0';
    if (!print_defaults(f, action, base, defaults))
        return 0;
    if (alters && !version) {
        size_t len = strlen(defaults);
        if (len + sizeof ALTERED > sizeof defaults)
            return 0;
        memcpy(&defaults[len], ALTERED, sizeof ALTERED);
    }
    return set_database(f, action, action->table.db, HISTORY_DEFINED, defaults);
}

int follow_action(struct following *f, const struct ddl_action *action)
{
    switch (action->kind) {
    case DDL_CREATE:
        return act_create(f, action);
    case DDL_ALTER:
        return act_alter(f, action);
    case DDL_RENAME:
        return act_rename(f, action);
    case DDL_DROP:
        return act_drop(f, action);
    case DDL_DATABASE_DROP:
        return act_database_drop(f, action);
    case DDL_DATABASE_CREATE:
    case DDL_DATABASE_ALTER:
        return act_database(f, action);
    default:
        return 0;
    }
}
