/* Column values in Canal's text. Source: alibaba/canal, RowsLogBuffer#fetchValue and LogEventConvert#parseOneRow; the
 * rules stand in docs/peers/canal.md. */
#include "change/canal/parts.h"
#include "value/java.h"
#include "value/json_styles.h"
#include "value/write.h"

/* java.sql.Types */
enum {
    SQL_BIT = -7,
    SQL_TINYINT = -6,
    SQL_BIGINT = -5,
    SQL_CHAR = 1,
    SQL_DECIMAL = 3,
    SQL_INTEGER = 4,
    SQL_SMALLINT = 5,
    SQL_REAL = 7,
    SQL_DOUBLE = 8,
    SQL_VARCHAR = 12,
    SQL_DATE = 91,
    SQL_TIME = 92,
    SQL_TIMESTAMP = 93,
    SQL_OTHER = 1111,
    SQL_BLOB = 2004,
    SQL_CLOB = 2005
};

#define REPLACEMENT     "\xef\xbf\xbd"
#define REPLACEMENT_LEN 3

static uint8_t *write_unsigned(uint8_t *o, const struct canal_cell *cell, const uint8_t *p, size_t len)
{
    (void)cell;
    return plan_quoted(o, write_uint(o + 1, plan_le(p, len)));
}

static uint8_t *write_signed(uint8_t *o, const struct canal_cell *cell, const uint8_t *p, size_t len)
{
    unsigned unused = 64 - 8 * (unsigned)len;
    (void)cell;
    return plan_quoted(o, write_int(o + 1, (int64_t)(plan_le(p, len) << unused) >> unused));
}

static uint8_t *write_digits_of(uint8_t *o, const struct canal_cell *cell, const uint8_t *p, size_t len)
{
    (void)len;
    uint8_t *end = write_decimal(o + 1, p, cell->precision, cell->scale);
    return end ? plan_quoted(o, canal_decimal_end(end, cell->scale)) : NULL;
}

static uint8_t *write_real(uint8_t *o, const struct canal_cell *cell, const uint8_t *p, size_t len)
{
    uint64_t bits = plan_le(p, len);
    (void)cell;
    if (len == sizeof(float)) {
        uint32_t half = (uint32_t)bits;
        float f;
        memcpy(&f, &half, sizeof f);
        return (half >> 23 & 0xff) == 0xff ? NULL : plan_quoted(o, write_java_float(o + 1, f));
    }
    double d;
    memcpy(&d, &bits, sizeof d);
    return (bits >> 52 & 0x7ff) == 0x7ff ? NULL : plan_quoted(o, write_java_double(o + 1, d));
}

static uint8_t *write_bits(uint8_t *o, const struct canal_cell *cell, const uint8_t *p, size_t len)
{
    uint64_t v = 0;
    for (size_t i = 0; i < len; i++)
        v = v << 8 | p[i];
    return cell->precision < 64 && v >> cell->precision ? NULL : plan_quoted(o, write_uint(o + 1, v));
}

static uint8_t *write_year(uint8_t *o, const struct canal_cell *cell, const uint8_t *p, size_t len)
{
    (void)cell;
    (void)len;
    return plan_quoted(o, write_4(o + 1, p[0] ? 1900u + p[0] : 0));
}

static uint8_t *write_date_of(uint8_t *o, const struct canal_cell *cell, const uint8_t *p, size_t len)
{
    struct value v;
    (void)cell;
    (void)len;
    return read_date(p, &v) ? plan_quoted(o, write_date(o + 1, v.t.year, v.t.month, v.t.day)) : NULL;
}

static uint8_t *write_time_of(uint8_t *o, const struct canal_cell *cell, const uint8_t *p, size_t len)
{
    struct value v;
    (void)len;
    return read_time(p, cell->scale, &v) ? plan_quoted(o, write_time(o + 1, &v)) : NULL;
}

static uint8_t *write_datetime_of(uint8_t *o, const struct canal_cell *cell, const uint8_t *p, size_t len)
{
    struct value v;
    (void)len;
    return read_datetime(p, cell->scale, &v) ? plan_quoted(o, write_datetime(o + 1, &v)) : NULL;
}

