/* What a server makes of hand-written keys: prefixes as long as their columns, unique keys that are too long for an
 * index, and the end of the period in keys of versioned tables. */
#include <string.h>

#include "schema/create_table_impl.h"

/* InnoDB with pages of 16 KiB: bytes of one part, and of all. MyISAM: of all. Other engines refuse what is longer. */
#define PART_BYTES_MAX  3072
#define KEY_BYTES_MAX   3500
#define PLAIN_BYTES_MAX 1000
#define FIXED_BYTES     8
#define GEOMETRY_PREFIX 8

enum form { FORM_FIXED, FORM_STRING, FORM_BLOB, FORM_GEOMETRY };

static enum form form_of(const struct create_column *col)
{
    static const struct {
        const char *word;
        enum form form;
    } forms[] = {{"char", FORM_STRING},
                 {"varchar", FORM_STRING},
                 {"binary", FORM_STRING},
                 {"varbinary", FORM_STRING},
                 {"tinytext", FORM_BLOB},
                 {"text", FORM_BLOB},
                 {"mediumtext", FORM_BLOB},
                 {"longtext", FORM_BLOB},
                 {"tinyblob", FORM_BLOB},
                 {"blob", FORM_BLOB},
                 {"mediumblob", FORM_BLOB},
                 {"longblob", FORM_BLOB},
                 {"geometry", FORM_GEOMETRY},
                 {"linestring", FORM_GEOMETRY},
                 {"polygon", FORM_GEOMETRY},
                 {"multipoint", FORM_GEOMETRY},
                 {"multilinestring", FORM_GEOMETRY},
                 {"multipolygon", FORM_GEOMETRY},
                 {"geometrycollection", FORM_GEOMETRY}};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        if (strlen(forms[i].word) == col->word.len && memcmp(forms[i].word, col->word.p, col->word.len) == 0)
            return forms[i].form;
    return FORM_FIXED;
}

bool create_needs_hash(const struct create_column *columns, const struct create_key *key, bool plain)
{
    uint64_t total = 0, part_max = plain ? PLAIN_BYTES_MAX : PART_BYTES_MAX;
    for (unsigned i = 0; i < key->part_count; i++) {
        const struct create_key_part *part = &key->parts[i];
        if (part->column == CREATE_NO_COLUMN)
            continue;
        const struct create_column *col = &columns[part->column];
        enum form form = form_of(col);
        if (form >= FORM_BLOB && !part->prefix)
            return true;
        uint64_t bytes = form == FORM_STRING ? create_max_bytes(col) : FIXED_BYTES;
        if (part->prefix)
            bytes = part->prefix * (col->length ? create_max_bytes(col) / col->length : 1);
        if (bytes > part_max)
            return true;
        total += bytes;
    }
    return total > (plain ? PLAIN_BYTES_MAX : KEY_BYTES_MAX);
}

static void complete_key(struct create_parser *cp, struct create_key *key, struct create_key_part *parts)
{
    const struct create_column *columns = cp->columns.items;
    bool mariadb = cp->ps.stmt->mode.flavor == FLAVOR_MARIADB;
    for (unsigned i = 0; i < key->part_count; i++) {
        if (parts[i].column == CREATE_NO_COLUMN)
            continue;
        const struct create_column *col = &columns[parts[i].column];
        enum form form = form_of(col);
        /* Of what is no string only its whole length can stand there; a POINT is always shown with one. */
        bool whole = form == FORM_STRING ? parts[i].prefix >= col->length : form == FORM_FIXED;
        if ((whole && strcmp(col->word.p, "point") != 0) || key->kind == CREATE_FULLTEXT)
            parts[i].prefix = 0;
    }
    key->hashed &= mariadb || cp->plain;
    key->hashed |= mariadb && key->kind == CREATE_UNIQUE && create_needs_hash(columns, key, cp->plain);
    for (unsigned i = 0; i < key->part_count && mariadb && key->kind == CREATE_UNIQUE; i++)
        if (parts[i].column != CREATE_NO_COLUMN && form_of(&columns[parts[i].column]) == FORM_GEOMETRY &&
            !parts[i].prefix)
            parts[i].prefix = GEOMETRY_PREFIX;
}

/* The column that ends the period of a versioned table; CREATE_NO_COLUMN when none is written. */
static uint16_t row_end(const struct create_parser *cp)
{
    const struct create_column *columns = cp->columns.items;
    for (unsigned i = 0; i < cp->columns.count; i++)
        if (columns[i].generated == CREATE_ROW_END)
            return (uint16_t)i;
    return CREATE_NO_COLUMN;
}

static bool has_column(const struct create_key *key, uint16_t column)
{
    for (unsigned i = 0; i < key->part_count; i++)
        if (key->parts[i].column == column)
            return true;
    return false;
}

bool create_complete_keys(struct create_parser *cp)
{
    struct create_key *keys = cp->keys.items;
    uint16_t end = row_end(cp);
    for (unsigned i = 0; i < cp->keys.count; i++) {
        struct create_key *key = &keys[i];
        bool ended = end != CREATE_NO_COLUMN && key->kind <= CREATE_UNIQUE && !has_column(key, end);
        struct create_key_part *parts = create_allocate(cp, (key->part_count + 1) * sizeof *parts);
        if (!parts)
            return false;
        memcpy(parts, key->parts, key->part_count * sizeof *parts);
        if (ended)
            parts[key->part_count++] = (struct create_key_part){.column = end};
        key->parts = parts;
        complete_key(cp, key, parts);
    }
    return true;
}
