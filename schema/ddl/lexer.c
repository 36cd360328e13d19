/* Tokens of SQL text. */
#include "schema/ddl/lexer.h"

#include <string.h>

#include "base/ascii.h"
#include "value/charset.h"

void ddl_lexer_init(struct ddl_lexer *lx, const struct ddl_mode *mode, const char *sql, size_t len)
{
    *lx = (struct ddl_lexer){.p = sql, .end = sql ? sql + len : sql, .mode = *mode};
}

static size_t left(const struct ddl_lexer *lx)
{
    return (size_t)(lx->end - lx->p);
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' ||
           (unsigned char)c >= 0x80;
}

/* Bytes of the character at `p`, as far as a byte below 0x80 may be its second one. */
static size_t char_len(const struct ddl_mode *mode, const char *p, const char *end)
{
    return (signed char)*p >= 0 ? 1 : charset_code_len(mode->charset, (const uint8_t *)p, (size_t)(end - p));
}

static void skip_line(struct ddl_lexer *lx)
{
    const char *newline = memchr(lx->p, '\n', left(lx));
    lx->p = newline ? newline + 1 : lx->end;
}

/* Behind the next two-character mark; false when there is none. */
static bool skip_to(struct ddl_lexer *lx, const char *mark)
{
    const char *found = memmem(lx->p, left(lx), mark, 2);
    if (found)
        lx->p = found + 2;
    return found != NULL;
}

/* Skips a comment whose opening is taken; one that a version comment would have held may hold comments itself. */
static void skip_comment(struct ddl_lexer *lx, bool nested)
{
    const char *from = lx->p;
    if (!skip_to(lx, "*/")) {
        lx->bad = true;
        return;
    }
    if (!nested)
        return;
    const char *behind = lx->p;
    while (memmem(from, (size_t)(lx->p - 2 - from), "/*", 2)) {
        from = lx->p;
        if (!skip_to(lx, "*/")) {
            lx->p = behind;
            return;
        }
    }
}

/* Five or six digits behind the mark; 0 when there are fewer, which means: always. */
static uint32_t take_version(struct ddl_lexer *lx)
{
    uint32_t version = 0;
    size_t n = 0;
    while (n < 6 && n < left(lx) && is_digit(lx->p[n]))
        version = version * 10 + (uint32_t)(lx->p[n++] - '0');
    if (n < 5)
        return 0;
    lx->p += n;
    return version;
}

static bool is_executed(const struct ddl_mode *mode, uint32_t version, bool mariadb_mark)
{
    if (version == 0)
        return true;
    if (mode->flavor == FLAVOR_MARIADB && !mariadb_mark && version >= 50700 && version <= 99999)
        return false;
    if (mode->server_version == 0)
        return version < 999999;
    return version <= mode->server_version;
}

/* At a slash and a star. */
static void take_comment(struct ddl_lexer *lx)
{
    bool mariadb_mark = lx->mode.flavor == FLAVOR_MARIADB && left(lx) >= 4 && lx->p[2] == 'M' && lx->p[3] == '!';
    bool executable = mariadb_mark || (left(lx) >= 3 && lx->p[2] == '!');
    lx->p += mariadb_mark ? 4 : executable ? 3 : 2;
    if (!executable) {
        skip_comment(lx, false);
        return;
    }
    if (is_executed(&lx->mode, take_version(lx), mariadb_mark))
        lx->open++;
    else
        skip_comment(lx, true);
}

static void skip_between(struct ddl_lexer *lx)
{
    while (lx->p < lx->end && !lx->bad) {
        size_t n = left(lx);
        char c = *lx->p, d = n > 1 ? lx->p[1] : '\0';
        if (is_space(c))
            lx->p++;
        else if (c == '#' || (c == '-' && d == '-' && (n == 2 || is_space(lx->p[2]) || (unsigned char)lx->p[2] < ' ')))
            skip_line(lx);
        else if (c == '/' && d == '*')
            take_comment(lx);
        else if (c == '*' && d == '/' && lx->open) {
            lx->p += 2;
            lx->open--;
        } else
            return;
    }
}

static struct ddl_token bad_token(struct ddl_lexer *lx)
{
    lx->bad = true;
    return (struct ddl_token){.kind = DDL_BAD, .p = lx->p};
}

