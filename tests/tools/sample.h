/* Changes of one small table, made by hand, for tests that need no server: shop.orders (order_id INT, user_id INT
 * NULL). One thread. */
#ifndef SLUICE_TESTS_SAMPLE_H
#define SLUICE_TESTS_SAMPLE_H

#include "change/change.h"

#define SAMPLE_NULL   INT32_MIN       /* user_id is NULL */
#define SAMPLE_ABSENT (INT32_MIN + 1) /* user_id is not in the image */

struct sample;

/* The table under that name, as shape number `id`. Fails the test when it cannot. */
struct sample *sample_new(const char *db, const char *table, uint32_t id);
void sample_free(struct sample *sample);
const struct shape *sample_shape(const struct sample *sample);

/* One row image; the caller's. */
struct sample_image {
    uint8_t present[1];
    uint8_t bytes[9];
    struct image image;
};
void sample_image(struct sample_image *out, int32_t order_id, int32_t user_id);

/* A whole change with what it points to. Key text = the order_id of the after image (FROM and delete: of the before
 * image). */
struct sample_row {
    int32_t order_id, user_id;
};
struct sample_change {
    struct change chg;
    struct tx tx;
    struct sample_image before, after;
    char key[16];
};
void sample_change(struct sample_change *out, const struct sample *sample, enum change_op op,
                   const struct sample_row *before, const struct sample_row *after);

#endif
