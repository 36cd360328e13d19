/* Text of the marks: lines, each a word, a space and its value:
 *     marks 1                the version of this form
 *     lanes N
 *     lane NUMBER VERSION    of each lane with a row
 *     statement VERSION      when there is one; so
 *     end VERSION
 *     newest VERSION SERVER  SERVER may be empty
 *     boundary LENGTH        last; LENGTH bytes of position_encode follow */
#include "sink/marks.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define WORD_MAX 64

static const struct version none;

static bool is_set(const struct version *version)
{
    return version_compare(version, &none) != 0;
}

int marks_init(struct marks *marks, unsigned lanes, struct err *e)
{
    *marks = (struct marks){.lanes = lanes};
    position_init(&marks->boundary);
    marks->rows = calloc(lanes, sizeof *marks->rows);
    return marks->rows ? 0 : err_set(e, NO_MEMORY, lanes * sizeof *marks->rows);
}

void marks_release(struct marks *marks)
{
    position_release(&marks->boundary);
    free(marks->rows);
    marks->rows = NULL;
}

void marks_copy_versions(struct marks *to, const struct marks *from)
{
    memcpy(to->rows, from->rows, to->lanes * sizeof *to->rows);
    to->statement = from->statement;
    to->end = from->end;
    to->newest = from->newest;
    memcpy(to->newest_server, from->newest_server, sizeof to->newest_server);
}

bool marks_equal(const struct marks *a, const struct marks *b)
{
    for (unsigned i = 0; i < a->lanes; i++)
        if (version_compare(&a->rows[i], &b->rows[i]) != 0)
            return false;
    return version_compare(&a->statement, &b->statement) == 0 && version_compare(&a->end, &b->end) == 0;
}

/* The series that a change belongs to. */
static struct version *series_of(const struct marks *marks, const struct change *chg)
{
    struct marks *own = (struct marks *)marks;
    switch (chg->op) {
    case CHANGE_TRUNCATE:
        return chg->flags & CHANGE_OF_LANE ? &own->rows[chg->lane] : &own->statement;
    case CHANGE_STATEMENT:
        return &own->statement;
    case CHANGE_BEGIN:
    case CHANGE_END:
        return &own->end;
    default:
        return &own->rows[chg->lane];
    }
}

static const char *server_of(const struct change *chg)
{
    return chg->tx && chg->tx->server_uuid ? chg->tx->server_uuid : "";
}

bool marks_cover(const struct marks *marks, const struct change *chg, bool *other_server)
{
    const struct version *series = series_of(marks, chg), *version = &chg->version;
    *other_server = false;
    if (!is_set(series) || version_compare(version, series) > 0)
        return false;
    *other_server = version->epoch == marks->newest.epoch && version->sequence == marks->newest.sequence &&
                    strcmp(server_of(chg), marks->newest_server) != 0;
    return !*other_server;
}

void marks_note(struct marks *marks, const struct change *chg)
{
    *series_of(marks, chg) = chg->version;
    if (version_compare(&chg->version, &marks->newest) < 0)
        return;
    bool same = chg->version.epoch == marks->newest.epoch && chg->version.sequence == marks->newest.sequence;
    marks->newest = chg->version;
    if (!same)
        snprintf(marks->newest_server, sizeof marks->newest_server, "%s", server_of(chg));
}

/* ---------------------------------------------------------------- text */

static void add_version(struct buf *out, const char *word, const struct version *version)
{
    char text[VERSION_TEXT_LEN + 1];
    if (!is_set(version))
        return;
    version_print(version, text);
    buf_printf(out, "%s %.*s\n", word, VERSION_TEXT_LEN, text);
}

int marks_encode(const struct marks *marks, struct buf *out, struct err *e)
{
    char text[VERSION_TEXT_LEN + 1], word[WORD_MAX];
    struct buf boundary;
    buf_init(&boundary, 0);
    int rc = position_encode(&marks->boundary, &boundary, e);
    buf_printf(out, "marks 1\nlanes %u\n", marks->lanes);
    for (unsigned i = 0; i < marks->lanes; i++) {
        snprintf(word, sizeof word, "lane %u", i);
        add_version(out, word, &marks->rows[i]);
    }
    add_version(out, "statement", &marks->statement);
    add_version(out, "end", &marks->end);
    version_print(&marks->newest, text);
    buf_printf(out, "newest %.*s %s\n", VERSION_TEXT_LEN, text, marks->newest_server);
    buf_printf(out, "boundary %zu\n", boundary.len);
    buf_add(out, boundary.p, boundary.len);
    if (rc == 0 && (out->failed || boundary.failed))
        rc = err_set(e, NO_MEMORY, out->len);
    buf_release(&boundary);
    return rc;
}

