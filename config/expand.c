/* `${NAME}` in scalar values → the environment variable; `$$` → `$`; any other `$` stands, as in a pattern's `^a$`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config_private.h"

#define NAME_LEN_MAX 128

static bool name_byte(char c, bool first)
{
    return c == '_' || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (!first && c >= '0' && c <= '9');
}

static int value_error(struct err *e, const char *place, const char *words, const char *name, size_t len)
{
    char text[NAME_LEN_MAX + 80];
    snprintf(text, sizeof text, "%s%.*s", words, (int)(len < NAME_LEN_MAX ? len : NAME_LEN_MAX), name);
    return err_set(e, CONFIG_VALUE, place, text);
}

/* `*p` stands behind "${"; goes behind the closing brace. */
static int add_variable(struct buf *out, const char **p, const char *place, struct err *e)
{
    const char *start = *p, *end = start;
    while (name_byte(*end, end == start))
        end++;
    size_t len = (size_t)(end - start);
    if (*end != '}' || len == 0 || len >= NAME_LEN_MAX)
        return value_error(e, place, "'${' begins a variable, write ${NAME}, or $$ for a dollar sign: ", start, 20);
    char name[NAME_LEN_MAX];
    memcpy(name, start, len);
    name[len] = '\0';
    const char *value = getenv(name);
    if (!value)
        return value_error(e, place, "environment variable is not set: ", name, len);
    if (out->len + strlen(value) > CONFIG_BYTES_MAX)
        return value_error(e, place, "the value is too large with environment variable ", name, len);
    buf_text(out, value);
    *p = end + 1;
    return 0;
}

static int expand(struct buf *out, const char *text, const char *place, struct err *e)
{
    while (*text) {
        size_t plain = strcspn(text, "$");
        buf_add(out, text, plain);
        text += plain;
        if (!*text)
            break;
        if (text[1] == '{') {
            text += 2;
            int rc = add_variable(out, &text, place, e);
            if (rc != 0)
                return rc;
        } else {
            buf_byte(out, '$');
            text += text[1] == '$' ? 2 : 1;
        }
    }
    return out->failed ? err_set(e, NO_MEMORY, out->len) : 0;
}

int config_expand(struct config *cfg, const char *text, const char *place, const char **out, struct err *e)
{
    if (!strchr(text, '$')) {
        *out = text;
        return 0;
    }
    struct buf value;
    buf_init(&value, 0); /* the text and what is added to it are bounded, each by CONFIG_BYTES_MAX */
    int rc = expand(&value, text, place, e);
    if (rc == 0)
        rc = config_copy(cfg, (const char *)value.p, value.len, out, e);
    buf_release(&value);
    return rc;
}
