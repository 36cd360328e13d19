/* DEFAULT values out of their SQL. */
#include "change/column_default.h"

#include <string.h>

#include "base/ascii.h"
#include "value/charset.h"

#define PRECISION_MAX 6

/* What is left of the text; `bytes` has room for whatever comes of it. */
struct reader {
    const char *p;
    char *bytes;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' ||
           (unsigned char)c >= 0x80;
}

static void skip_blanks(struct reader *in)
{
    while (*in->p == ' ')
        in->p++;
}

static size_t word_len(const char *p)
{
    size_t len = 0;
    while (is_word(p[len]))
        len++;
    return len;
}

static bool is_any(const char *const *words, const char *p, size_t len)
{
    for (size_t i = 0; words[i]; i++)
        if (strlen(words[i]) == len && ascii_same(words[i], p, len))
            return true;
    return false;
}

static bool take_char(struct reader *in, char c)
{
    if (*in->p != c)
        return false;
    in->p++;
    skip_blanks(in);
    return true;
}

/* Strings that stand beside each other are one. */
static bool take_strings(struct reader *in, struct column_default *out)
{
    char *to = in->bytes;
    if (*in->p != '\'')
        return false;
    while (*in->p == '\'') {
        const char *p = in->p + 1;
        for (; *p && (*p != '\'' || p[1] == '\''); p++) {
            bool escape = *p == '\\' && p[1];
            p += escape || *p == '\'';
            *to++ = escape ? ascii_sql_escape(*p) : *p;
        }
        if (!*p)
            return false;
        in->p = p + 1;
        skip_blanks(in);
    }
    *to = '\0';
    *out = (struct column_default){.kind = DEFAULT_TEXT, .p = in->bytes, .len = (size_t)(to - in->bytes)};
    return true;
}

/* Behind the name of a character set: the bytes stand in the statement as they are in that set. */
static bool take_introduced(struct reader *in, enum charset charset, struct column_default *out)
{
    if (!take_strings(in, out))
        return false;
    if (charset == CHARSET_UTF8 || charset == CHARSET_BINARY)
        return true;
    for (size_t i = 0; i < out->len; i++)
        if ((unsigned char)out->p[i] >= 0x80)
            return false;
    return charset_has_ascii(charset);
}

