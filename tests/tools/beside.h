/* Jobs that mostly wait, beside each other. */
#ifndef SLUICE_TESTS_TOOLS_BESIDE_H
#define SLUICE_TESTS_TOOLS_BESIDE_H

#include <stddef.h>

/* Calls job(ctx, i) for each i below count, on so many threads; returns when all have. */
void beside(void (*job)(void *ctx, size_t i), void *ctx, size_t count, unsigned threads);

#endif
