/* The version of a change as text of fixed width, so that bytes compare as the numbers do. */
#include "position/version.h"

#include <stddef.h>

#include "position/scan.h"

static void put_hex(char *out, uint64_t v, unsigned digits)
{
    while (digits > 0) {
        out[--digits] = "0123456789abcdef"[v & 15];
        v >>= 4;
    }
}

void version_print(const struct version *v, char out[VERSION_TEXT_LEN])
{
    put_hex(out, v->epoch, 8);
    out[8] = '.';
    put_hex(out + 9, v->sequence, 16);
    out[25] = '.';
    put_hex(out + 26, v->row, 16);
}

static bool get_hex(const char *text, unsigned digits, uint64_t *out)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < digits; i++) {
        int digit = text[i] >= 'A' && text[i] <= 'F' ? -1 : scan_hex_value(text[i]);
        if (digit < 0)
            return false;
        v = v << 4 | (uint64_t)digit;
    }
    *out = v;
    return true;
}

int version_parse(struct version *out, const char *text, size_t len, struct err *e)
{
    uint64_t epoch, sequence, row;
    if (len != VERSION_TEXT_LEN || text[8] != '.' || text[25] != '.' || !get_hex(text, 8, &epoch) ||
        !get_hex(text + 9, 16, &sequence) || !get_hex(text + 26, 16, &row))
        return err_set(e, CORRUPT, "a version has 8, 16 and 16 lower-case hex digits with dots");
    *out = (struct version){(uint32_t)epoch, sequence, row};
    return 0;
}

int version_compare(const struct version *a, const struct version *b)
{
    if (a->epoch != b->epoch)
        return a->epoch < b->epoch ? -1 : 1;
    if (a->sequence != b->sequence)
        return a->sequence < b->sequence ? -1 : 1;
    return a->row < b->row ? -1 : a->row > b->row;
}
