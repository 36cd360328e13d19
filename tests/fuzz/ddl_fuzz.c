/* Any bytes as a statement: an answer, inside the bytes, with names that end. The first byte chooses how it is read. */
#include <stdlib.h>
#include <string.h>

#include "schema/ddl/ddl.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_name(const char *text, size_t len)
{
    if (text[len] != '\0')
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
        .db_len = bytes[0] & 1 ? 4 : 0,
        .mode = {.flavor = bytes[0] & 2 ? FLAVOR_MARIADB : FLAVOR_MYSQL,
                 .server_version = bytes[0] & 4 ? 101119 : 80036,
                 .sql_mode = (bytes[0] & 8 ? DDL_ANSI_QUOTES : 0) | (bytes[0] & 16 ? DDL_NO_BACKSLASH_ESCAPES : 0),
                 .charset = bytes[0] & 32   ? CHARSET_GBK
                            : bytes[0] & 64 ? CHARSET_SJIS
                                            : CHARSET_UTF8}};
    struct arena arena;
    struct ddl ddl;
    struct ddl_name table, ghost;
    arena_init(&arena, 4096, 0, 1 << 24);
    if (ddl_classify(&ddl, &stmt, &arena, NULL) == 0) {
        if (ddl.count == 0)
            abort();
        for (size_t i = 0; i < ddl.count; i++) {
            check_name(ddl.actions[i].table.db, ddl.actions[i].table.db_len);
            check_name(ddl.actions[i].table.table, ddl.actions[i].table.table_len);
            check_name(ddl.actions[i].to.table, ddl.actions[i].to.table_len);
        }
        (void)ddl_is_swap(&ddl, &table, &ghost);
    }
    (void)ddl_mentions(&stmt, "orders", 6);
    arena_release(&arena);
    return 0;
}
