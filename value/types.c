/* The one table of column types, and what the TABLE_MAP's metadata says of a column.
 *
 * Metadata bytes in the TABLE_MAP, by type:
 *   FLOAT DOUBLE               1  bytes of the value, 4 or 8
 *   TIMESTAMP2 DATETIME2 TIME2 1  fraction digits, 0 … 6
 *   BLOB JSON GEOMETRY VECTOR  1  bytes of the length prefix, 1 … 4
 *   VARCHAR                    2  little-endian: most bytes of a value
 *   NEWDECIMAL                 2  precision, scale
 *   BIT                        2  bits beyond whole bytes, whole bytes
 *   STRING VAR_STRING          2  real type, length: of ENUM and SET the bytes of the value; of CHAR and BINARY the low
 *                                 8 bits of its most bytes, whose bits 8 and 9 are hidden, inverted, in bits 4 and 5 of
 *                                 the real type (all real types have both set)
 *   BLOB COMPRESSED            1  as BLOB
 *   VARCHAR COMPRESSED         2  as VARCHAR, one byte more than declared
 *   all others                 0 */
#include "value/types.h"

#include <stdio.h>
#include <string.h>

static const struct type_row rows[] = {
    {WIRE_TINY, FAMILY_INTEGER, 0, "TINYINT", ""},
    {WIRE_SHORT, FAMILY_INTEGER, 0, "SMALLINT", ""},
    {WIRE_INT24, FAMILY_INTEGER, 0, "MEDIUMINT", ""},
    {WIRE_LONG, FAMILY_INTEGER, 0, "INT", ""},
    {WIRE_LONGLONG, FAMILY_INTEGER, 0, "BIGINT", ""},
    {WIRE_NEWDECIMAL, FAMILY_DECIMAL, 2, "DECIMAL", "precision, scale"},
    {WIRE_FLOAT, FAMILY_FLOAT, 1, "FLOAT", "bytes of the value"},
    {WIRE_DOUBLE, FAMILY_FLOAT, 1, "DOUBLE", "bytes of the value"},
    {WIRE_BIT, FAMILY_BIT, 2, "BIT", "bits beyond whole bytes, whole bytes"},
    {WIRE_YEAR, FAMILY_YEAR, 0, "YEAR", ""},
    {WIRE_DATE_OLD, FAMILY_DATE, 0, "DATE", ""},
    {WIRE_NEWDATE, FAMILY_DATE, 0, "DATE", ""},
    {WIRE_TIME2, FAMILY_TIME, 1, "TIME", "fraction digits"},
    {WIRE_DATETIME2, FAMILY_DATETIME, 1, "DATETIME", "fraction digits"},
    {WIRE_TIMESTAMP2, FAMILY_TIMESTAMP, 1, "TIMESTAMP", "fraction digits"},
    {WIRE_STRING, FAMILY_STRING, 2, "CHAR, BINARY", "real type, length"},
    {WIRE_VAR_STRING, FAMILY_STRING, 2, "CHAR, BINARY", "real type, length"},
    {WIRE_VARCHAR, FAMILY_STRING, 2, "VARCHAR, VARBINARY", "most bytes"},
    {WIRE_BLOB, FAMILY_STRING, 1, "TEXT, BLOB", "bytes of the length"},
    {WIRE_TINY_BLOB, FAMILY_STRING, 1, "TINYTEXT, TINYBLOB", "bytes of the length"},
    {WIRE_MEDIUM_BLOB, FAMILY_STRING, 1, "MEDIUMTEXT, MEDIUMBLOB", "bytes of the length"},
    {WIRE_LONG_BLOB, FAMILY_STRING, 1, "LONGTEXT, LONGBLOB", "bytes of the length"},
    {WIRE_ENUM, FAMILY_ENUM, 2, "ENUM", "real type, bytes of the value"},
    {WIRE_SET, FAMILY_SET, 2, "SET", "real type, bytes of the value"},
    {WIRE_JSON, FAMILY_JSON, 1, "JSON", "bytes of the length"},
    {WIRE_GEOMETRY, FAMILY_GEOMETRY, 1, "GEOMETRY", "bytes of the length"},
    {WIRE_VECTOR, FAMILY_VECTOR, 1, "VECTOR", "bytes of the length"},
    {WIRE_BLOB_COMPRESSED, FAMILY_COMPRESSED, 1, "TEXT COMPRESSED, BLOB COMPRESSED", "bytes of the length"},
    {WIRE_VARCHAR_COMPRESSED, FAMILY_COMPRESSED, 2, "VARCHAR COMPRESSED, VARBINARY COMPRESSED", "most bytes + 1"},
    {WIRE_TIMESTAMP, FAMILY_TIMESTAMP_OLD, 0, "TIMESTAMP before 5.6", ""},
    {WIRE_DATETIME, FAMILY_DATETIME_OLD, 0, "DATETIME before 5.6", ""},
    {WIRE_TIME, FAMILY_TIME_OLD, 0, "TIME before 5.6", ""},
};

