/* What stands for NULL: the column's DEFAULT, as the peer's converter puts it there, and what stands for dates that are
 * none. A default is brought into the form that the log has of such a value, and written as one. */
#include <math.h>
#include <stdlib.h>

#include "change/column_default.h"
#include "change/debezium/debezium.h"
#include "value/java.h"
#include "value/write.h"

struct maker {
    const struct debezium_cell *cell;
    const struct column *column;
    const struct column_default *def;
    bool precise_bigints;
    struct buf *out;
};

static bool is_number(const struct column_default *def)
{
    return def->kind == DEFAULT_NUMBER || def->kind == DEFAULT_TEXT;
}

static bool is_bytes(const struct column_default *def)
{
    return def->kind == DEFAULT_BITS || def->kind == DEFAULT_HEX;
}

/* Runs a writer over stored bytes that are in range. */
static void write_stored(const struct maker *m, debezium_write_fn *write, const uint8_t *p, size_t len)
{
    uint8_t *o = buf_room(m->out, m->cell->max + 6 * len + 64), *end = o ? write(o, m->cell, p, len) : NULL;
    if (end)
        m->out->len += (size_t)(end - o);
}

/* Digits of a number without its exponent: "-1.25e1" is negative, "125", one digit behind the point. */
struct digits {
    bool negative;
    char text[DECIMAL_COLUMN_DIGITS + 1];
    int count, scale;
};

static bool read_digits(const char *p, struct digits *d)
{
    *d = (struct digits){.negative = *p == '-'};
    p += *p == '-' || *p == '+';
    for (bool fraction = false; (*p >= '0' && *p <= '9') || (*p == '.' && !fraction); p++) {
        fraction |= *p == '.';
        if (*p == '.')
            continue;
        d->scale += fraction;
        if (d->count > 0 || *p != '0') {
            if (d->count == DECIMAL_COLUMN_DIGITS)
                return false;
            d->text[d->count++] = *p;
        }
    }
    if (*p == 'e' || *p == 'E') {
        char *end;
        long exponent = strtol(p + 1, &end, 10);
        if (exponent < -400 || exponent > 400)
            return false;
        d->scale -= (int)exponent;
        p = end;
    }
    return *p == 0;
}

/* The digits in front of position `end`, counted from the first one; 0 beyond them. */
static char digit_at(const struct digits *d, int i)
{
    return i >= 0 && i < d->count ? d->text[i] : '0';
}

/* Rounds half away from zero to `scale` digits behind the point, of `width` digits in all, without point; false when
 * they are more. */
static bool fit_digits(const struct digits *d, int width, int scale, char *out)
{
    int last = d->count - d->scale + scale; /* digits of the number that stay */
    if (last > width)
        return false;
    for (int i = 0; i < width; i++)
        out[i] = digit_at(d, last - width + i);
    bool up = digit_at(d, last) >= '5' && last >= 0;
    for (int i = width - 1; i >= 0 && up; i--) {
        up = out[i] == '9';
        out[i] = up ? '0' : (char)(out[i] + 1);
    }
    return !up;
}

static uint64_t to_number(const char *digits, int count)
{
    uint64_t n = 0;
    for (int i = 0; i < count; i++)
        n = n * 10 + (uint64_t)(digits[i] - '0');
    return n;
}

static void put_group(uint8_t *o, uint32_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        o[i] = (uint8_t)(v >> (8 * (bytes - 1 - i)));
}

/* As value/decimal.c reads it. */
static size_t store_decimal(uint8_t *o, const char *digits, int integer, int scale, bool negative)
{
    static const uint8_t group_bytes[10] = {0, 1, 1, 2, 2, 3, 3, 4, 4, 4};
    uint8_t *start = o;
    for (int at = 0; at < integer + scale;) {
        int left = at < integer ? integer - at : integer + scale - at;
        int size = at < integer ? (left % 9 ? left % 9 : 9) : left < 9 ? left : 9;
        put_group(o, (uint32_t)to_number(digits + at, size), group_bytes[size]);
        o += group_bytes[size];
        at += size;
    }
    for (uint8_t *p = start; negative && p < o; p++)
        *p = (uint8_t) ~*p;
    start[0] ^= 0x80;
    return (size_t)(o - start);
}

