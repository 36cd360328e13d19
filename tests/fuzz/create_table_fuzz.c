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

static void check_key(const struct create_key *key, unsigned limit)
{
    check_indexes(key->columns, key->column_count, limit);
    for (unsigned i = 1; i < key->column_count; i++)
        for (unsigned k = 0; k < i; k++)
            if (key->columns[i] == key->columns[k])
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
            check_key(def.primary, def.column_count);
        for (unsigned i = 0; i < def.unique_count; i++)
            check_key(&def.unique[i], def.column_count);
        for (unsigned i = 0; i < def.foreign_count; i++)
            check_indexes(def.foreign[i].columns, def.foreign[i].column_count, def.column_count);
    }
    arena_release(&arena);
    return 0;
}
