/* Any bytes as a line of our own JSON: an error, or a change that renders to a line which renders to itself. */
#include <stdlib.h>
#include <string.h>

#include "change/format_sluice.h"
#include "change/json_in.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct arena arena;
    struct shape_cache *cache = shape_cache_new();
    struct change chg, again;
    struct tx tx, again_tx;
    struct buf one, two;
    if (!cache)
        abort();
    arena_init(&arena, 4096, 0, 1 << 26);
    buf_init(&one, 0);
    buf_init(&two, 0);
    if (json_in_change((const char *)bytes, len, cache, &chg, &tx, &arena, NULL) == 0 &&
        format_sluice(&chg, &one, &arena, NULL) == 0) {
        if (json_in_change((const char *)one.p, one.len, cache, &again, &again_tx, &arena, NULL) != 0 ||
            format_sluice(&again, &two, &arena, NULL) != 0 || one.len != two.len || memcmp(one.p, two.p, one.len) != 0)
            abort();
    }
    buf_release(&one);
    buf_release(&two);
    shape_cache_free(cache);
    arena_release(&arena);
    return 0;
}
