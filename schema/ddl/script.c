/* Cutting an SQL script into statements. */
#include "schema/ddl/script.h"

#include <stdlib.h>
#include <string.h>

#include "schema/ddl/script_private.h"

#define FIRST_BYTES ((size_t)64 << 10)

int ddl_script_new(struct ddl_script **out, const struct ddl_script_options *opt, struct err *e)
{
    struct ddl_script *script = calloc(1, sizeof *script);
    if (!script)
        return err_set(e, NO_MEMORY, sizeof *script);
    script->opt = *opt;
    buf_init(&script->buf, DDL_SCRIPT_STATEMENT_MAX);
    script->line = 1;
    script->delimiter[0] = ';';
    script->mode = (struct ddl_mode){.flavor = opt->flavor, .charset = CHARSET_UTF8};
    if (opt->db && strlen(opt->db) <= SCRIPT_NAME_MAX) {
        script->db_len = strlen(opt->db);
        memcpy(script->db, opt->db, script->db_len);
    }
    *out = script;
    return 0;
}

void ddl_script_free(struct ddl_script *script)
{
    if (!script)
        return;
    buf_release(&script->buf);
    free(script);
}

size_t ddl_script_line(const struct ddl_script *script)
{
    return script->statement_line;
}

int ddl_script_wrap(const struct ddl_script *script, struct err *e)
{
    return err_wrap(e, "%s line %zu", script->opt.name, script->statement_line);
}

int script_fail(const struct ddl_script *script, const char *why, struct err *e)
{
    return err_set(e, SQL_FILE, script->opt.name, script->statement_line, why);
}

static const char *at(const struct ddl_script *script)
{
    return (const char *)script->buf.p + script->begin;
}

static size_t left(const struct ddl_script *script)
{
    return script->buf.len - script->begin;
}

static void advance(struct ddl_script *script, size_t len)
{
    const char *p = at(script), *end = p + len;
    for (; len && (p = memchr(p, '\n', (size_t)(end - p))); p++)
        script->line++;
    script->begin += len;
}

/* More bytes behind those at hand: as many again. Errors: SQL_FILE when a statement is too long, the reader's. */
static int fill(struct ddl_script *script, struct err *e)
{
    struct buf *buf = &script->buf;
    if (script->begin) {
        buf->len -= script->begin;
        memmove(buf->p, buf->p + script->begin, buf->len);
        script->begin = 0;
    }
    if (buf->len == DDL_SCRIPT_STATEMENT_MAX)
        return script_fail(script, "a statement is longer than 16 MiB", e);
    size_t room = buf->len < FIRST_BYTES ? FIRST_BYTES - buf->len : buf->len;
    if (room > DDL_SCRIPT_STATEMENT_MAX - buf->len)
        room = DDL_SCRIPT_STATEMENT_MAX - buf->len;
    uint8_t *p = buf_room(buf, room);
    if (!p)
        return err_set(e, NO_MEMORY, room);
    while (room && !script->at_end) {
        size_t got = 0;
        int rc = script->opt.read(script->opt.ctx, p, room, &got, e);
        if (rc != 0)
            return rc;
        script->at_end = got == 0;
        buf->len += got;
        p += got;
        room -= got;
    }
    return 0;
}

/* The database of a dump that says no USE: "-- Host: localhost    Database: shop". */
static void read_database(struct ddl_script *script, const char *p, size_t len)
{
    static const char word[] = "    Database: ";
    const char *found = memmem(p, len, word, sizeof word - 1), *name = found ? found + sizeof word - 1 : NULL;
    size_t n = 0;
    while (name && name + n < p + len && name[n] != '\n' && name[n] != '\r')
        n++;
    if (n == 0 || n > SCRIPT_NAME_MAX || script->opt.db)
        return;
    memcpy(script->db, name, n);
    script->db[n] = '\0';
    script->db_len = n;
}

