/* What a server makes of a type that was written by hand: synonyms, default lengths, display widths, and the character
 * set in effect with the types that depend on it. Sources: "Data Types" in the manuals of both servers,
 * prepare_blob_field and check_column_name of sql/sql_table.cc; judged by
 * tests/golden/create_table/<server>_written.txt. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/ascii.h"
#include "schema/create_table_impl.h"
#include "value/charset.h"

#define MODE_REAL_AS_FLOAT    ((uint64_t)1)
#define MODE_ORACLE           ((uint64_t)1 << 9)
#define MODE_MAXDB            ((uint64_t)1 << 12)
#define NO_WIDTHS_SINCE       80019
#define UTF8MB4_0900_SINCE    80001
#define VARCHAR_BYTES_MAX     65535
#define FLOAT_PRECISION_MAX   24
#define NAME_BYTES_MAX        64
#define UNKNOWN_LENGTH_ADVICE "the length of a type depends on the table's character set, which is not known"

static const struct {
    const char *word, *means;
    bool oracle; /* only in MariaDB's sql_mode ORACLE */
} synonyms[] = {
    {"integer", "int", false},
    {"int1", "tinyint", false},
    {"int2", "smallint", false},
    {"int3", "mediumint", false},
    {"int4", "int", false},
    {"int8", "bigint", false},
    {"middleint", "mediumint", false},
    {"dec", "decimal", false},
    {"fixed", "decimal", false},
    {"numeric", "decimal", false},
    {"float4", "float", false},
    {"float8", "double", false},
    {"character", "char", false},
    {"varcharacter", "varchar", false},
    {"geomcollection", "geometrycollection", false},
    {"varchar2", "varchar", true},
    {"raw", "varbinary", true},
    {"clob", "longtext", true},
    {"blob", "longblob", true},
    {"date", "datetime", true},
};

/* Digits that SHOW CREATE TABLE shows without ones written: signed, unsigned. */
static const struct {
    const char *word;
    uint8_t width, unsigned_width;
} widths[] = {{"tinyint", 4, 3}, {"smallint", 6, 5}, {"mediumint", 9, 8}, {"int", 11, 10}, {"bigint", 20, 20}};

/* TEXT and BLOB by the length of their length. */
static const char *const texts[] = {"tinytext", "text", "mediumtext", "longtext"};
static const char *const blobs[] = {"tinyblob", "blob", "mediumblob", "longblob"};

static bool is_word(const struct create_column *col, const char *word)
{
    return strlen(word) == col->word.len && memcmp(word, col->word.p, col->word.len) == 0;
}

static void set_word(struct create_column *col, const char *word)
{
    col->word = (struct create_text){word, strlen(word)};
}

static void set_length(struct create_column *col, uint32_t length)
{
    col->length = length;
    col->has_length = true;
}

static bool is_mysql(const struct create_parser *cp)
{
    return cp->ps.stmt->mode.flavor != FLAVOR_MARIADB;
}

static bool is_since(const struct create_parser *cp, uint32_t version)
{
    uint32_t server = cp->ps.stmt->mode.server_version;
    return server == 0 || server >= version;
}

/* Of MariaDB: by a word before the type, else by sql_mode. */
static bool is_dialect(const struct create_parser *cp, const char *schema, uint64_t mode)
{
    if (is_mysql(cp))
        return false;
    return cp->type_schema[0] ? strcmp(cp->type_schema, schema) == 0 : (cp->ps.stmt->mode.sql_mode & mode) != 0;
}

static void replace_synonym(const struct create_parser *cp, struct create_column *col)
{
    bool oracle = is_dialect(cp, "oracle_schema", MODE_ORACLE);
    if (is_word(col, "timestamp") && is_dialect(cp, "maxdb_schema", MODE_MAXDB))
        set_word(col, "datetime");
    for (size_t i = 0; i < sizeof synonyms / sizeof synonyms[0]; i++)
        if ((oracle || !synonyms[i].oracle) && is_word(col, synonyms[i].word)) {
            if (!is_word(col, "blob") || !col->has_length)
                set_word(col, synonyms[i].means);
            break;
        }
    if (is_mysql(cp) && is_word(col, "geometrycollection"))
        set_word(col, "geomcollection");
    if (oracle && is_word(col, "number"))
        set_word(col, col->has_length ? "decimal" : "double");
    if (is_word(col, "real"))
        set_word(col, cp->ps.stmt->mode.sql_mode & MODE_REAL_AS_FLOAT ? "float" : "double");
    if (is_word(col, "bool") || is_word(col, "boolean")) {
        set_word(col, "tinyint");
        set_length(col, 1);
    }
}

