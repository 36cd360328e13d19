/* Any bytes as the definition of a table: an answer whose indexes are inside its lists. The first byte is the flavour.
 */
#include <stdlib.h>

#include "schema/create_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_indexes(const uint16_t *columns, unsigned count, unsigned limit)
{
    for (unsigned i = 0; i < count; i++)
        if (columns[i] >= limit)
            abort();
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
    struct create_table def;
    struct arena arena;
    arena_init(&arena, 4096, 0, 1 << 24);
    if (create_table_parse(&def, &stmt, &arena, NULL) == 0) {
        if (def.column_count == 0)
            abort();
        if (def.primary)
            check_indexes(def.primary->columns, def.primary->column_count, def.column_count);
        for (unsigned i = 0; i < def.unique_count; i++)
            check_indexes(def.unique[i].columns, def.unique[i].column_count, def.column_count);
        for (unsigned i = 0; i < def.foreign_count; i++)
            check_indexes(def.foreign[i].columns, def.foreign[i].column_count, def.column_count);
    }
    arena_release(&arena);
    return 0;
}
