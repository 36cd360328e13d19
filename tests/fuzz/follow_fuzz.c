/* Any bytes as statements of a log, with a NUL between them: what the history has of each table behind them can be
 * read, and reading them again changes nothing. The first byte chooses how they are read. */
#include <stdlib.h>
#include <string.h>

#include "schema/create_table.h"
#include "schema/definition.h"
#include "schema/follow.h"

#define STATEMENTS_MAX 32

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static bool wants(void *ctx, const char *db, const char *table)
{
    (void)ctx;
    return db[0] == 's' && table[0] != '_';
}

static bool wants_database(void *ctx, const char *db)
{
    (void)ctx;
    return db[0] != 'o';
}

static void follow(struct schema *schema, const struct ddl_statement *stmt, unsigned number)
{
    static const struct interest interest = {.wants = wants, .wants_database = wants_database};
    struct arena arena;
    struct ddl ddl;
    struct schema_followed followed;
    arena_init(&arena, 4096, 0, 1 << 24);
    if (ddl_classify(&ddl, stmt, &arena, NULL) == 0) {
        const struct schema_statement st = {
            .stmt = stmt,
            .ddl = &ddl,
            .where = {.server_uuid = "s", .at = {.file = "bin.000001", .pos = (number + 1) * (uint64_t)100}},
            .server_collation = 8,
            .explicit_timestamps = true,
            .ddl_xid = stmt->mode.flavor == FLAVOR_MYSQL};
        (void)schema_follow(schema, &st, &interest, &arena, &followed, NULL);
    }
    arena_release(&arena);
}

static size_t count_versions(struct history *history)
{
    struct history_table table;
    size_t count = 0;
    for (size_t i = 0; history_table(history, i, &table); i++)
        count += table.versions;
    return count;
}

static void check_texts(struct history *history)
{
    struct history_table table;
    const struct history_version *version;
    for (size_t i = 0; history_table(history, i, &table); i++)
        for (size_t n = 0; (version = history_version(history, i, n)) != NULL; n++) {
            struct ddl_statement stmt;
            struct create_table def;
            struct arena arena;
            if (version->kind != HISTORY_DEFINED || table.table[0] == '\0')
                continue;
            arena_init(&arena, 4096, 0, 1 << 26);
            definition_statement(&stmt, table.db, version->text, version->len);
            if (create_table_parse(&def, &stmt, NULL, &arena, NULL) != 0)
                abort();
            arena_release(&arena);
        }
}

static void follow_all(struct schema *schema, const uint8_t *bytes, size_t len)
{
    const char *at = (const char *)bytes + 1, *end = (const char *)bytes + len;
    for (unsigned n = 0; n < STATEMENTS_MAX && at < end; n++) {
        const char *stop = memchr(at, '\0', (size_t)(end - at));
        struct ddl_statement stmt = {
            .sql = at,
            .len = (size_t)((stop ? stop : end) - at),
            .db = "shop",
            .db_len = 4,
            .mode = {.flavor = bytes[0] & 1 ? FLAVOR_MARIADB : FLAVOR_MYSQL,
                     .server_version = bytes[0] & 1 ? 101119 : 90704,
                     .sql_mode = bytes[0] & 2 ? DDL_ANSI_QUOTES : 0},
        };
        follow(schema, &stmt, n);
        at += stmt.len + 1;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct history *history;
    struct schema *schema;
    if (len == 0)
        return 0;
    if (history_open(&history, NULL, NULL, NULL) != 0 || schema_new_upon(&schema, history, NULL, NULL) != 0)
        abort();
    follow_all(schema, bytes, len);
    check_texts(history);
    size_t versions = count_versions(history);
    follow_all(schema, bytes, len);
    if (count_versions(history) != versions)
        abort();
    schema_free(schema);
    history_free(history);
    return 0;
}
