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

#endif
