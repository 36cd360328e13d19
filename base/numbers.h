/* A list of 64-bit numbers that grows. One thread. */
#ifndef SLUICE_BASE_NUMBERS_H
#define SLUICE_BASE_NUMBERS_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct numbers {
    uint64_t *list; /* zeroed: an empty one */
    size_t count, size;
};

/* Errors: NO_MEMORY. */
int numbers_add(struct numbers *numbers, uint64_t number, struct err *e);
void numbers_release(struct numbers *numbers); /* empty then */

void numbers_sort(struct numbers *numbers);
bool numbers_has(const struct numbers *sorted, uint64_t number);

#endif
