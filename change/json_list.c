/* Elements of a JSON array. */
#include "change/json_list.h"

#include "value/write.h"

static enum json_list_found bad(struct json_list *list, const char *why)
{
    list->why = why;
    return JSON_LIST_BAD;
}

static enum json_list_found no_json(struct json_list *list)
{
    return bad(list, "it is not JSON");
}

static void skip_space(struct json_list *list)
{
    while (list->p < list->end && (*list->p == ' ' || *list->p == '\t' || *list->p == '\n' || *list->p == '\r'))
        list->p++;
}

static bool take(struct json_list *list, char c)
{
    if (list->p == list->end || *list->p != c)
        return false;
    list->p++;
    return true;
}

static bool take_word(struct json_list *list, const char *word)
{
    size_t len = strlen(word);
    if ((size_t)(list->end - list->p) < len || memcmp(list->p, word, len) != 0)
        return false;
    list->p += len;
    return true;
}

/* ---------------------------------------------------------------- strings */

static bool take_hex4(struct json_list *list, uint32_t *out)
{
    uint32_t c = 0;
    if (list->end - list->p < 4)
        return false;
    for (unsigned i = 0; i < 4; i++) {
        char digit = *list->p++;
        if (digit >= '0' && digit <= '9')
            c = c * 16 + (uint32_t)(digit - '0');
        else if ((digit | 0x20) >= 'a' && (digit | 0x20) <= 'f')
            c = c * 16 + (uint32_t)((digit | 0x20) - 'a') + 10;
        else
            return false;
    }
    *out = c;
    return true;
}

/* Behind \u; a pair of surrogates is one character, one alone is none. */
static bool take_unicode(struct json_list *list, struct buf *out)
{
    uint32_t c, low;
    uint8_t bytes[4];
    if (!take_hex4(list, &c) || (c >= 0xdc00 && c <= 0xdfff))
        return false;
    if (c >= 0xd800 && c <= 0xdbff) {
        if (!take_word(list, "\\u") || !take_hex4(list, &low) || low < 0xdc00 || low > 0xdfff)
            return false;
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    }
    buf_add(out, bytes, (size_t)(write_utf8(bytes, c) - bytes));
    return true;
}

static bool take_escape(struct json_list *list, struct buf *out)
{
    static const char names[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    if (list->p == list->end)
        return false;
    char c = *list->p++;
    if (c == 'u')
        return take_unicode(list, out);
    const char *name = memchr(names, c, sizeof names - 1);
    if (!name)
        return false;
    buf_byte(out, (uint8_t)meant[name - names]);
    return true;
}

/* Behind the opening quote. */
static bool take_string(struct json_list *list, struct buf *out)
{
    for (;;) {
        const char *plain = list->p;
        while (list->p < list->end && *list->p != '"' && *list->p != '\\' && (uint8_t)*list->p >= 0x20)
            list->p++;
        buf_add(out, plain, (size_t)(list->p - plain));
        if (take(list, '"'))
            return true;
        if (!take(list, '\\') || !take_escape(list, out))
            return false;
    }
}

/* ---------------------------------------------------------------- the rest */

static bool take_digits(struct json_list *list)
{
    const char *start = list->p;
    while (list->p < list->end && *list->p >= '0' && *list->p <= '9')
        list->p++;
    return list->p > start;
}

static bool take_number(struct json_list *list, struct buf *out)
{
    const char *start = list->p;
    (void)take(list, '-');
    if (!take(list, '0') && !take_digits(list))
        return false;
    if (take(list, '.') && !take_digits(list))
        return false;
    if (take(list, 'e') || take(list, 'E')) {
        (void)(take(list, '+') || take(list, '-'));
        if (!take_digits(list))
            return false;
    }
    buf_add(out, start, (size_t)(list->p - start));
    return true;
}

static enum json_list_found take_element(struct json_list *list, struct buf *out)
{
    if (list->p < list->end && (*list->p == '{' || *list->p == '['))
        return bad(list, "it has an object or a list as an element");
    if (take(list, '"'))
        return take_string(list, out) ? JSON_LIST_TEXT : no_json(list);
    if (take_word(list, "null"))
        return JSON_LIST_NULL;
    for (unsigned i = 0; i < 2; i++)
        if (take_word(list, i ? "true" : "false")) {
            buf_text(out, i ? "true" : "false");
            return JSON_LIST_TEXT;
        }
    return take_number(list, out) ? JSON_LIST_TEXT : no_json(list);
}

static enum json_list_found at_end(struct json_list *list)
{
    skip_space(list);
    return list->p == list->end ? JSON_LIST_END : no_json(list);
}

void json_list_open(struct json_list *list, const char *text, size_t len)
{
    *list = (struct json_list){.p = text, .end = text + len};
}

enum json_list_found json_list_next(struct json_list *list, struct buf *out)
{
    bool first = !list->begun;
    skip_space(list);
    if (first && take_word(list, "null"))
        return at_end(list);
    if (first && !take(list, '['))
        return bad(list, "it is no JSON array");
    list->begun = true;
    skip_space(list);
    if (take(list, ']'))
        return at_end(list);
    if (!first && !take(list, ','))
        return no_json(list);
    skip_space(list);
    return take_element(list, out);
}
