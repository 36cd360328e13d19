/* A file of definitions, followed in a history of its own and then taken over. */
#include "schema/import.h"

#include <stdlib.h>
#include <string.h>

#include "schema/follow.h"

#define SCRATCH_KEEP ((size_t)1 << 20)

/* The place of a statement is its number: only their order counts here. */
static struct history_where place_of(size_t number)
{
    return (struct history_where){.server_uuid = "file", .at = {.file = "file.000001", .pos = number}};
}

static int follow_statement(struct schema *schema, const struct schema_import *import, const struct ddl_statement *stmt,
                            size_t number, struct arena *arena, struct err *e)
{
    struct ddl ddl;
    struct schema_followed followed = {0};
    int rc = ddl_classify(&ddl, stmt, arena, e);
    if (rc != 0)
        return rc;
    /* Before the file there is no database. */
    bool makes_database = ddl.count && ddl.actions[0].kind == DDL_DATABASE_CREATE;
    struct schema_statement st = {
        .stmt = stmt, .ddl = &ddl, .where = place_of(number), .explicit_timestamps = true, .ddl_xid = makes_database};
    return schema_follow(schema, &st, import->interest, arena, &followed, e);
}

static int follow_all(struct schema *schema, const struct schema_import *import, struct err *e)
{
    struct ddl_script *script;
    struct arena arena;
    size_t number = 0;
    int rc = ddl_script_new(&script, &import->script, e);
    if (rc != 0)
        return rc;
    arena_init(&arena, 65536, SCRATCH_KEEP, 0);
    for (;;) {
        struct ddl_statement stmt;
        rc = ddl_script_next(script, &stmt, e);
        if (rc <= 0)
            break;
        rc = follow_statement(schema, import, &stmt, ++number, &arena, e);
        if (rc != 0) {
            rc = ddl_script_wrap(script, e);
            break;
        }
        arena_reset(&arena);
    }
    arena_release(&arena);
    ddl_script_free(script);
    return rc;
}

static void name_unknown(struct schema_imported *out, const struct history_table *table,
                         const struct history_version *version)
{
    if (out->unknown++ > 0)
        return;
    snprintf(out->unknown_name, sizeof out->unknown_name, "%s.%s", table->db, table->table);
    snprintf(out->why, sizeof out->why, "%s", version->text ? version->text : "");
}

/* Whether the newest version of a table is taken over, as a change. */
static bool take(struct history *scratch, size_t index, struct schema_imported *out, struct history_change *change)
{
    struct history_table table;
    (void)history_table(scratch, index, &table);
    const struct history_version *version = history_version(scratch, index, table.versions - 1);
    if (table.candidate || version->kind == HISTORY_GONE)
        return false;
    if (version->kind == HISTORY_UNKNOWN) {
        name_unknown(out, &table, version);
        return false;
    }
    *change = (struct history_change){
        .db = table.db, .table = table.table, .kind = HISTORY_DEFINED, .text = version->text, .len = version->len};
    if (table.table[0])
        out->tables++;
    return true;
}

static int take_over(struct history *history, const struct schema_import *import, struct history *scratch,
                     struct schema_imported *out, struct err *e)
{
    struct history_table table;
    struct schema_imported found = {0};
    size_t count = 0, taken = 0;
    while (history_table(scratch, count, &table))
        count++;
    struct history_change *changes = calloc(count + 1, sizeof *changes);
    if (!changes)
        return err_set(e, NO_MEMORY, count * sizeof *changes);
    for (size_t i = 0; i < count; i++)
        taken += take(scratch, i, &found, &changes[taken]);
    int rc =
        found.tables || found.unknown
            ? history_put(history, import->place, HISTORY_IMPORT, NULL, changes, taken, e)
            : err_set(e, SQL_FILE, import->script.name, (size_t)1, "no definition of a wanted table is in the file");
    free(changes);
    if (rc == 0)
        *out = found;
    return rc;
}

int schema_import(struct history *history, const struct schema_import *import, struct schema_imported *out,
                  struct err *e)
{
    struct schema *schema = NULL;
    int rc = schema_new(&schema, NULL, e);
    if (rc == 0)
        rc = follow_all(schema, import, e);
    if (rc == 0)
        rc = take_over(history, import, schema_history(schema), out, e);
    schema_free(schema);
    return rc;
}
