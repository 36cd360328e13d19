/* The version of a change: epoch.sequence.row, equal on every replay, compared as bytes in its text form. Plain data,
 * core.
 *
 * Text: 8, 16 and 16 lower-case hex digits with dots, VERSION_TEXT_LEN characters. row = ordinal of the ROWS event in
 * its transaction, all tables counted, from 0 (8 digits) · row in the event, from 0 (7) · half (1: 0, or 1 for TO). All
 * ones in `row` = the state after the transaction. */
#ifndef SLUICE_POSITION_VERSION_H
#define SLUICE_POSITION_VERSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define VERSION_TEXT_LEN          42
#define VERSION_ROWS_IN_EVENT_MAX ((1u << 28) - 1)

struct version {
    uint32_t epoch;
    uint64_t sequence;
    uint64_t row;
};

static inline uint64_t version_row(uint32_t event_ordinal, uint32_t row_in_event, unsigned half)
{
    return (uint64_t)event_ordinal << 32 | (uint64_t)row_in_event << 4 | half;
}

static inline uint32_t version_row_of_event(uint64_t row)
{
    return (uint32_t)(row >> 4) & VERSION_ROWS_IN_EVENT_MAX;
}

/* Writes VERSION_TEXT_LEN characters, no NUL. */
void version_print(const struct version *v, char out[VERSION_TEXT_LEN]);

/* Errors: CORRUPT. */
int version_parse(struct version *out, const char *text, size_t len, struct err *e);

/* <0, 0, >0, as memcmp of the texts. */
int version_compare(const struct version *a, const struct version *b);

#endif
