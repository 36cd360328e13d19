/* Text of the column's character set as UTF-8. Core; pure functions. Ids and names: value/types.h. */
#ifndef SLUICE_VALUE_CHARSET_H
#define SLUICE_VALUE_CHARSET_H

#include "base/arena.h"
#include "value/types.h"

struct text {
    const char *p;
    size_t len;
};

/* Turns *text, bytes in the charset of `type`, into UTF-8: left as it is where the charset is ASCII or UTF-8 (whether
 * the bytes are well-formed is not looked at), else a copy in `arena`. The server's latin1 is Windows-1252, whose five
 * holes stand for the control characters of the same number. Errors: TYPE_UNCERTAIN (charset not known),
 * CHARSET_UNSUPPORTED (no table for it here, or it is binary), NO_MEMORY. */
int charset_to_utf8(const struct coltype *type, struct text *text, struct arena *arena, struct err *e);

/* Bytes of latin1 as UTF-8, written to `out` (room: 3 * len); returns the end. */
uint8_t *charset_write_latin1(uint8_t *out, const uint8_t *p, size_t len);

#endif
