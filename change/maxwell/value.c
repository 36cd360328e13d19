/* Numbers, documents and geometries as Maxwell writes them, and values that were read before. */
#include "change/maxwell/value.h"

#include "value/java.h"
#include "value/json_styles.h"
#include "value/write.h"

bool maxwell_put_null(struct maxwell_out *out)
{
    return MAXWELL_PUT(out, "null");
}

/* ---------------------------------------------------------------- numbers */

bool maxwell_write_unsigned(struct maxwell_out *out, const struct maxwell_cell *cell, const uint8_t *p, size_t len)
{
    (void)cell;
    return maxwell_put_uint(out, plan_le(p, len));
}

bool maxwell_write_signed(struct maxwell_out *out, const struct maxwell_cell *cell, const uint8_t *p, size_t len)
{
    unsigned unused = 64 - 8 * (unsigned)len;
    (void)cell;
    if (!maxwell_room(out, WRITE_UINT_MAX + 1))
        return false;
    out->o = write_int(out->o, (int64_t)(plan_le(p, len) << unused) >> unused);
    return true;
}

/* BigDecimal has no -0. */
static uint8_t *without_minus_zero(uint8_t *start, uint8_t *end)
{
    if (*start != '-')
        return end;
    for (uint8_t *p = start + 1; p < end; p++)
        if (*p > '0')
            return end;
    memmove(start, start + 1, (size_t)(end - start) - 1);
    return end - 1;
}

/* BigDecimal.toString of the plain text at start … end with `scale` digits behind its point: as it is unless the first
 * digit that is not 0 stands more than six places behind the point; then its digits, and E and where the first stands.
 */
static uint8_t *with_exponent(uint8_t *start, uint8_t *end, unsigned scale)
{
    uint8_t digits[WRITE_DECIMAL_MAX], *p, *o;
    unsigned zeros = 0;
    end = without_minus_zero(start, end);
    p = o = start + (*start == '-');
    if (scale <= 6 || *p != '0' || p[1] != '.')
        return end;
    for (p += 2; zeros < scale && p[zeros] == '0';)
        zeros++;
    if (zeros < 6)
        return end;
    unsigned count = scale - zeros, place = zeros + 1;
    memcpy(digits, p + zeros, count);
    if (count == 0) {
        place = scale;
        digits[count++] = '0';
    }
    *o++ = digits[0];
    if (count > 1) {
        *o++ = '.';
        memcpy(o, digits + 1, count - 1);
        o += count - 1;
    }
    *o++ = 'E';
    *o++ = '-';
    return write_uint(o, place);
}

bool maxwell_write_number(struct maxwell_out *out, const struct maxwell_cell *cell, const uint8_t *p, size_t len)
{
    (void)len;
    if (!maxwell_room(out, WRITE_DECIMAL_MAX + 8))
        return false;
    uint8_t *end = write_decimal(out->o, p, cell->precision, cell->scale);
    if (!end)
        return false;
    out->o = with_exponent(out->o, end, cell->scale);
    return true;
}

static bool put_real(struct maxwell_out *out, double v, bool single)
{
    if (!maxwell_room(out, WRITE_JAVA_MAX))
        return false;
    out->o = single ? write_java_float(out->o, (float)v) : write_java_double(out->o, v);
    return true;
}

bool maxwell_write_single(struct maxwell_out *out, const struct maxwell_cell *cell, const uint8_t *p, size_t len)
{
    uint32_t bits = (uint32_t)plan_le(p, len);
    float f;
    (void)cell;
    memcpy(&f, &bits, sizeof f);
    return (bits >> 23 & 0xff) != 0xff && put_real(out, (double)f, true);
}

bool maxwell_write_real(struct maxwell_out *out, const struct maxwell_cell *cell, const uint8_t *p, size_t len)
{
    uint64_t bits = plan_le(p, len);
    double d;
    (void)cell;
    memcpy(&d, &bits, sizeof d);
    return (bits >> 52 & 0x7ff) != 0x7ff && put_real(out, d, false);
}

bool maxwell_write_bits(struct maxwell_out *out, const struct maxwell_cell *cell, const uint8_t *p, size_t len)
{
    uint64_t v = maxwell_be(p, len);
    unsigned bits = cell->precision;
    return (bits >= 64 || !(v >> bits)) && maxwell_put_uint(out, v);
}

bool maxwell_write_year(struct maxwell_out *out, const struct maxwell_cell *cell, const uint8_t *p, size_t len)
{
    (void)cell;
    (void)len;
    return maxwell_put_uint(out, 1900u + p[0]);
}

/* ---------------------------------------------------------------- documents and the rest */

bool maxwell_write_document(struct maxwell_out *out, const struct maxwell_cell *cell, const uint8_t *p, size_t len)
{
    size_t room = jsonb_styled_len(&jsonb_style_connector, p, len);
    (void)cell;
    if (room == SIZE_MAX || !maxwell_room(out, room))
        return false;
    uint8_t *end = jsonb_write_styled(&jsonb_style_connector, out->o, p, len);
    if (!end)
        return false;
    if (!value_is_utf8((const char *)out->o, (size_t)(end - out->o)))
        return maxwell_put_base64(out, p, len);
    out->o = end;
    return true;
}

