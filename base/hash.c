/* CRC-32 by libdeflate. */
#include "base/hash.h"

#include <libdeflate.h>

uint32_t hash_crc32(uint32_t crc, const void *bytes, size_t len)
{
    return libdeflate_crc32(crc, bytes, len);
}
