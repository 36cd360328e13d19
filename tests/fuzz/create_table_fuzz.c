/* Any bytes as the definition of a table: an answer whose indexes are inside its lists. The first byte is the flavour
 * and the context; and what is printed of it is read again as the same. */
#include <stdlib.h>

#include "schema/create_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_indexes(const uint16_t *columns, unsigned count, unsigned limit)
{
    for (unsigned i = 0; i < count; i++)
        if (columns[i] >= limit)
            abort();
}

static void check_key(const struct create_key *key, unsigned limit)
{
    if (!key->name.p || key->part_count == 0)
        abort();
    for (unsigned i = 0; i < key->part_count; i++) {
        uint16_t column = key->parts[i].column;
        if (column == CREATE_NO_COLUMN ? !key->parts[i].text.p : column >= limit)
            abort();
        for (unsigned k = 0; k < i; k++)
            if (column == key->parts[k].column && column != CREATE_NO_COLUMN)
                abort();
    }
}

/* What is printed is read again as the same. */
static void check_print(const struct create_table *def, struct arena *arena)
{
    struct buf text;
    struct create_table again;
    buf_init(&text, (size_t)1 << 24);
    if (create_table_print(def, &text, NULL) == 0) {
        struct ddl_statement stmt = {.sql = (const char *)text.p, .len = text.len, .db = "shop", .db_len = 4};
        int rc = create_table_parse(&again, &stmt, NULL, arena, NULL);
        if (rc == 0 ? !create_table_equal(def, &again) : rc != -(int)ERR_NO_MEMORY)
            abort();
    }
    buf_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    if (len == 0)
        return 0;
    struct ddl_statement stmt = {
        .sql = (const char *)bytes + 1,
        .len = len - 1,
        .db = "shop",
        .db_len = 4,
        .mode = {.flavor = bytes[0] & 1 ? FLAVOR_MARIADB : FLAVOR_MYSQL,
                 .server_version = bytes[0] & 1 ? 101119 : 90704,
                 .sql_mode = bytes[0] & 2 ? DDL_ANSI_QUOTES : 0},
    };
    const struct create_context ctx = {.charset = {bytes[0] & 8 ? "latin1" : NULL, 6},
                                       .explicit_timestamps = bytes[0] & 16};
    struct create_table def;
    struct arena arena;
    arena_init(&arena, 4096, 0, 1 << 24);
    if (create_table_parse(&def, &stmt, bytes[0] & 4 ? &ctx : NULL, &arena, NULL) == 0) {
        if (def.column_count == 0)
            abort();
        for (unsigned i = 0; i < def.key_count; i++)
            check_key(&def.keys[i], def.column_count);
        for (unsigned i = 0; i < def.foreign_count; i++)
            check_indexes(def.foreign[i].columns, def.foreign[i].column_count, def.column_count);
        check_print(&def, &arena);
    }
    arena_release(&arena);
    return 0;
}
