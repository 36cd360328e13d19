/* Values as Debezium writes them, and the table that picks the writer of a column. */
#include <math.h>
#include <stdlib.h>

#include "change/debezium/debezium.h"
#include "value/charset.h"
#include "value/java.h"
#include "value/write.h"

/* Not known well enough to be written: value_read says why. */
static uint8_t *write_refused(uint8_t *o, const struct debezium_cell *cell, const uint8_t *p, size_t len)
{
    (void)o;
    (void)cell;
    (void)p;
    (void)len;
    return NULL;
}

static uint8_t *write_signed(uint8_t *o, const struct debezium_cell *cell, const uint8_t *p, size_t len)
{
    unsigned unused = 64 - 8 * (unsigned)len;
    (void)cell;
    return write_int(o, (int64_t)(plan_le(p, len) << unused) >> unused);
}

static uint8_t *write_unsigned(uint8_t *o, const struct debezium_cell *cell, const uint8_t *p, size_t len)
{
    (void)cell;
    return write_uint(o, plan_le(p, len));
}

static uint8_t *write_quoted_base64(uint8_t *o, const uint8_t *p, size_t len)
{
    *o++ = '"';
    o = write_base64(o, p, len);
    *o++ = '"';
    return o;
}

/* BIGINT UNSIGNED as a DECIMAL(20,0). */
static uint8_t *write_unsigned_precise(uint8_t *o, const struct debezium_cell *cell, const uint8_t *p, size_t len)
{
    uint8_t bytes[9] = {0};
    size_t first = 1;
    (void)cell;
    for (size_t i = 0; i < len; i++)
        bytes[8 - i] = p[i];
    while (first < 8 && bytes[first] == 0)
        first++;
    first -= bytes[first] >> 7;
    return write_quoted_base64(o, bytes + first, sizeof bytes - first);
}

static uint8_t *write_decimal_precise(uint8_t *o, const struct debezium_cell *cell, const uint8_t *p, size_t len)
{
    uint8_t bytes[DECIMAL_UNSCALED_MAX];
    size_t n = decimal_unscaled(bytes, p, cell->precision, cell->scale);
    (void)len;
    return n ? write_quoted_base64(o, bytes, n) : NULL;
}

static uint8_t *write_decimal_string(uint8_t *o, const struct debezium_cell *cell, const uint8_t *p, size_t len)
{
    (void)len;
    *o++ = '"';
    o = write_decimal(o, p, cell->precision, cell->scale);
    if (o)
        *o++ = '"';
    return o;
}

static uint8_t *write_decimal_double(uint8_t *o, const struct debezium_cell *cell, const uint8_t *p, size_t len)
{
    uint8_t text[WRITE_DECIMAL_MAX + 1], *end = write_decimal(text, p, cell->precision, cell->scale);
    (void)len;
    if (!end)
        return NULL;
    *end = 0;
    return write_java_double(o, strtod((const char *)text, NULL));
}

static bool read_float(const uint8_t *p, float *out)
{
    uint32_t bits = (uint32_t)plan_le(p, 4);
    memcpy(out, &bits, sizeof *out);
    return isfinite(*out);
}

static uint8_t *write_single(uint8_t *o, const struct debezium_cell *cell, const uint8_t *p, size_t len)
{
    float f;
    (void)cell;
    (void)len;
    return read_float(p, &f) ? write_java_float(o, f) : NULL;
}

/* FLOAT(M,D) */
static uint8_t *write_widened(uint8_t *o, const struct debezium_cell *cell, const uint8_t *p, size_t len)
{
    float f;
    (void)cell;
    (void)len;
    return read_float(p, &f) ? write_java_double(o, (double)f) : NULL;
}

static uint8_t *write_number(uint8_t *o, const struct debezium_cell *cell, const uint8_t *p, size_t len)
{
    uint64_t bits = plan_le(p, 8);
    double d;
    (void)cell;
    (void)len;
    memcpy(&d, &bits, sizeof d);
    return isfinite(d) ? write_java_double(o, d) : NULL;
}

