/* Random tables of every type and random row images of them, from a seed: the same on every machine. */
#ifndef SLUICE_TESTS_RANDOM_ROW_H
#define SLUICE_TESTS_RANDOM_ROW_H

#include "change/change.h"

struct rng {
    uint64_t state;
};

uint64_t rng_next(struct rng *rng);

/* 0 … below - 1. */
uint32_t rng_below(struct rng *rng, uint32_t below);

/* A shape of 1 … 20 random columns, with a primary key in most cases. Owned by the cache. */
const struct shape *random_shape(struct rng *rng, struct shape_cache *cache);

/* Bytes that any image of random_shape fits in. */
#define RANDOM_IMAGE_MAX 131072

/* Writes an image of the columns of `present` (NULL = all) to `out`, RANDOM_IMAGE_MAX bytes. One value of `garbage` is
 * random bytes (0: all values are in range). */
struct image random_image(struct rng *rng, const struct shape *shape, const uint8_t *present, uint8_t *out,
                          unsigned garbage);

/* A random bitmap of the shape's columns. */
void random_present(struct rng *rng, const struct shape *shape, uint8_t *out);

/* A change of random op with random images in before_bytes and after_bytes (RANDOM_IMAGE_MAX each) and bitmaps in
 * before_present, after_present and after_partial (3 bytes each). Diffs of a partial update fit the document of the
 * before image. Key, tx and version are set; tx and key are borrowed. */
struct random_change {
    struct change chg;
    struct tx tx;
    char key[64];
    struct row_query query;
    uint8_t before_present[3], after_present[3], after_partial[3];
    uint8_t before_bytes[RANDOM_IMAGE_MAX], after_bytes[RANDOM_IMAGE_MAX];
};
void random_change(struct rng *rng, const struct shape *shape, struct random_change *out, unsigned garbage);

#endif
