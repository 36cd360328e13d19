/* Values of foreign messages in the JSON of our own. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "change/input_parts.h"
#include "value/write.h"

bool input_put_integer(struct input_reader *rd, const char *p, size_t len)
{
    bool negative = len > 0 && *p == '-';
    const char *digits = p + negative, *end = p + len;
    if (digits == end)
        return false;
    for (const char *at = digits; at < end; at++)
        if (*at < '0' || *at > '9')
            return false;
    while (digits < end - 1 && *digits == '0')
        digits++;
    if (end - digits > WRITE_UINT_MAX)
        return false;
    char copy[WRITE_UINT_MAX + 1];
    memcpy(copy, digits, (size_t)(end - digits));
    copy[end - digits] = '\0';
    bool quoted = end - digits > 16 || strtoull(copy, NULL, 10) > WRITE_SAFE_INTEGER;
    negative &= *digits != '0';
    buf_printf(&rd->scratch, "%s%s%s%s", quoted ? "\"" : "", negative ? "-" : "", copy, quoted ? "\"" : "");
    return true;
}

bool input_put_real(struct input_reader *rd, const char *text, bool single)
{
    char *end = NULL;
    struct value v = {.kind = single ? VALUE_FLOAT : VALUE_DOUBLE};
    double d = single ? (double)strtof(text, &end) : strtod(text, &end);
    if (end == text || *end || !isfinite(d) || strpbrk(text, "xX \t\r\n"))
        return false;
    if (single)
        v.f = (float)d;
    else
        v.d = d;
    input_put_value(rd, &v);
    return true;
}

void input_put_document(struct input_reader *rd, const char *p, size_t len)
{
    struct buf spaced;
    bool quoted = false;
    buf_init(&spaced, 0);
    for (size_t i = 0; i < len; i++) {
        char c = p[i];
        bool escaped = quoted && c == '\\' && i + 1 < len;
        if (!quoted && (c == ' ' || c == '\n' || c == '\t' || c == '\r'))
            continue;
        buf_byte(&spaced, (uint8_t)c);
        if (escaped)
            buf_byte(&spaced, (uint8_t)p[++i]);
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == ',' || c == ':'))
            buf_byte(&spaced, ' ');
    }
    if (spaced.failed)
        rd->scratch.failed = true;
    else
        input_put_text(rd, (const char *)spaced.p, spaced.len);
    buf_release(&spaced);
}

bool input_put_geometry(struct input_reader *rd, const struct input_json *object)
{
    struct input_json wkb = input_member(object, "wkb"), srid = input_member(object, "srid");
    int64_t number = input_integer(object, "srid", -1);
    if (!json_is_string(wkb.json) || (!input_is_null(&srid) && (number < 0 || number > UINT32_MAX)))
        return false;
    buf_text(&rd->scratch, "{\"wkb\":");
    input_put_text(rd, json_string_value(wkb.json), json_string_length(wkb.json));
    buf_printf(&rd->scratch, ",\"srid\":%lld}", input_is_null(&srid) ? 0LL : (long long)number);
    return true;
}
