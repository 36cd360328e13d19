/* Binary JSON in the text of the peers: see json_styles.h. */
#include "value/json_styles.h"

#include <stdio.h>

#include "value/java.h"
#include "value/json_parts.h"
#include "value/write.h"

#define DECIMAL_GROUP 9

/* ---------------------------------------------------------------- strings */

struct escape_rule {
    const char *digits;  /* of \u00xx */
    const char *letters; /* of the short escapes, by code point; 0: none */
    bool latin;          /* U+007F … U+00A0 too */
};

static const char canal_letters[32] = {['\t'] = 't', ['\n'] = 'n', ['\r'] = 'r'};
static const char jackson_letters[32] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
static const struct escape_rule canal_escapes = {"0123456789abcdef", canal_letters, true};
static const struct escape_rule jackson_escapes = {"0123456789ABCDEF", jackson_letters, false};

static void print_hex(struct jsonb_print *to, const struct escape_rule *rule, uint8_t c)
{
    const char text[6] = {'\\', 'u', '0', '0', rule->digits[c >> 4], rule->digits[c & 15]};
    jsonb_print_bytes(to, text, sizeof text);
}

/* Bytes that stand for themselves from p on. */
static size_t plain_run(const struct escape_rule *rule, const uint8_t *p, size_t len)
{
    size_t n = 0;
    while (n < len && p[n] >= 0x20 && p[n] != '"' && p[n] != '\\' && !(rule->latin && (p[n] == 0x7f || p[n] == 0xc2)))
        n++;
    return n;
}

static void print_escaped(struct jsonb_print *to, const struct escape_rule *rule, const uint8_t *p, size_t len)
{
    jsonb_print_bytes(to, "\"", 1);
    for (size_t i = 0; i < len; i++) {
        size_t run = plain_run(rule, p + i, len - i);
        jsonb_print_bytes(to, p + i, run);
        i += run;
        if (i == len)
            break;
        char letter = p[i] < 0x20 ? rule->letters[p[i]] : p[i] == '"' || p[i] == '\\' ? (char)p[i] : 0;
        if (letter) {
            const char text[2] = {'\\', letter};
            jsonb_print_bytes(to, text, sizeof text);
        } else if (p[i] < 0x80) {
            print_hex(to, rule, p[i]);
        } else if (i + 1 < len && p[i + 1] >= 0x80 && p[i + 1] <= 0xa0) {
            print_hex(to, rule, p[++i]);
        } else {
            jsonb_print_bytes(to, p + i, 1);
        }
    }
    jsonb_print_bytes(to, "\"", 1);
}

static void canal_string(struct jsonb_print *to, const uint8_t *p, size_t len)
{
    print_escaped(to, &canal_escapes, p, len);
}

static void connector_string(struct jsonb_print *to, const uint8_t *p, size_t len)
{
    print_escaped(to, &jackson_escapes, p, len);
}

/* ---------------------------------------------------------------- numbers */

static void canal_real(struct jsonb_print *to, double d)
{
    uint8_t text[WRITE_JAVA_MAX];
    jsonb_print_bytes(to, text, (size_t)(write_java_double(text, d) - text));
}

#define EXACT_MAX 1100 /* sign, 309 digits before the point or 1,074 behind it */

static void connector_real(struct jsonb_print *to, double d)
{
    uint8_t text[WRITE_JAVA_MAX];
    char exact[EXACT_MAX];
    size_t len = (size_t)(write_java_double(text, d) - text);
    if (!memchr(text, 'E', len)) {
        jsonb_print_bytes(to, text, len);
        return;
    }
    int digits = snprintf(exact, sizeof exact, "%.1074f", d);
    if (digits >= (int)sizeof exact) /* large: nothing stands behind the point */
        digits = snprintf(exact, sizeof exact, "%.0f", d);
    if (memchr(exact, '.', (size_t)digits)) {
        while (exact[digits - 1] == '0')
            digits--;
        digits -= exact[digits - 1] == '.';
    }
    jsonb_print_bytes(to, exact, (size_t)digits);
}

uint8_t *canal_decimal_end(uint8_t *end, unsigned scale)
{
    unsigned last = scale % DECIMAL_GROUP;
    for (unsigned i = 1; i <= last; i++)
        if (end[-(int)i] != '0')
            return end;
    if (last == scale && scale > 0)
        return end - last + 1;
    return end - last;
}

