/* Declared types as Canal tells them, and the values of each. */
#include "change/input_canal_type.h"

#include <stdlib.h>
#include <string.h>

#include "value/write.h"

#define SET_LABELS_MAX    64
#define BINARY_LENGTH_MAX 1020 /* as the longest CHAR */

static const struct type_word {
    const char *word;
    enum canal_kind kind;
} words[] = {
    {"tinyint", CANAL_INTEGER},
    {"smallint", CANAL_INTEGER},
    {"mediumint", CANAL_INTEGER},
    {"int", CANAL_INTEGER},
    {"integer", CANAL_INTEGER},
    {"bigint", CANAL_INTEGER},
    {"int1", CANAL_INTEGER},
    {"int2", CANAL_INTEGER},
    {"int3", CANAL_INTEGER},
    {"int4", CANAL_INTEGER},
    {"int8", CANAL_INTEGER},
    {"middleint", CANAL_INTEGER},
    {"bool", CANAL_INTEGER},
    {"boolean", CANAL_INTEGER},
    {"serial", CANAL_INTEGER},
    {"bit", CANAL_INTEGER},
    {"year", CANAL_INTEGER},
    {"decimal", CANAL_DECIMAL},
    {"numeric", CANAL_DECIMAL},
    {"dec", CANAL_DECIMAL},
    {"fixed", CANAL_DECIMAL},
    {"float", CANAL_FLOAT},
    {"float4", CANAL_FLOAT},
    {"double", CANAL_DOUBLE},
    {"float8", CANAL_DOUBLE},
    {"real", CANAL_DOUBLE},
    {"date", CANAL_TEXT},
    {"time", CANAL_TEXT},
    {"datetime", CANAL_TEXT},
    {"timestamp", CANAL_TEXT},
    {"char", CANAL_TEXT},
    {"character", CANAL_TEXT},
    {"nchar", CANAL_TEXT},
    {"national", CANAL_TEXT},
    {"varchar", CANAL_TEXT},
    {"nvarchar", CANAL_TEXT},
    {"tinytext", CANAL_TEXT},
    {"text", CANAL_TEXT},
    {"mediumtext", CANAL_TEXT},
    {"longtext", CANAL_TEXT},
    {"long", CANAL_TEXT},
    {"uuid", CANAL_TEXT},
    {"inet4", CANAL_TEXT},
    {"inet6", CANAL_TEXT},
    {"json", CANAL_JSON},
    {"binary", CANAL_BYTES},
    {"varbinary", CANAL_BYTES},
    {"tinyblob", CANAL_BYTES},
    {"blob", CANAL_BYTES},
    {"mediumblob", CANAL_BYTES},
    {"longblob", CANAL_BYTES},
    {"geometry", CANAL_GEOMETRY},
    {"point", CANAL_GEOMETRY},
    {"linestring", CANAL_GEOMETRY},
    {"polygon", CANAL_GEOMETRY},
    {"multipoint", CANAL_GEOMETRY},
    {"multilinestring", CANAL_GEOMETRY},
    {"multipolygon", CANAL_GEOMETRY},
    {"geometrycollection", CANAL_GEOMETRY},
    {"geomcollection", CANAL_GEOMETRY},
    {"vector", CANAL_VECTOR},
    {"enum", CANAL_ENUM},
    {"set", CANAL_SET},
};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool same_word(const char *text, size_t len, const char *word)
{
    if (strlen(word) != len)
        return false;
    for (size_t i = 0; i < len; i++)
        if ((text[i] >= 'A' && text[i] <= 'Z' ? text[i] | 0x20 : text[i]) != word[i])
            return false;
    return true;
}

/* The numbers in the parentheses behind the word; how many. */
static unsigned read_numbers(const char *p, unsigned numbers[2])
{
    unsigned count = 0;
    while (*p == ' ')
        p++;
    if (*p != '(')
        return 0;
    for (p++; count < 2; p++) {
        char *end;
        unsigned long n = strtoul(p, &end, 10);
        if (end == p || n > UINT32_MAX)
            break;
        numbers[count++] = (unsigned)n;
        p = end;
        if (*p != ',')
            break;
    }
    return count;
}

int input_canal_type(const struct input_reader *rd, const char *text, struct canal_type *out)
{
    unsigned numbers[2] = {0, 0};
    size_t len = 0;
    while (is_letter(text[len]))
        len++;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!same_word(text, len, words[i].word))
            continue;
        *out = (struct canal_type){.kind = words[i].kind};
        unsigned count = out->kind == CANAL_ENUM || out->kind == CANAL_SET ? 0 : read_numbers(text + len, numbers);
        if (out->kind == CANAL_FLOAT && count == 1 && numbers[0] > 24)
            out->kind = CANAL_DOUBLE;
        if (out->kind == CANAL_DECIMAL && count == 2)
            out->scale = numbers[1];
        if (out->kind == CANAL_BYTES && len == strlen("binary"))
            out->length = count ? numbers[0] : 1;
        if (out->length > BINARY_LENGTH_MAX)
            break;
        const char *open = strchr(text + len, '(');
        out->labels = open ? open + 1 : NULL;
        return 0;
    }
    return input_wrong(rd, "mysqlType", "a type that is not known");
}

/* ---------------------------------------------------------------- labels */

