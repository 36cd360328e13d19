/* Case of ASCII letters, whatever the locale: names that servers compare without it. Other bytes are what they are. */
#ifndef SLUICE_BASE_ASCII_H
#define SLUICE_BASE_ASCII_H

#include <stdbool.h>
#include <stddef.h>

static inline char ascii_lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* Whether `len` bytes of both are the same but for case. */
static inline bool ascii_same(const char *a, const char *b, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (ascii_lower(a[i]) != ascii_lower(b[i]))
            return false;
    return true;
}

/* What the letter behind a backslash stands for in an SQL string: \n a line feed, \Z 26; others themselves. */
static inline char ascii_sql_escape(char c)
{
    static const char letters[] = "0bnrtZ", meant[] = {'\0', '\b', '\n', '\r', '\t', 26};
    for (size_t i = 0; i < sizeof meant; i++)
        if (letters[i] == c)
            return meant[i];
    return c;
}

#endif
