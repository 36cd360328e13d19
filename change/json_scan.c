/* Members and values of our own JSON. */
#include "change/json_scan.h"

#include <stdlib.h>
#include <string.h>

#include "value/write.h"

static void skip_space(struct json_scan *scan)
{
    while (scan->p < scan->end && (*scan->p == ' ' || *scan->p == '\t' || *scan->p == '\n' || *scan->p == '\r'))
        scan->p++;
}

static bool take(struct json_scan *scan, char c)
{
    skip_space(scan);
    if (scan->p == scan->end || *scan->p != c)
        return false;
    scan->p++;
    return true;
}

/* From the opening quote to behind the closing one. */
static bool skip_string(struct json_scan *scan)
{
    if (!take(scan, '"'))
        return false;
    for (; scan->p < scan->end; scan->p++) {
        if (*scan->p == '"') {
            scan->p++;
            return true;
        }
        if (*scan->p == '\\' && ++scan->p == scan->end)
            return false;
    }
    return false;
}

/* Objects and lists by their depth, strings whole, all else up to a separator. */
static bool skip_value(struct json_scan *scan)
{
    unsigned depth = 0;
    skip_space(scan);
    do {
        if (scan->p == scan->end)
            return false;
        char c = *scan->p;
        if (c == '"') {
            if (!skip_string(scan))
                return false;
            continue;
        }
        if (c == '{' || c == '[')
            depth++;
        else if ((c == '}' || c == ']') && depth > 0)
            depth--;
        scan->p++;
        if (depth == 0 && c != '}' && c != ']')
            while (scan->p < scan->end && !strchr(",}] \t\r\n", *scan->p))
                scan->p++;
    } while (depth > 0);
    return true;
}

bool json_scan_open(struct json_scan *scan, const char *p, size_t len)
{
    *scan = (struct json_scan){p, p + len};
    return take(scan, '{');
}

bool json_scan_next(struct json_scan *scan, struct json_span *name, struct json_span *value)
{
    (void)take(scan, ',');
    skip_space(scan);
    const char *start = scan->p;
    if (!skip_string(scan))
        return false;
    *name = (struct json_span){start + 1, (size_t)(scan->p - start) - 2};
    if (!take(scan, ':'))
        return false;
    skip_space(scan);
    start = scan->p;
    if (!skip_value(scan))
        return false;
    *value = (struct json_span){start, (size_t)(scan->p - start)};
    return true;
}

bool json_scan_array(struct json_scan *scan, const struct json_span *text)
{
    *scan = (struct json_scan){text->p, text->p + text->len};
    return take(scan, '[');
}

bool json_scan_element(struct json_scan *scan, struct json_span *value)
{
    (void)take(scan, ',');
    skip_space(scan);
    const char *start = scan->p;
    if (start == scan->end || *start == ']' || !skip_value(scan))
        return false;
    *value = (struct json_span){start, (size_t)(scan->p - start)};
    return true;
}

static int not_ours(const char *what, struct err *e)
{
    return err_set(e, CORRUPT, what);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Four hex digits; -1 when they are not. */
static long hex4(const char *p, const char *end)
{
    long v = 0;
    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(p[i]);
        if (digit < 0)
            return -1;
        v = v << 4 | digit;
    }
    return v;
}

/* \uXXXX behind the u, two of them for a surrogate pair; the new end of the input, NULL when malformed. */
static const char *unescape_u(const char *p, const char *end, char **o)
{
    long c = hex4(p, end);
    if (c < 0)
        return NULL;
    p += 4;
    if (c >= 0xd800 && c <= 0xdbff) {
        long low = end - p >= 6 && p[0] == '\\' && p[1] == 'u' ? hex4(p + 2, end) : -1;
        if (low < 0xdc00 || low > 0xdfff)
            return NULL;
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        p += 6;
    }
    *o = (char *)write_utf8((uint8_t *)*o, (uint32_t)c);
    return p;
}

