/* Values by Connect schema: the primitive type, or the logical one in "name". Sources: debezium/debezium
 * io.debezium.time and io.debezium.data; apache/kafka connect/api org.apache.kafka.connect.data. */
#include <stdlib.h>
#include <string.h>

#include "change/input_debezium.h"
#include "value/write.h"

#define DAY_US         INT64_C(86400000000)
#define DAY_FIRST      (-719162) /* 0001-01-01 */
#define DAY_LAST       2932896   /* 9999-12-31 */
#define TIME_US_MAX    (839 * INT64_C(3600000000))
#define DECIMAL_BYTES  32 /* 65 digits need 27 */
#define DECIMAL_DIGITS 80
#define DECIMAL_SCALE  30
#define BITS_BYTES     8
#define NUMBER_LEN_MAX 40

struct logical;
typedef bool put_fn(struct input_reader *rd, const struct logical *type, const json_t *schema,
                    const struct input_json *value);

struct logical {
    const char *name;
    put_fn *put;
    int64_t unit;    /* of temporal types: how many are a microsecond (negative), or how many of those it is */
    unsigned digits; /* of the fraction, when there is one */
};

static bool whole_number(const struct input_json *value, int64_t *out)
{
    char copy[NUMBER_LEN_MAX + 1], *end;
    if (!json_is_number(value->json) || value->text.len > NUMBER_LEN_MAX)
        return false;
    memcpy(copy, value->text.p, value->text.len);
    copy[value->text.len] = '\0';
    *out = strtoll(copy, &end, 10);
    return *end == '\0' && *out > INT64_MIN && *out < INT64_MAX;
}

static bool microseconds(const struct logical *type, const struct input_json *value, int64_t *us)
{
    int64_t n;
    if (!whole_number(value, &n))
        return false;
    if (type->unit < 0)
        *us = n / -type->unit - (n % -type->unit < 0);
    else if (n > INT64_MAX / type->unit || n < INT64_MIN / type->unit)
        return false;
    else
        *us = n * type->unit;
    return true;
}

static void put_quoted(struct input_reader *rd, const uint8_t *p, size_t len)
{
    input_put_text(rd, (const char *)p, len);
}

static bool put_date(struct input_reader *rd, const struct logical *type, const json_t *schema,
                     const struct input_json *value)
{
    uint8_t text[WRITE_DATE_MAX];
    int64_t days;
    (void)type;
    (void)schema;
    if (!whole_number(value, &days) || days < DAY_FIRST || days > DAY_LAST)
        return false;
    write_days(text, (uint32_t)days);
    put_quoted(rd, text, WRITE_DATE_MAX);
    return true;
}

static uint8_t *write_fraction_of(uint8_t *o, const struct logical *type, int64_t us)
{
    return us % 1000000 == 0 && type->digits == 3 ? o : write_fraction(o, (uint32_t)(us % 1000000), type->digits);
}

static bool put_datetime(struct input_reader *rd, const struct logical *type, const json_t *schema,
                         const struct input_json *value)
{
    uint8_t text[WRITE_DATETIME_MAX], *o = text;
    int64_t us;
    (void)schema;
    if (!microseconds(type, value, &us))
        return false;
    int64_t days = us / DAY_US - (us % DAY_US < 0), clock = us - days * DAY_US;
    if (days < DAY_FIRST || days > DAY_LAST)
        return false;
    o = write_days(o, (uint32_t)days);
    *o++ = ' ';
    o = write_clock(o, (unsigned)(clock / 3600000000), (unsigned)(clock / 60000000 % 60),
                    (unsigned)(clock / 1000000 % 60));
    o = write_fraction_of(o, type, clock);
    put_quoted(rd, text, (size_t)(o - text));
    return true;
}

