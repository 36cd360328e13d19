/* The operations of the column families, one file each, in one table (value.c). Internal to value/.
 *
 * read: `bytes` as value_size found them, so of the right size for WALK_FIXED; errors as value_read. text and json: as
 * value_text and value_json, for the kinds that the family makes. */
#ifndef SLUICE_VALUE_FAMILY_H
#define SLUICE_VALUE_FAMILY_H

#include <string.h>

#include "value/charset.h"
#include "value/value.h"

typedef int value_read_fn(const struct coltype *type, struct bytes bytes, struct value *out, struct arena *arena,
                          struct err *e);
typedef void value_write_fn(const struct value *v, struct buf *out);

value_read_fn integer_read, decimal_read, float_read, bit_read, year_read, date_read, time_read, datetime_read,
    timestamp_read, time_old_read, datetime_old_read, timestamp_old_read, string_read, compressed_read, uuid_read,
    inet_read, enum_read, set_read, geometry_read, vector_read, json_read;
value_write_fn integer_text, decimal_text, float_text, bit_text, year_text, date_text, time_text, datetime_text,
    timestamp_text, string_text, enum_text, set_text, vector_text;
value_write_fn integer_json, decimal_json, float_json, bit_json, year_json, date_json, time_json, datetime_json,
    timestamp_json, string_json, enum_json, set_json, geometry_json, vector_json;

/* The value of a string column whose bytes, without length and padding, are `text`: TEXT in UTF-8, or BYTES. */
int string_convert(const struct coltype *type, struct text text, struct value *out, struct arena *arena, struct err *e);

/* CORRUPT: "TYPE: what". */
int family_corrupt(const struct coltype *type, const char *what, struct err *e);

/* TYPE_UNCERTAIN: "the WHAT of type TYPE is not known". */
int family_uncertain(const struct coltype *type, const char *what, struct err *e);

static inline uint64_t family_le(const uint8_t *p, size_t bytes)
{
    uint64_t v = 0;
    for (size_t i = 0; i < bytes; i++)
        v |= (uint64_t)p[i] << (8 * i);
    return v;
}

/* BINARY(size) as it was before the log took the zero bytes at its end off; false when it is longer. */
static inline bool family_padded(struct bytes stored, uint8_t *out, size_t size)
{
    size_t len = stored.len - 1;
    if (stored.p[0] != len || len > size)
        return false;
    memcpy(out, stored.p + 1, len);
    memset(out + len, 0, size - len);
    return true;
}

static inline uint64_t family_be(const uint8_t *p, size_t bytes)
{
    uint64_t v = 0;
    for (size_t i = 0; i < bytes; i++)
        v = v << 8 | p[i];
    return v;
}

#endif
