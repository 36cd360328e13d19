/* Any bytes as one value of any type: an error, or a value whose text and JSON are well formed, and the same whichever
 * writer made them. Layout: wire code, two bytes of metadata, flags, collation (2), declared type, then the value as it
 * stands in a row image. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "change/format_row.h"
#include "change/format_sluice.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#define MUST(condition)                                                                                                \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            abort();                                                                                                   \
    } while (0)

#define SPEC_BYTES 7

static const struct label labels[] = {{"one", 3},      {"two \"", 5},     {"", 0},
                                      {"\xc3\xa9", 2}, {"\xff\x00 b", 4}, {"a label of more than 32 bytes here", 33}};

/* The column of the input's first bytes; false when there is no such type. */
static bool make_column(struct column *column, const uint8_t *spec)
{
    static const char *const declared[] = {"uuid", "inet6", "inet4", "vector"};
    struct cursor metadata = cursor_over(spec + 1, 2);
    struct coltype *type = &column->type;
    *column = (struct column){.name = "c", .name_len = 1};
    if (coltype_init(type, spec[0], &metadata, NULL) != 0)
        return false;
    type->sign_known = spec[3] & 1;
    type->is_unsigned = spec[3] & 2;
    type->labels = spec[3] & 4 ? labels : NULL;
    type->label_count = spec[3] & 4 ? sizeof labels / sizeof labels[0] : 0;
    type->collation = (uint16_t)(spec[4] | spec[5] << 8);
    type->charset = (uint8_t)charset_of_collation(type->collation, NULL);
    return spec[6] & 1 || coltype_declare(type, declared[spec[6] >> 1 & 3], spec[6] >> 3);
}

static void check_text(const struct value *v)
{
    struct buf text, again;
    buf_init(&text, 0);
    buf_init(&again, 0);
    value_text(v, &text);
    value_text(v, &again);
    MUST(!text.failed && text.len == again.len && (text.len == 0 || memcmp(text.p, again.p, text.len) == 0));
    if (v->kind != VALUE_BYTES && v->kind != VALUE_GEOMETRY && !v->raw && text.len)
        MUST(value_is_utf8((char *)text.p, text.len));
    buf_release(&text);
    buf_release(&again);
}

static void must_be_json(const struct buf *json)
{
    MUST(json->len && !json->failed && value_is_utf8((char *)json->p, json->len));
    json_t *parsed =
        json_loadb((char *)json->p, json->len, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL, NULL);
    MUST(parsed);
    json_decref(parsed);
}

/* A JSON column's text is a document. A NUL in a key is fine, but not for the other parser. */
static void check_document(const struct value *v)
{
    struct buf text;
    buf_init(&text, 0);
    buf_add(&text, v->s.p, v->s.len);
    for (size_t i = 0; i + 6 <= text.len; i++)
        if (memcmp(text.p + i, "\\u0000", 6) == 0)
            text.p[i + 5] = '1';
    must_be_json(&text);
    buf_release(&text);
}

static void check_json(const struct value *v)
{
    struct buf json, geo;
    buf_init(&json, 0);
    buf_init(&geo, 0);
    value_json(v, &json);
    must_be_json(&json);
    if (value_geojson(v, &geo))
        must_be_json(&geo);
    else
        MUST(geo.len == 0);
    buf_release(&json);
    buf_release(&geo);
    if (v->kind == VALUE_JSON && !v->raw)
        check_document(v);
}

/* The prepared writer writes what the one over values does, or leaves it to that one. */
static void check_writers(struct arena *own, const struct column *column, const uint8_t *image, size_t len,
                          struct arena *arena)
{
    struct table *tbl = arena_alloc(own, sizeof *tbl);
    struct column *columns = arena_alloc(own, sizeof *columns);
    struct shape_cache *cache = shape_cache_new();
    const struct shape *shape = NULL;
    struct buf row, values;
    MUST(tbl && columns && cache);
    *columns = *column;
    *tbl = (struct table){.db = "d", .name = "t", .columns = columns, .column_count = 1, .pk_known = true};
    buf_init(&row, 0);
    buf_init(&values, 0);
    MUST(shape_cache_take(cache, own, tbl, &shape, NULL) == 0);
    struct tx tx = {.file = "b.1", .commit_us = 1};
    struct change chg = {.op = CHANGE_INSERT, .shape = shape, .tx = &tx, .key = "k", .key_len = 1};
    chg.db = "d";
    chg.table = "t";
    chg.after = (struct image){.bytes = image, .len = len};
    bool done = format_row(&chg, &row);
    static const struct format_options form = {.geojson = false};
    int rc = format_values(&chg, &form, &values, arena, NULL);
    MUST(!done || (rc == 0 && row.len == values.len && memcmp(row.p, values.p, row.len) == 0));
    buf_release(&row);
    buf_release(&values);
    shape_cache_free(cache);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct column column;
    if (len < SPEC_BYTES || !make_column(&column, bytes))
        return 0;
    const uint8_t *p = bytes + SPEC_BYTES;
    size_t size = value_size(&column.type, p, bytes + len);
    if (size == SIZE_MAX)
        return 0;
    struct arena *own = malloc(sizeof *own), arena;
    uint8_t *image = malloc(size + 1); /* exact: the null bitmap and the value */
    MUST(own && image);
    image[0] = 0;
    memcpy(image + 1, p, size);
    arena_init(own, 4096, 0, 0);
    arena_init(&arena, 4096, 0, 1 << 24);
    struct value v;
    struct err e = ERR_INIT;
    int rc = value_read(&column.type, image + 1, size, &v, &arena, &e);
    MUST(rc == -(int)e.code);
    if (rc == 0) {
        MUST(v.kind != VALUE_ABSENT && v.kind != VALUE_NULL);
        check_text(&v);
        check_json(&v);
    }
    check_writers(own, &column, image, size + 1, &arena);
    arena_release(&arena);
    free(image);
    return 0;
}
