/* How numbers and times look in text, written straight into memory: shared by the text and JSON forms of values and by
 * the prepared row writer of change/. The caller has room for the named most bytes. Inline: the hot path. */
#ifndef SLUICE_VALUE_WRITE_H
#define SLUICE_VALUE_WRITE_H

#include <stdint.h>
#include <string.h>

#include "value/value.h"

#define WRITE_UINT_MAX          20
#define WRITE_DATE_MAX          10
#define WRITE_TIME_MAX          17 /* -838:59:59.000000 */
#define WRITE_DATETIME_MAX      26
#define WRITE_TIMESTAMP_MAX     27
#define WRITE_DECIMAL_MAX       68
#define WRITE_DOUBLE_MAX        26
#define WRITE_SERVER_DOUBLE_MAX 40
#define WRITE_SAFE_INTEGER      9007199254740991 /* 2^53 - 1: readers with doubles keep it */

extern const char write_digits[201]; /* "00" … "99" */

static inline uint8_t *write_2(uint8_t *o, unsigned v)
{
    memcpy(o, write_digits + 2 * (size_t)v, 2);
    return o + 2;
}

static inline uint8_t *write_4(uint8_t *o, unsigned v)
{
    return write_2(write_2(o, v / 100), v % 100);
}

/* A code point as UTF-8: up to four bytes. */
static inline uint8_t *write_utf8(uint8_t *o, uint32_t c)
{
    if (c < 0x80) {
        *o++ = (uint8_t)c;
        return o;
    }
    if (c < 0x800) {
        *o++ = (uint8_t)(0xc0 | c >> 6);
    } else {
        if (c < 0x10000) {
            *o++ = (uint8_t)(0xe0 | c >> 12);
        } else {
            *o++ = (uint8_t)(0xf0 | c >> 18);
            *o++ = (uint8_t)(0x80 | (c >> 12 & 0x3f));
        }
        *o++ = (uint8_t)(0x80 | (c >> 6 & 0x3f));
    }
    *o++ = (uint8_t)(0x80 | (c & 0x3f));
    return o;
}

static inline unsigned write_uint_len(uint64_t v)
{
    static const uint64_t powers[20] = {0,
                                        10,
                                        100,
                                        1000,
                                        10000,
                                        100000,
                                        1000000,
                                        10000000,
                                        100000000,
                                        1000000000,
                                        10000000000,
                                        100000000000,
                                        1000000000000,
                                        10000000000000,
                                        100000000000000,
                                        1000000000000000,
                                        10000000000000000,
                                        100000000000000000,
                                        1000000000000000000,
                                        10000000000000000000u};
    unsigned bits = 64u - (unsigned)__builtin_clzll(v | 1), guess = bits * 1233 >> 12;
    return guess + (v >= powers[guess]);
}

static inline uint8_t *write_uint(uint8_t *o, uint64_t v)
{
    if (v < 10) {
        *o = (uint8_t)('0' + v);
        return o + 1;
    }
    uint8_t *end = o + write_uint_len(v), *p = end;
    while (v >= 100) {
        p -= 2;
        write_2(p, (unsigned)(v % 100));
        v /= 100;
    }
    if (v >= 10)
        write_2(p - 2, (unsigned)v);
    else
        p[-1] = (uint8_t)('0' + v);
    return end;
}

/* Exactly `digits` digits. */
static inline uint8_t *write_padded(uint8_t *o, uint32_t v, unsigned digits)
{
    uint8_t *end = o + digits, *p = end;
    for (; digits >= 2; digits -= 2, v /= 100) {
        p -= 2;
        write_2(p, v % 100);
    }
    if (digits)
        p[-1] = (uint8_t)('0' + v % 10);
    return end;
}

/* "." and the first `scale` of six digits; nothing for scale 0. */
static inline uint8_t *write_fraction(uint8_t *o, uint32_t us, unsigned scale)
{
    static const uint32_t divisors[7] = {1000000, 100000, 10000, 1000, 100, 10, 1};
    if (scale == 0)
        return o;
    *o++ = '.';
    return write_padded(o, us / divisors[scale], scale);
}

