/* MurmurHash2, 32 bits, with the seed of Kafka's Java producer (org.apache.kafka.common.utils.Utils.murmur2), so that a
 * key has the same partition here and there. By Austin Appleby, public domain. */
#include "partition/key.h"

#define SEED 0x9747b28cu
#define M    0x5bd1e995u

uint32_t murmur2(const void *bytes, size_t len)
{
    const uint8_t *p = bytes;
    uint32_t h = SEED ^ (uint32_t)len;
    for (; len >= 4; len -= 4, p += 4) {
        uint32_t k = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
        k *= M;
        k ^= k >> 24;
        k *= M;
        h = h * M ^ k;
    }
    if (len > 2)
        h ^= (uint32_t)p[2] << 16;
    if (len > 1)
        h ^= (uint32_t)p[1] << 8;
    if (len > 0)
        h = (h ^ p[0]) * M;
    h ^= h >> 13;
    h *= M;
    return h ^ h >> 15;
}

unsigned key_lane(const char *key, size_t len, unsigned lanes)
{
    return lanes == 1 || len == 0 ? 0 : (murmur2(key, len) & 0x7fffffffu) % lanes;
}