static bool canal_decimal(struct jsonb_print *to, const struct bytes *in)
{
    uint8_t text[JSONB_DECIMAL_MAX];
    uint8_t *end = jsonb_decimal(text, in);
    if (!end)
        return false;
    jsonb_print_bytes(to, text, (size_t)(canal_decimal_end(end, in->p[1]) - text));
    return true;
}

/* ---------------------------------------------------------------- opaque values */

static bool is_zero_time(const struct value *v)
{
    return !v->t.year && !v->t.month && !v->t.day && !v->t.hour && !v->t.minute && !v->t.second && !v->t.us;
}

static bool print_quoted(struct jsonb_print *to, uint8_t *text, uint8_t *end)
{
    *end++ = '"';
    text[0] = '"';
    jsonb_print_bytes(to, text, (size_t)(end - text));
    return true;
}

static bool canal_temporal(struct jsonb_print *to, uint8_t column_type, const struct bytes *in)
{
    uint8_t text[WRITE_DATETIME_MAX + 2], *o = text + 1;
    struct value v;
    if (!jsonb_temporal(column_type, in, &v))
        return false;
    v.scale = is_zero_time(&v) ? 0 : 6;
    if (column_type != WIRE_TIME)
        return print_quoted(to, text, write_datetime(o, &v));
    if (v.t.hour == 100)
        v.t.hour = 0;
    return print_quoted(to, text, write_time(o, &v));
}

static bool connector_temporal(struct jsonb_print *to, uint8_t column_type, const struct bytes *in)
{
    uint8_t text[WRITE_DATETIME_MAX + 2], *o = text + 1;
    struct value v;
    if (!jsonb_temporal(column_type, in, &v))
        return false;
    uint32_t us = v.t.us;
    for (v.scale = us ? 6 : 0; v.scale && us % 10 == 0; us /= 10)
        v.scale--;
    if (column_type == WIRE_TIME)
        o = write_time(o, &v);
    else if (column_type == WIRE_DATE_OLD)
        o = write_date(o, v.t.year, v.t.month, v.t.day);
    else
        o = write_datetime(o, &v);
    return print_quoted(to, text, o);
}

static bool is_temporal(uint8_t column_type)
{
    return column_type == WIRE_DATE_OLD || column_type == WIRE_TIME || column_type == WIRE_DATETIME ||
           column_type == WIRE_TIMESTAMP;
}

static bool canal_opaque(struct jsonb_print *to, uint8_t column_type, const struct bytes *in)
{
    if (column_type == WIRE_NEWDECIMAL)
        return canal_decimal(to, in);
    if (is_temporal(column_type))
        return canal_temporal(to, column_type, in);
    canal_string(to, in->p, in->len);
    return true;
}

#define BASE64_PIECE 48 /* bytes at once, a multiple of three */

static bool connector_opaque(struct jsonb_print *to, uint8_t column_type, const struct bytes *in)
{
    uint8_t text[BASE64_PIECE / 3 * 4];
    if (column_type == WIRE_NEWDECIMAL)
        return jsonb_print_decimal(to, in);
    if (is_temporal(column_type))
        return connector_temporal(to, column_type, in);
    jsonb_print_bytes(to, "\"", 1);
    for (size_t at = 0; at < in->len; at += BASE64_PIECE) {
        size_t len = in->len - at < BASE64_PIECE ? in->len - at : BASE64_PIECE;
        jsonb_print_bytes(to, text, (size_t)(write_base64(text, in->p + at, len) - text));
    }
    jsonb_print_bytes(to, "\"", 1);
    return true;
}

const struct jsonb_style jsonb_style_canal = {", ", ": ", canal_string, canal_real, canal_opaque};
const struct jsonb_style jsonb_style_connector = {",", ":", connector_string, connector_real, connector_opaque};

/* ---------------------------------------------------------------- documents */

size_t jsonb_styled_len(const struct jsonb_style *style, const uint8_t *doc, size_t len)
{
    struct jsonb_ref root = jsonb_root(doc, len);
    struct jsonb_print count = {.left = len, .style = style};
    return jsonb_print_value(&count, &root) ? count.len : SIZE_MAX;
}

uint8_t *jsonb_write_styled(const struct jsonb_style *style, uint8_t *o, const uint8_t *doc, size_t len)
{
    struct jsonb_ref root = jsonb_root(doc, len);
    struct jsonb_print to = {.o = o, .left = len, .style = style};
    return jsonb_print_value(&to, &root) ? o + to.len : NULL;
}
