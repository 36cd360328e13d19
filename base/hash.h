/* 64-bit hash of bytes for tables inside the process (not for lanes: partition/murmur2.h, not for checks: CRC). */
#ifndef SLUICE_BASE_HASH_H
#define SLUICE_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* FNV-1a with a final mix; never stored, may change. */
static inline uint64_t hash_bytes(const void *bytes, size_t len)
{
    const uint8_t *p = (const uint8_t *)bytes;
    uint64_t h = 1469598103934665603ULL;
    for (size_t i = 0; i < len; i++)
        h = (h ^ p[i]) * 1099511628211ULL;
    h ^= h >> 32;
    h *= 0x9e3779b97f4a7c15ULL;
    return h ^ (h >> 29);
}

/* CRC-32 as zlib's (IEEE), as the binlog uses it; `crc` 0 to begin. */
uint32_t hash_crc32(uint32_t crc, const void *bytes, size_t len);

#endif