static uint8_t *write_bool(uint8_t *o, const struct debezium_cell *cell, const uint8_t *p, size_t len)
{
    (void)cell;
    (void)len;
    if (p[0] > 1)
        return NULL;
    return p[0] ? LITERAL(o, "true") : LITERAL(o, "false");
}

/* Least significant byte first. */
static uint8_t *write_bits(uint8_t *o, const struct debezium_cell *cell, const uint8_t *p, size_t len)
{
    uint8_t bytes[8];
    unsigned above = cell->precision % 8;
    if (above && p[0] >> above)
        return NULL;
    for (size_t i = 0; i < len; i++)
        bytes[i] = p[len - 1 - i];
    return write_quoted_base64(o, bytes, len);
}

static uint8_t *write_year(uint8_t *o, const struct debezium_cell *cell, const uint8_t *p, size_t len)
{
    (void)cell;
    (void)len;
    return write_uint(o, 1900u + p[0]);
}

static uint8_t *write_enum(uint8_t *o, const struct debezium_cell *cell, const uint8_t *p, size_t len)
{
    uint64_t n = plan_le(p, len);
    return n <= cell->label_count ? piece_copy(o, &cell->labels[n]) : NULL;
}

static uint8_t *write_set(uint8_t *o, const struct debezium_cell *cell, const uint8_t *p, size_t len)
{
    uint64_t bits = plan_le(p, len);
    if (cell->label_count < 64 && bits >> cell->label_count)
        return NULL;
    uint8_t *start = o++;
    *start = '"';
    for (; bits; bits &= bits - 1) {
        if (o != start + 1)
            *o++ = ',';
        o = piece_copy(o, &cell->labels[__builtin_ctzll(bits)]);
    }
    *o++ = '"';
    return o;
}

/* A document, whose text was made in front of it. */
static uint8_t *write_document(uint8_t *o, const struct debezium_cell *cell, const uint8_t *p, size_t len)
{
    (void)cell;
    return debezium_write_text(o, p, len);
}

#define POINT_BYTES 21 /* byte order, kind, x, y */

static double read_double(const uint8_t *p)
{
    uint64_t bits = plan_le(p, 8);
    double d;
    memcpy(&d, &bits, sizeof d);
    return d;
}

static uint8_t *write_geometry_members(uint8_t *o, const uint8_t *p, size_t len)
{
    uint32_t srid = len >= GEOMETRY_SRID_BYTES ? (uint32_t)plan_le(p, 4) : 0;
    size_t skip = len >= GEOMETRY_SRID_BYTES ? GEOMETRY_SRID_BYTES : 0;
    o = write_base64(LITERAL(o, "\"wkb\":\""), p + skip, len - skip);
    o = LITERAL(o, "\",\"srid\":");
    o = srid ? write_uint(o, srid) : LITERAL(o, "null");
    *o++ = '}';
    return o;
}

static uint8_t *write_shape(uint8_t *o, const struct debezium_cell *cell, const uint8_t *p, size_t len)
{
    *o++ = '{';
    return write_geometry_members(o, p + cell->walk, len - cell->walk);
}

static uint8_t *write_point(uint8_t *o, const struct debezium_cell *cell, const uint8_t *p, size_t len)
{
    static const uint8_t begin[] = {1, 1, 0, 0, 0};
    const uint8_t *wkb = p + cell->walk + GEOMETRY_SRID_BYTES;
    if (len != (size_t)cell->walk + GEOMETRY_SRID_BYTES + POINT_BYTES || memcmp(wkb, begin, sizeof begin) != 0)
        return write_shape(o, cell, p, len);
    double x = read_double(wkb + 5), y = read_double(wkb + 13);
    if (!isfinite(x) || !isfinite(y))
        return write_shape(o, cell, p, len);
    o = write_java_double(LITERAL(o, "{\"x\":"), x);
    o = write_java_double(LITERAL(o, ",\"y\":"), y);
    *o++ = ',';
    return write_geometry_members(o, p + cell->walk, len - cell->walk);
}

