/* A table's definition as the peer tells it in schema changes. Source: ConnectTableChangeSerializer. */
#include "base/ascii.h"
#include "change/column_default.h"
#include "change/debezium/debezium.h"

static void add_number(struct buf *out, bool known, uint32_t v)
{
    if (known)
        buf_printf(out, "%u", v);
    else
        buf_text(out, "null");
}

static void add_bool(struct buf *out, bool v)
{
    buf_text(out, v ? "true" : "false");
}

struct type_name {
    const char *word;
    int jdbc;
};

/* java.sql.Types */
static const struct type_name types[] = {
    {"tinyint", 5},     {"smallint", 5},  {"mediumint", 4},     {"int", 4},         {"bigint", -5},   {"decimal", 3},
    {"float", 6},       {"double", 8},    {"bit", -7},          {"year", 4},        {"date", 91},     {"time", 92},
    {"datetime", 93},   {"char", 1},      {"timestamp", 2014},  {"varchar", 12},    {"binary", -2},   {"varbinary", -3},
    {"tinyblob", 2004}, {"blob", 2004},   {"mediumblob", 2004}, {"longblob", 2004}, {"tinytext", 12}, {"text", 12},
    {"mediumtext", 12}, {"longtext", 12}, {"enum", 1},          {"set", 1},
};

static int jdbc_type(const char *word)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (strcmp(types[i].word, word) == 0)
            return types[i].jdbc;
    return 1111; /* OTHER: JSON and geometries */
}

/* First word of the type as the server spells it, in lower case. */
static void first_word(const struct column *column, char out[32])
{
    char printed[64];
    const char *p = column->definition ? column->definition->word : column->declared;
    size_t len = 0;
    if (!p) {
        coltype_print(&column->type, printed, sizeof printed);
        p = printed;
    }
    for (; len < 31 && p[len] && p[len] != ' ' && p[len] != '('; len++)
        out[len] = ascii_lower(p[len]);
    out[len] = 0;
}

static void add_type_name(struct buf *out, const struct column *column, const char *name)
{
    buf_byte(out, '"');
    for (const char *p = name; *p; p++)
        buf_byte(out, (uint8_t)(*p >= 'a' && *p <= 'z' ? *p - 'a' + 'A' : *p));
    if (column->type.is_unsigned && strcmp(name, "year") != 0)
        buf_text(out, " UNSIGNED");
    if (column->definition && column->definition->zerofill)
        buf_text(out, " ZEROFILL");
    buf_byte(out, '"');
}

/* True of the width that the server gives an integer without one. */
static bool is_usual_width(const struct column *column, uint32_t length)
{
    static const uint8_t widths[][2] = {
        [WIRE_TINY] = {4, 3},   [WIRE_SHORT] = {6, 5},      [WIRE_INT24] = {9, 8},
        [WIRE_LONG] = {11, 10}, [WIRE_LONGLONG] = {20, 20},
    };
    if (column->type.family == FAMILY_YEAR)
        return length == 4;
    return column->type.family == FAMILY_INTEGER && length == widths[column->type.wire][column->type.is_unsigned];
}

/* As written; DECIMAL has 10, 0 unwritten, a list the digits of its longest value. */
static void add_length(struct buf *out, const struct column *column, const char *word)
{
    const struct column_definition *def = column->definition;
    bool is_decimal = strcmp(word, "decimal") == 0;
    uint32_t labels = column->type.label_count;
    if (column->type.family == FAMILY_ENUM || column->type.family == FAMILY_SET) {
        add_number(out, true, column->type.family == FAMILY_ENUM ? 1 : labels ? 2 * labels - 1 : 0);
        buf_text(out, ",\"scale\":null");
        return;
    }
    bool is_written = def && def->has_length && !is_usual_width(column, def->length);
    add_number(out, def && (is_written || is_decimal), is_written ? def->length : 10);
    buf_text(out, ",\"scale\":");
    add_number(out, def && (def->has_decimals || is_decimal), def ? def->decimals : 0);
}

/* The literal between its quotes: b'101' is 101. */
static void add_bits(struct buf *out, const char *sql)
{
    const char *open = strchr(sql, '\''), *close = open ? strchr(open + 1, '\'') : NULL;
    if (close)
        debezium_add_string(out, open + 1, (size_t)(close - open - 1));
    else
        debezium_add_text(out, sql);
}

