/* Whether two definitions mean the same. */
#include <string.h>

#include "schema/create_table_impl.h"
#include "value/types.h"

static bool same_bytes(const char *a, size_t a_len, const char *b, size_t b_len)
{
    return a_len == b_len && (a_len == 0 || memcmp(a, b, a_len) == 0);
}

static bool same_text(const struct create_text *a, const struct create_text *b)
{
    return a->p && b->p ? same_bytes(a->p, a->len, b->p, b->len) : a->p == b->p;
}

static bool same_table(const struct ddl_name *a, const struct ddl_name *b)
{
    return same_bytes(a->db, a->db_len, b->db, b->db_len) && same_bytes(a->table, a->table_len, b->table, b->table_len);
}

/* The id of the collation in effect; 0 when it is not listed. */
static unsigned collation_id(const struct create_text *charset, const struct create_text *collation)
{
    const struct create_text *name = collation->p ? collation : charset;
    return name->p ? charset_find_collation(name->p, name->len) : 0;
}

static bool same_charset(const struct create_text *a_set, const struct create_text *a, const struct create_text *b_set,
                         const struct create_text *b)
{
    unsigned id = collation_id(a_set, a);
    if (id)
        return id == collation_id(b_set, b);
    return same_text(a_set, b_set) && same_text(a, b);
}

static bool same_labels(const struct create_column *a, const struct create_column *b)
{
    if (a->label_count != b->label_count)
        return false;
    for (unsigned i = 0; i < a->label_count; i++)
        if (!same_text(&a->labels[i], &b->labels[i]))
            return false;
    return a->labels ? same_text(&a->word, &b->word) : same_text(&a->type, &b->type);
}

static bool same_column(const struct create_column *a, const struct create_column *b)
{
    return same_text(&a->name, &b->name) && same_labels(a, b) && a->nullable == b->nullable &&
           a->auto_increment == b->auto_increment && a->invisible == b->invisible && a->compressed == b->compressed &&
           a->generated == b->generated && a->charset_unknown == b->charset_unknown &&
           same_charset(&a->charset, &a->collation, &b->charset, &b->collation);
}

/* Prefixes of keys that are not unique mean nothing for rows, and the server cuts them by limits of its engines. */
static bool same_part(const struct create_key_part *a, const struct create_key_part *b, bool unique)
{
    return a->column == b->column && (a->prefix == b->prefix || !unique) && a->period == b->period &&
           (!a->period || same_text(&a->text, &b->text));
}

static bool same_key(const struct create_key *a, const struct create_key *b)
{
    if (a->kind != b->kind || !create_same_name(&a->name, &b->name) || a->part_count != b->part_count ||
        a->hashed != b->hashed)
        return false;
    for (unsigned i = 0; i < a->part_count; i++)
        if (!same_part(&a->parts[i], &b->parts[i], a->kind <= CREATE_UNIQUE))
            return false;
    return true;
}

static bool has_key(const struct create_table *def, const struct create_key *key)
{
    for (unsigned i = 0; i < def->key_count; i++)
        if (same_key(&def->keys[i], key))
            return true;
    return false;
}

/* Both refuse. */
static bool same_rule(enum create_rule a, enum create_rule b)
{
    return a == b || (a <= CREATE_NO_ACTION && b <= CREATE_NO_ACTION);
}

static bool same_foreign(const struct create_foreign_key *a, const struct create_foreign_key *b)
{
    return a->column_count == b->column_count && same_table(&a->parent, &b->parent) &&
           same_rule(a->on_delete, b->on_delete) && same_rule(a->on_update, b->on_update) &&
           memcmp(a->columns, b->columns, a->column_count * sizeof *a->columns) == 0 &&
           (!a->name.p || !b->name.p || create_same_name(&a->name, &b->name));
}

static bool has_foreign(const struct create_table *def, const struct create_foreign_key *fk)
{
    for (unsigned i = 0; i < def->foreign_count; i++)
        if (same_foreign(&def->foreign[i], fk))
            return true;
    return false;
}

/* Names of keys are unique in a table, so that counting and finding is enough. */
bool create_table_equal(const struct create_table *a, const struct create_table *b)
{
    if (!same_table(&a->name, &b->name) || a->column_count != b->column_count || a->key_count != b->key_count ||
        a->foreign_count != b->foreign_count || a->partitioned != b->partitioned || a->versioned != b->versioned ||
        !same_charset(&a->charset, &a->collation, &b->charset, &b->collation))
        return false;
    for (unsigned i = 0; i < a->column_count; i++)
        if (!same_column(&a->columns[i], &b->columns[i]))
            return false;
    for (unsigned i = 0; i < a->key_count; i++)
        if (!has_key(b, &a->keys[i]))
            return false;
    for (unsigned i = 0; i < a->foreign_count; i++)
        if (!has_foreign(b, &a->foreign[i]))
            return false;
    return true;
}