static int digit_of(char c)
{
    if (is_digit(c))
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* `count` digits of `bits` bits each, as big-endian bytes. */
static bool keep_digits(struct reader *in, const char *digits, size_t count, unsigned bits, struct column_default *out)
{
    size_t len = (count * bits + 7) / 8;
    memset(in->bytes, 0, len + 1);
    for (size_t i = 0; i < count; i++) {
        int digit = digit_of(digits[count - 1 - i]);
        if (digit < 0 || digit >= 1 << bits)
            return false;
        in->bytes[len - 1 - i * bits / 8] |= (char)(digit << i * bits % 8);
    }
    *out = (struct column_default){.kind = bits == 1 ? DEFAULT_BITS : DEFAULT_HEX, .p = in->bytes, .len = len};
    return true;
}

/* b'101', x'41', 0b101, 0x41: the first two in any case. */
static bool take_bytes(struct reader *in, struct column_default *out)
{
    bool prefixed = *in->p == '0';
    char mark = prefixed ? in->p[1] : ascii_lower(*in->p);
    if (mark != 'b' && mark != 'x')
        return false;
    const char *digits = in->p + 2;
    bool quoted = !prefixed && in->p[1] == '\'';
    if (!quoted && !(prefixed && is_word(*digits)))
        return false;
    size_t count = word_len(digits);
    in->p = digits + count;
    if (quoted && *in->p++ != '\'')
        return false;
    return keep_digits(in, digits, count, mark == 'b' ? 1 : 4, out);
}

/* Copies digits; returns how many. */
static size_t take_digits(struct reader *in, char **to)
{
    size_t count = 0;
    for (; is_digit(*in->p); count++)
        *(*to)++ = *in->p++;
    return count;
}

static bool take_exponent(struct reader *in, char **to)
{
    if (ascii_lower(*in->p) != 'e')
        return true;
    *(*to)++ = 'e';
    in->p++;
    if (*in->p == '-' || *in->p == '+')
        *(*to)++ = *in->p++;
    return take_digits(in, to) > 0;
}

/* As JSON writes it: digits on both sides of a point, no zeros before the others, no plus sign. */
static bool take_number(struct reader *in, struct column_default *out)
{
    char *to = in->bytes;
    if (take_char(in, '-'))
        *to++ = '-';
    else
        take_char(in, '+');
    bool begins = is_digit(*in->p);
    while (in->p[0] == '0' && is_digit(in->p[1]))
        in->p++;
    if (!begins)
        *to++ = '0';
    take_digits(in, &to);
    if (*in->p == '.') {
        in->p++;
        *to++ = '.';
        size_t decimals = take_digits(in, &to);
        to -= decimals == 0; /* `1.` */
        if (decimals == 0 && !begins)
            return false;
    } else if (!begins)
        return false;
    if (!take_exponent(in, &to))
        return false;
    *to = '\0';
    *out = (struct column_default){.kind = DEFAULT_NUMBER, .p = in->bytes, .len = (size_t)(to - in->bytes)};
    return true;
}

/* Behind a word for the time: [( [digits] )]; NOW has parentheses always. */
static bool take_now(struct reader *in, bool parentheses, struct column_default *out)
{
    unsigned decimals = 0;
    if (take_char(in, '(')) {
        if (is_digit(*in->p))
            decimals = (unsigned)(*in->p++ - '0');
        skip_blanks(in);
        if (decimals > PRECISION_MAX || !take_char(in, ')'))
            return false;
    } else if (parentheses)
        return false;
    *out = (struct column_default){.kind = DEFAULT_NOW, .decimals = decimals};
    return true;
}

static bool take_word(struct reader *in, struct column_default *out)
{
    static const char *const nows[] = {"current_timestamp", "localtime", "localtimestamp", "now", NULL};
    static const char *const times[] = {"date", "time", "timestamp", "n", NULL};
    static const char *const null[] = {"null", NULL}, *const yes[] = {"true", NULL}, *const no[] = {"false", NULL};
    const char *word = in->p;
    size_t len = word_len(word);
    in->p += len;
    skip_blanks(in);
    if (is_any(nows, word, len))
        return take_now(in, len == strlen("now"), out);
    if (is_any(times, word, len))
        return take_strings(in, out);
    if (*word == '_')
        return take_introduced(in, charset_of_collation(charset_find_collation(word + 1, len - 1), NULL), out);
    if (is_any(null, word, len))
        *out = (struct column_default){.kind = DEFAULT_NULL};
    else if (is_any(yes, word, len) || is_any(no, word, len))
        *out = (struct column_default){.kind = DEFAULT_NUMBER, .p = is_any(yes, word, len) ? "1" : "0", .len = 1};
    else
        return false;
    return true;
}

static bool take_literal(struct reader *in, struct column_default *out)
{
    const struct reader begin = *in;
    if (take_strings(in, out))
        return true;
    *in = begin;
    if (take_bytes(in, out))
        return true;
    *in = begin;
    if (take_number(in, out))
        return true;
    *in = begin;
    return take_word(in, out);
}

bool column_default_parse(const struct column_definition *def, struct column_default *out, struct arena *arena)
{
    struct column_default value = {.kind = DEFAULT_NONE};
    if (!def->initial) {
        *out = value;
        return true;
    }
    size_t len = strlen(def->initial);
    struct reader in = {def->initial, arena_alloc(arena, len + 2)};
    if (!in.bytes)
        return false;
    bool read = take_literal(&in, &value);
    skip_blanks(&in);
    if (!read || *in.p)
        value = (struct column_default){.kind = DEFAULT_EXPRESSION, .p = def->initial, .len = len};
    *out = value;
    return true;
}