static void default_decimal(const struct maker *m)
{
    char text[DECIMAL_COLUMN_DIGITS + 1];
    uint8_t stored[DECIMAL_COLUMN_DIGITS];
    struct digits d;
    int precision = m->cell->precision, scale = m->cell->scale;
    if (!is_number(m->def) || !read_digits(m->def->p, &d) || precision > DECIMAL_COLUMN_DIGITS ||
        !fit_digits(&d, precision, scale, text))
        return;
    write_stored(m, m->cell->write, stored, store_decimal(stored, text, precision - scale, scale, d.negative));
}

static uint64_t big_endian(const struct column_default *def)
{
    uint64_t n = 0;
    for (size_t i = 0; i < def->len; i++)
        n = n << 8 | (uint8_t)def->p[i];
    return n;
}

/* False when there is none, or more than 64 bits. */
static bool to_integer(const struct column_default *def, uint64_t *out)
{
    char text[20];
    struct digits d;
    if (is_bytes(def) && def->len <= 8) {
        *out = big_endian(def);
        return true;
    }
    if (!is_number(def) || !read_digits(def->p, &d) || !fit_digits(&d, sizeof text, 0, text))
        return false;
    uint64_t n = to_number(text, sizeof text);
    *out = d.negative ? 0 - n : n;
    return true;
}

static void put_le(uint8_t *o, uint64_t v, size_t len)
{
    for (size_t i = 0; i < len; i++)
        o[i] = (uint8_t)(v >> (8 * i));
}

/* Of BIGINT UNSIGNED in `long` mode what is beyond 2^63 - 1 is that, not wrapped. */
static void default_integer(const struct maker *m)
{
    const struct coltype *type = &m->column->type;
    uint8_t stored[8];
    uint64_t n;
    if (!to_integer(m->def, &n))
        return;
    if (type->wire == WIRE_LONGLONG && type->is_unsigned && !m->precise_bigints && n > INT64_MAX)
        n = INT64_MAX;
    put_le(stored, n, type->fixed);
    write_stored(m, m->cell->write, stored, type->fixed);
}

static void default_year(const struct maker *m)
{
    uint64_t n;
    if (!to_integer(m->def, &n) || n > 2155)
        return;
    write_stored(m, m->cell->write, &(uint8_t){n > 1900 ? (uint8_t)(n - 1900) : 0}, 1);
}

/* FLOAT(M,D): of a value the float is told with all its digits, of a default the number. */
static void default_float(const struct maker *m)
{
    uint8_t *o = is_number(m->def) ? buf_room(m->out, WRITE_JAVA_MAX) : NULL;
    char *rest;
    if (!o)
        return;
    double d = strtod(m->def->p, &rest);
    float f = strtof(m->def->p, NULL);
    bool is_single = m->column->type.wire == WIRE_FLOAT && !m->column->definition->has_decimals;
    if (*rest || rest == m->def->p || !isfinite(is_single ? (double)f : d))
        return;
    m->out->len += (size_t)((is_single ? write_java_float(o, f) : write_java_double(o, d)) - o);
}

static void default_bit(const struct maker *m)
{
    uint8_t stored[8];
    size_t len = (m->cell->precision + 7u) / 8;
    uint64_t n;
    if (!to_integer(m->def, &n) || (m->cell->precision < 64 && n >> m->cell->precision))
        return;
    for (size_t i = 0; i < len; i++)
        stored[i] = (uint8_t)(n >> (8 * (len - 1 - i)));
    write_stored(m, m->cell->write, stored, len);
}

/* Digits at *p, at most `most`; false when there are none. */
static bool take_number(const char **p, unsigned most, unsigned *out)
{
    unsigned n = 0, count = 0;
    for (; count < most && **p >= '0' && **p <= '9'; count++)
        n = n * 10 + (unsigned)(*(*p)++ - '0');
    *out = n;
    return count > 0;
}

