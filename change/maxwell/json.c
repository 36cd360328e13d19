/* Whether a stored text is JSON (RFC 8259): before it stands in a line as it is. */
#include "change/maxwell/parts.h"

#define DEPTH_MAX 128

struct scan {
    const uint8_t *p, *end;
};

static void skip_blanks(struct scan *in)
{
    while (in->p < in->end && (*in->p == ' ' || *in->p == '\t' || *in->p == '\n' || *in->p == '\r'))
        in->p++;
}

static bool take(struct scan *in, uint8_t byte)
{
    if (in->p == in->end || *in->p != byte)
        return false;
    in->p++;
    return true;
}

static bool word(struct scan *in, const char *text, size_t len)
{
    if ((size_t)(in->end - in->p) < len || memcmp(in->p, text, len) != 0)
        return false;
    in->p += len;
    return true;
}

static bool digits(struct scan *in)
{
    const uint8_t *start = in->p;
    while (in->p < in->end && *in->p >= '0' && *in->p <= '9')
        in->p++;
    return in->p > start;
}

static bool number(struct scan *in)
{
    (void)take(in, '-');
    if (!take(in, '0') && !digits(in))
        return false;
    if (take(in, '.') && !digits(in))
        return false;
    if (!take(in, 'e') && !take(in, 'E'))
        return true;
    if (!take(in, '+'))
        (void)take(in, '-');
    return digits(in);
}

static bool is_hex(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool string(struct scan *in)
{
    if (!take(in, '"'))
        return false;
    while (in->p < in->end && *in->p != '"') {
        uint8_t c = *in->p++;
        if (c < 0x20)
            return false;
        if (c != '\\')
            continue;
        if (in->p == in->end || !*in->p || !strchr("\"\\/bfnrtu", *in->p))
            return false;
        if (*in->p++ != 'u')
            continue;
        for (int i = 0; i < 4; i++, in->p++)
            if (in->p == in->end || !is_hex(*in->p))
                return false;
    }
    return take(in, '"');
}

static bool scalar(struct scan *in)
{
    if (in->p == in->end)
        return false;
    switch (*in->p) {
    case '"':
        return string(in);
    case 't':
        return word(in, "true", 4);
    case 'f':
        return word(in, "false", 5);
    case 'n':
        return word(in, "null", 4);
    default:
        return number(in);
    }
}

/* In front of a value of the innermost container: the name of a member. */
static bool name(struct scan *in, uint8_t close)
{
    skip_blanks(in);
    if (close != '}')
        return true;
    if (!string(in))
        return false;
    skip_blanks(in);
    return take(in, ':');
}

bool maxwell_is_json(const uint8_t *p, size_t len)
{
    struct scan in = {p, p + len};
    uint8_t closes[DEPTH_MAX];
    unsigned depth = 0;
    if (!value_is_utf8((const char *)p, len))
        return false;
    for (;;) {
        skip_blanks(&in);
        uint8_t close = take(&in, '{') ? '}' : take(&in, '[') ? ']' : 0;
        if (close) {
            if (depth == DEPTH_MAX)
                return false;
            closes[depth++] = close;
            skip_blanks(&in);
            if (in.p == in.end || *in.p != close) {
                if (!name(&in, close))
                    return false;
                continue;
            }
        } else if (!scalar(&in)) {
            return false;
        }
        for (skip_blanks(&in); depth > 0 && take(&in, closes[depth - 1]); skip_blanks(&in))
            depth--;
        if (depth == 0)
            return in.p == in.end;
        if (!take(&in, ',') || !name(&in, closes[depth - 1]))
            return false;
    }
}
