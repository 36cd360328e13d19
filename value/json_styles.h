/* The text of MySQL's binary JSON as Java programs that read the binlog write it; our own and the server's is that of
 * json_binary.h. Core; pure functions, any thread.
 *
 *   canal      ", " and ": " as the server; doubles as Java's Double.toString; DECIMAL by canal_decimal_end; DATE,
 *              DATETIME and TIMESTAMP "2024-02-29 12:34:56.500000"; TIME "12:34:56.000000" (of 100 hours "00", as it
 *              writes them), zero ones without fraction; other opaque values their bytes as a string; escaped: " \ \n
 * \r \t, others below 0x20 and U+007F … U+00A0 as \u00xx in lower case connector  mysql-binlog-connector-java, which
 * Maxwell and Debezium use: no blanks; doubles as Java's, but where that has an exponent all digits of the binary
 * value; DATE "2026-11-22", TIME and DATETIME with as many fraction digits as are not 0 at the end; other opaque values
 * base64; escapes as Jackson's, characters beyond U+FFFF raw
 *
 * Sources: alibaba/canal dbsync/…/binlog/JsonConversion.java; osheroff/mysql-binlog-connector-java
 * …/deserialization/json/JsonStringFormatter.java. A negative TIME, which the connector writes as garbage, is written
 * right. */
#ifndef SLUICE_VALUE_JSON_STYLES_H
#define SLUICE_VALUE_JSON_STYLES_H

#include <stddef.h>
#include <stdint.h>

struct jsonb_style;
extern const struct jsonb_style jsonb_style_canal, jsonb_style_connector;

/* Bytes of the text of a document; SIZE_MAX: the bytes are no document. No bytes at all are null. */
size_t jsonb_styled_len(const struct jsonb_style *style, const uint8_t *doc, size_t len);

/* The text at `o`, with room for jsonb_styled_len; NULL as above. Strings are not checked to be UTF-8. */
uint8_t *jsonb_write_styled(const struct jsonb_style *style, uint8_t *o, const uint8_t *doc, size_t len);

/* Canal's end of a DECIMAL that is written with all digits of its scale before `end`: digits behind the point come in
 * groups of nine, and a last group that is shorter and all zero is left out; of no digit at all ".0" stays. */
uint8_t *canal_decimal_end(uint8_t *end, unsigned scale);

#endif
