/* Maxwell's row JSON: one record for each row, as Maxwell 1.45 writes it. The rules and their sources:
 * docs/peers/maxwell.md. */
#include "change/maxwell/maxwell.h"

#include <stdlib.h>

#include "change/maxwell/parts.h"

/* ---------------------------------------------------------------- options */

static const struct option_name naming_names[] = {
    {"none", MAXWELL_NAMES_PLAIN}, {"underscore_to_camelcase", MAXWELL_NAMES_CAMELCASE}, {NULL, 0}};
static const struct option_name key_names[] = {{"hash", MAXWELL_KEY_HASH}, {"array", MAXWELL_KEY_ARRAY}, {NULL, 0}};

#define FLAG(key, field, given, words)                                                                                 \
    {                                                                                                                  \
        .name = (key), .type = OPTION_BOOL, .offset = offsetof(struct maxwell_options, field), .text = (given),        \
        .help = (words)                                                                                                \
    }

static const struct option maxwell_options[] = {
    FLAG("output_commit_info", commit_info, "true",
         "xid, and commit on the last row of a transaction, xoffset on the others."),
    FLAG("output_xoffset", xoffset, "true", "xoffset, the number of the row in its transaction, beside xid."),
    FLAG("output_binlog_position", binlog_position, "false", "position, as FILE:OFFSET."),
    FLAG("output_gtid_position", gtid_position, "false", "gtid; null on a server without GTIDs."),
    FLAG("output_server_id", server_id, "false", "server_id."),
    FLAG("output_thread_id", thread_id, "false", "thread_id, where the log tells it (not of MariaDB)."),
    FLAG("output_schema_id", schema_id, "false", "schema_id; always null, the number is one of Maxwell's own tables."),
    FLAG("output_push_timestamp", push_timestamp, "false", "push_ts, when the record was written, in seconds."),
    FLAG("output_row_query", row_query, "false", "query, the statement behind the row where the server logs it."),
    {.name = "row_query_max_length",
     .type = OPTION_UINT,
     .offset = offsetof(struct maxwell_options, row_query_max_length),
     .help = "Cuts query at so many UTF-16 units; 0: not at all."},
    FLAG("output_primary_keys", primary_keys, "false", "primary_key, the values of the primary key."),
    FLAG("output_primary_key_columns", primary_key_columns, "false", "primary_key_columns, the names of its columns."),
    FLAG("output_nulls", nulls, "true", "Columns that are NULL; false leaves them out."),
    FLAG("output_null_zerodates", null_zerodates, "false", "Dates that are zero, or have a part that is, as null."),
    {.name = "output_naming_strategy",
     .type = OPTION_ENUM,
     .offset = offsetof(struct maxwell_options, naming),
     .text = "none",
     .names = naming_names,
     .help = "underscore_to_camelcase writes user_id as userId, of columns and of the record's own fields."},
    {.name = "exclude_columns",
     .type = OPTION_LIST,
     .offset = offsetof(struct maxwell_options, exclude_columns),
     .help = "Columns that data and old leave out: names, or POSIX extended regular expressions as /…/, which match "
             "the whole name; several in one item are parted by commas."},
    {.name = "kafka_key_format",
     .type = OPTION_ENUM,
     .offset = offsetof(struct maxwell_options, key_format),
     .text = "hash",
     .names = key_names,
     .help = "The record's key: an object, or an array of database, table and columns."},
    FLAG("output_ddl", ddl, "false", "A record for each DDL statement too."),
    FLAG("ddl", ddl_alias, "false", "The same as output_ddl."),
    FLAG("output_exact_time", exact_time, "false",
         "TIME as the server shows it, with its sign and beyond a day; Maxwell itself cannot."),
    {.name = NULL},
};

static int maxwell_check(const void *opt, struct err *e)
{
    bool unused;
    return maxwell_is_excluded(opt, NULL, &unused, e);
}

static unsigned maxwell_needs(const void *opt)
{
    const struct maxwell_options *options = opt;
    return FORMAT_NEEDS_DEFINITIONS | (options->row_query ? FORMAT_NEEDS_QUERY : 0u) |
           (options->ddl || options->ddl_alias ? FORMAT_NEEDS_STATEMENTS : 0u);
}

static enum format_key maxwell_key(const void *opt)
{
    (void)opt;
    return FORMAT_KEY_TABLE_ROW;
}

/* ---------------------------------------------------------------- the format */

struct maxwell_format {
    struct format base;
    const struct maxwell_options *opt;
    struct arena arena;
};

#define ARENA_KEPT ((size_t)256 * 1024)

static int maxwell_open(struct format **out, const void *opt, struct err *e)
{
    struct maxwell_format *own = calloc(1, sizeof *own);
    if (!own)
        return err_set(e, NO_MEMORY, sizeof *own);
    own->base.ops = &format_maxwell;
    own->opt = opt;
    arena_init(&own->arena, 0, ARENA_KEPT, 0);
    *out = &own->base;
    return 0;
}

static void maxwell_close(struct format *format)
{
    struct maxwell_format *own = (struct maxwell_format *)format;
    if (!own)
        return;
    arena_release(&own->arena);
    free(own);
}

static int maxwell_add(struct format *format, const struct change *chg, const void *bind, size_t item,
                       struct record_list *out, struct err *e)
{
    struct maxwell_format *own = (struct maxwell_format *)format;
    if (chg->op == CHANGE_STATEMENT) {
        int rc = maxwell_statement(chg, own->opt, item, out, &own->arena, e);
        arena_reset(&own->arena);
        return rc;
    }
    if (chg->op > CHANGE_READ || (chg->flags & CHANGE_FROM) || !bind)
        return 0;
    if (!records_begin(out, RECORD_ROW, item))
        return err_set(e, NO_MEMORY, out->size * sizeof *out->list);
    int rc = maxwell_row(&own->arena, chg, bind, out, e);
    arena_reset(&own->arena);
    if (rc == 0)
        return 0;
    records_drop(out);
    err_wrap(e, "%s.%s", chg->db, chg->table);
    return rc;
}

const struct format_ops format_maxwell = {
    .name = "maxwell",
    .help = "The row JSON of Maxwell 1.45: one record for each row, with the columns that an update changed in old.",
    .options_size = sizeof(struct maxwell_options),
    .options = maxwell_options,
    .check = maxwell_check,
    .needs = maxwell_needs,
    .key = maxwell_key,
    .bind = maxwell_bind,
    .unbind = maxwell_unbind,
    .open = maxwell_open,
    .close = maxwell_close,
    .add = maxwell_add,
};
