/* Any bytes as a document and the diffs of a partial update of it. First byte: how many 1/256 of the rest are the
 * document; both get the length in front of them that a column has. */
#include <stdlib.h>
#include <string.h>

#include "value/json_diff.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static struct bytes as_column(const uint8_t *p, size_t len)
{
    uint8_t *copy = malloc(4 + len);
    if (!copy)
        abort();
    for (unsigned i = 0; i < 4; i++)
        copy[i] = (uint8_t)(len >> (8 * i));
    if (len)
        memcpy(copy + 4, p, len);
    return (struct bytes){copy, 4 + len};
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const struct coltype type = {.wire = WIRE_JSON, .family = FAMILY_JSON, .walk = WALK_LEN4, .meta = 4};
    if (len < 1)
        return 0;
    size_t doc_len = (len - 1) * bytes[0] / 255;
    struct bytes doc = as_column(bytes + 1, doc_len), diffs = as_column(bytes + 1 + doc_len, len - 1 - doc_len);
    struct arena arena;
    struct value v;
    arena_init(&arena, 4096, 0, 1 << 26);
    int rc = value_read(&type, doc.p, doc.len, &v, &arena, NULL);
    if (rc == 0 && v.s.len > 8 * doc.len + 8)
        abort();
    (void)jsonb_diff_apply(&type, doc, diffs, &v, &arena, NULL);
    rc = jsonb_diff_text(&type, diffs, &v, &arena, NULL);
    if (rc == 0 && v.raw)
        abort();
    arena_release(&arena);
    free((void *)(uintptr_t)doc.p);
    free((void *)(uintptr_t)diffs.p);
    return 0;
}
