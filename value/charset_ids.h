/* The tables of collation ids. Internal to value/; charset.c searches them. */
#ifndef SLUICE_VALUE_CHARSET_IDS_H
#define SLUICE_VALUE_CHARSET_IDS_H

#include "value/types.h"

struct charset_row {
    const char *name;
    enum charset charset;
    uint16_t default_collation;
};

struct collation_row {
    uint16_t id;
    const char *name;
};

extern const struct charset_row charset_rows[]; /* by name */
extern const size_t charset_row_count;
extern const struct collation_row collation_rows[]; /* by id */
extern const size_t collation_row_count;
extern const char *const uca1400_charsets[5];
extern const char *const uca1400_tailorings[32];

#endif
