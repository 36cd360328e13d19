/* Any bytes as a definition and a statement on it, with a NUL between them: a definition whose indexes are inside its
 * lists, which can be printed, read again and altered again. The first byte is the flavour. */
#include <stdlib.h>
#include <string.h>

#include "schema/alter_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_keys(const struct create_table *def)
{
    for (unsigned i = 0; i < def->key_count; i++) {
        const struct create_key *key = &def->keys[i];
        if (key->part_count == 0 || !key->name.p)
            abort();
        for (unsigned k = 0; k < key->part_count; k++)
            if (key->parts[k].column != CREATE_NO_COLUMN && key->parts[k].column >= def->column_count)
                abort();
    }
    for (unsigned i = 0; i < def->foreign_count; i++)
        for (unsigned k = 0; k < def->foreign[i].column_count; k++)
            if (def->foreign[i].columns[k] >= def->column_count)
                abort();
    if (def->primary && def->primary->kind != CREATE_PRIMARY)
        abort();
}

/* The text that the history keeps means the same. */
static void check_text(const struct create_table *def, const struct ddl_mode *mode, struct arena *arena)
{
    struct buf text;
    struct create_table again;
    buf_init(&text, 1 << 22);
    if (create_table_print(def, &text, NULL) == 0) {
        struct ddl_statement stmt = {.sql = (const char *)text.p, .len = text.len, .mode = *mode};
        stmt.mode.sql_mode = 0;
        int rc = create_table_parse(&again, &stmt, NULL, arena, NULL);
        if (rc != 0 && rc != -(int)ERR_NO_MEMORY)
            abort();
        if (rc == 0 && !create_table_equal(def, &again))
            abort();
    }
    buf_release(&text);
}

static void alter(const struct create_table *before, const struct ddl_statement *stmt, const struct create_context *ctx,
                  struct arena *arena)
{
    struct create_table after = {.column_count = 0}, twice;
    if (alter_table_apply(&after, before, stmt, ctx, arena, NULL) != 0)
        return;
    if (after.column_count == 0)
        abort();
    check_keys(&after);
    check_text(&after, &stmt->mode, arena);
    if (alter_table_apply(&twice, &after, stmt, ctx, arena, NULL) == 0)
        check_keys(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    const uint8_t *end = len ? memchr(bytes, '\0', len) : NULL;
    if (!end || end == bytes)
        return 0;
    struct ddl_statement stmt = {
        .sql = (const char *)bytes + 1,
        .len = (size_t)(end - bytes - 1),
        .db = "shop",
        .db_len = 4,
        .mode = {.flavor = bytes[0] & 1 ? FLAVOR_MARIADB : FLAVOR_MYSQL,
                 .server_version = bytes[0] & 1 ? 101119 : 90704,
                 .sql_mode = bytes[0] & 2 ? DDL_ANSI_QUOTES : 0},
    };
    const struct create_context ctx = {{"utf8mb4", 7}, {NULL, 0}, (bytes[0] & 4) != 0, {NULL, 0}};
    struct create_table before;
    struct arena arena;
    arena_init(&arena, 4096, 0, 1 << 24);
    if (create_table_parse(&before, &stmt, bytes[0] & 8 ? NULL : &ctx, &arena, NULL) == 0) {
        stmt.sql = (const char *)end + 1;
        stmt.len = len - (size_t)(end + 1 - bytes);
        alter(&before, &stmt, bytes[0] & 16 ? NULL : &ctx, &arena);
    }
    arena_release(&arena);
    return 0;
}