static int read_string(const char *p, size_t len, struct value *out, struct arena *arena, struct err *e)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    struct value v = {.kind = VALUE_TEXT};
    const char *end = p + len;
    v.s.p = p;
    v.s.len = len;
    if (!memchr(p, '\\', len)) {
        *out = v;
        return 0;
    }
    char *text = arena_alloc(arena, len), *o = text;
    if (!text)
        return err_set(e, NO_MEMORY, len);
    while (p < end) {
        if (*p != '\\') {
            *o++ = *p++;
            continue;
        }
        if (++p == end)
            return not_ours("a string ends in a backslash", e);
        const char *known = *p ? strchr(from, *p) : NULL;
        if (known) {
            *o++ = to[known - from];
            p++;
            continue;
        }
        p = *p == 'u' ? unescape_u(p + 1, end, &o) : NULL;
        if (!p)
            return not_ours("a malformed escape in a string", e);
    }
    v.s.p = text;
    v.s.len = (size_t)(o - text);
    *out = v;
    return 0;
}

static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Bytes; -1 when malformed. */
static long decode_base64(const char *p, size_t len, uint8_t *out)
{
    uint8_t *o = out;
    if (len % 4)
        return -1;
    for (; len; p += 4, len -= 4) {
        unsigned pad = len != 4 || p[3] != '=' ? 0 : p[2] == '=' ? 2 : 1;
        uint32_t n = 0;
        for (unsigned i = 0; i < 4; i++) {
            int digit = i >= 4 - pad ? 0 : base64_digit(p[i]);
            if (digit < 0)
                return -1;
            n = n << 6 | (uint32_t)digit;
        }
        *o++ = (uint8_t)(n >> 16);
        if (pad < 2)
            *o++ = (uint8_t)(n >> 8);
        if (pad < 1)
            *o++ = (uint8_t)n;
    }
    return o - out;
}

/* The member is a string of this name. */
static bool is_string(const struct json_span *name, const struct json_span *value, const char *wanted)
{
    return name->len == strlen(wanted) && memcmp(name->p, wanted, name->len) == 0 && value->len >= 2 &&
           value->p[0] == '"';
}

/* `reserved` bytes are left free in front of those decoded. */
static int read_bytes(const struct json_span *value, size_t reserved, struct value *out, struct arena *arena,
                      struct err *e)
{
    uint8_t *bytes = arena_alloc(arena, reserved + value->len);
    if (!bytes)
        return err_set(e, NO_MEMORY, reserved + value->len);
    long len = decode_base64(value->p + 1, value->len - 2, bytes + reserved);
    if (len < 0)
        return not_ours("malformed base64", e);
    *out = (struct value){.kind = VALUE_BYTES};
    out->s.p = (const char *)bytes;
    out->s.len = reserved + (size_t)len;
    return 0;
}

#define NUMBER_LEN_MAX 40

/* A copy with a NUL behind it; false when there are too few or too many characters. */
static bool copy_number(const struct json_span *text, char copy[NUMBER_LEN_MAX + 1])
{
    if (text->len == 0 || text->len > NUMBER_LEN_MAX)
        return false;
    memcpy(copy, text->p, text->len);
    copy[text->len] = '\0';
    return true;
}

static int read_geometry(const struct json_span *wkb, const struct json_span *srid, struct value *out,
                         struct arena *arena, struct err *e)
{
    char copy[NUMBER_LEN_MAX + 1], *end = copy;
    unsigned long long id = copy_number(srid, copy) && copy[0] != '-' ? strtoull(copy, &end, 10) : 0;
    if (end == copy || *end != '\0' || id > UINT32_MAX)
        return not_ours("a geometry without its SRID", e);
    struct value v;
    int rc = read_bytes(wkb, GEOMETRY_SRID_BYTES, &v, arena, e);
    if (rc != 0)
        return rc;
    uint8_t *bytes = (uint8_t *)(uintptr_t)v.s.p;
    for (unsigned i = 0; i < GEOMETRY_SRID_BYTES; i++)
        bytes[i] = (uint8_t)(id >> (8 * i));
    v.kind = VALUE_GEOMETRY;
    *out = v;
    return 0;
}