/* TIME: its fraction digits are not told; none where it has none. */
static bool put_time(struct input_reader *rd, const struct logical *type, const json_t *schema,
                     const struct input_json *value)
{
    uint8_t text[WRITE_TIME_MAX + 1];
    int64_t us;
    (void)schema;
    if (!microseconds(type, value, &us) || us <= -TIME_US_MAX || us >= TIME_US_MAX)
        return false;
    struct value v = {.kind = VALUE_TIME};
    v.t.negative = us < 0;
    us = us < 0 ? -us : us;
    v.t.hour = (uint16_t)(us / 3600000000);
    v.t.minute = (uint8_t)(us / 60000000 % 60);
    v.t.second = (uint8_t)(us / 1000000 % 60);
    v.t.us = (uint32_t)(us % 1000000);
    v.scale = v.t.us == 0 ? 0 : v.t.us % 1000 == 0 ? 3 : 6;
    put_quoted(rd, text, (size_t)(write_time(text, &v) - text));
    return true;
}

/* The bytes behind base64, in the arena. */
static bool read_bytes(struct input_reader *rd, const struct input_json *value, struct value *out)
{
    struct json_span text;
    if (!json_is_string(value->json))
        return false;
    buf_text(&rd->scratch, "{\"base64\":");
    input_put_text(rd, json_string_value(value->json), json_string_length(value->json));
    buf_byte(&rd->scratch, '}');
    return input_take(rd, &text) == 0 && json_scan_value(&text, out, rd->in->arena, NULL) == 0;
}

static bool put_bytes(struct input_reader *rd, const struct logical *type, const json_t *schema,
                      const struct input_json *value)
{
    struct value v;
    (void)type;
    (void)schema;
    if (!read_bytes(rd, value, &v))
        return false;
    input_put_value(rd, &v);
    return true;
}

/* The lowest byte first. */
static bool put_bits(struct input_reader *rd, const struct logical *type, const json_t *schema,
                     const struct input_json *value)
{
    struct value v, bits = {.kind = VALUE_UINT};
    (void)type;
    (void)schema;
    if (!read_bytes(rd, value, &v))
        return false;
    for (size_t i = 0; i < v.s.len; i++) {
        if (i >= BITS_BYTES && v.s.p[i] != 0)
            return false;
        if (i < BITS_BYTES)
            bits.u |= (uint64_t)(uint8_t)v.s.p[i] << (8 * i);
    }
    input_put_value(rd, &bits);
    return true;
}

/* Digits of a number of big-endian bytes, which it uses up; the first one's place in `digits`. */
static size_t divide_out(uint8_t *bytes, size_t len, char digits[DECIMAL_DIGITS], unsigned least)
{
    size_t at = DECIMAL_DIGITS, count = 0;
    bool rest = true;
    while ((rest || count < least) && at > 0) {
        unsigned carry = 0;
        rest = false;
        for (size_t i = 0; i < len; i++) {
            unsigned n = carry << 8 | bytes[i];
            bytes[i] = (uint8_t)(n / 10);
            carry = n % 10;
            rest |= bytes[i] != 0;
        }
        digits[--at] = (char)('0' + carry);
        count++;
    }
    return at;
}

/* The unscaled value, two's complement, the highest byte first; "scale" is a parameter of the schema. */
static bool put_decimal(struct input_reader *rd, const struct logical *type, const json_t *schema,
                        const struct input_json *value)
{
    const char *scale_text = json_string_value(json_object_get(json_object_get(schema, "parameters"), "scale"));
    char digits[DECIMAL_DIGITS], *end = NULL;
    uint8_t bytes[DECIMAL_BYTES];
    struct value v;
    (void)type;
    unsigned long scale = scale_text ? strtoul(scale_text, &end, 10) : 0;
    if (!end || *end || end == scale_text || scale > DECIMAL_SCALE || !read_bytes(rd, value, &v) || v.s.len == 0 ||
        v.s.len > sizeof bytes)
        return false;
    bool negative = (uint8_t)v.s.p[0] & 0x80;
    memcpy(bytes, v.s.p, v.s.len);
    unsigned carry = 1;
    for (size_t i = v.s.len; negative && i-- > 0;) {
        carry += (uint8_t)~bytes[i];
        bytes[i] = (uint8_t)carry;
        carry >>= 8;
    }
    size_t at = divide_out(bytes, v.s.len, digits, (unsigned)scale + 1);
    buf_printf(&rd->scratch, "\"%s%.*s", negative ? "-" : "", (int)(DECIMAL_DIGITS - scale - at), digits + at);
    if (scale)
        buf_printf(&rd->scratch, ".%.*s", (int)scale, digits + DECIMAL_DIGITS - scale);
    buf_byte(&rd->scratch, '"');
    return true;
}

