/* One value: dispatch to its family. */
#include "value/value.h"

#include "value/family.h"

struct family_ops {
    value_read_fn *read;
};

static const struct family_ops families[FAMILY_COUNT] = {
    [FAMILY_INTEGER] = {integer_read},
    [FAMILY_DECIMAL] = {decimal_read},
    [FAMILY_FLOAT] = {float_read},
    [FAMILY_BIT] = {bit_read},
    [FAMILY_YEAR] = {year_read},
    [FAMILY_DATE] = {date_read},
    [FAMILY_TIME] = {time_read},
    [FAMILY_DATETIME] = {datetime_read},
    [FAMILY_TIMESTAMP] = {timestamp_read},
    [FAMILY_STRING] = {string_read},
    [FAMILY_ENUM] = {enum_read},
    [FAMILY_SET] = {set_read},
    [FAMILY_TIME_OLD] = {time_old_read},
    [FAMILY_DATETIME_OLD] = {datetime_old_read},
    [FAMILY_TIMESTAMP_OLD] = {timestamp_old_read},
    [FAMILY_COMPRESSED] = {compressed_read},
    [FAMILY_UUID] = {uuid_read},
    [FAMILY_INET] = {inet_read},
    [FAMILY_GEOMETRY] = {geometry_read},
    [FAMILY_VECTOR] = {vector_read},
    [FAMILY_JSON] = {json_read},
};

struct kind_ops {
    value_write_fn *text;
    value_write_fn *json;
};

static void nothing_text(const struct value *v, struct buf *out)
{
    (void)v;
    (void)out;
}

static void null_json(const struct value *v, struct buf *out)
{
    (void)v;
    buf_add(out, "null", 4);
}

static const struct kind_ops kinds[] = {
    [VALUE_ABSENT] = {nothing_text, null_json},
    [VALUE_NULL] = {nothing_text, null_json},
    [VALUE_INT] = {integer_text, integer_json},
    [VALUE_UINT] = {integer_text, integer_json},
    [VALUE_DECIMAL] = {decimal_text, decimal_json},
    [VALUE_FLOAT] = {float_text, float_json},
    [VALUE_DOUBLE] = {float_text, float_json},
    [VALUE_BIT] = {bit_text, bit_json},
    [VALUE_YEAR] = {year_text, year_json},
    [VALUE_DATE] = {date_text, date_json},
    [VALUE_TIME] = {time_text, time_json},
    [VALUE_DATETIME] = {datetime_text, datetime_json},
    [VALUE_TIMESTAMP] = {timestamp_text, timestamp_json},
    [VALUE_TEXT] = {string_text, string_json},
    [VALUE_BYTES] = {string_text, string_json},
    [VALUE_ENUM] = {enum_text, enum_json},
    [VALUE_SET] = {set_text, set_json},
    [VALUE_JSON] = {string_text, string_json},
    [VALUE_GEOMETRY] = {string_text, geometry_json},
    [VALUE_VECTOR] = {vector_text, vector_json},
    [VALUE_JSON_DIFF] = {nothing_text, string_text},
};

int family_corrupt(const struct coltype *type, const char *what, struct err *e)
{
    char name[64];
    coltype_print(type, name, sizeof name);
    err_set(e, CORRUPT, what);
    err_wrap(e, "%s", name);
    return -(int)ERR_CORRUPT;
}

int family_uncertain(const struct coltype *type, const char *what, struct err *e)
{
    char name[64];
    coltype_print(type, name, sizeof name);
    return err_set(e, TYPE_UNCERTAIN, what, name);
}

int value_read(const struct coltype *type, const uint8_t *bytes, size_t len, struct value *out, struct arena *arena,
               struct err *e)
{
    if (type->family >= FAMILY_COUNT || !families[type->family].read) {
        char name[64];
        coltype_print(type, name, sizeof name);
        return err_set(e, VALUE_UNSUPPORTED, name);
    }
    if (type->walk == WALK_FIXED ? len != type->fixed : len < type->walk)
        return family_corrupt(type, "value of the wrong size", e);
    return families[type->family].read(type, (struct bytes){bytes, len}, out, arena, e);
}

void value_text(const struct value *v, struct buf *out)
{
    kinds[v->kind].text(v, out);
}

void value_json(const struct value *v, struct buf *out)
{
    kinds[v->kind].json(v, out);
}