#define ROW_COUNT (sizeof rows / sizeof rows[0])

const struct type_row *type_row(uint8_t wire)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (rows[i].wire == wire)
            return &rows[i];
    return NULL;
}

size_t type_rows(const struct type_row **out)
{
    *out = rows;
    return ROW_COUNT;
}

static int bad_metadata(const struct coltype *type, struct err *e)
{
    err_set(e, CORRUPT, "metadata out of range");
    err_wrap(e, "%s", type_row(type->wire)->sql_names);
    return -(int)ERR_CORRUPT;
}

/* Bytes of a group of 0 … 8 digits in a DECIMAL; nine digits take four. */
static const uint8_t decimal_bytes[9] = {0, 1, 1, 2, 2, 3, 3, 4, 4};

static int init_decimal(struct coltype *type, struct err *e)
{
    unsigned precision = type->meta & 255, scale = type->meta >> 8;
    if (precision < 1 || precision > 65 || scale > 30 || scale > precision)
        return bad_metadata(type, e);
    unsigned integer = precision - scale;
    type->fixed = (uint16_t)(integer / 9 * 4 + decimal_bytes[integer % 9] + scale / 9 * 4 + decimal_bytes[scale % 9]);
    return 0;
}

static int init_bit(struct coltype *type, struct err *e)
{
    unsigned bits = type->meta & 255, bytes = type->meta >> 8;
    if (bits > 7 || bytes > 8 || bytes * 8 + bits > 64 || bytes + bits == 0)
        return bad_metadata(type, e);
    type->fixed = (uint16_t)(bytes + (bits != 0));
    return 0;
}

/* CHAR, BINARY, ENUM and SET share the code STRING. */
static int init_string(struct coltype *type, struct err *e)
{
    unsigned real = type->meta & 255, len = type->meta >> 8;
    if ((real & 0x30) != 0x30) {
        len |= ((real & 0x30) ^ 0x30) << 4;
        real |= 0x30;
    }
    switch (real) {
    case WIRE_ENUM:
        if (len != 1 && len != 2)
            return bad_metadata(type, e);
        type->family = FAMILY_ENUM;
        break;
    case WIRE_SET:
        if (len < 1 || len > 8)
            return bad_metadata(type, e);
        type->family = FAMILY_SET;
        break;
    case WIRE_STRING:
    case WIRE_VAR_STRING:
        type->family = FAMILY_STRING;
        type->walk = len > 255 ? WALK_LEN2 : WALK_LEN1;
        type->wire = WIRE_STRING;
        return 0;
    default:
        return bad_metadata(type, e);
    }
    type->wire = (uint8_t)real;
    type->walk = WALK_FIXED;
    type->fixed = (uint16_t)len;
    return 0;
}

static int init_blob(struct coltype *type, struct err *e)
{
    if (type->meta < 1 || type->meta > 4)
        return bad_metadata(type, e);
    type->walk = (uint8_t)type->meta;
    return 0;
}

static int init_temporal(struct coltype *type, unsigned whole_bytes, struct err *e)
{
    if (type->meta > 6)
        return bad_metadata(type, e);
    type->fixed = (uint16_t)(whole_bytes + (type->meta + 1u) / 2);
    return 0;
}

static int init_fixed(struct coltype *type, unsigned bytes)
{
    type->fixed = (uint16_t)bytes;
    return 0;
}

static int init_size(struct coltype *type, struct err *e)
{
    switch (type->wire) {
    case WIRE_TINY:
    case WIRE_YEAR:
        return init_fixed(type, 1);
    case WIRE_SHORT:
        return init_fixed(type, 2);
    case WIRE_INT24:
    case WIRE_DATE_OLD:
    case WIRE_NEWDATE:
        return init_fixed(type, 3);
    case WIRE_LONG:
        return init_fixed(type, 4);
    case WIRE_LONGLONG:
        return init_fixed(type, 8);
    case WIRE_TIME:
    case WIRE_DATETIME:
    case WIRE_TIMESTAMP:
        type->meta = COLTYPE_SCALE_UNKNOWN; /* and so are the bytes, see declared.c */
        return 0;
    case WIRE_FLOAT:
    case WIRE_DOUBLE:
        if (type->meta != (type->wire == WIRE_FLOAT ? 4 : 8))
            return bad_metadata(type, e);
        return init_fixed(type, type->meta);
    case WIRE_NEWDECIMAL:
        return init_decimal(type, e);
    case WIRE_BIT:
        return init_bit(type, e);
    case WIRE_TIME2:
        return init_temporal(type, 3, e);
    case WIRE_DATETIME2:
        return init_temporal(type, 5, e);
    case WIRE_TIMESTAMP2:
        return init_temporal(type, 4, e);
    case WIRE_VARCHAR:
    case WIRE_VARCHAR_COMPRESSED:
        type->walk = type->meta > 255 ? WALK_LEN2 : WALK_LEN1;
        return 0;
    case WIRE_STRING:
    case WIRE_VAR_STRING:
    case WIRE_ENUM:
    case WIRE_SET:
        return init_string(type, e);
    default:
        return init_blob(type, e);
    }
}

