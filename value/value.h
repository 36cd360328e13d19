/* One decoded value, made on demand from the bytes of a row image (or from our own JSON).
 *
 * Every format and template is written against `struct value`. Pointers are borrowed: from the row image, from the
 * table's labels, or from the arena given to the reader. Core.
 *
 * Text form (value_text) and JSON form (value_json) agree: JSON is the text in quotes, or bare where JSON has the type:
 *   INT UINT BIT YEAR    number while |v| <= 2^53 - 1, else a string
 *   FLOAT DOUBLE         number, shortest text that reads back to the same bits (single precision for FLOAT)
 *   DECIMAL              string, the scale of the column kept: "12.30"
 *   DATE                 "2026-11-22", zero and partial dates as the server prints them
 *   TIME                 "-838:59:59.000000", as many fraction digits as declared
 *   DATETIME             "2026-11-22 13:14:15.123"
 *   TIMESTAMP            "2026-11-22T13:14:15.123Z", UTC whatever the machine's zone; zero: "0000-00-00 00:00:00"
 *   TEXT ENUM SET        string (SET: labels joined by commas)
 *   JSON                 string: the document's text as the server SELECTs it
 *   BYTES                {"base64":"…"}; the text form is the bytes themselves
 *   GEOMETRY             {"wkb":"<base64>","srid":0}; the text form is the stored bytes
 *   VECTOR               array of numbers as of FLOAT
 *   TEXT ENUM SET with bytes that are no text of their character set: as BYTES
 *   NULL                 null; the text form is empty, the caller asks for the kind first */
#ifndef SLUICE_VALUE_VALUE_H
#define SLUICE_VALUE_VALUE_H

#include "base/arena.h"
#include "base/buf.h"
#include "value/types.h"

enum value_kind {
    VALUE_ABSENT, /* the row image does not hold the column */
    VALUE_NULL,
    VALUE_INT,
    VALUE_UINT,
    VALUE_DECIMAL, /* s: canonical text, scale kept */
    VALUE_FLOAT,
    VALUE_DOUBLE,
    VALUE_BIT,  /* u */
    VALUE_YEAR, /* u, 0 or 1901 … 2155 */
    VALUE_DATE,
    VALUE_TIME,
    VALUE_DATETIME,
    VALUE_TIMESTAMP, /* t.seconds since 1970 UTC and t.us; seconds 0 is the zero timestamp */
    VALUE_TEXT,      /* s: UTF-8, or what was stored when `raw` is set */
    VALUE_BYTES,     /* s */
    VALUE_ENUM,      /* s: label, index; index 0 = the invalid value "" */
    VALUE_SET,       /* s: labels joined; index: bit mask in u is not kept */
    VALUE_JSON,      /* s: the document's text; `raw` as of TEXT */
    VALUE_GEOMETRY,  /* s: as stored: SRID, well-known binary */
    VALUE_VECTOR,    /* s: numbers of four bytes, all finite */
    VALUE_JSON_DIFF  /* s: a JSON array of diffs, of a document that is not in the row images (value/json_diff.h) */
};

struct value {
    uint8_t kind;  /* enum value_kind */
    uint8_t scale; /* fraction digits of temporal kinds and DECIMAL */
    bool raw;      /* TEXT ENUM SET: not text of the character set, as stored */
    uint32_t index;
    union {
        int64_t i;
        uint64_t u;
        float f;
        double d;
        struct {
            const char *p;
            size_t len;
        } s;
        struct { /* DATE, TIME, DATETIME */
            uint16_t year;
            uint16_t hour; /* TIME: 0 … 838 */
            uint8_t month, day, minute, second;
            uint32_t us;
            bool negative;
        } t;
        struct { /* TIMESTAMP */
            int64_t seconds;
            uint32_t us;
        } ts;
    };
};

/* Borrowed bytes. */
struct bytes {
    const uint8_t *p;
    size_t len;
};

/* Decodes one value that is present and not NULL, from exactly its bytes (as value_size found them). Memory for text
 * that must be converted comes from `arena`. Errors, without the column's name, which the caller wraps around: CORRUPT
 * (value out of the type's range, length beyond the declared one), VALUE_UNSUPPORTED, CHARSET_UNSUPPORTED, NO_MEMORY.
 */
int value_read(const struct coltype *type, const uint8_t *bytes, size_t len, struct value *out, struct arena *arena,
               struct err *e);

/* Bytes of the value at p, p <= end; SIZE_MAX when it does not end before `end`. Inline: every row is walked by it. */
static inline size_t value_size(const struct coltype *type, const uint8_t *p, const uint8_t *end)
{
    size_t left = (size_t)(end - p), prefix = type->walk, len;
    if (type->walk == WALK_FIXED)
        return type->fixed <= left ? type->fixed : SIZE_MAX;
    if (prefix > left)
        return SIZE_MAX;
    len = p[0];
    if (prefix > 1)
        len |= (size_t)p[1] << 8;
    if (prefix > 2)
        len |= (size_t)p[2] << 16;
    if (prefix > 3)
        len |= (size_t)p[3] << 24;
    return len <= left - prefix ? prefix + len : SIZE_MAX;
}

/* Appends the text form. Nothing for ABSENT and NULL. */
void value_text(const struct value *v, struct buf *out);

/* Appends the JSON form ("null" for NULL; ABSENT must not be asked). */
void value_json(const struct value *v, struct buf *out);

/* Appends a JSON string of bytes that are valid UTF-8 (value_is_utf8), escaping only what JSON demands: " \ and < 0x20.
 */
void value_json_string(const char *p, size_t len, struct buf *out);

/* True when the bytes are well-formed UTF-8 (no surrogates, no overlong forms, <= U+10FFFF). */
bool value_is_utf8(const char *p, size_t len);

/* Appends a GEOMETRY as a GeoJSON geometry object. False with `out` as it was when the value is no GEOMETRY or not
 * well-formed: a kind of another number, coordinates that are not finite, collections deeper than 64. */
bool value_geojson(const struct value *v, struct buf *out);

/* Appends {"base64":"…"}. */
void value_json_base64(const char *p, size_t len, struct buf *out);

#endif
