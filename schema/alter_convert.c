/* CONVERT TO CHARACTER SET: all text of the table, also columns that the same statement writes with another set. A TEXT
 * that was there becomes the type that holds as many characters as before for certain: its bytes by the longest
 * character of the old set, times that of the new one. On MySQL so does a TEXT or BLOB that the statement writes for a
 * column that was there, whatever that was, but for one with a length, LONGTEXT and LONGBLOB. Source:
 * Create_field(Field *) of sql/field.cc and prepare_blob_field of sql/sql_table.cc. */
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

static bool needs_charset(struct alter *al)
{
    return create_fail(&al->cp, "CONVERT TO of a TEXT column whose character set is not known");
}

static const char *const blobs[SIZES] = {"tinyblob", "blob", "mediumblob", "longblob"};

/* Index of the smallest type that holds so many bytes; the largest for more. */
static size_t size_for(uint64_t bytes)
{
    size_t size = 0;
    while (size < SIZES - 1 && sizes[size].bytes < bytes)
        size++;
    return size;
}

/* The TEXT that holds so many characters of the new set. */
static void resize(const struct alter *al, struct create_column *col, uint64_t chars)
{
    size_t size = size_for(chars * alter_charset_width(&al->convert_charset));
    col->word = (struct create_text){sizes[size].word, strlen(sizes[size].word)};
}

static bool convert_text(struct alter *al, struct create_column *col, size_t was)
{
    if (was == SIZES - 1)
        return true;
    if (!col->charset.p || !al->convert_charset.p)
        return needs_charset(al);
    resize(al, col, sizes[was].bytes / alter_charset_width(&col->charset));
    return true;
}

/* Characters of the longest label of an ENUM; of all of a SET with the commas between them. */
static uint64_t label_chars(const struct create_column *col)
{
    uint64_t longest = 0, all = col->label_count ? col->label_count - 1 : 0;
    for (unsigned i = 0; i < col->label_count; i++) {
        uint64_t chars = 0;
        for (size_t at = 0; at < col->labels[i].len; at++)
            chars += (col->labels[i].p[at] & 0xC0) != 0x80;
        longest = chars > longest ? chars : longest;
        all += chars;
    }
    return is(&col->word, "set") ? all : longest;
}

/* Characters that MySQL shows of a value at most. Types without a length show so few that the smallest TEXT of any
 * character set holds them. False when the character set is not known. */
static bool shown_chars(const struct create_column *col, uint64_t *out)
{
    static const char *const whole[] = {
        "json",       "geometry",        "point",        "linestring",         "polygon",
        "multipoint", "multilinestring", "multipolygon", "geometrycollection", "geomcollection"};
    *out = col->length;
    /* The server divides them by the width of a character, although they are none but characters. */
    if (is(&col->word, "varchar") || is(&col->word, "char")) {
        if (!col->charset.p)
            return false;
        *out /= alter_charset_width(&col->charset);
    }
    if (is(&col->word, "enum") || is(&col->word, "set"))
        *out = label_chars(col);
    else if (is(&col->word, "vector"))
        *out = (uint64_t)col->length * 4;
    else if (is(&col->word, "decimal"))
        *out += (uint64_t)!col->is_unsigned + (col->decimals > 0);
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        if (is(&col->word, whole[i]))
            *out = UINT32_MAX;
    for (size_t i = 0; i < SIZES; i++)
        if (is(&col->word, blobs[i]))
            *out = sizes[i].bytes;
        else if (is(&col->word, sizes[i].word)) {
            if (!col->charset.p)
                return false;
            *out = sizes[i].bytes / alter_charset_width(&col->charset);
            if (i == SIZES - 1)
                *out = UINT32_MAX;
        }
    return true;
}

/* A TEXT written for a column that was there; without a length, which would say how much it is to hold. */
static bool resize_written(struct alter *al, struct create_column *col, const struct create_column *was)
{
    uint64_t chars;
    bool resized = is(&col->word, "tinytext") || is(&col->word, "text") || is(&col->word, "mediumtext");
    if (!was || !resized || col->has_length || al->cp.ps.lx.mode.flavor != FLAVOR_MYSQL)
        return true;
    if (!al->convert_charset.p || !shown_chars(was, &chars))
        return needs_charset(al);
    resize(al, col, chars);
    return true;
}

/* The same of a BLOB, or of a TEXT of the character set binary, which will be one. */
static bool resize_bytes(struct alter *al, struct create_column *col, const struct create_column *was)
{
    uint64_t bytes;
    size_t size = 0;
    for (; size < SIZES - 1 && !is(&col->word, blobs[size]) && !is(&col->word, sizes[size].word); size++)
        ;
    if (!was || size == SIZES - 1 || col->has_length || al->cp.ps.lx.mode.flavor != FLAVOR_MYSQL)
        return true;
    if (!shown_chars(was, &bytes))
        return needs_charset(al);
    bool text = is(&col->word, sizes[size].word);
    size = size_for(bytes);
    const char *word = text ? sizes[size].word : blobs[size];
    col->word = (struct create_text){word, strlen(word)};
    return text || create_compose_type(&al->cp, col);
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
    if (!alter_convert_labels(al, col))
        return false;
    col->charset = al->convert_charset;
    col->collation = al->convert_collation;
    col->charset_unknown = !col->charset.p;
    return create_compose_type(&al->cp, col);
}

bool alter_convert_written(struct alter *al, struct create_column *col, const struct create_column *was)
{
    static const struct create_text binary = {"binary", 6};
    bool inherits = col->charset.p && col->charset.len == 0 && !col->collation.p;
    const struct create_text *own = inherits ? &al->after.charset : col->charset.p ? &col->charset : &col->collation;
    if (!own->p || create_same_name(own, &binary))
        return resize_bytes(al, col, was);
    col->charset = al->convert_charset;
    col->collation = al->convert_collation;
    /* BINARY is forgotten together with a set of the column's own. */
    col->binary &= inherits;
    if (col->binary)
        col->collation = (struct create_text){NULL, 0};
    return resize_written(al, col, was);
}