/* As a DATETIME in UTC. */
static uint8_t *write_seconds(uint8_t *o, const struct value *v)
{
    uint8_t text[WRITE_TIMESTAMP_MAX];
    size_t len = (size_t)(write_timestamp(text, (uint32_t)v->ts.seconds, v->ts.us, v->scale) - text);
    if (text[WRITE_DATE_MAX] == 'T') {
        text[WRITE_DATE_MAX] = ' ';
        len--; /* Z */
    }
    memcpy(o + 1, text, len);
    return plan_quoted(o, o + 1 + len);
}

static uint8_t *write_timestamp_of(uint8_t *o, const struct canal_cell *cell, const uint8_t *p, size_t len)
{
    struct value v;
    (void)len;
    return read_timestamp(p, cell->scale, &v) ? write_seconds(o, &v) : NULL;
}

static uint8_t *write_time_old(uint8_t *o, const struct canal_cell *cell, const uint8_t *p, size_t len)
{
    struct value v;
    (void)len;
    return read_time_old(p, cell->scale, &v) ? plan_quoted(o, write_time(o + 1, &v)) : NULL;
}

static uint8_t *write_datetime_old(uint8_t *o, const struct canal_cell *cell, const uint8_t *p, size_t len)
{
    struct value v;
    (void)len;
    return read_datetime_old(p, cell->scale, &v) ? plan_quoted(o, write_datetime(o + 1, &v)) : NULL;
}

static uint8_t *write_timestamp_old(uint8_t *o, const struct canal_cell *cell, const uint8_t *p, size_t len)
{
    struct value v;
    (void)len;
    return read_timestamp_old(p, cell->scale, &v) ? write_seconds(o, &v) : NULL;
}

/* ---------------------------------------------------------------- text */

static bool is_tail(uint8_t c)
{
    return (c & 0xc0) == 0x80;
}

/* Bytes from p on that Java's decoder takes at once, and whether they are a character: of a surrogate it takes all
 * three, else the longest part that may begin a character. */
static size_t java_step(const uint8_t *p, size_t left, bool *well_formed)
{
    uint8_t c = p[0], second = left > 1 ? p[1] : 0;
    size_t want = c < 0x80 ? 1 : c >= 0xc2 && c < 0xe0 ? 2 : (c & 0xf0) == 0xe0 ? 3 : c >= 0xf0 && c <= 0xf4 ? 4 : 0;
    *well_formed = want == 1;
    if (want < 2 || !is_tail(second) || (c == 0xe0 && second < 0xa0) || (c == 0xf0 && second < 0x90) ||
        (c == 0xf4 && second > 0x8f))
        return 1;
    size_t n = 2;
    while (n < want && n < left && is_tail(p[n]))
        n++;
    *well_formed = n == want && !(c == 0xed && second > 0x9f);
    return n;
}

static uint8_t *write_replaced(uint8_t *o, const uint8_t *p, size_t len)
{
    bool well_formed;
    *o++ = '"';
    for (size_t i = 0, step; i < len; i += step) {
        step = java_step(p + i, len - i, &well_formed);
        if (well_formed) {
            o = write_json_escaped(o, p + i, step);
        } else {
            memcpy(o, REPLACEMENT, REPLACEMENT_LEN);
            o += REPLACEMENT_LEN;
        }
    }
    *o++ = '"';
    return o;
}

#define TEXT_MAX(len) (6 * (len) + 16)

/* write_json_text tells of bytes that are no UTF-8 by an object. */
static uint8_t *write_text(uint8_t *o, const uint8_t *p, size_t len)
{
    uint8_t *end = write_json_text(o, p, len);
    return *o == '"' ? end : write_replaced(o, p, len);
}

static uint8_t *write_string(uint8_t *o, const struct canal_cell *cell, const uint8_t *p, size_t len)
{
    return len > cell->max_bytes ? NULL : write_text(o, p, len);
}

