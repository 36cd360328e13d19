/* Random documents in MySQL's binary JSON, from a seed. */
#ifndef SLUICE_TESTS_RANDOM_JSON_H
#define SLUICE_TESTS_RANDOM_JSON_H

#include "tools/random_row.h"

#define RANDOM_JSON_MAX 4096

/* Writes a document of at most RANDOM_JSON_MAX bytes to `out`; returns its bytes. Keys are in the server's order, all
 * kinds of values, small and large containers, `depth` of them in one another at most. */
size_t random_json(struct rng *rng, unsigned depth, uint8_t *out);

#endif
