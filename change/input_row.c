/* Rows of a foreign message as rows of our own JSON. */
#include <stdlib.h>
#include <string.h>

#include "change/input_parts.h"
#include "change/shape_parts.h"

struct input_column *input_column(const struct input_reader *rd, struct input_columns *columns, const char *name)
{
    for (unsigned i = 0; i < columns->count; i++) {
        unsigned at = (columns->last + 1 + i) % columns->count;
        if (strcmp(columns->list[at].name, name) == 0) {
            columns->last = at;
            return &columns->list[at];
        }
    }
    if (columns->count == TABLE_COLUMNS_MAX) {
        input_wrong(rd, name, "more columns than a table may have");
        return NULL;
    }
    if (columns->count == columns->size) {
        unsigned size = columns->size ? columns->size * 2 : 32;
        struct input_column *grown = arena_alloc(rd->in->arena, size * sizeof *grown);
        if (!grown) {
            err_set(rd->e, NO_MEMORY, size * sizeof *grown);
            return NULL;
        }
        if (columns->count)
            memcpy(grown, columns->list, columns->count * sizeof *grown);
        columns->list = grown;
        columns->size = size;
    }
    columns->last = columns->count;
    struct input_column *column = &columns->list[columns->count++];
    *column = (struct input_column){.name = name};
    return column;
}

int input_take(struct input_reader *rd, struct json_span *out)
{
    struct buf *from = &rd->scratch;
    const char *copy = from->failed ? NULL : arena_copy(rd->in->arena, from->p, from->len);
    if (!copy)
        return err_set(rd->e, NO_MEMORY, from->len);
    *out = (struct json_span){copy, from->len};
    buf_clear(from);
    struct value v; /* strings are well-formed: all else is looked at, so that the codec finds no fault later */
    return *copy == '"' ? 0 : json_scan_value(out, &v, rd->in->arena, rd->e);
}

int input_key_names(const struct input_reader *rd, const json_t *from, struct input_key *out)
{
    size_t count = json_is_object(from) ? json_object_size(from) : json_array_size(from), i = 0;
    void *at = json_object_iter((json_t *)(uintptr_t)from);
    if (count == 0)
        return 0;
    const char **names = arena_alloc(rd->in->arena, count * sizeof *names);
    if (!names)
        return err_set(rd->e, NO_MEMORY, count * sizeof *names);
    for (; i < count; i++) {
        const char *name = at ? json_object_iter_key(at) : json_string_value(json_array_get(from, i));
        names[i] = name ? arena_copy(rd->in->arena, name, strlen(name)) : NULL;
        if (!names[i])
            return input_wrong(rd, "of the primary key", "not a list of names");
        at = at ? json_object_iter_next((json_t *)(uintptr_t)from, at) : NULL;
    }
    *out = (struct input_key){names, (unsigned)count};
    return 0;
}

/* A key of which the images lack a column is not known. */
static int build_key(struct table *tbl, const struct input_key *key, struct arena *arena, struct err *e)
{
    if (key->count == 0)
        return 0;
    uint16_t *index = arena_alloc(arena, sizeof *index * key->count);
    if (!index)
        return err_set(e, NO_MEMORY, sizeof *index * key->count);
    for (unsigned i = 0; i < key->count; i++) {
        int column = table_find_column(tbl, key->names[i], strlen(key->names[i]));
        if (column < 0)
            return 0;
        index[i] = (uint16_t)column;
    }
    tbl->pk = index;
    tbl->pk_count = key->count;
    tbl->pk_known = true;
    return 0;
}

