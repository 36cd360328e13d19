/* Rowsets as lines of text, so that a source's whole output can be compared with a golden file. */
#ifndef SLUICE_TESTS_ROWSET_TEXT_H
#define SLUICE_TESTS_ROWSET_TEXT_H

#include "change/source.h"

/* Appends one line; rows follow it, one indented line each, decoded with the shape. */
void rowset_text(const struct rowset *rs, struct buf *out);

#endif
