/* Types, signs, character sets and labels out of four bytes each. */
#include "tools/fuzz_table.h"

static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
static const struct label labels[] = {
    {"one", 3}, {"two \"", 5}, {"", 0}, {"\xc3\xa9", 2}, {"a label of more than 32 bytes here", 33}};

bool fuzz_column(struct column *column, unsigned i, const uint8_t spec[FUZZ_COLUMN_BYTES])
{
    static const uint16_t collations[] = {45, 63, 8, 11, 28, 0, 10, 12, 13, 35, 54, 60, 248};
    struct cursor metadata = cursor_over(spec + 2, 2);
    *column = (struct column){.name = names[i], .name_len = 1};
    if (coltype_init(&column->type, spec[0], &metadata, NULL) != 0)
        return false;
    column->type.sign_known = spec[1] & 1;
    column->type.is_unsigned = spec[1] & 2;
    column->type.collation = collations[spec[1] / 8 % (sizeof collations / sizeof collations[0])];
    column->type.charset = (uint8_t)charset_of_collation(column->type.collation, NULL);
    static const char *const words[] = {"", "uuid", "inet6", "inet4", "vector", "", "", ""};
    if (!coltype_declare(&column->type, words[spec[1] >> 5], spec[1] >> 5) && coltype_needs_scale(&column->type))
        return false;
    column->type.labels = spec[1] & 4 ? labels : NULL;
    column->type.label_count = spec[1] & 4 ? sizeof labels / sizeof labels[0] : 0;
    return true;
}