static inline uint8_t *write_date(uint8_t *o, unsigned year, unsigned month, unsigned day)
{
    o = write_4(o, year);
    *o++ = '-';
    o = write_2(o, month);
    *o++ = '-';
    return write_2(o, day);
}

static inline uint8_t *write_clock(uint8_t *o, unsigned hour, unsigned minute, unsigned second)
{
    o = write_2(o, hour);
    *o++ = ':';
    o = write_2(o, minute);
    *o++ = ':';
    return write_2(o, second);
}

static inline uint8_t *write_time(uint8_t *o, const struct value *v)
{
    unsigned hour = v->t.hour;
    if (v->t.negative)
        *o++ = '-';
    if (hour >= 100) {
        *o++ = (uint8_t)('0' + hour / 100);
        hour %= 100;
    }
    o = write_clock(o, hour, v->t.minute, v->t.second);
    return write_fraction(o, v->t.us, v->scale);
}

static inline uint8_t *write_datetime(uint8_t *o, const struct value *v)
{
    o = write_date(o, v->t.year, v->t.month, v->t.day);
    *o++ = ' ';
    o = write_clock(o, v->t.hour, v->t.minute, v->t.second);
    return write_fraction(o, v->t.us, v->scale);
}

/* Days since 1970-01-01, >= 0, to a date of the Gregorian calendar: years of 365.2425 days counted from March, so that
 * the leap day is the last. */
static inline uint8_t *write_days(uint8_t *o, uint32_t days)
{
    uint32_t z = days + 719468, era = z / 146097, of_era = z % 146097;
    uint32_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    uint32_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    uint32_t shifted = (5 * of_year + 2) / 153, day = of_year - (153 * shifted + 2) / 5 + 1;
    uint32_t month = shifted < 10 ? shifted + 3 : shifted - 9;
    return write_date(o, year_of_era + era * 400 + (month <= 2), month, day);
}

static inline uint8_t *write_timestamp(uint8_t *o, uint32_t seconds, uint32_t us, unsigned scale)
{
    static const char zero[] = "0000-00-00 00:00:00";
    if (seconds == 0 && us == 0) {
        memcpy(o, zero, sizeof zero - 1);
        return write_fraction(o + sizeof zero - 1, 0, scale);
    }
    uint32_t of_day = seconds % 86400;
    o = write_days(o, seconds / 86400);
    *o++ = 'T';
    o = write_fraction(write_clock(o, of_day / 3600, of_day / 60 % 60, of_day % 60), us, scale);
    *o++ = 'Z';
    return o;
}

/* An integer as JSON: bare while every reader keeps it, else in quotes. */
static inline uint8_t *write_json_uint(uint8_t *o, uint64_t v)
{
    if (v <= WRITE_SAFE_INTEGER)
        return write_uint(o, v);
    *o++ = '"';
    o = write_uint(o, v);
    *o++ = '"';
    return o;
}

static inline uint8_t *write_int(uint8_t *o, int64_t v)
{
    if (v >= 0)
        return write_uint(o, (uint64_t)v);
    *o++ = '-';
    return write_uint(o, 0 - (uint64_t)v);
}

static inline uint8_t *write_json_int(uint8_t *o, int64_t v)
{
    if (v >= -WRITE_SAFE_INTEGER && v <= WRITE_SAFE_INTEGER)
        return write_int(o, v);
    *o++ = '"';
    o = write_int(o, v);
    *o++ = '"';
    return o;
}

/* The text of a DECIMAL of `precision` and `scale` from its binary form; NULL when that is out of range. */
uint8_t *write_decimal(uint8_t *o, const uint8_t *bytes, unsigned precision, unsigned scale);

/* Its digits without the point as one integer: big-endian two's complement, as few bytes as hold it; returns how many,
 * 0 when the binary form is out of range. */