/* Each byte as the character of its number. */
static uint8_t *write_latin1(uint8_t *o, const uint8_t *p, size_t len)
{
    *o++ = '"';
    for (size_t i = 0; i < len;) {
        size_t run = i;
        while (run < len && p[run] < 0x80)
            run++;
        o = write_json_escaped(o, p + i, run - i);
        for (i = run; i < len && p[i] >= 0x80; i++)
            o = write_utf8(o, p[i]);
    }
    *o++ = '"';
    return o;
}

static uint8_t *write_bytes(uint8_t *o, const struct canal_cell *cell, const uint8_t *p, size_t len)
{
    return cell->max_bytes && len > cell->max_bytes ? NULL : write_latin1(o, p, len);
}

/* UUID and INET, whose zero bytes at the end the log leaves out. */
static uint8_t *write_uuid_of(uint8_t *o, const struct canal_cell *cell, const uint8_t *p, size_t len)
{
    return write_address(o, true, cell->max_bytes, p, len);
}

static uint8_t *write_inet_of(uint8_t *o, const struct canal_cell *cell, const uint8_t *p, size_t len)
{
    return write_address(o, false, cell->max_bytes, p, len);
}

/* ---------------------------------------------------------------- the table */

#define NUMBER_MAX (WRITE_UINT_MAX + 4)
#define TIME_MAX   (WRITE_TIMESTAMP_MAX + 4)

struct canal_family {
    canal_write_fn *write;
    int16_t sql, null;
    uint16_t fixed;
    uint8_t each;
};

static const struct canal_family families[FAMILY_COUNT] = {
    [FAMILY_NONE] = {NULL, SQL_VARCHAR, SQL_VARCHAR, 0, 0},
    [FAMILY_INTEGER] = {write_signed, SQL_INTEGER, SQL_INTEGER, NUMBER_MAX, 0},
    [FAMILY_DECIMAL] = {write_digits_of, SQL_DECIMAL, SQL_DECIMAL, WRITE_DECIMAL_MAX + 4, 0},
    [FAMILY_FLOAT] = {write_real, SQL_DOUBLE, SQL_DOUBLE, WRITE_JAVA_MAX + 4, 0},
    [FAMILY_BIT] = {write_bits, SQL_BIT, SQL_BIT, NUMBER_MAX, 0},
    [FAMILY_YEAR] = {write_year, SQL_VARCHAR, SQL_VARCHAR, NUMBER_MAX, 0},
    [FAMILY_DATE] = {write_date_of, SQL_DATE, SQL_DATE, TIME_MAX, 0},
    [FAMILY_TIME] = {write_time_of, SQL_TIME, SQL_TIME, TIME_MAX, 0},
    [FAMILY_DATETIME] = {write_datetime_of, SQL_TIMESTAMP, SQL_TIMESTAMP, TIME_MAX, 0},
    [FAMILY_TIMESTAMP] = {write_timestamp_of, SQL_TIMESTAMP, SQL_TIMESTAMP, TIME_MAX, 0},
    [FAMILY_TIME_OLD] = {write_time_old, SQL_TIME, SQL_TIME, TIME_MAX, 0},
    [FAMILY_DATETIME_OLD] = {write_datetime_old, SQL_TIMESTAMP, SQL_TIMESTAMP, TIME_MAX, 0},
    [FAMILY_TIMESTAMP_OLD] = {write_timestamp_old, SQL_TIMESTAMP, SQL_TIMESTAMP, TIME_MAX, 0},
    [FAMILY_STRING] = {write_string, SQL_VARCHAR, SQL_VARCHAR, 16, 6},
    [FAMILY_ENUM] = {write_unsigned, SQL_INTEGER, SQL_INTEGER, NUMBER_MAX, 0},
    [FAMILY_SET] = {write_unsigned, SQL_BIT, SQL_BLOB, NUMBER_MAX, 0},
    [FAMILY_COMPRESSED] = {NULL, SQL_VARCHAR, SQL_VARCHAR, 0, 0},
    [FAMILY_UUID] = {write_uuid_of, SQL_CHAR, SQL_CHAR, WRITE_UUID_LEN + 4, 0},
    [FAMILY_INET] = {write_inet_of, SQL_CHAR, SQL_CHAR, WRITE_INET_MAX + 4, 0},
    [FAMILY_GEOMETRY] = {write_bytes, SQL_BLOB, SQL_BLOB, 16, 6},
    [FAMILY_VECTOR] = {write_bytes, SQL_BLOB, SQL_BLOB, 16, 6},
    [FAMILY_JSON] = {NULL, SQL_VARCHAR, SQL_OTHER, 0, 0},
};

