/* Text of the column's character set as UTF-8, as the servers convert it (charset_tables.inc). Core; pure functions,
 * any thread. Ids and names: value/types.h.
 *
 * Bytes that are no text of their character set (cut or invalid sequences, codes without a character, UTF-8 beyond
 * Unicode) cannot be told in UTF-8 without a loss: the server SELECTs '?' for them. Such a text stays as stored and is
 * said to be `raw`. */
#ifndef SLUICE_VALUE_CHARSET_H
#define SLUICE_VALUE_CHARSET_H

#include "base/arena.h"
#include "value/types.h"

struct text {
    const char *p;
    size_t len;
    bool raw; /* not text of its character set: as stored */
};

/* Turns *text, bytes in the charset of `type`, into UTF-8: left as it is where it is UTF-8 already, else a copy in
 * `arena`; sets text->raw. Errors: TYPE_UNCERTAIN (charset not known), CHARSET_UNSUPPORTED (a collation id that is not
 * listed, or binary), NO_MEMORY. */
int charset_to_utf8(const struct coltype *type, struct text *text, struct arena *arena, struct err *e);

/* Writes the collation's name and a NUL; returns its length, 0 for an id that is not listed. */
#define CHARSET_COLLATION_MAX 64
size_t charset_print_collation(unsigned collation, char out[CHARSET_COLLATION_MAX]);

/* True for the character sets that charset_write converts: all but UTF-8, binary and unknown. */
bool charset_is_converted(enum charset charset);

/* True when each byte below 0x80 stands for the ASCII character, unless it is the later byte of a longer code. */
bool charset_has_ascii(enum charset charset);

/* Writes the characters at *p as UTF-8, as many as `room` holds (at least CHARSET_ROOM_MIN), and moves *p behind them;
 * returns the end of the output. What is behind *p is invalid when nothing was written. */
#define CHARSET_ROOM_MIN 8
uint8_t *charset_write(enum charset charset, uint8_t *out, size_t room, const uint8_t **p, const uint8_t *end);

/* Bytes of the code at p (left >= 1): 1 where none of several bytes is whole and well-formed there, and always in sets
 * of which no code holds a byte below 0x80 behind its first. */
size_t charset_code_len(enum charset charset, const uint8_t *p, size_t left);

/* The length without the spaces at the end. */
size_t charset_trim(enum charset charset, const uint8_t *p, size_t len);

#endif
