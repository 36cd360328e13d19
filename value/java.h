/* Numbers and hashes as Java makes them: the peers are Java programs, and their readers see its text. */
#ifndef SLUICE_VALUE_JAVA_H
#define SLUICE_VALUE_JAVA_H

#include <stddef.h>
#include <stdint.h>

#define WRITE_JAVA_MAX 26

/* Double.toString and Float.toString of Java 19 and later: the fewest digits that read back, at least one on each side
 * of the point; plain from 1.0E-3 on and below 1.0E7, else "1.0E7"; -0.0 keeps its sign. Finite numbers only. */
uint8_t *write_java_double(uint8_t *o, double v);
uint8_t *write_java_float(uint8_t *o, float v);

/* String.hashCode of UTF-8 text: over its UTF-16 units. */
int32_t java_hash(const char *p, size_t len);

/* A JSON string as Jackson writes it from UTF-8: \" \\ \b \t \n \f \r, others below 0x20 \u00XX in upper case,
 * characters beyond U+FFFF as two \uXXXX; all else raw. Most bytes: 6 · len + 2. */
uint8_t *write_jackson_string(uint8_t *o, const uint8_t *p, size_t len);

/* The same without the quotes. */
uint8_t *write_jackson_escaped(uint8_t *o, const uint8_t *p, size_t len);

#endif
