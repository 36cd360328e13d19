/* Columns by name. */
#include "change/table.h"

#include <string.h>

static uint8_t lower(char c)
{
    return (uint8_t)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

static bool equal_ignoring_case(const char *a, const char *b, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (lower(a[i]) != lower(b[i]))
            return false;
    return true;
}

int table_find_column(const struct table *tbl, const char *name, size_t len)
{
    for (unsigned i = 0; i < tbl->column_count; i++)
        if (tbl->columns[i].name_len == len && memcmp(tbl->columns[i].name, name, len) == 0)
            return (int)i;
    for (unsigned i = 0; i < tbl->column_count; i++)
        if (tbl->columns[i].name_len == len && equal_ignoring_case(tbl->columns[i].name, name, len))
            return (int)i;
    return -1;
}
