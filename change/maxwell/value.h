/* The functions that write one value of Maxwell's row JSON. Internal to change/.
 *
 * All take the value's bytes without their length prefix and return false when they are out of the type's range, or
 * without memory. */
#ifndef SLUICE_CHANGE_MAXWELL_VALUE_H
#define SLUICE_CHANGE_MAXWELL_VALUE_H

#include <string.h>

#include "change/maxwell/parts.h"

bool maxwell_write_unsigned(struct maxwell_out *out, const struct maxwell_cell *cell, const uint8_t *p, size_t len);
bool maxwell_write_signed(struct maxwell_out *out, const struct maxwell_cell *cell, const uint8_t *p, size_t len);
bool maxwell_write_number(struct maxwell_out *out, const struct maxwell_cell *cell, const uint8_t *p, size_t len);
bool maxwell_write_single(struct maxwell_out *out, const struct maxwell_cell *cell, const uint8_t *p, size_t len);
bool maxwell_write_real(struct maxwell_out *out, const struct maxwell_cell *cell, const uint8_t *p, size_t len);
bool maxwell_write_bits(struct maxwell_out *out, const struct maxwell_cell *cell, const uint8_t *p, size_t len);
bool maxwell_write_year(struct maxwell_out *out, const struct maxwell_cell *cell, const uint8_t *p, size_t len);
bool maxwell_write_peer_time(struct maxwell_out *out, const struct maxwell_cell *cell, const uint8_t *p, size_t len);
bool maxwell_write_temporal(struct maxwell_out *out, const struct maxwell_cell *cell, const uint8_t *p, size_t len);
bool maxwell_write_utf8_text(struct maxwell_out *out, const struct maxwell_cell *cell, const uint8_t *p, size_t len);
bool maxwell_write_bytes(struct maxwell_out *out, const struct maxwell_cell *cell, const uint8_t *p, size_t len);
bool maxwell_write_converted(struct maxwell_out *out, const struct maxwell_cell *cell, const uint8_t *p, size_t len);
bool maxwell_write_stored_json(struct maxwell_out *out, const struct maxwell_cell *cell, const uint8_t *p, size_t len);
bool maxwell_write_label(struct maxwell_out *out, const struct maxwell_cell *cell, const uint8_t *p, size_t len);
bool maxwell_write_labels(struct maxwell_out *out, const struct maxwell_cell *cell, const uint8_t *p, size_t len);
bool maxwell_write_document(struct maxwell_out *out, const struct maxwell_cell *cell, const uint8_t *p, size_t len);
bool maxwell_write_geometry_text(struct maxwell_out *out, const struct maxwell_cell *cell, const uint8_t *p,
                                 size_t len);
bool maxwell_write_by_value(struct maxwell_out *out, const struct maxwell_cell *cell, const uint8_t *p, size_t len);

/* Of values that were read; dates are changed to what is written. */
bool maxwell_put_date(struct maxwell_out *out, const struct maxwell_cell *cell, struct value *v);
bool maxwell_put_datetime(struct maxwell_out *out, const struct maxwell_cell *cell, struct value *v);
bool maxwell_put_timestamp(struct maxwell_out *out, const struct maxwell_cell *cell, const struct value *v);
bool maxwell_put_time(struct maxwell_out *out, const struct maxwell_cell *cell, const struct value *v);
bool maxwell_put_base64(struct maxwell_out *out, const uint8_t *p, size_t len);
bool maxwell_put_null(struct maxwell_out *out);

static inline uint64_t maxwell_be(const uint8_t *p, size_t len)
{
    uint64_t v = 0;
    for (size_t i = 0; i < len; i++)
        v = v << 8 | p[i];
    return v;
}

#endif
