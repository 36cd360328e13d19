/* One column of CREATE TABLE: `name` type[(…)] [unsigned] [zerofill] attributes. */
#include <string.h>

#include "base/ascii.h"
#include "schema/create_table_impl.h"

#define VALUE_MAX ((size_t)16 << 20)

/* Servers before that read REFERENCES among the attributes of a column and forget it. */
#define INLINE_SINCE_MARIADB 100500
#define INLINE_SINCE_MYSQL   90000

static bool is_character_type(const struct create_text *word)
{
    static const char *const words[] = {"char",     "varchar", "tinytext", "text",      "mediumtext",
                                        "longtext", "enum",    "set",      "character", NULL};
    for (size_t i = 0; words[i]; i++)
        if (strcmp(words[i], word->p) == 0)
            return true;
    return false;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The bytes of `0x…`. */
static bool take_hex_label(struct create_parser *cp, struct create_text *out)
{
    const struct ddl_token tok = cp->ps.tok;
    if (tok.len < 4 || tok.len % 2 || tok.p[0] != '0' || tok.p[1] != 'x')
        return create_fail(cp, "labels of ENUM or SET are strings");
    char *bytes = create_allocate(cp, tok.len / 2);
    if (!bytes)
        return false;
    for (size_t i = 2; i < tok.len; i += 2) {
        int high = hex_digit(tok.p[i]), low = hex_digit(tok.p[i + 1]);
        if (high < 0 || low < 0)
            return create_fail(cp, "labels of ENUM or SET are strings");
        bytes[i / 2 - 1] = (char)(high * 16 + low);
    }
    bytes[tok.len / 2 - 1] = '\0';
    *out = (struct create_text){bytes, tok.len / 2 - 1};
    ddl_next(&cp->ps);
    return true;
}

static bool take_labels(struct create_parser *cp, struct create_column *col)
{
    struct create_list labels = {NULL, 0, 0};
    do {
        struct create_text *label = create_list_add(cp, &labels, sizeof *label, CREATE_LABELS_MAX);
        if (!label)
            return false;
        if (cp->ps.tok.kind == DDL_STRING ? !create_take_text(cp, label) : !take_hex_label(cp, label))
            return false;
    } while (ddl_take_char(&cp->ps, ','));
    col->labels = labels.items;
    col->label_count = labels.count;
    return true;
}

static bool take_number(struct create_parser *cp, uint32_t *out)
{
    const struct ddl_token *tok = &cp->ps.tok;
    uint64_t v = 0;
    if (tok->kind != DDL_WORD || tok->len > 10)
        return create_fail(cp, "a number is expected in the parentheses of a type");
    for (size_t i = 0; i < tok->len; i++) {
        if (tok->p[i] < '0' || tok->p[i] > '9')
            return create_fail(cp, "a number is expected in the parentheses of a type");
        v = v * 10 + (uint64_t)(tok->p[i] - '0');
    }
    if (v > UINT32_MAX)
        return create_fail(cp, "a type is too long");
    *out = (uint32_t)v;
    ddl_next(&cp->ps);
    return true;
}

/* Behind the opening parenthesis of a type; *end is where its text ends. */
static bool take_type_arguments(struct create_parser *cp, struct create_column *col, const char **end)
{
    if (strcmp(col->word.p, "enum") == 0 || strcmp(col->word.p, "set") == 0) {
        if (!take_labels(cp, col))
            return false;
    } else {
        if (!take_number(cp, &col->length))
            return false;
        col->has_length = true;
        col->has_decimals = ddl_take_char(&cp->ps, ',');
        if (col->has_decimals && !take_number(cp, &col->decimals))
            return false;
    }
    *end = cp->ps.tok.p + 1;
    return ddl_take_char(&cp->ps, ')') || create_fail(cp, "the parentheses of a type do not end");
}

/* The first word of a type, in lower case. */
static bool take_type_word(struct create_parser *cp, struct create_column *col)
{
    struct ddl_parser *ps = &cp->ps;
    if (ps->tok.kind != DDL_WORD)
        return create_fail(cp, "a type is expected behind a column's name");
    char *word = ddl_token_text(&ps->tok, &ps->lx.mode, ps->arena, &col->word.len);
    if (!word) {
        ps->rc = err_set(ps->e, NO_MEMORY, ps->tok.len);
        return false;
    }
    for (size_t i = 0; i < col->word.len; i++)
        word[i] = ascii_lower(word[i]);
    col->word.p = word;
    ddl_next(ps);
    return true;
}

/* MariaDB's name of a dialect before the type's: the type means what it means there. The text of the type begins
 * behind it. */
static bool take_type_schema(struct create_parser *cp, struct create_column *col, struct ddl_parser *begin,
                             const char **end)
{
    cp->type_schema = "";
    if (cp->ps.stmt->mode.flavor != FLAVOR_MARIADB || !ddl_take_char(&cp->ps, '.'))
        return true;
    cp->type_schema = col->word.p;
    *begin = cp->ps;
    *end = cp->ps.tok.p + cp->ps.tok.len;
    return take_type_word(cp, col);
}

/* CHARACTER may begin CHARACTER SET. */
static bool is_behind(const struct ddl_parser *ps, const char *word)
{
    struct ddl_parser at = *ps;
    ddl_next(&at);
    return ddl_token_is(&at.tok, word);
}

/* What may follow the first word: `word` becomes that of the type it means. */
static void take_more_words(struct create_parser *cp, struct create_column *col, const char **end)
{
    static const char *const more[] = {"VARYING", "VARCHAR", "VARCHARACTER", "VARBINARY", "PRECISION", NULL};
    struct ddl_parser *ps = &cp->ps;
    bool is_long = strcmp(col->word.p, "long") == 0, national = strcmp(col->word.p, "national") == 0;
    const char *behind;
    int word, last = -1;
    behind = ps->tok.p + ps->tok.len;
    if ((national && !is_behind(ps, "SET")) || (is_long && is_behind(ps, "VARYING")))
        if (ddl_take(ps, "CHARACTER") || ddl_take(ps, "CHAR"))
            *end = behind;
    while (behind = ps->tok.p + ps->tok.len, (word = ddl_take_any(ps, more)) >= 0) {
        *end = behind;
        last = word;
    }
    bool varying = last >= 0 && last <= 2;
    const char *means = NULL;
    if (is_long)
        means = last == 3 ? "mediumblob" : "mediumtext";
    else if (national || strcmp(col->word.p, "nchar") == 0 || strcmp(col->word.p, "nvarchar") == 0) {
        means = varying || col->word.p[1] == 'v' ? "varchar" : "char";
        col->charset = (struct create_text){"utf8mb3", 7};
    } else if (varying)
        means = "varchar";
    if (means)
        col->word = (struct create_text){means, strlen(means)};
}

/* The tokens from `begin` to `end` as the type's text. */
static bool keep_type(struct create_parser *cp, struct create_column *col, const struct ddl_parser *begin,
                      const char *end)
{
    struct ddl_parser behind = cp->ps;
    struct buf text;
    bool ok = true;
    buf_init(&text, VALUE_MAX);
    cp->ps = *begin;
    while (ok && cp->ps.tok.p < end && cp->ps.tok.kind != DDL_END && cp->ps.tok.kind != DDL_BAD)
        ok = create_take_opaque(cp, &text);
    behind.rc = cp->ps.rc;
    cp->ps = behind;
    if (ok)
        return create_keep_opaque(cp, &text, &col->type);
    buf_release(&text);
    return false;
}

static bool take_type(struct create_parser *cp, struct create_column *col)
{
    static const char *const signs[] = {"UNSIGNED", "ZEROFILL", "SIGNED", NULL};
    struct ddl_parser *ps = &cp->ps;
    struct ddl_parser begin = *ps;
    const char *end = ps->tok.p + ps->tok.len, *behind;
    int word;
    if (!take_type_word(cp, col) || !take_type_schema(cp, col, &begin, &end))
        return false;
    take_more_words(cp, col, &end);
    if (ddl_take_char(ps, '(') && !take_type_arguments(cp, col, &end))
        return false;
    while (behind = ps->tok.p + ps->tok.len, (word = ddl_take_any(ps, signs)) >= 0) {
        col->is_unsigned |= word < 2;
        col->zerofill |= word == 1;
        end = behind;
    }
    return keep_type(cp, col, &begin, end);
}

/* Tokens up to the parenthesis that ends what begins here, into `text`. */
static bool take_group(struct create_parser *cp, struct buf *text)
{
    struct ddl_parser *ps = &cp->ps;
    size_t depth = 0;
    do {
        if (ps->tok.kind == DDL_END || ps->tok.kind == DDL_BAD)
            return create_fail(cp, "a parenthesis does not end");
        depth += ddl_token_is_char(&ps->tok, '(');
        depth -= ddl_token_is_char(&ps->tok, ')');
        if (!create_take_opaque(cp, text))
            return false;
    } while (depth);
    return true;
}

/* A value without operators: literal with sign or introducer, name, function call, or an expression in parentheses. */
static bool take_value_tokens(struct create_parser *cp, struct buf *text)
{
    struct ddl_parser *ps = &cp->ps;
    for (;;) {
        if ((ddl_token_is_char(&ps->tok, '-') || ddl_token_is_char(&ps->tok, '+')) && !create_take_opaque(cp, text))
            return false;
        if (ddl_token_is_char(&ps->tok, '.') && !create_take_opaque(cp, text))
            return false;
        bool word = ps->tok.kind == DDL_WORD || ps->tok.kind == DDL_STRING || ps->tok.kind == DDL_QUOTED;
        if (!word && !ddl_token_is_char(&ps->tok, '('))
            return create_fail(cp, "a default value is expected");
        bool number = ps->tok.kind == DDL_WORD && ps->tok.p[0] >= '0' && ps->tok.p[0] <= '9';
        if (word && !create_take_opaque(cp, text))
            return false;
        if (ddl_token_is_char(&ps->tok, '(') && !take_group(cp, text))
            return false;
        bool dot = ddl_token_is_char(&ps->tok, '.');
        const char *behind = ps->tok.p + 1;
        if (dot && !create_take_opaque(cp, text))
            return false;
        if (dot && number && (ps->tok.kind != DDL_WORD || ps->tok.p != behind))
            return true; /* `1.` is a number */
        if (!dot && ps->tok.kind != DDL_STRING && !ddl_token_is_char(&ps->tok, '-') &&
            !ddl_token_is_char(&ps->tok, '+'))
            return true;
    }
}

bool create_take_value(struct create_parser *cp, struct create_text *out)
{
    struct buf text;
    buf_init(&text, VALUE_MAX);
    if (take_value_tokens(cp, &text))
        return create_keep_opaque(cp, &text, out);
    buf_release(&text);
    return false;
}

/* Behind [GENERATED ALWAYS] AS. */
static bool take_generated(struct create_parser *cp, struct create_column *col)
{
    static const char *const stored[] = {"STORED", "PERSISTENT", NULL};
    if (ddl_take(&cp->ps, "ROW")) {
        bool start = ddl_take(&cp->ps, "START");
        if (!start && !ddl_take(&cp->ps, "END"))
            return create_fail(cp, "ROW START or ROW END is expected");
        col->generated = start ? CREATE_ROW_START : CREATE_ROW_END;
        col->nullable = false;
        return true;
    }
    if (!create_take_parentheses(cp, &col->expression))
        return false;
    col->generated = ddl_take_any(&cp->ps, stored) >= 0 ? CREATE_STORED : CREATE_VIRTUAL;
    ddl_take(&cp->ps, "VIRTUAL");
    return true;
}

/* Whether `(json_valid(name))` of the column itself is next: so MariaDB prints JSON. MySQL prints no CHECK here. */
static bool at_json_check(struct create_parser *cp, const struct create_column *col)
{
    struct ddl_parser *ps = &cp->ps;
    const struct ddl_parser begin = *ps;
    struct create_text name;
    bool is = strcmp(col->word.p, "longtext") == 0 && (!cp->ctx || ps->stmt->mode.flavor == FLAVOR_MARIADB) &&
              ddl_take_char(ps, '(') && ddl_take(ps, "JSON_VALID") && ddl_take_char(ps, '(') &&
              (ps->tok.kind == DDL_WORD || ps->tok.kind == DDL_QUOTED) && create_take_identifier(cp, &name) &&
              create_same_name(&name, &col->name) && ddl_take_char(ps, ')') && ddl_token_is_char(&ps->tok, ')');
    int rc = ps->rc;
    *ps = begin;
    ps->rc = rc;
    return is;
}

/* Behind CHECK. */
static bool skip_check(struct create_parser *cp, struct create_column *col)
{
    col->json |= at_json_check(cp, col);
    if (!create_skip_parentheses(cp))
        return false;
    struct ddl_parser at = cp->ps;
    ddl_take(&at, "NOT"); /* or NULL follows, which is another attribute */
    if (ddl_take(&at, "ENFORCED"))
        cp->ps = at;
    return true;
}

/* Behind NOT. */
static bool take_not(struct create_parser *cp, struct create_column *col)
{
    if (ddl_take(&cp->ps, "NULL"))
        col->nullable = false;
    else if (!ddl_take(&cp->ps, "SECONDARY"))
        return create_fail(cp, "NULL is expected behind NOT");
    return true;
}

/* Behind REFERENCES among the attributes of a column. */
static bool take_inline_references(struct create_parser *cp, uint16_t index)
{
    struct create_foreign_key fk = {.column_count = 1};
    uint16_t *columns = create_allocate(cp, sizeof *columns);
    unsigned before = cp->foreign.count;
    if (!columns)
        return false;
    *columns = index;
    fk.columns = columns;
    if (!create_take_references(cp, &fk))
        return false;
    if (!cp->ctx)
        return true;
    const struct ddl_mode *mode = &cp->ps.stmt->mode;
    uint32_t since = mode->flavor == FLAVOR_MARIADB ? INLINE_SINCE_MARIADB : INLINE_SINCE_MYSQL;
    if (mode->server_version == 0 || mode->server_version >= since)
        return create_add_inline_key(cp, index, CREATE_INDEX);
    cp->foreign.count = before;
    return true;
}

/* [=] and one value, behind an attribute that means nothing here. */
static bool skip_option(struct create_parser *cp)
{
    struct create_text ignored;
    ddl_take_char(&cp->ps, '=');
    return create_take_text(cp, &ignored);
}

/* Attributes that name a key or another table. */
static bool take_key_attribute(struct create_parser *cp, struct create_column *col, uint16_t index)
{
    struct create_text ignored;
    struct ddl_parser *ps = &cp->ps;
    if (ddl_take(ps, "PRIMARY") || ddl_token_is(&ps->tok, "KEY")) {
        col->nullable = false;
        return (ddl_take(ps, "KEY") || create_fail(cp, "KEY is expected behind PRIMARY")) &&
               create_add_inline_key(cp, index, CREATE_PRIMARY);
    }
    if (ddl_take(ps, "UNIQUE")) {
        ddl_take(ps, "KEY");
        return create_add_inline_key(cp, index, CREATE_UNIQUE);
    }
    if (ddl_take(ps, "REFERENCES"))
        return take_inline_references(cp, index);
    if (ddl_take(ps, "CHECK"))
        return skip_check(cp, col);
    if (ddl_take(ps, "CONSTRAINT"))
        return ddl_token_is(&ps->tok, "CHECK") || create_take_identifier(cp, &ignored);
    bool named = ps->tok.kind == DDL_WORD || ps->tok.kind == DDL_QUOTED;
    if (named && create_take_identifier(cp, &ignored) && ddl_token_is_char(&ps->tok, '='))
        return skip_option(cp);
    return create_fail(cp, "an attribute of a column is not known");
}

/* Behind WITH or WITHOUT. */
static bool take_versioning(struct create_parser *cp, bool with)
{
    if (!ddl_take(&cp->ps, "SYSTEM") || !ddl_take(&cp->ps, "VERSIONING"))
        return create_fail(cp, "SYSTEM VERSIONING is expected");
    cp->versioned |= with;
    return true;
}

/* NULL behind it is heard: then SHOW CREATE TABLE says neither. */
static bool take_auto_increment(const struct create_parser *cp, struct create_column *col)
{
    col->nullable &= !cp->ctx;
    return col->auto_increment = true;
}

/* Attributes that are short for a character set. */
static bool take_charset_word(struct ddl_parser *ps, struct create_column *col)
{
    static const char *const words[] = {"ASCII", "UNICODE", "BYTE", NULL};
    static const struct create_text sets[] = {{"latin1", 6}, {"ucs2", 4}, {"binary", 6}};
    int word = ddl_take_any(ps, words);
    if (word >= 0)
        col->charset = sets[word];
    return word >= 0;
}

/* SERIAL DEFAULT VALUE, behind its first word. */
static bool take_serial(struct create_parser *cp, struct create_column *col, uint16_t index)
{
    if (!ddl_take(&cp->ps, "DEFAULT") || !ddl_take(&cp->ps, "VALUE"))
        return create_fail(cp, "DEFAULT VALUE is expected behind SERIAL");
    col->auto_increment = true;
    col->nullable = false;
    return create_add_inline_key(cp, index, CREATE_UNIQUE);
}

static bool take_attribute(struct create_parser *cp, struct create_column *col, uint16_t index)
{
    static const char *const flags[] = {"VISIBLE", "VIRTUAL", NULL};
    static const char *const options[] = {"COMMENT",
                                          "SRID",
                                          "REF_SYSTEM_ID",
                                          "COLUMN_FORMAT",
                                          "ENGINE_ATTRIBUTE",
                                          "STORAGE",
                                          "SECONDARY_ENGINE_ATTRIBUTE",
                                          NULL};
    struct ddl_parser *ps = &cp->ps;
    if (ddl_take(ps, "NOT"))
        return take_not(cp, col);
    if (ddl_take(ps, "NULL")) {
        col->nullable = true;
        return col->null_written = true;
    }
    if (ddl_take(ps, "DEFAULT"))
        return create_take_value(cp, &col->initial);
    if (ddl_take(ps, "ON"))
        return (ddl_take(ps, "UPDATE") || create_fail(cp, "UPDATE is expected behind ON")) &&
               create_take_value(cp, &col->on_update);
    if (ddl_take(ps, "COLLATE"))
        return create_take_charset(cp, &col->collation);
    if (ddl_take(ps, "CHARSET") || ((ddl_take(ps, "CHARACTER") || ddl_take(ps, "CHAR")) && ddl_take(ps, "SET")))
        return create_take_charset(cp, &col->charset);
    if (ddl_take(ps, "GENERATED"))
        return ddl_take(ps, "ALWAYS") && ddl_take(ps, "AS") ? take_generated(cp, col)
                                                            : create_fail(cp, "ALWAYS AS is expected behind GENERATED");
    if (ddl_take(ps, "AS"))
        return take_generated(cp, col);
    if (ddl_take(ps, "INVISIBLE"))
        return col->invisible = true;
    if (ddl_take(ps, "BINARY"))
        return col->binary = true;
    if (take_charset_word(ps, col))
        return true;
    if (ddl_take(ps, "COMPRESSED")) {
        col->compressed = true;
        return !ddl_token_is_char(&ps->tok, '=') || skip_option(cp);
    }
    if (ddl_take(ps, "SERIAL"))
        return take_serial(cp, col, index);
    if (ddl_take(ps, "AUTO_INCREMENT"))
        return take_auto_increment(cp, col);
    if (ddl_take_any(ps, flags) >= 0)
        return true;
    if (ddl_take_any(ps, options) >= 0)
        return skip_option(cp);
    bool with = ddl_take(ps, "WITH");
    if (with || ddl_take(ps, "WITHOUT"))
        return take_versioning(cp, with);
    return take_key_attribute(cp, col, index);
}

/* BIGINT UNSIGNED NOT NULL AUTO_INCREMENT UNIQUE. */
static bool make_serial(struct create_parser *cp, struct create_column *col, uint16_t index)
{
    col->word = (struct create_text){"bigint", 6};
    col->is_unsigned = col->auto_increment = true;
    col->nullable = false;
    return create_add_inline_key(cp, index, CREATE_UNIQUE);
}

bool create_take_column(struct create_parser *cp)
{
    uint16_t index = (uint16_t)cp->columns.count;
    struct create_column *col = create_list_add(cp, &cp->columns, sizeof *col, CREATE_COLUMNS_MAX);
    if (!col)
        return false;
    col->nullable = true;
    if (!create_take_identifier(cp, &col->name) || !take_type(cp, col))
        return false;
    if (cp->ctx && strcmp(col->word.p, "serial") == 0 && !make_serial(cp, col, index))
        return false;
    while (!create_at_element_end(cp) && !ddl_token_is(&cp->ps.tok, "FIRST") && !ddl_token_is(&cp->ps.tok, "AFTER"))
        if (!take_attribute(cp, col, index))
            return false;
    if (cp->ctx)
        create_normal_type(cp, col);
    if (!is_character_type(&col->word))
        col->charset = col->collation = (struct create_text){NULL, 0};
    else if (!col->charset.p && !col->collation.p)
        col->charset = (struct create_text){"", 0}; /* the table's, which is written behind the columns */
    return true;
}
