/* The text of a binary JSON document, as the server's SELECT prints it.
 *
 *   object, array   {"key": value, …}  [value, …], in stored order
 *   string          in quotes; escaped: " \ \b \t \n \f \r, below 0x20 \u00xx
 *   integer, null, true, false
 *   double          shortest digits; plain from 1e-15 on and below 1e15, or while there are digits behind the point;
 *                   1.0, 1.5e20
 *   opaque          DECIMAL as a number with its scale; DATE "2026-11-22"; TIME "-01:02:03.000000"; DATETIME and
 *                   TIMESTAMP "2026-11-22 13:14:15.000000"; VAR_STRING as a string; all others "base64:type252:…", with
 *                   a line break after each 76 characters of base64
 *
 *   DECIMAL in it   precision (1), scale (1), as in a DECIMAL column (value/decimal.c)
 *   temporal in it  8 bytes little-endian, signed; of its magnitude the microseconds (24 bits), then
 *                   DATE DATETIME TIMESTAMP: second (6), minute (6), hour (5), day (5), year * 13 + month
 *                   TIME: second (6), minute (6), hour (10) */
#include "value/json_parts.h"
#include "value/write.h"

#define DECIMAL_DIGITS_MAX (JSONB_DECIMAL_MAX - 3) /* of the server's calculations; a column has 65 */

void jsonb_print_bytes(struct jsonb_print *to, const void *bytes, size_t len)
{
    if (to->o && len)
        memcpy(to->o + to->len, bytes, len);
    to->len += len;
}

static void print_byte(struct jsonb_print *to, char c)
{
    if (to->o)
        to->o[to->len] = (uint8_t)c;
    to->len++;
}

/* Bytes that escapes add. */
static size_t count_escapes(const uint8_t *p, size_t len)
{
    static const uint8_t more[32] = {5, 5, 5, 5, 5, 5, 5, 5, 1, 1, 1, 5, 1, 1, 5, 5,
                                     5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5};
    size_t n = 0;
    for (size_t i = 0; i < len; i++)
        n += p[i] < 0x20 ? more[p[i]] : p[i] == '"' || p[i] == '\\';
    return n;
}

void jsonb_print_string(struct jsonb_print *to, const uint8_t *p, size_t len)
{
    if (to->style)
        to->style->string(to, p, len);
    else if (to->o)
        to->len = (size_t)(write_json_string(to->o + to->len, p, len) - to->o);
    else
        to->len += len + 2 + count_escapes(p, len);
}

bool jsonb_print_visit(struct jsonb_print *to, size_t size)
{
    if (size > to->left)
        return false;
    to->left -= size;
    return true;
}

static bool print_written(struct jsonb_print *to, const uint8_t *text, const uint8_t *end)
{
    jsonb_print_bytes(to, text, (size_t)(end - text));
    return true;
}

static bool print_literal(struct jsonb_print *to, uint8_t which)
{
    static const char *const names[] = {"null", "true", "false"};
    if (which >= sizeof names / sizeof names[0])
        return false;
    jsonb_print_bytes(to, names[which], strlen(names[which]));
    return true;
}

static void print_real(struct jsonb_print *to, double d)
{
    uint8_t text[WRITE_SERVER_DOUBLE_MAX];
    if (to->style)
        to->style->real(to, d);
    else
        jsonb_print_bytes(to, text, (size_t)(write_server_double(text, d) - text));
}

static bool print_number(struct jsonb_print *to, uint8_t type, const uint8_t *p, size_t size)
{
    uint8_t text[WRITE_SERVER_DOUBLE_MAX];
    uint64_t bits = family_le(p, size);
    unsigned unused = 64 - 8 * (unsigned)size;
    double d;
    switch (type) {
    case JSONB_INT16:
    case JSONB_INT32:
    case JSONB_INT64:
        return print_written(to, text, write_int(text, (int64_t)(bits << unused) >> unused));
    case JSONB_DOUBLE:
        memcpy(&d, &bits, sizeof d);
        if ((bits >> 52 & 0x7ff) == 0x7ff)
            return false;
        print_real(to, d);
        return true;
    default:
        return print_written(to, text, write_uint(text, bits));
    }
}

uint8_t *jsonb_decimal(uint8_t *o, const struct bytes *in)
{
    static const uint8_t group_bytes[10] = {0, 1, 1, 2, 2, 3, 3, 4, 4, 4};
    if (in->len < 3 || in->p[0] < 1 || in->p[0] > DECIMAL_DIGITS_MAX || in->p[1] > in->p[0])
        return NULL;
    unsigned scale = in->p[1], integer = in->p[0] - scale;
    size_t size = integer / 9 * 4u + group_bytes[integer % 9] + scale / 9 * 4u + group_bytes[scale % 9];
    return in->len == 2 + size ? write_decimal(o, in->p + 2, in->p[0], scale) : NULL;
}

bool jsonb_print_decimal(struct jsonb_print *to, const struct bytes *in)
{
    uint8_t text[JSONB_DECIMAL_MAX];
    const uint8_t *end = jsonb_decimal(text, in);
    return end && print_written(to, text, end);
}

