/* "Did you mean": the nearest of some words by letters added, lost, changed or swapped. */
#include <string.h>

#include "config/config.h"

#define WORD_MAX 48

/* Case and the dash are no difference: `max-Retries` is meant as `max_retries`. */
static char plain_letter(char c)
{
    if (c == '-')
        return '_';
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment distance over three rows. */
static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t rows[3][WORD_MAX + 1];
    for (size_t j = 0; j <= b_len; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t *row = rows[i % 3];
        const size_t *up = rows[(i + 2) % 3], *up2 = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            char x = plain_letter(a[i - 1]), y = plain_letter(b[j - 1]);
            row[j] = least(least(up[j] + 1, row[j - 1] + 1), up[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == plain_letter(b[j - 2]) && plain_letter(a[i - 2]) == y)
                row[j] = least(row[j], up2[j - 2] + 1);
        }
    }
    return rows[a_len % 3][b_len];
}

const char *config_nearest(const char *word, const char *const *words, size_t count)
{
    size_t len = strlen(word);
    if (len == 0 || len > WORD_MAX)
        return NULL;
    const char *best = NULL;
    size_t best_distance = (len <= 4 ? 1 : 2) + 1;
    for (size_t i = 0; i < count; i++) {
        size_t other = strlen(words[i]);
        if (other > WORD_MAX)
            continue;
        size_t d = distance(word, len, words[i], other);
        if (d < best_distance) {
            best = words[i];
            best_distance = d;
        }
    }
    return best;
}
