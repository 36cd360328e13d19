/* Options of the table, of which only the character set, the versioning and the partitions matter here. */
#include <string.h>

#include "schema/alter_impl.h"

/* Behind CONVERT. On MySQL it is the table's as well, until a later clause says otherwise; on MariaDB only where no
 * clause does. */
static bool take_convert(struct alter *al)
{
    const struct create_text none = {NULL, 0};
    struct create_text charset = none, collation = none;
    bool known;
    if (!ddl_take(&al->cp.ps, "TO"))
        return create_fail(&al->cp, "TO is expected behind CONVERT");
    if (!create_take_charset_option(&al->cp, &charset, &collation, &known))
        return create_fail(&al->cp, "a character set is expected behind CONVERT TO");
    if (ddl_token_is(&al->cp.ps.tok, "COLLATE") && !create_take_charset_option(&al->cp, &charset, &collation, &known))
        return false;
    al->collated |= collation.p != NULL;
    al->convert = true;
    al->convert_charset = charset;
    al->convert_collation = collation;
    if (al->cp.ps.lx.mode.flavor != FLAVOR_MARIADB) {
        al->charset = charset;
        al->collation = collation;
        al->defaults = true;
    }
    return true;
}

/* Whether the default that the server takes is that of the table's database: MySQL takes the session's. */
static bool is_at_home(const struct alter *al)
{
    const struct ddl_statement *stmt = al->cp.ps.stmt;
    const struct ddl_name *table = &al->before->name;
    if (stmt->mode.flavor != FLAVOR_MYSQL)
        return true;
    return stmt->db && stmt->db_len == table->db_len && memcmp(stmt->db, table->db, table->db_len) == 0;
}

/* DEFAULT is the database's; a collation alone stands beside the table's character set. */
static bool resolve(struct alter *al, struct create_text *charset, struct create_text *collation)
{
    static const struct create_text word = {"default", 7};
    if (charset->p && create_same_name(charset, &word))
        return is_at_home(al) ? create_resolve_table(&al->cp, charset, collation)
                              : create_fail(&al->cp, "CHARACTER SET DEFAULT in a session of another database");
    return create_resolve_charset(&al->cp, charset, collation, &al->before->charset);
}

const struct create_text alter_compiled_collation = {"utf8mb4_0900_ai_ci", 18};

/* MySQL forgets default_collation_for_utf8mb4 beside any COLLATE where CONVERT TO names no collation itself, and in
 * texts that are changed beside a CHARACTER SET that names none. */
static void forget_session(struct alter *al)
{
    static const struct create_text utf8mb4 = {"utf8mb4", 7};
    const struct create_text *charset = al->convert ? &al->convert_charset : &al->charset;
    bool told = al->convert ? al->convert_collation.p != NULL : al->collation.p != NULL;
    if (!al->cp.ctx->utf8mb4_collation.p || told || !charset->p || !create_same_name(charset, &utf8mb4))
        return;
    al->compiled = !al->convert;
    if (!al->convert || !al->collated)
        return;
    al->convert_collation = alter_compiled_collation;
    if (!al->collation.p)
        al->collation = alter_compiled_collation;
}

bool alter_finish_options(struct alter *al)
{
    forget_session(al);
    if (al->convert && !resolve(al, &al->convert_charset, &al->convert_collation))
        return false;
    if (al->defaults && !resolve(al, &al->charset, &al->collation))
        return false;
    if (al->defaults || al->convert) {
        al->after.charset = al->defaults ? al->charset : al->convert_charset;
        al->after.collation = al->defaults ? al->collation : al->convert_collation;
    }
    return true;
}

/* `[=] value` or `[=] (list)`. */
static bool skip_value(struct alter *al)
{
    struct create_text value;
    ddl_take_char(&al->cp.ps, '=');
    if (ddl_token_is_char(&al->cp.ps.tok, '('))
        return create_skip_parentheses(&al->cp);
    if (!create_take_text(&al->cp, &value))
        return false;
    return !ddl_take_char(&al->cp.ps, '.') || create_take_text(&al->cp, &value);
}

bool alter_take_option(struct alter *al)
{
    static const char *const options[] = {"TYPE",
                                          "STORAGE",
                                          "AUTO_INCREMENT",
                                          "AUTOEXTEND_SIZE",
                                          "AVG_ROW_LENGTH",
                                          "CHECKSUM",
                                          "TABLE_CHECKSUM",
                                          "PAGE_CHECKSUM",
                                          "COMMENT",
                                          "COMPRESSION",
                                          "CONNECTION",
                                          "DELAY_KEY_WRITE",
                                          "ENCRYPTION",
                                          "INSERT_METHOD",
                                          "KEY_BLOCK_SIZE",
                                          "MAX_ROWS",
                                          "MIN_ROWS",
                                          "PACK_KEYS",
                                          "PASSWORD",
                                          "ROW_FORMAT",
                                          "STATS_AUTO_RECALC",
                                          "STATS_PERSISTENT",
                                          "STATS_SAMPLE_PAGES",
                                          "TABLESPACE",
                                          "TRANSACTIONAL",
                                          "SECONDARY_ENGINE",
                                          "SECONDARY_ENGINE_ATTRIBUTE",
                                          "ENGINE_ATTRIBUTE",
                                          "NODEGROUP",
                                          "UNION",
                                          "ALGORITHM",
                                          "LOCK",
                                          NULL};
    static const char *const directories[] = {"DATA", "INDEX", NULL};
    struct ddl_parser *ps = &al->cp.ps;
    bool known;
    if (ddl_take(ps, "CONVERT"))
        return take_convert(al);
    ddl_take(ps, "DEFAULT");
    if (create_take_charset_option(&al->cp, &al->charset, &al->collation, &known)) {
        al->collated |= al->collation.p != NULL;
        return al->defaults = true;
    }
    if (known)
        return false;
    if (ddl_take(ps, "ENGINE"))
        return create_take_engine(&al->cp, &al->after.plain);
    if (ddl_take_any(ps, options) >= 0)
        return skip_value(al);
    if (ddl_take_any(ps, directories) >= 0)
        return (ddl_take(ps, "DIRECTORY") || create_fail(&al->cp, "DIRECTORY is expected")) && skip_value(al);
    if (ddl_take(ps, "WITH"))
        return al->after.versioned = (ddl_take(ps, "SYSTEM") && ddl_take(ps, "VERSIONING")) ||
                                     create_fail(&al->cp, "SYSTEM VERSIONING is expected behind WITH");
    if (ddl_token_is(&ps->tok, "SEQUENCE"))
        return create_fail(&al->cp, "a table that becomes a sequence");
    struct create_text name;
    if (!create_take_identifier(&al->cp, &name))
        return false;
    /* MariaDB: an option of the engine. */
    return ddl_token_is_char(&ps->tok, '=') ? skip_value(al) : create_fail(&al->cp, "a clause is not known");
}