static uint8_t *write_vector_number(uint8_t *o, float f)
{
    if (isnan(f))
        return LITERAL(o, "\"NaN\"");
    if (isinf(f))
        return f < 0 ? LITERAL(o, "\"-Infinity\"") : LITERAL(o, "\"Infinity\"");
    return write_java_float(o, f);
}

static uint8_t *write_floats(uint8_t *o, const struct debezium_cell *cell, const uint8_t *p, size_t len)
{
    p += cell->walk;
    len -= cell->walk;
    if (len % 4)
        return NULL;
    *o++ = '[';
    for (size_t i = 0; i < len; i += 4) {
        float f;
        (void)read_float(p + i, &f);
        if (i)
            *o++ = ',';
        o = write_vector_number(o, f);
    }
    *o++ = ']';
    return o;
}

/* UUID and INET, whose zero bytes at the end the log leaves out. */
static uint8_t *write_address_of(uint8_t *o, const struct debezium_cell *cell, const uint8_t *p, size_t len)
{
    return write_address(o, cell->is_uuid, cell->max_bytes, p + cell->walk, len - cell->walk);
}

/* How a family is written and what room that takes. */
struct family_row {
    debezium_write_fn *write;
    uint16_t max, each;
    uint8_t need;
};

#define NUMBER_MAX  WRITE_JAVA_MAX
#define ADDRESS_MAX (WRITE_INET_MAX + 2)
#define POINT_MAX   (64 + 2 * WRITE_JAVA_MAX)

static const struct family_row of_family[FAMILY_COUNT] = {
    [FAMILY_NONE] = {write_refused, 0, 0, 0},
    [FAMILY_INTEGER] = {write_signed, NUMBER_MAX, 0, 0},
    [FAMILY_DECIMAL] = {write_decimal_precise, WRITE_DECIMAL_MAX + 2, 0, 0},
    [FAMILY_FLOAT] = {write_number, NUMBER_MAX, 0, 0},
    [FAMILY_BIT] = {write_bits, NUMBER_MAX, 0, 0},
    [FAMILY_YEAR] = {write_year, NUMBER_MAX, 0, 0},
    [FAMILY_DATE] = {debezium_write_time, WRITE_TIMESTAMP_MAX + 3, 0, 0},
    [FAMILY_TIME] = {debezium_write_time, WRITE_TIMESTAMP_MAX + 3, 0, 0},
    [FAMILY_DATETIME] = {debezium_write_time, WRITE_TIMESTAMP_MAX + 3, 0, 0},
    [FAMILY_TIMESTAMP] = {debezium_write_time, WRITE_TIMESTAMP_MAX + 3, 0, 0},
    [FAMILY_TIME_OLD] = {debezium_write_time, WRITE_TIMESTAMP_MAX + 3, 0, 0},
    [FAMILY_DATETIME_OLD] = {debezium_write_time, WRITE_TIMESTAMP_MAX + 3, 0, 0},
    [FAMILY_TIMESTAMP_OLD] = {debezium_write_time, WRITE_TIMESTAMP_MAX + 3, 0, 0},
    [FAMILY_STRING] = {debezium_write_string, 10, 6, 0},
    [FAMILY_ENUM] = {write_enum, 0, 0, 0},
    [FAMILY_SET] = {write_set, 2, 0, 0},
    [FAMILY_COMPRESSED] = {debezium_write_plain, 10, 6, NEED_VALUE},
    [FAMILY_UUID] = {write_address_of, ADDRESS_MAX, 0, 0},
    [FAMILY_INET] = {write_address_of, ADDRESS_MAX, 0, 0},
    [FAMILY_GEOMETRY] = {write_shape, POINT_MAX, 2, 0},
    [FAMILY_VECTOR] = {write_floats, 2, 5, 0},
    [FAMILY_JSON] = {write_document, 10, 6, NEED_DOCUMENT},
};

