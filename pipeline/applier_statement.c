/* Statements in a foreign topic: which discard rows of routed tables. */
#include <string.h>

#include "pipeline/applier_input.h"
#include "schema/ddl/ddl.h"

#define STATEMENT_SHOWN 200

int applier_truncated(const struct routes *routes, const char *db, const char *table, const char *statement,
                      struct err *e)
{
    const struct route *list;
    unsigned count = routes_list(routes, &list);
    for (unsigned i = 0; i < count; i++)
        if (route_matches(&list[i], db, table) && list[i].on_truncate != ON_TRUNCATE_IGNORE)
            return err_set(e, TRUNCATE_STOP, db, table, statement);
    return 0;
}

/* The statement's text for messages. */
static const char *shown(const struct input *in, char out[STATEMENT_SHOWN + 1])
{
    size_t len = in->text_len < STATEMENT_SHOWN ? in->text_len : STATEMENT_SHOWN;
    memcpy(out, in->text, len);
    out[len] = '\0';
    return out;
}

/* All tables of a database are gone. */
static int database_gone(const struct routes *routes, const char *db, const struct input *in, struct err *e)
{
    char text[STATEMENT_SHOWN + 1];
    const struct route *list;
    unsigned count = routes_list(routes, &list);
    for (unsigned i = 0; i < count; i++) {
        struct route any = list[i];
        any.table = "*";
        if (route_matches(&any, db, "") && list[i].on_truncate != ON_TRUNCATE_IGNORE)
            return err_set(e, TRUNCATE_STOP, db, list[i].table, shown(in, text));
    }
    return 0;
}

/* A statement whose effect is not known, or of rows: stops when a routed table may be meant. */
static int unknown(const struct routes *routes, const struct ddl_statement *stmt, const struct input *in, bool of_rows,
                   struct err *e)
{
    char text[STATEMENT_SHOWN + 1];
    const struct route *list;
    unsigned count = routes_list(routes, &list);
    for (unsigned i = 0; i < count; i++) {
        struct route any = list[i];
        any.table = "*";
        bool may_be = route_matches(&list[i], in->db, in->table) ||
                      (route_is_exact(&list[i]) ? ddl_mentions(stmt, list[i].table, strlen(list[i].table))
                                                : route_matches(&any, in->db, ""));
        if (may_be && of_rows)
            return err_set(e, STATEMENT_DML, shown(in, text));
        if (may_be)
            return err_set(e, DDL_UNKNOWN, list[i].db, list[i].table, shown(in, text));
    }
    return 0;
}

static int follow(const struct routes *routes, const struct ddl_action *action, const struct ddl_statement *stmt,
                  const struct input *in, struct err *e)
{
    char text[STATEMENT_SHOWN + 1];
    int rc;
    switch (action->kind) {
    case DDL_RENAME:
        rc = applier_truncated(routes, action->table.db, action->table.table, shown(in, text), e);
        return rc == 0 ? applier_truncated(routes, action->to.db, action->to.table, text, e) : rc;
    case DDL_DROP:
    case DDL_TRUNCATE:
    case DDL_DISCARD:
        return applier_truncated(routes, action->table.db, action->table.table, shown(in, text), e);
    case DDL_DATABASE_DROP:
        return database_gone(routes, action->table.db, in, e);
    case DDL_DML:
    case DDL_UNKNOWN:
        return unknown(routes, stmt, in, action->kind == DDL_DML, e);
    default:
        return 0;
    }
}

int applier_statement(const struct routes *routes, const struct input *in, struct arena *arena, struct err *e)
{
    struct ddl_statement stmt = {.sql = in->text,
                                 .len = in->text_len,
                                 .db = in->db,
                                 .db_len = strlen(in->db),
                                 .mode = {.charset = CHARSET_UTF8}};
    struct ddl_name table, ghost;
    struct ddl ddl;
    if (in->kind == INPUT_UNLOGGED)
        return unknown(routes, &stmt, in, true, e);
    int rc = ddl_classify(&ddl, &stmt, arena, e);
    if (rc != 0 || ddl_is_swap(&ddl, &table, &ghost))
        return rc;
    for (size_t i = 0; rc == 0 && i < ddl.count; i++)
        rc = follow(routes, &ddl.actions[i], &stmt, in, e);
    return rc;
}
