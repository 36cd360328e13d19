/* Options of the table, of which only the character set, the versioning and the partitions matter here. */
#include <string.h>

#include "schema/alter_impl.h"

/* A character set or a collation; DEFAULT is that of the database. */
static bool take_charset_option(struct alter *al, struct create_text *charset, struct create_text *collation,
                                bool *known)
{
    static const char *const words[] = {"CHARSET", "CHARACTER", "SET", "CHAR", "COLLATE", NULL};
    struct ddl_parser at = al->cp.ps;
    while (ddl_take_any(&at, words) >= 0)
        ;
    ddl_take_char(&at, '=');
    bool none = ddl_token_is(&at.tok, "DEFAULT");
    if (!create_take_charset_option(&al->cp, charset, collation, known))
        return false;
    if (none) {
        *charset = al->cp.ctx->charset;
        *collation = al->cp.ctx->collation;
    }
    return true;
}

/* Behind CONVERT. On MySQL it is the table's as well, until a later clause says otherwise; on MariaDB only where no
 * clause does. */
static bool take_convert(struct alter *al)
{
    const struct create_text none = {NULL, 0};
    struct create_text charset = none, collation = none;
    bool known;
    if (!ddl_take(&al->cp.ps, "TO"))
        return create_fail(&al->cp, "TO is expected behind CONVERT");
    if (!take_charset_option(al, &charset, &collation, &known))
        return create_fail(&al->cp, "a character set is expected behind CONVERT TO");
    if (ddl_token_is(&al->cp.ps.tok, "COLLATE") && !take_charset_option(al, &charset, &collation, &known))
        return false;
    al->convert = true;
    al->convert_charset = charset;
    al->convert_collation = collation;
    if (al->cp.ps.lx.mode.flavor == FLAVOR_MYSQL) {
        al->charset = charset;
        al->collation = collation;
        al->defaults = true;
    }
    return true;
}

/* A collation goes before a character set, whichever is written first. */
bool alter_finish_options(struct alter *al)
{
    bool told = al->defaults || al->convert;
    if (!told)
        return true;
    const struct create_text *outer = &al->before->charset;
    if (!create_resolve_charset(&al->cp, &al->charset, &al->collation, outer) ||
        !create_resolve_charset(&al->cp, &al->convert_charset, &al->convert_collation, outer))
        return false;
    al->after.charset = al->defaults ? al->charset : al->convert_charset;
    al->after.collation = al->defaults ? al->collation : al->convert_collation;
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
    static const char *const options[] = {"ENGINE",
                                          "TYPE",
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
    if (take_charset_option(al, &al->charset, &al->collation, &known))
        return al->defaults = true;
    if (known)
        return false;
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
