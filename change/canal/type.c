/* The SQL type of a column of which only the log is known. */
#include <stdio.h>

#include "change/canal/parts.h"

/* Most bytes of a character. */
static unsigned character_bytes(const struct coltype *type)
{
    static const uint8_t bytes[CHARSET_COUNT] = {
        [CHARSET_BIG5] = 2,   [CHARSET_CP932] = 2,   [CHARSET_EUCJPMS] = 3, [CHARSET_EUCKR] = 2, [CHARSET_GB18030] = 4,
        [CHARSET_GB2312] = 2, [CHARSET_GBK] = 2,     [CHARSET_SJIS] = 2,    [CHARSET_UJIS] = 3,  [CHARSET_UCS2] = 2,
        [CHARSET_UTF16] = 4,  [CHARSET_UTF16LE] = 4, [CHARSET_UTF32] = 4,
    };
    const char *name = NULL;
    if (type->charset == CHARSET_UTF8) {
        (void)charset_of_collation(type->collation, &name);
        return name && strncmp(name, "utf8mb4", 7) == 0 ? 4 : 3;
    }
    return bytes[type->charset] ? bytes[type->charset] : 1;
}

static void string_text(const struct coltype *type, struct buf *out)
{
    static const char *const blobs[] = {"tinyblob", "blob", "mediumblob", "longblob"};
    static const char *const texts[] = {"tinytext", "text", "mediumtext", "longtext"};
    bool binary = type->charset == CHARSET_BINARY;
    unsigned len = coltype_max_bytes(type);
    if (!binary)
        len /= character_bytes(type);
    switch (type->wire) {
    case WIRE_STRING:
        buf_printf(out, binary ? "binary(%u)" : "char(%u)", len);
        break;
    case WIRE_VARCHAR:
    case WIRE_VAR_STRING:
    case WIRE_VARCHAR_COMPRESSED:
        buf_printf(out, binary ? "varbinary(%u)" : "varchar(%u)", len);
        break;
    default:
        buf_text(out, (binary ? blobs : texts)[(type->walk - 1) & 3]);
    }
}

static void labels_text(const struct coltype *type, const char *word, struct buf *out)
{
    buf_text(out, word);
    for (uint32_t i = 0; i < type->label_count; i++) {
        const struct label *label = &type->labels[i];
        buf_text(out, i ? ",'" : "('");
        for (uint32_t k = 0; k < label->len; k++) {
            if (label->text[k] == '\'')
                buf_byte(out, '\'');
            buf_byte(out, (uint8_t)label->text[k]);
        }
        buf_byte(out, '\'');
    }
    if (type->label_count)
        buf_byte(out, ')');
}

static void number_text(const struct coltype *type, struct buf *out)
{
    static const char *const words[] = {
        [WIRE_TINY] = "tinyint", [WIRE_SHORT] = "smallint", [WIRE_LONG] = "int",       [WIRE_LONGLONG] = "bigint",
        [WIRE_FLOAT] = "float",  [WIRE_DOUBLE] = "double",  [WIRE_INT24] = "mediumint"};
    if (type->family == FAMILY_DECIMAL)
        buf_printf(out, "decimal(%u,%u)", type->meta & 255u, type->meta >> 8 & 255u);
    else
        buf_text(out, words[type->wire]);
    if (type->sign_known && type->is_unsigned)
        buf_text(out, " unsigned");
}

static void time_text(const struct coltype *type, const char *word, struct buf *out)
{
    buf_text(out, word);
    if (type->meta && type->meta != COLTYPE_SCALE_UNKNOWN)
        buf_printf(out, "(%u)", (unsigned)type->meta);
}

void canal_type_text(const struct coltype *type, struct buf *out)
{
    static const char *const words[FAMILY_COUNT] = {
        [FAMILY_NONE] = "",
        [FAMILY_YEAR] = "year",
        [FAMILY_DATE] = "date",
        [FAMILY_TIME] = "time",
        [FAMILY_TIME_OLD] = "time",
        [FAMILY_DATETIME] = "datetime",
        [FAMILY_DATETIME_OLD] = "datetime",
        [FAMILY_TIMESTAMP] = "timestamp",
        [FAMILY_TIMESTAMP_OLD] = "timestamp",
        [FAMILY_ENUM] = "enum",
        [FAMILY_SET] = "set",
        [FAMILY_UUID] = "uuid",
        [FAMILY_GEOMETRY] = "geometry",
        [FAMILY_VECTOR] = "vector",
        [FAMILY_JSON] = "json",
    };
    switch (type->family) {
    case FAMILY_INTEGER:
    case FAMILY_DECIMAL:
    case FAMILY_FLOAT:
        number_text(type, out);
        break;
    case FAMILY_BIT:
        buf_printf(out, "bit(%u)", (type->meta >> 8 & 255u) * 8 + (type->meta & 255u));
        break;
    case FAMILY_TIME:
    case FAMILY_TIME_OLD:
    case FAMILY_DATETIME:
    case FAMILY_DATETIME_OLD:
    case FAMILY_TIMESTAMP:
    case FAMILY_TIMESTAMP_OLD:
        time_text(type, words[type->family], out);
        break;
    case FAMILY_STRING:
    case FAMILY_COMPRESSED:
        string_text(type, out);
        break;
    case FAMILY_ENUM:
    case FAMILY_SET:
        labels_text(type, words[type->family], out);
        break;
    case FAMILY_INET:
        buf_text(out, type->fixed == 4 ? "inet4" : "inet6");
        break;
    default:
        buf_text(out, words[type->family]);
    }
}