/* What options and the declared type make of a family. */
static debezium_write_fn *integer_writer(const struct coltype *type, const struct debezium_options *opt)
{
    if (!type->sign_known)
        return write_refused;
    if (!type->is_unsigned)
        return write_signed;
    if (type->wire != WIRE_LONGLONG)
        return write_unsigned;
    return opt->bigints == BIGINTS_PRECISE ? write_unsigned_precise : write_signed;
}

static debezium_write_fn *float_writer(const struct column *column)
{
    const struct column_definition *def = column->definition;
    if (column->type.wire != WIRE_FLOAT)
        return write_number;
    return def && def->has_decimals ? write_widened : write_single;
}

static debezium_write_fn *string_writer(const struct coltype *type)
{
    if (type->charset == CHARSET_BINARY)
        return debezium_write_bytes;
    return type->charset == CHARSET_UTF8 || charset_is_converted((enum charset)type->charset) ? debezium_write_string
                                                                                              : write_refused;
}

static bool is_point(const struct column *column)
{
    const char *word = column->definition ? column->definition->word : column->declared;
    return word && strncmp(word, "point", 5) == 0 && (word[5] == 0 || word[5] == ' ');
}

static debezium_write_fn *refine(const struct debezium_cell *cell, const struct column *column,
                                 const struct debezium_options *opt)
{
    static debezium_write_fn *const decimals[] = {write_decimal_precise, write_decimal_string, write_decimal_double};
    const struct coltype *type = &column->type;
    switch (type->family) {
    case FAMILY_INTEGER:
        return integer_writer(type, opt);
    case FAMILY_DECIMAL:
        return decimals[opt->decimals];
    case FAMILY_FLOAT:
        return float_writer(column);
    case FAMILY_BIT:
        return cell->precision == 1 ? write_bool : write_bits;
    case FAMILY_STRING:
        return string_writer(type);
    case FAMILY_TIME_OLD:
    case FAMILY_DATETIME_OLD:
    case FAMILY_TIMESTAMP_OLD:
        return coltype_needs_scale(type) ? write_refused : debezium_write_time;
    case FAMILY_ENUM:
    case FAMILY_SET:
        return type->labels ? of_family[type->family].write : write_refused;
    case FAMILY_GEOMETRY:
        return is_point(column) ? write_point : write_shape;
    default:
        return of_family[type->family].write;
    }
}

bool debezium_piece(struct piece *out, const void *bytes, size_t len, struct arena *arena)
{
    uint8_t *p = arena_alloc(arena, len + PIECE_SLACK);
    if (!p)
        return false;
    if (len)
        memcpy(p, bytes, len);
    memset(p + len, 0, PIECE_SLACK);
    *out = (struct piece){p, len};
    return true;
}

/* A label as the peer has it: the text between the quotes that SHOW CREATE TABLE prints, of which it reads '' alone,
 * with a backslash in front of each comma. */
static size_t spell_label(uint8_t *o, const struct label *label)
{
    static const char escapes[256] = {['\\'] = '\\', [','] = ',', ['\n'] = 'n', ['\r'] = 'r', [0x1a] = 'Z'};
    uint8_t *start = o;
    for (uint32_t i = 0; i < label->len; i++) {
        uint8_t c = (uint8_t)label->text[i];
        char escape = c ? escapes[c] : '0';
        if (escape)
            *o++ = '\\';
        *o++ = escape ? (uint8_t)escape : c;
    }
    return (size_t)(o - start);
}