bool jsonb_temporal(uint8_t column_type, const struct bytes *in, struct value *v)
{
    if (in->len != 8)
        return false;
    int64_t n = (int64_t)family_le(in->p, 8);
    uint64_t magnitude = n < 0 ? 0 - (uint64_t)n : (uint64_t)n, clock = magnitude >> 24;
    *v = (struct value){.scale = 6};
    v->t.us = (uint32_t)(magnitude & 0xffffff);
    v->t.negative = n < 0;
    v->t.second = clock & 63;
    v->t.minute = clock >> 6 & 63;
    if (v->t.us > 999999 || v->t.second > 59 || v->t.minute > 59)
        return false;
    if (column_type == WIRE_TIME) {
        v->t.hour = clock >> 12 & 1023;
        return clock >> 22 == 0 && v->t.hour <= 838;
    }
    uint64_t months = clock >> 22;
    v->t.hour = clock >> 12 & 31;
    v->t.day = clock >> 17 & 31;
    v->t.month = (uint8_t)(months % 13);
    v->t.year = (uint16_t)(months / 13 & 0xffff);
    return n >= 0 && months / 13 <= 9999 && v->t.hour <= 23;
}

static bool print_temporal(struct jsonb_print *to, uint8_t column_type, const struct bytes *in)
{
    uint8_t text[WRITE_DATETIME_MAX + 2], *o = text;
    struct value v;
    if (!jsonb_temporal(column_type, in, &v))
        return false;
    *o++ = '"';
    if (column_type == WIRE_TIME)
        o = write_time(o, &v);
    else if (column_type == WIRE_DATE_OLD)
        o = write_date(o, v.t.year, v.t.month, v.t.day);
    else
        o = write_datetime(o, &v);
    *o++ = '"';
    return print_written(to, text, o);
}

#define LINE_BYTES 57 /* 76 characters of base64 */

static bool print_base64(struct jsonb_print *to, uint8_t column_type, const struct bytes *in)
{
    static const char head[] = "\"base64:type";
    uint8_t text[WRITE_BASE64_MAX(LINE_BYTES)];
    jsonb_print_bytes(to, head, sizeof head - 1);
    print_written(to, text, write_uint(text, column_type));
    print_byte(to, ':');
    for (size_t at = 0; at < in->len; at += LINE_BYTES) {
        size_t len = in->len - at < LINE_BYTES ? in->len - at : LINE_BYTES;
        if (at)
            jsonb_print_bytes(to, "\\n", 2);
        print_written(to, text, write_base64(text, in->p + at, len));
    }
    print_byte(to, '"');
    return true;
}

static bool print_opaque(struct jsonb_print *to, uint8_t column_type, const struct bytes *in)
{
    if (to->style)
        return to->style->opaque(to, column_type, in);
    switch (column_type) {
    case WIRE_NEWDECIMAL:
        return jsonb_print_decimal(to, in);
    case WIRE_DATE_OLD:
    case WIRE_TIME:
    case WIRE_DATETIME:
    case WIRE_TIMESTAMP:
        return print_temporal(to, column_type, in);
    case WIRE_VAR_STRING:
        jsonb_print_string(to, in->p, in->len);
        return true;
    default:
        return print_base64(to, column_type, in);
    }
}

static bool print_list(struct jsonb_print *to, const struct jsonb_ref *ref)
{
    const char *comma = to->style ? to->style->comma : ", ", *colon = to->style ? to->style->colon : ": ";
    struct jsonb_list list;
    if (to->depth == JSONB_DEPTH_MAX || !jsonb_list_open(&list, ref) || !jsonb_print_visit(to, list.header))
        return false;
    to->depth++;
    print_byte(to, list.object ? '{' : '[');
    for (uint32_t i = 0; i < list.count; i++) {
        struct jsonb_ref value;
        struct bytes key;
        if (i)
            jsonb_print_bytes(to, comma, strlen(comma));
        if (list.object) {
            if (!jsonb_list_key(&list, i, &key) || !jsonb_print_visit(to, key.len))
                return false;
            jsonb_print_string(to, key.p, key.len);
            jsonb_print_bytes(to, colon, strlen(colon));
        }
        if (!jsonb_list_value(&list, i, &value) || !jsonb_print_value(to, &value))
            return false;
    }
    print_byte(to, list.object ? '}' : ']');
    to->depth--;
    return true;
}

bool jsonb_print_value(struct jsonb_print *to, const struct jsonb_ref *ref)
{
    static const uint8_t sizes[] = {[JSONB_LITERAL] = 1, [JSONB_INT16] = 2, [JSONB_UINT16] = 2, [JSONB_INT32] = 4,
                                    [JSONB_UINT32] = 4,  [JSONB_INT64] = 8, [JSONB_UINT64] = 8, [JSONB_DOUBLE] = 8};
    if (jsonb_is_list(ref))
        return print_list(to, ref);
    if (ref->type == JSONB_STRING || ref->type == JSONB_OPAQUE) {
        struct bytes in;
        uint8_t column_type = 0;
        size_t size = 0;
        if (!jsonb_string(ref, &in, &column_type, &size) || !jsonb_print_visit(to, size))
            return false;
        if (ref->type == JSONB_OPAQUE)
            return print_opaque(to, column_type, &in);
        jsonb_print_string(to, in.p, in.len);
        return true;
    }
    if (ref->type >= sizeof sizes || ref->len < sizes[ref->type] ||
        (!ref->inlined && !jsonb_print_visit(to, sizes[ref->type])))
        return false;
    return ref->type == JSONB_LITERAL ? print_literal(to, ref->p[0])
                                      : print_number(to, ref->type, ref->p, sizes[ref->type]);
}
