/* Optional metadata: fields of { type (1 byte), length (length-encoded), value }, each at most once.
 *
 *   type  value
 *      1  SIGNEDNESS                bitmap over the numeric columns, highest bit first: 1 = unsigned
 *      2  DEFAULT_CHARSET           collation of the character columns; then pairs: index among them, its collation.
 *                                   MySQL counts VECTOR among them, MariaDB GEOMETRY and its compressed columns
 *      3  COLUMN_CHARSET            collation of each character column
 *      4  COLUMN_NAME               name (length, bytes) of each column
 *      5  SET_STR_VALUE             per SET column: count, then labels (length, bytes)
 *      6  ENUM_STR_VALUE            the same for ENUM columns
 *      7  GEOMETRY_TYPE             type of each GEOMETRY column
 *      8  SIMPLE_PRIMARY_KEY        column indexes, in key order
 *      9  PRIMARY_KEY_WITH_PREFIX   pairs: column index, prefix length (0 = whole column)
 *     10  ENUM_AND_SET_DEFAULT_CHARSET  as 2, over the ENUM and SET columns
 *     11  ENUM_AND_SET_COLUMN_CHARSET   as 3
 *     12  COLUMN_VISIBILITY         bitmap over all columns
 *     13  VECTOR_DIMENSIONALITY     dimension of each VECTOR column
 *
 * All numbers are length-encoded integers. A type that is not in this list is skipped, as servers do.
 * Sources: libs/mysql/binlog/event/rows_event.h (Table_map_event), sql/log_event.cc (init_metadata_fields). */
#include "schema/metadata.h"

#include "value/charset.h"
#include "value/value.h"

enum field {
    FIELD_SIGNEDNESS = 1,
    FIELD_DEFAULT_CHARSET = 2,
    FIELD_COLUMN_CHARSET = 3,
    FIELD_COLUMN_NAME = 4,
    FIELD_SET_LABELS = 5,
    FIELD_ENUM_LABELS = 6,
    FIELD_GEOMETRY_TYPE = 7,
    FIELD_PRIMARY_KEY = 8,
    FIELD_PRIMARY_KEY_PREFIX = 9,
    FIELD_ENUM_SET_DEFAULT_CHARSET = 10,
    FIELD_ENUM_SET_COLUMN_CHARSET = 11,
    FIELD_VISIBILITY = 12,
    FIELD_VECTOR_DIMENSIONS = 13,
    FIELD_COUNT
};

#define COLLATION_MAX 65535

struct reading {
    struct column *columns;
    unsigned count;
    struct cursor field[FIELD_COUNT];
    bool has[FIELD_COUNT];
    struct arena *arena;
};

typedef bool kind_fn(const struct coltype *type);

static int corrupt(const char *what, struct err *e)
{
    char text[96];
    snprintf(text, sizeof text, "TABLE_MAP event, optional metadata: %s", what);
    return err_set(e, CORRUPT, text);
}

static bool is_numeric(const struct coltype *type)
{
    switch (type->wire) {
    case WIRE_TINY:
    case WIRE_SHORT:
    case WIRE_INT24:
    case WIRE_LONG:
    case WIRE_LONGLONG:
    case WIRE_NEWDECIMAL:
    case WIRE_FLOAT:
    case WIRE_DOUBLE:
    case WIRE_YEAR:
        return true;
    default:
        return false;
    }
}

static bool is_character(const struct coltype *type)
{
    switch (type->wire) {
    case WIRE_STRING:
    case WIRE_VAR_STRING:
    case WIRE_VARCHAR:
    case WIRE_BLOB:
    case WIRE_VARCHAR_COMPRESSED:
    case WIRE_BLOB_COMPRESSED:
    case WIRE_VECTOR:
        return true;
    default:
        return false;
    }
}

static bool is_mariadb_character(const struct coltype *type)
{
    return type->wire == WIRE_GEOMETRY || is_character(type);
}

static bool is_enum(const struct coltype *type)
{
    return type->wire == WIRE_ENUM;
}

static bool is_set(const struct coltype *type)
{
    return type->wire == WIRE_SET;
}

static bool is_enum_or_set(const struct coltype *type)
{
    return is_enum(type) || is_set(type);
}

static int split(struct reading *reading, struct cursor block, struct err *e)
{
    while (cursor_left(&block) && !block.bad) {
        uint8_t type = cursor_u8(&block);
        struct cursor value = cursor_sub(&block, (size_t)cursor_lenenc(&block));
        if (type >= FIELD_COUNT || type == 0)
            continue;
        if (reading->has[type])
            return corrupt("a field comes twice", e);
        reading->has[type] = true;
        reading->field[type] = value;
    }
    return block.bad ? corrupt("cut", e) : 0;
}