struct canal_integer {
    int16_t sql, larger;
};

static struct canal_integer integer_of(uint8_t wire)
{
    switch (wire) {
    case WIRE_TINY:
        return (struct canal_integer){SQL_TINYINT, SQL_SMALLINT};
    case WIRE_SHORT:
        return (struct canal_integer){SQL_SMALLINT, SQL_INTEGER};
    case WIRE_INT24:
        return (struct canal_integer){SQL_INTEGER, SQL_INTEGER};
    case WIRE_LONGLONG:
        return (struct canal_integer){SQL_BIGINT, SQL_DECIMAL};
    default:
        return (struct canal_integer){SQL_INTEGER, SQL_BIGINT};
    }
}

static void init_integer(struct canal_cell *cell, const struct coltype *type)
{
    struct canal_integer row = integer_of(type->wire);
    cell->sql = cell->null = row.sql;
    cell->larger = row.larger;
    if (!type->sign_known)
        cell->write = NULL;
    if (!type->sign_known || !type->is_unsigned)
        return;
    cell->write = write_unsigned;
    cell->sign = (uint8_t)(type->fixed - 1);
}

static int16_t text_code(uint8_t wire)
{
    if (wire == WIRE_STRING)
        return SQL_CHAR;
    return wire == WIRE_VARCHAR || wire == WIRE_VAR_STRING || wire == WIRE_VARCHAR_COMPRESSED ? SQL_VARCHAR : SQL_CLOB;
}

static void init_string(struct canal_cell *cell, const struct coltype *type, const struct canal_options *options)
{
    bool binary = type->charset == CHARSET_BINARY;
    cell->sql = cell->null = binary ? SQL_BLOB : text_code(type->wire);
    if (type->family == FAMILY_COMPRESSED)
        return;
    if (binary)
        cell->write = write_bytes;
    else if (type->collation == 0 || (options->convert_text && type->charset != CHARSET_UTF8))
        cell->write = NULL;
}

void canal_cell_init(struct canal_cell *cell, const struct column *column, const struct canal_options *options)
{
    const struct coltype *type = &column->type;
    const struct canal_family *family = &families[type->family];
    *cell = (struct canal_cell){.write = family->write, .walk = type->walk, .sign = CANAL_NO_SIGN};
    cell->sql = cell->larger = family->sql;
    cell->null = family->null;
    cell->fixed = family->fixed;
    cell->each = family->each;
    cell->max_bytes = coltype_max_bytes(type);
    cell->precision = (uint8_t)type->meta;
    cell->scale = (uint8_t)(type->family == FAMILY_DECIMAL ? type->meta >> 8 : type->meta);
    switch (type->family) {
    case FAMILY_INTEGER:
        init_integer(cell, type);
        break;
    case FAMILY_FLOAT:
        cell->sql = cell->null = type->wire == WIRE_FLOAT ? SQL_REAL : SQL_DOUBLE;
        break;
    case FAMILY_BIT:
        cell->precision = (uint8_t)((type->meta >> 8) * 8 + (type->meta & 255));
        break;
    case FAMILY_STRING:
    case FAMILY_COMPRESSED:
        init_string(cell, type, options);
        break;
    case FAMILY_UUID:
    case FAMILY_INET:
        cell->max_bytes = type->fixed;
        break;
    case FAMILY_TIME_OLD:
    case FAMILY_DATETIME_OLD:
    case FAMILY_TIMESTAMP_OLD:
        if (coltype_needs_scale(type))
            cell->write = NULL;
        break;
    default:
        break;
    }
}

/* ---------------------------------------------------------------- from values */

void canal_name(const char *p, size_t len, struct buf *out)
{
    struct buf name;
    buf_init(&name, 0);
    for (size_t i = 0; i < len; i++) {
        if (p[i] == '`')
            buf_byte(&name, '`');
        buf_byte(&name, (uint8_t)p[i]);
    }
    canal_text((const char *)name.p, name.len, out);
    out->failed |= name.failed;
    buf_release(&name);
}