static int add_default(struct buf *out, const struct column_definition *def, struct arena *arena, struct err *e)
{
    struct column_default initial = {.kind = DEFAULT_NONE};
    if (def && !column_default_parse(def, &initial, arena))
        return err_set(e, NO_MEMORY, strlen(def->initial));
    if (initial.kind == DEFAULT_TEXT || initial.kind == DEFAULT_NUMBER)
        debezium_add_string(out, initial.p, initial.len);
    else if (initial.kind == DEFAULT_BITS || initial.kind == DEFAULT_HEX)
        add_bits(out, def->initial);
    else
        debezium_add_text(out, initial.kind == DEFAULT_NOW ? "1970-01-01 00:00:00" : NULL);
    return 0;
}

static void add_labels(struct buf *out, const struct coltype *type)
{
    struct buf label;
    if (!type->labels) {
        buf_text(out, "null");
        return;
    }
    buf_init(&label, 0);
    buf_byte(out, '[');
    for (uint32_t i = 0; i < type->label_count; i++) {
        buf_clear(&label);
        buf_byte(&label, '\'');
        for (uint32_t k = 0; k < type->labels[i].len; k++) {
            if (type->labels[i].text[k] == '\'' || type->labels[i].text[k] == '\\')
                buf_byte(&label, (uint8_t)type->labels[i].text[k]);
            buf_byte(&label, (uint8_t)type->labels[i].text[k]);
        }
        buf_byte(&label, '\'');
        out->failed |= label.failed;
        if (i)
            buf_byte(out, ',');
        debezium_add_string(out, (const char *)label.p, label.failed ? 0 : label.len);
    }
    buf_byte(out, ']');
    buf_release(&label);
}

static int add_column(struct buf *out, const struct table *tbl, unsigned i, struct arena *arena, struct err *e)
{
    const struct column *column = &tbl->columns[i];
    const struct column_definition *def = column->definition;
    char word[32];
    first_word(column, word);
    buf_text(out, "{\"name\":");
    debezium_add_string(out, column->name, column->name_len);
    buf_printf(out, ",\"jdbcType\":%d,\"nativeType\":null,\"typeName\":", jdbc_type(word));
    add_type_name(out, column, word);
    buf_text(out, ",\"typeExpression\":");
    add_type_name(out, column, word);
    buf_text(out, ",\"charsetName\":");
    debezium_add_text(out, def && column->type.family != FAMILY_JSON ? def->charset : NULL);
    buf_text(out, ",\"length\":");
    add_length(out, column, word);
    buf_printf(out, ",\"position\":%u,\"optional\":", i + 1);
    add_bool(out, column->nullable);
    buf_text(out, ",\"autoIncremented\":");
    add_bool(out, def && def->auto_increment);
    buf_text(out, ",\"generated\":");
    add_bool(out, def && def->auto_increment);
    buf_text(out, ",\"comment\":null,\"defaultValueExpression\":");
    int rc = add_default(out, def, arena, e);
    buf_text(out, ",\"enumValues\":");
    add_labels(out, &column->type);
    buf_byte(out, '}');
    return rc;
}

static void add_key(struct buf *out, const struct table *tbl)
{
    const uint16_t *key = tbl->pk_count ? tbl->pk : tbl->unique;
    unsigned count = tbl->pk_count ? tbl->pk_count : tbl->unique_count;
    buf_byte(out, '[');
    for (unsigned i = 0; i < count; i++) {
        if (i)
            buf_byte(out, ',');
        debezium_add_string(out, tbl->columns[key[i]].name, tbl->columns[key[i]].name_len);
    }
    buf_byte(out, ']');
}

int debezium_add_table(struct buf *out, const struct table *tbl, struct arena *arena, struct err *e)
{
    int rc = 0;
    buf_text(out, "{\"defaultCharsetName\":");
    debezium_add_text(out, tbl->charset);
    buf_text(out, ",\"primaryKeyColumnNames\":");
    add_key(out, tbl);
    buf_text(out, ",\"columns\":[");
    for (unsigned i = 0; i < tbl->column_count && rc == 0; i++) {
        if (i)
            buf_byte(out, ',');
        rc = add_column(out, tbl, i, arena, e);
    }
    buf_text(out, "],\"comment\":null}");
    return rc;
}
