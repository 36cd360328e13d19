/* A table version compiled for Maxwell's row JSON: a cell for each column, and the texts that are the same in each row.
 */
#include <regex.h>
#include <stdlib.h>

#include "change/maxwell/parts.h"
#include "value/java.h"

/* ---------------------------------------------------------------- columns that are left out */

#define PATTERN_MAX 256 /* bytes of one name or expression */

/* The next item of a list parted by commas, without blanks around it; false at its end. */
static bool next_pattern(const char **list, const char **start, size_t *len)
{
    const char *p = *list;
    if (!p)
        return false;
    const char *comma = strchr(p, ',');
    size_t n = comma ? (size_t)(comma - p) : strlen(p);
    *list = comma ? comma + 1 : NULL;
    for (; n > 0 && *p == ' '; p++)
        n--;
    while (n > 0 && p[n - 1] == ' ')
        n--;
    *start = p;
    *len = n;
    return true;
}

static int compile(regex_t *out, const char *p, size_t len, struct err *e)
{
    char text[PATTERN_MAX + 8];
    if (len < 2 || p[len - 1] != '/' || len > PATTERN_MAX)
        return err_set(e, CONFIG_VALUE, "exclude_columns", "an expression is /…/, of at most 256 bytes");
    (void)snprintf(text, sizeof text, "^(%.*s)$", (int)(len - 2), p + 1);
    if (regcomp(out, text, REG_EXTENDED | REG_NOSUB) != 0)
        return err_set(e, CONFIG_VALUE, "exclude_columns", "not a regular expression");
    return 0;
}

static int matches(const char *p, size_t len, const struct column *column, bool *out, struct err *e)
{
    regex_t regex;
    if (len == 0 || p[0] != '/') {
        *out = column && len == column->name_len && memcmp(p, column->name, len) == 0;
        return 0;
    }
    int rc = compile(&regex, p, len, e);
    if (rc != 0)
        return rc;
    *out = column && regexec(&regex, column->name, 0, NULL, 0) == 0;
    regfree(&regex);
    return 0;
}

int maxwell_is_excluded(const struct maxwell_options *opt, const struct column *column, bool *out, struct err *e)
{
    *out = false;
    for (size_t i = 0; i < opt->exclude_columns.count; i++) {
        const char *list = opt->exclude_columns.items[i], *start;
        for (size_t len; next_pattern(&list, &start, &len);) {
            bool match = false;
            int rc = matches(start, len, column, &match, e);
            if (rc != 0)
                return rc;
            *out |= match;
        }
    }
    return 0;
}

/* ---------------------------------------------------------------- a table version */

struct builder {
    struct maxwell_bind *bind;
    struct buf text;
};

static void *get(struct builder *in, size_t count, size_t size)
{
    return arena_alloc(&in->bind->arena, (count ? count : 1) * size);
}

static void add_string(struct buf *text, const char *p, size_t len)
{
    uint8_t *o = buf_room(text, 6 * len + 16);
    if (o)
        text->len += (size_t)(write_jackson_string(o, (const uint8_t *)p, len) - o);
}

static bool take_piece(struct builder *in, struct piece *out)
{
    bool ok = maxwell_piece(out, &in->text, &in->bind->arena);
    buf_clear(&in->text);
    return ok;
}

static bool build_names(struct builder *in)
{
    const struct table *tbl = in->bind->tbl;
    bool array = in->bind->opt->key_format == MAXWELL_KEY_ARRAY;
    buf_text(&in->text, "{\"database\":");
    add_string(&in->text, tbl->db, strlen(tbl->db));
    buf_text(&in->text, ",\"table\":");
    add_string(&in->text, tbl->name, strlen(tbl->name));
    if (!take_piece(in, &in->bind->head))
        return false;
    if (!array) {
        in->bind->key_head = in->bind->head;
        return true;
    }
    buf_byte(&in->text, '[');
    add_string(&in->text, tbl->db, strlen(tbl->db));
    buf_byte(&in->text, ',');
    add_string(&in->text, tbl->name, strlen(tbl->name));
    buf_text(&in->text, ",[");
    return take_piece(in, &in->bind->key_head);
}