/* ".5" as microseconds. */
static uint32_t take_fraction(const char **p)
{
    uint32_t us = 0, unit = 100000;
    if (**p != '.')
        return 0;
    for ((*p)++; **p >= '0' && **p <= '9'; (*p)++, unit /= 10)
        us += (uint32_t)(**p - '0') * unit;
    return us;
}

static bool is_separator(char c)
{
    return c == '-' || c == '/' || c == ':' || c == '.' || c == '^' || c == '@' || c == '_';
}

/* "2026-11-22 13:14:15.5", "20261122131415", parts that lack are 0; false when it is no such text. */
static bool read_datetime_text(const char *p, struct value *v)
{
    unsigned part[6] = {0}, i = 0;
    do {
        if (!take_number(&p, i == 0 ? 4 : 2, &part[i]))
            return false;
        i++;
        while (i < 6 && (is_separator(*p) || (i == 3 && (*p == ' ' || *p == 'T'))))
            p++;
    } while (i < 6 && *p);
    v->t.year = (uint16_t)part[0];
    v->t.month = (uint8_t)part[1];
    v->t.day = (uint8_t)part[2];
    v->t.hour = (uint16_t)part[3];
    v->t.minute = (uint8_t)part[4];
    v->t.second = (uint8_t)part[5];
    v->t.us = take_fraction(&p);
    return i >= 3 && *p == 0 && part[1] <= 12 && part[2] <= 31 && part[3] <= 23 && part[4] <= 59 && part[5] <= 59;
}

/* "-01:02:03.5", "12:34", and digits alone: hhmmss. */
static bool read_time_text(const char *p, struct value *v)
{
    unsigned part[3] = {0}, i = 0;
    v->t.negative = *p == '-';
    p += *p == '-';
    do {
        if (!take_number(&p, 7, &part[i]))
            return false;
        i++;
    } while (i < 3 && *p == ':' && p++);
    if (i == 1) {
        part[2] = part[0] % 100;
        part[1] = part[0] / 100 % 100;
        part[0] = part[0] / 10000;
    }
    v->t.hour = (uint16_t)part[0];
    v->t.minute = (uint8_t)part[1];
    v->t.second = (uint8_t)part[2];
    v->t.us = take_fraction(&p);
    return *p == 0 && part[0] <= 838 && part[1] <= 59 && part[2] <= 59;
}

static bool is_zero_date(const struct value *v)
{
    return v->t.year == 0 || v->t.month == 0 || v->t.day == 0;
}

static void show(const struct maker *m, const struct value *v)
{
    uint8_t *o = buf_room(m->out, m->cell->max + 64);
    if (o)
        m->out->len += (size_t)(m->cell->show(o, m->cell, v) - o);
}

static void default_time(const struct maker *m)
{
    struct value v = {.kind = VALUE_TIME, .scale = m->cell->scale};
    if (is_number(m->def) && read_time_text(m->def->p, &v))
        show(m, &v);
}

static void default_date(const struct maker *m)
{
    struct value v = {.kind = VALUE_DATETIME, .scale = m->cell->scale};
    if (m->def->kind == DEFAULT_NOW && m->column->type.family != FAMILY_DATE) {
        buf_add(m->out, m->cell->zero.p, m->cell->zero.len);
        return;
    }
    if (is_number(m->def) && read_datetime_text(m->def->p, &v) && !is_zero_date(&v))
        show(m, &v);
}

/* As if written in UTC. */
static void default_timestamp(const struct maker *m)
{
    struct value v = {.kind = VALUE_DATETIME, .scale = m->cell->scale};
    if (!is_number(m->def) || !read_datetime_text(m->def->p, &v) || is_zero_date(&v))
        return;
    uint8_t *o = buf_room(m->out, WRITE_TIMESTAMP_MAX + 2), *start = o;
    if (!o)
        return;
    *o++ = '"';
    o = write_datetime(o, &v);
    start[1 + WRITE_DATE_MAX] = 'T';
    *o++ = 'Z';
    *o++ = '"';
    m->out->len += (size_t)(o - start);
}

