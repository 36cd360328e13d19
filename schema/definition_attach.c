/* What formats of other programs ask of a definition beyond the bytes of a row. */
#include "base/ascii.h"
#include "schema/definition_private.h"

/* A copy in the arena; *last, the text of the column before, when it is the same. NULL for none. */
static int keep_text(const char **out, const struct create_text *text, const char *last, struct arena *arena,
                     struct err *e)
{
    if (!text->p)
        return 0;
    if (last && strlen(last) == text->len && memcmp(last, text->p, text->len) == 0) {
        *out = last;
        return 0;
    }
    *out = arena_copy(arena, text->p, text->len);
    return *out ? 0 : err_set(e, NO_MEMORY, text->len);
}

static int describe_column(struct column_definition *out, const struct create_column *col,
                           const struct column_definition *before, struct arena *arena, struct err *e)
{
    *out = (struct column_definition){.length = col->length,
                                      .decimals = col->decimals,
                                      .has_length = col->has_length,
                                      .has_decimals = col->has_decimals,
                                      .zerofill = col->zerofill,
                                      .auto_increment = col->auto_increment,
                                      .generated = col->generated != CREATE_PLAIN,
                                      .json = col->json};
    int rc = keep_text(&out->word, &col->word, before->word, arena, e);
    if (rc == 0)
        rc = keep_text(&out->initial, &col->initial, before->initial, arena, e);
    if (rc == 0)
        rc = keep_text(&out->charset, &col->charset, before->charset, arena, e);
    return rc == 0 ? keep_text(&out->collation, &col->collation, before->collation, arena, e) : rc;
}

static bool is_row_key(const struct create_table *create, const struct create_key *key)
{
    if (key->kind != CREATE_UNIQUE)
        return false;
    for (unsigned i = 0; i < key->part_count; i++)
        if (key->parts[i].column == CREATE_NO_COLUMN || create->columns[key->parts[i].column].nullable)
            return false;
    return true;
}

static int copy_unique(struct table *tbl, const struct create_table *create, struct arena *arena, struct err *e)
{
    size_t n = 0;
    while (n < create->key_count && !is_row_key(create, &create->keys[n]))
        n++;
    if (n == create->key_count)
        return 0;
    const struct create_key *key = &create->keys[n];
    size_t bytes = key->part_count * sizeof(uint16_t);
    uint16_t *unique = (uint16_t *)arena_alloc(arena, bytes);
    if (!unique)
        return err_set(e, NO_MEMORY, bytes);
    for (unsigned i = 0; i < key->part_count; i++)
        unique[i] = key->parts[i].column;
    tbl->unique = unique;
    tbl->unique_count = key->part_count;
    return 0;
}

int definition_describe(const struct create_table *create, struct table *tbl, struct column *columns,
                        struct arena *arena, struct err *e)
{
    static const struct column_definition none = {.word = NULL};
    const struct column_definition *before = &none;
    size_t bytes = create->column_count * sizeof(struct column_definition);
    struct column_definition *list = (struct column_definition *)arena_alloc(arena, bytes);
    if (!list)
        return err_set(e, NO_MEMORY, bytes);
    int rc = keep_text(&tbl->charset, &create->charset, NULL, arena, e);
    for (unsigned i = 0; rc == 0 && i < create->column_count; i++) {
        const struct create_column *col = &create->columns[i];
        rc = describe_column(&list[i], col, before, arena, e);
        if (rc == 0 && !columns[i].declared)
            rc = keep_text(&columns[i].declared, &col->type, NULL, arena, e);
        columns[i].definition = &list[i];
        before = &list[i];
    }
    tbl->pk_is_unique = tbl->pk && !create->primary;
    return rc == 0 ? copy_unique(tbl, create, arena, e) : rc;
}

static bool is_column(const struct column *column, const struct create_column *col)
{
    return column->name_len == col->name.len && ascii_same(column->name, col->name.p, col->name.len) &&
           column->nullable == col->nullable && definition_fits(&column->type, col);
}

int definition_attach(const struct definition *def, struct table *tbl, struct column *columns, struct arena *arena,
                      struct err *e)
{
    const struct create_table *create = &def->create;
    struct hidden hidden;
    bool same = definition_find_hidden(create, tbl->column_count, &hidden);
    for (unsigned i = 0; same && i < create->column_count; i++)
        same = is_column(&columns[i], &create->columns[i]);
    return same ? definition_describe(create, tbl, columns, arena, e) : 0;
}
