/* Any bytes as a table's types and a row image: walked, decoded and written; both writers agree, and what they write is
 * read back. First byte: number of columns; then for each its wire code, flags and two bytes of metadata; the rest is
 * the image. */
#include <stdlib.h>
#include <string.h>

#include "change/format_row.h"
#include "change/json_in.h"
#include "tools/fuzz_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static const struct format_options form = {.geojson = false};
static const struct format_options other_form = {.geojson = true};

static void write_both(const struct change *chg, struct shape_cache *cache, struct arena *arena)
{
    struct buf row, values, again;
    struct change parsed;
    struct tx tx;
    buf_init(&row, 0);
    buf_init(&values, 0);
    buf_init(&again, 0);
    bool done = format_row(chg, &row);
    int rc = format_values(chg, &form, &values, arena, NULL);
    if (done && (rc != 0 || row.len != values.len || memcmp(row.p, values.p, row.len) != 0))
        abort();
    if (rc == 0) {
        if (!value_is_utf8((char *)values.p, values.len) ||
            json_in_change((char *)values.p, values.len, cache, &parsed, &tx, arena, NULL) != 0 ||
            format_values(&parsed, &form, &again, arena, NULL) != 0 || again.len != values.len ||
            memcmp(again.p, values.p, values.len) != 0)
            abort();
        buf_clear(&again);
        if (format_sluice_as(chg, &other_form, &again, arena, NULL) != 0 || !value_is_utf8((char *)again.p, again.len))
            abort();
    }
    buf_release(&row);
    buf_release(&values);
    buf_release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const uint16_t pk[] = {0};
    unsigned count = len ? 1 + bytes[0] % 8 : 0;
    if (len < 1 + 4 * (size_t)count || count == 0)
        return 0;
    struct arena *own = malloc(sizeof *own), arena;
    struct shape_cache *cache = shape_cache_new();
    const struct shape *shape = NULL;
    if (!own || !cache)
        abort();
    arena_init(own, 4096, 0, 0);
    arena_init(&arena, 4096, 0, 1 << 24);
    struct column *columns = arena_alloc(own, sizeof *columns * count);
    struct table *tbl = arena_alloc(own, sizeof *tbl);
    if (!columns || !tbl)
        abort();
    *tbl = (struct table){.db = "d",
                          .name = "t",
                          .columns = columns,
                          .column_count = count,
                          .pk = pk,
                          .pk_count = bytes[0] & 64 ? 1 : 0,
                          .pk_known = true};
    bool made = true;
    for (unsigned i = 0; made && i < count; i++)
        made = fuzz_column(&columns[i], i, bytes + 1 + 4 * i);
    if (made && shape_cache_take(cache, own, tbl, &shape, NULL) == 0) {
        const uint8_t *image = bytes + 1 + 4 * count, *end = bytes + len;
        size_t size = shape_walk(shape, NULL, image, end, NULL, NULL);
        struct tx tx = {.file = "b.1", .commit_us = 1};
        struct change chg = {.op = CHANGE_INSERT, .shape = shape, .tx = &tx, .key = "k", .key_len = 1};
        chg.db = "d";
        chg.table = "t";
        chg.after = (struct image){.bytes = image, .len = size == SIZE_MAX ? (size_t)(end - image) : size};
        write_both(&chg, cache, &arena);
    } else {
        arena_release(own);
        free(own);
    }
    shape_cache_free(cache);
    arena_release(&arena);
    return 0;
}