static int read_signs(struct reading *reading, struct err *e)
{
    if (!reading->has[FIELD_SIGNEDNESS])
        return 0;
    struct cursor *cur = &reading->field[FIELD_SIGNEDNESS];
    size_t bits = cursor_left(cur) * 8, bit = 0;
    for (unsigned i = 0; i < reading->count; i++) {
        struct coltype *type = &reading->columns[i].type;
        if (!is_numeric(type))
            continue;
        if (bit >= bits)
            return corrupt("too few signs", e);
        type->is_unsigned = cur->p[bit / 8] & (0x80u >> (bit % 8));
        type->sign_known = true;
        bit++;
    }
    return (bit + 7) / 8 == bits / 8 ? 0 : corrupt("too many signs", e);
}

static int set_collation(struct coltype *type, uint64_t collation, struct err *e)
{
    if (collation > COLLATION_MAX)
        return corrupt("collation out of range", e);
    type->collation = (uint16_t)collation;
    type->charset = (uint8_t)charset_of_collation((unsigned)collation, NULL);
    return 0;
}

/* The n-th column of a kind; NULL when there are not so many. */
static struct coltype *nth(const struct reading *reading, kind_fn *kind, uint64_t n)
{
    for (unsigned i = 0; i < reading->count; i++)
        if (kind(&reading->columns[i].type) && n-- == 0)
            return &reading->columns[i].type;
    return NULL;
}

static int read_default_charset(struct reading *reading, enum field field, kind_fn *kind, struct err *e)
{
    struct cursor *cur = &reading->field[field];
    if (!reading->has[field])
        return 0;
    uint64_t collation = cursor_lenenc(cur);
    int rc = 0;
    for (unsigned i = 0; i < reading->count && rc == 0; i++)
        if (kind(&reading->columns[i].type))
            rc = set_collation(&reading->columns[i].type, collation, e);
    for (unsigned pairs = 0; rc == 0 && cursor_left(cur); pairs++) {
        struct coltype *type = pairs < reading->count ? nth(reading, kind, cursor_lenenc(cur)) : NULL;
        collation = cursor_lenenc(cur);
        if (!type || cur->bad)
            return corrupt("charset of a column that is not there", e);
        rc = set_collation(type, collation, e);
    }
    return rc == 0 && cur->bad ? corrupt("default charset is cut", e) : rc;
}

static int read_column_charsets(struct reading *reading, enum field field, kind_fn *kind, struct err *e)
{
    struct cursor *cur = &reading->field[field];
    if (!reading->has[field])
        return 0;
    int rc = 0;
    for (unsigned i = 0; i < reading->count && rc == 0; i++)
        if (kind(&reading->columns[i].type))
            rc = set_collation(&reading->columns[i].type, cursor_lenenc(cur), e);
    return rc == 0 && cursor_finish(cur) != 0 ? corrupt("column charsets are cut or too many", e) : rc;
}

static int read_names(struct reading *reading, struct err *e)
{
    struct cursor *cur = &reading->field[FIELD_COLUMN_NAME];
    if (!reading->has[FIELD_COLUMN_NAME])
        return 0;
    for (unsigned i = 0; i < reading->count; i++) {
        uint64_t len = cursor_lenenc(cur);
        const char *name = len <= TABLE_NAME_BYTES_MAX ? (const char *)cursor_take(cur, (size_t)len) : NULL;
        if (!name || len == 0 || memchr(name, 0, (size_t)len) || !value_is_utf8(name, (size_t)len))
            return corrupt("a column has no valid name", e);
        reading->columns[i].name = arena_copy(reading->arena, name, (size_t)len);
        reading->columns[i].name_len = (uint32_t)len;
        if (!reading->columns[i].name)
            return err_set(e, NO_MEMORY, (size_t)len);
    }
    return cursor_finish(cur) == 0 ? 0 : corrupt("more names than columns", e);
}

static int read_label(struct reading *reading, const struct coltype *type, struct cursor *cur, struct label *out,
                      struct err *e)
{
    uint64_t len = cursor_lenenc(cur);
    const char *bytes = len <= cursor_left(cur) ? (const char *)cursor_take(cur, (size_t)len) : NULL;
    if (!bytes)
        return corrupt("labels are cut", e);
    struct text text = {arena_copy(reading->arena, bytes, (size_t)len), (size_t)len, false};
    if (!text.p)
        return err_set(e, NO_MEMORY, (size_t)len);
    struct err why = ERR_INIT;
    bool as_stored = type->charset == CHARSET_BINARY;
    if (!as_stored && charset_to_utf8(type, &text, reading->arena, &why) != 0) {
        if (why.code == ERR_NO_MEMORY)
            return err_set(e, NO_MEMORY, (size_t)len);
        out->text = NULL;
        return 0;
    }
    *out = (struct label){text.p, (uint32_t)text.len};
    return 0;
}

