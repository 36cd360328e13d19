/* CONVERT TO CHARACTER SET: all text of the table, also columns that the same statement writes with another set. A TEXT
 * that was there becomes the type that holds as many characters as before for certain: its bytes by the longest
 * character of the old set, times that of the new one. Source: Create_field(Field *) of sql/field.cc and
 * prepare_blob_field of sql/sql_table.cc. */
#include <string.h>

#include "schema/alter_impl.h"

static bool is(const struct create_text *text, const char *name)
{
    return text->p && strcmp(text->p, name) == 0;
}

unsigned alter_charset_width(const struct create_text *charset)
{
    const struct create_column one = {.charset = *charset, .length = 1};
    return (unsigned)create_max_bytes(&one);
}

/* TEXT types by the bytes that they hold. LONGTEXT stays. */
static const struct {
    const char *word;
    uint64_t bytes;
} sizes[] = {{"tinytext", 255}, {"text", 65535}, {"mediumtext", 16777215}, {"longtext", UINT32_MAX}};
#define SIZES (sizeof sizes / sizeof sizes[0])

static bool convert_text(struct alter *al, struct create_column *col, size_t was)
{
    if (was == SIZES - 1)
        return true;
    if (!col->charset.p || !al->convert_charset.p)
        return create_fail(&al->cp, "CONVERT TO of a TEXT column whose character set is not known");
    uint64_t bytes = sizes[was].bytes / alter_charset_width(&col->charset) * alter_charset_width(&al->convert_charset);
    size_t size = 0;
    while (size < SIZES - 1 && sizes[size].bytes < bytes)
        size++;
    col->word = (struct create_text){sizes[size].word, strlen(sizes[size].word)};
    return true;
}

bool alter_convert(struct alter *al, struct create_column *col)
{
    if ((!col->charset.p && !col->charset_unknown) || is(&col->charset, "binary"))
        return true;
    for (size_t i = 0; i < SIZES; i++)
        if (is(&col->word, sizes[i].word)) {
            if (!convert_text(al, col, i))
                return false;
            break;
        }
    col->charset = al->convert_charset;
    col->collation = al->convert_collation;
    col->charset_unknown = !col->charset.p;
    return create_compose_type(&al->cp, col);
}

void alter_convert_written(const struct alter *al, struct create_column *col)
{
    static const struct create_text binary = {"binary", 6};
    bool inherits = col->charset.p && col->charset.len == 0 && !col->collation.p;
    const struct create_text *own = inherits ? &al->after.charset : col->charset.p ? &col->charset : &col->collation;
    if (!own->p || create_same_name(own, &binary))
        return;
    col->charset = al->convert_charset;
    col->collation = al->convert_collation;
    if (al->cp.ps.lx.mode.flavor == FLAVOR_MARIADB)
        col->binary = false;
    else if (col->binary)
        col->collation = (struct create_text){NULL, 0};
}