static void complete_integer(const struct create_parser *cp, struct create_column *col)
{
    bool no_width = is_mysql(cp) && is_since(cp, NO_WIDTHS_SINCE) && !col->zerofill &&
                    !(is_word(col, "tinyint") && col->length == 1 && !col->is_unsigned);
    for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++) {
        if (!is_word(col, widths[i].word))
            continue;
        if (no_width)
            col->has_length = false;
        else if (!col->has_length || col->length == 0)
            set_length(col, col->is_unsigned ? widths[i].unsigned_width : widths[i].width);
        col->length = col->has_length ? col->length : 0;
    }
}

static void complete_number(const struct create_parser *cp, struct create_column *col)
{
    complete_integer(cp, col);
    if (is_word(col, "decimal")) {
        if (!col->has_length || (col->length == 0 && col->decimals == 0))
            set_length(col, 10);
        col->has_decimals = true;
    } else if (is_word(col, "float") && col->has_length && !col->has_decimals) {
        set_word(col, col->length > FLOAT_PRECISION_MAX ? "double" : "float");
        col->has_length = false;
        col->length = 0;
    } else if (is_word(col, "bit") && col->length == 0)
        set_length(col, 1);
    else if (is_word(col, "year")) {
        if (!is_mysql(cp) || !is_since(cp, NO_WIDTHS_SINCE))
            set_length(col, col->length == 2 ? 2 : 4);
        else
            col->has_length = false;
        col->length = col->has_length ? col->length : 0;
    }
}

static void complete_other(const struct create_parser *cp, struct create_column *col)
{
    static const char *const times[] = {"time", "datetime", "timestamp"};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
        if (is_word(col, times[i]) && col->length == 0)
            col->has_length = false;
    if ((is_word(col, "char") || is_word(col, "binary")) && !col->has_length)
        set_length(col, 1);
    if (is_word(col, "vector") && !col->has_length && is_mysql(cp))
        set_length(col, 2048);
    if (is_word(col, "timestamp") && !cp->ctx->explicit_timestamps && !col->null_written &&
        (is_mysql(cp) || col->generated == CREATE_PLAIN))
        col->nullable = false;
    if (is_word(col, "json") && !is_mysql(cp)) {
        set_word(col, "longtext");
        col->json = true;
        if (!col->collation.p) {
            col->charset = (struct create_text){"utf8mb4", 7};
            col->collation = (struct create_text){"utf8mb4_bin", 11};
        }
    }
}

void create_normal_type(const struct create_parser *cp, struct create_column *col)
{
    replace_synonym(cp, col);
    complete_number(cp, col);
    complete_other(cp, col);
}

/* Bytes of the longest character. */
static unsigned bytes_of(const struct create_text *charset)
{
    static const struct {
        const char *name;
        unsigned bytes;
    } sets[] = {{"utf8mb4", 4}, {"utf16", 4},  {"utf16le", 4}, {"utf32", 4}, {"gb18030", 4}, {"utf8mb3", 3},
                {"utf8", 3},    {"ujis", 3},   {"eucjpms", 3}, {"big5", 2},  {"cp932", 2},   {"sjis", 2},
                {"gbk", 2},     {"gb2312", 2}, {"euckr", 2},   {"ucs2", 2}};
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++)
        if (strlen(sets[i].name) == charset->len && memcmp(sets[i].name, charset->p, charset->len) == 0)
            return sets[i].bytes;
    return 1;
}

uint64_t create_max_bytes(const struct create_column *col)
{
    return (uint64_t)col->length * (col->charset.p ? bytes_of(&col->charset) : 1);
}

static size_t blob_size(uint64_t bytes)
{
    return bytes < 1u << 8 ? 0 : bytes < 1u << 16 ? 1 : bytes < 1u << 24 ? 2 : 3;
}

