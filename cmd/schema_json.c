/* A version of a table's definition as one JSON object: the members are listed in docs/schema.md. */
#include "cmd/schema_print.h"

#include <inttypes.h>
#include <string.h>

#include "schema/create_table.h"
#include "value/value.h"

/* `"name":"text"`; bytes that are no UTF-8 cannot be in a history. */
static void member(struct buf *out, const char *name, const char *text, size_t len)
{
    buf_printf(out, ",\"%s\":", name);
    value_json_string(text, len, out);
}

static void member_text(struct buf *out, const char *name, const struct create_text *text)
{
    if (text->p)
        member(out, name, text->p, text->len);
}

static void member_bool(struct buf *out, const char *name, bool value)
{
    buf_printf(out, ",\"%s\":%s", name, value ? "true" : "false");
}

/* Written only where it holds. */
static void flag(struct buf *out, const char *name, bool value)
{
    if (value)
        member_bool(out, name, true);
}

static void print_labels(struct buf *out, const struct create_column *col)
{
    buf_text(out, ",\"labels\":[");
    for (unsigned i = 0; i < col->label_count; i++) {
        if (i)
            buf_byte(out, ',');
        value_json_string(col->labels[i].p, col->labels[i].len, out);
    }
    buf_byte(out, ']');
}

static void print_column(struct buf *out, const struct create_column *col)
{
    static const char *const generated[] = {NULL, "virtual", "stored", "row_start", "row_end"};
    buf_text(out, "{\"name\":");
    value_json_string(col->name.p, col->name.len, out);
    member_text(out, "type", &col->type);
    member_bool(out, "nullable", col->nullable);
    member_bool(out, "unsigned", col->is_unsigned);
    flag(out, "zerofill", col->zerofill);
    if (col->has_length)
        buf_printf(out, ",\"length\":%" PRIu32, col->length);
    if (col->has_decimals)
        buf_printf(out, ",\"decimals\":%" PRIu32, col->decimals);
    member_text(out, "charset", &col->charset);
    member_text(out, "collation", &col->collation);
    flag(out, "charset_unknown", col->charset_unknown);
    if (col->label_count)
        print_labels(out, col);
    if (generated[col->generated])
        member(out, "generated", generated[col->generated], strlen(generated[col->generated]));
    flag(out, "invisible", col->invisible);
    flag(out, "compressed", col->compressed);
    flag(out, "auto_increment", col->auto_increment);
    buf_byte(out, '}');
}

/* A part of a key: a column's name, or null for an expression. */
static void print_parts(struct buf *out, const struct create_table *def, const struct create_key *key)
{
    buf_text(out, ",\"columns\":[");
    for (unsigned i = 0; i < key->part_count; i++) {
        if (i)
            buf_byte(out, ',');
        uint16_t column = key->parts[i].column;
        if (column == CREATE_NO_COLUMN)
            buf_text(out, "null");
        else
            value_json_string(def->columns[column].name.p, def->columns[column].name.len, out);
    }
    buf_byte(out, ']');
}

static void print_key(struct buf *out, const struct create_table *def, const struct create_key *key)
{
    static const char *const kinds[] = {"primary", "unique", "index", "fulltext", "spatial", "vector"};
    buf_printf(out, "{\"kind\":\"%s\"", kinds[key->kind]);
    member_text(out, "name", &key->name);
    print_parts(out, def, key);
    flag(out, "partial", create_key_is_partial(key));
    buf_byte(out, '}');
}

static void print_definition(struct buf *out, const struct create_table *def)
{
    member_text(out, "charset", &def->charset);
    member_text(out, "collation", &def->collation);
    flag(out, "partitioned", def->partitioned);
    flag(out, "versioned", def->versioned);
    buf_text(out, ",\"columns\":[");
    for (unsigned i = 0; i < def->column_count; i++) {
        buf_text(out, i ? "," : "");
        print_column(out, &def->columns[i]);
    }
    buf_text(out, "],\"keys\":[");
    for (unsigned i = 0; i < def->key_count; i++) {
        buf_text(out, i ? "," : "");
        print_key(out, def, &def->keys[i]);
    }
    buf_byte(out, ']');
}

static void print_place(struct buf *out, const struct history_version *version)
{
    const struct history_place *place = version->place;
    if (place->server_uuid[0])
        member(out, "server", place->server_uuid, strlen(place->server_uuid));
    if (place->file[0]) {
        member(out, "file", place->file, strlen(place->file));
        buf_printf(out, ",\"pos\":%" PRIu64, place->pos);
    }
    struct buf gtids;
    buf_init(&gtids, 0);
    if (schema_print_gtids(place, &gtids))
        member(out, "gtid", (const char *)gtids.p, gtids.len);
    buf_release(&gtids);
    if (version->window) {
        buf_text(out, ",\"window\":{\"file\":");
        value_json_string(version->window->file, strlen(version->window->file), out);
        buf_printf(out, ",\"pos\":%" PRIu64 "}", version->window->pos);
    }
}

/* A database's defaults: "CHARSET COLLATION". */
static void print_defaults(struct buf *out, const struct history_version *version)
{
    const char *blank = memchr(version->text, ' ', version->len);
    size_t len = blank ? (size_t)(blank - version->text) : version->len;
    member(out, "charset", version->text, len);
    size_t collation = blank ? strcspn(blank + 1, " ") : 0;
    if (collation > 0)
        member(out, "collation", blank + 1, collation);
}

int schema_print_json(const struct history_table *table, const struct history_version *version, struct buf *out,
                      struct err *e)
{
    buf_text(out, "{\"db\":");
    value_json_string(table->db, strlen(table->db), out);
    if (table->table[0])
        member(out, "table", table->table, strlen(table->table));
    buf_printf(out, ",\"kind\":\"%s\",\"origin\":\"%s\"", schema_kind_name(version->kind),
               schema_origin_name(version->origin));
    flag(out, "candidate", table->candidate);
    print_place(out, version);
    int rc = 0;
    if (version->kind == HISTORY_UNKNOWN)
        member(out, "reason", version->text, version->len);
    else if (version->kind == HISTORY_DEFINED && !table->table[0])
        print_defaults(out, version);
    else if (version->kind == HISTORY_DEFINED) {
        struct arena arena;
        struct create_table def;
        struct ddl_statement stmt = {
            .sql = version->text, .len = version->len, .db = table->db, .db_len = strlen(table->db)};
        arena_init(&arena, 16384, 0, 0);
        rc = create_table_parse(&def, &stmt, NULL, &arena, e);
        if (rc == 0) {
            print_definition(out, &def);
            member(out, "sql", version->text, version->len);
        }
        arena_release(&arena);
    }
    buf_text(out, "}\n");
    return rc;
}