int coltype_init(struct coltype *out, uint8_t wire, struct cursor *metadata, struct err *e)
{
    const struct type_row *row = type_row(wire);
    if (!row) {
        char code[16];
        snprintf(code, sizeof code, "code %u", (unsigned)wire);
        return err_set(e, VALUE_UNSUPPORTED, code);
    }
    struct coltype type = {.wire = wire, .family = row->family, .walk = WALK_FIXED};
    type.meta = (uint16_t)cursor_le(metadata, row->meta_bytes);
    if (metadata->bad)
        return err_set(e, CORRUPT, "metadata of the columns ends early");
    int rc = init_size(&type, e);
    if (rc == 0)
        *out = type;
    return rc;
}

uint32_t coltype_max_bytes(const struct coltype *type)
{
    if (type->family != FAMILY_STRING && type->family != FAMILY_COMPRESSED)
        return 0;
    if (type->wire == WIRE_VARCHAR_COMPRESSED)
        return type->meta ? type->meta - 1u : 0;
    if (type->wire == WIRE_VARCHAR)
        return type->meta;
    if (type->wire == WIRE_STRING)
        return (type->meta >> 8 & 255u) | ((type->meta & 0x30u) ^ 0x30u) << 4;
    return (uint32_t)((1ull << (8 * type->walk)) - 1);
}

/* "TEXT", "LONGBLOB", "VARBINARY(16 bytes)": a string's name depends on its length and on its charset. */
static void print_string(const struct coltype *type, char *out, size_t size)
{
    bool binary = type->charset == CHARSET_BINARY;
    const char *compressed = type->family == FAMILY_COMPRESSED ? " COMPRESSED" : "";
    static const char *const sizes[] = {"", "TINY", "", "MEDIUM", "LONG"};
    if (type->wire == WIRE_VARCHAR || type->wire == WIRE_VARCHAR_COMPRESSED)
        snprintf(out, size, "%s(%u bytes)%s", binary ? "VARBINARY" : "VARCHAR", coltype_max_bytes(type), compressed);
    else if (type->wire == WIRE_STRING)
        snprintf(out, size, "%s(%u bytes)", binary ? "BINARY" : "CHAR", coltype_max_bytes(type));
    else
        snprintf(out, size, "%s%s%s", sizes[type->walk], binary ? "BLOB" : "TEXT", compressed);
}

/* "TIME before 5.6", "TIME(3) before 5.6": the name of the table's row with the digits in it. */
static void print_old(const struct coltype *type, const char *name, char *out, size_t size)
{
    int word = (int)strcspn(name, " ");
    if (type->meta == 0 || type->meta == COLTYPE_SCALE_UNKNOWN)
        snprintf(out, size, "%s", name);
    else
        snprintf(out, size, "%.*s(%u)%s", word, name, (unsigned)type->meta, name + word);
}

void coltype_print(const struct coltype *type, char *out, size_t size)
{
    const struct type_row *row = type_row(type->wire);
    const char *name = row ? row->sql_names : "unknown";
    switch (type->family) {
    case FAMILY_INTEGER:
        snprintf(out, size, "%s%s", name, type->sign_known && type->is_unsigned ? " UNSIGNED" : "");
        break;
    case FAMILY_DECIMAL:
        snprintf(out, size, "DECIMAL(%u,%u)", type->meta & 255u, type->meta >> 8 & 255u);
        break;
    case FAMILY_BIT:
        snprintf(out, size, "BIT(%u)", (type->meta >> 8 & 255u) * 8 + (type->meta & 255u));
        break;
    case FAMILY_TIME:
    case FAMILY_DATETIME:
    case FAMILY_TIMESTAMP:
        snprintf(out, size, type->meta ? "%s(%u)" : "%s", name, (unsigned)type->meta);
        break;
    case FAMILY_TIME_OLD:
    case FAMILY_DATETIME_OLD:
    case FAMILY_TIMESTAMP_OLD:
        print_old(type, name, out, size);
        break;
    case FAMILY_STRING:
    case FAMILY_COMPRESSED:
        print_string(type, out, size);
        break;
    case FAMILY_UUID:
        snprintf(out, size, "UUID");
        break;
    case FAMILY_INET:
        snprintf(out, size, "INET%u", type->fixed == 4 ? 4u : 6u);
        break;
    case FAMILY_VECTOR:
        snprintf(out, size, "VECTOR");
        break;
    default:
        snprintf(out, size, "%s", name);
    }
}