static bool put_string(struct input_reader *rd, const struct logical *type, const json_t *schema,
                       const struct input_json *value)
{
    (void)type;
    (void)schema;
    if (!json_is_string(value->json))
        return false;
    input_put_text(rd, json_string_value(value->json), json_string_length(value->json));
    return true;
}

/* A comma inside a label has a backslash. */
static bool put_label(struct input_reader *rd, const struct logical *type, const json_t *schema,
                      const struct input_json *value)
{
    const char *text = json_string_value(value->json);
    size_t len = json_string_length(value->json), to = 0;
    (void)type;
    (void)schema;
    char *plain = text ? arena_alloc(rd->in->arena, len) : NULL;
    if (!plain)
        return false;
    for (size_t i = 0; i < len; i++)
        if (text[i] != '\\' || i + 1 == len || text[i + 1] != ',')
            plain[to++] = text[i];
    input_put_text(rd, plain, to);
    return true;
}

static bool put_json(struct input_reader *rd, const struct logical *type, const json_t *schema,
                     const struct input_json *value)
{
    (void)type;
    (void)schema;
    if (!json_is_string(value->json))
        return false;
    input_put_document(rd, json_string_value(value->json), json_string_length(value->json));
    return true;
}

static bool put_spatial(struct input_reader *rd, const struct logical *type, const json_t *schema,
                        const struct input_json *value)
{
    (void)type;
    (void)schema;
    return input_put_geometry(rd, value);
}

/* Numbers and arrays of them as they are written: the scanner looks at them when they are taken. */
static bool put_plain(struct input_reader *rd, const struct logical *type, const json_t *schema,
                      const struct input_json *value)
{
    (void)type;
    (void)schema;
    if (!json_is_array(value->json))
        return false;
    buf_add(&rd->scratch, value->text.p, value->text.len);
    return true;
}

static bool put_integer(struct input_reader *rd, const struct logical *type, const json_t *schema,
                        const struct input_json *value)
{
    (void)type;
    (void)schema;
    return json_is_number(value->json) && input_put_integer(rd, value->text.p, value->text.len);
}

/* YEAR begins with 1901: 1900 is the year 0000. */
static bool put_year(struct input_reader *rd, const struct logical *type, const json_t *schema,
                     const struct input_json *value)
{
    int64_t year;
    (void)type;
    (void)schema;
    if (!whole_number(value, &year))
        return false;
    buf_printf(&rd->scratch, "%lld", year == 1900 ? 0LL : (long long)year);
    return true;
}

static bool put_real(struct input_reader *rd, const struct logical *type, const json_t *schema,
                     const struct input_json *value)
{
    char copy[NUMBER_LEN_MAX + 1];
    (void)schema;
    if (!json_is_number(value->json) || value->text.len > NUMBER_LEN_MAX)
        return false;
    memcpy(copy, value->text.p, value->text.len);
    copy[value->text.len] = '\0';
    return input_put_real(rd, copy, type->digits == 1);
}

static bool put_boolean(struct input_reader *rd, const struct logical *type, const json_t *schema,
                        const struct input_json *value)
{
    (void)type;
    (void)schema;
    buf_byte(&rd->scratch, json_is_true(value->json) ? '1' : '0');
    return json_is_boolean(value->json);
}

