/* The words of transactions and of changes by statement; everything else is DDL. */
#include "binlog/query.h"

#include <strings.h>

/* The next word (letters and _) of a statement, comments and blanks before it skipped. */
static struct cursor next_word(struct cursor *cur)
{
    const uint8_t *p = cur->p, *end = cur->end;
    while (p < end) {
        if (*p == ' ' || (*p >= '\t' && *p <= '\r')) {
            p++;
        } else if (end - p >= 2 && p[0] == '/' && p[1] == '*') {
            const uint8_t *close = (const uint8_t *)memmem(p + 2, (size_t)(end - p) - 2, "*/", 2);
            p = close ? close + 2 : end;
        } else {
            break;
        }
    }
    struct cursor word = {p, p, false};
    while (word.end < end && ((*word.end | 0x20) >= 'a' && (*word.end | 0x20) <= 'z'))
        word.end++;
    cur->p = word.end;
    return word;
}

static bool is(const struct cursor *word, const char *text)
{
    return cursor_left(word) == strlen(text) && strncasecmp((const char *)word->p, text, strlen(text)) == 0;
}

/* A savepoint's name: the rest of the statement without blanks around it and without its quotes. */
static int take_name(struct query_class *out, struct cursor rest, struct arena *scratch, struct err *e)
{
    const uint8_t *p = rest.p, *end = rest.end;
    while (p < end && *p == ' ')
        p++;
    while (end > p && (end[-1] == ' ' || end[-1] == ';'))
        end--;
    if (end - p >= 2 && (*p == '`' || *p == '"') && end[-1] == *p) {
        p++;
        end--;
    }
    char *name = arena_copy(scratch, p, (size_t)(end - p));
    if (!name)
        return err_set(e, NO_MEMORY, (size_t)(end - p));
    for (char *c = name; c < name + (end - p); c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c | 0x20);
    out->name = name;
    out->name_len = (size_t)(end - p);
    return 0;
}

static const char *const change_words[] = {"INSERT", "UPDATE", "DELETE", "REPLACE", "LOAD", "WITH", "CALL", "DO"};

int query_classify(struct query_class *out, const struct event_query *query, const struct interest *interest,
                   struct arena *scratch, struct err *e)
{
    struct query_class cls = {.kind = QUERY_DDL, .effect = EFFECT_SCHEMA};
    struct cursor cur = cursor_over(query->statement, query->statement_len), word = next_word(&cur);
    int rc = 0;
    (void)interest;
    if (is(&word, "BEGIN"))
        cls.kind = QUERY_BEGIN;
    else if (is(&word, "COMMIT"))
        cls.kind = QUERY_COMMIT;
    else if (is(&word, "XA"))
        cls.kind = QUERY_XA;
    else if (is(&word, "SAVEPOINT")) {
        cls.kind = QUERY_SAVEPOINT;
        rc = take_name(&cls, cur, scratch, e);
    } else if (is(&word, "ROLLBACK")) {
        word = next_word(&cur);
        cls.kind = is(&word, "TO") ? QUERY_ROLLBACK_TO : QUERY_ROLLBACK;
        struct cursor behind = cur, maybe = next_word(&behind);
        if (cls.kind == QUERY_ROLLBACK_TO)
            rc = take_name(&cls, is(&maybe, "SAVEPOINT") ? behind : cur, scratch, e);
    }
    for (size_t i = 0; i < sizeof change_words / sizeof change_words[0]; i++)
        if (is(&word, change_words[i]))
            cls.kind = QUERY_CHANGE;
    if (rc == 0)
        *out = cls;
    return rc;
}

void query_print(const char *statement, size_t len, char *out, size_t size)
{
    size_t n = 0;
    while (n < len && n + 4 < size) {
        char c = statement[n];
        if (c == '(' || c == '\'' || c == '"' || c == '=' || c == '@' || (unsigned char)c < ' ')
            break;
        out[n++] = c;
    }
    if (n < len && n + 4 <= size) {
        memcpy(out + n, "...", 3);
        n += 3;
    }
    out[n] = '\0';
}