static int read_label_list(struct reading *reading, struct coltype *type, struct cursor *cur, struct err *e)
{
    uint64_t count = cursor_lenenc(cur);
    if (count > METADATA_LABELS_MAX || count > cursor_left(cur))
        return corrupt("more labels than bytes", e);
    struct label *labels = (struct label *)arena_alloc(reading->arena, (size_t)count * sizeof *labels);
    if (!labels)
        return err_set(e, NO_MEMORY, (size_t)count * sizeof *labels);
    bool known = true;
    for (uint64_t i = 0; i < count; i++) {
        int rc = read_label(reading, type, cur, &labels[i], e);
        if (rc != 0)
            return rc;
        known &= labels[i].text != NULL;
    }
    type->labels = known ? labels : NULL;
    type->label_count = known ? (uint32_t)count : 0;
    return 0;
}

static int read_labels(struct reading *reading, enum field field, kind_fn *kind, struct err *e)
{
    struct cursor *cur = &reading->field[field];
    if (!reading->has[field])
        return 0;
    for (unsigned i = 0; i < reading->count; i++) {
        if (!kind(&reading->columns[i].type))
            continue;
        int rc = read_label_list(reading, &reading->columns[i].type, cur, e);
        if (rc != 0)
            return rc;
    }
    return cursor_finish(cur) == 0 ? 0 : corrupt("more label lists than columns", e);
}

static int read_primary_key(struct reading *reading, enum field field, struct metadata *out, struct err *e)
{
    struct cursor *cur = &reading->field[field];
    if (!reading->has[field])
        return 0;
    if (out->pk)
        return corrupt("two primary keys", e);
    uint16_t *pk = (uint16_t *)arena_alloc(reading->arena, reading->count * sizeof *pk);
    if (!pk)
        return err_set(e, NO_MEMORY, reading->count * sizeof *pk);
    uint8_t named[TABLE_COLUMNS_MAX / 8] = {0};
    unsigned n = 0;
    while (cursor_left(cur)) {
        uint64_t index = cursor_lenenc(cur);
        if (field == FIELD_PRIMARY_KEY_PREFIX)
            (void)cursor_lenenc(cur);
        if (cur->bad || index >= reading->count)
            return corrupt("primary key names a column that is not there", e);
        if (named[index / 8] >> index % 8 & 1)
            return corrupt("primary key names a column twice", e);
        named[index / 8] |= (uint8_t)(1u << index % 8);
        pk[n++] = (uint16_t)index;
    }
    out->pk = pk;
    out->pk_count = n;
    return 0;
}

int metadata_read(struct metadata *out, struct column *columns, const struct wire_table *wire, struct arena *arena,
                  struct err *e)
{
    struct reading reading = {.columns = columns, .count = wire->column_count, .arena = arena};
    struct metadata found = {0};
    kind_fn *is_text = wire->mariadb ? is_mariadb_character : is_character;
    int rc = split(&reading, cursor_over(wire->optional, wire->optional ? wire->optional_len : 0), e);
    if (rc == 0)
        rc = read_signs(&reading, e);
    if (rc == 0)
        rc = read_default_charset(&reading, FIELD_DEFAULT_CHARSET, is_text, e);
    if (rc == 0)
        rc = read_column_charsets(&reading, FIELD_COLUMN_CHARSET, is_text, e);
    if (rc == 0)
        rc = read_default_charset(&reading, FIELD_ENUM_SET_DEFAULT_CHARSET, is_enum_or_set, e);
    if (rc == 0)
        rc = read_column_charsets(&reading, FIELD_ENUM_SET_COLUMN_CHARSET, is_enum_or_set, e);
    if (rc == 0)
        rc = read_names(&reading, e);
    if (rc == 0)
        rc = read_labels(&reading, FIELD_SET_LABELS, is_set, e);
    if (rc == 0)
        rc = read_labels(&reading, FIELD_ENUM_LABELS, is_enum, e);
    if (rc == 0)
        rc = read_primary_key(&reading, FIELD_PRIMARY_KEY, &found, e);
    if (rc == 0)
        rc = read_primary_key(&reading, FIELD_PRIMARY_KEY_PREFIX, &found, e);
    if (rc != 0)
        return rc;
    found.has_names = reading.has[FIELD_COLUMN_NAME];
    *out = found;
    return 0;
}
