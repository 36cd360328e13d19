/* Any bytes as MySQL's binary JSON: not a document, or text that a second parser takes, no longer than promised, and
 * the same when it is counted, written, read as a column and put into a row. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "value/json_binary.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#define MUST(condition)                                                                                                \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            abort();                                                                                                   \
    } while (0)

/* The depth that text of the server can have. */
static unsigned depth_of(const char *p, size_t len)
{
    unsigned depth = 0, deepest = 0;
    bool quoted = false;
    for (size_t i = 0; i < len; i++) {
        if (quoted && p[i] == '\\')
            i++;
        else if (p[i] == '"')
            quoted = !quoted;
        else if (!quoted && (p[i] == '[' || p[i] == '{') && ++depth > deepest)
            deepest = depth;
        else if (!quoted && (p[i] == ']' || p[i] == '}'))
            depth--;
    }
    return deepest;
}

/* A NUL in a key is fine, but not for the other parser. */
static void hide_nul(char *p, size_t len)
{
    for (size_t i = 0; i + 6 <= len; i++)
        if (memcmp(p + i, "\\u0000", 6) == 0)
            p[i + 5] = '1';
}

static void check_text(char *p, size_t len)
{
    hide_nul(p, len);
    json_t *parsed = json_loadb(p, len, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL, NULL);
    MUST(parsed && depth_of(p, len) <= JSONB_DEPTH_MAX);
    json_decref(parsed);
}

/* The same document as the value of a column. */
static void check_column(const uint8_t *doc, size_t len, const uint8_t *text, size_t text_len)
{
    uint8_t four[] = {4};
    struct cursor metadata = cursor_over(four, sizeof four);
    struct coltype type;
    struct value v;
    struct arena arena;
    uint8_t *stored = malloc(len + 4);
    MUST(stored && coltype_init(&type, WIRE_JSON, &metadata, NULL) == 0);
    for (unsigned i = 0; i < 4; i++)
        stored[i] = (uint8_t)(len >> 8 * i);
    memcpy(stored + 4, doc, len);
    arena_init(&arena, 4096, 0, 1 << 24);
    int rc = value_read(&type, stored, len + 4, &v, &arena, NULL);
    MUST((rc == 0) == (text != NULL));
    if (text)
        MUST(v.kind == VALUE_JSON && v.s.len == text_len && memcmp(v.s.p, text, text_len) == 0 &&
             v.raw == !value_is_utf8((const char *)text, text_len));
    arena_release(&arena);
    free(stored);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    uint8_t *doc = malloc(len + 1), *text = malloc(JSONB_TEXT_MAX(len));
    MUST(doc && text);
    uint8_t *exact = doc + 1; /* ends with its allocation */
    if (len)
        memcpy(exact, bytes, len);
    struct jsonb_ref root = jsonb_root(exact, len);
    struct jsonb_print count = {.left = len};
    bool counted = jsonb_print_value(&count, &root);
    uint8_t *end = jsonb_write(text, exact, len);
    MUST((end != NULL) == counted);
    if (end) {
        size_t text_len = (size_t)(end - text);
        MUST(text_len == count.len && text_len <= JSONB_TEXT_MAX(len));
        check_column(exact, len, text, text_len);
        if (value_is_utf8((char *)text, text_len))
            check_text((char *)text, text_len);
    } else {
        check_column(exact, len, NULL, 0);
    }
    free(doc);
    free(text);
    return 0;
}
