/* A definition's parts. Private to the definition*.c of this folder. */
#ifndef SLUICE_SCHEMA_DEFINITION_PRIVATE_H
#define SLUICE_SCHEMA_DEFINITION_PRIVATE_H

#include "schema/definition.h"

struct definition {
    struct arena arena;
    struct create_table create;
    struct table tbl;
    struct column *columns;
};

/* Columns that stand in the log behind those of the definition, in this order. */
struct hidden {
    unsigned history; /* row_start and row_end of a versioned table, or 0 */
    unsigned hashes;  /* of unique keys that are too long for an index; at most one for each key that says USING HASH */
};

/* False: there are too few columns in the log, or too many. */
bool definition_find_hidden(const struct create_table *create, unsigned in_log, struct hidden *out);

/* Whether a column of the log may be that of the definition, by its type. */
bool definition_fits(const struct coltype *type, const struct create_column *col);

/* definition_attach for columns that are known to be those of `create`. */
int definition_describe(const struct create_table *create, struct table *tbl, struct column *columns,
                        struct arena *arena, struct err *e);

#endif