void canal_text(const char *p, size_t len, struct buf *out)
{
    uint8_t *o = buf_room(out, TEXT_MAX(len));
    if (o)
        out->len += (size_t)(write_text(o, (const uint8_t *)p, len) - o);
}

static uint8_t *write_number(uint8_t *o, const struct value *v)
{
    switch (v->kind) {
    case VALUE_INT:
        return plan_quoted(o, write_int(o + 1, v->i));
    case VALUE_FLOAT:
        return plan_quoted(o, write_java_float(o + 1, v->f));
    case VALUE_DOUBLE:
        return plan_quoted(o, write_java_double(o + 1, v->d));
    case VALUE_YEAR:
        return plan_quoted(o, write_4(o + 1, (unsigned)v->u));
    case VALUE_DATE:
        return plan_quoted(o, write_date(o + 1, v->t.year, v->t.month, v->t.day));
    case VALUE_TIME:
        return plan_quoted(o, write_time(o + 1, v));
    case VALUE_DATETIME:
        return plan_quoted(o, write_datetime(o + 1, v));
    case VALUE_TIMESTAMP:
        return write_seconds(o, v);
    case VALUE_ENUM:
        return plan_quoted(o, write_uint(o + 1, v->index));
    default:
        return plan_quoted(o, write_uint(o + 1, v->u));
    }
}

static uint8_t *write_decimal_text(uint8_t *o, const struct value *v)
{
    memcpy(o + 1, v->s.p, v->s.len);
    return plan_quoted(o, canal_decimal_end(o + 1 + v->s.len, v->scale));
}

void canal_value(const struct value *v, struct buf *out)
{
    bool stored = v->kind == VALUE_BYTES || v->kind == VALUE_GEOMETRY || v->kind == VALUE_VECTOR;
    uint8_t *o;
    switch (v->kind) {
    case VALUE_ABSENT:
    case VALUE_NULL:
        buf_text(out, "null");
        break;
    case VALUE_DECIMAL:
    case VALUE_TEXT:
    case VALUE_SET:
    case VALUE_JSON:
    case VALUE_JSON_DIFF:
    case VALUE_BYTES:
    case VALUE_GEOMETRY:
    case VALUE_VECTOR:
        o = buf_room(out, TEXT_MAX(v->s.len));
        if (!o)
            break;
        if (v->kind == VALUE_DECIMAL)
            out->len += (size_t)(write_decimal_text(o, v) - o);
        else if (stored)
            out->len += (size_t)(write_latin1(o, (const uint8_t *)v->s.p, v->s.len) - o);
        else
            out->len += (size_t)(write_text(o, (const uint8_t *)v->s.p, v->s.len) - o);
        break;
    default:
        o = buf_room(out, TIME_MAX);
        if (o)
            out->len += (size_t)(write_number(o, v) - o);
    }
}

/* The document's text is written behind the most that its string may have, then escaped to where it belongs. */
static bool write_document(struct bytes doc, struct buf *out)
{
    size_t len = jsonb_styled_len(&jsonb_style_canal, doc.p, doc.len);
    if (len == SIZE_MAX)
        return false;
    uint8_t *o = buf_room(out, TEXT_MAX(len) + len);
    if (!o)
        return true;
    uint8_t *text = o + TEXT_MAX(len);
    if (!jsonb_write_styled(&jsonb_style_canal, text, doc.p, doc.len))
        return false;
    out->len += (size_t)(write_text(o, text, len) - o);
    return true;
}

int canal_cell_slow(const struct canal_cell *cell, const struct coltype *type, struct bytes bytes, struct buf *out,
                    struct arena *arena, struct err *e)
{
    struct bytes inner = {bytes.p + cell->walk, bytes.len - cell->walk};
    if (type->family == FAMILY_JSON && write_document(inner, out))
        return 0;
    struct value v;
    int rc = value_read(type, bytes.p, bytes.len, &v, arena, e);
    if (rc == 0)
        canal_value(&v, out);
    return rc;
}
