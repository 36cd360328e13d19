/* The runbook's skeleton: every row of errors.def as Markdown. docs/errors.md holds these lines with a hand-written
 * cause under each; tests/unit/err_reference_test.c keeps the two together. */
#ifndef SLUICE_BASE_ERR_REFERENCE_H
#define SLUICE_BASE_ERR_REFERENCE_H

#include <stdio.h>

#include "base/err.h"

/* One row: heading, class with exit code, the message with `…` for what it fills in, what to do. Ends with a newline.
 */
void err_print_row(FILE *out, enum err_code code);

/* All rows in the order of errors.def, an empty line between them. */
void err_print_reference(FILE *out);

#endif
