/* Powers of ten for float.c. Internal to value/. */
#ifndef SLUICE_VALUE_POW10_H
#define SLUICE_VALUE_POW10_H

#include <stdint.h>

#define POW10_MIN (-292)
#define POW10_MAX 324

struct pow10 {
    uint64_t high, low;
};

extern const struct pow10 pow10_table[POW10_MAX - POW10_MIN + 1];

#endif
