/* A definition as text. */
#include <string.h>

#include "schema/create_table_impl.h"

static void print_name(struct buf *out, const char *p, size_t len)
{
    const struct create_text name = {p, len};
    create_quote(out, &name, '`');
}

static void print_charset(const struct create_column *col, struct buf *out)
{
    if (col->charset_unknown)
        buf_text(out, " CHARACTER SET unknown");
    if (!col->charset.p)
        return;
    buf_text(out, " CHARACTER SET ");
    buf_add(out, col->charset.p, col->charset.len);
    if (!col->collation.p)
        return;
    buf_text(out, " COLLATE ");
    buf_add(out, col->collation.p, col->collation.len);
}

static void print_type(const struct create_column *col, struct buf *out)
{
    if (!col->labels) {
        buf_add(out, col->type.p, col->type.len);
        return;
    }
    buf_add(out, col->word.p, col->word.len);
    for (unsigned i = 0; i < col->label_count; i++) {
        buf_byte(out, i ? ',' : '(');
        create_quote(out, &col->labels[i], '\'');
    }
    buf_byte(out, ')');
}

static void print_generated(const struct create_column *col, struct buf *out)
{
    switch (col->generated) {
    case CREATE_PLAIN:
        return;
    case CREATE_ROW_START:
        buf_text(out, " GENERATED ALWAYS AS ROW START");
        return;
    case CREATE_ROW_END:
        buf_text(out, " GENERATED ALWAYS AS ROW END");
        return;
    case CREATE_VIRTUAL:
    case CREATE_STORED:
        buf_text(out, " GENERATED ALWAYS AS (");
        buf_add(out, col->expression.p, col->expression.len);
        buf_text(out, col->generated == CREATE_STORED ? ") STORED" : ") VIRTUAL");
    }
}

static void print_opaque(struct buf *out, const char *before, const struct create_text *text)
{
    if (!text->p)
        return;
    buf_text(out, before);
    buf_add(out, text->p, text->len);
}

static void print_column(const struct create_column *col, struct buf *out)
{
    print_name(out, col->name.p, col->name.len);
    buf_byte(out, ' ');
    print_type(col, out);
    buf_text(out, col->compressed ? " COMPRESSED" : "");
    print_charset(col, out);
    print_generated(col, out);
    buf_text(out, !col->nullable ? " NOT NULL" : col->null_written ? " NULL" : "");
    buf_text(out, col->auto_increment ? " AUTO_INCREMENT" : "");
    print_opaque(out, " DEFAULT ", &col->initial);
    print_opaque(out, " ON UPDATE ", &col->on_update);
    buf_text(out, col->invisible ? " INVISIBLE" : "");
    if (!col->json)
        return;
    buf_text(out, " CHECK (json_valid(");
    print_name(out, col->name.p, col->name.len);
    buf_text(out, "))");
}

static void print_part(const struct create_table *def, const struct create_key_part *part, struct buf *out)
{
    if (part->column != CREATE_NO_COLUMN) {
        print_name(out, def->columns[part->column].name.p, def->columns[part->column].name.len);
        if (part->prefix)
            buf_printf(out, "(%u)", part->prefix);
    } else if (part->period) {
        print_name(out, part->text.p, part->text.len);
        buf_text(out, " WITHOUT OVERLAPS");
    } else {
        buf_byte(out, '(');
        buf_add(out, part->text.p, part->text.len);
        buf_byte(out, ')');
    }
}

static void print_key(const struct create_table *def, const struct create_key *key, struct buf *out)
{
    static const char *const kinds[] = {"PRIMARY", "UNIQUE", "", "FULLTEXT", "SPATIAL", "VECTOR"};
    buf_text(out, kinds[key->kind]);
    buf_text(out, key->kind != CREATE_INDEX ? " KEY " : key->implicit ? "INDEX " : "KEY ");
    if (key->kind != CREATE_PRIMARY) {
        print_name(out, key->name.p, key->name.len);
        buf_byte(out, ' ');
    }
    for (unsigned i = 0; i < key->part_count; i++) {
        buf_byte(out, i ? ',' : '(');
        print_part(def, &key->parts[i], out);
    }
    buf_text(out, key->hashed ? ") USING HASH" : ")");
}

static void print_rule(struct buf *out, const char *when, enum create_rule rule)
{
    static const char *const rules[] = {"", "NO ACTION", "CASCADE", "SET NULL", "SET DEFAULT"};
    if (rule == CREATE_RESTRICT)
        return;
    buf_text(out, when);
    buf_text(out, rules[rule]);
}

static void print_foreign(const struct create_table *def, const struct create_foreign_key *fk, struct buf *out)
{
    if (fk->name.p) {
        buf_text(out, "CONSTRAINT ");
        print_name(out, fk->name.p, fk->name.len);
        buf_byte(out, ' ');
    }
    buf_text(out, "FOREIGN KEY (");
    for (unsigned i = 0; i < fk->column_count; i++) {
        buf_text(out, i ? "," : "");
        print_name(out, def->columns[fk->columns[i]].name.p, def->columns[fk->columns[i]].name.len);
    }
    buf_text(out, ") REFERENCES ");
    if (fk->parent.db_len) {
        print_name(out, fk->parent.db, fk->parent.db_len);
        buf_byte(out, '.');
    }
    print_name(out, fk->parent.table, fk->parent.table_len);
    for (unsigned i = 0; i < fk->parent_column_count; i++) {
        buf_text(out, i ? "," : " (");
        print_name(out, fk->parent_columns[i].p, fk->parent_columns[i].len);
    }
    buf_text(out, fk->parent_column_count ? ")" : "");
    print_rule(out, " ON DELETE ", fk->on_delete);
    print_rule(out, " ON UPDATE ", fk->on_update);
}

/* The table's own character set may have a query's default collation only: then it is left out. */
static void print_options(const struct create_table *def, struct buf *out)
{
    buf_text(out, def->plain ? " ENGINE=MyISAM" : "");
    if (def->charset.p) {
        buf_text(out, " DEFAULT CHARSET=");
        buf_add(out, def->charset.p, def->charset.len);
    }
    if (def->collation.p) {
        buf_text(out, " COLLATE=");
        buf_add(out, def->collation.p, def->collation.len);
    }
    buf_text(out, def->versioned ? " WITH SYSTEM VERSIONING" : "");
    buf_text(out, def->partitioned ? " PARTITION BY KEY ()" : "");
}

int create_table_print(const struct create_table *def, struct buf *out, struct err *e)
{
    buf_text(out, "CREATE TABLE ");
    if (def->name.db_len) {
        print_name(out, def->name.db, def->name.db_len);
        buf_byte(out, '.');
    }
    print_name(out, def->name.table, def->name.table_len);
    for (unsigned i = 0; i < def->column_count; i++) {
        buf_text(out, i ? ",\n  " : " (\n  ");
        print_column(&def->columns[i], out);
    }
    for (unsigned i = 0; i < def->key_count; i++) {
        buf_text(out, ",\n  ");
        print_key(def, &def->keys[i], out);
    }
    for (unsigned i = 0; i < def->foreign_count; i++) {
        buf_text(out, ",\n  ");
        print_foreign(def, &def->foreign[i], out);
    }
    buf_text(out, "\n)");
    print_options(def, out);
    return out->failed ? err_set(e, NO_MEMORY, out->len) : 0;
}