/* Which server a dump is from: its comments name the program's server first, then the one that was dumped. */
static void read_comment(struct ddl_script *script, const char *p, size_t len)
{
    static const char host[] = "-- Host: ", server[] = "-- Server version", dump[] = "-- MySQL dump";
    if (script->begun)
        return;
    if (len > sizeof host && memcmp(p, host, sizeof host - 1) == 0)
        read_database(script, p, len);
    if (memmem(p, len, "MariaDB", 7))
        script->mode.flavor = FLAVOR_MARIADB;
    else if ((len > sizeof server && memcmp(p, server, sizeof server - 1) == 0) ||
             (len > sizeof dump && memcmp(p, dump, sizeof dump - 1) == 0))
        script->mode.flavor = FLAVOR_MYSQL;
}

/* The length of what stands before a statement at the begin: white space, comments that no server executes, and the
 * first line of newer dumps of MariaDB. 0: a statement. *more: the end of it is not at hand. */
static size_t blank(struct ddl_script *script, bool *more)
{
    static const char sandbox[] = "/*M!999999\\-";
    const char *p = at(script), *end = p + left(script);
    size_t n = 0;
    *more = false;
    while (p + n < end && (p[n] == ' ' || (p[n] >= '\t' && p[n] <= '\r')))
        n++;
    if (n || p == end)
        return n;
    size_t len = left(script);
    bool line = *p == '#' || (len >= 2 && p[0] == '-' && p[1] == '-' && (len == 2 || (unsigned char)p[2] <= ' '));
    bool first = len >= sizeof sandbox - 1 && memcmp(p, sandbox, sizeof sandbox - 1) == 0;
    bool comment = len >= 3 && p[0] == '/' && p[1] == '*' && p[2] != '!' && !(p[2] == 'M' && len >= 4 && p[3] == '!');
    if (!line && !first && !comment)
        return 0;
    const char *found = line ? memchr(p, '\n', len) : memmem(p + 2, len - 2, "*/", 2);
    *more = !found && !script->at_end;
    if (!found && !line)
        return 0; /* without an end: the lexer says so */
    size_t whole = found ? (size_t)(found - p) + (line ? 1 : 2) : len;
    if (first)
        script->mode.flavor = FLAVOR_MARIADB;
    else if (line && !*more)
        read_comment(script, p, whole);
    return *more ? 0 : whole;
}

static bool begins_with(const struct ddl_script *script, const char *word)
{
    struct ddl_lexer lx;
    ddl_lexer_init(&lx, &script->mode, at(script), left(script));
    struct ddl_token tok = ddl_lexer_next(&lx);
    return tok.p == at(script) && ddl_token_is(&tok, word);
}

/* Where the delimiter stands in a token, or NULL. Its first byte decides what kind of token that is. */
static const char *delimiter_in(const struct ddl_script *script, const struct ddl_token *tok)
{
    const char *end = at(script) + left(script), *p = tok->p;
    size_t len = strlen(script->delimiter);
    if (tok->kind != DDL_PUNCT && tok->kind != DDL_WORD)
        return NULL;
    for (; p < tok->p + tok->len; p++)
        if ((size_t)(end - p) >= len && memcmp(p, script->delimiter, len) == 0)
            return p;
    return NULL;
}

enum cut { CUT_FOUND, CUT_MORE, CUT_LAST, CUT_BAD };

/* Finds the end of the statement at the begin: its length and that with what ends it. Where all bytes are at hand, the
 * end of the script ends it too. */
static enum cut find_end(const struct ddl_script *script, size_t *len, size_t *whole)
{
    const char *from = at(script);
    struct ddl_lexer lx;
    ddl_lexer_init(&lx, &script->mode, from, left(script));
    for (;;) {
        struct ddl_token tok = ddl_lexer_next(&lx);
        if (tok.kind == DDL_BAD || tok.kind == DDL_END) {
            *len = *whole = left(script);
            return !script->at_end ? CUT_MORE : tok.kind == DDL_BAD ? CUT_BAD : CUT_LAST;
        }
        const char *found = lx.open ? NULL : delimiter_in(script, &tok);
        if (found) {
            *len = (size_t)(found - from);
            *whole = *len + strlen(script->delimiter);
            return CUT_FOUND;
        }
    }
}