/* TEXT(n) and BLOB(n) become the smallest that fits, VARCHAR and VARBINARY that are too long the same. */
static bool fit_length(struct create_parser *cp, struct create_column *col, bool *text)
{
    bool blob = is_word(col, "blob") || is_word(col, "text");
    bool varying = is_word(col, "varchar") || is_word(col, "varbinary");
    uint64_t bytes = create_max_bytes(col), most = col->charset_unknown ? bytes * 4 : bytes;
    *text = is_word(col, "text") || is_word(col, "varchar");
    if (blob && col->length == 0 && !is_mysql(cp))
        col->has_length = false;
    if (!col->has_length || (!blob && !varying) || (varying && most <= VARCHAR_BYTES_MAX))
        return true;
    if (blob ? blob_size(bytes) != blob_size(most) : bytes <= VARCHAR_BYTES_MAX && most > VARCHAR_BYTES_MAX)
        return create_fail(cp, UNKNOWN_LENGTH_ADVICE);
    set_word(col, (*text ? texts : blobs)[blob_size(bytes)]);
    col->has_length = false;
    col->length = 0;
    return true;
}

/* A text of the character set binary is of a binary type. */
static void make_binary(struct create_column *col)
{
    bool is_list = is_word(col, "enum") || is_word(col, "set");
    if (is_list || !col->charset.p || col->charset.len != 6 || memcmp(col->charset.p, "binary", 6) != 0)
        return;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (is_word(col, texts[i]))
            set_word(col, blobs[i]);
    if (is_word(col, "char"))
        set_word(col, "binary");
    if (is_word(col, "varchar"))
        set_word(col, "varbinary");
    col->charset = col->collation = (struct create_text){NULL, 0};
}

bool create_compose_type(struct create_parser *cp, struct create_column *col)
{
    bool text;
    if (!fit_length(cp, col, &text))
        return false;
    make_binary(col);
    struct buf type;
    buf_init(&type, 0);
    buf_add(&type, col->word.p, col->word.len);
    for (unsigned i = 0; i < col->label_count; i++) {
        buf_byte(&type, i ? ',' : '(');
        create_quote(&type, &col->labels[i], '\'');
    }
    buf_text(&type, col->label_count ? ")" : "");
    if (col->has_length)
        buf_printf(&type, "(%u", col->length);
    if (col->has_length && col->has_decimals)
        buf_printf(&type, ",%u", col->decimals);
    buf_text(&type, col->has_length ? ")" : "");
    buf_text(&type, col->is_unsigned ? " unsigned" : "");
    buf_text(&type, col->zerofill ? " zerofill" : "");
    return create_keep_opaque(cp, &type, &col->type);
}

/* A name in lower case, with utf8 by its new name. */
static bool normal_name(struct create_parser *cp, struct create_text *name)
{
    char out[NAME_BYTES_MAX + 8];
    size_t len = 0, from = 0;
    if (!name->p || name->len == 0 || name->len > NAME_BYTES_MAX)
        return true;
    if (name->len >= 4 && strncasecmp(name->p, "utf8", 4) == 0 && (name->len == 4 || name->p[4] == '_')) {
        memcpy(out, "utf8mb3", 7);
        len = 7;
        from = 4;
    }
    for (size_t i = from; i < name->len; i++)
        out[len++] = ascii_lower(name->p[i]);
    char *copy = arena_copy(cp->ps.arena, out, len);
    if (!copy && cp->ps.rc == 0)
        cp->ps.rc = err_set(cp->ps.e, NO_MEMORY, len);
    *name = (struct create_text){copy, len};
    return copy != NULL;
}

static bool is_default(const struct create_text *name)
{
    return name->p && name->len == 7 && strncasecmp(name->p, "default", 7) == 0;
}

/* `head` and `tail` as one name. */
static bool join(struct create_parser *cp, const struct create_text *head, const char *tail, struct create_text *out)
{
    struct buf name;
    buf_init(&name, 0);
    buf_add(&name, head->p, head->len);
    buf_text(&name, tail);
    return create_keep_opaque(cp, &name, out);
}

/* The default collation of a character set as the server has it. */
static bool default_collation(struct create_parser *cp, const struct create_text *charset, struct create_text *out)
{
    const struct create_text *told = &cp->ctx->utf8mb4_collation;
    bool utf8mb4 = charset->len == 7 && memcmp(charset->p, "utf8mb4", 7) == 0;
    if (utf8mb4 && is_mysql(cp) && is_since(cp, UTF8MB4_0900_SINCE)) {
        *out = told->p ? *told : (struct create_text){"utf8mb4_0900_ai_ci", 18};
        return normal_name(cp, out);
    }
    char name[CHARSET_COLLATION_MAX];
    *out = (struct create_text){NULL, 0};
    if (!charset_print_collation(charset_find_collation(charset->p, charset->len), name))
        return true;
    return create_keep_bytes(cp, name, strlen(name), out);
}