/* The '' that ALTER TABLE puts into old rows of a new column is no geometry. */
bool maxwell_write_geometry_text(struct maxwell_out *out, const struct maxwell_cell *cell, const uint8_t *p, size_t len)
{
    (void)cell;
    if (len < GEOMETRY_SRID_BYTES)
        return maxwell_put_null(out);
    if (maxwell_put_wkt(out, p + GEOMETRY_SRID_BYTES, len - GEOMETRY_SRID_BYTES))
        return true;
    return !out->buf->failed && maxwell_put_base64(out, p, len);
}

/* What is rare, or not known well enough: whether it can be read at all is told by value_read. */
bool maxwell_write_by_value(struct maxwell_out *out, const struct maxwell_cell *cell, const uint8_t *p, size_t len)
{
    struct value v;
    return value_read(cell->type, p - cell->walk, len + cell->walk, &v, out->arena, NULL) == 0 &&
           maxwell_put_value(out, cell, &v);
}

/* SET: labels joined by commas. */
static bool put_labels(struct maxwell_out *out, const char *p, size_t len)
{
    const char *end = p + len;
    bool ok = MAXWELL_PUT(out, "[");
    while (ok && p < end) {
        const char *comma = memchr(p, ',', (size_t)(end - p));
        const char *stop = comma ? comma : end;
        ok = maxwell_put_text(out, p, (size_t)(stop - p)) && (!comma || MAXWELL_PUT(out, ","));
        p = comma ? comma + 1 : end;
    }
    return ok && MAXWELL_PUT(out, "]");
}

/* The server's text of a document, without its blanks. */
static bool put_document_text(struct maxwell_out *out, const char *p, size_t len)
{
    bool in_string = false;
    if (!maxwell_is_json((const uint8_t *)p, len))
        return maxwell_put_text(out, p, len);
    if (!maxwell_room(out, len))
        return false;
    for (size_t i = 0; i < len; i++) {
        if (p[i] == '"')
            in_string = !in_string;
        if (!in_string && (p[i] == ' ' || p[i] == '\n' || p[i] == '\r' || p[i] == '\t'))
            continue;
        *out->o++ = (uint8_t)p[i];
        if (in_string && p[i] == '\\')
            *out->o++ = (uint8_t)p[++i];
    }
    return true;
}

static bool put_other(struct maxwell_out *out, const struct value *v)
{
    maxwell_out_close(out);
    value_json(v, out->buf);
    if (out->buf->failed)
        return false;
    out->o = out->buf->p + out->buf->len;
    out->end = out->buf->p + out->buf->size;
    return true;
}

static bool put_string(struct maxwell_out *out, const struct maxwell_cell *cell, const struct value *v)
{
    const uint8_t *p = (const uint8_t *)v->s.p;
    switch (v->kind) {
    case VALUE_DECIMAL:
        if (!maxwell_put(out, v->s.p, v->s.len) || !maxwell_room(out, 8))
            return false;
        out->o = with_exponent(out->o - v->s.len, out->o, v->scale);
        return true;
    case VALUE_TEXT:
        return cell->stored_json ? maxwell_write_stored_json(out, cell, p, v->s.len)
                                 : maxwell_put_text(out, v->s.p, v->s.len);
    case VALUE_BYTES:
        if (cell->type->family == FAMILY_GEOMETRY)
            return maxwell_put_null(out);
        return maxwell_put_base64(out, p, v->s.len);
    case VALUE_ENUM:
        return v->s.len == 0 && v->index == 0 ? maxwell_put_null(out) : maxwell_put_text(out, v->s.p, v->s.len);
    case VALUE_SET:
        return put_labels(out, v->s.p, v->s.len);
    case VALUE_JSON:
        return put_document_text(out, v->s.p, v->s.len);
    case VALUE_GEOMETRY:
        return maxwell_write_geometry_text(out, cell, p, v->s.len);
    default:
        return put_other(out, v);
    }
}

bool maxwell_put_value(struct maxwell_out *out, const struct maxwell_cell *cell, const struct value *v)
{
    struct value copy = *v;
    switch (v->kind) {
    case VALUE_NULL:
        return maxwell_put_null(out);
    case VALUE_INT:
        if (!maxwell_room(out, WRITE_UINT_MAX + 1))
            return false;
        out->o = write_int(out->o, v->i);
        return true;
    case VALUE_UINT:
    case VALUE_BIT:
        return maxwell_put_uint(out, v->u);
    case VALUE_YEAR:
        return maxwell_put_uint(out, v->u ? v->u : 1900);
    case VALUE_FLOAT:
        return put_real(out, (double)v->f, true);
    case VALUE_DOUBLE:
        return put_real(out, v->d, false);
    case VALUE_DATE:
        return maxwell_put_date(out, cell, &copy);
    case VALUE_TIME:
        return maxwell_put_time(out, cell, v);
    case VALUE_DATETIME:
        return maxwell_put_datetime(out, cell, &copy);
    case VALUE_TIMESTAMP:
        return maxwell_put_timestamp(out, cell, v);
    default:
        return put_string(out, cell, v);
    }
}