/* A command of the client takes one line: its length without the line break; *whole with it. */
static enum cut find_line(const struct ddl_script *script, size_t *len, size_t *whole)
{
    const char *newline = memchr(at(script), '\n', left(script));
    if (!newline && !script->at_end)
        return CUT_MORE;
    *len = newline ? (size_t)(newline - at(script)) : left(script);
    *whole = *len + (newline ? 1 : 0);
    return newline ? CUT_FOUND : CUT_LAST;
}

/* DELIMITER and the text behind it, up to white space. */
static int take_delimiter(struct ddl_script *script, size_t line_len, struct err *e)
{
    static const char word[] = "DELIMITER";
    const char *p = at(script) + sizeof word - 1, *end = at(script) + line_len;
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    size_t n = 0;
    while (p + n < end && (unsigned char)p[n] > ' ')
        n++;
    if (n == 0 || n > SCRIPT_DELIMITER_MAX || strchr("'\"`#-\\", *p))
        return script_fail(script, "this DELIMITER cannot be followed", e);
    memcpy(script->delimiter, p, n);
    script->delimiter[n] = '\0';
    return 0;
}

/* Cuts at the end of a statement, or of a line of the client's; reads on until it is there. */
static int cut(struct ddl_script *script, bool is_line, size_t *len, size_t *whole, struct err *e)
{
    for (;;) {
        switch (is_line ? find_line(script, len, whole) : find_end(script, len, whole)) {
        case CUT_MORE:
            if (fill(script, e) != 0)
                return err_result(e);
            continue;
        case CUT_BAD:
            return script_fail(script, "a quote or comment does not end", e);
        case CUT_FOUND:
        case CUT_LAST:
            return 0;
        }
    }
}

/* To the next statement; 1, or 0 at the end. */
static int skip_blank(struct ddl_script *script, struct err *e)
{
    for (;;) {
        bool more;
        size_t n = blank(script, &more);
        advance(script, n);
        if (n)
            continue;
        script->statement_line = script->line;
        if (left(script) > sizeof "DELIMITER" && !more)
            return 1;
        if (script->at_end)
            return left(script) > 0;
        if (fill(script, e) != 0)
            return err_result(e);
    }
}

/* USE needs no delimiter: it ends with its line or before. */
static int cut_use(struct ddl_script *script, size_t *len, size_t *whole, struct err *e)
{
    size_t line_len, line_whole;
    int rc = cut(script, true, &line_len, &line_whole, e);
    if (rc == 0)
        rc = cut(script, false, len, whole, e);
    if (rc == 0 && *len > line_len) {
        *len = line_len;
        *whole = line_whole;
    }
    return rc;
}

int ddl_script_next(struct ddl_script *script, struct ddl_statement *out, struct err *e)
{
    for (;;) {
        size_t len = 0, whole = 0;
        int rc = skip_blank(script, e);
        if (rc <= 0)
            return rc;
        if (begins_with(script, "DELIMITER")) {
            rc = cut(script, true, &len, &whole, e);
            if (rc == 0)
                rc = take_delimiter(script, len, e);
            if (rc != 0)
                return rc;
            advance(script, whole);
            continue;
        }
        if (begins_with(script, "SOURCE") || (left(script) >= 2 && memcmp(at(script), "\\.", 2) == 0))
            return script_fail(script, "another file is included: name that one", e);
        rc = begins_with(script, "USE") ? cut_use(script, &len, &whole, e) : cut(script, false, &len, &whole, e);
        if (rc != 0)
            return rc;
        struct ddl_statement stmt = {at(script), len, script->db, script->db_len, script->mode};
        advance(script, whole);
        if (len == 0)
            continue;
        script->begun = true;
        rc = script_follow(script, &stmt, e);
        if (rc != 0)
            return rc;
        *out = stmt;
        out->mode = script->mode;
        out->db_len = script->db_len;
        return 1;
    }
}