static const struct logical logicals[] = {
    {"io.debezium.time.Date", put_date, 0, 0},
    {"org.apache.kafka.connect.data.Date", put_date, 0, 0},
    {"io.debezium.time.Timestamp", put_datetime, 1000, 3},
    {"org.apache.kafka.connect.data.Timestamp", put_datetime, 1000, 3},
    {"io.debezium.time.MicroTimestamp", put_datetime, 1, 6},
    {"io.debezium.time.NanoTimestamp", put_datetime, -1000, 6},
    {"io.debezium.time.Time", put_time, 1000, 0},
    {"org.apache.kafka.connect.data.Time", put_time, 1000, 0},
    {"io.debezium.time.MicroTime", put_time, 1, 0},
    {"io.debezium.time.NanoTime", put_time, -1000, 0},
    {"io.debezium.time.ZonedTimestamp", put_string, 0, 0},
    {"io.debezium.time.Year", put_year, 0, 0},
    {"org.apache.kafka.connect.data.Decimal", put_decimal, 0, 0},
    {"io.debezium.data.Bits", put_bits, 0, 0},
    {"io.debezium.data.Json", put_json, 0, 0},
    {"io.debezium.data.Enum", put_label, 0, 0},
    {"io.debezium.data.EnumSet", put_label, 0, 0},
    {"io.debezium.data.Uuid", put_string, 0, 0},
    {"io.debezium.data.FloatVector", put_plain, 0, 0},
    {"io.debezium.data.geometry.Point", put_spatial, 0, 0},
    {"io.debezium.data.geometry.Geometry", put_spatial, 0, 0},
    {"io.debezium.data.geometry.Geography", put_spatial, 0, 0},
};

static const struct logical primitives[] = {
    {"int8", put_integer, 0, 0},    {"int16", put_integer, 0, 0}, {"int32", put_integer, 0, 0},
    {"int64", put_integer, 0, 0},   {"float", put_real, 0, 1},    {"double", put_real, 0, 2},
    {"boolean", put_boolean, 0, 0}, {"string", put_string, 0, 0}, {"bytes", put_bytes, 0, 0},
};

static int put_by(struct input_reader *rd, const struct logical *type, const json_t *schema,
                  const struct input_json *value, struct input_column *column)
{
    column->decimal |= type->put == put_decimal;
    return type->put(rd, type, schema, value) ? 0 : input_wrong(rd, type->name, "a value that does not fit its schema");
}

/* Without a schema nothing tells a number of days from a number. */
static int put_untold(struct input_reader *rd, const struct input_json *value)
{
    static const struct logical boolean = {.put = put_boolean};
    if (json_is_boolean(value->json)) {
        (void)put_boolean(rd, &boolean, NULL, value);
    } else if (json_is_object(value->json) && json_object_get(value->json, "wkb")) {
        if (!input_put_geometry(rd, value))
            return input_wrong(rd, "wkb", "not a geometry");
    } else if (json_is_object(value->json)) {
        input_put_document(rd, value->text.p, value->text.len);
    } else if (!json_is_number(value->json) || !input_put_integer(rd, value->text.p, value->text.len)) {
        buf_add(&rd->scratch, value->text.p, value->text.len);
    }
    return 0;
}

int input_debezium_value(struct input_reader *rd, const json_t *schema, const struct input_json *value,
                         struct input_column *column)
{
    const char *name = json_string_value(json_object_get(schema, "name"));
    const char *type = json_string_value(json_object_get(schema, "type"));
    if (!schema)
        return put_untold(rd, value);
    for (size_t i = 0; name && i < sizeof logicals / sizeof *logicals; i++)
        if (strcmp(name, logicals[i].name) == 0)
            return put_by(rd, &logicals[i], schema, value, column);
    for (size_t i = 0; !name && type && i < sizeof primitives / sizeof *primitives; i++)
        if (strcmp(type, primitives[i].name) == 0)
            return put_by(rd, &primitives[i], schema, value, column);
    return input_wrong(rd, name ? name : "schema", "a type that is not known");
}
