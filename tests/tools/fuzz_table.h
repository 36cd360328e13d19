/* Any bytes as the columns of a table: for fuzz targets. */
#ifndef SLUICE_TESTS_FUZZ_TABLE_H
#define SLUICE_TESTS_FUZZ_TABLE_H

#include "change/table.h"

#define FUZZ_COLUMNS_MAX  8
#define FUZZ_COLUMN_BYTES 4 /* wire code, flags, two bytes of metadata */

/* The i-th column; false when the bytes are those of none. Borrows nothing. */
bool fuzz_column(struct column *column, unsigned i, const uint8_t spec[FUZZ_COLUMN_BYTES]);

#endif
