/* Paths of diffs.
 *
 *   path     "$", legs
 *   leg      .name         an identifier, up to the next "." or "["
 *            ."name"       as a JSON string: escapes \" \\ \/ \b \t \n \f \r \u00xx
 *            [7]           a cell, from 0
 *            [last] [last-7]   a cell, from the end */
#include "value/json_path.h"

#include <string.h>

static int bad_path(struct err *e)
{
    return err_set(e, CORRUPT, "JSON path of a partial update is malformed");
}

int json_path_open(struct cursor *path, struct err *e)
{
    const uint8_t *p = cursor_take(path, 1);
    return p && *p == '$' ? 0 : bad_path(e);
}

static bool take(struct cursor *path, const char *text)
{
    size_t len = strlen(text);
    if (cursor_left(path) < len || memcmp(path->p, text, len) != 0)
        return false;
    path->p += len;
    return true;
}

static bool read_index(struct cursor *path, uint32_t *out)
{
    const uint8_t *start = path->p;
    uint64_t v = 0;
    while (path->p < path->end && *path->p >= '0' && *path->p <= '9' && v <= UINT32_MAX)
        v = 10 * v + (uint64_t)(*path->p++ - '0');
    *out = (uint32_t)v;
    return path->p != start && v <= UINT32_MAX;
}

static bool read_cell(struct cursor *path, struct json_leg *out)
{
    *out = (struct json_leg){.cell = true, .from_end = take(path, "last")};
    bool has_index = !out->from_end || take(path, "-");
    return (!has_index || read_index(path, &out->index)) && take(path, "]");
}

static int hex_digit(uint8_t c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c ? strchr(digits, c | 0x20) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* The byte that an escape stands for, behind its backslash; -1 when it is none of the server's. */
static int read_escape(struct cursor *path)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    uint8_t c = cursor_u8(path);
    const char *known = c ? strchr(from, c) : NULL;
    if (known)
        return to[known - from];
    if (c != 'u' || !take(path, "00") || cursor_left(path) < 2)
        return -1;
    int high = hex_digit(path->p[0]), low = hex_digit(path->p[1]);
    path->p += 2;
    return high < 0 || high > 7 || low < 0 ? -1 : high << 4 | low;
}

static int unescape(struct cursor *path, struct bytes *out, struct arena *arena, struct err *e)
{
    size_t most = cursor_left(path);
    uint8_t *text = arena_alloc(arena, most), *o = text;
    if (!text)
        return err_set(e, NO_MEMORY, most);
    while (!path->bad && !take(path, "\"")) {
        int c = cursor_u8(path);
        if (c == '\\')
            c = read_escape(path);
        if (path->bad || c < 0)
            return bad_path(e);
        *o++ = (uint8_t)c;
    }
    *out = (struct bytes){text, (size_t)(o - text)};
    return path->bad ? bad_path(e) : 0;
}

static int read_quoted(struct cursor *path, struct bytes *out, struct arena *arena, struct err *e)
{
    size_t left = cursor_left(path);
    const uint8_t *quote = left ? memchr(path->p, '"', left) : NULL;
    if (!quote)
        return bad_path(e);
    size_t len = (size_t)(quote - path->p);
    if (len && memchr(path->p, '\\', len))
        return unescape(path, out, arena, e);
    *out = (struct bytes){path->p, len};
    path->p = quote + 1;
    return 0;
}

int json_path_next(struct cursor *path, struct json_leg *out, struct arena *arena, struct err *e)
{
    if (cursor_left(path) == 0)
        return 0;
    if (take(path, "["))
        return read_cell(path, out) ? 1 : bad_path(e);
    if (!take(path, "."))
        return bad_path(e);
    *out = (struct json_leg){.cell = false};
    if (take(path, "\"")) {
        int rc = read_quoted(path, &out->name, arena, e);
        return rc == 0 ? 1 : rc;
    }
    out->name.p = path->p;
    while (path->p < path->end && *path->p != '.' && *path->p != '[' && *path->p != '*' && *path->p != '\\')
        path->p++;
    out->name.len = (size_t)(path->p - out->name.p);
    return out->name.len ? 1 : bad_path(e);
}

uint32_t json_leg_place(const struct json_leg *leg, uint32_t count, bool *inside)
{
    *inside = leg->index < count;
    if (leg->from_end)
        return *inside ? count - 1 - leg->index : 0;
    return *inside ? leg->index : count;
}