/* The label at *p into `out` (NULL: passed), and *p behind the comma or at the end. False: there is none. */
static bool next_label(const char **p, struct buf *out)
{
    const char *at = *p;
    while (*at == ' ')
        at++;
    if (*at++ != '\'')
        return false;
    for (; *at && !(at[0] == '\'' && at[1] != '\''); at++) {
        if (at[0] == '\'' || (at[0] == '\\' && at[1]))
            at++;
        if (out)
            buf_byte(out, (uint8_t)*at);
    }
    if (*at++ != '\'')
        return false;
    while (*at == ' ' || *at == ',')
        at++;
    *p = at;
    return true;
}

/* The labels of the bits, or the one of the index, joined. */
static bool put_labels(struct input_reader *rd, const struct canal_type *type, uint64_t number)
{
    struct buf text;
    const char *p = type->labels;
    uint64_t left = number;
    buf_init(&text, 0);
    bool ok = p != NULL;
    for (unsigned i = 0; ok && left; i++) {
        bool taken = type->kind == CANAL_ENUM ? i + 1 == number : i < SET_LABELS_MAX && left >> i & 1;
        if (taken && text.len)
            buf_byte(&text, ',');
        ok = next_label(&p, taken ? &text : NULL);
        if (taken)
            left = type->kind == CANAL_ENUM ? 0 : left & ~(UINT64_C(1) << i);
    }
    if (ok)
        input_put_text(rd, (const char *)text.p, text.len);
    rd->scratch.failed |= text.failed;
    buf_release(&text);
    return ok;
}

static int put_number_of_labels(struct input_reader *rd, const struct canal_type *type, const char *text)
{
    char *end = NULL;
    uint64_t number = *text >= '0' && *text <= '9' ? strtoull(text, &end, 10) : 0;
    if (!end || *end)
        return input_wrong(rd, "data", "an ENUM or SET that is not a number");
    return put_labels(rd, type, number) ? 0 : input_wrong(rd, "mysqlType", "it does not tell the label of a value");
}

/* ---------------------------------------------------------------- values */

/* Canal leaves out a last group of zero digits of the fraction. */
static int put_decimal(struct input_reader *rd, const struct canal_type *type, const char *text, size_t len)
{
    const char *point = memchr(text, '.', len);
    size_t digits = point ? (size_t)(text + len - point) - 1 : 0;
    if (len == 0 || strspn(text, "-0123456789.") != len || type->scale > 38)
        return input_wrong(rd, "data", "a DECIMAL that is no number");
    if (type->scale == 0 && point && strspn(point + 1, "0") == digits)
        len = (size_t)(point - text);
    buf_byte(&rd->scratch, '"');
    buf_add(&rd->scratch, text, len);
    if (type->scale > digits && !point)
        buf_byte(&rd->scratch, '.');
    for (; digits < type->scale; digits++)
        buf_byte(&rd->scratch, '0');
    buf_byte(&rd->scratch, '"');
    return 0;
}

/* Each byte is the character of its number. */
static int put_bytes(struct input_reader *rd, const struct canal_type *type, const char *text, size_t len)
{
    size_t room = len > type->length ? len : type->length, n = 0;
    char *bytes = arena_alloc(rd->in->arena, room);
    if (!bytes)
        return err_set(rd->e, NO_MEMORY, room);
    for (size_t i = 0; i < len; i++) {
        uint8_t c = (uint8_t)text[i];
        if (c >= 0x80 && (c > 0xc3 || i + 1 == len))
            return input_wrong(rd, "data", "a binary value with a character that is no byte");
        bytes[n++] = (char)(c < 0x80 ? c : (c & 3) << 6 | ((uint8_t)text[++i] & 0x3f));
    }
    if (type->kind == CANAL_GEOMETRY && n < GEOMETRY_SRID_BYTES)
        return input_wrong(rd, "data", "a spatial value that is too short");
    for (; n < type->length; n++)
        bytes[n] = 0;
    if (type->kind == CANAL_VECTOR && n % sizeof(float) != 0)
        return input_wrong(rd, "data", "a vector that ends inside of a number");
    struct value v = {.kind = type->kind == CANAL_GEOMETRY ? VALUE_GEOMETRY
                              : type->kind == CANAL_VECTOR ? VALUE_VECTOR
                                                           : VALUE_BYTES};
    v.s.p = bytes;
    v.s.len = n;
    input_put_value(rd, &v);
    return 0;
}

int input_canal_value(struct input_reader *rd, const struct canal_type *type, const json_t *value)
{
    const char *text = json_string_value(value);
    size_t len = json_string_length(value);
    if (!text)
        return input_wrong(rd, "data", "a value that is no text");
    switch (type->kind) {
    case CANAL_INTEGER:
        return input_put_integer(rd, text, len) ? 0 : input_wrong(rd, "data", "not a whole number");
    case CANAL_DECIMAL:
        return put_decimal(rd, type, text, len);
    case CANAL_FLOAT:
    case CANAL_DOUBLE:
        return input_put_real(rd, text, type->kind == CANAL_FLOAT) ? 0 : input_wrong(rd, "data", "not a number");
    case CANAL_TEXT:
        input_put_text(rd, text, len);
        return 0;
    case CANAL_JSON:
        input_put_document(rd, text, len);
        return 0;
    case CANAL_BYTES:
    case CANAL_GEOMETRY:
    case CANAL_VECTOR:
        return put_bytes(rd, type, text, len);
    case CANAL_ENUM:
    case CANAL_SET:
        return put_number_of_labels(rd, type, text);
    }
    return 0;
}