struct text {
    const char *p, *end;
};

static int damaged(struct err *e)
{
    return err_set(e, STATE_CORRUPT, "marks", "not what this version writes");
}

/* The next line without its end; false when there is none. */
static bool take_line(struct text *in, const char **line, size_t *len)
{
    const char *end = memchr(in->p, '\n', (size_t)(in->end - in->p));
    if (!end)
        return false;
    *line = in->p;
    *len = (size_t)(end - in->p);
    in->p = end + 1;
    return true;
}

/* True when the line begins with the word and a space: then they are taken off. */
static bool take_word(struct text *line, const char *word)
{
    size_t len = strlen(word);
    if ((size_t)(line->end - line->p) <= len || memcmp(line->p, word, len) != 0 || line->p[len] != ' ')
        return false;
    line->p += len + 1;
    return true;
}

static bool take_number(struct text *line, uint64_t max, uint64_t *out)
{
    const char *begin = line->p;
    *out = 0;
    while (line->p < line->end && *line->p >= '0' && *line->p <= '9' && *out <= max)
        *out = *out * 10 + (uint64_t)(*line->p++ - '0');
    return line->p > begin && *out <= max;
}

static bool take_version(struct text *line, struct version *out)
{
    struct err ignored = ERR_INIT;
    if (line->end - line->p < VERSION_TEXT_LEN || version_parse(out, line->p, VERSION_TEXT_LEN, &ignored) != 0)
        return false;
    line->p += VERSION_TEXT_LEN;
    return true;
}

/* "VERSION SERVER" */
static bool take_newest(struct text *line, struct marks *marks)
{
    if (!take_version(line, &marks->newest) || line->p == line->end || *line->p != ' ')
        return false;
    size_t len = (size_t)(line->end - ++line->p);
    if (len > SERVER_UUID_MAX)
        return false;
    memcpy(marks->newest_server, line->p, len);
    marks->newest_server[len] = '\0';
    line->p = line->end;
    return true;
}

/* The line of one version; false when it is none. */
static bool take_series(struct text *line, struct marks *marks)
{
    uint64_t lane;
    if (take_word(line, "lane"))
        return take_number(line, marks->lanes - 1, &lane) && line->p < line->end && *line->p++ == ' ' &&
               take_version(line, &marks->rows[lane]);
    if (take_word(line, "statement"))
        return take_version(line, &marks->statement);
    if (take_word(line, "end"))
        return take_version(line, &marks->end);
    return take_word(line, "newest") && take_newest(line, marks);
}

static int take_lanes(struct text *in, const struct marks *marks, struct err *e)
{
    const char *line;
    size_t len;
    uint64_t lanes;
    if (!take_line(in, &line, &len) || len != strlen("marks 1") || memcmp(line, "marks 1", len) != 0 ||
        !take_line(in, &line, &len))
        return damaged(e);
    struct text rest = {line, line + len};
    if (!take_word(&rest, "lanes") || !take_number(&rest, UINT32_MAX, &lanes) || rest.p != rest.end)
        return damaged(e);
    return lanes == marks->lanes ? 0 : err_set(e, MARKS_LANES, (unsigned)lanes, marks->lanes);
}

int marks_decode(struct marks *marks, const uint8_t *bytes, size_t len, struct err *e)
{
    struct text in = {(const char *)bytes, (const char *)bytes + len};
    const char *line;
    size_t line_len;
    int rc = take_lanes(&in, marks, e);
    while (rc == 0 && take_line(&in, &line, &line_len)) {
        struct text rest = {line, line + line_len};
        uint64_t size;
        if (take_word(&rest, "boundary")) {
            if (!take_number(&rest, UINT32_MAX, &size) || size != (size_t)(in.end - in.p))
                return damaged(e);
            return position_decode(&marks->boundary, (const uint8_t *)in.p, size, e);
        }
        if (!take_series(&rest, marks) || rest.p != rest.end)
            return damaged(e);
    }
    return rc == 0 ? damaged(e) : rc;
}