static int build_table(struct table **out, const struct input *to, const struct input_columns *columns,
                       struct arena *arena, struct err *e)
{
    size_t bytes = columns->count * sizeof(struct column);
    struct table *tbl = arena_alloc(arena, sizeof *tbl);
    struct column *list = arena_alloc(arena, bytes);
    if (!tbl || !list)
        return err_set(e, NO_MEMORY, bytes);
    *tbl = (struct table){.db = arena_copy(arena, to->db, strlen(to->db)),
                          .name = arena_copy(arena, to->table, strlen(to->table)),
                          .columns = list,
                          .column_count = columns->count};
    for (unsigned i = 0; i < columns->count; i++) {
        size_t len = strlen(columns->list[i].name);
        list[i] = (struct column){.name_len = (uint32_t)len, .nullable = true};
        list[i].name = arena_copy(arena, columns->list[i].name, len);
        if (!list[i].name)
            return err_set(e, NO_MEMORY, len);
    }
    *out = tbl;
    return tbl->db && tbl->name ? 0 : err_set(e, NO_MEMORY, sizeof *tbl);
}

static int take_shape(const struct input_reader *rd, const struct input *to, const struct input_columns *columns,
                      const struct input_key *key, const struct shape **out)
{
    struct arena *arena = malloc(sizeof *arena);
    struct table *tbl = NULL;
    if (!arena)
        return err_set(rd->e, NO_MEMORY, sizeof *arena);
    arena_init(arena, 1024, 0, 0);
    int rc = build_table(&tbl, to, columns, arena, rd->e);
    if (rc == 0)
        rc = build_key(tbl, key, arena, rd->e);
    if (rc == 0)
        rc = shape_cache_take_codec(rd->in->shapes, arena, tbl, &json_codec, out, rd->e);
    if (rc != 0) {
        arena_release(arena);
        free(arena);
    }
    return rc;
}

static void set_bit(uint8_t *bitmap, unsigned i)
{
    bitmap[i / 8] = (uint8_t)(bitmap[i / 8] | 1u << (i % 8));
}

static int build_image(const struct input_reader *rd, const struct input_columns *columns, enum side side,
                       struct image *out)
{
    size_t len = 2, bitmap = (columns->count + 7u) / 8;
    unsigned held = 0;
    for (unsigned i = 0; i < columns->count; i++)
        len += columns->list[i].value[side].len + sizeof "\"\":,";
    uint8_t *present = arena_alloc(rd->in->arena, bitmap);
    char *text = arena_alloc(rd->in->arena, len), *o = text;
    if (!present || !text)
        return err_set(rd->e, NO_MEMORY, len + bitmap);
    memset(present, 0, bitmap);
    *o++ = '{';
    for (unsigned i = 0; i < columns->count; i++) {
        const struct json_span *value = &columns->list[i].value[side];
        if (!value->p)
            continue;
        set_bit(present, i);
        if (held++)
            *o++ = ',';
        memcpy(o, "\"\":", 3); /* the codec goes by the order, names are the table's */
        o += 3;
        memcpy(o, value->p, value->len);
        o += value->len;
    }
    *o++ = '}';
    *out = (struct image){
        .present = held == columns->count ? NULL : present, .bytes = (const uint8_t *)text, .len = (size_t)(o - text)};
    return 0;
}

int input_row(const struct input_reader *rd, const struct input *to, const struct input_columns *columns,
              const struct input_key *key, struct input_row *row)
{
    size_t bitmap = (columns->count + 7u) / 8;
    uint8_t *decimals = arena_alloc(rd->in->arena, bitmap);
    if (!decimals)
        return err_set(rd->e, NO_MEMORY, bitmap);
    memset(decimals, 0, bitmap);
    for (unsigned i = 0; i < columns->count; i++)
        if (columns->list[i].decimal)
            set_bit(decimals, i);
    row->decimals = decimals;
    int rc = take_shape(rd, to, columns, key, &row->shape);
    if (rc == 0 && (row->op == CHANGE_UPDATE || row->op == CHANGE_DELETE))
        rc = build_image(rd, columns, SIDE_BEFORE, &row->before);
    if (rc == 0 && row->op != CHANGE_DELETE)
        rc = build_image(rd, columns, SIDE_AFTER, &row->after);
    return rc;
}