#define DECIMAL_COLUMN_DIGITS 65
#define DECIMAL_UNSCALED_MAX  28
size_t decimal_unscaled(uint8_t out[DECIMAL_UNSCALED_MAX], const uint8_t *bytes, unsigned precision, unsigned scale);

/* The shortest decimal text that reads back to the same bits; plain for exponents -7 … 14, else as 1.5e20. Finite. */
uint8_t *write_double(uint8_t *o, double v);
uint8_t *write_float(uint8_t *o, float v);

/* The same digits as the server writes them inside of JSON: plain for exponents -15 … 14 and beyond while there are
 * digits behind the point; "1.0" for whole numbers. */
uint8_t *write_server_double(uint8_t *o, double v);

/* A JSON string of UTF-8 bytes, with its quotes. Most bytes: 6 * len + 2. */
uint8_t *write_json_string(uint8_t *o, const uint8_t *p, size_t len);

/* The same without the quotes. */
uint8_t *write_json_escaped(uint8_t *o, const uint8_t *p, size_t len);

/* A JSON string when the bytes are UTF-8, else {"base64":…}: most bytes 6 * len + 16. */
uint8_t *write_json_text(uint8_t *o, const uint8_t *p, size_t len);

/* A JSON string when all bytes are ASCII, else NULL; what was written then counts for nothing. */
uint8_t *write_json_ascii(uint8_t *o, const uint8_t *p, size_t len);

/* Base64 of the bytes, without quotes: 4 * ceil(len / 3) bytes. */
uint8_t *write_base64(uint8_t *o, const uint8_t *p, size_t len);

/* {"base64":"…"}: 13 + 4 * ceil(len / 3) bytes. */
#define WRITE_BASE64_MAX(len) (13 + ((len) + 2) / 3 * 4)
uint8_t *write_json_base64(uint8_t *o, const uint8_t *p, size_t len);

/* UUID: 36 bytes; INET4, INET6: at most WRITE_INET_MAX. */
#define UUID_BYTES     16
#define INET4_BYTES    4
#define INET6_BYTES    16
#define WRITE_UUID_LEN 36
#define WRITE_INET_MAX 40
uint8_t *write_uuid(uint8_t *o, const uint8_t uuid[UUID_BYTES]);

/* A UUID or address in quotes from its `len` bytes in the log, which leaves zero bytes at its end out; `size` of the
 * whole: UUID_BYTES, INET4_BYTES, INET6_BYTES. NULL when there are more. */
uint8_t *write_address(uint8_t *o, bool is_uuid, size_t size, const uint8_t *p, size_t len);
uint8_t *write_inet4(uint8_t *o, const uint8_t address[INET4_BYTES]);
uint8_t *write_inet6(uint8_t *o, const uint8_t address[INET6_BYTES]);

/* {"wkb":"…","srid":…} of len >= GEOMETRY_SRID_BYTES stored bytes. */
#define GEOMETRY_SRID_BYTES     4
#define WRITE_GEOMETRY_MAX(len) (32 + ((len) + 2) / 3 * 4)
uint8_t *write_geometry(uint8_t *o, const uint8_t *p, size_t len);

/* An array of the numbers of a VECTOR; len a multiple of 4, all finite. */
#define WRITE_VECTOR_MAX(len) (2 + (len) / 4 * 18)
bool vector_is_finite(const uint8_t *p, size_t len);
uint8_t *write_vector(uint8_t *o, const uint8_t *p, size_t len);

/* What one column's bytes say, without their text: false when they are out of the type's range. v->kind, scale and the
 * time are set. */
bool read_date(const uint8_t *bytes, struct value *v);
bool read_time(const uint8_t *bytes, unsigned scale, struct value *v);
bool read_datetime(const uint8_t *bytes, unsigned scale, struct value *v);
bool read_timestamp(const uint8_t *bytes, unsigned scale, struct value *v);
bool read_time_old(const uint8_t *bytes, unsigned scale, struct value *v);
bool read_datetime_old(const uint8_t *bytes, unsigned scale, struct value *v);
bool read_timestamp_old(const uint8_t *bytes, unsigned scale, struct value *v);

#endif