/* BINARY(n): SHOW CREATE TABLE pads it, the statement does not, and the peer writes what the statement has. */
static void default_string(const struct maker *m)
{
    size_t len = m->def->len;
    if (m->cell->write == debezium_write_bytes && m->cell->wire == WIRE_STRING)
        while (len > 0 && m->def->p[len - 1] == 0)
            len--;
    if (is_number(m->def) || is_bytes(m->def))
        write_stored(m, debezium_write_plain, (const uint8_t *)m->def->p, len);
}

/* Labels, UUID and INET: the text in the statement. */
static void default_text(const struct maker *m)
{
    uint8_t *o = m->def->kind == DEFAULT_TEXT ? buf_room(m->out, 6 * m->def->len + 2) : NULL;
    if (o)
        m->out->len += (size_t)(debezium_write_text(o, (const uint8_t *)m->def->p, m->def->len) - o);
}

static void default_none(const struct maker *m)
{
    (void)m;
}

typedef void default_fn(const struct maker *m);

static default_fn *const of_family[FAMILY_COUNT] = {
    [FAMILY_NONE] = default_none,
    [FAMILY_INTEGER] = default_integer,
    [FAMILY_DECIMAL] = default_decimal,
    [FAMILY_FLOAT] = default_float,
    [FAMILY_BIT] = default_bit,
    [FAMILY_YEAR] = default_year,
    [FAMILY_DATE] = default_date,
    [FAMILY_TIME] = default_time,
    [FAMILY_DATETIME] = default_date,
    [FAMILY_TIMESTAMP] = default_timestamp,
    [FAMILY_TIME_OLD] = default_time,
    [FAMILY_DATETIME_OLD] = default_date,
    [FAMILY_TIMESTAMP_OLD] = default_timestamp,
    [FAMILY_STRING] = default_string,
    [FAMILY_ENUM] = default_text,
    [FAMILY_SET] = default_text,
    [FAMILY_COMPRESSED] = default_string,
    [FAMILY_UUID] = default_text,
    [FAMILY_INET] = default_text,
    [FAMILY_GEOMETRY] = default_none,
    [FAMILY_VECTOR] = default_none,
    [FAMILY_JSON] = default_none,
};

/* What is written for a date that is none in a NOT NULL column without a default: the epoch. */
static void epoch(const struct column *column, const struct debezium_options *opt, struct buf *out)
{
    if (opt->times != TIMES_ISOSTRING)
        buf_byte(out, '0');
    else
        buf_text(out, column->type.family == FAMILY_DATE ? "\"1970-01-01Z\"" : "\"1970-01-01T00:00:00Z\"");
}

static bool keep(struct piece *out, const struct buf *text, struct arena *arena)
{
    return !text->failed && debezium_piece(out, text->p, text->len, arena);
}

/* Fills cell->zero by what it is without a default, then `out` by the default, empty when there is none to write. */
static bool make_default(struct debezium_cell *cell, const struct column *column, const struct debezium_options *opt,
                         struct arena *arena, struct buf *out)
{
    struct column_default def = {.kind = DEFAULT_NONE};
    struct maker m = {cell, column, &def, opt->bigints == BIGINTS_PRECISE, out};
    epoch(column, opt, out);
    if (!keep(&cell->zero, out, arena) || !debezium_piece(&cell->null, "null", 4, arena))
        return false;
    buf_clear(out);
    if (!column->definition)
        return true;
    if (!column_default_parse(column->definition, &def, arena))
        return false;
    of_family[column->type.family](&m);
    return !out->failed;
}

int debezium_nulls(struct debezium_cell *cell, const struct column *column, const struct debezium_options *opt,
                   struct arena *arena, struct err *e)
{
    struct buf text;
    buf_init(&text, 0);
    bool ok = make_default(cell, column, opt, arena, &text);
    if (ok && text.len && !column->nullable)
        ok = keep(&cell->zero, &text, arena);
    if (ok && text.len && opt->defaults)
        ok = keep(&cell->null, &text, arena);
    if (ok && column->nullable)
        cell->zero = cell->null;
    buf_release(&text);
    return ok ? 0 : err_set(e, NO_MEMORY, (size_t)PIECE_SLACK);
}
