/* A bounded reader of text that a person or a server wrote: positions, GTIDs, stored lines. Private to this folder.
 *
 * Each scan_ function takes what it reads and says whether it was there; the bytes need no NUL at their end. */
#ifndef SLUICE_POSITION_SCAN_H
#define SLUICE_POSITION_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"

struct scan {
    const char *p;
    const char *end;
};

static inline struct scan scan_over(const char *text, size_t len)
{
    return (struct scan){text, text ? text + len : text};
}

static inline bool scan_at_end(const struct scan *s)
{
    return s->p == s->end;
}

static inline bool scan_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Blanks as C's locale has them: space, and \t \n \v \f \r. */
static inline void scan_space(struct scan *s)
{
    while (s->p < s->end && (*s->p == ' ' || (*s->p >= '\t' && *s->p <= '\r')))
        s->p++;
}

static inline bool scan_char(struct scan *s, char c)
{
    if (s->p == s->end || *s->p != c)
        return false;
    s->p++;
    return true;
}

static inline bool scan_word(struct scan *s, const char *word)
{
    size_t len = strlen(word);
    if ((size_t)(s->end - s->p) < len || memcmp(s->p, word, len) != 0)
        return false;
    s->p += len;
    return true;
}

/* Decimal digits, at least one, of a value up to `max`. */
static inline bool scan_u64(struct scan *s, uint64_t max, uint64_t *out)
{
    const char *p = s->p;
    uint64_t v = 0;
    for (; p < s->end && scan_is_digit(*p); p++) {
        uint64_t digit = (uint64_t)(*p - '0');
        if (v > (max - digit) / 10 || digit > max)
            return false;
        v = v * 10 + digit;
    }
    if (p == s->p)
        return false;
    s->p = p;
    *out = v;
    return true;
}

static inline int scan_hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Everything up to `stop`, which is taken too; false when `stop` does not follow. */
static inline bool scan_until(struct scan *s, char stop, struct scan *out)
{
    const char *found = s->p < s->end ? memchr(s->p, stop, (size_t)(s->end - s->p)) : NULL;
    if (!found)
        return false;
    *out = (struct scan){s->p, found};
    s->p = found + 1;
    return true;
}

/* POSITION_SYNTAX with (the beginning of) the text and why. */
static inline int scan_error(struct err *e, const char *text, size_t len, const char *why)
{
    return err_set(e, POSITION_SYNTAX, (int)(len < 200 ? len : 200), text ? text : "", why);
}

#endif