/* `uca1400_ai_ci` of MariaDB is of the character set that it stands beside. */
static bool is_contextual(const struct create_text *collation)
{
    return collation->p && collation->len > 8 && strncasecmp(collation->p, "uca1400_", 8) == 0;
}

bool create_resolve_charset(struct create_parser *cp, struct create_text *charset, struct create_text *collation,
                            const struct create_text *outer)
{
    struct create_text own;
    if (is_default(collation)) {
        *collation = (struct create_text){NULL, 0};
        if (!charset->p)
            *charset = *outer;
    }
    if (is_contextual(collation) && (charset->p || outer->p)) {
        struct create_text tail = *collation;
        if (!charset->p)
            *charset = *outer;
        if (!normal_name(cp, charset) || !join(cp, charset, "_", &own) || !join(cp, &own, tail.p, collation))
            return false;
    }
    if (!normal_name(cp, charset) || !normal_name(cp, collation))
        return false;
    if (!charset->p && collation->p) {
        const char *end = memchr(collation->p, '_', collation->len);
        return create_keep_bytes(cp, collation->p, end ? (size_t)(end - collation->p) : collation->len, charset);
    }
    return !charset->p || collation->p || default_collation(cp, charset, collation);
}

bool create_resolve_table(struct create_parser *cp, struct create_text *charset, struct create_text *collation)
{
    const struct create_context *ctx = cp->ctx;
    if (is_default(charset) && is_mysql(cp))
        *charset = (struct create_text){NULL, 0};
    else if (is_default(charset))
        *charset = ctx->charset;
    else if (!charset->p && !collation->p) {
        *charset = ctx->charset;
        *collation = ctx->collation;
    }
    if (!charset->p && !collation->p) {
        *charset = ctx->charset;
        *collation = ctx->collation;
    }
    if (charset->p && !create_keep_bytes(cp, charset->p, charset->len, charset))
        return false;
    if (collation->p && !create_keep_bytes(cp, collation->p, collation->len, collation))
        return false;
    return create_resolve_charset(cp, charset, collation, &ctx->charset);
}

/* Labels lose the spaces at their ends. */
static bool trim_labels(struct create_parser *cp, struct create_column *col)
{
    bool binary = col->charset.p && col->charset.len == 6 && memcmp(col->charset.p, "binary", 6) == 0;
    if (!col->label_count || binary)
        return true;
    struct create_text *labels = create_allocate(cp, col->label_count * sizeof *labels);
    for (unsigned i = 0; labels && i < col->label_count; i++) {
        size_t len = col->labels[i].len;
        while (len && col->labels[i].p[len - 1] == ' ')
            len--;
        if (!create_keep_bytes(cp, col->labels[i].p, len, &labels[i]))
            return false;
    }
    col->labels = labels ? labels : col->labels;
    return labels != NULL;
}

bool create_resolve_written(struct create_parser *cp, struct create_column *col, const struct create_text *charset,
                            const struct create_text *collation)
{
    bool written = col->charset.p && col->charset.len && !is_default(&col->charset);
    bool inherits = col->charset.p && !written && !col->collation.p;
    bool unknown = !charset->p && (inherits || (col->charset.p == NULL && is_default(&col->collation)));
    if (!written)
        col->charset = (struct create_text){NULL, 0};
    if (inherits && charset->p) {
        col->charset = *charset;
        col->collation = col->binary ? (struct create_text){NULL, 0} : *collation;
    }
    col->charset_unknown = unknown;
    if (!normal_name(cp, &col->charset))
        return false;
    bool is_binary = col->charset.p && col->charset.len == 6 && memcmp(col->charset.p, "binary", 6) == 0;
    if (col->binary && col->charset.p && !col->collation.p && !is_binary &&
        !join(cp, &col->charset, "_bin", &col->collation))
        return false;
    col->binary = false;
    return create_resolve_charset(cp, &col->charset, &col->collation, charset) && trim_labels(cp, col) &&
           create_compose_type(cp, col);
}
