/* A version of a table's definition as SQL. */
#include "cmd/schema_print.h"

#include <inttypes.h>
#include <string.h>

const char *schema_kind_name(enum history_kind kind)
{
    static const char *const names[] = {"defined", "gone", "unknown"};
    return names[kind];
}

const char *schema_origin_name(enum history_origin origin)
{
    static const char *const names[] = {"snapshot", "log", "import"};
    return names[origin];
}

bool schema_print_gtids(const struct history_place *place, struct buf *out)
{
    if (place->gtids)
        gtid_set_print(place->gtids, out);
    else if (place->gtid.number) {
        char text[GTID_TEXT_MAX];
        gtid_print(&place->gtid, text);
        buf_text(out, text);
    }
    return out->len > 0;
}

static void print_name(struct buf *out, const char *name)
{
    buf_byte(out, '`');
    for (; *name; name++) {
        if (*name == '`')
            buf_byte(out, '`');
        buf_byte(out, (uint8_t)*name);
    }
    buf_byte(out, '`');
}

/* A comment ends with its line. */
static void print_plain(struct buf *out, const char *text)
{
    for (; *text; text++)
        buf_byte(out, (unsigned char)*text < ' ' ? ' ' : (uint8_t)*text);
}

static void print_place(const struct history_table *table, const struct history_version *version, struct buf *out)
{
    const struct history_place *place = version->place;
    struct buf gtids;
    buf_init(&gtids, 0);
    buf_text(out, "-- ");
    print_plain(out, table->db);
    if (table->table[0]) {
        buf_byte(out, '.');
        print_plain(out, table->table);
    }
    if (place->file[0])
        buf_printf(out, " from %s:%" PRIu64, place->file, place->pos);
    if (schema_print_gtids(place, &gtids))
        buf_printf(out, "%s gtid %.*s", place->file[0] ? "," : " from", (int)gtids.len, (const char *)gtids.p);
    if (!place->file[0] && gtids.len == 0)
        buf_text(out, " from the beginning");
    buf_printf(out, ", by %s", schema_origin_name(version->origin));
    if (version->kind != HISTORY_DEFINED)
        buf_printf(out, ": %s", schema_kind_name(version->kind));
    if (version->kind == HISTORY_UNKNOWN) {
        buf_text(out, ": ");
        print_plain(out, version->text);
    }
    buf_byte(out, '\n');
    buf_release(&gtids);
}

static void print_defaults(const struct history_table *table, const struct history_version *version, struct buf *out)
{
    const char *blank = memchr(version->text, ' ', version->len);
    size_t len = blank ? (size_t)(blank - version->text) : version->len;
    buf_text(out, "CREATE DATABASE IF NOT EXISTS ");
    print_name(out, table->db);
    buf_printf(out, " DEFAULT CHARACTER SET %.*s", (int)len, version->text);
    size_t collation = blank ? strcspn(blank + 1, " ") : 0;
    if (collation > 0)
        buf_printf(out, " COLLATE %.*s", (int)collation, blank + 1);
    buf_text(out, ";\n");
}

void schema_print_sql(const struct history_table *table, const struct history_version *version, const char *db,
                      struct buf *out)
{
    print_place(table, version, out);
    if (version->kind != HISTORY_DEFINED)
        return;
    if (!table->table[0]) {
        print_defaults(table, version, out);
        return;
    }
    if (strcmp(db, table->db) != 0) {
        buf_text(out, "USE ");
        print_name(out, table->db);
        buf_text(out, ";\n");
    }
    buf_add(out, version->text, version->len);
    buf_text(out, ";\n");
}
