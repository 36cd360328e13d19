/* The header before each entry; its layout stands in state.h. */
#include <string.h>

#include "base/cursor.h"
#include "base/hash.h"
#include "state/state_private.h"

#define CHECKED_BYTES 16 /* what the header's own CRC covers */

static void put_u32(uint8_t *out, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++)
        out[i] = (uint8_t)(v >> (8 * i));
}

void entry_write_header(uint8_t out[ENTRY_HEADER_BYTES], enum entry_kind kind, const void *payload, size_t len)
{
    memcpy(out, "slu", 3);
    out[3] = (uint8_t)kind;
    put_u32(out + 4, ENTRY_VERSION);
    put_u32(out + 8, (uint32_t)len);
    put_u32(out + 12, hash_crc32(0, payload, len));
    put_u32(out + 16, hash_crc32(0, out, CHECKED_BYTES));
}

enum entry_check entry_read_header(const uint8_t bytes[ENTRY_HEADER_BYTES], enum entry_kind kind,
                                   struct entry_header *out, uint32_t *version)
{
    struct cursor cur = cursor_over(bytes, ENTRY_HEADER_BYTES);
    const uint8_t *magic = cursor_take(&cur, 4);
    uint32_t found = cursor_u32(&cur);
    struct entry_header header = {.len = cursor_u32(&cur), .crc = cursor_u32(&cur)};
    uint32_t own_crc = cursor_u32(&cur);
    if (memcmp(magic, "slu", 3) != 0 || magic[3] != (uint8_t)kind || own_crc != hash_crc32(0, bytes, CHECKED_BYTES))
        return ENTRY_BAD;
    if (found != ENTRY_VERSION) {
        *version = found;
        return ENTRY_NEWER;
    }
    if (header.len > STATE_ENTRY_MAX)
        return ENTRY_BAD;
    *out = header;
    return ENTRY_GOOD;
}