static int read_object(const struct json_span *text, struct value *out, struct arena *arena, struct err *e)
{
    static const char what[] = "an object that is neither {\"base64\":…} nor {\"wkb\":…,\"srid\":…}";
    struct json_scan scan;
    struct json_span name, value, second, srid, more;
    if (!json_scan_open(&scan, text->p, text->len) || !json_scan_next(&scan, &name, &value))
        return not_ours(what, e);
    bool two = json_scan_next(&scan, &second, &srid);
    if (!two && is_string(&name, &value, "base64"))
        return read_bytes(&value, 0, out, arena, e);
    if (!two || !is_string(&name, &value, "wkb") || second.len != 4 || memcmp(second.p, "srid", 4) != 0 ||
        json_scan_next(&scan, &name, &more))
        return not_ours(what, e);
    return read_geometry(&value, &srid, out, arena, e);
}

/* An array of numbers: a VECTOR, four bytes for each. */
static int read_array(const struct json_span *text, struct value *out, struct arena *arena, struct err *e)
{
    const char *p = text->p + 1, *end = text->p + text->len - 1;
    uint8_t *bytes = arena_alloc(arena, 2 * text->len), *o = bytes;
    if (!bytes)
        return err_set(e, NO_MEMORY, 2 * text->len);
    while (p < end) {
        char copy[NUMBER_LEN_MAX + 1], *stop = copy;
        struct json_span number = {p, strcspn(p, ",] \t\r\n")};
        float f = copy_number(&number, copy) ? strtof(copy, &stop) : 0;
        uint32_t bits;
        memcpy(&bits, &f, sizeof bits);
        if (stop == copy || *stop != '\0' || (bits >> 23 & 0xff) == 0xff)
            return not_ours("an array that is not of numbers of a VECTOR", e);
        for (unsigned i = 0; i < sizeof bits; i++)
            *o++ = (uint8_t)(bits >> (8 * i));
        p += number.len;
        while (p < end && strchr(", \t\r\n", *p))
            p++;
    }
    *out = (struct value){.kind = VALUE_VECTOR};
    out->s.p = (const char *)bytes;
    out->s.len = (size_t)(o - bytes);
    return 0;
}

/* Whole numbers are integers, all others doubles. The decimal point is the C locale's: the program sets no other. */
static int read_number(const struct json_span *text, struct value *out, struct err *e)
{
    char copy[NUMBER_LEN_MAX + 1], *end = NULL;
    if (!copy_number(text, copy))
        return not_ours("a number of too many digits", e);
    struct value v = {.kind = VALUE_DOUBLE};
    if (strpbrk(copy, ".eE")) {
        v.d = strtod(copy, &end);
    } else if (copy[0] == '-') {
        v.kind = VALUE_INT;
        v.i = strtoll(copy, &end, 10);
    } else {
        v.kind = VALUE_UINT;
        v.u = strtoull(copy, &end, 10);
    }
    if (*end != '\0' || end == copy)
        return not_ours("a value that is neither null, number, string nor base64", e);
    *out = v;
    return 0;
}

int json_scan_value(const struct json_span *text, struct value *out, struct arena *arena, struct err *e)
{
    if (text->len == 4 && memcmp(text->p, "null", 4) == 0) {
        *out = (struct value){.kind = VALUE_NULL};
        return 0;
    }
    if (text->len >= 2 && text->p[0] == '"')
        return read_string(text->p + 1, text->len - 2, out, arena, e);
    if (text->len && text->p[0] == '{')
        return read_object(text, out, arena, e);
    if (text->len >= 2 && text->p[0] == '[')
        return read_array(text, out, arena, e);
    return read_number(text, out, e);
}
