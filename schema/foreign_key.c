/* The foreign keys of a table, out of the text of SHOW CREATE TABLE. */
#include "schema/foreign_key.h"

#include <string.h>

struct text {
    const char *p;
    const char *end;
};

static bool take(struct text *line, const char *word)
{
    size_t len = strlen(word);
    if ((size_t)(line->end - line->p) < len || memcmp(line->p, word, len) != 0)
        return false;
    line->p += len;
    return true;
}

/* `name` with doubled backticks, cut at FOREIGN_KEY_NAME_MAX bytes. */
static bool take_name(struct text *line, char out[FOREIGN_KEY_NAME_MAX + 1])
{
    size_t len = 0;
    if (!take(line, "`"))
        return false;
    while (line->p < line->end) {
        if (*line->p == '`' && (line->p + 1 == line->end || line->p[1] != '`'))
            break;
        line->p += *line->p == '`';
        if (len < FOREIGN_KEY_NAME_MAX)
            out[len++] = *line->p;
        line->p++;
    }
    out[len] = '\0';
    return take(line, "`");
}

static bool skip_names(struct text *line)
{
    char name[FOREIGN_KEY_NAME_MAX + 1];
    if (!take(line, "("))
        return false;
    do
        if (!take_name(line, name))
            return false;
    while (take(line, ", ") || take(line, ","));
    return take(line, ")");
}

static bool changes_rows(struct text *line)
{
    return take(line, "CASCADE") || take(line, "SET NULL") || take(line, "SET DEFAULT");
}

static bool read_line(struct text line, struct foreign_key *out)
{
    struct foreign_key key = {.cascades = false};
    while (take(&line, " "))
        ;
    if (!take(&line, "CONSTRAINT ") || !take_name(&line, key.name) || !take(&line, " FOREIGN KEY ") ||
        !skip_names(&line) || !take(&line, " REFERENCES ") || !take_name(&line, key.parent))
        return false;
    if (take(&line, ".")) {
        memcpy(key.parent_db, key.parent, sizeof key.parent);
        if (!take_name(&line, key.parent))
            return false;
    }
    for (; line.p < line.end; line.p++) {
        struct text rule = line;
        if ((take(&rule, " ON DELETE ") || take(&rule, " ON UPDATE ")) && changes_rows(&rule))
            key.cascades = true;
    }
    *out = key;
    return true;
}

bool foreign_key_next(const char *create_sql, size_t len, size_t *at, struct foreign_key *out)
{
    while (*at < len) {
        const char *p = create_sql + *at;
        const char *newline = memchr(p, '\n', len - *at);
        const char *end = newline ? newline : create_sql + len;
        *at = (size_t)(end - create_sql) + (newline != NULL);
        if (read_line((struct text){p, end}, out))
            return true;
    }
    return false;
}
