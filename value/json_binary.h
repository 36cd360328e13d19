/* MySQL's binary JSON: the stored form of a JSON column's document, and its text exactly as the server SELECTs it.
 *
 * Source: MySQL's json_binary.h (the format is described there) and what running servers print. Bytes are from
 * outside: every offset is checked against the container that holds it, the depth is capped as the server caps it, and
 * the bytes of all parts that are visited never sum up to more than the document has, which bounds work and text
 * however offsets overlap. Core; pure functions, any thread. */
#ifndef SLUICE_VALUE_JSON_BINARY_H
#define SLUICE_VALUE_JSON_BINARY_H

#include <stddef.h>
#include <stdint.h>

#define JSONB_DEPTH_MAX 100 /* containers in one another: the server's own limit */

/* Most bytes of text of a document of `len` bytes. */
#define JSONB_TEXT_MAX(len) (8 * (len) + 8)

/* The text of a document at `o`, with room for JSONB_TEXT_MAX(len); NULL when the bytes are not a document. */
uint8_t *jsonb_write(uint8_t *o, const uint8_t *doc, size_t len);

#endif
