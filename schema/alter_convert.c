/* CONVERT TO CHARACTER SET: all text of the table, also columns that the same statement writes with another set; TEXT
 * columns grow or shrink to the type that holds as many characters as before, in the smallest characters' terms of
 * the server: what the old type holds for certain. */
#include <stdio.h>
#include <string.h>

#include "schema/alter_impl.h"

static bool is(const struct create_text *text, const char *name)
{
    return text->p && strcmp(text->p, name) == 0;
}

/* Most bytes of a character; 0: not known. */
static unsigned width(const struct create_text *charset)
{
    static const struct {
        const char *name;
        unsigned bytes;
    } wide[] = {
        {"utf8mb4", 4}, {"utf8mb3", 3}, {"utf8", 3}, {"utf16", 4},   {"utf16le", 4}, {"utf32", 4},
        {"ucs2", 2},    {"gb18030", 4}, {"big5", 2}, {"gbk", 2},     {"gb2312", 2},  {"euckr", 2},
        {"sjis", 2},    {"cp932", 2},   {"ujis", 3}, {"eucjpms", 3},
    };
    for (size_t i = 0; i < sizeof wide / sizeof *wide && charset->p; i++)
        if (strcmp(wide[i].name, charset->p) == 0)
            return wide[i].bytes;
    return charset->p ? 1 : 0;
}

static bool set_type(struct alter *al, struct create_column *col, const char *word)
{
    col->word = (struct create_text){word, strlen(word)};
    col->type = col->word;
    if (!col->has_length)
        return true;
    char type[64];
    int len = snprintf(type, sizeof type, "%s(%u)", word, (unsigned)col->length);
    col->type = (struct create_text){arena_copy(al->cp.ps.arena, type, (size_t)len), (size_t)len};
    if (!col->type.p)
        al->cp.ps.rc = err_set(al->cp.ps.e, NO_MEMORY, (size_t)len);
    return col->type.p != NULL;
}

/* TEXT types by the bytes that they hold, and what they are as bytes. LONGTEXT stays. */
static const struct {
    const char *text, *blob;
    uint64_t bytes;
} sizes[] = {
    {"tinytext", "tinyblob", 255},
    {"text", "blob", 65535},
    {"mediumtext", "mediumblob", 16777215},
    {"longtext", "longblob", UINT32_MAX},
};
#define SIZES (sizeof sizes / sizeof sizes[0])

static size_t size_for(uint64_t bytes)
{
    size_t i = 0;
    while (i < SIZES - 1 && sizes[i].bytes < bytes)
        i++;
    return i;
}

/* `was`: the index of its type now. */
static bool convert_text(struct alter *al, struct create_column *col, size_t was, bool parsed)
{
    size_t size = was;
    if (!parsed && was < SIZES - 1) {
        unsigned from = width(&col->charset), to = width(&al->convert_charset);
        if (!from || !to)
            return create_fail(&al->cp, "CONVERT TO of a TEXT column whose character set is not known");
        size = size_for(sizes[was].bytes / from * to);
    }
    col->has_length = false;
    col->length = 0;
    return set_type(al, col, is(&al->convert_charset, "binary") ? sizes[size].blob : sizes[size].text);
}

/* A VARCHAR that a row cannot hold any more becomes a TEXT where the server's mode let the statement pass. */
static bool convert_string(struct alter *al, struct create_column *col)
{
    bool binary = is(&al->convert_charset, "binary"), varies = is(&col->word, "varchar");
    uint64_t bytes = (uint64_t)col->length * width(&al->convert_charset);
    if (varies && bytes > 65535) {
        col->has_length = false;
        return set_type(al, col, sizes[size_for(bytes)].text);
    }
    if (!binary)
        return true;
    return set_type(al, col, varies ? "varbinary" : "binary");
}

static bool convert_column(struct alter *al, struct create_column *col, bool parsed)
{
    bool unknown = col->charset_unknown;
    if ((!col->charset.p && !unknown) || is(&col->charset, "binary"))
        return true;
    size_t size = 0;
    while (size < SIZES && !is(&col->word, sizes[size].text))
        size++;
    if (size < SIZES && !convert_text(al, col, size, parsed))
        return false;
    if ((is(&col->word, "char") || is(&col->word, "varchar")) && !convert_string(al, col))
        return false;
    bool labelled = is(&col->word, "enum") || is(&col->word, "set");
    bool text = labelled || !is(&al->convert_charset, "binary");
    col->charset = text ? al->convert_charset : (struct create_text){NULL, 0};
    col->collation = text ? al->convert_collation : (struct create_text){NULL, 0};
    col->charset_unknown = !al->convert_charset.p && text;
    return true;
}

bool alter_convert(struct alter *al)
{
    const struct alter_column *columns = al->columns.items;
    struct create_column *items = al->cp.columns.items;
    for (unsigned i = 0; al->convert && i < al->cp.columns.count; i++)
        if (!convert_column(al, &items[i], columns[i].by != NULL))
            return false;
    return true;
}