/* With its quotes, or without, as those of a SET are joined. */
static bool build_label(struct piece *out, const struct label *label, bool quotes, struct arena *arena)
{
    uint8_t *spelt = arena_alloc(arena, 2 * (size_t)label->len), *text;
    if (!spelt)
        return false;
    size_t len = spell_label(spelt, label);
    text = arena_alloc(arena, 6 * len + 2);
    if (!text)
        return false;
    len = (size_t)(debezium_write_text(text, spelt, len) - text);
    return quotes ? debezium_piece(out, text, len, arena) : debezium_piece(out, text + 1, len - 2, arena);
}

static bool build_labels(struct debezium_cell *cell, const struct coltype *type, struct arena *arena)
{
    static const struct label invalid = {"", 0};
    bool is_enum = type->family == FAMILY_ENUM;
    uint32_t count = type->label_count + is_enum;
    struct piece *labels = arena_alloc(arena, count * sizeof *labels);
    if (!labels)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        const struct label *label = is_enum && i == 0 ? &invalid : &type->labels[i - is_enum];
        if (!build_label(&labels[i], label, is_enum, arena))
            return false;
        uint32_t room = (uint32_t)labels[i].len + 1;
        cell->max = is_enum ? (room > cell->max ? room : cell->max) : cell->max + room;
    }
    cell->labels = labels;
    cell->label_count = type->label_count;
    return true;
}

static bool build_name(struct debezium_cell *cell, const struct column *column, struct arena *arena)
{
    uint8_t *text = arena_alloc(arena, 6 * (size_t)column->name_len + 3);
    if (!text)
        return false;
    uint8_t *end = debezium_write_text(text, (const uint8_t *)column->name, column->name_len);
    *end++ = ':';
    return debezium_piece(&cell->name, text, (size_t)(end - text), arena);
}

static bool build_cell(struct debezium_cell *cell, const struct column *column, const struct debezium_options *opt,
                       struct arena *arena)
{
    const struct coltype *type = &column->type;
    const struct family_row *row = &of_family[type->family];
    *cell = (struct debezium_cell){.max = row->max,
                                   .each = row->each,
                                   .need = row->need,
                                   .walk = type->walk,
                                   .wire = type->wire,
                                   .charset = type->charset,
                                   .is_uuid = type->family == FAMILY_UUID,
                                   .precision = (uint8_t)type->meta,
                                   .scale = (uint8_t)type->meta,
                                   .binaries = (uint8_t)opt->binaries,
                                   .adjust_years = opt->adjust_years,
                                   .max_bytes = coltype_max_bytes(type)};
    if (type->family == FAMILY_UUID || type->family == FAMILY_INET)
        cell->max_bytes = type->fixed;
    if (type->family == FAMILY_DECIMAL)
        cell->scale = (uint8_t)(type->meta >> 8);
    if (type->family == FAMILY_BIT)
        cell->precision = (uint8_t)((type->meta >> 8) * 8 + (type->meta & 255));
    cell->write = refine(cell, column, opt);
    if (cell->write == debezium_write_time)
        debezium_choose_time(cell, type, opt);
    if (cell->write == debezium_write_bytes && cell->wire == WIRE_STRING)
        cell->max += 2 * cell->max_bytes + 4;
    if ((cell->write == write_enum || cell->write == write_set) && !build_labels(cell, type, arena))
        return false;
    return build_name(cell, column, arena);
}

int debezium_cell(struct debezium_cell *cell, const struct column *column, const struct debezium_options *opt,
                  struct arena *arena, struct err *e)
{
    if (!build_cell(cell, column, opt, arena))
        return err_set(e, NO_MEMORY, (size_t)column->name_len);
    int rc = debezium_nulls(cell, column, opt, arena, e);
    size_t most = cell->null.len > cell->zero.len ? cell->null.len : cell->zero.len;
    if (most > cell->max)
        cell->max = (uint32_t)most;
    cell->max += (uint32_t)cell->name.len + 1 + 2 * PIECE_SLACK; /* a name, and at its end a label */
    return rc;
}
