/* Any bytes as the body of a TABLE_MAP event: an error, or a table whose names end, whose indexes are inside it, and
 * whose plan walks any row image. The first byte chooses the length of the table id and, for tables without names in
 * their metadata, a definition; the second is the length of a row image at the end of the input. */
#include <stdlib.h>
#include <string.h>

#include "binlog/event.h"
#include "change/source.h"
#include "schema/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#define MUST(condition)                                                                                                \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            abort();                                                                                                   \
    } while (0)

static int read_definition(void *ctx, const char *db, const char *table, struct buf *sql, struct schema_reading *out,
                           struct err *e)
{
    static const char text[] =
        "CREATE TABLE `t` (`a` int unsigned NOT NULL, `b` varchar(20) CHARACTER SET latin1, `c` enum('x','y'), "
        "`d` decimal(10,2), PRIMARY KEY (`b`,`a`)) DEFAULT CHARSET=utf8mb4";
    (void)ctx;
    (void)db;
    (void)table;
    (void)e;
    (void)out;
    buf_add(sql, text, sizeof text - 1);
    return 1;
}

static void check_column(const struct column *column)
{
    MUST(column->name && strlen(column->name) == column->name_len && value_is_utf8(column->name, column->name_len));
    MUST(column->type.labels || column->type.label_count == 0);
    for (uint32_t i = 0; i < column->type.label_count; i++)
        MUST(column->type.labels[i].text);
}

static void check_table(const struct table *tbl)
{
    MUST(tbl->column_count > 0 && tbl->column_count <= TABLE_COLUMNS_MAX && (tbl->pk || tbl->pk_count == 0));
    for (unsigned i = 0; i < tbl->column_count; i++)
        check_column(&tbl->columns[i]);
    for (unsigned i = 0; i < tbl->pk_count; i++) {
        MUST(tbl->pk[i] < tbl->column_count);
        for (unsigned k = 0; k < i; k++)
            MUST(tbl->pk[i] != tbl->pk[k]);
    }
}

/* Every column of the image: the walk finds what the codec reads. */
static void check_walk(const struct shape *shape, const uint8_t *image, size_t len)
{
    unsigned count = shape->tbl->column_count;
    uint16_t *index = malloc(count * sizeof *index);
    struct found *found = malloc(count * sizeof *found);
    struct value *values = malloc(count * sizeof *values);
    uint8_t *exact = malloc(len + 1);
    MUST(index && found && values && exact);
    memcpy(exact, image, len);
    for (unsigned i = 0; i < count; i++)
        index[i] = (uint16_t)i;
    const struct colset all = {index, count};
    size_t size = shape_walk(shape, NULL, exact, exact + len, &all, found);
    MUST(size == shape_walk(shape, NULL, exact, exact + len, NULL, NULL));
    struct arena arena;
    arena_init(&arena, 4096, 0, 1 << 22);
    const struct image whole = {.bytes = exact, .len = size == SIZE_MAX ? len : size};
    int rc = shape->codec->values(shape, &whole, NULL, NULL, values, &arena, NULL);
    MUST(rc != 0 || size != SIZE_MAX);
    for (unsigned i = 0; rc == 0 && i < count; i++)
        MUST((values[i].kind == VALUE_NULL) == (found[i].bytes == NULL));
    arena_release(&arena);
    free(index);
    free(found);
    free(values);
    free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    const struct schema_reader reader = {.read = read_definition};
    struct event_format format = {.post_header_count = 42};
    const struct history_where at = {.at = {.pos = 4}};
    struct wire_table wire;
    struct schema *schema;
    const struct shape *shape = NULL;
    struct err e = ERR_INIT;
    if (len < 2 || bytes[1] > len - 2)
        return 0;
    format.mariadb = bytes[0] & 4;
    memset(format.post_header_len, bytes[0] & 1 ? 6 : 8, sizeof format.post_header_len);
    size_t body_len = len - 2 - bytes[1];
    uint8_t *body = malloc(body_len + 1);
    MUST(body && schema_new(&schema, bytes[0] & 2 ? &reader : NULL, NULL) == 0);
    memcpy(body, bytes + 2, body_len);
    if (event_table_map_read(&wire, cursor_over(body, body_len), &format, &e) == 0) {
        int rc = schema_resolve(schema, &wire, &at, &shape, &e);
        MUST(rc == -(int)e.code);
        if (rc == 0) {
            check_table(shape->tbl);
            check_walk(shape, bytes + 2 + body_len, bytes[1]);
        }
    }
    schema_free(schema);
    free(body);
    return 0;
}