static bool has_escapes(const struct ddl_mode *mode, enum ddl_token_kind kind)
{
    return kind == DDL_STRING && !(mode->sql_mode & DDL_NO_BACKSLASH_ESCAPES);
}

static struct ddl_token take_quoted(struct ddl_lexer *lx, enum ddl_token_kind kind)
{
    char quote = *lx->p;
    const char *p = lx->p + 1;
    bool escapes = has_escapes(&lx->mode, kind);
    while (p < lx->end) {
        if (*p == quote) {
            if (p + 1 < lx->end && p[1] == quote) {
                p += 2;
                continue;
            }
            struct ddl_token tok = {kind, lx->p + 1, (size_t)(p - lx->p - 1), quote};
            lx->p = p + 1;
            return tok;
        }
        p += *p == '\\' && escapes ? 2 : (ptrdiff_t)char_len(&lx->mode, p, lx->end);
    }
    return bad_token(lx);
}

static struct ddl_token take_word(struct ddl_lexer *lx)
{
    const char *from = lx->p;
    while (lx->p < lx->end && is_word(*lx->p))
        lx->p += char_len(&lx->mode, lx->p, lx->end);
    return (struct ddl_token){DDL_WORD, from, (size_t)(lx->p - from), '\0'};
}

struct ddl_token ddl_lexer_next(struct ddl_lexer *lx)
{
    skip_between(lx);
    if (lx->bad || (lx->p == lx->end && lx->open))
        return bad_token(lx);
    if (lx->p == lx->end)
        return (struct ddl_token){.kind = DDL_END, .p = lx->p};
    char c = *lx->p;
    if (c == '`')
        return take_quoted(lx, DDL_QUOTED);
    if (c == '"')
        return take_quoted(lx, lx->mode.sql_mode & DDL_ANSI_QUOTES ? DDL_QUOTED : DDL_STRING);
    if (c == '\'')
        return take_quoted(lx, DDL_STRING);
    if (is_word(c))
        return take_word(lx);
    return (struct ddl_token){DDL_PUNCT, lx->p++, 1, '\0'};
}

static char upper(char c)
{
    return (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
}

bool ddl_token_is(const struct ddl_token *tok, const char *keyword)
{
    if (tok->kind != DDL_WORD || strlen(keyword) != tok->len)
        return false;
    for (size_t i = 0; i < tok->len; i++)
        if (upper(tok->p[i]) != keyword[i])
            return false;
    return true;
}

/* Only now: the server takes a backslash or quote for what its byte says, whatever character that is in the set. */
static char *to_utf8(char *bytes, const struct ddl_mode *mode, struct arena *arena, size_t *len)
{
    struct coltype type = {.charset = (uint8_t)mode->charset};
    struct text text = {bytes, *len, false};
    if (charset_to_utf8(&type, &text, arena, NULL) != 0)
        return NULL;
    if (text.p == bytes)
        return bytes;
    *len = text.len;
    return arena_copy(arena, text.p, text.len);
}

char *ddl_token_text(const struct ddl_token *tok, const struct ddl_mode *mode, struct arena *arena, size_t *len)
{
    char *out = arena_alloc(arena, tok->len + 1);
    if (!out)
        return NULL;
    bool escapes = has_escapes(mode, tok->kind), quoted = tok->kind == DDL_QUOTED || tok->kind == DDL_STRING;
    const char *p = tok->p, *end = tok->p + tok->len;
    size_t n = 0;
    while (p < end) {
        size_t step = char_len(mode, p, end);
        if (quoted && *p == tok->quote) {
            out[n++] = *p;
            p += 2;
        } else if (escapes && *p == '\\' && p + 1 < end) {
            if (p[1] == '%' || p[1] == '_') /* patterns keep their backslash */
                out[n++] = '\\';
            out[n++] = ascii_sql_escape(p[1]);
            p += 2;
        } else {
            memcpy(out + n, p, step);
            n += step;
            p += step;
        }
    }
    out[n] = '\0';
    *len = n;
    return charset_is_converted(mode->charset) ? to_utf8(out, mode, arena, len) : out;
}
