/* What of Canal's messages is the same for all rows of a table version. */
#include "change/canal/bind.h"

#include <stdlib.h>

static void *get(struct canal_bind *bind, size_t bytes, struct err *e)
{
    void *p = arena_alloc(&bind->arena, bytes);
    if (!p)
        err_set(e, NO_MEMORY, bytes);
    else
        memset(p, 0, bytes);
    return p;
}

static int take_piece(struct canal_bind *bind, struct piece *out, struct buf *text, struct err *e)
{
    if (text->failed)
        return err_set(e, NO_MEMORY, text->size);
    uint8_t *p = get(bind, text->len + PIECE_SLACK, e);
    if (!p)
        return -(int)ERR_NO_MEMORY;
    memcpy(p, text->p, text->len);
    *out = (struct piece){p, text->len};
    buf_clear(text);
    return 0;
}

/* A backtick of a column's name counts twice: Canal takes the name out of the statement as it is quoted there. */
static void name_text(const struct column *column, struct buf *text)
{
    canal_name(column->name, column->name_len, text);
    buf_byte(text, ':');
}

/* A width that is what its integer type has without one: MariaDB and MySQL before 8.0.19 show it, a statement seldom
 * does. Bytes of the text from `at` on that are left out. */
static size_t default_width(const char *type, size_t *at)
{
    static const char *const widths[] = {
        "tinyint(4)",
        "smallint(6)",
        "mediumint(9)",
        "int(11)",
        "bigint(20)",
        "tinyint(3) unsigned",
        "smallint(5) unsigned",
        "mediumint(8) unsigned",
        "int(10) unsigned",
        "bigint(20) unsigned",
        "year(4)",
    };
    for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++)
        if (strcmp(type, widths[i]) == 0) {
            *at = strcspn(type, "(");
            return strcspn(type + *at, ")") + 1;
        }
    return 0;
}

static void type_text(const struct column *column, struct buf *text)
{
    struct buf derived;
    buf_init(&derived, 0);
    if (column->declared) {
        size_t at = 0, cut = default_width(column->declared, &at);
        buf_add(&derived, column->declared, at);
        buf_text(&derived, column->declared + at + cut);
    } else {
        canal_type_text(&column->type, &derived);
    }
    canal_text((const char *)derived.p, derived.len, text);
    text->failed |= derived.failed;
    buf_release(&derived);
}

static int bind_cells(struct canal_bind *bind, const struct canal_options *options, struct buf *text, struct err *e)
{
    const struct table *tbl = bind->tbl;
    int rc = 0;
    for (unsigned i = 0; i < tbl->column_count && rc == 0; i++) {
        struct canal_cell *cell = &bind->cells[i];
        canal_cell_init(cell, &tbl->columns[i], options);
        name_text(&tbl->columns[i], text);
        rc = take_piece(bind, &cell->name, text, e);
        type_text(&tbl->columns[i], text);
        if (rc == 0)
            rc = take_piece(bind, &cell->type, text, e);
        bind->tail_max += 3 * cell->name.len + cell->type.len + CANAL_CODE_MAX + 4 * PIECE_SLACK;
    }
    for (unsigned i = 0; i < tbl->pk_count && !tbl->pk_is_unique; i++)
        bind->cells[tbl->pk[i]].is_key = true;
    return rc;
}

static int bind_heads(struct canal_bind *bind, struct buf *text, struct err *e)
{
    const struct table *tbl = bind->tbl;
    buf_text(text, ",\"database\":");
    canal_text(tbl->db, strlen(tbl->db), text);
    buf_text(text, ",\"es\":");
    int rc = take_piece(bind, &bind->database, text, e);
    buf_text(text, ",\"table\":");
    canal_text(tbl->name, strlen(tbl->name), text);
    buf_text(text, ",\"ts\":");
    if (rc == 0)
        rc = take_piece(bind, &bind->table, text, e);
    bind->tail_max += bind->database.len + bind->table.len;
    return rc;
}

static int allocate(struct canal_bind *bind, struct err *e)
{
    size_t count = bind->tbl->column_count ? bind->tbl->column_count : 1;
    bind->cells = get(bind, count * sizeof *bind->cells, e);
    bind->before = get(bind, count * sizeof *bind->before, e);
    bind->after = get(bind, count * sizeof *bind->after, e);
    bind->codes = get(bind, count * sizeof *bind->codes, e);
    bind->texts = get(bind, count * sizeof *bind->texts, e);
    bind->changed = get(bind, count * sizeof *bind->changed, e);
    uint16_t *all = get(bind, count * sizeof *all, e);
    if (!bind->cells || !bind->before || !bind->after || !bind->codes || !bind->texts || !bind->changed || !all)
        return -(int)ERR_NO_MEMORY;
    for (unsigned i = 0; i < bind->tbl->column_count; i++)
        all[i] = (uint16_t)i;
    bind->all = (struct colset){all, bind->tbl->column_count};
    return 0;
}

int canal_bind_new(void **out, const void *opt, const struct table *tbl, struct err *e)
{
    struct canal_bind *bind = calloc(1, sizeof *bind);
    struct buf text;
    if (!bind)
        return err_set(e, NO_MEMORY, sizeof *bind);
    arena_init(&bind->arena, 4096, 0, 0);
    buf_init(&text, 0);
    bind->tbl = tbl;
    bind->tail_max = CANAL_FRAME_MAX;
    int rc = allocate(bind, e);
    if (rc == 0)
        rc = bind_cells(bind, opt, &text, e);
    if (rc == 0)
        rc = bind_heads(bind, &text, e);
    buf_release(&text);
    if (rc != 0) {
        canal_bind_free(bind);
        return rc;
    }
    *out = bind;
    return 0;
}

void canal_bind_free(void *p)
{
    struct canal_bind *bind = p;
    if (!bind)
        return;
    arena_release(&bind->arena);
    free(bind);
}