static bool build_key(struct builder *in)
{
    struct maxwell_bind *bind = in->bind;
    const struct table *tbl = bind->tbl;
    unsigned count = tbl->pk ? tbl->pk_count : 0;
    bool array = bind->opt->key_format == MAXWELL_KEY_ARRAY;
    bind->pk = get(in, count, sizeof *bind->pk);
    if (!bind->pk)
        return false;
    for (unsigned i = 0; i < count; i++) {
        const struct column *column = &tbl->columns[tbl->pk[i]];
        struct buf name;
        buf_init(&name, 0);
        if (!array)
            buf_text(&name, "pk.");
        maxwell_lower_case(column->name, column->name_len, &name);
        buf_text(&in->text, !array ? "," : i ? "},{" : "{");
        add_string(&in->text, (const char *)name.p, name.len);
        buf_byte(&in->text, ':');
        bool ok = !name.failed && take_piece(in, &bind->pk[i]);
        buf_release(&name);
        if (!ok)
            return false;
    }
    buf_byte(&in->text, '[');
    for (unsigned i = 0; i < count; i++) {
        const struct column *column = &tbl->columns[tbl->pk[i]];
        if (i)
            buf_byte(&in->text, ',');
        add_string(&in->text, column->name, column->name_len);
    }
    buf_byte(&in->text, ']');
    return take_piece(in, &bind->pk_names);
}

static bool build_cell(struct builder *in, struct maxwell_cell *cell, const struct column *column)
{
    struct buf name;
    if (!maxwell_cell_init(cell, column, in->bind->opt, &in->bind->arena))
        return false;
    buf_init(&name, 0);
    if (in->bind->opt->naming == MAXWELL_NAMES_CAMELCASE)
        maxwell_camelcase(column->name, column->name_len, &name);
    else
        buf_add(&name, column->name, column->name_len);
    add_string(&in->text, (const char *)name.p, name.len);
    buf_byte(&in->text, ':');
    bool ok = !name.failed && take_piece(in, &cell->name);
    buf_release(&name);
    return ok;
}

static int build(struct builder *in, struct err *e)
{
    struct maxwell_bind *bind = in->bind;
    struct maxwell_cell *cells = get(in, bind->count, sizeof *cells);
    uint16_t *index = get(in, bind->count, sizeof *index);
    bind->before = get(in, bind->count, sizeof *bind->before);
    bind->after = get(in, bind->count, sizeof *bind->after);
    bind->shown = get(in, bind->count, sizeof *bind->shown);
    bool ok = cells && index && bind->before && bind->after && bind->shown && build_names(in) && build_key(in);
    for (unsigned i = 0; ok && i < bind->count; i++) {
        index[i] = (uint16_t)i;
        ok = build_cell(in, &cells[i], &bind->tbl->columns[i]);
        int rc = ok ? maxwell_is_excluded(bind->opt, &bind->tbl->columns[i], &cells[i].excluded, e) : 0;
        if (rc != 0)
            return rc;
    }
    bind->cells = cells;
    bind->all = (struct colset){index, bind->count};
    return ok ? 0 : err_set(e, NO_MEMORY, bind->count * sizeof *cells);
}

void maxwell_unbind(void *bind)
{
    struct maxwell_bind *own = bind;
    if (!own)
        return;
    arena_release(&own->arena);
    free(own);
}

#define BIND_CHUNK 4096

int maxwell_bind(void **out, const void *opt, const struct table *tbl, struct err *e)
{
    struct builder in = {.bind = calloc(1, sizeof *in.bind)};
    if (!in.bind)
        return err_set(e, NO_MEMORY, sizeof *in.bind);
    *in.bind = (struct maxwell_bind){.opt = opt, .tbl = tbl, .count = tbl->column_count};
    arena_init(&in.bind->arena, BIND_CHUNK, 0, 0);
    buf_init(&in.text, 0);
    int rc = build(&in, e);
    buf_release(&in.text);
    if (rc != 0) {
        maxwell_unbind(in.bind);
        return rc;
    }
    *out = in.bind;
    return 0;
}
